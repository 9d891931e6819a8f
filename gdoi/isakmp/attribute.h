/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_ATTRIBUTE_H
#define GDOI_ISAKMP_ATTRIBUTE_H

#include "common/base/gk_base.h"
#include "common/wire/gk_wr.h"

/*
 * DOC: Data Attributes - RFC 2408 section 3.3
 *
 *    +-+-----------------------------+-------------------------------+
 *    |A|      Attribute Type         |    AF=0  Attribute Length     |
 *    |F|                             |    AF=1  Attribute Value      |
 *    +-+-----------------------------+-------------------------------+
 *    | AF=0  Attribute Value ...                                     ~
 *    +---------------------------------------------------------------+
 *
 * AF = 1 is type/value (TV, "Basic"), AF = 0 is type/length/value (TLV,
 * "Variable").
 */
#define ISAKMP_ATTRIBUTE_BASIC 0x8000

struct isakmp_attribute {
	uint16_t type;         /* without the AF bit */
	bool basic;            /* AF = 1 */
	uint16_t number;       /* the value, when basic */
	struct gk_slice value; /* the value's octets; two, when basic */
	size_t at;             /* of Attribute Type */
};

/* isakmp_attribute_decode - the next attribute of a list; the caller loops while
 * gk_rd_left(). */
GK_MUST_CHECK enum gk_err isakmp_attribute_decode(
	struct gk_rd *rd, struct isakmp_attribute *attribute);

/* isakmp_attribute_number - the value as a number of at most four octets, in
 * either form; false when it is none. */
bool isakmp_attribute_number(const struct isakmp_attribute *attribute,
                             uint32_t *number);

void isakmp_attribute_encode_basic(struct gk_wr *wr, uint16_t type,
                                   uint16_t number);
void isakmp_attribute_encode_variable(struct gk_wr *wr, uint16_t type,
                                      struct gk_slice value);
/* isakmp_attribute_encode_u32 - a four-octet Variable. */
void isakmp_attribute_encode_u32(struct gk_wr *wr, uint16_t type,
                                 uint32_t number);

#endif /* GDOI_ISAKMP_ATTRIBUTE_H */
