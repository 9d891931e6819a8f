/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/engine/bulletin.h"
#include "gsakmp/engine/gm_state.h"

/*
 * A member that missed a Rekey Event, in a group whose token posts them: RFC
 * 4534 section B.5.6.3.
 *
 * That one is missing shows in the Sequence ID of the next one, or when none
 * comes for the token's rekeyInterval.  The missed ones are fetched by Sequence
 * ID, one after the other, and go through gsakmp_gm_receive_one() like any
 * other; what was heard meanwhile waits its turn, because a Sequence ID never
 * goes back.  Each member draws its own delay, so that not all of them ask at
 * once; an event that was only late, or comes as a repetition, arrives in that
 * time and saves the question.  When a copy cannot be had, what was heard is
 * taken as it is, and what that leaves open is for a new registration.
 *
 * A call of the engine goes through one message at most, as there is one COMMIT
 * that may fail: the next early one waits for a tick.
 */
static struct gsakmp_gm_sequence *
whose(struct gsakmp_gm *gm)
{
	return &gm->sequence[gm->recovery.who];
}

void
gsakmp_gm_recovery_clear(struct gsakmp_gm *gm)
{
	for (size_t i = 0; i < gm->recovery.n_early; i++)
		gk_buf_free(&gm->recovery.early[i].dgram);
	gm->recovery = (struct gsakmp_gm_recovery){ .fetch_at = GK_NEVER,
		                                    .answer_by = GK_NEVER,
		                                    .step_at = GK_NEVER };
}

void
gsakmp_gm_unfollow(struct gsakmp_gm *gm)
{
	gsakmp_gm_recovery_clear(gm);
	for (size_t i = 0; i < gm->n_sequences; i++)
		gm->sequence[i].followed = 0;
}

enum gk_err
gsakmp_gm_follow(struct gsakmp_gm_input *in)
{
	const struct gsakmp_signature *sig = &in->msg->signature;
	struct gsakmp_gm *gm = in->gm;

	for (size_t i = 0; i < gm->n_sequences; i++) {
		struct gsakmp_gm_sequence *s = &gm->sequence[i];
		struct gk_buf id = { 0 };

		if (!gk_slice_equal(gk_buf_slice(&s->gcks),
		                    gk_buf_slice(&in->signer.key)))
			continue;
		GK_TRY(gk_buf_copy(&id, sig->signer_id));
		gk_buf_free(&s->signer_id);
		s->signer_id = id;
		s->id_type = sig->id_type;
		/* A copy may stand behind what came after it: gm_ahead.c. */
		if (s->followed < in->msg->header.sequence)
			s->followed = in->msg->header.sequence;
		gm->leader = i;
	}
	return GK_OK;
}

uint32_t
gsakmp_gm_fetching(const struct gsakmp_gm *gm)
{
	const struct gsakmp_gm_recovery *r = &gm->recovery;

	return r->active ? gm->sequence[r->who].followed + 1 : 0;
}

uint64_t
gsakmp_gm_recovery_clock(const struct gsakmp_gm *gm)
{
	const struct gsakmp_gm_recovery *r = &gm->recovery;
	uint64_t at = r->fetch_at < r->answer_by ? r->fetch_at : r->answer_by;

	/* While the store refuses, nothing can be gone through. */
	if (gsakmp_gm_must_wait(gm))
		return GK_NEVER;
	return r->step_at < at ? r->step_at : at;
}

/* ---- what comes before its turn ----------------------------------------- */

/* Can missed events be had at all? */
static bool
posted(const struct gsakmp_gm *gm)
{
	return gm->state == GSAKMP_GM_MEMBER && !gm->cfg.no_fetch &&
	       !gm->cfg.receive_only && gm->policy->post != NULL;
}

static enum gk_err
start(struct gsakmp_gm *gm, size_t who, const char *text, struct gk_now now)
{
	uint32_t wait;

	GK_TRY(gsakmp_gm_random_wait(gm, gm->cfg.fetch_window_ms, &wait));
	gsakmp_gm_recovery_clear(gm);
	gm->recovery.active = true;
	gm->recovery.who = who;
	gm->recovery.text = text;
	gm->recovery.fetch_at = now.mono_ms + wait;
	return GK_OK;
}

