/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_keywrap.h"

#include <limits.h>

#include "common/crypto/gk_ossl.h"

static const EVP_CIPHER *
wrap_cipher(size_t kek_len)
{
	switch (kek_len) {
	case 16:
		return EVP_aes_128_wrap();
	case 24:
		return EVP_aes_192_wrap();
	case 32:
		return EVP_aes_256_wrap();
	default:
		return NULL;
	}
}

/* run - one wrap or unwrap into @out, which has room for the longer of both. */
static enum gk_err
run(struct gk_slice kek, struct gk_slice in, bool wrap, struct gk_buf *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok;

	if (ctx == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ok = EVP_CipherInit_ex2(ctx, wrap_cipher(kek.len), kek.ptr, NULL, wrap,
	                        NULL) == 1;
	if (!ok) {
		EVP_CIPHER_CTX_free(ctx);
		return gk_ossl_fail(GK_ERR_CRYPTO);
	}
	ok = EVP_CipherUpdate(ctx, out->ptr, &n, in.ptr, (int)in.len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok || n < 0 || (size_t)n > out->len)
		return gk_ossl_fail(wrap ? GK_ERR_CRYPTO : GK_ERR_AUTH);
	gk_wipe(out->ptr + n, out->len - (size_t)n);
	out->len = (size_t)n;
	return GK_OK;
}

static enum gk_err
start(struct gk_slice kek, struct gk_slice in, size_t min, bool wrap,
      struct gk_buf *out)
{
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (wrap_cipher(kek.len) == NULL || in.len < min || in.len % 8 != 0 ||
	    in.len > INT_MAX / 2)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(out, in.len + GK_KEYWRAP_OVERHEAD));
	err = run(kek, in, wrap, out);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

enum gk_err
gk_keywrap(struct gk_slice kek, struct gk_slice key, struct gk_buf *out)
{
	return start(kek, key, 16, true, out);
}

enum gk_err
gk_keyunwrap(struct gk_slice kek, struct gk_slice wrapped, struct gk_buf *key)
{
	return start(kek, wrapped, 24, false, key);
}
