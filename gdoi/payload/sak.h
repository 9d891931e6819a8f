/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_SAK_H
#define GDOI_PAYLOAD_SAK_H

#include "gdoi/payload/endpoint.h"

/*
 * DOC: SA KEK Payload (SAK) - RFC 6407 section 5.3, RFC 8263 section 2
 *
 * Behind SRC and DST (endpoint.h):
 *
 *    +---------------------------------------------------------------+
 *    ~                           SPI (16)                            ~
 *    +---------------------------------------------------------------+
 *    |                           RESERVED2                           |
 *    +---------------------------------------------------------------+
 *    ~                        KEK Attributes                         ~
 *    +---------------------------------------------------------------+
 *
 * The SPI is the cookie pair of the GROUPKEY-PUSH header.  One peer has six
 * octets where RESERVED2 is: switch sak_reserved.
 */
#define GDOI_KEK_SPI_LEN 16

struct gdoi_sak {
	struct gdoi_endpoints ep; /* of the GROUPKEY-PUSH datagram */
	uint8_t spi[GDOI_KEK_SPI_LEN];

	/* KEK attributes; 0 for one that is absent, as every registry has its 0
	 * reserved. */
	uint16_t management;     /* KEK_MANAGEMENT_ALGORITHM: 1 is LKH */
	uint16_t algorithm;      /* GDOI_KEK_ALG_* */
	uint16_t key_length;     /* bits, without the IV */
	uint32_t lifetime;       /* seconds */
	uint16_t sig_hash;       /* GDOI_SIG_HASH_* */
	uint16_t sig_algorithm;  /* GDOI_SIG_ALG_* */
	uint16_t sig_key_length; /* bits */
	uint16_t ack;            /* GDOI_ACK_*; KEK_ACK_REQUESTED */
	size_t at;               /* of the body, in the message */
};

#define GDOI_KEK_MANAGEMENT_LKH 1

/**
 * gdoi_sak_read - decode and check the body of a SAK.
 * @pull: in a GROUPKEY-PULL KEK_MANAGEMENT_ALGORITHM is ignored
 *        (RFC6407-5.3-16)
 *
 * Any attribute or value that is not understood is refused (RFC6407-5.3.2-01).
 * Whether the algorithms are supported is the engine's to say.
 *
 * Return: GK_OK; an error with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gdoi_sak_read(struct gk_rd *rd,
                                        const struct gdoi_dialect *dialect,
                                        bool pull, struct gdoi_sak *sak,
                                        struct isakmp_reject *why);
void gdoi_sak_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                     const struct gdoi_sak *sak);

#endif /* GDOI_PAYLOAD_SAK_H */
