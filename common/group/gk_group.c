/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_group.h"

#include <stdlib.h>
#include <string.h>

#include "common/group/gk_group_state.h"

enum gk_err
gk_group_new(const struct gk_env *env, const struct gk_group_config *cfg,
             struct gk_group **out)
{
	struct gk_group *g = calloc(1, sizeof(*g));
	enum gk_err err;

	*out = NULL;
	if (g == NULL)
		return GK_ERR_NOMEM;
	g->env = env;
	g->cfg = *cfg;
	g->epoch = 1;
	g->id_hint = 1;
	if (g->cfg.sequence_last == 0)
		g->cfg.sequence_last = UINT32_MAX;
	if (g->cfg.sender_block == 0)
		g->cfg.sender_block = 64;
	if (g->cfg.sender_last == 0)
		g->cfg.sender_last = UINT32_MAX;
	err = gk_journal_new(cfg->scope, &g->journal);
	if (err == GK_OK) {
		g->cfg.scope = gk_journal_scope(g->journal);
		if (cfg->lkh.degree != 0)
			err = gk_lkh_new(env, &cfg->lkh, &g->lkh);
	}
	if (err != GK_OK) {
		gk_group_free(g);
		return err;
	}
	*out = g;
	return GK_OK;
}

void
gk_group_seat_free(struct gk_group_seat *seat)
{
	if (seat == NULL)
		return;
	gk_buf_free(&seat->member.identity);
	gk_buf_free(&seat->member.blob);
	free(seat);
}

void
gk_group_free(struct gk_group *g)
{
	struct gk_group_item *item;
	size_t cursor;

	if (g == NULL)
		return;
	for (size_t i = 0; i < g->id_cap; i++)
		gk_group_seat_free(g->by_id[i]);
	free(g->by_id);
	for (cursor = 0; (item = gk_index_each(&g->excluded, &cursor));)
		gk_group_item_free(item);
	for (cursor = 0; (item = gk_index_each(&g->notes, &cursor));)
		gk_group_item_free(item);
	gk_index_free(&g->by_identity);
	gk_index_free(&g->excluded);
	gk_index_free(&g->notes);
	gk_lkh_free(g->lkh);
	gk_journal_free(g->journal);
	gk_wipe(g, sizeof(*g));
	free(g);
}

struct gk_journal *
gk_group_journal(struct gk_group *g)
{
	return g->journal;
}

/* Members */

enum gk_err
gk_group_ids_reserve(struct gk_group *g, uint32_t id)
{
	size_t cap = g->id_cap == 0 ? 64 : g->id_cap;
	struct gk_group_seat **grown;

	if (id < g->id_cap)
		return GK_OK;
	while (cap <= id)
		cap *= 2;
	grown = reallocarray(g->by_id, cap, sizeof(*grown));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	memset(grown + g->id_cap, 0, (cap - g->id_cap) * sizeof(*grown));
	g->by_id = grown;
	g->id_cap = cap;
	return GK_OK;
}

enum gk_err
gk_group_seat_add(struct gk_group *g, struct gk_group_seat *seat)
{
	GK_TRY(gk_group_ids_reserve(g, seat->member.id));
	GK_TRY(gk_index_add(&g->by_identity,
	                    gk_buf_slice(&seat->member.identity), seat));
	g->by_id[seat->member.id] = seat;
	return GK_OK;
}

static uint32_t
free_id(struct gk_group *g)
{
	while (g->id_hint < g->id_cap && g->by_id[g->id_hint] != NULL)
		g->id_hint++;
	return g->id_hint;
}

/* Write everything that the tree and the epoch changed. */
enum gk_err
gk_group_save_epoch(struct gk_group *g)
{
	GK_TRY(gk_group_save_keys(g, g->journal));
	GK_TRY(gk_group_save_head(g, g->journal));
	return g->lkh == NULL ? GK_OK : gk_lkh_save(g->lkh, g->journal);
}

