/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * A member's end: it leaves and says so, or the key server will not have it any
 * more.
 */
static unsigned
seen(enum gdoi_output_kind kind)
{
	return lab.seen.n[kind];
}

static void
leave(void)
{
	gk_assert_ok(gdoi_gm_leave(lab.gm, 0, true, lab.now));
}

GK_TEST(rfc6407_5_9_05, leaving_with_notice)
{
	lab_reset();
	lab.cfg.keep_phase1 = true;
	lab_start();
	lab_join(0);
	gk_assert_ok(gdoi_gm_leave(lab.gm, 0, true, lab.now));
	lab_talk();
	assert_int_equal(lab.server[0].other.protocol, GDOI_PROTOCOL_KEK);
	assert_int_equal(lab.server[0].other.spi_size, 16);
	assert_int_equal(lab.server[0].other_spi[15], 0x11);
	assert_int_equal(seen(GDOI_OUT_TEK_WIPE), 1);
	assert_int_equal(seen(GDOI_OUT_KEK_WIPE), 1);
	assert_int_equal(seen(GDOI_OUT_LEFT), 1);
	assert_int_equal(seen(GDOI_OUT_TOLD), 1);
	assert_int_equal(lab_state(0), GDOI_GM_IDLE);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc6407_5_9_05, leaving_a_group_without_a_rekey_sa)
{
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.cfg.keep_phase1 = true;
	lab_member();
	gk_assert_ok(gdoi_gm_leave(lab.gm, 0, true, lab.now));
	lab_talk();
	assert_int_equal(lab.server[0].other.protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(lab.server[0].other_spi[2], 1);
	assert_int_equal(lab.server[0].other_spi[3], 1);
}

/* Phase 1 has gone long ago: one is made for it, and goes again. */
GK_TEST(rfc6407_5_9_05, leaving_opens_a_phase_1)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab_pass(5000);
	assert_true(lab.server[0].deleted);
	lab.server[0].deleted = false;
	leave();
	/* the keys do not wait for that */
	assert_int_equal(lab_state(0), GDOI_GM_IDLE);
	assert_false(lab_tek(0x101, NULL));
	lab_talk();
	assert_int_equal(seen(GDOI_OUT_LEFT), 1);
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 2);
	assert_int_equal(lab.server[0].other.protocol, GDOI_PROTOCOL_KEK);
	assert_int_equal(lab.server[0].other_spi[15], 0x11);
	assert_int_equal(seen(GDOI_OUT_TOLD), 1);
	assert_int_equal(lab.server[0].pulls, 1);
	lab_pass(2000);
	assert_true(lab.server[0].deleted);
	assert_int_equal(lab_state(0), GDOI_GM_IDLE);
}

GK_TEST(rfc6407_5_9_05, or_says_why_it_could_not_be_told)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab_pass(5000);
	lab.server[0].deaf = true;
	leave();
	lab_talk();
	assert_int_equal(seen(GDOI_OUT_UNTOLD), 0);
	lab_pass(600000);
	assert_int_equal(seen(GDOI_OUT_UNTOLD), 1);
	assert_int_equal(seen(GDOI_OUT_TOLD), 0);
	/* it is not tried for ever */
	assert_true(gdoi_gm_deadline(lab.gm) == GK_NEVER);
	/* nor where it is not wanted */
	lab_reset();
	lab.cfg.no_leave_phase1 = true;
	lab_start();
	lab_join(0);
	lab_pass(5000);
	leave();
	lab_talk();
	assert_int_equal(seen(GDOI_OUT_UNTOLD), 1);
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 1);
	/* silently is silently */
	lab_reset();
	lab_start();
	lab_join(0);
	lab_pass(5000);
	gk_assert_ok(gdoi_gm_leave(lab.gm, 0, false, lab.now));
	lab_talk();
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 1);
	assert_int_equal(seen(GDOI_OUT_UNTOLD), 0);
}

GK_TEST(rfc6407_5_9_05, who_comes_back_has_not_left)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab_pass(5000);
	leave();
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(seen(GDOI_OUT_TOLD) + seen(GDOI_OUT_UNTOLD), 0);
	assert_int_equal(lab.server[0].other.count, 0);
}

