/* SPDX-License-Identifier: BSD-2-Clause */
/* Selectors that together are the traffic of an SA which the kernel cannot have:
 * networks, ranges and masks with holes. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "gdoi/install/xfrm.h"
#include "gdoi/isakmp/isakmp_registry.h"

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

/* The smallest prefix that holds all of it. */
static unsigned
enclosing(const struct gdoi_span *s)
{
	unsigned bits = 0;

	while (bits < s->len * 8 && bit(s->first, bits) == bit(s->last, bits))
		bits++;
	return bits;
}

/* The largest block that begins with @s->first and does not go beyond its end. */
static unsigned
first_block(const struct gdoi_span *s, uint8_t last[16])
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
step(struct gdoi_span *s, const uint8_t *last)
{
	memcpy(s->first, last, s->len);
	for (size_t i = s->len; i-- > 0;)
		if (++s->first[i] != 0)
			return memcmp(s->first, s->last, s->len) <= 0;
	return false;
}

static size_t
blocks(struct gdoi_span s, struct gdoi_xfrm *x, size_t max)
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
take_prefix(const struct gdoi_span *s, uint8_t out[16], uint8_t *bits)
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
	const struct gdoi_span dst = gdoi_endpoint_span(&ep->dst),
			       src = gdoi_endpoint_span(&ep->src);
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
