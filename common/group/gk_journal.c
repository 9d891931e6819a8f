/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_journal.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_pages.h"

/* Key and value lie side by side, the key first; or struct elsewhere and the
 * key. */
struct entry {
	const char *table;
	uint8_t *octets; /* the key */
	uint32_t value_len;
	uint16_t key_len;
	uint8_t kind;
	bool shared;
};

/* Where a shared value is.  Not aligned. */
struct elsewhere {
	struct gk_shared *shared;
	const uint8_t *value;
};

/* A large batch has thousands of small rows: their octets come out of chunks
 * that double in size, and not out of an allocation each. */
#define CHUNK_FIRST 1024
#define CHUNK_LAST (1 << 18)

struct chunk {
	struct chunk *next;
	size_t used, cap;
	uint8_t octets[];
};

struct gk_journal {
	struct gk_buf scope;
	struct entry *entries;
	size_t count, cap;
	size_t shared;        /* of the entries */
	struct chunk *chunks; /* the one that is being filled is the first */
	bool lost;            /* a change that did not fit into memory */
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

#define KEEP 1024 /* entries worth keeping room for */

static void
chunks_free(struct chunk *c)
{
	while (c != NULL) {
		struct chunk *next = c->next;

		gk_wipe(c->octets, c->used);
		free(c);
		c = next;
	}
}

static void
emptied(struct gk_journal *j)
{
	j->count = 0;
	j->shared = 0;
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

/* @n octets that stay where they are until the journal is cleared. */
static uint8_t *
octets_take(struct gk_journal *j, size_t n)
{
	struct chunk *c = j->chunks;
	size_t cap = c == NULL ? CHUNK_FIRST : 2 * c->cap;

	if (c == NULL || c->cap - c->used < n) {
		if (cap > CHUNK_LAST)
			cap = CHUNK_LAST;
		if (cap < n)
			cap = n;
		c = malloc(sizeof(*c) + cap);
		if (c == NULL)
			return NULL;
		gk_pages_get(c, sizeof(*c) + cap);
		*c = (struct chunk){ .next = j->chunks, .cap = cap };
		j->chunks = c;
	}
	c->used += n;
	return c->octets + (c->used - n);
}

/* A change whose value, of @len octets, is still to be written at *@value. */
static enum gk_err
append(struct gk_journal *j, enum gk_journal_kind kind, const char *table,
       struct gk_slice key, size_t len, uint8_t **value)
{
	struct entry e = { .table = table,
		           .value_len = (uint32_t)len,
		           .key_len = (uint16_t)key.len,
		           .kind = (uint8_t)kind };

	if (j->lost)
		return GK_ERR_NOMEM;
	if (key.len > GK_JOURNAL_KEY_MAX || len > GK_JOURNAL_VALUE_MAX)
		return GK_ERR_SPACE;
	if (reserve(j, j->count + 1) != GK_OK)
		return lose(j);
	if (key.len + len != 0) {
		e.octets = octets_take(j, key.len + len);
		if (e.octets == NULL)
			return lose(j);
		*value = e.octets + key.len;
	}
	if (key.len != 0)
		memcpy(e.octets, key.ptr, key.len);
	j->entries[j->count++] = e;
	return GK_OK;
}

enum gk_err
gk_journal_put_room(struct gk_journal *j, const char *table,
                    struct gk_slice key, size_t len, uint8_t **value)
{
	*value = NULL;
	return append(j, GK_JOURNAL_PUT, table, key, len, value);
}

enum gk_err
gk_journal_put(struct gk_journal *j, const char *table, struct gk_slice key,
               struct gk_slice value)
{
	uint8_t *at;

	GK_TRY(gk_journal_put_room(j, table, key, value.len, &at));
	if (value.len != 0)
		memcpy(at, value.ptr, value.len);
	return GK_OK;
}

enum gk_err
gk_journal_put_shared(struct gk_journal *j, const char *table,
                      struct gk_slice key, struct gk_shared *shared,
                      struct gk_slice value)
{
	struct elsewhere at = { shared, value.ptr };
	struct entry *e;
	uint8_t *unused;

	if (value.len > GK_JOURNAL_VALUE_MAX || key.len > GK_JOURNAL_KEY_MAX)
		return GK_ERR_SPACE;
	/* With the key as value of an entry whose key says where it is. */
	GK_TRY(append(j, GK_JOURNAL_PUT, table,
	              (struct gk_slice){ (const uint8_t *)&at, sizeof(at) },
	              key.len, &unused));
	e = &j->entries[j->count - 1];
	e->octets += sizeof(at);
	if (key.len != 0)
		memcpy(e->octets, key.ptr, key.len);
	e->key_len = (uint16_t)key.len;
	e->value_len = (uint32_t)value.len;
	e->shared = true;
	j->shared++;
	gk_shared_ref(shared);
	return GK_OK;
}

static struct elsewhere
elsewhere(const struct entry *e)
{
	struct elsewhere at;

	memcpy(&at, e->octets - sizeof(at), sizeof(at));
	return at;
}

enum gk_err
gk_journal_del(struct gk_journal *j, const char *table, struct gk_slice key)
{
	uint8_t *at;

	return append(j, GK_JOURNAL_DEL, table, key, 0, &at);
}

enum gk_err
gk_journal_drop(struct gk_journal *j)
{
	uint8_t *at;

	return append(j, GK_JOURNAL_DROP, NULL, (struct gk_slice){ 0 }, 0, &at);
}

enum gk_err
gk_journal_append(struct gk_journal *to, const struct gk_journal *from)
{
	for (size_t i = 0; i < from->count; i++) {
		struct gk_change c = gk_journal_at(from, i);

		uint8_t *at;

		GK_TRY(append(to, c.kind, c.table, c.key, c.value.len, &at));
		if (c.value.len != 0)
			memcpy(at, c.value.ptr, c.value.len);
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
	struct gk_change c = {
		.kind = e->kind,
		.table = e->table,
		.key = { e->octets, e->key_len },
		.value = { NULL, e->value_len },
	};

	if (e->shared)
		c.value.ptr = elsewhere(e).value;
	else if (e->octets != NULL)
		c.value.ptr = e->octets + e->key_len;
	return c;
}

void
gk_journal_clear(struct gk_journal *j)
{
	for (size_t i = 0; i < j->count && j->shared != 0; i++) {
		if (!j->entries[i].shared)
			continue;
		gk_shared_drop(elsewhere(&j->entries[i]).shared);
		j->shared--;
	}
	chunks_free(j->chunks);
	j->chunks = NULL;
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
	taken->shared = j->shared;
	taken->chunks = j->chunks;
	j->entries = NULL;
	j->count = 0;
	j->cap = 0;
	j->shared = 0;
	j->chunks = NULL;
	*out = taken;
	return GK_OK;
}

/* Those of a large batch are not copied where there is nothing before them. */
static enum gk_err
entries_move(struct gk_journal *to, struct gk_journal *from)
{
	struct entry *entries = to->entries;
	size_t cap = to->cap;

	if (to->count != 0) {
		GK_TRY(reserve(to, to->count + from->count));
		memcpy(to->entries + to->count, from->entries,
		       from->count * sizeof(*from->entries));
		to->count += from->count;
		return GK_OK;
	}
	to->entries = from->entries;
	to->cap = from->cap;
	to->count = from->count;
	from->entries = entries;
	from->cap = cap;
	return GK_OK;
}

enum gk_err
gk_journal_move(struct gk_journal *to, struct gk_journal *from)
{
	struct chunk **at;

	if (from->lost || to->lost)
		return GK_ERR_NOMEM;
	if (from->count == 0)
		return GK_OK;
	GK_TRY(entries_move(to, from));
	to->shared += from->shared;
	for (at = &to->chunks; *at != NULL; at = &(*at)->next)
		continue;
	*at = from->chunks;
	from->chunks = NULL;
	emptied(from);
	return GK_OK;
}
