/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_dn.h"
#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_name.h"

/* The state that --last, a token accepted before, leaves behind.  The same
 * rules apply to it, but for its age: certificates expire. */
static enum cli_exit
last_seen(const struct cli_args *args, const struct cli_owner *owner,
          struct gpt_seen *seen)
{
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };
	struct gk_buf octets;
	enum cli_exit code;

	if (!args->last)
		return CLI_OK;
	code = cli_read(args->last, &octets);
	if (code != CLI_OK)
		return code;
	if (gpt_token_verify(gk_buf_slice(&octets), &owner->owner, NULL,
	                     owner->now, &v, &why) != GK_OK)
		code = cli_fault(args->last, &why);
	else
		*seen = v.seen;
	gpt_verified_free(&v);
	gk_buf_free(&octets);
	return code;
}

static char *
subject_text(const struct gk_cert *cert, char *out, size_t cap)
{
	return gk_identity_print(
		out, cap,
		(struct gk_identity){ GK_ID_DER_DN, gk_cert_subject(cert) });
}

static enum cli_exit
report(const struct cli_args *args, const struct gpt_verified *v)
{
	char date[GPT_LIFEDATE_LEN], digest[2 * GPT_DIGEST_LEN + 1], name[300];
	json_t *json;

	(void)gpt_date_text(date, v->seen.signing_time);
	(void)gk_hex(digest, sizeof(digest),
	             (struct gk_slice){ v->seen.digest, GPT_DIGEST_LEN });
	(void)subject_text(v->signer, name, sizeof(name));
	if (!args->json) {
		printf("verified\n");
		printf("  signed by     %s\n", name);
		printf("  signing-time  %s\n", date);
		if (v->seen.has_edition)
			printf("  edition       %lld\n",
			       (long long)v->seen.edition);
		else
			printf("  edition       none\n");
		printf("  sha-256       %s\n", digest);
		if (v->identical)
			printf("  the very token that was seen last\n");
		return CLI_OK;
	}
	json = json_pack("{s:b, s:s, s:s, s:s, s:b}", "verified", 1, "signer",
	                 name, "signing_time", date, "sha256", digest,
	                 "identical", v->identical);
	if (json && v->seen.has_edition)
		json_object_set_new(json, "edition",
		                    json_integer(v->seen.edition));
	return cli_write_json(args, json);
}

enum cli_exit
cli_verify(const struct cli_args *args)
{
	const char *file = args->files[0];
	struct gpt_seen last = { 0 };
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };
	struct gk_buf octets = { 0 };
	struct cli_owner owner;
	enum cli_exit code = cli_owner(args, &owner);

	if (code != CLI_OK)
		return code;
	code = cli_read(file, &octets);
	if (code == CLI_OK)
		code = last_seen(args, &owner, &last);
	if (code == CLI_OK &&
	    gpt_token_verify(gk_buf_slice(&octets), &owner.owner, &last,
	                     owner.now, &v, &why) != GK_OK) {
		code = cli_fault(file, &why);
		if (args->json)
			(void)cli_write_json(
				args,
				json_pack("{s:b, s:s, s:s, s:s?}", "verified",
			                  0, "field", why.field, "reason",
			                  why.text, "req", why.req));
	}
	if (code == CLI_OK)
		code = report(args, &v);
	gpt_verified_free(&v);
	gk_buf_free(&octets);
	cli_owner_free(&owner);
	return code;
}

/* --- show --------------------------------------------------------------------------------- */

static const char *
standing(const struct cli_policy *policy, bool verified)
{
	if (verified)
		return "verified";
	return policy->form == CLI_FORM_SIGNED ? "UNVERIFIED" : "UNSIGNED";
}

static void
banner(const struct cli_policy *policy)
{
	static const char line[] =
		"********************************************************"
		"************";

	printf("%s\n", line);
	if (policy->form == CLI_FORM_SIGNED)
		printf("**  UNVERIFIED: anybody may have written this token.  "
		       "Nothing     **\n"
		       "**  below is authentic until 'msec-token verify' says "
		       "so.        **\n");
	else
		printf("**  UNSIGNED: this is a draft.  Nobody vouches for "
		       "it.            **\n");
	printf("%s\n", line);
}

