/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/message/protect.h"

/*
 * Decryption of anything: the first three octets choose key type and dialect,
 * the rest is the ciphertext.  What opens and is sealed again opens to the same.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum gk_err
zeros(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	memset(out, 0, n);
	return GK_OK;
}

static const struct gk_env env = { .random = zeros };
static const uint16_t types[] = { 3, 12, 13, 49153, 49154, 49155 };
static struct gsakmp_reject why;

static void
token(const struct gsakmp_dialect *d, struct gsakmp_kek *kek,
      struct gk_slice sealed)
{
	struct gk_buf plain, again, back;

	if (gsakmp_token_open(d, kek, 1, sealed, &plain, &why) != GK_OK) {
		if (why.req == NULL || plain.ptr != NULL)
			abort();
		return;
	}
	if (gsakmp_token_seal(&env, d, kek, 1, gk_buf_slice(&plain), &again) ==
	    GK_OK) {
		if (gsakmp_token_open(d, kek, 1, gk_buf_slice(&again), &back,
		                      &why) != GK_OK ||
		    !gk_slice_equal(gk_buf_slice(&back), gk_buf_slice(&plain)))
			abort();
		gk_buf_free(&back);
		gk_buf_free(&again);
	}
	gk_buf_free(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct gsakmp_keys keys;
	struct gsakmp_dialect d = { 0 };
	struct gsakmp_kek kek = { 0 };
	struct gsakmp_wrapping with = { .id = 1 };
	struct gsakmp_rekey_data rekey = { .count = GSAKMP_COUNT_INSIDE };
	struct gk_buf plain;
	struct gk_slice sealed;

	if (len < 3)
		return 0;
	kek.type = types[data[0] % 6];
	d.iv_keydl = data[1] % 10;
	d.iv_rekey = data[1] % 5;
	d.pad = data[2] % 11;
	kek.len = gsakmp_key_length(&d, kek.type);
	with.type = kek.type;
	with.key = (struct gk_slice){ kek.key, kek.len };
	sealed = (struct gk_slice){ data + 3, len - 3 };
	token(&d, &kek, sealed);
	if (gsakmp_key_download_open(&d, &kek, sealed, &plain, &why) == GK_OK &&
	    gsakmp_key_download_read(gk_buf_slice(&plain), &d, NULL, 0, &keys,
	                             &why) != GK_OK &&
	    why.req == NULL)
		abort();
	gk_buf_free(&plain);
	rekey.sealed = sealed;
	if (gsakmp_rekey_open(&d, &with, &rekey, &plain, &why) == GK_OK &&
	    gsakmp_packages_read(gk_buf_slice(&plain), &d, NULL, rekey.count,
	                         &keys, &why) != GK_OK &&
	    why.req == NULL)
		abort();
	gk_buf_free(&plain);
	return 0;
}
