/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_LKH_H
#define GK_LKH_H

#include <stdbool.h>

#include "common/base/gk_env.h"
#include "common/group/gk_journal.h"
#include "common/lkh/gk_lkh_plan.h"

/*
 * DOC: logical key hierarchy - RFC 2627 section 5.4, RFC 4535 appendix A
 *
 * Members sit on the leaves of complete d-ary trees; each node is a key that is
 * known to exactly the members below it.  Above all roots stands the group key,
 * which is not kept here: plans name it (gk_lkh_plan.h) and the owner of the
 * tree makes it when gk_lkh_group_version() moves.
 *
 * A rekey can only refresh keys that a member already holds, so nobody can be
 * moved to another seat.  The hierarchy therefore grows sideways: when every
 * seat is taken, another tree, with key ids of its own, is planted under the
 * group key, each time at least doubling the number of seats.  Inside a tree
 * the ids count breadth first, as RFC 4535 section A.2 suggests, and the seats
 * from left to right; a vacated seat is taken again, lowest first.
 *
 * When most of those who sat in it have left, it shrinks: see gk_lkh_shrink().
 *
 * The plain layout is Figure 30 of RFC 4535 to the letter: one tree of a fixed
 * size, root id 1, where the group key takes the root's place.
 *
 * Joins and leaves collect in an open epoch.  A node that has to change does so
 * at once, so that a joiner can be handed the coming epoch's keys before the
 * others hear of them; gk_lkh_seal() closes the epoch and says what to send.
 *
 *     join    the nodes above the seat get new keys, sent under their own old
 *             ones (backward secrecy; an option)
 *     leave   the nodes above the seat get new keys, sent under the keys of
 *             their children
 *
 * A member that joins and leaves in the same epoch has seen keys of the coming
 * one; those are replaced once more.
 *
 * Every operation costs O(degree * height).  Not thread-safe: the owner locks.
 */
#define GK_LKH_DEGREE_MAX 256
#define GK_LKH_DEPTH_MAX 32         /* keys on a path, leaf and root included */
#define GK_LKH_SEATS_MAX (1U << 22) /* in one hierarchy */
#define GK_LKH_SPARE 1024           /* nodes */

struct gk_lkh_config {
	unsigned degree;   /* children of a node, 2 .. GK_LKH_DEGREE_MAX */
	size_t key_len;    /* octets, GK_LKH_KEY_MIN .. GK_LKH_KEY_MAX */
	uint32_t capacity; /* seats of the first tree, rounded up to a power of
	                      the degree; 0 = the degree */
	bool plain;        /* Figure 30: one tree, no root key, never grows */
	bool backward;     /* a joiner must not read what was sent before */
	uint32_t first_id; /* 0 = 1 */
	uint32_t last_id;  /* highest id that may be used; 0 = 0xffffffff */
	int64_t lifetime;  /* seconds from creation to expiry of a node key,
	                      below 2^32 - 1; 0 = until the year 9999 */
	uint32_t spare;    /* nodes without members that are always kept; 0 =
	                      GK_LKH_SPARE, UINT32_MAX = it never shrinks */
	bool whole;        /* no node is bypassed: messages have to name each
	                      one up to the group key */
};

struct gk_lkh;

/*
 * gk_lkh_new - an empty hierarchy.
 *
 * Keeps a copy of @cfg; keeps @env, which must outlive it.  GK_ERR_VALUE when
 * the configuration makes no sense, GK_ERR_SPACE when the first tree does not
 * fit below last_id, GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gk_lkh_new(const struct gk_env *env,
                                     const struct gk_lkh_config *cfg,
                                     struct gk_lkh **lkh);
void gk_lkh_free(struct gk_lkh *lkh); /* wipes all keys; NULL is fine */

/*
 * gk_lkh_join - seat somebody and give the nodes above him their keys.
 *
 * @utc dates the new keys; a key is always dated later than its predecessor,
 * if need be by counting seconds ahead of the clock (RFC 4535 section 7.5.2,
 * Key Creation Date).  Seats count from 1, like the MemberIDs of section A.2.
 * GK_ERR_SPACE: no seat left and no room to grow.  On any error nothing has
 * changed.
 */
GK_MUST_CHECK enum gk_err gk_lkh_join(struct gk_lkh *lkh, int64_t utc,
                                      uint32_t *seat);

