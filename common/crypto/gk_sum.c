/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_sum.h"

#include <string.h>

#include "common/crypto/gk_hash.h"

void
gk_sum_add(struct gk_sum *s, const void *p, size_t n)
{
	const struct gk_slice parts[] = { { s->d, sizeof(s->d) },
		                          { (const uint8_t *)p, n } };
	uint8_t out[GK_HASH_MAX] = { 0 };

	if (gk_hash(GK_HASH_SHA256, parts, GK_COUNT(parts), out) == GK_OK)
		memcpy(s->d, out, sizeof(s->d));
}

void
gk_sum_u64(struct gk_sum *s, uint64_t v)
{
	gk_sum_add(s, &v, sizeof(v));
}

void
gk_sum_slice(struct gk_sum *s, struct gk_slice octets)
{
	gk_sum_u64(s, octets.len);
	gk_sum_add(s, octets.ptr, octets.len);
}

void
gk_sum_buf(struct gk_sum *s, const struct gk_buf *b)
{
	gk_sum_slice(s, gk_buf_slice(b));
}
