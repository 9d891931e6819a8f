/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test_pki.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/sig_key.h"
#include "gdoi/payload/sat_keys.h"
#include "gdoi/tests/five.h"

/*
 * What keys a SAT calls for, how LKH keys lie in an update array, and the forms
 * of SIG_ALGORITHM_KEY.
 */
static const struct gdoi_dialect strict;

static struct gdoi_sat
esp(uint8_t transform, uint16_t bits, uint16_t authentication)
{
	return (struct gdoi_sat){ .protocol = GDOI_PROTOCOL_ESP,
		                  .ipsec = { .transform = transform,
		                             .key_length = bits,
		                             .authentication =
		                                     authentication } };
}

static struct gdoi_sat
ah(uint8_t transform, uint16_t authentication)
{
	struct gdoi_sat sat = esp(transform, 0, authentication);

	sat.protocol = GDOI_PROTOCOL_AH;
	return sat;
}

static struct gdoi_sat
iec(uint16_t auth, uint16_t enc)
{
	return (struct gdoi_sat){ .protocol = GDOI_PROTOCOL_IEC_61850,
		                  .iec = { .auth = auth, .enc = enc } };
}

static void
wants(struct gdoi_sat sat, size_t algorithm, size_t integrity, bool counter,
      bool legacy)
{
	struct gdoi_sat_keys k;

	gk_assert_ok(gdoi_sat_keys(&strict, &sat, &k, &why));
	assert_int_equal(k.algorithm, algorithm);
	assert_int_equal(k.integrity, integrity);
	assert_int_equal(k.counter_mode, counter);
	assert_int_equal(k.legacy, legacy);
	assert_false(k.source_auth);
}

static void
refuses(struct gdoi_sat sat, const char *req)
{
	struct gdoi_sat_keys k;

	gk_assert_err(GK_ERR_VALUE, gdoi_sat_keys(&strict, &sat, &k, &why));
	assert_string_equal(why.req, req);
}

GK_TEST(rfc6407_5_6_1_05, lengths_follow_the_transform)
{
	wants(esp(12, 128, 2), 16, 20, false, false);
	wants(esp(12, 192, 5), 24, 32, false, false);
	wants(esp(12, 256, 7), 32, 64, false, false);
	wants(esp(2, 0, 1), 8, 16, false, true);
	wants(esp(3, 0, 2), 24, 20, false, true);
	wants(esp(11, 0, 5), 0, 32, false, false);
	wants(esp(13, 128, 5), 20, 32, true, false);
	wants(esp(16, 128, 0), 19, 0, true, false);
	wants(esp(20, 128, 0), 20, 0, true, false);
	wants(esp(20, 256, 0), 36, 0, true, false);
	wants(esp(23, 128, 0), 20, 0, true, false);
	wants(esp(12, 128, 0), 16, 0, false, true); /* nothing authentic */
	wants(ah(5, 5), 0, 32, false, false);
	wants(ah(11, 11), 0, 20, true, false);
	wants(iec(2, 1), 0, 32, false, false);
	wants(iec(3, 2), 16, 32, false, false);
	wants(iec(4, 1), 0, 20, true, false);
	wants(iec(5, 3), 32, 36, true, false);
	wants(iec(1, 5), 36, 0, true, false);
	wants(iec(1, 1), 0, 0, false, true);
}

GK_TEST(rfc6407_5_5_1_07, unknown_transforms_are_refused)
{
	refuses(esp(21, 128, 5), "RFC6407-5.5.1-07");
	refuses(esp(200, 128, 5), "RFC6407-5.5.1-07");
}

GK_TEST(rfc2407_4_5_10, a_cipher_of_several_lengths_says_which)
{
	refuses(esp(12, 0, 2), "RFC2407-4.5-10");
	refuses(esp(12, 160, 2), "RFC2407-4.5-10");
	refuses(esp(20, 160, 0), "RFC2407-4.5-10");
}

GK_TEST(rfc2407_4_5_11, another_length_of_a_fixed_key_is_refused)
{
	refuses(esp(3, 128, 2), "RFC2407-4.5-11");
	refuses(esp(11, 128, 2), "RFC2407-4.5-11");
}

GK_TEST(rfc2407_4_5_07, unknown_authentication_is_refused)
{
	refuses(esp(12, 128, 3), "RFC2407-4.5-07");
	refuses(esp(12, 128, 11), "RFC2407-4.5-07");
}

