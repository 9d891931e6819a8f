/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_identity.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_policy.h"
#include "policy-tokens/xml/gpt_xml.h"

struct parse {
	struct gpt_lines *lines;
	struct gpt_fault *why;
	char path[48]; /* of the protocol we are in */
};

/* --- lines of the document --------------------------------------------------------- */

void
gpt_lines_free(struct gpt_lines *lines)
{
	free(lines->at);
	*lines = (struct gpt_lines){ 0 };
}

int
gpt_lines_find(const struct gpt_lines *lines, const char *path)
{
	size_t best = 0;
	int line = 0;

	for (size_t i = 0; i < lines->n; i++) {
		size_t n = strlen(lines->at[i].path);

		if (n >= best && strncmp(lines->at[i].path, path, n) == 0) {
			best = n;
			line = lines->at[i].line;
		}
	}
	return line;
}

static enum gk_err
mark(struct parse *p, const xmlNode *node, const char *rest)
{
	struct gpt_line *grown;

	if (!p->lines)
		return GK_OK;
	grown = realloc(p->lines->at, (p->lines->n + 1) * sizeof(*grown));
	if (!grown)
		return GK_ERR_NOMEM;
	p->lines->at = grown;
	grown += p->lines->n++;
	grown->line = (int)xmlGetLineNo(node);
	(void)snprintf(grown->path, sizeof(grown->path), "%s%s", p->path, rest);
	return GK_OK;
}

static enum gk_err
mark_nth(struct parse *p, const xmlNode *node, const char *list, size_t i)
{
	char rest[32];

	(void)snprintf(rest, sizeof(rest), ".%.16s[%zu]", list, i);
	return mark(p, node, rest);
}

/* --- attributes ----------------------------------------------------------------------- */

/* The attribute as text; the schema says it is there. */
static enum gk_err
need(struct parse *p, const xmlNode *node, const char *name, char **out)
{
	*out = gpt_xml_attr(node, name);
	if (*out)
		return GK_OK;
	return gpt_xml_refuse(node, p->why, "attribute %s is missing", name);
}

static enum gk_err
number(struct parse *p, const xmlNode *node, const char *name, int64_t *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(need(p, node, name, &text));
	err = gpt_number_parse(text, out);
	if (err != GK_OK)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is not a number of 64 bits", name,
		                     text);
	free(text);
	return err;
}

static enum gk_err
code(struct parse *p, const xmlNode *node, const char *name,
     enum gpt_registry registry, int64_t *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(need(p, node, name, &text));
	err = gpt_name_value(registry, text, out);
	if (err != GK_OK)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is neither a known name nor a "
		                     "number",
		                     name, text);
	free(text);
	return err;
}

static enum gk_err
date(struct parse *p, const xmlNode *node, const char *name,
     struct gpt_lifedate *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(need(p, node, name, &text));
	err = gpt_lifedate_parse(text, out);
	if (err != GK_OK)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is neither an interval such as "
		                     "30s or 2h nor a date that exists",
		                     name, text);
	free(text);
	return err;
}

/* An optional attribute with two spellings; absent: false. */
static bool
attr_is(const xmlNode *node, const char *name, const char *value)
{
	char *text = gpt_xml_attr(node, name);
	bool is = text && strcmp(text, value) == 0;

	free(text);
	return is;
}

/* xs:boolean also has 1 and 0. */
static bool
is_true(const xmlNode *node, const char *name)
{
	return attr_is(node, name, "true") || attr_is(node, name, "1");
}

static enum gk_err
hex(struct parse *p, const xmlNode *node, const char *name, bool *present,
    struct gk_buf *out)
{
	char *text = gpt_xml_attr(node, name);
	enum gk_err err;

	if (present)
		*present = text != NULL;
	if (!text)
		return present ? GK_OK
		               : gpt_xml_refuse(node, p->why,
		                                "attribute %s is missing",
		                                name);
	err = gk_unhex(out, text);
	free(text);
	if (err == GK_ERR_VALUE)
		return gpt_xml_refuse(node, p->why, "%s is not hexadecimal",
		                      name);
	return err;
}

