/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/recorded.h"

#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/isakmp/identification.h"
#include "gdoi/isakmp/notification.h"
#include "gdoi/isakmp/proposal.h"
#include "gdoi/payload/group_id.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/seq.h"

/*
 * The recorded sessions of another implementation: every message decodes under
 * the preset "gdoid" and encodes again octet for octet; the default dialect
 * refuses what deviates, and says why.
 */
/* A message in clear: the header as sent, the plaintext behind it. */
struct clear {
	struct gk_buf octets;
	struct isakmp_header header;
	struct isakmp_chain chain;
	size_t padding;
	const char *kind;
};

static void
clear_read(const json_t *m, struct clear *c)
{
	struct gk_buf plain = hex(m, "plaintext");
	struct gk_rd rd;

	c->kind = json_string_value(json_object_get(m, "kind"));
	c->octets = hex(m, "message");
	gk_rd_init(&rd, c->octets.ptr, c->octets.len);
	gk_assert_ok(isakmp_header_decode(&rd, &c->header));
	gk_assert_ok(isakmp_header_check(&c->header, c->octets.len, &why));
	assert_int_equal((c->header.flags & ISAKMP_FLAG_ENCRYPTION) != 0,
	                 plain.len != 0);
	if (plain.len != 0) {
		assert_int_equal(c->octets.len, ISAKMP_HEADER_LEN + plain.len);
		memcpy(c->octets.ptr + ISAKMP_HEADER_LEN, plain.ptr, plain.len);
	}
	gk_buf_free(&plain);
	gk_assert_ok(isakmp_chain_read(&rd, c->header.next_payload, &c->chain,
	                               &why));
	c->padding = gk_rd_left(&rd);
}

/* The payload names of the vector, against the chain. */
static void
names_check(const json_t *m, const struct clear *c)
{
	const json_t *names = json_object_get(m, "payloads");
	size_t n = 0;

	/* SAK, GAP and SAT are inside the SA. */
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (n < c->chain.n &&
		    strcmp(name, isakmp_code_text(ISAKMP_TABLE_PAYLOAD,
		                                  c->chain.item[n].type)) == 0)
			n++;
	}
	assert_int_equal(n, c->chain.n);
	assert_int_equal(c->padding, json_integer_value(json_object_get(
					     m, "padding_octets")));
}

static struct isakmp_proposal proposal;
static struct gdoi_sa sa;
static struct gdoi_kd kd;

static bool
is_gdoi(const struct clear *c)
{
	return c->header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL ||
	       c->header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PUSH;
}

static enum gk_err
sa_both_ways(const struct clear *c, const struct gdoi_dialect *dialect,
             struct gk_rd *rd, struct gk_wr *wr)
{
	bool pull = c->header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL;

	if (!is_gdoi(c)) {
		GK_TRY(isakmp_proposal_read(rd, &proposal, &why));
		isakmp_proposal_encode(wr, &proposal);
		return GK_OK;
	}
	GK_TRY(gdoi_sa_read(rd, dialect, pull, &sa, &why));
	gdoi_sa_encode(wr, dialect, &sa);
	return GK_OK;
}

static enum gk_err
id_both_ways(const struct clear *c, const struct gdoi_dialect *dialect,
             struct gk_rd *rd, struct gk_wr *wr)
{
	struct isakmp_identification id;
	struct gdoi_group_id group;

	GK_TRY(isakmp_identification_decode(rd, &id));
	if (!is_gdoi(c)) {
		isakmp_identification_encode(wr, &id);
		return GK_OK;
	}
	GK_TRY(gdoi_group_id_read(&id, dialect, &group, &why));
	gdoi_group_id_encode(wr, dialect, &group);
	return GK_OK;
}

static enum gk_err
small_both_ways(uint8_t type, struct gk_rd *rd, struct gk_wr *wr)
{
	struct isakmp_notification n;
	struct isakmp_delete d;
	struct gdoi_seq seq;
	struct gdoi_gap gap;

	switch (type) {
	case ISAKMP_PAYLOAD_NOTIFICATION:
		GK_TRY(isakmp_notification_decode(rd, &n));
		isakmp_notification_encode(wr, &n);
		return GK_OK;
	case ISAKMP_PAYLOAD_DELETE:
		GK_TRY(isakmp_delete_decode(rd, &d));
		isakmp_delete_encode(wr, &d);
		return GK_OK;
	case ISAKMP_PAYLOAD_SEQ:
		GK_TRY(gdoi_seq_decode(rd, &seq));
		gdoi_seq_encode(wr, &seq);
		return GK_OK;
	case ISAKMP_PAYLOAD_GAP:
		GK_TRY(gdoi_gap_read(rd, &gap, &why));
		gdoi_gap_encode(wr, &gap);
		return GK_OK;
	default: /* KE, NONCE, HASH, SIG: octets */
		gk_wr_bytes(wr, gk_rd_rest(rd));
		return GK_OK;
	}
}

