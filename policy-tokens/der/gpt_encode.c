/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "policy-tokens/der/gpt_asn1.h"
#include "policy-tokens/der/gpt_der.h"

/* Where we are, for refusals. */
struct place {
	char path[96];
	struct gpt_fault *why;
};

static enum gk_err
refuse(struct place *at, const char *field, const char *text)
{
	char path[sizeof(at->path) + 128];

	(void)snprintf(path, sizeof(path), "%s%.127s", at->path, field);
	return gpt_fault_set(at->why, GK_ERR_VALUE, "RFC4534-1-04", path, "%s",
	                     text);
}

/* --- scalars ------------------------------------------------------------------ */

static enum gk_err
octets(ASN1_OCTET_STRING *out, struct gk_slice in)
{
	if (in.len > GPT_TOKEN_CAP)
		return GK_ERR_SPACE;
	return ASN1_OCTET_STRING_set(out, in.ptr, (int)in.len) == 1
	               ? GK_OK
	               : GK_ERR_NOMEM;
}

static enum gk_err
octets_opt(ASN1_OCTET_STRING **out, bool present, const struct gk_buf *in)
{
	if (!present)
		return GK_OK;
	*out = ASN1_OCTET_STRING_new();
	return *out ? octets(*out, gk_buf_slice(in)) : GK_ERR_NOMEM;
}

static enum gk_err
integer(ASN1_INTEGER *out, int64_t in)
{
	return ASN1_INTEGER_set_int64(out, in) == 1 ? GK_OK : GK_ERR_NOMEM;
}

static enum gk_err
null(ASN1_NULL **out)
{
	*out = ASN1_NULL_new();
	return *out ? GK_OK : GK_ERR_NOMEM;
}

static enum gk_err
oid(struct place *at, ASN1_OBJECT **out, const char *in, const char *field)
{
	ASN1_OBJECT *made = NULL;

	/* OBJ_txt2obj() would also take names and odd spellings. */
	if (in && strlen(in) <= GPT_OID_CAP &&
	    in[strspn(in, "0123456789.")] == '\0')
		made = OBJ_txt2obj(in, 1);
	if (!made)
		return refuse(at, field,
		              "not an object identifier in dotted "
		              "decimal");
	ASN1_OBJECT_free(*out);
	*out = made;
	return GK_OK;
}

static enum gk_err
date(struct place *at, ASN1_STRING *out, int64_t value, bool utc,
     const char *field)
{
	int f[6];
	char text[32];

	if (value < GK_UTC_MIN || value > GK_UTC_MAX)
		return refuse(at, field, "year outside 0000 to 9999");
	gk_utc_to_civil(value, &f[0], &f[1], &f[2], &f[3], &f[4], &f[5]);
	if (utc && (f[0] < 1950 || f[0] > 2049))
		return refuse(at, field, "year that UTCTime cannot say");
	(void)snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", f[0],
	               f[1], f[2], f[3], f[4], f[5]);
	return ASN1_STRING_set(out, text + (utc ? 2 : 0), -1) == 1
	               ? GK_OK
	               : GK_ERR_NOMEM;
}

static enum gk_err
lifedate(struct place *at, struct gpt_asn1_lifedate *out,
         struct gpt_lifedate in, const char *field)
{
	switch (in.kind) {
	case GPT_LIFEDATE_INTERVAL:
		out->type = GPT_ASN1_INTERVAL;
		out->value.interval = ASN1_INTEGER_new();
		return out->value.interval
		               ? integer(out->value.interval, in.value)
		               : GK_ERR_NOMEM;
	case GPT_LIFEDATE_GT:
		out->type = GPT_ASN1_GT;
		out->value.gt = ASN1_GENERALIZEDTIME_new();
		return out->value.gt
		               ? date(at, out->value.gt, in.value, false, field)
		               : GK_ERR_NOMEM;
	case GPT_LIFEDATE_UTC:
		out->type = GPT_ASN1_UTC;
		out->value.utc = ASN1_UTCTIME_new();
		return out->value.utc
		               ? date(at, out->value.utc, in.value, true, field)
		               : GK_ERR_NOMEM;
	}
	return refuse(at, field, "no kind of LifeDate");
}

