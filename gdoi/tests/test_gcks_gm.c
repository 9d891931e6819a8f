/* SPDX-License-Identifier: BSD-2-Clause */
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
	{ 10, 0, 0, 2 }, 4, 848, 0
};
static const struct gdoi_address multicast_address = {
	{ 239, 1, 1, 1 }, 4, 848, 0
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

static bool
is_lost(void)
{
	weather = weather * 6364136223846793005ULL + 1442695040888963407ULL;
	return (weather >> 33) % 1000 < loss;
}

static void
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

static void
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

static void
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

static void
all_open(void)
{
	open_server();
	pushes_given[0] = pushes_given[1] = 0;
	for (int i = 0; i < NODES; i++)
		node_open(i, NULL);
}

/* ---- outputs ------------------------------------------------------------ */

static int
node_of(const struct gdoi_address *to)
{
	for (int i = 0; i < NODES; i++)
		if (memcmp(node[i].ip, to->ip, 4) == 0)
			return i;
	fail_msg("a datagram to nobody");
	return -1;
}

static bool
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

static unsigned joined, left;

static bool
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
static void
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

static void
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

static void
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

static uint64_t
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

static void
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

static enum gdoi_gm_state
state_of(int i, size_t k)
{
	struct gdoi_gm_status s;

	gdoi_gm_status(node[i].gm, k, &s);
	return s.state;
}

static void
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

static void
see_tek(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	if (tek->state == GDOI_TEK_OLD || tek->state == GDOI_TEK_NEXT)
		return;
	n->found = true;
	memcpy(n->spi, tek->sat->spi, 4);
}

static void
match_tek(void *ctx, const struct gdoi_tek *tek)
{
	struct newest *n = ctx;

	n->found |= memcmp(n->spi, tek->sat->spi, 4) == 0 && tek->key.len != 0;
}

/* Has node @i the key that the group sends with now? */
static bool
can_read(int i, size_t k)
{
	struct newest n = { 0 };

	gdoi_group_teks(group[k], see_tek, &n);
	assert_true(n.found);
	n.found = false;
	gdoi_gm_teks(node[i].gm, k, match_tek, &n);
	return n.found;
}

static void
assert_all_read(size_t k)
{
	for (int i = 0; i < NODES; i++)
		assert_true(can_read(i, k));
}

/* ---- tests -------------------------------------------------------------- */

GK_TEST(rfc6407_1_01, members_register_for_two_groups_and_share_the_keys)
{
	/* Protocol and ports of the SATs are zero: no selectors. */
	GK_SHOWS("RFC6407-5.3-05", "RFC6407-5.5.1-02", "RFC6407-5.5.1-03",
	         "RFC6407-5.5.1-05", "RFC6407-5.5.1-06");
	all_open();
	joined = 0;
	join_all(0);
	join_all(1);
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
		assert_int_equal(state_of(i, 1), GDOI_GM_MEMBER);
		/* Under one SA: RFC6407-3-01. */
		assert_int_equal(node[i].n[GDOI_OUT_PHASE1_UP], 1);
	}
	assert_int_equal(joined, 2 * NODES);
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	assert_all_read(1);
	all_close();
}

GK_TEST(rfc6407_4_09, rekeys_reach_everybody)
{
	/* The member takes nothing else: counter mode, and no SIDs. */
	GK_SHOWS("RFC6407-5.4-01", "RFC6407-5.6.4.4-02", "RFC6407-4.2-04",
	         "RFC6407-4.2-05", "RFC6407-4.2-06", "RFC6407-4-06");
	all_open();
	join_all(0);
	for (int round = 0; round < 3; round++) {
		world[0].now = now;
		gk_assert_ok(gdoi_group_rekey(
			group[0], round == 1 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK,
			now));
		pass(1000);
		assert_all_read(0);
	}
	for (int i = 0; i < NODES; i++)
		assert_int_equal(node[i].n[GDOI_OUT_REFUSED], 0);
	all_close();
}

