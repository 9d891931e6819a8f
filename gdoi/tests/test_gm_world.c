/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

#include "common/group/gk_journal.h"
#include "common/test/simnet/simnet.h"
#include "gdoi/engine/gm.h"

/*
 * Members in a world that loses, doubles and reorders: two key servers of one
 * group, six members, each a node of a simulated network.
 */
#define MEMBERS 6
#define SERVERS 2

struct row {
	uint8_t key[16], value[4];
	size_t group;
};

struct node {
	struct gdoi_gm *gm;
	unsigned at; /* number in the network */
	uint8_t ip[4];
	struct gdoi_gm_group_config group[2];
	struct gdoi_gm_config cfg;
	unsigned n[GDOI_OUT_MESSAGE + 1];
	struct row row[64]; /* what its store holds */
	size_t n_rows;
};

struct place { /* a key server */
	struct gdoi_gcks *gcks;
	struct gdoi_gcks_config cfg;
	unsigned at;
	struct gdoi_address address;
};

static struct simnet *net;
static struct node node[MEMBERS];
static struct place place[SERVERS];
static unsigned group_at; /* where PUSHes come from */
static bool dead_peers;   /* members watch their key server */

static const struct gdoi_address multicast_address = {
	{ 239, 1, 1, 1 }, 4, 848, 0, false
};

static struct gdoi_address
member_address(int i)
{
	struct gdoi_address a = { .ip_len = 4, .port = 848 };

	memcpy(a.ip, node[i].ip, 4);
	return a;
}

/* ---- the group and its two key servers ---------------------------------- */

static struct place *
place_at(unsigned at)
{
	return at == place[0].at   ? &place[0]
	       : at == place[1].at ? &place[1]
	                           : NULL;
}

static unsigned
node_of(const struct gdoi_address *a)
{
	for (int i = 0; i < MEMBERS; i++)
		if (memcmp(node[i].ip, a->ip, 4) == 0)
			return node[i].at;
	fail_msg("a datagram to nobody");
	return 0;
}

static void
multicast(const struct gdoi_output *o)
{
	for (unsigned i = 0; i <= o->resend_count; i++)
		simnet_multicast(net, group_at, o->dgram,
		                 1 + i * o->resend_spacing_ms);
}

static void
drain_group(void)
{
	struct gdoi_output o;

	for (int k = 0; k < 2; k++)
		while (gdoi_group_poll(world[k].group, &o)) {
			if (o.kind == GDOI_OUT_COMMIT)
				assert_true(gw_commit(&world[k], o.ticket));
			if (o.kind == GDOI_OUT_MULTICAST)
				multicast(&o);
		}
	simnet_poke(net, group_at);
}

static void
drain_place(struct place *p)
{
	struct gdoi_output o;

	while (gdoi_gcks_poll(p->gcks, &o)) {
		if (o.kind == GDOI_OUT_COMMIT)
			assert_true(gw_commit(
				o.of == world[0].group ? &world[0] : &world[1],
				o.ticket));
		if (o.kind == GDOI_OUT_SEND)
			simnet_send(net, p->at, node_of(&o.to), o.dgram);
	}
	drain_group();
	simnet_poke(net, p->at);
}

static void
place_receive(void *ctx, unsigned from, struct gk_slice dgram, struct gk_now at)
{
	struct place *p = ctx;
	struct gdoi_address a = { 0 };

	for (int i = 0; i < MEMBERS; i++)
		if (node[i].at == from)
			a = member_address(i);
	(void)gdoi_gcks_receive(p->gcks, dgram, &a, &p->address, at);
	drain_place(p);
}

static void
place_tick(void *ctx, struct gk_now at)
{
	struct place *p = ctx;

	gk_assert_ok(gdoi_gcks_tick(p->gcks, at));
	drain_place(p);
}

static uint64_t
place_deadline(void *ctx)
{
	const struct place *p = ctx;

	return gdoi_gcks_deadline(p->gcks);
}

static void
group_receive(void *ctx, unsigned from, struct gk_slice dgram, struct gk_now at)
{
	(void)ctx;
	(void)from;
	(void)dgram;
	(void)at;
}

static void
group_tick(void *ctx, struct gk_now at)
{
	(void)ctx;
	for (int k = 0; k < 2; k++)
		gk_assert_ok(gdoi_group_tick(world[k].group, at));
	drain_group();
}

static uint64_t
group_deadline(void *ctx)
{
	uint64_t a = gdoi_group_deadline(world[0].group);
	uint64_t b = gdoi_group_deadline(world[1].group);

	(void)ctx;
	return a < b ? a : b;
}

