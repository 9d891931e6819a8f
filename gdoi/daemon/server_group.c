/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/server.h"

#define RESEND_SPACING_MS 1000 /* where the policy names none */

struct gdoid_group *
gdoid_group_find(struct gdoid_server *s, const char *name)
{
	if (name == NULL)
		return s->n_groups == 1 ? &s->groups[0] : NULL;
	for (size_t i = 0; i < s->n_groups; i++)
		if (strcmp(s->groups[i].name, name) == 0)
			return &s->groups[i];
	return NULL;
}

struct gdoid_group *
gdoid_group_by_id(struct gdoid_server *s, struct gk_slice id)
{
	for (size_t i = 0; i < s->n_groups; i++)
		if (gk_slice_equal(gk_buf_slice(&s->groups[i].id), id))
			return &s->groups[i];
	return NULL;
}

/* ---- GROUPKEY-PUSH and its repetition ------------------------------------- */

/* What the copies of a PUSH need to know. */
struct destination {
	struct gdoi_address to, from;
	bool unicast;
};

/* False when it did not leave: no interface, no buffer. */
static bool
send_out(void *arg, struct gk_slice octets, struct gk_slice dgram, bool again)
{
	struct gdoid_group *g = arg;
	struct gdoid_server *s = g->server;
	struct destination d;
	bool sent = true;

	memcpy(&d, octets.ptr, sizeof(d));
	/* A member that cannot be reached owes us an acknowledgement, and is
	 * seen by that; nothing waits for it here. */
	if (!d.unicast)
		sent = gdoid_cast(g, &d.to, &d.from, dgram);
	else if (s->workers != NULL)
		(void)gdoid_send(&s->workers[0], &d.to, &d.from, false, dgram);
	if (sent && again)
		gkd_counters_add(s->d->counters, "pushes resent", 1);
	if (sent)
		return true;
	gkd_report_unsent(s->d, g->name);
	return false;
}

static void
remember(struct gdoid_group *g, const struct gdoi_output *o,
         const struct gdoi_address *to)
{
	struct gdoid_push *p = &g->history[g->n_history++ % GDOID_HISTORY_MAX];

	*p = (struct gdoid_push){
		.utc = gkd_now().utc_s,
		.sequence = o->sequence,
		.octets = o->dgram.len,
		.copies = o->resend_count,
		.multicast = o->kind == GDOI_OUT_MULTICAST,
		.again = o->again,
		.to = *to,
	};
}

/* Where the Rekey SA has its PUSHes go.  The last one goes there, too, when the
 * group has none any more. */
static void
note_place(struct gdoid_group *g)
{
	struct gdoi_group_status st;

	gdoi_group_status(g->group, &st);
	if (!st.has_kek)
		return;
	g->cast_to = st.kek.dst;
	g->cast_from = st.kek.src;
}

static void
push(struct gdoid_group *g, const struct gdoi_output *o)
{
	struct destination d;

	memset(&d, 0, sizeof(d)); /* it is copied as octets */
	d.to = o->to;
	d.from = o->from;
	d.unicast = o->kind == GDOI_OUT_SEND;
	if (!d.unicast && d.to.ip_len == 0) {
		note_place(g);
		d.to = g->cast_to;
		d.from = g->cast_from;
	}
	remember(g, o, &d.to);
	if (o->again)
		gkd_counters_add(g->server->d->counters, "pushes resent", 1);
	gkd_resends_send(g->resends,
	                 (struct gk_slice){ (const uint8_t *)&d, sizeof(d) },
	                 o->dgram, o->resend_count,
	                 o->resend_spacing_ms != 0 ? o->resend_spacing_ms
	                                           : RESEND_SPACING_MS);
}

/* ---- what the group engine says ------------------------------------------ */

void
gdoid_group_drain(struct gdoid_group *g)
{
	struct gdoid_server *s = g->server;
	struct gdoi_output o;
	bool dropped = false;

	note_place(g);
	while (gdoi_group_poll(g->group, &o)) {
		/* What was not made durable did not happen. */
		if (dropped && o.kind != GDOI_OUT_REFUSED)
			continue;
		switch (o.kind) {
		case GDOI_OUT_COMMIT:
			dropped = gdoid_commit(s, g->group, o.ticket) != GK_OK;
			break;
		case GDOI_OUT_MULTICAST:
		case GDOI_OUT_SEND:
			push(g, &o);
			break;
		default:
			break;
		}
		gdoid_report(s->d, g->name, &o);
	}
	gkd_timer_set(g->timer, gdoi_group_deadline(g->group));
}

static void
on_timer(void *arg)
{
	struct gdoid_group *g = arg;

	(void)gdoi_group_tick(g->group, gkd_now());
	gdoid_group_drain(g);
}

/* ---- news from the workers ------------------------------------------------ */

static void
on_poke(void *arg)
{
	struct gdoid_group *g = arg;

	atomic_store(&g->poked, false);
	if (g->group == NULL)
		return; /* closed meanwhile */
	(void)gdoi_group_tick(g->group, gkd_now());
	gdoid_group_drain(g);
}

void
gdoid_group_poke(struct gdoid_group *g)
{
	if (atomic_exchange(&g->poked, true))
		return; /* somebody has, and it is still to come */
	if (gkd_loop_post(g->server->d->loop, on_poke, g) != GK_OK)
		atomic_store(&g->poked, false);
}

/* ---- opening and closing -------------------------------------------------- */

static enum gkd_exit
open_group(struct gdoid_group *g, struct gkd_why *why)
{
	struct gdoid_server *s = g->server;
	const struct gkd_resend_ops resending = { send_out, g };

	snprintf(why->text, sizeof(why->text), "out of memory");
	g->group = gdoi_group_new(&s->d->env, &g->cfg);
	g->timer = gkd_timer_new(s->d->loop, on_timer, g);
	g->resends = gkd_resends_new(s->d->loop, &resending);
	if (g->group == NULL || g->timer == NULL || g->resends == NULL ||
	    gdoid_lapse_open(g) != GK_OK)
		return GKD_EXIT_FAILURE;
	if (gdoid_store_load(g) == GK_OK)
		return GKD_EXIT_OK;
	snprintf(why->text, sizeof(why->text),
	         "store '%s': the rows of group '%s' do not fit together",
	         s->commit.path, g->name);
	return GKD_EXIT_STORE;
}

enum gkd_exit
gdoid_groups_open(struct gdoid_server *s, struct gkd_why *why)
{
	enum gkd_exit rc = GKD_EXIT_OK;

	for (size_t i = 0; i < s->n_groups && rc == GKD_EXIT_OK; i++)
		rc = open_group(&s->groups[i], why);
	return rc;
}

static void
close_group(struct gdoid_group *g)
{
	gdoid_policy_close(g);
	gkd_resends_free(g->resends);
	gdoid_lapse_close(g);
	gkd_timer_free(g->timer);
	gdoi_group_free(g->group);
	g->group = NULL;
	gk_signer_free(g->signer);
	gk_signer_free(g->signer_before);
	gk_certs_free(&g->signer_certs);
	gpt_owner_config_delete(g->owner);
	gk_buf_free(&g->id);
	gk_buf_free(&g->token_group);
}

void
gdoid_groups_close(struct gdoid_server *s)
{
	for (size_t i = 0; i < s->n_groups; i++)
		close_group(&s->groups[i]);
	/* Not the array: what the workers posted still points into it, and is
	 * called when the loop is freed. */
	s->n_groups = 0;
}
