/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/sgcks_scene.h"

/* Expulsion: a subordinate tells its primary who has to go. */

GK_TEST(rfc4535_4_4_7_09, an_expulsion_is_told_to_the_primary)
{
	struct scene sc = open_scene();
	uint32_t handle = sc.a->key.handle;

	gk_assert_ok(world_sub_evict(sc.north, sc.a->peer));
	world_pass(sc.w, 3000);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_int_equal(sc.north->above.count[GSAKMP_OUT_EXPULSION_ACCEPTED],
	                 1);
	assert_true(gk_group_excluded(sc.w->group->data,
	                              gk_slice_str(sc.a->peer), NULL));
	assert_int_not_equal(status(sc.w->group).gtpk.handle, handle);
	/* RFC4535-4.4.7-04: everywhere a new key, and not for the expelled. */
	assert_int_equal(world_in_step(sc.w), 3);
	assert_false(world_has_current(sc.a));
	assert_int_equal(status(sc.north->group).n_expelled, 0);
	/* nor may it come back, here or at the primary */
	sc.a->n_servers = 0;
	world_pass(sc.w, 60000);
	assert_false(world_has_current(sc.a));
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_09, each_of_several_expulsions_is_told)
{
	struct scene sc = open_scene();
	struct world_member *m[] = { behind(sc.north, "e"),
		                     behind(sc.north, "f") };

	/* one after another, and two at once */
	for (unsigned i = 0; i < 2; i++) {
		world_join(m[i]);
		world_pass(sc.w, 3000);
		assert_true(world_has_current(m[i]));
		gk_assert_ok(world_sub_evict(sc.north, m[i]->peer));
		world_pass(sc.w, 3000);
		assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], i + 1);
	}
	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	gk_assert_ok(world_sub_evict(sc.north, sc.a->peer));
	gk_assert_ok(world_sub_evict(sc.north, sc.b->peer));
	world_pass(sc.w, 5000);
	simnet_cut(sc.w->net, sc.w->worker[0].node, false);
	world_pass(sc.w, 120000);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 4);
	assert_int_equal(status(sc.north->group).n_expelled, 0);
	assert_int_equal(world_in_step(sc.w), 2);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_10, after_an_expulsion_its_own_rekey_is_refused)
{
	struct scene sc = open_scene();
	unsigned n = sc.north->seen.count[GSAKMP_OUT_MULTICAST];

	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	gk_assert_ok(world_sub_evict(sc.north, sc.a->peer));
	world_pass(sc.w, 60000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MULTICAST], n);
	assert_int_equal(status(sc.north->group).n_expelled, 1);
	assert_int_equal(status(sc.north->group).n_members, 1);
	gk_assert_err(GK_ERR_POLICY, gsakmp_group_rekey(sc.north->group,
	                                                simnet_now(sc.w->net)));
	simnet_cut(sc.w->net, sc.w->worker[0].node, false);
	world_pass(sc.w, 120000);
	assert_true(sc.north->seen.count[GSAKMP_OUT_MULTICAST] > n);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_int_equal(world_in_step(sc.w), 3);
	close_scene(&sc);
}

/* A member of the primary says the same of another. */
GK_TEST(rfc4535_4_4_7_09, nobody_but_a_subordinate_may_say_so)
{
	static const uint8_t name[] = "CN=a,O=Members";
	const struct gsakmp_expulsion who = {
		.reason = GSAKMP_EXPULSION_BARRED,
		.id_type = GSAKMP_ID_DN_STRING,
		.id = { name, sizeof(name) - 1 },
	};
	struct scene sc = open_scene();
	struct world_member *e = world_member_add(sc.w, "e");
	uint32_t handle;

	world_join(e);
	world_pass(sc.w, 3000);
	assert_true(world_has_current(e));
	handle = e->key.handle;
	gk_assert_ok(gsakmp_gm_expel(e->gm, gk_slice_str(sc.a->peer), &who,
	                             simnet_now(sc.w->net)));
	world_drain_member(e);
	world_pass(sc.w, 3000);
	assert_string_equal(sc.w->seen.req, "RFC4535-4.4.7-09");
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 0);
	assert_int_equal(status(sc.w->group).gtpk.handle, handle);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_09, a_subordinate_does_not_expel_key_servers)
{
	static const uint8_t name[] = SOUTH;
	const struct gsakmp_expulsion who = {
		.reason = GSAKMP_EXPULSION_BARRED,
		.id_type = GSAKMP_ID_DN_STRING,
		.id = { name, sizeof(name) - 1 },
	};
	struct scene sc = open_scene();

	/* Sent by the member's engine of a subordinate, registered in its own
	 * right. */
	world_sub_kill(sc.north);
	world_join(sc.north->m);
	world_pass(sc.w, 2000);
	gk_assert_ok(gsakmp_gm_expel(sc.north->m->gm,
	                             gk_slice_str(sc.south->m->peer), &who,
	                             simnet_now(sc.w->net)));
	world_drain_member(sc.north->m);
	world_pass(sc.w, 3000);
	assert_string_equal(sc.w->seen.req, "RFC4535-4.4.7-09");
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 0);
	assert_int_equal(status(sc.w->group).n_members, 2);
	close_scene(&sc);
}

