/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_LKH_TREE_H
#define GK_LKH_TREE_H

#include "common/base/gk_time.h"
#include "common/lkh/gk_lkh.h"

/*
 * DOC: inside of the hierarchy; for the files of this room only
 *
 * A block is one complete d-ary tree, its nodes numbered breadth first from 0:
 * the children of i are d*i+1 .. d*i+d.  Its arrays are allocated whole; pages
 * of seats that were never taken are never touched.
 *
 * What an open epoch did to a node is kept in a mark, so that the nodes
 * themselves stay small.  Two questions decide who must be told what:
 *
 *     when was this key made?             mark.made, group_made
 *     who below was seated in this epoch, mark.joined, mark.since
 *     and since when?
 *
 * "When" is a count of operations (clock), not a time.  Somebody who was seated
 * after a key was made got it with his registration.
 */
#define GK_LKH_FOREVER UINT32_MAX /* a life until the year 9999 */

/* There are up to two nodes for each member: no octet more than needed.  The key
 * lies behind, so that one who needs both waits for memory once. */
struct gk_lkh_node {
	int64_t created;
	uint32_t life; /* seconds from there to expiry, or GK_LKH_FOREVER */
	uint32_t
		handle; /* of the last version, also when there is no key now */
	uint32_t mark;  /* 1 + index of its mark, or 0 */
	bool keyed : 1; /* has a key, which is to say: has members */
	bool dirty : 1; /* not in the journal yet */
	bool bypassed : 1;   /* its key is nobody's: see gk_lkh_shrink.c */
	uint32_t count : 29; /* members below; a leaf has 0 or 1 */
	uint8_t key[];       /* key_len octets */
};

static inline int64_t
gk_lkh_node_expires(const struct gk_lkh_node *node)
{
	if (node->life == GK_LKH_FOREVER ||
	    node->created >= GK_UTC_MAX - (int64_t)node->life)
		return GK_UTC_MAX;
	return node->created + node->life;
}

struct gk_lkh_at {
	uint32_t block;
	uint32_t node;
};

enum {
	GK_LKH_MADE = 1,   /* new key in this epoch, at made */
	GK_LKH_LEFT = 2,   /* a member left, others remain: the old key is no
	                     good.  Holds for all nodes above, too. */
	GK_LKH_SEATED = 4, /* a leaf that was taken in this epoch */
	GK_LKH_BACK = 8    /* was bypassed, is not any more: its key goes to
	                      those below under the keys of its children */
};

/* A tenth of a large group has half a million: half of a cache line. */
struct gk_lkh_mark {
	struct gk_lkh_at at;
	uint64_t since; /* when the first of the joined was seated */
	uint64_t made;
	uint32_t joined; /* members below that were seated in this epoch */
	uint32_t flags : 4;
	uint32_t old : 28; /* 1 + index of the key it had when the epoch began;
	                      0: there was none, or it is of no use */
};

/* Key length as everywhere. */
struct gk_lkh_old {
	int64_t created;
	int64_t expires;
	uint32_t handle;
	uint8_t octets[GK_LKH_KEY_MAX];
};

#define GK_LKH_POOL 1024    /* octets */
#define GK_LKH_POOL_FROM 64 /* marks, from where on it is used */

struct gk_lkh_block {
	uint32_t first_id;
	uint32_t first_seat;
	uint32_t height;
	uint32_t nodes;
	uint32_t leaves;
	uint32_t used;  /* nodes with a version, which is to say: with a row */
	uint32_t dirty; /* nodes that the journal waits for */
	bool large;     /* its pages are large ones, where there are such */
	uint8_t *nodes_at; /* stride octets for each; gk_lkh_node_of() */
};

struct gk_lkh {
	const struct gk_env *env;
	struct gk_lkh_config cfg;
	size_t stride;  /* from a node to the next, octets */
	unsigned shift; /* log2 of the degree; 0: that is no power of two */
	struct gk_lkh_block *blocks;
	uint32_t block_count;
	uint32_t seats;
	uint32_t first_id, last_id; /* without what others use */
	uint32_t vacated; /* a seat that may be free, and a low one; 0: none */

