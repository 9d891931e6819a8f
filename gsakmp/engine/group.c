/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_hash.h"
#include "gsakmp/engine/group_judge.h"
#include "gsakmp/payload/notification.h"

#define DEFAULT(field, value)                   \
	do {                                    \
		if (g->cfg.field == 0)          \
			g->cfg.field = (value); \
	} while (0)

static void
defaults(struct gsakmp_group *g)
{
	DEFAULT(lkh_degree, 2);
	DEFAULT(resend_spacing_ms, 1000);
	DEFAULT(session_timeout_ms, 10000);
	DEFAULT(loa_count, 1);
	DEFAULT(sessions_max, 10000);
	DEFAULT(replay_max, 1 << 20);
	DEFAULT(kek_life_s, 31536000);
	DEFAULT(grace_ms, 10000);
	DEFAULT(skew_s, 300);
	DEFAULT(rekey_message, 60000);
	DEFAULT(rekey_headers, 28);
	g->message_max = g->cfg.rekey_message;
	DEFAULT(rekey_payload, UINT16_MAX);
}

struct gsakmp_group *
gsakmp_group_new(const struct gk_env *env,
                 const struct gsakmp_group_config *cfg)
{
	struct gsakmp_group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->env = env;
	g->cfg = *cfg;
	if (cfg->dialect != NULL)
		g->dialect = *cfg->dialect;
	g->party = cfg->party;
	defaults(g);
	g->window_ends = g->rekey_due = g->grace_ends = GK_NEVER;
	g->judge_at = g->clock_at = g->known_at = GK_NEVER;
	pthread_mutex_init(&g->lock, NULL);
	gsakmp_group_commits_init(g);
	if (gsakmp_replay_new(g->cfg.replay_max, &g->replay) != GK_OK ||
	    gk_journal_new(g->cfg.group_id, &g->own) != GK_OK) {
		gsakmp_group_free(g);
		return NULL;
	}
	return g;
}

void
gsakmp_group_free(struct gsakmp_group *g)
{
	if (g == NULL)
		return;
	gsakmp_group_events_free(g);
	gsakmp_group_expelled_free(g);
	gsakmp_group_round_free(g->judging);
	gsakmp_sessions_clear(&g->sessions);
	gk_buf_free(&g->loaded_token);
	for (size_t i = 0; i < g->n_chains; i++)
		gk_buf_free(&g->chain[i]);
	gsakmp_replay_free(g->replay);
	gsakmp_policy_unref(g->policy);
	gk_group_free(g->data);
	gk_journal_free(g->own);
	gk_commits_free(&g->commits);
	gk_queue_free(&g->out.items);
	pthread_mutex_destroy(&g->lock);
	gk_wipe(g, sizeof(*g));
	free(g);
}

void
gsakmp_group_set_party(struct gsakmp_group *g, const struct gsakmp_party *party)
{
	pthread_mutex_lock(&g->lock);
	g->party = *party;
	pthread_mutex_unlock(&g->lock);
}

struct gk_slice
gsakmp_group_id(const struct gsakmp_group *g)
{
	return g->cfg.group_id;
}

bool
gsakmp_group_poll(struct gsakmp_group *g, struct gsakmp_output *out)
{
	return gsakmp_outputs_poll(&g->out, out);
}

/* ---- timers ------------------------------------------------------------- */

#define HOLD_MS 1000 /* between attempts to send what the store refused */

uint64_t
gsakmp_group_earliest(const struct gsakmp_group *g)
{
	uint64_t at = GK_NEVER;

	if (g->first_event != NULL)
		return g->hold ? g->flushed_at + HOLD_MS : 0;
	if (g->phase != GSAKMP_GROUP_OPEN)
		return GK_NEVER;
	if (g->sessions.first != NULL)
		at = g->sessions.first->deadline;
	if (g->window_ends < at)
		at = g->window_ends;
	if (g->rekey_due < at)
		at = g->rekey_due;
	if (g->clock_at < at)
		at = g->clock_at;
	if ((g->judging != NULL ? g->judge_next : g->judge_at) < at)
		at = g->judging != NULL ? g->judge_next : g->judge_at;
	return g->grace_ends < at ? g->grace_ends : at;
}

uint64_t
gsakmp_group_deadline(struct gsakmp_group *g)
{
	uint64_t at, retry;

	pthread_mutex_lock(&g->lock);
	at = gsakmp_group_earliest(g);
	retry = gk_commits_retry_due(&g->commits);
	if (retry < at)
		at = retry;
	g->known_at = at;
	pthread_mutex_unlock(&g->lock);
	return at;
}

