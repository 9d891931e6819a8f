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
gk_group_free(struct gk_group *g)
{
	struct gk_group_item *item;
	size_t cursor;

	if (g == NULL)
		return;
	gk_group_members_free(g);
	for (cursor = 0; (item = gk_index_each(&g->excluded, &cursor));)
		gk_group_item_free(item);
	for (cursor = 0; (item = gk_index_each(&g->notes, &cursor));)
		gk_group_item_free(item);
	gk_index_free(&g->excluded);
	gk_index_free(&g->notes);
	gk_lkh_free(g->lkh);
	gk_journal_free(g->journal);
	gk_wipe(g, sizeof(*g));
	free(g);
}

/* Rows are written when somebody asks for them, once for each thing that has
 * changed, however often it did. */
struct gk_journal *
gk_group_journal(struct gk_group *g)
{
	enum gk_err err = gk_group_save_members(g, g->journal);

	if (err == GK_OK && g->epoch_dirty) {
		err = gk_group_save_keys(g, g->journal);
		if (err == GK_OK)
			err = gk_group_save_head(g, g->journal);
		if (err == GK_OK && g->lkh != NULL)
			err = gk_lkh_save(g->lkh, g->journal);
	}
	if (err == GK_OK)
		g->epoch_dirty = false;
	else
		gk_journal_lose(g->journal);
	return g->journal;
}

/* Members */

static uint32_t
free_id(struct gk_group *g)
{
	while (g->id_hint < g->id_cap && g->by_id[g->id_hint] != NULL)
		g->id_hint++;
	return g->id_hint;
}

/* Give a new member a seat and an id. */
static enum gk_err
take_seat(struct gk_group *g, struct gk_member *m, int64_t utc,
          const struct gk_group_draw *draw)
{
	bool fresh;

	/* The lowest that is free is never above the number of members. */
	GK_TRY(gk_group_members_reserve(g, (uint32_t)g->member_count + 1));
	GK_TRY(gk_group_dirty_reserve(g));
	if (g->lkh == NULL) {
		m->id = free_id(g);
		m->epoch = g->epoch;
		fresh = g->cfg.backward && !g->cfg.imported && !g->due &&
		        g->member_count > 0;
		g->due |= fresh;
		g->open = true;
	} else {
		uint64_t before = gk_lkh_group_version(g->lkh);

		m->epoch = gk_lkh_epoch(g->lkh);
		GK_TRY(gk_lkh_join(g->lkh, utc, &m->seat));
		m->id = m->seat;
		fresh = gk_lkh_group_version(g->lkh) != before;
	}
	if (fresh)
		gk_group_next_make(g, draw, utc);
	gk_group_member_add(g, m);
	gk_group_dirty_add(g, m);
	g->epoch_dirty = true;
	return GK_OK;
}

enum gk_err
gk_group_join(struct gk_group *g, struct gk_slice identity, int64_t utc,
              struct gk_member **member)
{
	return gk_group_join_with(g, identity, (struct gk_slice){ NULL, 0 },
	                          utc, member);
}

enum gk_err
gk_group_join_with(struct gk_group *g, struct gk_slice identity,
                   struct gk_slice blob, int64_t utc, struct gk_member **member)
{
	struct gk_group_draw draw;
	struct gk_member *m;
	enum gk_err err;

	*member = NULL;
	if (identity.len > GK_GROUP_IDENTITY_MAX ||
	    blob.len > GK_GROUP_BLOB_MAX)
		return GK_ERR_SPACE;
	if (g->lkh != NULL)
		gk_lkh_join_soon(g->lkh);
	if (gk_group_find(g, identity) != NULL)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gk_group_member_new(identity, blob, &m));
	m->state = GK_MEMBER_PENDING;
	m->joined = utc;
	m->seen = utc;
	draw.used = 0;
	/* With new traffic keys on their way, no join makes others. */
	err = gk_group_due(g) ? GK_OK : gk_group_draw(g, &draw);
	if (err == GK_OK)
		err = take_seat(g, m, utc, &draw);
	gk_wipe(draw.octets, draw.used);
	if (err != GK_OK) {
		gk_group_member_free(m);
		return err;
	}
	*member = m;
	return GK_OK;
}

void
gk_group_set_backward(struct gk_group *g, bool backward)
{
	g->cfg.backward = backward;
	if (g->lkh != NULL)
		gk_lkh_set_backward(g->lkh, backward);
}

bool
gk_group_joined(const struct gk_group *g, const struct gk_member *member)
{
	if (g->lkh != NULL)
		return gk_lkh_joined(g->lkh, member->seat);
	return g->open && member->epoch == g->epoch;
}

