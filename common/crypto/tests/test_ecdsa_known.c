/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_ecdsa_known.h"
#include "common/crypto/gk_kex_math.h"
#include "common/test/gk_test_pki.h"

/* Verified twice: with a table, and by the provider, who is right. */
static const struct gk_sig_alg raw_digest = { GK_SIG_ECDSA_P256, GK_HASH_NONE,
	                                      GK_SIG_DER };

/* A key with the private value @d, or any; its public key, and a table. */
struct key {
	BIGNUM *d;
	EVP_PKEY *pkey;
	struct gk_pubkey *pub;
	struct gk_ecdsa_known known;
};

static EVP_PKEY *
public_key(const BIGNUM *d)
{
	const EC_GROUP *curve = gk_ecdh_curve(GK_KEX_P256);
	EC_POINT *q = EC_POINT_new(curve);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t form[65];
	char name[] = "P-256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 5),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, form,
		                        sizeof(form)),
		OSSL_PARAM_END,
	};
	EVP_PKEY *pkey = NULL;

	assert_int_equal(EC_POINT_mul(curve, q, d, NULL, NULL, NULL), 1);
	assert_int_equal(EC_POINT_point2oct(curve, q,
	                                    POINT_CONVERSION_UNCOMPRESSED, form,
	                                    sizeof(form), NULL),
	                 sizeof(form));
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	EC_POINT_free(q);
	return pkey;
}

static const BIGNUM *
order(void)
{
	return gk_ecdh_order(GK_KEX_P256);
}

static struct key
key_new(void)
{
	struct key k = { .d = BN_new() };

	do
		assert_int_equal(BN_rand_range(k.d, order()), 1);
	while (BN_is_zero(k.d));
	k.pkey = public_key(k.d);
	gk_assert_ok(gk_pubkey_from_pkey(k.pkey, &k.pub));
	gk_assert_ok(gk_ecdsa_known_make(&k.known, k.pkey));
	assert_true(gk_ecdsa_known_is(&k.known));
	return k;
}

static void
key_free(struct key *k)
{
	gk_ecdsa_known_free(&k->known);
	assert_false(gk_ecdsa_known_is(&k->known));
	gk_pubkey_free(k->pub);
	EVP_PKEY_free(k->pkey);
	BN_free(k->d);
}

/* r, by any k that is given back inverted. */
static BIGNUM *
choose(BIGNUM *k_inverse)
{
	const EC_GROUP *curve = gk_ecdh_curve(GK_KEX_P256);
	EC_POINT *point = EC_POINT_new(curve);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *k = BN_new(), *r = BN_new();

	assert_int_equal(BN_rand_range(k, order()), 1);
	assert_int_equal(EC_POINT_mul(curve, point, k, NULL, NULL, ctx), 1);
	assert_int_equal(
		EC_POINT_get_affine_coordinates(curve, point, r, NULL, ctx), 1);
	assert_int_equal(BN_nnmod(r, r, order(), ctx), 1);
	assert_non_null(BN_mod_inverse(k_inverse, k, order(), ctx));
	BN_free(k);
	BN_CTX_free(ctx);
	EC_POINT_free(point);
	return r;
}

/* s = (e + r d) / k */
static BIGNUM *
finish(const struct key *key, const BIGNUM *r, const BIGNUM *k_inverse,
       const uint8_t digest[32])
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *e = BN_bin2bn(digest, 32, NULL), *s = BN_new();

	assert_int_equal(BN_mod_mul(s, r, key->d, order(), ctx), 1);
	assert_int_equal(BN_mod_add(s, s, e, order(), ctx), 1);
	assert_int_equal(BN_mod_mul(s, s, k_inverse, order(), ctx), 1);
	BN_free(e);
	BN_CTX_free(ctx);
	return s;
}

static void
put(struct gk_der_wr *wr, BIGNUM *v)
{
	ASN1_INTEGER *i = BN_to_ASN1_INTEGER(v, NULL);
	uint8_t *der = NULL;
	int n = i2d_ASN1_INTEGER(i, &der);

	assert_true(n > 0);
	gk_der_wr_octets(wr, (struct gk_slice){ der, (size_t)n });
	OPENSSL_free(der);
	ASN1_INTEGER_free(i);
	BN_free(v);
}

/* Any numbers, in DER; @r and @s are freed. */
static struct gk_buf
encode(BIGNUM *r, BIGNUM *s)
{
	struct gk_der_wr wr = { 0 };
	struct gk_buf out;

	put(&wr, s);
	put(&wr, r);
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	gk_assert_ok(gk_der_wr_done(&wr, &out));
	return out;
}

