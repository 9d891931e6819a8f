/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/recorded.h"

#include "gdoi/isakmp/protect.h"
#include "gdoi/message/hash.h"
#include "gdoi/message/push.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/seq.h"
#include "gdoi/phase1/keys.h"

/*
 * The recorded sessions of another implementation again: from the pre-shared key
 * and the Diffie-Hellman exponents alone, every key, every HASH, every plaintext
 * and every signature.
 */
static struct gdoi_dialect dialect;

struct exchange {
	const json_t *recorded; /* of phase1[] */
	struct ike_suite suite;
	struct ike_key_input in;
	struct ike_keys keys;
	struct gk_buf psk, secret, g_xi, g_xr, nonce_i, nonce_r, cookies, sa_i;
	uint8_t last[GK_CIPHER_BLOCK_MAX]; /* of phase 1 */

	/* of the GROUPKEY-PULL that follows */
	struct isakmp_cbc pull;
	struct gk_buf ni, nr;
	struct gdoi_sa sa;
	struct gdoi_kd kd;
	struct gk_buf kd_octets; /* that kd points into */
};

static const json_t *
message(const json_t *session, size_t i)
{
	return json_array_get(json_object_get(session, "messages"), i);
}

static void
parse(struct gk_slice octets, struct isakmp_header *header,
      struct isakmp_chain *chain)
{
	static struct isakmp_reject no;
	struct gk_rd rd;

	gk_rd_init(&rd, octets.ptr, octets.len);
	gk_assert_ok(isakmp_header_decode(&rd, header));
	gk_assert_ok(isakmp_chain_read(&rd, header->next_payload, chain, &no));
}

/* Messages 1 and 2: the suite that was chosen, and the body of SAi. */
static void
negotiated(struct exchange *x, const json_t *m1, const json_t *m2)
{
	static struct isakmp_proposal offer, answer;
	struct gk_buf first = hex(m1, "message"), second = hex(m2, "message");
	struct isakmp_header h;
	struct isakmp_chain c;
	struct gk_rd rd;

	parse(gk_buf_slice(&first), &h, &c);
	rd = isakmp_chain_body(gk_buf_slice(&first), &c.item[0]);
	gk_assert_ok(gk_buf_copy(&x->sa_i, c.item[0].generic.body));
	gk_assert_ok(isakmp_proposal_read(&rd, &offer, &why));
	assert_int_equal(offer.doi, ISAKMP_DOI_GDOI);
	assert_int_equal(offer.situation, 0);
	parse(gk_buf_slice(&second), &h, &c);
	rd = isakmp_chain_body(gk_buf_slice(&second), &c.item[0]);
	gk_assert_ok(isakmp_proposal_read(&rd, &answer, &why));
	assert_int_equal(answer.n_transforms, 1);
	gk_assert_ok(
		ike_suite_read(&answer.transform[0], true, &x->suite, &why));
	assert_true(ike_suite_is_legacy(&x->suite));
	gk_buf_free(&first);
	gk_buf_free(&second);
}

/* g^xy from each private exponent, and from nothing else. */
static void
shared_secret(struct exchange *x)
{
	enum gk_kex group = ike_suite_group(&x->suite);
	static const char *const names[] = { "dh_private_initiator",
		                             "dh_private_responder" };

	for (int i = 0; i < 2; i++) {
		struct gk_buf priv = hex(x->recorded, names[i]);
		struct gk_kex_key *key;

		gk_assert_ok(
			gk_kex_from_private(group, gk_buf_slice(&priv), &key));
		assert_hex(x->recorded, i == 0 ? "g_xi" : "g_xr",
		           gk_kex_public(key).ptr, gk_kex_public(key).len);
		gk_buf_free(&x->secret);
		gk_assert_ok(gk_kex_derive(
			key, i == 0 ? x->in.g_xr : x->in.g_xi, 0, &x->secret));
		assert_hex(x->recorded, "g_xy", x->secret.ptr, x->secret.len);
		gk_kex_free(key);
		gk_buf_free(&priv);
	}
	x->in.secret = gk_buf_slice(&x->secret);
}

