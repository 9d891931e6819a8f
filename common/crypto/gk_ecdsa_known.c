/* SPDX-License-Identifier: BSD-2-Clause */
/* To make a table is deprecated since OpenSSL 3.0, which makes its own for the
 * generators only; nothing has taken its place. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "common/crypto/gk_ecdsa_known.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "common/crypto/gk_kex_math.h"
#include "common/crypto/gk_sig_form.h"

#define HALF 32 /* octets of r, of s, and of what is signed */
#define POINT (1 + 2 * HALF)

static atomic_uint tables; /* in this process */

/* ---- tables -------------------------------------------------------------- */

/* The key's point; the provider looks whether it is on the curve. */
static EC_POINT *
point_of(const EC_GROUP *curve, EVP_PKEY *pkey)
{
	uint8_t form[POINT];
	EC_POINT *point = EC_POINT_new(curve);
	size_t len = 0;

	if (point != NULL &&
	    EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, form,
	                                    sizeof(form), &len) == 1 &&
	    EC_POINT_oct2point(curve, point, form, len, NULL) == 1)
		return point;
	EC_POINT_free(point);
	return NULL;
}

/* P-256 with another generator, all of whose multiples are multiples of the
 * usual one: it has the same order. */
static EC_GROUP *
make(EVP_PKEY *pkey)
{
	const EC_GROUP *curve = gk_ecdh_curve(GK_KEX_P256);
	EC_GROUP *table = curve == NULL ? NULL : EC_GROUP_dup(curve);
	EC_POINT *point = table == NULL ? NULL : point_of(curve, pkey);
	bool ok;

	ok = point != NULL &&
	     EC_GROUP_set_generator(table, point, EC_GROUP_get0_order(curve),
	                            BN_value_one()) == 1 &&
	     EC_GROUP_precompute_mult(table, NULL) == 1 &&
	     EC_GROUP_have_precompute_mult(table) == 1;
	EC_POINT_free(point);
	if (ok)
		return table;
	EC_GROUP_free(table);
	return NULL;
}

enum gk_err
gk_ecdsa_known_make(struct gk_ecdsa_known *known, EVP_PKEY *pkey)
{
	EC_GROUP *table, *none = NULL;

	if (gk_ecdsa_known_is(known))
		return GK_OK;
	if (atomic_fetch_add(&tables, 1) >= GK_ECDSA_KNOWN_MAX) {
		atomic_fetch_sub(&tables, 1);
		return GK_ERR_SPACE;
	}
	table = make(pkey);
	if (table != NULL &&
	    atomic_compare_exchange_strong(&known->table, &none, table))
		return GK_OK;
	atomic_fetch_sub(&tables, 1);
	if (table == NULL)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	EC_GROUP_free(table); /* somebody else was faster */
	return GK_OK;
}

void
gk_ecdsa_known_good(struct gk_ecdsa_known *known, EVP_PKEY *pkey)
{
	if (GK_ECDSA_KNOWN &&
	    atomic_fetch_add(&known->good, 1) + 1 == GK_ECDSA_KNOWN_AFTER)
		(void)gk_ecdsa_known_make(known, pkey);
}

bool
gk_ecdsa_known_is(const struct gk_ecdsa_known *known)
{
	return atomic_load(&known->table) != NULL;
}

void
gk_ecdsa_known_free(struct gk_ecdsa_known *known)
{
	EC_GROUP *table = atomic_exchange(&known->table, NULL);

	if (table == NULL)
		return;
	EC_GROUP_free(table);
	atomic_fetch_sub(&tables, 1);
}

/* ---- verifying ----------------------------------------------------------- */

/* What one verification needs; the numbers belong to @ctx. */
struct run {
	const EC_GROUP *curve, *table;
	const BIGNUM *n; /* the order */
	BN_CTX *ctx;
	BIGNUM *r, *s, *e, *w, *u1, *u2;
	EC_POINT *a, *b;
};

static bool
in_range(const BIGNUM *v, const BIGNUM *n)
{
	return !BN_is_zero(v) && BN_cmp(v, n) < 0;
}

