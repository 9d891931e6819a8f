/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_index.h"
#include "common/group/gk_journal.h"

GK_TEST(journal, keeps_changes_in_order_and_copies_them)
{
	uint8_t key[] = { 1, 2 }, value[] = { 3, 4, 5 };
	struct gk_journal *j;
	struct gk_change c;

	gk_assert_ok(gk_journal_new(gk_slice_str("scope"), &j));
	gk_assert_ok(gk_journal_put(j, "t", (struct gk_slice){ key, 2 },
	                            (struct gk_slice){ value, 3 }));
	gk_assert_ok(gk_journal_del(j, "u", (struct gk_slice){ key, 1 }));
	gk_assert_ok(gk_journal_drop(j));
	key[0] = 9;
	value[0] = 9;
	assert_int_equal(gk_journal_count(j), 3);
	assert_true(gk_slice_equal(gk_journal_scope(j), gk_slice_str("scope")));
	c = gk_journal_at(j, 0);
	assert_int_equal(c.kind, GK_JOURNAL_PUT);
	assert_string_equal(c.table, "t");
	assert_int_equal(c.key.len, 2);
	assert_int_equal(c.key.ptr[0], 1);
	assert_int_equal(c.value.len, 3);
	assert_int_equal(c.value.ptr[0], 3);
	c = gk_journal_at(j, 1);
	assert_int_equal(c.kind, GK_JOURNAL_DEL);
	assert_int_equal(c.key.len, 1);
	assert_int_equal(c.value.len, 0);
	assert_int_equal(gk_journal_at(j, 2).kind, GK_JOURNAL_DROP);
	gk_journal_free(j);
}

/* Whoever made the octets lets go of them before the journal does; and the other
 * way round. */
GK_TEST(journal, shared_values_live_as_long_as_somebody_has_them)
{
	struct gk_shared *shared = gk_shared_new(6), *kept = gk_shared_new(2);
	struct gk_journal *j, *other, *taken;
	struct gk_change c;

	assert_non_null(shared);
	assert_non_null(kept);
	memcpy(shared->octets, "abcdef", 6);
	memcpy(kept->octets, "gh", 2);
	gk_assert_ok(gk_journal_new(gk_slice_str("s"), &j));
	gk_assert_ok(gk_journal_new(gk_slice_str("s"), &other));
	gk_assert_err(GK_ERR_SPACE,
	              gk_journal_put_shared(
			      j, "t", gk_slice_str("k"), shared,
			      (struct gk_slice){ shared->octets,
	                                         GK_JOURNAL_VALUE_MAX + 1 }));
	gk_assert_ok(gk_journal_put_shared(
		j, "t", gk_slice_str("key"), shared,
		(struct gk_slice){ shared->octets + 2, 3 }));
	gk_assert_ok(
		gk_journal_put(j, "t", gk_slice_str("k"), gk_slice_str("v")));
	gk_assert_ok(gk_journal_put_shared(
		j, "u", (struct gk_slice){ NULL, 0 }, kept,
		(struct gk_slice){ kept->octets, 2 }));
	gk_shared_drop(shared);
	gk_assert_ok(gk_journal_append(other, j)); /* copies */
	gk_assert_ok(gk_journal_move(other, j));
	gk_journal_free(j);
	gk_assert_ok(gk_journal_take(other, &taken));
	gk_journal_free(other);
	assert_int_equal(gk_journal_count(taken), 6);
	for (size_t i = 0; i < 6; i += 3) {
		c = gk_journal_at(taken, i);
		assert_true(gk_slice_equal(c.key, gk_slice_str("key")));
		assert_true(gk_slice_equal(c.value, gk_slice_str("cde")));
		c = gk_journal_at(taken, i + 1);
		assert_true(gk_slice_equal(c.value, gk_slice_str("v")));
		c = gk_journal_at(taken, i + 2);
		assert_int_equal(c.key.len, 0);
		assert_true(gk_slice_equal(c.value, gk_slice_str("gh")));
	}
	gk_journal_clear(taken);
	assert_int_equal(gk_journal_count(taken), 0);
	assert_int_equal(atomic_load(&kept->refs), 1);
	assert_memory_equal(kept->octets, "gh", 2);
	gk_journal_free(taken);
	gk_shared_drop(kept);
}

