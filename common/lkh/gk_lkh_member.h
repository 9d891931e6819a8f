/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_LKH_MEMBER_H
#define GK_LKH_MEMBER_H

#include <stdbool.h>

#include "common/lkh/gk_lkh_key.h"

/*
 * DOC: the member's side of the hierarchy
 *
 * A ring of the key encryption keys that one member holds.  The protocol opens
 * a wrap with the key that gk_lkh_member_find() returns and reports what was
 * inside with gk_lkh_member_put(); how often it goes over the list of wraps is
 * its own decision.  To apply a message as a whole or not at all, work on a
 * copy and swap.
 */
struct gk_lkh_member {
	struct gk_lkh_key *keys;
	size_t count;
};

/* gk_lkh_member_set - the keys of a registration, instead of all held before.
 * GK_ERR_VALUE when an id occurs twice; then nothing has changed. */
GK_MUST_CHECK enum gk_err gk_lkh_member_set(struct gk_lkh_member *member,
                                            const struct gk_lkh_key *keys,
                                            size_t count);
GK_MUST_CHECK enum gk_err gk_lkh_member_copy(struct gk_lkh_member *to,
                                             const struct gk_lkh_member *from);
void gk_lkh_member_free(struct gk_lkh_member *member); /* wipes */

/* gk_lkh_member_held - the key with @id, of whatever version; or NULL. */
const struct gk_lkh_key *gk_lkh_member_held(const struct gk_lkh_member *member,
                                            uint32_t id);
/* gk_lkh_member_find - the key that opens a wrap; NULL: skip the wrap (RFC 4535
 * section 7.5.2, Wrapping KeyID and Wrapping Handle). */
const struct gk_lkh_key *gk_lkh_member_find(const struct gk_lkh_member *member,
                                            uint32_t id, uint32_t handle);

/* gk_lkh_key_same - are they alike in handle, dates and octets? */
bool gk_lkh_key_same(const struct gk_lkh_key *a, const struct gk_lkh_key *b);

/*
 * gk_lkh_member_put - take a new version of a key that is held.
 *
 * GK_ERR_UNEXPECTED: no key of that id is held (RFC 4535 section 7.5.2, Key ID).
 * GK_ERR_REPLAY: not created later than the one held (Key Creation Date);
 * with @equal_ok the same second will do.  GK_ERR_VALUE: expires before it
 * begins (Key Expiration Date).  @same is set when exactly this version is
 * already held, which is no error and changes nothing.  May be NULL.
 */
GK_MUST_CHECK enum gk_err gk_lkh_member_put(struct gk_lkh_member *member,
                                            const struct gk_lkh_key *key,
                                            bool equal_ok, bool *same);

#endif /* GK_LKH_MEMBER_H */
