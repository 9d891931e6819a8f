/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include "gsakmp/engine/gm_state.h"

/*
 * A member whose disk is full: what could not be made durable has not happened,
 * and happens as soon as there is room.  That the engine is exactly what it was
 * before is asserted by the world, in every one of these tests.
 */
static struct fixture
small_disk(bool joined)
{
	struct world_config cfg = world_plain(11);
	struct fixture f;

	(joined ? fixture_joined : fixture_up)(&f, &cfg, SERVER_NAME);
	f.m->store.broken = true;
	return f;
}

static unsigned
seen(const struct fixture *f, enum gsakmp_output_kind kind)
{
	return f->m->seen.count[kind];
}

GK_TEST(rfc4535_5_2_1_2_19, key_download_that_is_not_stored_is_not_acknowledged)
{
	struct fixture f = small_disk(false);

	world_join(f.m);
	world_pass(f.w, 4000);
	assert_true(f.m->store.failed >= 2);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_JOINING);
	assert_int_equal(seen(&f, GSAKMP_OUT_KEY_INSTALL), 0);
	assert_int_equal(seen(&f, GSAKMP_OUT_JOINED), 0);
	assert_int_equal(
		f.m->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK].len, 0);
	f.m->store.broken = false;
	world_pass(f.w, 4000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(seen(&f, GSAKMP_OUT_JOINED), 1);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 1);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_20, join_whose_answer_is_never_stored_ends_and_says_why)
{
	struct fixture f = small_disk(false);
	struct gsakmp_gm_status st;

	world_join(f.m);
	world_pass(f.w, 60000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(seen(&f, GSAKMP_OUT_LEFT), 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_KEY_INSTALL), 0);
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.waiting, 0);
	/* and nothing is left behind that would join by itself */
	f.m->store.broken = false;
	world_pass(f.w, 60000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.m->store.n, 0);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_1_13, rekeys_wait_for_the_store_in_their_order)
{
	struct fixture f = small_disk(true);
	uint32_t handle = f.m->key.handle;
	struct gsakmp_gm_status st;

	for (unsigned i = 1; i <= 4; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 300);
		gsakmp_gm_status(f.m->gm, &st);
		assert_int_equal(st.waiting, i);
	}
	assert_int_equal(f.m->key.handle, handle);
	f.m->store.broken = false;
	world_pass(f.w, 3000);
	assert_true(world_has_current(f.m));
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(st.sequence, world_status(f.w).sequence);
	assert_int_equal(seen(&f, GSAKMP_OUT_STALE), 0);
	assert_int_equal(seen(&f, GSAKMP_OUT_JOINED), 1);
	assert_int_equal(seen(&f, GSAKMP_OUT_REFUSED), 0);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_2_09, copy_of_a_rekey_that_waits_is_a_replay)
{
	struct fixture f = small_disk(true);
	struct gk_buf copy = { 0 };

	gm_next_rekey(&f, &copy);
	gk_assert_err(GK_OK, world_to_member(f.m, gk_buf_slice(&copy)));
	assert_int_equal(f.m->store.failed, 1);
	gm_refused(&f, gk_buf_slice(&copy), "RFC4535-7.1.2-09");
	assert_int_equal(f.m->store.failed, 1);
	f.m->store.broken = false;
	world_pass(f.w, 1500);
	assert_true(world_has_current(f.m));
	gk_buf_free(&copy);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_1_13, more_rekeys_than_are_held_end_in_a_rejoin)
{
	struct fixture f = small_disk(true);
	struct gsakmp_gm_status st;

	for (unsigned i = 0; i < GSAKMP_GM_HELD_MAX + 4; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 50);
	}
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.waiting, GSAKMP_GM_HELD_MAX);
	f.m->store.broken = false;
	world_pass(f.w, 2000);
	gk_assert_ok(world_rekey(f.w)); /* whoever missed one notices */
	world_pass(f.w, 20000);
	assert_true(world_has_current(f.m));
	fixture_down(&f);
}

GK_TEST(rfc4534_2_09, token_that_is_not_stored_is_not_in_force)
{
	struct fixture f = small_disk(true);
	struct gsakmp_gm_status st;

	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	world_pass(f.w, 500);
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.edition, 1);
	f.m->store.broken = false;
	world_pass(f.w, 2000);
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.edition, 2);
	assert_true(world_has_current(f.m));
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_1_3_02, destruction_is_obeyed_whatever_the_store_says)
{
	struct fixture f = small_disk(true);

	gk_assert_ok(gsakmp_group_destroy(f.w->group, simnet_now(f.w->net)));
	world_drain(f.w);
	world_pass(f.w, 500);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_false(f.m->has_key);
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	/* The row is owed until it is there. */
	f.m->store.broken = false;
	world_pass(f.w, 2000);
	world_restart_member(f.m);
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	fixture_down(&f);
}

