/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_SPOIL_H
#define GDOI_TESTS_SPOIL_H

#include "gdoi/tests/pair.h"

#include "gdoi/phase1/ike_private.h"

/*
 * Main Mode with one thing wrong, rule by rule.  Messages 1 to 4 are in clear:
 * whoever is on the way can do this.
 *
 * Message 1: header 28; SA 28: generic 4, DOI 32, Situation 36; Proposal 40: #44,
 * protocol 45, SPI Size 46, # of Transforms 47; Transform 48: # 52, id 53,
 * attributes 56: encryption, hash, ...
 */
#define SA_AT 28
#define PROPOSAL_AT 40
#define TRANSFORM_AT 48
#define ATTRIBUTES_AT 56

static SOME struct pair p;
static SOME struct gk_buf m;

/* The exchange so far, up to and without message @n, which is in m. */
static SOME void
before_message(int n)
{
	p = (struct pair){ 0 };
	configure(MODERN(PSK));
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	for (int k = 1; k < n; k++)
		hand_on(&p, k, &m);
}

static SOME void
after_it(void)
{
	gk_buf_free(&m);
	pair_free(&p);
}

/* Message 1 as it is now. */
static SOME enum gk_err
judge_1(void)
{
	enum gk_err err = ike_respond(&env, &config[1], &path[1],
	                              gk_buf_slice(&m), now, &p.r, &why);

	if (err != GK_OK)
		assert_null(p.r);
	return err;
}

static SOME void
refused_1(const char *req)
{
	assert_true(judge_1() != GK_OK);
	assert_string_equal(why.req, req);
}

/* Message 2 and later. */
static SOME void
refused_later(struct ike *to, const char *req)
{
	enum ike_state state = ike_state(to);
	struct ike_output o;
	bool seen = false;

	assert_true(hear(to, gk_buf_slice(&m)) != GK_OK);
	while (ike_poll(to, &o)) {
		assert_true(o.kind != IKE_OUT_SEND);
		if (o.kind != IKE_OUT_REFUSED)
			continue;
		seen = true;
		assert_string_equal(o.why.req, req);
	}
	assert_true(seen);
	assert_int_equal(ike_state(to), state);
}

static SOME void
add16(size_t at, size_t n)
{
	size_t v = ((size_t)m.ptr[at] << 8 | m.ptr[at + 1]) + n;

	m.ptr[at] = (uint8_t)(v >> 8);
	m.ptr[at + 1] = (uint8_t)v;
}

/* @n octets more at @at; the lengths around it are the caller's. */
static SOME void
insert(size_t at, const void *octets, size_t n)
{
	struct gk_buf longer = { 0 };

	gk_assert_ok(gk_buf_copy(&longer, (struct gk_slice){ m.ptr, at }));
	gk_assert_ok(gk_buf_append(&longer, (struct gk_slice){ octets, n }));
	gk_assert_ok(gk_buf_append(
		&longer, (struct gk_slice){ m.ptr + at, m.len - at }));
	gk_buf_free(&m);
	m = longer;
	isakmp_header_set_length(m.ptr, (uint32_t)m.len);
}

static SOME void
insert_in_proposal(size_t at, const void *octets, size_t n)
{
	insert(at, octets, n);
	add16(SA_AT + 2, n);
	add16(PROPOSAL_AT + 2, n);
}

#endif /* GDOI_TESTS_SPOIL_H */
