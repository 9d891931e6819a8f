/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/tests/keys.h"
#include "gsakmp/tests/parsing.h"

/*
 * Clauses about keys and suites, one test each: RFC 4535 sections 6.2, 7.4,
 * 7.5, 7.11 and Appendix A.
 */

/* Keys ---------------------------------------------------------------------- */

static void
both_sides(uint16_t type, uint16_t key_type)
{
	static uint8_t step;
	struct gsakmp_kek_input in = { .key_creation = type,
		                       .key_type = key_type,
		                       .nonce_i = gk_slice_str("initiator"),
		                       .nonce_r = gk_slice_str("responder"),
		                       .groupid = sample_groupid() };
	struct gk_kex_key *member, *server;
	struct gsakmp_kek a, b;
	uint8_t private_value[32];
	struct gk_buf secret;

	memset(private_value, 0x11 + step++, sizeof(private_value));
	gk_assert_ok(gk_kex_from_private(
		gsakmp_kex(type),
		(struct gk_slice){ private_value, sizeof(private_value) },
		&member));
	private_value[0] ^= 0x40;
	gk_assert_ok(gk_kex_from_private(
		gsakmp_kex(type),
		(struct gk_slice){ private_value, sizeof(private_value) },
		&server));
	gk_assert_ok(gk_kex_derive(member, gk_kex_public(server), 0, &secret));
	in.secret = gk_buf_slice(&secret);
	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &a));
	gk_buf_free(&secret);
	gk_assert_ok(gk_kex_derive(server, gk_kex_public(member), 0, &secret));
	in.secret = gk_buf_slice(&secret);
	gk_assert_ok(gsakmp_kek_derive(&defaults, &in, &b));
	gk_buf_free(&secret);
	assert_true(a.len > 0 && a.len == b.len);
	assert_memory_equal(a.key, b.key, a.len);
	gk_kex_free(member);
	gk_kex_free(server);
}

GK_TEST(rfc4535_7_4_1_02, both_sides_make_the_same_kek_with_every_method)
{
	static const uint16_t type[] = { 2, 14, 49153, 49154, 49155 };
	static const uint16_t key_type[] = { 3, 12, 13, 49153, 49154, 49155 };

	for (size_t i = 0; i < GK_COUNT(type); i++)
		for (size_t k = 0; k < GK_COUNT(key_type); k++)
			both_sides(type[i], key_type[k]);
}

GK_TEST(rfc4535_7_11_1_02, modp_1024_is_supported)
{
	assert_int_equal(gsakmp_kex(2), GK_KEX_MODP1024_LEGACY);
	assert_int_equal(gk_kex_public_len(gsakmp_kex(2)), 128);
	both_sides(2, GSAKMP_KEY_AES_CBC_128);
}

GK_TEST(rfc4535_7_4_1_01, key_download_in_clear_is_not_read)
{
	static struct gsakmp_keys keys;
	struct gsakmp_kek kek = { .type = GSAKMP_KEY_AES_CBC_128, .len = 16 };
	struct gk_buf opened = { 0 };
	struct gk_wr wr;
	uint8_t clear[512];
	enum gk_err err;

	sample_key_download(&keys, GSAKMP_KEY_AES_CBC_128);
	gk_wr_init(&wr, clear, sizeof(clear));
	gsakmp_keys_encode(&wr, &keys, true);
	err = gsakmp_key_download_open(&defaults, &kek,
	                               (struct gk_slice){ clear, wr.len },
	                               &opened, &why);
	assert_true(err != GK_OK);
	assert_string_equal(why.req, "RFC4535-7.4.2-01");
}

GK_TEST(rfc4535_7_4_1_06, gtpk_items_are_supported)
{
	static struct gsakmp_keys keys, back;
	struct gsakmp_key_datum d =
		sample_key(GSAKMP_KEY_AES_CBC_128, 0x4b455931, 7);
	uint8_t clear[128];
	struct gk_wr wr;

	gk_assert_ok(gsakmp_keys_add(&keys, GSAKMP_ITEM_GTPK, &d));
	gk_wr_init(&wr, clear, sizeof(clear));
	gsakmp_keys_encode(&wr, &keys, true);
	gk_assert_ok(gsakmp_key_download_read(
		(struct gk_slice){ clear, wr.len }, &defaults, NULL, SAMPLE_UTC,
		&back, &why));
	assert_int_equal(back.n_items, 1);
	assert_int_equal(back.item[0].type, 0);
	assert_int_equal(back.datum[0].id, 0x4b455931);
	assert_memory_equal(back.datum[0].key.ptr, d.key.ptr, 16);
}

GK_TEST(rfc4535_7_4_1_1_02, aes_cbc_128_keys_are_supported)
{
	static struct gsakmp_keys keys, back;
	uint8_t clear[512];
	struct gk_wr wr;

	sample_key_download(&keys, GSAKMP_KEY_AES_CBC_128);
	gk_wr_init(&wr, clear, sizeof(clear));
	gsakmp_keys_encode(&wr, &keys, true);
	gk_assert_ok(gsakmp_key_download_read(
		(struct gk_slice){ clear, wr.len }, &defaults, NULL, SAMPLE_UTC,
		&back, &why));
	assert_int_equal(back.datum[0].type, 12);
	assert_int_equal(back.datum[0].key.len, 16);
}

