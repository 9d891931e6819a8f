/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "policy-tokens/der/gpt_asn1.h"
#include "policy-tokens/der/gpt_der.h"

/*
 * Where we are: the path of the field for refusals, and how far in the token
 * the protocolInfo octets seen so far reach.  Template structs are copies, so
 * the place of an OCTET STRING is found again by looking for its octets behind
 * the previous one.
 */
struct place {
	struct gk_slice der;
	size_t cursor;
	char path[96];
	struct gpt_fault *why;
};

static enum gk_err
refuse(struct place *at, enum gk_err err, const char *req, const char *field,
       const char *text)
{
	char path[sizeof(at->path) + 128];

	(void)snprintf(path, sizeof(path), "%s%.127s", at->path, field);
	return gpt_fault_set(at->why, err, req, path, "%s", text);
}

static size_t
locate(struct place *at, struct gk_slice octets)
{
	const uint8_t *hit;

	if (octets.len == 0)
		return at->cursor;
	hit = memmem(at->der.ptr + at->cursor, at->der.len - at->cursor,
	             octets.ptr, octets.len);
	if (hit)
		at->cursor = (size_t)(hit - at->der.ptr);
	return at->cursor;
}

/* --- scalars ------------------------------------------------------------------ */

static struct gk_slice
octets_of(const ASN1_OCTET_STRING *s)
{
	return (struct gk_slice){ ASN1_STRING_get0_data(s),
		                  (size_t)ASN1_STRING_length(s) };
}

static enum gk_err
octets(struct gk_buf *out, const ASN1_OCTET_STRING *s)
{
	return gk_buf_copy(out, octets_of(s));
}

static enum gk_err
integer(struct place *at, int64_t *out, const ASN1_INTEGER *in,
        const char *field)
{
	if (ASN1_INTEGER_get_int64(out, in) != 1)
		return refuse(at, GK_ERR_VALUE, "RFC4534-1-04", field,
		              "INTEGER of more than 64 bits");
	return GK_OK;
}

/* DER knows one TRUE: 0xff.  OpenSSL keeps whatever octet it read. */
static enum gk_err
boolean(struct place *at, bool *out, ASN1_BOOLEAN in, const char *field)
{
	if (in != 0 && in != 0xff)
		return refuse(at, GK_ERR_VALUE, "RFC4534-1-04", field,
		              "BOOLEAN that is neither 00 nor FF");
	*out = in != 0;
	return GK_OK;
}

static enum gk_err
oid(struct place *at, char **out, const ASN1_OBJECT *in, const char *field)
{
	int n = OBJ_obj2txt(NULL, 0, in, 1);

	if (n <= 0 || n > GPT_OID_CAP)
		return refuse(at, GK_ERR_VALUE, "RFC4534-1-04", field,
		              "OBJECT IDENTIFIER that is empty or too long");
	*out = malloc((size_t)n + 1);
	if (!*out)
		return GK_ERR_NOMEM;
	(void)OBJ_obj2txt(*out, n + 1, in, 1);
	return GK_OK;
}

static bool
digits(const char *s, size_t n, int *out)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (s[i] - '0');
	}
	return true;
}

/* YYYYMMDDHHMMSSZ or YYMMDDHHMMSSZ, the only forms DER has for whole seconds;
 * fractions are legal DER and refused, a date here has a second's resolution */
static enum gk_err
date(struct place *at, int64_t *out, struct gk_slice text, bool utc,
     const char *field)
{
	const char *s = (const char *)text.ptr;
	size_t year_len = utc ? 2 : 4;
	int f[6], year;

	if (text.len != year_len + 11 || s[text.len - 1] != 'Z' ||
	    !digits(s, year_len, &f[0]))
		goto bad;
	for (size_t i = 0; i < 5; i++)
		if (!digits(s + year_len + 2 * i, 2, &f[i + 1]))
			goto bad;
	year = f[0];
	if (utc)
		year += year < 50 ? 2000 : 1900;
	if (!gk_utc_from_civil(year, f[1], f[2], f[3], f[4], f[5], out))
		goto bad;
	return GK_OK;
bad:
	return refuse(at, GK_ERR_VALUE, "RFC4534-3.1-06", field,
	              utc ? "not a date of the form YYMMDDHHMMSSZ"
	                  : "not a date of the form YYYYMMDDHHMMSSZ");
}

