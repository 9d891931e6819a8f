/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <stdio.h>
#include <string.h>

/*
 * The group over time: rekeys by policy, membership changes, restarts, bad
 * networks.  RFC 4535 sections 5.3 and appendix A, RFC 4534 B.5.
 */
static struct world *
make(const struct world_config *cfg, unsigned members)
{
	struct world *w = world_new(cfg);
	char cn[16];

	for (unsigned i = 0; i < members; i++) {
		snprintf(cn, sizeof(cn), "m%u", i);
		world_member_add(w, cn);
	}
	return w;
}

static struct world *
joined(const struct world_config *cfg, unsigned members)
{
	struct world *w = make(cfg, members);

	world_join_all(w);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), members);
	return w;
}

static struct world_config
plain(void)
{
	return (struct world_config){ .suite = WORLD_P256,
		                      .seed = 7,
		                      .event = GPT_REKEY_EVENT_TIME,
		                      .event_time = 3600 };
}

static struct gsakmp_group_status
status(struct world *w)
{
	struct gsakmp_group_status s;

	gsakmp_group_status(w->group, &s);
	return s;
}

/* ---- Table 29 ----------------------------------------------------------- */

GK_TEST(rfc4535_8_03, create_group_command_is_the_first_token)
{
	const struct world_config cfg = plain();
	struct world *w = world_new(&cfg);
	const struct gsakmp_group_config empty = {
		.party = w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = w->group_id,
	};
	struct gsakmp_group *idle = gsakmp_group_new(&w->env, &empty);
	struct gsakmp_group_status s;

	/* Idle: nothing but a token does anything. */
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_rekey(idle, simnet_now(w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_destroy(idle, simnet_now(w->net)));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_evict(idle, NULL, 0, simnet_now(w->net)));
	gsakmp_group_status(idle, &s);
	assert_false(s.open);
	assert_true(gsakmp_group_deadline(idle) == GK_NEVER);
	gk_assert_ok(gsakmp_group_set_token(idle, gk_buf_slice(&w->token),
	                                    simnet_now(w->net), NULL));
	gsakmp_group_status(idle, &s);
	assert_true(s.open);
	gsakmp_group_free(idle);
	world_free(w);
}

GK_TEST(rfc4535_8_05, valid_rtj_waits_for_a_response)
{
	const struct world_config cfg = plain();
	struct world *w = make(&cfg, 1);

	/* RFC4535-8-08: the join command takes the member out of Idle. */
	world_join_all(w);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_JOINING);
	world_pass(w, 1);
	assert_int_equal(status(w).n_pending, 1);
	/* RFC4535-8-06, RFC4535-8-09: its ACK takes both to the next state. */
	world_pass(w, 2);
	assert_int_equal(status(w).n_pending, 0);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_MEMBER);
	/* RFC4535-8-10: management messages leave it where it is. */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 10);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_MEMBER);
	world_free(w);
}

GK_TEST(rfc4535_8_06, timeout_returns_to_waiting_for_events)
{
	const struct world_config cfg = plain();
	struct world *w = make(&cfg, 1);

	world_join_all(w);
	world_pass(w, 1);
	simnet_cut(w->net, w->member[0]->node, true);
	assert_int_equal(status(w).n_pending, 1);
	world_pass(w, 11000);
	assert_int_equal(status(w).n_pending, 0);
	assert_int_equal(status(w).n_overdue, 1);
	world_free(w);
}

GK_TEST(rfc4535_8_04, departure_leaves_the_server_waiting_for_events)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 2);

	/* RFC4535-8-11: and takes the member back to Idle. */
	gk_assert_ok(
		gsakmp_gm_leave(w->member[0]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	assert_true(status(w).open);
	assert_int_equal(status(w).n_pending, 0);
	world_free(w);
}

GK_TEST(rfc4535_8_07, delete_group_command_returns_to_idle)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 1);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_false(status(w).open);
	gk_assert_err(GK_ERR_UNEXPECTED, world_rekey(w));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_group_destroy(w->group, simnet_now(w->net)));
	/* and nobody can join any more */
	world_join(world_member_add(w, "late"));
	world_pass(w, 1000);
	assert_string_equal(w->seen.req, "RFC4535-7.1.2-02");
	world_free(w);
}

