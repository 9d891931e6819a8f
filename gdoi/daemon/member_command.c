/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/daemon/gkd_search.h"
#include "gdoi/daemon/member.h"

static struct gdoid_member *
member_of(void *state)
{
	struct gkd_daemon *d = state;

	return d->state;
}

/* ---- status -------------------------------------------------------------- */

/* Why the last registration came to nothing. */
static json_t *
json_failure(const struct gdoi_gm_status *st)
{
	char reason[GKD_CAUSE_TEXT];

	if (st->failure == NULL)
		return json_null();
	return json_pack(
		"{s:s, s:s?, s:s?, s:o}", "reason",
		gdoid_report_reason(reason, &st->why, st->failure), "req",
		st->why.req, "notify",
		st->why.notify == ISAKMP_NOTIFY_NONE
			? NULL
			: isakmp_code_text(ISAKMP_TABLE_NOTIFY, st->why.notify),
		"at", gkd_json_utc(st->failed_utc));
}

/* Why the one under way may come to nothing, too. */
static json_t *
json_doubt(const struct gdoi_gm_status *st)
{
	return st->doubt == NULL ? json_null()
	                         : json_pack("{s:s, s:o}", "reason", st->doubt,
	                                     "at", gkd_json_utc(st->doubt_utc));
}

static json_t *
json_group(struct gdoid_member *m, size_t group)
{
	struct gdoi_gm_status st;
	char name[300], address[GKD_ADDR_TEXT];
	const char *server;
	json_t *o;

	gdoi_gm_status(m->engine, group, &st);
	server = gdoid_address_text(address, &st.server_address);
	o = json_pack(
		"{s:o, s:s, s:b, s:o, s:s?, s:o, s:o, s:I, s:I}", "group",
		gkd_json_text(m->group[group].name), "state",
		gdoi_gm_state_text(st.state), "phase1", (int)st.phase1,
		"key_server",
		gkd_json_text(gk_text_print(name, sizeof(name), st.server)),
		"key_server_address", server, "registered",
		gkd_json_utc(st.registered_utc), "rekey_due",
		gkd_json_utc(st.rekey_due_utc), "pushes", (json_int_t)st.pushes,
		"acknowledgements", (json_int_t)st.acks);
	json_object_set_new(o, "rekey_sa",
	                    st.has_kek ? gdoid_json_kek(&st.kek) : json_null());
	json_object_set_new(o, "lkh_keys", json_integer((json_int_t)st.n_keks));
	json_object_set_new(o, "waiting", json_integer((json_int_t)st.waiting));
	json_object_set_new(o, "sid_bits", json_integer(st.sid_bits));
	json_object_set_new(o, "sids", json_integer((json_int_t)st.n_sids));
	json_object_set_new(o, "receives_only", json_boolean(st.no_sender));
	if (m->group[group].announced != NULL)
		json_object_set_new(
			o, "announcement",
			gpt_announced_json(&m->group[group].announcing));
	json_object_set_new(o, "authorised",
	                    gdoid_member_flows(m, group, st.unauthorised));
	json_object_set_new(o, "failures", json_integer(st.failures));
	json_object_set_new(o, "failure", json_failure(&st));
	json_object_set_new(o, "doubt", json_doubt(&st));
	json_object_set_new(o, "keys", gdoid_member_keys(m, group));
	return o;
}

json_t *
gdoid_member_status(struct gkd_daemon *d)
{
	struct gdoid_member *m = d->state;
	json_t *groups = json_array(), *servers = json_array();
	char text[GKD_ADDR_TEXT];

	for (size_t i = 0; i < m->cfg.n_groups; i++)
		json_array_append_new(groups, json_group(m, i));
	for (size_t i = 0; i < m->cfg.n_servers; i++)
		json_array_append_new(servers, json_string(gkd_addr_format(
						       text, &m->server[i])));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "identity",
	                 gkd_json_text(m->phase1->name), "key_servers", servers,
	                 "groups", groups, "receivers",
	                 gdoid_member_receivers(m), "kernel",
	                 gdoid_member_kernel(m), "store_failing",
	                 (int)m->commit.failed);
}

/* ---- commands ------------------------------------------------------------ */

