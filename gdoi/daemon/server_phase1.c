/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/server.h"

/*
 * New phase 1 settings, after SIGHUP.
 *
 * SAs that began under the old ones use them until they end, which may take as
 * long as the lifetime says.  Pools and SAs are counted (struct ike_hold); what is
 * replaced and has none left is freed in the main thread.
 */
struct handover {
	struct gdoid_worker *worker;
	struct gdoid_phase1 *phase1;
	struct ike_config ike;
};

static void
take(void *arg)
{
	struct handover *h = arg;

	if (h->worker->engine != NULL)
		gdoi_gcks_set_ike(h->worker->engine, &h->ike);
	gdoid_phase1_hold(h->phase1, -1);
	gk_wipe(&h->ike.secret, sizeof(h->ike.secret));
	free(h);
}

static void
hand_over(struct gdoid_worker *w, struct gdoid_phase1 *p)
{
	struct handover *h = malloc(sizeof(*h));

	if (h != NULL) {
		*h = (struct handover){ w, p, p->ike };
		memcpy(h->ike.secret, w->server->secret, sizeof(h->ike.secret));
		h->ike.cookie_tag = (uint8_t)w->index;
		/* On its way: it may be replaced before it arrives. */
		gdoid_phase1_hold(p, 1);
		if (gkd_loop_post(w->loop, take, h) == GK_OK)
			return;
		gdoid_phase1_hold(p, -1);
	}
	gkd_log(LOG_ERR, "io", "out of memory");
	free(h);
}

/* ---- the old ones -------------------------------------------------------- */

void
gdoid_phase1_sweep(struct gdoid_server *s, bool all)
{
	struct gdoid_phase1 **at = &s->retired, *p;

	while ((p = *at) != NULL) {
		if (!all && atomic_load(&p->users) != 0) {
			at = &p->older;
			continue;
		}
		*at = p->older;
		gdoid_phase1_free(p);
	}
}

static void
on_unused(void *arg)
{
	struct gdoid_server *s = arg;

	atomic_store(&s->retiring, false);
	gdoid_phase1_sweep(s, false);
}

/* In the thread of its last SA. */
static void
unused(void *arg)
{
	struct gdoid_server *s = arg;

	if (atomic_exchange(&s->retiring, true))
		return; /* somebody has said so, and it is still to come */
	if (gkd_loop_post(s->d->loop, on_unused, s) != GK_OK)
		atomic_store(&s->retiring, false);
}

void
gdoid_phase1_watch(struct gdoid_server *s, struct gdoid_phase1 *p)
{
	p->unused = unused;
	p->unused_arg = s;
}

void
gdoid_workers_set_phase1(struct gdoid_server *s, struct gdoid_phase1 *fresh)
{
	struct gdoid_phase1 *before = s->phase1;

	gdoid_phase1_watch(s, fresh);
	s->phase1 = fresh;
	for (unsigned i = 0; i < s->n_workers; i++)
		hand_over(&s->workers[i], fresh);
	before->older = s->retired;
	s->retired = before;
	gdoid_phase1_sweep(s, false);
}
