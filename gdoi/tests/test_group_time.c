/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* What time brings: lifetimes, ATD and DTD, RFC 8052's next key. */
static struct gw w;

/* ---- lifetimes ----------------------------------------------------------- */

GK_TEST(rfc6407_4_3_03, teks_and_kek_are_replaced_before_they_end)
{
	gw_init(&w, 3);
	w.template.rekey.sak.lifetime = 7200;
	gw_open_with(&w, 3);
	/* A day: TEKs of an hour, a KEK of two. */
	for (int hour = 0; hour < 24; hour++) {
		gw_after(&w, 3600);
		for (size_t i = 0; i < 3; i++)
			assert_true(gw_can_read(&w, &w.member[i]));
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	}
	assert_in_range(w.count[GDOI_OUT_MULTICAST], 24 + 12, 30 + 16);
	/* What has run out is gone. */
	assert_in_range(w.n_tek, 1, 2);
	gw_free(&w);
}

GK_TEST(rfc6407_5_3_4_01, a_late_member_is_told_what_remains)
{
	gw_init(&w, 2);
	gw_open(&w);
	gw_after(&w, 1000);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].tek[0].lifetime, 2600);
	assert_int_equal(w.member[0].kek[0].sak.lifetime, 85400);
	gw_free(&w);
}

/* Members count seconds; the key server keeps dates. */
GK_TEST(rfc6407_5_3_4_01, a_clock_that_is_put_back_lengthens_no_life)
{
	unsigned sent;

	gw_init(&w, 4);
	gw_open_with(&w, 3);
	gw_after(&w, 1800);
	w.now.utc_s -= 86400;
	gk_assert_ok(gw_register(&w, &w.member[3]));
	assert_in_range(w.member[3].tek[0].lifetime, 1795, 1800);
	assert_in_range(w.member[3].kek[0].sak.lifetime, 84595, 84600);
	gw_restart(&w);
	sent = w.count[GDOI_OUT_MULTICAST];
	gw_after(&w, 1600);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], sent + 1);
	for (size_t i = 0; i < 4; i++)
		assert_true(gw_can_read(&w, &w.member[i]));
	/* While nothing happened, and by a command. */
	w.now.utc_s -= 3 * 86400;
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	sent = w.count[GDOI_OUT_MULTICAST];
	gw_after(&w, 10 * 3600);
	assert_in_range(w.count[GDOI_OUT_MULTICAST], sent + 10, sent + 12);
	gw_free(&w);
}

/* Many small steps are as good as a large one. */
GK_TEST(rfc6407_5_3_4_01, nor_does_one_that_is_put_back_again_and_again)
{
	gw_init(&w, 3);
	gw_open_with(&w, 2);
	for (int i = 0; i < 20; i++) {
		gw_after(&w, 60);
		w.now.utc_s -= 4;
		gk_assert_ok(gdoi_group_tick(w.group, w.now));
		gw_drain(&w);
	}
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_in_range(w.member[2].tek[0].lifetime, 2390, 2405);
	assert_in_range(w.member[2].kek[0].sak.lifetime, 85190, 85205);
	gw_free(&w);
}

/* A thread that has read both clocks before, and got the lock after another one: it
 * neither ends what is not over, nor are lives cut twice. */
GK_TEST(rfc6407_5_3_4_01, who_has_an_old_date_does_no_harm)
{
	struct gk_now before;
	unsigned sent;

	gw_init(&w, 4);
	gw_open_with(&w, 3);
	gw_after(&w, 600);
	before = w.now;
	w.now.mono_ms += 5;
	w.now.utc_s -= 86400;
	gk_assert_ok(gdoi_group_tick(w.group, w.now));
	gk_assert_ok(gdoi_group_tick(w.group, before));
	gw_drain(&w);
	sent = w.count[GDOI_OUT_MULTICAST];
	w.now.mono_ms += 5;
	gk_assert_ok(gw_register(&w, &w.member[3]));
	assert_in_range(w.member[3].tek[0].lifetime, 2995, 3000);
	assert_in_range(w.member[3].kek[0].sak.lifetime, 85795, 85800);
	gw_after(&w, 60);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], sent);
	gw_free(&w);
}

