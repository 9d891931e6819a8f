/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"

#include <stdlib.h>
#include <string.h>

/*
 * Requests to Join: what a key server refuses, with which requirement and
 * notification, and that a refusal changes nothing.  RFC 4535 section 5.2.1.1.
 */

/* ---- Request to Join ---------------------------------------------------- */

GK_TEST(rfc4535_5_2_1_1_15, name_without_a_rule_is_unauthorized)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m,
	                                   RTJ,
	                                   .signer = f.mallory.signer,
	                                   .cert = f.mallory.cert,
	                                   .signer_id = "CN=mallory" },
	             "RFC4535-5.2.1.1-15", GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_15, excluded_name_is_unauthorized)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	f.w->excluded[f.w->n_excluded++] = "CN=alice,O=Members";
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ },
	             "RFC4535-5.2.1.1-15", GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_05, no_certificate_for_the_signer_id)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m, RTJ, .no_certs = true },
	             "RFC4535-7.8.2-05", GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE);
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m, RTJ, .cert = f.mallory.cert },
		"RFC4535-7.8.2-05", GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_07, certificate_of_another_root)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m,
	                                   RTJ,
	                                   .signer = f.self.signer,
	                                   .cert = f.self.cert },
	             "RFC4535-7.8.2-07", GSAKMP_NOTIFY_INVALID_CERT_AUTHORITY);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_07, expired_certificate)
{
	struct world_config cfg = world_plain(3);
	struct gk_pki_party old;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gk_pki_make(&old, &(struct gk_pki_spec){
				  .subject = "/O=Members/CN=alice",
				  .alg = GK_PKI_P256,
				  .slot = 2,
				  .issuer = &f.w->root,
				  .not_before = GK_PKI_NOW - 9 * GK_PKI_DAY,
				  .not_after = GK_PKI_NOW - GK_PKI_DAY });
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m, RTJ, .cert = old.cert },
	             "RFC4535-7.8.2-07", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	gk_pki_free(&old);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_06, signature_of_somebody_else)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, RTJ, .signer = f.mallory.signer },
	             "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_06, every_flipped_octet_is_refused)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf dgram = { 0 };
	uint8_t before[32], after[32];
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ, .no_certs = false },
	           &dgram);
	gsakmp_group_digest(f.w->group, before);
	for (size_t i = 0; i < dgram.len; i++) {
		dgram.ptr[i] ^= 0x20;
		assert_int_not_equal(
			world_to_server(f.w, gk_buf_slice(&dgram), f.m->node),
			GK_OK);
		dgram.ptr[i] ^= 0x20;
	}
	gsakmp_group_digest(f.w->group, after);
	assert_memory_equal(before, after, 32);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&dgram), f.m->node));
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_8_2_04, timestamp_too_old_or_too_new)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ, .skew = -301 },
	             "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ, .skew = 301 },
	             "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_18, mechanism_that_the_token_does_not_list)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){ .m = f.m,
	                                   RTJ,
	                                   .choose_encryption =
	                                           GSAKMP_KEY_AES_CBC_128 },
	             "RFC4535-5.2.1.1-18",
	             GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_1_4_01, request_over_udp_where_the_policy_says_tcp)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	f.w->transport = GPT_TRANSPORT_TCP;
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ },
	             "RFC4534-B.1.4-01",
	             GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_11_2_03, public_value_that_is_no_point)
{
	static const uint8_t nonsense[64] = { 1, 2, 3 };
	struct world_config cfg = world_plain(3);
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(f.w,
	             &(struct gcks_forge){
			     .m = f.m, RTJ, .public_value = { nonsense, 64 } },
	             "RFC4535-7.11.2-03", GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	fixture_down(&f);
}

GK_TEST(rfc4535_7_1_2_02, unknown_group_is_refused)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf dgram = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &dgram);
	dgram.ptr[4] ^= 1;
	assert_int_not_equal(
		world_to_server(f.w, gk_buf_slice(&dgram), f.m->node), GK_OK);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-02");
	assert_int_equal(f.w->seen.last_notify, GSAKMP_NOTIFY_INVALID_GROUP_ID);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_22, terse_mode_is_silent_verbose_mode_is_not)
{
	GK_BREAKS("RFC4535-5.2.1.1-22", "RFC4535-5.2-03", "RFC4535-5.2-06");
	for (int verbose = 0; verbose < 2; verbose++) {
		struct world_config cfg = world_plain(3);
		struct fixture f;

		cfg.verbose = verbose != 0;
		fixture_up(&f, &cfg, ALICE_NAME);
		gcks_refused(
			f.w,
			&(struct gcks_forge){ .m = f.m, RTJ, .skew = -999 },
			"RFC4535-7.8.2-04",
			GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], verbose);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_2_1_1_21, identical_rtj_gets_the_same_answer)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 }, first = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_assert_ok(gk_buf_copy(
		&first,
		gk_buf_slice(
			&f.w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 2);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 1);
	assert_true(gk_slice_equal(
		gk_buf_slice(&first),
		gk_buf_slice(
			&f.w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
	/* from elsewhere it is not worth an answer */
	assert_int_not_equal(world_to_server(f.w, gk_buf_slice(&rtj), 99),
	                     GK_OK);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 2);
	gk_buf_free(&rtj);
	gk_buf_free(&first);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_01, no_keydl_leaves_before_it_is_stored)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	f.w->store.broken = true;
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 0);
	f.w->store.broken = false;
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 1);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

