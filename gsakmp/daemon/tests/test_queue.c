/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"
#include "gsakmp/daemon/server_queue.h"
#include "gsakmp/gsakmp_registry.h"
#include "gsakmp/payload/header.h"

static bool
waits(uint8_t exchange)
{
	const struct gsakmp_header header = {
		.groupid = { GSAKMP_GROUPID_OCTET_STRING, gk_slice_str("g") },
		.version = GSAKMP_VERSION,
		.exchange = exchange,
	};
	uint8_t octets[GSAKMP_HEADER_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, octets, sizeof(octets));
	gsakmp_header_encode(&wr, &header);
	gk_assert_ok(gk_wr_done(&wr));
	return gsakmpd_is_request((struct gk_slice){ octets, wr.len });
}

GK_TEST(queue, requests_and_what_has_no_header_wait)
{
	assert_true(waits(GSAKMP_EXCHANGE_REQUEST_TO_JOIN));
	assert_false(waits(GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK));
	assert_true(gsakmpd_is_request(gk_slice_str("?")));
	assert_true(gsakmpd_is_request((struct gk_slice){ 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(queue, requests_and_what_has_no_header_wait),
	};

	return cmocka_run_group_tests_name("gsakmp/daemon/queue", tests, NULL,
	                                   NULL);
}
