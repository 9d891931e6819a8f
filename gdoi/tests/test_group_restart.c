/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

#include "gdoi/engine/group_state.h"

/* What a restart goes on with; sender ids; the end of a group. */
static struct gw w;

GK_TEST(rfc6407_5_7_02, sequence_and_keys_go_on_after_a_restart)
{
	struct gdoi_group_status before, after;

	gw_init(&w, 4);
	gw_open_with(&w, 4);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gdoi_group_status(w.group, &before);
	gw_restart(&w);
	gdoi_group_status(w.group, &after);
	assert_memory_equal(before.kek.spi, after.kek.spi, 16);
	assert_int_equal(after.kek.sequence, 3);
	assert_int_equal(after.n_members, 4);
	assert_int_equal(after.n_teks, before.n_teks);
	/* The last PUSH again, the same octets: nobody is disturbed. */
	gw_after(&w, 1);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(w.member[i].obeyed, 3);
		assert_true(gw_can_read(&w, &w.member[i]));
	}
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 4);
	gk_assert_ok(gw_evict(&w, &w.member[0]));
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
}

/* The machine stops between the store's answer and the wire. */
GK_TEST(rfc6407_7_4_1_02, a_half_sent_eviction_goes_on)
{
	gw_init(&w, 9);
	gw_open_with(&w, 9);
	w.lose = true;
	gk_assert_ok(gw_evict(&w, &w.member[4]));
	assert_int_equal(gw_readers(&w), 0);
	w.lose = false;
	gw_restart(&w);
	gw_after(&w, 1);
	assert_int_equal(gw_readers(&w), 8);
	assert_false(gw_can_read(&w, &w.member[4]));
	gw_free(&w);
}

