/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "common/group/gk_row.h"
#include "common/lkh/gk_lkh_tree.h"

/*
 * DOC: the hierarchy as rows
 *
 *     lkh_head   one row: what must match the configuration, then the epoch
 *     lkh_tree   by number: first id, first seat, height; one per tree
 *     lkh_node   by key id: the key, and what the open epoch did to it
 *
 * A node without members keeps its row, because its handle must not come back,
 * or, when the hierarchy shrinks, leaves it to a floor in the head.
 * Member counts are not stored: a leaf that has a key is a member.
 */
#define HEAD "lkh_head"
#define TREE "lkh_tree"
#define NODE "lkh_node"

const char *const gk_lkh_tables[] = { HEAD, TREE, NODE, NULL };

#define BYPASSED 2  /* beside 1, has a key */
#define FLOOR 2     /* beside open, or not */
#define ROW_MAX 256 /* octets; the largest is a node with an old key */

/* What a restart may not change: ids, seats and key lengths hang on it. */
static void
put_config(const struct gk_lkh *lkh, struct gk_wr *wr)
{
	gk_wr_u16(wr, (uint16_t)lkh->cfg.degree);
	gk_wr_u8(wr, (uint8_t)lkh->cfg.key_len);
	gk_wr_u8(wr, lkh->cfg.plain);
	gk_wr_u32(wr, lkh->cfg.capacity);
	gk_wr_u32(wr, lkh->cfg.first_id);
	gk_wr_u32(wr, lkh->cfg.last_id);
}

#define CONFIG_LEN 16

static enum gk_err
save_head(struct gk_lkh *lkh, struct gk_journal *journal)
{
	bool floor = lkh->floor_handle != 0; /* it has shrunk before */
	uint8_t row[ROW_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	put_config(lkh, &wr);
	gk_wr_u32(&wr, lkh->first_id);
	gk_wr_u32(&wr, lkh->last_id);
	gk_wr_u32(&wr, lkh->epoch);
	gk_wr_u8(&wr, (uint8_t)(lkh->open | (floor ? FLOOR : 0)));
	gk_wr_u8(&wr, lkh->group_due);
	gk_row_wr_u64(&wr, lkh->clock);
	gk_row_wr_u64(&wr, lkh->group_made);
	gk_row_wr_u64(&wr, lkh->group_version);
	if (floor) {
		gk_wr_u32(&wr, lkh->floor_handle);
		gk_row_wr_u64(&wr, (uint64_t)lkh->floor_created);
	}
	return gk_row_put(journal, HEAD, (struct gk_slice){ NULL, 0 }, &wr);
}

static enum gk_err
save_tree(struct gk_lkh *lkh, uint32_t i, struct gk_journal *journal)
{
	const struct gk_lkh_block *b = &lkh->blocks[i];
	uint8_t row[ROW_MAX], key[4];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, b->first_id);
	gk_wr_u32(&wr, b->first_seat);
	gk_wr_u32(&wr, b->height);
	return gk_row_put(journal, TREE, gk_row_key(i, key), &wr);
}

static enum gk_err
save_node(const struct gk_lkh *lkh, struct gk_lkh_at at,
          struct gk_journal *journal)
{
	const struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);
	const struct gk_lkh_old *old =
		mark != NULL ? gk_lkh_old_of(lkh, mark) : NULL;
	bool keyed = node->keyed;
	uint8_t row[ROW_MAX], key[4];
	struct gk_slice name =
		gk_row_key(lkh->blocks[at.block].first_id + at.node, key);
	struct gk_wr wr;

	/* The root of a plain tree has a row without ever having a key. */
	if (node->handle == 0 && mark == NULL &&
	    !gk_lkh_is_rootless(lkh, at.node))
		return gk_journal_del(journal, NODE, name);
	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, node->handle);
	gk_row_wr_u64(&wr, (uint64_t)node->created);
	gk_row_wr_u64(&wr, (uint64_t)gk_lkh_node_expires(node));
	gk_wr_u8(&wr, (uint8_t)(keyed | (node->bypassed ? BYPASSED : 0)));
	if (keyed)
		gk_wr_bytes(&wr, (struct gk_slice){ gk_lkh_octets_at(lkh, at),
		                                    lkh->cfg.key_len });
	gk_wr_u8(&wr, mark != NULL);
	if (mark != NULL) {
		gk_wr_u8(&wr, (uint8_t)mark->flags);
		gk_row_wr_u64(&wr, mark->since);
		gk_row_wr_u64(&wr, mark->made);
		gk_wr_u8(&wr, old != NULL);
	}
	if (old != NULL) {
		gk_wr_u32(&wr, old->handle);
		gk_row_wr_u64(&wr, (uint64_t)old->created);
		gk_row_wr_u64(&wr, (uint64_t)old->expires);
		gk_wr_bytes(&wr,
		            (struct gk_slice){ old->octets, lkh->cfg.key_len });
	}
	return gk_row_put(journal, NODE, name, &wr);
}

