/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "common/group/gk_group.h"
#include "common/group/tests/rows.h"

static uint32_t draws;
static bool no_random;

static enum gk_err
counting(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	if (no_random)
		return GK_ERR_CRYPTO;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(draws++ * 2654435761u >> 13);
	return GK_OK;
}

static const struct gk_env env = { .random = counting };

static struct gk_group_config
config(unsigned degree)
{
	return (struct gk_group_config){
		.scope = gk_slice_str("group"),
		.lkh = { .degree = degree, .key_len = 16, .backward = true },
		.backward = true,
	};
}

static struct gk_group *
group_of(unsigned degree)
{
	struct gk_group_config cfg = config(degree);
	struct gk_group *g;

	no_random = false;
	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_key_define(g, 7, 3, 24, 3600, 1000));
	return g;
}

static struct gk_member *
join(struct gk_group *g, const char *name)
{
	struct gk_member *m;

	gk_assert_ok(gk_group_join(g, gk_slice_str(name), 2000, &m));
	assert_non_null(m);
	return m;
}

static size_t
seal(struct gk_group *g)
{
	struct gk_lkh_plan plan;
	size_t count;

	gk_assert_ok(gk_group_seal(g, GK_LKH_PATH, &plan));
	count = plan.count;
	gk_lkh_plan_free(&plan);
	return count;
}

static uint32_t
handle(const struct gk_group *g, enum gk_key_slot slot)
{
	const struct gk_traffic_key *k = gk_group_key(g, 0, slot);

	return k == NULL ? 0 : k->handle;
}

GK_TEST(group, member_is_found_by_identity_and_by_id)
{
	struct gk_group *g = group_of(2);
	struct gk_member *a = join(g, "a"), *b = join(g, "b"), *again;
	size_t cursor = 0;

	assert_int_equal(a->state, GK_MEMBER_PENDING);
	assert_int_equal(a->id, 1);
	assert_int_equal(a->seat, 1);
	assert_int_equal(b->id, 2);
	assert_ptr_equal(gk_group_find(g, gk_slice_str("a")), a);
	assert_ptr_equal(gk_group_find_id(g, 2), b);
	assert_null(gk_group_find(g, gk_slice_str("c")));
	assert_null(gk_group_find_id(g, 3));
	assert_null(gk_group_find_id(g, UINT32_MAX));
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_group_join(g, gk_slice_str("a"), 2000, &again));
	assert_int_equal(gk_group_count(g), 2);
	assert_ptr_equal(gk_group_each(g, &cursor), a);
	assert_ptr_equal(gk_group_each(g, &cursor), b);
	assert_null(gk_group_each(g, &cursor));
	gk_assert_ok(gk_group_leave(g, a, 3000));
	assert_null(gk_group_find(g, gk_slice_str("a")));
	assert_null(gk_group_find_id(g, 1));
	assert_int_equal(join(g, "c")->id, 1);
	gk_group_free(g);
}

GK_TEST(group, everybody_can_leave_during_a_walk)
{
	for (unsigned degree = 0; degree <= 3; degree += 3) {
		struct gk_group *g = group_of(degree);
		struct gk_member *m;
		size_t cursor = 0, n = 0;
		char name[16];

		for (int i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "m%d", i);
			join(g, name);
		}
		while ((m = gk_group_each(g, &cursor)) != NULL) {
			gk_assert_ok(gk_group_leave(g, m, 3000));
			n++;
		}
		assert_int_equal(n, 100);
		assert_int_equal(gk_group_count(g), 0);
		gk_group_free(g);
	}
}

GK_TEST(group, oversized_identity_is_refused)
{
	uint8_t name[GK_GROUP_IDENTITY_MAX + 1] = { 0 };
	struct gk_group *g = group_of(2);
	struct gk_member *m;

	gk_assert_err(GK_ERR_SPACE,
	              gk_group_join(g, (struct gk_slice){ name, sizeof(name) },
	                            1, &m));
	assert_null(m);
	gk_assert_ok(gk_group_join(
		g, (struct gk_slice){ name, sizeof(name) - 1 }, 1, &m));
	gk_group_free(g);
}

