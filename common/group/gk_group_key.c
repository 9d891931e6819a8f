/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_time.h"
#include "common/group/gk_group_state.h"

/* Octets for every traffic key, and the certainty that there are handles. */
enum gk_err
gk_group_draw(struct gk_group *g, struct gk_group_draw *draw)
{
	size_t n = 0;

	draw->used = 0;
	if (g->cfg.imported)
		return GK_OK;
	if (g->key_count > UINT32_MAX - g->handle)
		return GK_ERR_SPACE;
	for (size_t i = 0; i < g->key_count; i++)
		n += g->keys[i].len;
	draw->used = n;
	if (n == 0)
		return GK_OK;
	return g->env->random(g->env->ctx, draw->octets, n);
}

static int64_t
later_than(int64_t utc, const struct gk_group_key *key, enum gk_key_slot slot)
{
	if (key->has[slot] && utc <= key->version[slot].created)
		return key->version[slot].created + 1;
	return utc;
}

static void
make(struct gk_group *g, struct gk_group_key *key, enum gk_key_slot slot,
     const uint8_t *octets, int64_t utc)
{
	struct gk_traffic_key *v = &key->version[slot];

	/* A joiner may hold a NEXT that nobody else ever heard of: a later one
	 * must be dated later than that, too. */
	utc = later_than(utc, key, GK_KEY_CURRENT);
	utc = later_than(utc, key, GK_KEY_NEXT);
	*v = (struct gk_traffic_key){
		.id = key->id,
		.handle = ++g->handle,
		.type = key->type,
		.created = utc,
		.expires = GK_UTC_MAX,
		.len = key->len,
	};
	if (key->lifetime != 0 && utc < GK_UTC_MAX - key->lifetime)
		v->expires = utc + key->lifetime;
	if (key->ends != 0 && v->expires > key->ends)
		v->expires = key->ends > utc ? key->ends : utc + 1;
	memcpy(v->octets, octets, key->len);
	key->has[slot] = true;
}

void
gk_group_next_make(struct gk_group *g, const struct gk_group_draw *draw,
                   int64_t utc)
{
	const uint8_t *octets = draw->octets;

	for (size_t i = 0; i < g->key_count && !g->cfg.imported; i++) {
		make(g, &g->keys[i], GK_KEY_NEXT, octets, utc);
		octets += g->keys[i].len;
	}
}

static void
move(struct gk_group_key *key, enum gk_key_slot from, enum gk_key_slot to)
{
	gk_wipe(&key->version[to], sizeof(key->version[to]));
	key->version[to] = key->version[from];
	key->has[to] = key->has[from];
	gk_wipe(&key->version[from], sizeof(key->version[from]));
	key->has[from] = false;
}

void
gk_group_next_promote(struct gk_group *g)
{
	for (size_t i = 0; i < g->key_count; i++) {
		if (!g->keys[i].has[GK_KEY_NEXT])
			continue;
		move(&g->keys[i], GK_KEY_CURRENT, GK_KEY_PREVIOUS);
		move(&g->keys[i], GK_KEY_NEXT, GK_KEY_CURRENT);
	}
}

enum gk_err
gk_group_key_define(struct gk_group *g, uint32_t id, uint32_t type, size_t len,
                    int64_t lifetime, int64_t utc)
{
	uint8_t octets[GK_GROUP_KEY_MAX];
	struct gk_group_key *key;

	if (len == 0 || len > GK_GROUP_KEY_MAX || lifetime < 0 ||
	    lifetime > GK_UTC_MAX || g->cfg.imported)
		return GK_ERR_VALUE;
	if (g->key_count == GK_GROUP_KEYS_MAX || g->handle == UINT32_MAX)
		return GK_ERR_SPACE;
	for (size_t i = 0; i < g->key_count; i++) {
		if (g->keys[i].id == id)
			return GK_ERR_UNEXPECTED;
	}
	GK_TRY(g->env->random(g->env->ctx, octets, len));
	if (g->lkh != NULL) {
		enum gk_err err = gk_lkh_avoid_id(g->lkh, id);

		if (err != GK_OK) {
			gk_wipe(octets, sizeof(octets));
			return err;
		}
	}
	key = &g->keys[g->key_count++];
	*key = (struct gk_group_key){
		.id = id,
		.type = type,
		.len = (uint8_t)len,
		.lifetime = lifetime,
	};
	make(g, key, GK_KEY_CURRENT, octets, utc);
	gk_wipe(octets, sizeof(octets));
	g->epoch_dirty = true;
	return GK_OK;
}

static struct gk_group_key *
find_key(struct gk_group *g, uint32_t id)
{
	for (size_t i = 0; i < g->key_count; i++)
		if (g->keys[i].id == id)
			return &g->keys[i];
	return NULL;
}

enum gk_err
gk_group_key_limit(struct gk_group *g, uint32_t id, int64_t lifetime,
                   int64_t ends)
{
	struct gk_group_key *key = find_key(g, id);

	if (key == NULL || lifetime < 0 || lifetime > GK_UTC_MAX || ends < 0 ||
	    ends > GK_UTC_MAX || g->cfg.imported)
		return GK_ERR_VALUE;
	g->epoch_dirty |= key->lifetime != lifetime;
	key->lifetime = lifetime;
	key->ends = ends;
	return GK_OK;
}

