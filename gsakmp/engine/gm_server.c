/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/message/protect.h"

/*
 * Several key servers, of which one is ours: RFC 4535 section 4.4.7.
 *
 * Each of them sends Rekey Events under a tree of its own, maybe all to the same
 * multicast address.  Those of other servers are not for us.  But the primary
 * tells more than its subordinates: whenever it has rekeyed, each subordinate
 * has to say so to its members, always (RFC4535-4.4.7-14).  When ours does not,
 * it is dead, or it has been revoked, and we do not wait for the interval of the
 * policy to find that out.
 */
enum gk_err
gsakmp_gm_other_server(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	struct gpt_verdict verdict;
	bool primary = !gm->cfg.primary_only &&
	               (gpt_access_gcks(gm->policy->reg, &in->signer.party,
	                                &verdict) ||
	                verdict.reason == GPT_ACCESS_OTHER_CA);

	/* What was heard once needs no second look. */
	if ((primary && in->msg->header.sequence > gm->heard_primary) ||
	    !GK_CHECKED("RFC4535-4.4.7-02"))
		return GK_OK;
	return gsakmp_in_refuse(
		in, GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
		"RFC4535-4.4.7-02", "Signer ID Data", in->msg->signature.at);
}

/*
 * A token alone, sealed under the key that we hold, which we have already: our
 * server was faster than this message, or its first copy was lost on us.
 */
static bool
known_token(const struct gsakmp_gm_input *in)
{
	const struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_policy_token *t = &in->msg->policy_token;
	const struct gk_traffic_key *k = &gm->gtpk[0];
	const struct gsakmp_wrapping with = { .type = (uint16_t)k->type,
		                              .id = k->id,
		                              .handle = k->handle,
		                              .key = { k->octets, k->len } };
	struct gk_buf plain = { 0 };
	struct gsakmp_reject why;
	bool known;

	if (!gsakmp_message_has(in->msg, GSAKMP_PAYLOAD_POLICY_TOKEN) ||
	    in->msg->rekey_event[0].n_data != 0)
		return false;
	known = gsakmp_rekey_token_open(&gm->dialect, &with, t->type, t->data,
	                                &plain, &why) == GK_OK &&
	        gk_slice_equal(gk_buf_slice(&plain),
	                       gk_buf_slice(&gm->policy->signed_der));
	gk_buf_free(&plain);
	return known;
}

enum gk_err
gsakmp_gm_heard_primary(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gk_slice stamp = { in->msg->rekey_event[0].stamp,
		                        GK_ZULU_LEN };
	int64_t utc;

	gm->heard_primary = in->msg->header.sequence;
	/* The key that we hold may be the one that it announces. */
	if (gk_zulu_parse(stamp, &utc) == GK_OK && utc > gm->gtpk[0].created &&
	    gm->silent_at == GK_NEVER && !known_token(in) &&
	    GK_CHECKED("RFC4535-4.4.7-14"))
		gm->silent_at = in->now.mono_ms + gm->cfg.silence_ms;
	return GK_OK;
}

enum gk_err
gsakmp_gm_silent(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_stale(gm, "the key server passes no rekey on", now));
	return gsakmp_gm_say(gm, GSAKMP_OUT_NEXT_SERVER, NULL,
	                     "the key server passes no rekey on");
}
