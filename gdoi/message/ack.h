/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_MESSAGE_ACK_H
#define GDOI_MESSAGE_ACK_H

#include "common/crypto/gk_hash.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: keys of a GROUPKEY-PUSH acknowledgement - RFC 8263 section 3.2
 *
 *     ack_key = prf(base_key, "GROUPKEY-PUSH ACK" | SPI | L)
 *     HASH    = prf(ack_key, SEQ | ID)
 *
 * base_key is the KEK without its IV (types 1 and 3), or the member's own leaf
 * of the key tree without its IV (types 2 and 4).
 */
#define GDOI_ACK_SPI_LEN 16

/* gdoi_ack_prf - of a KEK_ACK_REQUESTED value; NONE when it is not known. */
enum gk_hash gdoi_ack_prf(uint16_t type);
/* gdoi_ack_by_leaf - is base_key the member's leaf, rather than the KEK? */
bool gdoi_ack_by_leaf(uint16_t type);

/**
 * gdoi_ack_key - derive the key.
 * @spi: of the KEK: the cookies of the GROUPKEY-PUSH
 * @out: receives gk_hash_size() octets; to be wiped
 */
GK_MUST_CHECK enum gk_err gdoi_ack_key(const struct gdoi_dialect *dialect,
                                       uint16_t type, struct gk_slice base_key,
                                       const uint8_t spi[GDOI_ACK_SPI_LEN],
                                       uint8_t out[GK_HASH_MAX]);

/**
 * gdoi_ack_hash - the HASH of an acknowledgement.
 * @seq, @id: the payloads with their generic headers
 */
GK_MUST_CHECK enum gk_err gdoi_ack_hash(const struct gdoi_dialect *dialect,
                                        uint16_t type,
                                        const uint8_t ack_key[GK_HASH_MAX],
                                        struct gk_slice seq, struct gk_slice id,
                                        uint8_t out[GK_HASH_MAX]);

#endif /* GDOI_MESSAGE_ACK_H */
