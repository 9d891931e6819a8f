/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_queue.h"

#include <stdlib.h>
#include <string.h>

static void
append(struct gkd_letters *list, struct gkd_letter *l)
{
	l->newer = NULL;
	l->older = list->newest;
	if (list->newest != NULL)
		list->newest->newer = l;
	else
		list->oldest = l;
	list->newest = l;
}

static struct gkd_letter *
take_out(struct gkd_queue *q, struct gkd_letters *list, struct gkd_letter *l)
{
	if (l->older != NULL)
		l->older->newer = l->newer;
	else
		list->oldest = l->newer;
	if (l->newer != NULL)
		l->newer->older = l->older;
	else
		list->newest = l->older;
	q->count--;
	q->octets -= sizeof(*l) + l->len;
	return l;
}

static void
drop_stale(struct gkd_queue *q, struct gkd_letters *r, uint64_t now_ms)
{
	while (r->oldest != NULL && now_ms - r->oldest->at_ms > q->age_ms) {
		free(take_out(q, r, r->oldest));
		q->stale++;
	}
}

/* Anything makes room but what completes work. */
static bool
make_room(struct gkd_queue *q, size_t octets)
{
	if (octets > q->octets_max)
		return false;
	while (q->octets + octets > q->octets_max) {
		struct gkd_letters *r = &q->rank[GKD_RANK_BEGINS];

		if (r->oldest == NULL)
			r = &q->rank[GKD_RANK_CONTINUES];
		if (r->oldest == NULL)
			return false;
		free(take_out(q, r, r->oldest));
		q->crowded++;
	}
	return true;
}

void
gkd_queue_put(struct gkd_queue *q, struct gk_slice dgram,
              const struct gkd_origin *from, enum gkd_rank rank,
              uint64_t now_ms)
{
	struct gkd_letter *l = NULL;

	if (make_room(q, sizeof(*l) + dgram.len))
		l = malloc(sizeof(*l) + dgram.len);
	if (l == NULL) {
		q->crowded++;
		return;
	}
	l->from = *from;
	l->at_ms = now_ms;
	l->len = dgram.len;
	if (dgram.len != 0)
		memcpy(l->octets, dgram.ptr, dgram.len);
	append(&q->rank[rank], l);
	q->count++;
	q->octets += sizeof(*l) + l->len;
}

struct gkd_letter *
gkd_queue_take(struct gkd_queue *q, uint64_t now_ms)
{
	struct gkd_letters *r = &q->rank[GKD_RANK_COMPLETES];

	if (r->oldest != NULL)
		return take_out(q, r, r->oldest);
	for (r++; r < &q->rank[GKD_RANKS]; r++) {
		drop_stale(q, r, now_ms);
		if (r->oldest == NULL)
			continue;
		if (now_ms - r->oldest->at_ms > GKD_QUEUE_STANDING_MS)
			return take_out(q, r, r->newest);
		return take_out(q, r, r->oldest);
	}
	return NULL;
}

void
gkd_queue_clear(struct gkd_queue *q)
{
	for (size_t i = 0; i < GKD_RANKS; i++)
		while (q->rank[i].oldest != NULL)
			free(take_out(q, &q->rank[i], q->rank[i].oldest));
}

struct gkd_turn
gkd_turn_begin(uint64_t now_ms)
{
	return (struct gkd_turn){ .end_ms = now_ms + GKD_TURN_MS };
}

struct gkd_letter *
gkd_turn_take(struct gkd_turn *turn, struct gkd_queue *q, uint64_t now_ms)
{
	if (turn->taken == GKD_TURN_LETTERS ||
	    (turn->taken != 0 && now_ms >= turn->end_ms))
		return NULL;
	turn->taken++;
	return gkd_queue_take(q, now_ms);
}

void
gkd_queue_show(const struct gkd_queue *q, struct gkd_queue_seen *seen)
{
	atomic_store(&seen->waiting, q->count);
	atomic_store(&seen->stale, q->stale);
	atomic_store(&seen->crowded, q->crowded);
}

void
gkd_queue_add(struct gkd_queue_sum *sum, struct gkd_queue_seen *seen)
{
	sum->waiting += atomic_load(&seen->waiting);
	sum->stale += atomic_load(&seen->stale);
	sum->crowded += atomic_load(&seen->crowded);
}
