/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/sgcks.h"

#include <limits.h>
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/payload/notification.h"

struct gsakmp_sgcks {
	const struct gk_env *env;
	struct gsakmp_sgcks_config cfg;
	struct gsakmp_gm *gm;
	bool started; /* a membership is wanted */
	bool serving;
	bool gone;       /* there is nothing to come back to */
	const char *why; /* not serving */
	uint64_t retry_at;
	uint64_t settle_at; /* the group could not follow: try again */
	int64_t heard_utc;
	struct gsakmp_policy *judged; /* for which these two hold */
	bool named;                   /* it names us a subordinate */
	bool able;                    /* our key makes its signatures */
	struct gsakmp_outputs out;
};

#define SETTLE_MS 1000

/* ---- life --------------------------------------------------------------- */

struct gsakmp_sgcks *
gsakmp_sgcks_new(const struct gk_env *env,
                 const struct gsakmp_sgcks_config *cfg)
{
	struct gsakmp_sgcks *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->env = env;
	s->cfg = *cfg;
	if (s->cfg.retry_ms == 0)
		s->cfg.retry_ms = 15000;
	/* RFC4535-4.1.4-02; and nobody gives up for the members behind us. */
	s->cfg.gm.primary_only = true;
	s->cfg.gm.rejoin_max = UINT_MAX;
	/* What is missing may have been a token, and we enforce it. */
	s->cfg.gm.gap_rejoin = true;
	s->retry_at = s->settle_at = GK_NEVER;
	s->why = "no policy token yet";
	s->gm = gsakmp_gm_new(env, &s->cfg.gm);
	if (s->gm == NULL) {
		free(s);
		return NULL;
	}
	gsakmp_group_pause(cfg->group, true);
	return s;
}

void
gsakmp_sgcks_free(struct gsakmp_sgcks *s)
{
	if (s == NULL)
		return;
	gsakmp_policy_unref(s->judged);
	gsakmp_gm_free(s->gm);
	gk_queue_free(&s->out.items);
	free(s);
}

struct gsakmp_gm *
gsakmp_sgcks_gm(struct gsakmp_sgcks *s)
{
	return s->gm;
}

enum gk_err
gsakmp_sgcks_load(struct gsakmp_sgcks *s, const char *table,
                  struct gk_slice key, struct gk_slice value)
{
	return gsakmp_gm_load(s->gm, table, key, value);
}

void
gsakmp_sgcks_set_party(struct gsakmp_sgcks *s, const struct gsakmp_party *party)
{
	gsakmp_gm_set_party(s->gm, party);
	/* A path that looked good may not any more. */
	gsakmp_policy_unref(s->judged);
	s->judged = NULL;
}

bool
gsakmp_sgcks_poll(struct gsakmp_sgcks *s, struct gsakmp_output *out)
{
	return gsakmp_outputs_poll(&s->out, out) || gsakmp_gm_poll(s->gm, out);
}

void
gsakmp_sgcks_commit_failed(struct gsakmp_sgcks *s, struct gk_now now)
{
	gsakmp_gm_commit_failed(s->gm, now);
}

