/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_POLICY_H
#define GPT_POLICY_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: the policy as XML - msec-policy(5), schema/msec-policy.xsd
 *
 * The canonical form is what gpt_policy_write() writes: one layout, registry
 * names where there are some, intervals in the longest unit that fits, defaults
 * left out.  A document in canonical form survives the way through the model
 * octet for octet; any other comes back in canonical form, without comments.
 */

/* Where things stand in the document, for findings about the model.  Owned by
 * the caller; a zeroed one is empty. */
struct gpt_lines {
	struct gpt_line {
		char path[64]; /* "registration[0].register" */
		int line;
	} * at;
	size_t n;
};

void gpt_lines_free(struct gpt_lines *lines);
/* gpt_lines_find - the line of the longest prefix of @path; 0 if there is none. */
int gpt_lines_find(const struct gpt_lines *lines, const char *path);

/**
 * gpt_policy_parse - XML to the model.
 * @lines: filled in unless NULL
 *
 * Syntax and schema only; gpt_lint() finds contradictions.
 *
 * Return: GK_OK; GK_ERR_VALUE, GK_ERR_SPACE with line and element in *@why.
 */
GK_MUST_CHECK enum gk_err gpt_policy_parse(struct gk_slice xml,
                                           struct gpt_token **token,
                                           struct gpt_lines *lines,
                                           struct gpt_fault *why);

/* gpt_policy_write - the model in canonical form; @xml must be empty. */
GK_MUST_CHECK enum gk_err gpt_policy_write(const struct gpt_token *token,
                                           struct gk_buf *xml);

#endif /* GPT_POLICY_H */
