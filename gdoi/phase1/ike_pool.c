/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/ike_pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_pool_private.h"

/* ---- life --------------------------------------------------------------- */

static bool
is_first(void *ctx, const struct ike *ike)
{
	const struct ike_pool *pool = ctx;
	const struct ike_address *peer = &ike_path(ike)->peer;

	if (!pool->initial_contact)
		return false;
	if (!ike_initiated(ike))
		return ike_pool_known(pool, ike_peer(ike)) == NULL;
	/* Who it is is not known yet, where it is is. */
	for (size_t i = 1; i <= pool->n; i++) {
		const struct ike *other = pool->heap[i]->ike;
		const struct ike_address *at = &ike_path(other)->peer;

		if (other != ike && ike_state(other) == IKE_ESTABLISHED &&
		    at->ip_len == peer->ip_len &&
		    memcmp(at->ip, peer->ip, at->ip_len) == 0)
			return false;
	}
	return true;
}

void
ike_pool_configure(struct ike_pool *pool, const struct ike_config *cfg)
{
	struct ike_config before = pool->cfg;

	ike_config_hold(cfg, 1);
	pool->cfg = *cfg;
	ike_config_hold(&before, -1);
	gk_wipe(before.secret, sizeof(before.secret));
	pool->cfg.contact = (struct ike_contact){ is_first, pool };
}

enum gk_err
ike_pool_new(const struct gk_env *env, const struct ike_config *cfg,
             const struct ike_pool_limits *limits, bool initial_contact,
             struct ike_pool **out)
{
	static const struct ike_pool_limits usual = { 1000, 16, 100000, 4 };
	struct ike_pool *pool = calloc(1, sizeof(*pool));

	*out = pool;
	if (pool == NULL)
		return GK_ERR_NOMEM;
	pool->env = env;
	if (limits != NULL)
		pool->limits = *limits;
	if (pool->limits.half_open == 0)
		pool->limits.half_open = usual.half_open;
	if (pool->limits.per_address == 0)
		pool->limits.per_address = usual.per_address;
	if (pool->limits.established == 0)
		pool->limits.established = usual.established;
	if (pool->limits.per_identity == 0)
		pool->limits.per_identity = usual.per_identity;
	pool->initial_contact = initial_contact;
	ike_pool_configure(pool, cfg);
	return GK_OK;
}

void
ike_pool_free(struct ike_pool *pool)
{
	if (pool == NULL)
		return;
	while (pool->ready.first != NULL)
		ike_entry_free(pool, pool->ready.first);
	while (pool->n != 0)
		ike_entry_free(pool, pool->heap[pool->n]);
	gk_index_free(&pool->by_own);
	gk_index_free(&pool->by_first);
	gk_index_free(&pool->by_late);
	gk_index_free(&pool->by_ip);
	gk_index_free(&pool->by_name);
	free(pool->heap);
	ike_config_hold(&pool->cfg, -1);
	gk_wipe(pool, sizeof(*pool));
	free(pool);
}

enum gk_err
ike_pool_initiate(struct ike_pool *pool, const struct ike_config *cfg,
                  const struct ike_path *path, struct gk_now now,
                  struct ike **ike)
{
	struct ike_config own = cfg != NULL ? *cfg : pool->cfg;
	enum gk_err err;

	pool->now = now;
	own.contact = pool->cfg.contact;
	GK_TRY(ike_initiate(pool->env, &own, path, now, ike));
	err = ike_pool_add(pool, *ike, NULL, now.mono_ms);
	if (err != GK_OK) {
		ike_free(*ike);
		*ike = NULL;
	}
	return err;
}

/* ---- receiving ---------------------------------------------------------- */

static enum gk_err
refuse(struct ike_pool *pool, enum gk_err err, enum isakmp_notify notify,
       const char *req, const char *field, size_t at)
{
	pool->refused = true;
	return isakmp_refuse(&pool->why, err, notify, req, field, at);
}

static bool
is_phase1(uint8_t exchange)
{
	return exchange == ISAKMP_EXCHANGE_IDENTITY_PROTECTION ||
	       exchange == ISAKMP_EXCHANGE_AGGRESSIVE;
}

