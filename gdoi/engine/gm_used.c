/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"

/*
 * Lifetimes in kilobytes: RFC 2407 section 4.5, RFC 6407 section 5.5.1.
 *
 * Each host counts what it has protected and read itself, and the key server hears
 * nothing of it.  A registration is all that a member can ask it with; if that brings
 * no other SA, the one that is used up is not taken again, as RFC 2407 has its keys
 * renegotiated then.
 */
static bool
is_of(const struct gdoi_sat *sat, uint8_t protocol, const uint8_t *spi)
{
	return sat->protocol == protocol &&
	       memcmp(sat->spi, spi, GDOI_TEK_SPI_LEN) == 0;
}

static struct gm_slot *
find(struct gm_keys *keys, uint8_t protocol, const uint8_t *spi, size_t *at)
{
	for (size_t i = 0; i < keys->n; i++)
		if (is_of(&keys->slot[i].tek->sat, protocol, spi)) {
			*at = i;
			return &keys->slot[i];
		}
	return NULL;
}

bool
gm_is_used(const struct gm_group *group, const struct gdoi_sat *sat)
{
	for (size_t i = 0; i < group->n_used; i++)
		if (is_of(sat, group->used[i].protocol, group->used[i].spi))
			return true;
	return false;
}

static void
remember(struct gm_group *group, uint8_t protocol, const uint8_t *spi)
{
	if (group->n_used < GM_USED_MAX)
		group->n_used++;
	memmove(&group->used[1], &group->used[0],
	        (group->n_used - 1) * sizeof(group->used[0]));
	group->used[0].protocol = protocol;
	memcpy(group->used[0].spi, spi, GDOI_TEK_SPI_LEN);
}

enum gk_err
gm_used_again(struct gdoi_gm *gm, struct gm_group *group, bool used,
              struct gk_now now)
{
	uint64_t at, due = gm_due(gm, group);

	if (!used) {
		group->used_wait_ms = 0;
		return GK_OK;
	}
	group->used_wait_ms = group->used_wait_ms == 0
	                              ? gm->cfg.backoff_ms
	                              : 2 * group->used_wait_ms;
	if (group->used_wait_ms > gm->cfg.backoff_max_ms)
		group->used_wait_ms = gm->cfg.backoff_max_ms;
	at = now.mono_ms + group->used_wait_ms;
	group->register_at = at < due ? at : due;
	return gm_tell(gm, group, GDOI_OUT_STALE,
	               "the key server has only SAs that are used up");
}

static enum gk_err
use_up(struct gdoi_gm *gm, struct gm_group *group, size_t i, struct gk_now now)
{
	struct gm_keys *keys = gm_keys_copy(group->keys);
	const struct gdoi_sat *sat = &group->keys->slot[i].tek->sat;
	enum gk_err err;

	if (keys == NULL)
		return GK_ERR_NOMEM;
	gm_tek_forget(keys, i);
	gm_teks_go_on(keys, sat, now.mono_ms);
	err = gm_report(gm, group, group->keys, keys);
	if (err != GK_OK) {
		gm_keys_free(keys);
		return err;
	}
	remember(group, sat->protocol, sat->spi);
	gm_replace(group, keys);
	GK_TRY(gm_out_of_keys(gm, group, now));
	return gm_register_soon(gm, group, "the kilobytes of an SA are used up",
	                        now);
}

enum gk_err
gdoi_gm_used(struct gdoi_gm *gm, size_t group, uint8_t protocol,
             const uint8_t spi[GDOI_TEK_SPI_LEN], bool up, struct gk_now now)
{
	struct gm_group *g;
	struct gm_slot *slot;
	size_t at = 0;

	if (group >= gm->n_groups)
		return GK_ERR_VALUE;
	g = &gm->group[group];
	gm_begin(gm);
	slot = find(g->keys, protocol, spi, &at);
	if (slot == NULL || protocol == GDOI_PROTOCOL_IEC_61850 ||
	    slot->tek->sat.ipsec.life_kb == 0)
		return GK_ERR_VALUE;
	if (up)
		return use_up(gm, g, at, now);
	if (slot->worn)
		return GK_OK;
	slot->worn = true;
	/* Its successor is there, and takes over by its own time. */
	if (slot->state == GDOI_TEK_OLD)
		return GK_OK;
	return gm_register_soon(
		gm, g, "the kilobytes of an SA are nearly used up", now);
}
