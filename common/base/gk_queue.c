/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_queue.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SANITIZE_ADDRESS__ /* it does not see into the room by itself */
#include <sanitizer/asan_interface.h>
#define CLOSE(at, n) ASAN_POISON_MEMORY_REGION(at, n)
#define OPEN(at, n) ASAN_UNPOISON_MEMORY_REGION(at, n)
#else
#define CLOSE(at, n) (void)(at), (void)(n)
#define OPEN(at, n) (void)(at), (void)(n)
#endif

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

enum gk_err
gk_queue_furnish(struct gk_queue *q, size_t size)
{
	uint8_t *room = q->room == NULL ? malloc(size) : NULL;

	if (room == NULL)
		return GK_ERR_NOMEM;
	CLOSE(room, size);
	q->room = room;
	q->room_size = size;
	return GK_OK;
}

/* In the room if there is enough of it, or on the heap. */
static void *
piece_new(struct gk_queue *q, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	void *piece;

	if (size > q->room_size - q->room_used)
		return malloc(size);
	piece = q->room + q->room_used;
	OPEN(piece, size);
	q->room_live++;
	q->room_used += (size + align - 1) / align * align;
	if (q->room_used > q->room_size)
		q->room_used = q->room_size;
	return piece;
}

static void
piece_free(struct gk_queue *q, void *piece)
{
	uint8_t *at = piece;

	if (q->room == NULL || at < q->room || at >= q->room + q->room_size) {
		free(piece);
		return;
	}
	if (--q->room_live != 0)
		return;
	CLOSE(q->room, q->room_used);
	q->room_used = 0;
}

static void
item_free(struct gk_queue *q, struct gk_queue_item *item)
{
	struct copy *c;

	if (item == NULL)
		return;
	while ((c = item->copies) != NULL) {
		item->copies = c->next;
		gk_wipe(c->octets, c->len);
		free(c->given.ptr);
		piece_free(q, c);
	}
	gk_wipe(item->body, item->size);
	piece_free(q, item);
}

void *
gk_queue_add(struct gk_queue *q, size_t size)
{
	struct gk_queue_item *item;

	if (size > SIZE_MAX - sizeof(*item))
		return NULL;
	item = piece_new(q, sizeof(*item) + size);
	if (item == NULL)
		return NULL;
	memset(item, 0, sizeof(*item) + size);
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
	c = piece_new(q, sizeof(*c) + len);
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
	struct copy *c = q->last == NULL ? NULL : piece_new(q, sizeof(*c));

	if (c == NULL)
		return GK_ERR_NOMEM;
	*c = (struct copy){ .len = 0 };
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
	item_free(q, item);
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
	item_free(q, q->current);
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
	item_free(q, q->current);
	if (q->room != NULL)
		OPEN(q->room, q->room_size);
	free(q->room);
	*q = (struct gk_queue){ 0 };
}