static enum gk_err
hex_content(struct parse *p, const xmlNode *node, struct gk_buf *out)
{
	char *text = gpt_xml_content(node);
	enum gk_err err = text ? gk_unhex(out, text) : GK_ERR_NOMEM;

	free(text);
	if (err == GK_ERR_VALUE)
		return gpt_xml_refuse(node, p->why,
		                      "the content is not hexadecimal");
	return err;
}

static enum gpt_none_form
none_form(const xmlNode *node)
{
	return attr_is(node, "form", "empty") ? GPT_NONE_EMPTY : GPT_NONE_NULL;
}

/* --- extensions and pairs ------------------------------------------------------------------ */

/* An OID that this version knows has an element of its own; as an extension it
 * would come back from the DER as something else. */
static enum gk_err
extension(struct parse *p, const xmlNode *node, const char *const *known,
          struct gpt_extension *out)
{
	GK_TRY(need(p, node, "oid", &out->oid));
	for (size_t i = 0; known[i]; i++)
		if (strcmp(known[i], out->oid) == 0)
			return gpt_xml_refuse(node, p->why,
			                      "%s is not unknown here: use the "
			                      "element for it",
			                      out->oid);
	return hex_content(p, gpt_xml_first(node, "octets"), &out->octets);
}

static enum gk_err
pair_fill(struct parse *p, const xmlNode *node, const char *type,
          struct gpt_pair *out)
{
	enum gk_id_kind kind =
		type ? gk_id_kind_from_name(type) : GK_ID_DN_STRING;
	char *text;
	enum gk_err err;

	GK_TRY(hex(p, node, "ca", NULL, &out->ca));
	if (kind == GK_ID_NONE) {
		err = gpt_number_parse(type, &out->entity.type);
		if (err != GK_OK)
			return gpt_xml_refuse(node, p->why,
			                      "type '%s' is not a number of 64 "
			                      "bits",
			                      type);
		return hex_content(p, node, &out->entity.data);
	}
	out->entity.type = gpt_id_type(kind);
	text = gpt_xml_content(node);
	err = text ? gk_identity_parse(kind, gk_slice_str(text),
	                               &out->entity.data)
	           : GK_ERR_NOMEM;
	if (err == GK_ERR_VALUE)
		err = gpt_xml_refuse(node, p->why,
		                     "'%s' is not a name of type %s", text,
		                     gk_id_kind_name(kind));
	free(text);
	return err;
}

static enum gk_err
pair(struct parse *p, const xmlNode *node, struct gpt_pairs *list)
{
	struct gpt_pair *out = gpt_pairs_add(list);
	char *type = gpt_xml_attr(node, "type");
	enum gk_err err = out ? pair_fill(p, node, type, out) : GK_ERR_NOMEM;

	free(type);
	return err;
}

static enum gk_err
pairs(struct parse *p, const xmlNode *around, const char *name,
      struct gpt_pairs *list)
{
	for (const xmlNode *n = gpt_xml_first(around, name); n;
	     n = gpt_xml_next(n, name))
		GK_TRY(pair(p, n, list));
	return GK_OK;
}

/* --- registration ------------------------------------------------------------------------------ */

