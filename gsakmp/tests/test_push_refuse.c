/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/push_fixture.h"

#include "gsakmp/engine/verify.h"

/*
 * Members that only receive, RFC 4535 section 5.2.3: what they do not take, and
 * to whom nothing is pushed.
 */

/* ---- what is refused ------------------------------------------------------ */

GK_TEST(rfc4535_5_2_3_06, forged_push_without_a_fault_is_accepted)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	push_up(&p, push_config(12));
	gm_forge_keydl(&p.f, &(struct gm_forge){ .push = p.key }, &dgram);
	gk_assert_ok(world_to_member(p.f.m, gk_buf_slice(&dgram)));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	gk_buf_free(&dgram);
	push_down(&p);
}

/* As a candidate and as a member: refused, nothing changed, nothing said. */
static void
bad_push(struct gm_forge how, const char *req,
         const struct gk_pki_party *(*by)(struct fixture *),
         const struct gk_pki_party *(*signer)(struct fixture *))
{
	for (int member = 0; member < 2; member++) {
		struct gk_buf dgram = { 0 };
		struct push p;

		if (member)
			pushed_up(&p, push_config(13));
		else
			push_up(&p, push_config(13));
		how.push = p.key;
		how.by = by != NULL ? by(&p.f) : NULL;
		how.signer = signer != NULL ? signer(&p.f)->signer : NULL;
		gm_forge_keydl(&p.f, &how, &dgram);
		gm_refused(&p.f, gk_buf_slice(&dgram), req);
		gk_buf_free(&dgram);
		push_down(&p);
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

GK_TEST(rfc4535_5_2_3_06, keys_for_somebody_else_are_refused)
{
	bad_push((struct gm_forge){ .member_id = "CN=bob,O=Members" },
	         "RFC4535-5.2.3-06", NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_06, keys_of_last_hour_and_of_next_are_refused)
{
	bad_push((struct gm_forge){ .utc = GK_PKI_NOW - 3600 },
	         "RFC4535-5.2.3-06", NULL, NULL);
	bad_push((struct gm_forge){ .utc = GK_PKI_NOW + 3600 },
	         "RFC4535-5.2.3-06", NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_06, signer_that_the_token_does_not_name_is_refused)
{
	bad_push((struct gm_forge){ .signer_id = "CN=mallory" },
	         "RFC4535-5.2.3-06", mallory, NULL);
}

GK_TEST(rfc4535_5_2_3_06, certificate_of_another_root_is_refused)
{
	bad_push((struct gm_forge){ 0 }, "RFC4535-7.8.2-07", impostor, NULL);
}

GK_TEST(rfc4535_5_2_3_06, signature_that_does_not_verify_is_refused)
{
	bad_push((struct gm_forge){ 0 }, "RFC4535-7.8.2-06", NULL, mallory);
}

GK_TEST(rfc4535_5_2_3_05, nonces_are_refused)
{
	bad_push((struct gm_forge){ .nonces = true }, "RFC4535-5.2.3-05", NULL,
	         NULL);
}

GK_TEST(rfc4534_2_10, token_that_does_not_verify_is_refused)
{
	bad_push((struct gm_forge){ .bad_token = true }, "RFC4534-2-10", NULL,
	         NULL);
}

GK_TEST(rfc4535_7_4_2_01, keys_for_another_static_key_are_refused)
{
	bad_push((struct gm_forge){ .bad_kek = true }, "RFC4535-7.4.2-01", NULL,
	         NULL);
}

GK_TEST(rfc4535_5_2_3_06, recorded_key_download_is_taken_once)
{
	struct gk_buf old = { 0 };
	struct push p;

	pushed_up(&p, push_config(14));
	push_last(&p, &old);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 2000);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	/* Still within the skew, and the member has forgotten its keys. */
	world_restart_member(p.f.m);
	world_join(p.f.m);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	push(&p);
	assert_true(world_has_current(p.f.m));
	gk_buf_free(&old);
	push_down(&p);
}

/* One that was held back and never seen is as bad: its keys are older than those
 * that the Rekey Event brought. */
GK_TEST(rfc4535_5_2_3_06, key_download_older_than_a_rekey_is_refused)
{
	for (int restart = 0; restart < 2; restart++) {
		struct gsakmp_receiver who;
		struct gk_buf held = { 0 };
		struct push p;

		pushed_up(&p, push_config(15));
		who = push_receiver(&p);
		who.to.handle = p.f.w->worker[0].node; /* to nobody */
		gk_assert_ok(push_to(&p, &who, NULL));
		push_last(&p, &held);
		world_pass(p.f.w, 3000);
		gk_assert_ok(world_rekey(p.f.w));
		world_pass(p.f.w, 2000);
		assert_true(world_has_current(p.f.m));
		if (restart) {
			world_restart_member(p.f.m);
			world_join(p.f.m);
		}
		gm_refused(&p.f, gk_buf_slice(&held), "RFC4535-5.2.3-06");
		gk_buf_free(&held);
		push_down(&p);
	}
}

/* What others would answer, join by or act upon: well-formed, and from the key
 * server itself where it has a signature. */
GK_TEST(rfc4535_7_1_2_07, every_other_message_is_refused)
{
	static const struct {
		uint8_t exchange;
		uint16_t notify;
		bool is_signed;
	} rows[] = {
		{ GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
		  GSAKMP_NOTIFY_COOKIE_REQUIRED, false },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
		  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST, false },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_NOTIFY_NACK, true },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE,
		  GSAKMP_NOTIFY_DEPARTURE_ACCEPTED, true },
	};
	const uint8_t cookie[20] = { 1 };
	struct push p;

	pushed_up(&p, push_config(16));
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		bool with_cookie =
			rows[i].notify == GSAKMP_NOTIFY_COOKIE_REQUIRED;
		struct gk_buf dgram = { 0 };
		struct gsakmp_build b;
		struct gsakmp_sign sign;
		struct gk_slice der[GSAKMP_CERTIFICATES_MAX];

		gsakmp_party_sign(&p.f.w->party, GSAKMP_SIGNATURE_ECDSA_P256,
		                  true, simnet_now(p.f.w->net).utc_s, der,
		                  &sign);
		gsakmp_build_begin(
			&b, &p.f.w->cfg.dialect, rows[i].exchange,
			(struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
		                                 p.f.w->group_id },
			0);
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
		if (rows[i].is_signed)
			gsakmp_build_identification(&b,
			                            GSAKMP_ID_CLASS_RECEIVER,
			                            GSAKMP_ID_DN_STRING,
			                            gk_buf_slice(&p.f.m->name));
		gsakmp_build_notification(
			&b, rows[i].notify,
			(struct gk_slice){ cookie, with_cookie ? 20 : 0 });
		gk_assert_ok(gsakmp_build_finish(
			&b, rows[i].is_signed ? &sign : NULL, &dgram));
		gm_refused(&p.f, gk_buf_slice(&dgram), "RFC4535-7.1.2-07");
		gk_buf_free(&dgram);
	}
	push_down(&p);
}

