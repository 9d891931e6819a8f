/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/gm_state.h"

#include "common/base/gk_check.h"
#include "gsakmp/message/signing.h"

#define BACKOFF_DOUBLED 5 /* times, with each failed attempt to rejoin */

/*
 * A member's way in: Request to Join with its retransmissions, cookies, errors,
 * and the acknowledgements.  RFC 4535 sections 5.2.1.1, 5.2.1.3 to 5.2.1.5 and
 * 5.2.2.  The Key Download is in gm_keydl.c.
 */
void
gsakmp_gm_join_clear(struct gsakmp_gm *gm)
{
	gk_kex_free(gm->join.kex);
	gk_buf_free(&gm->join.nonce_i);
	gk_buf_free(&gm->join.rtj);
	gk_buf_free(&gm->join.cookie);
	gm->join = (struct gsakmp_gm_join){ 0 };
	gsakmp_gm_again_clear(gm, GSAKMP_EXCHANGE_KEY_DOWNLOAD);
	gm->retry_at = GK_NEVER;
}

static void
add_mechanisms(const struct gsakmp_gm *gm, struct gsakmp_build *b)
{
	const struct gsakmp_mechanisms m = {
		.has_key_creation = true,
		.has_encryption = true,
		.has_nonce_hash = true,
		.key_creation = gm->cfg.suite.key_creation,
		.encryption = gm->cfg.suite.encryption,
		.nonce_hash = gm->cfg.suite.nonce_hash,
	};

	gsakmp_build_mechanisms(b, &m);
}

/* Section 5.2.1.1, Table 1. */
static enum gk_err
build_rtj(struct gsakmp_gm *gm, struct gk_now now, struct gk_buf *out)
{
	const struct gsakmp_suite *suite = &gm->cfg.suite;
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gk_slice cookie = gk_buf_slice(&gm->join.cookie);
	struct gsakmp_sign sign;
	struct gsakmp_build b;

	gsakmp_party_sign(&gm->cfg.party, suite->signature, true, now.utc_s,
	                  ders, &sign);
	gsakmp_build_begin(&b, &gm->dialect, GSAKMP_EXCHANGE_REQUEST_TO_JOIN,
	                   gsakmp_gm_groupid(gm), 0);
	gsakmp_build_key_creation(&b, suite->key_creation,
	                          gk_kex_public(gm->join.kex));
	/* What follows it is known here, for a Nonce_C over whole payloads. */
	gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR,
	                   gk_buf_slice(&gm->join.nonce_i));
	gm->nonce_i_next = GSAKMP_PAYLOAD_SIGNATURE;
	if (gm->cfg.send_mechanism_choices || cookie.len != 0 ||
	    gm->cfg.ip_value.len != 0)
		gm->nonce_i_next = GSAKMP_PAYLOAD_NOTIFICATION;
	if (gsakmp_suite_extra(suite)) {
		gm->nonce_i_next = GSAKMP_PAYLOAD_VENDOR_ID;
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	}
	if (gm->cfg.send_mechanism_choices)
		add_mechanisms(gm, &b);
	if (cookie.len != 0)
		gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE, cookie);
	if (gm->cfg.ip_value.len != 0)
		gsakmp_build_notification(&b,
		                          gm->cfg.ip_value.len == 4
		                                  ? GSAKMP_NOTIFY_IPV4_VALUE
		                                  : GSAKMP_NOTIFY_IPV6_VALUE,
		                          gm->cfg.ip_value);
	return gsakmp_build_finish(&b, &sign, out);
}

static enum gk_err
send_rtj(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_answer_by(gm, gm->cfg.rtj_timeout_ms,
	                           gm->cfg.rtj_retries - gm->join.retries_left,
	                           now, &gm->retry_at));
	return gsakmp_gm_send(gm, gk_buf_slice(&gm->join.rtj), NULL,
	                      GSAKMP_EXCHANGE_REQUEST_TO_JOIN);
}

