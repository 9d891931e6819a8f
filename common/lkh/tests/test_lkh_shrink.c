/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/gk_base.h"
#include "common/base/gk_pages.h"
#include "common/base/gk_time.h"
#include "common/group/tests/rows.h"
#include "common/lkh/gk_lkh_tree.h"
#include "common/lkh/tests/counted.h"
#include "common/lkh/tests/lkh_world.h"

/* What is given back of a hierarchy whose members have left, and what is not. */
static struct gk_lkh *
tree_of(const struct gk_lkh_config *cfg, uint32_t members)
{
	struct gk_lkh_plan plan;
	struct gk_lkh *lkh;
	uint32_t seat;

	gk_assert_ok(gk_lkh_new(&env, cfg, &lkh));
	for (uint32_t i = 0; i < members; i++)
		gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
	gk_assert_ok(gk_lkh_seal(lkh, GK_LKH_PATH, &plan));
	gk_lkh_plan_free(&plan);
	return lkh;
}

static void
seal(struct gk_lkh *lkh, enum gk_lkh_style style, const char *want)
{
	struct gk_lkh_plan plan;
	char text[1024];

	gk_assert_ok(gk_lkh_seal(lkh, style, &plan));
	lkh_describe(&plan, text, sizeof(text));
	if (want != NULL)
		assert_string_equal(text, want);
	gk_lkh_plan_free(&plan);
}

static void
leave_but(struct gk_lkh *lkh, const uint32_t *stay, size_t n)
{
	for (uint32_t seat = 1; seat <= gk_lkh_seats(lkh); seat++) {
		bool stays = false;

		for (size_t i = 0; i < n; i++)
			stays |= stay[i] == seat;
		if (!stays && gk_lkh_seated(lkh, seat))
			gk_assert_ok(gk_lkh_leave(lkh, seat, 2000));
	}
	seal(lkh, GK_LKH_PATH, NULL);
}

static struct gk_journal *
journal_new(void)
{
	struct gk_journal *j;

	gk_assert_ok(gk_journal_new(gk_slice_str("group"), &j));
	return j;
}

/* As key servers do: some after each rekey, and then a commit. */
static size_t
shrink_all(struct gk_lkh *lkh, struct gk_journal *j)
{
	size_t n = 0;

	do {
		n += gk_lkh_shrink(lkh, 3000);
		gk_assert_ok(gk_lkh_save(lkh, j));
	} while (lkh->sweeping);
	return n;
}

static uint32_t
handle_of(const struct gk_lkh *lkh, uint32_t seat, uint32_t id)
{
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	size_t n;

	gk_assert_ok(gk_lkh_path(lkh, seat, keys, &n));
	for (size_t i = 0; i < n; i++)
		if (keys[i].id == id)
			return keys[i].handle;
	fail_msg("key %u is not on the path of %u", id, seat);
	return 0;
}

static const uint32_t three[] = { 1, 2, 64 };
static const struct gk_lkh_config sixty_four = { .degree = 2,
	                                         .key_len = 16,
	                                         .capacity = 64,
	                                         .plain = true,
	                                         .backward = true,
	                                         .spare = 1 };

