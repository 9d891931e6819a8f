/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_UTF8_H
#define GK_UTF8_H

#include "common/base/gk_base.h"

/*
 * Inside common/identity only: character strings of ASN.1 as UTF-8.
 */

/* gk_utf8_valid - well-formed, shortest forms, no surrogates, up to U+10FFFF. */
bool gk_utf8_valid(struct gk_slice s);

/* gk_utf8_from_asn1 - contents octets of a character string type, by its tag;
 * @out is new.  GK_ERR_VALUE for other types and for octets that the type does
 * not allow. */
GK_MUST_CHECK enum gk_err gk_utf8_from_asn1(uint8_t tag, struct gk_slice s,
                                            struct gk_buf *out);

#endif /* GK_UTF8_H */
