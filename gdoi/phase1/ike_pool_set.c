/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/ike_pool_private.h"

#include <stdlib.h>
#include <string.h>

/*
 * Where the entries of a pool are: by cookie, by message 1, by address, by name,
 * by age and by deadline.
 */
/* ---- lists -------------------------------------------------------------- */

#define APPEND(list, e, link)                           \
	do {                                            \
		(e)->link.before = (list)->last;        \
		(e)->link.after = NULL;                 \
		if ((list)->last != NULL)               \
			(list)->last->link.after = (e); \
		else                                    \
			(list)->first = (e);            \
		(list)->last = (e);                     \
	} while (0)

#define TAKE_OUT(list, e, link)                                          \
	do {                                                             \
		if ((e)->link.before != NULL)                            \
			(e)->link.before->link.after = (e)->link.after;  \
		else                                                     \
			(list)->first = (e)->link.after;                 \
		if ((e)->link.after != NULL)                             \
			(e)->link.after->link.before = (e)->link.before; \
		else                                                     \
			(list)->last = (e)->link.before;                 \
	} while (0)

/* ---- the heap of deadlines ---------------------------------------------- */

static bool
sooner(const struct ike_entry *a, const struct ike_entry *b)
{
	return a->deadline < b->deadline;
}

static void
put(struct ike_pool *pool, struct ike_entry *e, size_t at)
{
	pool->heap[at] = e;
	e->at = at;
}

/* To where it belongs, from where it is. */
static void
sift(struct ike_pool *pool, struct ike_entry *e)
{
	size_t at = e->at;

	while (at > 1 && sooner(e, pool->heap[at / 2])) {
		put(pool, pool->heap[at / 2], at);
		at /= 2;
	}
	for (size_t child = 2 * at; child <= pool->n; child = 2 * at) {
		if (child < pool->n &&
		    sooner(pool->heap[child + 1], pool->heap[child]))
			child++;
		if (!sooner(pool->heap[child], e))
			break;
		put(pool, pool->heap[child], at);
		at = child;
	}
	put(pool, e, at);
}

static enum gk_err
heap_add(struct ike_pool *pool, struct ike_entry *e)
{
	if (pool->n + 2 > pool->cap) {
		size_t cap = pool->cap == 0 ? 16 : 2 * pool->cap;
		struct ike_entry **heap =
			realloc(pool->heap, cap * sizeof(struct ike_entry *));

		if (heap == NULL)
			return GK_ERR_NOMEM;
		pool->heap = heap;
		pool->cap = cap;
	}
	put(pool, e, ++pool->n);
	sift(pool, e);
	return GK_OK;
}

static void
heap_remove(struct ike_pool *pool, struct ike_entry *e)
{
	struct ike_entry *last = pool->heap[pool->n--];

	if (last != e) {
		put(pool, last, e->at);
		sift(pool, last);
	}
	e->at = 0;
}

/* ---- addresses ---------------------------------------------------------- */

static struct gk_slice
ip_of(const struct ike_host *h)
{
	return (struct gk_slice){ h->ip, h->ip_len };
}

struct ike_host *
ike_pool_host(const struct ike_pool *pool, const struct ike_address *a)
{
	return gk_index_find(&pool->by_ip,
	                     (struct gk_slice){ a->ip, a->ip_len });
}

static enum gk_err
host_join(struct ike_pool *pool, struct ike_entry *e)
{
	const struct ike_address *from = &ike_path(e->ike)->peer;
	struct ike_host *h = ike_pool_host(pool, from);
	enum gk_err err;

	if (h == NULL) {
		h = calloc(1, sizeof(*h));
		if (h == NULL)
			return GK_ERR_NOMEM;
		memcpy(h->ip, from->ip, sizeof(h->ip));
		h->ip_len = from->ip_len;
		err = gk_index_add(&pool->by_ip, ip_of(h), h);
		if (err != GK_OK) {
			free(h);
			return err;
		}
	}
	h->half_open++;
	e->host = h;
	APPEND(&h->unanswered, e, by_host);
	APPEND(&pool->unanswered, e, by_age);
	e->unanswered = e->half_open = true;
	pool->counts.half_open++;
	return GK_OK;
}

static void
answered(struct ike_pool *pool, struct ike_entry *e)
{
	if (!e->unanswered)
		return;
	TAKE_OUT(&e->host->unanswered, e, by_host);
	TAKE_OUT(&pool->unanswered, e, by_age);
	e->unanswered = false;
}

