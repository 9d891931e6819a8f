/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_rekey.h"

/*
 * Rekey Event at the member: RFC 4535 sections 5.3.1 and 7.5.2.
 *
 * Nothing is answered, whatever happens.  All work is done on copies of the
 * keys; the engine changes when the whole message has been gone through.
 * Decision "atomicity": a Rekey Event Data is decoded whole before any of its
 * keys is used, then each Key Package stands or falls for itself; a bad one is
 * reported, and keeps a policy token of the same message from being processed.
 */
/* ---- authentication ----------------------------------------------------- */

static enum gk_err
unauthorized(struct gsakmp_gm_input *in)
{
	if (!GK_CHECKED("RFC4534-B.5.1-01", "RFC4534-3-08"))
		return GK_ERR_POLICY;
	return gsakmp_in_refuse(
		in, GK_ERR_POLICY, GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
		"RFC4534-B.5.1-01", "Signer ID Data", in->msg->signature.at);
}

/* RFC4534-B.5.1-01; an authorised subordinate speaks to its own sub-group. */
static bool
may_rekey(const struct gsakmp_gm_input *in, bool by_name)
{
	const struct gsakmp_policy *p = in->gm->policy;
	const struct gpt_party *who = &in->signer.party;
	struct gpt_verdict rekey, sub;

	return gpt_access_rekey(p->rekey, who, &rekey) ||
	       (by_name && rekey.reason == GPT_ACCESS_OTHER_CA) ||
	       (p->rekey->scheme == GPT_SCHEME_AUTONOMOUS &&
	        (gpt_access_sub_gcks(p->reg, p->rekey, who, &sub) ||
	         (by_name && sub.reason == GPT_ACCESS_OTHER_CA)));
}

/* In a group with subordinates every key server has a key tree of its own, and
 * the ids of their keys are the same: RFC 4535 section 4.4.7. */
static bool
from_another(const struct gsakmp_gm_input *in)
{
	const struct gsakmp_gm *gm = in->gm;

	return gm->policy->rekey->scheme == GPT_SCHEME_AUTONOMOUS &&
	       !gk_slice_equal(gk_buf_slice(&in->signer.key),
	                       gk_buf_slice(&gm->gcks_key));
}

/* Cheap things first: name and Sequence ID, then path and signature. */
static enum gk_err
authenticate(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gsakmp_verify v;

	if (gm->policy->rekey == NULL)
		return unauthorized(in);
	v = gsakmp_in_verify(in, gm->policy->rekey_sig);
	gsakmp_signer_name(in->msg, &in->signer);
	if (!may_rekey(in, true))
		return unauthorized(in);
	GK_TRY(gsakmp_signer_find(&v, in->msg, &in->signer, &in->why));
	if (from_another(in))
		GK_TRY(gsakmp_gm_other_server(in));
	/* RFC4535-7.1.1-13, RFC4535-7.1.2-09 */
	if (in->msg->header.sequence <=
	            gsakmp_gm_last_sequence(gm,
	                                    gk_buf_slice(&in->signer.key)) &&
	    !gm->ahead.again && /* it was looked at when it came */
	    GK_CHECKED("RFC4535-7.1.2-09", "RFC4535-7.1.1-13",
	               "RFC4535-7.1.2-10"))
		return gsakmp_in_refuse(
			in, GK_ERR_REPLAY, GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
			"RFC4535-7.1.2-09", "Sequence ID",
			in->msg->header.at + in->msg->header.size - 8);
	GK_TRY(gsakmp_signer_path(&v, in->msg, &in->signer, &in->why));
	if (!may_rekey(in, false))
		return unauthorized(in);
	/* RFC4535-5.3.1.1-02, -03 */
	return gsakmp_signer_check(&v, in->msg, &in->signer, &in->why);
}

