/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/engine/gm_state.h"
#include "gsakmp/tests/fixture.h"

#include "gsakmp/engine/group_state.h"

/*
 * When a group is rekeyed, and when it cannot be: RFC 4534 sections B.5.3 to
 * B.5.6 as a key server and its members live by them.
 */
#define HOUR_MS (3600 * 1000)

static void
depart(struct world *w, size_t i)
{
	gk_assert_ok(
		gsakmp_gm_leave(w->member[i]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[i]);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(w->member[i]->gm), GSAKMP_GM_IDLE);
}

static uint32_t
handle(struct world *w)
{
	return world_status(w).gtpk.handle;
}

/* "x units of time OR x events", whichever comes first, counted anew after each
 * rekey. */
GK_TEST(rfc4534_b_5_3_01, time_and_event_whichever_comes_first)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_time = 3600;
	cfg.event_count = 2;
	w = world_joined(&cfg, 8);
	/* the events come first ... */
	before = handle(w);
	world_pass(w, HOUR_MS / 2);
	depart(w, 0);
	assert_int_equal(handle(w), before);
	depart(w, 1);
	assert_int_not_equal(handle(w), before);
	/* ... and the hour begins again: nothing half an hour later ... */
	before = handle(w);
	world_pass(w, HOUR_MS - 60 * 1000);
	assert_int_equal(handle(w), before);
	/* ... but at its end, with one event or with none. */
	depart(w, 2);
	assert_int_equal(handle(w), before);
	world_pass(w, 61 * 1000);
	assert_int_not_equal(handle(w), before);
	before = handle(w);
	depart(w, 3); /* the first one again */
	assert_int_equal(handle(w), before);
	depart(w, 4);
	assert_int_not_equal(handle(w), before);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

GK_TEST(rfc4534_b_5_3_04, events_alone_never_mind_the_time)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.event = GPT_REKEY_EVENT_COUNT;
	cfg.event_count = 3;
	cfg.interval = 30 * 86400;
	w = world_joined(&cfg, 5);
	before = handle(w);
	world_pass(w, 10ull * 24 * HOUR_MS);
	assert_int_equal(handle(w), before);
	depart(w, 0);
	depart(w, 1);
	assert_int_equal(handle(w), before);
	depart(w, 2);
	assert_int_not_equal(handle(w), before);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* "the maximum time a group should exist between rekeys": a rekey for another
 * reason starts it again. */
GK_TEST(rfc4534_b_5_3_02, time_counts_from_the_last_rekey)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	w = world_joined(&cfg, 3);
	world_pass(w, HOUR_MS - 60 * 1000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	before = handle(w);
	world_pass(w, HOUR_MS - 60 * 1000);
	assert_int_equal(handle(w), before);
	world_pass(w, 61 * 1000);
	assert_int_not_equal(handle(w), before);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

/* A key server that is killed again and again comes to the end of the hour all the
 * same, and to the third event. */
GK_TEST(rfc4534_b_5_3_02, neither_time_nor_events_begin_anew_with_a_restart)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t before;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_time = 3600;
	cfg.event_count = 3;
	w = world_joined(&cfg, 5);
	before = handle(w);
	for (unsigned i = 0; i < 5; i++) {
		world_pass(w, HOUR_MS / 6);
		world_restart(w);
		assert_int_equal(handle(w), before);
	}
	world_pass(w, HOUR_MS / 6);
	assert_int_not_equal(handle(w), before);
	before = handle(w);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(handle(w), before);
		depart(w, i);
		world_restart(w);
		world_pass(w, 100);
	}
	assert_int_not_equal(handle(w), before);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* A time that went by while nobody was there is over when somebody is. */
GK_TEST(rfc4534_b_5_3_02, what_was_due_meanwhile_is_due)
{
	struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	uint32_t before = handle(w);

	w->group->rekey_due = GK_NEVER; /* away */
	simnet_poke(w->net, w->group_node);
	world_pass(w, 2 * HOUR_MS);
	assert_int_equal(handle(w), before);
	world_restart(w);
	world_pass(w, 2000);
	assert_int_not_equal(handle(w), before);
	world_free(w);
}

