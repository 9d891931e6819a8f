/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_GROUP_H
#define GK_GROUP_H

#include "common/lkh/gk_lkh.h"

/*
 * DOC: group - what a key server knows about one group
 *
 * Members, traffic keys, the key hierarchy, and the counters that must never
 * run backwards.  It knows no protocol: identities, key types and notes are
 * octets and numbers that the caller gives a meaning.
 *
 * Everything that must survive goes into the journal (gk_group_journal()), which
 * the caller hands to the store before the datagram that depends on it leaves.  Not thread-safe: the engine locks.
 *
 * Changes of membership collect in an epoch.  The first change that needs it
 * makes the NEXT version of every traffic key, which joiners are handed at once;
 * gk_group_seal() makes NEXT CURRENT, CURRENT PREVIOUS, and yields the plan.
 *
 * GK_ERR_NOMEM may mean that a change was made and not journalled.  The journal
 * gives nothing out from then on (gk_journal.h): the server can only stop, and
 * start again from its store.
 */
#define GK_GROUP_KEY_MAX 80 /* octets of one traffic key */
#define GK_GROUP_KEYS_MAX 16
#define GK_GROUP_IDENTITY_MAX 1024
#define GK_GROUP_BLOB_MAX 65536

struct gk_group_config {
	struct gk_slice scope;    /* names the group in the store */
	struct gk_lkh_config lkh; /* degree 0: no hierarchy */
	bool backward;            /* without hierarchy: a join makes new keys */
	bool imported;            /* traffic keys: see gk_group_key_import() */
	bool fixed; /* without hierarchy: nobody can be told of a new
	                           * traffic key, so a leave makes none */
	uint32_t sequence_last; /* highest that may be used; 0 = 0xffffffff */
	uint32_t sender_block;  /* sender ids reserved at a time; 0 = 64 */
	uint32_t sender_last;   /* highest sender id; 0 = 0xffffffff */
};

#define GK_MEMBER_STATE_LIST(X)                    \
	X(PENDING, "registered, not acknowledged") \
	X(ACTIVE, "member")                        \
	X(LEAVING, "to be left out at the next opportunity")

#define X(name, text) GK_MEMBER_##name,
enum gk_member_state { GK_MEMBER_STATE_LIST(X) };
#undef X

struct gk_member {
	uint32_t id;    /* MemberID: the seat, or a number of its own */
	uint32_t seat;  /* 0 without hierarchy */
	uint32_t epoch; /* in which it joined */
	enum gk_member_state state : 8;
	bool dirty : 1; /* this room's: not in the journal yet */
	int64_t joined; /* seconds since 1970 */
	int64_t seen;
	/* In memory that is this room's, with the blob right behind it. */
	struct gk_buf identity;
	uint32_t blob_len;
};

/* gk_member_blob - the protocol's octets; not interpreted here. */
static inline struct gk_slice
gk_member_blob(const struct gk_member *member)
{
	return (struct gk_slice){ member->identity.ptr + member->identity.len,
		                  member->blob_len };
}

struct gk_traffic_key {
	uint32_t id;
	uint32_t handle; /* never repeats within the group */
	uint32_t type;   /* the protocol's registry value */
	int64_t created; /* seconds since 1970 */
	int64_t expires;
	uint8_t len;
	uint8_t octets[GK_GROUP_KEY_MAX];
};

enum gk_key_slot { GK_KEY_PREVIOUS, GK_KEY_CURRENT, GK_KEY_NEXT };
#define GK_KEY_SLOTS 3

struct gk_group;

/* gk_group_new - keeps a copy of @cfg; @env must outlive the group. */
GK_MUST_CHECK enum gk_err gk_group_new(const struct gk_env *env,
                                       const struct gk_group_config *cfg,
                                       struct gk_group **group);
void gk_group_free(struct gk_group *group); /* wipes; NULL is fine */

/* gk_group_journal - the changes since the caller last took them; see
 * gk_journal_take() and gk_journal_move().  Rows are made here, not by the
 * calls that change something: a thing that changed ten times is one row. */
struct gk_journal *gk_group_journal(struct gk_group *group);