/* Nobody acknowledges it, so it is said three times, in the same octets. */
GK_TEST(rfc6407_5_9_05, a_farewell_that_gets_lost_is_said_again)
{
	lab_reset();
	lab.cfg.keep_phase1 = true;
	lab_start();
	lab_join(0);
	lab.server[0].deaf = true;
	leave();
	lab_talk();
	assert_true(gdoi_gm_parting(lab.gm));
	lab_pass(200);
	lab.server[0].deaf = false;
	assert_int_equal(lab.server[0].other.count, 0);
	lab_pass(100);
	assert_int_equal(lab.server[0].other.count, 1);
	assert_int_equal(lab.server[0].other_spi[15], 0x11);
	lab.server[0].other.count = 0;
	lab_pass(600);
	assert_int_equal(lab.server[0].other.count, 0); /* a repetition */
	assert_false(gdoi_gm_parting(lab.gm));
	assert_int_equal(seen(GDOI_OUT_TOLD), 1);
	/* Who is back has nothing more to say. */
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	lab.server[0].deaf = true;
	leave();
	lab_talk();
	lab.server[0].deaf = false;
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	lab_pass(1000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[0].other.count, 0);
}

/* Phase 1 does not end before that. */
GK_TEST(rfc6407_5_9_05, a_lost_farewell_under_a_phase_1_of_its_own)
{
	lab_reset();
	lab_start();
	lab_join(0);
	lab_pass(5000);
	leave();
	lab_talk();
	assert_int_equal(lab.server[0].other.count, 1);
	lab.server[0].deleted = false;
	lab_pass(800);
	assert_false(lab.server[0].deleted);
	assert_false(gdoi_gm_parting(lab.gm));
	lab_pass(1100);
	assert_true(lab.server[0].deleted);
	/* And where there is none, nothing is left to say. */
	lab.server[0].deaf = true;
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	assert_false(gdoi_gm_parting(lab.gm));
}

/* The list of key servers holds for a farewell, too. */
GK_TEST(rfc6407_3_1_02, others_are_told_nothing)
{
	static const uint8_t elsewhere[] = { 10, 0, 0, 9 };
	struct gk_identity server = { GK_ID_IPV4, { ip[1], 4 } };

	lab_reset();
	lab.group[0].servers = &server;
	lab.group[0].n_servers = 1;
	lab_member();
	lab_pass(5000);
	server.octets.ptr = elsewhere;
	leave();
	lab_talk();
	assert_int_equal(seen(GDOI_OUT_PHASE1_UP), 2);
	assert_int_equal(seen(GDOI_OUT_UNTOLD), 1);
	assert_int_equal(lab.server[0].other.count, 0);
}

/* ---- behind a NAT -------------------------------------------------------- */

static void
behind_a_nat(bool multicast)
{
	static const uint8_t ours[] = { 10, 0, 0, 1 };
	static const uint8_t group[] = { 239, 1, 1, 1 };

	lab_reset();
	lab.nat = true;
	lab.cfg.ike.natt = true;
	lab.offer.sa.sak.ep.dst.type = ISAKMP_ID_IPV4_ADDR;
	lab.offer.sa.sak.ep.dst.data =
		(struct gk_slice){ multicast ? group : ours, 4 };
	lab_member();
}

/* Nobody sends a PUSH through a NAT that has forgotten us. */
GK_TEST(rfc6407_2_2_03, phase_1_stays_for_its_keepalives)
{
	behind_a_nat(false);
	lab_pass(100000);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 0);
	assert_true(lab.seen.keepalives >= 4);
	/* when it is gone all the same, the key server hears from us */
	gk_assert_ok(ike_delete(lab.server[0].ike, lab.now));
	lab_hear(0);
	lab_pass(6000);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	lab_pass(100000);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
	/* and not when the group is left */
	leave();
	lab_talk();
	lab_pass(2000);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 2);
}

GK_TEST(rfc6407_2_2_03, multicast_needs_no_mapping)
{
	behind_a_nat(true);
	lab_pass(5000);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
}

/* Another group is refused, and phase 1 ends with that. */
GK_TEST(rfc6407_2_2_03, what_goes_wrong_elsewhere_does_not_close_the_way_in)
{
	behind_a_nat(false);
	lab.server[0].refuse = ISAKMP_NOTIFY_AUTHENTICATION_FAILED;
	lab_join(1);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
	lab.server[0].refuse = 0;
	gk_assert_ok(gdoi_gm_leave(lab.gm, 1, false, lab.now));
	lab_pass(100000);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(seen(GDOI_OUT_PHASE1_DOWN), 1);
	assert_true(lab.seen.keepalives >= 4);
}

/* ---- without keys ------------------------------------------------------- */

static void
thrown_out(unsigned register_max)
{
	lab_reset();
	lab.cfg.register_max = register_max;
	lab.offer.sa.sak.lifetime = 100;
	lab.offer.sa.sat[0].ipsec.life_s = 100;
	lab_start();
	lab_join(0);
	lab.server[0].refuse = ISAKMP_NOTIFY_AUTHENTICATION_FAILED;
	lab_pass(101000);
}

