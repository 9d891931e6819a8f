/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include "common/daemon/gkd_addr.h"

GK_TEST(daemon_addr, texts_round_trip)
{
	static const struct {
		const char *in, *out;
	} texts[] = {
		{ "192.0.2.1", "192.0.2.1:3761" },
		{ "192.0.2.1:1", "192.0.2.1:1" },
		{ "0.0.0.0:65535", "0.0.0.0:65535" },
		{ "2001:db8::1", "[2001:db8::1]:3761" },
		{ "[2001:db8::1]", "[2001:db8::1]:3761" },
		{ "[2001:db8::1]:848", "[2001:db8::1]:848" },
		{ "::", "[::]:3761" },
		{ "fe80::1%lo", "[fe80::1%lo]:3761" },
		{ "[ff02::7%lo]:9", "[ff02::7%lo]:9" },
	};

	for (size_t i = 0; i < GK_COUNT(texts); i++) {
		struct gkd_addr addr, again;
		char text[GKD_ADDR_TEXT];

		gk_assert_ok(gkd_addr_parse(&addr, texts[i].in, 3761));
		assert_string_equal(gkd_addr_format(text, &addr), texts[i].out);
		gk_assert_ok(gkd_addr_parse(&again, text, 0));
		assert_true(gkd_addr_equal(&addr, &again));
	}
}

GK_TEST(daemon_addr, what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"",
		"localhost",
		"192.0.2",
		"192.0.2.256",
		"192.0.2.1:",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1: 1",
		"192.0.2.1:1x",
		"[192.0.2.1]:1",
		"[2001:db8::1",
		"[2001:db8::1]x",
		"[2001:db8::1]:",
		"2001:db8:::1",
		"fe80::1%no-such-if0",
		"0:00000000000000000000000000000000000000000000000000000000000::1",
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		struct gkd_addr addr;

		gk_assert_err(GK_ERR_VALUE, gkd_addr_parse(&addr, bad[i], 1));
	}
}

GK_TEST(daemon_addr, comparison_looks_at_family_host_port_and_interface)
{
	struct gkd_addr a, b;

	gk_assert_ok(gkd_addr_parse(&a, "192.0.2.1:5", 0));
	gk_assert_ok(gkd_addr_parse(&b, "192.0.2.1:6", 0));
	assert_false(gkd_addr_equal(&a, &b));
	assert_true(gkd_addr_same_host(&a, &b));
	gkd_addr_set_port(&b, 5);
	assert_true(gkd_addr_equal(&a, &b));
	gk_assert_ok(gkd_addr_parse(&b, "[::ffff:192.0.2.1]:5", 0));
	assert_false(gkd_addr_equal(&a, &b));
	gk_assert_ok(gkd_addr_parse(&a, "fe80::1%lo", 5));
	b = a;
	b.in6.sin6_scope_id++;
	assert_false(gkd_addr_equal(&a, &b));
}

GK_TEST(daemon_addr, multicast_and_any_are_known)
{
	static const struct {
		const char *text;
		bool multicast, any;
	} known[] = {
		{ "224.0.0.1", true, false },
		{ "239.255.0.1", true, false },
		{ "223.255.255.255", false, false },
		{ "0.0.0.0", false, true },
		{ "ff35::1", true, false },
		{ "fe80::1", false, false },
		{ "::", false, true },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gkd_addr addr;

		gk_assert_ok(gkd_addr_parse(&addr, known[i].text, 1));
		assert_int_equal(gkd_addr_is_multicast(&addr),
		                 known[i].multicast);
		assert_int_equal(gkd_addr_is_any(&addr), known[i].any);
	}
}

GK_TEST(daemon_addr, octets_give_the_address_back)
{
	static const uint8_t four[4] = { 192, 0, 2, 1 };
	struct gkd_addr addr;
	char text[GKD_ADDR_TEXT];

	gk_assert_ok(gkd_addr_from_octets(
		&addr, (struct gk_slice){ four, sizeof(four) }, 9));
	assert_string_equal(gkd_addr_format(text, &addr), "192.0.2.1:9");
	assert_int_equal(gkd_addr_octets(&addr).len, 4);
	gk_assert_err(
		GK_ERR_VALUE,
		gkd_addr_from_octets(&addr, (struct gk_slice){ four, 3 }, 9));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_addr, texts_round_trip),
		GK_RUN(daemon_addr, what_is_no_address_is_refused),
		GK_RUN(daemon_addr,
		       comparison_looks_at_family_host_port_and_interface),
		GK_RUN(daemon_addr, multicast_and_any_are_known),
		GK_RUN(daemon_addr, octets_give_the_address_back),
	};

	return cmocka_run_group_tests_name("common/daemon/addr", tests, NULL,
	                                   NULL);
}
