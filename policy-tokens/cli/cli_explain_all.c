/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_access.h"

/*
 * A policy tried on a set of certificates: what would each of them be in the
 * group, and which rule says so?
 *
 * With roots the path of a certificate is validated, and one without a valid
 * path is nobody.  Without roots the certificates behind it in its file, and
 * --ca, are taken for its authorities, and the output says that it was assumed.
 */
enum role { MEMBER, SENDER, GCKS, SUB_GCKS, REKEY, ROLES };

static const char *const role_names[ROLES] = { "member", "sender", "gcks",
	                                       "sub-gcks", "rekey" };

struct subject {
	const char *file;
	struct gk_certs certs;
	struct gk_buf octets;
	struct gk_identity id;
	struct gk_path path;
	struct gk_slice ca[GK_PATH_MAX + CLI_REPEAT];
	struct gpt_party party;
	char name[320];
	char fault[200]; /* why it has no path; empty: it has one */
	struct gpt_verdict verdict[ROLES];
};

/* What is the same for all of them. */
struct trial {
	const struct cli_args *args;
	const struct gpt_token *token;
	struct gk_trust *trust; /* NULL: nothing is validated */
	struct gk_buf typed[CLI_REPEAT];
	enum gk_id_kind kind;
	uint16_t permissions; /* that all of them hold */
	int64_t now;
	enum role decides;
	json_t *list;
	bool all;
};

static void
subject_free(struct subject *s)
{
	gk_certs_free(&s->certs);
	gk_buf_free(&s->octets);
	gk_path_free(&s->path);
}

static void
add_authority(struct subject *s, struct gk_slice id)
{
	if (s->party.n_ca_key_ids < GK_COUNT(s->ca))
		s->ca[s->party.n_ca_key_ids++] = id;
}

static void
validate(const struct trial *t, struct subject *s)
{
	const struct gk_trust_extra extra = { .certs = &s->certs };
	struct gk_cert_fault why = { 0 };

	if (!t->trust) {
		for (size_t i = 1; i < s->certs.n; i++)
			add_authority(s, gk_cert_key_id(s->certs.cert[i]));
	} else if (gk_trust_verify(t->trust, s->certs.cert[0], &extra, t->now,
	                           GK_KU_DIGITAL_SIGNATURE, &s->path,
	                           &why) != GK_OK) {
		(void)snprintf(s->fault, sizeof(s->fault), "%s",
		               why.text ? why.text : "no valid path");
	} else {
		for (size_t i = 1; i < s->path.n; i++)
			add_authority(s, gk_cert_key_id(s->path.cert[i]));
	}
	for (size_t i = 0; i < t->args->ca.n; i++)
		add_authority(s, gk_buf_slice(&t->typed[i]));
}

static void
judge(const struct trial *t, struct subject *s)
{
	const struct gpt_register *reg =
		gpt_token_members(t->token, &s->party.phase1);
	const struct gpt_rekey *rekey = gpt_token_rekey(t->token, NULL);
	struct gpt_verdict *v = s->verdict;

	(void)gpt_access_member(reg, &s->party, &v[MEMBER]);
	(void)gpt_access_sender(reg, &s->party, &v[SENDER]);
	(void)gpt_access_gcks(reg, &s->party, &v[GCKS]);
	(void)gpt_access_sub_gcks(reg, rekey, &s->party, &v[SUB_GCKS]);
	cli_ask_rekey(t->token, &s->party, &v[REKEY]);
}

static bool
is(const struct subject *s, enum role role)
{
	if (s->fault[0])
		return false;
	/* Nobody sends who is not in. */
	if (role == SENDER && !is(s, MEMBER))
		return false;
	return s->verdict[role].reason == GPT_ACCESS_ADMITTED;
}

/* --- output ------------------------------------------------------------------------- */

static json_t *
role_json(const struct subject *s, enum role r)
{
	const struct gpt_verdict *v = &s->verdict[r];

	return json_pack("{s:b, s:s, s:s, s:s, s:i, s:i}", "admitted",
	                 (int)is(s, r), "text", v->text, "req", v->req, "list",
	                 v->list, "entry", (int)v->entry, "rule", (int)v->rule);
}

static void
tell_json(const struct trial *t, const struct subject *s)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "file", s->file, "name",
	                      s->name, "path",
	                      s->fault[0] ? "invalid"
	                      : t->trust  ? "valid"
	                                  : "assumed");
	json_t *as = json_array(), *roles = json_object();

	for (enum role r = 0; r < ROLES; r++) {
		if (is(s, r))
			json_array_append_new(as, json_string(role_names[r]));
		if (!s->fault[0])
			json_object_set_new(roles, role_names[r],
			                    role_json(s, r));
	}
	if (s->fault[0])
		json_object_set_new(o, "reason", json_string(s->fault));
	json_object_set_new(o, "as", as);
	json_object_set_new(o, "roles", roles);
	json_array_append_new(t->list, o);
}