static void
derive(struct exchange *x, const json_t *session)
{
	size_t n;
	uint8_t iv[GK_CIPHER_BLOCK_MAX];

	x->psk = hex(session, "pre_shared_key");
	x->g_xi = hex(x->recorded, "g_xi");
	x->g_xr = hex(x->recorded, "g_xr");
	x->nonce_i = hex(x->recorded, "nonce_i");
	x->nonce_r = hex(x->recorded, "nonce_r");
	x->in = (struct ike_key_input){
		.suite = &x->suite,
		.psk = gk_buf_slice(&x->psk),
		.g_xi = gk_buf_slice(&x->g_xi),
		.g_xr = gk_buf_slice(&x->g_xr),
		.nonce_i = gk_buf_slice(&x->nonce_i),
		.nonce_r = gk_buf_slice(&x->nonce_r),
		.cookie_i = x->cookies.ptr,
		.cookie_r = x->cookies.ptr + ISAKMP_COOKIE_LEN,
	};
	shared_secret(x);
	gk_assert_ok(ike_keys_derive(&x->in, &x->keys));
	n = gk_hash_size(x->keys.prf);
	assert_hex(x->recorded, "skeyid", x->keys.skeyid, n);
	assert_hex(x->recorded, "skeyid_d", x->keys.skeyid_d, n);
	assert_hex(x->recorded, "skeyid_a", x->keys.skeyid_a, n);
	assert_hex(x->recorded, "skeyid_e", x->keys.skeyid_e, n);
	assert_hex(x->recorded, "key", x->keys.key,
	           gk_cipher_key_len(x->keys.cipher));
	gk_assert_ok(ike_keys_iv(&x->keys, x->in.g_xi, x->in.g_xr, iv));
	assert_hex(x->recorded, "iv0", iv, gk_cipher_iv_len(x->keys.cipher));
	assert_hex(x->recorded, "sa_i_b", x->sa_i.ptr, x->sa_i.len);
}

/* Decrypt the message, against the recorded plaintext; the IV moves on. */
static void
open_next(struct isakmp_cbc *cbc, const json_t *m, struct gk_buf *clear,
          struct isakmp_header *h, struct isakmp_chain *c)
{
	struct gk_buf octets = hex(m, "message");
	uint8_t next[GK_CIPHER_BLOCK_MAX];

	assert_hex(m, "iv", cbc->iv, gk_cipher_iv_len(cbc->cipher));
	gk_assert_ok(isakmp_open(cbc, gk_buf_slice(&octets), clear, next));
	assert_hex(m, "plaintext", clear->ptr + ISAKMP_HEADER_LEN,
	           clear->len - ISAKMP_HEADER_LEN);
	parse(gk_buf_slice(clear), h, c);
	gk_assert_ok(isakmp_padding_check(cbc, &dialect, gk_buf_slice(clear),
	                                  c->end));

	/* Encrypted again, it is what was sent. */
	struct isakmp_cbc again = *cbc;
	struct gk_buf sealed;

	gk_assert_ok(isakmp_seal(&again, &dialect,
	                         (struct gk_slice){ clear->ptr, c->end },
	                         &sealed));
	assert_int_equal(sealed.len, octets.len);
	assert_memory_equal(sealed.ptr, octets.ptr, octets.len);
	gk_buf_free(&sealed);
	memcpy(cbc->iv, next, sizeof(cbc->iv));
	gk_buf_free(&octets);
}

/* Messages 5 and 6: ID and HASH. */
static void
authenticated(struct exchange *x, const json_t *m5, const json_t *m6)
{
	struct isakmp_cbc cbc = {
		.cipher = x->keys.cipher,
		.key = { x->keys.key, gk_cipher_key_len(x->keys.cipher) }
	};
	const json_t *m[] = { m5, m6 };

	gk_assert_ok(ike_keys_iv(&x->keys, x->in.g_xi, x->in.g_xr, cbc.iv));
	for (int i = 0; i < 2; i++) {
		const struct isakmp_chain_item *id, *hash;
		uint8_t want[GK_HASH_MAX];
		struct isakmp_header h;
		struct isakmp_chain c;
		struct gk_buf clear;

		open_next(&cbc, m[i], &clear, &h, &c);
		id = isakmp_chain_find(&c, ISAKMP_PAYLOAD_ID);
		hash = isakmp_chain_find(&c, ISAKMP_PAYLOAD_HASH);
		assert_non_null(id);
		assert_non_null(hash);
		gk_assert_ok(ike_keys_hash(&x->keys, x->keys.prf, &x->in,
		                           i == 0, gk_buf_slice(&x->sa_i),
		                           id->generic.body, want));
		assert_int_equal(hash->generic.body.len,
		                 gk_hash_size(x->keys.prf));
		assert_memory_equal(hash->generic.body.ptr, want,
		                    hash->generic.body.len);
		gk_buf_free(&clear);
	}
	memcpy(x->last, cbc.iv, sizeof(x->last));
}

