/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/policy.h"

/* RFC6407-2-01 leaves phase 1 to policy; the group's policy may say. */
bool
gdoi_policy_phase1(const struct gdoi_policy *policy,
                   const struct ike_suite *suite, bool aggressive)
{
	if (policy->n_phase1 == 0)
		return true;
	for (size_t i = 0; i < policy->n_phase1; i++)
		if (policy->phase1[i].aggressive == aggressive &&
		    ike_suite_matches(suite, &policy->phase1[i].suite))
			return true;
	return false;
}
