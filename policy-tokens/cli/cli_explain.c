/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_access.h"

/* The party of the question, and what it points to. */
struct asker {
	struct gpt_party party;
	struct gk_identity id;
	struct gk_buf octets;
	struct gk_buf typed[CLI_REPEAT];
	struct gk_slice ca[CLI_REPEAT + GK_PATH_MAX];
	struct gk_certs cert;
	struct gk_trust *trust;
	struct gk_path path;
};

static void
asker_free(struct asker *a)
{
	gk_buf_free(&a->octets);
	for (size_t i = 0; i < CLI_REPEAT; i++)
		gk_buf_free(&a->typed[i]);
	gk_certs_free(&a->cert);
	gk_trust_free(a->trust);
	gk_path_free(&a->path);
}

/* Name and authorities out of a certificate; with roots, its path counts. */
static enum cli_exit
from_cert(const struct cli_args *args, enum gk_id_kind kind, struct asker *a)
{
	const struct cli_list file = { { args->cert }, 1 };
	struct gk_cert_fault why = { 0 };
	int64_t now;
	enum cli_exit code = cli_certs(&file, &a->cert);

	if (code == CLI_OK)
		code = cli_date("now", args->now, &now);
	if (code != CLI_OK)
		return code;
	if (gk_identity_of_cert(a->cert.cert[0], kind, GK_DN_COMPARE_RFC4514,
	                        &a->octets, &a->id) != GK_OK)
		return cli_fail(CLI_INPUT, "%s: no name of type %s", args->cert,
		                gk_id_kind_name(kind));
	if (args->roots.n == 0)
		return CLI_OK;
	code = cli_trust(args, &a->trust);
	if (code != CLI_OK)
		return code;
	if (gk_trust_verify(a->trust, a->cert.cert[0], NULL, now,
	                    GK_KU_DIGITAL_SIGNATURE, &a->path, &why) != GK_OK)
		return cli_fail(CLI_NO, "%s: %s", args->cert,
		                why.text ? why.text : "no valid path");
	for (size_t i = 1; i < a->path.n; i++)
		a->ca[a->party.n_ca_key_ids++] =
			gk_cert_key_id(a->path.cert[i]);
	return CLI_OK;
}

static enum cli_exit
authorities(const struct cli_args *args, struct asker *a)
{
	for (size_t i = 0; i < args->ca.n; i++) {
		enum cli_exit code =
			cli_authority(args->ca.at[i], &a->typed[i]);

		if (code != CLI_OK)
			return code;
		a->ca[a->party.n_ca_key_ids++] = gk_buf_slice(&a->typed[i]);
	}
	return CLI_OK;
}

static enum cli_exit
asker_make(const struct cli_args *args, struct asker *a)
{
	enum gk_id_kind kind =
		args->type ? gk_id_kind_from_name(args->type) : GK_ID_DN_STRING;
	enum cli_exit code = CLI_OK;

	if (kind == GK_ID_NONE)
		return cli_fail(CLI_USAGE, "--type: no type of name '%s'",
		                args->type);
	if (!args->identity == !args->cert)
		return cli_fail(CLI_USAGE,
		                "who? either --identity or --cert is needed");
	if (args->cert) {
		code = from_cert(args, kind, a);
	} else {
		a->id.kind = kind;
		if (gk_identity_parse(kind, gk_slice_str(args->identity),
		                      &a->octets) != GK_OK)
			code = cli_fail(CLI_USAGE,
			                "--identity: '%s' is not a name of "
			                "type %s",
			                args->identity, gk_id_kind_name(kind));
		a->id.octets = gk_buf_slice(&a->octets);
	}
	if (code == CLI_OK)
		code = authorities(args, a);
	if (code == CLI_OK)
		code = cli_permissions(args, &a->party.permissions);
	a->party.id = &a->id;
	a->party.cert = a->cert.n > 0 ? a->cert.cert[0] : NULL;
	a->party.ca_key_ids = a->ca;
	return code;
}

void
cli_ask_rekey(const struct gpt_token *token, const struct gpt_party *party,
              struct gpt_verdict *verdict)
{
	const struct gpt_rekey *rekey = gpt_token_rekey(token, NULL);

	/* A GDOI key server brings the key that signs its messages. */
	if (!rekey && gpt_token_gdoi_rekey(token, NULL))
		(void)gpt_access_gcks(gpt_token_members(token, NULL), party,
		                      verdict);
	else
		(void)gpt_access_rekey(rekey, party, verdict);
}

static enum cli_exit
ask(const char *role, const struct gpt_token *token, struct gpt_party *party,
    struct gpt_verdict *verdict)
{
	const struct gpt_register *reg =
		gpt_token_members(token, &party->phase1);
	const struct gpt_rekey *rekey = gpt_token_rekey(token, NULL);

	if (strcmp(role, "member") == 0)
		(void)gpt_access_member(reg, party, verdict);
	else if (strcmp(role, "gcks") == 0)
		(void)gpt_access_gcks(reg, party, verdict);
	else if (strcmp(role, "sub-gcks") == 0)
		(void)gpt_access_sub_gcks(reg, rekey, party, verdict);
	else if (strcmp(role, "sender") == 0)
		(void)gpt_access_sender(reg, party, verdict);
	else if (strcmp(role, "rekey") == 0)
		cli_ask_rekey(token, party, verdict);
	else
		return cli_fail(CLI_USAGE, "--as: no role '%s'", role);
	return CLI_OK;
}

enum cli_exit
cli_explain(const struct cli_args *args)
{
	const char *role = args->role ? args->role : "member";
	struct gpt_verdict verdict = { 0 };
	struct asker asker = { 0 };
	struct cli_policy policy;
	enum cli_exit code = cli_load(args->files[0], &policy);
	bool admitted;

	if (code != CLI_OK)
		return code;
	if (args->n_files > 1) {
		cli_policy_free(&policy);
		return cli_explain_all(args);
	}
	code = asker_make(args, &asker);
	if (code == CLI_OK)
		code = ask(role, policy.token, &asker.party, &verdict);
	admitted = verdict.reason == GPT_ACCESS_ADMITTED;
	if (code == CLI_OK && args->json)
		code = cli_write_json(
			args,
			json_pack("{s:b, s:s, s:s, s:s, s:s, s:i, s:i}",
		                  "admitted", admitted, "role", role, "text",
		                  verdict.text, "req", verdict.req, "list",
		                  verdict.list, "entry", (int)verdict.entry,
		                  "rule", (int)verdict.rule));
	else if (code == CLI_OK)
		printf("%s as %s: %s [%s]\n", admitted ? "admitted" : "refused",
		       role, verdict.text, verdict.req);
	asker_free(&asker);
	cli_policy_free(&policy);
	return code == CLI_OK && !admitted ? CLI_NO : code;
}
