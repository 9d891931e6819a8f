/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/server.h"

/*
 * What the key server says in GROUPKEY-PULL, octet by octet and rule by rule.
 */
#define MID 0x01020304

static struct gdoi_pull_message two, four;
static struct member m;
static struct request r;

static void
with_gap(struct gw *w, int i)
{
	const struct gdoi_sat sats[2] = { gw_esp_gcm, gw_esp_cbc };

	if (i != 0)
		return;
	w->template.has_gap = true;
	w->template.gap = (struct gdoi_gap){
		.has_atd = true, .atd = 5, .has_dtd = true, .dtd = 60
	};
	gw_set_data(w, 2, sats);
}

static void
no_lkh(struct gw *w, int i)
{
	with_gap(w, i);
	w->template.rekey.sak.management = 0;
}

/* A registration with group @k; messages 2 and 4 are kept. */
static void
exchange(void (*shape)(struct gw *, int), int k)
{
	shape_group = shape;
	open_server();
	shape_group = NULL;
	m = connect_member();
	r = request_new(&m, MID, gdoi_group_dialect(group[k]));
	write_1(&r, gdoi_group_id(group[k]));
	gk_assert_ok(say_message(&r, 0));
	two = read_answer(&r, 0);
	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	four = read_answer(&r, 1);
}

static void
finish(void)
{
	gdoi_pull_message_free(&two);
	gdoi_pull_message_free(&four);
	request_free(&r);
	disconnect(&m);
	close_server();
}

/* ---- by hand: no decoder of ours ---------------------------------------- */

static unsigned
u16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static const struct isakmp_generic *
payload(const struct gdoi_pull_message *of, uint8_t type)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(&of->chain, type);

	assert_non_null(item);
	return &item->generic;
}

/* The SA attribute payloads: types and bodies. */
struct walk {
	uint8_t type[8];
	const uint8_t *at[8]; /* of the generic header */
	size_t len[8], n;
};

static struct walk
sa_walk(void)
{
	const struct isakmp_generic *sa = payload(&two, ISAKMP_PAYLOAD_SA);
	const uint8_t *p = sa->body.ptr + 12,
		      *end = sa->body.ptr + sa->body.len;
	struct walk w = { .n = 0 };
	unsigned next = u16(sa->body.ptr + 8);

	while (next != 0) {
		assert_true(w.n < 8 && p + 4 <= end);
		w.type[w.n] = (uint8_t)next;
		w.at[w.n] = p;
		w.len[w.n] = u16(p + 2);
		next = p[0];
		p += w.len[w.n++];
	}
	assert_true(p == end);
	return w;
}

/* Types of the attributes from @p on; each is of the right form. */
static uint32_t
attributes(const uint8_t *p, const uint8_t *end, uint32_t variable)
{
	uint32_t seen = 0;

	while (p < end) {
		unsigned type = u16(p) & 0x7fff;
		bool basic = (p[0] & 0x80) != 0;

		assert_true(type < 32);
		assert_int_equal(basic, (variable & 1U << type) == 0);
		seen |= 1U << type;
		p += basic ? 4 : 4 + u16(p + 2);
	}
	assert_true(p == end);
	return seen;
}

#define BIT(n) (1U << (n))

GK_TEST(rfc6407_5_2_01, the_sa_payload_of_message_2)
{
	static const uint8_t head[] = { 0, 0, 0, 2, 0, 0, 0, 0, 0, 15, 0, 0 };
	const struct isakmp_generic *sa;
	struct walk w;

	GK_SHOWS("RFC6407-5.2-02", "RFC6407-5.2-03", "RFC6407-5.2-04",
	         "RFC6407-5.2-05", "RFC6407-5.2-06", "RFC6407-5.2-07",
	         "RFC6407-5.2-08", "RFC6407-5.2-09", "RFC6407-5.2.1-01",
	         "RFC6407-5.2.1-02", "RFC6407-5.2.1-03", "RFC6407-5.2.1-04",
	         "RFC6407-5.4-02", "RFC6407-5.4-05", "RFC6407-5.4-06",
	         "RFC6407-5.3-03", "RFC6407-5.5-03", "RFC6407-3.4-04");
	exchange(with_gap, 0);
	sa = payload(&two, ISAKMP_PAYLOAD_SA);
	assert_int_equal(sa->next_payload, 0);
	assert_int_equal(sa->all.ptr[1], 0);
	assert_memory_equal(sa->body.ptr, head, sizeof(head));
	w = sa_walk();
	assert_int_equal(w.n, 4);
	assert_int_equal(w.type[0], ISAKMP_PAYLOAD_SAK);
	assert_int_equal(w.type[1], ISAKMP_PAYLOAD_GAP);
	assert_int_equal(w.type[2], ISAKMP_PAYLOAD_SAT);
	assert_int_equal(w.type[3], ISAKMP_PAYLOAD_SAT);
	for (size_t i = 0; i < w.n; i++)
		assert_int_equal(w.at[i][1], 0);
	finish();
	/* RFC6407-5.4-03 and -5.2-08: without a Rekey SA it begins with SAT. */
	exchange(NULL, 1);
	sa = payload(&two, ISAKMP_PAYLOAD_SA);
	assert_int_equal(u16(sa->body.ptr + 8), ISAKMP_PAYLOAD_SAT);
	finish();
}

