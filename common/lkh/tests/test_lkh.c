/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/gk_base.h"
#include "common/base/gk_time.h"
#include "common/lkh/gk_lkh_tree.h"
#include "common/lkh/tests/counted.h"
#include "common/lkh/tests/lkh_world.h"

static struct gk_lkh *
figure_30(void)
{
	const struct gk_lkh_config cfg = {
		.degree = 2, .key_len = 24, .capacity = 8, .plain = true
	};
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&env, &cfg, &lkh));
	for (uint32_t i = 1; i <= 8; i++) {
		gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
		assert_int_equal(seat, i);
	}
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	assert_int_equal(plan.count, 0);
	gk_lkh_plan_free(&plan);
	return lkh;
}

/* A tree of that many members, whose joins are sealed. */
static struct gk_lkh *
grown(const struct gk_lkh_config *cfg, uint32_t members,
      enum gk_lkh_style style)
{
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&env, cfg, &lkh));
	for (uint32_t i = 0; i < members; i++)
		gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
	gk_assert_ok(gk_lkh_seal(lkh, style, &plan));
	gk_lkh_plan_free(&plan);
	return lkh;
}

/* The packets of the rekey that is due, written as in the examples of the RFC. */
static void
assert_packets(struct gk_lkh *lkh, enum gk_lkh_style style, const char *want)
{
	struct gk_lkh_plan plan;
	char text[256];

	gk_assert_ok(gk_lkh_seal(lkh, style, &plan));
	lkh_describe(&plan, text, sizeof(text));
	assert_string_equal(text, want);
	gk_lkh_plan_free(&plan);
}

GK_TEST(rfc4535_a_2, members_of_figure_30_hold_the_nodes_above_their_leaf)
{
	static const uint32_t want[8][3] = {
		{ 8, 4, 2 },  { 9, 4, 2 },  { 10, 5, 2 }, { 11, 5, 2 },
		{ 12, 6, 3 }, { 13, 6, 3 }, { 14, 7, 3 }, { 15, 7, 3 },
	};
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh *lkh = figure_30();
	uint32_t seat;
	size_t n;

	for (uint32_t m = 1; m <= 8; m++) {
		gk_assert_ok(gk_lkh_path(lkh, m, keys, &n));
		assert_int_equal(n, 3);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(keys[i].id, want[m - 1][i]);
	}
	gk_assert_err(GK_ERR_UNEXPECTED, gk_lkh_path(lkh, 0, keys, &n));
	gk_assert_err(GK_ERR_UNEXPECTED, gk_lkh_path(lkh, 9, keys, &n));
	gk_assert_err(GK_ERR_SPACE, gk_lkh_join(lkh, 1000, &seat));
	gk_lkh_free(lkh);
}

GK_TEST(rfc4535_a_3_2, member_6_leaves_with_the_packets_of_the_example)
{
	struct gk_lkh *lkh = figure_30();

	gk_assert_ok(gk_lkh_leave(lkh, 6, 2000));
	assert_packets(lkh, GK_LKH_PATH, "(GTPK)2 (GTPK,3',6')12 (GTPK,3')7");
	gk_lkh_free(lkh);
}

GK_TEST(rfc4535_a_3_2, member_6_leaves_with_the_alternative_leaf_to_root)
{
	struct gk_lkh *lkh = figure_30();

	gk_assert_ok(gk_lkh_leave(lkh, 6, 2000));
	assert_packets(lkh, GK_LKH_CHAIN,
	               "(6')12 (3')6' (3')7 (GTPK)2 (GTPK)3'");
	gk_lkh_free(lkh);
}

GK_TEST(rfc2627_5_4, replaced_member_costs_no_wrap_of_his_own)
{
	struct gk_lkh *lkh = figure_30();
	uint32_t seat;

	gk_assert_ok(gk_lkh_leave(lkh, 6, 2000));
	gk_assert_ok(gk_lkh_join(lkh, 2000, &seat));
	assert_int_equal(seat, 6);
	assert_packets(lkh, GK_LKH_PATH, "(GTPK)2 (GTPK,3',6')12 (GTPK,3')7");
	gk_lkh_free(lkh);
}

