/* SPDX-License-Identifier: BSD-2-Clause */
/* Static Diffie-Hellman keys as PKCS #8 and SubjectPublicKeyInfo. */
#include <limits.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "common/crypto/gk_kex_math.h"
#include "common/crypto/gk_ossl.h"

static const struct {
	enum gk_kex group;
	const char *name; /* what the provider calls it */
} curves[] = {
	{ GK_KEX_P256, "prime256v1" },
	{ GK_KEX_P384, "secp384r1" },
	{ GK_KEX_P521, "secp521r1" },
};

static const char *
curve_name(enum gk_kex group)
{
	for (size_t i = 0; i < GK_COUNT(curves); i++)
		if (curves[i].group == group)
			return curves[i].name;
	return NULL;
}

/* ---- to the provider ---------------------------------------------------- */

/* What a key is made of; NULL where it does not apply. */
struct parts {
	BIGNUM *p, *g, *pub, *priv;
	uint8_t point[1 + GK_KEX_PUBLIC_MAX];
};

static void
parts_free(struct parts *a)
{
	BN_free(a->p);
	BN_free(a->g);
	BN_free(a->pub);
	BN_clear_free(a->priv);
}

static bool
push(OSSL_PARAM_BLD *bld, const struct gk_kex_key *key, bool private,
     struct parts *a)
{
	enum gk_kex group = gk_kex_group(key);
	struct gk_slice pub = gk_kex_public(key), priv = gk_kex_private(key);

	/* A private exponent in ordinary memory is what the caller has already;
	 * the builder would want the secure heap for a secure one. */
	a->priv = BN_bin2bn(priv.ptr, (int)priv.len, NULL);
	if (a->priv == NULL ||
	    (private && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY,
	                                       a->priv) != 1))
		return false;
	if (!gk_kex_is_modp(group)) {
		a->point[0] = POINT_CONVERSION_UNCOMPRESSED;
		memcpy(a->point + 1, pub.ptr, pub.len);
		return OSSL_PARAM_BLD_push_utf8_string(
			       bld, OSSL_PKEY_PARAM_GROUP_NAME,
			       curve_name(group), 0) == 1 &&
		       OSSL_PARAM_BLD_push_octet_string(
			       bld, OSSL_PKEY_PARAM_PUB_KEY, a->point,
			       1 + pub.len) == 1;
	}
	a->p = gk_modp_prime(group);
	a->g = BN_new();
	a->pub = BN_bin2bn(pub.ptr, (int)pub.len, NULL);
	return a->p != NULL && a->g != NULL && a->pub != NULL &&
	       BN_set_word(a->g, 2) == 1 &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_P, a->p) == 1 &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_G, a->g) == 1 &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PUB_KEY, a->pub) ==
	               1;
}

static EVP_PKEY *
build(const struct gk_kex_key *key, bool private)
{
	const char *type = gk_kex_is_modp(gk_kex_group(key)) ? "DH" : "EC";
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	struct parts a = { 0 };

	if (ctx != NULL && bld != NULL && push(bld, key, private, &a))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
		(void)EVP_PKEY_fromdata(ctx, &pkey,
		                        private ? EVP_PKEY_KEYPAIR
		                                : EVP_PKEY_PUBLIC_KEY,
		                        params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	parts_free(&a);
	return pkey;
}

static EVP_PKEY *
to_pkey(const struct gk_kex_key *key, bool private)
{
	struct gk_slice pub = gk_kex_public(key), priv = gk_kex_private(key);

	if (gk_kex_group(key) != GK_KEX_X25519)
		return build(key, private);
	if (private)
		return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
		                                    priv.ptr, priv.len);
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, pub.ptr,
	                                   pub.len);
}

static enum gk_err
write_pem(const struct gk_kex_key *key, bool private, struct gk_buf *pem)
{
	EVP_PKEY *pkey = to_pkey(key, private);
	BIO *bio = BIO_new(private ? BIO_s_secmem() : BIO_s_mem());
	enum gk_err err = GK_ERR_CRYPTO;
	char *text;
	long n;

	*pem = (struct gk_buf){ 0 };
	if (pkey != NULL && bio != NULL &&
	    (private ? PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0,
	                                             NULL, NULL)
	             : PEM_write_bio_PUBKEY(bio, pkey)) == 1) {
		n = BIO_get_mem_data(bio, &text);
		err = gk_buf_copy(
			pem, (struct gk_slice){ (uint8_t *)text, (size_t)n });
	}
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

enum gk_err
gk_kex_to_pem(const struct gk_kex_key *key, struct gk_buf *pem)
{
	return write_pem(key, true, pem);
}

enum gk_err
gk_kex_public_to_pem(const struct gk_kex_key *key, struct gk_buf *pem)
{
	return write_pem(key, false, pem);
}

/* ---- from the provider -------------------------------------------------- */

