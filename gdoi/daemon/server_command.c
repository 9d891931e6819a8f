/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/daemon/gkd_search.h"
#include "gdoi/daemon/server.h"
#include "gdoi/daemon/tek_json.h"

static struct gdoid_server *
server_of(void *state)
{
	struct gkd_daemon *d = state;

	return d->state;
}

static struct gdoid_group *
find(void *state, const char *word, char why[256])
{
	const char *name = gdoid_group_word(word);
	struct gdoid_group *g = gdoid_group_find(server_of(state), name);

	if (g == NULL)
		gkd_no_group(name, why);
	return g;
}

/* The group that argument @i names, or the only one. */
static struct gdoid_group *
group_of(void *state, const json_t *request, size_t i, char why[256])
{
	return find(state, gkd_control_arg(request, i), why);
}

static json_t *
done(struct gdoid_group *g, enum gk_err err, char why[256])
{
	gdoid_group_drain(g);
	if (err == GK_OK && !g->server->commit.failed)
		return json_object();
	if (err == GK_ERR_UNEXPECTED)
		snprintf(why, 256, "group '%.100s' is not open", g->name);
	else if (err == GK_ERR_POLICY)
		snprintf(why, 256,
		         "the policy of group '%.100s' has no rekey: its keys "
		         "change when members register again",
		         g->name);
	else
		snprintf(why, 256, "%s",
		         err != GK_OK ? gk_strerror(err)
		                      : "the store failed; nothing was sent");
	return NULL;
}

/* ---- looking ------------------------------------------------------------ */

static void
add_member(void *ctx, const struct gdoi_group_row *row)
{
	char text[GKD_ADDR_TEXT];
	const char *address = gdoid_address_text(text, &row->address);
	json_t *o = json_pack(
		"{s:o, s:s, s:I, s:i, s:o, s:o, s:I, s:I}", "peer",
		gkd_json_text(row->peer), "state", row->state, "member_id",
		(json_int_t)row->member_id, "lkh_id", (int)row->lkh_id,
		"joined", gkd_json_utc(row->joined_utc), "seen",
		gkd_json_utc(row->seen_utc), "acked", (json_int_t)row->acked,
		"missed", (json_int_t)row->missed);

	json_object_set_new(o, "address",
	                    address != NULL ? json_string(address)
	                                    : json_null());
	json_array_append_new(ctx, o);
}

static json_t *
cmd_members(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 0, why);
	json_t *list;

	if (g == NULL)
		return NULL;
	list = json_array();
	gdoi_group_members(g->group, add_member, list);
	return list;
}

static void
add_barred(void *ctx, const char *peer)
{
	json_array_append_new(ctx, gkd_json_text(peer));
}

static json_t *
cmd_barred(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 0, why);
	json_t *list;

	if (g == NULL)
		return NULL;
	list = json_array();
	gdoi_group_barred(g->group, add_barred, list);
	return list;
}

static void
add_tek(void *ctx, const struct gdoi_tek *tek)
{
	json_array_append_new(ctx, gdoid_json_tek(tek, false));
}

static json_t *
cmd_teks(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 0, why);
	json_t *list;

	if (g == NULL)
		return NULL;
	list = json_array();
	gdoi_group_teks(g->group, add_tek, list);
	return list;
}

static json_t *
cmd_history(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 0, why);
	char text[GKD_ADDR_TEXT];
	json_t *list;
	size_t n;

	if (g == NULL)
		return NULL;
	list = json_array();
	n = g->n_history < GDOID_HISTORY_MAX ? g->n_history : GDOID_HISTORY_MAX;
	for (size_t i = 0; i < n; i++) {
		const struct gdoid_push *p =
			&g->history[(g->n_history - 1 - i) % GDOID_HISTORY_MAX];
		const char *to = gdoid_address_text(text, &p->to);

		json_array_append_new(
			list, json_pack("{s:o, s:I, s:I, s:I, s:s, s:s, s:b}",
		                        "at", gkd_json_utc(p->utc), "sequence",
		                        (json_int_t)p->sequence, "octets",
		                        (json_int_t)p->octets, "copies",
		                        (json_int_t)p->copies, "way",
		                        p->multicast ? "multicast" : "unicast",
		                        "to", to != NULL ? to : "?", "again",
		                        (int)p->again));
	}
	return list;
}

/* ---- doing -------------------------------------------------------------- */

static void
look_at_row(void *ctx, const struct gdoi_group_row *row)
{
	gkd_search_look(ctx, row->peer);
}

/* A value in a name was enough: say whose it was. */
static json_t *
about(json_t *answer, const char *what, const char *name)
{
	if (answer != NULL)
		json_object_set_new(answer, what, gkd_json_text(name));
	return answer;
}

