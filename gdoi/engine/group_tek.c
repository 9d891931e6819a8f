/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "gdoi/engine/group_state.h"
#include "gdoi/engine/secret.h"
#include "gdoi/message/sig_key.h"

/*
 * Data-Security SAs: RFC 6407 sections 5.4.1, 5.5, 5.6.1; RFC 5374 section 4.2.1;
 * RFC 8052 section 2.2.
 */
#define SAT_MAX 70000 /* an OID-Specific Payload has up to 65535 octets */
#define LAPSED_S 5    /* that a TEK which is over can still be deleted */
#define LAPSED_MAX 8  /* of an SA of IEC 61850, which members keep: for ever */

static const struct gdoi_dialect plain;

/* ---- SPIs ---------------------------------------------------------------- */

/*
 * RFC8052-2.2.5-02: an SPI is not given again while it is in use; here never
 * within a group: handles do not repeat, and this is a permutation of them
 * (Luby and Rackoff) under a key of the group's own.
 */
static enum gk_err
permute(const struct gdoi_group *g, uint32_t n, uint32_t *out)
{
	uint16_t left = (uint16_t)(n >> 16), right = (uint16_t)n;
	const struct gk_slice key = { g->spi_key, sizeof(g->spi_key) };
	uint8_t mac[GK_HASH_MAX];

	for (uint8_t round = 0; round < 4; round++) {
		const uint8_t in[] = { round, (uint8_t)(right >> 8),
			               (uint8_t)right };
		const struct gk_slice part = { in, sizeof(in) };
		uint16_t next;

		GK_TRY(gk_hmac(GK_HASH_SHA256, key, &part, 1, mac));
		next = (uint16_t)(left ^ (mac[0] << 8 | mac[1]));
		left = right;
		right = next;
	}
	*out = (uint32_t)left << 16 | right;
	return GK_OK;
}

/* RFC 4303 section 2.1: 0 to 255 are reserved. */
static enum gk_err
spi_next(struct gdoi_group *g, struct gdoi_data_sa *tek, struct gdoi_sat *sat)
{
	uint32_t spi;

	do {
		GK_TRY(gk_group_handle_next(g->data, &tek->handle));
		GK_TRY(permute(g, tek->handle, &spi));
	} while (spi < 256);
	for (int i = 0; i < GDOI_TEK_SPI_LEN; i++)
		sat->spi[i] = (uint8_t)(spi >> (24 - 8 * i));
	return GK_OK;
}

/* ---- making -------------------------------------------------------------- */

static enum gk_err
sat_keep(struct gdoi_data_sa *tek, const struct gdoi_sat *sat)
{
	struct isakmp_reject why;
	struct gk_buf room = { 0 };
	struct gk_rd rd;
	struct gk_wr wr;
	enum gk_err err;

	GK_TRY(gk_buf_alloc(&room, SAT_MAX));
	gk_wr_init(&wr, room.ptr, room.len);
	gdoi_sat_encode(&wr, &plain, sat);
	err = gk_wr_done(&wr);
	if (err == GK_OK)
		err = gk_buf_copy(&tek->body,
		                  (struct gk_slice){ room.ptr, wr.len });
	gk_buf_free(&room);
	GK_TRY(err);
	gk_rd_init(&rd, tek->body.ptr, tek->body.len);
	return gdoi_sat_read(&rd, &plain, &tek->sat, &why);
}

static enum gk_err
tek_fill(struct gdoi_group *g, struct gdoi_data_sa *tek)
{
	struct gdoi_sat sat = g->policy->data[tek->data].sat;
	const struct gk_env *env = g->env;
	struct gdoi_kd_packet packet;
	struct isakmp_reject why;

	GK_TRY(spi_next(g, tek, &sat));
	GK_TRY(sat_keep(tek, &sat));
	GK_TRY(gdoi_sat_keys(&g->dialect, &tek->sat, &tek->keys, &why));
	if (tek->keys.algorithm > sizeof(tek->key) ||
	    tek->keys.integrity > sizeof(tek->integrity))
		return GK_ERR_SPACE;
	/* RFC6407-3.5-04: a key of its own for each Data-Security SA. */
	GK_TRY(env->random(env->ctx, tek->key, tek->keys.algorithm));
	GK_TRY(env->random(env->ctx, tek->integrity, tek->keys.integrity));
	if (tek->keys.source_auth)
		GK_TRY(gdoi_source_key_write(
			&g->dialect, g->policy->data[tek->data].source_key,
			&tek->source_auth));
	gdoi_tek_packet(tek, &packet);
	gdoi_secret_tek(env, gk_buf_slice(&g->id), &tek->sat, &packet);
	return GK_OK;
}

