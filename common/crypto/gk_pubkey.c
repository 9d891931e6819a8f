/* SPDX-License-Identifier: BSD-2-Clause */
/* Public keys, and verifying with them. */
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_ec_key.h"
#include "common/crypto/gk_rsa_key.h"
#include "common/crypto/gk_sig_ctx.h"
#include "common/crypto/gk_sig_form.h"

struct gk_pubkey {
	atomic_uint refs;
	EVP_PKEY *pkey;
	struct gk_sig_kept kept;
	enum gk_key_kind kind;
	unsigned bits;
	struct gk_buf spki;
};

static enum gk_key_kind
kind_of(const EVP_PKEY *pkey)
{
	static const struct {
		const char *name;
		enum gk_key_kind kind;
	} curve[] = {
		{ "prime256v1", GK_KEY_P256 }, { "P-256", GK_KEY_P256 },
		{ "secp384r1", GK_KEY_P384 },  { "P-384", GK_KEY_P384 },
		{ "secp521r1", GK_KEY_P521 },  { "P-521", GK_KEY_P521 },
	};
	char name[64];

	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
		return GK_KEY_RSA;
	case EVP_PKEY_DSA:
		return GK_KEY_DSA_LEGACY;
	case EVP_PKEY_ED25519:
		return GK_KEY_ED25519;
	case EVP_PKEY_EC:
		if (gk_ec_key_is(pkey))
			return gk_ec_key_kind(pkey);
		if (EVP_PKEY_get_group_name(pkey, name, sizeof(name), NULL) !=
		    1)
			return GK_KEY_OTHER;
		for (size_t i = 0; i < GK_COUNT(curve); i++)
			if (strcmp(name, curve[i].name) == 0)
				return curve[i].kind;
		return GK_KEY_OTHER;
	default:
		return GK_KEY_OTHER;
	}
}

static enum gk_err
make_pubkey(EVP_PKEY *pkey, struct gk_slice spki, struct gk_pubkey **out)
{
	struct gk_pubkey *pub = calloc(1, sizeof(*pub));
	enum gk_err err = GK_ERR_NOMEM;

	*out = NULL;
	if (pub != NULL)
		err = gk_buf_copy(&pub->spki, spki);
	if (err != GK_OK) {
		free(pub);
		return err;
	}
	EVP_PKEY_up_ref(pkey);
	pub->pkey = pkey;
	atomic_init(&pub->refs, 1);
	pub->kind = kind_of(pkey);
	pub->bits = (unsigned)EVP_PKEY_get_bits(pkey);
	(void)gk_ossl_fail(GK_OK); /* an unnamed curve leaves an error behind */
	*out = pub;
	return GK_OK;
}

/* make_encoded - with @n octets of SubjectPublicKeyInfo at @der, which is freed. */
static enum gk_err
make_encoded(EVP_PKEY *pkey, uint8_t *der, int n, struct gk_pubkey **out)
{
	enum gk_err err;

	*out = NULL;
	if (n <= 0)
		err = gk_ossl_fail(GK_ERR_VALUE);
	else
		err = make_pubkey(pkey, (struct gk_slice){ der, (size_t)n },
		                  out);
	OPENSSL_free(der);
	return err;
}

enum gk_err
gk_pubkey_from_pkey(EVP_PKEY *pkey, struct gk_pubkey **out)
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(pkey, &der);

	return make_encoded(pkey, der, n, out);
}

enum gk_err
gk_pubkey_from_x509(X509 *x509, struct gk_pubkey **out)
{
	EVP_PKEY *pkey = X509_get0_pubkey(x509);
	uint8_t *der = NULL, spki[GK_EC_SPKI_MAX];
	size_t len;
	int n;

	*out = NULL;
	if (pkey == NULL)
		return gk_ossl_fail(GK_ERR_VALUE);
	len = gk_ec_key_spki(x509, spki);
	if (len != 0)
		return make_pubkey(pkey, (struct gk_slice){ spki, len }, out);
	/* As it came: to encode the key anew takes longer than to verify with
	 * it. */
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
	return make_encoded(pkey, der, n, out);
}

enum gk_err
gk_pubkey_from_spki(struct gk_slice spki, struct gk_pubkey **out)
{
	EVP_PKEY *pkey = NULL;
	bool as_written = false;
	enum gk_err err;

	*out = NULL;
	if (spki.len > 0 && spki.len <= GK_CERT_MAX_LEN)
		pkey = gk_ossl_spki(spki, &as_written);
	if (pkey == NULL)
		return gk_ossl_fail(GK_ERR_VALUE);
	/* To encode it anew takes as long as to verify with it. */
	err = as_written ? make_pubkey(pkey, spki, out)
	                 : gk_pubkey_from_pkey(pkey, out);
	EVP_PKEY_free(pkey);
	return err;
}

