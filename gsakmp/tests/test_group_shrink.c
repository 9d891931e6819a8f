/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gsakmp/engine/group_state.h"

/*
 * Most members leave and the key tree shrinks, with a key server that may die at
 * each commit: who stays keeps step, and nobody registers again.
 */
#define ALL 20
#define STAY 3

static struct world *
many(uint64_t seed, bool chain)
{
	struct world_config cfg = world_plain(seed);

	cfg.group.tree_spare = 1;
	cfg.group.lkh_chain = chain;
	cfg.gm.no_recovery = true; /* the evicted do not knock */
	return world_joined(&cfg, ALL);
}

/* All but the first few; those whom an earlier, lost order left in. */
static void
evict_most(struct world *w)
{
	const char *peers[ALL];
	size_t n = 0;

	for (size_t i = STAY; i < ALL; i++) {
		struct gk_slice name = gk_slice_str(w->member[i]->peer);

		if (gk_group_find(w->group->data, name) != NULL)
			peers[n++] = w->member[i]->peer;
	}
	if (n == 0)
		return;
	(void)gsakmp_group_evict(w->group, peers, n, simnet_now(w->net));
	world_drain(w);
	world_pass(w, 1500);
}

static void
rekeys(struct world *w, int n)
{
	while (n-- > 0) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 1500);
	}
}

/* What is kept is what is above the three who are left, and they only. */
static void
assert_small(struct world *w)
{
	struct gsakmp_group_status s = world_status(w);
	size_t rows = 0;

	assert_int_equal(s.n_members, STAY);
	assert_int_equal(s.tree.members, STAY);
	/* Seats 1 and 2 are all of the first tree, 3 is in the second. */
	assert_int_equal(s.tree.trees, 2);
	assert_int_equal(s.tree.seats, 4);
	assert_int_equal(s.tree.nodes, 3 + 2);
	assert_int_equal(s.tree.keys, 3 + 1);
	assert_int_equal(s.tree.bypassed, 1);
	for (size_t i = 0; i < w->store.n; i++)
		rows += strcmp(w->store.row[i].table, "lkh_node") == 0;
	assert_int_equal(rows, 3 + 2);
}

static void
assert_in_step(struct world *w, size_t members)
{
	assert_int_equal(world_in_step(w), members);
	for (size_t i = 0; i < members && i < STAY; i++)
		assert_true(world_has_current(w->member[i]));
	for (size_t i = STAY; i < ALL; i++)
		assert_false(world_has_current(w->member[i]));
}

/* Seats that were given back are taken again, all of them. */
static void
grow_again(struct world *w, size_t more)
{
	char name[32];

	for (size_t i = 0; i < more; i++) {
		snprintf(name, sizeof(name), "again-%zu", i);
		world_join(world_member_add(w, name));
	}
	world_pass(w, 5000);
	assert_int_equal(world_status(w).n_members, STAY + more);
	rekeys(w, 1);
	assert_in_step(w, STAY + more);
	gk_assert_ok(world_evict(w, w->member[1]->peer));
	world_pass(w, 1500);
	assert_int_equal(world_in_step(w), STAY + more - 1);
	assert_false(world_has_current(w->member[1]));
}

GK_TEST(rfc2627_5_4, a_tree_shrinks_under_members_who_notice_nothing)
{
	for (int chain = 0; chain < 2; chain++) {
		struct world *w = many(31 + (unsigned)chain, chain != 0);
		unsigned joins = w->seen.count[GSAKMP_OUT_MEMBER_PENDING];

		assert_int_equal(world_status(w).tree.seats, 32);
		evict_most(w);
		rekeys(w, 4);
		assert_small(w);
		assert_in_step(w, STAY);
		world_restart(w);
		assert_small(w);
		rekeys(w, 1);
		assert_in_step(w, STAY);
		assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING],
		                 joins);
		grow_again(w, 15);
		world_free(w);
	}
}

/* The store does not take commit number @at any more, and the server dies. */
static bool
die_at(unsigned at)
{
	struct world *w = many(77, at % 2 != 0);
	unsigned joins = w->seen.count[GSAKMP_OUT_MEMBER_PENDING];
	bool died = false;

	w->store.fail_in = at;
	for (int i = 0; i < 7; i++) {
		if (i == 0 || w->store.failed != 0)
			evict_most(w);
		if (w->store.failed == 0)
			(void)world_rekey(w);
		if (w->store.failed != 0) {
			died = true;
			w->store.failed = 0;
			world_restart(w);
			world_pass(w, 1500);
			evict_most(w);
		}
		world_pass(w, 1500);
	}
	rekeys(w, 5);
	assert_small(w);
	assert_in_step(w, STAY);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], joins);
	world_free(w);
	return died;
}

GK_TEST(rfc2627_5_4, a_server_that_dies_at_any_commit_of_it_loses_nobody)
{
	unsigned at = 1;

	while (die_at(at))
		at++;
	assert_in_range(at, 6, 40);
}

/* Every one is taken, and nothing that follows it is sent. */
GK_TEST(rfc2627_5_4, a_server_that_dies_behind_each_commit_loses_nobody)
{
	struct world *w = many(99, false);
	unsigned joins = w->seen.count[GSAKMP_OUT_MEMBER_PENDING];
	struct gsakmp_output out;

	evict_most(w);
	for (int i = 0; i < 6; i++) {
		gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
		do
			assert_true(gsakmp_group_poll(w->group, &out));
		while (out.kind != GSAKMP_OUT_COMMIT);
		assert_true(world_store_commit(&w->store, &out));
		world_restart(w);
		world_pass(w, 1500);
		assert_in_step(w, STAY);
	}
	assert_small(w);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], joins);
	grow_again(w, 6);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2627_5_4,
		       a_tree_shrinks_under_members_who_notice_nothing),
		GK_RUN(rfc2627_5_4,
		       a_server_that_dies_at_any_commit_of_it_loses_nobody),
		GK_RUN(rfc2627_5_4,
		       a_server_that_dies_behind_each_commit_loses_nobody),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/group_shrink", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
