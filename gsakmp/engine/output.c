/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/output.h"

#include <stdlib.h>

/* The slices of an output that the queue owns once they are copied. */
enum {
	OWN_GROUP,
	OWN_DGRAM,
	OWN_KEY,
	OWN_PEER,
	OWN_TOKEN,
	OWN_PLACE,
	OWN_URL,
	OWN_HASH,
	OWN_N
};

struct gsakmp_output_item {
	struct gsakmp_output_item *next;
	struct gsakmp_output out;
	struct gk_buf own[OWN_N];
};

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
	struct gsakmp_output_item *item = calloc(1, sizeof(*item));

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
own(struct gsakmp_output_item *item, int which, struct gk_slice *s)
{
	GK_TRY(gk_buf_copy(&item->own[which], *s));
	*s = gk_buf_slice(&item->own[which]);
	return GK_OK;
}

static enum gk_err
own_all(struct gsakmp_output_item *item)
{
	GK_TRY(own(item, OWN_GROUP, &item->out.group_id));
	GK_TRY(own(item, OWN_DGRAM, &item->out.dgram));
	GK_TRY(own(item, OWN_KEY, &item->out.key.octets));
	GK_TRY(own(item, OWN_PEER, &item->out.peer));
	GK_TRY(own(item, OWN_PLACE, &item->out.place));
	GK_TRY(own(item, OWN_TOKEN, &item->out.token));
	GK_TRY(own(item, OWN_URL, &item->out.url));
	return own(item, OWN_HASH, &item->out.hash);
}

static void
item_free(struct gsakmp_output_item *item)
{
	if (item == NULL)
		return;
	for (int i = 0; i < OWN_N; i++)
		gk_buf_free(&item->own[i]);
	free(item);
}

static void
drop_last(struct gsakmp_outputs *q)
{
	struct gsakmp_output_item *before = q->head;

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
gsakmp_outputs_cut(struct gsakmp_outputs *q,
                   const struct gsakmp_output_item *mark)
{
	while (q->tail != NULL && q->tail != mark)
		drop_last(q);
}

enum gk_err
gsakmp_outputs_own(struct gsakmp_outputs *q)
{
	enum gk_err err = own_all(q->tail);

	/* Half of it would still point to where the caller's octets were. */
	if (err != GK_OK)
		drop_last(q);
	return err;
}

bool
gsakmp_outputs_poll(struct gsakmp_outputs *q, struct gsakmp_output *out)
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
gsakmp_outputs_free(struct gsakmp_outputs *q)
{
	struct gsakmp_output out;

	while (gsakmp_outputs_poll(q, &out))
		continue;
}
