/* SPDX-License-Identifier: BSD-2-Clause */
/* <proposal>: what phase 1 may agree on (RFC 2409 section 4, appendix A). */
#include "gdoi/daemon/settings.h"

static const struct {
	const char *name;
	uint16_t value, bits;
} encryptions[] = {
	{ "aes256-cbc", IKE_ENCRYPTION_AES_CBC, 256 },
	{ "aes192-cbc", IKE_ENCRYPTION_AES_CBC, 192 },
	{ "aes128-cbc", IKE_ENCRYPTION_AES_CBC, 128 },
	{ "3des-cbc", IKE_ENCRYPTION_3DES_CBC, 0 },
	{ "des-cbc", IKE_ENCRYPTION_DES_CBC, 0 },
};

struct word {
	const char *name;
	uint16_t value;
};

static const struct word hashes[] = {
	{ "sha256", IKE_HASH_SHA256 }, { "sha384", IKE_HASH_SHA384 },
	{ "sha512", IKE_HASH_SHA512 }, { "sha1", IKE_HASH_SHA1 },
	{ "md5", IKE_HASH_MD5 },
};
static const struct word auths[] = {
	{ "psk", IKE_AUTH_PSK },
	{ "rsa", IKE_AUTH_RSA },
	{ "ecdsa-256", IKE_AUTH_ECDSA_256 },
	{ "ecdsa-384", IKE_AUTH_ECDSA_384 },
	{ "ecdsa-521", IKE_AUTH_ECDSA_521 },
};
static const struct word groups[] = {
	{ "ecp256", IKE_GROUP_ECP256 },     { "ecp384", IKE_GROUP_ECP384 },
	{ "ecp521", IKE_GROUP_ECP521 },     { "modp2048", IKE_GROUP_MODP2048 },
	{ "modp3072", IKE_GROUP_MODP3072 }, { "modp4096", IKE_GROUP_MODP4096 },
	{ "modp6144", IKE_GROUP_MODP6144 }, { "modp8192", IKE_GROUP_MODP8192 },
	{ "modp1536", IKE_GROUP_MODP1536 }, { "modp1024", IKE_GROUP_MODP1024 },
	{ "modp768", IKE_GROUP_MODP768 },
};

static enum gk_err
word(const struct gkd_config *config, const struct gkd_elem *elem,
     const char *path, const struct word *words, size_t n, uint16_t *value,
     struct gkd_why *why)
{
	const char *names[16] = { NULL };
	unsigned i;

	for (size_t k = 0; k < n; k++)
		names[k] = words[k].name;
	GK_TRY(gkd_elem_enum(config, elem, path, names, 0, &i, why));
	*value = words[i].value;
	return GK_OK;
}

/* Does anybody have the key for it? */
bool
gdoid_proposal_possible(const struct gdoid_phase1 *p,
                        const struct ike_suite *suite)
{
	struct gk_sig_alg alg = ike_suite_signature(suite);

	if (suite->auth == IKE_AUTH_PSK)
		return p->n_psk != 0;
	for (size_t i = 0; i < p->ike.n_credentials; i++)
		if (gk_pubkey_suits(gk_signer_pubkey(p->credential[i].signer),
		                    alg))
			return true;
	return false;
}

static enum gk_err
load_one(const struct gkd_config *config, const struct gkd_elem *elem,
         struct gdoid_phase1 *p, struct gkd_why *why)
{
	const char *names[GK_COUNT(encryptions) + 1] = { NULL };
	struct ike_suite *suite = &p->ike.suite[p->ike.n_suites];
	unsigned i;