/* ---- what is not pushed --------------------------------------------------- */

static void
not_pushed(struct push *p, struct gsakmp_receiver *who, const char *req)
{
	uint8_t before[32], after[32];
	struct gsakmp_reject why;

	gsakmp_group_digest(p->f.w->group, before);
	assert_int_not_equal(push_to(p, who, &why), GK_OK);
	gsakmp_group_digest(p->f.w->group, after);
	assert_memory_equal(before, after, 32);
	assert_string_equal(why.req, req);
	assert_int_equal(p->f.w->seen.count[GSAKMP_OUT_SEND], 0);
	assert_int_equal(world_status(p->f.w).n_members, 0);
}

GK_TEST(rfc4535_5_2_3_01, nothing_is_pushed_in_a_group_of_nonces)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, world_plain(17));
	who = push_receiver(&p);
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_02, nothing_is_pushed_in_verbose_mode)
{
	struct world_config cfg = push_config(17);
	struct gsakmp_receiver who;
	struct push p;

	cfg.verbose = true;
	push_up(&p, cfg);
	who = push_receiver(&p);
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_07, static_key_of_another_group_is_refused)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, push_config(17));
	who = push_receiver(&p);
	who.group = GK_KEX_X25519;
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_7_11_2_03, static_value_that_is_no_point_is_refused)
{
	static const uint8_t no_point[64] = { 9 };
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, push_config(17));
	who = push_receiver(&p);
	who.public_value = (struct gk_slice){ no_point, sizeof(no_point) };
	not_pushed(&p, &who, "RFC4535-7.11.2-03");
	push_down(&p);
}

GK_TEST(rfc4535_4_1_3_03, keys_are_not_pushed_to_whom_the_token_excludes)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, push_config(18));
	p.f.w->excluded[p.f.w->n_excluded++] = "CN=alice,O=Members";
	world_token(p.f.w);
	gk_assert_ok(world_publish(p.f.w, NULL));
	who = push_receiver(&p);
	not_pushed(&p, &who, "RFC4535-4.1.3-03");
	push_down(&p);
}

GK_TEST(rfc4535_7_8_2_07, keys_are_not_pushed_to_a_certificate_without_a_path)
{
	struct gsakmp_receiver who;
	const struct gk_cert *chain[1];
	struct push p;

	push_up(&p, push_config(18));
	who = push_receiver(&p);
	chain[0] = p.f.self.cert;
	who.certs = chain;
	not_pushed(&p, &who, "RFC4535-7.8.2-07");
	chain[0] = p.f.mallory.cert; /* a good one, of another name */
	not_pushed(&p, &who, "RFC4535-7.8.2-07");
	push_down(&p);
}

