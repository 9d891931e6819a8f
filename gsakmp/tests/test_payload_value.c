/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/refused.h"

#include <string.h>

#include "gsakmp/tests/golden.h"

/*
 * The value checks of payloads that are read in clear: RFC 4535 section 7, the
 * "payload processing" of each.
 */

static const struct gsakmp_dialect defaults;
static const struct gsakmp_vocabulary suite = { .suite = true };
static struct gsakmp_rekey_event rekey_decoded;
static const struct gsakmp_groupid rekey_group = { GSAKMP_GROUPID_OCTET_STRING,
	                                           { rekey_golden + 1, 9 } };
static const struct gsakmp_rekey_shape rekey_shape = { &defaults, 0 };

/* Values: one octet of a golden vector changed, one refusal expected. ------ */

struct change {
	size_t at;
	uint8_t to;
	const char *req;
	size_t offset;
};

GK_TEST(rfc4535_7_5_2, rekey_event_checks_name_their_field)
{
	static const struct change row[] = {
		{ 0, 2, "RFC4535-7.5.2-02", 0 },
		{ 0, 193, "RFC4535-7.5.2-02", 0 },
		{ 3, 0x00, "RFC4535-7.5.2-03", 1 },
		{ REKEY_STAMP + 4, '9', "RFC4535-7.5.1.1-01", REKEY_STAMP },
		{ REKEY_STAMP + 14, 'z', "RFC4535-7.5.1.1-01", REKEY_STAMP },
		{ REKEY_INNER, 0, "RFC4535-7.5.2-05", REKEY_INNER },
		{ REKEY_INNER, 2, "RFC4535-7.5.2-05", REKEY_INNER },
		{ REKEY_INNER + 1, 0, "RFC4535-7.5.2-06", REKEY_INNER + 1 },
		{ REKEY_INNER + 1, 2, "RFC4535-7.5.2-06", REKEY_INNER + 1 },
		{ REKEY_COUNT + 1, 1, "RFC4535-7.5.2-07", REKEY_COUNT },
		{ REKEY_COUNT + 1, 3, "RFC4535-7.5.2-07", REKEY_COUNT },
	};
	uint8_t buf[sizeof(rekey_golden)];

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		struct gk_rd rd;

		memcpy(buf, rekey_golden, sizeof(buf));
		buf[row[i].at] = row[i].to;
		gk_rd_init(&rd, buf, sizeof(buf));
		gk_assert_ok(gsakmp_rekey_event_decode(&rd, &defaults, 9,
		                                       &rekey_decoded));
		assert_refused(
			row[i].req,
			row[i].at == 3 ? GSAKMP_NOTIFY_INVALID_GROUP_ID
				       : MALFORMED,
			row[i].offset,
			gsakmp_rekey_event_check(&rekey_decoded, &rekey_shape,
		                                 rekey_group, NULL, &why));
	}
}

GK_TEST(rfc4535_7_5_1_04, rekey_event_of_type_none_has_no_data)
{
	uint8_t buf[sizeof(rekey_golden)];
	struct gk_rd rd;

	memcpy(buf, rekey_golden, sizeof(buf));
	buf[0] = 0;
	buf[REKEY_INNER] = 0;
	buf[REKEY_INNER + 1] = 77; /* no version is defined: not looked at */
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(
		gsakmp_rekey_event_decode(&rd, &defaults, 9, &rekey_decoded));
	assert_refused("RFC4535-7.5.1-04", MALFORMED, REKEY_COUNT,
	               gsakmp_rekey_event_check(&rekey_decoded, &rekey_shape,
	                                        rekey_group, NULL, &why));
	buf[REKEY_COUNT + 1] = 0;
	gk_rd_init(&rd, buf, REKEY_DATA);
	gk_assert_ok(
		gsakmp_rekey_event_decode(&rd, &defaults, 9, &rekey_decoded));
	gk_assert_ok(gsakmp_rekey_event_check(&rekey_decoded, &rekey_shape,
	                                      rekey_group, NULL, &why));
}