static enum gk_err
lifedate(struct place *at, struct gpt_lifedate *out,
         const struct gpt_asn1_lifedate *in, const char *field)
{
	switch (in->type) {
	case GPT_ASN1_GT:
		out->kind = GPT_LIFEDATE_GT;
		return date(at, &out->value, octets_of(in->value.gt), false,
		            field);
	case GPT_ASN1_UTC:
		out->kind = GPT_LIFEDATE_UTC;
		return date(at, &out->value, octets_of(in->value.utc), true,
		            field);
	default:
		out->kind = GPT_LIFEDATE_INTERVAL;
		return integer(at, &out->value, in->value.interval, field);
	}
}

static enum gk_err
pairs(struct place *at, struct gpt_pairs *out, const OPENSSL_STACK *in,
      const char *field)
{
	for (int i = 0; i < OPENSSL_sk_num(in); i++) {
		const struct gpt_asn1_pair *p = OPENSSL_sk_value(in, i);
		struct gpt_pair *pair = gpt_pairs_add(out);
		char path[128];

		if (!pair)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path),
		               "%s[%d].groupEntity.typeValue", field, i);
		GK_TRY(integer(at, &pair->entity.type,
		               p->groupEntity->typeValue, path));
		GK_TRY(octets(&pair->entity.data, p->groupEntity->typeData));
		GK_TRY(octets(&pair->ca, p->cA));
	}
	return GK_OK;
}

/* --- registration -------------------------------------------------------------- */

static enum gk_err
access_control(struct place *at, struct gpt_register *out,
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
		if (ASN1_ENUMERATED_get_int64(&level,
		                              p->value.simplePermission) != 1 ||
		    level < 1 || level > 9)
			return refuse(at, GK_ERR_VALUE, "RFC4534-B.1.2-05",
			              "joinAccessControl.permissions."
			              "simplePermission",
			              "not one of the nine permissions");
		GK_TRY(gpt_access_control_permit(access, (uint8_t)level));
	}
	GK_TRY(pairs(at, &access->rules, in->accessRule,
	             "joinAccessControl.accessRule"));
	access->has_exclusions = in->exclusionsRule != NULL;
	return pairs(at, &access->exclusions, in->exclusionsRule,
	             "joinAccessControl.exclusionsRule");
}

static enum gk_err
alacarte(struct place *at, struct gpt_mechanisms *out,
         const struct gpt_asn1_mechanisms *in)
{
	GK_TRY(integer(at, &out->sig_algorithm,
	               in->signatureDef->sigAlgorithmID,
	               "joinMechanisms.alaCarte.signatureDef.sigAlgorithmID"));
	GK_TRY(integer(at, &out->hash_algorithm,
	               in->signatureDef->hashAlgorithmID,
	               "joinMechanisms.alaCarte.signatureDef.hashAlgorithmID"));
	GK_TRY(integer(at, &out->key_exchange,
	               in->kEAlg->keyExchangeAlgorithmID,
	               "joinMechanisms.alaCarte.kEAlg.keyExchangeAlgorithmID"));
	if (in->kEAlg->keyExchangeAlgorithmData) {
		out->has_key_exchange_data = true;
		GK_TRY(octets(&out->key_exchange_data,
		              in->kEAlg->keyExchangeAlgorithmData));
	}
	GK_TRY(integer(at, &out->key_wrap, in->keyWrap,
	               "joinMechanisms.alaCarte.keyWrap"));
	GK_TRY(lifedate(at, &out->timeout, in->opInfo->timeOut,
	                "joinMechanisms.alaCarte.opInfo.timeOut"));
	GK_TRY(boolean(at, &out->terse, in->opInfo->terse,
	               "joinMechanisms.alaCarte.opInfo.terse"));
	if (in->opInfo->timestamp != -1) {
		out->has_timestamp = true;
		GK_TRY(boolean(at, &out->timestamp, in->opInfo->timestamp,
		               "joinMechanisms.alaCarte.opInfo.timestamp"));
	}
	return GK_OK;
}

