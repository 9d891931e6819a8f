/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_OSSL_H
#define GK_OSSL_H

/* Inside common/crypto only: the provider's types. */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/crypto/gk_cert.h"

/* gk_ossl_fail - empty the provider's error queue and return @err. */
enum gk_err gk_ossl_fail(enum gk_err err);

/* gk_ossl_count - one more for gk_crypto_operations(). */
void gk_ossl_count(void);

/* gk_ossl_fetch_md, gk_ossl_fetch_cipher - the algorithm of that name; @i says
 * where it is kept, and is always the same for a name. */
const EVP_MD *gk_ossl_fetch_md(unsigned i, const char *name);
const EVP_CIPHER *gk_ossl_fetch_cipher(unsigned i, const char *name);

const EVP_MD *gk_ossl_md(enum gk_hash alg); /* NULL for GK_HASH_NONE */

/* gk_ossl_x509 - d2i_X509(), but faster; NULL when @der does not begin with a
 * certificate. */
X509 *gk_ossl_x509(struct gk_slice der);

/* gk_ossl_plain - d2i_X509(), in the default library context. */
X509 *gk_ossl_plain(struct gk_slice der);

/* gk_ossl_spki - d2i_PUBKEY() of all of @der, but faster; NULL when it is no key.
 * *@as_written: i2d_PUBKEY() would write the same octets. */
EVP_PKEY *gk_ossl_spki(struct gk_slice der, bool *as_written);

/* gk_ossl_home - the library context that a key lives in; NULL is the default
 * one.  Used in another one, a key is first exported and imported, which for a
 * point on a curve takes half as long as verifying with it. */
OSSL_LIB_CTX *gk_ossl_home(const EVP_PKEY *pkey);

/* gk_legacy_cipher - a cipher of the provider's legacy set, by its name; kept
 * in a library context of its own, so that loading it changes nothing for
 * others.  NULL when it is not to be had. */
const EVP_CIPHER *gk_legacy_cipher(const char *name);

EVP_PKEY *gk_pubkey_pkey(const struct gk_pubkey *pub); /* borrowed */
/* gk_pubkey_from_pkey - takes a reference of its own. */
GK_MUST_CHECK enum gk_err gk_pubkey_from_pkey(EVP_PKEY *pkey,
                                              struct gk_pubkey **pub);
GK_MUST_CHECK enum gk_err gk_pubkey_from_x509(X509 *x509,
                                              struct gk_pubkey **pub);
X509 *gk_cert_x509(const struct gk_cert *cert); /* borrowed */
/* gk_cert_id - its fingerprint; lives as long as @cert. */
const uint8_t *gk_cert_id(const struct gk_cert *cert);

/* gk_ossl_time - seconds since 1970.  @exact becomes false unless @t has the form
 * that RFC 5280 section 4.1.2.5 wants: the only ones that the provider can
 * compare.  GK_ERR_VALUE when it is no time. */
GK_MUST_CHECK enum gk_err gk_ossl_time(const ASN1_TIME *t, int64_t *utc,
                                       bool *exact);
/* gk_cert_dates - its validity; false when X509_cmp_time() has to be asked. */
bool gk_cert_dates(const struct gk_cert *cert, int64_t *not_before,
                   int64_t *not_after);

/* gk_ossl_sigalg_legacy - is a signature algorithm of X.509 made with MD5, SHA-1
 * or DSA, or with something unknown? */
bool gk_ossl_sigalg_legacy(int nid);

#endif /* GK_OSSL_H */