/* Whose is it?  By the cookie that we made: as responder, as initiator, or not
 * there yet. */
static struct ike_entry *
entry_for(const struct ike_pool *pool, const struct isakmp_header *h,
          const struct ike_path *path)
{
	const struct gk_slice cookie[] = {
		{ h->cookie_r, ISAKMP_COOKIE_LEN },
		{ h->cookie_i, ISAKMP_COOKIE_LEN },
	};
	uint8_t first[IKE_FIRST_KEY_LEN];
	struct ike_entry *e;

	for (size_t i = 0; i < GK_COUNT(cookie); i++) {
		e = gk_index_find(&pool->by_own, cookie[i]);
		if (e != NULL && ike_initiated(e->ike) == (i == 1) &&
		    ike_is(e->ike, h))
			return e;
	}
	ike_first_key(&path->peer, h->cookie_i, first);
	e = gk_index_find(&pool->by_first,
	                  (struct gk_slice){ first, sizeof(first) });
	return e != NULL && ike_is(e->ike, h) ? e : NULL;
}

/* At a bound, who has been there longest without a sign of life makes room. */
static bool
make_room(struct ike_pool *pool, const struct ike_queue_of *list)
{
	struct ike_entry *oldest = list->first;
	uint32_t wait = pool->cfg.timeout_ms != 0 ? pool->cfg.timeout_ms : 1000;

	if (oldest == NULL || oldest->begun_ms + wait > pool->now.mono_ms)
		return false;
	ike_entry_free(pool, oldest);
	pool->counts.failed++;
	return true;
}

static bool
has_room(struct ike_pool *pool, const struct ike_path *path)
{
	const struct ike_pool_limits *max = &pool->limits;
	struct ike_host *h = ike_pool_host(pool, &path->peer);

	if (pool->counts.established >= max->established)
		return false;
	if (h != NULL && h->half_open >= max->per_address &&
	    !make_room(pool, &h->unanswered))
		return false;
	return pool->counts.half_open < max->half_open ||
	       make_room(pool, &pool->unanswered);
}

static enum gk_err
begin(struct ike_pool *pool, const struct ike_path *path,
      const struct isakmp_header *h, struct gk_slice dgram)
{
	uint8_t first[IKE_FIRST_KEY_LEN];
	struct ike *ike;
	enum gk_err err;

	/* The cookie of an SA is of that SA alone: this is a late copy, or
	 * somebody's replay, and the SA may be over by now. */
	ike_first_key(&path->peer, h->cookie_i, first);
	if (ike_pool_late(pool, first) && GK_CHECKED("RFC2408-2.5.3-04"))
		return refuse(pool, GK_ERR_UNEXPECTED, ISAKMP_NOTIFY_NONE,
		              "RFC2408-2.5.3-04",
		              "Initiator Cookie, which an SA of this peer has",
		              0);
	/* RFC2408-1.7.1-01 */
	if (!has_room(pool, path) && GK_CHECKED("RFC2408-1.7.1-01")) {
		pool->counts.limited++;
		return refuse(pool, GK_ERR_SPACE, ISAKMP_NOTIFY_NONE,
		              "RFC2408-1.7.1-01", "half-open SAs", 0);
	}
	err = ike_respond(pool->env, &pool->cfg, path, dgram, pool->now, &ike,
	                  &pool->why);
	if (err != GK_OK) {
		pool->refused = true;
		return err;
	}
	err = ike_pool_add(pool, ike, first, pool->now.mono_ms);
	if (err != GK_OK) {
		ike_free(ike);
		return refuse(pool, err, ISAKMP_NOTIFY_NONE, NULL,
		              gk_strerror(err), 0);
	}
	return GK_OK;
}

static enum gk_err
read_header(struct ike_pool *pool, struct gk_slice dgram,
            struct isakmp_header *h)
{
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	if (isakmp_header_decode(&rd, h) != GK_OK) {
		pool->refused = true;
		return isakmp_refuse_fault(&pool->why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	}
	pool->refused = isakmp_header_check(h, dgram.len, &pool->why) != GK_OK;
	return pool->refused ? GK_ERR_VALUE : GK_OK;
}

static enum gk_err
for_entry(struct ike_pool *pool, struct ike_entry *e,
          const struct ike_path *path, const struct isakmp_header *h,
          struct gk_slice dgram, struct ike **other)
{
	enum gk_err err, state;