/* Before it: then nothing of it has happened. */
GK_TEST(rfc6407_5_7_02, nothing_is_sent_that_was_not_stored)
{
	gw_init(&w, 5);
	gw_open_with(&w, 5);
	w.broken = true;
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_restart(&w);
	gw_after(&w, 3);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	w.broken = false;
	gw_restart(&w);
	gw_after(&w, 3);
	assert_int_equal(gw_readers(&w), 5);
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

GK_TEST(rfc6407_5_7_02, what_the_store_did_not_take_is_sent_when_it_is_back)
{
	gw_init(&w, 5);
	gw_open_with(&w, 5);
	w.broken = true;
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_after(&w, 3);
	w.broken = false;
	gw_after(&w, 3);
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

/* The program is linked so that what keeps a member in memory comes here first. */
static bool no_memory;

enum gk_err __real_gdoi_member_put(struct gdoi_group *g, struct gk_member *m,
                                   const struct gdoi_member *info);
enum gk_err __wrap_gdoi_member_put(struct gdoi_group *g, struct gk_member *m,
                                   const struct gdoi_member *info);

enum gk_err
__wrap_gdoi_member_put(struct gdoi_group *g, struct gk_member *m,
                       const struct gdoi_member *info)
{
	return no_memory ? GK_ERR_NOMEM : __real_gdoi_member_put(g, m, info);
}

/* Nobody has a seat of whom nothing is known: the key server would not start again. */
GK_TEST(rfc6407_3_4_03, a_seat_comes_with_who_has_it)
{
	gw_init(&w, 4);
	gw_open_with(&w, 3);
	no_memory = true;
	gk_assert_err(GK_ERR_NOMEM, gw_register(&w, &w.member[3]));
	no_memory = false;
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 3);
	gw_restart(&w);
	gw_after(&w, 1);
	gk_assert_ok(gw_register(&w, &w.member[3]));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

static size_t
barred(void)
{
	struct gdoi_group_status status;

	gdoi_group_status(w.group, &status);
	return status.n_barred;
}

/* Nobody has to come for it: what has changed in memory is durable as soon as there
 * is a disk, and the last of it is not only there with the next change. */
GK_TEST(rfc6407_5_7_02, what_was_owed_to_the_disk_is_paid_when_it_is_back)
{
	size_t commits;

	gw_init(&w, 4);
	gw_open_with(&w, 4);
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	gw_after(&w, 2);
	commits = w.commits;
	gw_after(&w, 5);
	assert_int_equal(w.commits, commits); /* nothing is owed */
	w.broken = true;
	assert_int_equal(barred(), 1);
	gk_assert_ok(gdoi_group_readmit(w.group, "ipv4:10.1.0.3"));
	gw_drain(&w);
	gw_after(&w, 5);
	assert_in_range(w.commits - commits, 4, 7); /* each second */
	w.broken = false;
	gw_after(&w, 2);
	commits = w.commits;
	gw_after(&w, 5);
	assert_int_equal(w.commits, commits);
	gw_restart(&w);
	assert_int_equal(barred(), 0);
	gw_free(&w);
}

/* What the daemon has found out: dates go back with the clock. */
GK_TEST(rfc6407_5_3_4_01, a_clock_that_was_put_back_meanwhile_lengthens_no_life)
{
	gw_init(&w, 2);
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gw_after(&w, 1000);
	w.now.utc_s -= 86400;
	gw_reload(&w);
	gk_assert_ok(gdoi_group_put_back(w.group, 86400));
	/* Policy may come later, and a restart before it. */
	gk_assert_ok(gdoi_group_tick(w.group, w.now));
	gw_drain(&w);
	gw_reload(&w);
	gk_assert_ok(gw_set_policy(&w));
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_in_range(w.member[1].tek[0].lifetime, 2590, 2600);
	assert_in_range(w.member[1].kek[0].sak.lifetime, 85390, 85400);
	assert_true(gw_can_read(&w, &w.member[0]));
	/* It is on the disk: not once more with the next start. */
	gw_restart(&w);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_in_range(w.member[1].tek[0].lifetime, 2590, 2600);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_2_02, joiners_who_wait_are_announced_after_a_restart)
{
	gw_init(&w, 6);
	w.template.rekey.backward = true;
	w.cfg.join_window_ms = 60000;
	gw_open(&w);
	for (size_t i = 0; i < 6; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(gw_readers(&w), 6);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_1_01, who_has_left_is_out_also_after_a_restart)
{
	const struct gdoi_peer peer = { .id = NULL };
	struct gdoi_peer p = peer;
	uint64_t ticket;

	gw_init(&w, 6);
	w.cfg.join_window_ms = 60000;
	gw_open_with(&w, 6);
	p.id = &w.member[2].id;
	gk_assert_ok(gdoi_group_left(w.group, &p, w.now, &ticket));
	assert_true(gw_commit(&w, ticket));
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(gw_readers(&w), 5);
	assert_false(gw_can_read(&w, &w.member[2]));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_group_left(w.group, &p, w.now, &ticket));
	gk_assert_ok(gw_register(&w, &w.member[2]));
	gw_free(&w);
}

GK_TEST(rfc5374_4_2_1_04, delays_go_on_after_a_restart)
{
	gw_init(&w, 2);
	w.template.has_gap = true;
	w.template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 10, .has_dtd = true, .dtd = 30
	};
	gw_open_with(&w, 2);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gw_after(&w, 5);
	gw_restart(&w);
	assert_int_equal(w.n_tek, 2);
	gw_after(&w, 7);
	assert_int_equal(w.tek[0].state, GDOI_TEK_OLD);
	assert_int_equal(w.tek[1].state, GDOI_TEK_CURRENT);
	gw_after(&w, 20);
	assert_int_equal(w.n_tek, 1);
	gw_free(&w);
}

/* Switch push_iv `chained`: where the chain stands is durable. */
GK_TEST(rfc6407_5_6_2_1_01, a_chain_of_ivs_goes_on_after_a_restart)
{
	gw_init(&w, 2);
	gk_assert_ok(gdoi_dialect_set(&w.dialect, "push_iv", "chained"));
	gw_open_with(&w, 2);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
		gw_drain(&w);
		w.lose = true; /* the repetition: it is not in the chain */
		gw_restart(&w);
		gw_after(&w, 1);
		w.lose = false;
	}
	assert_int_equal(w.member[1].obeyed, 3);
	gw_free(&w);
}

/* ---- sender ids ---------------------------------------------------------- */

