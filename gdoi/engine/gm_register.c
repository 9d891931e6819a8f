/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/*
 * When a member registers: RFC 6407 sections 3.3, 4.4, 5.9, 7.4.
 *
 * A round goes through the list of key servers once.  Between two rounds, and
 * whenever many members may have the same reason to register at the same time,
 * there is a random wait below a bound, which doubles from round to round.
 */
static bool
registering(const struct gm_group *group)
{
	return group->wanted || group->pull.expect != 0 ||
	       group->register_at != GK_NEVER;
}

static void
set_waiting(struct gm_group *group)
{
	group->state = group->joined       ? GDOI_GM_REREGISTERING
	               : group->refused_us ? GDOI_GM_REFUSED
	                                   : GDOI_GM_WAITING;
}

static bool
has_keys(const struct gm_group *group)
{
	return group->keys->n != 0 || group->keys->rekey.kek != NULL;
}

static enum gk_err
wait_at_random(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	uint32_t ms;

	GK_TRY(gm_random_below(gm, group->bound_ms + 1, &ms));
	group->register_at = now.mono_ms + ms;
	set_waiting(group);
	return GK_OK;
}

enum gk_err
gm_register_soon(struct gdoi_gm *gm, struct gm_group *group, const char *stale,
                 struct gk_now now)
{
	if (group->state == GDOI_GM_IDLE || group->state == GDOI_GM_FAILED)
		return GK_OK;
	if (stale != NULL)
		GK_TRY(gm_tell(gm, group, GDOI_OUT_STALE, stale));
	if (registering(group))
		return GK_OK;
	group->servers_tried = 0;
	return wait_at_random(gm, group, now);
}

/*
 * Anybody can send octets that nobody can read.  As they may be a sign of a
 * lost rekey, they are followed up, but less often each time.
 */
enum gk_err
gm_suspect(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	uint32_t ms;

	if (group->suspect_at > now.mono_ms || registering(group))
		return GK_OK;
	group->suspect_ms = group->suspect_ms == 0 ? gm->cfg.backoff_max_ms
	                                           : 2 * group->suspect_ms;
	if (group->suspect_ms > 16 * (uint64_t)gm->cfg.backoff_max_ms)
		group->suspect_ms = 16 * gm->cfg.backoff_max_ms;
	group->suspect_at = now.mono_ms + group->suspect_ms;
	GK_TRY(gm_random_below(gm, group->bound_ms + 1, &ms));
	group->suspicion_at = now.mono_ms + ms;
	return GK_OK;
}

static enum gk_err
suspicion(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (group->suspicion_at > now.mono_ms)
		return GK_OK;
	group->suspicion_at = GK_NEVER;
	GK_TRY(gm_register_soon(gm, group, "a GROUPKEY-PUSH cannot be read",
	                        now));
	if (group->register_at != GK_NEVER)
		group->register_at = now.mono_ms; /* it has waited */
	return GK_OK;
}

/* ---- going on ----------------------------------------------------------- */

static size_t
pulls_running(const struct gdoi_gm *gm)
{
	size_t n = 0;

	for (size_t i = 0; i < gm->n_groups; i++)
		n += gm->group[i].pull.expect != 0;
	return n;
}

/* RFC6407-3.1-01, -02: no message 1 for a key server that is not listed. */
static enum gk_err
not_listed(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	const struct isakmp_reject why = {
		.notify = ISAKMP_NOTIFY_AUTHENTICATION_FAILED,
		.req = "RFC6407-3.1-02",
		.field = "Identification Data",
	};

	return gm_register_failed(gm, group, "not a key server of this group",
	                          &why, now);
}

static enum gk_err
begin(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	enum gk_err err = gm_pull_start(gm, group, now);

	if (err != GK_OK && group->pull.expect == 0)
		group->wanted = true;
	return err;
}

enum gk_err
gm_register_go(struct gdoi_gm *gm, struct gk_now now)
{
	for (size_t i = 0; i < gm->n_groups; i++) {
		struct gm_group *group = &gm->group[i];

		if (!gm->up || pulls_running(gm) >= GM_PULLS_MAX)
			return GK_OK;
		if (!group->wanted)
			continue;
		group->wanted = false;
		if (!gm_server_serves(gm, group) &&
		    GK_CHECKED("RFC6407-3.1-01", "RFC6407-3.1-02",
		               "RFC6407-7.2.6-02", "RFC5374-4.1.3-01",
		               "RFC5374-4.1.3-03", "RFC5374-4.1.3.5-03"))
			GK_TRY(not_listed(gm, group, now));
		else
			GK_TRY(begin(gm, group, now));
	}
	return GK_OK;
}

/* Something failed on the way, for want of memory say, and nothing would go on by
 * itself. */
static bool
is_stranded(const struct gdoi_gm *gm, const struct gm_group *group)
{
	if (group->state == GDOI_GM_IDLE || group->state == GDOI_GM_FAILED)
		return false;
	if (group->wanted)
		return gm->ike == NULL ||
		       (gm->up && pulls_running(gm) < GM_PULLS_MAX);
	return !group->joined && !registering(group) &&
	       group->again_at == GK_NEVER;
}

