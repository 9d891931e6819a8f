/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SIG_FORM_H
#define GK_SIG_FORM_H

#include "common/crypto/gk_ossl.h"

/*
 * Inside common/crypto only: what signing and verifying share.
 */

/* gk_sig_half_len - octets of r, and of s, in the raw form; 0 for schemes that
 * are no pair of numbers. */
size_t gk_sig_half_len(const struct gk_pubkey *pub, enum gk_sig_scheme scheme);

/* Between the raw form r|s and SEQUENCE { r, s }; new buffers. GK_ERR_VALUE when
 * @in is not of the form. */
GK_MUST_CHECK enum gk_err gk_sig_raw_to_der(struct gk_slice in, size_t half,
                                            struct gk_buf *out);
GK_MUST_CHECK enum gk_err gk_sig_der_to_raw(struct gk_slice in, size_t half,
                                            struct gk_buf *out);

/* gk_sig_set_padding - digest and padding of RSA, as @alg says, on a context that
 * is initialised; nothing for other keys. */
GK_MUST_CHECK enum gk_err gk_sig_set_padding(EVP_PKEY_CTX *ctx,
                                             struct gk_sig_alg alg);

/* gk_sig_digest - the digest that is signed instead of *@data takes its place; it
 * is in @room.  With GK_HASH_NONE, *@data itself is signed.  A context that is told
 * the digest only, and not to make it, can be used again (gk_sig_ctx.h).  Not for
 * Ed25519. */
GK_MUST_CHECK enum gk_err gk_sig_digest(struct gk_sig_alg alg,
                                        struct gk_slice *data,
                                        uint8_t room[GK_HASH_MAX]);

#endif /* GK_SIG_FORM_H */
