/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_LKH_PLAN_H
#define GK_LKH_PLAN_H

#include <stdbool.h>

#include "common/lkh/gk_lkh_key.h"

/*
 * DOC: rekey plan - what has to be sent, before any protocol has words for it
 *
 * A plan is an ordered list of wraps.  Each wrap says: encrypt these keys, in
 * this order, under that key.  Somebody who works through the list once, front
 * to back, and opens every wrap whose wrapping key (id and handle) he holds at
 * that moment, ends with every new key he is entitled to.
 *
 * The group key is not in the tree; its place in a wrap is a NULL pointer, where
 * the protocol puts its own traffic key (or keys).
 *
 *     GK_LKH_PATH   "(GTPK, 3', 6')12": whoever lost keys to a leave needs one
 *                   wrap, which carries all of them, group key first.
 *     GK_LKH_CHAIN  "(6')12, (3')6', ... (GTPK)3'": each new key once under each
 *                   child; the fewest octets, but wraps build on each other.
 *
 * Both are legal in RFC 4535 section A.3.2.
 */
enum gk_lkh_style { GK_LKH_PATH, GK_LKH_CHAIN };

struct gk_lkh_wrap {
	const struct gk_lkh_key *under; /* the wrapping key */
	const struct gk_lkh_key *const
		*keys; /* NULL stands for the group key */
	size_t count;  /* at least one */
};

struct gk_lkh_plan {
	uint32_t epoch; /* number of the epoch that the plan closes */
	bool group;     /* the group key is among the new keys */
	struct gk_lkh_wrap *wraps; /* may be none: nobody was left to be told */
	size_t count;

	/* Storage behind the pointers above; not for the caller. */
	struct gk_lkh_key *pool;
	size_t pool_count;
	const struct gk_lkh_key **refs;
};

/* gk_lkh_plan_free - wipe every key and forget the plan; a zeroed plan is fine. */
void gk_lkh_plan_free(struct gk_lkh_plan *plan);

#endif /* GK_LKH_PLAN_H */
