/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group.h"

#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_plan.h"

#define ACK_WAIT_MS 10000 /* RFC8263-6-05 */
#define PUSH_MAX 1400
#define MEMBERS_MAX 1048576
#define HOLD_MS 1000 /* between attempts to send what the store refused */
#define IDLE_MS 1000 /* after a tick that failed: what is due stays due */
#define PUSH_LIMIT 60000
#define START_OVER_GAP_S 60
#define WORN_GAP_S 10
#define WORN_MAX 12

void
gdoi_group_defaults(struct gdoi_group *g)
{
	struct gdoi_group_config *c = &g->cfg;

	if (c->ack_wait_ms == 0)
		c->ack_wait_ms = ACK_WAIT_MS;
	if (c->push_max == 0)
		c->push_max = PUSH_MAX;
	if (c->push_max > PUSH_LIMIT)
		c->push_max = PUSH_LIMIT;
	if (c->members_max == 0)
		c->members_max = MEMBERS_MAX;
	if (c->sids_max == 0 || c->sids_max > GDOI_KD_SIDS_MAX)
		c->sids_max = GDOI_KD_SIDS_MAX;
	if (c->start_over_gap_s == 0)
		c->start_over_gap_s = START_OVER_GAP_S;
	if (c->worn_gap_s == 0)
		c->worn_gap_s = WORN_GAP_S;
	if (c->worn_max == 0)
		c->worn_max = WORN_MAX;
	if (c->signer_key == NULL && c->signer != NULL)
		c->signer_key = gk_signer_pubkey(c->signer);
	g->window_ends = g->tek_due = g->kek_due = GK_NEVER;
}

static enum gk_err
fill(struct gdoi_group *g)
{
	struct gdoi_group_config *c = &g->cfg;

	GK_TRY(gk_buf_copy(&g->scope, c->scope));
	GK_TRY(gk_buf_copy(&g->id, c->id));
	c->scope = gk_buf_slice(&g->scope);
	c->id = gk_buf_slice(&g->id);
	gdoi_group_commits_init(g);
	GK_TRY(gk_journal_new(c->scope, &g->own));
	return gdoi_signers_open(g);
}

struct gdoi_group *
gdoi_group_new(const struct gk_env *env, const struct gdoi_group_config *cfg)
{
	struct gdoi_group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->env = env;
	g->cfg = *cfg;
	if (cfg->dialect != NULL)
		g->dialect = *cfg->dialect;
	g->cfg.dialect = &g->dialect;
	gdoi_group_defaults(g);
	pthread_mutex_init(&g->lock, NULL);
	pthread_mutex_init(&g->listing.lock, NULL);
	if (fill(g) != GK_OK) {
		gdoi_group_free(g);
		return NULL;
	}
	return g;
}

static void
free_sas(struct gdoi_group *g)
{
	while (g->keks != NULL)
		gdoi_kek_remove(g, g->keks);
	gdoi_teks_forget(g);
}

void
gdoi_group_free(struct gdoi_group *g)
{
	if (g == NULL)
		return;
	gdoi_events_free(g);
	free_sas(g);
	gdoi_members_free(g);
	gk_group_free(g->data);
	if (g->policy != NULL)
		gdoi_policy_free(g->policy);
	gk_buf_free(&g->sig_key);
	gk_buf_free(&g->sig_key_before);
	gk_buf_free(&g->scope);
	gk_buf_free(&g->id);
	gk_journal_free(g->own);
	gk_commits_free(&g->commits);
	gk_queue_free(&g->out.items);
	free(g->listing.at);
	pthread_mutex_destroy(&g->listing.lock);
	pthread_mutex_destroy(&g->lock);
	gk_wipe(g, sizeof(*g));
	free(g);
}

struct gk_slice
gdoi_group_id(const struct gdoi_group *g)
{
	return g->cfg.id;
}

const struct gdoi_dialect *
gdoi_group_dialect(const struct gdoi_group *g)
{
	return &g->dialect;
}

bool
gdoi_group_poll(struct gdoi_group *g, struct gdoi_output *out)
{
	bool any;

	pthread_mutex_lock(&g->lock);
	any = gdoi_outputs_poll(&g->out, out);
	pthread_mutex_unlock(&g->lock);
	return any;
}

