/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/message/signing.h"
#include "gsakmp/tests/vector/vector.h"

/*
 * The member engine lives through the transcript.  It draws the private value
 * and the nonces that the vector gives, so that the recorded key server answers
 * it; what it sends, holds and logs has to be what the vector says.
 */
#define LINES_MAX 256

struct play {
	struct vec *v;
	struct gsakmp_gm *gm;
	struct gk_env env;
	struct gk_cert *root, *owner, *cert;
	struct gk_trust *trust;
	struct gk_signer *signer;
	struct gk_buf name;
	struct gk_identity id;
	int64_t start;
	char *line[LINES_MAX]; /* of the key log */
	size_t n_lines;
	size_t n_sent; /* in this step */
	bool refused;
};

/* What a step gives, and zeros for how long to wait.  A private value is a
 * number: how many zeros stand in front of it is the generator's business. */
static enum gk_err
draw(void *ctx, uint8_t *out, size_t n)
{
	struct play *p = ctx;
	struct vec *v = p->v;
	size_t zeros = 0;

	if (n > sizeof(uint64_t) && v->next_random < v->n_random &&
	    v->random[v->next_random].len < n)
		zeros = n - v->random[v->next_random].len;
	else if (n <= sizeof(uint64_t))
		zeros = n;
	memset(out, 0, zeros);
	if (zeros == n)
		return GK_OK;
	return v->env.random(v->env.ctx, out + zeros, n - zeros);
}

static void
log_line(void *ctx, const char *line)
{
	struct play *p = ctx;
	char *copy = vec_keep(p->v, strdup(line));

	copy[strcspn(copy, "\n")] = '\0';
	if (p->n_lines == LINES_MAX)
		vec_fail(p->v, "too many lines in the key log");
	p->line[p->n_lines++] = copy;
}

static struct gsakmp_suite
suite(struct vec *v)
{
	json_t *s = vec_object(v, v->in, "suite");

	return (struct gsakmp_suite){
		.signature = (uint16_t)vec_num(v, s, "signature"),
		.nonce_hash = (uint16_t)vec_num(v, s, "nonce_hash"),
		.key_creation = (uint16_t)vec_num(v, s, "key_creation"),
		.encryption = (uint16_t)vec_num(v, s, "encryption"),
		.timestamp = vec_flag(v, s, "timestamp"),
		.terse = vec_flag(v, s, "terse"),
	};
}

static void
start(struct play *p)
{
	const struct gk_trust_policy legacy = { .allow_legacy = true };
	struct vec *v = p->v;
	const struct gk_cert **chain = vec_keep(v, calloc(1, sizeof(*chain)));
	struct gsakmp_gm_config cfg = {
		.group_id_type = (uint8_t)vec_num(v, v->in, "group_id_type"),
		.group_id = vec_octets(v, v->in, "group_id"),
		.suite = suite(v),
		.dialect = &readings(v)->dialect,
		.legacy_ok = true,
		.no_recovery = true,
	};

	vec_ok(v, gk_cert_from_der(vec_octets(v, v->in, "root"), &p->root),
	       "root");
	vec_ok(v, gk_cert_from_der(vec_octets(v, v->in, "owner"), &p->owner),
	       "owner");
	vec_ok(v,
	       gk_cert_from_der(vec_octets(v, v->in, "certificate"), &p->cert),
	       "certificate");
	vec_ok(v,
	       gk_signer_from_pem(vec_octets(v, v->in, "key"), NULL,
	                          &p->signer),
	       "private key");
	vec_ok(v, gk_trust_new(&legacy, &p->trust), "trust");
	vec_ok(v, gk_trust_add_anchor(p->trust, p->root), "trust");
	vec_ok(v,
	       gk_identity_of_cert(
		       p->cert, GK_ID_DN_STRING,
		       (enum gk_dn_compare)readings(v)->dialect.dn_string,
		       &p->name, &p->id),
	       "name");
	p->env =
		(struct gk_env){ .random = draw, .secret = log_line, .ctx = p };
	*chain = p->cert;
	cfg.party = (struct gsakmp_party){ .id = &p->id,
		                           .signer = p->signer,
		                           .certs = chain,
		                           .n_certs = 1,
		                           .trust = p->trust,
		                           .go_cert = p->owner };
	p->gm = gsakmp_gm_new(&p->env, &cfg);
	if (p->gm == NULL)
		vec_fail(v, "no engine");
}

static void
stop(struct play *p)
{
	gsakmp_gm_free(p->gm);
	gk_signer_free(p->signer);
	gk_trust_free(p->trust);
	gk_cert_free(p->root);
	gk_cert_free(p->owner);
	gk_cert_free(p->cert);
	gk_buf_free(&p->name);
}

/* What is sent ------------------------------------------------------------- */