/* RFC4535-7.5.2-04: local configuration decides whether that is looked at. */
static enum gk_err
check_recent(struct gsakmp_gm_input *in)
{
	uint32_t age = in->gm->cfg.rekey_max_age_s;

	for (size_t i = 0; age != 0 && i < in->msg->n_rekey_events; i++) {
		const struct gsakmp_rekey_event *e = &in->msg->rekey_event[i];

		if (!gsakmp_time_fresh(
			    (struct gk_slice){ e->stamp, GK_ZULU_LEN },
			    in->now.utc_s, age) &&
		    GK_CHECKED("RFC4535-7.5.2-04"))
			return gsakmp_in_refuse(
				in, GK_ERR_REPLAY,
				gsakmp_notify_freshness(&in->gm->dialect),
				"RFC4535-7.5.2-04", "Time/Date Stamp", e->at);
	}
	return GK_OK;
}

/* ---- policy token ------------------------------------------------------- */

/* RFC4535-5.3.1.1-05: under the GTPK that was in force before. */
static enum gk_err
open_token(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;
	const struct gsakmp_policy_token *t = &r->in->msg->policy_token;
	const struct gk_traffic_key *k = &gm->gtpk[0];
	const struct gsakmp_policy_args args = { .party = &gm->cfg.party,
		                                 .dialect = &gm->dialect,
		                                 .group_id_type =
		                                         gm->cfg.group_id_type,
		                                 .group_id = gm->cfg.group_id,
		                                 .last = &gm->seen,
		                                 .legacy_ok = gm->cfg.legacy_ok,
		                                 .way = gsakmp_gm_way(gm) };
	struct gsakmp_wrapping with;
	struct gk_buf plain = { 0 };
	enum gk_err err;

	if (gm->dialect.pt_rekey_key == GSAKMP_PT_REKEY_KEY_NEW_GTPK)
		k = &r->gtpk[0];
	with = (struct gsakmp_wrapping){ .type = (uint16_t)k->type,
		                         .id = k->id,
		                         .handle = k->handle,
		                         .key = { k->octets, k->len } };
	err = gsakmp_rekey_token_open(&gm->dialect, &with, t->type, t->data,
	                              &plain, &r->in->why);
	if (err == GK_ERR_AUTH || err == GK_ERR_VALUE) {
		/* Sealed under a GTPK that we never had: a rekey was lost.  The
		 * keys are good all the same; the token is fetched by a new
		 * registration. */
		gsakmp_gm_rekey_bad(r);
		r->token_lost = true;
		gk_buf_free(&plain);
		return GK_OK;
	}
	if (err == GK_OK)
		err = gsakmp_policy_new(&args, gk_buf_slice(&plain), r->in->now,
		                        &r->policy, &r->in->why);
	gk_buf_free(&plain);
	GK_TRY(err);
	/* The new policy still has to know who just spoke. */
	if (!gpt_access_gcks(r->policy->reg, &r->in->signer.party, NULL) &&
	    !gpt_access_sub_gcks(r->policy->reg, r->policy->rekey,
	                         &r->in->signer.party, NULL))
		return unauthorized(r->in);
	return GK_OK;
}

/* ---- the step ----------------------------------------------------------- */

enum gk_err
gsakmp_gm_token_out(struct gsakmp_gm *gm)
{
	struct gsakmp_output *out =
		gsakmp_outputs_add(&gm->out, GSAKMP_OUT_TOKEN);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->token = gk_buf_slice(&gm->policy->signed_der);
	out->edition = -1;
	if (gm->policy->v.token->has_edition)
		out->edition = gm->policy->v.token->edition;
	out->place = gk_slice_str(gm->policy->unknown);
	return gsakmp_outputs_own(&gm->out);
}

