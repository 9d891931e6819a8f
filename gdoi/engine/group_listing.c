/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_state.h"

/*
 * RFC6407-2-01 leaves phase 1 to policy, and one key server may have groups of
 * different ones: what none of them lists is not agreed on at all.  Which group
 * somebody asks for is known later, and then its own policy counts.
 */
enum gk_err
gdoi_group_list(struct gdoi_group *g, const struct gdoi_policy *policy)
{
	struct gdoi_group_listing *l = &g->listing;
	struct gdoi_phase1_policy *at = NULL, *before;
	size_t n = policy == NULL ? 0 : policy->n_phase1;

	if (n != 0) {
		at = calloc(n, sizeof(*at));
		if (at == NULL)
			return GK_ERR_NOMEM;
		memcpy(at, policy->phase1, n * sizeof(*at));
	}
	pthread_mutex_lock(&l->lock);
	before = l->at;
	l->at = at;
	l->n = n;
	l->open = policy != NULL;
	pthread_mutex_unlock(&l->lock);
	free(before);
	return GK_OK;
}

enum gdoi_group_phase1
gdoi_group_phase1(struct gdoi_group *g, const struct ike_suite *suite,
                  bool aggressive)
{
	struct gdoi_group_listing *l = &g->listing;
	enum gdoi_group_phase1 verdict = GDOI_PHASE1_CLOSED;

	pthread_mutex_lock(&l->lock);
	if (l->open)
		verdict = gdoi_phase1_listed(l->at, l->n, suite, aggressive)
		                  ? GDOI_PHASE1_LISTED
		                  : GDOI_PHASE1_REFUSED;
	pthread_mutex_unlock(&l->lock);
	return verdict;
}