	uint32_t epoch;
	bool open;
	bool group_due;
	uint64_t clock;
	uint64_t group_made;
	uint64_t group_version;
	struct gk_lkh_mark *marks;
	size_t mark_count, mark_cap;
	struct gk_lkh_old *olds;
	size_t old_count, old_cap;

	/* Octets for the keys of a large epoch, drawn for many at once. */
	uint8_t pool[GK_LKH_POOL];
	size_t pool_left;

	/* Not yet in the journal. */
	struct gk_lkh_at *dirty;
	size_t dirty_count, dirty_cap;
	bool head_dirty;
	uint32_t blocks_saved;
	uint32_t blocks_stored; /* rows of trees, also of those cut down */

	/* Of gk_lkh_renew(): where it is, when the first key expires that it
	 * has seen in this round, and a time before which none does, so that
	 * nothing has to be looked at. */
	struct gk_lkh_at cursor;
	int64_t round_soonest, soonest;

	/* Of gk_lkh_shrink(). */
	uint32_t used, keyed, bypassed; /* nodes; with a version, with a key */
	uint32_t floor_handle; /* no node given back had a later one, */
	int64_t floor_created; /* nor one that was made later */
	bool sweeping, sweep_found;
	struct gk_lkh_at sweep;
};

#define GK_LKH_NO_NODE UINT32_MAX
#define GK_LKH_KEEP 512 /* marks, or dirty nodes, worth keeping room for */

/* The group key takes the place of this node: it has no key of its own. */
static inline bool
gk_lkh_is_rootless(const struct gk_lkh *lkh, uint32_t node)
{
	return lkh->cfg.plain && node == 0;
}

/* The node above one that is not the root.  A rekey goes up millions of times, and
 * a division takes as long as ten other steps. */
static inline uint32_t
gk_lkh_up(const struct gk_lkh *lkh, uint32_t node)
{
	return lkh->shift != 0 ? (node - 1) >> lkh->shift
	                       : (node - 1) / lkh->cfg.degree;
}

static inline struct gk_lkh_node *
gk_lkh_node_of(const struct gk_lkh *lkh, const struct gk_lkh_block *block,
               uint32_t node)
{
	return (void *)(block->nodes_at + node * lkh->stride);
}

static inline struct gk_lkh_node *
gk_lkh_node_at(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	return gk_lkh_node_of(lkh, &lkh->blocks[at.block], at.node);
}

/* The handle and the date that a next version must be beyond: a node that was
 * given back has forgotten its own. */
static inline uint32_t
gk_lkh_last_handle(const struct gk_lkh *lkh, const struct gk_lkh_node *node)
{
	return node->handle != 0 ? node->handle : lkh->floor_handle;
}

static inline int64_t
gk_lkh_last_created(const struct gk_lkh *lkh, const struct gk_lkh_node *node)
{
	return node->handle != 0 ? node->created : lkh->floor_created;
}

/* gk_lkh_find_id - the node with that id; false: there is none. */
bool gk_lkh_find_id(const struct gk_lkh *lkh, uint32_t id,
                    struct gk_lkh_at *at);

static inline uint8_t *
gk_lkh_octets_at(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	return gk_lkh_node_at(lkh, at)->key;
}

static inline bool
gk_lkh_is_leaf(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	const struct gk_lkh_block *b = &lkh->blocks[at.block];

	return at.node >= b->nodes - b->leaves;
}

/* gk_lkh_mark_at - the mark of a node in the open epoch; NULL: none. */
static inline struct gk_lkh_mark *
gk_lkh_mark_at(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	uint32_t mark = gk_lkh_node_at(lkh, at)->mark;

	return mark == 0 ? NULL : &lkh->marks[mark - 1];
}

/* gk_lkh_old_of - the key that a node had when the epoch began; NULL: none that
 * is of use. */
static inline struct gk_lkh_old *
gk_lkh_old_of(const struct gk_lkh *lkh, const struct gk_lkh_mark *mark)
{
	return mark->old == 0 ? NULL : &lkh->olds[mark->old - 1];
}

/* gk_lkh_old_new - room for it; gk_lkh_reserve() has seen to that. */
static inline struct gk_lkh_old *
gk_lkh_old_new(struct gk_lkh *lkh, struct gk_lkh_mark *mark)
{
	mark->old = ++lkh->old_count & 0xfffffffU;
	return gk_lkh_old_of(lkh, mark);
}

