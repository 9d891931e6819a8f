/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_DN_H
#define GK_DN_H

#include "common/base/gk_base.h"

/*
 * DOC: distinguished names, as DER, as RFC 4514 strings, as slash strings
 *
 * A struct gk_dn is the parsed sequence of RDNs.  Two names are equal when they
 * have the same RDNs in the same order and each RDN the same set of attributes;
 * values are compared as RFC 5280 section 7.1 has it: ASCII letters without
 * case, runs of spaces as one, none at the ends (dc and emailAddress included).
 * Values that are no character string are compared octet by octet.
 *
 * Strings written here use the nine short names of RFC 4514 section 3 (CN L ST
 * O OU C STREET DC UID) and dotted OIDs with #hex values for the rest.  Read are
 * these in any case, OIDs, and also emailAddress, E, Email, serialNumber, SN,
 * GN, T and the long names of all of them.
 */
enum gk_dn_style {
	GK_DN_RFC4514, /* last RDN of the certificate first; the default */
	GK_DN_FORWARD, /* RDNs in the order of the certificate */
};

#define GK_DN_MAX_RDN 32
#define GK_DN_MAX_AVA 64 /* attributes in all RDNs together */
#define GK_DN_MAX_LEN 4096

struct gk_dn;

/* gk_dn_from_der - a Name in strict DER; GK_ERR_VALUE if it is none. */
GK_MUST_CHECK enum gk_err gk_dn_from_der(struct gk_slice der,
                                         struct gk_dn **dn);

/**
 * gk_dn_from_string - parse an RFC 4514 string.
 *
 * Spaces around ',', '+' and '=' are accepted (RFC 2253 writers put them
 * there), ';' is not.  UTF-8 only.
 */
GK_MUST_CHECK enum gk_err gk_dn_from_string(struct gk_slice text,
                                            enum gk_dn_style style,
                                            struct gk_dn **dn);

/* gk_dn_pattern_from_string - the same, but an unescaped '*' in a value matches
 * any run of characters in that value (\2a is the character itself). */
GK_MUST_CHECK enum gk_err gk_dn_pattern_from_string(struct gk_slice text,
                                                    enum gk_dn_style style,
                                                    struct gk_dn **dn);

/* gk_dn_pattern_from_der - every '*' in a string value is such a wildcard; DER
 * has no way to escape one. */
GK_MUST_CHECK enum gk_err gk_dn_pattern_from_der(struct gk_slice der,
                                                 struct gk_dn **dn);

/**
 * gk_dn_from_slash - "/C=US/O=ACME, Inc./CN=user1", certificate order.
 *
 * There is no escape, so a part that does not start with a known attribute name
 * and '=' is GK_ERR_VALUE.
 */
GK_MUST_CHECK enum gk_err gk_dn_from_slash(struct gk_slice text,
                                           struct gk_dn **dn);
GK_MUST_CHECK enum gk_err gk_dn_pattern_from_slash(struct gk_slice text,
                                                   struct gk_dn **dn);

void gk_dn_free(struct gk_dn *dn);

/* The writers make new buffers.  Strings are UTF-8 without a NUL. */
GK_MUST_CHECK enum gk_err gk_dn_to_string(const struct gk_dn *dn,
                                          enum gk_dn_style style,
                                          struct gk_buf *text);
/* gk_dn_to_slash - GK_ERR_VALUE when a value contains '/', an RDN has several
 * attributes or a type has no name: then the form cannot say it. */
GK_MUST_CHECK enum gk_err gk_dn_to_slash(const struct gk_dn *dn,
                                         struct gk_buf *text);
/* gk_dn_to_der - countryName and serialNumber become PrintableString, dc and
 * emailAddress IA5String, all others UTF8String; #hex values stay as they are;
 * what came from DER goes back octet for octet. */
GK_MUST_CHECK enum gk_err gk_dn_to_der(const struct gk_dn *dn,
                                       struct gk_buf *der);

size_t gk_dn_rdns(const struct gk_dn *dn);
bool gk_dn_equal(const struct gk_dn *a, const struct gk_dn *b);
/* gk_dn_match - @pattern from a *_pattern_* function; the number of RDNs and of
 * attributes in each is fixed. */
bool gk_dn_match(const struct gk_dn *pattern, const struct gk_dn *dn);
bool gk_dn_has_wildcard(const struct gk_dn *dn);

#endif /* GK_DN_H */
