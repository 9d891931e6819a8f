/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pull.h"

/* Payloads of a GROUPKEY-PULL: missing, doubled, foreign and reordered, by the
 * table. */

GK_TEST(rfc6407_3_2_03, four_messages_say_what_was_put_into_them)
{
	struct gk_buf out;
	struct gdoi_pull_content c;

	for (unsigned i = 1; i <= 4; i++) {
		up_to(i, true);
		c = content(i);
		gk_assert_ok(gdoi_pull_build(sender(i), i, &c, &out));
		assert_int_equal(out.ptr[18], 32);
		assert_int_equal(out.ptr[19], ISAKMP_FLAG_ENCRYPTION);
		assert_int_equal(out.ptr[20], 1);
		gk_assert_ok(gdoi_pull_open(receiver(i), i, gk_buf_slice(&out),
		                            &got, &why));
		assert_true(gk_slice_equal(got.nonce, c.nonce));
		assert_true(gk_slice_equal(got.id_body, c.id));
		assert_int_equal(got.has_gap, c.gap != NULL);
		assert_int_equal(got.has_seq, c.seq != NULL);
		if (i == 1)
			assert_int_equal(got.id.type, ISAKMP_ID_KEY_ID);
		if (i == 2)
			assert_memory_equal(got.sa->sak.spi, sa.sak.spi, 16);
		if (i == 3)
			assert_int_equal(got.gap.request, 3);
		if (i == 4) {
			assert_int_equal(got.seq.number, 41);
			assert_int_equal(got.kd->n_packets, 2);
		}
		gdoi_pull_take(receiver(i), &got);
		assert_memory_equal(side[0].cbc.iv, side[1].cbc.iv, 16);
		gdoi_pull_message_free(&got);
		gk_buf_free(&out);
	}
}

GK_TEST(rfc6407_5_4_04, message_3_without_a_gap_is_hash_alone)
{
	const struct gdoi_pull_content none = { 0 };
	struct gk_buf out;

	up_to(3, true);
	gk_assert_ok(gdoi_pull_build(sender(3), 3, &none, &out));
	/* 36 octets of HASH payload in 48 */
	assert_int_equal(out.len, ISAKMP_HEADER_LEN + 48);
	gk_assert_ok(
		gdoi_pull_open(receiver(3), 3, gk_buf_slice(&out), &got, &why));
	assert_false(got.has_gap);
	assert_int_equal(got.chain.n, 1);
	gdoi_pull_message_free(&got);
	gk_buf_free(&out);
}

GK_TEST(rfc6407_3_2_11, each_payload_that_the_table_wants_is_missed)
{
	static uint8_t room[8][2048];
	struct part part[8], less[8];

	for (unsigned m = 1; m <= 4; m++) {
		const struct gdoi_pull_form *form = gdoi_pull_form(m);

		up_to(m, true);
		struct gdoi_pull_content c = content(m);
		size_t n = right_parts(m, &c, part, room);

		for (size_t skip = 0; skip < n; skip++) {
			const struct gdoi_pull_rule *r = &form->rules[skip + 1];
			size_t k = 0;

			for (size_t i = 0; i < n; i++)
				if (i != skip)
					less[k++] = part[i];
			up_to(m, true);
			if (r->min == 0 && m == 3) {
				gk_assert_ok(judge(m, less, k));
				continue;
			}
			assert_true(judge(m, less, k) != GK_OK);
			assert_string_equal(why.req, r->min == 0
			                                     ? "RFC6407-5.7-04"
			                                     : r->req);
		}
	}
}

GK_TEST(rfc6407_3_2_12, a_second_payload_of_a_kind_is_refused)
{
	static uint8_t room[8][2048];
	struct part part[9];

	for (unsigned m = 1; m <= 4; m++) {
		const struct gdoi_pull_form *form = gdoi_pull_form(m);
		size_t n = form->n_rules - 1;

		for (size_t twice = 0; twice < n; twice++) {
			up_to(m, true);
			struct gdoi_pull_content c = content(m);

			right_parts(m, &c, part, room);
			memmove(&part[twice + 1], &part[twice],
			        (n - twice) * sizeof(part[0]));
			assert_true(judge(m, part, n + 1) != GK_OK);
			assert_string_equal(why.req,
			                    form->rules[twice + 1].req);
		}
	}
}

