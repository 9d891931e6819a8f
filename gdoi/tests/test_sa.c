/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/payload/sa.h"
#include "gdoi/payload/seq.h"

/*
 * SA, SAK, GAP, SAT and SEQ: the five tests of each, then every
 * value that is refused, by a table.
 */

/* clang-format off */

#define EP_SRC 1, 0x00, 0x00, 4, 10, 0, 224, 44
#define EP_DST 1, 0x03, 0x50, 4, 239, 10, 1, 2

static const uint8_t sak_golden[] = {
	17, EP_SRC, EP_DST,                             /* 0: UDP, SRC, DST */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, /* 17: SPI */
	0, 0, 0, 0,                                     /* 33: RESERVED2 */
	0x80, 0x01, 0x00, 0x01,                         /* 37: LKH */
	0x80, 0x02, 0x00, 0x03,                         /* 41: AES */
	0x80, 0x03, 0x00, 0x80,                         /* 45: 128 bits */
	0x00, 0x04, 0x00, 0x04, 0x00, 0x01, 0x51, 0x80, /* 49: 86400 s */
	0x80, 0x05, 0x00, 0x03,                         /* 57: SHA-256 */
	0x80, 0x06, 0x00, 0x01,                         /* 61: RSA */
	0x80, 0x07, 0x08, 0x00,                         /* 65: 2048 bits */
	0x80, 0x09, 0x00, 0x02,                         /* 69: ACK by LKH */
};
FIVE_READ(sak, struct gdoi_sak, gdoi_sak_read(rd, &defaults, false, to, &why),
	  gdoi_sak_encode(wr, &defaults, from))
static void
sak_expect(const void *decoded)
{
	const struct gdoi_sak *sak = decoded;

	assert_int_equal(sak->ep.protocol, 17);
	assert_int_equal(sak->ep.dst.port, 848);
	assert_int_equal(sak->ep.src.data.ptr[3], 44);
	assert_int_equal(sak->spi[15], 16);
	assert_int_equal(sak->management, GDOI_KEK_MANAGEMENT_LKH);
	assert_int_equal(sak->algorithm, GDOI_KEK_ALG_AES);
	assert_int_equal(sak->key_length, 128);
	assert_int_equal(sak->lifetime, 86400);
	assert_int_equal(sak->sig_hash, GDOI_SIG_HASH_SHA256);
	assert_int_equal(sak->sig_algorithm, GDOI_SIG_ALG_RSA);
	assert_int_equal(sak->sig_key_length, 2048);
	assert_int_equal(sak->ack, GDOI_ACK_LKH_SHA256);
}

static const uint8_t gap_golden[] = {
	0x80, 0x01, 0x00, 0x03, 0x80, 0x02, 0x00, 0x0a, 0x80, 0x03, 0x00, 0x02,
};
FIVE_READ(gap, struct gdoi_gap, gdoi_gap_read(rd, to, &why),
	  gdoi_gap_encode(wr, from))

static const uint8_t esp_golden[] = {
	1,                                              /* 0: ESP */
	0, EP_SRC, EP_DST,                              /* 1 */
	12, 0xca, 0xfe, 0xba, 0xbe,                     /* 18: AES-CBC, SPI */
	0x80, 0x01, 0x00, 0x01,                         /* 23: seconds */
	0x80, 0x02, 0x0e, 0x10,                         /* 27: 3600 */
	0x80, 0x01, 0x00, 0x02,                         /* 31: kilobytes */
	0x00, 0x02, 0x00, 0x04, 0x00, 0x01, 0x86, 0xa0, /* 35: 100000 */
	0x80, 0x04, 0x00, 0x01,                         /* 43: tunnel */
	0x80, 0x05, 0x00, 0x05,                         /* 47: SHA-256 */
	0x80, 0x06, 0x00, 0x80,                         /* 51: 128 bits */
	0x80, 0x0e, 0x00, 0x04,                         /* 55: both kept */
	0x80, 0x0f, 0x00, 0x03,                         /* 59: symmetric */
};
FIVE_READ(esp, struct gdoi_sat, gdoi_sat_read(rd, &defaults, to, &why),
	  gdoi_sat_encode(wr, &defaults, from))
