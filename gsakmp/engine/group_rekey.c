/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/bulletin.h"
#include "gsakmp/engine/secret.h"
#include "gsakmp/message/protect.h"

/*
 * Rekey Events at the key server: RFC 4535 sections 5.3.1, 7.5, appendix A.
 *
 * Planning closes the epoch and fixes everything but the signature; that goes
 * to the store with the new keys, in one commit.  Flushing signs and sends.  A
 * key server that dies in between finds the event in its store, signs it again
 * and sends it: no member has to notice.
 */
#define EVENT_VERSION 1
#define EVENT_EXTRA 1 /* flags in a row */
#define EVENT_POST 2
#define KEK_SCAN 4096       /* expiring node keys looked for per rekey */
#define REKEY_RETRY_MS 1000 /* after a plan that failed */

static void
event_free(struct gsakmp_event *e)
{
	if (e == NULL)
		return;
	gk_buf_free(&e->token);
	gk_buf_free(&e->body);
	free(e);
}

static void
list_free(struct gsakmp_event **list)
{
	while (*list != NULL) {
		struct gsakmp_event *e = *list;

		*list = e->next;
		event_free(e);
	}
}

void
gsakmp_group_events_free(struct gsakmp_group *g)
{
	list_free(&g->first_event);
	list_free(&g->sent);
	g->last_event = NULL;
}

static void
event_queue(struct gsakmp_group *g, struct gsakmp_event *e)
{
	if (g->last_event != NULL)
		g->last_event->next = e;
	else
		g->first_event = e;
	g->last_event = e;
}

static struct gk_slice
event_key(uint32_t sequence, uint8_t key[4])
{
	struct gk_wr wr;

	gk_wr_init(&wr, key, 4);
	gk_wr_u32(&wr, sequence);
	return (struct gk_slice){ key, 4 };
}

static enum gk_err
event_store(struct gsakmp_group *g, const struct gsakmp_event *e)
{
	struct gk_buf row = { 0 };
	uint8_t key[4], head[10];
	struct gk_wr wr;
	enum gk_err err;

	gk_wr_init(&wr, head, sizeof(head));
	gk_wr_u8(&wr, EVENT_VERSION);
	gk_wr_u16(&wr, e->signature);
	gk_wr_u8(&wr, (uint8_t)((e->extra ? EVENT_EXTRA : 0) |
	                        (e->post ? EVENT_POST : 0)));
	gk_wr_u16(&wr, (uint16_t)e->resend);
	gk_wr_u32(&wr, (uint32_t)e->token.len);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_buf_alloc(&row, wr.len + e->token.len + e->body.len));
	memcpy(row.ptr, head, wr.len);
	if (e->token.len != 0)
		memcpy(row.ptr + wr.len, e->token.ptr, e->token.len);
	if (e->body.len != 0)
		memcpy(row.ptr + wr.len + e->token.len, e->body.ptr,
		       e->body.len);
	err = gsakmp_group_store(g, GSAKMP_TABLE_EVENT,
	                         event_key(e->sequence, key),
	                         gk_buf_slice(&row));
	gk_buf_free(&row);
	return err;
}

enum gk_err
gsakmp_group_event_load(struct gsakmp_group *g, struct gk_slice key,
                        struct gk_slice value)
{
	struct gsakmp_event *e = calloc(1, sizeof(*e));
	struct gk_rd rd, krd;
	uint8_t flags;
	enum gk_err err;

	if (e == NULL)
		return GK_ERR_NOMEM;
	gk_rd_init(&krd, key.ptr, key.len);
	e->sequence = gk_rd_u32(&krd, "Sequence ID");
	e->destroy = e->sequence == GSAKMP_SEQUENCE_DESTROY;
	gk_rd_init(&rd, value.ptr, value.len);
	if (gk_rd_u8(&rd, "version") != EVENT_VERSION)
		gk_rd_fail(&rd, GK_ERR_VALUE, "version");
	e->signature = gk_rd_u16(&rd, "Signature Type");
	flags = gk_rd_u8(&rd, "flags");
	e->extra = (flags & EVENT_EXTRA) != 0;
	e->post = (flags & EVENT_POST) != 0;
	e->resend = gk_rd_u16(&rd, "resend");
	err = gk_buf_copy(&e->token,
	                  gk_rd_bytes(&rd, gk_rd_u32(&rd, "token"), "token"));
	if (err == GK_OK)
		err = gk_buf_copy(&e->body, gk_rd_rest(&rd));
	if (err == GK_OK)
		err = gk_rd_done(&rd);
	if (err == GK_OK)
		err = gk_rd_done(&krd);
	if (err != GK_OK) {
		event_free(e);
		return err;
	}
	if (g->stored_first == 0 || e->sequence < g->stored_first)
		g->stored_first = e->sequence;
	if (e->sequence > g->stored_last)
		g->stored_last = e->sequence;
	event_queue(g, e);
	return GK_OK;
}

