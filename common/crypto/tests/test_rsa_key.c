/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA keys of certificates, beside what OpenSSL makes of the same octets in its
 * ordinary way. */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "common/crypto/gk_rsa_key.h"
#include "common/crypto/gk_sig_form.h"
#include "common/crypto/gk_sign.h"
#include "common/crypto/tests/chain.h"

static const enum gk_pki_alg algs[] = { GK_PKI_RSA2048, GK_PKI_RSA1024 };
static const uint8_t text[] = "signed";
static const struct gk_slice data = { text, sizeof(text) };

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
	if (!gk_rsa_key_there())
		skip();
	gk_pki_make(party,
	            &(struct gk_pki_spec){ .subject = "/CN=rsa", .alg = alg });
}

static X509 *
ordinary(const struct gk_cert *cert)
{
	X509 *x509 = gk_ossl_plain(gk_cert_der(cert));

	assert_non_null(x509);
	assert_non_null(X509_get0_pubkey(x509));
	return x509;
}

/* The key in the certificate is the one that stands there, and all that is asked of
 * it and of the certificate is as before. */
GK_TEST(rfc3279_2_3_1, the_key_is_put_in_as_it_stands)
{
	for (size_t i = 0; i < GK_COUNT(algs); i++) {
		struct gk_pki_party party;
		EVP_PKEY *pkey, *other;
		X509 *x509, *plain;

		make(&party, algs[i]);
		x509 = gk_cert_x509(party.cert);
		plain = ordinary(party.cert);
		pkey = X509_get0_pubkey(x509);
		other = X509_get0_pubkey(plain);
		assert_true(gk_rsa_key_is(pkey)); /* it went the short way */
		assert_false(gk_rsa_key_is(other));
		assert_int_equal(EVP_PKEY_eq(pkey, other), 1);
		assert_int_equal(EVP_PKEY_get_bits(pkey),
		                 EVP_PKEY_get_bits(other));
		assert_int_equal(EVP_PKEY_get_size(pkey),
		                 EVP_PKEY_get_size(other));
		assert_int_equal(EVP_PKEY_get_security_bits(pkey),
		                 EVP_PKEY_get_security_bits(other));
		assert_int_equal(X509_get_extension_flags(x509),
		                 X509_get_extension_flags(plain));
		assert_int_equal(X509_cmp(x509, plain), 0);
		assert_true(gk_slice_equal(
			gk_pubkey_spki(gk_cert_pubkey(party.cert)),
			gk_pubkey_spki(gk_signer_pubkey(party.signer))));
		assert_int_equal(gk_pubkey_kind(gk_cert_pubkey(party.cert)),
		                 GK_KEY_RSA);
		X509_free(plain);
		gk_pki_free(&party);
	}
}

/* ---- signatures ---------------------------------------------------------- */

/* What OpenSSL says of it with the key that it has decoded itself. */
static bool
by_openssl(EVP_PKEY *pkey, struct gk_sig_alg alg, struct gk_slice digest,
           struct gk_slice sig)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_verify_init(ctx), 1);
	gk_assert_ok(gk_sig_set_padding(ctx, alg));
	ok = EVP_PKEY_verify(ctx, sig.ptr, sig.len, digest.ptr, digest.len) ==
	     1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool
both_say(const struct gk_pki_party *party, EVP_PKEY *plain,
         struct gk_sig_alg alg, struct gk_slice sig)
{
	enum gk_err err =
		gk_verify(gk_cert_pubkey(party->cert), alg, data, sig);
	struct gk_slice digest = data;
	uint8_t room[GK_HASH_MAX];

	gk_assert_ok(gk_sig_digest(alg, &digest, room));
	assert_true(err == GK_OK || err == GK_ERR_AUTH);
	assert_true((err == GK_OK) == by_openssl(plain, alg, digest, sig));
	return err == GK_OK;
}

