/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gsakmp/engine/group_state.h"

/*
 * How a group is run, where RFC 4535 says "policy" and RFC 4534 has no field:
 * whether a join brings new keys (4.4.7), how long a datagram may be (7.5.1), how far
 * clocks may be apart (3.1).  What the token says of it, in an entry of this
 * project's, goes before what is configured (decision operation).
 */
bool
gsakmp_group_backward(const struct gsakmp_group *g,
                      const struct gsakmp_policy *p)
{
	const struct gsakmp_operation *o = &p->operation;

	/* Without rekeys the others could not be told. */
	if (!p->lkh || p->rekey->event == GPT_REKEY_EVENT_NONE)
		return false;
	return o->says_join ? o->join_rekey : !g->cfg.no_join_rekey;
}

uint32_t
gsakmp_group_join_window(const struct gsakmp_group *g)
{
	return g->policy->operation.says_window ? g->policy->operation.window_ms
	                                        : g->cfg.join_window_ms;
}

/* Both are limits: the lower one holds. */
static size_t
message_max(const struct gsakmp_group *g, const struct gsakmp_policy *p)
{
	size_t mtu = p->operation.mtu;

	if (mtu == 0 || mtu - g->cfg.rekey_headers > g->cfg.rekey_message)
		return g->cfg.rekey_message;
	return mtu - g->cfg.rekey_headers;
}

/*
 * Clocks may be further apart than before: a request is fresh for longer, so its
 * nonce has to be remembered for longer, and of those that are forgotten already
 * none may come back: also when it is wider still before the last time is over.
 * Not for longer than that, for a clock that is set back would be in the time
 * that counts for nothing.
 */
static void
widen(struct gsakmp_group *g, uint32_t from, uint32_t to, struct gk_now now)
{
	int64_t first = now.utc_s - (int64_t)from;
	int64_t before = gsakmp_group_fresh_from(g, now);

	if (to <= from)
		return;
	/* As long as one that comes now: editions that go to and fro are not to
	 * fill the memory of nonces. */
	gsakmp_replay_extend(g->replay, 2 * 1000 * (uint64_t)(to - from),
	                     now.mono_ms + 2 * 1000 * (uint64_t)to + 1000);
	if (before < first || before > now.utc_s)
		g->fresh_from = first;
	g->fresh_ends = now.mono_ms +
	                1000 * (uint64_t)(g->fresh_from + to - now.utc_s + 1);
}

int64_t
gsakmp_group_fresh_from(const struct gsakmp_group *g, struct gk_now now)
{
	return now.mono_ms < g->fresh_ends ? g->fresh_from : INT64_MIN;
}

void
gsakmp_group_operate(struct gsakmp_group *g, const struct gsakmp_policy *p,
                     struct gk_now now)
{
	gk_group_set_backward(g->data, gsakmp_group_backward(g, p));
	g->message_max = message_max(g, p);
	widen(g, gsakmp_policy_skew(g->policy, g->cfg.skew_s),
	      gsakmp_policy_skew(p, g->cfg.skew_s), now);
}

size_t
gsakmp_group_message_max(const struct gsakmp_group *g)
{
	return g->message_max;
}
