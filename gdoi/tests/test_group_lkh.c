/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <string.h>

/* Evictions by LKH, and backward secrecy: RFC 6407 sections 4.3, 5.6.3, 7.4. */
static struct gw w;

static void
begin(size_t members)
{
	gw_init(&w, members);
}

static void
open_all(void)
{
	gw_open_with(&w, w.n_members);
	gw_after(&w, 5);
}

GK_TEST(rfc6407_4_3_05, who_is_evicted_reads_no_more_and_the_others_do)
{
	struct gdoi_group_status s;

	begin(20);
	open_all();
	for (size_t gone = 1; gone <= 8; gone++) {
		size_t i = (gone * 7) % 20;

		gk_assert_ok(gw_evict(&w, &w.member[i]));
		assert_int_equal(gw_readers(&w), 20 - gone);
		assert_false(gw_can_read(&w, &w.member[i]));
		/* It still hears everything, and cannot read it. */
		assert_true(w.member[i].blind != 0);
	}
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.n_members, 12);
	assert_int_equal(s.n_barred, 8);
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_1_01, no_tek_travels_under_the_kek_that_the_evicted_has)
{
	uint8_t old[16];

	begin(9);
	w.cfg.push_max = 9000;
	open_all();
	memcpy(old, w.member[3].kek[0].sak.spi, 16);
	w.n_push = 0;
	gk_assert_ok(gw_evict(&w, &w.member[3]));
	/* RFC6407-7.4.1-02 */
	assert_int_equal(w.n_push, 2);
	assert_memory_equal(w.push[0].spi, old, 16);
	assert_memory_not_equal(w.push[1].spi, old, 16);
	assert_int_equal(w.push[1].sequence, 1);
	/* What the evicted could read brought it no TEK and no KEK. */
	assert_int_equal(w.member[3].obeyed, 1);
	assert_int_equal(w.member[3].n_teks, 1);
	assert_int_equal(w.member[3].n_keks, 1);
	assert_int_equal(w.member[3].blind, 1);
	gw_free(&w);
}

GK_TEST(rfc6407_4_3_05, several_are_evicted_in_one_rekey)
{
	const char *peer[] = { "ipv4:10.1.0.2", "ipv4:10.1.0.3",
		               "ipv4:10.1.0.9" };

	begin(12);
	w.cfg.push_max = 9000;
	open_all();
	gk_assert_ok(gdoi_group_evict(w.group, peer, 3, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 2);
	assert_int_equal(w.count[GDOI_OUT_EVICTED], 3);
	assert_int_equal(gw_readers(&w), 9);
	/* Nobody of that name, or twice the same: nothing happens. */
	peer[1] = peer[0] = "ipv4:10.1.0.1";
	gk_assert_err(GK_ERR_VALUE, gdoi_group_evict(w.group, peer, 2, w.now));
	peer[0] = "ipv4:10.1.0.2";
	gk_assert_err(GK_ERR_VALUE, gdoi_group_evict(w.group, peer, 1, w.now));
	gw_drain(&w);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 2);
	assert_int_equal(gw_readers(&w), 9);
	gw_free(&w);
}

GK_TEST(rfc6407_3_4_03, the_evicted_are_barred_until_readmitted)
{
	begin(3);
	open_all();
	gk_assert_ok(gw_evict(&w, &w.member[1]));
	gk_assert_err(GK_ERR_POLICY, gw_register(&w, &w.member[1]));
	gk_assert_ok(gdoi_group_readmit(w.group, "ipv4:10.1.0.2"));
	gk_assert_err(GK_ERR_VALUE,
	              gdoi_group_readmit(w.group, "ipv4:10.1.0.2"));
	gk_assert_ok(gw_register(&w, &w.member[1]));
	assert_true(gw_can_read(&w, &w.member[1]));
	gw_free(&w);
}

