/* SPDX-License-Identifier: BSD-2-Clause */
#define OPENSSL_SUPPRESS_DEPRECATED /* gk_rsa_key.h says why */
#include "common/crypto/gk_rsa_key.h"

#include <limits.h>
#include <string.h>

#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "common/crypto/gk_der.h"

#ifndef OPENSSL_NO_DEPRECATED_3_0

#define BITS_MIN 1024
#define BITS_MAX 8192
#define EXPONENT_BITS_MAX 64 /* the library's limit, for long keys */

/* rsaEncryption, NULL. */
static const uint8_t algorithm[] = { 6,    9, 0x2a, 0x86, 0x48, 0x86, 0xf7,
	                             0x0d, 1, 1,    1,    5,    0 };

/* number - the next INTEGER; NULL unless it is positive and in its one form. */
static BIGNUM *
number(struct gk_rd *rd, const char *field)
{
	struct gk_slice v = gk_der_get(rd, GK_DER_INTEGER, field);

	if (rd->fault.err != GK_OK || !gk_der_integer_ok(v) ||
	    (v.ptr[0] & 0x80) != 0 || v.len > BITS_MAX / 8 + 1)
		return NULL;
	return BN_bin2bn(v.ptr, (int)v.len, NULL);
}

static bool
is_usual(const BIGNUM *n, const BIGNUM *e)
{
	return n != NULL && e != NULL && BN_is_odd(n) && BN_is_odd(e) &&
	       !BN_is_one(e) && BN_num_bits(n) >= BITS_MIN &&
	       BN_num_bits(n) <= BITS_MAX &&
	       BN_num_bits(e) <= EXPONENT_BITS_MAX;
}

/* rsa_public_key - the contents of the BIT STRING; empty: another form. */
static struct gk_slice
rsa_public_key(struct gk_slice spki)
{
	static const struct gk_slice want = { algorithm, sizeof(algorithm) };
	struct gk_slice id, bits;
	struct gk_rd rd, info;

	gk_rd_init(&rd, spki.ptr, spki.len);
	info = gk_der_enter(&rd, GK_DER_SEQUENCE, "SubjectPublicKeyInfo");
	id = gk_der_get(&info, GK_DER_SEQUENCE, "algorithm");
	bits = gk_der_get(&info, GK_DER_BIT_STRING, "subjectPublicKey");
	gk_der_leave(&rd, &info);
	if (gk_rd_done(&rd) != GK_OK || !gk_slice_equal(id, want) ||
	    bits.len == 0 || bits.ptr[0] != 0)
		return (struct gk_slice){ 0 };
	return (struct gk_slice){ bits.ptr + 1, bits.len - 1 };
}

/* read_numbers - RSAPublicKey (RFC 8017 section A.1.1); true: *@n and *@e are a key
 * of the usual kind.  The caller frees both in any case. */
static bool
read_numbers(struct gk_slice der, BIGNUM **n, BIGNUM **e)
{
	struct gk_rd rd, key;

	gk_rd_init(&rd, der.ptr, der.len);
	key = gk_der_enter(&rd, GK_DER_SEQUENCE, "RSAPublicKey");
	*n = number(&key, "modulus");
	*e = number(&key, "publicExponent");
	gk_der_leave(&rd, &key);
	return gk_rd_done(&rd) == GK_OK && is_usual(*n, *e);
}

/* make_key - @n and @e are its own if there is one. */
static EVP_PKEY *
make_key(BIGNUM *n, BIGNUM *e)
{
	EVP_PKEY *pkey = EVP_PKEY_new();
	RSA *rsa = RSA_new();

	if (pkey != NULL && rsa != NULL &&
	    EVP_PKEY_assign_RSA(pkey, rsa) == 1) {
		if (RSA_set0_key(rsa, n, e, NULL) == 1)
			return pkey;
		rsa = NULL; /* @pkey's */
	}
	RSA_free(rsa);
	EVP_PKEY_free(pkey);
	return NULL;
}

bool
gk_rsa_key_there(void)
{
	return true;
}

