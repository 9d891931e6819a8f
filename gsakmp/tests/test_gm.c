/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_kex.h"
#include "gsakmp/engine/gm_state.h"

/*
 * A member's way in and out, and its states: RFC 4535 sections 5.2.1.1, 5.2.1.3,
 * 5.2.1.5, 5.2.2, 5.3.2.2, 5.3.2.3 and 8.
 */

/* ---- the join itself ---------------------------------------------------- */

/* What a request waits is drawn by the member: until it has passed. */
static void
pass_one_wait(struct fixture *f)
{
	uint64_t at = gsakmp_gm_deadline(f->m->gm);
	uint64_t now = simnet_now(f->w->net).mono_ms;

	assert_in_range(at - now, 5000, 10000);
	world_pass(f->w, at - now);
}

GK_TEST(rfc4535_5_2_1_1_20, rtj_is_resent_three_times_then_given_up)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	for (unsigned i = 1; i <= 4; i++) {
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_SEND], i);
		pass_one_wait(&f);
	}
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_SEND], 4);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_LEFT], 1);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_true(gsakmp_gm_deadline(f.m->gm) == GK_NEVER);
	assert_string_equal(f.m->seen.left, "");
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_3_06, rtj_error_counts_only_with_our_nonce)
{
	static const uint8_t wrong[16] = "not your nonce..";
	struct world_config cfg = world_plain(5);
	uint8_t before[32], after[32];
	struct gk_buf dgram = { 0 };
	struct gm_session s = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	GK_BREAKS("RFC4535-5.2-07");
	gm_read_rtj(&f, &s);
	gsakmp_gm_digest(f.m->gm, before);
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                  (struct gk_slice){ wrong, 16 },
	                  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                  (struct gk_slice){ 0 }, &dgram);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_string_equal(f.m->seen.req, "RFC4535-5.2.1.3-06");
	/* none at all: anybody's, and no more than a hint */
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                  (struct gk_slice){ 0 },
	                  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                  (struct gk_slice){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	gsakmp_gm_digest(f.m->gm, after);
	assert_memory_equal(before, after, 32);

	/* RFC4535-5.2.1.3-07, -08: ours ends the join, after a while */
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                  s.rtj->nonce[GSAKMP_NONCE_INITIATOR].data,
	                  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                  (struct gk_slice){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_JOINING);
	world_pass(f.w, 6000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_SEND], 1);
	/* and says so: whoever was refused asks no other key server */
	assert_non_null(strstr(f.m->seen.left, "5.2.1.3-07"));
	gk_buf_free(&dgram);
	test_free(s.rtj);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_3_08, keydl_after_an_rtj_error_is_still_accepted)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct gm_session s = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	world_join(f.m);
	gm_read_rtj(&f, &s);
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                  s.rtj->nonce[GSAKMP_NONCE_INITIATOR].data,
	                  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                  (struct gk_slice){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	gk_buf_free(&dgram);
	test_free(s.rtj);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_2_04, forged_cookies_are_obeyed_only_so_often)
{
	static const uint8_t cookie[8] = "a cookie";
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                  (struct gk_slice){ 0 }, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                  (struct gk_slice){ cookie, 8 }, &dgram);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_SEND], 4);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* Nothing but the cookie is taken from it: not the address, either. */
GK_TEST(rfc4535_5_2_2_07, forged_cookie_does_not_lead_the_request_away)
{
	static const uint8_t cookie[8] = "a cookie";
	const struct gsakmp_endpoint mallory = { .ip = { 192, 0, 2, 66 },
		                                 .ip_len = 4,
		                                 .port = 3761 };
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct gsakmp_output out;
	struct fixture f;
	unsigned sent = 0;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                  (struct gk_slice){ 0 }, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                  (struct gk_slice){ cookie, 8 }, &dgram);
	gk_assert_ok(gsakmp_gm_receive(f.m->gm, dgram.ptr, dgram.len, &mallory,
	                               simnet_now(f.w->net)));
	while (gsakmp_gm_poll(f.m->gm, &out)) {
		if (out.kind != GSAKMP_OUT_SEND)
			continue;
		assert_int_equal(out.to.ip_len, 0); /* the configured one */
		sent++;
	}
	assert_int_equal(sent, 1);
	/* and the join gets through to it as soon as it can be reached */
	simnet_cut(f.w->net, f.w->worker[0].node, false);
	world_pass(f.w, 6000);
	assert_true(world_has_current(f.m));
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* It is logged in any mode, and the message goes on: section 7.10.2. */
GK_TEST(rfc4535_7_10_2_02, vendor_ids_of_others_are_remarked_on)
{
	static const uint8_t cookie[8] = "a cookie";
	static const struct {
		const char *vid, *remark;
	} rows[] = {
		{ "somebody else", "an unfamiliar Vendor ID" },
		{ "abc", "a Vendor ID of fewer than four octets" },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct world_config cfg = world_plain(5);
		const struct gsakmp_endpoint from = { .ip = { 192, 0, 2, 1 },
			                              .ip_len = 4 };
		struct gk_buf dgram = { 0 };
		struct gsakmp_output out;
		struct gsakmp_build b;
		struct fixture f;
		unsigned in = 0, sent = 0;

		fixture_up(&f, &cfg, SERVER_NAME);
		simnet_cut(f.w->net, f.w->worker[0].node, true);
		world_join(f.m);
		gsakmp_build_begin(&b, &cfg.dialect,
		                   GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
		                   gsakmp_gm_groupid(f.m->gm), 0);
		gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
		                          (struct gk_slice){ cookie, 8 });
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
		if (rows[i].vid != NULL)
			gsakmp_build_vendor_id(&b, gk_slice_str(rows[i].vid));
		gk_assert_ok(gsakmp_build_finish(&b, NULL, &dgram));
		gk_assert_ok(gsakmp_gm_receive(f.m->gm, dgram.ptr, dgram.len,
		                               &from, simnet_now(f.w->net)));
		while (gsakmp_gm_poll(f.m->gm, &out)) {
			sent += out.kind == GSAKMP_OUT_SEND;
			if (out.kind != GSAKMP_OUT_MESSAGE || !out.incoming)
				continue;
			in++;
			if (rows[i].remark == NULL)
				assert_null(out.text);
			else
				assert_string_equal(out.text, rows[i].remark);
		}
		assert_int_equal(in, 1);
		assert_int_equal(sent, 1);
		gk_buf_free(&dgram);
		fixture_down(&f);
	}
}

