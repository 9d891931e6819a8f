/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CMS_OID_H
#define GK_CMS_OID_H

#include "common/crypto/gk_cms.h"

/*
 * Inside common/crypto only: the object identifiers of CMS, and which algorithm
 * identifiers stand for which gk_sig_alg.  Slices hold the contents octets of
 * the OID and are static.
 */
extern const struct gk_slice gk_oid_signed_data;
extern const struct gk_slice gk_oid_attr_content_type;
extern const struct gk_slice gk_oid_attr_message_digest;
extern const struct gk_slice gk_oid_attr_signing_time;

/* gk_cms_digest_oid - NULL slice when the digest has no place in CMS. */
struct gk_slice gk_cms_digest_oid(enum gk_hash hash);
enum gk_hash gk_cms_digest_of(struct gk_slice oid); /* or GK_HASH_NONE */

/* gk_cms_digest_for - the digest of content and attributes that goes with an
 * algorithm: its own, but SHA-512 for Ed25519 (RFC 8419 section 2.3). */
enum gk_hash gk_cms_digest_for(struct gk_sig_alg alg);

/* gk_cms_signature_oid - the identifier to send; whether it has a NULL for
 * parameters or none. */
struct gk_slice gk_cms_signature_oid(struct gk_sig_alg alg, bool *null);

/*
 * gk_cms_signature_of - what a received pair of identifiers means.
 *
 * An EC identifier does not name the curve: ECDSA is reported as P-256, and the
 * key decides.  False when the pair means nothing known, or contradicts itself.
 */
bool gk_cms_signature_of(struct gk_slice oid, enum gk_hash digest,
                         struct gk_sig_alg *alg);

#endif /* GK_CMS_OID_H */