GK_TEST(rfc6407_3_5_08, sender_ids_are_sequential_and_never_repeat)
{
	gw_init(&w, 3);
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gk_assert_ok(gw_register_sids(&w, &w.member[1], 5));
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_int_equal(w.member[0].sid[0], 0);
	/* RFC6407-3.5-09 */
	assert_int_equal(w.member[1].n_sids, 5);
	assert_int_equal(w.member[1].sid[0], 1);
	assert_int_equal(w.member[1].sid[4], 5);
	assert_int_equal(w.member[2].sid[0], 6);
	/* RFC6407-3.5-10 */
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].sid[0], 7);
	/* RFC6407-3.5-08: none is lost to a restart, and none comes back. */
	for (uint32_t next = 8; next < 12; next++) {
		gw_restart(&w);
		gk_assert_ok(gw_register(&w, &w.member[next % 2]));
		assert_int_equal(w.member[next % 2].sid[0], next);
	}
	gw_free(&w);
}

/* Two SAs of a counter mode, and their successors: four keys, and four salts. */
GK_TEST(rfc6407_3_5_04, no_two_counter_mode_sas_have_a_key_in_common)
{
	const struct gdoi_sat sat[] = { gw_esp_gcm, gw_esp_gcm };
	struct gw_tek seen[4];
	size_t n = 0;

	gw_init(&w, 1);
	gw_set_data(&w, 2, sat);
	gw_open_with(&w, 1);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < w.member[0].n_teks; i++)
			if (!w.member[0].tek[i].deleted && n < GK_COUNT(seen))
				seen[n++] = w.member[0].tek[i];
		gk_assert_ok(gdoi_group_delete_all(w.group, w.now));
		gw_drain(&w);
		gk_assert_ok(gw_register(&w, &w.member[0]));
	}
	assert_int_equal(n, GK_COUNT(seen));
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(seen[i].len, 20);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(seen[i].spi, seen[k].spi, 4);
			assert_memory_not_equal(seen[i].key, seen[k].key, 16);
			assert_memory_not_equal(seen[i].key + 16,
			                        seen[k].key + 16, 4);
		}
	}
	gw_free(&w);
}

GK_TEST(rfc6407_3_5_11, when_they_run_out_everything_is_deleted_and_new)
{
	uint8_t old[4];

	gw_init(&w, 4);
	w.cfg.sender_last = 5;
	gw_open(&w);
	for (size_t i = 0; i < 3; i++)
		gk_assert_ok(gw_register_sids(&w, &w.member[i], 2));
	memcpy(old, w.tek_spi[0], 4);
	/* None is left: not before the old SAs are gone. */
	gk_assert_err(GK_ERR_REPLAY, gw_register(&w, &w.member[3]));
	assert_string_equal(w.why.req, "RFC6407-3.5-11");
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_SID_EXHAUSTED], 1);
	/* RFC6407-3.5-12 */
	for (size_t i = 0; i < 3; i++)
		assert_true(w.member[i].deleted_all);
	assert_int_equal(w.n_tek, 1);
	assert_memory_not_equal(old, w.tek_spi[0], 4);
	gk_assert_ok(gw_register(&w, &w.member[3]));
	assert_int_equal(w.member[3].sid[0], 0);
	for (size_t i = 0; i < 3; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	assert_int_equal(gw_readers(&w), 4);
	gw_free(&w);
}

/* All ids are given out, and the key server dies while it begins anew: @stored, or
 * not yet.  Nobody gets an id for the keys that another one had it for. */
