/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_SGCKS_H
#define GSAKMP_ENGINE_SGCKS_H

#include "gsakmp/engine/gm.h"
#include "gsakmp/engine/group.h"

/*
 * DOC: Subordinate GC/KS - RFC 4535 sections 4.1.4, 4.4.6 and 4.4.7
 *
 * A bridge between two engines that know nothing of each other:
 *
 *     primary's tree          gsakmp_gm       a member like all others
 *           |                    |
 *           |                 the bridge      may we serve?  what is new?
 *           |                    |
 *     our own tree            gsakmp_group    the sub-group, with its members
 *
 * The member registers with the primary and is rekeyed by it.  Whatever it has
 * in force - GTPKs, policy token - the bridge hands to the group, which sends it
 * on in Rekey Events of its own.  The bridge compares states and remembers none:
 * what was missed, while the primary was away or we were, is made up for as soon
 * as the two differ.
 *
 * The sub-group is served as long as the newest token that we know names us a
 * subordinate in an autonomous group.  Without the primary it is served on, with
 * the keys in force; a member that the group evicts is reported when the primary
 * is there again.
 *
 * Same pattern as the other engines, but that the caller has to hand outputs
 * back, when what came before them is durable:
 *
 *     while (gsakmp_sgcks_poll(sgcks, &out)) {
 *             ... COMMIT, SEND, report ...
 *             gsakmp_sgcks_act(sgcks, &out, now);
 *     }
 *     drain the group's own outputs
 *
 * It belongs to the thread of its group.
 */
struct gsakmp_sgcks_config {
	struct gsakmp_gm_config gm; /* primary_only, rejoin_max, gap_rejoin are
	                            * set */
	struct gsakmp_group *group; /* made with config.subordinate */
	uint32_t retry_ms; /* [15000] between attempts to join the primary */
};

struct gsakmp_sgcks;

/* What *@cfg points to, and @env, must outlive the bridge. */
struct gsakmp_sgcks *gsakmp_sgcks_new(const struct gk_env *env,
                                      const struct gsakmp_sgcks_config *cfg);
void gsakmp_sgcks_free(struct gsakmp_sgcks *sgcks);
/* gsakmp_sgcks_gm - its member, to be looked at; its inputs and outputs are the
 * bridge's. */
struct gsakmp_gm *gsakmp_sgcks_gm(struct gsakmp_sgcks *sgcks);
/* gsakmp_sgcks_load - see gsakmp_gm_load(). */
GK_MUST_CHECK enum gk_err gsakmp_sgcks_load(struct gsakmp_sgcks *sgcks,
                                            const char *table,
                                            struct gk_slice key,
                                            struct gk_slice value);

/* gsakmp_sgcks_start - after the group was loaded: serve what there is, if its
 * token lets us, and join the primary. */
enum gk_err gsakmp_sgcks_start(struct gsakmp_sgcks *sgcks, struct gk_now now);
/* gsakmp_sgcks_leave - de-register at the primary and serve nobody until the
 * next _start(). */
enum gk_err gsakmp_sgcks_leave(struct gsakmp_sgcks *sgcks, struct gk_now now);
void gsakmp_sgcks_set_party(struct gsakmp_sgcks *sgcks,
                            const struct gsakmp_party *party);
/* gsakmp_sgcks_revocations - see gsakmp_gm_revocations(). */
enum gk_err gsakmp_sgcks_revocations(struct gsakmp_sgcks *sgcks,
                                     struct gk_now now);

/* gsakmp_sgcks_receive - from the primary, unicast or multicast. */
enum gk_err gsakmp_sgcks_receive(struct gsakmp_sgcks *sgcks,
                                 const uint8_t *dgram, size_t len,
                                 const struct gsakmp_endpoint *from,
                                 struct gk_now now);
enum gk_err gsakmp_sgcks_tick(struct gsakmp_sgcks *sgcks, struct gk_now now);
/* Outputs: those of gsakmp_gm, and SERVING, SUSPENDED, EXPULSION_*.  Keys are
 * the group's to install. */
bool gsakmp_sgcks_poll(struct gsakmp_sgcks *sgcks, struct gsakmp_output *out);
/* gsakmp_sgcks_commit_failed - see gsakmp_gm_commit_failed(). */
void gsakmp_sgcks_commit_failed(struct gsakmp_sgcks *sgcks, struct gk_now now);
enum gk_err gsakmp_sgcks_act(struct gsakmp_sgcks *sgcks,
                             const struct gsakmp_output *out,
                             struct gk_now now);
uint64_t gsakmp_sgcks_deadline(const struct gsakmp_sgcks *sgcks);

struct gsakmp_sgcks_status {
	bool serving;
	bool in_step;      /* the sub-group has what the primary has */
	const char *why;   /* not serving: the reason; or NULL */
	int64_t heard_utc; /* last authentic word of the primary; 0 never */
	struct gsakmp_gm_status gm;
};
void gsakmp_sgcks_status(const struct gsakmp_sgcks *sgcks,
                         struct gsakmp_sgcks_status *out);

#endif /* GSAKMP_ENGINE_SGCKS_H */
