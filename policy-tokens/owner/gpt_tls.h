/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_TLS_H
#define GPT_TLS_H

#include <openssl/ssl.h>

#include "common/crypto/gk_trust.h"

/*
 * DOC: TLS 1.3 between msec-go and key servers
 *
 * Both sides have a certificate, and both are judged by a struct gk_trust, as
 * the certificates of members are: same roots, same CRLs, same rules.  TLS 1.3
 * has no DSA; a group of RFC 4535 Suite 1 needs other certificates here.
 */
struct gpt_tls;

/**
 * gpt_tls_new - @cert_pem: own certificate first, then its authorities.
 * @trust: may be replaced later; must outlive its use
 * @why:   a sentence (256 octets) on error
 */
GK_MUST_CHECK enum gk_err gpt_tls_new(
	struct gpt_tls **tls, struct gk_slice cert_pem, struct gk_slice key_pem,
	const char *passphrase, const struct gk_trust *trust, char why[256]);
void gpt_tls_free(struct gpt_tls *tls);
void gpt_tls_set_trust(struct gpt_tls *tls, const struct gk_trust *trust);

/* gpt_tls_session - a new SSL for one connection, or NULL.  Why the certificate
 * of its peer was refused is written to @fault, which must live as long as the
 * SSL does; "" as long as none was. */
#define GPT_TLS_FAULT 256
SSL *gpt_tls_session(struct gpt_tls *tls, char fault[GPT_TLS_FAULT]);
/* gpt_tls_peer - the certificate the peer proved; a reference, or NULL. */
struct gk_cert *gpt_tls_peer(const SSL *ssl);
/* gpt_tls_chain - append what the peer sent with it: nothing of it is proved, it
 * only helps to build a path. */
GK_MUST_CHECK enum gk_err gpt_tls_chain(const SSL *ssl, struct gk_certs *chain);

#endif /* GPT_TLS_H */
