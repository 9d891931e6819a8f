/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/message/push_ack.h"

/*
 * GROUPKEY-PUSH-ACK: what is built is read and checked; every field that is
 * wrong is refused.
 */
static const uint8_t ack_key[GK_HASH_MAX] = { 1, 2, 3 };
static const uint8_t address[16] = { 10, 0, 0, 2 };
static struct gdoi_push_ack got;

static struct gk_buf
built(uint16_t type, uint8_t id_type, size_t id_len)
{
	struct gdoi_push_ack ack = { .spi = { 7, 8, 9 },
		                     .seq = { 0x01020304 },
		                     .id = { .type = id_type,
		                             .data = { address, id_len } } };
	struct gk_buf out;

	gk_assert_ok(gdoi_push_ack_build(&defaults, type, ack_key, &ack, &out));
	return out;
}

static struct gk_buf
usual(void)
{
	return built(GDOI_ACK_KEK_SHA256, ISAKMP_ID_IPV4_ADDR, 4);
}

GK_TEST(rfc8263_3_01, an_acknowledgement_says_what_was_put_into_it)
{
	static const uint8_t header[] = { 8, 0x10, 35, 0, 0, 0, 0, 0 };

	GK_SHOWS("RFC8263-3.1-01", "RFC8263-3.1-02", "RFC8263-3.4-02",
	         "RFC2408-5.1-02");
	for (uint16_t type = 1; type <= 4; type++) {
		struct gk_buf out = built(type, ISAKMP_ID_IPV4_ADDR, 4);

		assert_memory_equal(out.ptr + 16, header, sizeof(header));
		assert_true(gdoi_push_ack_is(gk_buf_slice(&out)));
		gk_assert_ok(
			gdoi_push_ack_read(gk_buf_slice(&out), &got, &why));
		assert_int_equal(got.spi[0], 7);
		assert_int_equal(got.spi[2], 9);
		assert_int_equal(got.seq.number, 0x01020304);
		assert_int_equal(got.id.type, ISAKMP_ID_IPV4_ADDR);
		assert_memory_equal(got.id.data.ptr, address, 4);
		assert_memory_equal(got.id_payload.ptr + 4, "\1\0\0\0", 4);
		gk_assert_ok(gdoi_push_ack_check(&defaults, type, ack_key, &got,
		                                 &why));
		gk_buf_free(&out);
	}
}

GK_TEST(rfc8263_3_4_01, three_types_of_id)
{
	static const struct {
		uint8_t type;
		size_t len;
		bool ok;
	} row[] = { { ISAKMP_ID_IPV4_ADDR, 4, true },
		    { ISAKMP_ID_IPV6_ADDR, 16, true },
		    { ISAKMP_ID_OID, 9, true },
		    { ISAKMP_ID_IPV4_ADDR, 3, false },
		    { ISAKMP_ID_IPV6_ADDR, 4, false },
		    { ISAKMP_ID_OID, 0, false },
		    { ISAKMP_ID_KEY_ID, 4, false },
		    { ISAKMP_ID_FQDN, 4, false } };

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gk_buf out =
			built(GDOI_ACK_KEK_SHA256, row[i].type, row[i].len);
		enum gk_err err =
			gdoi_push_ack_read(gk_buf_slice(&out), &got, &why);

		assert_int_equal(err == GK_OK, row[i].ok);
		if (!row[i].ok)
			assert_string_equal(why.req, "RFC8263-3.4-01");
		gk_buf_free(&out);
	}
}