GK_TEST(rfc4535_7_5_1_1_01, group_id_value_with_type_and_length)
{
	const struct gsakmp_dialect tlv = { .reh_groupid =
		                                    GSAKMP_REH_GROUPID_TLV };
	const struct gsakmp_rekey_shape shape = { &tlv, 0 };
	uint8_t buf[sizeof(rekey_golden) + 2];
	struct gk_rd rd;

	buf[0] = 1;
	buf[1] = rekey_group.type;
	buf[2] = 9;
	memcpy(buf + 3, rekey_golden + 1, sizeof(rekey_golden) - 1);
	for (int wrong = 0; wrong <= 1; wrong++) {
		buf[1] = (uint8_t)(rekey_group.type + wrong);
		gk_rd_init(&rd, buf, sizeof(buf));
		gk_assert_ok(gsakmp_rekey_event_decode(&rd, &tlv, 9,
		                                       &rekey_decoded));
		gk_assert_err(wrong ? GK_ERR_VALUE : GK_OK,
		              gsakmp_rekey_event_check(&rekey_decoded, &shape,
		                                       rekey_group, NULL,
		                                       &why));
	}
}

GK_TEST(rfc4535_7_3_2_02, unknown_policy_token_type_is_payload_malformed)
{
	struct gsakmp_policy_token t = { .data = gk_slice_str("x"), .at = 40 };
	static const uint16_t bad[] = { 0, 2, 49152, 49153, 65535 };

	for (size_t i = 0; i < GK_COUNT(bad); i++) {
		t.type = bad[i];
		assert_refused("RFC4535-7.3.2-02", MALFORMED, 40,
		               gsakmp_policy_token_check(&t, &suite, &why));
	}
	t.type = 1;
	gk_assert_ok(gsakmp_policy_token_check(&t, NULL, &why));
	t.data.len = 0;
	assert_refused("RFC4535-7.3.2-03", MALFORMED, 42,
	               gsakmp_policy_token_check(&t, NULL, &why));
}

GK_TEST(rfc4535_7_6_2_02, unknown_classification_is_payload_malformed)
{
	struct gsakmp_identification id = { .id_type = GSAKMP_ID_DN_STRING,
		                            .data = gk_slice_str("CN=x"),
		                            .at = 40 };

	for (int v = 0; v <= 255; v++) {
		id.classification = (uint8_t)v;
		if (v <= 2)
			gk_assert_ok(
				gsakmp_identification_check(&id, NULL, &why));
		else
			assert_refused(
				"RFC4535-7.6.2-02", MALFORMED, 40,
				gsakmp_identification_check(&id, NULL, &why));
	}
}

GK_TEST(rfc4535_7_6_2_03, unknown_id_type_is_payload_malformed)
{
	struct gsakmp_identification id = { .data = gk_slice_str("CN=x"),
		                            .at = 40 };
	size_t refused = 0;

	for (int v = 0; v <= 255; v++) {
		id.id_type = (uint8_t)v;
		if (gsakmp_code_known(GSAKMP_TABLE_ID, NULL, id.id_type))
			continue;
		assert_refused("RFC4535-7.6.2-03", MALFORMED, 41,
		               gsakmp_identification_check(&id, &suite, &why));
		refused++;
	}
	assert_int_equal(refused, 256 - 8);
}

GK_TEST(rfc4535_7_6_2_04, identification_data_has_the_form_of_its_type)
{
	static const struct {
		uint8_t type;
		const char *data;
		size_t len;
		bool ok;
	} row[] = {
		{ GSAKMP_ID_IPV4_ADDR, "\xc0\0\2\1", 4, true },
		{ GSAKMP_ID_IPV4_ADDR, "\xc0\0\2", 3, false },
		{ GSAKMP_ID_IPV6_ADDR, "0123456789abcdef", 16, true },
		{ GSAKMP_ID_IPV6_ADDR, "0123456789abcdefg", 17, false },
		{ GSAKMP_ID_FQDN, "gm.example", 10, true },
		{ GSAKMP_ID_FQDN, "", 0, false },
		{ GSAKMP_ID_RFC822_ADDR, "a@example", 9, true },
		{ GSAKMP_ID_RFC822_ADDR, "a\0b", 3, false },
		{ GSAKMP_ID_DN_STRING, "CN=\xc3\xa4", 5, true },
		{ GSAKMP_ID_DN_STRING, "CN=\xe4", 4, false },
		{ GSAKMP_ID_DN_STRING, "", 0, false },
		{ GSAKMP_ID_DER_ASN1_DN, "\x30\0", 2, true },
		{ GSAKMP_ID_DER_ASN1_DN, "\x31\0", 2, false },
		{ GSAKMP_ID_KEY_ID, "\xff", 1, true },
		{ GSAKMP_ID_KEY_ID, "", 0, false },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		const struct gsakmp_identification id = {
			.id_type = row[i].type,
			.data = { (const uint8_t *)row[i].data, row[i].len },
			.at = 40,
		};
		enum gk_err err = gsakmp_identification_check(&id, NULL, &why);

		if (row[i].ok)
			gk_assert_ok(err);
		else
			assert_refused("RFC4535-7.6.2-04", MALFORMED, 42, err);
	}
}