GK_TEST(group, failing_random_changes_nothing)
{
	for (unsigned degree = 0; degree <= 2; degree += 2) {
		struct gk_group *g = group_of(degree);
		struct gk_member *a = join(g, "a"), *m;
		struct rows *before = rows_new(), *after = rows_new();
		struct gk_journal *j;

		gk_assert_ok(gk_journal_new(gk_slice_str("x"), &j));
		gk_assert_ok(gk_group_export(g, j));
		rows_apply(before, j);
		no_random = true;
		gk_assert_err(GK_ERR_CRYPTO,
		              gk_group_join(g, gk_slice_str("b"), 1, &m));
		gk_assert_err(GK_ERR_CRYPTO, gk_group_leave(g, a, 1));
		gk_assert_err(GK_ERR_CRYPTO, gk_group_refresh(g, 1));
		no_random = false;
		gk_assert_ok(gk_group_export(g, j));
		rows_apply(after, j);
		assert_true(rows_equal(before, after));
		rows_free(before);
		rows_free(after);
		gk_journal_free(j);
		gk_group_free(g);
	}
}

/* The same with a hierarchy and without. */
GK_TEST(group, joiner_gets_the_next_key_and_the_seal_makes_it_current)
{
	for (unsigned degree = 0; degree <= 2; degree += 2) {
		struct gk_group *g = group_of(degree);
		const struct gk_traffic_key *k;
		int64_t created;
		struct gk_member *a, *b;
		uint32_t first, next;

		a = join(g, "a");
		/* Nobody had the first key: it is good enough for him. */
		first = handle(g, GK_KEY_CURRENT);
		assert_int_equal(handle(g, GK_KEY_NEXT), 0);
		assert_int_equal(gk_group_key_joiner(g, 0)->handle, first);
		seal(g);
		assert_int_equal(handle(g, GK_KEY_CURRENT), first);

		b = join(g, "b");
		assert_true(gk_group_open(g));
		assert_true(gk_group_due(g));
		assert_true(gk_group_joined(g, b));
		assert_false(gk_group_joined(g, a));
		k = gk_group_key_joiner(g, 0);
		next = k->handle;
		assert_true(next > first);
		assert_int_equal(k->id, 7);
		assert_int_equal(k->type, 3);
		assert_int_equal(k->len, 24);
		assert_int_equal(k->expires, k->created + 3600);
		created = gk_group_key(g, 0, GK_KEY_CURRENT)->created;
		assert_true(k->created > created);
		join(g, "c");
		assert_int_equal(handle(g, GK_KEY_NEXT), next);
		assert_int_equal(handle(g, GK_KEY_CURRENT), first);

		/* One who was given the next key takes it away with him. */
		created = k->created;
		gk_assert_ok(gk_group_leave(g, b, 2000));
		assert_true(handle(g, GK_KEY_NEXT) > next);
		next = handle(g, GK_KEY_NEXT);
		assert_true(gk_group_key_joiner(g, 0)->created > created);
		/* One who was not, does not. */
		gk_assert_ok(gk_group_leave(g, a, 2000));
		assert_int_equal(handle(g, GK_KEY_NEXT), next);

		seal(g);
		assert_false(gk_group_open(g));
		assert_int_equal(handle(g, GK_KEY_PREVIOUS), first);
		assert_int_equal(handle(g, GK_KEY_CURRENT), next);
		assert_int_equal(handle(g, GK_KEY_NEXT), 0);
		gk_assert_ok(gk_group_key_previous_drop(g));
		assert_int_equal(handle(g, GK_KEY_PREVIOUS), 0);
		gk_group_free(g);
	}
}

GK_TEST(group, leave_and_refresh_make_new_keys)
{
	for (unsigned degree = 0; degree <= 2; degree += 2) {
		struct gk_group *g = group_of(degree);
		uint32_t last;

		join(g, "a");
		join(g, "b");
		join(g, "c");
		seal(g);
		last = handle(g, GK_KEY_CURRENT);
		gk_assert_ok(gk_group_leave(
			g, gk_group_find(g, gk_slice_str("b")), 3000));
		assert_int_equal(seal(g), degree == 0 ? 0 : 2);
		assert_true(handle(g, GK_KEY_CURRENT) > last);
		last = handle(g, GK_KEY_CURRENT);
		gk_assert_ok(gk_group_refresh(g, 3000));
		gk_assert_ok(gk_group_refresh(g, 3000));
		assert_int_equal(handle(g, GK_KEY_NEXT), last + 1);
		assert_int_equal(seal(g), degree == 0 ? 0 : 2);
		assert_int_equal(handle(g, GK_KEY_CURRENT), last + 1);
		assert_int_equal(seal(g), 0);
		assert_int_equal(handle(g, GK_KEY_CURRENT), last + 1);
		gk_group_free(g);
	}
}

