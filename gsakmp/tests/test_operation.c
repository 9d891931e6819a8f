/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gsakmp/engine/gm_state.h"
#include "gsakmp/engine/policy.h"
#include "gsakmp/tests/gcks_forge.h"
#include "gsakmp/tests/gm_forge.h"
#include "policy-tokens/token/gpt_gdoi.h"

/*
 * How a group is run where the token can say it in an entry of this project's,
 * and the configuration where it does not: joins that share a rekey, joins that
 * bring none, messages that fit, clocks that differ.
 */
static struct gpt_operation says; /* of every token to come */

static void
say(struct gpt_token *t)
{
	struct gpt_protocol *p = gpt_token_add_rekey(t);

	gk_assert_ok(gpt_protocol_set(p, GPT_PROTOCOL_OPERATION));
	*p->operation = says;
}

static struct gpt_number
n(int64_t value)
{
	return (struct gpt_number){ true, value };
}

/* A new edition that says @o. */
static void
decree(struct world *w, struct gpt_operation o)
{
	says = o;
	w->amend = say;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 3000);
}

static void
join(struct world *w, const char *cn)
{
	world_join(world_member_add(w, cn));
	world_pass(w, 50);
}

/* ---- the window --------------------------------------------------------- */

/* A window of @ms, just opened by one join; nothing else is pending. */
static struct world *
opened(uint32_t ms)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	w = world_joined(&cfg, 2);
	world_pass(w, 3000);
	w->group->cfg.join_window_ms = w->cfg.group.join_window_ms = ms;
	join(w, "first");
	assert_true(w->group->window_ends != GK_NEVER);
	return w;
}

static uint64_t
left(const struct world *w)
{
	return w->group->window_ends - simnet_now(w->net).mono_ms;
}

GK_TEST(rfc4535_4_4_7_05, the_window_ends_to_the_millisecond)
{
	struct world *w = opened(5000);
	uint64_t rekeys = world_status(w).rekeys;

	assert_in_range(left(w), 4000, 5000);
	world_pass(w, left(w) - 1);
	assert_int_equal(world_status(w).rekeys, rekeys);
	world_pass(w, 1);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_true(w->group->window_ends == GK_NEVER);
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

/* The last moment inside, and the first outside. */
GK_TEST(rfc4535_4_4_7_05, the_last_inside_shares_and_the_next_does_not)
{
	struct world *w = opened(5000);
	uint64_t rekeys = world_status(w).rekeys, ends = w->group->window_ends;

	world_pass(w, left(w) - 60);
	join(w, "last");
	assert_int_equal(w->group->window_ends, ends);
	world_pass(w, left(w) + 1);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	join(w, "next");
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_in_range(left(w), 4000, 5000);
	world_pass(w, 5100);
	assert_int_equal(world_status(w).rekeys, rekeys + 2);
	assert_int_equal(world_in_step(w), 5);
	world_free(w);
}

GK_TEST(rfc4535_4_4_3_06, a_window_does_not_begin_anew_with_the_key_server)
{
	struct world *w = opened(3600 * 1000);
	uint32_t sequence = world_status(w).sequence;

	assert_false(world_has_current(w->member[2]));
	world_restart(w);
	world_pass(w, 100);
	assert_int_equal(world_status(w).sequence, sequence + 1);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

/* ---- what the token says -------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_05, the_token_says_whether_a_join_brings_new_keys)
{
	struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);
	uint64_t rekeys;

	world_pass(w, 3000);
	decree(w, (struct gpt_operation){ .join_rekey = n(0) });
	rekeys = world_status(w).rekeys;
	join(w, "quiet");
	world_pass(w, 3000);
	assert_int_equal(world_status(w).rekeys, rekeys);
	assert_int_equal(world_in_step(w), 5);
	/* ... also after a restart ... */
	world_restart(w);
	join(w, "still");
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 6);
	rekeys = world_status(w).rekeys;
	/* ... until another says something else, or nothing */
	decree(w, (struct gpt_operation){ .mtu = n(1500) });
	rekeys = world_status(w).rekeys;
	join(w, "heard");
	world_pass(w, 3000);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_int_equal(world_in_step(w), 7);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, the_token_overrides_what_is_configured)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint64_t rekeys;

	cfg.group.no_join_rekey = true;
	cfg.group.join_window_ms = 60000;
	w = world_joined(&cfg, 3);
	decree(w, (struct gpt_operation){ .join_rekey = n(1),
	                                  .join_window = n(2) });
	rekeys = world_status(w).rekeys;
	join(w, "one");
	join(w, "two");
	assert_int_equal(world_status(w).rekeys, rekeys);
	world_pass(w, 2000);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_int_equal(world_in_step(w), 5);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, a_dialect_can_pass_over_what_the_token_says)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint64_t rekeys;

	cfg.dialect.operation = GSAKMP_OPERATION_LOCAL;
	w = world_joined(&cfg, 3);
	world_pass(w, 3000);
	decree(w, (struct gpt_operation){ .join_rekey = n(0), .mtu = n(5) });
	rekeys = world_status(w).rekeys;
	join(w, "one");
	world_pass(w, 3000);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_int_equal(gsakmp_group_message_max(w->group), 60000);
	world_free(w);
}

