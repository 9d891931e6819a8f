/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_pages.h"
#include "common/lkh/gk_lkh_tree.h"

/*
 * DOC: a hierarchy gets smaller
 *
 * Nobody can be moved, so what gets smaller is what is kept for those who have
 * gone.  A sweep goes over all nodes, some at each rekey:
 *
 *     nobody below        the node is given back: it has no row and no memory,
 *                         until somebody sits there again.  What it must not
 *                         forget is the handle: all that were given back share a
 *                         floor, above which a node without history begins.
 *     all below one child the node is bypassed: the key of that child reaches
 *                         the same people.  It gets a key that nobody is told
 *                         and that wraps nothing, for those who join below it
 *                         and have to hold something under that id.  When there
 *                         is somebody below another child, the next event that
 *                         renews the keys above them (a leave, or a join with
 *                         backward secrecy) takes it into use again: a new key,
 *                         which travels under those of its children.  Not where
 *                         messages name every node (config.whole).
 *     last tree, empty    it is cut down.  The next one that is planted has its
 *                         ids and seats, and handles above the floor.
 *
 * Members keep all they hold, under the names they know; a bypassed node's key
 * merely does not change.  A sweep sends nothing.
 *
 * It begins when far more nodes are kept than there are members for, which is not
 * before three quarters of a full tree have left, and then gives back all of them;
 * so many have to come and to leave again before the next one.
 */
#define TIMES 4 /* nodes kept, for each with a key */
#define ROWS \
	1024     /* that one call changes, beside two for each of the epoch's */
#define LOOKS 16 /* nodes looked at for each of them */

bool
gk_lkh_branches(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	uint32_t count = gk_lkh_node_at(lkh, at)->count;
	struct gk_lkh_at child = at;

	for (unsigned i = 1; i <= lkh->cfg.degree; i++) {
		child.node = at.node * lkh->cfg.degree + i;
		if (gk_lkh_node_at(lkh, child)->count != 0)
			return gk_lkh_node_at(lkh, child)->count != count;
	}
	return false;
}

void
gk_lkh_version(struct gk_lkh *lkh, struct gk_lkh_at at, const uint8_t *octets,
               int64_t utc)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	uint32_t last = gk_lkh_last_handle(lkh, node);

	/* RFC 4535 7.5.2, Key Creation Date: subsequent to the one held. */
	if (last != 0 && utc <= gk_lkh_last_created(lkh, node))
		utc = gk_lkh_last_created(lkh, node) + 1;
	if (node->handle == 0) {
		lkh->used++;
		lkh->blocks[at.block].used++;
	}
	lkh->keyed += !node->keyed;
	node->created = utc;
	node->life = lkh->cfg.lifetime != 0 ? (uint32_t)lkh->cfg.lifetime
	                                    : GK_LKH_FOREVER;
	node->handle = last + 1;
	node->keyed = true;
	gk_lkh_expires_at(lkh, gk_lkh_node_expires(node));
	memcpy(node->key, octets, lkh->cfg.key_len);
	gk_lkh_touch(lkh, at);
}

void
gk_lkh_bypass_end(struct gk_lkh *lkh, struct gk_lkh_at at)
{
	gk_lkh_node_at(lkh, at)->bypassed = false;
	lkh->bypassed--;
}

bool
gk_lkh_is_bypassed(const struct gk_lkh *lkh, uint32_t id)
{
	struct gk_lkh_at at;

	return gk_lkh_find_id(lkh, id, &at) &&
	       gk_lkh_node_at(lkh, at)->bypassed;
}

void
gk_lkh_size(const struct gk_lkh *lkh, struct gk_lkh_size *size)
{
	*size = (struct gk_lkh_size){
		.trees = lkh->block_count,
		.seats = lkh->seats,
		.members = gk_lkh_count(lkh),
		.nodes = lkh->used,
		.keys = lkh->keyed - lkh->bypassed,
		.bypassed = lkh->bypassed,
	};
	for (uint32_t i = 0; i < lkh->block_count; i++)
		if (lkh->blocks[i].height > size->height)
			size->height = lkh->blocks[i].height;
}

/* Nobody sits below it, and nothing is to be told about it. */
static void
give_back(struct gk_lkh *lkh, struct gk_lkh_at at)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);

	if (node->handle > lkh->floor_handle)
		lkh->floor_handle = node->handle;
	if (node->created > lkh->floor_created)
		lkh->floor_created = node->created;
	gk_lkh_touch(lkh, at);
	node->handle = 0;
	node->created = 0;
	node->life = 0;
	lkh->used--;
	lkh->blocks[at.block].used--;
	lkh->head_dirty = true;
}