/* RFC6407-4-10, -4-11: parts of the array in datagrams of their own. */
GK_TEST(rfc6407_4_11, a_large_array_goes_in_several_complete_pushes)
{
	begin(64);
	w.cfg.push_max = 1000;
	w.cfg.members_max = 64;
	open_all();
	w.n_push = 0;
	gk_assert_ok(gw_evict(&w, &w.member[5]));
	assert_true(w.n_push >= 3);
	for (size_t i = 0; i < w.n_push; i++)
		assert_true(w.push[i].dgram.len <= 1000);
	/* Each has a sequence of its own, under the old KEK. */
	for (size_t i = 1; i + 1 < w.n_push; i++) {
		assert_memory_equal(w.push[i].spi, w.push[0].spi, 16);
		assert_int_equal(w.push[i].sequence,
		                 w.push[i - 1].sequence + 1);
	}
	assert_int_equal(w.push[w.n_push - 1].sequence, 1);
	assert_int_equal(gw_readers(&w), 63);
	gw_free(&w);
}

GK_TEST(rfc6407_5_6_3_1_07, other_degrees_and_ciphers)
{
	static const struct {
		uint16_t algorithm, bits;
		unsigned degree;
		const char *wrap;
	} row[] = {
		{ GDOI_KEK_ALG_AES, 256, 2, "iv+key" },
		{ GDOI_KEK_ALG_AES, 192, 3, "iv+key" },
		{ GDOI_KEK_ALG_AES, 192, 3, "key-own-iv" },
		{ GDOI_KEK_ALG_AES, 128, 4, "ecb-key" },
		{ GDOI_KEK_ALG_3DES, 0, 16, "iv+key" },
		{ GDOI_KEK_ALG_DES, 0, 2, "iv+key" },
	};

	for (size_t r = 0; r < GK_COUNT(row); r++) {
		begin(13);
		w.cfg.legacy_ok = true;
		w.template.rekey.sak.algorithm = row[r].algorithm;
		w.template.rekey.sak.key_length = row[r].bits;
		w.template.rekey.lkh_degree = row[r].degree;
		gk_assert_ok(
			gdoi_dialect_set(&w.dialect, "lkh_wrap", row[r].wrap));
		open_all();
		gk_assert_ok(gw_evict(&w, &w.member[12]));
		gk_assert_ok(gw_evict(&w, &w.member[0]));
		assert_int_equal(gw_readers(&w), 11);
		gw_free(&w);
	}
}

/* Without LKH nobody can be left out: everybody comes again, but one. */
GK_TEST(rfc6407_5_9_07, without_lkh_an_eviction_deletes_everything)
{
	begin(4);
	w.template.rekey.sak.management = 0;
	open_all();
	gk_assert_ok(gw_evict(&w, &w.member[2]));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 1);
	for (size_t i = 0; i < 4; i++) {
		assert_true(w.member[i].deleted_all);
		assert_false(gw_can_read(&w, &w.member[i]));
		if (i == 2)
			gk_assert_err(GK_ERR_POLICY,
			              gw_register(&w, &w.member[i]));
		else
			gk_assert_ok(gw_register(&w, &w.member[i]));
	}
	assert_int_equal(gw_readers(&w), 3);
	gw_free(&w);
}

/* ---- backward secrecy ---------------------------------------------------- */

