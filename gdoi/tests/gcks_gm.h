/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_GCKS_GM_H
#define GDOI_TESTS_GCKS_GM_H

#include "gdoi/tests/server.h"

#include "gdoi/engine/gm.h"

/*
 * Key server engine, group engine and member engines together: what one says,
 * the others hear, unless the network loses it.
 */
#define NODES 4
#define LETTERS 256

struct node {
	struct gdoi_gm *gm;
	uint8_t ip[4];
	struct gk_identity id;
	struct gdoi_address address;
	struct gdoi_gm_group_config group[2];
	struct gdoi_gm_config cfg;
	unsigned n[GDOI_OUT_MESSAGE + 1];
	struct isakmp_reject why;
};

static struct node node[NODES];
static const struct gdoi_address server_address = {
	{ 10, 0, 0, 2 }, 4, 848, 0, false
};
static const struct gdoi_address multicast_address = {
	{ 239, 1, 1, 1 }, 4, 848, 0, false
};
static unsigned loss; /* of a thousand datagrams */
static uint64_t weather = 7;
static size_t pushes_given[2];

/* A letter: to the server, or to one of the nodes. */
static struct {
	int to; /* -1: the server; else a node */
	int from;
	bool multicast;
	struct gk_buf dgram;
} letter[LETTERS];
static size_t n_letters;

static SOME bool
is_lost(void)
{
	weather = weather * 6364136223846793005ULL + 1442695040888963407ULL;
	return (weather >> 33) % 1000 < loss;
}

static SOME void
post(int from, int to, struct gk_slice dgram, bool multicast)
{
	if (is_lost())
		return;
	assert_true(n_letters < LETTERS);
	letter[n_letters].to = to;
	letter[n_letters].from = from;
	letter[n_letters].multicast = multicast;
	gk_assert_ok(gk_buf_copy(&letter[n_letters].dgram, dgram));
	n_letters++;
}

/* ---- who they are ------------------------------------------------------- */

static SOME void
node_open(int i, const struct gdoi_dialect *of)
{
	struct node *n = &node[i];

	*n = (struct node){ .ip = { 10, 0, 0, (uint8_t)(11 + 2 * i) } };
	n->id = (struct gk_identity){ GK_ID_IPV4, { n->ip, 4 } };
	n->address = (struct gdoi_address){ .ip_len = 4, .port = 848 };
	memcpy(n->address.ip, n->ip, 4);
	n->address.handle = (uint64_t)i;
	n->cfg.ike = config[0];
	n->cfg.ike.id = n->id;
	n->cfg.server[0] = server_address;
	n->cfg.n_servers = 1;
	n->cfg.local = n->address;
	n->cfg.keep_phase1 = true;
	for (int k = 0; k < 2; k++)
		n->group[k] = (struct gdoi_gm_group_config){
			.id = world[k].cfg.id,
			.scope = gk_slice_str(k == 0 ? "a" : "b"),
			.dialect = of,
			.legacy_ok = true,
		};
	n->cfg.groups = n->group;
	n->cfg.n_groups = 2;
	n->gm = gdoi_gm_new(&env, &n->cfg);
	assert_non_null(n->gm);
}

static SOME void
all_close(void)
{
	for (int i = 0; i < NODES; i++) {
		gdoi_gm_free(node[i].gm);
		node[i].gm = NULL;
	}
	while (n_letters != 0)
		gk_buf_free(&letter[--n_letters].dgram);
	loss = 0;
	close_server();
}

static SOME void
all_open(void)
{
	open_server();
	pushes_given[0] = pushes_given[1] = 0;
	for (int i = 0; i < NODES; i++)
		node_open(i, NULL);
}

/* ---- outputs ------------------------------------------------------------ */

static SOME int
node_of(const struct gdoi_address *to)
{
	for (int i = 0; i < NODES; i++)
		if (memcmp(node[i].ip, to->ip, 4) == 0)
			return i;
	fail_msg("a datagram to nobody");
	return -1;
}

static SOME bool
poll_node(int i)
{
	struct gdoi_output o;
	bool busy = false;

	while (gdoi_gm_poll(node[i].gm, &o)) {
		busy = true;
		node[i].n[o.kind]++;
		if (o.kind == GDOI_OUT_SEND)
			post(i, -1, o.dgram, false);
		if (o.kind == GDOI_OUT_REFUSED)
			node[i].why = o.why;
	}
	return busy;
}

static unsigned SOME joined, SOME left;

static SOME bool
poll_server(void)
{
	struct gdoi_output o;
	bool busy = false;

	while (gdoi_gcks_poll(gcks, &o)) {
		busy = true;
		if (o.kind == GDOI_OUT_COMMIT)
			commit(&o);
		if (o.kind == GDOI_OUT_SEND)
			post(-1, node_of(&o.to), o.dgram, false);
		joined += o.kind == GDOI_OUT_JOINED;
		left += o.kind == GDOI_OUT_LEFT;
	}
	return busy;
}

