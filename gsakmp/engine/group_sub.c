/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "common/wire/gk_wr.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/payload/notification.h"

/*
 * The sub-group of a subordinate GC/KS: RFC 4535 sections 4.1.4 and 4.4.7.
 *
 * It has everything that a group has but the making of traffic keys.  Joins and
 * departures change its tree and wait, in the open epoch, for the next GTPK of
 * the primary.  Whoever is expelled leaves the tree at once and goes on a list,
 * because the primary has to be told before it makes a new key; the list is as
 * durable as the members are.
 */
#define TELL_MIN_MS 10000 /* between reports of one expulsion ... */
#define TELL_MAX_MS 600000

/* ---- expelled ----------------------------------------------------------- */

static void
entry_free(struct gsakmp_expelled *e)
{
	gk_buf_free(&e->peer);
	gk_buf_free(&e->who);
	free(e);
}

/* Out of the list, behind @before or at its head. */
static void
entry_take(struct gsakmp_group *g, struct gsakmp_expelled *before)
{
	struct gsakmp_expelled **at =
		before != NULL ? &before->next : &g->expelled;
	struct gsakmp_expelled *e = *at;

	*at = e->next;
	if (g->last_expelled == e)
		g->last_expelled = before;
	(void)gk_index_remove(&g->expelled_by, gk_buf_slice(&e->peer));
	entry_free(e);
}

void
gsakmp_group_expelled_free(struct gsakmp_group *g)
{
	while (g->expelled != NULL)
		entry_take(g, NULL);
	gk_index_free(&g->expelled_by);
	g->expelled_by = (struct gk_index){ .count = 0 };
}

static struct gsakmp_expelled *
entry_find(const struct gsakmp_group *g, struct gk_slice peer)
{
	return gk_index_find(&g->expelled_by, peer);
}

static enum gk_err
entry_add(struct gsakmp_group *g, struct gk_slice peer, struct gk_slice who)
{
	struct gsakmp_expelled *e;
	enum gk_err err;

	if (entry_find(g, peer) != NULL)
		return GK_OK;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return GK_ERR_NOMEM;
	e->wait_ms = TELL_MIN_MS;
	err = gk_buf_copy(&e->peer, peer);
	if (err == GK_OK)
		err = gk_buf_copy(&e->who, who);
	if (err == GK_OK)
		err = gk_index_add(&g->expelled_by, gk_buf_slice(&e->peer), e);
	if (err != GK_OK) {
		entry_free(e);
		return err;
	}
	if (g->last_expelled != NULL)
		g->last_expelled->next = e;
	else
		g->expelled = e;
	g->last_expelled = e;
	return GK_OK;
}

enum gk_err
gsakmp_group_expelled_load(struct gsakmp_group *g, struct gk_slice key,
                           struct gk_slice value)
{
	const struct gsakmp_vocabulary plain = { 0 };
	struct gsakmp_expulsion who;
	struct gsakmp_reject why;

	if (!g->cfg.subordinate || key.len == 0 ||
	    key.len > GK_GROUP_IDENTITY_MAX ||
	    gsakmp_expulsion_decode(value, 0, &plain, &who, &why) != GK_OK)
		return GK_ERR_VALUE;
	return entry_add(g, key, value);
}

/* The member as the primary would know it, from the register. */
static enum gk_err
encode_who(const struct gsakmp_group *g, const struct gk_member *m,
           uint8_t reason, struct gk_buf *out)
{
	struct gsakmp_member_info info;
	struct gk_wr wr;
	enum gk_err err;

	err = gsakmp_group_member_get(g, m, &info);
	if (err == GK_OK)
		err = gk_buf_alloc(out, 2 + info.signer_id.len);
	if (err == GK_OK) {
		const struct gsakmp_expulsion who = {
			.reason = reason,
			.id_type = info.id_type,
			.id = gk_buf_slice(&info.signer_id),
		};

		gk_wr_init(&wr, out->ptr, out->len);
		gsakmp_expulsion_encode(&wr, &who);
		err = gk_wr_done(&wr);
	}
	gsakmp_member_info_free(&info);
	return err;
}

enum gk_err
gsakmp_group_expel(struct gsakmp_group *g, struct gk_member *m, uint8_t reason,
                   struct gk_now now)
{
	struct gk_slice peer = gk_buf_slice(&m->identity);
	struct gk_buf who = { 0 };
	enum gk_err err;

