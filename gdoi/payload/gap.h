/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_GAP_H
#define GDOI_PAYLOAD_GAP_H

#include "gdoi/isakmp/attribute.h"
#include "gdoi/isakmp/generic.h"

/*
 * DOC: Group Associated Policy Payload (GAP) - RFC 6407 section 5.4
 *
 *    +---------------------------------------------------------------+
 *    ~               Group Associated Policy Attributes              ~
 *    +---------------------------------------------------------------+
 *
 * In an SA payload it is the key server's; in message 3 of a GROUPKEY-PULL it is
 * the member's request.
 */
struct gdoi_gap {
	bool has_atd, has_dtd, has_request;
	uint16_t atd;     /* ACTIVATION_TIME_DELAY, seconds */
	uint16_t dtd;     /* DEACTIVATION_TIME_DELAY, seconds */
	uint16_t request; /* SENDER_ID_REQUEST: how many */
	size_t at;        /* of the body, in the message */
};

/* gdoi_gap_read - decode and check; unknown attributes are refused
 * (RFC6407-5.4-08). */
GK_MUST_CHECK enum gk_err gdoi_gap_read(struct gk_rd *rd, struct gdoi_gap *gap,
                                        struct isakmp_reject *why);
void gdoi_gap_encode(struct gk_wr *wr, const struct gdoi_gap *gap);

#endif /* GDOI_PAYLOAD_GAP_H */
