/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CMS_H
#define GK_CMS_H

#include "common/crypto/gk_cert.h"

/*
 * DOC: CMS SignedData - RFC 5652 section 5, in the one form used here
 *
 * DER throughout, exactly one SignerInfo, signed attributes always present:
 * content-type, message-digest and signing-time, once each, one value each.
 * Algorithms: RSA PKCS#1 v1.5, ECDSA, DSA (RFC 3370, RFC 5754, RFC 5753) and
 * Ed25519 (RFC 8419).
 *
 * What arrives is read by a strict DER reader of this room: BER forms,
 * indefinite lengths, unsorted sets, and octets after the end are refused with
 * their offset.  Nothing is believed before gk_cms_verify() returned GK_OK;
 * gk_cms_peek_untrusted() exists to find out which certificate to ask for, and
 * to show a stranger's token under a warning.
 */
#define GK_CMS_MAX_LEN (1u << 20) /* longer ones are refused unread */
#define GK_CMS_MAX_CERTS 16

#define GK_CMS_DETACHED 0x01u /* the content travels elsewhere */
#define GK_CMS_BARE 0x02u     /* SignedData without the ContentInfo around it */
#define GK_CMS_SID_KEY_ID 0x04u /* name the signer by SubjectKeyIdentifier */
#define GK_CMS_NO_CERT 0x08u    /* do not include the signer's certificate */
#define GK_CMS_LEGACY 0x10u     /* verify: SHA-1, MD5 and DSA may be used */

struct gk_cms_signing {
	const struct gk_signer *signer;
	struct gk_sig_alg alg;
	const struct gk_cert
		*cert; /* the signer's; its key must be the signer's */
	const char *content_type; /* dotted decimal */
	int64_t signing_time;     /* seconds since 1970, year 0000 to 9999 */
	const struct gk_certs *extra; /* more to include, or NULL */
	unsigned flags;
};

/**
 * gk_cms_sign - @out is a new buffer with the DER.
 *
 * Return: GK_OK; GK_ERR_VALUE when key, algorithm and certificate do not belong
 * together, the content type is no OID, the digest has no place in CMS, or
 * GK_CMS_SID_KEY_ID was asked of a certificate without the extension.
 */
GK_MUST_CHECK enum gk_err gk_cms_sign(const struct gk_cms_signing *signing,
                                      struct gk_slice content,
                                      struct gk_buf *out);

/* Slices point into the octets that were given. */
struct gk_cms {
	char content_type[128]; /* dotted decimal */
	bool bare;              /* there was no ContentInfo */
	bool detached;          /* there was no content */
	struct gk_slice content;
	struct gk_slice cert[GK_CMS_MAX_CERTS]; /* DER, as included */
	size_t n_certs;
	struct gk_slice sid_issuer; /* DER Name; empty when by key identifier */
	struct gk_slice sid_serial; /* contents octets of the INTEGER */
	struct gk_slice sid_key_id;
	struct gk_sig_alg alg; /* what the SignerInfo says */
	int64_t signing_time;
	struct gk_slice signed_attrs; /* DER, with the tag as transmitted */
	struct gk_slice digest;       /* the message-digest attribute */
	struct gk_slice signature;
};

#define GK_CMS_FAULT_LIST(X)                                                \
	X(NONE, "no fault")                                                 \
	X(SIZE, "larger than is accepted")                                  \
	X(ENCODING, "not the strict DER of a SignedData")                   \
	X(FORM, "ContentInfo or bare SignedData, but not the one expected") \
	X(SIGNERS, "there is not exactly one signer")                       \
	X(CONTENT_TYPE, "the content is of another type")                   \
	X(CONTENT, "content absent where it was expected, or the reverse")  \
	X(ATTRIBUTES, "a signed attribute is missing, doubled or wrong")    \
	X(ALGORITHM, "an algorithm is not known or does not fit the key")   \
	X(LEGACY, "SHA-1, MD5 or DSA, which local policy forbids")          \
	X(SIGNER, "signed by somebody else than expected")                  \
	X(DIGEST, "the content is not what was signed")                     \
	X(SIGNATURE, "the signature is bad")

enum gk_cms_fault_kind {
#define X(name, text) GK_CMS_FAULT_##name,
	GK_CMS_FAULT_LIST(X)
#undef X
};

struct gk_cms_fault {
	enum gk_cms_fault_kind kind;
	const char *text; /* the line above; static */
	const char
		*field; /* the standard's name of what was being read; static */
	size_t offset;  /* octets from the start, for ENCODING */
};

/**
 * gk_cms_peek_untrusted - decode without verifying anything.
 *
 * Whatever is in @cms may be a forgery.
 *
 * Return: GK_OK; GK_ERR_VALUE, with *@why (unless NULL) filled in.
 */
GK_MUST_CHECK enum gk_err gk_cms_peek_untrusted(struct gk_slice der,
                                                struct gk_cms *cms,
                                                struct gk_cms_fault *why);

struct gk_cms_expect {
	const char *content_type; /* dotted decimal */
	/* Who may have signed; already validated by the caller. */
	const struct gk_cert *const *signer;
	size_t n_signers;
	struct gk_slice content; /* with GK_CMS_DETACHED: what was signed */
	unsigned flags;          /* DETACHED, BARE, LEGACY */
};

/**
 * gk_cms_verify - decode and verify.
 * @cms:    filled in on success
 * @signer: on success, which of @expect->signer it was; NULL if not wanted
 *
 * Return: GK_OK; GK_ERR_AUTH for SIGNER, DIGEST and SIGNATURE; GK_ERR_POLICY
 * for LEGACY; GK_ERR_VALUE for the rest; *@why (unless NULL) says which.
 */
GK_MUST_CHECK enum gk_err gk_cms_verify(struct gk_slice der,
                                        const struct gk_cms_expect *expect,
                                        struct gk_cms *cms,
                                        const struct gk_cert **signer,
                                        struct gk_cms_fault *why);

#endif /* GK_CMS_H */
