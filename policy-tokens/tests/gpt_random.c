/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/tests/gpt_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/token/gpt_gdoi.h"

#define SUITE_ARC "2.25.227007163891039140890553393414073698781."

static uint32_t state;

/* xorshift32: small, and equal everywhere */
static uint32_t
rnd(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static bool
coin(void)
{
	return rnd(2) != 0;
}

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
octets(struct gk_buf *out, size_t max)
{
	uint8_t tmp[64];
	size_t n = rnd((uint32_t)max) + 1;

	for (size_t i = 0; i < n; i++)
		tmp[i] = (uint8_t)rnd(256);
	must(gk_buf_copy(out, (struct gk_slice){ tmp, n }) == GK_OK);
}

static int64_t
number(void)
{
	switch (rnd(4)) {
	case 0:
		return rnd(20);
	case 1:
		return 49153 + rnd(4);
	case 2:
		return -(int64_t)rnd(300);
	default:
		return (int64_t)((uint64_t)rnd(UINT32_MAX) << 31 | rnd(1000));
	}
}

static struct gpt_lifedate
lifedate(void)
{
	struct gpt_lifedate date = { .kind = (enum gpt_lifedate_kind)rnd(3) };

	switch (date.kind) {
	case GPT_LIFEDATE_INTERVAL:
		date.value = number();
		break;
	case GPT_LIFEDATE_GT:
		date.value = (int64_t)rnd(UINT32_MAX) * 50 - 60000000000LL;
		break;
	case GPT_LIFEDATE_UTC:
		date.value = (int64_t)rnd(2000000000);
		break;
	}
	return date;
}

static void
pairs(struct gpt_pairs *out, uint32_t max)
{
	static const char *const dn[] = { "CN=alice,O=MSEC", "CN=*,O=MSEC",
		                          "CN=b\\2a,OU=x,O=MSEC",
		                          "CN=\xc3\xa9ric,C=FR" };
	static const uint8_t ip[] = { 10, 0, 0, 1 };
	uint32_t n = rnd(max + 1);

	for (uint32_t i = 0; i < n; i++) {
		struct gpt_pair *pair = gpt_pairs_add(out);
		struct gk_slice data = gk_slice_str(dn[rnd(4)]);
		int64_t type = 31;

		must(pair != NULL);
		octets(&pair->ca, 20);
		switch (rnd(5)) {
		case 0:
			type = 1;
			data = (struct gk_slice){ ip, sizeof(ip) };
			break;
		case 1:
			type = 2;
			data = gk_slice_str("*.example.org");
			break;
		case 2: /* nothing that any registry knows */
			pair->entity.type = number();
			octets(&pair->entity.data, 30);
			continue;
		default:
			break;
		}
		pair->entity.type = type;
		must(gk_buf_copy(&pair->entity.data, data) == GK_OK);
	}
}

static void
extension(struct gpt_extension *ext)
{
	char oid[96];

	(void)snprintf(oid, sizeof(oid), SUITE_ARC "%u.%u", 2 + rnd(90),
	               rnd(100000));
	ext->oid = strdup(oid);
	must(ext->oid != NULL);
	if (coin())
		octets(&ext->octets, 40);
}

static void
mechanisms(struct gpt_mechanisms *m)
{
	m->sig_algorithm = number();
	m->hash_algorithm = number();
	m->key_exchange = number();
	m->has_key_exchange_data = coin();
	if (m->has_key_exchange_data)
		octets(&m->key_exchange_data, 16);
	m->key_wrap = number();
	m->timeout = lifedate();
	m->terse = coin();
	m->has_timestamp = coin();
	m->timestamp = m->has_timestamp && coin();
}

static void
registration(struct gpt_register *reg)
{
	uint32_t n;

	reg->oid_form = (enum gpt_oid_form)rnd(2);
	reg->tags = (enum gpt_tags)rnd(2);
	pairs(&reg->gcks, 2);
	reg->has_sub_gcks = coin();
	n = reg->has_sub_gcks ? rnd(3) : 0;
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_pairs *sub = gpt_register_add_sub(reg);

		must(sub != NULL);
		pairs(sub, 2);
	}
	reg->senders_limited = coin();
	if (reg->senders_limited)
		pairs(&reg->senders, 3);
	n = rnd(4);
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_access_control *a = gpt_register_add_access(reg);
		uint32_t levels = rnd(3);

		must(a != NULL);
		while (levels-- > 0)
			must(gpt_access_control_permit(
				     a, (uint8_t)(1 + rnd(9))) == GK_OK);
		if (coin())
			a->has_permissions = true;
		pairs(&a->rules, 3);
		a->has_exclusions = coin();
		if (a->has_exclusions)
			pairs(&a->exclusions, 3);
	}
	n = rnd(3);
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_join_mechanism *m = gpt_register_add_mechanism(reg);

		must(m != NULL);
		if (coin()) {
			m->suite = strdup(coin() ? GPT_OID_SUITE_ONE
			                         : SUITE_ARC "1.77");
			must(m->suite != NULL);
		} else {
			mechanisms(&m->alacarte);
		}
	}
	reg->transport = (enum gpt_transport)rnd(3);
}

