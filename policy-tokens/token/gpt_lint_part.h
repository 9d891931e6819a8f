/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_LINT_PART_H
#define GPT_LINT_PART_H

#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_lint.h"

/*
 * DOC: what the checks of gpt_lint() share
 *
 * Private to token/.
 */
struct gpt_linting {
	struct gpt_findings *out;
	char base[64]; /* path of the protocol we are in */
	enum gk_err err;
};

void gpt_lint_add(struct gpt_linting *l, enum gpt_lint_level level,
                  const char *code, const char *rest, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

#define ERROR(l, code, rest, ...) \
	gpt_lint_add((l), GPT_LINT_ERROR, (code), (rest), __VA_ARGS__)
#define WARN(l, code, rest, ...) \
	gpt_lint_add((l), GPT_LINT_WARNING, (code), (rest), __VA_ARGS__)

/* gCKS, subGCKS, senders and joinAccessControl.  @phase1: an empty key identifier
 * is no condition (GDOI). */
void gpt_lint_membership(struct gpt_linting *l, const struct gpt_register *reg,
                         bool phase1);

/* The protocols of gpt_gdoi.h. */
void gpt_lint_gdoi_register(struct gpt_linting *l,
                            const struct gpt_token *token,
                            const struct gpt_protocol *p);
/* @at: of its rekey list. */
void gpt_lint_operation(struct gpt_linting *l, const struct gpt_token *token,
                        size_t at);
void gpt_lint_gdoi_rekey(struct gpt_linting *l,
                         const struct gpt_gdoi_rekey *rekey);
void gpt_lint_ipsec(struct gpt_linting *l, const struct gpt_token *token,
                    const struct gpt_ipsec *ipsec);
void gpt_lint_iec(struct gpt_linting *l, const struct gpt_token *token,
                  const struct gpt_iec *iec);

#endif /* GPT_LINT_PART_H */