static struct gsakmp_message *
parsed(struct play *p, struct gk_slice octets, const char *whose)
{
	const struct gsakmp_parse parse = { .dialect =
		                                    &readings(p->v)->dialect };
	struct gsakmp_message *m = vec_keep(p->v, calloc(1, sizeof(*m)));
	struct gsakmp_reject why;

	if (gsakmp_message_parse(&parse, octets.ptr, octets.len, m, &why) !=
	    GK_OK)
		vec_fail(p->v, "%s message is refused: %s", whose, why.req);
	return m;
}

static struct gk_slice
body(const struct gsakmp_message *m, size_t i)
{
	size_t at = m->seen[i].at + GSAKMP_GENERIC_LEN;
	size_t end = i + 1 < m->n_seen ? m->seen[i + 1].at : m->octets.len;

	return (struct gk_slice){ m->octets.ptr + at, end - at };
}

/* Everything in @a but certificates and the signature is in @b, too. */
static void
payloads_in(struct play *p, const struct gsakmp_message *a,
            const struct gsakmp_message *b)
{
	for (size_t i = 0; i < a->n_seen; i++) {
		bool found = a->seen[i].type == GSAKMP_PAYLOAD_CERTIFICATE ||
		             a->seen[i].type == GSAKMP_PAYLOAD_SIGNATURE;

		for (size_t k = 0; k < b->n_seen && !found; k++)
			found = a->seen[i].type == b->seen[k].type &&
			        gk_slice_equal(body(a, i), body(b, k));
		if (!found)
			vec_fail(p->v, "payload %zu, of type %u, differs", i,
			         a->seen[i].type);
	}
}

static void
same_message(struct play *p, struct gk_slice ours, struct gk_slice want)
{
	struct gsakmp_message *a = parsed(p, ours, "our");
	struct gsakmp_message *b = parsed(p, want, "the vector's");
	const struct gk_pubkey *pub = gk_cert_pubkey(p->cert);
	struct gsakmp_reject why;

	vec_same_num(p->v, "Exchange Type", a->header.exchange,
	             b->header.exchange);
	payloads_in(p, a, b);
	payloads_in(p, b, a);
	vec_same(p->v, "Signature Timestamp", a->signature.timestamp,
	         b->signature.timestamp);
	vec_same(p->v, "Signer ID Data", a->signature.signer_id,
	         b->signature.signer_id);
	vec_same_num(p->v, "Signature Type", a->signature.type,
	             b->signature.type);
	vec_ok(p->v,
	       gsakmp_message_verify(a, &readings(p->v)->dialect, pub, &why),
	       "our signature");
	vec_ok(p->v,
	       gsakmp_message_verify(b, &readings(p->v)->dialect, pub, &why),
	       "the vector's signature");
}

static void
drain(struct play *p, json_t *send)
{
	struct gsakmp_output out;

	while (gsakmp_gm_poll(p->gm, &out)) {
		if (out.kind == GSAKMP_OUT_REFUSED)
			p->refused = true;
		if (out.kind != GSAKMP_OUT_SEND)
			continue;
		if (p->n_sent == json_array_size(send))
			vec_fail(p->v, "one message more than the vector has");
		same_message(
			p, out.dgram,
			vec_octets_of(p->v, json_array_get(send, p->n_sent++)));
	}
}

/* What is held --------------------------------------------------------------- */

static void
same_key(struct play *p, json_t *want, uint32_t id, uint32_t handle,
         struct gk_slice key)
{
	const uint8_t octets[8] = {
		(uint8_t)(id >> 24),     (uint8_t)(id >> 16),
		(uint8_t)(id >> 8),      (uint8_t)id,
		(uint8_t)(handle >> 24), (uint8_t)(handle >> 16),
		(uint8_t)(handle >> 8),  (uint8_t)handle
	};

	vec_same(p->v, "Key ID", (struct gk_slice){ octets, 4 },
	         vec_octets(p->v, want, "key_id"));
	vec_same(p->v, "Key Handle", (struct gk_slice){ octets + 4, 4 },
	         vec_octets(p->v, want, "handle"));
	vec_same(p->v, "Key Data", key, vec_octets(p->v, want, "key"));
}