enum gk_err
gsakmp_group_keys_out(struct gsakmp_group *g, enum gsakmp_output_kind kind,
                      enum gk_key_slot slot)
{
	for (size_t i = 0; i < gk_group_key_count(g->data); i++) {
		const struct gk_traffic_key *k = gk_group_key(g->data, i, slot);
		struct gsakmp_output *out;

		if (k == NULL)
			continue;
		out = gsakmp_outputs_add(&g->out, kind);
		if (out == NULL)
			return GK_ERR_NOMEM;
		out->group_id = g->cfg.group_id;
		out->key = (struct gsakmp_gtpk){
			.id = k->id,
			.handle = k->handle,
			.type = (uint16_t)k->type,
			.created_utc = k->created,
			.expires_utc = k->expires,
			.receive_only = slot == GK_KEY_PREVIOUS,
		};
		if (kind == GSAKMP_OUT_KEY_INSTALL)
			out->key.octets =
				(struct gk_slice){ k->octets, k->len };
		GK_TRY(gsakmp_outputs_own(&g->out));
	}
	return GK_OK;
}

static enum gk_err
end_grace(struct gsakmp_group *g)
{
	g->grace_ends = GK_NEVER;
	GK_TRY(gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_WIPE, GK_KEY_PREVIOUS));
	return gk_group_key_previous_drop(g->data);
}

static enum gk_err
group_tick(struct gsakmp_group *g, struct gk_now now)
{
	const struct gsakmp_rekey_cause by_policy = { .refresh = true,
		                                      .sweep = true };
	const struct gsakmp_rekey_cause joins = { 0 };

	if (g->phase != GSAKMP_GROUP_OPEN)
		return GK_OK;
	if (g->grace_ends <= now.mono_ms)
		GK_TRY(end_grace(g));
	gsakmp_group_clock(g, now);
	if (g->cfg.subordinate)
		return gsakmp_group_sub_tick(g, now);
	/* RFC4535-5.3.1.1-01: what the token defines, or an open epoch. */
	if (g->rekey_due <= now.mono_ms)
		return gsakmp_group_plan(g, &by_policy, now);
	if (g->window_ends <= now.mono_ms)
		return gsakmp_group_plan(g, &joins, now);
	return GK_OK;
}

