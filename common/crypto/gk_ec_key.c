/* SPDX-License-Identifier: BSD-2-Clause */
#define OPENSSL_SUPPRESS_DEPRECATED /* gk_ec_key.h says why */
#include "common/crypto/gk_ec_key.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#ifndef OPENSSL_NO_DEPRECATED_3_0

#define HEADER_MAX 26 /* of a SubjectPublicKeyInfo, before the point */

struct curve {
	int nid;
	enum gk_key_kind kind;
	uint8_t header[HEADER_MAX];
	size_t header_len, point_len;
	EC_KEY *key; /* the point at infinity; as long as the process */
};

#define EC_KEY_OID 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct curve curves[] = {
	{ .nid = NID_X9_62_prime256v1,
	  .kind = GK_KEY_P256,
	  .header = { 0x30, 0x59, 0x30, 0x13, EC_KEY_OID, 6, 8, 0x2a, 0x86,
	              0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0 },
	  .header_len = 26,
	  .point_len = 65 },
	{ .nid = NID_secp384r1,
	  .kind = GK_KEY_P384,
	  .header = { 0x30, 0x76, 0x30, 0x10, EC_KEY_OID, 6, 5, 0x2b, 0x81, 4,
	              0, 0x22, 3, 0x62, 0 },
	  .header_len = 23,
	  .point_len = 97 },
	{ .nid = NID_secp521r1,
	  .kind = GK_KEY_P521,
	  .header = { 0x30, 0x81, 0x9b, 0x30, 0x10, EC_KEY_OID, 6, 5, 0x2b,
	              0x81, 4, 0, 0x23, 3, 0x81, 0x86, 0 },
	  .header_len = 25,
	  .point_len = 133 },
};

/* A key whose point is at infinity. */
static EC_KEY *
make_curve(int nid)
{
	EC_KEY *key = EC_KEY_new_by_curve_name(nid);
	const EC_GROUP *group = key == NULL ? NULL : EC_KEY_get0_group(key);
	EC_POINT *point = group == NULL ? NULL : EC_POINT_new(group);

	if (point == NULL || EC_POINT_set_to_infinity(group, point) != 1 ||
	    EC_KEY_set_public_key(key, point) != 1) {
		EC_KEY_free(key);
		key = NULL;
	}
	EC_POINT_free(point);
	return key;
}

static void
make_curves(void)
{
	for (size_t i = 0; i < GK_COUNT(curves); i++)
		curves[i].key = make_curve(curves[i].nid);
	(void)gk_ossl_fail(GK_OK);
}

/* NULL: the form is another, or the library does not have the curve. */
static const struct curve *
curve_of(struct gk_slice spki)
{
	pthread_once(&once, make_curves);
	for (size_t i = 0; i < GK_COUNT(curves); i++) {
		const struct curve *c = &curves[i];

		if (spki.len == c->header_len + c->point_len &&
		    memcmp(spki.ptr, c->header, c->header_len) == 0 &&
		    spki.ptr[c->header_len] == POINT_CONVERSION_UNCOMPRESSED)
			return c->key == NULL ? NULL : c;
	}
	return NULL;
}

static const struct curve *
curve_of_key(const EVP_PKEY *pkey)
{
	const EC_KEY *key = EVP_PKEY_get0_EC_KEY(pkey);
	int nid = EC_GROUP_get_curve_name(EC_KEY_get0_group(key));

	for (size_t i = 0; i < GK_COUNT(curves); i++)
		if (curves[i].nid == nid)
			return &curves[i];
	return NULL;
}

/* Without its point yet. */
static EVP_PKEY *
new_key(const struct curve *c, EC_KEY **key)
{
	EVP_PKEY *pkey = EVP_PKEY_new();

	*key = EC_KEY_dup(c->key);
	if (pkey != NULL && *key != NULL &&
	    EVP_PKEY_assign_EC_KEY(pkey, *key) == 1)
		return pkey; /* which owns the other one now */
	EVP_PKEY_free(pkey);
	EC_KEY_free(*key);
	return NULL;
}

static bool
put_point(const struct curve *c, struct gk_slice spki, EC_KEY *key)
{
	return EC_KEY_oct2key(key, spki.ptr + c->header_len, c->point_len,
	                      NULL) == 1;
}

bool
gk_ec_key_there(void)
{
	return true;
}

EVP_PKEY *
gk_ec_key(struct gk_slice spki)
{
	const struct curve *c = curve_of(spki);
	EVP_PKEY *pkey;
	EC_KEY *key;

	pkey = c == NULL ? NULL : new_key(c, &key);
	if (pkey != NULL && put_point(c, spki, key))
		return pkey;
	EVP_PKEY_free(pkey);
	(void)gk_ossl_fail(GK_OK);
	return NULL;
}

