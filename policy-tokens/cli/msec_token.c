/* SPDX-License-Identifier: BSD-2-Clause */
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "policy-tokens/cli/cli.h"

/* --- the options, one row each ------------------------------------------------------ */

struct option_row {
	char letter;
	const char *name;
	const char *arg; /* NULL: a flag */
	const char *help;
	size_t offset; /* in struct cli_args */
	enum { FLAG, TEXT, LIST } kind;
};

#define ROW_FLAG(l, n, f, h)                                      \
	{                                                         \
		l, n, NULL, h, offsetof(struct cli_args, f), FLAG \
	}
#define ROW_TEXT(l, n, a, f, h)                                \
	{                                                      \
		l, n, a, h, offsetof(struct cli_args, f), TEXT \
	}
#define ROW_LIST(l, n, a, f, h)                                \
	{                                                      \
		l, n, a, h, offsetof(struct cli_args, f), LIST \
	}

static const struct option_row rows[] = {
	ROW_FLAG('j', "json", json, "one JSON object instead of text"),
	ROW_TEXT('o', "output", "FILE", output,
	         "write there (atomically) instead of to stdout"),
	ROW_TEXT('k', "key", "FILE", key,
	         "private key of the Group Owner, PEM"),
	ROW_TEXT('c', "cert", "FILE", cert, "certificate, PEM or DER"),
	ROW_TEXT('p', "passphrase-file", "FILE", passphrase_file,
	         "first line: the passphrase of the key"),
	ROW_TEXT('t', "signing-time", "DATE", signing_time,
	         "instead of now, e.g. 2030-01-31T12:00:00Z"),
	ROW_TEXT('n', "now", "DATE", now, "verify as of this date"),
	ROW_TEXT('e', "edition", "N", edition, "set the edition first"),
	ROW_FLAG('b', "bare", bare,
	         "SignedData without ContentInfo (pt_form signeddata)"),
	ROW_LIST('r', "root", "FILE", roots, "trusted roots, PEM or DER"),
	ROW_LIST('h', "chain", "FILE", chain, "further certificates"),
	ROW_LIST('C', "crl", "FILE", crls, "revocation lists"),
	ROW_FLAG('R', "require-crl", require_crl,
	         "no certificate without a valid CRL"),
	ROW_TEXT('w', "owner", "DN", owner,
	         "the Group Owner's name, as an RFC 4514 string"),
	ROW_TEXT('W', "owner-cert", "FILE", owner_cert,
	         "the Group Owner's certificate: no other signs"),
	ROW_FLAG('L', "allow-legacy", legacy,
	         "accept SHA-1 and DSA (RFC 4535 Suite 1)"),
	ROW_TEXT('l', "last", "FILE", last,
	         "the last token seen: refuse what is not newer"),
	ROW_TEXT('T', "template", "NAME", template,
	         "one-to-many, conference, sensors or distributed; for GDOI: "
	         "gdoi-getvpn, gdoi-simple, gdoi-substation or gdoi-no-rekey"),
	ROW_TEXT('Q', "number", "N", number,
	         "a GDOI group's number (a new one's: from the random part)"),
	ROW_TEXT('Y', "oid", "OID", oid,
	         "name a GDOI group by an object identifier instead"),
	ROW_TEXT('g', "group", "NAME", group, "readable part of the GroupID"),
	ROW_TEXT('G', "group-type", "TYPE", group_type,
	         "octet-string (default) or utf-8"),
	ROW_TEXT('x', "random", "HEX", random,
	         "random part of the GroupID, 16 digits"),
	ROW_LIST('a', "ca", "FILE|HEX", ca,
	         "certification authority: certificate or key identifier"),
	ROW_LIST('s', "gcks", "DN", gcks, "who may be the key server"),
	ROW_TEXT('m', "members", "DN", members,
	         "who may be a member, a pattern with *"),
	ROW_LIST('z', "sub-gcks", "DN", subs,
	         "who may be a subordinate key server"),
	ROW_TEXT('U', "public", "FILE", public_file,
	         "where the public value goes"),
	ROW_TEXT('Z', "key-exchange", "NAME", kex,
	         "p256 (default), x25519, modp2048 or modp1024"),
	ROW_LIST('S', "sender", "DN", senders, "who may send"),
	ROW_FLAG('O', "own-keys", own_keys,
	         "a key for each sender (speaker_sa each)"),
	ROW_TEXT('u', "suite", "NAME", suite,
	         "p256-gcm (default), rsa2048-cbc or suite-1"),
	ROW_TEXT(
		'i', "interval", "TIME", interval,
		"members give up after so long without a rekey; GDOI: lifetime "
		"of data SAs"),
	ROW_TEXT('I', "rekey-time", "TIME", time,
	         "longest time between rekeys; GDOI: lifetime of the KEK"),
	ROW_TEXT('P', "transport", "NAME", transport,
	         "udp, tcp or udp-rtj-tcp-other"),
	ROW_TEXT('A', "as", "ROLE", role,
	         "member (default), gcks, sub-gcks, sender or rekey"),
	ROW_TEXT('d', "identity", "NAME", identity, "the party's name"),
	ROW_TEXT('y', "type", "TYPE", type,
	         "what kind of name (default dn): fqdn, ipv4, ..."),
	ROW_LIST('q', "permission", "1..9", permissions,
	         "a permission that the party holds"),
	ROW_TEXT('f', "token", "FILE", token,
	         "policy or token to take the group and mechanisms from"),
	ROW_LIST('K', "key-server", "ADDR[:PORT][=DN]", servers,
	         "where to register"),
	ROW_TEXT('E', "rekey", "GROUP:PORT[@SOURCE]", rekey,
	         "multicast of Rekey Events"),
	ROW_LIST('B', "dialect", "NAME=VALUE", dialect,
	         "a reading of RFC 4534 to write (register of choices)"),
	ROW_LIST('D', "data", "GROUP:PORT[@SOURCE]", data, "multicast of data"),
	ROW_TEXT('N', "serial", "N", serial,
	         "serial of the announcement (default: the time)"),
	ROW_TEXT('X', "not-after", "DATE", not_after,
	         "last date of use (default: a year from now)"),
	ROW_FLAG('F', "flows", flows,
	         "GDOI: members take SAs for the policy's traffic alone"),
	ROW_FLAG('v', "verify", verify, "verify instead of write"),
};

