/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/*
 * The key server: a list of them, and a phase 1 SA with one at a time.
 */
#define GDOI_PORT 848 /* RFC 6407 section 2.2 */

static struct ike_address
to_ike(const struct gdoi_address *a)
{
	struct ike_address b = { .ip_len = a->ip_len, .port = a->port };

	memcpy(b.ip, a->ip, sizeof(b.ip));
	return b;
}

static struct gdoi_address
from_ike(const struct gdoi_gm *gm, const struct ike_address *a)
{
	struct gdoi_address b = { .ip_len = a->ip_len, .port = a->port };

	memcpy(b.ip, a->ip, sizeof(b.ip));
	b.handle = gm->cfg.server[gm->server].handle;
	return b;
}

/* ---- outputs ------------------------------------------------------------ */

static enum gk_err
send_along(struct gdoi_gm *gm, const struct gm_group *group,
           const struct ike_path *path, struct gk_slice dgram, bool keepalive)
{
	struct gdoi_output *out = gm_say(gm, group, GDOI_OUT_SEND, NULL);
	struct gdoi_address to = from_ike(gm, &path->peer);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->dgram = dgram;
	out->to = to;
	out->from = from_ike(gm, &path->local);
	out->keepalive = keepalive;
	GK_TRY(gdoi_outputs_own(&gm->out));
	return keepalive ? GK_OK : gm_message(gm, group, dgram, false, &to, 0);
}

enum gk_err
gm_server_send(struct gdoi_gm *gm, const struct gm_group *group,
               struct gk_slice dgram)
{
	return send_along(gm, group, ike_path(gm->ike), dgram, false);
}

static enum gk_err
peer_output(struct gdoi_gm *gm, enum gdoi_output_kind kind, const char *text,
            const struct isakmp_reject *why)
{
	struct gdoi_output *out = gm_say(gm, NULL, kind, text);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->peer = gk_slice_str(gm->peer);
	out->to = gm->cfg.server[gm->server];
	if (why != NULL)
		out->why = *why;
	return gdoi_outputs_own(&gm->out);
}

/* ---- one SA ------------------------------------------------------------- */

static void
drop(struct gdoi_gm *gm)
{
	/* An exchange borrows the keys of the SA. */
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].pull.expect != 0) {
			gm_pull_clear(&gm->group[i]);
			gm->group[i].wanted = true;
		}
	ike_free(gm->ike);
	gm->ike = NULL;
	gm->up = false;
	gm->doubt = NULL;
	gm->linger_until = GK_NEVER;
}

/* RFC 2407 section 4.6.3.3: what this key server remembers of a life of ours
 * before this one is over. */
static bool
is_first(void *ctx, const struct ike *ike)
{
	const struct gdoi_gm *gm = ctx;

	(void)ike;
	return (gm->contacted & 1U << gm->server) == 0;
}

enum gk_err
gm_server_need(struct gdoi_gm *gm, struct gk_now now)
{
	struct ike_config cfg;
	struct ike_path path = {
		.local = to_ike(&gm->cfg.local),
		.peer = to_ike(&gm->cfg.server[gm->server]),
	};
	enum gk_err err;

	if (gm->ike != NULL)
		return GK_OK;
	if (path.local.port == 0)
		path.local.port = GDOI_PORT;
	cfg = gm->cfg.ike;
	cfg.contact = (struct ike_contact){ is_first, gm };
	err = ike_initiate(gm->env, &cfg, &path, now, &gm->ike);
	gk_wipe(cfg.secret, sizeof(cfg.secret));
	GK_TRY(err);
	return gm_server_drain(gm, now);
}

static bool
wanted(const struct gdoi_gm *gm)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].wanted)
			return true;
	return false;
}

void
gm_server_choose(struct gdoi_gm *gm, struct gk_now now)
{
	gm->server = 0;
	for (size_t i = gm->cfg.n_servers; i-- > 0;)
		if (gm->silent_until[i] <= now.mono_ms)
			gm->server = i;
}

/* It takes half a minute to find out, and lifetimes may be shorter than that: so it
 * is not the first to be asked again, for as long as a member waits at most. */
void
gm_server_silent(struct gdoi_gm *gm, struct gk_now now)
{
	gm->silent_until[gm->server] = now.mono_ms + gm->cfg.backoff_max_ms;
}