GK_TEST(rfc2627_5_4, a_level_with_one_subtree_left_is_not_rekeyed)
{
	struct gk_lkh *before = tree_of(&sixty_four, 64);
	struct gk_lkh *lkh = tree_of(&sixty_four, 64);
	struct gk_journal *j = journal_new();
	struct gk_lkh_size size;
	uint32_t seat;

	leave_but(before, three, 3);
	leave_but(lkh, three, 3);
	/* Leaves 64, 65 and 127; 32 is the first node above two of them. */
	shrink_all(lkh, j);
	gk_lkh_size(lkh, &size);
	assert_int_equal(size.members, 3);
	assert_int_equal(size.nodes, 13);
	assert_int_equal(size.keys, 4);
	assert_int_equal(size.bypassed, 9);
	assert_int_equal(size.seats, 64); /* Figure 30 has a fixed size */

	gk_assert_ok(gk_lkh_leave(before, 2, 4000));
	gk_assert_ok(gk_lkh_leave(lkh, 2, 4000));
	seal(before, GK_LKH_PATH, "(GTPK,2',4',8',16',32')64 (GTPK)3'");
	seal(lkh, GK_LKH_PATH, "(GTPK,32')64 (GTPK)127");
	/* In the other style it is wraps that are saved. */
	gk_assert_ok(gk_lkh_join(before, 5000, &seat));
	gk_assert_ok(gk_lkh_join(lkh, 5000, &seat));
	assert_int_equal(seat, 2);
	seal(before, GK_LKH_PATH, NULL);
	seal(lkh, GK_LKH_PATH, "(GTPK,32')32' (GTPK)127");
	gk_assert_ok(gk_lkh_leave(before, 2, 6000));
	gk_assert_ok(gk_lkh_leave(lkh, 2, 6000));
	seal(before, GK_LKH_CHAIN,
	     "(32')64 (16')32' (8')16' (4')8' (2')4' (GTPK)2' (GTPK)3'");
	seal(lkh, GK_LKH_CHAIN, "(32')64 (GTPK)32' (GTPK)127");
	gk_lkh_free(before);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

GK_TEST(rfc2627_5_4, a_bypassed_key_comes_back_under_those_of_its_children)
{
	struct gk_lkh *lkh = tree_of(&sixty_four, 64);
	struct gk_journal *j = journal_new();
	uint32_t seat, was;

	leave_but(lkh, three, 3);
	was = handle_of(lkh, 1, 16);
	shrink_all(lkh, j);
	assert_true(gk_lkh_is_bypassed(lkh, 16));
	/* Who joins has to have something under that id, which nobody else
	 * has and nothing was sent under. */
	assert_int_equal(handle_of(lkh, 1, 16), was + 1);
	gk_assert_ok(gk_lkh_join(lkh, 4000, &seat));
	assert_int_equal(seat, 3); /* leaf 66, below 33 and 16 */
	assert_false(gk_lkh_is_bypassed(lkh, 16));
	assert_true(gk_lkh_is_bypassed(lkh, 8));
	assert_int_equal(handle_of(lkh, 1, 16), was + 2);
	seal(lkh, GK_LKH_PATH, "(GTPK,16')32 (GTPK)127");
	gk_assert_ok(gk_lkh_leave(lkh, 64, 5000));
	seal(lkh, GK_LKH_PATH, "(GTPK)16'");
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

/* It gets nothing of the coming plan, so all of its path is in use from now on. */
GK_TEST(rfc2627_5_4, who_registers_again_misses_no_key_that_comes_back)
{
	struct gk_lkh *lkh = tree_of(&sixty_four, 64);
	struct gk_journal *j = journal_new();
	uint32_t seat, has[4];

	leave_but(lkh, three, 3);
	shrink_all(lkh, j);
	assert_true(gk_lkh_is_bypassed(lkh, 16));
	gk_assert_ok(gk_lkh_rejoin(lkh, 1, 4000));
	for (unsigned i = 0; i < 4; i++)
		has[i] = handle_of(lkh, 1, 2U << i);
	gk_assert_ok(gk_lkh_join(lkh, 4000, &seat));
	assert_int_equal(seat, 3);
	for (unsigned i = 0; i < 4; i++) {
		assert_false(gk_lkh_is_bypassed(lkh, 2U << i));
		assert_int_equal(handle_of(lkh, 1, 2U << i), has[i]);
	}
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

/* The one key under which a joiner could have read the past is not his. */
GK_TEST(rfc2627_5_4, without_backward_secrecy_a_join_stays_silent)
{
	struct gk_lkh_config cfg = sixty_four;
	struct gk_journal *j = journal_new();
	struct gk_lkh *lkh;
	uint32_t seat;

	cfg.backward = false;
	lkh = tree_of(&cfg, 64);
	leave_but(lkh, three, 3);
	shrink_all(lkh, j);
	gk_assert_ok(gk_lkh_join(lkh, 4000, &seat));
	assert_int_equal(seat, 3);
	seal(lkh, GK_LKH_PATH, "");
	assert_true(gk_lkh_is_bypassed(lkh, 16)); /* with two subtrees */
	gk_lkh_refresh(lkh);
	seal(lkh, GK_LKH_PATH, "(GTPK)32 (GTPK)33' (GTPK)127");
	gk_assert_ok(gk_lkh_leave(lkh, 1, 5000)); /* and now is needed */
	assert_false(gk_lkh_is_bypassed(lkh, 16));
	seal(lkh, GK_LKH_PATH, "(GTPK,16',32')65 (GTPK,16')33' (GTPK)127");
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

GK_TEST(rfc4535_7_4_1_1, keys_that_are_bypassed_expire_without_a_word)
{
	struct gk_lkh_config cfg = sixty_four;
	struct gk_journal *j = journal_new();
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh *lkh;
	size_t n, renewed;

	cfg.lifetime = 3600;
	lkh = tree_of(&cfg, 64);
	leave_but(lkh, three, 3);
	shrink_all(lkh, j);
	gk_assert_ok(gk_lkh_renew(lkh, 7000, 7000, 1000, &renewed));
	/* Those in use: 64, 65, 32 and 127. */
	assert_int_equal(renewed, 4);
	seal(lkh, GK_LKH_PATH, "(127')127 (65')65 (64')64 (32')32");
	gk_assert_ok(gk_lkh_path(lkh, 1, keys, &n));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(keys[i].expires, 10600);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

/* Where the round of renewals is may be what is cut down. */
GK_TEST(rfc4535_7_4_1_1, renewing_goes_on_when_its_tree_is_cut_down)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 4,
		                           .lifetime = 3600,
		                           .spare = 1 };
	struct gk_journal *j = journal_new();
	struct gk_lkh *lkh = tree_of(&cfg, 32);
	const uint32_t first = 1;
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh_size size;
	size_t n, renewed;

	gk_lkh_size(lkh, &size);
	assert_int_equal(size.trees, 4);
	/* Trees of 7, 7, 15 and 31 nodes: into the last one. */
	gk_assert_ok(gk_lkh_renew(lkh, 2000, 4600, 29 + 5, &renewed));
	seal(lkh, GK_LKH_PATH, NULL);
	leave_but(lkh, &first, 1);
	gk_assert_ok(gk_lkh_save(lkh, j));
	shrink_all(lkh, j);
	gk_lkh_size(lkh, &size);
	assert_int_equal(size.trees, 1);
	/* One look at each node that is there: it begins with the first. */
	gk_assert_ok(gk_lkh_renew(lkh, 8000, 8000, 7, &renewed));
	assert_int_equal(renewed, 1);
	gk_assert_ok(gk_lkh_path(lkh, 1, keys, &n));
	for (size_t i = 0; i < n; i++)
		assert_true(keys[i].expires > 8000);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

GK_TEST(rfc4535_7_4_1_1, a_node_given_back_forgets_neither_handle_nor_date)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 4,
		                           .backward = true,
		                           .spare = 1 };
	struct gk_journal *j = journal_new();
	struct gk_lkh *lkh = tree_of(&cfg, 32);
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_lkh_size size;
	const uint32_t first = 1;
	uint32_t seat, last[64];
	size_t n;

	assert_int_equal(gk_lkh_seats(lkh), 32);
	for (int i = 0; i < 40; i++) { /* many versions, all in one second */
		gk_assert_ok(gk_lkh_leave(lkh, 32, 1000));
		gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
		seal(lkh, GK_LKH_PATH, NULL);
	}
	gk_assert_ok(gk_lkh_path(lkh, 32, keys, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(keys[i].id < 64);
		last[keys[i].id] = keys[i].handle;
	}
	leave_but(lkh, &first, 1);
	/* A tree is there as long as one of its rows waits to be deleted. */
	for (int i = 0; i < 4; i++)
		gk_lkh_shrink(lkh, 3000);
	gk_lkh_size(lkh, &size);
	assert_int_equal(size.nodes, 3);
	assert_int_equal(size.trees, 4);
	gk_assert_ok(gk_lkh_save(lkh, j));
	shrink_all(lkh, j);
	/* What is left is the first tree, as if no other had been planted. */
	gk_lkh_size(lkh, &size);
	assert_int_equal(size.nodes, 3);
	assert_int_equal(size.trees, 1);
	assert_int_equal(size.seats, 4);
	for (seat = 1; seat < 32;)
		gk_assert_ok(gk_lkh_join(lkh, 1000, &seat));
	assert_int_equal(gk_lkh_seats(lkh), 32);
	seal(lkh, GK_LKH_PATH, NULL);
	gk_assert_ok(gk_lkh_path(lkh, 32, keys, &n));
	for (size_t i = 0; i < n; i++) {
		assert_true(keys[i].handle > last[keys[i].id]);
		assert_true(keys[i].created > 1000 + 40);
	}
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

static size_t
resident(const struct gk_lkh *lkh)
{
	const struct gk_lkh_block *b = &lkh->blocks[lkh->block_count - 1];
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0, pages;
	uintptr_t at = (uintptr_t)b->nodes_at;
	unsigned char *in;

	at = at / page * page;
	pages = ((uintptr_t)b->nodes_at + b->nodes * lkh->stride - at) / page;
	in = calloc(pages + 1, 1);
	assert_non_null(in);
	assert_int_equal(mincore((void *)at, pages * page, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	free(in);
	return n;
}

/* One that has large pages, where there are such. */
GK_TEST(lkh, memory_of_a_large_tree_is_given_back)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 32,
		                           .capacity = 1 << 17 };
	const uint32_t stay[] = { 1, 80000, 131072 };
	struct gk_journal *j = journal_new();
	struct gk_lkh *lkh = tree_of(&cfg, 1 << 17);
	size_t before = resident(lkh);

	assert_true(lkh->blocks[0].nodes * lkh->stride > GK_PAGES_LARGE);
	leave_but(lkh, stay, 3);
	shrink_all(lkh, j);
	assert_true(before > 2000);
	assert_true(resident(lkh) < 64);
	assert_false(lkh->blocks[0].large);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

static size_t
deleted(const struct gk_journal *j)
{
	size_t n = 0;

	for (size_t i = 0; i < gk_journal_count(j); i++)
		n += gk_journal_at(j, i).kind == GK_JOURNAL_DEL;
	return n;
}

GK_TEST(lkh, rows_and_memory_of_those_who_left_are_given_back)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 1 << 16 };
	const uint32_t stay[] = { 1, 40000, 65536 };
	struct gk_journal *j = journal_new();
	struct rows *rows = rows_new();
	struct gk_lkh *lkh = tree_of(&cfg, 1 << 16);
	size_t before = resident(lkh), after;

	leave_but(lkh, stay, 3);
	shrink_all(lkh, j);
	after = resident(lkh);
	/* Three paths of 17 nodes, most of which share pages near the top. */
	assert_true(before > 1000);
	assert_true(after < 64);
	assert_true(deleted(j) > 130000);
	rows_apply(rows, j);
	/* One head, one tree, and what is above three leaves: 1 + 2 + 3 * 15 */
	assert_in_range(rows_count(rows), 40, 2 + 3 * 17);
	gk_lkh_free(lkh);
	rows_free(rows);
	gk_journal_free(j);
}

/* A rekey must not wait for all of a sweep. */
GK_TEST(lkh, a_sweep_is_done_in_parts)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 1 << 14 };
	const uint32_t stay[] = { 1 };
	struct gk_journal *j = journal_new();
	struct rows *rows = rows_new();
	struct gk_lkh *lkh = tree_of(&cfg, 1 << 14);
	unsigned calls = 0;

	leave_but(lkh, stay, 1);
	gk_assert_ok(gk_lkh_save(lkh, j));
	rows_apply(rows, j);
	while (gk_lkh_shrink(lkh, 3000) != 0) {
		gk_assert_ok(gk_lkh_save(lkh, j));
		assert_in_range(gk_journal_count(j), 1, 1024 + 1);
		rows_apply(rows, j);
		calls++;
	}
	assert_in_range(calls, 31, 40);
	assert_in_range(rows_count(rows), 15, 2 + 15);
	gk_lkh_free(lkh);
	rows_free(rows);
	gk_journal_free(j);
}

/* But after one that has written much, more of it at once is no more to write. */
GK_TEST(lkh, a_sweep_goes_further_where_much_has_changed)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 1 << 14 };
	const uint32_t stay[] = { 1 };
	struct gk_lkh *lkh = tree_of(&cfg, 1 << 14);

	leave_but(lkh, stay, 1);
	assert_true(lkh->dirty_count > 1 << 14);
	assert_true(gk_lkh_shrink(lkh, 3000) > 2 * lkh->dirty_count / 3);
	gk_lkh_free(lkh);
}

