/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_ECDSA_KNOWN_H
#define GK_ECDSA_KNOWN_H

#include <stdatomic.h>

#include "common/crypto/gk_ossl.h"

/*
 * DOC: ECDSA with a key that verifies much
 *
 * Inside common/crypto only.  An authority's key verifies the certificate of each
 * member.  To verify is to multiply two points of the curve, the generator and the
 * key.  For the generator the provider has a table of multiples, and takes a
 * fifth of the time that it takes for the key; for a key that comes again and
 * again it is worth while to have it make one, too.  All arithmetic is the
 * provider's; what is done here is FIPS 186-4 section 6.4, as ANSI X9.62 has it.
 * Nothing in it is secret.
 *
 * P-256 only, where the provider has a fast multiplication with tables.  Whoever
 * has no table is verified by the provider as ever.
 */
#if defined(__x86_64__) || defined(__aarch64__)
#define GK_ECDSA_KNOWN 1
#else
#define GK_ECDSA_KNOWN 0
#endif

/* So many good signatures make a key known.  A table takes as long to make as
 * 300 verifications, and saves half of each. */
#define GK_ECDSA_KNOWN_AFTER 128u
/* A table has 150,000 octets; there are not more at the same time. */
#define GK_ECDSA_KNOWN_MAX 64u

/* Of one key; all zero is a key that is not known. */
struct gk_ecdsa_known {
	atomic_uint good;                    /* signatures until then */
	_Atomic(struct ec_group_st *) table; /* the key is its generator */
};

/* gk_ecdsa_known_good - one more signature of the P-256 key @pkey was good.  From
 * any thread; it is the one that makes the table. */
void gk_ecdsa_known_good(struct gk_ecdsa_known *known, EVP_PKEY *pkey);
/* gk_ecdsa_known_make - at once.  GK_ERR_SPACE: there are too many.  Without a
 * table the key verifies as before. */
enum gk_err gk_ecdsa_known_make(struct gk_ecdsa_known *known, EVP_PKEY *pkey);
bool gk_ecdsa_known_is(const struct gk_ecdsa_known *known);
/* gk_ecdsa_known_verify - @sig is DER.  GK_ERR_AUTH: it is not good; another
 * error: nothing is known of it. */
GK_MUST_CHECK enum gk_err gk_ecdsa_known_verify(
	const struct gk_ecdsa_known *known, struct gk_slice digest,
	struct gk_slice sig);
/* gk_ecdsa_known_free - before the key itself is. */
void gk_ecdsa_known_free(struct gk_ecdsa_known *known);

#endif /* GK_ECDSA_KNOWN_H */