/* The SA is gone, or none came about: whoever needs one tries the next key
 * server.  @culprit: it was only this group that was not served. */
static enum gk_err
next(struct gdoi_gm *gm, struct gm_group *culprit, const char *text,
     const struct isakmp_reject *why, struct gk_now now)
{
	bool go_on = culprit == NULL;

	if (!gm->up)
		gm_server_silent(gm, now);
	drop(gm);
	GK_TRY(gm_farewells_failed(gm, text != NULL ? text : "no answer"));
	if (!wanted(gm))
		return GK_OK;
	for (size_t i = 0; i < gm->n_groups; i++) {
		struct gm_group *group = &gm->group[i];

		if (!group->wanted || (culprit != NULL && group != culprit))
			continue;
		GK_TRY(gm_register_missed(gm, group, text, why, now));
		go_on = go_on || group->wanted;
	}
	if (go_on && gm->cfg.n_servers > 1) {
		gm->server = (gm->server + 1) % gm->cfg.n_servers;
		gm->peer[0] = '\0';
		GK_TRY(peer_output(gm, GDOI_OUT_NEXT_SERVER, text, why));
	}
	gm->peer[0] = '\0';
	return wanted(gm) ? gm_server_need(gm, now) : GK_OK;
}

/* ---- a way in ----------------------------------------------------------- */

/* Do its PUSHes come to us alone? */
static bool
by_unicast(const struct gm_group *group)
{
	const struct gm_kek *kek = group->keys->rekey.kek;
	const struct gdoi_endpoint *dst = kek == NULL ? NULL : &kek->sak.ep.dst;

	if (dst == NULL || !group->joined)
		return false;
	if (dst->type == ISAKMP_ID_IPV4_ADDR && dst->data.len == 4)
		return dst->data.ptr[0] >> 4 != 0xe;
	return dst->type != ISAKMP_ID_IPV6_ADDR || dst->data.len != 16 ||
	       dst->data.ptr[0] != 0xff;
}

/*
 * RFC 3948 section 4: a NAT in front of us forgets us when nothing goes out, and
 * then no PUSH finds its way in.  The keepalives are those of the SA, so it stays
 * as long as somebody relies on them.
 */
static bool
holds_a_mapping(const struct gdoi_gm *gm, const struct gm_group *group)
{
	return gm->up && ike_nat_here(gm->ike) && by_unicast(group);
}

static void
mappings(const struct gdoi_gm *gm, bool mapped[GDOI_GM_GROUPS_MAX])
{
	for (size_t i = 0; i < gm->n_groups; i++)
		mapped[i] = holds_a_mapping(gm, &gm->group[i]);
}

/* When that SA is gone the key server hears from us: who registers behind a NAT
 * has a way in. */
static enum gk_err
map_again(struct gdoi_gm *gm, const bool *mapped, struct gk_now now)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (mapped[i])
			GK_TRY(gm_register_soon(gm, &gm->group[i],
			                        "the way in through the NAT "
			                        "has ended with phase 1",
			                        now));
	return GK_OK;
}

/* ---- the end of an SA --------------------------------------------------- */

static enum gk_err
tear_down(struct gdoi_gm *gm, const char *text, const struct isakmp_reject *why,
          struct gk_now now)
{
	struct ike_output out;

	if (gm->ike == NULL || !gm->up)
		return GK_OK;
	GK_TRY(ike_delete(gm->ike, now));
	while (ike_poll(gm->ike, &out))
		if (out.kind == IKE_OUT_SEND)
			GK_TRY(send_along(gm, NULL, &out.path, out.dgram,
			                  false));
	return peer_output(gm, GDOI_OUT_PHASE1_DOWN, text, why);
}

enum gk_err
gm_server_abandon(struct gdoi_gm *gm, const char *text, struct gk_now now)
{
	GK_TRY(tear_down(gm, text, NULL, now));
	drop(gm);
	gm->peer[0] = '\0';
	gm->keep_server = false;
	return gm_farewells_failed(gm, text);
}

enum gk_err
gm_server_resume(struct gdoi_gm *gm, struct gk_now now)
{
	return wanted(gm) ? gm_server_need(gm, now) : GK_OK;
}

