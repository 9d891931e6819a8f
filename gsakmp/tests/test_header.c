/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/parsing.h"

#include <string.h>

/*
 * The GSAKMP header and the GroupID in it: RFC 4535 section 7.1.
 */

GK_TEST(rfc4535_7_1_1_01, header_fields_are_where_figure_3_has_them)
{
	size_t n = rtj();

	gk_assert_ok(parse_with(&plain, buf, n));
	assert_int_equal(msg.header.groupid.type, 1);
	assert_int_equal(msg.header.groupid.value.len, 23);
	assert_memory_equal(msg.header.groupid.value.ptr,
	                    "00112233445566ffweather", 23);
	assert_int_equal(msg.header.next_payload, 11);
	assert_int_equal(msg.header.version, 1);
	assert_int_equal(msg.header.exchange, 8);
	assert_int_equal(msg.header.sequence, 0);
	assert_int_equal(msg.header.length, n);
	assert_int_equal(msg.header.size, AT_CHAIN);
}

GK_TEST(rfc4535_7_1_2_01, unknown_groupid_type_is_payload_malformed)
{
	static const uint8_t bad[] = { 0, 5, 192, 193, 255 };
	size_t n = rtj();

	for (size_t i = 0; i < sizeof(bad); i++) {
		buf[AT_TYPE] = bad[i];
		assert_malformed("RFC4535-7.1.2-01", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_TYPE);
	}
}

static bool
never(void *ctx, struct gsakmp_groupid id)
{
	*(size_t *)ctx = id.value.len;
	return false;
}

GK_TEST(rfc4535_7_1_2_02, foreign_groupid_is_invalid_group_id)
{
	size_t seen = 0, n = rtj();
	const struct gsakmp_parse picky = { .dialect = &defaults,
		                            .groupid_known = never,
		                            .ctx = &seen };

	assert_refused(GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_INVALID_GROUP_ID,
	               "RFC4535-7.1.2-02", parse(&picky, buf, n));
	assert_int_equal(seen, 23);
}

GK_TEST(rfc4535_7_1_2_03, unknown_first_payload_is_invalid_payload_type)
{
	static const uint8_t bad[] = { 5, 7, 13, 192, 193, 200, 255 };
	size_t n = rtj();

	for (size_t i = 0; i < sizeof(bad); i++) {
		buf[AT_NEXT] = bad[i];
		assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
		               "RFC4535-7.1.2-03", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_NEXT);
	}
}

GK_TEST(rfc4535_7_1_2_04, other_version_is_invalid_version)
{
	size_t n = rtj();

	for (int v = 0; v <= 255; v++) {
		if (v == 1)
			continue;
		buf[AT_VERSION] = (uint8_t)v;
		assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_VERSION,
		               "RFC4535-7.1.2-04", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_VERSION);
	}
}

GK_TEST(rfc4535_7_1_2_06, unknown_exchange_is_invalid_exchange_type)
{
	size_t n = rtj(), refused = 0;

	for (int v = 0; v <= 255; v++) {
		if (gsakmp_dissection_find((uint8_t)v) != NULL)
			continue;
		buf[AT_EXCHANGE] = (uint8_t)v;
		assert_refused(GK_ERR_VALUE,
		               GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		               "RFC4535-7.1.2-06", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_EXCHANGE);
		refused++;
	}
	assert_int_equal(refused, 256 - GK_COUNT(exchanges));
}

GK_TEST(rfc4535_7_1_2_08, sequence_id_of_a_negotiation_is_zero)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		if (exchanges[i] == GSAKMP_EXCHANGE_REKEY_EVENT)
			continue;
		sample_fill(&s, exchanges[i], false);
		s.sequence = 1;
		assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
		               "RFC4535-7.1.2-08", parse_sample(&s));
		assert_int_equal(why.offset, AT_SEQUENCE);
	}
}

GK_TEST(rfc4535_7_1_2_09, sequence_id_of_a_rekey_event_is_not_zero)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	s.sequence = 0;
	assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
	               "RFC4535-7.1.2-09", parse_sample(&s));
	s.sequence = GSAKMP_SEQUENCE_DESTROY;
	gk_assert_ok(parse_sample(&s));
}

