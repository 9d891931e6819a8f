/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pull.h"

/* Header, HASH and cipher of a GROUPKEY-PULL. */

static struct gk_buf
message(unsigned m)
{
	struct gdoi_pull_content c;
	struct gk_buf out;

	up_to(m, true);
	c = content(m);
	gk_assert_ok(gdoi_pull_build(sender(m), m, &c, &out));
	return out;
}

GK_TEST(rfc6407_3_2_05, header_fields_that_are_of_another_exchange)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
	} row[] = {
		{ 0, 9, "RFC6407-7.2.4-01" },
		{ 8, 9, "RFC6407-7.2.4-01" },
		{ 16, ISAKMP_PAYLOAD_NONCE, NULL },
		{ 16, 200, "RFC2408-5.2-03" },
		{ 17, 0x20, "RFC2408-5.2-04" },
		{ 17, 0x11, "RFC2408-5.2-04" },
		{ 18, 33, "RFC6407-3.2.1-03" },
		{ 18, 31, "RFC2408-5.2-05" },
		{ 19, 0, "RFC6407-2-01" },
		{ 19, ISAKMP_FLAG_COMMIT, "RFC6407-2-01" },
		{ 19, 0x11, "RFC2408-5.2-06" },
		{ 23, 9, "RFC6407-3.2-05" },
		{ 27, 1, "RFC2408-5.1-02" },
	};

	for (unsigned m = 1; m <= 4; m++)
		for (size_t i = 0; i < GK_COUNT(row); i++) {
			struct gk_buf out = message(m);

			out.ptr[row[i].at] = row[i].value;
			assert_true(gdoi_pull_open(receiver(m), m,
			                           gk_buf_slice(&out), &got,
			                           &why) != GK_OK);
			assert_string_equal(why.req,
			                    row[i].req != NULL
			                            ? row[i].req
			                            : gdoi_pull_form(m)->hash);
			gk_buf_free(&out);
		}
}

GK_TEST(rfc6407_3_2_05, message_id_0_is_that_of_phase_1)
{
	struct gdoi_pull_content c;
	struct gk_buf out;

	GK_BREAKS("RFC2408-2.4-04");
	begin();
	c = content(1);
	side[0].header.message_id = side[1].header.message_id = 0;
	gk_assert_ok(gdoi_pull_build(&side[0], 1, &c, &out));
	assert_true(gdoi_pull_open(&side[1], 1, gk_buf_slice(&out), &got,
	                           &why) != GK_OK);
	assert_refused(GK_ERR_UNEXPECTED, "RFC6407-3.2-05",
	               ISAKMP_NOTIFY_INVALID_MESSAGE_ID, 20);
	gk_buf_free(&out);
}

GK_TEST(rfc6407_3_2_1_04, the_commit_flag_says_nothing)
{
	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out = message(m);

		out.ptr[19] |= ISAKMP_FLAG_COMMIT;
		gk_assert_ok(gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
		                            &got, &why));
		gdoi_pull_message_free(&got);
		gk_buf_free(&out);
	}
}

/* A flipped bit anywhere in the ciphertext, and every length. */
GK_TEST(rfc6407_3_2_06, nothing_changed_or_cut_passes)
{
	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out = message(m);
		size_t end = out.len;

		for (size_t i = ISAKMP_HEADER_LEN; i < end; i++) {
			enum gk_err err;

			out.ptr[i] ^= 1;
			err = gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
			                     &got, &why);
			/* Padding of the last block is nobody's. */
			if (err == GK_OK) {
				assert_true(i >= end - 16 &&
				            got.chain.end < end);
				gdoi_pull_message_free(&got);
			} else {
				assert_non_null(why.req);
			}
			out.ptr[i] ^= 1;
		}
		for (size_t len = 0; len < end; len++) {
			struct gk_buf cut = { 0 };

			gk_assert_ok(gk_buf_copy(
				&cut, (struct gk_slice){ out.ptr, len }));
			if (len >= ISAKMP_HEADER_LEN)
				isakmp_header_set_length(cut.ptr,
				                         (uint32_t)len);
			assert_true(gdoi_pull_open(receiver(m), m,
			                           gk_buf_slice(&cut), &got,
			                           &why) != GK_OK);
			assert_non_null(why.req);
			gk_buf_free(&cut);
		}
		gk_buf_free(&out);
	}
}

/* HASH(2) to HASH(4) cover nonces that are not in the message: each in turn is
 * another one at the receiver. */
GK_TEST(rfc6407_3_2_07, the_nonces_of_before_are_under_the_hash)
{
	for (unsigned m = 2; m <= 4; m++)
		for (unsigned which = 0; which < 2; which++) {
			struct gk_buf out = message(m);
			struct gdoi_pull *r = receiver(m);

			if (which == 0)
				r->ni[0] ^= 1;
			else
				r->nr[0] ^= 1;
			if (m == 2 && which == 1) { /* comes with it */
				gk_assert_ok(gdoi_pull_open(
					r, m, gk_buf_slice(&out), &got, &why));
				gdoi_pull_message_free(&got);
			} else {
				assert_true(gdoi_pull_open(
						    r, m, gk_buf_slice(&out),
						    &got, &why) == GK_ERR_AUTH);
				assert_string_equal(why.req,
				                    gdoi_pull_form(m)->hash);
				assert_int_equal(
					why.notify,
					ISAKMP_NOTIFY_INVALID_HASH_INFORMATION);
			}
			gk_buf_free(&out);
		}
}

/* What is wrong under a wrong HASH is not even looked at. */
GK_TEST(rfc6407_7_2_5_03, the_hash_comes_first)
{
	static const uint8_t garbage[40] = { 0, 0, 0, 40, 1 };

	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out;
		uint8_t other[32] = { 4 };

		up_to(m, true);
		sender(m)->skeyid_a = (struct gk_slice){ other, sizeof(other) };
		gk_assert_ok(gdoi_pull_seal(
			sender(m), ISAKMP_PAYLOAD_KE,
			(struct gk_slice){ garbage, sizeof(garbage) }, &out));
		assert_true(gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
		                           &got, &why) == GK_ERR_AUTH);
		assert_false(got.authentic);
		assert_string_equal(why.req, gdoi_pull_form(m)->hash);
		gk_buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_2_05,
		       header_fields_that_are_of_another_exchange),
		GK_RUN(rfc6407_3_2_05, message_id_0_is_that_of_phase_1),
		GK_RUN(rfc6407_3_2_1_04, the_commit_flag_says_nothing),
		GK_RUN(rfc6407_3_2_06, nothing_changed_or_cut_passes),
		GK_RUN(rfc6407_3_2_07, the_nonces_of_before_are_under_the_hash),
		GK_RUN(rfc6407_7_2_5_03, the_hash_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
