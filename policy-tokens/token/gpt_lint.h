/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_LINT_H
#define GPT_LINT_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: what is wrong with a policy, and what is merely unwise
 *
 * An ERROR is a contradiction: the policy cannot be carried out as it stands,
 * and msec-token and msec-go refuse to sign it.  A WARNING is legal.
 *
 * Paths are those of the model ("registration[0].register.access[1]"); the
 * XML reader can turn them into lines.
 */
enum gpt_lint_level { GPT_LINT_WARNING, GPT_LINT_ERROR };

struct gpt_finding {
	enum gpt_lint_level level;
	const char *code; /* a short stable name, static: "weak-hash" */
	char path[100];
	char text[240]; /* printable */
};

struct gpt_findings {
	struct gpt_finding *at;
	size_t n;
	size_t errors;
};

/* gpt_lint - all findings, in the order of the policy; free with
 * gpt_findings_free().  GK_ERR_NOMEM. */
GK_MUST_CHECK enum gk_err gpt_lint(const struct gpt_token *token,
                                   struct gpt_findings *findings);
/* gpt_lint_gdoi - the same for the GDOI protocols alone, and for what they say
 * about SAs, not for whom they admit. */
GK_MUST_CHECK enum gk_err gpt_lint_gdoi(const struct gpt_token *token,
                                        struct gpt_findings *findings);
void gpt_findings_free(struct gpt_findings *findings);
/* gpt_findings_has - is there one with this code? */
bool gpt_findings_has(const struct gpt_findings *findings, const char *code);

#endif /* GPT_LINT_H */
