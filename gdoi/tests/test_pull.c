/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include <stdlib.h>

#include "gdoi/message/pull.h"

/*
 * The four messages of a GROUPKEY-PULL: built on one side, parsed on the other;
 * missing, doubled, foreign and reordered payloads, by the table.
 */
static const uint8_t key[16] = { 7, 7, 7 }, skeyid_a[32] = { 1, 2, 3 };
static const uint8_t nonce[2][32] = { { 0xa1, 1 }, { 0xb2, 2 } };
static const uint8_t group[8] = { ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 4, 210 };
static struct gdoi_dialect dialect;
static struct gdoi_pull side[2]; /* the member's, the key server's */
static struct gdoi_pull_message got;
static struct gdoi_sa sa;
static struct gdoi_kd kd;
static const struct gdoi_seq seq = { 41 };
static const struct gdoi_gap gap = { .has_request = true, .request = 3 };

static void
begin(void)
{
	const struct isakmp_header h = { .cookie_i = { 1 },
		                         .cookie_r = { 2 },
		                         .version = ISAKMP_VERSION,
		                         .exchange =
		                                 ISAKMP_EXCHANGE_GROUPKEY_PULL,
		                         .message_id = 0x01020304 };
	const struct isakmp_cbc cbc = { .cipher = GK_CIPHER_AES_CBC_128,
		                        .key = { key, sizeof(key) },
		                        .iv = { 9 } };

	dialect = (struct gdoi_dialect){ 0 };
	for (int i = 0; i < 2; i++)
		gdoi_pull_begin(
			&side[i], &dialect, &h, &cbc, GK_HASH_SHA256,
			(struct gk_slice){ skeyid_a, sizeof(skeyid_a) });
}

