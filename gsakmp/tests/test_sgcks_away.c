/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_sub.h"

#include <stdio.h>
#include <string.h>

#include "gsakmp/engine/gm_state.h"

/*
 * Key servers that die, lose each other, come back, are revoked: RFC 4535
 * sections 3.1, 4.4.7 and 7.1.1, with subordinates.
 */
static const char *const names[] = { "CN=s0,O=Members", "CN=s1,O=Members",
	                             "CN=s2,O=Members" };

#define SUBS 3
#define BEHIND 3

struct scene {
	struct world *w;
	struct world_sub *sub[SUBS];
	struct world_member *m[SUBS][BEHIND];
};

static void
allow(struct world *w)
{
	for (size_t i = 0; i < SUBS; i++)
		w->sub_gcks[i] = w->auth_subs[i] = names[i];
}

static const struct world_config usual = {
	.suite = WORLD_P256,
	.seed = 1,
	.event = GPT_REKEY_EVENT_TIME,
	.event_time = 36000,
	.interval = 360000,
	.resend = 2,
	.gm = { .missed_ms = 2000,
	        .silence_ms = 20000,
	        .rejoin_backoff_ms = 1000 },
};

/* Each member knows its own key server first, then the next one. */
static struct scene
open_scene(const struct world_config *cfg)
{
	struct scene sc = { .w = world_new(cfg) };
	char cn[16];

	allow(sc.w);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	for (size_t i = 0; i < SUBS; i++) {
		snprintf(cn, sizeof(cn), "s%zu", i);
		sc.sub[i] = world_sub_add(sc.w, cn);
		world_sub_start(sc.sub[i]);
	}
	world_pass(sc.w, 5000);
	for (size_t i = 0; i < SUBS; i++)
		for (size_t k = 0; k < BEHIND; k++) {
			snprintf(cn, sizeof(cn), "m%zu%zu", i, k);
			sc.m[i][k] = world_member_add(sc.w, cn);
			world_sub_serves(sc.sub[i], sc.m[i][k]);
			world_sub_serves(sc.sub[(i + 1) % SUBS], sc.m[i][k]);
			world_join(sc.m[i][k]);
		}
	world_pass(sc.w, 5000);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	return sc;
}

static void
close_scene(struct scene *sc)
{
	for (size_t i = 0; i < SUBS; i++)
		world_sub_free(sc->sub[i]);
	world_free(sc->w);
}

static struct gsakmp_group_status
status(struct gsakmp_group *g)
{
	struct gsakmp_group_status st;

	gsakmp_group_status(g, &st);
	return st;
}

/* Requests to Join that the members have sent, retransmissions included. */
static unsigned
asked(const struct scene *sc)
{
	unsigned n = 0;

	for (size_t i = 0; i < SUBS; i++)
		for (size_t k = 0; k < BEHIND; k++)
			n += sc->m[i][k]
			             ->seen
			             .sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN];
	return n;
}

/* What the Group Owner does when it hears of an expulsion: until then other
 * subordinates would take the member in. */
static void
owner_excludes(struct scene *sc, const struct world_member *m)
{
	static char text[128];

	snprintf(text, sizeof(text), "%.*s", (int)m->name.len,
	         (const char *)m->name.ptr);
	sc->w->excluded[sc->w->n_excluded++] = text;
	world_token(sc->w);
	gk_assert_ok(world_publish(sc->w, NULL));
}

/* ---- the primary is away ------------------------------------------------- */

