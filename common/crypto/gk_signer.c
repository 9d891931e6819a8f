/* SPDX-License-Identifier: BSD-2-Clause */
/* The signer that keeps its key in this process. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "common/crypto/gk_sig_ctx.h"
#include "common/crypto/gk_sig_form.h"

struct local {
	EVP_PKEY *pkey;
	struct gk_sig_kept kept;
	struct gk_pubkey *pub;
};

static enum gk_err
sign_digest(struct local *local, struct gk_sig_alg alg, struct gk_slice data,
            struct gk_buf *out)
{
	enum gk_err err;
	struct gk_sig_ctx *ctx = gk_sig_ctx_take(&local->kept, local->pkey, alg,
	                                         GK_SIG_SIGN, &err);
	size_t n = out->len;

	if (ctx == NULL)
		return err;
	if (EVP_PKEY_sign(ctx->evp, out->ptr, &n, data.ptr, data.len) != 1)
		err = GK_ERR_VALUE; /* the data does not fit the key */
	out->len = n;
	gk_sig_ctx_leave(&local->kept, ctx, err == GK_OK);
	return err;
}

static enum gk_err
sign_ed25519(EVP_PKEY *pkey, struct gk_slice data, struct gk_buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = out->len;
	bool ok;

	if (ctx == NULL)
		return GK_ERR_NOMEM;
	ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
	     EVP_DigestSign(ctx, out->ptr, &n, data.ptr, data.len) == 1;
	out->len = n;
	EVP_MD_CTX_free(ctx);
	return ok ? GK_OK : GK_ERR_CRYPTO;
}

static enum gk_err
local_sign(void *ctx, struct gk_sig_alg alg, struct gk_slice data,
           struct gk_buf *out)
{
	struct local *local = ctx;
	size_t half = gk_sig_half_len(local->pub, alg.scheme);
	uint8_t digest[GK_HASH_MAX];
	struct gk_buf der;
	enum gk_err err;

	if (alg.scheme != GK_SIG_ED25519)
		GK_TRY(gk_sig_digest(alg, &data, digest));
	GK_TRY(gk_buf_alloc(out, (size_t)EVP_PKEY_get_size(local->pkey)));
	if (alg.scheme == GK_SIG_ED25519)
		err = sign_ed25519(local->pkey, data, out);
	else
		err = sign_digest(local, alg, data, out);
	if (err == GK_OK && half != 0 && alg.encoding == GK_SIG_RAW) {
		der = *out;
		err = gk_sig_der_to_raw(gk_buf_slice(&der), half, out);
		gk_buf_free(&der);
	}
	if (err == GK_OK)
		return GK_OK;
	gk_buf_free(out);
	return gk_ossl_fail(err);
}

static const struct gk_pubkey *
local_pubkey(void *ctx)
{
	return ((struct local *)ctx)->pub;
}

static void
local_free(void *ctx)
{
	struct local *local = ctx;

	gk_pubkey_free(local->pub);
	gk_sig_kept_free(&local->kept);
	EVP_PKEY_free(local->pkey); /* clears the private numbers */
	free(local);
}

static const struct gk_signer_ops local_ops = {
	.sign = local_sign,
	.pubkey = local_pubkey,
	.free = local_free,
};

void
gk_signer_free(struct gk_signer *signer)
{
	if (signer == NULL)
		return;
	signer->ops->free(signer->ctx);
	free(signer);
}

/* Without a passphrase the provider would ask at the terminal. */
static int
give_passphrase(char *buf, int cap, int rwflag, void *ctx)
{
	const char *passphrase = ctx;
	size_t n;

	(void)rwflag;
	if (passphrase == NULL)
		return -1;
	n = strlen(passphrase);
	if (n > (size_t)cap)
		return -1;
	memcpy(buf, passphrase, n);
	return (int)n;
}

static EVP_PKEY *
read_key(struct gk_slice in, const char *passphrase)
{
	const uint8_t *p = in.ptr;
	EVP_PKEY *pkey;
	BIO *bio;

	bio = BIO_new_mem_buf(in.ptr, (int)in.len);
	if (bio == NULL)
		return NULL;
	pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase,
	                               (void *)(uintptr_t)passphrase);
	BIO_free(bio);
	if (pkey == NULL && in.len > 0 && in.ptr[0] == 0x30) {
		pkey = d2i_AutoPrivateKey(NULL, &p, (long)in.len);
		if (pkey != NULL && p != in.ptr + in.len) {
			EVP_PKEY_free(pkey);
			pkey = NULL;
		}
	}
	(void)gk_ossl_fail(GK_OK);
	return pkey;
}

enum gk_err
gk_signer_from_pem(struct gk_slice pem, const char *passphrase,
                   struct gk_signer **out)
{
	struct gk_signer *signer;
	struct local *local;
	EVP_PKEY *pkey;
	enum gk_err err;

	*out = NULL;
	if (pem.len == 0 || pem.len > GK_CERT_MAX_LEN)
		return GK_ERR_VALUE;
	pkey = read_key(pem, passphrase);
	if (pkey == NULL)
		return memmem(pem.ptr, pem.len, "ENCRYPTED", 9) != NULL
		               ? GK_ERR_AUTH
		               : GK_ERR_VALUE;
	signer = calloc(1, sizeof(*signer));
	local = calloc(1, sizeof(*local));
	err = signer == NULL || local == NULL
	              ? GK_ERR_NOMEM
	              : gk_pubkey_from_pkey(pkey, &local->pub);
	if (err != GK_OK) {
		EVP_PKEY_free(pkey);
		free(local);
		free(signer);
		return err;
	}
	local->pkey = pkey;
	*signer = (struct gk_signer){ &local_ops, local };
	*out = signer;
	return GK_OK;
}
