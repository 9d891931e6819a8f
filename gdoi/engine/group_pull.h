/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GROUP_PULL_H
#define GDOI_ENGINE_GROUP_PULL_H

#include "gdoi/engine/group.h"

/*
 * DOC: what a worker asks of the group - RFC 6407 sections 3.4, 3.5
 *
 * From any thread.  Message 2 is an offer: a snapshot of policy and keys that
 * changes nothing.  Message 4 admits: only then is there a member, a leaf in the
 * tree, a sender id (RFC6407-3.2-09: message 3 proves liveness).
 */
struct gdoi_offer;

/* gdoi_peer_name - "kind:text": the printable identity under which a member is
 * listed, evicted, readmitted.  @name: new buffer */
GK_MUST_CHECK enum gk_err gdoi_peer_name(const struct gdoi_peer *peer,
                                         struct gk_buf *name);

/* gdoi_group_phase1 - what the policy in force says about a phase 1 of @suite, before
 * it is known who comes.  Waits for nothing that takes long. */
enum gdoi_group_phase1 {
	GDOI_PHASE1_CLOSED,  /* there is no policy in force */
	GDOI_PHASE1_LISTED,  /* it may be */
	GDOI_PHASE1_REFUSED, /* it may not */
};
enum gdoi_group_phase1 gdoi_group_phase1(struct gdoi_group *group,
                                         const struct ike_suite *suite,
                                         bool aggressive);

/**
 * gdoi_group_offer - is @peer admitted, and what is it offered?
 *
 * Return: GK_OK and *@offer; GK_ERR_POLICY with *@why (not admitted, barred);
 * GK_ERR_UNEXPECTED before the first policy or after destruction.
 */
GK_MUST_CHECK enum gk_err gdoi_group_offer(struct gdoi_group *group,
                                           const struct gdoi_peer *peer,
                                           struct gk_now now,
                                           struct gdoi_offer **offer,
                                           struct isakmp_reject *why);
void gdoi_offer_free(struct gdoi_offer *offer); /* wipes */
/* gdoi_offer_sa - the SA payload of message 2. */
const struct gdoi_sa *gdoi_offer_sa(const struct gdoi_offer *offer);

/**
 * gdoi_group_admit - message 3 was right: make @peer a member.
 * @request: the GAP of message 3; NULL: there was none
 * @from:    where it is (for unicast PUSHes and "members")
 * @kd:      message 4; its slices are the offer's
 * @seq:     message 4; *@has_seq: the group has a Rekey SA
 * @ticket:  has to be durable before message 4 leaves
 *
 * Return: GK_OK; GK_ERR_REPLAY: the group has moved on since the offer, the member
 * has to ask again; GK_ERR_POLICY, GK_ERR_SPACE with *@why.  On errors nothing has
 * changed.
 */
GK_MUST_CHECK enum gk_err gdoi_group_admit(
	struct gdoi_group *group, struct gdoi_offer *offer,
	const struct gdoi_gap *request, const struct gdoi_address *from,
	struct gk_now now, struct gdoi_kd *kd, struct gdoi_seq *seq,
	bool *has_seq, uint32_t *member_id, uint64_t *ticket,
	struct isakmp_reject *why);

/* gdoi_group_has_spi - is that the cookie pair of a Rekey SA of this group, the
 * current or a recent one? */
bool gdoi_group_has_spi(struct gdoi_group *group, const uint8_t spi[16]);
/* gdoi_group_ack - a GROUPKEY-PUSH-ACK (RFC 8263) for such a cookie pair. */
enum gk_err gdoi_group_ack(struct gdoi_group *group, struct gk_slice dgram,
                           const struct gdoi_address *from, struct gk_now now,
                           struct isakmp_reject *why);
/* gdoi_group_left - the member said so itself (a Delete under its phase 1). */
enum gk_err gdoi_group_left(struct gdoi_group *group,
                            const struct gdoi_peer *peer, struct gk_now now,
                            uint64_t *ticket);

#endif /* GDOI_ENGINE_GROUP_PULL_H */
