/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "common/base/gk_base.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/phase1/ike.h"

/*
 * Phase 1, one engine against the other: RFC 2409 sections 5.1 and 5.4.
 */
static enum gk_err
lcg(void *ctx, uint8_t *out, size_t n)
{
	uint64_t *x = ctx;

	for (size_t i = 0; i < n; i++) {
		*x = *x * 6364136223846793005ULL + 1442695040888963407ULL;
		out[i] = (uint8_t)(*x >> 56);
	}
	return GK_OK;
}

static uint64_t seed = 1;
static const struct gk_env env = { .random = lcg, .ctx = &seed };
static struct gk_now now = { 1000, GK_PKI_NOW };

static struct gk_pki_party root, other_root, party[2], stranger;
static struct gk_trust *trust;

static const struct ike_address address[2] = {
	{ { 10, 0, 0, 1 }, 4, 848 },
	{ { 10, 0, 0, 2 }, 4, 848 },
};
static const uint8_t ip[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
static const struct gk_identity any = { GK_ID_IPV4,
	                                { (const uint8_t *)"*", 1 } };

static struct ike_psk psk[2];
static struct ike_config config[2];
static struct gdoi_dialect dialect[2];

static struct ike_suite
suite_of(uint16_t encryption, uint16_t bits, uint16_t hash, uint16_t auth,
         uint16_t group)
{
	return (struct ike_suite){ .encryption = encryption,
		                   .key_bits = bits,
		                   .hash = hash,
		                   .auth = auth,
		                   .group = group };
}

#define MODERN(auth)                                           \
	suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256, \
	         IKE_AUTH_##auth, IKE_GROUP_ECP256)

/* Both sides alike: who they are, and one suite. */
static void
configure(struct ike_suite suite)
{
	for (int i = 0; i < 2; i++) {
		psk[i] = (struct ike_psk){ .ip_len = 4,
			                   .key = gk_slice_str(
						   "a secret of some length") };
		memcpy(psk[i].ip, ip[1 - i], 4);
		dialect[i] = (struct gdoi_dialect){ 0 };
		config[i] = (struct ike_config){
			.dialect = &dialect[i],
			.suite = { suite },
			.n_suites = 1,
			.legacy_ok = true,
			.id = { GK_ID_IPV4, { ip[i], 4 } },
			.psk = &psk[i],
			.n_psk = 1,
			.signer = party[i].signer,
			.certs = (const struct gk_cert *const *)&party[i].cert,
			.n_certs = 1,
			.trust = trust,
			.peers = &any,
			.n_peers = 1,
			.secret = { (uint8_t)i },
		};
	}
}

/* What one side says next; empty when it says nothing. */
static struct gk_buf
say(struct ike *ike)
{
	struct ike_output out;
	struct gk_buf buf = { 0 };

	while (ike_poll(ike, &out))
		if (out.kind == IKE_OUT_SEND)
			gk_assert_ok(gk_buf_copy(&buf, out.dgram));
	return buf;
}

struct pair {
	struct ike *i, *r;
};

/* Messages go to and fro until nobody has anything to say. */
static void
converse(struct pair *p, struct gk_buf first)
{
	struct gk_buf m = first;
	bool to_responder = p->r == NULL;

	if (p->r == NULL) {
		gk_assert_ok(ike_respond(&env, &config[1], &address[0],
		                         gk_buf_slice(&m), now, &p->r, &why));
		gk_buf_free(&m);
		m = say(p->r);
		to_responder = false;
	}
	while (m.len != 0) {
		struct ike *to = to_responder ? p->r : p->i;

		gk_assert_ok(ike_receive(to, gk_buf_slice(&m), now));
		gk_buf_free(&m);
		m = say(to);
		to_responder = !to_responder;
	}
}

static struct pair
establish(void)
{
	struct pair p = { 0 };

	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	converse(&p, say(p.i));
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	assert_memory_equal(ike_keys(p.i)->skeyid_a, ike_keys(p.r)->skeyid_a,
	                    gk_hash_size(ike_keys(p.i)->prf));
	assert_memory_equal(ike_peer(p.i).octets.ptr, ip[1], 4);
	assert_memory_equal(ike_peer(p.r).octets.ptr, ip[0], 4);
	return p;
}

static void
pair_free(struct pair *p)
{
	ike_free(p->i);
	ike_free(p->r);
}

/* ---- what is supported -------------------------------------------------- */

/* Both agree on the IV of what comes next. */
static void
same_phase2(const struct pair *p)
{
	struct isakmp_cbc a, b;

	gk_assert_ok(ike_phase2(p->i, 77, &a));
	gk_assert_ok(ike_phase2(p->r, 77, &b));
	assert_memory_equal(a.iv, b.iv, gk_cipher_iv_len(a.cipher));
	assert_memory_equal(a.key.ptr, b.key.ptr, a.key.len);
}

static void
lives(struct ike_suite suite, bool aggressive)
{
	struct pair p;

	configure(suite);
	config[0].aggressive = config[1].aggressive = aggressive;
	p = establish();
	same_phase2(&p);
	pair_free(&p);
}

GK_TEST(rfc2409_5_01, main_mode_in_every_cipher_hash_and_group)
{
	static const struct {
		uint16_t encryption, bits;
	} ciphers[] = { { IKE_ENCRYPTION_DES_CBC, 0 },
		        { IKE_ENCRYPTION_3DES_CBC, 0 },
		        { IKE_ENCRYPTION_AES_CBC, 128 },
		        { IKE_ENCRYPTION_AES_CBC, 192 },
		        { IKE_ENCRYPTION_AES_CBC, 256 } };
	static const uint16_t hashes[] = { IKE_HASH_MD5, IKE_HASH_SHA1,
		                           IKE_HASH_SHA256, IKE_HASH_SHA384,
		                           IKE_HASH_SHA512 };
	static const uint16_t groups[] = {
#define G(name, value, text, group) IKE_GROUP_##name,
		IKE_GROUP_LIST(G)
#undef G
	};

	for (size_t i = 0; i < GK_COUNT(ciphers); i++)
		lives(suite_of(ciphers[i].encryption, ciphers[i].bits,
		               IKE_HASH_SHA256, IKE_AUTH_PSK, IKE_GROUP_ECP256),
		      false);
	for (size_t i = 0; i < GK_COUNT(hashes); i++)
		lives(suite_of(IKE_ENCRYPTION_AES_CBC, 256, hashes[i],
		               IKE_AUTH_PSK, IKE_GROUP_ECP256),
		      false);
	for (size_t i = 0; i < GK_COUNT(groups); i++)
		lives(suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256,
		               IKE_AUTH_PSK, groups[i]),
		      false);
}