GK_TEST(rfc4535_7_1_2_11, lying_header_length_is_payload_malformed)
{
	size_t n = rtj();

	for (int by = -1; by <= 1; by += 2) {
		buf[AT_LENGTH + 3] = (uint8_t)(n + (size_t)by);
		assert_malformed("RFC4535-7.1.2-11", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_LENGTH);
	}
	buf[AT_LENGTH] = 0xff; /* four gigaoctets */
	assert_malformed("RFC4535-7.1.2-11", parse(&plain, buf, n));
	memset(buf + AT_LENGTH, 0, 4);
	assert_malformed("RFC4535-7.1.2-11", parse(&plain, buf, n));
}

GK_TEST(rfc4535_7_1_2_11, lying_groupid_length_is_noticed)
{
	size_t n = rtj();

	for (int v = 0; v <= 255; v++) {
		if (v == 23)
			continue;
		buf[AT_GIDLEN] = (uint8_t)v;
		assert_true(parse(&plain, buf, n) != GK_OK);
		assert_non_null(why.req);
	}
}

GK_TEST(rfc4535_7_01, header_without_a_payload_is_payload_malformed)
{
	struct sample s = { .exchange = GSAKMP_EXCHANGE_REQUEST_TO_JOIN };

	assert_malformed("RFC4535-7-01", parse_sample(&s));
}

/* GroupID ------------------------------------------------------------------ */

static enum gk_err
check_groupid(uint8_t type, const char *value, size_t len)
{
	const struct gsakmp_groupid id = { type,
		                           { (const uint8_t *)value, len } };

	return gsakmp_groupid_check(id, &defaults, 0, &why);
}

GK_TEST(rfc4535_7_1_1_1, groupid_values_have_the_shape_of_their_type)
{
	static const struct {
		uint8_t type;
		const char *value;
		size_t len;
		const char *req; /* NULL: accepted */
	} row[] = {
		{ 1, "0123456789abcdefx", 17, NULL },
		{ 1, "0123456789ABCDEFx", 17, NULL },
		{ 1, "0123456789abcdef", 16, "RFC4535-7.1.1.1.1-03" },
		{ 1, "0123456789abcdex\xc3\xa4", 18, "RFC4535-7.1.1.1.1-01" },
		{ 1, "0123456789abcdef\xc3\xa4", 18, NULL },
		{ 1, "0123456789abcdef\xc3", 17, "RFC4535-7.1.1.1.1-01" },
		{ 1, "0123456789abcdef\xed\xa0\x80", 19,
		  "RFC4535-7.1.1.1.1-01" },
		{ 2, "\0\1\2\3\4\5\6\7x", 9, NULL },
		{ 2, "\0\1\2\3\4\5\6\7", 8, "RFC4535-7.1.1.1.2-01" },
		{ 3, "\0\1\2\3\4\5\6\7\xef\1\2\3", 12, NULL },
		{ 3, "\0\1\2\3\4\5\6\7\xef\1\2", 11, "RFC4535-7.1.1.1.3-01" },
		{ 3, "\0\1\2\3\4\5\6\7\xef\1\2\3\4", 13,
		  "RFC4535-7.1.1.1.3-01" },
		{ 4, "\0\1\2\3\4\5\6\7ff0123456789abcd", 24, NULL },
		{ 4, "\0\1\2\3\4\5\6\7ff0123456789abc", 23,
		  "RFC4535-7.1.1.1.4-01" },
		{ 2, "", 0, "RFC4535-7.1.1-04" },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		enum gk_err err =
			check_groupid(row[i].type, row[i].value, row[i].len);

		if (row[i].req == NULL)
			gk_assert_ok(err);
		else
			assert_malformed(row[i].req, err);
	}
}

