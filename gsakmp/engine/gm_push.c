/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "gsakmp/engine/gm_state.h"

/*
 * The member that only listens: RFC 4535 section 5.2.3.
 *
 * Nonces need two to talk, so time has to do.  A Key Download that was recorded
 * stays within the skew for minutes, and would bring back the keys of minutes
 * ago: only one that was signed later than the last one taken is new, and it
 * must not be older than the last Rekey Event either, whose keys it does not
 * know of.  Both times survive a restart.
 */
static enum gk_err
stale(struct gsakmp_gm_input *in)
{
	return gsakmp_in_refuse(in, GK_ERR_REPLAY,
	                        gsakmp_notify_freshness(&in->gm->dialect),
	                        "RFC4535-5.2.3-06", "Signature Timestamp",
	                        in->msg->signature.at);
}

enum gk_err
gsakmp_gm_push_fresh(struct gsakmp_gm_input *in)
{
	const struct gsakmp_gm_heard *heard = &in->gm->heard;
	int64_t utc = 0;

	for (unsigned i = 0; i < GK_COUNT(in->msg->nonce); i++)
		if (in->msg->nonce[i].data.len != 0 &&
		    GK_CHECKED("RFC4535-5.2.3-05"))
			return gsakmp_in_refuse(in, GK_ERR_VALUE,
			                        GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                        "RFC4535-5.2.3-05",
			                        "Nonce Type",
			                        in->msg->nonce[i].at);
	if (!gsakmp_time_fresh(in->msg->signature.timestamp, in->now.utc_s,
	                       gsakmp_gm_skew(in->gm)) &&
	    GK_CHECKED("RFC4535-5.2.3-06"))
		return stale(in);
	GK_TRY(gk_zulu_parse(in->msg->signature.timestamp, &utc));
	if ((utc <= heard->pushed_utc || utc < heard->rekey_utc) &&
	    GK_CHECKED("RFC4535-5.2.3-06"))
		return stale(in);
	return GK_OK;
}

enum gk_err
gsakmp_gm_push_note(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm_heard heard = in->gm->heard;
	int64_t utc;

	GK_TRY(gk_zulu_parse(in->msg->signature.timestamp, &utc));
	if (in->msg->header.exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD)
		heard.pushed_utc = utc;
	else if (utc > heard.rekey_utc)
		heard.rekey_utc = utc;
	return gsakmp_gm_save_heard(in->gm, &heard);
}
