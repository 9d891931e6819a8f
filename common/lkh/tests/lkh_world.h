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
const char *world_reload(struct world *w);
/* world_secrets - outsiders do not know the group key (seal checks it too);
 * with backward secrecy, late-comers do not know earlier ones. */
const char *world_secrets(struct world *w);
void world_tick(struct world *w, uint32_t seconds);

uint32_t world_members(const struct world *w);
size_t world_wraps(const struct world *w); /* in the last plan */
struct gk_lkh *world_lkh(struct world *w);

#endif /* LKH_WORLD_H */
