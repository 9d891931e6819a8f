/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/gk_store_log.h"

/*
 * Which entry of the log has the newest change of a row.  There may be tens of
 * thousands: a row is its key and some fifteen octets, and six of slots.
 */

/* ---- names -------------------------------------------------------------- */

bool
gk_store_index_scope(const struct gk_store_log *log, struct gk_slice scope,
                     uint16_t *number)
{
	/* Most often it is the last one. */
	for (size_t i = log->scope_count; i-- > 0;) {
		*number = (uint16_t)i;
		if (gk_slice_equal(gk_buf_slice(&log->scopes[i]), scope))
			return true;
	}
	return false;
}

enum gk_err
gk_store_index_scope_add(struct gk_store_log *log, struct gk_slice scope,
                         uint16_t *number)
{
	struct gk_buf *grown;

	if (gk_store_index_scope(log, scope, number))
		return GK_OK;
	if (log->scope_count == GK_STORE_LOG_SCOPES)
		return GK_ERR_SPACE;
	grown = reallocarray(log->scopes, log->scope_count + 1, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	log->scopes = grown;
	GK_TRY(gk_buf_copy(&grown[log->scope_count], scope));
	*number = (uint16_t)log->scope_count++;
	return GK_OK;
}

bool
gk_store_index_table(const struct gk_store_log *log, struct gk_slice table,
                     uint8_t *number)
{
	for (size_t i = 0; i < log->table_count; i++) {
		*number = (uint8_t)i;
		if (gk_slice_equal(gk_slice_str(log->tables[i]), table))
			return true;
	}
	return false;
}

static enum gk_err
table_number(struct gk_store_log *log, struct gk_slice table, uint8_t *number)
{
	char **grown, *copy;

	if (gk_store_index_table(log, table, number))
		return GK_OK;
	if (log->table_count == GK_STORE_LOG_TABLES)
		return GK_ERR_SPACE;
	grown = reallocarray(log->tables, log->table_count + 1, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	log->tables = grown;
	copy = strndup((const char *)table.ptr, table.len);
	if (copy == NULL)
		return GK_ERR_NOMEM;
	grown[log->table_count] = copy;
	*number = (uint8_t)log->table_count++;
	return GK_OK;
}

/* ---- the index ---------------------------------------------------------- */

static uint32_t
hash_of(uint16_t scope, uint8_t table, struct gk_slice key)
{
	uint64_t h = 0xcbf29ce484222325u;

	h = (h ^ scope) * 0x100000001b3u;
	h = (h ^ table) * 0x100000001b3u;
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ key.ptr[i]) * 0x100000001b3u;
	return (uint32_t)(h ^ h >> 32);
}

static struct gk_store_log_row *
row_at(const struct gk_store_log *log, uint32_t slot)
{
	return (struct gk_store_log_row *)(void *)(log->rows +
	                                           (size_t)(slot - 1) * 4);
}

/* ... and the other way round. */
static uint32_t
slot_at(size_t octets)
{
	return (uint32_t)(octets / 4) + 1;
}

static size_t
row_size(size_t key_len)
{
	return (offsetof(struct gk_store_log_row, key) + key_len + 3) &
	       ~(size_t)3;
}

/* The slot where such a row is, or would be; there is always a free one. */
static uint32_t *
slot_of(const struct gk_store_log *log, uint32_t hash, uint16_t scope,
        uint8_t table, struct gk_slice key)
{
	size_t mask = log->slot_cap - 1, i = hash & mask;

	for (; log->slots[i] != 0; i = (i + 1) & mask) {
		const struct gk_store_log_row *r = row_at(log, log->slots[i]);

		if (r->hash == hash && r->scope == scope && r->table == table &&
		    gk_slice_equal((struct gk_slice){ r->key, r->key_len },
		                   key))
			break;
	}
	return &log->slots[i];
}

static enum gk_err
index_grow(struct gk_store_log *log)
{
	size_t cap = log->slot_cap == 0 ? 64 : log->slot_cap * 2;
	uint32_t *grown, *old = log->slots;
	size_t old_cap = log->slot_cap;

	if ((log->count + 1) * 4 <= log->slot_cap * 3)
		return GK_OK;
	grown = calloc(cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < old_cap; i++) {
		size_t at;

		if (old[i] == 0)
			continue;
		at = row_at(log, old[i])->hash & (cap - 1);
		while (grown[at] != 0)
			at = (at + 1) & (cap - 1);
		grown[at] = old[i];
	}
	log->slots = grown;
	log->slot_cap = cap;
	free(old);
	return GK_OK;
}

static enum gk_err
row_new(struct gk_store_log *log, size_t key_len, struct gk_store_log_row **row)
{
	size_t size = row_size(key_len);
	size_t cap = log->rows_cap == 0 ? 4096 : log->rows_cap;
	uint8_t *grown;

	while (cap - log->rows_used < size)
		cap *= 2;
	if (cap != log->rows_cap) {
		grown = realloc(log->rows, cap); /* names of rows, no secrets */
		if (grown == NULL)
			return GK_ERR_NOMEM;
		log->rows = grown;
		log->rows_cap = cap;
	}
	*row = (struct gk_store_log_row *)(void *)(log->rows + log->rows_used);
	log->rows_used += size;
	return GK_OK;
}

enum gk_err
gk_store_index_note(struct gk_store_log *log, uint16_t scope,
                    struct gk_slice table, struct gk_slice key, uint32_t seq)
{
	struct gk_store_log_row *row;
	uint32_t hash, *slot;
	uint8_t number;

	GK_TRY(table_number(log, table, &number));
	GK_TRY(index_grow(log));
	hash = hash_of(scope, number, key);
	slot = slot_of(log, hash, scope, number, key);
	if (*slot != 0) {
		row_at(log, *slot)->seq = seq;
		return GK_OK;
	}
	GK_TRY(row_new(log, key.len, &row));
	row->hash = hash;
	row->seq = seq;
	row->scope = scope;
	row->key_len = (uint16_t)key.len;
	row->table = number;
	if (key.len != 0)
		memcpy(row->key, key.ptr, key.len);
	*slot = slot_at((size_t)((uint8_t *)row - log->rows));
	log->count++;
	return GK_OK;
}

void
gk_store_index_clear(struct gk_store_log *log)
{
	free(log->rows);
	free(log->slots);
	for (size_t i = 0; i < log->scope_count; i++)
		gk_buf_free(&log->scopes[i]);
	free(log->scopes);
	for (size_t i = 0; i < log->table_count; i++)
		free(log->tables[i]);
	free(log->tables);
	log->rows = NULL;
	log->rows_used = log->rows_cap = 0;
	log->slots = NULL;
	log->count = log->slot_cap = 0;
	log->scopes = NULL;
	log->scope_count = 0;
	log->tables = NULL;
	log->table_count = 0;
	log->octets = 0;
	log->seq = 0;
}

uint32_t
gk_store_index_find(const struct gk_store_log *log, uint16_t scope,
                    uint8_t table, struct gk_slice key)
{
	if (log->count == 0)
		return 0;
	return *slot_of(log, hash_of(scope, table, key), scope, table, key);
}

const struct gk_store_log_row *
gk_store_index_row(const struct gk_store_log *log, uint32_t place)
{
	return row_at(log, place);
}

/* What stays moves to the front, in place. */
void
gk_store_index_forget(struct gk_store_log *log, uint32_t seq)
{
	size_t mask = log->slot_cap - 1, used = 0, size;

	if (log->count == 0)
		return;
	memset(log->slots, 0, log->slot_cap * sizeof(*log->slots));
	log->count = 0;
	for (size_t at = 0; at < log->rows_used; at += size) {
		struct gk_store_log_row *r = row_at(log, slot_at(at));
		size_t i = r->hash & mask;

		size = row_size(r->key_len);
		if (r->seq <= seq)
			continue;
		if (used != at)
			memmove(log->rows + used, r, size);
		while (log->slots[i] != 0)
			i = (i + 1) & mask;
		log->slots[i] = slot_at(used);
		used += size;
		log->count++;
	}
	log->rows_used = used;
}
