/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"

static struct gsakmpd_membership *
membership_of(void *state)
{
	struct gkd_daemon *d = state;

	return d->state;
}

/* Who speaks, RFC 4535 section 4.1.5, and with which keys. */
static json_t *
speakers_of(const struct gsakmpd_membership *m,
            const struct gsakmp_gm_status *st)
{
	json_t *names = json_array();
	char name[300];

	if (st->edition < 0 && st->member_id == 0)
		return names;
	for (size_t i = 1; i <= st->n_speakers; i++)
		if (gsakmp_gm_speaker(m->engine, i, name, sizeof(name)))
			json_array_append_new(names, gkd_json_text(name));
	return json_pack("{s:s, s:b, s:I, s:o}", "who",
	                 gpt_speakers_name(st->speakers), "own_keys",
	                 (int)st->speaker_keys, "we", (json_int_t)st->speaker,
	                 "names", names);
}

/* Rekey Events that came before the Key Download. */
static json_t *
ahead_json(const struct gsakmp_gm_status *st)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "waiting",
	                 (json_int_t)st->ahead, "kept",
	                 (json_int_t)st->ahead_kept, "dropped",
	                 (json_int_t)st->ahead_dropped, "old",
	                 (json_int_t)st->ahead_old);
}

static json_t *
multicast_json(const struct gsakmpd_membership *m)
{
	struct gkd_udp_stats stats = gkd_mcast_stats(m->mcast);
	char text[GKD_ADDR_TEXT];

	return json_pack("{s:s, s:s, s:b, s:I, s:I}", "group",
	                 gkd_addr_format(text, &m->mcast_cfg.group),
	                 "interface", m->mcast_cfg.interface, "joined",
	                 gkd_mcast_joined(m->mcast), "received",
	                 (json_int_t)stats.received, "dropped",
	                 (json_int_t)stats.dropped);
}

json_t *
gsakmpd_membership_status(struct gkd_daemon *d)
{
	struct gsakmpd_membership *m = d->state;
	struct gsakmp_gm_status st;
	char text[GKD_ADDR_TEXT], name[300];
	json_t *o;

	gsakmp_gm_status(m->engine, &st);
	o = json_pack("{s:o, s:s, s:I, s:I, s:I, s:I}", "group",
	              gkd_json_text(m->name), "state",
	              gsakmp_gm_state_text(st.state), "member_id",
	              (json_int_t)st.member_id, "edition",
	              (json_int_t)st.edition, "sequence",
	              (json_int_t)st.sequence, "keks", (json_int_t)st.n_keks);
	json_object_set_new(o, "identity", gkd_json_text(m->party->own.name));
	json_object_set_new(
		o, "key_server",
		gkd_json_text(gk_text_print(name, sizeof(name), st.gcks)));
	json_object_set_new(
		o, "key_server_address",
		json_string(gkd_addr_format(text, &m->servers[m->server])));
	if (m->announced.elem != NULL)
		json_object_set_new(o, "announcement",
		                    gpt_announced_json(&m->announced));
	json_object_set_new(o, "transport",
	                    json_string(m->mixed    ? "udp-rtj-tcp-other"
	                                : m->stream ? "tcp"
	                                            : "udp"));
	json_object_set_new(o, "mode",
	                    json_string(st.terse ? "terse" : "verbose"));
	json_object_set_new(o, "may_send", json_boolean(st.may_send));
	json_object_set_new(o, "speakers", speakers_of(m, &st));
	json_object_set_new(o, "receive_only", json_boolean(st.receive_only));
	if (st.receive_only)
		json_object_set_new(o, "pushed", gkd_json_utc(st.pushed_utc));
	json_object_set_new(o, "rekey_due", gkd_json_utc(st.rekey_due_utc));
	json_object_set_new(o, "retry_due", gsakmpd_retry_json(m));
	/* the Sequence ID that is missing and sought; 0: none */
	json_object_set_new(o, "fetching", json_integer(st.fetching));
	json_object_set_new(o, "store",
	                    json_pack("{s:b, s:I}", "failing",
	                              (int)m->commit.failed, "waiting",
	                              (json_int_t)st.waiting));
	json_object_set_new(o, "ahead", ahead_json(&st));
	if (m->mcast != NULL)
		json_object_set_new(o, "multicast", multicast_json(m));
	json_object_set_new(o, "keys", gsakmpd_keys_list(m));
	return o;
}

static json_t *
done(struct gsakmpd_membership *m, enum gk_err err, const char *what,
     char why[256])
{
	struct gsakmp_gm_status st;

	gsakmpd_membership_drain(m);
	if (err == GK_OK)
		return json_object();
	gsakmp_gm_status(m->engine, &st);
	if (err == GK_ERR_UNEXPECTED)
		snprintf(why, 256, "cannot %s in state '%s'", what,
		         gsakmp_gm_state_text(st.state));
	else
		snprintf(why, 256, "%s", gsakmpd_join_fault(m, err));
	return NULL;
}

static json_t *
cmd_join(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_membership *m = membership_of(state);

	(void)request;
	return done(m, gsakmpd_membership_join(m), "join", why);
}

static json_t *
cmd_leave(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_membership *m = membership_of(state);
	const char *how = gkd_control_arg(request, 0);
	bool silent = how != NULL && strcmp(how, "silently") == 0;
	/* Who only receives has no other way to go. */
	bool notice = !silent && !m->cfg.receive_only;

	if (how != NULL && !silent) {
		snprintf(why, 256, "'%.100s' is not 'silently'", how);
		return NULL;
	}
	m->tried = 0; /* no other server is to be asked */
	gsakmpd_retry_want(m, false);
	return done(m, gsakmp_gm_leave(m->engine, notice, gkd_now()), "leave",
	            why);
}

static json_t *
cmd_keys(void *state, const json_t *request, char why[256])
{
	(void)request;
	(void)why;
	return gsakmpd_keys_list(membership_of(state));
}

static json_t *
cmd_credentials(void *state, const json_t *request, char why[256])
{
	(void)request;
	(void)why;
	return gsakmpd_credentials_json(membership_of(state)->party);
}

const struct gkd_command gsakmpd_membership_commands[] = {
	{ "credentials", NULL,
	  "what is sent in Certificate payloads, and what URLs have to give",
	  cmd_credentials },
	{ "join", NULL, "ask the key server for membership", cmd_join },
	{ "leave", "[silently]",
	  "de-register, or just forget the keys and be gone", cmd_leave },
	{ "keys", NULL,
	  "traffic keys by handle and lifetime ('subscribe keys' has octets)",
	  cmd_keys },
	{ NULL, NULL, NULL, NULL },
};
