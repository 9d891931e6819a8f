/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/cli/cli.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_suite.h"
#include "policy-tokens/xml/gpt_announcement.h"

#define YEAR (365 * 86400LL)

/* --- the values of options --------------------------------------------------------------- */

/* "192.0.2.1", "192.0.2.1:3761", "2001:db8::1", "[2001:db8::1]:3761" */
static bool
endpoint(const char *text, uint16_t port, struct gpt_endpoint *out)
{
	char addr[GPT_ADDR_LEN + 2];
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);
	const char *from = text;
	unsigned long value = port;
	char *stop;

	if (text[0] == '[') {
		from++;
		end = strchr(text, ']');
		if (!end || (end[1] != ':' && end[1] != '\0'))
			return false;
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && colon != strchr(text, ':')) {
		colon = NULL; /* an IPv6 address without a port */
	} else if (colon) {
		end = colon;
	}
	if (colon) {
		value = strtoul(colon + 1, &stop, 10);
		if (*stop || stop == colon + 1)
			return false;
	}
	if (value < 1 || value > UINT16_MAX ||
	    (size_t)(end - from) >= sizeof(addr))
		return false;
	memcpy(addr, from, (size_t)(end - from));
	addr[end - from] = '\0';
	out->port = (uint16_t)value;
	out->addr_len = inet_pton(AF_INET, addr, out->addr) == 1    ? 4
	                : inet_pton(AF_INET6, addr, out->addr) == 1 ? 16
	                                                            : 0;
	return out->addr_len != 0;
}

static enum cli_exit
key_server(const char *text, uint16_t port, struct gpt_key_server *out)
{
	const char *equals = strchr(text, '=');
	char *at =
		equals ? strndup(text, (size_t)(equals - text)) : strdup(text);
	enum cli_exit code = CLI_OK;

	if (!at)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (!endpoint(at, port, &out->at))
		code = cli_fail(CLI_USAGE,
		                "--key-server: '%s' is not ADDRESS[:PORT]", at);
	if (code == CLI_OK && equals) {
		out->id_kind = GK_ID_DN_STRING;
		if (gk_identity_parse(GK_ID_DN_STRING, gk_slice_str(equals + 1),
		                      &out->id) != GK_OK)
			code = cli_fail(CLI_USAGE,
			                "--key-server: '%s' is not an RFC 4514 "
			                "name",
			                equals + 1);
	}
	free(at);
	return code;
}

static enum cli_exit
multicast(const char *option, const char *text, struct gpt_multicast *out)
{
	const char *at = strchr(text, '@');
	char *group = at ? strndup(text, (size_t)(at - text)) : strdup(text);
	struct gpt_endpoint source = { 0 };
	enum cli_exit code = CLI_OK;

	if (!group)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (!endpoint(group, 0, &out->group) ||
	    (at && (!endpoint(at + 1, 1, &source) ||
	            source.addr_len != out->group.addr_len)))
		code = cli_fail(CLI_USAGE,
		                "--%s: '%s' is not GROUP:PORT[@SOURCE]", option,
		                text);
	memcpy(out->source, source.addr, sizeof(out->source));
	out->source_len = source.addr_len;
	free(group);
	return code;
}

/* --- an announcement from a policy and the command line -------------------------------------- */

/* A plain address out of the policy; false: it is none. */
static bool
plain(const struct gpt_id *id, uint8_t addr[16], uint8_t *len)
{
	if ((id->type != 1 || id->data.len != 4) &&
	    (id->type != 5 || id->data.len != 16))
		return false;
	memcpy(addr, id->data.ptr, id->data.len);
	*len = (uint8_t)id->data.len;
	return true;
}

/* Which of several registrations a key server can do is not known here: what any of
 * them lists may be proposed to it, or, where one lists nothing, anything. */
