/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_PULL_H
#define GDOI_TESTS_PULL_H

#include "gdoi/tests/five.h"

#include <stdlib.h>

#include "gdoi/message/pull.h"

#define SOME __attribute__((unused))

/*
 * The four messages of a GROUPKEY-PULL, built on one side for the other, whole or
 * payload by payload.
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

static SOME void
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
static SOME void
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

static SOME struct gdoi_pull_content
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

static SOME struct gdoi_pull *
sender(unsigned message)
{
	return &side[(message + 1) % 2];
}

static SOME struct gdoi_pull *
receiver(unsigned message)
{
	return &side[message % 2];
}

/* The exchange so far, up to and without @message. */
static SOME void
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

/* ---- payloads by hand --------------------------------------------------- */

struct part {
	uint8_t type;
	struct gk_slice body;
};

static SOME struct part
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

static SOME size_t
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
static SOME size_t
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

static SOME enum gk_err
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
	/* A payload of no known type, or one that is part of an SA, ends the
	 * chain before the HASH is seen. */
	assert_true(got.authentic || strcmp(why.req, "RFC2408-5.3-02") == 0 ||
	            strcmp(why.req, "RFC2408-3.4-01") == 0);
	if (err == GK_OK)
		gdoi_pull_message_free(&got);
	else
		assert_true(got.clear.ptr == NULL && why.req != NULL &&
		            why.field != NULL);
	gk_buf_free(&out);
	return err;
}

#endif /* GDOI_TESTS_PULL_H */
