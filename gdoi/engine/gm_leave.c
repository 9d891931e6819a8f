/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"
#include "gdoi/isakmp/delete.h"

/*
 * Leaving a group.  The keys are gone at once; the key server is told with a
 * Delete under phase 1 (RFC 2408 section 5.15), for which an SA may have to come
 * first: RFC 6407 section 2 has no other way to say anything to it.
 */
static void
put_spi(struct gm_farewell *f, const uint8_t *spi)
{
	memcpy(&f->spis[(size_t)f->spi_size * f->count], spi, f->spi_size);
	f->count++;
}

/* Our Rekey SA, or our Data-Security SAs of one protocol. */
static void
prepare(struct gm_group *group)
{
	const struct gm_keys *keys = group->keys;
	struct gm_farewell *f = &group->farewell;

	gm_farewell_forget(group);
	f->protocol = GDOI_PROTOCOL_KEK;
	f->spi_size = GDOI_KEK_SPI_LEN;
	if (keys->rekey.kek != NULL) {
		put_spi(f, keys->rekey.kek->sak.spi);
		return;
	}
	if (keys->n == 0)
		return;
	f->protocol = keys->slot[0].tek->sat.protocol;
	f->spi_size = GDOI_TEK_SPI_LEN;
	for (size_t i = 0; i < keys->n; i++)
		if (keys->slot[i].tek->sat.protocol == f->protocol)
			put_spi(f, keys->slot[i].tek->sat.spi);
}

void
gm_farewell_forget(struct gm_group *group)
{
	struct gm_farewell *f = &group->farewell;

	f->count = 0;
	f->left = 0;
	f->again_at = GK_NEVER;
	gk_buf_free(&f->said);
}

static enum gk_err
tell(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_farewell *f = &group->farewell;
	const struct isakmp_delete d = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = f->protocol,
		.spi_size = f->spi_size,
		.count = f->count,
		.spis = { f->spis, (size_t)f->count * f->spi_size },
	};

	gm_farewell_forget(group);
	GK_TRY(ike_delete_other(gm->ike, &d, now));
	GK_TRY(gm_server_say(gm, &f->said, now));
	f->left = GM_FAREWELLS - 1;
	f->wait_ms = GM_FAREWELL_MS;
	f->again_at = now.mono_ms + f->wait_ms;
	return gm_tell(gm, group, GDOI_OUT_TOLD, NULL);
}

static enum gk_err
untold(struct gdoi_gm *gm, struct gm_group *group, const char *text)
{
	gm_farewell_forget(group);
	return gm_tell(gm, group, GDOI_OUT_UNTOLD, text);
}

static enum gk_err
again(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_farewell *f = &group->farewell;

	if (f->again_at > now.mono_ms)
		return GK_OK;
	if (gm->up && f->said.len != 0)
		GK_TRY(gm_server_send(gm, NULL, gk_buf_slice(&f->said)));
	f->wait_ms *= 2;
	f->again_at = now.mono_ms + f->wait_ms;
	if (--f->left == 0)
		gm_farewell_forget(group);
	return GK_OK;
}

enum gk_err
gm_farewells_tick(struct gdoi_gm *gm, struct gk_now now)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		GK_TRY(again(gm, &gm->group[i], now));
	return GK_OK;
}

uint64_t
gm_farewells_deadline(const struct gdoi_gm *gm)
{
	uint64_t at = GK_NEVER;

	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].farewell.again_at < at)
			at = gm->group[i].farewell.again_at;
	return at;
}

bool
gdoi_gm_parting(const struct gdoi_gm *gm)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].farewell.count != 0 ||
		    gm->group[i].farewell.left != 0)
			return true;
	return false;
}

enum gk_err
gm_farewells(struct gdoi_gm *gm, struct gk_now now)
{
	for (size_t i = 0; i < gm->n_groups && gm->up; i++) {
		struct gm_group *group = &gm->group[i];

		if (group->farewell.count == 0)
			continue;
		if (gm_server_serves(gm, group))
			GK_TRY(tell(gm, group, now));
		else
			GK_TRY(untold(gm, group,
			              "not a key server of this group"));
	}
	return GK_OK;
}

enum gk_err
gm_farewells_failed(struct gdoi_gm *gm, const char *text)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].farewell.count != 0)
			GK_TRY(untold(gm, &gm->group[i], text));
		else
			gm_farewell_forget(&gm->group[i]);
	return GK_OK;
}

static enum gk_err
forget(struct gdoi_gm *gm, struct gm_group *group)
{
	struct gm_keys *empty = gm_keys_new();
	enum gk_err err;

	if (empty == NULL)
		return GK_ERR_NOMEM;
	err = gm_report(gm, group, group->keys, empty);
	gm_replace(group, empty);
	return err;
}

/* With the SA that there is, or with one that is made for it. */
static enum gk_err
notice(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (group->farewell.count == 0)
		return GK_OK;
	if (gm->up)
		return gm_farewells(gm, now);
	if (gm->cfg.no_leave_phase1)
		return untold(gm, group, "there is no phase 1 SA");
	return gm_server_need(gm, now);
}

enum gk_err
gdoi_gm_leave(struct gdoi_gm *gm, size_t group, bool with_notice,
              struct gk_now now)
{
	struct gm_group *g;

	if (group >= gm->n_groups)
		return GK_ERR_VALUE;
	g = &gm->group[group];
	gm_begin(gm);
	if (g->state == GDOI_GM_IDLE)
		return GK_ERR_UNEXPECTED;
	if (with_notice)
		prepare(g);
	gm_pull_clear(g);
	gm_held_free(g);
	gm_acks_free(g);
	g->wanted = g->joined = false;
	g->register_at = g->suspicion_at = g->strange_by = GK_NEVER;
	g->state = GDOI_GM_IDLE;
	GK_TRY(forget(gm, g));
	GK_TRY(gm_tell(gm, g, GDOI_OUT_LEFT, "as commanded"));
	return notice(gm, g, now);
}
