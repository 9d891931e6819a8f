/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * New Rekey SAs, Deletes, and Data-Security SAs over time: RFC 6407 sections 3.2,
 * 4, 5.4.1, 5.9; RFC 5374 section 4.2.1.
 */
static struct lab_policy p;

static void
strict_member(void)
{
	lab_reset();
	lab_member();
}

static struct lab_policy *
tek(uint32_t seq, uint32_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_esp(&p, spi, (uint8_t)spi);
	return &p;
}

static struct lab_policy *
kek(uint32_t seq, uint8_t spi)
{
	p = (struct lab_policy){ .seq = seq };
	lab_add_kek(&p, spi, spi);
	return &p;
}

/* ---- a new KEK ---------------------------------------------------------- */

GK_TEST(rfc6407_4_08, the_first_number_under_a_new_kek_is_one)
{
	strict_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(kek(2, 0x22)));
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK], 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK_WIPE], 0);
	assert_int_equal(lab.seen.kek.spi[0], 0x22);
	assert_int_equal(lab_status(0).kek.sequence, 0);
	lab_kek(0x22, 0x22);
	gk_assert_ok(lab_push(tek(1, 0x103)));
	assert_int_equal(lab_status(0).kek.sequence, 1);
	/* the one before is wiped a little later */
	lab_pass(31000);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK_WIPE], 1);
	lab_kek(0x11, 0x11);
	lab_push_refused(tek(3, 0x104), "RFC6407-4.4-01");
}

GK_TEST(rfc6407_4_07, what_was_still_under_the_kek_before)
{
	strict_member();
	gk_assert_ok(lab_push(kek(1, 0x22)));
	gk_assert_ok(lab_push(tek(2, 0x102)));
	assert_true(lab_tek(0x102, NULL));
	/* it cannot bring a third one */
	lab_push_refused(kek(3, 0x33), "RFC6407-4.4-01");
	/* and it is no gap when it is late */
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

GK_TEST(rfc6407_3_2_20, switch_push_seq_new_kek)
{
	lab_reset();
	lab.dialect.push_seq_new_kek = GDOI_PUSH_SEQ_NEW_KEK_CONTINUE;
	lab_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(kek(2, 0x22)));
	lab_kek(0x22, 0x22);
	lab_push_refused(tek(1, 0x103), "RFC6407-4.4-03");
	lab_push_refused(tek(2, 0x103), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(3, 0x103)));

	lab_reset();
	lab.dialect.push_seq_new_kek = GDOI_PUSH_SEQ_NEW_KEK_CARRIER;
	lab_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(tek(2, 0x103)));
	/* 1 again, but only where a new KEK comes */
	lab_push_refused(tek(1, 0x104), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(kek(1, 0x22)));
	lab_kek(0x22, 0x22);
	lab_push_refused(tek(1, 0x104), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(2, 0x104)));
}

GK_TEST(rfc6407_4_06, a_sak_without_its_key)
{
	strict_member();
	kek(1, 0x22)->kd.n_packets = 0;
	lab_add_esp(&p, 0x102, 2);
	lab_push_refused(&p, "RFC6407-4-06");
}

GK_TEST(rfc6407_4_06, the_sak_in_force_is_a_repetition)
{
	strict_member();
	gk_assert_ok(lab_push(kek(1, 0x11)));
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK], 1);
	assert_int_equal(lab_status(0).kek.sequence, 1);
	/* with another key it is none */
	p.seq = 2;
	p.kd.packet[0].algorithm_key = lab_octets(&p, 0x77, 32);
	lab_push_refused(&p, "RFC6407-4-06");
}

GK_TEST(rfc6407_5_6_05, switch_kd_kek_spi)
{
	static const uint8_t old[16] = { 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		                         0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
		                         0x11, 0x11, 0x11, 0x11 };

	strict_member();
	kek(1, 0x22)->kd.packet[0].spi.ptr = old;
	lab_push_refused(&p, "RFC6407-5.6-05");
	lab_reset();
	lab.dialect.kd_kek_spi = GDOI_KD_KEK_SPI_OLD;
	lab_member();
	kek(1, 0x22)->kd.packet[0].spi.ptr = old;
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_status(0).kek.spi[0], 0x22);
}