/* evict NAME [now] [GROUP] */
static json_t *
cmd_evict(void *state, const json_t *request, char why[256])
{
	const char *word = gkd_control_arg(request, 1);
	/* Here "now" is no group, not even where one has that name. */
	bool at_once = word != NULL && strcmp(word, "now") == 0;
	enum gk_err (*evict)(struct gdoi_group *, const char *const *, size_t,
	                     struct gk_now) =
		at_once ? gdoi_group_evict_now : gdoi_group_evict;
	struct gdoid_group *g = group_of(state, request, at_once ? 2 : 1, why);
	struct gkd_search s;
	const char *peer = s.found;

	word = gkd_control_arg(request, at_once ? 3 : 2);
	if (g != NULL && word != NULL)
		snprintf(why, 256, "what is '%.100s'?", word);
	if (g == NULL || word != NULL || !gkd_search_start(&s, request, 0, why))
		return NULL;
	gdoi_group_members(g->group, look_at_row, &s);
	if (!gkd_search_end(&s, "is no member", why))
		return NULL;
	return about(done(g, evict(g->group, &peer, 1, gkd_now()), why),
	             "evicted", s.found);
}

static json_t *
cmd_readmit(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 1, why);
	struct gkd_search s;

	if (g == NULL || !gkd_search_start(&s, request, 0, why))
		return NULL;
	gdoi_group_barred(g->group, gkd_search_look, &s);
	if (!gkd_search_end(&s, "was not evicted here", why))
		return NULL;
	return about(done(g, gdoi_group_readmit(g->group, s.found), why),
	             "readmitted", s.found);
}

/* rekey [tek|kek|all] [now] [GROUP] */
static json_t *
cmd_rekey(void *state, const json_t *request, char why[256])
{
	static const struct {
		const char *word;
		unsigned what;
	} words[] = {
		{ "tek", GDOI_REKEY_TEK },
		{ "kek", GDOI_REKEY_KEK },
		{ "all", GDOI_REKEY_ALL },
		{ "now", GDOI_REKEY_NOW },
	};
	const char *name = NULL, *arg;
	struct gdoid_group *g;
	unsigned what = 0;

	for (size_t i = 0; (arg = gkd_control_arg(request, i)) != NULL; i++) {
		size_t k = 0;

		while (k < GK_COUNT(words) && strcmp(words[k].word, arg) != 0)
			k++;
		if (k < GK_COUNT(words)) {
			what |= words[k].what;
		} else if (name == NULL) {
			name = arg;
		} else {
			snprintf(why, 256, "what is '%.100s'?", arg);
			return NULL;
		}
	}
	g = find(state, name, why);
	if (g == NULL)
		return NULL;
	if ((what & GDOI_REKEY_ALL) == 0)
		what |= GDOI_REKEY_ALL;
	return done(g, gdoi_group_rekey(g->group, what, gkd_now()), why);
}

/* Never by default. */
static struct gdoid_group *
named(void *state, const json_t *request, char why[256])
{
	if (gkd_control_arg(request, 0) != NULL)
		return group_of(state, request, 0, why);
	gkd_no_group(NULL, why);
	return NULL;
}

static json_t *
cmd_delete_all(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = named(state, request, why);

	return g == NULL ? NULL
	                 : done(g, gdoi_group_delete_all(g->group, gkd_now()),
	                        why);
}

static json_t *
cmd_destroy(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = named(state, request, why);

	return g == NULL
	               ? NULL
	               : done(g, gdoi_group_destroy(g->group, gkd_now()), why);
}

static json_t *
cmd_policy(void *state, const json_t *request, char why[256])
{
	struct gdoid_group *g = group_of(state, request, 0, why);
	struct gdoi_group_status st;
	struct gkd_why text = { "" };

	if (g == NULL)
		return NULL;
	if (g->policy_file == NULL && g->token.file == NULL) {
		snprintf(why, 256,
		         "tokens of group '%.100s' come from the Group Owner "
		         "by themselves",
		         g->name);
		return NULL;
	}
	if (gdoid_policy_read(g, true, &text) != GK_OK) {
		snprintf(why, 256, "%.255s", text.text);
		return NULL;
	}
	gdoi_group_status(g->group, &st);
	return json_pack("{s:I}", "edition", (json_int_t)st.edition);
}

const struct gkd_command gdoid_server_commands[] = {
	{ "members", "[GROUP]", "who is registered, and what it acknowledged",
	  cmd_members },
	{ "barred", "[GROUP]", "who was evicted and may not come back",
	  cmd_barred },
	{ "teks", "[GROUP]", "Data-Security SAs by SPI, state and lifetime",
	  cmd_teks },
	{ "history", "[GROUP]", "the last GROUPKEY-PUSH messages, newest first",
	  cmd_history },
	{ "evict", "NAME [now] [GROUP]",
	  "new keys for all but this member; now: without rollover",
	  cmd_evict },
	{ "readmit", "NAME [GROUP]", "let an evicted member register again",
	  cmd_readmit },
	{ "rekey", "[tek|kek|all] [now] [GROUP]",
	  "new keys for all members; now: the old ones are deleted at once",
	  cmd_rekey },
	{ "delete-all", "GROUP",
	  "delete all SAs: everybody has to register again", cmd_delete_all },
	{ "destroy", "GROUP", "delete all SAs and end the group", cmd_destroy },
	{ "policy", "[GROUP]", "read the policy or token file again",
	  cmd_policy },
	{ NULL, NULL, NULL, NULL },
};
