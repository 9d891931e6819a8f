/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/nat_pair.h"

#include "gdoi/phase1/ike_private.h"

/*
 * NAT traversal (RFC 3947), and what moves with it.
 */
static void
natt(bool aggressive)
{
	configure(MODERN(PSK));
	for (int i = 0; i < 2; i++) {
		psk[i].ip_len = 0;
		config[i].natt = true;
		config[i].aggressive = aggressive;
	}
}

GK_TEST(rfc3947_3_2, without_a_nat_everything_stays_where_it_is)
{
	GK_SHOWS("RFC3947-3.2-02", "RFC3947-3.2-03");
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		struct pair p;

		nat.there = false;
		natt(aggressive);
		p = up();
		assert_int_equal(ike_path(p.i)->peer.port, 848);
		assert_int_equal(ike_path(p.r)->local.port, 848);
		assert_false(ike_nat_here(p.i) || ike_nat_there(p.i));
		assert_false(ike_nat_here(p.r) || ike_nat_there(p.r));
		pair_free(&p);
	}
}

GK_TEST(rfc3947_4, behind_a_nat_both_move_to_4500)
{
	GK_SHOWS("RFC3947-3.1-01", "RFC3947-3.2-01", "RFC3947-3.2-03",
	         "RFC3947-4-01", "RFC3947-4-02", "RFC3947-4-05", "RFC3947-4-06",
	         "RFC3947-4-09");
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		struct pair p;

		nat.there = true;
		nat.shift = 1000;
		natt(aggressive);
		p = up();
		assert_true(ike_nat_here(p.i) && !ike_nat_there(p.i));
		assert_true(ike_nat_there(p.r) && !ike_nat_here(p.r));
		assert_int_equal(ike_path(p.i)->local.port, 4500);
		assert_int_equal(ike_path(p.i)->peer.port, 4500);
		assert_int_equal(ike_path(p.r)->local.port, 4500);
		assert_int_equal(ike_path(p.r)->peer.port, 5500);
		assert_int_equal(ike_path(p.r)->peer.ip[0], 192);
		/* ID: type, protocol, port */
		assert_int_equal(p.i->own_id.ptr[2] | p.i->own_id.ptr[3], 0);
		assert_int_equal(p.r->own_id.ptr[2] | p.r->own_id.ptr[3], 0);
		pair_free(&p);
	}
}

/* The routing table chose the address; the first answer says which it was. */
GK_TEST(rfc3947_3_2, an_initiator_learns_its_own_address)
{
	struct ike_path from = path[0];
	struct pair p;

	nat.there = true;
	nat.shift = 1000;
	natt(false);
	from.local.ip_len = 0;
	p = up_from(&from);
	assert_true(ike_nat_here(p.i) && ike_nat_there(p.r));
	assert_memory_equal(ike_path(p.i)->local.ip, ip[0], 4);
	assert_int_equal(ike_path(p.i)->local.port, 4500);
	pair_free(&p);
}

GK_TEST(rfc3947_3_1, who_cannot_do_it_is_left_alone)
{
	GK_BREAKS("RFC3947-3.1-01");
	for (int without = 0; without < 2; without++) {
		struct pair p;

		nat.there = true;
		natt(false);
		config[without].natt = false;
		p = up();
		assert_int_equal(ike_path(p.i)->peer.port, 848);
		assert_false(ike_nat_here(p.i) || ike_nat_there(p.r));
		pair_free(&p);
	}
}

/* Message 5 says where the initiator has moved, once it is found to be his. */
GK_TEST(rfc3947_4_05, a_message_5_that_is_refused_moves_nothing)
{
	struct ike_output out;
	struct ike_path way;
	struct gk_buf m;
	struct pair p;

	GK_BREAKS("RFC3947-4-05");
	nat.there = true;
	nat.shift = 1000;
	natt(false);
	p = meet(&path[0]);
	for (int k = 2; k < 5; k++)
		assert_int_equal(carry(k % 2 ? p.i : p.r, k % 2 ? p.r : p.i),
		                 1);
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_SEND);
	way = arrival(true, &out.path);
	assert_int_equal(way.peer.port, 5500);
	gk_assert_ok(gk_buf_copy(&m, out.dgram));
	m.ptr[m.len - 1] ^= 1;
	assert_true(ike_receive(p.r, &way, gk_buf_slice(&m), now) != GK_OK);
	assert_int_equal(ike_path(p.r)->peer.port, 1848);
	assert_int_equal(ike_path(p.r)->local.port, 848);
	m.ptr[m.len - 1] ^= 1;
	gk_assert_ok(ike_receive(p.r, &way, gk_buf_slice(&m), now));
	assert_int_equal(ike_path(p.r)->peer.port, 5500);
	assert_int_equal(ike_path(p.r)->local.port, 4500);
	gk_buf_free(&m);
	pair_free(&p);
}

