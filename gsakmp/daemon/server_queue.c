/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/server_queue.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/gsakmp_registry.h"
#include "gsakmp/payload/header.h"

static void
append(struct gsakmpd_letters *list, struct gsakmpd_letter *l)
{
	l->newer = NULL;
	l->older = list->newest;
	if (list->newest != NULL)
		list->newest->newer = l;
	else
		list->oldest = l;
	list->newest = l;
}

static struct gsakmpd_letter *
take_out(struct gsakmpd_queue *q, struct gsakmpd_letters *list,
         struct gsakmpd_letter *l)
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

/* Whatever cannot even be read as a header waits with the requests. */
static bool
is_request(struct gk_slice dgram)
{
	struct gsakmp_header header;
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	return gsakmp_header_decode(&rd, &header) != GK_OK ||
	       header.exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN;
}

static void
drop_stale(struct gsakmpd_queue *q, uint64_t now_ms)
{
	struct gsakmpd_letters *r = &q->requests;

	while (r->oldest != NULL && now_ms - r->oldest->at_ms > q->age_ms) {
		free(take_out(q, r, r->oldest));
		q->stale++;
	}
}

/* Older requests make room for anything. */
static bool
make_room(struct gsakmpd_queue *q, size_t octets)
{
	if (octets > q->octets_max)
		return false;
	while (q->octets + octets > q->octets_max) {
		if (q->requests.oldest == NULL)
			return false;
		free(take_out(q, &q->requests, q->requests.oldest));
		q->crowded++;
	}
	return true;
}

void
gsakmpd_queue_put(struct gsakmpd_queue *q, struct gk_slice dgram,
                  const struct gsakmp_endpoint *from, uint64_t now_ms)
{
	struct gsakmpd_letter *l = NULL;

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
	append(is_request(dgram) ? &q->requests : &q->first, l);
	q->count++;
	q->octets += sizeof(*l) + l->len;
}

struct gsakmpd_letter *
gsakmpd_queue_take(struct gsakmpd_queue *q, uint64_t now_ms)
{
	struct gsakmpd_letters *r = &q->requests;

	if (q->first.oldest != NULL)
		return take_out(q, &q->first, q->first.oldest);
	drop_stale(q, now_ms);
	if (r->oldest == NULL)
		return NULL;
	if (now_ms - r->oldest->at_ms > GSAKMPD_QUEUE_STANDING_MS)
		return take_out(q, r, r->newest);
	return take_out(q, r, r->oldest);
}

void
gsakmpd_queue_clear(struct gsakmpd_queue *q)
{
	while (q->first.oldest != NULL)
		free(take_out(q, &q->first, q->first.oldest));
	while (q->requests.oldest != NULL)
		free(take_out(q, &q->requests, q->requests.oldest));
}
