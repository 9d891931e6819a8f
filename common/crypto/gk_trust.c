/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator trusts; gk_path.c builds paths from it. */
#include "common/base/gk_check.h"
#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_path_impl.h"
#include "common/crypto/gk_x509_der.h"

#include <stdlib.h>

#include <openssl/pem.h>

enum gk_err
gk_trust_new(const struct gk_trust_policy *policy, struct gk_trust **out)
{
	struct gk_trust *trust = calloc(1, sizeof(*trust));

	*out = NULL;
	if (trust == NULL)
		return GK_ERR_NOMEM;
	trust->store = X509_STORE_new();
	if (trust->store == NULL ||
	    pthread_rwlock_init(&trust->lock, NULL) != 0) {
		X509_STORE_free(trust->store);
		free(trust);
		return gk_ossl_fail(GK_ERR_NOMEM);
	}
	X509_STORE_set_check_crl(trust->store, gk_path_check_crl);
	if (policy != NULL)
		trust->policy = *policy;
	if (trust->policy.min_rsa_bits == 0)
		trust->policy.min_rsa_bits =
			trust->policy.allow_legacy ? 1024 : 2048;
	if (trust->policy.min_dsa_bits == 0)
		trust->policy.min_dsa_bits =
			trust->policy.allow_legacy ? 1024 : 2048;
	if (trust->policy.max_path == 0)
		trust->policy.max_path = 8;
	if (trust->policy.max_path > GK_PATH_MAX)
		trust->policy.max_path = GK_PATH_MAX;
	*out = trust;
	return GK_OK;
}

void
gk_trust_free(struct gk_trust *trust)
{
	if (trust == NULL)
		return;
	gk_certs_free(&trust->anchors);
	gk_certs_free(&trust->intermediates);
	gk_certs_free(&trust->raw);
	gk_certs_free(&trust->authorities);
	X509_STORE_free(trust->store);
	gk_crls_clear(&trust->crls);
	pthread_rwlock_destroy(&trust->lock);
	free(trust);
}

enum gk_err
gk_trust_add_anchor(struct gk_trust *trust, const struct gk_cert *cert)
{
	if (X509_STORE_add_cert(trust->store, gk_cert_x509(cert)) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	return gk_certs_add(&trust->anchors, cert);
}

enum gk_err
gk_trust_add_intermediate(struct gk_trust *trust, const struct gk_cert *cert)
{
	return gk_certs_add(&trust->intermediates, cert);
}

enum gk_err
gk_trust_add_raw_key(struct gk_trust *trust, const struct gk_cert *cert)
{
	return gk_certs_add(&trust->raw, cert);
}

bool
gk_trust_is_anchor(const struct gk_trust *trust, const struct gk_cert *cert)
{
	for (size_t i = 0; i < trust->anchors.n; i++)
		if (gk_cert_equal(trust->anchors.cert[i], cert))
			return true;
	return false;
}

static const struct gk_cert *
with_der(const struct gk_certs *certs, struct gk_slice der)
{
	for (size_t i = 0; i < certs->n; i++)
		if (gk_slice_equal(gk_cert_der(certs->cert[i]), der))
			return certs->cert[i];
	return NULL;
}

enum gk_err
gk_trust_cert(const struct gk_trust *trust, struct gk_slice der,
              struct gk_cert **cert)
{
	const struct gk_cert *known = with_der(&trust->intermediates, der);

	if (known == NULL)
		known = with_der(&trust->anchors, der);
	if (known == NULL)
		return gk_cert_from_der(der, cert);
	*cert = gk_cert_ref(known);
	return GK_OK;
}

const struct gk_certs *
gk_trust_anchors(const struct gk_trust *trust)
{
	return &trust->anchors;
}

X509_CRL *
gk_crl_parse(const struct gk_trust_policy *policy, struct gk_slice der)
{
	const uint8_t *p = der.ptr;
	X509_CRL *crl;

	if (der.len == 0 || der.len > GK_CRL_MAX_LEN)
		return NULL;
	if (GK_CHECKED("RFC5280-5.1-01") && !gk_der_crl(der))
		return NULL;
	crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	if (crl != NULL &&
	    (p != der.ptr + der.len ||
	     (!policy->allow_legacy &&
	      gk_ossl_sigalg_legacy(X509_CRL_get_signature_nid(crl))))) {
		X509_CRL_free(crl);
		crl = NULL;
	}
	(void)gk_ossl_fail(GK_OK);
	return crl;
}

enum gk_err
gk_crl_id(struct gk_slice der, uint8_t id[GK_CERT_ID_LEN])
{
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, &der, 1, digest));
	memcpy(id, digest, GK_CERT_ID_LEN);
	return GK_OK;
}

