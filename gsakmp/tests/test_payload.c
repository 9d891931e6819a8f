/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/five.h"

#include "gsakmp/tests/golden.h"
#include "gsakmp/tests/refused.h"

/*
 * The bodies of all payloads that are read in clear: the five tests.  Decrypted
 * structures are in test_keys.c, the value checks in test_payload_value.c.
 */

static const struct gsakmp_dialect defaults;

/* clang-format off */

/* Header ------------------------------------------------------------------- */

static const uint8_t header_golden[] = {
	0x02, 0x09,                                     /* Octet String, 9 */
	0, 1, 2, 3, 4, 5, 6, 7, 'x',                    /* Group ID Value */
	0x03, 0x01, 0x05,                               /* Rekey Event */
	0x00, 0x00, 0x01, 0x02,                         /* Sequence ID */
	0x00, 0x00, 0x12, 0x34,                         /* Length */
};
FIVE_CODEC(header)
static void
header_expect(const void *decoded)
{
	const struct gsakmp_header *h = decoded;

	assert_int_equal(h->groupid.type, GSAKMP_GROUPID_OCTET_STRING);
	assert_int_equal(h->groupid.value.len, 9);
	assert_int_equal(h->next_payload, GSAKMP_PAYLOAD_REKEY_EVENT);
	assert_int_equal(h->version, 1);
	assert_int_equal(h->exchange, GSAKMP_EXCHANGE_REKEY_EVENT);
	assert_int_equal(h->sequence, 0x102);
	assert_int_equal(h->length, 0x1234);
	assert_int_equal(h->size, sizeof(header_golden));
}
static const struct five header = {
	header_golden, sizeof(header_golden), sizeof(header_golden),
	header_five_decode, header_five_encode, header_expect,
	&header_decoded, { 0 },
};
FIVE(rfc4535_7_1_1_01, header)

/* Policy Token ------------------------------------------------------------- */

static const uint8_t policy_token_golden[] = { 0x00, 0x01, 0xde, 0xad, 0xbe };
FIVE_CODEC(policy_token)
static void
policy_token_expect(const void *decoded)
{
	const struct gsakmp_policy_token *t = decoded;

	assert_int_equal(t->type, GSAKMP_TOKEN_ASN1_V1);
	assert_int_equal(t->data.len, 3);
	assert_memory_equal(t->data.ptr, "\xde\xad\xbe", 3);
}
static const struct five policy_token = {
	policy_token_golden, sizeof(policy_token_golden), 2,
	policy_token_five_decode, policy_token_five_encode,
	policy_token_expect, &policy_token_decoded, { 0 },
};
FIVE(rfc4535_7_3_1_01, policy_token)

/* Identification ----------------------------------------------------------- */

static const uint8_t identification_golden[] = {
	0x01, 0x1f, 'C', 'N', '=', 'm',
};
FIVE_CODEC(identification)
static void
identification_expect(const void *decoded)
{
	const struct gsakmp_identification *id = decoded;

	assert_int_equal(id->classification, GSAKMP_ID_CLASS_RECEIVER);
	assert_int_equal(id->id_type, GSAKMP_ID_DN_STRING);
	assert_int_equal(id->data.len, 4);
	assert_memory_equal(id->data.ptr, "CN=m", 4);
}
static const struct five identification = {
	identification_golden, sizeof(identification_golden), 2,
	identification_five_decode, identification_five_encode,
	identification_expect, &identification_decoded, { 0 },
};
FIVE(rfc4535_7_6_1_01, identification)

FIVE_CODEC(u_name)
static void
u_name_expect(const void *decoded)
{
	const struct gsakmp_u_name *n = decoded;

	assert_int_equal(n->serial.len, 20);
	assert_int_equal(n->serial.ptr[19], 0x34);
	assert_int_equal(n->dn.len, 6);
	assert_memory_equal(n->dn.ptr, "/CN=m1", 6);
}
static const struct five u_name = {
	u_name_golden, sizeof(u_name_golden), sizeof(u_name_golden),
	u_name_five_decode, u_name_five_encode, u_name_expect,
	&u_name_decoded, { 22, 0 },
};
FIVE(rfc4535_7_6_1_1_01, u_name)

/* Certificate -------------------------------------------------------------- */

static const uint8_t certificate_golden[] = { 0x00, 0x04, 0x30, 0x00 };
FIVE_CODEC(certificate)
static void
certificate_expect(const void *decoded)
{
	const struct gsakmp_certificate *c = decoded;

	assert_int_equal(c->type, GSAKMP_CERT_X509_SIGNATURE);
	assert_int_equal(c->data.len, 2);
}
static const struct five certificate = {
	certificate_golden, sizeof(certificate_golden), 2,
	certificate_five_decode, certificate_five_encode, certificate_expect,
	&certificate_decoded, { 0 },
};
FIVE(rfc4535_7_7_1_05, certificate)

