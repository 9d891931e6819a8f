/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/engine/bulletin.h"

/*
 * Rekey Events that were missed: fetched from where the token says that they
 * are posted (RFC 4534 B.5.6.3), or made good by a new registration, and not by
 * everybody in the same moment.
 */
#define REKEY GSAKMP_EXCHANGE_REKEY_EVENT
#define RTJ GSAKMP_EXCHANGE_REQUEST_TO_JOIN

static struct world_config
posting(uint64_t seed)
{
	struct world_config cfg = world_plain(seed);

	cfg.post = true;
	return cfg;
}

/* @n rekeys that alice does not hear, two seconds apart. */
static void
miss(struct fixture *f, unsigned n)
{
	simnet_listen(f->w->net, f->m->node, false);
	for (unsigned i = 0; i < n; i++) {
		gk_assert_ok(world_rekey(f->w));
		world_pass(f->w, 2000);
	}
	simnet_listen(f->w->net, f->m->node, true);
}

GK_TEST(rfc4534_b_5_6_3_01, missed_events_are_fetched_and_come_in_order)
{
	struct world_config cfg = posting(5);
	struct fixture f;
	unsigned rekeyed;
	uint32_t sequence;

	fixture_following(&f, &cfg);
	rekeyed = f.m->seen.count[GSAKMP_OUT_REKEYED];
	miss(&f, 3);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 20);
	/* Heard, authentic, and not yet its turn. */
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_REKEYED], rekeyed);
	assert_false(world_has_current(f.m));
	world_pass(f.w, 2100);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 3);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_REKEYED], rekeyed + 4);
	assert_int_equal(f.m->seen.sent[RTJ], 1);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 0);
	/* What is posted is what was sent. */
	sequence = world_status(f.w).sequence;
	assert_int_equal(f.w->board.n, sequence);
	assert_true(gk_slice_equal(
		gk_buf_slice(&f.w->board.row[sequence - 1].value),
		gk_buf_slice(&f.w->seen.last_sent[REKEY])));
	/* And the next one needs nothing of this. */
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 20);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 3);
	fixture_down(&f);
}

/* Reordered, not lost: the gap closes before anybody is asked. */
GK_TEST(rfc4534_b_5_6_3_01, late_event_saves_the_question)
{
	struct world_config cfg = posting(5);
	struct gk_buf late = { 0 }, early = { 0 };
	struct fixture f;

	fixture_following(&f, &cfg);
	gm_next_rekey(&f, &late);
	world_pass(f.w, 2000);
	gm_next_rekey(&f, &early);
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&early)));
	assert_false(world_has_current(f.m));
	/* its copies are nothing new */
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&early)));
	gk_assert_ok(world_to_member(f.m, gk_buf_slice(&late)));
	world_pass(f.w, 10);
	assert_true(world_has_current(f.m));
	world_pass(f.w, 30000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 0);
	gk_buf_free(&early);
	gk_buf_free(&late);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_5_5_01, overdue_event_is_looked_up_before_anybody_joins)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	cfg.interval = 60;
	fixture_following(&f, &cfg);
	miss(&f, 2);
	world_pass(f.w, 61000);
	assert_true(world_has_current(f.m));
	/* two that were there, and one that was not */
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 3);
	assert_int_equal(f.m->seen.sent[RTJ], 1);
	/* Nothing posted at all: then it is the registration's turn. */
	world_pass(f.w, 70000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 4);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 1);
	assert_int_equal(f.m->seen.sent[RTJ], 2);
	fixture_down(&f);
}

/* The keys of a rekey that refreshes the group key alone fit whoever missed the
 * one before: no reason to register again - unless that is wanted. */
GK_TEST(rfc4534_b_5_6_3_01, without_a_copy_it_goes_on_as_far_as_keys_fit)
{
	for (int strict = 0; strict < 2; strict++) {
		struct world_config cfg = posting(5);
		struct fixture f;

		cfg.gm.gap_rejoin = strict;
		fixture_following(&f, &cfg);
		f.w->board_down = true;
		miss(&f, 1);
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 2100);
		assert_true(world_has_current(f.m));
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1);
		world_pass(f.w, 20000);
		assert_int_equal(f.m->seen.sent[RTJ], strict ? 2 : 1);
		assert_int_equal(world_in_step(f.w), 2);
		fixture_down(&f);
	}
}

