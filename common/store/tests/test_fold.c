/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/fold_model.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The log becomes rows in slices, with commits between them (gk_store_aside()).
 * What the store says is what was committed, at any moment, and after the process
 * was killed at any of them.
 */

/* ---- how often the disk is waited for ------------------------------------- */

static unsigned syncs;

/* Who is killed loses nothing that the system has: it is enough to count. */
int
fsync(int fd)
{
	(void)fd;
	syncs++;
	return 0;
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

/* ---- a store's rows -------------------------------------------------------- */

static enum gk_err
count_row(void *ctx, const char *table, struct gk_slice key,
          struct gk_slice value)
{
	(void)table, (void)key, (void)value;
	++*(size_t *)ctx;
	return GK_OK;
}

static size_t
rows_of_store(struct gk_store *store)
{
	size_t n = 0;
	struct gk_store_reader reader = { count_row, &n };

	for (size_t s = 0; s < SCOPES; s++)
		for (size_t t = 0; t < TABLES; t++)
			gk_assert_ok(gk_store_load(store, scope_of(s),
			                           tables[t], &reader));
	return n;
}

/* ---- what it says ---------------------------------------------------------- */

GK_TEST(fold, store_says_the_same_between_any_two_slices)
{
	struct gk_store *store;
	unsigned slices = 0;

	start();
	log_max = 4000;
	store = open_aside();
	for (int round = 0; round < 60; round++) {
		for (uint32_t n = below(40); n > 0; n--)
			gk_assert_ok(one_commit(store));
		if (below(3) == 0)
			gk_assert_ok(gk_store_settle(store));
		for (uint32_t n = below(9); n > 0 && gk_store_due(store); n--) {
			gk_assert_ok(gk_store_work(store));
			slices++;
			all_is_there(store);
			/* and what changes between them */
			if (below(2) == 0)
				gk_assert_ok(one_commit(store));
		}
		if (below(8) == 0) {
			gk_store_close(store);
			store = open_aside();
		}
		if (below(8) == 0)
			assert_int_equal(rows_of_store(store), rows_of_model());
		all_is_there(store);
	}
	assert_true(slices > 100);
	gk_assert_ok(gk_store_settle(store));
	work_all(store);
	all_is_there(store);
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), rows_of_model());
}

/* Dies with the commit, or slice, @fault; tells how many commits were made. */
static void
live(uint32_t fault, bool after, volatile uint32_t *done)
{
	struct gk_store *store = open_aside();

	gk_store_fault_set(store, fault, after);
	for (int i = 0; i < 60; i++) {
		if (one_commit(store) != GK_OK)
			_exit(1);
		++*done;
		if (i % 10 == 9 && gk_store_settle(store) != GK_OK)
			_exit(1);
		for (int n = i % 3; n > 0 && gk_store_due(store); n--)
			if (gk_store_work(store) != GK_OK)
				_exit(1);
	}
	_exit(0); /* and closes nothing */
}

static bool
is_state_of(struct gk_store *store, uint32_t n)
{
	char key[16], value[80];

	start();
	while (commits < n)
		(void)one_commit(NULL);
	for (size_t s = 0; s < SCOPES; s++)
		for (size_t t = 0; t < TABLES; t++)
			for (size_t k = 0; k < KEYS; k++) {
				struct gk_buf got = { 0 };
				uint32_t m = model[s][t][k];
				bool is =
					gk_store_get(store, scope_of(s),
				                     tables[t], key_of(k, key),
				                     &got) == GK_OK;
				bool same =
					is == (m != 0) &&
					(!is ||
				         gk_slice_equal(gk_buf_slice(&got),
				                        value_of(m, value)));

				gk_buf_free(&got);
				if (!same)
					return false;
			}
	return true;
}

GK_TEST(fold, killed_in_any_slice_nothing_is_lost_and_nothing_comes_back)
{
	volatile uint32_t *done =
		mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t deaths = 0;
	int status = 0;

	assert_true(done != MAP_FAILED);
	log_max = 900;
	for (uint32_t fault = 1; fault == 1 || WEXITSTATUS(status) == 137;
	     fault++) {
		for (int after = 0; after < 2; after++) {
			struct gk_store *store;
			pid_t pid;

			start();
			*done = 0;
			pid = fork();
			assert_true(pid >= 0);
			if (pid == 0)
				live(fault, after, done);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFEXITED(status));
			deaths += WEXITSTATUS(status) == 137;
			store = open_aside();
			assert_true(is_state_of(store, *done) ||
			            is_state_of(store, *done + 1));
			assert_int_equal(rows_of_store(store), rows_of_model());
			gk_store_close(store);
			remove_store();
		}
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(deaths > 2 * (60 + 20)); /* so many of them in slices */
	munmap((void *)(uintptr_t)done, sizeof(*done));
}

/* ---- what is waited for ---------------------------------------------------- */

GK_TEST(fold, a_commit_waits_for_the_disk_and_a_slice_does_not)
{
	struct gk_store *store;
	unsigned waited;
	bool worked = false;

	start();
	log_max = 2000;
	store = open_aside();
	for (int i = 0; i < 200; i++) {
		waited = syncs;
		gk_assert_ok(one_commit(store));
		assert_true(syncs > waited);
		/* Not for as long as it takes to fold. */
		assert_true(syncs <= waited + 2);
		waited = syncs;
		if (!gk_store_due(store))
			continue;
		gk_assert_ok(gk_store_work(store));
		assert_int_equal(syncs, waited);
		worked = true;
	}
	assert_true(worked);
	all_is_there(store);
	gk_store_close(store);
}

