/* SPDX-License-Identifier: BSD-2-Clause */
/* Kinds of identities and their forms. */
#include "common/identity/gk_identity_impl.h"

#include <string.h>

const char *
gk_id_kind_name(enum gk_id_kind kind)
{
	switch (kind) {
	case GK_ID_NONE:
		return "none";
#define X(name, text)      \
	case GK_ID_##name: \
		return text;
		GK_ID_LIST(X)
#undef X
	}
	return "unknown";
}

enum gk_id_kind
gk_id_kind_from_name(const char *name)
{
#define X(kind, text)                \
	if (strcmp(name, text) == 0) \
		return GK_ID_##kind;
	GK_ID_LIST(X)
#undef X
	return GK_ID_NONE;
}

bool
gk_id_is_star(struct gk_identity id)
{
	return id.kind != GK_ID_KEY_ID && id.octets.len == 1 &&
	       id.octets.ptr[0] == '*';
}

static bool
is_alnum(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

#define DOMAIN_MAX 253
#define LABEL_MAX 63

bool
gk_id_domain_ok(struct gk_slice s, bool wild)
{
	size_t label = 0;

	if (s.len == 0 || s.len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(c) && c != '-' && c != '_' && !(wild && c == '*'))
			return false;
		if (++label > LABEL_MAX)
			return false;
	}
	return label != 0;
}

bool
gk_id_split_mail(struct gk_slice s, struct gk_slice *local,
                 struct gk_slice *domain)
{
	const uint8_t *at;

	if (s.len == 0)
		return false;
	at = memrchr(s.ptr, '@', s.len);
	if (at == NULL)
		return false;
	*local = (struct gk_slice){ s.ptr, (size_t)(at - s.ptr) };
	*domain = (struct gk_slice){ at + 1, s.len - local->len - 1 };
	return true;
}

/* mail_ok - the dot-atom of RFC 5322 for the local part; quoted strings are not
 * accepted. */
static bool
mail_ok(struct gk_slice s, bool wild)
{
	struct gk_slice local, domain;

	if (!gk_id_split_mail(s, &local, &domain) || local.len == 0 ||
	    local.len > 64 || !gk_id_domain_ok(domain, wild))
		return false;
	for (size_t i = 0; i < local.len; i++) {
		uint8_t c = local.ptr[i];

		/* '*' is an ordinary character of a local part. */
		if (!is_alnum(c) &&
		    (c == 0 || strchr("!#$%&'*+-/=?^_`{|}~.", c) == NULL))
			return false;
	}
	return true;
}

bool
gk_id_split_u_name(struct gk_slice s, struct gk_slice *serial,
                   struct gk_slice *name)
{
	struct gk_rd rd;

	gk_rd_init(&rd, s.ptr, s.len);
	*serial = gk_rd_bytes(&rd, GK_U_NAME_SERIAL_LEN, "Serial Number");
	*name = gk_rd_bytes(&rd, gk_rd_u32(&rd, "Length"), "DN Data");
	return gk_rd_done(&rd) == GK_OK;
}

struct gk_slice
gk_id_trim_serial(struct gk_slice serial)
{
	while (serial.len > 0 && serial.ptr[0] == 0) {
		serial.ptr++;
		serial.len--;
	}
	return serial;
}

bool
gk_id_any_serial(struct gk_slice serial)
{
	for (size_t i = 0; i < serial.len; i++)
		if (serial.ptr[i] != '*')
			return false;
	return serial.len == GK_U_NAME_SERIAL_LEN;
}

/* read_part - one number of an address, or a star; returns what it took. */
static size_t
read_part(struct gk_slice s, unsigned base, bool *any, uint16_t *value)
{
	unsigned v = 0, max = base == 10 ? 255 : 0xffff;
	size_t n = 0;

	*any = s.len > 0 && s.ptr[0] == '*';
	if (*any)
		return 1;
	for (; n < s.len; n++) {
		int digit = gk_hex_value((char)s.ptr[n]);

		if (digit < 0 || (unsigned)digit >= base)
			break;
		v = v * base + (unsigned)digit;
		if (v > max || n > 3)
			return 0;
	}
	*value = (uint16_t)v;
	return n;
}