/*
 * Members.  Pointers stay valid until the member is removed.
 *
 * gk_group_join() seats a new member in state PENDING; GK_ERR_UNEXPECTED when
 * the identity is a member already, GK_ERR_SPACE when the group is full or the
 * identity too long.  gk_group_join_with(): one that has its blob from the start,
 * so that there is none without; GK_ERR_SPACE also when that is too long.
 * gk_group_leave() removes one and, with a hierarchy or not, makes new keys
 * necessary; @member is gone afterwards.  On any error nothing has changed.
 */
GK_MUST_CHECK enum gk_err gk_group_join(struct gk_group *group,
                                        struct gk_slice identity, int64_t utc,
                                        struct gk_member **member);
GK_MUST_CHECK enum gk_err gk_group_join_with(struct gk_group *group,
                                             struct gk_slice identity,
                                             struct gk_slice blob, int64_t utc,
                                             struct gk_member **member);
GK_MUST_CHECK enum gk_err gk_group_leave(struct gk_group *group,
                                         struct gk_member *member, int64_t utc);
/*
 * gk_group_rejoin - @member has lost all keys, and will be given those of the open
 * epoch (gk_group_path(), gk_group_key_joiner()) instead of what is sent about
 * it: see gk_lkh_rejoin().  On any error nothing has changed.
 */
GK_MUST_CHECK enum gk_err gk_group_rejoin(struct gk_group *group,
                                          struct gk_member *member,
                                          int64_t utc);
/*
 * gk_group_leave_soon - @member will leave next but a few: bring near what that
 * touches.  In a large group most of it is in no cache, and who leaves with a
 * thousand others would wait for each piece.  Changes nothing.  Step 0 is the
 * record, 1 the name and the tree, 2 the rest: each when the one before has had
 * its time.
 */
void gk_group_leave_soon(const struct gk_group *group,
                         const struct gk_member *member, int step);
GK_MUST_CHECK enum gk_err gk_group_member_state(struct gk_group *group,
                                                struct gk_member *member,
                                                enum gk_member_state state);
/* gk_group_member_changed - its row is written again with the next journal, whether
 * a call here changed something or the caller did.  Only GK_ERR_NOMEM, and then
 * nothing has changed. */
GK_MUST_CHECK enum gk_err gk_group_member_changed(struct gk_group *group,
                                                  struct gk_member *member);
/* gk_group_member_seen - durable with the member's next change, not before. */
void gk_group_member_seen(struct gk_member *member, int64_t utc);
GK_MUST_CHECK enum gk_err gk_group_member_blob(struct gk_group *group,
                                               struct gk_member *member,
                                               struct gk_slice blob);

struct gk_member *gk_group_find(const struct gk_group *group,
                                struct gk_slice identity);
/* gk_group_find_several - the @n members of these names, in the order of their
 * ids; GK_ERR_VALUE when one is not a member, or is named twice. */
GK_MUST_CHECK enum gk_err gk_group_find_several(const struct gk_group *group,
                                                const char *const *identities,
                                                size_t n,
                                                struct gk_member **members);
struct gk_member *gk_group_find_id(const struct gk_group *group, uint32_t id);
size_t gk_group_count(const struct gk_group *group);
size_t gk_group_count_state(const struct gk_group *group,
                            enum gk_member_state state);
/* gk_group_each - walk all members: start with *@cursor = 0, NULL at the end.
 * Members may leave during the walk, none may join. */
struct gk_member *gk_group_each(const struct gk_group *group, size_t *cursor);

/* Identities that must not come back, with a reason the caller understands. */
GK_MUST_CHECK enum gk_err gk_group_exclude(struct gk_group *group,
                                           struct gk_slice identity,
                                           struct gk_slice reason);
GK_MUST_CHECK enum gk_err gk_group_readmit(struct gk_group *group,
                                           struct gk_slice identity);
/* gk_group_excluded - *@reason (may be NULL) is valid until the next change. */
bool gk_group_excluded(const struct gk_group *group, struct gk_slice identity,
                       struct gk_slice *reason);