static enum gk_err
go_on(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (!is_stranded(gm, group))
		return GK_OK;
	if (!group->wanted)
		return wait_at_random(gm, group, now);
	return gm->up ? gm_register_go(gm, now) : gm_server_need(gm, now);
}

static bool
anybody_wants(const struct gdoi_gm *gm)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].wanted || gm->group[i].pull.expect != 0)
			return true;
	return false;
}

static enum gk_err
timer(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (group->register_at > now.mono_ms)
		return GK_OK;
	group->register_at = GK_NEVER;
	/* A new round begins with the first choice. */
	if (gm->ike == NULL && !anybody_wants(gm) && !gm->keep_server)
		gm_server_choose(gm, now);
	group->wanted = true;
	group->servers_tried = 0;
	if (!group->joined)
		group->state = GDOI_GM_PHASE1;
	if (gm->up)
		return gm_register_go(gm, now);
	return gm_server_need(gm, now);
}

/* A lifetime is about to end; a group without a Rekey SA has no other way. */
static enum gk_err
lifetimes(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (registering(group) || gm_due(gm, group) > now.mono_ms)
		return GK_OK;
	return gm_register_soon(gm, group,
	                        group->keys->rekey.kek != NULL
	                                ? "a lifetime ends without a rekey"
	                                : NULL,
	                        now);
}

/*
 * RFC8052-2.2.4.2-02: an SA that waits for its subscribers.  They acknowledge to the
 * key server, which says the share in what it sends next; a registration is how to
 * ask, less often each time.
 */
static uint64_t
share_due(const struct gm_group *group)
{
	if (registering(group) || !gm_tek_undelivered(group->keys))
		return GK_NEVER;
	return group->share_wait_ms == 0 ? 0 : group->share_at;
}

static enum gk_err
shares(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	bool first = group->share_wait_ms == 0;

	if (!gm_tek_undelivered(group->keys)) {
		group->share_wait_ms = 0;
		return GK_OK;
	}
	if (share_due(group) > now.mono_ms)
		return GK_OK;
	group->share_wait_ms =
		first ? gm->cfg.backoff_ms : 2 * group->share_wait_ms;
	if (group->share_wait_ms > gm->cfg.backoff_max_ms)
		group->share_wait_ms = gm->cfg.backoff_max_ms;
	group->share_at = now.mono_ms + group->share_wait_ms;
	return first ? GK_OK : gm_register_soon(gm, group, NULL, now);
}

/* RFC6407-4.4-06: none of the update arrays was for us. */
static enum gk_err
no_path(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	if (gm_path_by(group) > now.mono_ms)
		return GK_OK;
	GK_TRY(gm_tell(gm, group, GDOI_OUT_EVICTED,
	               "no update array was for us"));
	GK_TRY(gm_register_soon(gm, group, "no update array was for us", now));
	group->keys->path_by = GK_NEVER;
	group->keys->awaiting = false;
	return GK_OK;
}

/* A Rekey SA whose time is over. */
static enum gk_err
rekey_sas(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_keys *keys = group->keys;
	bool old =
		keys->old.kek != NULL && (keys->old_until <= now.mono_ms ||
	                                  keys->old.expires_at <= now.mono_ms);
	bool current = keys->rekey.kek != NULL &&
	               keys->rekey.expires_at <= now.mono_ms;
	enum gk_err err;

	if (!old && !current)
		return GK_OK;
	keys = gm_keys_copy(group->keys);
	if (keys == NULL)
		return GK_ERR_NOMEM;
	if (old) {
		gm_rekey_drop(&keys->old);
		keys->old_until = GK_NEVER;
	}
	if (current)
		gm_rekey_drop(&keys->rekey);
	err = gm_report(gm, group, group->keys, keys);
	if (err != GK_OK) {
		gm_keys_free(keys);
		return err;
	}
	gm_replace(group, keys);
	GK_TRY(gm_out_of_keys(gm, group, now));
	return current ? gm_register_soon(gm, group,
	                                  group->joined
	                                          ? "the Rekey SA has expired"
	                                          : NULL,
	                                  now)
	               : GK_OK;
}

enum gk_err
gm_register_tick(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	GK_TRY(no_path(gm, group, now));
	GK_TRY(rekey_sas(gm, group, now));
	GK_TRY(lifetimes(gm, group, now));
	GK_TRY(shares(gm, group, now));
	GK_TRY(gm_early_tick(gm, group, now));
	GK_TRY(suspicion(gm, group, now));
	GK_TRY(go_on(gm, group, now));
	return timer(gm, group, now);
}

