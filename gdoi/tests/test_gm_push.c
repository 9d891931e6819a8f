/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * GROUPKEY-PUSH at the member: RFC 6407 section 4.4, what is obeyed and what is
 * refused.
 */
static struct lab_policy say_;

static void
member(void)
{
	lab_reset();
	lab_member();
	say_ = (struct lab_policy){ .seq = 1 };
}

static struct lab_policy *
tek(uint32_t seq, uint32_t spi)
{
	say_ = (struct lab_policy){ .seq = seq };
	lab_add_esp(&say_, spi, (uint8_t)spi);
	return &say_;
}

GK_TEST(rfc6407_4_09, a_tek_by_push)
{
	struct gdoi_tek one, two;

	member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	assert_true(lab_tek(0x101, &one));
	assert_true(lab_tek(0x102, &two));
	assert_int_equal(one.state, GDOI_TEK_OLD);
	assert_int_equal(two.state, GDOI_TEK_CURRENT);
	assert_int_equal(two.key.ptr[0], 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_REKEYED], 1);
	assert_int_equal(lab_status(0).kek.sequence, 1);
	assert_int_equal(lab_status(0).pushes, 1);
	gk_assert_ok(lab_push(tek(2, 0x103)));
	assert_int_equal(lab_status(0).kek.sequence, 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
}

GK_TEST(rfc6407_7_3_4_02, a_copy_is_refused_unopened)
{
	struct gk_buf dgram;

	member();
	dgram = lab_push_octets(tek(1, 0x102), NULL, 0);
	gk_assert_ok(lab_push_give(gk_buf_slice(&dgram)));
	lab_refused(gk_buf_slice(&dgram), "RFC6407-7.3.4-02");
	gk_buf_free(&dgram);
}

GK_TEST(rfc6407_4_4_03, an_older_number_is_refused)
{
	member();
	gk_assert_ok(lab_push(tek(5, 0x102)));
	lab_push_refused(tek(5, 0x103), "RFC6407-4.4-03");
	lab_push_refused(tek(4, 0x104), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(6, 0x105)));
}

GK_TEST(rfc6407_3_2_17, the_number_of_the_registration_counts)
{
	GK_BREAKS("RFC6407-3.2-17", "RFC6407-7.3.4-01");
	lab_reset();
	lab.offer.seq = 7;
	lab_start();
	lab_join(0);
	lab_push_refused(tek(7, 0x102), "RFC6407-4.4-03");
	lab_push_refused(tek(1, 0x102), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(8, 0x102)));
}

GK_TEST(rfc6407_4_4_04, another_signer_is_refused)
{
	struct gk_pki_party mine = lab.signer;
	struct gk_buf dgram;

	member();
	lab.signer = lab.other;
	dgram = lab_push_octets(tek(9, 0x102), NULL, 0);
	lab.signer = mine;
	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-04");
	gk_buf_free(&dgram);
	/* and its number has not moved ours */
	gk_assert_ok(lab_push(tek(1, 0x102)));
}

GK_TEST(rfc6407_7_3_5_01, the_number_is_looked_at_before_the_signature)
{
	struct gk_pki_party mine = lab.signer;
	struct gk_buf dgram;

	member();
	gk_assert_ok(lab_push(tek(3, 0x102)));
	lab.signer = lab.other;
	dgram = lab_push_octets(tek(2, 0x103), NULL, 0);
	lab.signer = mine;
	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-03");
	gk_buf_free(&dgram);
}

/* A good message of which one octet is another. */
static void
bent(size_t at, uint8_t to, const char *req)
{
	struct gk_buf dgram = lab_push_octets(tek(1, 0x102), NULL, 0);

	dgram.ptr[at] = to;
	lab_refused(gk_buf_slice(&dgram), req);
	gk_buf_free(&dgram);
}

GK_TEST(rfc6407_4_4_01, unknown_cookies)
{
	member();
	bent(0, 0x12, "RFC6407-4.4-01");
	bent(15, 0x12, "RFC6407-4.4-01");
}

GK_TEST(rfc6407_4_2_04, the_encryption_flag_is_set)
{
	member();
	bent(19, 0, "RFC6407-4.2-04");
}

