/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/payload/group_id.h"
#include "gdoi/payload/sa.h"

/*
 * What is well-formed, but may not stand where it stands: requests of a key server,
 * names with a terminator, OID-specific payloads that are no DER; and the ID of a
 * group.
 */

/* clang-format off */

#define ESP \
	0, 0, 0x00, 0x23, \
	1, 0, 1, 0, 0, 4, 10, 0, 224, 44, 1, 3, 0x50, 4, 239, 10, 1, 2, \
	3, 0, 0, 0, 1, 0x80, 0x04, 0x00, 0x02, 0x80, 0x05, 0x00, 0x02

static uint8_t with_gap[] = {
	0, 0, 0, 2, 0, 0, 0, 0, 0x00, 0x16, 0x00, 0x00,
	16, 0, 0x00, 0x08, 0x80, 0x01, 0x00, 0x03,      /* 12: GAP */
	ESP,
};

static uint8_t named[] = {
	1,                                              /* 0: ESP */
	0, 2, 0x00, 0x00, 4, 'a', '.', 'b', 'c',        /* 1: FQDN */
	1, 0x03, 0x50, 4, 239, 10, 1, 2,
	3, 0, 0, 0, 1, 0x80, 0x04, 0x00, 0x02, 0x80, 0x05, 0x00, 0x02,
};

static uint8_t oid_id[] = {
	3, 6, 1, 42,
	0x00, 0x08, 0xa0, 0x06, 0x04, 0x04, 233, 252, 0, 1, /* 4 */
};

static uint8_t iec[] = {
	3, 3, 6, 1, 42, 0x00, 0x04, 0xa0, 0x02, 0x05, 0x00, 0, 0, 0, 9,
	0x00, 0x01, 0x00, 0x04, 0, 0, 0, 0,
};

/* clang-format on */

#define OID                                                                   \
	13, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0xce, 0x56, 0x83, 0xe3, 0x1a, 0x08, \
		0x01, 0x02
#define BAD_ID ISAKMP_NOTIFY_INVALID_ID_INFORMATION

static enum gk_err
read_sa(bool pull)
{
	static struct gdoi_sa sa;
	struct gk_rd rd;

	gk_rd_init(&rd, with_gap, sizeof(with_gap));
	return gdoi_sa_read(&rd, &defaults, pull, &sa, &why);
}

GK_TEST(rfc6407_5_4_01, a_key_server_does_not_ask_for_sender_ids)
{
	gk_assert_ok(read_sa(true));
	gk_assert_ok(read_sa(false));
	with_gap[17] = GDOI_GAP_ATTRIBUTE_SENDER_ID_REQUEST;
	for (int pull = 0; pull < 2; pull++)
		assert_refused(read_sa(pull), "RFC6407-5.4-01",
		               ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED, 16);
	with_gap[17] = GDOI_GAP_ATTRIBUTE_ACTIVATION_DELAY;
}

static enum gk_err
read_sat(const uint8_t *octets, size_t len)
{
	static struct gdoi_sat sat;
	struct gk_rd rd;

	gk_rd_init(&rd, octets, len);
	return gdoi_sat_read(&rd, &defaults, &sat, &why);
}

GK_TEST(rfc2407_4_6_2_3_01, a_name_has_no_terminator)
{
	GK_SHOWS("RFC2407-4.6.2.4-01");
	gk_assert_ok(read_sat(named, sizeof(named)));
	named[9] = '\0';
	assert_refused(read_sat(named, sizeof(named)), "RFC2407-4.6.2.3-01",
	               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 6);
	named[2] = ISAKMP_ID_USER_FQDN;
	assert_refused(read_sat(named, sizeof(named)), "RFC2407-4.6.2.4-01",
	               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 6);
	named[9] = 'c';
	named[7] = '\0';
	assert_refused(read_sat(named, sizeof(named)), "RFC2407-4.6.2.4-01",
	               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 6);
	named[2] = ISAKMP_ID_KEY_ID; /* any octets */
	gk_assert_ok(read_sat(named, sizeof(named)));
}