GK_TEST(rfc4535_4_4_7_01, without_the_primary_it_goes_on_serving)
{
	struct scene sc = open_scene(&usual);
	struct world_member *e = world_member_add(sc.w, "e");

	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	simnet_cut(sc.w->net, sc.w->group_node, true);
	world_pass(sc.w, 600000);
	world_sub_serves(sc.sub[0], e);
	world_join(e);
	world_pass(sc.w, 5000);
	assert_true(world_has_current(e));
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND + 1);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_03, what_was_missed_is_made_up_for_and_nobody_rejoins)
{
	struct scene sc = open_scene(&usual);
	unsigned before = asked(&sc);
	unsigned stale = sc.sub[2]->above.count[GSAKMP_OUT_STALE];

	/* One that passes by right after a join means nothing. */
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	simnet_cut(sc.w->net, sc.sub[2]->up, true);
	world_join(world_member_add(sc.w, "e")); /* beside it in the tree */
	world_pass(sc.w, 5000);
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	assert_int_equal(world_in_step(sc.w), (SUBS - 1) * BEHIND + 1);
	simnet_cut(sc.w->net, sc.sub[2]->up, false);
	gk_assert_ok(world_rekey(sc.w)); /* which has no keys for it */
	world_pass(sc.w, 30000);
	assert_int_equal(sc.sub[2]->above.count[GSAKMP_OUT_STALE], stale + 1);
	assert_true(world_sub_status(sc.sub[2]).in_step);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND + 1);
	assert_int_equal(sc.m[2][0]->gm->policy->v.token->edition,
	                 sc.w->edition);
	assert_int_equal(asked(&sc), before);
	close_scene(&sc);
}

GK_TEST(rfc4535_7_1_1_14, a_destroyed_group_is_destroyed_behind_it_too)
{
	struct scene sc = open_scene(&usual);

	gk_assert_ok(gsakmp_group_destroy(sc.w->group, simnet_now(sc.w->net)));
	world_drain(sc.w);
	world_pass(sc.w, 5000);
	for (size_t i = 0; i < SUBS; i++) {
		assert_true(status(sc.sub[i]->group).destroyed);
		for (size_t k = 0; k < BEHIND; k++)
			assert_int_equal(gsakmp_gm_state(sc.m[i][k]->gm),
			                 GSAKMP_GM_IDLE);
	}
	close_scene(&sc);
}

/* ---- a subordinate dies --------------------------------------------------- */

GK_TEST(rfc4535_7_1_1_09, a_killed_subordinate_goes_on_with_its_numbers)
{
	struct scene sc = open_scene(&usual);
	unsigned before = asked(&sc);
	uint32_t sequence;

	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	sequence = status(sc.sub[0]->group).sequence;
	assert_true(sequence > 0);
	world_sub_restart(sc.sub[0]);
	/* At once, with what it has; the primary knows it still. */
	assert_true(world_sub_status(sc.sub[0]).serving);
	world_pass(sc.w, 3000);
	assert_int_equal(status(sc.sub[0]->group).n_members, BEHIND);
	assert_int_equal(status(sc.w->group).n_members, SUBS);
	assert_int_equal(status(sc.sub[0]->group).sequence, sequence);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	assert_int_equal(status(sc.sub[0]->group).sequence, sequence + 1);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	assert_int_equal(asked(&sc), before);
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_09, an_expulsion_outlives_the_one_that_decided_it)
{
	struct scene sc = open_scene(&usual);

	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	gk_assert_ok(world_sub_evict(sc.sub[0], sc.m[0][0]->peer));
	world_pass(sc.w, 1000);
	world_sub_kill(sc.sub[0]);
	simnet_cut(sc.w->net, sc.w->worker[0].node, false);
	world_sub_restart(sc.sub[0]);
	assert_int_equal(status(sc.sub[0]->group).n_expelled, 1);
	world_pass(sc.w, 20000);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	owner_excludes(&sc, sc.m[0][0]);
	world_pass(sc.w, 60000);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND - 1);
	assert_false(world_has_current(sc.m[0][0]));
	close_scene(&sc);
}