/* The member is in the index by identity; give him a seat and an id. */
static enum gk_err
take_seat(struct gk_group *g, struct gk_group_seat *seat, int64_t utc,
          const struct gk_group_draw *draw)
{
	bool fresh;

	/* The lowest that is free is never above the number of members. */
	GK_TRY(gk_group_ids_reserve(g, (uint32_t)g->by_identity.count));
	if (g->lkh == NULL) {
		seat->member.id = free_id(g);
		seat->epoch = g->epoch;
		fresh = g->cfg.backward && !g->cfg.imported && !g->due &&
		        g->by_identity.count > 1;
		g->due |= fresh;
		g->open = true;
	} else {
		uint64_t before = gk_lkh_group_version(g->lkh);

		seat->epoch = gk_lkh_epoch(g->lkh);
		GK_TRY(gk_lkh_join(g->lkh, utc, &seat->member.seat));
		seat->member.id = seat->member.seat;
		fresh = gk_lkh_group_version(g->lkh) != before;
	}
	if (fresh)
		gk_group_next_make(g, draw, utc);
	g->by_id[seat->member.id] = seat;
	return GK_OK;
}

enum gk_err
gk_group_join(struct gk_group *g, struct gk_slice identity, int64_t utc,
              struct gk_member **member)
{
	struct gk_group_draw draw;
	struct gk_group_seat *seat;
	enum gk_err err;

	*member = NULL;
	if (identity.len > GK_GROUP_IDENTITY_MAX)
		return GK_ERR_SPACE;
	if (gk_group_find(g, identity) != NULL)
		return GK_ERR_UNEXPECTED;
	seat = calloc(1, sizeof(*seat));
	if (seat == NULL)
		return GK_ERR_NOMEM;
	seat->member.state = GK_MEMBER_PENDING;
	seat->member.joined = utc;
	seat->member.seen = utc;
	err = gk_buf_copy(&seat->member.identity, identity);
	if (err == GK_OK)
		err = gk_group_draw(g, &draw);
	if (err == GK_OK)
		err = gk_index_add(&g->by_identity,
		                   gk_buf_slice(&seat->member.identity), seat);
	if (err == GK_OK) {
		err = take_seat(g, seat, utc, &draw);
		if (err != GK_OK)
			gk_index_remove(&g->by_identity, identity);
	}
	gk_wipe(&draw, sizeof(draw));
	if (err != GK_OK) {
		gk_group_seat_free(seat);
		return err;
	}
	GK_TRY(gk_group_save_seat(seat, g->journal));
	GK_TRY(gk_group_save_epoch(g));
	*member = &seat->member;
	return GK_OK;
}

bool
gk_group_joined(const struct gk_group *g, const struct gk_member *member)
{
	const struct gk_group_seat *seat = g->by_id[member->id];

	if (g->lkh != NULL)
		return gk_lkh_joined(g->lkh, member->seat);
	return g->open && seat->epoch == g->epoch;
}

enum gk_err
gk_group_leave(struct gk_group *g, struct gk_member *member, int64_t utc)
{
	struct gk_group_seat *seat = g->by_id[member->id];
	bool fresh = true;
	struct gk_group_draw draw;
	enum gk_err err;

	GK_TRY(gk_group_draw(g, &draw));
	if (g->lkh != NULL) {
		uint64_t before = gk_lkh_group_version(g->lkh);

		err = gk_lkh_leave(g->lkh, member->seat, utc);
		if (err != GK_OK) {
			gk_wipe(&draw, sizeof(draw));
			return err;
		}
		fresh = gk_lkh_group_version(g->lkh) != before;
	} else {
		/* Who came in this epoch has seen its keys already. */
		fresh = !g->due || gk_group_joined(g, member);
		g->open = true;
		g->due |= !g->cfg.imported;
	}
	if (fresh)
		gk_group_next_make(g, &draw, utc);
	gk_wipe(&draw, sizeof(draw));
	gk_index_remove(&g->by_identity, gk_buf_slice(&member->identity));
	g->by_id[member->id] = NULL;
	if (member->id < g->id_hint)
		g->id_hint = member->id;
	err = gk_group_drop_seat(seat, g->journal);
	gk_group_seat_free(seat);
	return err == GK_OK ? gk_group_save_epoch(g) : err;
}