GK_TEST(rfc2409_5_02, aggressive_mode_with_and_without_certificates)
{
	lives(MODERN(PSK), true);
	lives(MODERN(RSA), true);
	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	dialect[0].am3_encrypt = GDOI_AM3_ENCRYPT_NO;
	struct pair p = establish();
	same_phase2(&p);
	pair_free(&p);
}

static void
parties(enum gk_pki_alg alg)
{
	static const char *const san[] = { "IP:10.0.0.1", "IP:10.0.0.2" };
	static const char *const name[] = { "/CN=member", "/CN=key server" };

	for (int i = 0; i < 2; i++) {
		gk_pki_free(&party[i]);
		gk_pki_make(&party[i],
		            &(struct gk_pki_spec){ .subject = name[i],
		                                   .alg = alg,
		                                   .slot = (unsigned)i,
		                                   .issuer = &root,
		                                   .san = san[i] });
	}
}

GK_TEST(rfc2409_5_1_01, signatures_of_every_kind)
{
	static const struct {
		enum gk_pki_alg alg;
		uint16_t auth;
	} kinds[] = { { GK_PKI_P256, IKE_AUTH_ECDSA_256 },
		      { GK_PKI_P384, IKE_AUTH_ECDSA_384 },
		      { GK_PKI_P521, IKE_AUTH_ECDSA_521 },
		      { GK_PKI_RSA2048, IKE_AUTH_RSA } };

	for (size_t i = 0; i < GK_COUNT(kinds); i++) {
		parties(kinds[i].alg);
		for (unsigned hashed = 0; hashed < 2; hashed++) {
			struct pair p;

			configure(suite_of(IKE_ENCRYPTION_AES_CBC, 128,
			                   IKE_HASH_SHA1, kinds[i].auth,
			                   IKE_GROUP_ECP256));
			for (int n = 0; n < 2; n++) {
				dialect[n].p1_ecdsa = (uint8_t)hashed;
				dialect[n].p1_ecdsa_prf = (uint8_t)hashed;
			}
			p = establish();
			pair_free(&p);
		}
	}
	parties(GK_PKI_RSA2048);
}