GK_TEST(rfc4535_8_12, timeout_while_joining_returns_to_idle)
{
	const struct world_config cfg = plain();
	struct world *w = make(&cfg, 1);

	simnet_cut(w->net, w->worker[0].node, true);
	world_join_all(w);
	world_pass(w, 20001);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	world_free(w);
}

/* ---- rekeys ------------------------------------------------------------- */

GK_TEST(rfc4535_5_3_1_1_01, time_of_the_token_brings_a_rekey)
{
	struct world_config cfg = plain();
	struct world *w;
	uint32_t before;

	cfg.event_time = 600;
	w = joined(&cfg, 4);
	before = status(w).gtpk.handle;
	world_pass(w, 601 * 1000);
	assert_int_not_equal(status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_01, expiry_of_the_key_brings_a_rekey)
{
	struct world_config cfg = plain();
	struct world *w;
	uint32_t before;

	cfg.group.gtpk_life_s = 300;
	w = joined(&cfg, 3);
	before = status(w).gtpk.handle;
	world_pass(w, 290 * 1000);
	assert_int_not_equal(status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_7_4_1_1, member_forgets_a_key_that_has_expired)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	cfg.group.gtpk_life_s = 300;
	cfg.gm.no_recovery = true;
	w = joined(&cfg, 1);
	world_pass(w, 296 * 1000);
	assert_true(w->member[0]->has_key);
	world_pass(w, 5 * 1000);
	assert_false(w->member[0]->has_key);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_STALE], 1);
	world_free(w);
}

GK_TEST(rfc4534_b_1_1_06, member_knows_whether_it_may_send)
{
	struct world_config cfg = plain();
	struct gsakmp_gm_status s;
	struct world *w = make(&cfg, 2);

	w->only_sender = "CN=m1,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_join_all(w);
	world_pass(w, 3000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_false(s.may_send);
	gsakmp_gm_status(w->member[1]->gm, &s);
	assert_true(s.may_send);
	w->only_sender = NULL;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 3000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_true(s.may_send);
	world_free(w);
}

GK_TEST(rfc4534_b_5_3_04, departures_count_towards_a_rekey)
{
	struct world_config cfg = plain();
	struct world *w;
	uint32_t before;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_count = 2;
	w = joined(&cfg, 5);
	for (size_t i = 0; i < 2; i++) {
		before = status(w).gtpk.handle;
		gk_assert_ok(gsakmp_gm_leave(w->member[i]->gm, true,
		                             simnet_now(w->net)));
		world_drain_member(w->member[i]);
		world_pass(w, 1000);
		if (i == 0)
			assert_int_equal(status(w).gtpk.handle, before);
	}
	assert_int_not_equal(status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(status(w).n_members, 3);
	world_free(w);
}

GK_TEST(rfc4534_b_5_3_05, rekey_event_none_never_rekeys)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.event = GPT_REKEY_EVENT_NONE;
	w = joined(&cfg, 3);
	world_pass(w, 30ull * 86400 * 1000 / 31);
	assert_int_equal(status(w).rekeys, 0);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_7_1_1_12, sequence_rises_by_one_from_one)
{
	const struct world_config cfg = plain();
	struct world *w = make(&cfg, 1);

	assert_int_equal(status(w).sequence, 0);
	world_join_all(w);
	world_pass(w, 1000);
	for (uint32_t i = 1; i < 5; i++) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 100);
		assert_int_equal(status(w).sequence, i);
	}
	assert_int_equal(world_in_step(w), 1);
	world_free(w);
}

