/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "gsakmp/tests/sample.h"

#define CAP 8192

static const struct gsakmp_dialect defaults;
static const struct gsakmp_parse plain = { .dialect = &defaults };

/* Every exchange of Table 13. */
#define X(name, value, text) GSAKMP_EXCHANGE_##name,
static const uint8_t exchanges[] = { GSAKMP_EXCHANGE_LIST(X) };
#undef X

static uint8_t buf[CAP];
static struct gsakmp_message msg;
static struct gsakmp_reject why;

static enum gk_err
parse_with(const struct gsakmp_parse *with, const uint8_t *octets, size_t len)
{
	return gsakmp_message_parse(with, octets, len, &msg, &why);
}

/* From a heap block of exactly the right size, so that a sanitizer sees a read
 * of one octet too many. */
static enum gk_err
parse(const struct gsakmp_parse *with, const uint8_t *octets, size_t len)
{
	uint8_t *exact = malloc(len + 1);
	enum gk_err err;

	memcpy(exact + 1, octets, len);
	err = parse_with(with, exact + 1, len);
	free(exact);
	return err;
}

static enum gk_err
parse_sample(const struct sample *s)
{
	return parse(&plain, buf, sample_octets(s, buf, sizeof(buf)));
}

static void
assert_refused(enum gk_err want, enum gsakmp_notify notify, const char *req,
               enum gk_err err)
{
	gk_assert_err(want, err);
	assert_int_equal(why.notify, notify);
	assert_string_equal(why.req, req);
	assert_non_null(why.field);
}

#define assert_malformed(req, err) \
	assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED, req, err)

/* Header ------------------------------------------------------------------- */

/* Offsets in a sample's header: the GroupID value has 23 octets. */
enum {
	AT_TYPE = 0,
	AT_GIDLEN = 1,
	AT_VALUE = 2,
	AT_NEXT = 25,
	AT_VERSION = 26,
	AT_EXCHANGE = 27,
	AT_SEQUENCE = 28,
	AT_LENGTH = 32,
	AT_CHAIN = 36
};

static size_t
rtj(void)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	return sample_octets(&s, buf, sizeof(buf));
}

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

GK_TEST(rfc4535_7_1_2_11, lying_groupid_length_is_refused)
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

/* Chain -------------------------------------------------------------------- */

GK_TEST(rfc4535_7_2_2_03, every_truncation_is_refused_and_named)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf));

		gk_assert_ok(parse(&plain, buf, n));
		for (size_t cut = 0; cut < n; cut++) {
			assert_true(parse(&plain, buf, cut) != GK_OK);
			assert_non_null(why.field);
			assert_non_null(why.req);
			assert_true(why.offset <= cut || cut < AT_CHAIN ||
			            why.offset == AT_LENGTH);
		}
	}
}

/* The same with a header Length that agrees: it is the payloads that lie. */
GK_TEST(rfc4535_7_2_2_03, every_truncation_inside_a_true_length_is_refused)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf));

		for (size_t cut = AT_CHAIN; cut < n; cut++) {
			buf[AT_LENGTH + 2] = (uint8_t)(cut >> 8);
			buf[AT_LENGTH + 3] = (uint8_t)cut;
			gk_assert_err(GK_ERR_TRUNCATED,
			              parse(&plain, buf, cut));
			assert_string_equal(why.req, "RFC4535-7.2.2-03");
			assert_true(why.offset <= cut);
		}
	}
}

GK_TEST(rfc4535_7_05, trailing_octet_is_refused)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf));

		buf[n] = 0;
		assert_malformed("RFC4535-7.1.2-11", parse(&plain, buf, n + 1));
		buf[AT_LENGTH + 2] = (uint8_t)((n + 1) >> 8);
		buf[AT_LENGTH + 3] = (uint8_t)(n + 1);
		assert_refused(GK_ERR_TRAILING, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		               "RFC4535-7-05", parse(&plain, buf, n + 1));
	}
}