static int
by_id(const void *a, const void *b)
{
	const struct gk_lkh_key *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static void
same_keys(struct play *p, json_t *out)
{
	json_t *gtpk = vec_list(p->v, out, "gtpk"), *one;
	json_t *kek = vec_list(p->v, out, "kek");
	const struct gsakmp_gm *gm = p->gm;
	struct gk_lkh_key *keks;
	size_t i;

	vec_same_num(p->v, "number of GTPKs", (long long)gm->n_gtpks,
	             (long long)json_array_size(gtpk));
	json_array_foreach(gtpk, i, one) same_key(
		p, one, gm->gtpk[i].id, gm->gtpk[i].handle,
		(struct gk_slice){ gm->gtpk[i].octets, gm->gtpk[i].len });
	vec_same_num(p->v, "number of KEKs", (long long)gm->keks.count,
	             (long long)json_array_size(kek));
	if (gm->keks.count == 0)
		return;
	keks = vec_keep(p->v, calloc(gm->keks.count, sizeof(*keks)));
	memcpy(keks, gm->keks.keys, gm->keks.count * sizeof(*keks));
	qsort(keks, gm->keks.count, sizeof(*keks), by_id);
	json_array_foreach(kek, i, one) same_key(
		p, one, keks[i].id, keks[i].handle, gk_lkh_key_slice(&keks[i]));
}

static const char *
state_text(enum gsakmp_gm_state state)
{
	switch (state) {
	case GSAKMP_GM_IDLE:
		return "idle";
	case GSAKMP_GM_JOINING:
		return "joining";
	case GSAKMP_GM_DEPARTING:
		return "leaving";
	case GSAKMP_GM_MEMBER:
	case GSAKMP_GM_REJOINING:
		break;
	}
	return state == GSAKMP_GM_MEMBER ? "member" : "rejoining";
}

/* One step after the other ---------------------------------------------------- */

static void
act(struct play *p, json_t *in, struct gk_now now)
{
	const struct gsakmp_endpoint from = { .ip_len = 4, .port = 3761 };
	struct vec *v = p->v;
	struct gk_slice dgram;
	const char *what;

	if (vec_has(in, "receive")) {
		dgram = vec_octets(v, in, "receive");
		p->refused = gsakmp_gm_receive(p->gm, dgram.ptr, dgram.len,
		                               &from, now) != GK_OK;
		return;
	}
	what = vec_text(v, in, "do");
	if (vec_has(in, "random")) {
		json_t *random = vec_object(v, in, "random");

		vec_random(v, vec_octets(v, random, "nonce_i"));
		if (vec_has(random, "private"))
			vec_random(v, vec_octets(v, random, "private"));
	}
	if (strcmp(what, "join") == 0)
		vec_ok(v, gsakmp_gm_join(p->gm, now), "join");
	else if (strcmp(what, "leave") == 0)
		vec_ok(v, gsakmp_gm_leave(p->gm, true, now), "leave");
	else
		vec_ok(v, gsakmp_gm_tick(p->gm, now), "waiting");
}

static void
step(struct play *p, json_t *in, json_t *out)
{
	int64_t at = vec_num(p->v, in, "at");
	json_t *send = vec_list(p->v, out, "send");
	struct gk_now now;

	if (p->start == 0)
		p->start = at;
	now = (struct gk_now){ (uint64_t)(at - p->start + 1) * 1000, at };
	p->n_sent = 0;
	p->refused = false;
	act(p, in, now);
	drain(p, send);
	vec_same_num(p->v, "messages sent", (long long)p->n_sent,
	             (long long)json_array_size(send));
	vec_same_text(p->v, "state", state_text(gsakmp_gm_state(p->gm)),
	              vec_text(p->v, out, "state"));
	vec_same_num(p->v, "refused", p->refused,
	             vec_flag(p->v, out, "refused"));
	same_keys(p, out);
}

/* Secrets are all logged by both.  Group keys are those that are taken; that a
 * key is logged which is then refused is nobody's business, nor is the order. */
static void
same_log(struct play *p)
{
	json_t *list = vec_list(p->v, p->v->out, "keylog"), *one;
	size_t i, k;

	json_array_foreach(list, i, one)
	{
		const char *line = json_string_value(one);

		for (k = 0; k < p->n_lines; k++)
			if (line && strcmp(p->line[k], line) == 0)
				break;
		if (k == p->n_lines)
			vec_fail(p->v, "not in our key log: %.80s", line);
	}
	for (k = 0; k < p->n_lines; k++) {
		bool found = strncmp(p->line[k], "GSAKMP_KEY ", 11) == 0;

		json_array_foreach(list, i, one) found =
			found ||
			strcmp(p->line[k], json_string_value(one)) == 0;
		if (!found)
			vec_fail(p->v, "in our key log alone: %.80s",
			         p->line[k]);
	}
}

static void
transcript(struct vec *v)
{
	struct play *p = vec_keep(v, calloc(1, sizeof(*p)));
	json_t *steps = vec_list(v, v->in, "steps"), *in;
	json_t *outs = vec_list(v, v->out, "steps");
	size_t i;

	p->v = v;
	start(p);
	vec_same_num(v, "number of steps", (long long)json_array_size(steps),
	             (long long)json_array_size(outs));
	json_array_foreach(steps, i, in) step(p, in, json_array_get(outs, i));
	same_log(p);
	stop(p);
}

const struct vec_kind vec_transcript_kinds[] = {
	{ "transcript", transcript },
	{ NULL, NULL },
};
