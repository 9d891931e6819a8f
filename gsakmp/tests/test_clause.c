/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/tests/keys.h"
#include "gsakmp/tests/parsing.h"

/*
 * Clauses of RFC 4535 section 7 that say of one thing that it exists, is
 * supported or is processed: one test each.
 */

/* Generic header, payload by payload ---------------------------------------- */

/* The generic header of the first payload of @type in @exchange: every field
 * wrong in turn. */
static void
generic_header(uint8_t exchange, uint8_t type)
{
	struct sample s;
	size_t n, at = 36, p = 0;

	sample_fill(&s, exchange, true);
	for (; s.part[p].type != type; p++)
		at += 4 + s.part[p].len;
	n = sample_octets(&s, buf, sizeof(buf));
	gk_assert_ok(parse_with(&plain, buf, n));

	buf[at] ^= 0x80;
	gk_assert_err(GK_ERR_VALUE, parse_with(&plain, buf, n));
	assert_string_equal(why.req, "RFC4535-7.2.2-01");
	assert_int_equal(why.notify, GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE);
	assert_int_equal(why.offset, at);
	buf[at] ^= 0x80;

	buf[at + 1] = 0xff;
	gk_assert_err(GK_ERR_RESERVED, parse_with(&plain, buf, n));
	assert_string_equal(why.req, "RFC4535-7.2.2-02");
	assert_int_equal(why.notify, GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	assert_int_equal(why.offset, at + 1);
	buf[at + 1] = 0;

	buf[at + 2] = 0xff;
	gk_assert_err(GK_ERR_TRUNCATED, parse_with(&plain, buf, n));
	assert_string_equal(why.req, "RFC4535-7.2.2-03");
	assert_int_equal(why.notify, GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	buf[at + 2] = 0;
	buf[at + 3] = 3;
	gk_assert_err(GK_ERR_VALUE, parse_with(&plain, buf, n));
	assert_string_equal(why.req, "RFC4535-7.2.2-03");
}

GK_TEST(rfc4535_7_3_2_01, generic_header_of_policy_token_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_KEY_DOWNLOAD,
	               GSAKMP_PAYLOAD_POLICY_TOKEN);
}

GK_TEST(rfc4535_7_4_2_02, generic_header_of_key_download_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_KEY_DOWNLOAD,
	               GSAKMP_PAYLOAD_KEY_DOWNLOAD);
}

GK_TEST(rfc4535_7_5_2_01, generic_header_of_rekey_event_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REKEY_EVENT, GSAKMP_PAYLOAD_REKEY_EVENT);
}

GK_TEST(rfc4535_7_6_2_01, generic_header_of_identification_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_KEY_DOWNLOAD,
	               GSAKMP_PAYLOAD_IDENTIFICATION);
}

GK_TEST(rfc4535_7_7_2_01, generic_header_of_certificate_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	               GSAKMP_PAYLOAD_CERTIFICATE);
}

GK_TEST(rfc4535_7_8_2_01, generic_header_of_signature_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	               GSAKMP_PAYLOAD_SIGNATURE);
}

GK_TEST(rfc4535_7_9_2_01, generic_header_of_notification_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_LACK_OF_ACK,
	               GSAKMP_PAYLOAD_NOTIFICATION);
}

GK_TEST(rfc4535_7_10_2_01, generic_header_of_vendor_id_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	               GSAKMP_PAYLOAD_VENDOR_ID);
}

GK_TEST(rfc4535_7_11_2_01, generic_header_of_key_creation_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	               GSAKMP_PAYLOAD_KEY_CREATION);
}

GK_TEST(rfc4535_7_12_2_01, generic_header_of_nonce_is_checked)
{
	generic_header(GSAKMP_EXCHANGE_REQUEST_TO_JOIN, GSAKMP_PAYLOAD_NONCE);
}

/* Header and framing -------------------------------------------------------- */

static void
cookie_download(struct gk_buf *out, size_t cookie_len)
{
	static const uint8_t cookie[64];
	struct gsakmp_build b;

	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                   sample_groupid(), 0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          (struct gk_slice){ cookie, cookie_len });
	gk_assert_ok(gsakmp_build_finish(&b, NULL, out));
}

