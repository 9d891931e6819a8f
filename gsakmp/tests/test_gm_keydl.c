/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include "gsakmp/engine/gm_state.h"

/*
 * Key Downloads that a member refuses, and that a refusal leaves no key behind:
 * RFC 4535 section 5.2.1.2.
 */

/*
 * A Key Download with one thing wrong.  RFC4535-5.2.1.2-21 to -25: no key, the
 * session is over, NACK in Terse Mode and the reason in Verbose Mode.
 */
static void
bad_keydl(const struct gm_forge *how, const char *req, unsigned notify,
          const struct gk_pki_party *(*by)(struct fixture *),
          const struct gk_pki_party *(*signer)(struct fixture *))
{
	for (int verbose = 0; verbose < 2; verbose++) {
		struct world_config cfg = world_plain(5);
		struct gm_forge mine = *how;
		struct gk_buf dgram = { 0 };
		struct fixture f;

		cfg.verbose = verbose != 0;
		fixture_up(&f, &cfg, SERVER_NAME);
		simnet_cut(f.w->net, f.w->worker[0].node, true);
		if (by != NULL)
			mine.by = by(&f);
		if (signer != NULL)
			mine.signer = signer(&f)->signer;
		world_join(f.m);
		gm_forge_keydl(&f, &mine, &dgram);
		assert_int_not_equal(world_to_member(f.m, gk_buf_slice(&dgram)),
		                     GK_OK);
		assert_string_equal(f.m->seen.req, req);
		assert_int_equal(f.m->seen.last_notify, notify);
		assert_int_equal(gm_last_af(&f),
		                 verbose ? notify : GSAKMP_NOTIFY_NACK);
		assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
		assert_null(f.m->gm->join.kex);
		assert_int_equal(f.m->gm->join.nonce_i.len, 0);
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_INSTALL], 0);
		assert_int_equal(f.m->store.n, 0);
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

static const struct gk_pki_party *
mallory(struct fixture *f)
{
	return &f->mallory;
}

static const struct gk_pki_party *
impostor(struct fixture *f)
{
	return &f->self;
}

