/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_GENERIC_H
#define GSAKMP_PAYLOAD_GENERIC_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Generic Payload Header - RFC 4535 section 7.2
 *
 *    +---------------+---------------+-------------------------------+
 *    | Next Payload  |   RESERVED    |         Payload Length        |
 *    +---------------+---------------+-------------------------------+
 *
 * The four octets in front of every payload.  All other files of this folder
 * see payload bodies only: what follows these four octets.
 */
#define GSAKMP_GENERIC_LEN 4
#define GSAKMP_BODY_MAX (65535 - GSAKMP_GENERIC_LEN)

struct gsakmp_generic {
	uint8_t next_payload;
	uint8_t reserved;
	uint16_t length; /* these four octets included */
	size_t at;       /* of the generic header, in the datagram */
};

/**
 * gsakmp_generic_decode - read a generic header and split off the body.
 * @body: a reader over the body and nothing else
 *
 * Return: GK_OK; GK_ERR_TRUNCATED when the header or the body is not all
 * there; GK_ERR_VALUE when Payload Length does not even cover the header.
 * rd->fault says where.
 */
GK_MUST_CHECK enum gk_err gsakmp_generic_decode(struct gk_rd *rd,
                                                struct gsakmp_generic *generic,
                                                struct gk_rd *body);

/* gsakmp_generic_check - section 7.2.2 items 1 and 2. */
GK_MUST_CHECK enum gk_err gsakmp_generic_check(
	const struct gsakmp_generic *generic,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);

#endif /* GSAKMP_PAYLOAD_GENERIC_H */