static enum cli_exit
all_phase1(const struct gpt_token *token, const struct gpt_gdoi_register *first,
           struct gpt_gdoi_register *out)
{
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind == GPT_PROTOCOL_GDOI_REGISTER &&
		    p->gdoi_reg->n_phase1 == 0 &&
		    gpt_gdoi_same_group(&p->gdoi_reg->group, &first->group))
			return CLI_OK;
	}
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER ||
		    !gpt_gdoi_same_group(&p->gdoi_reg->group, &first->group))
			continue;
		for (size_t k = 0; k < p->gdoi_reg->n_phase1; k++) {
			const struct gpt_phase1 *from = &p->gdoi_reg->phase1[k];
			struct gpt_phase1 *to;
			bool there = false;

			for (size_t o = 0; o < out->n_phase1 && !there; o++)
				there = gpt_record_equal(GPT_RECORD_PHASE1,
				                         &out->phase1[o], from);
			if (there)
				continue;
			to = gpt_gdoi_register_add_phase1(out);
			if (!to || gpt_record_copy(GPT_RECORD_PHASE1, to,
			                           from) != GK_OK)
				return cli_fail(CLI_FAILURE, "out of memory");
		}
	}
	return CLI_OK;
}

/* The rekey protocol, or one of several whose PUSHes go to the same place; NULL: it is
 * not known which place that is. */
static const struct gpt_gdoi_rekey *
one_place(const struct gpt_token *token)
{
	const struct gpt_gdoi_rekey *first = NULL;

	for (size_t i = 0; i < token->n_rekey; i++) {
		const struct gpt_gdoi_rekey *r = token->rekey[i].gdoi_rekey;

		if (token->rekey[i].kind != GPT_PROTOCOL_GDOI_REKEY)
			continue;
		if (!first)
			first = r;
		if (r->unicast.value != first->unicast.value ||
		    r->destination_port.value !=
		            first->destination_port.value ||
		    !gk_slice_equal(gk_buf_slice(&r->destination.data),
		                    gk_buf_slice(&first->destination.data)) ||
		    !gk_slice_equal(gk_buf_slice(&r->source.data),
		                    gk_buf_slice(&first->source.data))) {
			fprintf(stderr,
			        "msec-token: the PUSHes of its rekey protocols "
			        "go to several places: none is announced\n");
			return NULL;
		}
	}
	return first;
}

/* "number 4711", "oid 1.2.3 with payload 0403616263" */
static const char *
name_group(const struct gpt_gdoi_group *g, char out[160])
{
	int n = g->oid ? snprintf(out, 160, "oid %.80s", g->oid)
	               : snprintf(out, 160, "number %lld",
	                          (long long)g->number.value);

	if (g->payload.len != 0)
		n += snprintf(out + n, (size_t)(160 - n), " with payload ");
	for (size_t i = 0; i < g->payload.len && n < 150; i++)
		n += snprintf(out + n, (size_t)(160 - n), "%02x",
		              g->payload.ptr[i]);
	return out;
}

static bool
is_meant(const struct cli_args *args, int64_t number,
         const struct gpt_gdoi_group *g)
{
	if (args->oid)
		return g->oid && strcmp(g->oid, args->oid) == 0;
	return !args->number ||
	       (!g->oid && g->number.present && g->number.value == number);
}

/* A key server has one group, and passes over the registrations for another; which one
 * an announcement is of is not guessed. */
static enum cli_exit
choose_group(const struct cli_args *args, const struct gpt_token *token,
             const struct gpt_gdoi_register **out)
{
	char name[160], other[160];
	int64_t number = 0;

	*out = NULL;
	if (args->number && args->oid)
		return cli_fail(CLI_USAGE,
		                "a group has either --number or --oid");
	if (args->number && (gpt_number_parse(args->number, &number) != GK_OK ||
	                     number < 0 || number > UINT32_MAX))
		return cli_fail(CLI_USAGE, "--number: '%s' has no 32 bits",
		                args->number);
	for (size_t i = 0; i < token->n_registration; i++) {
		const struct gpt_protocol *p = &token->registration[i].reg;

		if (p->kind != GPT_PROTOCOL_GDOI_REGISTER ||
		    !is_meant(args, number, &p->gdoi_reg->group))
			continue;
		if (!*out)
			*out = p->gdoi_reg;
		if (gpt_gdoi_same_group(&p->gdoi_reg->group, &(*out)->group))
			continue;
		return cli_fail(CLI_INPUT,
		                "its GDOI registrations are for several groups "
		                "(%s, %s): %s",
		                name_group(&(*out)->group, name),
		                name_group(&p->gdoi_reg->group, other),
		                args->oid ? "an announcement that is written "
		                            "as XML can be of either"
		                          : "which one is announced is said by "
		                            "--number or --oid");
	}
	if (!*out && (args->number || args->oid))
		return cli_fail(CLI_INPUT,
		                "no GDOI registration of it is for a group "
		                "with %s %s",
		                args->oid ? "oid" : "number",
		                args->oid ? args->oid : args->number);
	return CLI_OK;
}

