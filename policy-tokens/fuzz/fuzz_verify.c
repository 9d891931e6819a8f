/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_cms.h"
#include "policy-tokens/der/gpt_verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* What verifies is what was signed, comes back identical, and is not newer than
 * itself; what does not verify leaves nothing. */
static void
try_owner(struct gk_slice in, const struct gk_cert *cert)
{
	struct gpt_owner owner = { .cert = cert, .allow_sha1 = true };
	struct gpt_verified v = { 0 }, again = { 0 };
	struct gk_buf der = { 0 };
	struct gpt_fault why = { 0 };

	if (gpt_token_verify(in, &owner, NULL, 0, &v, &why) != GK_OK) {
		must(!v.token && !v.signer && !v.der.ptr && why.text[0]);
		return;
	}
	must(gpt_token_encode(v.token, &der, &why) == GK_OK);
	must(gk_slice_equal(gk_buf_slice(&der), gk_buf_slice(&v.der)));
	must(gpt_token_verify(in, &owner, &v.seen, 0, &again, &why) == GK_OK);
	must(again.identical);
	gpt_verified_free(&again);
	owner.edition_reject = true;
	must(gpt_token_verify(in, &owner, &v.seen, 0, &again, &why) ==
	     GK_ERR_REPLAY);
	gpt_verified_free(&v);
	gk_buf_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct gk_slice in = { data, len };
	struct gpt_token *token = NULL;
	struct gpt_fault why = { 0 };
	struct gk_cert *cert;
	struct gk_cms cms;
	int64_t when;

	if (gpt_token_peek(in, &token, &when, &why) != GK_OK)
		must(!token && why.text[0]);
	gpt_token_free(token);
	if (gk_cms_peek_untrusted(in, &cms, NULL) != GK_OK)
		return 0;
	for (size_t i = 0; i < cms.n_certs; i++) {
		if (gk_cert_from_der(cms.cert[i], &cert) != GK_OK)
			continue;
		try_owner(in, cert);
		gk_cert_free(cert);
	}
	return 0;
}