/* With an eviction gone by, the next event has nothing for who missed it. */
GK_TEST(rfc4535_7_5_2_09, without_a_copy_and_keys_a_registration_follows)
{
	struct world_config cfg = posting(5);
	struct world_member *carol;
	struct fixture f;

	fixture_following(&f, &cfg);
	carol = world_member_add(f.w, "carol");
	world_join(carol);
	world_pass(f.w, 5000);
	simnet_listen(f.w->net, f.m->node, false);
	gk_assert_ok(world_evict(f.w, carol->peer));
	world_pass(f.w, 2000);
	simnet_listen(f.w->net, f.m->node, true);
	f.w->board_down = true;
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 20000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1);
	assert_true(world_has_current(f.m));
	fixture_down(&f);
}

static struct world_row *
posted(struct world *w, uint32_t sequence)
{
	char tail[16];

	snprintf(tail, sizeof(tail), "/%lu", (unsigned long)sequence);
	for (size_t i = 0; i < w->board.n; i++) {
		const char *place = w->board.row[i].table;
		size_t len = strlen(place), n = strlen(tail);

		if (len > n && strcmp(place + len - n, tail) == 0)
			return &w->board.row[i];
	}
	fail_msg("nothing posted as %lu", (unsigned long)sequence);
	return NULL;
}

/* What is posted is checked like what is heard. */
GK_TEST(rfc4535_5_3_1_1_03, spoilt_copy_changes_nothing)
{
	static const uint8_t exchanges[] = { 0, GSAKMP_EXCHANGE_KEY_DOWNLOAD,
		                             REKEY };
	static const char *const want[] = { NULL, "RFC4535-7.1.2-07",
		                            "RFC4535-7.1.2-09" };

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		struct world_config cfg = posting(5);
		struct gk_buf old = { 0 };
		struct world_row *row;
		struct fixture f;

		fixture_following(&f, &cfg);
		gk_assert_ok(gk_buf_copy(
			&old,
			gk_buf_slice(&f.m->seen.last_received[exchanges[i]])));
		miss(&f, 1);
		row = posted(f.w, world_status(f.w).sequence);
		if (want[i] == NULL) {
			row->value.ptr[40] ^= 1; /* in the Time/Date Stamp */
		} else {
			gk_buf_free(&row->value);
			gk_assert_ok(
				gk_buf_copy(&row->value, gk_buf_slice(&old)));
		}
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 2100);
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1);
		assert_int_equal(f.m->seen.count[GSAKMP_OUT_REFUSED], 1);
		if (want[i] != NULL)
			assert_string_equal(f.m->seen.req, want[i]);
		/* the one that was heard is good all the same */
		assert_true(world_has_current(f.m));
		gk_buf_free(&old);
		fixture_down(&f);
	}
}

/* A gap has to be authentic: nobody makes a member ask by shouting. */
GK_TEST(rfc4535_7_1_2_09, forged_sequence_opens_no_gap)
{
	struct world_config cfg = posting(5);
	struct gk_buf dgram = { 0 }, other = { 0 };
	struct fixture f;

	fixture_following(&f, &cfg);
	gm_next_rekey(&f, &dgram);
	gm_sign_again(&f, gk_buf_slice(&dgram), 99, &f.mallory, "CN=mallory",
	              &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4534-B.5.1-01");
	gk_buf_free(&other);
	gm_sign_again(&f, gk_buf_slice(&dgram), 99, &f.self, "CN=Server",
	              &other);
	gm_refused(&f, gk_buf_slice(&other), "RFC4535-7.8.2-07");
	world_pass(f.w, 30000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	gk_buf_free(&other);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* The destruction is the last message, whatever is missing in front of it. */
GK_TEST(rfc4535_5_3_1_3_02, destruction_does_not_wait_for_missing_events)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	fixture_following(&f, &cfg);
	miss(&f, 1);
	gk_assert_ok(gsakmp_group_destroy(f.w->group, simnet_now(f.w->net)));
	world_drain(f.w);
	world_pass(f.w, 100);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_DESTROYED], 1);
	world_pass(f.w, 30000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	fixture_down(&f);
}

/* Who has just joined knows of no Sequence ID that it could have missed. */
GK_TEST(rfc4535_7_1_1_13, newcomer_takes_the_first_event_that_it_hears)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	fixture_up(&f, &cfg, SERVER_NAME);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 2000);
	}
	world_join(f.m);
	world_pass(f.w, 5000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_5_6_3_01, too_many_missing_events_are_not_fetched)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	cfg.gm.fetch_max = 2;
	fixture_following(&f, &cfg);
	miss(&f, 2);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	assert_true(world_has_current(f.m)); /* as its keys still fit */
	/* and with fetching forbidden, one is too many */
	fixture_down(&f);
	cfg.gm.fetch_max = 0;
	cfg.gm.no_fetch = true;
	fixture_following(&f, &cfg);
	miss(&f, 1);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	fixture_down(&f);
}