/* Octets of the longest Rekey Event. */
static void
longest(void *ctx, unsigned from, struct gk_slice dgram)
{
	size_t *most = ctx;

	(void)from;
	if (dgram.len > *most)
		*most = dgram.len;
}

GK_TEST(rfc4535_7_5_1_01, no_rekey_is_longer_than_the_token_allows)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	size_t before = 0, after = 0;
	const char *out[24];

	cfg.group.no_rekey_certs = true;
	w = world_joined(&cfg, 64);
	world_pass(w, 3000);
	for (size_t i = 0; i < GK_COUNT(out); i++)
		out[i] = w->member[i < 12 ? 5 * i : 5 * (i - 12) + 2]->peer;
	simnet_tap(w->net, longest, &before);
	gk_assert_ok(gsakmp_group_evict(w->group, out, 12, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 3000);
	assert_true(before > 1280);
	decree(w, (struct gpt_operation){ .mtu = n(1280) });
	assert_int_equal(gsakmp_group_message_max(w->group), 1280 - 28);
	simnet_tap(w->net, longest, &after);
	gk_assert_ok(
		gsakmp_group_evict(w->group, out + 12, 12, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 3000);
	assert_in_range(after, 600, 1280 - 28);
	assert_int_equal(world_in_step(w), 40);
	world_free(w);
}

GK_TEST(rfc4535_7_5_1_01, of_two_limits_the_lower_one_holds)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.group.rekey_message = 1200;
	cfg.group.rekey_headers = 48;
	w = world_joined(&cfg, 2);
	decree(w, (struct gpt_operation){ .mtu = n(9000) });
	assert_int_equal(gsakmp_group_message_max(w->group), 1200);
	decree(w, (struct gpt_operation){ .mtu = n(1000) });
	assert_int_equal(gsakmp_group_message_max(w->group), 1000 - 48);
	decree(w, (struct gpt_operation){ .mtu = n(1240) });
	assert_int_equal(gsakmp_group_message_max(w->group), 1240 - 48);
	world_free(w);
}

GK_TEST(rfc4535_3_1_02, the_token_says_how_far_clocks_may_be_apart)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf rtj = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	decree(f.w, (struct gpt_operation){ .skew = n(60) });
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ, .skew = -61 },
	             "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	gcks_refused(f.w, &(struct gcks_forge){ .m = f.m, RTJ, .skew = 61 },
	             "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	decree(f.w, (struct gpt_operation){ .skew = n(3600) });
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ, .skew = 3600 }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_buf_free(&rtj);
	fixture_down(&f);
}

/* The second registration of a member, answered by a clock that is @late seconds
 * behind.  The answer is sealed as if there were nonces, so it is always refused:
 * for its time, or for what is looked at behind that. */
