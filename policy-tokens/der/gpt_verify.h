/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_VERIFY_H
#define GPT_VERIFY_H

#include "policy-tokens/der/gpt_der.h"

struct gk_cert;
struct gk_certs;
struct gk_signer;
struct gk_trust;
struct gk_identity;

/*
 * DOC: signed tokens - RFC 4534 section 2, RFC 4535 sections 4.4 and 5.2.1.2
 *
 * A signed token is a CMS SignedData with content type GPT_OID_TOKEN and
 * exactly one signer, the Group Owner.  Whoever receives one treats it as if
 * an attacker had brought it: nothing in it is looked at before the signature
 * has verified with the Group Owner's certificate.
 */

#define GPT_DIGEST_LEN 32 /* SHA-256 */

/* The newest token of a group that was accepted; it goes to durable storage
 * and never back.  All zero: no token was seen yet. */
struct gpt_seen {
	bool any;
	bool has_edition;
	int64_t edition;
	int64_t signing_time;           /* seconds since 1970 */
	uint8_t digest[GPT_DIGEST_LEN]; /* SHA-256 of the signed token */
};

/* Whom to believe: local configuration ("GO identity"). */
struct gpt_owner {
	/* The Group Owner's identity; the signer's certificate must carry it
	 * and have a valid path in @trust.  NULL: any name, @cert decides. */
	const struct gk_identity *id;
	/* When not NULL: exactly this certificate signs, no other. */
	const struct gk_cert *cert;
	const struct gk_trust *trust;
	bool allow_sha1;       /* Suite 1 (DSA with SHA-1) */
	bool bare_signed_data; /* pt_form `signeddata`, not `contentinfo` */
	bool edition_reject;   /* edition_equal `reject`: no token twice */
	size_t cap;            /* largest signed token; 0: GPT_TOKEN_CAP */
	/* The group the token is for; empty: not checked. */
	struct gk_slice group_name;
};

struct gpt_verified {
	struct gpt_token *token; /* the caller frees it */
	struct gk_buf der;       /* the Token that was signed */
	struct gpt_seen seen;    /* what to store as the new "last seen" */
	bool identical;          /* the very token that @last describes */
	struct gk_cert *signer;  /* a reference; gk_cert_free() */
};

void gpt_verified_free(struct gpt_verified *v);

/**
 * gpt_token_verify - accept or refuse a signed token.
 * @cms:  the octets as received
 * @last: the newest token accepted before, or NULL / all zero
 * @now:  seconds since 1970, for certificate validity
 * @out:  filled in on success only
 * @why:  may be NULL
 *
 * In this order: size; DER and SignedData shape (RFC4534-2-03, -04, -06, -07);
 * signer is the expected Group Owner (-2-08) with a valid path; signature
 * (-2-10); the Token itself; group; edition greater than the last (-3.1-03)
 * and signing-time later than the last (-2-09), unless the token is octet for
 * octet the last one (edition_equal `accept_identical`).
 *
 * Once a group's tokens carry editions, one without is refused.
 *
 * Return: GK_OK; GK_ERR_SPACE, GK_ERR_VALUE, GK_ERR_AUTH, GK_ERR_REPLAY,
 * GK_ERR_POLICY (another group's token), GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_token_verify(struct gk_slice cms,
                                           const struct gpt_owner *owner,
                                           const struct gpt_seen *last,
                                           int64_t now,
                                           struct gpt_verified *out,
                                           struct gpt_fault *why);

/**
 * gpt_token_peek - decode a signed token without believing it.
 *
 * For display only: nothing of the result is authentic, the date included.
 */
GK_MUST_CHECK enum gk_err gpt_token_peek(struct gk_slice cms,
                                         struct gpt_token **token,
                                         int64_t *signing_time,
                                         struct gpt_fault *why);

/**
 * gpt_token_restore - a token from a store of one's own, where it was put after
 * gpt_token_verify().
 *
 * Neither the signature nor a certificate is looked at: what was in force goes
 * on being what the next token is compared with, even when the Group Owner's
 * certificate has expired since, or has been replaced.
 */
GK_MUST_CHECK enum gk_err gpt_token_restore(struct gk_slice cms,
                                            struct gpt_verified *out,
                                            struct gpt_fault *why);

/**
 * gpt_token_sign - wrap the DER of a Token (RFC4534-2-02 to -07).
 * @signing_time: seconds since 1970
 * @cms: must be empty; a ContentInfo, or a bare SignedData when @bare
 */
GK_MUST_CHECK enum gk_err gpt_token_sign(struct gk_slice der,
                                         const struct gk_signer *signer,
                                         const struct gk_cert *cert,
                                         int64_t signing_time, bool bare,
                                         struct gk_buf *cms,
                                         struct gpt_fault *why);

/* gpt_token_sign_chain - the same with a list of certificates: the first is the
 * signer's, the others, but for self-issued ones, travel along so that nobody
 * needs to have them. */
GK_MUST_CHECK enum gk_err gpt_token_sign_chain(struct gk_slice der,
                                               const struct gk_signer *signer,
                                               const struct gk_certs *chain,
                                               int64_t signing_time, bool bare,
                                               struct gk_buf *cms,
                                               struct gpt_fault *why);

#endif /* GPT_VERIFY_H */
