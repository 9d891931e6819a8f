/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_EDITION_H
#define GPT_EDITION_H

#include "policy-tokens/der/gpt_verify.h"

/*
 * DOC: editions - RFC 4534 section 3.1 and section 2
 *
 * Whoever has seen edition n signed at time t accepts only what is greater in
 * both.  So the next edition is at least n + 1, and its signing-time at least
 * t + 1, whatever the clock says.
 */
struct gpt_edition {
	struct gpt_token *token; /* the policy that was signed */
	struct gk_buf cms;       /* the signed token */
	struct gpt_seen seen;    /* its edition, signing-time and digest */
};

void gpt_edition_free(struct gpt_edition *edition);

/**
 * gpt_edition_make - the next edition of a group's policy.
 * @last: of the edition before, or NULL / all zero
 * @now:  seconds since 1970
 * @chain: the Group Owner's certificate first, then its authorities
 *
 * The policy's own edition counts when it is greater than @last's.
 *
 * Return: GK_OK; GK_ERR_SPACE when the editions or the years are used up, or
 * the token is too large; what encoding and signing return.
 */
GK_MUST_CHECK enum gk_err gpt_edition_make(const struct gpt_token *policy,
                                           const struct gpt_seen *last,
                                           int64_t now,
                                           const struct gk_signer *signer,
                                           const struct gk_certs *chain,
                                           struct gpt_edition *edition,
                                           struct gpt_fault *why);

/* What the store keeps of the edition in force: Version (1 octet) | Edition (8)
 * | Signing-time (8) | Digest. */
#define GPT_EDITION_ROW_LEN (1 + 8 + 8 + GPT_DIGEST_LEN)
void gpt_edition_row(const struct gpt_seen *seen,
                     uint8_t row[GPT_EDITION_ROW_LEN]);
/* GK_ERR_VALUE when @row is none. */
GK_MUST_CHECK enum gk_err gpt_edition_row_read(struct gk_slice row,
                                               struct gpt_seen *seen);
/* The key of an edition in the store: 8 octets, in order of editions. */
#define GPT_EDITION_KEY_LEN 8
void gpt_edition_key(int64_t edition, uint8_t key[GPT_EDITION_KEY_LEN]);
int64_t gpt_edition_of_key(struct gk_slice key);

#endif /* GPT_EDITION_H */