enum gk_err
gdoi_tek_spare(struct gdoi_group *g, uint16_t data, struct gk_now now,
               struct gdoi_data_sa **out)
{
	struct gdoi_data_sa **at = &g->teks, *tek;
	enum gk_err err;

	for (; *at != NULL; at = &(*at)->next)
		if ((*at)->spare && (*at)->data == data) {
			*out = *at;
			return GK_OK;
		}
	tek = calloc(1, sizeof(*tek));
	if (tek == NULL)
		return GK_ERR_NOMEM;
	tek->data = data;
	tek->spare = true;
	tek->state = GDOI_TEK_NEXT;
	tek->shown = -1;
	tek->created = now.utc_s;
	err = tek_fill(g, tek);
	if (err != GK_OK) {
		gdoi_tek_free(tek);
		return err;
	}
	*at = tek;
	*out = tek;
	return GK_OK;
}

void
gdoi_tek_free(struct gdoi_data_sa *tek)
{
	if (tek == NULL)
		return;
	gk_buf_free(&tek->body);
	gk_buf_free(&tek->source_auth);
	gk_wipe(tek, sizeof(*tek));
	free(tek);
}

void
gdoi_tek_remove(struct gdoi_group *g, struct gdoi_data_sa *tek)
{
	struct gdoi_data_sa **at = &g->teks;

	while (*at != tek)
		at = &(*at)->next;
	*at = tek->next;
	gdoi_tek_free(tek);
}

void
gdoi_teks_forget(struct gdoi_group *g)
{
	struct gdoi_data_sa *t;

	while (g->teks != NULL)
		gdoi_tek_remove(g, g->teks);
	while ((t = g->lapsed) != NULL) {
		g->lapsed = t->next;
		gdoi_tek_free(t);
	}
}

/* ---- what is sent -------------------------------------------------------- */

bool
gdoi_tek_live(const struct gdoi_data_sa *tek)
{
	return !tek->spare && !tek->deleted;
}

/* RFC6407-3.5-02, switch sid_for_iec61850. */
bool
gdoi_tek_counts(const struct gdoi_group *g, const struct gdoi_data_sa *tek)
{
	return tek->keys.counter_mode &&
	       (tek->sat.protocol != GDOI_PROTOCOL_IEC_61850 ||
	        g->dialect.sid_for_iec61850 == GDOI_SID_FOR_IEC61850_INCLUDE);
}

bool
gdoi_data_prefetch(const struct gdoi_group *g, uint16_t data)
{
	const struct gdoi_sat *sat = &g->policy->data[data].sat;

	return sat->protocol == GDOI_PROTOCOL_IEC_61850 && sat->iec.has_atd &&
	       sat->iec.lifetime != 0;
}

static uint32_t
seconds_to(int64_t utc, struct gk_now now)
{
	return utc <= now.utc_s ? 0 : (uint32_t)(utc - now.utc_s);
}

static uint32_t
lifetime_left(const struct gdoi_data_sa *tek, struct gk_now now)
{
	if (tek->expires == 0)
		return 0;
	/* 0 would mean: no end. */
	return tek->expires <= now.utc_s ? 1 : seconds_to(tek->expires, now);
}

