/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/xml/gpt_policy_parse.h"

static enum gk_err
rekey_event(struct gpt_parse *p, const xmlNode *node, struct gpt_rekey *out)
{
	bool by_time = xmlHasProp(node, (const xmlChar *)"time");
	bool by_count = xmlHasProp(node, (const xmlChar *)"count");

	GK_TRY(gpt_parse_mark(p, node, ".event"));
	out->event =
		(enum gpt_rekey_event)((by_time ? GPT_REKEY_EVENT_TIME : 0) |
	                               (by_count ? GPT_REKEY_EVENT_COUNT : 0));
	if (by_time)
		GK_TRY(gpt_parse_date(p, node, "time", &out->event_time));
	if (by_count)
		GK_TRY(gpt_parse_number(p, node, "count", &out->event_count));
	if (out->tags == GPT_TAGS_EXPLICIT &&
	    out->event == GPT_REKEY_EVENT_TIME)
		return gpt_xml_refuse(node, p->why,
		                      "an event by time only is encoded alike "
		                      "with both kinds of tags: leave "
		                      "tags='explicit' out");
	return GK_OK;
}

static enum gk_err
rekey_method(struct gpt_parse *p, const xmlNode *around, struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_METHOD_NONE,
		                             GPT_OID_METHOD_LKH, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(gpt_parse_mark(p, around, ".method"));
	if (gpt_xml_is(n, "none")) {
		out->method = GPT_METHOD_NONE;
		out->method_none = gpt_parse_none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "lkh")) {
		out->method = GPT_METHOD_LKH;
		return gpt_parse_code(p, n, "key-type", GPT_REGISTRY_KEY,
		                      &out->lkh_key_type);
	}
	out->method = GPT_METHOD_UNKNOWN;
	return gpt_parse_extension(p, n, known, &out->method_ext);
}

static enum gk_err
post(struct gpt_parse *p, const xmlNode *node, struct gpt_rekey *out)
{
	out->post = gpt_xml_content(node);
	if (!out->post)
		return GK_ERR_NOMEM;
	for (const char *c = out->post; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return gpt_xml_refuse(node, p->why,
			                      "only printable ASCII can name a "
			                      "posting site");
	return GK_OK;
}

static enum gk_err
rekey_reliability(struct gpt_parse *p, const xmlNode *around,
                  struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_RELIABILITY_NONE,
		                             GPT_OID_RELIABILITY_RESEND,
		                             GPT_OID_RELIABILITY_POST, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(gpt_parse_mark(p, around, ".reliability"));
	if (gpt_xml_is(n, "none")) {
		out->reliability = GPT_RELIABILITY_NONE;
		out->reliability_none = gpt_parse_none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "resend")) {
		out->reliability = GPT_RELIABILITY_RESEND;
		return gpt_parse_number(p, n, "times", &out->resend);
	}
	if (gpt_xml_is(n, "post")) {
		out->reliability = GPT_RELIABILITY_POST;
		return post(p, n, out);
	}
	out->reliability = GPT_RELIABILITY_UNKNOWN;
	return gpt_parse_extension(p, n, known, &out->reliability_ext);
}

static enum gk_err
rekey_scheme(struct gpt_parse *p, const xmlNode *around, struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_SCHEME_NONE,
		                             GPT_OID_SCHEME_AUTONOMOUS, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(gpt_parse_mark(p, around, ".scheme"));
	if (gpt_xml_is(n, "none")) {
		out->scheme = GPT_SCHEME_NONE;
		out->scheme_none = gpt_parse_none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "autonomous")) {
		out->scheme = GPT_SCHEME_AUTONOMOUS;
		GK_TRY(gpt_parse_hex(p, n, "domain", &out->has_domain,
		                     &out->domain));
		return gpt_parse_pairs(p, n, "entity", &out->auth_subs);
	}
	out->scheme = GPT_SCHEME_UNKNOWN;
	return gpt_parse_extension(p, n, known, &out->scheme_ext);
}

enum gk_err
gpt_parse_gsakmp_rekey(struct gpt_parse *p, const xmlNode *node,
                       struct gpt_rekey *out)
{
	const xmlNode *authorization = gpt_xml_first(node, "authorization");

	GK_TRY(gpt_parse_code(p, node, "signature", GPT_REGISTRY_SIGNATURE,
	                      &out->sig_algorithm));
	GK_TRY(gpt_parse_code(p, node, "hash", GPT_REGISTRY_HASH,
	                      &out->hash_algorithm));
	GK_TRY(gpt_parse_date(p, node, "interval", &out->interval));
	out->oid_form = gpt_parse_oid_form(node);
	out->tags = gpt_parse_tags(node);
	GK_TRY(gpt_parse_mark(p, authorization, ".authorization"));
	GK_TRY(gpt_parse_pairs(p, authorization, "entity",
	                       &out->authorization));
	GK_TRY(rekey_event(p, gpt_xml_first(node, "event"), out));
	GK_TRY(rekey_method(p, gpt_xml_first(node, "method"), out));
	GK_TRY(rekey_reliability(p, gpt_xml_first(node, "reliability"), out));
	return rekey_scheme(p, gpt_xml_first(node, "sub-gcks-info"), out);
}