/* ---- members ------------------------------------------------------------ */

static void
store(struct node *n, const struct gdoi_output *o)
{
	for (size_t i = 0; i < gk_journal_count(o->journal); i++) {
		struct gk_change c = gk_journal_at(o->journal, i);
		size_t at = 0;

		while (at < n->n_rows &&
		       (n->row[at].group != o->group ||
		        memcmp(n->row[at].key, c.key.ptr, 16) != 0))
			at++;
		if (c.kind == GK_JOURNAL_DEL) {
			if (at < n->n_rows)
				n->row[at] = n->row[--n->n_rows];
			continue;
		}
		assert_true(at < GK_COUNT(n->row));
		n->row[at].group = o->group;
		memcpy(n->row[at].key, c.key.ptr, 16);
		memcpy(n->row[at].value, c.value.ptr, 4);
		if (at == n->n_rows)
			n->n_rows++;
	}
}

static void
drain_member(struct node *n)
{
	struct gdoi_output o;

	while (gdoi_gm_poll(n->gm, &o)) {
		n->n[o.kind]++;
		if (o.kind == GDOI_OUT_COMMIT)
			store(n, &o);
		if (o.kind == GDOI_OUT_SEND)
			simnet_send(net, n->at,
			            place[o.to.ip[3] == 2 ? 0 : 1].at, o.dgram);
	}
	simnet_poke(net, n->at);
}

static void
member_receive(void *ctx, unsigned from, struct gk_slice dgram,
               struct gk_now at)
{
	struct node *n = ctx;
	const struct place *p = place_at(from);
	struct gdoi_address own = { .ip_len = 4, .port = 848 };

	memcpy(own.ip, n->ip, 4);
	(void)gdoi_gm_receive(n->gm, dgram,
	                      p != NULL ? &p->address : &place[0].address,
	                      p != NULL ? &own : &multicast_address, at);
	drain_member(n);
}

static void
member_tick(void *ctx, struct gk_now at)
{
	struct node *n = ctx;

	gk_assert_ok(gdoi_gm_tick(n->gm, at));
	drain_member(n);
}

static uint64_t
member_deadline(void *ctx)
{
	const struct node *n = ctx;

	return gdoi_gm_deadline(n->gm);
}

static void
start(struct node *n)
{
	n->gm = gdoi_gm_new(&env, &n->cfg);
	assert_non_null(n->gm);
	for (size_t i = 0; i < n->n_rows; i++)
		gk_assert_ok(
			gdoi_gm_load(n->gm, n->group[n->row[i].group].scope,
		                     gdoi_gm_table(0),
		                     (struct gk_slice){ n->row[i].key, 16 },
		                     (struct gk_slice){ n->row[i].value, 4 }));
}

static void
member_open(int i)
{
	struct node *n = &node[i];

	*n = (struct node){ .ip = { 10, 0, 0, (uint8_t)(11 + 2 * i) } };
	n->cfg.ike = config[0];
	n->cfg.ike.id = (struct gk_identity){ GK_ID_IPV4, { n->ip, 4 } };
	if (dead_peers) {
		n->cfg.ike.dpd_s = 30;
		n->cfg.keep_phase1 = true;
	}
	n->cfg.n_servers = SERVERS;
	for (int s = 0; s < SERVERS; s++)
		n->cfg.server[s] = place[s].address;
	n->cfg.local = member_address(i);
	for (int k = 0; k < 2; k++)
		n->group[k] = (struct gdoi_gm_group_config){
			.id = world[k].cfg.id,
			.scope = gk_slice_str(k == 0 ? "a" : "b"),
			.dialect = &world[k].dialect,
		};
	n->cfg.groups = n->group;
	n->cfg.n_groups = 2;
	start(n);
	n->at = simnet_add(net,
	                   &(struct simnet_node){ member_receive, member_tick,
	                                          member_deadline, n });
	simnet_listen(net, n->at, true);
}

/* ---- the world ---------------------------------------------------------- */

static void
place_open(int s)
{
	struct place *p = &place[s];

	p->address = (struct gdoi_address){
		{ 10, 0, 0, (uint8_t)(2 + s) }, 4, 848, (uint64_t)s, false
	};
	p->cfg = server_config;
	p->cfg.ike.cookie_tag = (uint8_t)(5 + s);
	if (s == 0) {
		p->gcks = gcks;
	} else {
		p->gcks = gdoi_gcks_new(&env, &p->cfg);
		for (int k = 0; k < 2; k++)
			gk_assert_ok(
				gdoi_gcks_add_group(p->gcks, world[k].group));
	}
	p->at = simnet_add(net,
	                   &(struct simnet_node){ place_receive, place_tick,
	                                          place_deadline, p });
}