GK_TEST(rfc6407_5_3_06, the_sak_of_message_2)
{
	const uint8_t *p, *end;
	uint32_t seen;
	struct walk w;

	GK_SHOWS("RFC6407-5.3-09", "RFC6407-5.3-10", "RFC6407-5.3-11",
	         "RFC6407-5.3-12", "RFC6407-5.3-13", "RFC6407-5.3-15",
	         "RFC6407-5.3.2-01", "RFC6407-3.2-12", "RFC6407-6.1-02");
	exchange(with_gap, 0);
	w = sa_walk();
	p = w.at[0] + 4;
	end = w.at[0] + w.len[0];
	/* Protocol, SRC (type, port, length, 4), DST (type, port, length, 4):
	 * 17; SPI: 16; RESERVED2: 4 */
	assert_int_equal(p[4], 4);
	assert_int_equal(p[12], 4);
	assert_memory_equal(p + 33, "\0\0\0\0", 4);
	seen = attributes(p + 37, end, BIT(4));
	assert_int_equal(seen & BIT(1), 0);
	assert_true((seen & BIT(2)) != 0 && (seen & BIT(6)) != 0);
	assert_int_equal(two.sa->sak.algorithm, GDOI_KEK_ALG_AES);
	assert_int_equal(two.sa->sak.key_length, 128);
	finish();
}

GK_TEST(rfc6407_5_5_1_01, the_sats_of_message_2)
{
	struct walk w;

	GK_SHOWS("RFC6407-5.5.1-09", "RFC6407-5.5.1-11", "RFC6407-5.5.1-12",
	         "RFC6407-6.2-01", "RFC2407-4.5-01", "RFC2407-4.5-05",
	         "RFC2407-4.5-11", "RFC2407-4.5.1-01", "RFC2407-4.4.4-01",
	         "RFC6407-6-01");
	exchange(with_gap, 0);
	w = sa_walk();
	for (size_t i = 2; i < 4; i++) {
		const uint8_t *p = w.at[i] + 4;
		/* Protocol-ID 1; Protocol, SRC, DST: 17; Transform ID 1;
		 * SPI 4 */
		const uint8_t *list = p + 23;
		uint32_t seen = attributes(list, w.at[i] + w.len[i], 0);

		assert_int_equal(p[0], GDOI_PROTOCOL_ESP);
		/* Group Description is 3; no Key Rounds; life first. */
		assert_int_equal(seen & BIT(3), 0);
		assert_true((seen & BIT(1)) != 0 && (seen & BIT(2)) != 0 &&
		            (seen & BIT(4)) != 0);
		assert_int_equal((seen & BIT(5)) != 0,
		                 two.sa->sat[i - 2].ipsec.transform == 12);
	}
	finish();
}

/* ---- message 4 ---------------------------------------------------------- */

/* Key packets: types and places. */
static struct walk
kd_walk(void)
{
	const struct isakmp_generic *kd = payload(&four, ISAKMP_PAYLOAD_KD);
	const uint8_t *p = kd->body.ptr + 4, *end = kd->body.ptr + kd->body.len;
	struct walk w = { .n = 0 };

	assert_int_equal(u16(kd->body.ptr + 2), 0);
	while (p < end) {
		assert_true(w.n < 8);
		w.type[w.n] = p[0];
		w.at[w.n] = p;
		w.len[w.n] = u16(p + 2);
		assert_int_equal(p[1], 0);
		p += w.len[w.n++];
	}
	assert_true(p == end);
	assert_int_equal(u16(kd->body.ptr), w.n);
	return w;
}