GK_TEST(rfc2407_4_5_08, a_combined_mode_has_no_second_authentication)
{
	refuses(esp(20, 128, 5), "RFC2407-4.5-08");
}

GK_TEST(rfc2407_4_4_4_11_01, neither_secret_nor_authentic_is_refused)
{
	refuses(esp(11, 0, 0), "RFC2407-4.4.4.11-01");
}

GK_TEST(rfc2407_4_4_4_11_01, authentic_and_not_secret_is_esp_null)
{
	struct gdoi_sat sat = esp(11, 0, 5);
	struct gdoi_sat_keys keys;

	GK_SHOWS("RFC2407-4.5-09");
	gk_assert_ok(gdoi_sat_keys(&defaults, &sat, &keys, &why));
	assert_int_equal(keys.algorithm, 0);
	assert_int_equal(keys.integrity, 32);
}

GK_TEST(rfc2407_4_4_3_01, ah_says_its_authentication)
{
	refuses(ah(5, 0), "RFC2407-4.4.3-01");
	refuses(ah(5, 2), "RFC2407-4.4.3-01");
	refuses(ah(99, 2), "RFC2407-4.4.3-01");
}

GK_TEST(rfc6407_5_6_1_05, switch_gcm_key_length)
{
	struct gdoi_dialect dialect = strict;
	struct gdoi_sat sat = esp(20, 160, 0);
	struct gdoi_sat_keys k;

	dialect.gcm_key_length = GDOI_GCM_KEY_LENGTH_KEY_SALT;
	gk_assert_ok(gdoi_sat_keys(&dialect, &sat, &k, &why));
	assert_int_equal(k.algorithm, 20);
	sat.ipsec.key_length = 128;
	gk_assert_err(GK_ERR_VALUE, gdoi_sat_keys(&dialect, &sat, &k, &why));
	sat.ipsec.transform = 12; /* CBC has no salt */
	sat.ipsec.authentication = 2;
	gk_assert_ok(gdoi_sat_keys(&dialect, &sat, &k, &why));
	assert_int_equal(k.algorithm, 16);
}

/* What is missing is understood, and what goes without saying is not sent; another
 * algorithm than that of the transform still has to be said, and is refused. */
GK_TEST(rfc2407_4_4_3_01, switch_ah_authentication)
{
	static const uint8_t row[][2] = {
		{ 2, 1 }, { 3, 2 }, { 5, 5 }, { 7, 7 }, { 11, 11 }
	};
	struct gdoi_dialect dialect = strict;

	dialect.ah_authentication = GDOI_AH_AUTHENTICATION_IMPLIED;
	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gdoi_sat sat = ah(row[i][0], row[i][1]), back;
		uint8_t said[256], silent[256];
		struct gk_wr full, wr;
		struct gdoi_sat_keys k;
		struct gk_rd rd;

		sat.ipsec.ep.dst =
			(struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR,
			                        0,
			                        { (const uint8_t *)"\357\1\1\1",
			                          4 } };
		sat.ipsec.encapsulation = 2;
		gk_wr_init(&full, said, sizeof(said));
		gdoi_sat_encode(&full, &strict, &sat);
		gk_assert_ok(gk_wr_done(&full));
		gk_wr_init(&wr, silent, sizeof(silent));
		gdoi_sat_encode(&wr, &dialect, &sat);
		gk_assert_ok(gk_wr_done(&wr));
		assert_int_equal(full.len - wr.len, 4);
		gk_rd_init(&rd, silent, wr.len);
		gk_assert_ok(gdoi_sat_read(&rd, &dialect, &back, &why));
		assert_int_equal(back.ipsec.authentication, row[i][1]);
		gk_assert_ok(gdoi_sat_keys(&dialect, &back, &k, &why));
		/* Said, it is understood as well. */
		gk_rd_init(&rd, said, full.len);
		gk_assert_ok(gdoi_sat_read(&rd, &dialect, &back, &why));
		assert_int_equal(back.ipsec.authentication, row[i][1]);
		/* A strict reader misses it. */
		gk_rd_init(&rd, silent, wr.len);
		if (gdoi_sat_read(&rd, &strict, &back, &why) == GK_OK)
			gk_assert_err(GK_ERR_VALUE,
			              gdoi_sat_keys(&strict, &back, &k, &why));
		assert_string_equal(why.req, "RFC2407-4.4.3-01");
	}
}

