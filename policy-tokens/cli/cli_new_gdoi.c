/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli_new.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_groupid.h"

/* Registry numbers that the templates use; gpt_name.c has their names. */
enum {
	AUTH_PSK = 1,
	AUTH_RSA = 3,
	AUTH_ECDSA_256 = 9,
	CIPHER_AES = 7,
	P1_SHA256 = 4,
	P1_MODP2048 = 14,
	P1_P256 = 19,
	KEK_AES = 3,
	SIG_RSA = 1,
	SIG_ECDSA_256 = 4,
	SIG_SHA256 = 3,
	ACK_KEK_SHA256 = 1,
	ESP_AES_CBC = 12,
	ESP_AES_GCM_16 = 20,
	SA_HMAC_SHA256 = 5,
	IEC_NONE = 1,
	IEC_HMAC_SHA256_128 = 2,
	IEC_AES_GCM_128 = 4,
};

struct gdoi_template {
	const char *name;
	bool rekey, lkh, ack, iec;
	uint32_t kek_s, tek_s;
	uint16_t atd, dtd;
};

static const struct gdoi_template templates[] = {
	/* Sites that talk to each other: everybody sends, members are evicted
	 * by LKH, and the key server sees who follows. */
	{ "gdoi-getvpn", true, true, true, false, 86400, 3600, 5, 10 },
	/* The least that rekeys. */
	{ "gdoi-simple", true, false, false, false, 86400, 3600, 0, 0 },
	/* RFC 8052: few changes, long lives, nobody falls out. */
	{ "gdoi-substation", true, false, true, true, 604800, 86400, 0, 0 },
	/* Members register again before the keys end. */
	{ "gdoi-no-rekey", false, false, false, false, 0, 28800, 0, 0 },
};

struct making {
	const struct cli_args *args;
	const struct gdoi_template *t;
	struct gk_buf cas[CLI_REPEAT];
	size_t n_cas;
	bool rsa; /* --suite rsa2048-cbc */
};

static void
number(struct gpt_number *out, int64_t value)
{
	*out = (struct gpt_number){ true, value };
}

static enum cli_exit
seconds(const char *option, const char *text, uint32_t otherwise,
        struct gpt_number *out)
{
	struct gpt_lifedate date = { GPT_LIFEDATE_INTERVAL, otherwise };

	if (text && (gpt_lifedate_parse(text, &date) != GK_OK ||
	             date.kind != GPT_LIFEDATE_INTERVAL || date.value <= 0))
		return cli_fail(CLI_USAGE,
		                "--%s: '%s' is not a time such as 90s or 2h",
		                option, text);
	number(out, date.value);
	return CLI_OK;
}

/* "GROUP:PORT[@SOURCE]", "[IPV6]:PORT[@SOURCE]". */
static enum cli_exit
flow(const char *option, const char *text, struct gpt_id *to,
     struct gpt_number *port, struct gpt_id *from)
{
	char copy[200], *at, *colon, *host = copy;
	int64_t value;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	at = strchr(copy, '@');
	if (at)
		*at++ = '\0';
	colon = strrchr(copy, ':');
	if (!colon)
		goto bad;
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		host++;
		colon[-1] = '\0';
	}
	if (gpt_number_parse(colon + 1, &value) != GK_OK || value < 0 ||
	    value > UINT16_MAX || gpt_address_parse(host, to) != GK_OK ||
	    (at && gpt_address_parse(at, from) != GK_OK))
		goto bad;
	number(port, value);
	return CLI_OK;
bad:
	return cli_fail(CLI_USAGE, "--%s: '%s' is not GROUP:PORT[@SOURCE]",
	                option, text);
}

/* --- the parts ----------------------------------------------------------------------- */

