/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_CRYPTO_TESTS_CHAIN_H
#define COMMON_CRYPTO_TESTS_CHAIN_H

#include "common/crypto/gk_trust.h"
#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"

/*
 * DOC: a path of three for tests - a root, an authority below it, a leaf; and a
 * root that has nothing to do with them
 */
extern struct gk_pki_party root, sub, leaf, other_root;

/* chain_make - below "/O=@org"; what is known of signatures outlives a test. */
void chain_make(const char *org);
/* chain_up, chain_down - for a group of tests; /O=MSEC. */
int chain_up(void **state);
int chain_down(void **state);

/* trust_in - @anchor and @inter, unless they are NULL. */
struct gk_trust *trust_in(const struct gk_pki_party *anchor,
                          const struct gk_pki_party *inter,
                          const struct gk_trust_policy *policy);

/* add_crl - to the configured ones; it lists @revoked, or nobody. */
void add_crl(struct gk_trust *trust, const struct gk_pki_party *issuer,
             const struct gk_pki_party *revoked, int64_t from, int64_t to);

/* expect - one fault of one certificate; GK_CERT_FAULT_NONE for none. */
void expect(const struct gk_trust *trust, const struct gk_pki_party *who,
            const struct gk_trust_extra *extra, int64_t utc, unsigned usage,
            enum gk_cert_fault_kind kind);

#endif /* COMMON_CRYPTO_TESTS_CHAIN_H */
