/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef LKH_WORLD_H
#define LKH_WORLD_H

#include "common/lkh/gk_lkh.h"
#include "common/lkh/gk_lkh_member.h"

/*
 * DOC: everybody who ever had a key, and everything that was ever sent
 *
 * A world drives one hierarchy through a history and keeps the books: each
 * person's ring of keys, every key a person ever saw, every wrap of every plan.
 * world_seal() lets all members work through the plan once and sees that no wrap
 * was sent for nothing.  Then it tries to break the plan: all who ever left put
 * their keys together and open whatever they can of all plans ever sent.
 *
 * Functions return NULL, or a sentence that says what is wrong.
 */
struct world;

struct world *world_new(const struct gk_lkh_config *cfg, uint64_t seed);
void world_free(struct world *w);

const char *world_join(struct world *w);
/* world_handout - give somebody who joined in the open epoch his keys again. */
const char *world_handout(struct world *w, uint32_t pick);
/* world_rejoin - somebody who was a member before gets the keys of the open epoch,
 * and hears nothing of its plan, if only others come until then. */
const char *world_rejoin(struct world *w, uint32_t pick);
const char *world_leave(struct world *w, uint32_t pick);
const char *world_refresh(struct world *w);
const char *world_renew(struct world *w, uint32_t scan);
const char *world_seal(struct world *w, enum gk_lkh_style style);
/* world_reload - go on with a hierarchy restored from the journal's rows. */
const char *world_die(struct world *w, enum gk_lkh_style style);
const char *world_reload(struct world *w);
/* world_secrets - outsiders do not know the group key (seal checks it too);
 * with backward secrecy, late-comers do not know earlier ones. */
const char *world_secrets(struct world *w);
/* world_shrink - as after a rekey; what is stored gets less, and nothing else. */
const char *world_shrink(struct world *w);
void world_tick(struct world *w, uint32_t seconds);

uint32_t world_members(const struct world *w);
size_t world_wraps(const struct world *w); /* in the last plan */
struct gk_lkh *world_lkh(struct world *w);

#define assert_world(expr)                                     \
	do {                                                   \
		const char *world_why_ = (expr);               \
		if (world_why_ != NULL)                        \
			fail_msg("%s: %s", #expr, world_why_); \
	} while (0)

/* lkh_describe - "(GTPK)2 (GTPK,3',6')12": a prime where the version is not the
 * first.  What does not fit is left off. */
void lkh_describe(const struct gk_lkh_plan *plan, char *out, size_t cap);

#endif /* LKH_WORLD_H */