/* It ends keys early, and nobody is lost. */
GK_TEST(rfc6407_5_3_4_01, a_clock_that_is_put_forward)
{
	gw_init(&w, 3);
	gw_open_with(&w, 3);
	for (int day = 0; day < 3; day++) {
		gw_after(&w, 600);
		w.now.utc_s += 30 * 86400;
		gk_assert_ok(gdoi_group_tick(w.group, w.now));
		gw_drain(&w);
		gw_after(&w, 10);
		for (size_t i = 0; i < 3; i++)
			assert_true(gw_can_read(&w, &w.member[i]));
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	}
	gw_free(&w);
}

GK_TEST(rfc6407_4_3_03, margin_and_interval_are_the_policys)
{
	gw_init(&w, 1);
	w.template.rekey.margin_s = 600;
	gw_open_with(&w, 1);
	gw_after(&w, 2999);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_after(&w, 2);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	gw_free(&w);
	gw_init(&w, 1);
	w.template.rekey.interval_s = 300;
	gw_open_with(&w, 1);
	gw_after(&w, 3050);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 10);
	gw_free(&w);
}

/* ---- ATD and DTD --------------------------------------------------------- */

static void
with_gap(uint16_t atd, uint16_t dtd)
{
	gw_init(&w, 4);
	w.template.has_gap = true;
	w.template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = atd, .has_dtd = true, .dtd = dtd
	};
}

GK_TEST(rfc5374_4_2_1_03, the_key_servers_own_sas_follow_atd_and_dtd)
{
	with_gap(10, 30);
	gw_open_with(&w, 4);
	/* The first is in use at once: nobody has another. */
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_RECEIVE), 1);
	assert_int_equal(w.tek[0].state, GDOI_TEK_CURRENT);
	gw_after(&w, 9);
	assert_int_equal(w.tek[0].state, GDOI_TEK_CURRENT);
	gw_after(&w, 2);
	assert_int_equal(w.tek[0].state, GDOI_TEK_OLD);
	assert_int_equal(w.tek[1].state, GDOI_TEK_CURRENT);
	gw_after(&w, 18);
	assert_int_equal(w.n_tek, 2);
	gw_after(&w, 2);
	assert_int_equal(w.n_tek, 1);
	assert_int_equal(w.tek[0].state, GDOI_TEK_CURRENT);
	gw_free(&w);
}

/* A tenth of the lifetime is not enough then. */
GK_TEST(rfc5374_4_2_1_03, a_successor_is_in_use_before_a_lifetime_ends)
{
	with_gap(900, 1200);
	w.template.rekey.resend_count = 2;
	w.template.rekey.resend_spacing_ms = 20000;
	gw_open_with(&w, 1);
	gw_after(&w, 3600 - 942);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_after(&w, 2);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	for (int i = 0; i < 200; i++) {
		gw_after(&w, 60);
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	}
	gw_free(&w);
	/* What cannot be had is no reason to rekey all the time. */
	with_gap(5000, 6000);
	gw_open_with(&w, 1);
	gw_after(&w, 20000);
	assert_in_range(w.count[GDOI_OUT_MULTICAST], 2, 6);
	gw_free(&w);
}

static void
without_a_key_server(int64_t s)
{
	with_gap(900, 1200);
	gw_open_with(&w, 1);
	w.now.utc_s += s;
	w.now.mono_ms += 1000 * (uint64_t)s;
	gw_restart(&w);
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	assert_true(w.member[0].has_gap);
	assert_int_equal(w.member[0].gap.dtd, 1200);
}

/* It comes back when there is less time than that: ATD is what there is. */
GK_TEST(rfc6407_5_4_1_01, who_is_late_has_nobody_wait_without_an_sa)
{
	without_a_key_server(3600 - 300);
	assert_in_range(w.member[0].gap.atd, 295, 299);
	for (int i = 0; i < 150; i++) {
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
		gw_after(&w, 30);
	}
	/* ... and the next one is in time again */
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 2);
	assert_int_equal(w.member[0].gap.atd, 900);
	gw_free(&w);
	without_a_key_server(3600 + 300);
	assert_int_equal(w.member[0].gap.atd, 0);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	gw_free(&w);
}

