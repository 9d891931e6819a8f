/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_plan.h"

/*
 * What an operator, or a policy, orders: RFC 6407 sections 3.5, 4.3, 5.9, 7.4.
 */
static enum gk_err
rekey(struct gdoi_group *g, unsigned what, struct gk_now now)
{
	struct gdoi_rekey_cause cause = {
		.kek = (what & GDOI_REKEY_KEK) != 0,
		.at_once = (what & GDOI_REKEY_NOW) != 0,
	};

	if (g->phase != GDOI_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	if (!g->policy->rekey.on)
		return GK_ERR_POLICY;
	for (uint16_t i = 0; i < g->policy->n_data; i++)
		if ((what & GDOI_REKEY_TEK) != 0)
			cause.data[i] = GDOI_DATA_REPLACE;
	return gdoi_group_plan(g, &cause, now);
}

enum gk_err
gdoi_group_rekey(struct gdoi_group *g, unsigned what, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = rekey(g, what, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gdoi_group_flush(g, now);
}

/* ---- everybody ----------------------------------------------------------- */

static enum gk_err
drop_everybody(struct gdoi_group *g, struct gk_now now)
{
	struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL)
		GK_TRY(gdoi_group_drop(g, m, now));
	return GK_OK;
}

/* RFC6407-3.5-11: the old Data-Security SAs go before a sender id is given out
 * again; here at once. */
enum gk_err
gdoi_group_drop_teks(struct gdoi_group *g, struct gk_now now)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		if (t->spare)
			continue;
		t->deleted = true;
		t->state = GDOI_TEK_OLD;
		t->gone_utc = now.utc_s;
	}
	return gdoi_teks_settle(g, now);
}

/* Joiners do not have the KEK in force, and could not read what comes under it. */
enum gk_err
gdoi_group_announce_kek(struct gdoi_group *g, struct gk_now now)
{
	const struct gdoi_rekey_cause cause = { .kek = false };

	if (gdoi_kek_of(g, GDOI_KEK_NEXT) == NULL)
		return GK_OK;
	return gdoi_group_plan(g, &cause, now);
}

/* A clean slate: everything is deleted, and there are new keys for those who
 * come back. */
static enum gk_err
delete_all(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_rekey_cause cause = {
		.kek = true, .evicted = true, .deletes = true, .at_once = true
	};

	GK_TRY(gdoi_group_announce_kek(g, now));
	GK_TRY(gdoi_events_forget(g, now));
	GK_TRY(gdoi_group_plan_delete(g, now));
	GK_TRY(drop_everybody(g, now));
	GK_TRY(gdoi_group_drop_teks(g, now));
	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause.data[i] = GDOI_DATA_REPLACE;
	return gdoi_group_plan(g, &cause, now);
}

/* RFC 6407 section 3.5, steps 5 and 6. */
enum gk_err
gdoi_group_start_over(struct gdoi_group *g, struct gk_now now)
{
	GK_TRY(gdoi_out_plain(g, GDOI_OUT_SID_EXHAUSTED,
	                      "every sender id was given out"));
	GK_TRY(delete_all(g, now));
	GK_TRY(gk_group_sender_reset(g->data));
	g->exhausted = false;
	g->start_over_from =
		now.mono_ms + 1000 * (uint64_t)g->cfg.start_over_gap_s;
	g->commit_owed = true;
	return GK_OK;
}