GK_TEST(rfc2408_4_2_04, the_responder_chooses_by_its_own_preference)
{
	struct pair p;

	configure(MODERN(PSK));
	config[0].suite[1] =
		suite_of(IKE_ENCRYPTION_AES_CBC, 256, IKE_HASH_SHA512,
	                 IKE_AUTH_PSK, IKE_GROUP_ECP384);
	config[0].n_suites = 2;
	config[1].suite[0] = config[0].suite[1];
	config[1].suite[1] = config[0].suite[0];
	config[1].n_suites = 2;
	p = establish();
	assert_int_equal(ike_suite(p.i)->group, IKE_GROUP_ECP384);
	assert_int_equal(ike_suite(p.r)->key_bits, 256);
	pair_free(&p);
}

/* ---- loss, repetition, damage ------------------------------------------- */

GK_TEST(rfc2408_5_1_07, lost_messages_are_sent_again_and_waits_grow)
{
	struct pair p = { 0 };
	struct gk_buf m;
	uint64_t last = now.mono_ms, wait = 0;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	for (int i = 0; i < 3; i++) {
		struct gk_buf again;

		now.mono_ms = ike_deadline(p.i);
		assert_true(now.mono_ms - last > wait);
		wait = now.mono_ms - last;
		last = now.mono_ms;
		gk_assert_ok(ike_tick(p.i, now));
		again = say(p.i);
		assert_int_equal(again.len, m.len);
		assert_memory_equal(again.ptr, m.ptr, m.len);
		gk_buf_free(&again);
	}
	converse(&p, m);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	pair_free(&p);
}

GK_TEST(rfc2408_5_1_08, nobody_answers_and_all_is_over)
{
	struct ike_output out;
	struct ike *ike;
	bool failed = false;
	int sent = 0;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &ike));
	while (ike_state(ike) != IKE_DEAD) {
		while (ike_poll(ike, &out)) {
			sent += out.kind == IKE_OUT_SEND;
			failed = failed || out.kind == IKE_OUT_FAILED;
		}
		now.mono_ms = ike_deadline(ike);
		gk_assert_ok(ike_tick(ike, now));
	}
	while (ike_poll(ike, &out))
		failed = failed || out.kind == IKE_OUT_FAILED;
	assert_int_equal(sent, 5);
	assert_true(failed);
	assert_int_equal(ike_deadline(ike), GK_NEVER);
	ike_free(ike);
}

/* A repeated message is answered as before, and nothing else happens. */
GK_TEST(rfc2408_5_1_01, repeated_messages_get_the_same_answer)
{
	struct pair p = { 0 };
	struct gk_buf m, answer, again;
	struct ike *to;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &address[0],
	                         gk_buf_slice(&m), now, &p.r, &why));
	answer = say(p.r);
	to = p.r;
	while (answer.len != 0) {
		gk_assert_ok(ike_receive(to, gk_buf_slice(&m), now));
		again = say(to);
		assert_int_equal(again.len, answer.len);
		assert_memory_equal(again.ptr, answer.ptr, answer.len);
		gk_buf_free(&again);
		gk_buf_free(&m);
		m = answer;
		to = to == p.r ? p.i : p.r;
		gk_assert_ok(ike_receive(to, gk_buf_slice(&m), now));
		answer = say(to);
	}
	gk_buf_free(&m);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	same_phase2(&p);
	pair_free(&p);
}

