/* SPDX-License-Identifier: BSD-2-Clause */
/* Equality of identities, patterns, and what a certificate binds. */
#include <string.h>

#include "common/identity/gk_dn_impl.h"
#include "common/identity/gk_identity_impl.h"

static uint8_t
lower(uint8_t c)
{
	return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* next_label - split the first label off @rest; false when there is none. */
static bool
next_label(struct gk_slice *rest, struct gk_slice *label)
{
	const uint8_t *dot;

	if (rest->len == 0)
		return false;
	dot = memchr(rest->ptr, '.', rest->len);
	label->ptr = rest->ptr;
	label->len = dot == NULL ? rest->len : (size_t)(dot - rest->ptr);
	if (dot == NULL) {
		*rest = (struct gk_slice){ 0 };
	} else {
		rest->ptr += label->len + 1;
		rest->len -= label->len + 1;
	}
	return true;
}

#define LABEL_MAX 63

static bool
label_match(struct gk_slice pattern, struct gk_slice s, bool wild)
{
	uint8_t p[LABEL_MAX], t[LABEL_MAX];

	if (pattern.len > sizeof(p) || s.len > sizeof(t))
		return false;
	for (size_t i = 0; i < pattern.len; i++)
		p[i] = lower(pattern.ptr[i]);
	for (size_t i = 0; i < s.len; i++)
		t[i] = lower(s.ptr[i]);
	/* No label contains a zero octet, so that is no wildcard. */
	return gk_glob((struct gk_slice){ p, pattern.len },
	               (struct gk_slice){ t, s.len }, wild ? '*' : 0);
}

bool
gk_id_domain_match(struct gk_slice pattern, struct gk_slice s, bool wild)
{
	struct gk_slice a, b;

	for (;;) {
		bool more = next_label(&pattern, &a);

		if (more != next_label(&s, &b))
			return false;
		if (!more)
			return true;
		if (!label_match(a, b, wild))
			return false;
	}
}

static bool
mail_match(struct gk_slice pattern, struct gk_slice s, bool wild)
{
	struct gk_slice p_local, p_domain, local, domain;

	return gk_id_split_mail(pattern, &p_local, &p_domain) &&
	       gk_id_split_mail(s, &local, &domain) &&
	       gk_glob(p_local, local, wild ? '*' : 0) &&
	       gk_id_domain_match(p_domain, domain, wild);
}

static bool
ip_match(struct gk_identity pattern, struct gk_slice s)
{
	struct gk_id_ip_pattern ip;

	if (pattern.octets.len == s.len)
		return gk_slice_equal(pattern.octets, s);
	if (!gk_id_parse_ip_pattern(pattern.kind, pattern.octets, &ip))
		return false;
	for (unsigned i = 0; i < ip.n; i++) {
		unsigned part = ip.n == 4 ? s.ptr[i]
		                          : (unsigned)s.ptr[2 * i] << 8 |
		                                    s.ptr[2 * i + 1];

		if (!ip.any[i] && ip.part[i] != part)
			return false;
	}
	return true;
}

/* dn_match - the names inside two identities of the same kind. */
static bool
dn_match(struct gk_identity pattern, struct gk_identity id,
         enum gk_dn_compare how, bool wild)
{
	struct gk_dn *p = NULL, *dn = NULL;
	bool ok;

	ok = gk_id_parse_dn(pattern, how, wild, &p) == GK_OK &&
	     gk_id_parse_dn(id, how, false, &dn) == GK_OK &&
	     gk_dn_rdns(dn) != 0 && gk_dn_match(p, dn);
	gk_dn_free(p);
	gk_dn_free(dn);
	return ok;
}

static bool
u_name_match(struct gk_identity pattern, struct gk_identity id, bool wild)
{
	struct gk_slice p_serial, serial, name;

	if (!gk_id_split_u_name(pattern.octets, &p_serial, &name) ||
	    !gk_id_split_u_name(id.octets, &serial, &name))
		return false;
	if (!(wild && gk_id_any_serial(p_serial)) &&
	    !gk_slice_equal(p_serial, serial))
		return false;
	return dn_match(pattern, id, GK_DN_COMPARE_RFC4514, wild);
}

/* same - both are well-formed, and of one kind. */
static bool
same(struct gk_identity a, struct gk_identity b, enum gk_dn_compare how,
     bool wild)
{
	switch (a.kind) {
	case GK_ID_NONE:
		return false;
	case GK_ID_IPV4:
	case GK_ID_IPV6:
		return ip_match(a, b.octets);
	case GK_ID_FQDN:
		return gk_id_domain_match(a.octets, b.octets, wild);
	case GK_ID_RFC822:
		return mail_match(a.octets, b.octets, wild);
	case GK_ID_DN_STRING:
		if (how == GK_DN_COMPARE_OCTETS &&
		    !(wild && gk_identity_has_wildcard(a)))
			return gk_slice_equal(a.octets, b.octets);
		return dn_match(a, b, how, wild);
	case GK_ID_DER_DN:
		if (!(wild && gk_identity_has_wildcard(a)))
			return gk_slice_equal(a.octets, b.octets);
		return dn_match(a, b, how, wild);
	case GK_ID_KEY_ID:
		return gk_slice_equal(a.octets, b.octets);
	case GK_ID_U_NAME:
		return u_name_match(a, b, wild);
	}
	return false;
}

bool
gk_identity_equal(struct gk_identity a, struct gk_identity b,
                  enum gk_dn_compare how)
{
	return a.kind == b.kind && gk_identity_check(a) == GK_OK &&
	       gk_identity_check(b) == GK_OK && same(a, b, how, false);
}

bool
gk_identity_match(struct gk_identity pattern, struct gk_identity id,
                  enum gk_dn_compare how)
{
	/* Both are parsed once: one that cannot be, or is empty, is none. */
	if (pattern.kind == GK_ID_DN_STRING && id.kind == GK_ID_DN_STRING &&
	    how == GK_DN_COMPARE_RFC4514 && !gk_id_is_star(pattern))
		return dn_match(pattern, id, how, true);
	if (pattern.kind != id.kind || gk_identity_check(id) != GK_OK)
		return false;
	if (gk_id_is_star(pattern))
		return true;
	return gk_identity_check_pattern(pattern) == GK_OK &&
	       same(pattern, id, how, true);
}

bool
gk_identity_has_wildcard(struct gk_identity pattern)
{
	struct gk_slice s = pattern.octets, serial, name;
	struct gk_dn *dn;
	bool wild;

	if (gk_id_is_star(pattern))
		return true;
	switch (pattern.kind) {
	case GK_ID_NONE:
	case GK_ID_KEY_ID:
		return false;
	case GK_ID_IPV4:
		return s.len != 4;
	case GK_ID_IPV6:
		return s.len != 16;
	case GK_ID_FQDN:
	case GK_ID_RFC822:
		return s.len != 0 && memchr(s.ptr, '*', s.len) != NULL;
	case GK_ID_U_NAME:
		if (gk_id_split_u_name(s, &serial, &name) &&
		    gk_id_any_serial(serial))
			return true;
		break;
	case GK_ID_DER_DN:
	case GK_ID_DN_STRING:
		break;
	}
	if (gk_id_parse_dn(pattern, GK_DN_COMPARE_RFC4514, true, &dn) != GK_OK)
		return false;
	wild = gk_dn_has_wildcard(dn);
	gk_dn_free(dn);
	return wild;
}

/* only - nothing but stars and separators. */
static bool
only(struct gk_slice s, const char *separators)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '*' &&
		    (s.ptr[i] == 0 || strchr(separators, s.ptr[i]) == NULL))
			return false;
	return s.len > 0;
}