GK_TEST(rfc6407_5_4_1_02, the_push_deletes_the_old_sa_and_says_when)
{
	with_gap(10, 30);
	gw_open_with(&w, 4);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	GK_SHOWS("RFC5374-4.2.1-07");
	assert_true(w.member[0].has_gap);
	assert_int_equal(w.member[0].gap.atd, 10);
	assert_int_equal(w.member[0].gap.dtd, 30);
	assert_true(w.member[0].tek[0].deleted);
	assert_false(w.member[0].tek[1].deleted);
	gw_free(&w);
}

GK_TEST(rfc5374_4_2_1_10, a_member_that_comes_during_a_rollover_misses_nothing)
{
	with_gap(10, 30);
	gw_open_with(&w, 3);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gw_after(&w, 4);
	gk_assert_ok(gw_register(&w, &w.member[3]));
	/* Others still send with the old one; the new one comes last. */
	assert_int_equal(w.member[3].n_teks, 2);
	assert_memory_equal(w.member[3].tek[1].spi, w.tek_spi[1], 4);
	assert_int_equal(w.member[3].gap.atd, 6);
	gw_after(&w, 10);
	gk_assert_ok(gw_register(&w, &w.member[3]));
	assert_int_equal(w.member[3].n_teks, 1);
	assert_int_equal(w.member[3].gap.atd, 0);
	gw_free(&w);
}

GK_TEST(rfc6407_5_4_1_02, at_once_means_neither_delay)
{
	with_gap(10, 30);
	gw_open_with(&w, 2);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK | GDOI_REKEY_NOW,
	                              w.now));
	gw_drain(&w);
	assert_int_equal(w.member[0].gap.atd, 0);
	assert_int_equal(w.member[0].gap.dtd, 0);
	assert_int_equal(w.n_tek, 1);
	assert_int_equal(w.tek[0].state, GDOI_TEK_CURRENT);
	gw_free(&w);
}

GK_TEST(rfc5374_4_2_1_15, a_rekey_within_the_delays_of_another)
{
	with_gap(10, 30);
	gw_open_with(&w, 2);
	for (int i = 0; i < 4; i++) {
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
		gw_drain(&w);
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
		assert_in_range(w.n_tek, 2, 5);
		gw_after(&w, 3);
		assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	}
	gw_after(&w, 60);
	assert_int_equal(w.n_tek, 1);
	assert_true(gw_can_read(&w, &w.member[0]));
	gw_free(&w);
}

/* Without GAP the old SA is not deleted: it runs out. */
GK_TEST(rfc6407_5_9_01, without_delays_an_old_sa_lasts_as_long_as_it_was_to)
{
	uint8_t spi[4];

	GK_SHOWS("RFC5374-4.2.1-06", "RFC5374-4.2.1-14");
	gw_init(&w, 2);
	gw_open_with(&w, 2);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_false(w.member[0].tek[0].deleted);
	assert_int_equal(w.tek[0].state, GDOI_TEK_OLD);
	assert_int_equal(w.tek[1].state, GDOI_TEK_CURRENT);
	memcpy(spi, w.tek_spi[0], sizeof(spi));
	gw_after(&w, 3590);
	assert_memory_equal(w.tek_spi[0], spi, sizeof(spi));
	gw_after(&w, 11);
	assert_memory_not_equal(w.tek_spi[0], spi, sizeof(spi));
	gw_free(&w);
}

/* ---- RFC 8052 ------------------------------------------------------------ */

static void
substation(uint32_t atd)
{
	struct gdoi_sat sat = gw_iec_gcm;

	gw_init(&w, 4);
	sat.iec.has_atd = true;
	sat.iec.atd = atd;
	sat.iec.has_kda = true;
	gw_set_data(&w, 1, &sat);
	w.template.has_gap = true;
	w.template.gap = (struct gdoi_gap){ .has_dtd = true, .dtd = 20 };
}

