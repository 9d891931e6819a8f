/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/attribute.h"

enum gk_err
isakmp_attribute_decode(struct gk_rd *rd, struct isakmp_attribute *attribute)
{
	uint16_t type, second;

	*attribute = (struct isakmp_attribute){ .at = gk_rd_offset(rd) };
	type = gk_rd_u16(rd, "Attribute Type");
	attribute->type = type & (uint16_t)~ISAKMP_ATTRIBUTE_BASIC;
	attribute->basic = (type & ISAKMP_ATTRIBUTE_BASIC) != 0;
	if (attribute->basic) {
		attribute->value.ptr = rd->pos;
		attribute->number = gk_rd_u16(rd, "Attribute Value");
		attribute->value.len = rd->fault.err == GK_OK ? 2 : 0;
	} else {
		second = gk_rd_u16(rd, "Attribute Length");
		attribute->value = gk_rd_bytes(rd, second, "Attribute Value");
	}

	return rd->fault.err;
}

bool
isakmp_attribute_number(const struct isakmp_attribute *attribute,
                        uint32_t *number)
{
	uint32_t n = 0;

	if (attribute->value.len == 0 || attribute->value.len > 4)
		return false;
	for (size_t i = 0; i < attribute->value.len; i++)
		n = n << 8 | attribute->value.ptr[i];
	*number = n;
	return true;
}

void
isakmp_attribute_encode_basic(struct gk_wr *wr, uint16_t type, uint16_t number)
{
	gk_wr_u16(wr, type | ISAKMP_ATTRIBUTE_BASIC);
	gk_wr_u16(wr, number);
}

void
isakmp_attribute_encode_variable(struct gk_wr *wr, uint16_t type,
                                 struct gk_slice value)
{
	gk_wr_u16(wr, type);
	gk_wr_vec16(wr, value);
}

void
isakmp_attribute_encode_u32(struct gk_wr *wr, uint16_t type, uint32_t number)
{
	gk_wr_u16(wr, type);
	gk_wr_u16(wr, 4);
	gk_wr_u32(wr, number);
}
