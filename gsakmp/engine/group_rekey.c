/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_event.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_time.h"
#include "gsakmp/engine/group_pack.h"

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

/* RFC4535-7.5.1-02: a payload is cut where one Data ends and the next begins. */
struct cut {
	size_t at;    /* of its body, behind the length */
	size_t datas; /* the first octet of its Datas */
	uint16_t count;
};

struct plan {
	struct gsakmp_group *g;
	struct gk_now now;
	/* The message that is being filled, as struct gsakmp_event wants it;
	 * lengths and counters are written last, see event_add(). */
	struct gk_shared *row;
	struct gk_wr body; /* in @row */
	uint16_t count;    /* of Datas */
	struct cut cut[GSAKMP_REKEY_EVENTS_MAX];
	size_t payloads, used, in_payload;
	struct gsakmp_event_room room;
	unsigned events;     /* messages made */
	struct gk_buf token; /* sealed, for the first message */
	/* Initialisation vectors, drawn for many wraps at once. */
	uint8_t pool[1024];
	size_t pool_left;
	struct gk_sealer sealer;
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
	/* Ciphertext; sealing wipes what it leaves off. */
	gk_shared_drop(p->row);
	gk_buf_free(&p->token);
	gk_wipe(p->pool, sizeof(p->pool));
	gk_sealer_end(&p->sealer);
}

/* ---- events ------------------------------------------------------------- */

static enum gk_err
body_reserve(struct plan *p, size_t more)
{
	size_t need = p->body.len + more, cap = 2 * need;
	struct gk_shared *grown;

	if (need <= p->body.cap)
		return GK_OK;
	if (cap < 4096)
		cap = 4096;
	/* No longer than a message; after a full one there may be another. */
	if (need <= p->room.message &&
	    (cap > p->room.message || p->events != 0))
		cap = p->room.message;
	grown = gk_shared_new(GSAKMP_EVENT_HEAD + cap);
	if (grown == NULL)
		return GK_ERR_NOMEM;
	if (p->body.len != 0)
		memcpy(grown->octets + GSAKMP_EVENT_HEAD, p->body.buf,
		       p->body.len);
	gk_shared_drop(p->row);
	p->row = grown;
	p->body.buf = grown->octets + GSAKMP_EVENT_HEAD;
	p->body.cap = cap;
	return GK_OK;
}

/* One more Rekey Event payload, without Datas so far. */
static enum gk_err
open_payload(struct plan *p, uint8_t type)
{
	const struct gsakmp_group *g = p->g;
	struct gsakmp_rekey_event event = { .type = type,
		                            .inner_type = type,
		                            .version = GSAKMP_LKH_VERSION };
	uint8_t tlv[2 + GSAKMP_GROUPID_MAX];

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
	GK_TRY(body_reserve(p, 2 + 32 + event.groupid.len));
	gk_wr_u16(&p->body, 0); /* length; see close_payloads() */
	p->cut[p->payloads] = (struct cut){ .at = p->body.len };
	gsakmp_rekey_event_encode(&p->body, &event);
	p->cut[p->payloads++].datas = p->body.len;
	return gk_wr_done(&p->body);
}

static void
put_u16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

/* The length of each payload, and the number of its Datas, which is the last
 * field in front of them. */
