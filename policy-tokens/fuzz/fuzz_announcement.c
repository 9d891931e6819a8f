/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/crypto/gk_cms.h"
#include "policy-tokens/xml/gpt_announcement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* An announcement comes back from its canonical form; nothing that the input
 * holds makes it a verified one for an owner without a certificate. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct gk_identity id = { GK_ID_DN_STRING,
		                        gk_slice_str("CN=Group Owner") };
	const struct gpt_owner owner = { .id = &id };
	const struct gk_slice in = { data, len };
	struct gpt_announcement *a = NULL, *again = NULL, *believed = NULL;
	struct gk_buf first = { 0 }, second = { 0 };
	struct gpt_fault why = { 0 };

	must(gpt_announcement_load_verified(in, &owner, 0, &believed, &why) !=
	     GK_OK);
	must(!believed && why.text[0]);
	why = (struct gpt_fault){ 0 };
	if (gpt_announcement_parse(in, &a, &why) != GK_OK) {
		must(!a && why.text[0]);
		return 0;
	}
	must(gpt_announcement_write(a, &first) == GK_OK);
	must(gpt_announcement_parse(gk_buf_slice(&first), &again, &why) ==
	     GK_OK);
	must(gpt_announcement_write(again, &second) == GK_OK);
	must(gk_slice_equal(gk_buf_slice(&first), gk_buf_slice(&second)));
	gk_buf_free(&first);
	gk_buf_free(&second);
	gpt_announcement_free(a);
	gpt_announcement_free(again);
	return 0;
}
