/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <malloc.h>

#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_kex.h"
#include "gsakmp/message/build.h"

/*
 * When a key server asks for cookies, and what a request without one costs it:
 * RFC 4535 section 5.2.2.
 */
#define RATE 10u

static struct world *w;
static struct world_member *m;
static struct gsakmp_halfopen meter;

static struct gk_now
at(uint64_t ms)
{
	return (struct gk_now){ .mono_ms = ms };
}

/* A request that looks right in everything but its signature. */
static struct gk_buf
forged_rtj(uint8_t n)
{
	const uint8_t nonce[16] = { n };
	const struct gk_slice der = gk_cert_der(m->pki.cert);
	const struct gsakmp_sign sign = {
		.signer = w->stranger_root.signer,
		.type = GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = gk_buf_slice(&m->name),
		.utc = simnet_now(w->net).utc_s,
		.certs = &der,
		.n_certs = 1,
	};
	struct gk_kex_key *kex;
	struct gk_buf out = { 0 };
	struct gsakmp_build b;

	gk_assert_ok(gk_kex_generate(&w->env, GK_KEX_P256, &kex));
	gsakmp_build_begin(&b, &w->cfg.dialect, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	                   (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
	                                            w->group_id },
	                   0);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_key_creation(&b, GSAKMP_KEY_CREATION_ECDH_P256,
	                          gk_kex_public(kex));
	gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR,
	                   (struct gk_slice){ nonce, sizeof(nonce) });
	gk_assert_ok(gsakmp_build_finish(&b, &sign, &out));
	gk_kex_free(kex);
	return out;
}

static void
set_up(enum gsakmp_cookie_mode mode)
{
	struct world_config cfg = { .suite = WORLD_P256,
		                    .seed = 5,
		                    .event = GPT_REKEY_EVENT_TIME,
		                    .event_time = 3600,
		                    .cookies = mode,
		                    .cookie_rate = RATE };

	w = world_new(&cfg);
	m = world_member_add(w, "alice");
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
}

static unsigned
cookies_sent(void)
{
	return w->seen.sent[GSAKMP_EXCHANGE_COOKIE_DOWNLOAD];
}

GK_TEST(rfc4535_5_2_2_02, rate_is_of_registrations_nobody_acknowledged)
{
	gsakmp_halfopen_init(&meter);
	assert_false(gsakmp_halfopen_full(&meter, RATE, at(0)));
	for (unsigned i = 0; i < RATE; i++)
		gsakmp_halfopen_begin(&meter);
	assert_true(gsakmp_halfopen_full(&meter, RATE, at(0)));
	/* One goes with the time, or with an acknowledgement. */
	assert_true(gsakmp_halfopen_full(&meter, RATE, at(99)));
	assert_false(gsakmp_halfopen_full(&meter, RATE, at(100)));
	gsakmp_halfopen_begin(&meter);
	assert_true(gsakmp_halfopen_full(&meter, RATE, at(100)));
	gsakmp_halfopen_settle(&meter);
	assert_false(gsakmp_halfopen_full(&meter, RATE, at(100)));
	/* Many that are acknowledged do not make it full. */
	for (unsigned i = 0; i < 100 * RATE; i++) {
		gsakmp_halfopen_begin(&meter);
		gsakmp_halfopen_settle(&meter);
	}
	assert_false(gsakmp_halfopen_full(&meter, RATE, at(100)));
	gsakmp_halfopen_begin(&meter);
	assert_false(gsakmp_halfopen_full(&meter, RATE, at(UINT64_MAX)));
	assert_int_equal(meter.level, 0);
	/* More acknowledgements than registrations: nothing below empty. */
	gsakmp_halfopen_settle(&meter);
	gsakmp_halfopen_settle(&meter);
	assert_int_equal(meter.level, 0);
	gsakmp_halfopen_fini(&meter);
}

/* Forged requests get RATE of them looked at, then have to bring a cookie; an
 * honest member brings one and gets in; later nobody is asked any more. */
GK_TEST(rfc4535_5_2_2_02, cookies_are_asked_for_above_the_rate_only)
{
	set_up(GSAKMP_COOKIE_AUTO);
	for (uint8_t i = 0; i < 3 * RATE; i++) {
		struct gk_buf rtj = forged_rtj(i);

		gk_assert_err(GK_ERR_AUTH,
		              world_to_server(w, gk_buf_slice(&rtj), 77));
		assert_string_equal(w->seen.req, i < RATE ? "RFC4535-7.8.2-06"
		                                          : "RFC4535-5.2.2-02");
		gk_buf_free(&rtj);
	}
	assert_int_equal(cookies_sent(), 2 * RATE);
	world_join(m);
	world_pass(w, 500);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(cookies_sent(), 2 * RATE + 1);
	world_pass(w, 2000);
	m = world_member_add(w, "bob");
	world_join(m);
	world_pass(w, 500);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(cookies_sent(), 2 * RATE + 1);
	world_free(w);
}

GK_TEST(rfc4535_5_2_2_01, never_means_never)
{
	set_up(GSAKMP_COOKIE_NEVER);
	for (uint8_t i = 0; i < 3 * RATE; i++) {
		struct gk_buf rtj = forged_rtj(i);

		gk_assert_err(GK_ERR_AUTH,
		              world_to_server(w, gk_buf_slice(&rtj), 77));
		gk_buf_free(&rtj);
	}
	assert_int_equal(cookies_sent(), 0);
	world_free(w);
}

/* Octets of the heap in use. */
static size_t
heap(void)
{
	return mallinfo2().uordblks;
}

/* RFC4535-5.2.2-07: nothing computed with a public key, nothing kept. */
GK_TEST(rfc4535_5_2_2_07, request_without_cookie_costs_nothing_that_lasts)
{
	struct gk_buf rtj;
	uint64_t operations;
	size_t octets;

	set_up(GSAKMP_COOKIE_ALWAYS);
	rtj = forged_rtj(1);
	/* The first ones make what is made once. */
	for (int i = 0; i < 10; i++)
		gk_assert_err(GK_ERR_AUTH,
		              world_to_server(w, gk_buf_slice(&rtj), 77));
	operations = gk_crypto_operations();
	octets = heap();
	for (int i = 0; i < 1000; i++)
		gk_assert_err(GK_ERR_AUTH,
		              world_to_server(w, gk_buf_slice(&rtj), 77));
	assert_int_equal(gk_crypto_operations(), operations);
	assert_int_equal(heap(), octets);
	assert_string_equal(w->seen.req, "RFC4535-5.2.2-02");
	assert_int_equal(cookies_sent(), 1010);
	gk_buf_free(&rtj);
	/* Which a request that is looked at would not have left alone. */
	world_join(m);
	world_pass(w, 500);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_MEMBER);
	assert_true(gk_crypto_operations() > operations);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_2_02,
		       rate_is_of_registrations_nobody_acknowledged),
		GK_RUN(rfc4535_5_2_2_02,
		       cookies_are_asked_for_above_the_rate_only),
		GK_RUN(rfc4535_5_2_2_01, never_means_never),
		GK_RUN(rfc4535_5_2_2_07,
		       request_without_cookie_costs_nothing_that_lasts),
	};

	int failed = cmocka_run_group_tests_name("gsakmp/cookie mode", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