GK_TEST(rfc4535_5_2_2_11, cookie_rtj_has_the_same_nonce_and_public_value)
{
	static const uint8_t cookie[8] = "a cookie";
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 };
	struct gm_session first = { 0 }, second = { 0 };
	struct gk_buf kept = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gk_assert_ok(gk_buf_copy(
		&kept,
		gk_buf_slice(
			&f.m->seen
				 .last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN])));
	gm_forge_unsigned(&f, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                  (struct gk_slice){ 0 }, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                  (struct gk_slice){ cookie, 8 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	gm_read_rtj(&f, &second);
	{
		struct gk_buf *sent =
			&f.m->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN];
		struct gk_buf newer = *sent;

		*sent = kept;
		gm_read_rtj(&f, &first);
		kept = newer;
	}
	assert_true(
		gk_slice_equal(first.rtj->nonce[GSAKMP_NONCE_INITIATOR].data,
	                       second.rtj->nonce[GSAKMP_NONCE_INITIATOR].data));
	assert_true(gk_slice_equal(first.rtj->key_creation.data,
	                           second.rtj->key_creation.data));
	gk_buf_free(&dgram);
	gk_buf_free(&kept);
	test_free(first.rtj);
	test_free(second.rtj);
	fixture_down(&f);
}

GK_TEST(rfc4534_3_1_03, older_token_is_refused_also_after_a_restart)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf dgram = { 0 }, newest = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	world_join(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	world_restart_member(f.m);
	/* an older edition, and a server that presents it */
	gk_assert_ok(gk_buf_copy(&newest, gk_buf_slice(&f.w->token)));
	f.w->edition = 0;
	world_token(f.w);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &dgram);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_member(f.m, gk_buf_slice(&dgram)));
	assert_string_equal(f.m->seen.req, "RFC4534-3.1-03");
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	gk_buf_free(&dgram);
	/* the one it knows is welcome: edition_equal accept_identical */
	gk_buf_free(&f.w->token);
	f.w->token = newest;
	world_join(f.m);
	gm_forge_keydl(&f, &(struct gm_forge){ 0 }, &dgram);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&dgram)));
	gk_buf_free(&dgram);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_05, lack_of_ack_before_the_keydl_starts_the_join_again)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	/* The Key Download gets lost, and the member is patient: the server's
	 * Lack of Ack is the first thing that it hears. */
	cfg.verbose = true;
	cfg.gm.rtj_timeout_ms = 60000;
	fixture_up(&f, &cfg, SERVER_NAME);
	world_join(f.m);
	simnet_pass(f.w->net, 1);
	simnet_cut(f.w->net, f.m->node, true);
	simnet_pass(f.w->net, 100);
	simnet_cut(f.w->net, f.m->node, false);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 1);
	world_pass(f.w, 9900);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_JOINING);
	world_pass(f.w, 3000);
	assert_true(f.m->seen.last_received[GSAKMP_EXCHANGE_LACK_OF_ACK].len >
	            0);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 1);
	fixture_down(&f);
}