static enum gk_err
delete_all_command(struct gdoi_group *g, struct gk_now now)
{
	if (g->phase != GDOI_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	if (!g->policy->rekey.on)
		return GK_ERR_POLICY;
	return delete_all(g, now);
}

enum gk_err
gdoi_group_delete_all(struct gdoi_group *g, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = delete_all_command(g, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gdoi_group_flush(g, now);
}

/* ---- some ---------------------------------------------------------------- */

/* RFC6407-7.4.2-01: whoever came reads nothing that was before. */
static enum gk_err
tell_of_joins(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_rekey_cause cause = {
		.evicted = g->rekey_owed,
		.deletes = true,
		.at_once = g->owed_at_once ||
		           (g->rekey_owed && g->policy->rekey.evict_at_once),
	};

	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause.data[i] = GDOI_DATA_REPLACE;
	return gdoi_group_plan(g, &cause, now);
}

/* Some may be out already when one cannot be: they must not read on. */
static enum gk_err
drop(struct gdoi_group *g, struct gk_member *m, bool at_once, struct gk_now now)
{
	enum gk_err err = gdoi_group_drop(g, m, now);

	if (err != GK_OK)
		gdoi_group_owe(g, at_once, now);
	return err;
}

enum gk_err
gdoi_group_evict_members(struct gdoi_group *g, struct gk_member *const *m,
                         size_t n, bool at_once, struct gk_now now)
{
	struct gdoi_rekey_cause cause = {
		.evicted = true,
		.deletes = true,
		.at_once = at_once || g->policy->rekey.evict_at_once,
	};
	bool lkh = g->shape.degree != 0;

	for (size_t i = 0; i < n; i++)
		GK_TRY(gdoi_out_peer(g, GDOI_OUT_EVICTED,
		                     gk_buf_slice(&m[i]->identity), m[i]->id,
		                     0));
	/* Without LKH there is no KEK that the others have and they have not:
	 * everybody registers again. */
	if (!lkh && g->policy->rekey.on)
		return delete_all(g, now);
	/* Joiners do not have the KEK in force: they get theirs announced
	 * first. */
	if (gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL)
		GK_TRY(tell_of_joins(g, now));
	for (size_t i = 0; i < n; i++)
		GK_TRY(drop(g, m[i], cause.at_once, now));
	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause.data[i] = GDOI_DATA_REPLACE;
	return gdoi_group_plan(g, &cause, now);
}

/* Who said that it leaves, and was not asked to. */
static enum gk_err
let_go(struct gdoi_group *g, struct gk_now now)
{
	size_t n = gk_group_count_state(g->data, GK_MEMBER_LEAVING), cursor = 0;
	struct gdoi_rekey_cause cause = {
		.evicted = true,
		.deletes = true,
		.at_once = g->policy->rekey.evict_at_once,
	};
	struct gk_member *m;

	if (n == 0)
		return GK_OK;
	while ((m = gk_group_each(g->data, &cursor)) != NULL)
		if (m->state == GK_MEMBER_LEAVING)
			GK_TRY(drop(g, m, cause.at_once, now));
	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause.data[i] = GDOI_DATA_REPLACE;
	/* Without LKH it keeps the KEK until the next one. */
	g->commit_owed = true;
	if (g->shape.degree == 0)
		return GK_OK;
	return gdoi_group_plan(g, &cause, now);
}

enum gk_err
gdoi_group_settle_members(struct gdoi_group *g, struct gk_now now)
{
	bool again = g->rekey_owed || gk_group_due(g->data);

	g->window_ends = GK_NEVER;
	if (again || gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL)
		GK_TRY(tell_of_joins(g, now));
	return let_go(g, now);
}

static enum gk_err
evict(struct gdoi_group *g, const char *const *peers, size_t n, bool at_once,
      struct gk_member **m, struct gk_now now)
{
	if (g->phase != GDOI_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	if (!g->policy->rekey.on)
		return GK_ERR_POLICY; /* nobody can be told */
	GK_TRY(gk_group_find_several(g->data, peers, n, m));
	for (size_t i = 0; i < n; i++)
		GK_TRY(gk_group_exclude(g->data, gk_slice_str(peers[i]),
		                        gk_slice_str("evicted")));
	return gdoi_group_evict_members(g, m, n, at_once, now);
}

static enum gk_err
evict_command(struct gdoi_group *g, const char *const *peers, size_t n,
              bool at_once, struct gk_now now)
{
	struct gk_member **m = calloc(n + 1, sizeof(struct gk_member *));
	enum gk_err err;

	if (m == NULL)
		return GK_ERR_NOMEM;
	pthread_mutex_lock(&g->lock);
	err = evict(g, peers, n, at_once, m, now);
	pthread_mutex_unlock(&g->lock);
	free(m);
	GK_TRY(err);
	return gdoi_group_flush(g, now);
}

enum gk_err
gdoi_group_evict(struct gdoi_group *g, const char *const *peers, size_t n,
                 struct gk_now now)
{
	return evict_command(g, peers, n, false, now);
}

enum gk_err
gdoi_group_evict_now(struct gdoi_group *g, const char *const *peers, size_t n,
                     struct gk_now now)
{
	return evict_command(g, peers, n, true, now);
}

enum gk_err
gdoi_group_readmit(struct gdoi_group *g, const char *peer)
{
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&g->lock);
	if (g->phase == GDOI_GROUP_OPEN)
		err = gk_group_excluded(g->data, gk_slice_str(peer), NULL)
		              ? gk_group_readmit(g->data, gk_slice_str(peer))
		              : GK_ERR_VALUE;
	if (err == GK_OK)
		err = gdoi_group_log_commit(g, gdoi_group_ticket(g));
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* ---- the end ------------------------------------------------------------- */

enum gk_err
gdoi_group_keep_last_words(struct gdoi_group *g)
{
	struct gdoi_rekey_sa *next;

	for (struct gdoi_rekey_sa *k = g->keks; k != NULL; k = next) {
		next = k->next;
		if (k->state < GDOI_KEK_CURRENT) {
			gdoi_kek_remove(g, k);
			continue;
		}
		k->state = GDOI_KEK_OLD;
		k->forget_ms = g->now.mono_ms + g->cfg.ack_wait_ms;
		GK_TRY(gdoi_kek_save(g, k));
	}
	for (const struct gdoi_event *e = g->first_event; e; e = e->next)
		GK_TRY(gdoi_event_save(g, e));
	return GK_OK;
}

/* Nothing of the group is kept, but that it is no more; and, until it has gone
 * out, the PUSH that says so. */
static enum gk_err
forget_everything(struct gdoi_group *g)
{
	gk_journal_clear(g->own);
	GK_TRY(gk_journal_drop(g->own));
	g->phase = GDOI_GROUP_DESTROYED;
	GK_TRY(gdoi_group_save_head(g));
	GK_TRY(gdoi_group_keep_last_words(g));
	gdoi_teks_forget(g);
	return GK_OK;
}

static enum gk_err
destroy(struct gdoi_group *g, struct gk_now now)
{
	if (g->phase != GDOI_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gdoi_group_announce_kek(g, now));
	GK_TRY(gdoi_events_forget(g, now));
	GK_TRY(gdoi_group_plan_delete(g, now));
	GK_TRY(gdoi_group_drop_teks(g, now));
	GK_TRY(forget_everything(g));
	GK_TRY(gdoi_group_list(g, NULL));
	gdoi_members_free(g);
	gk_group_free(g->data);
	g->data = NULL;
	g->window_ends = g->tek_due = g->kek_due = GK_NEVER;
	return gdoi_out_plain(g, GDOI_OUT_DESTROYED, "by command");
}

enum gk_err
gdoi_group_destroy(struct gdoi_group *g, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = destroy(g, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gdoi_group_flush(g, now);
}
