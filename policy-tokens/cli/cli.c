/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/gk_text.h"
#include "common/daemon/gkd_config.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/xml/gpt_xml.h"

#define LINE_MAX_OCTETS 4096

enum cli_exit
cli_fail(enum cli_exit code, const char *fmt, ...)
{
	char text[LINE_MAX_OCTETS], shown[LINE_MAX_OCTETS];
	va_list ap;

	va_start(ap, fmt);
	if ((size_t)vsnprintf(text, sizeof(text), fmt, ap) >= sizeof(text))
		gk_text_cut(text);
	va_end(ap);
	fprintf(stderr, "msec-token: %s\n",
	        gk_visible(shown, sizeof(shown), gk_slice_str(text)));
	return code;
}

enum cli_exit
cli_fault(const char *file, const struct gpt_fault *why)
{
	char text[512];
	enum cli_exit code = CLI_INPUT;

	if (why->err == GK_ERR_AUTH || why->err == GK_ERR_REPLAY ||
	    why->err == GK_ERR_POLICY)
		code = CLI_NO;
	if (why->err == GK_ERR_NOMEM || why->err == GK_ERR_CRYPTO)
		code = CLI_FAILURE;
	if (why->line > 0)
		fprintf(stderr, "%s:%d: %s%s%s\n", file, why->line, why->field,
		        why->field[0] ? ": " : "", why->text);
	else
		fprintf(stderr, "%s: %s\n", file,
		        gpt_fault_format(why, text, sizeof(text)));
	return code;
}

/* --- files ------------------------------------------------------------------------------ */

enum cli_exit
cli_read(const char *file, struct gk_buf *octets)
{
	enum gk_err err = gkd_file_read(file, GPT_XML_CAP, octets);

	if (err == GK_OK)
		return CLI_OK;
	if (err == GK_ERR_SPACE)
		return cli_fail(CLI_INPUT, "%s: larger than %u octets", file,
		                GPT_XML_CAP);
	return cli_fail(CLI_FILE, "%s: %s", file, strerror(errno));
}

enum cli_exit
cli_write(const struct cli_args *args, struct gk_slice octets, bool binary)
{
	if (args->output) {
		if (gkd_file_write(args->output, 0644, octets) != GK_OK)
			return cli_fail(CLI_FILE, "%s: %s", args->output,
			                strerror(errno));
		return CLI_OK;
	}
	if (binary && isatty(STDOUT_FILENO))
		return cli_fail(CLI_USAGE, "this is binary: use --output");
	if (fwrite(octets.ptr, 1, octets.len, stdout) != octets.len ||
	    fflush(stdout) != 0)
		return cli_fail(CLI_FILE, "stdout: %s", strerror(errno));
	return CLI_OK;
}

enum cli_exit
cli_write_json(const struct cli_args *args, json_t *json)
{
	char *text =
		json ? json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	char *shown = text ? gk_visible_lines(gk_slice_str(text)) : NULL;
	enum cli_exit code = CLI_FAILURE;
	struct gk_buf line = { 0 };

	json_decref(json);
	if (shown && gk_buf_append(&line, gk_slice_str(shown)) == GK_OK &&
	    gk_buf_append(&line, gk_slice_str("\n")) == GK_OK)
		code = cli_write(args, gk_buf_slice(&line), false);
	else
		(void)cli_fail(code, "out of memory");
	gk_buf_free(&line);
	free(shown);
	free(text);
	return code;
}

/* --- policies --------------------------------------------------------------------------------- */

static enum cli_form
form_of(struct gk_slice octets)
{
	struct gk_slice s = octets;

	if (s.len < 2 || s.ptr[0] != 0x30)
		return CLI_FORM_XML;
	/* A Token begins with a SEQUENCE, a ContentInfo with an OID, a bare
	 * SignedData with an INTEGER. */
	s.ptr++;
	s.len--;
	if (s.ptr[0] & 0x80) {
		size_t n = s.ptr[0] & 0x7fu;

		if (n >= s.len)
			return CLI_FORM_DER;
		s.ptr += n;
		s.len -= n;
	}
	return s.len > 1 && s.ptr[1] != 0x30 ? CLI_FORM_SIGNED : CLI_FORM_DER;
}