/* RFC8052-2.2.4.2-01: a number between 0 and 100. */
uint16_t
gdoi_tek_kda(const struct gdoi_group *g, const struct gdoi_data_sa *tek)
{
	size_t n = gk_group_count(g->data);

	if (n == 0 || tek->sat.protocol != GDOI_PROTOCOL_IEC_61850)
		return 0;
	return (uint16_t)(tek->holders >= n ? 100 : tek->holders * 100U / n);
}

void
gdoi_tek_sat(const struct gdoi_group *g, const struct gdoi_data_sa *tek,
             struct gk_now now, struct gdoi_sat *sat)
{
	*sat = tek->sat;
	if (sat->protocol != GDOI_PROTOCOL_IEC_61850) {
		sat->ipsec.life_s = lifetime_left(tek, now);
		return;
	}
	/* RFC8052-2.2-06, -2.2.4.1-01 */
	sat->iec.lifetime = lifetime_left(tek, now);
	sat->iec.has_atd = tek->state == GDOI_TEK_NEXT;
	sat->iec.atd = sat->iec.has_atd ? seconds_to(tek->active_utc, now) : 0;
	if (sat->iec.has_kda)
		sat->iec.kda = gdoi_tek_kda(g, tek);
}

void
gdoi_tek_packet(const struct gdoi_data_sa *tek, struct gdoi_kd_packet *packet)
{
	*packet = (struct gdoi_kd_packet){
		.type = GDOI_KD_TEK,
		.spi = { tek->sat.spi, GDOI_TEK_SPI_LEN },
		.algorithm_key = { tek->key, tek->keys.algorithm },
		.integrity_key = { tek->integrity, tek->keys.integrity },
		.source_auth_key = gk_buf_slice(&tek->source_auth),
	};
}

/* ---- the course of their lives ------------------------------------------- */

static bool
may_send(const struct gdoi_data_sa *tek)
{
	/* A key server has no sender id of its own. */
	if (tek->keys.counter_mode || tek->state != GDOI_TEK_CURRENT)
		return false;
	return tek->sat.protocol == GDOI_PROTOCOL_IEC_61850 ||
	       tek->sat.ipsec.direction == 0 ||
	       tek->sat.ipsec.direction == GDOI_DIRECTION_SYMMETRIC;
}

static enum gk_err
tek_out(struct gdoi_group *g, const struct gdoi_data_sa *tek, bool wipe)
{
	struct gdoi_output *out = gdoi_outputs_add(
		&g->out, wipe ? GDOI_OUT_TEK_WIPE : GDOI_OUT_TEK);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gk_buf_slice(&g->id);
	out->tek = (struct gdoi_tek){
		.state = tek->state,
		.sat = &tek->sat,
		.installed_utc = tek->created,
		.expires_utc = tek->expires,
		.kda = gdoi_tek_kda(g, tek),
	};
	if (!wipe) {
		struct gdoi_kd_packet p;

		gdoi_tek_packet(tek, &p);
		out->tek.may_send = may_send(tek);
		out->tek.key = p.algorithm_key;
		out->tek.integrity = p.integrity_key;
		out->tek.source_auth = p.source_auth_key;
	}
	return gdoi_outputs_own(&g->out);
}

enum gk_err
gdoi_teks_show(struct gdoi_group *g)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		if (t->spare || t->shown == (int)t->state)
			continue;
		GK_TRY(tek_out(g, t, false));
		t->shown = (int)t->state;
	}
	return GK_OK;
}

static int64_t
end_of(const struct gdoi_data_sa *t)
{
	if (t->gone_utc != 0 && (t->expires == 0 || t->gone_utc < t->expires))
		return t->gone_utc;
	return t->expires;
}

/* Its turn has come: what was there before only receives. */
static enum gk_err
activate(struct gdoi_group *g, struct gdoi_data_sa *tek)
{
	for (struct gdoi_data_sa *t = g->teks; t != tek; t = t->next)
		if (t->data == tek->data && !t->spare &&
		    t->state != GDOI_TEK_OLD) {
			t->state = GDOI_TEK_OLD;
			GK_TRY(gdoi_tek_save(g, t));
		}
	tek->state = GDOI_TEK_CURRENT;
	tek->active_utc = 0;
	return gdoi_tek_save(g, tek);
}

