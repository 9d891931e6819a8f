/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/crypto/gk_acert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
within(struct gk_slice in, struct gk_slice part)
{
	if (part.len != 0)
		must(part.ptr >= in.ptr && part.len <= in.len &&
		     (size_t)(part.ptr - in.ptr) <= in.len - part.len);
}

/* What decodes lies inside the input, and nobody believes it; a raw key that
 * parses is its own DER, and is not believed either. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_slice in = { data, len };
	enum gk_acert_fault fault;
	struct gk_trust *trust;
	struct gk_acert a;
	struct gk_cert *raw = NULL;

	must(gk_trust_new(NULL, &trust) == GK_OK);
	if (gk_cert_from_raw_key(in, &raw) == GK_OK) {
		must(gk_slice_equal(gk_cert_der(raw), in));
		must(gk_trust_verify(trust, raw, NULL, 0, 0, NULL, NULL) !=
		     GK_OK);
	}
	if (gk_acert_decode(in, &a) == GK_OK) {
		const struct gk_slice parts[] = {
			a.info,        a.issuer,      a.serial,     a.sig_alg,
			a.sig,         a.entity,      a.digest_alg, a.digest,
			a.base_issuer, a.base_serial, a.attributes,
		};

		for (size_t i = 0; i < GK_COUNT(parts); i++)
			within(in, parts[i]);
		within(in, gk_acert_attribute(&a, a.serial));
		if (raw != NULL)
			must(gk_acert_verify(&a, trust, raw, 0, &fault) !=
			     GK_OK);
	}
	gk_cert_free(raw);
	gk_trust_free(trust);
	return 0;
}
