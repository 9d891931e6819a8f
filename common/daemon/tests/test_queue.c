/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/daemon/gkd_queue.h"
#include "common/test/gk_test.h"

static const struct gkd_origin nobody;

/* A datagram of five octets: a number. */
static void
put(struct gkd_queue *q, enum gkd_rank rank, uint8_t number, uint64_t at)
{
	const uint8_t octets[] = { 0, 0, 0, 0, number };

	gkd_queue_put(q, (struct gk_slice){ octets, sizeof(octets) }, &nobody,
	              rank, at);
}

/* The number of the next one; -1: there is none. */
static int
take(struct gkd_queue *q, uint64_t now)
{
	struct gkd_letter *l = gkd_queue_take(q, now);
	int number;

	if (l == NULL)
		return -1;
	assert_int_equal(l->len, 5);
	number = l->octets[4];
	free(l);
	return number;
}

#define REQUEST GKD_RANK_BEGINS
#define THIRD GKD_RANK_CONTINUES
#define OTHER GKD_RANK_COMPLETES

GK_TEST(queue, requests_are_answered_in_order_and_after_the_rest)
{
	struct gkd_queue q = { .octets_max = 65536, .age_ms = 4000 };

	put(&q, REQUEST, 1, 100);
	put(&q, REQUEST, 2, 101);
	put(&q, OTHER, 3, 102);
	put(&q, OTHER, 4, 103);
	assert_int_equal(q.count, 4);
	assert_int_equal(take(&q, 110), 3);
	assert_int_equal(take(&q, 110), 4);
	assert_int_equal(take(&q, 110), 1);
	assert_int_equal(take(&q, 110), 2);
	assert_int_equal(take(&q, 110), -1);
	assert_int_equal(q.count, 0);
	assert_int_equal(q.octets, 0);
}

GK_TEST(queue, newest_comes_first_when_there_are_too_many)
{
	struct gkd_queue q = { .octets_max = 65536, .age_ms = 4000 };
	uint64_t late = 100 + GKD_QUEUE_STANDING_MS + 1;

	put(&q, REQUEST, 1, 100);
	put(&q, REQUEST, 2, 200);
	put(&q, REQUEST, 3, late);
	assert_int_equal(take(&q, late), 3);
	assert_int_equal(take(&q, late), 2);
	assert_int_equal(take(&q, late), 1);
}

GK_TEST(queue, request_that_waited_too_long_is_dropped)
{
	struct gkd_queue q = { .octets_max = 65536, .age_ms = 4000 };

	put(&q, REQUEST, 1, 100);
	put(&q, REQUEST, 2, 4000);
	put(&q, OTHER, 3, 100);
	assert_int_equal(take(&q, 4101), 3); /* never too old */
	assert_int_equal(take(&q, 4101), 2);
	assert_int_equal(take(&q, 4101), -1);
	assert_int_equal(q.stale, 1);
}

GK_TEST(queue, oldest_requests_make_room)
{
	struct gkd_queue q = { .octets_max = 0, .age_ms = 4000 };

	put(&q, REQUEST, 1, 100);
	assert_int_equal(take(&q, 100), -1);
	assert_int_equal(q.crowded, 1);
	q.octets_max = 3 * (sizeof(struct gkd_letter) + 5);
	for (uint8_t i = 1; i <= 4; i++)
		put(&q, REQUEST, i, 100);
	assert_int_equal(q.count, 3);
	for (uint8_t i = 5; i <= 8; i++)
		put(&q, OTHER, i, 100);
	/* All requests have gone; the last acknowledgement found no room. */
	assert_int_equal(q.count, 3);
	assert_int_equal(q.crowded, 1 + 1 + 3 + 1);
	assert_int_equal(take(&q, 100), 5);
	gkd_queue_clear(&q);
	assert_int_equal(q.count, 0);
	assert_int_equal(q.octets, 0);
}

GK_TEST(queue, what_is_half_done_is_finished_before_more_is_begun)
{
	struct gkd_queue q = { .octets_max = 65536, .age_ms = 4000 };
	uint64_t late = 100 + GKD_QUEUE_STANDING_MS + 1;

	put(&q, REQUEST, 1, 100);
	put(&q, THIRD, 2, 101);
	put(&q, OTHER, 3, 102);
	put(&q, THIRD, 4, late);
	assert_int_equal(take(&q, 110), 3);
	assert_int_equal(take(&q, 110), 2);
	put(&q, THIRD, 5, 110);
	assert_int_equal(take(&q, late + 110), 4); /* the newest */
	put(&q, THIRD, 6, 4090);
	assert_int_equal(take(&q, 4111), 6);
	assert_int_equal(take(&q, 4111), -1);
	assert_int_equal(q.stale, 2);
}

GK_TEST(queue, what_begins_makes_room_for_what_continues)
{
	struct gkd_queue q = { .age_ms = 4000 };

	q.octets_max = 2 * (sizeof(struct gkd_letter) + 5);
	put(&q, THIRD, 1, 100);
	put(&q, REQUEST, 2, 101);
	put(&q, THIRD, 3, 102);
	put(&q, OTHER, 4, 103);
	assert_int_equal(q.crowded, 2);
	assert_int_equal(take(&q, 104), 4);
	assert_int_equal(take(&q, 104), 3);
	assert_int_equal(take(&q, 104), -1);
}

/* Who has thousands waiting looks at his sockets all the same; and one letter is read
 * in each turn, however late it has become. */
GK_TEST(queue, a_turn_has_an_end)
{
	struct gkd_queue q = { .octets_max = 1 << 20, .age_ms = 4000 };
	struct gkd_turn turn = gkd_turn_begin(100);
	struct gkd_letter *l;
	unsigned n = 0;

	for (int i = 0; i < GKD_TURN_LETTERS + 5; i++)
		put(&q, OTHER, 1, 100);
	for (; (l = gkd_turn_take(&turn, &q, 101)) != NULL; n++)
		free(l);
	assert_int_equal(n, GKD_TURN_LETTERS);
	turn = gkd_turn_begin(200);
	for (n = 0; (l = gkd_turn_take(&turn, &q, 200 + n)) != NULL; n++)
		free(l);
	assert_int_equal(n, GKD_TURN_MS);
	turn = gkd_turn_begin(300);
	for (n = 0; (l = gkd_turn_take(&turn, &q, 400)) != NULL; n++)
		free(l);
	assert_int_equal(n, 1);
	assert_int_equal(q.count, 5 - GKD_TURN_MS - 1);
	gkd_queue_clear(&q);
	turn = gkd_turn_begin(500);
	assert_null(gkd_turn_take(&turn, &q, 500));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(queue,
		       requests_are_answered_in_order_and_after_the_rest),
		GK_RUN(queue, newest_comes_first_when_there_are_too_many),
		GK_RUN(queue, request_that_waited_too_long_is_dropped),
		GK_RUN(queue, oldest_requests_make_room),
		GK_RUN(queue,
		       what_is_half_done_is_finished_before_more_is_begun),
		GK_RUN(queue, what_begins_makes_room_for_what_continues),
		GK_RUN(queue, a_turn_has_an_end),
	};

	return cmocka_run_group_tests_name("common/daemon/queue", tests, NULL,
	                                   NULL);
}
