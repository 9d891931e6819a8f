/* SPDX-License-Identifier: BSD-2-Clause */
/* Public keys of certificates on the short way and on the long one. */
#include "common/test/gk_test.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/crypto/gk_cert.h"
#include "common/test/gk_test_pki.h"

static int
free_keys(void **state)
{
	(void)state;
	gk_pki_keys_free();
	return 0;
}

static const struct {
	enum gk_pki_alg alg;
	enum gk_key_kind kind;
	size_t point; /* octets */
} curves[] = {
	{ GK_PKI_P256, GK_KEY_P256, 65 },
	{ GK_PKI_P384, GK_KEY_P384, 97 },
	{ GK_PKI_P521, GK_KEY_P521, 133 },
};

/* The key that comes out is the one that went in: it verifies what the private
 * half has signed, and is encoded as it came. */
GK_TEST(rfc5480_2, keys_on_named_curves_are_read)
{
	static const uint8_t text[] = "signed";
	const struct gk_slice data = { text, sizeof(text) };

	for (size_t i = 0; i < GK_COUNT(curves); i++) {
		const struct gk_pubkey *pub;
		struct gk_pki_party party;
		struct gk_sig_alg alg;
		struct gk_buf sig;

		gk_pki_make(&party,
		            &(struct gk_pki_spec){ .subject = "/CN=curve",
		                                   .alg = curves[i].alg });
		pub = gk_cert_pubkey(party.cert);
		assert_int_equal(gk_pubkey_kind(pub), curves[i].kind);
		assert_true(gk_slice_equal(
			gk_pubkey_spki(pub),
			gk_pubkey_spki(gk_signer_pubkey(party.signer))));
		alg = gk_pubkey_default_alg(pub);
		gk_assert_ok(gk_sign(party.signer, alg, data, &sig));
		gk_assert_ok(gk_verify(pub, alg, data, gk_buf_slice(&sig)));
		sig.ptr[sig.len - 1] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, data, gk_buf_slice(&sig)));
		gk_buf_free(&sig);
		gk_pki_free(&party);
	}
}

GK_TEST(rfc5480_2_2, a_point_beside_its_curve_is_refused)
{
	for (size_t i = 0; i < GK_COUNT(curves); i++) {
		struct gk_pki_party party;
		struct gk_slice spki;
		struct gk_buf der;
		uint8_t *point;

		gk_pki_make(&party,
		            &(struct gk_pki_spec){ .subject = "/CN=curve",
		                                   .alg = curves[i].alg });
		gk_assert_ok(gk_buf_copy(&der, gk_cert_der(party.cert)));
		spki = gk_pubkey_spki(gk_cert_pubkey(party.cert));
		point = memmem(der.ptr, der.len, spki.ptr, spki.len);
		assert_non_null(point);
		point += spki.len - curves[i].point;
		for (size_t k = 1; k < curves[i].point; k++) {
			struct gk_cert *cert;

			point[k] ^= 4;
			gk_assert_err(
				GK_ERR_VALUE,
				gk_cert_from_der(gk_buf_slice(&der), &cert));
			point[k] ^= 4;
		}
		gk_buf_free(&der);
		gk_pki_free(&party);
	}
}

static void
compressed(EVP_PKEY **pkey, uint8_t **der, int *n)
{
	X509 *x509 = X509_new();

	*pkey = EVP_EC_gen("P-256");
	*der = NULL;
	assert_non_null(*pkey);
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
				 *pkey,
				 OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
				 "compressed"),
	                 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 100);
	assert_int_equal(X509_set_pubkey(x509, *pkey), 1);
	assert_true(X509_sign(x509, *pkey, EVP_sha256()) > 0);
	*n = i2d_X509(x509, der);
	assert_true(*n > 0);
	X509_free(x509);
}

/* RFC 5480 section 2.2 allows it, and nobody does it: the long way. */
GK_TEST(rfc5480_2_2, a_compressed_point_is_read_too)
{
	struct gk_cert *cert;
	EVP_PKEY *pkey;
	uint8_t *der;
	int n;

	compressed(&pkey, &der, &n);
	gk_assert_ok(
		gk_cert_from_der((struct gk_slice){ der, (size_t)n }, &cert));
	assert_int_equal(gk_pubkey_kind(gk_cert_pubkey(cert)), GK_KEY_P256);
	assert_true(gk_pubkey_spki(gk_cert_pubkey(cert)).len < 91);
	gk_cert_free(cert);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

/* Keys that come without a certificate, of each kind: it is the signer's, as it was
 * written. */
GK_TEST(rfc5280_4_1, a_public_key_by_itself)
{
	static const uint8_t text[] = "signed";
	const struct gk_slice data = { text, sizeof(text) };

	for (unsigned i = 0; i < GK_PKI_ALGS; i++) {
		struct gk_pki_party party;
		struct gk_pubkey *pub;
		struct gk_slice spki;
		struct gk_sig_alg alg;
		struct gk_buf sig;

		gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=key",
		                                           .alg = i });
		spki = gk_pubkey_spki(gk_signer_pubkey(party.signer));
		gk_assert_ok(gk_pubkey_from_spki(spki, &pub));
		assert_int_equal(
			gk_pubkey_kind(pub),
			gk_pubkey_kind(gk_signer_pubkey(party.signer)));
		assert_true(gk_slice_equal(gk_pubkey_spki(pub), spki));
		alg = gk_pubkey_default_alg(pub);
		gk_assert_ok(gk_sign(party.signer, alg, data, &sig));
		gk_assert_ok(gk_verify(pub, alg, data, gk_buf_slice(&sig)));
		sig.ptr[sig.len - 1] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, data, gk_buf_slice(&sig)));
		gk_buf_free(&sig);
		gk_pubkey_free(pub);
		gk_pki_free(&party);
	}
}

GK_TEST(rfc5480_2_2, points_without_a_certificate)
{
	struct gk_pki_party party;
	struct gk_pubkey *pub;
	struct gk_slice spki;
	struct gk_buf copy;
	uint8_t *der = NULL;
	EVP_PKEY *pkey;
	int n;

	gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=curve",
	                                           .alg = GK_PKI_P256 });
	spki = gk_pubkey_spki(gk_signer_pubkey(party.signer));
	gk_assert_ok(gk_buf_copy(&copy, spki));
	copy.ptr[copy.len - 1] ^= 1; /* beside the curve */
	gk_assert_err(GK_ERR_VALUE,
	              gk_pubkey_from_spki(gk_buf_slice(&copy), &pub));
	assert_null(pub);
	gk_buf_free(&copy);
	gk_pki_free(&party);

	compressed(&pkey, &der, &n);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_PUBKEY(pkey, &der);
	assert_true(n > 0 && n < 91);
	spki = (struct gk_slice){ der, (size_t)n };
	gk_assert_ok(gk_pubkey_from_spki(spki, &pub));
	assert_int_equal(gk_pubkey_kind(pub), GK_KEY_P256);
	assert_true(gk_slice_equal(gk_pubkey_spki(pub), spki));
	gk_pubkey_free(pub);
	OPENSSL_free(der);
	EVP_PKEY_free(pkey);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5280_4_1, a_public_key_by_itself),
		GK_RUN(rfc5480_2_2, points_without_a_certificate),
		GK_RUN(rfc5480_2, keys_on_named_curves_are_read),
		GK_RUN(rfc5480_2_2, a_point_beside_its_curve_is_refused),
		GK_RUN(rfc5480_2_2, a_compressed_point_is_read_too),
	};

	return cmocka_run_group_tests_name("common/crypto/decode", tests, NULL,
	                                   free_keys);
}