GK_TEST(rfc4535_7_2_2_03, every_payload_length_off_by_one_is_refused)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf)), at = AT_CHAIN;

		for (size_t p = 0; p < s.n; p++) {
			uint8_t *low = &buf[at + 3];

			*low = (uint8_t)(*low + 1);
			assert_true(parse(&plain, buf, n) != GK_OK);
			*low = (uint8_t)(*low - 2);
			assert_true(parse(&plain, buf, n) != GK_OK);
			*low = (uint8_t)(*low + 1);
			at += 4 + s.part[p].len;
		}
		gk_assert_ok(parse(&plain, buf, n));
	}
}

GK_TEST(rfc4535_7_2_2_03, payload_length_below_its_header_is_refused)
{
	size_t n = rtj();

	for (uint8_t len = 0; len < 4; len++) {
		buf[AT_CHAIN + 2] = 0;
		buf[AT_CHAIN + 3] = len;
		assert_malformed("RFC4535-7.2.2-03", parse(&plain, buf, n));
		assert_string_equal(why.field, "Payload Length");
	}
}

GK_TEST(rfc4535_7_2_2_01, unknown_next_payload_is_invalid_payload_type)
{
	size_t n = rtj();

	for (int v = 13; v <= 255; v++) {
		buf[AT_CHAIN] = (uint8_t)v;
		assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
		               "RFC4535-7.2.2-01", parse(&plain, buf, n));
		assert_int_equal(why.offset, AT_CHAIN);
	}
}

GK_TEST(rfc4535_7_2_2_02, reserved_octet_of_any_payload_is_zero)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf)), at = AT_CHAIN;

		for (size_t p = 0; p < s.n; p++) {
			buf[at + 1] = 1;
			assert_refused(GK_ERR_RESERVED,
			               GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			               "RFC4535-7.2.2-02",
			               parse(&plain, buf, n));
			assert_int_equal(why.offset, at + 1);
			buf[at + 1] = 0;
			at += 4 + s.part[p].len;
		}
	}
}

/* A refused message still says whom to answer, and about which attempt. */
GK_TEST(rfc4535_5_2_1_3_02, nonce_of_a_refused_message_is_found)
{
	size_t n = rtj();

	for (int behind = 0; behind <= 1; behind++) {
		/* RESERVED of Key Creation, or of the Signature behind it. */
		size_t at = behind ? AT_CHAIN + 4 + 130 + 4 + 21 : AT_CHAIN;

		buf[at + 1] = 1;
		gk_assert_err(GK_ERR_RESERVED, parse_with(&plain, buf, n));
		assert_int_equal(why.offset, at + 1);
		assert_non_null(
			gsakmp_message_nonce(&msg, GSAKMP_NONCE_INITIATOR));
		assert_int_equal(msg.nonce[1].data.len, 20);
		buf[at + 1] = 0;
	}
}

GK_TEST(rfc4535_7_04, endless_chain_of_payloads_is_refused)
{
	size_t at = rtj();

	/* Empty Vendor IDs as far as the eye can see. */
	at = AT_CHAIN;
	buf[AT_NEXT] = GSAKMP_PAYLOAD_VENDOR_ID;
	while (at < AT_CHAIN + 4 * 500) {
		buf[at++] = GSAKMP_PAYLOAD_VENDOR_ID;
		buf[at++] = 0;
		buf[at++] = 0;
		buf[at++] = 4;
	}
	buf[AT_LENGTH + 2] = (uint8_t)(at >> 8);
	buf[AT_LENGTH + 3] = (uint8_t)at;
	assert_refused(GK_ERR_SPACE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
	               "RFC4535-7-04", parse(&plain, buf, at));
}

/* Dissections -------------------------------------------------------------- */

GK_TEST(rfc4535_5_tables, every_exchange_parses_with_and_without_options)
{
	struct sample s;

	assert_int_equal(GK_COUNT(exchanges), 10);
	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		for (int optional = 0; optional <= 1; optional++) {
			sample_fill(&s, exchanges[i], optional);
			gk_assert_ok(parse_sample(&s));
			assert_int_equal(msg.n_seen, s.n);
		}
	}
}

