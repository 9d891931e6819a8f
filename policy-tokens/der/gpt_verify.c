/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_verify.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_cms.h"
#include "common/crypto/gk_hash.h"
#include "policy-tokens/der/gpt_signed.h"

void
gpt_verified_free(struct gpt_verified *v)
{
	gpt_token_free(v->token);
	gk_buf_free(&v->der);
	gk_cert_free(v->signer);
	*v = (struct gpt_verified){ 0 };
}

/* RFC4534-2-09 and -3.1-03, with edition_equal. */
static enum gk_err
newer_check(const struct gpt_owner *owner, const struct gpt_seen *last,
            struct gpt_verified *out, struct gpt_fault *why)
{
	const struct gpt_token *token = out->token;

	if (!last || !last->any)
		return GK_OK;
	if (memcmp(last->digest, out->seen.digest, GPT_DIGEST_LEN) == 0) {
		out->identical = true;
		if (!owner->edition_reject)
			return GK_OK;
	}
	if (last->has_edition && !token->has_edition &&
	    GK_CHECKED("RFC4534-3.1-03"))
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-3.1-03",
		                     "tokenInfo.edition",
		                     "no edition, after edition %lld was seen",
		                     (long long)last->edition);
	if (last->has_edition && token->edition <= last->edition &&
	    GK_CHECKED("RFC4534-3.1-03"))
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-3.1-03",
		                     "tokenInfo.edition",
		                     "edition %lld is not greater than %lld, "
		                     "which was seen",
		                     (long long)token->edition,
		                     (long long)last->edition);
	if (out->seen.signing_time <= last->signing_time &&
	    GK_CHECKED("RFC4534-2-09"))
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-2-09",
		                     "signing-time",
		                     "not later than the signing-time of the "
		                     "last token");
	return GK_OK;
}

#define NAME_TEXT 72 /* of a name in hexadecimal; a longer one is cut */

static const char *
name_text(char out[NAME_TEXT], struct gk_slice name)
{
	if (name.len > (NAME_TEXT - 1) / 2)
		name.len = (NAME_TEXT - 1) / 2;
	return gk_hex(out, NAME_TEXT, name);
}

static enum gk_err
another_group(const struct gpt_owner *owner, const struct gpt_token *token,
              struct gpt_fault *why)
{
	char is[NAME_TEXT], wanted[NAME_TEXT];

	return gpt_fault_set(
		why, GK_ERR_POLICY, "RFC4534-3.1-02", "tokenInfo.groupName",
		"this is the token of another group: %s, wanted %s",
		name_text(is, gk_buf_slice(&token->group_name)),
		name_text(wanted, owner->group_name));
}

static enum gk_err
verify(struct gk_slice cms_der, const struct gpt_owner *owner,
       const struct gpt_seen *last, int64_t now, struct gpt_verified *out,
       struct gpt_fault *why)
{
	struct gk_cms cms;
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gpt_signed_verify(cms_der, GPT_OID_TOKEN, NULL, owner, now, &cms,
	                         &out->signer, why));

	/* From here on the octets are the Group Owner's. */
	GK_TRY(gk_buf_copy(&out->der, cms.content));
	GK_TRY(gpt_token_decode(cms.content, &out->token, why));
	if (owner->group_name.len > 0 &&
	    !gk_slice_equal(owner->group_name,
	                    gk_buf_slice(&out->token->group_name)) &&
	    GK_CHECKED("RFC4534-3.1-02"))
		return another_group(owner, out->token, why);

	GK_TRY(gk_hash(GK_HASH_SHA256, &cms_der, 1, digest));
	out->seen = (struct gpt_seen){
		.any = true,
		.has_edition = out->token->has_edition,
		.edition = out->token->edition,
		.signing_time = cms.signing_time,
	};
	memcpy(out->seen.digest, digest, GPT_DIGEST_LEN);
	return newer_check(owner, last, out, why);
}