GK_TEST(rfc6407_3_3_01, who_has_no_keys_left_is_no_member)
{
	struct gdoi_gm_status status;

	thrown_out(0);
	assert_int_equal(seen(GDOI_OUT_EVICTED), 1);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_REFUSED);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_true(status.failures >= 1);
	assert_non_null(status.failure);
	assert_int_equal(status.why.notify,
	                 ISAKMP_NOTIFY_AUTHENTICATION_FAILED);
	/* and when it is let in again */
	lab.server[0].refuse = 0;
	lab_pass(400000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_null(status.failure);
	assert_int_equal(status.failures, 0);
}

GK_TEST(rfc6407_3_3_01, and_gives_up_when_it_is_told_to)
{
	thrown_out(2);
	lab_pass(600000);
	assert_int_equal(lab_state(0), GDOI_GM_FAILED);
	assert_true(seen(GDOI_OUT_LEFT) >= 1);
	assert_true(gdoi_gm_deadline(lab.gm) == GK_NEVER);
	lab.server[0].refuse = 0;
	gk_assert_ok(gdoi_gm_join(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

/* The Rekey SA may be the first that ends: without it no new keys would come. */
GK_TEST(rfc6407_5_3_4_01, the_end_of_the_rekey_sa_is_anticipated)
{
	lab_reset();
	lab.offer.sa.sak.lifetime = 100;
	lab_start();
	lab_join(0);
	lab_pass(94000);
	assert_int_equal(lab.server[0].pulls, 1);
	lab_pass(5000);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

/* Silence is not a refusal. */
GK_TEST(rfc6407_3_3_01, keys_that_run_out_while_nobody_answers)
{
	struct gdoi_gm_status status;

	lab_reset();
	lab.offer.sa.sak.lifetime = 100;
	lab.offer.sa.sat[0].ipsec.life_s = 100;
	lab_start();
	lab_join(0);
	lab.server[0].deaf = true;
	lab_pass(99000);
	assert_true(lab_tek(0x101, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	assert_int_equal(seen(GDOI_OUT_LEFT), 0);
	lab_pass(2000);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(seen(GDOI_OUT_LEFT), 1);
	assert_string_equal(lab.seen.text, "the last key has expired");
	/* it will try again, and is no member meanwhile */
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	lab_pass(120000);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_non_null(status.failure);
	assert_true(lab_state(0) == GDOI_GM_WAITING ||
	            lab_state(0) == GDOI_GM_PHASE1);
}

/* The only key ends sooner than a lifetime may ask again. */
GK_TEST(rfc6407_3_3_01, a_key_that_lives_for_seconds)
{
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.offer.sa.sat[0].ipsec.life_s = 2;
	lab_member();
	lab_pass(2500);
	assert_false(lab_tek(0x101, NULL));
	lab.offer.sa.sat[0].ipsec.life_s = 1000;
	lab_pass(10000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[0].pulls, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_9_05, leaving_with_notice),
		GK_RUN(rfc6407_5_9_05, leaving_a_group_without_a_rekey_sa),
		GK_RUN(rfc6407_5_9_05, leaving_opens_a_phase_1),
		GK_RUN(rfc6407_5_9_05, or_says_why_it_could_not_be_told),
		GK_RUN(rfc6407_5_9_05, a_farewell_that_gets_lost_is_said_again),
		GK_RUN(rfc6407_5_9_05,
		       a_lost_farewell_under_a_phase_1_of_its_own),
		GK_RUN(rfc6407_5_9_05, who_comes_back_has_not_left),
		GK_RUN(rfc6407_3_1_02, others_are_told_nothing),
		GK_RUN(rfc6407_2_2_03, phase_1_stays_for_its_keepalives),
		GK_RUN(rfc6407_2_2_03, multicast_needs_no_mapping),
		GK_RUN(rfc6407_2_2_03,
		       what_goes_wrong_elsewhere_does_not_close_the_way_in),
		GK_RUN(rfc6407_3_3_01, a_key_that_lives_for_seconds),
		GK_RUN(rfc6407_3_3_01, who_has_no_keys_left_is_no_member),
		GK_RUN(rfc6407_3_3_01, and_gives_up_when_it_is_told_to),
		GK_RUN(rfc6407_5_3_4_01,
		       the_end_of_the_rekey_sa_is_anticipated),
		GK_RUN(rfc6407_3_3_01, keys_that_run_out_while_nobody_answers),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
