/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * Lifetimes in kilobytes (RFC 2407 section 4.5), which each member counts by
 * itself.
 */
static struct lab_policy p;

static void
member(uint32_t life_kb)
{
	lab_reset();
	lab.offer.sa.sat[0].ipsec.life_kb = life_kb;
	lab_member();
}

static enum gk_err
used(uint32_t spi, bool up)
{
	const uint8_t octets[] = { (uint8_t)(spi >> 24), (uint8_t)(spi >> 16),
		                   (uint8_t)(spi >> 8), (uint8_t)spi };
	enum gk_err err =
		gdoi_gm_used(lab.gm, 0, GDOI_PROTOCOL_ESP, octets, up, lab.now);

	lab_talk();
	return err;
}

static unsigned
joined(void)
{
	return lab.seen.n[GDOI_OUT_JOINED];
}

/* Milliseconds, to a tenth of a second. */
static unsigned
until_joined(unsigned n)
{
	unsigned ms = 0;

	for (; joined() < n && ms < 60000; ms += 100)
		lab_pass(100);
	assert_int_equal(joined(), n);
	return ms;
}

/* From now on the key server has another SA for the same traffic. */
static void
renewed(uint32_t spi)
{
	lab.offer.sa.n_sats = 0;
	lab.offer.kd.n_packets = 1;
	lab_add_esp(&lab.offer, spi, (uint8_t)spi)->ipsec.life_kb = 100;
}

GK_TEST(kilobytes, before_the_kilobytes_are_used_up_the_member_asks_again)
{
	struct gdoi_tek t;

	member(100);
	gk_assert_ok(used(0x101, false));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	assert_true(lab_tek(0x101, &t));
	assert_true(t.worn);
	assert_int_equal(t.state, GDOI_TEK_CURRENT);
	renewed(0x102);
	lab_pass(5001);
	assert_int_equal(joined(), 2);
	assert_true(lab_tek(0x102, &t));
	assert_int_equal(t.state, GDOI_TEK_CURRENT);
	assert_false(t.worn);
	/* once is enough */
	gk_assert_ok(used(0x102, false));
	gk_assert_ok(used(0x102, false));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 2);
}

GK_TEST(kilobytes, what_is_used_up_is_not_taken_again)
{
	member(100);
	gk_assert_ok(used(0x101, true));
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 1);
	assert_false(lab_tek(0x101, NULL));
	assert_true(lab_state(0) == GDOI_GM_REREGISTERING);
	/* The key server has nothing else, and is asked ever more rarely. */
	assert_in_range(until_joined(2), 0, 5100);
	assert_false(lab_tek(0x101, NULL));
	assert_in_range(until_joined(3), 4900, 5100);
	assert_in_range(until_joined(4), 9900, 10100);
	assert_false(lab_tek(0x101, NULL));
	/* A rekey brings another one. */
	p = (struct lab_policy){ .seq = 1 };
	lab_add_esp(&p, 0x102, 2);
	gk_assert_ok(lab_push(&p));
	assert_true(lab_tek(0x102, NULL));
	renewed(0x102);
	assert_in_range(until_joined(5), 19000, 20100);
	lab_pass(60000);
	assert_int_equal(joined(), 5);
	assert_true(lab_tek(0x102, NULL));
}

GK_TEST(kilobytes, a_group_without_a_rekey_sa_is_joined_again)
{
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.offer.sa.sat[0].ipsec.life_kb = 100;
	lab_start();
	lab_join(0);
	gk_assert_ok(used(0x101, true));
	assert_int_equal(lab.seen.n[GDOI_OUT_LEFT], 1);
	lab_pass(5001);
	assert_false(lab_tek(0x101, NULL));
	lab.offer.kd.n_packets = lab.offer.sa.n_sats = 0;
	lab_add_esp(&lab.offer, 0x102, 2);
	lab_pass(5001);
	assert_true(lab_tek(0x102, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

/* ATD is for those that have something else to send with meanwhile. */
GK_TEST(kilobytes, whose_sa_is_used_up_does_not_wait_for_the_delay_of_the_next)
{
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.offer.sa.sat[0].ipsec.life_s = 1000;
	lab.offer.sa.sat[0].ipsec.life_kb = 100;
	lab_add_esp(&lab.offer, 0x102, 2)->ipsec.life_s = 4000;
	lab.offer.sa.sat[1].ipsec.life_kb = 100;
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 900 };
	lab_start();
	lab_join(0);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_RECEIVE);
	gk_assert_ok(used(0x101, true));
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);

	/* It comes only when one asks, and the one that is used up with it. */
	lab_reset();
	lab_no_rekey(&lab.offer);
	lab.offer.sa.sat[0].ipsec.life_s = 1000;
	lab.offer.sa.sat[0].ipsec.life_kb = 100;
	lab_start();
	lab_join(0);
	gk_assert_ok(used(0x101, true));
	lab_add_esp(&lab.offer, 0x102, 2)->ipsec.life_s = 4000;
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 900 };
	lab_pass(5001);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
}

GK_TEST(kilobytes, what_has_no_such_lifetime_is_not_used_up)
{
	member(0);
	gk_assert_err(GK_ERR_VALUE, used(0x101, true));
	gk_assert_err(GK_ERR_VALUE, used(0x999, true));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_gm_used(lab.gm, 7, GDOI_PROTOCOL_ESP,
	                           (const uint8_t *)"\0\0\1\1", true, lab.now));
	assert_true(lab_tek(0x101, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(kilobytes,
		       before_the_kilobytes_are_used_up_the_member_asks_again),
		GK_RUN(kilobytes, what_is_used_up_is_not_taken_again),
		GK_RUN(kilobytes, a_group_without_a_rekey_sa_is_joined_again),
		GK_RUN(kilobytes,
		       whose_sa_is_used_up_does_not_wait_for_the_delay_of_the_next),
		GK_RUN(kilobytes, what_has_no_such_lifetime_is_not_used_up),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
