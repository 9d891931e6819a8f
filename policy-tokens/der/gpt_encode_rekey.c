/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_encode_part.h"

static enum gk_err
rekey_event(struct gpt_encode_place *at, struct gpt_asn1_rekey_event_def *out,
            const struct gpt_rekey *in)
{
	struct gpt_asn1_time_and_event *both;

	out->type = (int)in->event;
	switch (in->event) {
	case GPT_REKEY_EVENT_NONE:
		return gpt_encode_null(&out->value.none);
	case GPT_REKEY_EVENT_TIME:
		out->value.timeOnly = gpt_asn1_new(GPT_ASN1_LIFEDATE);
		return out->value.timeOnly
		               ? gpt_encode_lifedate(at, out->value.timeOnly,
		                                     in->event_time,
		                                     "rekeyEventDef.timeOnly")
		               : GK_ERR_NOMEM;
	case GPT_REKEY_EVENT_COUNT:
		out->value.event = ASN1_INTEGER_new();
		return out->value.event ? gpt_encode_integer(out->value.event,
		                                             in->event_count)
		                        : GK_ERR_NOMEM;
	case GPT_REKEY_EVENT_TIME_AND_COUNT:
		both = gpt_asn1_new(GPT_ASN1_TIME_AND_EVENT);
		out->value.timeAndEvent = both;
		if (!both)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_encode_lifedate(at, both->time, in->event_time,
		                           "rekeyEventDef.timeAndEvent.time"));
		return gpt_encode_integer(both->event, in->event_count);
	}
	return gpt_encode_refuse(at, "rekeyEventDef", "no such rekey event");
}

static enum gk_err
wrap_none(ASN1_OCTET_STRING *out, enum gpt_none_form form)
{
	static const uint8_t none[] = { 0x05, 0x00 };

	return gpt_encode_octets(
		out, (struct gk_slice){
			     none, form == GPT_NONE_NULL ? sizeof(none) : 0 });
}

static enum gk_err
wrap_integer(ASN1_OCTET_STRING *out, int64_t in)
{
	ASN1_INTEGER *made = ASN1_INTEGER_new();
	enum gk_err err = made ? gpt_encode_integer(made, in) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = gpt_encode_wrap(out, GPT_ASN1_INTEGER, made);
	ASN1_INTEGER_free(made);
	return err;
}