static const struct cli_command commands[] = {
	{ "new", "", "write a policy from a template", "oTgGxaszmSOuiIPyQYED",
	  0, 0, cli_new },
	{ "compile", "POLICY.xml", "XML policy to an unsigned token", "oeB", 1,
	  1, cli_compile },
	{ "decompile", "TOKEN", "token to an XML policy", "o", 1, 1,
	  cli_decompile },
	{ "show", "FILE", "print a policy or token, unverified", "joWwrhCRLnb",
	  1, 1, cli_show },
	{ "sign", "POLICY.xml|TOKEN", "sign as the Group Owner", "okcptebB", 1,
	  1, cli_sign },
	{ "verify", "TOKEN", "verify a signed token", "jwWrhCRLnlb", 1, 1,
	  cli_verify },
	{ "diff", "OLD NEW", "what changed between two policies", "jo", 2, 2,
	  cli_diff },
	{ "lint", "FILE", "what is wrong or unwise in a policy", "j", 1, 1,
	  cli_lint },
	{ "announce", "[ANNOUNCEMENT.xml]",
	  "write and sign (or verify) the group's announcement",
	  "jokcptfKEDNXQYGFvwWrhCRLn", 0, 1, cli_announce },
	{ "explain", "FILE [CERT...]",
	  "would these parties be admitted, as what, and by which rule",
	  "joAdycahrCRLnq", 1, INT_MAX, cli_explain },
	{ "static-key", "",
	  "make the static key of a member that only receives", "oUZ", 0, 0,
	  cli_static_key },
	{ "keyid", "CERT...", "key identifiers of certificates", "j", 1,
	  CLI_REPEAT, cli_keyid },
};

