/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_SETTLE_H
#define GKD_SETTLE_H

#include "common/daemon/gkd_loop.h"
#include "common/store/gk_store.h"

/*
 * DOC: gkd_settle - keys that were replaced leave the disk
 *
 * A store keeps old values for a while (gk_store.h).  Whoever takes the disk away
 * shall not find keys of long ago in a group where little happens, so every now and
 * then what was replaced since the last time is overwritten.
 */
struct gkd_settle;

#define GKD_SETTLE_MS 50000 /* and it may take its time: a minute at most */

/* gkd_settle_new - for a store that outlives it, each @ms; NULL when memory is
 * short.  It works in the thread of @loop. */
struct gkd_settle *gkd_settle_new(struct gkd_loop *loop, struct gk_store *store,
                                  uint64_t ms);
/*
 * gkd_settle_aside - it also folds the store's log, in slices between whatever else
 * happens in this thread, so that no commit has to (gk_store_aside()): when
 * gkd_settle_soon() is called and something is due, and otherwise within a second.
 * False: memory is short, and all is as before.
 */
GK_MUST_CHECK bool gkd_settle_aside(struct gkd_settle *settle,
                                    struct gkd_loop *loop);
void gkd_settle_soon(struct gkd_settle *settle);
void gkd_settle_free(struct gkd_settle *settle); /* NULL is fine */

#endif /* GKD_SETTLE_H */
