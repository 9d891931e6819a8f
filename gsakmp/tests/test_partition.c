/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Whole groups of engines in networks that lose, double and reorder datagrams and
 * fall apart, for hours of their time: once it is quiet, every member holds the
 * key, nobody else does, and no Sequence ID ever went back.  RFC 4535 sections
 * 3.4, 5.2.1.1, 5.3 and 7.1.1.
 */
#define MINUTE 60000u
#define SIDES 3

struct trial {
	struct world *w;
	uint64_t seed;
	size_t n;
	uint32_t *sequence; /* the last that each member accepted */
	uint32_t sent;      /* the newest that left the key server */
	bool *barred;
};

static uint32_t
dice(struct trial *t, uint32_t n)
{
	t->seed = t->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(t->seed >> 33) % n;
}

static void
tap(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct trial *t = ctx;
	size_t at = 2 + (size_t)dgram.ptr[1] + 2; /* Exchange Type */
	uint32_t sequence = 0;

	if (dgram.ptr[at] != GSAKMP_EXCHANGE_REKEY_EVENT)
		return;
	assert_int_equal(from, t->w->group_node);
	for (size_t i = 0; i < 4; i++)
		sequence = sequence << 8 | dgram.ptr[at + 1 + i];
	/* A copy of one of before, or the next. */
	assert_true(sequence <= t->sent + 1);
	if (sequence > t->sent)
		t->sent = sequence;
}

static void
watch(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct gsakmp_gm_status st;

		gsakmp_gm_status(t->w->member[i]->gm, &st);
		assert_true(st.sequence >= t->sequence[i]);
		assert_true(st.sequence <= t->sent);
		t->sequence[i] = st.sequence;
	}
}

static void
pass(struct trial *t, unsigned minutes)
{
	for (unsigned i = 0; i < minutes; i++) {
		world_pass(t->w, MINUTE);
		watch(t);
	}
}

static void
weather(struct trial *t, unsigned loss, unsigned duplicate, uint32_t latency)
{
	simnet_weather(t->w->net,
	               &(struct simnet_weather){ .loss = loss,
	                                         .duplicate = duplicate,
	                                         .latency_min = 1,
	                                         .latency_max = latency });
}

/* Whoever gave up is sent to ask again, as an operator would. */
static void
join_all(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->barred[i] &&
		    gsakmp_gm_state(t->w->member[i]->gm) == GSAKMP_GM_IDLE)
			world_join(t->w->member[i]);
}

static void
evict(struct trial *t, unsigned count)
{
	for (unsigned k = 0; k < count; k++) {
		size_t i = dice(t, (uint32_t)t->n);

		if (!t->barred[i] &&
		    world_evict(t->w, t->w->member[i]->peer) == GK_OK)
			t->barred[i] = true;
	}
}

/* The members on up to three islands; the key server is on the first. */
static void
split(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		simnet_side(t->w->net, t->w->member[i]->node, dice(t, SIDES));
}

static void
mend(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		simnet_side(t->w->net, t->w->member[i]->node, 0);
}

static void
quiet(struct trial *t)
{
	size_t barred = 0;

	weather(t, 0, 0, 40);
	mend(t);
	for (int i = 0; i < 3; i++) {
		join_all(t);
		pass(t, 2);
		gk_assert_ok(world_rekey(t->w));
		pass(t, 1);
	}
	for (size_t i = 0; i < t->n; i++) {
		assert_int_equal(world_has_current(t->w->member[i]),
		                 !t->barred[i]);
		barred += t->barred[i];
	}
	assert_int_equal(world_status(t->w).n_members, t->n - barred);
	assert_int_equal(world_status(t->w).sequence, t->sent);
}

static void
trial_new(struct trial *t, uint64_t seed, size_t n, bool crowd)
{
	struct world_config cfg = world_plain(seed);

	cfg.event_time = crowd ? 3600 : 1200;
	cfg.interval = cfg.event_time + 300;
	cfg.resend = !crowd;
	/* or each join is a rekey of its own */
	cfg.group.join_window_ms = crowd ? 30000 : 2000;
	cfg.group.lkh_degree = 4;
	*t = (struct trial){ .seed = seed, .n = n };
	t->w = world_with(&cfg, (unsigned)n);
	t->sequence = test_calloc(n, sizeof(*t->sequence));
	t->barred = test_calloc(n, sizeof(*t->barred));
	simnet_tap(t->w->net, tap, t);
	join_all(t);
	for (int i = 0; i < 4 && world_in_step(t->w) != n; i++)
		pass(t, 1);
	assert_int_equal(world_in_step(t->w), n);
}

static void
trial_free(struct trial *t)
{
	const struct simnet_counters *c = simnet_counters(t->w->net);

	assert_true(c->lost > 0 && c->doubled > 0);
	world_free(t->w);
	test_free(t->sequence);
	test_free(t->barred);
}

GK_TEST(rfc4535_3_4_01, groups_that_fall_apart_come_together_again)
{
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct trial t;

		trial_new(&t, seed, 40, false);
		for (int hour = 0; hour < 6; hour++) {
			weather(&t, dice(&t, 150), dice(&t, 200),
			        10 + dice(&t, 3000));
			evict(&t, dice(&t, 2));
			split(&t);
			pass(&t, 5 + dice(&t, 30));
			if (dice(&t, 3) == 0)
				world_restart(t.w);
			evict(&t, dice(&t, 2));
			mend(&t);
			join_all(&t);
			pass(&t, 10 + dice(&t, 20));
		}
		quiet(&t);
		trial_free(&t);
	}
}

/* Thousands take a minute, and the sanitizers make the mathematics ten times as
 * slow. */
static size_t
crowd(void)
{
	if (getenv("MSEC_LONG") != NULL)
		return GK_ASAN ? 600 : 3000;
	return GK_ASAN ? 60 : 300;
}

GK_TEST(rfc4535_3_4_01, crowd_over_hours_of_bad_network)
{
	struct trial t;

	trial_new(&t, 77, crowd(), true);
	weather(&t, 20, 100, 1500);
	evict(&t, 5);
	pass(&t, 60);
	split(&t);
	evict(&t, 5);
	pass(&t, 25);
	mend(&t);
	join_all(&t);
	pass(&t, 60);
	quiet(&t);
	trial_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_3_4_01,
		       groups_that_fall_apart_come_together_again),
		GK_RUN(rfc4535_3_4_01, crowd_over_hours_of_bad_network),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/partition", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
