/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_GROUP_STATE_H
#define GK_GROUP_STATE_H

#include "common/group/gk_group.h"
#include "common/group/gk_index.h"

/* DOC: inside of a group; for the files of this room only */

struct gk_group_seat {
	struct gk_member member; /* first: what the caller sees */
	uint32_t epoch;          /* in which he joined */
};

struct gk_group_key {
	uint32_t id;
	uint32_t type;
	uint8_t len;
	int64_t lifetime;
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

	struct gk_group_seat **by_id; /* NULL: nobody has that id */
	size_t id_cap;
	uint32_t id_hint; /* no id below is free; without hierarchy */
	struct gk_index by_identity;
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

/* gk_group_ids_reserve - room for member ids up to @id. */
GK_MUST_CHECK enum gk_err gk_group_ids_reserve(struct gk_group *group,
                                               uint32_t id);
/* gk_group_seat_add - put @seat into both indexes; takes it over on success. */
GK_MUST_CHECK enum gk_err gk_group_seat_add(struct gk_group *group,
                                            struct gk_group_seat *seat);
void gk_group_seat_free(struct gk_group_seat *seat);
GK_MUST_CHECK enum gk_err gk_group_item_put(struct gk_index *index,
                                            struct gk_slice name,
                                            struct gk_slice value);
void gk_group_item_free(struct gk_group_item *item);

/* Fresh octets for the NEXT version of every key, drawn before anything
 * changes. */
struct gk_group_draw {
	uint8_t octets[GK_GROUP_KEYS_MAX * GK_GROUP_KEY_MAX];
};
GK_MUST_CHECK enum gk_err gk_group_draw(struct gk_group *group,
                                        struct gk_group_draw *draw);
void gk_group_next_make(struct gk_group *group,
                        const struct gk_group_draw *draw, int64_t utc);
void gk_group_next_promote(struct gk_group *group);
/* gk_group_save_epoch - everything that the tree and the epoch changed. */
GK_MUST_CHECK enum gk_err gk_group_save_epoch(struct gk_group *group);

/* Rows. */
GK_MUST_CHECK enum gk_err gk_group_save_head(const struct gk_group *group,
                                             struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_save_keys(const struct gk_group *group,
                                             struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_save_seat(const struct gk_group_seat *seat,
                                             struct gk_journal *journal);
GK_MUST_CHECK enum gk_err gk_group_drop_seat(const struct gk_group_seat *seat,
                                             struct gk_journal *journal);

#define GK_GROUP_TABLE_HEAD "grp_head"
#define GK_GROUP_TABLE_KEY "grp_key"
#define GK_GROUP_TABLE_MEMBER "grp_member"
#define GK_GROUP_TABLE_EXCLUDED "grp_excluded"
#define GK_GROUP_TABLE_NOTE "grp_note"

#endif /* GK_GROUP_STATE_H */
