/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "common/group/gk_group_state.h"
#include "common/group/gk_row.h"

/*
 * DOC: the group as rows
 *
 *     grp_head      one row: counters and the epoch
 *     grp_key       by place: one traffic key with its versions
 *     grp_member    by member id
 *     grp_excluded  by identity
 *     grp_note      by name
 *
 * and the tables of the hierarchy, if there is one.
 */
const char *const gk_group_tables[] = {
	GK_GROUP_TABLE_HEAD,
	GK_GROUP_TABLE_KEY,
	GK_GROUP_TABLE_MEMBER,
	GK_GROUP_TABLE_EXCLUDED,
	GK_GROUP_TABLE_NOTE,
	"lkh_head",
	"lkh_tree",
	"lkh_node",
	NULL,
};

#define HEAD_MAX 64
#define KEY_MAX (32 + GK_KEY_SLOTS * (32 + GK_GROUP_KEY_MAX))

static const struct gk_slice no_key = { NULL, 0 };

enum gk_err
gk_group_save_head(const struct gk_group *g, struct gk_journal *journal)
{
	uint8_t row[HEAD_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u8(&wr, g->lkh != NULL);
	gk_wr_u32(&wr, g->sequence);
	gk_wr_u32(&wr, g->handle);
	gk_row_wr_u64(&wr, g->sender_end);
	gk_wr_u32(&wr, g->epoch);
	gk_wr_u8(&wr, g->open);
	gk_wr_u8(&wr, g->due);
	gk_wr_u8(&wr, (uint8_t)g->key_count);
	gk_wr_u32(&wr, (uint32_t)g->member_count);
	return gk_row_put(journal, GK_GROUP_TABLE_HEAD, no_key, &wr);
}

static enum gk_err
save_key(const struct gk_group *g, size_t i, struct gk_journal *journal)
{
	const struct gk_group_key *key = &g->keys[i];
	uint8_t row[KEY_MAX], name[4];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u32(&wr, key->id);
	gk_wr_u32(&wr, key->type);
	gk_wr_u8(&wr, key->len);
	gk_row_wr_u64(&wr, (uint64_t)key->lifetime);
	for (int slot = 0; slot < GK_KEY_SLOTS; slot++) {
		const struct gk_traffic_key *v = &key->version[slot];

		gk_wr_u8(&wr, key->has[slot]);
		if (!key->has[slot])
			continue;
		gk_wr_u32(&wr, v->handle);
		gk_row_wr_u64(&wr, (uint64_t)v->created);
		gk_row_wr_u64(&wr, (uint64_t)v->expires);
		gk_wr_bytes(&wr, (struct gk_slice){ v->octets, v->len });
	}
	return gk_row_put(journal, GK_GROUP_TABLE_KEY,
	                  gk_row_key((uint32_t)i, name), &wr);
}

enum gk_err
gk_group_save_keys(const struct gk_group *g, struct gk_journal *journal)
{
	for (size_t i = 0; i < g->key_count; i++)
		GK_TRY(save_key(g, i, journal));
	return GK_OK;
}

enum gk_err
gk_group_save_member(const struct gk_member *m, struct gk_journal *journal)
{
	struct gk_buf row;
	uint8_t name[4];
	struct gk_wr wr;
	enum gk_err err;

	GK_TRY(gk_buf_alloc(&row, 64 + m->identity.len + m->blob_len));
	gk_wr_init(&wr, row.ptr, row.len);
	gk_wr_u32(&wr, m->seat);
	gk_wr_u8(&wr, (uint8_t)m->state);
	gk_row_wr_u64(&wr, (uint64_t)m->joined);
	gk_row_wr_u64(&wr, (uint64_t)m->seen);
	gk_wr_u32(&wr, m->epoch);
	gk_wr_vec16(&wr, gk_buf_slice(&m->identity));
	gk_wr_bytes(&wr, gk_member_blob(m));
	err = gk_row_put(journal, GK_GROUP_TABLE_MEMBER,
	                 gk_row_key(m->id, name), &wr);
	gk_buf_free(&row);
	return err;
}

enum gk_err
gk_group_drop_member(uint32_t id, struct gk_journal *journal)
{
	uint8_t name[4];

	return gk_journal_del(journal, GK_GROUP_TABLE_MEMBER,
	                      gk_row_key(id, name));
}

static enum gk_err
export_items(const struct gk_index *index, const char *table,
             struct gk_journal *journal)
{
	const struct gk_group_item *item;
	size_t cursor = 0;

	while ((item = gk_index_each(index, &cursor)) != NULL)
		GK_TRY(gk_journal_put(journal, table, gk_buf_slice(&item->name),
		                      gk_buf_slice(&item->value)));
	return GK_OK;
}

enum gk_err
gk_group_export(const struct gk_group *g, struct gk_journal *journal)
{
	GK_TRY(gk_group_save_head(g, journal));
	GK_TRY(gk_group_save_keys(g, journal));
	for (size_t i = 0; i < g->id_cap; i++) {
		if (g->by_id[i] != NULL)
			GK_TRY(gk_group_save_member(g->by_id[i], journal));
	}
	GK_TRY(export_items(&g->excluded, GK_GROUP_TABLE_EXCLUDED, journal));
	GK_TRY(export_items(&g->notes, GK_GROUP_TABLE_NOTE, journal));
	return g->lkh == NULL ? GK_OK : gk_lkh_export(g->lkh, journal);
}

static enum gk_err
load_head(struct gk_group *g, struct gk_slice key, struct gk_slice value,
          const char **why)
{
	uint8_t tree, open, due;
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	tree = gk_rd_u8(&rd, "hierarchy");
	g->sequence = gk_rd_u32(&rd, "sequence");
	g->handle = gk_rd_u32(&rd, "handle");
	g->sender_end = gk_row_rd_u64(&rd, "sender ids reserved");
	g->epoch = gk_rd_u32(&rd, "epoch");
	open = gk_rd_u8(&rd, "open");
	due = gk_rd_u8(&rd, "due");
	g->want_keys = gk_rd_u8(&rd, "number of traffic keys");
	g->want_members = gk_rd_u32(&rd, "number of members");
	if (gk_rd_done(&rd) != GK_OK || key.len != 0)
		return gk_row_refuse(why, "malformed head of the group");
	if (tree != (g->lkh != NULL))
		return gk_row_refuse(why, "the group was made with the other "
		                          "rekey method");
	if (open > 1 || due > open || g->epoch == 0 ||
	    g->sender_end > (uint64_t)UINT32_MAX + 1)
		return gk_row_refuse(why, "impossible head of the group");
	g->open = open;
	g->due = due;
	g->loaded = true;
	/* What was reserved may have been used. */
	g->sender_next = g->sender_end;
	return GK_OK;
}

static bool
load_version(struct gk_group *g, struct gk_group_key *key, int slot,
             struct gk_rd *rd)
{
	struct gk_traffic_key *v = &key->version[slot];
	uint8_t has = gk_rd_u8(rd, "has");
	struct gk_slice octets;

	if (has != 1)
		return has == 0;
	*v = (struct gk_traffic_key){ .id = key->id,
		                      .type = key->type,
		                      .len = key->len };
	v->handle = gk_rd_u32(rd, "handle");
	v->created = (int64_t)gk_row_rd_u64(rd, "created");
	v->expires = (int64_t)gk_row_rd_u64(rd, "expires");
	octets = gk_rd_bytes(rd, key->len, "octets");
	/* Handles of others' keys are not counted here. */
	if (octets.len != key->len ||
	    (!g->cfg.imported && (v->handle == 0 || v->handle > g->handle)) ||
	    v->created < GK_UTC_MIN || v->expires > GK_UTC_MAX ||
	    v->expires <= v->created)
		return false;
	memcpy(v->octets, octets.ptr, octets.len);
	key->has[slot] = true;
	return true;
}

static enum gk_err
load_key(struct gk_group *g, struct gk_slice name, struct gk_slice value,
         const char **why)
{
	struct gk_group_key *key;
	uint8_t place[4];
	struct gk_rd rd;
	bool fine;

	if (g->key_count == GK_GROUP_KEYS_MAX ||
	    !gk_slice_equal(name, gk_row_key((uint32_t)g->key_count, place)))
		return gk_row_refuse(why, "a traffic key out of place");
	key = &g->keys[g->key_count];
	gk_rd_init(&rd, value.ptr, value.len);
	key->id = gk_rd_u32(&rd, "id");
	key->type = gk_rd_u32(&rd, "type");
	key->len = gk_rd_u8(&rd, "length");
	key->lifetime = (int64_t)gk_row_rd_u64(&rd, "lifetime");
	fine = key->len > 0 && key->len <= GK_GROUP_KEY_MAX &&
	       key->lifetime >= 0 && key->lifetime <= GK_UTC_MAX;
	for (size_t i = 0; i < g->key_count; i++)
		fine &= g->keys[i].id != key->id;
	for (int slot = 0; fine && slot < GK_KEY_SLOTS; slot++)
		fine = load_version(g, key, slot, &rd);
	if (!fine || gk_rd_done(&rd) != GK_OK || !key->has[GK_KEY_CURRENT])
		return gk_row_refuse(why, "malformed traffic key");
	g->key_count++;
	return GK_OK;
}

static bool
member_fits(const struct gk_group *g, const struct gk_member *m, uint8_t state)
{
	return state <= GK_MEMBER_LEAVING &&
	       m->identity.len <= GK_GROUP_IDENTITY_MAX &&
	       m->blob_len <= GK_GROUP_BLOB_MAX && m->id != 0 &&
	       m->id <= GK_LKH_SEATS_MAX &&
	       m->seat == (g->lkh == NULL ? 0 : m->id);
}

static enum gk_err
load_member(struct gk_group *g, struct gk_slice key, struct gk_slice value,
            const char **why)
{
	struct gk_slice identity, blob;
	struct gk_member row = { 0 }, *m;
	uint8_t state;
	struct gk_rd rd;
	enum gk_err err;

	gk_rd_init(&rd, key.ptr, key.len);
	row.id = gk_rd_u32(&rd, "member id");
	err = gk_rd_done(&rd);
	gk_rd_init(&rd, value.ptr, value.len);
	row.seat = gk_rd_u32(&rd, "seat");
	state = gk_rd_u8(&rd, "state");
	row.joined = (int64_t)gk_row_rd_u64(&rd, "joined");
	row.seen = (int64_t)gk_row_rd_u64(&rd, "seen");
	row.epoch = gk_rd_u32(&rd, "epoch");
	identity = gk_rd_vec16(&rd, "identity");
	blob = gk_rd_rest(&rd);
	row.identity.len = identity.len;
	row.blob_len = blob.len <= UINT32_MAX ? (uint32_t)blob.len : UINT32_MAX;
	if (err != GK_OK || gk_rd_done(&rd) != GK_OK ||
	    !member_fits(g, &row, state))
		return gk_row_refuse(why, "malformed member");
	if (gk_group_find(g, identity) != NULL ||
	    gk_group_find_id(g, row.id) != NULL)
		return gk_row_refuse(why, "a member that is there twice");
	GK_TRY(gk_group_members_reserve(g, row.id));
	GK_TRY(gk_group_member_new(identity, blob, &m));
	row.identity = m->identity;
	row.state = (enum gk_member_state)state;
	*m = row;
	gk_group_member_add(g, m);
	return GK_OK;
}

static enum gk_err
load_item(struct gk_index *index, struct gk_slice key, struct gk_slice value,
          const char **why)
{
	if (key.len > GK_GROUP_IDENTITY_MAX ||
	    value.len > GK_JOURNAL_VALUE_MAX ||
	    gk_index_find(index, key) != NULL)
		return gk_row_refuse(why, "an excluded identity or a note that "
		                          "is too long or there twice");
	return gk_group_item_put(index, key, value);
}

enum gk_err
gk_group_load_row(struct gk_group *g, const char *table, struct gk_slice key,
                  struct gk_slice value, const char **why)
{
	*why = "";
	if (strcmp(table, GK_GROUP_TABLE_HEAD) == 0)
		return load_head(g, key, value, why);
	if (strcmp(table, GK_GROUP_TABLE_KEY) == 0)
		return load_key(g, key, value, why);
	if (strcmp(table, GK_GROUP_TABLE_MEMBER) == 0)
		return load_member(g, key, value, why);
	if (strcmp(table, GK_GROUP_TABLE_EXCLUDED) == 0)
		return load_item(&g->excluded, key, value, why);
	if (strcmp(table, GK_GROUP_TABLE_NOTE) == 0)
		return load_item(&g->notes, key, value, why);
	if (g->lkh == NULL)
		return gk_row_refuse(why, "key hierarchy in a group without");
	return gk_lkh_load_row(g->lkh, table, key, value, why);
}

enum gk_err
gk_group_load_done(struct gk_group *g, const char **why)
{
	bool due;

	*why = "";
	/* Counters that begin again at zero would be worse than no start. */
	if (!g->loaded && (g->key_count != 0 || gk_group_count(g) != 0))
		return gk_row_refuse(why, "a group without its head");
	if (g->key_count != g->want_keys)
		return gk_row_refuse(why, "a traffic key is missing");
	if (gk_group_count(g) != g->want_members)
		return gk_row_refuse(why, "a member is missing");
	if (g->lkh != NULL) {
		GK_TRY(gk_lkh_load_done(g->lkh, why));
		if (gk_lkh_count(g->lkh) != gk_group_count(g))
			return gk_row_refuse(why, "members and seats differ");
	}
	for (size_t i = 0; g->lkh != NULL && i < g->id_cap; i++) {
		if (g->by_id[i] != NULL &&
		    !gk_lkh_seated(g->lkh, g->by_id[i]->seat))
			return gk_row_refuse(why, "a member without seat");
	}
	due = gk_group_due(g);
	for (size_t i = 0; i < g->key_count; i++) {
		if (g->lkh != NULL && gk_lkh_has_id(g->lkh, g->keys[i].id))
			return gk_row_refuse(why, "a traffic key and a node "
			                          "with the same id");
		if (g->keys[i].has[GK_KEY_NEXT] && !due)
			return gk_row_refuse(why, "a next key in no epoch");
	}
	return GK_OK;
}
