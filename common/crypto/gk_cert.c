/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_cert.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "common/crypto/gk_cert_impl.h"
#include "common/crypto/gk_x509_der.h"

static struct gk_slice
asn1_slice(const ASN1_STRING *s)
{
	return (struct gk_slice){ ASN1_STRING_get0_data(s),
		                  (size_t)ASN1_STRING_length(s) };
}

static enum gk_err
read_name(const X509_NAME *name, struct gk_slice *out)
{
	if (X509_NAME_get0_der(name, &out->ptr, &out->len) != 1)
		return gk_ossl_fail(GK_ERR_VALUE);
	return GK_OK;
}

/* YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ. */
static bool
is_exact(const ASN1_TIME *t)
{
	struct gk_slice s = asn1_slice(t);
	size_t want = ASN1_STRING_type(t) == V_ASN1_UTCTIME ? 13 : 15;

	if (s.len != want || s.ptr[want - 1] != 'Z')
		return false;
	for (size_t i = 0; i + 1 < want; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return true;
}

enum gk_err
gk_ossl_time(const ASN1_TIME *t, int64_t *utc, bool *exact)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 ||
	    !gk_utc_from_civil(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	                       tm.tm_hour, tm.tm_min, tm.tm_sec, utc))
		return gk_ossl_fail(GK_ERR_VALUE);
	*exact = *exact && is_exact(t);
	return GK_OK;
}

static enum gk_err
read_serial(struct gk_cert *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
	struct gk_slice magnitude = asn1_slice(serial);
	uint8_t *der = NULL;
	enum gk_err err;
	int n;

	n = i2d_ASN1_INTEGER(serial, &der);
	/* The header is two octets: a longer one would mean a serial number of
	 * more than 127 octets, where RFC 5280 allows 20. */
	if (n < 3 || der[1] >= 0x80) {
		OPENSSL_free(der);
		return gk_ossl_fail(GK_ERR_VALUE);
	}
	err = gk_buf_copy(&cert->serial_der,
	                  (struct gk_slice){ der + 2, (size_t)n - 2 });
	OPENSSL_free(der);
	if (err != GK_OK || ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
		return err;
	while (magnitude.len > 0 && magnitude.ptr[0] == 0) {
		magnitude.ptr++;
		magnitude.len--;
	}
	return gk_buf_copy(&cert->serial, magnitude);
}

static enum gk_err
read_key_id(struct gk_cert *cert)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert->x509);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	cert->has_ski = ski != NULL && ASN1_STRING_length(ski) > 0;
	if (cert->has_ski)
		return gk_buf_copy(&cert->key_id, asn1_slice(ski));
	if (X509_pubkey_digest(cert->x509, EVP_sha1(), digest, &n) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	return gk_buf_copy(&cert->key_id, (struct gk_slice){ digest, n });
}

static void
read_usage(struct gk_cert *cert)
{
	static const struct {
		uint32_t theirs;
		unsigned ours;
	} bit[] = {
		{ KU_DIGITAL_SIGNATURE, GK_KU_DIGITAL_SIGNATURE },
		{ KU_NON_REPUDIATION, GK_KU_NON_REPUDIATION },
		{ KU_KEY_ENCIPHERMENT, GK_KU_KEY_ENCIPHERMENT },
		{ KU_DATA_ENCIPHERMENT, GK_KU_DATA_ENCIPHERMENT },
		{ KU_KEY_AGREEMENT, GK_KU_KEY_AGREEMENT },
		{ KU_KEY_CERT_SIGN, GK_KU_KEY_CERT_SIGN },
		{ KU_CRL_SIGN, GK_KU_CRL_SIGN },
	};
	uint32_t usage = X509_get_key_usage(cert->x509);

	if (usage == UINT32_MAX) {
		cert->usage = GK_KU_ANY;
		return;
	}
	for (size_t i = 0; i < GK_COUNT(bit); i++)
		if ((usage & bit[i].theirs) != 0)
			cert->usage |= bit[i].ours;
}

static enum gk_err
read_san(struct gk_cert *cert)
{
	int n;

	cert->san_names =
		X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
	n = cert->san_names == NULL ? 0 : sk_GENERAL_NAME_num(cert->san_names);
	if (n <= 0)
		return GK_OK;
	/* A key server keeps many certificates, most of them with one name. */
	cert->san = calloc(n < GK_SAN_MAX ? (size_t)n : GK_SAN_MAX,
	                   sizeof(*cert->san));
	if (cert->san == NULL)
		return GK_ERR_NOMEM;
	for (int i = 0; i < n && cert->n_san < GK_SAN_MAX; i++) {
		int type;
		const void *value = GENERAL_NAME_get0_value(
			sk_GENERAL_NAME_value(cert->san_names, i), &type);
		struct gk_san *san = &cert->san[cert->n_san];

		if (type == GEN_DNS)
			san->kind = GK_SAN_DNS;
		else if (type == GEN_EMAIL)
			san->kind = GK_SAN_RFC822;
		else if (type == GEN_IPADD)
			san->kind = GK_SAN_IP;
		else
			continue;
		san->value = asn1_slice(value);
		cert->n_san++;
	}
	return GK_OK;
}

