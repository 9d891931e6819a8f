/* SPDX-License-Identifier: BSD-2-Clause */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group_state.h"
#include "common/test/gk_test.h"

static enum gk_err
counting(void *ctx, uint8_t *out, size_t n)
{
	static uint8_t next;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = ++next;
	return GK_OK;
}

static const struct gk_env env = { .random = counting };

static struct gk_group *
group_of(unsigned degree)
{
	const struct gk_group_config cfg = {
		.scope = gk_slice_str("group"),
		.lkh = { .degree = degree, .key_len = 16, .backward = true },
	};
	struct gk_group *g;

	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_key_define(g, 7, 3, 24, 3600, 1000));
	return g;
}

static struct gk_member *
join(struct gk_group *g, const char *name)
{
	struct gk_member *m;

	gk_assert_ok(gk_group_join(g, gk_slice_str(name), 2000, &m));
	return m;
}

static size_t
rows_of(const struct gk_journal *j, const char *table,
        enum gk_journal_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < gk_journal_count(j); i++) {
		struct gk_change c = gk_journal_at(j, i);

		n += c.kind == kind && strcmp(c.table, table) == 0;
	}
	return n;
}

GK_TEST(group, members_are_counted_by_state)
{
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a"), *b = join(g, "b");

	assert_int_equal(gk_group_count_state(g, GK_MEMBER_PENDING), 2);
	gk_assert_ok(gk_group_member_state(g, a, GK_MEMBER_ACTIVE));
	gk_assert_ok(gk_group_member_state(g, b, GK_MEMBER_LEAVING));
	gk_assert_ok(gk_group_member_state(g, b, GK_MEMBER_LEAVING));
	assert_int_equal(gk_group_count_state(g, GK_MEMBER_PENDING), 0);
	assert_int_equal(gk_group_count_state(g, GK_MEMBER_ACTIVE), 1);
	assert_int_equal(gk_group_count_state(g, GK_MEMBER_LEAVING), 1);
	gk_assert_ok(gk_group_leave(g, b, 3000));
	assert_int_equal(gk_group_count_state(g, GK_MEMBER_LEAVING), 0);
	assert_int_equal(gk_group_count(g), 1);
	gk_group_free(g);
}

GK_TEST(group, several_are_found_by_name_once_each)
{
	static const char *const both[] = { "b", "a" };
	static const char *const twice[] = { "a", "a" };
	static const char *const stranger[] = { "a", "c" };
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a"), *b = join(g, "b"), *m[2];

	gk_assert_ok(gk_group_find_several(g, both, 2, m));
	assert_true(a->id < b->id);
	assert_ptr_equal(m[0], a);
	assert_ptr_equal(m[1], b);
	gk_assert_err(GK_ERR_VALUE, gk_group_find_several(g, twice, 2, m));
	gk_assert_err(GK_ERR_VALUE, gk_group_find_several(g, stranger, 2, m));
	gk_assert_ok(gk_group_find_several(g, both, 0, m));
	gk_group_free(g);
}

static void
note(void *ctx, const char *identity)
{
	strcat(ctx, identity);
	strcat(ctx, ";");
}

GK_TEST(group, the_excluded_are_told_by_name)
{
	struct gk_group *g = group_of(2);
	char told[64] = "";

	gk_group_excluded_names(g, note, told);
	assert_string_equal(told, "");
	gk_assert_ok(gk_group_exclude(g, gk_slice_str("mallory"),
	                              gk_slice_str("evicted")));
	gk_group_excluded_names(g, note, told);
	assert_string_equal(told, "mallory;");
	gk_group_free(g);
}

GK_TEST(group, what_changed_often_is_one_row)
{
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a");
	struct gk_journal *j;
	uint32_t sequence;

	for (unsigned i = 0; i < 5; i++) {
		gk_assert_ok(gk_group_member_blob(g, a, gk_slice_str("blob")));
		gk_assert_ok(gk_group_sequence_next(g, &sequence));
	}
	gk_assert_ok(gk_group_member_state(g, a, GK_MEMBER_ACTIVE));
	j = gk_group_journal(g);
	assert_int_equal(rows_of(j, "grp_member", GK_JOURNAL_PUT), 1);
	assert_int_equal(rows_of(j, "grp_head", GK_JOURNAL_PUT), 1);
	gk_journal_clear(j);
	assert_int_equal(gk_journal_count(gk_group_journal(g)), 0);
	gk_group_free(g);
}

/* The row of somebody who came and went is not there; that of his successor on
 * the same seat is. */
