/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/bench/minimum.h"

#include <stdlib.h>

#include "common/lkh/gk_lkh_tree.h"
#include "interop/bench/bench.h"

static size_t
offset(const struct gk_lkh *lkh, uint32_t block)
{
	size_t at = 0;

	for (uint32_t i = 0; i < block; i++)
		at += lkh->blocks[i].nodes;
	return at;
}

/* Marks the nodes above a seat. */
void
bench_lose(const struct gk_lkh *lkh, uint32_t seat, uint8_t *gone)
{
	for (uint32_t i = 0; i < lkh->block_count; i++) {
		const struct gk_lkh_block *t = &lkh->blocks[i];
		uint32_t node;

		if (seat < t->first_seat || seat - t->first_seat >= t->leaves)
			continue;
		node = t->nodes - t->leaves + (seat - t->first_seat);
		while (node != 0) {
			node = (node - 1) / lkh->cfg.degree;
			gone[offset(lkh, i) + node] = 1;
		}
	}
}

/*
 * After leaves: whoever is left has to be reached by keys that no leaver knew.
 * Those are the keys of the subtrees without a leaver; each of the largest such
 * subtrees needs one wrap, and fewer do not reach everybody.
 */
size_t
bench_minimum_leave(const struct gk_lkh *lkh, const uint8_t *all)
{
	size_t n = 0;

	for (uint32_t i = 0; i < lkh->block_count; i++) {
		const struct gk_lkh_block *t = &lkh->blocks[i];
		const uint8_t *gone = all + offset(lkh, i);

		for (uint32_t node = 0; node < t->nodes; node++) {
			uint32_t up = (node - 1) / lkh->cfg.degree;

			if (gk_lkh_node_of(lkh, t, node)->count != 0 &&
			    !gone[node] && (node == 0 || gone[up]))
				n++;
		}
	}
	return n;
}

/* After joins with backward secrecy: every key above a joiner that somebody
 * held before is replaced, and each has an audience of its own; trees that
 * nobody joined need the group key. */
size_t
bench_minimum_join(const struct gk_lkh *lkh, const uint8_t *gone,
                   const uint32_t *before)
{
	size_t n = 0;

	for (uint32_t i = 0; i < lkh->block_count; i++) {
		const struct gk_lkh_block *t = &lkh->blocks[i];
		size_t at = offset(lkh, i);

		for (uint32_t node = 0; node < t->nodes; node++)
			if (before[at + node] != 0 &&
			    (gone[at + node] || node == 0))
				n++;
	}
	return n;
}

size_t
bench_nodes(const struct gk_lkh *lkh)
{
	return offset(lkh, lkh->block_count);
}

uint32_t *
bench_count_members(const struct gk_lkh *lkh, size_t cap)
{
	uint32_t *before = calloc(cap, sizeof(*before));
	size_t at = 0;

	BENCH_NEED(before != NULL);
	for (uint32_t i = 0; i < lkh->block_count; i++)
		for (uint32_t k = 0; k < lkh->blocks[i].nodes; k++)
			before[at++] =
				gk_lkh_node_of(lkh, &lkh->blocks[i], k)->count;
	return before;
}
