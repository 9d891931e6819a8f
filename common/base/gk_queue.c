/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_queue.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One piece of memory: of an item the body, of a copy its octets, unless they
 * were given. */
struct copy {
	struct copy *next;
	size_t len;
	struct gk_buf given;
	max_align_t octets[];
};

struct gk_queue_item {
	struct gk_queue_item *next, *before;
	struct copy *copies;
	size_t size;
	max_align_t body[];
};

static void
item_free(struct gk_queue_item *item)
{
	struct copy *c;

	if (item == NULL)
		return;
	while ((c = item->copies) != NULL) {
		item->copies = c->next;
		gk_wipe(c->octets, c->len);
		gk_buf_free(&c->given);
		free(c);
	}
	gk_wipe(item->body, item->size);
	free(item);
}

void *
gk_queue_add(struct gk_queue *q, size_t size)
{
	struct gk_queue_item *item;

	if (size > SIZE_MAX - sizeof(*item))
		return NULL;
	item = calloc(1, sizeof(*item) + size);
	if (item == NULL)
		return NULL;
	item->size = size;
	item->before = q->last;
	if (q->last != NULL)
		q->last->next = item;
	else
		q->first = item;
	q->last = item;
	return item->body;
}

void *
gk_queue_copy(struct gk_queue *q, const void *octets, size_t len)
{
	struct copy *c;

	if (len == 0 || q->last == NULL || len > SIZE_MAX - sizeof(*c))
		return NULL;
	c = malloc(sizeof(*c) + len);
	if (c == NULL)
		return NULL;
	c->len = len;
	c->given = (struct gk_buf){ 0 };
	memcpy(c->octets, octets, len);
	c->next = q->last->copies;
	q->last->copies = c;
	return c->octets;
}

enum gk_err
gk_queue_keep(struct gk_queue *q, struct gk_slice *s)
{
	const void *copy;

	if (s->len == 0) {
		*s = (struct gk_slice){ 0 };
		return GK_OK;
	}
	copy = gk_queue_copy(q, s->ptr, s->len);
	if (copy == NULL)
		return GK_ERR_NOMEM;
	s->ptr = copy;
	return GK_OK;
}

enum gk_err
gk_queue_give(struct gk_queue *q, struct gk_buf *buf, struct gk_slice *s)
{
	struct copy *c = q->last == NULL ? NULL : calloc(1, sizeof(*c));

	if (c == NULL)
		return GK_ERR_NOMEM;
	c->given = *buf;
	c->next = q->last->copies;
	q->last->copies = c;
	*s = gk_buf_slice(buf);
	*buf = (struct gk_buf){ 0 };
	return GK_OK;
}

void *
gk_queue_last(const struct gk_queue *q)
{
	return q->last != NULL ? q->last->body : NULL;
}

void
gk_queue_drop(struct gk_queue *q)
{
	struct gk_queue_item *item = q->last;

	if (item == NULL)
		return;
	q->last = item->before;
	if (q->last != NULL)
		q->last->next = NULL;
	else
		q->first = NULL;
	item_free(item);
}

void
gk_queue_cut(struct gk_queue *q, const struct gk_queue_item *mark)
{
	while (q->last != NULL && q->last != mark)
		gk_queue_drop(q);
}

const void *
gk_queue_first(const struct gk_queue *q)
{
	return q->first == NULL ? NULL : q->first->body;
}

const void *
gk_queue_poll(struct gk_queue *q)
{
	item_free(q->current);
	q->current = q->first;
	if (q->current == NULL)
		return NULL;
	q->first = q->current->next;
	if (q->first != NULL)
		q->first->before = NULL;
	else
		q->last = NULL;
	return q->current->body;
}

void
gk_queue_free(struct gk_queue *q)
{
	gk_queue_cut(q, NULL);
	item_free(q->current);
	*q = (struct gk_queue){ 0 };
}
