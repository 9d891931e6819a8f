/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_verify.h"

#include <stdio.h>
#include <string.h>

#include "common/crypto/gk_cms.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"

void
gpt_verified_free(struct gpt_verified *v)
{
	gpt_token_free(v->token);
	gk_buf_free(&v->der);
	gk_cert_free(v->signer);
	*v = (struct gpt_verified){ 0 };
}

/* Which row of RFC 4534 section 2 a fault of the CMS layer breaks. */
static const char *
cms_req(enum gk_cms_fault_kind kind)
{
	switch (kind) {
	case GK_CMS_FAULT_CONTENT_TYPE:
		return "RFC4534-2-04";
	case GK_CMS_FAULT_SIGNERS:
	case GK_CMS_FAULT_SIGNER:
		return "RFC4534-2-08";
	case GK_CMS_FAULT_ATTRIBUTES:
		return "RFC4534-2-07";
	case GK_CMS_FAULT_ALGORITHM:
	case GK_CMS_FAULT_LEGACY:
		return "RFC4534-2-11";
	case GK_CMS_FAULT_DIGEST:
	case GK_CMS_FAULT_SIGNATURE:
		return "RFC4534-2-10";
	case GK_CMS_FAULT_NONE:
	case GK_CMS_FAULT_SIZE:
	case GK_CMS_FAULT_ENCODING:
	case GK_CMS_FAULT_FORM:
	case GK_CMS_FAULT_CONTENT:
		break;
	}
	return "RFC4534-2-03";
}

static enum gk_err
cms_refuse(struct gpt_fault *why, enum gk_err err,
           const struct gk_cms_fault *fault)
{
	(void)gpt_fault_set(why, err, cms_req(fault->kind),
	                    fault->field ? fault->field : "SignedData", "%s",
	                    fault->text ? fault->text : gk_strerror(err));
	if (why && fault->kind == GK_CMS_FAULT_ENCODING)
		why->offset = fault->offset;
	return err;
}

/* Does the SignerInfo's sid name this certificate? */
static bool
sid_names(const struct gk_cms *cms, const struct gk_cert *cert)
{
	if (cms->sid_key_id.len > 0)
		return gk_cert_has_ski(cert) &&
		       gk_slice_equal(cms->sid_key_id, gk_cert_key_id(cert));
	return gk_slice_equal(cms->sid_issuer, gk_cert_issuer(cert)) &&
	       gk_slice_equal(cms->sid_serial, gk_cert_serial_der(cert));
}

/* The certificate that the sid names: the configured one, or one that came
 * along.  A reference, or NULL. */
static enum gk_err
signer_find(const struct gpt_owner *owner, const struct gk_cms *cms,
            struct gk_certs *included, struct gk_cert **signer)
{
	*signer = NULL;
	for (size_t i = 0; i < cms->n_certs; i++) {
		struct gk_cert *cert;
		enum gk_err err = gk_cert_from_der(cms->cert[i], &cert);

		if (err == GK_ERR_NOMEM)
			return err;
		if (err != GK_OK)
			continue; /* what cannot be read cannot help */
		if (!owner->cert && !*signer && sid_names(cms, cert))
			*signer = gk_cert_ref(cert);
		err = gk_certs_add(included, cert);
		gk_cert_free(cert);
		GK_TRY(err);
	}
	if (owner->cert && sid_names(cms, owner->cert))
		*signer = gk_cert_ref(owner->cert);
	return GK_OK;
}

/* RFC4534-2-05 and -08: is this certificate the Group Owner's? */
static enum gk_err
owner_check(const struct gpt_owner *owner, const struct gk_cert *signer,
            const struct gk_certs *included, int64_t now, struct gpt_fault *why)
{
	const struct gk_trust_extra extra = { .certs = included };
	struct gk_cert_fault fault = { 0 };
	char name[160];
	enum gk_err err;

	if (!signer)
		return gpt_fault_set(why, GK_ERR_AUTH, "RFC4534-2-08",
		                     "SignerInfo.sid",
		                     "not signed by the Group Owner's "
		                     "certificate");
	if (owner->id &&
	    !gk_identity_binds(*owner->id, signer, GK_DN_COMPARE_RFC4514))
		return gpt_fault_set(
			why, GK_ERR_AUTH, "RFC4534-2-08", "SignerInfo.sid",
			"the signer's certificate is not that of the Group "
			"Owner %s",
			gk_identity_print(name, sizeof(name), *owner->id));

	/* With neither a name nor a certificate configured anybody under the
	 * roots could issue policy: that is nobody's Group Owner. */
	if (!owner->id && !owner->cert)
		return gpt_fault_set(why, GK_ERR_AUTH, "RFC4534-2-08",
		                     "SignerInfo.sid",
		                     "no Group Owner is configured");
	if (!owner->trust)
		return owner->cert ? GK_OK
		                   : gpt_fault_set(
					     why, GK_ERR_AUTH, "RFC4534-2-08",
					     "SignerInfo.sid",
					     "no roots are configured for the "
					     "Group Owner's certificate");

	err = gk_trust_verify(owner->trust, signer, &extra, now,
	                      GK_KU_DIGITAL_SIGNATURE, NULL, &fault);
	if (err != GK_OK)
		return gpt_fault_set(why, err, "RFC4534-2-08", "certificates",
		                     "the Group Owner's certificate: %s (%s)",
		                     fault.text ? fault.text : gk_strerror(err),
		                     fault.subject);
	return GK_OK;
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
	if (last->has_edition && !token->has_edition)
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-3.1-03",
		                     "tokenInfo.edition",
		                     "no edition, after edition %lld was seen",
		                     (long long)last->edition);
	if (last->has_edition && token->edition <= last->edition)
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-3.1-03",
		                     "tokenInfo.edition",
		                     "edition %lld is not greater than %lld, "
		                     "which was seen",
		                     (long long)token->edition,
		                     (long long)last->edition);
	if (out->seen.signing_time <= last->signing_time)
		return gpt_fault_set(why, GK_ERR_REPLAY, "RFC4534-2-09",
		                     "signing-time",
		                     "not later than the signing-time of the "
		                     "last token");
	return GK_OK;
}