/* All that is made with a digest here, and the block without one. */
static const struct gk_sig_alg made[] = {
	{ GK_SIG_RSA_PKCS1, GK_HASH_NONE, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA256, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA384, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA512, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA3_256, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_SHA1_LEGACY, GK_SIG_DER },
	{ GK_SIG_RSA_PKCS1, GK_HASH_MD5_LEGACY, GK_SIG_DER },
	{ GK_SIG_RSA_PSS, GK_HASH_SHA256, GK_SIG_DER },
};

/* Every octet of a signature changed, missing, or one more in its place: one verdict,
 * and none of them is as good. */
static void
change_each_octet(const struct gk_pki_party *party, EVP_PKEY *plain,
                  struct gk_sig_alg alg)
{
	struct gk_buf sig, other;

	gk_assert_ok(gk_sign(party->signer, alg, data, &sig));
	gk_assert_ok(gk_buf_alloc(&other, sig.len + 1));
	for (size_t k = 0; k < sig.len; k++) {
		sig.ptr[k] ^= 1;
		assert_false(both_say(party, plain, alg, gk_buf_slice(&sig)));
		sig.ptr[k] ^= 1;
		memcpy(other.ptr, sig.ptr, k);
		other.ptr[k] = 0;
		memcpy(other.ptr + k + 1, sig.ptr + k, sig.len - k);
		assert_false(both_say(party, plain, alg, gk_buf_slice(&other)));
		memcpy(other.ptr + k, sig.ptr + k + 1, sig.len - k - 1);
		/* The library may see nothing where a zero is missing. */
		gk_assert_err(
			GK_ERR_AUTH,
			gk_verify(gk_cert_pubkey(party->cert), alg, data,
		                  (struct gk_slice){ other.ptr, sig.len - 1 }));
	}
	gk_buf_free(&other);
	gk_buf_free(&sig);
}

GK_TEST(rfc8017_8_2_2, a_signature_is_good_or_bad_for_both)
{
	struct gk_pki_party party;
	EVP_PKEY *plain;
	X509 *x509;

	make(&party, GK_PKI_RSA2048);
	x509 = ordinary(party.cert);
	plain = X509_get0_pubkey(x509);
	for (size_t i = 0; i < GK_COUNT(made); i++) {
		struct gk_buf sig;

		gk_assert_ok(gk_sign(party.signer, made[i], data, &sig));
		for (size_t k = 0; k < GK_COUNT(made); k++)
			assert_true(both_say(&party, plain, made[k],
			                     gk_buf_slice(&sig)) == (i == k));
		gk_buf_free(&sig);
	}
	change_each_octet(&party, plain, made[0]);
	change_each_octet(&party, plain, made[1]);
	X509_free(x509);
	gk_pki_free(&party);
}

/* Also where its first octet is zero, which the library does not miss; section 8.1.2
 * has the same step 1. */
GK_TEST(rfc8017_8_2_2, a_signature_is_as_long_as_the_modulus)
{
	static const struct gk_sig_alg pss = GK_SIG_RSA_PSS_SHA256;
	const struct gk_sig_alg each[] = { made[0], made[1], pss };
	struct gk_pki_party party;

	make(&party, GK_PKI_RSA1024);
	for (size_t i = 0; i < GK_COUNT(each); i++) {
		const struct gk_pubkey *pub = gk_cert_pubkey(party.cert);
		struct gk_buf sig = { 0 };
		uint8_t n[2] = { 0 };
		struct gk_slice of = { n, sizeof(n) };

		do {
			gk_buf_free(&sig);
			n[1] = (uint8_t)(n[1] + 1);
			n[0] = (uint8_t)(n[0] + (n[1] == 0));
			gk_assert_ok(gk_sign(party.signer, each[i], of, &sig));
		} while (sig.ptr[0] != 0);
		gk_assert_ok(gk_verify(pub, each[i], of, gk_buf_slice(&sig)));
		gk_assert_err(GK_ERR_AUTH,
		              gk_verify(pub, each[i], of,
		                        (struct gk_slice){ sig.ptr + 1,
		                                           sig.len - 1 }));
		gk_buf_free(&sig);
	}
	gk_pki_free(&party);
}