/* --- help ----------------------------------------------------------------------------- */

static void
usage(FILE *out)
{
	fprintf(out, "usage: msec-token COMMAND [OPTION]... [FILE]...\n\n"
	             "Writes, signs and examines group security policy tokens "
	             "(RFC 4534).\n\n");
	for (size_t i = 0; i < GK_COUNT(commands); i++)
		fprintf(out, "  %-10s %s\n", commands[i].name,
		        commands[i].summary);
	fprintf(out, "\n'msec-token COMMAND --help' lists the options of a "
	             "command; see msec-token(1).\n");
}

static void
usage_command(FILE *out, const struct cli_command *command)
{
	char both[64];

	fprintf(out, "usage: msec-token %s [OPTION]... %s\n%s\n\n",
	        command->name, command->args, command->summary);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		if (!strchr(command->options, rows[i].letter))
			continue;
		(void)snprintf(both, sizeof(both), "%s--%s%s%s",
		               rows[i].letter == 'o' ? "-o, " : "",
		               rows[i].name, rows[i].arg ? " " : "",
		               rows[i].arg ? rows[i].arg : "");
		fprintf(out, "  %-32s %s\n", both, rows[i].help);
	}
	fprintf(out, "  %-32s %s\n", "--help", "this text");
}

/* --- the command line ------------------------------------------------------------------- */

static bool
store(const struct option_row *row, struct cli_args *args, const char *value)
{
	void *field = (char *)args + row->offset;
	struct cli_list *list = field;

	switch (row->kind) {
	case FLAG:
		*(bool *)field = true;
		return true;
	case TEXT:
		*(const char **)field = value;
		return true;
	case LIST:
		break;
	}
	if (list->n == CLI_REPEAT)
		return false;
	list->at[list->n++] = value;
	return true;
}

#define HELP_INDEX 1000

/* 0: go on; -1: help was printed; else an exit code. */
static int
parse(const struct cli_command *command, int argc, char **argv,
      struct cli_args *args)
{
	struct option longs[GK_COUNT(rows) + 2] = { { 0 } };
	const char *shorts;
	size_t n = 0;
	int got;

	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		if (!strchr(command->options, rows[i].letter))
			continue;
		longs[n].name = rows[i].name;
		longs[n].has_arg =
			rows[i].arg ? required_argument : no_argument;
		longs[n++].val = (int)i + HELP_INDEX + 1;
	}
	longs[n].name = "help";
	longs[n].val = HELP_INDEX;

	/* -o is what fingers type; every other option has one name only. */
	shorts = strchr(command->options, 'o') ? "o:" : "";
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (got == 'o') {
			args->output = optarg;
			continue;
		}
		if (got == HELP_INDEX) {
			usage_command(stdout, command);
			return -1;
		}
		if (got < HELP_INDEX) {
			fprintf(stderr,
			        "'msec-token %s --help' lists the "
			        "options\n",
			        command->name);
			return CLI_USAGE;
		}
		if (!store(&rows[got - HELP_INDEX - 1], args, optarg))
			return (int)cli_fail(CLI_USAGE, "--%s given too often",
			                     rows[got - HELP_INDEX - 1].name);
	}
	args->files = (const char *const *)(argv + optind);
	args->n_files = argc - optind;
	if (args->n_files < command->min_files ||
	    args->n_files > command->max_files) {
		usage_command(stderr, command);
		return CLI_USAGE;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct cli_args args = { 0 };
	int stop;

	gk_checks_say("msec-token");
	if (argc < 2) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		usage(stdout);
		return CLI_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("msec-token %s\n", PACKAGE_VERSION);
		return CLI_OK;
	}
	for (size_t i = 0; i < GK_COUNT(commands); i++) {
		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		stop = parse(&commands[i], argc - 1, argv + 1, &args);
		if (stop != 0)
			return stop < 0 ? 0 : stop;
		return (int)commands[i].run(&args);
	}
	fprintf(stderr, "msec-token: there is no command '%s'\n", argv[1]);
	usage(stderr);
	return CLI_USAGE;
}