/* More is heard than can be kept while a copy is on its way. */
GK_TEST(rfc4534_b_5_6_3_01, what_could_not_be_held_is_fetched_too)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	cfg.gm.fetch_window_ms = 60000;
	fixture_following(&f, &cfg);
	miss(&f, 1);
	for (int i = 0; i < 20; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 1100);
	}
	world_pass(f.w, 60000);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1 + 4);
	assert_int_equal(f.m->seen.sent[RTJ], 1);
	fixture_down(&f);
}

GK_TEST(rfc4534_b_5_6_3_01, fetch_without_an_answer_ends)
{
	struct world_config cfg = posting(5);
	const struct gk_slice nothing = { 0 };
	struct gsakmp_gm_status status;
	struct gsakmp_output out;
	struct gk_buf dgram = { 0 };
	struct fixture f;
	struct gk_now now;
	unsigned asked = 0;

	fixture_following(&f, &cfg);
	miss(&f, 1);
	gm_next_rekey(&f, &dgram);
	now = simnet_now(f.w->net);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gsakmp_gm_fetched(f.m->gm, 1, &nothing, now));
	gk_assert_ok(
		gsakmp_gm_receive(f.m->gm, dgram.ptr, dgram.len, NULL, now));
	gsakmp_gm_status(f.m->gm, &status);
	assert_int_equal(status.fetching, world_status(f.w).sequence - 1);
	/* Not asked yet: octets from nowhere are not looked at. */
	gk_assert_err(
		GK_ERR_UNEXPECTED,
		gsakmp_gm_fetched(f.m->gm, status.fetching, &nothing, now));
	now.mono_ms += 2001;
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, now));
	while (gsakmp_gm_poll(f.m->gm, &out))
		asked += out.kind == GSAKMP_OUT_FETCH;
	assert_int_equal(asked, 1);
	gk_assert_err(
		GK_ERR_UNEXPECTED,
		gsakmp_gm_fetched(f.m->gm, status.fetching + 1, &nothing, now));
	now.mono_ms += 20000;
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, now)); /* no answer ... */
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, now)); /* ... so as it is */
	gsakmp_gm_status(f.m->gm, &status);
	assert_int_equal(status.fetching, 0);
	assert_int_equal(status.sequence, world_status(f.w).sequence);
	gk_buf_free(&dgram);
	fixture_down(&f);
}

/* A store that says no while copies come in: nothing is lost, nothing twice. */
GK_TEST(rfc4535_7_1_1_13, recovery_waits_for_the_store)
{
	struct world_config cfg = posting(5);
	struct fixture f;

	fixture_following(&f, &cfg);
	miss(&f, 2);
	f.m->store.broken = true;
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 20000);
	assert_false(world_has_current(f.m));
	assert_true(f.m->seen.count[GSAKMP_OUT_FETCH] > 0);
	f.m->store.broken = false;
	world_pass(f.w, 60000);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.sent[RTJ], 1);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 0);
	fixture_down(&f);
}

/* ---- a thousand members -------------------------------------------------- */

#define WINDOW_MS 10000
#define SECONDS (WINDOW_MS / 1000)
#define LATENCY_MS 500 /* more than the network ever takes */

/* A thousand of them take a while; fewer show the same. */
static unsigned
crowd_size(void)
{
	return getenv("MSEC_LONG") != NULL ? 1000 : 150;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Each second gets its share, none much more; and members differ. */
static void
assert_spread(uint64_t *at, size_t n, uint64_t begin)
{
	unsigned second[SECONDS] = { 0 };
	size_t share = n / SECONDS, distinct = 1;

	qsort(at, n, sizeof(*at), by_value);
	for (size_t i = 0; i < n; i++) {
		size_t s = (size_t)(at[i] - begin) / 1000;

		assert_true(at[i] >= begin &&
		            at[i] <= begin + WINDOW_MS + LATENCY_MS);
		second[s < SECONDS ? s : SECONDS - 1]++;
		distinct += i > 0 && at[i] != at[i - 1];
	}
	for (size_t i = 0; i < SECONDS; i++)
		if (second[i] < share / 2 || second[i] > share * 2)
			fail_msg("%u of %zu in second %zu", second[i], n, i);
	assert_true(distinct > n * 9 / 10);
}

static struct world *
crowd(struct world_config *cfg)
{
	struct world *w;

	cfg->group.no_join_rekey = true;
	cfg->group.sessions_max = 1001;
	cfg->group.lkh_degree = 8;
	cfg->gm.fetch_window_ms = WINDOW_MS;
	cfg->gm.rejoin_backoff_ms = WINDOW_MS;
	w = world_joined(cfg, crowd_size());
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), w->n_members);
	return w;
}