static void
world_open(uint64_t of)
{
	seed = of;
	net = simnet_new(of, GK_PKI_NOW);
	simnet_run(net, 1000000);
	now = simnet_now(net);
	open_server();
	psk[0].ip_len = 0; /* the same one at both key servers */
	for (int s = 0; s < SERVERS; s++)
		place_open(s);
	group_at = simnet_add(net,
	                      &(struct simnet_node){ group_receive, group_tick,
	                                             group_deadline, NULL });
	for (int i = 0; i < MEMBERS; i++)
		member_open(i);
}

static void
world_close(void)
{
	for (int i = 0; i < MEMBERS; i++)
		gdoi_gm_free(node[i].gm);
	gdoi_gcks_free(place[1].gcks);
	close_server();
	simnet_free(net);
}

static void
join(int i, size_t k)
{
	gk_assert_ok(gdoi_gm_join(node[i].gm, k, simnet_now(net)));
	drain_member(&node[i]);
}

static void
join_all(void)
{
	for (int i = 0; i < MEMBERS; i++)
		for (size_t k = 0; k < 2; k++)
			join(i, k);
	simnet_pass(net, 60000);
}

static void
rekey(unsigned what)
{
	gk_assert_ok(gdoi_group_rekey(world[0].group, what, simnet_now(net)));
	drain_group();
}

static struct gdoi_gm_status
status(int i, size_t k)
{
	struct gdoi_gm_status s;

	gdoi_gm_status(node[i].gm, k, &s);
	return s;
}

struct newest {
	uint8_t spi[4];
	bool found;
};

static void
see(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	if (tek->state == GDOI_TEK_OLD || tek->state == GDOI_TEK_NEXT)
		return;
	n->found = true;
	memcpy(n->spi, tek->sat->spi, 4);
}

static void
match(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	n->found |= memcmp(n->spi, tek->sat->spi, 4) == 0 && tek->key.len != 0;
}

/* Has member @i what group @k sends with now? */
static bool
can_read(int i, size_t k)
{
	struct newest n = { 0 };

	gdoi_group_teks(world[k].group, see, &n);
	assert_true(n.found);
	n.found = false;
	gdoi_gm_teks(node[i].gm, k, match, &n);
	return n.found;
}

static void
assert_all_well(size_t k)
{
	for (int i = 0; i < MEMBERS; i++) {
		assert_int_equal(status(i, k).state, GDOI_GM_MEMBER);
		assert_true(can_read(i, k));
	}
}

static unsigned
total(enum gdoi_output_kind kind)
{
	unsigned n = 0;

	for (int i = 0; i < MEMBERS; i++)
		n += node[i].n[kind];
	return n;
}

/* ---- tests -------------------------------------------------------------- */

/* Whatever is lost, doubled or late: who is still a member reads on. */
static void
storm(uint64_t of)
{
	static const struct simnet_weather bad = { 150, 100, 1, 900 };
	static const struct simnet_weather good = { 0, 0, 1, 5 };

	world_open(of);
	simnet_weather(net, &bad);
	join_all();
	for (int round = 0; round < 12; round++) {
		rekey(round % 3 == 2 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK);
		simnet_pass(net, 120000);
	}
	simnet_weather(net, &good);
	/* a lifetime and more: whoever missed a KEK has seen its keys end */
	simnet_pass(net, 7300000);
	assert_all_well(0);
	assert_all_well(1);
	world_close();
}

GK_TEST(rfc6407_4_4_05, members_in_bad_weather)
{
	for (uint64_t of = 1; of <= 4; of++)
		storm(of);
}

/* RFC 5374 section 4.2.1, RFC 6407 section 4.4: each one missed is made good. */
GK_TEST(rfc6407_4_3_01, a_lost_push_is_noticed_by_the_next_one)
{
	world_open(11);
	join_all();
	simnet_cut(net, node[3].at, true);
	rekey(GDOI_REKEY_TEK);
	simnet_pass(net, 1000);
	simnet_cut(net, node[3].at, false);
	assert_false(can_read(3, 0));
	rekey(GDOI_REKEY_TEK);
	simnet_pass(net, 1000);
	assert_int_equal(node[3].n[GDOI_OUT_STALE], 1);
	simnet_pass(net, 10000);
	assert_int_equal(total(GDOI_OUT_STALE), 1);
	assert_all_well(0);
	world_close();
}