GK_TEST(rfc8263_3_1_01, every_field_that_is_wrong_is_refused)
{
	/* Layout: header 28, HASH 4 + 32, SEQ 64 .. 71, ID 72 .. 83. */
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
	} row[] = {
		{ 16, ISAKMP_PAYLOAD_SEQ, "RFC8263-3-01" },
		{ 17, 0x20, "RFC2408-5.2-04" },
		{ 18, 33, "RFC8263-8-02" },
		{ 18, 36, "RFC2408-5.2-05" },
		{ 19, ISAKMP_FLAG_ENCRYPTION, "RFC8263-3.1-01" },
		{ 23, 1, "RFC8263-3.1-02" },
		{ 27, 83, "RFC2408-5.1-02" },
		{ 28, ISAKMP_PAYLOAD_ID, "RFC8263-3-01" },
		{ 29, 1, "RFC2408-5.3-03" },
		{ 64, ISAKMP_PAYLOAD_NONE, "RFC8263-3.1-03" },
		{ 67, 9, "RFC2408-3.2-01" },
		{ 72, ISAKMP_PAYLOAD_VENDOR_ID, "RFC2408-3.2-01" },
		{ 76, ISAKMP_ID_KEY_ID, "RFC8263-3.4-01" },
		{ 77, 17, "RFC8263-3.4-02" },
		{ 79, 1, "RFC8263-3.4-02" },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gk_buf out = usual();

		out.ptr[row[i].at] = row[i].value;
		assert_true(gdoi_push_ack_read(gk_buf_slice(&out), &got,
		                               &why) != GK_OK);
		assert_string_equal(why.req, row[i].req);
		assert_non_null(why.field);
		gk_buf_free(&out);
	}
}

GK_TEST(rfc8263_5_05, a_hash_over_something_else_is_wrong)
{
	struct gk_buf out = usual();
	uint8_t other[GK_HASH_MAX] = { 1, 2, 4 };

	/* HASH, the Sequence Number, the address; and the Next Payload of SEQ's
	 * generic header cannot be another.  The cookies are under the key. */
	static const size_t at[] = { 32, 63, 68, 71, 80, 83 };

	for (size_t i = 0; i < GK_COUNT(at); i++) {
		out.ptr[at[i]] ^= 1;
		gk_assert_ok(
			gdoi_push_ack_read(gk_buf_slice(&out), &got, &why));
		assert_refused(
			gdoi_push_ack_check(&defaults, GDOI_ACK_KEK_SHA256,
		                            ack_key, &got, &why),
			"RFC8263-5-05", ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
			ISAKMP_HEADER_LEN);
		out.ptr[at[i]] ^= 1;
	}
	gk_assert_ok(gdoi_push_ack_read(gk_buf_slice(&out), &got, &why));
	assert_int_equal(gdoi_push_ack_check(&defaults, GDOI_ACK_KEK_SHA256,
	                                     other, &got, &why),
	                 GK_ERR_AUTH);
	/* RFC8263-2.1-01: not truncated, and not that of another type. */
	assert_int_equal(gdoi_push_ack_check(&defaults, GDOI_ACK_KEK_SHA512,
	                                     ack_key, &got, &why),
	                 GK_ERR_AUTH);
	gk_buf_free(&out);
}

GK_TEST(rfc8263_3_1_03, no_octet_less_or_more)
{
	struct gk_buf out = usual();

	for (size_t len = 0; len < out.len; len++) {
		struct gk_buf cut = { 0 };

		gk_assert_ok(
			gk_buf_copy(&cut, (struct gk_slice){ out.ptr, len }));
		if (len >= ISAKMP_HEADER_LEN)
			isakmp_header_set_length(cut.ptr, (uint32_t)len);
		assert_true(gdoi_push_ack_read(gk_buf_slice(&cut), &got,
		                               &why) != GK_OK);
		assert_non_null(why.req);
		gk_buf_free(&cut);
	}
	gk_assert_ok(gk_buf_append(&out, gk_slice_str("x")));
	isakmp_header_set_length(out.ptr, (uint32_t)out.len);
	assert_refused(gdoi_push_ack_read(gk_buf_slice(&out), &got, &why),
	               "RFC8263-3.1-03", ISAKMP_NOTIFY_PAYLOAD_MALFORMED, 84);
	gk_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc8263_3_01,
		       an_acknowledgement_says_what_was_put_into_it),
		GK_RUN(rfc8263_3_4_01, three_types_of_id),
		GK_RUN(rfc8263_3_1_01, every_field_that_is_wrong_is_refused),
		GK_RUN(rfc8263_5_05, a_hash_over_something_else_is_wrong),
		GK_RUN(rfc8263_3_1_03, no_octet_less_or_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
