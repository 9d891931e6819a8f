/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_VENDOR_ID_H
#define GSAKMP_PAYLOAD_VENDOR_ID_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Vendor ID Payload - RFC 4535 section 7.10
 *
 *    +---------------------------------------------------------------+
 *    | Vendor ID (VID), at least four octets                         ~
 *    +---------------------------------------------------------------+
 *
 * gsakmp_message_parse() reads all Vendor IDs of a message before anything
 * else, as section 7.10.2 recommends.
 */
#define GSAKMP_VENDOR_ID_MIN 4

struct gsakmp_vendor_id {
	struct gk_slice value;
	bool familiar; /* it has widened the message's vocabulary */
	bool short_;   /* malformed: below the minimum; to be logged */
	size_t at;     /* of the body, in the datagram */
};

GK_MUST_CHECK enum gk_err gsakmp_vendor_id_decode(struct gk_rd *rd,
                                                  struct gsakmp_vendor_id *vid);
/* gsakmp_vendor_id_check - the minimum length.  Section 7.10.2 lets the message
 * go on whatever the value, so that the parser only notes the verdict. */
GK_MUST_CHECK enum gk_err gsakmp_vendor_id_check(
	const struct gsakmp_vendor_id *vid, struct gsakmp_reject *why);
void gsakmp_vendor_id_encode(struct gk_wr *wr,
                             const struct gsakmp_vendor_id *vid);

#endif /* GSAKMP_PAYLOAD_VENDOR_ID_H */