/* Which requirement a packet breaks whose keys have @a and @i octets. */
static const char *
misfit(struct gdoi_sat sat, size_t a, size_t i)
{
	static const uint8_t octets[64];
	const struct gdoi_kd_packet p = {
		.type = GDOI_KD_TEK,
		.algorithm_key = { octets, a },
		.integrity_key = { octets, i },
	};
	struct gdoi_sat_keys k;

	gk_assert_ok(gdoi_sat_keys(&strict, &sat, &k, &why));
	why.req = "fits";
	if (gdoi_sat_keys_fit(&sat, &k, &p, &why) == GK_OK)
		assert_string_equal(why.req, "fits");
	return why.req;
}

GK_TEST(rfc6407_5_6_1_01, keys_of_another_length_do_not_fit)
{
	assert_string_equal(misfit(esp(12, 128, 2), 16, 20), "fits");
	assert_string_equal(misfit(esp(12, 128, 2), 16, 0), "RFC6407-5.6.1-01");
	assert_string_equal(misfit(esp(12, 128, 2), 0, 20), "RFC6407-5.6.1-01");
	assert_string_equal(misfit(esp(20, 128, 0), 16, 0), "RFC6407-5.6.1-05");
	assert_string_equal(misfit(esp(3, 0, 2), 21, 20), "RFC6407-5.6.1.1-02");
	assert_string_equal(misfit(esp(12, 128, 2), 16, 16),
	                    "RFC6407-5.6.1.2-01");
	assert_string_equal(misfit(esp(12, 128, 5), 16, 16),
	                    "RFC6407-5.6.1.2-02");
}

/* SIG-RSA: the modulus has @bits. */
static struct gdoi_sat
signed_by(struct gdoi_sat sat, uint16_t bits, uint16_t encoding)
{
	sat.ipsec.authentication = 10;
	sat.ipsec.authentication_length = bits;
	sat.ipsec.signature_encoding = encoding;
	return sat;
}

GK_TEST(rfc6407_5_6_1_01, a_source_that_signs_has_a_key)
{
	static const struct gdoi_kd_packet without, with = {
		.source_auth_key = { (const uint8_t *)"key", 3 },
	};
	const struct gdoi_sat sats[] = { signed_by(esp(11, 0, 0), 2048, 1),
		                         signed_by(ah(10, 0), 2048, 2) };
	struct gdoi_sat hmac = ah(5, 5);
	struct gdoi_sat_keys k;

	for (size_t i = 0; i < GK_COUNT(sats); i++) {
		gk_assert_ok(gdoi_sat_keys(&strict, &sats[i], &k, &why));
		assert_true(k.source_auth);
		assert_false(k.legacy);
		assert_int_equal(k.integrity, 0);
		gk_assert_ok(gdoi_sat_keys_fit(&sats[i], &k, &with, &why));
		gk_assert_err(GK_ERR_VALUE,
		              gdoi_sat_keys_fit(&sats[i], &k, &without, &why));
		assert_string_equal(why.req, "RFC6407-5.6.1-01");
		assert_string_equal(why.field, "TEK_SOURCE_AUTH_KEY");
	}
	gk_assert_ok(gdoi_sat_keys(&strict, &hmac, &k, &why));
	k.integrity = 0;
	gk_assert_err(GK_ERR_VALUE, gdoi_sat_keys_fit(&hmac, &k, &with, &why));
	assert_string_equal(why.field, "TEK_SOURCE_AUTH_KEY");
}

GK_TEST(rfc6407_5_5_1_13, who_signs_says_how_and_how_long)
{
	struct gdoi_sat old = signed_by(ah(10, 0), 1024, 1);
	struct gdoi_sat cbc = signed_by(esp(12, 128, 0), 2048, 2);
	struct gdoi_sat_keys k;

	GK_SHOWS("RFC4359-2.1-01", "RFC4359-4-01");
	refuses(signed_by(esp(12, 128, 0), 0, 1), "RFC4359-5-01");
	refuses(signed_by(esp(12, 128, 0), 2048, 0), "RFC4359-5-02");
	refuses(signed_by(ah(10, 0), 0, 1), "RFC4359-5-01");
	refuses(signed_by(ah(10, 0), 2048, 0), "RFC4359-5-02");
	refuses(signed_by(ah(5, 0), 2048, 1), "RFC2407-4.4.3-01");
	refuses(signed_by(esp(20, 128, 0), 2048, 1), "RFC4359-4-01");
	refuses(esp(20, 128, 5), "RFC2407-4.5-08");
	gk_assert_ok(gdoi_sat_keys(&strict, &old, &k, &why));
	assert_true(k.legacy);
	gk_assert_ok(gdoi_sat_keys(&strict, &cbc, &k, &why));
	assert_true(k.source_auth);
	assert_int_equal(k.algorithm, 16);
}