/* RFC4535-5.2.1.1-04 to -08: everything fresh. */
static enum gk_err
begin(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_gm_join *j = &gm->join;

	GK_TRY(gk_buf_alloc(&j->nonce_i, GSAKMP_GM_NONCE_LEN));
	GK_TRY(gm->env->random(gm->env->ctx, j->nonce_i.ptr, j->nonce_i.len));
	GK_TRY(gk_kex_generate(gm->env, gsakmp_kex(gm->cfg.suite.key_creation),
	                       &j->kex));
	GK_TRY(build_rtj(gm, now, &j->rtj));
	j->retries_left = gm->cfg.rtj_retries;
	j->cookies_left = gm->cfg.cookies_max;
	return send_rtj(gm, now);
}

enum gk_err
gsakmp_gm_start_join(struct gsakmp_gm *gm, struct gk_now now)
{
	enum gk_err err;

	if (!gsakmp_suite_supported(&gm->cfg.suite, gm->cfg.legacy_ok) ||
	    !gsakmp_can_sign(&gm->dialect, gm->cfg.party.signer,
	                     gm->cfg.suite.signature))
		return GK_ERR_POLICY;
	gsakmp_gm_join_clear(gm);
	gsakmp_gm_ahead_clear(gm); /* what the answer will bring is newer */
	err = begin(gm, now);
	if (err != GK_OK)
		gsakmp_gm_join_clear(gm);
	return err;
}

void
gsakmp_gm_give_up(struct gsakmp_gm *gm)
{
	if (gm->join.nonce_i.len == 0)
		return;
	gk_buf_free(&gm->given_up_nonce_i);
	gm->given_up_nonce_i = gm->join.nonce_i;
	gm->given_up_next = gm->nonce_i_next;
	gm->given_up_told = false;
	gm->join.nonce_i = (struct gk_buf){ 0 };
}

enum gk_err
gsakmp_gm_announced(struct gsakmp_gm *gm, const struct gsakmp_suite *suite,
                    const struct gk_identity *expected, struct gk_now now)
{
	struct gsakmp_suite next = *suite;

	if (gk_queue_first(&gm->out.items) != NULL)
		return GK_ERR_UNEXPECTED;
	/* As it is in the beginning: RFC4535-5.2.3-02. */
	if (gm->cfg.receive_only)
		next.timestamp = next.terse = true;
	if (!gsakmp_suite_supported(&next, gm->cfg.legacy_ok))
		return GK_ERR_POLICY;
	GK_TRY(gsakmp_gm_begin(gm));
	gm->cfg.suite = next;
	gm->cfg.expected_gcks = expected;
	if (gm->undo != NULL)
		gm->undo->cfg = gm->cfg;
	if (gm->join.kex == NULL)
		return GK_OK;
	gsakmp_gm_give_up(gm);
	return gsakmp_gm_start_join(gm, now);
}

enum gk_err
gsakmp_gm_fail_join(struct gsakmp_gm *gm, const struct gsakmp_reject *why,
                    const char *text, struct gk_now now)
{
	uint32_t wait;
	unsigned doubled;

	if (gm->state != GSAKMP_GM_REJOINING ||
	    ++gm->rejoins >= gm->cfg.rejoin_max)
		return gsakmp_gm_out(gm, GSAKMP_OUT_LEFT, why, text);
	/* The old membership may be good for a little longer. */
	gsakmp_gm_join_clear(gm);
	gsakmp_gm_ahead_clear(gm);
	/* Whom so many ask is given more time with every attempt. */
	doubled = gm->rejoins < BACKOFF_DOUBLED ? gm->rejoins : BACKOFF_DOUBLED;
	wait = gm->cfg.rejoin_backoff_ms;
	wait = wait > UINT32_MAX >> doubled ? UINT32_MAX : wait << doubled;
	GK_TRY(gsakmp_gm_random_wait(gm, wait, &wait));
	gm->retry_at = now.mono_ms + wait;
	return gsakmp_gm_say(gm, GSAKMP_OUT_NEXT_SERVER, why, text);
}

