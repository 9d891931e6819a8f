/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PATTERNS_H
#define GK_PATTERNS_H

#include "common/identity/gk_identity.h"

/*
 * DOC: a list of patterns, to be asked again and again
 *
 * gk_identity_match() reads both names each time.  Here each pattern is read once;
 * those without a wildcard are found by bisection, those with one are compared in
 * the form that they were read into, and the name that is asked for is read once
 * for the whole list.  The answers are those of gk_identity_match().
 *
 * Nothing in a list changes after gk_patterns_done(): threads may share it.
 */
struct gk_patterns;

#define GK_PATTERNS_NONE SIZE_MAX

GK_MUST_CHECK enum gk_err gk_patterns_new(enum gk_dn_compare how,
                                          struct gk_patterns **patterns);
/* gk_patterns_add - the next one; the first has number 0.  The octets stay the
 * caller's and have to stay.  One that is ill-formed matches nothing. */
GK_MUST_CHECK enum gk_err gk_patterns_add(struct gk_patterns *patterns,
                                          struct gk_identity pattern);
/* gk_patterns_done - no more will be added. */
void gk_patterns_done(struct gk_patterns *patterns);
void gk_patterns_free(struct gk_patterns *patterns); /* NULL is fine */

/* A name that is asked for; zeroed before the first use, freed after the last. */
struct gk_patterns_name {
	struct gk_identity id;
	struct gk_buf key; /* empty: it is ill-formed */
};
GK_MUST_CHECK enum gk_err gk_patterns_name(const struct gk_patterns *patterns,
                                           struct gk_identity id,
                                           struct gk_patterns_name *name);
void gk_patterns_name_free(struct gk_patterns_name *name);

/* gk_patterns_next - the first pattern from number @from on that matches @name, or
 * GK_PATTERNS_NONE. */
size_t gk_patterns_next(const struct gk_patterns *patterns,
                        const struct gk_patterns_name *name, size_t from);

#endif /* GK_PATTERNS_H */