GK_TEST(rfc8052_2_3_04, keys_of_iec_61850_have_their_lengths)
{
	assert_string_equal(misfit(iec(2, 1), 0, 32), "fits");
	assert_string_equal(misfit(iec(2, 1), 0, 16), "RFC8052-2.3-04");
	assert_string_equal(misfit(iec(4, 1), 0, 16), "RFC8052-2.3-05");
	assert_string_equal(misfit(iec(5, 1), 0, 32), "RFC8052-2.3-06");
	assert_string_equal(misfit(iec(2, 2), 24, 32), "RFC8052-2.3-08");
	assert_string_equal(misfit(iec(1, 4), 16, 0), "RFC8052-2.3-09");
	/* the right octets in the wrong attribute */
	assert_string_equal(misfit(iec(2, 1), 32, 0), "RFC8052-2.3-07");
	assert_string_equal(misfit(iec(1, 4), 20, 20), "RFC8052-2.3-03");
}

/* ---- lkh_wrap ----------------------------------------------------------- */

static const uint8_t under[] =
	"0123456789abcdef0123456789abcdef0123456789abcde";
static const uint8_t plain[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTU";

static void
round_trip(uint8_t how, enum gk_cipher cipher, size_t wrapped_len)
{
	const struct gdoi_dialect dialect = { .lkh_wrap = how };
	size_t len = gdoi_lkh_plain_len(cipher);
	const struct gk_slice u = { under, len }, p = { plain, len };
	struct gk_buf wrapped, opened;

	gk_assert_ok(gdoi_lkh_wrap(&dialect, cipher, u, p, &wrapped));
	assert_int_equal(wrapped.len, wrapped_len);
	assert_int_equal(gdoi_lkh_wrapped_len(&dialect, cipher), wrapped_len);
	gk_assert_ok(gdoi_lkh_unwrap(&dialect, cipher, u,
	                             gk_buf_slice(&wrapped), &opened));
	assert_int_equal(opened.len, len);
	assert_memory_equal(opened.ptr, plain, len);
	gk_buf_free(&opened);
	wrapped.len--;
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_lkh_unwrap(&dialect, cipher, u,
	                              gk_buf_slice(&wrapped), &opened));
	gk_buf_free(&wrapped);
}

GK_TEST(rfc6407_5_6_3_2_04, each_reading_wraps_and_unwraps)
{
	for (uint8_t how = 0; how < 3; how++) {
		round_trip(how, GK_CIPHER_AES_CBC_128, 32);
		round_trip(how, GK_CIPHER_AES_CBC_192, 48);
		round_trip(how, GK_CIPHER_AES_CBC_256, 48);
		round_trip(how, GK_CIPHER_TRIPLE_DES_CBC_LEGACY, 32);
	}
}

GK_TEST(rfc6407_5_6_3_2_04, what_each_reading_encrypts)
{
	struct gdoi_dialect dialect = { .lkh_wrap = GDOI_LKH_WRAP_IV_KEY };
	const struct gk_slice u = { under, 32 }, p = { plain, 32 };
	struct gk_buf wrapped, want;

	gk_assert_ok(gk_cipher_encrypt(GK_CIPHER_AES_CBC_128,
	                               (struct gk_slice){ under + 16, 16 },
	                               (struct gk_slice){ under, 16 },
	                               (struct gk_slice){ 0 }, p, &want));
	gk_assert_ok(
		gdoi_lkh_wrap(&dialect, GK_CIPHER_AES_CBC_128, u, p, &wrapped));
	assert_memory_equal(wrapped.ptr, want.ptr, 32);
	gk_buf_free(&want);
	gk_buf_free(&wrapped);

	dialect.lkh_wrap = GDOI_LKH_WRAP_KEY_OWN_IV;
	gk_assert_ok(gk_cipher_encrypt(
		GK_CIPHER_AES_CBC_128, (struct gk_slice){ under + 16, 16 },
		(struct gk_slice){ plain, 16 }, (struct gk_slice){ 0 },
		(struct gk_slice){ plain + 16, 16 }, &want));
	gk_assert_ok(
		gdoi_lkh_wrap(&dialect, GK_CIPHER_AES_CBC_128, u, p, &wrapped));
	assert_memory_equal(wrapped.ptr, plain, 16);
	assert_memory_equal(wrapped.ptr + 16, want.ptr, 16);
	gk_buf_free(&want);
	gk_buf_free(&wrapped);
}

