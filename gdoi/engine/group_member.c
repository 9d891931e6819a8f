/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_cert.h"
#include "common/group/gk_row.h"
#include "gdoi/engine/group_state.h"

/*
 * What is remembered of a member besides its seat: where it is, who its phase 1
 * identity and its certificate authorities are (a later policy may not admit
 * them), and what it has acknowledged.
 */
#define BLOB_MAX (GDOI_PEER_MEMORY_MAX + 64)
#define KEY_ID_MAX 64

enum gk_err
gdoi_peer_name(const struct gdoi_peer *peer, struct gk_buf *name)
{
	const char *kind = gk_id_kind_name(peer->id->kind);
	struct gk_buf text = { 0 };
	enum gk_err err;

	*name = (struct gk_buf){ 0 };
	GK_TRY(gk_identity_format(*peer->id, &text));
	err = gk_buf_copy(name, gk_slice_str(kind));
	if (err == GK_OK)
		err = gk_buf_append(name, gk_slice_str(":"));
	if (err == GK_OK)
		err = gk_buf_append(name, gk_buf_slice(&text));
	gk_buf_free(&text);
	return err;
}

/* ---- in memory ----------------------------------------------------------- */

struct gdoi_member *
gdoi_member_of(const struct gdoi_group *g, uint32_t id)
{
	return id < g->members_cap ? g->members[id] : NULL;
}

static struct gk_slice
ip_of(const struct gdoi_member *m)
{
	return (struct gk_slice){ m->address.ip, m->address.ip_len };
}

static void
unlink_ip(struct gdoi_group *g, struct gdoi_member *m)
{
	struct gdoi_member *head = gk_index_find(&g->by_ip, ip_of(m));

	if (head == m) {
		(void)gk_index_remove(&g->by_ip, ip_of(m));
		/* There is room: one has just been taken out. */
		if (m->same_ip != NULL)
			(void)!gk_index_add(&g->by_ip, ip_of(m->same_ip),
			                    m->same_ip);
	} else {
		while (head != NULL && head->same_ip != m)
			head = head->same_ip;
		if (head != NULL)
			head->same_ip = m->same_ip;
	}
	m->same_ip = NULL;
}

static enum gk_err
link_ip(struct gdoi_group *g, struct gdoi_member *m)
{
	struct gdoi_member *head;

	m->same_ip = NULL;
	if (m->address.ip_len == 0)
		return GK_OK;
	head = gk_index_find(&g->by_ip, ip_of(m));
	if (head == NULL)
		return gk_index_add(&g->by_ip, ip_of(m), m);
	m->same_ip = head->same_ip;
	head->same_ip = m;
	return GK_OK;
}

static enum gk_err
room_for(struct gdoi_group *g, uint32_t id)
{
	size_t cap = g->members_cap == 0 ? 64 : g->members_cap;
	struct gdoi_member **grown;

	if (id < g->members_cap)
		return GK_OK;
	while (cap <= id)
		cap *= 2;
	grown = realloc(g->members, cap * sizeof(struct gdoi_member *));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = g->members_cap; i < cap; i++)
		grown[i] = NULL;
	g->members = grown;
	g->members_cap = cap;
	return GK_OK;
}

enum gk_err
gdoi_member_put(struct gdoi_group *g, struct gk_member *m,
                const struct gdoi_member *info)
{
	struct gdoi_member *mine;

	GK_TRY(room_for(g, m->id));
	mine = g->members[m->id];
	if (mine == NULL) {
		mine = calloc(1, sizeof(*mine));
		if (mine == NULL)
			return GK_ERR_NOMEM;
		g->members[m->id] = mine;
	} else {
		unlink_ip(g, mine);
		g->n_unresponsive -= mine->unresponsive;
	}
	*mine = *info;
	mine->id = m->id;
	return link_ip(g, mine);
}

void
gdoi_member_drop(struct gdoi_group *g, uint32_t id)
{
	struct gdoi_member *m = gdoi_member_of(g, id);

	if (m == NULL)
		return;
	unlink_ip(g, m);
	g->n_unresponsive -= m->unresponsive;
	g->members[id] = NULL;
	free(m);
}

void
gdoi_members_free(struct gdoi_group *g)
{
	for (size_t i = 0; i < g->members_cap; i++)
		free(g->members[i]);
	free(g->members);
	gk_index_free(&g->by_ip);
	g->by_ip = (struct gk_index){ 0 };
	g->members = NULL;
	g->members_cap = 0;
	g->n_unresponsive = 0;
}

/* ---- durable ------------------------------------------------------------- */

enum { HEARD = 1, BEHIND_NAT = 2, WORN = 4 };