bool
gsakmp_gm_gap(const struct gsakmp_gm_input *in, size_t *who)
{
	const struct gsakmp_gm *gm = in->gm;
	uint32_t sequence = in->msg->header.sequence;

	for (size_t i = 0; i < gm->n_sequences; i++) {
		const struct gsakmp_gm_sequence *s = &gm->sequence[i];

		*who = i;
		if (gk_slice_equal(gk_buf_slice(&s->gcks),
		                   gk_buf_slice(&in->signer.key)))
			return s->followed != 0 && sequence > s->followed + 1;
	}
	return false;
}

/* In order of Sequence ID, each once.  Without room it is fetched again. */
static enum gk_err
put_early(struct gsakmp_gm_recovery *r, const struct gsakmp_gm_input *in)
{
	struct gsakmp_gm_held item = { .exchange = in->msg->header.exchange,
		                       .sequence = in->msg->header.sequence,
		                       .from = *in->from };
	size_t at = 0;

	if (r->until < item.sequence)
		r->until = item.sequence;
	while (at < r->n_early && r->early[at].sequence < item.sequence)
		at++;
	if (r->n_early == GSAKMP_GM_HELD_MAX ||
	    (at < r->n_early && r->early[at].sequence == item.sequence))
		return GK_OK;
	GK_TRY(gk_buf_copy(&item.dgram, in->dgram));
	memmove(&r->early[at + 1], &r->early[at],
	        (r->n_early - at) * sizeof(r->early[0]));
	r->early[at] = item;
	r->n_early++;
	return GK_OK;
}

enum gk_err
gsakmp_gm_keep_early(struct gsakmp_gm_input *in, size_t who, bool *early)
{
	struct gsakmp_gm *gm = in->gm;
	uint32_t sequence = in->msg->header.sequence;

	*early = false;
	if (in->arrival == GSAKMP_ARRIVAL_FORCED || !posted(gm) ||
	    (gm->recovery.active && gm->recovery.who != who) ||
	    sequence - gm->sequence[who].followed > gm->cfg.fetch_max)
		return GK_OK;
	if (!gm->recovery.active)
		GK_TRY(start(gm, who, "a Rekey Event was missed", in->now));
	*early = true;
	return put_early(&gm->recovery, in);
}

static void
drop_first(struct gsakmp_gm_recovery *r)
{
	gk_buf_free(&r->early[0].dgram);
	r->n_early--;
	memmove(&r->early[0], &r->early[1], r->n_early * sizeof(r->early[0]));
	r->early[r->n_early].dgram = (struct gk_buf){ 0 };
}

void
gsakmp_gm_recovery_look(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_recovery *r = &gm->recovery;

	if (!r->active)
		return;
	while (r->n_early > 0 && r->early[0].sequence <= whose(gm)->followed)
		drop_first(r);
	if (r->until != 0 && r->until <= whose(gm)->followed)
		gsakmp_gm_recovery_clear(gm); /* nothing is missing any more */
	else if (r->n_early > 0 &&
	         (r->forced || r->early[0].sequence == whose(gm)->followed + 1))
		r->step_at = now.mono_ms;
	else if (r->fetch_at == GK_NEVER && r->answer_by == GK_NEVER)
		r->fetch_at = now.mono_ms;
}

/* ---- fetching ----------------------------------------------------------- */

/* There is no copy: what was heard goes on; without any, we are stale. */
static enum gk_err
give_up(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_recovery *r = &gm->recovery;
	const char *text = r->text;
	/* Of an overdue rekey the copies run out when all have been read. */
	bool caught_up = r->until == 0 && r->fetched > 0;

	r->fetch_at = r->answer_by = GK_NEVER;
	if (r->n_early > 0) {
		r->forced = true;
		r->step_at = now.mono_ms;
		return GK_OK;
	}
	gsakmp_gm_recovery_clear(gm);
	return caught_up ? GK_OK : gsakmp_gm_stale(gm, text, now);
}

