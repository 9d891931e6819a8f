/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_SIGNATURE_H
#define GSAKMP_PAYLOAD_SIGNATURE_H

#include "common/base/gk_time.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Signature Payload - RFC 4535 section 7.8
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +---------------+---------------+-------------------------------+
 *    | Next Payload  |   RESERVED    |         Payload Length        |
 *    +---------------+---------------+---------------+---------------+
 *    | Signature Type                | Sig ID Type   |               ~
 *    +-------------------------------+---------------+               ~
 *    ~ Signature Timestamp (15 octets, YYYYMMDDHHMMSSZ)              ~
 *    +-------------------------------+-------------------------------+
 *    ~                               | Signer ID Length              |
 *    +-------------------------------+-------------------------------+
 *    | Signer ID Data                                                ~
 *    +-------------------------------+-------------------------------+
 *    | Signature Length              | Signature Data                ~
 *    +-------------------------------+-------------------------------+
 *
 * The generic header (first line) is the business of gsakmp/message; the
 * functions here see the body only.  The signature covers the message from the
 * GSAKMP header up to, but not including, Signature Length, so the decoder
 * reports where that field starts.
 */
struct gsakmp_signature {
	uint16_t type;             /* Table 21 */
	uint8_t id_type;           /* Table 19 */
	struct gk_slice timestamp; /* always GK_ZULU_LEN octets */
	struct gk_slice signer_id;
	struct gk_slice value;
	size_t at;      /* of the body, in the datagram */
	size_t covered; /* of Signature Length, in the datagram */
};

/**
 * gsakmp_signature_decode - read a Signature Payload body.
 * @rd:  the body and nothing else, as split off by gsakmp_generic_decode()
 * @sig: filled in; its slices point into the datagram
 *
 * RFC 4535 section 7.8.1.  Syntax only: lengths and layout, no registries.
 *
 * Return: GK_OK; GK_ERR_TRUNCATED or GK_ERR_TRAILING, with rd->fault saying
 * where.
 */
GK_MUST_CHECK enum gk_err gsakmp_signature_decode(struct gk_rd *rd,
                                                  struct gsakmp_signature *sig);

/**
 * gsakmp_signature_check - apply section 7.8.2 items 2 to 4, in that order.
 *
 * Whether the timestamp is fresh is policy; that it is a date at all is not.
 * Verifying the signature itself is gsakmp_message_verify().
 *
 * Return: GK_OK; GK_ERR_VALUE with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gsakmp_signature_check(
	const struct gsakmp_signature *sig, const struct gsakmp_vocabulary *voc,
	struct gsakmp_reject *why);

/**
 * gsakmp_signature_encode - write the body; @sig->at and covered are ignored.
 *
 * Errors are sticky in @wr, as for every gk_wr call.
 */
void gsakmp_signature_encode(struct gk_wr *wr,
                             const struct gsakmp_signature *sig);

#endif /* GSAKMP_PAYLOAD_SIGNATURE_H */
