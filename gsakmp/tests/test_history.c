/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/engine/gm_state.h"
#include "gsakmp/message/protect.h"

/*
 * Who can compute the group's key, found out by trying: a history of joins,
 * departures, evictions and restarts, every Rekey Event of it kept as octets, and
 * every key that a member ever held.  After each rekey all former members pool
 * what they have and open whatever it opens.  RFC 4535 sections 4.4.7, 5.3.2.1
 * and 7.5.2; RFC 2627 section 5.4.
 */
#define MEMBERS 28
#define EVENTS 512

struct key {
	bool gtpk, used;
	uint32_t id, handle;
	uint8_t len, octets[GK_LKH_KEY_MAX];
};

/* Open addressing by name. */
struct keys {
	struct key *slot;
	size_t n, cap;
};

struct history {
	struct world *w;
	uint64_t seed;
	struct gk_buf event[EVENTS]; /* Rekey Events as they were sent */
	size_t n_events;
	struct keys known[MEMBERS]; /* what each of them ever held */
	bool out[MEMBERS];          /* was a member, and is none any more */
	bool barred[MEMBERS];       /* was evicted */
	unsigned joins[MEMBERS];    /* how often */
	size_t since[MEMBERS];      /* first traffic key after the join */
	struct key *traffic;        /* the group's, in order */
	size_t n_traffic, opened;
};

static uint32_t
dice(struct history *h, uint32_t n)
{
	h->seed = h->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(h->seed >> 33) % n;
}

/* ---- sets of keys ------------------------------------------------------- */

static struct key *
slot_of(const struct keys *set, bool gtpk, uint32_t id, uint32_t handle)
{
	size_t i = (id * 2654435761u ^ handle * 40503u ^ gtpk) & (set->cap - 1);

	while (set->slot[i].used &&
	       (set->slot[i].gtpk != gtpk || set->slot[i].id != id ||
	        set->slot[i].handle != handle))
		i = (i + 1) & (set->cap - 1);
	return &set->slot[i];
}

static void
grow(struct keys *set)
{
	struct keys old = *set;

	set->cap = old.cap == 0 ? 64 : old.cap * 2;
	set->slot = test_calloc(set->cap, sizeof(*set->slot));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].used)
			*slot_of(set, old.slot[i].gtpk, old.slot[i].id,
			         old.slot[i].handle) = old.slot[i];
	if (old.slot != NULL)
		test_free(old.slot);
}

/* True when it is new.  A name never stands for two keys. */
static bool
learn(struct keys *set, bool gtpk, uint32_t id, uint32_t handle,
      const uint8_t *octets, size_t len)
{
	struct key *k;

	if (set->n * 2 >= set->cap)
		grow(set);
	k = slot_of(set, gtpk, id, handle);
	if (k->used) {
		assert_int_equal(k->len, len);
		assert_memory_equal(k->octets, octets, len);
		return false;
	}
	*k = (struct key){ gtpk, true, id, handle, (uint8_t)len, { 0 } };
	memcpy(k->octets, octets, len);
	set->n++;
	return true;
}

static void
pool(struct keys *to, const struct keys *from)
{
	for (size_t i = 0; i < from->cap; i++)
		if (from->slot[i].used)
			learn(to, from->slot[i].gtpk, from->slot[i].id,
			      from->slot[i].handle, from->slot[i].octets,
			      from->slot[i].len);
}

static void
forget(struct keys *set)
{
	if (set->slot != NULL)
		test_free(set->slot);
	*set = (struct keys){ 0 };
}

static bool
has(const struct keys *set, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < set->cap; i++)
		if (set->slot[i].used && set->slot[i].len == len &&
		    memcmp(set->slot[i].octets, octets, len) == 0)
			return true;
	return false;
}

/* ---- opening what can be opened ----------------------------------------- */

/* One Rekey Event Data under a key of the set; true when that was news. */
static bool
open_one(struct history *h, struct keys *set, uint16_t type,
         const struct gsakmp_message *msg, const struct gsakmp_rekey_data *d)
{
	const struct gsakmp_dialect *dialect = &h->w->cfg.dialect;
	const struct key *kek =
		set->cap == 0 ? NULL
			      : slot_of(set, false, d->key_id, d->handle);
	struct gsakmp_keys *keys;
	struct gsakmp_reject why;
	struct gk_buf plain = { 0 };
	bool news = false;

	if (kek == NULL || !kek->used)
		return false;
	keys = test_calloc(1, sizeof(*keys));
	gk_assert_ok(gsakmp_rekey_open(
		dialect,
		&(struct gsakmp_wrapping){ .type = type,
	                                   .id = kek->id,
	                                   .handle = kek->handle,
	                                   .key = { kek->octets, kek->len } },
		d, &plain, &why));
	gk_assert_ok(gsakmp_packages_read(gk_buf_slice(&plain), dialect,
	                                  &msg->vocabulary, d->count, keys,
	                                  &why));
	for (size_t i = 0; i < keys->n_items; i++)
		for (size_t n = 0; n < keys->item[i].count; n++) {
			const struct gsakmp_key_datum *k =
				&keys->datum[keys->item[i].first + n];

			news |= learn(set,
			              keys->item[i].type == GSAKMP_ITEM_GTPK,
			              k->id, k->handle, k->key.ptr, k->key.len);
		}
	h->opened++;
	gk_buf_free(&plain);
	test_free(keys);
	return news;
}