static struct gk_buf
sign(const struct key *key, const uint8_t digest[32])
{
	BIGNUM *k_inverse = BN_new(), *r = choose(k_inverse);
	BIGNUM *s = finish(key, r, k_inverse, digest);

	BN_free(k_inverse);
	return encode(r, s);
}

static bool
both(const struct key *key, struct gk_slice digest, struct gk_slice sig)
{
	enum gk_err provider = gk_verify(key->pub, raw_digest, digest, sig);
	enum gk_err table = gk_ecdsa_known_verify(&key->known, digest, sig);

	assert_int_equal(table, provider);
	return table == GK_OK;
}

static void
random_digest(uint8_t digest[32])
{
	gk_assert_ok(gk_crypto_random(NULL, digest, 32));
}

/* Good ones, and each with one bit that is another. */
GK_TEST(crypto_ecdsa_known, finds_what_the_provider_finds)
{
	for (unsigned k = 0; k < 4; k++) {
		struct key key = key_new();

		for (unsigned i = 0; i < 40; i++) {
			uint8_t digest[32];
			struct gk_slice d = { digest, sizeof(digest) };
			struct gk_buf sig;
			uint8_t *octet;

			random_digest(digest);
			sig = sign(&key, digest);
			assert_true(both(&key, d, gk_buf_slice(&sig)));
			digest[i % 32] ^= (uint8_t)(1u << i % 8);
			assert_false(both(&key, d, gk_buf_slice(&sig)));
			digest[i % 32] ^= (uint8_t)(1u << i % 8);
			octet = &sig.ptr[(7 * i + k) % sig.len];
			*octet ^= (uint8_t)(1u << i % 8);
			assert_false(both(&key, d, gk_buf_slice(&sig)));
			gk_buf_free(&sig);
		}
		key_free(&key);
	}
}

/* FIPS 186-4 section 6.4: both numbers are from 1 to the order less one. */
GK_TEST(crypto_ecdsa_known, numbers_out_of_range_are_refused)
{
	struct key key = key_new();
	BIGNUM *k_inverse = BN_new(), *r = choose(k_inverse);
	uint8_t digest[32];
	struct gk_slice d = { digest, sizeof(digest) };
	BIGNUM *s;

	random_digest(digest);
	s = finish(&key, r, k_inverse, digest);
	for (unsigned i = 0; i < 12; i++) {
		BIGNUM *one = BN_dup(i % 2 == 0 ? r : s), *other;
		struct gk_buf sig;

		other = BN_dup(i % 2 == 0 ? s : r);
		if (i / 2 == 1)
			BN_zero(one);
		else if (i / 2 == 2)
			BN_copy(one, order());
		else if (i / 2 == 3)
			BN_add(one, one, order());
		else if (i / 2 == 4)
			BN_set_negative(one, 1);
		else if (i / 2 == 5)
			BN_lshift(one, one, 300);
		sig = i % 2 == 0 ? encode(one, other) : encode(other, one);
		assert_int_equal(both(&key, d, gk_buf_slice(&sig)), i / 2 == 0);
		gk_buf_free(&sig);
	}
	BN_free(k_inverse);
	BN_free(r);
	BN_free(s);
	key_free(&key);
}

GK_TEST(rfc3279_2_2_3, another_encoding_of_the_same_numbers_is_refused)
{
	struct key key = key_new();
	uint8_t digest[32], wrong[80];
	struct gk_slice d = { digest, sizeof(digest) };
	struct gk_buf sig;

	random_digest(digest);
	sig = sign(&key, digest);
	assert_true(both(&key, d, gk_buf_slice(&sig)));
	/* an octet behind it */
	memcpy(wrong, sig.ptr, sig.len);
	wrong[sig.len] = 0;
	assert_false(both(&key, d, (struct gk_slice){ wrong, sig.len + 1 }));
	assert_false(both(&key, d, (struct gk_slice){ wrong, sig.len - 1 }));
	assert_false(both(&key, d, (struct gk_slice){ wrong, 0 }));
	/* r with a zero octet too many */
	memmove(wrong + 5, wrong + 4, sig.len - 4);
	wrong[1]++;
	wrong[3]++;
	wrong[4] = 0;
	if ((sig.ptr[4] & 0x80) == 0) /* DER wants no more than one */
		assert_false(
			both(&key, d, (struct gk_slice){ wrong, sig.len + 1 }));
	/* a length in the long form */
	wrong[0] = sig.ptr[0];
	wrong[1] = 0x81;
	memcpy(wrong + 2, sig.ptr + 1, sig.len - 1);
	assert_false(both(&key, d, (struct gk_slice){ wrong, sig.len + 1 }));
	gk_buf_free(&sig);
	key_free(&key);
}

