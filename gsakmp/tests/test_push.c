/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/push_fixture.h"

#include "gsakmp/engine/verify.h"

/*
 * Members that only receive: RFC 4535 section 5.2.3.  The key server pushes,
 * the member listens, and says nothing whatever it hears.
 */

/* ---- what is meant to happen --------------------------------------------- */

GK_TEST(rfc4535_5_2_3_01, pushed_keys_make_a_member_with_every_suite)
{
	for (int suite = 0; suite <= WORLD_MIXED; suite++) {
		struct world_config cfg = push_config(3);
		struct push p;

		cfg.suite = (enum world_suite)suite;
		pushed_up(&p, cfg);
		assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_JOINED], 1);
		assert_int_equal(world_status(p.f.w).n_members, 1);
		push_down(&p);
	}
}

static unsigned
nonces_of(const struct push *p, struct gk_slice dgram)
{
	const struct gsakmp_parse how = { .dialect = &p->f.w->cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	unsigned n = 0;

	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	for (size_t i = 0; i < GK_COUNT(msg->nonce); i++)
		n += msg->nonce[i].data.len != 0;
	test_free(msg);
	return n;
}

GK_TEST(rfc4535_5_2_3_05, key_download_is_sent_without_nonces)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	pushed_up(&p, push_config(3));
	push_last(&p, &dgram);
	assert_int_equal(nonces_of(&p, gk_buf_slice(&dgram)), 0);
	gk_buf_free(&dgram);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_04, nobody_is_evicted_for_want_of_an_acknowledgement)
{
	struct world_config cfg = push_config(4);
	struct push p;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_count = 1;
	pushed_up(&p, cfg);
	world_pass(p.f.w, 120 * 1000); /* far beyond every session */
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 1000);
	assert_int_equal(p.f.w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 0);
	assert_int_equal(p.f.w->seen.count[GSAKMP_OUT_EVICTED], 0);
	assert_int_equal(world_status(p.f.w).n_members, 1);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_04, nor_does_a_nack_take_a_member_out)
{
	static const struct gk_slice none;
	struct gk_slice der[GSAKMP_CERTIFICATES_MAX];
	struct gk_buf dgram = { 0 };
	struct gsakmp_build b;
	struct gsakmp_sign sign;
	uint8_t before[32], after[32];
	struct push p;

	pushed_up(&p, push_config(4));
	gsakmp_party_sign(&p.f.m->cfg.party, GSAKMP_SIGNATURE_ECDSA_P256, true,
	                  simnet_now(p.f.w->net).utc_s, der, &sign);
	gsakmp_build_begin(&b, &p.f.w->cfg.dialect,
	                   GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
	                   (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
	                                            p.f.w->group_id },
	                   0);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_NACK, none);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, &dgram));
	gsakmp_group_digest(p.f.w->group, before);
	assert_int_not_equal(world_to_server(p.f.w, gk_buf_slice(&dgram), 9),
	                     GK_OK);
	gsakmp_group_digest(p.f.w->group, after);
	assert_memory_equal(before, after, 32);
	gk_buf_free(&dgram);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_07, key_server_value_is_fresh_each_time)
{
	struct gk_buf one = { 0 }, two = { 0 };
	struct push p;

	pushed_up(&p, push_config(5));
	push_last(&p, &one);
	push(&p);
	push_last(&p, &two);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 1);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_JOINED], 1);
	/* The octets behind the identity are Key Creation Data. */
	assert_false(gk_slice_equal(gk_buf_slice(&one), gk_buf_slice(&two)));
	assert_int_equal(world_status(p.f.w).n_members, 1);
	gk_buf_free(&one);
	gk_buf_free(&two);
	push_down(&p);
}

