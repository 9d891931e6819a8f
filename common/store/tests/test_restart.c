/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/one_store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/group/gk_group.h"
#include "common/group/tests/rows.h"

/*
 * A group writes its history into a store and is killed at every commit there
 * is, just before and just after it.  What the store then holds must be exactly
 * the group of the last commit that was made: nothing older, nothing half.
 */
#define STEPS 24

static uint64_t seed;

static enum gk_err
seeded(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(seed >> 56);
	}
	return GK_OK;
}

static const struct gk_env env = { .random = seeded };

static size_t log_max; /* see gk_store.h */

static struct gk_group *
new_group(void)
{
	const struct gk_group_config cfg = {
		.scope = gk_slice_str("group"),
		.lkh = { .degree = 2, .key_len = 16, .backward = true },
	};
	struct gk_group *g;

	if (gk_group_new(&env, &cfg, &g) != GK_OK)
		abort();
	return g;
}

/* One step of the history, the same in every process. */
static enum gk_err
step(struct gk_group *g, int i)
{
	struct gk_lkh_plan plan;
	struct gk_member *m;
	uint32_t n;
	char name[8];

	if (i == 0)
		return gk_group_key_define(g, 1, 1, 16, 60, 1);
	if (i % 5 == 4) {
		GK_TRY(gk_group_seal(g, GK_LKH_PATH, &plan));
		gk_lkh_plan_free(&plan);
		return gk_group_sequence_next(g, &n);
	}
	if (i % 7 == 6)
		return gk_group_note_set(g, "token", gk_slice_str("edition"));
	snprintf(name, sizeof(name), "m%d", i * i % 11);
	m = gk_group_find(g, gk_slice_str(name));
	if (m != NULL)
		return gk_group_leave(g, m, i);
	return gk_group_join(g, gk_slice_str(name), i, &m);
}

static int
live(uint32_t fault, bool after, volatile uint32_t *done)
{
	struct gk_store *store = open_logged(log_max);
	struct gk_group *g = new_group();

	seed = 1;
	gk_store_fault_set(store, fault, after);
	for (int i = 0; i < STEPS; i++) {
		struct gk_journal *journal;

		if (step(g, i) != GK_OK ||
		    gk_journal_take(gk_group_journal(g), &journal) != GK_OK ||
		    journal == NULL || gk_store_apply(store, journal) != GK_OK)
			return 1;
		gk_journal_free(journal);
		if (done != NULL)
			++*done;
	}
	gk_group_free(g);
	gk_store_close(store);
	return 0;
}

static enum gk_err
load_row(void *ctx, const char *table, struct gk_slice key,
         struct gk_slice value)
{
	const char *reason = "";
	enum gk_err err = gk_group_load_row(ctx, table, key, value, &reason);

	if (err != GK_OK)
		fprintf(stderr, "%s: %s\n", table, reason);
	return err;
}

static struct rows *
exported(struct gk_group *g)
{
	struct rows *rows = rows_new();
	struct gk_journal *journal;

	gk_assert_ok(gk_journal_new(gk_slice_str("x"), &journal));
	gk_assert_ok(gk_group_export(g, journal));
	rows_apply(rows, journal);
	gk_journal_free(journal);
	gk_group_free(g);
	return rows;
}

static struct rows *
from_store(void)
{
	struct gk_group *g = new_group();
	struct gk_store_reader reader = { load_row, g };
	struct gk_store *store = open_logged(log_max);
	const char *reason;

	for (size_t i = 0; gk_group_tables[i] != NULL; i++)
		gk_assert_ok(gk_store_load(store, gk_slice_str("group"),
		                           gk_group_tables[i], &reader));
	gk_assert_ok(gk_group_load_done(g, &reason));
	gk_store_close(store);
	return exported(g);
}

static struct rows *
from_memory(uint32_t steps)
{
	struct gk_group *g = new_group();

	seed = 1;
	for (uint32_t i = 0; i < steps; i++)
		gk_assert_ok(step(g, (int)i));
	return exported(g);
}

