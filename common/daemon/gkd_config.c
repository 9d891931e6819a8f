/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_config.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_config_private.h"

#define XSD_MAX (1u << 20)
#define NAME_MAX_OCTETS 64

/* Texts that getters hand out live as long as the config. */
struct kept {
	struct kept *next;
	char text[];
};

struct gkd_config {
	xmlDocPtr doc;
	char *name;
	struct kept *kept;
};

/* struct gkd_elem is libxml's node under a name of our own. */
static xmlNodePtr
node_of(const struct gkd_elem *elem)
{
	return (xmlNodePtr)(uintptr_t)elem;
}

static const struct gkd_elem *
elem_of(const xmlNode *node)
{
	return (const struct gkd_elem *)node;
}

/* ---- messages ---------------------------------------------------------- */

struct complaint {
	const char *file;
	struct gkd_why *why;
	bool given;
};

/* The first message is the one that says where it began to go wrong. */
static void
on_xml_error(void *arg, xmlErrorPtr error)
{
	struct complaint *c = arg;
	const char *element = NULL;
	size_t n;

	if (c->given || error == NULL || error->message == NULL)
		return;
	c->given = true;
	if (error->node != NULL) {
		const xmlNode *node = error->node;

		if (node->type == XML_ATTRIBUTE_NODE)
			node = node->parent;
		element = (const char *)node->name;
	}
	/* What has no line was put there. */
	if (element != NULL && error->line == 0)
		n = (size_t)snprintf(c->why->text, sizeof(c->why->text),
		                     "%s with --set:", c->file);
	else
		n = (size_t)snprintf(c->why->text, sizeof(c->why->text),
		                     "%s:%d:", c->file, error->line);
	if (n >= sizeof(c->why->text))
		return;
	snprintf(c->why->text + n, sizeof(c->why->text) - n, "%s%s%s %s",
	         element != NULL ? " <" : "", element != NULL ? element : "",
	         element != NULL ? ">:" : "", error->message);
	n = strlen(c->why->text);
	while (n > 0 && c->why->text[n - 1] == '\n')
		c->why->text[--n] = '\0';
}

enum gk_err
gkd_config_fail(const struct gkd_config *config, const struct gkd_elem *elem,
                struct gkd_why *why, const char *format, ...)
{
	va_list ap;
	size_t n;

	if (elem != NULL)
		snprintf(why->text, sizeof(why->text),
		         "%s:%u: <%s>: ", config->name, gkd_elem_line(elem),
		         gkd_elem_name(elem));
	else
		snprintf(why->text, sizeof(why->text), "%s: ", config->name);
	n = strlen(why->text);
	va_start(ap, format);
	vsnprintf(why->text + n, sizeof(why->text) - n, format, ap);
	va_end(ap);
	return GK_ERR_VALUE;
}

/* ---- the schema -------------------------------------------------------- */

/* The directories are searched in order; @out gets the first that has @name. */
static bool
find_xsd(const char *name, char out[PATH_MAX])
{
	const char *dirs = getenv("MSEC_DATADIR");
	struct gk_buf probe;

	if (dirs == NULL || *dirs == '\0')
		dirs = GK_DATADIR;
	while (*dirs != '\0') {
		size_t n = strcspn(dirs, ":");
		int len =
			snprintf(out, PATH_MAX, "%.*s/%s", (int)n, dirs, name);

		if (len > 0 && len < PATH_MAX &&
		    gkd_file_read(out, XSD_MAX, &probe) == GK_OK) {
			gk_buf_free(&probe);
			return true;
		}
		dirs += n + (dirs[n] == ':');
	}
	return false;
}

/*
 * The only way by which libxml reaches anything outside the text it is given:
 * a schema that an installed schema includes, by its bare name.
 */
