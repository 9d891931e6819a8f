/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group_state.h"

/* Excluded identities and the protocol's notes: octets under a name. */

void
gk_group_item_free(struct gk_group_item *item)
{
	if (item == NULL)
		return;
	gk_buf_free(&item->name);
	gk_buf_free(&item->value);
	free(item);
}

enum gk_err
gk_group_item_put(struct gk_index *index, struct gk_slice name,
                  struct gk_slice value)
{
	struct gk_group_item *item = gk_index_find(index, name);
	struct gk_buf copy;
	enum gk_err err;

	GK_TRY(gk_buf_copy(&copy, value));
	if (item != NULL) {
		gk_buf_free(&item->value);
		item->value = copy;
		return GK_OK;
	}
	item = calloc(1, sizeof(*item));
	if (item == NULL) {
		gk_buf_free(&copy);
		return GK_ERR_NOMEM;
	}
	item->value = copy;
	err = gk_buf_copy(&item->name, name);
	if (err == GK_OK)
		err = gk_index_add(index, gk_buf_slice(&item->name), item);
	if (err != GK_OK)
		gk_group_item_free(item);
	return err;
}

enum gk_err
gk_group_exclude(struct gk_group *g, struct gk_slice identity,
                 struct gk_slice reason)
{
	if (identity.len > GK_GROUP_IDENTITY_MAX ||
	    reason.len > GK_GROUP_BLOB_MAX)
		return GK_ERR_SPACE;
	GK_TRY(gk_journal_put(g->journal, GK_GROUP_TABLE_EXCLUDED, identity,
	                      reason));
	return gk_group_item_put(&g->excluded, identity, reason);
}

enum gk_err
gk_group_readmit(struct gk_group *g, struct gk_slice identity)
{
	struct gk_group_item *item = gk_index_find(&g->excluded, identity);

	if (item == NULL)
		return GK_OK;
	GK_TRY(gk_journal_del(g->journal, GK_GROUP_TABLE_EXCLUDED, identity));
	gk_index_remove(&g->excluded, identity);
	gk_group_item_free(item);
	return GK_OK;
}

bool
gk_group_excluded(const struct gk_group *g, struct gk_slice identity,
                  struct gk_slice *reason)
{
	const struct gk_group_item *item =
		gk_index_find(&g->excluded, identity);

	if (item != NULL && reason != NULL)
		*reason = gk_buf_slice(&item->value);
	return item != NULL;
}

size_t
gk_group_excluded_count(const struct gk_group *g)
{
	return g->excluded.count;
}

bool
gk_group_excluded_each(const struct gk_group *g, size_t *cursor,
                       struct gk_slice *identity)
{
	const struct gk_group_item *item = gk_index_each(&g->excluded, cursor);

	if (item != NULL)
		*identity = gk_buf_slice(&item->name);
	return item != NULL;
}

enum gk_err
gk_group_note_set(struct gk_group *g, const char *name, struct gk_slice value)
{
	struct gk_slice key = gk_slice_str(name);

	if (key.len > GK_GROUP_IDENTITY_MAX || value.len > GK_JOURNAL_VALUE_MAX)
		return GK_ERR_SPACE;
	if (value.len == 0) {
		struct gk_group_item *item = gk_index_find(&g->notes, key);

		if (item == NULL)
			return GK_OK;
		GK_TRY(gk_journal_del(g->journal, GK_GROUP_TABLE_NOTE, key));
		gk_index_remove(&g->notes, key);
		gk_group_item_free(item);
		return GK_OK;
	}
	GK_TRY(gk_journal_put(g->journal, GK_GROUP_TABLE_NOTE, key, value));
	return gk_group_item_put(&g->notes, key, value);
}

struct gk_slice
gk_group_note(const struct gk_group *g, const char *name)
{
	const struct gk_group_item *item =
		gk_index_find(&g->notes, gk_slice_str(name));

	return item == NULL ? (struct gk_slice){ NULL, 0 }
	                    : gk_buf_slice(&item->value);
}

void
gk_group_excluded_names(const struct gk_group *g,
                        void (*each)(void *ctx, const char *identity),
                        void *ctx)
{
	struct gk_slice name;
	size_t cursor = 0;

	while (gk_group_excluded_each(g, &cursor, &name)) {
		char *text = strndup((const char *)name.ptr, name.len);

		if (text != NULL)
			each(ctx, text);
		free(text);
	}
}

static int
by_id(const void *a, const void *b)
{
	const struct gk_member *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

enum gk_err
gk_group_find_several(const struct gk_group *g, const char *const *identities,
                      size_t n, struct gk_member **members)
{
	for (size_t i = 0; i < n; i++) {
		members[i] = gk_group_find(g, gk_slice_str(identities[i]));
		if (members[i] == NULL)
			return GK_ERR_VALUE;
	}
	qsort(members, n, sizeof(*members), by_id);
	for (size_t i = 1; i < n; i++)
		if (members[i] == members[i - 1])
			return GK_ERR_VALUE;
	return GK_OK;
}
