/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_POLICY_PRIVATE_H
#define GDOI_ENGINE_POLICY_PRIVATE_H

#include "common/crypto/gk_oid.h"
#include "gdoi/engine/policy.h"
#include "policy-tokens/token/gpt_gdoi.h"

/*
 * DOC: how a policy is made
 *
 * Private to gdoi/engine/policy*.c.  What the slices of a policy point to is
 * copied into its octets, which are sized beforehand and never move.
 */
#define GDOI_POLICY_WHY 256

struct gdoi_policy_making {
	struct gdoi_policy *p;
	const struct gdoi_policy_able *able;
	const struct gdoi_dialect *dialect; /* not NULL */
	bool legacy_ok;
	size_t used; /* of p->octets */
	char *why;   /* GDOI_POLICY_WHY octets */
};

/* GK_ERR_POLICY, with a reason. */
enum gk_err gdoi_policy_refuse(struct gdoi_policy_making *m, const char *fmt,
                               ...) __attribute__((format(printf, 2, 3)));
/* A copy of @octets among those of the policy. */
struct gk_slice gdoi_policy_keep(struct gdoi_policy_making *m,
                                 struct gk_slice octets);
/* The OID @text as switch oid_encoding has it, in @der; GK_ERR_VALUE: it is none. */
#define GDOI_POLICY_OID_MAX (2 + GK_OID_MAX)
GK_MUST_CHECK enum gk_err gdoi_policy_oid_octets(
	const struct gdoi_dialect *dialect, const char *text,
	uint8_t der[GDOI_POLICY_OID_MAX], struct gk_slice *out);
/* A copy of that among those of the policy; GK_ERR_POLICY. */
GK_MUST_CHECK enum gk_err gdoi_policy_oid(struct gdoi_policy_making *m,
                                          const char *text,
                                          struct gk_slice *out);

/* policy_peer.c: is @peer a key server by these lists? */
bool gdoi_policy_lists_server(const struct gpt_register *lists,
                              const struct gdoi_peer *peer);

/* policy_choice.c: which of several.  _registration: that which is in force, whose
 * lists are the policy's then.  _rekey: makes it, if there is one. */
GK_MUST_CHECK enum gk_err gdoi_policy_choose_registration(
	struct gdoi_policy_making *m, const struct gpt_token *token,
	const struct gpt_gdoi_register **gdoi);
GK_MUST_CHECK enum gk_err gdoi_policy_choose_rekey(
	struct gdoi_policy_making *m, const struct gpt_token *token);

GK_MUST_CHECK enum gk_err gdoi_policy_make_rekey(
	struct gdoi_policy_making *m, const struct gpt_gdoi_rekey *rekey);
GK_MUST_CHECK enum gk_err gdoi_policy_make_ipsec(struct gdoi_policy_making *m,
                                                 const struct gpt_ipsec *ipsec);
GK_MUST_CHECK enum gk_err gdoi_policy_make_iec(struct gdoi_policy_making *m,
                                               const struct gpt_iec *iec);

/* A number that is not there is 0; lint has seen to the range. */
static inline uint32_t
gdoi_policy_number(struct gpt_number n)
{
	return n.present ? (uint32_t)n.value : 0;
}

static inline uint16_t
gdoi_policy_number16(struct gpt_number n)
{
	return (uint16_t)gdoi_policy_number(n);
}

#endif /* GDOI_ENGINE_POLICY_PRIVATE_H */