GK_TEST(rfc6407_4_2_05, no_other_flag_is_set)
{
	member();
	bent(19, 3, "RFC6407-4.2-05");
	bent(19, 5, "RFC6407-4.2-05");
}

GK_TEST(rfc6407_4_2_06, the_message_id_is_zero)
{
	member();
	bent(23, 1, "RFC6407-4.2-06");
}

GK_TEST(rfc6407_4_2_03, another_exchange_type)
{
	member();
	bent(18, 34, "RFC2408-5.2-05");
	bent(18, 35, "RFC8263-8-02");
}

/* Payloads in the order of @types, signed and encrypted. */
static void
form(const uint8_t *types, size_t n, const char *req)
{
	static uint8_t buf[4096];
	struct gk_buf dgram;
	struct gk_wr wr;

	tek(1, 0x102);
	gk_wr_init(&wr, buf, sizeof(buf));
	for (size_t i = 0; i < n; i++) {
		struct gk_wr_hole hole = isakmp_generic_begin(
			&wr, i + 1 < n ? types[i + 1] : ISAKMP_PAYLOAD_SIG);

		if (types[i] == ISAKMP_PAYLOAD_SEQ)
			gk_wr_u32(&wr, 1);
		else if (types[i] == ISAKMP_PAYLOAD_SA)
			gdoi_sa_encode(&wr, &lab.dialect, &say_.sa);
		else if (types[i] == ISAKMP_PAYLOAD_KD)
			gdoi_kd_encode(&wr, &lab.dialect, &say_.kd);
		else
			gk_wr_u32(&wr, 0);
		gk_wr_close(&wr, hole);
	}
	gk_assert_ok(gk_wr_done(&wr));
	dgram = lab_push_raw(types[0], (struct gk_slice){ buf, wr.len });
	if (req == NULL)
		gk_assert_ok(lab_push_give(gk_buf_slice(&dgram)));
	else
		lab_refused(gk_buf_slice(&dgram), req);
	gk_buf_free(&dgram);
}

GK_TEST(rfc6407_4_01, the_payloads_and_their_order)
{
	static const uint8_t good[] = { ISAKMP_PAYLOAD_SEQ, ISAKMP_PAYLOAD_SA,
		                        ISAKMP_PAYLOAD_KD };
	static const uint8_t swapped[] = { ISAKMP_PAYLOAD_SEQ,
		                           ISAKMP_PAYLOAD_KD,
		                           ISAKMP_PAYLOAD_SA };
	static const uint8_t late[] = { ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_SEQ,
		                        ISAKMP_PAYLOAD_KD };
	static const uint8_t twice[] = { ISAKMP_PAYLOAD_SEQ, ISAKMP_PAYLOAD_SA,
		                         ISAKMP_PAYLOAD_KD, ISAKMP_PAYLOAD_KD };
	static const uint8_t foreign[] = { ISAKMP_PAYLOAD_SEQ,
		                           ISAKMP_PAYLOAD_SA, ISAKMP_PAYLOAD_KD,
		                           ISAKMP_PAYLOAD_NONCE };

	member();
	form(swapped, 3, "RFC6407-4-01");
	lab_reset();
	member();
	form(late, 3, "RFC6407-4-01");
	member();
	form(good, 1, "RFC6407-4-01"); /* SEQ alone */
	member();
	form(good, 2, "RFC6407-4-01"); /* no KD */
	member();
	form(twice, 4, "RFC6407-4-01");
	member();
	form(foreign, 4, "RFC6407-4-01");
	member();
	form(good, 3, NULL);
}

GK_TEST(rfc6407_5_9_02, deletes_stand_behind_seq)
{
	static const uint8_t late[] = { ISAKMP_PAYLOAD_SEQ, ISAKMP_PAYLOAD_SA,
		                        ISAKMP_PAYLOAD_KD,
		                        ISAKMP_PAYLOAD_DELETE };

	member();
	form(late, 4, "RFC6407-4-01");
}

