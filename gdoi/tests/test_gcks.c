/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

/*
 * The key server engine serves: phase 1, GROUPKEY-PULL, acknowledgements, members
 * that leave.
 */
#define MID 0x01020304

GK_TEST(rfc6407_1_01, phase_1_then_four_messages_make_a_member)
{
	struct member m;
	struct request r;
	struct gdoi_pull_message a;

	open_server();
	m = connect_member();
	assert_string_equal(said.peer, "ipv4:10.0.0.1");
	r = offered(&m, MID, group[0]);
	assert_int_equal(members_of(0), 0);
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	assert_int_equal(said.n[GDOI_OUT_JOINED], 1);
	assert_string_equal(said.peer, "ipv4:10.0.0.1");
	assert_int_equal(members_of(0), 1);
	a = read_answer(&r, 1);
	assert_true(a.has_seq);
	assert_true(a.kd->n_packets >= 2);
	gdoi_pull_message_free(&a);
	assert_int_equal(server_status().registrations, 1);
	assert_int_equal(server_status().sas, 1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_2_02, nothing_of_the_group_changes_before_message_3)
{
	struct digests before;
	struct member m;
	struct request r;

	GK_SHOWS("RFC6407-7.2.5-04");
	open_server();
	m = connect_member();
	before = digests();
	for (uint32_t i = 1; i <= 10; i++) {
		r = offered(&m, i, group[0]);
		request_free(&r);
	}
	assert_memory_equal(before.of[1], digests().of[1], 32);
	assert_int_equal(members_of(0), 0);
	assert_int_equal(server_status().pulls, 10);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_2_15, without_a_rekey_sa_there_is_no_seq)
{
	struct gdoi_pull_message a;
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = request_new(&m, MID, gdoi_group_dialect(group[1]));
	write_1(&r, gdoi_group_id(group[1]));
	gk_assert_ok(say_message(&r, 0));
	a = read_answer(&r, 0);
	assert_false(a.sa->has_sak);
	gdoi_pull_message_free(&a);
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	a = read_answer(&r, 1);
	assert_false(a.has_seq);
	assert_null(isakmp_chain_find(&a.chain, ISAKMP_PAYLOAD_SEQ));
	gdoi_pull_message_free(&a);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* Exchanges under one SA have IVs of their own: they may cross. */
GK_TEST(rfc6407_3_01, two_groups_at_once_under_one_sa)
{
	struct request r[2];
	struct member m;

	open_server();
	m = connect_member();
	r[0] = offered(&m, 7, group[0]);
	r[1] = offered(&m, 8, group[1]);
	for (int i = 1; i >= 0; i--) {
		write_3(&r[i], NULL);
		gk_assert_ok(say_message(&r[i], 1));
		take_answer(&r[i], 1);
	}
	assert_int_equal(members_of(0), 1);
	assert_int_equal(members_of(1), 1);
	request_free(&r[0]);
	request_free(&r[1]);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2408_2_3_01, several_members_and_several_sas_of_one)
{
	static const uint8_t other[4] = { 10, 0, 0, 3 };
	struct member m[3];

	open_server();
	m[0] = connect_member();
	m[1] = connect_as(3, other);
	m[2] = connect_member();
	for (size_t i = 0; i < 3; i++)
		registered(&m[i], 99, group[0]);
	assert_int_equal(members_of(0), 2);
	assert_int_equal(server_status().sas, 3);
	for (size_t i = 0; i < 3; i++)
		disconnect(&m[i]);
	close_server();
}

/* RFC 6407 section 5.4.2. */
GK_TEST(rfc6407_3_4_06, the_gap_of_message_3_reaches_the_group)
{
	const struct gdoi_gap gap = { .has_request = true, .request = 3 };
	struct gdoi_pull_message a;
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, &gap);
	gk_assert_ok(say_message(&r, 1));
	a = read_answer(&r, 1);
	assert_int_equal(a.kd->n_sids, 3);
	gdoi_pull_message_free(&a);
	assert_int_equal(members_of(0), 1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* AES-256 for the group under AES-128. */
static void
strong(struct gw *w, int i)
{
	if (i == 0)
		w->template.rekey.sak.key_length = 256;
}

GK_TEST(rfc6407_7_1_2_01, phase_1_weaker_than_the_keys_is_told)
{
	const struct ike_suite strongest =
		suite_of(IKE_ENCRYPTION_AES_CBC, 256, IKE_HASH_SHA256,
	                 IKE_AUTH_PSK, IKE_GROUP_ECP256);
	const struct ike_suite triple_des =
		suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
	                 IKE_AUTH_PSK, IKE_GROUP_ECP256);
	const struct {
		const struct ike_suite *suite; /* NULL: AES-128 */
		bool weak[2];                  /* by group */
	} row[] = {
		{ NULL, { true, false } },
		{ &strongest, { false, false } },
		{ &triple_des, { true, true } },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct member m;

		phase1_suite = row[i].suite;
		shape_group = strong;
		open_server();
		phase1_suite = NULL;
		shape_group = NULL;
		m = connect_member();
		for (uint32_t k = 0; k < 2; k++) {
			registered(&m, MID + k, group[k]);
			assert_int_equal(said.weak, row[i].weak[k]);
		}
		disconnect(&m);
		close_server();
	}
}

/* The last block of phase 1 is kept as long as the SA. */
GK_TEST(rfc2409_b_09, a_pull_hours_later)
{
	struct gk_now start = now;
	struct member m;

	open_server();
	m = connect_member();
	registered(&m, MID, group[0]);
	now.mono_ms += 10 * 3600 * 1000;
	now.utc_s += 10 * 3600;
	gk_assert_ok(gdoi_gcks_tick(gcks, now));
	collect();
	registered(&m, MID + 1, group[0]);
	now = start;
	disconnect(&m);
	close_server();
}

/* ---- to and fro --------------------------------------------------------- */

GK_TEST(rfc6407_2_2_01, answers_go_where_the_datagram_came_from)
{
	struct member m;
	struct request r;

	open_server();
	m = connect_member();
	r = request_new(&m, MID, gdoi_group_dialect(group[0]));
	/* Not where something forged came from. */
	write_1(&r, gdoi_group_id(group[0]));
	m.from.handle = 0x99;
	r.m = &m;
	r.sent[0].ptr[ISAKMP_HEADER_LEN] ^= 1;
	assert_silent_refusal(&m, gk_buf_slice(&r.sent[0]), NULL);
	r.sent[0].ptr[ISAKMP_HEADER_LEN] ^= 1;
	m.from.handle = 0x77;
	gk_assert_ok(say_message(&r, 0));
	assert_int_equal(said.to[0].handle, 0x77);
	assert_int_equal(said.to[0].port, 848);
	assert_memory_equal(said.to[0].ip, m.from.ip, 4);
	assert_int_equal(said.from[0].port, 848);
	request_free(&r);
	disconnect(&m);
	close_server();
}

static void
same_place(void *ctx, const struct gdoi_group_row *row)
{
	const struct gdoi_address *at = ctx;

	assert_memory_equal(row->address.ip, at->ip, 4);
	assert_int_equal(row->address.port, at->port);
	assert_int_equal(row->address.handle, at->handle);
}

/* Who has seen a message 3, and is faster, does not get the PUSHes by unicast. */
GK_TEST(rfc8263_3_4_03, a_message_3_from_elsewhere_moves_nobody)
{
	struct member m, other;
	struct request r;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	other = m;
	other.from.ip[3] = 99;
	other.from.port = 1848;
	other.from.handle = 0x66;
	other.path.local.ip[3] = 99;
	r.m = &other;
	gk_assert_ok(say_message(&r, 1));
	assert_int_equal(said.n[GDOI_OUT_JOINED], 1);
	assert_memory_equal(said.to[0].ip, m.from.ip, 4);
	assert_int_equal(said.to[0].handle, m.from.handle);
	gdoi_group_members(group[0], same_place, &m.from);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2408_2_5_3_01, a_cookie_says_which_worker_a_datagram_is_for)
{
	struct member m;
	struct request r;
	struct gk_buf first;

	open_server();
	m = member_at(1, 0);
	gk_assert_ok(ike_initiate(&env, &config[0], &m.path, now, &m.ike));
	first = say(m.ike);
	assert_int_equal(gdoi_gcks_worker(gcks, gk_buf_slice(&first)), -1);
	gk_buf_free(&first);
	disconnect(&m);
	m = connect_member();
	r = offered(&m, MID, group[0]);
	assert_int_equal(gdoi_gcks_worker(gcks, gk_buf_slice(&r.sent[0])), 5);
	assert_int_equal(gdoi_gcks_worker(gcks, gk_slice_str("short")), -1);
	r.sent[0].ptr[18] = ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK;
	assert_int_equal(gdoi_gcks_worker(gcks, gk_buf_slice(&r.sent[0])), -1);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* RFC6407-3.4-01: it waits.  Whatever time passes, it says nothing first. */
GK_TEST(rfc6407_3_4_01, the_key_server_never_begins)
{
	struct gk_now start = now;

	open_server();
	for (int i = 0; i < 100; i++) {
		now.mono_ms += 60000;
		gk_assert_ok(gdoi_gcks_tick(gcks, now));
		collect();
		assert_int_equal(said.n_sent, 0);
	}
	assert_true(gdoi_gcks_deadline(gcks) == GK_NEVER);
	now = start;
	close_server();
}

/* ---- the end ------------------------------------------------------------ */

static void
delete_spi(struct member *m, uint8_t protocol, struct gk_slice spi)
{
	const struct isakmp_delete d = { .doi = ISAKMP_DOI_GDOI,
		                         .protocol = protocol,
		                         .spi_size = (uint8_t)spi.len,
		                         .count = 1,
		                         .spis = spi };
	struct gk_buf out;

	gk_assert_ok(ike_delete_other(m->ike, &d, now));
	out = say(m->ike);
	gk_assert_ok(tell(m, gk_buf_slice(&out)));
	gk_buf_free(&out);
}

/* Both groups: the SPI of the Rekey SA; without one, that of a TEK. */
GK_TEST(rfc2408_5_15_03, a_delete_of_what_the_group_gave_is_a_leave)
{
	struct gdoi_pull_message a;
	struct member m;
	struct request r;
	uint8_t spi[16];

	open_server();
	m = connect_member();
	for (int i = 0; i < 2; i++) {
		size_t len = i == 0 ? 16 : 4;

		r = request_new(&m, (uint32_t)(MID + i),
		                gdoi_group_dialect(group[i]));
		write_1(&r, gdoi_group_id(group[i]));
		gk_assert_ok(say_message(&r, 0));
		a = read_answer(&r, 0);
		memcpy(spi, i == 0 ? a.sa->sak.spi : a.sa->sat[0].spi, len);
		gdoi_pull_message_free(&a);
		write_3(&r, NULL);
		gk_assert_ok(say_message(&r, 1));
		request_free(&r);

		delete_spi(&m, i == 0 ? GDOI_PROTOCOL_KEK : GDOI_PROTOCOL_ESP,
		           (struct gk_slice){ spi, len });
		assert_int_equal(said.n[GDOI_OUT_LEFT], 1);
		assert_int_equal(said.n[GDOI_OUT_COMMIT], 1);
		assert_string_equal(said.peer, "ipv4:10.0.0.1");
	}
	/* What nobody gave out. */
	spi[0] ^= 0xff;
	delete_spi(&m, GDOI_PROTOCOL_KEK, (struct gk_slice){ spi, 16 });
	assert_int_equal(said.n[GDOI_OUT_LEFT], 0);
	delete_spi(&m, GDOI_PROTOCOL_KEK, (struct gk_slice){ spi, 4 });
	assert_int_equal(said.n[GDOI_OUT_LEFT], 0);
	delete_spi(&m, GDOI_PROTOCOL_AH, (struct gk_slice){ spi, 4 });
	assert_int_equal(said.n[GDOI_OUT_LEFT], 0);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc6407_3_3_05, a_delete_of_phase_1_ends_the_exchanges_under_it)
{
	struct member m;
	struct request r;
	struct gk_buf out;

	open_server();
	m = connect_member();
	r = offered(&m, MID, group[0]);
	write_3(&r, NULL);
	gk_assert_ok(ike_delete(m.ike, now));
	out = say(m.ike);
	gk_assert_ok(tell(&m, gk_buf_slice(&out)));
	gk_buf_free(&out);
	assert_int_equal(said.n[GDOI_OUT_PHASE1_DOWN], 1);
	assert_int_equal(said.n[GDOI_OUT_LEFT], 0);
	assert_int_equal(server_status().pulls, 0);
	assert_int_equal(server_status().sas, 0);
	assert_true(say_message(&r, 1) != GK_OK);
	assert_int_equal(said.n_sent, 0);
	assert_int_equal(members_of(0), 0);
	request_free(&r);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2408_5_15_01, shutdown_tells_the_peers)
{
	struct member m;

	open_server();
	m = connect_member();
	gk_assert_ok(gdoi_gcks_shutdown(gcks, now));
	collect();
	assert_int_equal(said.n_sent, 1);
	assert_int_equal(said.n[GDOI_OUT_PHASE1_DOWN], 1);
	gk_assert_ok(
		ike_receive(m.ike, &m.path, gk_buf_slice(&said.sent[0]), now));
	assert_int_equal(ike_state(m.ike), IKE_DEAD);
	disconnect(&m);
	close_server();
}

GK_TEST(rfc2407_4_6_3_3_01, initial_contact_is_passed_on_to_other_workers)
{
	struct member m;

	open_server();
	m = connect_member();
	gk_assert_ok(
		gdoi_gcks_forget(gcks, gk_slice_str("ipv4:10.0.0.7"), now));
	collect();
	assert_int_equal(server_status().sas, 1);
	gk_assert_ok(
		gdoi_gcks_forget(gcks, gk_slice_str("ipv4:10.0.0.1"), now));
	collect();
	assert_int_equal(server_status().sas, 0);
	assert_int_equal(said.n_sent, 0);
	assert_int_equal(said.n[GDOI_OUT_PHASE1_DOWN], 1);
	disconnect(&m);
	close_server();
}

/* Two wait; what needs no commit leaves meanwhile; then one makes both durable,
 * and only then they are answered. */
GK_TEST(gcks, commits_wait_for_each_other_and_nothing_else_does)
{
	struct member m[2];
	struct request r[2], other;

	open_server();
	m[0] = connect_member();
	m[1] = connect_as(7, (const uint8_t[]){ 10, 0, 0, 7 });
	for (int i = 0; i < 2; i++)
		r[i] = offered(&m[i], MID, group[0]);
	other = request_new(&m[0], MID + 1, gdoi_group_dialect(group[0]));
	assert_int_equal(gdoi_gcks_hold(gcks, true), 0);
	for (int i = 0; i < 2; i++) {
		write_3(&r[i], NULL);
		gk_assert_ok(say_message(&r[i], 1));
		assert_int_equal(said.n_sent, 0);
		assert_int_equal(said.n[GDOI_OUT_COMMIT], 0);
		assert_int_equal(said.n[GDOI_OUT_JOINED], 0);
	}
	assert_int_equal(gdoi_gcks_hold(gcks, true), 2);
	write_1(&other, gdoi_group_id(group[0]));
	gk_assert_ok(say_message(&other, 0));
	assert_int_equal(said.n_sent, 1);
	assert_int_equal(server_status().registrations, 0);

	assert_int_equal(gdoi_gcks_hold(gcks, false), 2);
	collect();
	assert_int_equal(said.n[GDOI_OUT_COMMIT], 2);
	assert_int_equal(said.n_sent, 2);
	assert_int_equal(said.n[GDOI_OUT_JOINED], 2);
	assert_int_equal(server_status().registrations, 2);
	assert_int_equal(gdoi_gcks_hold(gcks, false), 0);
	for (int i = 0; i < 2; i++) {
		request_free(&r[i]);
		disconnect(&m[i]);
	}
	request_free(&other);
	close_server();
}

/* Another thread commits: what it has done goes on, though the server still
 * holds its own; what came after that waits. */
GK_TEST(gcks, what_somebody_else_has_committed_is_not_held)
{
	struct member m[2];
	struct request r[2];
	uint64_t ticket;

	open_server();
	m[0] = connect_member();
	m[1] = connect_as(7, (const uint8_t[]){ 10, 0, 0, 7 });
	for (int i = 0; i < 2; i++)
		r[i] = offered(&m[i], MID, group[0]);
	assert_true(gk_commits_wanted(gdoi_group_commits(group[0])) == 0);
	(void)gdoi_gcks_hold(gcks, true);
	write_3(&r[0], NULL);
	gk_assert_ok(say_message(&r[0], 1));
	ticket = gk_commits_wanted(gdoi_group_commits(group[0]));
	assert_true(
		ticket != 0 &&
		!gk_commits_committed(gdoi_group_commits(group[0]), ticket));
	assert_non_null(gk_commits_begin(gdoi_group_commits(group[0]), ticket));
	write_3(&r[1], NULL);
	gk_assert_ok(say_message(&r[1], 1));
	assert_int_equal(said.n_sent, 0);

	gk_commits_end(gdoi_group_commits(group[0]), true);
	assert_true(gk_commits_committed(gdoi_group_commits(group[0]), ticket));
	collect();
	assert_int_equal(said.n[GDOI_OUT_JOINED], 1);
	assert_int_equal(said.n_sent, 1);
	assert_int_equal(gdoi_gcks_hold(gcks, true), 1);
	assert_true(gk_commits_wanted(gdoi_group_commits(group[0])) > ticket);
	for (int i = 0; i < 2; i++) {
		request_free(&r[i]);
		disconnect(&m[i]);
	}
	close_server();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_1_01, phase_1_then_four_messages_make_a_member),
		GK_RUN(rfc6407_3_2_02,
		       nothing_of_the_group_changes_before_message_3),
		GK_RUN(rfc6407_3_2_15, without_a_rekey_sa_there_is_no_seq),
		GK_RUN(rfc6407_3_01, two_groups_at_once_under_one_sa),
		GK_RUN(rfc2408_2_3_01, several_members_and_several_sas_of_one),
		GK_RUN(rfc2409_b_09, a_pull_hours_later),
		GK_RUN(rfc6407_7_1_2_01, phase_1_weaker_than_the_keys_is_told),
		GK_RUN(rfc6407_3_4_06, the_gap_of_message_3_reaches_the_group),
		GK_RUN(rfc6407_2_2_01, answers_go_where_the_datagram_came_from),
		GK_RUN(rfc8263_3_4_03, a_message_3_from_elsewhere_moves_nobody),
		GK_RUN(rfc2408_2_5_3_01,
		       a_cookie_says_which_worker_a_datagram_is_for),
		GK_RUN(rfc6407_3_4_01, the_key_server_never_begins),
		GK_RUN(rfc2408_5_15_03,
		       a_delete_of_what_the_group_gave_is_a_leave),
		GK_RUN(rfc6407_3_3_05,
		       a_delete_of_phase_1_ends_the_exchanges_under_it),
		GK_RUN(rfc2408_5_15_01, shutdown_tells_the_peers),
		GK_RUN(rfc2407_4_6_3_3_01,
		       initial_contact_is_passed_on_to_other_workers),
		GK_RUN(gcks, commits_wait_for_each_other_and_nothing_else_does),
		GK_RUN(gcks, what_somebody_else_has_committed_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
