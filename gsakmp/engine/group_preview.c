/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "gsakmp/engine/group_state.h"

/*
 * RFC 4535 section 5.3.2.1: whom a new token does not admit any more is left out
 * by the rekey that announces it, so that everybody has to be judged before that
 * rekey.  Among a hundred thousand members this takes a third of a second, in
 * which nobody could join.  So most of it is done beforehand: records are copied
 * with the lock, and judged without it.  Whoever joins or changes meanwhile is
 * judged when the token comes into force, and so is whoever seems to have to go.
 */
#define PIECE 64

struct gsakmp_preview {
	struct gsakmp_policy *policy;
	size_t cursor;     /* of gk_group_each() */
	size_t n;          /* MemberIDs that there is room for */
	uint8_t *admitted; /* a bit for each of them */
	uint8_t *changed;  /* since the beginning */
};

struct piece {
	uint32_t id[PIECE];
	struct gsakmp_member_info info[PIECE];
	bool admitted[PIECE];
	size_t n;
};

static void
set(uint8_t *bits, uint32_t id)
{
	bits[id / 8] |= (uint8_t)(1u << id % 8);
}

static bool
is_set(const uint8_t *bits, uint32_t id)
{
	return (bits[id / 8] & 1u << id % 8) != 0;
}

static void
preview_free(struct gsakmp_preview *v)
{
	if (v == NULL)
		return;
	gsakmp_policy_unref(v->policy);
	free(v->admitted);
	free(v->changed);
	free(v);
}

static struct gsakmp_preview *
preview_new(const struct gk_group *data, struct gsakmp_policy *p)
{
	struct gsakmp_preview *v = calloc(1, sizeof(*v));
	const struct gk_member *m;
	size_t cursor = 0;

	if (v == NULL)
		return NULL;
	v->policy = gsakmp_policy_ref(p);
	while ((m = gk_group_each(data, &cursor)) != NULL)
		if (v->n <= m->id)
			v->n = (size_t)m->id + 1;
	v->admitted = calloc(v->n / 8 + 1, 1);
	v->changed = calloc(v->n / 8 + 1, 1);
	if (v->admitted != NULL && v->changed != NULL)
		return v;
	preview_free(v);
	return NULL;
}

enum gk_err
gsakmp_preview_begin(struct gsakmp_group *g, struct gsakmp_policy *p)
{
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&g->lock);
	if (g->phase == GSAKMP_GROUP_OPEN && g->preview == NULL) {
		g->preview = preview_new(g->data, p);
		err = g->preview != NULL ? GK_OK : GK_ERR_NOMEM;
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

void
gsakmp_preview_end(struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	pthread_mutex_lock(&g->lock);
	if (g->preview != NULL && g->preview->policy == p) {
		preview_free(g->preview);
		g->preview = NULL;
	}
	pthread_mutex_unlock(&g->lock);
}

void
gsakmp_preview_changed(struct gsakmp_group *g, const struct gk_member *m)
{
	if (g->preview != NULL && m->id < g->preview->n)
		set(g->preview->changed, m->id);
}

bool
gsakmp_preview_admits(const struct gsakmp_group *g,
                      const struct gsakmp_policy *p, const struct gk_member *m)
{
	const struct gsakmp_preview *v = g->preview;

	return v != NULL && v->policy == p && m->id < v->n &&
	       is_set(v->admitted, m->id) && !is_set(v->changed, m->id);
}

/* Whose record cannot be read has to be judged when it counts. */
static bool
copy_some(struct gsakmp_group *g, struct piece *p)
{
	const struct gk_member *m = NULL;

	pthread_mutex_lock(&g->lock);
	while (p->n < PIECE) {
		m = g->phase == GSAKMP_GROUP_OPEN
		            ? gk_group_each(g->data, &g->preview->cursor)
		            : NULL;
		if (m == NULL)
			break;
		p->id[p->n] = m->id;
		if (gsakmp_group_member_get(g, m, &p->info[p->n]) == GK_OK)
			p->n++;
		else
			gsakmp_member_info_free(&p->info[p->n]);
	}
	pthread_mutex_unlock(&g->lock);
	return m != NULL;
}

static void
judge_some(const struct gsakmp_policy *policy, struct piece *p)
{
	struct gk_slice slices[GSAKMP_MEMBER_CA_MAX];
	struct gk_identity id;
	struct gpt_party party;

	for (size_t i = 0; i < p->n; i++) {
		gsakmp_member_party(&p->info[i], &id, slices, &party);
		p->admitted[i] = gpt_access_member(policy->reg, &party, NULL);
		gsakmp_member_info_free(&p->info[i]);
	}
}

enum gk_err
gsakmp_preview_piece(struct gsakmp_group *g, bool *more)
{
	struct piece *p = calloc(1, sizeof(*p));

	*more = false;
	if (p == NULL)
		return GK_ERR_NOMEM;
	*more = copy_some(g, p);
	judge_some(g->preview->policy, p);
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < p->n; i++)
		if (p->admitted[i] && p->id[i] < g->preview->n)
			set(g->preview->admitted, p->id[i]);
	pthread_mutex_unlock(&g->lock);
	free(p);
	return GK_OK;
}

void
gsakmp_preview_all(struct gsakmp_group *g, struct gsakmp_policy *p)
{
	bool more = gsakmp_preview_begin(g, p) == GK_OK;

	while (more && gsakmp_preview_piece(g, &more) == GK_OK)
		continue;
}
