/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test_pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/dsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#define MUST(expr)                                                         \
	do {                                                               \
		if (!(expr)) {                                             \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			        #expr);                                    \
			ERR_print_errors_fp(stderr);                       \
			abort();                                           \
		}                                                          \
	} while (0)

static EVP_PKEY *kept[GK_PKI_ALGS][GK_PKI_SLOTS];

static EVP_PKEY *
generate_dsa(void)
{
	static EVP_PKEY *params; /* finding them takes long; once is enough */
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key = NULL;

	if (params == NULL) {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
		MUST(EVP_PKEY_paramgen_init(ctx) == 1);
		MUST(EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1);
		MUST(EVP_PKEY_CTX_set_dsa_paramgen_q_bits(ctx, 160) == 1);
		MUST(EVP_PKEY_paramgen(ctx, &params) == 1);
		EVP_PKEY_CTX_free(ctx);
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
	MUST(EVP_PKEY_keygen_init(ctx) == 1);
	MUST(EVP_PKEY_keygen(ctx, &key) == 1);
	EVP_PKEY_CTX_free(ctx);
	/* The parameters stay for the next key; kept[] holds the last of them,
	 * so they are given back with it. */
	kept[GK_PKI_DSA1024][GK_PKI_SLOTS - 1] = params;
	return key;
}

static EVP_PKEY *
generate(enum gk_pki_alg alg)
{
	switch (alg) {
	case GK_PKI_P256:
		return EVP_EC_gen("P-256");
	case GK_PKI_P384:
		return EVP_EC_gen("P-384");
	case GK_PKI_P521:
		return EVP_EC_gen("P-521");
	case GK_PKI_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case GK_PKI_RSA2048:
		return EVP_RSA_gen(2048);
	case GK_PKI_RSA1024:
		return EVP_RSA_gen(1024);
	case GK_PKI_DSA1024:
		return generate_dsa();
	default:
		return NULL;
	}
}

static EVP_PKEY *
key(enum gk_pki_alg alg, unsigned slot)
{
	MUST(slot < GK_PKI_SLOTS - (alg == GK_PKI_DSA1024));
	if (kept[alg][slot] == NULL)
		kept[alg][slot] = generate(alg);
	MUST(kept[alg][slot] != NULL);
	return kept[alg][slot];
}

void
gk_pki_keys_free(void)
{
	for (unsigned a = 0; a < GK_PKI_ALGS; a++)
		for (unsigned s = 0; s < GK_PKI_SLOTS; s++) {
			EVP_PKEY_free(kept[a][s]);
			kept[a][s] = NULL;
		}
}

static X509_NAME *
parse_subject(const char *subject)
{
	X509_NAME *name = X509_NAME_new();
	char *copy = strdup(subject), *save = NULL;

	for (char *part = strtok_r(copy, "/", &save); part != NULL;
	     part = strtok_r(NULL, "/", &save)) {
		char *value = strchr(part, '=');

		MUST(value != NULL);
		*value++ = '\0';
		MUST(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8,
		                                (const uint8_t *)value, -1, -1,
		                                0) == 1);
	}
	free(copy);
	return name;
}