GK_TEST(rfc4535_7_5_2_16, several_rekeys_within_a_second_are_all_accepted)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 4);

	for (int i = 0; i < 10; i++)
		gk_assert_ok(world_rekey(w));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4534_b_5_6_2_01, resend_repeats_the_same_message)
{
	struct world_config cfg = plain();
	struct world *w;
	uint64_t sent;

	cfg.resend = 3;
	w = joined(&cfg, 2);
	world_pass(w, 10000);
	sent = simnet_counters(w->net)->sent;
	gk_assert_ok(world_rekey(w));
	world_pass(w, 10000);
	assert_int_equal(simnet_counters(w->net)->sent - sent, 4);
	assert_int_equal(world_in_step(w), 2);
	/* the repetitions are replays to a member that has it */
	assert_string_equal(w->member[0]->seen.req, "RFC4535-7.1.2-09");
	world_free(w);
}

GK_TEST(rfc4535_a_1, many_members_in_trees_of_any_degree)
{
	static const unsigned degree[] = { 2, 3, 4, 16 };

	for (size_t d = 0; d < 4; d++)
		for (int chain = 0; chain < 2; chain++) {
			struct world_config cfg = plain();
			struct world *w;

			cfg.group.lkh_degree = degree[d];
			cfg.group.lkh_chain = chain != 0;
			w = joined(&cfg, 20);
			gk_assert_ok(world_evict(w, w->member[5]->peer));
			world_pass(w, 100);
			gk_assert_ok(world_evict(w, w->member[13]->peer));
			world_pass(w, 100);
			assert_int_equal(world_in_step(w), 18);
			world_free(w);
		}
}

GK_TEST(rfc4535_7_5_1_01, long_event_is_split_over_several_messages)
{
	struct world_config cfg = plain();
	struct world *w;
	uint32_t before;

	cfg.group.rekey_split = 400;
	w = joined(&cfg, 30);
	world_pass(w, 5000);
	before = status(w).sequence;
	gk_assert_ok(world_evict(w, w->member[11]->peer));
	world_pass(w, 10000);
	assert_true(status(w).sequence > before + 1);
	assert_int_equal(world_in_step(w), 29);
	/* and nobody thought that something was missing */
	for (size_t i = 0; i < 30; i++)
		if (i != 11)
			assert_int_equal(
				w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
	world_free(w);
}

GK_TEST(rfc4535_3_4_01, five_hundred_members)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.group.lkh_degree = 4;
	cfg.group.join_window_ms = 2000;
	w = make(&cfg, 500);
	world_join_all(w);
	world_pass(w, 10000);
	assert_int_equal(world_in_step(w), 500);
	gk_assert_ok(world_evict(w, w->member[250]->peer));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 499);
	world_free(w);
}

/* ---- joins -------------------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_05, a_join_changes_the_key_for_everybody)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 3);
	uint32_t before = status(w).gtpk.handle;

	world_join(world_member_add(w, "late"));
	world_pass(w, 500);
	assert_int_not_equal(status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, joins_within_the_window_share_one_rekey)
{
	struct world_config cfg = plain();
	struct world *w;
	uint64_t rekeys;

	cfg.group.join_window_ms = 2000;
	w = joined(&cfg, 2);
	world_pass(w, 5000);
	rekeys = status(w).rekeys;
	for (int i = 0; i < 5; i++) {
		char cn[8];

		snprintf(cn, sizeof(cn), "x%d", i);
		world_join(world_member_add(w, cn));
		world_pass(w, 100);
	}
	world_pass(w, 5000);
	assert_int_equal(status(w).rekeys, rekeys + 1);
	assert_int_equal(world_in_step(w), 7);
	world_free(w);
}

GK_TEST(rfc4535_4_4_7_05, without_join_rekey_the_key_stays)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.group.no_join_rekey = true;
	w = joined(&cfg, 8);
	assert_int_equal(status(w).rekeys, 0);
	gk_assert_ok(world_evict(w, w->member[3]->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 7);
	world_free(w);
}

GK_TEST(rfc4535_5_2_1_2_19, join_and_eviction_in_one_window)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.group.join_window_ms = 2500;
	w = joined(&cfg, 4);
	world_join(world_member_add(w, "x"));
	world_join(world_member_add(w, "y"));
	world_pass(w, 500);
	/* one of those that joined in the open epoch is thrown out again */
	gk_assert_ok(world_evict(w, w->member[4]->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 5);
	assert_false(world_has_current(w->member[4]));
	assert_true(world_has_current(w->member[5]));
	world_free(w);
}