static size_t
count_of(const struct walk *w, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++)
		n += w->type[i] == type;
	return n;
}

static const uint8_t *
find_packet(const struct walk *w, uint8_t type, size_t *len)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->type[i] == type) {
			*len = w->len[i];
			return w->at[i];
		}
	fail_msg("no such packet");
	return NULL;
}

GK_TEST(rfc6407_5_6_01, key_packets_with_lkh)
{
	struct gdoi_lkh_array *array = calloc(1, sizeof(*array));
	const uint8_t *p;
	struct gk_rd rd;
	struct walk w;
	size_t len;

	GK_SHOWS("RFC6407-5.6-02", "RFC6407-5.6-03", "RFC6407-5.6-05",
	         "RFC6407-5.6.3-02", "RFC6407-5.6.3-03", "RFC6407-5.6.3.1-02",
	         "RFC6407-5.6.3.1-08", "RFC6407-5.6.4-01", "RFC6407-5.6.4.4-01",
	         "RFC6407-5.3.2-03", "RFC6407-3.5-04", "RFC6407-3.4-09",
	         "RFC6407-3.4-10", "RFC6407-6.1-01");
	assert_non_null(array);
	exchange(with_gap, 0);
	w = kd_walk();
	assert_int_equal(count_of(&w, GDOI_KD_TEK), 2);
	assert_int_equal(count_of(&w, GDOI_KD_KEK), 0);
	assert_int_equal(count_of(&w, GDOI_KD_LKH), 1);
	assert_int_equal(count_of(&w, GDOI_KD_SID), 1);
	/* SPIs are those of message 2. */
	p = find_packet(&w, GDOI_KD_LKH, &len);
	assert_int_equal(p[4], 16);
	assert_memory_equal(p + 5, two.sa->sak.spi, 16);
	/* RFC6407-5.6.3.1-02: one download array, Variable. */
	assert_int_equal(attributes(p + 21, p + len, BIT(1) | BIT(2) | BIT(3)) &
	                         (BIT(1) | BIT(2)),
	                 BIT(1));
	gk_rd_init(&rd, four.kd->download.ptr, four.kd->download.len);
	gk_assert_ok(gdoi_lkh_read(&rd, false, array, &why));
	for (uint16_t i = 0; i < array->count; i++) {
		assert_int_equal(array->key[i].type, GDOI_KEK_ALG_AES);
		assert_int_equal(array->key[i].data.len, 16 + 16);
		/* RFC6407-3.4-09: from the leaf to the root, the KEK. */
		if (i != 0)
			assert_true(array->key[i].id < array->key[i - 1].id);
	}
	p = find_packet(&w, GDOI_KD_SID, &len);
	assert_int_equal(p[4], 0);
	assert_int_equal(four.kd->n_sids, 1);
	/* RFC6407-3.5-04 */
	assert_memory_not_equal(
		gdoi_kd_find(four.kd, GDOI_KD_TEK,
	                     (struct gk_slice){ two.sa->sat[0].spi, 4 })
			->algorithm_key.ptr,
		gdoi_kd_find(four.kd, GDOI_KD_TEK,
	                     (struct gk_slice){ two.sa->sat[1].spi, 4 })
			->algorithm_key.ptr,
		16);
	free(array);
	finish();
}

GK_TEST(rfc6407_5_6_2_01, the_kek_packet_without_lkh)
{
	struct walk w;
	const uint8_t *p;
	size_t len;

	GK_SHOWS("RFC6407-5.6.2-02", "RFC6407-5.6.2-03", "RFC6407-5.6.2.1-01",
	         "RFC6407-3.2-13", "RFC6407-3.2-21");
	exchange(no_lkh, 0);
	w = kd_walk();
	assert_int_equal(count_of(&w, GDOI_KD_KEK), 1);
	p = find_packet(&w, GDOI_KD_KEK, &len);
	assert_int_equal(p[4], 16);
	assert_memory_equal(p + 5, two.sa->sak.spi, 16);
	assert_int_equal(attributes(p + 21, p + len, BIT(1) | BIT(2)),
	                 BIT(1) | BIT(2));
	/* KEK_ALGORITHM_KEY: IV and key of AES-128 */
	assert_int_equal(u16(p + 21), 1);
	assert_int_equal(u16(p + 23), 16 + 16);
	finish();
}