	err = encode_who(g, m, reason, &who);
	if (err == GK_OK)
		err = gsakmp_group_store(g, GSAKMP_TABLE_EXPELLED, peer,
		                         gk_buf_slice(&who));
	if (err == GK_OK)
		err = entry_add(g, peer, gk_buf_slice(&who));
	gk_buf_free(&who);
	GK_TRY(err);
	return gsakmp_group_drop_member(g, m, now);
}

/* A new key is in force.  For whom the primary answered it is the answer; for
 * the others it came too early, and it is still to be told. */
static enum gk_err
entries_settle(struct gsakmp_group *g)
{
	struct gsakmp_expelled *before = NULL, *e;

	while ((e = before != NULL ? before->next : g->expelled) != NULL) {
		if (!e->accepted && !e->refused) {
			before = e;
			continue;
		}
		GK_TRY(gsakmp_group_store(g, GSAKMP_TABLE_EXPELLED,
		                          gk_buf_slice(&e->peer),
		                          (struct gk_slice){ 0 }));
		entry_take(g, before);
	}
	return GK_OK;
}

enum gk_err
gsakmp_group_expelled_next(struct gsakmp_group *g, struct gk_now now,
                           struct gk_buf *peer, struct gk_buf *who)
{
	struct gsakmp_expelled *e;
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&g->lock);
	for (e = g->expelled; e != NULL; e = e->next)
		if (!e->refused && e->next_ms <= now.mono_ms)
			break;
	if (e != NULL) {
		e->next_ms = now.mono_ms + e->wait_ms;
		e->wait_ms = e->wait_ms < TELL_MAX_MS / 2 ? e->wait_ms * 2
		                                          : TELL_MAX_MS;
		err = gk_buf_copy(peer, gk_buf_slice(&e->peer));
		if (err == GK_OK)
			err = gk_buf_copy(who, gk_buf_slice(&e->who));
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

void
gsakmp_group_expelled_answer(struct gsakmp_group *g, struct gk_slice peer,
                             bool accepted)
{
	struct gsakmp_expelled *e;

	pthread_mutex_lock(&g->lock);
	e = entry_find(g, peer);
	if (e != NULL) {
		e->accepted = accepted;
		e->refused = !accepted;
	}
	pthread_mutex_unlock(&g->lock);
}

uint64_t
gsakmp_group_expelled_due(struct gsakmp_group *g)
{
	uint64_t at = GK_NEVER;

	pthread_mutex_lock(&g->lock);
	for (const struct gsakmp_expelled *e = g->expelled; e != NULL;
	     e = e->next)
		if (!e->refused && e->next_ms < at)
			at = e->next_ms;
	pthread_mutex_unlock(&g->lock);
	return at;
}

/* ---- at the primary ------------------------------------------------------ */

enum gk_err
gsakmp_group_reported(struct gsakmp_group *g, struct gk_slice peer, bool barred,
                      struct gk_now now)
{
	struct gk_member *m = gk_group_find(g->data, peer);

	if (barred)
		GK_TRY(gk_group_exclude(g->data, peer,
		                        gk_slice_str("expelled")));
	if (barred && m != NULL)
		GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_LEAVING));
	if (g->policy->rekey == NULL || !g->policy->lkh)
		return GK_OK; /* nobody can be locked out */
	g->rekey_due = now.mono_ms;
	return gk_group_note_set(g->data, GSAKMP_NOTE_OWED, gk_slice_str("1"));
}

/*
 * Accepted, and not acknowledged yet.  The new key that comes now is an answer to
 * the subordinate, whatever it is made for, and it will not tell again: should its
 * Departure ACK be lost, the member would not be barred.
 */
enum gk_err
gsakmp_group_take_reports(struct gsakmp_group *g, struct gk_now now)
{
	struct gsakmp_session *s = g->sessions.first, *next;

	for (; s != NULL; s = next) {
		struct gk_slice peer = gk_buf_slice(&s->expelled);

		next = s->later;
		if (s->state != GSAKMP_SESSION_DEPART || peer.len == 0)
			continue;
		GK_TRY(gsakmp_group_reported(g, peer, s->barred, now));
		GK_TRY(gsakmp_out_peer(&g->out, GSAKMP_OUT_EXPELLED,
		                       g->cfg.group_id, peer, 0));
		gsakmp_session_drop(&g->sessions, s);
	}
	return GK_OK;
}

