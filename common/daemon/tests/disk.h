/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_DAEMON_TESTS_DISK_H
#define COMMON_DAEMON_TESTS_DISK_H

#include "common/test/gk_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "common/daemon/gkd_loop.h"
#include "common/store/gk_store.h"

/*
 * DOC: what stands under the committing thread, as a test wants it
 *
 * A disk that hangs or fails when told to, messages between threads that get lost,
 * and loops that say when they end: the linker wraps gk_store_apply() and
 * gkd_loop_post(), _stop() and _run().  For one test program.
 */
#define WAIT_S 60 /* for what is about to happen */

/* ---- the disk ------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hangs;
	unsigned fails;         /* so many commits to come */
	const char *fails_for;  /* scope; NULL: whatever it is */
	unsigned begun, stored; /* commits */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .changed = PTHREAD_COND_INITIALIZER };

enum gk_err __real_gk_store_apply(struct gk_store *store,
                                  const struct gk_journal *journal);
enum gk_err __wrap_gk_store_apply(struct gk_store *store,
                                  const struct gk_journal *journal);

static bool
is_for(const struct gk_journal *journal, const char *scope)
{
	struct gk_slice is = gk_journal_scope(journal);

	return scope == NULL ||
	       (is.len == strlen(scope) && memcmp(is.ptr, scope, is.len) == 0);
}

enum gk_err
__wrap_gk_store_apply(struct gk_store *store, const struct gk_journal *journal)
{
	enum gk_err err = GK_ERR_IO;
	bool fails;

	pthread_mutex_lock(&disk.lock);
	disk.begun++;
	pthread_cond_broadcast(&disk.changed);
	while (disk.hangs)
		pthread_cond_wait(&disk.changed, &disk.lock);
	fails = disk.fails != 0 && is_for(journal, disk.fails_for);
	if (fails)
		disk.fails--;
	pthread_mutex_unlock(&disk.lock);
	if (!fails)
		err = __real_gk_store_apply(store, journal);
	pthread_mutex_lock(&disk.lock);
	disk.stored += err == GK_OK;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
	return err;
}

static void
disk_set(bool hangs, unsigned fails, const char *fails_for)
{
	pthread_mutex_lock(&disk.lock);
	disk.hangs = hangs;
	disk.fails = fails;
	disk.fails_for = fails_for;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

/* Everything that is counted here is guarded by its lock, and waited for. */
static void
await(const unsigned *count, unsigned n)
{
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&disk.lock);
	while (*count < n && rc == 0)
		rc = pthread_cond_timedwait(&disk.changed, &disk.lock, &end);
	pthread_mutex_unlock(&disk.lock);
	assert_int_equal(rc, 0);
}

static void
count(unsigned *what)
{
	pthread_mutex_lock(&disk.lock);
	++*what;
	pthread_cond_broadcast(&disk.changed);
	pthread_mutex_unlock(&disk.lock);
}

static unsigned
seen(const unsigned *what)
{
	unsigned n;

	pthread_mutex_lock(&disk.lock);
	n = *what;
	pthread_mutex_unlock(&disk.lock);
	return n;
}

/* ---- want of memory, for a message to another thread ---------------------- */

static atomic_uint lost_posts; /* so many to come */
static struct gkd_loop *_Atomic watched;
static atomic_uint woken; /* times that something was posted to it */

enum gk_err __real_gkd_loop_post(struct gkd_loop *loop, void (*fn)(void *arg),
                                 void *arg);
enum gk_err __wrap_gkd_loop_post(struct gkd_loop *loop, void (*fn)(void *arg),
                                 void *arg);

enum gk_err
__wrap_gkd_loop_post(struct gkd_loop *loop, void (*fn)(void *arg), void *arg)
{
	if (atomic_load(&lost_posts) != 0) {
		atomic_fetch_sub(&lost_posts, 1);
		return GK_ERR_NOMEM;
	}
	if (loop == atomic_load(&watched))
		atomic_fetch_add(&woken, 1);
	return __real_gkd_loop_post(loop, fn, arg);
}

/* ---- the end ---------------------------------------------------------------- */

static unsigned stops, ends; /* loops that were told to end, and that have */

enum gk_err __real_gkd_loop_run(struct gkd_loop *loop);
enum gk_err __wrap_gkd_loop_run(struct gkd_loop *loop);
void __real_gkd_loop_stop(struct gkd_loop *loop);
void __wrap_gkd_loop_stop(struct gkd_loop *loop);

void
__wrap_gkd_loop_stop(struct gkd_loop *loop)
{
	__real_gkd_loop_stop(loop);
	count(&stops);
}

enum gk_err
__wrap_gkd_loop_run(struct gkd_loop *loop)
{
	enum gk_err err = __real_gkd_loop_run(loop);

	count(&ends);
	return err;
}

#endif /* COMMON_DAEMON_TESTS_DISK_H */
