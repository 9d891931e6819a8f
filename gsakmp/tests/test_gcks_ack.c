/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"

#include "gsakmp/engine/gcks_state.h"

#include <stdlib.h>
#include <string.h>

/*
 * What a key server refuses after the Key Download: acknowledgements, cookies,
 * departures.  RFC 4535 sections 5.2.1.4, 5.2.2, 5.3.2.3.
 */

/* ---- Key Download - Ack/Failure ----------------------------------------- */

#define AF .exchange = GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK, .no_certs = true

static void
see_state(void *ctx, const struct gsakmp_group_row *row)
{
	*(const char **)ctx = row->state;
}

static const char *
state_of_only_member(struct world *w)
{
	const char *state = "none";

	gsakmp_group_members(w->group, see_state, &state);
	return state;
}

GK_TEST(rfc4535_5_2_1_4_10, acknowledgement_with_another_nonce)
{
	struct world_config cfg = world_plain(3);
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_wait_for_ack(&f, msg);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, AF, .nonce = { gcks_nonce, 16 } },
	             "RFC4535-5.2.1.4-10", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, AF },
	             "RFC4535-5.2.1.4-10", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	assert_string_equal(state_of_only_member(f.w), "pending");
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_12, acknowledgement_by_somebody_else)
{
	struct world_config cfg = world_plain(3);
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_slice nonce_c;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	nonce_c = gcks_wait_for_ack(&f, msg);
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m,
	                                   AF,
	                                   .signer = f.mallory.signer,
	                                   .nonce = nonce_c },
	             "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	/* and the right one puts it right */
	{
		struct gk_buf ack = { 0 };

		gcks_forge(
			&(struct gcks_forge){ .m = f.m, AF, .nonce = nonce_c },
			&ack);
		gk_assert_ok(
			world_to_server(f.w, gk_buf_slice(&ack), f.m->node));
		assert_string_equal(state_of_only_member(f.w), "active");
		/* once is enough */
		assert_int_not_equal(
			world_to_server(f.w, gk_buf_slice(&ack), f.m->node),
			GK_OK);
		gk_buf_free(&ack);
	}
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_09, acknowledgement_without_a_registration)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	GK_BREAKS("RFC4535-5.2.1.1-04");
	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, AF, .nonce = { gcks_nonce, 16 } },
	             "RFC4535-5.2.1.4-09", GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_16, refusal_by_the_member_evicts_at_the_next_rekey)
{
	struct world_config cfg = world_plain(3);
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf nack = { 0 };
	struct gk_slice nonce_c;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	nonce_c = gcks_wait_for_ack(&f, msg);
	gcks_forge(&(struct gcks_forge){ .m = f.m,
	                                 AF,
	                                 .notify = GSAKMP_NOTIFY_NACK,
	                                 .nonce = nonce_c },
	           &nack);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&nack), f.m->node));
	assert_string_equal(state_of_only_member(f.w), "overdue");
	world_pass(f.w, 3601 * 1000);
	assert_string_equal(state_of_only_member(f.w), "none");
	gk_buf_free(&nack);
	test_free(msg);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_16, silence_evicts_and_a_late_ack_puts_it_right)
{
	struct world_config cfg = world_plain(3);
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf ack = { 0 };
	struct gk_slice nonce_c;
	struct fixture f;

	GK_BREAKS("RFC4535-5.2-01");
	fixture_up(&f, &cfg, ALICE_NAME);
	nonce_c = gcks_wait_for_ack(&f, msg);
	world_pass(f.w, 11 * 1000);
	assert_string_equal(state_of_only_member(f.w), "overdue");
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	assert_int_equal(f.w->seen.member_id[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	gcks_forge(&(struct gcks_forge){ .m = f.m, AF, .nonce = nonce_c },
	           &ack);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&ack), f.m->node));
	assert_string_equal(state_of_only_member(f.w), "active");
	world_pass(f.w, 3601 * 1000);
	assert_string_equal(state_of_only_member(f.w), "active");
	gk_buf_free(&ack);
	test_free(msg);
	fixture_down(&f);
}

static void
no_timeout(struct gpt_token *t)
{
	t->registration[0].reg.reg->mechanisms[0].alacarte.timeout.value = 0;
}