/* ---- time ---------------------------------------------------------------- */

static bool
is_wanted(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	for (const struct gdoi_event *e = g->first_event; e; e = e->next)
		if (e->kek == kek->handle &&
		    (e->state != GDOI_EVENT_SENT || e->ack_by != GK_NEVER))
			return true;
	return false;
}

static enum gk_err
forget_keks(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_rekey_sa *next;

	for (struct gdoi_rekey_sa *k = g->keks; k != NULL; k = next) {
		next = k->next;
		if (k->state != GDOI_KEK_OLD || k->forget_ms > now.mono_ms ||
		    is_wanted(g, k))
			continue;
		GK_TRY(gdoi_row_delete(g, GDOI_TABLE_KEK, k->handle));
		gdoi_kek_remove(g, k);
	}
	return GK_OK;
}

static uint64_t
min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t
earliest(const struct gdoi_group *g)
{
	uint64_t at = GK_NEVER;

	for (const struct gdoi_event *e = g->first_event; e; e = e->next) {
		if (e->state == GDOI_EVENT_QUEUED)
			at = min(at, g->hold ? g->flushed_at + HOLD_MS : 0);
		at = min(at, e->ack_by);
	}
	for (const struct gdoi_rekey_sa *k = g->keks; k; k = k->next)
		if (k->state == GDOI_KEK_OLD && !is_wanted(g, k))
			at = min(at, k->forget_ms);
	if (g->phase != GDOI_GROUP_OPEN)
		return at;
	if (g->exhausted)
		return 0;
	at = min(at, g->window_ends);
	at = min(at, g->tek_due);
	at = min(at, g->kek_due);
	return min(at, gdoi_teks_deadline(g));
}

uint64_t
gdoi_group_deadline(struct gdoi_group *g)
{
	uint64_t at;

	pthread_mutex_lock(&g->lock);
	at = min(earliest(g), gk_commits_retry_due(&g->commits));
	if (at < g->idle_until)
		at = g->idle_until;
	pthread_mutex_unlock(&g->lock);
	return at;
}

/* What time has made due. */
static enum gk_err
rekey_by_time(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_rekey_cause cause = { .kek = g->kek_due <= now.mono_ms };
	bool any = cause.kek;

	if (g->window_ends <= now.mono_ms)
		return gdoi_group_settle_members(g, now);
	for (uint16_t i = 0; i < g->policy->n_data; i++) {
		enum gdoi_data_order order;
		int64_t due = gdoi_data_due(g, i, &order);

		if (g->tek_due > now.mono_ms || due == 0 || due > now.utc_s)
			continue;
		cause.data[i] = order;
		/* Not a new one, which comes with its policy. */
		cause.lapsed |= gdoi_data_leading(g, i) == NULL;
		any = true;
	}
	return any ? gdoi_group_plan(g, &cause, now) : GK_OK;
}

static enum gk_err
tick(struct gdoi_group *g, struct gk_now now)
{
	GK_TRY(gdoi_group_clock(g, &now));
	GK_TRY(gdoi_acks_judge(g, now));
	GK_TRY(forget_keks(g, now));
	if (g->phase == GDOI_GROUP_DESTROYED)
		return gdoi_events_forget(g, now);
	if (g->phase != GDOI_GROUP_OPEN)
		return GK_OK;
	if (g->exhausted)
		return gdoi_group_start_over(g, now);
	GK_TRY(gdoi_teks_settle(g, now));
	gdoi_group_timers(g, now);
	return rekey_by_time(g, now);
}

enum gk_err
gdoi_group_tick(struct gdoi_group *g, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	g->commit_owed |= gk_commits_retry(&g->commits, now);
	err = tick(g, now);
	pthread_mutex_unlock(&g->lock);
	if (err == GK_OK)
		err = gdoi_group_flush(g, now);
	/* Without memory, say: to try again at once and for ever helps nobody. */
	pthread_mutex_lock(&g->lock);
	g->idle_until = err == GK_OK ? 0 : now.mono_ms + IDLE_MS;
	pthread_mutex_unlock(&g->lock);
	return err;
}