GK_TEST(rfc6407_3_2_03, another_order_is_refused)
{
	static uint8_t room[8][2048];
	struct part part[8], t;

	for (unsigned m = 1; m <= 4; m++) {
		if (m == 3)
			continue;
		up_to(m, true);
		struct gdoi_pull_content c = content(m);

		assert_int_equal(right_parts(m, &c, part, room), 2);
		t = part[0];
		part[0] = part[1];
		part[1] = t;
		assert_true(judge(m, part, 2) != GK_OK);
		assert_string_equal(why.req, "RFC6407-3.2-03");
	}
}

/* Every other payload type, in every place behind HASH. */
GK_TEST(rfc6407_3_2_03, a_foreign_payload_is_refused_and_a_vendor_id_is_not)
{
	static uint8_t room[8][2048], extra[64];
	struct part part[9];

	GK_SHOWS("RFC2408-3.16-03");
	/* SAK, GAP and SAT behind SA: not in it. */
	GK_BREAKS("RFC6407-5.2-02", "RFC6407-5.2-03");
	for (unsigned m = 1; m <= 4; m++)
		for (uint8_t type = 1; type < 32; type++) {
			const struct gdoi_pull_form *form = gdoi_pull_form(m);
			bool own = false;

			for (size_t i = 0; i < form->n_rules; i++)
				own |= form->rules[i].payload == type;
			if (own)
				continue;
			for (size_t at = 0; at < form->n_rules; at++) {
				up_to(m, true);
				struct gdoi_pull_content c = content(m);
				size_t n = right_parts(m, &c, part, room);

				memmove(&part[at + 1], &part[at],
				        (n - at) * sizeof(part[0]));
				part[at] = (struct part){
					type, { extra, sizeof(extra) }
				};
				enum gk_err err = judge(m, part, n + 1);

				if (type == ISAKMP_PAYLOAD_VENDOR_ID) {
					gk_assert_ok(err);
					continue;
				}
				assert_true(err != GK_OK);
				assert_int_equal(
					why.notify,
					ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE);
			}
		}
}

GK_TEST(rfc6407_5_8_01, nonces_have_8_to_128_octets)
{
	static const uint8_t octets[200] = { 1 };
	static uint8_t room[8][2048];
	struct part part[8];
	const struct {
		size_t len;
		bool ok;
	} row[] = { { 0, false },  { 7, false },   { 8, true },
		    { 128, true }, { 129, false }, { 200, false } };

	for (size_t i = 0; i < GK_COUNT(row); i++)
		for (unsigned m = 1; m <= 2; m++) {
			up_to(m, true);
			struct gdoi_pull_content c = content(m);

			right_parts(m, &c, part, room);
			part[0].body = (struct gk_slice){ octets, row[i].len };
			if (row[i].ok) {
				gk_assert_ok(judge(m, part, 2));
				continue;
			}
			assert_true(judge(m, part, 2) != GK_OK);
			assert_string_equal(why.req, "RFC6407-5.8-01");
			assert_string_equal(why.field, "Nonce Data");
		}
}

GK_TEST(rfc6407_5_8_01, nor_is_such_a_nonce_ever_sent)
{
	static const uint8_t octets[200] = { 1 };
	struct gdoi_pull_content c;
	struct gk_buf out;

	begin();
	c = content(1);
	c.nonce = (struct gk_slice){ octets, 7 };
	assert_int_equal(gdoi_pull_build(&side[0], 1, &c, &out),
	                 GK_ERR_UNEXPECTED);
	c.nonce.len = 129;
	assert_int_equal(gdoi_pull_build(&side[0], 1, &c, &out),
	                 GK_ERR_UNEXPECTED);
}

