/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/gm.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/* ---- small things ------------------------------------------------------- */

const char *
gdoi_gm_state_text(enum gdoi_gm_state state)
{
	static const char *const text[] = {
#define X(name, words) words,
		GDOI_GM_STATE_LIST(X)
#undef X
	};

	return (size_t)state < GK_COUNT(text) ? text[state] : "?";
}

enum gk_err
gm_refuse(struct gm_input *in, enum gk_err err, enum isakmp_notify notify,
          const char *req, const char *field, size_t at)
{
	return isakmp_refuse(&in->why, err, notify, req, field, at);
}

struct gdoi_output *
gm_say(struct gdoi_gm *gm, const struct gm_group *group,
       enum gdoi_output_kind kind, const char *text)
{
	struct gdoi_output *out = gdoi_outputs_add(&gm->out, kind);

	if (out == NULL)
		return NULL;
	out->text = text;
	out->group = GDOI_NO_GROUP;
	if (group != NULL) {
		out->group = group->index;
		out->group_id = group->cfg.id;
	}
	return out;
}

enum gk_err
gm_tell(struct gdoi_gm *gm, const struct gm_group *group,
        enum gdoi_output_kind kind, const char *text)
{
	return gm_say(gm, group, kind, text) == NULL
	               ? GK_ERR_NOMEM
	               : gdoi_outputs_own(&gm->out);
}

enum gk_err
gm_message(struct gdoi_gm *gm, const struct gm_group *group,
           struct gk_slice dgram, bool incoming,
           const struct gdoi_address *peer, uint32_t sequence)
{
	struct gdoi_output *out = gm_say(gm, group, GDOI_OUT_MESSAGE, NULL);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->octets = dgram.len;
	out->incoming = incoming;
	out->to = *peer;
	out->exchange = dgram.len >= ISAKMP_HEADER_LEN ? dgram.ptr[18] : 0;
	out->sequence = sequence;
	return gdoi_outputs_own(&gm->out);
}

enum gk_err
gm_random_below(struct gdoi_gm *gm, uint32_t bound, uint32_t *out)
{
	uint8_t octets[8];
	uint64_t n = 0;

	GK_TRY(gm->env->random(gm->env->ctx, octets, sizeof(octets)));
	for (size_t i = 0; i < sizeof(octets); i++)
		n = n << 8 | octets[i];
	*out = bound == 0 ? 0 : (uint32_t)(n % bound);
	return GK_OK;
}

static struct ike_address
address(const struct gdoi_address *a)
{
	struct ike_address b = { .ip_len = a->ip_len, .port = a->port };

	memcpy(b.ip, a->ip, sizeof(b.ip));
	return b;
}

struct ike_path
gm_path(const struct gm_input *in)
{
	return (struct ike_path){ address(&in->to), address(&in->from) };
}

/* ---- life --------------------------------------------------------------- */

static void
defaults(struct gdoi_gm_config *cfg)
{
	if (cfg->pull_timeout_ms == 0)
		cfg->pull_timeout_ms = 2000;
	if (cfg->pull_tries == 0)
		cfg->pull_tries = 4;
	if (cfg->backoff_ms == 0)
		cfg->backoff_ms = 5000;
	if (cfg->backoff_max_ms == 0)
		cfg->backoff_max_ms = 300000;
	if (cfg->backoff_max_ms < cfg->backoff_ms)
		cfg->backoff_max_ms = cfg->backoff_ms;
	if (cfg->ack_jitter_ms == 0)
		cfg->ack_jitter_ms = 1000;
}

static bool
group_new(struct gdoi_gm *gm, size_t i)
{
	struct gm_group *group = &gm->group[i];

	group->index = i;
	group->cfg = gm->cfg.groups[i];
	if (group->cfg.dialect != NULL)
		group->dialect = *group->cfg.dialect;
	group->bound_ms = gm->cfg.backoff_ms;
	group->register_at = group->again_at = GK_NEVER;
	group->suspicion_at = group->path_hint = GK_NEVER;
	group->strange_by = GK_NEVER;
	group->pull.retry_at = group->farewell.again_at = GK_NEVER;
	group->keys = gm_keys_new();
	return group->keys != NULL &&
	       gk_journal_new(group->cfg.scope, &group->journal) == GK_OK;
}

