/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_loop.h"

struct gpt_tls {
	SSL_CTX *ctx;
	const struct gk_trust *trust;
};

static enum gk_err
cert_of(X509 *x509, struct gk_cert **cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x509, &der);
	enum gk_err err = GK_ERR_VALUE;

	if (n > 0)
		err = gk_cert_from_der((struct gk_slice){ der, (size_t)n },
		                       cert);
	OPENSSL_free(der);
	return err;
}

/* What cannot be read is passed over: a path without it may do. */
static enum gk_err
certs_of(const STACK_OF(X509) * stack, struct gk_certs *certs)
{
	enum gk_err err = GK_OK;
	struct gk_cert *cert;

	for (int i = 0; err == GK_OK && i < sk_X509_num(stack); i++) {
		if (cert_of(sk_X509_value(stack, i), &cert) != GK_OK)
			continue;
		err = gk_certs_add(certs, cert);
		gk_cert_free(cert);
	}
	return err;
}

/* In place of OpenSSL's own path validation. */
static enum gk_err
peer_check(struct gpt_tls *tls, X509 *leaf, STACK_OF(X509) * chain,
           char fault[GPT_TLS_FAULT])
{
	struct gk_cert_fault why = { 0 };
	struct gk_certs extra = { 0 };
	const struct gk_trust_extra more = { .certs = &extra };
	struct gk_cert *cert = NULL;
	enum gk_err err = leaf ? cert_of(leaf, &cert) : GK_ERR_VALUE;

	if (err == GK_OK)
		err = certs_of(chain, &extra);
	if (err == GK_OK)
		err = gk_trust_verify(tls->trust, cert, &more, gkd_now().utc_s,
		                      GK_KU_DIGITAL_SIGNATURE, NULL, &why);
	if (err != GK_OK)
		(void)snprintf(fault, GPT_TLS_FAULT,
		               "certificate of the peer: %.100s (%.100s)",
		               why.text ? why.text : gk_strerror(err),
		               why.subject);
	gk_certs_free(&extra);
	gk_cert_free(cert);
	return err;
}

static int
on_verify(X509_STORE_CTX *store, void *arg)
{
	struct gpt_tls *tls = arg;
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	enum gk_err err = peer_check(tls, X509_STORE_CTX_get0_cert(store),
	                             X509_STORE_CTX_get0_untrusted(store),
	                             SSL_get_app_data(ssl));

	if (err == GK_OK)
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

static int
on_passphrase(char *buf, int size, int writing, void *arg)
{
	const char *passphrase = arg;
	int n = passphrase ? (int)strlen(passphrase) : -1;

	(void)writing;
	if (n < 0 || n > size)
		return -1;
	memcpy(buf, passphrase, (size_t)n);
	return n;
}

static bool
load_certs(SSL_CTX *ctx, struct gk_slice pem)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *x509;
	bool ok = true;
	int n = 0;

	if (!bio)
		return false;
	while (ok && (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		ok = n++ == 0 ? SSL_CTX_use_certificate(ctx, x509) == 1
		              : SSL_CTX_add1_chain_cert(ctx, x509) == 1;
		X509_free(x509);
	}
	BIO_free(bio);
	return ok && n > 0;
}

static bool
load_key(SSL_CTX *ctx, struct gk_slice pem, const char *passphrase)
{
	BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *key = NULL;
	bool ok;

	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase,
		                              (void *)(uintptr_t)passphrase);
	ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
	     SSL_CTX_check_private_key(ctx) == 1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	return ok;
}

static const char *
set_up(struct gpt_tls *tls, struct gk_slice cert_pem, struct gk_slice key_pem,
       const char *passphrase)
{
	tls->ctx = SSL_CTX_new(TLS_method());
	if (!tls->ctx ||
	    !SSL_CTX_set_min_proto_version(tls->ctx, TLS1_3_VERSION))
		return "TLS 1.3 is not to be had";
	if (!load_certs(tls->ctx, cert_pem))
		return "no certificate that TLS can use";
	if (!load_key(tls->ctx, key_pem, passphrase))
		return "no private key that goes with the certificate";
	SSL_CTX_set_verify(tls->ctx,
	                   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
	                   NULL);
	SSL_CTX_set_cert_verify_callback(tls->ctx, on_verify, tls);
	/* Every connection proves itself anew: a certificate that was revoked
	 * meanwhile must not slip in with an old session. */
	(void)SSL_CTX_set_options(tls->ctx, SSL_OP_NO_TICKET);
	(void)SSL_CTX_set_num_tickets(tls->ctx, 0);
	(void)SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	return NULL;
}

enum gk_err
gpt_tls_new(struct gpt_tls **tls, struct gk_slice cert_pem,
            struct gk_slice key_pem, const char *passphrase,
            const struct gk_trust *trust, char why[256])
{
	struct gpt_tls *made = calloc(1, sizeof(*made));
	const char *text;

	if (!made || cert_pem.len > INT_MAX || key_pem.len > INT_MAX) {
		free(made);
		(void)snprintf(why, 256, "out of memory");
		return GK_ERR_NOMEM;
	}
	made->trust = trust;
	text = set_up(made, cert_pem, key_pem, passphrase);
	ERR_clear_error();
	if (text) {
		(void)snprintf(why, 256, "%s", text);
		gpt_tls_free(made);
		return GK_ERR_VALUE;
	}
	*tls = made;
	return GK_OK;
}

void
gpt_tls_free(struct gpt_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

void
gpt_tls_set_trust(struct gpt_tls *tls, const struct gk_trust *trust)
{
	tls->trust = trust;
}

SSL *
gpt_tls_session(struct gpt_tls *tls, char fault[GPT_TLS_FAULT])
{
	SSL *ssl = SSL_new(tls->ctx);

	fault[0] = '\0';
	if (ssl)
		SSL_set_app_data(ssl, fault);
	return ssl;
}

struct gk_cert *
gpt_tls_peer(const SSL *ssl)
{
	X509 *x509 = SSL_get1_peer_certificate(ssl);
	struct gk_cert *cert = NULL;

	if (x509 && cert_of(x509, &cert) != GK_OK)
		cert = NULL;
	X509_free(x509);
	return cert;
}

enum gk_err
gpt_tls_chain(const SSL *ssl, struct gk_certs *chain)
{
	return certs_of(SSL_get_peer_cert_chain(ssl), chain);
}