GK_TEST(rfc6407_5_6_3_2_04, padding_of_a_wrapped_key_is_zero)
{
	const struct gdoi_dialect dialect = { .lkh_wrap =
		                                      GDOI_LKH_WRAP_IV_KEY };
	const struct gk_slice u = { under, 40 };
	struct gk_buf wrapped, opened;

	gk_assert_ok(gk_cipher_encrypt(
		GK_CIPHER_AES_CBC_192, (struct gk_slice){ under + 16, 24 },
		(struct gk_slice){ under, 16 }, (struct gk_slice){ 0 },
		(struct gk_slice){ plain, 48 }, &wrapped));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_lkh_unwrap(&dialect, GK_CIPHER_AES_CBC_192, u,
	                              gk_buf_slice(&wrapped), &opened));
	gk_buf_free(&wrapped);
}

/* ---- SIG_ALGORITHM_KEY -------------------------------------------------- */

static void
key_form(const struct gk_pki_party *party, uint16_t algorithm, uint8_t format)
{
	const struct gdoi_dialect dialect = { .sig_key_format = format };
	const struct gk_pubkey *pub = gk_cert_pubkey(party->cert);
	struct gdoi_sak sak = { .sig_algorithm = algorithm };
	struct gk_pubkey *read;
	struct gk_buf value;

	gk_assert_ok(gdoi_sig_key_write(&dialect, pub, gk_cert_der(party->cert),
	                                &value));
	gk_assert_ok(gdoi_sig_key_read(&sak, gk_buf_slice(&value), &read));
	assert_true(gk_slice_equal(gk_pubkey_spki(read), gk_pubkey_spki(pub)));
	gk_pubkey_free(read);
	/* not as another algorithm's key */
	sak.sig_algorithm = algorithm == GDOI_SIG_ALG_RSA
	                            ? GDOI_SIG_ALG_ECDSA_256
	                            : GDOI_SIG_ALG_ECDSA_384;
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_sig_key_read(&sak, gk_buf_slice(&value), &read));
	gk_buf_free(&value);
}

GK_TEST(rfc6407_5_6_2_2_01, every_form_of_the_key_is_read)
{
	struct gk_pki_party rsa = { 0 }, ec = { 0 };
	static const uint8_t both[] = { GDOI_SIG_KEY_FORMAT_SPKI,
		                        GDOI_SIG_KEY_FORMAT_X509,
		                        GDOI_SIG_KEY_FORMAT_RAW };

	gk_pki_make(&rsa, &(struct gk_pki_spec){ .subject = "/CN=rsa",
	                                         .alg = GK_PKI_RSA2048 });
	gk_pki_make(&ec, &(struct gk_pki_spec){ .subject = "/CN=ec",
	                                        .alg = GK_PKI_P256 });
	for (size_t i = 0; i < sizeof(both); i++) {
		key_form(&rsa, GDOI_SIG_ALG_RSA, both[i]);
		key_form(&ec, GDOI_SIG_ALG_ECDSA_256, both[i]);
	}
	key_form(&rsa, GDOI_SIG_ALG_RSA, GDOI_SIG_KEY_FORMAT_PKCS1);
	key_form(&ec, GDOI_SIG_ALG_ECDSA_256, GDOI_SIG_KEY_FORMAT_X962);
	gk_pki_free(&rsa);
	gk_pki_free(&ec);
	gk_pki_keys_free();
}