/* A new list element, already in the list. */
static void *
add(OPENSSL_STACK *list, enum gpt_asn1_item item)
{
	void *made = gpt_asn1_new(item);

	if (made && OPENSSL_sk_push(list, made) <= 0) {
		gpt_asn1_free(item, made);
		made = NULL;
	}
	return made;
}

static enum gk_err
pairs(OPENSSL_STACK *out, const struct gpt_pairs *in)
{
	for (size_t i = 0; i < in->n; i++) {
		struct gpt_asn1_pair *p = add(out, GPT_ASN1_PAIR);

		if (!p)
			return GK_ERR_NOMEM;
		GK_TRY(integer(p->groupEntity->typeValue,
		               in->at[i].entity.type));
		GK_TRY(octets(p->groupEntity->typeData,
		              gk_buf_slice(&in->at[i].entity.data)));
		GK_TRY(octets(p->cA, gk_buf_slice(&in->at[i].ca)));
	}
	return GK_OK;
}

/* An optional list of pairs: absent is not the same as empty. */
static enum gk_err
pairs_opt(OPENSSL_STACK **out, bool present, const struct gpt_pairs *in)
{
	if (!present)
		return GK_OK;
	*out = OPENSSL_sk_new_null();
	return *out ? pairs(*out, in) : GK_ERR_NOMEM;
}

/* --- registration -------------------------------------------------------------- */

