/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_PROPOSAL_H
#define GDOI_ISAKMP_PROPOSAL_H

#include "gdoi/isakmp/attribute.h"
#include "gdoi/isakmp/generic.h"

/*
 * DOC: the SA payload of phase 1 - RFC 2408 sections 3.4, 3.5 and 3.6
 *
 *    +---------------------------------------------------------------+
 *    |              Domain of Interpretation  (DOI)                  |
 *    +---------------------------------------------------------------+
 *    |                           Situation (4)                       |
 *    +---------------------------------------------------------------+
 *
 *    +---------------+---------------+---------------+---------------+
 *    |  Proposal #   |  Protocol-Id  |    SPI Size   |# of Transforms|
 *    +---------------+---------------+---------------+---------------+
 *    |                        SPI (variable)                         |
 *    +---------------------------------------------------------------+
 *
 *    +---------------+---------------+-------------------------------+
 *    |  Transform #  |  Transform-Id |           RESERVED2           |
 *    +---------------+---------------+-------------------------------+
 *    ~                        SA Attributes                          ~
 *    +---------------------------------------------------------------+
 *
 * Phase 1 negotiates one protocol, so its SA payload has one Proposal (RFC 2409
 * section 5); its Transforms are alternatives.  The SA payload of GDOI itself
 * is another thing: gdoi/payload/sa.h.
 */
#define ISAKMP_TRANSFORMS_MAX 64 /* offers of one SA payload that we look at */
#define ISAKMP_PROTO_ISAKMP 1    /* Protocol-Id; RFC 2407 section 4.4.1 */
#define ISAKMP_KEY_IKE 1         /* Transform-Id; RFC 2407 section 4.4.2 */
#define ISAKMP_SPI_MAX 16        /* RFC 2408 section 3.5 */

struct isakmp_transform {
	uint8_t number;
	uint8_t id;
	struct gk_slice
		attributes;  /* to be read with isakmp_attribute_decode() */
	struct gk_slice all; /* the payload with its generic header */
	size_t at;           /* of Transform #, in the message */
};

struct isakmp_proposal {
	uint32_t doi;
	uint32_t situation;
	uint8_t number;
	uint8_t protocol;
	struct gk_slice spi;
	uint8_t n_transforms;
	struct isakmp_transform transform[ISAKMP_TRANSFORMS_MAX];
	size_t at; /* of DOI, in the message */
};

/**
 * isakmp_proposal_read - decode and check the body of an SA payload of phase 1.
 *
 * Whether DOI and Situation suit is the caller's to say; so is the choice.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err isakmp_proposal_read(struct gk_rd *rd,
                                               struct isakmp_proposal *sa,
                                               struct isakmp_reject *why);

void isakmp_proposal_encode(struct gk_wr *wr, const struct isakmp_proposal *sa);

#endif /* GDOI_ISAKMP_PROPOSAL_H */
