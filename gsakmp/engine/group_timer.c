/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

/*
 * When a group is rekeyed: RFC 4534 B.5.3, RFC 4535 section 5.3.1.1.
 *
 * What has been counted towards the next rekey, time and events, is durable: a key
 * server that is started again every day would otherwise never come to the end of
 * a week, nor one that is killed now and then to the tenth event.
 */
#define NOTE_REKEYED "rekeyed" /* the last time, seconds since 1970 */
#define NOTE_EVENTS "events"   /* since then */

static enum gk_err
put_number(struct gsakmp_group *g, const char *name, uint64_t n)
{
	uint8_t octets[8];
	struct gk_wr wr;

	gk_wr_init(&wr, octets, sizeof(octets));
	gk_wr_u32(&wr, (uint32_t)(n >> 32));
	gk_wr_u32(&wr, (uint32_t)n);
	GK_TRY(gk_wr_done(&wr));
	return gk_group_note_set(
		g->data, name,
		n != 0 ? (struct gk_slice){ octets, sizeof(octets) }
		       : (struct gk_slice){ 0 });
}

/* 0 when there is none. */
static uint64_t
get_number(const struct gsakmp_group *g, const char *name)
{
	struct gk_slice value = gk_group_note(g->data, name);
	struct gk_rd rd;
	uint64_t n;

	gk_rd_init(&rd, value.ptr, value.len);
	n = (uint64_t)gk_rd_u32(&rd, name) << 32;
	n |= gk_rd_u32(&rd, name);
	return gk_rd_done(&rd) == GK_OK ? n : 0;
}

/* RFC 4535 section 5.3.1.1: a key that expires is a reason, too. */
#define EXPIRY_MARGIN_S 60

/* RFC4535-7.5.2-17: made before a token said that no key lasts that long. */
static bool
outlives(const struct gk_traffic_key *k, int64_t date, struct gk_now now)
{
	return date > now.utc_s && k->expires > date && k->created < date;
}

static int64_t
before_expiry(const struct gsakmp_group *g, int64_t in_s, struct gk_now now)
{
	const struct gsakmp_policy *p = g->policy;

	if (!p->lkh || p->rekey->event == GPT_REKEY_EVENT_NONE)
		return in_s;
	for (size_t i = 0; i < gk_group_key_count(g->data); i++) {
		const struct gk_traffic_key *k =
			gk_group_key(g->data, i, GK_KEY_CURRENT);
		int64_t left = k->expires - now.utc_s;
		int64_t date = i < p->n_keys ? p->key_expires[i] : 0;

		if (outlives(k, date, now))
			left = 0;
		/* The token's last day, or after it: no other key would last
		 * longer. */
		else if (date != 0 && k->expires >= date)
			continue;

		left -= left / 10 < EXPIRY_MARGIN_S ? left / 10
		                                    : EXPIRY_MARGIN_S;
		if (left < 1)
			left = 1;
		if (in_s <= 0 || left < in_s)
			in_s = left;
	}
	return in_s;
}

/*
 * Keys expire by the date, timers run by themselves: when the clock is set forward,
 * the keys would be over and the rekey still to come.  Set back, keys last longer
 * and the rekey comes all the same.
 */
#define CLOCK_MS 30000 /* between looks */
#define CLOCK_SLACK_S 5

void
gsakmp_group_clock(struct gsakmp_group *g, struct gk_now now)
{
	if (g->rekey_due == GK_NEVER || g->rekey_due_utc == 0) {
		g->clock_at = GK_NEVER;
		return;
	}
	g->clock_at = now.mono_ms + CLOCK_MS;
	if (now.utc_s > g->rekey_due_utc + CLOCK_SLACK_S &&
	    g->rekey_due > now.mono_ms)
		g->rekey_due = now.mono_ms;
}

