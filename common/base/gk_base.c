/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_base.h"

#include <stdlib.h>
#include <string.h>

void
gk_wipe(void *p, size_t n)
{
	if (p != NULL && n != 0)
		explicit_bzero(p, n);
}

bool
gk_equal_secret(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

bool
gk_slice_equal(struct gk_slice a, struct gk_slice b)
{
	return a.len == b.len &&
	       (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
gk_slice_is_zero(struct gk_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != 0)
			return false;
	return true;
}

struct gk_slice
gk_slice_str(const char *s)
{
	return (struct gk_slice){ (const uint8_t *)s, strlen(s) };
}

enum gk_err
gk_buf_alloc(struct gk_buf *buf, size_t len)
{
	*buf = (struct gk_buf){ 0 };
	if (len == 0)
		return GK_OK;
	buf->ptr = calloc(1, len);
	if (buf->ptr == NULL)
		return GK_ERR_NOMEM;
	buf->len = len;
	return GK_OK;
}

enum gk_err
gk_buf_copy(struct gk_buf *buf, struct gk_slice s)
{
	*buf = (struct gk_buf){ 0 };
	if (s.len == 0)
		return GK_OK;
	buf->ptr = malloc(s.len);
	if (buf->ptr == NULL)
		return GK_ERR_NOMEM;
	memcpy(buf->ptr, s.ptr, s.len);
	buf->len = s.len;
	return GK_OK;
}

enum gk_err
gk_buf_append(struct gk_buf *buf, struct gk_slice s)
{
	struct gk_buf grown;

	if (s.len > SIZE_MAX - buf->len)
		return GK_ERR_NOMEM;
	GK_TRY(gk_buf_alloc(&grown, buf->len + s.len));
	if (buf->len != 0)
		memcpy(grown.ptr, buf->ptr, buf->len);
	if (s.len != 0)
		memcpy(grown.ptr + buf->len, s.ptr, s.len);
	gk_buf_free(buf);
	*buf = grown;
	return GK_OK;
}

void
gk_buf_free(struct gk_buf *buf)
{
	gk_wipe(buf->ptr, buf->len);
	free(buf->ptr);
	*buf = (struct gk_buf){ 0 };
}

struct gk_slice
gk_buf_slice(const struct gk_buf *buf)
{
	return (struct gk_slice){ buf->ptr, buf->len };
}

char *
gk_hex(char *out, size_t cap, struct gk_slice s)
{
	static const char digit[] = "0123456789abcdef";
	size_t at = 0;

	if (cap == 0)
		return out;
	for (size_t i = 0; i < s.len && at + 2 < cap; i++) {
		out[at++] = digit[s.ptr[i] >> 4];
		out[at++] = digit[s.ptr[i] & 15];
	}
	out[at] = '\0';
	return out;
}

int
gk_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum gk_err
gk_unhex(struct gk_buf *buf, const char *text)
{
	size_t n = strlen(text);

	*buf = (struct gk_buf){ 0 };
	if (n % 2 != 0)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_alloc(buf, n / 2));
	for (size_t i = 0; i < n / 2; i++) {
		int hi = gk_hex_value(text[2 * i]),
		    lo = gk_hex_value(text[2 * i + 1]);

		if (hi < 0 || lo < 0) {
			gk_buf_free(buf);
			return GK_ERR_VALUE;
		}
		buf->ptr[i] = (uint8_t)(hi << 4 | lo);
	}
	return GK_OK;
}
