/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_SA_H
#define GDOI_PAYLOAD_SA_H

#include "gdoi/payload/gap.h"
#include "gdoi/payload/sak.h"
#include "gdoi/payload/sat.h"

/*
 * DOC: Security Association Payload of GDOI - RFC 6407 sections 5.2 and 5.2.1
 *
 *    +---------------------------------------------------------------+
 *    |                              DOI                              |
 *    +---------------------------------------------------------------+
 *    |                           Situation                           |
 *    +-------------------------------+-------------------------------+
 *    | SA Attribute Next Payload     |          RESERVED2            |
 *    +-------------------------------+-------------------------------+
 *    ~             SAK, GAP and SAT payloads, in this order          ~
 *    +---------------------------------------------------------------+
 *
 * The SA attribute payloads are a chain of their own, ended by 0, and counted
 * in the Payload Length of the SA.
 */
#define GDOI_SATS_MAX 64 /* of one SA payload */

struct gdoi_sa {
	bool has_sak, has_gap;
	struct gdoi_sak sak;
	struct gdoi_gap gap;
	uint16_t n_sats;
	struct gdoi_sat sat[GDOI_SATS_MAX];
	size_t at; /* of DOI, in the message */
	/* sat_address_order `reversed`: SRC and DST in network order, which the
	 * slices of the SATs point to; so this struct is not to be copied. */
	uint8_t turned[GDOI_SATS_MAX][2][GDOI_ENDPOINT_MAX];
};

/**
 * gdoi_sa_read - decode and check the body of an SA payload, all of it.
 * @pull: it came in a GROUPKEY-PULL
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_sa_read(struct gk_rd *rd,
                                       const struct gdoi_dialect *dialect,
                                       bool pull, struct gdoi_sa *sa,
                                       struct isakmp_reject *why);
void gdoi_sa_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                    const struct gdoi_sa *sa);

#endif /* GDOI_PAYLOAD_SA_H */
