/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/tests/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/test/gk_need.h"

struct row {
	const char *table;
	struct gk_buf key, value;
};

struct rows {
	struct row *row;
	size_t count, cap;
};

struct rows *
rows_new(void)
{
	return gk_need_memory(calloc(1, sizeof(struct rows)));
}

static void
row_free(struct row *row)
{
	gk_buf_free(&row->key);
	gk_buf_free(&row->value);
}

static void
clear(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		row_free(&rows->row[i]);
	rows->count = 0;
}

void
rows_free(struct rows *rows)
{
	clear(rows);
	free(rows->row);
	free(rows);
}

static int
compare(const struct row *row, const struct gk_change *c)
{
	size_t n = row->key.len < c->key.len ? row->key.len : c->key.len;
	int d = strcmp(row->table, c->table);

	if (d == 0 && n != 0)
		d = memcmp(row->key.ptr, c->key.ptr, n);
	if (d == 0)
		d = (row->key.len > n) - (c->key.len > n);
	return d;
}

/* Where the row is, or would be. */
static size_t
find(const struct rows *rows, const struct gk_change *c, bool *found)
{
	size_t low = 0, high = rows->count;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = compare(&rows->row[mid], c);

		*found |= d == 0;
		if (d < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void
put(struct rows *rows, const struct gk_change *c)
{
	bool found;
	size_t i = find(rows, c, &found);

	if (!found) {
		if (rows->count == rows->cap) {
			rows->cap = rows->cap == 0 ? 64 : rows->cap * 2;
			rows->row = gk_need_memory(reallocarray(
				rows->row, rows->cap, sizeof(*rows->row)));
		}
		memmove(&rows->row[i + 1], &rows->row[i],
		        (rows->count++ - i) * sizeof(*rows->row));
		rows->row[i] = (struct row){ .table = c->table };
		if (gk_buf_copy(&rows->row[i].key, c->key) != GK_OK)
			abort();
	}
	rows_set(rows, i, c->value);
}

void
rows_apply(struct rows *rows, struct gk_journal *journal)
{
	for (size_t n = 0; n < gk_journal_count(journal); n++) {
		struct gk_change c = gk_journal_at(journal, n);
		bool found;
		size_t i;

		if (c.kind == GK_JOURNAL_DROP) {
			clear(rows);
			continue;
		}
		if (c.kind == GK_JOURNAL_PUT) {
			put(rows, &c);
			continue;
		}
		i = find(rows, &c, &found);
		if (!found)
			continue;
		row_free(&rows->row[i]);
		memmove(&rows->row[i], &rows->row[i + 1],
		        (--rows->count - i) * sizeof(*rows->row));
	}
	gk_journal_clear(journal);
}

size_t
rows_count(const struct rows *rows)
{
	return rows->count;
}

struct gk_change
rows_at(const struct rows *rows, size_t i)
{
	const struct row *row = &rows->row[i];

	return (struct gk_change){ .kind = GK_JOURNAL_PUT,
		                   .table = row->table,
		                   .key = gk_buf_slice(&row->key),
		                   .value = gk_buf_slice(&row->value) };
}

void
rows_set(struct rows *rows, size_t i, struct gk_slice value)
{
	struct gk_buf copy;

	if (gk_buf_copy(&copy, value) != GK_OK)
		abort();
	gk_buf_free(&rows->row[i].value);
	rows->row[i].value = copy;
}

bool
rows_equal(const struct rows *a, const struct rows *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		struct gk_change c = rows_at(b, i);

		if (compare(&a->row[i], &c) != 0 ||
		    !gk_slice_equal(gk_buf_slice(&a->row[i].value), c.value))
			return false;
	}
	return true;
}