/* What changes comes first, who it is last. */
static void
read_info(struct gk_rd *rd, struct gdoi_member *info)
{
	struct gk_slice ip;
	uint8_t flags;

	*info = (struct gdoi_member){ 0 };
	info->address.ip_len = gk_rd_u8(rd, "address length");
	ip = gk_rd_bytes(rd, info->address.ip_len, "address");
	info->address.port = gk_rd_u16(rd, "port");
	flags = gk_rd_u8(rd, "flags");
	info->heard = (flags & HEARD) != 0;
	info->address.nat = (flags & BEHIND_NAT) != 0;
	info->address.handle = GDOI_HANDLE_NONE;
	info->since = gk_rd_u32(rd, "since");
	info->acked = gk_rd_u32(rd, "acknowledged");
	info->acked_seq = gk_rd_u32(rd, "acknowledged SEQ");
	if ((flags & WORN) != 0) {
		info->worn_utc = (int64_t)gk_row_rd_u64(rd, "hour of shares");
		info->worn = gk_rd_u32(rd, "shares");
	}
	/* What is not remembered counts as a repetition. */
	info->acked_before = UINT64_MAX;
	if (ip.len > sizeof(info->address.ip))
		gk_rd_fail(rd, GK_ERR_VALUE, "address");
	else if (rd->fault.err == GK_OK && ip.len != 0)
		memcpy(info->address.ip, ip.ptr, ip.len);
}

static void
write_info(struct gk_wr *wr, const struct gdoi_member *info)
{
	gk_wr_u8(wr, info->address.ip_len);
	gk_wr_bytes(wr, ip_of(info));
	gk_wr_u16(wr, info->address.port);
	gk_wr_u8(wr, (uint8_t)((info->heard ? HEARD : 0) |
	                       (info->address.nat ? BEHIND_NAT : 0) |
	                       (info->worn != 0 ? WORN : 0)));
	gk_wr_u32(wr, info->since);
	gk_wr_u32(wr, info->acked);
	gk_wr_u32(wr, info->acked_seq);
	if (info->worn == 0)
		return;
	gk_row_wr_u64(wr, (uint64_t)info->worn_utc);
	gk_wr_u32(wr, info->worn);
}

enum gk_err
gdoi_member_join(struct gdoi_group *g, struct gk_slice name,
                 struct gk_slice who, const struct gdoi_member *info,
                 int64_t utc, struct gk_member **m)
{
	uint8_t row[BLOB_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	write_info(&wr, info);
	gk_wr_bytes(&wr, who);
	GK_TRY(gk_wr_done(&wr));
	return gk_group_join_with(g->data, name,
	                          (struct gk_slice){ row, wr.len }, utc, m);
}

enum gk_err
gdoi_member_save(struct gdoi_group *g, struct gk_member *m, struct gk_slice who)
{
	const struct gdoi_member *info = gdoi_member_of(g, m->id);
	struct gdoi_member before;
	uint8_t row[BLOB_MAX];
	struct gk_wr wr;
	struct gk_rd rd;

	gk_wr_init(&wr, row, sizeof(row));
	write_info(&wr, info);
	if (who.len != 0) {
		gk_wr_bytes(&wr, who);
	} else {
		gk_rd_init(&rd, gk_member_blob(m).ptr, m->blob_len);
		read_info(&rd, &before);
		gk_wr_bytes(&wr, gk_rd_bytes(&rd, gk_rd_left(&rd), "identity"));
	}
	GK_TRY(gk_wr_done(&wr));
	return gk_group_member_blob(g->data, m,
	                            (struct gk_slice){ row, wr.len });
}

/* The hour goes on where it was.  A clock that was put back makes it longer by no
 * more than what it had left. */
static void
resume_hour(const struct gdoi_group *g, struct gdoi_member *info)
{
	int64_t gone = g->now.utc_s - info->worn_utc;

	if (gone < 0) {
		gone = 0;
		info->worn_utc = g->now.utc_s;
	}
	info->worn_ms = g->now.mono_ms - (uint64_t)gone * 1000;
}

enum gk_err
gdoi_members_load(struct gdoi_group *g)
{
	struct gk_member *m;
	size_t cursor = 0;

	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		struct gdoi_member info;
		struct gk_rd rd;

		gk_rd_init(&rd, gk_member_blob(m).ptr, m->blob_len);
		read_info(&rd, &info);
		GK_TRY(rd.fault.err);
		resume_hour(g, &info);
		GK_TRY(gdoi_member_put(g, m, &info));
	}
	return GK_OK;
}

bool
gdoi_member_admitted(const struct gdoi_policy *policy,
                     const struct gk_member *m)
{
	struct gdoi_member info;
	struct gk_rd rd;

	gk_rd_init(&rd, gk_member_blob(m).ptr, m->blob_len);
	read_info(&rd, &info);
	return gdoi_policy_admits_again(policy, gk_rd_rest(&rd));
}

enum gk_err
gdoi_group_drop(struct gdoi_group *g, struct gk_member *m, struct gk_now now)
{
	gdoi_member_drop(g, m->id);
	return gk_group_leave(g->data, m, now.utc_s);
}
