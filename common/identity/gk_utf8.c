/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/identity/gk_utf8.h"

#include "common/base/gk_text.h"
#include "common/crypto/gk_der.h"

bool
gk_utf8_valid(struct gk_slice s)
{
	while (s.len > 0) {
		size_t n = gk_utf8_next(s, NULL);

		if (n == 0)
			return false;
		s.ptr += n;
		s.len -= n;
	}
	return true;
}

/* put - one character; four octets of room at @out. */
static size_t
put(uint8_t *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (uint8_t)(0xc0 | c >> 6);
		out[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (uint8_t)(0xe0 | c >> 12);
		out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* from_wide - characters of a fixed @width in octets, up to @max. */
static enum gk_err
from_wide(struct gk_slice s, size_t width, uint32_t max, struct gk_buf *out)
{
	size_t at = 0;

	*out = (struct gk_buf){ 0 };
	if (s.len % width != 0 || s.len > SIZE_MAX / 4)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(out, 4 * (s.len / width)));
	for (size_t i = 0; i < s.len; i += width) {
		uint32_t c = 0;

		for (size_t k = 0; k < width; k++)
			c = c << 8 | s.ptr[i + k];
		if (c > max || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
			gk_buf_free(out);
			return GK_ERR_VALUE;
		}
		at += put(out->ptr + at, c);
	}
	out->len = at;
	return GK_OK;
}

enum gk_err
gk_utf8_from_asn1(uint8_t tag, struct gk_slice s, struct gk_buf *out)
{
	*out = (struct gk_buf){ 0 };
	switch (tag) {
	case GK_DER_UTF8_STRING:
		if (!gk_utf8_valid(s))
			return GK_ERR_VALUE;
		return gk_buf_copy(out, s);
	case GK_DER_NUMERIC_STRING:
	case GK_DER_PRINTABLE_STRING:
	case GK_DER_IA5_STRING:
	case GK_DER_VISIBLE_STRING:
		return from_wide(s, 1, 0x7f, out);
	case GK_DER_TELETEX_STRING: /* in practice Latin-1 */
		return from_wide(s, 1, 0xff, out);
	case GK_DER_BMP_STRING:
		return from_wide(s, 2, 0xffff, out);
	case GK_DER_UNIVERSAL_STRING:
		return from_wide(s, 4, 0x10ffff, out);
	default:
		return GK_ERR_VALUE;
	}
}
