/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <stdio.h>
#include <string.h>

#include "common/lkh/gk_lkh.h"
#include "gdoi/engine/group_state.h"

/*
 * Most members leave and the key tree, whose size is fixed, keeps nothing for
 * them: RFC 6407 section 5.6.3, RFC 2627 section 5.4.
 */
#define ALL 60
#define STAY 4

static struct gw w;

/* Leaves 64 to 123 of a tree of 127 nodes; the first four and the last one stay. */
static bool
stays(size_t i)
{
	return i < STAY || i == ALL - 1;
}

static void
begin(bool backward)
{
	gw_init(&w, ALL + 8);
	w.cfg.members_max = 64;
	w.cfg.push_max = 9000;
	w.cfg.tree_spare = 1;
	w.template.rekey.backward = backward;
	gw_open_with(&w, ALL);
	gw_after(&w, 5);
}

static void
evict_most(void)
{
	static char text[ALL][64];
	const char *peer[ALL];
	size_t n = 0;

	for (size_t i = 0; i < ALL; i++) {
		struct gk_slice name = gk_buf_slice(&w.member[i].name);

		if (stays(i) || gk_group_find(w.group->data, name) == NULL)
			continue;
		snprintf(text[n], sizeof(text[n]), "%.*s", (int)name.len,
		         (const char *)name.ptr);
		peer[n] = text[n];
		n++;
	}
	if (n == 0)
		return;
	(void)gdoi_group_evict(w.group, peer, n, w.now);
	gw_drain(&w);
	gw_after(&w, 5);
}

static void
rekeys(int n)
{
	while (n-- > 0) {
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
		gw_drain(&w);
		gw_after(&w, 5);
	}
}

static void
assert_small(void)
{
	struct gdoi_group_status s;
	size_t rows = 0;

	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_members, STAY + 1);
	assert_int_equal(s.tree.seats, 64);
	/* 64 to 67, 32, 33, 16, 8, 4, 2 and 123, 61, 30, 15, 7, 3; the root
	 * is the KEK. */
	assert_int_equal(s.tree.nodes, 16);
	/* An update array has all of a path. */
	assert_int_equal(s.tree.bypassed, 0);
	for (size_t i = 0; i < w.n_rows; i++)
		rows += strcmp(w.row[i].table, "lkh_node") == 0;
	assert_in_range(rows, 16, 17);
}

static void
assert_readers(void)
{
	assert_int_equal(gw_readers(&w), STAY + 1);
	for (size_t i = 0; i < ALL; i++)
		assert_int_equal(gw_can_read(&w, &w.member[i]), stays(i));
}

GK_TEST(rfc6407_5_6_3_2_04, a_tree_shrinks_under_members_who_notice_nothing)
{
	for (int backward = 0; backward < 2; backward++) {
		begin(backward != 0);
		evict_most();
		rekeys(4);
		assert_small();
		assert_readers();
		gw_restart(&w);
		assert_small();
		rekeys(2);
		assert_readers();
		/* Below other children of what was bypassed; then all leave
		 * who are beside the first. */
		for (size_t i = ALL; i < ALL + 8; i++)
			gk_assert_ok(gw_register(&w, &w.member[i]));
		gw_drain(&w);
		gw_after(&w, 5);
		assert_int_equal(gw_readers(&w), STAY + 1 + 8);
		for (size_t i = 1; i < STAY; i++) {
			gk_assert_ok(gw_evict(&w, &w.member[i]));
			gw_after(&w, 5);
			assert_false(gw_can_read(&w, &w.member[i]));
		}
		assert_int_equal(gw_readers(&w), 1 + 1 + 8);
		for (size_t i = ALL; i < ALL + 8; i++) {
			gk_assert_ok(gw_evict(&w, &w.member[i]));
			gw_after(&w, 5);
			assert_false(gw_can_read(&w, &w.member[i]));
		}
		assert_int_equal(gw_readers(&w), 2);
		gw_free(&w);
	}
}

GK_TEST(rfc6407_5_6_3_2_04, a_server_that_dies_between_two_rekeys_loses_nobody)
{
	begin(true);
	evict_most();
	for (int i = 0; i < 6; i++) {
		/* What is not in the store was not done. */
		w.broken = true;
		(void)gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now);
		gw_drain(&w);
		w.broken = false;
		gw_restart(&w);
		gw_after(&w, 5);
		assert_readers();
		/* What is, was not sent. */
		w.lose = true;
		rekeys(1);
		w.lose = false;
		gw_restart(&w);
		gw_after(&w, 5);
		rekeys(1);
	}
	assert_small();
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_6_3_2_04,
		       a_tree_shrinks_under_members_who_notice_nothing),
		GK_RUN(rfc6407_5_6_3_2_04,
		       a_server_that_dies_between_two_rekeys_loses_nobody),
	};
	int failed = cmocka_run_group_tests_name("gdoi/group_shrink", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
