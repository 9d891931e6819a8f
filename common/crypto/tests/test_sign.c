/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/test/gk_test_pki.h"

/* One party for each kind of key. */
static struct gk_pki_party party[GK_PKI_ALGS];

static int
make_parties(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_make(&party[i],
		            &(struct gk_pki_spec){ .subject = "/CN=signer",
		                                   .alg = i });
	return 0;
}

static int
free_parties(void **state)
{
	(void)state;
	for (unsigned i = 0; i < GK_PKI_ALGS; i++)
		gk_pki_free(&party[i]);
	gk_pki_keys_free();
	return 0;
}

/* Every combination that makes sense, with the key it needs. */
static const struct {
	enum gk_pki_alg key;
	struct gk_sig_alg alg;
	bool legacy;
} combination[] = {
	{ GK_PKI_DSA1024,
	  { GK_SIG_DSA_LEGACY, GK_HASH_SHA1_LEGACY, GK_SIG_DER },
	  true },
	{ GK_PKI_DSA1024,
	  { GK_SIG_DSA_LEGACY, GK_HASH_SHA1_LEGACY, GK_SIG_RAW },
	  true },
	{ GK_PKI_DSA1024,
	  { GK_SIG_DSA_LEGACY, GK_HASH_SHA256, GK_SIG_DER },
	  true },
	{ GK_PKI_RSA1024,
	  { GK_SIG_RSA_PKCS1, GK_HASH_MD5_LEGACY, GK_SIG_DER },
	  true },
	{ GK_PKI_RSA1024,
	  { GK_SIG_RSA_PSS, GK_HASH_MD5_LEGACY, GK_SIG_DER },
	  true },
	{ GK_PKI_RSA2048,
	  { GK_SIG_RSA_PKCS1, GK_HASH_SHA1_LEGACY, GK_SIG_DER },
	  true },
	{ GK_PKI_RSA2048,
	  { GK_SIG_RSA_PKCS1, GK_HASH_SHA256, GK_SIG_DER },
	  false },
	{ GK_PKI_RSA2048,
	  { GK_SIG_RSA_PSS, GK_HASH_SHA256, GK_SIG_DER },
	  false },
	{ GK_PKI_P256,
	  { GK_SIG_ECDSA_P256, GK_HASH_SHA256, GK_SIG_DER },
	  false },
	{ GK_PKI_P256,
	  { GK_SIG_ECDSA_P256, GK_HASH_SHA256, GK_SIG_RAW },
	  false },
	{ GK_PKI_P384,
	  { GK_SIG_ECDSA_P384, GK_HASH_SHA384, GK_SIG_DER },
	  false },
	{ GK_PKI_P384,
	  { GK_SIG_ECDSA_P384, GK_HASH_SHA3_384, GK_SIG_RAW },
	  false },
	{ GK_PKI_P384,
	  { GK_SIG_ECDSA_P384, GK_HASH_SHA1_LEGACY, GK_SIG_DER },
	  true },
	{ GK_PKI_P521,
	  { GK_SIG_ECDSA_P521, GK_HASH_SHA512, GK_SIG_DER },
	  false },
	{ GK_PKI_P521,
	  { GK_SIG_ECDSA_P521, GK_HASH_SHA512, GK_SIG_RAW },
	  false },
	{ GK_PKI_ED25519, { GK_SIG_ED25519, GK_HASH_NONE, GK_SIG_DER }, false },
	/* The data is the digest, or the whole RSA block. */
	{ GK_PKI_RSA2048,
	  { GK_SIG_RSA_PKCS1, GK_HASH_NONE, GK_SIG_DER },
	  false },
	{ GK_PKI_P256, { GK_SIG_ECDSA_P256, GK_HASH_NONE, GK_SIG_RAW }, false },
	{ GK_PKI_DSA1024,
	  { GK_SIG_DSA_LEGACY, GK_HASH_NONE, GK_SIG_DER },
	  true },
};

static const struct gk_slice text = { (const uint8_t *)"twenty octets, no NUL",
	                              20 };