enum gk_err
gk_cert_set_der(struct gk_cert *cert, struct gk_slice der)
{
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_buf_copy(&cert->der, der));
	GK_TRY(gk_hash(GK_HASH_SHA256, &der, 1, digest));
	memcpy(cert->id, digest, sizeof(cert->id));
	return GK_OK;
}

static enum gk_err
read_all(struct gk_cert *cert)
{
	uint32_t flags = X509_get_extension_flags(cert->x509);

	if ((flags & EXFLAG_INVALID) != 0)
		return gk_ossl_fail(GK_ERR_VALUE);
	GK_TRY(gk_pubkey_from_x509(cert->x509, &cert->pub));
	GK_TRY(read_name(X509_get_subject_name(cert->x509), &cert->subject));
	GK_TRY(read_name(X509_get_issuer_name(cert->x509), &cert->issuer));
	cert->exact_dates = true;
	GK_TRY(gk_ossl_time(X509_get0_notBefore(cert->x509), &cert->not_before,
	                    &cert->exact_dates));
	GK_TRY(gk_ossl_time(X509_get0_notAfter(cert->x509), &cert->not_after,
	                    &cert->exact_dates));
	GK_TRY(read_serial(cert));
	GK_TRY(read_key_id(cert));
	read_usage(cert);
	GK_TRY(read_san(cert));
	cert->is_ca = X509_check_ca(cert->x509) == 1;
	cert->self_issued = (flags & EXFLAG_SI) != 0;
	cert->legacy =
		gk_ossl_sigalg_legacy(X509_get_signature_nid(cert->x509));
	return gk_ossl_fail(GK_OK);
}

/* parse - one certificate whose DER is @der and nothing else: the provider
 * reads BER too, and keeps the octets of what is signed when it writes. */
static X509 *
parse(struct gk_slice der)
{
	uint8_t *again = NULL;
	X509 *x509;
	int n;

	if (der.len == 0 || der.len > GK_CERT_MAX_LEN)
		return NULL;
	if (GK_CHECKED("RFC5280-4.1-01") && !gk_der_certificate(der))
		return NULL;
	x509 = gk_ossl_x509(der);
	n = x509 == NULL ? 0 : i2d_X509(x509, &again);
	if (n <= 0 ||
	    !gk_slice_equal(der, (struct gk_slice){ again, (size_t)n })) {
		X509_free(x509);
		x509 = NULL;
	}
	OPENSSL_free(again);
	return x509;
}

enum gk_err
gk_cert_from_der(struct gk_slice der, struct gk_cert **out)
{
	struct gk_cert *cert;
	enum gk_err err;

	*out = NULL;
	cert = calloc(1, sizeof(*cert));
	if (cert == NULL)
		return GK_ERR_NOMEM;
	atomic_init(&cert->refs, 1);
	cert->x509 = parse(der);
	err = cert->x509 == NULL ? gk_ossl_fail(GK_ERR_VALUE)
	                         : gk_cert_set_der(cert, der);
	if (err == GK_OK)
		err = read_all(cert);
	if (err != GK_OK) {
		gk_cert_free(cert);
		return err;
	}
	*out = cert;
	return GK_OK;
}

struct gk_cert *
gk_cert_ref(const struct gk_cert *cert)
{
	/* The count is the one thing in it that changes. */
	struct gk_cert *counted = (struct gk_cert *)(uintptr_t)cert;

	atomic_fetch_add(&counted->refs, 1);
	return counted;
}

void
gk_cert_free(struct gk_cert *cert)
{
	if (cert == NULL || atomic_fetch_sub(&cert->refs, 1) != 1)
		return;
	free(cert->san);
	GENERAL_NAMES_free(cert->san_names);
	gk_pubkey_free(cert->pub);
	gk_buf_free(&cert->der);
	gk_buf_free(&cert->serial);
	gk_buf_free(&cert->serial_der);
	gk_buf_free(&cert->key_id);
	X509_free(cert->x509);
	free(cert);
}

enum gk_err
gk_certs_add(struct gk_certs *certs, const struct gk_cert *cert)
{
	struct gk_cert **grown;

	grown = reallocarray(certs->cert, certs->n + 1,
	                     sizeof(struct gk_cert *));
	if (grown == NULL)
		return GK_ERR_NOMEM;
	certs->cert = grown;
	certs->cert[certs->n++] = gk_cert_ref(cert);
	return GK_OK;
}