/* For every exchange: without any one of its required payloads. */
GK_TEST(rfc4535_5_tables, missing_payload_is_payload_malformed)
{
	struct sample s, less;
	size_t dropped = 0;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], false);
		for (size_t p = 0; p < s.n; p++) {
			less = s;
			sample_drop(&less, p);
			if (less.n == 0)
				continue;
			gk_assert_err(GK_ERR_UNEXPECTED, parse_sample(&less));
			assert_int_equal(why.notify,
			                 GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
			assert_true(strncmp(why.req, "RFC4535-5.", 10) == 0);
			dropped++;
		}
	}
	assert_true(dropped > 20);
}

/* ... with any one of its payloads twice, those apart that may be. */
GK_TEST(rfc4535_7_04, doubled_payload_is_payload_malformed)
{
	struct sample s, more;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		for (size_t p = 0; p < s.n; p++) {
			uint8_t type = s.part[p].type;

			if (type == GSAKMP_PAYLOAD_VENDOR_ID ||
			    type == GSAKMP_PAYLOAD_CERTIFICATE ||
			    type == GSAKMP_PAYLOAD_REKEY_EVENT)
				continue;
			more = s;
			sample_add(&more, 0, type, s.part[p].body,
			           s.part[p].len);
			assert_refused(GK_ERR_UNEXPECTED,
			               GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			               "RFC4535-7-04", parse_sample(&more));
		}
	}
}

/* ... and with any payload that its dissection does not have. */
static size_t
foreign(const struct gsakmp_parse *with, bool accepted)
{
	static const uint16_t kinds[] = { 1, 2, 3, 23, 26, 27, 28, 29, 30, 34 };
	struct sample s, more;
	struct sample_part part;
	size_t tried = 0;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		const struct gsakmp_dissection *d =
			gsakmp_dissection_find(exchanges[i]);

		sample_fill(&s, exchanges[i], false);
		for (uint8_t type = 1; type <= 12; type++) {
			for (size_t k = 0; k < GK_COUNT(kinds); k++) {
				uint16_t kind = kinds[k];

				if (!gsakmp_code_known(GSAKMP_TABLE_PAYLOAD,
				                       NULL, type) ||
				    (type == GSAKMP_PAYLOAD_NONCE &&
				     kind > 3) ||
				    (type == GSAKMP_PAYLOAD_NOTIFICATION &&
				     (kind == 2 || kind == 3)) ||
				    gsakmp_dissection_allows(d, type, kind))
					continue;
				more = s;
				sample_part_of(&part, type, kind);
				sample_add(&more, 0, type, part.body, part.len);
				size_t n =
					sample_octets(&more, buf, sizeof(buf));

				tried++;
				if (accepted) {
					gk_assert_ok(parse(with, buf, n));
					assert_int_equal(msg.n_seen, s.n);
					if (type == GSAKMP_PAYLOAD_NONCE)
						assert_int_equal(
							msg.nonce[kind]
								.data.len,
							0);
					continue;
				}
				assert_refused(
					GK_ERR_UNEXPECTED,
					GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
					"RFC4535-7-04", parse(with, buf, n));
			}
		}
	}
	return tried;
}

GK_TEST(rfc4535_7_04, foreign_payload_is_invalid_payload_type)
{
	assert_true(foreign(&plain, false) > 100);
}

GK_TEST(rfc4535_7_04, foreign_payload_is_skipped_under_its_dialect)
{
	const struct gsakmp_dialect lax = {
		.unexpected_payload = GSAKMP_UNEXPECTED_PAYLOAD_IGNORE
	};
	const struct gsakmp_parse ignoring = { .dialect = &lax };

	assert_true(foreign(&ignoring, true) > 100);
}

GK_TEST(rfc4535_7_03, payloads_may_stand_in_any_order)
{
	struct sample s, turned;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		/* What comes before the Signature, back to front. */
		size_t n = 0;

		while (n < s.n && s.part[n].type != GSAKMP_PAYLOAD_SIGNATURE &&
		       s.part[n].type != GSAKMP_PAYLOAD_CERTIFICATE)
			n++;
		turned = s;
		for (size_t p = 0; p < n; p++)
			turned.part[p] = s.part[n - 1 - p];
		gk_assert_ok(parse_sample(&turned));
	}
}