GK_TEST(rfc6407_5_7_01, seq_has_eight_octets)
{
	static const uint8_t buf[] = {
		ISAKMP_PAYLOAD_DELETE,
		0,
		0,
		12,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		0,
		ISAKMP_PAYLOAD_SIG,
		0,
		0,
		16,
		0,
		0,
		0,
		2,
		1,
		4,
		0,
		1,
		0,
		0,
		1,
		1,
	};
	struct gk_buf dgram;

	member();
	dgram = lab_push_raw(ISAKMP_PAYLOAD_SEQ,
	                     (struct gk_slice){ buf, sizeof(buf) });
	lab_refused(gk_buf_slice(&dgram), "RFC6407-5.7-01");
	gk_buf_free(&dgram);
}

GK_TEST(rfc6407_4_4_02, octets_that_nobody_can_read)
{
	member();
	/* the first block becomes noise: no form */
	bent(28, 0xaa, "RFC2408-3.2-01");
}

GK_TEST(rfc6407_4_3_04, a_sat_without_its_key)
{
	member();
	tek(1, 0x102);
	say_.kd.n_packets = 0;
	lab_push_refused(&say_, "RFC6407-4.3-04");
}

GK_TEST(rfc6407_5_6_05, a_key_for_no_sa)
{
	static const uint8_t spi[4] = { 8, 8, 8, 8 };

	member();
	tek(1, 0x102);
	say_.kd.packet[0].spi.ptr = spi;
	lab_push_refused(&say_, "RFC6407-5.6-05");
}

GK_TEST(rfc6407_5_5_1_1_2_05, sender_only_is_nobodys_by_push)
{
	member();
	tek(1, 0x102)->sa.sat[0].ipsec.direction = 1;
	lab_push_refused(&say_, "RFC6407-5.5.1.1.2-05");
}

GK_TEST(rfc6407_5_5_1_07, unknown_transform_by_push)
{
	member();
	tek(1, 0x102)->sa.sat[0].ipsec.transform = 77;
	lab_push_refused(&say_, "RFC6407-5.5.1-07");
}

GK_TEST(rfc8052_2_2_5_02, a_live_spi_with_another_key)
{
	member();
	tek(1, 0x101);
	lab_push_refused(&say_, "RFC8052-2.2.5-02");
}

GK_TEST(rfc6407_5_6_4_03, sender_ids_are_not_pushed)
{
	member();
	tek(1, 0x102);
	say_.kd.packet[say_.kd.n_packets++] =
		(struct gdoi_kd_packet){ .type = GDOI_KD_SID };
	say_.kd.sid_bits = 8;
	say_.kd.n_sids = 1;
	lab_push_refused(&say_, "RFC6407-5.6.4-03");
}

GK_TEST(rfc6407_5_6_1_03, switch_push_kek_only_tek)
{
	lab_reset();
	lab.dialect.push_kek_only_tek = GDOI_PUSH_KEK_ONLY_TEK_REQUIRED;
	lab_start();
	lab_join(0);
	say_ = (struct lab_policy){ .seq = 1 };
	lab_add_kek(&say_, 0x22, 0x60);
	lab_push_refused(&say_, "RFC6407-5.6.1-03");
	lab_add_esp(&say_, 0x102, 2);
	gk_assert_ok(lab_push(&say_));
}

GK_TEST(rfc6407_5_3_4_01, nothing_comes_under_a_kek_whose_time_is_over)
{
	struct gk_buf dgram;

	lab_reset();
	lab.offer.sa.sak.lifetime = 100;
	lab_start();
	lab_join(0);
	lab.server[0].deaf = true;
	dgram = lab_push_octets(tek(1, 0x102), NULL, 0);
	/* as if nobody had ticked */
	lab.now.mono_ms += 100000;
	lab_refused(gk_buf_slice(&dgram), "RFC6407-5.3.4-01");
	lab_pass(1);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK_WIPE], 1);
	lab_refused(gk_buf_slice(&dgram), "RFC6407-4.4-01");
	gk_buf_free(&dgram);
}

/* ---- a rekey that was missed -------------------------------------------- */

GK_TEST(rfc6407_4_3_01, a_gap_makes_the_member_register_again)
{
	member();
	gk_assert_ok(lab_push(tek(3, 0x102)));
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	assert_string_equal(lab.seen.text, "a GROUPKEY-PUSH is missing");
	assert_int_equal(lab_state(0), GDOI_GM_REREGISTERING);
	lab.offer.seq = 3;
	lab_pass(6000);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab.server[0].pulls, 2);
}

