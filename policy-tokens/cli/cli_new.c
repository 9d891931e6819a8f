/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "policy-tokens/cli/cli_new.h"
#include "policy-tokens/token/gpt_access.h"
#include "policy-tokens/token/gpt_groupid.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/token/gpt_suite.h"

/* What distinguishes the templates; the command line overrides each. */
struct template
{
	const char *name;
	bool senders_all;
	const char *event_time; /* longest time between rekeys */
	int64_t event_count;
	const char *interval;
	int64_t resend;
	bool by_time;      /* freshness by time: members may be receive-only */
	bool subordinates; /* autonomous distributed operation */
};

static const struct template templates[] = {
	/* A source and an audience: rare rekeys, quick reaction to leaving. */
	{ "one-to-many", false, "1h", 1, "3h", 2, false, false },
	/* Everybody talks; people come and go. */
	{ "conference", true, "30min", 1, "2h", 2, false, false },
	/* Many small listeners on a poor network, some of which cannot say a
	 * word (RFC 4535 section 5.2.3): rekey seldom, say it often. */
	{ "sensors", false, "1d", 10, "3d", 5, true, false },
	/* Several sites, each with a key server of its own (section 4.4.7). */
	{ "distributed", true, "1h", 1, "3h", 2, false, true },
};

static const struct template *
template_find(const char *name)
{
	for (size_t i = 0; i < GK_COUNT(templates); i++)
		if (!name || strcmp(templates[i].name, name) == 0)
			return &templates[i];
	return NULL;
}

/* --- the values of options --------------------------------------------------------------- */

enum cli_exit
cli_new_pairs(const struct cli_args *args, struct gpt_pairs *out,
              const char *option, const char *const *names, size_t n,
              const struct gk_buf *cas, size_t n_cas)
{
	enum gk_id_kind kind =
		args->type ? gk_id_kind_from_name(args->type) : GK_ID_DN_STRING;

	if (kind == GK_ID_NONE)
		return cli_fail(CLI_USAGE, "--type: no type of name '%s'",
		                args->type);
	for (size_t i = 0; i < n; i++) {
		struct gk_buf octets = { 0 };
		bool ok = gk_identity_parse(kind, gk_slice_str(names[i]),
		                            &octets) == GK_OK;

		for (size_t k = 0; ok && k < n_cas; k++) {
			struct gpt_pair *pair = gpt_pairs_add(out);

			ok = pair &&
			     gpt_pair_set(pair, gpt_id_type(kind),
			                  gk_buf_slice(&octets),
			                  gk_buf_slice(&cas[k])) == GK_OK;
		}
		gk_buf_free(&octets);
		if (!ok)
			return cli_fail(CLI_USAGE,
			                "--%s: '%s' is not a name of type %s",
			                option, names[i],
			                gk_id_kind_name(kind));
	}
	return CLI_OK;
}