/* Signature: DSS-SHA1 by "cn", signed 2024-02-29 12:00:00Z. ---------------- */

FIVE_CODEC(signature)
static void
signature_expect(const void *decoded)
{
	const struct gsakmp_signature *s = decoded;

	assert_int_equal(s->type, GSAKMP_SIGNATURE_DSS_SHA1);
	assert_int_equal(s->id_type, GSAKMP_ID_DN_STRING);
	assert_int_equal(s->timestamp.len, GK_ZULU_LEN);
	assert_int_equal(s->signer_id.len, 2);
	assert_memory_equal(s->signer_id.ptr, "cn", 2);
	assert_int_equal(s->value.len, 4);
	/* RFC4535-7.8.1-01: up to, not including, Signature Length. */
	assert_int_equal(s->covered, 22);
}
static const struct five signature = {
	signature_golden, sizeof(signature_golden), sizeof(signature_golden),
	signature_five_decode, signature_five_encode, signature_expect,
	&signature_decoded, { 18, 22, 0 },
};
FIVE(rfc4535_7_8_1_02, signature)

/* Notification ------------------------------------------------------------- */

static const uint8_t notification_golden[] = { 0x00, 0x17, 0x00 };
FIVE_CODEC(notification)
static void
notification_expect(const void *decoded)
{
	const struct gsakmp_notification *n = decoded;

	assert_int_equal(n->type, GSAKMP_NOTIFY_ACKNOWLEDGEMENT);
	assert_int_equal(n->data.len, 1);
}
static const struct five notification = {
	notification_golden, sizeof(notification_golden), 2,
	notification_five_decode, notification_five_encode,
	notification_expect, &notification_decoded, { 0 },
};
FIVE(rfc4535_7_9_1_02, notification)

/* Vendor ID ---------------------------------------------------------------- */

static const uint8_t vendor_id_golden[] = { 'a', 'c', 'm', 'e' };
FIVE_CODEC(vendor_id)
static void
vendor_id_expect(const void *decoded)
{
	const struct gsakmp_vendor_id *v = decoded;

	assert_int_equal(v->value.len, 4);
	assert_false(v->short_);
}
static const struct five vendor_id = {
	vendor_id_golden, sizeof(vendor_id_golden), 0,
	vendor_id_five_decode, vendor_id_five_encode, vendor_id_expect,
	&vendor_id_decoded, { 0 },
};
FIVE(rfc4535_7_10_1_06, vendor_id)

/* Key Creation ------------------------------------------------------------- */

static const uint8_t key_creation_golden[] = { 0x00, 0x0e, 0x01, 0x02 };
FIVE_CODEC(key_creation)
static void
key_creation_expect(const void *decoded)
{
	const struct gsakmp_key_creation *k = decoded;

	assert_int_equal(k->type, GSAKMP_KEY_CREATION_MODP2048);
	assert_int_equal(k->data.len, 2);
}
static const struct five key_creation = {
	key_creation_golden, sizeof(key_creation_golden), 2,
	key_creation_five_decode, key_creation_five_encode,
	key_creation_expect, &key_creation_decoded, { 0 },
};
FIVE(rfc4535_7_11_1_01, key_creation)

/* Nonce -------------------------------------------------------------------- */

static const uint8_t nonce_golden[] = { 0x01, 0xca, 0xfe, 0xba, 0xbe };
FIVE_CODEC(nonce)
static void
nonce_expect(const void *decoded)
{
	const struct gsakmp_nonce *n = decoded;

	assert_int_equal(n->type, GSAKMP_NONCE_INITIATOR);
	assert_int_equal(n->data.len, 4);
}
static const struct five nonce = {
	nonce_golden, sizeof(nonce_golden), 1, nonce_five_decode,
	nonce_five_encode, nonce_expect, &nonce_decoded, { 0 },
};
FIVE(rfc4535_7_12_1_01, nonce)

/* Rekey Event: A.3.2's header, two Rekey Event Datas. ---------------------- */

static struct gsakmp_rekey_event rekey_decoded;
static const struct gsakmp_groupid rekey_group = {
	GSAKMP_GROUPID_OCTET_STRING, { rekey_golden + 1, 9 }
};
static const struct gsakmp_rekey_shape rekey_shape = { &defaults, 0 };