GK_TEST(rfc6407_4_4_02, unreadable_octets_are_followed_up_rarely)
{
	struct gk_buf dgram;

	member();
	for (int i = 0; i < 5; i++) {
		dgram = lab_push_octets(tek(1, 0x102), NULL, 0);
		dgram.ptr[28] ^= (uint8_t)(0x80 | i);
		assert_int_not_equal(lab_push_give(gk_buf_slice(&dgram)),
		                     GK_OK);
		gk_buf_free(&dgram);
		lab_pass(6000);
	}
	/* five of them, one registration */
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	assert_int_equal(lab.server[0].pulls, 2);
}

GK_TEST(rfc6407_5_3_4_02, a_lifetime_that_ends_without_a_rekey)
{
	member();
	/* 3600 s, of which a twentieth is the margin */
	lab_pass(3419000);
	assert_int_equal(lab.server[0].pulls, 1);
	lab_pass(8000);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 1);
	assert_int_equal(lab.server[0].pulls, 2);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_true(lab_tek(0x101, NULL));
}

GK_TEST(rfc6407_3_3_09, a_late_registration_does_not_set_the_number_back)
{
	member();
	gk_assert_ok(lab_push(tek(1, 0x102)));
	gk_assert_ok(lab_push(tek(2, 0x103)));
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk(); /* message 4 says 0 */
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_int_equal(lab_status(0).kek.sequence, 2);
	lab_push_refused(tek(2, 0x104), "RFC6407-4.4-03");
	gk_assert_ok(lab_push(tek(3, 0x104)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_09, a_tek_by_push),
		GK_RUN(rfc6407_7_3_4_02, a_copy_is_refused_unopened),
		GK_RUN(rfc6407_4_4_03, an_older_number_is_refused),
		GK_RUN(rfc6407_3_2_17, the_number_of_the_registration_counts),
		GK_RUN(rfc6407_4_4_04, another_signer_is_refused),
		GK_RUN(rfc6407_7_3_5_01,
		       the_number_is_looked_at_before_the_signature),
		GK_RUN(rfc6407_4_4_01, unknown_cookies),
		GK_RUN(rfc6407_4_2_04, the_encryption_flag_is_set),
		GK_RUN(rfc6407_4_2_05, no_other_flag_is_set),
		GK_RUN(rfc6407_4_2_06, the_message_id_is_zero),
		GK_RUN(rfc6407_4_2_03, another_exchange_type),
		GK_RUN(rfc6407_4_01, the_payloads_and_their_order),
		GK_RUN(rfc6407_5_9_02, deletes_stand_behind_seq),
		GK_RUN(rfc6407_5_7_01, seq_has_eight_octets),
		GK_RUN(rfc6407_4_4_02, octets_that_nobody_can_read),
		GK_RUN(rfc6407_4_3_04, a_sat_without_its_key),
		GK_RUN(rfc6407_5_6_05, a_key_for_no_sa),
		GK_RUN(rfc6407_5_5_1_1_2_05, sender_only_is_nobodys_by_push),
		GK_RUN(rfc6407_5_5_1_07, unknown_transform_by_push),
		GK_RUN(rfc8052_2_2_5_02, a_live_spi_with_another_key),
		GK_RUN(rfc6407_5_6_4_03, sender_ids_are_not_pushed),
		GK_RUN(rfc6407_5_6_1_03, switch_push_kek_only_tek),
		GK_RUN(rfc6407_5_3_4_01,
		       nothing_comes_under_a_kek_whose_time_is_over),
		GK_RUN(rfc6407_4_3_01, a_gap_makes_the_member_register_again),
		GK_RUN(rfc6407_4_4_02,
		       unreadable_octets_are_followed_up_rarely),
		GK_RUN(rfc6407_5_3_4_02, a_lifetime_that_ends_without_a_rekey),
		GK_RUN(rfc6407_3_3_09,
		       a_late_registration_does_not_set_the_number_back),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
