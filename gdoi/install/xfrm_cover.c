/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors that together are the traffic of an SA which the kernel cannot have:
 * networks, ranges and masks with holes. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "gdoi/install/xfrm.h"
#include "gdoi/isakmp/isakmp_registry.h"

/* What an endpoint stands for: everything from the first to the last address. */
struct span {
	uint8_t first[16], last[16];
	size_t len; /* of an address; 0: it stands for no addresses */
};

static bool
bit(const uint8_t *octets, unsigned i)
{
	return (octets[i / 8] & 0x80 >> i % 8) != 0;
}

/* The last address of the block of @bits that begins at @first. */
static void
last_of(const uint8_t *first, unsigned bits, size_t len, uint8_t last[16])
{
	memcpy(last, first, len);
	for (unsigned i = bits; i < len * 8; i++)
		last[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* A mask with holes stands for more blocks than one can have: up to the first
 * hole it is a prefix, and that holds all of them. */
static void
from_mask(struct span *s, const uint8_t *mask)
{
	unsigned bits = 0;

	while (bits < s->len * 8 && bit(mask, bits))
		bits++;
	for (unsigned i = bits; i < s->len * 8; i++)
		s->first[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	last_of(s->first, bits, s->len, s->last);
}

static struct span
span_of(const struct gdoi_endpoint *e)
{
	struct span s = { .len = gdoi_xfrm_address_len(e->type) };

	if (s.len == 0 || (e->data.len != s.len && e->data.len != 2 * s.len))
		return (struct span){ 0 };
	memcpy(s.first, e->data.ptr, s.len);
	memcpy(s.last, e->data.ptr, s.len);
	if (e->data.len == s.len)
		return s;
	if (e->type == ISAKMP_ID_IPV4_ADDR_SUBNET ||
	    e->type == ISAKMP_ID_IPV6_ADDR_SUBNET)
		from_mask(&s, e->data.ptr + s.len);
	else
		memcpy(s.last, e->data.ptr + s.len, s.len);
	if (memcmp(s.first, s.last, s.len) > 0)
		return (struct span){ 0 };
	return s;
}

/* The smallest prefix that holds all of it. */
static unsigned
enclosing(const struct span *s)
{
	unsigned bits = 0;

	while (bits < s->len * 8 && bit(s->first, bits) == bit(s->last, bits))
		bits++;
	return bits;
}

/* The largest block that begins with @s->first and does not go beyond its end. */
static unsigned
first_block(const struct span *s, uint8_t last[16])
{
	unsigned bits = (unsigned)s->len * 8;

	last_of(s->first, bits, s->len, last);
	while (bits > 0 && !bit(s->first, bits - 1)) {
		uint8_t more[16];

		last_of(s->first, bits - 1, s->len, more);
		if (memcmp(more, s->last, s->len) > 0)
			break;
		memcpy(last, more, s->len);
		bits--;
	}
	return bits;
}

/* Behind @last; false: there is nothing. */
static bool
step(struct span *s, const uint8_t *last)
{
	memcpy(s->first, last, s->len);
	for (size_t i = s->len; i-- > 0;)
		if (++s->first[i] != 0)
			return memcmp(s->first, s->last, s->len) <= 0;
	return false;
}

static size_t
blocks(struct span s, struct gdoi_xfrm *x, size_t max)
{
	uint8_t last[16];
	size_t n = 0;

	do {
		if (n == max)
			return max + 1;
		memcpy(x[n].dst, s.first, s.len);
		x[n++].dst_bits = (uint8_t)first_block(&s, last);
	} while (step(&s, last));
	return n;
}

static void
take_prefix(const struct span *s, uint8_t out[16], uint8_t *bits)
{
	*bits = (uint8_t)enclosing(s);
	memset(out, 0, 16);
	for (unsigned i = 0; i < *bits; i++)
		out[i / 8] |= (uint8_t)(s->first[i / 8] & 0x80 >> i % 8);
}

size_t
gdoi_xfrm_cover(const struct gdoi_sat *sat, uint32_t priority,
                struct gdoi_xfrm x[GDOI_XFRM_COVER_MAX])
{
	const struct gdoi_endpoints *ep = &sat->ipsec.ep;
	const struct span dst = span_of(&ep->dst), src = span_of(&ep->src);
	struct gdoi_xfrm one = {
		.family = dst.len == 4 ? AF_INET : AF_INET6,
		.protocol = ep->protocol,
		.src_port = ep->src.port,
		.dst_port = ep->dst.port,
		.priority = priority,
		.selected = true,
	};
	size_t n;

	if ((sat->protocol != GDOI_PROTOCOL_ESP &&
	     sat->protocol != GDOI_PROTOCOL_AH) ||
	    dst.len == 0)
		return 0;
	memcpy(one.spi, sat->spi, sizeof(one.spi));
	/* Any other source is more than was meant, and nothing less. */
	if (src.len == dst.len)
		take_prefix(&src, one.src, &one.src_bits);
	for (n = 0; n < GDOI_XFRM_COVER_MAX; n++)
		x[n] = one;
	n = blocks(dst, x, GDOI_XFRM_COVER_MAX);
	if (n <= GDOI_XFRM_COVER_MAX)
		return n;
	take_prefix(&dst, x[0].dst, &x[0].dst_bits);
	return 1;
}
