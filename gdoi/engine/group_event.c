/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_state.h"

/*
 * PUSHes on their way: sign, store, send.
 *
 * A PUSH is signed without the lock.  It is sealed once; what goes out again, by
 * policy or after a restart, are the same octets.
 */
#define EVENTS_KEPT 64 /* that were sent, for acknowledgements */

void
gdoi_event_free(struct gdoi_event *e)
{
	if (e == NULL)
		return;
	gk_buf_free(&e->octets);
	free(e->to);
	free(e);
}

void
gdoi_event_append(struct gdoi_group *g, struct gdoi_event *e)
{
	if (g->last_event == NULL)
		g->first_event = e;
	else
		g->last_event->next = e;
	g->last_event = e;
}

void
gdoi_events_free(struct gdoi_group *g)
{
	struct gdoi_event *e;

	while ((e = g->first_event) != NULL) {
		g->first_event = e->next;
		gdoi_event_free(e);
	}
	g->last_event = NULL;
}

/* Sent, and nobody can acknowledge it any more. */
static bool
is_over(const struct gdoi_event *e)
{
	return e->state == GDOI_EVENT_SENT && e->ack_by == GK_NEVER;
}

static size_t
count(const struct gdoi_group *g)
{
	size_t n = 0;

	for (const struct gdoi_event *e = g->first_event; e; e = e->next)
		n++;
	return n;
}

static uint32_t
unsent(const struct gdoi_group *g)
{
	for (const struct gdoi_event *e = g->first_event; e; e = e->next)
		if (e->state != GDOI_EVENT_SENT)
			return e->number;
	return g->pushes + 1;
}

/* A rekey takes the place of those before it.  What was asked to be acknowledged
 * stays until that has been judged, within limits. */
enum gk_err
gdoi_events_forget(struct gdoi_group *g, struct gk_now now)
{
	size_t n = count(g);

	(void)now;
	while (g->first_event != NULL &&
	       (is_over(g->first_event) ||
	        (n > EVENTS_KEPT &&
	         g->first_event->state == GDOI_EVENT_SENT))) {
		struct gdoi_event *e = g->first_event;

		GK_TRY(gdoi_row_delete(g, GDOI_TABLE_PUSH, e->number));
		g->first_event = e->next;
		if (e->next == NULL)
			g->last_event = NULL;
		gdoi_event_free(e);
		n--;
	}
	g->resend_from = unsent(g);
	return GK_OK;
}

/* ---- sealing ------------------------------------------------------------- */

/* What sealing needs, copied: the lock is not held meanwhile. */
struct sealing {
	struct gdoi_kek kek;
	struct gk_signer *signer;
	struct gk_buf key;
};

