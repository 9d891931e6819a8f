/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "common/crypto/gk_trust.h"

#include "gdoi/engine/policy_private.h"
#include "policy-tokens/token/gpt_access.h"

/*
 * RFC 4534 says who is admitted, by name and certification authority; phase 1 has
 * authenticated the name.  A pre-shared key has no authority: only rules that do
 * not ask for one can admit it.
 */

#define AUTHORITIES_MAX GK_PATH_MAX

/* The party of the rules; @ca has to last as long. */
static struct gpt_party
party_of(const struct gdoi_peer *peer, struct gk_slice ca[AUTHORITIES_MAX])
{
	struct gpt_party party = { .id = peer->id, .phase1 = true };

	party.ca_key_ids = peer->ca_key_ids;
	party.n_ca_key_ids = peer->n_ca_key_ids;
	party.also = peer->names;
	party.n_also = peer->n_names;
	if (peer->n_certs == 0)
		return party;
	party.cert = peer->certs[0];
	party.ca_key_ids = ca;
	party.n_ca_key_ids = 0;
	for (size_t i = 1; i < peer->n_certs && i < AUTHORITIES_MAX; i++)
		ca[party.n_ca_key_ids++] = gk_cert_key_id(peer->certs[i]);
	return party;
}

static bool
phase1_suits(const struct gdoi_policy *policy, const struct gdoi_peer *peer)
{
	return !peer->suite ||
	       gdoi_policy_phase1(policy, peer->suite, peer->aggressive);
}

bool
gdoi_policy_explain(const struct gdoi_policy *policy,
                    const struct gdoi_peer *peer, char why[256])
{
	struct gk_slice ca[AUTHORITIES_MAX];
	const struct gpt_party party = party_of(peer, ca);
	struct gpt_verdict verdict;
	bool admitted = gpt_access_member(policy->lists, &party, &verdict);

	(void)snprintf(why, 256, "%.200s [%s]", verdict.text, verdict.req);
	if (admitted && !phase1_suits(policy, peer)) {
		(void)snprintf(why, 256,
		               "its phase 1 is none of those that "
		               "the group's policy lists");
		return false;
	}
	return admitted;
}

bool
gdoi_policy_admits(const struct gdoi_policy *policy,
                   const struct gdoi_peer *peer)
{
	struct gk_slice ca[AUTHORITIES_MAX];
	const struct gpt_party party = party_of(peer, ca);

	/* To say why takes as long as to find out. */
	return gpt_access_member(policy->lists, &party, NULL) &&
	       phase1_suits(policy, peer);
}

bool
gdoi_policy_lists_server(const struct gpt_register *lists,
                         const struct gdoi_peer *peer)
{
	struct gk_slice ca[AUTHORITIES_MAX];
	const struct gpt_party party = party_of(peer, ca);

	return gpt_access_gcks(lists, &party, NULL);
}

bool
gdoi_policy_key_server(const struct gdoi_policy *policy,
                       const struct gdoi_peer *peer)
{
	return gdoi_policy_lists_server(policy->lists, peer);
}

bool
gdoi_policy_sender(const struct gdoi_policy *policy,
                   const struct gdoi_peer *peer)
{
	struct gk_slice ca[AUTHORITIES_MAX];
	const struct gpt_party party = party_of(peer, ca);

	return gpt_access_sender(policy->lists, &party, NULL);
}
