/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/payload/kd.h"

/*
 * KD and the LKH arrays in it: the five tests, then what is refused.
 */

/* clang-format off */

/* A TEK packet with three keys, a KEK packet with two, and a SID packet of
 * twelve bits with two values; where they begin. */
static const uint8_t kd_golden[] = {
	0x00, 0x03, 0x00, 0x00, 0x01, 0x00, 0x00, 0x1a, 0x04, 0xca, /* 0 */
	0xfe, 0xba, 0xbe, 0x00, 0x01, 0x00, 0x02, 0xaa, 0xab, 0x00, /* 10 */
	0x02, 0x00, 0x02, 0xac, 0xad, 0x00, 0x03, 0x00, 0x01, 0xae, /* 20 */
	0x02, 0x00, 0x00, 0x20, 0x10, 0x01, 0x02, 0x03, 0x04, 0x05, /* 30 */
	0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, /* 40 */
	0x10, 0x00, 0x01, 0x00, 0x02, 0xba, 0xbb, 0x00, 0x02, 0x00, /* 50 */
	0x01, 0x30, 0x04, 0x00, 0x00, 0x15, 0x00, 0x80, 0x01, 0x00, /* 60 */
	0x0c, 0x00, 0x02, 0x00, 0x02, 0x00, 0x01, 0x00, 0x02, 0x00, /* 70 */
	0x02, 0x0f, 0xff, /* 80 */
};
enum { TEK = 4, KEK = 30, SID = 62 };
FIVE_READ(kd, struct gdoi_kd, gdoi_kd_read(rd, &defaults, false, to, &why),
	  gdoi_kd_encode(wr, &defaults, from))
static void
kd_expect(const void *decoded)
{
	static const uint8_t tek[] = { 0xca, 0xfe, 0xba, 0xbe };
	const struct gdoi_kd *kd = decoded;
	const struct gdoi_kd_packet *p;

	assert_int_equal(kd->n_packets, 3);
	p = gdoi_kd_find(kd, GDOI_KD_TEK, (struct gk_slice){ tek, 4 });
	assert_non_null(p);
	assert_int_equal(p->algorithm_key.ptr[0], 0xaa);
	assert_int_equal(p->integrity_key.ptr[1], 0xad);
	assert_int_equal(p->source_auth_key.len, 1);
	assert_null(gdoi_kd_find(kd, GDOI_KD_KEK, (struct gk_slice){ tek, 4 }));
	assert_int_equal(kd->packet[1].spi.len, 16);
	assert_int_equal(kd->packet[1].sig_key.len, 1);
	assert_int_equal(kd->sid_bits, 12);
	assert_int_equal(kd->n_sids, 2);
	assert_int_equal(kd->sid[0], 1);
	assert_int_equal(kd->sid[1], 4095);
}
static const struct five kd_five = {
	kd_golden, sizeof(kd_golden), sizeof(kd_golden), kd_five_decode,
	kd_five_encode, kd_expect, &kd_decoded,
	{ TEK + 2, TEK + 11, KEK + 2, KEK + 23, SID + 2, 0 },
};
FIVE(rfc6407_5_6_03, kd_five)

/* An LKH packet: a download array of two keys, two update arrays, a public
 * key. */
static const uint8_t lkh_packet_golden[] = {
	0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x00, 0x8f, 0x10, 0x01, /* 0 */
	0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, /* 10 */
	0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x00, 0x01, 0x00, 0x28, 0x01, /* 20 */
	0x00, 0x02, 0x00, 0x00, 0x0c, 0x03, 0x00, 0x00, 0x00, 0x00, /* 30 */
	0x64, 0x00, 0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x01, 0xd0, /* 40 */
	0xd0, 0x00, 0x06, 0x03, 0x00, 0x00, 0x00, 0x00, 0x64, 0x00, /* 50 */
	0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x02, 0xd1, 0xd1, 0x00, /* 60 */
	0x02, 0x00, 0x20, 0x01, 0x00, 0x01, 0x00, 0x00, 0x0c, 0x00, /* 70 */
	0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x06, 0x03, 0x00, 0x00, /* 80 */
	0x00, 0x00, 0x64, 0x00, 0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, /* 90 */
	0x03, 0xe0, 0xe0, 0xe0, 0xe0, 0x00, 0x02, 0x00, 0x20, 0x01, /* 100 */
	0x00, 0x01, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, /* 110 */
	0x01, 0x00, 0x06, 0x03, 0x00, 0x00, 0x00, 0x00, 0x64, 0x00, /* 120 */
	0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x03, 0xe0, 0xe0, 0xe0, /* 130 */
	0xe0, 0x00, 0x03, 0x00, 0x02, 0x31, 0x32, /* 140 */
};
FIVE_READ(lkh_packet, struct gdoi_kd,
	  gdoi_kd_read(rd, &defaults, false, to, &why),
	  gdoi_kd_encode(wr, &defaults, from))