static void
esp_expect(const void *decoded)
{
	const struct gdoi_sat *sat = decoded;

	assert_int_equal(sat->protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(sat->spi[0], 0xca);
	assert_int_equal(sat->ipsec.transform, 12);
	assert_int_equal(sat->ipsec.life_s, 3600);
	assert_int_equal(sat->ipsec.life_kb, 100000);
	assert_int_equal(sat->ipsec.encapsulation, 1);
	assert_int_equal(sat->ipsec.authentication, 5);
	assert_int_equal(sat->ipsec.key_length, 128);
	assert_int_equal(sat->ipsec.address_preservation, GDOI_PRESERVE_BOTH);
	assert_int_equal(sat->ipsec.direction, GDOI_DIRECTION_SYMMETRIC);
}

#define OID 13, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0xce, 0x56, 0x83, 0xe3, 0x1a, \
	0x08, 0x01, 0x02

static const uint8_t iec_golden[] = {
	3,                                              /* 0: IEC 61850 */
	OID, 0x00, 0x02, 0x05, 0x00,                    /* 1, 15 */
	0x00, 0x00, 0x00, 0x07,                         /* 19: SPI */
	0x00, 0x02, 0x00, 0x02,                         /* 23: HMAC, AES-CBC */
	0x00, 0x00, 0x0e, 0x10,                         /* 27: 3600 s */
	0x00, 0x01, 0x00, 0x04, 0x00, 0x00, 0x0c, 0xe4, /* 31: SA_ATD */
	0x80, 0x02, 0x00, 0x32,                         /* 39: SA_KDA */
};
FIVE_READ(iec, struct gdoi_sat, gdoi_sat_read(rd, &defaults, to, &why),
	  gdoi_sat_encode(wr, &defaults, from))
static void
iec_expect(const void *decoded)
{
	const struct gdoi_sat *sat = decoded;

	assert_int_equal(sat->protocol, GDOI_PROTOCOL_IEC_61850);
	assert_int_equal(sat->iec.oid.len, 13);
	assert_int_equal(sat->iec.payload.len, 2);
	assert_int_equal(sat->spi[3], 7);
	assert_int_equal(sat->iec.auth, GDOI_IEC_AUTH_HMAC_SHA256_128);
	assert_int_equal(sat->iec.enc, GDOI_IEC_ENC_AES_CBC_128);
	assert_int_equal(sat->iec.lifetime, 3600);
	assert_int_equal(sat->iec.atd, 3300);
	assert_int_equal(sat->iec.kda, 50);
}

static const uint8_t sa_golden[] = {
	0, 0, 0, 2, 0, 0, 0, 0, 0x00, 0x0f, 0x00, 0x00, /* 0 */
	22, 0, 0x00, 0x31,                              /* 12: SAK */
	17, EP_SRC, EP_DST,                             /* 16 */
	1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	0, 0, 0, 0,
	0x80, 0x02, 0x00, 0x02, 0x80, 0x06, 0x00, 0x05,
	16, 0, 0x00, 0x08, 0x80, 0x01, 0x00, 0x03,      /* 61: GAP */
	16, 0, 0x00, 0x23,                              /* 69: SAT */
	1, 0, EP_SRC, EP_DST, 3, 0, 0, 0, 1, 0x80, 0x04, 0x00, 0x02,
	0x80, 0x05, 0x00, 0x02,
	0, 0, 0x00, 0x25,                               /* 104: SAT */
	3, OID, 0x00, 0x00, 0, 0, 0, 9, 0x00, 0x01, 0x00, 0x04,
	0, 0, 0, 0, 0x80, 0x02, 0x00, 0x64,
};
FIVE_READ(sa, struct gdoi_sa, gdoi_sa_read(rd, &defaults, false, to, &why),
	  gdoi_sa_encode(wr, &defaults, from))
static void
sa_expect(const void *decoded)
{
	const struct gdoi_sa *sa = decoded;

	assert_true(sa->has_sak);
	assert_true(sa->has_gap);
	assert_int_equal(sa->n_sats, 2);
	assert_int_equal(sa->sak.sig_algorithm, GDOI_SIG_ALG_ECDSA_384);
	assert_int_equal(sa->gap.atd, 3);
	assert_int_equal(sa->sat[0].protocol, GDOI_PROTOCOL_ESP);
	assert_int_equal(sa->sat[1].iec.kda, 100);
}
static const struct five sa = {
	sa_golden, sizeof(sa_golden), sizeof(sa_golden), sa_five_decode,
	sa_five_encode, sa_expect, &sa_decoded, { 14, 63, 71, 106, 0 },
};
FIVE(rfc6407_5_2_05, sa)

static const uint8_t seq_golden[] = { 0, 0, 1, 2 };
FIVE_READ(seq, struct gdoi_seq, gdoi_seq_decode(rd, to),
	  gdoi_seq_encode(wr, from))
static void
seq_expect(const void *decoded)
{
	assert_int_equal(((const struct gdoi_seq *)decoded)->number, 0x102);
}
static const struct five seq = {
	seq_golden, sizeof(seq_golden), sizeof(seq_golden), seq_five_decode,
	seq_five_encode, seq_expect, &seq_decoded, { 0 },
};
FIVE(rfc6407_5_7_01, seq)

/* clang-format on */

/*
 * Attribute lists have no end of their own, and every prefix that ends between
 * two attributes is a list: golden and re-encoding here, cuts below.
 */
struct list {
	const uint8_t *golden;
	size_t len;
	enum gk_err (*decode)(struct gk_rd *rd, void *to);
	void (*encode)(struct gk_wr *wr, const void *from);
	void (*expect)(const void *decoded);
	void *decoded;
};

static void
gap_expect(const void *decoded)
{
	const struct gdoi_gap *g = decoded;

	assert_true(g->has_atd && g->has_dtd && g->has_request);
	assert_int_equal(g->atd, 3);
	assert_int_equal(g->dtd, 10);
	assert_int_equal(g->request, 2);
}

static const struct list lists[] = {
	{ sak_golden, sizeof(sak_golden), sak_five_decode, sak_five_encode,
	  sak_expect, &sak_decoded },
	{ gap_golden, sizeof(gap_golden), gap_five_decode, gap_five_encode,
	  gap_expect, &gap_decoded },
	{ esp_golden, sizeof(esp_golden), esp_five_decode, esp_five_encode,
	  esp_expect, &esp_decoded },
	{ iec_golden, sizeof(iec_golden), iec_five_decode, iec_five_encode,
	  iec_expect, &iec_decoded },
};

GK_TEST(rfc6407_5_3_06, lists_decode_and_reencode_octet_for_octet)
{
	uint8_t out[256];
	struct gk_rd rd;
	struct gk_wr wr;

	GK_SHOWS("RFC2407-4.5.2-01", "RFC2407-4.5.2-03", "RFC2407-4.5.3-01",
	         "RFC6407-5.5.1.1-01", "RFC8052-2.2.4-01", "RFC8052-2.2.3-01",
	         "RFC8052-3-01");
	for (size_t i = 0; i < GK_COUNT(lists); i++) {
		const struct list *l = &lists[i];

		gk_rd_init(&rd, l->golden, l->len);
		gk_assert_ok(l->decode(&rd, l->decoded));
		l->expect(l->decoded);
		gk_wr_init(&wr, out, sizeof(out));
		l->encode(&wr, l->decoded);
		gk_assert_ok(gk_wr_done(&wr));
		assert_int_equal(wr.len, l->len);
		assert_memory_equal(out, l->golden, l->len);
	}
}

/* A cut list either ends between two attributes, and re-encodes to what is
 * left, or is refused with field and place. */
GK_TEST(rfc6407_5_3_10, cut_lists_have_a_fault_or_are_what_is_left)
{
	uint8_t out[256];

	for (size_t i = 0; i < GK_COUNT(lists); i++)
		for (size_t n = 0; n < lists[i].len; n++) {
			uint8_t *exact = malloc(n + 1);
			struct gk_rd rd;
			struct gk_wr wr;

			memcpy(exact, lists[i].golden, n);
			gk_rd_init(&rd, exact, n);
			if (lists[i].decode(&rd, lists[i].decoded) != GK_OK) {
				assert_non_null(why.field);
				assert_true(why.offset <= n);
			} else {
				gk_wr_init(&wr, out, sizeof(out));
				lists[i].encode(&wr, lists[i].decoded);
				assert_int_equal(wr.len, n);
				assert_memory_equal(out, exact, n);
			}
			free(exact);
		}
}

struct bad {
	size_t at;
	uint8_t value;
	const char *req;
	enum isakmp_notify notify;
	size_t offset;
};

static void
refuse_all(const struct list *l, const struct bad *bad, size_t n)
{
	uint8_t buf[256];

	for (size_t i = 0; i < n; i++) {
		struct gk_rd rd;

		memcpy(buf, l->golden, l->len);
		buf[bad[i].at] = bad[i].value;
		gk_rd_init(&rd, buf, l->len);
		assert_refused(l->decode(&rd, l->decoded), bad[i].req,
		               bad[i].notify, bad[i].offset);
	}
}

#define NOT_SUPPORTED ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED
#define MALFORMED ISAKMP_NOTIFY_PAYLOAD_MALFORMED
#define BAD_ID ISAKMP_NOTIFY_INVALID_ID_INFORMATION

/* Section 4: who cannot answer takes part all the same. */
GK_TEST(rfc8263_4_03, a_type_of_acknowledgement_that_we_have_not)
{
	uint8_t buf[256];
	struct gdoi_dialect d = { 0 };
	struct gdoi_sak sak;
	struct gk_rd rd;

	memcpy(buf, lists[0].golden, lists[0].len);
	buf[72] = 200;
	gk_rd_init(&rd, buf, lists[0].len);
	gk_assert_ok(gdoi_sak_read(&rd, &d, false, &sak, &why));
	assert_int_equal(sak.ack, 200);
}

GK_TEST(rfc6407_5_3_2_01, a_sak_that_is_not_understood_is_refused)
{
	static const struct bad bad[] = {
		{ 1, 99, "RFC6407-5.3-07", BAD_ID, 1 },
		{ 1, ISAKMP_ID_IPV6_ADDR, "RFC6407-5.3-07", BAD_ID, 4 },
		{ 9, 99, "RFC6407-5.3-07", BAD_ID, 9 },
		{ 9, ISAKMP_ID_IPV4_ADDR_SUBNET, "RFC6407-5.3-07", BAD_ID, 12 },
		{ 33, 1, "RFC6407-5.3-09", MALFORMED, 33 },
		{ 40, 2, "RFC6407-5.3.1-01", NOT_SUPPORTED, 37 },
		{ 44, 0, "RFC6407-5.3.2-02", NOT_SUPPORTED, 41 },
		{ 44, 4, "RFC6407-5.3.2-02", NOT_SUPPORTED, 41 },
		{ 48, 0, "RFC6407-5.3.3-01", NOT_SUPPORTED, 45 },
		{ 60, 6, "RFC6407-5.3.5-01", NOT_SUPPORTED, 57 },
		{ 64, 7, "RFC6407-5.3.6-01", NOT_SUPPORTED, 61 },
		{ 72, 0, "RFC8263-2-01", NOT_SUPPORTED, 69 },
		{ 70, 8, "RFC6407-5.3.2-01", NOT_SUPPORTED, 69 },
		{ 70, 10, "RFC6407-5.3.2-01", NOT_SUPPORTED, 69 },
		{ 70, 200, "RFC6407-5.3.2-01", NOT_SUPPORTED, 69 },
		{ 70, 7, "RFC6407-5.3-10", MALFORMED, 69 },
		{ 42, 3, "RFC6407-5.3-10", MALFORMED, 45 },
	};

	refuse_all(&lists[0], bad, GK_COUNT(bad));
}

static enum gk_err
sak_without(size_t at, size_t n, bool pull)
{
	uint8_t buf[sizeof(sak_golden)];
	struct gk_rd rd;

	memcpy(buf, sak_golden, at);
	memcpy(buf + at, sak_golden + at + n, sizeof(sak_golden) - at - n);
	gk_rd_init(&rd, buf, sizeof(sak_golden) - n);
	return gdoi_sak_read(&rd, &defaults, pull, &sak_decoded, &why);
}

GK_TEST(rfc6407_5_3_12, a_sak_without_its_algorithms_is_refused)
{
	assert_refused(sak_without(41, 4, false), "RFC6407-5.3-12",
	               NOT_SUPPORTED, 0);
	assert_refused(sak_without(61, 4, false), "RFC6407-5.3-13",
	               NOT_SUPPORTED, 0);
	/* RFC6407-5.3-14: everything else may be missing. */
	gk_assert_ok(sak_without(45, 16, false));
	gk_assert_ok(sak_without(65, 8, false));
}

GK_TEST(rfc6407_5_3_16, the_management_algorithm_is_ignored_in_a_pull)
{
	uint8_t buf[sizeof(sak_golden)];
	struct gk_rd rd;

	memcpy(buf, sak_golden, sizeof(buf));
	buf[40] = 77;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(gdoi_sak_read(&rd, &defaults, true, &sak_decoded, &why));
	assert_int_equal(sak_decoded.management, 0);
}

GK_TEST(rfc6407_5_3_4_01, a_lifetime_has_four_octets_or_is_basic)
{
	static const uint8_t basic[] = { 0x80, 0x04, 0x0e, 0x10 };
	uint8_t buf[sizeof(sak_golden)];
	struct gk_rd rd;

	memcpy(buf, sak_golden, sizeof(buf));
	memcpy(buf + 49, basic, 4);
	memcpy(buf + 53, sak_golden + 57, sizeof(sak_golden) - 57);
	gk_rd_init(&rd, buf, sizeof(buf) - 4);
	gk_assert_ok(gdoi_sak_read(&rd, &defaults, false, &sak_decoded, &why));
	assert_int_equal(sak_decoded.lifetime, 3600);

	memcpy(buf, sak_golden, sizeof(buf));
	buf[52] = 3;
	memmove(buf + 56, buf + 57, sizeof(buf) - 57);
	gk_rd_init(&rd, buf, sizeof(buf) - 1);
	assert_refused(gdoi_sak_read(&rd, &defaults, false, &sak_decoded, &why),
	               "RFC6407-5.3.4-01", MALFORMED, 49);
}

GK_TEST(rfc6407_5_4_08, a_gap_that_is_not_understood_is_refused)
{
	static const struct bad bad[] = {
		{ 1, 4, "RFC6407-5.4-08", NOT_SUPPORTED, 0 },
		{ 1, 0, "RFC6407-5.4-08", NOT_SUPPORTED, 0 },
		{ 5, 1, "RFC6407-5.4-07", MALFORMED, 4 },
	};
	static const uint8_t variable[] = { 0, 1, 0, 2, 0, 3 };
	struct gk_rd rd;

	refuse_all(&lists[1], bad, GK_COUNT(bad));
	gk_rd_init(&rd, variable, sizeof(variable));
	assert_refused(gdoi_gap_read(&rd, &gap_decoded, &why), "RFC6407-5.4-07",
	               MALFORMED, 0);
}

GK_TEST(rfc2407_4_5_3_01, a_sat_that_is_not_understood_is_refused)
{
	static const struct bad bad[] = {
		{ 0, 0, "RFC6407-5.5-04", ISAKMP_NOTIFY_INVALID_PROTOCOL_ID,
		  0 },
		{ 0, 4, "RFC6407-5.5-04", ISAKMP_NOTIFY_INVALID_PROTOCOL_ID,
		  0 },
		{ 10, 99, "RFC6407-5.5.1-04", BAD_ID, 10 },
		{ 26, 3, "RFC2407-4.5.3-01", NOT_SUPPORTED, 23 },
		{ 34, 1, "RFC2407-4.5.2-02", NOT_SUPPORTED, 35 },
		{ 24, 2, "RFC2407-4.5-05", NOT_SUPPORTED, 23 },
		{ 28, 1, "RFC2407-4.5-05", NOT_SUPPORTED, 27 },
		{ 46, 0, "RFC2407-4.5-06", NOT_SUPPORTED, 43 },
		{ 46, 3, "RFC2407-4.5-06", NOT_SUPPORTED, 43 },
		{ 50, 0, "RFC2407-4.5-08", NOT_SUPPORTED, 47 },
		{ 58, 0, "RFC6407-5.5.1.1.1-01", NOT_SUPPORTED, 55 },
		{ 58, 5, "RFC6407-5.5.1.1.1-01", NOT_SUPPORTED, 55 },
		{ 62, 0, "RFC6407-5.5.1.1.2-01", NOT_SUPPORTED, 59 },
		{ 62, 4, "RFC6407-5.5.1.1.2-01", NOT_SUPPORTED, 59 },
		{ 60, 16, "RFC2407-4.5.3-01", NOT_SUPPORTED, 59 },
		{ 60, 14, "RFC2407-4.5.2-03", NOT_SUPPORTED, 59 },
	};

	refuse_all(&lists[2], bad, GK_COUNT(bad));
}

GK_TEST(rfc6407_5_5_1_10, a_group_description_is_ignored)
{
	uint8_t buf[sizeof(esp_golden)];
	struct gk_rd rd;

	memcpy(buf, esp_golden, sizeof(buf));
	buf[60] = GDOI_SA_ATTRIBUTE_GROUP_DESCRIPTION;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(gdoi_sat_read(&rd, &defaults, &esp_decoded, &why));
	assert_int_equal(esp_decoded.ipsec.direction, 0);
}

GK_TEST(rfc2407_4_5_01, a_basic_attribute_as_variable_is_refused)
{
	uint8_t buf[sizeof(esp_golden) + 2];
	struct gk_rd rd;

	memcpy(buf, esp_golden, sizeof(esp_golden));
	memcpy(buf + 59, (uint8_t[]){ 0x00, 0x0f, 0x00, 0x02, 0x00, 0x03 }, 6);
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(gdoi_sat_read(&rd, &defaults, &esp_decoded, &why),
	               "RFC2407-4.5-01", NOT_SUPPORTED, 59);
}

/* RFC 4359 section 7 makes it Variable; two octets may come as Basic, too. */
GK_TEST(rfc2407_4_5_01, an_authentication_key_length_has_both_forms)
{
	static const struct {
		uint8_t octets[10];
		size_t len;
		bool ok;
	} row[] = {
		{ { 0x00, 0x0c, 0x00, 0x02, 0x08, 0x00 }, 6, true },
		{ { 0x00, 0x0c, 0x00, 0x04, 0, 0, 0x08, 0x00 }, 8, true },
		{ { 0x80, 0x0c, 0x08, 0x00 }, 4, true },
		{ { 0x00, 0x0c, 0x00, 0x04, 0, 1, 0x08, 0x00 }, 8, false },
		{ { 0x00, 0x0c, 0x00, 0x02, 0, 0 }, 6, false },
		{ { 0x80, 0x0c, 0, 0 }, 4, false },
	};

	for (size_t i = 0; i < GK_COUNT(row); i++) {
		uint8_t buf[sizeof(esp_golden) + 8];
		struct gk_rd rd;

		memcpy(buf, esp_golden, sizeof(esp_golden));
		memcpy(buf + 59, row[i].octets, row[i].len);
		gk_rd_init(&rd, buf, 59 + row[i].len);
		if (row[i].ok) {
			gk_assert_ok(gdoi_sat_read(&rd, &defaults, &esp_decoded,
			                           &why));
			assert_int_equal(
				esp_decoded.ipsec.authentication_length, 2048);
		} else {
			assert_refused(gdoi_sat_read(&rd, &defaults,
			                             &esp_decoded, &why),
			               "RFC2407-4.5.3-01", NOT_SUPPORTED, 59);
		}
	}
}

/* Any source: a length of 0, or three octets of zero (switch any_source is about
 * sending). */
GK_TEST(rfc6407_5_5_1_04, any_source_has_two_forms)
{
	uint8_t buf[sizeof(esp_golden)];
	struct gk_rd rd;

	for (uint8_t len = 0; len <= 4; len++) {
		memcpy(buf, esp_golden, 5);
		buf[5] = len;
		memset(buf + 6, 0, len);
		memcpy(buf + 6 + len, esp_golden + 10, sizeof(buf) - 10);
		gk_rd_init(&rd, buf, sizeof(buf) - 4 + len);
		if (len == 0 || len == 3 || len == 4) {
			gk_assert_ok(gdoi_sat_read(&rd, &defaults, &esp_decoded,
			                           &why));
			assert_int_equal(esp_decoded.ipsec.ep.src.data.len,
			                 len);
		} else {
			assert_refused(gdoi_sat_read(&rd, &defaults,
			                             &esp_decoded, &why),
			               "RFC6407-5.5.1-04", BAD_ID, 5);
		}
	}
}

GK_TEST(rfc8052_2_2_2_01, an_iec_sat_that_is_unsafe_or_unknown_is_refused)
{
	static const struct bad bad[] = {
		{ 24, 0, "RFC8052-4-01", NOT_SUPPORTED, 23 },
		{ 24, 6, "RFC8052-4-01", NOT_SUPPORTED, 23 },
		{ 26, 0, "RFC8052-4-02", NOT_SUPPORTED, 25 },
		{ 26, 6, "RFC8052-4-02", NOT_SUPPORTED, 25 },
		{ 24, 1, "RFC8052-2.2.3-01", NOT_SUPPORTED, 23 },
		{ 26, 4, "RFC8052-2.2.3-03", NOT_SUPPORTED, 23 },
		{ 26, 5, "RFC8052-2.2.3-04", NOT_SUPPORTED, 23 },
		{ 42, 101, "RFC8052-2.2.4.2-01", NOT_SUPPORTED, 39 },
		{ 40, 3, "RFC8052-4-03", NOT_SUPPORTED, 39 },
		{ 40, 1, "RFC8052-4-03", NOT_SUPPORTED, 39 },
	};
	uint8_t buf[sizeof(iec_golden)];
	struct gk_rd rd;

	GK_SHOWS("RFC8052-2.2.3-02");
	GK_BREAKS("RFC8052-2.2.4-01", "RFC8052-3-01", "RFC8052-3-02");
	refuse_all(&lists[3], bad, GK_COUNT(bad));
	memcpy(buf, iec_golden, sizeof(buf));
	buf[24] = 1;
	buf[26] = 3;
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(gdoi_sat_read(&rd, &defaults, &iec_decoded, &why),
	               "RFC8052-2.2.3-02", NOT_SUPPORTED, 23);
	buf[26] = GDOI_IEC_ENC_AES_GCM_256;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(gdoi_sat_read(&rd, &defaults, &iec_decoded, &why));
	/* and with authentication that cipher is right */
	buf[24] = 2;
	buf[26] = 3;
	gk_rd_init(&rd, buf, sizeof(buf));
	gk_assert_ok(gdoi_sat_read(&rd, &defaults, &iec_decoded, &why));
	/* RFC8052-2.2.1-02: no selector. */
	memmove(buf + 2, buf + 15, sizeof(buf) - 15);
	buf[1] = 0;
	gk_rd_init(&rd, buf, sizeof(buf) - 13);
	assert_refused(gdoi_sat_read(&rd, &defaults, &iec_decoded, &why),
	               "RFC8052-2.2.1-02", BAD_ID, 1);
}

GK_TEST(rfc6407_5_2_07, an_sa_that_is_not_gdois_is_refused)
{
	static const struct list l = { sa_golden,      sizeof(sa_golden),
		                       sa_five_decode, sa_five_encode,
		                       sa_expect,      &sa_decoded };
	static const struct bad bad[] = {
		{ 3, 1, "RFC6407-5.2-06", ISAKMP_NOTIFY_DOI_NOT_SUPPORTED, 0 },
		{ 7, 1, "RFC6407-5.2-07", ISAKMP_NOTIFY_SITUATION_NOT_SUPPORTED,
		  4 },
		{ 9, 17, "RFC6407-5.2-08", ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
		  8 },
		{ 8, 1, "RFC6407-5.2-08", ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
		  8 },
		{ 11, 1, "RFC6407-5.2-09", MALFORMED, 10 },
		{ 12, 17, "RFC6407-5.2.1-01",
		  ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE, 12 },
		{ 13, 1, "RFC6407-5.3-03", MALFORMED, 13 },
		{ 62, 1, "RFC6407-5.4-06", MALFORMED, 62 },
		{ 70, 1, "RFC6407-5.5-03", MALFORMED, 70 },
		{ 12, 15, "RFC6407-5.2.1-02", MALFORMED, 61 },
		{ 69, 22, "RFC6407-5.2.1-02", MALFORMED, 104 },
		{ 61, 15, "RFC6407-5.2.1-02", MALFORMED, 69 },
	};

	refuse_all(&l, bad, GK_COUNT(bad));
}

GK_TEST(rfc6407_5_2_1_03, an_sa_with_neither_sak_nor_sat_is_refused)
{
	static const uint8_t empty[] = { 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint8_t gap[] = { 0, 0, 0, 2, 0, 0, 0,    0, 0, 22,
		                       0, 0, 0, 0, 0, 8, 0x80, 1, 0, 3 };
	struct gk_rd rd;

	gk_rd_init(&rd, empty, sizeof(empty));
	assert_refused(gdoi_sa_read(&rd, &defaults, true, &sa_decoded, &why),
	               "RFC6407-5.2.1-03", MALFORMED, 8);
	gk_rd_init(&rd, gap, sizeof(gap));
	assert_refused(gdoi_sa_read(&rd, &defaults, true, &sa_decoded, &why),
	               "RFC6407-5.2.1-03", MALFORMED, 8);
}

GK_TEST(rfc6407_5_2_1_04, attribute_payloads_out_of_order_are_refused)
{
	uint8_t buf[sizeof(sa_golden)];
	struct gk_rd rd;

	/* GAP in front of SAK: 12 + 49 octets of SAK, 8 of GAP. */
	memcpy(buf, sa_golden, sizeof(buf));
	memcpy(buf + 12, sa_golden + 61, 8);
	memcpy(buf + 20, sa_golden + 12, 49);
	buf[9] = ISAKMP_PAYLOAD_GAP;
	buf[12] = ISAKMP_PAYLOAD_SAK;
	buf[20] = ISAKMP_PAYLOAD_SAT;
	gk_rd_init(&rd, buf, sizeof(buf));
	assert_refused(gdoi_sa_read(&rd, &defaults, true, &sa_decoded, &why),
	               "RFC6407-5.2.1-04", MALFORMED, 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FIVE_RUN(rfc6407_5_2_05, sa),
		FIVE_RUN(rfc6407_5_7_01, seq),
		GK_RUN(rfc6407_5_3_06,
		       lists_decode_and_reencode_octet_for_octet),
		GK_RUN(rfc6407_5_3_10,
		       cut_lists_have_a_fault_or_are_what_is_left),
		GK_RUN(rfc8263_4_03,
		       a_type_of_acknowledgement_that_we_have_not),
		GK_RUN(rfc6407_5_3_2_01,
		       a_sak_that_is_not_understood_is_refused),
		GK_RUN(rfc6407_5_3_12, a_sak_without_its_algorithms_is_refused),
		GK_RUN(rfc6407_5_3_16,
		       the_management_algorithm_is_ignored_in_a_pull),
		GK_RUN(rfc6407_5_3_4_01,
		       a_lifetime_has_four_octets_or_is_basic),
		GK_RUN(rfc6407_5_4_08, a_gap_that_is_not_understood_is_refused),
		GK_RUN(rfc2407_4_5_3_01,
		       a_sat_that_is_not_understood_is_refused),
		GK_RUN(rfc6407_5_5_1_10, a_group_description_is_ignored),
		GK_RUN(rfc2407_4_5_01,
		       a_basic_attribute_as_variable_is_refused),
		GK_RUN(rfc2407_4_5_01,
		       an_authentication_key_length_has_both_forms),
		GK_RUN(rfc6407_5_5_1_04, any_source_has_two_forms),
		GK_RUN(rfc8052_2_2_2_01,
		       an_iec_sat_that_is_unsafe_or_unknown_is_refused),
		GK_RUN(rfc6407_5_2_07, an_sa_that_is_not_gdois_is_refused),
		GK_RUN(rfc6407_5_2_1_03,
		       an_sa_with_neither_sak_nor_sat_is_refused),
		GK_RUN(rfc6407_5_2_1_04,
		       attribute_payloads_out_of_order_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
