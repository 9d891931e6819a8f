/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_groupid.h"

#include <string.h>

#define RANDOM_LEN 8      /* octets of the random value */
#define RANDOM_HEX_LEN 16 /* the same in a utf-8 GroupID */
#define IPV4_LEN (RANDOM_LEN + 4)
#define IPV6_LEN (RANDOM_LEN + 16)

static const char *const type_names[] = {
	[GPT_GROUPID_RAW] = "raw",
	[GPT_GROUPID_UTF8] = "utf-8",
	[GPT_GROUPID_OCTETS] = "octet-string",
	[GPT_GROUPID_IPV4] = "ipv4",
	[GPT_GROUPID_IPV6] = "ipv6",
};

const char *
gpt_groupid_name(enum gpt_groupid_type type)
{
	return (size_t)type < GK_COUNT(type_names) ? type_names[type]
	                                           : "unknown";
}

bool
gpt_groupid_from_name(const char *name, enum gpt_groupid_type *type)
{
	for (size_t i = 0; i < GK_COUNT(type_names); i++)
		if (strcmp(type_names[i], name) == 0) {
			*type = (enum gpt_groupid_type)i;
			return true;
		}
	return false;
}

/* One UTF-8 sequence at @p: its length, or 0.  Shortest form only, no
 * surrogates, nothing that XML 1.0 excludes. */
static size_t
utf8_len(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t c;
	size_t n;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
	n = (p[0] & 0xe0) == 0xc0   ? 2
	    : (p[0] & 0xf0) == 0xe0 ? 3
	    : (p[0] & 0xf8) == 0xf0 ? 4
	                            : 0;
	if (n == 0 || n > left)
		return 0;
	c = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
	    c == 0xfffe || c == 0xffff || (c >= 0x80 && c < 0xa0))
		return 0;
	return n;
}

bool
gpt_text_ok(struct gk_slice text)
{
	size_t at = 0;

	if (text.len == 0 || text.ptr[0] == ' ' ||
	    text.ptr[text.len - 1] == ' ')
		return false;
	while (at < text.len) {
		size_t n = utf8_len(text.ptr + at, text.len - at);

		if (n == 0)
			return false;
		at += n;
	}
	return true;
}

static struct gk_slice
tail(struct gk_slice value, size_t skip)
{
	return (struct gk_slice){ value.ptr + skip, value.len - skip };
}

static bool
is_utf8(struct gk_slice value, const char *digits)
{
	if (value.len <= RANDOM_HEX_LEN)
		return false;
	for (size_t i = 0; i < RANDOM_HEX_LEN; i++)
		if (value.ptr[i] == 0 || !strchr(digits, value.ptr[i]))
			return false;
	return gpt_text_ok(tail(value, RANDOM_HEX_LEN));
}

bool
gpt_groupid_tail_printable(struct gk_slice value)
{
	struct gk_slice text;

	if (value.len <= RANDOM_LEN)
		return false;
	text = tail(value, RANDOM_LEN);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
			return false;
	return gpt_text_ok(text);
}

enum gpt_groupid_type
gpt_groupid_guess(struct gk_slice value)
{
	if (is_utf8(value, "0123456789abcdef"))
		return GPT_GROUPID_UTF8;
	if (gpt_groupid_tail_printable(value))
		return GPT_GROUPID_OCTETS;
	if (value.len == IPV4_LEN)
		return GPT_GROUPID_IPV4;
	if (value.len == IPV6_LEN)
		return GPT_GROUPID_IPV6;
	return value.len > RANDOM_LEN ? GPT_GROUPID_OCTETS : GPT_GROUPID_RAW;
}

bool
gpt_groupid_fits(enum gpt_groupid_type type, struct gk_slice value)
{
	if (value.len == 0 || value.len > GPT_GROUPID_MAX)
		return false;
	switch (type) {
	case GPT_GROUPID_UTF8:
		return is_utf8(value, "0123456789abcdefABCDEF");
	case GPT_GROUPID_OCTETS:
		return value.len > RANDOM_LEN;
	case GPT_GROUPID_IPV4:
		return value.len == IPV4_LEN;
	case GPT_GROUPID_IPV6:
		return value.len == IPV6_LEN;
	case GPT_GROUPID_RAW:
		break;
	}
	return true;
}
