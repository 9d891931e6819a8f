/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/crypto/gk_sum.h"
#include "gsakmp/engine/gm_state.h"

/* Everything that a message could change, for tests and fuzzers (gk_sum.h). */
static void
add_key(struct gk_sum *s, const struct gk_traffic_key *k)
{
	gk_sum_u64(s, k->id);
	gk_sum_u64(s, k->handle);
	gk_sum_u64(s, (uint64_t)k->created);
	gk_sum_u64(s, (uint64_t)k->expires);
	gk_sum_add(s, k->octets, k->len);
}

static void
add_kek(struct gk_sum *s, const struct gk_lkh_key *k)
{
	gk_sum_u64(s, k->id);
	gk_sum_u64(s, k->handle);
	gk_sum_u64(s, (uint64_t)k->created);
	gk_sum_add(s, k->octets, k->len);
}

void
gsakmp_gm_digest(const struct gsakmp_gm *gm, uint8_t out[32])
{
	struct gk_sum s = { { 0 } };

	gk_sum_u64(&s, gm->state);
	gk_sum_u64(&s, gsakmp_gm_clock(gm));
	gk_sum_u64(&s, gm->rejoins);
	gk_sum_u64(&s, gm->tolerate);
	gk_sum_u64(&s, gm->opened_sequence);
	gk_sum_u64(&s, gm->join.retries_left);
	gk_sum_u64(&s, gm->join.cookies_left);
	gk_sum_u64(&s, gm->join.refused);
	gk_sum_buf(&s, &gm->join.nonce_i);
	gk_sum_buf(&s, &gm->join.rtj);
	gk_sum_buf(&s, &gm->join.cookie);
	gk_sum_buf(&s, &gm->given_up_nonce_i);
	gk_sum_u64(&s, gm->given_up_told);
	gk_sum_buf(&s, &gm->receipt.ack);
	gk_sum_buf(&s, &gm->departure.nonce_i);
	gk_sum_buf(&s, &gm->departure.rtd);
	gk_sum_u64(&s, gm->departure.retries_left);
	gk_sum_buf(&s, &gm->expulsion.rtd);
	gk_sum_u64(&s, gm->heard_primary);
	gk_sum_buf(&s, &gm->gcks_key);
	gk_sum_u64(&s, gm->member_id);
	if (gm->policy != NULL)
		gk_sum_buf(&s, &gm->policy->signed_der);
	for (size_t i = 0; i < gm->n_gtpks; i++) {
		add_key(&s, &gm->gtpk[i]);
		add_key(&s, &gm->old[i]);
	}
	for (size_t i = 0; i < gm->keks.count; i++)
		add_kek(&s, &gm->keks.keys[i]);
	gk_sum_u64(&s, gm->seen.any);
	gk_sum_u64(&s, (uint64_t)gm->heard.pushed_utc);
	gk_sum_u64(&s, (uint64_t)gm->heard.rekey_utc);
	gk_sum_add(&s, gm->seen.digest, sizeof(gm->seen.digest));
	for (size_t i = 0; i < gm->n_sequences; i++) {
		gk_sum_buf(&s, &gm->sequence[i].gcks);
		gk_sum_u64(&s, gm->sequence[i].last);
		gk_sum_u64(&s, gm->sequence[i].followed);
	}
	memcpy(out, s.d, 32);
}

static void
add_session(struct gk_sum *s, const struct gsakmp_session *x)
{
	gk_sum_u64(s, x->state);
	gk_sum_u64(s, x->id);
	gk_sum_buf(s, &x->key);
	gk_sum_buf(s, &x->nonce_c);
	gk_sum_buf(s, &x->answer);
	gk_sum_u64(s, x->deadline);
	gk_sum_u64(s, x->loa_left);
}

static void
add_members(struct gk_sum *s, const struct gk_group *data)
{
	const struct gk_member *m;
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	size_t cursor = 0, n = 0;

	while ((m = gk_group_each(data, &cursor)) != NULL) {
		gk_sum_u64(s, m->id);
		gk_sum_u64(s, m->state);
		gk_sum_buf(s, &m->identity);
		gk_sum_slice(s, gk_member_blob(m));
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
	gk_sum_u64(s, gk_group_sequence(data));
	gk_sum_u64(s, gk_group_excluded_count(data));
}

void
gsakmp_group_digest(struct gsakmp_group *g, uint8_t out[32])
{
	struct gk_sum s = { { 0 } };

	pthread_mutex_lock(&g->lock);
	gk_sum_u64(&s, g->phase);
	gk_sum_u64(&s, g->window_ends);
	gk_sum_u64(&s, g->rekey_due);
	gk_sum_u64(&s, g->grace_ends);
	gk_sum_u64(&s, g->events);
	gk_sum_u64(&s, g->rekeys);
	gk_sum_u64(&s, g->paused);
	for (const struct gsakmp_expelled *e = g->expelled; e != NULL;
	     e = e->next) {
		gk_sum_buf(&s, &e->peer);
		gk_sum_u64(&s, e->accepted);
		gk_sum_u64(&s, e->refused);
	}
	gk_sum_u64(&s, g->sessions.count);
	for (size_t i = 0; i < GSAKMP_SESSION_BUCKETS; i++)
		for (const struct gsakmp_session *x = g->sessions.key_bucket[i];
		     x != NULL; x = x->by_key)
			add_session(&s, x);
	if (g->policy != NULL)
		gk_sum_buf(&s, &g->policy->signed_der);
	if (g->data != NULL)
		add_members(&s, g->data);
	pthread_mutex_unlock(&g->lock);
	memcpy(out, s.d, 32);
}