static enum gk_err
permissions(struct parse *p, const xmlNode *node,
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
access_control(struct parse *p, const xmlNode *node, struct gpt_register *reg)
{
	struct gpt_access_control *out = gpt_register_add_access(reg);
	const xmlNode *n;

	if (!out)
		return GK_ERR_NOMEM;
	GK_TRY(mark_nth(p, node, "access", reg->n_access - 1));
	n = gpt_xml_first(node, "permissions");
	if (n)
		GK_TRY(permissions(p, n, out));
	GK_TRY(pairs(p, node, "rule", &out->rules));
	n = gpt_xml_first(node, "exclusions");
	out->has_exclusions = n != NULL;
	return pairs(p, n, "exclusion", &out->exclusions);
}

static enum gk_err
suite(struct parse *p, const xmlNode *node, struct gpt_join_mechanism *out)
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
alacarte(struct parse *p, const xmlNode *node, struct gpt_mechanisms *out)
{
	GK_TRY(code(p, node, "signature", GPT_REGISTRY_SIGNATURE,
	            &out->sig_algorithm));
	GK_TRY(code(p, node, "hash", GPT_REGISTRY_HASH, &out->hash_algorithm));
	GK_TRY(code(p, node, "key-exchange", GPT_REGISTRY_KEX,
	            &out->key_exchange));
	GK_TRY(hex(p, node, "key-exchange-data", &out->has_key_exchange_data,
	           &out->key_exchange_data));
	GK_TRY(code(p, node, "key-wrap", GPT_REGISTRY_KEY, &out->key_wrap));
	GK_TRY(date(p, node, "timeout", &out->timeout));
	out->terse = is_true(node, "terse");
	out->has_timestamp = xmlHasProp(node, (const xmlChar *)"timestamp");
	out->timestamp = is_true(node, "timestamp");
	return GK_OK;
}

static enum gk_err
mechanisms(struct parse *p, const xmlNode *node, struct gpt_register *reg)
{
	GK_TRY(mark(p, node, ".mechanisms"));
	for (const xmlNode *n = gpt_xml_first(node, NULL); n;
	     n = gpt_xml_next(n, NULL)) {
		struct gpt_join_mechanism *out =
			gpt_register_add_mechanism(reg);

		if (!out)
			return GK_ERR_NOMEM;
		GK_TRY(mark_nth(p, n, "mechanisms", reg->n_mechanisms - 1));
		if (gpt_xml_is(n, "suite"))
			GK_TRY(suite(p, n, out));
		else
			GK_TRY(alacarte(p, n, &out->alacarte));
	}
	return GK_OK;
}

static enum gk_err
transport(struct parse *p, const xmlNode *node, enum gpt_transport *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(need(p, node, "transport", &text));
	err = gpt_transport_value(text, out);
	free(text);
	return err == GK_OK ? err
	                    : gpt_xml_refuse(node, p->why, "no transport");
}

static enum gpt_tags
tags(const xmlNode *node)
{
	return attr_is(node, "tags", "explicit") ? GPT_TAGS_EXPLICIT
	                                         : GPT_TAGS_IMPLICIT;
}

static enum gpt_oid_form
oid_form(const xmlNode *node)
{
	return attr_is(node, "oid", "module") ? GPT_OID_MODULE : GPT_OID_IANA;
}

static enum gk_err
gsakmp_register(struct parse *p, const xmlNode *node, struct gpt_register *out)
{
	const xmlNode *n;

	GK_TRY(transport(p, node, &out->transport));
	out->oid_form = oid_form(node);
	out->tags = tags(node);
	n = gpt_xml_first(node, "gcks");
	GK_TRY(mark(p, n, ".gcks"));
	GK_TRY(pairs(p, n, "entity", &out->gcks));

	n = gpt_xml_first(node, "sub-gcks");
	out->has_sub_gcks = n != NULL;
	if (n)
		GK_TRY(mark(p, n, ".sub_gcks"));
	for (const xmlNode *s = gpt_xml_first(n, "gcks"); s;
	     s = gpt_xml_next(s, "gcks")) {
		struct gpt_pairs *sub = gpt_register_add_sub(out);

		if (!sub)
			return GK_ERR_NOMEM;
		GK_TRY(pairs(p, s, "entity", sub));
	}

	n = gpt_xml_first(node, "senders");
	GK_TRY(mark(p, n, ".senders"));
	out->senders_limited = !gpt_xml_first(n, "all");
	GK_TRY(pairs(p, n, "entity", &out->senders));

	for (n = gpt_xml_first(node, "access-control"); n;
	     n = gpt_xml_next(n, "access-control"))
		GK_TRY(access_control(p, n, out));
	return mechanisms(p, gpt_xml_first(node, "mechanisms"), out);
}

static enum gk_err
gsakmp_deregister(struct parse *p, const xmlNode *node,
                  struct gpt_deregister *out)
{
	GK_TRY(transport(p, node, &out->transport));
	out->tags = tags(node);
	out->no_terse = attr_is(node, "terse", "absent");
	out->terse = out->no_terse || is_true(node, "terse");
	for (const xmlNode *n = gpt_xml_first(node, "leave"); n;
	     n = gpt_xml_next(n, "leave")) {
		struct gpt_leave_mechanism *leave =
			gpt_deregister_add_mechanism(out);

		if (!leave)
			return GK_ERR_NOMEM;
		GK_TRY(mark_nth(p, n, "leave", out->n_mechanisms - 1));
		GK_TRY(code(p, n, "signature", GPT_REGISTRY_SIGNATURE,
		            &leave->sig_algorithm));
		GK_TRY(code(p, n, "hash", GPT_REGISTRY_HASH,
		            &leave->hash_algorithm));
		GK_TRY(hex(p, n, "ca", NULL, &leave->ca));
	}
	return GK_OK;
}

/* --- rekey --------------------------------------------------------------------------------------- */

static enum gk_err
rekey_event(struct parse *p, const xmlNode *node, struct gpt_rekey *out)
{
	bool by_time = xmlHasProp(node, (const xmlChar *)"time");
	bool by_count = xmlHasProp(node, (const xmlChar *)"count");

	GK_TRY(mark(p, node, ".event"));
	out->event =
		(enum gpt_rekey_event)((by_time ? GPT_REKEY_EVENT_TIME : 0) |
	                               (by_count ? GPT_REKEY_EVENT_COUNT : 0));
	if (by_time)
		GK_TRY(date(p, node, "time", &out->event_time));
	if (by_count)
		GK_TRY(number(p, node, "count", &out->event_count));
	if (out->tags == GPT_TAGS_EXPLICIT &&
	    out->event == GPT_REKEY_EVENT_TIME)
		return gpt_xml_refuse(node, p->why,
		                      "an event by time only is encoded alike "
		                      "with both kinds of tags: leave "
		                      "tags='explicit' out");
	return GK_OK;
}

static enum gk_err
rekey_method(struct parse *p, const xmlNode *around, struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_METHOD_NONE,
		                             GPT_OID_METHOD_LKH, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(mark(p, around, ".method"));
	if (gpt_xml_is(n, "none")) {
		out->method = GPT_METHOD_NONE;
		out->method_none = none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "lkh")) {
		out->method = GPT_METHOD_LKH;
		return code(p, n, "key-type", GPT_REGISTRY_KEY,
		            &out->lkh_key_type);
	}
	out->method = GPT_METHOD_UNKNOWN;
	return extension(p, n, known, &out->method_ext);
}