static enum gk_err
close_payloads(struct plan *p)
{
	bool total = p->g->dialect.rekey_counts == GSAKMP_REKEY_COUNTS_TOTAL;

	for (size_t i = 0; i < p->payloads; i++) {
		const struct cut *cut = &p->cut[i];
		size_t end = i + 1 < p->payloads ? cut[1].at - 2 : p->body.len;

		if (end - cut->at > UINT16_MAX)
			return GK_ERR_SPACE;
		put_u16(p->body.buf + cut->at - 2, end - cut->at);
		put_u16(p->body.buf + cut->datas - 2,
		        total ? p->count : cut->count);
	}
	return GK_OK;
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
	if (err == GK_OK && p->payloads == 0)
		err = open_payload(p, type);
	if (err == GK_OK)
		err = close_payloads(p);
	if (err == GK_OK) {
		e->body = (struct gk_buf){ p->body.buf, p->body.len };
		e->row = p->row;
		p->row = NULL;
		p->body = (struct gk_wr){ 0 };
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
	p->count = 0; /* for the next one */
	p->payloads = 0;
	p->used = 0;
	return GK_OK;
}

/* How much more of the message a Data of @len octets takes; *@fresh: in another
 * payload. */
static size_t
cost(const struct plan *p, size_t len, bool *fresh)
{
	*fresh = p->count == 0 || p->in_payload + len > p->room.payload;
	return len + (*fresh ? p->room.head : 0);
}

/* Place for a Data of @len octets: in this message, or in the next one. */
static enum gk_err
make_room(struct plan *p, size_t len)
{
	/* The token travels with the first message and takes its share. */
	size_t room = p->room.message > p->token.len
	                      ? p->room.message - p->token.len
	                      : 0;
	bool fresh;
	size_t more = cost(p, len, &fresh);

	if (p->count != 0 &&
	    (p->used + more > room || p->count == UINT16_MAX ||
	     (fresh && p->payloads == GSAKMP_REKEY_EVENTS_MAX)))
		return event_add(p, GSAKMP_REKEY_LKH, false);
	return GK_OK;
}

/* One Rekey Event Data. */
static enum gk_err
add_data(struct plan *p, const struct gk_lkh_wrap *wrap,
         const struct gsakmp_packed *packed, size_t len)
{
	const struct gsakmp_group *g = p->g;
	const struct gk_env env = { .random = pooled_random, .ctx = p };
	const struct gsakmp_wrapping with = {
		.type = g->policy->kek_type,
		.id = wrap->under->id,
		.handle = wrap->under->handle,
		.key = gk_lkh_key_slice(wrap->under),
	};
	bool fresh;
	size_t more;

	GK_TRY(make_room(p, len));
	more = cost(p, len, &fresh);
	if (fresh)
		GK_TRY(open_payload(p, GSAKMP_REKEY_LKH));
	GK_TRY(body_reserve(p, len));
	GK_TRY(gsakmp_rekey_seal_into(&env, &p->sealer, &g->dialect, &with,
	                              packed, &p->body));
	p->in_payload = fresh ? len : p->in_payload + len;
	p->used += more;
	p->cut[p->payloads - 1].count++;
	p->count++;
	return GK_OK;
}

/* One wrap as one Rekey Event Data; or, where that does not even fit a message
 * of its own, as two with half of the keys each, and so on: a member works
 * through all that it can open (section 7.5.2). */
static enum gk_err
render_wrap(struct plan *p, const struct gk_lkh_wrap *wrap,
            struct gsakmp_packer *packer)
{
	struct gk_lkh_wrap first = *wrap, second = *wrap;
	size_t most = p->room.message - p->room.head, len = 0;
	struct gsakmp_packed packed;
	enum gk_err err;

	if (most > p->room.payload)
		most = p->room.payload;
	err = gsakmp_packer_wrap(packer, wrap, &packed);
	if (err == GK_OK)
		err = gsakmp_rekey_seal_size(
			&p->g->dialect, p->g->policy->kek_type, &packed, &len);
	if (err == GK_OK && (len <= most || wrap->count < 2))
		return add_data(p, wrap, &packed, len);
	if (err != GK_OK && (err != GK_ERR_SPACE || wrap->count < 2))
		return err;
	first.count = wrap->count / 2;
	second.keys += first.count;
	second.count -= first.count;
	GK_TRY(render_wrap(p, &first, packer));
	return render_wrap(p, &second, packer);
}

static enum gk_err
render(struct plan *p, const struct gk_lkh_plan *plan)
{
	struct gsakmp_packer packer;
	enum gk_err err = gsakmp_packer_begin(&packer, p->g, plan);

	/* A token that leaves no room goes ahead, while the GTPK that it is
	 * sealed in is still the one in force. */
	if (err == GK_OK && p->token.len != 0 && plan->count != 0 &&
	    p->token.len + p->room.head + MIN_SHARE > p->room.message &&
	    p->g->dialect.pt_rekey_key == GSAKMP_PT_REKEY_KEY_OLD_GTPK)
		err = event_add(p, GSAKMP_REKEY_NONE, false);
	for (size_t i = 0; i < plan->count && err == GK_OK; i++)
		err = render_wrap(p, &plan->wraps[i], &packer);
	gsakmp_packer_end(&packer);
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

#define SOON 3 /* members */

/* Who goes after number @i, one step after the other. */
static void
leave_soon(const struct gsakmp_group *g, const struct gsakmp_rekey_cause *order,
           size_t i)
{
	if (i == 0) /* nobody could say so before */
		gk_group_leave_soon(g->data, order->evict[0], 1);
	for (int step = 0; step < 3; step++) {
		size_t n = i + SOON * (3 - (size_t)step);

		if (n < order->n_evict)
			gk_group_leave_soon(g->data, order->evict[n], step);
	}
}

static enum gk_err
leave_out(struct gsakmp_group *g, const struct gsakmp_rekey_cause *order,
          struct gk_now now)
{
	size_t cursor = 0;
	struct gk_member *m;

	for (size_t i = 0; i < order->n_evict; i++) {
		leave_soon(g, order, i);
		GK_TRY(gsakmp_group_drop_member(g, order->evict[i], now));
	}
	if (!order->sweep)
		return GK_OK;
	while (gk_group_count_state(g->data, GK_MEMBER_LEAVING) != 0 &&
	       (m = gk_group_each(g->data, &cursor)) != NULL)
		if (m->state == GK_MEMBER_LEAVING)
			GK_TRY(gsakmp_group_drop_member(g, m, now));
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
	if (err == GK_OK && (!g->cfg.subordinate || due || order->refresh)) {
		gk_group_close(g->data);
		gk_group_shrink(g->data, p->now.utc_s);
	}
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
	err = order->sweep && !g->cfg.subordinate
	              ? gsakmp_group_take_reports(g, now)
	              : GK_OK;
	if (err == GK_OK)
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
		GK_TRY(gsakmp_group_timers(g, now));
	}
	return GK_OK;
}

enum gk_err
gsakmp_group_plan_destroy(struct gsakmp_group *g, struct gk_now now)
{
	struct plan p = { .g = g, .now = now };
	enum gk_err err;

	/* A group without a rekey protocol has nobody who would listen. */
	if (g->policy->rekey == NULL)
		return GK_OK;
	g->stored_first = g->stored_last = 0;
	err = event_add(&p, GSAKMP_REKEY_NONE, true);
	plan_free(&p);
	return err;
}