static enum gk_err
wrap_post(struct gpt_encode_place *at, ASN1_OCTET_STRING *out, const char *post)
{
	ASN1_IA5STRING *made;
	enum gk_err err;

	for (const char *c = post ? post : ""; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return gpt_encode_refuse(
				at, "reliability.reliabilityMechContent",
				"not printable ASCII");
	made = ASN1_IA5STRING_new();
	err = made && ASN1_STRING_set(made, post ? post : "", -1) == 1
	              ? gpt_encode_wrap(out, GPT_ASN1_IA5STRING, made)
	              : GK_ERR_NOMEM;
	ASN1_IA5STRING_free(made);
	return err;
}

static enum gk_err
wrap_autonomous(ASN1_OCTET_STRING *out, const struct gpt_rekey *in)
{
	struct gpt_asn1_autonomous *made = gpt_asn1_new(GPT_ASN1_AUTONOMOUS);
	enum gk_err err =
		made ? gpt_encode_pairs(made->authSubs, &in->auth_subs)
		     : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = gpt_encode_octets_opt(&made->domain, in->has_domain,
		                            &in->domain);
	if (err == GK_OK)
		err = gpt_encode_wrap(out, GPT_ASN1_AUTONOMOUS, made);
	gpt_asn1_free(GPT_ASN1_AUTONOMOUS, made);
	return err;
}

static enum gk_err
rekey_method(struct gpt_encode_place *at, struct gpt_asn1_rekey_method *out,
             const struct gpt_rekey *in)
{
	const char *field = "rekeyMethod.rekeyMethodType";

	switch (in->method) {
	case GPT_METHOD_NONE:
		GK_TRY(gpt_encode_oid(at, &out->rekeyMethodType,
		                      GPT_OID_METHOD_NONE, field));
		return wrap_none(out->rekeyMethodInfo, in->method_none);
	case GPT_METHOD_LKH:
		GK_TRY(gpt_encode_oid(at, &out->rekeyMethodType,
		                      GPT_OID_METHOD_LKH, field));
		return wrap_integer(out->rekeyMethodInfo, in->lkh_key_type);
	case GPT_METHOD_UNKNOWN:
		break;
	}
	GK_TRY(gpt_encode_oid(at, &out->rekeyMethodType, in->method_ext.oid,
	                      field));
	return gpt_encode_octets(out->rekeyMethodInfo,
	                         gk_buf_slice(&in->method_ext.octets));
}

static enum gk_err
reliability(struct gpt_encode_place *at, struct gpt_asn1_reliability *out,
            const struct gpt_rekey *in)
{
	const char *field = "reliability.reliabilityMechanism";
	ASN1_OBJECT **type = &out->reliabilityMechanism;
	ASN1_OCTET_STRING *info = out->reliabilityMechContent;

	switch (in->reliability) {
	case GPT_RELIABILITY_NONE:
		GK_TRY(gpt_encode_oid(at, type, GPT_OID_RELIABILITY_NONE,
		                      field));
		return wrap_none(info, in->reliability_none);
	case GPT_RELIABILITY_RESEND:
		GK_TRY(gpt_encode_oid(at, type, GPT_OID_RELIABILITY_RESEND,
		                      field));
		return wrap_integer(info, in->resend);
	case GPT_RELIABILITY_POST:
		GK_TRY(gpt_encode_oid(at, type, GPT_OID_RELIABILITY_POST,
		                      field));
		return wrap_post(at, info, in->post);
	case GPT_RELIABILITY_UNKNOWN:
		break;
	}
	GK_TRY(gpt_encode_oid(at, type, in->reliability_ext.oid, field));
	return gpt_encode_octets(info,
	                         gk_buf_slice(&in->reliability_ext.octets));
}

static enum gk_err
sub_gcks(struct gpt_encode_place *at, struct gpt_asn1_sub_gcks_info *out,
         const struct gpt_rekey *in)
{
	const char *field = "subGCKSInfo.subGCKSScheme";

	switch (in->scheme) {
	case GPT_SCHEME_NONE:
		GK_TRY(gpt_encode_oid(at, &out->subGCKSScheme,
		                      GPT_OID_SCHEME_NONE, field));
		return wrap_none(out->sGCKSContent, in->scheme_none);
	case GPT_SCHEME_AUTONOMOUS:
		GK_TRY(gpt_encode_oid(at, &out->subGCKSScheme,
		                      GPT_OID_SCHEME_AUTONOMOUS, field));
		return wrap_autonomous(out->sGCKSContent, in);
	case GPT_SCHEME_UNKNOWN:
		break;
	}
	GK_TRY(gpt_encode_oid(at, &out->subGCKSScheme, in->scheme_ext.oid,
	                      field));
	return gpt_encode_octets(out->sGCKSContent,
	                         gk_buf_slice(&in->scheme_ext.octets));
}

enum gk_err
gpt_encode_rekey_info(struct gpt_encode_place *at, void *made,
                      const void *model)
{
	const struct gpt_rekey *in = model;
	struct gpt_asn1_rekey *out = made;

	GK_TRY(gpt_encode_pairs(out->authorization, &in->authorization));
	GK_TRY(gpt_encode_integer(out->mechanism->sigAlgorithm,
	                          in->sig_algorithm));
	GK_TRY(gpt_encode_integer(out->mechanism->hashAlgorithm,
	                          in->hash_algorithm));
	GK_TRY(rekey_event(at, out->rekeyEventDef, in));
	GK_TRY(rekey_method(at, out->rekeyMethod, in));
	GK_TRY(gpt_encode_lifedate(at, out->rekeyInterval, in->interval,
	                           "rekeyInterval"));
	GK_TRY(reliability(at, out->reliability, in));
	return sub_gcks(at, out->subGCKSInfo, in);
}
