/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SUM_H
#define GK_SUM_H

#include "common/base/gk_base.h"

/*
 * DOC: the digest of a state, for tests and fuzzers
 *
 * A running SHA-256 over everything that a message could change:
 * digest = SHA-256(digest | next part).  Begins as all zeroes.
 */
struct gk_sum {
	uint8_t d[32];
};

void gk_sum_add(struct gk_sum *s, const void *p, size_t n);
void gk_sum_u64(struct gk_sum *s, uint64_t v);
/* gk_sum_slice, gk_sum_buf - the length first: parts do not run together. */
void gk_sum_slice(struct gk_sum *s, struct gk_slice octets);
void gk_sum_buf(struct gk_sum *s, const struct gk_buf *b);

#endif /* GK_SUM_H */