GK_TEST(rfc4535_7_8_1_01, only_certificates_may_stand_behind_the_signature)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sample_add(&s, s.n, GSAKMP_PAYLOAD_CERTIFICATE, "\0\4x", 3);
	sample_add(&s, 0, GSAKMP_PAYLOAD_CERTIFICATE, "\0\4y", 3);
	gk_assert_ok(parse_sample(&s));
	assert_int_equal(msg.n_certificates, 2);
	assert_true(msg.certificate[0].covered);
	assert_false(msg.certificate[1].covered);

	sample_add(&s, s.n, GSAKMP_PAYLOAD_VENDOR_ID, "late", 4);
	assert_refused(GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
	               "RFC4535-7.8.1-01", parse_sample(&s));
}

GK_TEST(rfc4535_5_2_1_2_05, one_nonce_of_the_pair_is_refused)
{
	static const uint8_t pair[] = { GSAKMP_EXCHANGE_KEY_DOWNLOAD,
		                        GSAKMP_EXCHANGE_LACK_OF_ACK,
		                        GSAKMP_EXCHANGE_DEPARTURE_RESPONSE };
	struct sample s;
	struct sample_part nonce;

	for (size_t i = 0; i < sizeof(pair); i++) {
		for (uint16_t kind = 2; kind <= 3; kind++) {
			sample_fill(&s, pair[i], false);
			sample_part_of(&nonce, GSAKMP_PAYLOAD_NONCE, kind);
			sample_add(&s, 0, nonce.type, nonce.body, nonce.len);
			gk_assert_err(GK_ERR_UNEXPECTED, parse_sample(&s));
			assert_string_equal(why.field, "Nonce");
		}
	}
}

GK_TEST(rfc4535_5_2_1_1_24, either_address_may_be_given_but_not_both)
{
	struct sample s;
	struct sample_part v4, v6;

	sample_part_of(&v4, GSAKMP_PAYLOAD_NOTIFICATION, 34);
	sample_part_of(&v6, GSAKMP_PAYLOAD_NOTIFICATION, 35);
	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sample_add(&s, 0, v6.type, v6.body, v6.len);
	gk_assert_ok(parse_sample(&s));
	assert_non_null(gsakmp_message_notification(&msg, 35));
	assert_null(gsakmp_message_notification(&msg, 34));
	sample_add(&s, 0, v4.type, v4.body, v4.len);
	assert_refused(GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
	               "RFC4535-7-04", parse_sample(&s));
}

GK_TEST(rfc4535_5_2_1_05, signed_request_to_join_error_is_refused)
{
	struct sample s;
	struct sample_part sig;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR, false);
	sample_part_of(&sig, GSAKMP_PAYLOAD_SIGNATURE, 0);
	sample_add(&s, s.n, sig.type, sig.body, sig.len);
	assert_refused(GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
	               "RFC4535-7-04", parse_sample(&s));
}

/* Vendor ID ---------------------------------------------------------------- */

static void
rtj_with_x25519(struct sample *s)
{
	uint8_t kc[34] = { 0xc0, 0x02 }; /* 49154 */

	sample_fill(s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	memset(kc + 2, 9, 32);
	sample_drop(s, 0);
	sample_add(s, 0, GSAKMP_PAYLOAD_KEY_CREATION, kc, sizeof(kc));
}

GK_TEST(rfc4535_7_08, private_code_point_needs_its_vendor_id)
{
	struct sample s;
	struct gk_slice vid = gsakmp_vendor_suite();

	rtj_with_x25519(&s);
	assert_malformed("RFC4535-7.11.2-02", parse_sample(&s));
	/* Anywhere in the message will do (RFC4535-7.10.2-04). */
	sample_add(&s, 1, GSAKMP_PAYLOAD_VENDOR_ID, vid.ptr, vid.len);
	gk_assert_ok(parse_sample(&s));
	assert_true(msg.vocabulary.suite);
	assert_true(msg.vendor_id[0].familiar);
	/* And for this message only. */
	rtj_with_x25519(&s);
	assert_malformed("RFC4535-7.11.2-02", parse_sample(&s));
}

GK_TEST(rfc4535_7_10_1_04, unknown_vendor_ids_change_nothing)
{
	struct sample s;

	rtj_with_x25519(&s);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "stranger", 8);
	assert_malformed("RFC4535-7.11.2-02", parse_sample(&s));
	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "stranger", 8);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "another", 7);
	gk_assert_ok(parse_sample(&s));
	assert_int_equal(msg.n_vendor_ids, 2);
	assert_false(msg.vendor_id[0].familiar);
}

