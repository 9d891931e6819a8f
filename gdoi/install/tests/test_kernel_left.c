/* SPDX-License-Identifier: BSD-2-Clause */
/* A daemon that is killed leaves its SAs in the kernel, and the next one finds them:
 * by a kernel that keeps what it is given as Linux does. */
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/test/gk_test.h"
#include "gdoi/install/kernel.h"
#include "gdoi/install/tests/table.h"
#include "gdoi/isakmp/isakmp_registry.h"

#define REQID 70

static const uint8_t key[16] = { 1 }, integrity[32];

static unsigned bad;

static void
on_note(void *arg, bool is_bad, const char *what, const struct gdoi_xfrm *x,
        int error)
{
	(void)arg;
	(void)what;
	(void)x;
	(void)error;
	bad += is_bad;
}

/* ---- lives --------------------------------------------------------------- */

static struct gk_buf
dumped(const struct thing *t)
{
	struct nlmsghdr h = {
		.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + t->len),
		.nlmsg_type = t->state ? XFRM_MSG_NEWSA : XFRM_MSG_NEWPOLICY,
		.nlmsg_flags = NLM_F_MULTI,
	};
	struct gk_buf out = { 0 };

	gk_assert_ok(gk_buf_alloc(&out, h.nlmsg_len));
	memcpy(out.ptr, &h, sizeof(h));
	memcpy(out.ptr + NLMSG_HDRLEN, t->octets, t->len);
	return out;
}

/* A new life, which is told of all that is there. */
static struct gdoi_kernel *
live_as(const struct gdoi_kernel_config *cfg)
{
	const struct gdoi_kernel_ops ops = { kernel_send, on_note, NULL };
	struct gdoi_kernel *k = gdoi_kernel_new(cfg, &ops);

	assert_non_null(k);
	kernel.deaf = false;
	for (size_t i = 0; i < kernel.n; i++) {
		struct gk_buf m = dumped(&kernel.thing[i]);

		(void)gdoi_kernel_found(k, gk_buf_slice(&m));
		gk_buf_free(&m);
	}
	return k;
}

static struct gdoi_kernel *
live_with(uint32_t reqid)
{
	const struct gdoi_kernel_config cfg = { .reqid = reqid,
		                                .priority = 9,
		                                .window = 32 };

	return live_as(&cfg);
}

static struct gdoi_kernel *
live(void)
{
	return live_with(REQID);
}

static void
kill_it(struct gdoi_kernel *k)
{
	kernel.deaf = true;
	gdoi_kernel_free(k);
}

static void
nothing(void)
{
	kernel.n = 0;
	bad = 0;
	kernel.index = 0;
	kernel.n_lifetimes = 0;
}

/* @last: of the destination, which makes the selector; a network when it is 0. */
static void
give_and_keep(struct gdoi_kernel *k, size_t group, uint8_t last, uint8_t spi,
              enum gdoi_tek_state state, bool keep)
{
	const uint8_t one[] = { 239, 1, 1, last };
	static const uint8_t many[] = { 239, 7, 0, 0, 255, 255, 0, 0 };
	struct gdoi_sat sat = { .protocol = GDOI_PROTOCOL_ESP,
		                .spi = { 0, 0, 0, spi } };
	const struct gdoi_tek tek = { .state = state,
		                      .sat = &sat,
		                      .key = { key, 16 },
		                      .integrity = { integrity, 32 },
		                      .may_send = true };
	char why[GDOI_XFRM_WHY];

	sat.ipsec.transform = 12;
	sat.ipsec.authentication = 5;
	sat.ipsec.encapsulation = 2;
	sat.ipsec.ep.dst =
		(struct gdoi_endpoint){ ISAKMP_ID_IPV4_ADDR, 0, { one, 4 } };
	if (last == 0)
		sat.ipsec.ep.dst = (struct gdoi_endpoint){
			ISAKMP_ID_IPV4_ADDR_SUBNET, 0, { many, 8 }
		};
	assert_int_equal(gdoi_kernel_tek(k, group, &tek, 1000, why),
	                 last == 0 ? GK_ERR_POLICY : GK_OK);
	if (state == GDOI_TEK_OLD && !keep)
		gdoi_kernel_tek_wipe(k, group, &tek);
}

static void
give(struct gdoi_kernel *k, size_t group, uint8_t last, uint8_t spi,
     enum gdoi_tek_state state)
{
	give_and_keep(k, group, last, spi, state, false);
}

/* A kernel without anything, and a life with the one SA that is sent with. */
static struct gdoi_kernel *
first_life(void)
{
	struct gdoi_kernel *k;

	nothing();
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	return k;
}

