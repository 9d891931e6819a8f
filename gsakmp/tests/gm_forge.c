/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include "common/base/gk_time.h"
#include "common/crypto/gk_kex.h"

void
gm_read_rtj(struct fixture *f, struct gm_session *s)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	const struct gk_buf *sent =
		&f->m->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN];
	struct gsakmp_reject why;

	s->rtj = test_calloc(1, sizeof(*s->rtj));
	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, s->rtj, &why));
}

static const uint8_t nonce_r[16] = "the server's own";

static struct gsakmp_groupid
group_id(struct fixture *f)
{
	return (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
		                        f->w->group_id };
}

static void
make_static_kek(struct fixture *f, const struct gm_forge *how,
                struct gm_session *s)
{
	struct gk_buf secret = { 0 };

	gk_assert_ok(gk_kex_generate(&f->w->env, GK_KEX_P256, &s->kex));
	gk_assert_ok(
		gk_kex_derive(s->kex, gk_kex_public(how->push), 0, &secret));
	gk_assert_ok(gk_buf_copy(&s->nonce_c, (struct gk_slice){ nonce_r, 8 }));
	gk_assert_ok(gsakmp_kek_derive(
		&f->w->cfg.dialect,
		&(struct gsakmp_kek_input){
			.key_creation = GSAKMP_KEY_CREATION_ECDH_P256,
			.key_type = GSAKMP_KEY_AES_GCM_128,
			.secret = gk_buf_slice(&secret),
			.groupid = group_id(f),
		},
		&s->kek));
	gk_buf_free(&secret);
}

static void
make_kek(struct fixture *f, struct gm_session *s)
{
	struct gsakmp_nonce nr = { .type = GSAKMP_NONCE_RESPONDER,
		                   .data = { nonce_r, 16 } };
	struct gk_buf secret = { 0 };

	gk_assert_ok(gk_kex_generate(&f->w->env, GK_KEX_P256, &s->kex));
	gk_assert_ok(
		gk_kex_derive(s->kex, s->rtj->key_creation.data, 0, &secret));
	gk_assert_ok(gsakmp_nonce_combine(
		&f->w->cfg.dialect, GSAKMP_NONCE_HASH_SHA256,
		&s->rtj->nonce[GSAKMP_NONCE_INITIATOR], &nr, &s->nonce_c));
	gk_assert_ok(gsakmp_kek_derive(
		&f->w->cfg.dialect,
		&(struct gsakmp_kek_input){
			.key_creation = GSAKMP_KEY_CREATION_ECDH_P256,
			.key_type = GSAKMP_KEY_AES_GCM_128,
			.secret = gk_buf_slice(&secret),
			.nonce_i = s->rtj->nonce[GSAKMP_NONCE_INITIATOR].data,
			.nonce_r = { nonce_r, 16 },
			.nonce_c = gk_buf_slice(&s->nonce_c),
			.groupid = s->rtj->header.groupid,
		},
		&s->kek));
	gk_buf_free(&secret);
}

static void
seal_keys(struct fixture *f, const struct gm_forge *how, struct gm_session *s)
{
	static const uint8_t octets[16] = "a traffic key...";
	struct gsakmp_keys *keys = test_calloc(1, sizeof(*keys));
	int64_t now = simnet_now(f->w->net).utc_s;
	struct gsakmp_key_datum d = {
		.type = GSAKMP_KEY_AES_GCM_128,
		.id = how->key_id != 0 ? how->key_id : 1,
		.handle = 77,
		.key = { octets, 16 },
	};

	gk_zulu_format(now, d.created);
	gk_zulu_format(how->expires != 0 ? how->expires : now + GK_PKI_DAY,
	               d.expires);
	gk_assert_ok(gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d));
	if (how->key_id2 != 0) {
		d.id = how->key_id2;
		gk_assert_ok(gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d));
	}
	if (how->bad_kek)
		s->kek.key[0] ^= 1;
	gk_assert_ok(gsakmp_key_download_seal(&f->w->env, &f->w->cfg.dialect,
	                                      &s->kek, keys, &s->sealed_keys));
	test_free(keys);
}

static void
seal_token(struct fixture *f, const struct gm_forge *how, struct gm_session *s)
{
	struct gk_buf token = { 0 };

	gk_assert_ok(gk_buf_copy(&token, gk_buf_slice(&f->w->token)));
	if (how->bad_token)
		token.ptr[token.len - 1] ^= 1; /* in the owner's signature */
	gk_assert_ok(gsakmp_token_seal(&f->w->env, &f->w->cfg.dialect, &s->kek,
	                               GSAKMP_TOKEN_ASN1_V1,
	                               gk_buf_slice(&token), &s->sealed_token));
	gk_buf_free(&token);
}

