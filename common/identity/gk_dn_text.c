/* SPDX-License-Identifier: BSD-2-Clause */
/* Distinguished names as text: RFC 4514 strings and slash names. */
#include <string.h>

#include "common/base/gk_text.h"
#include "common/crypto/gk_der.h"
#include "common/identity/gk_dn_impl.h"
#include "common/identity/gk_utf8.h"

/* A cursor over the text. */
struct cur {
	const uint8_t *p, *end;
	bool wild; /* is an unescaped '*' a wildcard? */
};

static struct cur
start(struct gk_slice text, bool wild)
{
	static const uint8_t nothing[1];
	const uint8_t *p = text.len == 0 ? nothing : text.ptr;

	return (struct cur){ p, p + text.len, wild };
}

static bool
at_end(const struct cur *c)
{
	return c->p == c->end;
}

static void
skip_spaces(struct cur *c)
{
	while (!at_end(c) && *c->p == ' ')
		c->p++;
}

/* read_hexpair - two digits; -1 when they are not there. */
static int
read_hexpair(struct cur *c)
{
	int hi, lo;

	if (c->end - c->p < 2)
		return -1;
	hi = gk_hex_value((char)c->p[0]);
	lo = gk_hex_value((char)c->p[1]);
	if (hi < 0 || lo < 0)
		return -1;
	c->p += 2;
	return hi << 4 | lo;
}

/* read_type - up to and past the '='. */
static enum gk_err
read_type(struct cur *c, struct gk_dn_ava *ava)
{
	const uint8_t *from, *to;

	skip_spaces(c);
	from = c->p;
	while (!at_end(c) && *c->p != '=')
		c->p++;
	if (at_end(c))
		return GK_ERR_VALUE;
	to = c->p++;
	while (to > from && to[-1] == ' ')
		to--;
	return gk_dn_set_type(ava,
	                      (struct gk_slice){ from, (size_t)(to - from) });
}

/* read_hex_value - '#' and the value's DER. */
static enum gk_err
read_hex_value(struct cur *c, struct gk_dn_ava *ava)
{
	struct gk_buf der;
	enum gk_err err;
	size_t n = 0;

	c->p++;
	GK_TRY(gk_buf_alloc(&der, (size_t)(c->end - c->p) / 2));
	while (!at_end(c) && gk_hex_value((char)*c->p) >= 0) {
		int v = read_hexpair(c);

		if (v < 0) {
			gk_buf_free(&der);
			return GK_ERR_VALUE;
		}
		der.ptr[n++] = (uint8_t)v;
	}
	err = n == 0 ? GK_ERR_VALUE
	             : gk_dn_set_der(ava, (struct gk_slice){ der.ptr, n },
	                             false);
	gk_buf_free(&der);
	return err;
}

/* read_escape - what follows a backslash; -1 when nothing may. */
static int
read_escape(struct cur *c)
{
	if (at_end(c))
		return -1;
	if (strchr(" \"#+,;<=>\\", *c->p) != NULL && *c->p != '\0')
		return *c->p++;
	return read_hexpair(c);
}

/* read_string - up to an unescaped ',' or '+'; spaces at its end that are not
 * escaped do not belong to it. */
static enum gk_err
read_string(struct cur *c, struct gk_buf *text)
{
	size_t n = 0, keep = 0;

	GK_TRY(gk_buf_alloc(text, (size_t)(c->end - c->p)));
	while (!at_end(c) && *c->p != ',' && *c->p != '+') {
		int v = *c->p++;

		if (v == '\0' || v == '"' || v == ';' || v == '<' || v == '>')
			return GK_ERR_VALUE;
		if (v == '\\') {
			v = read_escape(c);
			if (v < 0)
				return GK_ERR_VALUE;
			text->ptr[n++] = (uint8_t)v;
			keep = n;
			continue;
		}
		text->ptr[n++] = (uint8_t)v;
		if (v != ' ')
			keep = n;
	}
	text->len = keep;
	/* Wildcards would not be UTF-8, so they are put in afterwards; hence
	 * the check here and the second pass below. */
	return gk_utf8_valid(gk_buf_slice(text)) ? GK_OK : GK_ERR_VALUE;
}