static bool
open_event(struct history *h, struct keys *set, const struct gk_buf *octets)
{
	uint16_t type = h->w->group->policy->kek_type;
	const struct gsakmp_parse how = { .dialect = &h->w->cfg.dialect,
		                          .rekey_key_type = type };
	const struct gsakmp_rekey_shape shape = { &h->w->cfg.dialect, type };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	bool news = false;

	gk_assert_ok(gsakmp_message_parse(&how, octets->ptr, octets->len, msg,
	                                  &why));
	for (size_t e = 0; e < msg->n_rekey_events; e++) {
		struct gk_rd rd = gsakmp_rekey_data_start(&msg->rekey_event[e]);
		struct gsakmp_rekey_data data;

		while (gsakmp_rekey_data_next(&rd, &shape, &data))
			news |= open_one(h, set, type, msg, &data);
	}
	test_free(msg);
	return news;
}

/* Everything that follows from the set and from what everybody could hear. */
static void
closure(struct history *h, struct keys *set)
{
	bool news = true;

	while (news) {
		news = false;
		for (size_t i = 0; i < h->n_events; i++)
			news |= open_event(h, set, &h->event[i]);
	}
}

/* ---- the history -------------------------------------------------------- */

static void
tap(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct history *h = ctx;
	size_t at = 2 + (size_t)dgram.ptr[1] + 2; /* Exchange Type */

	(void)from;
	if (dgram.ptr[at] != GSAKMP_EXCHANGE_REKEY_EVENT)
		return;
	assert_true(h->n_events < EVENTS);
	gk_assert_ok(gk_buf_copy(&h->event[h->n_events++], dgram));
}

static bool
is_member(const struct history *h, size_t i)
{
	return gsakmp_gm_state(h->w->member[i]->gm) == GSAKMP_GM_MEMBER &&
	       !h->out[i] && h->joins[i] > 0;
}

/* What the engine of every member holds now, goes on record. */
static void
look(struct history *h)
{
	for (size_t i = 0; i < h->w->n_members; i++) {
		const struct gsakmp_gm *gm = h->w->member[i]->gm;

		for (size_t k = 0; k < gm->keks.count; k++)
			learn(&h->known[i], false, gm->keks.keys[k].id,
			      gm->keks.keys[k].handle, gm->keks.keys[k].octets,
			      gm->keks.keys[k].len);
		for (size_t k = 0; k < gm->n_gtpks; k++) {
			learn(&h->known[i], true, gm->gtpk[k].id,
			      gm->gtpk[k].handle, gm->gtpk[k].octets,
			      gm->gtpk[k].len);
			if (gm->old[k].len != 0)
				learn(&h->known[i], true, gm->old[k].id,
				      gm->old[k].handle, gm->old[k].octets,
				      gm->old[k].len);
		}
	}
}

static const struct gk_traffic_key *
group_key(const struct history *h)
{
	return gk_group_key(h->w->group->data, 0, GK_KEY_CURRENT);
}

static void
pass(struct history *h, uint64_t ms)
{
	const struct gk_traffic_key *k;

	world_pass(h->w, ms);
	look(h);
	k = group_key(h);
	if (h->n_traffic > 0 &&
	    h->traffic[h->n_traffic - 1].handle == k->handle)
		return;
	assert_true(h->n_traffic < EVENTS);
	h->traffic[h->n_traffic] =
		(struct key){ .handle = k->handle, .len = k->len };
	memcpy(h->traffic[h->n_traffic++].octets, k->octets, k->len);
}

static void
join(struct history *h, size_t i)
{
	struct world_member *m = h->w->member[i];

	if (is_member(h, i) || h->barred[i])
		return;
	if (gsakmp_gm_state(m->gm) != GSAKMP_GM_IDLE)
		return;
	h->since[i] = h->n_traffic;
	world_join(m);
	h->joins[i]++;
	h->out[i] = false;
}

static void
leave(struct history *h, size_t i)
{
	struct world_member *m = h->w->member[i];

	if (!is_member(h, i))
		return;
	gk_assert_ok(gsakmp_gm_leave(m->gm, true, simnet_now(h->w->net)));
	world_drain_member(m);
	h->out[i] = true;
}

static void
evict(struct history *h, size_t n)
{
	const char *peers[4];
	size_t count = 0;

	for (size_t k = 0; k < n && count < 4; k++) {
		size_t i = dice(h, MEMBERS);

		if (!is_member(h, i))
			continue;
		h->out[i] = h->barred[i] = true;
		peers[count++] = h->w->member[i]->peer;
	}
	if (count == 0)
		return;
	gk_assert_ok(gsakmp_group_evict(h->w->group, peers, count,
	                                simnet_now(h->w->net)));
	world_drain(h->w);
}