static enum gk_err
body_both_ways(const struct clear *c, const struct gdoi_dialect *dialect,
               const struct isakmp_chain_item *item, struct gk_wr *wr)
{
	struct gk_rd rd = isakmp_chain_body(gk_buf_slice(&c->octets), item);

	switch (item->type) {
	case ISAKMP_PAYLOAD_SA:
		return sa_both_ways(c, dialect, &rd, wr);
	case ISAKMP_PAYLOAD_ID:
		return id_both_ways(c, dialect, &rd, wr);
	case ISAKMP_PAYLOAD_KD:
		GK_TRY(gdoi_kd_read(&rd, dialect,
		                    c->header.exchange ==
		                            ISAKMP_EXCHANGE_GROUPKEY_PUSH,
		                    &kd, &why));
		gdoi_kd_encode(wr, dialect, &kd);
		return GK_OK;
	default:
		return small_both_ways(item->type, &rd, wr);
	}
}

/* The other implementation puts the attributes of an SAK and an SAT into another
 * order than we do, and sends zeros that mean nothing; what it says is the same
 * when both decode to the same. */
static bool
order_is_free(const struct clear *c, uint8_t type)
{
	return type == ISAKMP_PAYLOAD_SA && is_gdoi(c);
}

static void
message_check(const struct clear *c, const struct gdoi_dialect *dialect)
{
	static struct gdoi_sa first;
	uint8_t out[4096];

	for (size_t i = 0; i < c->chain.n; i++) {
		const struct isakmp_chain_item *item = &c->chain.item[i];
		struct gk_wr wr;

		gk_wr_init(&wr, out, sizeof(out));
		gk_assert_ok(body_both_ways(c, dialect, item, &wr));
		gk_assert_ok(gk_wr_done(&wr));
		if (!order_is_free(c, item->type)) {
			assert_int_equal(wr.len, item->generic.body.len);
			assert_memory_equal(out, item->generic.body.ptr,
			                    wr.len);
			continue;
		}
		struct gk_rd rd;

		first = sa;
		gk_rd_init(&rd, out, wr.len);
		gk_assert_ok(gdoi_sa_read(&rd, dialect, true, &sa, &why));
		assert_int_equal(sa.n_sats, first.n_sats);
		assert_int_equal(sa.has_sak, first.has_sak);
		assert_memory_equal(sa.sak.spi, first.sak.spi,
		                    sizeof(sa.sak.spi));
		assert_int_equal(sa.sak.lifetime, first.sak.lifetime);
		assert_int_equal(sa.sak.sig_key_length,
		                 first.sak.sig_key_length);
		for (uint16_t n = 0; n < sa.n_sats; n++)
			assert_int_equal(sa.sat[n].ipsec.life_s,
			                 first.sat[n].ipsec.life_s);
	}
}

static void
for_each(void (*see)(const json_t *session, const json_t *message,
                     const struct clear *c))
{
	for (size_t s = 0; s < GK_COUNT(sessions); s++) {
		json_t *session = session_load(sessions[s]);
		const json_t *all = json_object_get(session, "messages");

		assert_true(json_array_size(all) >= 10);
		for (size_t i = 0; i < json_array_size(all); i++) {
			const json_t *m = json_array_get(all, i);
			struct clear c;

			clear_read(m, &c);
			see(session, m, &c);
			gk_buf_free(&c.octets);
		}
		json_decref(session);
	}
}

static void
see_whole(const json_t *session, const json_t *m, const struct clear *c)
{
	struct gdoi_dialect dialect;

	gk_assert_ok(gdoi_dialect_preset(
		&dialect,
		json_string_value(json_object_get(session, "dialect"))));
	names_check(m, c);
	message_check(c, &dialect);
}

GK_TEST(rfc6407_5_01, recorded_messages_decode_and_encode_again)
{
	for_each(see_whole);
}

/* What the group id of the vector is under each reading. */
static void
see_group(const json_t *session, const json_t *m, const struct clear *c)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(&c->chain, ISAKMP_PAYLOAD_ID);
	struct isakmp_identification id;
	struct gdoi_dialect dialect;
	struct gdoi_group_id group;
	struct gk_rd rd;

	(void)m;
	if (item == NULL || !is_gdoi(c))
		return;
	rd = isakmp_chain_body(gk_buf_slice(&c->octets), item);
	gk_assert_ok(isakmp_identification_decode(&rd, &id));
	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	gk_assert_ok(gdoi_group_id_read(&id, &dialect, &group, &why));
	assert_int_equal(group.number, json_integer_value(json_object_get(
					       session, "group_id")));
	gk_assert_ok(gdoi_group_id_read(&id, &defaults, &group, &why));
	assert_int_not_equal(group.number, json_integer_value(json_object_get(
						   session, "group_id")));
}

