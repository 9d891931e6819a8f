/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * A PUSH that comes before the message with its Rekey SA: RFC 6407 sections 3.2,
 * 4.4.
 */
static struct lab_policy p;

static void
member(void)
{
	lab_reset();
	lab_member();
}

static struct gk_buf
tek_under(uint8_t kek, uint32_t seq, uint32_t spi)
{
	struct gk_buf dgram;

	p = (struct lab_policy){ .seq = seq };
	lab_add_esp(&p, spi, (uint8_t)spi);
	lab_kek(kek, kek);
	dgram = lab_push_octets(&p, NULL, 0);
	lab_kek(0x11, 0x11);
	return dgram;
}

static enum gk_err
push_kek(uint32_t seq, uint8_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_kek(&p, spi, spi);
	return lab_push(&p);
}

GK_TEST(rfc6407_4_4_01, a_push_that_overtakes_its_rekey_sa_is_obeyed_after_it)
{
	struct gk_buf second, first;

	member();
	first = tek_under(0x22, 1, 0x102);
	second = tek_under(0x22, 2, 0x103);
	lab_refused(gk_buf_slice(&first), "RFC6407-4.4-01");
	lab_refused(gk_buf_slice(&second), "RFC6407-4.4-01");
	lab_refused(gk_buf_slice(&first), "RFC6407-4.4-01"); /* a copy */
	gk_assert_ok(push_kek(1, 0x22));
	lab_pass(1);
	assert_true(lab_tek(0x102, NULL));
	assert_true(lab_tek(0x103, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
	assert_int_equal(lab.server[0].pulls, 1);
	/* Once: now they are replays. */
	lab_refused(gk_buf_slice(&first), "RFC6407-7.3.4-02");
	gk_buf_free(&first);
	gk_buf_free(&second);
}

GK_TEST(rfc6407_4_4_01, the_store_takes_the_rekey_sa_first)
{
	struct gk_buf early;

	member();
	early = tek_under(0x22, 1, 0x102);
	lab_refused(gk_buf_slice(&early), "RFC6407-4.4-01");
	lab.fail_commit = true;
	(void)push_kek(1, 0x22);
	lab_pass(500);
	assert_false(lab_tek(0x102, NULL));
	lab.fail_commit = false;
	lab_pass(60000);
	assert_true(lab_tek(0x102, NULL));
	gk_buf_free(&early);
}

GK_TEST(rfc6407_3_3_07, a_push_that_overtakes_message_4)
{
	struct gk_buf early;

	member();
	lab.hold = true;
	lab.offer = (struct lab_policy){ 0 };
	lab_add_kek(&lab.offer, 0x22, 0x22);
	lab_add_esp(&lab.offer, 0x101, 0x40);
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_deliver(); /* message 2; message 4 is kept */
	early = tek_under(0x22, 1, 0x102);
	lab_refused(gk_buf_slice(&early), "RFC6407-4.4-01");
	lab.hold = false;
	lab_deliver();
	lab_pass(1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_true(lab_tek(0x102, NULL));
	gk_buf_free(&early);
}

/* Anybody can send them, so they are few, and soon forgotten. */
GK_TEST(rfc6407_4_4_01, the_last_four_are_kept_for_five_seconds)
{
	struct gk_buf early[5];

	member();
	for (uint32_t i = 0; i < 5; i++) {
		early[i] = tek_under((uint8_t)(0x22 + i), 1, 0x102 + i);
		lab_refused(gk_buf_slice(&early[i]), "RFC6407-4.4-01");
		lab_pass(1100);
	}
	gk_assert_ok(push_kek(1, 0x22)); /* the fifth took its place */
	lab_pass(1);
	assert_false(lab_tek(0x102, NULL));
	lab_kek(0x22, 0x22);
	gk_assert_ok(push_kek(1, 0x26));
	lab_pass(1);
	assert_true(lab_tek(0x106, NULL));
	lab_kek(0x26, 0x26);
	lab_pass(1000);
	gk_assert_ok(push_kek(2, 0x23)); /* too old by now */
	lab_pass(1);
	assert_false(lab_tek(0x103, NULL));
	for (size_t i = 0; i < 5; i++)
		gk_buf_free(&early[i]);
}

/* The one that brought the Rekey SA is lost, and those under it are all that comes. */
GK_TEST(rfc6407_4_4_01, a_rekey_sa_that_was_missed_is_asked_for)
{
	struct gk_buf dgram;

	member();
	dgram = tek_under(0x22, 1, 0x102);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-01");
	lab_pass(4900);
	assert_int_equal(lab.server[0].pulls, 1);
	lab.offer.kd.n_packets = 0;
	lab.offer.sa.n_sats = 0;
	lab_add_kek(&lab.offer, 0x22, 0x22);
	lab_add_esp(&lab.offer, 0x102, 0x02);
	lab_pass(5300);
	assert_int_equal(lab.server[0].pulls, 2);
	gk_buf_free(&dgram);
	/* What still comes under the one before is no sign of anything. */
	lab_pass(60000);
	dgram = tek_under(0x11, 9, 0x103);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-01");
	lab_pass(60000);
	assert_int_equal(lab.server[0].pulls, 2);
	gk_buf_free(&dgram);
	/* It was right, so the next one does not wait; but it may be anybody's. */
	for (uint8_t i = 0; i < 3; i++) {
		dgram = tek_under((uint8_t)(0x33 + i), 1, 0x104);
		lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-01");
		gk_buf_free(&dgram);
		lab_pass(11000);
	}
	assert_int_equal(lab.server[0].pulls, 3);
}

static void
offer(uint8_t kek)
{
	lab.offer.kd.n_packets = 0;
	lab.offer.sa.n_sats = 0;
	lab_add_kek(&lab.offer, kek, kek);
	lab_add_esp(&lab.offer, 0x102, 0x02);
}

static void
strange(uint8_t kek)
{
	struct gk_buf dgram = tek_under(kek, 1, 0x104);

	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-01");
	gk_buf_free(&dgram);
}

/* Another group may have its PUSHes come to the same place: what the key server has
 * been asked about in vain is no sign of anything, and each of its Rekey SAs is less
 * of one, however often we get others ourselves. */
GK_TEST(rfc6407_4_4_01, those_of_another_group_at_the_same_place_are_not)
{
	member();
	strange(0x33);
	lab_pass(11000);
	assert_int_equal(lab.server[0].pulls, 2);
	for (unsigned i = 0; i < 5; i++) {
		lab_pass(310000);
		strange(0x33);
	}
	lab_pass(11000);
	assert_int_equal(lab.server[0].pulls, 2);
	gk_assert_ok(push_kek(1, 0x22));
	offer(0x22);
	lab_pass(1000);
	strange(0x34);
	lab_pass(11000);
	assert_int_equal(lab.server[0].pulls, 3);
	lab_pass(310000);
	strange(0x35);
	lab_pass(11000);
	assert_int_equal(lab.server[0].pulls, 3);
}

/* Nor are they when we are in that one, too, and only one of both has missed it. */
GK_TEST(rfc6407_4_4_01, what_is_another_group_of_ours_is_its_business)
{
	lab_reset();
	lab_start();
	lab_join(0);
	strange(0x22);
	offer(0x22);
	lab_join(1);
	assert_int_equal(lab_state(1), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[0].pulls, 2);
	lab_pass(11000);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_4_01,
		       a_push_that_overtakes_its_rekey_sa_is_obeyed_after_it),
		GK_RUN(rfc6407_4_4_01, the_store_takes_the_rekey_sa_first),
		GK_RUN(rfc6407_3_3_07, a_push_that_overtakes_message_4),
		GK_RUN(rfc6407_4_4_01, the_last_four_are_kept_for_five_seconds),
		GK_RUN(rfc6407_4_4_01, a_rekey_sa_that_was_missed_is_asked_for),
		GK_RUN(rfc6407_4_4_01,
		       those_of_another_group_at_the_same_place_are_not),
		GK_RUN(rfc6407_4_4_01,
		       what_is_another_group_of_ours_is_its_business),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