static enum gk_kex
curve_of(const EVP_PKEY *pkey)
{
	char name[80];

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME,
	                                   name, sizeof(name), NULL) != 1)
		return GK_KEX_NONE;
	for (size_t i = 0; i < GK_COUNT(curves); i++)
		if (strcmp(curves[i].name, name) == 0)
			return curves[i].group;
	return GK_KEX_NONE;
}

/* By its prime, with the generator 2. */
static enum gk_kex
modp_of(const EVP_PKEY *pkey)
{
	enum gk_kex found = GK_KEX_NONE;
	BIGNUM *p = NULL, *g = NULL;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_FFC_G, &g) == 1 &&
	    BN_is_word(g, 2))
		for (enum gk_kex i = GK_KEX_MODP768_LEGACY;
		     i <= GK_KEX_MODP8192; i++) {
			BIGNUM *known = gk_modp_prime(i);

			if (known != NULL && BN_cmp(known, p) == 0)
				found = i;
			BN_free(known);
		}
	BN_free(p);
	BN_free(g);
	return found;
}

static enum gk_kex
group_of(const EVP_PKEY *pkey)
{
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_X25519:
		return GK_KEX_X25519;
	case EVP_PKEY_EC:
		return curve_of(pkey);
	case EVP_PKEY_DH:
		return modp_of(pkey);
	default:
		return GK_KEX_NONE;
	}
}

static EVP_PKEY *
read_pem(struct gk_slice pem, bool private)
{
	BIO *bio = pem.len > INT_MAX ? NULL
	                             : BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *pkey;

	if (bio == NULL)
		return NULL;
	/* The empty passphrase keeps the provider from asking the terminal. */
	pkey = private ? PEM_read_bio_PrivateKey(bio, NULL, NULL,
	                                         (char[]){ "" })
	               : PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	return pkey;
}

static enum gk_err
private_of(const EVP_PKEY *pkey, enum gk_kex group, struct gk_buf *priv)
{
	size_t n = gk_kex_is_modp(group) ? gk_kex_public_len(group)
	                                 : gk_kex_secret_len(group);
	BIGNUM *x = NULL;
	enum gk_err err = GK_ERR_VALUE;

	GK_TRY(gk_buf_alloc(priv, n));
	if (group == GK_KEX_X25519)
		return EVP_PKEY_get_raw_private_key(pkey, priv->ptr, &n) == 1 &&
		                       n == priv->len
		               ? GK_OK
		               : GK_ERR_VALUE;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &x) == 1 &&
	    BN_bn2binpad(x, priv->ptr, (int)n) == (int)n)
		err = GK_OK;
	BN_clear_free(x);
	return err;
}

enum gk_err
gk_kex_from_pem(struct gk_slice pem, struct gk_kex_key **key)
{
	EVP_PKEY *pkey = read_pem(pem, true);
	enum gk_kex group = pkey != NULL ? group_of(pkey) : GK_KEX_NONE;
	struct gk_buf priv = { 0 };
	enum gk_err err = GK_ERR_VALUE;

	*key = NULL;
	if (group != GK_KEX_NONE)
		err = private_of(pkey, group, &priv);
	if (err == GK_OK)
		err = gk_kex_from_private(group, gk_buf_slice(&priv), key);
	gk_buf_free(&priv);
	EVP_PKEY_free(pkey);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

static enum gk_err
public_of(const EVP_PKEY *pkey, enum gk_kex group, struct gk_buf *value)
{
	uint8_t point[1 + GK_KEX_PUBLIC_MAX];
	size_t n = gk_kex_public_len(group);
	BIGNUM *y = NULL;
	enum gk_err err = GK_ERR_VALUE;

	GK_TRY(gk_buf_alloc(value, n));
	if (group == GK_KEX_X25519)
		return EVP_PKEY_get_raw_public_key(pkey, value->ptr, &n) == 1 &&
		                       n == value->len
		               ? GK_OK
		               : GK_ERR_VALUE;
	if (gk_kex_is_modp(group)) {
		if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, &y) ==
		            1 &&
		    BN_bn2binpad(y, value->ptr, (int)n) == (int)n)
			err = GK_OK;
		BN_free(y);
		return err;
	}
	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY,
	                                    point, sizeof(point), &n) != 1 ||
	    n != 1 + value->len || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return GK_ERR_VALUE;
	memcpy(value->ptr, point + 1, value->len);
	return GK_OK;
}

enum gk_err
gk_kex_public_from_pem(struct gk_slice pem, enum gk_kex *group,
                       struct gk_buf *value)
{
	EVP_PKEY *pkey = read_pem(pem, false);
	enum gk_err err = GK_ERR_VALUE;

	*value = (struct gk_buf){ 0 };
	*group = pkey != NULL ? group_of(pkey) : GK_KEX_NONE;
	if (*group != GK_KEX_NONE)
		err = public_of(pkey, *group, value);
	/* What the provider let pass has to pass here, too. */
	if (err == GK_OK)
		err = gk_kex_peer_check(*group, gk_buf_slice(value), 0);
	if (err != GK_OK)
		gk_buf_free(value);
	EVP_PKEY_free(pkey);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}
