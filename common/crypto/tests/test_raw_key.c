/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_pem.h"
#include "common/crypto/gk_trust.h"
#include "common/test/gk_test_pki.h"

/*
 * RSA keys in the place of certificates: IKEv2 section 3.6, Raw RSA Key.
 */
static struct gk_pki_party party, small, curve;
static struct gk_cert *raw;

static int
make_parties(void **state)
{
	(void)state;
	gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=a",
	                                           .alg = GK_PKI_RSA2048 });
	gk_pki_make(&small, &(struct gk_pki_spec){ .subject = "/CN=b",
	                                           .alg = GK_PKI_RSA1024 });
	gk_pki_make(&curve, &(struct gk_pki_spec){ .subject = "/CN=c" });
	return gk_cert_of_pubkey(gk_cert_pubkey(party.cert), &raw) == GK_OK
	               ? 0
	               : -1;
}

static int
free_parties(void **state)
{
	(void)state;
	gk_cert_free(raw);
	gk_pki_free(&party);
	gk_pki_free(&small);
	gk_pki_free(&curve);
	gk_pki_keys_free();
	return 0;
}

GK_TEST(rfc4535_7_7_1_07, raw_key_is_an_rsa_public_key)
{
	struct gk_slice der = gk_cert_der(raw);
	uint8_t digest[GK_HASH_MAX];
	struct gk_cert *again;

	/* SEQUENCE of two INTEGERs, and nothing of an AlgorithmIdentifier. */
	assert_int_equal(der.ptr[0], 0x30);
	assert_int_equal(der.ptr[4], 0x02);
	assert_true(gk_cert_is_raw(raw));
	assert_false(gk_cert_is_raw(party.cert));
	gk_assert_ok(gk_hash(GK_HASH_SHA1_LEGACY, &der, 1, digest));
	assert_true(gk_slice_equal(gk_cert_key_id(raw),
	                           (struct gk_slice){ digest, 20 }));
	assert_int_equal(gk_cert_subject(raw).len, 0);
	gk_assert_ok(gk_cert_from_raw_key(der, &again));
	assert_true(gk_cert_equal(raw, again));
	gk_cert_free(again);
	gk_assert_ok(gk_cert_from_stored(der, &again));
	assert_true(gk_cert_is_raw(again));
	gk_cert_free(again);
	gk_assert_ok(gk_cert_from_stored(gk_cert_der(party.cert), &again));
	assert_false(gk_cert_is_raw(again));
	gk_cert_free(again);
}

GK_TEST(rfc4535_7_7_2_03, raw_key_cut_or_longer_is_refused)
{
	struct gk_slice der = gk_cert_der(raw);
	struct gk_cert *cert;
	struct gk_buf more;

	for (size_t n = 0; n < der.len; n++)
		gk_assert_err(GK_ERR_VALUE,
		              gk_cert_from_raw_key(
				      (struct gk_slice){ der.ptr, n }, &cert));
	gk_assert_ok(gk_buf_copy(&more, der));
	gk_assert_ok(gk_buf_append(&more, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_cert_from_raw_key(gk_buf_slice(&more), &cert));
	gk_buf_free(&more);
	gk_assert_err(GK_ERR_VALUE,
	              gk_cert_from_raw_key(gk_cert_der(party.cert), &cert));
	gk_assert_err(GK_ERR_VALUE,
	              gk_cert_of_pubkey(gk_cert_pubkey(curve.cert), &cert));
}

GK_TEST(rfc4535_7_7_1_07, raw_key_is_believed_only_when_it_was_added)
{
	struct gk_cert_fault why;
	struct gk_trust *t;
	struct gk_path path;
	struct gk_cert *weak;

	gk_assert_ok(gk_trust_new(NULL, &t));
	/* A certificate over the same key says nothing about the bare key. */
	gk_assert_ok(gk_trust_add_anchor(t, party.cert));
	gk_assert_err(GK_ERR_AUTH,
	              gk_trust_verify(t, raw, NULL, 0, 0, &path, &why));
	assert_int_equal(why.kind, GK_CERT_FAULT_UNKNOWN_ROOT);
	gk_assert_ok(gk_trust_add_raw_key(t, raw));
	gk_assert_ok(gk_trust_verify(t, raw, NULL, 0, GK_KU_DIGITAL_SIGNATURE,
	                             &path, &why));
	assert_int_equal(path.n, 2);
	assert_true(gk_path_has_ca(&path, gk_cert_key_id(raw)));
	gk_path_free(&path);
	gk_assert_ok(gk_trust_verify(t, raw, NULL, 0, 0, NULL, NULL));
	gk_assert_ok(gk_cert_of_pubkey(gk_cert_pubkey(small.cert), &weak));
	/* That one key is believed says nothing about another. */
	gk_assert_err(GK_ERR_AUTH,
	              gk_trust_verify(t, weak, NULL, 0, 0, &path, &why));
	assert_int_equal(why.kind, GK_CERT_FAULT_UNKNOWN_ROOT);
	gk_assert_ok(gk_trust_add_raw_key(t, weak));
	gk_assert_err(GK_ERR_POLICY,
	              gk_trust_verify(t, weak, NULL, 0, 0, &path, &why));
	assert_int_equal(why.kind, GK_CERT_FAULT_WEAK_KEY);
	gk_cert_free(weak);
	gk_trust_free(t);
}

GK_TEST(crypto_pem, blocks_are_found_by_label)
{
	static const char text[] = "-----BEGIN A-----\nAQI=\n-----END A-----\n"
				   "between\n"
				   "-----BEGIN B-----\nAw==\n-----END B-----\n"
				   "-----BEGIN A-----\nBA==\n-----END A-----\n";
	struct gk_buf der;
	size_t at = 0;

	gk_assert_ok(gk_pem_next(gk_slice_str(text), "A", &at, &der));
	assert_int_equal(der.len, 2);
	gk_buf_free(&der);
	gk_assert_ok(gk_pem_next(gk_slice_str(text), "A", &at, &der));
	assert_int_equal(der.len, 1);
	assert_int_equal(der.ptr[0], 4);
	gk_buf_free(&der);
	gk_assert_ok(gk_pem_next(gk_slice_str(text), "A", &at, &der));
	assert_int_equal(der.len, 0);
	/* DER is one block with any label. */
	at = 0;
	gk_assert_ok(gk_pem_next(gk_cert_der(raw), "A", &at, &der));
	assert_int_equal(der.len, gk_cert_der(raw).len);
	gk_buf_free(&der);
	gk_assert_ok(gk_pem_next(gk_cert_der(raw), "A", &at, &der));
	assert_int_equal(der.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_7_1_07, raw_key_is_an_rsa_public_key),
		GK_RUN(rfc4535_7_7_2_03, raw_key_cut_or_longer_is_refused),
		GK_RUN(rfc4535_7_7_1_07,
		       raw_key_is_believed_only_when_it_was_added),
		GK_RUN(crypto_pem, blocks_are_found_by_label),
	};

	return cmocka_run_group_tests_name("common/crypto raw key", tests,
	                                   make_parties, free_parties);
}
