/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

#include "gdoi/phase1/ike_private.h"

/*
 * NAT traversal (RFC 3947), dead peers (RFC 3706), and messages that come twice.
 */
/* A NAT in front of the initiator: what leaves 10.0.0.1:p comes from 192.0.2.9,
 * port @shift + p; without one everything is as it is. */
static struct {
	bool there;
	bool both; /* another one, in front of the responder */
	uint16_t shift;
} nat;

static const uint8_t published[] = { 198, 51, 100, 2 };

static struct ike_address
translated(struct ike_address a)
{
	static const uint8_t outside[] = { 192, 0, 2, 9 };

	if (!nat.there)
		return a;
	memcpy(a.ip, outside, 4);
	a.ip_len = 4;
	a.port = (uint16_t)(a.port + nat.shift);
	return a;
}

/* The way of a datagram at its receiver. */
static struct ike_path
arrival(bool at_responder, const struct ike_path *left)
{
	struct ike_path p = { .local = left->peer, .peer = left->local };

	if (nat.both)
		memcpy(at_responder ? p.local.ip : p.peer.ip,
		       at_responder ? ip[1] : published, 4);
	if (at_responder)
		p.peer = translated(p.peer);
	else if (nat.there) {
		memcpy(p.local.ip, ip[0], 4);
		p.local.port = (uint16_t)(p.local.port - nat.shift);
	}
	return p;
}

static struct ike_output last; /* of another kind than SEND */
static unsigned n_other;

/* Takes what one side says to the other; how much it was. */
static size_t
carry(struct ike *from, struct ike *to)
{
	struct gk_buf m[4] = { { 0 } };
	struct ike_path way[4];
	struct ike_output out;
	size_t n = 0;

	n_other = 0;
	while (ike_poll(from, &out)) {
		if (out.kind == IKE_OUT_SEND) {
			assert_true(n < GK_COUNT(m));
			way[n] = arrival(!ike_initiated(to), &out.path);
			gk_assert_ok(gk_buf_copy(&m[n++], out.dgram));
		} else {
			last = out;
			n_other++;
		}
	}
	for (size_t i = 0; i < n; i++) {
		gk_assert_ok(
			ike_receive(to, &way[i], gk_buf_slice(&m[i]), now));
		gk_buf_free(&m[i]);
	}
	return n;
}

static struct pair
up(void)
{
	struct ike_output out;
	struct ike_path way;
	struct pair p = { 0 };

	way = path[0];
	if (nat.both)
		memcpy(way.peer.ip, published, 4);
	gk_assert_ok(ike_initiate(&env, &config[0], &way, now, &p.i));
	assert_true(ike_poll(p.i, &out));
	way = arrival(true, &out.path);
	gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now, &p.r,
	                         &why));
	while (carry(p.r, p.i) != 0 && carry(p.i, p.r) != 0)
		;
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	return p;
}

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
	struct ike_path from = path[0], way;
	struct ike_output out;
	struct pair p = { 0 };

	nat.there = true;
	nat.shift = 1000;
	natt(false);
	from.local.ip_len = 0;
	gk_assert_ok(ike_initiate(&env, &config[0], &from, now, &p.i));
	assert_true(ike_poll(p.i, &out));
	way = arrival(true, &out.path);
	gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now, &p.r,
	                         &why));
	while (carry(p.r, p.i) != 0 && carry(p.i, p.r) != 0)
		;
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
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
	struct pair p = { 0 };
	struct gk_buf m;

	GK_BREAKS("RFC3947-4-05");
	nat.there = true;
	nat.shift = 1000;
	natt(false);
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	assert_true(ike_poll(p.i, &out));
	way = arrival(true, &out.path);
	gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now, &p.r,
	                         &why));
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
		struct pair p = { 0 };

		nat.there = true;
		nat.shift = 1000;
		natt(false);
		dialect[1].p1_id_port_accept = GDOI_P1_ID_PORT_ACCEPT_0;
		gk_assert_ok(
			ike_initiate(&env, &config[0], &path[0], now, &p.i));
		assert_true(ike_poll(p.i, &out));
		way = arrival(true, &out.path);
		gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now,
		                         &p.r, &why));
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
	struct ike_path from = path[0], way;
	struct ike_output out;
	struct pair p = { 0 };

	nat.there = true;
	nat.shift = 1000;
	natt(false);
	from.local.port = from.peer.port = 4500;
	gk_assert_ok(ike_initiate(&env, &config[0], &from, now, &p.i));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.path.peer.port, 4500);
	way = arrival(true, &out.path);
	gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now, &p.r,
	                         &why));
	while (carry(p.r, p.i) != 0 && carry(p.i, p.r) != 0)
		;
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
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

