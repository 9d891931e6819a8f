/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/group/gk_journal.h"

static struct world_row *
row_find(struct world_store *s, const char *table, struct gk_slice key)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->row[i].table, table) == 0 &&
		    gk_slice_equal(gk_buf_slice(&s->row[i].key), key))
			return &s->row[i];
	return NULL;
}

static void
row_drop(struct world_store *s, struct world_row *r)
{
	free(r->table);
	gk_buf_free(&r->key);
	gk_buf_free(&r->value);
	*r = s->row[--s->n];
}

static void
row_put(struct world_store *s, const struct gk_change *c)
{
	struct world_row *r = row_find(s, c->table, c->key);

	if (r == NULL) {
		if (s->n == s->cap) {
			s->cap = s->cap == 0 ? 32 : s->cap * 2;
			s->row = reallocarray(s->row, s->cap, sizeof(*s->row));
		}
		r = &s->row[s->n++];
		*r = (struct world_row){ .table = strdup(c->table) };
		WORLD_MUST(gk_buf_copy(&r->key, c->key));
	}
	gk_buf_free(&r->value);
	WORLD_MUST(gk_buf_copy(&r->value, c->value));
}

enum gk_err
world_store_read(void *ctx, struct gk_slice scope, const char *table,
                 struct gk_slice key, struct gk_buf *value)
{
	struct world_store *s = ctx;
	const struct world_row *r = row_find(s, table, key);

	(void)scope;
	if (s->broken)
		return GK_ERR_IO;
	if (r == NULL)
		return GK_ERR_UNEXPECTED;
	return gk_buf_copy(value, gk_buf_slice(&r->value));
}

void
world_store_clear(struct world_store *s)
{
	while (s->n > 0)
		row_drop(s, &s->row[0]);
	free(s->row);
	*s = (struct world_store){ 0 };
}

static int
by_table_and_key(const void *one, const void *other)
{
	const struct world_row *a = one, *b = other;
	size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
	int d = strcmp(a->table, b->table);

	if (d == 0 && n != 0)
		d = memcmp(a->key.ptr, b->key.ptr, n);
	if (d == 0)
		d = (a->key.len > b->key.len) - (a->key.len < b->key.len);
	return d;
}

void
world_store_sort(struct world_store *s)
{
	if (s->n > 1)
		qsort(s->row, s->n, sizeof(*s->row), by_table_and_key);
}

bool
world_store_ok(struct world_store *s)
{
	bool ok = !s->broken && s->fail_in != 1;

	s->commits++;
	s->failed += !ok;
	if (s->fail_in > 0)
		s->fail_in--;
	return ok;
}

void
world_store_apply(struct world_store *s, const struct gk_journal *journal)
{
	for (size_t i = 0; i < gk_journal_count(journal); i++) {
		struct gk_change c = gk_journal_at(journal, i);
		struct world_row *r;

		if (c.kind == GK_JOURNAL_PUT) {
			row_put(s, &c);
		} else if (c.kind == GK_JOURNAL_DEL) {
			r = row_find(s, c.table, c.key);
			if (r != NULL)
				row_drop(s, r);
		} else {
			while (s->n > 0)
				row_drop(s, &s->row[0]);
		}
	}
}

bool
world_store_commit(struct world_store *s, const struct gsakmp_output *out)
{
	struct gk_commits *commits = gsakmp_group_commits(out->group);
	const struct gk_journal *j = gk_commits_begin(commits, out->ticket);
	bool ok;

	if (j == NULL)
		return gk_commits_done(commits, out->ticket);
	ok = world_store_ok(s);
	if (ok)
		world_store_apply(s, j);
	gk_commits_end(commits, ok);
	return ok;
}
