/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group_state.h"

/*
 * Two journals feed the store: gk_group's (members, tree, counters) and the
 * engine's own (Rekey SAs, Data-Security SAs, PUSHes).  A commit takes both, so
 * that every transaction is a state that the group was in.
 */
static enum gk_err
gather(void *group, struct gk_journal *journal)
{
	struct gdoi_group *g = group;

	/* The engine's own rows first: a DROP among them is about all that
	 * was there before. */
	GK_TRY(gk_journal_move(journal, g->own));
	if (g->data == NULL)
		return GK_OK;
	return gk_journal_move(journal, gk_group_journal(g->data));
}

static void
settle(void *group, uint64_t ticket, bool ok)
{
	gdoi_events_settle(group, ticket, ok);
}

void
gdoi_group_commits_init(struct gdoi_group *g)
{
	static const struct gk_commits_ops ops = { gather, settle };

	g->commits = (struct gk_commits){ .ops = &ops,
		                          .group = g,
		                          .lock = &g->lock,
		                          .scope = gk_buf_slice(&g->scope) };
}

struct gk_commits *
gdoi_group_commits(struct gdoi_group *g)
{
	return &g->commits;
}

uint64_t
gdoi_group_ticket(struct gdoi_group *g)
{
	return gk_commits_ticket(&g->commits);
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