size_t gk_group_excluded_count(const struct gk_group *group);
/* gk_group_excluded_each - walk all excluded identities: start with *@cursor =
 * 0, false at the end.  *@identity is valid until the next change. */
bool gk_group_excluded_each(const struct gk_group *group, size_t *cursor,
                            struct gk_slice *identity);
/* gk_group_excluded_names - @each identity, as text that lasts for the call. */
void gk_group_excluded_names(const struct gk_group *group,
                             void (*each)(void *ctx, const char *identity),
                             void *ctx);

/*
 * Traffic keys.  gk_group_key_define() adds one, with a first CURRENT version;
 * @lifetime in seconds, 0 = until the year 9999.  GK_ERR_UNEXPECTED: id taken.
 * Key ids are one space within a group: the hierarchy keeps clear of those
 * defined here (gk_lkh_avoid_id()), so define them before anybody joins.
 */
GK_MUST_CHECK enum gk_err gk_group_key_define(struct gk_group *group,
                                              uint32_t id, uint32_t type,
                                              size_t len, int64_t lifetime,
                                              int64_t utc);
/* gk_group_key_limit - of later versions: @lifetime as above, and none is valid
 * beyond @ends (0: no such date); one that is made later all the same lasts for the
 * second that it has to.  @ends is not stored: set it after loading. */
GK_MUST_CHECK enum gk_err gk_group_key_limit(struct gk_group *group,
                                             uint32_t id, int64_t lifetime,
                                             int64_t ends);
/*
 * gk_group_key_import - traffic keys that somebody else makes.
 *
 * With config.imported no call draws a traffic key.  The first key of an id is
 * CURRENT at once; a later one of another handle is NEXT, opens the epoch and
 * makes it due, and is owed to everybody, joiners of the open epoch included.
 * Joins and leaves change the hierarchy and wait for the next key, or for
 * gk_group_refresh(), which has the keys in force sent again.
 *
 * The handle is as given, 0 included; the version that is CURRENT or NEXT
 * already changes nothing.  GK_ERR_VALUE: not a group of that kind, or not a
 * version of that key (type, length, dates).
 */
GK_MUST_CHECK enum gk_err gk_group_key_import(struct gk_group *group,
                                              const struct gk_traffic_key *key);
size_t gk_group_key_count(const struct gk_group *group);
/* gk_group_key - version @slot of traffic key number @i; NULL: there is none. */
const struct gk_traffic_key *gk_group_key(const struct gk_group *group,
                                          size_t i, enum gk_key_slot slot);
/* gk_group_key_joiner - what a joiner gets now: NEXT if there is one, else
 * CURRENT. */
const struct gk_traffic_key *gk_group_key_joiner(const struct gk_group *group,
                                                 size_t i);
/* gk_group_key_previous_drop - wipe all PREVIOUS versions (end of grace). */
GK_MUST_CHECK enum gk_err gk_group_key_previous_drop(struct gk_group *group);
/* gk_group_path - the joiner's key encryption keys, leaf to root; none without
 * hierarchy.  See gk_lkh_path(). */
GK_MUST_CHECK enum gk_err gk_group_path(const struct gk_group *group,
                                        const struct gk_member *member,
                                        struct gk_lkh_key *keys, size_t *count);

/* Epochs.  refresh: new traffic keys, whoever comes or goes. */
GK_MUST_CHECK enum gk_err gk_group_refresh(struct gk_group *group, int64_t utc);
/* gk_group_replace - the coming key above the hierarchy is one that nobody holds
 * yet, joiners of the open epoch included (gk_lkh_replace()); for an owner that
 * makes it himself. */
void gk_group_replace(struct gk_group *group);
/* gk_group_renew - see gk_lkh_renew(); none without hierarchy. */
GK_MUST_CHECK enum gk_err gk_group_renew(struct gk_group *group, int64_t utc,
                                         int64_t limit, size_t scan,
                                         size_t *renewed);
bool gk_group_open(const struct gk_group *group);
/* gk_group_joined - @member came in the epoch that is still open. */
bool gk_group_joined(const struct gk_group *group,
                     const struct gk_member *member);
/* gk_group_set_backward - does a join bring new keys, from now on?  As
 * config.backward and config.lkh.backward. */
