/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_RSA_KEY_H
#define GK_RSA_KEY_H

/* Inside common/crypto only. */
#include "common/crypto/gk_ossl.h"

/*
 * DOC: public RSA keys without a decoder
 *
 * What gk_ec_key.h says of keys on curves holds for RSA: the provider reads a key
 * through look-ups by name, and to set up a context that verifies with it is some
 * more: with the caches warm that is half of the time of verifying.  Here is the
 * library's own key (RSA) of two numbers.  Signatures are verified by the functions
 * that the provider calls.
 *
 * A key that is odd in any way is the provider's affair: an even number, an exponent
 * of 1 or of more than 64 bits, a modulus of less than 1,024 or more than 8,192.
 *
 * These functions are deprecated, for there are others; only here and in gk_ec_key.c
 * are such used.
 */

/* gk_rsa_key_there - has the library these functions? */
bool gk_rsa_key_there(void);

/* gk_rsa_key - of a SubjectPublicKeyInfo in exactly the form of RFC 3279 section
 * 2.3.1, in DER: rsaEncryption with NULL, two positive numbers.  NULL for whatever is
 * not that, for odd keys, and without memory: then the provider is to be asked. */
EVP_PKEY *gk_rsa_key(struct gk_slice spki);

/* gk_rsa_key_put - the same key into a certificate in which it stands, and is not
 * decoded; @spki is what the library would write of it.  False: @x509 is of no use
 * any more. */
bool gk_rsa_key_put(X509 *x509, struct gk_slice spki);

/* gk_rsa_key_is - is @pkey such a key?  Then it has no provider. */
bool gk_rsa_key_is(const EVP_PKEY *pkey);

/* gk_rsa_key_knows - can gk_rsa_key_verify() verify @alg?  Not PSS, and not with MD5
 * or SHA-1, which a provider may have been told to refuse. */
bool gk_rsa_key_knows(struct gk_sig_alg alg);

/* gk_rsa_key_verify - by @alg over @data, which is the digest, or with GK_HASH_NONE
 * what is padded without a DigestInfo (RFC 2409 section 5.1).  @pkey: gk_rsa_key_is().
 * By any number of threads at a time. */
bool gk_rsa_key_verify(const EVP_PKEY *pkey, struct gk_sig_alg alg,
                       struct gk_slice data, struct gk_slice sig);

#endif /* GK_RSA_KEY_H */
