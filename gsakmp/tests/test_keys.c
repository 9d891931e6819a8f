/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/five.h"

#include "gsakmp/tests/sample.h"

/* Decrypted structures: Key Download (7.4), Key Packages (7.5.1.2.1), LKH (A). */
static const struct gsakmp_dialect defaults;
static const struct gsakmp_vocabulary suite = { .suite = true };
static struct gsakmp_reject why;

#define DATES                                                                 \
	'2', '0', '2', '4', '0', '2', '2', '9', '1', '2', '0', '0', '0', '0', \
		'Z', '2', '0', '2', '5', '0', '3', '0', '1', '0', '0', '0',   \
		'0', '0', '0', 'Z'
#define KEY_24                                                               \
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 0, 0, \
		0, 0, 0, 0

/* clang-format off */

/* Section A.3.1, octet for octet: the example leaves lengths, handles, dates
 * and keys open, everything else is as printed. */
static const uint8_t download_golden[] = {
	0x00, 0x02,                             /* Number of Items */
	0x00, 0x00, 0x40,                       /* #1: GTPK, 64 octets */
	0x00, 0x03,                             /* 3DES_CBC64_192 */
	'K', 'E', 'Y', '1',                     /* Key ID */
	0x11, 0x11, 0x11, 0x10,                 /* Key Handle */
	DATES, KEY_24,
	0x01, 0x00, 0xc7,                       /* #2: Rekey - LKH, 199 */
	0x01,                                   /* Rekey Version */
	0x00, 0x00, 0x00, 0x01,                 /* Member ID */
	0x00, 0x03,                             /* Number of KEK Keys */
	0x00, 0x03, 0, 0, 0, 2, 0x11, 0x11, 0x11, 0x12, DATES, KEY_24,
	0x00, 0x03, 0, 0, 0, 4, 0x11, 0x11, 0x11, 0x14, DATES, KEY_24,
	0x00, 0x03, 0, 0, 0, 8, 0x11, 0x11, 0x11, 0x18, DATES, KEY_24,
};

/* Section A.3.2, packet (b), behind the Wrapping fields. */
static const uint8_t packages_golden[] = {
	0x00, 0x03,                             /* # of Key Packages */
	0x00, 0x00, 0x40,                       /* 1: GTPK */
	0x00, 0x03, 'K', 'E', 'Y', '1', 0x22, 0x22, 0x22, 0x20, DATES, KEY_24,
	0x01, 0x00, 0x40,                       /* 2: Rekey - LKH, KeyID 3 */
	0x00, 0x03, 0, 0, 0, 3, 0x22, 0x22, 0x22, 0x21, DATES, KEY_24,
	0x01, 0x00, 0x40,                       /* 3: Rekey - LKH, KeyID 6 */
	0x00, 0x03, 0, 0, 0, 6, 0x22, 0x22, 0x22, 0x22, DATES, KEY_24,
};

/* clang-format on */

#define DATUM 64                     /* octets of a Key Datum with 3DES */
#define AT_ARRAY (2 + 3 + DATUM + 3) /* of item 2's data */

static struct gsakmp_keys decoded;

static enum gk_err
download_decode(struct gk_rd *rd, void *to)
{
	return gsakmp_keys_decode(rd, &defaults, GSAKMP_KEYS_DOWNLOAD,
	                          GSAKMP_COUNT_INSIDE, to);
}

static enum gk_err
packages_decode(struct gk_rd *rd, void *to)
{
	return gsakmp_keys_decode(rd, &defaults, GSAKMP_KEYS_PACKAGES,
	                          GSAKMP_COUNT_INSIDE, to);
}

static void
keys_encode(struct gk_wr *wr, const void *from)
{
	gsakmp_keys_encode(wr, from, true);
	assert_true(wr->err != GK_OK ||
	            wr->len == gsakmp_keys_size(from, true));
}

static void
download_expect(const void *from)
{
	const struct gsakmp_keys *k = from;

	assert_int_equal(k->n_items, 2);
	assert_int_equal(k->n_datums, 4);
	assert_int_equal(k->item[0].type, GSAKMP_ITEM_GTPK);
	assert_false(k->item[0].array);
	assert_int_equal(k->item[1].type, GSAKMP_ITEM_REKEY_LKH);
	assert_true(k->item[1].array);
	assert_int_equal(k->item[1].version, 1);
	assert_int_equal(k->item[1].member, 1);
	assert_int_equal(k->item[1].first, 1);
	assert_int_equal(k->item[1].count, 3);
	assert_int_equal(k->item[1].at, AT_ARRAY - 3);
	assert_int_equal(k->datum[0].id, 0x4b455931);
	assert_int_equal(k->datum[0].key.len, 24);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_int_equal(k->datum[i].id, 1u << i);
		assert_int_equal(k->datum[i].handle, 0x11111110 + (1u << i));
		assert_int_equal(k->datum[i].type, GSAKMP_KEY_3DES_CBC64_192);
	}
}

