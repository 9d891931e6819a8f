/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of certificates on the NIST curves, beside what OpenSSL makes of the same
 * octets in its ordinary way. */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/crypto/gk_ec_key.h"
#include "common/crypto/gk_sign.h"
#include "common/test/gk_test_pki.h"

static const enum gk_pki_alg algs[] = { GK_PKI_P256, GK_PKI_P384, GK_PKI_P521 };

static int
free_keys(void **state)
{
	(void)state;
	gk_pki_keys_free();
	return 0;
}

/* Where the library has no such functions, keys are the provider's, of which
 * test_decode.c knows. */
static void
make(struct gk_pki_party *party, enum gk_pki_alg alg)
{
	if (!gk_ec_key_there())
		skip();
	gk_pki_make(party, &(struct gk_pki_spec){ .subject = "/CN=curve",
	                                          .alg = alg });
}

static X509 *
ordinary(const struct gk_cert *cert)
{
	const uint8_t *p = gk_cert_der(cert).ptr;
	X509 *x509 = d2i_X509(NULL, &p, (long)gk_cert_der(cert).len);

	assert_non_null(x509);
	assert_non_null(X509_get0_pubkey(x509));
	return x509;
}

/* The key in the certificate is the one that stands there, and what stands there is
 * as it came. */
GK_TEST(rfc5480_2, the_key_is_put_in_as_it_stands)
{
	for (size_t i = 0; i < GK_COUNT(algs); i++) {
		struct gk_pki_party party;
		uint8_t *der = NULL;
		EVP_PKEY *pkey;
		X509 *x509, *plain;
		int n;

		make(&party, algs[i]);
		x509 = gk_cert_x509(party.cert);
		plain = ordinary(party.cert);
		pkey = X509_get0_pubkey(x509);
		assert_true(gk_ec_key_is(pkey)); /* it went the short way */
		assert_false(gk_ec_key_is(X509_get0_pubkey(plain)));
		assert_int_equal(EVP_PKEY_eq(pkey, X509_get0_pubkey(plain)), 1);
		assert_int_equal(EVP_PKEY_get_bits(pkey),
		                 EVP_PKEY_get_bits(X509_get0_pubkey(plain)));
		assert_int_equal(X509_cmp(x509, plain), 0);
		n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
		assert_true(n > 0);
		assert_true(gk_slice_equal(
			(struct gk_slice){ der, (size_t)n },
			gk_pubkey_spki(gk_signer_pubkey(party.signer))));
		OPENSSL_free(der);
		X509_free(plain);
		gk_pki_free(&party);
	}
}

/* What OpenSSL says of it with the key that it has decoded itself. */
static bool
by_openssl(EVP_PKEY *pkey, struct gk_slice digest, struct gk_slice sig)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	ok = EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest.ptr, digest.len) ==
	     1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
both_say(struct gk_pki_party *party, EVP_PKEY *plain, struct gk_slice sig)
{
	static const uint8_t text[] = "signed";
	struct gk_slice data = { text, sizeof(text) };
	const struct gk_pubkey *pub = gk_cert_pubkey(party->cert);
	struct gk_sig_alg alg = gk_pubkey_default_alg(pub);
	uint8_t digest[GK_HASH_MAX];
	bool ok;

	gk_assert_ok(gk_hash(alg.hash, &data, 1, digest));
	ok = gk_verify(pub, alg, data, sig) == GK_OK;
	assert_true(ok == by_openssl(plain,
	                             (struct gk_slice){
					     digest, gk_hash_size(alg.hash) },
	                             sig));
	return ok;
}

/* Every octet of a signature changed, missing, or one more in its place: one verdict,
 * and none of them is as good. */
GK_TEST(rfc3279_2_2_3, a_signature_is_good_or_bad_for_both)
{
	static const uint8_t text[] = "signed";
	const struct gk_slice data = { text, sizeof(text) };

	for (size_t i = 0; i < GK_COUNT(algs); i++) {
		struct gk_pki_party party;
		struct gk_buf sig, other;
		EVP_PKEY *plain;
		X509 *x509;

		make(&party, algs[i]);
		x509 = ordinary(party.cert);
		plain = X509_get0_pubkey(x509);
		gk_assert_ok(gk_sign(
			party.signer,
			gk_pubkey_default_alg(gk_cert_pubkey(party.cert)), data,
			&sig));
		assert_true(both_say(&party, plain, gk_buf_slice(&sig)));
		gk_assert_ok(gk_buf_alloc(&other, sig.len + 1));
		for (size_t k = 0; k < sig.len; k++) {
			sig.ptr[k] ^= 1;
			assert_false(
				both_say(&party, plain, gk_buf_slice(&sig)));
			sig.ptr[k] ^= 1;
			memcpy(other.ptr, sig.ptr, k);
			other.ptr[k] = 0;
			memcpy(other.ptr + k + 1, sig.ptr + k, sig.len - k);
			assert_false(
				both_say(&party, plain, gk_buf_slice(&other)));
			memcpy(other.ptr + k, sig.ptr + k + 1, sig.len - k - 1);
			assert_false(both_say(
				&party, plain,
				(struct gk_slice){ other.ptr, sig.len - 1 }));
		}
		gk_buf_free(&other);
		gk_buf_free(&sig);
		X509_free(x509);
		gk_pki_free(&party);
	}
}

