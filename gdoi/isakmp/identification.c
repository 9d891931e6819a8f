/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/identification.h"

enum gk_err
isakmp_identification_decode(struct gk_rd *rd, struct isakmp_identification *id)
{
	*id = (struct isakmp_identification){ .at = gk_rd_offset(rd) };
	id->type = gk_rd_u8(rd, "ID Type");
	id->protocol = gk_rd_u8(rd, "Protocol ID");
	id->port = gk_rd_u16(rd, "Port");
	id->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

void
isakmp_identification_encode(struct gk_wr *wr,
                             const struct isakmp_identification *id)
{
	gk_wr_u8(wr, id->type);
	gk_wr_u8(wr, id->protocol);
	gk_wr_u16(wr, id->port);
	gk_wr_bytes(wr, id->data);
}

size_t
isakmp_identification_length(uint8_t type)
{
	switch (type) {
	case ISAKMP_ID_IPV4_ADDR:
		return 4;
	case ISAKMP_ID_IPV4_ADDR_SUBNET:
	case ISAKMP_ID_IPV4_ADDR_RANGE:
		return 8;
	case ISAKMP_ID_IPV6_ADDR:
		return 16;
	case ISAKMP_ID_IPV6_ADDR_SUBNET:
	case ISAKMP_ID_IPV6_ADDR_RANGE:
		return 32;
	default:
		return 0;
	}
}
