/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "common/daemon/gkd_search.h"
#include "gsakmp/daemon/server.h"

static struct gsakmpd_server *
server_of(void *state)
{
	struct gkd_daemon *d = state;

	return d->state;
}

/* The group that argument @i names, or the only one. */
static struct gsakmpd_group *
group_of(void *state, const json_t *request, size_t i, char why[256])
{
	const char *name = gkd_control_arg(request, i);
	struct gsakmpd_group *g = gsakmpd_group_find(server_of(state), name);

	if (g == NULL)
		gkd_no_group(name, why);
	return g;
}

static json_t *
done(struct gsakmpd_group *g, enum gk_err err, char why[256])
{
	struct gsakmp_group_status st;

	gsakmpd_group_drain(g);
	if (err == GK_OK && !g->server->commit.failed)
		return json_object();
	gsakmp_group_status(g->group, &st);
	if (err == GK_ERR_UNEXPECTED)
		snprintf(why, 256, "group '%.100s' is not open", g->name);
	else if (err == GK_ERR_POLICY && st.fixed_keys)
		snprintf(why, 256,
		         "the policy token of group '%.100s' names no rekey "
		         "method: its keys stay, and nobody can be locked out",
		         g->name);
	else
		snprintf(why, 256, "%s",
		         err != GK_OK ? gk_strerror(err)
		                      : "the store failed; nothing was sent");
	return NULL;
}

/* ---- looking ------------------------------------------------------------ */

static const char *
state_text(const struct gsakmp_group_status *st)
{
	return st->destroyed ? "destroyed"
	       : !st->open   ? "no token"
	       : st->paused  ? "suspended"
	                     : "open";
}

/* Whose signature makes a token of this group valid. */
static json_t *
owner_text(const struct gsakmpd_group *g)
{
	const struct gsakmp_party p = gsakmpd_group_party(g);
	struct gk_buf octets = { 0 };
	struct gk_identity id;
	char text[300] = "";
	json_t *o;

	if (p.go_id != NULL)
		gk_identity_print(text, sizeof(text), *p.go_id);
	else if (gk_identity_of_cert(p.go_cert, GK_ID_DN_STRING,
	                             GK_DN_COMPARE_RFC4514, &octets,
	                             &id) == GK_OK)
		gk_identity_print(text, sizeof(text), id);
	o = gkd_json_text(text);
	gk_buf_free(&octets);
	return o;
}

/* Members judged anew: the round under way, or what the last one came to. */
static json_t *
judged_status(const struct gsakmp_group_status *st)
{
	json_t *o = json_pack("{s:b}", "under_way", st->judging);

	gsakmpd_json_judged(o, &st->judged);
	return o;
}

static json_t *
group_status(struct gsakmpd_group *g)
{
	struct gsakmp_group_status st;
	char text[300];
	json_t *o;

	gsakmp_group_status(g->group, &st);
	o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "group",
	              g->name, "state", state_text(&st), "edition",
	              (json_int_t)st.edition, "members",
	              (json_int_t)st.n_members, "pending",
	              (json_int_t)st.n_pending, "overdue",
	              (json_int_t)st.n_overdue, "sequence",
	              (json_int_t)st.sequence, "rekeys", (json_int_t)st.rekeys);
	json_object_set_new(o, "oversize",
	                    json_integer((json_int_t)st.oversize));
	json_object_set_new(o, "operation",
	                    json_pack("{s:b, s:I, s:I, s:I}", "join_rekey",
	                              st.join_rekey, "join_window_ms",
	                              (json_int_t)st.join_window_ms,
	                              "message_max", (json_int_t)st.message_max,
	                              "skew_s", (json_int_t)st.skew_s));
	json_object_set_new(
		o, "role",
		json_string(g->upstream != NULL ? "subordinate" : "primary"));
	if (g->upstream != NULL) {
		json_object_set_new(o, "expelled",
		                    json_integer((json_int_t)st.n_expelled));
		json_object_set_new(o, "upstream", gsakmpd_upstream_status(g));
	}
	json_object_set_new(o, "tree", gkd_json_tree(&st.tree));
	json_object_set_new(o, "last_rekey", gkd_json_utc(st.last_rekey_utc));
	json_object_set_new(o, "next_rekey", gkd_json_utc(st.next_rekey_utc));
	json_object_set_new(o, "next_recheck", gkd_json_utc(st.recheck_utc));
	json_object_set_new(o, "judged", judged_status(&st));
	json_object_set_new(o, "mode",
	                    json_string(st.terse ? "terse" : "verbose"));
	if (st.lapsed != NULL)
		json_object_set_new(o, "token_lapsed",
		                    gkd_json_text(st.lapsed));
	gk_hex(text, sizeof(text), gk_buf_slice(&g->group_id));
	json_object_set_new(o, "group_id", json_string(text));
	json_object_set_new(o, "owner", owner_text(g));
	json_object_set_new(o, "receivers",
	                    json_integer((json_int_t)g->n_receivers));
	json_object_set_new(o, "gtpk_id", json_integer(st.gtpk.id));
	json_object_set_new(o, "gtpk_handle", json_integer(st.gtpk.handle));
	json_object_set_new(o, "gtpk_expires",
	                    gkd_json_utc(st.gtpk.expires_utc));
	return o;
}