/* Those that are new, and those that were cut down. */
static enum gk_err
save_trees(struct gk_lkh *lkh, struct gk_journal *journal)
{
	uint8_t key[4];

	while (lkh->blocks_stored > lkh->block_count)
		GK_TRY(gk_journal_del(journal, TREE,
		                      gk_row_key(--lkh->blocks_stored, key)));
	for (; lkh->blocks_saved < lkh->block_count; lkh->blocks_saved++)
		GK_TRY(save_tree(lkh, lkh->blocks_saved, journal));
	lkh->blocks_stored = lkh->blocks_saved;
	return GK_OK;
}

#define WARM_AHEAD 12 /* nodes */

enum gk_err
gk_lkh_save(struct gk_lkh *lkh, struct gk_journal *journal)
{
	if (lkh->head_dirty)
		GK_TRY(save_head(lkh, journal));
	lkh->head_dirty = false;
	GK_TRY(save_trees(lkh, journal));
	for (; lkh->dirty_count > 0; lkh->dirty_count--) {
		struct gk_lkh_at at = lkh->dirty[lkh->dirty_count - 1];

		if (lkh->dirty_count > WARM_AHEAD)
			gk_lkh_warm(
				lkh,
				lkh->dirty[lkh->dirty_count - 1 - WARM_AHEAD],
				1);
		GK_TRY(save_node(lkh, at, journal));
		gk_lkh_node_at(lkh, at)->dirty = false;
		lkh->blocks[at.block].dirty--;
	}
	if (lkh->dirty_cap > GK_LKH_KEEP) {
		free(lkh->dirty);
		lkh->dirty = NULL;
		lkh->dirty_cap = 0;
	}
	return GK_OK;
}

enum gk_err
gk_lkh_export(const struct gk_lkh *lkh, struct gk_journal *journal)
{
	struct gk_lkh whole = *lkh;

	GK_TRY(save_head(&whole, journal));
	for (uint32_t b = 0; b < lkh->block_count; b++) {
		GK_TRY(save_tree(&whole, b, journal));
		for (uint32_t n = 0; n < lkh->blocks[b].nodes; n++) {
			const struct gk_lkh_node *node =
				gk_lkh_node_of(lkh, &lkh->blocks[b], n);

			if (node->handle == 0 && node->mark == 0)
				continue;
			GK_TRY(save_node(lkh, (struct gk_lkh_at){ b, n },
			                 journal));
		}
	}
	return GK_OK;
}

static enum gk_err
load_head(struct gk_lkh *lkh, struct gk_slice value, const char **why)
{
	uint8_t want[CONFIG_LEN];
	struct gk_slice config;
	uint8_t open, due;
	struct gk_rd rd;
	struct gk_wr wr;

	gk_wr_init(&wr, want, sizeof(want));
	put_config(lkh, &wr);
	gk_rd_init(&rd, value.ptr, value.len);
	config = gk_rd_bytes(&rd, CONFIG_LEN, "configuration");
	lkh->first_id = gk_rd_u32(&rd, "first id");
	lkh->last_id = gk_rd_u32(&rd, "last id");
	lkh->epoch = gk_rd_u32(&rd, "epoch");
	open = gk_rd_u8(&rd, "open");
	due = gk_rd_u8(&rd, "group key due");
	lkh->clock = gk_row_rd_u64(&rd, "clock");
	lkh->group_made = gk_row_rd_u64(&rd, "group key made");
	lkh->group_version = gk_row_rd_u64(&rd, "group key version");
	if (open & FLOOR) {
		lkh->floor_handle = gk_rd_u32(&rd, "handles given back");
		lkh->floor_created =
			(int64_t)gk_row_rd_u64(&rd, "dates given back");
	}
	if (gk_rd_done(&rd) != GK_OK)
		return gk_row_refuse(why,
		                     "malformed head of the key hierarchy");
	if (!gk_slice_equal(config, (struct gk_slice){ want, sizeof(want) }))
		return gk_row_refuse(
			why, "the key hierarchy was made with another degree, "
			     "key length, size or id range");
	if (lkh->first_id < lkh->cfg.first_id ||
	    lkh->last_id > lkh->cfg.last_id || lkh->block_count != 0 ||
	    lkh->epoch == 0 || (open & ~FLOOR) > 1 || due > (open & 1) ||
	    lkh->group_made > lkh->clock || lkh->clock > UINT64_MAX / 2 ||
	    ((open & FLOOR) && lkh->floor_handle == 0) ||
	    lkh->floor_created < GK_UTC_MIN || lkh->floor_created > GK_UTC_MAX)
		return gk_row_refuse(why,
		                     "impossible head of the key hierarchy");
	lkh->open = open & 1;
	lkh->group_due = due;
	lkh->head_dirty = false;
	return GK_OK;
}

