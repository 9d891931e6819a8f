/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"
#include "gdoi/engine/secret.h"
#include "gdoi/message/lkh_wrap.h"

/*
 * The member's keys of the tree: RFC 6407 sections 3.3, 4.4, 5.6.3.
 *
 * A key is IV and key, as it stands in the download array; the first one is our
 * leaf, the last one the KEK.
 */
static enum gk_err
bad_key(struct gm_change *c, const char *req, const char *field, size_t at)
{
	/* There is no key to go on with, checked or not. */
	if (!GK_CHECKED(req))
		return GK_ERR_VALUE;
	return gm_change_refuse(c, GK_ERR_VALUE,
	                        ISAKMP_NOTIFY_INVALID_KEY_INFORMATION, req,
	                        field, at);
}

static struct gk_slice
octets(const struct gm_node *node)
{
	return (struct gk_slice){ node->octets, node->len };
}

static struct gm_node *
find(struct gm_keys *keys, uint16_t id)
{
	for (uint16_t i = 0; i < keys->n_nodes; i++)
		if (keys->node[i].id == id)
			return &keys->node[i];
	return NULL;
}

/* RFC6407-5.6.3.1-05 */
static bool
expired(const struct gm_change *c, uint32_t expires)
{
	return expires != 0 && (int64_t)expires <= c->now.utc_s;
}

/* The registry of Key Type is that of KEK_ALGORITHM; RFC6407-5.3.2-03. */
static enum gk_err
key_check(struct gm_change *c, const struct gdoi_lkh_key *key, size_t at)
{
	if (key->type != c->sa->sak.algorithm && GK_CHECKED("RFC6407-5.3.2-03"))
		return bad_key(c, "RFC6407-5.3.2-03", "Key Type", at);
	if (expired(c, key->expires) && GK_CHECKED("RFC6407-5.6.3.1-05"))
		return bad_key(c, "RFC6407-5.6.3.1-05", "Key Expiration Date",
		               at);
	return GK_OK;
}

static void
log_key(const struct gm_change *c, const struct gm_node *node)
{
	gdoi_secret_lkh(c->gm->env, c->sa->sak.spi, node->id, node->handle,
	                octets(node));
}

/* ---- download ----------------------------------------------------------- */

static enum gk_err
take(struct gm_change *c, const struct gdoi_lkh_key *key, enum gk_cipher cipher,
     size_t at)
{
	struct gm_keys *keys = c->keys;
	struct gm_node *node = &keys->node[keys->n_nodes];

	GK_TRY(key_check(c, key, at));
	/* RFC6407-5.6.3.1-08 */
	if (key->data.len != gdoi_lkh_plain_len(cipher))
		return bad_key(c, "RFC6407-5.6.3.1-08", "Key Data", at);
	if (find(keys, key->id) != NULL && GK_CHECKED("RFC6407-5.6.3.1-03"))
		return bad_key(c, "RFC6407-5.6.3.1-03", "LKH ID", at);
	*node = (struct gm_node){ .id = key->id,
		                  .handle = key->handle,
		                  .expires = key->expires,
		                  .len = (uint8_t)key->data.len };
	memcpy(node->octets, key->data.ptr, key->data.len);
	keys->n_nodes++;
	log_key(c, node);
	return GK_OK;
}

enum gk_err
gm_lkh_download(struct gm_change *c, enum gk_cipher cipher,
                struct gk_slice *kek)
{
	size_t at = c->kd->at;
	struct gdoi_lkh_array array;
	struct gk_rd rd;

	if (c->kd->download.len == 0)
		return bad_key(c, "RFC6407-3.2-21", "LKH_DOWNLOAD_ARRAY", at);
	gk_rd_init(&rd, c->kd->download.ptr, c->kd->download.len);
	GK_TRY(gdoi_lkh_read(&rd, false, &array, &c->why));
	for (uint16_t i = 0; i < array.count; i++)
		GK_TRY(take(c, &array.key[i], cipher, at));
	*kek = octets(&c->keys->node[c->keys->n_nodes - 1]);
	return GK_OK;
}

/* ---- update ------------------------------------------------------------- */

/* A new version of a key of ours, or a key of a path that has grown. */
static enum gk_err
put(struct gm_change *c, const struct gdoi_lkh_key *key, struct gk_slice plain,
    size_t at)
{
	struct gm_keys *keys = c->keys;
	struct gm_node *node = find(keys, key->id);

	/* RFC6407-5.6.3.1-07: a handle is used once. */
	if (node != NULL && node->handle == key->handle) {
		if (gk_equal_secret(node->octets, plain.ptr, plain.len) ||
		    !GK_CHECKED("RFC6407-5.6.3.1-07"))
			return GK_OK;
		return bad_key(c, "RFC6407-5.6.3.1-07", "Key Handle", at);
	}
	if (node == NULL) {
		if (keys->n_nodes == GM_NODES_MAX)
			return bad_key(c, "RFC6407-5.6.3.2-02", "LKH ID", at);
		node = &keys->node[keys->n_nodes++];
	}
	*node = (struct gm_node){ .id = key->id,
		                  .handle = key->handle,
		                  .expires = key->expires,
		                  .len = (uint8_t)plain.len };
	memcpy(node->octets, plain.ptr, plain.len);
	log_key(c, node);
	return GK_OK;
}