static enum gk_err
post(struct parse *p, const xmlNode *node, struct gpt_rekey *out)
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
rekey_reliability(struct parse *p, const xmlNode *around, struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_RELIABILITY_NONE,
		                             GPT_OID_RELIABILITY_RESEND,
		                             GPT_OID_RELIABILITY_POST, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(mark(p, around, ".reliability"));
	if (gpt_xml_is(n, "none")) {
		out->reliability = GPT_RELIABILITY_NONE;
		out->reliability_none = none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "resend")) {
		out->reliability = GPT_RELIABILITY_RESEND;
		return number(p, n, "times", &out->resend);
	}
	if (gpt_xml_is(n, "post")) {
		out->reliability = GPT_RELIABILITY_POST;
		return post(p, n, out);
	}
	out->reliability = GPT_RELIABILITY_UNKNOWN;
	return extension(p, n, known, &out->reliability_ext);
}

static enum gk_err
rekey_scheme(struct parse *p, const xmlNode *around, struct gpt_rekey *out)
{
	static const char *const known[] = { GPT_OID_SCHEME_NONE,
		                             GPT_OID_SCHEME_AUTONOMOUS, NULL };
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(mark(p, around, ".scheme"));
	if (gpt_xml_is(n, "none")) {
		out->scheme = GPT_SCHEME_NONE;
		out->scheme_none = none_form(n);
		return GK_OK;
	}
	if (gpt_xml_is(n, "autonomous")) {
		out->scheme = GPT_SCHEME_AUTONOMOUS;
		GK_TRY(hex(p, n, "domain", &out->has_domain, &out->domain));
		return pairs(p, n, "entity", &out->auth_subs);
	}
	out->scheme = GPT_SCHEME_UNKNOWN;
	return extension(p, n, known, &out->scheme_ext);
}

