/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/generic.h"

#include "common/base/gk_check.h"

enum gk_err
gsakmp_generic_decode(struct gk_rd *rd, struct gsakmp_generic *generic,
                      struct gk_rd *body)
{
	size_t n = 0;

	*generic = (struct gsakmp_generic){ .at = gk_rd_offset(rd) };
	generic->next_payload = gk_rd_u8(rd, "Next Payload");
	generic->reserved = gk_rd_u8(rd, "RESERVED");
	generic->length = gk_rd_u16(rd, "Payload Length");
	if (generic->length < GSAKMP_GENERIC_LEN)
		gk_rd_fail(rd, GK_ERR_VALUE, "Payload Length");
	else
		n = (size_t)generic->length - GSAKMP_GENERIC_LEN;
	*body = gk_rd_sub(rd, n, "Payload Length");

	return rd->fault.err;
}

enum gk_err
gsakmp_generic_check(const struct gsakmp_generic *generic,
                     const struct gsakmp_vocabulary *voc,
                     struct gsakmp_reject *why)
{
	/* RFC4535-7.2.2-01: only payload types of Table 12. */
	if (!gsakmp_code_known(GSAKMP_TABLE_PAYLOAD, voc,
	                       generic->next_payload) &&
	    GK_CHECKED("RFC4535-7.2.2-01"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
			"RFC4535-7.2.2-01", "Next Payload", generic->at);

	/* RFC4535-7.2.2-02: zero. */
	if (generic->reserved != 0 && GK_CHECKED("RFC4535-7.2.2-02"))
		return gsakmp_refuse(
			why, GK_ERR_RESERVED, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.2.2-02", "RESERVED", generic->at + 1);
	return GK_OK;
}
