/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "policy-tokens/der/gpt_encode_part.h"
#include "policy-tokens/token/gpt_gdoi.h"

/* --- data ---------------------------------------------------------------------- */

static enum gk_err
key_info(struct gpt_encode_place *at, struct gpt_asn1_key_info **out,
         bool present, const struct gpt_key_info *in, const char *field)
{
	if (!present)
		return GK_OK;
	*out = gpt_asn1_new(GPT_ASN1_KEY_INFO);
	if (!*out)
		return GK_ERR_NOMEM;
	GK_TRY(gpt_encode_octets((*out)->kMKeyID, gk_buf_slice(&in->key_id)));
	if (!in->has_expiration)
		return GK_OK;
	(*out)->keyExpirationDate = gpt_asn1_new(GPT_ASN1_LIFEDATE);
	return (*out)->keyExpirationDate
	               ? gpt_encode_lifedate(at, (*out)->keyExpirationDate,
	                                     in->expiration, field)
	               : GK_ERR_NOMEM;
}

static enum gk_err
data_info(struct gpt_encode_place *at, void *made, const void *model)
{
	const struct gpt_data *in = model;
	struct gpt_asn1_data *out = made;

	GK_TRY(key_info(at, &out->authentication, in->has_authentication,
	                &in->authentication,
	                "authentication.keyExpirationDate"));
	return key_info(at, &out->encryption, in->has_encryption,
	                &in->encryption, "encryption.keyExpirationDate");
}

/* --- the core token ------------------------------------------------------------ */

/* Encode one protocolInfo with @fill into the OCTET STRING. */
static enum gk_err
protocol_info(struct gpt_encode_place *at, ASN1_OCTET_STRING *out,
              enum gpt_asn1_item item,
              enum gk_err (*fill)(struct gpt_encode_place *, void *,
                                  const void *),
              const void *model)
{
	void *made = gpt_asn1_new(item);
	enum gk_err err = made ? fill(at, made, model) : GK_ERR_NOMEM;

	if (err == GK_OK)
		err = gpt_encode_wrap(out, item, made);
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
protocol(struct gpt_encode_place *at, struct gpt_asn1_protocol *out,
         const struct gpt_protocol *in)
{
	ASN1_OBJECT **id = &out->protocol;
	ASN1_OCTET_STRING *info = out->protocolInfo;

	switch (in->kind) {
	case GPT_PROTOCOL_REGISTER:
		GK_TRY(gpt_encode_oid(at, id,
		                      in->reg->oid_form == GPT_OID_IANA
		                              ? GPT_OID_REGISTER
		                              : GPT_OID_REGISTER_MODULE,
		                      "protocol"));
		return protocol_info(at, info,
		                     in->reg->tags == GPT_TAGS_IMPLICIT
		                             ? GPT_ASN1_REGISTER
		                             : GPT_ASN1_REGISTER_EXPLICIT,
		                     gpt_encode_registration_info, in->reg);
	case GPT_PROTOCOL_DEREGISTER:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_DEREGISTER, "protocol"));
		return protocol_info(at, info, deregister_item(in->dereg),
		                     gpt_encode_deregistration_info, in->dereg);
	case GPT_PROTOCOL_REKEY:
		GK_TRY(gpt_encode_oid(at, id,
		                      in->rekey->oid_form == GPT_OID_IANA
		                              ? GPT_OID_REKEY
		                              : GPT_OID_REKEY_MODULE,
		                      "protocol"));
		return protocol_info(at, info,
		                     in->rekey->tags == GPT_TAGS_IMPLICIT
		                             ? GPT_ASN1_REKEY
		                             : GPT_ASN1_REKEY_EXPLICIT,
		                     gpt_encode_rekey_info, in->rekey);
	case GPT_PROTOCOL_DATA:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_DATA_GENERIC,
		                      "protocol"));
		return protocol_info(at, info, GPT_ASN1_DATA, data_info,
		                     in->data);
	case GPT_PROTOCOL_GDOI_REGISTER:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_GDOI_REGISTER,
		                      "protocol"));
		return protocol_info(at, info, GPT_ASN1_GDOI_REGISTER,
		                     gpt_encode_gdoi_register_info, in);
	case GPT_PROTOCOL_GDOI_REKEY:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_GDOI_REKEY, "protocol"));
		return protocol_info(at, info, GPT_ASN1_GDOI_REKEY,
		                     gpt_encode_gdoi_rekey_info,
		                     in->gdoi_rekey);
	case GPT_PROTOCOL_IPSEC:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_IPSEC, "protocol"));
		return protocol_info(at, info, GPT_ASN1_IPSEC,
		                     gpt_encode_ipsec_info, in->ipsec);
	case GPT_PROTOCOL_IEC_61850:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_IEC_61850, "protocol"));
		return protocol_info(at, info, GPT_ASN1_IEC,
		                     gpt_encode_iec_info, in->iec);
	case GPT_PROTOCOL_OPERATION:
		GK_TRY(gpt_encode_oid(at, id, GPT_OID_OPERATION, "protocol"));
		return protocol_info(at, info, GPT_ASN1_OPERATION,
		                     gpt_encode_operation_info, in->operation);
	case GPT_PROTOCOL_UNKNOWN:
		GK_TRY(gpt_encode_oid(at, id, in->unknown.oid, "protocol"));
		return gpt_encode_octets(info,
		                         gk_buf_slice(&in->unknown.octets));
	case GPT_PROTOCOL_NONE:
		break;
	}
	return gpt_encode_refuse(at, "protocol",
	                         "a data protocol cannot be none");
}