GK_TEST(rfc4535_4_4_7_11, a_killed_primary_still_owes_the_rekey)
{
	struct scene sc = open_scene(&usual);
	uint32_t handle = status(sc.w->group).gtpk.handle;

	/* Its group has no time to act upon what the worker has stored. */
	simnet_cut(sc.w->net, sc.w->group_node, true);
	gk_assert_ok(world_sub_evict(sc.sub[0], sc.m[0][0]->peer));
	for (int i = 0; i < 100 && sc.w->seen.count[GSAKMP_OUT_EXPELLED] == 0;
	     i++)
		world_pass(sc.w, 1);
	world_restart(sc.w);
	simnet_cut(sc.w->net, sc.w->group_node, false);
	world_pass(sc.w, 5000);
	assert_int_not_equal(status(sc.w->group).gtpk.handle, handle);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND - 1);
	close_scene(&sc);
}

GK_TEST(rfc2627_5_2_03, members_of_a_dead_subordinate_go_to_the_next)
{
	struct scene sc = open_scene(&usual);

	world_sub_kill(sc.sub[0]);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 200);
	assert_int_equal(world_in_step(sc.w), (SUBS - 1) * BEHIND);
	/* They hear the primary, and their own server says nothing. */
	world_pass(sc.w, 60000);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	assert_int_equal(status(sc.sub[1]->group).n_members, 2 * BEHIND);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 3000);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	close_scene(&sc);
}

/* It is there, and answers; what the primary sends does not reach it. */
GK_TEST(rfc4535_4_4_7_14, one_that_passes_nothing_on_is_refused_its_members)
{
	struct scene sc = open_scene(&usual);

	simnet_cut(sc.w->net, sc.sub[0]->up, true);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 60000);
	for (size_t k = 0; k < BEHIND; k++) {
		assert_int_equal(sc.m[0][k]->seen.count[GSAKMP_OUT_STALE], 1);
		assert_true(world_has_current(sc.m[0][k]));
	}
	assert_int_equal(status(sc.sub[1]->group).n_members, 2 * BEHIND);
	close_scene(&sc);
}

/* ---- a subordinate loses its authority ------------------------------------ */

GK_TEST(rfc4535_4_4_6_02, one_that_the_token_names_no_more_stops)
{
	struct scene sc = open_scene(&usual);
	unsigned sent;

	sc.w->sub_gcks[0] = sc.w->auth_subs[0] = names[1];
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 100);
	assert_false(world_sub_status(sc.sub[0]).serving);
	sent = sc.sub[0]->seen.count[GSAKMP_OUT_MULTICAST] +
	       sc.sub[0]->seen.count[GSAKMP_OUT_SEND];
	world_pass(sc.w, 60000);
	assert_int_equal(sc.sub[0]->seen.count[GSAKMP_OUT_MULTICAST] +
	                         sc.sub[0]->seen.count[GSAKMP_OUT_SEND],
	                 sent);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	assert_int_equal(status(sc.sub[1]->group).n_members, 2 * BEHIND);
	close_scene(&sc);
}