GK_TEST(rfc4535_7_1_1_05, generated_groupids_have_eight_random_octets)
{
	static const struct {
		enum gsakmp_groupid_type type;
		const char *tail;
		size_t len;
		const char *hex;
	} row[] = {
		{ GSAKMP_GROUPID_UTF8, "weather", 7,
		  "3030303130323033303430353036303777656174686572" },
		{ GSAKMP_GROUPID_OCTET_STRING, "x", 1, "000102030405060778" },
		{ GSAKMP_GROUPID_IPV4, "\xef\1\2\3", 4,
		  "0001020304050607ef010203" },
	};
	struct gk_buf value, want;

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gk_slice tail = { (const uint8_t *)row[i].tail,
			                 row[i].len };

		gk_assert_ok(gsakmp_groupid_generate(
			&sample_env, &defaults, row[i].type, tail, &value));
		gk_assert_ok(gk_unhex(&want, row[i].hex));
		assert_int_equal(value.len, want.len);
		assert_memory_equal(value.ptr, want.ptr, want.len);
		gk_assert_ok(check_groupid((uint8_t)row[i].type,
		                           (const char *)value.ptr, value.len));
		gk_buf_free(&value);
		gk_buf_free(&want);
	}
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_groupid_generate(&sample_env, &defaults,
	                                      GSAKMP_GROUPID_IPV4,
	                                      gk_slice_str("abc"), &value));
}

GK_TEST(rfc4535_7_1_1_1_1, raw_random_value_needs_its_dialect)
{
	const struct gsakmp_dialect raw = {
		.gid_utf8_random = GSAKMP_GID_UTF8_RANDOM_RAW16
	};
	const struct gsakmp_groupid id = {
		1, gk_slice_str("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
		                "\x0c\x0d\x0e\x0f\x10name")
	};

	gk_assert_ok(gsakmp_groupid_check(id, &raw, 0, &why));
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_groupid_check(id, &defaults, 0, &why));
}

GK_TEST(rfc4535_7_1_1_1, log_text_never_carries_control_characters)
{
	const struct gsakmp_groupid id = {
		1, gk_slice_str("0123456789abcdef\x1b[31m\"\\\xc3\xa4")
	};
	char text[80], tiny[6];

	gsakmp_groupid_text(text, sizeof(text), id);
	assert_string_equal(text, "\"\\x1b[31m\\x22\\x5c\\xc3\\xa4\" "
	                          "0123456789abcdef");
	gsakmp_groupid_text(tiny, sizeof(tiny), id);
	assert_true(strlen(tiny) < sizeof(tiny));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_1_1_01,
		       header_fields_are_where_figure_3_has_them),
		GK_RUN(rfc4535_7_1_2_01,
		       unknown_groupid_type_is_payload_malformed),
		GK_RUN(rfc4535_7_1_2_02, foreign_groupid_is_invalid_group_id),
		GK_RUN(rfc4535_7_1_2_03,
		       unknown_first_payload_is_invalid_payload_type),
		GK_RUN(rfc4535_7_1_2_04, other_version_is_invalid_version),
		GK_RUN(rfc4535_7_1_2_06,
		       unknown_exchange_is_invalid_exchange_type),
		GK_RUN(rfc4535_7_1_2_08, sequence_id_of_a_negotiation_is_zero),
		GK_RUN(rfc4535_7_1_2_09,
		       sequence_id_of_a_rekey_event_is_not_zero),
		GK_RUN(rfc4535_7_1_2_11,
		       lying_header_length_is_payload_malformed),
		GK_RUN(rfc4535_7_1_2_11, lying_groupid_length_is_noticed),
		GK_RUN(rfc4535_7_01,
		       header_without_a_payload_is_payload_malformed),
		GK_RUN(rfc4535_7_1_1_1,
		       groupid_values_have_the_shape_of_their_type),
		GK_RUN(rfc4535_7_1_1_05,
		       generated_groupids_have_eight_random_octets),
		GK_RUN(rfc4535_7_1_1_1_1, raw_random_value_needs_its_dialect),
		GK_RUN(rfc4535_7_1_1_1,
		       log_text_never_carries_control_characters),
	};

	return cmocka_run_group_tests_name("gsakmp/header", tests, NULL, NULL);
}
