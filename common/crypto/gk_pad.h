/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PAD_H
#define GK_PAD_H

#include "common/crypto/gk_cipher.h"

/*
 * DOC: how a plaintext is brought to whole blocks for CBC
 *
 * A scheme either describes itself (the receiver can tell padding from data) or
 * it does not, and then the data must: the receiver parses the data, and asks
 * gk_pad_check() whether what is left over is what the scheme leaves.
 *
 * CTS1 to CTS3 are no padding but the three orders of ciphertext stealing (NIST
 * SP 800-38A addendum).  They need at least one block of plaintext.
 */
#define GK_PAD_LIST(X)                                                        \
	X(PKCS7, "pkcs7") /* RFC 5652 6.3: 1..block octets, each the count */ \
	X(ZERO, "zero")   /* zero octets, none when aligned */                \
	X(PKCS7_IFNEEDED, "pkcs7_ifneeded") /* as PKCS7, none when aligned */ \
	X(ISO7816, "iso7816")               /* 80, then zero octets */        \
	X(X923, "x923")                     /* zero octets, then the count */ \
	X(IKE, "ike") /* RFC 7296 3.14: anything, then the count before it */ \
	X(ESP, "esp") /* RFC 4303 2.4: 1, 2, 3, then the count before it */   \
	X(NONE, "none") /* the plaintext is aligned or cannot be sent */      \
	X(CTS1, "cts1") /* stealing, last two blocks in order */              \
	X(CTS2, "cts2") /* stealing, swapped when the last block is short */  \
	X(CTS3, "cts3") /* stealing, always swapped (RFC 2040, Kerberos) */

enum gk_pad {
#define X(name, text) GK_PAD_##name,
	GK_PAD_LIST(X)
#undef X
};

const char *gk_pad_name(enum gk_pad scheme);
/* gk_pad_self_describing - can the receiver find the end without the data? */
bool gk_pad_self_describing(enum gk_pad scheme);
bool gk_pad_is_cts(enum gk_pad scheme);

/* gk_pad_len - octets that the scheme adds to @len octets; @block 1..255.
 * 0 for NONE and the stealing schemes. */
size_t gk_pad_len(enum gk_pad scheme, size_t block, size_t len);

/* gk_pad_fill - write the gk_pad_len() octets of padding, @n of them, at @p. */
void gk_pad_fill(enum gk_pad scheme, uint8_t *p, size_t n);

/**
 * gk_pad_add - copy @plain and pad it.
 *
 * Return: GK_OK; GK_ERR_VALUE when the scheme cannot (NONE, unaligned; a
 * stealing scheme, which is not padding).
 */
GK_MUST_CHECK enum gk_err gk_pad_add(enum gk_pad scheme, size_t block,
                                     struct gk_slice plain, struct gk_buf *out);

/**
 * gk_pad_strip - how many of the decrypted octets are data?
 * @len: the answer; everything, for schemes that do not describe themselves
 *
 * Strict: every padding octet that has a prescribed value is compared.  For
 * PKCS7 the time does not depend on the padding.
 *
 * Return: GK_OK; GK_ERR_VALUE when the padding is not what the scheme makes.
 */
GK_MUST_CHECK enum gk_err gk_pad_strip(enum gk_pad scheme, size_t block,
                                       struct gk_slice padded, size_t *len);

/**
 * gk_pad_check - is @padded what the scheme makes of its first @len octets?
 *
 * For every scheme; the one check there is for ZERO and PKCS7_IFNEEDED once the
 * data has been parsed.  (IKE padding may hold any octets.)
 */
GK_MUST_CHECK enum gk_err gk_pad_check(enum gk_pad scheme, size_t block,
                                       struct gk_slice padded, size_t len);

/**
 * gk_cbc_seal - pad (or steal) and encrypt with a CBC cipher.
 * gk_cbc_open - decrypt and strip; GK_ERR_VALUE for impossible lengths and bad
 *               padding.  For ZERO and PKCS7_IFNEEDED the padding is left on:
 *               the caller parses @plain and then asks gk_pad_check().
 */
GK_MUST_CHECK enum gk_err gk_cbc_seal(enum gk_cipher alg, enum gk_pad scheme,
                                      struct gk_slice key, struct gk_slice iv,
                                      struct gk_slice plain,
                                      struct gk_buf *out);
GK_MUST_CHECK enum gk_err gk_cbc_open(enum gk_cipher alg, enum gk_pad scheme,
                                      struct gk_slice key, struct gk_slice iv,
                                      struct gk_slice sealed,
                                      struct gk_buf *plain);

#endif /* GK_PAD_H */
