/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * Which traffic a key server may make SAs for: RFC 5374 sections 4.1.1, 4.1.3.4
 * and 4.1.3.5.  The SA of the lab is for 10.0.0.2 -> 239.1.1.1, any protocol.
 */
static struct gdoi_flow flow[2];
static struct gdoi_flow_end src[2], dst[2];

static struct gdoi_span
prefix4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, unsigned bits)
{
	struct gdoi_span s = { .first = { a, b, c, d }, .len = 4 };

	gdoi_span_prefix(&s, bits);
	return s;
}

/* From 10.0.0.0/24 to 239.1.1.0/24. */
static void
fresh(void)
{
	lab_reset();
	src[0] = src[1] =
		(struct gdoi_flow_end){ .span = prefix4(10, 0, 0, 0, 24),
		                        .port_last = UINT16_MAX };
	dst[0] = dst[1] =
		(struct gdoi_flow_end){ .span = prefix4(239, 1, 1, 0, 24),
		                        .port_last = UINT16_MAX };
	flow[0] = flow[1] = (struct gdoi_flow){
		.src = src, .dst = dst, .n_src = 1, .n_dst = 1
	};
	lab.group[0].flows = flow;
	lab.group[0].n_flows = 1;
}

static void
ends_as_member(bool yes)
{
	struct gdoi_gm_status status;

	lab_start();
	lab_join(0);
	gdoi_gm_status(lab.gm, 0, &status);
	assert_int_equal(lab_state(0), yes ? GDOI_GM_MEMBER : GDOI_GM_WAITING);
	assert_int_equal(status.n_teks, yes);
	assert_int_equal(status.unauthorised, 0);
	assert_int_equal(lab.server[0].deleted, !yes);
}

static void
joins(void)
{
	ends_as_member(true);
}

static void
is_refused(void)
{
	ends_as_member(false);
	assert_string_equal(lab.seen.why.req, "RFC5374-4.1.3.4-01");
}

GK_TEST(rfc5374_4_1_3_4_01, an_sa_within_a_flow)
{
	GK_SHOWS("RFC5374-4.1.3-02", "RFC5374-4.1.3-05", "RFC5374-4.1.3.4-02");
	fresh();
	joins();
	/* as it stands, and no more */
	fresh();
	src[0].span = prefix4(10, 0, 0, 2, 32);
	dst[0].span = prefix4(239, 1, 1, 1, 32);
	joins();
	/* one flow of two, one set of two; the others are of IPv6 */
	fresh();
	lab.group[0].n_flows = 2;
	flow[0].n_src = flow[0].n_dst = 0;
	flow[0].protocol = 17;
	flow[1].n_src = flow[1].n_dst = 2;
	src[0].span = dst[0].span = (struct gdoi_span){ .len = 16 };
	joins();
	/* any source, any destination */
	fresh();
	flow[0].n_src = flow[0].n_dst = 0;
	joins();
	fresh();
	src[0].span.len = dst[0].span.len = 0;
	joins();
	/* without a list the key server is believed */
	fresh();
	dst[0].span = prefix4(239, 2, 0, 0, 16);
	lab.group[0].n_flows = 0;
	joins();
}

GK_TEST(rfc5374_4_1_3_4_01, an_sa_outside_is_refused)
{
	GK_BREAKS("RFC5374-4.1.3-02");
	fresh();
	dst[0].span = prefix4(239, 1, 1, 2, 32);
	is_refused();
	fresh();
	src[0].span = prefix4(10, 0, 0, 3, 32);
	is_refused();
	fresh();
	flow[0].protocol = 17; /* the SA is for all protocols */
	is_refused();
	fresh();
	dst[0].port_first = dst[0].port_last = 5004; /* ... and ports */
	is_refused();
	fresh();
	dst[0].port_last = 5004; /* port 0 stands for all of them */
	is_refused();
	/* the source of one flow, the destination of another */
	fresh();
	lab.group[0].n_flows = 2;
	flow[1].src = &src[1];
	flow[1].dst = &dst[1];
	src[0].span = prefix4(10, 9, 0, 0, 16);
	dst[1].span = prefix4(239, 9, 0, 0, 16);
	is_refused();
}

