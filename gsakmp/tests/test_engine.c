/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <string.h>

/* Whole exchanges between engines: RFC 4535 section 5, in every suite. */

static void
whole_life(enum world_suite suite, bool verbose, bool timestamp)
{
	const struct world_config cfg = { .suite = suite,
		                          .verbose = verbose,
		                          .timestamp = timestamp,
		                          .seed = 1,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 3600 };
	struct world *w = world_new(&cfg);
	struct world_member *a = world_member_add(w, "a");
	struct world_member *b = world_member_add(w, "b");
	struct world_member *c = world_member_add(w, "c");

	world_join_all(w);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(a->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 3);

	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);

	gk_assert_ok(world_evict(w, b->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 2);
	assert_true(world_has_current(a));
	assert_false(world_has_current(b));

	gk_assert_ok(gsakmp_gm_leave(c->gm, true, simnet_now(w->net)));
	world_drain_member(c);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(c->gm), GSAKMP_GM_IDLE);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	assert_false(c->has_key);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(a->gm), GSAKMP_GM_IDLE);
	assert_int_equal(a->seen.count[GSAKMP_OUT_DESTROYED], 1);
	assert_false(a->has_key);
	world_free(w);
}

GK_TEST(rfc4535_6_2_01, suite_one_lives_a_whole_life)
{
	whole_life(WORLD_SUITE_ONE, false, false);
}

GK_TEST(rfc4535_6_02, ecdsa_p256_suite_lives_a_whole_life)
{
	whole_life(WORLD_P256, false, false);
}

GK_TEST(rfc4535_6_02, rsa_suite_lives_a_whole_life_verbose)
{
	whole_life(WORLD_RSA2048, true, false);
}

GK_TEST(rfc4535_6_02, ed25519_suite_lives_a_whole_life)
{
	whole_life(WORLD_ED25519, false, false);
}

GK_TEST(rfc4535_5_2_1_2_12, freshness_by_timestamp_lives_a_whole_life)
{
	whole_life(WORLD_P256, false, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_6_2_01, suite_one_lives_a_whole_life),
		GK_RUN(rfc4535_6_02, ecdsa_p256_suite_lives_a_whole_life),
		GK_RUN(rfc4535_6_02, rsa_suite_lives_a_whole_life_verbose),
		GK_RUN(rfc4535_6_02, ed25519_suite_lives_a_whole_life),
		GK_RUN(rfc4535_5_2_1_2_12,
		       freshness_by_timestamp_lives_a_whole_life),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/engine", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