/* Another thread stores it, and fails at first. */
static void
store_now(struct world *w, bool ok)
{
	const struct gk_journal *j = gk_commits_begin(
		gsakmp_group_commits(w->group),
		gk_commits_wanted(gsakmp_group_commits(w->group)));

	assert_non_null(j);
	assert_true(gsakmp_gcks_held(w->worker[0].gcks));
	if (ok)
		world_store_apply(&w->store, j);
	gk_commits_end(gsakmp_group_commits(w->group), ok);
}

GK_TEST(rfc4535_5_2_1_2_01, a_keydl_is_held_until_somebody_has_stored_it)
{
	const struct gsakmp_endpoint from = { .handle = 99 };
	struct world_config cfg = world_plain(3);
	struct gsakmp_output out = { .kind = GSAKMP_OUT_COMMIT };
	struct gsakmp_gcks *gcks;
	struct gk_buf rtj = { 0 };
	bool stored = false;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks = f.w->worker[0].gcks;
	assert_false(gsakmp_gcks_held(gcks));
	assert_int_equal(gk_commits_wanted(gsakmp_group_commits(f.w->group)),
	                 0);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(gsakmp_gcks_receive(gcks, rtj.ptr, rtj.len, &from,
	                                 simnet_now(f.w->net)));
	/* What stands before the COMMIT is for everybody. */
	while (!gsakmp_gcks_held(gcks))
		assert_true(gsakmp_gcks_poll(gcks, &out) &&
		            out.kind != GSAKMP_OUT_SEND);
	store_now(f.w, false);
	assert_true(gsakmp_gcks_held(gcks));
	store_now(f.w, true);
	assert_int_equal(gk_commits_wanted(gsakmp_group_commits(f.w->group)),
	                 0);
	assert_false(gsakmp_gcks_held(gcks));
	while (gsakmp_gcks_poll(gcks, &out) && out.kind != GSAKMP_OUT_SEND)
		stored |= out.kind == GSAKMP_OUT_COMMIT &&
		          gk_commits_committed(gsakmp_group_commits(out.group),
		                               out.ticket);
	assert_true(stored && out.kind == GSAKMP_OUT_SEND);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

static void
count_row(void *ctx, const struct gsakmp_group_row *row)
{
	(void)row;
	(*(unsigned *)ctx)++;
}

static unsigned
members(struct world *w)
{
	unsigned n = 0;

	gsakmp_group_members(w->group, count_row, &n);
	return n;
}

/* An eviction by another thread, between the checks of a Request to Join and
 * the step: the first random number that is drawn then lets it happen. */
static struct {
	struct world *w;
	const char *peer;
} ambush;

static enum gk_err
evict_meanwhile(void *ctx, uint8_t *out, size_t n)
{
	const char *peer = ambush.peer;

	ambush.peer = NULL;
	if (peer != NULL)
		gk_assert_ok(gsakmp_group_evict(ambush.w->group, &peer, 1,
		                                simnet_now(ambush.w->net)));
	return simnet_env_random(ctx, out, n);
}

GK_TEST(rfc4535_5_3_2_1_01, eviction_during_a_registration_wins)
{
	static const uint8_t other[16] = "another nonce...";
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	world_join(f.m);
	world_pass(f.w, 2000);
	assert_int_equal(members(f.w), 1);
	gcks_forge(
		&(struct gcks_forge){ .m = f.m, RTJ, .nonce = { other, 16 } },
		&rtj);
	ambush.w = f.w;
	ambush.peer = f.m->peer;
	f.w->env.random = evict_meanwhile;
	gk_assert_err(GK_ERR_POLICY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	f.w->env.random = simnet_env_random;
	assert_null(ambush.peer);
	world_drain(f.w);
	assert_string_equal(f.w->seen.req, "RFC4535-5.3.2.1-01");
	assert_int_equal(members(f.w), 0);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

/* The register: what a key server keeps of a nonce has a bound. */
GK_TEST(rfc4535_7_12_2_03, a_nonce_of_more_than_512_octets_is_refused)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	uint8_t nonce[513] = { 7 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m, RTJ, .nonce = { nonce, 513 } },
		"RFC4535-7.12.2-03", GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	gcks_forge(
		&(struct gcks_forge){ .m = f.m, RTJ, .nonce = { nonce, 512 } },
		&rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD], 1);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_21, second_rtj_waits_for_the_first)
{
	static const uint8_t other[16] = "another nonce...";
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	cfg.verbose = true;
	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gcks_refused(
		f.w,
		&(struct gcks_forge){ .m = f.m, RTJ, .nonce = { other, 16 } },
		"RFC4535-5.2.1.1-21", GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 1);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

GK_TEST(rfc4535_3_1_04, recorded_rtj_of_a_member_is_refused)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	uint8_t before[32], after[32];
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	world_join(f.m);
	gk_assert_ok(gk_buf_copy(
		&rtj,
		gk_buf_slice(
			&f.m->seen
				 .last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN])));
	world_pass(f.w, 2000);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 1);
	gsakmp_group_digest(f.w->group, before);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	gsakmp_group_digest(f.w->group, after);
	assert_memory_equal(before, after, 32);
	/* nor later, nor after a restart that forgot the nonces */
	world_restart(f.w);
	world_pass(f.w, 400 * 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_buf_free(&rtj);
	fixture_down(&f);
}