/* The PUSHes that the group has said since, to everybody. */
static SOME void
poll_group(int k)
{
	struct gw *w = &world[k];

	w->now = now;
	gw_drain(w);
	for (; pushes_given[k] < w->n_push; pushes_given[k]++) {
		struct gk_slice d =
			gk_buf_slice(&w->push[pushes_given[k]].dgram);

		/* RFC 6407 section 4.2: exchange, flags, Message ID */
		assert_memory_equal(d.ptr + 18, "\x21\1\0\0\0\0", 6);
		for (int i = 0; i < NODES; i++)
			post(-1, i, d, true);
	}
}

static SOME void
deliver(size_t at)
{
	struct gk_slice dgram = gk_buf_slice(&letter[at].dgram);
	int to = letter[at].to;

	if (to < 0)
		(void)gdoi_gcks_receive(gcks, dgram,
		                        &node[letter[at].from].address,
		                        &server_address, now);
	else
		(void)gdoi_gm_receive(node[to].gm, dgram, &server_address,
		                      letter[at].multicast ? &multicast_address
		                                           : &node[to].address,
		                      now);
	gk_buf_free(&letter[at].dgram);
}

static SOME void
talk(void)
{
	bool busy = true;

	for (unsigned turn = 0; busy; turn++) {
		size_t n;

		assert_true(turn < 10000);
		busy = poll_server();
		for (int k = 0; k < 2; k++)
			poll_group(k);
		for (int i = 0; i < NODES; i++)
			busy |= poll_node(i);
		if (n_letters == 0)
			continue;
		busy = true;
		n = n_letters;
		deliver(0);
		memmove(&letter[0], &letter[1], (n - 1) * sizeof(letter[0]));
		n_letters--;
	}
}

static SOME uint64_t
next_deadline(void)
{
	uint64_t at = gdoi_gcks_deadline(gcks);

	for (int k = 0; k < 2; k++)
		if (gdoi_group_deadline(group[k]) < at)
			at = gdoi_group_deadline(group[k]);
	for (int i = 0; i < NODES; i++)
		if (gdoi_gm_deadline(node[i].gm) < at)
			at = gdoi_gm_deadline(node[i].gm);
	return at;
}

static SOME void
pass(uint64_t ms)
{
	uint64_t end = now.mono_ms + ms;

	talk();
	for (unsigned turn = 0; next_deadline() <= end; turn++) {
		uint64_t at = next_deadline();

		assert_true(turn < 20000);
		if (at > now.mono_ms) {
			now.utc_s += (int64_t)(at / 1000 - now.mono_ms / 1000);
			now.mono_ms = at;
		}
		gk_assert_ok(gdoi_gcks_tick(gcks, now));
		for (int k = 0; k < 2; k++)
			gk_assert_ok(gdoi_group_tick(group[k], now));
		for (int i = 0; i < NODES; i++)
			gk_assert_ok(gdoi_gm_tick(node[i].gm, now));
		talk();
	}
	now.utc_s += (int64_t)(end / 1000 - now.mono_ms / 1000);
	now.mono_ms = end;
}

static SOME enum gdoi_gm_state
state_of(int i, size_t k)
{
	struct gdoi_gm_status s;

	gdoi_gm_status(node[i].gm, k, &s);
	return s.state;
}

static SOME void
join_all(size_t k)
{
	for (int i = 0; i < NODES; i++)
		gk_assert_ok(gdoi_gm_join(node[i].gm, k, now));
	pass(1000);
}

/* ---- the newest key ----------------------------------------------------- */

struct newest {
	uint8_t spi[4];
	bool found;
	int64_t installed;
};

static SOME void
see_tek(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	if (tek->state == GDOI_TEK_OLD || tek->state == GDOI_TEK_NEXT)
		return;
	n->found = true;
	memcpy(n->spi, tek->sat->spi, 4);
}

static SOME void
match_tek(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	n->found |= memcmp(n->spi, tek->sat->spi, 4) == 0 && tek->key.len != 0;
}

/* Has node @i the key that the group sends with now? */
static SOME bool
can_read(int i, size_t k)
{
	struct newest n = { 0 };

	gdoi_group_teks(group[k], see_tek, &n);
	assert_true(n.found);
	n.found = false;
	gdoi_gm_teks(node[i].gm, k, match_tek, &n);
	return n.found;
}

static SOME void
assert_all_read(size_t k)
{
	for (int i = 0; i < NODES; i++)
		assert_true(can_read(i, k));
}

#endif /* GDOI_TESTS_GCKS_GM_H */
