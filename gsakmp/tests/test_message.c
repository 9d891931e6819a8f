/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/parsing.h"

#include <stdlib.h>
#include <string.h>

/*
 * Chains of payloads and the dissections of section 5: RFC 4535 sections 5.2,
 * 5.3, 7.2 and 7.10.
 */

/* Chain -------------------------------------------------------------------- */

GK_TEST(rfc4535_7_1_2_11, every_truncation_is_refused_and_named)
{
	struct sample s;

	for (size_t i = 0; i < GK_COUNT(exchanges); i++) {
		sample_fill(&s, exchanges[i], true);
		size_t n = sample_octets(&s, buf, sizeof(buf));

		gk_assert_ok(parse(&plain, buf, n));
		for (size_t cut = 0; cut < n; cut++) {
			assert_true(parse(&plain, buf, cut) != GK_OK);
			assert_non_null(why.field);
			assert_string_equal(why.req, "RFC4535-7.1.2-11");
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

GK_TEST(rfc4535_7_2_2_03, every_payload_length_off_by_one_is_noticed)
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
GK_TEST(rfc4535_5_2_1_3_02, nonce_is_found_behind_a_fault)
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

/* ... and with any payload that its dissection does not have: refused by @req, or
 * skipped when that is NULL. */
static size_t
foreign(const struct gsakmp_parse *with, const char *req)
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
				if (req == NULL) {
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
					GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE, req,
					parse(with, buf, n));
			}
		}
	}
	return tried;
}

GK_TEST(rfc4535_7_04, foreign_payload_is_invalid_payload_type)
{
	assert_true(foreign(&plain, "RFC4535-7-04") > 100);
}

GK_TEST(rfc4535_7_04, foreign_payload_is_skipped_under_its_dialect)
{
	const struct gsakmp_dialect lax = {
		.unexpected_payload = GSAKMP_UNEXPECTED_PAYLOAD_IGNORE
	};
	const struct gsakmp_parse ignoring = { .dialect = &lax };

	assert_true(foreign(&ignoring, NULL) > 100);
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
	static uint8_t outer[SAMPLE_CAP];
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
	static uint8_t outer[SAMPLE_CAP];
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
		gk_assert_ok(
			gsakmp_message_length(buf, have, SAMPLE_CAP, &need));
		assert_true(need > have);
		asked += need == n;
	}
	assert_int_equal(asked, n - AT_CHAIN);
	gk_assert_ok(gsakmp_message_length(buf, n, SAMPLE_CAP, &need));
	assert_int_equal(need, n);
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_message_length(buf, n, n - 1, &need));
	buf[AT_LENGTH + 2] = 0;
	buf[AT_LENGTH + 3] = AT_CHAIN - 1;
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_message_length(buf, n, SAMPLE_CAP, &need));
	buf[AT_GIDLEN] = 0;
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_message_length(buf, 2, SAMPLE_CAP, &need));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_1_2_11, every_truncation_is_refused_and_named),
		GK_RUN(rfc4535_7_2_2_03,
		       every_truncation_inside_a_true_length_is_refused),
		GK_RUN(rfc4535_7_05, trailing_octet_is_refused),
		GK_RUN(rfc4535_7_2_2_03,
		       every_payload_length_off_by_one_is_noticed),
		GK_RUN(rfc4535_7_2_2_03,
		       payload_length_below_its_header_is_refused),
		GK_RUN(rfc4535_7_2_2_01,
		       unknown_next_payload_is_invalid_payload_type),
		GK_RUN(rfc4535_7_2_2_02, reserved_octet_of_any_payload_is_zero),
		GK_RUN(rfc4535_5_2_1_3_02, nonce_is_found_behind_a_fault),
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