int
gdoid_member_which(const struct gdoid_member *m, const char *word,
                   char why[256])
{
	const char *name = gdoid_group_word(word);

	for (size_t i = 0; name != NULL && i < m->cfg.n_groups; i++)
		if (strcmp(m->group[i].name, name) == 0)
			return (int)i;
	if (name == NULL && m->cfg.n_groups == 1)
		return 0;
	gkd_no_group(name, why);
	return -1;
}

static json_t *
done(struct gdoid_member *m, size_t group, enum gk_err err, const char *what,
     char why[256])
{
	struct gdoi_gm_status st;

	gdoid_member_drain(m);
	if (err == GK_OK)
		return json_object();
	gdoi_gm_status(m->engine, group, &st);
	if (err == GK_ERR_UNEXPECTED)
		snprintf(why, 256, "cannot %s in state '%s'", what,
		         gdoi_gm_state_text(st.state));
	else
		snprintf(why, 256, "%s", gk_strerror(err));
	return NULL;
}

static json_t *
cmd_join(void *state, const json_t *request, char why[256])
{
	struct gdoid_member *m = member_of(state);
	int group = gdoid_member_which(m, gkd_control_arg(request, 0), why);

	if (group < 0)
		return NULL;
	gdoid_member_renew(m, false);
	return done(m, (size_t)group,
	            gdoi_gm_join(m->engine, (size_t)group, gkd_now()), "join",
	            why);
}

static json_t *
cmd_reregister(void *state, const json_t *request, char why[256])
{
	struct gdoid_member *m = member_of(state);
	int group = gdoid_member_which(m, gkd_control_arg(request, 0), why);

	if (group < 0)
		return NULL;
	gdoid_member_renew(m, false);
	return done(m, (size_t)group,
	            gdoi_gm_reregister(m->engine, (size_t)group, gkd_now()),
	            "register again", why);
}

static json_t *
cmd_leave(void *state, const json_t *request, char why[256])
{
	struct gdoid_member *m = member_of(state);
	const char *name = gkd_control_arg(request, 0);
	const char *how = gkd_control_arg(request, 1);
	json_t *result;
	int group;

	/* "leave silently", where there is but one group. */
	if (how == NULL && name != NULL && strcmp(name, "silently") == 0 &&
	    m->cfg.n_groups == 1) {
		how = name;
		name = NULL;
	}
	if (how != NULL && strcmp(how, "silently") != 0) {
		snprintf(why, 256, "'%.100s' is not 'silently'", how);
		return NULL;
	}
	group = gdoid_member_which(m, name, why);
	if (group < 0)
		return NULL;
	m->group[group].leaving = true;
	result = done(
		m, (size_t)group,
		gdoi_gm_leave(m->engine, (size_t)group, how == NULL, gkd_now()),
		"leave", why);
	m->group[group].leaving = false;
	return result;
}

static json_t *
cmd_keys(void *state, const json_t *request, char why[256])
{
	struct gdoid_member *m = member_of(state);
	const char *name = gkd_control_arg(request, 0);
	json_t *all;
	int only = name != NULL ? gdoid_member_which(m, name, why) : 0;

	if (only < 0)
		return NULL;
	all = json_array();
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		json_t *keys, *key;
		size_t k;

		if (name != NULL && i != (size_t)only)
			continue;
		keys = gdoid_member_keys(m, i);
		json_array_foreach(keys, k, key) json_object_set_new(
			key, "group", gkd_json_text(m->group[i].name));
		json_array_extend(all, keys);
		json_decref(keys);
	}
	return all;
}

static json_t *
cmd_proposals(void *state, const json_t *request, char why[256])
{
	(void)request;
	(void)why;
	return gdoid_phase1_proposals(member_of(state)->phase1);
}

const struct gkd_command gdoid_member_commands[] = {
	{ "join", "[GROUP]", "register with a key server", cmd_join },
	{ "leave", "[GROUP] [silently]",
	  "forget the keys, and tell the key server", cmd_leave },
	{ "reregister", "[GROUP]",
	  "register again now; the keys stay in use meanwhile",
	  cmd_reregister },
	{ "keys", "[GROUP]",
	  "Data-Security SAs ('subscribe keys [GROUP]' has their keys)",
	  cmd_keys },
	{ "used", "SPI nearly|up [GROUP]",
	  "the kilobytes of an SA that an application protects with",
	  gdoid_member_cmd_used },
	{ "proposals", NULL, "what is proposed in phase 1", cmd_proposals },
	{ NULL, NULL, NULL, NULL },
};