enum gk_err
gsakmp_gm_retry_join(struct gsakmp_gm *gm, struct gk_now now)
{
	struct gsakmp_reject why = gm->join.why;
	const char *text = "no answer";

	if (gm->join.refused) {
		/* By whomever: an RTJ-Err is not signed. */
		gsakmp_gm_give_up(gm);
		return gsakmp_gm_fail_join(gm, &why, "the request was refused",
		                           now);
	}
	/* RFC4535-5.2.1.1-20: at most three times again. */
	if (gm->join.retries_left == 0) {
		if (gm->again.n != 0)
			text = "the store does not take the answer";
		else
			gsakmp_gm_give_up(gm);
		return gsakmp_gm_fail_join(gm, NULL, text, now);
	}
	gm->join.retries_left--;
	return send_rtj(gm, now);
}

/* ---- Cookie Download ---------------------------------------------------- */

/*
 * RFC4535-5.2.2-04.  It is neither signed nor tied to our nonce, so anybody
 * can send one: that costs us a signature, and only so often.  The request goes
 * where it went before, whoever sent the cookie.
 */
enum gk_err
gsakmp_gm_cookie(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_notification *n = gsakmp_message_notification(
		in->msg, GSAKMP_NOTIFY_COOKIE_REQUIRED);
	struct gk_buf cookie = { 0 }, rtj = { 0 }, kept;
	enum gk_err err;

	if (gm->join.kex == NULL || n == NULL ||
	    (gm->join.cookies_left == 0 && GK_CHECKED("RFC4535-5.2.2-04")))
		return gsakmp_in_refuse(in, GK_ERR_UNEXPECTED,
		                        GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                        "RFC4535-5.2.2-04", "Cookie",
		                        in->msg->header.at);
	GK_TRY(gk_buf_copy(&cookie, n->data));
	kept = gm->join.cookie;
	gm->join.cookie = cookie;
	/* RFC4535-5.2.2-11: the same nonce, and the same key creation value. */
	err = build_rtj(gm, in->now, &rtj);
	if (err != GK_OK) {
		gm->join.cookie = kept;
		gk_buf_free(&cookie);
		return err;
	}
	gk_buf_free(&kept);
	gk_buf_free(&gm->join.rtj);
	gm->join.rtj = rtj;
	gm->join.cookies_left--;
	return send_rtj(gm, in->now);
}

/* ---- Request to Join Error ---------------------------------------------- */

enum gk_err
gsakmp_gm_rtj_error(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_nonce *ni = &in->msg->nonce[GSAKMP_NONCE_INITIATOR];

	/* RFC4535-5.2.1.3-06 */
	if ((gm->join.kex == NULL ||
	     (ni->data.len != 0 &&
	      !gk_slice_equal(ni->data, gk_buf_slice(&gm->join.nonce_i)))) &&
	    GK_CHECKED("RFC4535-5.2.1.3-06", "RFC4535-5.2-07"))
		return gsakmp_in_refuse(in, GK_ERR_REPLAY,
		                        gsakmp_notify_freshness(&gm->dialect),
		                        "RFC4535-5.2.1.3-06", "Nonce Data",
		                        ni->at);
	/* Without our nonce anybody could have sent it: a hint, no more. */
	if (ni->data.len == 0 || gm->join.refused)
		return GK_OK;
	/* RFC4535-5.2.1.3-08: a Key Download may still come, for a while. */
	gm->join.refused = true;
	gm->join.why = (struct gsakmp_reject){
		.notify = (enum gsakmp_notify)in->msg->notification[0].type,
		.req = "RFC4535-5.2.1.3-07",
		.field = "Notification Type",
	};
	gm->retry_at = in->now.mono_ms + gm->cfg.rtj_err_grace_ms;
	return GK_OK;
}

/* ---- Key Download - Ack/Failure, Lack of Ack ---------------------------- */

enum gk_err
gsakmp_gm_build_af(struct gsakmp_gm *gm, uint16_t notify,
                   struct gk_slice nonce_c, struct gk_now now,
                   struct gk_buf *out)
{
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_sign sign;
	struct gsakmp_build b;