/* With e = r d both points that are added are the same one, and with e = -r d one
 * is the other's mirror image: nothing is left, and no s makes that good. */
GK_TEST(crypto_ecdsa_known, equal_and_opposite_points_are_added)
{
	struct key key = key_new();
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *k_inverse = BN_new(), *e = BN_new(), *r = choose(k_inverse);
	uint8_t digest[32];
	struct gk_slice d = { digest, sizeof(digest) };
	struct gk_buf sig;

	assert_int_equal(BN_mod_mul(e, r, key.d, order(), ctx), 1);
	assert_int_equal(BN_bn2binpad(e, digest, 32), 32);
	sig = encode(BN_dup(r), finish(&key, r, k_inverse, digest));
	assert_true(both(&key, d, gk_buf_slice(&sig)));
	gk_buf_free(&sig);

	assert_int_equal(BN_sub(e, order(), e), 1);
	assert_int_equal(BN_bn2binpad(e, digest, 32), 32);
	sig = encode(BN_dup(r), BN_dup(k_inverse));
	assert_false(both(&key, d, gk_buf_slice(&sig)));
	gk_buf_free(&sig);

	/* Nothing to multiply the generator with. */
	memset(digest, 0, sizeof(digest));
	sig = encode(BN_dup(r), finish(&key, r, k_inverse, digest));
	assert_true(both(&key, d, gk_buf_slice(&sig)));
	gk_buf_free(&sig);
	BN_free(k_inverse);
	BN_free(e);
	BN_free(r);
	BN_CTX_free(ctx);
	key_free(&key);
}

/* The leftmost 32 octets of a longer digest; a shorter one is a smaller number. */
GK_TEST(crypto_ecdsa_known, digests_of_other_lengths)
{
	struct key key = key_new();
	uint8_t digest[64] = { 0 };
	struct gk_buf sig;

	random_digest(digest);
	sig = sign(&key, digest);
	memset(digest + 32, 0xa5, 32);
	for (size_t n = 32; n <= sizeof(digest); n += 16)
		assert_true(both(&key, (struct gk_slice){ digest, n },
		                 gk_buf_slice(&sig)));
	assert_false(both(&key, (struct gk_slice){ digest, 31 },
	                  gk_buf_slice(&sig)));
	gk_buf_free(&sig);

	memset(digest, 0, 12);
	sig = sign(&key, digest);
	assert_true(both(&key, (struct gk_slice){ digest + 12, 20 },
	                 gk_buf_slice(&sig)));
	gk_buf_free(&sig);
	key_free(&key);
}

/* The generator itself as a key: the provider makes no other table. */
GK_TEST(crypto_ecdsa_known, the_generator_is_a_key)
{
	struct key key = { .d = BN_new() };
	uint8_t digest[32];
	struct gk_slice d = { digest, sizeof(digest) };
	struct gk_buf sig;

	assert_int_equal(BN_one(key.d), 1);
	key.pkey = public_key(key.d);
	gk_assert_ok(gk_pubkey_from_pkey(key.pkey, &key.pub));
	gk_assert_ok(gk_ecdsa_known_make(&key.known, key.pkey));
	random_digest(digest);
	sig = sign(&key, digest);
	assert_true(both(&key, d, gk_buf_slice(&sig)));
	digest[0] ^= 1;
	assert_false(both(&key, d, gk_buf_slice(&sig)));
	gk_buf_free(&sig);
	key_free(&key);
}

GK_TEST(crypto_ecdsa_known, without_a_table_nothing_is_known)
{
	struct gk_pki_party party;
	struct gk_ecdsa_known known = { 0 };
	uint8_t digest[32] = { 0 };

	gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=other",
	                                           .alg = GK_PKI_P384 });
	assert_int_equal(
		gk_ecdsa_known_make(
			&known, gk_pubkey_pkey(gk_signer_pubkey(party.signer))),
		GK_ERR_CRYPTO);
	assert_false(gk_ecdsa_known_is(&known));
	assert_int_equal(gk_ecdsa_known_verify(&known,
	                                       (struct gk_slice){ digest, 32 },
	                                       (struct gk_slice){ digest, 32 }),
	                 GK_ERR_UNEXPECTED);
	gk_pki_free(&party);
	gk_pki_keys_free();
}

