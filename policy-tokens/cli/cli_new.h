/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_CLI_NEW_H
#define GPT_CLI_NEW_H

#include "policy-tokens/cli/cli.h"

/*
 * DOC: what the makers of templates share
 */

/* cli_new_pairs - each name, of --type, under each certification authority. */
enum cli_exit cli_new_pairs(const struct cli_args *args, struct gpt_pairs *out,
                            const char *option, const char *const *names,
                            size_t n, const struct gk_buf *cas, size_t n_cas);
/* cli_new_group - the GroupID: --group, --group-type, --random. */
enum cli_exit cli_new_group(const struct cli_args *args,
                            struct gpt_token *token);
/* cli_new_gdoi - fill @token from the GDOI template of that name; CLI_NO when
 * there is none. */
enum cli_exit cli_new_gdoi(const struct cli_args *args, const char *name,
                           struct gpt_token *token);

#endif /* GPT_CLI_NEW_H */