/* It is 0, and who insists on that takes no other. */
GK_TEST(rfc3947_4_09, a_port_in_an_id_is_refused)
{
	GK_BREAKS("RFC3947-4-09");
	for (int wrong = 0; wrong < 2; wrong++) {
		struct ike_output out;
		struct ike_path way;
		struct pair p;

		nat.there = true;
		nat.shift = 1000;
		natt(false);
		dialect[1].p1_id_port_accept = GDOI_P1_ID_PORT_ACCEPT_0;
		p = meet(&path[0]);
		for (int k = 2; k < 4; k++)
			(void)carry(k % 2 ? p.i : p.r, k % 2 ? p.r : p.i);
		/* Both have agreed on it; then he is one who does not know. */
		if (wrong) {
			p.i->cfg.natt = false;
			p.i->dialect.p1_id_port = GDOI_P1_ID_PORT_17_500;
		}
		assert_int_equal(carry(p.r, p.i), 1);
		assert_true(ike_poll(p.i, &out));
		way = arrival(true, &out.path);
		if (wrong) {
			assert_true(ike_receive(p.r, &way, out.dgram, now) !=
			            GK_OK);
			assert_true(ike_poll(p.r, &out));
			assert_int_equal(out.kind, IKE_OUT_REFUSED);
			assert_string_equal(out.why.req, "RFC2407-4.6.2-03");
			assert_int_equal(ike_path(p.r)->peer.port, 1848);
		} else {
			gk_assert_ok(ike_receive(p.r, &way, out.dgram, now));
			assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
		}
		pair_free(&p);
	}
}

/* The ports are known beforehand: nothing has to move. */
GK_TEST(rfc3947_4_07, what_begins_on_4500_stays_there)
{
	struct ike_path from = path[0];
	struct pair p;

	nat.there = true;
	nat.shift = 1000;
	natt(false);
	from.local.port = from.peer.port = 4500;
	p = up_from(&from);
	assert_int_equal(ike_path(p.i)->local.port, 4500);
	assert_int_equal(ike_path(p.r)->local.port, 4500);
	assert_int_equal(ike_path(p.r)->peer.port, 5500);
	pair_free(&p);
}