static void
die_beginning_anew(bool stored)
{
	gw_init(&w, 4);
	w.cfg.sender_last = 5;
	gw_open(&w);
	for (size_t i = 0; i < 3; i++)
		gk_assert_ok(gw_register_sids(&w, &w.member[i], 2));
	gk_assert_err(GK_ERR_REPLAY, gw_register(&w, &w.member[3]));
	w.lose = true;
	w.broken = !stored;
	gw_after(&w, 1);
	w.lose = w.broken = false;
	gw_restart(&w);
	gw_after(&w, 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(w.member[i].deleted_all, stored);
}

GK_TEST(rfc6407_3_5_11, a_death_while_they_begin_anew)
{
	for (int stored = 0; stored < 2; stored++) {
		die_beginning_anew(stored != 0);
		if (!stored) {
			assert_int_equal(gw_readers(&w), 3);
			gk_assert_err(GK_ERR_REPLAY,
			              gw_register(&w, &w.member[3]));
			assert_string_equal(w.why.req, "RFC6407-3.5-11");
			gw_after(&w, 1);
		}
		for (size_t i = 0; i < 3; i++)
			assert_true(w.member[i].deleted_all);
		assert_int_equal(gw_readers(&w), 0);
		gk_assert_ok(gw_register(&w, &w.member[3]));
		assert_int_equal(w.member[3].sid[0], 0);
		for (size_t i = 0; i < 3; i++)
			gk_assert_ok(gw_register(&w, &w.member[i]));
		assert_int_equal(gw_readers(&w), 4);
		assert_int_equal(w.member[2].sid[0], 3);
		gw_free(&w);
	}
}

/* Else one that registers again and again would have everybody do so. */
GK_TEST(rfc6407_3_5_11, not_all_the_time)
{
	gw_init(&w, 2);
	w.cfg.sender_last = 5;
	w.cfg.start_over_gap_s = 30;
	gw_open(&w);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 4));
	gk_assert_err(GK_ERR_REPLAY, gw_register_sids(&w, &w.member[1], 4));
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_SID_EXHAUSTED], 1);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 4));
	for (unsigned i = 0; i < 3; i++) {
		gk_assert_err(GK_ERR_REPLAY,
		              gw_register_sids(&w, &w.member[1], 4));
		gw_after(&w, 9);
	}
	assert_int_equal(w.count[GDOI_OUT_SID_EXHAUSTED], 1);
	/* what there is is still to be had */
	gk_assert_ok(gw_register_sids(&w, &w.member[1], 2));
	gw_after(&w, 3);
	gk_assert_err(GK_ERR_REPLAY, gw_register_sids(&w, &w.member[1], 2));
	gw_after(&w, 1);
	assert_int_equal(w.count[GDOI_OUT_SID_EXHAUSTED], 2);
	gw_free(&w);
}

GK_TEST(rfc6407_5_4_2_01, a_request_that_can_never_be_met_is_refused)
{
	gw_init(&w, 1);
	w.cfg.sender_last = 3;
	gw_open(&w);
	gk_assert_err(GK_ERR_SPACE, gw_register_sids(&w, &w.member[0], 5));
	assert_string_equal(w.why.req, "RFC6407-5.4.2-01");
	gk_assert_err(GK_ERR_SPACE, gw_register_sids(&w, &w.member[0], 300));
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 4));
	gw_free(&w);
}

/* Section 3.4: "possibly more depending on a request". */
GK_TEST(rfc6407_5_4_2_01, a_bound_on_a_request_refuses_or_gives_fewer)
{
	gw_init(&w, 2);
	w.cfg.sids_max = 3;
	gw_open(&w);
	gk_assert_err(GK_ERR_SPACE, gw_register_sids(&w, &w.member[0], 4));
	assert_string_equal(w.why.field, "SENDER_ID_REQUEST");
	assert_int_equal(w.why.notify, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 3));
	assert_int_equal(w.member[0].n_sids, 3);
	gw_free(&w);

	gw_init(&w, 2);
	w.cfg.sids_max = 3;
	w.cfg.sids_fewer = true;
	gw_open(&w);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 65535));
	assert_int_equal(w.member[0].n_sids, 3);
	gk_assert_ok(gw_register_sids(&w, &w.member[1], 2));
	assert_int_equal(w.member[1].n_sids, 2);
	assert_int_equal(w.member[1].sid[0], 3);
	gw_free(&w);

	/* Never more than there are, whatever is allowed. */
	gw_init(&w, 1);
	w.cfg.sender_last = 1;
	w.cfg.sids_fewer = true;
	gw_open(&w);
	gk_assert_ok(gw_register_sids(&w, &w.member[0], 9));
	assert_int_equal(w.member[0].n_sids, 2);
	gw_free(&w);
}

/* ---- the policy ---------------------------------------------------------- */