/* One Rekey SA and one Data-Security SA, and their keys. */
static void
policy(bool rekey)
{
	static const uint8_t mc[4] = { 239, 1, 1, 1 }, src[4] = { 10, 0, 0, 2 };
	static const uint8_t octets[64] = { 5 };
	struct gdoi_sat_ipsec *esp = &sa.sat[0].ipsec;

	sa = (struct gdoi_sa){ .has_sak = rekey, .n_sats = 1 };
	sa.sak = (struct gdoi_sak){
		.ep = { .src = { ISAKMP_ID_IPV4_ADDR, 848, { src, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 848, { mc, 4 } } },
		.spi = { 3, 3, 3 },
		.algorithm = GDOI_KEK_ALG_AES,
		.key_length = 128,
		.lifetime = 3600,
		.sig_hash = GDOI_SIG_HASH_SHA256,
		.sig_algorithm = GDOI_SIG_ALG_RSA,
		.sig_key_length = 2048,
	};
	sa.sat[0] = (struct gdoi_sat){ .protocol = GDOI_PROTOCOL_ESP,
		                       .spi = { 0, 0, 1, 1 } };
	*esp = (struct gdoi_sat_ipsec){
		.ep = { .src = { ISAKMP_ID_IPV4_ADDR, 0, { src, 4 } },
		        .dst = { ISAKMP_ID_IPV4_ADDR, 0, { mc, 4 } } },
		.transform = 12,
		.life_s = 3600,
		.encapsulation = 1,
		.authentication = 5,
		.key_length = 128,
	};
	kd = (struct gdoi_kd){ .n_packets = rekey ? 2 : 1 };
	kd.packet[0] = (struct gdoi_kd_packet){
		.type = GDOI_KD_TEK,
		.spi = { sa.sat[0].spi, 4 },
		.algorithm_key = { octets, 16 },
		.integrity_key = { octets, 32 },
	};
	kd.packet[1] = (struct gdoi_kd_packet){
		.type = GDOI_KD_KEK,
		.spi = { sa.sak.spi, 16 },
		.algorithm_key = { octets, 32 },
		.sig_key = { octets, 64 },
	};
}

static struct gdoi_pull_content
content(unsigned message)
{
	switch (message) {
	case 1:
		return (struct gdoi_pull_content){ .nonce = { nonce[0], 32 },
			                           .id = { group, 8 } };
	case 2:
		return (struct gdoi_pull_content){ .nonce = { nonce[1], 32 },
			                           .sa = &sa };
	case 3:
		return (struct gdoi_pull_content){ .gap = &gap };
	default:
		return (struct gdoi_pull_content){ .seq = sa.has_sak ? &seq
			                                             : NULL,
			                           .kd = &kd };
	}
}

static struct gdoi_pull *
sender(unsigned message)
{
	return &side[(message + 1) % 2];
}

static struct gdoi_pull *
receiver(unsigned message)
{
	return &side[message % 2];
}

/* The exchange so far, up to and without @message. */
static void
up_to(unsigned message, bool rekey)
{
	begin();
	policy(rekey);
	for (unsigned i = 1; i < message; i++) {
		struct gdoi_pull_content c = content(i);
		struct gk_buf out;

		gk_assert_ok(gdoi_pull_build(sender(i), i, &c, &out));
		gk_assert_ok(gdoi_pull_open(receiver(i), i, gk_buf_slice(&out),
		                            &got, &why));
		gdoi_pull_take(receiver(i), &got);
		gdoi_pull_message_free(&got);
		gk_buf_free(&out);
	}
}

GK_TEST(rfc6407_3_2_03, four_messages_say_what_was_put_into_them)
{
	struct gk_buf out;
	struct gdoi_pull_content c;

	for (unsigned i = 1; i <= 4; i++) {
		up_to(i, true);
		c = content(i);
		gk_assert_ok(gdoi_pull_build(sender(i), i, &c, &out));
		assert_int_equal(out.ptr[18], 32);
		assert_int_equal(out.ptr[19], ISAKMP_FLAG_ENCRYPTION);
		assert_int_equal(out.ptr[20], 1);
		gk_assert_ok(gdoi_pull_open(receiver(i), i, gk_buf_slice(&out),
		                            &got, &why));
		assert_true(gk_slice_equal(got.nonce, c.nonce));
		assert_true(gk_slice_equal(got.id_body, c.id));
		assert_int_equal(got.has_gap, c.gap != NULL);
		assert_int_equal(got.has_seq, c.seq != NULL);
		if (i == 1)
			assert_int_equal(got.id.type, ISAKMP_ID_KEY_ID);
		if (i == 2)
			assert_memory_equal(got.sa->sak.spi, sa.sak.spi, 16);
		if (i == 3)
			assert_int_equal(got.gap.request, 3);
		if (i == 4) {
			assert_int_equal(got.seq.number, 41);
			assert_int_equal(got.kd->n_packets, 2);
		}
		gdoi_pull_take(receiver(i), &got);
		assert_memory_equal(side[0].cbc.iv, side[1].cbc.iv, 16);
		gdoi_pull_message_free(&got);
		gk_buf_free(&out);
	}
}

GK_TEST(rfc6407_5_4_04, message_3_without_a_gap_is_hash_alone)
{
	const struct gdoi_pull_content none = { 0 };
	struct gk_buf out;

	up_to(3, true);
	gk_assert_ok(gdoi_pull_build(sender(3), 3, &none, &out));
	/* 36 octets of HASH payload in 48 */
	assert_int_equal(out.len, ISAKMP_HEADER_LEN + 48);
	gk_assert_ok(
		gdoi_pull_open(receiver(3), 3, gk_buf_slice(&out), &got, &why));
	assert_false(got.has_gap);
	assert_int_equal(got.chain.n, 1);
	gdoi_pull_message_free(&got);
	gk_buf_free(&out);
}

/* ---- payloads by hand --------------------------------------------------- */

struct part {
	uint8_t type;
	struct gk_slice body;
};

static struct part
part_of(const struct gdoi_pull_content *c, uint8_t type, uint8_t *buf,
        size_t cap)
{
	struct gk_wr wr;

	gk_wr_init(&wr, buf, cap);
	switch (type) {
	case ISAKMP_PAYLOAD_NONCE:
		return (struct part){ type, c->nonce };
	case ISAKMP_PAYLOAD_ID:
		return (struct part){ type, c->id };
	case ISAKMP_PAYLOAD_SA:
		gdoi_sa_encode(&wr, &dialect, c->sa);
		break;
	case ISAKMP_PAYLOAD_GAP:
		gdoi_gap_encode(&wr, c->gap);
		break;
	case ISAKMP_PAYLOAD_SEQ:
		gdoi_seq_encode(&wr, c->seq);
		break;
	case ISAKMP_PAYLOAD_KD:
		gdoi_kd_encode(&wr, &dialect, c->kd);
		break;
	default:
		gk_wr_bytes(&wr, gk_slice_str("something"));
		break;
	}
	gk_assert_ok(gk_wr_done(&wr));
	return (struct part){ type, { buf, wr.len } };
}

static size_t
parts_write(const struct part *part, size_t n, uint8_t *buf, size_t cap)
{
	struct gk_wr wr;

	gk_wr_init(&wr, buf, cap);
	for (size_t i = 0; i < n; i++) {
		struct gk_wr_hole hole = isakmp_generic_begin(
			&wr, i + 1 < n ? part[i + 1].type : 0);

		gk_wr_bytes(&wr, part[i].body);
		gk_wr_close(&wr, hole);
	}
	gk_assert_ok(gk_wr_done(&wr));
	return wr.len;
}

/* Parts of a right message, behind HASH. */
static size_t
right_parts(unsigned message, const struct gdoi_pull_content *c,
            struct part part[8], uint8_t (*room)[2048])
{
	const struct gdoi_pull_form *form = gdoi_pull_form(message);
	size_t n = 0;

	for (size_t i = 1; i < form->n_rules; i++, n++)
		part[n] = part_of(c, (uint8_t)form->rules[i].payload, room[n],
		                  sizeof(room[n]));
	return n;
}

static enum gk_err
judge(unsigned message, const struct part *part, size_t n)
{
	static uint8_t octets[8192];
	size_t len = parts_write(part, n, octets, sizeof(octets));
	struct gdoi_pull before = *receiver(message);
	struct gk_buf out;
	enum gk_err err;

	gk_assert_ok(gdoi_pull_seal(sender(message), n != 0 ? part[0].type : 0,
	                            (struct gk_slice){ octets, len }, &out));
	err = gdoi_pull_open(receiver(message), message, gk_buf_slice(&out),
	                     &got, &why);
	assert_memory_equal(&before, receiver(message), sizeof(before));
	/* A payload of no known type ends the chain before the HASH is seen. */
	assert_true(got.authentic || strcmp(why.req, "RFC2408-5.3-02") == 0);
	if (err == GK_OK)
		gdoi_pull_message_free(&got);
	else
		assert_true(got.clear.ptr == NULL && why.req != NULL &&
		            why.field != NULL);
	gk_buf_free(&out);
	return err;
}

GK_TEST(rfc6407_3_2_11, each_payload_that_the_table_wants_is_missed)
{
	static uint8_t room[8][2048];
	struct part part[8], less[8];

	for (unsigned m = 1; m <= 4; m++) {
		const struct gdoi_pull_form *form = gdoi_pull_form(m);

		up_to(m, true);
		struct gdoi_pull_content c = content(m);
		size_t n = right_parts(m, &c, part, room);

		for (size_t skip = 0; skip < n; skip++) {
			const struct gdoi_pull_rule *r = &form->rules[skip + 1];
			size_t k = 0;

			for (size_t i = 0; i < n; i++)
				if (i != skip)
					less[k++] = part[i];
			up_to(m, true);
			if (r->min == 0 && m == 3) {
				gk_assert_ok(judge(m, less, k));
				continue;
			}
			assert_true(judge(m, less, k) != GK_OK);
			assert_string_equal(why.req, r->min == 0
			                                     ? "RFC6407-5.7-04"
			                                     : r->req);
		}
	}
}

GK_TEST(rfc6407_3_2_12, a_second_payload_of_a_kind_is_refused)
{
	static uint8_t room[8][2048];
	struct part part[9];

	for (unsigned m = 1; m <= 4; m++) {
		const struct gdoi_pull_form *form = gdoi_pull_form(m);
		size_t n = form->n_rules - 1;

		for (size_t twice = 0; twice < n; twice++) {
			up_to(m, true);
			struct gdoi_pull_content c = content(m);

			right_parts(m, &c, part, room);
			memmove(&part[twice + 1], &part[twice],
			        (n - twice) * sizeof(part[0]));
			assert_true(judge(m, part, n + 1) != GK_OK);
			assert_string_equal(why.req,
			                    form->rules[twice + 1].req);
		}
	}
}

GK_TEST(rfc6407_3_2_03, another_order_is_refused)
{
	static uint8_t room[8][2048];
	struct part part[8], t;

	for (unsigned m = 1; m <= 4; m++) {
		if (m == 3)
			continue;
		up_to(m, true);
		struct gdoi_pull_content c = content(m);

		assert_int_equal(right_parts(m, &c, part, room), 2);
		t = part[0];
		part[0] = part[1];
		part[1] = t;
		assert_true(judge(m, part, 2) != GK_OK);
		assert_string_equal(why.req, "RFC6407-3.2-03");
	}
}

/* Every other payload type, in every place behind HASH. */
GK_TEST(rfc6407_3_2_03, a_foreign_payload_is_refused_and_a_vendor_id_is_not)
{
	static uint8_t room[8][2048], extra[64];
	struct part part[9];

	GK_SHOWS("RFC2408-3.16-03");
	/* SAK, GAP and SAT behind SA: not in it. */
	GK_BREAKS("RFC6407-5.2-02", "RFC6407-5.2-03");
	for (unsigned m = 1; m <= 4; m++)
		for (uint8_t type = 1; type < 32; type++) {
			const struct gdoi_pull_form *form = gdoi_pull_form(m);
			bool own = false;

			for (size_t i = 0; i < form->n_rules; i++)
				own |= form->rules[i].payload == type;
			if (own)
				continue;
			for (size_t at = 0; at < form->n_rules; at++) {
				up_to(m, true);
				struct gdoi_pull_content c = content(m);
				size_t n = right_parts(m, &c, part, room);

				memmove(&part[at + 1], &part[at],
				        (n - at) * sizeof(part[0]));
				part[at] = (struct part){
					type, { extra, sizeof(extra) }
				};
				enum gk_err err = judge(m, part, n + 1);

				if (type == ISAKMP_PAYLOAD_VENDOR_ID) {
					gk_assert_ok(err);
					continue;
				}
				assert_true(err != GK_OK);
				assert_int_equal(
					why.notify,
					ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE);
			}
		}
}

GK_TEST(rfc6407_5_8_01, nonces_have_8_to_128_octets)
{
	static const uint8_t octets[200] = { 1 };
	static uint8_t room[8][2048];
	struct part part[8];
	const struct {
		size_t len;
		bool ok;
	} row[] = { { 0, false },  { 7, false },   { 8, true },
		    { 128, true }, { 129, false }, { 200, false } };

	for (size_t i = 0; i < GK_COUNT(row); i++)
		for (unsigned m = 1; m <= 2; m++) {
			up_to(m, true);
			struct gdoi_pull_content c = content(m);

			right_parts(m, &c, part, room);
			part[0].body = (struct gk_slice){ octets, row[i].len };
			if (row[i].ok) {
				gk_assert_ok(judge(m, part, 2));
				continue;
			}
			assert_true(judge(m, part, 2) != GK_OK);
			assert_string_equal(why.req, "RFC6407-5.8-01");
			assert_string_equal(why.field, "Nonce Data");
		}
}

GK_TEST(rfc6407_5_8_01, nor_is_such_a_nonce_ever_sent)
{
	static const uint8_t octets[200] = { 1 };
	struct gdoi_pull_content c;
	struct gk_buf out;

	begin();
	c = content(1);
	c.nonce = (struct gk_slice){ octets, 7 };
	assert_int_equal(gdoi_pull_build(&side[0], 1, &c, &out),
	                 GK_ERR_UNEXPECTED);
	c.nonce.len = 129;
	assert_int_equal(gdoi_pull_build(&side[0], 1, &c, &out),
	                 GK_ERR_UNEXPECTED);
}

/* The octet behind each Next Payload. */
GK_TEST(rfc2408_5_3_03, what_is_reserved_and_not_zero_is_refused)
{
	static uint8_t room[8][2048], octets[8192];
	struct part part[8];

	GK_BREAKS("RFC2408-5.3-03", "RFC2408-2.5.2-01", "RFC6407-5.2-04");
	for (unsigned m = 1; m <= 4; m++)
		for (size_t k = 0; k < gdoi_pull_form(m)->n_rules - 1; k++) {
			struct gdoi_pull_content c;
			struct gk_buf out;
			size_t n, at = 0, len;

			up_to(m, true);
			c = content(m);
			n = right_parts(m, &c, part, room);
			len = parts_write(part, n, octets, sizeof(octets));
			for (size_t i = 0; i < k; i++)
				at += ISAKMP_GENERIC_LEN + part[i].body.len;
			octets[at + 1] = 1;
			gk_assert_ok(gdoi_pull_seal(
				sender(m), part[0].type,
				(struct gk_slice){ octets, len }, &out));
			assert_int_equal(gdoi_pull_open(receiver(m), m,
			                                gk_buf_slice(&out),
			                                &got, &why),
			                 GK_ERR_RESERVED);
			assert_string_equal(why.req, "RFC2408-5.3-03");
			gk_buf_free(&out);
		}
}

/* ---- SEQ ---------------------------------------------------------------- */

GK_TEST(rfc6407_3_2_15, seq_goes_with_a_rekey_sa)
{
	static uint8_t room[8][2048];
	struct part part[8];
	struct gdoi_pull_content c;

	up_to(4, false);
	c = content(4);
	c.seq = &seq;
	right_parts(4, &c, part, room);
	assert_true(judge(4, part, 2) != GK_OK);
	assert_string_equal(why.req, "RFC6407-3.2-15");
	up_to(4, false);
	gk_assert_ok(judge(4, &part[1], 1));
}

GK_TEST(rfc6407_5_7_04, a_rekey_sa_wants_a_seq_unless_the_dialect_says_no)
{
	static uint8_t room[8][2048];
	struct part part[8];
	struct gdoi_pull_content c;

	up_to(4, true);
	c = content(4);
	right_parts(4, &c, part, room);
	assert_true(judge(4, &part[1], 1) != GK_OK);
	assert_string_equal(why.req, "RFC6407-5.7-04");
	up_to(4, true);
	gk_assert_ok(gdoi_dialect_set(&dialect, "pull_seq_required", "no"));
	gk_assert_ok(judge(4, &part[1], 1));
}

GK_TEST(rfc6407_5_7_01, seq_has_four_octets)
{
	static uint8_t room[8][2048];
	static const uint8_t octets[8];
	struct part part[8];
	struct gdoi_pull_content c;

	for (size_t len = 0; len <= 8; len++) {
		up_to(4, true);
		c = content(4);
		right_parts(4, &c, part, room);
		part[0].body = (struct gk_slice){ octets, len };
		if (len == 4) {
			gk_assert_ok(judge(4, part, 2));
			continue;
		}
		assert_true(judge(4, part, 2) != GK_OK);
		assert_string_equal(why.req, "RFC6407-5.7-01");
	}
}

/* ---- header, HASH, cipher ----------------------------------------------- */

static struct gk_buf
message(unsigned m)
{
	struct gdoi_pull_content c;
	struct gk_buf out;

	up_to(m, true);
	c = content(m);
	gk_assert_ok(gdoi_pull_build(sender(m), m, &c, &out));
	return out;
}

GK_TEST(rfc6407_3_2_05, header_fields_that_are_of_another_exchange)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *req;
	} row[] = {
		{ 0, 9, "RFC6407-7.2.4-01" },
		{ 8, 9, "RFC6407-7.2.4-01" },
		{ 16, ISAKMP_PAYLOAD_NONCE, NULL },
		{ 16, 200, "RFC2408-5.2-03" },
		{ 17, 0x20, "RFC2408-5.2-04" },
		{ 17, 0x11, "RFC2408-5.2-04" },
		{ 18, 33, "RFC6407-3.2.1-03" },
		{ 18, 31, "RFC2408-5.2-05" },
		{ 19, 0, "RFC6407-2-01" },
		{ 19, ISAKMP_FLAG_COMMIT, "RFC6407-2-01" },
		{ 19, 0x11, "RFC2408-5.2-06" },
		{ 23, 9, "RFC6407-3.2-05" },
		{ 27, 1, "RFC2408-5.1-02" },
	};

	for (unsigned m = 1; m <= 4; m++)
		for (size_t i = 0; i < GK_COUNT(row); i++) {
			struct gk_buf out = message(m);

			out.ptr[row[i].at] = row[i].value;
			assert_true(gdoi_pull_open(receiver(m), m,
			                           gk_buf_slice(&out), &got,
			                           &why) != GK_OK);
			assert_string_equal(why.req,
			                    row[i].req != NULL
			                            ? row[i].req
			                            : gdoi_pull_form(m)->hash);
			gk_buf_free(&out);
		}
}

