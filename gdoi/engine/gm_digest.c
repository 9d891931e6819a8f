/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/crypto/gk_sum.h"
#include "gdoi/engine/gm_state.h"

/*
 * Everything that a message could change, for tests and fuzzers (gk_sum.h).
 *
 * Left out is what octets that nobody can authenticate may set going: counters of
 * refusals, and a suspicion (gm_suspect()).
 */
static void
add_rekey(struct gk_sum *s, const struct gm_rekey *r)
{
	gk_sum_u64(s, r->kek != NULL);
	if (r->kek == NULL)
		return;
	gk_sum_add(s, r->kek->sak.spi, sizeof(r->kek->sak.spi));
	gk_sum_u64(s, r->kek->sak.ack);
	gk_sum_buf(s, &r->kek->key);
	gk_sum_u64(s, r->sequence);
	gk_sum_add(s, r->chained, sizeof(r->chained));
	gk_sum_u64(s, r->expires_at);
}

static void
add_slot(struct gk_sum *s, const struct gm_slot *slot)
{
	const struct gm_tek *tek = slot->tek;

	gk_sum_u64(s, tek->sat.protocol);
	gk_sum_add(s, tek->sat.spi, sizeof(tek->sat.spi));
	gk_sum_buf(s, &tek->key);
	gk_sum_buf(s, &tek->integrity);
	gk_sum_buf(s, &tek->source_auth);
	gk_sum_u64(s, slot->state);
	gk_sum_u64(s, (uint64_t)slot->may_send << 1 | slot->kept);
	gk_sum_u64(s, slot->activate_at);
	gk_sum_u64(s, slot->deactivate_at);
	gk_sum_u64(s, slot->expires_at);
}

static void
add_keys(struct gk_sum *s, const struct gm_keys *keys)
{
	add_rekey(s, &keys->rekey);
	add_rekey(s, &keys->old);
	gk_sum_u64(s, keys->n_nodes);
	for (uint16_t i = 0; i < keys->n_nodes; i++) {
		gk_sum_u64(s, (uint64_t)keys->node[i].id << 32 |
		                      keys->node[i].handle);
		gk_sum_add(s, keys->node[i].octets, keys->node[i].len);
	}
	gk_sum_u64(s, (uint64_t)keys->no_sender << 16 | keys->sid_bits);
	gk_sum_add(s, keys->sid, keys->n_sids * sizeof(keys->sid[0]));
	gk_sum_u64(s, keys->n);
	for (size_t i = 0; i < keys->n; i++)
		add_slot(s, &keys->slot[i]);
	gk_sum_add(s, keys->recent, sizeof(keys->recent));
	gk_sum_u64(s, keys->awaiting);
	gk_sum_u64(s, keys->grace_ms);
	gk_sum_u64(s, keys->path_by);
}

static void
add_group(struct gk_sum *s, const struct gm_group *g)
{
	add_keys(s, g->keys);
	gk_sum_u64(s, g->joined);
	gk_sum_buf(s, &g->registrar);
	gk_sum_u64(s, g->state);
	gk_sum_u64(s, g->register_at);
	gk_sum_u64(s, g->bound_ms);
	gk_sum_u64(s, g->wanted);
	gk_sum_u64(s, g->failures);
	gk_sum_u64(s, g->servers_tried);
	gk_sum_u64(s, g->pull.expect);
	gk_sum_buf(s, &g->pull.sent);
	gk_sum_u64(s, g->pull.tries_left);
	gk_sum_u64(s, g->pull.retry_at);
	for (size_t i = 0; i < g->n_known; i++) {
		gk_sum_add(s, g->known[i].spi, sizeof(g->known[i].spi));
		gk_sum_u64(s, g->known[i].sequence);
	}
	gk_sum_u64(s, g->farewell.count);
	gk_sum_u64(s, g->n_held);
	gk_sum_u64(s, g->n_acks);
	for (size_t i = 0; i < g->n_acks; i++)
		gk_sum_buf(s, &g->ack[i].dgram);
}

void
gdoi_gm_digest(const struct gdoi_gm *gm, uint8_t out[32])
{
	struct gk_sum s = { { 0 } };

	gk_sum_u64(&s, gm->ike != NULL ? ike_state(gm->ike) : 0);
	gk_sum_u64(&s, gm->up);
	gk_sum_u64(&s, gm->server);
	for (size_t i = 0; i < gm->cfg.n_servers; i++)
		gk_sum_u64(&s, gm->silent_until[i]);
	for (size_t i = 0; i < gm->n_groups; i++)
		add_group(&s, &gm->group[i]);
	memcpy(out, s.d, 32);
}