GK_TEST(rfc6407_5_6_2_01, a_push_may_leave_the_public_key_as_it_is)
{
	strict_member();
	kek(1, 0x22)->kd.packet[0].sig_key.len = 0;
	gk_assert_ok(lab_push(&p));
	lab_kek(0x22, 0x22);
	gk_assert_ok(lab_push(tek(1, 0x102)));
}

GK_TEST(rfc6407_5_6_2_2_01, or_bring_another_one)
{
	struct gk_pki_party mine = lab.signer, old = lab.other;

	strict_member();
	lab.signer = old; /* what lab_add_kek() announces */
	kek(1, 0x22);
	lab.signer = mine;
	gk_assert_ok(lab_push(&p));
	lab_kek(0x22, 0x22);
	lab_push_refused(tek(1, 0x102), "RFC6407-4.4-04");
	lab.signer = old;
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab.signer = mine;
}

GK_TEST(rfc6407_4_05, switch_push_iv_chained)
{
	lab_reset();
	lab.dialect.push_iv = GDOI_PUSH_IV_CHAINED;
	lab_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(tek(2, 0x103)));
	gk_assert_ok(lab_push(tek(3, 0x104)));
}

/* ---- Delete ------------------------------------------------------------- */

static const struct lab_delete esp_101 = {
	GDOI_PROTOCOL_ESP, 4, { 0, 0, 1, 1 }, 0
};
static const struct lab_delete all_esp = { GDOI_PROTOCOL_ESP, 4, { 0 }, 0 };
static const struct lab_delete all_kek = { GDOI_PROTOCOL_KEK, 16, { 0 }, 0 };

static struct lab_policy *
nothing(uint32_t seq)
{
	p = (struct lab_policy){ .seq = seq };
	return &p;
}

GK_TEST(rfc6407_5_9_01, one_sa_is_deleted)
{
	strict_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push_deletes(nothing(2), &esp_101, 1));
	assert_false(lab_tek(0x101, NULL));
	assert_true(lab_tek(0x102, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 1);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

GK_TEST(rfc6407_5_9_08, all_of_a_protocol)
{
	strict_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push_deletes(nothing(2), &all_esp, 1));
	assert_int_equal(lab_status(0).n_teks, 0);
	assert_true(lab_status(0).has_kek);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	/* new ones come by PUSH */
	gk_assert_ok(lab_push(tek(3, 0x103)));
	assert_int_equal(lab_tek_state(0x103), GDOI_TEK_CURRENT);
}

GK_TEST(rfc6407_5_9_07, everything_and_the_member_registers_again)
{
	const struct lab_delete both[] = { all_esp, all_kek };

	strict_member();
	gk_assert_ok(lab_push_deletes(nothing(1), both, 2));
	assert_int_equal(lab_status(0).n_teks, 0);
	assert_false(lab_status(0).has_kek);
	assert_int_equal(lab.seen.n[GDOI_OUT_DESTROYED], 1);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK_WIPE], 1);
	assert_int_equal(lab_state(0), GDOI_GM_WAITING);
	lab.offer.seq = 1;
	lab_pass(6000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[0].pulls, 2);
}

GK_TEST(rfc6407_5_9_05, the_rekey_sa_alone)
{
	struct lab_delete d = all_kek;

	strict_member();
	memset(d.spi, 0x11, sizeof(d.spi));
	gk_assert_ok(lab_push_deletes(nothing(1), &d, 1));
	assert_false(lab_status(0).has_kek);
	assert_true(lab_tek(0x101, NULL));
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
}

GK_TEST(rfc6407_5_9_05, an_spi_of_the_wrong_size)
{
	struct lab_delete d = { GDOI_PROTOCOL_ESP, 16, { 0x11, 1 }, 0 };
	struct gk_buf dgram;

	strict_member();
	dgram = lab_push_octets(nothing(1), &d, 1);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-5.9-05");
	gk_buf_free(&dgram);
	d = (struct lab_delete){ 7, 4, { 0 }, 0 };
	dgram = lab_push_octets(nothing(1), &d, 1);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-5.9-05");
	gk_buf_free(&dgram);
}

