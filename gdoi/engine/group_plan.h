/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GROUP_PLAN_H
#define GDOI_ENGINE_GROUP_PLAN_H

#include "gdoi/engine/group_state.h"
#include "gdoi/isakmp/delete.h"

/* DOC: a rekey being planned - for group_plan.c and group_build.c only */

#define GDOI_DATA_ORPHAN 0xffff /* of a TEK that policy has no more */
#define GDOI_PROTOCOLS 4

struct gdoi_plan {
	struct gdoi_group *g;
	const struct gdoi_rekey_cause *cause;
	struct gk_now now;
	struct gdoi_rekey_sa *current, *next;
	bool told;    /* there is somebody to be told */
	bool joined;  /* somebody has what the others will hear of now */
	uint16_t atd; /* of the GAP that goes with it: the policy's at most */
	/* New Data-Security SAs, in the order of the policy. */
	struct gdoi_data_sa *fresh[2 * GDOI_SATS_MAX];
	size_t n_fresh;
	struct gk_buf gone[GDOI_PROTOCOLS]; /* SPIs to delete, by protocol */
};

void gdoi_plan_free(struct gdoi_plan *p);
GK_MUST_CHECK enum gk_err gdoi_plan_delete(struct gdoi_plan *p,
                                           const struct gdoi_data_sa *tek);
GK_MUST_CHECK enum gk_err gdoi_plan_install(struct gdoi_plan *p,
                                            struct gdoi_data_sa *tek);
/* gdoi_plan_carriers - PUSHes under p->current that bring p->next. */
GK_MUST_CHECK enum gk_err gdoi_plan_carriers(struct gdoi_plan *p,
                                             const struct gdoi_arrays *arrays);
/* gdoi_plan_teks - PUSHes under p->current with deletions and new TEKs. */
GK_MUST_CHECK enum gk_err gdoi_plan_teks(struct gdoi_plan *p);

struct gdoi_data_sa *gdoi_data_leading(const struct gdoi_group *g,
                                       uint16_t data);
int64_t gdoi_data_due(const struct gdoi_group *g, uint16_t data,
                      enum gdoi_data_order *order);

#endif /* GDOI_ENGINE_GROUP_PLAN_H */