GK_TEST(rfc6407_5_1_03, the_group_id_is_little_endian_there)
{
	for_each(see_group);
}

static unsigned strict_refused;

/* Each SA of GDOI there deviates: two more octets in the SAK, or an attribute
 * that says nothing. */
static void
see_strict(const json_t *session, const json_t *m, const struct clear *c)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(&c->chain, ISAKMP_PAYLOAD_SA);
	struct gdoi_dialect dialect;
	struct gk_rd rd;

	(void)session;
	(void)m;
	if (item == NULL || !is_gdoi(c))
		return;
	rd = isakmp_chain_body(gk_buf_slice(&c->octets), item);
	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	gk_assert_ok(gdoi_sa_read(&rd, &dialect, true, &sa, &why));
	rd = isakmp_chain_body(gk_buf_slice(&c->octets), item);
	if (sa.has_sak) {
		/* The two extra octets look like an attribute 0 that is far too
		 * long. */
		assert_true(gdoi_sa_read(&rd, &defaults, true, &sa, &why) !=
		            GK_OK);
		assert_string_equal(why.req, "RFC6407-5.3-10");
		strict_refused++;
	}
}

GK_TEST(rfc6407_5_3_10, the_default_dialect_refuses_the_longer_sak)
{
	strict_refused = 0;
	for_each(see_strict);
	assert_true(strict_refused >= 4);
}

GK_TEST(rfc6407_5_5_1_1_1_01, the_default_dialect_refuses_zero_attributes)
{
	json_t *session = session_load("psk-3des-two-members");
	const json_t *all = json_object_get(session, "messages");
	struct gdoi_dialect dialect;
	unsigned seen = 0;

	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	gk_assert_ok(gdoi_dialect_set(&dialect, "attribute_zero", "refuse"));
	for (size_t i = 0; i < json_array_size(all); i++) {
		const struct isakmp_chain_item *item;
		struct clear c;
		struct gk_rd rd;

		clear_read(json_array_get(all, i), &c);
		item = isakmp_chain_find(&c.chain, ISAKMP_PAYLOAD_SA);
		if (item != NULL &&
		    c.header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL) {
			rd = isakmp_chain_body(gk_buf_slice(&c.octets), item);
			assert_true(gdoi_sa_read(&rd, &dialect, true, &sa,
			                         &why) != GK_OK);
			assert_string_equal(why.req, "RFC6407-5.5.1.1.1-01");
			seen++;
		}
		gk_buf_free(&c.octets);
	}
	assert_int_equal(seen, 2);
	json_decref(session);
}

/* Sender ids there: four octets, little-endian, whatever the number of bits. */
GK_TEST(rfc6407_5_6_4_02, sender_ids_count_from_zero)
{
	json_t *session = session_load("aes-gcm-sid");
	const json_t *all = json_object_get(session, "messages");
	struct gdoi_dialect dialect;
	bool seen = false;

	gk_assert_ok(gdoi_dialect_preset(&dialect, "gdoid"));
	for (size_t i = 0; i < json_array_size(all); i++) {
		const struct isakmp_chain_item *item;
		struct clear c;
		struct gk_rd rd;

		clear_read(json_array_get(all, i), &c);
		item = isakmp_chain_find(&c.chain, ISAKMP_PAYLOAD_KD);
		if (item != NULL &&
		    c.header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL) {
			seen = true;
			rd = isakmp_chain_body(gk_buf_slice(&c.octets), item);
			gk_assert_ok(
				gdoi_kd_read(&rd, &dialect, false, &kd, &why));
			assert_int_equal(kd.sid_bits, 16);
			assert_int_equal(kd.n_sids, 3);
			for (uint32_t n = 0; n < 3; n++)
				assert_int_equal(kd.sid[n], n);
			/* Big-endian the second would have 25 bits. */
			rd = isakmp_chain_body(gk_buf_slice(&c.octets), item);
			assert_true(gdoi_kd_read(&rd, &defaults, false, &kd,
			                         &why) != GK_OK);
			assert_string_equal(why.req, "RFC6407-5.6.4.1-01");
			assert_string_equal(why.field, "SID_VALUE");
		}
		gk_buf_free(&c.octets);
	}
	assert_true(seen);
	json_decref(session);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_01, recorded_messages_decode_and_encode_again),
		GK_RUN(rfc6407_5_1_03, the_group_id_is_little_endian_there),
		GK_RUN(rfc6407_5_3_10,
		       the_default_dialect_refuses_the_longer_sak),
		GK_RUN(rfc6407_5_5_1_1_1_01,
		       the_default_dialect_refuses_zero_attributes),
		GK_RUN(rfc6407_5_6_4_02, sender_ids_count_from_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
