/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/utf8.h"

#include "common/base/gk_base.h"

/* RFC 3629 section 4: the first octet fixes the length and, where an overlong
 * form or a surrogate is possible, narrows the range of the second. */
static const struct sequence {
	uint8_t first_lo, first_hi;
	uint8_t second_lo, second_hi;
	size_t len;
} sequences[] = {
	{ 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 },
	{ 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
	{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 },
	{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* Octets of the character at @p, or 0 when there is none. */
static size_t
character(const uint8_t *p, size_t left)
{
	const struct sequence *s = NULL;

	for (size_t i = 0; i < GK_COUNT(sequences); i++)
		if (p[0] >= sequences[i].first_lo &&
		    p[0] <= sequences[i].first_hi)
			s = &sequences[i];
	if (s == NULL || s->len > left)
		return 0;
	if (s->len > 1 && (p[1] < s->second_lo || p[1] > s->second_hi))
		return 0;
	for (size_t i = 2; i < s->len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return s->len;
}

bool
gsakmp_utf8_valid(struct gk_slice text)
{
	size_t at = 0;

	while (at < text.len) {
		size_t n = character(text.ptr + at, text.len - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}
