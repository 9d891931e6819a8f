/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_cms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
inside(struct gk_slice part, struct gk_slice whole)
{
	must(part.len == 0 || (part.ptr >= whole.ptr &&
	                       part.ptr + part.len <= whole.ptr + whole.len));
}

/* try_own - with a certificate of its own inside, the message may verify; then
 * what came out is what peeking said. */
static void
try_own(struct gk_slice in, const struct gk_cms *peeked)
{
	struct gk_cms_expect expect = { .content_type = peeked->content_type,
		                        .n_signers = 1,
		                        .content = in };
	const struct gk_cert *signer = NULL;
	struct gk_cms_fault why;
	struct gk_cert *cert;
	struct gk_cms cms;

	expect.flags = GK_CMS_LEGACY | (peeked->bare ? GK_CMS_BARE : 0) |
	               (peeked->detached ? GK_CMS_DETACHED : 0);
	for (size_t i = 0; i < peeked->n_certs; i++) {
		if (gk_cert_from_der(peeked->cert[i], &cert) != GK_OK)
			continue;
		expect.signer = (const struct gk_cert *const *)&cert;
		if (gk_cms_verify(in, &expect, &cms, &signer, &why) == GK_OK) {
			must(signer == cert);
			must(cms.signing_time == peeked->signing_time);
		} else {
			must(why.text != NULL);
		}
		gk_cert_free(cert);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_slice in = { data, len };
	struct gk_cms_fault why = { .kind = GK_CMS_FAULT_NONE };
	struct gk_cms cms;

	if (gk_cms_peek_untrusted(in, &cms, &why) != GK_OK) {
		must(why.kind != GK_CMS_FAULT_NONE && why.field != NULL);
		must(why.offset <= len);
		return 0;
	}
	must(strlen(cms.content_type) < sizeof(cms.content_type));
	must(cms.n_certs <= GK_CMS_MAX_CERTS);
	inside(cms.content, in);
	inside(cms.signature, in);
	inside(cms.signed_attrs, in);
	inside(cms.digest, in);
	inside(cms.sid_issuer, in);
	inside(cms.sid_serial, in);
	inside(cms.sid_key_id, in);
	for (size_t i = 0; i < cms.n_certs; i++)
		inside(cms.cert[i], in);
	try_own(in, &cms);
	return 0;
}