/* Reliability: none sends once, resend so many times more, the very same. */
GK_TEST(rfc4534_b_5_6_1_01, without_reliability_a_rekey_is_sent_once)
{
	for (unsigned resend = 0; resend < 3; resend++) {
		struct world_config cfg = world_plain(7);
		uint64_t sent;
		struct world *w;

		cfg.resend = resend;
		cfg.group.no_join_rekey = true;
		w = world_with(&cfg, 2);
		if (resend == 0) {
			w->reliability = GPT_RELIABILITY_NONE;
			world_token(w);
			gk_assert_ok(world_publish(w, NULL));
		}
		world_join_all(w);
		world_pass(w, 10000);
		sent = simnet_counters(w->net)->sent;
		gk_assert_ok(world_rekey(w));
		world_pass(w, 10000);

		assert_int_equal(simnet_counters(w->net)->sent - sent,
		                 1 + resend);
		assert_int_equal(world_in_step(w), 2);
		world_free(w);
	}
}

/* ---- how long a key may last --------------------------------------------- */

static int64_t
life(struct world *w)
{
	const struct gsakmp_gtpk k = world_status(w).gtpk;

	return k.expires_utc - k.created_utc;
}

/* keyExpirationDate as an interval: each version has it, a new token's from
 * then on; as a date: no version outlives it. */
GK_TEST(rfc4535_7_5_2_17, keys_last_as_long_as_the_token_says)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.key_expiration =
		(struct gpt_lifedate){ GPT_LIFEDATE_INTERVAL, 7200 };
	w = world_joined(&cfg, 2);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(life(w), 7200);
	w->cfg.key_expiration.value = 9000;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 2000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(life(w), 9000);
	assert_int_equal(world_in_step(w), 2);
	world_restart(w);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(life(w), 9000);
	w->cfg.key_expiration =
		(struct gpt_lifedate){ GPT_LIFEDATE_UTC,
		                       simnet_now(w->net).utc_s + 5000 };
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 2000);
	for (int i = 0; i < 2; i++) {
		gk_assert_ok(world_rekey(w));
		world_pass(w, 2000);
		assert_int_equal(world_status(w).gtpk.expires_utc,
		                 w->cfg.key_expiration.value);
		assert_int_equal(world_in_step(w), 2);
		if (i == 0)
			world_restart(w);
	}
	/* Nothing was refused but what a restarted server said again. */
	assert_string_equal(w->member[0]->seen.req, "RFC4535-7.1.2-09");
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_REFUSED], 2);
	world_free(w);
}

/* The date of the token has come: there is no other key, nobody is given the one that
 * is over, and the group goes on when a token has a later date. */
GK_TEST(rfc4534_c_1_04, no_key_outlives_the_date_of_the_token)
{
	struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	struct gsakmp_reject why;
	struct world_member *late;
	int64_t ends = simnet_now(w->net).utc_s + 5000;

	w->cfg.key_expiration = (struct gpt_lifedate){ GPT_LIFEDATE_UTC, ends };
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 2000);
	for (int restarted = 0; restarted < 2; restarted++) {
		world_pass(w, 6000 * 1000);
		gk_assert_ok(world_rekey(w));
		world_pass(w, 2000);
		assert_true(world_status(w).gtpk.expires_utc <=
		            simnet_now(w->net).utc_s);
		assert_int_equal(world_in_step(w), 0);
		late = world_member_add(w, restarted ? "late" : "later");
		world_join(late);
		world_pass(w, 20 * 1000);
		assert_int_equal(late->seen.count[GSAKMP_OUT_JOINED], 0);
		assert_string_equal(w->seen.req, "RFC4535-7.4.2-05");
		world_restart(w);
	}
	world_token(w);
	assert_int_equal(world_publish(w, &why), GK_ERR_POLICY);
	assert_string_equal(why.req, "RFC4534-C.1-04");
	w->cfg.key_expiration.value = simnet_now(w->net).utc_s + 5000;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	gk_assert_ok(world_rekey(w));
	world_pass(w, 60 * 1000); /* it goes on asking */
	assert_true(world_has_current(late));
	assert_int_equal(world_status(w).gtpk.expires_utc,
	                 w->cfg.key_expiration.value);
	world_free(w);
}

