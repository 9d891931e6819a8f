/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_identity.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/xml/gpt_policy_parse.h"

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

enum gk_err
gpt_parse_mark(struct gpt_parse *p, const xmlNode *node, const char *rest)
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

enum gk_err
gpt_parse_mark_nth(struct gpt_parse *p, const xmlNode *node, const char *list,
                   size_t i)
{
	char rest[32];

	(void)snprintf(rest, sizeof(rest), ".%.16s[%zu]", list, i);
	return gpt_parse_mark(p, node, rest);
}

/* The attribute as text; the schema says it is there. */
enum gk_err
gpt_parse_need(struct gpt_parse *p, const xmlNode *node, const char *name,
               char **out)
{
	*out = gpt_xml_attr(node, name);
	if (*out)
		return GK_OK;
	return gpt_xml_refuse(node, p->why, "attribute %s is missing", name);
}

enum gk_err
gpt_parse_number(struct gpt_parse *p, const xmlNode *node, const char *name,
                 int64_t *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_need(p, node, name, &text));
	err = gpt_number_parse(text, out);
	if (err != GK_OK)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is not a number of 64 bits", name,
		                     text);
	free(text);
	return err;
}

enum gk_err
gpt_parse_code(struct gpt_parse *p, const xmlNode *node, const char *name,
               enum gpt_registry registry, int64_t *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_need(p, node, name, &text));
	err = gpt_name_value(registry, text, out);
	if (err != GK_OK)
		err = gpt_xml_refuse(node, p->why,
		                     "%s='%s' is neither a known name nor a "
		                     "number",
		                     name, text);
	free(text);
	return err;
}

enum gk_err
gpt_parse_date(struct gpt_parse *p, const xmlNode *node, const char *name,
               struct gpt_lifedate *out)
{
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_need(p, node, name, &text));
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
bool
gpt_parse_attr_is(const xmlNode *node, const char *name, const char *value)
{
	char *text = gpt_xml_attr(node, name);
	bool is = text && strcmp(text, value) == 0;

	free(text);
	return is;
}

/* xs:boolean also has 1 and 0. */
bool
gpt_parse_is_true(const xmlNode *node, const char *name)
{
	return gpt_parse_attr_is(node, name, "true") ||
	       gpt_parse_attr_is(node, name, "1");
}

enum gk_err
gpt_parse_hex(struct gpt_parse *p, const xmlNode *node, const char *name,
              bool *present, struct gk_buf *out)
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

enum gk_err
gpt_parse_hex_content(struct gpt_parse *p, const xmlNode *node,
                      struct gk_buf *out)
{
	char *text = gpt_xml_content(node);
	enum gk_err err = text ? gk_unhex(out, text) : GK_ERR_NOMEM;

	free(text);
	if (err == GK_ERR_VALUE)
		return gpt_xml_refuse(node, p->why,
		                      "the content is not hexadecimal");
	return err;
}

enum gpt_none_form
gpt_parse_none_form(const xmlNode *node)
{
	return gpt_parse_attr_is(node, "form", "empty") ? GPT_NONE_EMPTY
	                                                : GPT_NONE_NULL;
}

enum gpt_tags
gpt_parse_tags(const xmlNode *node)
{
	return gpt_parse_attr_is(node, "tags", "explicit") ? GPT_TAGS_EXPLICIT
	                                                   : GPT_TAGS_IMPLICIT;
}

enum gpt_oid_form
gpt_parse_oid_form(const xmlNode *node)
{
	return gpt_parse_attr_is(node, "oid", "module") ? GPT_OID_MODULE
	                                                : GPT_OID_IANA;
}

/* An OID that this version knows has an element of its own; as an extension it
 * would come back from the DER as something else. */
enum gk_err
gpt_parse_extension(struct gpt_parse *p, const xmlNode *node,
                    const char *const *known, struct gpt_extension *out)
{
	GK_TRY(gpt_parse_need(p, node, "oid", &out->oid));
	for (size_t i = 0; known[i]; i++)
		if (strcmp(known[i], out->oid) == 0)
			return gpt_xml_refuse(node, p->why,
			                      "%s is not unknown here: use the "
			                      "element for it",
			                      out->oid);
	return gpt_parse_hex_content(p, gpt_xml_first(node, "octets"),
	                             &out->octets);
}

static enum gk_err
pair_fill(struct gpt_parse *p, const xmlNode *node, const char *type,
          struct gpt_pair *out)
{
	enum gk_id_kind kind =
		type ? gk_id_kind_from_name(type) : GK_ID_DN_STRING;
	char *text;
	enum gk_err err;

	GK_TRY(gpt_parse_hex(p, node, "ca", NULL, &out->ca));
	if (kind == GK_ID_NONE) {
		err = gpt_number_parse(type, &out->entity.type);
		if (err != GK_OK)
			return gpt_xml_refuse(node, p->why,
			                      "type '%s' is not a number of 64 "
			                      "bits",
			                      type);
		return gpt_parse_hex_content(p, node, &out->entity.data);
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
pair(struct gpt_parse *p, const xmlNode *node, struct gpt_pairs *list)
{
	struct gpt_pair *out = gpt_pairs_add(list);
	char *type = gpt_xml_attr(node, "type");
	enum gk_err err = out ? pair_fill(p, node, type, out) : GK_ERR_NOMEM;

	free(type);
	return err;
}

enum gk_err
gpt_parse_pairs(struct gpt_parse *p, const xmlNode *around, const char *name,
                struct gpt_pairs *list)
{
	for (const xmlNode *n = gpt_xml_first(around, name); n;
	     n = gpt_xml_next(n, name))
		GK_TRY(pair(p, n, list));
	return GK_OK;
}