static bool
bypass(struct gk_lkh *lkh, struct gk_lkh_at at, int64_t utc)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	uint8_t octets[GK_LKH_KEY_MAX];
	enum gk_err err;

	if (lkh->cfg.whole || gk_lkh_is_leaf(lkh, at) ||
	    node->handle == UINT32_MAX || gk_lkh_branches(lkh, at))
		return false;
	err = lkh->env->random(lkh->env->ctx, octets, lkh->cfg.key_len);
	if (err == GK_OK) {
		gk_lkh_version(lkh, at, octets, utc);
		node->bypassed = true;
		lkh->bypassed++;
	}
	gk_wipe(octets, sizeof(octets));
	return err == GK_OK;
}

/* One node; true: something was changed. */
static bool
sweep_node(struct gk_lkh *lkh, struct gk_lkh_at at, int64_t utc)
{
	const struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);

	if (node->handle == 0 || node->mark != 0 || node->bypassed)
		return false;
	if (node->keyed)
		return bypass(lkh, at, utc);
	give_back(lkh, at);
	return true;
}

/* Nothing is in them that zeros would not say. */
static bool
is_clear(const struct gk_lkh_node *node)
{
	return node->handle == 0 && node->mark == 0 && node->count == 0 &&
	       !node->dirty;
}

/* Give whole pages between two nodes to the system: they are read as zeros.  A
 * tree that does so has small pages from then on: a large one would not go before
 * all of it is given, and could be put together again behind our back. */
static void
pages_release(const struct gk_lkh *lkh, struct gk_lkh_block *b, uint32_t from,
              uint32_t to)
{
	if (!gk_pages_free(b->nodes_at + from * lkh->stride,
	                   (to - from) * lkh->stride) ||
	    !b->large)
		return;
	gk_pages_small(b->nodes_at, b->nodes * lkh->stride);
	b->large = false;
}

/* From the cursor on, within one tree: until the tree or the budget ends. */
static size_t
sweep_slice(struct gk_lkh *lkh, int64_t utc, size_t rows, size_t *looks)
{
	struct gk_lkh_block *b = &lkh->blocks[lkh->sweep.block];
	uint32_t clear = lkh->sweep.node;
	size_t changed = 0;

	for (; *looks > 0 && changed < rows && lkh->sweep.node < b->nodes;
	     --*looks, lkh->sweep.node++) {
		if (gk_lkh_reserve(lkh, 1) != GK_OK) {
			*looks = 0;
			break;
		}
		changed += sweep_node(lkh, lkh->sweep, utc);
		if (is_clear(gk_lkh_node_at(lkh, lkh->sweep)))
			continue;
		pages_release(lkh, b, clear, lkh->sweep.node);
		clear = lkh->sweep.node + 1;
	}
	pages_release(lkh, b, clear, lkh->sweep.node);
	if (lkh->sweep.node >= b->nodes)
		lkh->sweep = (struct gk_lkh_at){ lkh->sweep.block + 1, 0 };
	lkh->sweep_found |= changed != 0;
	return changed;
}

/* Not the first one: it is what the configuration asked for. */
static size_t
cut_down(struct gk_lkh *lkh)
{
	size_t n = 0;

	while (lkh->block_count > 1) {
		struct gk_lkh_block *b = &lkh->blocks[lkh->block_count - 1];

		if (b->used != 0 || b->dirty != 0)
			break;
		n++;
		lkh->seats -= b->leaves;
		lkh->block_count--;
		free(b->nodes_at);
		if (lkh->blocks_saved > lkh->block_count)
			lkh->blocks_saved = lkh->block_count;
		if (lkh->cursor.block >= lkh->block_count)
			lkh->cursor = (struct gk_lkh_at){ 0 };
		if (lkh->sweep.block >= lkh->block_count)
			lkh->sweep = (struct gk_lkh_at){ lkh->block_count, 0 };
		if (lkh->vacated > lkh->seats)
			lkh->vacated = 0;
	}
	return n;
}

/* With UINT32_MAX to spare it never is: there are not so many nodes. */
static bool
is_too_large(const struct gk_lkh *lkh)
{
	return lkh->used > (uint64_t)TIMES * lkh->keyed + lkh->cfg.spare;
}

size_t
gk_lkh_shrink(struct gk_lkh *lkh, int64_t utc)
{
	size_t rows = ROWS + 2 * lkh->dirty_count, looks = rows * LOOKS;
	/* Also after a restart, which knows of no sweep. */
	size_t changed = cut_down(lkh);

	if (!lkh->sweeping) {
		if (!is_too_large(lkh))
			return changed;
		lkh->sweeping = true;
		lkh->sweep_found = false;
		lkh->sweep = (struct gk_lkh_at){ 0 };
	}
	while (looks > 0 && changed < rows) {
		if (lkh->sweep.block < lkh->block_count) {
			changed +=
				sweep_slice(lkh, utc, rows - changed, &looks);
			continue;
		}
		/* What was given back in this round is in the journal only
		 * later: the memory goes in the next one. */
		lkh->sweep = (struct gk_lkh_at){ 0 };
		lkh->sweeping = lkh->sweep_found;
		if (!lkh->sweeping)
			break;
		lkh->sweep_found = false;
		break;
	}
	return changed;
}