static void
put_keydl(struct fixture *f, const struct gm_forge *how, struct gm_session *s,
          struct gsakmp_build *b)
{
	static const uint8_t no_point[64] = { 9 };

	gsakmp_build_begin(b, &f->w->cfg.dialect, GSAKMP_EXCHANGE_KEY_DOWNLOAD,
	                   group_id(f), 0);
	gsakmp_build_vendor_id(b, gsakmp_vendor_suite());
	gsakmp_build_identification(
		b, GSAKMP_ID_CLASS_RECEIVER, GSAKMP_ID_DN_STRING,
		how->member_id != NULL ? gk_slice_str(how->member_id)
				       : gk_buf_slice(&f->m->name));
	if (how->bad_nonce)
		s->nonce_c.ptr[0] ^= 1;
	if (how->push == NULL || how->nonces) {
		gsakmp_build_nonce(b, GSAKMP_NONCE_RESPONDER,
		                   (struct gk_slice){ nonce_r, 16 });
		gsakmp_build_nonce(b, GSAKMP_NONCE_COMBINED,
		                   gk_buf_slice(&s->nonce_c));
	}
	gsakmp_build_key_creation(b, GSAKMP_KEY_CREATION_ECDH_P256,
	                          how->bad_point
	                                  ? (struct gk_slice){ no_point, 64 }
	                                  : gk_kex_public(s->kex));
	gsakmp_build_policy_token(b, GSAKMP_TOKEN_ASN1_V1,
	                          gk_buf_slice(&s->sealed_token));
	gsakmp_build_key_download(b, gk_buf_slice(&s->sealed_keys));
}

void
gm_forge_keydl(struct fixture *f, const struct gm_forge *how,
               struct gk_buf *out)
{
	const struct gk_pki_party *by =
		how->by != NULL ? how->by : &f->w->server;
	const struct gk_slice der = gk_cert_der(by->cert);
	const struct gsakmp_sign sign = {
		.signer = how->signer != NULL ? how->signer : by->signer,
		.type = GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = how->signer_id != NULL
		                     ? gk_slice_str(how->signer_id)
		                     : gk_buf_slice(&f->w->server_name),
		.utc = how->utc != 0 ? how->utc : simnet_now(f->w->net).utc_s,
		.certs = &der,
		.n_certs = 1,
	};
	struct gm_session s = { 0 };
	struct gsakmp_build b;

	if (how->push != NULL) {
		make_static_kek(f, how, &s);
	} else {
		gm_read_rtj(f, &s);
		make_kek(f, &s);
	}
	seal_token(f, how, &s);
	seal_keys(f, how, &s);
	put_keydl(f, how, &s, &b);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, out));
	gk_kex_free(s.kex);
	gk_buf_free(&s.nonce_c);
	gk_buf_free(&s.sealed_token);
	gk_buf_free(&s.sealed_keys);
	if (s.rtj != NULL)
		test_free(s.rtj);
}

void
gm_forge_unsigned(struct fixture *f, enum gsakmp_exchange_type exchange,
                  struct gk_slice nonce, uint16_t notify, struct gk_slice data,
                  struct gk_buf *out)
{
	struct gsakmp_build b;

	gk_buf_free(out);
	gsakmp_build_begin(&b, &f->w->cfg.dialect, exchange, group_id(f), 0);
	if (nonce.len != 0)
		gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR, nonce);
	gsakmp_build_notification(&b, notify, data);
	gk_assert_ok(gsakmp_build_finish(&b, NULL, out));
}

