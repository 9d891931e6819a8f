/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group.h"

/*
 * The program is linked so that the allocator's functions come here first; the
 * allocation number @fail_at since it was set gets nothing.
 */
static unsigned long fail_at;

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

static bool
fails(void)
{
	return fail_at != 0 && --fail_at == 0;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

static enum gk_err
zeros(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = 0;
	return GK_OK;
}

static const struct gk_env env = { .random = zeros };

static struct gk_lkh *
nine_members(void)
{
	/* The tenth member needs a tree of his own. */
	const struct gk_lkh_config cfg = {
		.degree = 3, .key_len = 16, .capacity = 9, .backward = true
	};
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&env, &cfg, &lkh));
	for (int i = 0; i < 9; i++)
		gk_assert_ok(gk_lkh_join(lkh, 1, &seat));
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	return lkh;
}

static enum gk_err
join(struct gk_lkh *lkh)
{
	uint32_t seat;

	return gk_lkh_join(lkh, 2, &seat);
}

static enum gk_err
leave(struct gk_lkh *lkh)
{
	return gk_lkh_leave(lkh, 5, 2);
}

static enum gk_err
renew(struct gk_lkh *lkh)
{
	size_t renewed;

	return gk_lkh_renew(lkh, 2, INT64_MAX, 1, &renewed);
}

static void
operation_without_memory(enum gk_err (*operation)(struct gk_lkh *),
                         uint32_t members_after)
{
	enum gk_err err = GK_ERR_NOMEM;

	for (unsigned long n = 1; err != GK_OK; n++) {
		struct gk_lkh *lkh = nine_members();

		fail_at = n;
		err = operation(lkh);
		fail_at = 0;
		if (err != GK_OK) {
			gk_assert_err(GK_ERR_NOMEM, err);
			assert_int_equal(gk_lkh_count(lkh), 9);
			assert_false(gk_lkh_open(lkh));
			gk_assert_ok(operation(lkh));
		}
		assert_int_equal(gk_lkh_count(lkh), members_after);
		assert_true(gk_lkh_open(lkh));
		gk_lkh_free(lkh);
		assert_true(n < 100);
	}
}

GK_TEST(lkh, operation_that_runs_out_of_memory_changed_nothing)
{
	operation_without_memory(join, 10);
	operation_without_memory(leave, 8);
	operation_without_memory(renew, 9);
}

GK_TEST(lkh, seal_that_runs_out_of_memory_leaves_the_epoch_open)
{
	for (enum gk_lkh_style style = GK_LKH_PATH; style <= GK_LKH_CHAIN;
	     style++) {
		enum gk_err err = GK_ERR_NOMEM;
		size_t failures = 0;

		for (unsigned long n = 1; err != GK_OK; n++) {
			struct gk_lkh *lkh = nine_members();
			struct gk_lkh_plan plan;

			gk_assert_ok(leave(lkh));
			fail_at = n;
			err = gk_lkh_seal(lkh, style, &plan);
			fail_at = 0;
			if (err != GK_OK) {
				gk_assert_err(GK_ERR_NOMEM, err);
				assert_true(gk_lkh_open(lkh));
				assert_null(plan.wraps);
				gk_assert_ok(gk_lkh_seal(lkh, style, &plan));
				failures++;
			}
			/* Two levels with two others each. */
			assert_int_equal(plan.count,
			                 style == GK_LKH_PATH ? 4 : 6);
			gk_lkh_plan_free(&plan);
			gk_lkh_free(lkh);
			assert_true(n < 100);
		}
		assert_true(failures >= 5);
	}
}

/* What a key server does before it sends anything. */
static enum gk_err
commit(struct gk_group *g, struct gk_journal *all)
{
	return gk_journal_move(all, gk_group_journal(g));
}

