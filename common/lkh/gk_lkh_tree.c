/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/lkh/gk_lkh_tree.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_pages.h"
#include "common/base/gk_time.h"

bool
gk_lkh_find_id(const struct gk_lkh *lkh, uint32_t id, struct gk_lkh_at *at)
{
	for (uint32_t i = 0; i < lkh->block_count; i++) {
		const struct gk_lkh_block *b = &lkh->blocks[i];

		if (id >= b->first_id && id - b->first_id < b->nodes) {
			*at = (struct gk_lkh_at){ i, id - b->first_id };
			return true;
		}
	}
	return false;
}

bool
gk_lkh_has_id(const struct gk_lkh *lkh, uint32_t id)
{
	struct gk_lkh_at at;

	return gk_lkh_find_id(lkh, id, &at) &&
	       !gk_lkh_is_rootless(lkh, at.node);
}

enum gk_err
gk_lkh_avoid_id(struct gk_lkh *lkh, uint32_t id)
{
	uint32_t first = lkh->first_id, last = lkh->last_id;
	struct gk_lkh_block shape;

	if (id < first || id > last || (lkh->cfg.plain && id == first))
		return GK_OK;
	if (gk_lkh_has_id(lkh, id))
		return GK_ERR_UNEXPECTED;
	/* Whichever side leaves more room. */
	if (lkh->block_count == 0 && id - first < last - id)
		lkh->first_id = id + 1;
	else if (id > first)
		lkh->last_id = id - 1;
	else
		return GK_ERR_SPACE;
	if (lkh->block_count == 0 && gk_lkh_shape(lkh, &shape) != GK_OK) {
		lkh->first_id = first;
		lkh->last_id = last;
		return GK_ERR_SPACE;
	}
	lkh->head_dirty = true;
	return GK_OK;
}

static enum gk_err
check_config(struct gk_lkh_config *cfg)
{
	if (cfg->degree < 2 || cfg->degree > GK_LKH_DEGREE_MAX)
		return GK_ERR_VALUE;
	if (cfg->key_len < GK_LKH_KEY_MIN || cfg->key_len > GK_LKH_KEY_MAX)
		return GK_ERR_VALUE;
	if (cfg->lifetime < 0 || cfg->lifetime >= GK_LKH_FOREVER)
		return GK_ERR_VALUE;
	if (cfg->capacity > GK_LKH_SEATS_MAX)
		return GK_ERR_SPACE;
	if (cfg->capacity == 0)
		cfg->capacity = cfg->degree;
	if (cfg->first_id == 0)
		cfg->first_id = 1;
	if (cfg->last_id == 0)
		cfg->last_id = UINT32_MAX;
	if (cfg->spare == 0)
		cfg->spare = GK_LKH_SPARE;
	return GK_OK;
}

/* A node and its key, aligned for the next node. */
static size_t
stride_of(size_t key_len)
{
	const size_t align = _Alignof(struct gk_lkh_node);

	return (sizeof(struct gk_lkh_node) + key_len + align - 1) / align *
	       align;
}

static unsigned
shift_of(unsigned degree)
{
	unsigned shift = 0;

	while (1U << shift < degree)
		shift++;
	return 1U << shift == degree ? shift : 0;
}

enum gk_err
gk_lkh_new(const struct gk_env *env, const struct gk_lkh_config *cfg,
           struct gk_lkh **out)
{
	struct gk_lkh *lkh = calloc(1, sizeof(*lkh));
	struct gk_lkh_block shape;
	enum gk_err err;

	*out = NULL;
	if (lkh == NULL)
		return GK_ERR_NOMEM;
	lkh->env = env;
	lkh->cfg = *cfg;
	lkh->epoch = 1;
	lkh->head_dirty = true;
	lkh->soonest = INT64_MAX;
	lkh->round_soonest = INT64_MAX;
	err = check_config(&lkh->cfg);
	lkh->stride = stride_of(lkh->cfg.key_len);
	lkh->first_id = lkh->cfg.first_id;
	lkh->last_id = lkh->cfg.last_id;
	/* The first tree is planted by the first join, or by a load; here only
	 * to know that it will fit. */
	if (err == GK_OK) {
		lkh->shift = shift_of(lkh->cfg.degree);
		err = gk_lkh_shape(lkh, &shape);
	}
	if (err != GK_OK) {
		gk_lkh_free(lkh);
		return err;
	}
	*out = lkh;
	return GK_OK;
}

