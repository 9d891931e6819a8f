/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SHARED_H
#define GK_SHARED_H

#include <stdatomic.h>

#include "common/base/gk_base.h"

/*
 * struct gk_shared - octets that several hold, such as a message that waits to
 * be sent and the journal that has it as a row.  They are written by who made
 * them, before anybody else has them, and are no secret: nothing is wiped.
 */
struct gk_shared {
	atomic_uint refs;
	uint8_t octets[];
};

/* gk_shared_new - @len octets, not set; NULL: no memory. */
struct gk_shared *gk_shared_new(size_t len);
struct gk_shared *gk_shared_ref(struct gk_shared *shared);
void gk_shared_drop(struct gk_shared *shared); /* NULL is fine */

#endif /* GK_SHARED_H */