/* mark_wildcards - the same walk over the source, looking for bare stars. */
static void
mark_wildcards(const uint8_t *from, const uint8_t *to, struct gk_buf *text)
{
	struct cur c = { from, to, true };

	for (size_t n = 0; c.p < to && n < text->len; n++) {
		if (*c.p == '\\') {
			c.p++;
			(void)read_escape(&c);
			continue;
		}
		if (*c.p++ == '*')
			text->ptr[n] = GK_DN_WILD;
	}
}

static enum gk_err
read_ava(struct cur *c, struct gk_dn_ava *ava)
{
	struct gk_buf text = { 0 };
	const uint8_t *from;
	enum gk_err err;

	GK_TRY(read_type(c, ava));
	skip_spaces(c);
	if (!at_end(c) && *c->p == '#') {
		GK_TRY(read_hex_value(c, ava));
		skip_spaces(c);
		return at_end(c) || *c->p == ',' || *c->p == '+' ? GK_OK
		                                                 : GK_ERR_VALUE;
	}
	from = c->p;
	err = read_string(c, &text);
	if (err == GK_OK && c->wild)
		mark_wildcards(from, c->p, &text);
	if (err == GK_OK)
		err = gk_dn_set_text(ava, &text);
	gk_buf_free(&text);
	return err;
}

static enum gk_err
read_rdn(struct cur *c, struct gk_dn *dn)
{
	GK_TRY(gk_dn_open_rdn(dn));
	for (;;) {
		struct gk_dn_ava *ava = gk_dn_add_ava(dn);

		if (ava == NULL)
			return GK_ERR_VALUE;
		GK_TRY(read_ava(c, ava));
		if (at_end(c) || *c->p != '+')
			break;
		c->p++;
	}
	return gk_dn_close_rdn(dn);
}

static enum gk_err
read_rdns(struct cur *c, struct gk_dn *dn)
{
	if (at_end(c))
		return GK_OK; /* the empty name */
	for (;;) {
		GK_TRY(read_rdn(c, dn));
		if (at_end(c))
			return GK_OK;
		c->p++; /* the ',' */
	}
}

static enum gk_err
from_string(struct gk_slice text, enum gk_dn_style style, bool wild,
            struct gk_dn **out)
{
	struct cur c = start(text, wild);
	struct gk_dn *dn;
	enum gk_err err;

	*out = NULL;
	if (text.len > GK_DN_MAX_LEN)
		return GK_ERR_VALUE;
	dn = gk_dn_new();
	if (dn == NULL)
		return GK_ERR_NOMEM;
	err = read_rdns(&c, dn);
	if (err != GK_OK) {
		gk_dn_free(dn);
		return err;
	}
	if (style == GK_DN_RFC4514)
		gk_dn_reverse(dn);
	*out = dn;
	return GK_OK;
}

enum gk_err
gk_dn_from_string(struct gk_slice text, enum gk_dn_style style,
                  struct gk_dn **dn)
{
	return from_string(text, style, false, dn);
}

enum gk_err
gk_dn_pattern_from_string(struct gk_slice text, enum gk_dn_style style,
                          struct gk_dn **dn)
{
	return from_string(text, style, true, dn);
}

/* Writing ------------------------------------------------------------------ */

/* Enough for every octet as a hexpair, and for names and separators. */
struct out {
	struct gk_buf buf;
	size_t n;
};

static enum gk_err
out_init(struct out *o, const struct gk_dn *dn)
{
	size_t cap = 16;

	for (size_t i = 0; i < dn->n_ava; i++)
		cap += GK_OID_TEXT_MAX + 4 + 3 * dn->ava[i].text.len +
		       2 * dn->ava[i].der.len;
	o->n = 0;
	return gk_buf_alloc(&o->buf, cap);
}

