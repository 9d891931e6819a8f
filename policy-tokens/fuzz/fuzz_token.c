/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/token/gpt_lint.h"
#include "policy-tokens/xml/gpt_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* A refused token leaves nothing behind and says why.  An accepted one encodes
 * to the same octets, directly and by way of its document. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct gk_slice in = { data, len };
	struct gpt_token *token = NULL, *back = NULL, *copy = NULL;
	struct gk_buf der = { 0 }, xml = { 0 };
	struct gpt_findings found;
	struct gpt_fault why = { 0 };

	if (gpt_token_decode(in, &token, &why) != GK_OK) {
		must(!token && why.err != GK_OK && why.text[0]);
		return 0;
	}
	must(gpt_token_encode(token, &der, &why) == GK_OK);
	must(gk_slice_equal(gk_buf_slice(&der), in));
	gk_buf_free(&der);

	must(gpt_policy_write(token, &xml) == GK_OK);
	must(gpt_policy_parse(gk_buf_slice(&xml), &back, NULL, &why) == GK_OK);
	must(gpt_token_equal(token, back));
	must(gpt_token_encode(back, &der, &why) == GK_OK);
	must(gk_slice_equal(gk_buf_slice(&der), in));

	must(gpt_token_copy(token, &copy) == GK_OK);
	must(gpt_token_equal(token, copy));
	must(gpt_lint(token, &found) == GK_OK);
	gpt_findings_free(&found);
	gk_buf_free(&der);
	gk_buf_free(&xml);
	gpt_token_free(token);
	gpt_token_free(back);
	gpt_token_free(copy);
	return 0;
}
