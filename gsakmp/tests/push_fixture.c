/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/push_fixture.h"

static void
tap(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct push *p = ctx;

	(void)dgram;
	p->said += from == p->f.m->node;
}

static const enum gk_kex kexes[] = {
	[WORLD_SUITE_ONE] = GK_KEX_MODP1024_LEGACY,
	[WORLD_P256] = GK_KEX_P256,
	[WORLD_RSA2048] = GK_KEX_MODP2048,
	[WORLD_ED25519] = GK_KEX_X25519,
	[WORLD_MIXED] = GK_KEX_MODP2048,
};

static enum gk_err
from_one(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i + 1);
	return GK_OK;
}

struct world_config
push_config(uint64_t seed)
{
	struct world_config cfg = world_plain(seed);

	cfg.timestamp = true;
	return cfg;
}

/* Listening, not yet a member. */
void
push_up(struct push *p, struct world_config cfg)
{
	const struct gk_env env = { .random = from_one };

	gk_assert_ok(gk_kex_generate(&env, kexes[cfg.suite], &p->key));
	cfg.gm.receive_only = true;
	cfg.gm.static_key = p->key;
	p->said = 0;
	fixture_up(&p->f, &cfg, SERVER_NAME);
	simnet_tap(p->f.w->net, tap, p);
	world_join(p->f.m);
}

void
push_down(struct push *p)
{
	assert_int_equal(p->said, 0); /* RFC4535-5.2.3-03, whatever happened */
	assert_int_equal(p->f.m->seen.count[GSAKMP_OUT_SEND], 0);
	fixture_down(&p->f);
	gk_kex_free(p->key);
}

struct gsakmp_receiver
push_receiver(const struct push *p)
{
	return (struct gsakmp_receiver){
		.id = &p->f.m->id,
		.certs = (const struct gk_cert *const *)p->f.m->chain,
		.n_certs = 1,
		.group = gk_kex_group(p->key),
		.public_value = gk_kex_public(p->key),
		.to = { .ip = { 10, 0, 0, 1 },
		        .ip_len = 4,
		        .handle = p->f.m->node },
	};
}

enum gk_err
push_to(struct push *p, struct gsakmp_receiver *who, struct gsakmp_reject *why)
{
	enum gk_err err = gsakmp_group_push(p->f.w->group, who,
	                                    simnet_now(p->f.w->net), why);

	world_drain(p->f.w);
	return err;
}

void
push(struct push *p)
{
	struct gsakmp_receiver who = push_receiver(p);

	gk_assert_ok(push_to(p, &who, NULL));
	world_pass(p->f.w, 2000);
}

void
pushed_up(struct push *p, struct world_config cfg)
{
	push_up(p, cfg);
	push(p);
	assert_true(world_has_current(p->f.m));
	assert_int_equal(gsakmp_gm_state(p->f.m->gm), GSAKMP_GM_MEMBER);
}

/* The last Key Download that the key server sent. */
void
push_last(struct push *p, struct gk_buf *dgram)
{
	gk_assert_ok(gk_buf_copy(
		dgram,
		gk_buf_slice(
			&p->f.w->seen
				 .last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
}
