/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_policy_parse.h"

static enum gk_err
permissions(struct gpt_parse *p, const xmlNode *node,
            struct gpt_access_control *out)
{
	out->has_permissions = true;
	for (const xmlNode *n = gpt_xml_first(node, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		char *text = gpt_xml_content(n);
		const char *digits = text;
		int64_t level = 0;
		bool ok;

		if (!text)
			return GK_ERR_NOMEM;
		if (*digits == '+') /* xs:integer may have one */
			digits++;
		ok = gpt_number_parse(digits, &level) == GK_OK && level >= 1 &&
		     level <= 9;
		free(text);
		if (!ok)
			return gpt_xml_refuse(n, p->why,
			                      "not one of the permissions 1 to "
			                      "9");
		GK_TRY(gpt_access_control_permit(out, (uint8_t)level));
	}
	return GK_OK;
}

static enum gk_err
access_control(struct gpt_parse *p, const xmlNode *node,
               struct gpt_register *reg)
{
	struct gpt_access_control *out = gpt_register_add_access(reg);
	const xmlNode *n;

	if (!out)
		return GK_ERR_NOMEM;
	GK_TRY(gpt_parse_mark_nth(p, node, "access", reg->n_access - 1));
	n = gpt_xml_first(node, "permissions");
	if (n)
		GK_TRY(permissions(p, n, out));
	GK_TRY(gpt_parse_pairs(p, node, "rule", &out->rules));
	n = gpt_xml_first(node, "exclusions");
	out->has_exclusions = n != NULL;
	return gpt_parse_pairs(p, n, "exclusion", &out->exclusions);
}

static enum gk_err
suite(struct gpt_parse *p, const xmlNode *node, struct gpt_join_mechanism *out)
{
	char *name = gpt_xml_attr(node, "name");
	char *oid = gpt_xml_attr(node, "oid");
	const char *known = name ? gpt_suite_oid(name) : NULL;
	enum gk_err err = GK_OK;

	if (!name == !oid)
		err = gpt_xml_refuse(node, p->why,
		                     "a suite has either a name or an oid");
	else if (name && !known)
		err = gpt_xml_refuse(node, p->why, "no suite is called '%s'",
		                     name);
	else if (oid && gpt_suite_name(oid))
		err = gpt_xml_refuse(node, p->why, "write name='%s'",
		                     gpt_suite_name(oid));
	else {
		out->suite = strdup(known ? known : oid);
		err = out->suite ? GK_OK : GK_ERR_NOMEM;
	}
	free(name);
	free(oid);
	return err;
}

static enum gk_err
alacarte(struct gpt_parse *p, const xmlNode *node, struct gpt_mechanisms *out)
{
	GK_TRY(gpt_parse_code(p, node, "signature", GPT_REGISTRY_SIGNATURE,
	                      &out->sig_algorithm));
	GK_TRY(gpt_parse_code(p, node, "hash", GPT_REGISTRY_HASH,
	                      &out->hash_algorithm));
	GK_TRY(gpt_parse_code(p, node, "key-exchange", GPT_REGISTRY_KEX,
	                      &out->key_exchange));
	GK_TRY(gpt_parse_hex(p, node, "key-exchange-data",
	                     &out->has_key_exchange_data,
	                     &out->key_exchange_data));
	GK_TRY(gpt_parse_code(p, node, "key-wrap", GPT_REGISTRY_KEY,
	                      &out->key_wrap));
	GK_TRY(gpt_parse_date(p, node, "timeout", &out->timeout));
	out->terse = gpt_parse_is_true(node, "terse");
	out->has_timestamp = xmlHasProp(node, (const xmlChar *)"timestamp");
	out->timestamp = gpt_parse_is_true(node, "timestamp");
	return GK_OK;
}

static enum gk_err
mechanisms(struct gpt_parse *p, const xmlNode *node, struct gpt_register *reg)
{
	GK_TRY(gpt_parse_mark(p, node, ".mechanisms"));
	for (const xmlNode *n = gpt_xml_first(node, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		struct gpt_join_mechanism *out =
			gpt_register_add_mechanism(reg);

		if (!out)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_parse_mark_nth(p, n, "mechanisms",
		                          reg->n_mechanisms - 1));
		if (gpt_xml_is(n, "suite"))
			GK_TRY(suite(p, n, out));
		else
			GK_TRY(alacarte(p, n, &out->alacarte));
	}
	return GK_OK;
}

static enum gk_err
transport(struct gpt_parse *p, const xmlNode *node, enum gpt_transport *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_need(p, node, "transport", &text));
	err = gpt_transport_value(text, out);
	free(text);
	return err == GK_OK ? err
	                    : gpt_xml_refuse(node, p->why, "no transport");
}