GK_TEST(rfc4535_7_8_2_06, signs_and_verifies_and_notices_changes)
{
	for (size_t i = 0; i < GK_COUNT(combination); i++) {
		const struct gk_pki_party *p = &party[combination[i].key];
		const struct gk_pubkey *pub = gk_cert_pubkey(p->cert);
		struct gk_sig_alg alg = combination[i].alg;
		uint8_t other[20];
		struct gk_buf sig;

		assert_int_equal(gk_sig_is_legacy(alg), combination[i].legacy);
		gk_assert_ok(gk_sign(p->signer, alg, text, &sig));
		assert_true(sig.len <= gk_sig_max_len(pub, alg));
		gk_assert_ok(gk_verify(pub, alg, text, gk_buf_slice(&sig)));
		memcpy(other, text.ptr, 20);
		other[19] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg,
		                        (struct gk_slice){ other, 20 },
		                        gk_buf_slice(&sig)));
		sig.ptr[sig.len / 2] ^= 1;
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, text, gk_buf_slice(&sig)));
		sig.ptr[sig.len / 2] ^= 1;
		gk_assert_err(
			GK_ERR_AUTH,
			gk_verify(pub, alg, text,
		                  (struct gk_slice){ sig.ptr, sig.len - 1 }));
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, text,
		                        (struct gk_slice){ sig.ptr, 0 }));
		gk_buf_free(&sig);
	}
}

/* A signature with octets after it, or in BER, is not one. */
GK_TEST(rfc3279_2_2_2, signature_in_another_encoding_is_refused)
{
	static const enum gk_pki_alg keys[] = { GK_PKI_DSA1024, GK_PKI_P256 };

	for (size_t i = 0; i < GK_COUNT(keys); i++) {
		const struct gk_pubkey *pub =
			gk_cert_pubkey(party[keys[i]].cert);
		struct gk_sig_alg alg = gk_pubkey_default_alg(pub), raw = alg;
		struct gk_buf sig, longer = { 0 };
		uint8_t ber[256];

		gk_assert_ok(gk_sign(party[keys[i]].signer, alg, text, &sig));
		gk_assert_ok(gk_buf_append(&longer, gk_buf_slice(&sig)));
		gk_assert_ok(gk_buf_append(&longer, gk_slice_str("x")));
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, text, gk_buf_slice(&longer)));
		ber[0] = 0x30;
		ber[1] = 0x81; /* a long length where a short one is due */
		memcpy(ber + 2, sig.ptr + 1, sig.len - 1);
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, alg, text,
		                        (struct gk_slice){ ber, sig.len + 1 }));
		raw.encoding = GK_SIG_RAW;
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, raw, text, gk_buf_slice(&sig)));
		gk_buf_free(&sig);
		gk_buf_free(&longer);
	}
}

GK_TEST(crypto_sign, key_and_algorithm_must_belong_together)
{
	for (size_t i = 0; i < GK_COUNT(combination); i++)
		for (unsigned k = 0; k < GK_PKI_ALGS; k++) {
			const struct gk_pubkey *pub =
				gk_cert_pubkey(party[k].cert);
			const struct gk_pubkey *own =
				gk_cert_pubkey(party[combination[i].key].cert);
			struct gk_sig_alg alg = combination[i].alg;
			struct gk_buf sig;

			if (gk_pubkey_kind(pub) == gk_pubkey_kind(own))
				continue;
			assert_false(gk_pubkey_suits(pub, alg));
			assert_int_equal(gk_sig_max_len(pub, alg), 0);
			gk_assert_err(GK_ERR_VALUE, gk_sign(party[k].signer,
			                                    alg, text, &sig));
			gk_assert_err(GK_ERR_VALUE,
			              gk_verify(pub, alg, text, text));
		}
}

/* RSA PKCS#1 v1.5 and Ed25519 repeat themselves, which golden transcripts rely
 * on; the rest must not. */
GK_TEST(crypto_sign, only_rsa_and_ed25519_repeat_themselves)
{
	for (size_t i = 0; i < GK_COUNT(combination); i++) {
		struct gk_sig_alg alg = combination[i].alg;
		const struct gk_signer *s = party[combination[i].key].signer;
		bool repeats = alg.scheme == GK_SIG_RSA_PKCS1 ||
		               alg.scheme == GK_SIG_ED25519;
		struct gk_buf a, b;

		gk_assert_ok(gk_sign(s, alg, text, &a));
		gk_assert_ok(gk_sign(s, alg, text, &b));
		assert_int_equal(
			gk_slice_equal(gk_buf_slice(&a), gk_buf_slice(&b)),
			repeats);
		gk_buf_free(&a);
		gk_buf_free(&b);
	}
}