GK_TEST(group, traffic_keys_have_ids_of_their_own)
{
	struct gk_group *g = group_of(2);

	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_group_key_define(g, 7, 3, 16, 0, 1000));
	gk_assert_err(GK_ERR_VALUE, gk_group_key_define(g, 8, 3, 0, 0, 1000));
	gk_assert_err(GK_ERR_VALUE,
	              gk_group_key_define(g, 8, 3, GK_GROUP_KEY_MAX + 1, 0, 1));
	gk_assert_err(GK_ERR_VALUE, gk_group_key_define(g, 8, 3, 16, -1, 1));
	for (uint32_t id = 8; id < 7 + GK_GROUP_KEYS_MAX; id++)
		gk_assert_ok(gk_group_key_define(g, id, 3, 16, 0, 1000));
	gk_assert_err(GK_ERR_SPACE, gk_group_key_define(g, 99, 3, 16, 0, 1));
	assert_int_equal(gk_group_key_count(g), GK_GROUP_KEYS_MAX);
	assert_int_equal(gk_group_key(g, 1, GK_KEY_CURRENT)->expires,
	                 GK_UTC_MAX);
	assert_null(gk_group_key(g, GK_GROUP_KEYS_MAX, GK_KEY_CURRENT));
	gk_group_free(g);
}

GK_TEST(rfc4535_7_4_1_1, traffic_keys_and_nodes_never_share_an_id)
{
	static const uint32_t ids[] = { 1, 2, 3, 10, 0x80000000, 0xffffffff };
	struct gk_group_config cfg = config(2);
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_member *m;
	struct gk_group *g;
	size_t n;

	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	for (size_t i = 0; i < GK_COUNT(ids); i++)
		gk_assert_ok(gk_group_key_define(g, ids[i], 1, 16, 0, 1));
	for (int i = 0; i < 40; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		m = join(g, name);
		gk_assert_ok(gk_group_path(g, m, keys, &n));
		for (size_t k = 0; k < n; k++) {
			for (size_t t = 0; t < GK_COUNT(ids); t++)
				assert_int_not_equal(keys[k].id, ids[t]);
		}
	}
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_group_key_define(g, keys[0].id, 1, 16, 0, 1));
	gk_assert_ok(gk_group_key_define(g, 1000, 1, 16, 0, 1));
	gk_group_free(g);
}

GK_TEST(rfc4535_a_3_1, group_key_may_take_the_roots_id_in_figure_30)
{
	struct gk_group_config cfg = config(2);
	struct gk_lkh_key keys[GK_LKH_DEPTH_MAX];
	struct gk_group *g;
	size_t n;

	cfg.lkh.plain = true;
	cfg.lkh.capacity = 8;
	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_key_define(g, 1, 1, 16, 0, 1));
	gk_assert_ok(gk_group_path(g, join(g, "member 1"), keys, &n));
	assert_int_equal(n, 3);
	assert_int_equal(keys[0].id, 8);
	assert_int_equal(keys[1].id, 4);
	assert_int_equal(keys[2].id, 2);
	gk_group_free(g);
}

static struct gk_group *
reload(struct gk_group *old, struct rows *rows,
       const struct gk_group_config *cfg)
{
	struct gk_group *g;
	const char *why;

	rows_apply(rows, gk_group_journal(old));
	gk_group_free(old);
	gk_assert_ok(gk_group_new(&env, cfg, &g));
	for (size_t t = 0; gk_group_tables[t] != NULL; t++) {
		for (size_t i = 0; i < rows_count(rows); i++) {
			struct gk_change c = rows_at(rows, i);

			if (strcmp(c.table, gk_group_tables[t]) == 0 &&
			    gk_group_load_row(g, c.table, c.key, c.value,
			                      &why) != GK_OK)
				fail_msg("%s: %s", c.table, why);
		}
	}
	if (gk_group_load_done(g, &why) != GK_OK)
		fail_msg("%s", why);
	assert_int_equal(gk_journal_count(gk_group_journal(g)), 0);
	return g;
}

