/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_plan.h"

/*
 * What a rekey is: RFC 6407 sections 4, 4.3, 7.4.
 *
 * First the new Rekey SA, if there is to be one, under the old KEK; then the new
 * Data-Security SAs under the KEK that is then in force.  So who was left out of
 * the tree, or has come into it, never reads what is not his (RFC6407-7.4.1-01,
 * -7.4.2-01), and nothing has to be decided case by case.
 */
#define REKEY_GAP_MS 1000 /* between rekeys that joins bring about */
#define RETRY_MS 1000     /* after a plan that failed */
#define LAST_SEQS 65536 /* left for the change of KEK itself, array by array */

/* ---- the Rekey SA -------------------------------------------------------- */

/* The old one is kept for acknowledgements of what came under it
 * (RFC8263-6-10). */
static void
retire(struct gdoi_group *g, struct gdoi_rekey_sa *kek, struct gk_now now)
{
	const struct gdoi_rekey_policy *p = &g->policy->rekey;

	kek->state = GDOI_KEK_OLD;
	kek->forget_ms = now.mono_ms + g->cfg.ack_wait_ms +
	                 (uint64_t)p->resend_count * p->resend_spacing_ms;
}

static enum gk_err
promote(struct gdoi_plan *p)
{
	struct gdoi_group *g = p->g;

	if (p->current != NULL) {
		retire(g, p->current, p->now);
		GK_TRY(gdoi_kek_save(g, p->current));
	}
	p->next->state = GDOI_KEK_CURRENT;
	p->next->created = p->now.utc_s;
	p->next->expires = p->next->sak.lifetime == 0
	                           ? 0
	                           : p->now.utc_s + p->next->sak.lifetime;
	GK_TRY(gdoi_kek_save(g, p->next));
	p->current = p->next;
	p->next = NULL;
	return GK_OK;
}

static enum gk_err
new_rekey_sa(struct gdoi_plan *p)
{
	struct gdoi_group *g = p->g;
	struct gk_lkh_plan plan = { 0 };
	struct gdoi_arrays arrays = { 0 };
	bool due = gk_group_due(g->data);
	enum gk_err err;

	p->next = gdoi_kek_of(g, GDOI_KEK_NEXT);
	if (p->next == NULL) {
		GK_TRY(gdoi_kek_spare(g, p->now, &p->next));
		/* Who came since a plan that failed has the old one. */
		if (due)
			gk_group_replace(g->data);
	}
	if (g->shape.degree != 0)
		GK_TRY(gk_group_refresh(g->data, p->now.utc_s));
	err = gk_group_draft(g->data, GK_LKH_PATH, &plan);
	if (err == GK_OK && g->shape.degree != 0)
		err = gdoi_arrays_render(g, &plan, p->next, &arrays);
	if (err == GK_OK && p->current != NULL && p->told)
		err = gdoi_plan_carriers(p, &arrays);
	/* Until here it can fail, and is then begun anew: the epoch is open. */
	if (err == GK_OK) {
		gk_group_close(g->data);
		gk_group_shrink(g->data, p->now.utc_s);
		err = promote(p);
	}
	g->wraps += arrays.keys;
	gdoi_arrays_free(&arrays);
	gk_lkh_plan_free(&plan);
	return err;
}

/* ---- Data-Security SAs --------------------------------------------------- */

static uint32_t
lifetime_of(const struct gdoi_data_sa *t)
{
	return t->sat.protocol == GDOI_PROTOCOL_IEC_61850 ? t->sat.iec.lifetime
	                                                  : t->sat.ipsec.life_s;
}

static uint16_t
deactivation(const struct gdoi_plan *p)
{
	const struct gdoi_policy *policy = p->g->policy;

	if (p->cause->at_once || !policy->has_gap || !policy->gap.has_dtd)
		return 0;
	return policy->gap.dtd;
}

