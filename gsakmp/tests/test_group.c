/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

/*
 * The group over time: the states of the key server and rekeys by policy.  RFC
 * 4535 sections 5.3 and 8 and appendix A, RFC 4534 B.5.
 */

/* ---- Table 29 ----------------------------------------------------------- */

GK_TEST(rfc4535_8_03, create_group_command_is_the_first_token)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_new(&cfg);
	const struct gsakmp_group_config empty = {
		.party = w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = w->group_id,
	};
	struct gsakmp_group *idle = gsakmp_group_new(&w->env, &empty);
	struct gsakmp_group_status s;

	/* Idle: nothing but a token does anything. */
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_rekey(idle, simnet_now(w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_destroy(idle, simnet_now(w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_evict(idle, NULL, 0, simnet_now(w->net)));
	gsakmp_group_status(idle, &s);
	assert_false(s.open);
	assert_true(gsakmp_group_deadline(idle) == GK_NEVER);
	gk_assert_ok(gsakmp_group_set_token(idle, gk_buf_slice(&w->token),
	                                    simnet_now(w->net), NULL));
	gsakmp_group_status(idle, &s);
	assert_true(s.open);
	gsakmp_group_free(idle);
	world_free(w);
}

GK_TEST(rfc4535_8_05, valid_rtj_waits_for_a_response)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_with(&cfg, 1);

	/* RFC4535-8-08: the join command takes the member out of Idle. */
	world_join_all(w);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_JOINING);
	world_pass(w, 1);
	assert_int_equal(world_status(w).n_pending, 1);
	/* RFC4535-8-06, RFC4535-8-09: its ACK takes both to the next state. */
	world_pass(w, 2);
	assert_int_equal(world_status(w).n_pending, 0);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_MEMBER);
	/* RFC4535-8-10: management messages leave it where it is. */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 10);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_MEMBER);
	world_free(w);
}

GK_TEST(rfc4535_8_06, timeout_returns_to_waiting_for_events)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_with(&cfg, 1);

	world_join_all(w);
	world_pass(w, 1);
	simnet_cut(w->net, w->member[0]->node, true);
	assert_int_equal(world_status(w).n_pending, 1);
	world_pass(w, 11000);
	assert_int_equal(world_status(w).n_pending, 0);
	assert_int_equal(world_status(w).n_overdue, 1);
	world_free(w);
}

GK_TEST(rfc4535_8_04, departure_leaves_the_server_waiting_for_events)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);

	/* RFC4535-8-11: and takes the member back to Idle. */
	gk_assert_ok(
		gsakmp_gm_leave(w->member[0]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	assert_true(world_status(w).open);
	assert_int_equal(world_status(w).n_pending, 0);
	world_free(w);
}

GK_TEST(rfc4535_8_07, delete_group_command_returns_to_idle)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 1);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_false(world_status(w).open);
	gk_assert_err(GK_ERR_UNEXPECTED, world_rekey(w));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_destroy(w->group, simnet_now(w->net)));
	/* and nobody can join any more */
	world_join(world_member_add(w, "late"));
	world_pass(w, 1000);
	assert_string_equal(w->seen.req, "RFC4535-7.1.2-02");
	world_free(w);
}

GK_TEST(rfc4535_8_12, timeout_while_joining_returns_to_idle)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_with(&cfg, 1);

	simnet_cut(w->net, w->worker[0].node, true);
	world_join_all(w);
	/* Four requests, five seconds each; and what is added by chance: up to
	 * 2.5, and thrice 5. */
	world_pass(w, 19999);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_JOINING);
	world_pass(w, 17502);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	world_free(w);
}

/* ---- rekeys ------------------------------------------------------------- */

GK_TEST(rfc4535_5_3_1_1_01, time_of_the_token_brings_a_rekey)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.event_time = 600;
	w = world_joined(&cfg, 4);
	before = world_status(w).gtpk.handle;
	world_pass(w, 601 * 1000);
	assert_int_not_equal(world_status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_01, expiry_of_the_key_brings_a_rekey)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.group.gtpk_life_s = 300;
	w = world_joined(&cfg, 3);
	before = world_status(w).gtpk.handle;
	world_pass(w, 290 * 1000);
	assert_int_not_equal(world_status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_7_4_1_1, member_forgets_a_key_that_has_expired)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	cfg.group.gtpk_life_s = 300;
	cfg.gm.no_recovery = true;
	w = world_joined(&cfg, 1);
	world_pass(w, 296 * 1000);
	assert_true(w->member[0]->has_key);
	world_pass(w, 5 * 1000);
	assert_false(w->member[0]->has_key);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_STALE], 1);
	world_free(w);
}

GK_TEST(rfc4534_b_1_1_06, member_knows_whether_it_may_send)
{
	struct world_config cfg = world_plain(7);
	struct gsakmp_gm_status s;
	struct world *w = world_with(&cfg, 2);

	w->only_sender = "CN=m1,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_join_all(w);
	world_pass(w, 3000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_false(s.may_send);
	gsakmp_gm_status(w->member[1]->gm, &s);
	assert_true(s.may_send);
	w->only_sender = NULL;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 3000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_true(s.may_send);
	world_free(w);
}

GK_TEST(rfc4534_b_5_3_04, departures_count_towards_a_rekey)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_count = 2;
	w = world_joined(&cfg, 5);
	for (size_t i = 0; i < 2; i++) {
		before = world_status(w).gtpk.handle;
		gk_assert_ok(gsakmp_gm_leave(w->member[i]->gm, true,
		                             simnet_now(w->net)));
		world_drain_member(w->member[i]);
		world_pass(w, 1000);
		if (i == 0)
			assert_int_equal(world_status(w).gtpk.handle, before);
	}
	assert_int_not_equal(world_status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(world_status(w).n_members, 3);
	/* They have left, and nobody has thrown them out. */
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 2);
	assert_int_equal(w->seen.count[GSAKMP_OUT_EVICTED], 0);
	world_free(w);
}