GK_TEST(rfc4535_7_10_1_06, short_vendor_id_is_noted_and_the_message_goes_on)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "abc", 3);
	gk_assert_ok(parse_sample(&s));
	assert_true(msg.vendor_id[0].short_);
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_vendor_id_check(&msg.vendor_id[0], &why));
	assert_string_equal(why.req, "RFC4535-7.10.1-06");
}

GK_TEST(rfc4535_7_10_1_03, more_vendor_ids_than_are_kept_are_no_fault)
{
	struct gk_slice vid = gsakmp_vendor_suite();
	struct sample s;

	rtj_with_x25519(&s);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, vid.ptr, vid.len);
	for (int i = 0; i < 2 * GSAKMP_VENDOR_IDS_MAX; i++)
		sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "stranger", 8);
	gk_assert_ok(parse_sample(&s));
	assert_int_equal(msg.n_vendor_ids, GSAKMP_VENDOR_IDS_MAX);
	assert_true(msg.vocabulary.suite);
}

/* Version 2 ---------------------------------------------------------------- */

/* A version 2 header of the same group, @inner octets, @after octets. */
static size_t
embed(size_t inner_len, size_t after, uint8_t *out)
{
	memcpy(out, buf, AT_CHAIN);
	out[AT_VERSION] = 2;
	out[AT_NEXT] = 99; /* version 2 has payloads of its own */
	memcpy(out + AT_CHAIN, buf, inner_len);
	memset(out + AT_CHAIN + inner_len, 0xee, after);
	return AT_CHAIN + inner_len + after;
}

GK_TEST(rfc4535_7_1_2_12, version_1_message_inside_version_2_is_found)
{
	const struct gsakmp_parse member = { .dialect = &defaults,
		                             .accept_embedded = true };
	static uint8_t outer[CAP];
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	size_t n = sample_octets(&s, buf, sizeof(buf));
	size_t total = embed(n, 9, outer);

	gk_assert_ok(parse_with(&member, outer, total));
	assert_true(msg.embedded);
	assert_int_equal(msg.outer_version, 2);
	assert_int_equal(msg.octets.len, n);
	assert_ptr_equal(msg.octets.ptr, outer + AT_CHAIN);
	assert_int_equal(msg.header.sequence, 7);
	/* Who is not asked to look inside does not. */
	assert_true(parse(&plain, outer, total) != GK_OK);
}

GK_TEST(rfc4535_7_1_2_14, version_2_message_without_version_1_is_refused)
{
	const struct gsakmp_parse member = { .dialect = &defaults,
		                             .accept_embedded = true };
	static uint8_t outer[CAP];
	size_t n = rtj(), total = embed(n, 0, outer);

	outer[AT_CHAIN + AT_VERSION] = 2;
	assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_VERSION,
	               "RFC4535-7.1.2-14", parse(&member, outer, total));
	assert_int_equal(why.offset, AT_VERSION);
	for (size_t cut = AT_CHAIN; cut < total; cut++)
		assert_true(parse(&member, outer, cut) != GK_OK);
}

/* Streams ------------------------------------------------------------------ */

