/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/world_impl.h"

/*
 * Somebody sets the clock of the key server, by an hour: RFC 4535 sections 5.3.1.1
 * and 7.5.2.  Timers run on; dates are what the new clock says.
 */
#define HOUR_S 3600
#define HOUR_MS (HOUR_S * 1000ull)

static struct gk_now
set_by(const struct world *w, int64_t seconds, uint64_t later_ms)
{
	struct gk_now now = simnet_now(w->net);

	now.mono_ms += later_ms;
	now.utc_s += seconds + (int64_t)(later_ms / 1000);
	return now;
}

/* A key of two hours, of which the clock takes one. */
GK_TEST(rfc4535_5_3_1_1_01, a_key_does_not_run_out_when_the_clock_is_set)
{
	struct world_config cfg = world_plain(7);
	struct gk_now now;
	uint32_t handle;
	struct world *w;

	cfg.event_time = 86400;
	cfg.key_expiration =
		(struct gpt_lifedate){ .kind = GPT_LIFEDATE_INTERVAL,
		                       .value = 2 * HOUR_S };
	w = world_joined(&cfg, 2);
	handle = world_status(w).gtpk.handle;
	for (uint64_t ms = 0; ms < HOUR_MS + 300000; ms += 30000) {
		struct gsakmp_group_status s = world_status(w);

		now = set_by(w, HOUR_S, ms);
		assert_true(gsakmp_group_deadline(w->group) <=
		            now.mono_ms + 30000);
		gk_assert_ok(gsakmp_group_tick(w->group, now));
		world_drain(w);
		s = world_status(w);
		assert_true(s.gtpk.expires_utc > now.utc_s);
	}
	assert_int_not_equal(world_status(w).gtpk.handle, handle);
	world_free(w);
}

/* Key Creation Dates rise whatever the clock does, or members take the new key for
 * an old one. */
GK_TEST(rfc4535_7_5_2_16, dates_rise_when_the_clock_is_set_back)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	int64_t created = world_status(w).gtpk.created_utc;

	for (unsigned i = 0; i < 3; i++) {
		gk_assert_ok(
			gsakmp_group_rekey(w->group, set_by(w, -HOUR_S, 0)));
		world_drain(w);
		world_pass(w, 1000);
		assert_true(world_status(w).gtpk.created_utc > created);
		created = world_status(w).gtpk.created_utc;
		assert_int_equal(world_in_step(w), 2);
	}
	world_free(w);
}

/* Set back across a restart, what counts towards the next rekey does not make it a
 * rekey that never comes. */
GK_TEST(rfc4534_b_5_3_02, a_restart_with_the_clock_set_back)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	struct gk_now back = set_by(w, -10 * HOUR_S, 0);

	gsakmp_group_timers_load(w->group, back);
	assert_true(w->group->rekey_due <= back.mono_ms + HOUR_MS + 1000);
	assert_true(w->group->rekey_due > back.mono_ms);
	world_free(w);
}

/* Fifty minutes after a rekey that comes each hour, and the clock says twenty. */
GK_TEST(rfc4534_b_5_3_02, no_key_lives_longer_for_a_clock_put_back)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	const int64_t back_s = 1800;
	struct gk_now now;
	uint64_t due;

	world_pass(w, 50 * 60000);
	due = w->group->rekey_due;
	now = set_by(w, -back_s, 0);
	assert_in_range(due, now.mono_ms + 1, now.mono_ms + 10 * 60000);
	for (unsigned restarts = 0; restarts < 2; restarts++) {
		gsakmp_group_timers_load(w->group, now);
		gk_assert_ok(gsakmp_group_put_back(
			w->group, restarts == 0 ? back_s : 0, now));
		assert_in_range(w->group->rekey_due, now.mono_ms + 1,
		                due + 1000);
		assert_in_range(w->group->rekey_due_utc, now.utc_s + 1,
		                now.utc_s + 10 * 60 + 1);
	}
	world_free(w);
}

/* Whoever keeps the group's time is told when there is something to do earlier than
 * before, and not for each that joins. */
GK_TEST(rfc4535_5_3_1_1_01, only_what_is_due_earlier_is_told)
{
	struct world_config cfg = world_plain(7);
	const unsigned *told;
	struct world *w;
	unsigned before;

	cfg.group.join_window_ms = 2000;
	w = world_with(&cfg, 4);
	told = &w->seen.count[GSAKMP_OUT_DEADLINE];
	world_join(w->member[0]);
	world_pass(w, 5);
	world_join(w->member[1]); /* begins to wait for others */
	world_pass(w, 5);
	before = *told;
	assert_true(before > 0);
	world_join(w->member[2]);
	world_pass(w, 5);
	assert_int_equal(world_status(w).n_members, 3);
	assert_int_equal(*told, before);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 3);
	before = *told;
	world_join(w->member[3]);
	world_pass(w, 5);
	assert_int_equal(*told, before + 1);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 4);
	world_free(w);
}

/* What it has not heard, without memory say, it hears with the next one. */
GK_TEST(rfc4535_5_3_1_1_01, what_was_not_told_is_told_again)
{
	struct world_config cfg = world_plain(7);
	uint64_t rekeys;
	struct world *w;

	cfg.group.join_window_ms = 2000;
	w = world_with(&cfg, 3);
	world_join(w->member[0]);
	world_pass(w, 5000);
	rekeys = world_status(w).rekeys;
	w->deaf = true;
	world_join(w->member[1]);
	world_pass(w, 5);
	w->deaf = false;
	world_join(w->member[2]);
	world_pass(w, 2500);
	assert_int_equal(world_status(w).rekeys, rekeys + 1);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_1_1_01,
		       a_key_does_not_run_out_when_the_clock_is_set),
		GK_RUN(rfc4535_7_5_2_16, dates_rise_when_the_clock_is_set_back),
		GK_RUN(rfc4534_b_5_3_02, a_restart_with_the_clock_set_back),
		GK_RUN(rfc4534_b_5_3_02,
		       no_key_lives_longer_for_a_clock_put_back),
		GK_RUN(rfc4535_5_3_1_1_01, only_what_is_due_earlier_is_told),
		GK_RUN(rfc4535_5_3_1_1_01, what_was_not_told_is_told_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
