/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_PERMISSION_H
#define GSAKMP_ENGINE_PERMISSION_H

#include "common/crypto/gk_trust.h"

/*
 * DOC: permissions - RFC 4534 B.1.2, carried by attribute certificates
 *
 * An access rule of a policy token may ask for permissions, "an abstract set of
 * numeric levels", and says nothing of how a candidate shows that it holds one.
 * Here: by attribute certificates (RFC 5755) in Certificate payloads of type 10,
 * with the attribute
 *
 *     2.25.227007163891039140890553393414073698781.5.1   SET OF Permission
 *
 * where Permission is RFC 4534's own: CHOICE { simplePermission [1] ENUMERATED
 * 1 to 9 }.  Which authorities may give permissions is configuration of the key
 * server.  One that does not verify gives nothing: it is not under the message's
 * signature, so it must not be able to take anything away either.
 */
#define GSAKMP_PERMISSION_OID                          \
	"2.25.227007163891039140890553393414073698781" \
	".5.1"

#define GSAKMP_GRANTS_MAX 16384 /* octets of them that count */

/*
 * gsakmp_permissions - bit n: @holder has SimplePermission n by one of the first
 * GSAKMP_CERTIFICATES_MAX of the @n attribute certificates in @acerts (DER).
 * @grants: those that counted are appended, with those that give the same for
 *          another time, if only later, as long as there is room; or NULL
 * @until: lowered to the day that the first of those in force expires; or NULL
 */
uint16_t gsakmp_permissions(const struct gk_trust *trust,
                            const struct gk_cert *holder,
                            const struct gk_slice *acerts, size_t n,
                            int64_t utc, struct gk_buf *grants,
                            uint32_t *until);

#endif /* GSAKMP_ENGINE_PERMISSION_H */
