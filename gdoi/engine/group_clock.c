/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group_plan.h"

/*
 * Ends of lives are durable, and so they are dates.  A clock that is put back
 * would give keys the difference as a present (RFC6407-5.3.4-01, 5.5.1), while
 * members, who count seconds, forget theirs in time: so dates go back with it.
 * One that is put forward ends keys early, which is how it should be after a
 * suspension, and does no harm otherwise.
 */
#define STEP_S 5 /* less is rounding, and what a clock is slewed by */

static void
back(int64_t *date, int64_t by)
{
	if (*date != 0)
		*date = *date > by ? *date - by : 1;
}

static enum gk_err
put_back(struct gdoi_group *g, int64_t by)
{
	for (struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next) {
		back(&t->created, by);
		back(&t->expires, by);
		back(&t->active_utc, by);
		back(&t->gone_utc, by);
		GK_TRY(gdoi_tek_save(g, t));
	}
	for (struct gdoi_data_sa *t = g->lapsed; t != NULL; t = t->next)
		back(&t->expires, by);
	for (struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next) {
		back(&k->created, by);
		back(&k->expires, by);
		if (k->state >= GDOI_KEK_NEXT)
			GK_TRY(gdoi_kek_save(g, k));
	}
	back(&g->last_rekey_utc, by);
	return gdoi_group_save_head(g);
}

enum gk_err
gdoi_group_put_back(struct gdoi_group *g, int64_t by)
{
	enum gk_err err;

	if (by < STEP_S || g->data == NULL)
		return GK_OK;
	pthread_mutex_lock(&g->lock);
	err = put_back(g, by);
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* How much less it shows than it has shown, in seconds.  Many small steps are as good as
 * a large one, so they count together. */
static int64_t
lag(struct gdoi_group *g, struct gk_now now)
{
	int64_t ahead = 1000 * now.utc_s - (int64_t)now.mono_ms;
	int64_t ms = g->ahead_ms - ahead;

	if (g->clock.utc_s == 0 || ms <= 0) {
		g->ahead_ms = ahead;
		return 0;
	}
	if (ms / 1000 < STEP_S)
		return 0;
	g->ahead_ms = ahead;
	return ms / 1000;
}

enum gk_err
gdoi_group_clock(struct gdoi_group *g, struct gk_now *now)
{
	struct gk_now before = g->clock;
	int64_t by;

	/* Threads read the clocks before they have the lock, and this one has
	 * waited: by its date keys might be over that are not, and the next one
	 * would see the clock put back once more. */
	if (before.utc_s != 0 && now->mono_ms < before.mono_ms)
		*now = before;
	by = lag(g, *now);
	g->now = g->clock = *now;
	return by == 0 || g->phase != GDOI_GROUP_OPEN ? GK_OK : put_back(g, by);
}