static enum gk_err
read_group(void)
{
	const struct isakmp_identification id = {
		.type = ISAKMP_ID_OID, .data = { oid_id, sizeof(oid_id) }
	};
	struct gdoi_group_id group;

	return gdoi_group_id_read(&id, &defaults, &group, &why);
}

GK_TEST(rfc8052_2_1_06, an_oid_specific_payload_is_der)
{
	gk_assert_ok(read_group());
	gk_assert_ok(read_sat(iec, sizeof(iec)));
	for (int by = -1; by < 2; by += 2) {
		oid_id[7] = (uint8_t)(6 + by); /* the value itself */
		assert_refused(read_group(), "RFC8052-2.1-06",
		               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 10);
		oid_id[7] = 6;
		oid_id[9] = (uint8_t)(4 + by); /* one inside */
		assert_refused(read_group(), "RFC8052-2.1-06",
		               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 10);
		oid_id[9] = 4;
	}
	iec[8] = 1;
	assert_refused(read_sat(iec, sizeof(iec)), "RFC8052-2.1-06",
	               ISAKMP_NOTIFY_INVALID_ID_INFORMATION, 7);
	iec[8] = 2;
}

static enum gk_err
group_id_check(uint8_t type, uint8_t protocol, struct gk_slice data,
               struct gdoi_group_id *group)
{
	return gdoi_group_id_read(
		&(struct isakmp_identification){ type, protocol, 0, data, 0 },
		&defaults, group, &why);
}

GK_TEST(rfc6407_5_1_03, a_group_is_four_octets_or_an_oid)
{
	static const uint8_t oid[] = { OID, 0x00, 0x02, 0x05, 0x00 };
	static const uint8_t key_id[] = { 0, 0, 0x04, 0xd2, 0 };
	struct gdoi_group_id group;
	uint8_t buf[sizeof(oid)];

	GK_SHOWS("RFC5374-4.1.3.3-02", "RFC5374-4.1.3.3-03");
	GK_BREAKS("RFC5374-4.1.3.3-02");
	gk_assert_ok(group_id_check(ISAKMP_ID_KEY_ID, 0,
	                            (struct gk_slice){ key_id, 4 }, &group));
	assert_int_equal(group.number, 1234);
	for (size_t n = 0; n <= 5; n++)
		if (n != 4)
			assert_refused(
				group_id_check(ISAKMP_ID_KEY_ID, 0,
			                       (struct gk_slice){ key_id, n },
			                       &group),
				"RFC6407-5.1-03", BAD_ID, 4);
	assert_refused(group_id_check(ISAKMP_ID_KEY_ID, 17,
	                              (struct gk_slice){ key_id, 4 }, &group),
	               "RFC6407-5.1-01", BAD_ID, 1);
	assert_refused(group_id_check(ISAKMP_ID_FQDN, 0,
	                              (struct gk_slice){ key_id, 4 }, &group),
	               "RFC6407-5.1-02", BAD_ID, 0);

	gk_assert_ok(group_id_check(ISAKMP_ID_OID, 0,
	                            (struct gk_slice){ oid, sizeof(oid) },
	                            &group));
	assert_int_equal(group.oid.len, 13);
	assert_int_equal(group.payload.len, 2);
	for (size_t n = 0; n < sizeof(oid); n++) {
		assert_true(group_id_check(ISAKMP_ID_OID, 0,
		                           (struct gk_slice){ oid, n },
		                           &group) != GK_OK);
		assert_string_equal(why.req, "RFC8052-2.1-01");
	}
	memcpy(buf, oid, sizeof(buf));
	buf[2] = 0x0a; /* the OID's own length lies */
	assert_refused(group_id_check(ISAKMP_ID_OID, 0,
	                              (struct gk_slice){ buf, sizeof(buf) },
	                              &group),
	               "RFC8052-2.1-01", BAD_ID, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_4_01,
		       a_key_server_does_not_ask_for_sender_ids),
		GK_RUN(rfc2407_4_6_2_3_01, a_name_has_no_terminator),
		GK_RUN(rfc8052_2_1_06, an_oid_specific_payload_is_der),
		GK_RUN(rfc6407_5_1_03, a_group_is_four_octets_or_an_oid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
