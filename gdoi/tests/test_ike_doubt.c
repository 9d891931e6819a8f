/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

#include "gdoi/phase1/ike_private.h"

/*
 * Another pre-shared key: what either side says of it while it still goes on.
 */

/* What an engine says now: is there a guess, and how often is it one; is anything
 * sent? */
struct heard {
	unsigned doubts, sent, refused, failed;
	const char *text;
};

static struct heard
listen_to(struct ike *ike, struct gk_buf *last)
{
	struct heard h = { 0 };
	struct ike_output o;

	while (ike_poll(ike, &o)) {
		h.sent += o.kind == IKE_OUT_SEND;
		h.refused += o.kind == IKE_OUT_REFUSED;
		h.failed += o.kind == IKE_OUT_FAILED;
		if (o.kind == IKE_OUT_DOUBT) {
			h.doubts++;
			h.text = o.text;
		}
		if (o.kind == IKE_OUT_SEND && last != NULL) {
			gk_buf_free(last);
			gk_assert_ok(gk_buf_copy(last, o.dgram));
		}
	}
	return h;
}

/* The exchange up to and without message 5, which is in @m. */
static struct pair
before_5(uint16_t auth, const char *key, struct gk_buf *m)
{
	struct pair p = { 0 };

	configure(suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256, auth,
	                   IKE_GROUP_ECP256));
	if (key != NULL)
		psk[1].key = gk_slice_str(key);
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	*m = say(p.i);
	for (int n = 1; n < 5; n++)
		hand_on(&p, n, m);
	assert_int_equal(ike_state(p.i), IKE_I_AUTH);
	assert_int_equal(ike_state(p.r), IKE_R_KE);
	return p;
}

static struct heard
next_tick(struct ike *ike)
{
	now.mono_ms = ike_deadline(ike);
	gk_assert_ok(ike_tick(ike, now));
	return listen_to(ike, NULL);
}

GK_TEST(rfc2409_5_22, silence_at_message_5_is_told_at_the_first_resend)
{
	struct gk_buf m = { 0 };
	struct pair p = before_5(IKE_AUTH_PSK, "another secret", &m);
	struct heard h;

	h = next_tick(p.i);
	assert_int_equal(h.doubts, 1);
	assert_int_equal(h.sent, 1);
	assert_non_null(strstr(h.text, "may have another pre-shared key"));
	/* It goes on as before, and says it once. */
	for (unsigned tries = 2; tries < 5; tries++) {
		h = next_tick(p.i);
		assert_int_equal(h.doubts, 0);
		assert_int_equal(h.sent, 1);
	}
	h = next_tick(p.i);
	assert_int_equal(h.failed, 1);
	assert_int_equal(h.doubts, 0);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2409_5_22, silence_under_signatures_is_no_matter_of_a_key)
{
	struct gk_buf m = { 0 };
	struct pair p = before_5(IKE_AUTH_RSA, NULL, &m);
	struct heard h = next_tick(p.i);

	assert_int_equal(h.doubts, 1);
	assert_non_null(strstr(h.text, "certificate"));
	assert_null(strstr(h.text, "pre-shared"));
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2409_5_22, silence_before_message_5_says_nothing_of_keys)
{
	struct pair p = { 0 };
	struct heard h;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	do {
		h = next_tick(p.i);
		assert_int_equal(h.doubts, 0);
	} while (h.failed == 0);
	pair_free(&p);
}

GK_TEST(rfc2409_5_22, who_can_be_read_gives_no_reason_to_doubt)
{
	struct gk_buf m = { 0 };
	struct pair p = before_5(IKE_AUTH_PSK, NULL, &m);
	struct heard h;

	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	h = listen_to(p.r, &m);
	assert_int_equal(h.doubts, 0);
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	h = listen_to(p.i, NULL);
	assert_int_equal(h.doubts, 0);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2409_5_22, the_responder_says_once_what_it_cannot_read)
{
	struct gk_buf m = { 0 };
	struct pair p = before_5(IKE_AUTH_PSK, "another secret", &m);
	struct heard h;

	for (unsigned tries = 0; tries < 3; tries++) {
		assert_true(hear(p.r, gk_buf_slice(&m)) != GK_OK);
		h = listen_to(p.r, NULL);
		assert_int_equal(h.refused, 1);
		assert_int_equal(h.doubts, tries == 0);
		assert_int_equal(h.sent, 0);
		assert_int_equal(ike_state(p.r), IKE_R_KE);
	}
	gk_buf_free(&m);
	pair_free(&p);
}