static enum gk_err
switch_gtpks(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;

	for (size_t i = 0; i < gm->n_gtpks; i++) {
		if (gm->gtpk[i].handle == r->gtpk[i].handle)
			continue;
		if (gm->old[i].len != 0)
			GK_TRY(gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_WIPE,
			                         &gm->old[i]));
		gm->old[i] = gm->gtpk[i];
		gm->gtpk[i] = r->gtpk[i];
		GK_TRY(gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_INSTALL,
		                         &gm->gtpk[i]));
		gm->grace_ends = r->in->now.mono_ms + gm->cfg.grace_ms;
	}
	return GK_OK;
}

/*
 * A message with keys, none of them for us.  Either we have been left out, or
 * an earlier message was lost.  It is no sign of either
 *
 *   - when it is older than the key that we hold: events of before our join;
 *   - when it announces our own join, whose keys came with the Key Download:
 *     the first message after a join;
 *   - when it goes on with an event that was too long for one message: the same
 *     second, the next Sequence ID;
 *
 * and our keys may still be in the next message of the same event.
 */
static void
passed_by(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;
	uint32_t sequence = r->in->msg->header.sequence;
	const uint8_t *stamp = r->in->msg->rekey_event[0].stamp;
	bool first = gm->tolerate;
	int64_t utc;
	bool goes_on = sequence == gm->opened_sequence + 1 &&
	               memcmp(gm->opened_stamp, stamp, GK_ZULU_LEN) == 0;

	if (gk_zulu_parse((struct gk_slice){ stamp, GK_ZULU_LEN }, &utc) ==
	            GK_OK &&
	    utc < gm->gtpk[0].created)
		return;
	gm->tolerate = false;
	if (goes_on)
		gm->opened_sequence = sequence;
	if (!first && !goes_on && gm->missed_at == GK_NEVER)
		gm->missed_at = r->in->now.mono_ms + gm->cfg.missed_ms;
}

static void
was_for_us(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;

	gm->tolerate = false;
	if (r->opened == 0)
		return;
	gm->opened_sequence = r->in->msg->header.sequence;
	memcpy(gm->opened_stamp, r->in->msg->rekey_event[0].stamp, GK_ZULU_LEN);
}

static enum gk_err
report(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;
	struct gsakmp_output *out;

	if (r->bad != r->old)
		GK_TRY(gsakmp_out_refused(
			&gm->out, gm->cfg.group_id, r->in->dgram, r->in->from,
			gk_buf_slice(&r->in->signer.key), &r->first_bad));
	out = gsakmp_outputs_add(&gm->out, GSAKMP_OUT_REKEYED);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->sequence = r->in->msg->header.sequence;
	return gsakmp_outputs_own(&gm->out);
}

static enum gk_err
save(struct gsakmp_gm_rekey *r)
{
	struct gk_slice gcks = gk_buf_slice(&r->in->signer.key);
	struct gsakmp_gm *gm = r->in->gm;
	uint32_t sequence = r->in->msg->header.sequence;

	/* A copy is not the last that was taken: it does not go back. */
	if (sequence > gsakmp_gm_last_sequence(gm, gcks))
		GK_TRY(gsakmp_gm_save_sequence(gm, gcks, sequence));
	GK_TRY(gsakmp_gm_follow(r->in));
	if (gm->cfg.receive_only)
		GK_TRY(gsakmp_gm_push_note(r->in));
	return r->policy != NULL ? gsakmp_gm_save_token(gm, &r->policy->v.seen)
	                         : GK_OK;
}

static enum gk_err
take_token(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;

	if (r->policy == NULL || r->policy->v.identical)
		return GK_OK;
	gsakmp_policy_unref(gm->policy);
	gm->policy = gsakmp_policy_ref(r->policy);
	gsakmp_gm_speech(gm, r->in->now.utc_s);
	return gsakmp_gm_token_out(gm);
}

