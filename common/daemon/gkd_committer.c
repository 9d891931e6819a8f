/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_committer.h"

/* ---- in the worker's thread ---------------------------------------------- */

static void
on_answer(void *arg)
{
	struct gkd_asker *a = arg;
	bool committed = a->committed;

	if (a->committer->timer == NULL)
		return; /* closed meanwhile */
	a->behind = 0;
	atomic_store(&a->asked, false);
	a->answered(a->arg, committed);
}

static void on_ask(void *arg);

bool
gkd_commit_ask(struct gkd_asker *a)
{
	if (a->behind < GKD_BEHIND_MAX) {
		if (atomic_exchange(&a->asked, true))
			return true; /* and it is still to be answered */
		if (gkd_loop_post(a->committer->loop, on_ask, a) == GK_OK)
			return true;
		atomic_store(&a->asked, false);
	}
	a->behind = 0;
	return false;
}

/* ---- in the committing thread --------------------------------------------- */

static void
answer(struct gkd_committer *c, bool committed)
{
	struct gkd_asker *a = c->waiting, *next;

	c->waiting = NULL;
	c->last = &c->waiting;
	for (; a != NULL; a = next) {
		next = a->next;
		a->committed = committed;
		/* Without memory it asks again, with the next datagram. */
		if (gkd_loop_post(a->loop, on_answer, a) != GK_OK)
			atomic_store(&a->asked, false);
	}
}

static void
on_due(void *arg)
{
	struct gkd_committer *c = arg;
	struct gk_commits *group;
	bool ok = true;

	c->armed = false;
	for (size_t i = 0; (group = c->ops.group(c->ops.arg, i)) != NULL; i++) {
		uint64_t ticket = gk_commits_wanted(group);

		if (ticket == 0)
			continue;
		if (gkd_commit(c->commit, group, ticket) != GK_OK)
			ok = false;
		else if (c->ops.committed != NULL)
			c->ops.committed(c->ops.arg, i);
	}
	answer(c, ok);
	gkd_settle_soon(c->settle);
}

static void
on_ask(void *arg)
{
	struct gkd_asker *a = arg;
	struct gkd_committer *c = a->committer;

	if (c->timer == NULL)
		return; /* closed meanwhile */
	a->next = NULL;
	*c->last = a;
	c->last = &a->next;
	if (c->armed)
		return;
	c->armed = true;
	gkd_timer_set(c->timer, gkd_commit_due(c->commit));
}

enum gk_err
gkd_committer_open(struct gkd_committer *c, struct gkd_loop *loop,
                   struct gkd_commit *commit,
                   const struct gkd_committer_ops *ops)
{
	*c = (struct gkd_committer){ .commit = commit,
		                     .ops = *ops,
		                     .loop = loop };
	c->last = &c->waiting;
	c->timer = gkd_timer_new(loop, on_due, c);
	c->settle = gkd_settle_new(loop, commit->store, GKD_SETTLE_MS);
	if (c->timer == NULL || c->settle == NULL ||
	    !gkd_settle_aside(c->settle, loop))
		return GK_ERR_NOMEM;
	return GK_OK;
}

void
gkd_committer_close(struct gkd_committer *c)
{
	gkd_settle_free(c->settle);
	c->settle = NULL;
	gkd_timer_free(c->timer);
	c->timer = NULL;
}
