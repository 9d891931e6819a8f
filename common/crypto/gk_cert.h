/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CERT_H
#define GK_CERT_H

#include "common/crypto/gk_sign.h"

/*
 * DOC: X.509 certificates (RFC 5280), parsed and immutable
 *
 * A struct gk_cert is made from octets, never changes, and is counted; slices
 * got from it live as long as it does.  Parsing says nothing about trust: that
 * is gk_trust.h.
 */
struct gk_cert;

#define GK_CERT_MAX_LEN 65536 /* longer ones are refused unread */
#define GK_CERT_ID_LEN 32     /* of a fingerprint */

/* gk_cert_from_der - exactly one certificate and nothing after it.
 * GK_ERR_VALUE when it is none, or has no key that the provider can read. */
GK_MUST_CHECK enum gk_err gk_cert_from_der(struct gk_slice der,
                                           struct gk_cert **cert);

/*
 * Raw keys.  A key may be believed without a certificate around it, because an
 * operator said whose it is (gk_trust_add_raw_key()).  It stands where a
 * certificate stands: its DER is the RSAPublicKey of PKCS #1 (IKEv2 section 3.6,
 * "Raw RSA Key"), its key identifier is the SHA-1 of that, it has no names, may
 * be used for anything and never ends.
 */
#define GK_RAW_KEY_MAX_LEN 4096

/* gk_cert_from_raw_key - exactly one RSAPublicKey in DER; GK_ERR_VALUE. */
GK_MUST_CHECK enum gk_err gk_cert_from_raw_key(struct gk_slice der,
                                               struct gk_cert **cert);
/* gk_cert_of_pubkey - GK_ERR_VALUE when it is no RSA key. */
GK_MUST_CHECK enum gk_err gk_cert_of_pubkey(const struct gk_pubkey *pub,
                                            struct gk_cert **cert);
/* gk_cert_from_key_file - a public key, PEM (PUBLIC KEY, RSA PUBLIC KEY) or an
 * RSAPublicKey in DER. */
GK_MUST_CHECK enum gk_err gk_cert_from_key_file(struct gk_slice in,
                                                struct gk_cert **cert);
/* gk_cert_from_stored - whichever of the two gk_cert_der() once gave. */
GK_MUST_CHECK enum gk_err gk_cert_from_stored(struct gk_slice der,
                                              struct gk_cert **cert);
bool gk_cert_is_raw(const struct gk_cert *cert);

/* struct gk_certs - an owned list. A zeroed one is empty and valid. */
struct gk_certs {
	struct gk_cert **cert;
	size_t n;
};

/* gk_certs_add - takes a reference of its own. */
GK_MUST_CHECK enum gk_err gk_certs_add(struct gk_certs *certs,
                                       const struct gk_cert *cert);
void gk_certs_free(struct gk_certs *certs);

/* gk_certs_from_pem - append every certificate of a PEM file's octets (or one
 * DER certificate).  GK_ERR_VALUE when there is none or one is broken; then
 * @certs is as before. */
GK_MUST_CHECK enum gk_err gk_certs_from_pem(struct gk_slice pem,
                                            struct gk_certs *certs);

struct gk_cert *gk_cert_ref(const struct gk_cert *cert);
void gk_cert_free(struct gk_cert *cert); /* drops one reference; NULL is fine */

struct gk_slice gk_cert_der(const struct gk_cert *cert);
struct gk_slice gk_cert_subject(const struct gk_cert *cert); /* DER Name */
struct gk_slice gk_cert_issuer(const struct gk_cert *cert);  /* DER Name */
/* gk_cert_serial - magnitude, big-endian, no leading zero octets; empty for a
 * serial number that is zero or negative (RFC 5280 allows neither). */
struct gk_slice gk_cert_serial(const struct gk_cert *cert);
/* gk_cert_serial_der - contents octets of the INTEGER, as they stand. */
struct gk_slice gk_cert_serial_der(const struct gk_cert *cert);
const struct gk_pubkey *gk_cert_pubkey(const struct gk_cert *cert);

/* gk_cert_key_id - the SubjectKeyIdentifier, or SHA-1 of the subjectPublicKey
 * bits (RFC 5280 section 4.2.1.2, method 1) where there is none. Never empty. */
struct gk_slice gk_cert_key_id(const struct gk_cert *cert);
/* gk_cert_has_ski - did it come from the extension? */
bool gk_cert_has_ski(const struct gk_cert *cert);

int64_t gk_cert_not_before(const struct gk_cert *cert); /* seconds since 1970 */
int64_t gk_cert_not_after(const struct gk_cert *cert);
bool gk_cert_is_ca(const struct gk_cert *cert);
bool gk_cert_is_self_issued(const struct gk_cert *cert);

/* keyUsage, bit 0 of RFC 5280 section 4.2.1.3 first. */
#define GK_KU_DIGITAL_SIGNATURE 0x001u
#define GK_KU_NON_REPUDIATION 0x002u
#define GK_KU_KEY_ENCIPHERMENT 0x004u
#define GK_KU_DATA_ENCIPHERMENT 0x008u
#define GK_KU_KEY_AGREEMENT 0x010u
#define GK_KU_KEY_CERT_SIGN 0x020u
#define GK_KU_CRL_SIGN 0x040u
#define GK_KU_ANY 0x1ffu /* what a certificate without the extension may do */
unsigned gk_cert_key_usage(const struct gk_cert *cert);

/* The kinds of subjectAltName that something here can use. */
enum gk_san_kind { GK_SAN_DNS, GK_SAN_RFC822, GK_SAN_IP };
struct gk_san {
	enum gk_san_kind kind;
	struct gk_slice value; /* text, or 4 or 16 octets */
};

/* gk_cert_san - number @i of them, in order; false past the last. */
bool gk_cert_san(const struct gk_cert *cert, size_t i, struct gk_san *san);

/* gk_cert_fingerprint - SHA-256 of the DER. */
void gk_cert_fingerprint(const struct gk_cert *cert,
                         uint8_t out[GK_CERT_ID_LEN]);
bool gk_cert_equal(const struct gk_cert *a, const struct gk_cert *b);

/* gk_cert_signed_legacy - is the certificate's own signature made with MD5,
 * SHA-1 or DSA? */
bool gk_cert_signed_legacy(const struct gk_cert *cert);

#endif /* GK_CERT_H */