	gsakmp_party_sign(&gm->cfg.party, gm->cfg.suite.signature, false,
	                  now.utc_s, ders, &sign);
	gsakmp_build_begin(&b, &gm->dialect, GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
	                   gsakmp_gm_groupid(gm), 0);
	if (nonce_c.len != 0)
		gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED, nonce_c);
	if (notify == GSAKMP_NOTIFY_ACKNOWLEDGEMENT)
		gsakmp_build_ack(&b);
	else
		gsakmp_build_notification(&b, notify, (struct gk_slice){ 0 });
	if (gsakmp_suite_extra(&gm->cfg.suite))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, out);
}

/* Section 5.2.1.5: authority comes before the signature here. */
static enum gk_err
authenticate_loa(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gsakmp_verify v = gsakmp_in_verify(in, gm->cfg.suite.signature);

	GK_TRY(gsakmp_signer_find(&v, in->msg, &in->signer, &in->why));
	GK_TRY(gsakmp_signer_path(&v, in->msg, &in->signer, &in->why));
	/* Before the token is here, only the announcement can say who it is. */
	if (gm->policy != NULL &&
	    !gpt_access_gcks(gm->policy->reg, &in->signer.party, NULL) &&
	    !gpt_access_sub_gcks(gm->policy->reg, gm->policy->rekey,
	                         &in->signer.party, NULL) &&
	    GK_CHECKED("RFC4535-5.2.1.5-11"))
		return gsakmp_in_refuse(in, GK_ERR_POLICY,
		                        GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
		                        "RFC4535-5.2.1.5-11", "Signer ID Data",
		                        in->msg->signature.at);
	return gsakmp_signer_check(&v, in->msg, &in->signer, &in->why);
}

/* RFC4535-5.2.1.4-05: the Key Download was lost; start again. */
static enum gk_err
nack_and_restart(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gk_buf dgram = { 0 };
	enum gk_err err;

	err = gsakmp_gm_build_af(gm, GSAKMP_NOTIFY_NACK,
	                         in->msg->nonce[GSAKMP_NONCE_COMBINED].data,
	                         in->now, &dgram);
	if (err == GK_OK)
		err = gsakmp_gm_send(gm, gk_buf_slice(&dgram), in->from,
		                     GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK);
	gk_buf_free(&dgram);
	GK_TRY(err);
	return gsakmp_gm_start_join(gm, in->now);
}

/*
 * RFC4535-5.2.1.5-14.  Where a nonce says what is new, the octets that were sent
 * before.  Where the time of signing says it, they may be too old by now.
 */
static enum gk_err
acknowledge_again(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gk_slice ack = gk_buf_slice(&gm->receipt.ack);
	struct gk_buf anew = { 0 };
	enum gk_err err;

	if (gm->cfg.suite.timestamp) {
		GK_TRY(gsakmp_gm_build_af(gm, GSAKMP_NOTIFY_ACKNOWLEDGEMENT,
		                          (struct gk_slice){ 0 }, in->now,
		                          &anew));
		ack = gk_buf_slice(&anew);
	}
	err = gsakmp_gm_send(gm, ack, in->from,
	                     GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK);
	gk_buf_free(&anew);
	return err;
}

enum gk_err
gsakmp_gm_loa(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	bool joining = gm->join.kex != NULL;

	if (!joining && gm->receipt.ack.len == 0 &&
	    GK_CHECKED("RFC4535-7.1.2-07"))
		return gsakmp_in_refuse(in, GK_ERR_UNEXPECTED,
		                        GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                        "RFC4535-7.1.2-07", "Exchange Type",
		                        in->msg->header.at);
	GK_TRY(gsakmp_in_for_me(in, "RFC4535-5.2.1.5-08"));
	GK_TRY(gsakmp_in_fresh(in,
	                       joining ? gk_buf_slice(&gm->join.nonce_i)
	                               : gk_buf_slice(&gm->receipt.nonce_i),
	                       "RFC4535-5.2.1.5-09", "RFC4535-5.2.1.5-10"));
	GK_TRY(authenticate_loa(in));
	return joining ? nack_and_restart(in) : acknowledge_again(in);
}