/* Name, phase 1 and where PUSHes go. */
static enum cli_exit
from_gdoi(const struct gpt_token *token, const struct gpt_gdoi_register *reg,
          struct gpt_announcement *a)
{
	const struct gpt_gdoi_rekey *r = one_place(token);
	struct gpt_multicast *m = &a->rekey;
	enum cli_exit rc;

	a->doi = 2; /* RFC 6407 section 2.1; the situation is 0 */
	a->gdoi = calloc(1, sizeof(*a->gdoi));
	if (!a->gdoi || gpt_record_copy(GPT_RECORD_GDOI_GROUP, &a->gdoi->group,
	                                &reg->group) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	/* What a member learns from the SA payload is not announced. */
	a->gdoi->group.atd.present = a->gdoi->group.dtd.present = false;
	a->gdoi->group.sid_bits.present = false;
	a->gdoi->group.members.present = false;
	rc = all_phase1(token, reg, a->gdoi);
	if (rc != CLI_OK)
		return rc;
	if (r && r->unicast.value == 0 &&
	    plain(&r->destination, m->group.addr, &m->group.addr_len)) {
		a->has_rekey = true;
		m->group.port = (uint16_t)r->destination_port.value;
		(void)plain(&r->source, m->source, &m->source_len);
	}
	return CLI_OK;
}

/* RFC4534-3-05: the highest listed set; one that nobody here knows is passed
 * over, unless there is no other. */
static const struct gpt_join_mechanism *
first_known(const struct gpt_register *reg)
{
	struct gpt_mechanisms m;

	for (size_t i = 0; i < reg->n_mechanisms; i++)
		if (!reg->mechanisms[i].suite ||
		    gpt_suite_expand(reg->mechanisms[i].suite, &m) == GK_OK)
			return &reg->mechanisms[i];
	return &reg->mechanisms[0];
}

/* Group, mechanisms, transport, freshness and mode are the policy's. */
static enum cli_exit
from_policy(const struct cli_args *args, const struct gpt_token *token,
            struct gpt_announcement *a)
{
	const struct gpt_register *reg = gpt_token_register(token, NULL);
	const struct gpt_gdoi_register *gdoi;
	const struct gpt_join_mechanism *m;
	enum cli_exit rc = CLI_OK;

