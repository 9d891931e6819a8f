/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsed name: building, DER, comparing.  Text forms: gk_dn_text.c. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/crypto/gk_der.h"
#include "common/identity/gk_dn_impl.h"
#include "common/identity/gk_utf8.h"

#define UTF8 GK_DER_UTF8_STRING
#define X520(n) { 0x55, 4, n }, 3
/* clang-format off */
static const struct gk_dn_type types[] = {
	{ X520(3), UTF8, true, "CN", { "CN", "commonName" } },
	{ X520(7), UTF8, true, "L", { "L", "localityName" } },
	{ X520(8), UTF8, true, "ST", { "ST", "stateOrProvinceName", "S" } },
	{ X520(10), UTF8, true, "O", { "O", "organizationName" } },
	{ X520(11), UTF8, true, "OU", { "OU", "organizationalUnitName" } },
	{ X520(6), GK_DER_PRINTABLE_STRING, true, "C", { "C", "countryName" } },
	{ X520(9), UTF8, true, "STREET", { "STREET", "streetAddress" } },
	{ { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25 }, 10,
	  GK_DER_IA5_STRING, true, "DC", { "DC", "domainComponent" } },
	{ { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1 }, 10,
	  UTF8, true, "UID", { "UID", "userId" } },
	{ { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1 }, 9,
	  GK_DER_IA5_STRING, false, "Email", { "emailAddress", "E", "Email" } },
	{ X520(5), GK_DER_PRINTABLE_STRING, false, "serialNumber",
	  { "serialNumber" } },
	{ X520(4), UTF8, false, "SN", { "SN", "surname" } },
	{ X520(42), UTF8, false, "GN", { "GN", "givenName" } },
	{ X520(12), UTF8, false, "T", { "T", "title" } },
};
/* clang-format on */

const struct gk_dn_type *
gk_dn_type_by_oid(const struct gk_dn_ava *ava)
{
	for (size_t i = 0; i < GK_COUNT(types); i++)
		if (types[i].oid_len == ava->oid_len &&
		    memcmp(types[i].oid, ava->oid, ava->oid_len) == 0)
			return &types[i];
	return NULL;
}

const struct gk_dn_type *
gk_dn_type_by_name(struct gk_slice name)
{
	for (size_t i = 0; i < GK_COUNT(types); i++)
		for (size_t k = 0; k < GK_COUNT(types[i].name); k++) {
			const char *known = types[i].name[k];

			if (known != NULL && strlen(known) == name.len &&
			    strncasecmp(known, (const char *)name.ptr,
			                name.len) == 0)
				return &types[i];
		}
	return NULL;
}

struct gk_dn *
gk_dn_new(void)
{
	struct gk_dn *dn = malloc(sizeof(*dn));

	/* There is room for many attributes; few names have more than five. */
	if (dn != NULL)
		dn->n_ava = dn->n_rdn = dn->rdn[0] = 0;
	return dn;
}

static void
ava_free(struct gk_dn_ava *ava)
{
	gk_buf_free(&ava->text);
	gk_buf_free(&ava->canon);
	gk_buf_free(&ava->der);
}

void
gk_dn_free(struct gk_dn *dn)
{
	if (dn == NULL)
		return;
	for (size_t i = 0; i < dn->n_ava; i++)
		ava_free(&dn->ava[i]);
	free(dn);
}

size_t
gk_dn_rdns(const struct gk_dn *dn)
{
	return dn->n_rdn;
}

enum gk_err
gk_dn_set_type(struct gk_dn_ava *ava, struct gk_slice name)
{
	const struct gk_dn_type *type = gk_dn_type_by_name(name);

	if (type == NULL)
		return gk_oid_parse(name, ava->oid, &ava->oid_len);
	memcpy(ava->oid, type->oid, type->oid_len);
	ava->oid_len = type->oid_len;
	return GK_OK;
}

/* fold - ASCII letters to lower case, runs of spaces to one, none at the ends
 * (RFC 5280 section 7.1, without the tables of RFC 4518). */
