/* SPDX-License-Identifier: BSD-2-Clause */
/* Identities as text, for configuration and for logs. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/base/gk_text.h"
#include "common/identity/gk_identity_impl.h"
#include "common/identity/gk_utf8.h"

#define HEX_PREFIX "hex:"
#define TEXT_MAX 8192

static bool
starts_hex(struct gk_slice s)
{
	size_t n = strlen(HEX_PREFIX);

	return s.len >= n && memcmp(s.ptr, HEX_PREFIX, n) == 0;
}

static enum gk_err
unhex(struct gk_slice text, struct gk_buf *out)
{
	char copy[2 * TEXT_MAX + 1];

	if (text.len >= sizeof(copy) ||
	    (text.len != 0 && memchr(text.ptr, 0, text.len) != NULL))
		return GK_ERR_VALUE;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return gk_unhex(out, copy);
}

static enum gk_err
parse_ip(enum gk_id_kind kind, struct gk_slice text, struct gk_buf *out)
{
	struct gk_id_ip_pattern pattern;
	char copy[INET6_ADDRSTRLEN];
	uint8_t addr[16];

	if (gk_id_parse_ip_pattern(kind, text, &pattern)) {
		/* Sixteen octets would be read as an address. */
		if (kind == GK_ID_IPV6 && text.len == 16)
			return GK_ERR_VALUE;
		return gk_buf_copy(out, text);
	}
	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.ptr, 0, text.len) != NULL)
		return GK_ERR_VALUE;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(kind == GK_ID_IPV4 ? AF_INET : AF_INET6, copy, addr) != 1)
		return GK_ERR_VALUE;
	return gk_buf_copy(
		out, (struct gk_slice){ addr, kind == GK_ID_IPV4 ? 4u : 16u });
}

static enum gk_err
parse_der_dn(struct gk_slice text, struct gk_buf *out)
{
	struct gk_dn *dn;
	enum gk_err err;

	GK_TRY(gk_dn_from_string(text, GK_DN_RFC4514, &dn));
	err = gk_dn_to_der(dn, out);
	gk_dn_free(dn);
	return err;
}

static enum gk_err
parse_u_name(struct gk_slice text, struct gk_buf *out)
{
	const uint8_t *slash = memchr(text.ptr, '/', text.len);
	uint8_t serial[GK_U_NAME_SERIAL_LEN] = { 0 };
	struct gk_slice digits, name;
	struct gk_buf raw = { 0 };
	struct gk_wr wr;
	enum gk_err err;

	if (slash == NULL)
		return GK_ERR_VALUE;
	digits = (struct gk_slice){ text.ptr, (size_t)(slash - text.ptr) };
	name = (struct gk_slice){ slash, text.len - digits.len };
	if (digits.len == 1 && digits.ptr[0] == '*') {
		memset(serial, '*', sizeof(serial));
	} else {
		GK_TRY(unhex(digits, &raw));
		if (raw.len > sizeof(serial)) {
			gk_buf_free(&raw);
			return GK_ERR_VALUE;
		}
		if (raw.len != 0)
			memcpy(serial + sizeof(serial) - raw.len, raw.ptr,
			       raw.len);
		gk_buf_free(&raw);
	}
	GK_TRY(gk_buf_alloc(out, sizeof(serial) + 4 + name.len));
	gk_wr_init(&wr, out->ptr, out->len);
	gk_wr_bytes(&wr, (struct gk_slice){ serial, sizeof(serial) });
	gk_wr_u32(&wr, (uint32_t)name.len);
	gk_wr_bytes(&wr, name);
	err = gk_wr_done(&wr);
	if (err != GK_OK)
		gk_buf_free(out);
	return err;
}

/* parse_own - the form that belongs to the kind. */
static enum gk_err
parse_own(enum gk_id_kind kind, struct gk_slice text, struct gk_buf *out)
{
	if (gk_id_is_star((struct gk_identity){ kind, text }))
		return gk_buf_copy(out, text);
	switch (kind) {
	case GK_ID_NONE:
		return GK_ERR_VALUE;
	case GK_ID_IPV4:
	case GK_ID_IPV6:
		return parse_ip(kind, text, out);
	case GK_ID_DER_DN:
		return parse_der_dn(text, out);
	case GK_ID_U_NAME:
		return parse_u_name(text, out);
	case GK_ID_FQDN:
	case GK_ID_RFC822:
	case GK_ID_DN_STRING:
	case GK_ID_KEY_ID:
		return gk_buf_copy(out, text);
	}
	return GK_ERR_VALUE;
}

enum gk_err
gk_identity_parse(enum gk_id_kind kind, struct gk_slice text,
                  struct gk_buf *octets)
{
	size_t prefix = strlen(HEX_PREFIX);
	enum gk_err err;

	*octets = (struct gk_buf){ 0 };
	if (kind == GK_ID_NONE || text.len == 0 || text.len > TEXT_MAX)
		return GK_ERR_VALUE;
	if (starts_hex(text))
		return unhex((struct gk_slice){ text.ptr + prefix,
		                                text.len - prefix },
		             octets);
	GK_TRY(parse_own(kind, text, octets));
	err = gk_identity_check_pattern(
		(struct gk_identity){ kind, gk_buf_slice(octets) });
	if (err != GK_OK)
		gk_buf_free(octets);
	return err;
}

