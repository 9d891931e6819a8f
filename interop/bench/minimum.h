/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_MINIMUM_H
#define BENCH_MINIMUM_H

#include "common/lkh/gk_lkh.h"

/*
 * DOC: how few wraps a rekey could have, counted from the shape of the tree, by
 * other code than that which makes the plan
 */
/* bench_nodes - of all trees; the arrays below have one element for each. */
size_t bench_nodes(const struct gk_lkh *lkh);
/* bench_lose - mark the nodes above a seat in @gone. */
void bench_lose(const struct gk_lkh *lkh, uint32_t seat, uint8_t *gone);
size_t bench_minimum_leave(const struct gk_lkh *lkh, const uint8_t *gone);
/* bench_count_members - below each node, in an array of @cap elements that the
 * caller frees. */
uint32_t *bench_count_members(const struct gk_lkh *lkh, size_t cap);
/* bench_minimum_join - @before: as it was, with nothing behind it. */
size_t bench_minimum_join(const struct gk_lkh *lkh, const uint8_t *gone,
                          const uint32_t *before);

#endif /* BENCH_MINIMUM_H */
