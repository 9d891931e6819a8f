/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PROOF_H
#define GK_PROOF_H

#include "common/crypto/gk_cert.h"

/*
 * DOC: signatures that need not be verified again
 *
 * Inside common/crypto only.  That the key in one certificate made the signature
 * under another certificate, or under a CRL, is true or false of their octets,
 * whatever the time and whoever trusts whom.  Who has verified it once keeps the
 * fact here: the digests (SHA-256) of both, so that other octets are another
 * fact.  Only what verified is kept.  Validity, revocation, names, and to whom a
 * path leads are no part of it and are judged at each use (gk_path.c).
 *
 * There is room for a fixed number of facts in the process; a new one takes the
 * place of an old one.  Those about authorities have a room of their own, so that
 * any number of parties does not push them out.  Any thread may call.
 */
enum gk_proof_room { GK_PROOF_AUTHORITIES, GK_PROOF_PARTIES };

#define GK_PROOF_AUTHORITIES_MAX 256
#define GK_PROOF_PARTIES_MAX 8192

/* What is signed. */
enum gk_proof_kind { GK_PROOF_CERT = 1, GK_PROOF_CRL = 2 };

#define GK_PROOF_LEN (2 * GK_CERT_ID_LEN + 1)

struct gk_proof {
	uint8_t fact[GK_PROOF_LEN];
};

/* gk_proof_of - the fact that the key of the certificate with the digest
 * @issuer signed the object with the digest @object. */
struct gk_proof gk_proof_of(enum gk_proof_kind kind,
                            const uint8_t object[GK_CERT_ID_LEN],
                            const uint8_t issuer[GK_CERT_ID_LEN]);

bool gk_proof_known(enum gk_proof_room room, const struct gk_proof *proof);
void gk_proof_keep(enum gk_proof_room room, const struct gk_proof *proof);

#endif /* GK_PROOF_H */
