/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/output.h"

const char *
gsakmp_output_text(enum gsakmp_output_kind kind)
{
	static const char *const text[] = {
#define X(name, words) words,
		GSAKMP_OUTPUT_LIST(X)
#undef X
	};

	if ((size_t)kind >= GK_COUNT(text))
		return "unknown";
	return text[kind];
}

struct gsakmp_output *
gsakmp_outputs_add(struct gsakmp_outputs *q, enum gsakmp_output_kind kind)
{
	struct gsakmp_output *out = gk_queue_add(&q->items, sizeof(*out));

	if (out == NULL)
		return NULL;
	out->kind = kind;
	out->after_commit = q->committed;
	q->committed |= kind == GSAKMP_OUT_COMMIT;
	return out;
}

void
gsakmp_outputs_begin(struct gsakmp_outputs *q)
{
	q->committed = false;
}

bool
gsakmp_output_waits(const struct gsakmp_output *out)
{
	switch (out->kind) {
	case GSAKMP_OUT_SEND:
	case GSAKMP_OUT_MULTICAST:
	case GSAKMP_OUT_POST:
	case GSAKMP_OUT_REKEYED:
	case GSAKMP_OUT_DESTROYED:
	case GSAKMP_OUT_PUSHED:
	case GSAKMP_OUT_MEMBER_PENDING:
		return out->after_commit;
	case GSAKMP_OUT_MESSAGE:
		return out->after_commit && !out->incoming;
	default:
		return false;
	}
}

static enum gk_err
own_all(struct gk_queue *q, struct gsakmp_output *out)
{
	GK_TRY(gk_queue_keep(q, &out->group_id));
	GK_TRY(gk_queue_keep(q, &out->dgram));
	GK_TRY(gk_queue_keep(q, &out->key.octets));
	GK_TRY(gk_queue_keep(q, &out->peer));
	GK_TRY(gk_queue_keep(q, &out->place));
	GK_TRY(gk_queue_keep(q, &out->token));
	GK_TRY(gk_queue_keep(q, &out->url));
	return gk_queue_keep(q, &out->hash);
}

enum gk_err
gsakmp_outputs_own(struct gsakmp_outputs *q)
{
	enum gk_err err = own_all(&q->items, gk_queue_last(&q->items));

	/* Half of it would still point to where the caller's octets were. */
	if (err != GK_OK)
		gk_queue_drop(&q->items);
	return err;
}

enum gk_err
gsakmp_outputs_own_dgram(struct gsakmp_outputs *q, struct gk_buf *dgram)
{
	struct gsakmp_output *out = gk_queue_last(&q->items);
	struct gk_slice s = { 0 };
	enum gk_err err;

	out->dgram = s;
	err = own_all(&q->items, out);
	if (err == GK_OK)
		err = gk_queue_give(&q->items, dgram, &out->dgram);
	if (err != GK_OK)
		gk_queue_drop(&q->items);
	return err;
}

const struct gsakmp_output *
gsakmp_outputs_first(const struct gsakmp_outputs *q)
{
	return gk_queue_first(&q->items);
}

bool
gsakmp_outputs_poll(struct gsakmp_outputs *q, struct gsakmp_output *out)
{
	const struct gsakmp_output *first = gk_queue_poll(&q->items);

	if (first != NULL)
		*out = *first;
	return first != NULL;
}