GK_TEST(rfc6407_7_4_1_01, who_is_evicted_cannot_read_on)
{
	const char *peer = "ipv4:10.0.0.13"; /* node 1 */

	all_open();
	join_all(0);
	GK_SHOWS("RFC6407-7.4.1-02");
	gk_assert_ok(gdoi_group_evict(group[0], &peer, 1, now));
	pass(1000);
	/* The KEK under the old one, the TEKs under the new one. */
	assert_int_equal(world[0].n_push, 2);
	assert_memory_not_equal(world[0].push[0].spi, world[0].push[1].spi, 16);
	assert_false(can_read(1, 0));
	for (int i = 0; i < NODES; i++)
		assert_int_equal(can_read(i, 0), i != 1);
	/* Nor does it come in again. */
	gk_assert_ok(gdoi_gm_reregister(node[1].gm, 0, now));
	pass(1000);
	assert_false(can_read(1, 0));
	assert_int_equal(members_of(0), NODES - 1);
	all_close();
}

/* RFC 2408 section 5.1: what is lost is said again, by either side. */
GK_TEST(rfc2408_5_1_01, every_third_datagram_is_lost)
{
	all_open();
	loss = 330;
	joined = 0;
	for (int i = 0; i < NODES; i++) {
		gk_assert_ok(gdoi_gm_join(node[i].gm, 0, now));
		gk_assert_ok(gdoi_gm_join(node[i].gm, 1, now));
	}
	pass(600000);
	loss = 0;
	pass(600000);
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
		assert_int_equal(state_of(i, 1), GDOI_GM_MEMBER);
	}
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	assert_all_read(1);
	all_close();
}

GK_TEST(rfc2408_5_15_03, a_member_that_leaves_says_so)
{
	all_open();
	join_all(0);
	join_all(1);
	left = 0;
	for (size_t k = 0; k < 2; k++)
		gk_assert_ok(gdoi_gm_leave(node[2].gm, k, true, now));
	pass(1000);
	assert_int_equal(left, 2);
	assert_int_equal(members_of(0), NODES - 1);
	assert_int_equal(members_of(1), NODES - 1);
	all_close();
}

/* The key server is another process: its SAs are gone, its groups are not. */
GK_TEST(rfc6407_3_4_01, members_stay_when_the_key_server_starts_again)
{
	struct gdoi_gcks_config cfg = server_config;

	all_open();
	cfg = server_config;
	join_all(0);
	gdoi_gcks_free(gcks);
	gw_restart(&world[0]);
	group[0] = world[0].group;
	gcks = gdoi_gcks_new(&env, &cfg);
	for (int k = 0; k < 2; k++)
		gk_assert_ok(gdoi_gcks_add_group(gcks, group[k]));
	assert_int_equal(members_of(0), NODES);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
	pass(1000);
	assert_all_read(0);
	gk_assert_ok(gdoi_gm_reregister(node[0].gm, 0, now));
	pass(60000);
	assert_int_equal(state_of(0, 0), GDOI_GM_MEMBER);
	assert_all_read(0);
	all_close();
}

static uint16_t ack_type;

static void
with_acks(struct gw *w, int i)
{
	if (i == 0)
		w->template.rekey.sak.ack = ack_type;
}

static void
acknowledged(uint16_t type)
{
	struct gdoi_group_status s;

	ack_type = type;
	shape_group = with_acks;
	all_open();
	shape_group = NULL;
	join_all(0);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_TEK, now));
	pass(6000); /* RFC8263-6-04 */
	gdoi_group_status(group[0], &s);
	assert_int_equal(s.acks, NODES);
	assert_int_equal(s.refused_acks, 0);
	for (int i = 0; i < NODES; i++)
		assert_true(can_read(i, 0));
	all_close();
}

GK_TEST(rfc8263_5_06, each_kind_of_acknowledgement_reaches_its_group)
{
	GK_SHOWS("RFC8263-4-02", "RFC8263-6-02", "RFC8263-6-04",
	         "RFC8263-3.4-03", "RFC8263-3.2-06");
	for (uint16_t type = 1; type <= 4; type++)
		acknowledged(type);
}

GK_TEST(rfc6407_3_4_03, who_is_not_admitted_is_told)
{
	all_open();
	node[3].ip[3] = 12; /* an even address */
	node[3].address.ip[3] = 12;
	gdoi_gm_free(node[3].gm);
	node[3].cfg.local = node[3].address;
	node[3].gm = gdoi_gm_new(&env, &node[3].cfg);
	join_all(0);
	assert_int_equal(members_of(0), NODES - 1);
	assert_true(state_of(3, 0) != GDOI_GM_MEMBER);
	assert_true(node[3].n[GDOI_OUT_NOTIFIED] >= 1);
	all_close();
}

