/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_settle.h"

#include <stdlib.h>

#include "common/daemon/gkd_log.h"

#define PAUSE_MS 1000 /* after an error, and between two looks */

struct gkd_settle {
	struct gk_store *store;
	struct gkd_timer *timer, *slice; /* slice: NULL without aside */
	uint64_t ms, settle_at, not_before;
};

/* Whoever commits next says what is wrong with the disk. */
static void
tell(struct gkd_settle *settle)
{
	gkd_log(LOG_DEBUG, "io", "old values stay in the store for now: %s",
	        gk_store_why(settle->store));
}

static void
on_slice(void *arg)
{
	struct gkd_settle *settle = arg;

	if (gk_store_work(settle->store) != GK_OK) {
		tell(settle);
		settle->not_before = gkd_now().mono_ms + PAUSE_MS;
	}
	gkd_settle_soon(settle);
}

void
gkd_settle_soon(struct gkd_settle *settle)
{
	uint64_t now = gkd_now().mono_ms;

	/* In the next turn of the loop: a commit that is due goes first. */
	if (settle->slice != NULL && gk_store_due(settle->store) &&
	    now >= settle->not_before)
		gkd_timer_set(settle->slice, now);
}

/* Slices are also for commits that nobody has told of. */
static void
on_timer(void *arg)
{
	struct gkd_settle *settle = arg;
	uint64_t now = gkd_now().mono_ms, next;

	if (now >= settle->settle_at) {
		if (gk_store_settle(settle->store) != GK_OK)
			tell(settle);
		settle->settle_at = gkd_now().mono_ms + settle->ms;
	}
	gkd_settle_soon(settle);
	next = settle->settle_at;
	if (settle->slice != NULL && next > now + PAUSE_MS)
		next = now + PAUSE_MS;
	gkd_timer_set(settle->timer, next);
}

struct gkd_settle *
gkd_settle_new(struct gkd_loop *loop, struct gk_store *store, uint64_t ms)
{
	struct gkd_settle *settle = calloc(1, sizeof(*settle));

	if (settle == NULL)
		return NULL;
	settle->store = store;
	settle->ms = ms;
	settle->settle_at = gkd_now().mono_ms + ms;
	settle->timer = gkd_timer_new(loop, on_timer, settle);
	if (settle->timer == NULL) {
		free(settle);
		return NULL;
	}
	gkd_timer_set(settle->timer, settle->settle_at);
	return settle;
}

bool
gkd_settle_aside(struct gkd_settle *settle, struct gkd_loop *loop)
{
	settle->slice = gkd_timer_new(loop, on_slice, settle);
	if (settle->slice == NULL)
		return false;
	gk_store_aside(settle->store, true);
	on_timer(settle);
	return true;
}

void
gkd_settle_free(struct gkd_settle *settle)
{
	if (settle == NULL)
		return;
	if (settle->slice != NULL)
		gk_store_aside(settle->store, false);
	gkd_timer_free(settle->slice);
	gkd_timer_free(settle->timer);
	free(settle);
}
