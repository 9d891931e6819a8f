/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_QUEUE_H
#define GK_QUEUE_H

#include "common/base/gk_base.h"

/*
 * DOC: the queue of outputs inside an engine
 *
 * An engine does no I/O: it appends what it wants done, and its caller pulls.
 * What an engine's output looks like is its protocol's; here an item is so many
 * octets (the protocol's struct), with copies of what it points to.  A copy
 * lives as long as its item and is wiped with it: until the item after it is
 * polled, or it is dropped.
 */
struct gk_queue_item;
struct gk_queue {
	struct gk_queue_item *first, *last;
	struct gk_queue_item *current; /* what gk_queue_poll() gave last */
	/* gk_queue_furnish(): used from the front, and from the front again
	 * when nothing is left in it. */
	uint8_t *room;
	size_t room_size, room_used, room_live;
};

/* gk_queue_furnish - memory of the queue's own, @size octets: what fits in needs no
 * allocation, what does not is allocated.  For an empty queue, once; freed by
 * gk_queue_free(). */
GK_MUST_CHECK enum gk_err gk_queue_furnish(struct gk_queue *q, size_t size);

/* gk_queue_add - append an item of @size octets, all zero, aligned for any
 * object.  NULL when memory is short. */
void *gk_queue_add(struct gk_queue *q, size_t size);

/* gk_queue_copy - copy @len octets into the last item; aligned for any object.
 * NULL when memory is short, and when @len is 0. */
void *gk_queue_copy(struct gk_queue *q, const void *octets, size_t len);

/* gk_queue_keep - the same for a slice, which then points to the copy. */
GK_MUST_CHECK enum gk_err gk_queue_keep(struct gk_queue *q, struct gk_slice *s);

/* gk_queue_give - the same for a buffer that the queue takes instead of copying
 * it: *@buf is empty then, and @s is where its octets are.  They are what everybody
 * may see, and are not wiped.  Nothing has changed when memory is short. */
GK_MUST_CHECK enum gk_err gk_queue_give(struct gk_queue *q, struct gk_buf *buf,
                                        struct gk_slice *s);

/* gk_queue_last - the body of the item that was added last; NULL if none. */
void *gk_queue_last(const struct gk_queue *q);

/* gk_queue_cut - drop what was appended behind @mark, which was q->last;
 * everything if @mark is NULL. */
void gk_queue_cut(struct gk_queue *q, const struct gk_queue_item *mark);

/* gk_queue_drop - drop the item that was added last. */
void gk_queue_drop(struct gk_queue *q);

/* gk_queue_first - the body of the item that gk_queue_poll() would give; NULL if
 * none. */
const void *gk_queue_first(const struct gk_queue *q);

/* gk_queue_poll - take the first item out; its body lives until the next poll.
 * NULL when the queue is empty. */
const void *gk_queue_poll(struct gk_queue *q);

/* gk_queue_free - drop everything, the polled item too; the queue is empty. */
void gk_queue_free(struct gk_queue *q);

#endif /* GK_QUEUE_H */
