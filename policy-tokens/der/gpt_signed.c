/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/der/gpt_signed.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"

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

/* The same checks in the words of other rows, of RFC 4535, too. */
static bool
checked(enum gk_cms_fault_kind kind)
{
	switch (kind) {
	case GK_CMS_FAULT_SIGNERS:
		return GK_CHECKED("RFC4534-2-02", "RFC4535-3.5-01");
	case GK_CMS_FAULT_SIGNER:
		return GK_CHECKED("RFC4534-1-01", "RFC4534-2-05",
		                  "RFC4535-4.4.1-01");
	case GK_CMS_FAULT_ATTRIBUTES:
		return GK_CHECKED("RFC4534-2-06");
	case GK_CMS_FAULT_SIGNATURE:
		return GK_CHECKED("RFC4534-4-01", "RFC4535-2-07",
		                  "RFC4535-5.2.1.2-16");
	default:
		return true;
	}
}

enum gk_err
gpt_signed_refuse(struct gpt_fault *why, enum gk_err err,
                  const struct gk_cms_fault *fault)
{
	if (!GK_CHECKED(cms_req(fault->kind)) || !checked(fault->kind))
		return GK_OK;
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

	if (!GK_CHECKED("RFC4534-2-08", "RFC4534-1-01", "RFC4534-2-05",
	                "RFC4535-4.4.1-01"))
		return GK_OK;
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

static enum gk_err
verify(struct gk_slice der, struct gk_cms_expect *expect,
       const struct gpt_owner *owner, int64_t now, struct gk_certs *included,
       struct gk_cms *cms, struct gk_cert **signer, struct gpt_fault *why)
{
	struct gk_cms_fault fault = { 0 };
	const struct gk_cert *signers[1];
	enum gk_err err;

	err = gk_cms_peek_untrusted(der, cms, &fault);
	if (err != GK_OK)
		return gpt_signed_refuse(why, err, &fault);
	if (strcmp(cms->content_type, expect->content_type) != 0 &&
	    GK_CHECKED("RFC4534-2-04"))
		return gpt_fault_set(why, GK_ERR_VALUE, "RFC4534-2-04",
		                     "eContentType",
		                     "content of type %s where %s is expected",
		                     cms->content_type, expect->content_type);
	GK_TRY(signer_find(owner, cms, included, signer));
	GK_TRY(owner_check(owner, *signer, included, now, why));

	signers[0] = *signer;
	expect->signer = signers;
	expect->n_signers = *signer ? 1 : 0;
	err = gk_cms_verify(der, expect, cms, NULL, &fault);
	return err == GK_OK ? err : gpt_signed_refuse(why, err, &fault);
}

enum gk_err
gpt_signed_verify(struct gk_slice der, const char *content_type,
                  const struct gk_slice *detached,
                  const struct gpt_owner *owner, int64_t now,
                  struct gk_cms *cms, struct gk_cert **signer,
                  struct gpt_fault *why)
{
	struct gk_cms_expect expect = { .content_type = content_type };
	struct gk_certs included = { 0 };
	struct gk_cert *found = NULL;
	enum gk_err err;

	if (owner->allow_sha1)
		expect.flags |= GK_CMS_LEGACY;
	if (detached) {
		expect.flags |= GK_CMS_DETACHED;
		expect.content = *detached;
	} else if (owner->bare_signed_data) {
		expect.flags |= GK_CMS_BARE;
	}
	err = verify(der, &expect, owner, now, &included, cms, &found, why);
	gk_certs_free(&included);
	if (err == GK_OK && signer)
		*signer = found;
	else
		gk_cert_free(found);
	return err;
}

enum gk_err
gpt_signed_extra(const struct gk_certs *chain, struct gk_certs *extra)
{
	*extra = (struct gk_certs){ 0 };
	for (size_t i = 1; i < chain->n; i++) {
		enum gk_err err = GK_OK;

		if (!gk_cert_is_self_issued(chain->cert[i]))
			err = gk_certs_add(extra, chain->cert[i]);
		if (err != GK_OK) {
			gk_certs_free(extra);
			return err;
		}
	}
	return GK_OK;
}