static void
keep_nonce(const struct isakmp_chain *c, struct gk_buf *to)
{
	const struct isakmp_chain_item *n =
		isakmp_chain_find(c, ISAKMP_PAYLOAD_NONCE);

	assert_non_null(n);
	gk_assert_ok(gk_buf_copy(to, n->generic.body));
}

/* The four messages of a GROUPKEY-PULL. */
static void
pulled(struct exchange *x, const json_t *session, size_t first)
{
	struct gdoi_hash_input hash = {
		.prf = x->keys.prf,
		.skeyid_a = { x->keys.skeyid_a, gk_hash_size(x->keys.prf) },
	};

	for (size_t i = 0; i < 4; i++) {
		const json_t *m = message(session, first + i);
		struct isakmp_header h;
		struct isakmp_chain c;
		struct gk_buf clear, raw = hex(m, "message");
		struct gk_rd rd;

		gk_rd_init(&rd, raw.ptr, raw.len);
		gk_assert_ok(isakmp_header_decode(&rd, &h));
		gk_buf_free(&raw);
		if (i == 0) {
			hash.message_id = h.message_id;
			x->pull = (struct isakmp_cbc){
				.cipher = x->keys.cipher,
				.key = { x->keys.key,
				         gk_cipher_key_len(x->keys.cipher) }
			};
			gk_assert_ok(ike_keys_phase2_iv(
				&x->keys, x->last, h.message_id, x->pull.iv));
		}
		open_next(&x->pull, m, &clear, &h, &c);
		assert_int_equal(h.message_id, hash.message_id);
		gk_assert_ok(gdoi_hash_check(&hash, gk_buf_slice(&clear), &c,
		                             "RFC6407-3.2-06", &why));
		/* One octet more is another HASH: the padding is not in it. */
		clear.ptr[c.end - 1] ^= 1;
		assert_refused(gdoi_hash_check(&hash, gk_buf_slice(&clear), &c,
		                               "RFC6407-3.2-06", &why),
		               "RFC6407-3.2-06",
		               ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
		               c.item[0].generic.at);
		clear.ptr[c.end - 1] ^= 1;
		if (i == 0) {
			keep_nonce(&c, &x->ni);
			hash.ni_b = gk_buf_slice(&x->ni);
		} else if (i == 1) {
			keep_nonce(&c, &x->nr);
			hash.nr_b = gk_buf_slice(&x->nr);
			rd = isakmp_chain_body(
				gk_buf_slice(&clear),
				isakmp_chain_find(&c, ISAKMP_PAYLOAD_SA));
			gk_assert_ok(gdoi_sa_read(&rd, &dialect, true, &x->sa,
			                          &why));
		} else if (i == 3) {
			rd = isakmp_chain_body(
				gk_buf_slice(&clear),
				isakmp_chain_find(&c, ISAKMP_PAYLOAD_KD));
			gk_assert_ok(gdoi_kd_read(&rd, &dialect, false, &x->kd,
			                          &why));
			x->kd_octets = clear;
			continue;
		}
		gk_buf_free(&clear);
	}
}

static void
exchange_free(struct exchange *x)
{
	struct gk_buf *all[] = { &x->psk,     &x->secret,   &x->g_xi,
		                 &x->g_xr,    &x->nonce_i,  &x->nonce_r,
		                 &x->cookies, &x->sa_i,     &x->ni,
		                 &x->nr,      &x->kd_octets };

	for (size_t i = 0; i < GK_COUNT(all); i++)
		gk_buf_free(all[i]);
	free(x);
}

/* Which of phase1[] has these cookies? */
static const json_t *
phase1_of(const json_t *session, const json_t *m2, struct gk_buf *cookies)
{
	const json_t *all = json_object_get(session, "phase1");
	struct gk_buf octets = hex(m2, "message");

	gk_assert_ok(gk_buf_copy(cookies, (struct gk_slice){ octets.ptr, 16 }));
	gk_buf_free(&octets);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *p = json_array_get(all, i);
		struct gk_buf r = hex(p, "rcookie");
		bool same = memcmp(r.ptr, cookies->ptr + 8, 8) == 0;

		gk_buf_free(&r);
		if (same)
			return p;
	}
	fail_msg("no phase 1 with these cookies");
	return NULL;
}

/* From message @at on: six of Main Mode and four of the PULL. */
static struct exchange *
replay(const json_t *session, size_t at)
{
	struct exchange *x = calloc(1, sizeof(*x));

	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	x->recorded = phase1_of(session, message(session, at + 1), &x->cookies);
	negotiated(x, message(session, at), message(session, at + 1));
	derive(x, session);
	authenticated(x, message(session, at + 4), message(session, at + 5));
	pulled(x, session, at + 6);
	return x;
}

