/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_pad.h"

#include <string.h>

const char *
gk_pad_name(enum gk_pad scheme)
{
	switch (scheme) {
#define X(name, text)       \
	case GK_PAD_##name: \
		return text;
		GK_PAD_LIST(X)
#undef X
	}
	return "unknown padding";
}

bool
gk_pad_self_describing(enum gk_pad scheme)
{
	return scheme != GK_PAD_ZERO && scheme != GK_PAD_PKCS7_IFNEEDED;
}

bool
gk_pad_is_cts(enum gk_pad scheme)
{
	return scheme == GK_PAD_CTS1 || scheme == GK_PAD_CTS2 ||
	       scheme == GK_PAD_CTS3;
}

size_t
gk_pad_len(enum gk_pad scheme, size_t block, size_t len)
{
	size_t short_by = (block - len % block) % block;

	switch (scheme) {
	case GK_PAD_PKCS7:
	case GK_PAD_ISO7816:
	case GK_PAD_X923:
	case GK_PAD_IKE:
	case GK_PAD_ESP:
		return short_by == 0 ? block : short_by;
	case GK_PAD_ZERO:
	case GK_PAD_PKCS7_IFNEEDED:
		return short_by;
	case GK_PAD_NONE:
	case GK_PAD_CTS1:
	case GK_PAD_CTS2:
	case GK_PAD_CTS3:
		return 0;
	}
	return 0;
}

void
gk_pad_fill(enum gk_pad scheme, uint8_t *p, size_t n)
{
	if (n == 0)
		return;
	memset(p, 0, n);
	switch (scheme) {
	case GK_PAD_PKCS7:
	case GK_PAD_PKCS7_IFNEEDED:
		memset(p, (int)n, n);
		break;
	case GK_PAD_ISO7816:
		p[0] = 0x80;
		break;
	case GK_PAD_X923:
		p[n - 1] = (uint8_t)n;
		break;
	case GK_PAD_IKE:
		p[n - 1] = (uint8_t)(n - 1);
		break;
	case GK_PAD_ESP:
		for (size_t i = 0; i + 1 < n; i++)
			p[i] = (uint8_t)(i + 1);
		p[n - 1] = (uint8_t)(n - 1);
		break;
	case GK_PAD_ZERO:
	case GK_PAD_NONE:
	case GK_PAD_CTS1:
	case GK_PAD_CTS2:
	case GK_PAD_CTS3:
		break;
	}
}

static bool
block_ok(size_t block)
{
	return block >= 1 && block <= 255;
}

enum gk_err
gk_pad_add(enum gk_pad scheme, size_t block, struct gk_slice plain,
           struct gk_buf *out)
{
	size_t n;

	*out = (struct gk_buf){ 0 };
	if (!block_ok(block) || gk_pad_is_cts(scheme))
		return GK_ERR_VALUE;
	n = gk_pad_len(scheme, block, plain.len);
	if ((plain.len + n) % block != 0)
		return GK_ERR_VALUE; /* NONE, and not aligned */
	GK_TRY(gk_buf_alloc(out, plain.len + n));
	if (plain.len != 0)
		memcpy(out->ptr, plain.ptr, plain.len);
	if (n != 0)
		gk_pad_fill(scheme, out->ptr + plain.len, n);
	return GK_OK;
}

enum gk_err
gk_pad_check(enum gk_pad scheme, size_t block, struct gk_slice padded,
             size_t len)
{
	uint8_t want[255];
	size_t n;

	if (!block_ok(block) || len > padded.len || gk_pad_is_cts(scheme))
		return GK_ERR_VALUE;
	n = padded.len - len;
	if (n != gk_pad_len(scheme, block, len) || padded.len % block != 0)
		return GK_ERR_VALUE;
	if (n == 0)
		return GK_OK;
	gk_pad_fill(scheme, want, n);
	if (scheme == GK_PAD_IKE) /* the count alone has a prescribed value */
		return padded.ptr[padded.len - 1] == want[n - 1] ? GK_OK
		                                                 : GK_ERR_VALUE;
	return gk_equal_secret(padded.ptr + len, want, n) ? GK_OK
	                                                  : GK_ERR_VALUE;
}

/* at_most - all ones when a <= b, for a and b below 2^31; no branch. */
static uint32_t
at_most(uint32_t a, uint32_t b)
{
	return ((b - a) >> 31) - 1;
}

/* strip_pkcs7 - every octet of the last block is looked at, whatever the count
 * says, and nothing branches on what is found. */
static enum gk_err
strip_pkcs7(size_t block, struct gk_slice padded, size_t *len)
{
	const uint8_t *last = padded.ptr + padded.len - block;
	uint32_t count = last[block - 1];
	uint32_t good = at_most(1, count) & at_most(count, (uint32_t)block);

	for (uint32_t i = 0; i < block; i++) {
		uint32_t in_pad = at_most((uint32_t)block - i, count);
		uint32_t differs = in_pad & (last[i] ^ count);

		good &= at_most(differs, 0);
	}
	*len = padded.len - (count & good);
	return good != 0 ? GK_OK : GK_ERR_VALUE;
}

/* claimed - how many padding octets the plaintext says it ends with; 0 when it
 * says nothing sensible. */
static size_t
claimed(enum gk_pad scheme, struct gk_slice padded)
{
	size_t n = padded.len;

	switch (scheme) {
	case GK_PAD_X923:
		return padded.ptr[n - 1];
	case GK_PAD_IKE:
	case GK_PAD_ESP:
		return (size_t)padded.ptr[n - 1] + 1;
	case GK_PAD_ISO7816:
		while (n > 0 && padded.ptr[n - 1] == 0)
			n--;
		return n == 0 ? 0 : padded.len - n + 1;
	default:
		return 0;
	}
}

enum gk_err
gk_pad_strip(enum gk_pad scheme, size_t block, struct gk_slice padded,
             size_t *len)
{
	size_t n;

	if (!block_ok(block) || padded.len % block != 0 ||
	    gk_pad_is_cts(scheme))
		return GK_ERR_VALUE;
	*len = padded.len;
	if (scheme == GK_PAD_NONE || !gk_pad_self_describing(scheme))
		return GK_OK;
	if (padded.len == 0)
		return GK_ERR_VALUE; /* there is always some */
	if (scheme == GK_PAD_PKCS7)
		return strip_pkcs7(block, padded, len);
	n = claimed(scheme, padded);
	if (n == 0 || n > padded.len)
		return GK_ERR_VALUE;
	GK_TRY(gk_pad_check(scheme, block, padded, padded.len - n));
	*len = padded.len - n;
	return GK_OK;
}