/* A token whose date is nearer than the end of the key that everybody has. */
GK_TEST(rfc4534_c_1_04, key_that_would_outlive_a_nearer_date_is_replaced)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	int64_t ends;

	cfg.group.gtpk_life_s = 100000;
	w = world_joined(&cfg, 2);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 2000);
	ends = simnet_now(w->net).utc_s + 5000;
	assert_true(world_status(w).gtpk.expires_utc > ends);
	w->cfg.key_expiration = (struct gpt_lifedate){ GPT_LIFEDATE_UTC, ends };
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 3000);
	assert_int_equal(world_status(w).gtpk.expires_utc, ends);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* A key server that gives a key more time than the token does. */
GK_TEST(rfc4535_7_5_2_17, key_that_lasts_longer_than_the_token_says_is_refused)
{
	for (int date = 0; date < 2; date++) {
		struct world_config cfg = world_plain(7);
		struct gsakmp_policy *policy;
		struct world_member *m;
		struct world *w;

		cfg.group.gtpk_life_s = 7200;
		w = world_joined(&cfg, 2);
		m = w->member[0];
		/* What the token would have said: a second, or ten, too few. */
		policy = m->gm->policy;
		policy->key_life[0] = date ? 0 : 7199;
		policy->key_expires[0] =
			date ? simnet_now(w->net).utc_s + 7190 : 0;
		gk_assert_ok(world_rekey(w));
		world_pass(w, 1000);
		assert_string_equal(m->seen.req, "RFC4535-7.5.2-17");
		assert_false(world_has_current(m));
		assert_true(world_has_current(w->member[1]));
		world_free(w);
	}
}

/* ---- method none -------------------------------------------------------- */

static struct world *
keyless(const struct world_config *plain, unsigned members)
{
	struct world_config cfg = *plain;

	cfg.method_none = true;
	cfg.event = GPT_REKEY_EVENT_NONE;
	return world_joined(&cfg, members);
}

/* Nobody can be told of a new key, so there is none: not for those who come, not
 * for those who go, not on command. */
GK_TEST(rfc4534_b_5_4_1_01, without_a_method_the_key_stays_for_everybody)
{
	struct world_config cfg = world_plain(7);
	struct world *w = keyless(&cfg, 4);
	uint32_t first = handle(w);
	const char *peer = w->member[0]->peer;
	struct world_member *late;

	depart(w, 3);
	assert_int_equal(world_status(w).n_members, 3);
	world_pass(w, 60000);
	assert_int_equal(handle(w), first);
	assert_int_equal(world_in_step(w), 3);
	late = world_member_add(w, "late");
	world_join(late);
	world_pass(w, 3000);
	assert_true(world_has_current(late));
	assert_int_equal(world_in_step(w), 4);
	gk_assert_err(GK_ERR_POLICY, world_rekey(w));
	gk_assert_err(GK_ERR_POLICY, world_evict(w, peer));
	world_pass(w, 1000);
	assert_int_equal(handle(w), first);
	assert_int_equal(world_status(w).n_members, 4);
	assert_int_equal(world_status(w).rekeys, 0);
	assert_true(world_status(w).fixed_keys);
	/* The refused one is not barred, either. */
	gk_assert_ok(
		gsakmp_gm_leave(w->member[0]->gm, true, simnet_now(w->net)));
	world_drain_member(w->member[0]);
	world_pass(w, 1000);
	world_join(w->member[0]);
	world_pass(w, 3000);
	assert_true(world_has_current(w->member[0]));
	world_free(w);
}

/* rekeyInterval is the delay "between valid rekeys": where there are none,
 * nobody has missed one. */
GK_TEST(rfc4534_b_5_4_1_01, without_a_method_no_rekey_is_overdue)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.interval = 60;
	w = keyless(&cfg, 2);
	world_pass(w, HOUR_MS);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
		assert_int_equal(
			w->member[i]
				->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN],
			1);
	}
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* A new token still travels, as type None; whoever it excludes goes as told, and
 * the others keep their key. */