static bool
starts_main_mode(const json_t *m)
{
	return strcmp(text(m, "kind"), "Main Mode message 1") == 0;
}

static void
check_keks(const json_t *session, const struct exchange *x)
{
	const json_t *all = json_object_get(session, "keks");
	const struct gdoi_kd_packet *p = NULL;
	bool found = false;

	if (!x->sa.has_sak)
		return;
	p = gdoi_kd_find(&x->kd, GDOI_KD_KEK,
	                 (struct gk_slice){ x->sa.sak.spi, GDOI_KEK_SPI_LEN });
	assert_non_null(p);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *k = json_array_get(all, i);
		struct gk_buf spi = hex(k, "spi"), iv = hex(k, "iv");

		if (memcmp(spi.ptr, x->sa.sak.spi, spi.len) == 0) {
			found = true;
			assert_memory_equal(p->algorithm_key.ptr, iv.ptr,
			                    iv.len);
			assert_hex(k, "sig_pubkey_der", p->sig_key.ptr,
			           p->sig_key.len);
			if (gdoi_kek_cipher(x->sa.sak.algorithm,
			                    x->sa.sak.key_length) !=
			    GK_CIPHER_TRIPLE_DES_CBC_LEGACY)
				assert_hex(k, "key",
				           p->algorithm_key.ptr + iv.len,
				           p->algorithm_key.len - iv.len);
		}
		gk_buf_free(&spi);
		gk_buf_free(&iv);
	}
	assert_true(found);
}

static void
check_teks(const json_t *session, const struct exchange *x)
{
	const json_t *all = json_object_get(session, "teks");

	assert_true(x->sa.n_sats > 0);
	for (uint16_t n = 0; n < x->sa.n_sats; n++) {
		const struct gdoi_kd_packet *p =
			gdoi_kd_find(&x->kd, GDOI_KD_TEK,
		                     (struct gk_slice){ x->sa.sat[n].spi,
		                                        GDOI_TEK_SPI_LEN });
		bool found = false;

		assert_non_null(p);
		for (size_t i = 0; i < json_array_size(all); i++) {
			const json_t *t = json_array_get(all, i);
			struct gk_buf spi = hex(t, "spi");

			if (memcmp(spi.ptr, x->sa.sat[n].spi, spi.len) == 0) {
				found = true;
				assert_hex(t, "enc_key", p->algorithm_key.ptr,
				           p->algorithm_key.len);
			}
			gk_buf_free(&spi);
		}
		assert_true(found);
	}
}

GK_TEST(rfc2409_5_01, main_mode_and_pull_from_psk_and_exponents_alone)
{
	unsigned exchanges = 0;

	for (size_t s = 0; s < GK_COUNT(sessions); s++) {
		json_t *session = session_load(sessions[s]);
		size_t n =
			json_array_size(json_object_get(session, "messages"));

		for (size_t i = 0; i < n; i++) {
			struct exchange *x;

			if (!starts_main_mode(message(session, i)))
				continue;
			x = replay(session, i);
			check_keks(session, x);
			check_teks(session, x);
			exchange_free(x);
			exchanges++;
		}
		json_decref(session);
	}
	assert_int_equal(exchanges, 4);
}

/* ---- GROUPKEY-PUSH ------------------------------------------------------ */

static struct gdoi_kek
recorded_kek(const json_t *session, const json_t *m, struct gk_buf bufs[3])
{
	const json_t *all = json_object_get(session, "keks");
	struct gdoi_kek kek = { 0 };

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *k = json_array_get(all, i);

		if (strcmp(text(k, "spi"), text(m, "kek_spi")) != 0)
			continue;
		bufs[0] = hex(k, "key");
		bufs[1] = hex(k, "iv");
		bufs[2] = hex(k, "sig_pubkey_der");
		kek.key = gk_buf_slice(&bufs[0]);
		kek.iv = gk_buf_slice(&bufs[1]);
		kek.cipher = gdoi_kek_cipher(
			(uint16_t)json_integer_value(
				json_object_get(k, "kek_alg")),
			kek.key.len == 24 ? 0 : (uint16_t)(8 * kek.key.len));
		kek.signature = gdoi_kek_signature(
			&dialect,
			(uint16_t)json_integer_value(
				json_object_get(k, "sig_alg")),
			(uint16_t)json_integer_value(
				json_object_get(k, "sig_hash_alg")),
			0);
	}
	assert_non_null(kek.key.ptr);
	return kek;
}

