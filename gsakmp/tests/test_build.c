/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/tests/keys.h"
#include "gsakmp/tests/sample.h"

static const struct gsakmp_dialect defaults;
static struct gsakmp_message msg;
static struct gsakmp_reject why;

static struct gk_signer *
signer(const char *pem)
{
	struct gk_signer *s;

	gk_assert_ok(gk_signer_from_pem(gk_slice_str(pem), NULL, &s));
	return s;
}

static uint8_t public_value[256];

/* An RTJ with everything that its dissection allows. */
static enum gk_err
build_rtj(const struct gsakmp_dialect *d, const struct gk_signer *s,
          uint16_t type, size_t n_certs, struct gk_buf *out)
{
	static const uint8_t der[] = { 0x30, 0x01, 0x00 };
	const struct gk_slice certs[2] = { { der, 3 }, { der, 2 } };
	const struct gsakmp_mechanisms mechanisms = {
		.has_encryption = true, .encryption = GSAKMP_KEY_AES_CBC_128
	};
	const struct gsakmp_sign sign = {
		.signer = s,
		.type = type,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_slice_str(SAMPLE_DN),
		.utc = SAMPLE_UTC,
		.certs = certs,
		.n_certs = n_certs,
	};
	struct gsakmp_build b;

	gsakmp_build_begin(&b, d, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	                   sample_groupid(), 0);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_key_creation(&b, GSAKMP_KEY_CREATION_MODP1024,
	                          (struct gk_slice){ public_value, 128 });
	gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR,
	                   gk_slice_str("sixteen octets!!"));
	gsakmp_build_mechanisms(&b, &mechanisms);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE,
	                          gk_slice_str("cookie"));
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_IPV4_VALUE,
	                          gk_slice_str("\xc0\x01\x02\x03"));
	return gsakmp_build_finish(&b, &sign, out);
}

static enum gk_err
parse(const struct gsakmp_dialect *d, const struct gk_buf *octets)
{
	const struct gsakmp_parse with = { .dialect = d };

	return gsakmp_message_parse(&with, octets->ptr, octets->len, &msg,
	                            &why);
}

static void
round_trip(const struct gsakmp_dialect *d, const char *pem, uint16_t type)
{
	struct gk_signer *s = signer(pem);
	struct gk_buf out;

	for (size_t certs = 0; certs <= 2; certs++) {
		gk_assert_ok(build_rtj(d, s, type, certs, &out));
		gk_assert_ok(parse(d, &out));
		assert_int_equal(msg.header.length, out.len);
		assert_int_equal(msg.signature.type, type);
		assert_int_equal(msg.n_certificates, certs);
		assert_int_equal(msg.n_notifications, 3);
		assert_memory_equal(msg.signature.timestamp.ptr, SAMPLE_STAMP,
		                    15);
		gk_assert_ok(gsakmp_message_verify(&msg, d, gk_signer_pubkey(s),
		                                   &why));
		gk_buf_free(&out);
	}
	gk_signer_free(s);
}

GK_TEST(rfc4535_7_8_1_03, every_signature_type_signs_and_verifies)
{
	round_trip(&defaults, KEY_DSA, GSAKMP_SIGNATURE_DSS_SHA1);
	round_trip(&defaults, KEY_RSA1024, GSAKMP_SIGNATURE_RSA1024_MD5);
	round_trip(&defaults, KEY_P384, GSAKMP_SIGNATURE_ECDSA_P384_SHA3);
	round_trip(&defaults, KEY_RSA, GSAKMP_SIGNATURE_RSA_SHA256);
	round_trip(&defaults, KEY_P256, GSAKMP_SIGNATURE_ECDSA_P256);
	round_trip(&defaults, KEY_P384, GSAKMP_SIGNATURE_ECDSA_P384);
	round_trip(&defaults, KEY_ED25519, GSAKMP_SIGNATURE_ED25519);
}

GK_TEST(rfc4535_7_8_1_04, every_reading_of_a_signature_type_verifies)
{
	struct gsakmp_dialect d = { .dsa_enc = GSAKMP_DSA_ENC_RAW,
		                    .ecdsa_enc = GSAKMP_ECDSA_ENC_RAW,
		                    .rsa_scheme = GSAKMP_RSA_SCHEME_PSS };

	round_trip(&d, KEY_DSA, GSAKMP_SIGNATURE_DSS_SHA1);
	assert_int_equal(msg.signature.value.len, 40);
	round_trip(&d, KEY_RSA1024, GSAKMP_SIGNATURE_RSA1024_MD5);
	for (uint8_t hash = 0; hash <= GSAKMP_ECDSA_HASH_SHA512; hash++) {
		d.ecdsa_hash = hash;
		round_trip(&d, KEY_P384, GSAKMP_SIGNATURE_ECDSA_P384_SHA3);
		assert_int_equal(msg.signature.value.len, 96);
	}
}