GK_TEST(rfc4535_7_6_2_1_01, u_name_needs_a_serial_number_and_utf8)
{
	uint8_t buf[sizeof(u_name_golden)];
	const struct gk_slice data = { buf, sizeof(buf) };

	memcpy(buf, u_name_golden, sizeof(buf));
	gk_assert_ok(gsakmp_id_data_check(GSAKMP_ID_U_NAME, data, 50, &why));
	buf[18] = buf[19] = 0;
	assert_refused("RFC4535-7.6.2.1-01", MALFORMED, 50,
	               gsakmp_id_data_check(GSAKMP_ID_U_NAME, data, 50, &why));
	buf[0] = 1;
	buf[28] = 0xff;
	assert_refused("RFC4535-7.6.2.1-02", MALFORMED, 74,
	               gsakmp_id_data_check(GSAKMP_ID_U_NAME, data, 50, &why));
	buf[23] = 7;
	assert_refused("RFC4535-7.6.1.1-01", MALFORMED, 74,
	               gsakmp_id_data_check(GSAKMP_ID_U_NAME, data, 50, &why));
}

GK_TEST(rfc4535_7_7_2_02, unknown_certificate_type_is_cert_type_unsupported)
{
	struct gsakmp_certificate c = { .at = 9 };
	size_t known = 0;

	for (uint32_t v = 0; v <= 65535; v++) {
		c.type = (uint16_t)v;
		if (gsakmp_certificate_check(&c, &suite, &why) == GK_OK) {
			known++;
			continue;
		}
		assert_string_equal(why.req, "RFC4535-7.7.2-02");
		assert_int_equal(why.notify,
		                 GSAKMP_NOTIFY_CERT_TYPE_UNSUPPORTED);
	}
	assert_int_equal(known, 7); /* None and the six of Table 20 */
}

static enum gk_err
check_signature(size_t at, uint8_t to)
{
	uint8_t buf[sizeof(signature_golden)];
	struct gsakmp_signature sig;
	struct gk_rd rd;

	memcpy(buf, signature_golden, sizeof(buf));
	buf[at] = to;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(gsakmp_signature_decode(&rd, &sig));
	return gsakmp_signature_check(&sig, NULL, &why);
}

GK_TEST(rfc4535_7_8_2_02, unknown_signature_type_is_payload_malformed)
{
	gk_assert_ok(check_signature(1, 2));
	assert_refused("RFC4535-7.8.2-02", MALFORMED, 0, check_signature(1, 3));
	/* Private use needs a Vendor ID; both readings of Table 21. */
	assert_refused("RFC4535-7.8.2-02", MALFORMED, 0,
	               check_signature(0, 0xc0));
	assert_refused("RFC4535-7.8.2-02", MALFORMED, 0,
	               check_signature(0, 0xa4));
}

GK_TEST(rfc4535_7_8_2_03, unknown_signature_id_type_is_payload_malformed)
{
	assert_refused("RFC4535-7.8.2-03", MALFORMED, 2, check_signature(2, 0));
	assert_refused("RFC4535-7.8.2-03", MALFORMED, 2, check_signature(2, 4));
}

GK_TEST(rfc4535_7_8_1_05, signature_timestamp_is_a_date)
{
	assert_refused("RFC4535-7.8.1-05", MALFORMED, 3,
	               check_signature(17, 'z'));
	assert_refused("RFC4535-7.8.1-05", MALFORMED, 3,
	               check_signature(8, '0')); /* month 00 */
	assert_refused("RFC4535-7.8.1-05", MALFORMED, 3,
	               check_signature(6, '3')); /* 2023 had no February 29 */
}

GK_TEST(rfc4535_7_8_1_07, signer_id_has_the_form_of_its_type)
{
	assert_refused("RFC4535-7.6.2-04", MALFORMED, 20,
	               check_signature(2, GSAKMP_ID_IPV4_ADDR));
}