static xmlParserInputPtr
load_schema_only(const char *url, const char *id, xmlParserCtxtPtr ctxt)
{
	char path[PATH_MAX];
	const char *base;
	size_t n;

	(void)id;
	if (url == NULL)
		return NULL;
	base = strrchr(url, '/');
	base = base != NULL ? base + 1 : url;
	n = strlen(base);
	if (n < 5 || strcmp(base + n - 4, ".xsd") != 0 || !find_xsd(base, path))
		return NULL;
	return xmlNewInputFromFile(ctxt, path);
}

static xmlSchemaPtr
load_schema(const char *xsd, struct complaint *c)
{
	xmlSchemaParserCtxtPtr ctxt;
	xmlSchemaPtr schema = NULL;
	char path[PATH_MAX];

	if (!find_xsd(xsd, path)) {
		snprintf(c->why->text, sizeof(c->why->text),
		         "schema '%s' not found in '%s' (MSEC_DATADIR)", xsd,
		         getenv("MSEC_DATADIR") != NULL ? getenv("MSEC_DATADIR")
		                                        : GK_DATADIR);
		c->given = true;
		return NULL;
	}
	ctxt = xmlSchemaNewParserCtxt(path);
	if (ctxt != NULL) {
		xmlSchemaSetParserStructuredErrors(ctxt, on_xml_error, c);
		schema = xmlSchemaParse(ctxt);
		xmlSchemaFreeParserCtxt(ctxt);
	}
	return schema;
}

static enum gk_err
validate(struct gkd_config *config, const char *xsd, struct gkd_why *why)
{
	struct complaint c = { .file = xsd, .why = why };
	xmlSchemaPtr schema = load_schema(xsd, &c);
	xmlSchemaValidCtxtPtr ctxt;
	int rc = -1;

	if (schema == NULL) {
		if (!c.given)
			snprintf(why->text, sizeof(why->text),
			         "schema '%s' cannot be read", xsd);
		return GK_ERR_IO;
	}
	c.file = config->name;
	ctxt = xmlSchemaNewValidCtxt(schema);
	if (ctxt != NULL) {
		xmlSchemaSetValidStructuredErrors(ctxt, on_xml_error, &c);
		/* Defaults of the schema are filled in here. */
		xmlSchemaSetValidOptions(ctxt, XML_SCHEMA_VAL_VC_I_CREATE);
		rc = xmlSchemaValidateDoc(ctxt, config->doc);
		xmlSchemaFreeValidCtxt(ctxt);
	}
	xmlSchemaFree(schema);
	if (rc == 0)
		return GK_OK;
	if (!c.given)
		gkd_config_fail(config, NULL, why, "does not match %s", xsd);
	return GK_ERR_VALUE;
}

/* ---- paths ------------------------------------------------------------- */

static xmlNodePtr
child_element(xmlNodePtr parent, const char *name, unsigned index)
{
	for (xmlNodePtr n = parent->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE &&
		    strcmp((const char *)n->name, name) == 0 && index-- == 1)
			return n;
	return NULL;
}

/* One step of a path: a name and perhaps [n]; moves *@path behind it. */
static bool
step_of(const char **path, char name[NAME_MAX_OCTETS], unsigned *index)
{
	size_t n = strcspn(*path, "/@[=");
	const char *p = *path + n;

	*index = 1;
	if (n == 0 || n >= NAME_MAX_OCTETS)
		return false;
	memcpy(name, *path, n);
	name[n] = '\0';
	if (*p == '[') {
		char *end;
		unsigned long i = strtoul(p + 1, &end, 10);

		if (end == p + 1 || *end != ']' || i == 0 || i > 10000)
			return false;
		*index = (unsigned)i;
		p = end + 1;
	}
	if (*p == '/')
		p++;
	*path = p;
	return true;
}

/* Walks the elements of @path; what is left of it is "" or "@attribute". */
static xmlNodePtr
walk(xmlNodePtr node, const char **path)
{
	char name[NAME_MAX_OCTETS];
	unsigned index;

	while (node != NULL && **path != '\0' && **path != '@') {
		if (!step_of(path, name, &index))
			return NULL;
		node = child_element(node, name, index);
	}
	return node;
}