static enum gk_err
mngmt(struct gpt_encode_place *at, struct gpt_asn1_mngmt *out,
      const struct gpt_protocol *in)
{
	if (in->kind == GPT_PROTOCOL_NONE) {
		out->type = GPT_ASN1_NONE;
		return gpt_encode_null(&out->value.none);
	}
	out->type = GPT_ASN1_SUPPORTED;
	out->value.supported = gpt_asn1_new(GPT_ASN1_PROTOCOL);
	return out->value.supported ? protocol(at, out->value.supported, in)
	                            : GK_ERR_NOMEM;
}

static enum gk_err
registrations(struct gpt_encode_place *at, OPENSSL_STACK *out,
              const struct gpt_token *in)
{
	for (size_t i = 0; i < in->n_registration; i++) {
		struct gpt_asn1_registration *r =
			gpt_encode_add(out, GPT_ASN1_REGISTRATION);

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
token(struct gpt_encode_place *at, struct gpt_asn1_token *out,
      const struct gpt_token *in)
{
	GK_TRY(gpt_encode_integer(out->tokenInfo->tokenDefVersion,
	                          in->version));
	GK_TRY(gpt_encode_octets(out->tokenInfo->groupName,
	                         gk_buf_slice(&in->group_name)));
	if (in->has_edition) {
		out->tokenInfo->edition = ASN1_INTEGER_new();
		if (!out->tokenInfo->edition)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_encode_integer(out->tokenInfo->edition,
		                          in->edition));
	}
	if (!in->registration_null)
		GK_TRY(registrations(at, out->registration, in));
	else if (in->n_registration > 0)
		return gpt_encode_refuse(at, "registration",
		                         "NULL, and entries at the same time");

	for (size_t i = 0; i < in->n_rekey; i++) {
		struct gpt_asn1_mngmt *m =
			gpt_encode_add(out->rekey, GPT_ASN1_MNGMT);

		if (!m)
			return GK_ERR_NOMEM;
		(void)snprintf(at->path, sizeof(at->path), "rekey[%zu].", i);
		GK_TRY(mngmt(at, m, &in->rekey[i]));
	}
	for (size_t i = 0; i < in->n_data; i++) {
		struct gpt_asn1_protocol *p =
			gpt_encode_add(out->data, GPT_ASN1_PROTOCOL);

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
	struct gpt_encode_place at = { .why = why };
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