static void
host_leave(struct ike_pool *pool, struct ike_entry *e)
{
	answered(pool, e);
	if (!e->half_open)
		return;
	e->half_open = false;
	pool->counts.half_open--;
	if (--e->host->half_open == 0) {
		(void)gk_index_remove(&pool->by_ip, ip_of(e->host));
		free(e->host);
	}
	e->host = NULL;
}

void
ike_first_key(const struct ike_address *from, const uint8_t *cookie_i,
              uint8_t key[IKE_FIRST_KEY_LEN])
{
	memset(key, 0, IKE_FIRST_KEY_LEN);
	memcpy(key, from->ip, from->ip_len);
	key[16] = from->ip_len;
	key[17] = (uint8_t)(from->port >> 8);
	key[18] = (uint8_t)from->port;
	memcpy(key + 19, cookie_i, ISAKMP_COOKIE_LEN);
}

/* ---- first messages ------------------------------------------------------ */

static struct gk_slice
first_of(const uint8_t first[IKE_FIRST_KEY_LEN])
{
	return (struct gk_slice){ first, IKE_FIRST_KEY_LEN };
}

static void
keep_late(struct ike_pool *pool, const struct ike_entry *e)
{
	struct ike_late *l = &pool->late[pool->next_late];

	if (l->until_ms != 0)
		(void)gk_index_remove(&pool->by_late, first_of(l->first));
	memcpy(l->first, e->first, sizeof(l->first));
	l->until_ms = pool->now.mono_ms + IKE_LATE_MS;
	if (gk_index_find(&pool->by_late, first_of(l->first)) != NULL ||
	    gk_index_add(&pool->by_late, first_of(l->first), l) != GK_OK) {
		l->until_ms = 0;
		return;
	}
	pool->next_late = (pool->next_late + 1) % IKE_LATE_MAX;
}

static void
first_leave(struct ike_pool *pool, struct ike_entry *e)
{
	if (gk_index_find(&pool->by_first, first_of(e->first)) != e)
		return;
	(void)gk_index_remove(&pool->by_first, first_of(e->first));
	if (e->heard)
		keep_late(pool, e);
}

bool
ike_pool_late(const struct ike_pool *pool,
              const uint8_t first[IKE_FIRST_KEY_LEN])
{
	const struct ike_late *l;

	if (gk_index_find(&pool->by_first, first_of(first)) != NULL)
		return true;
	l = gk_index_find(&pool->by_late, first_of(first));
	return l != NULL && l->until_ms > pool->now.mono_ms;
}

/* ---- names -------------------------------------------------------------- */

