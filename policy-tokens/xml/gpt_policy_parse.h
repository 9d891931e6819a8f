/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_POLICY_PARSE_H
#define GPT_POLICY_PARSE_H

#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/xml/gpt_policy.h"
#include "policy-tokens/xml/gpt_xml.h"

/*
 * DOC: what the readers of the policy's parts share
 *
 * Private to xml/.  The document has satisfied the schema; refusals here are
 * about what a schema cannot say, and name the line.
 */

struct gpt_parse {
	struct gpt_lines *lines;
	struct gpt_fault *why;
	char path[48]; /* of the protocol we are in */
};

/* Remember the line of @node for the path so far and @rest. */
GK_MUST_CHECK enum gk_err gpt_parse_mark(struct gpt_parse *p,
                                         const xmlNode *node, const char *rest);

/* The same for ".list[i]". */
GK_MUST_CHECK enum gk_err gpt_parse_mark_nth(struct gpt_parse *p,
                                             const xmlNode *node,
                                             const char *list, size_t i);

/* The attribute as text, allocated. */
GK_MUST_CHECK enum gk_err gpt_parse_need(struct gpt_parse *p,
                                         const xmlNode *node, const char *name,
                                         char **out);

GK_MUST_CHECK enum gk_err gpt_parse_number(struct gpt_parse *p,
                                           const xmlNode *node,
                                           const char *name, int64_t *out);

GK_MUST_CHECK enum gk_err gpt_parse_code(struct gpt_parse *p,
                                         const xmlNode *node, const char *name,
                                         enum gpt_registry registry,
                                         int64_t *out);

GK_MUST_CHECK enum gk_err gpt_parse_date(struct gpt_parse *p,
                                         const xmlNode *node, const char *name,
                                         struct gpt_lifedate *out);

/* An optional attribute with two spellings; absent: false. */
bool gpt_parse_attr_is(const xmlNode *node, const char *name,
                       const char *value);

/* xs:boolean also has 1 and 0. */
bool gpt_parse_is_true(const xmlNode *node, const char *name);

/* Octets; with @present the attribute is optional. */
GK_MUST_CHECK enum gk_err gpt_parse_hex(struct gpt_parse *p,
                                        const xmlNode *node, const char *name,
                                        bool *present, struct gk_buf *out);

GK_MUST_CHECK enum gk_err gpt_parse_hex_content(struct gpt_parse *p,
                                                const xmlNode *node,
                                                struct gk_buf *out);

enum gpt_none_form gpt_parse_none_form(const xmlNode *node);

/* @known: OIDs that have an element of their own here, NULL at the end. */
GK_MUST_CHECK enum gk_err gpt_parse_extension(struct gpt_parse *p,
                                              const xmlNode *node,
                                              const char *const *known,
                                              struct gpt_extension *out);

/* All children of that name; appends. */
GK_MUST_CHECK enum gk_err gpt_parse_pairs(struct gpt_parse *p,
                                          const xmlNode *around,
                                          const char *name,
                                          struct gpt_pairs *list);

enum gpt_tags gpt_parse_tags(const xmlNode *node);

enum gpt_oid_form gpt_parse_oid_form(const xmlNode *node);

GK_MUST_CHECK enum gk_err gpt_parse_gsakmp_register(struct gpt_parse *p,
                                                    const xmlNode *node,
                                                    struct gpt_register *out);
GK_MUST_CHECK enum gk_err gpt_parse_gsakmp_deregister(
	struct gpt_parse *p, const xmlNode *node, struct gpt_deregister *out);
GK_MUST_CHECK enum gk_err gpt_parse_gsakmp_rekey(struct gpt_parse *p,
                                                 const xmlNode *node,
                                                 struct gpt_rekey *out);
/* The lists of a registration that GSAKMP and GDOI share. */
GK_MUST_CHECK enum gk_err gpt_parse_membership(struct gpt_parse *p,
                                               const xmlNode *node,
                                               struct gpt_register *out);

GK_MUST_CHECK enum gk_err gpt_parse_gdoi_register(struct gpt_parse *p,
                                                  const xmlNode *node,
                                                  struct gpt_protocol *out);
/* What an announcement has of it: group and phase 1. */
GK_MUST_CHECK enum gk_err gpt_parse_gdoi_announced(
	struct gpt_parse *p, const xmlNode *node,
	struct gpt_gdoi_register *out);
GK_MUST_CHECK enum gk_err gpt_parse_operation(struct gpt_parse *p,
                                              const xmlNode *node,
                                              struct gpt_operation *out);
GK_MUST_CHECK enum gk_err gpt_parse_gdoi_rekey(struct gpt_parse *p,
                                               const xmlNode *node,
                                               struct gpt_gdoi_rekey *out);
GK_MUST_CHECK enum gk_err gpt_parse_ipsec(struct gpt_parse *p,
                                          const xmlNode *node,
                                          struct gpt_ipsec *out);
GK_MUST_CHECK enum gk_err gpt_parse_iec(struct gpt_parse *p,
                                        const xmlNode *node,
                                        struct gpt_iec *out);

#endif /* GPT_POLICY_PARSE_H */