/* The rows of earlier events have done their duty; but not of those that did
 * not leave yet: a restart would not know them. */
static enum gk_err
forget_events(struct gsakmp_group *g)
{
	uint32_t s = g->stored_first, end = g->stored_last;
	uint8_t key[4];

	if (g->first_event != NULL)
		end = g->first_event->sequence - 1;
	for (const struct gsakmp_event *e = g->sent; e != NULL; e = e->next)
		if (e->sequence <= end)
			end = e->sequence - 1;
	for (; s != 0 && s <= end; s++)
		GK_TRY(gsakmp_group_store(g, GSAKMP_TABLE_EVENT,
		                          event_key(s, key),
		                          (struct gk_slice){ 0 }));
	g->stored_first = s <= g->stored_last ? s : 0;
	if (g->stored_first == 0)
		g->stored_last = 0;
	return GK_OK;
}

/* ---- plans -------------------------------------------------------------- */

struct plan {
	struct gsakmp_group *g;
	struct gk_now now;
	struct gk_buf datas; /* of the message that is being filled */
	size_t datas_cap;
	uint16_t count;
	struct gk_buf token; /* sealed, for the first message */
	/* Most keys of a plan have the same dates. */
	struct date {
		int64_t utc;
		uint8_t text[GK_ZULU_LEN];
	} created, expires;
	/* Initialisation vectors, drawn for many wraps at once. */
	uint8_t pool[1024];
	size_t pool_left;
};

static enum gk_err
pooled_random(void *ctx, uint8_t *out, size_t n)
{
	struct plan *p = ctx;
	const struct gk_env *env = p->g->env;

	if (n > sizeof(p->pool))
		return env->random(env->ctx, out, n);
	if (n > p->pool_left) {
		GK_TRY(env->random(env->ctx, p->pool, sizeof(p->pool)));
		p->pool_left = sizeof(p->pool);
	}
	p->pool_left -= n;
	memcpy(out, p->pool + p->pool_left, n);
	return GK_OK;
}

static void
plan_free(struct plan *p)
{
	gk_buf_free(&p->datas);
	gk_buf_free(&p->token);
	gk_wipe(p->pool, sizeof(p->pool));
}

/* ---- wraps -------------------------------------------------------------- */

static void
gtpk_datum(const struct gk_traffic_key *k, struct gsakmp_key_datum *d)
{
	*d = (struct gsakmp_key_datum){ .type = (uint16_t)k->type,
		                        .id = k->id,
		                        .handle = k->handle,
		                        .key = { k->octets, k->len } };
	gk_zulu_format(k->created, d->created);
	gk_zulu_format(k->expires, d->expires);
}

static void
write_date(struct date *last, int64_t utc, uint8_t out[GK_ZULU_LEN])
{
	if (last->utc != utc || last->text[0] == 0) {
		last->utc = utc;
		gk_zulu_format(utc, last->text);
	}
	memcpy(out, last->text, GK_ZULU_LEN);
}

static void
kek_datum(struct plan *p, const struct gk_lkh_key *k,
          struct gsakmp_key_datum *d)
{
	*d = (struct gsakmp_key_datum){ .type = p->g->policy->kek_type,
		                        .id = k->id,
		                        .handle = k->handle,
		                        .key = gk_lkh_key_slice(k) };
	write_date(&p->created, k->created, d->created);
	write_date(&p->expires, k->expires, d->expires);
}

/* The group key's place in a wrap is taken by all GTPKs of the group. */
static enum gk_err
add_gtpks(const struct gsakmp_group *g, struct gsakmp_keys *keys)
{
	for (size_t i = 0; i < gk_group_key_count(g->data); i++) {
		struct gsakmp_key_datum d;

		gtpk_datum(gk_group_key(g->data, i, GK_KEY_CURRENT), &d);
		GK_TRY(gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d));
	}
	return GK_OK;
}