/* A life that ends in order leaves nothing, and nothing went wrong. */
static void
assert_ends_with_nothing(struct gdoi_kernel *k)
{
	gdoi_kernel_free(k);
	assert_int_equal(kernel.n, 0);
	assert_int_equal(bad, 0);
}

static const struct gdoi_kek_info kek = {
	.dst = { { 239, 9, 9, 9 }, 4, 848, 0, false },
};

/* Each state has the reqid of the policies that go by it. */
static void
assert_tied(void)
{
	for (size_t i = 0; i < kernel.n; i++) {
		struct thing *t = &kernel.thing[i];
		const struct xfrm_user_tmpl *tmpl =
			(const void *)(t->octets +
		                       sizeof(struct xfrm_userpolicy_info) +
		                       sizeof(struct nlattr));
		bool found = false;

		if (t->state || kernel_policy(t)->action == XFRM_POLICY_BLOCK ||
		    t->len == sizeof(struct xfrm_userpolicy_info))
			continue;
		for (size_t k = 0; k < kernel.n; k++) {
			const struct xfrm_usersa_info *sa =
				(const void *)kernel.thing[k].octets;

			found |= kernel.thing[k].state &&
			         sa->reqid == tmpl->reqid &&
			         memcmp(&sa->id.daddr, &tmpl->id.daddr,
			                sizeof(sa->id.daddr)) == 0;
		}
		assert_true(found);
	}
}

/* ---- tests --------------------------------------------------------------- */

GK_TEST(xfrm, groups_that_come_again_in_another_order_find_their_own)
{
	static struct table before;
	struct gdoi_kernel *k;

	nothing();
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	give(k, 1, 2, 2, GDOI_TEK_CURRENT);
	give(k, 2, 3, 3, GDOI_TEK_CURRENT);
	before = kernel;
	kill_it(k);
	k = live();
	assert_int_equal(gdoi_kernel_left(k), 9);
	/* Another one may be the first of all. */
	give(k, 3, 4, 4, GDOI_TEK_CURRENT);
	give(k, 2, 3, 3, GDOI_TEK_CURRENT);
	give(k, 1, 2, 2, GDOI_TEK_CURRENT);
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	assert_tied();
	/* Their states are those that were there: the counters go on. */
	assert_int_equal(kernel.n_lifetimes, 3);
	assert_int_equal(gdoi_kernel_left(k), 0);
	gdoi_kernel_sweep(k);
	gdoi_kernel_leave(k, 3);
	kernel_assert(&before);
	assert_ends_with_nothing(k);
}

GK_TEST(xfrm, what_no_group_takes_over_is_swept)
{
	static struct table alone;
	struct gdoi_kernel *k;

	nothing();
	k = live();
	give(k, 0, 2, 2, GDOI_TEK_CURRENT);
	alone = kernel;
	give(k, 1, 1, 1, GDOI_TEK_CURRENT);
	give(k, 0, 2, 5, GDOI_TEK_RECEIVE); /* that was to follow */
	kill_it(k);
	k = live();
	give(k, 0, 2, 2, GDOI_TEK_CURRENT);
	assert_true(kernel.n > alone.n);
	assert_int_equal(gdoi_kernel_left(k), 4);
	gdoi_kernel_sweep(k);
	kernel_assert(&alone);
	assert_int_equal(gdoi_kernel_left(k), 0);
	gdoi_kernel_free(k);
	assert_int_equal(kernel.n, 0);
	/* Also where it ends before its groups had keys. */
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	kill_it(k);
	k = live();
	assert_ends_with_nothing(k);
}

/* Of others: a state, a template, a policy without one, of the same rank. */
static void
put_foreign(void)
{
	struct gdoi_xfrm x = { .family = AF_INET,
		               .dst = { 10, 0, 0, 1 },
		               .dst_bits = 32,
		               .proto = IPPROTO_ESP,
		               .spi = { 9 },
		               .reqid = REQID + 128,
		               .priority = 9 };
	struct gdoi_xfrm_message m;

	gdoi_xfrm_put_state(&m, 1, &x, false);
	assert_int_equal(kernel_send(NULL, &m), 0);
	gdoi_xfrm_put_policy(&m, 1, &x, GDOI_XFRM_IN, false, false);
	assert_int_equal(kernel_send(NULL, &m), 0);
	gdoi_xfrm_put_policy(&m, 1, &x, GDOI_XFRM_OUT, true, false);
	assert_int_equal(kernel_send(NULL, &m), 0);
	x.reqid = REQID - 1;
	x.spi[0] = 8;
	gdoi_xfrm_put_state(&m, 1, &x, false);
	assert_int_equal(kernel_send(NULL, &m), 0);
}

