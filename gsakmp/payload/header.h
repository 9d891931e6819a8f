/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_HEADER_H
#define GSAKMP_PAYLOAD_HEADER_H

#include "common/wire/gk_wr.h"
#include "gsakmp/payload/groupid.h"

/*
 * DOC: GSAKMP Header - RFC 4535 section 7.1
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +---------------+---------------+-------------------------------+
 *    | GroupID Type  | GroupID Length| Group ID Value                ~
 *    +---------------+---------------+---------------+---------------+
 *    ~               | Next Payload  |    Version    | Exchange Type |
 *    +---------------+---------------+---------------+---------------+
 *    | Sequence ID                                                   |
 *    +---------------------------------------------------------------+
 *    | Length                                                        |
 *    +---------------------------------------------------------------+
 */
#define GSAKMP_VERSION 1
#define GSAKMP_SEQUENCE_DESTROY 0xffffffffu /* section 5.3.1.3 */
/* The header without the GroupID value, and the longest header. */
#define GSAKMP_HEADER_FIXED 13
#define GSAKMP_HEADER_MAX (GSAKMP_HEADER_FIXED + GSAKMP_GROUPID_MAX)

struct gsakmp_header {
	struct gsakmp_groupid groupid;
	uint8_t next_payload; /* Table 12 */
	uint8_t version;
	uint8_t exchange; /* Table 13 */
	uint32_t sequence;
	uint32_t length; /* of the whole message, this header included */
	size_t at;       /* where the header starts in the datagram */
	size_t size;     /* octets of the header itself */
};

/* gsakmp_header_decode - syntax only; @rd is left behind the header, so that
 * the verdict is @rd->fault.err and not gk_rd_done(). */
GK_MUST_CHECK enum gk_err gsakmp_header_decode(struct gk_rd *rd,
                                               struct gsakmp_header *header);

void gsakmp_header_encode(struct gk_wr *wr, const struct gsakmp_header *header);

/* gsakmp_exchange_is_management - "group management message" (section 7.1.1):
 * of all exchanges, only the Rekey Event is one. */
bool gsakmp_exchange_is_management(uint8_t exchange);

#endif /* GSAKMP_PAYLOAD_HEADER_H */
