/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_state.h"

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
	    gm->silent_at == GK_NEVER && GK_CHECKED("RFC4535-4.4.7-14"))
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