static enum gk_err
fold(struct gk_slice text, struct gk_buf *canon)
{
	bool gap = false;
	size_t n = 0;

	GK_TRY(gk_buf_alloc(canon, text.len));
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			gap = n > 0;
			continue;
		}
		if (gap)
			canon->ptr[n++] = ' ';
		gap = false;
		canon->ptr[n++] =
			(uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	canon->len = n;
	return GK_OK;
}

static bool
has_wild(const struct gk_dn_ava *ava)
{
	return ava->text.len != 0 &&
	       memchr(ava->text.ptr, GK_DN_WILD, ava->text.len) != NULL;
}

/* encode - the element for a value that came as text. */
static enum gk_err
encode(struct gk_dn_ava *ava)
{
	const struct gk_dn_type *type = gk_dn_type_by_oid(ava);
	uint8_t tag = type == NULL ? UTF8 : type->string_tag;
	struct gk_der_wr wr = { 0 };

	/* Characters beyond ASCII do not fit the narrow types. */
	for (size_t i = 0; i < ava->text.len; i++)
		if (ava->text.ptr[i] >= 0x80)
			tag = UTF8;
	gk_der_wr_put(&wr, tag, gk_buf_slice(&ava->text));
	return gk_der_wr_done(&wr, &ava->der);
}

enum gk_err
gk_dn_set_text(struct gk_dn_ava *ava, struct gk_buf *text)
{
	ava->text = *text;
	*text = (struct gk_buf){ 0 };
	ava->is_text = true;
	GK_TRY(fold(gk_buf_slice(&ava->text), &ava->canon));
	return has_wild(ava) ? GK_OK : encode(ava);
}

enum gk_err
gk_dn_set_der(struct gk_dn_ava *ava, struct gk_slice der, bool wild)
{
	struct gk_slice contents;
	struct gk_rd rd;
	enum gk_err err;

	gk_rd_init(&rd, der.ptr, der.len);
	(void)gk_der_any(&rd, "AttributeValue");
	if (gk_rd_done(&rd) != GK_OK)
		return GK_ERR_VALUE;
	GK_TRY(gk_buf_copy(&ava->der, der));
	gk_rd_init(&rd, der.ptr, der.len);
	contents = gk_der_get(&rd, der.ptr[0], "AttributeValue");
	err = gk_utf8_from_asn1(der.ptr[0], contents, &ava->text);
	if (err == GK_ERR_VALUE)
		return GK_OK; /* not text; compared as octets */
	GK_TRY(err);
	ava->is_text = true;
	for (size_t i = 0; wild && i < ava->text.len; i++)
		if (ava->text.ptr[i] == '*')
			ava->text.ptr[i] = GK_DN_WILD;
	return fold(gk_buf_slice(&ava->text), &ava->canon);
}

enum gk_err
gk_dn_open_rdn(struct gk_dn *dn)
{
	if (dn->n_rdn == GK_DN_MAX_RDN)
		return GK_ERR_VALUE;
	dn->rdn[dn->n_rdn] = dn->n_ava;
	return GK_OK;
}

struct gk_dn_ava *
gk_dn_add_ava(struct gk_dn *dn)
{
	if (dn->n_ava == GK_DN_MAX_AVA)
		return NULL;
	dn->ava[dn->n_ava] = (struct gk_dn_ava){ .oid_len = 0 };
	return &dn->ava[dn->n_ava++];
}

static int
compare_type(const struct gk_dn_ava *a, const struct gk_dn_ava *b)
{
	size_t n = a->oid_len < b->oid_len ? a->oid_len : b->oid_len;
	int order = memcmp(a->oid, b->oid, n);

	if (order != 0)
		return order;
	return (a->oid_len > b->oid_len) - (a->oid_len < b->oid_len);
}