/* ---- sender ids --------------------------------------------------------- */

static uint16_t sid_bits = 8;

struct sids {
	uint32_t sid[64];
	size_t n;
};

static void
see_sids(void *ctx, const struct gdoi_tek *tek)
{
	struct sids *s = ctx;

	if (tek->state == GDOI_TEK_OLD)
		return;
	s->n = tek->n_sids;
	assert_int_equal(tek->sid_bits, sid_bits);
	memcpy(s->sid, tek->sids, tek->n_sids * sizeof(s->sid[0]));
}

static struct sids
sids_of(int i)
{
	struct sids s = { .n = 0 };

	gdoi_gm_teks(node[i].gm, 0, see_sids, &s);
	return s;
}

static void
assert_distinct_sids(void)
{
	bool taken[256] = { false };

	for (int i = 0; i < NODES; i++) {
		struct sids s = sids_of(i);

		assert_true(s.n != 0);
		for (size_t k = 0; k < s.n; k++) {
			assert_true(s.sid[k] < 256);
			assert_false(taken[s.sid[k]]);
			taken[s.sid[k]] = true;
		}
	}
}

GK_TEST(rfc6407_3_5_06, a_member_gets_as_many_sender_ids_as_it_asks_for)
{
	GK_SHOWS("RFC6054-3-02", "RFC6054-3-06", "RFC6054-4-03");
	all_open();
	gdoi_gm_free(node[2].gm);
	node[2].group[0].sids = 3;
	node[2].gm = gdoi_gm_new(&env, &node[2].cfg);
	join_all(0);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(sids_of(i).n, i == 2 ? 3 : 1);
	assert_distinct_sids();
	all_close();
}

static void
with_sid_bits(struct gw *w, int i)
{
	(void)i;
	w->template.sid_bits = sid_bits;
}

GK_TEST(rfc6054_3_07, sender_ids_of_three_lengths)
{
	static const uint16_t bits[] = { 8, 12, 16 };

	for (size_t i = 0; i < GK_COUNT(bits); i++) {
		sid_bits = bits[i];
		shape_group = with_sid_bits;
		all_open();
		shape_group = NULL;
		join_all(0);
		assert_distinct_sids();
		all_close();
	}
	sid_bits = 8;
}

static void
few_sids(struct gw *w, int i)
{
	if (i == 0)
		w->cfg.sender_last = 5;
}

/* Six there are.  Who registers again gets new ones; when there are none, all
 * that were used with them goes, and the count begins again. */
GK_TEST(rfc6407_3_5_11, when_sender_ids_run_out_everything_is_new)
{
	struct gdoi_group_status s;
	struct newest before = { 0 }, after = { 0 };

	GK_SHOWS("RFC6054-4-04", "RFC6054-4-06", "RFC6054-4-10");
	shape_group = few_sids;
	all_open();
	shape_group = NULL;
	join_all(0);
	gdoi_group_teks(group[0], see_tek, &before);
	for (int i = 0; i < 2; i++) {
		uint32_t old = sids_of(i).sid[0];

		gk_assert_ok(gdoi_gm_reregister(node[i].gm, 0, now));
		pass(2000);
		assert_true(sids_of(i).sid[0] != old);
		assert_distinct_sids();
	}
	gdoi_group_status(group[0], &s);
	assert_int_equal(s.senders, 6);
	/* The seventh is not given out. */
	gk_assert_ok(gdoi_gm_reregister(node[2].gm, 0, now));
	pass(600000);
	gdoi_group_teks(group[0], see_tek, &after);
	assert_memory_not_equal(before.spi, after.spi, 4);
	gdoi_group_status(group[0], &s);
	assert_true(s.senders >= NODES && s.senders <= 6);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
	assert_all_read(0);
	assert_distinct_sids();
	all_close();
}

/* ---- rekeys of other kinds ---------------------------------------------- */

static void
small_datagrams(struct gw *w, int i)
{
	if (i == 0)
		w->cfg.push_max = 400;
}