bool
gk_identity_is_any(struct gk_identity pattern)
{
	struct gk_slice serial, name;
	struct gk_dn *dn;
	bool any = true;

	if (gk_id_is_star(pattern))
		return true;
	if (gk_identity_check_pattern(pattern) != GK_OK)
		return false; /* it admits nobody */
	switch (pattern.kind) {
	case GK_ID_NONE:
	case GK_ID_KEY_ID:
		return false;
	case GK_ID_IPV4:
		return pattern.octets.len != 4 && only(pattern.octets, ".");
	case GK_ID_IPV6:
		return pattern.octets.len != 16 && only(pattern.octets, ":");
	case GK_ID_FQDN:
	case GK_ID_RFC822:
		return only(pattern.octets, ".@");
	case GK_ID_U_NAME:
		if (!gk_id_split_u_name(pattern.octets, &serial, &name) ||
		    !gk_id_any_serial(serial))
			return false;
		break;
	case GK_ID_DER_DN:
	case GK_ID_DN_STRING:
		break;
	}
	if (gk_id_parse_dn(pattern, GK_DN_COMPARE_RFC4514, true, &dn) != GK_OK)
		return false;
	for (size_t i = 0; i < dn->n_ava; i++)
		for (size_t k = 0; k < dn->ava[i].text.len; k++)
			any = any && dn->ava[i].text.ptr[k] == GK_DN_WILD;
	for (size_t i = 0; i < dn->n_ava; i++)
		any = any && dn->ava[i].text.len != 0;
	any = any && dn->n_ava != 0;
	gk_dn_free(dn);
	return any;
}
