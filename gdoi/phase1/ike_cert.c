/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/phase1/ike_private.h"

/*
 * CERT and CR: RFC 2408 sections 3.9, 3.10, 5.9 and 5.10, RFC 2409 section 5.
 */
#define CERT_X509_SIGNATURE 4 /* RFC 2408 section 3.9 */
#define CERT_CRL 7
/* What our requests may take of a message; more anchors than that are not
 * named, and whoever has another one sends it unasked. */
#define CERT_REQUESTS_MAX_OCTETS 4096

/* ---- requests ----------------------------------------------------------- */

void
ike_cert_requests_write(const struct ike *ike, struct ike_message *m)
{
	const struct gk_certs *anchors;
	size_t octets = 0;

	if (ike->suite.auth == IKE_AUTH_PSK || ike->cfg.no_cert_request ||
	    ike->cfg.trust == NULL)
		return;
	anchors = gk_trust_anchors(ike->cfg.trust);
	for (size_t i = 0; i < anchors->n; i++) {
		struct gk_slice name = gk_cert_subject(anchors->cert[i]);
		struct gk_wr_hole hole;

		octets += name.len;
		if (gk_cert_is_raw(anchors->cert[i]) || name.len == 0 ||
		    octets > CERT_REQUESTS_MAX_OCTETS)
			continue;
		hole = ike_message_payload(m, ISAKMP_PAYLOAD_CERT_REQUEST);
		gk_wr_u8(&m->wr, CERT_X509_SIGNATURE);
		gk_wr_bytes(&m->wr, name);
		gk_wr_close(&m->wr, hole);
	}
}

static bool
has_ca(const struct ike_credential *c, struct gk_slice name)
{
	for (size_t i = 0; i < c->n_certs; i++)
		if (gk_slice_equal(gk_cert_issuer(c->certs[i]), name))
			return true;
	return false;
}

/* Can its key make the signature that was negotiated? */
static bool
suits(const struct ike *ike, const struct ike_credential *c)
{
	static const struct {
		enum gk_sig_scheme scheme;
		enum gk_key_kind kind;
	} kinds[] = {
		{ GK_SIG_RSA_PKCS1, GK_KEY_RSA },
		{ GK_SIG_ECDSA_P256, GK_KEY_P256 },
		{ GK_SIG_ECDSA_P384, GK_KEY_P384 },
		{ GK_SIG_ECDSA_P521, GK_KEY_P521 },
	};
	enum gk_sig_scheme scheme = ike_suite_signature(&ike->suite).scheme;

	if (c->signer == NULL)
		return false;
	for (size_t i = 0; i < GK_COUNT(kinds); i++)
		if (kinds[i].scheme == scheme)
			return gk_pubkey_kind(gk_signer_pubkey(c->signer)) ==
			       kinds[i].kind;
	return false;
}

/* RFC2408-5.10-01: other types, and authorities that are not ours, are passed
 * over; the peer may take what we have all the same. */
void
ike_cert_requests_read(struct ike_input *in)
{
	struct ike *ike = in->ike;

	for (size_t i = 0; i < in->chain.n && ike->asked == NULL; i++) {
		struct gk_slice body = in->chain.item[i].generic.body;

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_CERT_REQUEST ||
		    body.len < 2 || body.ptr[0] != CERT_X509_SIGNATURE)
			continue;
		body.ptr++;
		body.len--;
		for (size_t n = 0; n < ike->cfg.n_credentials; n++)
			if (suits(ike, &ike->cfg.credentials[n]) &&
			    has_ca(&ike->cfg.credentials[n], body)) {
				ike->asked = &ike->cfg.credentials[n];
				break;
			}
	}
}

const struct ike_credential *
ike_credential(const struct ike *ike)
{
	if (ike->asked != NULL)
		return ike->asked;
	for (size_t i = 0; i < ike->cfg.n_credentials; i++)
		if (suits(ike, &ike->cfg.credentials[i]))
			return &ike->cfg.credentials[i];
	return NULL;
}

/* ---- certificates ------------------------------------------------------- */

void
ike_certs_write(const struct ike *ike, struct ike_message *m)
{
	const struct ike_credential *own = ike_credential(ike);

	for (size_t i = 0; i < own->n_certs && i < IKE_CERTS_MAX; i++) {
		struct gk_wr_hole hole =
			ike_message_payload(m, ISAKMP_PAYLOAD_CERT);

		gk_wr_u8(&m->wr, CERT_X509_SIGNATURE);
		gk_wr_bytes(&m->wr, gk_cert_der(own->certs[i]));
		gk_wr_close(&m->wr, hole);
	}
}

/* An authority's that we have is not parsed anew for each peer. */
static enum gk_err
cert_from(const struct gk_trust *trust, struct gk_slice der,
          struct gk_cert **cert)
{
	return trust == NULL ? gk_cert_from_der(der, cert)
	                     : gk_trust_cert(trust, der, cert);
}

/* RFC2408-5.9-01, -02: other encodings, and what does not parse, are passed
 * over: there may be a good one beside them. */
enum gk_err
ike_certs_read(struct ike_input *in, struct gk_certs *certs,
               struct gk_slice crls[IKE_CRLS_MAX], size_t *n)
{
	*n = 0;
	for (size_t i = 0; i < in->chain.n; i++) {
		struct gk_slice body = in->chain.item[i].generic.body, der;
		struct gk_cert *cert;
		enum gk_err err;

		if (in->chain.item[i].type != ISAKMP_PAYLOAD_CERT ||
		    body.len < 2)
			continue;
		der = (struct gk_slice){ body.ptr + 1, body.len - 1 };
		if (body.ptr[0] == CERT_CRL && *n < IKE_CRLS_MAX)
			crls[(*n)++] = der;
		if (body.ptr[0] != CERT_X509_SIGNATURE ||
		    certs->n == IKE_CERTS_MAX ||
		    cert_from(in->ike->cfg.trust, der, &cert) != GK_OK)
			continue;
		err = gk_certs_add(certs, cert);
		gk_cert_free(cert);
		GK_TRY(err);
	}
	return GK_OK;
}