GK_TEST(journal, taking_moves_everything_and_leaves_it_empty)
{
	struct gk_journal *j, *taken;

	gk_assert_ok(gk_journal_new(gk_slice_str("s"), &j));
	gk_assert_ok(gk_journal_take(j, &taken));
	assert_null(taken);
	for (int i = 0; i < 100; i++)
		gk_assert_ok(gk_journal_put(j, "t", gk_slice_str("k"),
		                            gk_slice_str("v")));
	gk_assert_ok(gk_journal_take(j, &taken));
	assert_int_equal(gk_journal_count(taken), 100);
	assert_int_equal(gk_journal_count(j), 0);
	gk_assert_ok(
		gk_journal_put(j, "t", gk_slice_str("k"), gk_slice_str("v")));
	assert_int_equal(gk_journal_count(j), 1);
	assert_int_equal(gk_journal_count(taken), 100);
	gk_journal_free(taken);
	gk_journal_free(j);
}

GK_TEST(journal, oversized_key_or_value_is_refused)
{
	static const uint8_t octet[GK_JOURNAL_KEY_MAX + 1];
	const struct gk_slice key = { octet, sizeof(octet) };
	const struct gk_slice value = { octet, GK_JOURNAL_VALUE_MAX + 1 };
	struct gk_journal *j;

	gk_assert_err(GK_ERR_SPACE, gk_journal_new(key, &j));
	gk_assert_ok(gk_journal_new(gk_slice_str(""), &j));
	gk_assert_err(GK_ERR_SPACE, gk_journal_del(j, "t", key));
	gk_assert_err(GK_ERR_SPACE,
	              gk_journal_put(j, "t", gk_slice_str("k"), value));
	assert_int_equal(gk_journal_count(j), 0);
	gk_journal_free(j);
}

/* Against a plain array, with few names so that chains meet and break. */
GK_TEST(index, finds_what_was_added_and_not_removed)
{
	static char names[64][8];
	bool there[64] = { false };
	struct gk_index index = { 0 };
	uint32_t s = 1;

	for (int i = 0; i < 64; i++)
		snprintf(names[i], sizeof(names[i]), "n%d", i);
	for (int step = 0; step < 20000; step++) {
		uint32_t i;
		void *seen;
		size_t cursor = 0, count = 0;

		s = s * 1664525 + 1013904223;
		i = s >> 26;
		seen = gk_index_find(&index, gk_slice_str(names[i]));
		assert_ptr_equal(seen, there[i] ? names[i] : NULL);
		if (there[i])
			assert_ptr_equal(
				gk_index_remove(&index, gk_slice_str(names[i])),
				names[i]);
		else
			gk_assert_ok(gk_index_add(
				&index, gk_slice_str(names[i]), names[i]));
		there[i] = !there[i];
		if (step % 100 != 0)
			continue;
		while (gk_index_each(&index, &cursor) != NULL)
			count++;
		assert_int_equal(count, index.count);
		for (int k = 0; k < 64; k++) {
			seen = gk_index_find(&index, gk_slice_str(names[k]));
			assert_ptr_equal(seen, there[k] ? names[k] : NULL);
		}
	}
	assert_null(gk_index_remove(&index, gk_slice_str("nobody")));
	gk_index_free(&index);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(journal, keeps_changes_in_order_and_copies_them),
		GK_RUN(journal,
		       shared_values_live_as_long_as_somebody_has_them),
		GK_RUN(journal, taking_moves_everything_and_leaves_it_empty),
		GK_RUN(journal, oversized_key_or_value_is_refused),
		GK_RUN(index, finds_what_was_added_and_not_removed),
	};

	return cmocka_run_group_tests_name("common/group/journal", tests, NULL,
	                                   NULL);
}
