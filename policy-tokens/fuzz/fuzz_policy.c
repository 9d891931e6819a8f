/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy-tokens/der/gpt_der.h"
#include "policy-tokens/xml/gpt_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* What is read has one canonical form, and the DER says the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gpt_token *token = NULL, *again = NULL, *decoded = NULL;
	struct gk_buf first = { 0 }, second = { 0 }, der = { 0 };
	struct gpt_lines lines = { 0 };
	struct gpt_fault why = { 0 };
	enum gk_err err = gpt_policy_parse((struct gk_slice){ data, len },
	                                   &token, &lines, &why);

	gpt_lines_free(&lines);
	if (err != GK_OK) {
		must(!token && why.err != GK_OK && why.text[0]);
		return 0;
	}
	must(gpt_policy_write(token, &first) == GK_OK);
	must(gpt_policy_parse(gk_buf_slice(&first), &again, NULL, &why) ==
	     GK_OK);
	must(gpt_token_equal(token, again));
	must(gpt_policy_write(again, &second) == GK_OK);
	must(gk_slice_equal(gk_buf_slice(&first), gk_buf_slice(&second)));

	/* Some documents have no DER (an impossible OID, too large); those
	 * that have one are what it says. */
	if (gpt_token_encode(token, &der, &why) == GK_OK) {
		must(gpt_token_decode(gk_buf_slice(&der), &decoded, &why) ==
		     GK_OK);
		must(gpt_token_equal(token, decoded));
	}
	gk_buf_free(&first);
	gk_buf_free(&second);
	gk_buf_free(&der);
	gpt_token_free(token);
	gpt_token_free(again);
	gpt_token_free(decoded);
	return 0;
}
