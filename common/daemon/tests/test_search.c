/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/daemon/gkd_report.h"
#include "common/daemon/gkd_search.h"

static const char *const names[] = {
	"CN=relay-1",
	"CN=relay-10,O=Lab\\, East",
	"CN=pump+UID=7,OU=a=b,O=West",
	"CN=Pump House,O=West",
	"fqdn:gate.lab.example",
	"dn:CN=lamp,O=North",
	"ipv6:2001:db8::1",
};

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

GK_TEST(daemon, who_is_meant_is_found_by_a_name_or_a_value_in_it)
{
	char said[GKD_NAME_MAX];

	assert_string_equal(ask("pump", said), names[2]);
	assert_string_equal(ask("UID=7", said), names[2]);
	assert_string_equal(ask("CN=pump+UID=7", said), names[2]);
	assert_string_equal(ask("a=b", said), names[2]);
	assert_string_equal(ask("Lab\\, East", said), names[1]);
	assert_string_equal(ask("gate.lab.example", said), names[4]);
	assert_string_equal(ask(names[4], said), names[4]);
	assert_string_equal(ask("lamp", said), names[5]);
	assert_string_equal(ask("CN=lamp,O=North", said), names[5]);
	assert_string_equal(ask("O=North", said), names[5]);
	assert_string_equal(ask("2001:db8::1", said), names[6]);
	assert_string_equal(ask("CN=relay-1", said), "CN=relay-1");
	assert_string_equal(ask("relay-1", said), "CN=relay-1");
	assert_string_equal(ask("relay-10", said), names[1]);
}

GK_TEST(daemon, who_is_not_meant_is_said)
{
	char said[GKD_NAME_MAX];

	assert_string_equal(ask("West", said), "'West' fits several");
	assert_string_equal(ask("valve", said), "'valve' is no member");
	assert_string_equal(ask("", said), "whom?");
	assert_string_equal(ask(NULL, said), "whom?");
}

/* One letter too few, and it would be somebody else. */
GK_TEST(daemon, a_fragment_means_nobody)
{
	static const char *const fragments[] = {
		"C",
		"CN",
		"CN=",
		"UID",
		"pum",
		"ump",
		"relay-",
		"Pump",
		"=",
		"7,OU",
		"East",
		"Lab",
		"gate",
		"fqdn",
		"fqdn:",
		"lab.example",
		"dn",
		"CN=lamp,",
		"lamp,O=North",
		"2001",
		"db8::1",
		"b",
		",",
	};
	char said[GKD_NAME_MAX], expected[GKD_NAME_MAX];

	for (size_t i = 0; i < GK_COUNT(fragments); i++) {
		snprintf(expected, sizeof(expected),
		         "'%s' is no member: it is a fragment of a name",
		         fragments[i]);
		assert_string_equal(ask(fragments[i], said), expected);
	}
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
		       who_is_meant_is_found_by_a_name_or_a_value_in_it),
		GK_RUN(daemon, who_is_not_meant_is_said),
		GK_RUN(daemon, a_fragment_means_nobody),
		GK_RUN(daemon, a_cause_is_one_sentence_of_what_is_known),
	};

	return cmocka_run_group_tests_name("common/daemon/search", tests, NULL,
	                                   NULL);
}
