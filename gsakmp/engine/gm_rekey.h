/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GM_REKEY_H
#define GSAKMP_ENGINE_GM_REKEY_H

#include "gsakmp/engine/gm_state.h"

/*
 * DOC: a Rekey Event on its way through a member - for gsakmp/engine only
 *
 * All work is done on copies of the keys; the engine changes when the whole
 * message has been gone through (gm_rekey.c).  Its Key Packages are opened and
 * weighed in gm_package.c.
 */
struct gsakmp_gm_rekey {
	struct gsakmp_gm_input *in;
	struct gk_lkh_member keks; /* copies */
	struct gk_traffic_key gtpk[GSAKMP_POLICY_KEY_MAX];
	bool *done; /* per Rekey Event Data, in the order of the message */
	size_t n_datas;
	size_t opened;   /* datas that were for us */
	size_t bad;      /* packages or datas with an error */
	size_t old;      /* of them: older than a Key Download that was late */
	bool token_lost; /* there is a token that we cannot open */
	bool gap;        /* an earlier event is missing, and stays so */
	struct gsakmp_reject first_bad;
	struct gsakmp_policy *policy; /* new token, or NULL */
};

/* gsakmp_gm_rekey_bad - in->why is what is wrong with a part of it. */
void gsakmp_gm_rekey_bad(struct gsakmp_gm_rekey *r);
/* gsakmp_gm_packages - all Rekey Event Datas that are for us, into the copies;
 * decision rekey_order. */
GK_MUST_CHECK enum gk_err gsakmp_gm_packages(struct gsakmp_gm_rekey *r);

/* gsakmp_gm_covered - none of it opens, because the Key Download that it waited
 * for is newer: counted, and as if it had never come. */
bool gsakmp_gm_covered(const struct gsakmp_gm_rekey *r);

#endif /* GSAKMP_ENGINE_GM_REKEY_H */
