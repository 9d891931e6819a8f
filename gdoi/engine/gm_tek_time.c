/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/gm_state.h"

/*
 * What becomes of Data-Security SAs by time alone: RFC 6407 sections 4.4, 5.4.1; RFC
 * 8052 section 2.2.
 */
static bool
is_iec(const struct gm_slot *slot)
{
	return slot->tek->sat.protocol == GDOI_PROTOCOL_IEC_61850;
}

/* ---- time --------------------------------------------------------------- */

/* RFC 8052: the current key stays when no key server gives another one, and
 * until the next one is in use. */
static bool
is_kept(const struct gdoi_gm *gm, const struct gm_slot *slot)
{
	return is_iec(slot) && slot->state == GDOI_TEK_CURRENT &&
	       !gm->cfg.drop_expired;
}

static void
expire(const struct gdoi_gm *gm, struct gm_keys *keys, uint64_t now_ms)
{
	for (size_t i = keys->n; i-- > 0;) {
		struct gm_slot *slot = &keys->slot[i];

		if (slot->deactivate_at <= now_ms) {
			gm_tek_forget(keys, i);
		} else if (slot->expires_at <= now_ms) {
			if (is_kept(gm, slot)) {
				slot->kept = true;
				slot->expires_at = GK_NEVER;
			} else if (is_iec(slot) &&
			           slot->state == GDOI_TEK_OLD) {
				gm_tek_linger(keys, slot, now_ms);
			} else {
				gm_tek_forget(keys, i);
			}
		}
	}
}

uint64_t
gm_teks_deadline(const struct gm_keys *keys)
{
	uint64_t at = GK_NEVER;

	for (size_t i = 0; i < keys->n; i++) {
		const struct gm_slot *slot = &keys->slot[i];
		const uint64_t all[] = { slot->activate_at, slot->deactivate_at,
			                 slot->expires_at };

		for (size_t j = 0; j < GK_COUNT(all); j++)
			if (all[j] < at)
				at = all[j];
	}
	return at;
}

enum gk_err
gm_teks_tick(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_keys *keys;
	enum gk_err err;

	if (gm_teks_deadline(group->keys) > now.mono_ms)
		return GK_OK;
	keys = gm_keys_copy(group->keys);
	if (keys == NULL)
		return GK_ERR_NOMEM;
	gm_tek_activate(keys, now.mono_ms);
	expire(gm, keys, now.mono_ms);
	err = gm_report(gm, group, group->keys, keys);
	if (err != GK_OK) {
		gm_keys_free(keys);
		return err;
	}
	gm_replace(group, keys);
	return gm_out_of_keys(gm, group, now);
}

/* ---- when a lifetime wants another registration ------------------------- */

/* So long before the end: the margin, but never more than half of the life. */
static uint64_t
margin_ms(const struct gdoi_gm *gm, uint32_t life_s)
{
	uint64_t life = 1000 * (uint64_t)life_s;
	uint64_t margin = gm->cfg.margin_s != 0
	                          ? 1000 * (uint64_t)gm->cfg.margin_s
	                          : life / 20;

	if (margin < 1000)
		margin = 1000;
	return margin < life / 2 ? margin : life / 2;
}

uint64_t
gm_due(const struct gdoi_gm *gm, const struct gm_group *group)
{
	const struct gm_keys *keys = group->keys;
	const struct gm_rekey *rekey = &keys->rekey;
	uint64_t due = GK_NEVER, at;

	if (rekey->kek != NULL && rekey->expires_at != GK_NEVER)
		due = rekey->expires_at -
		      margin_ms(gm, rekey->kek->sak.lifetime);
	for (size_t i = 0; i < keys->n; i++) {
		const struct gm_slot *slot = &keys->slot[i];

		if (slot->expires_at == GK_NEVER ||
		    slot->state == GDOI_TEK_OLD ||
		    gm_tek_has_successor(keys, slot))
			continue;
		at = slot->expires_at - margin_ms(gm, slot->lifetime_s);
		if (at < due)
			due = at;
	}
	return due < group->quiet_until ? group->quiet_until : due;
}

bool
gm_tek_undelivered(const struct gm_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		if (keys->slot[i].undelivered)
			return true;
	}
	return false;
}

struct gdoi_tek
gm_tek_view(const struct gm_keys *keys, const struct gm_slot *slot)
{
	const struct gm_tek *tek = slot->tek;

	return (struct gdoi_tek){
		.state = slot->state,
		.sat = &tek->sat,
		.key = gk_buf_slice(&tek->key),
		.integrity = gk_buf_slice(&tek->integrity),
		.source_auth = gk_buf_slice(&tek->source_auth),
		.installed_utc = slot->installed_utc,
		.expires_utc = slot->kept ? 0 : slot->expires_utc,
		.may_send = slot->may_send,
		.no_sid = slot->no_sid,
		.worn = slot->worn,
		.kda = slot->kda,
		.sid_bits = tek->counter_mode ? keys->sid_bits : 0,
		.n_sids = tek->counter_mode ? keys->n_sids : 0,
		.sids = keys->sid,
	};
}
