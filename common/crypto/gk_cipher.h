/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CIPHER_H
#define GK_CIPHER_H

#include "common/base/gk_base.h"

/*
 * DOC: symmetric encryption
 *
 * One pair of calls for all modes.  CBC works on whole blocks only; bringing a
 * plaintext to whole blocks is the business of gk_pad.h.  CTR takes any length.
 * GCM takes any length, authenticates @aad too and appends its tag to the
 * ciphertext.
 */
/* name, text, key, block, iv, tag: all in octets */
#define GK_CIPHER_LIST(X)                                 \
	X(AES_CBC_128, "AES-CBC-128", 16, 16, 16, 0)      \
	X(AES_CBC_192, "AES-CBC-192", 24, 16, 16, 0)      \
	X(AES_CBC_256, "AES-CBC-256", 32, 16, 16, 0)      \
	X(TRIPLE_DES_CBC_LEGACY, "3DES-CBC", 24, 8, 8, 0) \
	X(DES_CBC_LEGACY, "DES-CBC", 8, 8, 8, 0)          \
	X(AES_CTR_128, "AES-CTR-128", 16, 1, 16, 0)       \
	X(AES_CTR_192, "AES-CTR-192", 24, 1, 16, 0)       \
	X(AES_CTR_256, "AES-CTR-256", 32, 1, 16, 0)       \
	X(AES_GCM_128, "AES-GCM-128", 16, 1, 12, 16)      \
	X(AES_GCM_192, "AES-GCM-192", 24, 1, 12, 16)      \
	X(AES_GCM_256, "AES-GCM-256", 32, 1, 12, 16)

enum gk_cipher {
	GK_CIPHER_NONE,
#define X(name, text, key, block, iv, tag) GK_CIPHER_##name,
	GK_CIPHER_LIST(X)
#undef X
};

#define GK_CIPHER_BLOCK_MAX 16

const char *gk_cipher_name(enum gk_cipher alg);
size_t gk_cipher_key_len(enum gk_cipher alg);   /* 0 for an unknown cipher */
size_t gk_cipher_block_len(enum gk_cipher alg); /* 1 for CTR and GCM */
size_t gk_cipher_iv_len(enum gk_cipher alg);
size_t gk_cipher_tag_len(enum gk_cipher alg); /* 0 where there is no tag */
bool gk_cipher_is_cbc(enum gk_cipher alg);
/* gk_cipher_aes_cbc - with a key of so many bits; GK_CIPHER_NONE: there is none. */
enum gk_cipher gk_cipher_aes_cbc(unsigned bits);
bool gk_cipher_is_legacy(enum gk_cipher alg);

/**
 * gk_cipher_encrypt - encrypt @plain.
 * @key: exactly gk_cipher_key_len() octets; DES parity bits are ignored
 * @iv:  exactly gk_cipher_iv_len() octets; for CTR the first counter block, see
 *       gk_ctr_block()
 * @aad: GCM only; must be empty otherwise
 * @out: new buffer: ciphertext, and for GCM the tag after it
 *
 * Return: GK_OK; GK_ERR_VALUE for a wrong length or, with CBC, a plaintext that
 * is not whole blocks.
 */
GK_MUST_CHECK enum gk_err gk_cipher_encrypt(
	enum gk_cipher alg, struct gk_slice key, struct gk_slice iv,
	struct gk_slice aad, struct gk_slice plain, struct gk_buf *out);

/* gk_cipher_decrypt - the reverse.  GK_ERR_AUTH when the GCM tag is wrong, in
 * which case @out is empty. */
GK_MUST_CHECK enum gk_err gk_cipher_decrypt(
	enum gk_cipher alg, struct gk_slice key, struct gk_slice iv,
	struct gk_slice aad, struct gk_slice sealed, struct gk_buf *out);

/* gk_cipher_in_place - either way, without a tag: the @len octets at @octets
 * become the others.  Errors as above; what is there is then undefined. */
GK_MUST_CHECK enum gk_err gk_cipher_in_place(enum gk_cipher alg,
                                             struct gk_slice key,
                                             struct gk_slice iv, bool encrypt,
                                             uint8_t *octets, size_t len);

/*
 * struct gk_sealer - many encryptions in a row, by one context of the provider.
 *
 * Making a context takes longer than encrypting a key.  A zeroed sealer is
 * ready; it holds the schedule of the last key until gk_sealer_end(), which
 * wipes it and leaves a sealer that is ready again.  Not thread-safe.
 */
struct gk_sealer {
	void *ctx;
	enum gk_cipher alg; /* that @ctx is set up for */
};

/* gk_sealer_encrypt - as gk_cipher_encrypt(), to plain.len and, for GCM, 16 more
 * octets at @out, which may be where @plain is. */
GK_MUST_CHECK enum gk_err gk_sealer_encrypt(
	struct gk_sealer *sealer, enum gk_cipher alg, struct gk_slice key,
	struct gk_slice iv, struct gk_slice aad, struct gk_slice plain,
	uint8_t *out);
void gk_sealer_end(struct gk_sealer *sealer);

/* gk_ctr_block - the first counter block of RFC 3686 section 4:
 * nonce (4 octets) | IV (8 octets) | one as 32 bits. */
void gk_ctr_block(const uint8_t nonce[4], const uint8_t iv[8], uint8_t out[16]);

#endif /* GK_CIPHER_H */
