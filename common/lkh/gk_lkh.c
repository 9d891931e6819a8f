/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/lkh/gk_lkh.h"

#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_time.h"
#include "common/lkh/gk_lkh_tree.h"

/* The nodes from the root of a tree to one leaf. */
struct trail {
	struct gk_lkh_at at[GK_LKH_DEPTH_MAX];
	size_t len;
};

static void
trail_to(const struct gk_lkh *lkh, uint32_t block, uint32_t node,
         struct trail *trail)
{
	const struct gk_lkh_block *b = &lkh->blocks[block];

	trail->len = b->height + 1;
	for (size_t i = b->height; i > 0; i--) {
		trail->at[i] = (struct gk_lkh_at){ block, node };
		node = gk_lkh_up(lkh, node);
	}
	trail->at[0] = (struct gk_lkh_at){ block, 0 };
}

/* Ask for what a plan will need of a trail and beside it. */
static void
trail_warm(const struct gk_lkh *lkh, const struct trail *trail)
{
	for (size_t i = trail->len; i-- > 1;) {
		struct gk_lkh_at first = trail->at[i - 1];

		first.node = first.node * lkh->cfg.degree + 1;
		gk_lkh_warm(lkh, first, lkh->cfg.degree);
		if (lkh->cfg.degree > GK_LKH_WARM_MAX)
			gk_lkh_warm(lkh, trail->at[i], 1);
	}
}

/* And of every tree's root, where each plan begins. */
static void
roots_warm(const struct gk_lkh *lkh)
{
	for (uint32_t i = 0; i < lkh->block_count && !lkh->open; i++)
		gk_lkh_warm(lkh, (struct gk_lkh_at){ i, 0 }, 1);
}

/* The lowest free leaf of a tree that has one. */
static uint32_t
lowest_free(const struct gk_lkh *lkh, const struct gk_lkh_block *b)
{
	uint32_t node = 0, room = b->leaves;

	for (uint32_t level = 0; level < b->height; level++) {
		room /= lkh->cfg.degree;
		node = node * lkh->cfg.degree + 1;
		while (gk_lkh_node_of(lkh, b, node)->count == room)
			node++;
	}
	return node;
}

/* Where a seat is, whether somebody sits there or not. */
static bool
seat_place(const struct gk_lkh *lkh, uint32_t seat, struct gk_lkh_at *at)
{
	for (uint32_t i = 0; i < lkh->block_count; i++) {
		const struct gk_lkh_block *b = &lkh->blocks[i];

		if (seat < b->first_seat || seat - b->first_seat >= b->leaves)
			continue;
		*at = (struct gk_lkh_at){ i, b->nodes - b->leaves +
			                             (seat - b->first_seat) };
		return true;
	}
	return false;
}

static bool
seat_find(const struct gk_lkh *lkh, uint32_t seat, struct gk_lkh_at *at)
{
	return seat_place(lkh, seat, at) &&
	       gk_lkh_node_at(lkh, *at)->count == 1;
}

/* Fresh octets for the nodes of a trail that @wanted names. */
struct draw {
	bool wanted[GK_LKH_DEPTH_MAX];
	size_t used; /* octets */
	uint8_t octets[GK_LKH_DEPTH_MAX * GK_LKH_KEY_MAX];
};

/* A draw for each of ten thousand leaves would cost more than their wraps. */
static enum gk_err
draw_octets(struct gk_lkh *lkh, uint8_t *out, size_t n)
{
	uint8_t *pool = lkh->pool;

	if (lkh->mark_count < GK_LKH_POOL_FROM || n > GK_LKH_POOL / 2)
		return lkh->env->random(lkh->env->ctx, out, n);
	if (n > lkh->pool_left) {
		lkh->pool_left = 0;
		GK_TRY(lkh->env->random(lkh->env->ctx, pool, GK_LKH_POOL));
		lkh->pool_left = GK_LKH_POOL;
	}
	lkh->pool_left -= n;
	memcpy(out, pool + lkh->pool_left, n);
	gk_wipe(pool + lkh->pool_left, n);
	return GK_OK;
}