enum gk_err
gm_server_leave(struct gdoi_gm *gm, struct gm_group *culprit, const char *text,
                const struct isakmp_reject *why, struct gk_now now)
{
	bool mapped[GDOI_GM_GROUPS_MAX];

	mappings(gm, mapped);
	if (culprit != NULL)
		mapped[culprit - gm->group] = false; /* it has its own reason */
	GK_TRY(tear_down(gm, text, why, now));
	GK_TRY(next(gm, culprit, text, why, now));
	return map_again(gm, mapped, now);
}

bool
gm_server_serves(const struct gdoi_gm *gm, const struct gm_group *group)
{
	struct gk_identity peer = ike_peer(gm->ike);

	for (size_t i = 0; i < group->cfg.n_servers; i++)
		if (gk_identity_match(group->cfg.servers[i], peer,
		                      GK_DN_COMPARE_RFC4514))
			return true;
	return group->cfg.n_servers == 0;
}

/* ---- what phase 1 says -------------------------------------------------- */

static enum gk_err
established(struct gdoi_gm *gm, struct gk_now now)
{
	gm->up = true;
	gm->doubt = NULL;
	gm->contacted |= 1U << gm->server;
	gm->silent_until[gm->server] = 0;
	gm->keep_server = false;
	(void)gk_identity_print(gm->peer, sizeof(gm->peer), ike_peer(gm->ike));
	GK_TRY(peer_output(gm, GDOI_OUT_PHASE1_UP, NULL, NULL));
	GK_TRY(gm_farewells(gm, now));
	return gm_register_go(gm, now);
}

/* The key server died: those who rely on it look for another one.  If it was being
 * asked for something, another one is by now. */
static enum gk_err
dead(struct gdoi_gm *gm, struct gk_now now)
{
	if (gm->ike == NULL) {
		gm->server = (gm->server + 1) % gm->cfg.n_servers;
		gm->keep_server = true;
	}
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].joined)
			GK_TRY(gm_register_soon(gm, &gm->group[i],
			                        "the key server is dead", now));
	return GK_OK;
}

static enum gk_err
down(struct gdoi_gm *gm, const struct ike_output *out, struct gk_now now)
{
	bool mapped[GDOI_GM_GROUPS_MAX];
	bool peer_dead = out->kind == IKE_OUT_PEER_DEAD;
	const struct isakmp_reject why = out->why;
	const char *text = out->text;

	mappings(gm, mapped);
	/* Also of one that never came up: people want to know why. */
	GK_TRY(peer_output(gm, GDOI_OUT_PHASE1_DOWN, text, &why));
	if (peer_dead)
		gm_server_silent(gm, now);
	GK_TRY(next(gm, NULL, text, &why, now));
	return peer_dead ? dead(gm, now) : map_again(gm, mapped, now);
}

/* Under the SA it is the key server who speaks.  Which exchange it means, the
 * Notification Data says: the Message ID. */
static enum gk_err
notified(struct gdoi_gm *gm, const struct ike_output *ike, struct gk_now now)
{
	const struct isakmp_notification n = ike->notification;
	struct gdoi_output *out =
		gm_say(gm, gm->up ? gm_pull_named(gm, &n) : NULL,
	               GDOI_OUT_NOTIFIED, ike->text);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->notify = n.type;
	if (n.data.len > sizeof(uint32_t)) /* behind the Message ID */
		out->words = (struct gk_slice){ n.data.ptr + sizeof(uint32_t),
			                        n.data.len - sizeof(uint32_t) };
	out->peer = gk_slice_str(gm->peer);
	GK_TRY(gdoi_outputs_own(&gm->out));
	return gm->up ? gm_pull_refused(gm, &n, now) : GK_OK;
}

static enum gk_err
refused(struct gdoi_gm *gm, const struct ike_output *ike)
{
	struct gdoi_output *out = gm_say(gm, NULL, GDOI_OUT_REFUSED, ike->text);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->why = ike->why;
	out->to = gm->cfg.server[gm->server];
	return gdoi_outputs_own(&gm->out);
}