/* What may be refused elsewhere by the provider is left to it. */
GK_TEST(rfc8017_8_2_2, weak_digests_and_pss_are_for_the_provider)
{
	if (!gk_rsa_key_there())
		skip();
	assert_true(gk_rsa_key_knows(GK_SIG_RSA_SHA256));
	assert_false(gk_rsa_key_knows(GK_SIG_RSA_SHA1_LEGACY));
	assert_false(gk_rsa_key_knows(GK_SIG_RSA_MD5_LEGACY));
	assert_false(gk_rsa_key_knows(GK_SIG_RSA_PSS_SHA256));
	assert_false(gk_rsa_key_knows(GK_SIG_P256_SHA256));
}

#define BLOCK 256 /* octets, with RSA-2048 */

/* sign_block - @block^d, without any padding. */
static void
sign_block(const struct gk_pki_party *party, const uint8_t block[BLOCK],
           uint8_t sig[BLOCK])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(party->pkey, NULL);
	size_t n = BLOCK;

	assert_non_null(ctx);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &n, block, BLOCK), 1);
	assert_int_equal(n, BLOCK);
	EVP_PKEY_CTX_free(ctx);
}

/* padded - @ps octets of 0xff between 00 @type and 00, then @info and @digest, and
 * zero octets up to the end. */
static void
padded(uint8_t block[BLOCK], uint8_t type, size_t ps, struct gk_slice info,
       struct gk_slice digest)
{
	uint8_t *p = block + 3 + ps;

	assert_true(3 + ps + info.len + digest.len <= BLOCK);
	memset(block, 0, BLOCK);
	block[1] = type;
	memset(block + 2, 0xff, ps);
	if (info.len != 0)
		memcpy(p, info.ptr, info.len);
	memcpy(p + info.len, digest.ptr, digest.len);
}

#define SHA256_OID 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1

/* One key holder who pads in all the ways that are none. */
GK_TEST(rfc8017_9_2, a_block_has_one_form)
{
	static const uint8_t right[] = { 0x30, 0x31, 0x30, 0x0d, SHA256_OID,
		                         5,    0,    4,    0x20 },
			     no_null[] = { 0x30,       0x2f, 0x30, 0x0b,
		                           SHA256_OID, 4,    0x20 },
			     long_form[] = {
				     0x30,       0x81, 0x31, 0x30, 0x0d,
				     SHA256_OID, 5,    0,    4,    0x20
			     };
	const struct gk_slice info = { right, sizeof(right) }, none = { 0 };
	const struct {
		uint8_t type;
		struct gk_slice info;
		size_t short_of; /* octets of padding fewer than there are */
		size_t cut;      /* octets of the digest that are missing */
		bool digest_info, bare; /* good as the one, as the other */
	} cases[] = {
		{ 1, info, 0, 0, true, false },
		{ 1, none, 0, 0, false, true },
		{ 2, info, 0, 0, false, false },
		{ 2, none, 0, 0, false, false },
		{ 0, info, 0, 0, false, false },
		{ 1, info, 1, 0, false, false }, /* garbage behind it */
		{ 1, none, 1, 0, false, false },
		{ 1, info, 0, 1, false, false },
		{ 1, none, 0, 1, false, false },
		{ 1, { no_null, sizeof(no_null) }, 0, 0, false, false },
		{ 1, { long_form, sizeof(long_form) }, 0, 0, false, false },
	};
	const struct gk_sig_alg sha256 = GK_SIG_RSA_SHA256;
	struct gk_pki_party party;
	uint8_t block[BLOCK], sig[BLOCK], room[GK_HASH_MAX];
	struct gk_slice digest = data, whole = { sig, BLOCK };
	struct gk_sig_alg bare = { GK_SIG_RSA_PKCS1, GK_HASH_NONE, GK_SIG_DER };
	EVP_PKEY *plain;
	X509 *x509;

	make(&party, GK_PKI_RSA2048);
	x509 = ordinary(party.cert);
	plain = X509_get0_pubkey(x509);
	gk_assert_ok(gk_sig_digest(sha256, &digest, room));
	for (size_t i = 0; i < GK_COUNT(cases); i++) {
		struct gk_slice part = { digest.ptr,
			                 digest.len - cases[i].cut };
		size_t ps = BLOCK - 3 - cases[i].info.len - part.len -
		            cases[i].short_of;
		enum gk_err err;

		padded(block, cases[i].type, ps, cases[i].info, part);
		sign_block(&party, block, sig);
		assert_true(both_say(&party, plain, sha256, whole) ==
		            cases[i].digest_info);
		err = gk_verify(gk_cert_pubkey(party.cert), bare, digest,
		                whole);
		assert_true((err == GK_OK) == cases[i].bare);
		assert_true((err == GK_OK) ==
		            by_openssl(plain, bare, digest, whole));
	}
	X509_free(x509);
	gk_pki_free(&party);
}