/* Every octet of every message, damaged: refused or without effect, and the
 * exchange goes on with the right one. */
static void
damage(bool aggressive)
{
	struct pair p = { 0 };
	struct gk_buf m;
	struct ike *to, *none;

	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = aggressive;
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	for (size_t n = 0; n < m.len; n++) {
		m.ptr[n] ^= 0x40;
		if (ike_respond(&env, &config[1], &address[0], gk_buf_slice(&m),
		                now, &none, &why) == GK_OK)
			ike_free(none);
		else
			assert_non_null(why.field);
		m.ptr[n] ^= 0x40;
	}
	gk_assert_ok(ike_respond(&env, &config[1], &address[0],
	                         gk_buf_slice(&m), now, &p.r, &why));
	gk_buf_free(&m);
	m = say(p.r);
	to = p.i;
	while (m.len != 0) {
		enum ike_state before = ike_state(to);

		/* Of KE and NONCE in clear nobody can tell; HASH does. */
		for (size_t n = 0; n < ISAKMP_HEADER_LEN + 8; n++) {
			struct ike_output out;
			bool refused = false;

			/* An initiator takes the responder's cookie as it is. */
			if (before == IKE_I_SA && n >= 8 && n < 16)
				continue;
			m.ptr[n] ^= 0x40;
			if (ike_receive(to, gk_buf_slice(&m), now) != GK_OK) {
				while (ike_poll(to, &out))
					refused = refused ||
					          out.kind == IKE_OUT_REFUSED;
				assert_true(refused);
				assert_int_equal(ike_state(to), before);
			} else {
				fail_msg("octet %zu in state %s", n,
				         ike_state_text(before));
			}
			m.ptr[n] ^= 0x40;
		}
		for (size_t n = 0; n < m.len; n++)
			assert_true(ike_receive(to,
			                        (struct gk_slice){ m.ptr, n },
			                        now) != GK_OK);
		assert_int_equal(ike_state(to), before);
		gk_assert_ok(ike_receive(to, gk_buf_slice(&m), now));
		gk_buf_free(&m);
		m = say(to);
		to = to == p.r ? p.i : p.r;
	}
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	same_phase2(&p);
	pair_free(&p);
}

GK_TEST(rfc2408_5_2_02, damaged_messages_change_nothing)
{
	damage(false);
	damage(true);
}

/* ---- who is not let in -------------------------------------------------- */

/* The responder, or else the initiator, refuses the peer's authentication. */
static void
not_let_in(const char *req)
{
	struct pair p = { 0 };
	struct gk_buf m;
	struct ike *to = NULL;
	bool refused = false;

	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	if (ike_respond(&env, &config[1], &address[0], gk_buf_slice(&m), now,
	                &p.r, &why) != GK_OK) {
		assert_string_equal(why.req, req);
		gk_buf_free(&m);
		ike_free(p.i);
		return;
	}
	gk_buf_free(&m);
	m = say(p.r);
	to = p.i;
	while (m.len != 0) {
		enum gk_err err = ike_receive(to, gk_buf_slice(&m), now);
		struct ike_output out;

		gk_buf_free(&m);
		if (err != GK_OK) {
			assert_true(ike_poll(to, &out));
			assert_int_equal(out.kind, IKE_OUT_REFUSED);
			assert_string_equal(out.why.req, req);
			refused = true;
			break;
		}
		m = say(to);
		to = to == p.r ? p.i : p.r;
	}
	assert_true(refused);
	assert_int_not_equal(ike_state(to), IKE_ESTABLISHED);
	pair_free(&p);
}