GK_TEST(rfc4535_5_3_1_3, sequence_stops_below_the_reserved_value)
{
	struct gk_group_config cfg = config(0);
	struct rows *rows = rows_new();
	struct gk_group *g;
	uint32_t n;

	cfg.sequence_last = 0xfffffffe;
	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_sequence_next(g, &n));
	assert_int_equal(n, 1);
	assert_true(gk_journal_count(gk_group_journal(g)) > 0);
	gk_assert_ok(gk_group_sequence_next(g, &n));
	g = reload(g, rows, &cfg);
	assert_int_equal(gk_group_sequence(g), 2);
	gk_assert_ok(gk_group_sequence_next(g, &n));
	assert_int_equal(n, 3);
	gk_assert_ok(gk_group_sequence_raise(g, 0xfffffffd));
	gk_assert_ok(gk_group_sequence_raise(g, 5));
	gk_assert_ok(gk_group_sequence_next(g, &n));
	assert_int_equal(n, 0xfffffffe);
	gk_assert_err(GK_ERR_SPACE, gk_group_sequence_next(g, &n));
	assert_int_equal(n, 0xfffffffe);
	gk_group_free(g);
	rows_free(rows);
}

GK_TEST(rfc6054, sender_ids_skip_after_a_restart_and_never_repeat)
{
	struct gk_group_config cfg = config(0);
	struct rows *rows = rows_new();
	struct gk_group *g;
	uint32_t first;
	size_t written;

	cfg.sender_block = 10;
	cfg.sender_last = 34;
	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_sender_next(g, 1, &first));
	assert_int_equal(first, 0);
	written = gk_journal_count(gk_group_journal(g));
	gk_assert_ok(gk_group_sender_next(g, 3, &first));
	assert_int_equal(first, 1);
	assert_int_equal(gk_journal_count(gk_group_journal(g)), written);
	g = reload(g, rows, &cfg);
	gk_assert_ok(gk_group_sender_next(g, 1, &first));
	assert_int_equal(first, 10);
	gk_assert_ok(gk_group_sender_next(g, 15, &first));
	assert_int_equal(first, 11);
	g = reload(g, rows, &cfg);
	gk_assert_err(GK_ERR_VALUE, gk_group_sender_next(g, 0, &first));
	gk_assert_err(GK_ERR_SPACE, gk_group_sender_next(g, 6, &first));
	gk_assert_ok(gk_group_sender_next(g, 5, &first));
	assert_int_equal(first, 30);
	gk_assert_err(GK_ERR_SPACE, gk_group_sender_next(g, 1, &first));
	gk_group_free(g);
	rows_free(rows);
}

GK_TEST(group, handles_do_not_come_back_after_a_restart)
{
	struct gk_group_config cfg = config(2);
	struct rows *rows = rows_new();
	struct gk_group *g = group_of(2);
	uint32_t n, last;

	last = handle(g, GK_KEY_CURRENT);
	gk_assert_ok(gk_group_handle_next(g, &n));
	assert_int_equal(n, last + 1);
	g = reload(g, rows, &cfg);
	gk_assert_ok(gk_group_refresh(g, 1));
	assert_int_equal(handle(g, GK_KEY_NEXT), last + 2);
	gk_group_free(g);
	rows_free(rows);
}

