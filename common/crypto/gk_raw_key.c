/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA keys without a certificate around them. */
#include <stdlib.h>

#include <openssl/pem.h>

#include "common/crypto/gk_cert_impl.h"
#include "common/crypto/gk_hash.h"

bool
gk_cert_is_raw(const struct gk_cert *cert)
{
	return cert->x509 == NULL;
}

/* parse - an RSAPublicKey whose DER is @der and nothing else. */
static EVP_PKEY *
parse(struct gk_slice der)
{
	const uint8_t *p = der.ptr;
	uint8_t *again = NULL;
	EVP_PKEY *pkey;
	int n;

	if (der.len == 0 || der.len > GK_RAW_KEY_MAX_LEN)
		return NULL;
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)der.len);
	n = pkey == NULL ? 0 : i2d_PublicKey(pkey, &again);
	if (n <= 0 ||
	    !gk_slice_equal(der, (struct gk_slice){ again, (size_t)n })) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OPENSSL_free(again);
	return pkey;
}

/* RFC 5280 section 4.2.1.2, method 1: RSAPublicKey is what the BIT STRING of a
 * SubjectPublicKeyInfo contains. */
static enum gk_err
fill(struct gk_cert *cert, EVP_PKEY *pkey, struct gk_slice der)
{
	uint8_t digest[GK_HASH_MAX];

	atomic_init(&cert->refs, 1);
	cert->usage = GK_KU_ANY;
	cert->not_after = INT64_MAX;
	GK_TRY(gk_pubkey_from_pkey(pkey, &cert->pub));
	GK_TRY(gk_cert_set_der(cert, der));
	GK_TRY(gk_hash(GK_HASH_SHA1_LEGACY, &der, 1, digest));
	return gk_buf_copy(&cert->key_id, (struct gk_slice){ digest, 20 });
}

enum gk_err
gk_cert_from_raw_key(struct gk_slice der, struct gk_cert **out)
{
	struct gk_cert *cert;
	EVP_PKEY *pkey;
	enum gk_err err;

	*out = NULL;
	pkey = parse(der);
	if (pkey == NULL)
		return gk_ossl_fail(GK_ERR_VALUE);
	cert = calloc(1, sizeof(*cert));
	err = cert == NULL ? GK_ERR_NOMEM : fill(cert, pkey, der);
	EVP_PKEY_free(pkey);
	if (err == GK_OK)
		*out = cert;
	else
		gk_cert_free(cert);
	return gk_ossl_fail(err);
}

enum gk_err
gk_cert_from_stored(struct gk_slice der, struct gk_cert **cert)
{
	enum gk_err err = gk_cert_from_der(der, cert);

	return err == GK_ERR_VALUE ? gk_cert_from_raw_key(der, cert) : err;
}

enum gk_err
gk_cert_of_pubkey(const struct gk_pubkey *pub, struct gk_cert **cert)
{
	uint8_t *der = NULL;
	enum gk_err err;
	int n;

	*cert = NULL;
	if (gk_pubkey_kind(pub) != GK_KEY_RSA)
		return GK_ERR_VALUE;
	n = i2d_PublicKey(gk_pubkey_pkey(pub), &der);
	if (n <= 0)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	err = gk_cert_from_raw_key((struct gk_slice){ der, (size_t)n }, cert);
	OPENSSL_free(der);
	return err;
}

/* The public key of a PEM file: PUBLIC KEY or RSA PUBLIC KEY. */
static EVP_PKEY *
from_pem(struct gk_slice in)
{
	BIO *bio = BIO_new_mem_buf(in.ptr, (int)in.len);
	char *name = NULL, *header = NULL;
	EVP_PKEY *pkey = NULL;
	uint8_t *data = NULL;
	long n = 0;

	while (bio != NULL && pkey == NULL &&
	       PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		const uint8_t *p = data;

		if (strcmp(name, PEM_STRING_PUBLIC) == 0)
			pkey = d2i_PUBKEY(NULL, &p, n);
		else if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0)
			pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, n);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	BIO_free(bio);
	return pkey;
}

enum gk_err
gk_cert_from_key_file(struct gk_slice in, struct gk_cert **cert)
{
	struct gk_pubkey *pub = NULL;
	EVP_PKEY *pkey;
	enum gk_err err;

	*cert = NULL;
	if (in.len == 0 || in.len > GK_CERT_MAX_LEN)
		return GK_ERR_VALUE;
	if (in.ptr[0] == 0x30)
		return gk_cert_from_raw_key(in, cert);
	pkey = from_pem(in);
	if (pkey == NULL)
		return gk_ossl_fail(GK_ERR_VALUE);
	err = gk_pubkey_from_pkey(pkey, &pub);
	EVP_PKEY_free(pkey);
	if (err == GK_OK)
		err = gk_cert_of_pubkey(pub, cert);
	gk_pubkey_free(pub);
	return gk_ossl_fail(err);
}