GK_TEST(rfc4535_7_5_1_02, rekey_event_may_be_split_between_its_datas)
{
	struct sample s;
	struct sample_part half;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	sample_part_of(&half, GSAKMP_PAYLOAD_REKEY_EVENT, 0);
	for (int i = 0; i < 3; i++)
		sample_add(&s, 0, half.type, half.body, half.len);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.n_rekey_events, 4);
	assert_int_equal(msg.rekey_event[3].n_data, 2);
	/* Inside a Rekey Event Data it may not be split. */
	s.part[0].len -= 10;
	gk_assert_err(GK_ERR_TRUNCATED, parse_kept(&s));
	assert_string_equal(why.req, "RFC4535-7.5.2-07");
}

GK_TEST(rfc4535_7_5_1_02, counts_of_a_split_event_are_totals_under_the_dialect)
{
	const struct gsakmp_dialect total = {
		.rekey_counts = GSAKMP_REKEY_COUNTS_TOTAL
	};
	const struct gsakmp_parse with = { .dialect = &total };
	const size_t count_at = 1 + 23 + 15 + 2 + 1; /* its low octet */
	struct sample_part half;
	struct sample s;
	size_t n;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	sample_part_of(&half, GSAKMP_PAYLOAD_REKEY_EVENT, 0);
	sample_add(&s, 0, half.type, half.body, half.len);
	for (uint8_t count = 1; count <= 5; count++) {
		s.part[0].body[count_at] = s.part[1].body[count_at] = count;
		n = sample_octets(&s, buf, sizeof(buf));
		gk_assert_err(count == 4 ? GK_OK : GK_ERR_VALUE,
		              gsakmp_message_parse(&with, buf, n, &msg, &why));
		if (count != 4)
			assert_string_equal(why.req, "RFC4535-7.5.2-07");
	}
}

GK_TEST(rfc4535_a_2_02, other_algorithm_versions_are_refused)
{
	const size_t version_at = 1 + 23 + 15 + 1;
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	assert_int_equal(s.part[0].body[version_at], 1);
	for (int v = 0; v <= 255; v++) {
		if (v == 1)
			continue;
		s.part[0].body[version_at] = (uint8_t)v;
		gk_assert_err(GK_ERR_VALUE, parse_kept(&s));
		assert_string_equal(why.req, "RFC4535-7.5.2-06");
	}
}

/* Suite 1 ------------------------------------------------------------------- */

GK_TEST(rfc4535_6_2_07, suite_1_request_to_join_has_the_codes_of_the_suite)
{
	static const uint8_t zero[20];
	struct gk_signer *signer;
	struct gsakmp_sign sign = {
		.type = GSAKMP_SIGNATURE_DSS_SHA1,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_slice_str(SAMPLE_DN),
		.utc = SAMPLE_UTC,
	};
	struct gk_kex_key *key;
	struct gsakmp_build b;
	struct gk_buf out;

	gk_assert_ok(gk_signer_from_pem(gk_slice_str(KEY_DSA), NULL, &signer));
	gk_assert_ok(
		gk_kex_generate(&sample_env, GK_KEX_MODP1024_LEGACY, &key));
	sign.signer = signer;
	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	                   sample_groupid(), 0);
	gsakmp_build_key_creation(&b, GSAKMP_KEY_CREATION_MODP1024,
	                          gk_kex_public(key));
	gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR,
	                   (struct gk_slice){ zero, sizeof(zero) });
	gk_assert_ok(gsakmp_build_finish(&b, &sign, &out));
	gk_assert_ok(parse_with(&plain, out.ptr, out.len));
	assert_int_equal(msg.key_creation.type, 2); /* RFC4535-6.2-06 */
	assert_int_equal(msg.key_creation.data.len, 128);
	assert_int_equal(msg.signature.type, 0);
	assert_int_equal(msg.signature.id_type, 31);        /* RFC4535-6.2-08 */
	assert_int_equal(msg.signature.value.ptr[0], 0x30); /* DER */
	gk_assert_ok(gsakmp_message_verify(&msg, &defaults,
	                                   gk_signer_pubkey(signer), &why));
	gk_buf_free(&out);
	gk_kex_free(key);
	gk_signer_free(signer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_4_1_02,
		       both_sides_make_the_same_kek_with_every_method),
		GK_RUN(rfc4535_7_11_1_02, modp_1024_is_supported),
		GK_RUN(rfc4535_7_4_1_01, key_download_in_clear_is_not_read),
		GK_RUN(rfc4535_7_4_1_06, gtpk_items_are_supported),
		GK_RUN(rfc4535_7_4_1_1_02, aes_cbc_128_keys_are_supported),
		GK_RUN(rfc4535_7_5_1_02,
		       rekey_event_may_be_split_between_its_datas),
		GK_RUN(rfc4535_7_5_1_02,
		       counts_of_a_split_event_are_totals_under_the_dialect),
		GK_RUN(rfc4535_a_2_02, other_algorithm_versions_are_refused),
		GK_RUN(rfc4535_6_2_07,
		       suite_1_request_to_join_has_the_codes_of_the_suite),
	};

	return cmocka_run_group_tests_name("gsakmp/clause_keys", tests, NULL,
	                                   NULL);
}