EVP_PKEY *
gk_rsa_key(struct gk_slice spki)
{
	struct gk_slice der = rsa_public_key(spki);
	BIGNUM *n = NULL, *e = NULL;
	EVP_PKEY *pkey = NULL;

	if (der.len != 0 && read_numbers(der, &n, &e))
		pkey = make_key(n, e);
	if (pkey == NULL) {
		BN_free(n);
		BN_free(e);
		(void)gk_ossl_fail(GK_OK);
	}
	return pkey;
}

/* Is it what stands there now? */
static bool
is_written(struct gk_slice spki, X509 *x509)
{
	const uint8_t *der;
	int n = 0;

	return X509_PUBKEY_get0_param(NULL, &der, &n, NULL,
	                              X509_get_X509_PUBKEY(x509)) == 1 &&
	       n > 0 &&
	       gk_slice_equal(rsa_public_key(spki),
	                      (struct gk_slice){ der, (size_t)n });
}

bool
gk_rsa_key_put(X509 *x509, struct gk_slice spki)
{
	EVP_PKEY *pkey = gk_rsa_key(spki);
	bool ok;

	ok = pkey != NULL && X509_set_pubkey(x509, pkey) == 1 &&
	     X509_get0_pubkey(x509) == pkey && is_written(spki, x509);
	EVP_PKEY_free(pkey);
	return ok;
}

bool
gk_rsa_key_is(const EVP_PKEY *pkey)
{
	const BIGNUM *n, *e;

	if (EVP_PKEY_get0_provider(pkey) != NULL ||
	    EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		return false;
	RSA_get0_key(EVP_PKEY_get0_RSA(pkey), &n, &e, NULL);
	return is_usual(n, e);
}

static int
nid_of(enum gk_hash hash)
{
	switch (hash) {
	case GK_HASH_SHA256:
		return NID_sha256;
	case GK_HASH_SHA384:
		return NID_sha384;
	case GK_HASH_SHA512:
		return NID_sha512;
	default:
		return NID_undef;
	}
}

bool
gk_rsa_key_knows(struct gk_sig_alg alg)
{
	return alg.scheme == GK_SIG_RSA_PKCS1 &&
	       (alg.hash == GK_HASH_NONE || nid_of(alg.hash) != NID_undef);
}

/* Without a DigestInfo: the block of type 1 contains @data. */
static bool
contains(RSA *rsa, struct gk_slice data, struct gk_slice sig)
{
	uint8_t block[BITS_MAX / 8];
	int n = RSA_public_decrypt((int)sig.len, sig.ptr, block, rsa,
	                           RSA_PKCS1_PADDING);

	return n > 0 &&
	       gk_slice_equal(data, (struct gk_slice){ block, (size_t)n });
}

bool
gk_rsa_key_verify(const EVP_PKEY *pkey, struct gk_sig_alg alg,
                  struct gk_slice data, struct gk_slice sig)
{
	/* It is only read, and its Montgomery form made once under a lock of its
	 * own; RSA_verify() does not say so. */
	RSA *rsa = (RSA *)(uintptr_t)EVP_PKEY_get0_RSA(pkey);

	if (sig.len > INT_MAX || data.len > INT_MAX)
		return false;
	if (alg.hash == GK_HASH_NONE)
		return contains(rsa, data, sig);
	return RSA_verify(nid_of(alg.hash), data.ptr, (unsigned)data.len,
	                  sig.ptr, (unsigned)sig.len, rsa) == 1;
}

#else /* OPENSSL_NO_DEPRECATED_3_0 */

/* The library was built without these functions: all keys are the provider's. */
bool
gk_rsa_key_there(void)
{
	return false;
}

EVP_PKEY *
gk_rsa_key(struct gk_slice spki)
{
	(void)spki;
	return NULL;
}

bool
gk_rsa_key_put(X509 *x509, struct gk_slice spki)
{
	(void)x509;
	(void)spki;
	return false;
}

bool
gk_rsa_key_is(const EVP_PKEY *pkey)
{
	(void)pkey;
	return false;
}

bool
gk_rsa_key_knows(struct gk_sig_alg alg)
{
	(void)alg;
	return false;
}

bool
gk_rsa_key_verify(const EVP_PKEY *pkey, struct gk_sig_alg alg,
                  struct gk_slice data, struct gk_slice sig)
{
	(void)pkey;
	(void)alg;
	(void)data;
	(void)sig;
	return false;
}

#endif