/* The token's; without one, the key server's own.  A warning is waited for, too. */
GK_TEST(rfc4534_b_1_3_1_07, the_token_says_how_long_an_ack_is_waited_for)
{
	for (int i = 0; i < 4; i++) {
		struct world_config cfg = world_plain(3);
		const bool own = i % 2 != 0;
		const uint64_t wait = own ? 20000 : 10000;
		struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
		struct fixture f;

		cfg.verbose = i >= 2;
		cfg.group.session_timeout_ms = 20000;
		fixture_up(&f, &cfg, ALICE_NAME);
		if (own) {
			f.w->amend = no_timeout;
			world_token(f.w);
			gk_assert_ok(world_publish(f.w, NULL));
		}
		gcks_wait_for_ack(&f, msg);
		if (cfg.verbose) {
			world_pass(f.w, wait + 100);
			assert_int_equal(
				f.w->seen.sent[GSAKMP_EXCHANGE_LACK_OF_ACK], 1);
		}
		world_pass(f.w, wait - (cfg.verbose ? 300 : 100));
		assert_string_equal(state_of_only_member(f.w), "pending");
		world_pass(f.w, 300);
		assert_string_equal(state_of_only_member(f.w), "overdue");
		test_free(msg);
		fixture_down(&f);
	}
}

/* The acknowledgement gets lost, and nothing after it. */
static void
lose_the_acknowledgement(struct fixture *f)
{
	world_join(f->m);
	while (gsakmp_gm_state(f->m->gm) != GSAKMP_GM_MEMBER) {
		simnet_pass(f->w->net, 1);
		if (f->w->seen.count[GSAKMP_OUT_MEMBER_PENDING] != 0)
			simnet_weather(f->w->net, &(struct simnet_weather){
							  .loss = 1000,
							  .latency_min = 1,
							  .latency_max = 1 });
	}
	simnet_weather(f->w->net, &(struct simnet_weather){ .latency_min = 1,
	                                                    .latency_max = 1 });
	assert_string_equal(state_of_only_member(f->w), "pending");
}

GK_TEST(rfc4535_5_2_1_4_17, verbose_mode_warns_with_lack_of_ack)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	cfg.verbose = true;
	fixture_up(&f, &cfg, ALICE_NAME);
	lose_the_acknowledgement(&f);
	world_pass(f.w, 15 * 1000);
	assert_true(f.w->seen.last_sent[GSAKMP_EXCHANGE_LACK_OF_ACK].len > 0);
	assert_string_equal(state_of_only_member(f.w), "active");
	fixture_down(&f);
}

/* In a group with clocks the Signature Timestamp says whether it is new, and the
 * Lack of Ack may come later than clocks may be apart. */
GK_TEST(rfc4535_5_2_1_5_14,
        acknowledgement_is_signed_anew_in_a_group_with_clocks)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	cfg.verbose = cfg.timestamp = true;
	fixture_up(&f, &cfg, ALICE_NAME);
	f.w->worker[0].gcks->cfg.skew_s = 5; /* and a session has ten */
	lose_the_acknowledgement(&f);
	world_pass(f.w, 15 * 1000);
	assert_true(f.w->seen.last_sent[GSAKMP_EXCHANGE_LACK_OF_ACK].len > 0);
	assert_string_equal(state_of_only_member(f.w), "active");
	fixture_down(&f);
}

/* ---- cookies ------------------------------------------------------------ */