GK_TEST(rfc2627_5_4, whole_subtree_leaves_in_one_plan)
{
	struct gk_lkh *lkh = figure_30();

	for (uint32_t seat = 5; seat <= 7; seat++)
		gk_assert_ok(gk_lkh_leave(lkh, seat, 2000));
	assert_packets(lkh, GK_LKH_PATH, "(GTPK)2 (GTPK,3',7')15");
	gk_lkh_free(lkh);
}

GK_TEST(rfc2627_5_4, pure_refresh_goes_under_each_root)
{
	struct gk_lkh *lkh = figure_30();
	struct gk_lkh_plan plan;
	char text[64];

	gk_lkh_refresh(lkh);
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	assert_true(plan.group);
	lkh_describe(&plan, text, sizeof(text));
	assert_string_equal(text, "(GTPK)2 (GTPK)3");
	gk_lkh_plan_free(&plan);
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	assert_int_equal(plan.count, 0);
	assert_false(plan.group);
	gk_lkh_free(lkh);
}

GK_TEST(rfc2627_5_4, backward_secrecy_wraps_under_the_old_keys)
{
	const struct gk_lkh_config cfg = {
		.degree = 2, .key_len = 16, .capacity = 4, .backward = true
	};
	struct gk_lkh *lkh;
	uint32_t seat;

	lkh = grown(&cfg, 3, GK_LKH_PATH);
	gk_assert_ok(gk_lkh_join(lkh, 2000, &seat));
	assert_int_equal(seat, 4);
	assert_packets(lkh, GK_LKH_PATH, "(GTPK,1')1 (3')3");
	gk_assert_ok(gk_lkh_join(lkh, 3000, &seat));
	assert_int_equal(seat, 5); /* in a second tree: ids from 8 */
	assert_packets(lkh, GK_LKH_CHAIN, "(GTPK)1'");
	gk_lkh_free(lkh);
}

GK_TEST(rfc4535_7_5_2, two_rekeys_in_one_second_have_two_creation_dates)
{
	struct gk_lkh *lkh = figure_30();
	int64_t last = 1000;

	for (uint32_t seat = 1; seat <= 3; seat++) {
		struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
		struct gk_lkh_plan plan;
		size_t n;

		gk_assert_ok(gk_lkh_leave(lkh, seat, 1000));
		gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
		gk_lkh_plan_free(&plan);
		gk_assert_ok(gk_lkh_path(lkh, 4, keys, &n));
		assert_true(keys[n - 1].created > last);
		assert_int_equal(keys[n - 1].expires, GK_UTC_MAX);
		last = keys[n - 1].created;
	}
	gk_lkh_free(lkh);
}

GK_TEST(rfc4535_7_4_1_1, node_keys_live_as_long_as_configured)
{
	const struct gk_lkh_config cfg = { .degree = 4,
		                           .key_len = 32,
		                           .lifetime = 3600 };
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	size_t n, renewed;
	struct gk_lkh *lkh;

	lkh = grown(&cfg, 1, GK_LKH_PATH);
	gk_assert_ok(gk_lkh_path(lkh, 1, keys, &n));
	assert_int_equal(n, 2);
	assert_int_equal(keys[0].len, 32);
	assert_int_equal(keys[0].expires, 4600);
	gk_assert_ok(gk_lkh_renew(lkh, 4000, 4599, 100, &renewed));
	assert_int_equal(renewed, 0);
	gk_assert_ok(gk_lkh_renew(lkh, 4000, 4600, 100, &renewed));
	assert_int_equal(renewed, 2);
	assert_packets(lkh, GK_LKH_PATH, "(2')2 (1')1");
	gk_assert_ok(gk_lkh_path(lkh, 1, keys, &n));
	assert_int_equal(keys[0].expires, 7600);
	gk_lkh_free(lkh);
}

