/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_MATERIAL_H
#define GSAKMP_ENGINE_MATERIAL_H

#include "common/crypto/gk_cert.h"
#include "gsakmp/engine/fetched.h"
#include "gsakmp/message/message.h"

struct gsakmp_verify;

/*
 * DOC: what the Certificate payloads of a message bring - RFC 4535 section 7.7.2
 *
 * Every type of Table 20, sorted by what it is good for.  Nothing of it is
 * trusted, and what stands behind the Signature payload is not even signed:
 * certificates and CRLs help to build a path, raw keys are compared with those
 * that the operator believes, attribute certificates are judged by themselves.
 *
 *   0   None                     nothing
 *   4   X.509 signature          @certs
 *   7   CRL                      @crls
 *   10  X.509 attribute          @acerts
 *   11  raw RSA key              @certs (gk_cert_is_raw())
 *   12  hash and URL of a certificate     as 4, when it has been fetched
 *   13  hash and URL of a bundle          as 4 and 7, each in the bundle
 *
 * Trust anchors among them are dropped (item 3).
 */
#define GSAKMP_MATERIAL_CRLS 32
#define GSAKMP_MATERIAL_CERTS 32 /* what lies in bundles included */

struct gsakmp_material {
	struct gk_certs certs;
	struct gk_slice crls[GSAKMP_MATERIAL_CRLS];
	size_t n_crls;
	struct gk_slice acerts[GSAKMP_CERTIFICATES_MAX];
	size_t n_acerts;
	/* Copies of what was fetched; @crls may point into them. */
	struct gk_buf fetched[GSAKMP_CERTIFICATES_MAX];
	size_t n_fetched;
	/* What would have to be fetched first; points into the message. */
	struct gsakmp_wanted {
		struct gk_slice hash, url;
	} wanted[GSAKMP_CERTIFICATES_MAX];
	size_t n_wanted;
	size_t n_unusable; /* payloads of types that are not in use here */
};

void gsakmp_material_clear(struct gsakmp_material *m);

/* gsakmp_material_collect - GK_ERR_VALUE with *@why for data that are not what
 * their type says (RFC4535-7.7.2-03). */
GK_MUST_CHECK enum gk_err gsakmp_material_collect(
	const struct gsakmp_verify *v, const struct gsakmp_message *msg,
	struct gsakmp_material *m, struct gsakmp_reject *why);

#endif /* GSAKMP_ENGINE_MATERIAL_H */