/* ---- leaving out -------------------------------------------------------- */

/* Everything the network carried after an eviction, fed to the evicted. */
struct tape {
	struct gk_buf dgram[256];
	size_t n;
};

static void
record(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct tape *tape = ctx;

	(void)from;
	if (tape->n < 256)
		gk_assert_ok(gk_buf_copy(&tape->dgram[tape->n++], dgram));
}

GK_TEST(rfc4535_5_3_2_1_03, evicted_member_opens_nothing_any_more)
{
	struct world_config cfg = plain();
	struct tape *tape = test_calloc(1, sizeof(*tape));
	struct world_member *out;
	struct world *w;
	uint32_t held;

	cfg.gm.no_recovery = true;
	w = joined(&cfg, 9);
	out = w->member[4];
	simnet_listen(w->net, out->node, false);
	simnet_tap(w->net, record, tape);
	gk_assert_ok(world_evict(w, out->peer));
	for (int i = 0; i < 10; i++) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 2000);
	}
	world_join(world_member_add(w, "new"));
	world_pass(w, 2000);
	simnet_tap(w->net, NULL, NULL);
	held = out->key.handle;
	for (size_t i = 0; i < tape->n; i++) {
		(void)!world_to_member(out, gk_buf_slice(&tape->dgram[i]));
		assert_int_equal(out->key.handle, held);
	}
	assert_true(tape->n > 10);
	assert_int_equal(world_in_step(w), 9);
	for (size_t i = 0; i < tape->n; i++)
		gk_buf_free(&tape->dgram[i]);
	test_free(tape);
	world_free(w);
}

GK_TEST(rfc4535_5_3_2_1_01, evicted_member_is_not_let_in_again)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 3);
	struct world_member *out = w->member[1];

	gk_assert_ok(world_evict(w, out->peer));
	world_pass(w, 180 * 1000);
	/* it noticed, tried to come back three times, and gave up */
	assert_int_equal(gsakmp_gm_state(out->gm), GSAKMP_GM_IDLE);
	assert_int_equal(out->seen.count[GSAKMP_OUT_STALE], 1);
	assert_false(out->has_key);
	assert_string_equal(w->seen.req, "RFC4535-5.3.2.1-01");
	world_pass(w, 3600 * 1000);
	assert_int_equal(world_in_step(w), 2);

	assert_int_equal(gsakmp_group_readmit(w->group, "dn:CN=nobody"),
	                 GK_ERR_VALUE);
	gk_assert_ok(gsakmp_group_readmit(w->group, out->peer));
	assert_int_equal(gsakmp_group_readmit(w->group, out->peer),
	                 GK_ERR_VALUE);
	world_drain(w);
	world_join(out);
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_2_01, new_token_leaves_the_excluded_out)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 4);
	struct world_member *out = w->member[2];

	w->excluded[w->n_excluded++] = "CN=m2,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(out->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_int_equal(gsakmp_gm_state(out->gm), GSAKMP_GM_IDLE);
	assert_false(out->has_key);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_TOKEN], 2);
	assert_int_equal(status(w).edition, 2);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_2_01, new_token_without_exclusions_brings_no_new_key)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 2);
	uint32_t before = status(w).gtpk.handle;
	struct gsakmp_gm_status s;

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	gsakmp_gm_status(w->member[0]->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(status(w).gtpk.handle, before);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_05, token_reaches_who_joins_at_that_moment)
{
	struct world_config cfg = plain();
	struct gsakmp_gm_status s;
	struct world *w;

	cfg.group.join_window_ms = 2500;
	w = joined(&cfg, 3);
	world_pass(w, 5000);
	world_join(world_member_add(w, "late"));
	world_pass(w, 500);
	w->excluded[w->n_excluded++] = "CN=m2,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);
	gsakmp_gm_status(w->member[3]->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(w->member[3]->seen.count[GSAKMP_OUT_STALE], 0);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_1_05, token_under_a_lost_key_is_fetched_anew)
{
	const struct world_config cfg = plain();
	struct gsakmp_gm_status s;
	struct world_member *m;
	struct world *w = joined(&cfg, 4);

	m = w->member[0];
	simnet_listen(w->net, m->node, false);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	simnet_listen(w->net, m->node, true);
	w->excluded[w->n_excluded++] = "CN=m3,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	/* the keys at once, the token by registering again */
	assert_true(world_has_current(m));
	gsakmp_gm_status(m->gm, &s);
	assert_int_equal(s.edition, 1);
	world_pass(w, 20000);
	gsakmp_gm_status(m->gm, &s);
	assert_int_equal(s.edition, 2);
	assert_int_equal(s.state, GSAKMP_GM_MEMBER);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4534_3_1_03, older_edition_is_refused_and_changes_nothing)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 2);
	struct gsakmp_reject why;
	uint8_t before[32], after[32];

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	w->edition = 0;
	world_token(w);
	gsakmp_group_digest(w->group, before);
	gk_assert_err(GK_ERR_REPLAY, world_publish(w, &why));
	gsakmp_group_digest(w->group, after);
	assert_memory_equal(before, after, 32);
	assert_int_equal(status(w).edition, 2);
	world_free(w);
}

