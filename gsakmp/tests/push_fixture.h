/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_PUSH_FIXTURE_H
#define GSAKMP_TESTS_PUSH_FIXTURE_H

#include "common/crypto/gk_kex.h"
#include "gsakmp/tests/gm_forge.h"

/*
 * DOC: a key server that pushes, and a member that only receives
 *
 * RFC 4535 section 5.2.3.  push_down() checks that the member has said nothing,
 * whatever it heard.
 */
struct push {
	struct fixture f;
	struct gk_kex_key *key; /* the member's, static */
	unsigned said;          /* datagrams that came from the member */
};

/* push_config - world_plain(), with freshness by time. */
struct world_config push_config(uint64_t seed);
/* push_up - listening, not yet a member.  pushed_up - a member. */
void push_up(struct push *p, struct world_config cfg);
void pushed_up(struct push *p, struct world_config cfg);
void push_down(struct push *p);

/* push_receiver - what the key server knows of the member. */
struct gsakmp_receiver push_receiver(const struct push *p);
enum gk_err push_to(struct push *p, struct gsakmp_receiver *who,
                    struct gsakmp_reject *why);
/* push - keys to the member, and time for them to arrive. */
void push(struct push *p);
/* push_last - the last Key Download that the key server sent. */
void push_last(struct push *p, struct gk_buf *dgram);

#endif /* GSAKMP_TESTS_PUSH_FIXTURE_H */