/* Section 5.2.2: is a cookie wanted, and what did requests cost so far? */
static json_t *
cookie_status(struct gsakmpd_server *s)
{
	static const char *const modes[] = { "never", "auto", "always" };
	struct gsakmp_gcks_config *c = &s->engine_cfg;
	unsigned rate =
		c->cookie_rate != 0 ? c->cookie_rate : GSAKMP_COOKIE_RATE;
	bool on = c->cookies == GSAKMP_COOKIE_ALWAYS ||
	          (c->cookies == GSAKMP_COOKIE_AUTO &&
	           gsakmp_halfopen_full(c->halfopen, rate, gkd_now()));
	uint64_t begun, settled;

	gsakmp_halfopen_counts(c->halfopen, &begun, &settled);
	return json_pack("{s:s, s:b, s:I, s:I, s:I}", "mode", modes[c->cookies],
	                 "wanted", on, "rate", (json_int_t)rate,
	                 "registrations_begun", (json_int_t)begun,
	                 "registrations_acknowledged", (json_int_t)settled);
}

/* Datagrams that wait, and those that were never looked at. */
static json_t *
queue_status(struct gsakmpd_server *s)
{
	struct gkd_queue_sum sum = { 0 };

	for (unsigned i = 0; i < s->n_workers && s->workers != NULL; i++)
		gkd_queue_add(&sum, &s->workers[i].seen);
	return gkd_report_queue(&sum);
}

/* What all workers had to do with one address: datagrams, or messages by TCP. */
static json_t *
listen_status(const struct gsakmpd_server *s, unsigned i)
{
	struct gkd_udp_stats sum = { 0 };
	char text[GKD_ADDR_TEXT];

	for (unsigned k = 0; k < s->n_workers && s->workers != NULL; k++) {
		const struct gsakmpd_worker *w = &s->workers[k];

		if (w->udp[i] != NULL) {
			struct gkd_udp_stats one = gkd_udp_stats(w->udp[i]);

			sum.received += one.received;
			sum.sent += one.sent;
			sum.dropped += one.dropped;
		} else if (w->tcp[i] != NULL) {
			struct gkd_tcp_stats one = gkd_tcp_stats(w->tcp[i]);

			sum.received += one.received;
			sum.sent += one.sent;
			sum.dropped += one.dropped;
		}
	}
	return json_pack("{s:s, s:s, s:I, s:I, s:I}", "transport",
	                 s->listen[i].stream ? "tcp" : "udp", "address",
	                 gkd_addr_format(text, &s->listen[i].addr), "received",
	                 (json_int_t)sum.received, "sent", (json_int_t)sum.sent,
	                 "dropped", (json_int_t)sum.dropped);
}

