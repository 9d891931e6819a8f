/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_INDEX_H
#define GK_INDEX_H

#include "common/base/gk_base.h"

/*
 * DOC: index - from a string of octets to a pointer, in constant time
 *
 * The octets of a key stay where they are: they belong to the thing found, and
 * must not change while it is in the index.  A zeroed index is empty and valid.
 */
struct gk_index {
	struct gk_index_slot *slots;
	size_t count, cap;
};

struct gk_index_slot {
	struct gk_slice key;
	void *value; /* NULL: the slot is free */
	uint64_t hash;
};

void *gk_index_find(const struct gk_index *index, struct gk_slice key);
/* gk_index_add - @key must not be there yet; @value is not NULL. */
GK_MUST_CHECK enum gk_err gk_index_add(struct gk_index *index,
                                       struct gk_slice key, void *value);
/* gk_index_remove - what was there, or NULL. */
void *gk_index_remove(struct gk_index *index, struct gk_slice key);
/* gk_index_each - all values, in no order: start with *@cursor = 0, NULL at the
 * end.  The index must not change meanwhile. */
void *gk_index_each(const struct gk_index *index, size_t *cursor);
void gk_index_free(struct gk_index *index); /* not what it points to */

#endif /* GK_INDEX_H */