/* r or s of nothing, and of the order. */
GK_TEST(rfc3279_2_2_3, numbers_out_of_range_sign_nothing)
{
	static const uint8_t zero[] = { 0x30, 6, 2, 1, 0, 2, 1, 0 },
			     one[] = { 0x30, 6, 2, 1, 1, 2, 1, 0 },
			     long_form[] = { 0x30, 0x81, 6, 2, 1, 1, 2, 1, 1 };
	static const struct gk_slice bad[] = {
		{ zero, sizeof(zero) },
		{ one, sizeof(one) },
		{ long_form, sizeof(long_form) },
		{ zero, 1 },
	};
	struct gk_pki_party party;
	X509 *x509;

	make(&party, GK_PKI_P256);
	x509 = ordinary(party.cert);
	for (size_t i = 0; i < GK_COUNT(bad); i++)
		assert_false(both_say(&party, X509_get0_pubkey(x509), bad[i]));
	X509_free(x509);
	gk_pki_free(&party);
}

/* Only the one form goes the short way. */
GK_TEST(rfc5480_2, another_form_is_for_the_provider)
{
	struct gk_pki_party party;
	struct gk_buf spki;
	EVP_PKEY *pkey;

	make(&party, GK_PKI_P256);
	gk_assert_ok(gk_buf_copy(
		&spki, gk_pubkey_spki(gk_signer_pubkey(party.signer))));
	pkey = gk_ec_key(gk_buf_slice(&spki));
	assert_non_null(pkey);
	EVP_PKEY_free(pkey);
	for (size_t i = 0; i < spki.len; i++) {
		spki.ptr[i] ^= 2;
		/* Header or point: all of it is looked at. */
		assert_null(gk_ec_key(gk_buf_slice(&spki)));
		spki.ptr[i] ^= 2;
		assert_null(gk_ec_key((struct gk_slice){ spki.ptr, i }));
	}
	gk_buf_free(&spki);
	gk_pki_free(&party);
}

struct crew {
	struct gk_pki_party party;
	struct gk_buf sig;
};

static void *
verify_often(void *arg)
{
	static const uint8_t text[] = "signed";
	const struct gk_slice data = { text, sizeof(text) };
	const struct crew *crew = arg;
	const struct gk_pubkey *pub = gk_cert_pubkey(crew->party.cert);
	size_t bad = 0;

	for (int i = 0; i < 50; i++)
		bad += gk_verify(pub, gk_pubkey_default_alg(pub), data,
		                 gk_buf_slice(&crew->sig)) != GK_OK;
	return (void *)bad;
}

GK_TEST(rfc5480_2, several_threads_verify_with_one_key)
{
	static const uint8_t text[] = "signed";
	struct crew crew;
	pthread_t thread[4];
	void *bad;

	make(&crew.party, GK_PKI_P256);
	gk_assert_ok(gk_sign(crew.party.signer, GK_SIG_P256_SHA256,
	                     (struct gk_slice){ text, sizeof(text) },
	                     &crew.sig));
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, verify_often, &crew),
			0);
	for (size_t i = 0; i < GK_COUNT(thread); i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	gk_buf_free(&crew.sig);
	gk_pki_free(&crew.party);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5480_2, the_key_is_put_in_as_it_stands),
		GK_RUN(rfc3279_2_2_3, a_signature_is_good_or_bad_for_both),
		GK_RUN(rfc3279_2_2_3, numbers_out_of_range_sign_nothing),
		GK_RUN(rfc5480_2, another_form_is_for_the_provider),
		GK_RUN(rfc5480_2, several_threads_verify_with_one_key),
	};

	return cmocka_run_group_tests_name("common/crypto/ec_key", tests, NULL,
	                                   free_keys);
}
