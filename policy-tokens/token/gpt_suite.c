/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_suite.h"

#include <string.h>

static const struct {
	const char *oid;
	const char *name;
	bool private;
	int64_t sig, hash, kex, wrap;
} suites[] = {
	/* RFC 4535 section 6.2 */
	{ GPT_OID_SUITE_ONE, "suite-1", false, GPT_SIG_DSS_SHA1, GPT_HASH_SHA1,
	  GPT_KEX_MODP1024, GPT_KEY_AES_CBC_128 },
	{ GPT_OID_SUITE_P256, "p256-gcm", true, GPT_SIG_ECDSA_P256_SHA256,
	  GPT_HASH_SHA256, GPT_KEX_P256, GPT_KEY_AES_GCM_128 },
	{ GPT_OID_SUITE_RSA2048, "rsa2048-cbc", true, GPT_SIG_RSA_SHA256,
	  GPT_HASH_SHA256, GPT_KEX_MODP2048_HKDF, GPT_KEY_AES_CBC_256 },
};

static int
suite_find(const char *oid)
{
	for (size_t i = 0; oid && i < GK_COUNT(suites); i++)
		if (strcmp(suites[i].oid, oid) == 0)
			return (int)i;
	return -1;
}

enum gk_err
gpt_suite_expand(const char *oid, struct gpt_mechanisms *out)
{
	int i = suite_find(oid);

	if (i < 0)
		return GK_ERR_VALUE;
	*out = (struct gpt_mechanisms){
		.sig_algorithm = suites[i].sig,
		.hash_algorithm = suites[i].hash,
		.key_exchange = suites[i].kex,
		.key_wrap = suites[i].wrap,
		.terse = true,
	};
	return GK_OK;
}

const char *
gpt_suite_name(const char *oid)
{
	int i = suite_find(oid);

	return i < 0 ? NULL : suites[i].name;
}

const char *
gpt_suite_oid(const char *name)
{
	for (size_t i = 0; i < GK_COUNT(suites); i++)
		if (strcmp(suites[i].name, name) == 0)
			return suites[i].oid;
	return NULL;
}

bool
gpt_suite_is_private(const char *oid)
{
	int i = suite_find(oid);

	return i >= 0 && suites[i].private;
}

enum gk_err
gpt_suite_choose(const struct gpt_register *reg,
                 const struct gpt_support *support, struct gpt_mechanisms *out,
                 size_t *index)
{
	for (size_t i = 0; i < reg->n_mechanisms; i++) {
		const struct gpt_join_mechanism *m = &reg->mechanisms[i];
		struct gpt_mechanisms set = m->alacarte;

		/* A suite nobody here knows is skipped, not an error. */
		if (m->suite && gpt_suite_expand(m->suite, &set) != GK_OK)
			continue;
		if (!support->mechanisms(support->ctx, &set))
			continue;
		*out = set;
		if (index)
			*index = i;
		return GK_OK;
	}
	return GK_ERR_POLICY;
}
