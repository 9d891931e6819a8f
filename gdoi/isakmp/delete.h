/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_DELETE_H
#define GDOI_ISAKMP_DELETE_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: Delete Payload - RFC 2408 section 3.15, RFC 6407 section 5.9
 *
 *    +---------------------------------------------------------------+
 *    |              Domain of Interpretation  (DOI)                  |
 *    +---------------+---------------+-------------------------------+
 *    |  Protocol-Id  |   SPI Size    |           # of SPIs           |
 *    +---------------+---------------+-------------------------------+
 *    ~               Security Parameter Index(es) (SPI)              ~
 *    +---------------------------------------------------------------+
 *
 * All SPIs of one Delete belong to one protocol (RFC2408-3.15-01, -02).  In a
 * GROUPKEY-PUSH protocol 0 stands for the KEK, and an SPI of zero for all SAs of
 * the protocol.
 */
struct isakmp_delete {
	uint32_t doi;
	uint8_t protocol;
	uint8_t spi_size;
	uint16_t count;
	struct gk_slice spis; /* count times spi_size octets */
	size_t at;            /* of DOI, in the message */
};

GK_MUST_CHECK enum gk_err isakmp_delete_decode(struct gk_rd *rd,
                                               struct isakmp_delete *d);
void isakmp_delete_encode(struct gk_wr *wr, const struct isakmp_delete *d);

/* isakmp_delete_spi - number @i, below count. */
static inline struct gk_slice
isakmp_delete_spi(const struct isakmp_delete *d, uint16_t i)
{
	return (struct gk_slice){ d->spis.ptr + (size_t)i * d->spi_size,
		                  d->spi_size };
}

#endif /* GDOI_ISAKMP_DELETE_H */