/* ---- states ------------------------------------------------------------- */

GK_TEST(rfc4535_7_1_2_07, every_exchange_in_every_state_that_has_no_row_for_it)
{
	struct world_config cfg = world_plain(5);
	struct gk_buf sample[16] = { { 0 } };
	struct fixture f;
	unsigned n = 0;

	/* one valid message of every exchange, from a life of the group */
	cfg.verbose = true;
	cfg.cookies = GSAKMP_COOKIE_ALWAYS;
	fixture_up(&f, &cfg, SERVER_NAME);
	world_join(f.m);
	world_pass(f.w, 5000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 1000);
	for (size_t i = 0; i < 16; i++) {
		struct gk_buf *b = &f.m->seen.last_received[i];

		if (b->len == 0)
			b = &f.m->seen.last_sent[i];
		if (b->len == 0)
			b = &f.w->seen.last_sent[i];
		gk_assert_ok(gk_buf_copy(&sample[i], gk_buf_slice(b)));
		n += sample[i].len != 0;
	}
	assert_true(n >= 8);

	/* Idle: nothing at all is expected. */
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	for (size_t i = 0; i < 16; i++)
		if (sample[i].len != 0)
			gm_refused(&f, gk_buf_slice(&sample[i]),
			           "RFC4535-7.1.2-07");
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));

	/* Member: what belongs to a join or a departure is refused. */
	world_join(f.m);
	world_pass(f.w, 5000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	for (size_t i = 0; i < 16; i++)
		if (sample[i].len != 0 && i != GSAKMP_EXCHANGE_REKEY_EVENT)
			gm_refused(&f, gk_buf_slice(&sample[i]),
			           "RFC4535-7.1.2-07");
	/* Departing: rekeys and the response; nothing of a registration. */
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_DEPARTING);
	for (size_t i = 0; i < 16; i++)
		if (sample[i].len != 0 && i != GSAKMP_EXCHANGE_REKEY_EVENT &&
		    i != GSAKMP_EXCHANGE_DEPARTURE_RESPONSE)
			gm_refused(&f, gk_buf_slice(&sample[i]),
			           "RFC4535-7.1.2-07");
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));

	/* Joining: no departures, and rekeys not yet. */
	gk_assert_ok(gsakmp_gm_join(f.m->gm, simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_JOINING);
	gm_put_aside(&f, gk_buf_slice(&sample[GSAKMP_EXCHANGE_REKEY_EVENT]));
	gm_refused(&f,
	           gk_buf_slice(&sample[GSAKMP_EXCHANGE_DEPARTURE_RESPONSE]),
	           "RFC4535-7.1.2-07");
	gm_refused(&f, gk_buf_slice(&sample[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]),
	           "RFC4535-7.1.2-07");
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	for (size_t i = 0; i < 16; i++)
		gk_buf_free(&sample[i]);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_2_01, leaving_without_notice_wipes_at_once)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));
	world_drain_member(f.m);
	assert_false(f.m->has_key);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_LEFT], 1);
	fixture_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_02, departure_that_nobody_confirms_ends_all_the_same)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	simnet_cut(f.w->net, f.w->worker[0].node, true);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	for (unsigned i = 1; i <= 4; i++) {
		assert_int_equal(
			f.m->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART], i);
		assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_DEPARTING);
		pass_one_wait(&f);
	}
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_false(f.m->has_key);
	fixture_down(&f);
}

