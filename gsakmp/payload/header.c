/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/header.h"

enum gk_err
gsakmp_header_decode(struct gk_rd *rd, struct gsakmp_header *header)
{
	size_t len;

	*header = (struct gsakmp_header){ .at = gk_rd_offset(rd) };
	header->groupid.type = gk_rd_u8(rd, "GroupID Type");
	len = gk_rd_u8(rd, "GroupID Length");
	header->groupid.value = gk_rd_bytes(rd, len, "Group ID Value");
	header->next_payload = gk_rd_u8(rd, "Next Payload");
	header->version = gk_rd_u8(rd, "Version");
	header->exchange = gk_rd_u8(rd, "Exchange Type");
	header->sequence = gk_rd_u32(rd, "Sequence ID");
	header->length = gk_rd_u32(rd, "Length");
	if (rd->fault.err == GK_OK)
		header->size = gk_rd_offset(rd) - header->at;

	return rd->fault.err;
}

void
gsakmp_header_encode(struct gk_wr *wr, const struct gsakmp_header *header)
{
	gk_wr_u8(wr, header->groupid.type);
	gk_wr_u8(wr, (uint8_t)header->groupid.value.len);
	gk_wr_bytes(wr, header->groupid.value);
	gk_wr_u8(wr, header->next_payload);
	gk_wr_u8(wr, header->version);
	gk_wr_u8(wr, header->exchange);
	gk_wr_u32(wr, header->sequence);
	gk_wr_u32(wr, header->length);
}

bool
gsakmp_exchange_is_management(uint8_t exchange)
{
	return exchange == GSAKMP_EXCHANGE_REKEY_EVENT;
}