GK_TEST(rfc4535_5_2_1_2_19, forged_keydl_without_a_fault_is_accepted)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct fixture f;

	/* so that the tests below fail for the reason they name */
	fixture_up(&f, &cfg, SERVER_NAME);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_int_equal(gm_last_af(&f), GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
	assert_int_equal(f.m->key.handle, 77);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_10, keydl_for_somebody_else)
{
	bad_keydl(&(struct gm_forge){ .member_id = "CN=bob,O=Members" },
	          "RFC4535-5.2.1.2-10", GSAKMP_NOTIFY_INVALID_ID_INFORMATION,
	          NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_11, keydl_with_another_nonce_c)
{
	GK_BREAKS("RFC4535-5.2.1.1-08", "RFC4535-5.2.1.2-21",
	          "RFC4535-5.2.1.2-22", "RFC4535-5.2.1.2-23");
	bad_keydl(&(struct gm_forge){ .bad_nonce = true }, "RFC4535-5.2.1.2-11",
	          GSAKMP_NOTIFY_AUTHENTICATION_FAILED, NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_13, keydl_with_a_signature_of_somebody_else)
{
	bad_keydl(&(struct gm_forge){ 0 }, "RFC4535-7.8.2-06",
	          GSAKMP_NOTIFY_AUTHENTICATION_FAILED, NULL, mallory);
}

GK_TEST(rfc4535_5_2_1_2_14, keydl_under_another_root)
{
	bad_keydl(&(struct gm_forge){ 0 }, "RFC4535-7.8.2-07",
	          GSAKMP_NOTIFY_INVALID_CERT_AUTHORITY, impostor, NULL);
}

GK_TEST(rfc4535_5_2_1_2_15, keydl_with_a_public_value_off_the_curve)
{
	bad_keydl(&(struct gm_forge){ .bad_point = true }, "RFC4535-7.11.2-03",
	          GSAKMP_NOTIFY_PAYLOAD_MALFORMED, NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_16, keydl_with_a_tampered_token)
{
	bad_keydl(&(struct gm_forge){ .bad_token = true }, "RFC4534-2-10",
	          GSAKMP_NOTIFY_AUTHENTICATION_FAILED, NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_17, keydl_by_somebody_the_token_does_not_name)
{
	bad_keydl(&(struct gm_forge){ .signer_id = "CN=mallory" },
	          "RFC4535-5.2.1.2-17", GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	          mallory, NULL);
}

GK_TEST(rfc4535_7_4_2_05, keydl_with_an_expired_key)
{
	bad_keydl(&(struct gm_forge){ .expires = GK_PKI_NOW - 1 },
	          "RFC4535-7.4.2-05", GSAKMP_NOTIFY_INVALID_KEY_INFORMATION,
	          NULL, NULL);
}

GK_TEST(rfc4534_c_1_02, keydl_with_a_key_that_the_token_does_not_name)
{
	bad_keydl(&(struct gm_forge){ .key_id = 2 }, "RFC4534-C.1-02",
	          GSAKMP_NOTIFY_INVALID_KEY_INFORMATION, NULL, NULL);
	bad_keydl(&(struct gm_forge){ .key_id2 = 2 }, "RFC4534-C.1-02",
	          GSAKMP_NOTIFY_INVALID_KEY_INFORMATION, NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_18, keydl_sealed_under_another_key)
{
	bad_keydl(&(struct gm_forge){ .bad_kek = true }, "RFC4535-7.4.2-01",
	          GSAKMP_NOTIFY_PAYLOAD_MALFORMED, NULL, NULL);
}

GK_TEST(rfc4535_5_2_1_2_21, forged_keydl_need_not_end_a_join)
{
	struct world_config cfg = world_plain(5);
	uint8_t before[32], after[32];
	struct gk_buf dgram = { 0 };
	struct fixture f;

	cfg.gm.drop_forged_keydl = true;
	fixture_up(&f, &cfg, SERVER_NAME);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ .signer = f.mallory.signer },
	               &dgram);
	gsakmp_gm_digest(f.m->gm, before);
	assert_int_not_equal(world_to_member(f.m, gk_buf_slice(&dgram)), GK_OK);
	gsakmp_gm_digest(f.m->gm, after);
	assert_memory_equal(before, after, 32);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* RFC4535-5.2.1.1-20: four requests, and then no more. */
static void
ask_in_vain(struct fixture *f, struct gk_buf *late)
{
	simnet_cut(f->w->net, f->w->worker[0].node, true);
	world_join(f->m);
	gm_forge_keydl(f, &(struct gm_forge){ 0 }, late);
	world_pass(f->w, 40000);
	assert_int_equal(gsakmp_gm_state(f->m->gm), GSAKMP_GM_IDLE);
}

GK_TEST(rfc4535_5_2_1_2_21, late_keydl_ends_the_join_that_it_answers_only)
{
	const unsigned *af, *rtj;
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 }, dgram = { 0 };
	struct fixture f;

	GK_SHOWS("RFC4535-5.2.1.2-11");
	fixture_up(&f, &cfg, SERVER_NAME);
	af = &f.m->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK];
	rtj = &f.m->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN];
	ask_in_vain(&f, &late);
	assert_int_equal(*rtj, 4);
	world_join(f.m);
	/* However many copies there are: refused, and told about once. */
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(world_to_member(f.m, gk_buf_slice(&late)),
		                 GK_ERR_REPLAY);
		assert_string_equal(f.m->seen.req, "RFC4535-5.2.1.2-11");
		assert_int_equal(*af, 1);
		assert_int_equal(gm_last_af(&f), GSAKMP_NOTIFY_NACK);
		assert_non_null(f.m->gm->join.kex);
	}
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_INSTALL], 0);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_int_equal(gm_last_af(&f), GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	gk_buf_free(&dgram);
	gk_buf_free(&late);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_21, keydl_of_nobody_ends_a_join_after_one_in_vain)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 }, dgram = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	ask_in_vain(&f, &late);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ .bad_nonce = true }, &dgram);
	assert_int_equal(world_to_member(f.m, gk_buf_slice(&dgram)),
	                 GK_ERR_REPLAY);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_null(f.m->gm->join.kex);
	gk_buf_free(&dgram);
	gk_buf_free(&late);
	fixture_down(&f);
}

/* RFC4535-5.2.1.1-21: the key server takes up the second one as soon as the
 * first is over, and by the NACK it is. */
