/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diffie-Hellman over the integers.  Done with big numbers and not with the
 * provider's DH keys, because those refuse the short groups of RFC 2409 and draw
 * their private value themselves.
 */
#include <openssl/bn.h>

#include "common/crypto/gk_kex_math.h"
#include "common/crypto/gk_ossl.h"

BIGNUM *
gk_modp_prime(enum gk_kex group)
{
	switch (group) {
	case GK_KEX_MODP768_LEGACY:
		return BN_get_rfc2409_prime_768(NULL);
	case GK_KEX_MODP1024_LEGACY:
		return BN_get_rfc2409_prime_1024(NULL);
	case GK_KEX_MODP1536_LEGACY:
		return BN_get_rfc3526_prime_1536(NULL);
	case GK_KEX_MODP2048:
		return BN_get_rfc3526_prime_2048(NULL);
	case GK_KEX_MODP3072:
		return BN_get_rfc3526_prime_3072(NULL);
	case GK_KEX_MODP4096:
		return BN_get_rfc3526_prime_4096(NULL);
	case GK_KEX_MODP6144:
		return BN_get_rfc3526_prime_6144(NULL);
	case GK_KEX_MODP8192:
		return BN_get_rfc3526_prime_8192(NULL);
	default:
		return NULL;
	}
}

/* in_range - 1 < v < p-1: what is left out are the values of order 1 and 2, the
 * only small orders there are modulo a safe prime. */
static bool
in_range(const BIGNUM *v, const BIGNUM *p)
{
	BIGNUM *top = BN_dup(p);
	bool ok = top != NULL && BN_sub_word(top, 1) == 1 &&
	          BN_cmp(v, BN_value_one()) > 0 && BN_cmp(v, top) < 0;

	BN_free(top);
	return ok;
}

/* power - base^priv mod p, padded to the length of @out, in constant time. */
static enum gk_err
power(const BIGNUM *base, struct gk_slice priv, const BIGNUM *p,
      struct gk_buf *out)
{
	BIGNUM *x = BN_new(), *y = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	enum gk_err err = GK_ERR_NOMEM;

	if (x == NULL || y == NULL || ctx == NULL ||
	    BN_bin2bn(priv.ptr, (int)priv.len, x) == NULL)
		goto out;
	BN_set_flags(x, BN_FLG_CONSTTIME);
	err = GK_ERR_VALUE;
	if (!in_range(x, p))
		goto out;
	err = GK_ERR_CRYPTO;
	if (BN_mod_exp_mont_consttime(y, base, x, p, ctx, NULL) == 1 &&
	    BN_bn2binpad(y, out->ptr, (int)out->len) == (int)out->len)
		err = GK_OK;
out:
	BN_clear_free(x);
	BN_clear_free(y);
	BN_CTX_free(ctx);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

enum gk_err
gk_modp_public(enum gk_kex group, struct gk_slice priv, struct gk_buf *pub)
{
	BIGNUM *p = gk_modp_prime(group), *g = BN_new();
	enum gk_err err = GK_ERR_NOMEM;

	if (p != NULL && g != NULL && BN_set_word(g, 2) == 1)
		err = priv.len > pub->len ? GK_ERR_VALUE
		                          : power(g, priv, p, pub);
	BN_free(g);
	BN_free(p);
	return err;
}

/* with_peer - check @peer, and derive from it unless @secret is NULL. */
static enum gk_err
with_peer(enum gk_kex group, struct gk_slice priv, struct gk_slice peer,
          struct gk_buf *secret)
{
	BIGNUM *p = gk_modp_prime(group);
	BIGNUM *y = BN_bin2bn(peer.ptr, (int)peer.len, NULL);
	enum gk_err err = GK_ERR_NOMEM;

	if (p != NULL && y != NULL) {
		err = in_range(y, p) ? GK_OK : GK_ERR_VALUE;
		if (err == GK_OK && secret != NULL)
			err = power(y, priv, p, secret);
	}
	BN_free(y);
	BN_free(p);
	return err;
}

enum gk_err
gk_modp_peer_check(enum gk_kex group, struct gk_slice peer)
{
	return with_peer(group, (struct gk_slice){ 0 }, peer, NULL);
}

enum gk_err
gk_modp_derive(enum gk_kex group, struct gk_slice priv, struct gk_slice peer,
               struct gk_buf *secret)
{
	return with_peer(group, priv, peer, secret);
}