GK_TEST(rfc4535_5_2_2_02, cookie_is_demanded_and_then_accepted)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	cfg.cookies = GSAKMP_COOKIE_ALWAYS;
	fixture_up(&f, &cfg, ALICE_NAME);
	world_join(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	assert_true(f.w->seen.last_sent[GSAKMP_EXCHANGE_COOKIE_DOWNLOAD].len >
	            0);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_2_15, cookie_may_be_bound_to_the_address_given)
{
	static const uint8_t inner[4] = { 192, 0, 2, 7 };
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	/* Behind a NAT that changes its mind about our address. */
	for (int by_value = 0; by_value < 2; by_value++) {
		cfg.cookies = GSAKMP_COOKIE_ALWAYS;
		cfg.cookie_ip_value = by_value != 0;
		cfg.gm.ip_value = (struct gk_slice){ inner, 4 };
		fixture_up(&f, &cfg, ALICE_NAME);
		world_join(f.m);
		while (f.m->seen.count[GSAKMP_OUT_SEND] < 2)
			simnet_pass(f.w->net, 1);
		gk_assert_ok(gk_buf_copy(
			&rtj,
			gk_buf_slice(
				&f.m->seen.last_sent
					 [GSAKMP_EXCHANGE_REQUEST_TO_JOIN])));
		gk_assert_err(by_value ? GK_OK : GK_ERR_AUTH,
		              world_to_server(f.w, gk_buf_slice(&rtj), 77));
		gk_buf_free(&rtj);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_2_2_09, made_up_cookie_is_refused)
{
	static const uint8_t made_up[36] = { 0, 0, 0, 1 };
	struct world_config cfg = world_plain(3);
	struct fixture f;

	cfg.cookies = GSAKMP_COOKIE_ALWAYS;
	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ },
	             "RFC4535-5.2.2-02", GSAKMP_NOTIFY_COOKIE_REQUIRED);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, RTJ, .cookie = { made_up, 36 } },
	             "RFC4535-5.2.2-02", GSAKMP_NOTIFY_COOKIE_REQUIRED);
	fixture_down(&f);
}

/* ---- Request to Depart -------------------------------------------------- */

#define RTD .exchange = GSAKMP_EXCHANGE_REQUEST_TO_DEPART

static void
join_alice(struct fixture *f, const struct world_config *cfg)
{
	fixture_up(f, cfg, ALICE_NAME);
	world_join(f->m);
	world_pass(f->w, 2000);
	assert_string_equal(state_of_only_member(f->w), "active");
}

GK_TEST(rfc4535_5_3_2_3_1_08, departure_addressed_to_another_server)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	join_alice(&f, &cfg);
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m, RTD, .recipient = "CN=Other" },
		"RFC4535-5.3.2.3.1-08", GSAKMP_NOTIFY_INVALID_ID_INFORMATION);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_09, departure_of_somebody_who_is_no_member)
{
	struct world_config cfg = world_plain(3);
	struct world_member *b;
	struct fixture f;

	join_alice(&f, &cfg);
	b = world_member_add(f.w, "bob");
	gcks_refused(f.w, &(struct gcks_forge){ .m = b, RTD },
	             "RFC4535-5.3.2.3.1-09",
	             GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_11, departure_signed_by_somebody_else)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	GK_BREAKS("RFC4535-5.3.2.3.2-02", "RFC4535-5.3.2.3.1-13");
	join_alice(&f, &cfg);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, RTD, .signer = f.mallory.signer },
	             "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_16, verbose_mode_answers_a_bad_departure)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		struct world_config cfg = world_plain(3);
		struct fixture f;
		unsigned sent;

		cfg.verbose = verbose != 0;
		join_alice(&f, &cfg);
		sent = f.w->seen.count[GSAKMP_OUT_SEND];
		gcks_refused(
			f.w,
			&(struct gcks_forge){ .m = f.m, RTD, .skew = -999 },
			"RFC4535-7.8.2-04",
			GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND] - sent,
		                 verbose);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_3_2_3_3_08, recorded_departure_ack_is_refused)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	GK_BREAKS("RFC4535-5.3.2.3.1-02");
	join_alice(&f, &cfg);
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m,
	                              .exchange = GSAKMP_EXCHANGE_DEPARTURE_ACK,
	                              .no_certs = true,
	                              .nonce = { gcks_nonce, 16 } },
		"RFC4535-5.3.2.3.3-08", GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_3_09, departure_is_not_final_without_its_ack)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtd = { 0 };
	struct fixture f;

	GK_BREAKS("RFC4535-5.3.2.3.3-05", "RFC4535-5.3.2.3.2-06");
	join_alice(&f, &cfg);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTD }, &rtd);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m,
	                              .exchange = GSAKMP_EXCHANGE_DEPARTURE_ACK,
	                              .no_certs = true,
	                              .nonce = { gcks_nonce, 16 } },
		"RFC4535-5.3.2.3.3-09", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	/* a registration's acknowledgement is another thing */
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, AF, .nonce = { gcks_nonce, 16 } },
	             "RFC4535-5.2.1.4-09", GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
	assert_string_equal(state_of_only_member(f.w), "active");
	world_pass(f.w, 20 * 1000);
	assert_string_equal(state_of_only_member(f.w), "active");
	/* and the request is good for one departure only */
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	gk_buf_free(&rtd);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_2_07, exchanges_that_only_members_receive)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	join_alice(&f, &cfg);
	gk_assert_ok(world_rekey(f.w));
	assert_int_not_equal(
		world_to_server(
			f.w,
			gk_buf_slice(&f.w->seen.last_sent
	                                      [GSAKMP_EXCHANGE_REKEY_EVENT]),
			f.m->node),
		GK_OK);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-07");
	fixture_down(&f);
}

