/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/wire/gk_wr.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/payload/notification.h"

/*
 * A subordinate GC/KS speaks for a member that it has expelled: RFC 4535 section
 * 4.4.7, "proxies a Group Member's de-registration".
 *
 * That is the exchange of section 5.3.2.3 with our own signature, and neither
 * section says how the member is named.  Decision `expulsion`.  Our membership
 * goes on meanwhile, and so does every other exchange.
 */
#define WHO_MAX 1100 /* octets of the notification's data */

void
gsakmp_gm_expel_clear(struct gsakmp_gm *gm)
{
	gk_buf_free(&gm->expulsion.nonce_i);
	gk_buf_free(&gm->expulsion.rtd);
	gk_buf_free(&gm->expulsion.peer);
	gm->expulsion = (struct gsakmp_gm_expulsion){ .retry_at = GK_NEVER };
}

/* A Leave Group with data is nothing but the identity: it has no reason. */
static enum gk_err
build_rtd(struct gsakmp_gm *gm, struct gk_slice who, struct gk_now now)
{
	struct gsakmp_gm_rtd rtd = { .nonce_i = gk_buf_slice(
					     &gm->expulsion.nonce_i) };

	if (gm->dialect.expulsion == GSAKMP_EXPULSION_AS_LEAVE_DATA) {
		rtd.notify = GSAKMP_NOTIFY_LEAVE_GROUP;
		rtd.data = (struct gk_slice){ who.ptr + 1, who.len - 1 };
	} else {
		rtd.notify = GSAKMP_NOTIFY_EXPULSION;
		rtd.data = who;
	}
	rtd.extra = gm->dialect.expulsion == GSAKMP_EXPULSION_AS_PRIVATE;
	return gsakmp_gm_build_rtd(gm, &rtd, now, &gm->expulsion.rtd);
}

static enum gk_err
send_rtd(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_answer_by(gm, gm->cfg.rtd_timeout_ms,
	                           gm->cfg.rtd_retries -
	                                   gm->expulsion.retries_left,
	                           now, &gm->expulsion.retry_at));
	return gsakmp_gm_send(gm, gk_buf_slice(&gm->expulsion.rtd), NULL,
	                      GSAKMP_EXCHANGE_REQUEST_TO_DEPART);
}

static enum gk_err
begin(struct gsakmp_gm *gm, struct gk_slice peer,
      const struct gsakmp_expulsion *who, struct gk_now now)
{
	struct gsakmp_gm_expulsion *e = &gm->expulsion;
	uint8_t data[WHO_MAX];
	struct gk_wr wr;

	gk_wr_init(&wr, data, sizeof(data));
	gsakmp_expulsion_encode(&wr, who);
	GK_TRY(gk_wr_done(&wr));
	GK_TRY(gk_buf_copy(&e->peer, peer));
	GK_TRY(gk_buf_alloc(&e->nonce_i, GSAKMP_GM_NONCE_LEN));
	GK_TRY(gm->env->random(gm->env->ctx, e->nonce_i.ptr, e->nonce_i.len));
	GK_TRY(build_rtd(gm, (struct gk_slice){ data, wr.len }, now));
	e->retries_left = gm->cfg.rtd_retries;
	return send_rtd(gm, now);
}

enum gk_err
gsakmp_gm_expel(struct gsakmp_gm *gm, struct gk_slice peer,
                const struct gsakmp_expulsion *who, struct gk_now now)
{
	enum gk_err err;

	if (gm->state != GSAKMP_GM_MEMBER || gsakmp_gm_expelling(gm))
		return GK_ERR_UNEXPECTED;
	if (gm->policy->dereg == NULL)
		return GK_ERR_POLICY;
	err = begin(gm, peer, who, now);
	if (err != GK_OK)
		gsakmp_gm_expel_clear(gm);
	return err;
}

enum gk_err
gsakmp_gm_retry_expel(struct gsakmp_gm *gm, struct gk_now now)
{
	/* No answer.  Whoever wants the primary to know tries again. */
	if (gm->expulsion.retries_left == 0) {
		gsakmp_gm_expel_clear(gm);
		return GK_OK;
	}
	gm->expulsion.retries_left--;
	return send_rtd(gm, now);
}

/* Departure Response to it. */
enum gk_err
gsakmp_gm_expel_dr(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gk_buf peer;
	bool accepted;
	enum gk_err err;

	GK_TRY(gsakmp_gm_check_dr(in, gk_buf_slice(&gm->expulsion.nonce_i)));
	accepted = gsakmp_message_notification(
			   in->msg, GSAKMP_NOTIFY_DEPARTURE_ACCEPTED) != NULL;
	if (accepted)
		GK_TRY(gsakmp_gm_send_da(in, GSAKMP_NOTIFY_ACKNOWLEDGEMENT));
	peer = gm->expulsion.peer;
	gm->expulsion.peer = (struct gk_buf){ 0 };
	gsakmp_gm_expel_clear(gm);
	err = gsakmp_out_peer(&gm->out,
	                      accepted ? GSAKMP_OUT_EXPULSION_ACCEPTED
	                               : GSAKMP_OUT_EXPULSION_REFUSED,
	                      gm->cfg.group_id, gk_buf_slice(&peer), 0);
	gk_buf_free(&peer);
	return err;
}