GK_TEST(rfc8052_2_2_4_1_02, a_pull_brings_the_current_and_the_next_key)
{
	substation(0);
	gw_open_with(&w, 1);
	assert_int_equal(w.member[0].n_teks, 2);
	assert_false(w.member[0].tek[0].has_atd);
	assert_int_equal(w.member[0].tek[0].lifetime, 3600);
	assert_true(w.member[0].tek[1].has_atd);
	assert_int_equal(w.member[0].tek[1].atd, 3580);
	/* RFC8052-2.2-06: as of now. */
	gw_after(&w, 100);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_int_equal(w.member[1].tek[0].lifetime, 3500);
	assert_int_equal(w.member[1].tek[1].atd, 3480);
	/* Switch sid_for_iec61850. */
	assert_int_equal(w.member[1].n_sids, 0);
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_4_1_01, the_next_key_takes_over_without_a_message)
{
	uint8_t next[4];

	substation(0);
	gw_open_with(&w, 2);
	memcpy(next, w.member[0].tek[1].spi, 4);
	gw_after(&w, 3575);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_NEXT), 1);
	gw_after(&w, 10);
	/* It is in use, the one before it receives until it ends, and the one
	 * after it has been given out. */
	assert_int_equal(gw_in_state(&w, GDOI_TEK_CURRENT), 1);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_OLD), 1);
	assert_int_equal(gw_in_state(&w, GDOI_TEK_NEXT), 1);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	assert_int_equal(w.member[0].n_teks, 3);
	for (size_t i = 0; i < w.n_tek; i++)
		if (w.tek[i].state == GDOI_TEK_CURRENT)
			assert_memory_equal(w.tek_spi[i], next, 4);
	for (int hour = 0; hour < 10; hour++) {
		gw_after(&w, 3600);
		assert_true(gw_can_read(&w, &w.member[1]));
	}
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 11);
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_4_1_01, the_next_key_can_come_shortly_before)
{
	substation(600);
	gw_open_with(&w, 1);
	assert_int_equal(w.member[0].n_teks, 1);
	gw_after(&w, 3010);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	assert_int_equal(w.member[0].n_teks, 2);
	assert_in_range(w.member[0].tek[1].atd, 575, 580);
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_4_2_01, sa_kda_is_the_share_that_has_the_key)
{
	substation(0);
	gw_open_with(&w, 1);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_int_equal(w.member[1].tek[0].kda, 100);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	/* Nobody acknowledges: of the new key nobody is known to have it. */
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_int_equal(w.member[2].tek[0].kda, 0);
	gk_assert_ok(gw_register(&w, &w.member[3]));
	assert_int_equal(w.member[3].tek[0].kda, 33);
	/* Who comes again is not counted twice. */
	gw_after(&w, 5);
	gk_assert_ok(gw_register(&w, &w.member[2]));
	gw_after(&w, 5);
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_int_equal(w.member[2].tek[0].kda, 50);
	gw_free(&w);
}

/* Who acknowledged a key has it, and does not get it when it comes again. */
GK_TEST(rfc8052_2_2_4_2_01, sa_kda_counts_nobody_twice_who_acknowledged)
{
	struct gk_buf ack;

	substation(0);
	w.template.rekey.sak.ack = GDOI_ACK_KEK_SHA256;
	gw_open_with(&w, 2);
	gw_after(&w, 5);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gw_ack(&w, &w.member[0], 0, 1, GDOI_ACK_KEK_SHA256, &ack);
	gk_assert_ok(gw_send_ack(&w, &w.member[0], gk_buf_slice(&ack)));
	for (int i = 0; i < 2; i++) {
		gw_after(&w, 5);
		gk_assert_ok(gw_register(&w, &w.member[0]));
		assert_int_equal(w.member[0].tek[0].kda, 50);
	}
	gk_buf_free(&ack);
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_4_1_01, revocation_replaces_the_next_key_too)
{
	uint8_t old[2][4];

	substation(0);
	gw_open_with(&w, 4);
	memcpy(old[0], w.tek_spi[0], 4);
	memcpy(old[1], w.tek_spi[1], 4);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_false(gw_can_read(&w, &w.member[2]));
	assert_true(gw_can_read(&w, &w.member[3]));
	gw_after(&w, 4000);
	for (size_t i = 0; i < w.n_tek; i++)
		assert_true(memcmp(w.tek_spi[i], old[0], 4) != 0 &&
		            memcmp(w.tek_spi[i], old[1], 4) != 0);
	assert_true(w.member[3].tek[0].deleted);
	assert_true(w.member[3].tek[1].deleted);
	assert_false(gw_can_read(&w, &w.member[2]));
	assert_true(gw_can_read(&w, &w.member[3]));
	gw_free(&w);
}