/* Decision keypkg_lkh_body: a Key Datum each, or one Rekey Array for all. */
static enum gk_err
add_kek(const struct gsakmp_group *g, const struct gsakmp_key_datum *d,
        struct gsakmp_keys *keys, bool *array)
{
	if (g->dialect.keypkg_lkh_body == GSAKMP_KEYPKG_LKH_BODY_DATUM)
		return gsakmp_keys_add(keys, GSAKMP_ITEM_REKEY_LKH, d);
	if (!*array)
		GK_TRY(gsakmp_keys_add_array(keys, 0)); /* nobody's own */
	*array = true;
	return gsakmp_keys_add_kek(keys, d);
}

static enum gk_err
fill_keys(struct plan *p, const struct gk_lkh_wrap *wrap,
          struct gsakmp_keys *keys)
{
	const struct gsakmp_group *g = p->g;
	bool array = false;

	keys->n_items = keys->n_datums = 0; /* it is large: no more than that */
	/* The GTPKs go in front, whatever the plan says: an open Rekey Array
	 * must not be interrupted. */
	for (size_t i = 0; i < wrap->count; i++)
		if (wrap->keys[i] == NULL)
			GK_TRY(add_gtpks(g, keys));
	for (size_t i = 0; i < wrap->count; i++) {
		struct gsakmp_key_datum d;

		if (wrap->keys[i] == NULL)
			continue;
		kek_datum(p, wrap->keys[i], &d);
		GK_TRY(add_kek(g, &d, keys, &array));
	}
	return GK_OK;
}

/* One Rekey Event Data. */
static enum gk_err
seal_wrap(struct plan *p, const struct gk_lkh_wrap *wrap,
          struct gsakmp_keys *keys, struct gk_buf *out)
{
	const struct gsakmp_group *g = p->g;
	const struct gk_env env = { .random = pooled_random, .ctx = p };
	const struct gsakmp_wrapping with = {
		.type = g->policy->kek_type,
		.id = wrap->under->id,
		.handle = wrap->under->handle,
		.key = gk_lkh_key_slice(wrap->under),
	};

	GK_TRY(fill_keys(p, wrap, keys));
	gsakmp_secret_keys(g->env, g->cfg.group_id, keys);
	return gsakmp_rekey_seal(&env, &g->dialect, &with, keys, out);
}

/* ---- events ------------------------------------------------------------- */

static enum gk_err
event_body(const struct plan *p, uint8_t type, struct gk_buf *body)
{
	const struct gsakmp_group *g = p->g;
	struct gsakmp_rekey_event event = { .type = type,
		                            .inner_type = type,
		                            .version = GSAKMP_LKH_VERSION,
		                            .count = p->count,
		                            .data = gk_buf_slice(&p->datas) };
	uint8_t tlv[2 + GSAKMP_GROUPID_MAX];
	struct gk_wr wr;

	event.groupid = g->cfg.group_id;
	if (g->dialect.reh_groupid == GSAKMP_REH_GROUPID_TLV) {
		tlv[0] = g->cfg.group_id_type;
		tlv[1] = (uint8_t)g->cfg.group_id.len;
		memcpy(tlv + 2, g->cfg.group_id.ptr, g->cfg.group_id.len);
		event.groupid =
			(struct gk_slice){ tlv, 2 + g->cfg.group_id.len };
	}
	if (type == GSAKMP_REKEY_NONE &&
	    g->dialect.rekey_none_algver == GSAKMP_REKEY_NONE_ALGVER_0)
		event.version = 0;
	gk_zulu_format(p->now.utc_s, event.stamp);
	GK_TRY(gk_buf_alloc(body, 32 + event.groupid.len + p->datas.len));
	gk_wr_init(&wr, body->ptr, body->len);
	gsakmp_rekey_event_encode(&wr, &event);
	body->len = wr.len;
	return gk_wr_done(&wr);
}