static enum gk_err
permissions(struct place *at, OPENSSL_STACK **out,
            const struct gpt_access_control *in)
{
	if (!in->has_permissions)
		return GK_OK;
	*out = OPENSSL_sk_new_null();
	if (!*out)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < in->n_permissions; i++) {
		struct gpt_asn1_permission *p = add(*out, GPT_ASN1_PERMISSION);

		if (!p)
			return GK_ERR_NOMEM;
		if (in->permissions[i] < 1 || in->permissions[i] > 9)
			return refuse(at, "joinAccessControl.permissions",
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
alacarte(struct place *at, struct gpt_asn1_mechanisms *out,
         const struct gpt_mechanisms *in)
{
	GK_TRY(integer(out->signatureDef->sigAlgorithmID, in->sig_algorithm));
	GK_TRY(integer(out->signatureDef->hashAlgorithmID, in->hash_algorithm));
	GK_TRY(integer(out->kEAlg->keyExchangeAlgorithmID, in->key_exchange));
	GK_TRY(octets_opt(&out->kEAlg->keyExchangeAlgorithmData,
	                  in->has_key_exchange_data, &in->key_exchange_data));
	GK_TRY(integer(out->keyWrap, in->key_wrap));
	out->ackData->type = 0;
	GK_TRY(null(&out->ackData->value.none));
	GK_TRY(lifedate(at, out->opInfo->timeOut, in->timeout,
	                "joinMechanisms.alaCarte.opInfo.timeOut"));
	out->opInfo->terse = in->terse ? 0xff : 0;
	out->opInfo->timestamp =
		in->has_timestamp ? (in->timestamp ? 0xff : 0) : -1;
	return GK_OK;
}

static enum gk_err
join_mechanism(struct place *at, struct gpt_asn1_join_mechanism *out,
               const struct gpt_join_mechanism *in)
{
	if (in->suite) {
		out->type = GPT_ASN1_SUITE;
		return oid(at, &out->value.suite, in->suite,
		           "joinMechanisms.suite");
	}
	out->type = GPT_ASN1_ALACARTE;
	out->value.alaCarte = gpt_asn1_new(GPT_ASN1_MECHANISMS);
	return out->value.alaCarte
	               ? alacarte(at, out->value.alaCarte, &in->alacarte)
	               : GK_ERR_NOMEM;
}

static enum gk_err
transport(struct place *at, struct gpt_asn1_transport *out,
          enum gpt_transport in, enum gpt_transport last)
{
	if (in > last)
		return refuse(at, "transport", "no such transport here");
	out->type = (int)in;
	return null(&out->value.tcp); /* the arms are all alike */
}

static enum gk_err
registration_info(struct place *at, void *made, const void *model)
{
	const struct gpt_register *in = model;
	struct gpt_asn1_register *out = made;
	struct gpt_asn1_join_authorization *auth = out->joinAuthorization;

	GK_TRY(pairs(auth->gCKS, &in->gcks));
	if (in->has_sub_gcks) {
		auth->subGCKS = OPENSSL_sk_new_null();
		if (!auth->subGCKS)
			return GK_ERR_NOMEM;
	}
	for (size_t i = 0; i < in->n_sub_gcks; i++) {
		OPENSSL_STACK *sub = add(auth->subGCKS, GPT_ASN1_GCKS_NAME);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(pairs(sub, &in->sub_gcks[i]));
	}
	if (in->senders_limited) {
		auth->senders->type = GPT_ASN1_LIMITED;
		GK_TRY(pairs_opt(&auth->senders->value.limited, true,
		                 &in->senders));
	} else {
		auth->senders->type = GPT_ASN1_ALL;
		GK_TRY(null(&auth->senders->value.all));
	}
	for (size_t i = 0; i < in->n_access; i++) {
		const struct gpt_access_control *entry = &in->access[i];
		struct gpt_asn1_access_control *access =
			add(out->joinAccessControl, GPT_ASN1_ACCESS_CONTROL);

		if (!access)
			return GK_ERR_NOMEM;
		GK_TRY(permissions(at, &access->permissions, entry));
		GK_TRY(pairs(access->accessRule, &entry->rules));
		GK_TRY(pairs_opt(&access->exclusionsRule, entry->has_exclusions,
		                 &entry->exclusions));
	}
	for (size_t i = 0; i < in->n_mechanisms; i++) {
		struct gpt_asn1_join_mechanism *m =
			add(out->joinMechanisms, GPT_ASN1_JOIN_MECHANISM);

		if (!m)
			return GK_ERR_NOMEM;
		GK_TRY(join_mechanism(at, m, &in->mechanisms[i]));
	}
	return transport(at, out->transport, in->transport,
	                 GPT_TRANSPORT_UDP_RTJ_TCP_OTHER);
}

/* --- de-registration --------------------------------------------------------------- */

static enum gk_err
deregistration_info(struct place *at, void *made, const void *model)
{
	const struct gpt_deregister *in = model;
	struct gpt_asn1_deregister *out = made;

	for (size_t i = 0; i < in->n_mechanisms; i++) {
		struct gpt_asn1_leave_mechanism *m =
			add(out->leaveMechanisms, GPT_ASN1_LEAVE_MECHANISM);

		if (!m)
			return GK_ERR_NOMEM;
		GK_TRY(integer(m->sigAlgorithm,
		               in->mechanisms[i].sig_algorithm));
		GK_TRY(integer(m->hashAlgorithm,
		               in->mechanisms[i].hash_algorithm));
		GK_TRY(octets(m->cA, gk_buf_slice(&in->mechanisms[i].ca)));
	}
	out->terse = in->terse ? 0xff : 0;
	return transport(at, out->transport, in->transport, GPT_TRANSPORT_UDP);
}

/* --- rekey ----------------------------------------------------------------------------- */

static enum gk_err
rekey_event(struct place *at, struct gpt_asn1_rekey_event_def *out,
            const struct gpt_rekey *in)
{
	struct gpt_asn1_time_and_event *both;

	out->type = (int)in->event;
	switch (in->event) {
	case GPT_REKEY_EVENT_NONE:
		return null(&out->value.none);
	case GPT_REKEY_EVENT_TIME:
		out->value.timeOnly = gpt_asn1_new(GPT_ASN1_LIFEDATE);
		return out->value.timeOnly ? lifedate(at, out->value.timeOnly,
		                                      in->event_time,
		                                      "rekeyEventDef.timeOnly")
		                           : GK_ERR_NOMEM;
	case GPT_REKEY_EVENT_COUNT:
		out->value.event = ASN1_INTEGER_new();
		return out->value.event
		               ? integer(out->value.event, in->event_count)
		               : GK_ERR_NOMEM;
	case GPT_REKEY_EVENT_TIME_AND_COUNT:
		both = gpt_asn1_new(GPT_ASN1_TIME_AND_EVENT);
		out->value.timeAndEvent = both;
		if (!both)
			return GK_ERR_NOMEM;
		GK_TRY(lifedate(at, both->time, in->event_time,
		                "rekeyEventDef.timeAndEvent.time"));
		return integer(both->event, in->event_count);
	}
	return refuse(at, "rekeyEventDef", "no such rekey event");
}

/* The DER of @made (of type @item) into an OCTET STRING. */
static enum gk_err
wrap(ASN1_OCTET_STRING *out, enum gpt_asn1_item item, const void *made)
{
	struct gk_buf der = { 0 };
	enum gk_err err = gpt_asn1_encode(item, made, &der);

	if (err == GK_OK)
		err = octets(out, gk_buf_slice(&der));
	gk_buf_free(&der);
	return err;
}

static enum gk_err
wrap_none(ASN1_OCTET_STRING *out, enum gpt_none_form form)
{
	static const uint8_t none[] = { 0x05, 0x00 };

	return octets(out, (struct gk_slice){ none, form == GPT_NONE_NULL
	                                                    ? sizeof(none)
	                                                    : 0 });
}

static enum gk_err
wrap_integer(ASN1_OCTET_STRING *out, int64_t in)
{
	ASN1_INTEGER *made = ASN1_INTEGER_new();
	enum gk_err err = made ? integer(made, in) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = wrap(out, GPT_ASN1_INTEGER, made);
	ASN1_INTEGER_free(made);
	return err;
}

static enum gk_err
wrap_post(struct place *at, ASN1_OCTET_STRING *out, const char *post)
{
	ASN1_IA5STRING *made;
	enum gk_err err;

	for (const char *c = post ? post : ""; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return refuse(at, "reliability.reliabilityMechContent",
			              "not printable ASCII");
	made = ASN1_IA5STRING_new();
	err = made && ASN1_STRING_set(made, post ? post : "", -1) == 1
	              ? wrap(out, GPT_ASN1_IA5STRING, made)
	              : GK_ERR_NOMEM;
	ASN1_IA5STRING_free(made);
	return err;
}

static enum gk_err
wrap_autonomous(ASN1_OCTET_STRING *out, const struct gpt_rekey *in)
{
	struct gpt_asn1_autonomous *made = gpt_asn1_new(GPT_ASN1_AUTONOMOUS);
	enum gk_err err =
		made ? pairs(made->authSubs, &in->auth_subs) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = octets_opt(&made->domain, in->has_domain, &in->domain);
	if (err == GK_OK)
		err = wrap(out, GPT_ASN1_AUTONOMOUS, made);
	gpt_asn1_free(GPT_ASN1_AUTONOMOUS, made);
	return err;
}

static enum gk_err
rekey_method(struct place *at, struct gpt_asn1_rekey_method *out,
             const struct gpt_rekey *in)
{
	const char *field = "rekeyMethod.rekeyMethodType";

	switch (in->method) {
	case GPT_METHOD_NONE:
		GK_TRY(oid(at, &out->rekeyMethodType, GPT_OID_METHOD_NONE,
		           field));
		return wrap_none(out->rekeyMethodInfo, in->method_none);
	case GPT_METHOD_LKH:
		GK_TRY(oid(at, &out->rekeyMethodType, GPT_OID_METHOD_LKH,
		           field));
		return wrap_integer(out->rekeyMethodInfo, in->lkh_key_type);
	case GPT_METHOD_UNKNOWN:
		break;
	}
	GK_TRY(oid(at, &out->rekeyMethodType, in->method_ext.oid, field));
	return octets(out->rekeyMethodInfo,
	              gk_buf_slice(&in->method_ext.octets));
}

static enum gk_err
reliability(struct place *at, struct gpt_asn1_reliability *out,
            const struct gpt_rekey *in)
{
	const char *field = "reliability.reliabilityMechanism";
	ASN1_OBJECT **type = &out->reliabilityMechanism;
	ASN1_OCTET_STRING *info = out->reliabilityMechContent;

	switch (in->reliability) {
	case GPT_RELIABILITY_NONE:
		GK_TRY(oid(at, type, GPT_OID_RELIABILITY_NONE, field));
		return wrap_none(info, in->reliability_none);
	case GPT_RELIABILITY_RESEND:
		GK_TRY(oid(at, type, GPT_OID_RELIABILITY_RESEND, field));
		return wrap_integer(info, in->resend);
	case GPT_RELIABILITY_POST:
		GK_TRY(oid(at, type, GPT_OID_RELIABILITY_POST, field));
		return wrap_post(at, info, in->post);
	case GPT_RELIABILITY_UNKNOWN:
		break;
	}
	GK_TRY(oid(at, type, in->reliability_ext.oid, field));
	return octets(info, gk_buf_slice(&in->reliability_ext.octets));
}

static enum gk_err
sub_gcks(struct place *at, struct gpt_asn1_sub_gcks_info *out,
         const struct gpt_rekey *in)
{
	const char *field = "subGCKSInfo.subGCKSScheme";

	switch (in->scheme) {
	case GPT_SCHEME_NONE:
		GK_TRY(oid(at, &out->subGCKSScheme, GPT_OID_SCHEME_NONE,
		           field));
		return wrap_none(out->sGCKSContent, in->scheme_none);
	case GPT_SCHEME_AUTONOMOUS:
		GK_TRY(oid(at, &out->subGCKSScheme, GPT_OID_SCHEME_AUTONOMOUS,
		           field));
		return wrap_autonomous(out->sGCKSContent, in);
	case GPT_SCHEME_UNKNOWN:
		break;
	}
	GK_TRY(oid(at, &out->subGCKSScheme, in->scheme_ext.oid, field));
	return octets(out->sGCKSContent, gk_buf_slice(&in->scheme_ext.octets));
}

static enum gk_err
rekey_info(struct place *at, void *made, const void *model)
{
	const struct gpt_rekey *in = model;
	struct gpt_asn1_rekey *out = made;

	GK_TRY(pairs(out->authorization, &in->authorization));
	GK_TRY(integer(out->mechanism->sigAlgorithm, in->sig_algorithm));
	GK_TRY(integer(out->mechanism->hashAlgorithm, in->hash_algorithm));
	GK_TRY(rekey_event(at, out->rekeyEventDef, in));
	GK_TRY(rekey_method(at, out->rekeyMethod, in));
	GK_TRY(lifedate(at, out->rekeyInterval, in->interval, "rekeyInterval"));
	GK_TRY(reliability(at, out->reliability, in));
	return sub_gcks(at, out->subGCKSInfo, in);
}

/* --- data ------------------------------------------------------------------------------- */

static enum gk_err
key_info(struct place *at, struct gpt_asn1_key_info **out, bool present,
         const struct gpt_key_info *in, const char *field)
{
	if (!present)
		return GK_OK;
	*out = gpt_asn1_new(GPT_ASN1_KEY_INFO);
	if (!*out)
		return GK_ERR_NOMEM;
	GK_TRY(octets((*out)->kMKeyID, gk_buf_slice(&in->key_id)));
	if (!in->has_expiration)
		return GK_OK;
	(*out)->keyExpirationDate = gpt_asn1_new(GPT_ASN1_LIFEDATE);
	return (*out)->keyExpirationDate
	               ? lifedate(at, (*out)->keyExpirationDate, in->expiration,
	                          field)
	               : GK_ERR_NOMEM;
}

static enum gk_err
data_info(struct place *at, void *made, const void *model)
{
	const struct gpt_data *in = model;
	struct gpt_asn1_data *out = made;

	GK_TRY(key_info(at, &out->authentication, in->has_authentication,
	                &in->authentication,
	                "authentication.keyExpirationDate"));
	return key_info(at, &out->encryption, in->has_encryption,
	                &in->encryption, "encryption.keyExpirationDate");
}

/* --- the core token ------------------------------------------------------------------------ */

/* Encode one protocolInfo with @fill into the OCTET STRING. */
static enum gk_err
protocol_info(struct place *at, ASN1_OCTET_STRING *out, enum gpt_asn1_item item,
              enum gk_err (*fill)(struct place *, void *, const void *),
              const void *model)
{
	void *made = gpt_asn1_new(item);
	enum gk_err err = made ? fill(at, made, model) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = wrap(out, item, made);
	gpt_asn1_free(item, made);
	return err;
}

static enum gpt_asn1_item
deregister_item(const struct gpt_deregister *dereg)
{
	if (dereg->no_terse)
		return dereg->tags == GPT_TAGS_IMPLICIT
		               ? GPT_ASN1_DEREGISTER_MODULE
		               : GPT_ASN1_DEREGISTER_MODULE_EXPLICIT;
	return dereg->tags == GPT_TAGS_IMPLICIT ? GPT_ASN1_DEREGISTER
	                                        : GPT_ASN1_DEREGISTER_EXPLICIT;
}

static enum gk_err
protocol(struct place *at, struct gpt_asn1_protocol *out,
         const struct gpt_protocol *in)
{
	ASN1_OBJECT **id = &out->protocol;
	ASN1_OCTET_STRING *info = out->protocolInfo;

	switch (in->kind) {
	case GPT_PROTOCOL_REGISTER:
		GK_TRY(oid(at, id,
		           in->reg->oid_form == GPT_OID_IANA
		                   ? GPT_OID_REGISTER
		                   : GPT_OID_REGISTER_MODULE,
		           "protocol"));
		return protocol_info(at, info,
		                     in->reg->tags == GPT_TAGS_IMPLICIT
		                             ? GPT_ASN1_REGISTER
		                             : GPT_ASN1_REGISTER_EXPLICIT,
		                     registration_info, in->reg);
	case GPT_PROTOCOL_DEREGISTER:
		GK_TRY(oid(at, id, GPT_OID_DEREGISTER, "protocol"));
		return protocol_info(at, info, deregister_item(in->dereg),
		                     deregistration_info, in->dereg);
	case GPT_PROTOCOL_REKEY:
		GK_TRY(oid(at, id,
		           in->rekey->oid_form == GPT_OID_IANA
		                   ? GPT_OID_REKEY
		                   : GPT_OID_REKEY_MODULE,
		           "protocol"));
		return protocol_info(at, info,
		                     in->rekey->tags == GPT_TAGS_IMPLICIT
		                             ? GPT_ASN1_REKEY
		                             : GPT_ASN1_REKEY_EXPLICIT,
		                     rekey_info, in->rekey);
	case GPT_PROTOCOL_DATA:
		GK_TRY(oid(at, id, GPT_OID_DATA_GENERIC, "protocol"));
		return protocol_info(at, info, GPT_ASN1_DATA, data_info,
		                     in->data);
	case GPT_PROTOCOL_UNKNOWN:
		GK_TRY(oid(at, id, in->unknown.oid, "protocol"));
		return octets(info, gk_buf_slice(&in->unknown.octets));
	case GPT_PROTOCOL_NONE:
		break;
	}
	return refuse(at, "protocol", "a data protocol cannot be none");
}

static enum gk_err
mngmt(struct place *at, struct gpt_asn1_mngmt *out,
      const struct gpt_protocol *in)
{
	if (in->kind == GPT_PROTOCOL_NONE) {
		out->type = GPT_ASN1_NONE;
		return null(&out->value.none);
	}
	out->type = GPT_ASN1_SUPPORTED;
	out->value.supported = gpt_asn1_new(GPT_ASN1_PROTOCOL);
	return out->value.supported ? protocol(at, out->value.supported, in)
	                            : GK_ERR_NOMEM;
}

static enum gk_err
registrations(struct place *at, OPENSSL_STACK *out, const struct gpt_token *in)
{
	for (size_t i = 0; i < in->n_registration; i++) {
		struct gpt_asn1_registration *r =
			add(out, GPT_ASN1_REGISTRATION);

		if (!r)
			return GK_ERR_NOMEM;
		(void)snprintf(at->path, sizeof(at->path),
		               "registration[%zu].register.", i);
		GK_TRY(mngmt(at, r->reg, &in->registration[i].reg));
		(void)snprintf(at->path, sizeof(at->path),
		               "registration[%zu].de-register.", i);
		GK_TRY(mngmt(at, r->deregister, &in->registration[i].dereg));
	}
	return GK_OK;
}

static enum gk_err
token(struct place *at, struct gpt_asn1_token *out, const struct gpt_token *in)
{
	GK_TRY(integer(out->tokenInfo->tokenDefVersion, in->version));
	GK_TRY(octets(out->tokenInfo->groupName,
	              gk_buf_slice(&in->group_name)));
	if (in->has_edition) {
		out->tokenInfo->edition = ASN1_INTEGER_new();
		if (!out->tokenInfo->edition)
			return GK_ERR_NOMEM;
		GK_TRY(integer(out->tokenInfo->edition, in->edition));
	}
	if (!in->registration_null)
		GK_TRY(registrations(at, out->registration, in));
	else if (in->n_registration > 0)
		return refuse(at, "registration",
		              "NULL, and entries at the same time");

	for (size_t i = 0; i < in->n_rekey; i++) {
		struct gpt_asn1_mngmt *m = add(out->rekey, GPT_ASN1_MNGMT);

		if (!m)
			return GK_ERR_NOMEM;
		(void)snprintf(at->path, sizeof(at->path), "rekey[%zu].", i);
		GK_TRY(mngmt(at, m, &in->rekey[i]));
	}
	for (size_t i = 0; i < in->n_data; i++) {
		struct gpt_asn1_protocol *p = add(out->data, GPT_ASN1_PROTOCOL);

		if (!p)
			return GK_ERR_NOMEM;
		(void)snprintf(at->path, sizeof(at->path), "data[%zu].", i);
		GK_TRY(protocol(at, p, &in->data[i]));
	}
	return GK_OK;
}

enum gk_err
gpt_token_encode(const struct gpt_token *in, struct gk_buf *der,
                 struct gpt_fault *why)
{
	struct place at = { .why = why };
	enum gpt_asn1_item item =
		in->registration_null ? GPT_ASN1_TOKEN_NULL : GPT_ASN1_TOKEN;
	void *made = gpt_asn1_new(item);
	enum gk_err err = made ? token(&at, made, in) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = gpt_asn1_encode(item, made, der);
	gpt_asn1_free(item, made);
	if (err == GK_OK && der->len > GPT_TOKEN_CAP) {
		gk_buf_free(der);
		err = GK_ERR_SPACE;
	}
	if (err == GK_ERR_SPACE || err == GK_ERR_NOMEM)
		(void)gpt_fault_set(why, err, NULL, NULL, "%s",
		                    err == GK_ERR_NOMEM
		                            ? "out of memory"
		                            : "token larger than 65536 octets");
	return err;
}
