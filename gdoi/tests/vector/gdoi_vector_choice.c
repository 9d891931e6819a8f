/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group.h"
#include "gdoi/engine/policy.h"
#include "gdoi/phase1/ike.h"
#include "gdoi/tests/vector/gdoi_vector.h"
#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/token/gpt_gdoi.h"

static void
signer(struct vec *v, struct gdoi_group_config *group)
{
	struct gk_slice key = vec_may_octets(v, v->in, "signer");

	if (key.len != 0)
		vec_ok(v, gk_signer_from_pem(key, NULL, &group->signer),
		       "signer");
}

static void
proposals(struct vec *v, struct ike_config *ike)
{
	json_t *list = vec_list(v, v->in, "phase1"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (ike->n_suites == IKE_SUITES_MAX)
			vec_fail(v, "too many proposals");
		ike->suite[ike->n_suites++] = (struct ike_suite){
			.encryption = (uint16_t)vec_num(v, one, "cipher"),
			.key_bits = (uint16_t)vec_num(v, one, "key_bits"),
			.hash = (uint16_t)vec_num(v, one, "hash"),
			.auth = (uint16_t)vec_num(v, one, "auth"),
			.group = (uint16_t)vec_num(v, one, "group"),
		};
	}
}

/* The place of the rekey protocol that the policy was made of. */
static long long
rekey_place(const struct gdoi_policy *p)
{
	for (size_t i = 0; i < p->token->n_rekey; i++) {
		const struct gpt_gdoi_rekey *r = p->token->rekey[i].gdoi_rekey;

		if (r != NULL &&
		    (uint64_t)r->algorithm.value == p->rekey.sak.algorithm &&
		    (uint64_t)r->sig_algorithm.value ==
		            p->rekey.sak.sig_algorithm)
			return (long long)i;
	}
	return -1;
}

static long long
registration_place(const struct gdoi_policy *p)
{
	for (size_t i = 0; i < p->token->n_registration; i++)
		if (p->token->registration[i].reg.reg == p->lists)
			return (long long)i;
	return -1;
}

static void
compare(struct vec *v, const struct gdoi_policy *p)
{
	vec_same_num(v, "registration", registration_place(p),
	             vec_num(v, v->out, "registration"));
	if (p->rekey.on != vec_has(v->out, "rekey"))
		vec_fail(v, "a rekey protocol is in force: %d", p->rekey.on);
	if (p->rekey.on)
		vec_same_num(v, "rekey", rekey_place(p),
		             vec_num(v, v->out, "rekey"));
}

static void
choice(struct vec *v)
{
	struct gk_slice der = vec_octets(v, v->in, "token");
	struct gk_slice address = vec_may_octets(v, v->in, "self");
	const struct gk_identity name = { GK_ID_IPV4, address };
	const struct gdoi_peer self = { .id = &name };
	struct gdoi_group_config group = {
		.id = vec_may_octets(v, v->in, "group"),
		.legacy_ok = vec_flag(v, v->in, "legacy"),
		.members_max = 10,
	};
	struct ike_config *ike = vec_keep(v, calloc(1, sizeof(*ike)));
	struct gdoi_policy_able able = {
		.legacy_ok = group.legacy_ok,
		.group = &group,
		.self = &self,
		.n_self = address.len != 0,
	};
	struct gpt_fault fault = { 0 };
	struct gdoi_policy *policy = NULL;
	struct gpt_token *token = NULL;
	char why[256] = "";
	enum gk_err err;

	if (vec_has(v->in, "phase1")) {
		proposals(v, ike);
		able.ike = ike;
	}
	vec_ok(v, gpt_token_decode(der, &token, &fault), "token");
	signer(v, &group);
	err = gdoi_policy_new(token, -1, &able, &policy, why);
	if (err != GK_OK)
		gpt_token_free(token);
	gk_signer_free(group.signer);
	if ((err == GK_OK) != vec_flag(v, v->out, "runs"))
		vec_fail(v, "%s: %s", gk_strerror(err), why);
	if (err == GK_OK)
		compare(v, policy);
	gdoi_policy_free(policy);
}

const struct vec_kind vec_choice_kinds[] = {
	{ "choice", choice },
	{ NULL, NULL },
};