json_t *
gsakmpd_server_status(struct gkd_daemon *d)
{
	struct gsakmpd_server *s = d->state;
	json_t *o = json_object(), *groups = json_array();
	json_t *listen = json_array();

	for (size_t i = 0; i < s->n_groups; i++)
		json_array_append_new(groups, group_status(&s->groups[i]));
	for (unsigned i = 0; i < s->n_listen; i++)
		json_array_append_new(listen, listen_status(s, i));
	json_object_set_new(o, "identity", gkd_json_text(s->party->own.name));
	json_object_set_new(o, "workers", json_integer(s->n_workers));
	json_object_set_new(o, "queue", queue_status(s));
	json_object_set_new(o, "store", gkd_json_text(s->store_path));
	json_object_set_new(o, "store_ok", json_boolean(!s->commit.failed));
	json_object_set_new(o, "public_key_operations",
	                    json_integer((json_int_t)gk_crypto_operations()));
	json_object_set_new(o, "cookies", cookie_status(s));
	json_object_set_new(o, "listen", listen);
	json_object_set_new(o, "bulletin", gsakmpd_bulletin_status(s));
	json_object_set_new(o, "groups", groups);
	return o;
}

struct members {
	const struct gsakmpd_group *group;
	json_t *list;
};

static void
add_member(void *ctx, const struct gsakmp_group_row *row)
{
	struct members *m = ctx;
	bool receiver = gsakmpd_receiver_find(m->group, row->peer) != NULL;

	json_array_append_new(m->list,
	                      json_pack("{s:o, s:s, s:I, s:b, s:o, s:o}",
	                                "peer", gkd_json_text(row->peer),
	                                "state", row->state, "member_id",
	                                (json_int_t)row->member_id,
	                                "receive_only", receiver, "joined",
	                                gkd_json_utc(row->joined_utc), "seen",
	                                gkd_json_utc(row->seen_utc)));
}

/* There may be a million of them: piece by piece, as they are read. */
#define MEMBERS_PIECE 256

struct listing {
	struct gsakmpd_group *group;
	size_t cursor;
};

static bool
next_members(void *ctx, json_t *list)
{
	struct listing *l = ctx;
	struct members m = { .group = l->group, .list = list };

	return gsakmp_group_members_next(l->group->group, &l->cursor,
	                                 MEMBERS_PIECE, add_member, &m);
}

static json_t *
cmd_members(void *state, const json_t *request, char why[256])
{
	struct gkd_daemon *d = state;
	struct gsakmpd_group *g = group_of(state, request, 0, why);
	struct gkd_pieces pieces = { .next = next_members, .done = free };
	struct listing *l;

	if (g == NULL)
		return NULL;
	l = pieces.ctx = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->group = g;
	return gkd_control_pieces(d->control, &pieces);
}

static json_t *
cmd_receivers(void *state, const json_t *request, char why[256])
{
	const struct gsakmpd_group *g = group_of(state, request, 0, why);

	return g == NULL ? NULL : gsakmpd_receivers_list(g);
}

static json_t *
cmd_keys(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 0, why);
	json_t *list;

	if (g == NULL)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < g->n_keys; i++) {
		json_t *o = gsakmpd_json_key(&g->keys[i]);

		json_object_set_new(o, "state",
		                    json_string(g->keys[i].receive_only
		                                        ? "old"
		                                        : "current"));
		json_array_append_new(list, o);
	}
	return list;
}

/* ---- doing -------------------------------------------------------------- */

static void
look_at_row(void *ctx, const struct gsakmp_group_row *row)
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

static json_t *
cmd_evict(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 1, why);
	struct gkd_search s;
	const char *peer = s.found;

	if (g == NULL || !gkd_search_start(&s, request, 0, why))
		return NULL;
	gsakmp_group_members(g->group, look_at_row, &s);
	if (!gkd_search_end(&s, "is no member", why))
		return NULL;
	return about(
		done(g, gsakmp_group_evict(g->group, &peer, 1, gkd_now()), why),
		"evicted", s.found);
}

static json_t *
cmd_readmit(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 1, why);
	struct gkd_search s;

	if (g == NULL || !gkd_search_start(&s, request, 0, why))
		return NULL;
	gsakmp_group_barred(g->group, gkd_search_look, &s);
	if (!gkd_search_end(&s, "was not evicted here", why))
		return NULL;
	return about(done(g, gsakmp_group_readmit(g->group, s.found), why),
	             "readmitted", s.found);
}