/* The octet behind each Next Payload. */
GK_TEST(rfc2408_5_3_03, what_is_reserved_and_not_zero_is_refused)
{
	static uint8_t room[8][2048], octets[8192];
	struct part part[8];

	GK_BREAKS("RFC2408-5.3-03", "RFC2408-2.5.2-01", "RFC6407-5.2-04");
	for (unsigned m = 1; m <= 4; m++)
		for (size_t k = 0; k < gdoi_pull_form(m)->n_rules - 1; k++) {
			struct gdoi_pull_content c;
			struct gk_buf out;
			size_t n, at = 0, len;

			up_to(m, true);
			c = content(m);
			n = right_parts(m, &c, part, room);
			len = parts_write(part, n, octets, sizeof(octets));
			for (size_t i = 0; i < k; i++)
				at += ISAKMP_GENERIC_LEN + part[i].body.len;
			octets[at + 1] = 1;
			gk_assert_ok(gdoi_pull_seal(
				sender(m), part[0].type,
				(struct gk_slice){ octets, len }, &out));
			assert_int_equal(gdoi_pull_open(receiver(m), m,
			                                gk_buf_slice(&out),
			                                &got, &why),
			                 GK_ERR_RESERVED);
			assert_string_equal(why.req, "RFC2408-5.3-03");
			gk_buf_free(&out);
		}
}

/* ---- SEQ ---------------------------------------------------------------- */

GK_TEST(rfc6407_3_2_15, seq_goes_with_a_rekey_sa)
{
	static uint8_t room[8][2048];
	struct part part[8];
	struct gdoi_pull_content c;

	up_to(4, false);
	c = content(4);
	c.seq = &seq;
	right_parts(4, &c, part, room);
	assert_true(judge(4, part, 2) != GK_OK);
	assert_string_equal(why.req, "RFC6407-3.2-15");
	up_to(4, false);
	gk_assert_ok(judge(4, &part[1], 1));
}

GK_TEST(rfc6407_5_7_04, a_rekey_sa_wants_a_seq_unless_the_dialect_says_no)
{
	static uint8_t room[8][2048];
	struct part part[8];
	struct gdoi_pull_content c;

	up_to(4, true);
	c = content(4);
	right_parts(4, &c, part, room);
	assert_true(judge(4, &part[1], 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.7-04");
	up_to(4, true);
	gk_assert_ok(gdoi_dialect_set(&dialect, "pull_seq_required", "no"));
	gk_assert_ok(judge(4, &part[1], 1));
}

GK_TEST(rfc6407_5_7_01, seq_has_four_octets)
{
	static uint8_t room[8][2048];
	static const uint8_t octets[8];
	struct part part[8];
	struct gdoi_pull_content c;

	for (size_t len = 0; len <= 8; len++) {
		up_to(4, true);
		c = content(4);
		right_parts(4, &c, part, room);
		part[0].body = (struct gk_slice){ octets, len };
		if (len == 4) {
			gk_assert_ok(judge(4, part, 2));
			continue;
		}
		assert_true(judge(4, part, 2) != GK_OK);
		assert_string_equal(why.req, "RFC6407-5.7-01");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_2_03,
		       four_messages_say_what_was_put_into_them),
		GK_RUN(rfc6407_5_4_04, message_3_without_a_gap_is_hash_alone),
		GK_RUN(rfc6407_3_2_11,
		       each_payload_that_the_table_wants_is_missed),
		GK_RUN(rfc6407_3_2_12, a_second_payload_of_a_kind_is_refused),
		GK_RUN(rfc6407_3_2_03, another_order_is_refused),
		GK_RUN(rfc6407_3_2_03,
		       a_foreign_payload_is_refused_and_a_vendor_id_is_not),
		GK_RUN(rfc6407_5_8_01, nonces_have_8_to_128_octets),
		GK_RUN(rfc6407_5_8_01, nor_is_such_a_nonce_ever_sent),
		GK_RUN(rfc2408_5_3_03,
		       what_is_reserved_and_not_zero_is_refused),
		GK_RUN(rfc6407_3_2_15, seq_goes_with_a_rekey_sa),
		GK_RUN(rfc6407_5_7_04,
		       a_rekey_sa_wants_a_seq_unless_the_dialect_says_no),
		GK_RUN(rfc6407_5_7_01, seq_has_four_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
