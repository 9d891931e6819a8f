/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_index.h"

#include <stdlib.h>

static uint64_t
hash_of(struct gk_slice key)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key.len; i++)
		h = (h ^ key.ptr[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

/* Where @key is, or would be; there is always a free slot. */
static size_t
slot_of(const struct gk_index *index, struct gk_slice key, uint64_t hash)
{
	size_t i = (size_t)hash & (index->cap - 1);

	while (index->slots[i].value != NULL &&
	       (index->slots[i].hash != hash ||
	        !gk_slice_equal(index->slots[i].key, key)))
		i = (i + 1) & (index->cap - 1);
	return i;
}

void *
gk_index_find(const struct gk_index *index, struct gk_slice key)
{
	if (index->count == 0)
		return NULL;
	return index->slots[slot_of(index, key, hash_of(key))].value;
}

static enum gk_err
grow(struct gk_index *index)
{
	struct gk_index old = *index;

	index->cap = old.cap == 0 ? 16 : old.cap * 2;
	index->slots = calloc(index->cap, sizeof(*index->slots));
	if (index->slots == NULL) {
		*index = old;
		return GK_ERR_NOMEM;
	}
	for (size_t i = 0; i < old.cap; i++) {
		const struct gk_index_slot *s = &old.slots[i];

		if (s->value != NULL)
			index->slots[slot_of(index, s->key, s->hash)] = *s;
	}
	free(old.slots);
	return GK_OK;
}

enum gk_err
gk_index_add(struct gk_index *index, struct gk_slice key, void *value)
{
	uint64_t hash = hash_of(key);

	if (index->count * 4 >= index->cap * 3)
		GK_TRY(grow(index));
	index->slots[slot_of(index, key, hash)] =
		(struct gk_index_slot){ key, value, hash };
	index->count++;
	return GK_OK;
}

void *
gk_index_remove(struct gk_index *index, struct gk_slice key)
{
	size_t mask = index->cap - 1, hole, i;
	void *value;

	if (index->count == 0)
		return NULL;
	hole = slot_of(index, key, hash_of(key));
	value = index->slots[hole].value;
	if (value == NULL)
		return NULL;
	/* Close the gap: whoever stands behind it and not yet in front of his
	 * own place moves up. */
	for (i = (hole + 1) & mask; index->slots[i].value != NULL;
	     i = (i + 1) & mask) {
		size_t home = (size_t)index->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		index->slots[hole] = index->slots[i];
		hole = i;
	}
	index->slots[hole] = (struct gk_index_slot){ .value = NULL };
	index->count--;
	return value;
}

void *
gk_index_each(const struct gk_index *index, size_t *cursor)
{
	while (*cursor < index->cap) {
		void *value = index->slots[(*cursor)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}

void
gk_index_free(struct gk_index *index)
{
	free(index->slots);
	*index = (struct gk_index){ 0 };
}