enum gk_err
gk_dn_close_rdn(struct gk_dn *dn)
{
	size_t from = dn->rdn[dn->n_rdn];

	if (dn->n_ava == from)
		return GK_ERR_VALUE;
	for (size_t i = from + 1; i < dn->n_ava; i++)
		for (size_t k = i; k > from; k--) {
			struct gk_dn_ava *a = &dn->ava[k - 1], *b = &dn->ava[k];
			struct gk_dn_ava swap = *a;
			int order = compare_type(a, b);

			/* X.501: not twice the same type in one RDN. */
			if (order == 0)
				return GK_ERR_VALUE;
			if (order < 0)
				break;
			*a = *b;
			*b = swap;
		}
	dn->n_rdn++;
	dn->rdn[dn->n_rdn] = dn->n_ava;
	return GK_OK;
}

void
gk_dn_reverse(struct gk_dn *dn)
{
	struct gk_dn_ava ava[GK_DN_MAX_AVA];
	size_t rdn[GK_DN_MAX_RDN + 1] = { 0 }, at = 0;

	if (dn->n_rdn < 2)
		return;
	for (size_t i = 0; i < dn->n_rdn; i++) {
		size_t from = dn->rdn[dn->n_rdn - 1 - i];
		size_t n = dn->rdn[dn->n_rdn - i] - from;

		memcpy(ava + at, dn->ava + from, n * sizeof(*ava));
		rdn[i] = at;
		at += n;
	}
	rdn[dn->n_rdn] = at;
	memcpy(dn->ava, ava, at * sizeof(*ava));
	memcpy(dn->rdn, rdn, sizeof(rdn));
}

static enum gk_err
read_ava(struct gk_rd *set, struct gk_dn *dn, bool wild)
{
	struct gk_rd in =
		gk_der_enter(set, GK_DER_SEQUENCE, "AttributeTypeAndValue");
	struct gk_slice oid = gk_der_get(&in, GK_DER_OID, "type");
	struct gk_slice value = gk_der_any(&in, "value");
	char text[GK_OID_TEXT_MAX];
	struct gk_dn_ava *ava;

	gk_der_leave(set, &in);
	if (set->fault.err != GK_OK || gk_oid_text(oid, text) != GK_OK)
		return GK_ERR_VALUE;
	ava = gk_dn_add_ava(dn);
	if (ava == NULL)
		return GK_ERR_VALUE;
	memcpy(ava->oid, oid.ptr, oid.len);
	ava->oid_len = oid.len;
	return gk_dn_set_der(ava, value, wild);
}

static enum gk_err
read_name(struct gk_rd *name, struct gk_dn *dn, bool wild)
{
	while (name->fault.err == GK_OK && gk_rd_left(name) > 0) {
		struct gk_rd set = gk_der_enter(name, GK_DER_SET, "RDN");

		gk_der_set_of(&set, "RDN");
		GK_TRY(gk_dn_open_rdn(dn));
		while (set.fault.err == GK_OK && gk_rd_left(&set) > 0)
			GK_TRY(read_ava(&set, dn, wild));
		gk_der_leave(name, &set);
		if (name->fault.err != GK_OK)
			return GK_ERR_VALUE;
		GK_TRY(gk_dn_close_rdn(dn));
	}
	return name->fault.err == GK_OK ? GK_OK : GK_ERR_VALUE;
}

static enum gk_err
from_der(struct gk_slice der, bool wild, struct gk_dn **out)
{
	struct gk_rd rd, name;
	struct gk_dn *dn;
	enum gk_err err;

	*out = NULL;
	if (der.len > GK_DN_MAX_LEN)
		return GK_ERR_VALUE;
	dn = gk_dn_new();
	if (dn == NULL)
		return GK_ERR_NOMEM;
	gk_rd_init(&rd, der.ptr, der.len);
	name = gk_der_enter(&rd, GK_DER_SEQUENCE, "Name");
	err = read_name(&name, dn, wild);
	gk_der_leave(&rd, &name);
	if (err == GK_OK && gk_rd_done(&rd) != GK_OK)
		err = GK_ERR_VALUE;
	if (err != GK_OK) {
		gk_dn_free(dn);
		return err;
	}
	*out = dn;
	return GK_OK;
}