static enum gk_err
draw_keys(struct gk_lkh *lkh, const struct trail *trail, struct draw *draw)
{
	size_t n = 0;

	draw->used = 0;
	for (size_t i = 0; i < trail->len; i++) {
		if (!draw->wanted[i])
			continue;
		/* A handle must not repeat; after four thousand million
		 * versions the node is worn out. */
		if (gk_lkh_last_handle(lkh,
		                       gk_lkh_node_at(lkh, trail->at[i])) ==
		    UINT32_MAX)
			return GK_ERR_SPACE;
		n++;
	}
	draw->used = n * lkh->cfg.key_len;
	if (n == 0)
		return GK_OK;
	return draw_octets(lkh, draw->octets, draw->used);
}

/* Give a node its next key; the one it had at the start of the epoch is kept
 * for wrapping, unless it is @lost. */
static void
make_key(struct gk_lkh *lkh, struct gk_lkh_at at, const uint8_t *octets,
         int64_t utc, bool lost)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	struct gk_lkh_mark *mark = gk_lkh_mark_get(lkh, at);

	if (node->bypassed) {
		/* The old key must not open anything; who is below gets the
		 * new one under those of the children. */
		gk_lkh_bypass_end(lkh, at);
		mark->flags |= GK_LKH_BACK;
	} else if (!(mark->flags & GK_LKH_MADE) && node->keyed && !lost) {
		struct gk_lkh_old *old = gk_lkh_old_new(lkh, mark);

		old->handle = node->handle;
		old->created = node->created;
		old->expires = gk_lkh_node_expires(node);
		memcpy(old->octets, node->key, lkh->cfg.key_len);
	}
	gk_lkh_version(lkh, at, octets, utc);
	mark->flags |= GK_LKH_MADE;
	mark->made = lkh->clock;
}

/* Nobody is below a node any more: it has no key until somebody comes. */
static void
drop_key(struct gk_lkh *lkh, struct gk_lkh_at at)
{
	struct gk_lkh_mark *mark = gk_lkh_mark_get(lkh, at);
	struct gk_lkh_old *old = gk_lkh_old_of(lkh, mark);

	gk_wipe(gk_lkh_octets_at(lkh, at), lkh->cfg.key_len);
	if (old != NULL)
		gk_wipe(old, sizeof(*old));
	mark->old = 0;
	mark->flags = GK_LKH_MADE;
	mark->made = lkh->clock;
	if (gk_lkh_node_at(lkh, at)->bypassed)
		gk_lkh_bypass_end(lkh, at);
	lkh->keyed -= gk_lkh_node_at(lkh, at)->keyed;
	gk_lkh_node_at(lkh, at)->keyed = false;
	gk_lkh_touch(lkh, at);
}

static void
group_key(struct gk_lkh *lkh)
{
	lkh->group_due = true;
	lkh->group_made = lkh->clock;
	lkh->group_version++;
	lkh->open = true;
	lkh->head_dirty = true;
}

static enum gk_err
pick_seat(struct gk_lkh *lkh, struct trail *trail)
{
	struct gk_lkh_block shape;
	uint32_t i = 0;

	while (i < lkh->block_count &&
	       gk_lkh_node_of(lkh, &lkh->blocks[i], 0)->count ==
	               lkh->blocks[i].leaves)
		i++;
	if (i == lkh->block_count) {
		GK_TRY(gk_lkh_shape(lkh, &shape));
		GK_TRY(gk_lkh_plant(lkh, &shape));
	}
	trail_to(lkh, i, lowest_free(lkh, &lkh->blocks[i]), trail);
	return GK_OK;
}

/* Nobody but who was seated in this epoch, and gets it, holds a key of @trail.
 * @last: and no join that comes after changes one. */