static enum gk_err
registration_info(struct place *at, struct gpt_register *out,
                  const struct gpt_asn1_register *in)
{
	const struct gpt_asn1_join_authorization *auth = in->joinAuthorization;

	GK_TRY(pairs(at, &out->gcks, auth->gCKS, "joinAuthorization.gCKS"));
	out->has_sub_gcks = auth->subGCKS != NULL;
	for (int i = 0; i < OPENSSL_sk_num(auth->subGCKS); i++) {
		struct gpt_pairs *sub = gpt_register_add_sub(out);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(pairs(at, sub, OPENSSL_sk_value(auth->subGCKS, i),
		             "joinAuthorization.subGCKS"));
	}
	out->senders_limited = auth->senders->type == GPT_ASN1_LIMITED;
	if (out->senders_limited)
		GK_TRY(pairs(at, &out->senders, auth->senders->value.limited,
		             "joinAuthorization.senders.limited"));

	for (int i = 0; i < OPENSSL_sk_num(in->joinAccessControl); i++)
		GK_TRY(access_control(
			at, out, OPENSSL_sk_value(in->joinAccessControl, i)));

	for (int i = 0; i < OPENSSL_sk_num(in->joinMechanisms); i++) {
		const struct gpt_asn1_join_mechanism *m =
			OPENSSL_sk_value(in->joinMechanisms, i);
		struct gpt_join_mechanism *set =
			gpt_register_add_mechanism(out);

		if (!set)
			return GK_ERR_NOMEM;
		if (m->type == GPT_ASN1_SUITE)
			GK_TRY(oid(at, &set->suite, m->value.suite,
			           "joinMechanisms.suite"));
		else
			GK_TRY(alacarte(at, &set->alacarte, m->value.alaCarte));
	}
	out->transport = (enum gpt_transport)in->transport->type;
	return GK_OK;
}

/* Decode by the first of several readings that fits; the refusal is the one of
 * the first reading, which is the project's own. */
static enum gk_err
try_readings(struct place *at, struct gk_slice info,
             const enum gpt_asn1_item *items, size_t n, size_t *which,
             void **out)
{
	size_t base = locate(at, info);
	enum gk_err first = GK_ERR_VALUE;

	for (size_t i = 0; i < n; i++) {
		enum gk_err err =
			gpt_asn1_decode(items[i], info, at->path, base, out,
		                        i == 0 ? at->why : NULL);

		if (err == GK_OK) {
			*which = i;
			if (i > 0 && at->why)
				*at->why = (struct gpt_fault){
					.offset = GPT_NO_OFFSET
				};
			return GK_OK;
		}
		if (i == 0)
			first = err;
	}
	return first;
}

static enum gk_err
protocol_register(struct place *at, struct gpt_protocol *out,
                  struct gk_slice info)
{
	static const enum gpt_asn1_item readings[] = {
		GPT_ASN1_REGISTER, GPT_ASN1_REGISTER_EXPLICIT
	};
	size_t which;
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_REGISTER));
	GK_TRY(try_readings(at, info, readings, GK_COUNT(readings), &which,
	                    &in));
	out->reg->tags = (enum gpt_tags)which;
	err = registration_info(at, out->reg, in);
	gpt_asn1_free(readings[which], in);
	return err;
}

/* --- de-registration --------------------------------------------------------------- */

