/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_sig_form.h"

#include <string.h>

#include <openssl/rsa.h>

#include "common/crypto/gk_der.h"
#include "common/crypto/gk_kex_math.h"

size_t
gk_sig_half_len(const struct gk_pubkey *pub, enum gk_sig_scheme scheme)
{
	BIGNUM *q = NULL;
	size_t n = 0;

	switch (scheme) {
	case GK_SIG_ECDSA_P256:
		return 32;
	case GK_SIG_ECDSA_P384:
		return 48;
	case GK_SIG_ECDSA_P521:
		return 66;
	case GK_SIG_DSA_LEGACY:
		if (EVP_PKEY_get_bn_param(gk_pubkey_pkey(pub), "q", &q) == 1)
			n = (size_t)BN_num_bytes(q);
		BN_free(q);
		return n;
	default:
		return 0;
	}
}

enum gk_err
gk_sig_raw_to_der(struct gk_slice in, size_t half, struct gk_buf *out)
{
	struct gk_der_wr wr = { 0 };

	*out = (struct gk_buf){ 0 };
	if (half == 0 || in.len != 2 * half)
		return GK_ERR_VALUE;
	gk_der_wr_unsigned(&wr, (struct gk_slice){ in.ptr + half, half });
	gk_der_wr_unsigned(&wr, (struct gk_slice){ in.ptr, half });
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	return gk_der_wr_done(&wr, out);
}

/* put_half - a positive INTEGER, padded on the left to @half octets. */
static enum gk_err
put_half(struct gk_slice v, size_t half, uint8_t *out)
{
	if (!gk_der_integer_ok(v) || (v.ptr[0] & 0x80) != 0)
		return GK_ERR_VALUE;
	if (v.ptr[0] == 0) {
		v.ptr++;
		v.len--;
	}
	if (v.len > half)
		return GK_ERR_VALUE;
	memset(out, 0, half - v.len);
	memcpy(out + half - v.len, v.ptr, v.len);
	return GK_OK;
}

enum gk_err
gk_sig_der_to_raw(struct gk_slice in, size_t half, struct gk_buf *out)
{
	struct gk_slice r, s;
	struct gk_rd rd, pair;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	gk_rd_init(&rd, in.ptr, in.len);
	pair = gk_der_enter(&rd, GK_DER_SEQUENCE, "Dss-Sig-Value");
	r = gk_der_get(&pair, GK_DER_INTEGER, "r");
	s = gk_der_get(&pair, GK_DER_INTEGER, "s");
	gk_der_leave(&rd, &pair);
	if (half == 0 || gk_rd_done(&rd) != GK_OK)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(out, 2 * half));
	err = put_half(r, half, out->ptr);
	if (err == GK_OK)
		err = put_half(s, half, out->ptr + half);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gk_sig_set_padding(EVP_PKEY_CTX *ctx, struct gk_sig_alg alg)
{
	bool rsa =
		alg.scheme == GK_SIG_RSA_PKCS1 || alg.scheme == GK_SIG_RSA_PSS;

	/* PKCS#1 names the digest in what is signed; PSS makes more with it. */
	if (rsa && alg.hash != GK_HASH_NONE &&
	    EVP_PKEY_CTX_set_signature_md(ctx, gk_ossl_md(alg.hash)) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	if (alg.scheme == GK_SIG_RSA_PKCS1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	/* MGF1 with the digest of the message, salt as long as the digest. */
	if (alg.scheme == GK_SIG_RSA_PSS &&
	    (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) !=
	             1))
		return gk_ossl_fail(GK_ERR_CRYPTO);
	return GK_OK;
}

enum gk_err
gk_sig_digest(struct gk_sig_alg alg, struct gk_slice *data,
              uint8_t room[GK_HASH_MAX])
{
	if (alg.hash == GK_HASH_NONE)
		return GK_OK;
	GK_TRY(gk_hash(alg.hash, data, 1, room));
	*data = (struct gk_slice){ room, gk_hash_size(alg.hash) };
	return GK_OK;
}

static enum gk_kex
curve_of(enum gk_sig_scheme scheme)
{
	switch (scheme) {
	case GK_SIG_ECDSA_P256:
		return GK_KEX_P256;
	case GK_SIG_ECDSA_P384:
		return GK_KEX_P384;
	default:
		return GK_KEX_P521;
	}
}

/* mirror - order - s, where r|s is.  To ask the key for its order takes as long as
 * a tenth of a signature. */
static bool
mirror(enum gk_sig_scheme scheme, uint8_t *raw, size_t half)
{
	const BIGNUM *order = gk_ecdh_order(curve_of(scheme));
	BIGNUM *s = BN_bin2bn(raw + half, (int)half, NULL);
	bool ok;

	ok = s != NULL && order != NULL && BN_sub(s, order, s) == 1 &&
	     !BN_is_negative(s) && !BN_is_zero(s) &&
	     BN_bn2binpad(s, raw + half, (int)half) == (int)half;
	BN_free(s);
	return ok;
}

enum gk_err
gk_sig_mirror(const struct gk_pubkey *pub, struct gk_sig_alg alg,
              struct gk_buf *sig)
{
	size_t half = gk_sig_half_len(pub, alg.scheme);
	struct gk_buf raw, der = { 0 };
	enum gk_err err;

	/* Not DSA: there, it is not the same number that is negated. */
	if (half == 0 || alg.encoding != GK_SIG_DER ||
	    alg.scheme == GK_SIG_DSA_LEGACY)
		return GK_ERR_VALUE;
	GK_TRY(gk_sig_der_to_raw(gk_buf_slice(sig), half, &raw));
	err = mirror(alg.scheme, raw.ptr, half)
	              ? gk_sig_raw_to_der(gk_buf_slice(&raw), half, &der)
	              : gk_ossl_fail(GK_ERR_CRYPTO);
	gk_buf_free(&raw);
	GK_TRY(err);
	gk_buf_free(sig);
	*sig = der;
	return GK_OK;
}