/* RFC4535-7.1.1-11, -12: one by one, from 1; committed before it is used. */
static enum gk_err
event_add(struct plan *p, uint8_t type, bool destroy)
{
	struct gsakmp_group *g = p->g;
	struct gsakmp_event *e = calloc(1, sizeof(*e));
	enum gk_err err = GK_OK;

	if (e == NULL)
		return GK_ERR_NOMEM;
	e->destroy = destroy;
	e->sequence = GSAKMP_SEQUENCE_DESTROY;
	e->signature = g->policy->rekey_sig;
	e->extra = gsakmp_suite_extra(&g->policy->suite[0]) ||
	           gsakmp_code_extra(GSAKMP_TABLE_SIGNATURE, e->signature) ||
	           gsakmp_code_extra(GSAKMP_TABLE_KEY, g->policy->kek_type);
	e->resend = g->policy->resend;
	e->post = g->policy->post != NULL;
	if (!destroy)
		err = gk_group_sequence_next(g->data, &e->sequence);
	if (err == GK_OK)
		err = event_body(p, type, &e->body);
	if (err == GK_OK) {
		e->token = p->token;
		p->token = (struct gk_buf){ 0 };
		err = event_store(g, e);
	}
	if (err != GK_OK) {
		event_free(e);
		return err;
	}
	if (g->stored_first == 0)
		g->stored_first = e->sequence;
	g->stored_last = e->sequence;
	event_queue(g, e);
	p->datas.len = 0; /* for the next one */
	p->count = 0;
	return GK_OK;
}

static enum gk_err
datas_append(struct plan *p, struct gk_slice data)
{
	size_t need = p->datas.len + data.len, cap = p->datas_cap;
	struct gk_buf grown;

	if (need > cap) {
		cap = need < 2048 ? 4096 : 2 * need;
		GK_TRY(gk_buf_alloc(&grown, cap));
		if (p->datas.len != 0)
			memcpy(grown.ptr, p->datas.ptr, p->datas.len);
		grown.len = p->datas.len;
		gk_buf_free(&p->datas);
		p->datas = grown;
		p->datas_cap = cap;
	}
	memcpy(p->datas.ptr + p->datas.len, data.ptr, data.len);
	p->datas.len = need;
	return GK_OK;
}

static enum gk_err
add_data(struct plan *p, struct gk_slice data)
{
	size_t room = p->g->cfg.rekey_split;

	/* The token travels with the first message and takes its share. */
	room = room > p->token.len + data.len ? room - p->token.len : data.len;
	if (p->count != 0 && p->datas.len + data.len > room)
		GK_TRY(event_add(p, GSAKMP_REKEY_LKH, false));
	GK_TRY(datas_append(p, data));
	p->count++;
	return GK_OK;
}

static enum gk_err
render(struct plan *p, const struct gk_lkh_plan *plan)
{
	struct gsakmp_keys *keys = malloc(sizeof(*keys));
	enum gk_err err = GK_OK;

	if (keys == NULL)
		return GK_ERR_NOMEM;
	for (size_t i = 0; i < plan->count && err == GK_OK; i++) {
		struct gk_buf data = { 0 };

		err = seal_wrap(p, &plan->wraps[i], keys, &data);
		if (err == GK_OK)
			err = add_data(p, gk_buf_slice(&data));
		gk_buf_free(&data);
	}
	gk_wipe(keys, sizeof(*keys));
	free(keys);
	if (err == GK_OK && p->count != 0)
		err = event_add(p, GSAKMP_REKEY_LKH, false);
	/* RFC4535-5.3.1.2-01: a token without any key. */
	if (err == GK_OK && p->token.len != 0)
		err = event_add(p, GSAKMP_REKEY_NONE, false);
	return err;
}

/* RFC4535-5.3.1.1-05: under the GTPK that was in force before. */
static enum gk_err
seal_token(struct plan *p, const struct gsakmp_policy *policy,
           const struct gk_traffic_key *old)
{
	const struct gk_traffic_key *with = old;

	if (p->g->dialect.pt_rekey_key == GSAKMP_PT_REKEY_KEY_NEW_GTPK)
		with = gk_group_key(p->g->data, 0, GK_KEY_CURRENT);
	return gsakmp_rekey_token_seal(
		p->g->env, &p->g->dialect,
		&(struct gsakmp_wrapping){ .type = (uint16_t)with->type,
	                                   .id = with->id,
	                                   .handle = with->handle,
	                                   .key = { with->octets, with->len } },
		GSAKMP_TOKEN_ASN1_V1, gk_buf_slice(&policy->signed_der),
		&p->token);
}

static enum gk_err
leave_out(struct gsakmp_group *g, const struct gsakmp_rekey_cause *order,
          struct gk_now now)
{
	size_t cursor = 0;
	struct gk_member *m;

