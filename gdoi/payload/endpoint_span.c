/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"

#include "gdoi/isakmp/isakmp_registry.h"
#include "gdoi/payload/endpoint.h"

size_t
gdoi_address_len(uint8_t type)
{
	switch (type) {
	case ISAKMP_ID_IPV4_ADDR:
	case ISAKMP_ID_IPV4_ADDR_SUBNET:
	case ISAKMP_ID_IPV4_ADDR_RANGE:
		return 4;
	case ISAKMP_ID_IPV6_ADDR:
	case ISAKMP_ID_IPV6_ADDR_SUBNET:
	case ISAKMP_ID_IPV6_ADDR_RANGE:
		return 16;
	default:
		return 0;
	}
}

static bool
bit(const uint8_t *octets, unsigned i)
{
	return (octets[i / 8] & 0x80 >> i % 8) != 0;
}

static unsigned
leading_ones(const uint8_t *mask, size_t len)
{
	unsigned bits = 0;

	while (bits < len * 8 && bit(mask, bits))
		bits++;
	return bits;
}

void
gdoi_span_prefix(struct gdoi_span *span, unsigned bits)
{
	memcpy(span->last, span->first, span->len);
	for (unsigned i = bits; i < span->len * 8; i++) {
		span->first[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
		span->last[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
}

struct gdoi_span
gdoi_endpoint_span(const struct gdoi_endpoint *e)
{
	struct gdoi_span s = { .len = gdoi_address_len(e->type) };

	if (s.len == 0 || (e->data.len != s.len && e->data.len != 2 * s.len))
		return (struct gdoi_span){ 0 };
	memcpy(s.first, e->data.ptr, s.len);
	memcpy(s.last, e->data.ptr, s.len);
	if (e->data.len == s.len)
		return s;
	if (e->type == ISAKMP_ID_IPV4_ADDR_SUBNET ||
	    e->type == ISAKMP_ID_IPV6_ADDR_SUBNET)
		gdoi_span_prefix(&s, leading_ones(e->data.ptr + s.len, s.len));
	else
		memcpy(s.last, e->data.ptr + s.len, s.len);
	if (memcmp(s.first, s.last, s.len) > 0)
		return (struct gdoi_span){ 0 };
	return s;
}

static enum gk_err
range_check(const struct gdoi_endpoint *e, const char *field, size_t at,
            struct isakmp_reject *why)
{
	const char *req =
		e->type == ISAKMP_ID_IPV4_ADDR_RANGE   ? "RFC2407-4.6.2.8-01"
		: e->type == ISAKMP_ID_IPV6_ADDR_RANGE ? "RFC2407-4.6.2.9-01"
						       : NULL;
	size_t len = gdoi_address_len(e->type);

	if (req == NULL || e->data.len != 2 * len ||
	    memcmp(e->data.ptr, e->data.ptr + len, len) <= 0 ||
	    !GK_CHECKED(req))
		return GK_OK;
	return isakmp_refuse(why, GK_ERR_VALUE,
	                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION, req, field,
	                     at);
}

enum gk_err
gdoi_endpoints_ranges_check(const struct gdoi_endpoints *ep,
                            struct isakmp_reject *why)
{
	GK_TRY(range_check(&ep->src, "SRC Identification Data", ep->at + 5,
	                   why));
	return range_check(&ep->dst, "DST Identification Data",
	                   ep->at + 9 + ep->src.data.len, why);
}

bool
gdoi_span_is_multicast(const struct gdoi_span *span)
{
	return span->len == 4    ? span->first[0] >> 4 == 0xe
	       : span->len == 16 ? span->first[0] == 0xff
	                         : false;
}

bool
gdoi_span_covers(const struct gdoi_span *outer, const struct gdoi_span *inner)
{
	return inner->len != 0 && outer->len == inner->len &&
	       memcmp(outer->first, inner->first, inner->len) <= 0 &&
	       memcmp(outer->last, inner->last, inner->len) >= 0;
}