enum gk_err
gpt_token_verify(struct gk_slice cms, const struct gpt_owner *owner,
                 const struct gpt_seen *last, int64_t now,
                 struct gpt_verified *out, struct gpt_fault *why)
{
	size_t cap = owner->cap ? owner->cap : GPT_TOKEN_CAP;
	struct gpt_verified made = { 0 };
	enum gk_err err;

	if (cms.len > cap)
		return gpt_fault_set(why, GK_ERR_SPACE, NULL, "SignedData",
		                     "%zu octets, more than the %zu accepted",
		                     cms.len, cap);
	err = verify(cms, owner, last, now, &made, why);
	if (err == GK_ERR_NOMEM || err == GK_ERR_CRYPTO)
		(void)gpt_fault_set(why, err, NULL, NULL, "%s",
		                    gk_strerror(err));
	if (err != GK_OK) {
		gpt_verified_free(&made);
		return err;
	}
	*out = made;
	return GK_OK;
}

enum gk_err
gpt_token_peek(struct gk_slice cms_der, struct gpt_token **token,
               int64_t *signing_time, struct gpt_fault *why)
{
	struct gk_cms_fault fault = { 0 };
	struct gk_cms cms;
	enum gk_err err = gk_cms_peek_untrusted(cms_der, &cms, &fault);

	if (err != GK_OK)
		return gpt_signed_refuse(why, err, &fault);
	if (strcmp(cms.content_type, GPT_OID_TOKEN) != 0 &&
	    GK_CHECKED("RFC4534-2-04"))
		return gpt_fault_set(why, GK_ERR_VALUE, "RFC4534-2-04",
		                     "eContentType", "%s is not a policy token",
		                     cms.content_type);
	*signing_time = cms.signing_time;
	return gpt_token_decode(cms.content, token, why);
}

enum gk_err
gpt_token_restore(struct gk_slice cms_der, struct gpt_verified *out,
                  struct gpt_fault *why)
{
	struct gpt_verified made = { .seen = { .any = true } };
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, &cms_der, 1, digest));
	GK_TRY(gpt_token_peek(cms_der, &made.token, &made.seen.signing_time,
	                      why));
	made.seen.has_edition = made.token->has_edition;
	made.seen.edition = made.token->edition;
	memcpy(made.seen.digest, digest, GPT_DIGEST_LEN);
	*out = made;
	return GK_OK;
}

static enum gk_err
sign(struct gk_slice der, const struct gk_signer *signer,
     const struct gk_cert *cert, const struct gk_certs *extra,
     int64_t signing_time, bool bare, struct gk_buf *cms, struct gpt_fault *why)
{
	const struct gk_pubkey *pub = gk_signer_pubkey(signer);
	const struct gk_cms_signing signing = {
		.signer = signer,
		.alg = gk_pubkey_default_alg(pub),
		.cert = cert,
		.content_type = GPT_OID_TOKEN,
		.signing_time = signing_time,
		.extra = extra,
		.flags = bare ? GK_CMS_BARE : 0,
	};
	enum gk_err err = gk_cms_sign(&signing, der, cms);

	if (err == GK_OK)
		return GK_OK;
	return gpt_fault_set(why, err, "RFC4534-2-02", "SignerInfo", "%s",
	                     err == GK_ERR_VALUE
	                             ? "the key and the certificate do not "
	                               "belong together"
	                             : gk_strerror(err));
}

enum gk_err
gpt_token_sign(struct gk_slice der, const struct gk_signer *signer,
               const struct gk_cert *cert, int64_t signing_time, bool bare,
               struct gk_buf *cms, struct gpt_fault *why)
{
	return sign(der, signer, cert, NULL, signing_time, bare, cms, why);
}

enum gk_err
gpt_token_sign_chain(struct gk_slice der, const struct gk_signer *signer,
                     const struct gk_certs *chain, int64_t signing_time,
                     bool bare, struct gk_buf *cms, struct gpt_fault *why)
{
	struct gk_certs extra = { 0 };
	enum gk_err err = gpt_signed_extra(chain, &extra);

	if (err == GK_OK)
		err = sign(der, signer, chain->cert[0], &extra, signing_time,
		           bare, cms, why);
	gk_certs_free(&extra);
	return err;
}