	a->group_type = gpt_groupid_guess(gk_buf_slice(&token->group_name));
	if (gk_buf_copy(&a->group, gk_buf_slice(&token->group_name)) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	if (!reg || args->number || args->oid) {
		rc = choose_group(args, token, &gdoi);
		if (rc != CLI_OK || gdoi)
			return rc == CLI_OK ? from_gdoi(token, gdoi, a) : rc;
	}
	if (!reg || reg->n_mechanisms == 0)
		return cli_fail(CLI_INPUT,
		                "%s: no registration that could be announced",
		                args->token);
	m = first_known(reg);
	a->mechanisms = m->alacarte;
	a->mechanisms.key_exchange_data = (struct gk_buf){ 0 };
	if (m->suite) {
		a->suite = strdup(m->suite);
		if (!a->suite)
			return cli_fail(CLI_FAILURE, "out of memory");
		a->mechanisms.terse = true;
		if (gpt_suite_expand(m->suite, &a->mechanisms) != GK_OK)
			fprintf(stderr,
			        "msec-token: suite %s is unknown here\n",
			        m->suite);
	}
	a->terse = a->mechanisms.terse;
	a->timestamps = a->mechanisms.timestamp;
	a->transport = reg->transport;
	return CLI_OK;
}

static enum cli_exit
add_flow(const struct gpt_ipsec_sa *sa, struct gpt_announcement *a)
{
	struct gpt_flow *f = gpt_announcement_add_flow(a);

	if (!f ||
	    gk_buf_copy(&f->source.data, gk_buf_slice(&sa->source.data)) !=
	            GK_OK ||
	    gk_buf_copy(&f->destination.data,
	                gk_buf_slice(&sa->destination.data)) != GK_OK)
		return cli_fail(CLI_FAILURE, "out of memory");
	f->source.type = sa->source.type;
	f->destination.type = sa->destination.type;
	f->source_port = (uint16_t)sa->source_port.value;
	f->destination_port = (uint16_t)sa->destination_port.value;
	f->protocol = (uint16_t)sa->ip_protocol.value;
	return CLI_OK;
}

/* The traffic of the policy's data SAs, and no other. */
static enum cli_exit
flows(const struct gpt_token *token, struct gpt_announcement *a)
{
	enum cli_exit code = CLI_OK;

	if (!a->gdoi)
		return cli_fail(CLI_USAGE, "--flows is for a group of GDOI");
	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_ipsec *ipsec = token->data[i].ipsec;

		for (size_t k = 0; code == CLI_OK && ipsec && k < ipsec->n; k++)
			code = add_flow(&ipsec->at[k], a);
	}
	return code;
}

static enum cli_exit
group_type(const struct cli_args *args, struct gpt_announcement *a)
{
	if (args->group_type &&
	    !gpt_groupid_from_name(args->group_type, &a->group_type))
		return cli_fail(CLI_USAGE, "--group-type: no type '%s'",
		                args->group_type);
	if (a->group_type == GPT_GROUPID_RAW ||
	    !gpt_groupid_fits(a->group_type, gk_buf_slice(&a->group)))
		return cli_fail(CLI_INPUT,
		                "the group's name is no GroupID of type %s",
		                gpt_groupid_name(a->group_type));
	return CLI_OK;
}

static enum cli_exit
dates(const struct cli_args *args, int64_t now, struct gpt_announcement *a)
{
	int64_t serial = now;

	if (args->serial &&
	    (gpt_number_parse(args->serial, &serial) != GK_OK || serial < 0))
		return cli_fail(CLI_USAGE, "--serial: '%s' is not a number",
		                args->serial);
	a->serial = (uint64_t)serial;
	a->not_after = now + YEAR;
	return args->not_after
	               ? cli_date("not-after", args->not_after, &a->not_after)
	               : CLI_OK;
}

static enum cli_exit
places(const struct cli_args *args, struct gpt_announcement *a)
{
	enum cli_exit code = CLI_OK;

	if (args->servers.n == 0)
		return cli_fail(CLI_USAGE, "--key-server is needed");
	a->servers = calloc(args->servers.n, sizeof(*a->servers));
	a->data = calloc(args->data.n + 1, sizeof(*a->data));
	if (!a->servers || !a->data)
		return cli_fail(CLI_FAILURE, "out of memory");
	for (size_t i = 0; code == CLI_OK && i < args->servers.n; i++)
		code = key_server(args->servers.at[i],
		                  a->gdoi ? GPT_GDOI_PORT : GPT_GSAKMP_PORT,
		                  &a->servers[a->n_servers++]);
	for (size_t i = 0; code == CLI_OK && i < args->data.n; i++)
		code = multicast("data", args->data.at[i],
		                 &a->data[a->n_data++]);
	if (code == CLI_OK && args->rekey) {
		a->has_rekey = true;
		code = multicast("rekey", args->rekey, &a->rekey);
	}
	return code;
}

static enum cli_exit
compose(const struct cli_args *args, int64_t now, struct gk_buf *xml)
{
	struct gpt_announcement *a = calloc(1, sizeof(*a));
	struct cli_policy policy = { 0 };
	enum cli_exit code;

	if (!args->token || !a) {
		free(a);
		return cli_fail(CLI_USAGE, "either ANNOUNCEMENT.xml or --token "
		                           "is needed");
	}
	code = cli_load(args->token, &policy);
	if (code == CLI_OK)
		code = from_policy(args, policy.token, a);
	if (code == CLI_OK && args->flows)
		code = flows(policy.token, a);
	if (code == CLI_OK)
		code = group_type(args, a);
	if (code == CLI_OK)
		code = dates(args, now, a);
	if (code == CLI_OK)
		code = places(args, a);
	if (code == CLI_OK && gpt_announcement_write(a, xml) != GK_OK)
		code = cli_fail(CLI_INPUT, "this cannot be announced");
	cli_policy_free(&policy);
	gpt_announcement_free(a);
	return code;
}

/* --- writing and verifying -------------------------------------------------------------------- */

static enum cli_exit
sign(const struct cli_args *args, const char *name, struct gk_slice xml,
     int64_t now, struct gk_buf *out)
{
	struct gk_signer *signer = NULL;
	struct gk_certs certs = { 0 };
	struct gpt_fault why = { 0 };
	enum cli_exit code = cli_signer(args, &signer, &certs);

	if (code == CLI_OK &&
	    gpt_announcement_sign(xml, signer, &certs, now, out, &why) != GK_OK)
		code = cli_fault(name, &why);
	gk_signer_free(signer);
	gk_certs_free(&certs);
	return code;
}

static enum cli_exit
verify(const struct cli_args *args)
{
	struct gpt_announcement *a = NULL;
	struct gpt_fault why = { 0 };
	struct gk_buf xml = { 0 };
	struct cli_owner owner;
	enum cli_exit code;

	if (args->n_files != 1)
		return cli_fail(CLI_USAGE, "which announcement?");
	code = cli_owner(args, &owner);
	if (code != CLI_OK)
		return code;
	code = cli_read(args->files[0], &xml);
	if (code == CLI_OK &&
	    gpt_announcement_load_verified(gk_buf_slice(&xml), &owner.owner,
	                                   owner.now, &a, &why) != GK_OK)
		code = cli_fault(args->files[0], &why);
	if (code == CLI_OK && args->json)
		code = cli_write_json(args, json_pack("{s:b, s:I}", "verified",
		                                      1, "serial",
		                                      (json_int_t)a->serial));
	else if (code == CLI_OK)
		printf("verified, serial %llu\n",
		       (unsigned long long)a->serial);
	gpt_announcement_free(a);
	gk_buf_free(&xml);
	cli_owner_free(&owner);
	return code;
}

enum cli_exit
cli_announce(const struct cli_args *args)
{
	const char *name = args->n_files ? args->files[0] : "announcement";
	struct gpt_announcement *check = NULL;
	struct gk_buf xml = { 0 }, out = { 0 };
	struct gpt_fault why = { 0 };
	int64_t now;
	enum cli_exit code;

	if (args->verify)
		return verify(args);
	code = cli_date("signing-time", args->signing_time, &now);
	if (code == CLI_OK)
		code = args->n_files ? cli_read(args->files[0], &xml)
		                     : compose(args, now, &xml);
	/* What was composed is held to the schema like what was written. */
	if (code == CLI_OK &&
	    gpt_announcement_parse(gk_buf_slice(&xml), &check, &why) != GK_OK)
		code = cli_fault(name, &why);
	if (code == CLI_OK && !args->key && !args->cert)
		code = cli_write(args, gk_buf_slice(&xml), false);
	else if (code == CLI_OK)
		code = sign(args, name, gk_buf_slice(&xml), now, &out);
	if (code == CLI_OK && out.len > 0)
		code = cli_write(args, gk_buf_slice(&out), false);
	gpt_announcement_free(check);
	gk_buf_free(&xml);
	gk_buf_free(&out);
	return code;
}
