/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

/*
 * Phase 1 on a bad network, and with the wrong people.
 */
/* ---- loss, repetition, damage ------------------------------------------- */

GK_TEST(rfc2408_5_1_07, lost_messages_are_sent_again_and_waits_grow)
{
	struct pair p = { 0 };
	struct gk_buf m;
	uint64_t last = now.mono_ms, wait = 0;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
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
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &ike));
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

/* The last message of the initiator, from somebody who has seen it and is faster:
 * with no NAT there is no reason to answer anywhere else. */
GK_TEST(rfc3947_7_03, a_last_message_from_elsewhere_moves_nobody)
{
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		struct ike_path other = path[1];
		struct pair p = { 0 };
		struct gk_buf m;

		configure(MODERN(PSK));
		psk[1].ip_len = 0;
		config[0].aggressive = config[1].aggressive = aggressive;
		other.peer.ip[3] = 99;
		other.peer.port = 1848;
		gk_assert_ok(
			ike_initiate(&env, &config[0], &path[0], now, &p.i));
		m = say(p.i);
		gk_assert_ok(ike_respond(&env, &config[1], &path[1],
		                         gk_buf_slice(&m), now, &p.r, &why));
		for (int i = 0; i < 4 - 2 * aggressive; i++) {
			gk_buf_free(&m);
			m = say(i % 2 == 0 ? p.r : p.i);
			if (i < 3 - 2 * aggressive)
				gk_assert_ok(hear(i % 2 == 0 ? p.i : p.r,
				                  gk_buf_slice(&m)));
		}
		gk_assert_ok(ike_receive(p.r, &other, gk_buf_slice(&m), now));
		assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
		assert_memory_equal(&ike_path(p.r)->peer, &path[1].peer,
		                    sizeof(path[1].peer));
		gk_buf_free(&m);
		pair_free(&p);
	}
}

/* What @ike says to a message that it has had already: as before if it is for it
 * to answer, and nothing if it repeats what it says by the clock. */
static void
assert_said_again(struct ike *ike, const struct gk_buf *m,
                  const struct gk_buf *answer, bool answers)
{
	struct gk_buf again;

	gk_assert_ok(hear(ike, gk_buf_slice(m)));
	again = say(ike);
	assert_int_equal(again.len, answers ? answer->len : 0);
	if (answers)
		assert_memory_equal(again.ptr, answer->ptr, answer->len);
	gk_buf_free(&again);
}

/* A repeated message is answered as before by the responder, and nothing else
 * happens: if the initiator answered too, neither would ever fall silent. */
GK_TEST(rfc2408_5_1_01, repeated_messages_get_the_same_answer)
{
	struct pair p = { 0 };
	struct gk_buf m, answer;
	struct ike *to;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	answer = say(p.r);
	to = p.r;
	while (answer.len != 0) {
		assert_said_again(to, &m, &answer, to == p.r);
		gk_buf_free(&m);
		m = answer;
		to = to == p.r ? p.i : p.r;
		gk_assert_ok(hear(to, gk_buf_slice(&m)));
		answer = say(to);
	}
	assert_said_again(p.i, &m, &answer, false); /* message 6 */
	gk_buf_free(&m);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	same_phase2(&p);
	pair_free(&p);
}