static void
packages_expect(const void *from)
{
	const struct gsakmp_keys *k = from;

	assert_int_equal(k->n_items, 3);
	assert_int_equal(k->n_datums, 3);
	assert_int_equal(k->item[0].type, GSAKMP_ITEM_GTPK);
	assert_int_equal(k->item[2].type, GSAKMP_ITEM_REKEY_LKH);
	assert_int_equal(k->datum[1].id, 3);
	assert_int_equal(k->datum[2].id, 6);
}

static const struct five download = {
	download_golden,
	sizeof(download_golden),
	sizeof(download_golden),
	download_decode,
	keys_encode,
	download_expect,
	&decoded,
	{ 3, 2 + 3 + DATUM + 1, AT_ARRAY + 5, 0 },
};
FIVE(rfc4535_a_3_1_01, download)

static const struct five packages = {
	packages_golden,
	sizeof(packages_golden),
	sizeof(packages_golden),
	packages_decode,
	keys_encode,
	packages_expect,
	&decoded,
	{ 3, 3 + 67, 3 + 2 * 67, 0 },
};
FIVE(rfc4535_a_3_2_01, packages)

/* Number of Items lies at offset 0, which the table cannot name. */
GK_TEST(rfc4535_7_4_1_03, number_of_items_is_counted)
{
	uint8_t buf[sizeof(download_golden)];

	for (int by = -1; by <= 1; by += 2) {
		memcpy(buf, download_golden, sizeof(buf));
		buf[1] = (uint8_t)(buf[1] + by);
		assert_true(gsakmp_key_download_read(
				    (struct gk_slice){ buf, sizeof(buf) },
				    &defaults, NULL, SAMPLE_UTC, &decoded,
				    &why) != GK_OK);
		assert_string_equal(why.req, "RFC4535-7.4.2-06");
	}
}

static enum gk_err
read_download(const uint8_t *octets, size_t len)
{
	return gsakmp_key_download_read((struct gk_slice){ octets, len },
	                                &defaults, NULL, SAMPLE_UTC, &decoded,
	                                &why);
}

struct change {
	size_t at;
	uint8_t to;
	const char *req;
	enum gsakmp_notify notify;
	size_t offset;
};

#define MALFORMED GSAKMP_NOTIFY_PAYLOAD_MALFORMED
#define BAD_KEY GSAKMP_NOTIFY_INVALID_KEY_INFORMATION

static void
assert_changes(const struct change *row, size_t n, const uint8_t *golden,
               size_t len, enum gk_err (*read)(const uint8_t *, size_t))
{
	uint8_t buf[1024];

	memcpy(buf, golden, len);
	gk_assert_ok(read(buf, len));
	for (size_t i = 0; i < n; i++) {
		memcpy(buf, golden, len);
		buf[row[i].at] = row[i].to;
		assert_true(read(buf, len) != GK_OK);
		assert_string_equal(why.req, row[i].req);
		assert_int_equal(why.notify, row[i].notify);
		assert_int_equal(why.offset, row[i].offset);
	}
}

GK_TEST(rfc4535_7_4_2, key_download_checks_name_their_field)
{
	static const struct change row[] = {
		/* KDD Item Type */
		{ 2, 2, "RFC4535-7.4.2-03", MALFORMED, 2 },
		{ 2, 193, "RFC4535-7.4.2-03", MALFORMED, 2 },
		/* Key Type of the GTPK, then of a KEK in the array */
		{ 6, 0, "RFC4535-7.4.2-04", BAD_KEY, 5 },
		{ 6, 4, "RFC4535-7.4.2-04", BAD_KEY, 5 },
		{ 5, 0xc0, "RFC4535-7.4.2-04", BAD_KEY, 5 },
		{ AT_ARRAY + 8, 4, "RFC4535-7.4.2-04", BAD_KEY, AT_ARRAY + 7 },
		/* Rekey Version */
		{ AT_ARRAY, 0, "RFC4535-A.2-01", MALFORMED, AT_ARRAY },
		{ AT_ARRAY, 2, "RFC4535-A.2-01", MALFORMED, AT_ARRAY },
		/* Key Data of a length that is not the type's */
		{ 6, 12, "RFC4535-7.4.2-06", MALFORMED, 45 },
		/* dates that are none, and one that has passed */
		{ 15 + 14, 'z', "RFC4535-7.4.1.1-05", BAD_KEY, 15 },
		{ 30 + 4, '9', "RFC4535-7.4.1.1-05", BAD_KEY, 30 },
		{ 30 + 3, '3', "RFC4535-7.4.2-05", BAD_KEY, 30 },
	};

	assert_changes(row, GK_COUNT(row), download_golden,
	               sizeof(download_golden), read_download);
}