/* The leftmost bits of @digest, as many as the order has. */
static bool
load(struct run *run, struct gk_slice digest, struct gk_slice raw)
{
	size_t len = digest.len < HALF ? digest.len : HALF;

	return BN_bin2bn(raw.ptr, HALF, run->r) != NULL &&
	       BN_bin2bn(raw.ptr + HALF, HALF, run->s) != NULL &&
	       BN_bin2bn(digest.ptr, (int)len, run->e) != NULL;
}

/* u1 = e/s, u2 = r/s; R = u1 G + u2 Q. */
static bool
multiply(struct run *run)
{
	return BN_mod_inverse(run->w, run->s, run->n, run->ctx) != NULL &&
	       BN_mod_mul(run->u1, run->e, run->w, run->n, run->ctx) == 1 &&
	       BN_mod_mul(run->u2, run->r, run->w, run->n, run->ctx) == 1 &&
	       EC_POINT_mul(run->curve, run->a, run->u1, NULL, NULL,
	                    run->ctx) == 1 &&
	       EC_POINT_mul(run->table, run->b, run->u2, NULL, NULL,
	                    run->ctx) == 1 &&
	       EC_POINT_add(run->curve, run->a, run->a, run->b, run->ctx) == 1;
}

/* Is the first coordinate of R, modulo the order, r? */
static enum gk_err
compare(struct run *run)
{
	BIGNUM *x = run->w;

	if (EC_POINT_is_at_infinity(run->curve, run->a))
		return GK_ERR_AUTH;
	if (EC_POINT_get_affine_coordinates(run->curve, run->a, x, NULL,
	                                    run->ctx) != 1 ||
	    BN_nnmod(x, x, run->n, run->ctx) != 1)
		return GK_ERR_CRYPTO;
	return BN_cmp(x, run->r) == 0 ? GK_OK : GK_ERR_AUTH;
}

static enum gk_err
verify(struct run *run, struct gk_slice digest, struct gk_slice raw)
{
	run->n = EC_GROUP_get0_order(run->curve);
	run->r = BN_CTX_get(run->ctx);
	run->s = BN_CTX_get(run->ctx);
	run->e = BN_CTX_get(run->ctx);
	run->w = BN_CTX_get(run->ctx);
	run->u1 = BN_CTX_get(run->ctx);
	run->u2 = BN_CTX_get(run->ctx); /* NULL if one of them is */
	if (run->u2 == NULL || run->a == NULL || run->b == NULL ||
	    !load(run, digest, raw))
		return GK_ERR_NOMEM;
	if (!in_range(run->r, run->n) || !in_range(run->s, run->n))
		return GK_ERR_AUTH;
	return multiply(run) ? compare(run) : GK_ERR_CRYPTO;
}

enum gk_err
gk_ecdsa_known_verify(const struct gk_ecdsa_known *known,
                      struct gk_slice digest, struct gk_slice sig)
{
	struct run run = { .curve = gk_ecdh_curve(GK_KEX_P256),
		           .table = atomic_load(&known->table) };
	struct gk_buf raw = { 0 };
	enum gk_err err;

	if (run.curve == NULL || run.table == NULL)
		return GK_ERR_UNEXPECTED;
	/* DER as strict as the provider's: it encodes anew and compares. */
	err = gk_sig_der_to_raw(sig, HALF, &raw);
	if (err != GK_OK)
		return err == GK_ERR_VALUE ? GK_ERR_AUTH : err;
	run.ctx = BN_CTX_new();
	run.a = EC_POINT_new(run.curve);
	run.b = EC_POINT_new(run.curve);
	if (run.ctx != NULL) {
		BN_CTX_start(run.ctx);
		err = verify(&run, digest, gk_buf_slice(&raw));
		BN_CTX_end(run.ctx);
	} else {
		err = GK_ERR_NOMEM;
	}
	EC_POINT_free(run.b);
	EC_POINT_free(run.a);
	BN_CTX_free(run.ctx);
	gk_buf_free(&raw);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}