/* With a Group Owner on the command line show verifies first, and prints
 * nothing of a token that does not. */
static enum cli_exit
verify_for_show(const struct cli_args *args, const struct cli_policy *policy)
{
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };
	struct cli_owner owner;
	enum cli_exit code = cli_owner(args, &owner);

	if (code != CLI_OK)
		return code;
	if (gpt_token_verify(gk_buf_slice(&policy->octets), &owner.owner, NULL,
	                     owner.now, &v, &why) != GK_OK)
		code = cli_fault(args->files[0], &why);
	gpt_verified_free(&v);
	cli_owner_free(&owner);
	return code;
}

enum cli_exit
cli_show(const struct cli_args *args)
{
	bool wants = args->owner || args->owner_cert;
	char date[GPT_LIFEDATE_LEN] = "";
	struct cli_policy policy;
	enum cli_exit code = cli_load(args->files[0], &policy);
	json_t *json;

	if (code != CLI_OK)
		return code;
	if (wants)
		code = verify_for_show(args, &policy);
	if (code != CLI_OK) {
		cli_policy_free(&policy);
		return code;
	}
	if (policy.form == CLI_FORM_SIGNED)
		(void)gpt_date_text(date, policy.signing_time);
	if (args->json) {
		json = json_pack("{s:s, s:o}", "standing",
		                 standing(&policy, wants), "policy",
		                 cli_policy_json(policy.token));
		if (json && date[0])
			json_object_set_new(json, "signing_time",
			                    json_string(date));
		code = cli_write_json(args, json);
	} else {
		if (!wants)
			banner(&policy);
		if (date[0])
			printf("signing-time  %s%s\n", date,
			       wants ? "" : " (claimed)");
		cli_show_text(stdout, policy.token);
	}
	cli_policy_free(&policy);
	return code;
}

/* --- lint and keyid -------------------------------------------------------------------------- */

enum cli_exit
cli_lint(const struct cli_args *args)
{
	struct gpt_findings found;
	struct cli_policy policy;
	json_t *list;
	enum cli_exit code = cli_load(args->files[0], &policy);

	if (code != CLI_OK)
		return code;
	if (!args->json) {
		code = cli_findings(args->files[0], &policy, false, stdout);
		cli_policy_free(&policy);
		return code;
	}
	if (gpt_lint(policy.token, &found) != GK_OK) {
		cli_policy_free(&policy);
		return cli_fail(CLI_FAILURE, "out of memory");
	}
	list = json_array();
	for (size_t i = 0; list && i < found.n; i++) {
		const struct gpt_finding *f = &found.at[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s, s:i}", "level",
		                  f->level == GPT_LINT_ERROR ? "error"
		                                             : "warning",
		                  "code", f->code, "path", f->path, "text",
		                  f->text, "line",
		                  gpt_lines_find(&policy.lines, f->path)));
	}
	code = cli_write_json(args, json_pack("{s:o}", "findings", list));
	if (code == CLI_OK && found.errors > 0)
		code = CLI_NO;
	gpt_findings_free(&found);
	cli_policy_free(&policy);
	return code;
}

enum cli_exit
cli_keyid(const struct cli_args *args)
{
	struct cli_list files = { 0 };
	struct gk_certs certs = { 0 };
	json_t *list = args->json ? json_array() : NULL;
	enum cli_exit code;

	for (int i = 0; i < args->n_files; i++)
		files.at[files.n++] = args->files[i];
	code = cli_certs(&files, &certs);
	for (size_t i = 0; code == CLI_OK && i < certs.n; i++) {
		struct gk_slice id = gk_cert_key_id(certs.cert[i]);
		char hex[2 * 64 + 1], name[300];

		(void)gk_hex(hex, sizeof(hex), id);
		(void)subject_text(certs.cert[i], name, sizeof(name));
		if (list)
			json_array_append_new(list,
			                      json_pack("{s:s, s:s}", "key_id",
			                                hex, "subject", name));
		else
			printf("%s  %s\n", hex, name);
	}
	gk_certs_free(&certs);
	if (code == CLI_OK && list)
		return cli_write_json(args, list);
	json_decref(list);
	return code;
}