enum gk_err
gsakmp_group_tick(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err;

	GK_TRY(gsakmp_group_session_tick(g, now));
	gsakmp_outputs_begin(&g->out);
	pthread_mutex_lock(&g->lock);
	err = gsakmp_group_retry(g, now);
	if (err == GK_OK)
		err = group_tick(g, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	GK_TRY(gsakmp_group_flush(g, now));
	return gsakmp_group_judge_tick(g, now);
}

/* ---- commands ----------------------------------------------------------- */

/* By itself, which MEMBER_LEFT says: the keys that it had have come to their end
 * now, and nobody has thrown it out. */
static bool
has_departed(const struct gsakmp_group *g, const struct gk_member *m,
             const struct gsakmp_session *s)
{
	return m->state == GK_MEMBER_LEAVING && !gsakmp_group_unheard(m) &&
	       (s == NULL || s->state == GSAKMP_SESSION_DEPART) &&
	       !gk_group_excluded(g->data, gk_buf_slice(&m->identity), NULL);
}

enum gk_err
gsakmp_group_drop_member(struct gsakmp_group *g, struct gk_member *m,
                         struct gk_now now)
{
	struct gk_slice key = gk_buf_slice(&m->identity);
	struct gsakmp_session *s = gsakmp_session_find(&g->sessions, key);
	enum gsakmp_session_state to;

	if (!has_departed(g, m, s))
		GK_TRY(gsakmp_out_peer(&g->out, GSAKMP_OUT_EVICTED,
		                       g->cfg.group_id, key, m->id));
	if (s != NULL &&
	    gsakmp_session_next(s->state, GSAKMP_SESSION_EV_EVICTED, &to) ==
	            GK_OK)
		gsakmp_session_drop(&g->sessions, s);
	GK_TRY(gsakmp_group_member_forget(g, m->id));
	return gk_group_leave(g->data, m, now.utc_s);
}

static enum gk_err
rekey_now(struct gsakmp_group *g, struct gk_now now)
{
	const struct gsakmp_rekey_cause order = { .refresh = true,
		                                  .sweep = true };

	if (g->phase != GSAKMP_GROUP_OPEN || g->paused)
		return GK_ERR_UNEXPECTED;
	/* RFC4535-4.4.7-10 */
	if (g->expelled != NULL && GK_CHECKED("RFC4535-4.4.7-10"))
		return GK_ERR_POLICY;
	/* RFC4534-B.5.4.1-01: nobody could be told. */
	if (g->policy->rekey == NULL || !g->policy->lkh)
		return GK_ERR_POLICY;
	return gsakmp_group_plan(g, &order, now);
}

enum gk_err
gsakmp_group_rekey(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = rekey_now(g, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

static enum gk_err
evict(struct gsakmp_group *g, const char *const *peers, size_t n,
      struct gk_member **m, struct gk_now now)
{
	const struct gsakmp_rekey_cause order = {
		.refresh = true, .sweep = true, .evict = m, .n_evict = n
	};

	if (g->phase != GSAKMP_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	if (g->policy->rekey == NULL || !g->policy->lkh)
		return GK_ERR_POLICY; /* nobody can be locked out */
	GK_TRY(gk_group_find_several(g->data, peers, n, m));
	for (size_t i = 0; i < n; i++)
		GK_TRY(gk_group_exclude(g->data, gk_slice_str(peers[i]),
		                        gk_slice_str("evicted")));
	if (!g->cfg.subordinate)
		return gsakmp_group_plan(g, &order, now);
	for (size_t i = 0; i < n; i++)
		GK_TRY(gsakmp_group_expel(g, m[i], GSAKMP_EXPULSION_BARRED,
		                          now));
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

enum gk_err
gsakmp_group_evict(struct gsakmp_group *g, const char *const *peers, size_t n,
                   struct gk_now now)
{
	struct gk_member **m = calloc(n + 1, sizeof(struct gk_member *));
	enum gk_err err;

	if (m == NULL)
		return GK_ERR_NOMEM;
	pthread_mutex_lock(&g->lock);
	err = evict(g, peers, n, m, now);
	pthread_mutex_unlock(&g->lock);
	free(m);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

enum gk_err
gsakmp_group_readmit(struct gsakmp_group *g, const char *peer)
{
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&g->lock);
	if (g->phase == GSAKMP_GROUP_OPEN)
		err = gk_group_excluded(g->data, gk_slice_str(peer), NULL)
		              ? gk_group_readmit(g->data, gk_slice_str(peer))
		              : GK_ERR_VALUE;
	if (err == GK_OK)
		err = gsakmp_group_log_commit(g, &g->out,
		                              gsakmp_group_ticket(g));
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* Transition 5: nothing of the group is kept, but that it is no more. */
static enum gk_err
destroy(struct gsakmp_group *g, struct gk_now now)
{
	if (g->phase != GSAKMP_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_WIPE, GK_KEY_PREVIOUS));
	GK_TRY(gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_WIPE, GK_KEY_CURRENT));
	gsakmp_group_events_free(g);
	gsakmp_group_expelled_free(g);
	gk_journal_clear(g->own);
	GK_TRY(gk_journal_drop(g->own));
	GK_TRY(gsakmp_group_store(g, GSAKMP_TABLE_POLICY,
	                          gk_slice_str("destroyed"),
	                          gk_slice_str("1")));
	GK_TRY(gsakmp_group_plan_destroy(g, now));
	gsakmp_sessions_clear(&g->sessions);
	gk_group_free(g->data);
	g->data = NULL;
	g->phase = GSAKMP_GROUP_DESTROYED;
	return GK_OK;
}

enum gk_err
gsakmp_group_destroy(struct gsakmp_group *g, struct gk_now now)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = destroy(g, now);
	pthread_mutex_unlock(&g->lock);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

/* ---- what people want to see -------------------------------------------- */

static const char *
member_state(const struct gsakmp_group *g, const struct gk_member *m)
{
	const struct gsakmp_session *s =
		gsakmp_session_find(&g->sessions, gk_buf_slice(&m->identity));

	if (m->state == GK_MEMBER_LEAVING)
		return gsakmp_group_unheard(m) ||
		                       (s != NULL &&
		                        s->state == GSAKMP_SESSION_LATE)
		               ? "overdue"
		               : "leaving";
	return m->state == GK_MEMBER_ACTIVE ? "active" : "pending";
}

static void
count_members(const struct gsakmp_group *g, struct gsakmp_group_status *out)
{
	out->n_members = gk_group_count_state(g->data, GK_MEMBER_ACTIVE);
	out->n_overdue = gk_group_count_state(g->data, GK_MEMBER_LEAVING);
	if (gk_group_lkh(g->data) != NULL)
		gk_lkh_size(gk_group_lkh(g->data), &out->tree);
}

void
gsakmp_group_status(struct gsakmp_group *g, struct gsakmp_group_status *out)
{
	const struct gk_traffic_key *k;

	pthread_mutex_lock(&g->lock);
	*out = (struct gsakmp_group_status){
		.open = g->phase == GSAKMP_GROUP_OPEN,
		.destroyed = g->phase == GSAKMP_GROUP_DESTROYED,
		.edition = -1,
		.n_pending = g->sessions.n_queued,
		.rekeys = g->rekeys,
		.oversize = g->oversize,
		.message_max = g->message_max,
		.join_rekey = g->policy != NULL &&
		              gsakmp_group_backward(g, g->policy),
		.join_window_ms = g->policy != NULL
		                          ? gsakmp_group_join_window(g)
		                          : g->cfg.join_window_ms,
		.skew_s = gsakmp_policy_skew(g->policy, g->cfg.skew_s),
		.fixed_keys = g->policy != NULL && !g->policy->lkh,
		.untold = g->policy != NULL && g->policy->rekey == NULL,
		.last_rekey_utc = g->last_rekey_utc,
		.next_rekey_utc = g->rekey_due_utc,
		.events = g->events,
		.recheck_utc = g->judge_utc,
		.judging = g->judging != NULL && g->judging->all,
		.judged = g->judge_count,
		.paused = g->paused,
	};
	for (const struct gsakmp_expelled *e = g->expelled; e != NULL;
	     e = e->next)
		out->n_expelled++;
	if (out->open) {
		if (g->policy->v.token->has_edition)
			out->edition = g->policy->v.token->edition;
		out->terse = g->policy->terse;
		out->lapsed = g->policy->lapsed ? g->load_why : NULL;
		out->signer_until =
			g->policy->v.signer != NULL
				? gk_cert_not_after(g->policy->v.signer)
				: INT64_MAX;
		out->suite = g->policy->suite[0];
		out->sequence = gk_group_sequence(g->data);
		count_members(g, out);
		k = gk_group_key(g->data, 0, GK_KEY_CURRENT);
		out->gtpk = (struct gsakmp_gtpk){ .id = k->id,
			                          .handle = k->handle,
			                          .type = (uint16_t)k->type,
			                          .created_utc = k->created,
			                          .expires_utc = k->expires };
	}
	pthread_mutex_unlock(&g->lock);
}

static void
show(const struct gsakmp_group *g, const struct gk_member *m,
     void (*each)(void *ctx, const struct gsakmp_group_row *row), void *ctx)
{
	char peer[GK_GROUP_IDENTITY_MAX + 1];
	size_t len = m->identity.len < GK_GROUP_IDENTITY_MAX
	                     ? m->identity.len
	                     : GK_GROUP_IDENTITY_MAX;
	const struct gsakmp_group_row row = { .peer = peer,
		                              .state = member_state(g, m),
		                              .member_id = m->id,
		                              .joined_utc = m->joined,
		                              .seen_utc = m->seen };

	memcpy(peer, m->identity.ptr, len);
	peer[len] = '\0';
	each(ctx, &row);
}

bool
gsakmp_group_members_next(struct gsakmp_group *g, size_t *cursor, size_t n,
                          void (*each)(void *ctx,
                                       const struct gsakmp_group_row *row),
                          void *ctx)
{
	const struct gk_member *m = NULL;

	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < n; i++) {
		m = g->data != NULL ? gk_group_each(g->data, cursor) : NULL;
		if (m == NULL)
			break;
		show(g, m, each, ctx);
	}
	pthread_mutex_unlock(&g->lock);
	return m != NULL;
}

/* Not longer under the lock than others can wait. */
#define MEMBERS_AT_ONCE 1024

void
gsakmp_group_members(struct gsakmp_group *g,
                     void (*each)(void *ctx,
                                  const struct gsakmp_group_row *row),
                     void *ctx)
{
	size_t cursor = 0;

	while (gsakmp_group_members_next(g, &cursor, MEMBERS_AT_ONCE, each,
	                                 ctx))
		continue;
}

void
gsakmp_group_barred(struct gsakmp_group *g,
                    void (*each)(void *ctx, const char *peer), void *ctx)
{
	pthread_mutex_lock(&g->lock);
	if (g->data != NULL)
		gk_group_excluded_names(g->data, each, ctx);
	pthread_mutex_unlock(&g->lock);
}