GK_TEST(rfc6407_5_6_2_2_01, what_is_no_key_is_not_read)
{
	static const uint8_t nonsense[200] = { 4 };
	const struct gdoi_sak sak = { .sig_algorithm = GDOI_SIG_ALG_ECDSA_256 };
	struct gk_pubkey *pub;

	for (size_t n = 0; n < sizeof(nonsense); n++)
		assert_int_not_equal(
			gdoi_sig_key_read(
				&sak, (struct gk_slice){ nonsense, n }, &pub),
			GK_OK);
}

GK_TEST(rfc6407_5_6_1_3_01, the_key_of_a_source_is_the_one_announced)
{
	struct gk_pki_party rsa = { 0 }, ec = { 0 };
	static const uint8_t forms[] = { GDOI_SIG_KEY_FORMAT_SPKI,
		                         GDOI_SIG_KEY_FORMAT_PKCS1,
		                         GDOI_SIG_KEY_FORMAT_X509 };
	const struct gdoi_sat sat = signed_by(ah(10, 0), 2048, 2),
			      longer = signed_by(ah(10, 0), 3072, 2);
	struct gk_slice value;
	struct gk_buf buf;

	gk_pki_make(&rsa, &(struct gk_pki_spec){ .subject = "/CN=rsa",
	                                         .alg = GK_PKI_RSA2048 });
	gk_pki_make(&ec, &(struct gk_pki_spec){ .subject = "/CN=ec",
	                                        .alg = GK_PKI_P256 });
	for (size_t i = 0; i < sizeof(forms); i++) {
		const struct gdoi_dialect d = { .sig_key_format = forms[i] };

		gk_assert_ok(gdoi_sig_key_write(&d, gk_cert_pubkey(rsa.cert),
		                                gk_cert_der(rsa.cert), &buf));
		value = gk_buf_slice(&buf);
		gk_assert_ok(gdoi_source_key_check(&sat, value));
		gk_assert_err(GK_ERR_VALUE,
		              gdoi_source_key_check(&longer, value));
		value.len--;
		assert_int_not_equal(gdoi_source_key_check(&sat, value), GK_OK);
		gk_buf_free(&buf);
	}
	value = gk_pubkey_spki(gk_cert_pubkey(ec.cert));
	gk_assert_err(GK_ERR_VALUE, gdoi_source_key_check(&sat, value));
	gk_pki_free(&rsa);
	gk_pki_free(&ec);
	gk_pki_keys_free();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_6_1_05, lengths_follow_the_transform),
		GK_RUN(rfc6407_5_5_1_07, unknown_transforms_are_refused),
		GK_RUN(rfc2407_4_5_10, a_cipher_of_several_lengths_says_which),
		GK_RUN(rfc2407_4_5_11,
		       another_length_of_a_fixed_key_is_refused),
		GK_RUN(rfc2407_4_5_07, unknown_authentication_is_refused),
		GK_RUN(rfc2407_4_5_08,
		       a_combined_mode_has_no_second_authentication),
		GK_RUN(rfc2407_4_4_4_11_01,
		       neither_secret_nor_authentic_is_refused),
		GK_RUN(rfc2407_4_4_4_11_01,
		       authentic_and_not_secret_is_esp_null),
		GK_RUN(rfc2407_4_4_3_01, ah_says_its_authentication),
		GK_RUN(rfc6407_5_6_1_05, switch_gcm_key_length),
		GK_RUN(rfc2407_4_4_3_01, switch_ah_authentication),
		GK_RUN(rfc6407_5_6_1_01, keys_of_another_length_do_not_fit),
		GK_RUN(rfc6407_5_6_1_01, a_source_that_signs_has_a_key),
		GK_RUN(rfc6407_5_5_1_13, who_signs_says_how_and_how_long),
		GK_RUN(rfc6407_5_6_1_3_01,
		       the_key_of_a_source_is_the_one_announced),
		GK_RUN(rfc8052_2_3_04, keys_of_iec_61850_have_their_lengths),
		GK_RUN(rfc6407_5_6_3_2_04, each_reading_wraps_and_unwraps),
		GK_RUN(rfc6407_5_6_3_2_04, what_each_reading_encrypts),
		GK_RUN(rfc6407_5_6_3_2_04, padding_of_a_wrapped_key_is_zero),
		GK_RUN(rfc6407_5_6_2_2_01, every_form_of_the_key_is_read),
		GK_RUN(rfc6407_5_6_2_2_01, what_is_no_key_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
