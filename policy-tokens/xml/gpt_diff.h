/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_DIFF_H
#define GPT_DIFF_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: what changed between two policies
 *
 * Two policies differ where their canonical documents differ: one line there is
 * one fact.  The usual longest common subsequence, and for each changed line
 * the elements around it.
 */
#define GPT_DIFF_LINES_MAX 4000 /* the table has the square of this */

struct gpt_diff_line {
	bool added;        /* or removed */
	const char *where; /* "policy/registration/register" */
	struct gk_slice line;
};

/*
 * gpt_diff - call @each for every changed line, in order; what it is given is
 * valid during the call.
 *
 * Return: GK_OK; GK_ERR_SPACE when a document has too many lines.
 */
GK_MUST_CHECK enum gk_err gpt_diff(
	const struct gpt_token *from, const struct gpt_token *to,
	void (*each)(void *ctx, const struct gpt_diff_line *line), void *ctx);

#endif /* GPT_DIFF_H */