static void
step(struct history *h)
{
	switch (dice(h, 10)) {
	case 0:
	case 1:
	case 2:
		join(h, dice(h, MEMBERS));
		break;
	case 3: /* several at once */
		for (int k = 0; k < 5; k++)
			join(h, dice(h, MEMBERS));
		break;
	case 4:
	case 5:
		leave(h, dice(h, MEMBERS));
		break;
	case 6: /* a batch of both */
		leave(h, dice(h, MEMBERS));
		join(h, dice(h, MEMBERS));
		leave(h, dice(h, MEMBERS));
		break;
	case 7:
		if (dice(h, 2))
			evict(h, 1 + dice(h, 4));
		break;
	case 8:
		world_restart(h->w);
		break;
	default:
		gk_assert_ok(world_rekey(h->w));
		break;
	}
	pass(h, 1500);
}

/* Nearly all go, and the tree shrinks under the others. */
static void
ebb(struct history *h)
{
	size_t left = 0;

	for (size_t i = 0; i < MEMBERS; i++)
		left += is_member(h, i);
	for (size_t i = 0; i < MEMBERS && left > 2; i++) {
		if (!is_member(h, i))
			continue;
		leave(h, i);
		left--;
	}
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(world_rekey(h->w));
		pass(h, 1500);
	}
}

/* ---- what must be true -------------------------------------------------- */

static void
check_now(struct history *h)
{
	const struct gk_traffic_key *k;
	struct keys coalition = { 0 };
	size_t members = 0;

	/* Whoever left with notice goes with the next rekey. */
	gk_assert_ok(world_rekey(h->w));
	pass(h, 1500);
	k = group_key(h);
	for (size_t i = 0; i < h->w->n_members; i++) {
		if (is_member(h, i)) {
			const struct gsakmp_gm *gm = h->w->member[i]->gm;

			members++;
			assert_int_equal(gm->gtpk[0].handle, k->handle);
			assert_memory_equal(gm->gtpk[0].octets, k->octets,
			                    k->len);
		} else {
			pool(&coalition, &h->known[i]);
		}
	}
	assert_int_equal(members, world_status(h->w).n_members);
	closure(h, &coalition);
	assert_false(has(&coalition, k->octets, k->len));
	forget(&coalition);
}

/* All who joined once and late, against the traffic keys of before. */
static void
check_past(struct history *h)
{
	size_t first = SIZE_MAX, n = 0;
	struct keys late = { 0 };

	for (size_t i = 0; i < h->w->n_members; i++) {
		if (h->joins[i] != 1 || h->since[i] < h->n_traffic / 2)
			continue;
		n++;
		pool(&late, &h->known[i]);
		if (h->since[i] < first)
			first = h->since[i];
	}
	if (n == 0)
		return;
	closure(h, &late);
	for (size_t t = 0; t < first; t++)
		assert_false(
			has(&late, h->traffic[t].octets, h->traffic[t].len));
	forget(&late);
}

static void
run(const struct world_config *cfg, unsigned steps)
{
	struct history *h = test_calloc(1, sizeof(*h));

	h->w = world_with(cfg, MEMBERS);
	h->seed = cfg->seed * 977;
	h->traffic = test_calloc(EVENTS, sizeof(*h->traffic));
	simnet_tap(h->w->net, tap, h);
	for (size_t i = 0; i < 6; i++)
		join(h, i);
	pass(h, 3000);
	for (unsigned s = 1; s <= steps; s++) {
		step(h);
		if (s % 16 == 15)
			ebb(h);
		if (s % 8 == 0)
			check_now(h);
	}
	check_past(h);
	assert_true(h->opened > steps); /* they did try */
	world_free(h->w);
	for (size_t i = 0; i < MEMBERS; i++)
		forget(&h->known[i]);
	for (size_t i = 0; i < h->n_events; i++)
		gk_buf_free(&h->event[i]);
	test_free(h->traffic);
	test_free(h);
}

GK_TEST(rfc4535_4_4_7_05, only_current_members_can_compute_the_current_key)
{
	static const unsigned degrees[] = { 2, 3, 4, 8 };

	for (unsigned i = 0; i < 8; i++) {
		struct world_config cfg = world_plain(100 + i);

		cfg.group.lkh_degree = degrees[i % GK_COUNT(degrees)];
		cfg.group.lkh_chain = i / 4 != 0;
		cfg.group.tree_spare = i % 2 == 0 ? 1 : 0;
		cfg.group.join_window_ms = i % 3 == 1 ? 400 : 0;
		cfg.suite = i % 4 == 3 ? WORLD_MIXED : WORLD_P256;
		cfg.gm.no_recovery = true; /* the evicted do not knock */
		run(&cfg, 64);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_4_7_05,
		       only_current_members_can_compute_the_current_key),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/history", tests, NULL,
	                                         NULL);

	gk_pki_keys_free();
	return failed;
}