/* Each of them reaches further than 10.0.0.0/24 -> 239.1.1.0/24, or elsewhere. */
GK_TEST(rfc5374_4_1_3_4_01, wider_selectors_are_refused)
{
	static const uint8_t all[8] = { 0 };
	static const uint8_t range[8] = { 239, 1, 1, 0, 239, 1, 2, 0 };
	static const uint8_t holes[8] = { 239, 1, 1, 0, 255, 0, 255, 255 };
	static const uint8_t v6[16] = { 0xff, 0x0e, [15] = 1 };
	const struct gdoi_endpoint wide[] = {
		{ ISAKMP_ID_IPV4_ADDR_SUBNET, 0, { all, 8 } },
		{ ISAKMP_ID_IPV4_ADDR_RANGE, 0, { range, 8 } },
		{ ISAKMP_ID_IPV4_ADDR_SUBNET, 0, { holes, 8 } },
		{ ISAKMP_ID_IPV6_ADDR, 0, { v6, 16 } },
		{ ISAKMP_ID_FQDN, 0, gk_slice_str("news.example") },
	};

	for (size_t i = 0; i < GK_COUNT(wide); i++) {
		fresh();
		lab.offer.sa.sat[0].ipsec.ep.dst = wide[i];
		is_refused();
	}
	fresh(); /* any source, where some are authorised */
	lab.offer.sa.sat[0].ipsec.ep.src.data.len = 0;
	is_refused();
	fresh();
	lab.offer.sa.sat[0].ipsec.ep.dst.port = 5003;
	dst[0].port_first = 5004;
	is_refused();
	fresh();
	lab.offer.sa.sat[0].ipsec.ep.dst.port = 5004;
	dst[0].port_first = dst[0].port_last = 5004;
	joins();
}

/* What is authorised is taken, the rest is not: there is a choice (4.1.3.5). */
GK_TEST(rfc5374_4_1_3_5_04, the_rest_of_a_policy_is_accepted)
{
	static const uint8_t other[4] = { 239, 9, 9, 9 };
	struct gdoi_gm_status status;
	struct gdoi_tek tek;

	fresh();
	lab_add_esp(&lab.offer, 0x102, 0x50)->ipsec.ep.dst.data.ptr = other;
	lab_start();
	lab_join(0);
	GK_SHOWS("RFC5374-4.1.3.5-05");
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	assert_true(lab_tek(0x101, &tek));
	assert_false(lab_tek(0x102, &tek));
	assert_int_equal(lab.seen.n[GDOI_OUT_UNAUTHORISED], 1);
	assert_string_equal(lab.seen.why.req, "RFC5374-4.1.3.5-04");
	gdoi_gm_status(lab.gm, 0, &status);
	assert_int_equal(status.unauthorised, 1);
}

static void
pushed(uint8_t octet, unsigned left_out)
{
	uint8_t to[4] = { 239, octet, 1, 1 };
	struct gdoi_tek tek;
	struct lab_policy p = { .seq = 1 };

	lab_add_esp(&p, 0x201, 0x60)->ipsec.ep.dst.data.ptr = to;
	gk_assert_ok(lab_push(&p));
	assert_int_equal(lab_tek(0x201, &tek), left_out == 0);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(lab.seen.n[GDOI_OUT_UNAUTHORISED], left_out);
	assert_int_equal(lab.seen.n[GDOI_OUT_REKEYED], 1);
}

GK_TEST(rfc5374_4_1_3_5_06, a_push_is_held_to_the_same_flows)
{
	fresh();
	joins();
	pushed(1, 0);
	fresh();
	joins();
	pushed(9, 1);
	assert_string_equal(lab.seen.why.req, "RFC5374-4.1.3.5-06");
}

/* Flows of one key server; the PUSH is by the one that we registered with. */
GK_TEST(rfc5374_4_1_3_02, what_one_key_server_may_another_may_not)
{
	static const uint8_t own[4] = { 10, 0, 0, 2 },
			     other[4] = { 10, 0, 0, 3 };

	fresh();
	flow[0].server = (struct gk_identity){ GK_ID_IPV4, { own, 4 } };
	joins();
	pushed(1, 0);
	fresh();
	flow[0].server = (struct gk_identity){ GK_ID_IPV4, { other, 4 } };
	is_refused();
}

/* It came before there were flows; a registration that leaves it out does not keep
 * it in use. */
