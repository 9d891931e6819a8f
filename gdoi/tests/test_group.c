/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* The group at its key server: registration, TEK and KEK by PUSH. */
static struct gw w;

static void
begin(size_t members)
{
	gw_init(&w, members);
}

static void
register_all(void)
{
	for (size_t i = 0; i < w.n_members; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	gw_drain(&w);
}

GK_TEST(rfc6407_3_2_18, first_member_gets_sequence_zero_and_every_key)
{
	begin(1);
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].kek[0].sequence, 0);
	assert_int_equal(w.member[0].n_teks, 1);
	assert_true(gw_can_read(&w, &w.member[0]));
	/* RFC6407-5.6.3.1-09: leaf first, KEK last: 10 levels of 1024 leaves
	 * under it. */
	assert_int_equal(w.member[0].download_keys, 11);
	assert_false(w.member[0].seen_kek_packet);
	/* RFC6407-3.5-02 */
	assert_int_equal(w.member[0].n_sids, 1);
	assert_int_equal(w.member[0].sid[0], 0);
	assert_int_equal(w.member[0].sid_bits, 8);
	gw_free(&w);
}

GK_TEST(rfc6407_4_09, tek_rekey_reaches_everybody)
{
	begin(5);
	gw_open(&w);
	register_all();
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(w.member[i].obeyed, 1);
		assert_int_equal(w.member[i].n_teks, 2);
		assert_int_equal(w.member[i].kek[0].sequence, 1);
		assert_true(gw_can_read(&w, &w.member[i]));
	}
	gw_free(&w);
}

GK_TEST(rfc6407_3_2_16, a_late_member_is_told_the_last_sequence)
{
	begin(3);
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	for (int i = 0; i < 4; i++)
		gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_int_equal(w.member[1].kek[0].sequence, 4);
	/* RFC6407-3.2-19: PULLs do not count. */
	gk_assert_ok(gw_register(&w, &w.member[2]));
	assert_int_equal(w.member[2].kek[0].sequence, 4);
	gw_free(&w);
}

GK_TEST(rfc6407_4_08, first_push_under_a_new_kek_has_sequence_one)
{
	begin(3);
	gw_open(&w);
	register_all();
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.push[0].sequence, 1);
	assert_int_equal(w.push[1].sequence, 2);
	assert_int_equal(w.push[2].sequence, 1);
	assert_memory_equal(w.push[0].spi, w.push[1].spi, 16);
	assert_memory_not_equal(w.push[1].spi, w.push[2].spi, 16);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w.member[i].obeyed, 3);
		assert_int_equal(w.member[i].n_keks, 2);
		assert_true(gw_can_read(&w, &w.member[i]));
	}
	gw_free(&w);
}

static void
sequences(const char *reading, uint32_t a, uint32_t b, uint32_t c)
{
	begin(2);
	gk_assert_ok(gdoi_dialect_set(&w.dialect, "push_seq_new_kek", reading));
	gw_open(&w);
	register_all();
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_KEK, w.now));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	assert_int_equal(w.push[0].sequence, a);
	assert_int_equal(w.push[1].sequence, b);
	assert_int_equal(w.push[2].sequence, c);
	assert_true(gw_can_read(&w, &w.member[0]));
	gw_free(&w);
}

GK_TEST(rfc6407_4_07, sequence_across_keks_in_three_readings)
{
	sequences("new-sa", 1, 2, 1);
	sequences("carrier", 1, 1, 2);
	sequences("continue", 1, 2, 3);
}

GK_TEST(rfc6407_5_6_2_01, a_group_without_lkh_gets_a_kek_packet)
{
	begin(3);
	w.template.rekey.sak.management = 0;
	gw_open(&w);
	register_all();
	assert_true(w.member[0].seen_kek_packet);
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_ALL, w.now));
	gw_drain(&w);
	/* The KEK under the old one, the TEK under the new one. */
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 2);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w.member[i].obeyed, 2);
		assert_true(gw_can_read(&w, &w.member[i]));
	}
	gw_free(&w);
}