static void
deregistration(struct gpt_deregister *dereg)
{
	uint32_t n = rnd(3);

	dereg->tags = (enum gpt_tags)rnd(2);
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_leave_mechanism *m =
			gpt_deregister_add_mechanism(dereg);

		must(m != NULL);
		m->sig_algorithm = number();
		m->hash_algorithm = number();
		octets(&m->ca, 20);
	}
	dereg->no_terse = coin();
	dereg->terse = dereg->no_terse || coin();
	dereg->transport = (enum gpt_transport)rnd(2);
}

static void
rekey(struct gpt_rekey *r)
{
	r->oid_form = (enum gpt_oid_form)rnd(2);
	pairs(&r->authorization, 2);
	r->sig_algorithm = number();
	r->hash_algorithm = number();
	r->event = (enum gpt_rekey_event)rnd(4);
	/* A tagged CHOICE is explicit in both readings: no variant to keep. */
	if (r->event != GPT_REKEY_EVENT_TIME)
		r->tags = (enum gpt_tags)rnd(2);
	if (r->event & GPT_REKEY_EVENT_TIME)
		r->event_time = lifedate();
	if (r->event & GPT_REKEY_EVENT_COUNT)
		r->event_count = number();

	r->method = (enum gpt_method_kind)rnd(3);
	if (r->method == GPT_METHOD_NONE)
		r->method_none = (enum gpt_none_form)rnd(2);
	else if (r->method == GPT_METHOD_LKH)
		r->lkh_key_type = number();
	else
		extension(&r->method_ext);

	r->interval = lifedate();
	r->reliability = (enum gpt_reliability_kind)rnd(4);
	if (r->reliability == GPT_RELIABILITY_NONE)
		r->reliability_none = (enum gpt_none_form)rnd(2);
	else if (r->reliability == GPT_RELIABILITY_RESEND)
		r->resend = number();
	else if (r->reliability == GPT_RELIABILITY_POST)
		r->post = strdup("https://example.org/rekey?g=<&>\"'");
	else
		extension(&r->reliability_ext);

	r->scheme = (enum gpt_scheme_kind)rnd(3);
	if (r->scheme == GPT_SCHEME_NONE) {
		r->scheme_none = (enum gpt_none_form)rnd(2);
	} else if (r->scheme == GPT_SCHEME_AUTONOMOUS) {
		pairs(&r->auth_subs, 2);
		r->has_domain = coin();
		if (r->has_domain && coin())
			octets(&r->domain, 10);
	} else {
		extension(&r->scheme_ext);
	}
}

static void
key_info(bool *has, struct gpt_key_info *info)
{
	*has = coin();
	if (!*has)
		return;
	octets(&info->key_id, 8);
	info->has_expiration = coin();
	if (info->has_expiration)
		info->expiration = lifedate();
}

/* --- the records of gpt_gdoi.h --------------------------------------------- */

static void
address(struct gpt_id *id)
{
	static const struct {
		uint8_t type, len;
	} kinds[] = { { 1, 4 },  { 4, 8 },  { 5, 16 },  { 6, 32 }, { 7, 8 },
		      { 8, 32 }, { 2, 11 }, { 200, 3 }, { 4, 5 } };
	uint8_t tmp[32];
	uint32_t k = rnd(GK_COUNT(kinds)), half = kinds[k].len / 2u;

	for (uint32_t i = 0; i < kinds[k].len; i++)
		tmp[i] = (uint8_t)rnd(256);
	/* Mostly a mask that is one. */
	if ((kinds[k].type == 4 || kinds[k].type == 6) && coin()) {
		memset(tmp + half, 0, half);
		tmp[half] = 0xff;
		tmp[half + 1] = 0xe0;
	}
	id->type = kinds[k].type;
	must(gk_buf_copy(&id->data, (struct gk_slice){ tmp, kinds[k].len }) ==
	     GK_OK);
}

static int64_t
field_number(const struct gpt_field *f)
{
	if (rnd(3) == 0)
		return number();
	return f->first + (int64_t)rnd((uint32_t)(f->last - f->first) / 2 + 1);
}

static void
record(enum gpt_record_kind kind, void *model)
{
	const struct gpt_record *r = gpt_record(kind);

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];
		struct gpt_number *n = gpt_field_slot(f, model);
		char **oid = gpt_field_slot(f, model), text[64];

		if (f->optional && coin())
			continue;
		switch (f->kind) {
		case GPT_FIELD_NUMBER:
		case GPT_FIELD_SECONDS:
		case GPT_FIELD_CODE:
			n->present = true;
			n->value = field_number(f);
			break;
		case GPT_FIELD_OCTETS:
			if (coin())
				octets(gpt_field_slot(f, model), 20);
			break;
		case GPT_FIELD_OID:
			(void)snprintf(text, sizeof(text), "1.0.62351.%u.%u",
			               rnd(99), rnd(999999));
			*oid = strdup(text);
			must(*oid != NULL);
			break;
		case GPT_FIELD_ADDRESS:
			address(gpt_field_slot(f, model));
			break;
		}
	}
}