GK_TEST(rfc2408_5_4_03, suites_that_do_not_meet_are_refused)
{
	configure(MODERN(PSK));
	config[1].suite[0].group = IKE_GROUP_ECP384;
	not_let_in("RFC2408-5.4-03");
	/* legacy mechanisms, unless they are allowed */
	configure(suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
	                   IKE_AUTH_PSK, IKE_GROUP_MODP1024));
	config[1].legacy_ok = false;
	not_let_in("RFC2408-5.4-03");
}

GK_TEST(rfc6407_2_1_01, another_doi_is_refused)
{
	configure(MODERN(PSK));
	dialect[0].p1_doi = GDOI_P1_DOI_1;
	not_let_in("RFC6407-2.1-01");
	/* and so is a Situation, where only one is taken */
	configure(MODERN(PSK));
	dialect[0].p1_situation = GDOI_P1_SITUATION_1;
	dialect[1].p1_situation_accept = GDOI_P1_SITUATION_ACCEPT_EXACT;
	not_let_in("RFC2408-5.4-02");
	/* but not by default */
	configure(MODERN(PSK));
	dialect[0].p1_situation = GDOI_P1_SITUATION_1;
	struct pair p = establish();
	pair_free(&p);
}

/* Another key decrypts to nonsense: no chain of payloads, or no HASH. */
GK_TEST(rfc2409_5_22, another_pre_shared_key_is_refused)
{
	struct pair p = { 0 };
	struct gk_buf m;

	configure(MODERN(PSK));
	psk[1].key = gk_slice_str("another secret");
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &address[0],
	                         gk_buf_slice(&m), now, &p.r, &why));
	gk_buf_free(&m);
	for (int i = 0; i < 3; i++) {
		struct ike *from = i % 2 == 0 ? p.r : p.i;

		m = say(from);
		assert_true(m.len != 0);
		gk_assert_ok(ike_receive(i % 2 == 0 ? p.i : p.r,
		                         gk_buf_slice(&m), now));
		gk_buf_free(&m);
	}
	m = say(p.i);
	assert_true(ike_receive(p.r, gk_buf_slice(&m), now) != GK_OK);
	assert_int_equal(ike_state(p.r), IKE_R_KE);
	gk_buf_free(&m);
	pair_free(&p);
	/* no key for this address at all */
	configure(MODERN(PSK));
	psk[1].ip[3] = 99;
	not_let_in("RFC2409-5.4-03");
}

GK_TEST(rfc6407_3_1_02, a_peer_that_is_not_listed_is_refused)
{
	static const struct gk_identity else_where = {
		GK_ID_IPV4, { (const uint8_t *)"10.9.*.*", 8 }
	};

	configure(MODERN(PSK));
	config[1].peers = &else_where;
	not_let_in("RFC6407-3.1-02");
	configure(MODERN(PSK));
	config[0].n_peers = 0;
	not_let_in("RFC6407-3.1-02");
	/* the key is for another name */
	configure(MODERN(PSK));
	psk[1].peer = else_where;
	not_let_in("RFC6407-3.1-03");
}

GK_TEST(rfc2408_5_12_02, a_certificate_that_is_not_the_peers_is_refused)
{
	configure(MODERN(RSA));
	config[0].id = (struct gk_identity){ GK_ID_IPV4, { ip[1], 4 } };
	not_let_in("RFC2407-4.6.2.1-02");
	configure(MODERN(RSA));
	config[0].certs = (const struct gk_cert *const *)&stranger.cert;
	config[0].signer = stranger.signer;
	not_let_in("RFC2408-5.9-02");
	/* the right certificate, and somebody else's key */
	configure(MODERN(RSA));
	config[0].signer = stranger.signer;
	not_let_in("RFC2408-5.12-02");
	configure(MODERN(RSA));
	config[0].n_certs = 0;
	not_let_in("RFC2407-4.6.2.1-02");
}

