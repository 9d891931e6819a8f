/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/payload/generic.h"

/*
 * What a build with --enable-check-switches does.  The checks of this program
 * are compiled that way in every build (see Makefile.inc), so that the proof of
 * the ledger does not rest on a mechanism that nobody looks at.
 */
static struct gsakmp_reject why;

static enum gk_err
refused(uint8_t next_payload, uint8_t reserved)
{
	const struct gsakmp_generic generic = { .next_payload = next_payload,
		                                .reserved = reserved };
	const struct gsakmp_vocabulary voc = { 0 };

	return gsakmp_generic_check(&generic, &voc, &why);
}

static int
teardown(void **state)
{
	(void)state;
	return unsetenv("MSEC_CHECK_OFF");
}

GK_TEST(check_switches, everything_is_checked_unless_told_otherwise)
{
	unsetenv("MSEC_CHECK_OFF");
	assert_string_equal(gk_checks_off(), "");
	gk_assert_err(GK_ERR_VALUE, refused(0xff, 0));
	gk_assert_err(GK_ERR_RESERVED, refused(0, 1));
	setenv("MSEC_CHECK_OFF", "", 1);
	gk_assert_err(GK_ERR_VALUE, refused(0xff, 0));
}

GK_TEST(check_switches, one_check_is_left_out_and_the_next_has_its_turn)
{
	setenv("MSEC_CHECK_OFF", "RFC4535-7.2.2-01", 1);
	gk_assert_ok(refused(0xff, 0));
	gk_assert_err(GK_ERR_RESERVED, refused(0xff, 1));
	assert_string_equal(why.req, "RFC4535-7.2.2-02");
}

GK_TEST(check_switches, several_are_left_out)
{
	setenv("MSEC_CHECK_OFF",
	       "RFC4535-7-04,RFC4535-7.2.2-02,RFC4535-7.2.2-01", 1);
	gk_assert_ok(refused(0xff, 1));
}

GK_TEST(check_switches, ids_are_compared_whole)
{
	setenv("MSEC_CHECK_OFF", "RFC4535-7.2.2-012,XRFC4535-7.2.2-01", 1);
	gk_assert_err(GK_ERR_VALUE, refused(0xff, 0));
	assert_false(GK_CHECKED("RFC4535-1-01", "RFC4535-7.2.2-012"));
	assert_true(GK_CHECKED("RFC4535-1-01"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			check_switches__everything_is_checked_unless_told_otherwise,
			teardown),
		cmocka_unit_test_teardown(
			check_switches__one_check_is_left_out_and_the_next_has_its_turn,
			teardown),
		cmocka_unit_test_teardown(check_switches__several_are_left_out,
		                          teardown),
		cmocka_unit_test_teardown(
			check_switches__ids_are_compared_whole, teardown),
	};

	return cmocka_run_group_tests_name("gsakmp/check", tests, NULL, NULL);
}
