/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_sub.h"

#include <string.h>

#include "gsakmp/tests/world_impl.h"

static void
served(struct world_sub *s, unsigned node, const struct gsakmp_output *out)
{
	world_note(&s->seen, out);
	if (out->kind == GSAKMP_OUT_SEND)
		simnet_send(s->w->net, s->serve, (unsigned)out->to.handle,
		            out->dgram);
	if (out->kind == GSAKMP_OUT_DEADLINE)
		simnet_poke(s->w->net, s->clock);
	if (out->kind != GSAKMP_OUT_MULTICAST)
		return;
	for (unsigned i = 0; i <= out->resend_count; i++)
		simnet_multicast(s->w->net, node, out->dgram,
		                 i * out->resend_spacing_ms);
}

static void
drain_gcks(struct world_sub *s)
{
	struct gsakmp_output out;
	bool ok = true;

	while (gsakmp_gcks_poll(s->gcks, &out))
		if (out.kind == GSAKMP_OUT_COMMIT)
			ok = world_store_commit(&s->store, &out);
		else if (ok)
			served(s, s->serve, &out);
}

static void
drain_group(struct world_sub *s)
{
	struct gsakmp_output out;
	bool ok = true;

	while (gsakmp_group_poll(s->group, &out))
		if (out.kind == GSAKMP_OUT_COMMIT)
			ok = world_store_commit(&s->store, &out);
		else if (ok)
			served(s, s->clock, &out);
	simnet_poke(s->w->net, s->clock);
	simnet_poke(s->w->net, s->up);
}

static void
above(struct world_sub *s, const struct gsakmp_output *out)
{
	struct gk_now now = simnet_now(s->w->net);
	enum gk_err err;

	world_note(&s->above, out);
	if (out->kind == GSAKMP_OUT_COMMIT) {
		if (world_store_ok(&s->store))
			world_store_apply(&s->store, out->journal);
		else
			gsakmp_sgcks_commit_failed(s->sgcks, now);
	}
	if (out->kind == GSAKMP_OUT_SEND)
		simnet_send(s->w->net, s->up,
		            out->to.ip_len != 0 ? (unsigned)out->to.handle
		            : s->primary != 0   ? s->primary
		                                : s->w->worker[0].node,
		            out->dgram);
	err = gsakmp_sgcks_act(s->sgcks, out, now);
	(void)err; /* what cannot be done now is done at a tick */
}

void
world_sub_drain(struct world_sub *s)
{
	struct gsakmp_output out;

	while (gsakmp_sgcks_poll(s->sgcks, &out))
		above(s, &out);
	drain_group(s);
	drain_gcks(s);
}

/* ---- nodes -------------------------------------------------------------- */

static void
up_receive(void *ctx, unsigned from, struct gk_slice dgram, struct gk_now now)
{
	struct world_sub *s = ctx;
	const struct gsakmp_endpoint peer = world_endpoint(from);
	enum gk_err err;

	if (!s->alive)
		return;
	err = gsakmp_sgcks_receive(s->sgcks, dgram.ptr, dgram.len, &peer, now);
	(void)err;
	world_sub_drain(s);
}

static void
up_tick(void *ctx, struct gk_now now)
{
	struct world_sub *s = ctx;
	enum gk_err err = gsakmp_sgcks_tick(s->sgcks, now);

	(void)err;
	world_sub_drain(s);
}

static uint64_t
up_deadline(void *ctx)
{
	struct world_sub *s = ctx;

	return s->alive ? gsakmp_sgcks_deadline(s->sgcks) : GK_NEVER;
}

static void
serve_receive(void *ctx, unsigned from, struct gk_slice dgram,
              struct gk_now now)
{
	struct world_sub *s = ctx;
	const struct gsakmp_endpoint peer = world_endpoint(from);
	enum gk_err err;

	if (!s->alive)
		return;
	err = gsakmp_gcks_receive(s->gcks, dgram.ptr, dgram.len, &peer, now);
	(void)err;
	drain_gcks(s);
}

static void
serve_tick(void *ctx, struct gk_now now)
{
	struct world_sub *s = ctx;

	WORLD_MUST(gsakmp_gcks_tick(s->gcks, now));
	drain_gcks(s);
}

static uint64_t
serve_deadline(void *ctx)
{
	struct world_sub *s = ctx;

	return s->alive ? gsakmp_gcks_deadline(s->gcks) : GK_NEVER;
}

static void
clock_receive(void *ctx, unsigned from, struct gk_slice dgram,
              struct gk_now now)
{
	(void)ctx;
	(void)from;
	(void)dgram;
	(void)now;
}

static void
clock_tick(void *ctx, struct gk_now now)
{
	struct world_sub *s = ctx;

	WORLD_MUST(gsakmp_group_tick(s->group, now));
	drain_group(s);
}