static void
extend(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx(&ctx, issuer, x509, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	MUST(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
	X509_EXTENSION_free(ext);
}

/* extend_unknown - a critical extension that nobody knows, holding NULL. */
static void
extend_unknown(X509 *x509, const char *oid)
{
	static const uint8_t null[] = { 5, 0 };
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	X509_EXTENSION *ext;

	MUST(ASN1_OCTET_STRING_set(value, null, sizeof(null)) == 1);
	ext = X509_EXTENSION_create_by_OBJ(NULL, object, 1, value);
	MUST(ext != NULL && X509_add_ext(x509, ext, -1) == 1);
	X509_EXTENSION_free(ext);
	ASN1_OBJECT_free(object);
	ASN1_OCTET_STRING_free(value);
}

static void
sign_with(EVP_PKEY *pkey, const char *hash, X509 *x509, X509_CRL *crl)
{
	const EVP_MD *md = NULL;

	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519)
		md = EVP_get_digestbyname(hash == NULL ? "SHA256" : hash);
	if (x509 != NULL)
		MUST(X509_sign(x509, pkey, md) > 0);
	if (crl != NULL)
		MUST(X509_CRL_sign(crl, pkey, md) > 0);
}

static struct gk_slice
bio_octets(BIO *bio)
{
	char *p;
	long n = BIO_get_mem_data(bio, &p);

	return (struct gk_slice){ (const uint8_t *)p, (size_t)n };
}

void
gk_pki_make(struct gk_pki_party *party, const struct gk_pki_spec *spec)
{
	static unsigned serial = 1000;
	EVP_PKEY *pkey = key(spec->alg, spec->slot);
	X509 *x509 = X509_new();
	X509 *issuer = spec->issuer == NULL ? x509 : spec->issuer->x509;
	X509_NAME *name = parse_subject(spec->subject);
	int64_t from = spec->not_before != 0 ? spec->not_before
	                                     : GK_PKI_NOW - GK_PKI_DAY;
	int64_t to = spec->not_after != 0 ? spec->not_after
	                                  : GK_PKI_NOW + 365 * GK_PKI_DAY;
	const char *constraints = spec->constraints;
	struct gk_slice der;
	struct gk_buf pem;
	uint8_t *octets = NULL;
	int n;

	if (constraints == NULL && spec->issuer == NULL)
		constraints = "critical,CA:TRUE";
	MUST(X509_set_version(x509, X509_VERSION_3) == 1);
	MUST(ASN1_INTEGER_set(X509_get_serialNumber(x509),
	                      spec->serial != 0 ? spec->serial : serial++));
	MUST(ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) != NULL);
	MUST(ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)to) != NULL);
	MUST(X509_set_pubkey(x509, pkey) == 1);
	MUST(X509_set_subject_name(x509, name) == 1);
	MUST(X509_set_issuer_name(
		     x509, spec->issuer == NULL
				   ? name
				   : X509_get_subject_name(issuer)) == 1);
	X509_NAME_free(name);
	extend(x509, issuer, NID_basic_constraints, constraints);
	extend(x509, issuer, NID_key_usage, spec->usage);
	extend(x509, issuer, NID_subject_alt_name, spec->san);
	extend(x509, issuer, NID_name_constraints, spec->names);
	if (spec->unknown != NULL)
		extend_unknown(x509, spec->unknown);
	if (!spec->no_ski)
		extend(x509, issuer, NID_subject_key_identifier, "hash");
	sign_with(spec->issuer == NULL ? pkey : spec->issuer->pkey, spec->hash,
	          x509, NULL);

	n = i2d_X509(x509, &octets);
	MUST(n > 0);
	der = (struct gk_slice){ octets, (size_t)n };
	*party = (struct gk_pki_party){ .pkey = pkey, .x509 = x509 };
	MUST(EVP_PKEY_up_ref(pkey) == 1);
	MUST(gk_cert_from_der(der, &party->cert) == GK_OK);
	OPENSSL_free(octets);
	gk_pki_key_pem(party, NULL, &pem);
	MUST(gk_signer_from_pem(gk_buf_slice(&pem), NULL, &party->signer) ==
	     GK_OK);
	gk_buf_free(&pem);
}

void
gk_pki_free(struct gk_pki_party *party)
{
	gk_cert_free(party->cert);
	gk_signer_free(party->signer);
	EVP_PKEY_free(party->pkey);
	X509_free(party->x509);
	*party = (struct gk_pki_party){ 0 };
}

void
gk_pki_crl(const struct gk_pki_party *issuer,
           const struct gk_pki_party *const *revoked, size_t n,
           int64_t this_update, int64_t next_update, const char *hash,
           struct gk_buf *der)
{
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)this_update);
	X509_CRL *crl = X509_CRL_new();
	uint8_t *octets = NULL;
	int len;

	MUST(crl != NULL && at != NULL);
	MUST(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	MUST(X509_CRL_set_issuer_name(
		     crl, X509_get_subject_name(issuer->x509)) == 1);
	MUST(X509_CRL_set1_lastUpdate(crl, at) == 1);
	for (size_t i = 0; i < n; i++) {
		X509_REVOKED *entry = X509_REVOKED_new();

		MUST(X509_REVOKED_set_serialNumber(
			     entry, X509_get_serialNumber(revoked[i]->x509)) ==
		     1);
		MUST(X509_REVOKED_set_revocationDate(entry, at) == 1);
		MUST(X509_CRL_add0_revoked(crl, entry) == 1);
	}
	ASN1_TIME_free(at);
	at = ASN1_TIME_set(NULL, (time_t)next_update);
	MUST(at != NULL && X509_CRL_set1_nextUpdate(crl, at) == 1);
	ASN1_TIME_free(at);
	MUST(X509_CRL_sort(crl) == 1);
	sign_with(issuer->pkey, hash, NULL, crl);
	len = i2d_X509_CRL(crl, &octets);
	MUST(len > 0);
	MUST(gk_buf_copy(der, (struct gk_slice){ octets, (size_t)len }) ==
	     GK_OK);
	OPENSSL_free(octets);
	X509_CRL_free(crl);
}

void
gk_pki_key_pem(const struct gk_pki_party *party, const char *passphrase,
               struct gk_buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = passphrase == NULL ? 0 : (int)strlen(passphrase);

	MUST(PEM_write_bio_PKCS8PrivateKey(
		     bio, party->pkey,
		     passphrase == NULL ? NULL : EVP_aes_128_cbc(), passphrase,
		     n, NULL, NULL) == 1);
	MUST(gk_buf_copy(pem, bio_octets(bio)) == GK_OK);
	BIO_free(bio);
}

void
gk_pki_cert_pem(const struct gk_pki_party *party, struct gk_buf *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());

	MUST(PEM_write_bio_X509(bio, party->x509) == 1);
	MUST(gk_buf_copy(pem, bio_octets(bio)) == GK_OK);
	BIO_free(bio);
}