/* ---- --set ------------------------------------------------------------- */

static enum gk_err
set_fail(struct gkd_why *why, const char *text, const char *what)
{
	snprintf(why->text, sizeof(why->text), "--set %s: %s", text, what);
	return GK_ERR_VALUE;
}

static enum gk_err
apply_set(struct gkd_config *config, const char *text, struct gkd_why *why)
{
	xmlNodePtr node = xmlDocGetRootElement(config->doc);
	const char *path = text, *value = strchr(text, '=');
	char name[NAME_MAX_OCTETS];
	unsigned index;

	if (value == NULL)
		return set_fail(why, text, "expected path=value");
	value++;
	while (*path != '@' && *path != '=') {
		xmlNodePtr next;

		if (!step_of(&path, name, &index))
			return set_fail(why, text, "not a path");
		next = child_element(node, name, index);
		if (next == NULL && index == 1)
			next = xmlNewChild(node, NULL, (const xmlChar *)name,
			                   NULL);
		if (next == NULL)
			return set_fail(why, text, "no such element");
		node = next;
	}
	if (*path == '=') {
		xmlNodeSetContent(node, NULL);
		xmlNodeAddContent(node, (const xmlChar *)value);
		return GK_OK;
	}
	path++;
	if ((size_t)(value - 1 - path) >= sizeof(name) || value - 1 == path)
		return set_fail(why, text, "not an attribute name");
	memcpy(name, path, (size_t)(value - 1 - path));
	name[value - 1 - path] = '\0';
	xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
	return GK_OK;
}

/* ---- load -------------------------------------------------------------- */

static enum gk_err
parse_document(struct gkd_config *config, struct gk_slice xml,
               struct gkd_why *why)
{
	struct complaint c = { .file = config->name, .why = why };
	xmlParserCtxtPtr ctxt = xmlNewParserCtxt();

	if (ctxt == NULL)
		return GK_ERR_NOMEM;
	xmlSetStructuredErrorFunc(&c, on_xml_error);
	config->doc = xmlCtxtReadMemory(
		ctxt, (const char *)xml.ptr, (int)xml.len, config->name, NULL,
		XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOCDATA);
	xmlSetStructuredErrorFunc(NULL, NULL);
	xmlFreeParserCtxt(ctxt);
	if (config->doc == NULL) {
		if (!c.given)
			gkd_config_fail(config, NULL, why, "is not XML");
		return GK_ERR_VALUE;
	}
	config->doc->_private = config;
	/* No DTD: no entities, no defaults from elsewhere. */
	if (config->doc->intSubset != NULL) {
		snprintf(why->text, sizeof(why->text),
		         "%s: a document type declaration is not allowed",
		         config->name);
		return GK_ERR_VALUE;
	}
	return GK_OK;
}

static enum gk_err
load(struct gkd_config *config, struct gk_slice xml, const char *xsd,
     const char *const *set, size_t n_set, struct gkd_why *why)
{
	if (xml.len > GKD_CONFIG_MAX)
		return gkd_config_fail(config, NULL, why,
		                       "is longer than %u octets",
		                       GKD_CONFIG_MAX);
	GK_TRY(parse_document(config, xml, why));
	for (size_t i = 0; i < n_set; i++)
		GK_TRY(apply_set(config, set[i], why));
	return validate(config, xsd, why);
}

enum gk_err
gkd_config_parse(struct gkd_config **config, const char *name,
                 struct gk_slice xml, const char *xsd, const char *const *set,
                 size_t n_set, struct gkd_why *why)
{
	xmlExternalEntityLoader saved = xmlGetExternalEntityLoader();
	struct gkd_config *c = calloc(1, sizeof(*c));
	enum gk_err err = GK_ERR_NOMEM;

	*why = (struct gkd_why){ "out of memory" };
	if (c == NULL)
		return GK_ERR_NOMEM;
	c->name = strdup(name);
	xmlInitParser();
	xmlSetExternalEntityLoader(load_schema_only);
	if (c->name != NULL)
		err = load(c, xml, xsd, set, n_set, why);
	xmlSetExternalEntityLoader(saved);
	if (err != GK_OK) {
		gkd_config_free(c);
		return err;
	}
	*config = c;
	return GK_OK;
}

