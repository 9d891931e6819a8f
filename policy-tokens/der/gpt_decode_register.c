/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_decode_part.h"

#include "common/base/gk_check.h"

static enum gk_err
access_control(struct gpt_decode_place *at, struct gpt_register *out,
               const struct gpt_asn1_access_control *in)
{
	struct gpt_access_control *access = gpt_register_add_access(out);

	if (!access)
		return GK_ERR_NOMEM;
	access->has_permissions = in->permissions != NULL;
	for (int i = 0; i < OPENSSL_sk_num(in->permissions); i++) {
		const struct gpt_asn1_permission *p =
			OPENSSL_sk_value(in->permissions, i);
		int64_t level;

		/* RFC4534-B.1.2-05 */
		if ((ASN1_ENUMERATED_get_int64(
			     &level, p->value.simplePermission) != 1 ||
		     level < 1 || level > 9) &&
		    GK_CHECKED("RFC4534-B.1.2-05"))
			return gpt_decode_refuse(
				at, GK_ERR_VALUE, "RFC4534-B.1.2-05",
				"joinAccessControl.permissions."
				"simplePermission",
				"not one of the nine permissions");
		GK_TRY(gpt_access_control_permit(access, (uint8_t)level));
	}
	GK_TRY(gpt_decode_pairs(at, &access->rules, in->accessRule,
	                        "joinAccessControl.accessRule"));
	access->has_exclusions = in->exclusionsRule != NULL;
	return gpt_decode_pairs(at, &access->exclusions, in->exclusionsRule,
	                        "joinAccessControl.exclusionsRule");
}

static enum gk_err
alacarte(struct gpt_decode_place *at, struct gpt_mechanisms *out,
         const struct gpt_asn1_mechanisms *in)
{
	GK_TRY(gpt_decode_integer(
		at, &out->sig_algorithm, in->signatureDef->sigAlgorithmID,
		"joinMechanisms.alaCarte.signatureDef.sigAlgorithmID"));
	GK_TRY(gpt_decode_integer(
		at, &out->hash_algorithm, in->signatureDef->hashAlgorithmID,
		"joinMechanisms.alaCarte.signatureDef.hashAlgorithmID"));
	GK_TRY(gpt_decode_integer(
		at, &out->key_exchange, in->kEAlg->keyExchangeAlgorithmID,
		"joinMechanisms.alaCarte.kEAlg.keyExchangeAlgorithmID"));
	if (in->kEAlg->keyExchangeAlgorithmData) {
		out->has_key_exchange_data = true;
		GK_TRY(gpt_decode_octets(&out->key_exchange_data,
		                         in->kEAlg->keyExchangeAlgorithmData));
	}
	GK_TRY(gpt_decode_integer(at, &out->key_wrap, in->keyWrap,
	                          "joinMechanisms.alaCarte.keyWrap"));
	GK_TRY(gpt_decode_lifedate(at, &out->timeout, in->opInfo->timeOut,
	                           "joinMechanisms.alaCarte.opInfo.timeOut"));
	GK_TRY(gpt_decode_boolean(at, &out->terse, in->opInfo->terse,
	                          "joinMechanisms.alaCarte.opInfo.terse"));
	if (in->opInfo->timestamp != -1) {
		out->has_timestamp = true;
		GK_TRY(gpt_decode_boolean(
			at, &out->timestamp, in->opInfo->timestamp,
			"joinMechanisms.alaCarte.opInfo.timestamp"));
	}
	return GK_OK;
}

enum gk_err
gpt_decode_membership(struct gpt_decode_place *at, struct gpt_register *out,
                      const struct gpt_asn1_join_authorization *auth,
                      const OPENSSL_STACK *access)
{
	GK_TRY(gpt_decode_pairs(at, &out->gcks, auth->gCKS,
	                        "joinAuthorization.gCKS"));
	out->has_sub_gcks = auth->subGCKS != NULL;
	for (int i = 0; i < OPENSSL_sk_num(auth->subGCKS); i++) {
		struct gpt_pairs *sub = gpt_register_add_sub(out);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_decode_pairs(at, sub,
		                        OPENSSL_sk_value(auth->subGCKS, i),
		                        "joinAuthorization.subGCKS"));
	}
	out->senders_limited = auth->senders->type == GPT_ASN1_LIMITED;
	if (out->senders_limited)
		GK_TRY(gpt_decode_pairs(at, &out->senders,
		                        auth->senders->value.limited,
		                        "joinAuthorization.senders.limited"));

	for (int i = 0; i < OPENSSL_sk_num(access); i++)
		GK_TRY(access_control(at, out, OPENSSL_sk_value(access, i)));
	return GK_OK;
}

