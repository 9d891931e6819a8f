/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/generic.h"

#include "common/base/gk_check.h"

enum gk_err
isakmp_generic_decode(struct gk_rd *rd, struct isakmp_generic *generic,
                      struct gk_rd *body)
{
	size_t n = 0;

	*generic = (struct isakmp_generic){ .at = gk_rd_offset(rd) };
	generic->all.ptr = rd->pos;
	generic->next_payload = gk_rd_u8(rd, "Next Payload");
	generic->reserved = gk_rd_u8(rd, "RESERVED");
	generic->length = gk_rd_u16(rd, "Payload Length");
	if (generic->length < ISAKMP_GENERIC_LEN)
		gk_rd_fail(rd, GK_ERR_VALUE, "Payload Length");
	else
		n = (size_t)generic->length - ISAKMP_GENERIC_LEN;
	*body = gk_rd_sub(rd, n, "Payload Length");
	if (rd->fault.err == GK_OK) {
		generic->body = (struct gk_slice){ body->pos, n };
		generic->all.len = generic->length;
	}

	return rd->fault.err;
}

enum gk_err
isakmp_generic_check(const struct isakmp_generic *generic,
                     struct isakmp_reject *why)
{
	/* RFC2408-5.3-02 */
	if (!isakmp_code_known(ISAKMP_TABLE_PAYLOAD, generic->next_payload) &&
	    GK_CHECKED("RFC2408-5.3-02"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
			"RFC2408-5.3-02", "Next Payload", generic->at);

	/* RFC2408-5.3-03 */
	if (generic->reserved != 0 &&
	    GK_CHECKED("RFC2408-5.3-03", "RFC2408-5.3-01", "RFC2408-2.5.2-01",
	               "RFC6407-5.2-04"))
		return isakmp_refuse(
			why, GK_ERR_RESERVED, ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC2408-5.3-03", "RESERVED", generic->at + 1);
	return GK_OK;
}

struct gk_wr_hole
isakmp_generic_begin(struct gk_wr *wr, uint8_t next_payload)
{
	size_t from = wr->len;

	gk_wr_u8(wr, next_payload);
	gk_wr_u8(wr, 0);
	return gk_wr_len16(wr, from);
}