static enum gk_err
check_notification(uint16_t type, const char *data, size_t len)
{
	const struct gsakmp_notification n = {
		.type = type, .data = { (const uint8_t *)data, len }, .at = 60
	};

	return gsakmp_notification_check(&n, &defaults, NULL, &why);
}

GK_TEST(rfc4535_7_9_2_02, unknown_notification_type_is_payload_malformed)
{
	size_t known = 0;

	for (uint32_t v = 0; v <= 65535; v++) {
		const struct gsakmp_notification n = { .type = (uint16_t)v,
			                               .data = gk_slice_str(""),
			                               .at = 60 };
		enum gk_err err =
			gsakmp_notification_check(&n, &defaults, &suite, &why);

		if (gsakmp_code_known(GSAKMP_TABLE_NOTIFY, NULL, v))
			known++;
		else if (!gsakmp_code_known(GSAKMP_TABLE_NOTIFY, &suite, v))
			assert_refused("RFC4535-7.9.2-02", MALFORMED, 60, err);
	}
	assert_int_equal(known, 26);
}

GK_TEST(rfc4535_7_9_1_1_01, acknowledgement_is_one_octet_of_zero)
{
	gk_assert_ok(check_notification(23, "\0", 1));
	assert_refused("RFC4535-7.9.2-03", MALFORMED, 62,
	               check_notification(23, "\1", 1));
	assert_refused("RFC4535-7.9.1.1-01", MALFORMED, 62,
	               check_notification(23, "", 0));
	assert_refused("RFC4535-7.9.1.1-01", MALFORMED, 63,
	               check_notification(23, "\0x", 2));
}

GK_TEST(rfc4535_7_9_1_1_01, empty_acknowledgement_needs_its_dialect)
{
	const struct gsakmp_dialect empty = { .ack_data =
		                                      GSAKMP_ACK_DATA_EMPTY };
	const struct gsakmp_notification n = { .type = 23,
		                               .data = gk_slice_str("") };

	gk_assert_ok(gsakmp_notification_check(&n, &empty, NULL, &why));
	assert_int_equal(gsakmp_ack_data(&empty).len, 0);
	assert_int_equal(gsakmp_ack_data(&defaults).len, 1);
}

GK_TEST(rfc4535_7_9_1_4_01, address_values_have_four_or_sixteen_octets)
{
	static const char sixteen[17] = { 0 };

	gk_assert_ok(check_notification(34, sixteen, 4));
	gk_assert_ok(check_notification(35, sixteen, 16));
	assert_refused("RFC4535-7.9.1.4-01", MALFORMED, 62,
	               check_notification(34, sixteen, 3));
	assert_refused("RFC4535-7.9.1.4-01", MALFORMED, 62,
	               check_notification(34, sixteen, 5));
	assert_refused("RFC4535-7.9.1.4-01", MALFORMED, 62,
	               check_notification(35, sixteen, 15));
	assert_refused("RFC4535-7.9.1.4-01", MALFORMED, 62,
	               check_notification(35, sixteen, 17));
}

GK_TEST(rfc4535_4_4_7_09, expulsion_names_somebody)
{
	static const char golden[] = "\1\37" /* barred; 31: DN, string */
				     "CN=bob";
	static const struct {
		const char *data;
		size_t len, offset;
	} row[] = {
		{ "\2\37CN=bob", 8, 33 }, /* no such reason */
		{ "\1\16CN=bob", 8, 34 }, /* no such type of identification */
		{ "\1\37", 2, 35 },       /* nobody */
		{ "\1", 1, 34 },          { "", 0, 33 },
	};
	struct gsakmp_notification n = { .type = GSAKMP_NOTIFY_EXPULSION,
		                         .at = 33 };
	struct gsakmp_expulsion who;
	uint8_t again[sizeof(golden) - 1];
	struct gk_wr wr;

	n.data = (struct gk_slice){ (const uint8_t *)golden,
		                    sizeof(golden) - 1 };
	/* It is ours, not the RFC's. */
	assert_refused("RFC4535-7.9.2-02", MALFORMED, 33,
	               gsakmp_notification_check(&n, &defaults, NULL, &why));
	gk_assert_ok(gsakmp_notification_check(&n, &defaults, &suite, &why));
	gk_assert_ok(gsakmp_expulsion_decode(n.data, 33, &suite, &who, &why));
	assert_int_equal(who.reason, GSAKMP_EXPULSION_BARRED);
	assert_int_equal(who.id_type, 31);
	assert_true(gk_slice_equal(who.id, gk_slice_str("CN=bob")));
	gk_wr_init(&wr, again, sizeof(again));
	gsakmp_expulsion_encode(&wr, &who);
	gk_assert_ok(gk_wr_done(&wr));
	assert_memory_equal(again, golden, sizeof(again));
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		n.data = (struct gk_slice){ (const uint8_t *)row[i].data,
			                    row[i].len };
		assert_refused("RFC4535-4.4.7-09", MALFORMED, row[i].offset,
		               gsakmp_expulsion_decode(n.data, 33, &suite, &who,
		                                       &why));
	}
}

