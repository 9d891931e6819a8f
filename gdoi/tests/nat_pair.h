/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_NAT_PAIR_H
#define GDOI_TESTS_NAT_PAIR_H

#include "gdoi/tests/pair.h"

/* Two phase 1 engines with a network between them that may have a NAT. */

/* A NAT in front of the initiator: what leaves 10.0.0.1:p comes from 192.0.2.9,
 * port @shift + p; without one everything is as it is. */
static struct {
	bool there;
	bool both; /* another one, in front of the responder */
	uint16_t shift;
} nat;

static const uint8_t published[] = { 198, 51, 100, 2 };

static SOME struct ike_address
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
static SOME struct ike_path
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

static struct ike_output SOME last; /* of another kind than SEND */
static unsigned SOME n_other;

/* Takes what one side says to the other; how much it was. */
static SOME size_t
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

/* The initiator, which leaves by @from, and the responder, which has its message 1. */
static SOME struct pair
meet(const struct ike_path *from)
{
	struct ike_output out;
	struct ike_path way;
	struct pair p = { 0 };

	gk_assert_ok(ike_initiate(&env, &config[0], from, now, &p.i));
	assert_true(ike_poll(p.i, &out));
	assert_int_equal(out.path.peer.port, from->peer.port);
	way = arrival(true, &out.path);
	gk_assert_ok(ike_respond(&env, &config[1], &way, out.dgram, now, &p.r,
	                         &why));
	return p;
}

/* ... and all that follows message 1. */
static SOME struct pair
up_from(const struct ike_path *from)
{
	struct pair p = meet(from);

	while (carry(p.r, p.i) != 0 && carry(p.i, p.r) != 0)
		;
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	return p;
}

static SOME struct pair
up(void)
{
	struct ike_path from = path[0];

	if (nat.both)
		memcpy(from.peer.ip, published, 4);
	return up_from(&from);
}

#endif /* GDOI_TESTS_NAT_PAIR_H */
