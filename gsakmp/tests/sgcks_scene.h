/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_SGCKS_SCENE_H
#define GSAKMP_TESTS_SGCKS_SCENE_H

#include "gsakmp/tests/world_sub.h"

#include <string.h>

#include "gsakmp/engine/gm_state.h"

/*
 * Subordinate key servers in the simulated world: RFC 4535 sections 4.1.4, 4.4.6
 * and 4.4.7.  All Rekey Events go to one multicast group, so everybody hears
 * those of everybody.
 */
#define SOME __attribute__((unused))
#define NORTH "CN=north,O=Members"
#define SOUTH "CN=south,O=Members"

struct scene {
	struct world *w;
	struct world_sub *north, *south;
	struct world_member *a, *b, *c, *d; /* two behind each */
};

static SOME void
allow(struct world *w)
{
	w->sub_gcks[0] = w->auth_subs[0] = NORTH;
	w->sub_gcks[1] = w->auth_subs[1] = SOUTH;
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
}

static SOME struct world_member *
behind(struct world_sub *s, const char *cn)
{
	struct world_member *m = world_member_add(s->w, cn);

	world_sub_serves(s, m);
	return m;
}

/* Two subordinates, named by the token, that have not started. */
static SOME struct scene
ground(const struct world_config *cfg)
{
	struct scene sc = { .w = world_new(cfg) };

	allow(sc.w);
	sc.north = world_sub_add(sc.w, "north");
	sc.south = world_sub_add(sc.w, "south");
	sc.a = behind(sc.north, "a");
	sc.b = behind(sc.north, "b");
	sc.c = behind(sc.south, "c");
	sc.d = behind(sc.south, "d");
	return sc;
}

static SOME void
all_join(struct scene *sc)
{
	world_sub_start(sc->north);
	world_sub_start(sc->south);
	world_pass(sc->w, 2000);
	world_join(sc->a);
	world_join(sc->b);
	world_join(sc->c);
	world_join(sc->d);
	world_pass(sc->w, 2000);
	assert_int_equal(world_in_step(sc->w), 4);
}

static const struct world_config usual = {
	.suite = WORLD_P256,
	.seed = 1,
	.event = GPT_REKEY_EVENT_TIME,
	.event_time = 36000,
	.interval = 360000,
};

static SOME struct scene
open_scene(void)
{
	struct scene sc = ground(&usual);

	all_join(&sc);
	return sc;
}

static SOME void
close_scene(struct scene *sc)
{
	world_sub_free(sc->north);
	world_sub_free(sc->south);
	world_free(sc->w);
}

static SOME struct gsakmp_group_status
status(struct gsakmp_group *g)
{
	struct gsakmp_group_status st;

	gsakmp_group_status(g, &st);
	return st;
}

#endif /* GSAKMP_TESTS_SGCKS_SCENE_H */
