/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_KEX_MATH_H
#define GK_KEX_MATH_H

#include "common/crypto/gk_kex.h"

/*
 * Inside common/crypto only: the arithmetic under gk_kex.  Output buffers are
 * allocated by the caller and filled completely.  GK_ERR_VALUE for a private or
 * public value out of range.
 */
/* gk_kex_private - see gk_kex_from_private(); lives as long as @key. */
struct gk_slice gk_kex_private(const struct gk_kex_key *key);

/* gk_modp_prime - new, for BN_free(); NULL when @group is none of them. */
struct bignum_st *gk_modp_prime(enum gk_kex group);

enum gk_err gk_modp_public(enum gk_kex group, struct gk_slice priv,
                           struct gk_buf *pub);
enum gk_err gk_modp_peer_check(enum gk_kex group, struct gk_slice peer);
enum gk_err gk_modp_derive(enum gk_kex group, struct gk_slice priv,
                           struct gk_slice peer, struct gk_buf *secret);

/* gk_ecdh_order - of the points of a NIST curve; lives as long as the process. */
const struct bignum_st *gk_ecdh_order(enum gk_kex group);

enum gk_err gk_ecdh_public(enum gk_kex group, struct gk_slice priv,
                           struct gk_buf *pub);
enum gk_err gk_ecdh_peer_check(enum gk_kex group, struct gk_slice peer);
enum gk_err gk_ecdh_derive(enum gk_kex group, struct gk_slice priv,
                           struct gk_slice peer, struct gk_buf *secret);

enum gk_err gk_x25519_public(struct gk_slice priv, uint8_t pub[32]);
enum gk_err gk_x25519_derive(struct gk_slice priv, struct gk_slice peer,
                             uint8_t secret[32]);

#endif /* GK_KEX_MATH_H */