GK_TEST(rfc4534_2_11, token_that_asks_for_what_nobody_here_does_is_refused)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 1);
	uint8_t before[32], after[32];
	struct gsakmp_reject why;

	gsakmp_group_digest(w->group, before);
	for (int post = 0; post < 2; post++) {
		w->transport = post ? GPT_TRANSPORT_UDP
		                    : GPT_TRANSPORT_UDP_RTJ_TCP_OTHER;
		w->reliability =
			post ? GPT_RELIABILITY_POST : GPT_RELIABILITY_RESEND;
		world_token(w);
		gk_assert_err(GK_ERR_POLICY, world_publish(w, &why));
		assert_string_equal(why.req,
		                    post ? "RFC4534-2-11" : "RFC4534-B.1.4-01");
	}
	gsakmp_group_digest(w->group, after);
	assert_memory_equal(before, after, 32);
	world_free(w);
}

GK_TEST(rfc4535_5_2_1_01, server_that_the_token_does_not_name_is_refused)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 1);
	struct gsakmp_reject why;

	w->named_server = "CN=Somebody Else";
	world_token(w);
	gk_assert_err(GK_ERR_POLICY, world_publish(w, &why));
	assert_string_equal(why.req, "RFC4535-5.2.1-01");
	assert_int_equal(status(w).edition, 1);
	world_free(w);
}

static void
revoke(struct world *w, const struct gk_pki_party *who)
{
	struct gk_buf crl = { 0 };

	gk_pki_crl(&w->root, &who, 1, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(w->trust, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
}

GK_TEST(rfc4535_4_2_02, member_with_a_revoked_certificate_is_evicted)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 4);

	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 4);
	revoke(w, &w->member[1]->pki);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 180 * 1000);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(gsakmp_gm_state(w->member[1]->gm), GSAKMP_GM_IDLE);
	assert_string_equal(w->seen.req, "RFC4535-7.8.2-07");
	world_free(w);
}

GK_TEST(rfc4535_3_1_06, revoked_group_owner_ends_the_membership)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 1);

	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_true(w->member[0]->has_key);
	revoke(w, &w->go);
	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_false(w->member[0]->has_key);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	world_free(w);
}

GK_TEST(rfc4535_3_1_05, revoked_key_server_is_not_obeyed_any_more)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 1);
	uint32_t held = w->member[0]->key.handle;

	revoke(w, &w->server);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(w->member[0]->key.handle, held);
	gk_assert_ok(
		gsakmp_gm_revocations(w->member[0]->gm, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm),
	                 GSAKMP_GM_REJOINING);
	world_pass(w, 300 * 1000);
	assert_int_equal(gsakmp_gm_state(w->member[0]->gm), GSAKMP_GM_IDLE);
	assert_false(w->member[0]->has_key);
	world_free(w);
}