static enum gk_err
registration_info(struct gpt_decode_place *at, struct gpt_register *out,
                  const struct gpt_asn1_register *in)
{
	GK_TRY(gpt_decode_membership(at, out, in->joinAuthorization,
	                             in->joinAccessControl));
	for (int i = 0; i < OPENSSL_sk_num(in->joinMechanisms); i++) {
		const struct gpt_asn1_join_mechanism *m =
			OPENSSL_sk_value(in->joinMechanisms, i);
		struct gpt_join_mechanism *set =
			gpt_register_add_mechanism(out);

		if (!set)
			return GK_ERR_NOMEM;
		if (m->type == GPT_ASN1_SUITE)
			GK_TRY(gpt_decode_oid(at, &set->suite, m->value.suite,
			                      "joinMechanisms.suite"));
		else
			GK_TRY(alacarte(at, &set->alacarte, m->value.alaCarte));
	}
	out->transport = (enum gpt_transport)in->transport->type;
	return GK_OK;
}

enum gk_err
gpt_decode_protocol_register(struct gpt_decode_place *at,
                             struct gpt_protocol *out, struct gk_slice info)
{
	static const enum gpt_asn1_item readings[] = {
		GPT_ASN1_REGISTER, GPT_ASN1_REGISTER_EXPLICIT
	};
	size_t which;
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_REGISTER));
	GK_TRY(gpt_decode_try_readings(at, info, readings, GK_COUNT(readings),
	                               &which, &in));
	out->reg->tags = (enum gpt_tags)which;
	err = registration_info(at, out->reg, in);
	gpt_asn1_free(readings[which], in);
	return err;
}

static enum gk_err
deregistration_info(struct gpt_decode_place *at, struct gpt_deregister *out,
                    const struct gpt_asn1_deregister *in)
{
	for (int i = 0; i < OPENSSL_sk_num(in->leaveMechanisms); i++) {
		const struct gpt_asn1_leave_mechanism *m =
			OPENSSL_sk_value(in->leaveMechanisms, i);
		struct gpt_leave_mechanism *leave =
			gpt_deregister_add_mechanism(out);

		if (!leave)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_decode_integer(at, &leave->sig_algorithm,
		                          m->sigAlgorithm,
		                          "leaveMechanisms.sigAlgorithm"));
		GK_TRY(gpt_decode_integer(at, &leave->hash_algorithm,
		                          m->hashAlgorithm,
		                          "leaveMechanisms.hashAlgorithm"));
		GK_TRY(gpt_decode_octets(&leave->ca, m->cA));
	}
	out->terse = true;
	if (!out->no_terse)
		GK_TRY(gpt_decode_boolean(at, &out->terse, in->terse, "terse"));
	out->transport = (enum gpt_transport)in->transport->type;
	return GK_OK;
}

enum gk_err
gpt_decode_protocol_deregister(struct gpt_decode_place *at,
                               struct gpt_protocol *out, struct gk_slice info)
{
	static const enum gpt_asn1_item readings[] = {
		GPT_ASN1_DEREGISTER,
		GPT_ASN1_DEREGISTER_EXPLICIT,
		GPT_ASN1_DEREGISTER_MODULE,
		GPT_ASN1_DEREGISTER_MODULE_EXPLICIT,
	};
	size_t which;
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_DEREGISTER));
	GK_TRY(gpt_decode_try_readings(at, info, readings, GK_COUNT(readings),
	                               &which, &in));
	out->dereg->tags = (which & 1) ? GPT_TAGS_EXPLICIT : GPT_TAGS_IMPLICIT;
	out->dereg->no_terse = which >= 2;
	err = deregistration_info(at, out->dereg, in);
	gpt_asn1_free(readings[which], in);
	return err;
}
