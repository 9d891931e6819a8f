/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TRUST_IMPL_H
#define GK_TRUST_IMPL_H

/* Inside common/crypto only: shared by gk_trust.c and gk_path.c. */
#include <pthread.h>
#include <string.h>

#include "common/crypto/gk_ossl.h"
#include "common/crypto/gk_trust.h"

#define GK_CRL_MAX_LEN (1 << 24)

/* What is asked about a CRL for each path, and never changes. */
struct gk_crl_facts {
	uint8_t id[GK_CERT_ID_LEN]; /* SHA-256 of its octets */
	/* A whole list of its issuer's for everything that he issued: then
	 * whether it can be used does not depend on the certificate. */
	bool plain;
	bool exact; /* dates in the forms of RFC 5280 section 5.1.2.4 */
	int64_t from, until;
};

/* Owns what is in it. */
struct gk_crls {
	STACK_OF(X509_CRL) * stack;
	struct gk_crl_facts *facts; /* about each one */
};

struct gk_trust {
	struct gk_trust_policy policy;
	struct gk_certs anchors, intermediates, raw, authorities;
	X509_STORE *store;     /* the anchors */
	pthread_rwlock_t lock; /* over crls */
	struct gk_crls crls;   /* only ever grows */
};

/* gk_crls_add - takes a reference of its own. */
enum gk_err gk_crls_add(struct gk_crls *crls, X509_CRL *crl,
                        const struct gk_crl_facts *facts);
bool gk_crls_have(const struct gk_crls *crls, const uint8_t id[GK_CERT_ID_LEN]);
void gk_crls_clear(struct gk_crls *crls);
/* gk_crl_id - SHA-256 of a CRL's octets. */
enum gk_err gk_crl_id(struct gk_slice der, uint8_t id[GK_CERT_ID_LEN]);
/* gk_crl_facts - all but the id. */
void gk_crl_facts(X509_CRL *crl, struct gk_crl_facts *facts);
/* gk_crl_in_force - at @utc; the seconds of thisUpdate and nextUpdate count. */
bool gk_crl_in_force(const struct gk_crl_facts *facts, int64_t utc);

/* gk_crl_parse - all of @der; NULL when it is none, or signed with what the
 * policy forbids. */
X509_CRL *gk_crl_parse(const struct gk_trust_policy *policy,
                       struct gk_slice der);

#endif /* GK_TRUST_IMPL_H */