GK_TEST(rfc6407_5_7_01, the_seq_of_message_4)
{
	static const uint8_t seq[8] = {
		ISAKMP_PAYLOAD_KD, 0, 0, 8, 0, 0, 0, 0
	};

	GK_SHOWS("RFC6407-5.7-04", "RFC6407-3.2-16", "RFC6407-3.2-18",
	         "RFC6407-3.4-07");
	exchange(with_gap, 0);
	assert_memory_equal(payload(&four, ISAKMP_PAYLOAD_SEQ)->all.ptr, seq,
	                    8);
	finish();
}

static void
substation(struct gw *w, int i)
{
	struct gdoi_sat sat = gw_iec_gcm;

	if (i != 0)
		return;
	sat.iec.auth = GDOI_IEC_AUTH_HMAC_SHA256_128;
	sat.iec.enc = GDOI_IEC_ENC_AES_CBC_128;
	gw_set_data(w, 1, &sat);
}

GK_TEST(rfc8052_2_3_01, the_keys_of_a_substation)
{
	const uint8_t *p;
	struct walk w;
	size_t len;

	GK_SHOWS("RFC8052-2.3-02", "RFC8052-2.3-03", "RFC8052-2.3-07",
	         "RFC8052-3-02");
	exchange(substation, 0);
	assert_int_equal(two.sa->n_sats, 1);
	assert_int_equal(two.sa->sat[0].protocol, GDOI_PROTOCOL_IEC_61850);
	w = kd_walk();
	assert_int_equal(count_of(&w, GDOI_KD_TEK), 1);
	assert_int_equal(count_of(&w, GDOI_KD_SID), 0);
	p = find_packet(&w, GDOI_KD_TEK, &len);
	assert_int_equal(p[4], 4);
	assert_memory_equal(p + 5, two.sa->sat[0].spi, 4);
	/* TEK_ALGORITHM_KEY of AES-128, TEK_INTEGRITY_KEY of HMAC-SHA256 */
	assert_int_equal(attributes(p + 9, p + len, BIT(1) | BIT(2) | BIT(3)),
	                 BIT(1) | BIT(2));
	assert_int_equal(four.kd->packet[w.n - 1].algorithm_key.len, 16);
	assert_int_equal(four.kd->packet[w.n - 1].integrity_key.len, 32);
	finish();
}

/* RFC6407-3.2.1: headers. */
GK_TEST(rfc6407_3_2_05, headers_of_messages_2_and_4)
{
	GK_SHOWS("RFC6407-3.2-04", "RFC6407-3.2.1-01", "RFC6407-3.2.1-02",
	         "RFC6407-3.2.1-03", "RFC6407-3.2.1-04", "RFC6407-2-01",
	         "RFC2408-2.4-04", "RFC2409-B-04", "RFC2409-B-07",
	         "RFC2409-B-10", "RFC2409-5.5-01", "RFC6407-3.2-01",
	         "RFC6407-3.2-10", "RFC6407-5.1-01", "RFC6407-5.1-02",
	         "RFC6407-3.4-02", "RFC6407-3.4-05");
	exchange(with_gap, 0);
	for (int i = 0; i < 2; i++) {
		const uint8_t *p = r.got[i].ptr;

		assert_memory_equal(p, r.sent[0].ptr, 16);
		assert_int_equal(p[16], ISAKMP_PAYLOAD_HASH);
		assert_int_equal(p[17], 0x10);
		assert_int_equal(p[18], 32);
		assert_int_equal(p[19], ISAKMP_FLAG_ENCRYPTION);
		assert_memory_equal(p + 20, "\1\2\3\4", 4);
		assert_int_equal((unsigned)p[26] << 8 | p[27], r.got[i].len);
		assert_int_equal((r.got[i].len - ISAKMP_HEADER_LEN) % 16, 0);
	}
	finish();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_2_01, the_sa_payload_of_message_2),
		GK_RUN(rfc6407_5_3_06, the_sak_of_message_2),
		GK_RUN(rfc6407_5_5_1_01, the_sats_of_message_2),
		GK_RUN(rfc6407_5_6_01, key_packets_with_lkh),
		GK_RUN(rfc6407_5_6_2_01, the_kek_packet_without_lkh),
		GK_RUN(rfc6407_5_7_01, the_seq_of_message_4),
		GK_RUN(rfc8052_2_3_01, the_keys_of_a_substation),
		GK_RUN(rfc6407_3_2_05, headers_of_messages_2_and_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