/* RFC 8032 section 7.1, test 2. */
GK_TEST(rfc8032_7_1, ed25519_known_answer)
{
	static const char spki_hex[] =
		"302a300506032b6570032100"
		"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
	static const char sig_hex[] =
		"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
	static const char p8_hex[] =
		"302e020100300506032b657004220420"
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
	struct gk_buf spki, sig, p8, again;
	struct gk_signer *signer;
	struct gk_pubkey *pub;
	uint8_t data = 0x72;

	gk_assert_ok(gk_unhex(&spki, spki_hex));
	gk_assert_ok(gk_unhex(&sig, sig_hex));
	gk_assert_ok(gk_unhex(&p8, p8_hex));
	gk_assert_ok(gk_pubkey_from_spki(gk_buf_slice(&spki), &pub));
	assert_int_equal(gk_pubkey_kind(pub), GK_KEY_ED25519);
	gk_assert_ok(gk_verify(pub, GK_SIG_EDDSA, (struct gk_slice){ &data, 1 },
	                       gk_buf_slice(&sig)));
	gk_assert_ok(gk_signer_from_pem(gk_buf_slice(&p8), NULL, &signer));
	gk_assert_ok(gk_sign(signer, GK_SIG_EDDSA,
	                     (struct gk_slice){ &data, 1 }, &again));
	assert_true(gk_slice_equal(gk_buf_slice(&again), gk_buf_slice(&sig)));
	gk_signer_free(signer);
	gk_pubkey_free(pub);
	gk_buf_free(&spki);
	gk_buf_free(&sig);
	gk_buf_free(&p8);
	gk_buf_free(&again);
}

/* The length that a sender reserves is the one that comes most often. */
GK_TEST(rfc4535_7_8_1_01, likely_length_is_the_most_frequent_one)
{
	static const enum gk_pki_alg keys[] = { GK_PKI_DSA1024, GK_PKI_P256,
		                                GK_PKI_P384, GK_PKI_P521 };

	for (size_t k = 0; k < GK_COUNT(keys); k++) {
		const struct gk_pubkey *pub =
			gk_cert_pubkey(party[keys[k]].cert);
		struct gk_sig_alg alg = gk_pubkey_default_alg(pub);
		size_t likely = gk_sig_likely_len(pub, alg), hits = 0;
		size_t rounds = 120;

		for (size_t i = 0; i < rounds; i++) {
			struct gk_buf sig;

			gk_assert_ok(gk_sign(party[keys[k]].signer, alg, text,
			                     &sig));
			assert_true(sig.len <= gk_sig_max_len(pub, alg));
			hits += sig.len == likely;
			gk_buf_free(&sig);
		}
		/* About a half is expected; a fifth fails once in 10^10. */
		assert_true(hits > rounds / 5);
	}
}

/* Both of a pair verify, and one of the two has the likely length unless r or s
 * is unusually short. */
GK_TEST(rfc4535_7_8_1_01, mirrored_signature_is_as_good_and_may_be_longer)
{
	for (size_t i = 0; i < GK_COUNT(combination); i++) {
		const struct gk_pki_party *p = &party[combination[i].key];
		const struct gk_pubkey *pub = gk_cert_pubkey(p->cert);
		struct gk_sig_alg alg = combination[i].alg;
		bool pair = alg.encoding == GK_SIG_DER &&
		            (alg.scheme == GK_SIG_ECDSA_P256 ||
		             alg.scheme == GK_SIG_ECDSA_P384 ||
		             alg.scheme == GK_SIG_ECDSA_P521);
		struct gk_buf sig, other;

		gk_assert_ok(gk_sign(p->signer, alg, text, &sig));
		gk_assert_ok(gk_buf_copy(&other, gk_buf_slice(&sig)));
		gk_assert_err(pair ? GK_OK : GK_ERR_VALUE,
		              gk_sig_mirror(pub, alg, &other));
		assert_int_equal(pair, !gk_slice_equal(gk_buf_slice(&sig),
		                                       gk_buf_slice(&other)));
		gk_assert_ok(gk_verify(pub, alg, text, gk_buf_slice(&other)));
		if (pair)
			gk_assert_ok(gk_sig_mirror(pub, alg, &other));
		assert_true(gk_slice_equal(gk_buf_slice(&sig),
		                           gk_buf_slice(&other)));
		gk_buf_free(&sig);
		gk_buf_free(&other);
	}
}

