/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gsakmp/daemon/server_queue.h"
#include "gsakmp/gsakmp_registry.h"
#include "gsakmp/payload/header.h"

static const struct gsakmp_endpoint nobody = { .ip_len = 0 };

/* A message of which only the header is there, with a number in it. */
static void
put(struct gsakmpd_queue *q, uint8_t exchange, uint32_t number, uint64_t at)
{
	const struct gsakmp_header header = {
		.groupid = { GSAKMP_GROUPID_OCTET_STRING, gk_slice_str("g") },
		.version = GSAKMP_VERSION,
		.exchange = exchange,
		.sequence = number,
	};
	uint8_t octets[GSAKMP_HEADER_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, octets, sizeof(octets));
	gsakmp_header_encode(&wr, &header);
	gk_assert_ok(gk_wr_done(&wr));
	gsakmpd_queue_put(q, (struct gk_slice){ octets, wr.len }, &nobody, at);
}

/* The number of the next one; -1: there is none. */
static long
take(struct gsakmpd_queue *q, uint64_t now)
{
	struct gsakmpd_letter *l = gsakmpd_queue_take(q, now);
	struct gsakmp_header header;
	struct gk_rd rd;

	if (l == NULL)
		return -1;
	gk_rd_init(&rd, l->octets, l->len);
	gk_assert_ok(gsakmp_header_decode(&rd, &header));
	free(l);
	return (long)header.sequence;
}

#define RTJ GSAKMP_EXCHANGE_REQUEST_TO_JOIN
#define ACK GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK

GK_TEST(queue, requests_are_answered_in_order_and_after_the_rest)
{
	struct gsakmpd_queue q = { .octets_max = 65536, .age_ms = 4000 };

	put(&q, RTJ, 1, 100);
	put(&q, RTJ, 2, 101);
	put(&q, ACK, 3, 102);
	put(&q, ACK, 4, 103);
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
	struct gsakmpd_queue q = { .octets_max = 65536, .age_ms = 4000 };
	uint64_t late = 100 + GSAKMPD_QUEUE_STANDING_MS + 1;

	put(&q, RTJ, 1, 100);
	put(&q, RTJ, 2, 200);
	put(&q, RTJ, 3, late);
	assert_int_equal(take(&q, late), 3);
	assert_int_equal(take(&q, late), 2);
	assert_int_equal(take(&q, late), 1);
}

GK_TEST(queue, request_that_waited_too_long_is_dropped)
{
	struct gsakmpd_queue q = { .octets_max = 65536, .age_ms = 4000 };

	put(&q, RTJ, 1, 100);
	put(&q, RTJ, 2, 4000);
	put(&q, ACK, 3, 100);
	assert_int_equal(take(&q, 4101), 3); /* never too old */
	assert_int_equal(take(&q, 4101), 2);
	assert_int_equal(take(&q, 4101), -1);
	assert_int_equal(q.stale, 1);
}

GK_TEST(queue, oldest_requests_make_room)
{
	struct gsakmpd_queue q = { .octets_max = 0, .age_ms = 4000 };

	put(&q, RTJ, 1, 100);
	assert_int_equal(take(&q, 100), -1);
	assert_int_equal(q.crowded, 1);
	q.octets_max = 3 * (sizeof(struct gsakmpd_letter) + 14);
	for (uint32_t i = 1; i <= 4; i++)
		put(&q, RTJ, i, 100);
	assert_int_equal(q.count, 3);
	for (uint32_t i = 5; i <= 8; i++)
		put(&q, ACK, i, 100);
	/* All requests have gone; the last acknowledgement found no room. */
	assert_int_equal(q.count, 3);
	assert_int_equal(q.crowded, 1 + 1 + 3 + 1);
	assert_int_equal(take(&q, 100), 5);
	gsakmpd_queue_clear(&q);
	assert_int_equal(q.count, 0);
	assert_int_equal(q.octets, 0);
}

GK_TEST(queue, what_has_no_header_waits_with_the_requests)
{
	struct gsakmpd_queue q = { .octets_max = 65536, .age_ms = 4000 };
	struct gsakmpd_letter *l;

	gsakmpd_queue_put(&q, gk_slice_str("?"), &nobody, 100);
	gsakmpd_queue_put(&q, (struct gk_slice){ 0 }, &nobody, 100);
	put(&q, ACK, 1, 100);
	assert_int_equal(take(&q, 100), 1);
	l = gsakmpd_queue_take(&q, 100);
	assert_int_equal(l->len, 1);
	free(l);
	gsakmpd_queue_clear(&q);
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
		GK_RUN(queue, what_has_no_header_waits_with_the_requests),
	};

	return cmocka_run_group_tests_name("gsakmp/daemon/queue", tests, NULL,
	                                   NULL);
}
