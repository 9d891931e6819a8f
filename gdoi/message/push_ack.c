/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/push_ack.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/isakmp/chain.h"

#define AT_NEXT_PAYLOAD 16
#define AT_EXCHANGE 18
#define AT_FLAGS 19
#define AT_MESSAGE_ID 20
#define ACK_MAX 1024 /* octets; an ID is an address, or an OID */

static const uint8_t order[] = { ISAKMP_PAYLOAD_HASH, ISAKMP_PAYLOAD_SEQ,
	                         ISAKMP_PAYLOAD_ID };

bool
gdoi_push_ack_is(struct gk_slice dgram)
{
	return dgram.len > AT_EXCHANGE &&
	       dgram.ptr[AT_EXCHANGE] == ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK;
}

/* ---- parsing ------------------------------------------------------------ */

static enum gk_err
malformed(struct isakmp_reject *why, enum gk_err err, const char *req,
          const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                     field, at);
}

static enum gk_err
header_read(struct gk_rd *rd, struct gk_slice dgram, struct gdoi_push_ack *ack,
            struct isakmp_header *h, struct isakmp_reject *why)
{
	if (isakmp_header_decode(rd, h) != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	GK_TRY(isakmp_header_check(h, dgram.len, why));
	if (h->exchange != ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK &&
	    GK_CHECKED("RFC8263-8-02"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC8263-8-02",
		                 "Exchange Type", AT_EXCHANGE);
	if (h->flags != 0 && GK_CHECKED("RFC8263-3.1-01", "RFC8263-3-01"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC8263-3.1-01",
		                 "Flags", AT_FLAGS);
	if (h->message_id != 0 && GK_CHECKED("RFC8263-3.1-02"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC8263-3.1-02",
		                 "Message ID", AT_MESSAGE_ID);
	memcpy(ack->spi, h->cookie_i, ISAKMP_COOKIE_LEN);
	memcpy(ack->spi + ISAKMP_COOKIE_LEN, h->cookie_r, ISAKMP_COOKIE_LEN);
	return GK_OK;
}

static enum gk_err
order_check(const struct isakmp_chain *chain, struct isakmp_reject *why)
{
	bool right = chain->n == GK_COUNT(order);

	for (size_t i = 0; right && i < GK_COUNT(order); i++)
		right = chain->item[i].type == order[i];
	if (!right)
		return malformed(why, GK_ERR_UNEXPECTED, "RFC8263-3-01",
		                 "Next Payload", AT_NEXT_PAYLOAD);
	return GK_OK;
}

/* RFC 8263 section 3.4. */
static enum gk_err
id_check(const struct isakmp_identification *id, struct isakmp_reject *why)
{
	size_t want = isakmp_identification_length(id->type);

	if (id->type != ISAKMP_ID_IPV4_ADDR &&
	    id->type != ISAKMP_ID_IPV6_ADDR && id->type != ISAKMP_ID_OID &&
	    GK_CHECKED("RFC8263-3.4-01"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC8263-3.4-01", "ID Type", id->at);
	if ((id->protocol != 0 || id->port != 0) &&
	    GK_CHECKED("RFC8263-3.4-02"))
		return isakmp_refuse(why, GK_ERR_RESERVED,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC8263-3.4-02", "DOI-Specific ID Data",
		                     id->at + 1);
	if (id->data.len == 0 || (want != 0 && id->data.len != want))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			"RFC8263-3.4-01", "Identification Data", id->at + 4);
	return GK_OK;
}

static enum gk_err
bodies_read(struct gk_slice dgram, const struct isakmp_chain *chain,
            struct gdoi_push_ack *ack, struct isakmp_reject *why)
{
	struct gk_rd rd = isakmp_chain_body(dgram, &chain->item[1]);

	ack->hash = chain->item[0].generic.body;
	ack->seq_payload = chain->item[1].generic.all;
	ack->id_payload = chain->item[2].generic.all;
	if (gdoi_seq_decode(&rd, &ack->seq) != GK_OK)
		return isakmp_refuse_fault(why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.7-01");
	rd = isakmp_chain_body(dgram, &chain->item[2]);
	if (isakmp_identification_decode(&rd, &ack->id) != GK_OK)
		return isakmp_refuse_fault(why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC8263-3.4-01");
	return id_check(&ack->id, why);
}

enum gk_err
gdoi_push_ack_read(struct gk_slice dgram, struct gdoi_push_ack *ack,
                   struct isakmp_reject *why)
{
	struct isakmp_chain chain;
	struct isakmp_header h;
	struct gk_rd rd;

	*ack = (struct gdoi_push_ack){ 0 };
	*why = (struct isakmp_reject){ 0 };
	gk_rd_init(&rd, dgram.ptr, dgram.len);
	GK_TRY(header_read(&rd, dgram, ack, &h, why));
	GK_TRY(isakmp_chain_read(&rd, h.next_payload, &chain, why));
	/* Nothing is encrypted, so nothing is padded. */
	if (gk_rd_left(&rd) != 0 && GK_CHECKED("RFC8263-3.1-03"))
		return malformed(why, GK_ERR_TRAILING, "RFC8263-3.1-03",
		                 "Length", chain.end);
	GK_TRY(order_check(&chain, why));
	return bodies_read(dgram, &chain, ack, why);
}

enum gk_err
gdoi_push_ack_check(const struct gdoi_dialect *dialect, uint16_t type,
                    const uint8_t ack_key[GK_HASH_MAX],
                    const struct gdoi_push_ack *ack, struct isakmp_reject *why)
{
	uint8_t want[GK_HASH_MAX];
	bool right;

	GK_TRY(gdoi_ack_hash(dialect, type, ack_key, ack->seq_payload,
	                     ack->id_payload, want));
	right = ack->hash.len == gk_hash_size(gdoi_ack_prf(type)) &&
	        gk_equal_secret(ack->hash.ptr, want, ack->hash.len);
	gk_wipe(want, sizeof(want));
	if (!right && GK_CHECKED("RFC8263-5-05"))
		return isakmp_refuse(why, GK_ERR_AUTH,
		                     ISAKMP_NOTIFY_INVALID_HASH_INFORMATION,
		                     "RFC8263-5-05", "HASH", ISAKMP_HEADER_LEN);
	return GK_OK;
}

/* ---- building ----------------------------------------------------------- */

static void
payload_begin(struct gk_wr *wr, size_t i, struct gk_wr_hole *hole)
{
	*hole = isakmp_generic_begin(wr, i + 1 < GK_COUNT(order)
	                                         ? order[i + 1]
	                                         : ISAKMP_PAYLOAD_NONE);
}

enum gk_err
gdoi_push_ack_build(const struct gdoi_dialect *dialect, uint16_t type,
                    const uint8_t ack_key[GK_HASH_MAX],
                    const struct gdoi_push_ack *ack, struct gk_buf *out)
{
	struct isakmp_header h = { .next_payload = ISAKMP_PAYLOAD_HASH,
		                   .version = ISAKMP_VERSION,
		                   .exchange =
		                           ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK };
	size_t hash_len = gk_hash_size(gdoi_ack_prf(type)), seq_at, id_at;
	uint8_t buf[ACK_MAX], hash[GK_HASH_MAX] = { 0 };
	struct gk_wr_hole hole;
	struct gk_wr wr;

	*out = (struct gk_buf){ 0 };
	memcpy(h.cookie_i, ack->spi, ISAKMP_COOKIE_LEN);
	memcpy(h.cookie_r, ack->spi + ISAKMP_COOKIE_LEN, ISAKMP_COOKIE_LEN);
	gk_wr_init(&wr, buf, sizeof(buf));
	isakmp_header_encode(&wr, &h);
	payload_begin(&wr, 0, &hole);
	gk_wr_bytes(&wr, (struct gk_slice){ hash, hash_len });
	gk_wr_close(&wr, hole);
	seq_at = wr.len;
	payload_begin(&wr, 1, &hole);
	gdoi_seq_encode(&wr, &ack->seq);
	gk_wr_close(&wr, hole);
	id_at = wr.len;
	payload_begin(&wr, 2, &hole);
	isakmp_identification_encode(&wr, &ack->id);
	gk_wr_close(&wr, hole);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gdoi_ack_hash(dialect, type, ack_key,
	                     (struct gk_slice){ buf + seq_at, id_at - seq_at },
	                     (struct gk_slice){ buf + id_at, wr.len - id_at },
	                     hash));
	memcpy(buf + ISAKMP_HEADER_LEN + ISAKMP_GENERIC_LEN, hash, hash_len);
	isakmp_header_set_length(buf, (uint32_t)wr.len);
	return gk_buf_copy(out, (struct gk_slice){ buf, wr.len });
}