GK_TEST(rfc4535_7_9_1_2_01, cookie_is_not_empty)
{
	gk_assert_ok(check_notification(27, "c", 1));
	gk_assert_ok(check_notification(28, "c", 1));
	assert_refused("RFC4535-7.9.1.2-01", MALFORMED, 62,
	               check_notification(27, "", 0));
	assert_refused("RFC4535-7.9.1.2-01", MALFORMED, 62,
	               check_notification(28, "", 0));
}

GK_TEST(rfc4535_7_9_1_3, mechanism_choices_are_bounded_by_the_payload)
{
	gk_assert_ok(check_notification(29, "\0\0\2\1\0\14\2\0\1", 9));
	gk_assert_ok(check_notification(29, "\1\0\14", 3));
	assert_refused("RFC4535-7.9.1.3-01", MALFORMED, 62,
	               check_notification(29, "", 0));
	for (size_t cut = 1; cut < 9; cut++)
		if (cut % 3 != 0)
			assert_true(
				check_notification(29, "\0\0\2\1\0\14\2\0\1",
			                           cut) == GK_ERR_TRUNCATED);
	assert_refused("RFC4535-7.9.1.3-02", MALFORMED, 65,
	               check_notification(29, "\0\0\2\3\0\1", 6));
	assert_refused("RFC4535-7.9.2-03", MALFORMED, 63,
	               check_notification(29, "\0\0\3", 3));
	assert_refused("RFC4535-7.9.2-03", MALFORMED, 63,
	               check_notification(29, "\2\0\0", 3));
	assert_refused("RFC4535-7.9.1.3-01", MALFORMED, 65,
	               check_notification(29, "\0\0\2\0\0\16", 6));
}

GK_TEST(rfc4535_7_9_1_3_01, mechanism_choices_reencode_in_every_dialect)
{
	static const struct {
		uint8_t reading;
		const char *octets;
		size_t len;
	} row[] = {
		{ GSAKMP_MECH_CHOICE_TV, "\0\0\2\1\0\14\2\0\1", 9 },
		{ GSAKMP_MECH_CHOICE_TLV1, "\0\2\0\2\1\2\0\14\2\2\0\1", 12 },
		{ GSAKMP_MECH_CHOICE_TLV2, "\0\0\2\0\2\1\0\2\0\14\2\0\2\0\1",
		  15 },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		const struct gsakmp_dialect d = { .mech_choice =
			                                  row[i].reading };
		struct gsakmp_mechanisms m;
		uint8_t out[32];
		struct gk_wr wr;

		gk_assert_ok(gsakmp_mechanisms_decode(
			(struct gk_slice){ (const uint8_t *)row[i].octets,
		                           row[i].len },
			0, &d, NULL, &m, &why));
		assert_true(m.has_key_creation && m.has_encryption &&
		            m.has_nonce_hash);
		assert_int_equal(m.key_creation, 2);
		assert_int_equal(m.encryption, 12);
		assert_int_equal(m.nonce_hash, 1);
		gk_wr_init(&wr, out, sizeof(out));
		gsakmp_mechanisms_encode(&wr, &d, &m);
		assert_int_equal(wr.len, row[i].len);
		assert_memory_equal(out, row[i].octets, row[i].len);
	}
}

