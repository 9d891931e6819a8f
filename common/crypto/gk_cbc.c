/* SPDX-License-Identifier: BSD-2-Clause */
/* CBC with a padding scheme or with ciphertext stealing; see gk_pad.h. */
#include <string.h>

#include "common/crypto/gk_pad.h"

static const struct gk_slice no_aad;

/* last_len - octets in the last, possibly short, block of @n octets. */
static size_t
last_len(size_t n, size_t block)
{
	return n % block == 0 ? block : n % block;
}

/* swaps - does the scheme send the short block last instead of before the last
 * whole one? */
static bool
swaps(enum gk_pad scheme, size_t n, size_t block)
{
	if (scheme == GK_PAD_CTS3)
		return true;
	return scheme == GK_PAD_CTS2 && n % block != 0;
}

/*
 * Stealing: encrypt the plaintext filled up with zero octets as plain CBC; the
 * tail of the block before the last one is then not needed, since the receiver
 * gets it back by decrypting the last block.
 */
static enum gk_err
cts_seal(enum gk_cipher alg, enum gk_pad scheme, struct gk_slice key,
         struct gk_slice iv, struct gk_slice plain, struct gk_buf *out)
{
	size_t block = gk_cipher_block_len(alg), d, head;
	struct gk_buf padded = { 0 }, cbc = { 0 };
	enum gk_err err;

	if (plain.len < block)
		return GK_ERR_VALUE;
	if (plain.len == block)
		return gk_cipher_encrypt(alg, key, iv, no_aad, plain, out);
	d = last_len(plain.len, block);
	head = plain.len - d - block; /* whole blocks before the last two */
	err = gk_pad_add(GK_PAD_ZERO, block, plain, &padded);
	if (err == GK_OK)
		err = gk_cipher_encrypt(alg, key, iv, no_aad,
		                        gk_buf_slice(&padded), &cbc);
	if (err == GK_OK)
		err = gk_buf_alloc(out, plain.len);
	if (err == GK_OK) {
		const uint8_t *whole = cbc.ptr + head + block;

		memcpy(out->ptr, cbc.ptr, head);
		if (swaps(scheme, plain.len, block)) {
			memcpy(out->ptr + head, whole, block);
			memcpy(out->ptr + head + block, cbc.ptr + head, d);
		} else {
			memcpy(out->ptr + head, cbc.ptr + head, d);
			memcpy(out->ptr + head + d, whole, block);
		}
	}
	gk_buf_free(&padded);
	gk_buf_free(&cbc);
	return err;
}

static enum gk_err
cts_open(enum gk_cipher alg, enum gk_pad scheme, struct gk_slice key,
         struct gk_slice iv, struct gk_slice sealed, struct gk_buf *plain)
{
	static const uint8_t zero[GK_CIPHER_BLOCK_MAX];
	size_t block = gk_cipher_block_len(alg), d, head;
	struct gk_buf cbc = { 0 }, tail = { 0 };
	const uint8_t *whole, *stolen;
	enum gk_err err;

	if (sealed.len < block)
		return GK_ERR_VALUE;
	if (sealed.len == block)
		return gk_cipher_decrypt(alg, key, iv, no_aad, sealed, plain);
	d = last_len(sealed.len, block);
	head = sealed.len - d - block;
	if (swaps(scheme, sealed.len, block)) {
		whole = sealed.ptr + head;
		stolen = whole + block;
	} else {
		stolen = sealed.ptr + head;
		whole = stolen + d;
	}
	/* Decrypted without chaining, the last block is the previous
	 * ciphertext block XOR (short plaintext | zero octets). */
	err = gk_cipher_decrypt(alg, key, (struct gk_slice){ zero, block },
	                        no_aad, (struct gk_slice){ whole, block },
	                        &tail);
	if (err == GK_OK)
		err = gk_buf_alloc(&cbc, head + 2 * block);
	if (err == GK_OK) {
		memcpy(cbc.ptr, sealed.ptr, head);
		memcpy(cbc.ptr + head, stolen, d);
		memcpy(cbc.ptr + head + d, tail.ptr + d, block - d);
		memcpy(cbc.ptr + head + block, whole, block);
		err = gk_cipher_decrypt(alg, key, iv, no_aad,
		                        gk_buf_slice(&cbc), plain);
	}
	if (err == GK_OK) {
		gk_wipe(plain->ptr + sealed.len, plain->len - sealed.len);
		plain->len = sealed.len;
	}
	gk_buf_free(&cbc);
	gk_buf_free(&tail);
	return err;
}

enum gk_err
gk_cbc_seal(enum gk_cipher alg, enum gk_pad scheme, struct gk_slice key,
            struct gk_slice iv, struct gk_slice plain, struct gk_buf *out)
{
	struct gk_buf padded;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	if (!gk_cipher_is_cbc(alg))
		return GK_ERR_VALUE;
	if (gk_pad_is_cts(scheme))
		return cts_seal(alg, scheme, key, iv, plain, out);
	GK_TRY(gk_pad_add(scheme, gk_cipher_block_len(alg), plain, &padded));
	err = gk_cipher_encrypt(alg, key, iv, no_aad, gk_buf_slice(&padded),
	                        out);
	gk_buf_free(&padded);
	return err;
}

enum gk_err
gk_cbc_open(enum gk_cipher alg, enum gk_pad scheme, struct gk_slice key,
            struct gk_slice iv, struct gk_slice sealed, struct gk_buf *plain)
{
	enum gk_err err;
	size_t len = 0;

	*plain = (struct gk_buf){ 0 };
	if (!gk_cipher_is_cbc(alg))
		return GK_ERR_VALUE;
	if (gk_pad_is_cts(scheme))
		return cts_open(alg, scheme, key, iv, sealed, plain);
	GK_TRY(gk_cipher_decrypt(alg, key, iv, no_aad, sealed, plain));
	err = gk_pad_strip(scheme, gk_cipher_block_len(alg),
	                   gk_buf_slice(plain), &len);
	if (err != GK_OK) {
		gk_buf_free(plain);
		return err;
	}
	if (len < plain->len)
		gk_wipe(plain->ptr + len, plain->len - len);
	plain->len = len;
	return GK_OK;
}
