/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

/*
 * Lifetimes in kilobytes at the key server, which sees no traffic: a member that
 * registers again may have used its SA up.
 */
static struct gw w;

static void
open_with(uint32_t life_kb, size_t members, size_t registered)
{
	gw_init(&w, members);
	w.template.data[0].sat.ipsec.life_kb = life_kb;
	gw_open(&w);
	for (size_t i = 0; i < registered; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	gw_drain(&w);
}

GK_TEST(kilobytes, who_registers_again_brings_about_new_keys_for_all)
{
	size_t had;

	open_with(100, 3, 3);
	gw_after(&w, 60);
	had = w.member[0].n_teks;
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 1);
	for (size_t i = 0; i < 3; i++) {
		assert_true(gw_can_read(&w, &w.member[i]));
		assert_int_equal(w.member[i].n_teks, had + 1);
	}
	/* Others that ask a moment later wait for their turn with the new ones. */
	gk_assert_ok(gw_register(&w, &w.member[2]));
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gw_after(&w, 8);
	assert_int_equal(w.member[1].n_teks, had + 1);
	gw_after(&w, 3);
	assert_int_equal(w.member[1].n_teks, had + 2);
	gw_after(&w, 60);
	assert_int_equal(w.member[1].n_teks, had + 2);
	gw_free(&w);
}

GK_TEST(kilobytes, without_such_a_lifetime_nothing_comes_of_it)
{
	size_t had;

	open_with(0, 3, 3);
	gw_after(&w, 60);
	had = w.member[0].n_teks;
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 60);
	assert_int_equal(w.member[0].n_teks, had);
	gw_free(&w);
}

/* The first registration of each of them asks for nothing. */
GK_TEST(kilobytes, who_comes_for_the_first_time_has_used_nothing)
{
	open_with(100, 2, 1);
	gw_after(&w, 60);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 60);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_free(&w);
}

static size_t
holders_of_current(void)
{
	size_t n = 0;

	for (size_t i = 0; i < w.n_tek; i++)
		for (size_t m = 0; m < w.n_members; m++)
			n += w.tek[i].state == GDOI_TEK_CURRENT &&
			     gw_has_tek(&w.member[m], w.tek_spi[i]);
	return n;
}

/* Nobody can tell the others of new keys there, so who only comes again, as after a
 * restart, must not be the end of what they have in common. */
GK_TEST(kilobytes, in_a_group_without_a_rekey_sa_the_others_keep_theirs)
{
	const struct gw_member *again, *last;

	gw_init(&w, 3);
	again = &w.member[1];
	last = &w.member[2];
	w.template.rekey.on = false;
	w.template.data[0].sat.ipsec.life_kb = 100;
	gw_open_with(&w, 3);
	gw_after(&w, 60);
	for (size_t i = 0; i < 5; i++) {
		gk_assert_ok(gw_register(&w, &w.member[1]));
		gw_after(&w, 5);
		assert_int_equal(holders_of_current(), 3);
	}
	/* There is one more, for who has used up the first, and for all later. */
	assert_int_equal(w.n_tek, 2);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_RECEIVE), 1);
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_true(gw_can_read(&w, again) && gw_can_read(&w, last));
	assert_true(last->has_gap && last->gap.has_atd);
	assert_in_range(last->gap.atd, 3600 - 60 - 25 - 1, 3600 - 60 - 25);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gw_after(&w, 3600 - 60 - 25);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	assert_int_equal(holders_of_current(), 3);
	gw_free(&w);
}

/* Members @a and @b, or one of them, register again each second; what that comes to. */
static unsigned
rekeys_of(size_t a, size_t b, unsigned seconds)
{
	unsigned before = w.count[GDOI_OUT_REKEYED];

	for (unsigned s = 0; s < seconds; s += 2) {
		gk_assert_ok(gw_register(&w, &w.member[a]));
		gw_after(&w, 1);
		gk_assert_ok(gw_register(&w, &w.member[b]));
		gw_after(&w, 1);
		gw_drain(&w);
	}
	return w.count[GDOI_OUT_REKEYED] - before;
}

