/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_OID_H
#define GK_OID_H

#include "common/base/gk_base.h"

/*
 * DOC: object identifiers, dotted decimal and DER contents octets
 *
 * Arcs go up to 2^128 - 1, enough for the UUID-based arc 2.25 (X.667).
 */
#define GK_OID_MAX 64       /* contents octets */
#define GK_OID_TEXT_MAX 160 /* with the NUL */

/* gk_oid_parse - @len octets at @out; GK_ERR_VALUE for what is no OID: fewer
 * than two arcs, leading zeros, a first arc above 2, too long. */
GK_MUST_CHECK enum gk_err gk_oid_parse(struct gk_slice text,
                                       uint8_t out[GK_OID_MAX], size_t *len);

/* gk_oid_text - the reverse, NUL-terminated; GK_ERR_VALUE for contents octets
 * that are no OID in DER or do not fit. */
GK_MUST_CHECK enum gk_err gk_oid_text(struct gk_slice contents,
                                      char out[GK_OID_TEXT_MAX]);

#endif /* GK_OID_H */
