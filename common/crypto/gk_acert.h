/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_ACERT_H
#define GK_ACERT_H

#include "common/crypto/gk_trust.h"

/*
 * DOC: X.509 attribute certificates, RFC 5755 (and RFC 3281 before it)
 *
 * What somebody who is trusted for it (an attribute authority) says of the
 * holder of a public-key certificate.  Version 2, strict DER.  Decoding says
 * nothing about trust; gk_acert_verify() is section 5 of RFC 5755.
 *
 * The holder is named by baseCertificateID, by an entityName with its subject,
 * or by objectDigestInfo over its public key or its certificate.  The issuer is
 * a v2Form with one directoryName.  Attribute certificates with a critical
 * extension (targets, audit identity) are refused: nothing here acts on them.
 */
struct gk_acert {
	struct gk_slice der, info; /* all of it; what is signed */
	struct gk_slice issuer;    /* DER Name */
	struct gk_slice serial;    /* contents octets of the INTEGER */
	struct gk_slice sig_alg;   /* DER AlgorithmIdentifier */
	struct gk_slice sig;
	/* The holder; each may be empty. */
	struct gk_slice base_issuer, base_serial; /* DER Name; contents */
	struct gk_slice entity;                   /* DER Name */
	int32_t digest_type; /* 0 a key, 1 a certificate, -1 none */
	struct gk_slice digest_alg, digest;
	int64_t not_before, not_after; /* seconds since 1970 */
	struct gk_slice attributes;    /* contents of the SEQUENCE */
	bool critical;                 /* has a critical extension */
};

#define GK_ACERT_MAX_LEN 65536

/* gk_acert_decode - exactly one; everything points into @der.  GK_ERR_VALUE
 * and the reader's errors when it is none. */
GK_MUST_CHECK enum gk_err gk_acert_decode(struct gk_slice der,
                                          struct gk_acert *acert);

/* gk_acert_holds - is it about the holder of @cert (which may be a raw key)? */
bool gk_acert_holds(const struct gk_acert *acert, const struct gk_cert *cert);

/* gk_acert_attribute - contents of the SET of values of the attribute @oid
 * (contents octets of the OBJECT IDENTIFIER); empty when it is not there. */
struct gk_slice gk_acert_attribute(const struct gk_acert *acert,
                                   struct gk_slice oid);

#define GK_ACERT_FAULT_LIST(X)                                             \
	X(NONE, "no fault")                                                \
	X(HOLDER, "it is about somebody else")                             \
	X(ISSUER, "its issuer is no attribute authority of ours")          \
	X(AUTHORITY, "the attribute authority's certificate is not valid") \
	X(SIGNATURE, "its signature is bad")                               \
	X(VALIDITY, "it is not valid at this time")                        \
	X(EXTENSION, "it has a critical extension that is not understood") \
	X(REVOKED, "it is revoked")                                        \
	X(WEAK, "signed with an algorithm local policy forbids")

enum gk_acert_fault {
#define X(name, text) GK_ACERT_FAULT_##name,
	GK_ACERT_FAULT_LIST(X)
#undef X
};
const char *gk_acert_fault_text(enum gk_acert_fault fault);

/**
 * gk_acert_verify - may we believe what it says of the holder of @holder?
 * @trust: its attribute authorities (gk_trust_add_authority()) are the issuers
 *         that are believed; their own certificates need a path to a root
 * @utc:   now
 *
 * Return: GK_OK; GK_ERR_AUTH or GK_ERR_POLICY with *@fault.
 */
GK_MUST_CHECK enum gk_err gk_acert_verify(const struct gk_acert *acert,
                                          const struct gk_trust *trust,
                                          const struct gk_cert *holder,
                                          int64_t utc,
                                          enum gk_acert_fault *fault);

#endif /* GK_ACERT_H */