/* A large tree is not walked at each rekey for keys that are all young. */
GK_TEST(lkh, nodes_are_looked_at_when_a_key_expires)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .lifetime = 3600 };
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;
	size_t renewed;

	gk_assert_ok(gk_lkh_new(&env, &cfg, &lkh));
	gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
	gk_assert_ok(gk_lkh_join(lkh, 2000, &seat));
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	gk_assert_ok(gk_lkh_renew(lkh, 4000, 4599, 1, &renewed));
	assert_int_equal(lkh->cursor.node, 0);
	/* One after the other, in a round; then everything is young again. */
	gk_assert_ok(gk_lkh_renew(lkh, 4000, 5600, 1, &renewed));
	assert_int_equal(lkh->cursor.node, 1);
	assert_int_equal(renewed, 1);
	gk_assert_ok(gk_lkh_renew(lkh, 4000, 5600, 100, &renewed));
	assert_int_equal(renewed, 2);
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	gk_assert_ok(gk_lkh_renew(lkh, 5000, 7599, 1, &renewed));
	assert_int_equal(lkh->cursor.node, 0);
	gk_assert_ok(gk_lkh_renew(lkh, 5000, 7600, 1, &renewed));
	assert_int_equal(lkh->cursor.node, 1);
	gk_lkh_free(lkh);
}

static struct gk_lkh *
reloaded(const struct gk_lkh_config *cfg, const struct gk_journal *j)
{
	struct gk_lkh *lkh;
	const char *why;

	gk_assert_ok(gk_lkh_new(&env, cfg, &lkh));
	for (size_t t = 0; gk_lkh_tables[t] != NULL; t++)
		for (size_t i = 0; i < gk_journal_count(j); i++) {
			struct gk_change c = gk_journal_at(j, i);

			if (strcmp(c.table, gk_lkh_tables[t]) == 0)
				gk_assert_ok(gk_lkh_load_row(
					lkh, c.table, c.key, c.value, &why));
		}
	gk_assert_ok(gk_lkh_load_done(lkh, &why));
	return lkh;
}

GK_TEST(rfc4535_7_4_1_1, keys_out_of_a_store_expire_like_others)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .lifetime = 3600 };
	struct gk_lkh *lkh, *again;
	struct gk_journal *j;
	size_t renewed;

	gk_assert_ok(gk_journal_new(gk_slice_str("group"), &j));
	lkh = grown(&cfg, 1, GK_LKH_PATH);
	gk_assert_ok(gk_lkh_save(lkh, j));
	again = reloaded(&cfg, j);
	gk_assert_ok(gk_lkh_renew(again, 4000, 4599, 100, &renewed));
	assert_int_equal(renewed, 0);
	gk_assert_ok(gk_lkh_renew(again, 4000, 4600, 100, &renewed));
	assert_int_equal(renewed, 2);
	gk_lkh_free(again);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

/* A store that was tampered with, or is of another tree. */
GK_TEST(lkh, row_of_a_key_that_is_in_no_tree_is_refused)
{
	const struct gk_lkh_config cfg = { .degree = 2, .key_len = 16 };
	static const uint8_t wrong[][5] = { { 0xff, 0xff, 0xff, 0xf0 },
		                            { 0, 0, 0, 0 } };
	struct gk_lkh *lkh, *again;
	struct gk_journal *j;
	unsigned refused = 0;

	gk_assert_ok(gk_journal_new(gk_slice_str("group"), &j));
	lkh = grown(&cfg, 1, GK_LKH_PATH);
	gk_assert_ok(gk_lkh_save(lkh, j));
	again = reloaded(&cfg, j);
	for (size_t i = 0; i < gk_journal_count(j); i++) {
		struct gk_change c = gk_journal_at(j, i);

		for (size_t k = 0; k < GK_COUNT(wrong); k++) {
			struct gk_slice key = { wrong[k], c.key.len };
			const char *why = "";

			if (c.key.len != 4 ||
			    gk_lkh_load_row(again, c.table, key, c.value,
			                    &why) == GK_OK)
				continue;
			refused +=
				strcmp(why, "a key id that is in no tree") == 0;
		}
	}
	assert_true(refused > 0);
	gk_lkh_free(again);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

GK_TEST(lkh, configuration_out_of_range_is_refused)
{
	static const struct {
		struct gk_lkh_config cfg;
		enum gk_err err;
	} bad[] = {
		{ { .degree = 1, .key_len = 16 }, GK_ERR_VALUE },
		{ { .degree = 257, .key_len = 16 }, GK_ERR_VALUE },
		{ { .degree = 2, .key_len = 15 }, GK_ERR_VALUE },
		{ { .degree = 2, .key_len = 49 }, GK_ERR_VALUE },
		{ { .degree = 2, .key_len = 16, .lifetime = -1 },
		  GK_ERR_VALUE },
		{ { .degree = 2, .key_len = 16, .capacity = UINT32_MAX },
		  GK_ERR_SPACE },
		{ { .degree = 2, .key_len = 16, .capacity = 8, .last_id = 14 },
		  GK_ERR_SPACE },
		{ { .degree = 2, .key_len = 16, .first_id = UINT32_MAX },
		  GK_ERR_SPACE },
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gk_lkh *lkh;

		gk_assert_err(bad[i].err, gk_lkh_new(&env, &bad[i].cfg, &lkh));
		assert_null(lkh);
	}
}

GK_TEST(lkh, failing_random_changes_nothing)
{
	static const struct gk_env no_random = { .random = broken };
	const struct gk_lkh_config cfg = { .degree = 2, .key_len = 16 };
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&no_random, &cfg, &lkh));
	gk_assert_err(GK_ERR_CRYPTO, gk_lkh_join(lkh, 1000, &seat));
	assert_int_equal(gk_lkh_count(lkh), 0);
	assert_false(gk_lkh_open(lkh));
	gk_lkh_free(lkh);
}