GK_TEST(rfc4535_3_1_05, members_leave_one_whose_certificate_is_revoked)
{
	struct scene sc = open_scene(&usual);
	const struct gk_pki_party *who = &sc.sub[0]->m->pki;
	struct gk_buf crl = { 0 };

	gk_pki_crl(&sc.w->root, &who, 1, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(sc.w->trust, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
	for (size_t i = 0; i < SUBS; i++)
		for (size_t k = 0; k < BEHIND; k++) {
			gk_assert_ok(gsakmp_gm_revocations(
				sc.m[i][k]->gm, simnet_now(sc.w->net)));
			world_drain_member(sc.m[i][k]);
		}
	world_pass(sc.w, 60000);
	assert_int_equal(status(sc.sub[1]->group).n_members, 2 * BEHIND);
	assert_int_equal(status(sc.sub[2]->group).n_members, BEHIND);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	/* Those of the others had no reason to move. */
	for (size_t k = 0; k < BEHIND; k++)
		assert_int_equal(sc.m[2][k]->seen.count[GSAKMP_OUT_STALE], 0);
	close_scene(&sc);
}

GK_TEST(rfc4535_5_3_2_1_02, an_excluded_subordinate_stops_at_once)
{
	struct scene sc = open_scene(&usual);

	sc.w->excluded[sc.w->n_excluded++] = names[0];
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 1000);
	assert_false(world_sub_status(sc.sub[0]).serving);
	assert_int_equal(sc.sub[0]->above.count[GSAKMP_OUT_EVICTED], 1);
	world_pass(sc.w, 60000);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	close_scene(&sc);
}

GK_TEST(rfc4535_5_3_2_3_02, a_subordinate_that_leaves_is_gone_for_its_members)
{
	struct scene sc = open_scene(&usual);

	gk_assert_ok(
		gsakmp_sgcks_leave(sc.sub[0]->sgcks, simnet_now(sc.w->net)));
	world_sub_drain(sc.sub[0]);
	world_pass(sc.w, 2000);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	assert_false(world_sub_status(sc.sub[0]).serving);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 60000);
	assert_int_equal(status(sc.w->group).n_members, SUBS - 1);
	assert_int_equal(world_in_step(sc.w), SUBS * BEHIND);
	/* It comes back and serves whoever asks. */
	world_sub_start(sc.sub[0]);
	world_pass(sc.w, 5000);
	assert_true(world_sub_status(sc.sub[0]).in_step);
	close_scene(&sc);
}

/* Whoever is no member has nothing to hand out, and the next process knows. */
static void
without_the_primary_it_serves_nobody(struct scene *sc)
{
	simnet_cut(sc->w->net, sc->w->worker[0].node, true);
	world_sub_restart(sc->sub[0]);
	world_pass(sc->w, 3000);
	assert_false(world_sub_status(sc->sub[0]).serving);
	assert_true(status(sc->sub[0]->group).paused);
	simnet_cut(sc->w->net, sc->w->worker[0].node, false);
	world_pass(sc->w, 120000);
}

GK_TEST(rfc4535_4_1_4_02, one_that_left_serves_nobody_before_it_is_back)
{
	struct scene sc = open_scene(&usual);

	gk_assert_ok(
		gsakmp_sgcks_leave(sc.sub[0]->sgcks, simnet_now(sc.w->net)));
	world_sub_drain(sc.sub[0]);
	world_pass(sc.w, 1000);
	without_the_primary_it_serves_nobody(&sc);
	assert_true(world_sub_status(sc.sub[0]).in_step);
	/* And then it is what it was. */
	simnet_cut(sc.w->net, sc.w->worker[0].node, true);
	world_sub_restart(sc.sub[0]);
	assert_true(world_sub_status(sc.sub[0]).serving);
	close_scene(&sc);
}

GK_TEST(rfc4535_5_3_2_1_02, an_excluded_subordinate_stays_out_after_a_restart)
{
	struct scene sc = open_scene(&usual);

	sc.w->excluded[sc.w->n_excluded++] = names[0];
	world_token(sc.w);
	gk_assert_ok(world_publish(sc.w, NULL));
	world_pass(sc.w, 1000);
	without_the_primary_it_serves_nobody(&sc);
	assert_false(world_sub_status(sc.sub[0]).serving);
	close_scene(&sc);
}

/* ---- bad weather ---------------------------------------------------------- */

/* Loss, duplication, reordering, partitions and deaths; when the sun is out
 * again everybody has the key, but for those who were expelled. */
