/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/policy_private.h"

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