GK_TEST(rfc4535_5_2_1_1_21, late_answer_lets_the_key_server_go_on)
{
	const struct simnet_weather slow = { .latency_min = 11000,
		                             .latency_max = 11000 };
	const struct simnet_weather fast = { .latency_min = 10,
		                             .latency_max = 10 };
	struct world_config cfg = world_plain(5);
	struct world_member *m;
	struct world *w;

	cfg.group.session_timeout_ms = 60000;
	cfg.gm.spread_ms = 1; /* to know when it has given up */
	w = world_with(&cfg, 1);
	m = w->member[0];
	simnet_weather(w->net, &slow);
	world_join(m);
	world_pass(w, 20500);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_IDLE);
	simnet_weather(w->net, &fast);
	world_join(m);
	world_pass(w, 10000);
	assert_int_equal(gsakmp_gm_state(m->gm), GSAKMP_GM_MEMBER);
	/* the NACK of the first and the ACK of the second */
	assert_int_equal(m->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK], 2);
	assert_int_equal(m->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN], 6);
	assert_true(world_has_current(m));
	world_free(w);
}

/* ---- nothing is under way any more --------------------------------------- */

/* A Key Download for the registration that is over: refused, and told about as
 * often as @afs says, however many copies come. */
static void
too_late(struct fixture *f, struct gk_slice late, unsigned afs)
{
	const unsigned *af = &f->m->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK];
	enum gsakmp_gm_state state = gsakmp_gm_state(f->m->gm);
	unsigned before = *af;

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(world_to_member(f->m, late),
		                 GK_ERR_UNEXPECTED);
		assert_string_equal(f->m->seen.req, "RFC4535-7.1.2-07");
		assert_int_equal(*af, before + afs);
		assert_int_equal(gsakmp_gm_state(f->m->gm), state);
	}
}

static void
late_at_idle(bool verbose, unsigned notify)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 };
	struct fixture f;

	cfg.verbose = verbose;
	fixture_up(&f, &cfg, SERVER_NAME);
	ask_in_vain(&f, &late);
	too_late(&f, gk_buf_slice(&late), 1);
	assert_int_equal(gm_last_af(&f), notify);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_KEY_INSTALL], 0);
	assert_int_equal(f.m->store.n, 0);
	gk_buf_free(&late);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_22, late_keydl_at_an_idle_member_is_answered)
{
	GK_SHOWS("RFC4535-7.1.2-07", "RFC4535-5.2.1.2-24",
	         "RFC4535-5.2.1.2-25");
	late_at_idle(false, GSAKMP_NOTIFY_NACK);
	late_at_idle(true, GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
}

/* What was not asked for, or not so, is not answered. */
GK_TEST(rfc4535_5_2_1_2_22, keydl_of_nobody_at_an_idle_member_is_not_answered)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 }, other = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ .bad_nonce = true }, &other);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &late);
	world_pass(f.w, 40000);
	too_late(&f, gk_buf_slice(&other), 0);
	/* and that does not use up the answer */
	too_late(&f, gk_buf_slice(&late), 1);
	gk_buf_free(&late);
	gk_buf_free(&other);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_22, late_keydl_is_not_answered_where_it_proves_nothing)
{
	for (int timed = 0; timed < 2; timed++) {
		struct world_config cfg = world_plain(5);
		struct gk_buf late = { 0 };
		struct fixture f;

		cfg.timestamp = timed != 0;
		cfg.gm.drop_forged_keydl = timed == 0;
		fixture_up(&f, &cfg, SERVER_NAME);
		ask_in_vain(&f, &late);
		too_late(&f, gk_buf_slice(&late), 0);
		gk_buf_free(&late);
		fixture_down(&f);
	}
}

/* RFC4535-5.2.1.3-08: the time for it is over, and whoever sent the RTJ-Err, it
 * may not have been the key server. */
GK_TEST(rfc4535_5_2_1_2_22, late_keydl_behind_an_rtj_error_is_answered)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 }, error = { 0 };
	struct fixture f;

	cfg.verbose = true;
	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &late);
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                  gk_buf_slice(&f.m->gm->join.nonce_i),
	                  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                  (struct gk_slice){ 0 }, &error);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&error)));
	world_pass(f.w, 6000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	too_late(&f, gk_buf_slice(&late), 1);
	gk_buf_free(&error);
	gk_buf_free(&late);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_22, keydl_after_the_command_to_leave_is_answered)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &late);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));
	world_drain_member(f.m);
	too_late(&f, gk_buf_slice(&late), 1);
	gk_buf_free(&late);
	fixture_down(&f);
}