GK_TEST(rfc4535_7_11_2_02, unknown_key_creation_type_is_payload_malformed)
{
	static const uint8_t zero[300];
	static const struct {
		uint16_t type;
		size_t len;
		const char *req; /* NULL: accepted */
	} row[] = {
		{ 2, 128, NULL },
		{ 14, 256, NULL },
		{ 2, 127, NULL },
		{ 49153, 64, NULL },
		{ 49154, 32, NULL },
		{ 49155, 256, NULL },
		{ 0, 128, "RFC4535-7.11.2-02" },
		{ 1, 128, "RFC4535-7.11.2-02" },
		{ 3, 128, "RFC4535-7.11.2-02" },
		{ 13, 128, "RFC4535-7.11.2-02" },
		{ 15, 128, "RFC4535-7.11.2-02" },
		{ 49156, 128, "RFC4535-7.11.2-02" },
		{ 2, 0, "RFC4535-7.11.2-03" },
		{ 2, 129, "RFC4535-7.11.2-03" },
		{ 14, 257, "RFC4535-7.11.2-03" },
		{ 49153, 63, "RFC4535-7.11.2-03" },
		{ 49153, 65, "RFC4535-7.11.2-03" },
		{ 49154, 31, "RFC4535-7.11.2-03" },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		const struct gsakmp_key_creation kc = {
			.type = row[i].type, .data = { zero, row[i].len }
		};
		enum gk_err err = gsakmp_key_creation_check(&kc, &suite, &why);

		if (row[i].req == NULL)
			gk_assert_ok(err);
		else
			assert_refused(row[i].req, MALFORMED, why.offset, err);
	}
}

GK_TEST(rfc4535_7_12_2, nonce_type_and_length_are_checked)
{
	struct gsakmp_nonce n = { .data = gk_slice_str("abcd"), .at = 30 };

	for (int v = 0; v <= 255; v++) {
		n.type = (uint8_t)v;
		if (v <= 3)
			gk_assert_ok(gsakmp_nonce_check(&n, NULL, &why));
		else
			assert_refused("RFC4535-7.12.2-02", MALFORMED, 30,
			               gsakmp_nonce_check(&n, &suite, &why));
	}
	n.type = 1;
	n.data.len = 3;
	assert_refused("RFC4535-7.12.1-04", MALFORMED, 31,
	               gsakmp_nonce_check(&n, NULL, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_5_2, rekey_event_checks_name_their_field),
		GK_RUN(rfc4535_7_5_1_04, rekey_event_of_type_none_has_no_data),
		GK_RUN(rfc4535_7_5_1_1_01, group_id_value_with_type_and_length),
		GK_RUN(rfc4535_7_3_2_02,
		       unknown_policy_token_type_is_payload_malformed),
		GK_RUN(rfc4535_7_6_2_02,
		       unknown_classification_is_payload_malformed),
		GK_RUN(rfc4535_7_6_2_03, unknown_id_type_is_payload_malformed),
		GK_RUN(rfc4535_7_6_2_04,
		       identification_data_has_the_form_of_its_type),
		GK_RUN(rfc4535_7_6_2_1_01,
		       u_name_needs_a_serial_number_and_utf8),
		GK_RUN(rfc4535_7_7_2_02,
		       unknown_certificate_type_is_cert_type_unsupported),
		GK_RUN(rfc4535_7_8_2_02,
		       unknown_signature_type_is_payload_malformed),
		GK_RUN(rfc4535_7_8_2_03,
		       unknown_signature_id_type_is_payload_malformed),
		GK_RUN(rfc4535_7_8_1_05, signature_timestamp_is_a_date),
		GK_RUN(rfc4535_7_8_1_07, signer_id_has_the_form_of_its_type),
		GK_RUN(rfc4535_7_9_2_02,
		       unknown_notification_type_is_payload_malformed),
		GK_RUN(rfc4535_7_9_1_1_01,
		       acknowledgement_is_one_octet_of_zero),
		GK_RUN(rfc4535_7_9_1_1_01,
		       empty_acknowledgement_needs_its_dialect),
		GK_RUN(rfc4535_7_9_1_4_01,
		       address_values_have_four_or_sixteen_octets),
		GK_RUN(rfc4535_4_4_7_09, expulsion_names_somebody),
		GK_RUN(rfc4535_7_9_1_2_01, cookie_is_not_empty),
		GK_RUN(rfc4535_7_9_1_3,
		       mechanism_choices_are_bounded_by_the_payload),
		GK_RUN(rfc4535_7_9_1_3_01,
		       mechanism_choices_reencode_in_every_dialect),
		GK_RUN(rfc4535_7_11_2_02,
		       unknown_key_creation_type_is_payload_malformed),
		GK_RUN(rfc4535_7_12_2, nonce_type_and_length_are_checked),
	};

	return cmocka_run_group_tests_name("gsakmp/payload_value", tests, NULL,
	                                   NULL);
}
