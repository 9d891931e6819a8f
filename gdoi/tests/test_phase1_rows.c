/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/spoil.h"

/* Main Mode with one thing wrong, rule by rule. */
GK_TEST(rfc2408_5_2_04, one_octet_of_message_1)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
	} row[] = {
		{ 15, 1, "RFC2408-2.4-02" },
		{ 17, 0x20, "RFC2408-5.2-04" },
		{ 17, 0x11, "RFC2408-5.2-04" },
		{ 19, 0x08, "RFC2408-5.2-06" },
		{ 23, 5, "RFC2408-2.4-06" },
		{ 35, 77, "RFC6407-2.1-01" },
		{ 39, 3, "RFC2408-5.4-02" },
		{ 39, 5, "RFC2408-5.4-02" },
		{ PROPOSAL_AT, 2, "RFC2408-3.5-01" },
		{ 45, 9, "RFC2407-4.4.1-01" },
		{ TRANSFORM_AT, 3, "RFC2408-3.6-01" },
		{ 53, 2, "RFC2408-5.4-03" },
	};

	GK_BREAKS("RFC2408-3.1-03", "RFC2408-3.1-05", "RFC2408-3.1-08",
	          "RFC2408-3.1-16", "RFC2408-5.4-01", "RFC2407-4.2.2-03",
	          "RFC2407-4.2.3-03", "RFC2409-5-16", "RFC2409-5-17",
	          "RFC2408-5.5-02", "RFC2407-4.4.2.1-01");
	for (size_t i = 0; i < GK_COUNT(row); i++) {
		before_message(1);
		m.ptr[row[i].at] = row[i].value;
		refused_1(row[i].req);
		after_it();
	}
}

GK_TEST(rfc2408_3_5_03, an_spi_of_phase_1_means_nothing)
{
	static const uint8_t garbage[17] = { 1, 2, 3 };

	GK_SHOWS("RFC2408-5.5-03");
	GK_BREAKS("RFC2408-5.5-03");
	before_message(1);
	m.ptr[46] = 16;
	insert_in_proposal(TRANSFORM_AT, garbage, 16);
	gk_assert_ok(judge_1());
	after_it();
	before_message(1);
	m.ptr[46] = 17;
	insert_in_proposal(TRANSFORM_AT, garbage, 17);
	refused_1("RFC2408-3.5-05");
	after_it();
}

GK_TEST(rfc2409_a_02, a_basic_attribute_as_variable_is_refused)
{
	static const uint8_t length[2] = { 0, 2 };

	/* Hash Algorithm, the second attribute */
	GK_BREAKS("RFC2409-A-02");
	before_message(1);
	m.ptr[ATTRIBUTES_AT + 4] = 0;
	insert_in_proposal(ATTRIBUTES_AT + 6, length, 2);
	add16(TRANSFORM_AT + 2, 2);
	refused_1("RFC2408-5.4-03");
	after_it();
}

GK_TEST(rfc2408_5_6_01, a_transform_that_nobody_knows_is_passed_over)
{
	GK_SHOWS("RFC2408-5.6-02");
	configure(MODERN(PSK));
	config[0].n_suites = config[1].n_suites = 2;
	config[0].suite[1] = config[1].suite[1] =
		suite_of(IKE_ENCRYPTION_AES_CBC, 256, IKE_HASH_SHA256,
	                 IKE_AUTH_PSK, IKE_GROUP_ECP256);
	p = (struct pair){ 0 };
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	m.ptr[53] = 99;
	gk_assert_ok(judge_1());
	assert_int_equal(ike_suite(p.r)->key_bits, 256);
	after_it();
}

/* A payload in front of SA. */
GK_TEST(rfc2409_5_07, sa_is_the_first_payload_or_it_is_refused)
{
	static const uint8_t vendor[] = {
		ISAKMP_PAYLOAD_SA, 0, 0, 8, 1, 2, 3, 4
	};

	before_message(1);
	m.ptr[16] = ISAKMP_PAYLOAD_VENDOR_ID;
	insert(SA_AT, vendor, sizeof(vendor));
	refused_1("RFC2409-5-07");
	after_it();
}