GK_TEST(rfc4535_7_06, integers_are_in_network_byte_order)
{
	struct gk_buf out;

	cookie_download(&out, 36);
	assert_memory_equal(out.ptr + 32, "\0\0\0\x4e", 4); /* Length 78 */
	assert_memory_equal(out.ptr + 36, "\0\0\0\x2a", 4); /* 42 octets */
	assert_memory_equal(out.ptr + 40, "\0\x1b", 2);     /* type 27 */
	gk_buf_free(&out);
}

GK_TEST(rfc4535_7_07, nothing_is_padded_to_any_boundary)
{
	struct gk_buf out;

	for (size_t n = 1; n <= 17; n++) {
		cookie_download(&out, n);
		assert_int_equal(out.len, 36 + 4 + 2 + n);
		gk_buf_free(&out);
	}
}

GK_TEST(rfc4535_5_2_2_06, cookie_download_has_a_notification_and_no_signature)
{
	struct gk_buf out;

	cookie_download(&out, 36);
	gk_assert_ok(parse_with(&plain, out.ptr, out.len));
	assert_int_equal(msg.header.exchange, 10); /* RFC4535-5.2.2-05 */
	assert_int_equal(msg.n_seen, 1);
	assert_int_equal(msg.present, GSAKMP_BIT(NOTIFICATION));
	gk_buf_free(&out);
}

GK_TEST(rfc4535_7_1_1_03, octet_string_groupid_is_supported)
{
	const struct gsakmp_groupid id = { GSAKMP_GROUPID_OCTET_STRING,
		                           gk_slice_str("8 randomX") };
	struct gsakmp_build b;
	struct gk_buf out;

	gsakmp_build_begin(&b, &defaults, GSAKMP_EXCHANGE_COOKIE_DOWNLOAD, id,
	                   0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          gk_slice_str("cook"));
	gk_assert_ok(gsakmp_build_finish(&b, NULL, &out));
	gk_assert_ok(parse_with(&plain, out.ptr, out.len));
	assert_true(gsakmp_groupid_equal(msg.header.groupid, id));
	gk_buf_free(&out);
}