static void
storm(uint64_t seed)
{
	const struct simnet_weather bad = { .loss = 100,
		                            .duplicate = 30,
		                            .latency_min = 1,
		                            .latency_max = 400 };
	const struct simnet_weather calm = { .latency_min = 1,
		                             .latency_max = 5 };
	struct world_config cfg = usual;
	uint32_t sequence[SUBS] = { 0 };
	struct scene sc;

	cfg.seed = seed;
	sc = open_scene(&cfg);
	simnet_weather(sc.w->net, &bad);
	for (int round = 0; round < 12; round++) {
		size_t i = simnet_random(sc.w->net) % SUBS;

		switch (simnet_random(sc.w->net) % 5) {
		case 0:
			world_sub_cut(sc.sub[i], true);
			world_pass(sc.w, 3000);
			world_sub_cut(sc.sub[i], false);
			break;
		case 1:
			world_sub_restart(sc.sub[i]);
			break;
		case 2:
			world_restart(sc.w);
			break;
		default:
			gk_assert_ok(world_rekey(sc.w));
		}
		if (round == 6)
			gk_assert_ok(
				world_sub_evict(sc.sub[1], sc.m[1][0]->peer));
		world_pass(sc.w, simnet_random(sc.w->net) % 8000);
		/* RFC4535-7.1.1-09: never again, never back. */
		for (size_t k = 0; k < SUBS; k++) {
			uint32_t now = status(sc.sub[k]->group).sequence;

			assert_true(now >= sequence[k]);
			sequence[k] = now;
		}
	}
	owner_excludes(&sc, sc.m[1][0]);
	simnet_weather(sc.w->net, &calm);
	world_pass(sc.w, 60000);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 120000);
	for (size_t i = 0; i < sc.w->n_members; i++) {
		struct world_member *m = sc.w->member[i];

		if (m->n_servers != 0 && m != sc.m[1][0] &&
		    gsakmp_gm_state(m->gm) == GSAKMP_GM_IDLE)
			world_join(m); /* gave up; somebody tries again */
	}
	world_pass(sc.w, 120000);
	gk_assert_ok(world_rekey(sc.w));
	world_pass(sc.w, 60000);
	if (world_in_step(sc.w) != SUBS * BEHIND - 1)
		fail_msg("seed %llu: %zu of %d in step",
		         (unsigned long long)seed, world_in_step(sc.w),
		         SUBS * BEHIND - 1);
	assert_false(world_has_current(sc.m[1][0]));
	close_scene(&sc);
}

GK_TEST(rfc4535_3_4_01, after_any_storm_everybody_has_the_key)
{
	for (uint64_t seed = 1; seed <= 6; seed++)
		storm(seed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_4_7_01,
		       without_the_primary_it_goes_on_serving),
		GK_RUN(rfc4535_4_4_7_03,
		       what_was_missed_is_made_up_for_and_nobody_rejoins),
		GK_RUN(rfc4535_7_1_1_14,
		       a_destroyed_group_is_destroyed_behind_it_too),
		GK_RUN(rfc4535_7_1_1_09,
		       a_killed_subordinate_goes_on_with_its_numbers),
		GK_RUN(rfc4535_4_4_7_09,
		       an_expulsion_outlives_the_one_that_decided_it),
		GK_RUN(rfc4535_4_4_7_11, a_killed_primary_still_owes_the_rekey),
		GK_RUN(rfc2627_5_2_03,
		       members_of_a_dead_subordinate_go_to_the_next),
		GK_RUN(rfc4535_4_4_7_14,
		       one_that_passes_nothing_on_is_refused_its_members),
		GK_RUN(rfc4535_4_4_6_02,
		       one_that_the_token_names_no_more_stops),
		GK_RUN(rfc4535_3_1_05,
		       members_leave_one_whose_certificate_is_revoked),
		GK_RUN(rfc4535_5_3_2_1_02,
		       an_excluded_subordinate_stops_at_once),
		GK_RUN(rfc4535_5_3_2_3_02,
		       a_subordinate_that_leaves_is_gone_for_its_members),
		GK_RUN(rfc4535_4_1_4_02,
		       one_that_left_serves_nobody_before_it_is_back),
		GK_RUN(rfc4535_5_3_2_1_02,
		       an_excluded_subordinate_stays_out_after_a_restart),
		GK_RUN(rfc4535_3_4_01, after_any_storm_everybody_has_the_key),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/sgcks_away", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