enum cli_exit
cli_new_group(const struct cli_args *args, struct gpt_token *token)
{
	const char *name = args->group ? args->group : "group";
	enum gpt_groupid_type type = GPT_GROUPID_OCTETS;
	struct gk_buf random = { 0 };
	char hex[17];
	enum gk_err err;

	if (args->group_type && !gpt_groupid_from_name(args->group_type, &type))
		return cli_fail(CLI_USAGE, "--group-type: no type '%s'",
		                args->group_type);
	if (type != GPT_GROUPID_OCTETS && type != GPT_GROUPID_UTF8)
		return cli_fail(CLI_USAGE,
		                "--group-type: octet-string or utf-8");
	if (args->random) {
		if (gk_unhex(&random, args->random) != GK_OK ||
		    random.len != 8) {
			gk_buf_free(&random);
			return cli_fail(CLI_USAGE, "--random: 16 hexadecimal "
			                           "digits are needed");
		}
	} else if (gk_buf_alloc(&random, 8) != GK_OK ||
	           gk_crypto_random(NULL, random.ptr, 8) != GK_OK) {
		gk_buf_free(&random);
		return cli_fail(CLI_FAILURE, "no randomness");
	}
	(void)gk_hex(hex, sizeof(hex), gk_buf_slice(&random));
	err = gk_buf_append(&token->group_name,
	                    type == GPT_GROUPID_UTF8 ? gk_slice_str(hex)
	                                             : gk_buf_slice(&random));
	if (err == GK_OK)
		err = gk_buf_append(&token->group_name, gk_slice_str(name));
	gk_buf_free(&random);
	if (err != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (gpt_groupid_guess(gk_buf_slice(&token->group_name)) != type)
		return cli_fail(CLI_USAGE,
		                "--group: '%s' cannot be the name of a group "
		                "of this type",
		                name);
	return CLI_OK;
}

static enum cli_exit
life(const char *option, const char *text, struct gpt_lifedate *out)
{
	if (gpt_lifedate_parse(text, out) == GK_OK)
		return CLI_OK;
	return cli_fail(CLI_USAGE, "--%s: '%s' is not a time such as 90s or 2h",
	                option, text);
}

/* --- the parts --------------------------------------------------------------------------------- */

struct making {
	const struct cli_args *args;
	const struct template *t;
	struct gk_buf cas[CLI_REPEAT];
	size_t n_cas;
	const char *suite; /* OID */
	struct gpt_mechanisms set;
};

/* A suite has no place for OpInfo, so timestamps want the mechanisms spelled
 * out (RFC 4534 B.1.3.1). */
static enum cli_exit
make_mechanism(const struct making *m, struct gpt_register *reg)
{
	struct gpt_join_mechanism *join = gpt_register_add_mechanism(reg);

	if (!join)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (!m->t->by_time) {
		join->suite = strdup(m->suite);
		return join->suite ? CLI_OK
		                   : cli_fail(CLI_FAILURE, "out of memory");
	}
	join->alacarte = m->set;
	join->alacarte.timeout =
		(struct gpt_lifedate){ GPT_LIFEDATE_INTERVAL, 10 };
	join->alacarte.terse = true;
	join->alacarte.has_timestamp = true;
	join->alacarte.timestamp = true;
	return CLI_OK;
}

/* Everybody in one list: any of them may be the subordinate of a site. */
static enum cli_exit
make_subordinates(const struct making *m, struct gpt_register *reg)
{
	static const char *const any_sub[] = { "CN=sub*,O=Example" };
	const struct cli_list *subs = &m->args->subs;
	struct gpt_pairs *list;

	if (subs->n == 0 && !m->t->subordinates)
		return CLI_OK;
	list = gpt_register_add_sub(reg);
	if (!list)
		return cli_fail(CLI_FAILURE, "out of memory");
	reg->has_sub_gcks = true;
	return cli_new_pairs(m->args, list, "sub-gcks",
	                     subs->n ? subs->at : any_sub,
	                     subs->n ? subs->n : 1, m->cas, m->n_cas);
}

static enum cli_exit
make_register(const struct making *m, struct gpt_register *reg)
{
	static const char *const any_server[] = { "CN=gcks,O=Example" };
	static const char *const any_sender[] = { "CN=source,O=Example" };
	const struct cli_args *args = m->args;
	const char *members = args->members ? args->members : "CN=*,O=Example";
	struct gpt_access_control *access = gpt_register_add_access(reg);
	bool given = args->gcks.n > 0;
	enum cli_exit code;

	if (!access)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (args->transport &&
	    gpt_transport_value(args->transport, &reg->transport) != GK_OK)
		return cli_fail(CLI_USAGE, "--transport: no transport '%s'",
		                args->transport);
	if (!args->transport)
		reg->transport = GPT_TRANSPORT_UDP;
	code = cli_new_pairs(args, &reg->gcks, "gcks",
	                     given ? args->gcks.at : any_server,
	                     given ? args->gcks.n : 1, m->cas, m->n_cas);
	if (code == CLI_OK)
		code = make_subordinates(m, reg);
	if (code == CLI_OK)
		code = make_mechanism(m, reg);
	if (code == CLI_OK)
		code = cli_new_pairs(args, &access->rules, "members", &members,
		                     1, m->cas, m->n_cas);
	reg->senders_limited = args->senders.n > 0 || !m->t->senders_all;
	if (code == CLI_OK && reg->senders_limited)
		code = cli_new_pairs(args, &reg->senders, "sender",
		                     args->senders.n ? args->senders.at
		                                     : any_sender,
		                     args->senders.n ? args->senders.n : 1,
		                     m->cas, m->n_cas);
	return code;
}

static enum cli_exit
make_deregister(const struct making *m, struct gpt_deregister *dereg)
{
	for (size_t i = 0; i < m->n_cas; i++) {
		struct gpt_leave_mechanism *leave =
			gpt_deregister_add_mechanism(dereg);

		if (!leave ||
		    gk_buf_copy(&leave->ca, gk_buf_slice(&m->cas[i])) != GK_OK)
			return cli_fail(CLI_FAILURE, "out of memory");
		leave->sig_algorithm = m->set.sig_algorithm;
		leave->hash_algorithm = m->set.hash_algorithm;
	}
	dereg->terse = true;
	/* Leaving is one exchange: over UDP where joining may be, too. */
	dereg->transport =
		m->args->transport && strcmp(m->args->transport, "tcp") == 0
			? GPT_TRANSPORT_TCP
			: GPT_TRANSPORT_UDP;
	return CLI_OK;
}

static enum cli_exit
make_rekey(const struct making *m, const struct gpt_register *reg,
           struct gpt_rekey *rekey)
{
	const struct cli_args *args = m->args;
	enum cli_exit code;

	/* Whoever may be the key server may rekey. */
	if (gpt_pairs_copy(&rekey->authorization, &reg->gcks) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	/* A subordinate too: its Rekey Events are its own. */
	for (size_t i = 0; reg->n_sub_gcks > 0 && i < reg->sub_gcks[0].n; i++) {
		const struct gpt_pair *sub = &reg->sub_gcks[0].at[i];
		struct gpt_pair *pair = gpt_pairs_add(&rekey->authorization);

		if (!pair || gpt_pair_set(pair, sub->entity.type,
		                          gk_buf_slice(&sub->entity.data),
		                          gk_buf_slice(&sub->ca)) != GK_OK)
			return cli_fail(CLI_FAILURE, "out of memory");
	}
	if (reg->n_sub_gcks > 0) {
		rekey->scheme = GPT_SCHEME_AUTONOMOUS;
		if (gpt_pairs_copy(&rekey->auth_subs, &reg->sub_gcks[0]) !=
		    GK_OK)
			return cli_fail(CLI_FAILURE, "out of memory");
	}
	rekey->sig_algorithm = m->set.sig_algorithm;
	rekey->hash_algorithm = m->set.hash_algorithm;
	rekey->event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	rekey->event_count = m->t->event_count;
	code = life("rekey-time", args->time ? args->time : m->t->event_time,
	            &rekey->event_time);
	if (code == CLI_OK)
		code = life("interval",
		            args->interval ? args->interval : m->t->interval,
		            &rekey->interval);
	rekey->method = GPT_METHOD_LKH;
	rekey->lkh_key_type = m->set.key_wrap;
	rekey->reliability = GPT_RELIABILITY_RESEND;
	rekey->resend = m->t->resend;
	return code;
}

/* One data SA, with the Key ID 1; or one for each sender, from 1 on. */
static enum cli_exit
make_data(const struct making *m, struct gpt_token *token)
{
	size_t n = m->args->own_keys ? m->args->senders.n : 1;

	if (m->args->own_keys && n < 2)
		return cli_fail(CLI_USAGE,
		                "--own-keys: two senders are needed");
	for (size_t i = 0; i < n; i++) {
		const uint8_t key[] = { 0, 0, 0, (uint8_t)(i + 1) };
		struct gpt_protocol *p = gpt_token_add_data(token);

		if (!p || gpt_protocol_set(p, GPT_PROTOCOL_DATA) != GK_OK)
			return cli_fail(CLI_FAILURE, "out of memory");
		p->data->has_encryption = true;
		if (gk_buf_copy(&p->data->encryption.key_id,
		                (struct gk_slice){ key, sizeof(key) }) != GK_OK)
			return cli_fail(CLI_FAILURE, "out of memory");
	}
	return CLI_OK;
}

static enum cli_exit
make(const struct making *m, struct gpt_token *token)
{
	struct gpt_registration *r = gpt_token_add_registration(token);
	struct gpt_protocol *rekey = gpt_token_add_rekey(token);
	enum cli_exit code;

	if (!r || !rekey ||
	    gpt_protocol_set(&r->reg, GPT_PROTOCOL_REGISTER) != GK_OK ||
	    gpt_protocol_set(&r->dereg, GPT_PROTOCOL_DEREGISTER) != GK_OK ||
	    gpt_protocol_set(rekey, GPT_PROTOCOL_REKEY) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	code = cli_new_group(m->args, token);
	if (code == CLI_OK)
		code = make_register(m, r->reg.reg);
	if (code == CLI_OK)
		code = make_deregister(m, r->dereg.dereg);
	if (code == CLI_OK)
		code = make_rekey(m, r->reg.reg, rekey->rekey);
	if (code == CLI_OK)
		code = make_data(m, token);
	return code;
}

static enum cli_exit
prepare(const struct cli_args *args, struct making *m)
{
	const char *suite = args->suite ? args->suite : "p256-gcm";
	enum cli_exit code = CLI_OK;

	m->t = template_find(args->template);
	if (!m->t)
		return cli_fail(CLI_USAGE, "--template: no template '%s'",
		                args->template);
	m->suite = gpt_suite_oid(suite);
	if (!m->suite || gpt_suite_expand(m->suite, &m->set) != GK_OK)
		return cli_fail(CLI_USAGE, "--suite: no suite '%s'", suite);
	for (size_t i = 0; code == CLI_OK && i < args->ca.n; i++)
		code = cli_authority(args->ca.at[i], &m->cas[m->n_cas++]);
	/* Without a CA the document shows where one belongs. */
	if (code == CLI_OK && m->n_cas == 0 &&
	    gk_buf_alloc(&m->cas[m->n_cas++], 20) != GK_OK)
		code = cli_fail(CLI_FAILURE, "out of memory");
	return code;
}

enum cli_exit
cli_new(const struct cli_args *args)
{
	struct making m = { .args = args };
	struct gpt_token *token = gpt_token_new();
	struct gk_buf xml = { 0 };
	bool gdoi = args->template && strncmp(args->template, "gdoi-", 5) == 0;
	enum cli_exit code = token ? CLI_OK : CLI_FAILURE;

	if (code == CLI_OK && gdoi)
		code = cli_new_gdoi(args, args->template, token);
	else if (code == CLI_OK)
		code = prepare(args, &m);
	if (code == CLI_NO)
		code = cli_fail(CLI_USAGE, "--template: no template '%s'",
		                args->template);
	if (code == CLI_OK && !gdoi)
		code = make(&m, token);
	if (code == CLI_OK && gpt_policy_write(token, &xml) != GK_OK)
		code = cli_fail(CLI_FAILURE, "out of memory");
	if (code == CLI_OK)
		code = cli_write(args, gk_buf_slice(&xml), false);
	if (code == CLI_OK && args->ca.n == 0 && !gdoi)
		fprintf(stderr, "msec-token: without --ca the key identifiers "
		                "are zero: put yours in\n");
	for (size_t i = 0; i < m.n_cas; i++)
		gk_buf_free(&m.cas[i]);
	gk_buf_free(&xml);
	gpt_token_free(token);
	return code;
}
