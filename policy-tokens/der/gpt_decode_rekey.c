/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "policy-tokens/der/gpt_decode_part.h"

static enum gk_err
rekey_event(struct gpt_decode_place *at, struct gpt_rekey *out,
            const struct gpt_asn1_rekey_event_def *in)
{
	out->event = (enum gpt_rekey_event)in->type;
	switch (out->event) {
	case GPT_REKEY_EVENT_NONE:
		return GK_OK;
	case GPT_REKEY_EVENT_TIME:
		return gpt_decode_lifedate(at, &out->event_time,
		                           in->value.timeOnly,
		                           "rekeyEventDef.timeOnly");
	case GPT_REKEY_EVENT_COUNT:
		return gpt_decode_integer(at, &out->event_count,
		                          in->value.event,
		                          "rekeyEventDef.event");
	case GPT_REKEY_EVENT_TIME_AND_COUNT:
		break;
	}
	GK_TRY(gpt_decode_lifedate(at, &out->event_time,
	                           in->value.timeAndEvent->time,
	                           "rekeyEventDef.timeAndEvent.time"));
	return gpt_decode_integer(at, &out->event_count,
	                          in->value.timeAndEvent->event,
	                          "rekeyEventDef.timeAndEvent.event");
}

/* "No information": NULL inside the OCTET STRING, or nothing at all. */
static enum gk_err
none_info(struct gpt_decode_place *at, struct gk_slice info,
          enum gpt_none_form *form, const char *field)
{
	static const uint8_t null[] = { 0x05, 0x00 };

	*form = info.len == 0 ? GPT_NONE_EMPTY : GPT_NONE_NULL;
	if (info.len != 0 &&
	    !gk_slice_equal(info, (struct gk_slice){ null, sizeof(null) }) &&
	    GK_CHECKED("RFC4534-1-04"))
		return gpt_decode_refuse(at, GK_ERR_VALUE, "RFC4534-1-04",
		                         field, "neither NULL nor empty");
	return GK_OK;
}

/* The INTEGER inside an OCTET STRING. */
static enum gk_err
integer_info(struct gpt_decode_place *at, struct gk_slice info, int64_t *out,
             const char *field)
{
	char path[sizeof(at->path) + 64];
	void *in;
	enum gk_err err;

	(void)snprintf(path, sizeof(path), "%s%.63s", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_INTEGER, info, path,
	                       gpt_decode_locate(at, info), &in, at->why));
	err = gpt_decode_integer(at, out, in, field);
	gpt_asn1_free(GPT_ASN1_INTEGER, in);
	return err;
}

static enum gk_err
rekey_method(struct gpt_decode_place *at, struct gpt_rekey *out, char **name,
             struct gk_slice info)
{
	if (strcmp(*name, GPT_OID_METHOD_NONE) == 0) {
		out->method = GPT_METHOD_NONE;
		return none_info(at, info, &out->method_none,
		                 "rekeyMethod.rekeyMethodInfo");
	}
	if (strcmp(*name, GPT_OID_METHOD_LKH) == 0) {
		out->method = GPT_METHOD_LKH;
		return integer_info(at, info, &out->lkh_key_type,
		                    "rekeyMethod.rekeyMethodInfo");
	}
	out->method = GPT_METHOD_UNKNOWN;
	return gpt_decode_extension(&out->method_ext, name, info);
}

static enum gk_err
post_info(struct gpt_decode_place *at, struct gpt_rekey *out,
          struct gk_slice info)
{
	const char *field = "reliability.reliabilityMechContent";
	struct gk_slice text;
	char path[sizeof(at->path) + 64];
	void *in;

	(void)snprintf(path, sizeof(path), "%s%.63s", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_IA5STRING, info, path,
	                       gpt_decode_locate(at, info), &in, at->why));
	text = gpt_decode_octets_of(in);
	out->post = calloc(1, text.len + 1);
	if (out->post)
		memcpy(out->post, text.ptr, text.len);
	gpt_asn1_free(GPT_ASN1_IA5STRING, in);
	if (!out->post)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		if ((out->post[i] < 0x20 || out->post[i] > 0x7e) &&
		    GK_CHECKED("RFC4534-B.5.6.3-01"))
			return gpt_decode_refuse(
				at, GK_ERR_VALUE, "RFC4534-B.5.6.3-01", field,
				"IA5String with a character that no "
				"identifier of a site has");
	return GK_OK;
}