/* By the key server's clock the first key is over; members count from when they
 * were told. */
GK_TEST(rfc8052_2_2_4_1_01, revocation_replaces_a_key_that_has_just_run_out)
{
	uint8_t old[4];

	substation(0);
	gw_open_with(&w, 4);
	memcpy(old, w.tek_spi[0], 4);
	while (w.n_tek > 0 && memcmp(w.tek_spi[0], old, 4) == 0)
		gw_after(&w, 1);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_memory_equal(w.member[3].tek[0].spi, old, 4);
	assert_true(w.member[3].tek[0].deleted);
	assert_true(gw_can_read(&w, &w.member[3]));
	assert_false(gw_can_read(&w, &w.member[2]));
	gw_free(&w);
}

/* Who could not be reached goes on with it (section 2.2), and whoever is evicted
 * has it as well: so it is deleted, though it is over for long, by the key server
 * that was started again meanwhile, too. */
GK_TEST(rfc8052_2_2_4_1_01, revocation_deletes_what_members_keep_beyond_its_end)
{
	uint8_t old[4];
	struct gw_tek *first;

	substation(0);
	gw_open_with(&w, 4);
	first = &w.member[3].tek[0];
	memcpy(old, w.tek_spi[0], 4);
	while (w.n_tek > 0 && memcmp(w.tek_spi[0], old, 4) == 0)
		gw_after(&w, 1);
	gw_after(&w, 600);
	gw_restart(&w);
	gw_after(&w, 600);
	gw_restart(&w);
	assert_memory_equal(first->spi, old, 4);
	assert_false(first->deleted);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_true(first->deleted);
	assert_true(gw_can_read(&w, &w.member[3]));
	/* Once is enough. */
	first->deleted = false;
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	gw_restart(&w);
	gk_assert_ok(gw_evict(&w, &w.member[0]));
	assert_false(first->deleted);
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_4_1_01, of_what_is_over_the_last_eight_are_remembered)
{
	uint8_t old[3][4];

	substation(0);
	gw_open_with(&w, 2);
	for (int i = 0; i < 3; i++) {
		memcpy(old[i], w.member[0].tek[i].spi, 4);
		gw_after(&w, 3600);
	}
	gw_after(&w, 7 * 3600);
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	for (int i = 0; i < 3; i++)
		assert_memory_equal(w.member[0].tek[i].spi, old[i], 4);
	assert_false(w.member[0].tek[0].deleted);
	assert_false(w.member[0].tek[1].deleted);
	assert_true(w.member[0].tek[2].deleted);
	gw_free(&w);
}

/* A group has many streams, whose keys run out together. */
GK_TEST(rfc8052_2_2_4_1_01, what_is_over_is_remembered_of_each_stream)
{
	struct gdoi_sat sat[10];
	uint8_t old[10][4];

	gw_init(&w, 4);
	for (size_t i = 0; i < GK_COUNT(sat); i++) {
		sat[i] = gw_iec_gcm;
		sat[i].iec.has_atd = true;
	}
	gw_set_data(&w, GK_COUNT(sat), sat);
	gw_open_with(&w, 2);
	for (size_t i = 0; i < GK_COUNT(sat); i++)
		memcpy(old[i], w.member[0].tek[i].spi, 4);
	gw_after(&w, 7200);
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	for (size_t i = 0; i < GK_COUNT(sat); i++) {
		assert_memory_equal(w.member[0].tek[i].spi, old[i], 4);
		assert_true(w.member[0].tek[i].deleted);
	}
	gw_free(&w);
}

