/* SPDX-License-Identifier: BSD-2-Clause */
/* All the rules of DER that can be seen without knowing what a value is for. */
#include "common/crypto/gk_der.h"

#define CONSTRUCTED 0x20
#define CLASS 0xc0 /* all zero: universal */
#define NUMBER 0x1f
#define HIGH_NUMBER 0x1f /* the number is in the octets that follow */

/* Universal tags that need not be simple. */
#define EXTERNAL 8
#define REAL 9
#define ENUMERATED 10
#define EMBEDDED_PDV 11
#define RELATIVE_OID 13
#define CHARACTER_STRING 29

/* X.690 section 8.19.2: the fewest octets for each subidentifier, and all of
 * them there. */
static bool
oid_ok(struct gk_slice v)
{
	bool first = true;

	for (size_t i = 0; i < v.len; i++) {
		if (first && v.ptr[i] == 0x80)
			return false;
		first = (v.ptr[i] & 0x80) == 0;
	}
	return v.len > 0 && first;
}

/* X.690 sections 8.6.2 and 11.2.1: what is unused is zero. */
static bool
bit_string_ok(struct gk_slice v)
{
	unsigned unused = v.len == 0 ? 8 : v.ptr[0];

	if (unused > 7 || (v.len == 1 && unused != 0))
		return false;
	return (v.ptr[v.len - 1] & ((1U << unused) - 1)) == 0 || v.len == 1;
}

bool
gk_der_primitive_ok(uint8_t tag, struct gk_slice v)
{
	switch (tag) {
	case GK_DER_BOOLEAN: /* section 11.1 */
		return v.len == 1 && (v.ptr[0] == 0 || v.ptr[0] == 0xff);
	case GK_DER_INTEGER:
	case ENUMERATED:
		return gk_der_integer_ok(v);
	case GK_DER_BIT_STRING:
		return bit_string_ok(v);
	case GK_DER_NULL:
		return v.len == 0;
	case GK_DER_OID:
	case RELATIVE_OID:
		return oid_ok(v);
	default:
		return true;
	}
}

/* Strings are in one piece (section 10.2), sequences and sets never. */
static bool
form_ok(uint8_t tag)
{
	bool constructed = (tag & CONSTRUCTED) != 0;

	if ((tag & CLASS) != 0)
		return true;
	switch (tag & NUMBER) {
	case 0: /* the end of an indefinite length */
		return false;
	case GK_DER_SEQUENCE &NUMBER:
	case GK_DER_SET &NUMBER:
	case EXTERNAL:
	case EMBEDDED_PDV:
	case CHARACTER_STRING:
		return constructed;
	default:
		return !constructed;
	}
}

/* Section 8.1.2.4.2, for numbers from 31 on. */
static void
high_number(struct gk_rd *rd)
{
	uint8_t octet = gk_rd_u8(rd, "tag");
	bool low = octet < NUMBER;

	if (octet == 0x80 || low)
		gk_rd_fail(rd, GK_ERR_VALUE, "tag");
	while ((octet & 0x80) != 0 && rd->fault.err == GK_OK)
		octet = gk_rd_u8(rd, "tag");
}

static void walk(struct gk_rd *rd, unsigned depth);

/* The contents of something constructed. */
static void
walk_all(struct gk_rd *in, uint8_t tag, unsigned depth)
{
	struct gk_slice before = { 0 }, now;

	while (in->fault.err == GK_OK && gk_rd_left(in) > 0) {
		now.ptr = in->pos;
		walk(in, depth);
		now.len = (size_t)(in->pos - now.ptr);
		/* Section 11.6; there is no other SET here than SET OF. */
		if (tag == GK_DER_SET && in->fault.err == GK_OK &&
		    gk_der_compare(before, now) > 0)
			gk_rd_fail(in, GK_ERR_VALUE, "SET OF");
		before = now;
	}
}

/* One element and all below it. */
static void
walk(struct gk_rd *rd, unsigned depth)
{
	uint8_t tag = gk_rd_u8(rd, "tag");
	struct gk_slice body;
	struct gk_rd in;

	if (depth > GK_DER_DEPTH_MAX || !form_ok(tag))
		gk_rd_fail(rd, GK_ERR_VALUE, "tag");
	if ((tag & NUMBER) == HIGH_NUMBER)
		high_number(rd);
	body = gk_der_contents(rd, "contents");
	if (rd->fault.err != GK_OK)
		return;
	if ((tag & CONSTRUCTED) != 0) {
		gk_rd_init(&in, body.ptr, body.len);
		walk_all(&in, tag, depth + 1);
		if (in.fault.err != GK_OK)
			rd->fault = in.fault;
	} else if (!gk_der_primitive_ok(tag, body)) {
		gk_rd_fail(rd, GK_ERR_VALUE, "contents");
	}
}

bool
gk_der_strict(struct gk_slice der)
{
	struct gk_rd rd;

	gk_rd_init(&rd, der.ptr, der.len);
	walk(&rd, 0);
	return gk_rd_done(&rd) == GK_OK;
}
