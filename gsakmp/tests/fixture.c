/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>

struct world_config
world_plain(uint64_t seed)
{
	return (struct world_config){ .suite = WORLD_P256,
		                      .seed = seed,
		                      .event = GPT_REKEY_EVENT_TIME,
		                      .event_time = 3600 };
}

struct world *
world_with(const struct world_config *cfg, unsigned members)
{
	struct world *w = world_new(cfg);
	char cn[16];

	for (unsigned i = 0; i < members; i++) {
		snprintf(cn, sizeof(cn), "m%u", i);
		world_member_add(w, cn);
	}
	return w;
}

struct world *
world_joined(const struct world_config *cfg, unsigned members)
{
	struct world *w = world_with(cfg, members);

	world_join_all(w);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), members);
	return w;
}

struct gsakmp_group_status
world_status(struct world *w)
{
	struct gsakmp_group_status s;

	gsakmp_group_status(w->group, &s);
	return s;
}

void
fixture_up(struct fixture *f, const struct world_config *cfg, const char *self)
{
	f->w = world_new(cfg);
	f->m = world_member_add(f->w, "alice");
	gk_pki_make(&f->mallory,
	            &(struct gk_pki_spec){ .subject = "/CN=mallory",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &f->w->root });
	gk_pki_make(&f->self,
	            &(struct gk_pki_spec){ .subject = self,
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &f->w->stranger_root });
}

void
fixture_down(struct fixture *f)
{
	gk_pki_free(&f->mallory);
	gk_pki_free(&f->self);
	world_free(f->w);
}

void
fixture_joined(struct fixture *f, const struct world_config *cfg,
               const char *self)
{
	fixture_up(f, cfg, self);
	world_join(f->m);
	world_pass(f->w, 5000);
	assert_true(world_has_current(f->m));
}

void
fixture_following(struct fixture *f, const struct world_config *cfg)
{
	fixture_joined(f, cfg, SERVER_NAME);
	world_join(world_member_add(f->w, "bob"));
	world_pass(f->w, 5000);
	gk_assert_ok(world_rekey(f->w));
	world_pass(f->w, 5000);
	assert_int_equal(world_in_step(f->w), 2);
}