bool
gk_id_parse_ip_pattern(enum gk_id_kind kind, struct gk_slice s,
                       struct gk_id_ip_pattern *out)
{
	unsigned parts = kind == GK_ID_IPV4 ? 4 : 8;
	unsigned base = kind == GK_ID_IPV4 ? 10 : 16;
	uint8_t separator = kind == GK_ID_IPV4 ? '.' : ':';
	bool some = false;

	*out = (struct gk_id_ip_pattern){ .n = parts };
	for (unsigned i = 0; i < parts; i++) {
		size_t n;

		if (i > 0) {
			if (s.len == 0 || s.ptr[0] != separator)
				return false;
			s.ptr++;
			s.len--;
		}
		n = read_part(s, base, &out->any[i], &out->part[i]);
		if (n == 0)
			return false;
		some = some || out->any[i];
		s.ptr += n;
		s.len -= n;
	}
	return s.len == 0 && some;
}

enum gk_err
gk_id_parse_dn(struct gk_identity id, enum gk_dn_compare how, bool wild,
               struct gk_dn **dn)
{
	enum gk_dn_style style =
		how == GK_DN_COMPARE_FORWARD ? GK_DN_FORWARD : GK_DN_RFC4514;
	struct gk_slice serial, name;

	*dn = NULL;
	switch (id.kind) {
	case GK_ID_DN_STRING:
		return wild ? gk_dn_pattern_from_string(id.octets, style, dn)
		            : gk_dn_from_string(id.octets, style, dn);
	case GK_ID_DER_DN:
		return wild ? gk_dn_pattern_from_der(id.octets, dn)
		            : gk_dn_from_der(id.octets, dn);
	case GK_ID_U_NAME:
		if (!gk_id_split_u_name(id.octets, &serial, &name))
			return GK_ERR_VALUE;
		return wild ? gk_dn_pattern_from_slash(name, dn)
		            : gk_dn_from_slash(name, dn);
	default:
		return GK_ERR_VALUE;
	}
}

/* dn_ok - a name of at least one RDN; nobody has the empty one. */
static enum gk_err
dn_ok(struct gk_identity id, bool wild)
{
	struct gk_dn *dn;
	bool empty;

	GK_TRY(gk_id_parse_dn(id, GK_DN_COMPARE_RFC4514, wild, &dn));
	empty = gk_dn_rdns(dn) == 0;
	gk_dn_free(dn);
	return empty ? GK_ERR_VALUE : GK_OK;
}

static enum gk_err
yes(bool ok)
{
	return ok ? GK_OK : GK_ERR_VALUE;
}

static enum gk_err
u_name_ok(struct gk_identity id, bool wild)
{
	struct gk_slice serial, name;

	/* RFC4535-7.6.2.1: a serial number is one or more. */
	if (!gk_id_split_u_name(id.octets, &serial, &name) ||
	    gk_id_trim_serial(serial).len == 0)
		return GK_ERR_VALUE;
	return dn_ok(id, wild);
}

static enum gk_err
check(struct gk_identity id, bool wild)
{
	switch (id.kind) {
	case GK_ID_NONE:
		return GK_ERR_VALUE;
	case GK_ID_IPV4:
		return yes(id.octets.len == 4);
	case GK_ID_IPV6:
		return yes(id.octets.len == 16);
	case GK_ID_FQDN:
		return yes(gk_id_domain_ok(id.octets, wild));
	case GK_ID_RFC822:
		return yes(mail_ok(id.octets, wild));
	case GK_ID_DER_DN:
	case GK_ID_DN_STRING:
		return dn_ok(id, wild);
	case GK_ID_KEY_ID:
		return yes(id.octets.len != 0);
	case GK_ID_U_NAME:
		return u_name_ok(id, wild);
	}
	return GK_ERR_VALUE;
}

enum gk_err
gk_identity_check(struct gk_identity id)
{
	return check(id, false);
}

enum gk_err
gk_identity_check_pattern(struct gk_identity id)
{
	struct gk_id_ip_pattern ip;

	if (gk_id_is_star(id))
		return GK_OK;
	if (id.kind == GK_ID_IPV4 && id.octets.len != 4)
		return yes(gk_id_parse_ip_pattern(id.kind, id.octets, &ip));
	if (id.kind == GK_ID_IPV6 && id.octets.len != 16)
		return yes(gk_id_parse_ip_pattern(id.kind, id.octets, &ip));
	return check(id, true);
}
