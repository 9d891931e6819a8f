/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_FIXTURE_H
#define GSAKMP_TESTS_FIXTURE_H

#include "gsakmp/tests/world.h"

/*
 * DOC: what the engines' tests begin with
 *
 * world_plain() is the configuration that most of them want; a test changes
 * what it is about.
 */
struct world_config world_plain(uint64_t seed);

/* world_with - a world with members m0, m1, ..., not joined. */
struct world *world_with(const struct world_config *cfg, unsigned members);
/* world_joined - the same, all of them joined and in step. */
struct world *world_joined(const struct world_config *cfg, unsigned members);
struct gsakmp_group_status world_status(struct world *w);

#define SERVER_NAME "/CN=Server"

/* One member, and two whom nobody should believe. */
struct fixture {
	struct world *w;
	struct world_member *m;      /* alice */
	struct gk_pki_party mallory; /* certified by the same root */
	struct gk_pki_party self;    /* somebody else's name, another root */
};

/* fixture_up - @self is the name that the party of another root has taken. */
void fixture_up(struct fixture *f, const struct world_config *cfg,
                const char *self);
void fixture_down(struct fixture *f);
/* fixture_joined - the same, and alice is a member. */
void fixture_joined(struct fixture *f, const struct world_config *cfg,
                    const char *self);
/* fixture_following - alice and bob are, in step, and alice has heard a Rekey Event. */
void fixture_following(struct fixture *f, const struct world_config *cfg);

#endif /* GSAKMP_TESTS_FIXTURE_H */
