/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/output.h"

#include <string.h>

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

/* An output has room for whatever there is to be said.  News of a peer are a few
 * octets, and a large rekey has a hundred thousand: these have a form of their
 * own, with what they point to behind it. */
struct item {
	size_t brief; /* first in either */
	struct gsakmp_output out;
};

struct brief {
	size_t brief;
	enum gsakmp_output_kind kind;
	bool after_commit;
	uint32_t member_id;
	size_t group_len, peer_len;
	uint8_t octets[];
};

struct gsakmp_output *
gsakmp_outputs_add(struct gsakmp_outputs *q, enum gsakmp_output_kind kind)
{
	struct item *item = gk_queue_add(&q->items, sizeof(*item));

	if (item == NULL)
		return NULL;
	item->out.kind = kind;
	item->out.after_commit = q->committed;
	q->committed |= kind == GSAKMP_OUT_COMMIT;
	return &item->out;
}

enum gk_err
gsakmp_outputs_add_peer(struct gsakmp_outputs *q, enum gsakmp_output_kind kind,
                        struct gk_slice group_id, struct gk_slice peer,
                        uint32_t id)
{
	struct brief *b;

	if (group_id.len > SIZE_MAX / 4 || peer.len > SIZE_MAX / 4)
		return GK_ERR_NOMEM;
	b = gk_queue_add(&q->items, sizeof(*b) + group_id.len + peer.len);
	if (b == NULL)
		return GK_ERR_NOMEM;
	b->brief = 1;
	b->kind = kind;
	b->after_commit = q->committed;
	b->member_id = id;
	b->group_len = group_id.len;
	b->peer_len = peer.len;
	if (group_id.len != 0)
		memcpy(b->octets, group_id.ptr, group_id.len);
	if (peer.len != 0)
		memcpy(b->octets + group_id.len, peer.ptr, peer.len);
	return GK_OK;
}

static struct gsakmp_output *
last(const struct gsakmp_outputs *q)
{
	return &((struct item *)gk_queue_last(&q->items))->out;
}

static bool
give(const void *first, struct gsakmp_output *out)
{
	const struct brief *b = first;

	if (first == NULL)
		return false;
	if (b->brief == 0) {
		*out = ((const struct item *)first)->out;
		return true;
	}
	*out = (struct gsakmp_output){ .kind = b->kind,
		                       .after_commit = b->after_commit,
		                       .member_id = b->member_id };
	if (b->group_len != 0)
		out->group_id = (struct gk_slice){ b->octets, b->group_len };
	if (b->peer_len != 0)
		out->peer = (struct gk_slice){ b->octets + b->group_len,
			                       b->peer_len };
	return true;
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
	enum gk_err err = own_all(&q->items, last(q));

	/* Half of it would still point to where the caller's octets were. */
	if (err != GK_OK)
		gk_queue_drop(&q->items);
	return err;
}

enum gk_err
gsakmp_outputs_own_dgram(struct gsakmp_outputs *q, struct gk_buf *dgram)
{
	struct gsakmp_output *out = last(q);
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

bool
gsakmp_outputs_first(const struct gsakmp_outputs *q, struct gsakmp_output *out)
{
	return give(gk_queue_first(&q->items), out);
}

bool
gsakmp_outputs_poll(struct gsakmp_outputs *q, struct gsakmp_output *out)
{
	return give(gk_queue_poll(&q->items), out);
}