static enum gk_err
take_over(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;
	struct gk_lkh_member keks;

	GK_TRY(gsakmp_gm_undo_begin(r->in));
	GK_TRY(save(r));
	GK_TRY(gsakmp_gm_commit(gm));
	keks = gm->keks;
	gm->keks = r->keks;
	r->keks = keks; /* the old ones are freed with the work space */
	GK_TRY(switch_gtpks(r));
	GK_TRY(take_token(r));
	if (r->n_datas != 0 && r->opened == 0) {
		passed_by(r);
	} else {
		was_for_us(r);
		gsakmp_gm_clocks(gm, r->in->now);
		/* Nobody else will tell it that it is in step again. */
		if (gm->cfg.receive_only && r->opened != 0)
			gsakmp_gm_enter(gm, GSAKMP_GM_EV_PUSHED);
	}
	/* The next key does not make up for it; a newer token does, as that is
	 * the whole policy. */
	if (r->policy != NULL)
		gm->token_at = GK_NEVER;
	else if ((r->token_lost || (r->gap && gm->cfg.gap_rejoin)) &&
	         gm->token_at == GK_NEVER)
		gm->token_at = r->in->now.mono_ms + gm->cfg.missed_ms;
	return report(r);
}

/* Whoever has to go goes at once, whatever the store says. */
static enum gk_err
evicted(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;

	GK_TRY(save(r));
	GK_TRY(take_token(r));
	GK_TRY(report(r));
	GK_TRY(gsakmp_gm_out(gm, GSAKMP_OUT_EVICTED, NULL,
	                     "excluded by the policy token"));
	return gsakmp_gm_commit(gm);
}

/* RFC4535-5.3.1.3-02, RFC4535-7.1.1-14 */
static enum gk_err
destroyed(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;

	GK_TRY(gsakmp_gm_save_sequence(gm, gk_buf_slice(&in->signer.key),
	                               GSAKMP_SEQUENCE_DESTROY));
	GK_TRY(gsakmp_gm_out(gm, GSAKMP_OUT_DESTROYED, NULL,
	                     "the group was destroyed"));
	return gsakmp_gm_commit(gm);
}

static enum gk_err
process(struct gsakmp_gm_rekey *r)
{
	struct gsakmp_gm *gm = r->in->gm;

	GK_TRY(gk_lkh_member_copy(&r->keks, &gm->keks));
	memcpy(r->gtpk, gm->gtpk, sizeof(r->gtpk));
	GK_TRY(gsakmp_gm_packages(r));
	/* RFC4535-5.3.1.2-02: only when nothing else was wrong. */
	if (gsakmp_message_has(r->in->msg, GSAKMP_PAYLOAD_POLICY_TOKEN) &&
	    (r->bad == 0 || !GK_CHECKED("RFC4535-5.3.1.2-02")))
		GK_TRY(open_token(r));
	if (gsakmp_gm_covered(r))
		return GK_OK;
	return r->policy != NULL && gsakmp_gm_excluded(gm, r->policy,
	                                               r->in->now.utc_s)
	               ? evicted(r)
	               : take_over(r);
}

enum gk_err
gsakmp_gm_rekey(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm_rekey r = { .in = in };
	size_t who;
	bool early;
	enum gk_err err;

	GK_TRY(authenticate(in));
	GK_TRY(check_recent(in));
	if (in->msg->header.sequence == GSAKMP_SEQUENCE_DESTROY)
		return destroyed(in);
	if (from_another(in))
		return gsakmp_gm_heard_primary(in);
	GK_TRY(gsakmp_gm_keep_copy(in));
	if (gsakmp_gm_must_wait(in->gm))
		return gsakmp_gm_hold(in);
	r.gap = gsakmp_gm_gap(in, &who);
	if (r.gap) {
		GK_TRY(gsakmp_gm_keep_early(in, who, &early));
		if (early)
			return GK_OK;
	}
	err = process(&r);
	gk_lkh_member_free(&r.keks);
	gk_wipe(r.gtpk, sizeof(r.gtpk));
	gsakmp_policy_unref(r.policy);
	free(r.done);
	return err;
}