static void
gdoi(struct gpt_protocol *p)
{
	uint32_t n = rnd(3);

	if (p->kind == GPT_PROTOCOL_GDOI_REGISTER) {
		registration(p->reg);
		/* What a GDOI registration does not have. */
		p->reg->oid_form = GPT_OID_IANA;
		p->reg->tags = GPT_TAGS_IMPLICIT;
		p->reg->transport = GPT_TRANSPORT_UDP;
		while (p->reg->n_mechanisms > 0) {
			struct gpt_join_mechanism *m =
				&p->reg->mechanisms[--p->reg->n_mechanisms];

			free(m->suite);
			gk_buf_free(&m->alacarte.key_exchange_data);
		}
		record(GPT_RECORD_GDOI_GROUP, &p->gdoi_reg->group);
		while (n-- > 0)
			record(GPT_RECORD_PHASE1,
			       gpt_gdoi_register_add_phase1(p->gdoi_reg));
	} else if (p->kind == GPT_PROTOCOL_GDOI_REKEY) {
		record(GPT_RECORD_GDOI_REKEY, p->gdoi_rekey);
	} else if (p->kind == GPT_PROTOCOL_OPERATION) {
		record(GPT_RECORD_OPERATION, p->operation);
	} else if (p->kind == GPT_PROTOCOL_IPSEC) {
		while (n-- > 0)
			record(GPT_RECORD_IPSEC_SA, gpt_ipsec_add(p->ipsec));
	} else {
		while (n-- > 0)
			record(GPT_RECORD_IEC_SA, gpt_iec_add(p->iec));
	}
}

/* Some of each list are GDOI's. */
static enum gpt_protocol_kind
kind_of(enum gpt_protocol_kind kind)
{
	if (rnd(5) == 0)
		return GPT_PROTOCOL_UNKNOWN;
	if (kind == GPT_PROTOCOL_DEREGISTER || coin())
		return kind;
	if (kind == GPT_PROTOCOL_REGISTER)
		return GPT_PROTOCOL_GDOI_REGISTER;
	if (kind == GPT_PROTOCOL_REKEY)
		return coin() ? GPT_PROTOCOL_GDOI_REKEY
		              : GPT_PROTOCOL_OPERATION;
	return coin() ? GPT_PROTOCOL_IPSEC : GPT_PROTOCOL_IEC_61850;
}

static void
protocol(struct gpt_protocol *p, enum gpt_protocol_kind kind)
{
	if (kind != GPT_PROTOCOL_DATA && rnd(6) == 0)
		return; /* none */
	kind = kind_of(kind);
	must(gpt_protocol_set(p, kind) == GK_OK);
	switch (kind) {
	case GPT_PROTOCOL_REGISTER:
		registration(p->reg);
		break;
	case GPT_PROTOCOL_DEREGISTER:
		deregistration(p->dereg);
		break;
	case GPT_PROTOCOL_REKEY:
		rekey(p->rekey);
		break;
	case GPT_PROTOCOL_DATA:
		key_info(&p->data->has_authentication,
		         &p->data->authentication);
		key_info(&p->data->has_encryption, &p->data->encryption);
		break;
	case GPT_PROTOCOL_GDOI_REGISTER:
	case GPT_PROTOCOL_GDOI_REKEY:
	case GPT_PROTOCOL_IPSEC:
	case GPT_PROTOCOL_IEC_61850:
	case GPT_PROTOCOL_OPERATION:
		gdoi(p);
		break;
	case GPT_PROTOCOL_UNKNOWN:
		extension(&p->unknown);
		break;
	case GPT_PROTOCOL_NONE:
		break;
	}
}

struct gpt_token *
gpt_random_token(uint32_t seed)
{
	struct gpt_token *token = gpt_token_new();
	uint32_t n;

	must(token != NULL);
	state = seed * 2654435761u + 1;
	for (int i = 0; i < 8; i++)
		(void)rnd(2);

	octets(&token->group_name, 24);
	token->has_edition = coin();
	if (token->has_edition)
		token->edition = number();
	token->registration_null = rnd(8) == 0;
	n = token->registration_null ? 0 : rnd(3);
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_registration *r = gpt_token_add_registration(token);

		must(r != NULL);
		protocol(&r->reg, GPT_PROTOCOL_REGISTER);
		protocol(&r->dereg, GPT_PROTOCOL_DEREGISTER);
	}
	n = rnd(3);
	for (uint32_t i = 0; i < n; i++)
		protocol(gpt_token_add_rekey(token), GPT_PROTOCOL_REKEY);
	n = rnd(3);
	for (uint32_t i = 0; i < n; i++)
		protocol(gpt_token_add_data(token), GPT_PROTOCOL_DATA);
	return token;
}