	if (p->ike.n_suites == IKE_SUITES_MAX)
		return gkd_config_fail(config, elem, why,
		                       "more than %d proposals",
		                       IKE_SUITES_MAX);
	for (size_t k = 0; k < GK_COUNT(encryptions); k++)
		names[k] = encryptions[k].name;
	GK_TRY(gkd_elem_enum(config, elem, "@encryption", names, 0, &i, why));
	suite->encryption = encryptions[i].value;
	suite->key_bits = encryptions[i].bits;
	GK_TRY(word(config, elem, "@hash", hashes, GK_COUNT(hashes),
	            &suite->hash, why));
	GK_TRY(word(config, elem, "@authentication", auths, GK_COUNT(auths),
	            &suite->auth, why));
	GK_TRY(word(config, elem, "@group", groups, GK_COUNT(groups),
	            &suite->group, why));
	suite->life_s = p->ike.life_s;
	if (ike_suite_is_legacy(suite) && !p->ike.legacy_ok)
		return gkd_config_fail(config, elem, why,
		                       "is made of what protects nothing any "
		                       "more: allowed with legacy=\"yes\"");
	if (!gdoid_proposal_possible(p, suite))
		return gkd_config_fail(config, elem, why,
		                       "'@authentication': there is no %s",
		                       suite->auth == IKE_AUTH_PSK
		                               ? "<pre-shared-key>"
		                               : "certificate with such a key");
	p->ike.n_suites++;
	return GK_OK;
}

/* What is offered when the operator says nothing. */
static void
add_defaults(struct gdoid_phase1 *p)
{
	for (size_t a = 0; a < GK_COUNT(auths); a++)
		for (size_t g = 0; g < 2; g++) {
			struct ike_suite suite = {
				.encryption = IKE_ENCRYPTION_AES_CBC,
				.key_bits = 256,
				.hash = IKE_HASH_SHA256,
				.auth = auths[a].value,
				.group = g == 0 ? IKE_GROUP_ECP256
				                : IKE_GROUP_MODP2048,
				.life_s = p->ike.life_s,
			};

			if (suite.auth == IKE_AUTH_ECDSA_384)
				suite.hash = IKE_HASH_SHA384;
			if (suite.auth == IKE_AUTH_ECDSA_521)
				suite.hash = IKE_HASH_SHA512;
			if (gdoid_proposal_possible(p, &suite) &&
			    p->ike.n_suites < IKE_SUITES_MAX)
				p->ike.suite[p->ike.n_suites++] = suite;
		}
}

enum gk_err
gdoid_proposals_load(const struct gkd_config *config, struct gdoid_phase1 *p,
                     struct gkd_why *why)
{
	const struct gkd_elem *phase1 =
		gkd_elem_child(gkd_config_root(config), "phase1");

	for (const struct gkd_elem *e = gkd_elem_child(phase1, "proposal");
	     e != NULL; e = gkd_elem_next(e))
		GK_TRY(load_one(config, e, p, why));
	if (p->ike.n_suites == 0)
		add_defaults(p);
	if (p->ike.n_suites == 0)
		return gkd_config_fail(config, phase1, why,
		                       "there is neither a certificate nor a "
		                       "<pre-shared-key>: nobody can be "
		                       "authenticated");
	return GK_OK;
}

/* ---- for status --------------------------------------------------------- */

static const char *
text_of(const struct word *words, size_t n, uint16_t value)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].value == value)
			return words[i].name;
	return "?";
}

json_t *
gdoid_phase1_proposals(const struct gdoid_phase1 *phase1)
{
	json_t *list = json_array();

	for (size_t i = 0; i < phase1->ike.n_suites; i++) {
		const struct ike_suite *s = &phase1->ike.suite[i];
		const char *encryption = "?";

		for (size_t k = 0; k < GK_COUNT(encryptions); k++)
			if (encryptions[k].value == s->encryption &&
			    encryptions[k].bits == s->key_bits)
				encryption = encryptions[k].name;
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s}", "encryption",
		                  encryption, "hash",
		                  text_of(hashes, GK_COUNT(hashes), s->hash),
		                  "authentication",
		                  text_of(auths, GK_COUNT(auths), s->auth),
		                  "group",
		                  text_of(groups, GK_COUNT(groups), s->group)));
	}
	return list;
}
