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

/* Who comes while the thread is about to look anyway need not wake it. */
static bool
enlist(struct gkd_committer *c, struct gkd_asker *a)
{
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = c->looks || gkd_loop_post(c->loop, on_ask, c) == GK_OK;
	if (ok) {
		c->looks = true;
		a->next = NULL;
		*c->last = a;
		c->last = &a->next;
	}
	pthread_mutex_unlock(&c->lock);
	return ok;
}

bool
gkd_commit_ask(struct gkd_asker *a)
{
	a->later_ms = 0;
	if (a->behind < GKD_BEHIND_MAX) {
		if (atomic_exchange(&a->asked, true))
			return true; /* and it is still to be answered */
		if (enlist(a->committer, a))
			return true;
		atomic_store(&a->asked, false);
	}
	a->behind = 0;
	return false;
}

bool
gkd_commit_later(struct gkd_asker *a)
{
	uint64_t now = gkd_now().mono_ms;

	if (a->later_ms == 0)
		a->later_ms = now;
	/* The last commit may be of another group, and one of those follow the
	 * other: so by its own time, too. */
	return a->behind < GKD_BEHIND_MAX &&
	       now < a->later_ms + 2 * GKD_COMMIT_GAP_MS &&
	       now < gkd_commit_due(a->committer->commit) + GKD_COMMIT_GAP_MS;
}

/* ---- in the committing thread --------------------------------------------- */

/* All who have asked so far; NULL: nobody has, and the next one has to wake this
 * thread. */
static struct gkd_asker *
take_waiting(struct gkd_committer *c)
{
	struct gkd_asker *a;

	pthread_mutex_lock(&c->lock);
	a = c->waiting;
	c->waiting = NULL;
	c->last = &c->waiting;
	c->looks = a != NULL;
	pthread_mutex_unlock(&c->lock);
	return a;
}

static void
answer(struct gkd_asker *a, bool committed)
{
	struct gkd_asker *next;

	for (; a != NULL; a = next) {
		next = a->next;
		a->committed = committed;
		/* Without memory it asks again, with the next datagram. */
		if (gkd_loop_post(a->loop, on_answer, a) != GK_OK)
			atomic_store(&a->asked, false);
	}
}

static bool
commit_all(struct gkd_committer *c)
{
	struct gk_commits *group;
	bool ok = true;

	for (size_t i = 0; (group = c->ops.group(c->ops.arg, i)) != NULL; i++) {
		uint64_t ticket = gk_commits_wanted(group);

		if (ticket == 0)
			continue;
		if (gkd_commit(c->commit, group, ticket) != GK_OK)
			ok = false;
		else if (c->ops.committed != NULL)
			c->ops.committed(c->ops.arg, i);
	}
	return ok;
}

static void
on_due(void *arg)
{
	struct gkd_committer *c = arg;
	struct gkd_asker *askers = take_waiting(c);

	if (askers == NULL)
		return;
	answer(askers, commit_all(c));
	gkd_settle_soon(c->settle);
	/* Where one came, more do: it looks again without being told. */
	gkd_timer_set(c->timer, gkd_commit_due(c->commit));
}

static void
on_ask(void *arg)
{
	struct gkd_committer *c = arg;

	if (c->timer != NULL) /* else it was closed meanwhile */
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
	pthread_mutex_init(&c->lock, NULL);
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
