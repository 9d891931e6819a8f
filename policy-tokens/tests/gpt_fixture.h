/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_FIXTURE_H
#define GPT_FIXTURE_H

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "common/test/gk_test_pki.h"
#include "policy-tokens/der/gpt_verify.h"

/*
 * DOC: who takes part in the tests of signed documents
 *
 * A root, the Group Owner, a key server, a stranger under the same root, and a
 * Group Owner of the same name under a root that nobody knows.
 */
struct gpt_fixture {
	struct gk_pki_party root, owner, gcks, stranger, evil_root, evil_owner;
	struct gk_trust *trust;
	struct gk_identity owner_id;
	struct gpt_owner expect; /* name and roots */
};

#define GPT_FIXTURE_OWNER "CN=Group Owner,O=MSEC"

void gpt_fixture_make(struct gpt_fixture *f);
void gpt_fixture_free(struct gpt_fixture *f);

/* The golden policy with that edition (0: none), signed by @by at @when. */
struct gk_buf gpt_fixture_token(const struct gk_pki_party *by, int64_t edition,
                                int64_t when);

#endif /* GPT_FIXTURE_H */
