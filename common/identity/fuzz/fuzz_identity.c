/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/identity/gk_identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* printable - nothing that a terminal or a log file would act on. */
static void
printable(const char *text, size_t cap)
{
	must(strlen(text) < cap);
	for (; *text != '\0'; text++)
		must(*text >= 0x20 && *text < 0x7f);
}

/* The first octet chooses the kind, the next how much of the rest is the first
 * of two identities. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_identity a, b;
	struct gk_buf text, back;
	char line[64];
	size_t split;

	if (len < 2)
		return 0;
	a.kind = (enum gk_id_kind)(GK_ID_IPV4 + data[0] % GK_ID_U_NAME);
	b.kind = a.kind;
	split = data[1] < len - 2 ? data[1] : len - 2;
	a.octets = (struct gk_slice){ data + 2, split };
	b.octets = (struct gk_slice){ data + 2 + split, len - 2 - split };

	for (enum gk_dn_compare how = GK_DN_COMPARE_RFC4514;
	     how <= GK_DN_COMPARE_OCTETS; how++) {
		bool equal = gk_identity_equal(a, b, how);

		must(equal == gk_identity_equal(b, a, how));
		/* A name without a wildcard matches what it equals. */
		if (equal && !gk_identity_has_wildcard(a))
			must(gk_identity_match(a, b, how));
		if (gk_identity_match(a, b, how))
			must(gk_identity_check(b) == GK_OK &&
			     gk_identity_check_pattern(a) == GK_OK);
	}
	if (gk_identity_check(a) == GK_OK) {
		must(gk_identity_equal(a, a, GK_DN_COMPARE_OCTETS));
		must(gk_identity_match(a, a, GK_DN_COMPARE_RFC4514));
	}
	if (gk_identity_is_any(a))
		must(gk_identity_has_wildcard(a));
	printable(gk_identity_print(line, sizeof(line), a), sizeof(line));
	/* Configuration text has a limit; below it, it reads back. */
	if (a.octets.len < 256) {
		must(gk_identity_format(a, &text) == GK_OK);
		must(gk_identity_parse(a.kind, gk_buf_slice(&text), &back) ==
		     GK_OK);
		must(gk_slice_equal(gk_buf_slice(&back), a.octets));
		gk_buf_free(&text);
		gk_buf_free(&back);
	}
	if (gk_identity_parse(a.kind, b.octets, &back) == GK_OK)
		gk_buf_free(&back);
	return 0;
}
