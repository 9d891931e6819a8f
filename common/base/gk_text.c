/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE_MAX 6 /* \uXXXX */

size_t
gk_utf8_next(struct gk_slice s, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = s.len > 0 ? s.ptr[0] : 0x80;
	size_t n = lead < 0x80             ? 1
	           : (lead & 0xe0) == 0xc0 ? 2
	           : (lead & 0xf0) == 0xe0 ? 3
	           : (lead & 0xf8) == 0xf0 ? 4
	                                   : 0;
	uint32_t value;

	if (n == 0 || n > s.len)
		return 0;
	value = n == 1 ? lead : lead & (0xffu >> (n + 1));
	for (size_t k = 1; k < n; k++) {
		if ((s.ptr[k] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s.ptr[k] & 0x3f);
	}
	if (value < least[n] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	if (c != NULL)
		*c = value;
	return n;
}

/* What is acted on, and not shown. */
static bool
is_control(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} range[] = {
		{ 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x61c, 0x61c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < GK_COUNT(range); i++)
		if (c >= range[i].first && c <= range[i].last)
			return true;
	return false;
}

/* How many octets of @text are one thing to be shown; @escape: how, if not as
 * they are ("" then). */
static size_t
next(struct gk_slice text, char escape[ESCAPE_MAX + 1])
{
	uint32_t c;
	size_t n = gk_utf8_next(text, &c);

	escape[0] = '\0';
	if (n == 0)
		snprintf(escape, ESCAPE_MAX + 1, "\\x%02x", text.ptr[0]);
	else if (is_control(c))
		snprintf(escape, ESCAPE_MAX + 1, "\\u%04x", c & 0xffff);
	return n != 0 ? n : 1;
}

bool
gk_is_visible(struct gk_slice text)
{
	char escape[ESCAPE_MAX + 1];

	for (size_t i = 0; i < text.len;) {
		i += next((struct gk_slice){ text.ptr + i, text.len - i },
		          escape);
		if (escape[0] != '\0')
			return false;
	}
	return true;
}

static char *
show(char *out, size_t cap, struct gk_slice text, bool lines)
{
	char escape[ESCAPE_MAX + 1];
	size_t at = 0;

	if (cap == 0)
		return out;
	for (size_t i = 0; i < text.len;) {
		const void *from = text.ptr + i;
		size_t n =
			next((struct gk_slice){ from, text.len - i }, escape);

		if (escape[0] != '\0' && !(lines && text.ptr[i] == '\n')) {
			from = escape;
			i += n;
			n = strlen(escape);
		} else {
			i += n;
		}
		if (n >= cap - at)
			break;
		memcpy(out + at, from, n);
		at += n;
	}
	out[at] = '\0';
	return out;
}

char *
gk_visible(char *out, size_t cap, struct gk_slice text)
{
	return show(out, cap, text, false);
}

void
gk_text_cut(char *text)
{
	size_t len = strlen(text), n = 0;

	while (n < len && n < 3 && ((uint8_t)text[len - 1 - n] & 0xc0) == 0x80)
		n++;
	/* A lead octet that announces more than there is. */
	if (n < len && (uint8_t)text[len - 1 - n] >= 0xc0 &&
	    gk_utf8_next(
		    (struct gk_slice){ (uint8_t *)text + len - 1 - n, n + 1 },
		    NULL) == 0)
		text[len - 1 - n] = '\0';
}

static char *
show_new(struct gk_slice text, bool lines)
{
	size_t cap = text.len < SIZE_MAX / ESCAPE_MAX
	                     ? ESCAPE_MAX * text.len + 1
	                     : 0;
	char *out = cap != 0 ? malloc(cap) : NULL;

	return out != NULL ? show(out, cap, text, lines) : NULL;
}

char *
gk_visible_new(struct gk_slice text)
{
	return show_new(text, false);
}

char *
gk_visible_lines(struct gk_slice text)
{
	return show_new(text, true);
}