/* The one in use, or about to be. */
struct gdoi_data_sa *
gdoi_data_leading(const struct gdoi_group *g, uint16_t data)
{
	struct gdoi_data_sa *found = NULL;

	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (t->data == data && gdoi_tek_live(t) &&
		    (t->state == GDOI_TEK_CURRENT ||
		     t->state == GDOI_TEK_RECEIVE))
			found = t;
	return found;
}

static struct gdoi_data_sa *
prefetched(const struct gdoi_group *g, uint16_t data)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (t->data == data && gdoi_tek_live(t) && t->announced &&
		    t->state == GDOI_TEK_NEXT)
			return t;
	return NULL;
}

/* What joiners were given before the others heard of it. */
static struct gdoi_data_sa *
unannounced(const struct gdoi_group *g, uint16_t data)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (t->data == data && gdoi_tek_live(t) && !t->announced)
			return t;
	return NULL;
}

static bool
is_deleted(const struct gdoi_plan *p, const struct gdoi_data_sa *t)
{
	const struct gdoi_rekey_cause *c = p->cause;

	if (c->deletes || c->at_once || p->joined ||
	    t->data == GDOI_DATA_ORPHAN)
		return true;
	/* Without DTD nothing says when: it runs out by its lifetime. */
	return t->expires == 0 ||
	       (p->g->policy->has_gap && p->g->policy->gap.has_dtd);
}

/* It was deleted before, and its DTD is not over; that is cut short. */
static bool
lingers(const struct gdoi_plan *p, const struct gdoi_data_sa *t)
{
	return p->cause->at_once && t->gone_utc > p->now.utc_s;
}

static enum gk_err
supersede(struct gdoi_plan *p, const struct gdoi_data_sa *by)
{
	struct gdoi_group *g = p->g;

	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		if (t == by || t->data != by->data || t->spare ||
		    (t->deleted && !lingers(p, t)))
			continue;
		/* Nobody can be told in a group without a Rekey SA. */
		if (!g->policy->rekey.on || !is_deleted(p, t))
			continue;
		t->deleted = true;
		t->gone_utc = p->now.utc_s + deactivation(p);
		/* Never to be used: who comes next must not activate it. */
		if (t->state == GDOI_TEK_NEXT)
			t->state = GDOI_TEK_OLD;
		GK_TRY(gdoi_plan_delete(p, t));
		GK_TRY(gdoi_tek_save(g, t));
	}
	return GK_OK;
}

/* Over by our clock; an eviction does not wait for that of the members, whatever
 * place these had in the policy. */
static enum gk_err
delete_lapsed(struct gdoi_plan *p)
{
	if (!p->cause->evicted || !p->g->policy->rekey.on)
		return GK_OK;
	for (struct gdoi_data_sa *t = p->g->lapsed; t != NULL; t = t->next) {
		if (t->deleted)
			continue;
		GK_TRY(gdoi_plan_delete(p, t));
		t->deleted = true;
	}
	return GK_OK;
}

/* From the first copy of a PUSH to the last one, and a second of the clocks'. */
static int64_t
copies_s(const struct gdoi_group *g)
{
	const struct gdoi_rekey_policy *p = &g->policy->rekey;

	return 1 + (int64_t)p->resend_count * p->resend_spacing_ms / 1000;
}

/*
 * What ATD is this time.  Who is late (gdoi_data_due() is about who is not), as after
 * a time without a key server, does not have senders wait for longer than they have
 * something to send with: RFC 6407 section 5.4.1 wants traffic to flow.
 */
static uint16_t
activation_delay(const struct gdoi_plan *p)
{
	const struct gdoi_group *g = p->g;
	const struct gdoi_policy *policy = g->policy;
	int64_t atd =
		policy->has_gap && policy->gap.has_atd ? policy->gap.atd : 0;

	if (p->cause->at_once || p->cause->lapsed)
		return 0;
	for (uint16_t i = 0; policy->rekey.on && i < policy->n_data; i++) {
		const struct gdoi_data_sa *t = gdoi_data_leading(g, i);
		int64_t left;

		if (t == NULL || t->expires == 0 ||
		    (p->cause->data[i] != GDOI_DATA_REPLACE &&
		     unannounced(g, i) == NULL))
			continue;
		left = t->expires - p->now.utc_s;
		if (left < atd)
			atd = left > copies_s(g) ? left - copies_s(g) : 0;
	}
	return (uint16_t)atd;
}