static json_t *
cmd_rekey(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 0, why);

	return g == NULL
	               ? NULL
	               : done(g, gsakmp_group_rekey(g->group, gkd_now()), why);
}

/* push [PEER] [GROUP]: "all" stands for every peer, before a group. */
static json_t *
cmd_push(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 1, why);
	const char *peer = gkd_control_arg(request, 0);

	if (g == NULL)
		return NULL;
	if (peer != NULL && strcmp(peer, "all") == 0)
		peer = NULL;
	return gsakmpd_receivers_push(g, peer, why);
}

static json_t *
cmd_destroy(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g;

	/* Never by default. */
	if (gkd_control_arg(request, 0) == NULL) {
		gkd_no_group(NULL, why);
		return NULL;
	}
	g = group_of(state, request, 0, why);
	if (g == NULL)
		return NULL;
	gsakmpd_group_untold(g, "its end");
	return done(g, gsakmp_group_destroy(g->group, gkd_now()), why);
}

static json_t *
cmd_token(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 0, why);
	struct gsakmp_group_status st;
	struct gkd_why text = { "" };

	if (g == NULL)
		return NULL;
	if (g->token.file == NULL) {
		snprintf(why, 256,
		         "tokens of group '%.100s' come from the %s by "
		         "themselves",
		         g->name,
		         g->upstream != NULL ? "primary" : "Group Owner");
		return NULL;
	}
	if (gsakmpd_token_read(g, true, &text) != GK_OK) {
		size_t len = strlen(text.text);

		/* The reason stands at the end, behind a path of any length. */
		snprintf(why, 256, "%s%.252s", len > 255 ? "..." : "",
		         text.text + (len > 255 ? len - 252 : 0));
		return NULL;
	}
	gsakmp_group_status(g->group, &st);
	return json_pack("{s:I}", "edition", (json_int_t)st.edition);
}

static json_t *
cmd_credentials(void *state, const json_t *request, char why[256])
{
	(void)request;
	(void)why;
	return gsakmpd_credentials_json(server_of(state)->party);
}

static json_t *
cmd_leave(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 0, why);

	if (g == NULL)
		return NULL;
	if (g->upstream == NULL) {
		snprintf(why, 256, "group '%.100s' has no primary to leave",
		         g->name);
		return NULL;
	}
	return done(g, gsakmpd_upstream_leave(g), why);
}

static json_t *
cmd_join(void *state, const json_t *request, char why[256])
{
	struct gsakmpd_group *g = group_of(state, request, 0, why);

	if (g == NULL)
		return NULL;
	if (g->upstream == NULL) {
		snprintf(why, 256, "group '%.100s' has no primary to join",
		         g->name);
		return NULL;
	}
	return done(g, gsakmpd_upstream_start(g), why);
}

const struct gkd_command gsakmpd_server_commands[] = {
	{ "credentials", NULL,
	  "what is sent in Certificate payloads, and what URLs have to give",
	  cmd_credentials },
	{ "members", "[GROUP]", "who is in, joining or overdue", cmd_members },
	{ "keys", "[GROUP]", "traffic keys by handle and lifetime", cmd_keys },
	{ "evict", "NAME [GROUP]", "new keys for all but this member",
	  cmd_evict },
	{ "readmit", "NAME [GROUP]", "let an evicted member ask again",
	  cmd_readmit },
	{ "receivers", "[GROUP]",
	  "members that only receive, and what they "
	  "were sent",
	  cmd_receivers },
	{ "push", "[PEER|all] [GROUP]", "keys to members that only receive",
	  cmd_push },
	{ "rekey", "[GROUP]", "new keys for all members", cmd_rekey },
	{ "leave", "[GROUP]", "a subordinate: leave the primary, serve nobody",
	  cmd_leave },
	{ "join", "[GROUP]", "a subordinate: register with the primary again",
	  cmd_join },
	{ "destroy", "GROUP", "end the group (Sequence ID 0xFFFFFFFF)",
	  cmd_destroy },
	{ "token", "[GROUP]", "read the token file again", cmd_token },
	{ NULL, NULL, NULL, NULL },
};
