/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Diffie-Hellman over the integers.  Done with big numbers and not with the
 * provider's DH keys, because those refuse the short groups of RFC 2409 and draw
 * their private value themselves.
 */
#include <stdatomic.h>

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

/* What the arithmetic of a group needs, kept for as long as the process lives
 * and only read. */
struct modp {
	BIGNUM *p, *top; /* top: p-1 */
	BN_MONT_CTX *mont;
};

static void
modp_free(struct modp *m)
{
	if (m == NULL)
		return;
	BN_free(m->p);
	BN_free(m->top);
	BN_MONT_CTX_free(m->mont);
	OPENSSL_free(m);
}

static struct modp *
modp_new(enum gk_kex group)
{
	struct modp *m = OPENSSL_zalloc(sizeof(*m));
	BN_CTX *ctx = BN_CTX_new();

	if (m != NULL) {
		m->p = gk_modp_prime(group);
		m->top = m->p == NULL ? NULL : BN_dup(m->p);
		m->mont = BN_MONT_CTX_new();
	}
	if (m == NULL || ctx == NULL || m->top == NULL || m->mont == NULL ||
	    BN_sub_word(m->top, 1) != 1 ||
	    BN_MONT_CTX_set(m->mont, m->p, ctx) != 1) {
		modp_free(m);
		m = NULL;
	}
	BN_CTX_free(ctx);
	return m;
}

/* NULL: no memory, or no such group. */
static const struct modp *
modp(enum gk_kex group)
{
	static _Atomic(struct modp *) kept[GK_KEX_MODP8192 + 1];
	struct modp *mine, *other = NULL;

	if (!gk_kex_is_modp(group))
		return NULL;
	mine = atomic_load_explicit(&kept[group], memory_order_acquire);
	if (mine != NULL)
		return mine;
	mine = modp_new(group);
	if (mine == NULL ||
	    atomic_compare_exchange_strong(&kept[group], &other, mine))
		return mine;
	modp_free(mine); /* another thread was faster */
	return other;
}

/* in_range - 1 < v < p-1: what is left out are the values of order 1 and 2, the
 * only small orders there are modulo a safe prime. */
static bool
in_range(const BIGNUM *v, const struct modp *m)
{
	return BN_cmp(v, BN_value_one()) > 0 && BN_cmp(v, m->top) < 0;
}

/* power - base^priv mod p, padded to the length of @out, in constant time. */
static enum gk_err
power(const BIGNUM *base, struct gk_slice priv, const struct modp *m,
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
	if (!in_range(x, m))
		goto out;
	err = GK_ERR_CRYPTO;
	if (BN_mod_exp_mont_consttime(y, base, x, m->p, ctx, m->mont) == 1 &&
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
	const struct modp *m = modp(group);
	BIGNUM *g = BN_new();
	enum gk_err err = GK_ERR_NOMEM;

	if (m != NULL && g != NULL && BN_set_word(g, 2) == 1)
		err = priv.len > pub->len ? GK_ERR_VALUE
		                          : power(g, priv, m, pub);
	BN_free(g);
	return err;
}

/* with_peer - check @peer, and derive from it unless @secret is NULL. */
static enum gk_err
with_peer(enum gk_kex group, struct gk_slice priv, struct gk_slice peer,
          struct gk_buf *secret)
{
	const struct modp *m = modp(group);
	BIGNUM *y = BN_bin2bn(peer.ptr, (int)peer.len, NULL);
	enum gk_err err = GK_ERR_NOMEM;

	if (m != NULL && y != NULL) {
		err = in_range(y, m) ? GK_OK : GK_ERR_VALUE;
		if (err == GK_OK && secret != NULL)
			err = power(y, priv, m, secret);
	}
	BN_free(y);
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
