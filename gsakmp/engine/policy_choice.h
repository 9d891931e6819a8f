/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_POLICY_CHOICE_H
#define GSAKMP_ENGINE_POLICY_CHOICE_H

#include "gsakmp/engine/policy.h"

/*
 * DOC: which of a token's protocols is in force - RFC 4534 section 3
 *
 * Registrations and rekey protocols stand in the Group Owner's order of
 * preference; whoever reads the token takes the highest that it can do.  An
 * entry whose mechanisms are beyond us is passed over, as one of a protocol
 * that we do not know is.  Data protocols are no choice: all of them are used.
 * Internal to gsakmp/engine.
 */
#define GSAKMP_POLICY_FIELD "Policy Token Data"

/* What a policy has to be told while it is derived. */
struct gsakmp_derivation {
	struct gsakmp_policy *p;
	const struct gsakmp_policy_args *args;
	struct gsakmp_reject *why;
};

/* gsakmp_policy_choose_registration - sets @reg, @dereg (of the same entry),
 * the suites and the mode.  When no entry can be used, the refusal is the first
 * entry's.  The token has a registration by GSAKMP. */
GK_MUST_CHECK enum gk_err gsakmp_policy_choose_registration(
	const struct gsakmp_derivation *d);

/* gsakmp_policy_choose_rekey - the same for @rekey and what follows from it;
 * after the registration, whose suite is the KEK's in a group without. */
GK_MUST_CHECK enum gk_err gsakmp_policy_choose_rekey(
	const struct gsakmp_derivation *d);

/* LifeDate: seconds of an interval (decision interval_unit), 0 for a date; and
 * the date, 0 for an interval. */
int64_t gsakmp_lifedate_s(const struct gsakmp_dialect *dialect,
                          const struct gpt_lifedate *l);
int64_t gsakmp_lifedate_utc(const struct gpt_lifedate *l);

#endif /* GSAKMP_ENGINE_POLICY_CHOICE_H */
