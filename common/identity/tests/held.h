/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_IDENTITY_TESTS_HELD_H
#define GK_IDENTITY_TESTS_HELD_H

#include "common/test/gk_test.h"

#include "common/identity/gk_identity.h"
#include "common/test/gk_test_pki.h"

/* A root and a member under it with every kind of name; for a group of tests. */
extern struct gk_pki_party ca, gm;
int held_make_parties(void **state);
int held_free_parties(void **state);

/* An identity from its text; freed with done(). */
struct held {
	struct gk_buf octets;
	struct gk_identity id;
};
struct held make(enum gk_id_kind kind, const char *text);
void done(struct held *h);

#endif /* GK_IDENTITY_TESTS_HELD_H */