/* ---- restarts ----------------------------------------------------------- */

GK_TEST(rfc4535_7_1_1_12, restart_goes_on_without_anybody_rejoining)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 6);
	uint32_t sequence = status(w).sequence;
	size_t rtj;

	rtj = w->seen.count[GSAKMP_OUT_MEMBER_PENDING];
	world_restart(w);
	assert_int_equal(status(w).n_members, 6);
	assert_int_equal(world_in_step(w), 6);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_true(status(w).sequence > sequence);
	assert_int_equal(world_in_step(w), 6);
	gk_assert_ok(world_evict(w, w->member[0]->peer));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 5);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], rtj);
	world_free(w);
}

GK_TEST(rfc4535_7_1_1_12, restart_between_commit_and_send_loses_nobody)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 5);
	struct gsakmp_output out;
	uint32_t sequence = status(w).sequence;

	/* The commit is done; then the process dies with the message unsent. */
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	while (gsakmp_group_poll(w->group, &out)) {
		const struct gk_journal *j;

		if (out.kind != GSAKMP_OUT_COMMIT)
			continue;
		j = gsakmp_group_commit_begin(w->group, out.ticket);
		assert_non_null(j);
		world_store_apply(&w->store, j);
		gsakmp_group_commit_end(w->group, true);
		break;
	}
	world_restart(w);
	world_pass(w, 1000);
	assert_int_equal(status(w).sequence, sequence + 1);
	assert_int_equal(world_in_step(w), 5);
	world_free(w);
}

/* Does a group come up from the store with row @at spoilt?  Either it does, or
 * it is refused; it never does anything else. */
static void
load_spoilt(struct world *w, size_t at, size_t len, uint8_t flip)
{
	const struct gsakmp_group_config cfg = {
		.party = w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = w->group_id,
	};
	struct gsakmp_group *g = gsakmp_group_new(&w->env, &cfg);
	struct gsakmp_group_status s;
	struct gsakmp_output out;
	enum gk_err err = GK_OK;

	for (size_t t = 0; gsakmp_group_table(t) != NULL; t++)
		for (size_t i = 0; i < w->store.n && err == GK_OK; i++) {
			const struct world_row *r = &w->store.row[i];
			struct gk_buf v = { 0 };

			if (strcmp(r->table, gsakmp_group_table(t)) != 0)
				continue;
			gk_assert_ok(gk_buf_copy(&v, gk_buf_slice(&r->value)));
			if (i == at && v.len > 0) {
				v.len = len < v.len ? len : v.len;
				if (v.len > 0)
					v.ptr[v.len / 2] ^= flip;
			}
			err = gsakmp_group_load(g, r->table,
			                        gk_buf_slice(&r->key),
			                        gk_buf_slice(&v));
			gk_buf_free(&v);
		}
	if (err == GK_OK)
		err = gsakmp_group_load_end(g, simnet_now(w->net));
	if (err == GK_OK)
		(void)!gsakmp_group_tick(g, simnet_now(w->net));
	gsakmp_group_status(g, &s);
	while (gsakmp_group_poll(g, &out))
		continue;
	gsakmp_group_free(g);
}

GK_TEST(rfc4535_7_1_1_12, spoilt_store_is_refused_or_harmless)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 3);

	gk_assert_ok(world_rekey(w));
	for (size_t i = 0; i < w->store.n; i++) {
		for (size_t len = 0; len < w->store.row[i].value.len;
		     len += len < 12 ? 1 : 97)
			load_spoilt(w, i, len, 0);
		load_spoilt(w, i, SIZE_MAX, 0x01);
		load_spoilt(w, i, SIZE_MAX, 0x80);
	}
	assert_true(w->store.n > 10);
	world_free(w);
}

