/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_cipher.h"

#include <limits.h>
#include <string.h>

#include "common/crypto/gk_ossl.h"

static const struct {
	const char *text;
	uint8_t key, block, iv, tag;
} ciphers[] = { [GK_CIPHER_NONE] = { "no cipher", 0, 0, 0, 0 },
#define X(name, text, key, block, iv, tag) \
	[GK_CIPHER_##name] = { text, key, block, iv, tag },
	        GK_CIPHER_LIST(X)
#undef X
};

static bool
known(enum gk_cipher alg)
{
	return alg > GK_CIPHER_NONE && (size_t)alg < GK_COUNT(ciphers);
}

const char *
gk_cipher_name(enum gk_cipher alg)
{
	return known(alg) ? ciphers[alg].text : ciphers[GK_CIPHER_NONE].text;
}

size_t
gk_cipher_key_len(enum gk_cipher alg)
{
	return known(alg) ? ciphers[alg].key : 0;
}

size_t
gk_cipher_block_len(enum gk_cipher alg)
{
	return known(alg) ? ciphers[alg].block : 0;
}

size_t
gk_cipher_iv_len(enum gk_cipher alg)
{
	return known(alg) ? ciphers[alg].iv : 0;
}

size_t
gk_cipher_tag_len(enum gk_cipher alg)
{
	return known(alg) ? ciphers[alg].tag : 0;
}

enum gk_cipher
gk_cipher_aes_cbc(unsigned bits)
{
	switch (bits) {
	case 128:
		return GK_CIPHER_AES_CBC_128;
	case 192:
		return GK_CIPHER_AES_CBC_192;
	case 256:
		return GK_CIPHER_AES_CBC_256;
	default:
		return GK_CIPHER_NONE;
	}
}

bool
gk_cipher_is_cbc(enum gk_cipher alg)
{
	return gk_cipher_block_len(alg) > 1;
}

bool
gk_cipher_is_legacy(enum gk_cipher alg)
{
	return alg == GK_CIPHER_TRIPLE_DES_CBC_LEGACY ||
	       alg == GK_CIPHER_DES_CBC_LEGACY;
}

static const EVP_CIPHER *
evp_cipher(enum gk_cipher alg)
{
	switch (alg) {
	case GK_CIPHER_NONE:
		return NULL;
	case GK_CIPHER_AES_CBC_128:
		return gk_ossl_fetch_cipher(alg, "AES-128-CBC");
	case GK_CIPHER_AES_CBC_192:
		return gk_ossl_fetch_cipher(alg, "AES-192-CBC");
	case GK_CIPHER_AES_CBC_256:
		return gk_ossl_fetch_cipher(alg, "AES-256-CBC");
	case GK_CIPHER_TRIPLE_DES_CBC_LEGACY:
		return gk_ossl_fetch_cipher(alg, "DES-EDE3-CBC");
	case GK_CIPHER_DES_CBC_LEGACY:
		return gk_legacy_cipher("DES-CBC");
	case GK_CIPHER_AES_CTR_128:
		return gk_ossl_fetch_cipher(alg, "AES-128-CTR");
	case GK_CIPHER_AES_CTR_192:
		return gk_ossl_fetch_cipher(alg, "AES-192-CTR");
	case GK_CIPHER_AES_CTR_256:
		return gk_ossl_fetch_cipher(alg, "AES-256-CTR");
	case GK_CIPHER_AES_GCM_128:
		return gk_ossl_fetch_cipher(alg, "AES-128-GCM");
	case GK_CIPHER_AES_GCM_192:
		return gk_ossl_fetch_cipher(alg, "AES-192-GCM");
	case GK_CIPHER_AES_GCM_256:
		return gk_ossl_fetch_cipher(alg, "AES-256-GCM");
	}
	return NULL;
}

/* One run of a cipher, either way; @tag is read or written for GCM. */
struct run {
	const EVP_CIPHER *evp;
	struct gk_slice key, iv, aad, in;
	uint8_t *out; /* as many octets as @in */
	uint8_t *tag;
	int tag_len;
	bool encrypt;
	bool padded; /* the provider would pad, if it were let */
};

static enum gk_err
run_with(EVP_CIPHER_CTX *ctx, const struct run *r)
{
	int n = 0;

	if (EVP_CipherInit_ex2(ctx, r->evp, r->key.ptr, r->iv.ptr, r->encrypt,
	                       NULL) != 1 ||
	    (r->padded && EVP_CIPHER_CTX_set_padding(ctx, 0) != 1))
		return gk_ossl_fail(GK_ERR_CRYPTO);
	if (r->tag_len != 0 && !r->encrypt &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, r->tag_len,
	                        r->tag) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	if (r->aad.len != 0 &&
	    EVP_CipherUpdate(ctx, NULL, &n, r->aad.ptr, (int)r->aad.len) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	n = 0;
	if (r->in.len != 0 &&
	    EVP_CipherUpdate(ctx, r->out, &n, r->in.ptr, (int)r->in.len) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	/* Nothing is left to write here in any of the modes. */
	if (EVP_CipherFinal_ex(ctx, r->out == NULL ? NULL : r->out + n, &n) !=
	    1)
		return gk_ossl_fail(r->tag_len != 0 && !r->encrypt
		                            ? GK_ERR_AUTH
		                            : GK_ERR_CRYPTO);
	if (r->tag_len != 0 && r->encrypt &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, r->tag_len,
	                        r->tag) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	return GK_OK;
}

static enum gk_err
run(const struct run *r)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	enum gk_err err;

	if (ctx == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	err = run_with(ctx, r);
	EVP_CIPHER_CTX_free(ctx); /* wipes the key schedule */
	return err;
}

static enum gk_err
check_lengths(enum gk_cipher alg, const struct run *r)
{
	if (!known(alg) || r->key.len != ciphers[alg].key ||
	    r->iv.len != ciphers[alg].iv)
		return GK_ERR_VALUE;
	if (r->aad.len != 0 && ciphers[alg].tag == 0)
		return GK_ERR_VALUE;
	if (r->in.len % ciphers[alg].block != 0)
		return GK_ERR_VALUE;
	if (r->in.len > INT_MAX - 64 || r->aad.len > INT_MAX)
		return GK_ERR_VALUE;
	return r->evp == NULL ? GK_ERR_CRYPTO : GK_OK;
}

enum gk_err
gk_sealer_encrypt(struct gk_sealer *sealer, enum gk_cipher alg,
                  struct gk_slice key, struct gk_slice iv, struct gk_slice aad,
                  struct gk_slice plain, uint8_t *out)
{
	struct run r = { .evp = evp_cipher(alg),
		         .key = key,
		         .iv = iv,
		         .aad = aad,
		         .in = plain,
		         .out = out,
		         .tag = out + plain.len,
		         .tag_len = (int)gk_cipher_tag_len(alg),
		         .encrypt = true,
		         .padded = gk_cipher_is_cbc(alg) };
	enum gk_err err;

	GK_TRY(check_lengths(alg, &r));
	if (sealer->ctx == NULL)
		sealer->ctx = EVP_CIPHER_CTX_new();
	if (sealer->ctx == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	if (sealer->alg == alg) { /* only another key and IV */
		r.evp = NULL;
		r.padded = false;
	}
	err = run_with(sealer->ctx, &r);
	if (err == GK_OK)
		sealer->alg = alg;
	else
		gk_sealer_end(sealer);
	return err;
}

void
gk_sealer_end(struct gk_sealer *sealer)
{
	EVP_CIPHER_CTX_free(sealer->ctx); /* wipes the key schedule */
	*sealer = (struct gk_sealer){ 0 };
}

enum gk_err
gk_cipher_encrypt(enum gk_cipher alg, struct gk_slice key, struct gk_slice iv,
                  struct gk_slice aad, struct gk_slice plain,
                  struct gk_buf *out)
{
	size_t tag_len = gk_cipher_tag_len(alg);
	struct run r = { .evp = evp_cipher(alg),
		         .key = key,
		         .iv = iv,
		         .aad = aad,
		         .in = plain,
		         .tag_len = (int)tag_len,
		         .encrypt = true,
		         .padded = gk_cipher_is_cbc(alg) };
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	GK_TRY(check_lengths(alg, &r));
	GK_TRY(gk_buf_alloc(out, plain.len + tag_len));
	r.out = out->ptr;
	if (tag_len != 0)
		r.tag = out->ptr + plain.len;
	err = run(&r);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gk_cipher_decrypt(enum gk_cipher alg, struct gk_slice key, struct gk_slice iv,
                  struct gk_slice aad, struct gk_slice sealed,
                  struct gk_buf *out)
{
	size_t tag_len = gk_cipher_tag_len(alg);
	uint8_t tag[16];
	struct run r = { .evp = evp_cipher(alg),
		         .key = key,
		         .iv = iv,
		         .aad = aad,
		         .in = sealed,
		         .tag = tag,
		         .tag_len = (int)tag_len,
		         .padded = gk_cipher_is_cbc(alg) };
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (sealed.len < tag_len)
		return GK_ERR_VALUE;
	r.in.len -= tag_len;
	GK_TRY(check_lengths(alg, &r));
	if (tag_len != 0)
		memcpy(tag, sealed.ptr + r.in.len, tag_len);
	GK_TRY(gk_buf_alloc(out, r.in.len));
	r.out = out->ptr;
	err = run(&r);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gk_cipher_in_place(enum gk_cipher alg, struct gk_slice key, struct gk_slice iv,
                   bool encrypt, uint8_t *octets, size_t len)
{
	struct run r = { .evp = evp_cipher(alg),
		         .key = key,
		         .iv = iv,
		         .in = { octets, len },
		         .out = octets,
		         .encrypt = encrypt,
		         .padded = gk_cipher_is_cbc(alg) };

	GK_TRY(check_lengths(alg, &r));
	return gk_cipher_tag_len(alg) != 0 ? GK_ERR_VALUE : run(&r);
}

void
gk_ctr_block(const uint8_t nonce[4], const uint8_t iv[8], uint8_t out[16])
{
	static const uint8_t one[4] = { 0, 0, 0, 1 };

	memcpy(out, nonce, 4);
	memcpy(out + 4, iv, 8);
	memcpy(out + 12, one, 4);
}
