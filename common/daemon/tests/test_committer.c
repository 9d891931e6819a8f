/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon/gkd_committer.h"
#include "common/daemon/gkd_worker.h"
#include "common/daemon/tests/disk.h"
#include "common/test/gk_folder.h"

/*
 * The committing thread by itself: threads, loops and the store are the real ones,
 * the disk hangs or fails when told to (gk_store_apply() is wrapped), and workers
 * and groups do no more than change something and ask.
 */
#define GROUPS 2
#define WORKERS 2

/* ---- the groups ----------------------------------------------------------- */

static const char *const scopes[GROUPS] = { "one", "two" };

struct group {
	pthread_mutex_t lock;
	struct gk_journal *own;
	struct gk_commits commits;
	unsigned rows;
	uint64_t settled, refused; /* tickets, by the store's answer */
	unsigned told;             /* times that it was committed */
};

static enum gk_err
gather(void *group, struct gk_journal *journal)
{
	struct group *g = group;

	return gk_journal_move(journal, g->own);
}

static void
settle(void *group, uint64_t ticket, bool ok)
{
	struct group *g = group;

	*(ok ? &g->settled : &g->refused) = ticket;
}

static const struct gk_commits_ops group_ops = { gather, settle };

/* A new row. */
static uint64_t
change(struct group *g)
{
	char key[16];
	uint64_t ticket;

	pthread_mutex_lock(&g->lock);
	snprintf(key, sizeof(key), "row %u", g->rows++);
	if (gk_journal_put(g->own, "t", gk_slice_str(key),
	                   gk_slice_str("value")) != GK_OK)
		abort();
	ticket = gk_commits_ticket(&g->commits);
	pthread_mutex_unlock(&g->lock);
	return ticket;
}

/* ---- the workers ---------------------------------------------------------- */

struct worker {
	struct gkd_asker asker;
	struct group *group;
	uint64_t ticket;            /* of its last change */
	unsigned n;                 /* messages that are worked through */
	unsigned yes, no;           /* answers */
	unsigned alone, alone_lost; /* commits of its own, those that failed */
	bool leave_it; /* what the committing thread could not do */
};

static struct {
	char folder[GK_FOLDER_MAX], path[GK_FOLDER_MAX + 8];
	struct gkd_commit commit;
	struct gkd_committer committer;
	struct gkd_events *events;
	unsigned failed, recovered; /* events */
	struct gkd_pool *pool;
	struct group group[GROUPS];
	struct worker worker[WORKERS];
} s;

/* As the key servers do: what nobody does for it, it does itself. */
static void
commit_alone(struct worker *w)
{
	count(gkd_commit(&s.commit, &w->group->commits, w->ticket) == GK_OK
	              ? &w->alone
	              : &w->alone_lost);
}

static void
on_answered(void *arg, bool committed)
{
	struct worker *w = arg;

	if (!committed && !w->leave_it)
		commit_alone(w);
	count(committed ? &w->yes : &w->no);
}

static void
on_message(void *arg)
{
	struct worker *w = arg;

	w->ticket = change(w->group);
	w->asker.behind++;
	if (!gkd_commit_ask(&w->asker))
		commit_alone(w);
	count(&w->n);
}

static void
bring(struct worker *w, unsigned n)
{
	while (n-- > 0)
		gk_assert_ok(
			__real_gkd_loop_post(w->asker.loop, on_message, w));
}

/* ---- all together ---------------------------------------------------------- */

static struct gk_commits *
commits_of(void *arg, size_t i)
{
	struct group *group = arg;

	return i < GROUPS ? &group[i].commits : NULL;
}

static void
on_committed(void *arg, size_t i)
{
	struct group *group = arg;

	count(&group[i].told);
}

static void
on_event(void *arg, const char *text)
{
	(void)arg;
	if (strstr(text, "\"store-failed\"") != NULL)
		count(&s.failed);
	if (strstr(text, "\"store-recovered\"") != NULL)
		count(&s.recovered);
}