/* Eight octets of padding are the fewest. */
GK_TEST(rfc8017_9_2, a_block_has_padding)
{
	struct gk_sig_alg bare = { GK_SIG_RSA_PKCS1, GK_HASH_NONE, GK_SIG_DER };
	uint8_t block[BLOCK], sig[BLOCK], long_one[BLOCK];
	struct gk_pki_party party;
	EVP_PKEY *plain;
	X509 *x509;

	make(&party, GK_PKI_RSA2048);
	x509 = ordinary(party.cert);
	plain = X509_get0_pubkey(x509);
	memset(long_one, 0x5a, sizeof(long_one));
	for (size_t ps = 0; ps < 12; ps++) {
		struct gk_slice in = { long_one, BLOCK - 3 - ps },
				whole = { sig, BLOCK };
		enum gk_err err;

		padded(block, 1, ps, (struct gk_slice){ 0 }, in);
		sign_block(&party, block, sig);
		err = gk_verify(gk_cert_pubkey(party.cert), bare, in, whole);
		assert_true((err == GK_OK) == (ps >= 8));
		assert_true((err == GK_OK) ==
		            by_openssl(plain, bare, in, whole));
	}
	/* And nothing in it is nothing signed. */
	padded(block, 1, BLOCK - 3, (struct gk_slice){ 0 },
	       (struct gk_slice){ text, 0 });
	sign_block(&party, block, sig);
	gk_assert_err(GK_ERR_AUTH, gk_verify(gk_cert_pubkey(party.cert), bare,
	                                     (struct gk_slice){ text, 0 },
	                                     (struct gk_slice){ sig, BLOCK }));
	X509_free(x509);
	gk_pki_free(&party);
}

/* ---- paths --------------------------------------------------------------- */

static void
make_chain(struct gk_pki_party *ca, struct gk_pki_party *member,
           enum gk_pki_alg alg)
{
	make(ca, GK_PKI_RSA2048);
	gk_pki_free(ca);
	gk_pki_make(ca,
	            &(struct gk_pki_spec){ .subject = "/O=RSA/CN=Root",
	                                   .alg = GK_PKI_RSA2048,
	                                   .usage = "keyCertSign,cRLSign" });
	gk_pki_make(member,
	            &(struct gk_pki_spec){ .subject = "/O=RSA/CN=gm1",
	                                   .alg = alg,
	                                   .slot = 1,
	                                   .issuer = ca,
	                                   .usage = "digitalSignature" });
}