GK_TEST(rfc6407_4_11, an_eviction_in_several_datagrams)
{
	const char *peer = "ipv4:10.0.0.13"; /* node 1 */
	size_t under_old = 0;

	shape_group = small_datagrams;
	all_open();
	shape_group = NULL;
	join_all(0);
	gk_assert_ok(gdoi_group_evict(group[0], &peer, 1, now));
	pass(1000);
	for (size_t i = 0; i < world[0].n_push; i++)
		under_old += memcmp(world[0].push[i].spi, world[0].push[0].spi,
		                    16) == 0;
	assert_true(under_old >= 2);
	for (size_t i = 1; i < under_old; i++)
		assert_int_equal(world[0].push[i].sequence,
		                 world[0].push[i - 1].sequence + 1);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(can_read(i, 0), i != 1);
	all_close();
}

static void
backward(struct gw *w, int i)
{
	w->template.rekey.backward = i == 0;
}

GK_TEST(rfc6407_7_4_2_01, a_joiner_gets_no_key_that_was_used_before)
{
	struct newest before = { 0 };

	shape_group = backward;
	all_open();
	shape_group = NULL;
	for (int i = 0; i < NODES - 1; i++)
		gk_assert_ok(gdoi_gm_join(node[i].gm, 0, now));
	pass(60000);
	gdoi_group_teks(group[0], see_tek, &before);
	assert_true(before.found);
	gk_assert_ok(gdoi_gm_join(node[NODES - 1].gm, 0, now));
	pass(60000);
	assert_all_read(0);
	before.found = false;
	gdoi_gm_teks(node[NODES - 1].gm, 0, match_tek, &before);
	assert_false(before.found);
	all_close();
}

static void
count_tek(void *ctx, const struct gdoi_tek *tek)
{
	(void)tek;
	(*(unsigned *)ctx)++;
}

GK_TEST(rfc6407_5_9_03, the_end_of_a_group_is_deletes_alone)
{
	GK_SHOWS("RFC6407-5.9-05", "RFC6407-5.9-06", "RFC6407-5.9-07");
	all_open();
	join_all(0);
	gk_assert_ok(gdoi_group_destroy(group[0], now));
	pass(1000);
	for (int i = 0; i < NODES; i++) {
		unsigned left_over = 0;

		gdoi_gm_teks(node[i].gm, 0, count_tek, &left_over);
		assert_int_equal(left_over, 0);
		assert_true(node[i].n[GDOI_OUT_KEK_WIPE] >= 1);
	}
	all_close();
}

static const struct {
	uint16_t algorithm, hash, bits;
	enum gk_pki_alg key;
} signatures[] = {
	{ GDOI_SIG_ALG_RSA, GDOI_SIG_HASH_SHA256, 2048, GK_PKI_RSA2048 },
	{ GDOI_SIG_ALG_ECDSA_256, 0, 0, GK_PKI_P256 },
	{ GDOI_SIG_ALG_ECDSA_384, 0, 0, GK_PKI_P384 },
	{ GDOI_SIG_ALG_ECDSA_521, 0, 0, GK_PKI_P521 },
};
static size_t which_signature;

static void
with_signature(struct gw *w, int i)
{
	if (i != 0)
		return;
	gk_pki_free(&w->party);
	gk_pki_make(&w->party,
	            &(struct gk_pki_spec){
			    .subject = "/CN=push",
			    .alg = signatures[which_signature].key });
	w->cfg.signer = w->party.signer;
	w->template.rekey.sak.sig_algorithm =
		signatures[which_signature].algorithm;
	w->template.rekey.sak.sig_hash = signatures[which_signature].hash;
	w->template.rekey.sak.sig_key_length = signatures[which_signature].bits;
}

GK_TEST(rfc6407_6_1_07, rekeys_under_every_kind_of_signature)
{
	GK_SHOWS("RFC6407-6.1-04", "RFC6407-5.3.6.4-01", "RFC6407-5.3.6.5-01",
	         "RFC6407-5.3.6.6-01");
	for (which_signature = 0; which_signature < GK_COUNT(signatures);
	     which_signature++) {
		shape_group = with_signature;
		all_open();
		shape_group = NULL;
		join_all(0);
		gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
		pass(1000);
		assert_int_equal(world[0].n_push, 2);
		assert_all_read(0);
		all_close();
	}
}

/* ---- other groups ------------------------------------------------------- */

static struct gdoi_dialect gdoid;