GK_TEST(rfc4535_5_3_1_2_01, without_a_method_a_token_travels_alone)
{
	struct world_config cfg = world_plain(7);
	struct world *w = keyless(&cfg, 3);
	uint32_t first = handle(w);

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_TOKEN], 2);
	w->excluded[w->n_excluded++] = "CN=m1,O=Members";
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(w->member[1]->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_false(w->member[1]->has_key);
	assert_int_equal(handle(w), first);
	assert_int_equal(world_in_step(w), 2);
	assert_int_equal(world_status(w).n_members, 2);
	assert_int_equal(world_status(w).edition, 3);
	/* and it does not come back */
	world_join(w->member[1]);
	world_pass(w, 30000);
	assert_int_not_equal(gsakmp_gm_state(w->member[1]->gm),
	                     GSAKMP_GM_MEMBER);
	/* Destruction needs no method. */
	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_DESTROYED], 1);
	world_free(w);
}

/* A token of another method is for another group. */
GK_TEST(rfc4534_b_5_4_01, the_method_of_a_running_group_cannot_change)
{
	struct world_config cfg = world_plain(7);
	struct world *w = keyless(&cfg, 2);

	w->cfg.method_none = false;
	world_token(w);
	gk_assert_err(GK_ERR_POLICY, world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(world_status(w).edition, 1);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* Nor without a rekey protocol at all. */
GK_TEST(rfc4534_b_5_4_1_01, without_a_rekey_protocol_it_is_the_same)
{
	struct world_config cfg = world_plain(7);
	struct world *w;
	uint32_t first;

	cfg.no_rekey = true;
	w = world_joined(&cfg, 3);
	first = handle(w);
	depart(w, 2);
	assert_int_equal(world_status(w).n_members, 2);
	gk_assert_err(GK_ERR_POLICY, world_rekey(w));
	gk_assert_err(GK_ERR_POLICY, world_evict(w, w->member[0]->peer));
	world_join(w->member[2]);
	world_pass(w, 3000);
	assert_int_equal(handle(w), first);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

/* It survives a restart with the same key. */
GK_TEST(rfc4534_b_5_4_1_01, without_a_method_a_restart_keeps_the_key)
{
	struct world_config cfg = world_plain(7);
	struct world *w = keyless(&cfg, 3);
	uint32_t first = handle(w);

	depart(w, 2);
	world_restart(w);
	assert_int_equal(world_status(w).n_members, 2);
	world_pass(w, 1000);
	assert_int_equal(handle(w), first);
	assert_int_equal(world_in_step(w), 2);
	world_join(w->member[2]);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_5_3_01, time_and_event_whichever_comes_first),
		GK_RUN(rfc4534_b_5_3_04, events_alone_never_mind_the_time),
		GK_RUN(rfc4534_b_5_3_02, time_counts_from_the_last_rekey),
		GK_RUN(rfc4534_b_5_3_02,
		       neither_time_nor_events_begin_anew_with_a_restart),
		GK_RUN(rfc4534_b_5_3_02, what_was_due_meanwhile_is_due),
		GK_RUN(rfc4534_b_5_6_1_01,
		       without_reliability_a_rekey_is_sent_once),
		GK_RUN(rfc4535_7_5_2_17, keys_last_as_long_as_the_token_says),
		GK_RUN(rfc4534_c_1_04, no_key_outlives_the_date_of_the_token),
		GK_RUN(rfc4534_c_1_04,
		       key_that_would_outlive_a_nearer_date_is_replaced),
		GK_RUN(rfc4535_7_5_2_17,
		       key_that_lasts_longer_than_the_token_says_is_refused),
		GK_RUN(rfc4534_b_5_4_1_01,
		       without_a_method_the_key_stays_for_everybody),
		GK_RUN(rfc4534_b_5_4_1_01,
		       without_a_method_no_rekey_is_overdue),
		GK_RUN(rfc4535_5_3_1_2_01,
		       without_a_method_a_token_travels_alone),
		GK_RUN(rfc4534_b_5_4_01,
		       the_method_of_a_running_group_cannot_change),
		GK_RUN(rfc4534_b_5_4_1_01,
		       without_a_rekey_protocol_it_is_the_same),
		GK_RUN(rfc4534_b_5_4_1_01,
		       without_a_method_a_restart_keeps_the_key),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/rekey_policy", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
