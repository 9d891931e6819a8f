/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/daemon/gkd_log.h"

#define WORKERS_MAX 257 /* and one that works for the others */

struct worker {
	struct gkd_loop *loop;
	pthread_t thread;
	bool running;
};

struct gkd_pool {
	unsigned n;
	struct worker worker[];
};

struct gkd_pool *
gkd_pool_new(unsigned n)
{
	struct gkd_pool *pool;

	if (n == 0 || n > WORKERS_MAX)
		return NULL;
	pool = calloc(1, sizeof(*pool) + n * sizeof(pool->worker[0]));
	if (pool == NULL)
		return NULL;
	pool->n = n;
	for (unsigned i = 0; i < n; i++) {
		pool->worker[i].loop = gkd_loop_new();
		if (pool->worker[i].loop == NULL) {
			gkd_pool_free(pool);
			return NULL;
		}
	}
	return pool;
}

unsigned
gkd_pool_size(const struct gkd_pool *pool)
{
	return pool->n;
}

struct gkd_loop *
gkd_pool_loop(struct gkd_pool *pool, unsigned i)
{
	return pool->worker[i].loop;
}

static void *
run(void *arg)
{
	struct worker *worker = arg;

	if (gkd_loop_run(worker->loop) != GK_OK)
		gkd_log(LOG_ERR, "io", "a worker's loop failed: %m");
	return NULL;
}

enum gk_err
gkd_pool_start(struct gkd_pool *pool)
{
	sigset_t all, saved;
	enum gk_err err = GK_OK;

	/* Workers inherit a full mask: signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	for (unsigned i = 0; i < pool->n && err == GK_OK; i++) {
		struct worker *w = &pool->worker[i];
		char name[24]; /* the kernel keeps 15 */

		if (pthread_create(&w->thread, NULL, run, w) != 0) {
			err = GK_ERR_IO;
			break;
		}
		w->running = true;
		snprintf(name, sizeof(name), "worker-%u", i);
		name[15] = '\0';
		pthread_setname_np(w->thread, name);
	}
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	if (err != GK_OK)
		gkd_pool_stop(pool);
	return err;
}

void
gkd_pool_stop(struct gkd_pool *pool)
{
	for (unsigned i = 0; i < pool->n; i++)
		if (pool->worker[i].running)
			gkd_loop_stop(pool->worker[i].loop);
	for (unsigned i = 0; i < pool->n; i++) {
		if (!pool->worker[i].running)
			continue;
		pthread_join(pool->worker[i].thread, NULL);
		pool->worker[i].running = false;
	}
}

void
gkd_pool_free(struct gkd_pool *pool)
{
	if (pool == NULL)
		return;
	gkd_pool_stop(pool);
	for (unsigned i = 0; i < pool->n; i++)
		gkd_loop_free(pool->worker[i].loop);
	free(pool);
}
