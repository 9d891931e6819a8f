/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_GROUP_ID_H
#define GDOI_PAYLOAD_GROUP_ID_H

#include "gdoi/isakmp/identification.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: the group in the ID payload - RFC 6407 section 5.1, RFC 8052 section 2.1
 *
 * ID_KEY_ID: a number of four octets.  ID_OID:
 *
 *    +---------------+-----------------------------------------------+
 *    |  OID Length   |                       OID                     ~
 *    +---------------+---------------+-------------------------------+
 *    |  OID-Specific Payload Length  |     OID-Specific Payload      ~
 *    +-------------------------------+-------------------------------+
 */
struct gdoi_group_id {
	uint8_t type;            /* ISAKMP_ID_KEY_ID or ISAKMP_ID_OID */
	uint32_t number;         /* ID_KEY_ID */
	struct gk_slice oid;     /* ID_OID; DER as switch oid_encoding has it */
	struct gk_slice payload; /* ID_OID; DER, may be empty */
};

/**
 * gdoi_group_id_read - what a decoded ID payload says about the group.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_group_id_read(
	const struct isakmp_identification *id,
	const struct gdoi_dialect *dialect, struct gdoi_group_id *group,
	struct isakmp_reject *why);
/* gdoi_oid_fits - is it what an OID field holds: with `tlv` one OBJECT IDENTIFIER
 * in DER and nothing behind it? */
bool gdoi_oid_fits(const struct gdoi_dialect *dialect, struct gk_slice oid);
/* gdoi_oid_payload_fits - is it what an OID-Specific Payload holds: one value in DER,
 * or nothing? */
bool gdoi_oid_payload_fits(struct gk_slice payload);
/* gdoi_group_id_encode - the body of an ID payload. */
void gdoi_group_id_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                          const struct gdoi_group_id *group);

#endif /* GDOI_PAYLOAD_GROUP_ID_H */