/* A group's life; it ends at the first error. */
static enum gk_err
live(struct gk_group *g, struct gk_journal *all)
{
	struct gk_slice name = gk_slice_str("token");
	struct gk_lkh_plan plan;
	struct gk_member *m;
	uint32_t n;

	GK_TRY(gk_group_key_define(g, 1, 1, 16, 0, 1));
	GK_TRY(gk_group_join(g, gk_slice_str("a"), 1, &m));
	GK_TRY(gk_group_member_blob(g, m, name));
	GK_TRY(commit(g, all));
	GK_TRY(gk_group_join(g, gk_slice_str("b"), 1, &m));
	GK_TRY(commit(g, all));
	GK_TRY(gk_group_seal(g, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	GK_TRY(commit(g, all));
	GK_TRY(gk_group_exclude(g, gk_slice_str("eve"), name));
	GK_TRY(gk_group_note_set(g, "token", name));
	GK_TRY(gk_group_note_set(g, "token", gk_slice_str("")));
	GK_TRY(gk_group_readmit(g, gk_slice_str("eve")));
	GK_TRY(gk_group_sequence_next(g, &n));
	GK_TRY(gk_group_sender_next(g, 1, &n));
	GK_TRY(commit(g, all));
	GK_TRY(gk_group_leave(g, m, 2));
	GK_TRY(gk_group_seal(g, GK_LKH_CHAIN, &plan));
	gk_lkh_plan_free(&plan);
	return commit(g, all);
}

GK_TEST(group, running_out_of_memory_is_reported_and_leaks_nothing)
{
	for (unsigned degree = 0; degree <= 2; degree += 2) {
		const struct gk_group_config cfg = {
			.scope = gk_slice_str("group"),
			.lkh = { .degree = degree, .key_len = 16 },
		};
		enum gk_err err = GK_ERR_NOMEM;
		size_t failures = 0;

		for (unsigned long n = 1; err != GK_OK; n++) {
			struct gk_journal *all;
			struct gk_group *g;

			gk_assert_ok(gk_journal_new(cfg.scope, &all));
			fail_at = n;
			err = gk_group_new(&env, &cfg, &g);
			if (err == GK_OK)
				err = live(g, all);
			fail_at = 0;
			if (err != GK_OK) {
				gk_assert_err(GK_ERR_NOMEM, err);
				failures++;
			}
			gk_group_free(g);
			gk_journal_free(all);
			assert_true(n < 2000);
		}
		assert_true(failures > 25); /* as many can fail */
	}
}

static bool
has_row_of(struct gk_group *g, const struct gk_member *m)
{
	const struct gk_journal *j = gk_group_journal(g);
	bool found = false;

	for (size_t i = 0; i < gk_journal_count(j); i++) {
		struct gk_change c = gk_journal_at(j, i);

		found |= strcmp(c.table, "grp_member") == 0 && c.key.len == 4 &&
		         c.key.ptr[3] == m->id;
	}
	return found;
}

/* What is not in the journal yet has room for 64 members to begin with. */
static struct gk_group *
group_without_room(struct gk_member **m)
{
	const struct gk_group_config cfg = { .scope = gk_slice_str("group") };
	struct gk_member *other;
	struct gk_group *g;
	char name[8];

	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_join(g, gk_slice_str("a"), 1, m));
	gk_journal_clear(gk_group_journal(g));
	for (int i = 0; i < 64; i++) {
		(void)snprintf(name, sizeof(name), "m%d", i);
		gk_assert_ok(gk_group_join(g, gk_slice_str(name), 1, &other));
	}
	return g;
}

GK_TEST(group, member_that_cannot_be_written_down_is_what_it_was)
{
	struct gk_member *m;
	struct gk_group *g = group_without_room(&m);

	fail_at = 1;
	gk_assert_err(GK_ERR_NOMEM, gk_group_member_changed(g, m));
	fail_at = 1;
	gk_assert_err(GK_ERR_NOMEM,
	              gk_group_member_state(g, m, GK_MEMBER_LEAVING));
	fail_at = 0;
	assert_int_equal(m->state, GK_MEMBER_PENDING);
	assert_int_equal(gk_group_count_state(g, GK_MEMBER_PENDING), 65);
	assert_false(has_row_of(g, m));
	gk_group_free(g);
}

/* Whoever has said so can change it without fear, and says it twice for nothing. */
GK_TEST(group, member_said_to_have_changed_needs_no_memory_more)
{
	struct gk_member *m;
	struct gk_group *g = group_without_room(&m);

	gk_assert_ok(gk_group_member_changed(g, m));
	for (size_t i = 0; i < 63; i++) { /* to where there is no room again */
		struct gk_member *other;
		char name[8];

		(void)snprintf(name, sizeof(name), "n%zu", i);
		gk_assert_ok(gk_group_join(g, gk_slice_str(name), 1, &other));
	}
	fail_at = 1;
	gk_assert_ok(gk_group_member_changed(g, m));
	gk_assert_ok(gk_group_member_state(g, m, GK_MEMBER_LEAVING));
	fail_at = 0;
	assert_int_equal(m->state, GK_MEMBER_LEAVING);
	assert_true(has_row_of(g, m));
	gk_group_free(g);
}

GK_TEST(journal, lost_change_stops_it_for_good)
{
	struct gk_slice key = gk_slice_str("k"), value = gk_slice_str("v");
	static const uint8_t many[4096]; /* more than there is room for yet */
	const struct gk_slice large = { many, sizeof(many) };
	struct gk_journal *j, *taken;

	gk_assert_ok(gk_journal_new(key, &j));
	gk_assert_ok(gk_journal_put(j, "t", key, value));
	fail_at = 1;
	gk_assert_err(GK_ERR_NOMEM, gk_journal_put(j, "t", key, large));
	fail_at = 0;
	gk_assert_err(GK_ERR_NOMEM, gk_journal_put(j, "t", key, value));
	gk_assert_err(GK_ERR_NOMEM, gk_journal_take(j, &taken));
	assert_null(taken);
	gk_assert_ok(gk_journal_new(key, &taken));
	gk_assert_err(GK_ERR_NOMEM, gk_journal_move(taken, j));
	assert_int_equal(gk_journal_count(taken), 0);
	gk_journal_free(taken);
	gk_journal_free(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(lkh, operation_that_runs_out_of_memory_changed_nothing),
		GK_RUN(lkh, seal_that_runs_out_of_memory_leaves_the_epoch_open),
		GK_RUN(journal, lost_change_stops_it_for_good),
		GK_RUN(group,
		       member_that_cannot_be_written_down_is_what_it_was),
		GK_RUN(group, member_said_to_have_changed_needs_no_memory_more),
		GK_RUN(group,
		       running_out_of_memory_is_reported_and_leaks_nothing),
	};

	return cmocka_run_group_tests_name("common/group/nomem", tests, NULL,
	                                   NULL);
}