static enum gk_err
load_tree(struct gk_lkh *lkh, struct gk_slice key, struct gk_slice value,
          const char **why)
{
	struct gk_lkh_block shape;
	uint8_t number[4];
	struct gk_rd rd;
	bool fits;

	gk_rd_init(&rd, value.ptr, value.len);
	if (!gk_slice_equal(key, gk_row_key(lkh->block_count, number)) ||
	    gk_lkh_shape(lkh, &shape) != GK_OK)
		return gk_row_refuse(why,
		                     "a tree of keys that cannot be there");
	/* Nothing is free to choose: the configuration says it all. */
	fits = gk_rd_u32(&rd, "first id") == shape.first_id;
	fits &= gk_rd_u32(&rd, "first seat") == shape.first_seat;
	fits &= gk_rd_u32(&rd, "height") == shape.height;
	if (gk_rd_done(&rd) != GK_OK || !fits)
		return gk_row_refuse(why, "a tree of keys of the wrong shape");
	GK_TRY(gk_lkh_plant(lkh, &shape));
	lkh->blocks_saved = lkh->blocks_stored = lkh->block_count;
	return GK_OK;
}

static enum gk_err
load_mark(struct gk_lkh *lkh, struct gk_lkh_at at, struct gk_rd *rd,
          const char **why)
{
	const uint8_t all =
		GK_LKH_MADE | GK_LKH_LEFT | GK_LKH_SEATED | GK_LKH_BACK;
	struct gk_lkh_mark *mark;
	struct gk_lkh_old *old;
	struct gk_slice octets;
	uint8_t flags, has_old;

	GK_TRY(gk_lkh_reserve(lkh, 1));
	mark = gk_lkh_mark_get(lkh, at);
	flags = gk_rd_u8(rd, "mark");
	mark->flags = flags & 15U;
	mark->since = gk_row_rd_u64(rd, "since");
	mark->made = gk_row_rd_u64(rd, "made");
	has_old = gk_rd_u8(rd, "old key");
	if ((flags | all) != all || has_old > 1 || !lkh->open ||
	    mark->since > lkh->clock || mark->made > lkh->clock)
		return gk_row_refuse(
			why, "impossible mark on a node of the key hierarchy");
	if (!has_old)
		return GK_OK;
	old = gk_lkh_old_new(lkh, mark);
	old->handle = gk_rd_u32(rd, "old handle");
	old->created = (int64_t)gk_row_rd_u64(rd, "old created");
	old->expires = (int64_t)gk_row_rd_u64(rd, "old expires");
	octets = gk_rd_bytes(rd, lkh->cfg.key_len, "old key");
	if (octets.len == lkh->cfg.key_len)
		memcpy(old->octets, octets.ptr, octets.len);
	return GK_OK;
}

static uint32_t
life_of(int64_t created, int64_t expires)
{
	if (created < GK_UTC_MIN || expires <= created)
		return 0; /* never had a key, or is refused below */
	if (expires >= GK_UTC_MAX || expires - created >= GK_LKH_FOREVER)
		return GK_LKH_FOREVER;
	return (uint32_t)(expires - created);
}

