/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_CLI_H
#define GPT_CLI_H

#include <jansson.h>
#include <stdio.h>

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/xml/gpt_policy.h"

/*
 * DOC: msec-token - what its subcommands share
 *
 * One option table for all: an option that a subcommand has no use for is a
 * usage error there.
 */
enum cli_exit {
	CLI_OK = 0,
	CLI_NO = 1,      /* verified not, admitted not, differs, has errors */
	CLI_USAGE = 2,   /* the command line */
	CLI_INPUT = 3,   /* a document or a key is not what it should be */
	CLI_FILE = 4,    /* a file cannot be read or written */
	CLI_FAILURE = 5, /* out of memory and the like */
};

#define CLI_REPEAT 16 /* how often a repeatable option may be given */

/* A repeatable option. */
struct cli_list {
	const char *at[CLI_REPEAT];
	size_t n;
};

struct cli_args {
	const char *const *files; /* what is no option */
	int n_files;
	bool json, bare, legacy, require_crl, own_keys, flows;
	const char *output;
	const char *key, *cert, *passphrase_file;
	const char *signing_time, *now, *edition;
	const char *owner, *owner_cert, *last;
	const char *template, *group, *group_type, *random, *suite;
	const char *members, *interval, *time, *transport;
	const char *number, *oid;
	const char *role, *identity, *type;
	const char *token, *serial, *not_after, *rekey;
	const char *public_file, *kex;
	struct cli_list roots, chain, crls, ca, gcks, senders, servers, data,
		permissions, dialect, subs;
	bool verify;
};

/* One letter per option that a subcommand takes; the letters are private. */
struct cli_command {
	const char *name;
	const char *args;    /* "POLICY.xml" */
	const char *summary; /* one line */
	const char *options; /* letters of the option table */
	int min_files, max_files;
	enum cli_exit (*run)(const struct cli_args *args);
};

enum cli_exit cli_new(const struct cli_args *args);
enum cli_exit cli_compile(const struct cli_args *args);
enum cli_exit cli_decompile(const struct cli_args *args);
enum cli_exit cli_show(const struct cli_args *args);
enum cli_exit cli_sign(const struct cli_args *args);
enum cli_exit cli_verify(const struct cli_args *args);
enum cli_exit cli_diff(const struct cli_args *args);
enum cli_exit cli_lint(const struct cli_args *args);
enum cli_exit cli_announce(const struct cli_args *args);
enum cli_exit cli_explain(const struct cli_args *args);
enum cli_exit cli_keyid(const struct cli_args *args);
enum cli_exit cli_static_key(const struct cli_args *args);
/* cli_ask_rekey - may the party rekey the group? */
void cli_ask_rekey(const struct gpt_token *token, const struct gpt_party *party,
                   struct gpt_verdict *verdict);
/* cli_explain_all - every certificate of the command line, in every role. */
enum cli_exit cli_explain_all(const struct cli_args *args);

/* --- messages ------------------------------------------------------------------ */

/* cli_fail - "msec-token: ..." on stderr; returns @code. */
enum cli_exit cli_fail(enum cli_exit code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* cli_fault - the same for a refusal of a document in @file. */
enum cli_exit cli_fault(const char *file, const struct gpt_fault *why);

/* --- files ------------------------------------------------------------------------ */

enum cli_exit cli_read(const char *file, struct gk_buf *octets);
/* cli_write - to args->output, or to stdout; binary is not put on a terminal. */
enum cli_exit cli_write(const struct cli_args *args, struct gk_slice octets,
                        bool binary);
enum cli_exit cli_write_json(const struct cli_args *args, json_t *json);

enum cli_form { CLI_FORM_XML, CLI_FORM_DER, CLI_FORM_SIGNED };

/* A policy from a file, whatever its form.  Nothing of it is verified. */
struct cli_policy {
	enum cli_form form;
	struct gk_buf octets; /* of the file */
	struct gpt_token *token;
	struct gpt_lines lines; /* CLI_FORM_XML */
	int64_t signing_time;   /* CLI_FORM_SIGNED */
};
enum cli_exit cli_load(const char *file, struct cli_policy *policy);
void cli_policy_free(struct cli_policy *policy);

/* cli_findings - print what gpt_lint() found; CLI_NO when there are errors.
 * @errors_only leaves the warnings out. */
enum cli_exit cli_findings(const char *file, const struct cli_policy *policy,
                           bool errors_only, FILE *out);

/* --- keys and certificates --------------------------------------------------------- */

/* cli_certs - all certificates of the named files. */
enum cli_exit cli_certs(const struct cli_list *files, struct gk_certs *certs);
/* cli_authority - a key identifier in hexadecimal, or the certificate that has
 * it. */
enum cli_exit cli_authority(const char *text, struct gk_buf *id);
/* cli_permissions - the bits of --permission. */
enum cli_exit cli_permissions(const struct cli_args *args,
                              uint16_t *permissions);
/* cli_signer - --key and --cert. */
enum cli_exit cli_signer(const struct cli_args *args, struct gk_signer **signer,
                         struct gk_certs *certs);
/* cli_trust - --root, --chain, --crl. */
enum cli_exit cli_trust(const struct cli_args *args, struct gk_trust **trust);
/* What --owner, --owner-cert, --root and the rest say of the Group Owner. */
struct cli_owner {
	struct gpt_owner owner;
	struct gk_identity id;
	struct gk_buf id_octets;
	struct gk_certs cert;
	struct gk_trust *trust;
	int64_t now; /* --now */
};
enum cli_exit cli_owner(const struct cli_args *args, struct cli_owner *owner);
void cli_owner_free(struct cli_owner *owner);
/* cli_date - @text, or now when it is NULL. */
enum cli_exit cli_date(const char *option, const char *text, int64_t *utc);

/* cli_show_membership - the lists of a registration; cli_show_gdoi - a protocol of
 * gpt_gdoi.h. */
void cli_show_membership(FILE *out, const struct gpt_register *reg);
void cli_show_gdoi(FILE *out, const struct gpt_protocol *p);
/* cli_show_text - the policy in words; every foreign string escaped. */
void cli_show_text(FILE *out, const struct gpt_token *token);
/* cli_policy_json - the canonical XML as a tree; new reference or NULL. */
json_t *cli_policy_json(const struct gpt_token *token);

#endif /* GPT_CLI_H */