/* Only one reading of the signature fits; the others are refused. */
static void
other_readings(const struct gdoi_kek *kek, const struct gk_pubkey *pub,
               const struct gdoi_push *push)
{
	static const struct {
		const char *name, *value;
	} other[] = {
		{ "push_rsa_form", "digestinfo" },
		{ "push_sig_prefix", "rekey-nul" },
		{ "push_sig_hdr", "clear" },
	};

	for (size_t i = 0; i < GK_COUNT(other); i++) {
		struct gdoi_dialect d = dialect;

		gk_assert_ok(
			gdoi_dialect_set(&d, other[i].name, other[i].value));
		assert_refused(gdoi_push_verify(&d, kek, pub, push, &why),
		               "RFC6407-4.4-04",
		               ISAKMP_NOTIFY_INVALID_SIGNATURE,
		               push->chain.item[push->chain.n - 1].generic.at);
	}
}

static uint32_t
push_check(const json_t *session, const json_t *m)
{
	struct gk_buf bufs[3], octets = hex(m, "message"), sealed;
	struct gdoi_kek kek = recorded_kek(session, m, bufs);
	struct gk_buf rsa = hex(session, "rekey_signing_key_pkcs1_der");
	struct gk_signer *signer;
	struct gk_pubkey *pub;
	struct gdoi_push push;
	struct gdoi_seq seq;
	struct gk_rd rd;

	gk_assert_ok(gk_pubkey_from_spki(gk_buf_slice(&bufs[2]), &pub));
	gk_assert_ok(gdoi_push_open(&dialect, &kek, gk_buf_slice(&octets),
	                            &push, &why));
	assert_hex(m, "plaintext", push.clear.ptr + ISAKMP_HEADER_LEN,
	           push.clear.len - ISAKMP_HEADER_LEN);
	gk_assert_ok(gdoi_push_verify(&dialect, &kek, pub, &push, &why));
	other_readings(&kek, pub, &push);

	/* Made again with the recorded private key, it is what was sent. */
	gk_assert_ok(gk_signer_from_pem(gk_buf_slice(&rsa), NULL, &signer));
	memcpy(kek.spi, octets.ptr, GDOI_KEK_SPI_LEN);
	gk_assert_ok(gdoi_push_seal(
		NULL, &dialect, &kek, signer, push.header.next_payload,
		(struct gk_slice){
			push.clear.ptr + ISAKMP_HEADER_LEN,
			push.chain.item[push.chain.n - 1].generic.at -
				ISAKMP_HEADER_LEN },
		&sealed));
	assert_int_equal(sealed.len, octets.len);
	assert_memory_equal(sealed.ptr, octets.ptr, octets.len);
	gk_signer_free(signer);
	gk_buf_free(&sealed);

	assert_int_equal(push.chain.item[0].type, ISAKMP_PAYLOAD_SEQ);
	rd = isakmp_chain_body(gk_buf_slice(&push.clear), &push.chain.item[0]);
	gk_assert_ok(gdoi_seq_decode(&rd, &seq));

	/* A changed octet anywhere is seen. */
	push.clear.ptr[ISAKMP_HEADER_LEN + 7] ^= 1;
	assert_true(gdoi_push_verify(&dialect, &kek, pub, &push, &why) !=
	            GK_OK);
	gdoi_push_free(&push);
	gk_pubkey_free(pub);
	for (int i = 0; i < 3; i++)
		gk_buf_free(&bufs[i]);
	gk_buf_free(&octets);
	gk_buf_free(&rsa);
	return seq.number;
}

GK_TEST(rfc6407_4_03, pushes_open_verify_and_are_made_again)
{
	unsigned pushes = 0;

	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	for (size_t s = 0; s < GK_COUNT(sessions); s++) {
		json_t *session = session_load(sessions[s]);
		size_t n =
			json_array_size(json_object_get(session, "messages"));
		uint32_t seq = 0;

		for (size_t i = 0; i < n; i++) {
			const json_t *m = message(session, i);

			if (strcmp(text(m, "kind"), "GROUPKEY-PUSH") != 0)
				continue;
			/* Switch push_seq_new_kek: continues there. */
			assert_int_equal(push_check(session, m), ++seq);
			pushes++;
		}
		json_decref(session);
	}
	assert_int_equal(pushes, 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_5_01,
		       main_mode_and_pull_from_psk_and_exponents_alone),
		GK_RUN(rfc6407_4_03, pushes_open_verify_and_are_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