static enum cli_exit
make_name(const struct making *m, const struct gpt_token *token,
          struct gpt_gdoi_group *group)
{
	const struct cli_args *args = m->args;
	const uint8_t *p = token->group_name.ptr;
	int64_t value = (int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	const char *oid = args->oid;

	if (!oid && m->t->iec)
		oid = "1.2.840.10070.61850.8.1.2"; /* RFC 8052 appendix A */
	if (args->number && args->oid)
		return cli_fail(CLI_USAGE,
		                "a group has either --number or --oid");
	if (oid && !args->number) {
		group->oid = strdup(oid);
		return group->oid ? CLI_OK
		                  : cli_fail(CLI_FAILURE, "out of memory");
	}
	if (args->number && (gpt_number_parse(args->number, &value) != GK_OK ||
	                     value < 0 || value > UINT32_MAX))
		return cli_fail(CLI_USAGE, "--number: '%s' has no 32 bits",
		                args->number);
	number(&group->number, value);
	return CLI_OK;
}

static enum cli_exit
make_phase1(struct gpt_gdoi_register *reg, int64_t auth, int64_t group)
{
	struct gpt_phase1 *p = gpt_gdoi_register_add_phase1(reg);

	if (!p)
		return cli_fail(CLI_FAILURE, "out of memory");
	number(&p->authentication, auth);
	number(&p->encryption, CIPHER_AES);
	/* RFC6407-7.1.2-01: more than the keys that it carries; and what the
	 * daemons propose when they are told nothing. */
	number(&p->key_length, 256);
	number(&p->hash, P1_SHA256);
	number(&p->group, group);
	number(&p->lifetime, 86400);
	return CLI_OK;
}

/* P-256 always: it is what daemons agree on when both are told nothing, and a
 * key server learns only afterwards which group a phase 1 was for. */
static enum cli_exit
make_phase1s(const struct making *m, struct gpt_gdoi_register *reg)
{
	int64_t auth = m->args->ca.n == 0 ? AUTH_PSK /* nothing else is there */
	               : m->rsa           ? AUTH_RSA
	                                  : AUTH_ECDSA_256;
	enum cli_exit code = CLI_OK;

	if (m->rsa)
		code = make_phase1(reg, auth, P1_MODP2048);
	return code == CLI_OK ? make_phase1(reg, auth, P1_P256) : code;
}

static enum cli_exit
make_register(const struct making *m, const struct gpt_token *token,
              struct gpt_protocol *out)
{
	static const char *const server[] = { "CN=gcks,O=Example" };
	static const char *const member[] = { "CN=*,O=Example" };
	const struct cli_args *args = m->args;
	struct gpt_gdoi_group *group = &out->gdoi_reg->group;
	struct gpt_access_control *access = gpt_register_add_access(out->reg);
	enum cli_exit code = make_name(m, token, group);

	if (!access)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (m->t->atd || m->t->dtd) {
		number(&group->atd, m->t->atd);
		number(&group->dtd, m->t->dtd);
	}
	if (!m->rsa && !m->t->iec)
		number(&group->sid_bits, 16);
	if (code == CLI_OK)
		code = cli_new_pairs(args, &out->reg->gcks, "gcks",
		                     args->gcks.n ? args->gcks.at : server,
		                     args->gcks.n ? args->gcks.n : 1, m->cas,
		                     m->n_cas);
	if (code == CLI_OK)
		code = cli_new_pairs(args, &access->rules, "members",
		                     args->members ? &args->members : member, 1,
		                     m->cas, m->n_cas);
	out->reg->senders_limited = args->senders.n > 0;
	if (code == CLI_OK && args->senders.n > 0)
		code = cli_new_pairs(args, &out->reg->senders, "sender",
		                     args->senders.at, args->senders.n, m->cas,
		                     m->n_cas);
	return code != CLI_OK ? code : make_phase1s(m, out->gdoi_reg);
}

static enum cli_exit
make_rekey(const struct making *m, struct gpt_gdoi_rekey *r)
{
	const struct cli_args *args = m->args;
	enum cli_exit code =
		flow("rekey", args->rekey ? args->rekey : "239.255.1.1:848",
	             &r->destination, &r->destination_port, &r->source);

	number(&r->resend, 2);
	number(&r->algorithm, KEK_AES);
	number(&r->key_length, m->rsa ? 256 : 128);
	if (code == CLI_OK)
		code = seconds("rekey-time", args->time, m->t->kek_s,
		               &r->lifetime);
	if (m->t->lkh)
		number(&r->lkh_degree, 2);
	number(&r->sig_algorithm, m->rsa ? SIG_RSA : SIG_ECDSA_256);
	if (m->rsa) {
		number(&r->sig_hash, SIG_SHA256);
		number(&r->sig_key_length, 2048);
	}
	if (m->t->ack) {
		number(&r->ack, ACK_KEK_SHA256);
		number(&r->silent_max, 3);
	}
	return code;
}

static enum cli_exit
make_ipsec(const struct making *m, struct gpt_ipsec *ipsec)
{
	static const char *const any[] = { "239.255.2.1:0" };
	const struct cli_list *data = &m->args->data;
	size_t n = data->n ? data->n : 1;

	for (size_t i = 0; i < n; i++) {
		struct gpt_ipsec_sa *sa = gpt_ipsec_add(ipsec);
		enum cli_exit code;

		if (!sa)
			return cli_fail(CLI_FAILURE, "out of memory");
		number(&sa->transform, m->rsa ? ESP_AES_CBC : ESP_AES_GCM_16);
		number(&sa->key_length, m->rsa ? 256 : 128);
		if (m->rsa)
			number(&sa->authentication, SA_HMAC_SHA256);
		code = flow("data", data->n ? data->at[i] : any[0],
		            &sa->destination, &sa->destination_port,
		            &sa->source);
		if (code == CLI_OK)
			code = seconds("interval", m->args->interval,
			               m->t->tek_s, &sa->life_s);
		if (code != CLI_OK)
			return code;
	}
	return CLI_OK;
}

static enum cli_exit
make_iec(const struct making *m, const struct gpt_gdoi_group *group,
         struct gpt_iec *iec)
{
	struct gpt_iec_sa *sa = gpt_iec_add(iec);