GK_TEST(rfc6407_3_2_05, message_id_0_is_that_of_phase_1)
{
	struct gdoi_pull_content c;
	struct gk_buf out;

	begin();
	c = content(1);
	side[0].header.message_id = side[1].header.message_id = 0;
	gk_assert_ok(gdoi_pull_build(&side[0], 1, &c, &out));
	assert_true(gdoi_pull_open(&side[1], 1, gk_buf_slice(&out), &got,
	                           &why) != GK_OK);
	assert_refused(GK_ERR_UNEXPECTED, "RFC6407-3.2-05",
	               ISAKMP_NOTIFY_INVALID_MESSAGE_ID, 20);
	gk_buf_free(&out);
}

GK_TEST(rfc6407_3_2_1_04, the_commit_flag_says_nothing)
{
	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out = message(m);

		out.ptr[19] |= ISAKMP_FLAG_COMMIT;
		gk_assert_ok(gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
		                            &got, &why));
		gdoi_pull_message_free(&got);
		gk_buf_free(&out);
	}
}

/* A flipped bit anywhere in the ciphertext, and every length. */
GK_TEST(rfc6407_3_2_06, nothing_changed_or_cut_passes)
{
	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out = message(m);
		size_t end = out.len;

		for (size_t i = ISAKMP_HEADER_LEN; i < end; i++) {
			enum gk_err err;

			out.ptr[i] ^= 1;
			err = gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
			                     &got, &why);
			/* Padding of the last block is nobody's. */
			if (err == GK_OK) {
				assert_true(i >= end - 16 &&
				            got.chain.end < end);
				gdoi_pull_message_free(&got);
			} else {
				assert_non_null(why.req);
			}
			out.ptr[i] ^= 1;
		}
		for (size_t len = 0; len < end; len++) {
			struct gk_buf cut = { 0 };

			gk_assert_ok(gk_buf_copy(
				&cut, (struct gk_slice){ out.ptr, len }));
			if (len >= ISAKMP_HEADER_LEN)
				isakmp_header_set_length(cut.ptr,
				                         (uint32_t)len);
			assert_true(gdoi_pull_open(receiver(m), m,
			                           gk_buf_slice(&cut), &got,
			                           &why) != GK_OK);
			assert_non_null(why.req);
			gk_buf_free(&cut);
		}
		gk_buf_free(&out);
	}
}