/* Decode and walk: the counters and lengths are behind the event header. */
static enum gk_err
rekey_five_decode(struct gk_rd *rd, void *to)
{
	GK_TRY(gsakmp_rekey_event_decode(rd, &defaults, 9, to));
	return gsakmp_rekey_event_check(to, &rekey_shape, rekey_group, NULL,
	                                &why);
}
static void
rekey_five_encode(struct gk_wr *wr, const void *from)
{
	gsakmp_rekey_event_encode(wr, from);
}
static void
rekey_expect(const void *decoded)
{
	const struct gsakmp_rekey_event *e = decoded;
	struct gk_rd rd = gsakmp_rekey_data_start(e);
	struct gsakmp_rekey_data d;

	assert_int_equal(e->type, GSAKMP_REKEY_LKH);
	assert_int_equal(e->count, 2);
	assert_int_equal(e->n_data, 2);
	assert_int_equal(e->data_at, REKEY_DATA);
	assert_true(gsakmp_rekey_data_next(&rd, &rekey_shape, &d));
	assert_int_equal(d.key_id, 2);
	assert_int_equal(d.handle, 0x0a0b0c0d);
	assert_int_equal(d.sealed.len, 3);
	assert_int_equal(d.at, REKEY_DATA);
	assert_true(gsakmp_rekey_data_next(&rd, &rekey_shape, &d));
	assert_int_equal(d.key_id, 12);
	assert_int_equal(d.sealed.len, 2);
	assert_memory_equal(d.sealed.ptr, "\4\5", 2);
	assert_false(gsakmp_rekey_data_next(&rd, &rekey_shape, &d));
	assert_int_equal(rd.fault.err, GK_OK);
}
static const struct five rekey = {
	rekey_golden, sizeof(rekey_golden), REKEY_DATA - 1,
	rekey_five_decode, rekey_five_encode, rekey_expect, &rekey_decoded,
	{ REKEY_COUNT, REKEY_DATA, REKEY_DATA + 13, 0 },
};

/* clang-format on */

GK_TEST(rfc4535_7_5_1_03, rekey_golden_vector_decodes)
{
	five_golden(&rekey);
}

GK_TEST(rfc4535_7_5_1_03, rekey_reencodes_octet_for_octet)
{
	five_reencode(&rekey);
}

GK_TEST(rfc4535_7_5_2_07, every_truncation_of_a_rekey_event_is_refused)
{
	struct gk_fault fault;

	for (size_t n = 0; n < sizeof(rekey_golden); n++)
		assert_true(five_decode(&rekey, rekey_golden, n, &fault) !=
		            GK_OK);
}

GK_TEST(rfc4535_7_5_2_07, lying_lengths_and_counters_are_refused)
{
	five_lengths(&rekey);
}

GK_TEST(rfc4535_7_5_2_07, octet_behind_the_last_rekey_event_data_is_refused)
{
	struct gk_fault fault;
	uint8_t buf[sizeof(rekey_golden) + 1] = { 0 };

	memcpy(buf, rekey_golden, sizeof(rekey_golden));
	assert_refused("RFC4535-7.5.2-07", MALFORMED, sizeof(rekey_golden),
	               five_decode(&rekey, buf, sizeof(buf), &fault));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_RUN(rfc4535_7_1_1_01, header),
		FIVE_RUN(rfc4535_7_3_1_01, policy_token),
		FIVE_RUN(rfc4535_7_6_1_01, identification),
		FIVE_RUN(rfc4535_7_6_1_1_01, u_name),
		FIVE_RUN(rfc4535_7_7_1_05, certificate),
		FIVE_RUN(rfc4535_7_8_1_02, signature),
		FIVE_RUN(rfc4535_7_9_1_02, notification),
		FIVE_RUN(rfc4535_7_10_1_06, vendor_id),
		FIVE_RUN(rfc4535_7_11_1_01, key_creation),
		FIVE_RUN(rfc4535_7_12_1_01, nonce),
		GK_RUN(rfc4535_7_5_1_03, rekey_golden_vector_decodes),
		GK_RUN(rfc4535_7_5_1_03, rekey_reencodes_octet_for_octet),
		GK_RUN(rfc4535_7_5_2_07,
		       every_truncation_of_a_rekey_event_is_refused),
		GK_RUN(rfc4535_7_5_2_07,
		       lying_lengths_and_counters_are_refused),
		GK_RUN(rfc4535_7_5_2_07,
		       octet_behind_the_last_rekey_event_data_is_refused),
	};

	return cmocka_run_group_tests_name("gsakmp/payload", tests, NULL, NULL);
}
