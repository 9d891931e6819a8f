/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <limits.h>
#include <string.h>

/*
 * What policy and command say of evictions: delays (RFC 5374 section 4.2.1), and
 * whether the evicted see what the next KEK is (RFC 6407 section 7.4.1).
 */
static struct gw w;

static void
begin(size_t members)
{
	gw_init(&w, members);
	w.cfg.push_max = 9000;
	w.template.has_gap = true;
	w.template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 10, .has_dtd = true, .dtd = 30
	};
}

static void
open_all(void)
{
	gw_open_with(&w, w.n_members);
	gw_after(&w, 5);
	gw_forget_pushes(&w);
}

static const struct gw_tek *
tek_of(const struct gw_member *m, const uint8_t spi[4])
{
	for (size_t i = 0; i < m->n_teks; i++)
		if (memcmp(m->tek[i].spi, spi, 4) == 0)
			return &m->tek[i];
	return NULL;
}

/* ---- delays -------------------------------------------------------------- */

GK_TEST(rfc6407_5_4_1_01, an_eviction_has_the_delays_of_any_rekey)
{
	begin(4);
	open_all();
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(w.member[0].gap.atd, 10);
	assert_int_equal(w.member[0].gap.dtd, 30);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_RECEIVE), 1);
	gw_after(&w, 10);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_OLD), 1);
	gw_after(&w, 21);
	assert_int_equal(w.n_tek, 1);
	gw_free(&w);
}

static void
assert_replaced_at_once(const uint8_t old[4])
{
	assert_int_equal(w.member[0].gap.atd, 0);
	assert_int_equal(w.member[0].gap.dtd, 0);
	assert_true(gw_can_read(&w, &w.member[0]));
	assert_false(gw_can_read(&w, &w.member[2]));
	/* The key server's own list, and what members were told to delete. */
	assert_int_equal(w.n_tek, 1);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	assert_false(gw_has_tek(&w.member[0], old));
}

GK_TEST(rfc6407_5_4_1_01, by_policy_an_eviction_replaces_at_once)
{
	uint8_t old[4];

	begin(4);
	w.template.rekey.evict_at_once = true;
	open_all();
	memcpy(old, w.member[0].tek[0].spi, 4);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_replaced_at_once(old);
	gw_free(&w);
}

/* An ordinary rekey of such a group still rolls over. */
GK_TEST(rfc6407_5_4_1_01, no_other_rekey_is_hurried_by_that_policy)
{
	begin(3);
	w.template.rekey.evict_at_once = true;
	open_all();
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(w.member[0].gap.atd, 10);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_RECEIVE), 1);
	gw_free(&w);
}

GK_TEST(rfc6407_5_4_1_01, by_command_an_eviction_replaces_at_once)
{
	const char *peer = "ipv4:10.1.0.3";
	uint8_t old[4];

	begin(4);
	open_all();
	memcpy(old, w.member[0].tek[0].spi, 4);
	gk_assert_ok(gdoi_group_evict_now(w.group, &peer, 1, w.now));
	gw_drain(&w);
	assert_replaced_at_once(old);
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_group_evict_now(w.group, &peer, 1, w.now));
	gw_free(&w);
}

/* Wherever it fails: who is out is out at once when it is made up for, and who is
 * still in is told to be by another command. */
static bool
fails_at(unsigned draws, bool restart, unsigned *made_up)
{
	const char *peer = "ipv4:10.1.0.3";
	uint8_t old[4];
	enum gk_err err;

	begin(5);
	gw_open_with(&w, 4);
	gw_after(&w, 5);
	memcpy(old, w.member[0].tek[0].spi, 4);
	gw_random_left = draws;
	err = gdoi_group_evict_now(w.group, &peer, 1, w.now);
	gw_random_left = UINT_MAX;
	gw_drain(&w);
	if (restart) { /* with what a registration made durable */
		gk_assert_ok(gw_register(&w, &w.member[4]));
		gw_restart(&w);
	}
	gw_after(&w, 2);
	if (err != GK_OK &&
	    gdoi_group_evict_now(w.group, &peer, 1, w.now) == GK_OK)
		gw_drain(&w);
	else
		*made_up += err != GK_OK;
	assert_replaced_at_once(old);
	/* and the next one has its delays again */
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_int_equal(w.member[0].gap.atd, 10);
	gw_free(&w);
	return err != GK_OK;
}

