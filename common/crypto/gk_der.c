/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_der.h"

#include <stdlib.h>
#include <string.h>

bool
gk_der_next_is(const struct gk_rd *rd, uint8_t tag)
{
	return rd->fault.err == GK_OK && gk_rd_left(rd) > 0 && *rd->pos == tag;
}

/* read_len - a definite length in its shortest form. */
static size_t
read_len(struct gk_rd *rd, const char *field)
{
	uint8_t first = gk_rd_u8(rd, field);
	size_t len = 0, n;

	if (first < 0x80)
		return first;
	n = first & 0x7f;
	if (n == 0 || n > 4) { /* indefinite, or beyond all reason */
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		len = len << 8 | gk_rd_u8(rd, field);
	if (rd->fault.err == GK_OK &&
	    (len < 0x80 || len >> (8 * (n - 1)) == 0)) {
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return 0;
	}
	return len;
}

struct gk_slice
gk_der_contents(struct gk_rd *rd, const char *field)
{
	size_t len = read_len(rd, field);

	if (rd->fault.err != GK_OK)
		return (struct gk_slice){ 0 };
	return gk_rd_bytes(rd, len, field);
}

struct gk_slice
gk_der_get(struct gk_rd *rd, uint8_t tag, const char *field)
{
	if (rd->fault.err == GK_OK && gk_rd_left(rd) > 0 && *rd->pos != tag) {
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return (struct gk_slice){ 0 };
	}
	(void)gk_rd_u8(rd, field);
	return gk_der_contents(rd, field);
}

static struct gk_rd
reader_over(const struct gk_rd *rd, struct gk_slice s)
{
	struct gk_rd sub = { .base = rd->base, .fault = rd->fault };

	sub.pos = s.ptr == NULL ? rd->pos : s.ptr;
	sub.end = sub.pos + s.len;
	return sub;
}

/* walk - one element and all below it. */
static void
walk(struct gk_rd *rd, unsigned depth, const char *field)
{
	uint8_t tag = gk_rd_u8(rd, field);
	struct gk_slice body;
	struct gk_rd inner;

	if ((tag & 0x1f) == 0x1f || depth > GK_DER_DEPTH_MAX) {
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return;
	}
	body = gk_der_contents(rd, field);
	if ((tag & 0x20) == 0)
		return;
	inner = reader_over(rd, body);
	while (inner.fault.err == GK_OK && gk_rd_left(&inner) > 0)
		walk(&inner, depth + 1, field);
	if (rd->fault.err == GK_OK)
		rd->fault = inner.fault;
}

struct gk_slice
gk_der_any(struct gk_rd *rd, const char *field)
{
	const uint8_t *from = rd->pos;

	walk(rd, 0, field);
	if (rd->fault.err != GK_OK)
		return (struct gk_slice){ 0 };
	return (struct gk_slice){ from, (size_t)(rd->pos - from) };
}

struct gk_rd
gk_der_enter(struct gk_rd *rd, uint8_t tag, const char *field)
{
	struct gk_slice body = gk_der_get(rd, tag, field);

	return reader_over(rd, body);
}

void
gk_der_leave(struct gk_rd *rd, struct gk_rd *inner)
{
	if (gk_rd_done(inner) != GK_OK && rd->fault.err == GK_OK)
		rd->fault = inner->fault;
}

int
gk_der_compare(struct gk_slice a, struct gk_slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

void
gk_der_set_of(struct gk_rd *rd, const char *field)
{
	struct gk_slice before = { 0 };
	struct gk_rd walker = *rd;

	while (walker.fault.err == GK_OK && gk_rd_left(&walker) > 0) {
		struct gk_slice now = gk_der_any(&walker, field);

		if (walker.fault.err == GK_OK && before.ptr != NULL &&
		    gk_der_compare(before, now) > 0)
			gk_rd_fail(&walker, GK_ERR_VALUE, field);
		before = now;
	}
	if (rd->fault.err == GK_OK)
		rd->fault = walker.fault;
}

bool
gk_der_integer_ok(struct gk_slice v)
{
	if (v.len == 0)
		return false;
	if (v.len == 1)
		return true;
	if (v.ptr[0] == 0x00)
		return (v.ptr[1] & 0x80) != 0;
	if (v.ptr[0] == 0xff)
		return (v.ptr[1] & 0x80) == 0;
	return true;
}

int32_t
gk_der_small(struct gk_rd *rd, const char *field)
{
	struct gk_slice v = gk_der_get(rd, GK_DER_INTEGER, field);
	uint32_t value = 0;

	if (rd->fault.err != GK_OK)
		return 0;
	if (!gk_der_integer_ok(v) || v.len > 4 || (v.ptr[0] & 0x80) != 0) {
		gk_rd_fail(rd, GK_ERR_VALUE, field);
		return 0;
	}
	for (size_t i = 0; i < v.len; i++)
		value = value << 8 | v.ptr[i];
	return (int32_t)value;
}

#define GROW_MIN 256

/* room - the place for @n more octets in front of what is there. */
static uint8_t *
room(struct gk_der_wr *wr, size_t n)
{
	struct gk_buf grown;
	size_t want;

	if (wr->err != GK_OK)
		return NULL;
	if (n > wr->buf.len - wr->used) {
		if (n > SIZE_MAX / 4 || wr->used > SIZE_MAX / 4) {
			wr->err = GK_ERR_NOMEM;
			return NULL;
		}
		want = 2 * (wr->used + n) + GROW_MIN;
		wr->err = gk_buf_alloc(&grown, want);
		if (wr->err != GK_OK)
			return NULL;
		if (wr->used != 0)
			memcpy(grown.ptr + want - wr->used,
			       wr->buf.ptr + wr->buf.len - wr->used, wr->used);
		gk_buf_free(&wr->buf);
		wr->buf = grown;
	}
	wr->used += n;
	return wr->buf.ptr + wr->buf.len - wr->used;
}

size_t
gk_der_wr_mark(const struct gk_der_wr *wr)
{
	return wr->used;
}

void
gk_der_wr_octets(struct gk_der_wr *wr, struct gk_slice s)
{
	uint8_t *p = s.len == 0 ? NULL : room(wr, s.len);

	if (p != NULL)
		memcpy(p, s.ptr, s.len);
}

static void
put_u8(struct gk_der_wr *wr, uint8_t v)
{
	gk_der_wr_octets(wr, (struct gk_slice){ &v, 1 });
}

void
gk_der_wr_wrap(struct gk_der_wr *wr, uint8_t tag, size_t mark)
{
	size_t len = wr->used - mark;

	if (len < 0x80) {
		put_u8(wr, (uint8_t)len);
	} else {
		uint8_t n = 0;

		for (size_t rest = len; rest != 0; rest >>= 8, n++)
			put_u8(wr, (uint8_t)rest);
		put_u8(wr, (uint8_t)(0x80 | n));
	}
	put_u8(wr, tag);
}

void
gk_der_wr_put(struct gk_der_wr *wr, uint8_t tag, struct gk_slice s)
{
	size_t mark = gk_der_wr_mark(wr);

	gk_der_wr_octets(wr, s);
	gk_der_wr_wrap(wr, tag, mark);
}

void
gk_der_wr_unsigned(struct gk_der_wr *wr, struct gk_slice magnitude)
{
	size_t mark = gk_der_wr_mark(wr);

	while (magnitude.len > 0 && magnitude.ptr[0] == 0) {
		magnitude.ptr++;
		magnitude.len--;
	}
	gk_der_wr_octets(wr, magnitude);
	if (magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0)
		put_u8(wr, 0);
	gk_der_wr_wrap(wr, GK_DER_INTEGER, mark);
}

static int
compare_descending(const void *a, const void *b)
{
	const struct gk_slice *x = a, *y = b;

	return gk_der_compare(*y, *x);
}

void
gk_der_wr_set_of(struct gk_der_wr *wr, uint8_t tag, struct gk_slice *element,
                 size_t n)
{
	size_t mark = gk_der_wr_mark(wr);

	if (n > 1)
		qsort(element, n, sizeof(*element), compare_descending);
	for (size_t i = 0; i < n; i++)
		gk_der_wr_octets(wr, element[i]);
	gk_der_wr_wrap(wr, tag, mark);
}

enum gk_err
gk_der_wr_done(struct gk_der_wr *wr, struct gk_buf *out)
{
	enum gk_err err = wr->err;

	*out = (struct gk_buf){ 0 };
	if (err == GK_OK)
		err = gk_buf_copy(
			out, (struct gk_slice){
				     wr->used == 0 ? NULL
						   : wr->buf.ptr + wr->buf.len -
							     wr->used,
				     wr->used });
	gk_buf_free(&wr->buf);
	*wr = (struct gk_der_wr){ 0 };
	return err;
}