/* Since @base, seconds since 1970: the time of the last rekey. */
static void
set_timer(struct gsakmp_group *g, int64_t base, struct gk_now now)
{
	const struct gsakmp_policy *p = g->policy;
	int64_t in_s = p->rekey_time_s, gone = now.utc_s - base;

	if (in_s > 0)
		in_s = in_s > gone ? in_s - gone : 1;
	if (p->rekey_at_utc > base)
		in_s = p->rekey_at_utc > now.utc_s ? p->rekey_at_utc - now.utc_s
		                                   : 1;
	in_s = before_expiry(g, in_s, now);
	g->rekey_due = g->clock_at = GK_NEVER;
	g->rekey_due_utc = 0;
	/* RFC4535-4.1.4-01: when there is a new key is the primary's business. */
	if (in_s <= 0 || g->cfg.subordinate)
		return;
	g->rekey_due = now.mono_ms + (uint64_t)in_s * 1000;
	g->rekey_due_utc = now.utc_s + in_s;
	g->clock_at = now.mono_ms + CLOCK_MS;
}

enum gk_err
gsakmp_group_timers(struct gsakmp_group *g, struct gk_now now)
{
	set_timer(g, now.utc_s, now);
	GK_TRY(put_number(g, NOTE_EVENTS, g->events));
	return put_number(g, NOTE_REKEYED, (uint64_t)now.utc_s);
}

void
gsakmp_group_timers_load(struct gsakmp_group *g, struct gk_now now)
{
	uint64_t base = get_number(g, NOTE_REKEYED);
	uint64_t events = get_number(g, NOTE_EVENTS);

	/* A clock that was set back, or a store of before this was put down:
	 * from now on. */
	if (base == 0 || base > (uint64_t)now.utc_s)
		base = (uint64_t)now.utc_s;
	g->events = events > INT32_MAX ? INT32_MAX : (unsigned)events;
	set_timer(g, (int64_t)base, now);
	if (g->policy->rekey_events != 0 &&
	    g->events >= g->policy->rekey_events && !g->cfg.subordinate)
		g->rekey_due = now.mono_ms;
}

/* What is left is counted by the clock as it would be. */
static enum gk_err
put_back(struct gsakmp_group *g, int64_t seconds, struct gk_now now)
{
	uint64_t base = get_number(g, NOTE_REKEYED), due = g->rekey_due;
	struct gk_now then = now;

	then.utc_s += seconds;
	gsakmp_group_timers_load(g, then);
	if (due < g->rekey_due)
		g->rekey_due = due; /* there was another reason */
	if (g->rekey_due_utc != 0)
		g->rekey_due_utc -= seconds;
	if (base <= (uint64_t)seconds)
		return GK_OK;
	return put_number(g, NOTE_REKEYED, base - (uint64_t)seconds);
}

enum gk_err
gsakmp_group_put_back(struct gsakmp_group *g, int64_t seconds,
                      struct gk_now now)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	if (seconds > 0 && g->phase == GSAKMP_GROUP_OPEN)
		err = put_back(g, seconds, now);
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* RFC 4534 B.5.3: "after x events". */
enum gk_err
gsakmp_group_count_event(struct gsakmp_group *g, struct gk_now now)
{
	g->events++;
	/* RFC4534-B.5.4.1-01: no rekey will come for whoever has gone. */
	if (!g->policy->lkh && g->rekey_due > now.mono_ms)
		g->rekey_due = now.mono_ms;
	if (g->policy->rekey_events != 0 &&
	    g->events >= g->policy->rekey_events && g->rekey_due > now.mono_ms)
		g->rekey_due = now.mono_ms;
	if (g->policy->rekey_events == 0)
		return GK_OK;
	return put_number(g, NOTE_EVENTS, g->events);
}

/*
 * Dates on the wire have a resolution of one second and must rise from version
 * to version of a key (RFC 4535 section 7.5.2, Key Creation Date).  So joins
 * do not bring more than one rekey per second: in a rush they share them.
 */
#define REKEY_GAP_MS 1000

void
gsakmp_group_expect_rekey(struct gsakmp_group *g, struct gk_now now)
{
	uint64_t soonest = g->rekeyed_at + REKEY_GAP_MS;

	if (g->window_ends != GK_NEVER || !gk_group_due(g->data))
		return;
	g->window_ends = now.mono_ms + gsakmp_group_join_window(g);
	if (g->rekeys > 0 && g->window_ends < soonest)
		g->window_ends = soonest;
}
