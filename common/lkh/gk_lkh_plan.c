/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/lkh/gk_lkh_plan.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_pages.h"
#include "common/lkh/gk_lkh_tree.h"

/*
 * The plan is built with indexes, because arrays move while they grow, and gets
 * its pointers at the end.  GROUP is the index of the group key.
 */
#define GROUP UINT32_MAX
#define SOON 4 /* places in a row */

struct draft_wrap {
	uint32_t under; /* index into keys */
	size_t first;   /* index into refs */
	size_t count;
};

struct draft {
	const struct gk_lkh *lkh;
	struct gk_lkh_key *keys;
	uint32_t *refs;
	struct draft_wrap *wraps;
	size_t key_count, key_cap;
	size_t ref_count, ref_cap;
	size_t wrap_count, wrap_cap;
	size_t list, list_end; /* of refs: the last ones that are alone */
	uint32_t *known;       /* by mark: 1 + index of its current key, or 0 */
	bool *done;            /* by mark: its old key has been used */
	/* PATH: keys that were lost, from the root to where it is. */
	struct {
		uint32_t key; /* index into keys */
		uint64_t made;
	} above[GK_LKH_DEPTH_MAX];
	size_t depth;
	uint64_t *order; /* marked nodes, deepest first within a tree */
	size_t order_count;
};

static bool
is_keyed(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	return gk_lkh_node_at(lkh, at)->keyed;
}

/* Somebody below @at has not been given a key that was made at @made. */
static bool
is_needed(const struct gk_lkh *lkh, struct gk_lkh_at at, uint64_t made)
{
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);
	uint32_t count = gk_lkh_node_at(lkh, at)->count;

	if (count == 0)
		return false;
	return mark == NULL || mark->joined < count || mark->since < made;
}

/* The old members below @at hold its old key and wait for the new one. */
static bool
is_renewal(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);

	return mark != NULL && (mark->flags & GK_LKH_MADE) &&
	       !(mark->flags & GK_LKH_LEFT) && mark->old != 0 &&
	       is_needed(lkh, at, mark->made);
}

static bool
is_bypassed(const struct gk_lkh *lkh, struct gk_lkh_at at)
{
	return gk_lkh_node_at(lkh, at)->bypassed;
}

/* Call @f for each child of @at; where one is bypassed, for its children. */
static enum gk_err
each_child(struct draft *d, struct gk_lkh_at at,
           enum gk_err (*f)(struct draft *, struct gk_lkh_at, const void *),
           const void *arg)
{
	struct gk_lkh_at child = at;

	for (unsigned i = 1; i <= d->lkh->cfg.degree; i++) {
		child.node = at.node * d->lkh->cfg.degree + i;
		if (is_bypassed(d->lkh, child))
			GK_TRY(each_child(d, child, f, arg));
		else
			GK_TRY(f(d, child, arg)); /* no deeper than the tree */
	}
	return GK_OK;
}

/* A place for one more key, which the caller fills. */
static enum gk_err
new_key(struct draft *d, uint32_t *index)
{
	void *keys = d->keys;
	enum gk_err err = gk_lkh_grow(&keys, &d->key_cap, d->key_count, 1,
	                              sizeof(*d->keys));

	d->keys = keys;
	if (err == GK_OK)
		*index = (uint32_t)d->key_count++;
	return err;
}

static enum gk_err
current_key(struct draft *d, struct gk_lkh_at at, uint32_t *index)
{
	uint32_t mark = gk_lkh_node_at(d->lkh, at)->mark;

	if (mark != 0 && d->known[mark - 1] != 0) {
		*index = d->known[mark - 1] - 1;
		return GK_OK;
	}
	GK_TRY(new_key(d, index));
	gk_lkh_key_copy(d->lkh, at, &d->keys[*index]);
	if (mark != 0)
		d->known[mark - 1] = *index + 1;
	return GK_OK;
}