static enum gk_err
read_packages(const uint8_t *octets, size_t len)
{
	return gsakmp_packages_read((struct gk_slice){ octets, len }, &defaults,
	                            NULL, GSAKMP_COUNT_INSIDE, &decoded, &why);
}

GK_TEST(rfc4535_7_5_2, key_package_checks_name_their_field)
{
	static const struct change row[] = {
		{ 1, 4, "RFC4535-7.5.2-07", MALFORMED,
		  sizeof(packages_golden) },
		{ 1, 2, "RFC4535-7.5.2-07", MALFORMED,
		  sizeof(packages_golden) - 67 },
		{ 2, 5, "RFC4535-7.5.2-12", MALFORMED, 2 },
		{ 6, 0, "RFC4535-7.5.2-13", BAD_KEY, 5 },
		{ 6, 12, "RFC4535-7.5.2-07", MALFORMED, 45 },
		{ 15, 'x', "RFC4535-7.4.1.1-05", BAD_KEY, 15 },
	};

	assert_changes(row, GK_COUNT(row), packages_golden,
	               sizeof(packages_golden), read_packages);
}

GK_TEST(rfc4535_7_4_2_05, key_expires_in_its_very_second)
{
	int64_t created, expires;

	gk_assert_ok(read_download(download_golden, sizeof(download_golden)));
	gk_assert_ok(
		gsakmp_key_datum_dates(&decoded.datum[0], &created, &expires));
	assert_int_equal(created, SAMPLE_UTC);
	gk_assert_ok(gsakmp_key_download_read(
		(struct gk_slice){ download_golden, sizeof(download_golden) },
		&defaults, NULL, expires - 1, &decoded, &why));
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_key_download_read(
			      (struct gk_slice){ download_golden,
	                                         sizeof(download_golden) },
			      &defaults, NULL, expires, &decoded, &why));
}

GK_TEST(rfc4535_7_4_1_1_06, one_key_id_and_handle_name_one_key)
{
	uint8_t buf[sizeof(download_golden)];
	size_t second = AT_ARRAY + 7 + DATUM; /* the array's second datum */

	memcpy(buf, download_golden, sizeof(buf));
	memcpy(buf + second + 2, buf + AT_ARRAY + 7 + 2, 8);
	gk_assert_err(GK_ERR_UNEXPECTED, read_download(buf, sizeof(buf)));
	assert_string_equal(why.req, "RFC4535-7.4.1.1-06");
	assert_int_equal(why.notify, BAD_KEY);
	assert_int_equal(why.offset, second + 6);
}

GK_TEST(rfc4535_a_3_1_01, builder_makes_the_example)
{
	struct gsakmp_keys keys;
	uint8_t out[512];
	struct gk_wr wr;

	sample_key_download(&keys, GSAKMP_KEY_3DES_CBC64_192);
	gk_wr_init(&wr, out, sizeof(out));
	gsakmp_keys_encode(&wr, &keys, true);
	assert_int_equal(wr.len, sizeof(download_golden));
	assert_memory_equal(out, download_golden, wr.len);
	sample_packages(&keys, GSAKMP_KEY_3DES_CBC64_192);
	gk_wr_init(&wr, out, sizeof(out));
	gsakmp_keys_encode(&wr, &keys, true);
	assert_int_equal(wr.len, sizeof(packages_golden));
	assert_memory_equal(out, packages_golden, wr.len);
}

GK_TEST(rfc4535_7_5_1_2_1_01, rekey_array_in_a_package_needs_its_dialect)
{
	const struct gsakmp_dialect array = {
		.keypkg_lkh_body = GSAKMP_KEYPKG_LKH_BODY_ARRAY
	};
	const struct gk_slice plain = { download_golden,
		                        sizeof(download_golden) };

	gk_assert_ok(gsakmp_packages_read(plain, &array, NULL,
	                                  GSAKMP_COUNT_INSIDE, &decoded, &why));
	download_expect(&decoded);
	assert_true(gsakmp_packages_read(plain, &defaults, NULL,
	                                 GSAKMP_COUNT_INSIDE, &decoded,
	                                 &why) != GK_OK);
}