struct gdoi_gm *
gdoi_gm_new(const struct gk_env *env, const struct gdoi_gm_config *cfg)
{
	struct gdoi_gm *gm;

	if (cfg->n_servers == 0 || cfg->n_servers > GDOI_GM_SERVERS_MAX ||
	    cfg->n_groups == 0 || cfg->n_groups > GDOI_GM_GROUPS_MAX)
		return NULL;
	gm = calloc(1, sizeof(*gm));
	if (gm == NULL)
		return NULL;
	gm->env = env;
	gm->cfg = *cfg;
	defaults(&gm->cfg);
	gm->linger_until = GK_NEVER;
	gm->group = calloc(cfg->n_groups, sizeof(*gm->group));
	if (gm->group == NULL) {
		gdoi_gm_free(gm);
		return NULL;
	}
	for (; gm->n_groups < cfg->n_groups; gm->n_groups++)
		if (!group_new(gm, gm->n_groups)) {
			gm->n_groups++;
			gdoi_gm_free(gm);
			return NULL;
		}
	return gm;
}

static void
group_free(struct gm_group *group)
{
	gm_pull_clear(group);
	gm_held_free(group);
	gm_acks_free(group);
	gm_farewell_forget(group);
	gm_undo_drop(group);
	gk_buf_free(&group->registrar);
	gm_keys_free(group->keys);
	gk_journal_free(group->journal);
}

void
gdoi_gm_free(struct gdoi_gm *gm)
{
	if (gm == NULL)
		return;
	for (size_t i = 0; i < gm->n_groups; i++)
		group_free(&gm->group[i]);
	gm_early_free(gm);
	ike_free(gm->ike);
	gk_queue_free(&gm->out.items);
	if (gm->group != NULL)
		gk_wipe(gm->group, gm->n_groups * sizeof(*gm->group));
	free(gm->group);
	gk_wipe(gm, sizeof(*gm));
	free(gm);
}

void
gdoi_gm_set_ike(struct gdoi_gm *gm, const struct ike_config *ike)
{
	gm->cfg.ike = *ike;
}

/* ---- commands ----------------------------------------------------------- */

static enum gk_err
register_now(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	group->register_at = now.mono_ms;
	group->bound_ms = gm->cfg.backoff_ms;
	group->failures = 0;
	group->pull.overtaken = 0;
	if (!group->joined)
		group->state = GDOI_GM_WAITING;
	return gm_register_tick(gm, group, now);
}

enum gk_err
gdoi_gm_join(struct gdoi_gm *gm, size_t group, struct gk_now now)
{
	struct gm_group *g;

	if (group >= gm->n_groups)
		return GK_ERR_VALUE;
	g = &gm->group[group];
	gm_begin(gm);
	if (g->state != GDOI_GM_IDLE && g->state != GDOI_GM_FAILED)
		return GK_ERR_UNEXPECTED;
	gm_farewell_forget(g); /* we are back */
	return register_now(gm, g, now);
}

enum gk_err
gdoi_gm_reregister(struct gdoi_gm *gm, size_t group, struct gk_now now)
{
	struct gm_group *g;

	if (group >= gm->n_groups)
		return GK_ERR_VALUE;
	g = &gm->group[group];
	gm_begin(gm);
	if (g->state == GDOI_GM_IDLE)
		return GK_ERR_UNEXPECTED;
	if (g->wanted || g->pull.expect != 0)
		return GK_OK; /* it is being done */
	if (g->joined)
		g->state = GDOI_GM_REREGISTERING;
	return register_now(gm, g, now);
}

/* ---- datagrams ---------------------------------------------------------- */

static enum gk_err
dispatch(struct gm_input *in)
{
	struct gk_rd rd;

	gk_rd_init(&rd, in->dgram.ptr, in->dgram.len);
	if (isakmp_header_decode(&rd, &in->header) != GK_OK)
		return isakmp_refuse_fault(&in->why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	GK_TRY(isakmp_header_check(&in->header, in->dgram.len, &in->why));
	switch (in->header.exchange) {
	case ISAKMP_EXCHANGE_GROUPKEY_PUSH:
		return gm_push_receive(in);
	case ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK:
		if (!GK_CHECKED("RFC8263-8-02"))
			return gm_server_receive(in);
		return gm_refuse(in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                 "RFC8263-8-02", "Exchange Type", 18);
	default:
		return gm_server_receive(in);
	}
}

static void
report_refusal(const struct gm_input *in)
{
	struct gdoi_output *out =
		gm_say(in->gm, in->group, GDOI_OUT_REFUSED, in->text);

	if (in->group != NULL)
		in->group->refused++;
	if (out == NULL)
		return;
	out->why = in->why;
	out->to = in->from;
	out->dgram = in->dgram;
	out->exchange = in->header.exchange;
	out->sequence = in->sequence;
	(void)!gdoi_outputs_own(&in->gm->out);
}

enum gk_err
gdoi_gm_receive(struct gdoi_gm *gm, struct gk_slice dgram,
                const struct gdoi_address *from, const struct gdoi_address *to,
                struct gk_now now)
{
	struct gm_input in = {
		.gm = gm, .dgram = dgram, .from = *from, .to = *to, .now = now
	};
	enum gk_err err;

	gm_begin(gm);
	err = dispatch(&in);
	/* What phase 1 refuses, it has said itself. */
	if (err != GK_OK && err != GK_ERR_NOMEM && in.why.req != NULL)
		report_refusal(&in);
	return err;
}

/* ---- time --------------------------------------------------------------- */

#define IDLE_MS 1000 /* after a tick that failed: what is due stays due */

static enum gk_err
tick_group(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	GK_TRY(gm_pull_tick(gm, group, now));
	GK_TRY(gm_teks_tick(gm, group, now));
	GK_TRY(gm_register_tick(gm, group, now));
	return gm_acks_tick(gm, group, now);
}

/* What fails is tried again, but keeps nobody else waiting: the other groups have
 * their turn, and everybody the processor. */
static enum gk_err
tick(struct gdoi_gm *gm, struct gk_now now)
{
	enum gk_err err = gm_farewells_tick(gm, now), one;

	one = gm_server_tick(gm, now);
	err = err == GK_OK ? one : err;
	for (size_t i = 0; i < gm->n_groups; i++) {
		one = tick_group(gm, &gm->group[i], now);
		err = err == GK_OK ? one : err;
	}
	GK_TRY(err);
	/* One COMMIT at a time: what waits for the store comes alone. */
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].again_at <= now.mono_ms)
			return gm_try_again(gm, &gm->group[i], now);
	return GK_OK;
}

