/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_FRESHNESS_H
#define GSAKMP_ENGINE_FRESHNESS_H

#include "common/base/gk_base.h"

/*
 * DOC: freshness of messages - RFC 4535 sections 3.1, 5.2.1.1, 7.8.2
 *
 * A Request to Join carries nothing of the responder, so a recorded one stays
 * valid for ever unless the key server does something about it.  It takes an
 * RTJ only when its Signature Timestamp lies within the permitted skew, and
 * remembers the nonce of every one it took until the timestamp would fail.
 */

/* gsakmp_time_fresh - is the Signature Timestamp @t within @skew_s of now? */
bool gsakmp_time_fresh(struct gk_slice t, int64_t now_utc, uint32_t skew_s);

#define GSAKMP_REPLAY_TAG_LEN 16

struct gsakmp_replay;

/* gsakmp_replay_new - remembers at most @max tags; memory grows as needed. */
GK_MUST_CHECK enum gk_err gsakmp_replay_new(size_t max,
                                            struct gsakmp_replay **replay);
void gsakmp_replay_free(struct gsakmp_replay *replay);

/* gsakmp_replay_tag - what is remembered of a message: a digest of who sent it
 * and of its nonce. */
GK_MUST_CHECK enum gk_err gsakmp_replay_tag(struct gk_slice signer_id,
                                            struct gk_slice nonce,
                                            uint8_t tag[GSAKMP_REPLAY_TAG_LEN]);

bool gsakmp_replay_seen(const struct gsakmp_replay *replay,
                        const uint8_t tag[GSAKMP_REPLAY_TAG_LEN]);

/*
 * gsakmp_replay_add - remember @tag until @forget_ms (monotonic).
 *
 * Return: GK_OK; GK_ERR_REPLAY when it is there already; GK_ERR_SPACE when @max
 * tags are still too young to be forgotten: nothing more can be taken safely.
 */
GK_MUST_CHECK enum gk_err gsakmp_replay_add(
	struct gsakmp_replay *replay, const uint8_t tag[GSAKMP_REPLAY_TAG_LEN],
	uint64_t now_ms, uint64_t forget_ms);

/* gsakmp_replay_extend - what is remembered is remembered by @ms longer; until
 * @latest_ms at most, unless it was longer already. */
void gsakmp_replay_extend(struct gsakmp_replay *replay, uint64_t ms,
                          uint64_t latest_ms);

#endif /* GSAKMP_ENGINE_FRESHNESS_H */