enum gk_err
gk_dn_from_der(struct gk_slice der, struct gk_dn **dn)
{
	return from_der(der, false, dn);
}

enum gk_err
gk_dn_pattern_from_der(struct gk_slice der, struct gk_dn **dn)
{
	return from_der(der, true, dn);
}

/* write_rdn - a SET of the attributes [from, to), in DER's own order. */
static enum gk_err
write_rdn(struct gk_der_wr *name, const struct gk_dn *dn, size_t from,
          size_t to)
{
	struct gk_buf ava[GK_DN_MAX_AVA];
	struct gk_slice element[GK_DN_MAX_AVA];
	enum gk_err err = GK_OK;
	size_t n = 0;

	for (size_t i = from; err == GK_OK && i < to; i++) {
		struct gk_der_wr wr = { 0 };

		gk_der_wr_octets(&wr, gk_buf_slice(&dn->ava[i].der));
		gk_der_wr_put(&wr, GK_DER_OID,
		              (struct gk_slice){ dn->ava[i].oid,
		                                 dn->ava[i].oid_len });
		gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
		err = gk_der_wr_done(&wr, &ava[n]);
		element[n] = gk_buf_slice(&ava[n]);
		n++;
	}
	if (err == GK_OK)
		gk_der_wr_set_of(name, GK_DER_SET, element, n);
	for (size_t i = 0; i < n; i++)
		gk_buf_free(&ava[i]);
	return err;
}

enum gk_err
gk_dn_to_der(const struct gk_dn *dn, struct gk_buf *der)
{
	struct gk_der_wr wr = { 0 };
	enum gk_err err = GK_OK;

	*der = (struct gk_buf){ 0 };
	if (gk_dn_has_wildcard(dn))
		return GK_ERR_VALUE;
	for (size_t i = dn->n_rdn; err == GK_OK && i-- > 0;)
		err = write_rdn(&wr, dn, dn->rdn[i], dn->rdn[i + 1]);
	if (err != GK_OK) {
		gk_buf_free(&wr.buf);
		return err;
	}
	gk_der_wr_wrap(&wr, GK_DER_SEQUENCE, 0);
	return gk_der_wr_done(&wr, der);
}

bool
gk_glob(struct gk_slice pattern, struct gk_slice text, uint8_t wild)
{
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == wild) {
			star = p++;
			from = t;
		} else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1; /* let the last wildcard take one more */
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == wild)
		p++;
	return p == pattern.len;
}

static bool
ava_match(const struct gk_dn_ava *a, const struct gk_dn_ava *b)
{
	if (compare_type(a, b) != 0)
		return false;
	if (a->is_text && b->is_text)
		return gk_glob(gk_buf_slice(&a->canon), gk_buf_slice(&b->canon),
		               GK_DN_WILD);
	return gk_slice_equal(gk_buf_slice(&a->der), gk_buf_slice(&b->der));
}

bool
gk_dn_match(const struct gk_dn *pattern, const struct gk_dn *dn)
{
	if (pattern->n_rdn != dn->n_rdn || pattern->n_ava != dn->n_ava ||
	    memcmp(pattern->rdn, dn->rdn,
	           (dn->n_rdn + 1) * sizeof(dn->rdn[0])) != 0)
		return false;
	for (size_t i = 0; i < dn->n_ava; i++)
		if (!ava_match(&pattern->ava[i], &dn->ava[i]))
			return false;
	return true;
}

bool
gk_dn_equal(const struct gk_dn *a, const struct gk_dn *b)
{
	/* Without wildcards, matching is equality. */
	return !gk_dn_has_wildcard(a) && !gk_dn_has_wildcard(b) &&
	       gk_dn_match(a, b);
}

bool
gk_dn_has_wildcard(const struct gk_dn *dn)
{
	for (size_t i = 0; i < dn->n_ava; i++)
		if (has_wild(&dn->ava[i]))
			return true;
	return false;
}