/* With the point as it stands in @x509; 0: it is none of this curve. */
static size_t
write_spki(const struct curve *c, X509 *x509, uint8_t spki[GK_EC_SPKI_MAX])
{
	const uint8_t *point;
	int n = 0;

	if (X509_PUBKEY_get0_param(NULL, &point, &n, NULL,
	                           X509_get_X509_PUBKEY(x509)) != 1 ||
	    n < 0 || (size_t)n != c->point_len)
		return 0;
	memcpy(spki, c->header, c->header_len);
	memcpy(spki + c->header_len, point, c->point_len);
	return c->header_len + c->point_len;
}

/* The octets that stand for the key in @x509. */
static bool
put_octets(const struct curve *c, struct gk_slice spki, X509 *x509)
{
	uint8_t *point = OPENSSL_memdup(spki.ptr + c->header_len, c->point_len);

	if (point != NULL &&
	    X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x509),
	                           OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
	                           V_ASN1_OBJECT, OBJ_nid2obj(c->nid), point,
	                           (int)c->point_len) == 1)
		return true;
	OPENSSL_free(point);
	return false;
}

/* Is it what stands there now? */
static bool
is_written(const struct curve *c, struct gk_slice spki, X509 *x509)
{
	uint8_t now[GK_EC_SPKI_MAX];

	return gk_slice_equal(
		(struct gk_slice){ now, write_spki(c, x509, now) }, spki);
}

size_t
gk_ec_key_spki(X509 *x509, uint8_t spki[GK_EC_SPKI_MAX])
{
	const EVP_PKEY *pkey = X509_get0_pubkey(x509);
	const struct curve *c =
		pkey == NULL || !gk_ec_key_is(pkey) ? NULL : curve_of_key(pkey);

	return c == NULL ? 0 : write_spki(c, x509, spki);
}

/*
 * The library encodes a key that is put into a certificate, and to write a point
 * it divides, which takes as long as half of all that is saved.  So the key is put
 * in while its point is still the one at infinity, which is written as one octet;
 * then come the octets that were there, and the point.
 */
bool
gk_ec_key_put(X509 *x509, struct gk_slice spki)
{
	const struct curve *c = curve_of(spki);
	EVP_PKEY *pkey;
	EC_KEY *key;
	bool ok;

	pkey = c == NULL ? NULL : new_key(c, &key);
	ok = pkey != NULL && X509_set_pubkey(x509, pkey) == 1 &&
	     put_octets(c, spki, x509) && put_point(c, spki, key) &&
	     X509_get0_pubkey(x509) == pkey && is_written(c, spki, x509);
	EVP_PKEY_free(pkey);
	return ok;
}

bool
gk_ec_key_is(const EVP_PKEY *pkey)
{
	return EVP_PKEY_get0_provider(pkey) == NULL &&
	       EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC;
}

enum gk_key_kind
gk_ec_key_kind(const EVP_PKEY *pkey)
{
	const struct curve *c = curve_of_key(pkey);

	return c == NULL ? GK_KEY_OTHER : c->kind;
}

bool
gk_ec_key_verify(const EVP_PKEY *pkey, struct gk_slice digest,
                 struct gk_slice sig)
{
	/* It is only read; ECDSA_verify() does not say so. */
	EC_KEY *key = (EC_KEY *)(uintptr_t)EVP_PKEY_get0_EC_KEY(pkey);

	return digest.len <= INT_MAX && sig.len <= INT_MAX &&
	       ECDSA_verify(0, digest.ptr, (int)digest.len, sig.ptr,
	                    (int)sig.len, key) == 1;
}

#else /* OPENSSL_NO_DEPRECATED_3_0 */

/* The library was built without these functions: all keys are the provider's. */
bool
gk_ec_key_there(void)
{
	return false;
}

EVP_PKEY *
gk_ec_key(struct gk_slice spki)
{
	(void)spki;
	return NULL;
}

bool
gk_ec_key_put(X509 *x509, struct gk_slice spki)
{
	(void)x509;
	(void)spki;
	return false;
}

size_t
gk_ec_key_spki(X509 *x509, uint8_t spki[GK_EC_SPKI_MAX])
{
	(void)x509;
	(void)spki;
	return 0;
}

bool
gk_ec_key_is(const EVP_PKEY *pkey)
{
	(void)pkey;
	return false;
}

enum gk_key_kind
gk_ec_key_kind(const EVP_PKEY *pkey)
{
	(void)pkey;
	return GK_KEY_OTHER;
}

bool
gk_ec_key_verify(const EVP_PKEY *pkey, struct gk_slice digest,
                 struct gk_slice sig)
{
	(void)pkey;
	(void)digest;
	(void)sig;
	return false;
}

#endif
