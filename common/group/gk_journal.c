/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_journal.h"

#include <stdlib.h>
#include <string.h>

/* Key and value lie in one allocation, the key first. */
struct entry {
	enum gk_journal_kind kind;
	const char *table;
	uint8_t *octets;
	size_t key_len;
	size_t value_len;
};

struct gk_journal {
	struct gk_buf scope;
	struct entry *entries;
	size_t count, cap;
	bool lost; /* a change that did not fit into memory */
};

enum gk_err
gk_journal_new(struct gk_slice scope, struct gk_journal **out)
{
	struct gk_journal *j;

	*out = NULL;
	if (scope.len > GK_JOURNAL_KEY_MAX)
		return GK_ERR_SPACE;
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return GK_ERR_NOMEM;
	if (gk_buf_copy(&j->scope, scope) != GK_OK) {
		free(j);
		return GK_ERR_NOMEM;
	}
	*out = j;
	return GK_OK;
}

void
gk_journal_free(struct gk_journal *j)
{
	if (j == NULL)
		return;
	gk_journal_clear(j);
	free(j->entries);
	gk_buf_free(&j->scope);
	free(j);
}

static enum gk_err
lose(struct gk_journal *j)
{
	j->lost = true;
	return GK_ERR_NOMEM;
}

void
gk_journal_lose(struct gk_journal *j)
{
	j->lost = true;
}

#define KEEP 4096 /* entries worth keeping room for */

static void
emptied(struct gk_journal *j)
{
	j->count = 0;
	if (j->cap <= KEEP)
		return;
	free(j->entries); /* after a large batch */
	j->entries = NULL;
	j->cap = 0;
}

static enum gk_err
reserve(struct gk_journal *j, size_t count)
{
	size_t cap = j->cap == 0 ? 32 : j->cap;
	struct entry *grown;

	if (count <= j->cap)
		return GK_OK;
	while (cap < count)
		cap *= 2;
	grown = reallocarray(j->entries, cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	j->entries = grown;
	j->cap = cap;
	return GK_OK;
}

static enum gk_err
append(struct gk_journal *j, enum gk_journal_kind kind, const char *table,
       struct gk_slice key, struct gk_slice value)
{
	struct entry e = { kind, table, NULL, key.len, value.len };

	if (j->lost)
		return GK_ERR_NOMEM;
	if (key.len > GK_JOURNAL_KEY_MAX || value.len > GK_JOURNAL_VALUE_MAX)
		return GK_ERR_SPACE;
	if (reserve(j, j->count + 1) != GK_OK)
		return lose(j);
	if (key.len + value.len != 0) {
		e.octets = malloc(key.len + value.len);
		if (e.octets == NULL)
			return lose(j);
	}
	if (key.len != 0)
		memcpy(e.octets, key.ptr, key.len);
	if (value.len != 0)
		memcpy(e.octets + key.len, value.ptr, value.len);
	j->entries[j->count++] = e;
	return GK_OK;
}

enum gk_err
gk_journal_put(struct gk_journal *j, const char *table, struct gk_slice key,
               struct gk_slice value)
{
	return append(j, GK_JOURNAL_PUT, table, key, value);
}

enum gk_err
gk_journal_del(struct gk_journal *j, const char *table, struct gk_slice key)
{
	return append(j, GK_JOURNAL_DEL, table, key,
	              (struct gk_slice){ NULL, 0 });
}

enum gk_err
gk_journal_drop(struct gk_journal *j)
{
	const struct gk_slice none = { NULL, 0 };

	return append(j, GK_JOURNAL_DROP, NULL, none, none);
}

enum gk_err
gk_journal_append(struct gk_journal *to, const struct gk_journal *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct gk_change c = gk_journal_at(from, i);

		GK_TRY(append(to, c.kind, c.table, c.key, c.value));
	}
	return GK_OK;
}

struct gk_slice
gk_journal_scope(const struct gk_journal *j)
{
	return gk_buf_slice(&j->scope);
}

size_t
gk_journal_count(const struct gk_journal *j)
{
	return j->count;
}

struct gk_change
gk_journal_at(const struct gk_journal *j, size_t i)
{
	const struct entry *e = &j->entries[i];

	return (struct gk_change){
		.kind = e->kind,
		.table = e->table,
		.key = { e->octets, e->key_len },
		.value = { e->octets == NULL ? NULL : e->octets + e->key_len,
		           e->value_len },
	};
}

void
gk_journal_clear(struct gk_journal *j)
{
	for (size_t i = 0; i < j->count; i++) {
		struct entry *e = &j->entries[i];

		gk_wipe(e->octets, e->key_len + e->value_len);
		free(e->octets);
	}
	emptied(j);
}

void
gk_journal_revert(struct gk_journal *j)
{
	gk_journal_clear(j);
	j->lost = false;
}

enum gk_err
gk_journal_take(struct gk_journal *j, struct gk_journal **out)
{
	struct gk_journal *taken;

	*out = NULL;
	if (j->lost)
		return GK_ERR_NOMEM;
	if (j->count == 0)
		return GK_OK;
	if (gk_journal_new(gk_journal_scope(j), &taken) != GK_OK)
		return lose(j);
	taken->entries = j->entries;
	taken->count = j->count;
	taken->cap = j->cap;
	j->entries = NULL;
	j->count = 0;
	j->cap = 0;
	*out = taken;
	return GK_OK;
}

enum gk_err
gk_journal_move(struct gk_journal *to, struct gk_journal *from)
{
	if (from->lost || to->lost)
		return GK_ERR_NOMEM;
	if (from->count == 0)
		return GK_OK;
	GK_TRY(reserve(to, to->count + from->count));
	memcpy(to->entries + to->count, from->entries,
	       from->count * sizeof(*from->entries));
	to->count += from->count;
	emptied(from);
	return GK_OK;
}
