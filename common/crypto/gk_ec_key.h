/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_EC_KEY_H
#define GK_EC_KEY_H

/* Inside common/crypto only. */
#include "common/crypto/gk_ossl.h"

/*
 * DOC: public keys on the NIST curves
 *
 * The provider's decoder takes a key on a curve through four look-ups by name and
 * makes the curve anew, arithmetic and all; to set up a context that verifies with
 * the key is two more.  With somebody's key, which is new each time, all of that
 * takes a third of the time of verifying with it.  Here is the library's own key
 * (EC_KEY) without what OpenSSL 3 puts around it: each curve is made once, and for a
 * key copied, and the point is put in, which the library sees to be on the curve.
 * Signatures are verified by the same function that the provider calls.
 *
 * These functions are deprecated, for there are others; only here and in gk_rsa_key.c
 * are such used.
 */

/* gk_ec_key_there - has the library these functions?  If it was built without what
 * is deprecated, there is no key made here, and the provider is asked for each. */
bool gk_ec_key_there(void);

/* gk_ec_key - of a SubjectPublicKeyInfo in exactly the form of RFC 5480 section 2: a
 * named curve, an uncompressed point.  NULL for whatever is not that, for a point
 * beside its curve, and without memory: then the provider is to be asked. */
EVP_PKEY *gk_ec_key(struct gk_slice spki);

/* gk_ec_key_put - the same key into a certificate in which it stands, and is not
 * decoded; @spki is what the library would write of it.  False: @x509 is of no use
 * any more. */
bool gk_ec_key_put(X509 *x509, struct gk_slice spki);

/* gk_ec_key_spki - i2d_X509_PUBKEY() of a certificate whose key was put in, without
 * encoding it; the number of octets, 0 for another certificate. */
#define GK_EC_SPKI_MAX 158 /* P-521 */
size_t gk_ec_key_spki(X509 *x509, uint8_t spki[GK_EC_SPKI_MAX]);

/* gk_ec_key_is - is @pkey made by gk_ec_key()?  Then it has no provider. */
bool gk_ec_key_is(const EVP_PKEY *pkey);

/* gk_ec_key_kind - its curve. */
enum gk_key_kind gk_ec_key_kind(const EVP_PKEY *pkey);

/* gk_ec_key_verify - ECDSA over @digest, with a key by gk_ec_key(); @sig is DER.  By
 * any number of threads at a time. */
bool gk_ec_key_verify(const EVP_PKEY *pkey, struct gk_slice digest,
                      struct gk_slice sig);

#endif /* GK_EC_KEY_H */
