/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/group/gk_commits.h"

/* A group that has rows and tickets, and nothing else. */
struct group {
	pthread_mutex_t lock;
	struct gk_journal *own;
	struct gk_commits commits;
	bool short_of_memory;
	uint64_t yes, no; /* the last tickets that were settled */
	unsigned settled;
};

static enum gk_err
gather(void *group, struct gk_journal *journal)
{
	struct group *g = group;

	if (g->short_of_memory)
		return GK_ERR_NOMEM;
	return gk_journal_move(journal, g->own);
}

static void
settle(void *group, uint64_t ticket, bool ok)
{
	struct group *g = group;

	*(ok ? &g->yes : &g->no) = ticket;
	g->settled++;
}

static void
open_group(struct group *g)
{
	static const struct gk_commits_ops ops = { gather, settle };

	memset(g, 0, sizeof(*g));
	pthread_mutex_init(&g->lock, NULL);
	gk_assert_ok(gk_journal_new(gk_slice_str("group"), &g->own));
	g->commits = (struct gk_commits){ .ops = &ops,
		                          .group = g,
		                          .lock = &g->lock,
		                          .scope = gk_slice_str("group") };
}

static void
close_group(struct group *g)
{
	gk_commits_free(&g->commits);
	gk_journal_free(g->own);
	pthread_mutex_destroy(&g->lock);
}

static uint64_t
change(struct group *g, const char *key)
{
	gk_assert_ok(gk_journal_put(g->own, "t", gk_slice_str(key),
	                            gk_slice_str("value")));
	return gk_commits_ticket(&g->commits);
}

static void
assert_keys(const struct gk_journal *j, const char *keys)
{
	assert_non_null(j);
	assert_int_equal(gk_journal_count(j), strlen(keys));
	for (size_t i = 0; keys[i] != '\0'; i++)
		assert_memory_equal(gk_journal_at(j, i).key.ptr, keys + i, 1);
}

GK_TEST(commits, one_commit_is_for_all_up_to_now)
{
	uint64_t first, second, third;
	struct group g;

	open_group(&g);
	assert_true(gk_commits_wanted(&g.commits) == 0);
	first = change(&g, "a");
	second = change(&g, "b");
	assert_true(gk_commits_wanted(&g.commits) == second);
	assert_keys(gk_commits_begin(&g.commits, first), "ab");
	third = change(&g, "c"); /* while the disk is busy */
	assert_false(gk_commits_committed(&g.commits, first));
	gk_commits_end(&g.commits, true);
	assert_true(g.yes == second);
	assert_true(gk_commits_committed(&g.commits, second));
	assert_false(gk_commits_committed(&g.commits, third));
	/* Who comes with the second finds that it is done. */
	assert_null(gk_commits_begin(&g.commits, second));
	assert_true(gk_commits_done(&g.commits, second));
	assert_int_equal(g.settled, 1);
	assert_true(gk_commits_wanted(&g.commits) == third);
	assert_keys(gk_commits_begin(&g.commits, third), "c");
	gk_commits_end(&g.commits, true);
	assert_true(gk_commits_wanted(&g.commits) == 0);
	close_group(&g);
}

GK_TEST(commits, what_could_not_be_stored_goes_first)
{
	uint64_t first, second;
	struct group g;

	open_group(&g);
	first = change(&g, "a");
	assert_keys(gk_commits_begin(&g.commits, first), "a");
	second = change(&g, "b");
	gk_commits_end(&g.commits, false);
	assert_true(g.no == first && g.yes == 0);
	assert_false(gk_commits_committed(&g.commits, first));
	assert_true(gk_commits_wanted(&g.commits) == second);
	assert_keys(gk_commits_begin(&g.commits, first), "ab");
	gk_commits_end(&g.commits, true);
	assert_true(g.yes == second);
	assert_true(gk_commits_wanted(&g.commits) == 0);
	close_group(&g);
}

GK_TEST(commits, without_memory_there_is_nothing_to_store_and_it_is_not_done)
{
	uint64_t ticket;
	struct group g;

	open_group(&g);
	ticket = change(&g, "a");
	g.short_of_memory = true;
	assert_null(gk_commits_begin(&g.commits, ticket));
	assert_false(gk_commits_done(&g.commits, ticket));
	assert_true(g.no == ticket);
	assert_true(gk_commits_wanted(&g.commits) == ticket);
	g.short_of_memory = false;
	assert_keys(gk_commits_begin(&g.commits, ticket), "a");
	gk_commits_end(&g.commits, true);
	assert_true(gk_commits_done(&g.commits, ticket));
	close_group(&g);
}

GK_TEST(commits, after_a_failure_one_is_due_each_second)
{
	struct gk_now now = { .mono_ms = 5000 };
	struct group g;
	uint64_t due;

	open_group(&g);
	(void)change(&g, "a");
	assert_false(gk_commits_retry(&g.commits, now));
	assert_true(gk_commits_retry_due(&g.commits) == GK_NEVER);
	for (int i = 0; i < 3; i++) {
		assert_non_null(gk_commits_begin(&g.commits, 1));
		gk_commits_end(&g.commits, false);
		/* Whoever has failed does not know the time; it is told the
		 * group at once. */
		if (i == 0) {
			assert_true(gk_commits_retry_due(&g.commits) == 0);
			assert_false(gk_commits_retry(&g.commits, now));
		}
		due = gk_commits_retry_due(&g.commits);
		assert_true(due == now.mono_ms + GK_COMMITS_RETRY_MS);
		now.mono_ms = due - 1;
		assert_false(gk_commits_retry(&g.commits, now));
		now.mono_ms = due;
		assert_true(gk_commits_retry(&g.commits, now));
	}
	assert_non_null(gk_commits_begin(&g.commits, 1));
	gk_commits_end(&g.commits, true);
	assert_true(gk_commits_retry_due(&g.commits) == GK_NEVER);
	assert_false(gk_commits_retry(&g.commits, now));
	close_group(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(commits, one_commit_is_for_all_up_to_now),
		GK_RUN(commits, what_could_not_be_stored_goes_first),
		GK_RUN(commits,
		       without_memory_there_is_nothing_to_store_and_it_is_not_done),
		GK_RUN(commits, after_a_failure_one_is_due_each_second),
	};

	return cmocka_run_group_tests_name("common/group/commits", tests, NULL,
	                                   NULL);
}