static enum gk_err
import_first(struct gk_group *g, const struct gk_traffic_key *key)
{
	struct gk_group_key *k = &g->keys[g->key_count];

	if (g->key_count == GK_GROUP_KEYS_MAX)
		return GK_ERR_SPACE;
	if (g->lkh != NULL)
		GK_TRY(gk_lkh_avoid_id(g->lkh, key->id));
	*k = (struct gk_group_key){ .id = key->id,
		                    .type = key->type,
		                    .len = key->len };
	k->version[GK_KEY_CURRENT] = *key;
	k->has[GK_KEY_CURRENT] = true;
	g->key_count++;
	g->epoch_dirty = true;
	return GK_OK;
}

enum gk_err
gk_group_key_import(struct gk_group *g, const struct gk_traffic_key *key)
{
	struct gk_group_key *k = find_key(g, key->id);

	if (!g->cfg.imported || key->len == 0 || key->len > GK_GROUP_KEY_MAX ||
	    key->created < GK_UTC_MIN || key->expires > GK_UTC_MAX ||
	    key->expires <= key->created)
		return GK_ERR_VALUE;
	if (k == NULL)
		return import_first(g, key);
	if (k->type != key->type || k->len != key->len)
		return GK_ERR_VALUE;
	for (int slot = GK_KEY_CURRENT; slot <= GK_KEY_NEXT; slot++)
		if (k->has[slot] && k->version[slot].handle == key->handle)
			return GK_OK;
	k->version[GK_KEY_NEXT] = *key;
	k->has[GK_KEY_NEXT] = true;
	if (g->lkh != NULL)
		gk_lkh_replace(g->lkh);
	g->open = true;
	g->due = true;
	g->epoch_dirty = true;
	return GK_OK;
}

size_t
gk_group_key_count(const struct gk_group *g)
{
	return g->key_count;
}

const struct gk_traffic_key *
gk_group_key(const struct gk_group *g, size_t i, enum gk_key_slot slot)
{
	if (i >= g->key_count || !g->keys[i].has[slot])
		return NULL;
	return &g->keys[i].version[slot];
}

const struct gk_traffic_key *
gk_group_key_joiner(const struct gk_group *g, size_t i)
{
	const struct gk_traffic_key *next = gk_group_key(g, i, GK_KEY_NEXT);

	return next != NULL ? next : gk_group_key(g, i, GK_KEY_CURRENT);
}

enum gk_err
gk_group_key_previous_drop(struct gk_group *g)
{
	for (size_t i = 0; i < g->key_count; i++) {
		struct gk_group_key *key = &g->keys[i];

		g->epoch_dirty |= key->has[GK_KEY_PREVIOUS];
		key->has[GK_KEY_PREVIOUS] = false;
		gk_wipe(&key->version[GK_KEY_PREVIOUS],
		        sizeof(key->version[GK_KEY_PREVIOUS]));
	}
	return GK_OK;
}

/* Counters */

enum gk_err
gk_group_sequence_next(struct gk_group *g, uint32_t *sequence)
{
	if (g->sequence >= g->cfg.sequence_last)
		return GK_ERR_SPACE;
	g->sequence++;
	g->epoch_dirty = true;
	*sequence = g->sequence;
	return GK_OK;
}

uint32_t
gk_group_sequence(const struct gk_group *g)
{
	return g->sequence;
}

enum gk_err
gk_group_sequence_raise(struct gk_group *g, uint32_t sequence)
{
	if (sequence <= g->sequence)
		return GK_OK;
	g->sequence = sequence;
	g->epoch_dirty = true;
	return GK_OK;
}

enum gk_err
gk_group_handle_next(struct gk_group *g, uint32_t *handle)
{
	if (g->handle == UINT32_MAX)
		return GK_ERR_SPACE;
	g->handle++;
	g->epoch_dirty = true;
	*handle = g->handle;
	return GK_OK;
}

enum gk_err
gk_group_sender_next(struct gk_group *g, uint32_t count, uint32_t *first)
{
	uint64_t end = g->sender_next + count;
	uint64_t limit = (uint64_t)g->cfg.sender_last + 1;

	if (count == 0)
		return GK_ERR_VALUE;
	if (end > limit)
		return GK_ERR_SPACE;
	if (end > g->sender_end) {
		uint64_t over = end % g->cfg.sender_block;

		g->sender_end =
			over == 0 ? end : end + g->cfg.sender_block - over;
		if (g->sender_end > limit)
			g->sender_end = limit;
		g->epoch_dirty = true;
	}
	*first = (uint32_t)g->sender_next;
	g->sender_next = end;
	return GK_OK;
}

enum gk_err
gk_group_sender_reset(struct gk_group *g)
{
	g->sender_next = g->sender_end = 0;
	g->epoch_dirty = true;
	return GK_OK;
}

uint64_t
gk_group_senders(const struct gk_group *g)
{
	return g->sender_next;
}
