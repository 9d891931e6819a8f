/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TRUST_IMPL_H
#define GK_TRUST_IMPL_H

/* Inside common/crypto only: shared by gk_trust.c and gk_path.c. */
#include <pthread.h>
#include <string.h>

#include "common/crypto/gk_ossl.h"
#include "common/crypto/gk_trust.h"

#define GK_CRL_MAX_LEN (1 << 24)

struct gk_trust {
	struct gk_trust_policy policy;
	struct gk_certs anchors, intermediates, raw, authorities;
	X509_STORE *store;         /* the anchors */
	pthread_rwlock_t lock;     /* over crls */
	STACK_OF(X509_CRL) * crls; /* only ever grows */
};

/* gk_crl_parse - all of @der; NULL when it is none, or signed with what the
 * policy forbids. */
X509_CRL *gk_crl_parse(const struct gk_trust_policy *policy,
                       struct gk_slice der);

#endif /* GK_TRUST_IMPL_H */
