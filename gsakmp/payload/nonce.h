/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_NONCE_H
#define GSAKMP_PAYLOAD_NONCE_H

#include "common/base/gk_base.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: Nonce Payload - RFC 4535 section 7.12
 *
 *    +---------------+-----------------------------------------------+
 *    | Nonce Type    | Nonce Data                                    ~
 *    +---------------+-----------------------------------------------+
 */
#define GSAKMP_NONCE_MIN 4 /* octets of Nonce Data; section 7.12.1 */

struct gsakmp_nonce {
	uint8_t type; /* Table 27 */
	struct gk_slice data;
	uint8_t next_payload; /* of the payload's generic header, which dialect
	                         nonce_c `payload` hashes; set by the parser */
	size_t at;            /* of the body, in the datagram */
};

GK_MUST_CHECK enum gk_err gsakmp_nonce_decode(struct gk_rd *rd,
                                              struct gsakmp_nonce *nonce);
/* gsakmp_nonce_check - section 7.12.2 item 2 and the minimum length of item 3;
 * comparing values is the engine's. */
GK_MUST_CHECK enum gk_err gsakmp_nonce_check(
	const struct gsakmp_nonce *nonce, const struct gsakmp_vocabulary *voc,
	struct gsakmp_reject *why);
void gsakmp_nonce_encode(struct gk_wr *wr, const struct gsakmp_nonce *nonce);

/**
 * gsakmp_nonce_combine - Nonce_C: Hash(Append(Initiator, Responder)), Table 27.
 * @hash_type: Table 25
 * @combined:  new buffer with the whole digest
 *
 * Under dialect nonce_c `payload` both @next_payload fields must be those of
 * the messages; a sender knows that its Nonce_R is followed by the Nonce_C.
 *
 * Return: GK_OK; GK_ERR_VALUE for an unknown @hash_type.
 */
GK_MUST_CHECK enum gk_err gsakmp_nonce_combine(
	const struct gsakmp_dialect *dialect, uint16_t hash_type,
	const struct gsakmp_nonce *initiator,
	const struct gsakmp_nonce *responder, struct gk_buf *combined);

#endif /* GSAKMP_PAYLOAD_NONCE_H */
