/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/protect.h"

#include <string.h>

static struct gk_slice
iv_slice(const struct isakmp_cbc *cbc)
{
	return (struct gk_slice){ cbc->iv, gk_cipher_iv_len(cbc->cipher) };
}

/* Octets of padding, its count included where switch pad wants one. */
static size_t
padding_len(const struct isakmp_cbc *cbc, const struct gdoi_dialect *dialect,
            size_t len)
{
	size_t block = gk_cipher_block_len(cbc->cipher);

	if (dialect->pad == GDOI_PAD_ZERO_LEN)
		return block - len % block;
	return (block - len % block) % block;
}

static enum gk_err
pad(const struct isakmp_cbc *cbc, const struct gdoi_dialect *dialect,
    struct gk_slice payloads, struct gk_buf *out)
{
	size_t n = padding_len(cbc, dialect, payloads.len);

	GK_TRY(gk_buf_alloc(out, payloads.len + n));
	memcpy(out->ptr, payloads.ptr, payloads.len);
	memset(out->ptr + payloads.len, 0, n);
	if (dialect->pad == GDOI_PAD_ZERO_LEN)
		out->ptr[out->len - 1] = (uint8_t)(n - 1);
	return GK_OK;
}

enum gk_err
isakmp_seal(struct isakmp_cbc *cbc, const struct gdoi_dialect *dialect,
            struct gk_slice clear, struct gk_buf *out)
{
	const struct gk_slice nothing = { 0 };
	const struct gk_slice payloads = { clear.ptr + ISAKMP_HEADER_LEN,
		                           clear.len - ISAKMP_HEADER_LEN };
	struct gk_buf padded = { 0 }, sealed = { 0 };
	size_t iv_len = gk_cipher_iv_len(cbc->cipher);
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	err = pad(cbc, dialect, payloads, &padded);
	if (err == GK_OK)
		err = gk_cipher_encrypt(cbc->cipher, cbc->key, iv_slice(cbc),
		                        nothing, gk_buf_slice(&padded),
		                        &sealed);
	gk_buf_free(&padded);
	if (err == GK_OK)
		err = gk_buf_alloc(out, ISAKMP_HEADER_LEN + sealed.len);
	if (err == GK_OK) {
		memcpy(out->ptr, clear.ptr, ISAKMP_HEADER_LEN);
		memcpy(out->ptr + ISAKMP_HEADER_LEN, sealed.ptr, sealed.len);
		isakmp_header_set_length(out->ptr, (uint32_t)out->len);
		isakmp_header_set_encrypted(out->ptr);
		memcpy(cbc->iv, sealed.ptr + sealed.len - iv_len, iv_len);
	}
	gk_buf_free(&sealed);
	return err;
}

enum gk_err
isakmp_open(const struct isakmp_cbc *cbc, struct gk_slice message,
            struct gk_buf *clear, uint8_t next[GK_CIPHER_BLOCK_MAX])
{
	const struct gk_slice nothing = { 0 };
	size_t iv_len = gk_cipher_iv_len(cbc->cipher);
	struct gk_buf plain = { 0 };
	struct gk_slice sealed;
	enum gk_err err;

	*clear = (struct gk_buf){ 0 };
	if (message.len <= ISAKMP_HEADER_LEN)
		return GK_ERR_VALUE;
	sealed = (struct gk_slice){ message.ptr + ISAKMP_HEADER_LEN,
		                    message.len - ISAKMP_HEADER_LEN };
	GK_TRY(gk_cipher_decrypt(cbc->cipher, cbc->key, iv_slice(cbc), nothing,
	                         sealed, &plain));
	err = gk_buf_copy(clear,
	                  (struct gk_slice){ message.ptr, ISAKMP_HEADER_LEN });
	if (err == GK_OK)
		err = gk_buf_append(clear, gk_buf_slice(&plain));
	gk_buf_free(&plain);
	if (err == GK_OK)
		memcpy(next, sealed.ptr + sealed.len - iv_len, iv_len);
	return err;
}

enum gk_err
isakmp_padding_check(const struct isakmp_cbc *cbc,
                     const struct gdoi_dialect *dialect, struct gk_slice clear,
                     size_t end)
{
	size_t block = gk_cipher_block_len(cbc->cipher), n = clear.len - end;

	/* A whole block: what a sender with switch pad `zero-len` may add. */
	if (n > block)
		return GK_ERR_TRAILING;
	if (dialect->pad_accept == GDOI_PAD_ACCEPT_ANY)
		return GK_OK;
	if (n == block)
		return GK_ERR_TRAILING;
	for (size_t i = end; i < clear.len; i++)
		if (clear.ptr[i] != 0)
			return GK_ERR_TRAILING;
	return GK_OK;
}
