/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_PUSH_H
#define GDOI_MESSAGE_PUSH_H

#include "common/base/gk_env.h"
#include "common/crypto/gk_sign.h"
#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/protect.h"
#include "gdoi/payload/sak.h"

/*
 * DOC: protection of a GROUPKEY-PUSH - RFC 6407 section 4
 *
 *     HDR*, SEQ, [D,] SA, KD, SIG
 *
 * SIG signs the string "rekey", the header, and every payload in front of SIG.
 * Then everything behind the header is encrypted under the KEK.  What header
 * that is, and where the IV comes from, are switches push_sig_hdr,
 * push_sig_prefix and push_iv.
 */
struct gdoi_kek {
	uint8_t spi[GDOI_KEK_SPI_LEN]; /* the cookies of the header */
	enum gk_cipher cipher;
	struct gk_slice key, iv; /* as downloaded; borrowed */
	struct gk_sig_alg signature;
	uint8_t chained[GK_CIPHER_BLOCK_MAX]; /* push_iv `chained`: of the next
	                                       * message */
	bool has_chained;
};

/* gdoi_kek_cipher - of KEK_ALGORITHM and KEK_KEY_LENGTH in bits (0: not said);
 * NONE when there is none. */
enum gk_cipher gdoi_kek_cipher(uint16_t algorithm, uint16_t bits);
/* gdoi_kek_signature - of SIG_ALGORITHM and SIG_HASH_ALGORITHM (0: not said);
 * scheme NONE when they do not go together. */
struct gk_sig_alg gdoi_kek_signature(const struct gdoi_dialect *dialect,
                                     uint16_t algorithm, uint16_t hash,
                                     uint16_t key_bits);

/**
 * gdoi_push_seal - sign and encrypt.
 * @env:      for the IV of push_iv `prepended`
 * @payloads: SEQ to KD with their generic headers; the last one's Next Payload
 *            is SIG
 * @first:    type of the first of them
 * @out:      new buffer: the datagram
 */
GK_MUST_CHECK enum gk_err gdoi_push_seal(
	const struct gk_env *env, const struct gdoi_dialect *dialect,
	struct gdoi_kek *kek, const struct gk_signer *signer, uint8_t first,
	struct gk_slice payloads, struct gk_buf *out);

/* A GROUPKEY-PUSH that was decrypted. */
struct gdoi_push {
	struct gk_buf clear; /* header and payloads; to be freed */
	struct isakmp_header header;
	struct isakmp_chain chain;
	uint8_t next[GK_CIPHER_BLOCK_MAX]; /* push_iv `chained` */
};

/**
 * gdoi_push_open - decrypt, and split into payloads.
 * @message: a datagram whose header was checked and whose cookies are the KEK's
 *
 * Nothing is authenticated yet; the caller looks at SEQ, then verifies.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_push_open(const struct gdoi_dialect *dialect,
                                         const struct gdoi_kek *kek,
                                         struct gk_slice message,
                                         struct gdoi_push *push,
                                         struct isakmp_reject *why);
void gdoi_push_free(struct gdoi_push *push); /* wipes */

/**
 * gdoi_push_verify - is the SIG payload, the last one, right?
 *
 * Under push_sig_hdr `unpadded` and `final` both headers are tried: each is
 * signed, so nothing is gained by choosing.
 */
GK_MUST_CHECK enum gk_err gdoi_push_verify(const struct gdoi_dialect *dialect,
                                           const struct gdoi_kek *kek,
                                           const struct gk_pubkey *key,
                                           const struct gdoi_push *push,
                                           struct isakmp_reject *why);

#endif /* GDOI_MESSAGE_PUSH_H */
