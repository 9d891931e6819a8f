/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/crypto/gk_sign.h"
#include "policy-tokens/token/gpt_lint_part.h"

#define SIG_RSA 10                     /* Authentication Algorithm */
enum { IPV4_ADDR = 1, IPV6_ADDR = 5 }; /* RFC 2407 section 4.6.2.1 */

/* --- what every field has to satisfy ------------------------------------------ */

static void
code(struct gpt_linting *l, const char *rest, const struct gpt_field *f,
     enum gpt_registry registry, int64_t value)
{
	const char *name = gpt_name_of(registry, value);

	if (!name)
		WARN(l, "unknown-code-point", rest,
		     "%s %" PRId64 " is in no registry that this version knows",
		     f->attribute, value);
	else if (gpt_name_is_weak(registry, value))
		WARN(l, "legacy", rest,
		     "%s %s is legacy: key servers and members refuse it "
		     "unless told otherwise",
		     f->attribute, name);
}

static void
address(struct gpt_linting *l, const char *rest, const struct gpt_field *f,
        const struct gpt_id *id)
{
	struct gk_buf text = { 0 };

	if (id->type < 1 || id->type > UINT8_MAX)
		ERROR(l, "address-type", rest,
		      "%s: Identification Types have one octet, this one is "
		      "%" PRId64,
		      f->attribute, id->type);
	else if (id->data.len > 255)
		ERROR(l, "address-length", rest,
		      "%s: more than 255 octets do not fit the payload",
		      f->attribute);
	else if (gpt_address_text(id, &text) != GK_OK)
		l->err = GK_ERR_NOMEM;
	else if (gpt_address_is_plain(id))
		WARN(l, "unusual-address", rest,
		     "%s %.*s is neither an address nor a prefix nor a range",
		     f->attribute, (int)text.len, (const char *)text.ptr);
	gk_buf_free(&text);
}

/* Each row by its own limits; @rest names the record. */
static void
record(struct gpt_linting *l, enum gpt_record_kind kind, const void *model,
       const char *rest)
{
	const struct gpt_record *r = gpt_record(kind);
	char at[64];

	for (size_t i = 0; i < r->n; i++) {
		const struct gpt_field *f = &r->field[i];
		int64_t value;

		if (!gpt_field_present(f, model))
			continue;
		(void)snprintf(at, sizeof(at), "%s%s%s", rest,
		               f->element[0] ? "." : "", f->element);
		if (f->kind == GPT_FIELD_ADDRESS)
			address(l, at, f, gpt_field_address(f, model));
		if (f->kind > GPT_FIELD_CODE)
			continue;
		value = gpt_field_number(f, model)->value;
		if (value < f->first || value > f->last)
			ERROR(l, "out-of-range", at,
			      "%s %" PRId64 " is not between %" PRId64
			      " and %" PRId64,
			      f->attribute, value, f->first, f->last);
		else if (f->kind == GPT_FIELD_CODE)
			code(l, at, f, gpt_field_registry(r, f, model), value);
	}
}

static bool
is(struct gpt_number n, int64_t value)
{
	return n.present && n.value == value;
}

/* --- registration ---------------------------------------------------------------- */

/* The registry numbers of ESP that count: CTR, CCM, GCM, GMAC. */
static bool
counts(const struct gpt_ipsec_sa *sa)
{
	int64_t t = sa->transform.value, a = sa->authentication.value;

	if (sa->protocol.value == 2)
		return t >= 11 && t <= 13;
	return (t >= 13 && t <= 20 && t != 17) || t == 23 ||
	       (sa->authentication.present && a >= 11 && a <= 13);
}

static bool
any_counts(const struct gpt_token *token)
{
	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_ipsec *ipsec = token->data[i].ipsec;

		for (size_t k = 0; ipsec && k < ipsec->n; k++)
			if (counts(&ipsec->at[k]))
				return true;
	}
	return false;
}

static void
phase1(struct gpt_linting *l, const struct gpt_gdoi_register *reg)
{
	char rest[40];

	for (size_t i = 0; i < reg->n_phase1; i++) {
		const struct gpt_phase1 *p = &reg->phase1[i];

		(void)snprintf(rest, sizeof(rest), ".phase1[%zu]", i);
		record(l, GPT_RECORD_PHASE1, p, rest);
		if (p->encryption.value == 7 && !p->key_length.present)
			ERROR(l, "no-key-length", rest,
			      "AES needs its key length said");
		if (p->encryption.value != 7 && p->key_length.present)
			ERROR(l, "fixed-key-length", rest,
			      "a key length for a cipher that has one only");
		if (is(p->mode, 4) && p->authentication.value == 1)
			WARN(l, "guessable-psk", rest,
			     "Aggressive Mode with a pre-shared key lets "
			     "whoever listens guess it");
	}
}