static void
lkh_packet_expect(const void *decoded)
{
	const struct gdoi_kd *kd = decoded;

	assert_int_equal(kd->n_packets, 1);
	assert_int_equal(kd->download.len, 40);
	assert_int_equal(kd->n_updates, 2);
	assert_int_equal(kd->update[1].len, 32);
	assert_int_equal(kd->packet[0].sig_key.len, 2);
}
static const struct five lkh_packet = {
	lkh_packet_golden, sizeof(lkh_packet_golden),
	sizeof(lkh_packet_golden), lkh_packet_five_decode,
	lkh_packet_five_encode, lkh_packet_expect, &lkh_packet_decoded,
	{ 6, 27, 0 },
};
FIVE(rfc6407_5_6_3_01, lkh_packet)

static const uint8_t download_golden[] = {
	0x01, 0x00, 0x02, 0x00, 0x00, 0x0c, 0x03, 0x00, 0x00, 0x00, /* 0 */
	0x00, 0x64, 0x00, 0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x01, /* 10 */
	0xd0, 0xd0, 0x00, 0x06, 0x03, 0x00, 0x00, 0x00, 0x00, 0x64, /* 20 */
	0x00, 0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x02, 0xd1, 0xd1, /* 30 */
};
FIVE_READ(download, struct gdoi_lkh_array, gdoi_lkh_read(rd, false, to, &why),
	  gdoi_lkh_encode(wr, false, from))
static void
download_expect(const void *decoded)
{
	const struct gdoi_lkh_array *a = decoded;

	assert_int_equal(a->count, 2);
	assert_int_equal(a->key[0].id, 12);
	assert_int_equal(a->key[0].type, GDOI_KEK_ALG_AES);
	assert_int_equal(a->key[0].created, 100);
	assert_int_equal(a->key[0].expires, 200);
	assert_int_equal(a->key[1].handle, 2);
	assert_int_equal(a->key[1].data.len, 2);
}

static const uint8_t update_golden[] = {
	0x01, 0x00, 0x01, 0x00, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, /* 0 */
	0x00, 0x01, 0x00, 0x06, 0x03, 0x00, 0x00, 0x00, 0x00, 0x64, /* 10 */
	0x00, 0x00, 0x00, 0xc8, 0x00, 0x00, 0x00, 0x03, 0xe0, 0xe0, /* 20 */
	0xe0, 0xe0, /* 30 */
};
FIVE_READ(update, struct gdoi_lkh_array, gdoi_lkh_read(rd, true, to, &why),
	  gdoi_lkh_encode(wr, true, from))
static void
update_expect(const void *decoded)
{
	const struct gdoi_lkh_array *a = decoded;

	assert_int_equal(a->id, 12);
	assert_int_equal(a->handle, 1);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->key[0].data.len, 4);
}

/* clang-format on */

#define BAD_KEY ISAKMP_NOTIFY_INVALID_KEY_INFORMATION
#define NOT_SUPPORTED ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED

GK_TEST(rfc6407_5_6_3_1_04, arrays_decode_and_reencode_octet_for_octet)
{
	uint8_t out[64];
	struct gk_rd rd;
	struct gk_wr wr;

	gk_rd_init(&rd, download_golden, sizeof(download_golden));
	gk_assert_ok(download_five_decode(&rd, &download_decoded));
	download_expect(&download_decoded);
	gk_wr_init(&wr, out, sizeof(out));
	download_five_encode(&wr, &download_decoded);
	assert_int_equal(wr.len, sizeof(download_golden));
	assert_memory_equal(out, download_golden, wr.len);

	gk_rd_init(&rd, update_golden, sizeof(update_golden));
	gk_assert_ok(update_five_decode(&rd, &update_decoded));
	update_expect(&update_decoded);
	gk_wr_init(&wr, out, sizeof(out));
	update_five_encode(&wr, &update_decoded);
	assert_int_equal(wr.len, sizeof(update_golden));
	assert_memory_equal(out, update_golden, wr.len);
}

/* Key Data has no length of its own: a cut array is either refused or shared
 * out evenly, never read beyond its end. */
GK_TEST(rfc6407_5_6_3_1_04, arrays_that_are_cut_have_a_fault_or_share_it_out)
{
	for (size_t n = 0; n < sizeof(download_golden); n++) {
		uint8_t *exact = malloc(n + 1);
		struct gk_rd rd;

		memcpy(exact, download_golden, n);
		gk_rd_init(&rd, exact, n);
		if (gdoi_lkh_read(&rd, false, &download_decoded, &why) == GK_OK)
			assert_int_equal(n % 2, 0);
		else
			assert_non_null(why.field);
		free(exact);
	}
}

