/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/server.h"
#include "gsakmp/payload/header.h"

#define RESEND_SPACING_MS 1000 /* where the policy names none */

struct gsakmpd_group *
gsakmpd_group_find(struct gsakmpd_server *s, const char *name)
{
	if (name == NULL)
		return s->n_groups == 1 ? &s->groups[0] : NULL;
	for (size_t i = 0; i < s->n_groups; i++)
		if (strcmp(s->groups[i].name, name) == 0)
			return &s->groups[i];
	return NULL;
}

struct gsakmpd_group *
gsakmpd_group_by_id(struct gsakmpd_server *s, struct gk_slice group_id)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (gk_slice_equal(gk_buf_slice(&s->groups[i].group_id),
		                   group_id))
			return &s->groups[i];
	return NULL;
}

/* ---- multicast and its repetition ---------------------------------------- */

/* False when it did not leave: no interface, no buffer. */
static bool
cast(void *arg, struct gk_slice octets, struct gk_slice dgram, bool again)
{
	struct gsakmpd_group *g = arg;
	struct gsakmp_endpoint to;
	bool push, sent = true;

	memcpy(&to, octets.ptr, sizeof(to));
	push = to.ip_len != 0;
	if (!push)
		sent = gkd_mcast_send(g->mcast, dgram) == GK_OK;
	else if (g->server->workers != NULL)
		gsakmpd_worker_send(&g->server->workers[0], &to, dgram);
	if (sent && again)
		gkd_counters_add(g->server->d->counters,
		                 push ? "pushes resent" : "rekey events resent",
		                 1);
	if (sent)
		return true;
	gkd_report_unsent(g->server->d, g->name);
	return false;
}

/* To the group, or to one member: once, and again as often as it says. */
static void
send_out(struct gsakmpd_group *g, const struct gsakmp_output *o)
{
	const struct gsakmp_endpoint group = { 0 };
	const struct gsakmp_endpoint *to =
		o->kind == GSAKMP_OUT_MULTICAST ? &group : &o->to;

	if (o->dgram.len > gsakmp_group_message_max(g->group))
		gkd_log_about(LOG_WARNING, "wire",
		              &(struct gkd_about){ .group = g->name },
		              "Rekey Event %u has %zu octets, more than the "
		              "%zu wanted: it cannot be split further",
		              o->sequence, o->dgram.len,
		              gsakmp_group_message_max(g->group));
	/* Nothing follows the end of a group but its own copies. */
	if (o->sequence == GSAKMP_SEQUENCE_DESTROY)
		gkd_resends_drop(g->resends);
	gkd_resends_send(g->resends,
	                 (struct gk_slice){ (const uint8_t *)to, sizeof(*to) },
	                 o->dgram, o->resend_count,
	                 o->resend_spacing_ms != 0 ? o->resend_spacing_ms
	                                           : RESEND_SPACING_MS);
}

/* ---- what the group engine says ------------------------------------------ */

static void
note_key(struct gsakmpd_group *g, const struct gsakmp_output *o)
{
	size_t i;

	for (i = 0; i < g->n_keys; i++)
		if (g->keys[i].id == o->key.id &&
		    g->keys[i].handle == o->key.handle)
			break;
	if (o->kind == GSAKMP_OUT_KEY_WIPE) {
		if (i < g->n_keys)
			g->keys[i] = g->keys[--g->n_keys];
		return;
	}
	if (i == g->n_keys) {
		if (i == GK_COUNT(g->keys)) /* the oldest is forgotten */
			memmove(g->keys, g->keys + 1, --i * sizeof(g->keys[0]));
		g->n_keys = i + 1;
	}
	g->keys[i] = o->key;
	g->keys[i].octets = (struct gk_slice){ 0 };
	/* One version of a key is current: what it follows is old. */
	for (size_t n = 0; n < g->n_keys && !o->key.receive_only; n++)
		if (n != i && g->keys[n].id == o->key.id)
			g->keys[n].receive_only = true;
}