/* RFC 8052 section 2.2: who has not heard of another key goes on with the one
 * that is over. */
static bool
is_kept(const struct gdoi_data_sa *tek)
{
	return tek->sat.protocol == GDOI_PROTOCOL_IEC_61850;
}

/*
 * Members count whole seconds from when they were told, so for them it ends up to a
 * second and a datagram's way later than for us, and what they keep beyond its end
 * ends with its successor; who is evicted meanwhile must not read on until that.
 */
static enum gk_err
lapse(struct gdoi_group *g, struct gdoi_data_sa *tek)
{
	struct gdoi_data_sa **at = &g->teks;

	while (*at != tek)
		at = &(*at)->next;
	*at = tek->next;
	gk_wipe(tek->key, sizeof(tek->key));
	gk_wipe(tek->integrity, sizeof(tek->integrity));
	gk_buf_free(&tek->source_auth);
	tek->next = g->lapsed;
	g->lapsed = tek;
	tek->over = true;
	return is_kept(tek) ? gdoi_tek_save(g, tek) : GK_OK;
}

/* How many have been in the place of @tek since. */
static unsigned
successors(const struct gdoi_group *g, const struct gdoi_data_sa *tek)
{
	unsigned n = 0;

	for (const struct gdoi_data_sa *t = g->lapsed; t != tek; t = t->next)
		n += is_kept(t) && t->data == tek->data;
	return n;
}

static enum gk_err
forget_lapsed(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_data_sa **at = &g->lapsed, *t;

	while ((t = *at) != NULL) {
		if (!t->deleted &&
		    (is_kept(t) ? successors(g, t) < LAPSED_MAX
		                : now.utc_s - t->expires < LAPSED_S)) {
			at = &t->next;
			continue;
		}
		if (is_kept(t))
			GK_TRY(gdoi_row_delete(g, GDOI_TABLE_TEK, t->handle));
		*at = t->next;
		gdoi_tek_free(t);
	}
	return GK_OK;
}

static enum gk_err
wipe(struct gdoi_group *g, struct gdoi_data_sa *tek)
{
	if (tek->shown >= 0)
		GK_TRY(tek_out(g, tek, true));
	GK_TRY(gdoi_row_delete(g, GDOI_TABLE_TEK, tek->handle));
	g->moved++;
	if (!tek->deleted && tek->announced)
		return lapse(g, tek);
	gdoi_tek_remove(g, tek);
	return GK_OK;
}

static bool
is_due(const struct gdoi_data_sa *t, struct gk_now now)
{
	return !t->spare && t->active_utc != 0 && t->active_utc <= now.utc_s &&
	       (t->state == GDOI_TEK_RECEIVE || t->state == GDOI_TEK_NEXT);
}

enum gk_err
gdoi_teks_settle(struct gdoi_group *g, struct gk_now now)
{
	struct gdoi_data_sa *next;

	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (is_due(t, now))
			GK_TRY(activate(g, t));
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = next) {
		next = t->next;
		if (!t->spare && end_of(t) != 0 && end_of(t) <= now.utc_s)
			GK_TRY(wipe(g, t));
	}
	GK_TRY(forget_lapsed(g, now));
	return gdoi_teks_show(g);
}

uint64_t
gdoi_teks_deadline(const struct gdoi_group *g)
{
	int64_t soonest = INT64_MAX;

	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		int64_t end = end_of(t);

		if (t->spare)
			continue;
		if (t->shown != (int)t->state)
			return 0;
		if (t->active_utc != 0 && t->state != GDOI_TEK_CURRENT &&
		    t->state != GDOI_TEK_OLD && t->active_utc < soonest)
			soonest = t->active_utc;
		if (end != 0 && end < soonest)
			soonest = end;
	}
	if (soonest == INT64_MAX)
		return GK_NEVER;
	if (soonest <= g->now.utc_s)
		return g->now.mono_ms;
	return g->now.mono_ms + (uint64_t)(soonest - g->now.utc_s) * 1000;
}
