/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_POLICY_TOKEN_H
#define GSAKMP_PAYLOAD_POLICY_TOKEN_H

#include "common/wire/gk_wr.h"
#include "gsakmp/gsakmp_reject.h"

/*
 * DOC: Policy Token Payload - RFC 4535 section 7.3
 *
 *    +-------------------------------+-------------------------------+
 *    | Policy Token Type             | Policy Token Data             ~
 *    +-------------------------------+-------------------------------+
 *
 * In both messages that carry one, Policy Token Data is ciphertext: see
 * gsakmp/message/protect.h.  What is inside is RFC 4534's business.
 */
struct gsakmp_policy_token {
	uint16_t type;        /* Table 14 */
	struct gk_slice data; /* as transmitted: sealed */
	size_t at;            /* of the body, in the datagram */
};

GK_MUST_CHECK enum gk_err gsakmp_policy_token_decode(
	struct gk_rd *rd, struct gsakmp_policy_token *token);
/* gsakmp_policy_token_check - section 7.3.2 item 2. */
GK_MUST_CHECK enum gk_err gsakmp_policy_token_check(
	const struct gsakmp_policy_token *token,
	const struct gsakmp_vocabulary *voc, struct gsakmp_reject *why);
void gsakmp_policy_token_encode(struct gk_wr *wr,
                                const struct gsakmp_policy_token *token);

#endif /* GSAKMP_PAYLOAD_POLICY_TOKEN_H */