/* ---- becoming known ------------------------------------------------------- */

static void *
verify_often(void *arg)
{
	const struct gk_pki_party *party = arg;
	const struct gk_slice data = gk_slice_str("a certificate");
	struct gk_buf sig, wrong;
	unsigned n = GK_ECDSA_KNOWN_AFTER;

	gk_assert_ok(gk_sign(party->signer, GK_SIG_P256_SHA256, data, &sig));
	gk_assert_ok(gk_buf_copy(&wrong, gk_buf_slice(&sig)));
	wrong.ptr[wrong.len - 1] ^= 1;
	for (unsigned i = 0; i < n; i++) {
		gk_assert_ok(gk_verify(gk_signer_pubkey(party->signer),
		                       GK_SIG_P256_SHA256, data,
		                       gk_buf_slice(&sig)));
		assert_int_equal(gk_verify(gk_signer_pubkey(party->signer),
		                           GK_SIG_P256_SHA256, data,
		                           gk_buf_slice(&wrong)),
		                 GK_ERR_AUTH);
	}
	gk_buf_free(&sig);
	gk_buf_free(&wrong);
	return NULL;
}

/* Before, while and after the table is made, whoever verifies. */
GK_TEST(crypto_ecdsa_known, threads_share_a_key_that_becomes_known)
{
	struct gk_pki_party party;
	pthread_t thread[3];

	gk_pki_make(&party, &(struct gk_pki_spec){ .subject = "/CN=authority",
	                                           .alg = GK_PKI_P256 });
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, verify_often, &party),
			0);
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	gk_pki_free(&party);
	gk_pki_keys_free();
}

GK_TEST(crypto_ecdsa_known, good_signatures_make_a_key_known)
{
	struct gk_ecdsa_known known = { 0 };
	BIGNUM *d = BN_new();
	EVP_PKEY *pkey;

	assert_int_equal(BN_set_word(d, 12345), 1);
	pkey = public_key(d);
	for (unsigned i = 1; i < GK_ECDSA_KNOWN_AFTER; i++)
		gk_ecdsa_known_good(&known, pkey);
	assert_false(gk_ecdsa_known_is(&known));
	gk_ecdsa_known_good(&known, pkey);
	assert_int_equal(gk_ecdsa_known_is(&known), GK_ECDSA_KNOWN);
	gk_ecdsa_known_good(&known, pkey); /* and that is that */
	assert_int_equal(gk_ecdsa_known_is(&known), GK_ECDSA_KNOWN);
	gk_ecdsa_known_free(&known);
	EVP_PKEY_free(pkey);
	BN_free(d);
}

GK_TEST(crypto_ecdsa_known, there_are_not_more_tables_than_a_few)
{
	static struct gk_ecdsa_known known[GK_ECDSA_KNOWN_MAX + 1];
	struct key key = key_new();

	for (unsigned i = 0; i < GK_ECDSA_KNOWN_MAX - 1; i++)
		gk_assert_ok(gk_ecdsa_known_make(&known[i], key.pkey));
	assert_int_equal(
		gk_ecdsa_known_make(&known[GK_ECDSA_KNOWN_MAX], key.pkey),
		GK_ERR_SPACE);
	gk_ecdsa_known_free(&known[0]);
	gk_assert_ok(gk_ecdsa_known_make(&known[GK_ECDSA_KNOWN_MAX], key.pkey));
	for (size_t i = 0; i < GK_COUNT(known); i++)
		gk_ecdsa_known_free(&known[i]);
	key_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(crypto_ecdsa_known, finds_what_the_provider_finds),
		GK_RUN(crypto_ecdsa_known, numbers_out_of_range_are_refused),
		GK_RUN(rfc3279_2_2_3,
		       another_encoding_of_the_same_numbers_is_refused),
		GK_RUN(crypto_ecdsa_known, equal_and_opposite_points_are_added),
		GK_RUN(crypto_ecdsa_known, digests_of_other_lengths),
		GK_RUN(crypto_ecdsa_known, the_generator_is_a_key),
		GK_RUN(crypto_ecdsa_known, without_a_table_nothing_is_known),
		GK_RUN(crypto_ecdsa_known,
		       threads_share_a_key_that_becomes_known),
		GK_RUN(crypto_ecdsa_known, good_signatures_make_a_key_known),
		GK_RUN(crypto_ecdsa_known,
		       there_are_not_more_tables_than_a_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
