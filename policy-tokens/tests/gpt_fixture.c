/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/tests/gpt_fixture.h"

#include <stdlib.h>

#include "policy-tokens/tests/gpt_golden.h"

static void
must(enum gk_err err)
{
	if (err != GK_OK)
		abort();
}

static void
party(struct gk_pki_party *out, const char *subject, unsigned slot,
      const struct gk_pki_party *issuer)
{
	const struct gk_pki_spec spec = { .subject = subject,
		                          .alg = GK_PKI_P256,
		                          .slot = slot,
		                          .issuer = issuer,
		                          .usage = issuer ? "digitalSignature"
		                                          : NULL };

	gk_pki_make(out, &spec);
}

void
gpt_fixture_make(struct gpt_fixture *f)
{
	*f = (struct gpt_fixture){ 0 };
	party(&f->root, "/O=MSEC/CN=Root", 0, NULL);
	party(&f->owner, "/O=MSEC/CN=Group Owner", 1, &f->root);
	party(&f->gcks, "/O=MSEC/CN=gcks", 2, &f->root);
	party(&f->stranger, "/O=MSEC/CN=Somebody", 3, &f->root);
	party(&f->evil_root, "/O=MSEC/CN=Other Root", 2, NULL);
	party(&f->evil_owner, "/O=MSEC/CN=Group Owner", 3, &f->evil_root);
	must(gk_trust_new(NULL, &f->trust));
	must(gk_trust_add_anchor(f->trust, f->root.cert));
	f->owner_id = (struct gk_identity){ GK_ID_DN_STRING,
		                            gk_slice_str(GPT_FIXTURE_OWNER) };
	f->expect.id = &f->owner_id;
	f->expect.trust = f->trust;
}

void
gpt_fixture_free(struct gpt_fixture *f)
{
	gk_trust_free(f->trust);
	gk_pki_free(&f->root);
	gk_pki_free(&f->owner);
	gk_pki_free(&f->gcks);
	gk_pki_free(&f->stranger);
	gk_pki_free(&f->evil_root);
	gk_pki_free(&f->evil_owner);
}

struct gk_buf
gpt_fixture_token(const struct gk_pki_party *by, int64_t edition, int64_t when)
{
	struct gpt_token *token = NULL;
	struct gk_buf der = { 0 }, cms = { 0 };

	must(gpt_token_decode((struct gk_slice){ golden, sizeof(golden) },
	                      &token, NULL));
	token->has_edition = edition != 0;
	token->edition = edition;
	must(gpt_token_encode(token, &der, NULL));
	must(gpt_token_sign(gk_buf_slice(&der), by->signer, by->cert, when,
	                    false, &cms, NULL));
	gk_buf_free(&der);
	gpt_token_free(token);
	return cms;
}
