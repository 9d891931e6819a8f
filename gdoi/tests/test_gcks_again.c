/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

/*
 * Loss, repetition, replay, bounds, a disk that fails: RFC 2408 section 5.1, RFC
 * 6407 sections 7.2.4 and 7.2.5.
 */
#define MID 0x01020304

static void
assert_same_octets(const struct gk_buf *want)
{
	assert_int_equal(said.n_sent, 1);
	assert_int_equal(said.sent[0].len, want->len);
	assert_memory_equal(said.sent[0].ptr, want->ptr, want->len);
}

GK_TEST(rfc2408_5_1_01, a_repeated_message_gets_the_same_answer)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(say_message(&r, 0));
		assert_same_octets(&r.got[0]);
	}
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	take_answer(&r, 1);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(say_message(&r, 1));
		assert_same_octets(&r.got[1]);
		assert_int_equal(said.n[GDOI_OUT_COMMIT], 0);
		assert_int_equal(said.n[GDOI_OUT_JOINED], 0);
	}
	assert_int_equal(members_of(0), 1);
	assert_int_equal(server_status().resent, 6);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_7_2_5_01, repetitions_are_answered_so_often_and_no_more)
{
	const struct gdoi_gcks_config cfg = { .resends_max = 3 };
	struct member m;
	struct request r;

	open_server_as(&cfg);
	m = connect_member();
	r = offered(&m, MID, group[0]);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(say_message(&r, 0));
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-7.2.5-01");
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	for (int i = 0; i < 3; i++)
		gk_assert_ok(say_message(&r, 1));
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[1]), "RFC6407-7.2.5-01");
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_01, a_second_exchange_of_the_same_message_id)
{
	struct member m;
	struct request r, second;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	second = request_new(&m, MID, gdoi_group_dialect(group[1]));
	write_1(&second, gdoi_group_id(group[1]));
	/* It can only be a message 3, and is none. */
	assert_silent_refusal(&m, gk_buf_slice(&second.sent[0]), NULL);
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	assert_silent_refusal(&m, gk_buf_slice(&second.sent[0]),
	                      "RFC6407-3-01");
	request_free(&second);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* Long after: what was recorded does not begin again. */
GK_TEST(rfc6407_7_2_5_01, a_recorded_exchange_cannot_be_begun_again)
{
	struct gk_now start = now;
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	assert_true(gdoi_gcks_deadline(gcks) <= now.mono_ms + 15000);
	now.mono_ms += 15000;
	gk_assert_ok(gdoi_gcks_tick(gcks, now));
	collect();
	assert_int_equal(server_status().pulls, 0);
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), "RFC6407-7.2.5-01");
	assert_true(say_message(&r, 1) != GK_OK);
	assert_int_equal(said.n_sent, 0);
	assert_int_equal(members_of(0), 1);
	now = start;
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_7_2_5_04, message_3_has_to_come_in_time)
{
	struct gk_now start = now;
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	now.mono_ms += 14999;
	gk_assert_ok(gdoi_gcks_tick(gcks, now));
	assert_int_equal(server_status().pulls, 1);
	now.mono_ms += 1;
	gk_assert_ok(gdoi_gcks_tick(gcks, now));
	assert_int_equal(server_status().pulls, 0);
	assert_true(say_message(&r, 1) != GK_OK);
	assert_int_equal(said.n_sent, 0);
	assert_int_equal(members_of(0), 0);
	now = start;
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* ---- bounds ------------------------------------------------------------- */

GK_TEST(rfc6407_7_2_5_02, so_many_exchanges_at_once_under_one_sa)
{
	const struct gdoi_gcks_config cfg = { .pulls_max = 4 };
	struct request r[5];
	struct member m;

	open_server_as(&cfg);
	m = connect_member();
	for (uint32_t i = 0; i < 4; i++)
		r[i] = offered(&m, i + 1, group[0]);
	r[4] = request_new(&m, 5, gdoi_group_dialect(group[0]));
	write_1(&r[4], gdoi_group_id(group[0]));
	assert_silent_refusal(&m, gk_buf_slice(&r[4].sent[0]),
	                      "RFC6407-7.2.5-02");
	/* One that is done makes room, but not for anybody. */
	write_3(&r[2], NULL);
	gk_assert_ok(say_message(&r[2], 1));
	take_answer(&r[2], 1);
	r[4].sent[0].ptr[ISAKMP_HEADER_LEN] ^= 1;
	assert_silent_refusal(&m, gk_buf_slice(&r[4].sent[0]), NULL);
	r[4].sent[0].ptr[ISAKMP_HEADER_LEN] ^= 1;
	gk_assert_ok(say_message(&r[2], 1));
	assert_same_octets(&r[2].got[1]);
	gk_assert_ok(say_message(&r[4], 0));
	assert_int_equal(server_status().pulls, 4);
	write_3(&r[3], NULL);
	gk_assert_ok(say_message(&r[3], 1));
	for (int i = 0; i < 5; i++)
		request_free(&r[i]);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2408_1_7_1_01, half_open_sas_are_bounded)
{
	const struct gdoi_gcks_config cfg = { .limits = { .half_open = 3,
		                                          .per_address = 2 } };
	struct member m[4];
	unsigned refused = 0;

	open_server_as(&cfg);
	for (uint8_t i = 0; i < 4; i++) {
		struct gk_buf out;

		m[i] = member_at((uint8_t)(20 + i), 0);
		gk_assert_ok(ike_initiate(&env, &config[0], &m[i].path, now,
		                          &m[i].ike));
		out = say(m[i].ike);
		if (tell(&m[i], gk_buf_slice(&out)) != GK_OK)
			refused++;
		gk_buf_free(&out);
	}
	assert_int_equal(refused, 1);
	assert_int_equal(server_status().half_open, 3);
	for (int i = 0; i < 4; i++)
		disconnect(&m[i]);
	close_server();
}

GK_TEST(rfc2408_5_2_07, an_sa_whose_message_ids_are_used_up_is_given_up)
{
	const struct gdoi_gcks_config cfg = { .ike = { .message_ids = 3 } };
	struct member m;
	struct request r;

	open_server_as(&cfg);
	m = connect_member();
	for (uint32_t i = 1; i <= 3; i++) {
		r = offered(&m, i, group[0]);
		request_free(&r);
	}
	r = request_new(&m, 4, gdoi_group_dialect(group[0]));
	write_1(&r, gdoi_group_id(group[0]));
	assert_int_equal(say_message(&r, 0), GK_ERR_SPACE);
	assert_int_equal(said.n[GDOI_OUT_PHASE1_DOWN], 1);
	assert_int_equal(server_status().sas, 0);
	assert_int_equal(server_status().pulls, 0);
	/* The member is told. */
	assert_int_equal(said.n_sent, 1);
	gk_assert_ok(
		ike_receive(m.ike, &m.path, gk_buf_slice(&said.sent[0]), now));
	assert_int_equal(ike_state(m.ike), IKE_DEAD);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* ---- the disk ----------------------------------------------------------- */

GK_TEST(rfc6407_7_2_5_04, without_a_commit_there_is_no_message_4)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	disk_full = true;
	for (int i = 0; i < 2; i++) {
		gk_assert_ok(say_message(&r, 1));
		assert_int_equal(said.n[GDOI_OUT_COMMIT], 1);
		assert_int_equal(said.n[GDOI_OUT_JOINED], 0);
		assert_int_equal(said.n_sent, 0);
	}
	assert_int_equal(server_status().registrations, 0);
	/* Message 1 gets message 2 again, as before. */
	gk_assert_ok(say_message(&r, 0));
	assert_same_octets(&r.got[0]);
	disk_full = false;
	gk_assert_ok(say_message(&r, 1));
	assert_true(said.commit_first);
	take_answer(&r, 1);
	assert_int_equal(said.n[GDOI_OUT_JOINED], 1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* The commit is under way: no second one, and no answer yet. */
GK_TEST(rfc6407_3_2_09, message_4_waits_for_its_commit)
{
	struct gdoi_output o;
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(gdoi_gcks_receive(gcks, gk_buf_slice(&r.sent[1]),
		                               &m.from, &m.local, now));
	collect();
	assert_int_equal(said.n[GDOI_OUT_COMMIT], 1);
	assert_int_equal(said.n_sent, 1);
	assert_true(said.commit_first);
	take_answer(&r, 1);
	assert_false(gdoi_gcks_poll(gcks, &o));
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* The SA ends between COMMIT and message 4: nothing is sent, nothing breaks. */
GK_TEST(rfc2408_5_15_03, an_sa_that_ends_while_the_disk_is_busy)
{
	struct member m;
	struct request r;
	struct gk_buf out;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	gk_assert_ok(gdoi_gcks_receive(gcks, gk_buf_slice(&r.sent[1]), &m.from,
	                               &m.local, now));
	gk_assert_ok(ike_delete(m.ike, now));
	out = say(m.ike);
	gk_assert_ok(gdoi_gcks_receive(gcks, gk_buf_slice(&out), &m.from,
	                               &m.local, now));
	gk_buf_free(&out);
	collect();
	assert_int_equal(said.n[GDOI_OUT_COMMIT], 1);
	assert_int_equal(said.n[GDOI_OUT_JOINED], 0);
	assert_int_equal(said.n_sent, 0);
	request_free(&r);
	disconnect(&m);
	close_server();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_1_01, a_repeated_message_gets_the_same_answer),
		GK_RUN(rfc6407_7_2_5_01,
		       repetitions_are_answered_so_often_and_no_more),
		GK_RUN(rfc6407_3_01, a_second_exchange_of_the_same_message_id),
		GK_RUN(rfc6407_7_2_5_01,
		       a_recorded_exchange_cannot_be_begun_again),
		GK_RUN(rfc6407_7_2_5_04, message_3_has_to_come_in_time),
		GK_RUN(rfc6407_7_2_5_02,
		       so_many_exchanges_at_once_under_one_sa),
		GK_RUN(rfc2408_1_7_1_01, half_open_sas_are_bounded),
		GK_RUN(rfc2408_5_2_07,
		       an_sa_whose_message_ids_are_used_up_is_given_up),
		GK_RUN(rfc6407_7_2_5_04,
		       without_a_commit_there_is_no_message_4),
		GK_RUN(rfc6407_3_2_09, message_4_waits_for_its_commit),
		GK_RUN(rfc2408_5_15_03, an_sa_that_ends_while_the_disk_is_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