/* Trust, dates, usage, size and CRLs are judged as with keys of any other kind. */
GK_TEST(rfc5280_6_1, paths_of_rsa_keys_are_judged)
{
	const int64_t from = GK_PKI_NOW - 10 * GK_PKI_DAY,
		      to = GK_PKI_NOW + GK_PKI_DAY;
	struct gk_trust_policy crls = { .require_crl = true };
	struct gk_pki_party ca, member, weak, other;
	struct gk_trust *trust;

	make_chain(&ca, &member, GK_PKI_RSA2048);
	assert_true(gk_rsa_key_is(X509_get0_pubkey(gk_cert_x509(ca.cert))));
	gk_pki_make(&weak, &(struct gk_pki_spec){ .subject = "/O=RSA/CN=gm2",
	                                          .alg = GK_PKI_RSA1024,
	                                          .issuer = &ca });
	gk_pki_make(&other, &(struct gk_pki_spec){ .subject = "/O=RSA/CN=Root",
	                                           .alg = GK_PKI_RSA2048,
	                                           .slot = 2 });
	trust = trust_in(&ca, NULL, &crls);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_CRL_MISSING);
	add_crl(trust, &ca, NULL, from, to);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_NONE);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_KEY_CERT_SIGN,
	       GK_CERT_FAULT_KEY_USAGE);
	expect(trust, &member, NULL, GK_PKI_NOW - 3 * GK_PKI_DAY,
	       GK_KU_DIGITAL_SIGNATURE, GK_CERT_FAULT_NOT_YET_VALID);
	expect(trust, &weak, NULL, GK_PKI_NOW, 0, GK_CERT_FAULT_WEAK_KEY);
	gk_trust_free(trust);

	trust = trust_in(&ca, NULL, &crls);
	add_crl(trust, &ca, &member, from, to);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);

	/* The same name, and a CRL or a certificate that its key did not sign. */
	trust = trust_in(&ca, NULL, &crls);
	add_crl(trust, &other, NULL, from, to);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_CRL_INVALID);
	gk_trust_free(trust);
	trust = trust_in(&other, NULL, NULL);
	expect(trust, &member, NULL, GK_PKI_NOW, GK_KU_DIGITAL_SIGNATURE,
	       GK_CERT_FAULT_BAD_SIGNATURE);
	gk_trust_free(trust);
	gk_pki_free(&other);
	gk_pki_free(&weak);
	gk_pki_free(&member);
	gk_pki_free(&ca);
}

/* ---- threads ------------------------------------------------------------- */

struct crew {
	struct gk_pki_party party;
	struct gk_buf sig, bare;
};

static const struct gk_sig_alg no_digest = { GK_SIG_RSA_PKCS1, GK_HASH_NONE,
	                                     GK_SIG_DER };

static void *
verify_often(void *arg)
{
	const struct crew *crew = arg;
	const struct gk_pubkey *pub = gk_cert_pubkey(crew->party.cert);
	size_t bad = 0;

	for (int i = 0; i < 200; i++) {
		bad += gk_verify(pub, GK_SIG_RSA_SHA256, data,
		                 gk_buf_slice(&crew->sig)) != GK_OK;
		bad += gk_verify(pub, no_digest, data,
		                 gk_buf_slice(&crew->bare)) != GK_OK;
		bad += gk_verify(pub, no_digest, data,
		                 gk_buf_slice(&crew->sig)) == GK_OK;
	}
	return (void *)bad;
}

GK_TEST(rfc8017_8_2_2, several_threads_verify_with_one_key)
{
	struct crew crew;
	pthread_t thread[4];
	void *bad;

	make(&crew.party, GK_PKI_RSA2048);
	gk_assert_ok(
		gk_sign(crew.party.signer, GK_SIG_RSA_SHA256, data, &crew.sig));
	gk_assert_ok(gk_sign(crew.party.signer, no_digest, data, &crew.bare));
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, verify_often, &crew),
			0);
	for (size_t i = 0; i < GK_COUNT(thread); i++) {
		assert_int_equal(pthread_join(thread[i], &bad), 0);
		assert_null(bad);
	}
	gk_buf_free(&crew.sig);
	gk_buf_free(&crew.bare);
	gk_pki_free(&crew.party);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc3279_2_3_1, the_key_is_put_in_as_it_stands),
		GK_RUN(rfc8017_8_2_2, a_signature_is_good_or_bad_for_both),
		GK_RUN(rfc8017_8_2_2, a_signature_is_as_long_as_the_modulus),
		GK_RUN(rfc8017_8_2_2,
		       weak_digests_and_pss_are_for_the_provider),
		GK_RUN(rfc8017_9_2, a_block_has_one_form),
		GK_RUN(rfc8017_9_2, a_block_has_padding),
		GK_RUN(rfc5280_6_1, paths_of_rsa_keys_are_judged),
		GK_RUN(rfc8017_8_2_2, several_threads_verify_with_one_key),
	};

	return cmocka_run_group_tests_name("common/crypto/rsa_key", tests, NULL,
	                                   free_keys);
}