/* RFC 4534 B.3: the way out has mechanisms of its own. */
GK_TEST(rfc4535_5_3_2_3_2_11, nonces_of_a_departure_are_hashed_as_it_says)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	cfg.leave_hash = GSAKMP_NONCE_HASH_SHA384;
	fixture_joined(&f, &cfg, SERVER_NAME);
	world_pass(f.w, 5000);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.m->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_ACK], 1);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	fixture_down(&f);
}

/* What a message has of it; points into @dgram. */
static struct gk_slice
nonce_of(struct gk_slice dgram, enum gsakmp_nonce_type type)
{
	const struct gsakmp_dialect plain = { 0 };
	const struct gsakmp_parse how = { .dialect = &plain };
	struct gsakmp_message msg = { .n_certificates = 0 };
	struct gsakmp_reject why;

	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, &msg, &why));
	return msg.nonce[type].data;
}

/* Else a recorded response, to a departure that was refused say, would do for the
 * next one. */
GK_TEST(rfc4535_5_3_2_3_1_04, each_departure_has_a_nonce_that_was_drawn)
{
	static const uint8_t zeros[16];
	struct world_config cfg = world_plain(5);
	struct gk_buf first = { 0 };
	const struct gk_buf *rtd;
	struct gk_slice nonce;
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	rtd = &f.m->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_DEPART];
	for (int i = 0; i < 2; i++) {
		world_pass(f.w, 5000);
		gk_assert_ok(
			gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
		world_drain_member(f.m);
		nonce = nonce_of(gk_buf_slice(rtd), GSAKMP_NONCE_INITIATOR);
		assert_int_equal(nonce.len, 16);
		assert_memory_not_equal(nonce.ptr, zeros, 16);
		if (i == 0)
			gk_assert_ok(gk_buf_copy(&first, nonce));
		world_pass(f.w, 1000);
		assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
		world_join(f.m);
	}
	assert_memory_not_equal(nonce.ptr, first.ptr, 16);
	gk_buf_free(&first);
	fixture_down(&f);
}

/* Of several ways out with one signature, that of one's own authority; in a
 * refusal of what came before the path was looked at, too. */
GK_TEST(rfc4534_b_3_06, both_sides_choose_the_same_way_out)
{
	struct world_config cfg = world_plain(5);
	struct gk_slice dgram;
	struct fixture f;

	cfg.verbose = true;
	cfg.others_leave_hash = GSAKMP_NONCE_HASH_SHA1;
	cfg.leave_hash = GSAKMP_NONCE_HASH_SHA384;
	fixture_joined(&f, &cfg, SERVER_NAME);
	world_pass(f.w, 5000);
	/* For another key server, as far as the request says. */
	f.m->gm->gcks_id.ptr[f.m->gm->gcks_id.len - 1] ^= 1;
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 500);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_DEPART_REFUSED], 1);
	f.m->gm->gcks_id.ptr[f.m->gm->gcks_id.len - 1] ^= 1;
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	world_drain_member(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	dgram = gk_buf_slice(
		&f.m->seen.last_sent[GSAKMP_EXCHANGE_DEPARTURE_ACK]);
	assert_int_equal(nonce_of(dgram, GSAKMP_NONCE_COMBINED).len, 48);
	fixture_down(&f);
}

