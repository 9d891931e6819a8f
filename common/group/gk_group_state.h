/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_GROUP_STATE_H
#define GK_GROUP_STATE_H

#include "common/group/gk_group.h"
#include "common/group/gk_index.h"

/* DOC: inside of a group; for the files of this room only */

struct gk_group_key {
	uint32_t id;
	uint32_t type;
	uint8_t len;
	int64_t lifetime, ends;
	bool has[GK_KEY_SLOTS];
	struct gk_traffic_key version[GK_KEY_SLOTS];
};

/* An excluded identity, or a note: octets under a name. */
struct gk_group_item {
	struct gk_buf name;
	struct gk_buf value;
};

struct gk_group {
	const struct gk_env *env;
	struct gk_group_config cfg;
	struct gk_journal *journal;
	struct gk_lkh *lkh; /* NULL: no hierarchy */

	struct gk_member **by_id; /* NULL: nobody has that id */
	size_t id_cap;
	uint32_t id_hint; /* no id below is free; without hierarchy */
	struct gk_group_slot *slots; /* by identity */
	size_t slot_cap;
	size_t member_count;
	size_t in_state[GK_MEMBER_LEAVING + 1];
	/* Ids whose member the journal does not know as it is, or at all, or
	 * still does; and the same of everything else. */
	uint32_t *dirty;
	size_t dirty_count, dirty_cap;
	bool epoch_dirty;
	struct gk_index excluded;
	struct gk_index notes;

	struct gk_group_key keys[GK_GROUP_KEYS_MAX];
	size_t key_count;

	uint32_t sequence;
	uint32_t handle;
	uint64_t sender_next;
	uint64_t sender_end; /* reserved up to here, exclusive */

	/* From the head row, to see that the others came with it. */
	bool loaded;
	uint8_t want_keys;
	uint32_t want_members;

	/* Without hierarchy; otherwise the tree knows. */
	uint32_t epoch;
	bool open;
	bool due;
};

/* ---- gk_group_member.c --------------------------------------------------- */
#define GK_GROUP_DIRTY_KEEP 4096 /* ids worth keeping room for */

GK_MUST_CHECK enum gk_err gk_group_member_new(struct gk_slice identity,
                                              struct gk_slice blob,
                                              struct gk_member **member);
void gk_group_member_free(struct gk_member *member); /* one not in the group */
void gk_group_members_free(struct gk_group *group);
/* gk_group_members_reserve - room for one more, with an id up to @id. */
GK_MUST_CHECK enum gk_err gk_group_members_reserve(struct gk_group *group,
                                                   uint32_t id);
/* gk_group_members_shrink - the indexes fit those who are left, if that is few. */
void gk_group_members_shrink(struct gk_group *group);
/* gk_group_member_add - into both indexes; there must be room. */
void gk_group_member_add(struct gk_group *group, struct gk_member *member);
/* gk_group_member_remove - out of both, and freed. */
void gk_group_member_remove(struct gk_group *group, struct gk_member *member);
/* gk_group_dirty_add - @member goes into the next journal; there must be room
 * (gk_group_dirty_reserve() makes it for one). */
GK_MUST_CHECK enum gk_err gk_group_dirty_reserve(struct gk_group *group);
void gk_group_dirty_add(struct gk_group *group, struct gk_member *member);

/* ---- gk_group_list.c ----------------------------------------------------- */
GK_MUST_CHECK enum gk_err gk_group_item_put(struct gk_index *index,
                                            struct gk_slice name,
                                            struct gk_slice value);
void gk_group_item_free(struct gk_group_item *item);

/* Fresh octets for the NEXT version of every key, drawn before anything
 * changes. */
struct gk_group_draw {
	size_t used; /* octets; what lies behind is not set */
	uint8_t octets[GK_GROUP_KEYS_MAX * GK_GROUP_KEY_MAX];
};
GK_MUST_CHECK enum gk_err gk_group_draw(struct gk_group *group,
                                        struct gk_group_draw *draw);
void gk_group_next_make(struct gk_group *group,
                        const struct gk_group_draw *draw, int64_t utc);
void gk_group_next_promote(struct gk_group *group);

/* Rows. */
GK_MUST_CHECK enum gk_err gk_group_save_head(const struct gk_group *group,
                                             struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_save_keys(const struct gk_group *group,
                                             struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_save_member(const struct gk_member *member,
                                               struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_drop_member(uint32_t id,
                                               struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_save_members(struct gk_group *group,
                                                struct gk_journal *journal);

#define GK_GROUP_TABLE_KEY "grp_key"
#define GK_GROUP_TABLE_MEMBER "grp_member"
#define GK_GROUP_TABLE_EXCLUDED "grp_excluded"
#define GK_GROUP_TABLE_NOTE "grp_note"

#endif /* GK_GROUP_STATE_H */
