/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_DN_IMPL_H
#define GK_DN_IMPL_H

#include "common/crypto/gk_oid.h"
#include "common/identity/gk_dn.h"

/*
 * Inside common/identity only: the parsed name, shared by the files that read
 * and write its forms.
 */

/* Stands for a wildcard in text; no octet of UTF-8 has this value. */
#define GK_DN_WILD 0xff

struct gk_dn_ava {
	uint8_t oid[GK_OID_MAX];
	size_t oid_len;
	bool is_text;
	struct gk_buf text;  /* UTF-8, and GK_DN_WILD */
	struct gk_buf canon; /* text folded for comparison */
	struct gk_buf der;   /* the value as an element; empty with wildcards */
};

struct gk_dn {
	struct gk_dn_ava ava[GK_DN_MAX_AVA];
	size_t n_ava;
	size_t rdn[GK_DN_MAX_RDN +
	           1]; /* where each starts; certificate order */
	size_t n_rdn;
};

/* The attribute types that have names. */
struct gk_dn_type {
	uint8_t oid[12];
	uint8_t oid_len;
	uint8_t string_tag;  /* what a value from text becomes */
	bool rfc4514;        /* is name[0] one of the nine of its section 3? */
	const char *slash;   /* in slash names */
	const char *name[4]; /* the first is the one that is written */
};

const struct gk_dn_type *gk_dn_type_by_oid(const struct gk_dn_ava *ava);
const struct gk_dn_type *gk_dn_type_by_name(struct gk_slice name);

struct gk_dn *gk_dn_new(void);

/* gk_dn_set_type - a name or a dotted OID into @ava. */
GK_MUST_CHECK enum gk_err gk_dn_set_type(struct gk_dn_ava *ava,
                                         struct gk_slice type);
/* gk_dn_set_text - take @text (UTF-8 and wildcards), and make the rest. */
GK_MUST_CHECK enum gk_err gk_dn_set_text(struct gk_dn_ava *ava,
                                         struct gk_buf *text);
/* gk_dn_set_der - a value that is given as an element; if @wild, each '*' in a
 * character string becomes a wildcard. */
GK_MUST_CHECK enum gk_err gk_dn_set_der(struct gk_dn_ava *ava,
                                        struct gk_slice der, bool wild);

/* Building: open an RDN, add attributes (the caller fills them), close it.
 * gk_dn_close_rdn() sorts and refuses an attribute type that comes twice. */
GK_MUST_CHECK enum gk_err gk_dn_open_rdn(struct gk_dn *dn);
struct gk_dn_ava *gk_dn_add_ava(struct gk_dn *dn); /* NULL when full */
GK_MUST_CHECK enum gk_err gk_dn_close_rdn(struct gk_dn *dn);
/* gk_dn_reverse - turn the order of the RDNs round. */
void gk_dn_reverse(struct gk_dn *dn);

/* gk_glob - @pattern with wildcard octets @wild; '*' runs stop at no octet. */
bool gk_glob(struct gk_slice pattern, struct gk_slice text, uint8_t wild);

#endif /* GK_DN_IMPL_H */