/* It may be that of another key server, which would keep a seat for us. */
GK_TEST(rfc4535_5_2_1_2_22, late_keydl_at_a_member_is_answered)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf late = { 0 };
	uint32_t handle;
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	ask_in_vain(&f, &late);
	simnet_cut(f.w->net, f.w->worker[0].node, false);
	world_join(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	handle = f.m->key.handle;
	too_late(&f, gk_buf_slice(&late), 1);
	assert_int_equal(gm_last_af(&f), GSAKMP_NOTIFY_NACK);
	assert_int_equal(f.m->key.handle, handle);
	gk_buf_free(&late);
	fixture_down(&f);
}

/* RFC4535-5.2.1.4-16: the key server knows at once whom to leave out. */
GK_TEST(rfc4535_5_2_1_4_16, nack_of_an_idle_member_has_it_left_out)
{
	const struct simnet_weather slow = { .latency_min = 11000,
		                             .latency_max = 11000 };
	const struct simnet_weather fast = { .latency_min = 10,
		                             .latency_max = 10 };
	struct world_config cfg = world_plain(5);
	struct world *w;

	cfg.group.session_timeout_ms = 3600000;
	cfg.gm.spread_ms = 1;
	w = world_with(&cfg, 1);
	simnet_weather(w->net, &slow);
	world_join(w->member[0]);
	world_pass(w, 20500);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	simnet_weather(w->net, &fast);
	world_pass(w, 10000);
	assert_int_equal(
		w->member[0]->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK], 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_status(w).n_members, 0);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_2_19,
		       forged_keydl_without_a_fault_is_accepted),
		GK_RUN(rfc4535_5_2_1_2_10, keydl_for_somebody_else),
		GK_RUN(rfc4535_5_2_1_2_11, keydl_with_another_nonce_c),
		GK_RUN(rfc4535_5_2_1_2_13,
		       keydl_with_a_signature_of_somebody_else),
		GK_RUN(rfc4535_5_2_1_2_14, keydl_under_another_root),
		GK_RUN(rfc4535_5_2_1_2_15,
		       keydl_with_a_public_value_off_the_curve),
		GK_RUN(rfc4535_5_2_1_2_16, keydl_with_a_tampered_token),
		GK_RUN(rfc4535_5_2_1_2_17,
		       keydl_by_somebody_the_token_does_not_name),
		GK_RUN(rfc4535_7_4_2_05, keydl_with_an_expired_key),
		GK_RUN(rfc4534_c_1_02,
		       keydl_with_a_key_that_the_token_does_not_name),
		GK_RUN(rfc4535_5_2_1_2_18, keydl_sealed_under_another_key),
		GK_RUN(rfc4535_5_2_1_2_21, forged_keydl_need_not_end_a_join),
		GK_RUN(rfc4535_5_2_1_2_21,
		       late_keydl_ends_the_join_that_it_answers_only),
		GK_RUN(rfc4535_5_2_1_2_21,
		       keydl_of_nobody_ends_a_join_after_one_in_vain),
		GK_RUN(rfc4535_5_2_1_1_21,
		       late_answer_lets_the_key_server_go_on),
		GK_RUN(rfc4535_5_2_1_2_22,
		       late_keydl_at_an_idle_member_is_answered),
		GK_RUN(rfc4535_5_2_1_2_22,
		       keydl_of_nobody_at_an_idle_member_is_not_answered),
		GK_RUN(rfc4535_5_2_1_2_22,
		       late_keydl_is_not_answered_where_it_proves_nothing),
		GK_RUN(rfc4535_5_2_1_2_22,
		       late_keydl_behind_an_rtj_error_is_answered),
		GK_RUN(rfc4535_5_2_1_2_22,
		       keydl_after_the_command_to_leave_is_answered),
		GK_RUN(rfc4535_5_2_1_2_22, late_keydl_at_a_member_is_answered),
		GK_RUN(rfc4535_5_2_1_4_16,
		       nack_of_an_idle_member_has_it_left_out),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_keydl", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