/* Who never acknowledges goes when the policy says so, and may come back. */
GK_TEST(rfc4535_5_2_1_4_16, a_silent_member_is_expelled_by_the_count_of_events)
{
	struct world_config cfg = usual;
	struct scene sc;
	struct world_member *e;
	uint32_t handle;

	cfg.event = GPT_REKEY_EVENT_COUNT;
	cfg.event_count = 1;
	sc = ground(&cfg);
	all_join(&sc);
	handle = sc.a->key.handle;
	e = behind(sc.north, "e");
	world_join(e);
	simnet_cut(sc.w->net, e->node, true); /* hears nothing any more */
	world_pass(sc.w, 40000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_MEMBER_PENDING], 3);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_int_not_equal(status(sc.w->group).gtpk.handle, handle);
	assert_int_equal(world_in_step(sc.w), 4);
	simnet_cut(sc.w->net, e->node, false);
	world_pass(sc.w, 1000);
	if (gsakmp_gm_state(e->gm) == GSAKMP_GM_IDLE)
		world_join(e);
	world_pass(sc.w, 10000);
	assert_true(world_has_current(e));
	close_scene(&sc);
}

/* As a departure is: section 5.3.2.3.1. */
GK_TEST(rfc4535_4_4_7_09, an_expulsion_that_nobody_answers_is_told_again)
{
	static const uint8_t name[] = "CN=a,O=Members";
	const struct gsakmp_expulsion who = {
		.reason = GSAKMP_EXPULSION_BARRED,
		.id_type = GSAKMP_ID_DN_STRING,
		.id = { name, sizeof(name) - 1 },
	};
	struct scene sc = open_scene();
	struct world_member *m = sc.north->m;
	const unsigned *sent = &m->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART];
	uint8_t nonce[3][16] = { { 0 } };
	unsigned before;

	world_sub_kill(sc.north);
	world_join(m);
	world_pass(sc.w, 2000);
	for (int heard = 0; heard < 2; heard++) {
		simnet_cut(sc.w->net, sc.w->worker[0].node, true);
		before = *sent;
		gk_assert_ok(gsakmp_gm_expel(m->gm, gk_slice_str(sc.a->peer),
		                             &who, simnet_now(sc.w->net)));
		memcpy(nonce[heard], m->gm->expulsion.nonce_i.ptr, 16);
		world_drain_member(m);
		while (heard && *sent < before + 3)
			world_pass(sc.w, 100);
		simnet_cut(sc.w->net, sc.w->worker[0].node, !heard);
		world_pass(sc.w, 60000);
		/* Four times in vain, or once more than it was not heard. */
		assert_int_equal(*sent - before, 4);
		assert_false(gsakmp_gm_expelling(m->gm));
		assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], heard);
	}
	for (size_t i = 0; i < 2; i++) /* each of its own, which was drawn */
		assert_memory_not_equal(nonce[i], nonce[i + 1], 16);
	close_scene(&sc);
}

/* Decision `expulsion`, the other reading. */
GK_TEST(rfc4535_4_4_7_09, an_expulsion_as_the_data_of_leave_group)
{
	struct world_config cfg = usual;
	struct scene sc;

	gk_assert_ok(
		gsakmp_dialect_set(&cfg.dialect, "expulsion", "leave_data"));
	sc = ground(&cfg);
	all_join(&sc);
	gk_assert_ok(world_sub_evict(sc.north, sc.a->peer));
	world_pass(sc.w, 3000);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 0);
	/* the one that was named, and for good */
	assert_true(gk_group_excluded(sc.w->group->data,
	                              gk_slice_str(sc.a->peer), NULL));
	assert_int_equal(status(sc.w->group).n_members, 2);
	assert_int_equal(world_in_step(sc.w), 3);
	close_scene(&sc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_4_7_09, an_expulsion_is_told_to_the_primary),
		GK_RUN(rfc4535_4_4_7_09, each_of_several_expulsions_is_told),
		GK_RUN(rfc4535_4_4_7_10,
		       after_an_expulsion_its_own_rekey_is_refused),
		GK_RUN(rfc4535_4_4_7_09, nobody_but_a_subordinate_may_say_so),
		GK_RUN(rfc4535_4_4_7_09,
		       a_subordinate_does_not_expel_key_servers),
		GK_RUN(rfc4535_5_2_1_4_16,
		       a_silent_member_is_expelled_by_the_count_of_events),
		GK_RUN(rfc4535_4_4_7_09,
		       an_expulsion_that_nobody_answers_is_told_again),
		GK_RUN(rfc4535_4_4_7_09,
		       an_expulsion_as_the_data_of_leave_group),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/sgcks_expel", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