GK_TEST(rfc6407_7_4_2_01, a_joiner_gets_nothing_that_was_used_before)
{
	uint8_t old_tek[4], old_kek[16];

	begin(8);
	w.template.rekey.backward = true;
	gw_open(&w);
	for (size_t i = 0; i < 7; i++) {
		gk_assert_ok(gw_register(&w, &w.member[i]));
		gw_after(&w, 3);
	}
	assert_int_equal(gw_readers(&w), 7);
	memcpy(old_tek, w.member[0].tek[w.member[0].n_teks - 1].spi, 4);
	memcpy(old_kek, w.member[0].kek[0].sak.spi, 16);
	gk_assert_ok(gw_register(&w, &w.member[7]));
	/* RFC6407-7.4.2-02: a new Rekey SA, too. */
	assert_false(gw_has_tek(&w.member[7], old_tek));
	assert_memory_not_equal(w.member[7].kek[0].sak.spi, old_kek, 16);
	gw_after(&w, 3);
	assert_int_equal(gw_readers(&w), 8);
	for (size_t i = 0; i < 8; i++)
		assert_false(gw_has_tek(&w.member[i], old_tek));
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_2_02, joiners_within_the_window_share_a_rekey)
{
	begin(30);
	w.template.rekey.backward = true;
	w.cfg.join_window_ms = 5000;
	gw_open(&w);
	gk_assert_ok(gw_register(&w, &w.member[0]));
	gw_after(&w, 10);
	for (size_t i = 1; i < 30; i++)
		gk_assert_ok(gw_register(&w, &w.member[i]));
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	gw_after(&w, 6);
	assert_int_equal(gw_readers(&w), 30);
	/* One who came in the window and is evicted in it has seen the keys
	 * to come: those are not used. */
	gk_assert_ok(gw_evict(&w, &w.member[29]));
	gk_assert_ok(gdoi_group_readmit(w.group, "ipv4:10.1.0.30"));
	gw_after(&w, 10);
	gk_assert_ok(gw_register(&w, &w.member[29]));
	gk_assert_ok(gw_evict(&w, &w.member[29]));
	gw_after(&w, 10);
	assert_int_equal(gw_readers(&w), 29);
	assert_false(gw_can_read(&w, &w.member[29]));
	gw_free(&w);
}

GK_TEST(rfc6407_7_4_2_01, without_the_option_a_join_sends_nothing)
{
	begin(10);
	open_all();
	gw_after(&w, 60);
	assert_int_equal(w.count[GDOI_OUT_MULTICAST], 0);
	assert_int_equal(gw_readers(&w), 10);
	gw_free(&w);
}

/* ---- many ---------------------------------------------------------------- */

GK_TEST(rfc6407_4_3_05, a_thousand_members_and_many_evictions)
{
	const char *peer[] = { "ipv4:10.1.0.77", "ipv4:10.1.3.1",
		               "ipv4:10.1.2.9", "ipv4:10.1.1.1",
		               "ipv4:10.1.0.1" };

	begin(1000);
	w.no_store = true;
	w.template.sid_bits = 16;
	open_all();
	gk_assert_ok(gdoi_group_evict(w.group, peer, 5, w.now));
	gw_drain(&w);
	assert_int_equal(gw_readers(&w), 995);
	gw_free(&w);
}

/* The largest tree that LKH IDs of 16 bits allow. */
GK_TEST(rfc6407_3_4_08, as_many_members_as_lkh_ids_have_leaves)
{
	static struct gw_member m;
	struct gdoi_group_status s;

	begin(1);
	w.cfg.members_max = 0;
	w.no_store = true;
	w.template.sid_bits = 0;
	gw_set_data(&w, 1, &gw_esp_cbc);
	gw_open(&w);
	gdoi_group_status(w.group, &s);
	assert_int_equal(s.capacity, 32768);
	for (size_t i = 0; i < 32768; i++) {
		struct gw_member *who = i == 32767 ? &w.member[0] : &m;

		gk_buf_free(&who->name);
		gw_identity(who, i + 1);
		if (i == 32767)
			gk_assert_ok(gw_register(&w, who));
		else
			gk_assert_ok(gw_admit(&w, who));
	}
	assert_int_equal(w.member[0].download_keys, 16);
	gk_buf_free(&m.name);
	gw_identity(&m, 40000);
	gk_assert_err(GK_ERR_SPACE, gw_register(&w, &m));
	assert_string_equal(w.why.req, "RFC6407-3.4-08");
	gk_buf_free(&m.name);
	gw_identity(&m, 4711);
	gk_assert_ok(gw_evict(&w, &m));
	/* 15 arrays of up to 15 keys. */
	assert_in_range(w.n_push, 3, 10);
	assert_true(gw_can_read(&w, &w.member[0]));
	gk_buf_free(&m.name);
	gw_member_clear(&m);
	gw_free(&w);
}

/* Copies of a PUSH make up for what the network loses; who misses all of them
 * registers again. */
