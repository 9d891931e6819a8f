/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_VERIFY_H
#define GSAKMP_ENGINE_VERIFY_H

#include "gsakmp/engine/material.h"
#include "gsakmp/engine/member.h"
#include "gsakmp/engine/party.h"
#include "gsakmp/message/build.h"
#include "gsakmp/message/signing.h"

/*
 * DOC: who signed this - RFC 4535 sections 7.7.2 and 7.8.2
 *
 * The steps between a decoded message and an authenticated sender, each a
 * function, because the sections of the RFC put them in different orders:
 *
 *     gsakmp_signer_find      the certificate that carries the Signer ID
 *     gsakmp_signer_path      its path to a configured root
 *     gsakmp_signer_check     the signature, under the mechanism expected
 *
 * Access control goes between them, with the names first (cheap) and the
 * authorities as soon as the path is known.
 */
struct gsakmp_signer {
	struct gk_identity id; /* Signer ID; points into the datagram */
	uint8_t id_type;       /* Table 19 */
	struct gk_cert *cert;  /* a reference */
	struct gk_buf key;     /* canonical name, see member.h */
	struct gk_path path;
	struct gk_slice ca[GK_PATH_MAX]; /* key identifiers, from @path */
	struct gpt_party party; /* for the access rules; CAs and permissions
	                         * after _path() */
	struct gk_buf grants;   /* attribute certificates that gave them */
	uint32_t until; /* when something of the path, or they, expires */
	struct gsakmp_material material;
	bool fetch; /* an error that stands for: fetch @material.wanted first */
};

/* What a verification needs besides the message. */
struct gsakmp_verify {
	const struct gsakmp_party *party;
	const struct gsakmp_dialect *dialect;
	/* Used when the message brings no certificate for its Signer ID. */
	const struct gk_cert *fallback;
	uint16_t signature; /* Table 21: the type that policy wants */
	int64_t utc;
	uint64_t mono_ms;
	struct gsakmp_fetched *fetched; /* NULL: no hash-and-URL */
};

/* A zeroed signer is empty; gsakmp_signer_clear() frees what the steps took. */
void gsakmp_signer_clear(struct gsakmp_signer *signer);

/* gsakmp_signer_name - Signer ID and party alone, for checks by name. */
void gsakmp_signer_name(const struct gsakmp_message *msg,
                        struct gsakmp_signer *signer);

/**
 * gsakmp_signer_find - the certificate, from the message or the fallback.
 *
 * "Which certificate is the signer's": the one whose subject is the Signer ID.
 * A trust anchor is never taken from a message (RFC4535-7.7.2-05).  Octets that
 * are only named by hash and URL, and that the certificate or its path could be
 * among, are wanted first: any error and signer->fetch, and nothing is refused.
 *
 * Return: GK_OK; GK_ERR_AUTH with Certificate-Unavailable or Cert-Type-
 * Unsupported; GK_ERR_VALUE for a certificate that cannot be read.
 */
GK_MUST_CHECK enum gk_err gsakmp_signer_find(const struct gsakmp_verify *v,
                                             const struct gsakmp_message *msg,
                                             struct gsakmp_signer *signer,
                                             struct gsakmp_reject *why);
/* gsakmp_signer_path - validate the path; RFC4535-7.8.2-07. */
GK_MUST_CHECK enum gk_err gsakmp_signer_path(const struct gsakmp_verify *v,
                                             const struct gsakmp_message *msg,
                                             struct gsakmp_signer *signer,
                                             struct gsakmp_reject *why);
/* gsakmp_signer_check - Signature Type, then the signature; RFC4535-7.8.2-06. */
GK_MUST_CHECK enum gk_err gsakmp_signer_check(const struct gsakmp_verify *v,
                                              const struct gsakmp_message *msg,
                                              struct gsakmp_signer *signer,
                                              struct gsakmp_reject *why);

/* gsakmp_party_sign - how this party signs; @ders has room for
 * GSAKMP_CERTIFICATES_MAX slices and outlives @sign. */
void gsakmp_party_sign(const struct gsakmp_party *party, uint16_t signature,
                       bool with_certs, int64_t utc, struct gk_slice *ders,
                       struct gsakmp_sign *sign);
struct gk_slice gsakmp_party_signer_id(const struct gsakmp_party *party);

/* Freshness and policy failures carry codes that a dialect chooses. */
enum gsakmp_notify gsakmp_notify_freshness(const struct gsakmp_dialect *d);
enum gsakmp_notify gsakmp_notify_bad_cert(const struct gsakmp_dialect *d);

/* gsakmp_suite_extra - does it use code points of this project? */
bool gsakmp_suite_extra(const struct gsakmp_suite *suite);

#endif /* GSAKMP_ENGINE_VERIFY_H */