static enum gk_err
sealing_begin(struct gdoi_group *g, const struct gdoi_event *e,
              struct sealing *s)
{
	const struct gdoi_rekey_sa *kek;
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&g->lock);
	kek = gdoi_kek_find(g, e->kek);
	if (kek != NULL)
		err = gk_buf_copy(&s->key, gk_buf_slice(&kek->key));
	if (err == GK_OK) {
		size_t iv;

		gdoi_kek_push(g, kek, &s->kek);
		s->signer = gdoi_kek_signer(g, kek);
		iv = s->kek.iv.len;
		s->kek.iv.ptr = s->key.ptr;
		s->kek.key.ptr = s->key.ptr + iv;
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

static enum gk_err
sealing_end(struct gdoi_group *g, struct gdoi_event *e, const struct sealing *s,
            struct gk_buf *dgram)
{
	struct gdoi_rekey_sa *kek = gdoi_kek_find(g, e->kek);

	gk_buf_free(&e->octets);
	e->octets = *dgram;
	*dgram = (struct gk_buf){ 0 };
	e->sealed = true;
	GK_TRY(gdoi_event_save(g, e));
	if (kek == NULL || g->dialect.push_iv != GDOI_PUSH_IV_CHAINED)
		return GK_OK;
	memcpy(kek->chained, s->kek.chained, sizeof(kek->chained));
	kek->has_chained = s->kek.has_chained;
	return gdoi_kek_save(g, kek);
}

static enum gk_err
seal(struct gdoi_group *g, struct gdoi_event *e)
{
	struct sealing s = { .key = { 0 } };
	struct gk_buf dgram = { 0 };
	enum gk_err err;

	if (e->sealed)
		return GK_OK;
	err = sealing_begin(g, e, &s);
	if (err == GK_OK)
		err = gdoi_push_seal(g->env, &g->dialect, &s.kek, s.signer,
		                     e->first, gk_buf_slice(&e->octets),
		                     &dgram);
	if (err == GK_OK) {
		pthread_mutex_lock(&g->lock);
		err = sealing_end(g, e, &s, &dgram);
		pthread_mutex_unlock(&g->lock);
	}
	gk_buf_free(&dgram);
	gk_buf_free(&s.key);
	gk_wipe(&s, sizeof(s));
	return err;
}

/* ---- sending ------------------------------------------------------------- */

static enum gk_err
out_one(struct gdoi_group *g, const struct gdoi_event *e,
        enum gdoi_output_kind kind, const struct gdoi_address *to)
{
	const struct gdoi_rekey_sa *kek = gdoi_kek_find(g, e->kek);
	struct gdoi_output *out = gdoi_outputs_add(&g->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	if (kind == GDOI_OUT_MULTICAST && kek != NULL) {
		struct gdoi_kek_info info;

		/* Who has this KEK listens where its SAK says. */
		gdoi_kek_info(kek, &info);
		out->to = info.dst;
		out->from = info.src;
	}
	if (kind == GDOI_OUT_MESSAGE)
		out->octets = e->octets.len;
	else
		out->dgram = gk_buf_slice(&e->octets);
	out->exchange = ISAKMP_EXCHANGE_GROUPKEY_PUSH;
	out->sequence = e->sequence;
	if (to != NULL)
		out->to = *to;
	if (kind != GDOI_OUT_MESSAGE) {
		out->again = e->again;
		out->resend_count = e->resend;
		out->resend_spacing_ms = e->spacing_ms;
	}
	return gdoi_outputs_own(&g->out);
}

static enum gk_err
out_rekeyed(struct gdoi_group *g, const struct gdoi_event *e)
{
	const struct gdoi_rekey_sa *kek = gdoi_kek_find(g, e->kek);
	struct gdoi_output *out = gdoi_outputs_add(
		&g->out, e->again ? GDOI_OUT_SENT_AGAIN : GDOI_OUT_REKEYED);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	out->sequence = e->sequence;
	if (e->again)
		out->text = "a PUSH of before the restart";
	if (kek != NULL)
		gdoi_kek_info(kek, &out->kek);
	return gdoi_outputs_own(&g->out);
}

static enum gk_err
send(struct gdoi_group *g, struct gdoi_event *e, uint64_t ticket,
     struct gk_now now)
{
	if (e->to == NULL)
		GK_TRY(out_one(g, e, GDOI_OUT_MULTICAST, NULL));
	for (size_t i = 0; i < e->n_to; i++)
		GK_TRY(out_one(g, e, GDOI_OUT_SEND, &e->to[i]));
	GK_TRY(out_one(g, e, GDOI_OUT_MESSAGE, NULL));
	GK_TRY(out_rekeyed(g, e));
	e->state = GDOI_EVENT_FLYING;
	e->ticket = ticket;
	if (e->ack != 0)
		e->ack_by = now.mono_ms + g->cfg.ack_wait_ms +
		            (uint64_t)e->resend * e->spacing_ms;
	g->n_pushes += !e->again;
	return GK_OK;
}

static enum gk_err
send_all(struct gdoi_group *g, struct gk_now now)
{
	uint64_t ticket = 0;

	for (struct gdoi_event *e = g->first_event; e != NULL; e = e->next) {
		if (e->state != GDOI_EVENT_QUEUED || !e->sealed)
			continue;
		if (ticket == 0) {
			ticket = gdoi_group_ticket(g);
			GK_TRY(gdoi_group_log_commit(g, ticket));
		}
		GK_TRY(send(g, e, ticket, now));
	}
	if (ticket == 0 && g->commit_owed)
		GK_TRY(gdoi_group_log_commit(g, gdoi_group_ticket(g)));
	g->commit_owed = false;
	g->hold = false;
	g->flushed_at = now.mono_ms;
	return GK_OK;
}

enum gk_err
gdoi_group_flush(struct gdoi_group *g, struct gk_now now)
{
	enum gk_err err;

	/* The list is this thread's. */
	for (struct gdoi_event *e = g->first_event; e != NULL; e = e->next)
		if (e->state == GDOI_EVENT_QUEUED)
			GK_TRY(seal(g, e));
	pthread_mutex_lock(&g->lock);
	err = send_all(g, now);
	pthread_mutex_unlock(&g->lock);
	return err;
}

void
gdoi_events_settle(struct gdoi_group *g, uint64_t ticket, bool ok)
{
	for (struct gdoi_event *e = g->first_event; e != NULL; e = e->next) {
		if (e->state != GDOI_EVENT_FLYING || e->ticket > ticket)
			continue;
		e->state = ok ? GDOI_EVENT_SENT : GDOI_EVENT_QUEUED;
		g->hold |= !ok;
	}
}
