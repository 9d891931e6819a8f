/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_KEY_CREATION_H
#define GSAKMP_PAYLOAD_KEY_CREATION_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: Key Creation Payload - RFC 4535 section 7.11
 *
 *    +-------------------------------+-------------------------------+
 *    | Key Creation Type             | Key Creation Data             ~
 *    +-------------------------------+-------------------------------+
 *
 * For every type there is, the data is one public value.  MODP values are sent
 * with the length of the modulus (dialect dh_pub_pad); shorter ones are
 * understood, longer ones are not.
 */
struct gsakmp_key_creation {
	uint16_t type; /* Table 26 */
	struct gk_slice data;
	size_t at; /* of the body, in the datagram */
};

GK_MUST_CHECK enum gk_err gsakmp_key_creation_decode(
	struct gk_rd *rd, struct gsakmp_key_creation *kc);
/* gsakmp_key_creation_check - section 7.11.2 item 2 and the length for item 3;
 * degenerate public values show when the secret is computed. */
GK_MUST_CHECK enum gk_err gsakmp_key_creation_check(
	const struct gsakmp_key_creation *kc,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);
void gsakmp_key_creation_encode(struct gk_wr *wr,
                                const struct gsakmp_key_creation *kc);

/* gsakmp_key_creation_data - a public value as this dialect sends it. */
struct gk_slice gsakmp_key_creation_data(const struct gsakmp_dialect *dialect,
                                         uint16_t type,
                                         struct gk_slice public_value);

#endif /* GSAKMP_PAYLOAD_KEY_CREATION_H */