static enum gk_err
deregistration_info(struct place *at, struct gpt_deregister *out,
                    const struct gpt_asn1_deregister *in)
{
	for (int i = 0; i < OPENSSL_sk_num(in->leaveMechanisms); i++) {
		const struct gpt_asn1_leave_mechanism *m =
			OPENSSL_sk_value(in->leaveMechanisms, i);
		struct gpt_leave_mechanism *leave =
			gpt_deregister_add_mechanism(out);

		if (!leave)
			return GK_ERR_NOMEM;
		GK_TRY(integer(at, &leave->sig_algorithm, m->sigAlgorithm,
		               "leaveMechanisms.sigAlgorithm"));
		GK_TRY(integer(at, &leave->hash_algorithm, m->hashAlgorithm,
		               "leaveMechanisms.hashAlgorithm"));
		GK_TRY(octets(&leave->ca, m->cA));
	}
	out->terse = true;
	if (!out->no_terse)
		GK_TRY(boolean(at, &out->terse, in->terse, "terse"));
	out->transport = (enum gpt_transport)in->transport->type;
	return GK_OK;
}

static enum gk_err
protocol_deregister(struct place *at, struct gpt_protocol *out,
                    struct gk_slice info)
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
	GK_TRY(try_readings(at, info, readings, GK_COUNT(readings), &which,
	                    &in));
	out->dereg->tags = (which & 1) ? GPT_TAGS_EXPLICIT : GPT_TAGS_IMPLICIT;
	out->dereg->no_terse = which >= 2;
	err = deregistration_info(at, out->dereg, in);
	gpt_asn1_free(readings[which], in);
	return err;
}

/* --- rekey ----------------------------------------------------------------------------- */

static enum gk_err
rekey_event(struct place *at, struct gpt_rekey *out,
            const struct gpt_asn1_rekey_event_def *in)
{
	out->event = (enum gpt_rekey_event)in->type;
	switch (out->event) {
	case GPT_REKEY_EVENT_NONE:
		return GK_OK;
	case GPT_REKEY_EVENT_TIME:
		return lifedate(at, &out->event_time, in->value.timeOnly,
		                "rekeyEventDef.timeOnly");
	case GPT_REKEY_EVENT_COUNT:
		return integer(at, &out->event_count, in->value.event,
		               "rekeyEventDef.event");
	case GPT_REKEY_EVENT_TIME_AND_COUNT:
		break;
	}
	GK_TRY(lifedate(at, &out->event_time, in->value.timeAndEvent->time,
	                "rekeyEventDef.timeAndEvent.time"));
	return integer(at, &out->event_count, in->value.timeAndEvent->event,
	               "rekeyEventDef.timeAndEvent.event");
}

/* "No information": NULL inside the OCTET STRING, or nothing at all. */
static enum gk_err
none_info(struct place *at, struct gk_slice info, enum gpt_none_form *form,
          const char *field)
{
	static const uint8_t null[] = { 0x05, 0x00 };

	*form = info.len == 0 ? GPT_NONE_EMPTY : GPT_NONE_NULL;
	if (info.len != 0 &&
	    !gk_slice_equal(info, (struct gk_slice){ null, sizeof(null) }))
		return refuse(at, GK_ERR_VALUE, "RFC4534-1-04", field,
		              "neither NULL nor empty");
	return GK_OK;
}

/* The INTEGER inside an OCTET STRING. */
static enum gk_err
integer_info(struct place *at, struct gk_slice info, int64_t *out,
             const char *field)
{
	char path[sizeof(at->path) + 64];
	void *in;
	enum gk_err err;

	(void)snprintf(path, sizeof(path), "%s%.63s", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_INTEGER, info, path, locate(at, info),
	                       &in, at->why));
	err = integer(at, out, in, field);
	gpt_asn1_free(GPT_ASN1_INTEGER, in);
	return err;
}

static enum gk_err
extension(struct gpt_extension *out, char **name, struct gk_slice info)
{
	out->oid = *name;
	*name = NULL;
	return gk_buf_copy(&out->octets, info);
}

static enum gk_err
rekey_method(struct place *at, struct gpt_rekey *out, char **name,
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
	return extension(&out->method_ext, name, info);
}