	for (size_t i = 0; i < order->n_evict; i++)
		GK_TRY(gsakmp_group_drop_member(g, order->evict[i], now));
	if (!order->sweep)
		return GK_OK;
	while (gk_group_count_state(g->data, GK_MEMBER_LEAVING) != 0 &&
	       (m = gk_group_each(g->data, &cursor)) != NULL)
		if (m->state == GK_MEMBER_LEAVING)
			GK_TRY(gsakmp_group_drop_member(g, m, now));
	g->n_overdue = 0;
	return GK_OK;
}

static enum gk_err
close_epoch(struct plan *p, const struct gsakmp_rekey_cause *order)
{
	struct gsakmp_group *g = p->g;
	struct gk_lkh_plan plan = { 0 };
	struct gk_traffic_key old;
	size_t renewed;
	bool due;
	enum gk_err err = GK_OK;

	old = *gk_group_key(g->data, 0, GK_KEY_CURRENT);
	if (order->refresh && g->policy->lkh) {
		GK_TRY(gk_group_refresh(g->data, p->now.utc_s));
		GK_TRY(gk_group_renew(g->data, p->now.utc_s,
		                      p->now.utc_s + g->cfg.kek_life_s / 4,
		                      KEK_SCAN, &renewed));
	}
	due = gk_group_due(g->data);
	/* A token alone, at a subordinate: the tree waits for the next key. */
	if (!g->cfg.subordinate || due || order->refresh)
		err = gk_group_seal(
			g->data, g->cfg.lkh_chain ? GK_LKH_CHAIN : GK_LKH_PATH,
			&plan);
	if (err == GK_OK && order->announce != NULL)
		err = seal_token(p, order->announce, &old);
	if (err == GK_OK)
		err = render(p, &plan);
	if (err == GK_OK && due) {
		err = gsakmp_group_keys_out(g, GSAKMP_OUT_KEY_INSTALL,
		                            GK_KEY_CURRENT);
		g->grace_ends = p->now.mono_ms + g->cfg.grace_ms;
	}
	gk_lkh_plan_free(&plan);
	gk_wipe(&old, sizeof(old));
	return err;
}

enum gk_err
gsakmp_group_plan(struct gsakmp_group *g,
                  const struct gsakmp_rekey_cause *order, struct gk_now now)
{
	struct plan p = { .g = g, .now = now };
	enum gk_err err;

	if (g->policy->rekey == NULL)
		return GK_ERR_POLICY;
	err = leave_out(g, order, now);
	if (err == GK_OK)
		err = forget_events(g);
	if (err == GK_OK)
		err = close_epoch(&p, order);
	plan_free(&p);
	if (err != GK_OK) {
		/* Who was to go may be out of the tree already, with nobody
		 * told: try again, but not at once and for ever. */
		g->window_ends = GK_NEVER;
		g->rekey_due = now.mono_ms + REKEY_RETRY_MS;
		return err;
	}
	g->window_ends = GK_NEVER;
	g->rekeys++;
	g->rekeyed_at = now.mono_ms;
	g->last_rekey_utc = now.utc_s;
	if (order->refresh || order->sweep) {
		g->events = 0;
		GK_TRY(gk_group_note_set(g->data, GSAKMP_NOTE_OWED,
		                         (struct gk_slice){ 0 }));
		gsakmp_group_timers(g, now);
	}
	return GK_OK;
}

enum gk_err
gsakmp_group_plan_destroy(struct gsakmp_group *g, struct gk_now now)
{
	struct plan p = { .g = g, .now = now };

	/* A group without a rekey protocol has nobody who would listen. */
	if (g->policy->rekey == NULL)
		return GK_OK;
	g->stored_first = g->stored_last = 0;
	return event_add(&p, GSAKMP_REKEY_NONE, true);
}

/* ---- signing and sending ------------------------------------------------ */

static enum gk_err
event_sign(const struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_now now, struct gk_buf *out)
{
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_build b;
	struct gsakmp_sign sign;

	gsakmp_party_sign(party, e->signature, true, now.utc_s, ders, &sign);
	gsakmp_build_begin(&b, &g->dialect, GSAKMP_EXCHANGE_REKEY_EVENT,
	                   gsakmp_group_groupid(g), e->sequence);
	if (e->token.len != 0)
		gsakmp_build_policy_token(&b, GSAKMP_TOKEN_ASN1_V1,
		                          gk_buf_slice(&e->token));
	gsakmp_build_raw(&b, GSAKMP_PAYLOAD_REKEY_EVENT,
	                 gk_buf_slice(&e->body));
	if (e->extra)
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, out);
}

