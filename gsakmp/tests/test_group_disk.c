/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <string.h>

#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/world_impl.h"

/*
 * A key server whose disk is full, and is not any more: what depends on a commit
 * waits for it, what does not does not, and nothing is forgotten.
 */
static struct gk_slice
asks(struct world_member *m)
{
	gk_assert_ok(gsakmp_gm_join(m->gm, simnet_now(m->w->net)));
	world_drain_member(m);
	return gk_buf_slice(
		&m->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]);
}

/* As a worker takes several datagrams before it commits. */
static void
receive(struct world *w, const struct world_member *from, struct gk_slice dgram)
{
	const struct gsakmp_endpoint peer = world_endpoint(from->node);

	(void)!gsakmp_gcks_receive(w->worker[0].gcks, dgram.ptr, dgram.len,
	                           &peer, simnet_now(w->net));
}

/* RFC4535-5.2.1.3: who is refused learns it, whatever the disk says about those
 * in front. */
GK_TEST(rfc4535_5_2_06, a_commit_that_fails_takes_nobody_along)
{
	struct world_config cfg = world_plain(7);
	struct world_member *x, *y, *z;
	struct gk_buf bad = { 0 };
	struct world *w;
	unsigned commits;

	cfg.verbose = true;
	w = world_joined(&cfg, 2);
	x = world_member_add(w, "x");
	y = world_member_add(w, "y");
	z = world_member_add(w, "z");
	gk_assert_ok(gk_buf_copy(&bad, asks(z)));
	bad.ptr[bad.len - 1] ^= 1;
	w->store.broken = true;
	commits = w->store.commits;
	memset(w->seen.sent, 0, sizeof(w->seen.sent));
	receive(w, x, asks(x));
	receive(w, z, gk_buf_slice(&bad));
	receive(w, y, asks(y));
	world_drain(w);
	assert_int_equal(w->seen.sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD], 0);
	assert_int_equal(w->seen.sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR],
	                 1);
	assert_true(w->store.commits > commits);
	/* Their own copies are on the way; they ask again, too. */
	w->store.broken = false;
	world_pass(w, 30 * 1000);
	assert_true(world_has_current(x));
	assert_true(world_has_current(y));
	gk_buf_free(&bad);
	world_free(w);
}

/* Nobody has to come for it. */
GK_TEST(rfc4535_7_1_1_13, what_was_owed_to_the_disk_is_paid_when_it_is_back)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	char peer[128];

	snprintf(peer, sizeof(peer), "%s", w->member[1]->peer);
	gk_assert_ok(world_evict(w, peer));
	world_pass(w, 2000);
	w->store.broken = true;
	gk_assert_ok(gsakmp_group_readmit(w->group, peer));
	world_drain(w);
	assert_true(w->store.failed > 0);
	world_pass(w, 5000);
	w->store.broken = false;
	world_pass(w, 1500);
	world_restart(w);
	assert_int_equal(gk_group_excluded_count(w->group->data), 0);
	world_free(w);
}

/* News of what is so in memory is told at once; the rekey when it has left. */
GK_TEST(rfc4535_7_1_1_13, news_is_told_and_the_rekey_comes_later)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	unsigned rekeyed = w->seen.count[GSAKMP_OUT_REKEYED];
	unsigned gone = w->seen.count[GSAKMP_OUT_EVICTED];

	w->store.broken = true;
	gk_assert_ok(world_evict(w, w->member[2]->peer));
	world_pass(w, 3000);
	assert_int_equal(w->seen.count[GSAKMP_OUT_EVICTED], gone + 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_REKEYED], rekeyed);
	assert_int_equal(world_in_step(w), 0);
	w->store.broken = false;
	world_pass(w, 3000);
	assert_int_equal(w->seen.count[GSAKMP_OUT_REKEYED], rekeyed + 1);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* Whose acknowledgement does not come: one by one they would be signed to. */
GK_TEST(rfc4535_5_2_1_4_17, many_that_are_late_do_not_hold_up_the_rest)
{
	struct world_config cfg = world_plain(7);
	struct gk_now later;
	struct world *w;

	cfg.verbose = true;
	w = world_joined(&cfg, 1);
	for (unsigned i = 0; i < 70; i++) {
		struct world_member *m;
		char cn[8];

		snprintf(cn, sizeof(cn), "m%u", i);
		m = world_member_add(w, cn);
		receive(w, m, asks(m));
	}
	world_drain(w);
	assert_int_equal(w->group->sessions.n_queued, 70);
	later = simnet_now(w->net);
	later.mono_ms += w->group->cfg.session_timeout_ms + 1;
	gk_assert_ok(gsakmp_group_tick(w->group, later));
	world_drain(w);
	assert_in_range(w->seen.sent[GSAKMP_EXCHANGE_LACK_OF_ACK], 1, 64);
	assert_true(gsakmp_group_deadline(w->group) <= later.mono_ms);
	gk_assert_ok(gsakmp_group_tick(w->group, later));
	world_drain(w);
	assert_int_equal(w->seen.sent[GSAKMP_EXCHANGE_LACK_OF_ACK], 70);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_06, a_commit_that_fails_takes_nobody_along),
		GK_RUN(rfc4535_7_1_1_13,
		       what_was_owed_to_the_disk_is_paid_when_it_is_back),
		GK_RUN(rfc4535_7_1_1_13,
		       news_is_told_and_the_rekey_comes_later),
		GK_RUN(rfc4535_5_2_1_4_17,
		       many_that_are_late_do_not_hold_up_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