static enum gk_err
post_info(struct place *at, struct gpt_rekey *out, struct gk_slice info)
{
	const char *field = "reliability.reliabilityMechContent";
	struct gk_slice text;
	char path[sizeof(at->path) + 64];
	void *in;

	(void)snprintf(path, sizeof(path), "%s%.63s", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_IA5STRING, info, path, locate(at, info),
	                       &in, at->why));
	text = octets_of(in);
	out->post = calloc(1, text.len + 1);
	if (out->post)
		memcpy(out->post, text.ptr, text.len);
	gpt_asn1_free(GPT_ASN1_IA5STRING, in);
	if (!out->post)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		if (out->post[i] < 0x20 || out->post[i] > 0x7e)
			return refuse(at, GK_ERR_VALUE, "RFC4534-B.5.6.3-01",
			              field,
			              "IA5String with a character that no "
			              "identifier of a site has");
	return GK_OK;
}

static enum gk_err
reliability(struct place *at, struct gpt_rekey *out, char **name,
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
	return extension(&out->reliability_ext, name, info);
}

static enum gk_err
sub_gcks(struct place *at, struct gpt_rekey *out, char **name,
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
		return extension(&out->scheme_ext, name, info);
	}

	out->scheme = GPT_SCHEME_AUTONOMOUS;
	(void)snprintf(path, sizeof(path), "%s%.62s.", at->path, field);
	GK_TRY(gpt_asn1_decode(GPT_ASN1_AUTONOMOUS, info, path,
	                       locate(at, info), &in, at->why));
	autonomous = in;
	err = pairs(at, &out->auth_subs, autonomous->authSubs,
	            "subGCKSInfo.sGCKSContent.authSubs");
	if (err == GK_OK && autonomous->domain) {
		out->has_domain = true;
		err = octets(&out->domain, autonomous->domain);
	}
	gpt_asn1_free(GPT_ASN1_AUTONOMOUS, in);
	return err;
}

/* An OID, and what the octets beside it mean under that OID. */
static enum gk_err
open_type(struct place *at, struct gpt_rekey *out, const ASN1_OBJECT *id,
          const ASN1_OCTET_STRING *info, const char *field,
          enum gk_err (*content)(struct place *, struct gpt_rekey *, char **,
                                 struct gk_slice))
{
	char *name = NULL;
	enum gk_err err = oid(at, &name, id, field);

	if (err == GK_OK)
		err = content(at, out, &name, octets_of(info));
	free(name);
	return err;
}

static enum gk_err
rekey_info(struct place *at, struct gpt_rekey *out,
           const struct gpt_asn1_rekey *in)
{
	GK_TRY(pairs(at, &out->authorization, in->authorization,
	             "authorization"));
	GK_TRY(integer(at, &out->sig_algorithm, in->mechanism->sigAlgorithm,
	               "mechanism.sigAlgorithm"));
	GK_TRY(integer(at, &out->hash_algorithm, in->mechanism->hashAlgorithm,
	               "mechanism.hashAlgorithm"));
	GK_TRY(rekey_event(at, out, in->rekeyEventDef));
	GK_TRY(open_type(at, out, in->rekeyMethod->rekeyMethodType,
	                 in->rekeyMethod->rekeyMethodInfo,
	                 "rekeyMethod.rekeyMethodType", rekey_method));
	GK_TRY(lifedate(at, &out->interval, in->rekeyInterval,
	                "rekeyInterval"));
	GK_TRY(open_type(at, out, in->reliability->reliabilityMechanism,
	                 in->reliability->reliabilityMechContent,
	                 "reliability.reliabilityMechanism", reliability));
	return open_type(at, out, in->subGCKSInfo->subGCKSScheme,
	                 in->subGCKSInfo->sGCKSContent,
	                 "subGCKSInfo.subGCKSScheme", sub_gcks);
}

static enum gk_err
protocol_rekey(struct place *at, struct gpt_protocol *out, struct gk_slice info)
{
	static const enum gpt_asn1_item readings[] = {
		GPT_ASN1_REKEY, GPT_ASN1_REKEY_EXPLICIT
	};
	size_t which;
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_REKEY));
	GK_TRY(try_readings(at, info, readings, GK_COUNT(readings), &which,
	                    &in));
	out->rekey->tags = (enum gpt_tags)which;
	err = rekey_info(at, out->rekey, in);
	gpt_asn1_free(readings[which], in);
	return err;
}

