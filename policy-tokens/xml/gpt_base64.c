/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/xml/gpt_base64.h"

#include <string.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define LINE 64 /* characters */

enum gk_err
gpt_base64_encode(struct gk_slice octets, struct gk_buf *text)
{
	size_t chars = (octets.len + 2) / 3 * 4;
	size_t out = 0, column = 0;

	GK_TRY(gk_buf_alloc(text, chars + chars / LINE + 2));
	text->ptr[out++] = '\n';
	for (size_t i = 0; i < octets.len; i += 3) {
		uint32_t v = 0;
		size_t have = octets.len - i < 3 ? octets.len - i : 3;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < have ? octets.ptr[i + k] : 0u);
		for (size_t k = 0; k < 4; k++)
			text->ptr[out++] =
				k <= have
					? (uint8_t)
						  alphabet[(v >> (18 - 6 * k)) &
			                                   0x3f]
					: '=';
		column += 4;
		if (column == LINE && i + 3 < octets.len) {
			text->ptr[out++] = '\n';
			column = 0;
		}
	}
	text->ptr[out++] = '\n';
	text->len = out;
	return GK_OK;
}

static int
sextet(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

static enum gk_err
decode(const char *text, struct gk_buf *octets)
{
	uint32_t v = 0;
	size_t n = 0, out = 0, pad = 0;

	for (; *text; text++) {
		int s = sextet(*text);

		if (strchr(" \t\r\n", *text))
			continue;
		if (*text == '=' && n % 4 >= 2) {
			s = 0;
			pad++;
		} else if (s < 0 || pad > 0) {
			return GK_ERR_VALUE;
		}
		v = v << 6 | (uint32_t)s;
		if (++n % 4 != 0)
			continue;
		if ((pad == 1 && (v & 0xff)) || (pad == 2 && (v & 0xffff)))
			return GK_ERR_VALUE;
		for (size_t k = 0; k < 3 - pad; k++)
			octets->ptr[out++] = (uint8_t)(v >> (16 - 8 * k));
		v = 0;
	}
	octets->len = out;
	return n % 4 == 0 ? GK_OK : GK_ERR_VALUE;
}

enum gk_err
gpt_base64_decode(const char *text, struct gk_buf *octets)
{
	enum gk_err err;

	GK_TRY(gk_buf_alloc(octets, strlen(text) + 1));
	err = decode(text, octets);
	if (err != GK_OK)
		gk_buf_free(octets);
	return err;
}
