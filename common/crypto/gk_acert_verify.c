/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 5755 section 5, in its order. */
#include <string.h>

#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_oid.h"
#include "common/crypto/gk_trust_impl.h"

const char *
gk_acert_fault_text(enum gk_acert_fault fault)
{
	static const char *const text[] = {
#define X(name, words) words,
		GK_ACERT_FAULT_LIST(X)
#undef X
	};

	return (size_t)fault < GK_COUNT(text) ? text[fault] : "";
}

static enum gk_err
blame(enum gk_acert_fault *out, enum gk_acert_fault fault)
{
	*out = fault;
	return gk_ossl_fail(fault == GK_ACERT_FAULT_WEAK ? GK_ERR_POLICY
	                                                 : GK_ERR_AUTH);
}

/* ---- the holder --------------------------------------------------------- */

static enum gk_hash
hash_of(struct gk_slice oid)
{
	static const struct {
		const char *oid;
		enum gk_hash hash;
	} known[] = {
		{ "1.3.14.3.2.26", GK_HASH_SHA1_LEGACY },
		{ "2.16.840.1.101.3.4.2.1", GK_HASH_SHA256 },
		{ "2.16.840.1.101.3.4.2.2", GK_HASH_SHA384 },
		{ "2.16.840.1.101.3.4.2.3", GK_HASH_SHA512 },
	};
	char text[GK_OID_TEXT_MAX];

	if (gk_oid_text(oid, text) != GK_OK)
		return GK_HASH_NONE;
	for (size_t i = 0; i < GK_COUNT(known); i++)
		if (strcmp(known[i].oid, text) == 0)
			return known[i].hash;
	return GK_HASH_NONE;
}

static bool
digest_holds(const struct gk_acert *a, const struct gk_cert *cert)
{
	struct gk_slice in = a->digest_type == 0
	                             ? gk_pubkey_spki(gk_cert_pubkey(cert))
	                             : gk_cert_der(cert);
	enum gk_hash hash = hash_of(a->digest_alg);
	uint8_t digest[GK_HASH_MAX];

	if (a->digest_type == 1 && gk_cert_is_raw(cert))
		return false;
	return hash != GK_HASH_NONE && gk_hash(hash, &in, 1, digest) == GK_OK &&
	       gk_slice_equal(a->digest,
	                      (struct gk_slice){ digest, gk_hash_size(hash) });
}

/* All that the certificate says of its holder has to fit (RFC 5755 4.2.2). */
bool
gk_acert_holds(const struct gk_acert *a, const struct gk_cert *cert)
{
	bool named = a->base_issuer.len != 0 || a->entity.len != 0;

	if (named && gk_cert_is_raw(cert))
		return false;
	if (a->base_issuer.len != 0 &&
	    (!gk_slice_equal(a->base_issuer, gk_cert_issuer(cert)) ||
	     !gk_slice_equal(a->base_serial, gk_cert_serial_der(cert))))
		return false;
	if (a->entity.len != 0 &&
	    !gk_slice_equal(a->entity, gk_cert_subject(cert)))
		return false;
	if (a->digest_type >= 0 && !digest_holds(a, cert))
		return false;
	return named || a->digest_type >= 0;
}

/* ---- the issuer --------------------------------------------------------- */

enum gk_err
gk_trust_add_authority(struct gk_trust *trust, const struct gk_cert *cert)
{
	return gk_certs_add(&trust->authorities, cert);
}

/* The digest and the kind of key of an AlgorithmIdentifier. */
static enum gk_err
read_alg(const struct gk_acert *a, const EVP_MD **md, int *kind, bool *legacy)
{
	const uint8_t *p = a->sig_alg.ptr;
	X509_ALGOR *alg = d2i_X509_ALGOR(NULL, &p, (long)a->sig_alg.len);
	const ASN1_OBJECT *oid = NULL;
	int nid, digest = NID_undef;

	if (alg == NULL)
		return GK_ERR_VALUE;
	X509_ALGOR_get0(&oid, NULL, NULL, alg);
	nid = OBJ_obj2nid(oid);
	X509_ALGOR_free(alg);
	if (!OBJ_find_sigid_algs(nid, &digest, kind))
		return GK_ERR_VALUE;
	*md = digest == NID_undef ? NULL : EVP_get_digestbynid(digest);
	*legacy = gk_ossl_sigalg_legacy(nid);
	return GK_OK;
}