static int
open_all(void **state)
{
	const struct gk_store_config kind = { .app = GK_STORE_APP_GSAKMP,
		                              .version = 1,
		                              .oldest = 1 };
	const struct gkd_committer_ops ops = { commits_of, on_committed,
		                               s.group };
	struct gkd_why why;

	(void)state;
	memset(&s, 0, sizeof(s));
	disk.begun = disk.stored = stops = ends = 0;
	disk_set(false, 0, NULL);
	assert_true(gk_folder_make(s.folder));
	snprintf(s.path, sizeof(s.path), "%s/store", s.folder);
	gk_assert_ok(gkd_events_open(&s.events, NULL));
	gkd_events_tap(s.events, on_event, NULL, NULL);
	gk_assert_ok(gkd_commit_open(&s.commit, s.path, &kind, s.events, &why));
	for (unsigned i = 0; i < GROUPS; i++) {
		struct group *g = &s.group[i];

		pthread_mutex_init(&g->lock, NULL);
		gk_assert_ok(gk_journal_new(gk_slice_str(scopes[i]), &g->own));
		g->commits =
			(struct gk_commits){ .ops = &group_ops,
			                     .group = g,
			                     .lock = &g->lock,
			                     .scope = gk_slice_str(scopes[i]) };
	}
	s.pool = gkd_pool_new(WORKERS + 1);
	assert_non_null(s.pool);
	gk_assert_ok(gkd_committer_open(
		&s.committer, gkd_pool_loop(s.pool, WORKERS), &s.commit, &ops));
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *w = &s.worker[i];

		w->group = &s.group[0];
		w->asker = (struct gkd_asker){
			.committer = &s.committer,
			.loop = gkd_pool_loop(s.pool, i),
			.answered = on_answered,
			.arg = w,
		};
	}
	gk_assert_ok(gkd_pool_start(s.pool));
	return 0;
}

static int
close_all(void **state)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char name[128];

	(void)state;
	if (s.pool != NULL)
		gkd_pool_stop(s.pool);
	gkd_committer_close(&s.committer);
	gkd_pool_free(s.pool);
	for (unsigned i = 0; i < GROUPS; i++) {
		gk_commits_free(&s.group[i].commits);
		gk_journal_free(s.group[i].own);
		pthread_mutex_destroy(&s.group[i].lock);
	}
	gkd_commit_close(&s.commit);
	gkd_events_close(s.events);
	for (size_t i = 0; i < GK_COUNT(parts); i++) {
		snprintf(name, sizeof(name), "%s%s", s.path, parts[i]);
		unlink(name);
	}
	return rmdir(s.folder);
}

/* How many rows of group @i are on the disk, from the first without a gap. */
static unsigned
rows_stored(unsigned i)
{
	struct gk_buf value = { 0 };
	unsigned n = 0;
	char key[16];

	for (;;) {
		snprintf(key, sizeof(key), "row %u", n);
		if (gk_store_get(s.commit.store, gk_slice_str(scopes[i]), "t",
		                 gk_slice_str(key), &value) != GK_OK)
			return n;
		gk_buf_free(&value);
		n++;
	}
}

GK_TEST(committer, who_asks_is_told_when_it_is_on_the_disk)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];

	b->group = &s.group[1];
	bring(a, 1);
	await(&a->yes, 1);
	assert_int_equal(rows_stored(0), 1);
	assert_int_equal(seen(&s.group[0].told), 1);
	assert_int_equal(seen(&s.group[1].told), 0);
	bring(b, 1);
	await(&b->yes, 1);
	assert_int_equal(rows_stored(1), 1);
	assert_int_equal(seen(&s.group[1].told), 1);
	assert_int_equal(seen(&s.group[0].told), 1);
	assert_int_equal(seen(&disk.stored), 2);
	assert_int_equal(a->no + b->no + a->alone + b->alone, 0);
}

/* What comes while the disk is busy is one commit for all. */
GK_TEST(committer, what_came_meanwhile_is_one_commit)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];

	disk_set(true, 0, NULL);
	bring(a, 1);
	await(&disk.begun, 1);
	bring(a, 50);
	bring(b, 50);
	await(&a->n, 51);
	await(&b->n, 50);
	assert_int_equal(seen(&a->yes) + seen(&b->yes), 0);
	assert_int_equal(rows_stored(0), 0);
	disk_set(false, 0, NULL);
	await(&b->yes, 1);
	assert_int_equal(rows_stored(0), 101);
	assert_int_equal(seen(&disk.begun), 2);
	assert_int_equal(a->alone + b->alone, 0);
}

GK_TEST(committer, what_fails_is_tried_again_by_who_asked)
{
	struct worker *a = &s.worker[0];

	disk_set(false, 1, NULL);
	bring(a, 1);
	await(&a->no, 1);
	assert_int_equal(a->alone, 1);
	assert_int_equal(a->yes, 0);
	assert_int_equal(rows_stored(0), 1);
	assert_int_equal(seen(&disk.begun), 2);
	assert_int_equal(seen(&s.failed), 1);
	assert_int_equal(seen(&s.recovered), 1);
	/* The committing thread goes on as before. */
	bring(a, 1);
	await(&a->yes, 1);
	assert_int_equal(rows_stored(0), 2);
}

/* Nothing is lost by a disk that has no room for a while: it goes first when
 * there is some. */