GK_TEST(rfc2407_4_6_2_03, ports_in_the_id_are_0_or_those_of_ike_and_gdoi)
{
	static const struct {
		uint8_t sent, accept;
		bool ok;
	} rows[] = {
		{ GDOI_P1_ID_PORT_17_0, GDOI_P1_ID_PORT_ACCEPT_0, true },
		{ GDOI_P1_ID_PORT_17_500, GDOI_P1_ID_PORT_ACCEPT_0, false },
		{ GDOI_P1_ID_PORT_17_500, GDOI_P1_ID_PORT_ACCEPT_0_500, true },
		{ GDOI_P1_ID_PORT_17_848, GDOI_P1_ID_PORT_ACCEPT_0_500, false },
		{ GDOI_P1_ID_PORT_17_848, GDOI_P1_ID_PORT_ACCEPT_0_500_848,
		  true },
		{ GDOI_P1_ID_PORT_17_848, GDOI_P1_ID_PORT_ACCEPT_ANY, true },
	};

	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		configure(MODERN(PSK));
		dialect[0].p1_id_port = rows[i].sent;
		dialect[1].p1_id_port_accept = rows[i].accept;
		if (rows[i].ok) {
			struct pair p = establish();

			pair_free(&p);
		} else {
			not_let_in("RFC2407-4.6.2-03");
		}
	}
}

GK_TEST(rfc2409_5_02, aggressive_mode_is_off_unless_it_is_on)
{
	configure(MODERN(PSK));
	config[0].aggressive = true;
	not_let_in("RFC2409-5-02");
}

/* RFC2409-5-20: the answer is one of the offers, as it was made. */
GK_TEST(rfc2409_5_20, a_changed_answer_is_refused)
{
	struct pair p = { 0 };
	struct gk_buf m;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &address[1], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &address[0],
	                         gk_buf_slice(&m), now, &p.r, &why));
	gk_buf_free(&m);
	m = say(p.r);
	/* Life Duration, the last octets but those of Key Length */
	m.ptr[m.len - 5] ^= 1;
	gk_assert_err(GK_ERR_POLICY, ike_receive(p.i, gk_buf_slice(&m), now));
	m.ptr[m.len - 5] ^= 1;
	m.ptr[m.len - 1] = 0; /* Key Length 0: no cipher */
	gk_assert_err(GK_ERR_POLICY, ike_receive(p.i, gk_buf_slice(&m), now));
	m.ptr[m.len - 1] = 128;
	gk_assert_ok(ike_receive(p.i, gk_buf_slice(&m), now));
	gk_buf_free(&m);
	pair_free(&p);
}

/* ---- under the SA ------------------------------------------------------- */

GK_TEST(rfc2409_5_7_01, notifications_and_deletes_go_under_the_sa)
{
	const struct isakmp_notification n = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = 1,
		.type = ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		.data = gk_slice_str("why")
	};
	struct ike_output out;
	struct pair p;
	struct gk_buf m;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_notify(p.r, &n, now));
	m = say(p.r);
	m.ptr[m.len - 1] ^= 1; /* damaged: refused */
	assert_true(ike_receive(p.i, gk_buf_slice(&m), now) != GK_OK);
	m.ptr[m.len - 1] ^= 1;
	gk_assert_ok(ike_receive(p.i, gk_buf_slice(&m), now));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_int_equal(out.notification.type,
	                 ISAKMP_NOTIFY_INVALID_ID_INFORMATION);
	assert_int_equal(out.notification.data.len, 3);
	gk_buf_free(&m);

	gk_assert_ok(ike_delete(p.i, now));
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	m = say(p.i);
	gk_assert_ok(ike_receive(p.r, gk_buf_slice(&m), now));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_DELETED);
	assert_int_equal(ike_state(p.r), IKE_DEAD);
	gk_buf_free(&m);
	pair_free(&p);
}

