/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_QUEUE_H
#define GKD_QUEUE_H

#include <stdatomic.h>

#include "common/daemon/gkd_addr.h"

/*
 * DOC: datagrams that wait for a worker
 *
 * Reading a datagram takes a microsecond, answering a request to join a thousand
 * times as long.  So a worker empties its sockets first and then decides what it
 * does; a socket's own queue would lose acknowledgements and requests alike, the
 * newest ones first.
 *
 * What it is for, only the protocol can say.  What completes work that was done
 * before (or costs nothing) goes in front, in the order of arrival.  Then comes
 * what continues an exchange of which the costly part is still ahead, and last
 * what begins one: so not everybody is half served when the first gives up.
 * Those two are answered in the order of their arrival, too, until the oldest has
 * waited for a quarter of a second; then there are more than can be answered, and
 * the newest comes first, because its sender has the most patience left.  One
 * that has waited for @age_ms is dropped: its sender has given up or asked again.
 * So however many ask, the work that is begun is work that somebody waits for.
 *
 * What waits is bounded by @octets_max; when that is reached the oldest that
 * begins an exchange makes room, or else the oldest that continues one.
 */
enum gkd_rank {
	GKD_RANK_COMPLETES,
	GKD_RANK_CONTINUES,
	GKD_RANK_BEGINS,
	GKD_RANKS
};

/* Where a datagram came from, and by which of the owner's sockets. */
struct gkd_origin {
	struct gkd_addr peer;
	uint64_t handle;
};

struct gkd_letter {
	struct gkd_letter *older, *newer;
	struct gkd_origin from;
	uint64_t at_ms; /* monotonic: when it came */
	size_t len;
	uint8_t octets[];
};

struct gkd_letters {
	struct gkd_letter *oldest, *newest;
};

struct gkd_queue {
	size_t octets_max;
	uint32_t age_ms;
	struct gkd_letters rank[GKD_RANKS];
	size_t count, octets;
	uint64_t stale, crowded; /* dropped: too old, no room */
};

#define GKD_QUEUE_STANDING_MS 250
/* For struct gkd_udp_config: 4,096 datagrams, which take a few milliseconds. */
#define GKD_QUEUE_BATCHES 128
/* And the socket's own buffer, in octets as the kernel counts them: as many
 * datagrams again, for the time until this worker has a processor. */
#define GKD_QUEUE_SOCKET (1 << 23)

/* gkd_queue_put - copies @dgram; without memory or room it is lost, as
 * datagrams may be. */
void gkd_queue_put(struct gkd_queue *q, struct gk_slice dgram,
                   const struct gkd_origin *from, enum gkd_rank rank,
                   uint64_t now_ms);
/* gkd_queue_take - what is to be worked on next; NULL: nothing.  The caller
 * frees it with free(). */
struct gkd_letter *gkd_queue_take(struct gkd_queue *q, uint64_t now_ms);
void gkd_queue_clear(struct gkd_queue *q);

/*
 * A worker's turn: so much of what waits before answers leave and sockets are read
 * again.  When thousands ask at the same moment, a socket is full in a few
 * milliseconds.
 */
struct gkd_turn {
	uint64_t end_ms;
	unsigned taken;
};

#define GKD_TURN_MS 2
#define GKD_TURN_LETTERS 32

struct gkd_turn gkd_turn_begin(uint64_t now_ms);
/* gkd_turn_take - the next letter of this turn, at least one of them whatever the
 * time is; NULL: the turn is over, or nothing waits. */
struct gkd_letter *gkd_turn_take(struct gkd_turn *turn, struct gkd_queue *q,
                                 uint64_t now_ms);

/* How a queue is, as other threads may see it. */
struct gkd_queue_seen {
	atomic_ullong waiting, stale, crowded;
};

/* gkd_queue_show - in the worker's thread. */
void gkd_queue_show(const struct gkd_queue *q, struct gkd_queue_seen *seen);

struct gkd_queue_sum {
	uint64_t waiting, stale, crowded;
};

/* gkd_queue_add - those of one worker more. */
void gkd_queue_add(struct gkd_queue_sum *sum, struct gkd_queue_seen *seen);

#endif /* GKD_QUEUE_H */