/* D stands in front of SA and KD: a clean slate, and what is written on it. */
GK_TEST(rfc6407_5_9_08, zero_is_what_was_there_before)
{
	const struct lab_delete both[] = { all_esp, all_kek };

	strict_member();
	gk_assert_ok(lab_push_deletes(tek(1, 0x102), &all_esp, 1));
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 1);

	gk_assert_ok(lab_push_deletes(kek(2, 0x22), both, 2));
	assert_int_equal(lab_status(0).n_teks, 0);
	assert_true(lab_status(0).has_kek);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	lab_kek(0x22, 0x22);
	gk_assert_ok(lab_push(tek(1, 0x103)));
	assert_int_equal(lab_tek_state(0x103), GDOI_TEK_CURRENT);
	assert_int_equal(lab.server[0].pulls, 1);
}

GK_TEST(rfc6407_5_9_04, a_delete_of_another_doi)
{
	struct lab_delete d = esp_101;
	struct gk_buf dgram;

	strict_member();
	d.doi = ISAKMP_DOI_IPSEC;
	dgram = lab_push_octets(nothing(1), &d, 1);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-5.9-04");
	gk_buf_free(&dgram);
}

GK_TEST(rfc6407_5_9_08, zero_in_each_of_its_forms)
{
	static const uint8_t size[] = { 1, 4 };

	for (size_t i = 0; i < sizeof(size); i++) {
		const struct lab_delete d[] = {
			{ GDOI_PROTOCOL_ESP, size[i], { 0 }, 0 },
			{ GDOI_PROTOCOL_KEK, size[i], { 0 }, 0 },
		};

		strict_member();
		gk_assert_ok(lab_push_deletes(nothing(1), d, 2));
		assert_int_equal(lab_status(0).n_teks, 0);
		assert_false(lab_status(0).has_kek);
	}
}

/* ---- activation and deactivation ---------------------------------------- */

GK_TEST(rfc6407_5_4_1_01, activation_after_atd)
{
	GK_SHOWS("RFC5374-4.2.1-03", "RFC5374-4.2.1-10", "RFC5374-4.2.1-11",
	         "RFC5374-4.2.1-12", "RFC5374-4.2.1-15");
	strict_member();
	tek(1, 0x102)->sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_RECEIVE);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	lab_pass(9900);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_RECEIVE);
	lab_pass(200);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_OLD);
}

GK_TEST(rfc6407_5_4_1_02, deactivation_after_dtd)
{
	GK_SHOWS("RFC5374-4.2.1-04", "RFC5374-4.2.1-13");
	strict_member();
	tek(1, 0x102)->sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 10, .has_dtd = true, .dtd = 20
	};
	gk_assert_ok(lab_push(&p));
	lab_pass(19900);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_OLD);
	lab_pass(200);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab.seen.n[GDOI_OUT_TEK_WIPE], 1);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
}

/* Whoever puts them into a kernel never has an SA less to send with in between. */
GK_TEST(rfc6407_5_4_1_01,
        the_next_one_is_told_to_be_in_use_before_the_last_is_not)
{
	struct gdoi_output out;
	enum gdoi_tek_state told[4];
	size_t n = 0;

	strict_member();
	tek(1, 0x102)->sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	gk_assert_ok(lab_push(&p));
	lab_pass(9900);
	lab.now.mono_ms += 200;
	gk_assert_ok(gdoi_gm_tick(lab.gm, lab.now));
	while (gdoi_gm_poll(lab.gm, &out))
		if (out.kind == GDOI_OUT_TEK && n < GK_COUNT(told))
			told[n++] = out.tek.state;
	assert_int_equal(n, 2);
	assert_int_equal(told[0], GDOI_TEK_CURRENT);
	assert_int_equal(told[1], GDOI_TEK_OLD);
}

GK_TEST(rfc6407_5_4_1_02, a_delete_waits_for_dtd_too)
{
	strict_member();
	tek(1, 0x102)->sa.has_gap = true;
	p.sa.gap = (struct gdoi_gap){ .has_dtd = true, .dtd = 20 };
	gk_assert_ok(lab_push_deletes(&p, &esp_101, 1));
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_OLD);
	lab_pass(21000);
	assert_false(lab_tek(0x101, NULL));
}