static enum gk_err
format_ip(struct gk_identity id, struct gk_buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (id.octets.len != (id.kind == GK_ID_IPV4 ? 4 : 16))
		return gk_buf_copy(out, id.octets); /* a pattern */
	if (inet_ntop(id.kind == GK_ID_IPV4 ? AF_INET : AF_INET6, id.octets.ptr,
	              text, sizeof(text)) == NULL)
		return GK_ERR_VALUE;
	return gk_buf_copy(out, gk_slice_str(text));
}

static enum gk_err
format_der_dn(struct gk_identity id, struct gk_buf *out)
{
	struct gk_dn *dn;
	enum gk_err err;

	GK_TRY(gk_dn_from_der(id.octets, &dn));
	err = gk_dn_to_string(dn, GK_DN_RFC4514, out);
	gk_dn_free(dn);
	return err;
}

static enum gk_err
format_u_name(struct gk_identity id, struct gk_buf *out)
{
	char text[2 * GK_U_NAME_SERIAL_LEN + 1] = "*";
	struct gk_slice serial, name;

	if (!gk_id_split_u_name(id.octets, &serial, &name))
		return GK_ERR_VALUE;
	if (!gk_id_any_serial(serial))
		gk_hex(text, sizeof(text), gk_id_trim_serial(serial));
	GK_TRY(gk_buf_copy(out, gk_slice_str(text)));
	return gk_buf_append(out, name);
}

static enum gk_err
format_own(struct gk_identity id, struct gk_buf *out)
{
	if (gk_id_is_star(id))
		return gk_buf_copy(out, id.octets);
	switch (id.kind) {
	case GK_ID_NONE:
		return GK_ERR_VALUE;
	case GK_ID_IPV4:
	case GK_ID_IPV6:
		return format_ip(id, out);
	case GK_ID_DER_DN:
		return format_der_dn(id, out);
	case GK_ID_U_NAME:
		return format_u_name(id, out);
	case GK_ID_FQDN:
	case GK_ID_RFC822:
	case GK_ID_DN_STRING:
	case GK_ID_KEY_ID:
		return gk_buf_copy(out, id.octets);
	}
	return GK_ERR_VALUE;
}

/* reads_back - may @text stand for @id?  Printable, and parsed again the same
 * octets. */
static bool
reads_back(struct gk_identity id, struct gk_slice text)
{
	struct gk_buf again;
	bool ok;

	if (starts_hex(text) || !gk_is_visible(text))
		return false;
	/* Text files lose spaces at the ends. */
	if (text.len > 0 &&
	    (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' '))
		return false;
	if (gk_identity_parse(id.kind, text, &again) != GK_OK)
		return false;
	ok = gk_slice_equal(gk_buf_slice(&again), id.octets);
	gk_buf_free(&again);
	return ok;
}

static enum gk_err
format_hex(struct gk_slice octets, struct gk_buf *text)
{
	size_t prefix = strlen(HEX_PREFIX);
	struct gk_buf out;

	if (octets.len > SIZE_MAX / 4)
		return GK_ERR_NOMEM;
	GK_TRY(gk_buf_alloc(&out, prefix + 2 * octets.len + 1));
	memcpy(out.ptr, HEX_PREFIX, prefix);
	gk_hex((char *)out.ptr + prefix, out.len - prefix, octets);
	out.len--;
	*text = out;
	return GK_OK;
}

enum gk_err
gk_identity_format(struct gk_identity id, struct gk_buf *text)
{
	enum gk_err err;

	*text = (struct gk_buf){ 0 };
	err = format_own(id, text);
	if (err == GK_OK && reads_back(id, gk_buf_slice(text)))
		return GK_OK;
	gk_buf_free(text);
	if (err != GK_OK && err != GK_ERR_VALUE)
		return err;
	return format_hex(id.octets, text);
}

char *
gk_text_print(char *out, size_t cap, struct gk_slice text)
{
	static const char digit[] = "0123456789abcdef";
	size_t n = 0;

	if (cap == 0)
		return out;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c >= 0x20 && c < 0x7f && c != '\\') {
			if (n + 1 >= cap)
				break;
			out[n++] = (char)c;
			continue;
		}
		if (n + 4 >= cap)
			break;
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digit[c >> 4];
		out[n++] = digit[c & 15];
	}
	out[n] = '\0';
	return out;
}

char *
gk_identity_print(char *out, size_t cap, struct gk_identity id)
{
	struct gk_buf text;
	int n;

	if (cap == 0)
		return out;
	n = snprintf(out, cap, "%s:", gk_id_kind_name(id.kind));
	if (n < 0 || (size_t)n >= cap)
		return out;
	if (gk_identity_format(id, &text) != GK_OK)
		return out;
	gk_text_print(out + n, cap - (size_t)n, gk_buf_slice(&text));
	gk_buf_free(&text);
	return out;
}
