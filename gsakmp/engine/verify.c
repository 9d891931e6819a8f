/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/verify.h"

#include "common/base/gk_check.h"
#include "common/crypto/gk_trust.h"
#include "gsakmp/engine/permission.h"
#include "gsakmp/gsakmp_algorithm.h"

void
gsakmp_signer_clear(struct gsakmp_signer *signer)
{
	gk_cert_free(signer->cert);
	gk_buf_free(&signer->key);
	gk_path_free(&signer->path);
	gk_buf_free(&signer->grants);
	gsakmp_material_clear(&signer->material);
	*signer = (struct gsakmp_signer){ 0 };
}

enum gsakmp_notify
gsakmp_notify_freshness(const struct gsakmp_dialect *d)
{
	return (enum gsakmp_notify)gsakmp_dialect_freshness(d);
}

enum gsakmp_notify
gsakmp_notify_bad_cert(const struct gsakmp_dialect *d)
{
	return (enum gsakmp_notify)gsakmp_dialect_invalid_cert(d);
}

static enum gk_dn_compare
dn_compare(const struct gsakmp_dialect *d)
{
	if (d->dn_string == GSAKMP_DN_STRING_FORWARD)
		return GK_DN_COMPARE_FORWARD;
	if (d->dn_string == GSAKMP_DN_STRING_OCTETS)
		return GK_DN_COMPARE_OCTETS;
	return GK_DN_COMPARE_RFC4514;
}

void
gsakmp_signer_name(const struct gsakmp_message *msg,
                   struct gsakmp_signer *signer)
{
	signer->id_type = msg->signature.id_type;
	signer->id.kind = gsakmp_identity_kind(signer->id_type);
	signer->id.octets = msg->signature.signer_id;
	signer->party = (struct gpt_party){ .id = &signer->id };
}

/* The raw key that was configured for this identity; a reference. */
static struct gk_cert *
raw_of(const struct gsakmp_verify *v, struct gk_identity id)
{
	const struct gsakmp_party *p = v->party;

	for (size_t i = 0; i < p->n_raw; i++)
		if (gk_identity_equal(*p->raw[i].id, id,
		                      dn_compare(v->dialect)))
			return gk_cert_ref(p->raw[i].cert);
	return NULL;
}

/* Is it this party's?  A certificate says so itself, of a raw key the operator
 * did. */
static bool
binds(const struct gsakmp_verify *v, struct gk_identity id,
      const struct gk_cert *cert)
{
	const struct gsakmp_party *p = v->party;

	if (!gk_cert_is_raw(cert))
		return gk_identity_binds(id, cert, dn_compare(v->dialect));
	for (size_t i = 0; i < p->n_raw; i++)
		if (gk_cert_equal(p->raw[i].cert, cert) &&
		    gk_identity_equal(*p->raw[i].id, id,
		                      dn_compare(v->dialect)))
			return true;
	return false;
}

/* Whatever is nearest: what the message brought, what is known of the sender
 * already, what the operator configured (RFC4535-7.7.1-04). */
static void
choose(const struct gsakmp_verify *v, struct gsakmp_signer *signer)
{
	const struct gk_certs *certs = &signer->material.certs;

	for (size_t i = 0; i < certs->n && signer->cert == NULL; i++)
		if (binds(v, signer->id, certs->cert[i]))
			signer->cert = gk_cert_ref(certs->cert[i]);
	if (signer->cert == NULL && v->fallback != NULL &&
	    binds(v, signer->id, v->fallback))
		signer->cert = gk_cert_ref(v->fallback);
	if (signer->cert == NULL)
		signer->cert = raw_of(v, signer->id);
}

/* Octets have to be fetched before there is an answer. */
static enum gk_err
not_yet(struct gsakmp_signer *signer)
{
	signer->fetch = true;
	return GK_ERR_UNEXPECTED;
}

enum gk_err
gsakmp_signer_find(const struct gsakmp_verify *v,
                   const struct gsakmp_message *msg,
                   struct gsakmp_signer *signer, struct gsakmp_reject *why)
{
	gsakmp_signer_name(msg, signer);
	gsakmp_material_clear(&signer->material);
	GK_TRY(gsakmp_material_collect(v, msg, &signer->material, why));
	choose(v, signer);
	if (signer->cert == NULL && signer->material.n_wanted != 0)
		return not_yet(signer);
	/* Only kinds that are not in use here? */
	if (signer->cert == NULL && msg->n_certificates != 0 &&
	    signer->material.n_unusable == msg->n_certificates &&
	    GK_CHECKED("RFC4535-7.7.2-02"))
		return gsakmp_refuse(why, GK_ERR_AUTH,
		                     GSAKMP_NOTIFY_CERT_TYPE_UNSUPPORTED,
		                     "RFC4535-7.7.2-02", "Cert Type",
		                     msg->certificate[0].at);
	if (signer->cert == NULL &&
	    GK_CHECKED("RFC4535-7.8.2-05", "RFC4535-1.1-01",
	               "RFC4535-7.7.1-04"))
		return gsakmp_refuse(why, GK_ERR_AUTH,
		                     GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE,
		                     "RFC4535-7.8.2-05", "Signer ID Data",
		                     msg->signature.at);
	if (signer->cert == NULL)
		return GK_ERR_AUTH; /* nothing is left to check with */
	return gsakmp_member_key(signer->id, signer->cert, &signer->key);
}