/* Message 3 is the answer to message 2, and has none itself. */
GK_TEST(rfc2408_5_1_01, repeated_messages_of_aggressive_mode_die_down)
{
	struct gk_buf m[3], none = { 0 };
	struct pair p = { 0 };

	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m[0] = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1],
	                         gk_buf_slice(&m[0]), now, &p.r, &why));
	m[1] = say(p.r);
	assert_said_again(p.r, &m[0], &m[1], true);
	gk_assert_ok(hear(p.i, gk_buf_slice(&m[1])));
	m[2] = say(p.i);
	assert_said_again(p.i, &m[1], &m[2], true);
	gk_assert_ok(hear(p.r, gk_buf_slice(&m[2])));
	assert_said_again(p.r, &m[2], &none, false);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	for (size_t i = 0; i < GK_COUNT(m); i++)
		gk_buf_free(&m[i]);
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
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	for (size_t n = 0; n < m.len; n++) {
		m.ptr[n] ^= 0x40;
		if (ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
		                now, &none, &why) == GK_OK)
			ike_free(none);
		else
			assert_non_null(why.field);
		m.ptr[n] ^= 0x40;
	}
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
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
			if (hear(to, gk_buf_slice(&m)) != GK_OK) {
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
			assert_true(hear(to, (struct gk_slice){ m.ptr, n }) !=
			            GK_OK);
		assert_int_equal(ike_state(to), before);
		gk_assert_ok(hear(to, gk_buf_slice(&m)));
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

	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	if (ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m), now, &p.r,
	                &why) != GK_OK) {
		assert_string_equal(why.req, req);
		gk_buf_free(&m);
		ike_free(p.i);
		return;
	}
	gk_buf_free(&m);
	m = say(p.r);
	to = p.i;
	while (m.len != 0) {
		enum gk_err err = hear(to, gk_buf_slice(&m));
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
	struct ike_output out;
	struct pair p = { 0 };
	struct gk_buf m;

	configure(MODERN(PSK));
	psk[1].key = gk_slice_str("another secret");
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	gk_buf_free(&m);
	for (int i = 0; i < 3; i++) {
		struct ike *from = i % 2 == 0 ? p.r : p.i;

		m = say(from);
		assert_true(m.len != 0);
		gk_assert_ok(hear(i % 2 == 0 ? p.i : p.r, gk_buf_slice(&m)));
		gk_buf_free(&m);
	}
	m = say(p.i);
	assert_true(hear(p.r, gk_buf_slice(&m)) != GK_OK);
	assert_int_equal(ike_state(p.r), IKE_R_KE);
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_REFUSED);
	assert_non_null(strstr(out.text, "pre-shared key"));
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

	GK_BREAKS("RFC5374-4.1.3.5-01");
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
	GK_BREAKS("RFC2408-1.5.3-02");
	configure(MODERN(RSA));
	config[0].id = (struct gk_identity){ GK_ID_IPV4, { ip[1], 4 } };
	not_let_in("RFC2407-4.6.2.1-02");
	configure(MODERN(RSA));
	credential[0].certs = (const struct gk_cert *const *)&stranger.cert;
	credential[0].signer = stranger.signer;
	not_let_in("RFC2408-5.9-02");
	/* the right certificate, and somebody else's key */
	configure(MODERN(RSA));
	credential[0].signer = stranger.signer;
	not_let_in("RFC2408-5.12-02");
	configure(MODERN(RSA));
	credential[0].n_certs = 0;
	not_let_in("RFC2407-4.6.2.1-02");
}

/* PKCS #1 as everybody else has it: the hash, and which one it is. */
static enum gk_err
sign_with_digest_info(void *ctx, struct gk_sig_alg alg, struct gk_slice data,
                      struct gk_buf *out)
{
	static const uint8_t sha256[] = { 0x30, 0x31, 0x30, 0x0d, 0x06,
		                          0x09, 0x60, 0x86, 0x48, 0x01,
		                          0x65, 0x03, 0x04, 0x02, 0x01,
		                          0x05, 0x00, 0x04, 0x20 };
	struct gk_buf info = { 0 };
	enum gk_err err;

	assert_int_equal(alg.scheme, GK_SIG_RSA_PKCS1);
	assert_int_equal(alg.hash, GK_HASH_NONE);
	assert_int_equal(data.len, 32);
	gk_assert_ok(gk_buf_copy(&info,
	                         (struct gk_slice){ sha256, sizeof(sha256) }));
	gk_assert_ok(gk_buf_append(&info, data));
	err = gk_sign(ctx, alg, gk_buf_slice(&info), out);
	gk_buf_free(&info);
	return err;
}

static const struct gk_pubkey *
pubkey_of(void *ctx)
{
	return gk_signer_pubkey(ctx);
}

GK_TEST(rfc2409_5_1_05, a_signature_that_names_its_hash_is_refused)
{
	static const struct gk_signer_ops ops = { sign_with_digest_info,
		                                  pubkey_of, NULL };
	struct gk_signer signer = { &ops, NULL };

	GK_BREAKS("RFC2409-5.1-05");
	configure(MODERN(RSA));
	signer.ctx = (void *)(uintptr_t)credential[0].signer;
	credential[0].signer = &signer;
	not_let_in("RFC2408-5.12-02");
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

	GK_BREAKS("RFC2407-4.6.2-02", "RFC2407-4.6.2-03", "RFC2408-3.8-01");
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

/* Neither zero nor UDP port 500: a port of no protocol. */
GK_TEST(rfc2407_4_6_2_03, a_port_without_a_protocol_is_refused)
{
	static const uint8_t id[] = { ISAKMP_ID_IPV4_ADDR, 0, 0, 0, 10 };
	struct pair p = { 0 };
	struct gk_buf m;
	uint8_t *at;

	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	at = memmem(m.ptr, m.len, id, sizeof(id));
	assert_non_null(at);
	at[2] = 500 >> 8;
	at[3] = 500 & 0xff;
	gk_assert_err(GK_ERR_VALUE,
	              ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                          now, &p.r, &why));
	assert_string_equal(why.req, "RFC2407-4.6.2-03");
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2409_5_02, aggressive_mode_is_off_unless_it_is_on)
{
	configure(MODERN(PSK));
	config[0].aggressive = true;
	not_let_in("RFC2409-5-02");
}