static enum gk_err
load_node(struct gk_lkh *lkh, struct gk_slice key, struct gk_slice value,
          const char **why)
{
	struct gk_lkh_node *node;
	struct gk_slice octets;
	uint8_t keyed, marked;
	int64_t expires;
	struct gk_lkh_at at;
	struct gk_rd rd;

	gk_rd_init(&rd, key.ptr, key.len);
	if (!gk_lkh_find_id(lkh, gk_rd_u32(&rd, "key id"), &at) ||
	    gk_rd_done(&rd) != GK_OK)
		return gk_row_refuse(why, "a key id that is in no tree");
	node = gk_lkh_node_at(lkh, at);
	if (node->handle != 0 || node->mark != 0)
		return gk_row_refuse(why, "a key id that is there twice");
	gk_rd_init(&rd, value.ptr, value.len);
	node->handle = gk_rd_u32(&rd, "handle");
	node->created = (int64_t)gk_row_rd_u64(&rd, "created");
	expires = (int64_t)gk_row_rd_u64(&rd, "expires");
	node->life = life_of(node->created, expires);
	if (node->handle != 0) {
		lkh->used++;
		lkh->blocks[at.block].used++;
	}
	keyed = gk_rd_u8(&rd, "keyed");
	if ((keyed > 1 && keyed != (1 | BYPASSED)) ||
	    (keyed && gk_lkh_is_rootless(lkh, at.node)))
		return gk_row_refuse(why,
		                     "malformed node of the key hierarchy");
	if (keyed) {
		octets = gk_rd_bytes(&rd, lkh->cfg.key_len, "key");
		if (octets.len != lkh->cfg.key_len)
			return gk_row_refuse(
				why, "malformed node of the key hierarchy");
		if (node->handle == 0 || node->created < GK_UTC_MIN ||
		    node->created > GK_UTC_MAX || expires > GK_UTC_MAX ||
		    expires <= node->created)
			return gk_row_refuse(
				why, "impossible dates or handle of a key");
		memcpy(gk_lkh_octets_at(lkh, at), octets.ptr, octets.len);
		node->keyed = true;
		lkh->keyed++;
		node->bypassed = keyed != 1;
		lkh->bypassed += node->bypassed;
		gk_lkh_expires_at(lkh, gk_lkh_node_expires(node));
	}
	marked = gk_rd_u8(&rd, "marked");
	if (marked > 1)
		return gk_row_refuse(why,
		                     "malformed node of the key hierarchy");
	if (marked)
		GK_TRY(load_mark(lkh, at, &rd, why));
	if (gk_rd_done(&rd) != GK_OK)
		return gk_row_refuse(why,
		                     "malformed node of the key hierarchy");
	return GK_OK;
}

enum gk_err
gk_lkh_load_row(struct gk_lkh *lkh, const char *table, struct gk_slice key,
                struct gk_slice value, const char **why)
{
	*why = "";
	if (strcmp(table, HEAD) == 0)
		return key.len == 0
		               ? load_head(lkh, value, why)
		               : gk_row_refuse(why, "a second head of the key "
		                                    "hierarchy");
	if (strcmp(table, TREE) == 0)
		return load_tree(lkh, key, value, why);
	if (strcmp(table, NODE) == 0)
		return load_node(lkh, key, value, why);
	return gk_row_refuse(why, "a table that is not the key hierarchy's");
}

/* Add up a node from its children, or a leaf from its key; then check it. */
static enum gk_err
settle(struct gk_lkh *lkh, struct gk_lkh_at at, const char **why)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);
	bool keyed = node->keyed, left = false;
	bool leaf = gk_lkh_is_leaf(lkh, at);
	uint32_t flags = mark == NULL ? 0 : mark->flags;
	struct gk_lkh_at child = at;
	uint32_t joined = 0, count = leaf && keyed;

	if (leaf)
		joined = (flags & GK_LKH_SEATED) != 0;
	for (unsigned i = 1; !leaf && i <= lkh->cfg.degree; i++) {
		const struct gk_lkh_mark *m;

		child.node = at.node * lkh->cfg.degree + i;
		count += gk_lkh_node_at(lkh, child)->count;
		m = gk_lkh_mark_at(lkh, child);
		joined += m == NULL ? 0 : m->joined;
		left |= m != NULL && (m->flags & GK_LKH_LEFT);
	}
	if (count != 0) /* else the page may be one that was never used */
		node->count = count & 0x1fffffffU;
	if (mark != NULL)
		mark->joined = joined;
	if (keyed != (node->count > 0) && !gk_lkh_is_rootless(lkh, at.node))
		return gk_row_refuse(
			why, "a key without members, or members without key");
	if (joined > node->count || (mark == NULL && joined != 0) ||
	    (!leaf && (flags & GK_LKH_SEATED)))
		return gk_row_refuse(
			why, "the open epoch seats more than there are");
	/* A leave above reaches to the top; see gk_lkh_tree.h. */
	if ((left && !(flags & GK_LKH_LEFT)) ||
	    ((flags & GK_LKH_LEFT) &&
	     (leaf || !lkh->group_due ||
	      (keyed && !node->bypassed && !(flags & GK_LKH_MADE)))))
		return gk_row_refuse(why, "the open epoch lost a leave");
	if ((node->bypassed && (leaf || (flags & GK_LKH_MADE))) ||
	    ((flags & GK_LKH_BACK) &&
	     (leaf || !keyed || !(flags & GK_LKH_MADE))))
		return gk_row_refuse(why, "a node that cannot be bypassed");
	return GK_OK;
}

enum gk_err
gk_lkh_load_done(struct gk_lkh *lkh, const char **why)
{
	*why = "";
	if (lkh->head_dirty && lkh->block_count != 0)
		return gk_row_refuse(why, "a key hierarchy without its head");
	for (uint32_t b = 0; b < lkh->block_count; b++) {
		for (uint32_t n = lkh->blocks[b].nodes; n-- > 0;)
			GK_TRY(settle(lkh, (struct gk_lkh_at){ b, n }, why));
	}
	return GK_OK;
}