struct gk_pubkey *
gk_pubkey_ref(const struct gk_pubkey *pub)
{
	/* The count is the one thing in it that changes. */
	struct gk_pubkey *counted = (struct gk_pubkey *)(uintptr_t)pub;

	atomic_fetch_add(&counted->refs, 1);
	return counted;
}

void
gk_pubkey_free(struct gk_pubkey *pub)
{
	if (pub == NULL || atomic_fetch_sub(&pub->refs, 1) != 1)
		return;
	gk_sig_kept_free(&pub->kept);
	EVP_PKEY_free(pub->pkey);
	gk_buf_free(&pub->spki);
	free(pub);
}

EVP_PKEY *
gk_pubkey_pkey(const struct gk_pubkey *pub)
{
	return pub->pkey;
}

enum gk_key_kind
gk_pubkey_kind(const struct gk_pubkey *pub)
{
	return pub->kind;
}

unsigned
gk_pubkey_bits(const struct gk_pubkey *pub)
{
	return pub->bits;
}

struct gk_slice
gk_pubkey_spki(const struct gk_pubkey *pub)
{
	return gk_buf_slice(&pub->spki);
}

static enum gk_key_kind
kind_for(enum gk_sig_scheme scheme)
{
	switch (scheme) {
	case GK_SIG_NONE:
		return GK_KEY_OTHER;
	case GK_SIG_DSA_LEGACY:
		return GK_KEY_DSA_LEGACY;
	case GK_SIG_RSA_PKCS1:
	case GK_SIG_RSA_PSS:
		return GK_KEY_RSA;
	case GK_SIG_ECDSA_P256:
		return GK_KEY_P256;
	case GK_SIG_ECDSA_P384:
		return GK_KEY_P384;
	case GK_SIG_ECDSA_P521:
		return GK_KEY_P521;
	case GK_SIG_ED25519:
		return GK_KEY_ED25519;
	}
	return GK_KEY_OTHER;
}

bool
gk_pubkey_suits(const struct gk_pubkey *pub, struct gk_sig_alg alg)
{
	enum gk_key_kind kind = kind_for(alg.scheme);

	if (alg.scheme == GK_SIG_RSA_PSS && alg.hash == GK_HASH_NONE)
		return false; /* PSS is defined over a digest */
	return kind != GK_KEY_OTHER && kind == pub->kind;
}

struct gk_sig_alg
gk_pubkey_default_alg(const struct gk_pubkey *pub)
{
	switch (pub->kind) {
	case GK_KEY_OTHER:
		break;
	case GK_KEY_RSA:
		return GK_SIG_RSA_SHA256;
	case GK_KEY_DSA_LEGACY:
		return GK_SIG_DSA_SHA1_LEGACY;
	case GK_KEY_P256:
		return GK_SIG_P256_SHA256;
	case GK_KEY_P384:
		return GK_SIG_P384_SHA384;
	case GK_KEY_P521:
		return GK_SIG_P521_SHA512;
	case GK_KEY_ED25519:
		return GK_SIG_EDDSA;
	}
	return GK_SIG_ALG(NONE, NONE, DER);
}

enum gk_err
gk_pubkey_min_bits(const struct gk_pubkey *pub, unsigned rsa, unsigned dsa)
{
	if (pub->kind == GK_KEY_RSA && pub->bits < rsa)
		return GK_ERR_POLICY;
	if (pub->kind == GK_KEY_DSA_LEGACY && pub->bits < dsa)
		return GK_ERR_POLICY;
	return GK_OK;
}

/* der_pair_len - SEQUENCE { r, s } with both of @n contents octets. */
static size_t
der_pair_len(size_t n)
{
	size_t inside = 2 * (n + (n < 0x80 ? 2 : 3));

	return inside + (inside < 0x80 ? 2 : 3);
}

size_t
gk_sig_max_len(const struct gk_pubkey *pub, struct gk_sig_alg alg)
{
	size_t half = gk_sig_half_len(pub, alg.scheme);

	if (!gk_pubkey_suits(pub, alg))
		return 0;
	if (half == 0)
		return (size_t)EVP_PKEY_get_size(pub->pkey);
	if (alg.encoding == GK_SIG_RAW)
		return 2 * half;
	/* The order of P-521 fills one bit of its first octet. */
	return der_pair_len(pub->kind == GK_KEY_P521 ? half : half + 1);
}