GK_TEST(rfc4534_b_5_3_05, rekey_event_none_never_rekeys)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	w = world_joined(&cfg, 3);
	world_pass(w, 30ull * 86400 * 1000 / 31);
	assert_int_equal(world_status(w).rekeys, 0);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_7_1_1_12, sequence_rises_by_one_from_one)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_with(&cfg, 1);

	assert_int_equal(world_status(w).sequence, 0);
	world_join_all(w);
	world_pass(w, 1000);
	for (uint32_t i = 1; i < 5; i++) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 100);
		assert_int_equal(world_status(w).sequence, i);
	}
	assert_int_equal(world_in_step(w), 1);
	world_free(w);
}

GK_TEST(rfc4535_7_5_2_16, several_rekeys_within_a_second_are_all_accepted)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);

	for (int i = 0; i < 10; i++)
		gk_assert_ok(world_rekey(w));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4534_b_5_6_2_01, resend_repeats_the_same_message)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint64_t sent;

	cfg.resend = 3;
	w = world_joined(&cfg, 2);
	world_pass(w, 10000);
	sent = simnet_counters(w->net)->sent;
	gk_assert_ok(world_rekey(w));
	world_pass(w, 10000);
	assert_int_equal(simnet_counters(w->net)->sent - sent, 4);
	assert_int_equal(world_in_step(w), 2);
	/* the repetitions are replays to a member that has it */
	assert_string_equal(w->member[0]->seen.req, "RFC4535-7.1.2-09");
	world_free(w);
}

GK_TEST(rfc4535_a_1, many_members_in_trees_of_any_degree)
{
	static const unsigned degree[] = { 2, 3, 4, 16 };

	for (size_t d = 0; d < 4; d++)
		for (int chain = 0; chain < 2; chain++) {
			struct world_config cfg = world_plain(7);
			struct world *w;

			cfg.group.lkh_degree = degree[d];
			cfg.group.lkh_chain = chain != 0;
			w = world_joined(&cfg, 20);
			gk_assert_ok(world_evict(w, w->member[5]->peer));
			world_pass(w, 100);
			gk_assert_ok(world_evict(w, w->member[13]->peer));
			world_pass(w, 100);
			assert_int_equal(world_in_step(w), 18);
			world_free(w);
		}
}

/* Decision keypkg_lkh_body: one Rekey Array for the keys under one key, however many
 * those are. */
GK_TEST(rfc4535_7_5_1_2_1_01, arrays_of_several_keys)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.dialect.keypkg_lkh_body = GSAKMP_KEYPKG_LKH_BODY_ARRAY;
	w = world_joined(&cfg, 9);
	gk_assert_ok(world_evict(w, w->member[5]->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 8);
	world_free(w);
}

GK_TEST(rfc4535_7_5_1_01, long_event_is_split_over_several_messages)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.group.rekey_message = 1000;
	w = world_joined(&cfg, 30);
	world_pass(w, 5000);
	before = world_status(w).sequence;
	gk_assert_ok(world_evict(w, w->member[11]->peer));
	world_pass(w, 10000);
	assert_true(world_status(w).sequence > before + 1);
	assert_int_equal(world_in_step(w), 29);
	/* and nobody thought that something was missing */
	for (size_t i = 0; i < 30; i++)
		if (i != 11)
			assert_int_equal(
				w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
	world_free(w);
}

GK_TEST(rfc4535_3_4_01, five_hundred_members)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.group.lkh_degree = 4;
	cfg.group.join_window_ms = 2000;
	w = world_with(&cfg, 500);
	world_join_all(w);
	world_pass(w, 10000);
	assert_int_equal(world_in_step(w), 500);
	gk_assert_ok(world_evict(w, w->member[250]->peer));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 499);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_8_03, create_group_command_is_the_first_token),
		GK_RUN(rfc4535_8_05, valid_rtj_waits_for_a_response),
		GK_RUN(rfc4535_8_06, timeout_returns_to_waiting_for_events),
		GK_RUN(rfc4535_8_04,
		       departure_leaves_the_server_waiting_for_events),
		GK_RUN(rfc4535_8_07, delete_group_command_returns_to_idle),
		GK_RUN(rfc4535_8_12, timeout_while_joining_returns_to_idle),
		GK_RUN(rfc4535_5_3_1_1_01, time_of_the_token_brings_a_rekey),
		GK_RUN(rfc4535_5_3_1_1_01, expiry_of_the_key_brings_a_rekey),
		GK_RUN(rfc4535_7_4_1_1, member_forgets_a_key_that_has_expired),
		GK_RUN(rfc4534_b_1_1_06, member_knows_whether_it_may_send),
		GK_RUN(rfc4534_b_5_3_04, departures_count_towards_a_rekey),
		GK_RUN(rfc4534_b_5_3_05, rekey_event_none_never_rekeys),
		GK_RUN(rfc4535_7_1_1_12, sequence_rises_by_one_from_one),
		GK_RUN(rfc4535_7_5_2_16,
		       several_rekeys_within_a_second_are_all_accepted),
		GK_RUN(rfc4534_b_5_6_2_01, resend_repeats_the_same_message),
		GK_RUN(rfc4535_a_1, many_members_in_trees_of_any_degree),
		GK_RUN(rfc4535_7_5_1_2_1_01, arrays_of_several_keys),
		GK_RUN(rfc4535_7_5_1_01,
		       long_event_is_split_over_several_messages),
		GK_RUN(rfc4535_3_4_01, five_hundred_members),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/group", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
