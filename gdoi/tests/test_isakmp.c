/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/isakmp/attribute.h"
#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/isakmp/identification.h"
#include "gdoi/isakmp/notification.h"
#include "gdoi/isakmp/proposal.h"

/*
 * The framing of ISAKMP: the five tests of each body, then what is refused.
 */

/* clang-format off */

/* Header ------------------------------------------------------------------- */

static const uint8_t header_golden[] = {
	1, 2, 3, 4, 5, 6, 7, 8,                         /* Initiator Cookie */
	9, 10, 11, 12, 13, 14, 15, 16,                  /* Responder Cookie */
	0x08, 0x10, 0x20, 0x01,                         /* HASH, 1.0, PULL, E */
	0xde, 0xad, 0xbe, 0xef,                         /* Message ID */
	0x00, 0x00, 0x00, 0x1c,                         /* Length */
};
FIVE_READ(header, struct isakmp_header, isakmp_header_decode(rd, to),
	  isakmp_header_encode(wr, from))
static void
header_expect(const void *decoded)
{
	const struct isakmp_header *h = decoded;

	assert_int_equal(h->cookie_i[0], 1);
	assert_int_equal(h->cookie_r[7], 16);
	assert_int_equal(h->next_payload, ISAKMP_PAYLOAD_HASH);
	assert_int_equal(h->exchange, ISAKMP_EXCHANGE_GROUPKEY_PULL);
	assert_int_equal(h->flags, ISAKMP_FLAG_ENCRYPTION);
	assert_int_equal(h->message_id, 0xdeadbeef);
	assert_int_equal(h->length, 28);
}
static const struct five header = {
	header_golden, sizeof(header_golden), sizeof(header_golden),
	header_five_decode, header_five_encode, header_expect,
	&header_decoded, { 0 },
};
FIVE(rfc2408_3_1_01, header)

/* SA of phase 1: two transforms -------------------------------------------- */

static const uint8_t proposal_golden[] = {
	0, 0, 0, 2,                                     /* DOI */
	0, 0, 0, 0,                                     /* Situation */
	0x00, 0x00, 0x00, 0x2c,                         /* Proposal */
	0x01, 0x01, 0x00, 0x02,
	0x03, 0x00, 0x00, 0x14,                         /* Transform */
	0x01, 0x01, 0x00, 0x00,
	0x80, 0x01, 0x00, 0x07,                         /* AES-CBC */
	0x80, 0x0e, 0x00, 0x80,                         /* 128 */
	0x00, 0x0c, 0x00, 0x00,                         /* an empty Variable */
	0x00, 0x00, 0x00, 0x10,                         /* Transform */
	0x02, 0x01, 0x00, 0x00,
	0x80, 0x01, 0x00, 0x05,                         /* 3DES-CBC */
	0x80, 0x02, 0x00, 0x02,
};
FIVE_READ(proposal, struct isakmp_proposal, isakmp_proposal_read(rd, to, &why),
	  isakmp_proposal_encode(wr, from))
static void
proposal_expect(const void *decoded)
{
	const struct isakmp_proposal *sa = decoded;

	assert_int_equal(sa->doi, ISAKMP_DOI_GDOI);
	assert_int_equal(sa->situation, 0);
	assert_int_equal(sa->n_transforms, 2);
	assert_int_equal(sa->transform[1].number, 2);
	assert_int_equal(sa->transform[0].id, ISAKMP_KEY_IKE);
	assert_int_equal(sa->transform[0].attributes.len, 12);
	assert_int_equal(sa->transform[0].all.len, 20);
}
static const struct five proposal = {
	proposal_golden, sizeof(proposal_golden), sizeof(proposal_golden),
	proposal_five_decode, proposal_five_encode, proposal_expect,
	&proposal_decoded, { 10, 18, 38, 0 },
};
FIVE(rfc2408_3_4_02, proposal)

/* Notification ------------------------------------------------------------- */

