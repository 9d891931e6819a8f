/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/identity/gk_dn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* same_again - through DER and through both string forms, a name stays equal to
 * itself, and its DER stays the same octets. */
static void
same_again(const struct gk_dn *dn)
{
	struct gk_buf der, again, text;
	struct gk_dn *back;

	must(gk_dn_equal(dn, dn));
	must(gk_dn_to_der(dn, &der) == GK_OK);
	/* Text may be shorter than its DER, which has a limit too. */
	if (gk_dn_from_der(gk_buf_slice(&der), &back) == GK_OK) {
		must(gk_dn_equal(dn, back));
		must(gk_dn_to_der(back, &again) == GK_OK);
		must(gk_slice_equal(gk_buf_slice(&der), gk_buf_slice(&again)));
		gk_buf_free(&again);
		gk_dn_free(back);
	} else {
		must(der.len > GK_DN_MAX_LEN);
	}
	for (enum gk_dn_style s = GK_DN_RFC4514; s <= GK_DN_FORWARD; s++) {
		must(gk_dn_to_string(dn, s, &text) == GK_OK);
		if (gk_dn_from_string(gk_buf_slice(&text), s, &back) == GK_OK) {
			must(gk_dn_equal(dn, back));
			gk_dn_free(back);
		} else {
			must(text.len > GK_DN_MAX_LEN);
		}
		gk_buf_free(&text);
	}
	if (gk_dn_to_slash(dn, &text) == GK_OK) {
		if (text.len > 0 && text.len <= GK_DN_MAX_LEN) {
			must(gk_dn_from_slash(gk_buf_slice(&text), &back) ==
			     GK_OK);
			must(gk_dn_equal(dn, back));
			gk_dn_free(back);
		}
		gk_buf_free(&text);
	}
	gk_buf_free(&der);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_slice in = { data, len };
	struct gk_dn *dn, *pattern;
	struct gk_buf der;

	if (gk_dn_from_der(in, &dn) == GK_OK) {
		must(gk_dn_to_der(dn, &der) == GK_OK);
		must(gk_slice_equal(gk_buf_slice(&der), in));
		gk_buf_free(&der);
		same_again(dn);
		must(gk_dn_pattern_from_der(in, &pattern) == GK_OK);
		must(gk_dn_match(pattern, dn));
		gk_dn_free(pattern);
		gk_dn_free(dn);
	}
	if (gk_dn_from_string(in, GK_DN_RFC4514, &dn) == GK_OK) {
		same_again(dn);
		/* Read as a pattern, a name matches at least itself. */
		must(gk_dn_pattern_from_string(in, GK_DN_RFC4514, &pattern) ==
		     GK_OK);
		must(gk_dn_match(pattern, dn));
		gk_dn_free(pattern);
		gk_dn_free(dn);
	}
	if (gk_dn_from_slash(in, &dn) == GK_OK) {
		same_again(dn);
		gk_dn_free(dn);
	}
	return 0;
}