/* Said to all whom it keeps waiting. */
static enum gk_err
doubtful(struct gdoi_gm *gm, const struct ike_output *ike, struct gk_now now)
{
	gm->doubt = ike->text;
	gm->doubt_utc = now.utc_s;
	for (size_t i = 0; i < gm->n_groups; i++) {
		struct gm_group *group = &gm->group[i];
		struct gdoi_output *out;

		if (!group->wanted && group->farewell.left == 0)
			continue;
		out = gm_say(gm, group, GDOI_OUT_DOUBT, ike->text);
		if (out == NULL)
			return GK_ERR_NOMEM;
		out->to = gm->cfg.server[gm->server];
		GK_TRY(gdoi_outputs_own(&gm->out));
	}
	return GK_OK;
}

static enum gk_err
handle(struct gdoi_gm *gm, const struct ike_output *out, struct gk_now now)
{
	switch (out->kind) {
	case IKE_OUT_SEND:
	case IKE_OUT_KEEPALIVE:
		return send_along(gm, NULL, &out->path, out->dgram,
		                  out->kind == IKE_OUT_KEEPALIVE);
	case IKE_OUT_ESTABLISHED:
		return established(gm, now);
	case IKE_OUT_FAILED:
	case IKE_OUT_DELETED:
	case IKE_OUT_PEER_DEAD:
		return down(gm, out, now);
	case IKE_OUT_NOTIFIED:
		return notified(gm, out, now);
	case IKE_OUT_DOUBT:
		return doubtful(gm, out, now);
	case IKE_OUT_REFUSED:
		return refused(gm, out);
	default:
		return GK_OK;
	}
}

/* What is handled may end the SA, and begin another one. */
enum gk_err
gm_server_say(struct gdoi_gm *gm, struct gk_buf *copy, struct gk_now now)
{
	struct ike_output out;

	while (gm->ike != NULL && ike_poll(gm->ike, &out)) {
		if (copy != NULL && out.kind == IKE_OUT_SEND) {
			gk_buf_free(copy);
			GK_TRY(gk_buf_copy(copy, out.dgram));
		}
		GK_TRY(handle(gm, &out, now));
	}
	return GK_OK;
}

enum gk_err
gm_server_drain(struct gdoi_gm *gm, struct gk_now now)
{
	return gm_server_say(gm, NULL, now);
}

enum gk_err
gm_server_receive(struct gm_input *in)
{
	struct gdoi_gm *gm = in->gm;
	const struct ike_path path = gm_path(in);
	enum gk_err err;

	if ((gm->ike == NULL || !ike_is(gm->ike, &in->header)) &&
	    GK_CHECKED("RFC6407-7.2.4-01"))
		return gm_refuse(in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_COOKIE,
		                 "RFC6407-7.2.4-01", "Initiator Cookie", 0);
	if (in->header.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL)
		return gm_pull_receive(in);
	err = ike_receive(gm->ike, &path, in->dgram, in->now);
	if (err == GK_OK)
		GK_TRY(gm_message(gm, NULL, in->dgram, true, &in->from, 0));
	GK_TRY(gm_server_drain(gm, in->now));
	return err;
}

/* ---- time --------------------------------------------------------------- */

static bool
needed(const struct gdoi_gm *gm)
{
	if (gm->cfg.keep_phase1 || wanted(gm))
		return true;
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].pull.expect != 0 ||
		    gm->group[i].farewell.left != 0 ||
		    holds_a_mapping(gm, &gm->group[i]))
			return true;
	return false;
}

enum gk_err
gm_server_tick(struct gdoi_gm *gm, struct gk_now now)
{
	if (gm->ike == NULL)
		return GK_OK;
	if (ike_deadline(gm->ike) <= now.mono_ms) {
		GK_TRY(ike_tick(gm->ike, now));
		GK_TRY(gm_server_drain(gm, now));
	}
	if (!gm->up || needed(gm)) {
		gm->linger_until = GK_NEVER;
		return GK_OK;
	}
	if (gm->linger_until == GK_NEVER)
		gm->linger_until = now.mono_ms + GM_LINGER_MS;
	if (gm->linger_until > now.mono_ms)
		return GK_OK;
	return gm_server_leave(gm, NULL, "not needed any more", NULL, now);
}

uint64_t
gm_server_deadline(const struct gdoi_gm *gm)
{
	uint64_t at;

	if (gm->ike == NULL)
		return GK_NEVER;
	at = ike_deadline(gm->ike);
	if (gm->up && !needed(gm)) {
		uint64_t linger =
			gm->linger_until == GK_NEVER ? 0 : gm->linger_until;

		return linger < at ? linger : at;
	}
	return at;
}