	if (!sa)
		return cli_fail(CLI_FAILURE, "out of memory");
	sa->oid = strdup(group->oid ? group->oid : "1.2.840.10070.61850.8.1.2");
	if (!sa->oid)
		return cli_fail(CLI_FAILURE, "out of memory");
	number(&sa->authentication, m->rsa ? IEC_HMAC_SHA256_128 : IEC_NONE);
	number(&sa->encryption, m->rsa ? IEC_NONE : IEC_AES_GCM_128);
	number(&sa->atd, 300);
	return seconds("interval", m->args->interval, m->t->tek_s,
	               &sa->lifetime);
}

static enum cli_exit
make(const struct making *m, struct gpt_token *token)
{
	struct gpt_registration *r = gpt_token_add_registration(token);
	struct gpt_protocol *data = gpt_token_add_data(token), *rekey = NULL;
	enum cli_exit code;

	if (m->t->rekey)
		rekey = gpt_token_add_rekey(token);
	if (!r || !data || (m->t->rekey && !rekey) ||
	    gpt_protocol_set(&r->reg, GPT_PROTOCOL_GDOI_REGISTER) != GK_OK ||
	    (rekey &&
	     gpt_protocol_set(rekey, GPT_PROTOCOL_GDOI_REKEY) != GK_OK) ||
	    gpt_protocol_set(data, m->t->iec ? GPT_PROTOCOL_IEC_61850
	                                     : GPT_PROTOCOL_IPSEC) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	code = cli_new_group(m->args, token);
	if (code == CLI_OK)
		code = make_register(m, token, &r->reg);
	if (code == CLI_OK && rekey)
		code = make_rekey(m, rekey->gdoi_rekey);
	if (code == CLI_OK && m->t->iec)
		code = make_iec(m, &r->reg.gdoi_reg->group, data->iec);
	else if (code == CLI_OK)
		code = make_ipsec(m, data->ipsec);
	return code;
}

enum cli_exit
cli_new_gdoi(const struct cli_args *args, const char *name,
             struct gpt_token *token)
{
	struct making m = { .args = args };
	const char *suite = args->suite ? args->suite : "p256-gcm";
	enum cli_exit code = CLI_OK;

	for (size_t i = 0; i < GK_COUNT(templates); i++)
		if (strcmp(templates[i].name, name) == 0)
			m.t = &templates[i];
	if (!m.t)
		return CLI_NO;
	m.rsa = strcmp(suite, "rsa2048-cbc") == 0;
	if (!m.rsa && strcmp(suite, "p256-gcm") != 0)
		return cli_fail(CLI_USAGE,
		                "--suite: p256-gcm or rsa2048-cbc for GDOI");
	for (size_t i = 0; code == CLI_OK && i < args->ca.n; i++)
		code = cli_authority(args->ca.at[i], &m.cas[m.n_cas++]);
	/* No authority: an empty key identifier, phase 1 vouches. */
	if (m.n_cas == 0)
		m.n_cas = 1;
	if (code == CLI_OK)
		code = make(&m, token);
	for (size_t i = 0; i < CLI_REPEAT; i++)
		gk_buf_free(&m.cas[i]);
	return code;
}