void gk_group_set_backward(struct gk_group *group, bool backward);
/* gk_group_due - the open epoch brings new traffic keys. */
bool gk_group_due(const struct gk_group *group);
/* gk_group_shrink - after a close: see gk_lkh_shrink(); and what finds members gets
 * smaller, when there are few left. */
void gk_group_shrink(struct gk_group *group, int64_t utc);
/* gk_group_draft, gk_group_close - see gk_lkh_draft(); the traffic keys that come
 * are in slot NEXT until it is closed. */
GK_MUST_CHECK enum gk_err gk_group_draft(struct gk_group *group,
                                         enum gk_lkh_style style,
                                         struct gk_lkh_plan *plan);
void gk_group_close(struct gk_group *group);
/* gk_group_reserve_close - before a close without a draft. */
GK_MUST_CHECK enum gk_err gk_group_reserve_close(struct gk_group *group);
/* gk_group_seal - see gk_lkh_seal(); without hierarchy the plan has no wraps. */
GK_MUST_CHECK enum gk_err gk_group_seal(struct gk_group *group,
                                        enum gk_lkh_style style,
                                        struct gk_lkh_plan *plan);
uint32_t gk_group_epoch(const struct gk_group *group);
const struct gk_lkh *gk_group_lkh(const struct gk_group *group); /* or NULL */

/*
 * Counters.  The value is in the next journal; GK_ERR_SPACE
 * when there are no more.  Sequence numbers and handles count from 1, sender
 * ids from 0; @count sender ids in a row start at *@first.  Sender ids are
 * reserved in blocks: a restart may skip some and never repeats one.
 */
GK_MUST_CHECK enum gk_err gk_group_sequence_next(struct gk_group *group,
                                                 uint32_t *sequence);
uint32_t gk_group_sequence(const struct gk_group *group); /* last one used */
/* gk_group_sequence_raise - start again above @sequence; never goes down. */
GK_MUST_CHECK enum gk_err gk_group_sequence_raise(struct gk_group *group,
                                                  uint32_t sequence);
GK_MUST_CHECK enum gk_err gk_group_handle_next(struct gk_group *group,
                                               uint32_t *handle);
GK_MUST_CHECK enum gk_err gk_group_sender_next(struct gk_group *group,
                                               uint32_t count, uint32_t *first);
/* gk_group_sender_reset - from 0 again: no key is left that any of them was used
 * with (RFC 6407 section 3.5). */
GK_MUST_CHECK enum gk_err gk_group_sender_reset(struct gk_group *group);
/* gk_group_senders - ids given out, or lost to a restart. */
uint64_t gk_group_senders(const struct gk_group *group);

/* Notes: the protocol's own durable octets by name (token edition, datagrams
 * still to be resent).  An empty value deletes. */
GK_MUST_CHECK enum gk_err gk_group_note_set(struct gk_group *group,
                                            const char *name,
                                            struct gk_slice value);
/* gk_group_note - empty when there is none; valid until the note is set. */
struct gk_slice gk_group_note(const struct gk_group *group, const char *name);

#define GK_GROUP_TABLE_HEAD "grp_head" /* of each group there is */
/*
 * Restart.  Give the rows of each table of gk_group_tables, in that order, to an
 * empty group of the same configuration, then call gk_group_load_done().  A row
 * that does not fit is refused with GK_ERR_VALUE and a reason (static storage)
 * at @why; such a group can only be freed.  The journal stays empty.
 */
extern const char *const gk_group_tables[]; /* ends with NULL */
GK_MUST_CHECK enum gk_err gk_group_load_row(struct gk_group *group,
                                            const char *table,
                                            struct gk_slice key,
                                            struct gk_slice value,
                                            const char **why);
GK_MUST_CHECK enum gk_err gk_group_load_done(struct gk_group *group,
                                             const char **why);
/* gk_group_export - append every row to @journal, for a copy elsewhere. */
GK_MUST_CHECK enum gk_err gk_group_export(const struct gk_group *group,
                                          struct gk_journal *journal);

#endif /* GK_GROUP_H */