/* HASH(2) to HASH(4) cover nonces that are not in the message: each in turn is
 * another one at the receiver. */
GK_TEST(rfc6407_3_2_07, the_nonces_of_before_are_under_the_hash)
{
	for (unsigned m = 2; m <= 4; m++)
		for (unsigned which = 0; which < 2; which++) {
			struct gk_buf out = message(m);
			struct gdoi_pull *r = receiver(m);

			if (which == 0)
				r->ni[0] ^= 1;
			else
				r->nr[0] ^= 1;
			if (m == 2 && which == 1) { /* comes with it */
				gk_assert_ok(gdoi_pull_open(
					r, m, gk_buf_slice(&out), &got, &why));
				gdoi_pull_message_free(&got);
			} else {
				assert_true(gdoi_pull_open(
						    r, m, gk_buf_slice(&out),
						    &got, &why) == GK_ERR_AUTH);
				assert_string_equal(why.req,
				                    gdoi_pull_form(m)->hash);
				assert_int_equal(
					why.notify,
					ISAKMP_NOTIFY_INVALID_HASH_INFORMATION);
			}
			gk_buf_free(&out);
		}
}

/* What is wrong under a wrong HASH is not even looked at. */
GK_TEST(rfc6407_7_2_5_03, the_hash_comes_first)
{
	static const uint8_t garbage[40] = { 0, 0, 0, 40, 1 };

	for (unsigned m = 1; m <= 4; m++) {
		struct gk_buf out;
		uint8_t other[32] = { 4 };

		up_to(m, true);
		sender(m)->skeyid_a = (struct gk_slice){ other, sizeof(other) };
		gk_assert_ok(gdoi_pull_seal(
			sender(m), ISAKMP_PAYLOAD_KE,
			(struct gk_slice){ garbage, sizeof(garbage) }, &out));
		assert_true(gdoi_pull_open(receiver(m), m, gk_buf_slice(&out),
		                           &got, &why) == GK_ERR_AUTH);
		assert_false(got.authentic);
		assert_string_equal(why.req, gdoi_pull_form(m)->hash);
		gk_buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_3_2_03,
		       four_messages_say_what_was_put_into_them),
		GK_RUN(rfc6407_5_4_04, message_3_without_a_gap_is_hash_alone),
		GK_RUN(rfc6407_3_2_11,
		       each_payload_that_the_table_wants_is_missed),
		GK_RUN(rfc6407_3_2_12, a_second_payload_of_a_kind_is_refused),
		GK_RUN(rfc6407_3_2_03, another_order_is_refused),
		GK_RUN(rfc6407_3_2_03,
		       a_foreign_payload_is_refused_and_a_vendor_id_is_not),
		GK_RUN(rfc6407_5_8_01, nonces_have_8_to_128_octets),
		GK_RUN(rfc6407_5_8_01, nor_is_such_a_nonce_ever_sent),
		GK_RUN(rfc2408_5_3_03,
		       what_is_reserved_and_not_zero_is_refused),
		GK_RUN(rfc6407_3_2_15, seq_goes_with_a_rekey_sa),
		GK_RUN(rfc6407_5_7_04,
		       a_rekey_sa_wants_a_seq_unless_the_dialect_says_no),
		GK_RUN(rfc6407_5_7_01, seq_has_four_octets),
		GK_RUN(rfc6407_3_2_05,
		       header_fields_that_are_of_another_exchange),
		GK_RUN(rfc6407_3_2_05, message_id_0_is_that_of_phase_1),
		GK_RUN(rfc6407_3_2_1_04, the_commit_flag_says_nothing),
		GK_RUN(rfc6407_3_2_06, nothing_changed_or_cut_passes),
		GK_RUN(rfc6407_3_2_07, the_nonces_of_before_are_under_the_hash),
		GK_RUN(rfc6407_7_2_5_03, the_hash_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