/* r and s are evenly spread below q.  Where q is less than one and a half times
 * a power of two, few of them reach that power and need a leading zero octet. */
static bool
dsa_halves_are_short(const struct gk_pubkey *pub)
{
	BIGNUM *q = NULL;
	bool low = false;

	if (EVP_PKEY_get_bn_param(pub->pkey, "q", &q) == 1)
		low = BN_is_bit_set(q, BN_num_bits(q) - 2) == 0;
	BN_free(q);
	return low;
}

size_t
gk_sig_likely_len(const struct gk_pubkey *pub, struct gk_sig_alg alg)
{
	size_t max = gk_sig_max_len(pub, alg);

	if (max == 0 || alg.encoding == GK_SIG_RAW ||
	    gk_sig_half_len(pub, alg.scheme) == 0)
		return max;
	/* r and s each have their top bit set half of the time: one leading
	 * zero octet out of two.  For P-521 full length wins, nine to six. */
	if (alg.scheme == GK_SIG_DSA_LEGACY && dsa_halves_are_short(pub))
		return max - 2;
	return pub->kind == GK_KEY_P521 ? max : max - 1;
}

/* verify_digest - @data is the digest, or the contents of an RSA block. */
static enum gk_err
verify_digest(const struct gk_pubkey *pub, struct gk_sig_alg alg,
              struct gk_slice data, struct gk_slice sig)
{
	/* What is kept with it is all that changes. */
	struct gk_sig_kept *kept = &((struct gk_pubkey *)(uintptr_t)pub)->kept;
	struct gk_sig_ctx *ctx;
	enum gk_err err;

	/* RFC 8017 sections 8.1.2 and 8.2.2, step 1, which the library leaves
	 * out where the first octets are zero. */
	if (pub->kind == GK_KEY_RSA &&
	    sig.len != (size_t)EVP_PKEY_get_size(pub->pkey))
		return GK_ERR_AUTH;
	if (gk_ec_key_is(pub->pkey))
		return gk_ec_key_verify(pub->pkey, data, sig)
		               ? GK_OK
		               : gk_ossl_fail(GK_ERR_AUTH);
	if (gk_rsa_key_knows(alg) && gk_rsa_key_is(pub->pkey))
		return gk_rsa_key_verify(pub->pkey, alg, data, sig)
		               ? GK_OK
		               : gk_ossl_fail(GK_ERR_AUTH);
	ctx = gk_sig_ctx_take(kept, pub->pkey, alg, GK_SIG_VERIFY, &err);
	if (ctx == NULL)
		return err;
	if (EVP_PKEY_verify(ctx->evp, sig.ptr, sig.len, data.ptr, data.len) !=
	    1)
		err = GK_ERR_AUTH;
	gk_sig_ctx_leave(kept, ctx, err == GK_OK);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

static enum gk_err
verify_ed25519(const struct gk_pubkey *pub, struct gk_slice data,
               struct gk_slice sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	enum gk_err err = GK_ERR_CRYPTO;

	if (ctx == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, gk_ossl_home(pub->pkey),
	                            NULL, pub->pkey, NULL) == 1)
		err = EVP_DigestVerify(ctx, sig.ptr, sig.len, data.ptr,
		                       data.len) == 1
		              ? GK_OK
		              : GK_ERR_AUTH;
	EVP_MD_CTX_free(ctx);
	return err == GK_OK ? GK_OK : gk_ossl_fail(err);
}

enum gk_err
gk_verify(const struct gk_pubkey *pub, struct gk_sig_alg alg,
          struct gk_slice data, struct gk_slice sig)
{
	size_t half = gk_sig_half_len(pub, alg.scheme);
	uint8_t digest[GK_HASH_MAX];
	struct gk_buf der = { 0 };
	enum gk_err err;

	if (!gk_pubkey_suits(pub, alg))
		return GK_ERR_VALUE;
	if (sig.len == 0 || sig.len > INT_MAX)
		return GK_ERR_AUTH;
	if (half != 0 && alg.encoding == GK_SIG_RAW) {
		err = gk_sig_raw_to_der(sig, half, &der);
		if (err != GK_OK)
			return err == GK_ERR_VALUE ? GK_ERR_AUTH : err;
		sig = gk_buf_slice(&der);
	}
	gk_ossl_count();
	if (alg.scheme == GK_SIG_ED25519)
		return verify_ed25519(pub, data, sig);
	err = gk_sig_digest(alg, &data, digest);
	if (err == GK_OK)
		err = verify_digest(pub, alg, data, sig);
	gk_buf_free(&der);
	return err;
}
