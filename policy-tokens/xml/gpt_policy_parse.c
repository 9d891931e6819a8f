/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "policy-tokens/xml/gpt_policy_parse.h"

static enum gk_err
key_info(struct gpt_parse *p, const xmlNode *node, bool *present,
         struct gpt_key_info *out)
{
	*present = node != NULL;
	if (!node)
		return GK_OK;
	GK_TRY(gpt_parse_hex(p, node, "key-id", NULL, &out->key_id));
	out->has_expiration = xmlHasProp(node, (const xmlChar *)"expires");
	return out->has_expiration
	               ? gpt_parse_date(p, node, "expires", &out->expiration)
	               : GK_OK;
}

static enum gk_err
generic(struct gpt_parse *p, const xmlNode *node, struct gpt_data *out)
{
	GK_TRY(key_info(p, gpt_xml_first(node, "authentication"),
	                &out->has_authentication, &out->authentication));
	return key_info(p, gpt_xml_first(node, "encryption"),
	                &out->has_encryption, &out->encryption);
}

static enum gk_err
gdoi(struct gpt_parse *p, const xmlNode *node, enum gpt_protocol_kind kind,
     struct gpt_protocol *out)
{
	if (kind == GPT_PROTOCOL_REKEY) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_GDOI_REKEY));
		return gpt_parse_gdoi_rekey(p, node, out->gdoi_rekey);
	}
	GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_GDOI_REGISTER));
	return gpt_parse_gdoi_register(p, node, out);
}

static enum gk_err
protocol(struct gpt_parse *p, const xmlNode *around,
         enum gpt_protocol_kind kind, struct gpt_protocol *out)
{
	static const char *const known[][5] = {
		[GPT_PROTOCOL_REGISTER] = { GPT_OID_REGISTER,
		                            GPT_OID_REGISTER_MODULE,
		                            GPT_OID_GDOI_REGISTER, NULL },
		[GPT_PROTOCOL_DEREGISTER] = { GPT_OID_DEREGISTER, NULL },
		[GPT_PROTOCOL_REKEY] = { GPT_OID_REKEY, GPT_OID_REKEY_MODULE,
		                         GPT_OID_GDOI_REKEY, GPT_OID_OPERATION,
		                         NULL },
		[GPT_PROTOCOL_DATA] = { GPT_OID_DATA_GENERIC, GPT_OID_IPSEC,
		                        GPT_OID_IEC_61850, NULL },
	};
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(gpt_parse_mark(p, n, ""));
	if (gpt_xml_is(n, "none"))
		return gpt_protocol_set(out, GPT_PROTOCOL_NONE);
	if (gpt_xml_is(n, "extension")) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_UNKNOWN));
		return gpt_parse_extension(p, n, known[kind], &out->unknown);
	}
	if (gpt_xml_is(n, "gdoi"))
		return gdoi(p, n, kind, out);
	if (gpt_xml_is(n, "operation")) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_OPERATION));
		return gpt_parse_operation(p, n, out->operation);
	}
	if (gpt_xml_is(n, "ipsec")) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_IPSEC));
		return gpt_parse_ipsec(p, n, out->ipsec);
	}
	if (gpt_xml_is(n, "iec-61850")) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_IEC_61850));
		return gpt_parse_iec(p, n, out->iec);
	}
	GK_TRY(gpt_protocol_set(out, kind));
	switch (kind) {
	case GPT_PROTOCOL_REGISTER:
		return gpt_parse_gsakmp_register(p, n, out->reg);
	case GPT_PROTOCOL_DEREGISTER:
		return gpt_parse_gsakmp_deregister(p, n, out->dereg);
	case GPT_PROTOCOL_REKEY:
		return gpt_parse_gsakmp_rekey(p, n, out->rekey);
	default:
		return generic(p, n, out->data);
	}
}

static enum gk_err
registration(struct gpt_parse *p, const xmlNode *node, struct gpt_token *token)
{
	struct gpt_registration *out = gpt_token_add_registration(token);
	size_t i = token->n_registration - 1;

	if (!out)
		return GK_ERR_NOMEM;
	(void)snprintf(p->path, sizeof(p->path), "registration[%zu].register",
	               i);
	GK_TRY(protocol(p, gpt_xml_first(node, "register"),
	                GPT_PROTOCOL_REGISTER, &out->reg));
	(void)snprintf(p->path, sizeof(p->path),
	               "registration[%zu].de-register", i);
	return protocol(p, gpt_xml_first(node, "de-register"),
	                GPT_PROTOCOL_DEREGISTER, &out->dereg);
}

static enum gk_err
group_id(struct gpt_parse *p, const xmlNode *node, struct gpt_token *token)
{
	enum gpt_groupid_type type, guess;

	GK_TRY(gpt_parse_mark(p, node, "group"));
	GK_TRY(gpt_xml_group_id_parse(node, &type, &token->group_name, p->why));
	guess = gpt_groupid_guess(gk_buf_slice(&token->group_name));
	if (guess != type)
		return gpt_xml_refuse(node, p->why,
		                      "a token does not say that this is of "
		                      "type %s; it would be read as %s",
		                      gpt_groupid_name(type),
		                      gpt_groupid_name(guess));
	return GK_OK;
}

static enum gk_err
policy(struct gpt_parse *p, const xmlNode *root, struct gpt_token *token)
{
	GK_TRY(gpt_parse_mark(p, root, ""));
	token->has_edition = xmlHasProp(root, (const xmlChar *)"edition");
	if (token->has_edition)
		GK_TRY(gpt_parse_number(p, root, "edition", &token->edition));
	for (const xmlNode *n = gpt_xml_first(root, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		struct gpt_protocol *out;

		if (gpt_xml_is(n, "group-id")) {
			GK_TRY(group_id(p, n, token));
		} else if (gpt_xml_is(n, "no-registration")) {
			token->registration_null = true;
		} else if (gpt_xml_is(n, "registration")) {
			GK_TRY(registration(p, n, token));
		} else if (gpt_xml_is(n, "rekey")) {
			out = gpt_token_add_rekey(token);
			if (!out)
				return GK_ERR_NOMEM;
			(void)snprintf(p->path, sizeof(p->path), "rekey[%zu]",
			               token->n_rekey - 1);
			GK_TRY(protocol(p, n, GPT_PROTOCOL_REKEY, out));
		} else {
			out = gpt_token_add_data(token);
			if (!out)
				return GK_ERR_NOMEM;
			(void)snprintf(p->path, sizeof(p->path), "data[%zu]",
			               token->n_data - 1);
			GK_TRY(protocol(p, n, GPT_PROTOCOL_DATA, out));
		}
	}
	return GK_OK;
}

enum gk_err
gpt_policy_parse(struct gk_slice xml, struct gpt_token **token,
                 struct gpt_lines *lines, struct gpt_fault *why)
{
	struct gpt_parse p = { .lines = lines, .why = why };
	struct gpt_token *made = NULL;
	xmlDoc *doc;
	enum gk_err err;

	GK_TRY(gpt_xml_load(xml, GPT_XML_POLICY, &doc, why));
	made = gpt_token_new();
	err = made ? policy(&p, xmlDocGetRootElement(doc), made) : GK_ERR_NOMEM;
	gpt_xml_free(doc);
	if (err == GK_ERR_NOMEM)
		(void)gpt_fault_set(why, err, NULL, NULL, "out of memory");
	if (err != GK_OK) {
		gpt_token_free(made);
		return err;
	}
	*token = made;
	return GK_OK;
}