GK_TEST(committer, what_fails_twice_goes_first_later)
{
	struct worker *a = &s.worker[0];
	struct gk_now now = { .mono_ms = 1000 };
	struct group *g = a->group;

	disk_set(false, 2, NULL);
	bring(a, 1);
	await(&a->no, 1);
	assert_int_equal(a->alone_lost, 1);
	assert_int_equal(rows_stored(0), 0);
	assert_true(g->refused == 1 && g->settled == 0);
	/* The group's own thread is to try again, in a second. */
	assert_false(gk_commits_retry(&g->commits, now));
	assert_true(gk_commits_retry_due(&g->commits) == 2000);
	bring(a, 1);
	await(&a->yes, 1);
	assert_int_equal(rows_stored(0), 2);
	assert_true(g->settled == 2);
	assert_true(gk_commits_retry_due(&g->commits) == GK_NEVER);
	assert_true(seen(&s.failed) >= 1); /* the first at once */
	assert_int_equal(seen(&s.recovered), 1);
}

/* A group that cannot be stored keeps no other from the disk, but all who asked
 * see for themselves: theirs may be among it. */
GK_TEST(committer, one_group_fails_and_another_does_not)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];

	b->group = &s.group[1];
	b->leave_it = true;
	disk_set(false, 1, scopes[1]);
	(void)change(a->group);
	bring(b, 1);
	await(&b->no, 1);
	assert_int_equal(rows_stored(0), 1);
	assert_int_equal(seen(&s.group[0].told), 1);
	assert_int_equal(rows_stored(1), 0);
	assert_int_equal(seen(&s.group[1].told), 0);
	assert_true(gk_commits_wanted(&s.group[1].commits) != 0);
	/* It is part of whatever is asked for next. */
	bring(a, 1);
	await(&s.group[1].told, 1);
	assert_int_equal(rows_stored(1), 1);
	assert_true(gk_commits_wanted(&s.group[1].commits) == 0);
}

/* So much may wait in memory for a disk that hangs; then the worker waits, too,
 * and nothing is lost. */
GK_TEST(committer, a_worker_waits_for_the_disk_when_too_much_is_behind)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];

	disk_set(true, 0, NULL);
	bring(a, 1);
	await(&disk.begun, 1);
	/* All but the last are worked through at once. */
	bring(a, GKD_BEHIND_MAX - 2);
	await(&a->n, GKD_BEHIND_MAX - 1);
	bring(a, 2);
	/* Another worker has room still: it is asked for by each. */
	bring(b, 10);
	await(&b->n, 10);
	assert_int_equal(seen(&a->n), GKD_BEHIND_MAX - 1);
	assert_int_equal(seen(&a->alone), 0);
	assert_int_equal(seen(&disk.begun), 1);

	disk_set(false, 0, NULL);
	await(&a->n, GKD_BEHIND_MAX + 1);
	await(&b->yes, 1);
	assert_int_equal(seen(&a->alone), 1);
	/* From here on it may wait again. */
	disk_set(true, 0, NULL);
	bring(a, GKD_BEHIND_MAX - 2);
	await(&a->n, 2 * GKD_BEHIND_MAX - 1);
	assert_int_equal(seen(&a->alone), 1);
	disk_set(false, 0, NULL);
	bring(a, 1);
	await(&a->n, 2 * GKD_BEHIND_MAX);
	gkd_pool_stop(s.pool);
	gk_assert_ok(gkd_commit(&s.commit, &a->group->commits,
	                        gk_commits_wanted(&a->group->commits)));
	assert_int_equal(rows_stored(0), a->group->rows);
	assert_int_equal(a->no + b->no, 0);
}

struct stopping {
	pthread_t thread;
	unsigned stopped;
};

static void *
stop(void *arg)
{
	struct stopping *t = arg;

	gkd_pool_stop(s.pool);
	count(&t->stopped);
	return NULL;
}

/* The program ends: what is under way is finished, who asked is not called any
 * more, and what was not begun is for whoever closes the workers. */
GK_TEST(committer, ends_while_a_commit_is_under_way)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];
	struct stopping t = { .stopped = 0 };

	disk_set(true, 0, NULL);
	bring(a, 1);
	await(&disk.begun, 1);
	bring(b, 1);
	await(&b->n, 1);
	assert_int_equal(pthread_create(&t.thread, NULL, stop, &t), 0);
	await(&stops, WORKERS + 1);
	await(&ends, WORKERS); /* so that nobody is there for the answer */
	assert_int_equal(seen(&t.stopped), 0);
	disk_set(false, 0, NULL);
	await(&t.stopped, 1);
	pthread_join(t.thread, NULL);
	gkd_committer_close(&s.committer);
	gkd_pool_free(s.pool); /* what is posted is called here */
	s.pool = NULL;
	assert_int_equal(rows_stored(0), 1);
	assert_int_equal(a->yes + b->yes + a->no + b->no, 0);
	gk_assert_ok(gkd_commit(&s.commit, &b->group->commits, b->ticket));
	assert_int_equal(rows_stored(0), 2);
	assert_true(gk_commits_wanted(&b->group->commits) == 0);
}