static enum gk_err
say(struct gsakmp_sgcks *s, enum gsakmp_output_kind kind, const char *req)
{
	struct gsakmp_output *out = gsakmp_outputs_add(&s->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = s->cfg.gm.group_id;
	if (kind == GSAKMP_OUT_SUSPENDED) {
		out->text = s->why;
		out->why.req = req;
	}
	return gsakmp_outputs_own(&s->out);
}

/* ---- may we serve? ------------------------------------------------------ */

static enum gk_err
serve(struct gsakmp_sgcks *s)
{
	if (s->serving)
		return GK_OK;
	s->serving = true;
	s->why = NULL;
	gsakmp_group_pause(s->cfg.group, false);
	return say(s, GSAKMP_OUT_SERVING, NULL);
}

static enum gk_err
suspend(struct gsakmp_sgcks *s, const char *req, const char *why)
{
	bool news = s->serving || s->why != why;

	s->serving = false;
	s->why = why;
	gsakmp_group_pause(s->cfg.group, true);
	return news ? say(s, GSAKMP_OUT_SUSPENDED, req) : GK_OK;
}

/* Not a member any more: what the group holds is not ours to hand out. */
static enum gk_err
disown(struct gsakmp_sgcks *s, const char *req, const char *why)
{
	GK_TRY(suspend(s, req, why));
	return gsakmp_group_disown(s->cfg.group, true);
}

/* RFC4535-4.4.6-02: the token's half; the configuration's is that we exist.  And
 * RFC4534-2-11: a member needs no key that makes the signatures of a Rekey Event, who
 * serves some does. */
static bool
judge(struct gsakmp_sgcks *s, struct gsakmp_policy *policy, struct gk_now now)
{
	if (s->judged == policy)
		return s->named && s->able;
	gsakmp_policy_unref(s->judged);
	s->judged = gsakmp_policy_ref(policy);
	s->named = gsakmp_gm_subordinate(s->gm, policy, now.utc_s) ||
	           !GK_CHECKED("RFC4535-4.4.6-02");
	s->able = gsakmp_policy_signs(policy, &s->cfg.group->dialect,
	                              s->gm->cfg.party.signer) ||
	          !GK_CHECKED("RFC4534-2-11");
	return s->named && s->able;
}

static enum gk_err
not_allowed(struct gsakmp_sgcks *s)
{
	if (!s->named)
		return suspend(s, "RFC4535-4.4.6-02",
		               "the policy token does not name us a "
		               "subordinate GC/KS");
	return suspend(s, "RFC4534-2-11",
	               "our key cannot make signatures of the policy token");
}

/* The policy of the group as it was stored; a reference, or NULL. */
static struct gsakmp_policy *
group_policy(struct gsakmp_group *g)
{
	struct gsakmp_policy *p = NULL;

	pthread_mutex_lock(&g->lock);
	if (g->phase == GSAKMP_GROUP_OPEN)
		p = gsakmp_policy_ref(g->policy);
	pthread_mutex_unlock(&g->lock);
	return p;
}

/* ---- the two states ------------------------------------------------------ */

static bool
is_member(const struct gsakmp_gm *gm)
{
	return gm->policy != NULL && (gm->state == GSAKMP_GM_MEMBER ||
	                              gm->state == GSAKMP_GM_REJOINING);
}

static enum gk_err
report_expelled(struct gsakmp_sgcks *s, struct gk_now now)
{
	const struct gsakmp_vocabulary plain = { 0 };
	struct gk_buf peer = { 0 }, octets = { 0 };
	struct gsakmp_expulsion who;
	struct gsakmp_reject why;
	enum gk_err err;

	if (s->gm->state != GSAKMP_GM_MEMBER || gsakmp_gm_expelling(s->gm) ||
	    gsakmp_group_expelled_next(s->cfg.group, now, &peer, &octets) !=
	            GK_OK)
		return GK_OK;
	err = gsakmp_expulsion_decode(gk_buf_slice(&octets), 0, &plain, &who,
	                              &why);
	if (err == GK_OK)
		err = gsakmp_gm_expel(s->gm, gk_buf_slice(&peer), &who, now);
	gk_buf_free(&peer);
	gk_buf_free(&octets);
	/* A token without de-registration: the next rekey has to do. */
	return err == GK_ERR_POLICY ? GK_OK : err;
}

static enum gk_err
reconcile(struct gsakmp_sgcks *s, struct gk_now now)
{
	struct gsakmp_gm *gm = s->gm;
	enum gk_err err;

	if (!s->started || !is_member(gm))
		return GK_OK;
	if (!judge(s, gm->policy, now))
		return not_allowed(s);
	s->settle_at = GK_NEVER;
	err = gsakmp_group_relay(s->cfg.group, gm->policy, gm->gtpk,
	                         gm->n_gtpks, now);
	if (err == GK_ERR_POLICY)
		return suspend(s, "RFC4535-4.4.3-02",
		               "members could not follow the policy token");
	if (err == GK_ERR_VALUE)
		return suspend(s, "RFC4535-7.4.1.1-06",
		               "the primary has another key under the handle "
		               "of the one in force");
	if (err != GK_OK) {
		s->settle_at = now.mono_ms + SETTLE_MS;
		return err;
	}
	GK_TRY(gsakmp_group_disown(s->cfg.group, false));
	GK_TRY(serve(s));
	return report_expelled(s, now);
}

/* ---- the primary --------------------------------------------------------- */

static enum gk_err
try_again(struct gsakmp_sgcks *s, struct gk_now now)
{
	uint32_t r;

	GK_TRY(s->env->random(s->env->ctx, (uint8_t *)&r, sizeof(r)));
	s->retry_at = now.mono_ms + s->cfg.retry_ms / 2 + r % s->cfg.retry_ms;
	return GK_OK;
}

/* Out of the primary's group, for whatever reason the engine has. */
static enum gk_err
left(struct gsakmp_sgcks *s, struct gk_now now)
{
	if (!s->started)
		return suspend(s, NULL, "left the primary's group");
	if (s->gone)
		return GK_OK;
	/* It did not answer, or not well: the members behind us are served
	 * with what there is. */
	return try_again(s, now);
}

enum gk_err
gsakmp_sgcks_act(struct gsakmp_sgcks *s, const struct gsakmp_output *out,
                 struct gk_now now)
{
	switch (out->kind) {
	case GSAKMP_OUT_JOINED:
	case GSAKMP_OUT_REKEYED:
		s->heard_utc = now.utc_s;
		return reconcile(s, now);
	case GSAKMP_OUT_DESTROYED:
		s->gone = true;
		GK_TRY(suspend(s, NULL, "the group was destroyed"));
		return gsakmp_group_destroy(s->cfg.group, now);
	case GSAKMP_OUT_EVICTED:
		s->gone = true;
		return disown(s, "RFC4535-5.3.2.1-02",
		              "excluded by the policy token");
	case GSAKMP_OUT_LEFT:
		return left(s, now);
	case GSAKMP_OUT_EXPULSION_ACCEPTED:
	case GSAKMP_OUT_EXPULSION_REFUSED:
		s->heard_utc = now.utc_s;
		gsakmp_group_expelled_answer(
			s->cfg.group, out->peer,
			out->kind == GSAKMP_OUT_EXPULSION_ACCEPTED);
		return report_expelled(s, now);
	default:
		return GK_OK;
	}
}

enum gk_err
gsakmp_sgcks_start(struct gsakmp_sgcks *s, struct gk_now now)
{
	struct gsakmp_policy *p = group_policy(s->cfg.group);
	bool allowed = p != NULL && judge(s, p, now);

	s->started = true;
	s->gone = false;
	gsakmp_policy_unref(p);
	if (p != NULL && gsakmp_group_disowned(s->cfg.group))
		GK_TRY(suspend(s, NULL, "not a member of the primary's group"));
	else if (allowed)
		GK_TRY(serve(s));
	else if (p != NULL)
		GK_TRY(not_allowed(s));
	s->retry_at = GK_NEVER;
	return gsakmp_gm_join(s->gm, now);
}

enum gk_err
gsakmp_sgcks_leave(struct gsakmp_sgcks *s, struct gk_now now)
{
	enum gk_err err;

	s->started = false;
	s->retry_at = GK_NEVER;
	GK_TRY(disown(s, NULL, "left on command"));
	err = gsakmp_gm_leave(s->gm, true, now);
	if (err != GK_OK)
		err = gsakmp_gm_leave(s->gm, false, now);
	/* Without a membership there is nothing to leave. */
	return err == GK_ERR_UNEXPECTED ? GK_OK : err;
}

enum gk_err
gsakmp_sgcks_revocations(struct gsakmp_sgcks *s, struct gk_now now)
{
	bool member = is_member(s->gm);

	GK_TRY(gsakmp_gm_revocations(s->gm, now));
	if (!member || is_member(s->gm))
		return GK_OK;
	/* RFC4535-3.1-06: the group has no owner any more. */
	s->gone = true;
	return disown(s, "RFC4535-3.1-06",
	              "the Group Owner's certificate is revoked");
}

enum gk_err
gsakmp_sgcks_receive(struct gsakmp_sgcks *s, const uint8_t *dgram, size_t len,
                     const struct gsakmp_endpoint *from, struct gk_now now)
{
	return gsakmp_gm_receive(s->gm, dgram, len, from, now);
}

enum gk_err
gsakmp_sgcks_tick(struct gsakmp_sgcks *s, struct gk_now now)
{
	GK_TRY(gsakmp_gm_tick(s->gm, now));
	if (s->retry_at <= now.mono_ms) {
		GK_TRY(try_again(s, now)); /* should it fail right here */
		GK_TRY(gsakmp_gm_join(s->gm, now));
		s->retry_at = GK_NEVER;
	}
	return reconcile(s, now);
}

uint64_t
gsakmp_sgcks_deadline(const struct gsakmp_sgcks *s)
{
	uint64_t at = gsakmp_gm_deadline(s->gm);

	if (s->retry_at < at)
		at = s->retry_at;
	if (s->settle_at < at)
		at = s->settle_at;
	if (s->serving && s->gm->state == GSAKMP_GM_MEMBER &&
	    !gsakmp_gm_expelling(s->gm)) {
		uint64_t due = gsakmp_group_expelled_due(s->cfg.group);

		if (due < at)
			at = due;
	}
	return at;
}

void
gsakmp_sgcks_status(const struct gsakmp_sgcks *s,
                    struct gsakmp_sgcks_status *out)
{
	struct gsakmp_group_status group;

	*out = (struct gsakmp_sgcks_status){ .serving = s->serving,
		                             .why = s->why,
		                             .heard_utc = s->heard_utc };
	gsakmp_gm_status(s->gm, &out->gm);
	gsakmp_group_status(s->cfg.group, &group);
	out->in_step = s->serving && out->gm.state == GSAKMP_GM_MEMBER &&
	               group.gtpk.handle == out->gm.gtpk.handle &&
	               group.edition == out->gm.edition;
}