static enum gk_err
array_check(bool update, size_t at, uint8_t value)
{
	uint8_t buf[sizeof(download_golden)];
	size_t len = update ? sizeof(update_golden) : sizeof(download_golden);
	struct gk_rd rd;

	memcpy(buf, update ? update_golden : download_golden, len);
	buf[at] = value;
	gk_rd_init(&rd, buf, len);
	return gdoi_lkh_read(&rd, update, &download_decoded, &why);
}

GK_TEST(rfc6407_5_6_3_1_03, array_headers_that_are_wrong_are_refused)
{
	assert_refused(array_check(false, 0, 2), "RFC6407-5.6.3.1-03", BAD_KEY,
	               0);
	assert_refused(array_check(false, 2, 0), "RFC6407-5.6.3.1-03", BAD_KEY,
	               1);
	assert_refused(array_check(false, 1, 1), "RFC6407-5.6.3.1-03", BAD_KEY,
	               1);
	assert_refused(array_check(false, 2, 5), "RFC6407-5.6.3.1-04", BAD_KEY,
	               4);
	assert_true(array_check(false, 3, 1) != GK_OK);
	assert_refused(array_check(false, 6, 4), "RFC6407-5.6.3.1-04", BAD_KEY,
	               6);
	assert_true(array_check(false, 7, 1) != GK_OK);
	assert_refused(array_check(true, 0, 0), "RFC6407-5.6.3.2-02", BAD_KEY,
	               0);
	assert_true(array_check(true, 7, 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6.3.2-02");
}

static enum gk_err
kd_check(bool push, size_t at, uint8_t value)
{
	uint8_t buf[sizeof(kd_golden)];
	struct gk_rd rd;

	memcpy(buf, kd_golden, sizeof(buf));
	buf[at] = value;
	gk_rd_init(&rd, buf, sizeof(buf));
	return gdoi_kd_read(&rd, &defaults, push, &kd_decoded, &why);
}

GK_TEST(rfc6407_5_6_04, packets_that_are_not_understood_are_refused)
{
	assert_refused(kd_check(false, TEK, 0), "RFC6407-5.6-04", BAD_KEY, TEK);
	assert_refused(kd_check(false, TEK, 5), "RFC6407-5.6-04", BAD_KEY, TEK);
	assert_refused(kd_check(false, TEK, 128), "RFC6407-5.6-04", BAD_KEY,
	               TEK);
	assert_true(kd_check(false, TEK + 1, 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6-03");
	assert_true(kd_check(false, 2, 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6-01");
	assert_refused(kd_check(false, TEK + 10, 4), "RFC6407-5.6.1-02",
	               NOT_SUPPORTED, TEK + 9);
	assert_refused(kd_check(false, KEK + 22, 3), "RFC6407-5.6.2-04",
	               NOT_SUPPORTED, KEK + 21);
	assert_true(kd_check(false, TEK + 4, 17) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6-03");
}

GK_TEST(rfc6407_5_6_1_01, a_key_that_comes_twice_is_refused)
{
	assert_refused(kd_check(false, TEK + 16, 1), "RFC6407-5.6.1-01",
	               BAD_KEY, TEK + 15);
	assert_refused(kd_check(false, KEK + 28, 1), "RFC6407-5.6.2-01",
	               BAD_KEY, KEK + 27);
}

/* KEK packets, one after the other, by a writer of the test's own. */
static size_t
packets(uint8_t *out, uint8_t type, unsigned n)
{
	static const uint8_t kek[] = { 0, 0, 11, 0, 0, 1, 0, 2, 1, 2 };

	memcpy(out, (uint8_t[]){ 0, (uint8_t)n, 0, 0 }, 4);
	for (unsigned i = 0; i < n; i++) {
		out[4 + i * 11] = type;
		memcpy(out + 5 + i * 11, kek, sizeof(kek));
	}
	return 4 + n * 11;
}

static enum gk_err
packets_check(uint8_t type, unsigned n)
{
	uint8_t buf[64];
	struct gk_rd rd;

	gk_rd_init(&rd, buf, packets(buf, type, n));
	return gdoi_kd_read(&rd, &defaults, false, &kd_decoded, &why);
}

GK_TEST(rfc6407_5_6_2_03, a_second_kek_packet_is_refused)
{
	gk_assert_ok(packets_check(GDOI_KD_KEK, 1));
	assert_refused(packets_check(GDOI_KD_KEK, 2), "RFC6407-5.6.2-03",
	               BAD_KEY, 15);
	/* TEKs may be many. */
	gk_assert_ok(packets_check(GDOI_KD_TEK, 2));
}

GK_TEST(rfc6407_5_6_3_03, a_second_lkh_packet_is_refused)
{
	gk_assert_ok(packets_check(GDOI_KD_LKH, 1));
	assert_refused(packets_check(GDOI_KD_LKH, 2), "RFC6407-5.6.3-03",
	               BAD_KEY, 15);
}

static enum gk_err
lkh_check(size_t at, uint8_t value)
{
	uint8_t buf[sizeof(lkh_packet_golden)];
	struct gk_rd rd;

	memcpy(buf, lkh_packet_golden, sizeof(buf));
	buf[at] = value;
	gk_rd_init(&rd, buf, sizeof(buf));
	return gdoi_kd_read(&rd, &defaults, false, &kd_decoded, &why);
}

GK_TEST(rfc6407_5_6_3_1_02, a_second_download_array_is_refused)
{
	assert_refused(lkh_check(70, 1), "RFC6407-5.6.3.1-02", BAD_KEY, 69);
}

/* The last attribute says that it is longer than what is left. */
GK_TEST(rfc6407_5_6_2_02, attributes_cut_off_are_refused)
{
	GK_BREAKS("RFC6407-5.6.3-02");
	assert_true(kd_check(false, KEK + 30, 9) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6.2-02");
	assert_true(lkh_check(144, 9) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6.2-02");
}

GK_TEST(rfc6407_5_6_3_1_01, a_download_array_is_never_in_a_push)
{
	struct gk_rd rd;

	gk_rd_init(&rd, lkh_packet_golden, sizeof(lkh_packet_golden));
	assert_refused(gdoi_kd_read(&rd, &defaults, true, &kd_decoded, &why),
	               "RFC6407-5.6.3.1-01", BAD_KEY, 25);
}

/* With one sender id for two encryption modules they use the same IVs. */
GK_TEST(rfc6054_3_02, a_sid_is_given_once)
{
	uint8_t buf[sizeof(kd_golden)];
	struct gk_rd rd;

	memcpy(buf, kd_golden, sizeof(buf));
	memcpy(buf + sizeof(buf) - 2, buf + SID + 13, 2);
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(gdoi_kd_read(&rd, &defaults, false, &kd_decoded, &why),
	               "RFC6054-3-02", BAD_KEY, SID);
}

GK_TEST(rfc6407_5_6_4_1_01, sids_that_do_not_fit_are_refused)
{
	/* wider than a SID can be; no bits; wider than the bits say */
	assert_refused(kd_check(false, SID + 8, 33), "RFC6407-5.6.4.1-01",
	               BAD_KEY, SID + 5);
	assert_refused(kd_check(false, SID + 8, 0), "RFC6407-5.6.4.1-01",
	               BAD_KEY, SID + 5);
	assert_refused(kd_check(false, SID + 8, 11), "RFC6407-5.6.4.1-01",
	               BAD_KEY, SID);
	/* RFC6407-5.6.4-01: a SID has no SPI. */
	assert_true(kd_check(false, SID + 4, 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.6.4-01");
	assert_refused(kd_check(false, SID + 6, 3), "RFC6407-5.6.4-02",
	               NOT_SUPPORTED, SID + 5);
}

GK_TEST(rfc6407_5_6_4_03, sids_are_never_in_a_push)
{
	GK_BREAKS("RFC6407-5.6.4.4-02", "RFC6407-5.4-01");
	gk_assert_ok(kd_check(false, 2, 0));
	assert_refused(kd_check(true, 2, 0), "RFC6407-5.6.4-03", BAD_KEY, SID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_RUN(rfc6407_5_6_03, kd_five),
		FIVE_RUN(rfc6407_5_6_3_01, lkh_packet),
		GK_RUN(rfc6407_5_6_3_1_04,
		       arrays_decode_and_reencode_octet_for_octet),
		GK_RUN(rfc6407_5_6_3_1_04,
		       arrays_that_are_cut_have_a_fault_or_share_it_out),
		GK_RUN(rfc6407_5_6_3_1_03,
		       array_headers_that_are_wrong_are_refused),
		GK_RUN(rfc6407_5_6_04,
		       packets_that_are_not_understood_are_refused),
		GK_RUN(rfc6407_5_6_1_01, a_key_that_comes_twice_is_refused),
		GK_RUN(rfc6407_5_6_2_03, a_second_kek_packet_is_refused),
		GK_RUN(rfc6407_5_6_4_03, sids_are_never_in_a_push),
		GK_RUN(rfc6054_3_02, a_sid_is_given_once),
		GK_RUN(rfc6407_5_6_4_1_01, sids_that_do_not_fit_are_refused),
		GK_RUN(rfc6407_5_6_3_1_02, a_second_download_array_is_refused),
		GK_RUN(rfc6407_5_6_2_02, attributes_cut_off_are_refused),
		GK_RUN(rfc6407_5_6_3_03, a_second_lkh_packet_is_refused),
		GK_RUN(rfc6407_5_6_3_1_01, a_download_array_is_never_in_a_push),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
