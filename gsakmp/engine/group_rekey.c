/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_event.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/secret.h"
#include "gsakmp/message/protect.h"

/*
 * Rekey Events at the key server: RFC 4535 sections 5.3.1, 7.5, appendix A.
 *
 * Planning closes the epoch and fixes everything but the signature: which keys
 * are wrapped in which, and in which message and payload they travel.
 */
#define KEK_SCAN 4096       /* expiring node keys looked for per rekey */
#define MIN_SHARE 128       /* of a message, for keys beside a token */
#define REKEY_RETRY_MS 1000 /* after a plan that failed */

/* ---- plans -------------------------------------------------------------- */

struct plan {
	struct gsakmp_group *g;
	struct gk_now now;
	struct gk_buf datas; /* of the message that is being filled */
	size_t datas_cap;
	uint16_t count;
	size_t payloads, used, in_payload; /* of it; see add_data() */
	struct gsakmp_event_room room;
	unsigned events;     /* messages made */
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

/* The group key's place in a wrap is taken by all GTPKs of the group: those that
 * come into force when the epoch is closed. */
static enum gk_err
add_gtpks(const struct gsakmp_group *g, struct gsakmp_keys *keys)
{
	for (size_t i = 0; i < gk_group_key_count(g->data); i++) {
		struct gsakmp_key_datum d;

		gtpk_datum(gk_group_key_joiner(g->data, i), &d);
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

/* One Rekey Event payload with @count of the Datas. */
static enum gk_err
add_payload(const struct plan *p, struct gsakmp_event *e, uint8_t type,
            uint16_t count, struct gk_slice datas)
{
	const struct gsakmp_group *g = p->g;
	struct gsakmp_rekey_event event = { .type = type,
		                            .inner_type = type,
		                            .version = GSAKMP_LKH_VERSION,
		                            .count = count,
		                            .data = datas };
	uint8_t tlv[2 + GSAKMP_GROUPID_MAX];
	struct gk_buf body;
	struct gk_wr wr;
	enum gk_err err;

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
	GK_TRY(gk_buf_alloc(&body, 32 + event.groupid.len + datas.len));
	gk_wr_init(&wr, body.ptr, body.len);
	gsakmp_rekey_event_encode(&wr, &event);
	err = gk_wr_done(&wr);
	if (err == GK_OK)
		err = gsakmp_event_add_payload(
			e, (struct gk_slice){ body.ptr, wr.len });
	gk_buf_free(&body);
	return err;
}

/* RFC4535-7.5.1-02: cut where one Data ends and the next begins.  add_data()
 * has counted in the same way. */
static enum gk_err
add_payloads(const struct plan *p, struct gsakmp_event *e, uint8_t type)
{
	const struct gsakmp_rekey_shape shape = {
		.dialect = &p->g->dialect,
		.key_type = p->g->policy->kek_type,
	};
	bool total = p->g->dialect.rekey_counts == GSAKMP_REKEY_COUNTS_TOTAL;
	struct gk_rd rd;
	struct gsakmp_rekey_data data;
	const uint8_t *start = p->datas.ptr;
	uint16_t count = 0;

	if (p->count == 0) /* type None */
		return add_payload(p, e, type, 0, (struct gk_slice){ 0 });
	gk_rd_init(&rd, p->datas.ptr, p->datas.len);
	while (gsakmp_rekey_data_next(&rd, &shape, &data)) {
		const uint8_t *at = p->datas.ptr + data.at;

		if (count != 0 && (size_t)(rd.pos - start) > p->room.payload) {
			GK_TRY(add_payload(
				p, e, type, total ? p->count : count,
				(struct gk_slice){ start,
			                           (size_t)(at - start) }));
			start = at;
			count = 0;
		}
		count++;
	}
	GK_TRY(rd.fault.err);
	return add_payload(
		p, e, type, total ? p->count : count,
		(struct gk_slice){ start, (size_t)(rd.pos - start) });
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
		err = add_payloads(p, e, type);
	if (err == GK_OK) {
		e->token = p->token;
		p->token = (struct gk_buf){ 0 };
		err = gsakmp_event_store(g, e);
	}
	if (err != GK_OK) {
		gsakmp_event_free(e);
		return err;
	}
	if (g->stored_first == 0)
		g->stored_first = e->sequence;
	g->stored_last = e->sequence;
	gsakmp_event_queue(g, e);
	p->events++;
	p->datas.len = 0; /* for the next one */
	p->count = 0;
	p->payloads = 0;
	p->used = 0;
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

/* How much more of the message @data takes; *@fresh: in another payload. */
static size_t
cost(const struct plan *p, struct gk_slice data, bool *fresh)
{
	*fresh = p->count == 0 || p->in_payload + data.len > p->room.payload;
	return data.len + (*fresh ? p->room.head : 0);
}

static enum gk_err
add_data(struct plan *p, struct gk_slice data)
{
	/* The token travels with the first message and takes its share. */
	size_t room = p->room.message > p->token.len
	                      ? p->room.message - p->token.len
	                      : 0;
	bool fresh;
	size_t more = cost(p, data, &fresh);

	if (p->count != 0 &&
	    (p->used + more > room || p->count == UINT16_MAX ||
	     (fresh && p->payloads == GSAKMP_REKEY_EVENTS_MAX))) {
		GK_TRY(event_add(p, GSAKMP_REKEY_LKH, false));
		more = cost(p, data, &fresh);
	}
	GK_TRY(datas_append(p, data));
	p->in_payload = fresh ? data.len : p->in_payload + data.len;
	p->payloads += fresh;
	p->used += more;
	p->count++;
	return GK_OK;
}

/* One wrap as one Rekey Event Data; or, where that does not even fit a message
 * of its own, as two with half of the keys each, and so on: a member works
 * through all that it can open (section 7.5.2). */
static enum gk_err
render_wrap(struct plan *p, const struct gk_lkh_wrap *wrap,
            struct gsakmp_keys *keys)
{
	struct gk_lkh_wrap first = *wrap, second = *wrap;
	size_t most = p->room.message - p->room.head;
	struct gk_buf data = { 0 };
	enum gk_err err;

	if (most > p->room.payload)
		most = p->room.payload;
	err = seal_wrap(p, wrap, keys, &data);
	if (err == GK_OK && (data.len <= most || wrap->count < 2)) {
		err = add_data(p, gk_buf_slice(&data));
		gk_buf_free(&data);
		return err;
	}
	gk_buf_free(&data);
	if (err != GK_OK && (err != GK_ERR_SPACE || wrap->count < 2))
		return err;
	first.count = wrap->count / 2;
	second.keys += first.count;
	second.count -= first.count;
	GK_TRY(render_wrap(p, &first, keys));
	return render_wrap(p, &second, keys);
}

static enum gk_err
render(struct plan *p, const struct gk_lkh_plan *plan)
{
	struct gsakmp_keys *keys = malloc(sizeof(*keys));
	enum gk_err err = GK_OK;

	if (keys == NULL)
		return GK_ERR_NOMEM;
	/* A token that leaves no room goes ahead, while the GTPK that it is
	 * sealed in is still the one in force. */
	if (p->token.len != 0 && plan->count != 0 &&
	    p->token.len + p->room.head + MIN_SHARE > p->room.message &&
	    p->g->dialect.pt_rekey_key == GSAKMP_PT_REKEY_KEY_OLD_GTPK)
		err = event_add(p, GSAKMP_REKEY_NONE, false);
	for (size_t i = 0; i < plan->count && err == GK_OK; i++)
		err = render_wrap(p, &plan->wraps[i], keys);
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
		with = gk_group_key_joiner(p->g->data, 0);
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
		err = gk_group_draft(
			g->data, g->cfg.lkh_chain ? GK_LKH_CHAIN : GK_LKH_PATH,
			&plan);
	if (err == GK_OK && order->announce != NULL)
		err = seal_token(p, order->announce, &old);
	if (err == GK_OK)
		err = render(p, &plan);
	/* Until here it can fail, and is then begun anew: the epoch is open. */
	if (err == GK_OK && (!g->cfg.subordinate || due || order->refresh))
		gk_group_close(g->data);
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

	if (g->policy->rekey == NULL && order->announce != NULL)
		return GK_ERR_POLICY;
	gsakmp_event_room(g, &p.room);
	err = leave_out(g, order, now);
	if (err == GK_OK)
		err = gsakmp_events_forget(g);
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
	if (p.events != 0) { /* there was somebody to be told something */
		g->rekeys++;
		g->rekeyed_at = now.mono_ms;
		g->last_rekey_utc = now.utc_s;
	} else {
		GK_TRY(gsakmp_group_log_commit(g, &g->out,
		                               gsakmp_group_ticket(g)));
	}
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
