/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/output.h"

#include <stdlib.h>
#include <string.h>

/* The slices of an output that the queue owns once they are copied. */
enum {
	OWN_GROUP,
	OWN_DGRAM,
	OWN_PEER,
	OWN_KEY,
	OWN_INTEGRITY,
	OWN_SOURCE_AUTH,
	OWN_SAT_1, /* source, or OID */
	OWN_SAT_2, /* destination, or OID-Specific Payload */
	OWN_N
};

struct gdoi_output_item {
	struct gdoi_output_item *next;
	struct gdoi_output out;
	struct gk_buf own[OWN_N];
	struct gdoi_sat sat;
	uint32_t *sids;
};

const char *
gdoi_output_text(enum gdoi_output_kind kind)
{
	static const char *const text[] = {
#define X(name, words) words,
		GDOI_OUTPUT_LIST(X)
#undef X
	};

	if ((size_t)kind >= GK_COUNT(text))
		return "unknown";
	return text[kind];
}

const char *
gdoi_tek_state_text(enum gdoi_tek_state state)
{
	static const char *const text[] = {
		[GDOI_TEK_NEXT] = "next",
		[GDOI_TEK_RECEIVE] = "receive",
		[GDOI_TEK_CURRENT] = "current",
		[GDOI_TEK_OLD] = "old",
	};

	if ((size_t)state >= GK_COUNT(text))
		return "unknown";
	return text[state];
}

struct gdoi_output *
gdoi_outputs_add(struct gdoi_outputs *q, enum gdoi_output_kind kind)
{
	struct gdoi_output_item *item = calloc(1, sizeof(*item));

	if (item == NULL)
		return NULL;
	item->out.kind = kind;
	item->out.edition = -1;
	if (q->tail == NULL)
		q->head = item;
	else
		q->tail->next = item;
	q->tail = item;
	return &item->out;
}

static enum gk_err
own(struct gdoi_output_item *item, int which, struct gk_slice *s)
{
	GK_TRY(gk_buf_copy(&item->own[which], *s));
	*s = gk_buf_slice(&item->own[which]);
	return GK_OK;
}

static enum gk_err
own_sat(struct gdoi_output_item *item)
{
	struct gdoi_sat *sat = &item->sat;

	if (item->out.tek.sat == NULL)
		return GK_OK;
	*sat = *item->out.tek.sat;
	item->out.tek.sat = sat;
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		GK_TRY(own(item, OWN_SAT_1, &sat->iec.oid));
		return own(item, OWN_SAT_2, &sat->iec.payload);
	}
	GK_TRY(own(item, OWN_SAT_1, &sat->ipsec.ep.src.data));
	return own(item, OWN_SAT_2, &sat->ipsec.ep.dst.data);
}

static enum gk_err
own_sids(struct gdoi_output_item *item)
{
	struct gdoi_tek *tek = &item->out.tek;

	if (tek->n_sids == 0) {
		tek->sids = NULL;
		return GK_OK;
	}
	item->sids = calloc(tek->n_sids, sizeof(*item->sids));
	if (item->sids == NULL)
		return GK_ERR_NOMEM;
	memcpy(item->sids, tek->sids, tek->n_sids * sizeof(*item->sids));
	tek->sids = item->sids;
	return GK_OK;
}

static enum gk_err
own_all(struct gdoi_output_item *item)
{
	struct gdoi_output *out = &item->out;

	GK_TRY(own(item, OWN_GROUP, &out->group_id));
	GK_TRY(own(item, OWN_DGRAM, &out->dgram));
	GK_TRY(own(item, OWN_PEER, &out->peer));
	GK_TRY(own(item, OWN_KEY, &out->tek.key));
	GK_TRY(own(item, OWN_INTEGRITY, &out->tek.integrity));
	GK_TRY(own(item, OWN_SOURCE_AUTH, &out->tek.source_auth));
	GK_TRY(own_sat(item));
	return own_sids(item);
}

static void
item_free(struct gdoi_output_item *item)
{
	if (item == NULL)
		return;
	for (int i = 0; i < OWN_N; i++)
		gk_buf_free(&item->own[i]);
	free(item->sids);
	free(item);
}

static void
drop_last(struct gdoi_outputs *q)
{
	struct gdoi_output_item *before = q->head;

	if (q->head == q->tail) {
		item_free(q->head);
		q->head = q->tail = NULL;
		return;
	}
	while (before->next != q->tail)
		before = before->next;
	item_free(q->tail);
	before->next = NULL;
	q->tail = before;
}

void
gdoi_outputs_cut(struct gdoi_outputs *q, const struct gdoi_output_item *mark)
{
	while (q->tail != NULL && q->tail != mark)
		drop_last(q);
}

enum gk_err
gdoi_outputs_own(struct gdoi_outputs *q)
{
	enum gk_err err = own_all(q->tail);

	/* Half of it would still point to where the caller's octets were. */
	if (err != GK_OK)
		drop_last(q);
	return err;
}

bool
gdoi_outputs_poll(struct gdoi_outputs *q, struct gdoi_output *out)
{
	item_free(q->current);
	q->current = q->head;
	if (q->current == NULL)
		return false;
	q->head = q->current->next;
	if (q->head == NULL)
		q->tail = NULL;
	*out = q->current->out;
	return true;
}

void
gdoi_outputs_free(struct gdoi_outputs *q)
{
	struct gdoi_output out;

	while (gdoi_outputs_poll(q, &out))
		continue;
}