GK_TEST(rfc4535_7_1_1_09, exchange_types_are_those_of_table_13)
{
	static const uint8_t want[] = { 4, 5, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct sample s;

	for (size_t i = 0; i < sizeof(want); i++) {
		sample_fill(&s, want[i], false);
		gk_assert_ok(parse_kept(&s));
		assert_int_equal(buf[27], want[i]);
	}
}

GK_TEST(rfc4535_7_1_1_10, sequence_id_of_a_negotiation_is_not_built)
{
	struct gsakmp_build b;
	struct gk_buf out;

	for (uint8_t exchange = 4; exchange <= 15; exchange++) {
		bool rekey = exchange == GSAKMP_EXCHANGE_REKEY_EVENT;

		if (gsakmp_dissection_find(exchange) == NULL)
			continue;
		gsakmp_build_begin(&b, &defaults, exchange, sample_groupid(),
		                   rekey ? 0 : 1);
		gk_assert_err(GK_ERR_VALUE,
		              gsakmp_build_finish(&b, NULL, &out));
	}
}

GK_TEST(rfc4535_7_1_2_13, data_behind_an_embedded_message_is_ignored)
{
	const struct gsakmp_parse member = { .dialect = &defaults,
		                             .accept_embedded = true };
	struct sample s;
	size_t n;

	sample_fill(&s, GSAKMP_EXCHANGE_REKEY_EVENT, false);
	n = sample_octets(&s, buf + 36, sizeof(buf) - 36);
	memcpy(buf, buf + 36, 36);
	buf[26] = 3;
	for (size_t after = 0; after < 40; after++) {
		memset(buf + 36 + n, 0xfe, after);
		gk_assert_ok(gsakmp_message_parse(&member, buf, 36 + n + after,
		                                  &msg, &why));
		assert_int_equal(msg.octets.len, n);
		assert_int_equal(msg.outer_version, 3);
	}
}

/* Dissections: what each message has to contain ----------------------------- */

GK_TEST(rfc4535_5_tables, each_required_payload_is_missed_by_its_clause)
{
	static const struct {
		uint8_t exchange, missing;
		const char *req;
	} row[] = {
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN, GSAKMP_PAYLOAD_KEY_CREATION,
		  "RFC4535-5.2.1.1-06" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN, GSAKMP_PAYLOAD_NONCE,
		  "RFC4535-5.2.1.1-07" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.2.1-02" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_PAYLOAD_IDENTIFICATION,
		  "RFC4535-5.2.1.2-03" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_PAYLOAD_KEY_CREATION,
		  "RFC4535-5.2.1.2-03" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_PAYLOAD_POLICY_TOKEN,
		  "RFC4535-5.2.1.2-03" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_PAYLOAD_KEY_DOWNLOAD,
		  "RFC4535-5.2.1.2-03" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.2.1.2-03" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
		  GSAKMP_PAYLOAD_NOTIFICATION, "RFC4535-5.2.1.3-02" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK, GSAKMP_PAYLOAD_NOTIFICATION,
		  "RFC4535-5.2.1.4-02" },
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.2.1.4-02" },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_PAYLOAD_IDENTIFICATION,
		  "RFC4535-5.2.1.5-03" },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_PAYLOAD_NOTIFICATION,
		  "RFC4535-5.2.1.5-03" },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.2.1.5-03" },
		{ GSAKMP_EXCHANGE_REKEY_EVENT, GSAKMP_PAYLOAD_REKEY_EVENT,
		  "RFC4535-5.3.1.1-07" },
		{ GSAKMP_EXCHANGE_REKEY_EVENT, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.3.1.1-07" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_DEPART,
		  GSAKMP_PAYLOAD_IDENTIFICATION, "RFC4535-5.3.2.3.1-03" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_DEPART,
		  GSAKMP_PAYLOAD_NOTIFICATION, "RFC4535-5.3.2.3.1-03" },
		{ GSAKMP_EXCHANGE_REQUEST_TO_DEPART, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.3.2.3.1-06" },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE,
		  GSAKMP_PAYLOAD_IDENTIFICATION, "RFC4535-5.3.2.3.2-03" },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE,
		  GSAKMP_PAYLOAD_NOTIFICATION, "RFC4535-5.3.2.3.2-03" },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.3.2.3.2-03" },
		{ GSAKMP_EXCHANGE_DEPARTURE_ACK, GSAKMP_PAYLOAD_NOTIFICATION,
		  "RFC4535-5.3.2.3.3-03" },
		{ GSAKMP_EXCHANGE_DEPARTURE_ACK, GSAKMP_PAYLOAD_SIGNATURE,
		  "RFC4535-5.3.2.3.3-03" },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct sample s;

		sample_fill(&s, row[i].exchange, true);
		gk_assert_ok(parse_kept(&s));
		for (size_t p = s.n; p-- > 0;)
			if (s.part[p].type == row[i].missing)
				sample_drop(&s, p);
		gk_assert_err(GK_ERR_UNEXPECTED, parse_kept(&s));
		assert_string_equal(why.req, row[i].req);
		assert_int_equal(why.notify, GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	}
}

GK_TEST(rfc4535_5_3_2_3_1_10, departure_asks_for_nothing_but_to_leave)
{
	struct sample s;
	struct sample_part other;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_DEPART, false);
	for (size_t p = s.n; p-- > 0;)
		if (s.part[p].type == GSAKMP_PAYLOAD_NOTIFICATION)
			sample_drop(&s, p);
	sample_part_of(&other, GSAKMP_PAYLOAD_NOTIFICATION,
	               GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
	sample_add(&s, 0, other.type, other.body, other.len);
	gk_assert_err(GK_ERR_UNEXPECTED, parse_kept(&s));
}

/* Payloads ------------------------------------------------------------------ */

GK_TEST(rfc4535_7_3_1_02, policy_token_type_1_is_supported)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_KEY_DOWNLOAD, false);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.policy_token.type, 1);
}

GK_TEST(rfc4535_7_7_1_01, certificate_may_be_in_any_message)
{
	struct sample s;

	for (uint8_t exchange = 4; exchange <= 15; exchange++) {
		if (gsakmp_dissection_find(exchange) == NULL)
			continue;
		sample_fill(&s, exchange, false);
		sample_add(&s, s.n, GSAKMP_PAYLOAD_CERTIFICATE, "\0\4x", 3);
		sample_add(&s, s.n, GSAKMP_PAYLOAD_CERTIFICATE, "\0\7y", 3);
		gk_assert_ok(parse_kept(&s));
		assert_int_equal(msg.n_certificates, 2);
	}
}