/* ---- message 2 ---------------------------------------------------------- */

GK_TEST(rfc2408_2_4_03, message_2_without_a_cookie)
{
	before_message(2);
	memset(m.ptr + 8, 0, ISAKMP_COOKIE_LEN);
	refused_later(p.i, "RFC2408-2.4-03");
	after_it();
}

/* RFC 6407 section 7.1.4: a mirror is nobody. */
GK_TEST(rfc2408_2_4_03, message_2_with_our_own_cookie)
{
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		if (aggressive == 0) {
			before_message(2);
		} else {
			p = (struct pair){ 0 };
			configure(MODERN(PSK));
			config[0].aggressive = config[1].aggressive = true;
			gk_assert_ok(ike_initiate(&env, &config[0], &path[0],
			                          now, &p.i));
			m = say(p.i);
			gk_assert_ok(ike_respond(&env, &config[1], &path[1],
			                         gk_buf_slice(&m), now, &p.r,
			                         &why));
			gk_buf_free(&m);
			m = say(p.r);
		}
		memcpy(m.ptr + 8, m.ptr, ISAKMP_COOKIE_LEN);
		refused_later(p.i, "RFC2408-2.4-03");
		memset(m.ptr + 8, 0, ISAKMP_COOKIE_LEN);
		refused_later(p.i, "RFC2408-2.4-03");
		after_it();
	}
}

GK_TEST(rfc2408_5_7_01, message_4_with_our_own_key_exchange)
{
	before_message(4);
	memcpy(m.ptr + ISAKMP_HEADER_LEN + ISAKMP_GENERIC_LEN,
	       p.i->own_public.ptr, p.i->own_public.len);
	refused_later(p.i, "RFC2408-5.7-01");
	after_it();
}

GK_TEST(rfc2408_4_2_08, message_2_with_two_transforms)
{
	uint8_t copy[64];
	size_t len;

	GK_BREAKS("RFC2408-4.1.1-02", "RFC2408-4.2-07", "RFC2408-4.2-08",
	          "RFC2409-3.2-02");
	before_message(2);
	len = (size_t)(m.ptr[TRANSFORM_AT + 2] << 8 | m.ptr[TRANSFORM_AT + 3]);
	assert_true(len <= sizeof(copy));
	memcpy(copy, m.ptr + TRANSFORM_AT, len);
	copy[0] = ISAKMP_PAYLOAD_TRANSFORM;
	copy[4]--;
	m.ptr[47] = 2;
	insert_in_proposal(TRANSFORM_AT, copy, len);
	refused_later(p.i, "RFC2409-5-20");
	after_it();
}

/* That the numbers are kept is a SHOULD, for speed; what counts is the offer. */
GK_TEST(rfc2408_4_2_09, message_2_with_other_numbers_is_taken)
{
	before_message(2);
	m.ptr[PROPOSAL_AT + 4] = 7;
	m.ptr[TRANSFORM_AT + 4] = 9;
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	assert_int_equal(ike_state(p.i), IKE_I_KE);
	after_it();
}

GK_TEST(rfc2409_5_19, message_2_with_another_lifetime)
{
	size_t end;

	GK_BREAKS("RFC2409-5-19", "RFC2408-4.2-10");
	before_message(2);
	end = SA_AT + (size_t)(m.ptr[SA_AT + 2] << 8 | m.ptr[SA_AT + 3]);
	m.ptr[end - 5] ^= 1;
	refused_later(p.i, "RFC2409-5-20");
	after_it();
}

/* ---- messages 3 and 5 --------------------------------------------------- */

GK_TEST(rfc2409_5_05, message_3_of_another_exchange)
{
	before_message(3);
	m.ptr[18] = ISAKMP_EXCHANGE_AGGRESSIVE;
	refused_later(p.r, "RFC2409-5-05");
	m.ptr[18] = ISAKMP_EXCHANGE_IDENTITY_PROTECTION;
	m.ptr[23] = 5;
	refused_later(p.r, "RFC2408-2.4-06");
	after_it();
}

