/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gdoi/engine/group.h"
#include "gdoi/engine/policy_private.h"
#include "gdoi/phase1/ike.h"

/*
 * RFC 4534 section 3: registrations and rekey protocols stand in the Group Owner's
 * order of preference, and the highest is in force that can be done and may be.
 * Data protocols are no choice.
 */

/* ---- registration -------------------------------------------------------- */

static bool
allowed(const struct gdoi_policy_able *able,
        const struct gdoi_phase1_policy *phase1)
{
	return able->legacy_ok || !ike_suite_is_legacy(&phase1->suite);
}

static bool
proposed(const struct gdoi_policy_able *able,
         const struct gdoi_phase1_policy *phase1)
{
	const struct ike_config *ike = able->ike;

	for (size_t i = 0; i < ike->n_suites; i++)
		if (gdoi_phase1_listed(phase1, 1, &ike->suite[i], false) ||
		    (ike->aggressive &&
		     gdoi_phase1_listed(phase1, 1, &ike->suite[i], true)))
			return true;
	return false;
}

/* What is wrong with its phase 1; NULL: nothing. */
static const char *
unfit(const struct gdoi_policy_able *able, const struct gpt_gdoi_register *reg)
{
	bool any_allowed = reg->n_phase1 == 0, any_proposed = any_allowed;

	for (size_t i = 0; i < reg->n_phase1; i++) {
		struct gdoi_phase1_policy p =
			gdoi_policy_phase1_of(&reg->phase1[i]);

		if (!allowed(able, &p))
			continue;
		any_allowed = true;
		any_proposed |= able->ike == NULL || proposed(able, &p);
	}
	if (!any_allowed)
		return "each phase 1 that it lists is legacy";
	return any_proposed ? NULL : "no phase 1 of it is proposed here";
}

static void
pass_over(struct gdoi_policy_making *m, const char *list, size_t i,
          const char *why)
{
	if (m->p->passed_over[0] == '\0')
		(void)snprintf(m->p->passed_over, sizeof(m->p->passed_over),
		               "%.20s[%zu]: %.200s", list, i, why);
}

/* @any: also what is not proposed here.  A policy that demands more than we propose
 * is in force all the same where there is no other: the one before it demanded
 * less. */
static bool
find_registration(struct gdoi_policy_making *m, const struct gpt_token *token,
                  bool any, const struct gpt_gdoi_register **gdoi)
{
	struct gdoi_policy_able able = *m->able;

	if (any)
		able.ike = NULL;
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;
		const char *why;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER)
			continue;
		why = unfit(&able, p->gdoi_reg);
		if (why == NULL) {
			m->p->lists = p->reg;
			*gdoi = p->gdoi_reg;
			return true;
		}
		pass_over(m, "registration", i, why);
	}
	return false;
}

enum gk_err
gdoi_policy_choose_registration(struct gdoi_policy_making *m,
                                const struct gpt_token *token,
                                const struct gpt_gdoi_register **gdoi)
{
	if (!gpt_token_gdoi_register(token, NULL))
		return gdoi_policy_refuse(m, "no registration by GDOI");
	if (find_registration(m, token, false, gdoi))
		return GK_OK;
	m->p->passed_over[0] = '\0';
	if (find_registration(m, token, true, gdoi))
		return GK_OK;
	return gdoi_policy_refuse(m, "%s", m->p->passed_over);
}

/* ---- rekey --------------------------------------------------------------- */

/* @any: also what the group's signer, or its configuration, is not fit for. */
static enum gk_err
try_rekey(struct gdoi_policy_making *m, const struct gpt_gdoi_rekey *rekey,
          bool any)
{
	struct isakmp_reject why = { 0 };
	size_t used = m->used;
	enum gk_err err = gdoi_policy_make_rekey(m, rekey);

	if (err == GK_OK && !any && m->able->group != NULL &&
	    gdoi_group_rekey_check(m->able->group, &m->p->rekey, &why) != GK_OK)
		err = gdoi_policy_refuse(m, "%s [%s]", why.field,
		                         why.req != NULL ? why.req : "-");
	if (err != GK_OK) {
		m->used = used;
		m->p->rekey = (struct gdoi_rekey_policy){ 0 };
	}
	return err;
}

static enum gk_err
find_rekey(struct gdoi_policy_making *m, const struct gpt_token *token,
           bool any)
{
	char first[GDOI_POLICY_WHY] = "";
	enum gk_err err = GK_OK;

	for (size_t i = 0; i < token->n_rekey; i++) {
		if (token->rekey[i].kind != GPT_PROTOCOL_GDOI_REKEY)
			continue;
		err = try_rekey(m, token->rekey[i].gdoi_rekey, any);
		if (err != GK_ERR_POLICY)
			return err;
		pass_over(m, "rekey", i, m->why);
		if (first[0] == '\0')
			memcpy(first, m->why, sizeof(first));
	}
	/* It is the first that the Group Owner wanted most. */
	if (first[0] != '\0')
		memcpy(m->why, first, sizeof(first));
	return err;
}

enum gk_err
gdoi_policy_choose_rekey(struct gdoi_policy_making *m,
                         const struct gpt_token *token)
{
	char passed_over[GDOI_POLICY_WHY];
	bool unknown;
	enum gk_err err;

	/* RFC4534-3-13: only rekey protocols that GDOI cannot support. */
	if (!gpt_token_gdoi_rekey(token, &unknown))
		return unknown ? gdoi_policy_refuse(m, "no rekey by GDOI, but "
		                                       "by others")
		               : GK_OK;
	memcpy(passed_over, m->p->passed_over, sizeof(passed_over));
	err = find_rekey(m, token, false);
	if (err != GK_ERR_POLICY)
		return err;
	/* What the group says of it, when it takes the policy, is the refusal. */
	memcpy(m->p->passed_over, passed_over, sizeof(passed_over));
	return find_rekey(m, token, true);
}
