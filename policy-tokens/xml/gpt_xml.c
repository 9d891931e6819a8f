/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/xml/gpt_xml.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/xml/gpt_xsd.h"

/* --- schemas, compiled once for the life of the process -------------------------- */

static xmlSchema *schemas[2];
static pthread_once_t schemas_once = PTHREAD_ONCE_INIT;

static void
ignore(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

static xmlSchema *
schema_make(const char *text, size_t len)
{
	xmlSchemaParserCtxt *ctx = xmlSchemaNewMemParserCtxt(text, (int)len);
	xmlSchema *schema;

	if (!ctx)
		return NULL;
	xmlSchemaSetParserErrors(ctx, ignore, ignore, NULL);
	schema = xmlSchemaParse(ctx);
	xmlSchemaFreeParserCtxt(ctx);
	return schema;
}

static void
schemas_make(void)
{
	xmlInitParser();
	schemas[GPT_XML_POLICY] =
		schema_make(gpt_xsd_policy, sizeof(gpt_xsd_policy) - 1);
	schemas[GPT_XML_ANNOUNCEMENT] = schema_make(
		gpt_xsd_announcement, sizeof(gpt_xsd_announcement) - 1);
}

/* --- reading ------------------------------------------------------------------------ */

/* libxml2's texts end in a newline and quote the document: make them fit a log
 * line.  Octets outside printable ASCII become '?'. */
static void
text_copy(char *out, size_t cap, const char *in)
{
	size_t n = 0;

	for (; *in && n + 1 < cap; in++) {
		if (*in == '\n')
			continue;
		out[n++] = *in >= 0x20 && *in < 0x7f ? *in : '?';
	}
	out[n] = '\0';
}

struct first_fault {
	struct gpt_fault *why;
	bool set;
};

/* The first error is the cause, later ones are mostly its consequences. */
static void
collect(void *arg, xmlErrorPtr error)
{
	struct first_fault *first = arg;
	char text[sizeof(first->why->text)];
	const xmlNode *node = error->node;

	if (first->set)
		return;
	first->set = true;
	text_copy(text, sizeof(text), error->message ? error->message : "");
	(void)gpt_fault_set(first->why, GK_ERR_VALUE, NULL, NULL, "%s", text);
	if (!first->why)
		return;
	first->why->line = error->line > 0 ? error->line : 1;
	if (node && node->type == XML_ELEMENT_NODE)
		(void)snprintf(first->why->field, sizeof(first->why->field),
		               "<%.60s>", (const char *)node->name);
}

/* The parser hands its own context to the handler. */
static void
collect_parser(void *arg, xmlErrorPtr error)
{
	const xmlParserCtxt *ctx = arg;

	collect(ctx->_private, error);
}

static enum gk_err
validate(xmlDoc *doc, enum gpt_xml_schema which, struct gpt_fault *why)
{
	struct first_fault first = { .why = why };
	xmlSchemaValidCtxt *ctx;
	int bad;

	(void)pthread_once(&schemas_once, schemas_make);
	if (!schemas[which])
		return gpt_fault_set(why, GK_ERR_NOMEM, NULL, NULL,
		                     "the schema cannot be compiled");
	ctx = xmlSchemaNewValidCtxt(schemas[which]);
	if (!ctx)
		return gpt_fault_set(why, GK_ERR_NOMEM, NULL, NULL,
		                     "out of memory");
	xmlSchemaSetValidStructuredErrors(ctx, collect, &first);
	bad = xmlSchemaValidateDoc(ctx, doc);
	xmlSchemaFreeValidCtxt(ctx);
	if (bad == 0)
		return GK_OK;
	if (!first.set)
		(void)gpt_fault_set(why, GK_ERR_VALUE, NULL, NULL,
		                    "does not satisfy the schema");
	return GK_ERR_VALUE;
}

enum gk_err
gpt_xml_load(struct gk_slice xml, enum gpt_xml_schema schema, xmlDoc **doc,
             struct gpt_fault *why)
{
	struct first_fault first = { .why = why };
	xmlParserCtxt *ctx;
	enum gk_err err = GK_OK;
	xmlDoc *made;

	if (xml.len > GPT_XML_CAP)
		return gpt_fault_set(why, GK_ERR_SPACE, NULL, NULL,
		                     "document larger than %u octets",
		                     GPT_XML_CAP);
	ctx = xmlNewParserCtxt();
	if (!ctx)
		return gpt_fault_set(why, GK_ERR_NOMEM, NULL, NULL,
		                     "out of memory");
	/* The errors of this parser go to this call, not to stderr. */
	ctx->_private = &first;
	ctx->sax->serror = collect_parser;
	made = xmlCtxtReadMemory(
		ctx, (const char *)xml.ptr, (int)xml.len, "document.xml", NULL,
		XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_BIG_LINES);
	xmlFreeParserCtxt(ctx);
	if (!made) {
		if (!first.set)
			(void)gpt_fault_set(why, GK_ERR_VALUE, NULL, NULL,
			                    "not well-formed XML");
		return GK_ERR_VALUE;
	}
	if (made->intSubset) {
		err = gpt_fault_set(why, GK_ERR_VALUE, NULL, NULL,
		                    "a document type declaration, which is not "
		                    "accepted");
		if (why)
			why->line = 1;
	}
	if (err == GK_OK)
		err = validate(made, schema, why);
	if (err != GK_OK) {
		xmlFreeDoc(made);
		return err;
	}
	*doc = made;
	return GK_OK;
}

void
gpt_xml_free(xmlDoc *doc)
{
	if (doc)
		xmlFreeDoc(doc);
}

bool
gpt_xml_is(const xmlNode *node, const char *name)
{
	return strcmp((const char *)node->name, name) == 0;
}

static xmlNode *
element_from(xmlNode *node, const char *name)
{
	while (node && (node->type != XML_ELEMENT_NODE ||
	                (name && !gpt_xml_is(node, name))))
		node = node->next;
	return node;
}

xmlNode *
gpt_xml_first(const xmlNode *node, const char *name)
{
	return node ? element_from(node->children, name) : NULL;
}

xmlNode *
gpt_xml_next(const xmlNode *node, const char *name)
{
	return node ? element_from(node->next, name) : NULL;
}

/* A malloc()ed copy without white space at either end; frees @in. */
static char *
trimmed(xmlChar *in)
{
	static const char space[] = " \t\r\n";
	const char *from = (const char *)in;
	size_t n;
	char *out;

	if (!in)
		return NULL;
	from += strspn(from, space);
	n = strlen(from);
	while (n > 0 && strchr(space, from[n - 1]))
		n--;
	out = strndup(from, n);
	xmlFree(in);
	return out;
}

char *
gpt_xml_attr(const xmlNode *node, const char *name)
{
	return trimmed(xmlGetNoNsProp(node, (const xmlChar *)name));
}

char *
gpt_xml_content(const xmlNode *node)
{
	return trimmed(xmlNodeGetContent(node));
}

enum gk_err
gpt_xml_refuse(const xmlNode *node, struct gpt_fault *why, const char *fmt, ...)
{
	char text[sizeof(why->text)], clean[sizeof(why->text)], field[80];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_copy(clean, sizeof(clean), text);
	(void)snprintf(field, sizeof(field), "<%.60s>",
	               (const char *)node->name);
	(void)gpt_fault_set(why, GK_ERR_VALUE, NULL, field, "%s", clean);
	if (why)
		why->line = (int)xmlGetLineNo(node);
	return GK_ERR_VALUE;
}
