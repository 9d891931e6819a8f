/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_state.h"
#include "gdoi/engine/secret.h"
#include "gdoi/payload/lkh.h"

/*
 * LKH arrays: RFC 6407 sections 5.6.3.1, 5.6.3.2.
 *
 * The tree has the KEK as its root, which gk_lkh calls the group key.  A wrap of
 * a plan in the style PATH is an update array: the keys of the path above its
 * wrapping key, each under the one before it.
 */
#define ARRAY_HEAD 12

static void
lkh_key(const struct gdoi_group *g, const struct gk_lkh_key *key,
        struct gdoi_lkh_key *out)
{
	*out = (struct gdoi_lkh_key){
		.id = (uint16_t)key->id,
		.type = (uint8_t)g->policy->rekey.sak.algorithm,
		.created = (uint32_t)key->created,
		.handle = key->handle,
		.data = gk_lkh_key_slice(key),
	};
}

static void
kek_key(const struct gdoi_rekey_sa *kek, struct gdoi_lkh_key *out)
{
	*out = (struct gdoi_lkh_key){
		.id = GDOI_LKH_ROOT,
		.type = (uint8_t)kek->sak.algorithm,
		.created = (uint32_t)kek->created,
		.handle = kek->handle,
		.data = gk_buf_slice(&kek->key),
	};
}

static enum gk_err
encode(bool update, const struct gdoi_lkh_array *array, struct gk_buf *value)
{
	size_t len = ARRAY_HEAD;
	struct gk_wr wr;

	for (uint16_t i = 0; i < array->count; i++)
		len += GDOI_LKH_KEY_FIXED + array->key[i].data.len;
	GK_TRY(gk_buf_alloc(value, len));
	gk_wr_init(&wr, value->ptr, value->len);
	gdoi_lkh_encode(&wr, update, array);
	value->len = wr.len;
	return gk_wr_done(&wr);
}

enum gk_err
gdoi_download_render(const struct gdoi_group *g,
                     const struct gdoi_rekey_sa *kek, struct gk_lkh_key *path,
                     size_t n, struct gk_buf *value)
{
	struct gdoi_lkh_array array = { 0 };
	struct gk_buf root = { 0 };
	enum gk_err err;

	if (n >= GDOI_LKH_KEYS_MAX)
		return GK_ERR_SPACE;
	/* RFC6407-5.6.3.1-09: the leaf first, the KEK last. */
	for (size_t i = 0; i < n; i++) {
		lkh_key(g, &path[i], &array.key[i]);
		gdoi_secret_lkh(g->env, kek->sak.spi, array.key[i].id,
		                array.key[i].handle, array.key[i].data);
	}
	kek_key(kek, &array.key[n]);
	array.count = (uint16_t)(n + 1);
	err = gdoi_kek_octets(g, kek, &root);
	array.key[n].data = gk_buf_slice(&root);
	if (err == GK_OK)
		err = encode(false, &array, value);
	gk_buf_free(&root);
	gk_wipe(path, n * sizeof(*path));
	return err;
}

/* The new keys of a plan, by LKH ID: what is traced of it, once each. */
struct content {
	const struct gk_lkh_key **key;
	size_t n;
};

