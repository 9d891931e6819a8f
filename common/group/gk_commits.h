/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_COMMITS_H
#define GK_COMMITS_H

#include <pthread.h>

#include "common/base/gk_env.h"
#include "common/group/gk_journal.h"

/*
 * DOC: commits - a group's changes on their way to the disk
 *
 * A group writes every change to its journals in the order in which it happens,
 * whichever thread made it, and whoever has made some gets a ticket that stands
 * for all up to now.  A datagram that depends on them leaves after
 *
 *     lock(store)
 *     j = gk_commits_begin(commits, ticket)
 *     if (j != NULL)     // NULL: another thread has just done it
 *             ok = gk_store_apply(store, j)
 *             gk_commits_end(commits, ok)
 *     else
 *             ok = gk_commits_done(commits, ticket)
 *     unlock(store)
 *
 * so commits of several threads merge, and none can overtake another.  What could
 * not be stored stays in flight and goes first next time.
 *
 * What has changed stays changed, and is durable as soon as there is a disk for
 * it: not only when the next one asks, who may be long in coming.  So after a
 * commit that failed the group's own thread makes another, each second.
 */
#define GK_COMMITS_RETRY_MS 1000

/* What the group does for it, both with its lock held. */
struct gk_commits_ops {
	/* Move everything that has changed to the end of @journal. */
	enum gk_err (*gather)(void *group, struct gk_journal *journal);
	/* The store has answered for all tickets up to @ticket. */
	void (*settle)(void *group, uint64_t ticket, bool ok);
};

struct gk_commits {
	const struct gk_commits_ops *ops;
	void *group;
	pthread_mutex_t *lock; /* the group's; guards what follows */
	struct gk_slice scope; /* of its rows; the group's */
	struct gk_journal *in_flight;
	uint64_t made, taken, done; /* tickets */
	bool owing;        /* the last commit failed: it is tried again ... */
	uint64_t retry_at; /* ... then; 0: that is not settled yet */
};

void gk_commits_free(struct gk_commits *c);

/* ---- in the group, which holds its lock ---------------------------------- */

/* gk_commits_ticket - names all changes up to now. */
uint64_t gk_commits_ticket(struct gk_commits *c);
/* gk_commits_retry_due - when gk_commits_retry() is to be called, monotonic. */
uint64_t gk_commits_retry_due(const struct gk_commits *c);
/* gk_commits_retry - is a commit to be made, as the last one failed?  To be called
 * whenever the group is told the time. */
bool gk_commits_retry(struct gk_commits *c, struct gk_now now);

/* ---- from any thread, which does not hold it ----------------------------- */

/* gk_commits_begin - what has to be on the disk for @ticket; the caller has the
 * store to itself, and calls gk_commits_end(). */
const struct gk_journal *gk_commits_begin(struct gk_commits *c,
                                          uint64_t ticket);
void gk_commits_end(struct gk_commits *c, bool ok);
/* gk_commits_done - whether the changes up to @ticket are durable; to be asked
 * when begin() gave no journal, which can also be want of memory. */
bool gk_commits_done(struct gk_commits *c, uint64_t ticket);
/* gk_commits_committed - is it on the disk?  Changes nothing. */
bool gk_commits_committed(struct gk_commits *c, uint64_t ticket);
/* gk_commits_wanted - the newest ticket that is not; 0: there is none. */
uint64_t gk_commits_wanted(struct gk_commits *c);

#endif /* GK_COMMITS_H */