static enum gk_err
verify(struct gk_slice cms_der, const struct gpt_owner *owner,
       const struct gpt_seen *last, int64_t now, struct gk_certs *included,
       struct gpt_verified *out, struct gpt_fault *why)
{
	struct gk_cms_expect expect = { .content_type = GPT_OID_TOKEN };
	struct gk_cms_fault fault = { 0 };
	const struct gk_cert *signers[1];
	struct gk_cms cms;
	uint8_t digest[GK_HASH_MAX];
	enum gk_err err;

	err = gk_cms_peek_untrusted(cms_der, &cms, &fault);
	if (err != GK_OK)
		return cms_refuse(why, err, &fault);
	if (strcmp(cms.content_type, GPT_OID_TOKEN) != 0)
		return gpt_fault_set(why, GK_ERR_VALUE, "RFC4534-2-04",
		                     "eContentType",
		                     "%s is not a policy token (%s)",
		                     cms.content_type, GPT_OID_TOKEN);
	GK_TRY(signer_find(owner, &cms, included, &out->signer));
	GK_TRY(owner_check(owner, out->signer, included, now, why));

	signers[0] = out->signer;
	expect.signer = signers;
	expect.n_signers = 1;
	expect.flags = (owner->bare_signed_data ? GK_CMS_BARE : 0) |
	               (owner->allow_sha1 ? GK_CMS_LEGACY : 0);
	err = gk_cms_verify(cms_der, &expect, &cms, NULL, &fault);
	if (err != GK_OK)
		return cms_refuse(why, err, &fault);

	/* From here on the octets are the Group Owner's. */
	GK_TRY(gk_buf_copy(&out->der, cms.content));
	err = gpt_token_decode(cms.content, &out->token, why);
	if (err != GK_OK)
		return err;
	if (owner->group_name.len > 0 &&
	    !gk_slice_equal(owner->group_name,
	                    gk_buf_slice(&out->token->group_name)))
		return gpt_fault_set(why, GK_ERR_POLICY, "RFC4534-3.1-02",
		                     "tokenInfo.groupName",
		                     "this is the token of another group");

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
	struct gk_certs included = { 0 };
	enum gk_err err;

	if (cms.len > cap)
		return gpt_fault_set(why, GK_ERR_SPACE, NULL, "SignedData",
		                     "%zu octets, more than the %zu accepted",
		                     cms.len, cap);
	err = verify(cms, owner, last, now, &included, &made, why);
	gk_certs_free(&included);
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
		return cms_refuse(why, err, &fault);
	if (strcmp(cms.content_type, GPT_OID_TOKEN) != 0)
		return gpt_fault_set(why, GK_ERR_VALUE, "RFC4534-2-04",
		                     "eContentType", "%s is not a policy token",
		                     cms.content_type);
	*signing_time = cms.signing_time;
	return gpt_token_decode(cms.content, token, why);
}

enum gk_err
gpt_token_sign(struct gk_slice der, const struct gk_signer *signer,
               const struct gk_cert *cert, int64_t signing_time, bool bare,
               struct gk_buf *cms, struct gpt_fault *why)
{
	const struct gk_pubkey *pub = gk_signer_pubkey(signer);
	const struct gk_cms_signing signing = {
		.signer = signer,
		.alg = gk_pubkey_default_alg(pub),
		.cert = cert,
		.content_type = GPT_OID_TOKEN,
		.signing_time = signing_time,
		.flags = bare ? GK_CMS_BARE : 0,
	};
	enum gk_err err = gk_cms_sign(&signing, der, cms);

	if (err != GK_OK)
		return gpt_fault_set(
			why, err, "RFC4534-2-02", "SignerInfo", "%s",
			err == GK_ERR_VALUE
				? "the key and the certificate do not "
				  "belong together"
				: gk_strerror(err));
	return GK_OK;
}