GK_TEST(rfc6407_5_3_4_02, a_lost_kek_is_noticed_before_the_keys_end)
{
	world_open(12);
	join_all();
	simnet_cut(net, node[2].at, true);
	rekey(GDOI_REKEY_ALL);
	simnet_pass(net, 5000);
	simnet_cut(net, node[2].at, false);
	rekey(GDOI_REKEY_TEK);
	simnet_pass(net, 5000);
	assert_false(can_read(2, 0));
	simnet_pass(net, 3600000);
	assert_all_well(0);
	world_close();
}

GK_TEST(rfc6407_3_3_09, members_that_start_again)
{
	world_open(13);
	join_all();
	for (int i = 0; i < MEMBERS; i++) {
		uint32_t before;

		rekey(i == 2 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK);
		simnet_pass(net, 2000);
		before = status(i, 0).kek.sequence;
		gdoi_gm_free(node[i].gm);
		start(&node[i]);
		for (size_t k = 0; k < 2; k++)
			join(i, k);
		simnet_pass(net, 5000);
		assert_true(status(i, 0).kek.sequence >= before);
		assert_all_well(0);
		assert_all_well(1);
	}
	rekey(GDOI_REKEY_ALL);
	simnet_pass(net, 2000);
	assert_all_well(0);
	world_close();
}

GK_TEST(rfc6407_3_5_12, sender_ids_run_out_and_everybody_gets_new_ones)
{
	world_open(14);
	join_all();
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < MEMBERS; i++) {
			gk_assert_ok(gdoi_gm_reregister(node[i].gm, 0,
			                                simnet_now(net)));
			drain_member(&node[i]);
		}
		simnet_pass(net, 20000);
	}
	simnet_pass(net, 60000);
	assert_true(total(GDOI_OUT_DESTROYED) != 0);
	assert_all_well(0);
	for (int i = 0; i < MEMBERS; i++)
		assert_true(status(i, 0).n_sids != 0);
	world_close();
}

/* ---- two key servers ---------------------------------------------------- */

GK_TEST(rfc6407_7_2_6_02, the_other_key_server_takes_over)
{
	world_open(21);
	simnet_cut(net, place[0].at, true);
	join_all();
	simnet_pass(net, 120000);
	assert_all_well(0);
	assert_all_well(1);
	assert_true(total(GDOI_OUT_NEXT_SERVER) >= MEMBERS);
	/* and back again: the list is gone through from its beginning */
	simnet_cut(net, place[0].at, false);
	simnet_cut(net, place[1].at, true);
	for (int i = 0; i < MEMBERS; i++) {
		gk_assert_ok(
			gdoi_gm_reregister(node[i].gm, 0, simnet_now(net)));
		drain_member(&node[i]);
	}
	simnet_pass(net, 60000);
	assert_all_well(0);
	world_close();
}

GK_TEST(rfc2408_5_15_03, a_dead_key_server_is_noticed)
{
	dead_peers = true;
	world_open(22);
	dead_peers = false;
	join_all();
	assert_int_equal(total(GDOI_OUT_PHASE1_UP), MEMBERS);
	simnet_cut(net, place[0].at, true);
	simnet_pass(net, 300000);
	assert_true(total(GDOI_OUT_PHASE1_DOWN) >= MEMBERS);
	for (int i = 0; i < MEMBERS; i++)
		assert_true(status(i, 0).phase1);
	assert_all_well(0);
	/* nobody has lost a key by it */
	assert_int_equal(total(GDOI_OUT_DESTROYED), 0);
	world_close();
}

GK_TEST(rfc6407_5_9_07, all_are_told_to_register_again)
{
	world_open(23);
	join_all();
	gk_assert_ok(gdoi_group_delete_all(world[0].group, simnet_now(net)));
	drain_group();
	simnet_pass(net, 100);
	assert_int_equal(total(GDOI_OUT_DESTROYED), MEMBERS);
	simnet_pass(net, 30000);
	assert_all_well(0);
	/* the other group has seen nothing of it */
	assert_all_well(1);
	world_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_4_4_05, members_in_bad_weather),
		GK_RUN(rfc6407_4_3_01, a_lost_push_is_noticed_by_the_next_one),
		GK_RUN(rfc6407_5_3_4_02,
		       a_lost_kek_is_noticed_before_the_keys_end),
		GK_RUN(rfc6407_3_3_09, members_that_start_again),
		GK_RUN(rfc6407_3_5_12,
		       sender_ids_run_out_and_everybody_gets_new_ones),
		GK_RUN(rfc6407_7_2_6_02, the_other_key_server_takes_over),
		GK_RUN(rfc2408_5_15_03, a_dead_key_server_is_noticed),
		GK_RUN(rfc6407_5_9_07, all_are_told_to_register_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
