/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/policy_token.h"

#include "common/base/gk_check.h"

enum gk_err
gsakmp_policy_token_decode(struct gk_rd *rd, struct gsakmp_policy_token *token)
{
	token->at = gk_rd_offset(rd);
	token->type = gk_rd_u16(rd, "Policy Token Type");
	token->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

enum gk_err
gsakmp_policy_token_check(const struct gsakmp_policy_token *token,
                          const struct gsakmp_vocabulary *voc,
                          struct gsakmp_reject *why)
{
	/* RFC4535-7.3.2-02: only types of Table 14. */
	if (!gsakmp_code_known(GSAKMP_TABLE_TOKEN, voc, token->type) &&
	    GK_CHECKED("RFC4535-7.3.2-02", "RFC4535-7.3.1-02"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.3.2-02", "Policy Token Type", token->at);

	/* A token is never empty, sealed or not. */
	if (token->data.len == 0 && GK_CHECKED("RFC4535-7.3.2-03"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.3.2-03", "Policy Token Data", token->at + 2);
	return GK_OK;
}

void
gsakmp_policy_token_encode(struct gk_wr *wr,
                           const struct gsakmp_policy_token *token)
{
	gk_wr_u16(wr, token->type);
	gk_wr_bytes(wr, token->data);
}