/* A mapping has gone: who is outside follows, and only a genuine message. */
GK_TEST(rfc3947_7, a_peer_whose_mapping_changes_is_followed)
{
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };
	struct ike_path elsewhere;
	struct ike_output out;
	struct gk_buf m;
	struct pair p;

	GK_SHOWS("RFC3947-4-03", "RFC3947-4-08", "RFC3947-7-01", "RFC3947-7-02",
	         "RFC3947-7-03");
	nat.there = true;
	nat.shift = 1000;
	natt(false);
	p = up();
	gk_assert_ok(ike_notify(p.i, &n, now));
	m = say(p.i);
	elsewhere = *ike_path(p.r);
	elsewhere.peer.port = 6666;
	/* forged: nothing moves */
	m.ptr[m.len - 1] ^= 1;
	assert_true(ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now) !=
	            GK_OK);
	assert_int_equal(ike_path(p.r)->peer.port, 5500);
	m.ptr[m.len - 1] ^= 1;
	gk_assert_ok(ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_true(out.under_sa);
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_MOVED);
	assert_int_equal(out.path.peer.port, 6666);
	/* played again from elsewhere: nothing moves */
	elsewhere.peer.port = 7777;
	gk_assert_err(GK_ERR_REPLAY,
	              ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
	assert_int_equal(ike_path(p.r)->peer.port, 6666);
	gk_buf_free(&m);
	/* What comes to the port that was left is heard, and moves nothing. */
	gk_assert_ok(ike_notify(p.i, &n, now));
	m = say(p.i);
	elsewhere.local.port = 848;
	gk_assert_ok(ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
	assert_int_equal(ike_path(p.r)->peer.port, 6666);
	assert_int_equal(ike_path(p.r)->local.port, 4500);
	gk_buf_free(&m);
	/* Who is behind the NAT follows nobody. */
	gk_assert_ok(ike_notify(p.r, &n, now));
	m = say(p.r);
	elsewhere = *ike_path(p.i);
	elsewhere.peer.port = 9999;
	gk_assert_ok(ike_receive(p.i, &elsewhere, gk_buf_slice(&m), now));
	assert_int_equal(ike_path(p.i)->peer.port, 4500);
	gk_buf_free(&m);
	pair_free(&p);
}

/* Without a NAT, and with one in front of both, nobody is followed. */
GK_TEST(rfc3947_7, nobody_else_is_followed)
{
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };

	GK_BREAKS("RFC3947-7-02");
	for (int both = 0; both < 2; both++) {
		struct ike_path elsewhere;
		struct gk_buf m;
		struct pair p;
		uint16_t port;

		nat.there = nat.both = both;
		natt(false);
		p = up();
		assert_int_equal(ike_nat_here(p.r), both);
		assert_int_equal(ike_nat_there(p.r), both);
		port = ike_path(p.r)->peer.port;
		gk_assert_ok(ike_notify(p.i, &n, now));
		m = say(p.i);
		elsewhere = *ike_path(p.r);
		elsewhere.peer.port = 6666;
		gk_assert_ok(
			ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
		assert_int_equal(ike_path(p.r)->peer.port, port);
		gk_buf_free(&m);
		pair_free(&p);
	}
	nat.both = false;
}

/* A question that was recorded is answered, for its answer may have got lost; but
 * not to where it comes from now. */
GK_TEST(rfc3706_5_5, a_recorded_question_moves_nothing)
{
	struct ike_path elsewhere;
	struct gk_buf m;
	struct pair p;

	nat.there = true;
	nat.shift = 1000;
	natt(false);
	config[0].dpd_s = 5;
	p = up();
	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	m = say(p.i);
	elsewhere = *ike_path(p.r);
	gk_assert_ok(ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
	elsewhere.peer.port = 6666;
	gk_assert_ok(ike_receive(p.r, &elsewhere, gk_buf_slice(&m), now));
	assert_int_equal(ike_path(p.r)->peer.port, 5500);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc3948_4, keepalives_come_from_behind_the_nat_when_nothing_else_does)
{
	struct ike_output out;
	struct pair p;

	nat.there = true;
	natt(false);
	p = up();
	while (ike_poll(p.i, &out) || ike_poll(p.r, &out))
		;
	assert_int_equal(ike_deadline(p.i) - now.mono_ms, 20000);
	now.mono_ms += 20000;
	gk_assert_ok(ike_tick(p.i, now));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_KEEPALIVE);
	assert_int_equal(out.dgram.len, 1);
	assert_int_equal(out.dgram.ptr[0], 0xff);
	assert_int_equal(out.path.local.port, 4500);
	assert_false(ike_poll(p.i, &out));
	assert_true(ike_deadline(p.r) - now.mono_ms > 20000);
	pair_free(&p);
}

GK_TEST(rfc3948_2_2, the_marker_is_four_octets_of_zero)
{
	uint8_t m[] = { 0, 0, 0, 0, 7, 8 }, esp[] = { 0, 0, 0, 1, 7, 8 };
	uint8_t ff = 0xff;
	struct gk_slice s = { m, sizeof(m) };

	GK_SHOWS("RFC3947-4-04");
	GK_BREAKS("RFC3947-4-04");

	assert_int_equal(ike_natt_open(&s), IKE_NATT_ISAKMP);
	assert_int_equal(s.len, 2);
	assert_int_equal(s.ptr[0], 7);
	s = (struct gk_slice){ esp, sizeof(esp) };
	assert_int_equal(ike_natt_open(&s), IKE_NATT_ESP);
	s = (struct gk_slice){ m, 3 };
	assert_int_equal(ike_natt_open(&s), IKE_NATT_ESP);
	s = (struct gk_slice){ m, 0 };
	assert_int_equal(ike_natt_open(&s), IKE_NATT_ESP);
	s = (struct gk_slice){ &ff, 1 };
	assert_int_equal(ike_natt_open(&s), IKE_NATT_KEEPALIVE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc3947_3_2, without_a_nat_everything_stays_where_it_is),
		GK_RUN(rfc3947_4, behind_a_nat_both_move_to_4500),
		GK_RUN(rfc3947_4_07, what_begins_on_4500_stays_there),
		GK_RUN(rfc3947_3_2, an_initiator_learns_its_own_address),
		GK_RUN(rfc3947_3_1, who_cannot_do_it_is_left_alone),
		GK_RUN(rfc3947_4_05, a_message_5_that_is_refused_moves_nothing),
		GK_RUN(rfc3947_4_09, a_port_in_an_id_is_refused),
		GK_RUN(rfc3947_7, a_peer_whose_mapping_changes_is_followed),
		GK_RUN(rfc3947_7, nobody_else_is_followed),
		GK_RUN(rfc3706_5_5, a_recorded_question_moves_nothing),
		GK_RUN(rfc3948_4,
		       keepalives_come_from_behind_the_nat_when_nothing_else_does),
		GK_RUN(rfc3948_2_2, the_marker_is_four_octets_of_zero),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