GK_TEST(rfc6407_5_6, sixteen_bit_ids_are_used_to_the_last)
{
	const struct gk_lkh_config cfg = { .degree = 16,
		                           .key_len = 16,
		                           .last_id = 65535 };
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh *lkh;
	uint32_t seat = 0, members = 0;
	enum gk_err err;
	size_t n;

	gk_assert_ok(gk_lkh_new(&env, &cfg, &lkh));
	while ((err = gk_lkh_join(lkh, 1000, &seat)) == GK_OK) {
		assert_int_equal(seat, ++members);
		if (members % 1000 != 0)
			continue;
		gk_assert_ok(gk_lkh_path(lkh, seat, keys, &n));
		for (size_t i = 0; i < n; i++)
			assert_true(keys[i].id <= 65535);
	}
	gk_assert_err(GK_ERR_SPACE, err);
	assert_true(members > 60000);
	assert_int_equal(gk_lkh_count(lkh), members);
	gk_lkh_free(lkh);
}

static void
history(const struct gk_lkh_config *cfg, uint64_t seed, unsigned steps)
{
	struct world *w = world_new(cfg, seed);
	uint64_t s = seed * 2654435761u + 1;

	for (unsigned i = 0; i < steps; i++) {
		uint32_t r = (uint32_t)(s >> 33);

		s = s * 6364136223846793005u + 1442695040888963407u;
		switch (r % 16) {
		case 0:
		case 1:
		case 2:
		case 3:
		case 4:
			assert_world(world_join(w));
			break;
		case 5:
		case 6:
		case 7:
		case 8:
			assert_world(world_leave(w, r >> 4));
			break;
		case 9:
			assert_world(world_handout(w, r >> 4));
			assert_world(world_rejoin(w, r >> 6));
			break;
		case 10:
			assert_world(world_renew(w, r >> 4 & 15));
			break;
		case 11:
			if (r & 16)
				assert_world(world_refresh(w));
			break;
		case 12:
			assert_world(world_reload(w));
			break;
		case 13:
			world_tick(w, r >> 4 & 3);
			assert_world(world_shrink(w));
			break;
		default:
			assert_world(world_seal(w, r >> 4 & 1 ? GK_LKH_PATH
			                                      : GK_LKH_CHAIN));
			break;
		}
	}
	assert_world(world_seal(w, GK_LKH_PATH));
	assert_world(world_secrets(w));
	world_free(w);
}

GK_TEST(rfc2627_5_4, after_any_history_only_members_have_the_group_key)
{
	static const unsigned degrees[] = { 2, 3, 4, 5, 8, 16 };

	for (uint64_t seed = 0; seed < 360; seed++) {
		const struct gk_lkh_config cfg = {
			.degree = degrees[seed % GK_COUNT(degrees)],
			.key_len = 16 + seed % 17,
			.capacity = seed % 7 == 0 ? 0 : (uint32_t)seed % 31,
			.plain = seed % 5 == 0,
			.backward = seed % 2 == 0,
			.lifetime = seed % 3 == 0 ? 2 : 0,
			.first_id = seed % 11 == 0 ? 1000 : 0,
			.spare = seed % 4 == 0 ? 0 : 1,
		};

		history(&cfg, seed, seed % 10 == 0 ? 400 : 120);
	}
}

