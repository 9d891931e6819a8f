/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_PROTECT_H
#define GDOI_ISAKMP_PROTECT_H

#include "common/crypto/gk_cipher.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: encryption of ISAKMP messages - RFC 2409 appendix B
 *
 * Everything behind the header is one CBC ciphertext.  The IV of a message is
 * the last cipher block of the one before, whichever way that one went; the
 * Length in the header is that of the message with its padding.
 */
struct isakmp_cbc {
	enum gk_cipher cipher;
	struct gk_slice key;             /* borrowed */
	uint8_t iv[GK_CIPHER_BLOCK_MAX]; /* of the next message */
};

/**
 * isakmp_seal - encrypt a message that is complete but for its padding.
 * @clear: header and payloads
 * @out:   new buffer: header with E flag and Length set, and the ciphertext
 *
 * On success @cbc->iv has moved on.
 */
GK_MUST_CHECK enum gk_err isakmp_seal(struct isakmp_cbc *cbc,
                                      const struct gdoi_dialect *dialect,
                                      struct gk_slice clear,
                                      struct gk_buf *out);

/**
 * isakmp_open - decrypt.
 * @clear: new buffer: the header as received, and the plaintext with its padding
 * @next:  the IV for the message after this one, to be put into @cbc->iv when
 *         this one turns out to be genuine
 *
 * Nothing is authenticated here.  GK_ERR_VALUE when the ciphertext is not whole
 * blocks, or empty.
 */
GK_MUST_CHECK enum gk_err isakmp_open(const struct isakmp_cbc *cbc,
                                      struct gk_slice message,
                                      struct gk_buf *clear,
                                      uint8_t next[GK_CIPHER_BLOCK_MAX]);

/**
 * isakmp_padding_check - is what follows the last payload padding?
 * @end: octets from the start of the message to the end of the last payload
 *
 * Return: GK_OK; GK_ERR_TRAILING when switch pad_accept does not take it.
 */
GK_MUST_CHECK enum gk_err isakmp_padding_check(
	const struct isakmp_cbc *cbc, const struct gdoi_dialect *dialect,
	struct gk_slice clear, size_t end);

#endif /* GDOI_ISAKMP_PROTECT_H */
