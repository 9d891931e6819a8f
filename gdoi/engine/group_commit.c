/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group_state.h"

/*
 * Two journals feed the store: gk_group's (members, tree, counters) and the
 * engine's own (Rekey SAs, Data-Security SAs, PUSHes).  A commit takes both, so
 * that every transaction is a state that the group was in.
 */
static enum gk_err
gather(struct gdoi_group *g)
{
	if (g->in_flight == NULL)
		GK_TRY(gk_journal_new(gk_buf_slice(&g->scope), &g->in_flight));
	/* The engine's own rows first: a DROP among them is about all that
	 * was there before. */
	GK_TRY(gk_journal_move(g->in_flight, g->own));
	if (g->data == NULL)
		return GK_OK;
	return gk_journal_move(g->in_flight, gk_group_journal(g->data));
}

const struct gk_journal *
gdoi_group_commit_begin(struct gdoi_group *g, uint64_t ticket)
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
gdoi_group_commit_end(struct gdoi_group *g, bool ok)
{
	pthread_mutex_lock(&g->lock);
	/* What could not be stored stays in flight and goes first next time. */
	gdoi_events_settle(g, g->ticket_taken, ok);
	if (ok && g->in_flight != NULL) {
		gk_journal_free(g->in_flight);
		g->in_flight = NULL;
		g->ticket_done = g->ticket_taken;
	}
	pthread_mutex_unlock(&g->lock);
}

bool
gdoi_group_commit_done(struct gdoi_group *g, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(&g->lock);
	done = g->ticket_done >= ticket;
	if (!done) /* begin() had no memory: what waits for it is not sent */
		gdoi_events_settle(g, ticket, false);
	pthread_mutex_unlock(&g->lock);
	return done;
}

bool
gdoi_group_committed(struct gdoi_group *g, uint64_t ticket)
{
	bool done;

	pthread_mutex_lock(&g->lock);
	done = g->ticket_done >= ticket;
	pthread_mutex_unlock(&g->lock);
	return done;
}

uint64_t
gdoi_group_commit_wanted(struct gdoi_group *g)
{
	uint64_t ticket = 0;

	pthread_mutex_lock(&g->lock);
	if (g->ticket_done < g->ticket_made)
		ticket = g->ticket_made;
	pthread_mutex_unlock(&g->lock);
	return ticket;
}

uint64_t
gdoi_group_ticket(struct gdoi_group *g)
{
	return ++g->ticket_made;
}

enum gk_err
gdoi_group_store(struct gdoi_group *g, const char *table, struct gk_slice key,
                 struct gk_slice value)
{
	if (value.len == 0)
		return gk_journal_del(g->own, table, key);
	return gk_journal_put(g->own, table, key, value);
}

enum gk_err
gdoi_group_log_commit(struct gdoi_group *g, uint64_t ticket)
{
	struct gdoi_output *out = gdoi_outputs_add(&g->out, GDOI_OUT_COMMIT);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->of = g;
	out->group_id = gk_buf_slice(&g->id);
	out->ticket = ticket;
	return gdoi_outputs_own(&g->out);
}

enum gk_err
gdoi_out_peer(struct gdoi_group *g, enum gdoi_output_kind kind,
              struct gk_slice peer, uint32_t id, uint32_t sequence)
{
	struct gdoi_output *out = gdoi_outputs_add(&g->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	out->peer = peer;
	out->member_id = id;
	out->sequence = sequence;
	return gdoi_outputs_own(&g->out);
}

enum gk_err
gdoi_out_plain(struct gdoi_group *g, enum gdoi_output_kind kind,
               const char *text)
{
	struct gdoi_output *out = gdoi_outputs_add(&g->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	out->text = text;
	if (g->policy != NULL)
		out->edition = g->policy->edition;
	return gdoi_outputs_own(&g->out);
}