/* LKH IDs have 16 bits, one for each node of the tree, whose leaves are all on one
 * level. */
static int64_t
room_of(int64_t degree)
{
	int64_t leaves = degree, nodes = 1 + degree;

	while (nodes + leaves * degree <= UINT16_MAX) {
		leaves *= degree;
		nodes += leaves;
	}
	return leaves;
}

static void
members(struct gpt_linting *l, const struct gpt_token *token,
        struct gpt_number max)
{
	const struct gpt_gdoi_rekey *r = gpt_token_gdoi_rekey(token, NULL);
	int64_t degree = r ? r->lkh_degree.value : 0, room;

	if (!max.present || degree < 2 || degree > 256)
		return;
	room = room_of(degree);
	if (max.value > room)
		ERROR(l, "lkh-size", ".members",
		      "LKH IDs have 16 bits: a tree of degree %" PRId64
		      " has room for %" PRId64 " members",
		      degree, room);
}

/* Of SAs that wait for ATD; one of IEC 61850 may have a time of its own. */
static int64_t
shortest_life(const struct gpt_token *token)
{
	int64_t shortest = INT64_MAX;

	for (size_t i = 0; i < token->n_data; i++) {
		const struct gpt_ipsec *ipsec = token->data[i].ipsec;
		const struct gpt_iec *iec = token->data[i].iec;

		for (size_t k = 0; ipsec && k < ipsec->n; k++)
			if (ipsec->at[k].life_s.present &&
			    ipsec->at[k].life_s.value < shortest)
				shortest = ipsec->at[k].life_s.value;
		for (size_t k = 0; iec && k < iec->n; k++)
			if (iec->at[k].lifetime.value > 0 &&
			    !iec->at[k].atd.present &&
			    iec->at[k].lifetime.value < shortest)
				shortest = iec->at[k].lifetime.value;
	}
	return shortest;
}

void
gpt_lint_gdoi_register(struct gpt_linting *l, const struct gpt_token *token,
                       const struct gpt_protocol *p)
{
	const struct gpt_gdoi_group *g = &p->gdoi_reg->group;
	int64_t bits = g->sid_bits.value;

	record(l, GPT_RECORD_GDOI_GROUP, g, "");
	if (!g->number.present == !g->oid)
		ERROR(l, "group-identity", ".group",
		      "a group has either a number or an OID");
	if (!g->oid && g->payload.len != 0)
		ERROR(l, "group-identity", ".group",
		      "a payload belongs to an OID");
	if (g->atd.present && g->dtd.present && g->dtd.value < g->atd.value)
		WARN(l, "rollover-gap", ".rollover",
		     "an old SA stops receiving before senders leave it: "
		     "datagrams get lost");
	if (g->atd.present && g->atd.value >= shortest_life(token) - 1)
		WARN(l, "rollover-gap", ".rollover",
		     "an SA is over before its successor may be used: "
		     "activation is longer than its lifetime");
	if (any_counts(token) && !g->sid_bits.present)
		ERROR(l, "no-sender-ids", "",
		      "a counter mode with several senders needs sender ids "
		      "(RFC 6054): say how many bits they have");
	if (g->sid_bits.present && !any_counts(token))
		WARN(l, "idle-sender-ids", ".sender-ids",
		     "sender ids, and no SA in a counter mode");
	if (g->sid_bits.present && bits != 8 && bits != 12 && bits != 16)
		WARN(l, "sender-id-bits", ".sender-ids",
		     "RFC 6054 has implementations support 8, 12 and 16 bits");
	members(l, token, g->members);
	if (p->reg->n_sub_gcks > 0)
		WARN(l, "idle-sub-gcks", ".sub_gcks",
		     "GDOI has no subordinate key servers");
	phase1(l, p->gdoi_reg);
}

/* --- rekey ------------------------------------------------------------------------- */