/* Not even memory for the question, or for the answer: nothing hangs. */
GK_TEST(committer, without_memory_a_worker_commits_itself)
{
	struct worker *a = &s.worker[0];

	atomic_store(&lost_posts, 1);
	bring(a, 1);
	await(&a->alone, 1);
	assert_int_equal(rows_stored(0), 1);

	disk_set(true, 0, NULL);
	bring(a, 1);
	await(&disk.begun, 2);
	atomic_store(&lost_posts, 1);
	disk_set(false, 0, NULL);
	await(&s.group[0].told, 1);
	assert_int_equal(seen(&a->yes), 0);
	/* It asks again, and is heard. */
	while (atomic_load(&a->asker.asked))
		sched_yield();
	bring(a, 1);
	await(&a->yes, 1);
	assert_int_equal(rows_stored(0), 3);
}

static bool
looks(void)
{
	bool yes;

	pthread_mutex_lock(&s.committer.lock);
	yes = s.committer.looks;
	pthread_mutex_unlock(&s.committer.lock);
	return yes;
}

/* The thread is woken by who asks first; it sees the others as it goes on, and
 * sleeps when there are no more. */
GK_TEST(committer, who_asks_meanwhile_wakes_nobody)
{
	struct worker *a = &s.worker[0], *b = &s.worker[1];

	atomic_store(&woken, 0);
	atomic_store(&watched, s.committer.loop);
	disk_set(true, 0, NULL);
	bring(a, 1);
	await(&disk.begun, 1);
	assert_int_equal(atomic_load(&woken), 1);
	bring(b, 1);
	await(&b->n, 1);
	disk_set(false, 0, NULL);
	await(&a->yes, 1);
	await(&b->yes, 1);
	assert_int_equal(rows_stored(0), 2);
	assert_int_equal(atomic_load(&woken), 1);
	while (looks())
		sched_yield();
	bring(a, 1);
	await(&a->yes, 2);
	assert_int_equal(atomic_load(&woken), 2);
	assert_int_equal(rows_stored(0), 3);
	atomic_store(&watched, NULL);
}

/* Who has more to do asks later: not after a pause, and not when much waits. */
GK_TEST(committer, a_commit_may_wait_for_more_but_not_long)
{
	struct worker *a = &s.worker[0];

	assert_false(gkd_commit_later(&a->asker));
	atomic_store(&s.commit.ended_ms, gkd_now().mono_ms + 60000);
	assert_true(gkd_commit_later(&a->asker));
	a->asker.behind = GKD_BEHIND_MAX - 1;
	assert_true(gkd_commit_later(&a->asker));
	a->asker.behind = GKD_BEHIND_MAX;
	assert_false(gkd_commit_later(&a->asker));
	a->asker.behind = 0;
	atomic_store(&s.commit.ended_ms,
	             gkd_now().mono_ms - 2 * GKD_COMMIT_GAP_MS);
	assert_false(gkd_commit_later(&a->asker));
	/* Others' commits do not make it wait for ever. */
	atomic_store(&s.commit.ended_ms, gkd_now().mono_ms + 60000);
	assert_true(a->asker.later_ms != 0);
	a->asker.later_ms -= 2 * GKD_COMMIT_GAP_MS;
	assert_false(gkd_commit_later(&a->asker));
	atomic_store(&s.commit.ended_ms, 0);
	bring(a, 1);
	await(&a->yes, 1);
	assert_int_equal(a->asker.later_ms, 0);
}

/* After a pause at once; what follows waits for company. */
GK_TEST(committer, a_commit_follows_another_at_a_distance)
{
	struct worker *a = &s.worker[0];
	uint64_t before = gkd_now().mono_ms;

	assert_true(gkd_commit_due(&s.commit) == 0);
	bring(a, 1);
	await(&a->yes, 1);
	assert_true(gkd_commit_due(&s.commit) >= before + GKD_COMMIT_GAP_MS);
}

#define RUN(what)                                                            \
	{                                                                    \
		"committer__" #what, committer__##what, open_all, close_all, \
			NULL                                                 \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(who_asks_is_told_when_it_is_on_the_disk),
		RUN(what_came_meanwhile_is_one_commit),
		RUN(what_fails_is_tried_again_by_who_asked),
		RUN(what_fails_twice_goes_first_later),
		RUN(one_group_fails_and_another_does_not),
		RUN(a_worker_waits_for_the_disk_when_too_much_is_behind),
		RUN(ends_while_a_commit_is_under_way),
		RUN(without_memory_a_worker_commits_itself),
		RUN(who_asks_meanwhile_wakes_nobody),
		RUN(a_commit_may_wait_for_more_but_not_long),
		RUN(a_commit_follows_another_at_a_distance),
	};

	return cmocka_run_group_tests_name("common/daemon/committer", tests,
	                                   NULL, NULL);
}
