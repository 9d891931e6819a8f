/* SPDX-License-Identifier: BSD-2-Clause */
/* Diffie-Hellman on the NIST curves (RFC 5903 forms) and X25519 (RFC 7748). */
#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "common/crypto/gk_kex_math.h"
#include "common/crypto/gk_ossl.h"

#define POINT_MAX (1 + 132) /* the uncompressed form of a P-521 point */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EC_GROUP *p256, *p384, *p521; /* live as long as the process */

static void
make_curves(void)
{
	p256 = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	p384 = EC_GROUP_new_by_curve_name(NID_secp384r1);
	p521 = EC_GROUP_new_by_curve_name(NID_secp521r1);
}

/* Only read from then on, by any number of threads. */
static const EC_GROUP *
curve(enum gk_kex group)
{
	pthread_once(&once, make_curves);
	switch (group) {
	case GK_KEX_P256:
		return p256;
	case GK_KEX_P384:
		return p384;
	case GK_KEX_P521:
		return p521;
	default:
		return NULL;
	}
}

const BIGNUM *
gk_ecdh_order(enum gk_kex group)
{
	const EC_GROUP *ec = curve(group);

	return ec == NULL ? NULL : EC_GROUP_get0_order(ec);
}

/* load_scalar - a private value of the right length, 0 < x < order. */
static enum gk_err
load_scalar(const EC_GROUP *ec, struct gk_slice priv, size_t len, BIGNUM *x)
{
	if (priv.len != len || BN_bin2bn(priv.ptr, (int)priv.len, x) == NULL)
		return GK_ERR_VALUE;
	BN_set_flags(x, BN_FLG_CONSTTIME);
	if (BN_is_zero(x) || BN_cmp(x, EC_GROUP_get0_order(ec)) >= 0)
		return GK_ERR_VALUE;
	return GK_OK;
}

/* load_point - x|y; the provider checks that it is on the curve.  The point at
 * infinity has no such form, and the cofactor is one. */
static enum gk_err
load_point(const EC_GROUP *ec, struct gk_slice peer, EC_POINT *point,
           BN_CTX *ctx)
{
	uint8_t form[POINT_MAX];

	if (peer.len >= sizeof(form))
		return GK_ERR_VALUE;
	form[0] = POINT_CONVERSION_UNCOMPRESSED;
	memcpy(form + 1, peer.ptr, peer.len);
	if (EC_POINT_oct2point(ec, point, form, 1 + peer.len, ctx) != 1)
		return gk_ossl_fail(GK_ERR_VALUE);
	return GK_OK;
}

/* store_point - the first @len octets of x|y. */
static enum gk_err
store_point(const EC_GROUP *ec, const EC_POINT *point, size_t len, uint8_t *out,
            BN_CTX *ctx)
{
	uint8_t form[POINT_MAX];
	size_t n;

	n = EC_POINT_point2oct(ec, point, POINT_CONVERSION_UNCOMPRESSED, form,
	                       sizeof(form), ctx);
	if (n < 1 + len)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	memcpy(out, form + 1, len);
	gk_wipe(form, sizeof(form));
	return GK_OK;
}

/* multiply - priv * peer, or priv * G when there is no peer; @out gets x|y or
 * as much of it as it has room for. */
static enum gk_err
multiply(enum gk_kex group, struct gk_slice priv, struct gk_slice peer,
         struct gk_buf *out)
{
	const EC_GROUP *ec = curve(group);
	BN_CTX *ctx = BN_CTX_new();
	EC_POINT *from = ec == NULL ? NULL : EC_POINT_new(ec);
	EC_POINT *to = ec == NULL ? NULL : EC_POINT_new(ec);
	BIGNUM *x = BN_new();
	enum gk_err err = GK_ERR_NOMEM;
	int ok;

	if (ctx == NULL || from == NULL || to == NULL || x == NULL)
		goto out;
	err = load_scalar(ec, priv, gk_kex_secret_len(group), x);
	if (err == GK_OK && peer.len != 0)
		err = load_point(ec, peer, from, ctx);
	if (err != GK_OK)
		goto out;
	if (peer.len != 0)
		ok = EC_POINT_mul(ec, to, NULL, from, x, ctx);
	else
		ok = EC_POINT_mul(ec, to, x, NULL, NULL, ctx);
	err = ok == 1 ? store_point(ec, to, out->len, out->ptr, ctx)
	              : GK_ERR_CRYPTO;
out:
	BN_clear_free(x);
	EC_POINT_clear_free(to);
	EC_POINT_free(from);
	BN_CTX_free(ctx);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

enum gk_err
gk_ecdh_public(enum gk_kex group, struct gk_slice priv, struct gk_buf *pub)
{
	return multiply(group, priv, (struct gk_slice){ 0 }, pub);
}

enum gk_err
gk_ecdh_derive(enum gk_kex group, struct gk_slice priv, struct gk_slice peer,
               struct gk_buf *secret)
{
	return multiply(group, priv, peer, secret);
}

enum gk_err
gk_ecdh_peer_check(enum gk_kex group, struct gk_slice peer)
{
	const EC_GROUP *ec = curve(group);
	EC_POINT *point = ec == NULL ? NULL : EC_POINT_new(ec);
	enum gk_err err = GK_ERR_NOMEM;

	if (point != NULL)
		err = load_point(ec, peer, point, NULL);
	EC_POINT_free(point);
	return err;
}

enum gk_err
gk_x25519_public(struct gk_slice priv, uint8_t pub[32])
{
	EVP_PKEY *key;
	size_t n = 32;
	bool ok;

	if (priv.len != 32)
		return GK_ERR_VALUE;
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv.ptr, 32);
	ok = key != NULL && EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 &&
	     n == 32;
	EVP_PKEY_free(key);
	return ok ? GK_OK : gk_ossl_fail(GK_ERR_CRYPTO);
}

enum gk_err
gk_x25519_derive(struct gk_slice priv, struct gk_slice peer, uint8_t secret[32])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	                                             priv.ptr, priv.len);
	EVP_PKEY *their = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
	                                              peer.ptr, peer.len);
	EVP_PKEY_CTX *ctx = key == NULL ? NULL : EVP_PKEY_CTX_new(key, NULL);
	enum gk_err err = GK_ERR_CRYPTO;
	size_t n = 32;

	if (ctx != NULL && their != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
	    EVP_PKEY_derive_set_peer(ctx, their) == 1)
		/* The provider refuses an all-zero result, and nothing else
		 * can go wrong from here on. */
		err = EVP_PKEY_derive(ctx, secret, &n) == 1 && n == 32
		              ? GK_OK
		              : GK_ERR_VALUE;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(their);
	EVP_PKEY_free(key);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}
