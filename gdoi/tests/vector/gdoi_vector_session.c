/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/isakmp/proposal.h"
#include "gdoi/message/hash.h"
#include "gdoi/phase1/suite.h"
#include "gdoi/tests/vector/gdoi_vector_session.h"

/*
 * Whole sessions, read by somebody who knows the exponents and the pre-shared key
 * of phase 1: this file reads phase 1, PULL and Informational, the other one what
 * the Rekey SA protects.
 */

static struct vec_phase1 *
phase1_of(struct vec_session *s, const uint8_t *cookie_i)
{
	struct vec_phase1 *p;

	for (size_t i = 0; i < s->n_phase1; i++)
		if (memcmp(s->phase1[i].cookie_i, cookie_i, 8) == 0)
			return &s->phase1[i];
	if (s->n_phase1 == GK_COUNT(s->phase1))
		vec_fail(s->v, "too many phase 1 SAs");
	p = &s->phase1[s->n_phase1++];
	memcpy(p->cookie_i, cookie_i, 8);
	return p;
}

/* The exponent whose public value came, and with it the shared secret. */
static struct gk_slice
secret_of(struct vec_session *s, struct vec_phase1 *p)
{
	json_t *list = vec_list(s->v, s->v->in, "exponents"), *one;
	enum gk_kex group = ike_suite_group(&p->suite);
	size_t i;

	json_array_foreach(list, i, one)
	{
		struct gk_kex_key *key = NULL;
		struct gk_buf octets = { 0 }, out = { 0 };
		enum gk_err err = gk_unhex(&octets, json_string_value(one));

		if (err == GK_OK)
			err = gk_kex_from_private(group, gk_buf_slice(&octets),
			                          &key);
		gk_buf_free(&octets);
		if (err != GK_OK) /* one of another group */
			continue;
		if (gk_slice_equal(gk_kex_public(key), p->g_xi))
			err = gk_kex_derive(key, p->g_xr, 0, &out);
		gk_kex_free(key);
		vec_ok(s->v, err, "g^xy");
		if (out.len != 0)
			return vec_buf(s->v, &out);
	}
	vec_fail(s->v, "no exponent gives this KE");
}

static void
derive(struct vec_session *s, struct vec_phase1 *p,
       const struct isakmp_header *h)
{
	memcpy(p->cookie_r, h->cookie_r, 8);
	p->in = (struct ike_key_input){
		.suite = &p->suite,
		.psk = vec_may_octets(s->v, s->v->in, "psk"),
		.secret = secret_of(s, p),
		.g_xi = p->g_xi,
		.g_xr = p->g_xr,
		.nonce_i = p->nonce_i,
		.nonce_r = p->nonce_r,
		.cookie_i = p->cookie_i,
		.cookie_r = p->cookie_r,
	};
	vec_ok(s->v, ike_keys_derive(&p->in, &p->keys), "phase 1 keys");
	p->cbc = (struct isakmp_cbc){
		.cipher = p->keys.cipher,
		.key = { p->keys.key, gk_cipher_key_len(p->keys.cipher) },
	};
	vec_ok(s->v, ike_keys_iv(&p->keys, p->g_xi, p->g_xr, p->cbc.iv), "IV");
	p->ready = true;
}

static void
offer(struct vec_session *s, struct vec_phase1 *p, struct gk_slice clear,
      const struct isakmp_chain_item *item)
{
	struct isakmp_proposal *sa = vec_keep(s->v, calloc(1, sizeof(*sa)));
	struct gk_rd rd = isakmp_chain_body(clear, item);
	struct isakmp_reject why = { 0 };

	vec_ok(s->v, isakmp_proposal_read(&rd, sa, &why), "SA of phase 1");
	vec_ok(s->v, ike_suite_read(&sa->transform[0], true, &p->suite, &why),
	       "Transform");
	if (p->sa_i.len == 0)
		p->sa_i = item->generic.body;
}

/* HASH_I or HASH_R with a pre-shared key; a SIG is for those who have the
 * certificates. */
