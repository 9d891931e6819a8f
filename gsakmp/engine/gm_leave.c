/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/gm_state.h"

#include "common/base/gk_check.h"

/*
 * De-registration at the member: RFC 4535 section 5.3.2.3.
 */
void
gsakmp_gm_departure_clear(struct gsakmp_gm *gm)
{
	gk_buf_free(&gm->departure.nonce_i);
	gk_buf_free(&gm->departure.rtd);
	gm->departure = (struct gsakmp_gm_departure){ 0 };
	gm->retry_at = GK_NEVER;
}

/* RFC 4534 B.3: with the mechanism the token wants for leaving.  A token that
 * comes during a departure may have none any more. */
struct gsakmp_suite
gsakmp_gm_leave_suite(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_suite suite = gm->suite;
	const struct gpt_leave_mechanism *use;

	if (gm->leave_for != gm->policy) {
		gm->leave_for = gm->policy;
		gm->leave_hash = suite.nonce_hash;
		use = gsakmp_gm_leave_mechanism(gm, now.utc_s);
		if (use != NULL)
			suite.nonce_hash = (uint16_t)use->hash_algorithm;
		if (gsakmp_suite_supported(&suite, gm->cfg.legacy_ok))
			gm->leave_hash = suite.nonce_hash;
	}
	suite.nonce_hash = gm->leave_hash;
	return suite;
}

bool
gsakmp_gm_leaves_by_stream(const struct gsakmp_gm *gm)
{
	return gm->policy != NULL && gm->policy->dereg != NULL &&
	       gm->policy->dereg->transport == GPT_TRANSPORT_TCP;
}

/* Section 5.3.2.3.1, Table 8. */
enum gk_err
gsakmp_gm_build_rtd(struct gsakmp_gm *gm, const struct gsakmp_gm_rtd *rtd,
                    struct gk_now now, struct gk_buf *out)
{
	const struct gsakmp_suite suite = gsakmp_gm_leave_suite(gm, now);
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_sign sign;
	struct gsakmp_build b;

	gsakmp_party_sign(&gm->cfg.party, suite.signature, true, now.utc_s,
	                  ders, &sign);
	gsakmp_build_begin(&b, &gm->dialect, GSAKMP_EXCHANGE_REQUEST_TO_DEPART,
	                   gsakmp_gm_groupid(gm), 0);
	gsakmp_build_identification(
		&b, gsakmp_dialect_classification(&gm->dialect),
		gm->gcks_id_type, gk_buf_slice(&gm->gcks_id));
	if (!suite.timestamp)
		gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR, rtd->nonce_i);
	gm->nonce_i_next = GSAKMP_PAYLOAD_NOTIFICATION;
	gsakmp_build_notification(&b, rtd->notify, rtd->data);
	if (rtd->extra || gsakmp_suite_extra(&suite))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, out);
}

static enum gk_err
send_rtd(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_answer_by(gm, gm->cfg.rtd_timeout_ms,
	                           gm->cfg.rtd_retries -
	                                   gm->departure.retries_left,
	                           now, &gm->retry_at));
	return gsakmp_gm_send(gm, gk_buf_slice(&gm->departure.rtd), NULL,
	                      GSAKMP_EXCHANGE_REQUEST_TO_DEPART);
}

static enum gk_err
begin(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_departure *d = &gm->departure;
	struct gsakmp_gm_rtd rtd = { .notify = GSAKMP_NOTIFY_LEAVE_GROUP };

	GK_TRY(gk_buf_alloc(&d->nonce_i, GSAKMP_GM_NONCE_LEN));
	GK_TRY(gm->env->random(gm->env->ctx, d->nonce_i.ptr, d->nonce_i.len));
	rtd.nonce_i = gk_buf_slice(&d->nonce_i);
	GK_TRY(gsakmp_gm_build_rtd(gm, &rtd, now, &d->rtd));
	d->retries_left = gm->cfg.rtd_retries;
	return send_rtd(gm, now);
}

enum gk_err
gsakmp_gm_start_depart(struct gsakmp_gm *gm, struct gk_now now)
{
	enum gk_err err;

	/* The token may know no de-registration: then leave without notice. */
	if (gm->policy->dereg == NULL)
		return GK_ERR_POLICY;
	gsakmp_gm_departure_clear(gm);
	err = begin(gm, now);
	if (err != GK_OK)
		gsakmp_gm_departure_clear(gm);
	return err;
}

enum gk_err
gsakmp_gm_retry_depart(struct gsakmp_gm *gm, struct gk_now now)
{
	/* Section 5.3.2.2: nobody needs permission to forget the keys. */
	if (gm->departure.retries_left == 0)
		return gsakmp_gm_out(gm, GSAKMP_OUT_LEFT, NULL,
		                     "left; the departure was not confirmed");
	gm->departure.retries_left--;
	return send_rtd(gm, now);
}

/* ---- Departure Response ------------------------------------------------- */