	if (!is_phase1(h->exchange) &&
	    h->exchange != ISAKMP_EXCHANGE_INFORMATIONAL) {
		if (ike_state(e->ike) == IKE_ESTABLISHED) {
			*other = e->ike;
			return GK_OK;
		}
		/* RFC2409-4-02 */
		if (GK_CHECKED("RFC2409-4-02"))
			return refuse(pool, GK_ERR_UNEXPECTED,
			              ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
			              "RFC2409-4-02", "Exchange Type", 18);
	}
	err = ike_receive(e->ike, path, dgram, pool->now);
	state = ike_pool_update(pool, e);
	return err != GK_OK ? err : state;
}

enum gk_err
ike_pool_receive(struct ike_pool *pool, const struct ike_path *path,
                 struct gk_slice dgram, struct gk_now now, struct ike **other)
{
	static const uint8_t zero[ISAKMP_COOKIE_LEN];
	struct isakmp_header h;
	struct ike_entry *e;

	*other = NULL;
	pool->now = now;
	pool->refused = false;
	pool->why = (struct isakmp_reject){ 0 };
	GK_TRY(read_header(pool, dgram, &h));
	e = entry_for(pool, &h, path);
	if (e != NULL)
		return for_entry(pool, e, path, &h, dgram, other);
	if (is_phase1(h.exchange) &&
	    memcmp(h.cookie_r, zero, sizeof(zero)) == 0)
		return begin(pool, path, &h, dgram);
	if (!GK_CHECKED("RFC2408-5.2-02"))
		return GK_OK;
	return refuse(pool, GK_ERR_UNEXPECTED, ISAKMP_NOTIFY_INVALID_COOKIE,
	              "RFC2408-5.2-02", "Initiator Cookie", 0);
}

/* ---- time --------------------------------------------------------------- */

enum gk_err
ike_pool_tick(struct ike_pool *pool, struct gk_now now)
{
	enum gk_err err = GK_OK;

	pool->now = now;
	while (pool->n != 0 && pool->heap[1]->deadline <= now.mono_ms) {
		struct ike_entry *e = pool->heap[1];
		enum gk_err one = ike_tick(e->ike, now);

		/* What cannot be done now is over: it would come back at once
		 * for ever. */
		if (one != GK_OK)
			ike_die(e->ike,
			        e->established ? IKE_OUT_DELETED
			                       : IKE_OUT_FAILED,
			        NULL, gk_strerror(one));
		one = ike_pool_update(pool, e);
		err = err == GK_OK ? one : err;
	}
	return err;
}

uint64_t
ike_pool_deadline(const struct ike_pool *pool)
{
	return pool->n == 0 ? GK_NEVER : pool->heap[1]->deadline;
}

/* ---- outputs ------------------------------------------------------------ */

static void
count(struct ike_pool *pool, enum ike_output_kind kind)
{
	struct ike_pool_counts *c = &pool->counts;

	c->failed += kind == IKE_OUT_FAILED;
	c->deleted += kind == IKE_OUT_DELETED;
	c->dead += kind == IKE_OUT_PEER_DEAD;
	c->refused += kind == IKE_OUT_REFUSED;
}

bool
ike_pool_poll(struct ike_pool *pool, struct ike_pool_output *out)
{
	while (pool->ready.first != NULL) {
		struct ike_entry *e = pool->ready.first;

		if (ike_poll(e->ike, &out->out)) {
			out->ike = e->ike;
			count(pool, out->out.kind);
			if (out->out.kind == IKE_OUT_INITIAL_CONTACT)
				(void)ike_pool_delete_peer(
					pool, ike_peer(e->ike), e->ike, false,
					pool->now);
			return true;
		}
		ike_pool_done(pool, e);
	}
	if (!pool->refused)
		return false;
	pool->refused = false;
	pool->counts.refused++;
	*out = (struct ike_pool_output){
		.out = { .kind = IKE_OUT_REFUSED, .why = pool->why },
	};
	return true;
}

/* ---- the owner's -------------------------------------------------------- */

enum gk_err
ike_pool_heard(struct ike_pool *pool, struct ike *ike,
               const struct ike_path *path, struct gk_now now)
{
	pool->now = now;
	ike_heard(ike, path, now);
	return ike_pool_update(pool, ike_entry_of(ike));
}

enum gk_err
ike_pool_notify(struct ike_pool *pool, struct ike *ike,
                const struct isakmp_notification *notification,
                struct gk_now now)
{
	pool->now = now;
	GK_TRY(ike_notify(ike, notification, now));
	return ike_pool_update(pool, ike_entry_of(ike));
}

enum gk_err
ike_pool_delete_other(struct ike_pool *pool, struct ike *ike,
                      const struct isakmp_delete *del, struct gk_now now)
{
	pool->now = now;
	GK_TRY(ike_delete_other(ike, del, now));
	return ike_pool_update(pool, ike_entry_of(ike));
}

enum gk_err
ike_pool_delete(struct ike_pool *pool, struct ike *ike, struct gk_now now)
{
	pool->now = now;
	if (ike_state(ike) == IKE_ESTABLISHED)
		GK_TRY(ike_delete(ike, now));
	else if (ike_state(ike) != IKE_DEAD)
		ike_die(ike, IKE_OUT_FAILED, NULL, "ended here");
	return ike_pool_update(pool, ike_entry_of(ike));
}

enum gk_err
ike_pool_delete_peer(struct ike_pool *pool, struct gk_identity peer,
                     const struct ike *keep, bool tell, struct gk_now now)
{
	struct ike_known *k = ike_pool_known(pool, peer);
	size_t left = k == NULL ? 0 : k->n;

	pool->now = now;
	/* @k goes with its last entry. */
	for (size_t i = 0; left != 0; left--) {
		struct ike_entry *e = k->entry[i];

		if (e->ike == keep) {
			i++;
			continue;
		}
		if (!tell || ike_delete(e->ike, now) != GK_OK)
			ike_die(e->ike, IKE_OUT_DELETED, NULL,
			        "the peer began anew");
		GK_TRY(ike_pool_update(pool, e));
	}
	return GK_OK;
}

enum gk_err
ike_pool_delete_all(struct ike_pool *pool, struct gk_now now)
{
	while (pool->n != 0)
		GK_TRY(ike_pool_delete(pool, pool->heap[pool->n]->ike, now));
	return GK_OK;
}

/* ---- questions ---------------------------------------------------------- */

bool
ike_pool_has(const struct ike_pool *pool, const uint8_t own[ISAKMP_COOKIE_LEN])
{
	return gk_index_find(&pool->by_own,
	                     (struct gk_slice){ own, ISAKMP_COOKIE_LEN }) !=
	       NULL;
}

struct ike *
ike_pool_find(const struct ike_pool *pool,
              const uint8_t cookies[2 * ISAKMP_COOKIE_LEN])
{
	struct isakmp_header h = { 0 };
	struct ike_path nowhere = { 0 };
	struct ike_entry *e;

	memcpy(h.cookie_i, cookies, ISAKMP_COOKIE_LEN);
	memcpy(h.cookie_r, cookies + ISAKMP_COOKIE_LEN, ISAKMP_COOKIE_LEN);
	e = entry_for(pool, &h, &nowhere);
	return e == NULL ? NULL : e->ike;
}

struct ike *
ike_pool_peer(const struct ike_pool *pool, struct gk_identity peer)
{
	const struct ike_known *k = ike_pool_known(pool, peer);

	return k == NULL ? NULL : k->entry[k->n - 1]->ike;
}

struct ike *
ike_pool_each(const struct ike_pool *pool, size_t *cursor)
{
	return *cursor >= pool->n ? NULL : pool->heap[++*cursor]->ike;
}

struct ike_pool_counts
ike_pool_counts(const struct ike_pool *pool)
{
	return pool->counts;
}