/* Under HASH is what stands in front of the padding; there is no room for more. */
GK_TEST(rfc2409_b_05, an_informational_with_more_than_padding_is_refused)
{
	static const uint8_t more[32];
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };
	struct gk_buf m, clear = { 0 }, longer = { 0 };
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct isakmp_cbc cbc;
	struct ike_output out;
	uint32_t id = 0;
	struct pair p;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_notify(p.i, &n, now));
	m = say(p.i);
	for (int i = 20; i < 24; i++)
		id = id << 8 | m.ptr[i];
	gk_assert_ok(ike_phase2(p.r, id, &cbc));
	gk_assert_ok(isakmp_open(&cbc, gk_buf_slice(&m), &clear, next));
	gk_assert_ok(
		gk_buf_append(&clear, (struct gk_slice){ more, sizeof(more) }));
	gk_assert_ok(
		isakmp_seal(&cbc, &dialect[0], gk_buf_slice(&clear), &longer));
	gk_assert_err(GK_ERR_TRAILING, hear(p.r, gk_buf_slice(&longer)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2409-B-05");
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	gk_buf_free(&m);
	gk_buf_free(&clear);
	gk_buf_free(&longer);
	pair_free(&p);
}

/* RFC2409-5-20: the answer is one of the offers, as it was made. */
GK_TEST(rfc2409_5_20, a_changed_answer_is_refused)
{
	struct pair p = { 0 };
	struct gk_buf m;
	size_t end;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	gk_buf_free(&m);
	m = say(p.r);
	end = ISAKMP_HEADER_LEN + (size_t)(m.ptr[30] << 8 | m.ptr[31]);
	/* Life Duration, the last octets of the SA but those of Key Length */
	m.ptr[end - 5] ^= 1;
	gk_assert_err(GK_ERR_POLICY, hear(p.i, gk_buf_slice(&m)));
	m.ptr[end - 5] ^= 1;
	m.ptr[end - 1] = 0; /* Key Length 0: no cipher */
	gk_assert_err(GK_ERR_POLICY, hear(p.i, gk_buf_slice(&m)));
	m.ptr[end - 1] = 128;
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	gk_buf_free(&m);
	pair_free(&p);
}

/* Message 2 of Aggressive Mode is sent again: message 3 may have got lost.  But
 * whoever never asked for it gets it three times and no more. */
GK_TEST(rfc2408_5_1_05, message_2_of_aggressive_mode_is_sent_three_times)
{
	struct ike_output out;
	struct pair p = { 0 };
	struct gk_buf m;
	int sent = 0;

	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	gk_buf_free(&m);
	while (ike_state(p.r) != IKE_DEAD) {
		while (ike_poll(p.r, &out))
			sent += out.kind == IKE_OUT_SEND;
		now.mono_ms = ike_deadline(p.r);
		gk_assert_ok(ike_tick(p.r, now));
	}
	assert_int_equal(sent, 3);
	pair_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_1_07,
		       lost_messages_are_sent_again_and_waits_grow),
		GK_RUN(rfc2408_5_1_08, nobody_answers_and_all_is_over),
		GK_RUN(rfc3947_7_03,
		       a_last_message_from_elsewhere_moves_nobody),
		GK_RUN(rfc2408_5_1_01, repeated_messages_get_the_same_answer),
		GK_RUN(rfc2408_5_1_01,
		       repeated_messages_of_aggressive_mode_die_down),
		GK_RUN(rfc2408_5_2_02, damaged_messages_change_nothing),
		GK_RUN(rfc2408_5_4_03, suites_that_do_not_meet_are_refused),
		GK_RUN(rfc6407_2_1_01, another_doi_is_refused),
		GK_RUN(rfc2409_5_22, another_pre_shared_key_is_refused),
		GK_RUN(rfc6407_3_1_02, a_peer_that_is_not_listed_is_refused),
		GK_RUN(rfc2408_5_12_02,
		       a_certificate_that_is_not_the_peers_is_refused),
		GK_RUN(rfc2409_5_1_05,
		       a_signature_that_names_its_hash_is_refused),
		GK_RUN(rfc2407_4_6_2_03,
		       ports_in_the_id_are_0_or_those_of_ike_and_gdoi),
		GK_RUN(rfc2407_4_6_2_03, a_port_without_a_protocol_is_refused),
		GK_RUN(rfc2409_5_02, aggressive_mode_is_off_unless_it_is_on),
		GK_RUN(rfc2409_b_05,
		       an_informational_with_more_than_padding_is_refused),
		GK_RUN(rfc2409_5_20, a_changed_answer_is_refused),
		GK_RUN(rfc2408_5_1_05,
		       message_2_of_aggressive_mode_is_sent_three_times),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