static void
answered(bool said, int64_t late, const char *req)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf keydl = { 0 };
	struct fixture f;

	cfg.timestamp = true;
	fixture_joined(&f, &cfg, SERVER_NAME);
	if (said)
		decree(f.w, (struct gpt_operation){ .skew = n(3600) });
	simnet_cut(f.w->net, f.m->node, true);
	gk_assert_ok(gsakmp_gm_stale(f.m->gm, "a test", simnet_now(f.w->net)));
	world_drain_member(f.m);
	for (unsigned i = 0; i < 1000 && f.m->gm->join.kex == NULL; i++)
		world_pass(f.w, 100);
	assert_non_null(f.m->gm->join.kex);
	gm_forge_keydl(
		&f,
		&(struct gm_forge){ .utc = simnet_now(f.w->net).utc_s - late },
		&keydl);
	assert_int_not_equal(world_to_member(f.m, gk_buf_slice(&keydl)), GK_OK);
	assert_string_equal(f.m->seen.req, req);
	gk_buf_free(&keydl);
	fixture_down(&f);
}

GK_TEST(rfc4535_3_1_02, a_member_goes_by_the_token_once_it_has_one)
{
	GK_SHOWS("RFC4535-5.2.1.2-12");
	answered(false, 290, "RFC4535-7.3.2-03");
	answered(false, 310, "RFC4535-5.2.1.2-12");
	answered(true, 3590, "RFC4535-7.3.2-03");
	answered(true, 3610, "RFC4535-5.2.1.2-12");
}

/* A recording cannot be played back because clocks may be further apart now:
 * neither one whose nonce is still known nor one whose nonce is not. */
GK_TEST(rfc4535_3_1_04, a_wider_skew_brings_no_recording_back)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf old = { 0 }, fresh = { 0 };
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ }, &old);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	world_pass(f.w, 700 * 1000); /* forgotten, and its session over */
	gcks_forge(
		&(struct gcks_forge){
			.m = f.m, RTJ, .nonce = gk_slice_str("another nonce") },
		&fresh);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&fresh), f.m->node));
	world_pass(f.w, 20 * 1000); /* its session is over, too */
	decree(f.w, (struct gpt_operation){ .skew = n(86400) });
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-7.8.2-04");
	world_pass(f.w, 1800 * 1000); /* before, 601 seconds were enough */
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&fresh), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	gk_buf_free(&old);
	gk_buf_free(&fresh);
	fixture_down(&f);
}

static void
taken(struct fixture *f, const struct world_member *m, struct gk_buf *rtj)
{
	gcks_forge(&(struct gcks_forge){ .m = m, RTJ }, rtj);
	gk_assert_ok(world_to_server(f->w, gk_buf_slice(rtj), m->node));
}

/* Wider, and a moment later wider still: what was too old in the beginning is not
 * as old as the second of the three skews, and its nonce was forgotten by the
 * first. */
GK_TEST(rfc4535_3_1_04, nor_does_one_that_is_widened_twice)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf old = { 0 }, other = { 0 };
	struct world_member *bob;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	bob = world_member_add(f.w, "bob");
	decree(f.w, (struct gpt_operation){ .skew = n(60) });
	taken(&f, f.m, &old);
	world_pass(f.w, 200 * 1000);
	taken(&f, bob, &other); /* which makes it forget */
	world_pass(f.w, 20 * 1000);
	decree(f.w, (struct gpt_operation){ .skew = n(600) });
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	decree(f.w, (struct gpt_operation){ .skew = n(3600) });
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-7.8.2-04");
	/* until it is too old for the last one */
	world_pass(f.w, 3500 * 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	gk_buf_free(&old);
	gk_buf_free(&other);
	fixture_down(&f);
}

/* What is taken under a wide skew is remembered for as long as it is fresh. */
GK_TEST(rfc4535_3_1_04, nonces_are_remembered_for_the_skew_of_the_token)
{
	struct world_config cfg = world_plain(3);
	struct gk_buf old = { 0 }, other = { 0 };
	struct world_member *bob;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	bob = world_member_add(f.w, "bob");
	decree(f.w, (struct gpt_operation){ .skew = n(3600) });
	taken(&f, f.m, &old);
	world_pass(f.w, 3500 * 1000); /* by the configuration, 601 seconds */
	taken(&f, bob, &other);       /* which makes it forget what it may */
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&old), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	gk_buf_free(&old);
	gk_buf_free(&other);
	fixture_down(&f);
}