/* ---- the primary's keys and tokens --------------------------------------- */

static const struct gk_traffic_key *
current(const struct gsakmp_group *g, uint32_t id)
{
	for (size_t i = 0; i < gk_group_key_count(g->data); i++) {
		const struct gk_traffic_key *k =
			gk_group_key(g->data, i, GK_KEY_CURRENT);

		if (k->id == id)
			return k;
	}
	return NULL;
}

static bool
is_fresh(const struct gsakmp_group *g, const struct gk_traffic_key *keys,
         size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct gk_traffic_key *k = current(g, keys[i].id);

		if (k == NULL || k->handle != keys[i].handle)
			return true;
	}
	return false;
}

/* RFC4535-7.4.1.1-06: a primary that has lost its memory may make another key
 * under a name that members know one by; they would refuse it. */
static bool
is_renamed(const struct gsakmp_group *g, const struct gk_traffic_key *keys,
           size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct gk_traffic_key *k = current(g, keys[i].id);

		if (k != NULL && k->handle == keys[i].handle &&
		    (k->created != keys[i].created || k->len != keys[i].len ||
		     !gk_equal_secret(k->octets, keys[i].octets, k->len)))
			return true;
	}
	return false;
}

static enum gk_err
import(struct gsakmp_group *g, const struct gk_traffic_key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		GK_TRY(gk_group_key_import(g->data, &keys[i]));
	return GK_OK;
}

static enum gk_err
begin(struct gsakmp_group *g, struct gsakmp_policy *p,
      const struct gk_traffic_key *keys, size_t n, struct gk_now now)
{
	GK_TRY(gsakmp_group_found(g, p));
	GK_TRY(import(g, keys, n));
	GK_TRY(gsakmp_group_opened(g, p, now));
	GK_TRY(gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g)));
	return gsakmp_group_token_out(g);
}

/* RFC4535-4.4.7-13: whom does the token exclude that is one of ours? */
static enum gk_err
review(const struct gsakmp_group *g, const struct gsakmp_policy *p,
       struct gk_member ***out, size_t *n)
{
	struct gk_member *m;
	size_t cursor = 0;

	*n = 0;
	*out = calloc(gk_group_count(g->data) + 1, sizeof(struct gk_member *));
	if (*out == NULL)
		return GK_ERR_NOMEM;
	while ((m = gk_group_each(g->data, &cursor)) != NULL)
		if (!gsakmp_preview_admits(g, p, m) &&
		    !gsakmp_group_admits(g, p, m) &&
		    GK_CHECKED("RFC4535-4.4.7-13", "RFC4535-4.4.7-15"))
			(*out)[(*n)++] = m;
	return GK_OK;
}

/* RFC4535-4.4.7-03, -14: in a Rekey Event of our own, whoever is in it. */
static enum gk_err
pass_on(struct gsakmp_group *g, struct gsakmp_policy *p, bool token, bool key,
        struct gk_now now)
{
	struct gsakmp_rekey_cause order = { .refresh = key,
		                            .sweep = key,
		                            .announce = token ? p : NULL };
	struct gk_member **out = NULL;
	enum gk_err err = GK_OK;

	if (g->policy->rekey == NULL)
		return GK_ERR_POLICY;
	if (token) {
		err = review(g, p, &out, &order.n_evict);
		order.evict = out;
	}
	if (err == GK_OK && token)
		err = gsakmp_group_token_save(g, p);
	if (err == GK_OK && key)
		err = entries_settle(g);
	if (err == GK_OK)
		err = gsakmp_group_plan(g, &order, now);
	free(out);
	return err;
}

static bool
is_another(const struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	return !gk_slice_equal(gk_buf_slice(&p->signed_der),
	                       gk_buf_slice(&g->policy->signed_der));
}