static enum gk_err
fresh_keys(struct gk_lkh *lkh, const struct trail *trail, int64_t utc,
           bool last)
{
	struct draw draw;
	size_t used = 0;
	enum gk_err err;

	GK_TRY(gk_lkh_reserve(lkh, trail->len));
	for (size_t i = 0; i < trail->len; i++) {
		struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, trail->at[i]);
		bool made = mark != NULL && (mark->flags & GK_LKH_MADE);
		const struct gk_lkh_node *node =
			gk_lkh_node_at(lkh, trail->at[i]);

		draw.wanted[i] = !gk_lkh_is_rootless(lkh, trail->at[i].node) &&
		                 (!node->keyed || (lkh->cfg.backward && !made));
		/* Nobody needs it as long as all sit below one child. */
		if (node->bypassed && !last &&
		    node->count == gk_lkh_node_at(lkh, trail->at[i + 1])->count)
			draw.wanted[i] = false;
	}
	err = draw_keys(lkh, trail, &draw);
	lkh->clock += err == GK_OK;
	for (size_t i = 0; err == GK_OK && i < trail->len; i++) {
		if (draw.wanted[i])
			make_key(lkh, trail->at[i],
			         draw.octets + used++ * lkh->cfg.key_len, utc,
			         false);
	}
	gk_wipe(draw.octets, draw.used);
	return err;
}

/* Has all that is new in this epoch. */
static void
seated(struct gk_lkh *lkh, const struct trail *trail, bool newcomer)
{
	lkh->clock++;
	for (size_t i = 0; i < trail->len; i++) {
		struct gk_lkh_mark *mark = gk_lkh_mark_get(lkh, trail->at[i]);

		if (mark->joined++ == 0)
			mark->since = lkh->clock;
		gk_lkh_node_at(lkh, trail->at[i])->count += newcomer;
		gk_lkh_touch(lkh, trail->at[i]);
	}
	gk_lkh_mark_get(lkh, trail->at[trail->len - 1])->flags |= GK_LKH_SEATED;
	lkh->open = true;
	lkh->head_dirty = true;
}

enum gk_err
gk_lkh_join(struct gk_lkh *lkh, int64_t utc, uint32_t *seat)
{
	bool alone = gk_lkh_count(lkh) == 0;
	const struct gk_lkh_block *b;
	struct gk_lkh_at leaf;
	struct trail trail;

	/* A tree that is planted here and then not used is no change that
	 * anybody can see. */
	GK_TRY(pick_seat(lkh, &trail));
	trail_warm(lkh, &trail);
	GK_TRY(fresh_keys(lkh, &trail, utc, false));
	/* What was sent before there was anybody needs no protection. */
	if (lkh->cfg.backward && !lkh->group_due && !alone)
		group_key(lkh);
	seated(lkh, &trail, true);
	leaf = trail.at[trail.len - 1];
	b = &lkh->blocks[leaf.block];
	*seat = b->first_seat + (leaf.node - (b->nodes - b->leaves));
	if (*seat == lkh->vacated)
		lkh->vacated = 0;
	return GK_OK;
}

enum gk_err
gk_lkh_rejoin(struct gk_lkh *lkh, uint32_t seat, int64_t utc)
{
	struct gk_lkh_at leaf;
	struct trail trail;

	if (!seat_find(lkh, seat, &leaf))
		return GK_ERR_UNEXPECTED;
	if (gk_lkh_joined(lkh, seat) || !lkh->cfg.backward)
		return GK_OK;
	trail_to(lkh, leaf.block, leaf.node, &trail);
	GK_TRY(fresh_keys(lkh, &trail, utc, true));
	if (!lkh->group_due)
		group_key(lkh);
	seated(lkh, &trail, false);
	return GK_OK;
}