static void
crowd_listens(struct world *w, bool on)
{
	for (size_t i = 0; i < w->n_members; i++)
		simnet_listen(w->net, w->member[i]->node, on);
}

GK_TEST(rfc4534_b_5_6_3_01, a_thousand_members_do_not_ask_at_once)
{
	struct world_config cfg = posting(11);
	struct world *w = crowd(&cfg);
	uint64_t *at = test_calloc(w->n_members, sizeof(*at)), begin;

	crowd_listens(w, false);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 2000);
	crowd_listens(w, true);
	begin = simnet_now(w->net).mono_ms;
	gk_assert_ok(world_rekey(w));
	/* the event itself takes a moment to arrive */
	world_pass(w, WINDOW_MS + LATENCY_MS);
	assert_int_equal(world_in_step(w), w->n_members);
	assert_int_equal(w->board_asked, w->n_members);
	for (size_t i = 0; i < w->n_members; i++)
		at[i] = w->member[i]->first_fetch_ms;
	assert_spread(at, w->n_members, begin);
	test_free(at);
	world_free(w);
}

struct requests {
	struct world *w;
	uint64_t *at;
	size_t n;
};

static void
note_request(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct requests *r = ctx;

	(void)from;
	/* Exchange Type: behind GroupID, Next Payload and Version */
	if (dgram.ptr[2 + dgram.ptr[1] + 2] == RTJ && r->n < r->w->n_members)
		r->at[r->n++] = simnet_now(r->w->net).mono_ms;
}

/* They heard their last rekey in the same moment, and so it is overdue for all
 * of them in the same moment. */
GK_TEST(rfc4534_b_5_5_01, a_thousand_members_do_not_return_at_once)
{
	struct world_config cfg = world_plain(12);
	struct requests r = { 0 };
	uint64_t begin;

	cfg.interval = 600;
	r.w = crowd(&cfg);
	r.at = test_calloc(r.w->n_members, sizeof(*r.at));
	simnet_tap(r.w->net, note_request, &r);
	begin = simnet_now(r.w->net).mono_ms - 1000 + 600 * 1000;
	world_pass(r.w, 600 * 1000 + WINDOW_MS + LATENCY_MS);
	assert_int_equal(r.n, r.w->n_members);
	assert_spread(r.at, r.n, begin);
	assert_int_equal(world_in_step(r.w), r.w->n_members);
	test_free(r.at);
	world_free(r.w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_5_6_3_01,
		       missed_events_are_fetched_and_come_in_order),
		GK_RUN(rfc4534_b_5_6_3_01, late_event_saves_the_question),
		GK_RUN(rfc4534_b_5_5_01,
		       overdue_event_is_looked_up_before_anybody_joins),
		GK_RUN(rfc4534_b_5_6_3_01,
		       without_a_copy_it_goes_on_as_far_as_keys_fit),
		GK_RUN(rfc4535_7_5_2_09,
		       without_a_copy_and_keys_a_registration_follows),
		GK_RUN(rfc4535_5_3_1_1_03, spoilt_copy_changes_nothing),
		GK_RUN(rfc4535_7_1_2_09, forged_sequence_opens_no_gap),
		GK_RUN(rfc4535_5_3_1_3_02,
		       destruction_does_not_wait_for_missing_events),
		GK_RUN(rfc4535_7_1_1_13,
		       newcomer_takes_the_first_event_that_it_hears),
		GK_RUN(rfc4534_b_5_6_3_01,
		       too_many_missing_events_are_not_fetched),
		GK_RUN(rfc4534_b_5_6_3_01,
		       what_could_not_be_held_is_fetched_too),
		GK_RUN(rfc4534_b_5_6_3_01, fetch_without_an_answer_ends),
		GK_RUN(rfc4535_7_1_1_13, recovery_waits_for_the_store),
		GK_RUN(rfc4534_b_5_6_3_01,
		       a_thousand_members_do_not_ask_at_once),
		GK_RUN(rfc4534_b_5_5_01,
		       a_thousand_members_do_not_return_at_once),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_recover", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