static bool
signed_by(const struct gk_acert *a, const struct gk_cert *authority,
          bool *legacy)
{
	EVP_PKEY *pkey = gk_pubkey_pkey(gk_cert_pubkey(authority));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = NULL;
	int kind = NID_undef;
	bool ok;

	gk_ossl_count();
	ok = ctx != NULL && read_alg(a, &md, &kind, legacy) == GK_OK &&
	     EVP_PKEY_get_base_id(pkey) == kind &&
	     EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey) == 1 &&
	     EVP_DigestVerify(ctx, a->sig.ptr, a->sig.len, a->info.ptr,
	                      a->info.len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static const struct gk_cert *
authority_of(const struct gk_trust *trust, struct gk_slice issuer, size_t *i)
{
	for (; *i < trust->authorities.n; (*i)++)
		if (gk_slice_equal(gk_cert_subject(trust->authorities.cert[*i]),
		                   issuer))
			return trust->authorities.cert[(*i)++];
	return NULL;
}

/* On a list that the authority itself signed?  Who issues no list, or says with
 * noRevAvail that there never will be one, revokes by letting them expire. */
static bool
revoked(const struct gk_trust *trust, const struct gk_acert *a,
        const struct gk_cert *authority)
{
	pthread_rwlock_t *lock = (pthread_rwlock_t *)(uintptr_t)&trust->lock;
	X509 *issuer = gk_cert_x509(authority);
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	bool out = false;

	if (serial == NULL || a->serial.len > INT_MAX ||
	    ASN1_STRING_set(serial, a->serial.ptr, (int)a->serial.len) != 1) {
		ASN1_INTEGER_free(serial);
		return true;
	}
	while (ASN1_STRING_length(serial) > 1 &&
	       ASN1_STRING_get0_data(serial)[0] == 0)
		ASN1_STRING_set(serial, ASN1_STRING_get0_data(serial) + 1,
		                ASN1_STRING_length(serial) - 1);
	pthread_rwlock_rdlock(lock);
	for (int i = 0; i < sk_X509_CRL_num(trust->crls.stack) && !out; i++) {
		X509_CRL *crl = sk_X509_CRL_value(trust->crls.stack, i);
		X509_REVOKED *entry = NULL;

		out = X509_NAME_cmp(X509_CRL_get_issuer(crl),
		                    X509_get_subject_name(issuer)) == 0 &&
		      X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1 &&
		      X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	}
	pthread_rwlock_unlock(lock);
	ASN1_INTEGER_free(serial);
	return out;
}

static enum gk_err
issuer_vouches(const struct gk_acert *a, const struct gk_trust *trust,
               int64_t utc, enum gk_acert_fault *fault)
{
	enum gk_acert_fault worst = GK_ACERT_FAULT_ISSUER;
	const struct gk_cert *aa;
	size_t i = 0;

	/* A renewed authority has the name of the one before. */
	while ((aa = authority_of(trust, a->issuer, &i)) != NULL) {
		bool legacy = true;

		if (!signed_by(a, aa, &legacy))
			worst = GK_ACERT_FAULT_SIGNATURE;
		else if (legacy && !trust->policy.allow_legacy)
			worst = GK_ACERT_FAULT_WEAK;
		else if (gk_cert_is_ca(aa) ||
		         gk_trust_verify(trust, aa, NULL, utc,
		                         GK_KU_DIGITAL_SIGNATURE, NULL,
		                         NULL) != GK_OK)
			worst = GK_ACERT_FAULT_AUTHORITY;
		else if (revoked(trust, a, aa))
			return blame(fault, GK_ACERT_FAULT_REVOKED);
		else
			return gk_ossl_fail(GK_OK);
	}
	return blame(fault, worst);
}

enum gk_err
gk_acert_verify(const struct gk_acert *a, const struct gk_trust *trust,
                const struct gk_cert *holder, int64_t utc,
                enum gk_acert_fault *fault)
{
	*fault = GK_ACERT_FAULT_NONE;
	if (!gk_acert_holds(a, holder))
		return blame(fault, GK_ACERT_FAULT_HOLDER);
	if (utc < a->not_before || utc > a->not_after)
		return blame(fault, GK_ACERT_FAULT_VALIDITY);
	if (a->critical)
		return blame(fault, GK_ACERT_FAULT_EXTENSION);
	return issuer_vouches(a, trust, utc, fault);
}
