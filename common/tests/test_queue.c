/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>

#include "common/base/gk_queue.h"

struct thing {
	int n;
	struct gk_slice what;
};

static void
add(struct gk_queue *q, int n, const char *what)
{
	struct thing *t = gk_queue_add(q, sizeof(*t));

	assert_non_null(t);
	t->n = n;
	t->what = gk_slice_str(what);
	gk_assert_ok(gk_queue_keep(q, &t->what));
}

static void
next_is(struct gk_queue *q, int n, const char *what)
{
	const struct thing *t = gk_queue_poll(q);

	assert_non_null(t);
	assert_int_equal(t->n, n);
	assert_true(gk_slice_equal(t->what, gk_slice_str(what)));
}

GK_TEST(base_queue, comes_out_in_order_with_copies_of_its_own)
{
	struct gk_queue q = { 0 };
	char text[] = "first";

	add(&q, 1, text);
	text[0] = 'x';
	add(&q, 2, "second");
	next_is(&q, 1, "first");
	add(&q, 3, "");
	next_is(&q, 2, "second");
	next_is(&q, 3, "");
	assert_null(gk_queue_poll(&q));
	add(&q, 4, "after it was empty");
	next_is(&q, 4, "after it was empty");
	gk_queue_free(&q);
}

GK_TEST(base_queue, is_cut_behind_a_mark)
{
	struct gk_queue q = { 0 };
	const struct gk_queue_item *mark;

	add(&q, 1, "stays");
	mark = q.last;
	add(&q, 2, "goes");
	add(&q, 3, "goes");
	gk_queue_cut(&q, mark);
	add(&q, 4, "comes");
	next_is(&q, 1, "stays");
	next_is(&q, 4, "comes");
	assert_null(gk_queue_poll(&q));

	/* What was polled is not in it any more, and outlives a cut. */
	add(&q, 5, "polled");
	add(&q, 6, "goes");
	next_is(&q, 5, "polled");
	gk_queue_cut(&q, NULL);
	assert_null(gk_queue_last(&q));
	assert_null(gk_queue_poll(&q));
	gk_queue_drop(&q); /* of nothing: nothing */
	gk_queue_free(&q);
}

GK_TEST(base_queue, a_copy_is_aligned_for_what_it_holds)
{
	struct gk_queue q = { 0 };
	const uint64_t numbers[] = { 1, 2, 3 };
	const uint64_t *copy;

	add(&q, 1, "odd");
	copy = gk_queue_copy(&q, numbers, sizeof(numbers));
	assert_non_null(copy);
	assert_int_equal((uintptr_t)copy % sizeof(*copy), 0);
	assert_memory_equal(copy, numbers, sizeof(numbers));
	gk_queue_free(&q);
}

GK_TEST(base_queue, a_buffer_can_be_given_instead)
{
	struct gk_queue q = { 0 };
	struct gk_slice s = { 0 };
	struct gk_buf buf;
	const uint8_t *at;

	gk_assert_ok(gk_buf_copy(&buf, gk_slice_str("given")));
	at = buf.ptr;
	gk_assert_err(GK_ERR_NOMEM, gk_queue_give(&q, &buf, &s));
	assert_ptr_equal(buf.ptr, at); /* nobody's: it stays the caller's */
	add(&q, 1, "one");
	gk_assert_ok(gk_queue_give(&q, &buf, &s));
	assert_null(buf.ptr);
	assert_ptr_equal(s.ptr, at);
	assert_true(gk_slice_equal(s, gk_slice_str("given")));
	next_is(&q, 1, "one");
	gk_queue_free(&q);
}

GK_TEST(base_queue, what_cannot_be_had_is_said_and_nothing_breaks)
{
	struct gk_queue q = { 0 };
	struct gk_slice huge = gk_slice_str("short");

	huge.len = SIZE_MAX;
	assert_null(gk_queue_add(&q, SIZE_MAX));
	assert_null(gk_queue_copy(&q, "x", 1)); /* nobody's copy */
	add(&q, 1, "one");
	gk_assert_err(GK_ERR_NOMEM, gk_queue_keep(&q, &huge));
	assert_null(gk_queue_copy(&q, "x", 0));
	next_is(&q, 1, "one");
	gk_queue_free(&q);
}

/* In its own memory while that lasts, all of which comes back. */
GK_TEST(base_queue, what_fits_in_its_room_is_not_allocated)
{
	struct gk_queue q = { 0 };
	struct gk_buf buf;
	struct gk_slice s;

	gk_assert_ok(gk_queue_furnish(&q, 1024));
	gk_assert_err(GK_ERR_NOMEM, gk_queue_furnish(&q, 1024));
	for (unsigned round = 0; round < 50; round++) {
		add(&q, 1, "one");
		assert_in_range((uintptr_t)q.last, (uintptr_t)q.room,
		                (uintptr_t)q.room + 1023);
		gk_assert_ok(gk_buf_copy(&buf, gk_slice_str("given")));
		gk_assert_ok(gk_queue_give(&q, &buf, &s));
		for (int i = 2; i < 40; i++)
			add(&q, i, "and more than there is room for");
		next_is(&q, 1, "one");
		for (int i = 2; i < 20; i++)
			next_is(&q, i, "and more than there is room for");
		gk_queue_cut(&q, NULL);
		assert_null(gk_queue_poll(&q));
		assert_int_equal(q.room_used, 0);
		assert_int_equal(q.room_live, 0);
	}
	add(&q, 1, "one");
	gk_queue_free(&q);
	assert_null(q.room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(base_queue, comes_out_in_order_with_copies_of_its_own),
		GK_RUN(base_queue, is_cut_behind_a_mark),
		GK_RUN(base_queue, a_copy_is_aligned_for_what_it_holds),
		GK_RUN(base_queue, a_buffer_can_be_given_instead),
		GK_RUN(base_queue, what_fits_in_its_room_is_not_allocated),
		GK_RUN(base_queue,
		       what_cannot_be_had_is_said_and_nothing_breaks),
	};

	return cmocka_run_group_tests_name("common/base/queue", tests, NULL,
	                                   NULL);
}