/* One array whose first key we can open: each key opens the next. */
static enum gk_err
open_array(struct gm_change *c, const struct gdoi_lkh_array *array,
           enum gk_cipher cipher, struct gk_slice under, struct gm_node *last)
{
	size_t at = c->kd->at;
	struct gk_buf plain = { 0 };
	uint8_t key[sizeof(last->octets)];
	enum gk_err err = GK_OK;

	memcpy(key, under.ptr, under.len);
	for (uint16_t i = 0; err == GK_OK && i < array->count; i++) {
		err = key_check(c, &array->key[i], at);
		if (err != GK_OK)
			break;
		err = gdoi_lkh_unwrap(&c->group->dialect, cipher,
		                      (struct gk_slice){ key, under.len },
		                      array->key[i].data, &plain);
		if (err == GK_ERR_VALUE && GK_CHECKED("RFC6407-5.6.3.2-04"))
			err = bad_key(c, "RFC6407-5.6.3.2-04", "Key Data", at);
		if (err == GK_OK)
			err = put(c, &array->key[i], gk_buf_slice(&plain), at);
		if (err == GK_OK)
			memcpy(key, plain.ptr, plain.len);
		gk_buf_free(&plain);
	}
	if (err == GK_OK) {
		const struct gdoi_lkh_key *end = &array->key[array->count - 1];

		*last = (struct gm_node){ .id = end->id,
			                  .handle = end->handle,
			                  .len = (uint8_t)under.len };
		memcpy(last->octets, key, under.len);
	}
	gk_wipe(key, sizeof(key));
	return err;
}

/* The key that an array is encrypted under; RFC6407-5.6.3.2-03. */
static const struct gm_node *
opener(const struct gm_change *c, const struct gdoi_lkh_array *array,
       enum gk_cipher cipher)
{
	const struct gm_node *node = find(c->keys, array->id);

	if (node == NULL || node->handle != array->handle ||
	    expired(c, node->expires) ||
	    node->len != gdoi_lkh_plain_len(cipher))
		return NULL;
	return node;
}

/* The KEK goes to the end, where a download array has it. */
static void
kek_last(struct gm_keys *keys, uint16_t id)
{
	struct gm_node *node = find(keys, id), kek = *node;
	size_t at = (size_t)(node - keys->node);

	memmove(node, node + 1, (keys->n_nodes - at - 1) * sizeof(*node));
	keys->node[keys->n_nodes - 1] = kek;
	gk_wipe(&kek, sizeof(kek));
}

/* RFC6407-5.6.3.2-04: each array ends with the KEK, and there is one. */
static enum gk_err
agree(struct gm_change *c, const struct gm_node *last, struct gm_node *kek)
{
	if (kek->len != 0 &&
	    (kek->id != last->id || kek->handle != last->handle ||
	     !gk_equal_secret(kek->octets, last->octets, last->len)) &&
	    GK_CHECKED("RFC6407-5.6.3.2-04"))
		return bad_key(c, "RFC6407-5.6.3.2-04", "LKH Keys", c->kd->at);
	*kek = *last;
	return GK_OK;
}

static enum gk_err
go_through(struct gm_change *c, enum gk_cipher cipher, bool *done,
           bool *progress, struct gm_node *kek)
{
	*progress = false;
	for (uint16_t i = 0; i < c->kd->n_updates; i++) {
		struct gdoi_lkh_array array;
		const struct gm_node *node;
		struct gm_node last;
		struct gk_rd rd;

		if (done[i])
			continue;
		gk_rd_init(&rd, c->kd->update[i].ptr, c->kd->update[i].len);
		GK_TRY(gdoi_lkh_read(&rd, true, &array, &c->why));
		node = opener(c, &array, cipher);
		if (node == NULL)
			continue;
		GK_TRY(open_array(c, &array, cipher, octets(node), &last));
		GK_TRY(agree(c, &last, kek));
		gk_wipe(&last, sizeof(last));
		done[i] = *progress = true;
	}
	return GK_OK;
}

enum gk_err
gm_lkh_update(struct gm_change *c, enum gk_cipher cipher, struct gk_slice *kek)
{
	bool done[GDOI_KD_UPDATES_MAX] = { false }, progress = true;
	struct gm_node end = { 0 };

	*kek = (struct gk_slice){ 0 };
	/* An array may stand in front of the one that brings its key. */
	while (progress)
		GK_TRY(go_through(c, cipher, done, &progress, &end));
	if (end.len == 0)
		return GK_OK;
	kek_last(c->keys, end.id);
	gk_wipe(&end, sizeof(end));
	*kek = octets(&c->keys->node[c->keys->n_nodes - 1]);
	return GK_OK;
}