GK_TEST(rfc4535_7_7_1_06, x509_signature_certificate_is_supported)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, true);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.certificate[0].type, 4);
	assert_int_equal(msg.certificate[0].data.len, 5);
}

GK_TEST(rfc4535_7_8_2_08, lying_lengths_in_a_signature_end_the_processing)
{
	struct sample s;
	struct sample_part *sig;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sig = &s.part[s.n - 1];
	assert_int_equal(sig->type, GSAKMP_PAYLOAD_SIGNATURE);
	/* Signer ID Length, then Signature Length, one too much or too few. */
	static const size_t at[] = { 19, 19 + 1 + 16 + 1 };
	for (size_t i = 0; i < GK_COUNT(at); i++)
		for (int by = -1; by <= 1; by += 2) {
			sig->body[at[i]] = (uint8_t)(sig->body[at[i]] + by);
			assert_true(parse_kept(&s) != GK_OK);
			assert_string_equal(why.req, "RFC4535-7.8.2-08");
			sig->body[at[i]] = (uint8_t)(sig->body[at[i]] - by);
		}
	gk_assert_ok(parse_kept(&s));
}

GK_TEST(rfc4535_7_9_1_01, several_notifications_of_different_types_go_together)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, true);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.n_notifications, 3);
	assert_non_null(gsakmp_message_notification(
		&msg, GSAKMP_NOTIFY_MECHANISM_CHOICES));
	assert_non_null(
		gsakmp_message_notification(&msg, GSAKMP_NOTIFY_COOKIE));
	assert_non_null(
		gsakmp_message_notification(&msg, GSAKMP_NOTIFY_IPV4_VALUE));
}

GK_TEST(rfc4535_7_9_1_3_03, sha1_is_a_nonce_hash)
{
	struct gsakmp_mechanisms m;

	gk_assert_ok(gsakmp_mechanisms_decode(
		(struct gk_slice){ (const uint8_t *)"\2\0\1", 3 }, 0, &defaults,
		NULL, &m, &why));
	assert_true(m.has_nonce_hash);
	assert_int_equal(gsakmp_nonce_hash(m.nonce_hash), GK_HASH_SHA1_LEGACY);
}

GK_TEST(rfc4535_7_10_1_02, vendor_id_changes_nothing_that_is_defined)
{
	struct gk_slice vid = gsakmp_vendor_suite();
	static struct gsakmp_message without;
	struct sample s;

	for (uint8_t exchange = 4; exchange <= 15; exchange++) {
		if (gsakmp_dissection_find(exchange) == NULL)
			continue;
		sample_fill(&s, exchange, false);
		gk_assert_ok(parse_kept(&s));
		without = msg;
		sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, vid.ptr, vid.len);
		gk_assert_ok(parse_kept(&s));
		assert_int_equal(msg.present,
		                 without.present | GSAKMP_BIT(VENDOR_ID));
		assert_int_equal(msg.n_seen, without.n_seen + 1);
		for (size_t i = 0; i < without.n_seen; i++) {
			assert_int_equal(msg.seen[i + 1].type,
			                 without.seen[i].type);
			assert_int_equal(msg.seen[i + 1].kind,
			                 without.seen[i].kind);
		}
		assert_int_equal(msg.signature.type, without.signature.type);
	}
}

GK_TEST(rfc4535_7_10_2_02, vendor_ids_are_told_apart)
{
	struct gk_slice vid = gsakmp_vendor_suite();
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, "stranger", 8);
	sample_add(&s, 2, GSAKMP_PAYLOAD_VENDOR_ID, vid.ptr, vid.len);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.n_vendor_ids, 2);
	assert_false(msg.vendor_id[0].familiar);
	assert_true(msg.vendor_id[1].familiar);
}

GK_TEST(rfc4535_7_6_1_03, dn_string_is_supported)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_KEY_DOWNLOAD, false);
	gk_assert_ok(parse_kept(&s));
	assert_int_equal(msg.identification.id_type, 31);
	assert_memory_equal(msg.identification.data.ptr, SAMPLE_DN,
	                    strlen(SAMPLE_DN));
}