enum cli_exit
cli_load(const char *file, struct cli_policy *policy)
{
	struct gpt_fault why = { 0 };
	struct gk_slice octets;
	enum cli_exit code;
	enum gk_err err = GK_OK;

	*policy = (struct cli_policy){ 0 };
	code = cli_read(file, &policy->octets);
	if (code != CLI_OK)
		return code;
	octets = gk_buf_slice(&policy->octets);
	policy->form = form_of(octets);
	switch (policy->form) {
	case CLI_FORM_XML:
		err = gpt_policy_parse(octets, &policy->token, &policy->lines,
		                       &why);
		break;
	case CLI_FORM_DER:
		err = gpt_token_decode(octets, &policy->token, &why);
		break;
	case CLI_FORM_SIGNED:
		err = gpt_token_peek(octets, &policy->token,
		                     &policy->signing_time, &why);
		break;
	}
	if (err == GK_OK)
		return CLI_OK;
	cli_policy_free(policy);
	return cli_fault(file, &why);
}

void
cli_policy_free(struct cli_policy *policy)
{
	gk_buf_free(&policy->octets);
	gpt_token_free(policy->token);
	gpt_lines_free(&policy->lines);
	*policy = (struct cli_policy){ 0 };
}

enum cli_exit
cli_findings(const char *file, const struct cli_policy *policy,
             bool errors_only, FILE *out)
{
	struct gpt_findings found;
	enum cli_exit code;

	if (gpt_lint(policy->token, &found) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	for (size_t i = 0; i < found.n; i++) {
		const struct gpt_finding *f = &found.at[i];
		int line = gpt_lines_find(&policy->lines, f->path);
		bool error = f->level == GPT_LINT_ERROR;

		if (errors_only && !error)
			continue;
		fprintf(out, "%s:", file);
		if (line > 0)
			fprintf(out, "%d:", line);
		fprintf(out, " %s: %s%s%s [%s]\n", error ? "error" : "warning",
		        line > 0 ? "" : f->path,
		        line > 0 || !f->path[0] ? "" : ": ", f->text, f->code);
	}
	code = found.errors > 0 ? CLI_NO : CLI_OK;
	gpt_findings_free(&found);
	return code;
}

/* --- keys and certificates ------------------------------------------------------------------------- */

static enum cli_exit
certs_from(const char *file, struct gk_certs *certs)
{
	struct gk_buf octets;
	enum cli_exit code = cli_read(file, &octets);
	enum gk_err err;

	if (code != CLI_OK)
		return code;
	err = gk_certs_from_pem(gk_buf_slice(&octets), certs);
	gk_buf_free(&octets);
	if (err == GK_OK)
		return CLI_OK;
	return cli_fail(CLI_INPUT, "%s: %s", file,
	                err == GK_ERR_VALUE ? "no certificate, or a broken one"
	                                    : gk_strerror(err));
}

enum cli_exit
cli_certs(const struct cli_list *files, struct gk_certs *certs)
{
	for (size_t i = 0; i < files->n; i++) {
		enum cli_exit code = certs_from(files->at[i], certs);

		if (code != CLI_OK)
			return code;
	}
	return CLI_OK;
}

enum cli_exit
cli_authority(const char *text, struct gk_buf *id)
{
	const struct cli_list file = { { text }, 1 };
	struct gk_certs certs = { 0 };
	enum cli_exit code;

	if (strlen(text) >= 8 && gk_unhex(id, text) == GK_OK)
		return CLI_OK;
	code = cli_certs(&file, &certs);
	if (code == CLI_OK &&
	    gk_buf_copy(id, gk_cert_key_id(certs.cert[0])) != GK_OK)
		code = cli_fail(CLI_FAILURE, "out of memory");
	gk_certs_free(&certs);
	return code;
}

enum cli_exit
cli_permissions(const struct cli_args *args, uint16_t *permissions)
{
	for (size_t i = 0; i < args->permissions.n; i++) {
		int level = atoi(args->permissions.at[i]);

		if (level < 1 || level > 9)
			return cli_fail(CLI_USAGE, "--permission: 1 to 9");
		*permissions |= (uint16_t)(1u << level);
	}
	return CLI_OK;
}

enum cli_exit
cli_signer(const struct cli_args *args, struct gk_signer **signer,
           struct gk_certs *certs)
{
	struct gk_buf pem = { 0 }, secret = { 0 };
	char passphrase[256] = "";
	enum cli_exit code;
	enum gk_err err;

	if (!args->key || !args->cert)
		return cli_fail(CLI_USAGE, "--key and --cert are needed");
	code = certs_from(args->cert, certs);
	if (code == CLI_OK)
		code = cli_read(args->key, &pem);
	if (code == CLI_OK && args->passphrase_file)
		code = cli_read(args->passphrase_file, &secret);
	if (code == CLI_OK) {
		for (size_t i = 0;
		     i < secret.len && i + 1 < sizeof(passphrase) &&
		     secret.ptr[i] != '\n';
		     i++)
			passphrase[i] = (char)secret.ptr[i];
		err = gk_signer_from_pem(
			gk_buf_slice(&pem),
			args->passphrase_file ? passphrase : NULL, signer);
		if (err == GK_ERR_AUTH)
			code = cli_fail(CLI_INPUT, "%s: wrong or no passphrase",
			                args->key);
		else if (err != GK_OK)
			code = cli_fail(CLI_INPUT, "%s: no private key",
			                args->key);
	}
	gk_wipe(passphrase, sizeof(passphrase));
	gk_buf_free(&pem);
	gk_buf_free(&secret);
	return code;
}

static enum cli_exit
trust_fill(const struct cli_args *args, struct gk_trust *trust)
{
	struct gk_certs roots = { 0 }, chain = { 0 };
	enum cli_exit code = cli_certs(&args->roots, &roots);

	if (code == CLI_OK)
		code = cli_certs(&args->chain, &chain);
	for (size_t i = 0; code == CLI_OK && i < roots.n; i++)
		if (gk_trust_add_anchor(trust, roots.cert[i]) != GK_OK)
			code = cli_fail(CLI_FAILURE, "out of memory");
	for (size_t i = 0; code == CLI_OK && i < chain.n; i++)
		if (gk_trust_add_intermediate(trust, chain.cert[i]) != GK_OK)
			code = cli_fail(CLI_FAILURE, "out of memory");
	for (size_t i = 0; code == CLI_OK && i < args->crls.n; i++) {
		struct gk_buf crl = { 0 };

		code = cli_read(args->crls.at[i], &crl);
		if (code == CLI_OK &&
		    gk_trust_add_crl(trust, gk_buf_slice(&crl)) != GK_OK)
			code = cli_fail(CLI_INPUT, "%s: no CRL",
			                args->crls.at[i]);
		gk_buf_free(&crl);
	}
	gk_certs_free(&roots);
	gk_certs_free(&chain);
	return code;
}

enum cli_exit
cli_trust(const struct cli_args *args, struct gk_trust **trust)
{
	const struct gk_trust_policy policy = {
		.require_crl = args->require_crl,
		.allow_legacy = args->legacy,
	};
	enum cli_exit code;

	if (gk_trust_new(&policy, trust) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	code = trust_fill(args, *trust);
	if (code != CLI_OK) {
		gk_trust_free(*trust);
		*trust = NULL;
	}
	return code;
}

enum cli_exit
cli_owner(const struct cli_args *args, struct cli_owner *o)
{
	enum cli_exit code;

	*o = (struct cli_owner){ 0 };
	code = cli_date("now", args->now, &o->now);
	if (code != CLI_OK)
		return code;
	if (!args->owner && !args->owner_cert)
		return cli_fail(CLI_USAGE, "who is the Group Owner? --owner or "
		                           "--owner-cert is needed");
	if (!args->owner_cert && args->roots.n == 0)
		return cli_fail(CLI_USAGE, "--owner needs --root");
	if (args->owner) {
		o->id.kind = GK_ID_DN_STRING;
		if (gk_identity_parse(GK_ID_DN_STRING,
		                      gk_slice_str(args->owner),
		                      &o->id_octets) != GK_OK)
			return cli_fail(CLI_USAGE,
			                "--owner: '%s' is not an RFC 4514 name",
			                args->owner);
		o->id.octets = gk_buf_slice(&o->id_octets);
		o->owner.id = &o->id;
	}
	if (args->owner_cert) {
		code = certs_from(args->owner_cert, &o->cert);
		if (code == CLI_OK)
			o->owner.cert = o->cert.cert[0];
	}
	if (code == CLI_OK && args->roots.n > 0) {
		code = cli_trust(args, &o->trust);
		o->owner.trust = o->trust;
	}
	o->owner.allow_sha1 = args->legacy;
	o->owner.bare_signed_data = args->bare;
	if (code != CLI_OK)
		cli_owner_free(o);
	return code;
}

void
cli_owner_free(struct cli_owner *o)
{
	gk_buf_free(&o->id_octets);
	gk_certs_free(&o->cert);
	gk_trust_free(o->trust);
	*o = (struct cli_owner){ 0 };
}

enum cli_exit
cli_date(const char *option, const char *text, int64_t *utc)
{
	struct gpt_lifedate date;

	if (!text) {
		*utc = (int64_t)time(NULL);
		return CLI_OK;
	}
	if (gpt_lifedate_parse(text, &date) != GK_OK ||
	    date.kind != GPT_LIFEDATE_GT)
		return cli_fail(CLI_USAGE,
		                "--%s: '%s' is not a date such as "
		                "2030-01-31T12:00:00Z",
		                option, text);
	*utc = date.value;
	return CLI_OK;
}
