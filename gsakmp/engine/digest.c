/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "gsakmp/engine/gm_state.h"

/*
 * Digests of everything that a message could change, for tests and fuzzers.
 * A running SHA-256: digest = SHA-256(digest | next part).
 */
struct sum {
	uint8_t d[GK_HASH_MAX];
};

static void
add(struct sum *s, const void *p, size_t n)
{
	const struct gk_slice parts[] = { { s->d, 32 },
		                          { (const uint8_t *)p, n } };
	uint8_t out[GK_HASH_MAX] = { 0 };

	if (gk_hash(GK_HASH_SHA256, parts, GK_COUNT(parts), out) == GK_OK)
		memcpy(s->d, out, 32);
}

static void
add_slice(struct sum *s, struct gk_slice octets)
{
	add(s, &octets.len, sizeof(octets.len));
	add(s, octets.ptr, octets.len);
}

static void
add_buf(struct sum *s, const struct gk_buf *b)
{
	add_slice(s, gk_buf_slice(b));
}

static void
add_u64(struct sum *s, uint64_t v)
{
	add(s, &v, sizeof(v));
}

static void
add_key(struct sum *s, const struct gk_traffic_key *k)
{
	add_u64(s, k->id);
	add_u64(s, k->handle);
	add_u64(s, (uint64_t)k->created);
	add_u64(s, (uint64_t)k->expires);
	add(s, k->octets, k->len);
}

static void
add_kek(struct sum *s, const struct gk_lkh_key *k)
{
	add_u64(s, k->id);
	add_u64(s, k->handle);
	add_u64(s, (uint64_t)k->created);
	add(s, k->octets, k->len);
}

void
gsakmp_gm_digest(const struct gsakmp_gm *gm, uint8_t out[32])
{
	struct sum s = { { 0 } };

	add_u64(&s, gm->state);
	add_u64(&s, gsakmp_gm_clock(gm));
	add_u64(&s, gm->rejoins);
	add_u64(&s, gm->tolerate);
	add_u64(&s, gm->opened_sequence);
	add_u64(&s, gm->join.retries_left);
	add_u64(&s, gm->join.cookies_left);
	add_u64(&s, gm->join.refused);
	add_buf(&s, &gm->join.nonce_i);
	add_buf(&s, &gm->join.rtj);
	add_buf(&s, &gm->join.cookie);
	add_buf(&s, &gm->given_up_nonce_i);
	add_u64(&s, gm->given_up_told);
	add_buf(&s, &gm->receipt.ack);
	add_buf(&s, &gm->departure.nonce_i);
	add_buf(&s, &gm->departure.rtd);
	add_u64(&s, gm->departure.retries_left);
	add_buf(&s, &gm->expulsion.rtd);
	add_u64(&s, gm->heard_primary);
	add_buf(&s, &gm->gcks_key);
	add_u64(&s, gm->member_id);
	if (gm->policy != NULL)
		add_buf(&s, &gm->policy->signed_der);
	for (size_t i = 0; i < gm->n_gtpks; i++) {
		add_key(&s, &gm->gtpk[i]);
		add_key(&s, &gm->old[i]);
	}
	for (size_t i = 0; i < gm->keks.count; i++)
		add_kek(&s, &gm->keks.keys[i]);
	add_u64(&s, gm->seen.any);
	add_u64(&s, (uint64_t)gm->heard.pushed_utc);
	add_u64(&s, (uint64_t)gm->heard.rekey_utc);
	add(&s, gm->seen.digest, sizeof(gm->seen.digest));
	for (size_t i = 0; i < gm->n_sequences; i++) {
		add_buf(&s, &gm->sequence[i].gcks);
		add_u64(&s, gm->sequence[i].last);
		add_u64(&s, gm->sequence[i].followed);
	}
	memcpy(out, s.d, 32);
}

static void
add_session(struct sum *s, const struct gsakmp_session *x)
{
	add_u64(s, x->state);
	add_u64(s, x->id);
	add_buf(s, &x->key);
	add_buf(s, &x->nonce_c);
	add_buf(s, &x->answer);
	add_u64(s, x->deadline);
	add_u64(s, x->loa_left);
}

static void
add_members(struct sum *s, const struct gk_group *data)
{
	const struct gk_member *m;
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	size_t cursor = 0, n = 0;

	while ((m = gk_group_each(data, &cursor)) != NULL) {
		add_u64(s, m->id);
		add_u64(s, m->state);
		add_buf(s, &m->identity);
		add_slice(s, gk_member_blob(m));
		if (gk_group_path(data, m, path, &n) != GK_OK)
			continue;
		for (size_t i = 0; i < n; i++)
			add_kek(s, &path[i]);
	}
	gk_wipe(path, sizeof(path));
	for (size_t i = 0; i < gk_group_key_count(data); i++)
		for (int slot = 0; slot < GK_KEY_SLOTS; slot++) {
			const struct gk_traffic_key *k =
				gk_group_key(data, i, (enum gk_key_slot)slot);

			if (k != NULL)
				add_key(s, k);
		}
	add_u64(s, gk_group_sequence(data));
	add_u64(s, gk_group_excluded_count(data));
}

void
gsakmp_group_digest(struct gsakmp_group *g, uint8_t out[32])
{
	struct sum s = { { 0 } };

	pthread_mutex_lock(&g->lock);
	add_u64(&s, g->phase);
	add_u64(&s, g->window_ends);
	add_u64(&s, g->rekey_due);
	add_u64(&s, g->grace_ends);
	add_u64(&s, g->events);
	add_u64(&s, g->rekeys);
	add_u64(&s, g->n_overdue);
	add_u64(&s, g->paused);
	for (const struct gsakmp_expelled *e = g->expelled; e != NULL;
	     e = e->next) {
		add_buf(&s, &e->peer);
		add_u64(&s, e->accepted);
		add_u64(&s, e->refused);
	}
	add_u64(&s, g->sessions.count);
	for (size_t i = 0; i < GSAKMP_SESSION_BUCKETS; i++)
		for (const struct gsakmp_session *x = g->sessions.key_bucket[i];
		     x != NULL; x = x->by_key)
			add_session(&s, x);
	if (g->policy != NULL)
		add_buf(&s, &g->policy->signed_der);
	if (g->data != NULL)
		add_members(&s, g->data);
	pthread_mutex_unlock(&g->lock);
	memcpy(out, s.d, 32);
}