static enum gk_err
asked_at(struct fixture *f, struct gk_now now)
{
	struct gsakmp_gcks *gcks = f->w->worker[0].gcks;
	const struct gsakmp_endpoint from = { .ip = { 192, 0, 2, 7 },
		                              .ip_len = 4,
		                              .port = 3761 };
	struct gsakmp_output out;
	struct gk_buf rtj = { 0 };
	enum gk_err err;

	gcks_forge(&(struct gcks_forge){ .m = f->m,
	                                 RTJ,
	                                 .skew = now.utc_s -
	                                         simnet_now(f->w->net).utc_s },
	           &rtj);
	err = gsakmp_gcks_receive(gcks, rtj.ptr, rtj.len, &from, now);
	while (gsakmp_gcks_poll(gcks, &out))
		;
	gk_buf_free(&rtj);
	return err;
}

/* The clock was fast when the skew was widened, and is set back: what is signed by
 * it is from before, but not for longer than the two skews differ. */
GK_TEST(rfc4535_3_1_02, a_clock_that_is_set_back_keeps_nobody_out)
{
	struct world_config cfg = world_plain(3);
	struct fixture f;
	struct gk_now now;

	fixture_up(&f, &cfg, ALICE_NAME);
	decree(f.w, (struct gpt_operation){ .skew = n(60) });
	now = simnet_now(f.w->net);
	decree(f.w, (struct gpt_operation){ .skew = n(600) });
	now.utc_s -= 86400;
	now.mono_ms += 530 * 1000;
	gk_assert_err(GK_ERR_REPLAY, asked_at(&f, now));
	now.utc_s += 15;
	now.mono_ms += 15 * 1000;
	gk_assert_ok(asked_at(&f, now));
	fixture_down(&f);
}

GK_TEST(rfc4534_2_11, what_means_nothing_is_refused)
{
	const struct gpt_operation bad[] = {
		{ .join_rekey = { true, 2 } },
		{ .join_rekey = { true, -1 } },
		{ .join_window = { true, -1 } },
		{ .join_window = { true, 3601 } },
		{ .mtu = { true, 575 } },
		{ .mtu = { true, 65536 } },
		{ .skew = { true, 0 } },
		{ .skew = { true, 86401 } },
		{ .mtu = { true, INT64_MAX } },
		{ .skew = { true, INT64_MIN } },
	};
	struct world_config cfg = world_plain(3);
	struct gsakmp_reject why;
	struct world *w = world_joined(&cfg, 2);
	int64_t edition = world_status(w).edition;

	w->amend = say;
	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		says = bad[i];
		world_token(w);
		gk_assert_err(GK_ERR_POLICY, world_publish(w, &why));
		assert_string_equal(why.req, "RFC4534-2-11");
		assert_int_equal(world_status(w).edition, edition);
	}
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_4_7_05, the_window_ends_to_the_millisecond),
		GK_RUN(rfc4535_4_4_7_05,
		       the_last_inside_shares_and_the_next_does_not),
		GK_RUN(rfc4535_4_4_3_06,
		       a_window_does_not_begin_anew_with_the_key_server),
		GK_RUN(rfc4535_4_4_7_05,
		       the_token_says_whether_a_join_brings_new_keys),
		GK_RUN(rfc4535_4_4_7_05,
		       the_token_overrides_what_is_configured),
		GK_RUN(rfc4535_4_4_7_05,
		       a_dialect_can_pass_over_what_the_token_says),
		GK_RUN(rfc4535_7_5_1_01,
		       no_rekey_is_longer_than_the_token_allows),
		GK_RUN(rfc4535_7_5_1_01, of_two_limits_the_lower_one_holds),
		GK_RUN(rfc4535_3_1_02,
		       the_token_says_how_far_clocks_may_be_apart),
		GK_RUN(rfc4535_3_1_02,
		       a_member_goes_by_the_token_once_it_has_one),
		GK_RUN(rfc4535_3_1_04, a_wider_skew_brings_no_recording_back),
		GK_RUN(rfc4535_3_1_04, nor_does_one_that_is_widened_twice),
		GK_RUN(rfc4535_3_1_04,
		       nonces_are_remembered_for_the_skew_of_the_token),
		GK_RUN(rfc4535_3_1_02,
		       a_clock_that_is_set_back_keeps_nobody_out),
		GK_RUN(rfc4534_2_11, what_means_nothing_is_refused),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/operation", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