GK_TEST(rfc4535_7_1_1_15, length_delimits_messages_of_a_stream)
{
	size_t n = rtj(), need = 0, asked = 0;

	for (size_t have = 0; have < n; have++) {
		gk_assert_ok(gsakmp_message_length(buf, have, CAP, &need));
		assert_true(need > have);
		asked += need == n;
	}
	assert_int_equal(asked, n - AT_CHAIN);
	gk_assert_ok(gsakmp_message_length(buf, n, CAP, &need));
	assert_int_equal(need, n);
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_message_length(buf, n, n - 1, &need));
	buf[AT_LENGTH + 2] = 0;
	buf[AT_LENGTH + 3] = AT_CHAIN - 1;
	gk_assert_err(GK_ERR_VALUE, gsakmp_message_length(buf, n, CAP, &need));
	buf[AT_GIDLEN] = 0;
	gk_assert_err(GK_ERR_VALUE, gsakmp_message_length(buf, 2, CAP, &need));
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
		GK_RUN(rfc4535_7_1_2_11, lying_groupid_length_is_refused),
		GK_RUN(rfc4535_7_01,
		       header_without_a_payload_is_payload_malformed),
		GK_RUN(rfc4535_7_1_1_1,
		       groupid_values_have_the_shape_of_their_type),
		GK_RUN(rfc4535_7_1_1_05,
		       generated_groupids_have_eight_random_octets),
		GK_RUN(rfc4535_7_1_1_1_1, raw_random_value_needs_its_dialect),
		GK_RUN(rfc4535_7_1_1_1,
		       log_text_never_carries_control_characters),
		GK_RUN(rfc4535_7_2_2_03, every_truncation_is_refused_and_named),
		GK_RUN(rfc4535_7_2_2_03,
		       every_truncation_inside_a_true_length_is_refused),
		GK_RUN(rfc4535_7_05, trailing_octet_is_refused),
		GK_RUN(rfc4535_7_2_2_03,
		       every_payload_length_off_by_one_is_refused),
		GK_RUN(rfc4535_7_2_2_03,
		       payload_length_below_its_header_is_refused),
		GK_RUN(rfc4535_7_2_2_01,
		       unknown_next_payload_is_invalid_payload_type),
		GK_RUN(rfc4535_7_2_2_02, reserved_octet_of_any_payload_is_zero),
		GK_RUN(rfc4535_5_2_1_3_02, nonce_of_a_refused_message_is_found),
		GK_RUN(rfc4535_7_04, endless_chain_of_payloads_is_refused),
		GK_RUN(rfc4535_5_tables,
		       every_exchange_parses_with_and_without_options),
		GK_RUN(rfc4535_5_tables, missing_payload_is_payload_malformed),
		GK_RUN(rfc4535_7_04, doubled_payload_is_payload_malformed),
		GK_RUN(rfc4535_7_04, foreign_payload_is_invalid_payload_type),
		GK_RUN(rfc4535_7_04,
		       foreign_payload_is_skipped_under_its_dialect),
		GK_RUN(rfc4535_7_03, payloads_may_stand_in_any_order),
		GK_RUN(rfc4535_7_8_1_01,
		       only_certificates_may_stand_behind_the_signature),
		GK_RUN(rfc4535_5_2_1_2_05, one_nonce_of_the_pair_is_refused),
		GK_RUN(rfc4535_5_2_1_1_24,
		       either_address_may_be_given_but_not_both),
		GK_RUN(rfc4535_5_2_1_05,
		       signed_request_to_join_error_is_refused),
		GK_RUN(rfc4535_7_08, private_code_point_needs_its_vendor_id),
		GK_RUN(rfc4535_7_10_1_04, unknown_vendor_ids_change_nothing),
		GK_RUN(rfc4535_7_10_1_06,
		       short_vendor_id_is_noted_and_the_message_goes_on),
		GK_RUN(rfc4535_7_10_1_03,
		       more_vendor_ids_than_are_kept_are_no_fault),
		GK_RUN(rfc4535_7_1_2_12,
		       version_1_message_inside_version_2_is_found),
		GK_RUN(rfc4535_7_1_2_14,
		       version_2_message_without_version_1_is_refused),
		GK_RUN(rfc4535_7_1_1_15, length_delimits_messages_of_a_stream),
	};

	return cmocka_run_group_tests_name("gsakmp/message", tests, NULL, NULL);
}