GK_TEST(rfc6407_5_4_1_01, an_eviction_that_failed_is_made_up_for_at_once)
{
	for (int restart = 0; restart < 2; restart++) {
		unsigned made_up = 0, draws = 0;

		while (fails_at(draws, restart != 0, &made_up))
			draws++;
		assert_true(made_up != 0);
	}
}

struct search {
	uint32_t id;
	bool found;
};

static void
look(void *ctx, const struct gdoi_group_row *row)
{
	struct search *s = ctx;

	s->found |= row->member_id == s->id;
}

static bool
is_in(size_t i)
{
	struct search s = { .id = w.member[i].member_id };

	gdoi_group_members(w.group, look, &s);
	return s.found;
}

/* Of two that go one may be out when the other one's keys cannot be made. */
GK_TEST(rfc6407_7_4_1_01, half_an_eviction_is_made_up_for)
{
	const char *const peers[] = { "ipv4:10.1.0.3", "ipv4:10.1.0.2" };
	enum gk_err err;

	for (unsigned draws = 0;; draws++) {
		begin(6);
		open_all();
		gw_random_left = draws;
		err = gdoi_group_evict_now(w.group, peers, 2, w.now);
		gw_random_left = UINT_MAX;
		gw_drain(&w);
		gw_after(&w, 2);
		for (size_t i = 1; i < 3; i++)
			assert_int_equal(gw_can_read(&w, &w.member[i]),
			                 is_in(i));
		assert_true(gw_can_read(&w, &w.member[0]));
		gw_free(&w);
		if (err == GK_OK)
			break;
	}
}

/* A rollover was under way: the SA that waits for its DTD, and the one that waits
 * for its ATD, are both known to who goes. */
GK_TEST(rfc6407_5_4_1_01, a_rollover_under_way_is_cut_short)
{
	const char *peer = "ipv4:10.1.0.3";
	uint8_t first[4], second[4];

	begin(4);
	open_all();
	memcpy(first, w.member[0].tek[0].spi, 4);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	memcpy(second, w.member[0].tek[w.member[0].n_teks - 1].spi, 4);
	assert_memory_not_equal(first, second, 4);
	gw_after(&w, 12); /* ATD is over, DTD is not */
	assert_int_equal(w.n_tek, 2);
	assert_true(tek_of(&w.member[0], first)->until_ms > w.now.mono_ms);
	gk_assert_ok(gdoi_group_evict_now(w.group, &peer, 1, w.now));
	gw_drain(&w);
	assert_int_equal(w.n_tek, 1);
	assert_false(gw_has_tek(&w.member[0], second));
	/* It was named again, and has no time left. */
	assert_true(tek_of(&w.member[0], first)->deleted);
	assert_int_equal(tek_of(&w.member[0], first)->until_ms, w.now.mono_ms);
	gw_free(&w);
}