/* RFC 6407 section 5.3.8: ECDSA-256, -384, -521 bring their own hash. */
static void
signature(struct gpt_linting *l, const struct gpt_gdoi_rekey *r)
{
	static const int64_t tied[] = { [4] = 3, [5] = 4, [6] = 5 };
	int64_t alg = r->sig_algorithm.value;

	if (alg >= 1 && alg <= 3 && !r->sig_hash.present)
		ERROR(l, "no-signature-hash", ".signature",
		      "this signature algorithm needs a hash algorithm");
	if (alg >= 4 && alg <= 6 && r->sig_hash.present &&
	    r->sig_hash.value != tied[alg])
		ERROR(l, "signature-hash", ".signature",
		      "an ECDSA curve has a hash algorithm of its own");
	if (alg == 1 && r->sig_key_length.present &&
	    r->sig_key_length.value < 2048)
		WARN(l, "legacy", ".signature",
		     "an RSA key of less than 2048 bits is legacy");
}

static void
acknowledgement(struct gpt_linting *l, const struct gpt_gdoi_rekey *r)
{
	bool lkh = is(r->ack, 2) || is(r->ack, 4);

	if (lkh && !r->lkh_degree.present)
		ERROR(l, "ack-without-lkh", ".ack",
		      "this acknowledgement is keyed by a member's LKH key, "
		      "and there is no LKH");
	if (!r->ack.present && r->silent_max.present)
		ERROR(l, "ack-contradiction", ".ack",
		      "members do not acknowledge, so none can be "
		      "unresponsive");
	if (is(r->evict, 1) && !r->silent_max.present)
		ERROR(l, "ack-contradiction", ".ack",
		      "unresponsive members are evicted, but it is not said "
		      "when they are");
	if (is(r->evict, 1) && !r->lkh_degree.present)
		WARN(l, "evict-without-lkh", ".ack",
		     "an eviction without LKH has everybody register again");
}

static void
push(struct gpt_linting *l, const struct gpt_gdoi_rekey *r)
{
	bool unicast = is(r->unicast, 1);

	if (!unicast && r->destination.type == 0)
		ERROR(l, "no-destination", ".push",
		      "where do the messages go to?");
	if (!unicast && r->destination.type != 0 &&
	    !gpt_address_is_multicast(&r->destination))
		ERROR(l, "destination-contradiction", ".push",
		      "multicast, to an address that is none");
	if (!unicast && r->destination.type != 0 &&
	    r->destination.type != IPV4_ADDR &&
	    r->destination.type != IPV6_ADDR)
		ERROR(l, "destination-contradiction", ".push",
		      "messages go to one address, not to several");
	if (unicast && r->destination.type != 0)
		ERROR(l, "destination-contradiction", ".push",
		      "unicast goes to each member's address: leave "
		      "destination out");
	if (gpt_address_is_multicast(&r->source))
		ERROR(l, "multicast-source", ".push",
		      "nothing comes from a multicast address");
	if (r->destination_port.value == 0)
		ERROR(l, "no-destination", ".push", "destination-port is 0");
	if (r->resend.value == 0 && !r->ack.present)
		WARN(l, "unreliable", ".push",
		     "a lost message is neither sent again nor noticed");
}

void
gpt_lint_gdoi_rekey(struct gpt_linting *l, const struct gpt_gdoi_rekey *r)
{
	record(l, GPT_RECORD_GDOI_REKEY, r, "");
	push(l, r);
	if (r->algorithm.value == 3 && !r->key_length.present)
		ERROR(l, "no-key-length", ".kek",
		      "AES needs its key length said");
	if (r->algorithm.value == 3 && r->key_length.present &&
	    r->key_length.value != 128 && r->key_length.value != 192 &&
	    r->key_length.value != 256)
		ERROR(l, "key-length", ".kek",
		      "AES has keys of 128, 192 or 256 bits");
	if (r->margin.present && r->margin.value >= r->lifetime.value)
		ERROR(l, "margin-contradiction", ".kek",
		      "new keys are due before the old ones exist");
	if (r->interval.present && r->interval.value > r->lifetime.value)
		WARN(l, "idle-interval", ".kek",
		     "the interval is longer than the lifetime of the KEK");
	if (!r->lkh_degree.present)
		WARN(l, "no-lkh", ".kek",
		     "without LKH nobody can be evicted but by everybody "
		     "registering again");
	if (is(r->hide_kek, 1) && !r->lkh_degree.present)
		ERROR(l, "hide-kek-without-lkh", ".eviction",
		      "without LKH the evicted see nothing of the next KEK in "
		      "any case");
	signature(l, r);
	acknowledgement(l, r);
}

/* --- data --------------------------------------------------------------------------- */

