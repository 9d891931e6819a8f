/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/spoil.h"

/*
 * Rules of phase 1 whose breach is noticed by the check of another rule: each is
 * broken here, alone, and the refusal says which check it was.
 */
static void
cut(size_t at, size_t n)
{
	memmove(m.ptr + at, m.ptr + at + n, m.len - at - n);
	m.len -= n;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
}

static void
sub16(size_t at, size_t n)
{
	size_t v = ((size_t)m.ptr[at] << 8 | m.ptr[at + 1]) - n;

	m.ptr[at] = (uint8_t)(v >> 8);
	m.ptr[at + 1] = (uint8_t)v;
}

/* Where attribute @type, a Basic one, of the only Transform is. */
static size_t
attribute(uint8_t type)
{
	size_t at = ATTRIBUTES_AT;

	while (m.ptr[at + 1] != type) {
		if (m.ptr[at] != 0x80)
			at += m.ptr[at + 3];
		at += 4;
		assert_true(at < m.len);
	}
	assert_int_equal(m.ptr[at], 0x80);
	return at;
}

static void
take_attribute(uint8_t type)
{
	cut(attribute(type), 4);
	sub16(TRANSFORM_AT + 2, 4);
	sub16(PROPOSAL_AT + 2, 4);
	sub16(SA_AT + 2, 4);
}

static void
put_attribute(const void *octets, size_t n)
{
	insert_in_proposal(ATTRIBUTES_AT, octets, n);
	add16(TRANSFORM_AT + 2, n);
}

/* ---- message 1: what is offered ------------------------------------------ */

GK_TEST(rfc2408_3_4_01, a_proposal_beside_the_sa_is_refused)
{
	static const uint8_t types[] = { ISAKMP_PAYLOAD_PROPOSAL,
		                         ISAKMP_PAYLOAD_TRANSFORM };

	for (size_t i = 0; i < GK_COUNT(types); i++) {
		before_message(1);
		assert_int_not_equal(m.ptr[SA_AT], ISAKMP_PAYLOAD_NONE);
		m.ptr[SA_AT] = types[i];
		refused_1("RFC2408-3.4-01");
		after_it();
	}
}

/* The SA ends before its DOI does, and before its Situation does. */
static void
sa_of(size_t len, const char *req)
{
	before_message(1);
	m.ptr[16] = ISAKMP_PAYLOAD_SA;
	m.ptr[SA_AT] = ISAKMP_PAYLOAD_NONE;
	m.ptr[SA_AT + 2] = 0;
	m.ptr[SA_AT + 3] = (uint8_t)len;
	m.len = SA_AT + len;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
	refused_1(req);
	after_it();
}

GK_TEST(rfc2408_3_4_04, an_sa_without_a_doi_is_refused)
{
	sa_of(4, "RFC2408-3.4-04");
	sa_of(7, "RFC2408-3.4-04");
}

GK_TEST(rfc2408_3_4_05, an_sa_without_a_situation_is_refused)
{
	sa_of(8, "RFC2408-3.4-05");
	sa_of(11, "RFC2408-3.4-05");
}

GK_TEST(rfc2408_5_3_01, a_generic_header_with_something_reserved_is_refused)
{
	before_message(1);
	m.ptr[SA_AT + 1] = 1;
	refused_1("RFC2408-5.3-03");
	after_it();
}

/* All four have to be there: cipher, hash, method, group. */
GK_TEST(rfc2409_4_08, a_transform_that_lacks_one_of_the_four_is_refused)
{
	for (uint8_t type = 1; type <= 4; type++) {
		before_message(1);
		take_attribute(type);
		refused_1("RFC2408-5.4-03");
		after_it();
	}
}

/* No cipher, and nobody who says who he is. */
GK_TEST(rfc6407_2_02, no_encryption_and_no_authentication_are_refused)
{
	static const struct {
		uint8_t type, value;
	} row[] = { { 1, 0 }, { 1, 11 }, { 3, 0 } };

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		before_message(1);
		m.ptr[attribute(row[i].type) + 3] = row[i].value;
		refused_1("RFC2408-5.4-03");
		after_it();
	}
}

static const uint8_t prime[] = { 0, 6, 0, 4, 0xff, 0xff, 0xff, 0xfb };

