/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "common/crypto/gk_der.h"
#include "common/crypto/gk_oid.h"

static enum gk_err
walk(const char *hex)
{
	struct gk_buf buf;
	struct gk_rd rd;
	enum gk_err err;

	gk_assert_ok(gk_unhex(&buf, hex));
	gk_rd_init(&rd, buf.ptr, buf.len);
	(void)gk_der_any(&rd, "element");
	err = gk_rd_done(&rd);
	gk_buf_free(&buf);
	return err;
}

GK_TEST(x690_10_1, only_the_shortest_definite_length)
{
	gk_assert_ok(walk("0400"));
	gk_assert_ok(walk("300602010104010a"));
	gk_assert_err(GK_ERR_VALUE, walk("0480"));       /* indefinite */
	gk_assert_err(GK_ERR_VALUE, walk("30800000"));   /* the same */
	gk_assert_err(GK_ERR_VALUE, walk("048101aa"));   /* 1 in two octets */
	gk_assert_err(GK_ERR_VALUE, walk("04820001aa")); /* leading zero */
	gk_assert_err(GK_ERR_VALUE, walk("0485000000000100")); /* absurd */
	gk_assert_err(GK_ERR_TRUNCATED, walk("0402aa"));
	gk_assert_err(GK_ERR_TRUNCATED, walk("04"));
	gk_assert_err(GK_ERR_TRUNCATED, walk(""));
	gk_assert_err(GK_ERR_TRAILING, walk("040100aa"));
	gk_assert_err(GK_ERR_VALUE, walk("1f8101aa")); /* tag above 30 */
	/* Also inside. */
	gk_assert_err(GK_ERR_VALUE, walk("3004048101aa"));
	gk_assert_err(GK_ERR_TRUNCATED, walk("30030402aa"));
}

GK_TEST(x690_10_1, nesting_has_a_limit)
{
	uint8_t deep[2 * 64];
	struct gk_rd rd;

	for (size_t i = 0; i < 64; i++) {
		deep[2 * i] = 0x30;
		deep[2 * i + 1] = (uint8_t)(2 * (63 - i));
	}
	gk_rd_init(&rd, deep, sizeof(deep));
	(void)gk_der_any(&rd, "element");
	gk_assert_err(GK_ERR_VALUE, gk_rd_done(&rd));
	gk_rd_init(&rd, deep + 2 * 40, 2 * 24);
	(void)gk_der_any(&rd, "element");
	gk_assert_ok(gk_rd_done(&rd));
}

GK_TEST(x690_11_6, set_of_must_be_sorted)
{
	static const struct {
		const char *hex;
		enum gk_err want;
	} known[] = {
		{ "", GK_OK },
		{ "020101", GK_OK },
		{ "020101020102", GK_OK },
		{ "020101020101", GK_OK },
		{ "020102020101", GK_ERR_VALUE },
		{ "04010102020100", GK_ERR_VALUE },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_buf buf;
		struct gk_rd rd;

		gk_assert_ok(gk_unhex(&buf, known[i].hex));
		gk_rd_init(&rd, buf.ptr, buf.len);
		gk_der_set_of(&rd, "set");
		gk_assert_err(known[i].want, rd.fault.err);
		gk_buf_free(&buf);
	}
}

GK_TEST(x690_8_3, integers_are_minimal)
{
	static const uint8_t good[][3] = { { 0x00, 0x80, 0 },
		                           { 0xff, 0x7f, 0 } };
	static const uint8_t bad[][3] = { { 0x00, 0x7f, 0 },
		                          { 0xff, 0x80, 0 } };
	static const uint8_t max[] = { 2, 4, 0x7f, 0xff, 0xff, 0xff };
	static const uint8_t over[] = { 2, 5, 0, 0x80, 0, 0, 0 };
	static const uint8_t minus[] = { 2, 1, 0xff };
	struct gk_rd rd;

	for (size_t i = 0; i < 2; i++) {
		assert_true(gk_der_integer_ok((struct gk_slice){ good[i], 2 }));
		assert_false(gk_der_integer_ok((struct gk_slice){ bad[i], 2 }));
	}
	assert_false(gk_der_integer_ok((struct gk_slice){ bad[0], 0 }));
	gk_rd_init(&rd, max, sizeof(max));
	assert_int_equal(gk_der_small(&rd, "n"), INT32_MAX);
	gk_assert_ok(gk_rd_done(&rd));
	gk_rd_init(&rd, over, sizeof(over));
	assert_int_equal(gk_der_small(&rd, "n"), 0);
	gk_assert_err(GK_ERR_VALUE, rd.fault.err);
	gk_rd_init(&rd, minus, sizeof(minus));
	(void)gk_der_small(&rd, "n");
	gk_assert_err(GK_ERR_VALUE, rd.fault.err);
}