/* All pairs of the two switches; the signature of one is no good in another,
 * unless both cover the same octets. */
GK_TEST(rfc4535_7_8_1_01, signature_covers_what_the_dialect_says)
{
	struct gk_signer *s = signer(KEY_ED25519);
	struct gk_buf out;

	for (uint8_t a = 0; a < 15; a++) {
		const struct gsakmp_dialect made = { .sig_cover = a / 3,
			                             .sig_len_fields = a % 3 };

		gk_assert_ok(
			build_rtj(&made, s, GSAKMP_SIGNATURE_ED25519, 1, &out));
		gk_assert_ok(parse(&made, &out));
		for (uint8_t b = 0; b < 15; b++) {
			const struct gsakmp_dialect seen = { .sig_cover = b / 3,
				                             .sig_len_fields =
				                                     b % 3 };

			gk_assert_err(a == b ? GK_OK : GK_ERR_AUTH,
			              gsakmp_message_verify(&msg, &seen,
			                                    gk_signer_pubkey(s),
			                                    &why));
		}
		gk_buf_free(&out);
	}
	gk_signer_free(s);
}

GK_TEST(rfc4535_7_8_1_01, variable_signatures_work_in_every_dialect)
{
	for (uint8_t a = 0; a < 15; a++) {
		const struct gsakmp_dialect d = { .sig_cover = a / 3,
			                          .sig_len_fields = a % 3 };

		round_trip(&d, KEY_DSA, GSAKMP_SIGNATURE_DSS_SHA1);
		round_trip(&d, KEY_P256, GSAKMP_SIGNATURE_ECDSA_P256);
	}
}

/* Octet by octet: everything up to Signature Length is signed, nothing else. */
GK_TEST(rfc4535_7_8_2_06, changed_octet_under_the_signature_does_not_verify)
{
	struct gk_signer *s = signer(KEY_ED25519);
	struct gk_buf out;
	size_t covered, refused = 0;

	gk_assert_ok(
		build_rtj(&defaults, s, GSAKMP_SIGNATURE_ED25519, 1, &out));
	gk_assert_ok(parse(&defaults, &out));
	covered = msg.signature.covered;
	for (size_t i = 0; i < out.len; i++) {
		out.ptr[i] ^= 1;
		if (parse(&defaults, &out) == GK_OK) {
			enum gk_err err = gsakmp_message_verify(
				&msg, &defaults, gk_signer_pubkey(s), &why);

			/* What stands behind the signature is not covered. */
			gk_assert_err(i < covered + 2 + 64 ? GK_ERR_AUTH
			                                   : GK_OK,
			              err);
			if (err != GK_OK) {
				assert_string_equal(why.req,
				                    "RFC4535-7.8.2-06");
				assert_int_equal(
					why.notify,
					GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
				refused++;
			}
		}
		out.ptr[i] ^= 1;
	}
	assert_true(refused > 200);
	gk_buf_free(&out);
	gk_signer_free(s);
}

GK_TEST(rfc4535_7_8_2_06, key_of_another_kind_does_not_verify)
{
	struct gk_signer *s = signer(KEY_ED25519), *other = signer(KEY_P256);
	struct gk_buf out;

	gk_assert_ok(
		build_rtj(&defaults, s, GSAKMP_SIGNATURE_ED25519, 0, &out));
	gk_assert_ok(parse(&defaults, &out));
	gk_assert_err(GK_ERR_AUTH,
	              gsakmp_message_verify(&msg, &defaults,
	                                    gk_signer_pubkey(other), &why));
	gk_buf_free(&out);
	gk_signer_free(s);
	gk_signer_free(other);
}

GK_TEST(rfc4535_7_8_2_06, short_key_does_not_make_the_modern_rsa_type)
{
	struct gk_signer *s = signer(KEY_RSA1024);
	struct gk_buf out;

	gk_assert_ok(
		build_rtj(&defaults, s, GSAKMP_SIGNATURE_RSA_SHA256, 0, &out));
	gk_assert_ok(parse(&defaults, &out));
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_message_verify(&msg, &defaults,
	                                    gk_signer_pubkey(s), &why));
	assert_string_equal(why.req, "RFC4535-7.8.2-06");
	gk_buf_free(&out);
	gk_signer_free(s);
}

/* Builder ------------------------------------------------------------------ */