static void
tell_text(const struct trial *t, const struct subject *s)
{
	const char *comma = "";

	printf("%s: %s: ", s->file, s->name);
	if (s->fault[0]) {
		printf("refused: %s\n", s->fault);
		return;
	}
	for (enum role r = 0; r < ROLES; r++)
		if (is(s, r)) {
			printf("%s%s", comma[0] ? comma : "admitted as ",
			       role_names[r]);
			comma = ", ";
		}
	printf("%s%s\n", comma[0] ? "" : "refused",
	       t->trust ? "" : " (authorities not validated)");
	for (enum role r = 0; r < ROLES; r++)
		printf("    %-8s  %s: %s [%s]\n", role_names[r],
		       s->verdict[r].reason == GPT_ACCESS_ADMITTED ? "yes"
		                                                   : "no",
		       s->verdict[r].text, s->verdict[r].req);
}

/* --- one after the other ------------------------------------------------------------ */

static enum cli_exit
try_one(struct trial *t, const char *file)
{
	const struct cli_list one = { { file }, 1 };
	struct subject *s = calloc(1, sizeof(*s));
	enum cli_exit code;

	if (!s)
		return cli_fail(CLI_FAILURE, "out of memory");
	s->file = file;
	code = cli_certs(&one, &s->certs);
	if (code == CLI_OK && gk_identity_of_cert(s->certs.cert[0], t->kind,
	                                          GK_DN_COMPARE_RFC4514,
	                                          &s->octets, &s->id) != GK_OK)
		code = cli_fail(CLI_INPUT, "%s: no name of type %s", file,
		                gk_id_kind_name(t->kind));
	if (code == CLI_OK) {
		(void)gk_identity_print(s->name, sizeof(s->name), s->id);
		s->party.id = &s->id;
		s->party.cert = s->certs.cert[0];
		s->party.ca_key_ids = s->ca;
		s->party.permissions = t->permissions;
		validate(t, s);
		judge(t, s);
		t->all = t->all && is(s, t->decides);
		if (t->list)
			tell_json(t, s);
		else
			tell_text(t, s);
	}
	subject_free(s);
	free(s);
	return code;
}

static enum cli_exit
prepare(struct trial *t)
{
	const struct cli_args *args = t->args;
	enum cli_exit code = CLI_OK;

	if (args->identity || args->cert)
		return cli_fail(CLI_USAGE,
		                "certificates are named by --cert or "
		                "behind the policy, not both");
	t->kind =
		args->type ? gk_id_kind_from_name(args->type) : GK_ID_DN_STRING;
	if (t->kind == GK_ID_NONE)
		return cli_fail(CLI_USAGE, "--type: no type of name '%s'",
		                args->type);
	for (t->decides = 0; args->role && t->decides < ROLES; t->decides++)
		if (strcmp(role_names[t->decides], args->role) == 0)
			break;
	if (t->decides == ROLES)
		return cli_fail(CLI_USAGE, "--as: no role '%s'", args->role);
	for (size_t i = 0; code == CLI_OK && i < args->ca.n; i++)
		code = cli_authority(args->ca.at[i], &t->typed[i]);
	if (code == CLI_OK)
		code = cli_permissions(args, &t->permissions);
	if (code == CLI_OK)
		code = cli_date("now", args->now, &t->now);
	if (code == CLI_OK && args->roots.n > 0)
		code = cli_trust(args, &t->trust);
	return code;
}

enum cli_exit
cli_explain_all(const struct cli_args *args)
{
	struct trial t = { .args = args, .all = true };
	struct cli_policy policy;
	enum cli_exit code = cli_load(args->files[0], &policy);

	if (code != CLI_OK)
		return code;
	t.token = policy.token;
	t.list = args->json ? json_array() : NULL;
	code = prepare(&t);
	for (int i = 1; code == CLI_OK && i < args->n_files; i++)
		code = try_one(&t, args->files[i]);
	if (t.list && code == CLI_OK)
		code = cli_write_json(args, json_incref(t.list));
	json_decref(t.list);
	for (size_t i = 0; i < CLI_REPEAT; i++)
		gk_buf_free(&t.typed[i]);
	gk_trust_free(t.trust);
	cli_policy_free(&policy);
	return code == CLI_OK && !t.all ? CLI_NO : code;
}