static void
lifetimes(struct gpt_linting *l, const struct gpt_token *token,
          const char *rest, struct gpt_number life_s)
{
	const struct gpt_gdoi_rekey *r = gpt_token_gdoi_rekey(token, NULL);

	if (!life_s.present || life_s.value == 0)
		return;
	if (r && life_s.value > r->lifetime.value)
		WARN(l, "tek-outlives-kek", rest,
		     "the SA lives longer than the KEK that renews it");
	if (r && r->margin.present && r->margin.value >= life_s.value)
		ERROR(l, "margin-contradiction", rest,
		      "new keys are due before the SA exists");
}

/* Combined modes bring their authentication, null needs some. */
static void
algorithms(struct gpt_linting *l, const char *rest,
           const struct gpt_ipsec_sa *sa)
{
	int64_t t = sa->transform.value;
	bool combined = (t >= 14 && t <= 20 && t != 17) || t == 23;

	if (sa->protocol.value == 2) {
		if (!sa->authentication.present)
			ERROR(l, "no-authentication", rest,
			      "AH needs its authentication said");
		return;
	}
	if (combined && sa->authentication.present)
		ERROR(l, "authentication-contradiction", rest,
		      "a combined mode brings its own authentication");
	if (!combined && !sa->authentication.present)
		WARN(l, "no-authentication", rest,
		     "encrypted and not authenticated: whoever wants can "
		     "change the data");
	if (t >= 12 && t <= 23 && t != 17 && t != 21 && !sa->key_length.present)
		ERROR(l, "no-key-length", rest,
		      "this cipher needs its key length said");
}

/* RFC 4359: who sends signs, with a key that only it has; members get the public
 * one from the key server, which has it from the policy. */
static void
source_key(struct gpt_linting *l, const char *rest,
           const struct gpt_ipsec_sa *sa)
{
	struct gk_pubkey *pub;
	int64_t bits;

	if (sa->source_key.len == 0) {
		ERROR(l, "no-source-key", rest,
		      "sig-rsa: whose signatures? source-key is missing");
		return;
	}
	if (gk_pubkey_from_spki(gk_buf_slice(&sa->source_key), &pub) != GK_OK) {
		ERROR(l, "source-key", rest,
		      "source-key is no SubjectPublicKeyInfo");
		return;
	}
	bits = gk_pubkey_bits(pub);
	if (gk_pubkey_kind(pub) != GK_KEY_RSA)
		ERROR(l, "source-key", rest, "source-key is no RSA key");
	else if (sa->authentication_length.present &&
	         sa->authentication_length.value != bits)
		ERROR(l, "source-key", rest,
		      "source-key has %" PRId64 " bits, and "
		      "authentication-key-length says %" PRId64,
		      bits, sa->authentication_length.value);
	else if (bits < 2048)
		WARN(l, "legacy", rest,
		     "source-key has %" PRId64 " bits, which is legacy: key "
		     "servers and members refuse it unless told otherwise",
		     bits);
	gk_pubkey_free(pub);
}

static void
signatures(struct gpt_linting *l, const char *rest,
           const struct gpt_ipsec_sa *sa)
{
	char at[64];

	(void)snprintf(at, sizeof(at), "%s.options", rest);
	if (!is(sa->authentication, SIG_RSA)) {
		if (sa->source_key.len != 0)
			ERROR(l, "idle-source-key", at,
			      "a source-key, and the SA is not sig-rsa");
		return;
	}
	source_key(l, sa->source_key.len != 0 ? at : rest, sa);
	if (!sa->authentication_length.present)
		ERROR(l, "no-key-length", rest,
		      "sig-rsa needs authentication-key-length said");
	if (!sa->signature_encoding.present)
		ERROR(l, "no-signature-encoding", rest,
		      "sig-rsa needs signature-encoding said");
	WARN(l, "sha1-signatures", rest,
	     "sig-rsa signs with SHA-1, whose collisions are known: RFC 4359 "
	     "wants that thought about, and no kernel verifies it");
}

void
gpt_lint_ipsec(struct gpt_linting *l, const struct gpt_token *token,
               const struct gpt_ipsec *ipsec)
{
	char rest[40];

	if (ipsec->n == 0)
		ERROR(l, "no-sa", "", "there is no SA in it");
	if (ipsec->n > 64)
		ERROR(l, "too-many-sas", "",
		      "a key server offers 64 SAs at most");
	for (size_t i = 0; i < ipsec->n; i++) {
		const struct gpt_ipsec_sa *sa = &ipsec->at[i];

		(void)snprintf(rest, sizeof(rest), ".sa[%zu]", i);
		record(l, GPT_RECORD_IPSEC_SA, sa, rest);
		if (sa->destination.type == 0)
			ERROR(l, "no-destination", rest,
			      "which traffic? a destination is missing");
		if (gpt_address_is_multicast(&sa->source))
			ERROR(l, "multicast-source", rest,
			      "nothing comes from a multicast address (RFC 5374 "
			      "section 4.1.1)");
		algorithms(l, rest, sa);
		signatures(l, rest, sa);
		if (!sa->life_s.present && !sa->life_kb.present)
			WARN(l, "no-lifetime", rest,
			     "an SA without a lifetime is renewed only when "
			     "somebody asks for it");
		lifetimes(l, token, rest, sa->life_s);
	}
}