static void
cut_back(struct gk_certs *certs, size_t n)
{
	while (certs->n > n)
		gk_cert_free(certs->cert[--certs->n]);
}

void
gk_certs_free(struct gk_certs *certs)
{
	cut_back(certs, 0);
	free(certs->cert);
	*certs = (struct gk_certs){ 0 };
}

static enum gk_err
add_der(struct gk_slice der, struct gk_certs *certs)
{
	struct gk_cert *cert;
	enum gk_err err;

	GK_TRY(gk_cert_from_der(der, &cert));
	err = gk_certs_add(certs, cert);
	gk_cert_free(cert);
	return err;
}

/* add_pem - every CERTIFICATE block; other blocks (keys, text) are skipped. */
static enum gk_err
add_pem(struct gk_slice pem, struct gk_certs *certs)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	char *name = NULL, *header = NULL;
	enum gk_err err = GK_OK;
	uint8_t *data = NULL;
	long n = 0;

	if (bio == NULL)
		return gk_ossl_fail(GK_ERR_NOMEM);
	while (err == GK_OK &&
	       PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		if (strcmp(name, PEM_STRING_X509) == 0 ||
		    strcmp(name, PEM_STRING_X509_OLD) == 0)
			err = add_der((struct gk_slice){ data, (size_t)n },
			              certs);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	BIO_free(bio);
	return gk_ossl_fail(err);
}

#define PEM_MAX_LEN (1 << 22) /* a bundle of all the roots there are fits */

enum gk_err
gk_certs_from_pem(struct gk_slice pem, struct gk_certs *certs)
{
	size_t before = certs->n;
	enum gk_err err;

	if (pem.len == 0 || pem.len > PEM_MAX_LEN)
		return GK_ERR_VALUE;
	err = pem.ptr[0] == 0x30 ? add_der(pem, certs) : add_pem(pem, certs);
	if (err == GK_OK && certs->n == before)
		err = GK_ERR_VALUE;
	if (err != GK_OK)
		cut_back(certs, before);
	return err;
}

X509 *
gk_cert_x509(const struct gk_cert *cert)
{
	return cert->x509;
}

struct gk_slice
gk_cert_der(const struct gk_cert *cert)
{
	return gk_buf_slice(&cert->der);
}

struct gk_slice
gk_cert_subject(const struct gk_cert *cert)
{
	return cert->subject;
}

struct gk_slice
gk_cert_issuer(const struct gk_cert *cert)
{
	return cert->issuer;
}

struct gk_slice
gk_cert_serial(const struct gk_cert *cert)
{
	return gk_buf_slice(&cert->serial);
}

struct gk_slice
gk_cert_serial_der(const struct gk_cert *cert)
{
	return gk_buf_slice(&cert->serial_der);
}

const struct gk_pubkey *
gk_cert_pubkey(const struct gk_cert *cert)
{
	return cert->pub;
}

struct gk_slice
gk_cert_key_id(const struct gk_cert *cert)
{
	return gk_buf_slice(&cert->key_id);
}

bool
gk_cert_has_ski(const struct gk_cert *cert)
{
	return cert->has_ski;
}

int64_t
gk_cert_not_before(const struct gk_cert *cert)
{
	return cert->not_before;
}

int64_t
gk_cert_not_after(const struct gk_cert *cert)
{
	return cert->not_after;
}

bool
gk_cert_dates(const struct gk_cert *cert, int64_t *not_before,
              int64_t *not_after)
{
	*not_before = cert->not_before;
	*not_after = cert->not_after;
	return cert->exact_dates;
}

bool
gk_cert_is_ca(const struct gk_cert *cert)
{
	return cert->is_ca;
}

bool
gk_cert_is_self_issued(const struct gk_cert *cert)
{
	return cert->self_issued;
}

unsigned
gk_cert_key_usage(const struct gk_cert *cert)
{
	return cert->usage;
}

bool
gk_cert_san(const struct gk_cert *cert, size_t i, struct gk_san *san)
{
	if (i >= cert->n_san)
		return false;
	*san = cert->san[i];
	return true;
}

void
gk_cert_fingerprint(const struct gk_cert *cert, uint8_t out[GK_CERT_ID_LEN])
{
	memcpy(out, cert->id, GK_CERT_ID_LEN);
}

const uint8_t *
gk_cert_id(const struct gk_cert *cert)
{
	return cert->id;
}

bool
gk_cert_equal(const struct gk_cert *a, const struct gk_cert *b)
{
	return a == b || gk_slice_equal(gk_cert_der(a), gk_cert_der(b));
}

bool
gk_cert_signed_legacy(const struct gk_cert *cert)
{
	return cert->legacy;
}