static enum gk_err
gsakmp_rekey(struct parse *p, const xmlNode *node, struct gpt_rekey *out)
{
	const xmlNode *authorization = gpt_xml_first(node, "authorization");

	GK_TRY(code(p, node, "signature", GPT_REGISTRY_SIGNATURE,
	            &out->sig_algorithm));
	GK_TRY(code(p, node, "hash", GPT_REGISTRY_HASH, &out->hash_algorithm));
	GK_TRY(date(p, node, "interval", &out->interval));
	out->oid_form = oid_form(node);
	out->tags = tags(node);
	GK_TRY(mark(p, authorization, ".authorization"));
	GK_TRY(pairs(p, authorization, "entity", &out->authorization));
	GK_TRY(rekey_event(p, gpt_xml_first(node, "event"), out));
	GK_TRY(rekey_method(p, gpt_xml_first(node, "method"), out));
	GK_TRY(rekey_reliability(p, gpt_xml_first(node, "reliability"), out));
	return rekey_scheme(p, gpt_xml_first(node, "sub-gcks-info"), out);
}

/* --- data and token ----------------------------------------------------------------------------------- */

static enum gk_err
key_info(struct parse *p, const xmlNode *node, bool *present,
         struct gpt_key_info *out)
{
	*present = node != NULL;
	if (!node)
		return GK_OK;
	GK_TRY(hex(p, node, "key-id", NULL, &out->key_id));
	out->has_expiration = xmlHasProp(node, (const xmlChar *)"expires");
	return out->has_expiration ? date(p, node, "expires", &out->expiration)
	                           : GK_OK;
}

static enum gk_err
generic(struct parse *p, const xmlNode *node, struct gpt_data *out)
{
	GK_TRY(key_info(p, gpt_xml_first(node, "authentication"),
	                &out->has_authentication, &out->authentication));
	return key_info(p, gpt_xml_first(node, "encryption"),
	                &out->has_encryption, &out->encryption);
}

static enum gk_err
protocol(struct parse *p, const xmlNode *around, enum gpt_protocol_kind kind,
         struct gpt_protocol *out)
{
	static const char *const known[][3] = {
		[GPT_PROTOCOL_REGISTER] = { GPT_OID_REGISTER,
		                            GPT_OID_REGISTER_MODULE, NULL },
		[GPT_PROTOCOL_DEREGISTER] = { GPT_OID_DEREGISTER, NULL },
		[GPT_PROTOCOL_REKEY] = { GPT_OID_REKEY, GPT_OID_REKEY_MODULE,
		                         NULL },
		[GPT_PROTOCOL_DATA] = { GPT_OID_DATA_GENERIC, NULL },
	};
	const xmlNode *n = gpt_xml_first(around, NULL);

	GK_TRY(mark(p, n, ""));
	if (gpt_xml_is(n, "none"))
		return gpt_protocol_set(out, GPT_PROTOCOL_NONE);
	if (gpt_xml_is(n, "extension")) {
		GK_TRY(gpt_protocol_set(out, GPT_PROTOCOL_UNKNOWN));
		return extension(p, n, known[kind], &out->unknown);
	}
	GK_TRY(gpt_protocol_set(out, kind));
	switch (kind) {
	case GPT_PROTOCOL_REGISTER:
		return gsakmp_register(p, n, out->reg);
	case GPT_PROTOCOL_DEREGISTER:
		return gsakmp_deregister(p, n, out->dereg);
	case GPT_PROTOCOL_REKEY:
		return gsakmp_rekey(p, n, out->rekey);
	default:
		return generic(p, n, out->data);
	}
}

static enum gk_err
registration(struct parse *p, const xmlNode *node, struct gpt_token *token)
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
group_id(struct parse *p, const xmlNode *node, struct gpt_token *token)
{
	enum gpt_groupid_type type, guess;

	GK_TRY(mark(p, node, "group"));
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
policy(struct parse *p, const xmlNode *root, struct gpt_token *token)
{
	GK_TRY(mark(p, root, ""));
	token->has_edition = xmlHasProp(root, (const xmlChar *)"edition");
	if (token->has_edition)
		GK_TRY(number(p, root, "edition", &token->edition));
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
	struct parse p = { .lines = lines, .why = why };
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
