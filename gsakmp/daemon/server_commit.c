/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/server.h"

/*
 * The thread that commits.
 *
 * A worker that has something to commit asks for it and goes on with what needs
 * no commit.  All that is asked for until gkd_commit_due() is one commit; then
 * who has asked is told, and sends what waited.
 *
 * A commit that fails is left to the workers: they try once more, each its own,
 * and take back what was not stored.
 */
static void
on_committed(void *arg)
{
	struct gsakmpd_worker *w = arg;

	atomic_store(&w->asked, false);
	gsakmpd_worker_committed(w, true);
}

static void
on_failed(void *arg)
{
	struct gsakmpd_worker *w = arg;

	atomic_store(&w->asked, false);
	gsakmpd_worker_committed(w, false);
}

static void
answer(struct gsakmpd_server *s, bool ok)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct gsakmpd_worker *w = &s->workers[i];

		if (!w->waiting)
			continue;
		w->waiting = false;
		/* Without memory it asks again, with the next datagram. */
		if (gkd_loop_post(w->loop, ok ? on_committed : on_failed, w) !=
		    GK_OK)
			atomic_store(&w->asked, false);
	}
}

static void
on_due(void *arg)
{
	struct gsakmpd_server *s = arg;
	bool ok = true;

	s->committer.armed = false;
	for (size_t i = 0; i < s->n_groups; i++) {
		struct gsakmpd_group *g = &s->groups[i];
		uint64_t ticket = gsakmp_group_commit_wanted(g->group);

		if (ticket == 0)
			continue;
		if (gsakmpd_server_commit(s, g->group, ticket) != GK_OK)
			ok = false;
	}
	answer(s, ok);
}

static void
on_ask(void *arg)
{
	struct gsakmpd_worker *w = arg;
	struct gsakmpd_server *s = w->server;

	if (s->committer.timer == NULL)
		return; /* closed meanwhile */
	w->waiting = true;
	if (s->committer.armed)
		return;
	s->committer.armed = true;
	gkd_timer_set(s->committer.timer, gkd_commit_due(&s->commit));
}

bool
gsakmpd_commit_ask(struct gsakmpd_worker *w)
{
	if (atomic_exchange(&w->asked, true))
		return true; /* and it is still to be answered */
	if (gkd_loop_post(w->server->committer.loop, on_ask, w) == GK_OK)
		return true;
	atomic_store(&w->asked, false);
	return false;
}

enum gk_err
gsakmpd_committer_open(struct gsakmpd_server *s, struct gkd_loop *loop)
{
	s->committer.loop = loop;
	s->committer.timer = gkd_timer_new(loop, on_due, s);
	s->committer.settle =
		gkd_settle_new(loop, s->commit.store, GKD_SETTLE_MS);
	if (s->committer.timer == NULL || s->committer.settle == NULL)
		return GK_ERR_NOMEM;
	return GK_OK;
}

void
gsakmpd_committer_close(struct gsakmpd_server *s)
{
	gkd_settle_free(s->committer.settle);
	s->committer.settle = NULL;
	gkd_timer_free(s->committer.timer);
	s->committer.timer = NULL;
}
