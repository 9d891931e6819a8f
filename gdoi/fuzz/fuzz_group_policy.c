/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/policy.h"
#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/token/gpt_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Someone from everywhere: an answer, and always the same. */
static void
ask(const struct gdoi_policy *policy)
{
	static const uint8_t address[] = { 192, 0, 2, 7 };
	const struct gk_identity id = { GK_ID_IPV4, { address, 4 } };
	const struct gdoi_peer peer = { .id = &id };
	char why[256] = "";
	bool admitted = gdoi_policy_explain(policy, &peer, why);

	must(why[0] != '\0' && admitted == gdoi_policy_admits(policy, &peer));
	(void)gdoi_policy_key_server(policy, &peer);
	(void)gdoi_policy_sender(policy, &peer);
}

/* The first octet chooses; the rest is the DER of a token.  A policy that is made
 * has SAs that can be sent; a refusal has a reason and leaves the token alone. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gdoi_dialect dialect = { 0 };
	struct gdoi_policy *policy = NULL;
	struct gpt_token *token;
	uint8_t octets[65535];
	char why[256] = "";
	const struct gk_slice own = { (const uint8_t *)"\300\0\2\1", 4 };
	struct gk_wr wr;

	if (len == 0)
		return 0;
	if (data[0] & 2)
		must(gdoi_dialect_preset(&dialect, "gdoid") == GK_OK);
	if (gpt_token_decode((struct gk_slice){ data + 1, len - 1 }, &token,
	                     NULL) != GK_OK)
		return 0;
	if (gdoi_policy_new(
		    token, -1,
		    &(struct gdoi_policy_able){ .legacy_ok = data[0] & 1,
	                                        .dialect = &dialect },
		    &policy, why) != GK_OK) {
		must(policy == NULL && why[0] != '\0');
		gpt_token_free(token);
		return 0;
	}
	must(policy->n_data > 0 && policy->token == token);
	gk_wr_init(&wr, octets, sizeof(octets));
	gdoi_group_id_encode(&wr, &dialect, &policy->id);
	must(wr.err == GK_OK);
	ask(policy);
	if (policy->rekey.on && gdoi_policy_set_source(policy, own) == GK_OK)
		must(policy->rekey.sak.ep.src.data.len != 0);
	gdoi_policy_free(policy);
	return 0;
}
