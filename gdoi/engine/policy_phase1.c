/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/policy_private.h"

/* RFC6407-2-01 leaves phase 1 to policy; the group's policy may say. */
bool
gdoi_phase1_listed(const struct gdoi_phase1_policy *list, size_t n,
                   const struct ike_suite *suite, bool aggressive)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].aggressive == aggressive &&
		    ike_suite_matches(suite, &list[i].suite))
			return true;
	return n == 0;
}

bool
gdoi_policy_phase1(const struct gdoi_policy *policy,
                   const struct ike_suite *suite, bool aggressive)
{
	return gdoi_phase1_listed(policy->phase1, policy->n_phase1, suite,
	                          aggressive);
}

struct gdoi_phase1_policy
gdoi_policy_phase1_of(const struct gpt_phase1 *in)
{
	return (struct gdoi_phase1_policy){
		.aggressive = in->mode.value == ISAKMP_EXCHANGE_AGGRESSIVE,
		.suite = {
			.encryption = gdoi_policy_number16(in->encryption),
			.key_bits = gdoi_policy_number16(in->key_length),
			.hash = gdoi_policy_number16(in->hash),
			.auth = gdoi_policy_number16(in->authentication),
			.group = gdoi_policy_number16(in->group),
			.life_s = gdoi_policy_number(in->lifetime),
		},
	};
}