/* KE of 64 octets and NONCE of 32 are the first two payloads. */
GK_TEST(rfc2409_5_10, message_3_with_a_nonce_of_another_length)
{
	static const uint8_t octets[257] = { 1 };
	static const size_t lens[] = { 7, 257 };

	for (size_t i = 0; i < GK_COUNT(lens); i++) {
		size_t at = SA_AT + 4 + 64;

		before_message(3);
		assert_int_equal(m.ptr[at + 3], 4 + 32);
		memmove(m.ptr + at + 4, m.ptr + at + 36, m.len - at - 36);
		m.len -= 32;
		insert(at + 4, octets, lens[i]);
		m.ptr[at + 2] = (uint8_t)((4 + lens[i]) >> 8);
		m.ptr[at + 3] = (uint8_t)(4 + lens[i]);
		refused_later(p.r, "RFC2409-5-10");
		after_it();
	}
}

GK_TEST(rfc2409_5_09, message_3_with_a_short_public_value)
{
	GK_BREAKS("RFC2408-5.7-01");
	before_message(3);
	memmove(m.ptr + SA_AT + 4, m.ptr + SA_AT + 5, m.len - SA_AT - 5);
	m.len--;
	m.ptr[SA_AT + 3]--;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
	refused_later(p.r, "RFC2409-5-09");
	after_it();
}

GK_TEST(rfc2408_5_11_02, message_5_with_a_wrong_hash)
{
	GK_BREAKS("RFC2408-5.11-01", "RFC2408-1.4.2-01", "RFC2408-1.5.3-01");
	for (size_t spoilt = 0; spoilt < 32; spoilt += 31) {
		struct isakmp_cbc cbc;
		uint8_t next[GK_CIPHER_BLOCK_MAX];
		struct gk_buf clear;

		before_message(5);
		cbc = p.r->cbc;
		gk_assert_ok(isakmp_open(&cbc, gk_buf_slice(&m), &clear, next));
		/* ID of an IPv4 address: 12; HASH: 4 and 32 */
		assert_int_equal(clear.ptr[16], ISAKMP_PAYLOAD_ID);
		clear.ptr[ISAKMP_HEADER_LEN + 12 + 4 + spoilt] ^= 1;
		gk_buf_free(&m);
		gk_assert_ok(isakmp_seal(&cbc, &dialect[0],
		                         gk_buf_slice(&clear), &m));
		gk_buf_free(&clear);
		refused_later(p.r, "RFC2408-5.11-02");
		after_it();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_2_04, one_octet_of_message_1),
		GK_RUN(rfc2408_3_5_03, an_spi_of_phase_1_means_nothing),
		GK_RUN(rfc2409_a_02, a_basic_attribute_as_variable_is_refused),
		GK_RUN(rfc2408_5_6_01,
		       a_transform_that_nobody_knows_is_passed_over),
		GK_RUN(rfc2409_5_07, sa_is_the_first_payload_or_it_is_refused),
		GK_RUN(rfc2408_2_4_03, message_2_without_a_cookie),
		GK_RUN(rfc2408_2_4_03, message_2_with_our_own_cookie),
		GK_RUN(rfc2408_5_7_01, message_4_with_our_own_key_exchange),
		GK_RUN(rfc2408_4_2_08, message_2_with_two_transforms),
		GK_RUN(rfc2408_4_2_09, message_2_with_other_numbers_is_taken),
		GK_RUN(rfc2409_5_19, message_2_with_another_lifetime),
		GK_RUN(rfc2409_5_05, message_3_of_another_exchange),
		GK_RUN(rfc2409_5_10, message_3_with_a_nonce_of_another_length),
		GK_RUN(rfc2409_5_09, message_3_with_a_short_public_value),
		GK_RUN(rfc2408_5_11_02, message_5_with_a_wrong_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
