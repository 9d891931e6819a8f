/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_LKH_KEY_H
#define GK_LKH_KEY_H

#include <stdint.h>

#include "common/wire/gk_rd.h"

#define GK_LKH_KEY_MIN 16 /* octets */
#define GK_LKH_KEY_MAX 48 /* a key of AES-256 with its IV */

/*
 * struct gk_lkh_key - one version of one key encryption key.
 *
 * The id belongs to the node of the tree and never changes; the handle names
 * the version and is never used twice for an id, so that the pair is unique
 * (RFC 4535 sections 7.4.1.1 and A.2, point 4).
 */
struct gk_lkh_key {
	uint32_t id;
	uint32_t handle;
	int64_t created; /* seconds since 1970 */
	int64_t expires; /* seconds since 1970; always after created */
	uint8_t len;     /* octets in use */
	uint8_t octets[GK_LKH_KEY_MAX];
};

static inline struct gk_slice
gk_lkh_key_slice(const struct gk_lkh_key *key)
{
	return (struct gk_slice){ key->octets, key->len };
}

#endif /* GK_LKH_KEY_H */