GK_TEST(rfc2409_4_11, a_prime_without_a_generator_is_refused)
{
	before_message(1);
	take_attribute(4);
	put_attribute(prime, sizeof(prime));
	refused_1("RFC2408-5.4-03");
	after_it();
}

GK_TEST(rfc2409_4_12, a_prime_beside_a_defined_group_is_refused)
{
	before_message(1);
	put_attribute(prime, sizeof(prime));
	refused_1("RFC2408-5.4-03");
	after_it();
}

GK_TEST(rfc2409_a_09, a_key_length_in_another_order_is_refused)
{
	size_t at;

	before_message(1);
	at = attribute(14);
	assert_int_equal(m.ptr[at + 3], 128);
	m.ptr[at + 2] = 128;
	m.ptr[at + 3] = 0;
	refused_1("RFC2408-5.4-03");
	after_it();
}

GK_TEST(rfc2409_a_10, a_key_length_with_a_cipher_that_has_but_one_is_refused)
{
	static const uint8_t bits[] = { 0x80, 14, 0, 192 };

	p = (struct pair){ 0 };
	configure(suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
	                   IKE_AUTH_PSK, IKE_GROUP_MODP2048));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	put_attribute(bits, sizeof(bits));
	refused_1("RFC2408-5.4-03");
	after_it();
}

/* ---- messages 2 and 3 ---------------------------------------------------- */

GK_TEST(rfc2409_7_1_02, an_answer_of_two_proposals_is_refused)
{
	uint8_t copy[128];
	size_t len;

	before_message(2);
	len = (size_t)(m.ptr[PROPOSAL_AT + 2] << 8 | m.ptr[PROPOSAL_AT + 3]);
	assert_true(len <= sizeof(copy));
	memcpy(copy, m.ptr + PROPOSAL_AT, len);
	copy[0] = ISAKMP_PAYLOAD_PROPOSAL;
	insert(PROPOSAL_AT, copy, len);
	add16(SA_AT + 2, len);
	refused_later(p.i, "RFC2408-3.5-01");
	after_it();
}

GK_TEST(rfc2409_4_04, cookies_that_change_places_are_refused)
{
	uint8_t cookies[2 * ISAKMP_COOKIE_LEN];

	before_message(3);
	memcpy(cookies, m.ptr, sizeof(cookies));
	memcpy(m.ptr, cookies + ISAKMP_COOKIE_LEN, ISAKMP_COOKIE_LEN);
	memcpy(m.ptr + ISAKMP_COOKIE_LEN, cookies, ISAKMP_COOKIE_LEN);
	refused_later(p.r, "RFC2408-5.2-02");
	after_it();
}

/* ---- message 5 ----------------------------------------------------------- */

/* Message 5 in clear; ID of an IPv4 address at 28 takes 12 octets, HASH behind it
 * 36, and the rest is padding. */
#define ID_AT ISAKMP_HEADER_LEN
#define HASH_AT (ID_AT + 12)

static void
open_message_5(void)
{
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct gk_buf clear;

	before_message(5);
	gk_assert_ok(isakmp_open(&p.r->cbc, gk_buf_slice(&m), &clear, next));
	gk_buf_free(&m);
	m = clear;
	assert_int_equal(m.ptr[16], ISAKMP_PAYLOAD_ID);
	assert_int_equal(m.ptr[ID_AT], ISAKMP_PAYLOAD_HASH);
	assert_int_equal(m.ptr[HASH_AT], ISAKMP_PAYLOAD_NONE);
	m.len = HASH_AT + 36;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
}

static void
seal_message_5(void)
{
	struct isakmp_cbc cbc = p.r->cbc;
	struct gk_buf sealed;

	gk_assert_ok(isakmp_seal(&cbc, &dialect[0], gk_buf_slice(&m), &sealed));
	gk_buf_free(&m);
	m = sealed;
}

/* It is right in all but that everybody can read it. */
GK_TEST(rfc2409_3_2_04, message_5_in_clear_is_refused)
{
	GK_BREAKS("RFC2408-4.1.1-03");
	open_message_5();
	m.ptr[19] = 0;
	refused_later(p.r, "RFC2408-5.2-06");
	after_it();
}