static void
put(struct out *o, char c)
{
	o->buf.ptr[o->n++] = (uint8_t)c;
}

static void
put_str(struct out *o, const char *s)
{
	while (*s != '\0')
		put(o, *s++);
}

static void
put_hex(struct out *o, uint8_t v)
{
	static const char digit[] = "0123456789abcdef";

	put(o, digit[v >> 4]);
	put(o, digit[v & 15]);
}

/* One character of an attribute's value. */
static void
put_char(struct out *o, struct gk_slice s, bool first, bool last)
{
	uint8_t c = s.ptr[0];
	bool hex = c == '*' || !gk_is_visible(s);

	if (!hex && (strchr("\"+,;<>\\", c) != NULL ||
	             (c == ' ' && (first || last)) || (c == '#' && first)))
		put(o, '\\');
	for (size_t i = 0; i < s.len; i++) {
		if (hex) {
			put(o, '\\');
			put_hex(o, s.ptr[i]);
		} else {
			put(o, (char)s.ptr[i]);
		}
	}
}

/* put_escaped - RFC 4514 section 2.4; a '*' too, so that no value turns into a
 * pattern when it is copied into one, and what a terminal would act on. */
static void
put_escaped(struct out *o, struct gk_slice text)
{
	for (size_t i = 0, n; i < text.len; i += n) {
		struct gk_slice rest = { text.ptr + i, text.len - i };

		n = gk_utf8_next(rest, NULL);
		if (n == 0)
			n = 1;
		if (rest.ptr[0] == GK_DN_WILD)
			put(o, '*');
		else
			put_char(o, (struct gk_slice){ rest.ptr, n }, i == 0,
			         n == rest.len);
	}
}

static enum gk_err
put_ava(struct out *o, const struct gk_dn_ava *ava)
{
	const struct gk_dn_type *type = gk_dn_type_by_oid(ava);
	char oid[GK_OID_TEXT_MAX];
	bool named = type != NULL && type->rfc4514;

	if (named) {
		put_str(o, type->name[0]);
	} else {
		GK_TRY(gk_oid_text((struct gk_slice){ ava->oid, ava->oid_len },
		                   oid));
		put_str(o, oid);
	}
	put(o, '=');
	/* A type without a short name has its value in hexadecimal, unless it
	 * is a pattern, which only text can say. */
	if (ava->is_text && (named || ava->der.len == 0)) {
		put_escaped(o, gk_buf_slice(&ava->text));
		return GK_OK;
	}
	put(o, '#');
	for (size_t i = 0; i < ava->der.len; i++)
		put_hex(o, ava->der.ptr[i]);
	return GK_OK;
}

static enum gk_err
put_rdn(struct out *o, const struct gk_dn *dn, size_t i)
{
	for (size_t k = dn->rdn[i]; k < dn->rdn[i + 1]; k++) {
		if (k > dn->rdn[i])
			put(o, '+');
		GK_TRY(put_ava(o, &dn->ava[k]));
	}
	return GK_OK;
}

static enum gk_err
out_done(struct out *o, enum gk_err err, struct gk_buf *text)
{
	if (err == GK_OK)
		err = gk_buf_copy(text, (struct gk_slice){ o->buf.ptr, o->n });
	gk_buf_free(&o->buf);
	return err;
}

enum gk_err
gk_dn_to_string(const struct gk_dn *dn, enum gk_dn_style style,
                struct gk_buf *text)
{
	enum gk_err err = GK_OK;
	struct out o;

	*text = (struct gk_buf){ 0 };
	GK_TRY(out_init(&o, dn));
	for (size_t i = 0; err == GK_OK && i < dn->n_rdn; i++) {
		if (i > 0)
			put(&o, ',');
		err = put_rdn(&o, dn,
		              style == GK_DN_RFC4514 ? dn->n_rdn - 1 - i : i);
	}
	return out_done(&o, err, text);
}