void
gsakmpd_group_drain(struct gsakmpd_group *g)
{
	struct gsakmpd_server *s = g->server;
	struct gsakmp_output o;
	bool failed = false;

	/* After a commit that failed another would not be about more, and Rekey
	 * Events come again, the earlier one first. */
	while (gsakmp_group_poll(g->group, &o)) {
		if (failed && gsakmp_output_waits(&o))
			continue;
		switch (o.kind) {
		case GSAKMP_OUT_COMMIT:
			failed = failed ||
			         gsakmpd_server_commit(s, g->group, o.ticket) !=
			                 GK_OK;
			break;
		case GSAKMP_OUT_POST:
			gsakmpd_bulletin_post(g, &o);
			break;
		case GSAKMP_OUT_MULTICAST:
		case GSAKMP_OUT_SEND:
			send_out(g, &o);
			break;
		case GSAKMP_OUT_TOKEN:
			gsakmpd_group_untold(g, "the new policy token");
			gsakmpd_receivers_begin(g);
			break;
		case GSAKMP_OUT_KEY_INSTALL:
		case GSAKMP_OUT_KEY_WIPE:
			note_key(g, &o);
			break;
		default:
			break;
		}
		gsakmpd_report(s->d, g->name, &o);
	}
	gkd_timer_set(g->timer, gsakmp_group_deadline(g->group));
	gsakmpd_upstream_poke(g);
}

static void
on_timer(void *arg)
{
	struct gsakmpd_group *g = arg;

	(void)gsakmp_group_tick(g->group, gkd_now());
	gsakmpd_group_drain(g);
}

/* ---- news from the workers ------------------------------------------------ */

static void
on_poke(void *arg)
{
	struct gsakmpd_server *s = arg;

	/* After the groups are closed there are none to be found. */
	for (size_t i = 0; i < s->n_groups; i++) {
		struct gsakmpd_group *g = &s->groups[i];

		/* Before the look at what is new: what comes later pokes. */
		if (!atomic_exchange(&g->poked, false))
			continue;
		(void)gsakmp_group_tick(g->group, gkd_now());
		gsakmpd_group_drain(g);
	}
}

void
gsakmpd_group_poke(struct gsakmpd_server *s, const struct gsakmp_group *group)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		struct gsakmpd_group *g = &s->groups[i];

		if (g->group != group || atomic_exchange(&g->poked, true))
			continue;
		if (gkd_loop_post(s->d->loop, on_poke, s) != GK_OK)
			atomic_store(&g->poked, false);
	}
}

/* ---- opening and closing -------------------------------------------------- */

static void
on_link(void *arg, enum gkd_link state)
{
	struct gsakmpd_group *g = arg;

	if (state == GKD_LINK_UP)
		gkd_resends_hurry(g->resends);
	gkd_events_emit(g->server->d->events,
	                state == GKD_LINK_UP ? "interface-up"
	                                     : "interface-gone",
	                json_pack("{s:s, s:s}", "group", g->name, "interface",
	                          g->mcast_cfg.interface));
}

static enum gkd_exit
not_loaded(const struct gsakmpd_group *g, struct gkd_why *why)
{
	const char *token = gsakmp_group_load_why(g->group);
	unsigned found, wanted;

	if (gsakmp_group_load_layout(g->group, &found, &wanted)) {
		snprintf(why->text, sizeof(why->text),
		         "store '%s': written by another version: the members "
		         "of group '%s' have records of layout %u, this "
		         "program reads layout %u",
		         g->server->commit.path, g->name, found, wanted);
		return GKD_EXIT_STORE;
	}
	if (*token != '\0') {
		snprintf(why->text, sizeof(why->text), "group '%s': %s",
		         g->name, token);
		return GKD_EXIT_POLICY;
	}
	snprintf(why->text, sizeof(why->text),
	         "store '%s': the rows of group '%s' do not fit together",
	         g->server->commit.path, g->name);
	return GKD_EXIT_STORE;
}

static void
tell_lapse(const struct gsakmpd_group *g, const char *why)
{
	gkd_log(LOG_WARNING, "fsm",
	        "group %s: its policy token would not be accepted today: %s; "
	        "nobody can join until the Group Owner sends another",
	        g->name, why);
	gkd_events_emit(g->server->d->events, "token-lapsed",
	                json_pack("{s:s, s:o}", "group", g->name, "reason",
	                          gkd_json_text(why)));
}

void
gsakmpd_group_untold(const struct gsakmpd_group *g, const char *what)
{
	struct gsakmp_group_status st;

	gsakmp_group_status(g->group, &st);
	if (st.untold && st.n_members != 0)
		gkd_log(LOG_WARNING, "fsm",
		        "group %s: its policy token has no rekey protocol: its "
		        "%zu members cannot be told of %s",
		        g->name, st.n_members, what);
}

#define LOOK_AGAIN_S 60 /* what the signer's certificate does not say when */

/* RFC4534-2-08 holds for whoever gets the token today: a candidate would refuse
 * it, and be waited for in vain.  Its signer's certificate says when it ends;
 * what becomes of the authorities above it is found out within a minute. */