GK_TEST(rfc6407_4_3_05, two_hundred_members_over_a_lossy_network)
{
	size_t again = 0;

	begin(200);
	w.template.sid_bits = 16;
	w.template.rekey.resend_count = 3;
	open_all();
	w.loss = 20;
	for (size_t gone = 0; gone < 12; gone++) {
		gk_assert_ok(gw_evict(&w, &w.member[gone * 16]));
		if (gone % 4 == 3) {
			gw_restart(&w);
			gw_after(&w, 2);
		}
		for (size_t i = 0; i < 200; i++) {
			bool out = i % 16 == 0 && i / 16 <= gone;

			if (out)
				assert_false(gw_can_read(&w, &w.member[i]));
			if (out || gw_can_read(&w, &w.member[i]))
				continue;
			gk_assert_ok(gw_register(&w, &w.member[i]));
			again++;
		}
		gw_after(&w, 700);
	}
	assert_int_equal(gw_readers(&w), 188);
	/* 2400 times somebody was sent several PUSHes, four times each. */
	assert_in_range(again, 1, 60);
	gw_free(&w);
}

/* An array is not divided: with one in each datagram none is longer than what can be
 * said before there is anybody. */
GK_TEST(rfc6407_4_10, how_long_a_datagram_has_to_be_is_known_beforehand)
{
	static const uint16_t key_bits[] = { 128, 192, 256 };

	for (size_t i = 0; i < GK_COUNT(key_bits) + 1; i++) {
		size_t longest = 0, least, max;

		gw_init(&w, 32);
		w.cfg.push_max = 300;
		w.cfg.members_max = 32;
		w.template.rekey.sak.key_length =
			key_bits[i % GK_COUNT(key_bits)];
		if (i == GK_COUNT(key_bits))
			gw_use_rsa(&w);
		gw_open_with(&w, 32);
		least = gdoi_group_push_least(&w.cfg, &w.template, &max);
		assert_int_equal(max, 300);
		gw_forget_pushes(&w);
		gk_assert_ok(gw_evict(&w, &w.member[7]));
		assert_in_range(w.n_push, 5, 7);
		for (size_t p = 0; p < w.n_push; p++)
			if (w.push[p].dgram.len > longest)
				longest = w.push[p].dgram.len;
		assert_in_range(longest, least - 2 * 16 - 8, least);
		gw_free(&w);
	}
	gw_init(&w, 1);
	w.template.rekey.sak.management = 0;
	assert_int_equal(
		gdoi_group_push_least(&w.cfg, &w.template, &(size_t){ 0 }), 0);
	gw_free(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_10,
		       how_long_a_datagram_has_to_be_is_known_beforehand),
		GK_RUN(rfc6407_4_3_05,
		       who_is_evicted_reads_no_more_and_the_others_do),
		GK_RUN(rfc6407_7_4_1_01,
		       no_tek_travels_under_the_kek_that_the_evicted_has),
		GK_RUN(rfc6407_4_3_05, several_are_evicted_in_one_rekey),
		GK_RUN(rfc6407_3_4_03, the_evicted_are_barred_until_readmitted),
		GK_RUN(rfc6407_4_11,
		       a_large_array_goes_in_several_complete_pushes),
		GK_RUN(rfc6407_5_6_3_1_07, other_degrees_and_ciphers),
		GK_RUN(rfc6407_5_9_07,
		       without_lkh_an_eviction_deletes_everything),
		GK_RUN(rfc6407_7_4_2_01,
		       a_joiner_gets_nothing_that_was_used_before),
		GK_RUN(rfc6407_7_4_2_02,
		       joiners_within_the_window_share_a_rekey),
		GK_RUN(rfc6407_7_4_2_01,
		       without_the_option_a_join_sends_nothing),
		GK_RUN(rfc6407_4_3_05, a_thousand_members_and_many_evictions),
		GK_RUN(rfc6407_4_3_05,
		       two_hundred_members_over_a_lossy_network),
		GK_RUN(rfc6407_3_4_08, as_many_members_as_lkh_ids_have_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