GK_TEST(rfc4535_5_3_2_1_01, keys_are_not_pushed_to_whom_was_evicted)
{
	struct gsakmp_reject why;
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, push_config(19));
	gk_assert_ok(world_evict(p.f.w, p.f.m->peer));
	world_pass(p.f.w, 1000);
	who = push_receiver(&p);
	gk_assert_err(GK_ERR_POLICY, push_to(&p, &who, &why));
	assert_string_equal(why.req, "RFC4535-5.3.2.1-01");
	assert_int_equal(world_status(p.f.w).n_members, 0);
	gk_assert_ok(gsakmp_group_readmit(p.f.w->group, p.f.m->peer));
	world_drain(p.f.w);
	push(&p);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_3_1_3_02, nothing_is_pushed_for_a_destroyed_group)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, push_config(20));
	gk_assert_ok(
		gsakmp_group_destroy(p.f.w->group, simnet_now(p.f.w->net)));
	world_drain(p.f.w);
	world_pass(p.f.w, 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_IDLE);
	who = push_receiver(&p);
	gk_assert_err(GK_ERR_UNEXPECTED, push_to(&p, &who, NULL));
	push_down(&p);
}

/* The member would refuse them, without a word. */
GK_TEST(rfc4535_7_4_2_05, keys_that_are_over_are_not_pushed)
{
	struct world_config cfg = push_config(20);
	struct gsakmp_receiver who;
	struct push p;

	cfg.event = GPT_REKEY_EVENT_NONE;
	cfg.key_expiration =
		(struct gpt_lifedate){ GPT_LIFEDATE_UTC, GK_PKI_NOW + 5000 };
	push_up(&p, cfg);
	who = push_receiver(&p);
	world_pass(p.f.w, 6000 * 1000);
	not_pushed(&p, &who, "RFC4535-7.4.2-05");
	p.f.w->cfg.key_expiration.value = simnet_now(p.f.w->net).utc_s + 5000;
	world_token(p.f.w);
	gk_assert_ok(world_publish(p.f.w, NULL));
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 1000);
	push(&p);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

/* RFC4535-3.1-04's clock: dates that go on rising leave it behind at most by
 * what members forgive. */
GK_TEST(rfc4535_3_1_02, date_too_far_ahead_of_the_clock_is_not_given)
{
	struct gsakmp_receiver who;
	struct gsakmp_reject why = { 0 };
	enum gk_err err = GK_OK;
	unsigned n = 0;
	struct push p;

	pushed_up(&p, push_config(21));
	who = push_receiver(&p);
	while (n < 1000 && err == GK_OK) {
		err = push_to(&p, &who, &why);
		n++;
	}
	gk_assert_err(GK_ERR_REPLAY, err);
	assert_string_equal(why.req, "RFC4535-5.2.3-06");
	world_pass(p.f.w, 2000);
	gk_assert_ok(push_to(&p, &who, NULL));
	push_down(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_3_06,
		       forged_push_without_a_fault_is_accepted),
		GK_RUN(rfc4535_5_2_3_06, keys_for_somebody_else_are_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       keys_of_last_hour_and_of_next_are_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       signer_that_the_token_does_not_name_is_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       certificate_of_another_root_is_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       signature_that_does_not_verify_is_refused),
		GK_RUN(rfc4535_5_2_3_05, nonces_are_refused),
		GK_RUN(rfc4534_2_10, token_that_does_not_verify_is_refused),
		GK_RUN(rfc4535_7_4_2_01,
		       keys_for_another_static_key_are_refused),
		GK_RUN(rfc4535_5_2_3_06, recorded_key_download_is_taken_once),
		GK_RUN(rfc4535_5_2_3_06,
		       key_download_older_than_a_rekey_is_refused),
		GK_RUN(rfc4535_7_1_2_07, every_other_message_is_refused),
		GK_RUN(rfc4535_5_2_3_01,
		       nothing_is_pushed_in_a_group_of_nonces),
		GK_RUN(rfc4535_5_2_3_02, nothing_is_pushed_in_verbose_mode),
		GK_RUN(rfc4535_5_2_3_07,
		       static_key_of_another_group_is_refused),
		GK_RUN(rfc4535_7_11_2_03,
		       static_value_that_is_no_point_is_refused),
		GK_RUN(rfc4535_4_1_3_03,
		       keys_are_not_pushed_to_whom_the_token_excludes),
		GK_RUN(rfc4535_7_8_2_07,
		       keys_are_not_pushed_to_a_certificate_without_a_path),
		GK_RUN(rfc4535_5_3_2_1_01,
		       keys_are_not_pushed_to_whom_was_evicted),
		GK_RUN(rfc4535_5_3_1_3_02,
		       nothing_is_pushed_for_a_destroyed_group),
		GK_RUN(rfc4535_7_4_2_05, keys_that_are_over_are_not_pushed),
		GK_RUN(rfc4535_3_1_02,
		       date_too_far_ahead_of_the_clock_is_not_given),
	};

	return cmocka_run_group_tests_name("gsakmp/push_refuse", tests, NULL,
	                                   NULL);
}