void
gpt_lint_iec(struct gpt_linting *l, const struct gpt_token *token,
             const struct gpt_iec *iec)
{
	char rest[40];

	if (iec->n == 0)
		ERROR(l, "no-sa", "", "there is no SA in it");
	if (iec->n > 64)
		ERROR(l, "too-many-sas", "",
		      "a key server offers 64 SAs at most");
	for (size_t i = 0; i < iec->n; i++) {
		const struct gpt_iec_sa *sa = &iec->at[i];
		bool gcm =
			sa->encryption.value == 4 || sa->encryption.value == 5;

		(void)snprintf(rest, sizeof(rest), ".sa[%zu]", i);
		record(l, GPT_RECORD_IEC_SA, sa, rest);
		/* RFC 8052 section 2.2.3 */
		if (gcm && sa->authentication.value != 1)
			ERROR(l, "authentication-contradiction", rest,
			      "GCM brings its own authentication");
		if (!gcm && sa->encryption.value != 1 &&
		    sa->authentication.value == 1)
			ERROR(l, "no-authentication", rest,
			      "CBC without authentication is not allowed");
		if (sa->encryption.value == 1 && sa->authentication.value == 1)
			WARN(l, "no-protection", rest,
			     "neither encrypted nor authenticated");
		lifetimes(l, token, rest, sa->lifetime);
	}
}

void
gpt_lint_operation(struct gpt_linting *l, const struct gpt_token *token,
                   size_t at)
{
	const struct gpt_operation *o = token->rekey[at].operation;
	const struct gpt_rekey *r = gpt_token_rekey(token, NULL);

	record(l, GPT_RECORD_OPERATION, o, "");
	if (o != gpt_token_operation(token))
		ERROR(l, "operation-twice", "",
		      "only the first operation of a token counts");
	if (r == NULL)
		ERROR(l, "operation-alone", "",
		      "no rekey protocol of GSAKMP: whoever does not know this "
		      "entry refuses the token");
	else if (at == 0)
		WARN(l, "operation-first", "",
		     "it should stand behind the rekey protocols: it is none, "
		     "and the first is what others try first");
	if (is(o->join_rekey, 1) && r != NULL &&
	    (r->event == GPT_REKEY_EVENT_NONE || r->method != GPT_METHOD_LKH))
		ERROR(l, "operation-contradiction", ".join",
		      "joins are to bring new keys, and the group is never "
		      "rekeyed");
	if (is(o->join_rekey, 0) && o->join_window.present)
		WARN(l, "operation-contradiction", ".join",
		     "joins that bring no new keys share nothing");
}

/* One path for each list, as gpt_lint() has them. */
enum gk_err
gpt_lint_gdoi(const struct gpt_token *token, struct gpt_findings *findings)
{
	struct gpt_linting l = { .out = findings };

	*findings = (struct gpt_findings){ 0 };
	for (size_t i = 0; i < token->n_registration; i++) {
		(void)snprintf(l.base, sizeof(l.base),
		               "registration[%zu].register", i);
		if (token->registration[i].reg.gdoi_reg)
			gpt_lint_gdoi_register(&l, token,
			                       &token->registration[i].reg);
	}
	for (size_t i = 0; i < token->n_rekey; i++) {
		(void)snprintf(l.base, sizeof(l.base), "rekey[%zu]", i);
		if (token->rekey[i].gdoi_rekey)
			gpt_lint_gdoi_rekey(&l, token->rekey[i].gdoi_rekey);
	}
	for (size_t i = 0; i < token->n_data; i++) {
		(void)snprintf(l.base, sizeof(l.base), "data[%zu]", i);
		if (token->data[i].ipsec)
			gpt_lint_ipsec(&l, token, token->data[i].ipsec);
		if (token->data[i].iec)
			gpt_lint_iec(&l, token, token->data[i].iec);
	}
	if (l.err != GK_OK)
		gpt_findings_free(findings);
	return l.err;
}
