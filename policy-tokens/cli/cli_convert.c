/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_dialect.h"
#include "policy-tokens/token/gpt_name.h"

/* compile, decompile, sign: from one form of a policy to another. */

static enum cli_exit
set_edition(const struct cli_args *args, struct gpt_token *token)
{
	if (!args->edition)
		return CLI_OK;
	if (gpt_number_parse(args->edition, &token->edition) != GK_OK)
		return cli_fail(CLI_USAGE, "--edition: '%s' is not a number",
		                args->edition);
	token->has_edition = true;
	return CLI_OK;
}

/* Once a reading is asked for, the default of all others holds, whatever the
 * document says: a dialect is a property of the whole token. */
static enum cli_exit
set_dialect(const struct cli_args *args, const char *file,
            struct gpt_token *token)
{
	struct gpt_dialect dialect = { 0 };
	char name[32];

	if (args->dialect.n == 0)
		return CLI_OK;
	for (size_t i = 0; i < args->dialect.n; i++) {
		const char *text = args->dialect.at[i];
		size_t len = strcspn(text, "=");
		enum gk_err err = GK_ERR_UNEXPECTED;

		if (text[len] == '=' && len < sizeof(name)) {
			memcpy(name, text, len);
			name[len] = '\0';
			err = gpt_dialect_set(&dialect, name, text + len + 1);
		}
		if (err != GK_OK)
			return cli_fail(CLI_USAGE, "--dialect: no %s '%s'",
			                err == GK_ERR_VALUE ? "such value:"
			                                    : "switch",
			                text);
	}
	if (gpt_dialect_apply(&dialect, token) != GK_OK)
		return cli_fail(CLI_INPUT,
		                "%s: the group's name has no such reading",
		                file);
	return CLI_OK;
}

/* The DER of a policy that can be carried out. */
static enum cli_exit
encode(const struct cli_args *args, const char *file,
       const struct cli_policy *policy, struct gk_buf *der)
{
	struct gpt_fault why = { 0 };
	enum cli_exit code;

	if (cli_findings(file, policy, true, stderr) != CLI_OK)
		return cli_fail(CLI_INPUT, "%s contradicts itself", file);
	code = set_dialect(args, file, policy->token);
	if (code != CLI_OK)
		return code;
	if (gpt_token_encode(policy->token, der, &why) != GK_OK)
		return cli_fault(file, &why);
	return CLI_OK;
}

enum cli_exit
cli_compile(const struct cli_args *args)
{
	const char *file = args->files[0];
	struct gk_buf der = { 0 };
	struct cli_policy policy;
	enum cli_exit code = cli_load(file, &policy);

	if (code != CLI_OK)
		return code;
	if (policy.form != CLI_FORM_XML)
		code = cli_fail(CLI_INPUT, "%s is not XML", file);
	if (code == CLI_OK)
		code = set_edition(args, policy.token);
	if (code == CLI_OK)
		code = encode(args, file, &policy, &der);
	if (code == CLI_OK)
		code = cli_write(args, gk_buf_slice(&der), true);
	gk_buf_free(&der);
	cli_policy_free(&policy);
	return code;
}

enum cli_exit
cli_decompile(const struct cli_args *args)
{
	struct gk_buf xml = { 0 };
	struct cli_policy policy;
	enum cli_exit code = cli_load(args->files[0], &policy);

	if (code != CLI_OK)
		return code;
	if (policy.form == CLI_FORM_SIGNED)
		fprintf(stderr, "msec-token: UNVERIFIED: the signature was not "
		                "looked at (msec-token verify)\n");
	if (gpt_policy_write(policy.token, &xml) != GK_OK)
		code = cli_fail(CLI_FAILURE, "out of memory");
	else
		code = cli_write(args, gk_buf_slice(&xml), false);
	gk_buf_free(&xml);
	cli_policy_free(&policy);
	return code;
}

static enum cli_exit
sign(const struct cli_args *args, struct gk_slice der,
     const struct gk_signer *signer, const struct gk_certs *chain)
{
	struct gk_buf cms = { 0 };
	struct gpt_fault why = { 0 };
	int64_t when;
	enum cli_exit code =
		cli_date("signing-time", args->signing_time, &when);

	if (code != CLI_OK)
		return code;
	if (gpt_token_sign_chain(der, signer, chain, when, args->bare, &cms,
	                         &why) != GK_OK)
		return cli_fault(args->cert, &why);
	code = cli_write(args, gk_buf_slice(&cms), true);
	gk_buf_free(&cms);
	return code;
}

enum cli_exit
cli_sign(const struct cli_args *args)
{
	const char *file = args->files[0];
	struct gk_signer *signer = NULL;
	struct gk_certs certs = { 0 };
	struct gk_buf der = { 0 };
	struct cli_policy policy;
	enum cli_exit code = cli_load(file, &policy);

	if (code != CLI_OK)
		return code;
	if (policy.form == CLI_FORM_SIGNED)
		code = cli_fail(CLI_INPUT, "%s is signed already", file);
	if (code == CLI_OK)
		code = set_edition(args, policy.token);
	if (code == CLI_OK)
		code = encode(args, file, &policy, &der);
	if (code == CLI_OK)
		code = cli_signer(args, &signer, &certs);
	if (code == CLI_OK)
		code = sign(args, gk_buf_slice(&der), signer, &certs);
	gk_signer_free(signer);
	gk_certs_free(&certs);
	gk_buf_free(&der);
	cli_policy_free(&policy);
	return code;
}