static enum gk_err
old_key(struct draft *d, struct gk_lkh_at at, uint32_t *index)
{
	const struct gk_lkh_old *old =
		gk_lkh_old_of(d->lkh, gk_lkh_mark_at(d->lkh, at));
	struct gk_lkh_key *key;

	GK_TRY(new_key(d, index));
	key = &d->keys[*index];
	key->id = d->lkh->blocks[at.block].first_id + at.node;
	key->handle = old->handle;
	key->created = old->created;
	key->expires = old->expires;
	key->len = (uint8_t)d->lkh->cfg.key_len;
	memcpy(key->octets, old->octets, key->len);
	return GK_OK;
}

/*
 * The last wrap is complete.  Next to each other in the tree, wraps have the
 * same keys but for the lowest ones: where this one's are the first of those that
 * were listed before, it shares them; where it has more, the list grows.
 */
static void
share_refs(struct draft *d)
{
	struct draft_wrap *w = &d->wraps[d->wrap_count - 1];
	size_t listed = d->list_end - d->list;
	size_t same = w->count < listed ? w->count : listed;
	uint32_t *own = d->refs + w->first;

	if (w->count == 0 ||
	    memcmp(own, d->refs + d->list, same * sizeof(*own)) != 0 ||
	    (same != w->count && d->list_end != w->first)) {
		d->list = w->first;
		d->list_end = w->first + w->count;
		return;
	}
	memmove(own, own + same, (w->count - same) * sizeof(*own));
	d->list_end += w->count - same;
	d->ref_count -= same;
	w->first = d->list;
}

static enum gk_err
open_wrap(struct draft *d, uint32_t under)
{
	void *wraps = d->wraps;
	enum gk_err err;

	if (d->wrap_count != 0)
		share_refs(d);
	err = gk_lkh_grow(&wraps, &d->wrap_cap, d->wrap_count, 1,
	                  sizeof(*d->wraps));

	d->wraps = wraps;
	if (err != GK_OK)
		return err;
	d->wraps[d->wrap_count++] =
		(struct draft_wrap){ under, d->ref_count, 0 };
	return GK_OK;
}

static enum gk_err
add_ref(struct draft *d, uint32_t index)
{
	void *refs = d->refs;
	enum gk_err err = gk_lkh_grow(&refs, &d->ref_cap, d->ref_count, 1,
	                              sizeof(*d->refs));

	d->refs = refs;
	if (err != GK_OK)
		return err;
	d->refs[d->ref_count++] = index;
	d->wraps[d->wrap_count - 1].count++;
	return GK_OK;
}

static enum gk_err
add_current(struct draft *d, struct gk_lkh_at at)
{
	uint32_t index;

	GK_TRY(current_key(d, at, &index));
	return add_ref(d, index);
}

static enum gk_err
wrap_under_current(struct draft *d, struct gk_lkh_at at)
{
	uint32_t index;

	GK_TRY(current_key(d, at, &index));
	return open_wrap(d, index);
}

static enum gk_err
wrap_under_old(struct draft *d, struct gk_lkh_at at)
{
	uint32_t index;

	GK_TRY(old_key(d, at, &index));
	return open_wrap(d, index);
}

/* The new key of @at under its own old one. */
static enum gk_err
wrap_renewal(struct draft *d, struct gk_lkh_at at)
{
	GK_TRY(wrap_under_old(d, at));
	return add_current(d, at);
}

/* Call @f for each place right below the group key. */
static enum gk_err
each_root(struct draft *d,
          enum gk_err (*f)(struct draft *, struct gk_lkh_at, const void *))
{
	for (uint32_t b = 0; b < d->lkh->block_count; b++) {
		struct gk_lkh_at root = { b, 0 };

		if (gk_lkh_is_rootless(d->lkh, 0) || is_bypassed(d->lkh, root))
			GK_TRY(each_child(d, root, f, NULL));
		else
			GK_TRY(f(d, root, NULL));
	}
	return GK_OK;
}