static bool
read_dates(X509_CRL *crl, struct gk_crl_facts *facts)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);

	facts->until = INT64_MAX;
	facts->exact = true;
	return gk_ossl_time(X509_CRL_get0_lastUpdate(crl), &facts->from,
	                    &facts->exact) == GK_OK &&
	       (next == NULL ||
	        gk_ossl_time(next, &facts->until, &facts->exact) == GK_OK);
}

void
gk_crl_facts(X509_CRL *crl, struct gk_crl_facts *facts)
{
	facts->plain = X509_CRL_get_ext_by_NID(
			       crl, NID_issuing_distribution_point, -1) < 0 &&
	               X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) < 0;
	if (!read_dates(crl, facts))
		facts->exact = false;
}

bool
gk_crl_in_force(const struct gk_crl_facts *facts, int64_t utc)
{
	return facts->exact && facts->from <= utc && facts->until >= utc;
}

enum gk_err
gk_crls_add(struct gk_crls *crls, X509_CRL *crl,
            const struct gk_crl_facts *facts)
{
	size_t n =
		crls->stack == NULL ? 0 : (size_t)sk_X509_CRL_num(crls->stack);
	struct gk_crl_facts *grown;

	if (crls->stack == NULL)
		crls->stack = sk_X509_CRL_new_null();
	grown = reallocarray(crls->facts, n + 1, sizeof(*grown));
	if (grown != NULL)
		crls->facts = grown;
	if (grown == NULL || crls->stack == NULL || X509_CRL_up_ref(crl) != 1)
		return gk_ossl_fail(GK_ERR_NOMEM);
	if (sk_X509_CRL_push(crls->stack, crl) <= 0) {
		X509_CRL_free(crl);
		return gk_ossl_fail(GK_ERR_NOMEM);
	}
	crls->facts[n] = *facts;
	return GK_OK;
}

bool
gk_crls_have(const struct gk_crls *crls, const uint8_t id[GK_CERT_ID_LEN])
{
	for (int i = 0; i < sk_X509_CRL_num(crls->stack); i++)
		if (memcmp(crls->facts[i].id, id, GK_CERT_ID_LEN) == 0)
			return true;
	return false;
}

void
gk_crls_clear(struct gk_crls *crls)
{
	sk_X509_CRL_pop_free(crls->stack, X509_CRL_free);
	free(crls->facts);
	*crls = (struct gk_crls){ 0 };
}

static enum gk_err
add_one(struct gk_trust *trust, struct gk_slice der)
{
	X509_CRL *crl = gk_crl_parse(&trust->policy, der);
	struct gk_crl_facts facts;
	enum gk_err err;

	if (crl == NULL)
		return GK_ERR_VALUE;
	gk_crl_facts(crl, &facts);
	err = gk_crl_id(der, facts.id);
	pthread_rwlock_wrlock(&trust->lock);
	if (err == GK_OK)
		err = gk_crls_add(&trust->crls, crl, &facts);
	pthread_rwlock_unlock(&trust->lock);
	X509_CRL_free(crl);
	return err;
}

enum gk_err
gk_trust_add_crl(struct gk_trust *trust, struct gk_slice in)
{
	char *name = NULL, *header = NULL;
	enum gk_err err = GK_OK;
	uint8_t *data = NULL;
	size_t found = 0;
	long n = 0;
	BIO *bio;

	if (in.len == 0 || in.len > GK_CRL_MAX_LEN)
		return GK_ERR_VALUE;
	if (in.ptr[0] == 0x30)
		return add_one(trust, in);
	bio = BIO_new_mem_buf(in.ptr, (int)in.len);
	if (bio == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	while (err == GK_OK &&
	       PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		if (strcmp(name, PEM_STRING_X509_CRL) == 0) {
			err = add_one(trust,
			              (struct gk_slice){ data, (size_t)n });
			found++;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	BIO_free(bio);
	if (err == GK_OK && found == 0)
		err = GK_ERR_VALUE;
	return gk_ossl_fail(err);
}

void
gk_path_free(struct gk_path *path)
{
	for (size_t i = 0; i < path->n; i++)
		gk_cert_free(path->cert[i]);
	*path = (struct gk_path){ .n = 0 };
}

bool
gk_path_has_ca(const struct gk_path *path, struct gk_slice key_id)
{
	for (size_t i = 1; i < path->n; i++)
		if (gk_slice_equal(gk_cert_key_id(path->cert[i]), key_id))
			return true;
	return false;
}