/* RFC4534-B.5.6.3-01: before anybody can learn that it exists. */
static enum gk_err
event_post(struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_slice dgram)
{
	const struct gsakmp_post post = {
		.group_id = g->cfg.group_id,
		.signer_type = gsakmp_identity_type(party->id->kind),
		.signer_id = gsakmp_party_signer_id(party),
		.sequence = e->sequence,
	};
	char path[GSAKMP_POST_PATH_MAX];
	struct gsakmp_output *out;

	GK_TRY(gsakmp_post_path(&post, path));
	out = gsakmp_outputs_add(&g->out, GSAKMP_OUT_POST);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->dgram = dgram;
	out->sequence = e->sequence;
	out->place = gk_slice_str(path);
	return gsakmp_outputs_own(&g->out);
}

static enum gk_err
event_send(struct gsakmp_group *g, const struct gsakmp_party *party,
           const struct gsakmp_event *e, struct gk_slice dgram)
{
	struct gsakmp_output *out;

	GK_TRY(gsakmp_group_log_commit(g, &g->out, e->ticket));
	if (e->post)
		GK_TRY(event_post(g, party, e, dgram));
	out = gsakmp_outputs_add(&g->out, GSAKMP_OUT_MULTICAST);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->dgram = dgram;
	out->resend_count = e->resend;
	out->resend_spacing_ms = g->cfg.resend_spacing_ms;
	out->sequence = e->sequence;
	out->exchange = GSAKMP_EXCHANGE_REKEY_EVENT;
	GK_TRY(gsakmp_outputs_own(&g->out));
	GK_TRY(gsakmp_out_message(&g->out, g->cfg.group_id, dgram, NULL, false,
	                          GSAKMP_EXCHANGE_REKEY_EVENT, e->sequence));
	out = gsakmp_outputs_add(&g->out, e->destroy ? GSAKMP_OUT_DESTROYED
	                                             : GSAKMP_OUT_REKEYED);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->sequence = e->sequence;
	return gsakmp_outputs_own(&g->out);
}

static struct gsakmp_event *
event_take(struct gsakmp_group *g, struct gsakmp_party *party)
{
	struct gsakmp_event *e;

	pthread_mutex_lock(&g->lock);
	e = g->first_event;
	if (e != NULL) {
		g->first_event = e->next;
		if (g->first_event == NULL)
			g->last_event = NULL;
		e->next = NULL;
		e->ticket = gsakmp_group_ticket(g);
	}
	*party = g->party;
	pthread_mutex_unlock(&g->lock);
	return e;
}

/* In front, where it came from. */
static void
put_back(struct gsakmp_group *g, struct gsakmp_event *e)
{
	e->next = g->first_event;
	g->first_event = e;
	if (g->last_event == NULL)
		g->last_event = e;
	g->hold = true;
}

void
gsakmp_group_events_settle(struct gsakmp_group *g, uint64_t ticket, bool ok)
{
	struct gsakmp_event **at = &g->sent;

	/* The newest is first in the list of what was sent. */
	while (*at != NULL) {
		struct gsakmp_event *e = *at;

		if (e->ticket > ticket) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		if (ok)
			event_free(e);
		else
			put_back(g, e);
	}
}

/* What has been handed out waits for the store's word; what could not even be
 * signed waits for better times. */
static void
event_done(struct gsakmp_group *g, struct gsakmp_event *e, bool out)
{
	pthread_mutex_lock(&g->lock);
	if (out && e->ticket <= g->ticket_done) {
		event_free(e); /* another thread's commit covered it */
	} else if (out) {
		e->next = g->sent;
		g->sent = e;
	} else {
		put_back(g, e);
	}
	pthread_mutex_unlock(&g->lock);
}

enum gk_err
gsakmp_group_flush(struct gsakmp_group *g, struct gk_now now)
{
	struct gsakmp_party party;
	struct gsakmp_event *e;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	g->hold = false;
	g->flushed_at = now.mono_ms;
	pthread_mutex_unlock(&g->lock);
	while (err == GK_OK && (e = event_take(g, &party)) != NULL) {
		struct gk_buf dgram = { 0 };

		err = event_sign(g, &party, e, now, &dgram);
		if (err == GK_OK)
			err = event_send(g, &party, e, gk_buf_slice(&dgram));
		gk_buf_free(&dgram);
		event_done(g, e, err == GK_OK);
	}
	return err;
}
