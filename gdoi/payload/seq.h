/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_SEQ_H
#define GDOI_PAYLOAD_SEQ_H

#include "common/wire/gk_wr.h"

/*
 * DOC: Sequence Number Payload (SEQ) - RFC 6407 section 5.7
 *
 *    +---------------------------------------------------------------+
 *    |                      Sequence Number                          |
 *    +---------------------------------------------------------------+
 */
struct gdoi_seq {
	uint32_t number;
};

/* gdoi_seq_decode - the payload has eight octets, four of them here
 * (RFC6407-5.7-01). */
static inline enum gk_err
gdoi_seq_decode(struct gk_rd *rd, struct gdoi_seq *seq)
{
	seq->number = gk_rd_u32(rd, "Sequence Number");

	return gk_rd_done(rd);
}

static inline void
gdoi_seq_encode(struct gk_wr *wr, const struct gdoi_seq *seq)
{
	gk_wr_u32(wr, seq->number);
}

#endif /* GDOI_PAYLOAD_SEQ_H */