GK_TEST(xfrm, policies_that_name_no_sa_are_found_and_those_of_others_are_not)
{
	static struct table foreign;
	struct gdoi_kernel *k;

	nothing();
	kernel.deaf = false;
	put_foreign();
	foreign = kernel;
	k = live();
	assert_int_equal(gdoi_kernel_left(k), 0);
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	give(k, 0, 1, 1, GDOI_TEK_OLD);     /* closed: no SA */
	give(k, 1, 0, 2, GDOI_TEK_CURRENT); /* a fence */
	gdoi_kernel_kek(k, &kek, false);
	assert_int_equal(kernel.n, foreign.n + 4);
	kill_it(k);
	/* Killed again, before anything was said. */
	kill_it(live());
	k = live();
	assert_int_equal(gdoi_kernel_left(k), 4);
	/* What is wanted again stays. */
	give(k, 1, 0, 2, GDOI_TEK_CURRENT);
	gdoi_kernel_kek(k, &kek, false);
	assert_int_equal(gdoi_kernel_left(k), 2);
	gdoi_kernel_sweep(k);
	assert_int_equal(kernel.n, foreign.n + 2);
	kill_it(k);
	k = live();
	assert_int_equal(gdoi_kernel_left(k), 2);
	gdoi_kernel_sweep(k);
	kernel_assert(&foreign);
	gdoi_kernel_free(k);
	kernel_assert(&foreign);
	assert_int_equal(bad, 0);
}

/* Of the one policy for what goes out. */
static int
out_action(void)
{
	int action = -1;

	for (size_t i = 0; i < kernel.n; i++)
		if (!kernel.thing[i].state &&
		    kernel_policy(&kernel.thing[i])->dir == XFRM_POLICY_OUT)
			action = kernel_policy(&kernel.thing[i])->action;
	return action;
}

/* A registration after a restart may want an SA to wait (ATD): not one that was sent
 * with all the time. */
GK_TEST(xfrm, what_was_sent_with_is_not_stopped_by_a_restart)
{
	struct gdoi_kernel *k = first_life();

	kill_it(k);
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_RECEIVE);
	assert_int_equal(out_action(), XFRM_POLICY_ALLOW);
	assert_int_equal(gdoi_kernel_left(k), 0);
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	assert_int_equal(gdoi_kernel_blocked(k), 0);
	kill_it(k);
	/* Another one waits, and nothing leaves meanwhile. */
	k = live();
	give(k, 0, 1, 2, GDOI_TEK_RECEIVE);
	assert_int_equal(out_action(), XFRM_POLICY_BLOCK);
	assert_ends_with_nothing(k);
}

GK_TEST(xfrm, what_is_only_received_with_is_not_sent_with_by_a_restart)
{
	struct gdoi_kernel *k = first_life();

	kill_it(k);
	k = live();
	give_and_keep(k, 0, 1, 1, GDOI_TEK_OLD, true);
	assert_int_equal(out_action(), XFRM_POLICY_BLOCK);
	gdoi_kernel_leave(k, 0);
	assert_ends_with_nothing(k);
}

/* Policies that name no SA are known by their rank, too, which a configuration may
 * change: the new life has to be told of those before. */
GK_TEST(xfrm, policies_of_another_priority_are_found)
{
	struct gdoi_kernel_config cfg = { .reqid = REQID,
		                          .priority = 3000,
		                          .window = 32 };
	struct gdoi_kernel *k;

	nothing();
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	give(k, 0, 1, 1, GDOI_TEK_OLD);
	give(k, 1, 0, 2, GDOI_TEK_CURRENT);
	gdoi_kernel_kek(k, &kek, false);
	kill_it(k);
	k = live_as(&cfg);
	assert_int_equal(gdoi_kernel_left(k), 0);
	kill_it(k);
	cfg.before[0] = 5;
	cfg.before[1] = 9;
	cfg.n_before = 2;
	k = live_as(&cfg);
	assert_int_equal(gdoi_kernel_left(k), 4);
	/* What is wanted again has the new one. */
	gdoi_kernel_kek(k, &kek, false);
	assert_int_equal(gdoi_kernel_left(k), 3);
	assert_int_equal(kernel.n, 4);
	gdoi_kernel_sweep(k);
	assert_int_equal(kernel.n, 1);
	assert_int_equal(kernel_policy(&kernel.thing[0])->priority, 2999);
	gdoi_kernel_kek(k, &kek, true);
	assert_ends_with_nothing(k);
}

/* A configuration that changes 'reqid' hides nothing either, and what is taken over keeps
 * that of before, so that the state does with its counters; also a third time. */
