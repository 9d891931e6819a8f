/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PATH_IMPL_H
#define GK_PATH_IMPL_H

/* Inside common/crypto only: shared by gk_path.c and gk_path_check.c. */
#include <openssl/x509_vfy.h>

#include "common/crypto/gk_trust_impl.h"

/* One run of the provider over one path. */
struct gk_path_run {
	const struct gk_trust *trust;
	const struct gk_cert *leaf;
	const struct gk_trust_extra *extra; /* or NULL */
	int64_t utc;
	struct gk_crls crls; /* the configured ones and the peer's */
	unsigned complaints; /* of the provider */
};

/* gk_path_hook - let the provider ask here about signatures, about CRLs and
 * about what it complains of.  @run must live as long as @ctx.  False when the
 * provider does not let itself be asked. */
bool gk_path_hook(X509_STORE_CTX *ctx, struct gk_path_run *run);

/* gk_path_cert - our object for a certificate of the provider's path; NULL if it
 * is none that was given to it. */
const struct gk_cert *gk_path_cert(const struct gk_path_run *run,
                                   const X509 *x509);

/* gk_path_all_in_date - are all certificates and CRLs that the provider could
 * choose from?  Then it need not compare their dates, each several times and in
 * its own laborious way: it would find nothing, and prefer none to another. */
bool gk_path_all_in_date(const struct gk_path_run *run);

/* gk_path_check_crl - the store's half of the hook: X509_STORE_set_check_crl() */
int gk_path_check_crl(X509_STORE_CTX *ctx, X509_CRL *crl);

#endif /* GK_PATH_IMPL_H */