/* --- data ------------------------------------------------------------------------------- */

static enum gk_err
key_info(struct place *at, struct gpt_key_info *out,
         const struct gpt_asn1_key_info *in, const char *field)
{
	GK_TRY(octets(&out->key_id, in->kMKeyID));
	if (!in->keyExpirationDate)
		return GK_OK;
	out->has_expiration = true;
	return lifedate(at, &out->expiration, in->keyExpirationDate, field);
}

static enum gk_err
data_info(struct place *at, struct gpt_data *out,
          const struct gpt_asn1_data *in)
{
	if (in->authentication) {
		out->has_authentication = true;
		GK_TRY(key_info(at, &out->authentication, in->authentication,
		                "authentication.keyExpirationDate"));
	}
	if (in->encryption) {
		out->has_encryption = true;
		GK_TRY(key_info(at, &out->encryption, in->encryption,
		                "encryption.keyExpirationDate"));
	}
	return GK_OK;
}

static enum gk_err
protocol_data(struct place *at, struct gpt_protocol *out, struct gk_slice info)
{
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_DATA));
	GK_TRY(gpt_asn1_decode(GPT_ASN1_DATA, info, at->path, locate(at, info),
	                       &in, at->why));
	err = data_info(at, out->data, in);
	gpt_asn1_free(GPT_ASN1_DATA, in);
	return err;
}

/* --- the core token ------------------------------------------------------------------------ */

enum role { ROLE_REGISTER, ROLE_DEREGISTER, ROLE_REKEY, ROLE_DATA };

/* RFC4534-3-12: an OID that means nothing in this role is kept as it is. */
static enum gk_err
by_oid(struct place *at, struct gpt_protocol *out, enum role role, char **name,
       struct gk_slice info)
{
	if (role == ROLE_REGISTER &&
	    (strcmp(*name, GPT_OID_REGISTER) == 0 ||
	     strcmp(*name, GPT_OID_REGISTER_MODULE) == 0)) {
		GK_TRY(protocol_register(at, out, info));
		out->reg->oid_form = strcmp(*name, GPT_OID_REGISTER) == 0
		                             ? GPT_OID_IANA
		                             : GPT_OID_MODULE;
		return GK_OK;
	}
	if (role == ROLE_DEREGISTER && strcmp(*name, GPT_OID_DEREGISTER) == 0)
		return protocol_deregister(at, out, info);
	if (role == ROLE_REKEY && (strcmp(*name, GPT_OID_REKEY) == 0 ||
	                           strcmp(*name, GPT_OID_REKEY_MODULE) == 0)) {
		GK_TRY(protocol_rekey(at, out, info));
		out->rekey->oid_form = strcmp(*name, GPT_OID_REKEY) == 0
		                               ? GPT_OID_IANA
		                               : GPT_OID_MODULE;
		return GK_OK;
	}
	if (role == ROLE_DATA && strcmp(*name, GPT_OID_DATA_GENERIC) == 0)
		return protocol_data(at, out, info);

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_UNKNOWN));
	(void)locate(at, info);
	return extension(&out->unknown, name, info);
}

static enum gk_err
protocol(struct place *at, struct gpt_protocol *out, enum role role,
         const struct gpt_asn1_protocol *in, const char *path)
{
	char *name = NULL;
	enum gk_err err;

	(void)snprintf(at->path, sizeof(at->path), "%s.", path);
	err = oid(at, &name, in->protocol, "protocol");
	(void)snprintf(at->path, sizeof(at->path), "%s.protocolInfo.", path);
	if (err == GK_OK)
		err = by_oid(at, out, role, &name, octets_of(in->protocolInfo));
	free(name);
	return err;
}