/* With time for freshness a departure can be played back as a whole.  It left, came
 * back, and the key server has forgotten what it remembers in memory. */
GK_TEST(rfc4535_3_1_04, departure_recorded_before_the_registration)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtd = { 0 }, da = { 0 };
	struct fixture f;
	const struct gk_buf *sent;

	cfg.timestamp = true;
	fixture_up(&f, &cfg, ALICE_NAME);
	sent = f.m->seen.last_sent;
	world_join(f.m);
	world_pass(f.w, 2000);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 2000);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	gk_assert_ok(gk_buf_copy(
		&rtd, gk_buf_slice(&sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART])));
	gk_assert_ok(gk_buf_copy(
		&da, gk_buf_slice(&sent[GSAKMP_EXCHANGE_DEPARTURE_ACK])));
	world_pass(f.w, 5000);
	world_join(f.m);
	world_pass(f.w, 2000);
	world_restart(f.w);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	gk_assert_err(GK_ERR_UNEXPECTED,
	              world_to_server(f.w, gk_buf_slice(&da), f.m->node));
	gk_buf_free(&rtd);
	gk_buf_free(&da);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_4_10, acknowledgement_with_another_nonce),
		GK_RUN(rfc4535_5_2_1_4_12, acknowledgement_by_somebody_else),
		GK_RUN(rfc4535_5_2_1_4_09,
		       acknowledgement_without_a_registration),
		GK_RUN(rfc4535_5_2_1_4_16,
		       refusal_by_the_member_evicts_at_the_next_rekey),
		GK_RUN(rfc4535_5_2_1_4_16,
		       silence_evicts_and_a_late_ack_puts_it_right),
		GK_RUN(rfc4534_b_1_3_1_07,
		       the_token_says_how_long_an_ack_is_waited_for),
		GK_RUN(rfc4535_5_2_1_4_17, verbose_mode_warns_with_lack_of_ack),
		GK_RUN(rfc4535_5_2_1_5_14,
		       acknowledgement_is_signed_anew_in_a_group_with_clocks),
		GK_RUN(rfc4535_5_2_2_02, cookie_is_demanded_and_then_accepted),
		GK_RUN(rfc4535_5_2_2_15,
		       cookie_may_be_bound_to_the_address_given),
		GK_RUN(rfc4535_5_2_2_09, made_up_cookie_is_refused),
		GK_RUN(rfc4535_5_3_2_3_1_08,
		       departure_addressed_to_another_server),
		GK_RUN(rfc4535_5_3_2_3_1_09,
		       departure_of_somebody_who_is_no_member),
		GK_RUN(rfc4535_5_3_2_3_1_11, departure_signed_by_somebody_else),
		GK_RUN(rfc4535_5_3_2_3_1_16,
		       verbose_mode_answers_a_bad_departure),
		GK_RUN(rfc4535_5_3_2_3_3_08, recorded_departure_ack_is_refused),
		GK_RUN(rfc4535_5_3_2_3_3_09,
		       departure_is_not_final_without_its_ack),
		GK_RUN(rfc4535_7_1_2_07, exchanges_that_only_members_receive),
		GK_RUN(rfc4535_3_1_04,
		       departure_recorded_before_the_registration),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gcks_ack", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