GK_TEST(rfc4535_5_3_1_3_02, destroyed_group_stays_destroyed)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 2);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	world_restart(w);
	assert_true(status(w).destroyed);
	gk_assert_err(GK_ERR_UNEXPECTED, world_rekey(w));
	gk_assert_err(GK_ERR_UNEXPECTED, world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_DESTROYED], 1);
	/* nor does a member forget */
	world_restart_member(w->member[0]);
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_join(w->member[0]->gm, simnet_now(w->net)));
	world_free(w);
}

GK_TEST(rfc4535_7_1_2_09, nothing_leaves_when_the_store_fails)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 2);
	uint64_t sent = simnet_counters(w->net)->sent;

	w->store.broken = true;
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(simnet_counters(w->net)->sent, sent);
	/* what was not stored goes first next time, and nothing is missing */
	w->store.broken = false;
	world_pass(w, 1500);
	assert_int_equal(world_in_step(w), 2);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
	world_restart(w);
	world_pass(w, 20000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 20000);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

static size_t
stored_events(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->store.n; i++)
		n += strcmp(w->store.row[i].table, "gsakmp-event") == 0;
	return n;
}

GK_TEST(rfc4535_7_1_1_12, rekeys_held_back_survive_a_restart_in_order)
{
	const struct world_config cfg = plain();
	struct world *w = joined(&cfg, 6);
	struct gsakmp_output out;

	/* the second is of no use to those who did not see the first */
	w->store.broken = true;
	gk_assert_ok(world_evict(w, w->member[1]->peer));
	w->store.broken = false;
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	/* both are stored now; the process dies before either is sent */
	while (gsakmp_group_poll(w->group, &out)) {
		const struct gk_journal *j;

		if (out.kind != GSAKMP_OUT_COMMIT)
			continue;
		j = gsakmp_group_commit_begin(w->group, out.ticket);
		assert_non_null(j);
		world_store_apply(&w->store, j);
		gsakmp_group_commit_end(w->group, true);
		break;
	}
	world_restart(w);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 5);
	/* nobody had to register again for it */
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 6);
	/* and they are forgotten when they are old */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 3000);
	gk_assert_ok(world_rekey(w));
	assert_int_equal(stored_events(w), 1);
	world_free(w);
}

/* ---- bad networks ------------------------------------------------------- */

GK_TEST(rfc4535_3_4_01, members_keep_step_over_a_bad_network)
{
	for (uint64_t seed = 1; seed <= 3; seed += 2) {
		struct world_config cfg = plain();
		struct world *w;

		cfg.seed = seed;
		cfg.resend = 2;
		cfg.event_time = 120;
		cfg.interval = 300;
		w = make(&cfg, 25);
		simnet_weather(w->net, &(struct simnet_weather){
					       .loss = 100 * (unsigned)seed,
					       .duplicate = 100,
					       .latency_min = 1,
					       .latency_max = 400 });
		for (int i = 0; i < 30; i++) {
			world_join_all(w);
			world_pass(w, 60 * 1000);
		}
		simnet_weather(w->net,
		               &(struct simnet_weather){ .latency_min = 1,
		                                         .latency_max = 40 });
		for (int i = 0; i < 10; i++) {
			world_join_all(w);
			world_pass(w, 61 * 1000);
		}
		world_pass(w, 121000 - simnet_now(w->net).mono_ms % 120000);
		assert_int_equal(world_in_step(w), 25);
		assert_true(simnet_counters(w->net)->lost > 0);
		world_free(w);
	}
}