static int64_t
activation(const struct gdoi_plan *p, const struct gdoi_data_sa *before)
{
	/* Members learn of it when they register again: the one in force lasts
	 * until then. */
	if (!p->g->policy->rekey.on && before != NULL && before->expires != 0 &&
	    !p->cause->at_once)
		return before->expires;
	return p->now.utc_s + p->atd;
}

static enum gk_err
replace(struct gdoi_plan *p, uint16_t data)
{
	struct gdoi_group *g = p->g;
	const struct gdoi_data_sa *before = gdoi_data_leading(g, data);
	struct gdoi_data_sa *t = unannounced(g, data);

	if (t == NULL)
		GK_TRY(gdoi_tek_spare(g, data, p->now, &t));
	t->spare = false;
	t->announced = true;
	t->created = p->now.utc_s;
	t->state = GDOI_TEK_RECEIVE;
	t->active_utc = activation(p, before);
	t->expires = lifetime_of(t) == 0 ? 0 : t->active_utc + lifetime_of(t);
	GK_TRY(supersede(p, t));
	GK_TRY(delete_lapsed(p));
	return gdoi_plan_install(p, t);
}

/* RFC 8052: the next key, while the one before it is in use. */
static enum gk_err
prefetch(struct gdoi_plan *p, uint16_t data)
{
	struct gdoi_group *g = p->g;
	const struct gdoi_data_sa *before = gdoi_data_leading(g, data);
	const struct gdoi_gap *gap = &g->policy->gap;
	struct gdoi_data_sa *t;
	int64_t overlap;

	if (before == NULL || before->expires == 0)
		return GK_OK;
	GK_TRY(gdoi_tek_spare(g, data, p->now, &t));
	overlap = g->policy->has_gap && gap->has_dtd ? gap->dtd : 0;
	if (overlap > lifetime_of(before) / 10)
		overlap = lifetime_of(before) / 10;
	t->spare = false;
	t->announced = true;
	t->created = p->now.utc_s;
	t->state = GDOI_TEK_NEXT;
	t->active_utc = before->expires - overlap;
	t->expires = t->active_utc + lifetime_of(t);
	return gdoi_plan_install(p, t);
}

static enum gk_err
new_data_sas(struct gdoi_plan *p)
{
	struct gdoi_group *g = p->g;

	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		if (t->data != GDOI_DATA_ORPHAN || t->spare ||
		    (t->deleted && !lingers(p, t)))
			continue;
		t->deleted = true;
		t->gone_utc = p->now.utc_s + deactivation(p);
		GK_TRY(gdoi_plan_delete(p, t));
		GK_TRY(gdoi_tek_save(g, t));
	}
	for (uint16_t i = 0; i < g->policy->n_data; i++) {
		if (p->cause->data[i] == GDOI_DATA_REPLACE ||
		    unannounced(g, i) != NULL)
			GK_TRY(replace(p, i));
		if (gdoi_data_prefetch(g, i) &&
		    p->cause->data[i] != GDOI_DATA_KEEP &&
		    g->policy->data[i].sat.iec.atd == 0)
			GK_TRY(prefetch(p, i));
		else if (p->cause->data[i] == GDOI_DATA_PREFETCH)
			GK_TRY(prefetch(p, i));
	}
	return GK_OK;
}

/*
 * RFC6407-7.4.1-03: the SAK of the KEK that the evicted do not get comes under one
 * that they have.  If policy wants that hidden as well, that KEK only brings another
 * one, of which they see nothing.
 */
static enum gk_err
hidden_rekey_sa(struct gdoi_plan *p)
{
	const struct gdoi_group *g = p->g;

	if (!p->cause->evicted || !p->told || !g->policy->rekey.hide_kek)
		return GK_OK;
	return new_rekey_sa(p);
}