GK_TEST(rfc4534_2_08, a_policy_that_lapsed_admits_nobody_new)
{
	struct gdoi_group_status st;

	gw_init(&w, 3);
	gw_open_with(&w, 2);
	gdoi_group_set_lapsed(w.group, true);
	gk_assert_err(GK_ERR_POLICY, gw_register(&w, &w.member[2]));
	assert_string_equal(w.why.req, "RFC4534-2-08");
	assert_int_equal(w.why.notify, ISAKMP_NOTIFY_INVALID_ID_INFORMATION);
	/* The group goes on, for those who are in it. */
	gk_assert_ok(gw_register(&w, &w.member[1]));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_true(gw_can_read(&w, &w.member[0]));
	gdoi_group_status(w.group, &st);
	assert_true(st.lapsed);
	gdoi_group_set_lapsed(w.group, false);
	gk_assert_ok(gw_register(&w, &w.member[2]));
	/* Another policy begins without. */
	gdoi_group_set_lapsed(w.group, true);
	gk_assert_ok(gw_set_policy(&w));
	gdoi_group_status(w.group, &st);
	assert_false(st.lapsed);
	gw_free(&w);
}

/* ---- PUSHes -------------------------------------------------------------- */

/* Acknowledgements are waited for, so that the PUSHes of several rekeys are kept. */
GK_TEST(rfc6407_4_3_05, after_a_restart_only_the_last_rekey_is_sent_again)
{
	uint8_t kek[16];

	gw_init(&w, 3);
	w.cfg.push_max = 9000;
	w.cfg.ack_wait_ms = 600000;
	w.template.rekey.sak.ack = GDOI_ACK_KEK_SHA256;
	gw_open_with(&w, 3);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
		gw_drain(&w);
	}
	memcpy(kek, w.member[0].kek[1].sak.spi, 16);
	gw_forget_pushes(&w);
	gw_restart(&w);
	gw_after(&w, 2);
	/* The one that brought the KEK, under that before it; and the TEKs. */
	assert_int_equal(w.n_push, 2);
	assert_memory_equal(w.push[0].spi, kek, 16);
	/* And they are the last again. */
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gw_forget_pushes(&w);
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(w.n_push, 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(gw_can_read(&w, &w.member[i]));
	gw_free(&w);
}

/* What could not leave is not old. */
GK_TEST(rfc6407_4_3_05, what_the_store_held_up_is_sent_after_the_restart)
{
	gw_init(&w, 3);
	w.cfg.push_max = 9000;
	gw_open_with(&w, 3);
	w.broken = true;
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.n_push, 0);
	/* It is durable at last, and then the process dies. */
	w.broken = false;
	w.lose = true;
	gw_after(&w, 5);
	w.lose = false;
	gw_forget_pushes(&w);
	gw_restart(&w);
	gw_after(&w, 2);
	assert_int_equal(w.n_push, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(gw_can_read(&w, &w.member[i]));
	gw_free(&w);
}

/* ---- the end ------------------------------------------------------------- */