GK_TEST(store, killed_at_any_commit_the_group_is_that_of_the_last_one)
{
	for (uint32_t fault = 1; fault <= STEPS; fault++) {
		for (uint32_t after = 0; after < 2; after++) {
			struct rows *want, *got;
			int status;
			pid_t pid = fork();

			assert_true(pid >= 0);
			if (pid == 0)
				_exit(live(fault, after, NULL));
			assert_int_equal(waitpid(pid, &status, 0), pid);
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 137);
			got = from_store();
			want = from_memory(fault - 1 + after);
			/* Before the first commit there is nothing at all. */
			if (fault == 1 && !after)
				assert_true(rows_count(got) <=
				            rows_count(want));
			else
				assert_true(rows_equal(got, want));
			rows_free(got);
			rows_free(want);
			remove_store();
		}
	}
}

/* The log is folded every few commits: whoever is killed in that, before it is on
 * the disk or right after, has lost nothing and has nothing twice. */
GK_TEST(store, killed_in_a_fold_the_group_is_that_of_the_last_commit)
{
	volatile uint32_t *done =
		mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
	             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint32_t deaths = 0;
	int status = 0;

	assert_true(done != MAP_FAILED);
	log_max = 500;
	for (uint32_t fault = 3; WEXITSTATUS(status) == 137 || fault == 3;
	     fault++) {
		for (uint32_t after = 0; after < 2; after++) {
			struct rows *got, *last, *next;
			pid_t pid;

			/* Before there is a child: it may be over before we
			 * come to anything. */
			*done = 0;
			pid = fork();
			assert_true(pid >= 0);
			if (pid == 0)
				_exit(live(fault, after, done));
			assert_int_equal(waitpid(pid, &status, 0), pid);
			deaths += WEXITSTATUS(status) == 137;
			got = from_store();
			last = from_memory(*done);
			next = from_memory(*done < STEPS ? *done + 1 : STEPS);
			assert_true(rows_equal(got, last) ||
			            rows_equal(got, next));
			rows_free(got);
			rows_free(last);
			rows_free(next);
			remove_store();
		}
	}
	log_max = 0;
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(deaths > 2 * (STEPS + 5)); /* that many of them in folds */
	munmap((void *)(uintptr_t)done, sizeof(*done));
}

struct writer {
	struct gk_store *store;
	char name;
	enum gk_err err;
};

static void *
write_rows(void *arg)
{
	struct writer *w = arg;

	for (uint8_t i = 0; i < 50 && w->err == GK_OK; i++)
		w->err = gk_store_put(
			w->store, (struct gk_slice){ (uint8_t *)&w->name, 1 },
			"t", (struct gk_slice){ &i, 1 }, gk_slice_str("value"));
	return NULL;
}

static enum gk_err
count_row(void *ctx, const char *table, struct gk_slice key,
          struct gk_slice value)
{
	(void)table, (void)key, (void)value;
	++*(size_t *)ctx;
	return GK_OK;
}

GK_TEST(store, threads_share_it)
{
	struct gk_store *store = open_logged(log_max);
	struct writer w[4];
	pthread_t thread[4];

	for (size_t i = 0; i < GK_COUNT(w); i++) {
		w[i] = (struct writer){ store, (char)('a' + i), GK_OK };
		assert_int_equal(
			pthread_create(&thread[i], NULL, write_rows, &w[i]), 0);
	}
	for (size_t i = 0; i < GK_COUNT(w); i++) {
		size_t n = 0;
		struct gk_store_reader reader = { count_row, &n };

		assert_int_equal(pthread_join(thread[i], NULL), 0);
		gk_assert_ok(w[i].err);
		gk_assert_ok(gk_store_load(
			store, (struct gk_slice){ (uint8_t *)&w[i].name, 1 },
			"t", &reader));
		assert_int_equal(n, 50);
	}
	gk_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_RUN(
			killed_at_any_commit_the_group_is_that_of_the_last_one),
		STORE_RUN(
			killed_in_a_fold_the_group_is_that_of_the_last_commit),
		STORE_RUN(threads_share_it),
	};

	return cmocka_run_group_tests_name("common/store/restart", tests, NULL,
	                                   NULL);
}