/* A message of the SA with @len octets of noise behind the header. */
static void
noise(const struct ike *ike, uint8_t exchange, uint32_t id, struct gk_buf *out)
{
	struct isakmp_header h = ike_header(ike, exchange, id);
	struct gk_wr wr;

	h.flags = ISAKMP_FLAG_ENCRYPTION;
	h.next_payload = ISAKMP_PAYLOAD_HASH;
	gk_buf_free(out);
	gk_assert_ok(gk_buf_alloc(out, ISAKMP_HEADER_LEN + 64));
	gk_wr_init(&wr, out->ptr, out->len);
	isakmp_header_encode(&wr, &h);
	gk_assert_ok(lcg(&seed, out->ptr + ISAKMP_HEADER_LEN, 64));
	isakmp_header_set_length(out->ptr, (uint32_t)out->len);
}

/* A responder that cannot read us may say so, under its keys. */
GK_TEST(rfc2408_5_14_05, an_answer_that_cannot_be_read_is_told_and_ends_nothing)
{
	static const uint8_t exchange[] = {
		ISAKMP_EXCHANGE_INFORMATIONAL,
		ISAKMP_EXCHANGE_IDENTITY_PROTECTION,
	};

	for (size_t i = 0; i < GK_COUNT(exchange); i++) {
		struct gk_buf m = { 0 }, bad = { 0 };
		struct pair p = before_5(IKE_AUTH_PSK, NULL, &m);
		uint64_t deadline = ike_deadline(p.i);
		struct heard h;

		for (unsigned k = 0; k < 2; k++) {
			noise(p.i, exchange[i], i == 0 ? 0x70 + k : 0, &bad);
			assert_true(hear(p.i, gk_buf_slice(&bad)) != GK_OK);
			h = listen_to(p.i, NULL);
			assert_int_equal(h.doubts, k == 0);
			assert_int_equal(h.sent, 0);
		}
		assert_int_equal(ike_deadline(p.i), deadline);
		/* Whoever forged it has won nothing by it. */
		gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
		(void)listen_to(p.r, &m);
		gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
		assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
		gk_buf_free(&bad);
		gk_buf_free(&m);
		pair_free(&p);
	}
}

/* ---- the key server names a host once in a while -------------------------- */

/* A member at 10.0.0.@last with another key, up to message 5. */
static void
misread(uint8_t last)
{
	static const char other[] = "what this member takes for the secret";
	struct member m = member_at(last, 0x5a00u + last);
	struct ike_config cfg = config[0];
	struct ike_psk mine = { .ip_len = 0, .key = gk_slice_str(other) };
	struct gk_buf out;

	cfg.psk = &mine;
	gk_assert_ok(ike_initiate(&env, &cfg, &m.path, now, &m.ike));
	for (int n = 1; n < 5; n += 2) {
		out = say(m.ike);
		gk_assert_ok(tell(&m, gk_buf_slice(&out)));
		gk_buf_free(&out);
		assert_int_equal(said.n_sent, 1);
		gk_assert_ok(ike_receive(m.ike, &m.path,
		                         gk_buf_slice(&said.sent[0]), now));
	}
	out = say(m.ike);
	assert_silent_refusal(&m, gk_buf_slice(&out), NULL);
	gk_buf_free(&out);
	disconnect(&m);
}

GK_TEST(rfc2409_5_22, a_key_server_names_a_host_once_in_a_while)
{
	open_server();
	misread(1);
	assert_int_equal(said.n[GDOI_OUT_DOUBT], 1);
	misread(1);
	assert_int_equal(said.n[GDOI_OUT_DOUBT], 0);
	misread(3);
	assert_int_equal(said.n[GDOI_OUT_DOUBT], 1);
	assert_int_equal(server_status().doubts, 3);
	now.mono_ms += 600000;
	misread(1);
	assert_int_equal(said.n[GDOI_OUT_DOUBT], 1);
	close_server();
}

GK_TEST(rfc2409_5_22, of_however_many_hosts_so_many_are_named)
{
	unsigned named = 0;

	open_server();
	for (unsigned i = 0; i < 80; i++) {
		misread((uint8_t)(3 + i));
		named += (unsigned)said.n[GDOI_OUT_DOUBT];
	}
	assert_int_equal(named, 64);
	assert_int_equal(server_status().doubts, 80);
	close_server();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_5_22,
		       silence_at_message_5_is_told_at_the_first_resend),
		GK_RUN(rfc2409_5_22,
		       silence_under_signatures_is_no_matter_of_a_key),
		GK_RUN(rfc2409_5_22,
		       silence_before_message_5_says_nothing_of_keys),
		GK_RUN(rfc2409_5_22, who_can_be_read_gives_no_reason_to_doubt),
		GK_RUN(rfc2409_5_22,
		       the_responder_says_once_what_it_cannot_read),
		GK_RUN(rfc2408_5_14_05,
		       an_answer_that_cannot_be_read_is_told_and_ends_nothing),
		GK_RUN(rfc2409_5_22, a_key_server_names_a_host_once_in_a_while),
		GK_RUN(rfc2409_5_22, of_however_many_hosts_so_many_are_named),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