enum gk_err
gk_lkh_leave(struct gk_lkh *lkh, uint32_t seat, int64_t utc)
{
	struct draw draw;
	struct gk_lkh_mark *mark;
	struct gk_lkh_at leaf;
	struct trail trail;
	size_t used = 0;
	enum gk_err err;
	bool seated;

	if (!seat_find(lkh, seat, &leaf))
		return GK_ERR_UNEXPECTED;
	trail_to(lkh, leaf.block, leaf.node, &trail);
	GK_TRY(gk_lkh_reserve(lkh, GK_LKH_DEPTH_MAX));
	mark = gk_lkh_mark_at(lkh, leaf);
	seated = mark != NULL && (mark->flags & GK_LKH_SEATED);
	for (size_t i = 0; i < trail.len; i++) {
		bool made;

		mark = gk_lkh_mark_at(lkh, trail.at[i]);
		made = mark != NULL && (mark->flags & GK_LKH_MADE);
		/* Who came in this epoch has seen its keys already. */
		draw.wanted[i] = !gk_lkh_is_rootless(lkh, trail.at[i].node) &&
		                 gk_lkh_node_at(lkh, trail.at[i])->count > 1 &&
		                 (!made || seated);
		if (draw.wanted[i] &&
		    gk_lkh_node_at(lkh, trail.at[i])->bypassed)
			draw.wanted[i] = gk_lkh_branches(lkh, trail.at[i]);
	}
	err = draw_keys(lkh, &trail, &draw);
	if (err != GK_OK) {
		gk_wipe(draw.octets, draw.used);
		return err;
	}

	lkh->clock++;
	for (size_t i = 0; i < trail.len; i++) {
		struct gk_lkh_node *node = gk_lkh_node_at(lkh, trail.at[i]);

		if (draw.wanted[i])
			make_key(lkh, trail.at[i],
			         draw.octets + used++ * lkh->cfg.key_len, utc,
			         true);
		mark = gk_lkh_mark_get(lkh, trail.at[i]);
		if (--node->count == 0)
			drop_key(lkh, trail.at[i]);
		else
			mark->flags |= GK_LKH_LEFT;
		if (seated)
			mark->joined--;
		gk_lkh_touch(lkh, trail.at[i]);
	}
	if (!lkh->group_due || seated)
		group_key(lkh);
	if (lkh->vacated == 0 || seat < lkh->vacated)
		lkh->vacated = seat;
	lkh->open = true;
	lkh->head_dirty = true;
	gk_wipe(draw.octets, draw.used);
	return GK_OK;
}

void
gk_lkh_leave_soon(const struct gk_lkh *lkh, uint32_t seat)
{
	struct gk_lkh_at leaf;
	struct trail trail;

	if (!seat_place(lkh, seat, &leaf))
		return;
	trail_to(lkh, leaf.block, leaf.node, &trail);
	trail_warm(lkh, &trail);
	roots_warm(lkh);
}

void
gk_lkh_join_soon(const struct gk_lkh *lkh)
{
	roots_warm(lkh);
	gk_lkh_leave_soon(lkh, lkh->vacated); /* most probably there */
}

void
gk_lkh_refresh(struct gk_lkh *lkh)
{
	if (lkh->group_due)
		return;
	gk_lkh_replace(lkh);
}

void
gk_lkh_replace(struct gk_lkh *lkh)
{
	lkh->clock++;
	group_key(lkh);
}

static enum gk_err
renew_node(struct gk_lkh *lkh, struct gk_lkh_at at, int64_t utc)
{
	uint8_t octets[GK_LKH_KEY_MAX];
	enum gk_err err;

	if (gk_lkh_node_at(lkh, at)->handle == UINT32_MAX)
		return GK_ERR_SPACE;
	GK_TRY(gk_lkh_reserve(lkh, 1));
	err = draw_octets(lkh, octets, lkh->cfg.key_len);
	if (err == GK_OK && gk_lkh_node_at(lkh, at)->bypassed) {
		/* For those who will come; nobody needs to be told. */
		gk_lkh_version(lkh, at, octets, utc);
	} else if (err == GK_OK) {
		lkh->clock++;
		make_key(lkh, at, octets, utc, false);
		lkh->open = true;
		lkh->head_dirty = true;
	}
	gk_wipe(octets, sizeof(octets));
	return err;
}