static const uint8_t notification_golden[] = {
	0, 0, 0, 2, 0x01, 0x02, 0x60, 0x02, 0xaa, 0xbb, 0xcc,
};
FIVE_READ(notification, struct isakmp_notification,
	  isakmp_notification_decode(rd, to), isakmp_notification_encode(wr, from))
static void
notification_expect(const void *decoded)
{
	const struct isakmp_notification *n = decoded;

	assert_int_equal(n->doi, 2);
	assert_int_equal(n->protocol, 1);
	assert_int_equal(n->type, ISAKMP_NOTIFY_INITIAL_CONTACT);
	assert_int_equal(n->spi.len, 2);
	assert_int_equal(n->data.len, 1);
}
static const struct five notification = {
	notification_golden, sizeof(notification_golden), 10,
	notification_five_decode, notification_five_encode,
	notification_expect, &notification_decoded, { 0 },
};
FIVE(rfc2408_3_14_01, notification)

/* Delete ------------------------------------------------------------------- */

static const uint8_t delete_golden[] = {
	0, 0, 0, 2, 0x01, 0x04, 0x00, 0x02, 1, 2, 3, 4, 5, 6, 7, 8,
};
FIVE_READ(delete, struct isakmp_delete, isakmp_delete_decode(rd, to),
	  isakmp_delete_encode(wr, from))
static void
delete_expect(const void *decoded)
{
	const struct isakmp_delete *d = decoded;

	assert_int_equal(d->protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(d->count, 2);
	assert_int_equal(isakmp_delete_spi(d, 1).ptr[0], 5);
	assert_int_equal(isakmp_delete_spi(d, 1).len, 4);
}
static const struct five delete = {
	delete_golden, sizeof(delete_golden), sizeof(delete_golden),
	delete_five_decode, delete_five_encode, delete_expect,
	&delete_decoded, { 6, 0 },
};
FIVE(rfc2408_3_15_01, delete)

/* Identification ----------------------------------------------------------- */

static const uint8_t identification_golden[] = { 1, 17, 0x03, 0x50, 10, 0, 0, 1 };
FIVE_READ(identification, struct isakmp_identification,
	  isakmp_identification_decode(rd, to),
	  isakmp_identification_encode(wr, from))
static void
identification_expect(const void *decoded)
{
	const struct isakmp_identification *id = decoded;

	assert_int_equal(id->type, ISAKMP_ID_IPV4_ADDR);
	assert_int_equal(id->protocol, 17);
	assert_int_equal(id->port, 848);
	assert_int_equal(id->data.len, 4);
}
static const struct five identification = {
	identification_golden, sizeof(identification_golden), 4,
	identification_five_decode, identification_five_encode,
	identification_expect, &identification_decoded, { 0 },
};
FIVE(rfc2407_4_6_2_05, identification)

/* clang-format on */

/* ---- values ------------------------------------------------------------- */

static enum gk_err
header_check(size_t at, uint8_t value, size_t size)
{
	uint8_t buf[sizeof(header_golden)];
	struct isakmp_header h;
	struct gk_rd rd;

	memcpy(buf, header_golden, sizeof(buf));
	buf[at] = value;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(isakmp_header_decode(&rd, &h));
	return isakmp_header_check(&h, size, &why);
}

GK_TEST(rfc2408_5_1_02, a_length_that_is_not_the_messages_is_refused)
{
	gk_assert_ok(header_check(27, 28, 28));
	assert_refused(header_check(27, 27, 28), "RFC2408-5.1-02",
	               ISAKMP_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS, 24);
	assert_refused(header_check(27, 29, 28), "RFC2408-5.1-02",
	               ISAKMP_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS, 24);
}

GK_TEST(rfc2408_5_2_03, header_fields_of_no_registry_are_refused)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
		enum isakmp_notify notify;
	} bad[] = {
		{ 16, 14, "RFC2408-5.2-03",
		  ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE },
		{ 16, 128, "RFC2408-5.2-03",
		  ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE },
		{ 17, 0x20, "RFC2408-5.2-04",
		  ISAKMP_NOTIFY_INVALID_MAJOR_VERSION },
		{ 17, 0x00, "RFC2408-5.2-04",
		  ISAKMP_NOTIFY_INVALID_MAJOR_VERSION },
		{ 17, 0x11, "RFC2408-5.2-04",
		  ISAKMP_NOTIFY_INVALID_MINOR_VERSION },
		{ 18, 0, "RFC2408-5.2-05",
		  ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE },
		{ 18, 34, "RFC2408-5.2-05",
		  ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE },
		{ 19, 0x09, "RFC2408-5.2-06", ISAKMP_NOTIFY_INVALID_FLAGS },
		{ 19, 0x81, "RFC2408-5.2-06", ISAKMP_NOTIFY_INVALID_FLAGS },
	};

	for (size_t i = 0; i < GK_COUNT(bad); i++)
		assert_refused(header_check(bad[i].at, bad[i].value, 28),
		               bad[i].req, bad[i].notify, bad[i].at);
}

