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

enum gk_err
isakmp_seal(struct isakmp_cbc *cbc, const struct gdoi_dialect *dialect,
            struct gk_slice clear, struct gk_buf *out)
{
	size_t iv_len = gk_cipher_iv_len(cbc->cipher);
	size_t n = padding_len(cbc, dialect, clear.len - ISAKMP_HEADER_LEN);
	enum gk_err err;

	GK_TRY(gk_buf_alloc(out, clear.len + n)); /* zero, as padding is */
	memcpy(out->ptr, clear.ptr, clear.len);
	if (dialect->pad == GDOI_PAD_ZERO_LEN)
		out->ptr[out->len - 1] = (uint8_t)(n - 1);
	err = gk_cipher_in_place(cbc->cipher, cbc->key, iv_slice(cbc), true,
	                         out->ptr + ISAKMP_HEADER_LEN,
	                         out->len - ISAKMP_HEADER_LEN);
	if (err != GK_OK) {
		gk_buf_free(out);
		return err;
	}
	isakmp_header_set_length(out->ptr, (uint32_t)out->len);
	isakmp_header_set_encrypted(out->ptr);
	memcpy(cbc->iv, out->ptr + out->len - iv_len, iv_len);
	return GK_OK;
}

enum gk_err
isakmp_open(const struct isakmp_cbc *cbc, struct gk_slice message,
            struct gk_buf *clear, uint8_t next[GK_CIPHER_BLOCK_MAX])
{
	size_t iv_len = gk_cipher_iv_len(cbc->cipher);
	enum gk_err err;

	*clear = (struct gk_buf){ 0 };
	if (message.len <= ISAKMP_HEADER_LEN)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_copy(clear, message));
	err = gk_cipher_in_place(cbc->cipher, cbc->key, iv_slice(cbc), false,
	                         clear->ptr + ISAKMP_HEADER_LEN,
	                         clear->len - ISAKMP_HEADER_LEN);
	if (err == GK_OK)
		memcpy(next, message.ptr + message.len - iv_len, iv_len);
	else
		gk_buf_free(clear);
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