/* What joiners were given may be of a policy, or of a signer, of before: then it only
 * brings the one that is not. */
static enum gk_err
fitting_rekey_sa(struct gdoi_plan *p)
{
	if (!p->joined || gdoi_kek_fits(p->g, p->current))
		return GK_OK;
	return new_rekey_sa(p);
}

/* ---- all of it ----------------------------------------------------------- */

/* RFC6407-5.7-02: a number is used once.  When they are about to run out the next
 * rekey, whatever it is for, brings a Rekey SA that counts from the beginning. */
static bool
is_counted_out(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return kek->sequence > UINT32_MAX - LAST_SEQS &&
	       g->dialect.push_seq_new_kek != GDOI_PUSH_SEQ_NEW_KEK_CONTINUE;
}

static enum gk_err
plan_all(struct gdoi_plan *p)
{
	struct gdoi_group *g = p->g;
	bool on = g->policy->rekey.on;

	GK_TRY(gdoi_events_forget(g, p->now));
	p->current = gdoi_kek_of(g, GDOI_KEK_CURRENT);
	p->told = on && gk_group_count(g->data) != 0;
	p->atd = activation_delay(p);
	p->joined = gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL;
	if (on && (p->cause->kek || p->current == NULL ||
	           !gdoi_kek_is_ours(g, p->current) ||
	           is_counted_out(g, p->current) || gk_group_due(g->data) ||
	           gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL)) {
		GK_TRY(new_rekey_sa(p));
		GK_TRY(hidden_rekey_sa(p));
		GK_TRY(fitting_rekey_sa(p));
	} else if (gk_group_open(g->data)) {
		GK_TRY(gk_group_reserve_close(g->data));
		gk_group_close(g->data);
		gk_group_shrink(g->data, p->now.utc_s);
	}
	GK_TRY(new_data_sas(p));
	if (p->told)
		GK_TRY(gdoi_plan_teks(p));
	for (size_t i = 0; i < p->n_fresh; i++)
		GK_TRY(gdoi_tek_save(g, p->fresh[i]));
	return GK_OK;
}

/* Try again, but not at once and for ever; also after a restart, if what has been
 * done of it is durable by then. */
void
gdoi_group_owe(struct gdoi_group *g, bool at_once, struct gk_now now)
{
	g->window_ends = now.mono_ms + RETRY_MS;
	g->rekey_owed = true;
	g->owed_at_once |= at_once;
	/* Without memory for it, the next row of the head says it. */
	if (gdoi_group_save_head(g) != GK_OK)
		g->commit_owed = true;
}

/* A plan that failed comes first, whatever the next one is for: somebody may be out
 * of the tree, and have the TEKs still. */
static void
with_owed(const struct gdoi_group *g, struct gdoi_rekey_cause *cause)
{
	if (!g->rekey_owed)
		return;
	cause->evicted = true;
	cause->deletes = true;
	cause->at_once |= g->owed_at_once || g->policy->rekey.evict_at_once;
	for (uint16_t i = 0; i < g->policy->n_data; i++)
		cause->data[i] = GDOI_DATA_REPLACE;
}

enum gk_err
gdoi_group_plan(struct gdoi_group *g, const struct gdoi_rekey_cause *order,
                struct gk_now now)
{
	struct gdoi_plan *p = calloc(1, sizeof(*p));
	struct gdoi_rekey_cause all = *order, *cause = &all;
	enum gk_err err;

	if (p == NULL)
		return GK_ERR_NOMEM;
	with_owed(g, cause);
	p->g = g;
	p->cause = cause;
	p->now = now;
	err = gdoi_group_clock(g, &p->now);
	now = p->now;
	if (err == GK_OK)
		err = plan_all(p);
	gdoi_plan_free(p);
	g->moved++;
	g->window_ends = GK_NEVER;
	if (err != GK_OK) {
		gdoi_group_owe(g, cause->at_once, now);
		return err;
	}
	/* Who has left waits for a plan of his own. */
	if (gk_group_count_state(g->data, GK_MEMBER_LEAVING) != 0)
		g->window_ends = now.mono_ms;
	g->rekey_owed = g->owed_at_once = false;
	g->rekeyed_at = now.mono_ms;
	g->last_rekey_utc = now.utc_s;
	GK_TRY(gdoi_group_save_head(g));
	GK_TRY(gdoi_teks_settle(g, now));
	gdoi_group_timers(g, now);
	return GK_OK;
}