/* Section 5.3.2.3.3, Table 10. */
enum gk_err
gsakmp_gm_send_da(struct gsakmp_gm_input *in, uint16_t notify)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_suite suite = gsakmp_gm_leave_suite(gm, in->now);
	const struct gk_slice nonce_c =
		in->msg->nonce[GSAKMP_NONCE_COMBINED].data;
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gk_buf dgram = { 0 };
	struct gsakmp_sign sign;
	struct gsakmp_build b;
	enum gk_err err;

	gsakmp_party_sign(&gm->cfg.party, suite.signature, false, in->now.utc_s,
	                  ders, &sign);
	gsakmp_build_begin(&b, &gm->dialect, GSAKMP_EXCHANGE_DEPARTURE_ACK,
	                   gsakmp_gm_groupid(gm), 0);
	if (nonce_c.len != 0)
		gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED, nonce_c);
	if (notify == GSAKMP_NOTIFY_ACKNOWLEDGEMENT)
		gsakmp_build_ack(&b);
	else
		gsakmp_build_notification(&b, notify, (struct gk_slice){ 0 });
	if (gsakmp_suite_extra(&suite))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	err = gsakmp_build_finish(&b, &sign, &dgram);
	if (err == GK_OK)
		err = gsakmp_gm_send(gm, gk_buf_slice(&dgram), in->from,
		                     GSAKMP_EXCHANGE_DEPARTURE_ACK);
	gk_buf_free(&dgram);
	return err;
}

/* The checks of section 5.3.2.3.2 in their order. */
enum gk_err
gsakmp_gm_check_dr(struct gsakmp_gm_input *in, struct gk_slice nonce_i)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_suite suite = gsakmp_gm_leave_suite(gm, in->now);
	struct gsakmp_verify v = gsakmp_in_verify(in, suite.signature);

	GK_TRY(gsakmp_in_for_me(in, "RFC4535-5.3.2.3.2-10"));
	GK_TRY(gsakmp_in_fresh(in, nonce_i, "RFC4535-5.3.2.3.2-11",
	                       "RFC4535-5.3.2.3.2-12"));
	GK_TRY(gsakmp_signer_find(&v, in->msg, &in->signer, &in->why));
	/* "the GMs authorized GC/KS": the one that registered us. */
	if (!gk_slice_equal(gk_buf_slice(&in->signer.key),
	                    gk_buf_slice(&gm->gcks_key)) &&
	    GK_CHECKED("RFC4535-5.3.2.3.2-08"))
		return gsakmp_in_refuse(
			in, GK_ERR_POLICY, GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
			"RFC4535-5.3.2.3.2-08", "Signer ID Data",
			in->msg->signature.at);
	GK_TRY(gsakmp_signer_path(&v, in->msg, &in->signer, &in->why));
	GK_TRY(gsakmp_signer_check(&v, in->msg, &in->signer, &in->why));
	in->authentic = true;
	/* RFC4535-5.3.2.3.2-15: it says yes or no, or it says nothing. */
	if (gsakmp_message_notification(
		    in->msg, GSAKMP_NOTIFY_DEPARTURE_ACCEPTED) == NULL &&
	    gsakmp_message_notification(
		    in->msg, GSAKMP_NOTIFY_REQUEST_TO_DEPART_ERROR) == NULL &&
	    GK_CHECKED("RFC4535-5.3.2.3.2-15"))
		return gsakmp_in_refuse(
			in, GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-5.3.2.3.2-15", "Notification Type",
			in->msg->notification[0].at);
	return GK_OK;
}

static enum gk_err
refused(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gsakmp_output *out;

	/* RFC4535-5.3.2.3.2-17, -18: whoever still wants to leave says so. */
	if (GK_CHECKED("RFC4535-5.3.2.3.2-17"))
		gsakmp_gm_departure_clear(gm);
	if (GK_CHECKED("RFC4535-5.3.2.3.2-18"))
		gsakmp_gm_enter(gm, GSAKMP_GM_EV_STAY);
	out = gsakmp_outputs_add(&gm->out, GSAKMP_OUT_DEPART_REFUSED);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	return gsakmp_outputs_own(&gm->out);
}

enum gk_err
gsakmp_gm_dr(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	enum gk_err err;

	if (gsakmp_gm_expelling(gm) && gm->state != GSAKMP_GM_DEPARTING)
		return gsakmp_gm_expel_dr(in);
	err = gsakmp_gm_check_dr(in, gk_buf_slice(&gm->departure.nonce_i));

	if (err != GK_OK && GK_CHECKED("RFC4535-5.3.2.3.3-02")) {
		/*
		 * RFC4535-5.3.2.3.2-19 to -21, for a response that is known to
		 * come from the key server.  Any other is dropped, and the
		 * departure goes on: else one forged datagram would keep a
		 * member in the group against its will.
		 */
		if (!in->authentic)
			return err;
		GK_TRY(gsakmp_gm_send_da(in,
		                         gm->policy->dereg_terse
		                                 ? GSAKMP_NOTIFY_NACK
		                                 : (uint16_t)in->why.notify));
		if (GK_CHECKED("RFC4535-5.3.2.3.2-19")) {
			gsakmp_gm_departure_clear(gm);
			gsakmp_gm_enter(gm, GSAKMP_GM_EV_STAY);
		}
		return err;
	}
	if (gsakmp_message_notification(
		    in->msg, GSAKMP_NOTIFY_REQUEST_TO_DEPART_ERROR) != NULL &&
	    GK_CHECKED("RFC4535-5.3.2.3.2-16"))
		return refused(in);
	GK_TRY(gsakmp_gm_send_da(in, GSAKMP_NOTIFY_ACKNOWLEDGEMENT));
	return gsakmp_gm_out(gm, GSAKMP_OUT_LEFT, NULL,
	                     "left; the departure was accepted");
}