GK_TEST(group, seat_taken_over_between_commits_is_the_successors)
{
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a");
	struct gk_journal *j;

	gk_assert_ok(gk_group_leave(g, a, 3000));
	a = join(g, "b");
	assert_int_equal(a->id, 1);
	j = gk_group_journal(g);
	assert_int_equal(rows_of(j, "grp_member", GK_JOURNAL_PUT), 1);
	gk_journal_clear(j);
	gk_assert_ok(gk_group_leave(g, a, 4000));
	j = gk_group_journal(g);
	assert_int_equal(rows_of(j, "grp_member", GK_JOURNAL_PUT), 0);
	assert_int_equal(rows_of(j, "grp_member", GK_JOURNAL_DEL), 1);
	gk_group_free(g);
}

GK_TEST(group, index_finds_everybody_whoever_left)
{
	struct gk_group *g = group_of(2);
	char name[16];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "%u", i);
		join(g, name);
	}
	for (unsigned i = 0; i < 2000; i += 3) {
		snprintf(name, sizeof(name), "%u", i);
		gk_assert_ok(gk_group_leave(
			g, gk_group_find(g, gk_slice_str(name)), 3000));
		for (unsigned k = i; k < i + 9 && k < 2000; k++) {
			bool gone = k % 3 == 0 && k <= i;

			snprintf(name, sizeof(name), "%u", k);
			assert_int_equal(gk_group_find(g, gk_slice_str(name)) ==
			                         NULL,
			                 gone);
		}
	}
	gk_group_free(g);
}

/* What the page on benchmarks promises: 256 octets for a member beyond the keys
 * of the tree, with a name and a blob of usual size. */
#if !GK_ASAN /* which has an allocator of its own */
/* And gets smaller with those who left. */
GK_TEST(group, index_of_a_large_group_that_became_small)
{
	enum { ALL = 80000, STAY = 5 };
	struct gk_group *g = group_of(4);
	struct gk_journal *taken;
	struct gk_lkh_plan plan;
	struct gk_member *m;
	char name[32];

	for (int wave = 0; wave < 2; wave++) {
		size_t cursor = 0;

		for (uint32_t i = 0; i < ALL; i++) {
			snprintf(name, sizeof(name), "CN=member %u", i);
			if (gk_group_find(g, gk_slice_str(name)) == NULL)
				gk_assert_ok(gk_group_join(
					g, gk_slice_str(name), 2000, &m));
		}
		gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
		gk_lkh_plan_free(&plan);
		while ((m = gk_group_each(g, &cursor)) != NULL)
			if (m->id > STAY)
				gk_assert_ok(gk_group_leave(g, m, 2000));
		gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
		gk_lkh_plan_free(&plan);
		for (int i = 0; i < 4; i++) {
			gk_group_shrink(g, 3000);
			gk_assert_ok(
				gk_journal_take(gk_group_journal(g), &taken));
			gk_journal_free(taken);
		}
		assert_in_range(g->slot_cap, STAY, 20000);
		assert_in_range(g->id_cap, STAY, 64);
		assert_int_equal(gk_group_count(g), STAY);
		for (uint32_t id = 1; id <= STAY; id++) {
			m = gk_group_find_id(g, id);
			assert_non_null(m);
			assert_ptr_equal(
				gk_group_find(g, gk_buf_slice(&m->identity)),
				m);
		}
	}
	gk_group_free(g);
}

GK_TEST(group, member_takes_little_memory)
{
	const uint32_t n = 65536;
	struct gk_group *g;
	struct gk_member *m;
	size_t before, used;
	char name[48];

	before = mallinfo2().uordblks + mallinfo2().hblkhd;
	g = group_of(2);
	for (uint32_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "dn:CN=member-%07u,O=Members", i);
		m = join(g, name);
		gk_assert_ok(gk_group_member_blob(
			g, m, gk_slice_str("sixteen octets..")));
		if (i % 64 == 63)
			gk_journal_clear(gk_group_journal(g));
	}
	{
		struct gk_lkh_plan plan;

		gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
		gk_lkh_plan_free(&plan);
	}
	gk_journal_clear(gk_group_journal(g));
	used = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	used -= (size_t)n * 2 * 16; /* the keys */
	assert_true(used / n <= 256);
	gk_group_free(g);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(group, members_are_counted_by_state),
		GK_RUN(group, several_are_found_by_name_once_each),
		GK_RUN(group, the_excluded_are_told_by_name),
		GK_RUN(group, what_changed_often_is_one_row),
		GK_RUN(group,
		       seat_taken_over_between_commits_is_the_successors),
		GK_RUN(group, index_finds_everybody_whoever_left),
#if !GK_ASAN
		GK_RUN(group, index_of_a_large_group_that_became_small),
		GK_RUN(group, member_takes_little_memory),
#endif
	};

	return cmocka_run_group_tests_name("common/group/member", tests, NULL,
	                                   NULL);
}