void
gk_lkh_free(struct gk_lkh *lkh)
{
	if (lkh == NULL)
		return;
	gk_lkh_epoch_close(lkh);
	for (uint32_t i = 0; i < lkh->block_count; i++) {
		struct gk_lkh_block *b = &lkh->blocks[i];

		/* Only where there was ever a key: a sweep over the whole
		 * array would touch pages that were never used. */
		for (uint32_t n = 0; n < b->nodes; n++) {
			struct gk_lkh_node *node = gk_lkh_node_of(lkh, b, n);

			if (node->keyed)
				gk_wipe(node->key, lkh->cfg.key_len);
		}
		free(b->nodes_at);
	}
	free(lkh->blocks);
	free(lkh->marks);
	free(lkh->olds);
	free(lkh->dirty);
	free(lkh);
}

/* Leaves and nodes of a complete tree; false: more than we carry. */
static bool
tree_size(unsigned degree, uint32_t height, uint32_t *leaves, uint32_t *nodes)
{
	uint64_t l = 1, n = 1;

	for (uint32_t i = 0; i < height; i++) {
		l *= degree;
		n += l;
		if (l > GK_LKH_SEATS_MAX)
			return false;
	}
	*leaves = (uint32_t)l;
	*nodes = (uint32_t)n;
	return true;
}

enum gk_err
gk_lkh_shape(const struct gk_lkh *lkh, struct gk_lkh_block *block)
{
	const struct gk_lkh_config *cfg = &lkh->cfg;
	uint64_t first_id = lkh->first_id;
	uint32_t want = cfg->capacity, height = 1, leaves = 0, nodes = 0;

	if (lkh->block_count != 0) {
		const struct gk_lkh_block *last =
			&lkh->blocks[lkh->block_count - 1];

		if (cfg->plain)
			return GK_ERR_SPACE;
		want = lkh->seats;
		first_id = (uint64_t)last->first_id + last->nodes;
	}
	while (tree_size(cfg->degree, height, &leaves, &nodes) && leaves < want)
		height++;
	/* The first tree is what was asked for or nothing; later ones take the
	 * room that is left. */
	for (; height >= 1; height--) {
		if (tree_size(cfg->degree, height, &leaves, &nodes) &&
		    leaves <= GK_LKH_SEATS_MAX - lkh->seats &&
		    first_id + nodes - 1 <= lkh->last_id) {
			*block = (struct gk_lkh_block){
				.first_id = (uint32_t)first_id,
				.first_seat = lkh->seats + 1,
				.height = height,
				.nodes = nodes,
				.leaves = leaves,
			};
			return GK_OK;
		}
		if (lkh->block_count == 0)
			return GK_ERR_SPACE;
	}
	return GK_ERR_SPACE;
}

enum gk_err
gk_lkh_plant(struct gk_lkh *lkh, const struct gk_lkh_block *shape)
{
	struct gk_lkh_block *grown;
	struct gk_lkh_block b = *shape;

	grown = reallocarray(lkh->blocks, lkh->block_count + 1, sizeof(b));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	lkh->blocks = grown;
	b.nodes_at = calloc(b.nodes, lkh->stride);
	if (b.nodes_at == NULL)
		return GK_ERR_NOMEM;
	b.large = gk_pages_large(b.nodes_at, b.nodes * lkh->stride);
	lkh->blocks[lkh->block_count++] = b;
	lkh->seats += b.leaves;
	return GK_OK;
}