static void
authenticated(struct vec_session *s, struct vec_phase1 *p, uint8_t exchange,
              const struct isakmp_chain *chain)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(chain, ISAKMP_PAYLOAD_HASH);
	bool initiator = p->n_auth == (exchange == 2 ? 0 : 1);
	uint8_t out[GK_HASH_MAX];

	if (item == NULL &&
	    isakmp_chain_find(chain, ISAKMP_PAYLOAD_SIG) == NULL)
		return;
	p->n_auth++;
	if (item == NULL)
		return;
	vec_ok(s->v,
	       ike_keys_hash(&p->keys, p->keys.prf, &p->in, initiator, p->sa_i,
	                     initiator ? p->id_i : p->id_r, out),
	       "HASH");
	vec_same(s->v, initiator ? "HASH_I" : "HASH_R",
	         (struct gk_slice){ out, gk_hash_size(p->keys.prf) },
	         item->generic.body);
}

static void
phase1_payloads(struct vec_session *s, struct vec_phase1 *p,
                const struct isakmp_header *h, struct gk_slice clear,
                const struct isakmp_chain *chain)
{
	const struct isakmp_chain_item *item;

	item = isakmp_chain_find(chain, ISAKMP_PAYLOAD_SA);
	if (item != NULL)
		offer(s, p, clear, item);
	item = isakmp_chain_find(chain, ISAKMP_PAYLOAD_ID);
	if (item != NULL)
		*(p->id_i.len == 0 ? &p->id_i : &p->id_r) = item->generic.body;
	item = isakmp_chain_find(chain, ISAKMP_PAYLOAD_KE);
	if (item != NULL) {
		bool first = p->g_xi.len == 0;

		*(first ? &p->g_xi : &p->g_xr) = item->generic.body;
		item = isakmp_chain_find(chain, ISAKMP_PAYLOAD_NONCE);
		if (item == NULL)
			vec_fail(s->v, "KE without NONCE");
		*(first ? &p->nonce_i : &p->nonce_r) = item->generic.body;
		if (!first)
			derive(s, p, h);
	}
	authenticated(s, p, h->exchange, chain);
}

/* opened - header and payloads in clear, with their chain. */
static struct gk_slice
opened(struct vec_session *s, struct isakmp_cbc *cbc, struct gk_slice dgram,
       const struct isakmp_header *h, struct isakmp_chain *chain)
{
	struct isakmp_reject why = { 0 };
	struct gk_buf out = { 0 };
	struct gk_slice clear = dgram;
	struct gk_rd rd;

	if (h->flags & ISAKMP_FLAG_ENCRYPTION) {
		uint8_t next[GK_CIPHER_BLOCK_MAX];

		vec_ok(s->v, isakmp_open(cbc, dgram, &out, next), "opening");
		clear = vec_buf(s->v, &out);
		memcpy(cbc->iv, next, sizeof(next));
	}
	gk_rd_init(&rd, clear.ptr, clear.len);
	(void)gk_rd_bytes(&rd, ISAKMP_HEADER_LEN, "header");
	vec_ok(s->v, isakmp_chain_read(&rd, h->next_payload, chain, &why),
	       "payloads");
	if (h->flags & ISAKMP_FLAG_ENCRYPTION)
		vec_ok(s->v,
		       isakmp_padding_check(cbc, &readings(s->v)->dialect,
		                            clear, chain->end),
		       "padding");
	return (struct gk_slice){ clear.ptr, chain->end };
}

static struct isakmp_cbc
phase2(struct vec_session *s, struct vec_phase1 *p, uint32_t message_id)
{
	struct isakmp_cbc cbc = p->cbc;

	vec_ok(s->v,
	       ike_keys_phase2_iv(&p->keys, p->cbc.iv, message_id, cbc.iv),
	       "phase 2 IV");
	return cbc;
}

static struct gk_slice
informational(struct vec_session *s, struct vec_phase1 *p,
              struct gk_slice dgram, const struct isakmp_header *h)
{
	struct isakmp_cbc cbc = phase2(s, p, h->message_id);
	struct isakmp_chain chain;
	struct isakmp_reject why = { 0 };
	struct gk_slice clear = opened(s, &cbc, dgram, h, &chain);
	struct gdoi_hash_input in = {
		.prf = p->keys.prf,
		.skeyid_a = { p->keys.skeyid_a, gk_hash_size(p->keys.prf) },
		.message_id = h->message_id,
	};

	vec_ok(s->v,
	       gdoi_hash_check(&in, clear, &chain, "RFC2409-5.7-02", &why),
	       "HASH of an Informational");
	return clear;
}

