/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "gdoi/engine/gm_state.h"

/*
 * Everything that a message could change, for tests and fuzzers.  A running
 * SHA-256: digest = SHA-256(digest | next part).
 *
 * Left out is what octets that nobody can authenticate may set going: counters of
 * refusals, and a suspicion (gm_suspect()).
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
add_u64(struct sum *s, uint64_t v)
{
	add(s, &v, sizeof(v));
}

static void
add_buf(struct sum *s, const struct gk_buf *b)
{
	add_u64(s, b->len);
	add(s, b->ptr, b->len);
}

static void
add_rekey(struct sum *s, const struct gm_rekey *r)
{
	add_u64(s, r->kek != NULL);
	if (r->kek == NULL)
		return;
	add(s, r->kek->sak.spi, sizeof(r->kek->sak.spi));
	add_u64(s, r->kek->sak.ack);
	add_buf(s, &r->kek->key);
	add_u64(s, r->sequence);
	add(s, r->chained, sizeof(r->chained));
	add_u64(s, r->expires_at);
}

static void
add_slot(struct sum *s, const struct gm_slot *slot)
{
	const struct gm_tek *tek = slot->tek;

	add_u64(s, tek->sat.protocol);
	add(s, tek->sat.spi, sizeof(tek->sat.spi));
	add_buf(s, &tek->key);
	add_buf(s, &tek->integrity);
	add_buf(s, &tek->source_auth);
	add_u64(s, slot->state);
	add_u64(s, (uint64_t)slot->may_send << 1 | slot->kept);
	add_u64(s, slot->activate_at);
	add_u64(s, slot->deactivate_at);
	add_u64(s, slot->expires_at);
}

static void
add_keys(struct sum *s, const struct gm_keys *keys)
{
	add_rekey(s, &keys->rekey);
	add_rekey(s, &keys->old);
	add_u64(s, keys->n_nodes);
	for (uint16_t i = 0; i < keys->n_nodes; i++) {
		add_u64(s, (uint64_t)keys->node[i].id << 32 |
		                   keys->node[i].handle);
		add(s, keys->node[i].octets, keys->node[i].len);
	}
	add_u64(s, (uint64_t)keys->no_sender << 16 | keys->sid_bits);
	add(s, keys->sid, keys->n_sids * sizeof(keys->sid[0]));
	add_u64(s, keys->n);
	for (size_t i = 0; i < keys->n; i++)
		add_slot(s, &keys->slot[i]);
	add(s, keys->recent, sizeof(keys->recent));
	add_u64(s, keys->awaiting);
	add_u64(s, keys->grace_ms);
	add_u64(s, keys->path_by);
}

static void
add_group(struct sum *s, const struct gm_group *g)
{
	add_keys(s, g->keys);
	add_u64(s, g->joined);
	add_u64(s, g->state);
	add_u64(s, g->register_at);
	add_u64(s, g->bound_ms);
	add_u64(s, g->wanted);
	add_u64(s, g->failures);
	add_u64(s, g->servers_tried);
	add_u64(s, g->pull.expect);
	add_buf(s, &g->pull.sent);
	add_u64(s, g->pull.tries_left);
	add_u64(s, g->pull.retry_at);
	for (size_t i = 0; i < g->n_known; i++) {
		add(s, g->known[i].spi, sizeof(g->known[i].spi));
		add_u64(s, g->known[i].sequence);
	}
	add_u64(s, g->farewell.count);
	add_u64(s, g->n_held);
	add_u64(s, g->n_acks);
	for (size_t i = 0; i < g->n_acks; i++)
		add_buf(s, &g->ack[i].dgram);
}

void
gdoi_gm_digest(const struct gdoi_gm *gm, uint8_t out[32])
{
	struct sum s = { { 0 } };

	add_u64(&s, gm->ike != NULL ? ike_state(gm->ike) : 0);
	add_u64(&s, gm->up);
	add_u64(&s, gm->server);
	for (size_t i = 0; i < gm->n_groups; i++)
		add_group(&s, &gm->group[i]);
	memcpy(out, s.d, 32);
}