GK_TEST(rfc4535_7_1_1_01, built_message_is_exact)
{
	struct gsakmp_build b;
	struct gk_buf out, want;

	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                   sample_groupid(), 0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          gk_slice_str("cook"));
	gsakmp_build_vendor_id(&b, gk_slice_str("acme"));
	gk_assert_ok(gsakmp_build_finish(&b, NULL, &out));
	gk_assert_ok(gk_unhex(&want,
	                      "0117"
	                      "3030313132323333343435353636666677656174686572"
	                      "09"
	                      "01"
	                      "0a"
	                      "00000000"
	                      "00000036"
	                      "0a00000a"
	                      "001b"
	                      "636f6f6b"
	                      "00000008"
	                      "61636d65"));
	assert_int_equal(out.len, want.len);
	assert_memory_equal(out.ptr, want.ptr, want.len);
	gk_buf_free(&out);
	gk_buf_free(&want);
}

GK_TEST(rfc4535_5_tables, message_against_its_dissection_is_not_built)
{
	struct gk_signer *s = signer(KEY_ED25519);
	const struct gsakmp_sign sign = {
		.signer = s,
		.type = GSAKMP_SIGNATURE_ED25519,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_slice_str(SAMPLE_DN),
		.utc = SAMPLE_UTC,
	};
	struct gsakmp_build b;
	struct gk_buf out;

	/* Key Creation is missing. */
	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	                   sample_groupid(), 0);
	gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR, gk_slice_str("abcd"));
	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_build_finish(&b, &sign, &out));
	assert_null(out.ptr);
	/* A signature where there is none ... */
	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                   sample_groupid(), 0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          gk_slice_str("cook"));
	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_build_finish(&b, &sign, &out));
	/* ... and none where there is one. */
	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_DEPARTURE_ACK,
	                   sample_groupid(), 0);
	gsakmp_build_ack(&b);
	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_build_finish(&b, NULL, &out));
	gk_signer_free(s);
}

GK_TEST(rfc4535_7_2_1_01, payload_longer_than_its_length_field_is_not_built)
{
	static uint8_t big[65532];
	struct gsakmp_build b;
	struct gk_buf out;

	for (size_t n = sizeof(big) - 1; n <= sizeof(big); n++) {
		gsakmp_build_begin(&b, &defaults,
		                   GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
		                   sample_groupid(), 0);
		gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
		                          gk_slice_str("cook"));
		gsakmp_build_vendor_id(&b, (struct gk_slice){ big, n });
		gk_assert_err(n + 4 <= 65535 ? GK_OK : GK_ERR_SPACE,
		              gsakmp_build_finish(&b, NULL, &out));
		gk_buf_free(&out);
	}
}

GK_TEST(rfc4535_7_11_1, public_value_loses_its_zeros_under_its_dialect)
{
	const struct gsakmp_dialect minimal = {
		.dh_pub_pad = GSAKMP_DH_PUB_PAD_MINIMAL
	};
	static uint8_t value[128] = { 0, 0, 0, 5 };
	struct gk_slice s = { value, sizeof(value) };

	assert_int_equal(gsakmp_key_creation_data(&defaults, 2, s).len, 128);
	assert_int_equal(gsakmp_key_creation_data(&minimal, 2, s).len, 125);
	assert_int_equal(
		gsakmp_key_creation_data(&minimal, 49154,
	                                 (struct gk_slice){ value, 32 })
			.len,
		32);
}

GK_TEST(rfc4535_7_1_1_04, groupid_of_no_length_is_not_built)
{
	const struct gsakmp_groupid none = { .type = 2 };
	struct gsakmp_build b;
	struct gk_buf out;

	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD, none,
	                   0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          gk_slice_str("cook"));
	gk_assert_err(GK_ERR_VALUE, gsakmp_build_finish(&b, NULL, &out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_8_1_03,
		       every_signature_type_signs_and_verifies),
		GK_RUN(rfc4535_7_8_1_04,
		       every_reading_of_a_signature_type_verifies),
		GK_RUN(rfc4535_7_8_1_01,
		       signature_covers_what_the_dialect_says),
		GK_RUN(rfc4535_7_8_1_01,
		       variable_signatures_work_in_every_dialect),
		GK_RUN(rfc4535_7_8_2_06,
		       changed_octet_under_the_signature_does_not_verify),
		GK_RUN(rfc4535_7_8_2_06,
		       short_key_does_not_make_the_modern_rsa_type),
		GK_RUN(rfc4535_7_8_2_06, key_of_another_kind_does_not_verify),
		GK_RUN(rfc4535_7_1_1_01, built_message_is_exact),
		GK_RUN(rfc4535_5_tables,
		       message_against_its_dissection_is_not_built),
		GK_RUN(rfc4535_7_2_1_01,
		       payload_longer_than_its_length_field_is_not_built),
		GK_RUN(rfc4535_7_11_1,
		       public_value_loses_its_zeros_under_its_dialect),
		GK_RUN(rfc4535_7_1_1_04, groupid_of_no_length_is_not_built),
	};

	return cmocka_run_group_tests_name("gsakmp/build", tests, NULL, NULL);
}
