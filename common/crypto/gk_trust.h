/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TRUST_H
#define GK_TRUST_H

#include "common/crypto/gk_cert.h"

/*
 * DOC: certificate paths to configured roots - RFC 5280 section 6
 *
 * A struct gk_trust is what the operator configured: anchors, intermediates,
 * CRLs and a policy.  An anchor need not be self-signed.  Time comes from the
 * caller, like everywhere.
 *
 * Set it up first, share it then: gk_trust_verify() may be called from several
 * threads; so may gk_trust_add_crl(), for CRLs that arrive later.
 */
struct gk_trust_policy {
	/* Every certificate below the anchor needs a CRL that is in force.
	 * When false, a CRL that is there still counts, one that is missing
	 * or out of date does not matter. */
	bool require_crl;
	/* MD5, SHA-1 and DSA under certificates and CRLs.  RFC 4535's Suite 1
	 * needs it. */
	bool allow_legacy;
	unsigned min_rsa_bits; /* 0 stands for 2048, or 1024 with legacy */
	unsigned min_dsa_bits; /* 0 stands for 2048, or 1024 with legacy */
	unsigned max_path;     /* certificates on a path; 0 stands for 8 */
};

#define GK_PATH_MAX 16

/* A validated path: the leaf first, the anchor last.  Holds references. */
struct gk_path {
	struct gk_cert *cert[GK_PATH_MAX];
	size_t n;
};

void gk_path_free(struct gk_path *path);
/* gk_path_has_ca - is a CA with this key identifier on the path?  The leaf does
 * not count, the anchor does. */
bool gk_path_has_ca(const struct gk_path *path, struct gk_slice key_id);

#define GK_CERT_FAULT_LIST(X)                                              \
	X(NONE, "no fault")                                                \
	X(EXPIRED, "the certificate has expired")                          \
	X(NOT_YET_VALID, "the certificate is not valid yet")               \
	X(REVOKED, "the certificate is revoked")                           \
	X(CRL_MISSING, "there is no CRL of the issuer")                    \
	X(CRL_EXPIRED, "the CRL of the issuer is not in force")            \
	X(CRL_INVALID, "the CRL of the issuer does not verify")            \
	X(UNKNOWN_ROOT, "no path to a configured root")                    \
	X(BAD_SIGNATURE, "the signature under the certificate is bad")     \
	X(KEY_USAGE, "the key may not be used for this (keyUsage)")        \
	X(NOT_A_CA, "the issuer is not a certification authority")         \
	X(PATH_TOO_LONG, "the path is too long")                           \
	X(NAME, "the name is not permitted (name constraints)")            \
	X(WEAK_KEY, "the key is too short for local policy")               \
	X(WEAK_SIGNATURE, "signed with an algorithm local policy forbids") \
	X(ANCHOR, "a trust anchor was offered as the party's certificate") \
	X(EXTENSION, "a critical extension or policy is not understood")   \
	X(OTHER, "the path does not validate")

enum gk_cert_fault_kind {
#define X(name, text) GK_CERT_FAULT_##name,
	GK_CERT_FAULT_LIST(X)
#undef X
};

struct gk_cert_fault {
	enum gk_cert_fault_kind kind;
	const char *text;   /* the line above; static */
	const char *detail; /* the provider's words, or NULL; static */
	int depth;          /* 0 is the leaf */
	char subject
		[128]; /* of the certificate at fault; printable, may be cut */
};

struct gk_trust;

/* gk_trust_new - the policy is copied; NULL means all defaults (strict). */
GK_MUST_CHECK enum gk_err gk_trust_new(const struct gk_trust_policy *policy,
                                       struct gk_trust **trust);
void gk_trust_free(struct gk_trust *trust);

GK_MUST_CHECK enum gk_err gk_trust_add_anchor(struct gk_trust *trust,
                                              const struct gk_cert *cert);
GK_MUST_CHECK enum gk_err gk_trust_add_intermediate(struct gk_trust *trust,
                                                    const struct gk_cert *cert);
/* gk_trust_add_crl - PEM (all in it) or DER/BER (one); GK_ERR_VALUE if none.
 * Its signature is checked when it is used. */
GK_MUST_CHECK enum gk_err gk_trust_add_crl(struct gk_trust *trust,
                                           struct gk_slice crl);

/* gk_trust_add_raw_key - believe a raw key (gk_cert.h) as it is.  Whose it is,
 * the caller has to know: the key itself names nobody. */
GK_MUST_CHECK enum gk_err gk_trust_add_raw_key(struct gk_trust *trust,
                                               const struct gk_cert *cert);

/* gk_trust_add_authority - believe the attribute certificates (gk_acert.h) that
 * this certificate's key has signed.  It needs a path to an anchor itself, and
 * must be no CA (RFC 5755 section 4.5). */
GK_MUST_CHECK enum gk_err gk_trust_add_authority(struct gk_trust *trust,
                                                 const struct gk_cert *cert);

/* gk_trust_is_anchor - a received certificate that is one of the anchors must
 * not be used to verify a message (RFC 4535 section 7.7.2 item 3). */
bool gk_trust_is_anchor(const struct gk_trust *trust,
                        const struct gk_cert *cert);
/* gk_trust_cert - like gk_cert_from_der(), but a configured certificate is not
 * parsed again: members send those of their authorities along. */
GK_MUST_CHECK enum gk_err gk_trust_cert(const struct gk_trust *trust,
                                        struct gk_slice der,
                                        struct gk_cert **cert);
/* gk_trust_anchors - borrowed, for listings. */
const struct gk_certs *gk_trust_anchors(const struct gk_trust *trust);

/* What a peer sent along; both may be NULL.  Nothing in here is trusted: extra
 * certificates only help to build a path, extra CRLs only add revocations that
 * their issuer signed, and forged ones are passed over. */
struct gk_trust_extra {
	const struct gk_certs *certs;
	const struct gk_slice *crls; /* DER or BER, one each */
	size_t n_crls;
};

/**
 * gk_trust_verify - build and validate a path from @leaf to an anchor.
 * @extra: certificates and CRLs from the peer, or NULL
 * @utc:   now, seconds since 1970
 *         A raw key that was added is a path of two, itself twice: it is its own
 *         authority.  One that was not is GK_CERT_FAULT_UNKNOWN_ROOT.
 * @usage: GK_KU_* bits that the leaf must all have (a certificate without the
 *         extension has all); 0 for none
 * @path:  filled in on success, for gk_path_free(); NULL if not wanted
 * @why:   filled in on failure; NULL if not wanted
 *
 * Return: GK_OK; GK_ERR_POLICY for a weak key or signature and for key usage,
 * GK_ERR_AUTH for every other fault of the path; GK_ERR_NOMEM, GK_ERR_CRYPTO.
 */
GK_MUST_CHECK enum gk_err gk_trust_verify(const struct gk_trust *trust,
                                          const struct gk_cert *leaf,
                                          const struct gk_trust_extra *extra,
                                          int64_t utc, unsigned usage,
                                          struct gk_path *path,
                                          struct gk_cert_fault *why);

#endif /* GK_TRUST_H */
