/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "policy-tokens/der/gpt_decode_part.h"
#include "policy-tokens/token/gpt_gdoi.h"

/* --- data ---------------------------------------------------------------------- */

static enum gk_err
key_info(struct gpt_decode_place *at, struct gpt_key_info *out,
         const struct gpt_asn1_key_info *in, const char *field)
{
	GK_TRY(gpt_decode_octets(&out->key_id, in->kMKeyID));
	if (!in->keyExpirationDate)
		return GK_OK;
	out->has_expiration = true;
	return gpt_decode_lifedate(at, &out->expiration, in->keyExpirationDate,
	                           field);
}

static enum gk_err
data_info(struct gpt_decode_place *at, struct gpt_data *out,
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
protocol_data(struct gpt_decode_place *at, struct gpt_protocol *out,
              struct gk_slice info)
{
	void *in;
	enum gk_err err;

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_DATA));
	GK_TRY(gpt_asn1_decode(GPT_ASN1_DATA, info, at->path,
	                       gpt_decode_locate(at, info), &in, at->why));
	err = data_info(at, out->data, in);
	gpt_asn1_free(GPT_ASN1_DATA, in);
	return err;
}

/* --- the core token ------------------------------------------------------------ */

enum role { ROLE_REGISTER, ROLE_DEREGISTER, ROLE_REKEY, ROLE_DATA };

static const struct {
	enum role role;
	const char *oid;
	enum gpt_protocol_kind kind;
} gdoi[] = {
	{ ROLE_REGISTER, GPT_OID_GDOI_REGISTER, GPT_PROTOCOL_GDOI_REGISTER },
	{ ROLE_REKEY, GPT_OID_GDOI_REKEY, GPT_PROTOCOL_GDOI_REKEY },
	{ ROLE_REKEY, GPT_OID_OPERATION, GPT_PROTOCOL_OPERATION },
	{ ROLE_DATA, GPT_OID_IPSEC, GPT_PROTOCOL_IPSEC },
	{ ROLE_DATA, GPT_OID_IEC_61850, GPT_PROTOCOL_IEC_61850 },
};

/* RFC4534-3-12: an OID that means nothing in this role is kept as it is. */
static enum gk_err
by_oid(struct gpt_decode_place *at, struct gpt_protocol *out, enum role role,
       char **name, struct gk_slice info)
{
	if (role == ROLE_REGISTER &&
	    (strcmp(*name, GPT_OID_REGISTER) == 0 ||
	     strcmp(*name, GPT_OID_REGISTER_MODULE) == 0)) {
		GK_TRY(gpt_decode_protocol_register(at, out, info));
		out->reg->oid_form = strcmp(*name, GPT_OID_REGISTER) == 0
		                             ? GPT_OID_IANA
		                             : GPT_OID_MODULE;
		return GK_OK;
	}
	if (role == ROLE_DEREGISTER && strcmp(*name, GPT_OID_DEREGISTER) == 0)
		return gpt_decode_protocol_deregister(at, out, info);
	if (role == ROLE_REKEY && (strcmp(*name, GPT_OID_REKEY) == 0 ||
	                           strcmp(*name, GPT_OID_REKEY_MODULE) == 0)) {
		GK_TRY(gpt_decode_protocol_rekey(at, out, info));
		out->rekey->oid_form = strcmp(*name, GPT_OID_REKEY) == 0
		                               ? GPT_OID_IANA
		                               : GPT_OID_MODULE;
		return GK_OK;
	}
	if (role == ROLE_DATA && strcmp(*name, GPT_OID_DATA_GENERIC) == 0)
		return protocol_data(at, out, info);
	for (size_t i = 0; i < GK_COUNT(gdoi); i++)
		if (gdoi[i].role == role && strcmp(*name, gdoi[i].oid) == 0)
			return gpt_decode_protocol_gdoi(at, out, gdoi[i].kind,
			                                info);

	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_UNKNOWN));
	(void)gpt_decode_locate(at, info);
	return gpt_decode_extension(&out->unknown, name, info);
}

static enum gk_err
protocol(struct gpt_decode_place *at, struct gpt_protocol *out, enum role role,
         const struct gpt_asn1_protocol *in, const char *path)
{
	char *name = NULL;
	enum gk_err err;

	(void)snprintf(at->path, sizeof(at->path), "%s.", path);
	err = gpt_decode_oid(at, &name, in->protocol, "protocol");
	(void)snprintf(at->path, sizeof(at->path), "%s.protocolInfo.", path);
	if (err == GK_OK)
		err = by_oid(at, out, role, &name,
		             gpt_decode_octets_of(in->protocolInfo));
	free(name);
	return err;
}

static enum gk_err
mngmt(struct gpt_decode_place *at, struct gpt_protocol *out, enum role role,
      const struct gpt_asn1_mngmt *in, const char *path)
{
	if (in->type == GPT_ASN1_NONE)
		return GK_OK;
	return protocol(at, out, role, in->value.supported, path);
}

static enum gk_err
token_lists(struct gpt_decode_place *at, struct gpt_token *out,
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
token_id(struct gpt_decode_place *at, struct gpt_token *out,
         const struct gpt_asn1_token_id *in)
{
	GK_TRY(gpt_decode_integer(at, &out->version, in->tokenDefVersion,
	                          "tokenInfo.tokenDefVersion"));
	if (out->version != 1 && GK_CHECKED("RFC4534-3.1-01"))
		return gpt_decode_refuse(
			at, GK_ERR_VALUE, "RFC4534-3.1-01",
			"tokenInfo.tokenDefVersion",
			"this is not version 1 of the policy token");
	if (ASN1_STRING_length(in->groupName) == 0 &&
	    GK_CHECKED("RFC4534-3.1-02"))
		return gpt_decode_refuse(at, GK_ERR_VALUE, "RFC4534-3.1-02",
		                         "tokenInfo.groupName",
		                         "the group has no name");
	GK_TRY(gpt_decode_octets(&out->group_name, in->groupName));
	if (!in->edition)
		return GK_OK;
	out->has_edition = true;
	return gpt_decode_integer(at, &out->edition, in->edition,
	                          "tokenInfo.edition");
}

enum gk_err
gpt_token_decode(struct gk_slice der, struct gpt_token **token,
                 struct gpt_fault *why)
{
	static const enum gpt_asn1_item readings[] = { GPT_ASN1_TOKEN,
		                                       GPT_ASN1_TOKEN_NULL };
	struct gpt_decode_place at = { .der = der, .why = why };
	struct gpt_token *out;
	size_t which;
	void *in;
	enum gk_err err;

	if (der.len > GPT_TOKEN_CAP)
		return gpt_decode_refuse(&at, GK_ERR_SPACE, NULL, "",
		                         "token larger than 65536 octets");
	GK_TRY(gpt_decode_try_readings(&at, der, readings, GK_COUNT(readings),
	                               &which, &in));
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
		(void)gpt_decode_refuse(&at, err, NULL, "", "out of memory");
	gpt_asn1_free(readings[which], in);
	if (err != GK_OK) {
		gpt_token_free(out);
		return err;
	}
	*token = out;
	return GK_OK;
}