enum gk_err
gdoi_gm_tick(struct gdoi_gm *gm, struct gk_now now)
{
	enum gk_err err;

	gm_begin(gm);
	err = tick(gm, now);
	gm->idle_until = err == GK_OK ? 0 : now.mono_ms + IDLE_MS;
	return err;
}

uint64_t
gdoi_gm_deadline(const struct gdoi_gm *gm)
{
	uint64_t at = gm_server_deadline(gm), said = gm_farewells_deadline(gm);

	at = said < at ? said : at;
	for (size_t i = 0; i < gm->n_groups; i++) {
		const struct gm_group *group = &gm->group[i];
		const uint64_t all[] = {
			group->pull.retry_at,
			gm_teks_deadline(group->keys),
			gm_register_deadline(gm, group),
			gm_acks_deadline(group),
			group->again_at,
		};

		for (size_t j = 0; j < GK_COUNT(all); j++)
			if (all[j] < at)
				at = all[j];
	}
	return at < gm->idle_until ? gm->idle_until : at;
}

/* ---- questions ---------------------------------------------------------- */

static int64_t
due_utc(const struct gm_group *group)
{
	int64_t at = group->keys->rekey.expires_utc;

	for (size_t i = 0; i < group->keys->n; i++) {
		const struct gm_slot *slot = &group->keys->slot[i];

		if (slot->state == GDOI_TEK_CURRENT && slot->expires_utc != 0 &&
		    (at == 0 || slot->expires_utc < at))
			at = slot->expires_utc;
	}
	return at;
}

void
gdoi_gm_status(const struct gdoi_gm *gm, size_t group,
               struct gdoi_gm_status *out)
{
	const struct gm_group *g = &gm->group[group];

	*out = (struct gdoi_gm_status){
		.state = g->state,
		.phase1 = gm->up,
		.server = gk_slice_str(gm->peer),
		.server_address = gm->cfg.server[gm->server],
		.has_kek = g->keys->rekey.kek != NULL,
		.n_teks = g->keys->n,
		.n_keks = g->keys->n_nodes,
		.pushes = g->pushes,
		.acks = g->acks,
		.refused = g->refused,
		.unauthorised = g->unauthorised,
		.waiting = g->n_held,
		.registered_utc = g->registered_utc,
		.rekey_due_utc = due_utc(g),
		.sid_bits = g->keys->sid_bits,
		.n_sids = g->keys->n_sids,
		.no_sender = g->keys->no_sender,
		.failures = g->failures,
		.failure = g->failure,
		.why = g->why,
		.failed_utc = g->failed_utc,
		.doubt = g->wanted ? gm->doubt : NULL,
		.doubt_utc = gm->doubt_utc,
	};
	if (out->has_kek)
		gm_kek_info(g, &g->keys->rekey, &out->kek);
}

void
gdoi_gm_teks(const struct gdoi_gm *gm, size_t group,
             void (*each)(void *ctx, const struct gdoi_tek *tek), void *ctx)
{
	const struct gm_keys *keys = gm->group[group].keys;

	for (size_t i = 0; i < keys->n; i++) {
		struct gdoi_tek tek = gm_tek_view(keys, &keys->slot[i]);

		each(ctx, &tek);
	}
}
