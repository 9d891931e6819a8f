/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PEM_H
#define GK_PEM_H

#include "common/base/gk_base.h"

/*
 * gk_pem_next - the next block with @label, from octet *@at of @in on; *@at
 * moves behind it.  Input that starts as DER is one block with any label.
 *
 * Return: GK_OK, with @der empty when there is no further block; GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gk_pem_next(struct gk_slice in, const char *label,
                                      size_t *at, struct gk_buf *der);

#endif /* GK_PEM_H */
