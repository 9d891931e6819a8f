/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

/*
 * A member registers: where PUSHes and traffic go, RFC 6407 sections 5.3 and 5.5.
 */
static void
fresh(void)
{
	lab_reset();
	lab_start();
}

/* Where PUSHes go was announced, and the key server says otherwise. */
GK_TEST(rfc6407_3_3_05, a_rekey_sa_that_is_elsewhere)
{
	for (int what = 0; what < 8; what++) {
		struct gdoi_gm_group_config *c = &lab.group[0];
		struct gdoi_sak *sak = &lab.offer.sa.sak;

		lab_reset();
		c->rekey_dst = c->rekey_src = (struct gdoi_address){
			.ip_len = 4,
		};
		memcpy(c->rekey_dst.ip, sak->ep.dst.data.ptr, 4);
		memcpy(c->rekey_src.ip, sak->ep.src.data.ptr, 4);
		c->rekey_dst.port = sak->ep.dst.port;
		c->rekey_dst.ip[3] ^= (uint8_t)(what == 1);
		c->rekey_src.ip[3] ^= (uint8_t)(what == 2);
		c->rekey_dst.port ^= what == 3;
		if (what == 4)
			lab_no_rekey(&lab.offer);
		if (what == 5)
			c->rekey_dst.ip_len = 16;
		if (what >= 6) { /* where no port is said, 848 */
			c->rekey_dst.port = what == 6 ? 848 : 849;
			sak->ep.dst.port = 0;
		}
		lab_start();
		if (what != 0 && what != 6) {
			lab_unacceptable("RFC6407-3.3-05");
			continue;
		}
		lab_join(0);
		assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	}
}

/* It would join a group whose rekeys it never hears. */
GK_TEST(rfc6407_5_3_04, pushes_by_another_protocol)
{
	static const uint8_t refused[] = { 1, 6, 50, 255 };

	for (size_t i = 0; i < GK_COUNT(refused); i++) {
		lab_reset();
		lab.offer.sa.sak.ep.protocol = refused[i];
		lab_start();
		lab_unacceptable("RFC6407-5.3-04");
	}
	lab_reset();
	lab.offer.sa.sak.ep.protocol = 0; /* nothing was said */
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

GK_TEST(rfc6407_5_3_01, pushes_to_where_no_member_is)
{
	static const uint8_t name[] = { 'p', 'l', 'a', 'n', 't' };
	static const uint8_t net[] = { 239, 1, 1, 0, 255, 255, 255, 0 };
	static const uint8_t some[] = { 239, 1, 1, 1, 239, 1, 1, 9 };
	static const struct gdoi_endpoint refused[] = {
		{ ISAKMP_ID_FQDN, 848, { name, sizeof(name) } },
		{ ISAKMP_ID_KEY_ID, 848, { name, sizeof(name) } },
		{ ISAKMP_ID_IPV4_ADDR_SUBNET, 848, { net, sizeof(net) } },
		{ ISAKMP_ID_IPV4_ADDR_RANGE, 848, { some, sizeof(some) } },
	};
	static const uint8_t heard[][4] = { { 10, 0, 0, 1 }, { 239, 1, 1, 1 } };

	for (size_t i = 0; i < GK_COUNT(refused); i++) {
		lab_reset();
		lab.offer.sa.sak.ep.dst = refused[i];
		lab_start();
		lab_unacceptable("RFC6407-5.3-01");
	}
	/* without a port that of registration will do */
	for (size_t i = 0; i < GK_COUNT(heard); i++) {
		lab_reset();
		lab.offer.sa.sak.ep.dst = (struct gdoi_endpoint){
			ISAKMP_ID_IPV4_ADDR, 0, { heard[i], 4 }
		};
		lab_start();
		lab_join(0);
		assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
	}
}

/* Zero in a Delete means every Rekey SA, so none is called that. */
GK_TEST(rfc6407_5_3_08, cookies_of_zero)
{
	lab_reset();
	memset(lab.offer.sa.sak.spi, 0, sizeof(lab.offer.sa.sak.spi));
	lab_start();
	lab_unacceptable("RFC6407-5.3-08");
	/* one of the two may be */
	lab_reset();
	memset(lab.offer.sa.sak.spi, 0, sizeof(lab.offer.sa.sak.spi) / 2);
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

/* And in a PUSH, which changes nothing then. */
GK_TEST(rfc6407_5_3_01, a_next_rekey_sa_that_is_out_of_reach)
{
	struct lab_policy p = { .seq = 1 };

	fresh();
	lab_join(0);
	lab_add_kek(&p, 0x77, 0x70);
	p.sa.sak.ep.dst.type = ISAKMP_ID_FQDN;
	lab_push_refused(&p, "RFC6407-5.3-01");
	p.sa.sak.ep.dst.type = ISAKMP_ID_IPV4_ADDR;
	p.sa.sak.ep.protocol = 6;
	lab_push_refused(&p, "RFC6407-5.3-04");
}

/* Nothing is in it; and in the words of one peer, whose octets are turned. */
static void
backwards(uint8_t type, const uint8_t *from, const uint8_t *to, size_t len,
          const char *req)
{
	struct gdoi_endpoints *ep = &lab.offer.sa.sat[0].ipsec.ep;
	uint8_t range[32];

	for (int i = 0; i < 6; i++) {
		bool good = i >= 4;
		struct gdoi_endpoint *end = i % 2 == 0 ? &ep->dst : &ep->src;

		lab_reset();
		memcpy(range, good ? to : from, len);
		memcpy(range + len, good ? from : to, len);
		*end = (struct gdoi_endpoint){ type, 0, { range, 2 * len } };
		if (i / 2 == 1)
			lab.dialect.sat_address_order =
				GDOI_SAT_ADDRESS_ORDER_REVERSED;
		lab_start();
		if (good) {
			lab_join(0);
			assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
		} else {
			lab_unacceptable(req);
		}
	}
	lab_reset();
	lab.offer.sa.sak.ep.src =
		(struct gdoi_endpoint){ type, 0, { range, 2 * len } };
	memcpy(range, from, len);
	memcpy(range + len, to, len);
	lab_start();
	lab_unacceptable(req);
}

GK_TEST(rfc2407_4_6_2_8_01, a_range_that_ends_before_it_begins)
{
	/* turned, the first would be the last */
	static const uint8_t last[] = { 10, 1, 2, 1 };
	static const uint8_t first[] = { 10, 1, 1, 2 };

	backwards(ISAKMP_ID_IPV4_ADDR_RANGE, last, first, 4,
	          "RFC2407-4.6.2.8-01");
}

GK_TEST(rfc2407_4_6_2_9_01, a_range_that_ends_before_it_begins)
{
	static const uint8_t last[16] = { 0x20, 1, [14] = 2, [15] = 1 };
	static const uint8_t first[16] = { 0x20, 1, [14] = 1, [15] = 2 };

	backwards(ISAKMP_ID_IPV6_ADDR_RANGE, last, first, 16,
	          "RFC2407-4.6.2.9-01");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_3_05, a_rekey_sa_that_is_elsewhere),
		GK_RUN(rfc6407_5_3_04, pushes_by_another_protocol),
		GK_RUN(rfc6407_5_3_01, pushes_to_where_no_member_is),
		GK_RUN(rfc6407_5_3_08, cookies_of_zero),
		GK_RUN(rfc6407_5_3_01, a_next_rekey_sa_that_is_out_of_reach),
		GK_RUN(rfc2407_4_6_2_8_01, a_range_that_ends_before_it_begins),
		GK_RUN(rfc2407_4_6_2_9_01, a_range_that_ends_before_it_begins),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