GK_TEST(rfc6407_5_4_1_01, switch_atd_in_pull)
{
	lab_reset();
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	lab_member();
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_RECEIVE);
	lab_pass(10001);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	lab_reset();
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	lab.dialect.atd_in_pull = GDOI_ATD_IN_PULL_IGNORE;
	lab_member();
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
}

/* Of two SAs for the same traffic the one in use, which ends first, has no delay,
 * wherever it stands. */
static void
joins_in_a_rollover(uint32_t first_s, uint32_t second_s, uint32_t in_use)
{
	uint32_t next = in_use == 0x101 ? 0x102 : 0x101;

	lab_reset();
	lab_add_esp(&lab.offer, 0x102, 0x41)->ipsec.life_s = second_s;
	lab.offer.sa.sat[0].ipsec.life_s = first_s;
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	lab_member();
	assert_int_equal(lab_tek_state(in_use), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(next), GDOI_TEK_RECEIVE);
	lab_pass(9900);
	assert_int_equal(lab_tek_state(in_use), GDOI_TEK_CURRENT);
	lab_pass(200);
	assert_int_equal(lab_tek_state(in_use), GDOI_TEK_OLD);
	assert_int_equal(lab_tek_state(next), GDOI_TEK_CURRENT);
}

GK_TEST(rfc5374_4_2_1_11,
        who_comes_during_a_rollover_has_what_is_in_use_at_once)
{
	joins_in_a_rollover(100, 1000, 0x101);
	joins_in_a_rollover(1000, 100, 0x102);
	/* Other traffic has nothing that it could use meanwhile. */
	lab_reset();
	lab_add_esp(&lab.offer, 0x102, 0x41)->ipsec.ep.dst.port = 5000;
	lab.offer.sa.has_gap = true;
	lab.offer.sa.gap = (struct gdoi_gap){ .has_atd = true, .atd = 10 };
	lab_member();
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_RECEIVE);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_RECEIVE);
}

GK_TEST(rfc6407_4_4_05, other_traffic_is_not_superseded)
{
	strict_member();
	tek(1, 0x102)->sa.sat[0].ipsec.ep.dst.port = 5000;
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
}

GK_TEST(rfc2407_4_5_04, an_sa_ends_with_its_lifetime)
{
	GK_SHOWS("RFC5374-4.2.1-06");
	strict_member();
	tek(1, 0x102)->sa.sat[0].ipsec.life_s = 50;
	p.sa.sat[0].ipsec.ep.dst.port = 5000;
	gk_assert_ok(lab_push(&p));
	lab.server[0].deaf = true;
	lab_pass(49900);
	assert_true(lab_tek(0x102, NULL));
	lab_pass(200);
	assert_false(lab_tek(0x102, NULL));
	assert_true(lab_tek(0x101, NULL));
}

GK_TEST(rfc6407_3_3_11, a_registration_names_what_is_in_force)
{
	strict_member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	/* the key server does not know 0x101 any more */
	lab_policy(&lab.offer);
	lab.offer.sa.n_sats = 0;
	lab.offer.kd.n_packets = 1;
	lab_add_esp(&lab.offer, 0x102, 2);
	lab.offer.seq = 1;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_OLD);
	/* and now it has gone back to it */
	lab_policy(&lab.offer);
	lab.offer.seq = 1;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_OLD);
	/* Who was evicted by a PUSH that did not come may have the other one: it
	 * is heard until the others have changed over, not to its end. */
	lab_pass(29900);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_OLD);
	lab_pass(200);
	assert_false(lab_tek(0x102, NULL));
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
}

/* Message 4 was on its way when a PUSH came: what it says is not in force. */
GK_TEST(rfc6407_3_3_09, an_overtaken_registration_is_begun_again)
{
	strict_member();
	lab.hold = true;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_deliver(); /* message 2; message 4 is kept */
	gk_assert_ok(lab_push(tek(1, 0x102)));
	lab_policy(&lab.offer);
	lab_add_esp(&lab.offer, 0x102, 2);
	lab.offer.seq = 1;
	lab.hold = false;
	lab_deliver();
	assert_string_equal(lab.seen.why.req, "RFC6407-3.3-09");
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_OLD);
	assert_int_equal(lab.server[0].pulls, 3);
}

/* The key server has deleted everything since it made message 4: who took those SAs
 * would be alone with them until their lifetime ends. */