static enum gk_err
reliability(struct gpt_decode_place *at, struct gpt_rekey *out, char **name,
            struct gk_slice info)
{
	if (strcmp(*name, GPT_OID_RELIABILITY_NONE) == 0) {
		out->reliability = GPT_RELIABILITY_NONE;
		return none_info(at, info, &out->reliability_none,
		                 "reliability.reliabilityMechContent");
	}
	if (strcmp(*name, GPT_OID_RELIABILITY_RESEND) == 0) {
		out->reliability = GPT_RELIABILITY_RESEND;
		return integer_info(at, info, &out->resend,
		                    "reliability.reliabilityMechContent");
	}
	if (strcmp(*name, GPT_OID_RELIABILITY_POST) == 0) {
		out->reliability = GPT_RELIABILITY_POST;
		return post_info(at, out, info);
	}
	out->reliability = GPT_RELIABILITY_UNKNOWN;
	return gpt_decode_extension(&out->reliability_ext, name, info);
}

static enum gk_err
sub_gcks(struct gpt_decode_place *at, struct gpt_rekey *out, char **name,
         struct gk_slice info)
{
	const char *field = "subGCKSInfo.sGCKSContent";
	const struct gpt_asn1_autonomous *autonomous;
	char path[sizeof(at->path) + 64];
	void *in;
	enum gk_err err;

	if (strcmp(*name, GPT_OID_SCHEME_NONE) == 0) {
		out->scheme = GPT_SCHEME_NONE;
		return none_info(at, info, &out->scheme_none, field);
	}
	if (strcmp(*name, GPT_OID_SCHEME_AUTONOMOUS) != 0) {
		out->scheme = GPT_SCHEME_UNKNOWN;
		return gpt_decode_extension(&out->scheme_ext, name, info);
	}

	out->scheme = GPT_SCHEME_AUTONOMOUS;
	(void)snprintf(path, sizeof(path), "%s%.62s.", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_AUTONOMOUS, info, path,
	                       gpt_decode_locate(at, info), &in, at->why));
	autonomous = in;
	err = gpt_decode_pairs(at, &out->auth_subs, autonomous->authSubs,
	                       "subGCKSInfo.sGCKSContent.authSubs");
	if (err == GK_OK && autonomous->domain) {
		out->has_domain = true;
		err = gpt_decode_octets(&out->domain, autonomous->domain);
	}
	gpt_asn1_free(GPT_ASN1_AUTONOMOUS, in);
	return err;
}

/* An OID, and what the octets beside it mean under that OID. */
static enum gk_err
open_type(struct gpt_decode_place *at, struct gpt_rekey *out,
          const ASN1_OBJECT *id, const ASN1_OCTET_STRING *info,
          const char *field,
          enum gk_err (*content)(struct gpt_decode_place *, struct gpt_rekey *,
                                 char **, struct gk_slice))
{
	char *name = NULL;
	enum gk_err err = gpt_decode_oid(at, &name, id, field);

	if (err == GK_OK)
		err = content(at, out, &name, gpt_decode_octets_of(info));
	free(name);
	return err;
}

static enum gk_err
rekey_info(struct gpt_decode_place *at, struct gpt_rekey *out,
           const struct gpt_asn1_rekey *in)
{
	GK_TRY(gpt_decode_pairs(at, &out->authorization, in->authorization,
	                        "authorization"));
	GK_TRY(gpt_decode_integer(at, &out->sig_algorithm,
	                          in->mechanism->sigAlgorithm,
	                          "mechanism.sigAlgorithm"));
	GK_TRY(gpt_decode_integer(at, &out->hash_algorithm,
	                          in->mechanism->hashAlgorithm,
	                          "mechanism.hashAlgorithm"));
	GK_TRY(rekey_event(at, out, in->rekeyEventDef));
	GK_TRY(open_type(at, out, in->rekeyMethod->rekeyMethodType,
	                 in->rekeyMethod->rekeyMethodInfo,
	                 "rekeyMethod.rekeyMethodType", rekey_method));
	GK_TRY(gpt_decode_lifedate(at, &out->interval, in->rekeyInterval,
	                           "rekeyInterval"));
	GK_TRY(open_type(at, out, in->reliability->reliabilityMechanism,
	                 in->reliability->reliabilityMechContent,
	                 "reliability.reliabilityMechanism", reliability));
	return open_type(at, out, in->subGCKSInfo->subGCKSScheme,
	                 in->subGCKSInfo->sGCKSContent,
	                 "subGCKSInfo.subGCKSScheme", sub_gcks);
}

enum gk_err
gpt_decode_protocol_rekey(struct gpt_decode_place *at, struct gpt_protocol *out,
                          struct gk_slice info)
{
	static const enum gpt_asn1_item readings[] = {
		GPT_ASN1_REKEY, GPT_ASN1_REKEY_EXPLICIT
	};
	size_t which;
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_REKEY));
	GK_TRY(gpt_decode_try_readings(at, info, readings, GK_COUNT(readings),
	                               &which, &in));
	out->rekey->tags = (enum gpt_tags)which;
	err = rekey_info(at, out->rekey, in);
	gpt_asn1_free(readings[which], in);
	return err;
}