/* Everything of the open epoch was given to @member. */
static enum gk_err
take_all(struct gk_group *g, struct gk_member *m, int64_t utc,
         const struct gk_group_draw *draw)
{
	uint64_t before;

	if (g->lkh == NULL) {
		if (g->open)
			m->epoch = g->epoch;
		return GK_OK;
	}
	before = gk_lkh_group_version(g->lkh);
	GK_TRY(gk_lkh_rejoin(g->lkh, m->seat, utc));
	if (gk_lkh_group_version(g->lkh) != before)
		gk_group_next_make(g, draw, utc);
	return GK_OK;
}

enum gk_err
gk_group_rejoin(struct gk_group *g, struct gk_member *member, int64_t utc)
{
	struct gk_group_draw draw;
	enum gk_err err;

	GK_TRY(gk_group_dirty_reserve(g));
	draw.used = 0;
	err = gk_group_due(g) ? GK_OK : gk_group_draw(g, &draw);
	if (err == GK_OK)
		err = take_all(g, member, utc, &draw);
	gk_wipe(draw.octets, draw.used);
	GK_TRY(err);
	gk_group_dirty_add(g, member);
	g->epoch_dirty = true;
	return GK_OK;
}

enum gk_err
gk_group_leave(struct gk_group *g, struct gk_member *member, int64_t utc)
{
	struct gk_group_draw draw;
	bool fresh = true;
	enum gk_err err;

	draw.used = 0;
	GK_TRY(gk_group_dirty_reserve(g));
	/* Who came in this epoch has seen the keys that are on their way. */
	if (!gk_group_due(g) || gk_group_joined(g, member))
		GK_TRY(gk_group_draw(g, &draw));
	if (g->lkh != NULL) {
		uint64_t before = gk_lkh_group_version(g->lkh);

		err = gk_lkh_leave(g->lkh, member->seat, utc);
		if (err != GK_OK) {
			gk_wipe(draw.octets, draw.used);
			return err;
		}
		fresh = gk_lkh_group_version(g->lkh) != before;
	} else {
		/* Who came in this epoch has seen its keys already. */
		fresh = !g->cfg.fixed &&
		        (!g->due || gk_group_joined(g, member));
		g->open = true;
		g->due |= !g->cfg.imported && !g->cfg.fixed;
	}
	if (fresh)
		gk_group_next_make(g, &draw, utc);
	gk_wipe(draw.octets, draw.used);
	gk_group_dirty_add(g, member);
	gk_group_member_remove(g, member);
	g->epoch_dirty = true;
	return GK_OK;
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
	gk_wipe(draw.octets, draw.used);
	g->epoch_dirty = true;
	return GK_OK;
}

void
gk_group_replace(struct gk_group *g)
{
	if (g->lkh == NULL)
		return;
	gk_lkh_replace(g->lkh);
	g->epoch_dirty = true;
}

enum gk_err
gk_group_renew(struct gk_group *g, int64_t utc, int64_t limit, size_t scan,
               size_t *renewed)
{
	*renewed = 0;
	if (g->lkh == NULL)
		return GK_OK;
	/* What was renewed before an error stays renewed. */
	g->epoch_dirty = true;
	return gk_lkh_renew(g->lkh, utc, limit, scan, renewed);
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
gk_group_draft(struct gk_group *g, enum gk_lkh_style style,
               struct gk_lkh_plan *plan)
{
	if (g->lkh != NULL)
		return gk_lkh_draft(g->lkh, style, plan);
	*plan = (struct gk_lkh_plan){ .epoch = g->epoch,
		                      .group = gk_group_due(g) };
	return GK_OK;
}

enum gk_err
gk_group_reserve_close(struct gk_group *g)
{
	return g->lkh != NULL ? gk_lkh_reserve_close(g->lkh) : GK_OK;
}

void
gk_group_close(struct gk_group *g)
{
	bool open = gk_group_open(g), due = gk_group_due(g);

	if (g->lkh != NULL)
		gk_lkh_close(g->lkh);
	if (!open)
		return;
	if (due)
		gk_group_next_promote(g);
	g->open = false;
	g->due = false;
	g->epoch++;
	g->epoch_dirty = true;
}

void
gk_group_shrink(struct gk_group *g, int64_t utc)
{
	if (g->lkh != NULL)
		g->epoch_dirty |= gk_lkh_shrink(g->lkh, utc) != 0;
	gk_group_members_shrink(g);
}

enum gk_err
gk_group_seal(struct gk_group *g, enum gk_lkh_style style,
              struct gk_lkh_plan *plan)
{
	GK_TRY(gk_group_draft(g, style, plan));
	gk_group_close(g);
	return GK_OK;
}