GK_TEST(rfc6407_3_3_09, a_registration_is_overtaken_by_the_end_of_its_rekey_sa)
{
	const struct lab_delete both[] = { all_esp, all_kek };

	strict_member();
	lab.hold = true;
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	lab_deliver(); /* message 2; message 4 is kept */
	gk_assert_ok(lab_push_deletes(nothing(1), both, 2));
	assert_int_equal(lab_status(0).n_teks, 0);
	lab_policy(&lab.offer);
	memset(lab.offer.sa.sak.spi, 0x22, sizeof(lab.offer.sa.sak.spi));
	lab.offer.sa.sat[0].spi[3] = 2;
	lab.offer.kd.packet[1].spi.ptr = lab.offer.sa.sat[0].spi;
	lab.hold = false;
	lab_deliver();
	assert_string_equal(lab.seen.why.req, "RFC6407-3.3-09");
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_false(lab_tek(0x101, NULL));
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_CURRENT);
	assert_int_equal(lab.server[0].pulls, 3);
}

GK_TEST(rfc6407_3_3_10, of_two_for_the_same_traffic_the_longer_one_is_used)
{
	lab_reset();
	lab.offer.sa.sat[0].ipsec.life_s = 3600;
	lab_add_esp(&lab.offer, 0x102, 2)->ipsec.life_s = 100;
	lab_member();
	assert_int_equal(lab_tek_state(0x101), GDOI_TEK_CURRENT);
	assert_int_equal(lab_tek_state(0x102), GDOI_TEK_OLD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_08, the_first_number_under_a_new_kek_is_one),
		GK_RUN(rfc6407_4_07, what_was_still_under_the_kek_before),
		GK_RUN(rfc6407_3_2_20, switch_push_seq_new_kek),
		GK_RUN(rfc6407_4_06, a_sak_without_its_key),
		GK_RUN(rfc6407_4_06, the_sak_in_force_is_a_repetition),
		GK_RUN(rfc6407_5_6_05, switch_kd_kek_spi),
		GK_RUN(rfc6407_5_6_2_01,
		       a_push_may_leave_the_public_key_as_it_is),
		GK_RUN(rfc6407_5_6_2_2_01, or_bring_another_one),
		GK_RUN(rfc6407_4_05, switch_push_iv_chained),
		GK_RUN(rfc6407_5_9_01, one_sa_is_deleted),
		GK_RUN(rfc6407_5_9_08, all_of_a_protocol),
		GK_RUN(rfc6407_5_9_07,
		       everything_and_the_member_registers_again),
		GK_RUN(rfc6407_5_9_05, the_rekey_sa_alone),
		GK_RUN(rfc6407_5_9_05, an_spi_of_the_wrong_size),
		GK_RUN(rfc6407_5_9_04, a_delete_of_another_doi),
		GK_RUN(rfc6407_5_9_08, zero_in_each_of_its_forms),
		GK_RUN(rfc6407_5_9_08, zero_is_what_was_there_before),
		GK_RUN(rfc6407_5_4_1_01, activation_after_atd),
		GK_RUN(rfc6407_5_4_1_02, deactivation_after_dtd),
		GK_RUN(rfc6407_5_4_1_01,
		       the_next_one_is_told_to_be_in_use_before_the_last_is_not),
		GK_RUN(rfc6407_5_4_1_02, a_delete_waits_for_dtd_too),
		GK_RUN(rfc6407_5_4_1_01, switch_atd_in_pull),
		GK_RUN(rfc5374_4_2_1_11,
		       who_comes_during_a_rollover_has_what_is_in_use_at_once),
		GK_RUN(rfc6407_4_4_05, other_traffic_is_not_superseded),
		GK_RUN(rfc2407_4_5_04, an_sa_ends_with_its_lifetime),
		GK_RUN(rfc6407_3_3_11, a_registration_names_what_is_in_force),
		GK_RUN(rfc6407_3_3_09,
		       an_overtaken_registration_is_begun_again),
		GK_RUN(rfc6407_3_3_09,
		       a_registration_is_overtaken_by_the_end_of_its_rekey_sa),
		GK_RUN(rfc6407_3_3_10,
		       of_two_for_the_same_traffic_the_longer_one_is_used),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