static void
recheck_later(struct gsakmpd_group *g, const struct gsakmp_group_status *st)
{
	struct gk_now now = gkd_now();
	uint64_t wait_s = LOOK_AGAIN_S;

	if (st->open && st->signer_until >= now.utc_s &&
	    st->signer_until - now.utc_s < LOOK_AGAIN_S)
		wait_s = (uint64_t)(st->signer_until - now.utc_s) + 1;
	gkd_timer_set(g->lapse_timer, now.mono_ms + 1000 * wait_s);
}

void
gsakmpd_group_watch_token(struct gsakmpd_group *g)
{
	struct gsakmp_group_status status;

	gsakmp_group_status(g->group, &status);
	recheck_later(g, &status);
}

static void
on_lapse_timer(void *arg)
{
	gsakmpd_group_recheck(arg);
}

void
gsakmpd_group_recheck(struct gsakmpd_group *g)
{
	struct gsakmp_group_status before, after;
	enum gk_err err;

	gsakmp_group_status(g->group, &before);
	err = gsakmp_group_token_recheck(g->group, gkd_now());
	if (err != GK_OK)
		gkd_log(LOG_ERR, "fsm", "group %s: its policy token: %s",
		        g->name, gk_strerror(err));
	gsakmp_group_status(g->group, &after);
	if (after.lapsed != NULL && before.lapsed == NULL)
		tell_lapse(g, after.lapsed);
	else if (after.lapsed == NULL && before.lapsed != NULL)
		gkd_log(LOG_NOTICE, "fsm",
		        "group %s: its policy token is good again", g->name);
	recheck_later(g, &after);
}

static enum gkd_exit
open_group(struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gsakmpd_server *s = g->server;
	const struct gkd_mcast_ops ops = { .link = on_link, .arg = g };
	const struct gkd_resend_ops resending = { cast, g };
	struct gsakmp_group_status status;

	snprintf(why->text, sizeof(why->text), "out of memory");
	g->cfg.rows = gsakmpd_store_rows(s);
	g->group = gsakmp_group_new(&s->d->env, &g->cfg);
	g->timer = gkd_timer_new(s->d->loop, on_timer, g);
	g->lapse_timer = gkd_timer_new(s->d->loop, on_lapse_timer, g);
	g->resends = gkd_resends_new(s->d->loop, &resending);
	if (g->group == NULL || g->timer == NULL || g->lapse_timer == NULL ||
	    g->resends == NULL || gsakmpd_receivers_open(g) != GKD_EXIT_OK)
		return GKD_EXIT_FAILURE;
	if (gsakmpd_store_load(g) != GK_OK)
		return not_loaded(g, why);
	if (gkd_mcast_open(&g->mcast, s->d->loop, &g->mcast_cfg, &ops) !=
	    GK_OK) {
		gkd_config_fail(s->d->config,
		                gkd_elem_child(g->elem, "multicast"), why,
		                "interface '%s': %s", g->mcast_cfg.interface,
		                strerror(errno));
		return GKD_EXIT_NETWORK;
	}
	if (g->upstream != NULL) {
		enum gkd_exit rc = gsakmpd_upstream_open(g, why);

		if (rc != GKD_EXIT_OK)
			return rc;
	}
	gsakmp_group_status(g->group, &status);
	if (status.open)
		gkd_log(LOG_NOTICE, "fsm",
		        "group %s goes on: %zu members, Sequence ID %u",
		        g->name, status.n_members, status.sequence);
	if (status.lapsed != NULL)
		tell_lapse(g, status.lapsed);
	recheck_later(g, &status);
	return GKD_EXIT_OK;
}

enum gkd_exit
gsakmpd_groups_open(struct gsakmpd_server *s, struct gkd_why *why)
{
	enum gkd_exit rc = GKD_EXIT_OK;

	for (size_t i = 0; i < s->n_groups && rc == GKD_EXIT_OK; i++)
		rc = open_group(&s->groups[i], why);
	return rc;
}

static void
close_group(struct gsakmpd_group *g)
{
	gsakmpd_token_close(g);
	gsakmpd_upstream_close(g);
	gsakmpd_receivers_close(g);
	gkd_resends_free(g->resends);
	gkd_timer_free(g->timer);
	gkd_timer_free(g->lapse_timer);
	gkd_mcast_close(g->mcast);
	gsakmp_group_free(g->group);
	gpt_owner_config_delete(g->go);
	gk_buf_free(&g->group_id);
}

void
gsakmpd_groups_close(struct gsakmpd_server *s)
{
	for (size_t i = 0; i < s->n_groups; i++)
		close_group(&s->groups[i]);
	free(s->groups);
	s->groups = NULL;
	s->n_groups = 0;
}