GK_TEST(rfc4535_5_2_1_1_21, parallel_joins_at_several_workers)
{
	struct world_config cfg = plain();
	struct world *w;

	cfg.workers = 4;
	w = make(&cfg, 60);
	simnet_weather(w->net, &(struct simnet_weather){ .latency_min = 1,
	                                                 .latency_max = 50 });
	world_join_all(w);
	world_pass(w, 5000);
	world_join_all(w);
	world_pass(w, 30000);
	assert_int_equal(world_in_step(w), 60);
	assert_int_equal(status(w).n_members, 60);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_8_03, create_group_command_is_the_first_token),
		GK_RUN(rfc4535_8_05, valid_rtj_waits_for_a_response),
		GK_RUN(rfc4535_8_06, timeout_returns_to_waiting_for_events),
		GK_RUN(rfc4535_8_04,
		       departure_leaves_the_server_waiting_for_events),
		GK_RUN(rfc4535_8_07, delete_group_command_returns_to_idle),
		GK_RUN(rfc4535_8_12, timeout_while_joining_returns_to_idle),
		GK_RUN(rfc4535_5_3_1_1_01, time_of_the_token_brings_a_rekey),
		GK_RUN(rfc4535_5_3_1_1_01, expiry_of_the_key_brings_a_rekey),
		GK_RUN(rfc4535_7_4_1_1, member_forgets_a_key_that_has_expired),
		GK_RUN(rfc4534_b_1_1_06, member_knows_whether_it_may_send),
		GK_RUN(rfc4534_b_5_3_04, departures_count_towards_a_rekey),
		GK_RUN(rfc4534_b_5_3_05, rekey_event_none_never_rekeys),
		GK_RUN(rfc4535_7_1_1_12, sequence_rises_by_one_from_one),
		GK_RUN(rfc4535_7_5_2_16,
		       several_rekeys_within_a_second_are_all_accepted),
		GK_RUN(rfc4534_b_5_6_2_01, resend_repeats_the_same_message),
		GK_RUN(rfc4535_a_1, many_members_in_trees_of_any_degree),
		GK_RUN(rfc4535_7_5_1_01,
		       long_event_is_split_over_several_messages),
		GK_RUN(rfc4535_3_4_01, five_hundred_members),
		GK_RUN(rfc4535_4_4_7_05, a_join_changes_the_key_for_everybody),
		GK_RUN(rfc4535_4_4_7_05,
		       joins_within_the_window_share_one_rekey),
		GK_RUN(rfc4535_4_4_7_05, without_join_rekey_the_key_stays),
		GK_RUN(rfc4535_5_2_1_2_19, join_and_eviction_in_one_window),
		GK_RUN(rfc4535_5_3_2_1_03,
		       evicted_member_opens_nothing_any_more),
		GK_RUN(rfc4535_5_3_2_1_01, evicted_member_is_not_let_in_again),
		GK_RUN(rfc4535_5_3_1_2_01, new_token_leaves_the_excluded_out),
		GK_RUN(rfc4535_5_3_1_2_01,
		       new_token_without_exclusions_brings_no_new_key),
		GK_RUN(rfc4535_5_3_1_1_05,
		       token_reaches_who_joins_at_that_moment),
		GK_RUN(rfc4535_5_3_1_1_05,
		       token_under_a_lost_key_is_fetched_anew),
		GK_RUN(rfc4534_3_1_03,
		       older_edition_is_refused_and_changes_nothing),
		GK_RUN(rfc4534_2_11,
		       token_that_asks_for_what_nobody_here_does_is_refused),
		GK_RUN(rfc4535_5_2_1_01,
		       server_that_the_token_does_not_name_is_refused),
		GK_RUN(rfc4535_4_2_02,
		       member_with_a_revoked_certificate_is_evicted),
		GK_RUN(rfc4535_3_1_06, revoked_group_owner_ends_the_membership),
		GK_RUN(rfc4535_3_1_05,
		       revoked_key_server_is_not_obeyed_any_more),
		GK_RUN(rfc4535_7_1_1_12,
		       restart_goes_on_without_anybody_rejoining),
		GK_RUN(rfc4535_7_1_1_12,
		       restart_between_commit_and_send_loses_nobody),
		GK_RUN(rfc4535_7_1_1_12, spoilt_store_is_refused_or_harmless),
		GK_RUN(rfc4535_5_3_1_3_02, destroyed_group_stays_destroyed),
		GK_RUN(rfc4535_7_1_2_09, nothing_leaves_when_the_store_fails),
		GK_RUN(rfc4535_7_1_1_12,
		       rekeys_held_back_survive_a_restart_in_order),
		GK_RUN(rfc4535_3_4_01, members_keep_step_over_a_bad_network),
		GK_RUN(rfc4535_5_2_1_1_21, parallel_joins_at_several_workers),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/group", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