enum gk_err
gk_lkh_grow(void **array, size_t *cap, size_t used, size_t more, size_t size)
{
	size_t want = *cap == 0 ? 64 : *cap;
	uint8_t *grown;

	if (more <= *cap - used)
		return GK_OK;
	/* A large one is copied, and wiped, less often; what of it is never
	 * used is no memory yet. */
	while (want - used < more)
		want *= want < GK_LKH_KEEP ? 2 : 4;
	/* Not realloc(): it would leave a copy of old keys behind. */
	grown = reallocarray(NULL, want, size);
	if (grown == NULL)
		return GK_ERR_NOMEM;
	if (used != 0)
		memcpy(grown, *array, used * size);
	gk_wipe(*array, used * size);
	free(*array);
	*array = grown;
	*cap = want;
	return GK_OK;
}

static enum gk_err
reserve_dirty(struct gk_lkh *lkh, size_t n)
{
	void *dirty = lkh->dirty;
	enum gk_err err = gk_lkh_grow(&dirty, &lkh->dirty_cap, lkh->dirty_count,
	                              n, sizeof(*lkh->dirty));

	lkh->dirty = dirty;
	return err;
}

static enum gk_err
reserve_olds(struct gk_lkh *lkh, size_t n)
{
	void *olds = lkh->olds;
	enum gk_err err = gk_lkh_grow(&olds, &lkh->old_cap, lkh->old_count, n,
	                              sizeof(*lkh->olds));

	lkh->olds = olds;
	return err;
}

enum gk_err
gk_lkh_reserve(struct gk_lkh *lkh, size_t n)
{
	void *marks = lkh->marks;
	enum gk_err err = gk_lkh_grow(&marks, &lkh->mark_cap, lkh->mark_count,
	                              n, sizeof(*lkh->marks));

	lkh->marks = marks;
	if (err == GK_OK)
		err = reserve_olds(lkh, n);
	return err == GK_OK ? reserve_dirty(lkh, n) : err;
}

enum gk_err
gk_lkh_reserve_close(struct gk_lkh *lkh)
{
	size_t n = 0;

	for (size_t i = 0; i < lkh->mark_count; i++)
		n += !gk_lkh_node_at(lkh, lkh->marks[i].at)->dirty;
	return reserve_dirty(lkh, n);
}

struct gk_lkh_mark *
gk_lkh_mark_get(struct gk_lkh *lkh, struct gk_lkh_at at)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);
	struct gk_lkh_mark *mark = gk_lkh_mark_at(lkh, at);

	if (mark != NULL)
		return mark;
	mark = &lkh->marks[lkh->mark_count++];
	*mark = (struct gk_lkh_mark){ .at = at };
	node->mark = (uint32_t)lkh->mark_count;
	return mark;
}

void
gk_lkh_touch(struct gk_lkh *lkh, struct gk_lkh_at at)
{
	struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);

	if (node->dirty)
		return;
	node->dirty = true;
	lkh->blocks[at.block].dirty++;
	lkh->dirty[lkh->dirty_count++] = at;
}

void
gk_lkh_key_copy(const struct gk_lkh *lkh, struct gk_lkh_at at,
                struct gk_lkh_key *key)
{
	const struct gk_lkh_node *node = gk_lkh_node_at(lkh, at);

	*key = (struct gk_lkh_key){
		.id = lkh->blocks[at.block].first_id + at.node,
		.handle = node->handle,
		.created = node->created,
		.expires = gk_lkh_node_expires(node),
		.len = (uint8_t)lkh->cfg.key_len,
	};
	memcpy(key->octets, gk_lkh_octets_at(lkh, at), key->len);
}

void
gk_lkh_epoch_close(struct gk_lkh *lkh)
{
	for (size_t i = 0; i < lkh->mark_count; i++)
		gk_lkh_node_at(lkh, lkh->marks[i].at)->mark = 0;
	gk_wipe(lkh->olds, lkh->old_count * sizeof(*lkh->olds));
	lkh->mark_count = lkh->old_count = 0;
	gk_wipe(lkh->pool, lkh->pool_left);
	lkh->pool_left = 0;
	if (lkh->mark_cap > GK_LKH_KEEP) { /* after a flood of joins */
		free(lkh->marks);
		lkh->marks = NULL;
		lkh->mark_cap = 0;
	}
	if (lkh->old_cap > GK_LKH_KEEP) {
		free(lkh->olds);
		lkh->olds = NULL;
		lkh->old_cap = 0;
	}
}