GK_TEST(lkh, wraps_of_a_leave_grow_with_the_logarithm)
{
	for (enum gk_lkh_style style = GK_LKH_PATH; style <= GK_LKH_CHAIN;
	     style++) {
		const struct gk_lkh_config cfg = { .degree = 4,
			                           .key_len = 16,
			                           .capacity = 4096 };
		struct gk_lkh_plan plan;
		struct gk_lkh *lkh;

		lkh = grown(&cfg, 4096, style);
		gk_assert_ok(gk_lkh_leave(lkh, 17, 2000));
		gk_assert_ok(gk_lkh_seal(lkh, style, &plan));
		/* Six levels, three siblings each; a chain has the five links
		 * between them and the group key on top. */
		assert_int_equal(plan.count,
		                 style == GK_LKH_PATH ? 6 * 3 : 6 * 4);
		gk_lkh_plan_free(&plan);
		gk_lkh_free(lkh);
	}
}

/* A plan wraps under the old keys of those who are joined, and under none that
 * somebody took away with him. */
GK_TEST(rfc2627_5_4, keys_lost_to_a_leave_are_forgotten_at_once)
{
	const struct gk_lkh_config cfg = {
		.degree = 2, .key_len = 16, .capacity = 8, .backward = true
	};
	const struct gk_lkh_at top = { 0, 0 };
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint8_t before[16];
	uint32_t seat;

	lkh = grown(&cfg, 7, GK_LKH_PATH);
	gk_assert_ok(gk_lkh_leave(lkh, 3, 2000));
	assert_int_equal(lkh->old_count, 0);
	gk_lkh_close(lkh);
	memcpy(before, gk_lkh_octets_at(lkh, top), sizeof(before));
	gk_assert_ok(gk_lkh_join(lkh, 3000, &seat));
	assert_int_equal(lkh->old_count, 3); /* not of the leaf */
	assert_memory_equal(
		gk_lkh_old_of(lkh, gk_lkh_mark_at(lkh, top))->octets, before,
		sizeof(before));
	/* and who leaves now is not told by them */
	gk_assert_ok(gk_lkh_leave(lkh, 8 - seat, 3000));
	gk_assert_ok(gk_lkh_draft(lkh, GK_LKH_PATH, &plan));
	for (size_t i = 0; i < plan.count; i++)
		assert_memory_not_equal(plan.wraps[i].under->octets, before,
		                        sizeof(before));
	gk_lkh_plan_free(&plan);
	gk_lkh_close(lkh);
	assert_int_equal(lkh->old_count, 0);
	gk_lkh_free(lkh);
}

GK_TEST(lkh, a_hundred_thousand_members_come_and_go)
{
	const struct gk_lkh_config cfg = { .degree = 4,
		                           .key_len = 16,
		                           .backward = true };
	const uint32_t members = 100000;
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;

	lkh = grown(&cfg, members, GK_LKH_PATH);
	assert_int_equal(gk_lkh_count(lkh), members);
	for (uint32_t i = 0; i < 1000; i++) {
		gk_assert_ok(gk_lkh_leave(lkh, 1 + i * 97, 2000));
		gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
		assert_in_range(plan.count, 10, 64);
		gk_lkh_plan_free(&plan);
	}
	for (uint32_t i = 1000; i < 2000; i++) {
		uint32_t gone = 1 + (i * 89) % members;

		if (gk_lkh_seated(lkh, gone))
			gk_assert_ok(gk_lkh_leave(lkh, gone, 3000));
		gk_assert_ok(gk_lkh_join(lkh, 3000, &seat));
	}
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_CHAIN, &plan));
	assert_true(plan.count > 1000);
	gk_lkh_plan_free(&plan);
	gk_lkh_free(lkh);
}

GK_TEST(lkh, a_million_seats_cost_less_than_256_octets_each_beside_the_keys)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 1 << 20 };
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&env, &cfg, &lkh));
	gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
	assert_int_equal(gk_lkh_seats(lkh), 1 << 20);
	assert_true(gk_lkh_memory(lkh) / (1 << 20) < 256 + 2 * 16);
	gk_lkh_free(lkh);
}

static struct gk_lkh_key
ring_key(uint32_t id, uint32_t handle, int64_t created)
{
	return (struct gk_lkh_key){ .id = id,
		                    .handle = handle,
		                    .created = created,
		                    .expires = created + 10,
		                    .len = 16,
		                    .octets = { (uint8_t)handle } };
}