/* What the reference implementation of its authors can do. */
static void
as_gdoid(struct gw *w, int i)
{
	struct gdoi_sak *sak = &w->template.rekey.sak;
	static const uint8_t id[2][8] = {
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0xd2, 4, 0, 0 },
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0xd3, 4, 0, 0 },
	};

	w->dialect = gdoid;
	w->cfg.legacy_ok = true;
	w->cfg.id = (struct gk_slice){ id[i], 8 };
	gk_pki_free(&w->party);
	gk_pki_make(&w->party, &(struct gk_pki_spec){ .subject = "/CN=push",
	                                              .alg = GK_PKI_RSA2048 });
	w->cfg.signer = w->party.signer;
	sak->management = 0;
	sak->algorithm = GDOI_KEK_ALG_3DES;
	sak->key_length = 0;
	sak->sig_algorithm = GDOI_SIG_ALG_RSA;
	sak->sig_hash = GDOI_SIG_HASH_SHA1;
	sak->sig_key_length = 2048;
	gw_set_data(w, 1, &gw_esp_cbc);
}

GK_TEST(rfc6407_5_1_03,
        the_preset_of_the_reference_implementation_in_both_roles)
{
	const struct ike_suite old =
		suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
	                 IKE_AUTH_PSK, IKE_GROUP_MODP1024);

	gk_assert_ok(gdoi_dialect_preset(&gdoid, "gdoid"));
	shape_group = as_gdoid;
	phase1_suite = &old;
	open_server();
	pushes_given[0] = pushes_given[1] = 0;
	for (int i = 0; i < NODES; i++)
		node_open(i, &gdoid);
	shape_group = NULL;
	phase1_suite = NULL;
	join_all(0);
	assert_int_equal(members_of(0), NODES);
	assert_all_read(0);
	for (int round = 0; round < 3; round++) {
		gk_assert_ok(gdoi_group_rekey(
			group[0], round == 1 ? GDOI_REKEY_ALL : GDOI_REKEY_TEK,
			now));
		pass(1000);
		assert_all_read(0);
	}
	all_close();
}

/* RFC 8052: a group named by an OID, with its own security associations. */
static void
as_substation(struct gw *w, int i)
{
	static const uint8_t id[] = { ISAKMP_ID_OID, 0,  0, 0, 7,  6, 5,
		                      0x2b,          14, 3, 2, 26, 0, 0 };

	if (i != 0)
		return;
	w->cfg.id = (struct gk_slice){ id, sizeof(id) };
	gw_set_data(w, 1, &gw_iec_gcm);
}

GK_TEST(rfc8052_2_1_01, a_group_that_is_named_by_an_oid)
{
	shape_group = as_substation;
	all_open();
	shape_group = NULL;
	join_all(0);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(state_of(i, 0), GDOI_GM_MEMBER);
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL, now));
	pass(1000);
	assert_all_read(0);
	all_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_1_01,
		       members_register_for_two_groups_and_share_the_keys),
		GK_RUN(rfc6407_4_09, rekeys_reach_everybody),
		GK_RUN(rfc6407_7_4_1_01, who_is_evicted_cannot_read_on),
		GK_RUN(rfc2408_5_1_01, every_third_datagram_is_lost),
		GK_RUN(rfc2408_5_15_03, a_member_that_leaves_says_so),
		GK_RUN(rfc6407_3_4_01,
		       members_stay_when_the_key_server_starts_again),
		GK_RUN(rfc8263_5_06,
		       each_kind_of_acknowledgement_reaches_its_group),
		GK_RUN(rfc6407_3_4_03, who_is_not_admitted_is_told),
		GK_RUN(rfc6407_3_5_06,
		       a_member_gets_as_many_sender_ids_as_it_asks_for),
		GK_RUN(rfc6054_3_07, sender_ids_of_three_lengths),
		GK_RUN(rfc6407_3_5_11,
		       when_sender_ids_run_out_everything_is_new),
		GK_RUN(rfc6407_4_11, an_eviction_in_several_datagrams),
		GK_RUN(rfc6407_7_4_2_01,
		       a_joiner_gets_no_key_that_was_used_before),
		GK_RUN(rfc6407_5_9_03, the_end_of_a_group_is_deletes_alone),
		GK_RUN(rfc6407_6_1_07, rekeys_under_every_kind_of_signature),
		GK_RUN(rfc6407_5_1_03,
		       the_preset_of_the_reference_implementation_in_both_roles),
		GK_RUN(rfc8052_2_1_01, a_group_that_is_named_by_an_oid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
