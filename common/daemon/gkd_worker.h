/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_WORKER_H
#define GKD_WORKER_H

#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_pool - worker threads, each with a loop of its own
 *
 * The owner makes the pool, puts sockets and timers on the workers' loops while
 * they stand still, and starts them.  From then on a worker's things are
 * touched only in its thread: reach it with gkd_loop_post().  Signals stay with
 * the main thread.
 */
struct gkd_pool;

/* gkd_pool_new - @n workers, 1..257; NULL when memory is short. */
struct gkd_pool *gkd_pool_new(unsigned n);
unsigned gkd_pool_size(const struct gkd_pool *pool);
struct gkd_loop *gkd_pool_loop(struct gkd_pool *pool, unsigned i);
GK_MUST_CHECK enum gk_err gkd_pool_start(struct gkd_pool *pool);
/* gkd_pool_stop - stop the loops and wait for the threads; sockets may then be
 * closed by the caller. */
void gkd_pool_stop(struct gkd_pool *pool);
void gkd_pool_free(struct gkd_pool *pool);

#endif /* GKD_WORKER_H */