/*
 * gk_lkh_rejoin - who sits on @seat has lost what he held, and gets the keys of
 * the open epoch only (gk_lkh_path()), nothing of what will be sent about it.
 *
 * As if he had been seated in this epoch: the keys above him are made now, so
 * that nobody who comes after him changes them.  Keeps the seat.  Without
 * backward secrecy no join changes a key, and there is nothing to do.
 * GK_ERR_UNEXPECTED when nobody sits there.  On any error nothing has changed.
 */
GK_MUST_CHECK enum gk_err gk_lkh_rejoin(struct gk_lkh *lkh, uint32_t seat,
                                        int64_t utc);

/* gk_lkh_leave - vacate @seat; GK_ERR_UNEXPECTED when nobody sits there. On any
 * error nothing has changed. */
GK_MUST_CHECK enum gk_err gk_lkh_leave(struct gk_lkh *lkh, uint32_t seat,
                                       int64_t utc);

/* gk_lkh_leave_soon - bring near what that will touch, and the plan after it;
 * changes nothing. */
void gk_lkh_leave_soon(const struct gk_lkh *lkh, uint32_t seat);
/* gk_lkh_set_backward - for the joins to come; config.backward. */
void gk_lkh_set_backward(struct gk_lkh *lkh, bool backward);
/* gk_lkh_join_soon - the same for who comes next. */
void gk_lkh_join_soon(const struct gk_lkh *lkh);

/* gk_lkh_refresh - ask for a new group key in the open epoch (time-based rekey,
 * or a join without backward secrecy that wants one all the same). */
void gk_lkh_refresh(struct gk_lkh *lkh);
/* gk_lkh_replace - the coming group key is one that nobody holds yet: who joined
 * in the open epoch has to be told as well. */
void gk_lkh_replace(struct gk_lkh *lkh);

/*
 * gk_lkh_renew - replace node keys that expire at or before @limit.
 *
 * Looks at no more than @scan nodes per call and goes on where it stopped last
 * time; new keys travel under their own old ones.  @renewed counts them.
 */
GK_MUST_CHECK enum gk_err gk_lkh_renew(struct gk_lkh *lkh, int64_t utc,
                                       int64_t limit, size_t scan,
                                       size_t *renewed);

/*
 * gk_lkh_shrink - give back what is kept for those who have gone.
 *
 * To be called after an epoch was closed; does nothing as long as the hierarchy
 * is not far too large.  Nodes without members lose their rows and their memory,
 * a node all of whose members sit below one child is bypassed (no plan carries
 * its key; see gk_lkh_shrink.c), and empty trees at the end are cut down.  No
 * seat, id or key of a member changes, no handle comes back for an id, nobody has
 * to be told anything.  Does a part of it at a time, and what fails another time.
 * Returns how many nodes and trees were changed.
 */
size_t gk_lkh_shrink(struct gk_lkh *lkh, int64_t utc);
/* gk_lkh_above - the keys above node @id that are in use, from there to the root,
 * as of the open epoch: each may travel under the one before it.
 *
 * @keys has room for GK_LKH_DEPTH_MAX.  The caller wipes them.
 * GK_ERR_UNEXPECTED when there is no such node. */
GK_MUST_CHECK enum gk_err gk_lkh_above(const struct gk_lkh *lkh, uint32_t id,
                                       struct gk_lkh_key *keys, size_t *count);
/* gk_lkh_is_bypassed - @id is a node whose key does not travel for now. */
bool gk_lkh_is_bypassed(const struct gk_lkh *lkh, uint32_t id);

struct gk_lkh_size {
	uint32_t trees, height; /* height: of the highest, edges */
	uint32_t seats, members;
	uint32_t nodes;    /* that have a row and memory */
	uint32_t keys;     /* in use */
	uint32_t bypassed; /* keys that are not */
};
void gk_lkh_size(const struct gk_lkh *lkh, struct gk_lkh_size *size);

/*
 * gk_lkh_draft - what will have to be sent, with the epoch still open: for a
 * caller whose own part may fail.  gk_lkh_close() then closes it, before anything
 * else happens to the tree; not calling it leaves everything as it was.
 */
GK_MUST_CHECK enum gk_err gk_lkh_draft(struct gk_lkh *lkh,
                                       enum gk_lkh_style style,
                                       struct gk_lkh_plan *plan);