static enum gk_err
proposal_check(size_t at, uint8_t value)
{
	static struct isakmp_proposal sa;
	uint8_t buf[sizeof(proposal_golden)];
	struct gk_rd rd;

	memcpy(buf, proposal_golden, sizeof(buf));
	buf[at] = value;
	gk_rd_init(&rd, buf, sizeof(buf));
	return isakmp_proposal_read(&rd, &sa, &why);
}

GK_TEST(rfc2408_3_6_01, proposals_of_another_shape_are_refused)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
		enum isakmp_notify notify;
	} bad[] = {
		{ 8, ISAKMP_PAYLOAD_PROPOSAL, "RFC2408-3.5-01",
		  ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
		{ 9, 1, "RFC2408-5.3-03", ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
		{ 13, 3, "RFC2407-4.4.1-01",
		  ISAKMP_NOTIFY_INVALID_PROTOCOL_ID },
		{ 14, 17, "RFC2408-3.5-05", ISAKMP_NOTIFY_INVALID_SPI },
		{ 16, ISAKMP_PAYLOAD_NONE, "RFC2408-3.6-01",
		  ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
		{ 17, 1, "RFC2408-5.3-03", ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
		{ 22, 1, "RFC2408-3.6-03", ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
		{ 36, ISAKMP_PAYLOAD_TRANSFORM, "RFC2408-3.6-01",
		  ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX },
	};

	gk_assert_ok(proposal_check(0, 0));
	for (size_t i = 0; i < GK_COUNT(bad); i++)
		assert_refused(proposal_check(bad[i].at, bad[i].value),
		               bad[i].req, bad[i].notify, bad[i].at);
}

GK_TEST(rfc2408_3_5_04, a_wrong_number_of_transforms_is_refused)
{
	assert_refused(proposal_check(15, 0), "RFC2408-3.5-04",
	               ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX, 16);
	assert_true(proposal_check(15, 1) != GK_OK);
	assert_true(proposal_check(15, 3) != GK_OK);
	assert_refused(proposal_check(15, 65), "RFC2408-3.5-04",
	               ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX, 16);
}

GK_TEST(rfc2408_3_6_02, two_transforms_of_one_number_are_refused)
{
	assert_refused(proposal_check(40, 1), "RFC2408-3.6-02",
	               ISAKMP_NOTIFY_BAD_PROPOSAL_SYNTAX, 40);
}

GK_TEST(rfc2408_3_3_01, attributes_are_basic_or_variable)
{
	static const uint8_t list[] = { 0x80, 0x0b, 0x00, 0x01, 0x00, 0x0c,
		                        0x00, 0x04, 0x00, 0x01, 0x51, 0x80 };
	struct isakmp_attribute a;
	uint32_t number;
	struct gk_rd rd;

	gk_rd_init(&rd, list, sizeof(list));
	gk_assert_ok(isakmp_attribute_decode(&rd, &a));
	assert_true(a.basic);
	assert_int_equal(a.type, 11);
	assert_int_equal(a.number, 1);
	gk_assert_ok(isakmp_attribute_decode(&rd, &a));
	assert_false(a.basic);
	assert_int_equal(a.type, 12);
	assert_true(isakmp_attribute_number(&a, &number));
	assert_int_equal(number, 86400);
	assert_int_equal(gk_rd_left(&rd), 0);
	for (size_t n = 1; n < sizeof(list); n++) {
		gk_rd_init(&rd, list, n);
		if (n > 4)
			gk_assert_ok(isakmp_attribute_decode(&rd, &a));
		if (n != 4)
			gk_assert_err(GK_ERR_TRUNCATED,
			              isakmp_attribute_decode(&rd, &a));
	}
}

GK_TEST(rfc2408_5_3_03, a_chain_is_walked_to_its_end_and_no_further)
{
	static const uint8_t good[] = { 10, 0, 0, 5, 1, 5, 0, 0, 6,
		                        2,  3, 0, 0, 0, 4, 0, 0 };
	struct isakmp_chain chain;
	uint8_t buf[sizeof(good)];
	struct gk_rd rd;

	gk_rd_init(&rd, good, sizeof(good));
	gk_assert_ok(isakmp_chain_read(&rd, ISAKMP_PAYLOAD_HASH, &chain, &why));
	assert_int_equal(chain.n, 3);
	assert_int_equal(chain.end, 15);
	assert_int_equal(gk_rd_left(&rd), 2);
	assert_int_equal(
		isakmp_chain_find(&chain, ISAKMP_PAYLOAD_NONCE)->generic.at, 5);
	assert_null(isakmp_chain_find(&chain, ISAKMP_PAYLOAD_SIG));

	memcpy(buf, good, sizeof(buf));
	buf[6] = 1;
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(
		isakmp_chain_read(&rd, ISAKMP_PAYLOAD_HASH, &chain, &why),
		"RFC2408-5.3-03", ISAKMP_NOTIFY_PAYLOAD_MALFORMED, 6);
	buf[6] = 0;
	buf[0] = 99;
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(
		isakmp_chain_read(&rd, ISAKMP_PAYLOAD_HASH, &chain, &why),
		"RFC2408-5.3-02", ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE, 0);
	buf[0] = 10;
	buf[3] = 3;
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(
		isakmp_chain_read(&rd, ISAKMP_PAYLOAD_HASH, &chain, &why),
		"RFC2408-3.2-01", ISAKMP_NOTIFY_PAYLOAD_MALFORMED, 4);
}

GK_TEST(rfc2408_3_2_02, a_chain_without_an_end_is_cut_off)
{
	static uint8_t many[(ISAKMP_CHAIN_MAX + 1) * 4];
	struct isakmp_chain chain;
	struct gk_rd rd;

	for (size_t i = 0; i < sizeof(many); i += 4) {
		many[i] = ISAKMP_PAYLOAD_VENDOR_ID;
		many[i + 3] = 4;
	}
	gk_rd_init(&rd, many, sizeof(many));
	gk_assert_err(
		GK_ERR_SPACE,
		isakmp_chain_read(&rd, ISAKMP_PAYLOAD_VENDOR_ID, &chain, &why));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_RUN(rfc2408_3_1_01, header),
		FIVE_RUN(rfc2408_3_4_02, proposal),
		FIVE_RUN(rfc2408_3_14_01, notification),
		FIVE_RUN(rfc2408_3_15_01, delete),
		FIVE_RUN(rfc2407_4_6_2_05, identification),
		GK_RUN(rfc2408_5_1_02,
		       a_length_that_is_not_the_messages_is_refused),
		GK_RUN(rfc2408_5_2_03,
		       header_fields_of_no_registry_are_refused),
		GK_RUN(rfc2408_3_6_01, proposals_of_another_shape_are_refused),
		GK_RUN(rfc2408_3_5_04, a_wrong_number_of_transforms_is_refused),
		GK_RUN(rfc2408_3_6_02,
		       two_transforms_of_one_number_are_refused),
		GK_RUN(rfc2408_3_3_01, attributes_are_basic_or_variable),
		GK_RUN(rfc2408_5_3_03,
		       a_chain_is_walked_to_its_end_and_no_further),
		GK_RUN(rfc2408_3_2_02, a_chain_without_an_end_is_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