GK_TEST(rfc4535_5_3_1_1_01, receive_only_member_follows_rekeys_and_evictions)
{
	struct push p;

	pushed_up(&p, push_config(6));
	for (int i = 0; i < 5; i++) {
		gk_assert_ok(world_rekey(p.f.w));
		world_pass(p.f.w, 2000);
		assert_true(world_has_current(p.f.m));
	}
	gk_assert_ok(world_evict(p.f.w, p.f.m->peer));
	world_pass(p.f.w, 2000);
	assert_false(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_03, missed_rekey_is_mended_by_the_next_push)
{
	struct world_member *bob;
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, push_config(7));
	bob = world_member_add(p.f.w, "bob");
	world_join(bob);
	who = push_receiver(&p);
	who.id = &bob->id;
	who.certs = (const struct gk_cert *const *)bob->chain;
	who.to.handle = bob->node;
	gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 3000);
	assert_int_equal(world_in_step(p.f.w), 2);
	/* bob goes, and with him the key at the root of the tree */
	simnet_cut(p.f.w->net, p.f.m->node, true);
	gk_assert_ok(world_evict(p.f.w, bob->peer));
	world_pass(p.f.w, 2000);
	simnet_cut(p.f.w->net, p.f.m->node, false);
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 60 * 1000);
	assert_false(world_has_current(p.f.m));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_REJOINING);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_STALE], 1);
	push(&p);
	assert_true(world_has_current(p.f.m));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_03, overdue_rekey_that_comes_after_all_ends_the_worry)
{
	struct world_config cfg = push_config(7);
	struct push p;

	cfg.interval = 60;
	pushed_up(&p, cfg);
	world_pass(p.f.w, 70 * 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_REJOINING);
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_06, two_pushes_in_one_second_are_both_taken)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, push_config(8));
	who = push_receiver(&p);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 500);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 3);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_06, restarted_key_server_goes_on_with_later_dates)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, push_config(9));
	who = push_receiver(&p);
	for (int i = 0; i < 3; i++) /* ahead of the clock by now */
		gk_assert_ok(push_to(&p, &who, NULL));
	world_restart(p.f.w);
	assert_int_equal(world_status(p.f.w).n_members, 1);
	gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 500);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 4);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4534_b_1_1_06, receive_only_member_may_never_send)
{
	struct gsakmp_gm_status st;
	struct push p;

	pushed_up(&p, push_config(10)); /* the token lets everybody */
	gsakmp_gm_status(p.f.m->gm, &st);
	assert_false(st.may_send);
	assert_true(st.receive_only);
	push_down(&p);
}

GK_TEST(rfc4535_5_3_2_2_01, receive_only_member_leaves_without_a_word)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	pushed_up(&p, push_config(11));
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_leave(p.f.m->gm, true, simnet_now(p.f.w->net)));
	gk_assert_ok(gsakmp_gm_leave(p.f.m->gm, false, simnet_now(p.f.w->net)));
	world_drain_member(p.f.m);
	assert_false(p.f.m->has_key);
	/* And out is out: whoever does not listen is not told. */
	gm_forge_keydl(
		&p.f,
		&(struct gm_forge){ .push = p.key, .utc = GK_PKI_NOW + 30 },
		&dgram);
	gm_refused(&p.f, gk_buf_slice(&dgram), "RFC4535-7.1.2-07");
	gk_buf_free(&dgram);
	push_down(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_3_01,
		       pushed_keys_make_a_member_with_every_suite),
		GK_RUN(rfc4535_5_2_3_05, key_download_is_sent_without_nonces),
		GK_RUN(rfc4535_5_2_3_04,
		       nobody_is_evicted_for_want_of_an_acknowledgement),
		GK_RUN(rfc4535_5_2_3_04, nor_does_a_nack_take_a_member_out),
		GK_RUN(rfc4535_5_2_3_07, key_server_value_is_fresh_each_time),
		GK_RUN(rfc4535_5_3_1_1_01,
		       receive_only_member_follows_rekeys_and_evictions),
		GK_RUN(rfc4535_5_2_3_03,
		       missed_rekey_is_mended_by_the_next_push),
		GK_RUN(rfc4535_5_2_3_03,
		       overdue_rekey_that_comes_after_all_ends_the_worry),
		GK_RUN(rfc4535_5_2_3_06,
		       two_pushes_in_one_second_are_both_taken),
		GK_RUN(rfc4535_5_2_3_06,
		       restarted_key_server_goes_on_with_later_dates),
		GK_RUN(rfc4534_b_1_1_06, receive_only_member_may_never_send),
		GK_RUN(rfc4535_5_3_2_2_01,
		       receive_only_member_leaves_without_a_word),
	};

	return cmocka_run_group_tests_name("gsakmp/push", tests, NULL, NULL);
}
