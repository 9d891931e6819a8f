/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TEST_PKI_H
#define GK_TEST_PKI_H

#include "common/crypto/gk_cert.h"

/*
 * DOC: certificates for tests, made in memory
 *
 * Everything here stops the program when the provider fails: a test cannot go
 * on without its certificates.  Link libgktest.a before libgk.a.
 */
enum gk_pki_alg {
	GK_PKI_P256,
	GK_PKI_P384,
	GK_PKI_P521,
	GK_PKI_ED25519,
	GK_PKI_RSA2048,
	GK_PKI_RSA1024,
	GK_PKI_DSA1024,
	GK_PKI_ALGS
};

#define GK_PKI_SLOTS 4
#define GK_PKI_REVOKED_MAX 4

/* What is left zero gets the value in parentheses. */
struct gk_pki_spec {
	const char *subject; /* slash form: "/C=US/O=ACME/CN=gm1"; UTF-8 */
	enum gk_pki_alg alg;
	unsigned slot; /* keys of one kind are made once and kept by slot */
	const struct gk_pki_party *issuer; /* (self-signed) */
	const char *hash;                  /* ("SHA256") */
	int64_t not_before;                /* (GK_PKI_NOW - one day) */
	int64_t not_after;                 /* (GK_PKI_NOW + one year) */
	const char *constraints; /* basicConstraints ("critical,CA:TRUE" when
	                          * self-signed, else none) */
	const char *usage;       /* keyUsage (none) */
	const char *san;         /* subjectAltName, as in openssl.cnf (none) */
	const char *names;       /* nameConstraints (none) */
	const char *unknown;     /* OID of a critical extension (none) */
	bool no_ski;             /* leave subjectKeyIdentifier out */
	unsigned serial;         /* (counted up) */
};

/* 2026-06-01T00:00:00Z, so that tests do not age. */
#define GK_PKI_NOW 1780272000LL
#define GK_PKI_DAY 86400LL

struct gk_pki_party {
	struct gk_cert *cert;
	struct gk_signer *signer;
	void *pkey; /* the provider's key and certificate */
	void *x509;
};

void gk_pki_make(struct gk_pki_party *party, const struct gk_pki_spec *spec);
void gk_pki_free(struct gk_pki_party *party);
/* gk_pki_keys_free - the kept keys; once, at the end. */
void gk_pki_keys_free(void);

/* gk_pki_crl - DER of a CRL of @issuer over @n certificates. */
void gk_pki_crl(const struct gk_pki_party *issuer,
                const struct gk_pki_party *const *revoked, size_t n,
                int64_t this_update, int64_t next_update, const char *hash,
                struct gk_buf *der);

/* gk_pki_key_pem - the private key, PKCS#8; encrypted unless @passphrase is
 * NULL. */
void gk_pki_key_pem(const struct gk_pki_party *party, const char *passphrase,
                    struct gk_buf *pem);
/* gk_pki_cert_pem - the certificate. */
void gk_pki_cert_pem(const struct gk_pki_party *party, struct gk_buf *pem);

#endif /* GK_TEST_PKI_H */
