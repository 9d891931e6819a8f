/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_time.h"

GK_TEST(rfc4535_7_8_1, every_day_of_ten_thousand_years_round_trips)
{
	for (int64_t utc = GK_UTC_MIN; utc <= GK_UTC_MAX; utc += 86399) {
		uint8_t text[GK_ZULU_LEN];
		int64_t back = 0;

		gk_zulu_format(utc, text);
		gk_assert_ok(gk_zulu_parse(
			(struct gk_slice){ text, sizeof(text) }, &back));
		assert_true(back == utc);
	}
}

GK_TEST(rfc4535_7_8_1, known_dates)
{
	static const struct {
		const char *text;
		int64_t utc;
	} known[] = {
		{ "19700101000000Z", 0 },
		{ "20240229120000Z", 1709208000 },
		{ "00000101000000Z", GK_UTC_MIN },
		{ "99991231235959Z", GK_UTC_MAX },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		int64_t utc = 1;

		gk_assert_ok(gk_zulu_parse(gk_slice_str(known[i].text), &utc));
		assert_true(utc == known[i].utc);
	}
}

GK_TEST(rfc4535_7_8_1, what_is_no_date_is_refused)
{
	static const char *const bad[] = {
		"20230229000000Z",
		"20241301000000Z",
		"20240001000000Z",
		"20240100000000Z",
		"20240101240000Z",
		"20240101006000Z",
		"20240101000060Z",
		"2024010100000Z",
		"202401010000000",
		"2024010100000 Z",
		"",
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		int64_t utc = 77;

		gk_assert_err(GK_ERR_VALUE,
		              gk_zulu_parse(gk_slice_str(bad[i]), &utc));
		assert_true(utc == 77);
	}
}

GK_TEST(base_hex, round_trips_and_refuses_odd_and_foreign)
{
	struct gk_buf buf;
	char text[9];

	gk_assert_ok(gk_unhex(&buf, "00fFa5"));
	assert_int_equal(buf.len, 3);
	assert_string_equal(gk_hex(text, sizeof(text), gk_buf_slice(&buf)),
	                    "00ffa5");
	assert_string_equal(gk_hex(text, 4, gk_buf_slice(&buf)), "00");
	gk_buf_free(&buf);
	gk_assert_err(GK_ERR_VALUE, gk_unhex(&buf, "0"));
	gk_assert_err(GK_ERR_VALUE, gk_unhex(&buf, "0g"));
}

GK_TEST(base_buf, append_keeps_what_was_there)
{
	struct gk_buf buf = { 0 };

	gk_assert_ok(gk_buf_append(&buf, gk_slice_str("ab")));
	gk_assert_ok(gk_buf_append(&buf, gk_slice_str("")));
	gk_assert_ok(gk_buf_append(&buf, gk_slice_str("cd")));
	assert_true(gk_slice_equal(gk_buf_slice(&buf), gk_slice_str("abcd")));
	assert_true(gk_equal_secret(buf.ptr, "abcd", 4));
	assert_false(gk_equal_secret(buf.ptr, "abce", 4));
	gk_buf_free(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_8_1,
		       every_day_of_ten_thousand_years_round_trips),
		GK_RUN(rfc4535_7_8_1, known_dates),
		GK_RUN(rfc4535_7_8_1, what_is_no_date_is_refused),
		GK_RUN(base_hex, round_trips_and_refuses_odd_and_foreign),
		GK_RUN(base_buf, append_keeps_what_was_there),
	};

	return cmocka_run_group_tests_name("common/base", tests, NULL, NULL);
}