static uint64_t
clock_deadline(void *ctx)
{
	struct world_sub *s = ctx;

	return s->alive ? gsakmp_group_deadline(s->group) : GK_NEVER;
}

/* ---- life --------------------------------------------------------------- */

static void
make_engines(struct world_sub *s)
{
	struct world *w = s->w;
	struct gsakmp_group_config group = w->cfg.group;
	struct gsakmp_gcks_config gcks = { .party = s->m->cfg.party };
	struct gsakmp_sgcks_config cfg = { .gm = s->m->cfg };

	group.subordinate = true;
	group.party = s->m->cfg.party;
	group.group_id_type = GSAKMP_GROUPID_OCTET_STRING;
	group.group_id = w->group_id;
	group.dialect = &w->cfg.dialect;
	group.rows.read = world_store_read;
	group.rows.ctx = &s->store;
	s->group = gsakmp_group_new(&w->env, &group);
	s->gcks = gsakmp_gcks_new(&w->env, &gcks);
	WORLD_MUST(gsakmp_gcks_add_group(s->gcks, s->group));
	cfg.group = s->group;
	s->sgcks = gsakmp_sgcks_new(&w->env, &cfg);
	s->alive = true;
}

static void
free_engines(struct world_sub *s)
{
	gsakmp_sgcks_free(s->sgcks);
	gsakmp_gcks_free(s->gcks);
	gsakmp_group_free(s->group);
	s->sgcks = NULL;
	s->gcks = NULL;
	s->group = NULL;
	s->alive = false;
}

struct world_sub *
world_sub_add(struct world *w, const char *cn)
{
	struct world_sub *s = calloc(1, sizeof(*s));

	s->w = w;
	s->m = world_member_add(w, cn);
	simnet_listen(w->net, s->m->node, false);
	s->up = simnet_add(w->net, &(struct simnet_node){ up_receive, up_tick,
	                                                  up_deadline, s });
	s->serve = simnet_add(w->net,
	                      &(struct simnet_node){ serve_receive, serve_tick,
	                                             serve_deadline, s });
	s->clock = simnet_add(w->net,
	                      &(struct simnet_node){ clock_receive, clock_tick,
	                                             clock_deadline, s });
	simnet_listen(w->net, s->up, true);
	make_engines(s);
	return s;
}

void
world_sub_free(struct world_sub *s)
{
	free_engines(s);
	world_store_clear(&s->store);
	world_seen_clear(&s->seen);
	world_seen_clear(&s->above);
	free(s);
}

void
world_sub_start(struct world_sub *s)
{
	WORLD_MUST(gsakmp_sgcks_start(s->sgcks, simnet_now(s->w->net)));
	world_sub_drain(s);
}

void
world_sub_kill(struct world_sub *s)
{
	free_engines(s);
}

static void
load_table(struct world_sub *s, const char *table, bool group)
{
	for (size_t i = 0; i < s->store.n; i++) {
		const struct world_row *r = &s->store.row[i];

		if (strcmp(r->table, table) != 0)
			continue;
		WORLD_MUST(group ? gsakmp_group_load(s->group, table,
		                                     gk_buf_slice(&r->key),
		                                     gk_buf_slice(&r->value))
		                 : gsakmp_sgcks_load(s->sgcks, table,
		                                     gk_buf_slice(&r->key),
		                                     gk_buf_slice(&r->value)));
	}
}

void
world_sub_restart(struct world_sub *s)
{
	if (s->alive)
		world_sub_kill(s);
	make_engines(s);
	for (size_t t = 0; gsakmp_group_table(t) != NULL; t++)
		load_table(s, gsakmp_group_table(t), true);
	load_table(s, GSAKMP_GM_TABLE_TOKEN, false);
	load_table(s, GSAKMP_GM_TABLE_SEQUENCE, false);
	WORLD_MUST(gsakmp_group_load_end(s->group, simnet_now(s->w->net)));
	world_sub_start(s);
}

void
world_sub_cut(struct world_sub *s, bool cut)
{
	simnet_cut(s->w->net, s->up, cut);
	simnet_cut(s->w->net, s->serve, cut);
	simnet_cut(s->w->net, s->clock, cut);
}

enum gk_err
world_sub_evict(struct world_sub *s, const char *peer)
{
	enum gk_err err =
		gsakmp_group_evict(s->group, &peer, 1, simnet_now(s->w->net));

	world_sub_drain(s);
	return err;
}

void
world_sub_serves(struct world_sub *s, struct world_member *m)
{
	m->server[m->n_servers++] = s->serve;
}

struct gsakmp_sgcks_status
world_sub_status(const struct world_sub *s)
{
	struct gsakmp_sgcks_status st;

	gsakmp_sgcks_status(s->sgcks, &st);
	return st;
}