GK_TEST(crypto_pubkey, lengths_are_told_and_minima_kept)
{
	const struct gk_pubkey *rsa =
		gk_cert_pubkey(party[GK_PKI_RSA1024].cert);
	const struct gk_pubkey *dsa =
		gk_cert_pubkey(party[GK_PKI_DSA1024].cert);
	const struct gk_pubkey *ec = gk_cert_pubkey(party[GK_PKI_P256].cert);

	assert_int_equal(gk_pubkey_bits(rsa), 1024);
	assert_int_equal(gk_pubkey_bits(dsa), 1024);
	assert_int_equal(gk_pubkey_bits(ec), 256);
	gk_assert_ok(gk_pubkey_min_bits(rsa, 1024, 2048));
	gk_assert_err(GK_ERR_POLICY, gk_pubkey_min_bits(rsa, 1025, 0));
	gk_assert_err(GK_ERR_POLICY, gk_pubkey_min_bits(dsa, 0, 1025));
	gk_assert_ok(gk_pubkey_min_bits(ec, 4096, 4096));
}

GK_TEST(crypto_pubkey, spki_must_be_whole)
{
	struct gk_slice spki =
		gk_pubkey_spki(gk_cert_pubkey(party[GK_PKI_P256].cert));
	struct gk_buf copy = { 0 };
	struct gk_pubkey *pub;

	gk_assert_ok(gk_pubkey_from_spki(spki, &pub));
	assert_true(gk_slice_equal(gk_pubkey_spki(pub), spki));
	gk_pubkey_free(pub);
	for (size_t n = 0; n < spki.len; n++) {
		gk_assert_err(GK_ERR_VALUE,
		              gk_pubkey_from_spki(
				      (struct gk_slice){ spki.ptr, n }, &pub));
		assert_null(pub);
	}
	gk_assert_ok(gk_buf_append(&copy, spki));
	gk_assert_ok(gk_buf_append(&copy, gk_slice_str("x")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_pubkey_from_spki(gk_buf_slice(&copy), &pub));
	gk_buf_free(&copy);
}

GK_TEST(crypto_signer, encrypted_key_needs_its_passphrase)
{
	struct gk_signer *signer;
	struct gk_buf pem, sig;

	gk_pki_key_pem(&party[GK_PKI_P256], "open sesame", &pem);
	gk_assert_err(GK_ERR_AUTH,
	              gk_signer_from_pem(gk_buf_slice(&pem), NULL, &signer));
	gk_assert_err(GK_ERR_AUTH,
	              gk_signer_from_pem(gk_buf_slice(&pem), "wrong", &signer));
	assert_null(signer);
	gk_assert_ok(
		gk_signer_from_pem(gk_buf_slice(&pem), "open sesame", &signer));
	gk_assert_ok(gk_sign(signer, GK_SIG_P256_SHA256, text, &sig));
	gk_assert_ok(gk_verify(gk_cert_pubkey(party[GK_PKI_P256].cert),
	                       GK_SIG_P256_SHA256, text, gk_buf_slice(&sig)));
	gk_signer_free(signer);
	gk_buf_free(&sig);
	gk_buf_free(&pem);
}

GK_TEST(crypto_signer, what_is_no_key_is_refused)
{
	struct gk_signer *signer;
	struct gk_buf pem;

	gk_assert_err(GK_ERR_VALUE,
	              gk_signer_from_pem(gk_slice_str(""), NULL, &signer));
	gk_assert_err(GK_ERR_VALUE,
	              gk_signer_from_pem(gk_slice_str("hello"), NULL, &signer));
	gk_pki_cert_pem(&party[GK_PKI_P256], &pem);
	gk_assert_err(GK_ERR_VALUE,
	              gk_signer_from_pem(gk_buf_slice(&pem), NULL, &signer));
	gk_buf_free(&pem);
	gk_assert_err(
		GK_ERR_VALUE,
		gk_signer_from_pem(gk_cert_der(party[0].cert), NULL, &signer));
}

/* A key's contexts are kept for the next signature: one way to sign, or one that
 * failed, leaves nothing behind for another. */
GK_TEST(crypto_sign, one_key_in_turn_with_each_algorithm)
{
	static const struct gk_sig_alg algs[] = {
		{ GK_SIG_RSA_PKCS1, GK_HASH_SHA256, GK_SIG_DER },
		{ GK_SIG_RSA_PSS, GK_HASH_SHA256, GK_SIG_DER },
		{ GK_SIG_RSA_PKCS1, GK_HASH_NONE, GK_SIG_DER },
		{ GK_SIG_RSA_PKCS1, GK_HASH_SHA512, GK_SIG_DER },
		{ GK_SIG_RSA_PSS, GK_HASH_SHA512, GK_SIG_DER },
		{ GK_SIG_RSA_PKCS1, GK_HASH_SHA1_LEGACY, GK_SIG_DER },
	};
	const struct gk_pki_party *p = &party[GK_PKI_RSA2048];
	const struct gk_pubkey *pub = gk_cert_pubkey(p->cert);
	static const uint8_t room[512];
	struct gk_buf sig[GK_COUNT(algs)], none;

	for (size_t i = 0; i < GK_COUNT(algs); i++)
		gk_assert_ok(gk_sign(p->signer, algs[i], text, &sig[i]));
	/* What does not fit in the key. */
	gk_assert_err(GK_ERR_VALUE,
	              gk_sign(p->signer, algs[2],
	                      (struct gk_slice){ room, sizeof(room) }, &none));
	for (size_t n = 0; n < 3 * GK_COUNT(algs); n++)
		for (size_t i = 0; i < GK_COUNT(algs); i++) {
			size_t k = n % GK_COUNT(algs);
			enum gk_err want = i == k ? GK_OK : GK_ERR_AUTH;

			assert_int_equal(gk_verify(pub, algs[k], text,
			                           gk_buf_slice(&sig[i])),
			                 want);
		}
	for (size_t i = 0; i < GK_COUNT(algs); i++)
		gk_buf_free(&sig[i]);
}

static void *
sign_many(void *arg)
{
	const struct gk_pki_party *p = arg;
	struct gk_sig_alg alg = gk_pubkey_default_alg(gk_cert_pubkey(p->cert));

	for (int i = 0; i < 40; i++) {
		struct gk_cert *cert = gk_cert_ref(p->cert);
		struct gk_buf sig;

		if (gk_sign(p->signer, alg, text, &sig) != GK_OK ||
		    gk_verify(gk_cert_pubkey(cert), alg, text,
		              gk_buf_slice(&sig)) != GK_OK)
			abort();
		gk_buf_free(&sig);
		gk_cert_free(cert);
	}
	return NULL;
}

GK_TEST(crypto_sign, threads_share_a_key)
{
	for (unsigned k = 0; k < GK_PKI_ALGS; k++) {
		pthread_t thread[4];

		for (size_t i = 0; i < GK_COUNT(thread); i++)
			assert_int_equal(pthread_create(&thread[i], NULL,
			                                sign_many, &party[k]),
			                 0);
		for (size_t i = 0; i < GK_COUNT(thread); i++)
			pthread_join(thread[i], NULL);
	}
}

GK_TEST(crypto_sign, algorithms_have_names)
{
	char out[64];

	assert_string_equal(gk_sig_text(out, sizeof(out), GK_SIG_P256_SHA256),
	                    "ECDSA P-256 with SHA-256");
	assert_string_equal(gk_sig_text(out, sizeof(out), GK_SIG_EDDSA),
	                    "Ed25519");
	assert_string_equal(gk_sig_text(out, 4, GK_SIG_EDDSA), "Ed2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_8_2_06,
		       signs_and_verifies_and_notices_changes),
		GK_RUN(rfc3279_2_2_2, signature_in_another_encoding_is_refused),
		GK_RUN(crypto_sign, key_and_algorithm_must_belong_together),
		GK_RUN(crypto_sign, only_rsa_and_ed25519_repeat_themselves),
		GK_RUN(rfc8032_7_1, ed25519_known_answer),
		GK_RUN(rfc4535_7_8_1_01,
		       likely_length_is_the_most_frequent_one),
		GK_RUN(rfc4535_7_8_1_01,
		       mirrored_signature_is_as_good_and_may_be_longer),
		GK_RUN(crypto_pubkey, lengths_are_told_and_minima_kept),
		GK_RUN(crypto_pubkey, spki_must_be_whole),
		GK_RUN(crypto_signer, encrypted_key_needs_its_passphrase),
		GK_RUN(crypto_signer, what_is_no_key_is_refused),
		GK_RUN(crypto_sign, one_key_in_turn_with_each_algorithm),
		GK_RUN(crypto_sign, threads_share_a_key),
		GK_RUN(crypto_sign, algorithms_have_names),
	};

	return cmocka_run_group_tests_name("common/crypto/sign", tests,
	                                   make_parties, free_parties);
}