GK_TEST(group, excluded_identities_and_notes_survive)
{
	struct gk_group_config cfg = config(0);
	struct rows *rows = rows_new();
	struct gk_slice reason;
	struct gk_group *g;

	gk_assert_ok(gk_group_new(&env, &cfg, &g));
	gk_assert_ok(gk_group_sequence_raise(g, 1));
	gk_assert_ok(gk_group_exclude(g, gk_slice_str("eve"),
	                              gk_slice_str("stole keys")));
	gk_assert_ok(gk_group_exclude(g, gk_slice_str("bob"),
	                              gk_slice_str("by mistake")));
	gk_assert_ok(gk_group_note_set(g, "token", gk_slice_str("edition 1")));
	gk_assert_ok(gk_group_note_set(g, "token", gk_slice_str("edition 2")));
	gk_assert_ok(gk_group_note_set(g, "resend", gk_slice_str("x")));
	g = reload(g, rows, &cfg);
	gk_assert_ok(gk_group_readmit(g, gk_slice_str("bob")));
	gk_assert_ok(gk_group_readmit(g, gk_slice_str("nobody")));
	gk_assert_ok(gk_group_note_set(g, "resend", gk_slice_str("")));
	gk_assert_ok(gk_group_note_set(g, "never", gk_slice_str("")));
	g = reload(g, rows, &cfg);
	assert_true(gk_group_excluded(g, gk_slice_str("eve"), &reason));
	assert_true(gk_slice_equal(reason, gk_slice_str("stole keys")));
	assert_false(gk_group_excluded(g, gk_slice_str("bob"), NULL));
	assert_int_equal(gk_group_excluded_count(g), 1);
	assert_true(gk_slice_equal(gk_group_note(g, "token"),
	                           gk_slice_str("edition 2")));
	assert_int_equal(gk_group_note(g, "resend").len, 0);
	gk_group_free(g);
	rows_free(rows);
}

GK_TEST(group, member_state_and_blob_survive)
{
	struct gk_group_config cfg = config(2);
	struct rows *rows = rows_new();
	struct gk_group *g = group_of(2);
	struct gk_member *m = join(g, "a");

	gk_group_member_seen(m, 2500);
	gk_group_member_seen(m, 2400);
	gk_assert_ok(gk_group_member_state(g, m, GK_MEMBER_ACTIVE));
	gk_assert_ok(gk_group_member_blob(g, m, gk_slice_str("certificate")));
	g = reload(g, rows, &cfg);
	m = gk_group_find(g, gk_slice_str("a"));
	assert_non_null(m);
	assert_int_equal(m->state, GK_MEMBER_ACTIVE);
	assert_int_equal(m->seen, 2500);
	assert_int_equal(m->joined, 2000);
	assert_true(
		gk_slice_equal(gk_member_blob(m), gk_slice_str("certificate")));
	gk_group_free(g);
	rows_free(rows);
}

/* The journal alone, fed to a new group after every step, is as good as never
 * having stopped. */
GK_TEST(group, restart_after_any_step_changes_nothing)
{
	for (uint32_t seed = 1; seed <= 40; seed++) {
		struct gk_group_config cfg = config(seed % 4 == 0 ? 0 : 3);
		struct rows *rows = rows_new(), *before = rows_new(),
			    *after = rows_new();
		struct gk_journal *j;
		struct gk_group *g;
		uint32_t s = seed;

		gk_assert_ok(gk_journal_new(gk_slice_str("x"), &j));
		gk_assert_ok(gk_group_new(&env, &cfg, &g));
		gk_assert_ok(gk_group_key_define(g, 1, 1, 16, 60, 1));
		gk_assert_ok(gk_group_key_define(g, 2, 1, 32, 0, 1));
		for (int step = 0; step < 60; step++) {
			struct gk_member *m;
			char name[8];

			s = s * 1664525 + 1013904223;
			snprintf(name, sizeof(name), "m%u", s >> 27);
			m = gk_group_find(g, gk_slice_str(name));
			if (s >> 24 & 1)
				seal(g);
			else if (m == NULL)
				join(g, name);
			else
				gk_assert_ok(gk_group_leave(g, m, 5));
			gk_assert_ok(gk_group_export(g, j));
			rows_apply(before, j);
			g = reload(g, rows, &cfg);
			gk_assert_ok(gk_group_export(g, j));
			rows_apply(after, j);
			assert_true(rows_equal(before, after));
			gk_assert_ok(gk_journal_drop(j));
			rows_apply(before, j);
			gk_assert_ok(gk_journal_drop(j));
			rows_apply(after, j);
		}
		gk_group_free(g);
		gk_journal_free(j);
		rows_free(rows);
		rows_free(before);
		rows_free(after);
	}
}