/* A fault inside reaches the outer reader, with its place. */
GK_TEST(crypto_der, inner_fault_keeps_its_offset)
{
	static const uint8_t in[] = { 0x30, 5, 2, 1, 1, 4, 0 };
	struct gk_rd rd, seq;

	gk_rd_init(&rd, in, sizeof(in));
	seq = gk_der_enter(&rd, GK_DER_SEQUENCE, "outer");
	assert_int_equal(gk_der_small(&seq, "first"), 1);
	(void)gk_der_get(&seq, GK_DER_INTEGER, "second");
	gk_der_leave(&rd, &seq);
	gk_assert_err(GK_ERR_VALUE, gk_rd_done(&rd));
	assert_string_equal(rd.fault.field, "second");
	assert_int_equal(rd.fault.offset, 5);
}

GK_TEST(crypto_der, writer_makes_what_the_reader_takes)
{
	static const size_t lengths[] = { 0, 1, 127, 128, 255, 256, 70000 };

	for (size_t i = 0; i < GK_COUNT(lengths); i++) {
		struct gk_der_wr wr = { 0 };
		struct gk_slice back, n;
		struct gk_buf body, out;
		struct gk_rd rd, seq;
		uint8_t magnitude[] = { 0, 0, 0x80, 1 };

		gk_assert_ok(gk_buf_alloc(&body, lengths[i]));
		gk_der_wr_put(&wr, GK_DER_OCTET_STRING, gk_buf_slice(&body));
		gk_der_wr_unsigned(&wr, (struct gk_slice){ magnitude, 4 });
		gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
		gk_assert_ok(gk_der_wr_done(&wr, &out));
		gk_rd_init(&rd, out.ptr, out.len);
		seq = gk_der_enter(&rd, GK_DER_SEQUENCE, "sequence");
		n = gk_der_get(&seq, GK_DER_INTEGER, "number");
		back = gk_der_get(&seq, GK_DER_OCTET_STRING, "string");
		gk_der_leave(&rd, &seq);
		gk_assert_ok(gk_rd_done(&rd));
		assert_int_equal(n.len, 3); /* 00 80 01 */
		assert_true(gk_der_integer_ok(n));
		assert_int_equal(back.len, lengths[i]);
		gk_buf_free(&body);
		gk_buf_free(&out);
	}
}

GK_TEST(x690_8_19, oids_both_ways)
{
	static const struct {
		const char *text, *hex;
	} known[] = {
		{ "1.3.6.1.5.5.12.1.1", "2b060105050c0101" },
		{ "1.2.840.113549.1.7.2", "2a864886f70d010702" },
		{ "2.100.3", "813403" },
		{ "0.0", "00" },
		{ "2.5.4.3", "550403" },
		/* An arc of 128 bits (X.667). */
		{ "2.25.227007163891039140890553393414073698781.1",
		  "6982d5c7fed398fa9ab5938e97b4bee3d8bd935d01" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		uint8_t out[GK_OID_MAX];
		char text[GK_OID_TEXT_MAX], hex[2 * GK_OID_MAX + 1];
		size_t n;

		gk_assert_ok(
			gk_oid_parse(gk_slice_str(known[i].text), out, &n));
		assert_string_equal(
			gk_hex(hex, sizeof(hex), (struct gk_slice){ out, n }),
			known[i].hex);
		gk_assert_ok(gk_oid_text((struct gk_slice){ out, n }, text));
		assert_string_equal(text, known[i].text);
	}
}

GK_TEST(x690_8_19, what_is_no_oid_is_refused)
{
	static const char *const text[] = {
		"",     "1",
		"1.",   ".1",
		"3.1",  "1.40",
		"1.2.", "1..2",
		"1.02", "a.b",
		"1.2a", "1.2.3 ",
		"1.-2", "2.25.340282366920938463463374607431768211456",
	};
	static const char *const octets[] = { "",     "80",     "8001",
		                              "2a80", "2a8001", "2a86" };
	uint8_t out[GK_OID_MAX];
	char back[GK_OID_TEXT_MAX], many[200] = "1.2";
	size_t n;

	for (size_t i = 0; i < GK_COUNT(text); i++)
		gk_assert_err(GK_ERR_VALUE,
		              gk_oid_parse(gk_slice_str(text[i]), out, &n));
	for (size_t i = 0; i < 70; i++)
		strcat(many, ".1");
	gk_assert_err(GK_ERR_VALUE, gk_oid_parse(gk_slice_str(many), out, &n));
	for (size_t i = 0; i < GK_COUNT(octets); i++) {
		struct gk_buf buf;

		gk_assert_ok(gk_unhex(&buf, octets[i]));
		gk_assert_err(GK_ERR_VALUE,
		              gk_oid_text(gk_buf_slice(&buf), back));
		gk_buf_free(&buf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(x690_10_1, only_the_shortest_definite_length),
		GK_RUN(x690_10_1, nesting_has_a_limit),
		GK_RUN(x690_11_6, set_of_must_be_sorted),
		GK_RUN(x690_8_3, integers_are_minimal),
		GK_RUN(crypto_der, inner_fault_keeps_its_offset),
		GK_RUN(crypto_der, writer_makes_what_the_reader_takes),
		GK_RUN(x690_8_19, oids_both_ways),
		GK_RUN(x690_8_19, what_is_no_oid_is_refused),
	};

	return cmocka_run_group_tests_name("common/crypto/der", tests, NULL,
	                                   NULL);
}