static int
by_id(const void *a, const void *b)
{
	const struct gk_lkh_key *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static enum gk_err
content_of(const struct gk_lkh_plan *plan, struct content *c)
{
	size_t most = 0;

	for (size_t i = 0; i < plan->count; i++)
		most += plan->wraps[i].count;
	c->key = calloc(most + 1, sizeof(*c->key));
	if (c->key == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < plan->count; i++)
		for (size_t k = 0; k < plan->wraps[i].count; k++)
			if (plan->wraps[i].keys[k] != NULL)
				c->key[c->n++] = plan->wraps[i].keys[k];
	qsort(c->key, c->n, sizeof(*c->key), by_id);
	return GK_OK;
}

/*
 * RFC6407-5.6.3.2-04: every key of the path, from the one next to the wrapping key
 * to the KEK.  A wrap may have fewer: some of those whom it is for hold others, and
 * one that renews a key in the middle of the tree has that alone.  Who has the key
 * below may have those as well.
 */
static enum gk_err
collect(const struct gdoi_group *g, const struct gk_lkh_wrap *wrap,
        const struct gdoi_rekey_sa *kek, struct gk_lkh_key *above,
        struct gdoi_lkh_array *array)
{
	uint32_t id = wrap->under->id;
	size_t n;

	*array = (struct gdoi_lkh_array){ .id = (uint16_t)id,
		                          .handle = wrap->under->handle };
	GK_TRY(gk_lkh_above(gk_group_lkh(g->data), id, above, &n));
	if (n + 2 > GDOI_LKH_KEYS_MAX)
		return GK_ERR_SPACE;
	for (size_t i = 0; i < wrap->count; i++) /* under its own old one */
		if (wrap->keys[i] != NULL && wrap->keys[i]->id == id)
			lkh_key(g, wrap->keys[i], &array->key[array->count++]);
	for (size_t i = 0; i < n; i++)
		lkh_key(g, &above[i], &array->key[array->count++]);
	kek_key(kek, &array->key[array->count++]);
	return GK_OK;
}

static enum gk_err
seal(const struct gdoi_group *g, struct gk_slice under,
     const struct gdoi_rekey_sa *kek, struct gk_sealer *sealer,
     struct gdoi_lkh_array *array, struct gk_buf *value)
{
	uint8_t sealed[GDOI_LKH_KEYS_MAX][GDOI_LKH_WRAPPED_MAX];
	size_t len = gdoi_lkh_wrapped_len(&g->dialect, kek->cipher);

	for (uint16_t i = 0; i < array->count; i++) {
		struct gk_slice key = array->key[i].data;
		enum gk_err err =
			gdoi_lkh_wrap_into(&g->dialect, sealer, kek->cipher,
		                           under, key, sealed[i]);

		if (err != GK_OK) {
			gk_wipe(sealed[i], sizeof(sealed[i]));
			return err;
		}
		array->key[i].data = (struct gk_slice){ sealed[i], len };
		under = key;
	}
	return encode(true, array, value);
}

static enum gk_err
render(const struct gdoi_group *g, const struct gk_lkh_wrap *wrap,
       const struct gdoi_rekey_sa *kek, struct gk_sealer *sealer,
       struct gk_buf *value, size_t *keys)
{
	struct gk_lkh_key above[GK_LKH_DEPTH_MAX];
	struct gdoi_lkh_array array;
	enum gk_err err = collect(g, wrap, kek, above, &array);

	if (err == GK_OK)
		err = seal(g, gk_lkh_key_slice(wrap->under), kek, sealer,
		           &array, value);
	if (err == GK_OK)
		*keys += array.count;
	gk_wipe(above, sizeof(above));
	return err;
}

/* Whoever finds several arrays holds the wrapping key that is deepest only once he
 * has climbed from there: that one comes first. */
static int
deepest_under_first(const void *a, const void *b)
{
	const struct gk_lkh_wrap *const *x = a, *const *y = b;

	return (*x)->under->id > (*y)->under->id
	               ? -1
	               : (*x)->under->id < (*y)->under->id;
}

static enum gk_err
render_all(const struct gdoi_group *g, const struct gk_lkh_plan *plan,
           const struct gdoi_rekey_sa *kek, struct gdoi_arrays *arrays)
{
	const struct gk_lkh_wrap **order = calloc(plan->count, sizeof(*order));
	struct gk_sealer sealer = { 0 };
	enum gk_err err = GK_OK;

	if (order == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < plan->count; i++)
		order[i] = &plan->wraps[i];
	qsort(order, plan->count, sizeof(*order), deepest_under_first);
	for (; err == GK_OK && arrays->n < plan->count; arrays->n++)
		err = render(g, order[arrays->n], kek, &sealer,
		             &arrays->value[arrays->n], &arrays->keys);
	gk_sealer_end(&sealer);
	free(order);
	return err;
}

enum gk_err
gdoi_arrays_render(const struct gdoi_group *g, const struct gk_lkh_plan *plan,
                   const struct gdoi_rekey_sa *kek, struct gdoi_arrays *arrays)
{
	struct content c = { 0 };
	enum gk_err err;

	*arrays = (struct gdoi_arrays){ 0 };
	if (plan->count == 0)
		return GK_OK;
	arrays->value = calloc(plan->count, sizeof(*arrays->value));
	if (arrays->value == NULL)
		return GK_ERR_NOMEM;
	err = content_of(plan, &c);
	for (size_t i = 0; i < c.n; i++)
		if (i == 0 || c.key[i]->id != c.key[i - 1]->id)
			gdoi_secret_lkh(
				g->env, kek->sak.spi, (uint16_t)c.key[i]->id,
				c.key[i]->handle, gk_lkh_key_slice(c.key[i]));
	if (err == GK_OK)
		err = render_all(g, plan, kek, arrays);
	free(c.key);
	return err;
}

void
gdoi_arrays_free(struct gdoi_arrays *arrays)
{
	for (size_t i = 0; i < arrays->n; i++)
		gk_buf_free(&arrays->value[i]);
	free(arrays->value);
	*arrays = (struct gdoi_arrays){ 0 };
}
