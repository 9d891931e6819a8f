/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_IDENTIFICATION_H
#define GDOI_ISAKMP_IDENTIFICATION_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: Identification Payload - RFC 2407 section 4.6.2, RFC 6407 section 5.1
 *
 *    +---------------+---------------+-------------------------------+
 *    |   ID Type     |  Protocol ID  |             Port              |
 *    +---------------+---------------+-------------------------------+
 *    ~                     Identification Data                       ~
 *    +---------------------------------------------------------------+
 *
 * In phase 1 it names a party; in GROUPKEY-PULL message 1 it names the group,
 * and the three octets in the middle are zero.
 */
struct isakmp_identification {
	uint8_t type;
	uint8_t protocol;
	uint16_t port;
	struct gk_slice data;
	size_t at; /* of ID Type, in the message */
};

GK_MUST_CHECK enum gk_err isakmp_identification_decode(
	struct gk_rd *rd, struct isakmp_identification *id);
void isakmp_identification_encode(struct gk_wr *wr,
                                  const struct isakmp_identification *id);

/* isakmp_identification_length - octets of Identification Data that a type of
 * fixed size wants; 0 for the others. */
size_t isakmp_identification_length(uint8_t type);

#endif /* GDOI_ISAKMP_IDENTIFICATION_H */