uint64_t
gm_register_deadline(const struct gdoi_gm *gm, const struct gm_group *group)
{
	const struct gm_keys *keys = group->keys;
	const uint64_t all[] = {
		group->register_at,
		group->suspicion_at,
		group->strange_by,
		gm_path_by(group),
		keys->old.kek != NULL ? keys->old_until : GK_NEVER,
		keys->old.kek != NULL ? keys->old.expires_at : GK_NEVER,
		keys->rekey.kek != NULL ? keys->rekey.expires_at : GK_NEVER,
		registering(group) ? GK_NEVER : gm_due(gm, group),
		share_due(group),
		is_stranded(gm, group) ? 0 : GK_NEVER,
	};
	uint64_t at = GK_NEVER;

	for (size_t i = 0; i < GK_COUNT(all); i++)
		if (all[i] < at)
			at = all[i];
	return at;
}

/* ---- how it ended ------------------------------------------------------- */

static enum gk_err
give_up(struct gdoi_gm *gm, struct gm_group *group, const char *text,
        const struct isakmp_reject *why)
{
	struct gdoi_output *out = gm_say(gm, group, GDOI_OUT_LEFT, text);

	group->state = GDOI_GM_FAILED;
	group->joined = false;
	if (out == NULL)
		return GK_ERR_NOMEM;
	if (why != NULL)
		out->why = *why;
	return gdoi_outputs_own(&gm->out);
}

/* Who has keys uses them as long as they live, and goes on trying. */
static bool
given_up(const struct gdoi_gm *gm, const struct gm_group *group)
{
	return gm->cfg.register_max != 0 && !has_keys(group) &&
	       group->failures >= gm->cfg.register_max;
}

/* Between two rounds that fail, the state says so.  A key that did not live until
 * gm_due() lets it ask has left nothing behind that would ask. */
enum gk_err
gm_out_of_keys(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gdoi_output *out;

	if (!group->joined || has_keys(group))
		return GK_OK;
	if (given_up(gm, group) && group->register_at != GK_NEVER) {
		group->register_at = GK_NEVER;
		return give_up(gm, group, "the last key has expired",
		               &group->why);
	}
	group->joined = false;
	if (group->state == GDOI_GM_REREGISTERING ||
	    group->state == GDOI_GM_MEMBER)
		set_waiting(group);
	out = gm_say(gm, group, GDOI_OUT_LEFT, "the last key has expired");
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->why = group->why;
	GK_TRY(gdoi_outputs_own(&gm->out));
	return gm_register_soon(gm, group, NULL, now);
}

/* The list has been gone through. */
static enum gk_err
round_over(struct gdoi_gm *gm, struct gm_group *group, const char *text,
           const struct isakmp_reject *why, struct gk_now now)
{
	group->wanted = false;
	group->servers_tried = 0;
	group->failures++;
	if (given_up(gm, group))
		return give_up(gm, group, text, why);
	GK_TRY(wait_at_random(gm, group, now));
	group->bound_ms = group->bound_ms > gm->cfg.backoff_max_ms / 2
	                          ? gm->cfg.backoff_max_ms
	                          : 2 * group->bound_ms;
	return GK_OK;
}

enum gk_err
gm_register_missed(struct gdoi_gm *gm, struct gm_group *group, const char *text,
                   const struct isakmp_reject *why, struct gk_now now)
{
	gm_pull_clear(group);
	group->failure = text != NULL ? text : "no answer";
	group->why = why != NULL ? *why : (struct isakmp_reject){ 0 };
	group->failed_utc = now.utc_s;
	group->refused_us = group->turned_away;
	group->turned_away = false;
	group->servers_tried++;
	if (group->servers_tried >= gm->cfg.n_servers)
		return round_over(gm, group, text, why, now);
	group->wanted = true;
	return GK_OK;
}

enum gk_err
gm_register_failed(struct gdoi_gm *gm, struct gm_group *group, const char *text,
                   const struct isakmp_reject *why, struct gk_now now)
{
	gm_pull_clear(group);
	/* RFC 6407 section 3.3: phase 1 is torn down, with a Delete. */
	group->wanted = true;
	return gm_server_leave(gm, group, text, why, now);
}

enum gk_err
gm_registered(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gk_identity peer = ike_peer(gm->ike);
	struct gdoi_output *out;

	gm_pull_clear(group);
	gk_buf_free(&group->registrar);
	group->registrar_kind = GK_ID_NONE;
	GK_TRY(gk_buf_copy(&group->registrar, peer.octets));
	group->registrar_kind = peer.kind;
	group->registrar_at = gm->cfg.server[gm->server];
	group->state = GDOI_GM_MEMBER;
	group->failures = 0;
	group->failure = NULL;
	group->why = (struct isakmp_reject){ 0 };
	group->refused_us = group->turned_away = false;
	group->servers_tried = 0;
	group->bound_ms = gm->cfg.backoff_ms;
	group->register_at = group->suspicion_at = GK_NEVER;
	group->registered_utc = now.utc_s;
	group->quiet_until = now.mono_ms + gm->cfg.backoff_ms;
	group->joined = true;
	out = gm_say(gm, group, GDOI_OUT_JOINED, NULL);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->peer = gk_slice_str(gm->peer);
	return gdoi_outputs_own(&gm->out);
}
