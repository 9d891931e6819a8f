/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_pages.h"
#include "common/group/gk_group_state.h"

/*
 * Members.  There may be a million of them, so what is kept for each is small:
 * one record, one piece of memory for identity and blob together, a pointer by
 * id and eight octets in the index by identity.
 */

#define DOUBLE_UP_TO 4096

/* The next larger array.  With a hundred thousand members, doubling would leave
 * more octets unused for each than their copying is worth. */
static size_t
grown_cap(size_t cap, size_t first)
{
	if (cap == 0)
		return first;
	return cap < DOUBLE_UP_TO ? cap * 2 : cap + cap / 4;
}

/* ---- by identity -------------------------------------------------------- */

struct gk_group_slot {
	uint32_t hash;
	uint32_t id; /* 0: the slot is free */
};

static uint32_t
hash_of(struct gk_slice identity)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < identity.len; i++)
		h = (h ^ identity.ptr[i]) * 0x100000001b3u;
	/* The place in the index comes from the upper bits. */
	return (uint32_t)(h ^ h >> 32) * 0x9e3779b1u;
}

/* Not a power of two: a large index then need not double to grow. */
static size_t
home_of(uint32_t hash, size_t cap)
{
	return (size_t)((uint64_t)hash * cap >> 32);
}

static size_t
behind(size_t i, size_t cap)
{
	return i + 1 == cap ? 0 : i + 1;
}

/* Where @identity is, or would be; there is always a free slot. */
static size_t
slot_of(const struct gk_group *g, struct gk_slice identity, uint32_t hash)
{
	size_t i = home_of(hash, g->slot_cap);

	for (; g->slots[i].id != 0; i = behind(i, g->slot_cap))
		if (g->slots[i].hash == hash &&
		    gk_slice_equal(
			    gk_buf_slice(&g->by_id[g->slots[i].id]->identity),
			    identity))
			break;
	return i;
}

struct gk_member *
gk_group_find(const struct gk_group *g, struct gk_slice identity)
{
	uint32_t id;

	if (g->member_count == 0)
		return NULL;
	id = g->slots[slot_of(g, identity, hash_of(identity))].id;
	return id == 0 ? NULL : g->by_id[id];
}

