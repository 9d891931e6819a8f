/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_SERVER_QUEUE_H
#define GSAKMP_DAEMON_SERVER_QUEUE_H

#include "gsakmp/engine/party.h"

/*
 * DOC: datagrams that wait for a worker
 *
 * Reading a datagram takes a microsecond, answering a Request to Join a thousand
 * times as long.  So a worker empties its sockets first and then decides what it
 * does; a socket's own queue would lose acknowledgements and requests alike, the
 * newest ones first.
 *
 * What is not a Request to Join goes in front: it completes work that was done
 * before (or costs nothing).  Requests are answered in the order of their
 * arrival, until the oldest has waited for a quarter of a second; then there are
 * more than can be answered, and the newest comes first, because its sender has
 * the most patience left.  One that has waited for @age_ms is dropped: its sender
 * has given up or asked again.  So however many ask, the work that is begun is
 * work that somebody waits for.
 *
 * What waits is bounded by @octets_max; when that is reached the oldest request
 * makes room.
 */
struct gsakmpd_letter {
	struct gsakmpd_letter *older, *newer;
	struct gsakmp_endpoint from;
	uint64_t at_ms; /* monotonic: when it came */
	size_t len;
	uint8_t octets[];
};

struct gsakmpd_letters {
	struct gsakmpd_letter *oldest, *newest;
};

struct gsakmpd_queue {
	size_t octets_max;
	uint32_t age_ms;
	struct gsakmpd_letters first, requests;
	size_t count, octets;
	uint64_t stale, crowded; /* dropped: too old, no room */
};

#define GSAKMPD_QUEUE_STANDING_MS 250

/* gsakmpd_queue_put - copies @dgram; without memory or room it is lost, as
 * datagrams may be. */
void gsakmpd_queue_put(struct gsakmpd_queue *q, struct gk_slice dgram,
                       const struct gsakmp_endpoint *from, uint64_t now_ms);
/* gsakmpd_queue_take - what is to be worked on next; NULL: nothing.  The caller
 * frees it with free(). */
struct gsakmpd_letter *gsakmpd_queue_take(struct gsakmpd_queue *q,
                                          uint64_t now_ms);
void gsakmpd_queue_clear(struct gsakmpd_queue *q);

#endif /* GSAKMP_DAEMON_SERVER_QUEUE_H */