/* ---- dead peers --------------------------------------------------------- */

static struct pair
up_with_dpd(void)
{
	nat.there = false;
	configure(MODERN(PSK));
	config[0].dpd_s = 10;
	config[0].dpd_tries = 3;
	return up();
}

GK_TEST(rfc3706_5_4, a_silent_peer_is_asked_and_answers)
{
	struct pair p = up_with_dpd();

	for (int i = 0; i < 3; i++) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		assert_int_equal(carry(p.i, p.r), 1);
		assert_int_equal(carry(p.r, p.i), 1);
		/* It has been heard: nothing for another ten seconds. */
		assert_int_equal(ike_deadline(p.i) - now.mono_ms, 10000);
	}
	pair_free(&p);
}

GK_TEST(rfc3706_5_4, a_peer_that_never_answers_is_dead)
{
	struct pair p = up_with_dpd();
	struct gk_buf first = { 0 };
	struct ike_output out;
	int asked = 0;

	while (ike_state(p.i) == IKE_ESTABLISHED) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		while (ike_poll(p.i, &out)) {
			if (out.kind != IKE_OUT_SEND)
				continue;
			if (asked++ == 0)
				gk_assert_ok(gk_buf_copy(&first, out.dgram));
			/* It is the same question. */
			assert_true(gk_slice_equal(gk_buf_slice(&first),
			                           out.dgram));
		}
	}
	assert_int_equal(asked, 3);
	assert_int_equal(out.kind, IKE_OUT_PEER_DEAD);
	gk_buf_free(&first);
	pair_free(&p);
}

/* The peer is heard of before its answer comes: that is late, and right; and the
 * next question has the next number. */
GK_TEST(rfc3706_5_5, an_answer_may_be_late)
{
	const struct isakmp_notification n = { .doi = ISAKMP_DOI_GDOI,
		                               .protocol = 1,
		                               .type = 40000 };
	struct pair p = up_with_dpd();
	struct gk_buf question, answer;

	for (int i = 0; i < 2; i++) {
		now.mono_ms = ike_deadline(p.i);
		gk_assert_ok(ike_tick(p.i, now));
		question = say(p.i);
		gk_assert_ok(hear(p.r, gk_buf_slice(&question)));
		answer = say(p.r);
		gk_assert_ok(ike_notify(p.r, &n, now));
		assert_int_equal(carry(p.r, p.i), 1);
		if (i == 0)
			gk_assert_ok(hear(p.i, gk_buf_slice(&answer)));
		gk_buf_free(&question);
		gk_buf_free(&answer);
	}
	/* Never answered: it is asked again, not another one. */
	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(carry(p.i, p.r), 1);
	assert_int_equal(carry(p.r, p.i), 1);
	assert_int_equal(ike_deadline(p.i) - now.mono_ms, 10000);
	pair_free(&p);
}

/* An answer that got lost is given again; an old question is not answered. */
GK_TEST(rfc3706_5_5, questions_that_were_recorded_prove_nothing)
{
	struct pair p = up_with_dpd();
	struct gk_buf old, answer;
	struct ike_output out;

	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	old = say(p.i);
	for (int i = 0; i < 2; i++) {
		gk_assert_ok(hear(p.r, gk_buf_slice(&old)));
		answer = say(p.r);
		assert_true(answer.len != 0);
		if (i == 0)
			gk_assert_ok(hear(p.i, gk_buf_slice(&answer)));
		else /* nobody waits for it any more */
			gk_assert_err(GK_ERR_REPLAY,
			              hear(p.i, gk_buf_slice(&answer)));
		gk_buf_free(&answer);
	}
	now.mono_ms = ike_deadline(p.i);
	gk_assert_ok(ike_tick(p.i, now));
	assert_int_equal(carry(p.i, p.r), 1);
	gk_assert_err(GK_ERR_REPLAY, hear(p.r, gk_buf_slice(&old)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC3706-5.5-01");
	gk_buf_free(&old);
	pair_free(&p);
}

/* ---- twice -------------------------------------------------------------- */

GK_TEST(rfc2408_5_2_07, an_informational_that_comes_again_is_refused)
{
	const struct isakmp_delete d = { .doi = ISAKMP_DOI_GDOI,
		                         .protocol = 1,
		                         .spi_size = 4,
		                         .count = 1,
		                         .spis = gk_slice_str("SPI1") };
	struct ike_output out;
	struct gk_buf m;
	struct pair p;

	configure(MODERN(PSK));
	p = establish();
	gk_assert_ok(ike_delete_other(p.i, &d, now));
	m = say(p.i);
	gk_assert_ok(hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_int_equal(out.kind, IKE_OUT_DELETE_OTHER);
	assert_memory_equal(out.del.spis.ptr, "SPI1", 4);
	gk_assert_err(GK_ERR_REPLAY, hear(p.r, gk_buf_slice(&m)));
	assert_true(ike_poll(p.r, &out));
	assert_string_equal(out.why.req, "RFC2408-5.2-07");
	assert_false(ike_poll(p.r, &out));
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2408_3_1_16, a_message_id_is_taken_once)
{
	uint32_t id;
	struct pair p;

	configure(MODERN(PSK));
	config[0].message_ids = 100;
	p = establish();
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, 0));
	for (uint32_t i = 1; i < 100; i++)
		gk_assert_ok(ike_message_id_take(p.i, i * 2654435761U));
	for (uint32_t i = 1; i < 100; i++)
		gk_assert_err(GK_ERR_REPLAY,
		              ike_message_id_take(p.i, i * 2654435761U));
	gk_assert_ok(ike_message_id_new(p.i, &id));
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, id));
	/* It is full; it does not forget. */
	gk_assert_err(GK_ERR_SPACE, ike_message_id_take(p.i, 77));
	gk_assert_err(GK_ERR_REPLAY, ike_message_id_take(p.i, id));
	pair_free(&p);
}