void gk_lkh_close(struct gk_lkh *lkh);
/* gk_lkh_reserve_close - memory for gk_lkh_close(); gk_lkh_draft() has done it, and
 * who closes an epoch without a draft has to. */
GK_MUST_CHECK enum gk_err gk_lkh_reserve_close(struct gk_lkh *lkh);

/*
 * gk_lkh_seal - close the epoch and say what has to be sent: both at once.
 *
 * @plan is overwritten and owned by the caller (gk_lkh_plan_free()).  Sealing
 * an epoch in which nothing happened gives an empty plan.  GK_ERR_NOMEM leaves
 * the epoch open.
 */
GK_MUST_CHECK enum gk_err gk_lkh_seal(struct gk_lkh *lkh,
                                      enum gk_lkh_style style,
                                      struct gk_lkh_plan *plan);

/*
 * gk_lkh_path - the keys of a member, leaf to root, as of the open epoch.
 *
 * @keys has room for GK_LKH_DEPTH_MAX.  The caller wipes them.
 * GK_ERR_UNEXPECTED when nobody sits on @seat.
 */
GK_MUST_CHECK enum gk_err gk_lkh_path(const struct gk_lkh *lkh, uint32_t seat,
                                      struct gk_lkh_key *keys, size_t *count);

/*
 * gk_lkh_avoid_id - keep @id for somebody else's key.
 *
 * Key ids are one space within a group (RFC 4535 section 7.4.1.1): the trees
 * must stay clear of the ids of traffic keys.  Before anybody is seated, the
 * trees simply begin behind @id; later they can only end before it.
 * GK_ERR_UNEXPECTED: a node has that id; GK_ERR_SPACE: the first tree would not
 * fit any more.  Either way nothing has changed.  In the plain layout the root
 * has no key, so its id may be a traffic key's, as in Figure 30.
 */
GK_MUST_CHECK enum gk_err gk_lkh_avoid_id(struct gk_lkh *lkh, uint32_t id);
/* gk_lkh_has_id - @id is that of a node, with or without members. */
bool gk_lkh_has_id(const struct gk_lkh *lkh, uint32_t id);

bool gk_lkh_seated(const struct gk_lkh *lkh, uint32_t seat);
/* gk_lkh_open - something happened since the last seal. */
bool gk_lkh_open(const struct gk_lkh *lkh);
/* gk_lkh_joined - @seat was taken in the epoch that is still open. */
bool gk_lkh_joined(const struct gk_lkh *lkh, uint32_t seat);
uint32_t gk_lkh_epoch(const struct gk_lkh *lkh); /* of the open epoch, from 1 */
uint32_t gk_lkh_count(const struct gk_lkh *lkh); /* members */
uint32_t gk_lkh_seats(const struct gk_lkh *lkh); /* highest seat there is */
size_t gk_lkh_memory(const struct gk_lkh *lkh);  /* octets reserved */

/*
 * gk_lkh_group_version - counts how often a new group key became necessary.
 *
 * When it moves, the owner draws a new group key for the coming epoch and
 * throws an undelivered earlier one away.
 */
uint64_t gk_lkh_group_version(const struct gk_lkh *lkh);
/* gk_lkh_group_due - the open epoch brings a new group key. */
bool gk_lkh_group_due(const struct gk_lkh *lkh);

/*
 * Durable state.  gk_lkh_save() appends a row for everything that changed since
 * the last call that succeeded.  The rows, given back table by table in the
 * order of gk_lkh_tables to an empty hierarchy of the same configuration,
 * restore it, open epoch included; gk_lkh_load_done() then checks the whole.
 * Rows that do not fit are refused with GK_ERR_VALUE and a reason (static
 * storage) at @why; such a hierarchy can only be freed.
 */
extern const char *const gk_lkh_tables[]; /* ends with NULL */
GK_MUST_CHECK enum gk_err gk_lkh_save(struct gk_lkh *lkh,
                                      struct gk_journal *journal);
/* gk_lkh_export - every row, changed or not. */
GK_MUST_CHECK enum gk_err gk_lkh_export(const struct gk_lkh *lkh,
                                        struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_lkh_load_row(struct gk_lkh *lkh, const char *table,
                                          struct gk_slice key,
                                          struct gk_slice value,
                                          const char **why);
GK_MUST_CHECK enum gk_err gk_lkh_load_done(struct gk_lkh *lkh,
                                           const char **why);

#endif /* GK_LKH_H */
