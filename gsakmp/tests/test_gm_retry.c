/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Requests that nobody answers, of many members that began in the same moment:
 * they do not repeat them in the same moment.
 */
#define RTJ GSAKMP_EXCHANGE_REQUEST_TO_JOIN
#define RTD GSAKMP_EXCHANGE_REQUEST_TO_DEPART
#define TIMEOUT_MS 4000
#define RETRIES 3
#define CROWD 120

/* When each of them sent its first, second, ... request; node by node. */
struct requests {
	struct world *w;
	uint8_t exchange;
	uint64_t at[CROWD][RETRIES + 2];
	unsigned n[CROWD];
};

static void
note(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct requests *r = ctx;

	/* Exchange Type: behind GroupID, Next Payload and Version */
	if (dgram.ptr[2 + dgram.ptr[1] + 2] != r->exchange)
		return;
	for (size_t i = 0; i < r->w->n_members; i++)
		if (r->w->member[i]->node == from) {
			assert_true(r->n[i] < RETRIES + 2);
			r->at[i][r->n[i]++] = simnet_now(r->w->net).mono_ms;
		}
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Waits before the @turn-th repetition: at least the timeout, at most @window
 * more; each quarter of that has its share. */
static void
assert_waits(const struct requests *r, unsigned turn, uint64_t window)
{
	uint64_t wait[CROWD];
	unsigned quarter[4] = { 0 }, distinct = 1;

	for (size_t i = 0; i < CROWD; i++) {
		wait[i] = r->at[i][turn] - r->at[i][turn - 1];
		assert_in_range(wait[i], TIMEOUT_MS, TIMEOUT_MS + window);
		quarter[(wait[i] - TIMEOUT_MS) * 4 / (window + 1)]++;
	}
	for (size_t i = 0; i < 4; i++)
		assert_in_range(quarter[i], CROWD / 8, CROWD / 2);
	qsort(wait, CROWD, sizeof(*wait), by_value);
	for (size_t i = 1; i < CROWD; i++)
		distinct += wait[i] != wait[i - 1];
	assert_true(distinct > CROWD * 3 / 4);
}

static void
crowd(struct requests *r, struct world_config *cfg, uint8_t exchange)
{
	char name[16];

	memset(r, 0, sizeof(*r));
	r->exchange = exchange;
	cfg->suite = WORLD_P256;
	cfg->group.no_join_rekey = true;
	cfg->gm.rtj_timeout_ms = cfg->gm.rtd_timeout_ms = TIMEOUT_MS;
	r->w = world_new(cfg);
	for (unsigned i = 0; i < CROWD; i++) {
		(void)snprintf(name, sizeof(name), "m%u", i);
		world_member_add(r->w, name);
	}
	simnet_tap(r->w->net, note, r);
}

static void
silence(struct world *w)
{
	simnet_cut(w->net, w->worker[0].node, true);
}

GK_TEST(rfc4535_5_2_1_1_20, a_crowd_does_not_ask_again_in_one_moment)
{
	struct world_config cfg = world_plain(21);
	struct requests r;
	uint64_t begin;

	crowd(&r, &cfg, RTJ);
	silence(r.w);
	begin = simnet_now(r.w->net).mono_ms;
	for (size_t i = 0; i < CROWD; i++)
		world_join(r.w->member[i]);
	world_pass(r.w, (uint64_t)2 * TIMEOUT_MS * (RETRIES + 2));
	for (size_t i = 0; i < CROWD; i++) {
		assert_int_equal(r.n[i], 1 + RETRIES);
		assert_int_equal(r.at[i][0], begin);
		assert_int_equal(gsakmp_gm_state(r.w->member[i]->gm),
		                 GSAKMP_GM_IDLE);
	}
	assert_waits(&r, 1, TIMEOUT_MS / 2);
	assert_waits(&r, 2, TIMEOUT_MS);
	assert_waits(&r, 3, TIMEOUT_MS);
	world_free(r.w);
}

/* What is configured, above the timeout too, is the first window. */
GK_TEST(rfc4535_5_2_1_1_20, the_window_is_as_configured)
{
	struct world_config cfg = world_plain(22);
	struct requests r;

	cfg.gm.spread_ms = 5 * TIMEOUT_MS;
	crowd(&r, &cfg, RTJ);
	silence(r.w);
	for (size_t i = 0; i < CROWD; i++)
		world_join(r.w->member[i]);
	world_pass(r.w, (uint64_t)6 * TIMEOUT_MS * (RETRIES + 2));
	assert_waits(&r, 1, (uint64_t)5 * TIMEOUT_MS);
	assert_waits(&r, RETRIES, (uint64_t)5 * TIMEOUT_MS);
	world_free(r.w);
}

GK_TEST(rfc4535_5_3_2_3_1_01, a_crowd_that_leaves_does_not_ask_again_at_once)
{
	struct world_config cfg = world_plain(23);
	struct requests r;

	crowd(&r, &cfg, RTD);
	world_join_all(r.w);
	world_pass(r.w, 10000);
	assert_int_equal(world_in_step(r.w), CROWD);
	silence(r.w);
	for (size_t i = 0; i < CROWD; i++) {
		struct world_member *m = r.w->member[i];

		gk_assert_ok(
			gsakmp_gm_leave(m->gm, true, simnet_now(r.w->net)));
		world_drain_member(m);
	}
	world_pass(r.w, (uint64_t)2 * TIMEOUT_MS * (RETRIES + 2));
	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(r.n[i], 1 + RETRIES);
	assert_waits(&r, 1, TIMEOUT_MS / 2);
	assert_waits(&r, 2, TIMEOUT_MS);
	world_free(r.w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_20,
		       a_crowd_does_not_ask_again_in_one_moment),
		GK_RUN(rfc4535_5_2_1_1_20, the_window_is_as_configured),
		GK_RUN(rfc4535_5_3_2_3_1_01,
		       a_crowd_that_leaves_does_not_ask_again_at_once),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_retry", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