void
gdoi_group_expect_rekey(struct gdoi_group *g, struct gk_now now)
{
	uint64_t soonest = g->rekeyed_at + REKEY_GAP_MS;

	if (g->window_ends != GK_NEVER)
		return;
	g->window_ends = now.mono_ms + g->cfg.join_window_ms;
	if (g->rekeyed_at != 0 && g->window_ends < soonest)
		g->window_ends = soonest;
}

/* ---- when ---------------------------------------------------------------- */

/* How long before an end of life the successor comes. */
static int64_t
margin(const struct gdoi_group *g, int64_t life)
{
	int64_t m = g->policy->rekey.margin_s;

	if (m == 0)
		m = life / 10;
	return m < life ? m : life / 2;
}

/* RFC 5374 section 4.2.1: and by then senders have to use it, so that ATD is over,
 * whichever copy of the PUSH it was that came. */
static int64_t
lead(const struct gdoi_group *g, int64_t life)
{
	const struct gdoi_policy *p = g->policy;
	int64_t m = margin(g, life), wait;

	if (!p->rekey.on || !p->has_gap || !p->gap.has_atd)
		return m;
	wait = p->gap.atd + copies_s(g);
	if (wait >= life)
		wait = life - 1;
	return m > wait ? m : wait;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* When policy->data[@data] wants something, and what. */
int64_t
gdoi_data_due(const struct gdoi_group *g, uint16_t data,
              enum gdoi_data_order *order)
{
	const struct gdoi_data_sa *t = gdoi_data_leading(g, data);
	uint32_t interval = g->policy->rekey.interval_s;
	int64_t due = 0;

	*order = GDOI_DATA_REPLACE;
	if (t == NULL)
		return g->now.utc_s;
	if (t->worn)
		return t->created + g->cfg.worn_gap_s;
	if (interval != 0)
		due = t->created + interval;
	if (t->expires == 0)
		return due;
	if (!gdoi_data_prefetch(g, data))
		return sooner(due, t->expires - lead(g, lifetime_of(t)));
	if (prefetched(g, data) == NULL) {
		uint32_t atd = g->policy->data[data].sat.iec.atd;

		*order = GDOI_DATA_PREFETCH;
		return atd == 0 ? t->created : t->expires - atd;
	}
	return due;
}

static void
arm(struct gdoi_group *g, struct gk_now now, int64_t due, uint64_t *at,
    int64_t *at_utc)
{
	*at_utc = due;
	if (due == 0)
		*at = GK_NEVER;
	else if (due <= now.utc_s)
		*at = now.mono_ms;
	else
		*at = now.mono_ms + (uint64_t)(due - now.utc_s) * 1000;
	(void)g;
}

void
gdoi_group_timers(struct gdoi_group *g, struct gk_now now)
{
	const struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_CURRENT);
	int64_t tek = 0, kek_due = 0;

	g->now = now;
	for (uint16_t i = 0; i < g->policy->n_data; i++) {
		enum gdoi_data_order order;

		tek = sooner(tek, gdoi_data_due(g, i, &order));
	}
	if (kek != NULL && kek->expires != 0)
		kek_due = kek->expires - margin(g, kek->sak.lifetime);
	if (kek != NULL && g->policy->n_data == 0 &&
	    g->policy->rekey.interval_s != 0)
		kek_due = sooner(kek_due,
		                 kek->created + g->policy->rekey.interval_s);
	arm(g, now, tek, &g->tek_due, &g->tek_due_utc);
	arm(g, now, kek_due, &g->kek_due, &g->kek_due_utc);
}