static enum gk_err
mngmt(struct place *at, struct gpt_protocol *out, enum role role,
      const struct gpt_asn1_mngmt *in, const char *path)
{
	if (in->type == GPT_ASN1_NONE)
		return GK_OK;
	return protocol(at, out, role, in->value.supported, path);
}

static enum gk_err
token_lists(struct place *at, struct gpt_token *out,
            const struct gpt_asn1_token *in)
{
	const OPENSSL_STACK *list =
		out->registration_null ? NULL : in->registration;
	char path[64];

	for (int i = 0; i < OPENSSL_sk_num(list); i++) {
		const struct gpt_asn1_registration *r =
			OPENSSL_sk_value(list, i);
		struct gpt_registration *registration =
			gpt_token_add_registration(out);

		if (!registration)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "registration[%d].register",
		               i);
		GK_TRY(mngmt(at, &registration->reg, ROLE_REGISTER, r->reg,
		             path));
		(void)snprintf(path, sizeof(path),
		               "registration[%d].de-register", i);
		GK_TRY(mngmt(at, &registration->dereg, ROLE_DEREGISTER,
		             r->deregister, path));
	}
	for (int i = 0; i < OPENSSL_sk_num(in->rekey); i++) {
		struct gpt_protocol *p = gpt_token_add_rekey(out);

		if (!p)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "rekey[%d]", i);
		GK_TRY(mngmt(at, p, ROLE_REKEY, OPENSSL_sk_value(in->rekey, i),
		             path));
	}
	for (int i = 0; i < OPENSSL_sk_num(in->data); i++) {
		struct gpt_protocol *p = gpt_token_add_data(out);

		if (!p)
			return GK_ERR_NOMEM;
		(void)snprintf(path, sizeof(path), "data[%d]", i);
		GK_TRY(protocol(at, p, ROLE_DATA, OPENSSL_sk_value(in->data, i),
		                path));
	}
	return GK_OK;
}

static enum gk_err
token_id(struct place *at, struct gpt_token *out,
         const struct gpt_asn1_token_id *in)
{
	GK_TRY(integer(at, &out->version, in->tokenDefVersion,
	               "tokenInfo.tokenDefVersion"));
	if (out->version != 1)
		return refuse(at, GK_ERR_VALUE, "RFC4534-3.1-01",
		              "tokenInfo.tokenDefVersion",
		              "this is not version 1 of the policy token");
	if (ASN1_STRING_length(in->groupName) == 0)
		return refuse(at, GK_ERR_VALUE, "RFC4534-3.1-02",
		              "tokenInfo.groupName", "the group has no name");
	GK_TRY(octets(&out->group_name, in->groupName));
	if (!in->edition)
		return GK_OK;
	out->has_edition = true;
	return integer(at, &out->edition, in->edition, "tokenInfo.edition");
}

enum gk_err
gpt_token_decode(struct gk_slice der, struct gpt_token **token,
                 struct gpt_fault *why)
{
	static const enum gpt_asn1_item readings[] = { GPT_ASN1_TOKEN,
		                                       GPT_ASN1_TOKEN_NULL };
	struct place at = { .der = der, .why = why };
	struct gpt_token *out;
	size_t which;
	void *in;
	enum gk_err err;

	if (der.len > GPT_TOKEN_CAP)
		return refuse(&at, GK_ERR_SPACE, NULL, "",
		              "token larger than 65536 octets");
	GK_TRY(try_readings(&at, der, readings, GK_COUNT(readings), &which,
	                    &in));
	out = gpt_token_new();
	err = out ? GK_OK : GK_ERR_NOMEM;
	if (err == GK_OK) {
		const struct gpt_asn1_token *core = in;

		out->registration_null = which == 1;
		err = token_id(&at, out, core->tokenInfo);
		if (err == GK_OK)
			err = token_lists(&at, out, core);
	}
	if (err == GK_ERR_NOMEM)
		(void)refuse(&at, err, NULL, "", "out of memory");
	gpt_asn1_free(readings[which], in);
	if (err != GK_OK) {
		gpt_token_free(out);
		return err;
	}
	*token = out;
	return GK_OK;
}
