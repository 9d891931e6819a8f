/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

/*
 * What the key server refuses, with or without a word, and that nothing has
 * changed then.
 */
#define MID 0x01020304

/* A member that is in, and its message 1 for @id, not yet said. */
static struct request
asked_for(const struct member *m, uint32_t message_id, struct gk_slice id)
{
	struct request r =
		request_new(m, message_id, gdoi_group_dialect(group[0]));

	write_1(&r, id);
	return r;
}

static const uint8_t no_group[8] = { ISAKMP_ID_KEY_ID, 0, 0, 0, 9, 9, 9, 9 };

GK_TEST(rfc6407_3_2_11, an_unknown_group_is_answered_by_a_notification)
{
	struct digests before;
	struct member m;
	struct request r;

	GK_SHOWS("RFC2409-5.7-03");
	open_server();
	m = connect_member();
	before = digests();
	r = asked_for(&m, MID, (struct gk_slice){ no_group, 8 });
	assert_true(say_message(&r, 0) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-3.2-11");
	assert_string_equal(said.found, "no group has number 151587081");
	assert_notified(&m, ISAKMP_NOTIFY_INVALID_ID_INFORMATION, MID);
	assert_unchanged(&before);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_5_1_03, ids_that_cannot_be_a_group)
{
	static const struct {
		uint8_t body[12];
		size_t len;
		const char *req;
	} row[] = {
		{ { ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 3, 232 },
		  7,
		  "RFC6407-5.1-03" },
		{ { ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 3, 232, 0 },
		  9,
		  "RFC6407-5.1-03" },
		{ { ISAKMP_ID_KEY_ID, 17, 0, 0, 0, 0, 3, 232 },
		  8,
		  "RFC6407-5.1-01" },
		{ { ISAKMP_ID_KEY_ID, 0, 3, 80, 0, 0, 3, 232 },
		  8,
		  "RFC6407-5.1-01" },
		{ { ISAKMP_ID_IPV4_ADDR, 0, 0, 0, 0, 0, 3, 232 },
		  8,
		  "RFC6407-5.1-02" },
		{ { ISAKMP_ID_OID, 0, 0, 0, 9, 6, 1, 1 }, 8, "RFC8052-2.1-01" },
		{ { ISAKMP_ID_KEY_ID, 0, 0 }, 3, "RFC6407-5.1-01" },
	};
	struct member m;

	open_server();
	m = connect_member();
	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct digests before = digests();
		struct request r =
			asked_for(&m, (uint32_t)(MID + i),
		                  (struct gk_slice){ row[i].body, row[i].len });

		assert_true(say_message(&r, 0) != GK_OK);
		assert_string_equal(said.why.req, row[i].req);
		assert_unchanged(&before);
		request_free(&r);
	}
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_1_04, who_is_not_admitted_gets_no_message_2)
{
	static const uint8_t nobody[4] = { 10, 0, 0, 8 };
	struct digests before;
	struct member m;
	struct request r;

	GK_BREAKS("RFC6407-3.1-04");
	open_server();
	m = connect_as(8, nobody);
	before = digests();
	r = asked_for(&m, MID, gdoi_group_id(group[0]));
	assert_true(say_message(&r, 0) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-3.4-03");
	assert_string_equal(said.peer, "ipv4:10.0.0.8");
	assert_non_null(strstr(said.why.field, "no rule of the policy"));
	assert_notified(&m, ISAKMP_NOTIFY_AUTHENTICATION_FAILED, MID);
	assert_unchanged(&before);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_4_03, a_group_that_is_not_open_is_as_if_it_were_not_there)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	gk_assert_ok(gdoi_group_destroy(group[0], now));
	gw_drain(&world[0]);
	r = asked_for(&m, MID, gdoi_group_id(group[0]));
	assert_true(say_message(&r, 0) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-3.2-11");
	assert_string_equal(said.found, "the group is not open");
	assert_notified(&m, ISAKMP_NOTIFY_INVALID_ID_INFORMATION, MID);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2408_5_1_04, a_silent_server_says_nothing)
{
	const struct gdoi_gcks_config cfg = { .silent = true };
	struct member m;
	struct request r;

	open_server_as(&cfg);
	m = connect_member();
	r = asked_for(&m, MID, (struct gk_slice){ no_group, 8 });
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-3.2-11");
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* ---- what is not genuine ------------------------------------------------ */

GK_TEST(rfc6407_2_01, a_pull_in_clear_or_without_phase_1)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = asked_for(&m, MID, gdoi_group_id(group[0]));
	r.sent[0].ptr[19] = 0;
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-2-01");
	r.sent[0].ptr[19] = ISAKMP_FLAG_ENCRYPTION;
	r.sent[0].ptr[0] ^= 1; /* cookies of no SA */
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC2408-5.2-02");
	r.sent[0].ptr[0] ^= 1;
	gk_assert_ok(say_message(&r, 0));
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_2_06, a_wrong_hash_1_gets_no_message_2_and_no_word)
{
	uint8_t other[64] = { 3 };
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = request_new(&m, MID, gdoi_group_dialect(group[0]));
	r.wire.skeyid_a.ptr = other;
	write_1(&r, gdoi_group_id(group[0]));
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-3.2-06");
	request_free(&r);
	/* The Message ID is still free. */
	registered(&m, MID, group[0]);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_4_05, a_wrong_hash_3_leaves_the_exchange_where_it_was)
{
	struct member m;
	struct request r;
	struct gdoi_pull before;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	before = r.wire;
	r.wire.nr[0] ^= 1;
	write_3(&r, NULL);
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[1]), "RFC6407-3.2-08");
	assert_int_equal(members_of(0), 0);
	gk_buf_free(&r.sent[1]);
	r.wire = before;
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	take_answer(&r, 1);
	assert_int_equal(members_of(0), 1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* RFC6407-3.2-08: GAP is under the HASH; an unknown attribute is refused. */
GK_TEST(rfc6407_5_4_08, a_gap_with_an_attribute_that_nobody_knows)
{
	static const uint8_t gap[] = { 0, 0, 0, 8, 0x80, 127, 0, 1 };
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	gk_assert_ok(gdoi_pull_seal(&r.wire, ISAKMP_PAYLOAD_GAP,
	                            (struct gk_slice){ gap, sizeof(gap) },
	                            &r.sent[1]));
	assert_true(say_message(&r, 1) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-5.4-08");
	/* It is the member's: so the exchange is abandoned, and it is told. */
	assert_notified(&m, ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, MID);
	assert_int_equal(server_status().pulls, 0);
	assert_int_equal(members_of(0), 0);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_2_1_03, another_exchange_under_the_sa)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = asked_for(&m, MID, gdoi_group_id(group[0]));
	r.sent[0].ptr[18] = ISAKMP_EXCHANGE_GROUPKEY_PUSH;
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-3.2.1-03");
	r.sent[0].ptr[18] = 31;
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC2408-5.2-05");
	r.sent[0].ptr[18] = 32;
	r.sent[0].ptr[17] = 0x20;
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC2408-5.2-04");
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* Every octet of messages 1 and 3, changed; and every length. */
GK_TEST(rfc6407_3_4_02, nothing_spoilt_changes_anything)
{
	struct member m;
	struct request r[2];

	open_server();
	m = connect_member();
	r[0] = asked_for(&m, MID, gdoi_group_id(group[0]));
	r[1] = offered(&m, MID + 1, group[0]);
	write_3(&r[1], NULL);
	for (int k = 0; k < 2; k++) {
		struct gk_buf *b = &r[k].sent[k];
		struct digests before = digests();
		size_t len = b->len;

		/* Those of the last block may be padding. */
		for (size_t i = 0; i < len - 16; i++) {
			b->ptr[i] ^= 0x41;
			assert_true(tell(&m, gk_buf_slice(b)) != GK_OK);
			assert_int_equal(said.n_sent, 0);
			assert_unchanged(&before);
			b->ptr[i] ^= 0x41;
		}
		for (size_t n = 0; n < len; n++) {
			if (n >= ISAKMP_HEADER_LEN)
				isakmp_header_set_length(b->ptr, (uint32_t)n);
			assert_true(tell(&m, (struct gk_slice){ b->ptr, n }) !=
			            GK_OK);
			assert_int_equal(said.n_sent, 0);
			assert_unchanged(&before);
		}
		isakmp_header_set_length(b->ptr, (uint32_t)len);
	}
	gk_assert_ok(say_message(&r[0], 0));
	gk_assert_ok(say_message(&r[1], 1));
	assert_int_equal(members_of(0), 1);
	request_free(&r[0]);
	request_free(&r[1]);
	disconnect(&m);
	close_server();
}

/* Each message in the place of each other. */
GK_TEST(rfc6407_7_2_4_02, messages_out_of_order)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	/* The key server's own message 2 comes back. */
	assert_silent_refusal(&m, gk_buf_slice(&r.got[0]), NULL);
	gk_assert_ok(say_message(&r, 1));
	take_answer(&r, 1);
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-7.2.4-02");
	assert_silent_refusal(&m, gk_buf_slice(&r.got[0]), "RFC6407-3-01");
	assert_silent_refusal(&m, gk_buf_slice(&r.got[1]), "RFC6407-3-01");
	request_free(&r);
	/* Message 3 of an exchange that never began. */
	r = request_new(&m, MID + 1, gdoi_group_dialect(group[0]));
	write_3(&r, NULL);
	assert_true(say_message(&r, 1) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-3.2-03");
	assert_notified(&m, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, MID + 1);
	assert_int_equal(server_status().pulls, 1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* ---- acknowledgements --------------------------------------------------- */

GK_TEST(rfc8263_5_05, an_acknowledgement_for_cookies_of_no_group)
{
	static const uint8_t ack[28] = { 5, 5, 5, 0, 0, 0, 0, 0,  6,  6,
		                         6, 0, 0, 0, 0, 0, 8, 16, 35, 0,
		                         0, 0, 0, 0, 0, 0, 0, 28 };
	struct member m = member_at(1, 0);

	open_server();
	assert_silent_refusal(&m, (struct gk_slice){ ack, sizeof(ack) },
	                      "RFC8263-5-05");
	for (size_t n = 0; n < sizeof(ack); n++) {
		struct digests before = digests();

		assert_true(tell(&m, (struct gk_slice){ ack, n }) != GK_OK);
		assert_unchanged(&before);
	}
	close_server();
}

/* ---- refused at message 3 ----------------------------------------------- */

GK_TEST(rfc6407_3_4_07, a_group_that_has_moved_on_is_asked_again)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	world[0].now = now;
	gk_assert_ok(gdoi_group_rekey(group[0], GDOI_REKEY_ALL | GDOI_REKEY_NOW,
	                              now));
	gw_drain(&world[0]);
	assert_true(say_message(&r, 1) != GK_OK);
	assert_string_equal(said.why.req, "RFC6407-3.4-07");
	assert_notified(&m, ISAKMP_NOTIFY_INVALID_MESSAGE_ID, MID);
	assert_int_equal(members_of(0), 0);
	assert_int_equal(server_status().pulls, 0);
	request_free(&r);
	registered(&m, MID + 1, group[0]);
	disconnect(&m);
	close_server();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_2_11,
		       an_unknown_group_is_answered_by_a_notification),
		GK_RUN(rfc6407_5_1_03, ids_that_cannot_be_a_group),
		GK_RUN(rfc6407_3_1_04, who_is_not_admitted_gets_no_message_2),
		GK_RUN(rfc6407_3_4_03,
		       a_group_that_is_not_open_is_as_if_it_were_not_there),
		GK_RUN(rfc2408_5_1_04, a_silent_server_says_nothing),
		GK_RUN(rfc6407_2_01, a_pull_in_clear_or_without_phase_1),
		GK_RUN(rfc6407_3_2_06,
		       a_wrong_hash_1_gets_no_message_2_and_no_word),
		GK_RUN(rfc6407_3_4_05,
		       a_wrong_hash_3_leaves_the_exchange_where_it_was),
		GK_RUN(rfc6407_5_4_08,
		       a_gap_with_an_attribute_that_nobody_knows),
		GK_RUN(rfc6407_3_2_1_03, another_exchange_under_the_sa),
		GK_RUN(rfc6407_3_4_02, nothing_spoilt_changes_anything),
		GK_RUN(rfc6407_7_2_4_02, messages_out_of_order),
		GK_RUN(rfc8263_5_05,
		       an_acknowledgement_for_cookies_of_no_group),
		GK_RUN(rfc6407_3_4_07,
		       a_group_that_has_moved_on_is_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