GK_TEST(kilobytes, one_member_does_not_have_the_others_change_keys_all_the_time)
{
	gw_init(&w, 3);
	gw_set_data(&w, 1, &gw_esp_cbc); /* no sender ids to run out */
	w.template.data[0].sat.ipsec.life_kb = 100;
	w.template.data[0].sat.ipsec.life_s = 86400;
	w.cfg.worn_gap_s = 20;
	w.cfg.worn_max = 4;
	gw_open_with(&w, 3);
	gw_after(&w, 60);
	/* The least interval, ... */
	assert_in_range(rekeys_of(0, 0, 50), 2, 3);
	assert_in_range(w.count[GDOI_OUT_KILOBYTES], 3, 4);
	/* ... and its share, of which it is told once. */
	assert_in_range(rekeys_of(0, 0, 600), 1, 2);
	assert_int_equal(w.count[GDOI_OUT_KILOBYTES], 5);
	assert_string_equal(w.peer, "ipv4:10.1.0.1");
	assert_int_equal(rekeys_of(0, 0, 600), 0);
	assert_int_equal(w.count[GDOI_OUT_KILOBYTES], 5);
	/* It is served all the same, and others have a share of their own. */
	assert_true(gw_can_read(&w, &w.member[0]));
	assert_in_range(rekeys_of(1, 1, 50), 2, 3);
	gw_after(&w, 3600);
	assert_in_range(rekeys_of(0, 0, 50), 2, 3);
	gw_free(&w);
}

GK_TEST(kilobytes, one_registration_costs_one_share_of_all_sas)
{
	const struct gdoi_sat sat[] = { gw_esp_cbc, gw_ah };

	gw_init(&w, 2);
	gw_set_data(&w, 2, sat);
	w.template.data[0].sat.ipsec.life_kb = 100;
	w.template.data[1].sat.ipsec.life_kb = 100;
	w.cfg.worn_max = 1;
	gw_open_with(&w, 2);
	gw_after(&w, 60);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_KILOBYTES], 1);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 1);
	assert_int_equal(w.member[0].last_sats, 2);
	gw_free(&w);
}

/* Who can have a key server start again has no more of it, and what was granted is
 * done. */
GK_TEST(kilobytes, a_restart_gives_no_other_share)
{
	gw_init(&w, 2);
	gw_set_data(&w, 1, &gw_esp_cbc);
	w.template.data[0].sat.ipsec.life_kb = 100;
	w.template.data[0].sat.ipsec.life_s = 86400;
	w.cfg.worn_gap_s = 600;
	w.cfg.worn_max = 2;
	gw_open_with(&w, 2);
	gw_after(&w, 60);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 0);
	gw_restart(&w);
	gw_after(&w, 600);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 1);
	gw_after(&w, 600);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 2);
	/* That was its share of this hour, ... */
	gw_restart(&w);
	gw_after(&w, 600);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 600);
	gw_restart(&w);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 600);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 2);
	/* ... and this is the next one. */
	gw_restart(&w);
	gw_after(&w, 1200);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_REKEYED], 3);
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(kilobytes,
		       who_registers_again_brings_about_new_keys_for_all),
		GK_RUN(kilobytes,
		       one_member_does_not_have_the_others_change_keys_all_the_time),
		GK_RUN(kilobytes, a_restart_gives_no_other_share),
		GK_RUN(kilobytes, one_registration_costs_one_share_of_all_sas),
		GK_RUN(kilobytes, without_such_a_lifetime_nothing_comes_of_it),
		GK_RUN(kilobytes,
		       who_comes_for_the_first_time_has_used_nothing),
		GK_RUN(kilobytes,
		       in_a_group_without_a_rekey_sa_the_others_keep_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
