/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/daemon/gkd_report.h"
#include "common/daemon/gkd_search.h"

static const char *const names[] = { "CN=relay-1", "CN=relay-10", "CN=pump" };

/* What an operator who types @name is told; the name that is meant, or why. */
static const char *
ask(const char *name, char said[GKD_NAME_MAX])
{
	json_t *request = name != NULL ? json_pack("{s:[s]}", "args", name)
	                               : json_pack("{s:[]}", "args");
	struct gkd_search s;
	char why[256] = "";
	bool good = gkd_search_start(&s, request, 0, why);

	for (size_t i = 0; good && i < GK_COUNT(names); i++)
		gkd_search_look(&s, names[i]);
	good = good && gkd_search_end(&s, "is no member", why);
	strcpy(said, good ? s.found : why);
	json_decref(request);
	return said;
}

GK_TEST(daemon, who_is_meant_is_found_by_a_name_or_a_part_of_one)
{
	char said[GKD_NAME_MAX];

	assert_string_equal(ask("pump", said), "CN=pump");
	assert_string_equal(ask("CN=relay-1", said), "CN=relay-1");
	assert_string_equal(ask("relay-10", said), "CN=relay-10");
}

GK_TEST(daemon, who_is_not_meant_is_said)
{
	char said[GKD_NAME_MAX];

	assert_string_equal(ask("relay-1", said), "'relay-1' fits several");
	assert_string_equal(ask("valve", said), "'valve' is no member");
	assert_string_equal(ask("", said), "whom?");
	assert_string_equal(ask(NULL, said), "whom?");
}

GK_TEST(daemon, a_cause_is_one_sentence_of_what_is_known)
{
	const struct gkd_cause all = { 14,
		                       "Payload-Malformed",
		                       "RFC4535-7.1",
		                       "Payload Length",
		                       28,
		                       "not decoded",
		                       "31 octets, 28 are there" };
	const struct gkd_cause field = { .field = "SPI", .detail = "" };
	const struct gkd_cause twice = { .notify_text = "INVALID-COOKIE",
		                         .text = "INVALID-COOKIE" };
	const struct gkd_cause none = { 0 };
	char text[GKD_CAUSE_TEXT];
	json_t *f = json_object();

	assert_string_equal(gkd_cause_text(text, &all),
	                    "not decoded: Payload-Malformed, Payload Length: "
	                    "31 octets, 28 are there");
	assert_string_equal(gkd_cause_text(text, &field), "SPI");
	assert_string_equal(gkd_cause_text(text, &twice), "INVALID-COOKIE");
	assert_string_equal(gkd_cause_text(text, &none), "");
	gkd_cause_add(f, &all);
	assert_int_equal(json_integer_value(json_object_get(f, "offset")), 28);
	assert_int_equal(json_integer_value(json_object_get(f, "notify")), 14);
	assert_string_equal(json_string_value(json_object_get(f, "req")),
	                    "RFC4535-7.1");
	json_decref(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon,
		       who_is_meant_is_found_by_a_name_or_a_part_of_one),
		GK_RUN(daemon, who_is_not_meant_is_said),
		GK_RUN(daemon, a_cause_is_one_sentence_of_what_is_known),
	};

	return cmocka_run_group_tests_name("common/daemon/search", tests, NULL,
	                                   NULL);
}