enum gk_err
gk_lkh_renew(struct gk_lkh *lkh, int64_t utc, int64_t limit, size_t scan,
             size_t *renewed)
{
	*renewed = 0;
	if (limit < lkh->soonest)
		return GK_OK;
	for (; scan > 0 && lkh->block_count > 0; scan--) {
		struct gk_lkh_at at = lkh->cursor;
		const struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
		const struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);

		if (at.block == 0 && at.node == 0) /* a round begins */
			lkh->round_soonest = INT64_MAX;
		if (node->keyed && gk_lkh_node_expires(node) <= limit &&
		    (mark == NULL || !(mark->flags & GK_LKH_MADE))) {
			GK_TRY(renew_node(lkh, at, utc));
			*renewed += !node->bypassed;
		}
		if (node->keyed)
			gk_lkh_expires_at(lkh, gk_lkh_node_expires(node));
		if (++lkh->cursor.node < lkh->blocks[at.block].nodes)
			continue;
		lkh->cursor.node = 0;
		if (++lkh->cursor.block < lkh->block_count)
			continue;
		lkh->cursor.block = 0;
		lkh->soonest = lkh->round_soonest;
		if (limit < lkh->soonest)
			break;
	}
	return GK_OK;
}

enum gk_err
gk_lkh_path(const struct gk_lkh *lkh, uint32_t seat, struct gk_lkh_key *keys,
            size_t *count)
{
	struct gk_lkh_at leaf;
	struct trail trail;

	*count = 0;
	if (!seat_find(lkh, seat, &leaf))
		return GK_ERR_UNEXPECTED;
	trail_to(lkh, leaf.block, leaf.node, &trail);
	for (size_t i = trail.len; i-- > 0;) {
		if (!gk_lkh_is_rootless(lkh, trail.at[i].node))
			gk_lkh_key_copy(lkh, trail.at[i], &keys[(*count)++]);
	}
	return GK_OK;
}

enum gk_err
gk_lkh_above(const struct gk_lkh *lkh, uint32_t id, struct gk_lkh_key *keys,
             size_t *count)
{
	struct gk_lkh_at at;

	*count = 0;
	if (!gk_lkh_find_id(lkh, id, &at))
		return GK_ERR_UNEXPECTED;
	while (at.node != 0) {
		const struct gk_lkh_node *node;

		at.node = gk_lkh_up(lkh, at.node);
		node = gk_lkh_node_at(lkh, at);
		if (node->keyed && !node->bypassed)
			gk_lkh_key_copy(lkh, at, &keys[(*count)++]);
	}
	return GK_OK;
}

bool
gk_lkh_seated(const struct gk_lkh *lkh, uint32_t seat)
{
	struct gk_lkh_at at;

	return seat_find(lkh, seat, &at);
}

bool
gk_lkh_joined(const struct gk_lkh *lkh, uint32_t seat)
{
	const struct gk_lkh_mark *mark;
	struct gk_lkh_at at;

	if (!seat_find(lkh, seat, &at))
		return false;
	mark = gk_lkh_mark_at(lkh, at);
	return mark != NULL && (mark->flags & GK_LKH_SEATED);
}

bool
gk_lkh_open(const struct gk_lkh *lkh)
{
	return lkh->open;
}

uint32_t
gk_lkh_epoch(const struct gk_lkh *lkh)
{
	return lkh->epoch;
}

uint32_t
gk_lkh_count(const struct gk_lkh *lkh)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < lkh->block_count; i++)
		n += gk_lkh_node_of(lkh, &lkh->blocks[i], 0)->count;
	return n;
}

uint32_t
gk_lkh_seats(const struct gk_lkh *lkh)
{
	return lkh->seats;
}

size_t
gk_lkh_memory(const struct gk_lkh *lkh)
{
	size_t n = sizeof(*lkh) + lkh->mark_cap * sizeof(*lkh->marks) +
	           lkh->old_cap * sizeof(*lkh->olds) +
	           lkh->dirty_cap * sizeof(*lkh->dirty);

	for (uint32_t i = 0; i < lkh->block_count; i++)
		n += lkh->blocks[i].nodes * lkh->stride;
	return n;
}

uint64_t
gk_lkh_group_version(const struct gk_lkh *lkh)
{
	return lkh->group_version;
}

bool
gk_lkh_group_due(const struct gk_lkh *lkh)
{
	return lkh->group_due;
}

void
gk_lkh_set_backward(struct gk_lkh *lkh, bool backward)
{
	lkh->cfg.backward = backward;
}