/* Every length of a CTR key, and the private types, in a Rekey Array: there the
 * Key Type alone says where the next Key Datum starts. */
GK_TEST(rfc4535_7_4_1_2, rekey_array_is_walked_by_key_type)
{
	static const uint16_t type[] = {
		GSAKMP_KEY_AES_CBC_128, GSAKMP_KEY_AES_CTR,
		GSAKMP_KEY_AES_CBC_256, GSAKMP_KEY_AES_GCM_128,
		GSAKMP_KEY_AES_GCM_256,
	};
	static const size_t len[] = { 16, 20, 32, 16, 32 };
	struct gsakmp_keys keys;
	uint8_t out[512];
	struct gk_wr wr;

	for (size_t i = 0; i < GK_COUNT(type); i++) {
		struct gk_slice plain;

		sample_key_download(&keys, type[i]);
		assert_int_equal(keys.datum[0].key.len, len[i]);
		gk_wr_init(&wr, out, sizeof(out));
		gsakmp_keys_encode(&wr, &keys, true);
		plain = (struct gk_slice){ out, wr.len };
		gk_assert_ok(gsakmp_key_download_read(
			plain, &defaults, &suite, SAMPLE_UTC, &decoded, &why));
		assert_int_equal(decoded.n_datums, 4);
		/* Without the Vendor ID the private types do not exist. */
		gk_assert_err(type[i] >= 49153 ? GK_ERR_VALUE : GK_OK,
		              gsakmp_key_download_read(plain, &defaults, NULL,
		                                       SAMPLE_UTC, &decoded,
		                                       &why));
	}
}

GK_TEST(rfc4535_7_4_2_06, counters_cannot_ask_for_more_than_there_is_room)
{
	uint8_t buf[sizeof(download_golden)];

	memcpy(buf, download_golden, sizeof(buf));
	buf[0] = 0xff; /* 65282 items */
	gk_assert_err(GK_ERR_SPACE, read_download(buf, sizeof(buf)));
	assert_string_equal(why.req, "RFC4535-7.4.2-06");
	memcpy(buf, download_golden, sizeof(buf));
	buf[AT_ARRAY + 5] = 0xff; /* 65283 KEKs */
	gk_assert_err(GK_ERR_TRUNCATED, read_download(buf, sizeof(buf)));
}

GK_TEST(rfc4535_7_4_1, building_stops_at_the_caps)
{
	static struct gsakmp_keys keys;
	struct gsakmp_key_datum d = sample_key(12, 1, 1);
	size_t n = 0;

	gk_assert_err(GK_ERR_SPACE, gsakmp_keys_add_kek(&keys, &d));
	while (gsakmp_keys_add(&keys, GSAKMP_ITEM_GTPK, &d) == GK_OK)
		n++;
	assert_int_equal(n, GSAKMP_ITEMS_MAX);
	gk_assert_err(GK_ERR_UNEXPECTED, gsakmp_keys_add_kek(&keys, &d));
	keys = (struct gsakmp_keys){ 0 };
	gk_assert_ok(gsakmp_keys_add_array(&keys, 1));
	for (n = 0; gsakmp_keys_add_kek(&keys, &d) == GK_OK;)
		n++;
	assert_int_equal(n, GSAKMP_KEYS_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_RUN(rfc4535_a_3_1_01, download),
		FIVE_RUN(rfc4535_a_3_2_01, packages),
		GK_RUN(rfc4535_7_4_1_03, number_of_items_is_counted),
		GK_RUN(rfc4535_7_4_2, key_download_checks_name_their_field),
		GK_RUN(rfc4535_7_5_2, key_package_checks_name_their_field),
		GK_RUN(rfc4535_7_4_2_05, key_expires_in_its_very_second),
		GK_RUN(rfc4535_7_4_1_1_06, one_key_id_and_handle_name_one_key),
		GK_RUN(rfc4535_a_3_1_01, builder_makes_the_example),
		GK_RUN(rfc4535_7_5_1_2_1_01,
		       rekey_array_in_a_package_needs_its_dialect),
		GK_RUN(rfc4535_7_4_1_2, rekey_array_is_walked_by_key_type),
		GK_RUN(rfc4535_7_4_2_06,
		       counters_cannot_ask_for_more_than_there_is_room),
		GK_RUN(rfc4535_7_4_1, building_stops_at_the_caps),
	};

	return cmocka_run_group_tests_name("gsakmp/keys", tests, NULL, NULL);
}
