/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_HEADER_H
#define GDOI_ISAKMP_HEADER_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: ISAKMP Header - RFC 2408 section 3.1
 *
 *    +---------------------------------------------------------------+
 *    |                       Initiator Cookie (8)                    |
 *    +---------------------------------------------------------------+
 *    |                       Responder Cookie (8)                    |
 *    +---------------+-------+-------+---------------+---------------+
 *    | Next Payload  | MjVer | MnVer | Exchange Type |     Flags     |
 *    +---------------+-------+-------+---------------+---------------+
 *    |                          Message ID                           |
 *    +---------------------------------------------------------------+
 *    |                            Length                             |
 *    +---------------------------------------------------------------+
 *
 * In a GROUPKEY-PUSH the two cookies together are the SPI of the KEK (RFC 6407
 * section 5.3).
 */
#define ISAKMP_HEADER_LEN 28
#define ISAKMP_COOKIE_LEN 8
#define ISAKMP_VERSION 0x10 /* major 1, minor 0 */

#define ISAKMP_FLAG_ENCRYPTION 0x01
#define ISAKMP_FLAG_COMMIT 0x02
#define ISAKMP_FLAG_AUTHENTICATION 0x04

struct isakmp_header {
	uint8_t cookie_i[ISAKMP_COOKIE_LEN];
	uint8_t cookie_r[ISAKMP_COOKIE_LEN];
	uint8_t next_payload;
	uint8_t version;
	uint8_t exchange;
	uint8_t flags;
	uint32_t message_id;
	uint32_t length; /* of the whole message, this header included */
};

/* isakmp_header_decode - syntax only; @rd is left behind the header, so that
 * the verdict is @rd->fault.err and not gk_rd_done(). */
GK_MUST_CHECK enum gk_err isakmp_header_decode(struct gk_rd *rd,
                                               struct isakmp_header *header);

/**
 * isakmp_header_check - RFC 2408 sections 5.1 and 5.2, as far as the header
 * alone can tell.
 * @size: octets of the message as received
 *
 * Cookies and Message ID are compared by whoever knows the exchange.
 */
GK_MUST_CHECK enum gk_err isakmp_header_check(
	const struct isakmp_header *header, size_t size,
	struct isakmp_reject *why);

void isakmp_header_encode(struct gk_wr *wr, const struct isakmp_header *header);
/* isakmp_header_set_encrypted, _clear_ - the E flag in an encoded message. */
void isakmp_header_set_encrypted(uint8_t *message);
void isakmp_header_clear_encrypted(uint8_t *message);
/* isakmp_header_set_length - overwrite Length in an encoded message. */
void isakmp_header_set_length(uint8_t *message, uint32_t length);

#endif /* GDOI_ISAKMP_HEADER_H */
