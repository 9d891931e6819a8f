/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include <string.h>

/*
 * Missed Rekey Events and those that are heard meanwhile: whatever the order in
 * which they come, and however often, nobody is asked for what is there, and
 * nothing is taken twice.
 */
static struct world_config
posting(void)
{
	struct world_config cfg = world_plain(7);

	cfg.post = true;
	return cfg;
}

/* The next @n Rekey Events of the server, none of them delivered. */
static void
next_rekeys(struct fixture *f, struct gk_buf *dgram, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gm_next_rekey(f, &dgram[i]);
		world_pass(f->w, 1000);
	}
}

static void
hear(struct fixture *f, const struct gk_buf *dgram)
{
	gk_assert_ok(world_to_member(f->m, gk_buf_slice(dgram)));
}

static void
drop(struct gk_buf *dgram, size_t n)
{
	while (n > 0)
		gk_buf_free(&dgram[--n]);
}

GK_TEST(rfc4534_b_5_6_3_01, what_was_heard_in_any_order_is_not_asked_for)
{
	struct world_config cfg = posting();
	struct gk_buf event[4] = { { 0 } };
	struct fixture f;

	fixture_following(&f, &cfg);
	next_rekeys(&f, event, GK_COUNT(event));
	/* Each again and again, and none of them takes another one's room. */
	for (int i = 0; i < 20; i++)
		hear(&f, &event[3]);
	hear(&f, &event[1]);
	hear(&f, &event[2]);
	world_pass(f.w, 2100);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1);
	drop(event, GK_COUNT(event));
	fixture_down(&f);
}

/* One that comes when it is its turn, while it waits here as well. */
GK_TEST(rfc4534_b_5_6_3_01, a_repetition_in_its_turn_leaves_the_others)
{
	struct world_config cfg = posting();
	struct gk_buf event[3] = { { 0 } };
	struct fixture f;

	fixture_following(&f, &cfg);
	next_rekeys(&f, event, GK_COUNT(event));
	hear(&f, &event[1]);
	hear(&f, &event[2]);
	hear(&f, &event[0]);
	hear(&f, &event[1]);
	world_pass(f.w, 30000);
	assert_true(world_has_current(f.m));
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_REFUSED], 0);
	drop(event, GK_COUNT(event));
	fixture_down(&f);
}

/* Without a copy all that was heard is gone through, not only the first. */
GK_TEST(rfc4534_b_5_6_3_01, without_a_copy_all_that_was_heard_is_taken)
{
	struct world_config cfg = posting();
	struct gk_buf event[4] = { { 0 } };
	struct fixture f;
	unsigned rekeyed;

	fixture_following(&f, &cfg);
	f.w->board_down = true;
	next_rekeys(&f, event, GK_COUNT(event));
	rekeyed = f.m->seen.count[GSAKMP_OUT_REKEYED];
	for (size_t i = 1; i < GK_COUNT(event); i++)
		hear(&f, &event[i]);
	world_pass(f.w, 2100);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 1);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_REKEYED], rekeyed + 3);
	assert_true(world_has_current(f.m));
	drop(event, GK_COUNT(event));
	fixture_down(&f);
}

/* Of one kind among what the member has to say now; the last one's text. */
static unsigned
polled(struct fixture *f, enum gsakmp_output_kind kind, const char **text)
{
	struct gsakmp_output out;
	unsigned n = 0;

	while (gsakmp_gm_poll(f->m->gm, &out)) {
		if (out.kind != kind)
			continue;
		/* Whoever is in several groups wants to know which. */
		assert_true(gk_slice_equal(out.group_id, f->w->group_id));
		n++;
		if (text != NULL)
			*text = out.text;
	}
	return n;
}

/* Why it asks is said; and the answer to a question that settled itself is no
 * repetition to be refused. */