enum gk_err
gpt_parse_membership(struct gpt_parse *p, const xmlNode *node,
                     struct gpt_register *out)
{
	const xmlNode *n;

	n = gpt_xml_first(node, "gcks");
	GK_TRY(gpt_parse_mark(p, n, ".gcks"));
	GK_TRY(gpt_parse_pairs(p, n, "entity", &out->gcks));

	n = gpt_xml_first(node, "sub-gcks");
	out->has_sub_gcks = n != NULL;
	if (n)
		GK_TRY(gpt_parse_mark(p, n, ".sub_gcks"));
	for (const xmlNode *s = gpt_xml_first(n, "gcks"); s;
	     s = gpt_xml_next(s, "gcks")) {
		struct gpt_pairs *sub = gpt_register_add_sub(out);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_parse_pairs(p, s, "entity", sub));
	}

	n = gpt_xml_first(node, "senders");
	GK_TRY(gpt_parse_mark(p, n, ".senders"));
	out->senders_limited = !gpt_xml_first(n, "all");
	GK_TRY(gpt_parse_pairs(p, n, "entity", &out->senders));

	for (n = gpt_xml_first(node, "access-control"); n;
	     n = gpt_xml_next(n, "access-control"))
		GK_TRY(access_control(p, n, out));
	return GK_OK;
}

enum gk_err
gpt_parse_gsakmp_register(struct gpt_parse *p, const xmlNode *node,
                          struct gpt_register *out)
{
	GK_TRY(transport(p, node, &out->transport));
	out->oid_form = gpt_parse_oid_form(node);
	out->tags = gpt_parse_tags(node);
	GK_TRY(gpt_parse_membership(p, node, out));
	return mechanisms(p, gpt_xml_first(node, "mechanisms"), out);
}

enum gk_err
gpt_parse_gsakmp_deregister(struct gpt_parse *p, const xmlNode *node,
                            struct gpt_deregister *out)
{
	GK_TRY(transport(p, node, &out->transport));
	out->tags = gpt_parse_tags(node);
	out->no_terse = gpt_parse_attr_is(node, "terse", "absent");
	out->terse = out->no_terse || gpt_parse_is_true(node, "terse");
	for (const xmlNode *n = gpt_xml_first(node, "leave"); n;
	     n = gpt_xml_next(n, "leave")) {
		struct gpt_leave_mechanism *leave =
			gpt_deregister_add_mechanism(out);

		if (!leave)
			return GK_ERR_NOMEM;
		GK_TRY(gpt_parse_mark_nth(p, n, "leave",
		                          out->n_mechanisms - 1));
		GK_TRY(gpt_parse_code(p, n, "signature", GPT_REGISTRY_SIGNATURE,
		                      &leave->sig_algorithm));
		GK_TRY(gpt_parse_code(p, n, "hash", GPT_REGISTRY_HASH,
		                      &leave->hash_algorithm));
		GK_TRY(gpt_parse_hex(p, n, "ca", NULL, &leave->ca));
	}
	return GK_OK;
}