enum gk_err
gkd_config_load(struct gkd_config **config, const char *path, const char *xsd,
                const char *const *set, size_t n_set, struct gkd_why *why)
{
	struct gk_buf xml;
	enum gk_err err = gkd_file_read(path, GKD_CONFIG_MAX, &xml);

	if (err != GK_OK) {
		snprintf(why->text, sizeof(why->text), "%s: %s", path,
		         err == GK_ERR_IO ? strerror(errno)
		                          : "is longer than 1 MiB");
		return GK_ERR_IO;
	}
	err = gkd_config_parse(config, path, gk_buf_slice(&xml), xsd, set,
	                       n_set, why);
	gk_buf_free(&xml);
	return err;
}

void
gkd_config_free(struct gkd_config *config)
{
	if (config == NULL)
		return;
	while (config->kept != NULL) {
		struct kept *next = config->kept->next;

		free(config->kept);
		config->kept = next;
	}
	xmlFreeDoc(config->doc);
	free(config->name);
	free(config);
}

/* ---- elements ---------------------------------------------------------- */

const struct gkd_elem *
gkd_config_root(const struct gkd_config *config)
{
	return elem_of(xmlDocGetRootElement(config->doc));
}

const struct gkd_elem *
gkd_elem_child(const struct gkd_elem *elem, const char *path)
{
	xmlNodePtr node = walk(node_of(elem), &path);

	return *path == '\0' ? elem_of(node) : NULL;
}

const struct gkd_elem *
gkd_elem_next(const struct gkd_elem *elem)
{
	const struct gkd_elem *e = gkd_elem_sibling(elem);

	while (e != NULL && strcmp(gkd_elem_name(e), gkd_elem_name(elem)) != 0)
		e = gkd_elem_sibling(e);
	return e;
}

const struct gkd_elem *
gkd_elem_first(const struct gkd_elem *elem)
{
	xmlNodePtr n = node_of(elem)->children;

	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return elem_of(n);
}

const struct gkd_elem *
gkd_elem_sibling(const struct gkd_elem *elem)
{
	xmlNodePtr n = node_of(elem)->next;

	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return elem_of(n);
}

const char *
gkd_elem_name(const struct gkd_elem *elem)
{
	return (const char *)node_of(elem)->name;
}

unsigned
gkd_elem_line(const struct gkd_elem *elem)
{
	long line = xmlGetLineNo(node_of(elem));

	return line > 0 ? (unsigned)line : 0;
}

/* ---- for the getters of gkd_value.c ------------------------------------- */

char *
gkd_config_content(const struct gkd_elem *elem, const char *path)
{
	xmlNodePtr node = walk(node_of(elem), &path);
	xmlChar *raw;
	char *text, *end;

	if (node == NULL)
		return NULL;
	if (*path == '@')
		raw = xmlGetNoNsProp(node, (const xmlChar *)path + 1);
	else
		raw = xmlNodeGetContent(node);
	if (raw == NULL)
		return NULL;
	text = (char *)raw;
	text += strspn(text, " \t\r\n");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	text = strndup(text, (size_t)(end - text));
	xmlFree(raw);
	return text;
}

char *
gkd_config_keep(const struct gkd_elem *elem, const char *text)
{
	struct gkd_config *config = node_of(elem)->doc->_private;
	size_t n = strlen(text) + 1;
	struct kept *k = malloc(sizeof(*k) + n);

	if (k == NULL)
		return NULL;
	memcpy(k->text, text, n);
	k->next = config->kept;
	config->kept = k;
	return k->text;
}

const char *
gkd_config_name(const struct gkd_config *config)
{
	return config->name;
}