/* Who says that it leaves is treated alike. */
GK_TEST(rfc6407_5_4_1_01, who_leaves_is_followed_by_new_keys_at_once)
{
	struct gdoi_peer p = { 0 };
	uint64_t ticket;

	begin(3);
	p.id = &w.member[1].id;
	w.template.rekey.evict_at_once = true;
	open_all();
	gk_assert_ok(gdoi_group_left(w.group, &p, w.now, &ticket));
	assert_true(gw_commit(&w, ticket));
	gw_after(&w, 1);
	assert_int_equal(w.member[0].gap.dtd, 0);
	assert_int_equal(w.n_tek, 1);
	assert_false(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

/* ---- RFC 6407 section 7.4.1: two changes of the KEK ---------------------- */

GK_TEST(rfc6407_7_4_1_03, two_changes_of_the_kek_precede_the_teks)
{
	uint8_t old[16];

	begin(9);
	w.template.rekey.hide_kek = true;
	open_all();
	memcpy(old, w.member[3].kek[0].sak.spi, 16);
	gk_assert_ok(gw_evict(&w, &w.member[3]));
	assert_int_equal(w.n_push, 3);
	assert_memory_equal(w.push[0].spi, old, 16);
	assert_memory_not_equal(w.push[1].spi, old, 16);
	assert_memory_not_equal(w.push[2].spi, old, 16);
	assert_memory_not_equal(w.push[2].spi, w.push[1].spi, 16);
	/* The KEK that protects the TEKs is one whose SAK it never saw. */
	assert_int_equal(w.member[3].obeyed, 1);
	assert_int_equal(w.member[3].blind, 2);
	assert_memory_equal(w.member[0].kek[0].sak.spi, w.push[2].spi, 16);
	gw_after(&w, 10); /* ATD */
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(gw_can_read(&w, &w.member[i]), i != 3);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_1_03, every_degree_and_again_and_again_over_a_restart)
{
	for (unsigned degree = 2; degree <= 5; degree++) {
		begin(14);
		w.template.rekey.hide_kek = true;
		w.template.rekey.lkh_degree = degree;
		open_all();
		for (size_t gone = 0; gone < 12; gone += 3) {
			gk_assert_ok(gw_evict(&w, &w.member[gone]));
			gw_after(&w, 10);
			for (size_t i = 0; i < 14; i++)
				assert_int_equal(gw_can_read(&w, &w.member[i]),
				                 i % 3 != 0 || i > gone);
			gw_restart(&w);
			gw_after(&w, 40);
		}
		gw_free(&w);
	}
}

/* Nothing is hidden when nobody leaves: no needless PUSH. */
GK_TEST(rfc6407_7_4_1_03, an_ordinary_rekey_changes_the_kek_once)
{
	begin(5);
	w.template.rekey.hide_kek = true;
	open_all();
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(w.n_push, 2);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_1_03, in_a_group_with_backward_secrecy_too)
{
	begin(8);
	w.template.rekey.hide_kek = true;
	w.template.rekey.backward = true;
	open_all();
	gk_assert_ok(gw_evict(&w, &w.member[7]));
	gw_after(&w, 20);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(gw_can_read(&w, &w.member[i]), i != 7);
	gk_assert_ok(gdoi_group_readmit(w.group, "ipv4:10.1.0.8"));
	gk_assert_ok(gw_register(&w, &w.member[7]));
	gw_after(&w, 20);
	for (size_t i = 0; i < 8; i++)
		assert_true(gw_can_read(&w, &w.member[i]));
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_4_1_01,
		       an_eviction_has_the_delays_of_any_rekey),
		GK_RUN(rfc6407_5_4_1_01,
		       by_policy_an_eviction_replaces_at_once),
		GK_RUN(rfc6407_5_4_1_01,
		       no_other_rekey_is_hurried_by_that_policy),
		GK_RUN(rfc6407_5_4_1_01,
		       by_command_an_eviction_replaces_at_once),
		GK_RUN(rfc6407_5_4_1_01,
		       an_eviction_that_failed_is_made_up_for_at_once),
		GK_RUN(rfc6407_7_4_1_01, half_an_eviction_is_made_up_for),
		GK_RUN(rfc6407_5_4_1_01, a_rollover_under_way_is_cut_short),
		GK_RUN(rfc6407_5_4_1_01,
		       who_leaves_is_followed_by_new_keys_at_once),
		GK_RUN(rfc6407_7_4_1_03,
		       two_changes_of_the_kek_precede_the_teks),
		GK_RUN(rfc6407_7_4_1_03,
		       every_degree_and_again_and_again_over_a_restart),
		GK_RUN(rfc6407_7_4_1_03,
		       an_ordinary_rekey_changes_the_kek_once),
		GK_RUN(rfc6407_7_4_1_03, in_a_group_with_backward_secrecy_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