static enum gk_err
relay(struct gsakmp_group *g, struct gsakmp_policy *p,
      const struct gk_traffic_key *keys, size_t n, struct gk_now now)
{
	bool token, key;

	if (g->phase == GSAKMP_GROUP_DESTROYED || !g->cfg.subordinate)
		return GK_ERR_UNEXPECTED;
	if (g->policy == NULL)
		return begin(g, p, keys, n, now);
	token = is_another(g, p);
	if (is_renamed(g, keys, n) && GK_CHECKED("RFC4535-7.4.1.1-06"))
		return GK_ERR_VALUE;
	key = is_fresh(g, keys, n);
	if (!token && !key)
		return GK_OK;
	if (token)
		GK_TRY(gsakmp_group_compatible(g, p));
	GK_TRY(import(g, keys, n));
	GK_TRY(pass_on(g, p, token, key, now));
	if (!token)
		return GK_OK;
	gsakmp_group_operate(g, p, now);
	gsakmp_policy_unref(g->policy);
	g->policy = gsakmp_policy_ref(p);
	return gsakmp_group_token_out(g);
}

enum gk_err
gsakmp_group_relay(struct gsakmp_group *g, struct gsakmp_policy *policy,
                   const struct gk_traffic_key *keys, size_t n,
                   struct gk_now now)
{
	enum gk_err err;
	bool fresh;

	pthread_mutex_lock(&g->lock);
	fresh = g->policy != NULL && is_another(g, policy);
	pthread_mutex_unlock(&g->lock);
	if (fresh)
		gsakmp_preview_all(g, policy);
	pthread_mutex_lock(&g->lock);
	err = relay(g, policy, keys, n, now);
	pthread_mutex_unlock(&g->lock);
	gsakmp_preview_end(g, policy);
	GK_TRY(err);
	return gsakmp_group_flush(g, now);
}

void
gsakmp_group_pause(struct gsakmp_group *g, bool pause)
{
	pthread_mutex_lock(&g->lock);
	g->paused = pause;
	if (pause)
		gsakmp_sessions_clear(&g->sessions);
	pthread_mutex_unlock(&g->lock);
}

static enum gk_err
disown(struct gsakmp_group *g, bool put_down)
{
	if (g->phase != GSAKMP_GROUP_OPEN ||
	    (gk_group_note(g->data, GSAKMP_NOTE_DISOWNED).len != 0) == put_down)
		return GK_OK;
	GK_TRY(gk_group_note_set(g->data, GSAKMP_NOTE_DISOWNED,
	                         gk_slice_str(put_down ? "1" : "")));
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

enum gk_err
gsakmp_group_disown(struct gsakmp_group *g, bool put_down)
{
	enum gk_err err;

	pthread_mutex_lock(&g->lock);
	err = disown(g, put_down);
	pthread_mutex_unlock(&g->lock);
	return err;
}

bool
gsakmp_group_disowned(struct gsakmp_group *g)
{
	bool disowned;

	pthread_mutex_lock(&g->lock);
	disowned = g->phase == GSAKMP_GROUP_OPEN &&
	           gk_group_note(g->data, GSAKMP_NOTE_DISOWNED).len != 0;
	pthread_mutex_unlock(&g->lock);
	return disowned;
}

/* ---- time --------------------------------------------------------------- */

/*
 * RFC4535-5.2.1.4-16: the policy would rekey now, by the number of events, and
 * somebody has to go for it.  Who departed goes with the next key and is nobody's
 * business but ours (RFC4535-4.4.7-01).
 */
static enum gk_err
expel_overdue(struct gsakmp_group *g, struct gk_now now)
{
	struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		const struct gsakmp_session *s = gsakmp_session_find(
			&g->sessions, gk_buf_slice(&m->identity));

		if (m->state == GK_MEMBER_LEAVING && s != NULL &&
		    s->state == GSAKMP_SESSION_LATE)
			GK_TRY(gsakmp_group_expel(g, m, GSAKMP_EXPULSION_GONE,
			                          now));
	}
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

enum gk_err
gsakmp_group_sub_tick(struct gsakmp_group *g, struct gk_now now)
{
	const struct gsakmp_rekey_cause again = { .refresh = true,
		                                  .sweep = true };
	bool due = g->rekey_due <= now.mono_ms || g->window_ends <= now.mono_ms;

	if (!due)
		return GK_OK;
	g->rekey_due = g->window_ends = GK_NEVER;
	g->events = 0;
	/* A key that could not be passed on the first time. */
	if (gk_group_due(g->data))
		return gsakmp_group_plan(g, &again, now);
	return expel_overdue(g, now);
}