GK_TEST(rfc4535_7_5_2, ring_takes_later_versions_of_keys_it_holds)
{
	struct gk_lkh_member ring = { 0 }, copy = { 0 };
	struct gk_lkh_key keys[] = { ring_key(8, 1, 100), ring_key(4, 1, 100) };
	struct gk_lkh_key k;
	bool same;

	gk_assert_ok(gk_lkh_member_set(&ring, keys, 2));
	assert_non_null(gk_lkh_member_find(&ring, 4, 1));
	assert_null(gk_lkh_member_find(&ring, 4, 2));
	assert_null(gk_lkh_member_find(&ring, 2, 1));
	gk_assert_ok(gk_lkh_member_copy(&copy, &ring));

	k = ring_key(2, 1, 200);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_lkh_member_put(&ring, &k, false, NULL));
	k = ring_key(4, 2, 99);
	gk_assert_err(GK_ERR_REPLAY, gk_lkh_member_put(&ring, &k, true, NULL));
	k = ring_key(4, 2, 100);
	gk_assert_err(GK_ERR_REPLAY, gk_lkh_member_put(&ring, &k, false, NULL));
	k = ring_key(4, 2, 101);
	k.expires = 101;
	gk_assert_err(GK_ERR_VALUE, gk_lkh_member_put(&ring, &k, false, NULL));
	assert_int_equal(gk_lkh_member_held(&ring, 4)->handle, 1);
	k = ring_key(4, 2, 100);
	gk_assert_ok(gk_lkh_member_put(&ring, &k, true, &same));
	assert_false(same);
	gk_assert_ok(gk_lkh_member_put(&ring, &k, false, &same));
	assert_true(same);
	assert_non_null(gk_lkh_member_find(&ring, 4, 2));
	assert_non_null(gk_lkh_member_find(&copy, 4, 1));

	keys[1].id = 8;
	gk_assert_err(GK_ERR_VALUE, gk_lkh_member_set(&ring, keys, 2));
	assert_int_equal(ring.count, 2);
	gk_lkh_member_free(&ring);
	gk_lkh_member_free(&copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_a_2,
		       members_of_figure_30_hold_the_nodes_above_their_leaf),
		GK_RUN(rfc4535_a_3_2,
		       member_6_leaves_with_the_packets_of_the_example),
		GK_RUN(rfc4535_a_3_2,
		       member_6_leaves_with_the_alternative_leaf_to_root),
		GK_RUN(rfc2627_5_4, replaced_member_costs_no_wrap_of_his_own),
		GK_RUN(rfc2627_5_4, whole_subtree_leaves_in_one_plan),
		GK_RUN(rfc2627_5_4, pure_refresh_goes_under_each_root),
		GK_RUN(rfc2627_5_4, backward_secrecy_wraps_under_the_old_keys),
		GK_RUN(rfc4535_7_5_2,
		       two_rekeys_in_one_second_have_two_creation_dates),
		GK_RUN(rfc4535_7_4_1_1, node_keys_live_as_long_as_configured),
		GK_RUN(lkh, nodes_are_looked_at_when_a_key_expires),
		GK_RUN(rfc4535_7_4_1_1, keys_out_of_a_store_expire_like_others),
		GK_RUN(lkh, row_of_a_key_that_is_in_no_tree_is_refused),
		GK_RUN(lkh, configuration_out_of_range_is_refused),
		GK_RUN(lkh, failing_random_changes_nothing),
		GK_RUN(rfc6407_5_6, sixteen_bit_ids_are_used_to_the_last),
		GK_RUN(rfc2627_5_4,
		       after_any_history_only_members_have_the_group_key),
		GK_RUN(lkh, wraps_of_a_leave_grow_with_the_logarithm),
		GK_RUN(rfc2627_5_4, keys_lost_to_a_leave_are_forgotten_at_once),
		GK_RUN(lkh, a_hundred_thousand_members_come_and_go),
		GK_RUN(lkh,
		       a_million_seats_cost_less_than_256_octets_each_beside_the_keys),
		GK_RUN(rfc4535_7_5_2,
		       ring_takes_later_versions_of_keys_it_holds),
	};

	return cmocka_run_group_tests_name("common/lkh", tests, NULL, NULL);
}
