/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"

/*
 * A PUSH may overtake the message that brings its Rekey SA: another PUSH, or
 * message 4 of a registration (RFC 6407 sections 3.2 and 4 have them in no order
 * on the wire).  Nothing of it can be known then, so it is refused; the last few
 * are kept for a moment all the same, and gone through when the Rekey SA is there.
 */
static bool
is_of(struct gk_slice dgram, const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	/* The cookie pair is what a datagram begins with. */
	return dgram.len >= GDOI_KEK_SPI_LEN &&
	       memcmp(dgram.ptr, spi, GDOI_KEK_SPI_LEN) == 0;
}

void
gm_early_free(struct gdoi_gm *gm)
{
	for (size_t i = 0; i < GM_EARLY_MAX; i++)
		gk_buf_free(&gm->early[i].held.dgram);
}

/* Under a Rekey SA that was announced to us without a key for it: all arrays have
 * been sent by now, and ours is lost or there is none. */
static void
hint(struct gm_group *group, const struct gm_input *in)
{
	const struct gm_keys *keys = group->keys;

	if (!keys->awaiting || !is_of(in->dgram, keys->awaited) ||
	    (group->path_hint != GK_NEVER &&
	     memcmp(group->hinted, keys->awaited, GDOI_KEK_SPI_LEN) == 0))
		return;
	memcpy(group->hinted, keys->awaited, GDOI_KEK_SPI_LEN);
	group->path_hint = in->now.mono_ms + GM_PATH_SOON_MS;
}

static bool
is_past(const struct gm_group *group, const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	for (size_t i = 0; i < GM_PAST_MAX; i++)
		if (memcmp(group->past[i], spi, GDOI_KEK_SPI_LEN) == 0)
			return true;
	return false;
}

static void
is_nothing_new(struct gm_group *group, const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	if (!is_past(group, spi))
		memcpy(group->past[group->n_past++ % GM_PAST_MAX], spi,
		       GDOI_KEK_SPI_LEN);
}

void
gm_early_had(struct gm_group *group, const struct gm_keys *keys)
{
	const struct gm_kek *before = group->keys->rekey.kek;
	const struct gm_kek *after = keys->rekey.kek;

	if (before == NULL || before == after)
		return;
	is_nothing_new(group, before->sak.spi);
	/* Not because of any other Rekey SA: where another group has its PUSHes
	 * come to the same place a suspicion is mostly wrong. */
	if (after != NULL &&
	    memcmp(after->sak.spi, group->strange, GDOI_KEK_SPI_LEN) == 0) {
		group->suspect_ms = 0;
		group->suspect_at = 0;
	}
}

/* Did it come to where our Rekey SA has us listen, or from who gave us that? */
static bool
is_for(const struct gm_group *group, const struct gm_input *in)
{
	const struct gk_slice dst = group->keys->rekey.kek->sak.ep.dst.data;

	if (gm_is_multicast(&in->to))
		return gk_slice_equal(
			dst, (struct gk_slice){ in->to.ip, in->to.ip_len });
	return gk_slice_is_zero(dst) &&
	       in->from.ip_len == group->registrar_at.ip_len &&
	       memcmp(in->from.ip, group->registrar_at.ip, in->from.ip_len) ==
	               0;
}

static bool
may_miss(const struct gm_group *group)
{
	return group->state == GDOI_GM_MEMBER &&
	       group->keys->rekey.kek != NULL && !group->keys->awaiting;
}

/* A PUSH that brings a Rekey SA may be lost as a whole; then all that is heard of it
 * are those under it. */
static void
wonder(struct gm_group *group, const struct gm_input *in)
{
	if (group->strange_by != GK_NEVER || !may_miss(group) ||
	    in->dgram.len < GDOI_KEK_SPI_LEN || !is_for(group, in) ||
	    is_past(group, in->dgram.ptr))
		return;
	memcpy(group->strange, in->dgram.ptr, GDOI_KEK_SPI_LEN);
	group->strange_by = in->now.mono_ms + GM_EARLY_MS;
}

/* Is, or was, it a Rekey SA of a group that we are in?  Several may have their PUSHes
 * come to the same place. */
static bool
is_ours(const struct gdoi_gm *gm, const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	for (size_t i = 0; i < gm->n_groups; i++) {
		const struct gm_kek *kek = gm->group[i].keys->rekey.kek;

		if (is_past(&gm->group[i], spi) ||
		    (kek != NULL &&
		     memcmp(kek->sak.spi, spi, GDOI_KEK_SPI_LEN) == 0))
			return true;
	}
	return false;
}

enum gk_err
gm_early_tick(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (group->strange_by > now.mono_ms)
		return GK_OK;
	group->strange_by = GK_NEVER;
	if (!may_miss(group) || is_ours(gm, group->strange))
		return GK_OK;
	GK_TRY(gm_suspect(gm, group, now));
	/* If it is not ours when the key server has been asked it never is. */
	if (group->suspicion_at != GK_NEVER)
		is_nothing_new(group, group->strange);
	return GK_OK;
}

uint64_t
gm_path_by(const struct gm_group *group)
{
	const struct gm_keys *keys = group->keys;

	if (keys->awaiting && group->path_hint < keys->path_by &&
	    memcmp(group->hinted, keys->awaited, GDOI_KEK_SPI_LEN) == 0)
		return group->path_hint;
	return keys->path_by;
}

static bool
expects_any(const struct gdoi_gm *gm)
{
	bool any = false;

	for (size_t i = 0; i < gm->n_groups; i++) {
		if (gm->group[i].running)
			return false;
		any = any || gm->group[i].state != GDOI_GM_IDLE;
	}
	return any;
}

enum gk_err
gm_early_keep(struct gm_input *in)
{
	struct gdoi_gm *gm = in->gm;
	struct gm_early *e = &gm->early[0];

	if (!expects_any(gm))
		return GK_OK;
	for (size_t i = 0; i < gm->n_groups; i++) {
		hint(&gm->group[i], in);
		wonder(&gm->group[i], in);
	}
	for (size_t i = 0; i < GM_EARLY_MAX; i++) {
		if (gk_slice_equal(gk_buf_slice(&gm->early[i].held.dgram),
		                   in->dgram))
			return GK_OK;
		if (gm->early[i].at < e->at)
			e = &gm->early[i];
	}
	gk_buf_free(&e->held.dgram);
	e->at = 0;
	GK_TRY(gk_buf_copy(&e->held.dgram, in->dgram));
	e->held.from = in->from;
	e->held.to = in->to;
	e->at = ++gm->n_early;
	e->until = in->now.mono_ms + GM_EARLY_MS;
	return GK_OK;
}

static struct gm_early *
oldest_of(struct gdoi_gm *gm, const uint8_t spi[GDOI_KEK_SPI_LEN])
{
	struct gm_early *found = NULL;

	for (size_t i = 0; i < GM_EARLY_MAX; i++) {
		struct gm_early *e = &gm->early[i];

		if (is_of(gk_buf_slice(&e->held.dgram), spi) &&
		    (found == NULL || e->at < found->at))
			found = e;
	}
	return found;
}

void
gm_early_take(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	const struct gm_kek *kek = group->keys->rekey.kek;
	struct gm_early *e;

	while (kek != NULL && group->n_held < GM_HELD_MAX &&
	       (e = oldest_of(gm, kek->sak.spi)) != NULL) {
		if (e->until >= now.mono_ms)
			group->held[group->n_held++] = e->held;
		else
			gk_buf_free(&e->held.dgram);
		*e = (struct gm_early){ 0 };
	}
}
