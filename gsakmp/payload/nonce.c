/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/nonce.h"

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"
#include "gsakmp/payload/generic.h"

enum gk_err
gsakmp_nonce_decode(struct gk_rd *rd, struct gsakmp_nonce *nonce)
{
	*nonce = (struct gsakmp_nonce){ .at = gk_rd_offset(rd) };
	nonce->type = gk_rd_u8(rd, "Nonce Type");
	nonce->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

enum gk_err
gsakmp_nonce_check(const struct gsakmp_nonce *nonce,
                   const struct gsakmp_vocabulary *voc,
                   struct gsakmp_reject *why)
{
	/* RFC4535-7.12.2-02: only types of Table 27. */
	if (!gsakmp_code_known(GSAKMP_TABLE_NONCE, voc, nonce->type) &&
	    GK_CHECKED("RFC4535-7.12.2-02"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.12.2-02", "Nonce Type", nonce->at);

	/* RFC4535-7.12.1-04, 7.12.2-03: four octets or more. */
	if (nonce->data.len < GSAKMP_NONCE_MIN &&
	    GK_CHECKED("RFC4535-7.12.1-04", "RFC4535-7.12.2-03"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.12.1-04", "Nonce Data", nonce->at + 1);
	return GK_OK;
}

void
gsakmp_nonce_encode(struct gk_wr *wr, const struct gsakmp_nonce *nonce)
{
	gk_wr_u8(wr, nonce->type);
	gk_wr_bytes(wr, nonce->data);
}

/* What stands in front of Nonce Data and is hashed with it; 0, 1 or 5 octets. */
static struct gk_slice
prefix(const struct gsakmp_dialect *dialect, const struct gsakmp_nonce *nonce,
       uint8_t out[GSAKMP_GENERIC_LEN + 1])
{
	size_t length = GSAKMP_GENERIC_LEN + 1 + nonce->data.len;

	out[0] = nonce->next_payload;
	out[1] = 0;
	out[2] = (uint8_t)(length >> 8);
	out[3] = (uint8_t)length;
	out[4] = nonce->type;
	if (dialect->nonce_c == GSAKMP_NONCE_C_PAYLOAD)
		return (struct gk_slice){ out, GSAKMP_GENERIC_LEN + 1 };
	if (dialect->nonce_c == GSAKMP_NONCE_C_TYPE_DATA)
		return (struct gk_slice){ out + GSAKMP_GENERIC_LEN, 1 };
	return (struct gk_slice){ out, 0 };
}

enum gk_err
gsakmp_nonce_combine(const struct gsakmp_dialect *dialect, uint16_t hash_type,
                     const struct gsakmp_nonce *initiator,
                     const struct gsakmp_nonce *responder,
                     struct gk_buf *combined)
{
	const struct gsakmp_nonce *first = initiator, *second = responder;
	uint8_t head[2][GSAKMP_GENERIC_LEN + 1];
	enum gk_hash hash = gsakmp_nonce_hash(hash_type);
	uint8_t digest[GK_HASH_MAX];
	struct gk_slice parts[4];

	*combined = (struct gk_buf){ 0 };
	if (hash == GK_HASH_NONE)
		return GK_ERR_VALUE;
	if (dialect->nonce_c == GSAKMP_NONCE_C_DATA_REV) {
		first = responder;
		second = initiator;
	}
	parts[0] = prefix(dialect, first, head[0]);
	parts[1] = first->data;
	parts[2] = prefix(dialect, second, head[1]);
	parts[3] = second->data;
	GK_TRY(gk_hash(hash, parts, GK_COUNT(parts), digest));
	return gk_buf_copy(combined,
	                   (struct gk_slice){ digest, gk_hash_size(hash) });
}