/* An SA that cannot remember any more says good-bye. */
GK_TEST(rfc2408_3_1_16, an_sa_whose_memory_is_full_ends)
{
	const struct isakmp_notification n = { .doi = 2,
		                               .protocol = 1,
		                               .type = 40000 };
	struct ike_output out;
	struct pair p;
	bool deleted = false;

	configure(MODERN(PSK));
	config[1].message_ids = 2;
	nat.there = false;
	p = establish();
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(ike_notify(p.i, &n, now));
		(void)carry(p.i, p.r);
	}
	assert_int_equal(ike_state(p.r), IKE_DEAD);
	(void)carry(p.r, p.i);
	assert_int_equal(ike_state(p.i), IKE_DEAD);
	while (ike_poll(p.i, &out))
		deleted = deleted || out.kind == IKE_OUT_DELETED;
	assert_true(deleted);
	pair_free(&p);
}

/* Before the SA is there a refusal under its keys is reported, and no more. */
GK_TEST(rfc2408_5_14_04, a_peer_that_will_not_go_on_is_heard)
{
	struct ike_output out;
	struct gk_buf m;
	struct pair p = { 0 };
	struct isakmp_header h;
	uint8_t clear[ISAKMP_HEADER_LEN + 12] = { 0 };
	struct gk_wr wr;

	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_buf_free(&m);
	h = ike_header(p.i, ISAKMP_EXCHANGE_INFORMATIONAL, 5);
	h.cookie_r[0] = 1;
	h.next_payload = ISAKMP_PAYLOAD_NOTIFICATION;
	h.length = sizeof(clear);
	gk_wr_init(&wr, clear, sizeof(clear));
	isakmp_header_encode(&wr, &h);
	memcpy(clear + ISAKMP_HEADER_LEN,
	       (uint8_t[]){ 0, 0, 0, 12, 0, 0, 0, 2, 1, 0, 0, 14 }, 12);
	gk_assert_ok(hear(p.i, (struct gk_slice){ clear, sizeof(clear) }));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.kind, IKE_OUT_NOTIFIED);
	assert_int_equal(out.notification.type,
	                 ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN);
	assert_false(out.under_sa);
	assert_int_equal(ike_state(p.i), IKE_I_SA);
	pair_free(&p);
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
		GK_RUN(rfc3706_5_4, a_silent_peer_is_asked_and_answers),
		GK_RUN(rfc3706_5_4, a_peer_that_never_answers_is_dead),
		GK_RUN(rfc3706_5_5, an_answer_may_be_late),
		GK_RUN(rfc3706_5_5, questions_that_were_recorded_prove_nothing),
		GK_RUN(rfc2408_5_2_07,
		       an_informational_that_comes_again_is_refused),
		GK_RUN(rfc2408_3_1_16, a_message_id_is_taken_once),
		GK_RUN(rfc2408_3_1_16, an_sa_whose_memory_is_full_ends),
		GK_RUN(rfc2408_5_14_04, a_peer_that_will_not_go_on_is_heard),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