GK_TEST(fold, a_log_that_nobody_folds_is_folded_by_a_commit)
{
	struct gk_store *store;
	size_t due = 0;
	int n;

	start();
	log_max = 3000;
	store = open_aside();
	for (n = 0; !gk_store_due(store); n++)
		gk_assert_ok(one_commit(store));
	for (; gk_store_due(store); due++) {
		assert_true(due < (size_t)n * 4);
		gk_assert_ok(one_commit(store));
	}
	assert_true(due > (size_t)n); /* meanwhile it was let grow */
	all_is_there(store);
	gk_store_close(store);
}

/* More than an entry has: it comes back as a whole, or not at all. */
static struct gk_journal *
large(size_t rows)
{
	static const uint8_t octets[300];
	struct gk_journal *j;
	char key[24];

	gk_assert_ok(gk_journal_new(scope, &j));
	for (size_t i = 0; i < rows; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		gk_assert_ok(gk_journal_put(
			j, "large", gk_slice_str(key),
			(struct gk_slice){ octets, i % sizeof(octets) }));
	}
	return j;
}

static void
has_one_of_large(struct gk_store *store, size_t i)
{
	struct gk_buf got;
	char key[16];

	snprintf(key, sizeof(key), "%zu", i);
	gk_assert_ok(
		gk_store_get(store, scope, "large", gk_slice_str(key), &got));
	assert_int_equal(got.len, i % 300);
	gk_buf_free(&got);
}

static void
has_large(struct gk_store *store, size_t rows)
{
	for (size_t i = 0; i < rows; i += 97)
		has_one_of_large(store, i);
}

#define LARGE 20000 /* rows; in place, where nobody folds aside */

GK_TEST(fold, a_large_commit_is_in_the_log_until_it_is_folded)
{
	struct gk_store *store;
	int status, n;
	pid_t pid = fork();

	log_max = 0;
	assert_true(pid >= 0);
	if (pid == 0) {
		store = open_aside();
		_exit(gk_store_apply(store, large(LARGE)) != GK_OK);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 0);
	assert_true(in_file("SELECT count(*) FROM log") > 100);
	assert_true(in_file("SELECT max(length(entry)) FROM log") < 20000);
	store = open_aside();
	has_large(store, LARGE);
	gk_assert_ok(gk_store_settle(store));
	for (n = 0; gk_store_due(store); n++) {
		gk_assert_ok(gk_store_work(store));
		for (int i = 0; i < 20; i++)
			has_one_of_large(store, below(LARGE));
	}
	assert_true(n > LARGE / 192);
	has_large(store, LARGE);
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM row"), LARGE);
}

#define SOME_ROWS 9000 /* of which the log is deleted in several slices */
#define EACH 4         /* slices */

/* A counter goes on while they come and go. */
static void
live_large(uint32_t fault, bool after, volatile uint32_t *done)
{
	struct gk_store *store = open_aside();
	char value[16];

	if (gk_store_apply(store, large(SOME_ROWS)) != GK_OK ||
	    gk_store_settle(store) != GK_OK)
		_exit(1);
	gk_store_fault_set(store, fault, after);
	for (int i = 0; gk_store_due(store); i++) {
		if (gk_store_work(store) != GK_OK)
			_exit(1);
		if (i % EACH != 0)
			continue;
		snprintf(value, sizeof(value), "%u", *done + 1);
		if (gk_store_put(store, scope, "large", gk_slice_str("n"),
		                 gk_slice_str(value)) != GK_OK)
			_exit(1);
		++*done;
	}
	_exit(0);
}

static uint32_t
counter_of(struct gk_store *store)
{
	struct gk_buf got;
	char text[16];

	if (gk_store_get(store, scope, "large", gk_slice_str("n"), &got) !=
	    GK_OK)
		return 0;
	snprintf(text, sizeof(text), "%.*s", (int)got.len, got.ptr);
	gk_buf_free(&got);
	return (uint32_t)strtoul(text, NULL, 10);
}

GK_TEST(fold, killed_while_a_large_log_goes_it_is_whole)
{
	volatile uint32_t *done =
		mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t n, deaths = 0;
	int status = 137 << 8;

	assert_true(done != MAP_FAILED);
	log_max = 0;
	for (uint32_t fault = 1; WEXITSTATUS(status) == 137; fault += 3) {
		struct gk_store *store;
		pid_t pid;

		*done = 0;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			live_large(fault, fault % 2, done);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		deaths += WEXITSTATUS(status) == 137;
		store = open_aside();
		has_large(store, SOME_ROWS);
		n = counter_of(store);
		assert_true(n == *done || n == *done + 1);
		gk_assert_ok(gk_store_settle(store));
		work_all(store);
		has_large(store, SOME_ROWS);
		assert_int_equal(counter_of(store), n);
		gk_store_close(store);
		assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
		remove_store();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(deaths > SOME_ROWS / 192 / 3);
	munmap((void *)(uintptr_t)done, sizeof(*done));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FOLD_RUN(store_says_the_same_between_any_two_slices),
		FOLD_RUN(
			killed_in_any_slice_nothing_is_lost_and_nothing_comes_back),
		FOLD_RUN(a_commit_waits_for_the_disk_and_a_slice_does_not),
		FOLD_RUN(a_log_that_nobody_folds_is_folded_by_a_commit),
		FOLD_RUN(a_large_commit_is_in_the_log_until_it_is_folded),
		FOLD_RUN(killed_while_a_large_log_goes_it_is_whole),
	};

	return cmocka_run_group_tests_name("common/store/fold", tests, NULL,
	                                   NULL);
}