/* RFC2408-5.15-01: in clear, nobody is believed. */
GK_TEST(rfc2408_5_15_01, a_delete_in_clear_is_refused)
{
	uint8_t m[ISAKMP_HEADER_LEN + 28] = { 0 };
	struct isakmp_header h;
	struct ike_output out;
	struct pair p;
	struct gk_wr wr;

	configure(MODERN(PSK));
	p = establish();
	h = ike_header(p.i, ISAKMP_EXCHANGE_INFORMATIONAL, 5);
	h.next_payload = ISAKMP_PAYLOAD_DELETE;
	h.length = sizeof(m);
	gk_wr_init(&wr, m, sizeof(m));
	isakmp_header_encode(&wr, &h);
	memcpy(m + ISAKMP_HEADER_LEN,
	       (uint8_t[]){ 0, 0, 0, 28, 0, 0, 0, 2, 1, 16, 0, 1 }, 12);
	memcpy(m + ISAKMP_HEADER_LEN + 12, m, 16);
	assert_true(ike_receive(p.r, (struct gk_slice){ m, sizeof(m) }, now) !=
	            GK_OK);
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2408-5.14-04");
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	pair_free(&p);
}

GK_TEST(rfc2409_a_08, an_sa_ends_when_its_time_is_over)
{
	struct pair p;

	configure(MODERN(PSK));
	config[0].life_s = 100;
	p = establish();
	assert_int_equal(ike_deadline(p.i) - now.mono_ms, 100000);
	/* The responder takes the shorter one of the offer. */
	assert_int_equal(ike_deadline(p.r) - now.mono_ms, 100000);
	now.mono_ms += 100000;
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	pair_free(&p);
}

static int
setup(void **state)
{
	(void)state;
	gk_pki_make(&root, &(struct gk_pki_spec){ .subject = "/CN=root",
	                                          .alg = GK_PKI_P256,
	                                          .slot = 2 });
	gk_pki_make(&other_root,
	            &(struct gk_pki_spec){ .subject = "/CN=other root",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3 });
	gk_pki_make(&stranger, &(struct gk_pki_spec){ .subject = "/CN=member",
	                                              .alg = GK_PKI_RSA2048,
	                                              .slot = 2,
	                                              .issuer = &other_root,
	                                              .san = "IP:10.0.0.1" });
	parties(GK_PKI_RSA2048);
	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gk_trust_free(trust);
	gk_pki_free(&root);
	gk_pki_free(&other_root);
	gk_pki_free(&stranger);
	gk_pki_free(&party[0]);
	gk_pki_free(&party[1]);
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_5_01, main_mode_in_every_cipher_hash_and_group),
		GK_RUN(rfc2409_5_02,
		       aggressive_mode_with_and_without_certificates),
		GK_RUN(rfc2409_5_1_01, signatures_of_every_kind),
		GK_RUN(rfc2408_4_2_04,
		       the_responder_chooses_by_its_own_preference),
		GK_RUN(rfc2408_5_1_07,
		       lost_messages_are_sent_again_and_waits_grow),
		GK_RUN(rfc2408_5_1_08, nobody_answers_and_all_is_over),
		GK_RUN(rfc2408_5_1_01, repeated_messages_get_the_same_answer),
		GK_RUN(rfc2408_5_2_02, damaged_messages_change_nothing),
		GK_RUN(rfc2408_5_4_03, suites_that_do_not_meet_are_refused),
		GK_RUN(rfc6407_2_1_01, another_doi_is_refused),
		GK_RUN(rfc2409_5_22, another_pre_shared_key_is_refused),
		GK_RUN(rfc6407_3_1_02, a_peer_that_is_not_listed_is_refused),
		GK_RUN(rfc2408_5_12_02,
		       a_certificate_that_is_not_the_peers_is_refused),
		GK_RUN(rfc2407_4_6_2_03,
		       ports_in_the_id_are_0_or_those_of_ike_and_gdoi),
		GK_RUN(rfc2409_5_02, aggressive_mode_is_off_unless_it_is_on),
		GK_RUN(rfc2409_5_20, a_changed_answer_is_refused),
		GK_RUN(rfc2409_5_7_01,
		       notifications_and_deletes_go_under_the_sa),
		GK_RUN(rfc2408_5_15_01, a_delete_in_clear_is_refused),
		GK_RUN(rfc2409_a_08, an_sa_ends_when_its_time_is_over),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
