/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_oid.h"

#include <string.h>

__extension__ typedef unsigned __int128 arc128;

#define ARC_MAX (~(arc128)0)

/* read_arc - decimal digits, no leading zero; moves @text past them. */
static bool
read_arc(struct gk_slice *text, arc128 *arc)
{
	size_t n = 0;

	*arc = 0;
	while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
		unsigned digit = text->ptr[n] - '0';

		if (*arc > (ARC_MAX - digit) / 10)
			return false;
		*arc = *arc * 10 + digit;
		n++;
	}
	if (n == 0 || (n > 1 && text->ptr[0] == '0'))
		return false;
	text->ptr += n;
	text->len -= n;
	return true;
}

/* write_base128 - the subidentifier octets of an arc. */
static bool
write_base128(arc128 arc, uint8_t out[GK_OID_MAX], size_t *len)
{
	size_t n = 1;

	for (arc128 rest = arc >> 7; rest != 0; rest >>= 7)
		n++;
	if (n > GK_OID_MAX - *len)
		return false;
	for (size_t i = n; i-- > 0; arc >>= 7)
		out[*len + i] =
			(uint8_t)((arc & 0x7f) | (i + 1 < n ? 0x80 : 0));
	*len += n;
	return true;
}

enum gk_err
gk_oid_parse(struct gk_slice text, uint8_t out[GK_OID_MAX], size_t *len)
{
	arc128 arc, first = 0;
	size_t arcs = 0, n = 0;

	for (;;) {
		if (!read_arc(&text, &arc))
			return GK_ERR_VALUE;
		if (arcs == 0) {
			if (arc > 2)
				return GK_ERR_VALUE;
			first = arc;
		} else if (arcs == 1) {
			if ((first < 2 && arc > 39) || arc > ARC_MAX - 80)
				return GK_ERR_VALUE;
			if (!write_base128(first * 40 + arc, out, &n))
				return GK_ERR_VALUE;
		} else if (!write_base128(arc, out, &n)) {
			return GK_ERR_VALUE;
		}
		arcs++;
		if (text.len == 0)
			break;
		if (text.ptr[0] != '.')
			return GK_ERR_VALUE;
		text.ptr++;
		text.len--;
	}
	if (arcs < 2)
		return GK_ERR_VALUE;
	*len = n;
	return GK_OK;
}

static bool
put_text(char out[GK_OID_TEXT_MAX], size_t *at, arc128 arc)
{
	char digit[40];
	size_t n = 0, dot = *at != 0;

	do {
		digit[n++] = (char)('0' + (int)(arc % 10));
		arc /= 10;
	} while (arc != 0);
	if (*at + dot + n >= GK_OID_TEXT_MAX)
		return false;
	if (dot)
		out[(*at)++] = '.';
	while (n > 0)
		out[(*at)++] = digit[--n];
	return true;
}

enum gk_err
gk_oid_text(struct gk_slice contents, char out[GK_OID_TEXT_MAX])
{
	size_t at = 0, i = 0;

	if (contents.len == 0 || contents.len > GK_OID_MAX)
		return GK_ERR_VALUE;
	while (i < contents.len) {
		arc128 arc = 0;
		uint8_t octet;

		if (contents.ptr[i] == 0x80)
			return GK_ERR_VALUE; /* not the shortest form */
		do {
			if (i == contents.len || arc > ARC_MAX >> 7)
				return GK_ERR_VALUE;
			octet = contents.ptr[i++];
			arc = arc << 7 | (octet & 0x7f);
		} while ((octet & 0x80) != 0);
		if (at == 0) {
			unsigned first = arc < 40 ? 0 : arc < 80 ? 1 : 2;

			if (!put_text(out, &at, first))
				return GK_ERR_VALUE;
			arc -= first * 40;
		}
		if (!put_text(out, &at, arc))
			return GK_ERR_VALUE;
	}
	out[at] = '\0';
	return GK_OK;
}
