/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

/*
 * Phase 1, one engine against the other: RFC 2409 sections 5.1 and 5.4.
 */
/* ---- what is supported -------------------------------------------------- */

static void
lives(struct ike_suite suite, bool aggressive)
{
	struct pair p;

	configure(suite);
	config[0].aggressive = config[1].aggressive = aggressive;
	p = establish();
	same_phase2(&p);
	pair_free(&p);
}

GK_TEST(rfc2409_5_01, main_mode_in_every_cipher_hash_and_group)
{
	static const struct {
		uint16_t encryption, bits;
	} ciphers[] = { { IKE_ENCRYPTION_DES_CBC, 0 },
		        { IKE_ENCRYPTION_3DES_CBC, 0 },
		        { IKE_ENCRYPTION_AES_CBC, 128 },
		        { IKE_ENCRYPTION_AES_CBC, 192 },
		        { IKE_ENCRYPTION_AES_CBC, 256 } };
	static const uint16_t hashes[] = { IKE_HASH_MD5, IKE_HASH_SHA1,
		                           IKE_HASH_SHA256, IKE_HASH_SHA384,
		                           IKE_HASH_SHA512 };
	static const uint16_t groups[] = {
#define G(name, value, text, group) IKE_GROUP_##name,
		IKE_GROUP_LIST(G)
#undef G
	};

	GK_SHOWS("RFC2409-4-10", "RFC2409-4-13", "RFC2409-6.1-01",
	         "RFC2408-1.4.2-02");
	for (size_t i = 0; i < GK_COUNT(ciphers); i++)
		lives(suite_of(ciphers[i].encryption, ciphers[i].bits,
		               IKE_HASH_SHA256, IKE_AUTH_PSK, IKE_GROUP_ECP256),
		      false);
	for (size_t i = 0; i < GK_COUNT(hashes); i++)
		lives(suite_of(IKE_ENCRYPTION_AES_CBC, 256, hashes[i],
		               IKE_AUTH_PSK, IKE_GROUP_ECP256),
		      false);
	for (size_t i = 0; i < GK_COUNT(groups); i++)
		lives(suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256,
		               IKE_AUTH_PSK, groups[i]),
		      false);
}

GK_TEST(rfc2409_5_02, aggressive_mode_with_and_without_certificates)
{
	lives(MODERN(PSK), true);
	lives(MODERN(RSA), true);
	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	dialect[0].am3_encrypt = GDOI_AM3_ENCRYPT_NO;
	struct pair p = establish();
	same_phase2(&p);
	pair_free(&p);
}

GK_TEST(rfc2409_5_1_01, signatures_of_every_kind)
{
	static const struct {
		enum gk_pki_alg alg;
		uint16_t auth;
	} kinds[] = { { GK_PKI_P256, IKE_AUTH_ECDSA_256 },
		      { GK_PKI_P384, IKE_AUTH_ECDSA_384 },
		      { GK_PKI_P521, IKE_AUTH_ECDSA_521 },
		      { GK_PKI_RSA2048, IKE_AUTH_RSA } };

	GK_SHOWS("RFC2408-1.5.3-02", "RFC2408-5.12-01");
	for (size_t i = 0; i < GK_COUNT(kinds); i++) {
		parties(kinds[i].alg);
		for (unsigned hashed = 0; hashed < 2; hashed++) {
			struct pair p;

			configure(suite_of(IKE_ENCRYPTION_AES_CBC, 128,
			                   IKE_HASH_SHA1, kinds[i].auth,
			                   IKE_GROUP_ECP256));
			for (int n = 0; n < 2; n++) {
				dialect[n].p1_ecdsa = (uint8_t)hashed;
				dialect[n].p1_ecdsa_prf = (uint8_t)hashed;
			}
			p = establish();
			pair_free(&p);
		}
	}
	parties(GK_PKI_RSA2048);
}

GK_TEST(rfc2408_4_2_04, the_responder_chooses_by_its_own_preference)
{
	struct pair p;

	configure(MODERN(PSK));
	config[0].suite[1] =
		suite_of(IKE_ENCRYPTION_AES_CBC, 256, IKE_HASH_SHA512,
	                 IKE_AUTH_PSK, IKE_GROUP_ECP384);
	config[0].n_suites = 2;
	config[1].suite[0] = config[0].suite[1];
	config[1].suite[1] = config[0].suite[0];
	config[1].n_suites = 2;
	p = establish();
	assert_int_equal(ike_suite(p.i)->group, IKE_GROUP_ECP384);
	assert_int_equal(ike_suite(p.r)->key_bits, 256);
	pair_free(&p);
}

/* DOI and Situation as peers in the field have them; the answer has those of the
 * offer. */