/* A place as a number, so that the smaller one comes first. */
static uint64_t
in_order(struct gk_lkh_at at)
{
	return (uint64_t)at.block << 32 | (UINT32_MAX - at.node);
}

static struct gk_lkh_at
ordered(uint64_t n)
{
	return (struct gk_lkh_at){ (uint32_t)(n >> 32),
		                   UINT32_MAX - (uint32_t)n };
}

static int
smaller_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Those of them that are @wanted. */
static enum gk_err
put_in_order(struct draft *d, bool (*wanted)(const struct draft *, size_t mark))
{
	size_t n = d->lkh->mark_count;

	d->order = calloc(n + 1, sizeof(*d->order)); /* calloc(0): NULL */
	if (d->order == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		if (wanted(d, i))
			d->order[d->order_count++] =
				in_order(d->lkh->marks[i].at);
	qsort(d->order, d->order_count, sizeof(*d->order), smaller_first);
	return GK_OK;
}

/* Place @i is next.  Its neighbours in this order are not neighbours in the marks,
 * which is the order of who joined or left: ask for what comes soon, one step after
 * the other. */
static struct gk_lkh_at
in_turn(const struct draft *d, size_t i)
{
	const struct gk_lkh *lkh = d->lkh;
	const struct gk_lkh_mark *mark;

	if (i + 3 * SOON < d->order_count)
		gk_lkh_warm(lkh, ordered(d->order[i + 3 * SOON]), 1);
	if (i + 2 * SOON < d->order_count)
		__builtin_prefetch(
			gk_lkh_mark_at(lkh, ordered(d->order[i + 2 * SOON])));
	if (i + SOON < d->order_count) {
		mark = gk_lkh_mark_at(lkh, ordered(d->order[i + SOON]));
		if (mark->old != 0)
			gk_lkh_warm_old(lkh, mark);
	}
	return ordered(d->order[i]);
}

/* CHAIN */

static enum gk_err
chain_root(struct draft *d, struct gk_lkh_at root, const void *arg)
{
	(void)arg;
	if (!is_needed(d->lkh, root, d->lkh->group_made))
		return GK_OK;
	GK_TRY(wrap_under_current(d, root));
	return add_ref(d, GROUP);
}

/* The new key of a marked node under that of one below it. */
static enum gk_err
wrap_for_child(struct draft *d, struct gk_lkh_at child, const void *arg)
{
	const struct gk_lkh_mark *mark = arg;

	if (!is_needed(d->lkh, child, mark->made))
		return GK_OK;
	GK_TRY(wrap_under_current(d, child));
	return add_current(d, mark->at);
}

static enum gk_err
chain_node(struct draft *d, const struct gk_lkh_mark *mark)
{
	if (!is_keyed(d->lkh, mark->at))
		return GK_OK;
	if (is_renewal(d->lkh, mark->at))
		return wrap_renewal(d, mark->at);
	if (!(mark->flags & (GK_LKH_LEFT | GK_LKH_BACK)))
		return GK_OK;
	return each_child(d, mark->at, wrap_for_child, mark);
}

static bool
is_made(const struct draft *d, size_t mark)
{
	return (d->lkh->marks[mark].flags & GK_LKH_MADE) != 0;
}

static enum gk_err
chain(struct draft *d)
{
	GK_TRY(put_in_order(d, is_made));
	for (size_t i = 0; i < d->order_count; i++)
		GK_TRY(chain_node(d, gk_lkh_mark_at(d->lkh, in_turn(d, i))));
	return d->lkh->group_due ? each_root(d, chain_root) : GK_OK;
}

/* PATH */

/* The keys above a node that were lost to a leave, or are in use again, and that
 * somebody below it waits for, from the top to the bottom. */
struct lost {
	uint32_t key[GK_LKH_DEPTH_MAX];
	size_t count;
	bool group;    /* and the group key */
	uint64_t made; /* when the last of them was */
};

static void
lost_above(const struct draft *d, struct gk_lkh_at at, struct lost *lost)
{
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(d->lkh, at);
	bool old = mark == NULL ||
	           mark->joined < gk_lkh_node_at(d->lkh, at)->count;

	lost->count = 0;
	lost->made = 0;
	lost->group = old || mark->since < d->lkh->group_made;
	if (lost->group)
		lost->made = d->lkh->group_made;
	for (size_t i = 0; i < d->depth; i++) {
		if (!old && mark->since >= d->above[i].made)
			continue;
		if (d->above[i].made > lost->made)
			lost->made = d->above[i].made;
		lost->key[lost->count++] = d->above[i].key;
	}
}

/* They are the content of the wrap that is open, group key first. */
static enum gk_err
add_lost(struct draft *d, const struct lost *lost)
{
	if (lost->group)
		GK_TRY(add_ref(d, GROUP));
	for (size_t i = 0; i < lost->count; i++)
		GK_TRY(add_ref(d, lost->key[i]));
	return GK_OK;
}

/* Everything above @at was lost to a leave, @at itself was not. */
static enum gk_err
path_edge(struct draft *d, struct gk_lkh_at at)
{
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(d->lkh, at);
	struct lost lost;
	bool none;

	lost_above(d, at, &lost);
	none = !lost.group && lost.count == 0;
	if (!is_renewal(d->lkh, at)) {
		if (none)
			return GK_OK;
		GK_TRY(wrap_under_current(d, at));
		return add_lost(d, &lost);
	}
	d->done[mark - d->lkh->marks] = true;
	if (!none && mark->joined != 0 && mark->since < lost.made) {
		/* Who was seated in this epoch does not hold the old key, and
		 * misses something all the same. */
		GK_TRY(wrap_renewal(d, at));
		GK_TRY(wrap_under_current(d, at));
		return add_lost(d, &lost);
	}
	GK_TRY(wrap_under_old(d, at));
	GK_TRY(add_lost(d, &lost));
	return add_current(d, at);
}

static enum gk_err
path_node(struct draft *d, struct gk_lkh_at at, const void *arg)
{
	const struct gk_lkh_mark *mark = gk_lkh_mark_at(d->lkh, at);

	(void)arg;
	if (!is_keyed(d->lkh, at))
		return GK_OK;
	if (mark == NULL || !(mark->flags & (GK_LKH_LEFT | GK_LKH_BACK)))
		return path_edge(d, at);
	d->done[mark - d->lkh->marks] = true;
	GK_TRY(current_key(d, at, &d->above[d->depth].key));
	d->above[d->depth++].made = mark->made;
	gk_lkh_warm_below(d->lkh, at);
	GK_TRY(each_child(d, at, path_node, NULL));
	d->depth--;
	return GK_OK;
}

/* Nothing above them was lost: it only has to reach those who hold the old key,
 * or the keys of the children. */
static bool
is_left_over(const struct draft *d, size_t mark)
{
	const struct gk_lkh_mark *m = &d->lkh->marks[mark];

	if (d->done[mark] || !is_keyed(d->lkh, m->at))
		return false;
	return is_renewal(d->lkh, m->at) || (m->flags & GK_LKH_BACK);
}

static enum gk_err
path_left_over(struct draft *d, struct gk_lkh_at at)
{
	if (is_renewal(d->lkh, at))
		return wrap_renewal(d, at);
	return each_child(d, at, wrap_for_child, gk_lkh_mark_at(d->lkh, at));
}

static enum gk_err
path(struct draft *d)
{
	if (d->lkh->group_due)
		GK_TRY(each_root(d, path_node));
	GK_TRY(put_in_order(d, is_left_over));
	for (size_t i = 0; i < d->order_count; i++)
		GK_TRY(path_left_over(d, in_turn(d, i)));
	return GK_OK;
}

/* Putting it together */

static enum gk_err
draft_init(struct draft *d, const struct gk_lkh *lkh)
{
	size_t n = lkh->mark_count + 1; /* calloc(0) may be NULL */
	enum gk_err err;
	void *keys;

	*d = (struct draft){ .lkh = lkh };
	d->known = calloc(n, sizeof(*d->known));
	d->done = calloc(n, sizeof(*d->done));
	if (d->known == NULL || d->done == NULL)
		return GK_ERR_NOMEM;
	/* About as many keys as there will be: each time that they do not fit,
	 * they are all copied, and wiped where they were. */
	keys = d->keys;
	err = gk_lkh_grow(&keys, &d->key_cap, 0, 2 * n, sizeof(*d->keys));
	d->keys = keys;
	if (err == GK_OK)
		gk_pages_get(keys, n * sizeof(*d->keys));
	return err;
}

static void
draft_free(struct draft *d)
{
	gk_wipe(d->keys, d->key_count * sizeof(*d->keys));
	free(d->keys);
	free(d->refs);
	free(d->wraps);
	free(d->known);
	free(d->done);
	free(d->order);
}

/* The draft's keys become the plan's. */
static enum gk_err
draft_finish(struct draft *d, struct gk_lkh_plan *plan)
{
	plan->refs = calloc(d->ref_count + 1, sizeof(*plan->refs));
	plan->wraps = calloc(d->wrap_count + 1, sizeof(*plan->wraps));
	if (plan->refs == NULL || plan->wraps == NULL)
		return GK_ERR_NOMEM;
	plan->pool = d->keys;
	plan->pool_count = d->key_count;
	d->keys = NULL;
	d->key_count = 0;
	for (size_t i = 0; i < d->ref_count; i++)
		plan->refs[i] =
			d->refs[i] == GROUP ? NULL : &plan->pool[d->refs[i]];
	for (size_t i = 0; i < d->wrap_count; i++) {
		plan->wraps[i].under = &plan->pool[d->wraps[i].under];
		plan->wraps[i].keys = &plan->refs[d->wraps[i].first];
		plan->wraps[i].count = d->wraps[i].count;
	}
	plan->count = d->wrap_count;
	return GK_OK;
}

void
gk_lkh_plan_free(struct gk_lkh_plan *plan)
{
	gk_wipe(plan->pool, plan->pool_count * sizeof(*plan->pool));
	free(plan->pool);
	free(plan->refs);
	free(plan->wraps);
	*plan = (struct gk_lkh_plan){ 0 };
}

enum gk_err
gk_lkh_draft(struct gk_lkh *lkh, enum gk_lkh_style style,
             struct gk_lkh_plan *plan)
{
	struct draft draft;
	enum gk_err err;

	*plan = (struct gk_lkh_plan){ .epoch = lkh->epoch,
		                      .group = lkh->group_due };
	if (!lkh->open)
		return GK_OK;
	GK_TRY(gk_lkh_reserve_close(lkh));
	err = draft_init(&draft, lkh);
	if (err == GK_OK)
		err = style == GK_LKH_CHAIN ? chain(&draft) : path(&draft);
	if (err == GK_OK)
		err = draft_finish(&draft, plan);
	draft_free(&draft);
	if (err != GK_OK)
		gk_lkh_plan_free(plan);
	return err;
}

void
gk_lkh_close(struct gk_lkh *lkh)
{
	if (!lkh->open)
		return;
	/* The rows still hold the old keys and what the epoch knew. */
	for (size_t i = 0; i < lkh->mark_count; i++)
		gk_lkh_touch(lkh, lkh->marks[i].at);
	gk_lkh_epoch_close(lkh);
	lkh->epoch++;
	lkh->open = false;
	lkh->group_due = false;
	lkh->head_dirty = true;
}

enum gk_err
gk_lkh_seal(struct gk_lkh *lkh, enum gk_lkh_style style,
            struct gk_lkh_plan *plan)
{
	GK_TRY(gk_lkh_draft(lkh, style, plan));
	gk_lkh_close(lkh);
	return GK_OK;
}
