/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/tests/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

GK_TEST(rfc5280_4_1, fields_of_a_certificate)
{
	uint8_t print[GK_CERT_ID_LEN], again[GK_CERT_ID_LEN];
	struct gk_san san;

	assert_int_equal(gk_cert_not_before(leaf.cert),
	                 GK_PKI_NOW - GK_PKI_DAY);
	assert_int_equal(gk_cert_not_after(leaf.cert),
	                 GK_PKI_NOW + 365 * GK_PKI_DAY);
	assert_int_equal(gk_cert_key_usage(leaf.cert), GK_KU_DIGITAL_SIGNATURE);
	assert_int_equal(gk_cert_key_usage(sub.cert),
	                 GK_KU_KEY_CERT_SIGN | GK_KU_CRL_SIGN);
	assert_int_equal(gk_cert_key_usage(other_root.cert), GK_KU_ANY);
	assert_true(gk_cert_is_ca(sub.cert));
	assert_false(gk_cert_is_ca(leaf.cert));
	assert_true(gk_cert_is_self_issued(root.cert));
	assert_false(gk_cert_is_self_issued(sub.cert));
	assert_true(gk_slice_equal(gk_cert_issuer(leaf.cert),
	                           gk_cert_subject(sub.cert)));
	assert_true(gk_cert_serial(leaf.cert).len == 2);
	assert_true(gk_slice_equal(gk_cert_serial(leaf.cert),
	                           gk_cert_serial_der(leaf.cert)));
	/* The URI is not among them. */
	assert_true(gk_cert_san(leaf.cert, 0, &san));
	assert_int_equal(san.kind, GK_SAN_DNS);
	assert_true(gk_slice_equal(san.value, gk_slice_str("gm1.example")));
	assert_true(gk_cert_san(leaf.cert, 1, &san));
	assert_int_equal(san.kind, GK_SAN_IP);
	assert_int_equal(san.value.len, 4);
	assert_true(gk_cert_san(leaf.cert, 2, &san));
	assert_int_equal(san.kind, GK_SAN_RFC822);
	assert_true(gk_cert_san(leaf.cert, 3, &san));
	assert_int_equal(san.value.len, 16);
	assert_false(gk_cert_san(leaf.cert, 4, &san));
	gk_cert_fingerprint(leaf.cert, print);
	gk_cert_fingerprint(sub.cert, again);
	assert_memory_not_equal(print, again, sizeof(print));
}

#define MANY 70 /* more than are looked at */
#define LOOKED_AT 64

GK_TEST(rfc5280_4_2_1_6, names_beyond_the_bound_are_not_looked_at)
{
	char text[MANY * sizeof("DNS:gm00.example,")] = "", name[24];
	struct gk_pki_party many;
	struct gk_san san;
	size_t at = 0;

	for (int i = 0; i < MANY; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
		                       "%sDNS:gm%02d.example",
		                       i == 0 ? "" : ",", i);
	gk_pki_make(&many, &(struct gk_pki_spec){ .subject = "/CN=many",
	                                          .slot = 2,
	                                          .issuer = &sub,
	                                          .san = text });
	for (int i = 0; i < LOOKED_AT; i++) {
		snprintf(name, sizeof(name), "gm%02d.example", i);
		assert_true(gk_cert_san(many.cert, (size_t)i, &san));
		assert_true(gk_slice_equal(san.value, gk_slice_str(name)));
	}
	assert_false(gk_cert_san(many.cert, LOOKED_AT, &san));
	assert_false(gk_cert_san(root.cert, 0, &san)); /* it has none */
	gk_pki_free(&many);
}

/* With the extension, and by SHA-1 of the key bits without: the same here. */
GK_TEST(rfc5280_4_2_1_2, key_identifier_by_extension_or_by_hash)
{
	struct gk_pki_party bare;

	gk_pki_make(&bare, &(struct gk_pki_spec){ .subject = "/CN=bare",
	                                          .slot = 2,
	                                          .issuer = &sub,
	                                          .no_ski = true });
	assert_true(gk_cert_has_ski(leaf.cert));
	assert_false(gk_cert_has_ski(bare.cert));
	assert_int_equal(gk_cert_key_id(bare.cert).len, 20);
	assert_true(gk_slice_equal(gk_cert_key_id(bare.cert),
	                           gk_cert_key_id(leaf.cert)));
	gk_pki_free(&bare);
}

GK_TEST(rfc5280_4_1, every_truncation_and_a_trailing_octet_is_refused)
{
	struct gk_slice der = gk_cert_der(leaf.cert);
	struct gk_buf longer = { 0 };
	struct gk_cert *cert;

	for (size_t n = 0; n < der.len; n++) {
		gk_assert_err(GK_ERR_VALUE,
		              gk_cert_from_der((struct gk_slice){ der.ptr, n },
		                               &cert));
		assert_null(cert);
	}
	gk_assert_ok(gk_buf_append(&longer, der));
	gk_assert_ok(gk_buf_append(&longer, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_cert_from_der(gk_buf_slice(&longer), &cert));
	gk_buf_free(&longer);
}

GK_TEST(crypto_certs, pem_bundles_are_read_whole_or_not_at_all)
{
	struct gk_certs certs = { 0 };
	struct gk_buf a, b, key, bundle = { 0 };

	gk_pki_cert_pem(&leaf, &a);
	gk_pki_cert_pem(&sub, &b);
	gk_pki_key_pem(&leaf, NULL, &key);
	gk_assert_ok(gk_buf_append(&bundle, gk_slice_str("some text\n")));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&a)));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&key)));
	gk_assert_ok(gk_buf_append(&bundle, gk_buf_slice(&b)));
	gk_assert_ok(gk_certs_from_pem(gk_buf_slice(&bundle), &certs));
	assert_int_equal(certs.n, 2);
	assert_true(gk_cert_equal(certs.cert[1], sub.cert));
	gk_assert_ok(gk_certs_from_pem(gk_cert_der(root.cert), &certs));
	assert_int_equal(certs.n, 3);
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_buf_slice(&key), &certs));
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_slice_str(""), &certs));
	gk_assert_ok(gk_buf_append(
		&bundle, gk_slice_str("-----BEGIN CERTIFICATE-----\nMAA=\n"
	                              "-----END CERTIFICATE-----\n")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_certs_from_pem(gk_buf_slice(&bundle), &certs));
	assert_int_equal(certs.n, 3);
	gk_certs_free(&certs);
	gk_buf_free(&a);
	gk_buf_free(&b);
	gk_buf_free(&key);
	gk_buf_free(&bundle);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5280_4_1, fields_of_a_certificate),
		GK_RUN(rfc5280_4_2_1_6,
		       names_beyond_the_bound_are_not_looked_at),
		GK_RUN(rfc5280_4_2_1_2, key_identifier_by_extension_or_by_hash),
		GK_RUN(rfc5280_4_1,
		       every_truncation_and_a_trailing_octet_is_refused),
		GK_RUN(crypto_certs, pem_bundles_are_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests_name("common/crypto/cert", tests,
	                                   chain_up, chain_down);
}
