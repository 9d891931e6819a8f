/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_KEYWRAP_H
#define GK_KEYWRAP_H

#include "common/base/gk_base.h"

/*
 * DOC: AES key wrap, RFC 3394, with the default initial value
 *
 * @kek has 16, 24 or 32 octets; the key to be wrapped is a multiple of eight
 * octets, at least sixteen.  The result is eight octets longer.
 */
#define GK_KEYWRAP_OVERHEAD 8

GK_MUST_CHECK enum gk_err gk_keywrap(struct gk_slice kek, struct gk_slice key,
                                     struct gk_buf *out);
/* gk_keyunwrap - GK_ERR_AUTH when the integrity check fails. */
GK_MUST_CHECK enum gk_err gk_keyunwrap(struct gk_slice kek,
                                       struct gk_slice wrapped,
                                       struct gk_buf *key);

#endif /* GK_KEYWRAP_H */
