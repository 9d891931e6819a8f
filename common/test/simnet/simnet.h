/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SIMNET_H
#define SIMNET_H

#include <stdbool.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"

/*
 * DOC: a network that exists only in a test
 *
 * Nodes are engines: they receive datagrams, are ticked when their deadline
 * comes, and send.  The network delivers after a latency, may lose, double and
 * reorder, all decided by one seed: the same seed gives the same run.  Time is
 * simulated and jumps from event to event, so that hours take moments.
 *
 * No protocol knowledge.  Running out of memory ends the program.
 */
struct simnet_node {
	void (*receive)(void *ctx, unsigned from, struct gk_slice dgram,
	                struct gk_now now);
	void (*tick)(void *ctx, struct gk_now now);
	uint64_t (*deadline)(void *ctx);
	void *ctx;
};

/* What happens to datagrams from now on; per mille, and milliseconds. */
struct simnet_weather {
	unsigned loss, duplicate; /* of 1000 */
	uint32_t latency_min, latency_max;
};

struct simnet;

struct simnet *simnet_new(uint64_t seed, int64_t start_utc);
void simnet_free(struct simnet *net);

/* simnet_add - the number of the new node, from 0. */
unsigned simnet_add(struct simnet *net, const struct simnet_node *node);
void simnet_weather(struct simnet *net, const struct simnet_weather *weather);
/* simnet_cut - a node that neither sends nor receives, until it is mended. */
void simnet_cut(struct simnet *net, unsigned node, bool cut);
/* simnet_side - nodes on different sides of a partition do not reach each other;
 * all begin on side 0. */
void simnet_side(struct simnet *net, unsigned node, unsigned side);
/* simnet_listen - multicast receiver; one group is enough for a test. */
void simnet_listen(struct simnet *net, unsigned node, bool on);

void simnet_send(struct simnet *net, unsigned from, unsigned to,
                 struct gk_slice dgram);
/* simnet_multicast - to all listeners but the sender, @delay_ms from now. */
void simnet_multicast(struct simnet *net, unsigned from, struct gk_slice dgram,
                      uint32_t delay_ms);

/* simnet_run - until nothing is left to happen before @until_ms. */
void simnet_run(struct simnet *net, uint64_t until_ms);
/* simnet_pass - let @ms go by. */
void simnet_pass(struct simnet *net, uint64_t ms);
struct gk_now simnet_now(const struct simnet *net);
/* simnet_poke - a node's deadline may have changed from outside. */
void simnet_poke(struct simnet *net, unsigned node);

/* Random octets from the seed: for nodes, and as gk_env.random. */
uint64_t simnet_random(struct simnet *net);
enum gk_err simnet_env_random(void *ctx, uint8_t *out, size_t n);

/* Counters, to see that a run did what it was meant to. */
struct simnet_counters {
	uint64_t sent, delivered, lost, doubled, octets;
};
const struct simnet_counters *simnet_counters(const struct simnet *net);

/* simnet_tap - sees every datagram that is sent, before the weather. */
void simnet_tap(struct simnet *net,
                void (*tap)(void *ctx, unsigned from, struct gk_slice dgram),
                void *ctx);

#endif /* SIMNET_H */
