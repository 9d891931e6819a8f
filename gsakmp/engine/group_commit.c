/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

/*
 * Two journals feed the store: gk_group's (members, keys, counters) and the
 * engine's own (policy token, Rekey Events).  A commit takes both, so that
 * every transaction is a state that the group was in.
 */
static enum gk_err
gather(void *group, struct gk_journal *journal)
{
	struct gsakmp_group *g = group;

	if (g->data != NULL)
		GK_TRY(gk_journal_move(journal, gk_group_journal(g->data)));
	return gk_journal_move(journal, g->own);
}

static void
settle(void *group, uint64_t ticket, bool ok)
{
	gsakmp_group_events_settle(group, ticket, ok);
}

void
gsakmp_group_commits_init(struct gsakmp_group *g)
{
	static const struct gk_commits_ops ops = { gather, settle };

	g->commits = (struct gk_commits){ .ops = &ops,
		                          .group = g,
		                          .lock = &g->lock,
		                          .scope = g->cfg.group_id };
}

struct gk_commits *
gsakmp_group_commits(struct gsakmp_group *g)
{
	return &g->commits;
}

enum gk_err
gsakmp_group_retry(struct gsakmp_group *g, struct gk_now now)
{
	if (!gk_commits_retry(&g->commits, now))
		return GK_OK;
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

uint64_t
gsakmp_group_ticket(struct gsakmp_group *g)
{
	return gk_commits_ticket(&g->commits);
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