enum gk_err
gk_group_member_state(struct gk_group *g, struct gk_member *member,
                      enum gk_member_state state)
{
	if (member->state == state)
		return GK_OK;
	member->state = state;
	return gk_group_save_seat(g->by_id[member->id], g->journal);
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
	struct gk_buf copy;

	if (blob.len > GK_GROUP_BLOB_MAX)
		return GK_ERR_SPACE;
	GK_TRY(gk_buf_copy(&copy, blob));
	gk_buf_free(&member->blob);
	member->blob = copy;
	return gk_group_save_seat(g->by_id[member->id], g->journal);
}

struct gk_member *
gk_group_find(const struct gk_group *g, struct gk_slice identity)
{
	struct gk_group_seat *seat = gk_index_find(&g->by_identity, identity);

	return seat == NULL ? NULL : &seat->member;
}

struct gk_member *
gk_group_find_id(const struct gk_group *g, uint32_t id)
{
	if (id >= g->id_cap || g->by_id[id] == NULL)
		return NULL;
	return &g->by_id[id]->member;
}

size_t
gk_group_count(const struct gk_group *g)
{
	return g->by_identity.count;
}

struct gk_member *
gk_group_each(const struct gk_group *g, size_t *cursor)
{
	while (*cursor < g->id_cap) {
		struct gk_group_seat *seat = g->by_id[(*cursor)++];

		if (seat != NULL)
			return &seat->member;
	}
	return NULL;
}

enum gk_err
gk_group_path(const struct gk_group *g, const struct gk_member *member,
              struct gk_lkh_key *keys, size_t *count)
{
	*count = 0;
	if (g->lkh == NULL)
		return GK_OK;
	return gk_lkh_path(g->lkh, member->seat, keys, count);
}

/* Epochs */

enum gk_err
gk_group_refresh(struct gk_group *g, int64_t utc)
{
	struct gk_group_draw draw;

	if (gk_group_due(g))
		return GK_OK;
	GK_TRY(gk_group_draw(g, &draw));
	if (g->lkh != NULL)
		gk_lkh_refresh(g->lkh);
	g->open = true;
	g->due |= !g->cfg.imported;
	gk_group_next_make(g, &draw, utc);
	gk_wipe(&draw, sizeof(draw));
	return gk_group_save_epoch(g);
}

enum gk_err
gk_group_renew(struct gk_group *g, int64_t utc, int64_t limit, size_t scan,
               size_t *renewed)
{
	enum gk_err err;

	*renewed = 0;
	if (g->lkh == NULL)
		return GK_OK;
	err = gk_lkh_renew(g->lkh, utc, limit, scan, renewed);
	/* What was renewed before an error stays renewed. */
	GK_TRY(gk_lkh_save(g->lkh, g->journal));
	return err;
}

bool
gk_group_open(const struct gk_group *g)
{
	return g->lkh != NULL ? gk_lkh_open(g->lkh) : g->open;
}

bool
gk_group_due(const struct gk_group *g)
{
	if (g->cfg.imported || g->lkh == NULL)
		return g->due;
	return gk_lkh_group_due(g->lkh);
}

uint32_t
gk_group_epoch(const struct gk_group *g)
{
	return g->lkh != NULL ? gk_lkh_epoch(g->lkh) : g->epoch;
}

const struct gk_lkh *
gk_group_lkh(const struct gk_group *g)
{
	return g->lkh;
}

enum gk_err
gk_group_seal(struct gk_group *g, enum gk_lkh_style style,
              struct gk_lkh_plan *plan)
{
	bool open = gk_group_open(g), due = gk_group_due(g);
	enum gk_err err;

	if (g->lkh != NULL)
		GK_TRY(gk_lkh_seal(g->lkh, style, plan));
	else
		*plan = (struct gk_lkh_plan){ .epoch = g->epoch, .group = due };
	if (!open)
		return GK_OK;
	if (due)
		gk_group_next_promote(g);
	g->open = false;
	g->due = false;
	g->epoch++;
	err = gk_group_save_epoch(g);
	if (err != GK_OK)
		gk_lkh_plan_free(plan);
	return err;
}