GK_TEST(xfrm, what_had_another_reqid_is_found_and_counts_on)
{
	static struct table before;
	struct gdoi_kernel_config cfg = { .reqid = REQID + 100,
		                          .priority = 9,
		                          .window = 32 };
	struct gdoi_kernel *k;

	nothing();
	k = live();
	give(k, 0, 1, 1, GDOI_TEK_CURRENT);
	give(k, 0, 2, 2, GDOI_TEK_CURRENT);
	before = kernel;
	give(k, 1, 3, 3, GDOI_TEK_CURRENT);
	give(k, 1, 4, 4, GDOI_TEK_CURRENT);
	give(k, 1, 4, 4, GDOI_TEK_OLD);
	for (size_t i = 1; i <= 2; i++) {
		kill_it(k);
		k = live_as(&cfg);
		/* Also those of today, which have the first ones' reqid. */
		assert_int_equal(gdoi_kernel_left(k), i == 1 ? 0 : 6);
		kill_it(k);
		cfg.former[cfg.n_former++] = cfg.reqid - 100;
		k = live_as(&cfg);
		cfg.reqid += 100;
		assert_int_equal(gdoi_kernel_left(k), i == 1 ? 11 : 6);
		give(k, 2, 2, 2, GDOI_TEK_CURRENT);
		give(k, 3, 1, 1, GDOI_TEK_CURRENT);
		assert_tied();
		assert_int_equal(kernel.n_lifetimes, 2 * i);
		gdoi_kernel_sweep(k);
		kernel_assert(&before);
	}
	assert_ends_with_nothing(k);
}

static bool
share_a_block(uint32_t a, uint32_t b)
{
	uint32_t first_a, first_b;
	unsigned n_a = gdoi_kernel_blocks(a, &first_a);
	unsigned n_b = gdoi_kernel_blocks(b, &first_b);

	assert_true(n_a - 1 <= 1 && n_b - 1 <= 1);
	return first_a < first_b + n_b && first_b < first_a + n_a;
}

/* Those that a daemon would take for its own are those of one that shares a block of
 * numbers with it, and does not start beside it. */
GK_TEST(xfrm, what_another_daemon_has_is_its_own)
{
	static const uint32_t apart[] = { 1,    127,  128,     639,  640,
		                          1000, 1663, 1664,    2047, 2048,
		                          4095, 4096, 1u << 28 };

	for (size_t i = 0; i < GK_COUNT(apart); i++) {
		const uint32_t other = REQID + apart[i];
		struct gdoi_kernel *k;

		nothing();
		k = live_with(other);
		give(k, 0, 1, 1, GDOI_TEK_CURRENT);
		give(k, 0, 1, 1, GDOI_TEK_OLD);     /* closed: no SA */
		give(k, 1, 0, 2, GDOI_TEK_CURRENT); /* a fence */
		give(k, 1, 3, 3, GDOI_TEK_CURRENT);
		gdoi_kernel_kek(k, &kek, false);
		kill_it(k);
		k = live();
		if (gdoi_kernel_left(k) != 0)
			assert_true(share_a_block(REQID, other));
		if (apart[i] == GDOI_KERNEL_APART)
			assert_false(share_a_block(REQID, other));
		kill_it(k);
		k = live_with(other);
		gdoi_kernel_free(k);
		assert_int_equal(kernel.n, 0);
	}
	for (uint32_t at = 1; at < 3 * GDOI_KERNEL_APART; at += 61)
		assert_false(share_a_block(at, at + GDOI_KERNEL_APART));
	assert_true(share_a_block(848000, 848000));
	assert_true(share_a_block(848000, 848128));
	assert_true(share_a_block(848000, 849000));
}

GK_TEST(xfrm, a_dump_that_is_cut_short_is_nothing)
{
	struct gdoi_kernel *k = first_life();

	for (size_t i = 0; i < kernel.n; i++) {
		struct gk_buf m = dumped(&kernel.thing[i]);

		for (size_t n = 0; n < m.len; n++)
			assert_false(gdoi_kernel_found(
				k, (struct gk_slice){ m.ptr, n }));
		gk_buf_free(&m);
	}
	assert_int_equal(gdoi_kernel_left(k), 0);
	gdoi_kernel_free(k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(xfrm,
		       groups_that_come_again_in_another_order_find_their_own),
		GK_RUN(xfrm, what_no_group_takes_over_is_swept),
		GK_RUN(xfrm,
		       policies_that_name_no_sa_are_found_and_those_of_others_are_not),
		GK_RUN(xfrm, what_was_sent_with_is_not_stopped_by_a_restart),
		GK_RUN(xfrm,
		       what_is_only_received_with_is_not_sent_with_by_a_restart),
		GK_RUN(xfrm, policies_of_another_priority_are_found),
		GK_RUN(xfrm, what_had_another_reqid_is_found_and_counts_on),
		GK_RUN(xfrm, what_another_daemon_has_is_its_own),
		GK_RUN(xfrm, a_dump_that_is_cut_short_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