static enum gk_err
load_all(const struct rows *rows, const struct gk_group_config *cfg,
         size_t leave_out)
{
	struct gk_group *g;
	enum gk_err err = GK_OK;
	const char *why = NULL;

	gk_assert_ok(gk_group_new(&env, cfg, &g));
	for (size_t t = 0; gk_group_tables[t] != NULL; t++) {
		for (size_t i = 0; err == GK_OK && i < rows_count(rows); i++) {
			struct gk_change c = rows_at(rows, i);

			if (i != leave_out &&
			    strcmp(c.table, gk_group_tables[t]) == 0)
				err = gk_group_load_row(g, c.table, c.key,
				                        c.value, &why);
		}
	}
	if (err == GK_OK)
		err = gk_group_load_done(g, &why);
	/* A refusal says why. */
	if (err == GK_ERR_VALUE)
		assert_true(why != NULL && *why != '\0');
	gk_group_free(g);
	return err;
}

GK_TEST(group, damaged_rows_are_refused)
{
	struct gk_group_config cfg = config(2), other = config(4);
	struct rows *rows = rows_new();
	struct gk_group *g = group_of(2);

	join(g, "a");
	join(g, "b");
	seal(g);
	join(g, "c");
	rows_apply(rows, gk_group_journal(g));
	gk_group_free(g);
	gk_assert_ok(load_all(rows, &cfg, SIZE_MAX));
	gk_assert_err(GK_ERR_VALUE, load_all(rows, &other, SIZE_MAX));
	other = config(0);
	gk_assert_err(GK_ERR_VALUE, load_all(rows, &other, SIZE_MAX));
	for (size_t i = 0; i < rows_count(rows); i++) {
		struct gk_buf whole;

		gk_assert_ok(gk_buf_copy(&whole, rows_at(rows, i).value));
		gk_assert_err(GK_ERR_VALUE, load_all(rows, &cfg, i));
		for (size_t n = 0; n < whole.len; n++) {
			rows_set(rows, i, (struct gk_slice){ whole.ptr, n });
			gk_assert_err(GK_ERR_VALUE,
			              load_all(rows, &cfg, SIZE_MAX));
		}
		rows_set(rows, i, gk_buf_slice(&whole));
		gk_buf_free(&whole);
	}
	gk_assert_ok(load_all(rows, &cfg, SIZE_MAX));
	rows_free(rows);
}

GK_TEST(group, a_hundred_thousand_members_are_found_at_once)
{
	struct gk_group *g = group_of(4);
	struct gk_journal *taken;
	struct gk_member *m;
	char name[32];

	for (uint32_t i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "CN=member %u", i);
		gk_assert_ok(gk_group_join(g, gk_slice_str(name), 2000, &m));
		if (i % 1000 != 0)
			continue;
		gk_assert_ok(gk_journal_take(gk_group_journal(g), &taken));
		gk_journal_free(taken);
	}
	seal(g);
	for (uint32_t i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "CN=member %u", i);
		m = gk_group_find(g, gk_slice_str(name));
		assert_non_null(m);
		assert_ptr_equal(gk_group_find_id(g, m->id), m);
	}
	gk_group_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(group, member_is_found_by_identity_and_by_id),
		GK_RUN(group, everybody_can_leave_during_a_walk),
		GK_RUN(group, oversized_identity_is_refused),
		GK_RUN(group, failing_random_changes_nothing),
		GK_RUN(group,
		       joiner_gets_the_next_key_and_the_seal_makes_it_current),
		GK_RUN(group, leave_and_refresh_make_new_keys),
		GK_RUN(group, traffic_keys_have_ids_of_their_own),
		GK_RUN(rfc4535_7_4_1_1,
		       traffic_keys_and_nodes_never_share_an_id),
		GK_RUN(rfc4535_a_3_1,
		       group_key_may_take_the_roots_id_in_figure_30),
		GK_RUN(rfc4535_5_3_1_3,
		       sequence_stops_below_the_reserved_value),
		GK_RUN(rfc6054,
		       sender_ids_skip_after_a_restart_and_never_repeat),
		GK_RUN(group, handles_do_not_come_back_after_a_restart),
		GK_RUN(group, excluded_identities_and_notes_survive),
		GK_RUN(group, member_state_and_blob_survive),
		GK_RUN(group, restart_after_any_step_changes_nothing),
		GK_RUN(group, damaged_rows_are_refused),
		GK_RUN(group, a_hundred_thousand_members_are_found_at_once),
	};

	return cmocka_run_group_tests_name("common/group", tests, NULL, NULL);
}