GK_TEST(rfc6407_5_9_07, delete_all_starts_over)
{
	const struct gdoi_sat sat[] = { gw_esp_cbc, gw_ah };

	gw_init(&w, 3);
	gw_set_data(&w, 2, sat);
	gw_open_with(&w, 3);
	gk_assert_ok(gdoi_group_delete_all(w.group, w.now));
	gw_drain(&w);
	for (size_t i = 0; i < 3; i++) {
		assert_true(w.member[i].deleted_all);
		assert_true(w.member[i].tek[0].deleted);
		assert_true(w.member[i].tek[1].deleted);
		gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	assert_int_equal(gw_readers(&w), 3);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
}

static void
zero_spi(const char *reading, size_t len)
{
	gw_init(&w, 1);
	gk_assert_ok(gdoi_dialect_set(&w.dialect, "delete_zero_spi", reading));
	gw_open_with(&w, 1);
	gk_assert_ok(gdoi_group_delete_all(w.group, w.now));
	gw_drain(&w);
	assert_true(w.member[0].deleted_all);
	assert_true(w.member[0].tek[0].deleted);
	assert_int_equal(w.member[0].zero_spi, len);
	gw_free(&w);
}

GK_TEST(rfc6407_5_9_08, an_spi_of_zero_in_three_readings)
{
	zero_spi("sized", 16);
	zero_spi("len4", 4);
	zero_spi("len1", 1);
}

GK_TEST(rfc6407_5_9_07, a_destroyed_group_answers_nobody_ever_again)
{
	struct gdoi_group_status s;

	gw_init(&w, 3);
	gw_open_with(&w, 2);
	gk_assert_ok(gdoi_group_destroy(w.group, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_DESTROYED], 1);
	assert_true(w.member[0].deleted_all);
	assert_true(w.member[1].deleted_all);
	assert_int_equal(w.n_tek, 0);
	gk_assert_err(GK_ERR_UNEXPECTED, gw_register(&w, &w.member[2]));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gk_assert_err(GK_ERR_UNEXPECTED, gdoi_group_destroy(w.group, w.now));
	gk_assert_err(GK_ERR_UNEXPECTED, gw_set_policy(&w));
	gw_after(&w, 100);
	gw_reload(&w);
	gk_assert_err(GK_ERR_UNEXPECTED, gw_set_policy(&w));
	gdoi_group_status(w.group, &s);
	assert_true(s.destroyed);
	gk_assert_err(GK_ERR_UNEXPECTED, gw_register(&w, &w.member[2]));
	gw_free(&w);
}

/* The PUSH that says so is durable until it has gone out. */
GK_TEST(rfc6407_5_9_07, a_restart_does_not_swallow_the_last_words)
{
	gw_init(&w, 2);
	gw_open_with(&w, 2);
	w.lose = true;
	gk_assert_ok(gdoi_group_destroy(w.group, w.now));
	gw_drain(&w);
	w.lose = false;
	gw_reload(&w);
	gw_after(&w, 1);
	assert_true(w.member[0].deleted_all);
	assert_true(w.member[1].deleted_all);
	gw_after(&w, 60);
	gw_reload(&w);
	w.count[GDOI_OUT_MULTICAST] = 0;
	gw_after(&w, 60);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_7_02, sequence_and_keys_go_on_after_a_restart),
		GK_RUN(rfc6407_7_4_1_02, a_half_sent_eviction_goes_on),
		GK_RUN(rfc6407_5_7_02, nothing_is_sent_that_was_not_stored),
		GK_RUN(rfc6407_5_7_02,
		       what_the_store_did_not_take_is_sent_when_it_is_back),
		GK_RUN(rfc6407_5_7_02,
		       what_was_owed_to_the_disk_is_paid_when_it_is_back),
		GK_RUN(rfc6407_5_3_4_01,
		       a_clock_that_was_put_back_meanwhile_lengthens_no_life),
		GK_RUN(rfc6407_7_4_2_02,
		       joiners_who_wait_are_announced_after_a_restart),
		GK_RUN(rfc6407_7_4_1_01,
		       who_has_left_is_out_also_after_a_restart),
		GK_RUN(rfc5374_4_2_1_04, delays_go_on_after_a_restart),
		GK_RUN(rfc6407_5_6_2_1_01,
		       a_chain_of_ivs_goes_on_after_a_restart),
		GK_RUN(rfc6407_3_5_08,
		       sender_ids_are_sequential_and_never_repeat),
		GK_RUN(rfc6407_3_5_04,
		       no_two_counter_mode_sas_have_a_key_in_common),
		GK_RUN(rfc6407_3_5_11,
		       when_they_run_out_everything_is_deleted_and_new),
		GK_RUN(rfc6407_3_5_11, a_death_while_they_begin_anew),
		GK_RUN(rfc6407_3_5_11, not_all_the_time),
		GK_RUN(rfc6407_5_4_2_01,
		       a_request_that_can_never_be_met_is_refused),
		GK_RUN(rfc6407_5_9_07, delete_all_starts_over),
		GK_RUN(rfc6407_5_9_08, an_spi_of_zero_in_three_readings),
		GK_RUN(rfc6407_5_9_07,
		       a_destroyed_group_answers_nobody_ever_again),
		GK_RUN(rfc6407_5_9_07,
		       a_restart_does_not_swallow_the_last_words),
		GK_RUN(rfc6407_5_4_2_01,
		       a_bound_on_a_request_refuses_or_gives_fewer),
		GK_RUN(rfc6407_3_4_03, a_seat_comes_with_who_has_it),
		GK_RUN(rfc4534_2_08, a_policy_that_lapsed_admits_nobody_new),
		GK_RUN(rfc6407_4_3_05,
		       after_a_restart_only_the_last_rekey_is_sent_again),
		GK_RUN(rfc6407_4_3_05,
		       what_the_store_held_up_is_sent_after_the_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