static struct vec_pull *
pull_of(struct vec_session *s, struct vec_phase1 *p,
        const struct isakmp_header *h)
{
	struct isakmp_cbc cbc;
	struct vec_pull *pull;

	for (size_t i = 0; i < s->n_pulls; i++)
		if (s->pull[i].it.header.message_id == h->message_id)
			return &s->pull[i];
	if (s->n_pulls == GK_COUNT(s->pull))
		vec_fail(s->v, "too many exchanges");
	pull = &s->pull[s->n_pulls++];
	cbc = phase2(s, p, h->message_id);
	gdoi_pull_begin(&pull->it, &readings(s->v)->dialect, h, &cbc,
	                p->keys.prf,
	                (struct gk_slice){ p->keys.skeyid_a,
	                                   gk_hash_size(p->keys.prf) });
	return pull;
}

static struct gk_slice
pull_message(struct vec_session *s, struct vec_phase1 *p, struct gk_slice dgram,
             const struct isakmp_header *h)
{
	struct vec_pull *pull = pull_of(s, p, h);
	struct gdoi_pull_message *m = vec_keep(s->v, calloc(1, sizeof(*m)));
	struct isakmp_reject why = { 0 };
	enum gk_err err =
		gdoi_pull_open(&pull->it, ++pull->number, dgram, m, &why);
	struct gk_buf copy = { 0 };
	struct gk_slice clear;

	if (err != GK_OK)
		vec_fail(s->v, "PULL message %u: %s at %zu (%s)", pull->number,
		         why.field ? why.field : "", why.offset,
		         why.req ? why.req : "");
	gdoi_pull_take(&pull->it, m);
	vec_ok(s->v,
	       gk_buf_copy(&copy,
	                   (struct gk_slice){ m->clear.ptr, m->chain.end }),
	       "copy");
	clear = vec_buf(s->v, &copy);
	/* the bodies of message 2 and 4 point into what lives until the end */
	if (pull->number == 2)
		vec_take_policy(s, clear, &m->chain, true, &pull->sa);
	if (pull->number == 4)
		vec_take_keys(s, clear, &m->chain, pull->sa, NULL);
	gdoi_pull_message_free(m);
	return clear;
}

static struct gk_slice
one(struct vec_session *s, struct gk_slice dgram)
{
	struct isakmp_header h;
	struct isakmp_reject why = { 0 };
	struct isakmp_chain chain;
	struct vec_phase1 *p;
	struct gk_slice clear;
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	vec_ok(s->v, isakmp_header_decode(&rd, &h), "header");
	vec_ok(s->v, isakmp_header_check(&h, dgram.len, &why), "header");
	if (h.exchange == ISAKMP_EXCHANGE_GROUPKEY_PUSH)
		return vec_push(s, dgram, &h);
	if (h.exchange == ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK)
		return vec_ack(s, dgram);
	p = phase1_of(s, h.cookie_i);
	if (h.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL)
		return pull_message(s, p, dgram, &h);
	if (h.exchange == ISAKMP_EXCHANGE_INFORMATIONAL)
		return informational(s, p, dgram, &h);
	clear = opened(s, &p->cbc, dgram, &h, &chain);
	phase1_payloads(s, p, &h, clear, &chain);
	return clear;
}

static void
session(struct vec *v)
{
	struct vec_session *s = vec_keep(v, calloc(1, sizeof(*s)));
	json_t *messages = vec_list(v, v->in, "messages"), *text;
	json_t *want = vec_list(v, v->out, "plaintexts");
	size_t i;

	s->v = v;
	json_array_foreach(messages, i, text)
	{
		char label[40];
		json_t *pair = json_pack("{sOsO}", "dgram", text, "plain",
		                         json_array_get(want, i));
		struct gk_slice dgram = vec_octets(v, pair, "dgram");
		struct gk_slice plain = vec_octets(v, pair, "plain"), clear;

		json_decref(pair);
		(void)snprintf(label, sizeof(label), "message %zu", i + 1);
		clear = one(s, dgram);
		vec_same(v, label,
		         (struct gk_slice){ clear.ptr + ISAKMP_HEADER_LEN,
		                            clear.len - ISAKMP_HEADER_LEN },
		         plain);
	}
	vec_session_end(s);
}

const struct vec_kind vec_session_kinds[] = {
	{ "session", session },
	{ NULL, NULL },
};