static enum gk_err
fetch(struct gsakmp_gm *gm, struct gk_now now)
{
	const struct gsakmp_gm_sequence *s = whose(gm);
	const struct gsakmp_post post = {
		.group_id = gm->cfg.group_id,
		.signer_type = s->id_type,
		.signer_id = gk_buf_slice(&s->signer_id),
		.sequence = s->followed + 1,
	};
	char url[GSAKMP_POST_URL_MAX];
	struct gsakmp_output *out;

	gm->recovery.fetch_at = GK_NEVER;
	if (gm->policy == NULL || gm->policy->post == NULL ||
	    gm->recovery.fetched >= gm->cfg.fetch_max ||
	    gsakmp_post_url(&post, gm->policy->post, url) != GK_OK)
		return give_up(gm, now);
	out = gsakmp_outputs_add(&gm->out, GSAKMP_OUT_FETCH);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->sequence = post.sequence;
	out->place = gk_slice_str(url);
	out->text = gm->recovery.text;
	gm->recovery.asked = post.sequence;
	gm->recovery.answer_by = now.mono_ms + gm->cfg.fetch_timeout_ms;
	return gsakmp_outputs_own(&gm->out);
}

enum gk_err
gsakmp_gm_fetched(struct gsakmp_gm *gm, uint32_t sequence,
                  const struct gk_slice *dgram, struct gk_now now)
{
	struct gsakmp_gm_recovery *r = &gm->recovery;
	enum gk_err err = GK_OK;

	/* Nobody waits for it any more, or it is not what was asked for. */
	if (!r->active || r->answer_by == GK_NEVER || sequence != r->asked)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gsakmp_gm_begin(gm));
	r->answer_by = GK_NEVER;
	/* Meanwhile it may have come by itself, and more with it; or wait for
	 * the store. */
	if (sequence > whose(gm)->followed && !gsakmp_gm_must_wait(gm)) {
		if (dgram == NULL)
			return give_up(gm, now);
		r->fetched++;
		err = gsakmp_gm_receive_one(gm, *dgram, NULL, now,
		                            GSAKMP_ARRIVAL_POSTED);
		/* Refused, or another message than the one that is missing. */
		if (r->active && sequence > whose(gm)->followed) {
			GK_TRY(give_up(gm, now));
			return err;
		}
	}
	gsakmp_gm_recovery_look(gm, now);
	return err;
}

/* ---- time --------------------------------------------------------------- */

enum gk_err
gsakmp_gm_overdue(struct gsakmp_gm *gm, const char *text, struct gk_now now)
{
	gm->overdue_at = GK_NEVER;
	if (gm->recovery.active)
		return GK_OK; /* already at it */
	if (!posted(gm) || gm->leader >= gm->n_sequences ||
	    gm->sequence[gm->leader].followed == 0)
		return gsakmp_gm_stale(gm, text, now);
	return start(gm, gm->leader, text, now);
}

/* The first of the early ones, although others may be missing in front of it.
 * A refusal is an output; it is not this tick that has failed. */
static void
step(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_recovery *r = &gm->recovery;
	enum gsakmp_arrival arrival =
		r->forced ? GSAKMP_ARRIVAL_FORCED : GSAKMP_ARRIVAL_EARLY;
	struct gsakmp_gm_held item = r->early[0];

	r->step_at = GK_NEVER;
	r->early[0].dgram = (struct gk_buf){ 0 };
	drop_first(r);
	(void)gsakmp_gm_receive_one(gm, gk_buf_slice(&item.dgram), &item.from,
	                            now, arrival);
	gk_buf_free(&item.dgram);
	if (r->active && r->forced && r->n_early == 0)
		gsakmp_gm_recovery_clear(gm);
	else
		gsakmp_gm_recovery_look(gm, now);
}

enum gk_err
gsakmp_gm_recovery_tick(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_recovery *r = &gm->recovery;

	if (gsakmp_gm_must_wait(gm))
		return GK_OK;
	if (r->step_at <= now.mono_ms) {
		step(gm, now);
		return GK_OK;
	}
	if (r->fetch_at <= now.mono_ms)
		return fetch(gm, now);
	return r->answer_by <= now.mono_ms ? give_up(gm, now) : GK_OK;
}