/* Tables 6 and 9 have the same payloads. */
void
gm_forge_notice(struct fixture *f, enum gsakmp_exchange_type exchange,
                uint16_t notify, struct gk_slice data, struct gk_buf *out)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	const struct gsakmp_nonce nr = { .type = GSAKMP_NONCE_RESPONDER,
		                         .data = { nonce_r, 16 } };
	const struct gk_slice der = gk_cert_der(f->w->server.cert);
	const struct gsakmp_sign sign = {
		.signer = f->w->server.signer,
		.type = GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_buf_slice(&f->w->server_name),
		.utc = simnet_now(f->w->net).utc_s,
		.certs = &der,
		.n_certs = 1,
	};
	const struct gk_buf *asked =
		&f->m->seen.last_sent
			 [exchange == GSAKMP_EXCHANGE_LACK_OF_ACK
	                          ? GSAKMP_EXCHANGE_REQUEST_TO_JOIN
	                          : GSAKMP_EXCHANGE_REQUEST_TO_DEPART];
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf nonce_c = { 0 };
	struct gsakmp_reject why;
	struct gsakmp_build b;

	gk_assert_ok(
		gsakmp_message_parse(&how, asked->ptr, asked->len, msg, &why));
	gk_assert_ok(gsakmp_nonce_combine(
		&f->w->cfg.dialect, GSAKMP_NONCE_HASH_SHA256,
		&msg->nonce[GSAKMP_NONCE_INITIATOR], &nr, &nonce_c));
	gk_buf_free(out);
	gsakmp_build_begin(&b, &f->w->cfg.dialect, exchange, group_id(f), 0);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_identification(&b, GSAKMP_ID_CLASS_RECEIVER,
	                            GSAKMP_ID_DN_STRING,
	                            gk_buf_slice(&f->m->name));
	gsakmp_build_nonce(&b, GSAKMP_NONCE_RESPONDER, nr.data);
	gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED, gk_buf_slice(&nonce_c));
	gsakmp_build_notification(&b, notify, data);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, out));
	gk_buf_free(&nonce_c);
	test_free(msg);
}

unsigned
gm_last_notify(struct fixture *f, enum gsakmp_exchange_type exchange)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	const struct gk_buf *sent = &f->m->seen.last_sent[exchange];
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	unsigned type;

	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, msg, &why));
	type = msg->notification[0].type;
	test_free(msg);
	return type;
}

unsigned
gm_last_af(struct fixture *f)
{
	return gm_last_notify(f, GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK);
}

void
gm_next_rekey(struct fixture *f, struct gk_buf *dgram)
{
	simnet_listen(f->w->net, f->m->node, false);
	gk_assert_ok(world_rekey(f->w));
	world_pass(f->w, 100);
	simnet_listen(f->w->net, f->m->node, true);
	gk_assert_ok(gk_buf_copy(
		dgram,
		gk_buf_slice(
			&f->w->seen.last_sent[GSAKMP_EXCHANGE_REKEY_EVENT])));
}

void
gm_refused(struct fixture *f, struct gk_slice dgram, const char *req)
{
	uint8_t before[32], after[32];

	gsakmp_gm_digest(f->m->gm, before);
	assert_int_not_equal(world_to_member(f->m, dgram), GK_OK);
	gsakmp_gm_digest(f->m->gm, after);
	if (req != NULL)
		assert_string_equal(f->m->seen.req, req);
	assert_memory_equal(before, after, 32);
}

void
gm_put_aside(struct fixture *f, struct gk_slice dgram)
{
	unsigned refused = f->m->seen.count[GSAKMP_OUT_REFUSED];
	struct gsakmp_gm_status was, is;
	uint8_t before[32], after[32];

	gsakmp_gm_digest(f->m->gm, before);
	gsakmp_gm_status(f->m->gm, &was);
	gk_assert_ok(world_to_member(f->m, dgram));
	gsakmp_gm_digest(f->m->gm, after);
	gsakmp_gm_status(f->m->gm, &is);
	assert_memory_equal(before, after, 32);
	assert_int_equal(is.ahead_kept, was.ahead_kept + 1);
	assert_int_equal(f->m->seen.count[GSAKMP_OUT_REFUSED], refused);
}

/* The same message in other hands. */
void
gm_sign_again(struct fixture *f, struct gk_slice dgram, uint32_t sequence,
              const struct gk_pki_party *by, const char *signer_id,
              struct gk_buf *out)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	const struct gk_slice der = gk_cert_der(by->cert);
	const struct gsakmp_sign sign = {
		.signer = by->signer,
		.type = GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_slice_str(signer_id),
		.utc = simnet_now(f->w->net).utc_s,
		.certs = &der,
		.n_certs = 1,
	};
	struct gsakmp_reject why;
	struct gsakmp_build b;

	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	gsakmp_build_begin(&b, &f->w->cfg.dialect, GSAKMP_EXCHANGE_REKEY_EVENT,
	                   msg->header.groupid, sequence);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_rekey_event(&b, &msg->rekey_event[0]);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, out));
	test_free(msg);
}