GK_TEST(rfc4535_7_10_2_03, message_goes_on_whatever_the_vendor_id)
{
	static const uint8_t vid[40] = { 0xff, 1 };
	struct sample s;

	for (size_t n = 0; n <= sizeof(vid); n++) {
		sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
		sample_add(&s, 0, GSAKMP_PAYLOAD_VENDOR_ID, vid, n);
		gk_assert_ok(parse_kept(&s));
		assert_int_equal(msg.vendor_id[0].short_, n < 4);
	}
}

GK_TEST(rfc4535_7_12_2_03, nonce_of_three_octets_is_refused)
{
	struct sample s;

	for (size_t n = 0; n <= 5; n++) {
		sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
		for (size_t p = 0; p < s.n; p++)
			if (s.part[p].type == GSAKMP_PAYLOAD_NONCE)
				s.part[p].len = 1 + n;
		gk_assert_err(n >= 4 ? GK_OK : GK_ERR_VALUE, parse_kept(&s));
		if (n < 4)
			assert_string_equal(why.req, "RFC4535-7.12.1-04");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_3_2_01,
		       generic_header_of_policy_token_is_checked),
		GK_RUN(rfc4535_7_4_2_02,
		       generic_header_of_key_download_is_checked),
		GK_RUN(rfc4535_7_5_2_01,
		       generic_header_of_rekey_event_is_checked),
		GK_RUN(rfc4535_7_6_2_01,
		       generic_header_of_identification_is_checked),
		GK_RUN(rfc4535_7_7_2_01,
		       generic_header_of_certificate_is_checked),
		GK_RUN(rfc4535_7_8_2_01,
		       generic_header_of_signature_is_checked),
		GK_RUN(rfc4535_7_9_2_01,
		       generic_header_of_notification_is_checked),
		GK_RUN(rfc4535_7_10_2_01,
		       generic_header_of_vendor_id_is_checked),
		GK_RUN(rfc4535_7_11_2_01,
		       generic_header_of_key_creation_is_checked),
		GK_RUN(rfc4535_7_12_2_01, generic_header_of_nonce_is_checked),
		GK_RUN(rfc4535_7_06, integers_are_in_network_byte_order),
		GK_RUN(rfc4535_7_07, nothing_is_padded_to_any_boundary),
		GK_RUN(rfc4535_5_2_2_06,
		       cookie_download_has_a_notification_and_no_signature),
		GK_RUN(rfc4535_7_1_1_03, octet_string_groupid_is_supported),
		GK_RUN(rfc4535_7_1_1_09, exchange_types_are_those_of_table_13),
		GK_RUN(rfc4535_7_1_1_10,
		       sequence_id_of_a_negotiation_is_not_built),
		GK_RUN(rfc4535_7_1_2_13,
		       data_behind_an_embedded_message_is_ignored),
		GK_RUN(rfc4535_5_tables,
		       each_required_payload_is_missed_by_its_clause),
		GK_RUN(rfc4535_5_3_2_3_1_10,
		       departure_asks_for_nothing_but_to_leave),
		GK_RUN(rfc4535_7_3_1_02, policy_token_type_1_is_supported),
		GK_RUN(rfc4535_7_7_1_01, certificate_may_be_in_any_message),
		GK_RUN(rfc4535_7_7_1_06,
		       x509_signature_certificate_is_supported),
		GK_RUN(rfc4535_7_8_2_08,
		       lying_lengths_in_a_signature_end_the_processing),
		GK_RUN(rfc4535_7_9_1_01,
		       several_notifications_of_different_types_go_together),
		GK_RUN(rfc4535_7_9_1_3_03, sha1_is_a_nonce_hash),
		GK_RUN(rfc4535_7_10_1_02,
		       vendor_id_changes_nothing_that_is_defined),
		GK_RUN(rfc4535_7_10_2_02, vendor_ids_are_told_apart),
		GK_RUN(rfc4535_7_6_1_03, dn_string_is_supported),
		GK_RUN(rfc4535_7_10_2_03,
		       message_goes_on_whatever_the_vendor_id),
		GK_RUN(rfc4535_7_12_2_03, nonce_of_three_octets_is_refused),
	};

	return cmocka_run_group_tests_name("gsakmp/clause", tests, NULL, NULL);
}