/* The IV of message 6 is the last block of message 5, and no other. */
GK_TEST(rfc2409_b_06, message_6_under_another_iv_is_refused)
{
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct gk_buf clear, sealed;
	struct isakmp_cbc cbc;

	before_message(6);
	gk_assert_ok(isakmp_open(&p.i->cbc, gk_buf_slice(&m), &clear, next));
	cbc = p.i->cbc;
	for (size_t i = 0; i < sizeof(cbc.iv); i++)
		cbc.iv[i] ^= 0xff;
	gk_assert_ok(
		isakmp_seal(&cbc, &dialect[1], gk_buf_slice(&clear), &sealed));
	gk_buf_free(&clear);
	gk_buf_free(&m);
	m = sealed;
	refused_later(p.i, "RFC2408-3.2-01");
	after_it();
}

GK_TEST(rfc2409_b_04, a_length_without_the_padding_is_refused)
{
	static const uint8_t vendor[] = { 0, 0, 0, 8, 1, 2, 3, 4 };
	uint32_t length;

	open_message_5();
	m.ptr[HASH_AT] = ISAKMP_PAYLOAD_VENDOR_ID;
	insert(m.len, vendor, sizeof(vendor));
	length = (uint32_t)m.len;
	seal_message_5();
	assert_true(m.len > length);
	isakmp_header_set_length(m.ptr, length);
	refused_later(p.r, "RFC2408-5.1-02");
	after_it();
}

GK_TEST(rfc2408_5_8_01, an_id_of_a_type_that_nobody_knows_is_refused)
{
	open_message_5();
	m.ptr[ID_AT + 4] = 200;
	seal_message_5();
	refused_later(p.r, "RFC2408-5.8-01");
	after_it();
}

GK_TEST(rfc2407_4_2_1_02, message_5_without_an_id_is_refused)
{
	open_message_5();
	cut(ID_AT, 12);
	m.ptr[16] = ISAKMP_PAYLOAD_HASH;
	seal_message_5();
	refused_later(p.r, "RFC2407-4.2.1-02");
	after_it();
}

/* A signature where a pre-shared key was agreed on. */
GK_TEST(rfc2408_5_12_01, a_signature_that_was_not_negotiated_is_refused)
{
	open_message_5();
	m.ptr[ID_AT] = ISAKMP_PAYLOAD_SIG;
	seal_message_5();
	refused_later(p.r, "RFC2408-5.12-01");
	after_it();
}

/* ---- under the SA -------------------------------------------------------- */

GK_TEST(rfc2409_4_01, main_mode_with_a_message_id_under_an_sa_is_refused)
{
	before_message(1);
	gk_assert_ok(judge_1());
	gk_buf_free(&m);
	converse(&p, say(p.r));
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	gk_assert_ok(gk_buf_alloc(&m, ISAKMP_HEADER_LEN));
	memset(m.ptr, 0, m.len);
	ike_cookies(p.r, m.ptr);
	m.ptr[17] = 0x10;
	m.ptr[18] = ISAKMP_EXCHANGE_IDENTITY_PROTECTION;
	m.ptr[23] = 5;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
	refused_later(p.r, "RFC2408-2.4-06");
	after_it();
}

/* A notification of p.i in m, for p.r. */
static void
notification(void)
{
	const struct isakmp_notification n = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
	};

	p = (struct pair){ 0 };
	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_notify(p.i, &n, now));
	m = say(p.i);
}

GK_TEST(rfc2409_5_7_03, a_message_id_that_was_used_is_refused)
{
	notification();
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	refused_later(p.r, "RFC2408-5.2-07");
	after_it();
}

/* The last block is changed: what the HASH covers is not what was said. */
GK_TEST(rfc2408_5_15_04, an_informational_with_a_wrong_hash_is_refused)
{
	struct isakmp_cbc cbc;
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct gk_buf clear;
	uint32_t id;

	GK_BREAKS("RFC2408-5.14-05", "RFC2408-5.14-06");
	p = (struct pair){ 0 };
	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_delete(p.i, now));
	m = say(p.i);
	id = (uint32_t)m.ptr[20] << 24 | (uint32_t)m.ptr[21] << 16 |
	     (uint32_t)m.ptr[22] << 8 | m.ptr[23];
	gk_assert_ok(ike_info_cbc(p.r, id, &cbc));
	gk_assert_ok(isakmp_open(&cbc, gk_buf_slice(&m), &clear, next));
	assert_int_equal(clear.ptr[16], ISAKMP_PAYLOAD_HASH);
	clear.ptr[ISAKMP_HEADER_LEN + 4] ^= 1;
	gk_buf_free(&m);
	gk_assert_ok(isakmp_seal(&cbc, &dialect[0],
	                         (struct gk_slice){ clear.ptr, 28 + 36 + 28 },
	                         &m));
	gk_buf_free(&clear);
	refused_later(p.r, "RFC2409-5.7-02");
	after_it();
}

