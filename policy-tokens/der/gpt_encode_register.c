/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_encode_part.h"

static enum gk_err
permissions(struct gpt_encode_place *at, OPENSSL_STACK **out,
            const struct gpt_access_control *in)
{
	if (!in->has_permissions)
		return GK_OK;
	*out = OPENSSL_sk_new_null();
	if (!*out)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < in->n_permissions; i++) {
		struct gpt_asn1_permission *p =
			gpt_encode_add(*out, GPT_ASN1_PERMISSION);

		if (!p)
			return GK_ERR_NOMEM;
		if (in->permissions[i] < 1 || in->permissions[i] > 9)
			return gpt_encode_refuse(
				at, "joinAccessControl.permissions",
				"not one of the nine permissions");
		p->type = 0;
		p->value.simplePermission = ASN1_ENUMERATED_new();
		if (!p->value.simplePermission ||
		    ASN1_ENUMERATED_set_int64(p->value.simplePermission,
		                              in->permissions[i]) != 1)
			return GK_ERR_NOMEM;
	}
	return GK_OK;
}

static enum gk_err
alacarte(struct gpt_encode_place *at, struct gpt_asn1_mechanisms *out,
         const struct gpt_mechanisms *in)
{
	GK_TRY(gpt_encode_integer(out->signatureDef->sigAlgorithmID,
	                          in->sig_algorithm));
	GK_TRY(gpt_encode_integer(out->signatureDef->hashAlgorithmID,
	                          in->hash_algorithm));
	GK_TRY(gpt_encode_integer(out->kEAlg->keyExchangeAlgorithmID,
	                          in->key_exchange));
	GK_TRY(gpt_encode_octets_opt(&out->kEAlg->keyExchangeAlgorithmData,
	                             in->has_key_exchange_data,
	                             &in->key_exchange_data));
	GK_TRY(gpt_encode_integer(out->keyWrap, in->key_wrap));
	out->ackData->type = 0;
	GK_TRY(gpt_encode_null(&out->ackData->value.none));
	GK_TRY(gpt_encode_lifedate(at, out->opInfo->timeOut, in->timeout,
	                           "joinMechanisms.alaCarte.opInfo.timeOut"));
	out->opInfo->terse = in->terse ? 0xff : 0;
	out->opInfo->timestamp =
		in->has_timestamp ? (in->timestamp ? 0xff : 0) : -1;
	return GK_OK;
}

static enum gk_err
join_mechanism(struct gpt_encode_place *at, struct gpt_asn1_join_mechanism *out,
               const struct gpt_join_mechanism *in)
{
	if (in->suite) {
		out->type = GPT_ASN1_SUITE;
		return gpt_encode_oid(at, &out->value.suite, in->suite,
		                      "joinMechanisms.suite");
	}
	out->type = GPT_ASN1_ALACARTE;
	out->value.alaCarte = gpt_asn1_new(GPT_ASN1_MECHANISMS);
	return out->value.alaCarte
	               ? alacarte(at, out->value.alaCarte, &in->alacarte)
	               : GK_ERR_NOMEM;
}

static enum gk_err
transport(struct gpt_encode_place *at, struct gpt_asn1_transport *out,
          enum gpt_transport in, enum gpt_transport last)
{
	if (in > last)
		return gpt_encode_refuse(at, "transport",
		                         "no such transport here");
	out->type = (int)in;
	return gpt_encode_null(&out->value.tcp); /* the arms are all alike */
}

enum gk_err
gpt_encode_membership(struct gpt_encode_place *at,
                      struct gpt_asn1_join_authorization *auth,
                      OPENSSL_STACK *list, const struct gpt_register *in)
{
	GK_TRY(gpt_encode_pairs(auth->gCKS, &in->gcks));
	if (in->has_sub_gcks) {
		auth->subGCKS = OPENSSL_sk_new_null();
		if (!auth->subGCKS)
			return GK_ERR_NOMEM;
	}
	for (size_t i = 0; i < in->n_sub_gcks; i++) {
		OPENSSL_STACK *sub =
			gpt_encode_add(auth->subGCKS, GPT_ASN1_GCKS_NAME);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_encode_pairs(sub, &in->sub_gcks[i]));
	}
	if (in->senders_limited) {
		auth->senders->type = GPT_ASN1_LIMITED;
		GK_TRY(gpt_encode_pairs_opt(&auth->senders->value.limited, true,
		                            &in->senders));
	} else {
		auth->senders->type = GPT_ASN1_ALL;
		GK_TRY(gpt_encode_null(&auth->senders->value.all));
	}
	for (size_t i = 0; i < in->n_access; i++) {
		const struct gpt_access_control *entry = &in->access[i];
		struct gpt_asn1_access_control *access =
			gpt_encode_add(list, GPT_ASN1_ACCESS_CONTROL);

		if (!access)
			return GK_ERR_NOMEM;
		GK_TRY(permissions(at, &access->permissions, entry));
		GK_TRY(gpt_encode_pairs(access->accessRule, &entry->rules));
		GK_TRY(gpt_encode_pairs_opt(&access->exclusionsRule,
		                            entry->has_exclusions,
		                            &entry->exclusions));
	}
	return GK_OK;
}

enum gk_err
gpt_encode_registration_info(struct gpt_encode_place *at, void *made,
                             const void *model)
{
	const struct gpt_register *in = model;
	struct gpt_asn1_register *out = made;

	GK_TRY(gpt_encode_membership(at, out->joinAuthorization,
	                             out->joinAccessControl, in));
	for (size_t i = 0; i < in->n_mechanisms; i++) {
		struct gpt_asn1_join_mechanism *m = gpt_encode_add(
			out->joinMechanisms, GPT_ASN1_JOIN_MECHANISM);

		if (!m)
			return GK_ERR_NOMEM;
		GK_TRY(join_mechanism(at, m, &in->mechanisms[i]));
	}
	return transport(at, out->transport, in->transport,
	                 GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);
}

enum gk_err
gpt_encode_deregistration_info(struct gpt_encode_place *at, void *made,
                               const void *model)
{
	const struct gpt_deregister *in = model;
	struct gpt_asn1_deregister *out = made;

	for (size_t i = 0; i < in->n_mechanisms; i++) {
		struct gpt_asn1_leave_mechanism *m = gpt_encode_add(
			out->leaveMechanisms, GPT_ASN1_LEAVE_MECHANISM);

		if (!m)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_encode_integer(m->sigAlgorithm,
		                          in->mechanisms[i].sig_algorithm));
		GK_TRY(gpt_encode_integer(m->hashAlgorithm,
		                          in->mechanisms[i].hash_algorithm));
		GK_TRY(gpt_encode_octets(m->cA,
		                         gk_buf_slice(&in->mechanisms[i].ca)));
	}
	out->terse = in->terse ? 0xff : 0;
	return transport(at, out->transport, in->transport, GPT_TRANSPORT_UDP);
}