GK_TEST(rfc5374_4_1_3_5_05, what_is_left_out_is_not_sent_with)
{
	static const uint8_t other[4] = { 239, 9, 9, 9 };
	struct gdoi_tek tek;

	fresh();
	lab.group[0].n_flows = 0;
	lab_add_esp(&lab.offer, 0x102, 0x50)->ipsec.ep.dst.data.ptr = other;
	lab_start();
	lab_join(0);
	assert_true(lab_tek(0x102, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	lab.group[0].n_flows = 1;
	gk_assert_ok(gdoi_gm_announced(lab.gm, 0, &lab.group[0], lab.cfg.server,
	                               lab.cfg.n_servers, lab.now));
	lab_talk();
	assert_true(lab_tek(0x102, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	gk_assert_ok(gdoi_gm_reregister(lab.gm, 0, lab.now));
	lab_talk();
	assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], 2);
	assert_int_equal(lab.seen.n[GDOI_OUT_UNAUTHORISED], 1);
	assert_true(lab_tek(0x101, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	assert_true(lab_tek(0x102, &tek));
	assert_int_equal(tek.state, GDOI_TEK_OLD);
}

/* Their traffic has no addresses. */
GK_TEST(rfc5374_4_1_3_4_01, flows_say_nothing_of_iec_61850)
{
	struct gdoi_tek tek;

	fresh();
	dst[0].span = prefix4(239, 2, 0, 0, 16);
	lab_add_iec(&lab.offer, 0x301, 0x70);
	lab_member();
	assert_true(lab_tek(0x301, &tek));
	assert_false(lab_tek(0x101, &tek));
}

/* ---- RFC 5374 section 4.1.1 ----------------------------------------------- */

static void
source(struct gdoi_endpoint *e, uint8_t type, const uint8_t *octets, size_t n,
       bool refused)
{
	lab_reset();
	*e = (struct gdoi_endpoint){ type, e->port, { octets, n } };
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0),
	                 refused ? GDOI_GM_WAITING : GDOI_GM_MEMBER);
	if (refused)
		assert_string_equal(lab.seen.why.req, "RFC5374-4.1.1-05");
}

GK_TEST(rfc5374_4_1_1_05, a_multicast_source_is_refused)
{
	static const uint8_t group[8] = { 239, 1, 1, 1, 255, 255, 255, 0 };
	static const uint8_t some[8] = { 239, 1, 1, 1, 239, 1, 1, 9 };
	static const uint8_t most[8] = { 224, 0, 0, 0, 255, 255, 255, 255 };
	static const uint8_t all[8] = { 0 };
	static const uint8_t v6[16] = { 0xff, 0x0e, [15] = 1 };
	struct gdoi_endpoints *ep = &lab.offer.sa.sat[0].ipsec.ep;
	struct lab_policy p = { .seq = 1 };

	source(&ep->src, ISAKMP_ID_IPV4_ADDR, group, 4, true);
	source(&ep->src, ISAKMP_ID_IPV4_ADDR_SUBNET, group, 8, true);
	source(&ep->src, ISAKMP_ID_IPV4_ADDR_RANGE, some, 8, true);
	source(&ep->src, ISAKMP_ID_IPV4_ADDR_RANGE, most, 8, true);
	source(&ep->src, ISAKMP_ID_IPV6_ADDR, v6, 16, true);
	source(&lab.offer.sa.sak.ep.src, ISAKMP_ID_IPV4_ADDR, group, 4, true);
	/* any source is not all of them */
	source(&ep->src, ISAKMP_ID_IPV4_ADDR_SUBNET, all, 8, false);
	/* and in a PUSH, which changes nothing then */
	lab_add_esp(&p, 0x201, 0x60)->ipsec.ep.src.data.ptr = group;
	lab_push_refused(&p, "RFC5374-4.1.1-05");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5374_4_1_3_4_01, an_sa_within_a_flow),
		GK_RUN(rfc5374_4_1_3_4_01, an_sa_outside_is_refused),
		GK_RUN(rfc5374_4_1_3_4_01, wider_selectors_are_refused),
		GK_RUN(rfc5374_4_1_3_5_04, the_rest_of_a_policy_is_accepted),
		GK_RUN(rfc5374_4_1_3_5_06, a_push_is_held_to_the_same_flows),
		GK_RUN(rfc5374_4_1_3_02,
		       what_one_key_server_may_another_may_not),
		GK_RUN(rfc5374_4_1_3_5_05, what_is_left_out_is_not_sent_with),
		GK_RUN(rfc5374_4_1_3_4_01, flows_say_nothing_of_iec_61850),
		GK_RUN(rfc5374_4_1_1_05, a_multicast_source_is_refused),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