static enum gk_err
build_path(const struct gsakmp_verify *v, struct gsakmp_signer *signer,
           struct gk_cert_fault *fault)
{
	const struct gk_trust_extra extra = {
		.certs = &signer->material.certs,
		.crls = signer->material.crls,
		.n_crls = signer->material.n_crls,
	};

	return gk_trust_verify(v->party->trust, signer->cert, &extra, v->utc,
	                       GK_KU_DIGITAL_SIGNATURE, &signer->path, fault);
}

enum gk_err
gsakmp_signer_path(const struct gsakmp_verify *v,
                   const struct gsakmp_message *msg,
                   struct gsakmp_signer *signer, struct gsakmp_reject *why)
{
	struct gk_cert_fault fault = { 0 };
	enum gk_err err;

	err = build_path(v, signer, &fault);
	if (err != GK_OK && fault.kind == GK_CERT_FAULT_UNKNOWN_ROOT &&
	    signer->material.n_wanted != 0)
		return not_yet(signer);
	if (err != GK_OK &&
	    GK_CHECKED("RFC4535-7.8.2-07", "RFC4535-7.7.2-05",
	               "RFC4535-5.2.3-06", "RFC4535-7.7.2-06", "RFC4535-4.2-01",
	               gsakmp_clauses(msg->header.exchange)->root)) {
		gsakmp_refuse(why, err,
		              fault.kind == GK_CERT_FAULT_UNKNOWN_ROOT
		                      ? GSAKMP_NOTIFY_INVALID_CERT_AUTHORITY
		                      : gsakmp_notify_bad_cert(v->dialect),
		              "RFC4535-7.8.2-07", "Certificate Data",
		              msg->n_certificates > 0 ? msg->certificate[0].at
		                                      : msg->signature.at);
		if (fault.text != NULL)
			gsakmp_reject_detail(why, "%s (%s)", fault.text,
			                     fault.subject);
		return err;
	}
	for (size_t i = 1; i < signer->path.n; i++)
		signer->ca[i - 1] = gk_cert_key_id(signer->path.cert[i]);
	signer->party.ca_key_ids = signer->ca;
	signer->party.n_ca_key_ids =
		signer->path.n != 0 ? signer->path.n - 1 : 0;
	signer->until = gsakmp_path_until(&signer->path);
	signer->party.permissions = gsakmp_permissions(
		v->party->trust, signer->cert, signer->material.acerts,
		signer->material.n_acerts, v->utc, &signer->grants,
		&signer->until);
	return GK_OK;
}

enum gk_err
gsakmp_signer_check(const struct gsakmp_verify *v,
                    const struct gsakmp_message *msg,
                    struct gsakmp_signer *signer, struct gsakmp_reject *why)
{
	/* A signature of another type than the policy's is not the mechanism
	 * that the group relies on, however well it verifies. */
	if (msg->signature.type != v->signature &&
	    GK_CHECKED("RFC4534-B.1.3.1-02"))
		return gsakmp_refuse(why, GK_ERR_POLICY,
		                     GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
		                     "RFC4534-B.1.3.1-02", "Signature Type",
		                     msg->signature.at);
	return gsakmp_message_verify(msg, v->dialect,
	                             gk_cert_pubkey(signer->cert), why);
}

struct gk_slice
gsakmp_party_signer_id(const struct gsakmp_party *party)
{
	return party->id->octets;
}

void
gsakmp_party_sign(const struct gsakmp_party *party, uint16_t signature,
                  bool with_certs, int64_t utc, struct gk_slice *ders,
                  struct gsakmp_sign *sign)
{
	*sign = (struct gsakmp_sign){
		.signer = party->signer,
		.type = signature,
		.id_type = gsakmp_identity_type(party->id->kind),
		.signer_id = party->id->octets,
		.utc = utc,
		.certs = ders,
	};
	if (with_certs && party->n_payloads != 0) {
		sign->certs = party->payloads;
		sign->cert_types = party->payload_types;
		sign->n_certs = party->n_payloads;
		return;
	}
	for (size_t i = 0;
	     with_certs && i < party->n_certs && i < GSAKMP_CERTIFICATES_MAX;
	     i++)
		ders[sign->n_certs++] = gk_cert_der(party->certs[i]);
}

bool
gsakmp_suite_extra(const struct gsakmp_suite *suite)
{
	return gsakmp_code_extra(GSAKMP_TABLE_SIGNATURE, suite->signature) ||
	       gsakmp_code_extra(GSAKMP_TABLE_NONCE_HASH, suite->nonce_hash) ||
	       gsakmp_code_extra(GSAKMP_TABLE_KEY_CREATION,
	                         suite->key_creation) ||
	       gsakmp_code_extra(GSAKMP_TABLE_KEY, suite->encryption);
}