static enum gk_err
slots_resize(struct gk_group *g, size_t cap)
{
	struct gk_group_slot *grown;
	size_t at;

	grown = calloc(cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	(void)gk_pages_large(grown, cap * sizeof(*grown));
	for (size_t i = 0; i < g->slot_cap; i++) {
		if (g->slots[i].id == 0)
			continue;
		at = home_of(g->slots[i].hash, cap);
		while (grown[at].id != 0)
			at = behind(at, cap);
		grown[at] = g->slots[i];
	}
	free(g->slots);
	g->slots = grown;
	g->slot_cap = cap;
	return GK_OK;
}

static enum gk_err
slots_reserve(struct gk_group *g)
{
	if ((g->member_count + 1) * 4 <= g->slot_cap * 3)
		return GK_OK;
	return slots_resize(g, grown_cap(g->slot_cap, 16));
}

void
gk_group_leave_soon(const struct gk_group *g, const struct gk_member *m,
                    int step)
{
	uint32_t hash;

	switch (step) {
	case 0:
		__builtin_prefetch(m);
		break;
	case 1:
		__builtin_prefetch(m->identity.ptr);
		if (g->lkh != NULL)
			gk_lkh_leave_soon(g->lkh, m->seat);
		break;
	default:
		hash = hash_of(gk_buf_slice(&m->identity));
		__builtin_prefetch(&g->slots[home_of(hash, g->slot_cap)]);
		break;
	}
}

static void
slot_remove(struct gk_group *g, struct gk_slice identity)
{
	size_t cap = g->slot_cap, i;
	size_t hole = slot_of(g, identity, hash_of(identity));

	/* Close the gap: whoever stands behind it and not yet in front of his
	 * own place moves up. */
	for (i = behind(hole, cap); g->slots[i].id != 0; i = behind(i, cap)) {
		size_t home = home_of(g->slots[i].hash, cap);

		if ((i - home + cap) % cap < (i - hole + cap) % cap)
			continue;
		g->slots[hole] = g->slots[i];
		hole = i;
	}
	g->slots[hole] = (struct gk_group_slot){ 0 };
}

/* ---- records ------------------------------------------------------------ */

/* Identity and blob lie in one piece, the identity first. */
static enum gk_err
set_octets(struct gk_member *m, struct gk_slice identity, struct gk_slice blob)
{
	uint8_t *p = malloc(identity.len + blob.len + 1);

	if (p == NULL)
		return GK_ERR_NOMEM;
	if (identity.len != 0)
		memcpy(p, identity.ptr, identity.len);
	if (blob.len != 0)
		memcpy(p + identity.len, blob.ptr, blob.len);
	if (m->identity.ptr != NULL)
		gk_wipe(m->identity.ptr, m->identity.len + m->blob_len);
	free(m->identity.ptr);
	m->identity = (struct gk_buf){ p, identity.len };
	m->blob_len = (uint32_t)blob.len;
	return GK_OK;
}

enum gk_err
gk_group_member_new(struct gk_slice identity, struct gk_slice blob,
                    struct gk_member **out)
{
	struct gk_member *m = calloc(1, sizeof(*m));

	*out = NULL;
	if (m == NULL || set_octets(m, identity, blob) != GK_OK) {
		free(m);
		return GK_ERR_NOMEM;
	}
	*out = m;
	return GK_OK;
}

void
gk_group_member_free(struct gk_member *m)
{
	if (m == NULL)
		return;
	gk_wipe(m->identity.ptr, m->identity.len + m->blob_len);
	free(m->identity.ptr);
	free(m);
}

void
gk_group_members_free(struct gk_group *g)
{
	for (size_t i = 0; i < g->id_cap; i++)
		gk_group_member_free(g->by_id[i]);
	free(g->by_id);
	free(g->slots);
	free(g->dirty);
}

static enum gk_err
ids_reserve(struct gk_group *g, uint32_t id)
{
	size_t cap = g->id_cap;
	struct gk_member **grown;

	if (id < g->id_cap)
		return GK_OK;
	while (cap <= id)
		cap = grown_cap(cap, 64);
	grown = reallocarray(g->by_id, cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	memset(grown + g->id_cap, 0, (cap - g->id_cap) * sizeof(*grown));
	g->by_id = grown;
	g->id_cap = cap;
	return GK_OK;
}

enum gk_err
gk_group_members_reserve(struct gk_group *g, uint32_t id)
{
	GK_TRY(ids_reserve(g, id));
	return slots_reserve(g);
}

#define ROOMY 8 /* times what is needed */

void
gk_group_members_shrink(struct gk_group *g)
{
	size_t few = g->member_count + DOUBLE_UP_TO, seats;
	struct gk_member **less;

	/* Without the memory for a smaller one, the large one stays. */
	if (g->slot_cap / ROOMY > few)
		(void)slots_resize(g, 2 * few);
	if (g->lkh == NULL)
		return;
	seats = gk_lkh_seats(g->lkh) + (size_t)1; /* ids are seats */
	if (g->id_cap / ROOMY <= seats)
		return;
	less = reallocarray(g->by_id, seats, sizeof(*less));
	if (less == NULL)
		return;
	g->by_id = less;
	g->id_cap = seats;
}

void
gk_group_member_add(struct gk_group *g, struct gk_member *m)
{
	struct gk_slice identity = gk_buf_slice(&m->identity);
	uint32_t hash = hash_of(identity);

	g->slots[slot_of(g, identity, hash)] =
		(struct gk_group_slot){ hash, m->id };
	g->by_id[m->id] = m;
	g->in_state[m->state]++;
	g->member_count++;
}

void
gk_group_member_remove(struct gk_group *g, struct gk_member *m)
{
	slot_remove(g, gk_buf_slice(&m->identity));
	g->by_id[m->id] = NULL;
	g->in_state[m->state]--;
	g->member_count--;
	if (m->id < g->id_hint)
		g->id_hint = m->id;
	gk_group_member_free(m);
}

/* ---- what the journal does not have yet --------------------------------- */

enum gk_err
gk_group_dirty_reserve(struct gk_group *g)
{
	size_t cap = g->dirty_cap == 0 ? 64 : g->dirty_cap * 2;
	uint32_t *grown;

	if (g->dirty_count < g->dirty_cap)
		return GK_OK;
	grown = reallocarray(g->dirty, cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	g->dirty = grown;
	g->dirty_cap = cap;
	return GK_OK;
}

void
gk_group_dirty_add(struct gk_group *g, struct gk_member *m)
{
	if (m->dirty)
		return;
	m->dirty = true;
	g->dirty[g->dirty_count++] = m->id;
}

enum gk_err
gk_group_save_members(struct gk_group *g, struct gk_journal *journal)
{
	for (size_t i = 0; i < g->dirty_count; i++) {
		struct gk_member *m = gk_group_find_id(g, g->dirty[i]);

		if (m == NULL)
			GK_TRY(gk_group_drop_member(g->dirty[i], journal));
		else if (m->dirty)
			GK_TRY(gk_group_save_member(m, journal));
		if (m != NULL)
			m->dirty = false;
	}
	g->dirty_count = 0;
	if (g->dirty_cap > GK_GROUP_DIRTY_KEEP) { /* after a large batch */
		free(g->dirty);
		g->dirty = NULL;
		g->dirty_cap = 0;
	}
	return GK_OK;
}

/* ---- for callers -------------------------------------------------------- */

enum gk_err
gk_group_member_state(struct gk_group *g, struct gk_member *member,
                      enum gk_member_state state)
{
	if (member->state == state)
		return GK_OK;
	GK_TRY(gk_group_member_changed(g, member));
	g->in_state[member->state]--;
	g->in_state[state]++;
	member->state = state;
	return GK_OK;
}

enum gk_err
gk_group_member_changed(struct gk_group *g, struct gk_member *member)
{
	if (!member->dirty)
		GK_TRY(gk_group_dirty_reserve(g));
	gk_group_dirty_add(g, member);
	return GK_OK;
}

void
gk_group_member_seen(struct gk_member *member, int64_t utc)
{
	if (utc > member->seen)
		member->seen = utc;
}

enum gk_err
gk_group_member_blob(struct gk_group *g, struct gk_member *member,
                     struct gk_slice blob)
{
	if (blob.len > GK_GROUP_BLOB_MAX)
		return GK_ERR_SPACE;
	GK_TRY(gk_group_dirty_reserve(g));
	GK_TRY(set_octets(member, gk_buf_slice(&member->identity), blob));
	gk_group_dirty_add(g, member);
	return GK_OK;
}

struct gk_member *
gk_group_find_id(const struct gk_group *g, uint32_t id)
{
	return id < g->id_cap ? g->by_id[id] : NULL;
}

size_t
gk_group_count(const struct gk_group *g)
{
	return g->member_count;
}

size_t
gk_group_count_state(const struct gk_group *g, enum gk_member_state state)
{
	return g->in_state[state];
}

struct gk_member *
gk_group_each(const struct gk_group *g, size_t *cursor)
{
	while (*cursor < g->id_cap) {
		struct gk_member *m = g->by_id[(*cursor)++];

		if (m != NULL)
			return m;
	}
	return NULL;
}