#define GK_LKH_WARM_MAX 16 /* nodes; with more children nobody waits for one */

/* gk_lkh_warm - ask for @n nodes from @at on, and their keys: in a large tree
 * they are in nobody's cache, and one after the other each is waited for. */
static inline void
gk_lkh_warm(const struct gk_lkh *lkh, struct gk_lkh_at at, uint32_t n)
{
	const uint8_t *p = (const uint8_t *)gk_lkh_node_at(lkh, at);
	const uint8_t *last =
		p + (n < GK_LKH_WARM_MAX ? n : GK_LKH_WARM_MAX) * lkh->stride -
		1;

	for (; p < last; p += 64) /* of a cache line, nearly everywhere */
		__builtin_prefetch(p);
	__builtin_prefetch(last);
}

/* gk_lkh_warm_old - ask for the key that a node had when the epoch began. */
static inline void
gk_lkh_warm_old(const struct gk_lkh *lkh, const struct gk_lkh_mark *mark)
{
	const struct gk_lkh_old *old = gk_lkh_old_of(lkh, mark);

	__builtin_prefetch(old);
	__builtin_prefetch((const uint8_t *)(old + 1) - 1);
}

/* gk_lkh_warm_below - ask for what is below the children of a node, if there is
 * anything. */
static inline void
gk_lkh_warm_below(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	uint32_t d = lkh->cfg.degree;

	at.node = (at.node * d + 1) * d + 1;
	if (at.node < lkh->blocks[at.block].nodes)
		gk_lkh_warm(lkh, at, d * d);
}

/* gk_lkh_mark_get - the same, made when there is none; there must be room. */
struct gk_lkh_mark *gk_lkh_mark_get(struct gk_lkh *lkh, struct gk_lkh_at at);
/* gk_lkh_expires_at - there is a key that does. */
static inline void
gk_lkh_expires_at(struct gk_lkh *lkh, int64_t utc)
{
	if (utc < lkh->soonest)
		lkh->soonest = utc;
	if (utc < lkh->round_soonest)
		lkh->round_soonest = utc;
}

/* gk_lkh_reserve - room for @n more marks, old keys and dirty nodes. */
GK_MUST_CHECK enum gk_err gk_lkh_reserve(struct gk_lkh *lkh, size_t n);
/* gk_lkh_grow - room for @more elements of @size octets in *@array, behind the
 * @used ones, without leaving a copy of old octets behind.  New elements are not
 * cleared. */
GK_MUST_CHECK enum gk_err gk_lkh_grow(void **array, size_t *cap, size_t used,
                                      size_t more, size_t size);
/* gk_lkh_touch - @at goes into the next journal; there must be room. */
void gk_lkh_touch(struct gk_lkh *lkh, struct gk_lkh_at at);

/* gk_lkh_shape - what the next tree must look like; GK_ERR_SPACE: no more. */
GK_MUST_CHECK enum gk_err gk_lkh_shape(const struct gk_lkh *lkh,
                                       struct gk_lkh_block *block);
/* gk_lkh_plant - add a tree of that shape. */
GK_MUST_CHECK enum gk_err gk_lkh_plant(struct gk_lkh *lkh,
                                       const struct gk_lkh_block *shape);
/* gk_lkh_version - the next version of a node's key, without a word to anybody;
 * there must be room for a dirty node, and a handle. */
void gk_lkh_version(struct gk_lkh *lkh, struct gk_lkh_at at,
                    const uint8_t *octets, int64_t utc);
/* gk_lkh_bypass_end - the key of @at is in use again. */
void gk_lkh_bypass_end(struct gk_lkh *lkh, struct gk_lkh_at at);
/* gk_lkh_branches - members sit below at least two children of @at. */
bool gk_lkh_branches(const struct gk_lkh *lkh, struct gk_lkh_at at);
/* gk_lkh_key_copy - the current key of a node. */
void gk_lkh_key_copy(const struct gk_lkh *lkh, struct gk_lkh_at at,
                     struct gk_lkh_key *key);
/* gk_lkh_epoch_close - forget all marks, wiping old keys. */
void gk_lkh_epoch_close(struct gk_lkh *lkh);

#endif /* GK_LKH_TREE_H */
