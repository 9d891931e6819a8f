/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_GENERIC_H
#define GDOI_ISAKMP_GENERIC_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: Generic Payload Header - RFC 2408 section 3.2
 *
 *    +---------------+---------------+-------------------------------+
 *    | Next Payload  |   RESERVED    |         Payload Length        |
 *    +---------------+---------------+-------------------------------+
 *
 * The four octets in front of every payload.  All other files see bodies only:
 * what follows these four octets.
 */
#define ISAKMP_GENERIC_LEN 4
#define ISAKMP_BODY_MAX (65535 - ISAKMP_GENERIC_LEN)

struct isakmp_generic {
	uint8_t next_payload;
	uint8_t reserved;
	uint16_t length;      /* these four octets included */
	struct gk_slice body; /* without them */
	struct gk_slice all;  /* with them, for HASH and SIG */
	size_t at;            /* of the generic header, in the message */
};

/**
 * isakmp_generic_decode - read a generic header and split off the body.
 * @body: a reader over the body and nothing else
 *
 * Return: GK_OK; GK_ERR_TRUNCATED when header or body is not all there;
 * GK_ERR_VALUE when Payload Length does not even cover the header.  rd->fault
 * says where.
 */
GK_MUST_CHECK enum gk_err isakmp_generic_decode(struct gk_rd *rd,
                                                struct isakmp_generic *generic,
                                                struct gk_rd *body);

/* isakmp_generic_check - RFC 2408 section 5.3: Next Payload and RESERVED. */
GK_MUST_CHECK enum gk_err isakmp_generic_check(
	const struct isakmp_generic *generic, struct isakmp_reject *why);

/* isakmp_generic_begin - write one, with a hole for Payload Length, which
 * gk_wr_close() fills when the body is written. */
struct gk_wr_hole isakmp_generic_begin(struct gk_wr *wr, uint8_t next_payload);

#endif /* GDOI_ISAKMP_GENERIC_H */