GK_TEST(rfc6407_3_2_15, a_group_without_rekey_sa_has_teks_alone)
{
	begin(2);
	w.template.rekey.on = false;
	gw_open(&w);
	register_all();
	assert_int_equal(w.member[0].n_keks, 0);
	assert_true(gw_can_read(&w, &w.member[1]));
	gk_assert_err(GK_ERR_POLICY,
	              gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gk_assert_err(GK_ERR_POLICY, gw_evict(&w, &w.member[0]));
	/* The next key is there before the first one ends, and both are given
	 * to who registers again. */
	gw_after(&w, 3300);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	assert_int_equal(w.member[0].n_teks, 2);
	gw_after(&w, 400);
	assert_int_equal(w.n_tek, 1);
	assert_int_equal(w.tek[0].state, GDOI_TEK_CURRENT);
	assert_true(gw_can_read(&w, &w.member[0]));
	assert_false(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

GK_TEST(rfc6407_3_4_03, who_is_not_admitted_is_offered_nothing)
{
	begin(4);
	w.template.edition = 101;
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gk_assert_err(GK_ERR_POLICY, gw_register(&w, &w.member[1]));
	assert_string_equal(w.why.req, "RFC6407-3.4-03");
	gw_free(&w);
}

GK_TEST(rfc6407_3_4_08, a_full_tree_refuses_clearly)
{
	struct gdoi_group_status s;

	begin(5);
	w.cfg.members_max = 4;
	gw_open(&w);
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.capacity, 4);
	for (size_t i = 0; i < 4; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	gk_assert_err(GK_ERR_SPACE, gw_register(&w, &w.member[4]));
	assert_string_equal(w.why.req, "RFC6407-3.4-08");
	/* Who is in may come again. */
	gk_assert_ok(gw_register(&w, &w.member[3]));
	gw_free(&w);
}

GK_TEST(rfc6407_3_2_02, an_offer_changes_nothing)
{
	const struct gdoi_peer peer = { .id = NULL };
	uint8_t before[32], after[32];
	struct gdoi_offer *offer;
	struct gdoi_peer p = peer;

	begin(1);
	gw_open(&w);
	p.id = &w.member[0].id;
	gdoi_group_digest(w.group, before);
	for (int i = 0; i < 100; i++) {
		gk_assert_ok(
			gdoi_group_offer(w.group, &p, w.now, &offer, &w.why));
		gdoi_offer_free(offer);
	}
	gdoi_group_digest(w.group, after);
	assert_memory_equal(before, after, 32);
	gw_free(&w);
}

GK_TEST(rfc6407_3_4_07, an_offer_of_yesterday_has_to_be_asked_for_again)
{
	struct gdoi_peer p = { 0 };
	struct gdoi_offer *offer;
	struct gdoi_kd *kd = malloc(sizeof(*kd));
	struct gdoi_seq seq;
	uint32_t id;
	uint64_t ticket;
	bool has_seq;

	begin(2);
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	p.id = &w.member[1].id;
	gk_assert_ok(gdoi_group_offer(w.group, &p, w.now, &offer, &w.why));
	gk_assert_ok(gdoi_group_rekey(w.group, GDOI_REKEY_TEK, w.now));
	gw_drain(&w);
	gk_assert_err(GK_ERR_REPLAY,
	              gdoi_group_admit(w.group, offer, NULL, NULL, w.now, kd,
	                               &seq, &has_seq, &id, &ticket, &w.why));
	assert_string_equal(w.why.req, "RFC6407-3.4-07");
	gdoi_offer_free(offer);
	free(kd);
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_true(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_2_18,
		       first_member_gets_sequence_zero_and_every_key),
		GK_RUN(rfc6407_4_09, tek_rekey_reaches_everybody),
		GK_RUN(rfc6407_3_2_16, a_late_member_is_told_the_last_sequence),
		GK_RUN(rfc6407_4_08,
		       first_push_under_a_new_kek_has_sequence_one),
		GK_RUN(rfc6407_4_07, sequence_across_keks_in_three_readings),
		GK_RUN(rfc6407_5_6_2_01, a_group_without_lkh_gets_a_kek_packet),
		GK_RUN(rfc6407_3_2_15, a_group_without_rekey_sa_has_teks_alone),
		GK_RUN(rfc6407_3_4_03, who_is_not_admitted_is_offered_nothing),
		GK_RUN(rfc6407_3_4_08, a_full_tree_refuses_clearly),
		GK_RUN(rfc6407_3_2_02, an_offer_changes_nothing),
		GK_RUN(rfc6407_3_4_07,
		       an_offer_of_yesterday_has_to_be_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