/* The way out that it went into is the one that it comes out of, whatever its
 * certificate says of it by then. */
GK_TEST(rfc4535_5_3_2_3_2_11, departure_outlives_the_certificate)
{
	const struct simnet_weather slow = { .latency_min = 700,
		                             .latency_max = 700 };
	struct world_config cfg = world_plain(5);
	struct world_member *late;
	struct world *w;

	cfg.leave_hash = GSAKMP_NONCE_HASH_SHA384;
	w = world_with(&cfg, 0);
	w->member_ends = simnet_now(w->net).utc_s + 20;
	late = world_member_add(w, "late");
	world_join(late);
	world_pass(w, 2000);
	assert_true(world_has_current(late));
	while (simnet_now(w->net).utc_s < w->member_ends)
		world_pass(w, 100);
	simnet_weather(w->net, &slow);
	gk_assert_ok(gsakmp_gm_leave(late->gm, true, simnet_now(w->net)));
	world_drain_member(late);
	world_pass(w, 1500);
	assert_true(simnet_now(w->net).utc_s > w->member_ends);
	assert_int_equal(w->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_RESPONSE], 1);
	assert_int_equal(gsakmp_gm_state(late->gm), GSAKMP_GM_IDLE);
	assert_int_equal(late->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_ACK], 1);
	world_free(w);
}

/* The owner may take it back while a member is leaving. */
GK_TEST(rfc4535_5_3_2_3_2_11, departure_outlives_its_mechanisms)
{
	struct world_config cfg = world_plain(5);
	struct fixture f;

	fixture_joined(&f, &cfg, SERVER_NAME);
	world_pass(f.w, 5000);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, true, simnet_now(f.w->net)));
	f.m->gm->policy->dereg = NULL;
	world_drain_member(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_IDLE);
	assert_int_equal(f.m->seen.sent[GSAKMP_EXCHANGE_DEPARTURE_ACK], 1);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_20,
		       rtj_is_resent_three_times_then_given_up),
		GK_RUN(rfc4535_5_2_1_3_06,
		       rtj_error_counts_only_with_our_nonce),
		GK_RUN(rfc4535_5_2_1_3_08,
		       keydl_after_an_rtj_error_is_still_accepted),
		GK_RUN(rfc4535_5_2_2_04,
		       forged_cookies_are_obeyed_only_so_often),
		GK_RUN(rfc4535_5_2_2_07,
		       forged_cookie_does_not_lead_the_request_away),
		GK_RUN(rfc4535_7_10_2_02, vendor_ids_of_others_are_remarked_on),
		GK_RUN(rfc4535_5_2_2_11,
		       cookie_rtj_has_the_same_nonce_and_public_value),
		GK_RUN(rfc4534_3_1_03,
		       older_token_is_refused_also_after_a_restart),
		GK_RUN(rfc4535_5_2_1_4_05,
		       lack_of_ack_before_the_keydl_starts_the_join_again),
		GK_RUN(rfc4535_7_1_2_07,
		       every_exchange_in_every_state_that_has_no_row_for_it),
		GK_RUN(rfc4535_5_3_2_2_01,
		       leaving_without_notice_wipes_at_once),
		GK_RUN(rfc4535_5_3_2_3_1_02,
		       departure_that_nobody_confirms_ends_all_the_same),
		GK_RUN(rfc4535_5_3_2_3_2_11,
		       nonces_of_a_departure_are_hashed_as_it_says),
		GK_RUN(rfc4534_b_3_06, both_sides_choose_the_same_way_out),
		GK_RUN(rfc4535_5_3_2_3_1_04,
		       each_departure_has_a_nonce_that_was_drawn),
		GK_RUN(rfc4535_5_3_2_3_2_11,
		       departure_outlives_the_certificate),
		GK_RUN(rfc4535_5_3_2_3_2_11, departure_outlives_its_mechanisms),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/gm", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
