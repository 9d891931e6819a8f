/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_sum.h"
#include "gdoi/engine/group_state.h"

/*
 * What people want to see, and what tests compare.
 */
static size_t
count_teks(const struct gdoi_group *g)
{
	size_t n = 0;

	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		n += !t->spare;
	return n;
}

static int64_t
next_rekey(const struct gdoi_group *g)
{
	if (g->tek_due_utc == 0 ||
	    (g->kek_due_utc != 0 && g->kek_due_utc < g->tek_due_utc))
		return g->kek_due_utc;
	return g->tek_due_utc;
}

static void
fill_open(const struct gdoi_group *g, struct gdoi_group_status *out)
{
	const struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_CURRENT);

	out->edition = g->policy->edition;
	out->n_members = gk_group_count(g->data) -
	                 gk_group_count_state(g->data, GK_MEMBER_LEAVING);
	out->n_unresponsive = g->n_unresponsive;
	out->n_barred = gk_group_excluded_count(g->data);
	out->n_teks = count_teks(g);
	out->senders = (uint32_t)gk_group_senders(g->data);
	out->sender_last = g->shape.sender_last;
	out->capacity =
		g->shape.degree != 0 ? g->shape.capacity : g->cfg.members_max;
	if (out->capacity > g->cfg.members_max)
		out->capacity = g->cfg.members_max;
	if (g->policy->members_max != 0 &&
	    out->capacity > g->policy->members_max)
		out->capacity = g->policy->members_max;
	out->next_rekey_utc = next_rekey(g);
	if (gk_group_lkh(g->data) != NULL)
		gk_lkh_size(gk_group_lkh(g->data), &out->tree);
	out->has_kek = kek != NULL;
	if (kek != NULL)
		gdoi_kek_info(kek, &out->kek);
}

void
gdoi_group_status(struct gdoi_group *g, struct gdoi_group_status *out)
{
	pthread_mutex_lock(&g->lock);
	*out = (struct gdoi_group_status){
		.open = g->phase == GDOI_GROUP_OPEN,
		.destroyed = g->phase == GDOI_GROUP_DESTROYED,
		.lapsed = g->policy != NULL && g->policy->lapsed,
		.edition = -1,
		.pushes = g->n_pushes,
		.acks = g->n_acks,
		.refused_acks = g->n_refused_acks,
		.last_rekey_utc = g->last_rekey_utc,
	};
	if (out->open)
		fill_open(g, out);
	pthread_mutex_unlock(&g->lock);
}

static void
show(const struct gdoi_group *g, const struct gk_member *m,
     void (*each)(void *ctx, const struct gdoi_group_row *row), void *ctx)
{
	const struct gdoi_member *info = gdoi_member_of(g, m->id);
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	struct gdoi_group_row row = { .member_id = m->id,
		                      .state = "member",
		                      .joined_utc = m->joined,
		                      .seen_utc = m->seen };
	char *peer = strndup((const char *)m->identity.ptr, m->identity.len);
	size_t n;

	row.peer = peer;
	if (info != NULL) {
		row.acked = info->acked_seq;
		row.missed = info->missed;
		row.address = info->address;
		if (info->unresponsive)
			row.state = "unresponsive";
	}
	if (gk_group_path(g->data, m, path, &n) == GK_OK && n != 0)
		row.lkh_id = (uint16_t)path[0].id;
	gk_wipe(path, sizeof(path));
	if (peer != NULL)
		each(ctx, &row);
	free(peer);
}

void
gdoi_group_members(struct gdoi_group *g,
                   void (*each)(void *ctx, const struct gdoi_group_row *row),
                   void *ctx)
{
	const struct gk_member *m;
	size_t cursor = 0;

	pthread_mutex_lock(&g->lock);
	while (g->data != NULL && (m = gk_group_each(g->data, &cursor)) != NULL)
		if (m->state != GK_MEMBER_LEAVING)
			show(g, m, each, ctx);
	pthread_mutex_unlock(&g->lock);
}

void
gdoi_group_barred(struct gdoi_group *g,
                  void (*each)(void *ctx, const char *peer), void *ctx)
{
	pthread_mutex_lock(&g->lock);
	if (g->data != NULL)
		gk_group_excluded_names(g->data, each, ctx);
	pthread_mutex_unlock(&g->lock);
}

void
gdoi_group_teks(struct gdoi_group *g,
                void (*each)(void *ctx, const struct gdoi_tek *tek), void *ctx)
{
	pthread_mutex_lock(&g->lock);
	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		const struct gdoi_tek tek = {
			.state = t->state,
			.sat = &t->sat,
			.installed_utc = t->created,
			.expires_utc = t->expires,
			.source_auth = gk_buf_slice(&t->source_auth),
			.kda = gdoi_tek_kda(g, t),
		};

		if (!t->spare)
			each(ctx, &tek);
	}
	pthread_mutex_unlock(&g->lock);
}

/* ---- digest -------------------------------------------------------------- */

static void
add_members(struct gk_sum *s, const struct gdoi_group *g)
{
	const struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		const struct gdoi_member *info = gdoi_member_of(g, m->id);

		gk_sum_u64(s, m->id);
		gk_sum_buf(s, &m->identity);
		if (info == NULL)
			continue;
		gk_sum_u64(s, info->acked);
		gk_sum_u64(s, info->heard);
		gk_sum_u64(s, info->missed);
	}
	gk_sum_u64(s, gk_group_epoch(g->data));
	gk_sum_u64(s, gk_group_open(g->data));
	gk_sum_u64(s, gk_group_senders(g->data));
	gk_sum_u64(s, gk_group_excluded_count(g->data));
}

static void
add_sas(struct gk_sum *s, const struct gdoi_group *g)
{
	for (const struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next) {
		if (k->state == GDOI_KEK_SPARE)
			continue;
		gk_sum_u64(s, k->state);
		gk_sum_u64(s, k->sequence);
		gk_sum_buf(s, &k->body);
		gk_sum_buf(s, &k->key);
	}
	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		if (t->spare)
			continue;
		gk_sum_u64(s, t->state);
		gk_sum_u64(s, t->deleted);
		gk_sum_u64(s, t->holders);
		gk_sum_buf(s, &t->body);
		gk_sum_add(s, t->key, sizeof(t->key));
		gk_sum_add(s, t->integrity, sizeof(t->integrity));
		gk_sum_buf(s, &t->source_auth);
	}
}

void
gdoi_group_digest(struct gdoi_group *g, uint8_t out[32])
{
	struct gk_sum s = { { 0 } };

	pthread_mutex_lock(&g->lock);
	gk_sum_u64(&s, g->phase);
	gk_sum_u64(&s, g->pushes);
	gk_sum_u64(&s, g->n_acks);
	gk_sum_u64(&s, g->window_ends);
	gk_sum_u64(&s, g->exhausted);
	gk_sum_u64(&s, g->start_over_from);
	add_sas(&s, g);
	for (const struct gdoi_event *e = g->first_event; e; e = e->next) {
		gk_sum_u64(&s, e->number);
		gk_sum_u64(&s, e->sequence);
	}
	if (g->data != NULL)
		add_members(&s, g);
	pthread_mutex_unlock(&g->lock);
	memcpy(out, s.d, 32);
	gk_wipe(&s, sizeof(s));
}
