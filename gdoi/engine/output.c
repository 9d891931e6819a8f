/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/output.h"

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
	struct gdoi_output *out = gk_queue_add(&q->items, sizeof(*out));

	if (out != NULL)
		out->kind = kind;
	return out;
}

static enum gk_err
own_sat(struct gk_queue *q, struct gdoi_tek *tek)
{
	struct gdoi_sat *sat;

	if (tek->sat == NULL)
		return GK_OK;
	sat = gk_queue_copy(q, tek->sat, sizeof(*sat));
	if (sat == NULL)
		return GK_ERR_NOMEM;
	tek->sat = sat;
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		GK_TRY(gk_queue_keep(q, &sat->iec.oid));
		return gk_queue_keep(q, &sat->iec.payload);
	}
	GK_TRY(gk_queue_keep(q, &sat->ipsec.ep.src.data));
	return gk_queue_keep(q, &sat->ipsec.ep.dst.data);
}

static enum gk_err
own_sids(struct gk_queue *q, struct gdoi_tek *tek)
{
	if (tek->n_sids == 0) {
		tek->sids = NULL;
		return GK_OK;
	}
	tek->sids =
		gk_queue_copy(q, tek->sids, tek->n_sids * sizeof(*tek->sids));
	return tek->sids != NULL ? GK_OK : GK_ERR_NOMEM;
}

static enum gk_err
own_all(struct gk_queue *q, struct gdoi_output *out)
{
	GK_TRY(gk_queue_keep(q, &out->group_id));
	GK_TRY(gk_queue_keep(q, &out->dgram));
	GK_TRY(gk_queue_keep(q, &out->peer));
	GK_TRY(gk_queue_keep(q, &out->words));
	GK_TRY(gk_queue_keep(q, &out->tek.key));
	GK_TRY(gk_queue_keep(q, &out->tek.integrity));
	GK_TRY(gk_queue_keep(q, &out->tek.source_auth));
	GK_TRY(own_sat(q, &out->tek));
	return own_sids(q, &out->tek);
}

enum gk_err
gdoi_outputs_own(struct gdoi_outputs *q)
{
	enum gk_err err = own_all(&q->items, gk_queue_last(&q->items));

	/* Half of it would still point to where the caller's octets were. */
	if (err != GK_OK)
		gk_queue_drop(&q->items);
	return err;
}

bool
gdoi_outputs_poll(struct gdoi_outputs *q, struct gdoi_output *out)
{
	const struct gdoi_output *first = gk_queue_poll(&q->items);

	if (first != NULL)
		*out = *first;
	return first != NULL;
}
