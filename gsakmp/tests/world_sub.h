/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_WORLD_SUB_H
#define GSAKMP_TESTS_WORLD_SUB_H

#include "gsakmp/engine/sgcks.h"
#include "gsakmp/tests/world.h"

/*
 * DOC: a subordinate key server in the world
 *
 * Three nodes: one that is a member of the primary and hears its Rekey Events,
 * one that answers members, and one for the sub-group's timers.
 */
struct world_sub {
	struct world *w;
	struct world_member *m; /* certificate and name; its own engine idles */
	struct gsakmp_group *group;
	struct gsakmp_gcks *gcks;
	struct gsakmp_sgcks *sgcks;
	unsigned up, serve, clock; /* nodes */
	struct world_store store;
	struct world_seen seen;  /* of the sub-group and its server */
	struct world_seen above; /* of the bridge */
	bool alive;
	unsigned primary; /* node to register at; the server's, if 0 */
};

/* world_sub_add - certified as @cn, not started; w->sub_gcks and w->auth_subs
 * are the test's to set. */
struct world_sub *world_sub_add(struct world *w, const char *cn);
void world_sub_free(struct world_sub *s);
void world_sub_start(struct world_sub *s);
/* world_sub_kill, world_sub_restart - from its store. */
void world_sub_kill(struct world_sub *s);
void world_sub_restart(struct world_sub *s);
void world_sub_cut(struct world_sub *s, bool cut); /* from everybody */
enum gk_err world_sub_evict(struct world_sub *s, const char *peer);
void world_sub_drain(struct world_sub *s);
/* world_sub_serves - @m is to register there. */
void world_sub_serves(struct world_sub *s, struct world_member *m);
struct gsakmp_sgcks_status world_sub_status(const struct world_sub *s);

#endif /* GSAKMP_TESTS_WORLD_SUB_H */
