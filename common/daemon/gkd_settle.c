/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_settle.h"

#include <stdlib.h>

#include "common/daemon/gkd_log.h"

struct gkd_settle {
	struct gk_store *store;
	struct gkd_timer *timer;
	uint64_t ms;
};

static void
on_timer(void *arg)
{
	struct gkd_settle *settle = arg;

	/* Whoever commits next says what is wrong with the disk. */
	if (gk_store_settle(settle->store) != GK_OK)
		gkd_log(LOG_DEBUG, "io",
		        "old values stay in the store for now: %s",
		        gk_store_why(settle->store));
	gkd_timer_set(settle->timer, gkd_now().mono_ms + settle->ms);
}

struct gkd_settle *
gkd_settle_new(struct gkd_loop *loop, struct gk_store *store, uint64_t ms)
{
	struct gkd_settle *settle = calloc(1, sizeof(*settle));

	if (settle == NULL)
		return NULL;
	settle->store = store;
	settle->ms = ms;
	settle->timer = gkd_timer_new(loop, on_timer, settle);
	if (settle->timer == NULL) {
		free(settle);
		return NULL;
	}
	gkd_timer_set(settle->timer, gkd_now().mono_ms + settle->ms);
	return settle;
}

void
gkd_settle_free(struct gkd_settle *settle)
{
	if (settle == NULL)
		return;
	gkd_timer_free(settle->timer);
	free(settle);
}
