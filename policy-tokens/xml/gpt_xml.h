/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_XML_H
#define GPT_XML_H

#include <libxml/tree.h>

#include "policy-tokens/token/gpt_groupid.h"

/*
 * DOC: what the two XML formats of this room share
 *
 * Reading: a document is parsed with no network, no DTD and no entity but the
 * five that XML has, then checked against a schema that is compiled into the
 * library (the installed XSD is the same text).  Getters afterwards only meet
 * what the schema lets through; where they do not, they say so by line.
 *
 * Writing: a small emitter with one fixed layout, two spaces a level.
 */
#define GPT_XML_CAP (1u << 20) /* octets of a document */

enum gpt_xml_schema { GPT_XML_POLICY, GPT_XML_ANNOUNCEMENT };

/* gpt_xml_load - parse and validate; the caller frees with gpt_xml_free(). */
GK_MUST_CHECK enum gk_err gpt_xml_load(struct gk_slice xml,
                                       enum gpt_xml_schema schema, xmlDoc **doc,
                                       struct gpt_fault *why);
void gpt_xml_free(xmlDoc *doc);

bool gpt_xml_is(const xmlNode *node, const char *name);
/* The first or next child element, of that name or (NULL) of any. */
xmlNode *gpt_xml_first(const xmlNode *node, const char *name);
xmlNode *gpt_xml_next(const xmlNode *node, const char *name);

/* gpt_xml_attr, gpt_xml_content - without white space at either end; a new
 * string for free(), or NULL when absent.  Content is never NULL but for want
 * of memory. */
char *gpt_xml_attr(const xmlNode *node, const char *name);
char *gpt_xml_content(const xmlNode *node);

/* gpt_xml_refuse - "line N: <element>: text"; returns GK_ERR_VALUE. */
enum gk_err gpt_xml_refuse(const xmlNode *node, struct gpt_fault *why,
                           const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* --- writing ------------------------------------------------------------------ */

struct gpt_xml_out {
	struct gk_buf buf; /* grows; len is the capacity in use */
	size_t len;
	unsigned depth;
	bool open;       /* a start tag lacks its '>' */
	enum gk_err err; /* sticky */
};

/* gpt_xml_head - the XML declaration. */
void gpt_xml_head(struct gpt_xml_out *out);
void gpt_xml_begin(struct gpt_xml_out *out, const char *name);
void gpt_xml_put(struct gpt_xml_out *out, const char *attr, const char *value);
void gpt_xml_put_text(struct gpt_xml_out *out, const char *attr,
                      struct gk_slice value);
void gpt_xml_put_hex(struct gpt_xml_out *out, const char *attr,
                     struct gk_slice octets);
/* gpt_xml_end - close the element; with @text, it has that content. */
void gpt_xml_end(struct gpt_xml_out *out, const char *name);
void gpt_xml_end_text(struct gpt_xml_out *out, const char *name,
                      struct gk_slice text);
void gpt_xml_end_hex(struct gpt_xml_out *out, const char *name,
                     struct gk_slice octets);
/* gpt_xml_done - hand the document over, or the sticky error. */
GK_MUST_CHECK enum gk_err gpt_xml_done(struct gpt_xml_out *out,
                                       struct gk_buf *xml);

/* --- the <group-id> element that both formats have ------------------------------ */

/* gpt_xml_group_id - write it; @value fits @type. */
void gpt_xml_group_id(struct gpt_xml_out *out, enum gpt_groupid_type type,
                      struct gk_slice value);
/* gpt_xml_group_id_parse - read it; GK_ERR_VALUE when attributes and type do
 * not go together. */
GK_MUST_CHECK enum gk_err gpt_xml_group_id_parse(const xmlNode *node,
                                                 enum gpt_groupid_type *type,
                                                 struct gk_buf *value,
                                                 struct gpt_fault *why);

#endif /* GPT_XML_H */
