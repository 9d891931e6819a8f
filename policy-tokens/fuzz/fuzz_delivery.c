/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "policy-tokens/owner/gpt_delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What decodes must encode back to the very same octets. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct gk_slice in = { data, len };
	struct gpt_delivery msg;
	struct gk_fault fault;
	struct gk_buf out;
	size_t total;

	if (gpt_delivery_need(in, &total) != GK_OK || total != len)
		return 0;
	if (gpt_delivery_decode(in, &msg, &fault) != GK_OK)
		return 0;
	if (gpt_delivery_encode(&msg, &out) != GK_OK ||
	    !gk_slice_equal(gk_buf_slice(&out), in))
		abort();
	gk_buf_free(&out);
	return 0;
}