GK_TEST(rfc4534_2_09, owed_row_of_an_eviction_never_replaces_a_newer_one)
{
	struct fixture f = small_disk(true);
	struct gsakmp_gm_status st;

	f.w->excluded[0] = "CN=alice,O=Members";
	f.w->n_excluded = 1;
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	world_pass(f.w, 500);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_false(f.m->has_key);
	f.w->n_excluded = 0;
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	f.m->store.broken = false;
	world_join(f.m);
	world_pass(f.w, 100);
	gsakmp_gm_status(f.m->gm, &st);
	assert_int_equal(st.edition, 3);
	world_pass(f.w, 60000);
	world_restart_member(f.m);
	assert_int_equal(f.m->gm->seen.edition, 3);
	fixture_down(&f);
}

/* A life: join, rekeys, a token, a lost event and the rejoin, a departure. */
static void
live(struct world *w, struct world_member *m)
{
	world_join(m);
	world_pass(w, 8000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 8000);
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 8000);
	simnet_listen(w->net, m->node, false);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 100);
	simnet_listen(w->net, m->node, true);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 20000);
}

GK_TEST(rfc4535_7_1_1_13, each_commit_of_a_life_fails_once_and_nothing_is_lost)
{
	unsigned commits = 1;

	for (unsigned n = 0; n <= commits; n++) {
		const struct world_config cfg = world_plain(12);
		struct world *w = world_with(&cfg, 2);
		struct world_member *m = w->member[0];
		struct gsakmp_gm_status st;

		world_join(w->member[1]);
		m->store.fail_in = n;
		live(w, m);
		if (n == 0)
			commits = m->store.commits;
		assert_int_equal(m->store.failed, n != 0);
		assert_int_equal(world_in_step(w), 2);
		gsakmp_gm_status(m->gm, &st);
		assert_int_equal(st.edition, 2);
		assert_int_equal(st.waiting, 0);
		assert_int_equal(m->seen.count[GSAKMP_OUT_LEFT], 0);
		gk_assert_ok(gsakmp_gm_leave(m->gm, true, simnet_now(w->net)));
		world_drain_member(m);
		world_pass(w, 1000);
		assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_IDLE);
		world_free(w);
	}
	assert_true(commits >= 5);
}

/* Another announcement is an input, too: what is still to be committed is not
 * forgotten for it. */
GK_TEST(rfc4535_7_1_1_13, announcement_waits_for_what_is_to_be_committed)
{
	struct world_config cfg = world_plain(11);
	struct gsakmp_suite suite;
	struct gk_buf copy = { 0 };
	struct fixture f;
	unsigned commits;

	fixture_joined(&f, &cfg, SERVER_NAME);
	suite = f.m->gm->cfg.suite;
	commits = f.m->store.commits;
	gm_next_rekey(&f, &copy);
	gk_assert_ok(gsakmp_gm_receive(f.m->gm, copy.ptr, copy.len, NULL,
	                               simnet_now(f.w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_announced(f.m->gm, &suite,
	                                  f.m->gm->cfg.expected_gcks,
	                                  simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_int_equal(f.m->store.commits, commits + 1);
	assert_true(world_has_current(f.m));
	gk_assert_ok(gsakmp_gm_announced(f.m->gm, &suite,
	                                 f.m->gm->cfg.expected_gcks,
	                                 simnet_now(f.w->net)));
	gk_buf_free(&copy);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_2_19,
		       key_download_that_is_not_stored_is_not_acknowledged),
		GK_RUN(rfc4535_5_2_1_1_20,
		       join_whose_answer_is_never_stored_ends_and_says_why),
		GK_RUN(rfc4535_7_1_1_13,
		       rekeys_wait_for_the_store_in_their_order),
		GK_RUN(rfc4535_7_1_1_13,
		       announcement_waits_for_what_is_to_be_committed),
		GK_RUN(rfc4535_7_1_2_09,
		       copy_of_a_rekey_that_waits_is_a_replay),
		GK_RUN(rfc4535_7_1_1_13,
		       more_rekeys_than_are_held_end_in_a_rejoin),
		GK_RUN(rfc4534_2_09, token_that_is_not_stored_is_not_in_force),
		GK_RUN(rfc4535_5_3_1_3_02,
		       destruction_is_obeyed_whatever_the_store_says),
		GK_RUN(rfc4534_2_09,
		       owed_row_of_an_eviction_never_replaces_a_newer_one),
		GK_RUN(rfc4535_7_1_1_13,
		       each_commit_of_a_life_fails_once_and_nothing_is_lost),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_store", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
