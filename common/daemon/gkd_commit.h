/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_COMMIT_H
#define GKD_COMMIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/daemon/gkd_config.h"
#include "common/daemon/gkd_events.h"
#include "common/group/gk_commits.h"
#include "common/store/gk_store.h"

/*
 * DOC: gkd_commit - a daemon's store, and what is told of it
 *
 * A member commits the journals of its engine: gkd_commit_journal().  The threads of
 * a key server share theirs.  All commits go through one mutex, and whoever comes first writes for those who
 * wait at it: the group that is asked gives all that has happened in it.  Who has
 * something else to do lets a commit wait until gkd_commit_due(): the first one
 * goes at once, and those after it go together.  What
 * failed is logged and told as an event ("store-failed"), once a second as long as it
 * does, and that it works again ("store-recovered").
 */
struct gkd_commit {
	const char *path;
	struct gk_store *store;
	struct gkd_events *events;
	pthread_mutex_t lock;
	atomic_bool failed;     /* the last commit */
	atomic_ullong told_ms;  /* when that was told */
	atomic_ullong ended_ms; /* the last one that wrote; 0: none */
	int64_t seen_utc; /* the time that the store has seen; 0: not kept */
	int64_t back_s;   /* gkd_commit_clock() */
};

#define GKD_COMMIT_TABLE_CLOCK "clock"

/* Between two commits, for those that can wait. */
#define GKD_COMMIT_GAP_MS 20

/* gkd_commit_open - the file at @path; of @kind, @app, @role, @version and @oldest
 * are taken (gk_store.h).  A sentence in @why on error. */
GK_MUST_CHECK enum gk_err gkd_commit_open(struct gkd_commit *c,
                                          const char *path,
                                          const struct gk_store_config *kind,
                                          struct gkd_events *events,
                                          struct gkd_why *why);
/*
 * gkd_commit_clock - has the clock been put back while nobody looked?  The store
 * keeps the time, as it was with a commit of the last minute or at an orderly end.
 * If it is later than now, that is said, and @c->back_s is by how many seconds: the
 * lives of keys must not be longer by that.  GK_ERR_POLICY with @why: `store/@clock-back`
 * says "refuse".  Otherwise the time is kept from then on.
 */
GK_MUST_CHECK enum gk_err gkd_commit_clock(struct gkd_commit *c,
                                           const struct gkd_config *config,
                                           struct gkd_why *why);
/* gkd_commit_clock_taken - what follows from @c->back_s is in the store.  Not before
 * that is the earlier time kept: a start that comes to nothing, or a crash, must not
 * be the last that has heard of it. */
void gkd_commit_clock_taken(struct gkd_commit *c);
void gkd_commit_close(struct gkd_commit *c);

/* gkd_commit - what the output of @group with this @ticket waits for.  GK_OK: it is on the
 * disk.  From any thread. */
GK_MUST_CHECK enum gk_err gkd_commit(struct gkd_commit *c,
                                     struct gk_commits *group, uint64_t ticket);
/* gkd_commit_due - when a commit had best be, monotonic: now, or a moment after
 * the last one.  From any thread. */
uint64_t gkd_commit_due(const struct gkd_commit *c);
/* gkd_commit_journal - @journal by itself.  From any thread. */
GK_MUST_CHECK enum gk_err gkd_commit_journal(struct gkd_commit *c,
                                             const struct gk_journal *journal);

#endif /* GKD_COMMIT_H */
