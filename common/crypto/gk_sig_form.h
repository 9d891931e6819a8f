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

/* gk_sig_set_padding - RSA padding of @alg on a context that is initialised. */
GK_MUST_CHECK enum gk_err gk_sig_set_padding(EVP_PKEY_CTX *ctx,
                                             struct gk_sig_alg alg);

/* gk_sig_md - the digest the provider is told; NULL for Ed25519 and NONE. */
const EVP_MD *gk_sig_md(struct gk_sig_alg alg);
/* gk_sig_prehashed - is the data to be taken as it is? */
bool gk_sig_prehashed(struct gk_sig_alg alg);
/* gk_sig_digest_apart - is it the same to make the digest first and sign that?
 * It is for ECDSA, and quicker: a context that knows the digest looks it up
 * twice, by name.  In PKCS#1 the name of the digest is signed, too. */
bool gk_sig_digest_apart(struct gk_sig_alg alg);

#endif /* GK_SIG_FORM_H */