GK_TEST(lkh, a_group_that_comes_and_goes_is_left_alone)
{
	const struct gk_lkh_config cfg = { .degree = 2,
		                           .key_len = 16,
		                           .capacity = 4,
		                           .backward = true,
		                           .spare = 16 };
	struct gk_journal *j = journal_new();
	struct gk_lkh *lkh = tree_of(&cfg, 512);
	uint32_t seat;

	/* Half of it, in and out, and every second one. */
	for (int i = 0; i < 12; i++) {
		for (seat = 1; seat <= 512; seat++)
			if (i % 2 == 0 ? seat % 2 == 0 : seat > 256)
				gk_assert_ok(gk_lkh_leave(lkh, seat, 2000));
		seal(lkh, GK_LKH_PATH, NULL);
		assert_int_equal(gk_lkh_shrink(lkh, 3000), 0);
		gk_assert_ok(gk_lkh_save(lkh, j));
		while (gk_lkh_count(lkh) < 512)
			gk_assert_ok(gk_lkh_join(lkh, 2000, &seat));
		seal(lkh, GK_LKH_PATH, NULL);
		assert_int_equal(gk_lkh_shrink(lkh, 3000), 0);
		gk_assert_ok(gk_lkh_save(lkh, j));
	}
	assert_int_equal(deleted(j), 0);
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

GK_TEST(lkh, a_small_group_and_one_that_must_not_are_left_alone)
{
	const uint32_t one[] = { 1 };

	for (int i = 0; i < 2; i++) {
		const struct gk_lkh_config cfg = {
			.degree = 2,
			.key_len = 16,
			.capacity = 256,
			.spare = i == 0 ? 0 : UINT32_MAX,
		};
		struct gk_lkh *lkh = tree_of(&cfg, 256);

		leave_but(lkh, one, 1);
		assert_int_equal(gk_lkh_shrink(lkh, 3000), 0);
		gk_lkh_free(lkh);
	}
}

GK_TEST(lkh, shrinking_without_randomness_only_takes)
{
	struct gk_lkh *lkh = tree_of(&sixty_four, 64);
	struct gk_env none = { .random = broken };
	struct gk_journal *j = journal_new();
	struct gk_lkh_size size;

	leave_but(lkh, three, 3);
	lkh->env = &none;
	shrink_all(lkh, j);
	gk_lkh_size(lkh, &size);
	assert_int_equal(size.nodes, 13);
	assert_int_equal(size.bypassed, 0);
	lkh->env = &env;
	gk_assert_ok(gk_lkh_leave(lkh, 2, 4000));
	seal(lkh, GK_LKH_PATH, "(GTPK,2',4',8',16',32')64 (GTPK)3'");
	gk_lkh_free(lkh);
	gk_journal_free(j);
}

/* Waves of joins and of leaves, with rekeys and restarts at any point of them. */
static void
tide(const struct gk_lkh_config *cfg, uint64_t seed, unsigned waves,
     uint32_t high, uint32_t *smallest)
{
	struct world *w = world_new(cfg, seed);
	uint64_t s = seed * 2654435761u + 1;
	struct gk_lkh_size size;

	*smallest = UINT32_MAX;
	for (unsigned i = 0; i < 2 * waves; i++) {
		uint32_t to = i % 2 == 0 ? high : 1 + i % 3;
		enum gk_lkh_style style =
			i % 4 < 2 ? GK_LKH_PATH : GK_LKH_CHAIN;

		for (uint32_t n = world_members(w); n != to;) {
			uint32_t r = (uint32_t)(s >> 33);

			s = s * 6364136223846793005u + 1442695040888963407u;
			if (r % 64 == 0)
				assert_world(world_reload(w));
			if (r % 64 == 32)
				assert_world(world_die(w, style));
			if (r % 32 == 1)
				assert_world(world_seal(w, style));
			if (r % 16 == 2)
				assert_world(world_shrink(w));
			if (r % 32 == 3)
				assert_world(world_renew(w, 64));
			if (r % 16 == 5)
				assert_world(world_rejoin(w, r >> 5));
			world_tick(w, r % 8 == 0);
			if ((r % 8 == 4) == (n < to))
				assert_world(world_leave(w, r >> 4));
			else
				assert_world(world_join(w));
			if (world_members(w) == n) /* no seat left */
				to = n;
			n = world_members(w);
		}
		assert_world(world_seal(w, style));
		for (int more = 0; more < 4; more++) {
			assert_world(world_shrink(w));
			assert_world(world_reload(w)); /* with its floor */
			gk_lkh_size(world_lkh(w), &size);
			assert_true(!cfg->whole || size.bypassed == 0);
			if (size.nodes < *smallest)
				*smallest = size.nodes;
			/* With what was given back away, as before it. */
			assert_world(world_leave(w, (uint32_t)(s >> 40)));
			assert_world(world_join(w));
			if (more % 2 != 0)
				assert_world(world_join(w));
			assert_world(world_seal(w, style));
		}
	}
	assert_world(world_secrets(w));
	world_free(w);
}

GK_TEST(rfc2627_5_4, after_growth_and_shrink_only_members_have_the_group_key)
{
	static const unsigned degrees[] = { 2, 3, 4, 2, 8 };

	for (uint64_t seed = 0; seed < 40; seed++) {
		const struct gk_lkh_config cfg = {
			.degree = degrees[seed % GK_COUNT(degrees)],
			.key_len = 16,
			.capacity = seed % 4 == 1 ? 64 : 4,
			.plain = seed % 4 == 1,
			.backward = seed % 2 == 0 || seed % 8 == 5,
			.lifetime = seed % 3 == 0 ? 40 : 0,
			.last_id = seed % 7 == 6 ? 200 : 0,
			.spare = 1,
			.whole = seed % 5 == 3,
		};
		uint32_t smallest;

		tide(&cfg, seed, 3, 60, &smallest);
		assert_true(smallest < 30);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2627_5_4,
		       a_level_with_one_subtree_left_is_not_rekeyed),
		GK_RUN(rfc2627_5_4,
		       a_bypassed_key_comes_back_under_those_of_its_children),
		GK_RUN(rfc2627_5_4,
		       who_registers_again_misses_no_key_that_comes_back),
		GK_RUN(rfc2627_5_4,
		       without_backward_secrecy_a_join_stays_silent),
		GK_RUN(rfc4535_7_4_1_1,
		       keys_that_are_bypassed_expire_without_a_word),
		GK_RUN(rfc4535_7_4_1_1,
		       renewing_goes_on_when_its_tree_is_cut_down),
		GK_RUN(rfc4535_7_4_1_1,
		       a_node_given_back_forgets_neither_handle_nor_date),
		GK_RUN(lkh, rows_and_memory_of_those_who_left_are_given_back),
		GK_RUN(lkh, memory_of_a_large_tree_is_given_back),
		GK_RUN(lkh, a_sweep_is_done_in_parts),
		GK_RUN(lkh, a_sweep_goes_further_where_much_has_changed),
		GK_RUN(lkh, a_group_that_comes_and_goes_is_left_alone),
		GK_RUN(lkh, a_small_group_and_one_that_must_not_are_left_alone),
		GK_RUN(lkh, shrinking_without_randomness_only_takes),
		GK_RUN(rfc2627_5_4,
		       after_growth_and_shrink_only_members_have_the_group_key),
	};

	return cmocka_run_group_tests_name("common/lkh shrink", tests, NULL,
	                                   NULL);
}
