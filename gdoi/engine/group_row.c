/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_row.h"
#include "gdoi/engine/group_state.h"
#include "gdoi/message/sig_key.h"

/*
 * The engine's own rows: what a restart needs to go on where it was.
 */
#define HEAD_MAX 64
#define OWED_AT_ONCE 2 /* else a rekey is owed (1), or not (0) */
#define ROW_MAX 70000  /* a PUSH, a SAT */
#define ADDRESS_MAX 24
#define BEHIND_NAT 0x80 /* in the octet of an address's length */

/* ---- writing ------------------------------------------------------------- */

static struct gk_slice
head_key(void)
{
	return gk_slice_str("head");
}

enum gk_err
gdoi_group_save_head(struct gdoi_group *g)
{
	uint8_t row[HEAD_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u8(&wr, g->phase == GDOI_GROUP_DESTROYED);
	gk_wr_u16(&wr, g->shape.degree);
	gk_wr_u8(&wr, g->shape.key_len);
	gk_wr_u32(&wr, g->shape.capacity);
	gk_wr_u8(&wr, g->shape.backward);
	gk_wr_u32(&wr, g->shape.sender_last);
	gk_wr_u32(&wr, g->pushes);
	gk_wr_u8(&wr, g->owed_at_once ? OWED_AT_ONCE : g->rekey_owed);
	gk_row_wr_u64(&wr, (uint64_t)g->last_rekey_utc);
	gk_wr_bytes(&wr, (struct gk_slice){ g->spi_key, sizeof(g->spi_key) });
	gk_wr_u32(&wr, g->resend_from);
	g->commit_owed = true;
	return gk_row_put(g->own, GDOI_TABLE_HEAD, head_key(), &wr);
}

enum gk_err
gdoi_row_delete(struct gdoi_group *g, const char *table, uint32_t key)
{
	uint8_t name[4];

	g->commit_owed = true;
	return gk_journal_del(g->own, table, gk_row_key(key, name));
}

/* Beside the state of a Rekey SA: whose key came with it stands behind its own. */
#define KEK_SIGNER 0x80

enum gk_err
gdoi_kek_save(struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	uint8_t row[1024], name[4];
	struct gk_wr wr;

	if (kek->state == GDOI_KEK_SPARE)
		return GK_OK;
	g->commit_owed = true;
	gk_wr_init(&wr, row, sizeof(row));
	gk_wr_u8(&wr,
	         (uint8_t)(kek->state | (kek->has_signer ? KEK_SIGNER : 0)));
	gk_row_wr_u64(&wr, (uint64_t)kek->created);
	gk_row_wr_u64(&wr, (uint64_t)kek->expires);
	gk_wr_u32(&wr, kek->sequence);
	gk_wr_u8(&wr, kek->has_chained);
	gk_wr_bytes(&wr,
	            (struct gk_slice){ kek->chained, sizeof(kek->chained) });
	gk_wr_vec16(&wr, gk_buf_slice(&kek->key));
	if (kek->has_signer)
		gk_wr_bytes(&wr, (struct gk_slice){ kek->signer_id,
		                                    GDOI_SIGNER_ID_LEN });
	gk_wr_bytes(&wr, gk_buf_slice(&kek->body));
	return gk_row_put(g->own, GDOI_TABLE_KEK, gk_row_key(kek->handle, name),
	                  &wr);
}

/* Beside the state of a TEK: it has run out, and its keys are zero; it may have been
 * used up, and is to be replaced. */
#define TEK_OVER 0x80
#define TEK_WORN 0x40

static void
write_tek(struct gk_wr *wr, const struct gdoi_data_sa *t)
{
	gk_wr_u16(wr, t->data);
	gk_wr_u8(wr, (uint8_t)(t->state | (t->over ? TEK_OVER : 0) |
	                       (t->worn ? TEK_WORN : 0)));
	gk_wr_u8(wr, t->announced);
	gk_wr_u8(wr, t->deleted);
	gk_row_wr_u64(wr, (uint64_t)t->created);
	gk_row_wr_u64(wr, (uint64_t)t->expires);
	gk_row_wr_u64(wr, (uint64_t)t->active_utc);
	gk_row_wr_u64(wr, (uint64_t)t->gone_utc);
	gk_wr_u32(wr, t->push);
	gk_wr_u32(wr, t->holders);
	gk_wr_vec16(wr, (struct gk_slice){ t->key, t->keys.algorithm });
	/* An SA has the one or the other. */
	gk_wr_vec16(wr, t->keys.source_auth
	                        ? gk_buf_slice(&t->source_auth)
	                        : (struct gk_slice){ t->integrity,
	                                             t->keys.integrity });
	gk_wr_bytes(wr, gk_buf_slice(&t->body));
}

enum gk_err
gdoi_tek_save(struct gdoi_group *g, const struct gdoi_data_sa *t)
{
	struct gk_buf row;
	uint8_t name[4];
	struct gk_wr wr;
	enum gk_err err;

	if (t->spare)
		return GK_OK;
	GK_TRY(gk_buf_alloc(&row, t->body.len + t->source_auth.len + 256 +
	                                  2 * GDOI_TEK_KEY_MAX));
	g->commit_owed = true;
	gk_wr_init(&wr, row.ptr, row.len);
	write_tek(&wr, t);
	err = gk_row_put(g->own, GDOI_TABLE_TEK, gk_row_key(t->handle, name),
	                 &wr);
	gk_buf_free(&row);
	return err;
}

static void
write_event(struct gk_wr *wr, const struct gdoi_event *e)
{
	gk_wr_u32(wr, e->kek);
	gk_wr_u32(wr, e->sequence);
	gk_wr_u16(wr, e->ack);
	gk_wr_u8(wr, e->sealed);
	gk_wr_u8(wr, e->first);
	gk_wr_u16(wr, (uint16_t)(e->resend > 0xffff ? 0xffff : e->resend));
	gk_wr_u32(wr, e->spacing_ms);
	gk_wr_u8(wr, e->to != NULL);
	gk_wr_u32(wr, (uint32_t)e->n_to);
	for (size_t i = 0; i < e->n_to; i++) {
		gk_wr_u8(wr, (uint8_t)(e->to[i].ip_len |
		                       (e->to[i].nat ? BEHIND_NAT : 0)));
		gk_wr_bytes(wr,
		            (struct gk_slice){ e->to[i].ip, e->to[i].ip_len });
		gk_wr_u16(wr, e->to[i].port);
	}
	gk_wr_bytes(wr, gk_buf_slice(&e->octets));
}

enum gk_err
gdoi_event_save(struct gdoi_group *g, const struct gdoi_event *e)
{
	struct gk_buf row;
	uint8_t name[4];
	struct gk_wr wr;
	enum gk_err err;

	GK_TRY(gk_buf_alloc(&row, e->octets.len + 64 + e->n_to * ADDRESS_MAX));
	gk_wr_init(&wr, row.ptr, row.len);
	write_event(&wr, e);
	err = gk_row_put(g->own, GDOI_TABLE_PUSH, gk_row_key(e->number, name),
	                 &wr);
	gk_buf_free(&row);
	return err;
}

/* ---- reading ------------------------------------------------------------- */

static bool
row_number(struct gk_slice key, uint32_t *n)
{
	struct gk_rd rd;

	gk_rd_init(&rd, key.ptr, key.len);
	*n = gk_rd_u32(&rd, "key");
	return gk_rd_done(&rd) == GK_OK;
}

static enum gk_err
load_head(struct gdoi_group *g, struct gk_slice value)
{
	struct gk_slice spi_key;
	uint8_t owed;
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	if (gk_rd_u8(&rd, "destroyed") != 0)
		g->phase = GDOI_GROUP_DESTROYED;
	g->shape.degree = gk_rd_u16(&rd, "degree");
	g->shape.key_len = gk_rd_u8(&rd, "key length");
	g->shape.capacity = gk_rd_u32(&rd, "capacity");
	g->shape.backward = gk_rd_u8(&rd, "backward") != 0;
	g->shape.sender_last = gk_rd_u32(&rd, "last sender id");
	g->pushes = gk_rd_u32(&rd, "pushes");
	owed = gk_rd_u8(&rd, "rekey owed");
	g->rekey_owed = owed != 0;
	g->owed_at_once = owed == OWED_AT_ONCE;
	g->last_rekey_utc = (int64_t)gk_row_rd_u64(&rd, "last rekey");
	spi_key = gk_rd_bytes(&rd, sizeof(g->spi_key), "SPI key");
	if (gk_rd_left(&rd) != 0) /* not in rows of before it was there */
		g->resend_from = gk_rd_u32(&rd, "first to be sent again");
	GK_TRY(gk_rd_done(&rd));
	memcpy(g->spi_key, spi_key.ptr, sizeof(g->spi_key));
	if (g->phase == GDOI_GROUP_DESTROYED)
		return GK_OK;
	return gdoi_group_make_data(g);
}

static const struct gdoi_dialect plain;

static enum gk_err
read_kek(struct gdoi_rekey_sa *kek, struct gk_rd *rd)
{
	struct isakmp_reject why;
	struct gk_slice chained, key, signer = { 0 };
	uint8_t state = gk_rd_u8(rd, "state");

	kek->state = (enum gdoi_kek_state)(state & ~KEK_SIGNER);
	kek->has_signer = (state & KEK_SIGNER) != 0;
	kek->created = (int64_t)gk_row_rd_u64(rd, "created");
	kek->expires = (int64_t)gk_row_rd_u64(rd, "expires");
	kek->sequence = gk_rd_u32(rd, "sequence");
	kek->has_chained = gk_rd_u8(rd, "chained") != 0;
	chained = gk_rd_bytes(rd, sizeof(kek->chained), "chained");
	key = gk_rd_vec16(rd, "key");
	if (kek->has_signer)
		signer = gk_rd_bytes(rd, GDOI_SIGNER_ID_LEN, "signer");
	GK_TRY(rd->fault.err);
	if (kek->has_signer)
		memcpy(kek->signer_id, signer.ptr, signer.len);
	memcpy(kek->chained, chained.ptr, sizeof(kek->chained));
	GK_TRY(gk_buf_copy(&kek->key, key));
	GK_TRY(gk_buf_copy(&kek->body, gk_rd_bytes(rd, gk_rd_left(rd), "SAK")));
	gk_rd_init(rd, kek->body.ptr, kek->body.len);
	GK_TRY(gdoi_sak_read(rd, &plain, false, &kek->sak, &why));
	kek->cipher = gdoi_kek_cipher(kek->sak.algorithm, kek->sak.key_length);
	if (kek->cipher == GK_CIPHER_NONE ||
	    kek->key.len != gdoi_lkh_plain_len(kek->cipher) ||
	    kek->state < GDOI_KEK_NEXT || kek->state > GDOI_KEK_OLD)
		return GK_ERR_VALUE;
	return GK_OK;
}

static enum gk_err
load_kek(struct gdoi_group *g, uint32_t handle, struct gk_slice value)
{
	struct gdoi_rekey_sa *kek = calloc(1, sizeof(*kek));
	struct gdoi_rekey_sa **at = &g->keks;
	struct gk_rd rd;
	enum gk_err err;

	if (kek == NULL)
		return GK_ERR_NOMEM;
	kek->handle = handle;
	gk_rd_init(&rd, value.ptr, value.len);
	err = read_kek(kek, &rd);
	if (err != GK_OK) {
		gdoi_kek_free(kek);
		return err;
	}
	while (*at != NULL && (*at)->handle > handle)
		at = &(*at)->next;
	kek->next = *at;
	*at = kek;
	return GK_OK;
}

static enum gk_err
read_tek(const struct gdoi_group *g, struct gdoi_data_sa *t, struct gk_rd *rd)
{
	struct isakmp_reject why;
	struct gk_slice key, integrity;
	uint8_t state;

	t->data = gk_rd_u16(rd, "data");
	state = gk_rd_u8(rd, "state");
	t->state = (enum gdoi_tek_state)(state & ~(TEK_OVER | TEK_WORN));
	t->over = (state & TEK_OVER) != 0;
	t->worn = (state & TEK_WORN) != 0;
	t->announced = gk_rd_u8(rd, "announced") != 0;
	t->deleted = gk_rd_u8(rd, "deleted") != 0;
	t->created = (int64_t)gk_row_rd_u64(rd, "created");
	t->expires = (int64_t)gk_row_rd_u64(rd, "expires");
	t->active_utc = (int64_t)gk_row_rd_u64(rd, "activation");
	t->gone_utc = (int64_t)gk_row_rd_u64(rd, "deactivation");
	t->push = gk_rd_u32(rd, "push");
	t->holders = gk_rd_u32(rd, "holders");
	key = gk_rd_vec16(rd, "key");
	integrity = gk_rd_vec16(rd, "integrity key");
	GK_TRY(rd->fault.err);
	GK_TRY(gk_buf_copy(&t->body, gk_rd_bytes(rd, gk_rd_left(rd), "SAT")));
	gk_rd_init(rd, t->body.ptr, t->body.len);
	GK_TRY(gdoi_sat_read(rd, &plain, &t->sat, &why));
	GK_TRY(gdoi_sat_keys(&g->dialect, &t->sat, &t->keys, &why));
	if (t->keys.source_auth) {
		GK_TRY(gk_buf_copy(&t->source_auth, integrity));
		integrity = (struct gk_slice){ 0 };
		GK_TRY(gdoi_source_key_check(&t->sat,
		                             gk_buf_slice(&t->source_auth)));
	}
	if (key.len != t->keys.algorithm || key.len > sizeof(t->key) ||
	    integrity.len != t->keys.integrity ||
	    integrity.len > sizeof(t->integrity) || t->state > GDOI_TEK_OLD)
		return GK_ERR_VALUE;
	if (key.len != 0)
		memcpy(t->key, key.ptr, key.len);
	if (integrity.len != 0)
		memcpy(t->integrity, integrity.ptr, integrity.len);
	return GK_OK;
}

static enum gk_err
load_tek(struct gdoi_group *g, uint32_t handle, struct gk_slice value)
{
	struct gdoi_data_sa *t = calloc(1, sizeof(*t)), **at = &g->teks;
	struct gk_rd rd;
	enum gk_err err;

	if (t == NULL)
		return GK_ERR_NOMEM;
	t->handle = handle;
	t->shown = -1;
	gk_rd_init(&rd, value.ptr, value.len);
	err = read_tek(g, t, &rd);
	if (err != GK_OK) {
		gdoi_tek_free(t);
		return err;
	}
	if (t->over)
		at = &g->lapsed;
	while (*at != NULL && ((*at)->handle < handle) != t->over)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	return GK_OK;
}

static enum gk_err
read_recipients(struct gdoi_event *e, struct gk_rd *rd)
{
	bool unicast = gk_rd_u8(rd, "unicast") != 0;
	uint32_t n = gk_rd_u32(rd, "recipients");

	if (rd->fault.err != GK_OK || n > gk_rd_left(rd) / 3)
		return GK_ERR_VALUE;
	if (!unicast)
		return GK_OK;
	e->to = calloc((size_t)n + 1, sizeof(*e->to));
	if (e->to == NULL)
		return GK_ERR_NOMEM;
	for (; e->n_to < n; e->n_to++) {
		struct gdoi_address *a = &e->to[e->n_to];
		struct gk_slice ip;

		a->ip_len = gk_rd_u8(rd, "address length");
		a->nat = (a->ip_len & BEHIND_NAT) != 0;
		a->ip_len &= (uint8_t)~BEHIND_NAT;
		a->handle = GDOI_HANDLE_NONE;
		ip = gk_rd_bytes(rd, a->ip_len, "address");
		a->port = gk_rd_u16(rd, "port");
		if (rd->fault.err != GK_OK || ip.len > sizeof(a->ip))
			return GK_ERR_VALUE;
		memcpy(a->ip, ip.ptr, ip.len);
	}
	return GK_OK;
}

static enum gk_err
read_event(struct gdoi_event *e, struct gk_slice value)
{
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	e->kek = gk_rd_u32(&rd, "Rekey SA");
	e->sequence = gk_rd_u32(&rd, "SEQ");
	e->ack = gk_rd_u16(&rd, "acknowledgement");
	e->sealed = gk_rd_u8(&rd, "sealed") != 0;
	e->again = e->sealed;
	e->first = gk_rd_u8(&rd, "first payload");
	e->resend = gk_rd_u16(&rd, "resend");
	e->spacing_ms = gk_rd_u32(&rd, "spacing");
	e->ack_by = GK_NEVER;
	GK_TRY(read_recipients(e, &rd));
	return gk_buf_copy(&e->octets,
	                   gk_rd_bytes(&rd, gk_rd_left(&rd), "PUSH"));
}

static enum gk_err
load_event(struct gdoi_group *g, uint32_t number, struct gk_slice value)
{
	struct gdoi_event *e = calloc(1, sizeof(*e)), **at = &g->first_event;
	enum gk_err err;

	if (e == NULL)
		return GK_ERR_NOMEM;
	e->number = number;
	err = read_event(e, value);
	if (err != GK_OK) {
		gdoi_event_free(e);
		return err;
	}
	while (*at != NULL && (*at)->number < number)
		at = &(*at)->next;
	e->next = *at;
	*at = e;
	if (e->next == NULL)
		g->last_event = e;
	return GK_OK;
}

/* ---- all tables ---------------------------------------------------------- */

static const char *const own_tables[] = { GDOI_TABLE_HEAD, GDOI_TABLE_KEK,
	                                  GDOI_TABLE_TEK, GDOI_TABLE_PUSH };

const char *
gdoi_group_table(size_t i)
{
	size_t n = 0;

	if (i < GK_COUNT(own_tables))
		return own_tables[i];
	while (gk_group_tables[n] != NULL)
		n++;
	return i - GK_COUNT(own_tables) < n
	               ? gk_group_tables[i - GK_COUNT(own_tables)]
	               : NULL;
}

enum gk_err
gdoi_group_load(struct gdoi_group *g, const char *table, struct gk_slice key,
                struct gk_slice value)
{
	const char *why;
	uint32_t n;

	if (strcmp(table, GDOI_TABLE_HEAD) == 0)
		return g->data != NULL ? GK_ERR_VALUE : load_head(g, value);
	if (g->data == NULL && g->phase != GDOI_GROUP_DESTROYED)
		return GK_ERR_VALUE; /* there is no head */
	for (size_t i = 0; gk_group_tables[i] != NULL; i++)
		if (strcmp(table, gk_group_tables[i]) == 0)
			return g->data == NULL
			               ? GK_ERR_VALUE
			               : gk_group_load_row(g->data, table, key,
			                                   value, &why);
	if (!row_number(key, &n))
		return GK_ERR_VALUE;
	if (strcmp(table, GDOI_TABLE_KEK) == 0)
		return load_kek(g, n, value);
	if (strcmp(table, GDOI_TABLE_TEK) == 0)
		return load_tek(g, n, value);
	if (strcmp(table, GDOI_TABLE_PUSH) == 0)
		return load_event(g, n, value);
	return GK_ERR_UNEXPECTED;
}

/*
 * A PUSH whose Rekey SA is gone could not be read any more; one of a rekey before
 * the last one went out in its time, and its SAs have been replaced since.  Neither
 * is sent again.  One of the last rekey that came under the KEK before is, as it
 * brings the KEK in force.
 */
static enum gk_err
drop_old(struct gdoi_group *g)
{
	struct gdoi_event **at = &g->first_event, *e;

	g->last_event = NULL;
	while ((e = *at) != NULL) {
		if (e->number >= g->resend_from &&
		    gdoi_kek_find(g, e->kek) != NULL) {
			g->last_event = e;
			at = &e->next;
			continue;
		}
		*at = e->next;
		GK_TRY(gdoi_row_delete(g, GDOI_TABLE_PUSH, e->number));
		gdoi_event_free(e);
	}
	return GK_OK;
}

enum gk_err
gdoi_group_load_end(struct gdoi_group *g, struct gk_now now)
{
	const char *why;

	g->now = now;
	if (g->data != NULL) {
		GK_TRY(gk_group_load_done(g->data, &why));
		GK_TRY(gdoi_members_load(g));
	}
	for (struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next)
		if (k->state == GDOI_KEK_OLD)
			k->forget_ms = now.mono_ms + g->cfg.ack_wait_ms;
	return drop_old(g);
}
