/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_CERTIFICATE_H
#define GSAKMP_PAYLOAD_CERTIFICATE_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Certificate Payload - RFC 4535 section 7.7
 *
 *    +-------------------------------+-------------------------------+
 *    | Cert Type                     | Certificate Data              ~
 *    +-------------------------------+-------------------------------+
 *
 * May appear in any message, any number of times; one after the Signature
 * payload is not under the signature.  Table 20 is checked here; parsing what
 * is inside is common/crypto's business.
 */
struct gsakmp_certificate {
	uint16_t type; /* Table 20 */
	struct gk_slice data;
	bool covered; /* stands in front of the Signature payload */
	size_t at;    /* of the body, in the datagram */
};

GK_MUST_CHECK enum gk_err gsakmp_certificate_decode(
	struct gk_rd *rd, struct gsakmp_certificate *cert);
/* gsakmp_certificate_check - section 7.7.2 item 2. */
GK_MUST_CHECK enum gk_err gsakmp_certificate_check(
	const struct gsakmp_certificate *cert,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);
void gsakmp_certificate_encode(struct gk_wr *wr,
                               const struct gsakmp_certificate *cert);

#endif /* GSAKMP_PAYLOAD_CERTIFICATE_H */