GK_TEST(rfc4535_3_1_04,
        recorded_rtj_of_the_future_is_refused_to_the_last_second)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ, .skew = 300 }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	world_pass(f.w, 600 * 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	world_pass(f.w, 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-7.8.2-04");
	gk_buf_free(&rtj);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_15, name_without_a_rule_is_unauthorized),
		GK_RUN(rfc4535_5_2_1_1_15, excluded_name_is_unauthorized),
		GK_RUN(rfc4535_7_8_2_05, no_certificate_for_the_signer_id),
		GK_RUN(rfc4535_7_8_2_07, certificate_of_another_root),
		GK_RUN(rfc4535_7_8_2_07, expired_certificate),
		GK_RUN(rfc4535_7_8_2_06, signature_of_somebody_else),
		GK_RUN(rfc4535_7_8_2_06, every_flipped_octet_is_refused),
		GK_RUN(rfc4535_7_8_2_04, timestamp_too_old_or_too_new),
		GK_RUN(rfc4535_5_2_1_1_18,
		       mechanism_that_the_token_does_not_list),
		GK_RUN(rfc4534_b_1_4_01,
		       request_over_udp_where_the_policy_says_tcp),
		GK_RUN(rfc4535_7_11_2_03, public_value_that_is_no_point),
		GK_RUN(rfc4535_7_1_2_02, unknown_group_is_refused),
		GK_RUN(rfc4535_5_2_1_1_22,
		       terse_mode_is_silent_verbose_mode_is_not),
		GK_RUN(rfc4535_5_2_1_1_21, identical_rtj_gets_the_same_answer),
		GK_RUN(rfc4535_5_2_1_2_01, no_keydl_leaves_before_it_is_stored),
		GK_RUN(rfc4535_5_2_1_2_01,
		       a_keydl_is_held_until_somebody_has_stored_it),
		GK_RUN(rfc4535_5_3_2_1_01, eviction_during_a_registration_wins),
		GK_RUN(rfc4535_7_12_2_03,
		       a_nonce_of_more_than_512_octets_is_refused),
		GK_RUN(rfc4535_5_2_1_1_21, second_rtj_waits_for_the_first),
		GK_RUN(rfc4535_3_1_04, recorded_rtj_of_a_member_is_refused),
		GK_RUN(rfc4535_3_1_04,
		       recorded_rtj_of_the_future_is_refused_to_the_last_second),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/gcks", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