GK_TEST(rfc4534_b_5_6_3_01, a_copy_of_what_came_meanwhile_is_not_looked_at)
{
	struct world_config cfg = posting();
	struct gk_buf event[2] = { { 0 } };
	struct gsakmp_gm_status status;
	const char *text = NULL;
	struct gk_slice copy;
	struct fixture f;
	struct gk_now now;

	fixture_following(&f, &cfg);
	next_rekeys(&f, event, GK_COUNT(event));
	hear(&f, &event[1]);
	now = simnet_now(f.w->net);
	now.mono_ms += 2001;
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, now));
	gsakmp_gm_status(f.m->gm, &status);
	assert_int_equal(polled(&f, GSAKMP_OUT_FETCH, &text), 1);
	assert_string_equal(text, "a Rekey Event was missed");
	gk_assert_ok(gsakmp_gm_receive(f.m->gm, event[0].ptr, event[0].len,
	                               NULL, now));
	assert_int_equal(polled(&f, GSAKMP_OUT_REKEYED, NULL), 1);
	copy = gk_buf_slice(&event[0]);
	gk_assert_ok(gsakmp_gm_fetched(f.m->gm, status.fetching, &copy, now));
	assert_int_equal(polled(&f, GSAKMP_OUT_REFUSED, NULL), 0);
	gk_assert_ok(gsakmp_gm_tick(f.m->gm, now));
	assert_int_equal(polled(&f, GSAKMP_OUT_REKEYED, NULL), 1);
	gsakmp_gm_status(f.m->gm, &status);
	assert_int_equal(status.sequence, world_status(f.w).sequence);
	assert_int_equal(status.fetching, 0);
	drop(event, GK_COUNT(event));
	fixture_down(&f);
}

/* A new membership begins with the first event that it hears, as the first one
 * did: what was sent while there was none is not missing. */
GK_TEST(rfc4535_7_1_1_13, who_comes_again_has_missed_nothing)
{
	struct world_config cfg = posting();
	struct fixture f;

	fixture_following(&f, &cfg);
	gk_assert_ok(gsakmp_gm_leave(f.m->gm, false, simnet_now(f.w->net)));
	world_pass(f.w, 1000);
	simnet_listen(f.w->net, f.m->node, false);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(world_rekey(f.w));
		world_pass(f.w, 2000);
	}
	simnet_listen(f.w->net, f.m->node, true);
	world_join(f.m);
	world_pass(f.w, 5000);
	gk_assert_ok(world_rekey(f.w));
	world_pass(f.w, 100);
	assert_true(world_has_current(f.m));
	world_pass(f.w, 20000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_STALE], 0);
	fixture_down(&f);
}

/* One question for each, and no more than are allowed in a row. */
GK_TEST(rfc4534_b_5_6_3_01, an_overdue_rekey_asks_no_more_than_is_allowed)
{
	struct world_config cfg = posting();
	struct gk_buf event[4] = { { 0 } };
	struct fixture f;

	cfg.interval = 60;
	cfg.gm.fetch_max = 2;
	fixture_following(&f, &cfg);
	next_rekeys(&f, event, GK_COUNT(event));
	simnet_listen(f.w->net, f.m->node, false);
	world_pass(f.w, 58000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 2);
	drop(event, GK_COUNT(event));
	fixture_down(&f);
}

/* Who has heard no Rekey Event at all knows of none to ask for. */
GK_TEST(rfc4534_b_5_5_01, without_any_event_there_is_nothing_to_ask_for)
{
	struct world_config cfg = posting();
	struct fixture f;

	cfg.interval = 60;
	fixture_joined(&f, &cfg, SERVER_NAME);
	simnet_listen(f.w->net, f.m->node, false);
	world_pass(f.w, 70000);
	assert_int_equal(f.m->seen.count[GSAKMP_OUT_FETCH], 0);
	assert_true(f.m->seen.count[GSAKMP_OUT_STALE] > 0);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_b_5_6_3_01,
		       what_was_heard_in_any_order_is_not_asked_for),
		GK_RUN(rfc4534_b_5_6_3_01,
		       a_repetition_in_its_turn_leaves_the_others),
		GK_RUN(rfc4534_b_5_6_3_01,
		       without_a_copy_all_that_was_heard_is_taken),
		GK_RUN(rfc4534_b_5_6_3_01,
		       a_copy_of_what_came_meanwhile_is_not_looked_at),
		GK_RUN(rfc4535_7_1_1_13, who_comes_again_has_missed_nothing),
		GK_RUN(rfc4534_b_5_6_3_01,
		       an_overdue_rekey_asks_no_more_than_is_allowed),
		GK_RUN(rfc4534_b_5_5_01,
		       without_any_event_there_is_nothing_to_ask_for),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/gm_recover_order",
	                                         tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
