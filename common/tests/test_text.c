/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_text.h"

/* Text of others, shown to people: nothing in it moves their cursor. */
static void
assert_shown(const char *text, const char *want)
{
	struct gk_slice s = gk_slice_str(text);
	char *shown = gk_visible_new(s);
	char exact[128];

	assert_non_null(shown);
	assert_string_equal(shown, want);
	assert_int_equal(gk_is_visible(s), strcmp(text, want) == 0);
	/* What is shown is what would be shown of it. */
	assert_true(gk_is_visible(gk_slice_str(shown)));
	assert_string_equal(gk_visible(exact, strlen(want) + 1, s), want);
	free(shown);
}

GK_TEST(text, ordinary_text_of_any_script_stays_as_it_is)
{
	assert_shown("", "");
	assert_shown("CN=alice, O=\"M S\\EC\" ~", "CN=alice, O=\"M S\\EC\" ~");
	assert_shown("Zo\xc3\xab \xc2\xa0\xc3\xbf",
	             "Zo\xc3\xab \xc2\xa0\xc3\xbf");
	assert_shown(
		"\xe6\x97\xa5\xe6\x9c\xac \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
		"\xe6\x97\xa5\xe6\x9c\xac \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
	assert_shown("\xf0\x9f\x94\x91", "\xf0\x9f\x94\x91");
}

GK_TEST(text, of_a_character_that_is_cut_short_nothing_is_left)
{
	static const char all[] = "a\xc3\xab\xe6\x97\xa5\xf0\x9f\x94\x91";
	static const size_t left[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10 };
	char text[16];

	for (size_t n = 0; n < sizeof(all); n++) {
		snprintf(text, n + 1, "%s", all);
		gk_text_cut(text);
		assert_int_equal(strlen(text), left[n]);
		assert_memory_equal(text, all, left[n]);
	}
	/* What was wrong before stays, to be seen. */
	snprintf(text, sizeof(text), "a\x80\x80\x80\x80");
	gk_text_cut(text);
	assert_int_equal(strlen(text), 5);
	snprintf(text, sizeof(text), "\x80");
	gk_text_cut(text);
	assert_int_equal(strlen(text), 1);
}

GK_TEST(text, control_characters_are_escaped)
{
	assert_shown("a\x1b[2Jb", "a\\u001b[2Jb");
	assert_shown("\t\n\x7f", "\\u0009\\u000a\\u007f");
	/* CSI in one character: the same without an escape. */
	assert_shown("a\xc2\x9b"
	             "2Jb",
	             "a\\u009b2Jb");
	assert_shown("\xc2\x80\xc2\x85\xc2\x9f\xc2\xa0",
	             "\\u0080\\u0085\\u009f\xc2\xa0");
}

GK_TEST(text, what_changes_the_direction_of_its_surroundings_is_escaped)
{
	assert_shown("\xe2\x80\xae"
	             "ecila\xe2\x80\xac",
	             "\\u202eecila\\u202c");
	assert_shown("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xad",
	             "\\u202a\\u202b\\u202d");
	assert_shown("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9",
	             "\\u2066\\u2067\\u2068\\u2069");
	assert_shown("\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f",
	             "\\u061c\\u200e\\u200f");
	assert_shown("\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029");
	/* The neighbours of each range are letters and signs. */
	assert_shown("\xd8\x9b\xd8\x9d\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7",
	             "\xd8\x9b\xd8\x9d\xe2\x80\x8d\xe2\x80\x90\xe2\x80\xa7");
	assert_shown("\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa",
	             "\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa");
}

GK_TEST(text, octets_that_are_no_character_are_escaped_one_by_one)
{
	assert_shown("a\x9b"
	             "2J\xff",
	             "a\\x9b2J\\xff");
	assert_shown("\xc3", "\\xc3");
	assert_shown("\xc3(", "\\xc3(");
	assert_shown("\xe2\x82", "\\xe2\\x82");
	assert_shown("\xc1\x9b\xe0\x82\x9b", "\\xc1\\x9b\\xe0\\x82\\x9b");
	assert_shown("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_shown("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_shown("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
}

/* Of what was made here the ends of lines are meant. */
GK_TEST(text, lines_of_a_document_stay_lines)
{
	char *lines = gk_visible_lines(
		gk_slice_str("{\n\t\"a\": \"\xc2\x9b\"\r\n}\n"));

	assert_non_null(lines);
	assert_string_equal(lines, "{\n\\u0009\"a\": \"\\u009b\"\\u000d\n}\n");
	free(lines);
}

/* Cut short it still is whole characters, whole escapes, and a string. */
GK_TEST(text, is_cut_between_characters)
{
	const char *text = "\xe6\x97\xa5\x1b\xc3\xab\x9b.";
	static const char *const want[] = { "", "", "", "\xe6\x97\xa5" };
	char out[32];

	for (size_t cap = 1; cap <= 4; cap++)
		assert_string_equal(gk_visible(out, cap, gk_slice_str(text)),
		                    want[cap - 1]);
	assert_string_equal(gk_visible(out, 9, gk_slice_str(text)),
	                    "\xe6\x97\xa5");
	assert_string_equal(gk_visible(out, 11, gk_slice_str(text)),
	                    "\xe6\x97\xa5\\u001b");
	out[0] = 'x';
	gk_visible(out, 0, gk_slice_str(text));
	assert_int_equal(out[0], 'x');
	/* An octet zero ends a string, and not a text. */
	assert_string_equal(
		gk_visible(out, sizeof(out),
	                   (struct gk_slice){ (const uint8_t *)"a\0b", 3 }),
		"a\\u0000b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(text, ordinary_text_of_any_script_stays_as_it_is),
		GK_RUN(text, of_a_character_that_is_cut_short_nothing_is_left),
		GK_RUN(text, control_characters_are_escaped),
		GK_RUN(text,
		       what_changes_the_direction_of_its_surroundings_is_escaped),
		GK_RUN(text,
		       octets_that_are_no_character_are_escaped_one_by_one),
		GK_RUN(text, lines_of_a_document_stay_lines),
		GK_RUN(text, is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("common/text", tests, NULL, NULL);
}