/* Slash names -------------------------------------------------------------- */

static enum gk_err
read_part(struct cur *c, struct gk_dn *dn)
{
	const uint8_t *from, *stop;
	struct gk_dn_ava *ava;
	struct gk_buf text = { 0 };
	enum gk_err err;

	stop = memchr(c->p, '/', (size_t)(c->end - c->p));
	if (stop == NULL)
		stop = c->end;
	GK_TRY(gk_dn_open_rdn(dn));
	ava = gk_dn_add_ava(dn);
	if (ava == NULL)
		return GK_ERR_VALUE;
	from = memchr(c->p, '=', (size_t)(stop - c->p));
	if (from == NULL)
		return GK_ERR_VALUE;
	GK_TRY(gk_dn_set_type(
		ava, (struct gk_slice){ c->p, (size_t)(from - c->p) }));
	from++;
	GK_TRY(gk_buf_copy(&text,
	                   (struct gk_slice){ from, (size_t)(stop - from) }));
	err = gk_utf8_valid(gk_buf_slice(&text)) ? GK_OK : GK_ERR_VALUE;
	for (size_t i = 0; err == GK_OK && c->wild && i < text.len; i++)
		if (text.ptr[i] == '*')
			text.ptr[i] = GK_DN_WILD;
	if (err == GK_OK)
		err = gk_dn_set_text(ava, &text);
	gk_buf_free(&text);
	GK_TRY(err);
	c->p = stop;
	return gk_dn_close_rdn(dn);
}

static enum gk_err
from_slash(struct gk_slice text, bool wild, struct gk_dn **out)
{
	struct cur c = start(text, wild);
	enum gk_err err = GK_OK;
	struct gk_dn *dn;

	*out = NULL;
	if (text.len == 0 || text.len > GK_DN_MAX_LEN)
		return GK_ERR_VALUE;
	dn = gk_dn_new();
	if (dn == NULL)
		return GK_ERR_NOMEM;
	while (err == GK_OK && !at_end(&c)) {
		if (*c.p++ != '/')
			err = GK_ERR_VALUE;
		else
			err = read_part(&c, dn);
	}
	if (err != GK_OK) {
		gk_dn_free(dn);
		return err;
	}
	*out = dn;
	return GK_OK;
}

enum gk_err
gk_dn_from_slash(struct gk_slice text, struct gk_dn **dn)
{
	return from_slash(text, false, dn);
}

enum gk_err
gk_dn_pattern_from_slash(struct gk_slice text, struct gk_dn **dn)
{
	return from_slash(text, true, dn);
}

enum gk_err
gk_dn_to_slash(const struct gk_dn *dn, struct gk_buf *text)
{
	enum gk_err err = GK_OK;
	struct out o;

	*text = (struct gk_buf){ 0 };
	GK_TRY(out_init(&o, dn));
	for (size_t i = 0; err == GK_OK && i < dn->n_rdn; i++) {
		const struct gk_dn_ava *ava = &dn->ava[dn->rdn[i]];
		const struct gk_dn_type *type = gk_dn_type_by_oid(ava);

		if (dn->rdn[i + 1] - dn->rdn[i] != 1 || type == NULL ||
		    !ava->is_text ||
		    (ava->text.len != 0 &&
		     memchr(ava->text.ptr, '/', ava->text.len) != NULL)) {
			err = GK_ERR_VALUE;
			break;
		}
		put(&o, '/');
		put_str(&o, type->slash);
		put(&o, '=');
		for (size_t k = 0; k < ava->text.len; k++)
			put(&o, ava->text.ptr[k] == GK_DN_WILD
			                ? '*'
			                : (char)ava->text.ptr[k]);
	}
	return out_done(&o, err, text);
}
