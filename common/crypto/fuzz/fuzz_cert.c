/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* try_identities - what a certificate binds, it binds. */
static void
try_identities(const struct gk_cert *cert)
{
	for (enum gk_id_kind kind = GK_ID_IPV4; kind <= GK_ID_U_NAME; kind++) {
		struct gk_identity id;
		struct gk_buf octets;

		if (gk_identity_of_cert(cert, kind, GK_DN_COMPARE_RFC4514,
		                        &octets, &id) != GK_OK)
			continue;
		must(gk_identity_binds(id, cert, GK_DN_COMPARE_RFC4514));
		must(gk_identity_match_cert(
			     (struct gk_identity){ kind, gk_slice_str("*") },
			     cert,
			     GK_DN_COMPARE_RFC4514) == (kind != GK_ID_KEY_ID));
		gk_buf_free(&octets);
	}
}

/* A certificate that parses is its own DER; nobody trusts it, and adding it, or
 * the same octets as a CRL, to what is trusted does no harm. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_slice in = { data, len };
	struct gk_certs extra = { 0 };
	struct gk_trust_extra sent = { &extra, &in, 1 };
	struct gk_cert_fault why;
	struct gk_trust *trust;
	struct gk_cert *cert;
	struct gk_san san;

	must(gk_trust_new(NULL, &trust) == GK_OK);
	if (gk_trust_add_crl(trust, in) == GK_OK) {
		gk_trust_free(trust);
		return 0;
	}
	if (gk_cert_from_der(in, &cert) != GK_OK) {
		if (gk_certs_from_pem(in, &extra) == GK_OK)
			must(extra.n > 0);
		else
			must(extra.n == 0);
		gk_certs_free(&extra);
		gk_trust_free(trust);
		return 0;
	}
	must(gk_slice_equal(gk_cert_der(cert), in));
	must(gk_cert_key_id(cert).len > 0);
	for (size_t i = 0; gk_cert_san(cert, i, &san); i++)
		must(san.value.len <= len);
	must(gk_certs_add(&extra, cert) == GK_OK);
	must(gk_trust_verify(trust, cert, &sent, 0, 0, NULL, &why) != GK_OK);
	must(why.kind != GK_CERT_FAULT_NONE);
	try_identities(cert);
	gk_certs_free(&extra);
	gk_cert_free(cert);
	gk_trust_free(trust);
	return 0;
}
