/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_COMMITTER_H
#define GKD_COMMITTER_H

#include "common/daemon/gkd_commit.h"
#include "common/daemon/gkd_settle.h"

/*
 * DOC: the thread that commits for a key server's workers
 *
 * A worker that has something to commit asks for it and goes on with what needs
 * no commit.  All that is asked for until gkd_commit_due() is one commit; then
 * who has asked is told, and sends what waited.  After a commit the thread looks
 * once more by itself: so under load nobody has to wake it.  A worker that has more
 * to work through already asks when it is done with that, or twice the time is over
 * (gkd_commit_later()): one commit for all takes as long as one for a few.
 *
 * A commit that fails is left to the workers: they try once more, each its own
 * (gkd_commit()), and take back what was not stored.
 *
 * A disk may take its time, and what waits for it is in memory.  So a worker that
 * has GKD_BEHIND_MAX things waiting is not answered any more: it commits itself,
 * that is, it waits for the disk, and meanwhile the system keeps what comes, as
 * far as the sockets have room.
 *
 * The thread also folds the store's log, in slices between commits, and sees to it
 * that replaced keys leave the disk (gkd_settle.h).
 */
#define GKD_BEHIND_MAX 1024

/* The groups of a server; in the committing thread. */
struct gkd_committer_ops {
	/* Number @i, from 0; NULL: there are no more. */
	struct gk_commits *(*group)(void *arg, size_t i);
	/* Group @i was committed; NULL: nobody wants to know. */
	void (*committed)(void *arg, size_t i);
	void *arg;
};

struct gkd_committer {
	struct gkd_commit *commit;
	struct gkd_committer_ops ops;
	struct gkd_loop *loop;
	struct gkd_timer *timer; /* NULL: closed */
	struct gkd_settle *settle;
	pthread_mutex_t lock;              /* of what follows */
	struct gkd_asker *waiting, **last; /* in the order of asking */
	bool looks; /* its thread will see who waits, without being woken */
};

/* gkd_committer_open - it works in the thread of @loop, which does not run yet.
 * GK_ERR_NOMEM: to be closed all the same. */
GK_MUST_CHECK enum gk_err gkd_committer_open(
	struct gkd_committer *c, struct gkd_loop *loop,
	struct gkd_commit *commit, const struct gkd_committer_ops *ops);
/* gkd_committer_close - when no thread runs any more: from now on nobody is
 * answered.  What was not committed is for whoever closes the workers. */
void gkd_committer_close(struct gkd_committer *c);

/* A worker that asks; it outlives its loop and the committer's. */
struct gkd_asker {
	struct gkd_committer *committer;
	struct gkd_loop *loop; /* its own */
	/* In its thread: all is on the disk that was there when it asked
	 * (@committed), or it is to see to that itself. */
	void (*answered)(void *arg, bool committed);
	void *arg;
	/* Its own count of what waits; an answer ends that. */
	unsigned behind;
	/* ours: */
	atomic_bool asked; /* and not answered yet */
	uint64_t later_ms; /* it puts off asking since then; 0: it does not */
	bool committed;
	struct gkd_asker *next;
};

/* gkd_commit_ask - in the worker's thread.  False: nobody will answer, it is to
 * commit itself; and then nothing is behind. */
GK_MUST_CHECK bool gkd_commit_ask(struct gkd_asker *a);
/* gkd_commit_later - whoever has more to work through need not ask yet, and has it all
 * in one commit; it calls again when that is done, or after the next piece of it.
 * False when it has put that off for two gaps, or the last commit is as long ago, or
 * much is behind: it is to ask. */
bool gkd_commit_later(struct gkd_asker *a);

#endif /* GKD_COMMITTER_H */