static uint8_t
small(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

enum gk_err
ike_known_name(struct gk_identity id, struct gk_buf *name)
{
	bool fold = id.kind == GK_ID_FQDN;

	GK_TRY(gk_buf_alloc(name, 1 + id.octets.len));
	name->ptr[0] = (uint8_t)id.kind;
	for (size_t i = 0; i < id.octets.len; i++) {
		uint8_t c = id.octets.ptr[i];

		/* gk_identity.h: the local part counts as it is written. */
		fold = fold || (id.kind == GK_ID_RFC822 && c == '@');
		name->ptr[1 + i] = fold ? small(c) : c;
	}
	return GK_OK;
}

struct ike_known *
ike_pool_known(const struct ike_pool *pool, struct gk_identity id)
{
	struct gk_buf name = { 0 };
	struct ike_known *k = NULL;

	if (ike_known_name(id, &name) == GK_OK)
		k = gk_index_find(&pool->by_name, gk_buf_slice(&name));
	gk_buf_free(&name);
	return k;
}

static void
known_free(struct ike_known *k)
{
	gk_buf_free(&k->name);
	free(k->entry);
	free(k);
}

static struct ike_known *
known_new(struct ike_pool *pool, struct gk_identity id)
{
	struct ike_known *k = calloc(1, sizeof(*k));

	if (k != NULL && (ike_known_name(id, &k->name) != GK_OK ||
	                  gk_index_add(&pool->by_name, gk_buf_slice(&k->name),
	                               k) != GK_OK)) {
		known_free(k);
		return NULL;
	}
	return k;
}

static enum gk_err
known_join(struct ike_pool *pool, struct ike_entry *e)
{
	struct ike_known *k = ike_pool_known(pool, ike_peer(e->ike));
	struct ike_entry **entry;

	if (k == NULL)
		k = known_new(pool, ike_peer(e->ike));
	if (k == NULL)
		return GK_ERR_NOMEM;
	entry = realloc(k->entry, (k->n + 1) * sizeof(struct ike_entry *));
	if (entry == NULL)
		return GK_ERR_NOMEM;
	k->entry = entry;
	k->entry[k->n++] = e;
	e->known = k;
	e->established = true;
	pool->counts.established++;
	pool->counts.completed++;
	return GK_OK;
}

static void
known_leave(struct ike_pool *pool, struct ike_entry *e)
{
	struct ike_known *k = e->known;
	size_t i = 0;

	if (k == NULL)
		return;
	while (k->entry[i] != e)
		i++;
	for (k->n--; i < k->n; i++)
		k->entry[i] = k->entry[i + 1];
	if (k->n == 0) {
		(void)gk_index_remove(&pool->by_name, gk_buf_slice(&k->name));
		known_free(k);
	}
	e->known = NULL;
	pool->counts.established--;
}

/* ---- entries ------------------------------------------------------------ */

struct ike_entry *
ike_entry_of(const struct ike *ike)
{
	return ike->entry;
}

enum gk_err
ike_pool_add(struct ike_pool *pool, struct ike *ike, const uint8_t *first,
             uint64_t now_ms)
{
	struct ike_entry *e = calloc(1, sizeof(*e));
	enum gk_err err;

	if (e == NULL)
		return GK_ERR_NOMEM;
	e->ike = ike;
	e->begun_ms = now_ms;
	e->deadline = ike_deadline(ike);
	memcpy(e->own, ike->initiator ? ike->cookie_i : ike->cookie_r,
	       sizeof(e->own));
	err = heap_add(pool, e);
	if (err == GK_OK)
		err = gk_index_add(&pool->by_own,
		                   (struct gk_slice){ e->own, sizeof(e->own) },
		                   e);
	if (err == GK_OK && first != NULL) {
		memcpy(e->first, first, sizeof(e->first));
		/* Where copies are not looked for, it may be there. */
		if (gk_index_find(&pool->by_first, first_of(first)) == NULL)
			err = gk_index_add(&pool->by_first, first_of(e->first),
			                   e);
		if (err == GK_OK)
			err = host_join(pool, e);
	}
	if (err != GK_OK) {
		ike_pool_forget(pool, e);
		free(e);
		return err;
	}
	ike->entry = e;
	pool->counts.begun++;
	return ike_pool_update(pool, e);
}

void
ike_pool_forget(struct ike_pool *pool, struct ike_entry *e)
{
	host_leave(pool, e);
	known_leave(pool, e);
	first_leave(pool, e);
	if (e->at != 0)
		heap_remove(pool, e);
	if (gk_index_find(&pool->by_own,
	                  (struct gk_slice){ e->own, sizeof(e->own) }) == e)
		(void)gk_index_remove(
			&pool->by_own,
			(struct gk_slice){ e->own, sizeof(e->own) });
}

void
ike_entry_free(struct ike_pool *pool, struct ike_entry *e)
{
	ike_pool_forget(pool, e);
	if (e->ready)
		TAKE_OUT(&pool->ready, e, in_ready);
	ike_free(e->ike);
	free(e);
}

void
ike_pool_done(struct ike_pool *pool, struct ike_entry *e)
{
	if (ike_state(e->ike) == IKE_DEAD) {
		ike_entry_free(pool, e);
		return;
	}
	TAKE_OUT(&pool->ready, e, in_ready);
	e->ready = false;
}

/* RFC 2408 section 2.5.3: one peer cannot have more and more of them. */
static enum gk_err
bound_identity(struct ike_pool *pool, struct ike_entry *newest)
{
	struct ike_entry *oldest = newest->known->entry[0];

	if (newest->known->n <= pool->limits.per_identity)
		return GK_OK;
	GK_TRY(ike_delete_because(oldest->ike, "the peer has newer ones",
	                          pool->now));
	return ike_pool_update(pool, oldest);
}

enum gk_err
ike_pool_update(struct ike_pool *pool, struct ike_entry *e)
{
	enum ike_state state = ike_state(e->ike);

	if (!e->ready) {
		APPEND(&pool->ready, e, in_ready);
		e->ready = true;
	}
	if (state != IKE_R_SA && state != IKE_R_AGGRESSIVE) {
		e->heard |= state != IKE_DEAD;
		answered(pool, e);
	}
	if (state == IKE_DEAD) {
		ike_pool_forget(pool, e);
		return GK_OK;
	}
	if (state == IKE_ESTABLISHED && !e->established) {
		host_leave(pool, e);
		GK_TRY(known_join(pool, e));
		GK_TRY(bound_identity(pool, e));
	}
	e->deadline = ike_deadline(e->ike);
	if (e->at != 0)
		sift(pool, e);
	return GK_OK;
}