GK_TEST(rfc6407_2_1_01, every_doi_and_situation_in_the_field)
{
	static const struct {
		uint8_t doi, situation, ours;
		bool taken;
	} rows[] = {
		{ GDOI_P1_DOI_2, GDOI_P1_SITUATION_0, GDOI_P1_DOI_2, true },
		{ GDOI_P1_DOI_2, GDOI_P1_SITUATION_1, GDOI_P1_DOI_2, true },
		{ GDOI_P1_DOI_1, GDOI_P1_SITUATION_1, GDOI_P1_DOI_2, false },
		{ GDOI_P1_DOI_1, GDOI_P1_SITUATION_1, GDOI_P1_DOI_1, true },
		{ GDOI_P1_DOI_2, GDOI_P1_SITUATION_0, GDOI_P1_DOI_1, true },
		{ GDOI_P1_DOI_0, GDOI_P1_SITUATION_0, GDOI_P1_DOI_0, true },
	};

	GK_SHOWS("RFC2408-5.4-02");
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct pair p = { 0 };
		struct gk_buf m;
		enum gk_err err;

		configure(MODERN(PSK));
		dialect[0].p1_doi = rows[i].doi;
		dialect[0].p1_situation = rows[i].situation;
		dialect[1].p1_doi = rows[i].ours;
		gk_assert_ok(
			ike_initiate(&env, &config[0], &path[0], now, &p.i));
		m = say(p.i);
		err = ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
		                  now, &p.r, &why);
		gk_buf_free(&m);
		assert_int_equal(err == GK_OK, rows[i].taken);
		if (err == GK_OK) {
			converse(&p, say(p.r));
			same_phase2(&p);
		} else {
			assert_string_equal(why.req, "RFC6407-2.1-01");
		}
		pair_free(&p);
	}
}

/* ---- under the SA ------------------------------------------------------- */

GK_TEST(rfc2409_5_7_01, notifications_and_deletes_go_under_the_sa)
{
	const struct isakmp_notification n = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = 1,
		.type = ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		.data = gk_slice_str("why")
	};
	struct ike_output out;
	struct pair p;
	struct gk_buf m;

	GK_SHOWS("RFC2408-4.1-02", "RFC2408-4.8-02", "RFC2408-4.8-03",
	         "RFC2408-5.14-05", "RFC2408-5.15-04");
	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_notify(p.r, &n, now));
	m = say(p.r);
	m.ptr[m.len - 1] ^= 1; /* damaged: refused */
	assert_true(hear(p.i, gk_buf_slice(&m)) != GK_OK);
	m.ptr[m.len - 1] ^= 1;
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_int_equal(out.notification.type,
	                 ISAKMP_NOTIFY_INVALID_ID_INFORMATION);
	assert_int_equal(out.notification.data.len, 3);
	gk_buf_free(&m);

	gk_assert_ok(ike_delete(p.i, now));
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	m = say(p.i);
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_DELETED);
	assert_int_equal(ike_state(p.r), IKE_DEAD);
	gk_buf_free(&m);
	pair_free(&p);
}

/* RFC2408-5.15-01: in clear, nobody is believed. */
GK_TEST(rfc2408_5_15_01, a_delete_in_clear_is_refused)
{
	uint8_t m[ISAKMP_HEADER_LEN + 28] = { 0 };
	struct isakmp_header h;
	struct ike_output out;
	struct pair p;
	struct gk_wr wr;

	GK_BREAKS("RFC2408-4.8-02", "RFC2409-5.7-01");
	configure(MODERN(PSK));
	p = establish();
	h = ike_header(p.i, ISAKMP_EXCHANGE_INFORMATIONAL, 5);
	h.next_payload = ISAKMP_PAYLOAD_DELETE;
	h.length = sizeof(m);
	gk_wr_init(&wr, m, sizeof(m));
	isakmp_header_encode(&wr, &h);
	memcpy(m + ISAKMP_HEADER_LEN,
	       (uint8_t[]){ 0, 0, 0, 28, 0, 0, 0, 2, 1, 16, 0, 1 }, 12);
	memcpy(m + ISAKMP_HEADER_LEN + 12, m, 16);
	assert_true(hear(p.r, (struct gk_slice){ m, sizeof(m) }) != GK_OK);
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2408-5.14-04");
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	pair_free(&p);
}

GK_TEST(rfc2409_a_08, an_sa_ends_when_its_time_is_over)
{
	struct pair p;

	configure(MODERN(PSK));
	config[0].life_s = 100;
	p = establish();
	assert_int_equal(ike_deadline(p.i) - now.mono_ms, 100000);
	/* The responder takes the shorter one of the offer. */
	assert_int_equal(ike_deadline(p.r) - now.mono_ms, 100000);
	now.mono_ms += 100000;
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_5_01, main_mode_in_every_cipher_hash_and_group),
		GK_RUN(rfc2409_5_02,
		       aggressive_mode_with_and_without_certificates),
		GK_RUN(rfc2409_5_1_01, signatures_of_every_kind),
		GK_RUN(rfc2408_4_2_04,
		       the_responder_chooses_by_its_own_preference),
		GK_RUN(rfc6407_2_1_01, every_doi_and_situation_in_the_field),
		GK_RUN(rfc2409_5_7_01,
		       notifications_and_deletes_go_under_the_sa),
		GK_RUN(rfc2408_5_15_01, a_delete_in_clear_is_refused),
		GK_RUN(rfc2409_a_08, an_sa_ends_when_its_time_is_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