/* Of another protocol, and in another DOI: no SA ends, and it is told as it is. */
GK_TEST(rfc2408_5_15_05, a_delete_of_another_protocol_or_doi_ends_nothing)
{
	static const struct {
		uint32_t doi;
		uint8_t protocol, spi_size;
	} row[] = { { ISAKMP_DOI_GDOI, 9, 16 },
		    { ISAKMP_DOI_GDOI, 3, 4 },
		    { 77, 3, 4 } };
	uint8_t cookies[2 * ISAKMP_COOKIE_LEN];

	configure(MODERN(PSK));
	p = establish();
	ike_cookies(p.i, cookies);
	for (size_t i = 0; i < GK_COUNT(row); i++) {
		const struct isakmp_delete d = {
			.doi = row[i].doi,
			.protocol = row[i].protocol,
			.spi_size = row[i].spi_size,
			.count = 1,
			.spis = { cookies, row[i].spi_size },
		};
		struct ike_output o;
		unsigned told = 0;

		gk_assert_ok(ike_delete_other(p.i, &d, now));
		m = say(p.i);
		gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
		gk_buf_free(&m);
		while (ike_poll(p.r, &o)) {
			assert_int_equal(o.kind, IKE_OUT_DELETE_OTHER);
			assert_int_equal(o.del.doi, row[i].doi);
			assert_int_equal(o.del.protocol, row[i].protocol);
			told++;
		}
		assert_int_equal(told, 1);
		assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	}
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_3_4_01, a_proposal_beside_the_sa_is_refused),
		GK_RUN(rfc2408_3_4_04, an_sa_without_a_doi_is_refused),
		GK_RUN(rfc2408_3_4_05, an_sa_without_a_situation_is_refused),
		GK_RUN(rfc2408_5_3_01,
		       a_generic_header_with_something_reserved_is_refused),
		GK_RUN(rfc2409_4_08,
		       a_transform_that_lacks_one_of_the_four_is_refused),
		GK_RUN(rfc6407_2_02,
		       no_encryption_and_no_authentication_are_refused),
		GK_RUN(rfc2409_4_11, a_prime_without_a_generator_is_refused),
		GK_RUN(rfc2409_4_12, a_prime_beside_a_defined_group_is_refused),
		GK_RUN(rfc2409_a_09, a_key_length_in_another_order_is_refused),
		GK_RUN(rfc2409_a_10,
		       a_key_length_with_a_cipher_that_has_but_one_is_refused),
		GK_RUN(rfc2409_7_1_02, an_answer_of_two_proposals_is_refused),
		GK_RUN(rfc2409_4_04, cookies_that_change_places_are_refused),
		GK_RUN(rfc2409_3_2_04, message_5_in_clear_is_refused),
		GK_RUN(rfc2409_b_06, message_6_under_another_iv_is_refused),
		GK_RUN(rfc2409_b_04, a_length_without_the_padding_is_refused),
		GK_RUN(rfc2408_5_8_01,
		       an_id_of_a_type_that_nobody_knows_is_refused),
		GK_RUN(rfc2407_4_2_1_02, message_5_without_an_id_is_refused),
		GK_RUN(rfc2408_5_12_01,
		       a_signature_that_was_not_negotiated_is_refused),
		GK_RUN(rfc2409_4_01,
		       main_mode_with_a_message_id_under_an_sa_is_refused),
		GK_RUN(rfc2409_5_7_03, a_message_id_that_was_used_is_refused),
		GK_RUN(rfc2408_5_15_04,
		       an_informational_with_a_wrong_hash_is_refused),
		GK_RUN(rfc2408_5_15_05,
		       a_delete_of_another_protocol_or_doi_ends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
