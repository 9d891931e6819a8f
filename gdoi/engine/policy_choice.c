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

static struct gk_slice
own_id(const struct gdoi_policy_able *able)
{
	return able->group != NULL ? able->group->id
	                           : (struct gk_slice){ NULL, 0 };
}

/* Is it for the group of this configuration, octet for octet? */
static enum gk_err
same_group(const struct gdoi_policy_making *m, const struct gpt_gdoi_group *g,
           bool *same)
{
	const struct gk_slice own = own_id(m->able);
	struct gdoi_group_id id = { .type = ISAKMP_ID_KEY_ID };
	uint8_t der[GDOI_POLICY_OID_MAX];
	struct gk_buf octets = { 0 };
	struct gk_wr wr;

	*same = own.len == 0;
	if (*same)
		return GK_OK;
	id.number = gdoi_policy_number(g->number);
	if (g->oid != NULL) {
		id.type = ISAKMP_ID_OID;
		id.payload = gk_buf_slice(&g->payload);
		if (gdoi_policy_oid_octets(m->dialect, g->oid, der, &id.oid) !=
		    GK_OK)
			return GK_OK; /* nobody has that one */
	}
	GK_TRY(gk_buf_alloc(&octets, own.len));
	gk_wr_init(&wr, octets.ptr, octets.len);
	gdoi_group_id_encode(&wr, m->dialect, &id);
	*same = gk_wr_done(&wr) == GK_OK &&
	        gk_slice_equal((struct gk_slice){ octets.ptr, wr.len }, own);
	gk_buf_free(&octets);
	return GK_OK;
}

static bool
names_us(const struct gdoi_policy_able *able, const struct gpt_register *lists)
{
	for (size_t i = 0; i < able->n_self; i++)
		if (gdoi_policy_lists_server(lists, &able->self[i]))
			return true;
	return able->n_self == 0;
}

/* Whom and what it is for: no configuration but another one can do it. */
static enum gk_err
others(const struct gdoi_policy_making *m, const struct gpt_protocol *p,
       char why[GDOI_POLICY_WHY])
{
	const struct gpt_gdoi_group *g = &p->gdoi_reg->group;
	char name[160];
	bool same;

	why[0] = '\0';
	GK_TRY(same_group(m, g, &same));
	if (!same && g->oid != NULL)
		(void)snprintf(why, GDOI_POLICY_WHY,
		               "it is for another group (object identifier "
		               "%.120s) than <group-id> says",
		               g->oid);
	else if (!same)
		(void)snprintf(why, GDOI_POLICY_WHY,
		               "it is for another group (number %lu) than "
		               "<group-id> says",
		               (unsigned long)gdoi_policy_number(g->number));
	else if (!names_us(m->able, p->reg))
		(void)snprintf(why, GDOI_POLICY_WHY,
		               "it does not name %.150s as a key server",
		               gk_identity_print(name, sizeof(name),
		                                 *m->able->self[0].id));
	return GK_OK;
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
static enum gk_err
find_registration(struct gdoi_policy_making *m, const struct gpt_token *token,
                  bool any, const struct gpt_gdoi_register **gdoi)
{
	struct gdoi_policy_able able = *m->able;
	char why[GDOI_POLICY_WHY];

	if (any)
		able.ike = NULL;
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;
		const char *phase1;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER)
			continue;
		GK_TRY(others(m, p, why));
		phase1 = unfit(&able, p->gdoi_reg);
		if (why[0] == '\0' && phase1 == NULL) {
			m->p->lists = p->reg;
			*gdoi = p->gdoi_reg;
			return GK_OK;
		}
		pass_over(m, "registration", i, why[0] != '\0' ? why : phase1);
	}
	return GK_ERR_POLICY;
}

enum gk_err
gdoi_policy_choose_registration(struct gdoi_policy_making *m,
                                const struct gpt_token *token,
                                const struct gpt_gdoi_register **gdoi)
{
	enum gk_err err;

	if (!gpt_token_gdoi_register(token, NULL))
		return gdoi_policy_refuse(m, "no registration by GDOI");
	err = find_registration(m, token, false, gdoi);
	if (err != GK_ERR_POLICY)
		return err;
	m->p->passed_over[0] = '\0';
	err = find_registration(m, token, true, gdoi);
	if (err != GK_ERR_POLICY)
		return err;
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