GK_TEST(rfc8052_2_2_5_02, no_spi_is_given_twice)
{
	static uint8_t seen[600][4];
	size_t n = 0;

	gw_init(&w, 1);
	gw_open(&w);
	for (int i = 0; i < 300; i++) {
		gk_assert_ok(gdoi_group_rekey(
			w.group, GDOI_REKEY_TEK | GDOI_REKEY_NOW, w.now));
		gw_drain(&w);
		assert_int_equal(w.n_tek, 1);
		for (size_t k = 0; k < n; k++)
			assert_memory_not_equal(seen[k], w.tek_spi[0], 4);
		memcpy(seen[n++], w.tek_spi[0], 4);
		if (i % 50 == 0)
			gw_restart(&w);
	}
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_3_03,
		       teks_and_kek_are_replaced_before_they_end),
		GK_RUN(rfc6407_5_3_4_01, a_late_member_is_told_what_remains),
		GK_RUN(rfc6407_5_3_4_01,
		       a_clock_that_is_put_back_lengthens_no_life),
		GK_RUN(rfc6407_5_3_4_01,
		       nor_does_one_that_is_put_back_again_and_again),
		GK_RUN(rfc6407_5_3_4_01, who_has_an_old_date_does_no_harm),
		GK_RUN(rfc6407_5_3_4_01, a_clock_that_is_put_forward),
		GK_RUN(rfc6407_4_3_03, margin_and_interval_are_the_policys),
		GK_RUN(rfc5374_4_2_1_03,
		       a_successor_is_in_use_before_a_lifetime_ends),
		GK_RUN(rfc6407_5_4_1_01,
		       who_is_late_has_nobody_wait_without_an_sa),
		GK_RUN(rfc5374_4_2_1_03,
		       the_key_servers_own_sas_follow_atd_and_dtd),
		GK_RUN(rfc6407_5_4_1_02,
		       the_push_deletes_the_old_sa_and_says_when),
		GK_RUN(rfc5374_4_2_1_10,
		       a_member_that_comes_during_a_rollover_misses_nothing),
		GK_RUN(rfc6407_5_4_1_02, at_once_means_neither_delay),
		GK_RUN(rfc5374_4_2_1_15, a_rekey_within_the_delays_of_another),
		GK_RUN(rfc6407_5_9_01,
		       without_delays_an_old_sa_lasts_as_long_as_it_was_to),
		GK_RUN(rfc8052_2_2_4_1_02,
		       a_pull_brings_the_current_and_the_next_key),
		GK_RUN(rfc8052_2_2_4_1_01,
		       the_next_key_takes_over_without_a_message),
		GK_RUN(rfc8052_2_2_4_1_01,
		       the_next_key_can_come_shortly_before),
		GK_RUN(rfc8052_2_2_4_2_01,
		       sa_kda_is_the_share_that_has_the_key),
		GK_RUN(rfc8052_2_2_4_2_01,
		       sa_kda_counts_nobody_twice_who_acknowledged),
		GK_RUN(rfc8052_2_2_4_1_01,
		       revocation_replaces_the_next_key_too),
		GK_RUN(rfc8052_2_2_4_1_01,
		       revocation_replaces_a_key_that_has_just_run_out),
		GK_RUN(rfc8052_2_2_4_1_01,
		       revocation_deletes_what_members_keep_beyond_its_end),
		GK_RUN(rfc8052_2_2_4_1_01,
		       of_what_is_over_the_last_eight_are_remembered),
		GK_RUN(rfc8052_2_2_4_1_01,
		       what_is_over_is_remembered_of_each_stream),
		GK_RUN(rfc8052_2_2_5_02, no_spi_is_given_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
