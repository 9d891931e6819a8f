/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_text.h"
#include "policy-tokens/xml/gpt_xml.h"

#define GROW 4096 /* octets by which the buffer grows at least */

static void
raw(struct gpt_xml_out *out, const void *p, size_t n)
{
	struct gk_buf grown;

	if (out->err != GK_OK)
		return;
	if (out->buf.len - out->len < n) {
		size_t cap = out->buf.len * 2 + n + GROW;

		out->err = gk_buf_alloc(&grown, cap);
		if (out->err != GK_OK)
			return;
		if (out->len > 0)
			memcpy(grown.ptr, out->buf.ptr, out->len);
		gk_buf_free(&out->buf);
		out->buf = grown;
	}
	if (n > 0)
		memcpy(out->buf.ptr + out->len, p, n);
	out->len += n;
}

static void
str(struct gpt_xml_out *out, const char *s)
{
	raw(out, s, strlen(s));
}

/* What is no ASCII and what a terminal would act on goes as a reference, which is
 * read as the same character. */
static size_t
referred(struct gpt_xml_out *out, struct gk_slice text)
{
	char reference[16];
	uint32_t c;
	size_t n = gk_utf8_next(text, &c);

	if (n == 0 || c < 0x7f ||
	    gk_is_visible((struct gk_slice){ text.ptr, n }))
		return 0;
	(void)snprintf(reference, sizeof(reference), "&#x%x;", c);
	str(out, reference);
	return n;
}

static void
escaped(struct gpt_xml_out *out, struct gk_slice text)
{
	for (size_t i = 0, n; i < text.len; i += n) {
		n = referred(out,
		             (struct gk_slice){ text.ptr + i, text.len - i });
		if (n > 0)
			continue;
		n = 1;
		switch (text.ptr[i]) {
		case '&':
			str(out, "&amp;");
			break;
		case '<':
			str(out, "&lt;");
			break;
		case '>':
			str(out, "&gt;");
			break;
		case '"':
			str(out, "&quot;");
			break;
		default:
			raw(out, &text.ptr[i], 1);
			break;
		}
	}
}

static void
hex(struct gpt_xml_out *out, struct gk_slice octets)
{
	for (size_t i = 0; i < octets.len; i++) {
		char two[3];

		str(out, gk_hex(two, sizeof(two),
		                (struct gk_slice){ octets.ptr + i, 1 }));
	}
}

static void
indent(struct gpt_xml_out *out)
{
	for (unsigned i = 0; i < out->depth; i++)
		str(out, "  ");
}

void
gpt_xml_head(struct gpt_xml_out *out)
{
	str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
}

void
gpt_xml_begin(struct gpt_xml_out *out, const char *name)
{
	if (out->open)
		str(out, ">\n");
	indent(out);
	str(out, "<");
	str(out, name);
	out->open = true;
	out->depth++;
}

void
gpt_xml_put_text(struct gpt_xml_out *out, const char *attr,
                 struct gk_slice value)
{
	str(out, " ");
	str(out, attr);
	str(out, "=\"");
	escaped(out, value);
	str(out, "\"");
}

void
gpt_xml_put(struct gpt_xml_out *out, const char *attr, const char *value)
{
	gpt_xml_put_text(out, attr, gk_slice_str(value));
}

void
gpt_xml_put_hex(struct gpt_xml_out *out, const char *attr,
                struct gk_slice octets)
{
	str(out, " ");
	str(out, attr);
	str(out, "=\"");
	hex(out, octets);
	str(out, "\"");
}

static void
end_tag(struct gpt_xml_out *out, const char *name)
{
	str(out, "</");
	str(out, name);
	str(out, ">\n");
}

void
gpt_xml_end(struct gpt_xml_out *out, const char *name)
{
	out->depth--;
	if (out->open) {
		str(out, "/>\n");
		out->open = false;
		return;
	}
	indent(out);
	end_tag(out, name);
}

void
gpt_xml_end_text(struct gpt_xml_out *out, const char *name,
                 struct gk_slice text)
{
	if (text.len == 0) {
		gpt_xml_end(out, name);
		return;
	}
	out->depth--;
	out->open = false;
	str(out, ">");
	escaped(out, text);
	end_tag(out, name);
}

void
gpt_xml_end_hex(struct gpt_xml_out *out, const char *name,
                struct gk_slice octets)
{
	if (octets.len == 0) {
		gpt_xml_end(out, name);
		return;
	}
	out->depth--;
	out->open = false;
	str(out, ">");
	hex(out, octets);
	end_tag(out, name);
}

enum gk_err
gpt_xml_done(struct gpt_xml_out *out, struct gk_buf *xml)
{
	enum gk_err err = out->err;

	if (err == GK_OK)
		err = gk_buf_copy(xml,
		                  (struct gk_slice){ out->buf.ptr, out->len });
	gk_buf_free(&out->buf);
	*out = (struct gpt_xml_out){ 0 };
	return err;
}
