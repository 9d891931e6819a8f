/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

/*
 * Two journals feed the store: gk_group's (members, keys, counters) and the
 * engine's own (policy token, Rekey Events).  A commit takes both, so that
 * every transaction is a state that the group was in.
 */
static enum gk_err
gather(struct gsakmp_group *g)
{
	if (g->in_flight == NULL)
		GK_TRY(gk_journal_new(g->cfg.group_id, &g->in_flight));
	if (g->data != NULL)
		GK_TRY(gk_journal_move(g->in_flight,
		                       gk_group_journal(g->data)));
	return gk_journal_move(g->in_flight, g->own);
}

static void
note_end(struct gsakmp_group *g, bool ok)
{
	g->owing = !ok;
	if (ok)
		g->retry_at = 0;
}

const struct gk_journal *
gsakmp_group_commit_begin(struct gsakmp_group *g, uint64_t ticket)
{
	const struct gk_journal *journal = NULL;

	pthread_mutex_lock(&g->lock);
	if (g->ticket_done < ticket && gather(g) == GK_OK) {
		g->ticket_taken = g->ticket_made;
		journal = g->in_flight;
	}
	pthread_mutex_unlock(&g->lock);
	return journal;
}

void
gsakmp_group_commit_end(struct gsakmp_group *g, bool ok)
{
	pthread_mutex_lock(&g->lock);
	/* What could not be stored stays in flight and goes first next time. */
	gsakmp_group_events_settle(g, g->ticket_taken, ok);
	note_end(g, ok);
	if (ok && g->in_flight != NULL) {
		gk_journal_free(g->in_flight);
		g->in_flight = NULL;
		g->ticket_done = g->ticket_taken;
	}
	pthread_mutex_unlock(&g->lock);
}

bool
gsakmp_group_commit_done(struct gsakmp_group *g, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(&g->lock);
	done = g->ticket_done >= ticket;
	if (!done) { /* begin() had no memory: what waits for it is not sent */
		gsakmp_group_events_settle(g, ticket, false);
		note_end(g, false);
	}
	pthread_mutex_unlock(&g->lock);
	return done;
}

bool
gsakmp_group_committed(struct gsakmp_group *g, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(&g->lock);
	done = g->ticket_done >= ticket;
	pthread_mutex_unlock(&g->lock);
	return done;
}

uint64_t
gsakmp_group_commit_wanted(struct gsakmp_group *g)
{
	uint64_t ticket = 0;

	pthread_mutex_lock(&g->lock);
	if (g->ticket_done < g->ticket_made)
		ticket = g->ticket_made;
	pthread_mutex_unlock(&g->lock);
	return ticket;
}

/* ---- again -------------------------------------------------------------- */

/*
 * What has changed stays changed, and is durable as soon as there is a disk for
 * it: not only when the next one asks, who may be long in coming.
 */
#define RETRY_MS 1000

uint64_t
gsakmp_group_retry_due(const struct gsakmp_group *g)
{
	return g->owing ? g->retry_at : GK_NEVER;
}

enum gk_err
gsakmp_group_retry(struct gsakmp_group *g, struct gk_now now)
{
	bool due = g->owing && g->retry_at != 0 && g->retry_at <= now.mono_ms;

	if (g->owing && (due || g->retry_at == 0))
		g->retry_at = now.mono_ms + RETRY_MS;
	if (due)
		GK_TRY(gsakmp_group_log_commit(g, &g->out,
		                               gsakmp_group_ticket(g)));
	return GK_OK;
}

uint64_t
gsakmp_group_ticket(struct gsakmp_group *g)
{
	return ++g->ticket_made;
}

enum gk_err
gsakmp_group_store(struct gsakmp_group *g, const char *table,
                   struct gk_slice key, struct gk_slice value)
{
	if (value.len == 0)
		return gk_journal_del(g->own, table, key);
	return gk_journal_put(g->own, table, key, value);
}

enum gk_err
gsakmp_group_log_commit(struct gsakmp_group *g, struct gsakmp_outputs *q,
                        uint64_t ticket)
{
	struct gsakmp_output *out = gsakmp_outputs_add(q, GSAKMP_OUT_COMMIT);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group = g;
	out->group_id = g->cfg.group_id;
	out->ticket = ticket;
	return gsakmp_outputs_own(q);
}
