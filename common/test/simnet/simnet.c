/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/simnet/simnet.h"

#include <stdlib.h>
#include <string.h>

#include "common/test/gk_need.h"

/* Octets shared by the copies of one datagram. */
struct packet {
	unsigned refs;
	size_t len;
	uint8_t octets[];
};

enum what { DELIVER, FAN_OUT, TICK };

struct event {
	uint64_t at;
	uint64_t order; /* of creation: makes the heap stable */
	enum what what;
	unsigned from, to;
	struct packet *packet;
};

struct slot {
	struct simnet_node node;
	bool cut, listens;
	unsigned side;
	uint64_t armed; /* earliest TICK in the heap, or GK_NEVER */
};

struct simnet {
	struct gk_now now;
	int64_t start_utc;
	uint64_t seed, order;
	struct simnet_weather weather;
	struct slot *slot;
	unsigned n_slots;
	struct event *heap;
	size_t n_events, cap;
	struct simnet_counters counters;
	void (*tap)(void *ctx, unsigned from, struct gk_slice dgram);
	void *tap_ctx;
};

/* splitmix64 */
uint64_t
simnet_random(struct simnet *net)
{
	uint64_t z = net->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

enum gk_err
simnet_env_random(void *ctx, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(simnet_random(ctx) >> 24);
	return GK_OK;
}

struct simnet *
simnet_new(uint64_t seed, int64_t start_utc)
{
	struct simnet *net = gk_need_memory(calloc(1, sizeof(*net)));

	net->seed = seed;
	net->start_utc = net->now.utc_s = start_utc;
	net->weather.latency_min = net->weather.latency_max = 1;
	return net;
}

static void
packet_drop(struct packet *p)
{
	if (p != NULL && --p->refs == 0)
		free(p);
}

void
simnet_free(struct simnet *net)
{
	if (net == NULL)
		return;
	for (size_t i = 0; i < net->n_events; i++)
		packet_drop(net->heap[i].packet);
	free(net->heap);
	free(net->slot);
	free(net);
}

/* ---- the heap ----------------------------------------------------------- */

static bool
before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void
swap(struct simnet *net, size_t a, size_t b)
{
	struct event e = net->heap[a];

	net->heap[a] = net->heap[b];
	net->heap[b] = e;
}

static void
push(struct simnet *net, struct event e)
{
	size_t i = net->n_events;

	if (i == net->cap) {
		net->cap = net->cap == 0 ? 64 : net->cap * 2;
		net->heap = gk_need_memory(
			reallocarray(net->heap, net->cap, sizeof(*net->heap)));
	}
	e.order = net->order++;
	net->heap[net->n_events++] = e;
	for (; i > 0 && before(&net->heap[i], &net->heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		swap(net, i, (i - 1) / 2);
}

static struct event
pop(struct simnet *net)
{
	struct event top = net->heap[0];
	size_t i = 0;

	net->heap[0] = net->heap[--net->n_events];
	for (;;) {
		size_t least = i;

		for (size_t c = 2 * i + 1; c <= 2 * i + 2; c++)
			if (c < net->n_events &&
			    before(&net->heap[c], &net->heap[least]))
				least = c;
		if (least == i)
			return top;
		swap(net, i, least);
		i = least;
	}
}

/* ---- nodes -------------------------------------------------------------- */

unsigned
simnet_add(struct simnet *net, const struct simnet_node *node)
{
	net->slot = gk_need_memory(
		reallocarray(net->slot, net->n_slots + 1u, sizeof(*net->slot)));
	net->slot[net->n_slots] =
		(struct slot){ .node = *node, .armed = GK_NEVER };
	return net->n_slots++;
}

void
simnet_weather(struct simnet *net, const struct simnet_weather *weather)
{
	net->weather = *weather;
}

void
simnet_cut(struct simnet *net, unsigned node, bool cut)
{
	net->slot[node].cut = cut;
}

void
simnet_side(struct simnet *net, unsigned node, unsigned side)
{
	net->slot[node].side = side;
}

void
simnet_listen(struct simnet *net, unsigned node, bool on)
{
	net->slot[node].listens = on;
}

void
simnet_tap(struct simnet *net,
           void (*tap)(void *ctx, unsigned from, struct gk_slice dgram),
           void *ctx)
{
	net->tap = tap;
	net->tap_ctx = ctx;
}

struct gk_now
simnet_now(const struct simnet *net)
{
	return net->now;
}

const struct simnet_counters *
simnet_counters(const struct simnet *net)
{
	return &net->counters;
}

void
simnet_poke(struct simnet *net, unsigned node)
{
	struct slot *s = &net->slot[node];
	uint64_t at = s->node.deadline(s->node.ctx);

	if (at == GK_NEVER || at >= s->armed)
		return;
	if (at < net->now.mono_ms)
		at = net->now.mono_ms;
	s->armed = at;
	push(net, (struct event){ .at = at, .what = TICK, .to = node });
}

/* ---- datagrams ---------------------------------------------------------- */

static bool
luck(struct simnet *net, unsigned per_mille)
{
	return per_mille != 0 && simnet_random(net) % 1000 < per_mille;
}

static void
post(struct simnet *net, unsigned from, unsigned to, struct packet *p)
{
	const struct simnet_weather *w = &net->weather;
	unsigned copies = 1;

	if (net->slot[from].cut || luck(net, w->loss)) {
		net->counters.lost++;
		return;
	}
	if (luck(net, w->duplicate)) {
		net->counters.doubled++;
		copies = 2;
	}
	for (; copies > 0; copies--) {
		uint64_t spread = w->latency_max - w->latency_min + 1u;

		p->refs++;
		push(net, (struct event){
				  .at = net->now.mono_ms + w->latency_min +
		                        simnet_random(net) % spread,
				  .what = DELIVER,
				  .from = from,
				  .to = to,
				  .packet = p,
			  });
	}
}

static struct packet *
packet_new(struct simnet *net, unsigned from, struct gk_slice dgram)
{
	struct packet *p = gk_need_memory(malloc(sizeof(*p) + dgram.len));

	p->refs = 1;
	p->len = dgram.len;
	if (dgram.len != 0)
		memcpy(p->octets, dgram.ptr, dgram.len);
	net->counters.sent++;
	net->counters.octets += dgram.len;
	if (net->tap != NULL)
		net->tap(net->tap_ctx, from, dgram);
	return p;
}

void
simnet_send(struct simnet *net, unsigned from, unsigned to,
            struct gk_slice dgram)
{
	struct packet *p = packet_new(net, from, dgram);

	if (to < net->n_slots)
		post(net, from, to, p);
	packet_drop(p);
}

void
simnet_multicast(struct simnet *net, unsigned from, struct gk_slice dgram,
                 uint32_t delay_ms)
{
	push(net, (struct event){ .at = net->now.mono_ms + delay_ms,
	                          .what = FAN_OUT,
	                          .from = from,
	                          .packet = packet_new(net, from, dgram) });
}

/* ---- time --------------------------------------------------------------- */

static void
deliver(struct simnet *net, const struct event *e)
{
	struct slot *s = &net->slot[e->to];

	if (s->cut || s->side != net->slot[e->from].side) {
		net->counters.lost++;
		return;
	}
	net->counters.delivered++;
	s->node.receive(s->node.ctx, e->from,
	                (struct gk_slice){ e->packet->octets, e->packet->len },
	                net->now);
	simnet_poke(net, e->to);
}

static void
tick(struct simnet *net, const struct event *e)
{
	struct slot *s = &net->slot[e->to];

	if (s->armed != e->at)
		return; /* an earlier one has come and gone */
	s->armed = GK_NEVER;
	if (s->node.deadline(s->node.ctx) <= net->now.mono_ms)
		s->node.tick(s->node.ctx, net->now);
	simnet_poke(net, e->to);
}

static void
happen(struct simnet *net, const struct event *e)
{
	if (e->what == TICK)
		tick(net, e);
	else if (e->what == DELIVER)
		deliver(net, e);
	else
		for (unsigned i = 0; i < net->n_slots; i++)
			if (net->slot[i].listens && i != e->from)
				post(net, e->from, i, e->packet);
	packet_drop(e->packet);
}

static void
set_time(struct simnet *net, uint64_t ms)
{
	net->now.mono_ms = ms;
	net->now.utc_s = net->start_utc + (int64_t)(ms / 1000);
}

void
simnet_run(struct simnet *net, uint64_t until_ms)
{
	while (net->n_events > 0 && net->heap[0].at <= until_ms) {
		struct event e = pop(net);

		set_time(net, e.at);
		happen(net, &e);
	}
	set_time(net, until_ms);
}

void
simnet_pass(struct simnet *net, uint64_t ms)
{
	simnet_run(net, net->now.mono_ms + ms);
}
