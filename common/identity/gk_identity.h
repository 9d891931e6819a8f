/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_IDENTITY_H
#define GK_IDENTITY_H

#include "common/crypto/gk_cert.h"
#include "common/identity/gk_dn.h"

/*
 * DOC: names of parties, patterns of names, and the certificates behind them
 *
 * An identity is a kind and octets, as both GSAKMP and GDOI carry it; the rooms
 * that own a registry map its numbers to these kinds.
 *
 *   kind       octets
 *   IPV4       4 octets
 *   IPV6       16 octets
 *   FQDN       ASCII, no trailing dot
 *   RFC822     local@domain
 *   DER_DN     DER Name
 *   DN_STRING  RFC 4514 string, UTF-8
 *   KEY_ID     anything
 *   U_NAME     serial number (20) | length (4) | slash name (RFC 4535 7.6.1.1)
 *
 * Equality: DN_STRING as parsed names (or as octets, see enum gk_dn_compare),
 * DER_DN bit for bit, FQDN without case, RFC822 with case in the local part and
 * without in the domain, U_NAME serial and parsed name, the rest octet by octet.
 * Identities of different kinds are never equal.
 *
 * Patterns (RFC 4534 B.1.1, "a portion filled with an '*'"):
 *   - '*' as the whole value matches every identity of that kind (not KEY_ID,
 *     where it is an octet like any other).
 *   - DN_STRING: '*' matches any run inside one attribute value; the number of
 *     RDNs is fixed; \2a is the character.  DER_DN: the same, no escape; without
 *     a '*' it is bit for bit.  U_NAME: the same in the slash name, and a Serial
 *     Number of twenty '*' octets matches every serial number.
 *   - FQDN: '*' matches any run inside one label; the number of labels is fixed.
 *   - RFC822: '*' matches any run in the local part, or inside one label.
 *   - IPV4: four octets are an address; text of four dotted parts, of which
 *     some are '*', is a pattern.  IPV6: sixteen octets are an address; text of
 *     eight groups, of which some are '*', is a pattern (no "::", and not
 *     sixteen octets long).
 *   - KEY_ID: no wildcards.
 */
#define GK_ID_LIST(X)       \
	X(IPV4, "ipv4")     \
	X(IPV6, "ipv6")     \
	X(FQDN, "fqdn")     \
	X(RFC822, "rfc822") \
	X(DER_DN, "der-dn") \
	X(DN_STRING, "dn")  \
	X(KEY_ID, "key-id") \
	X(U_NAME, "u-name")

enum gk_id_kind {
	GK_ID_NONE,
#define X(name, text) GK_ID_##name,
	GK_ID_LIST(X)
#undef X
};

#define GK_U_NAME_SERIAL_LEN 20

/* A view; the octets belong to somebody else (a datagram, a gk_buf). */
struct gk_identity {
	enum gk_id_kind kind;
	struct gk_slice octets;
};

/* How ID_DN_STRING is read and compared. */
enum gk_dn_compare {
	GK_DN_COMPARE_RFC4514, /* parsed; the default */
	GK_DN_COMPARE_FORWARD, /* parsed, RDNs in certificate order */
	GK_DN_COMPARE_OCTETS,  /* RFC 4514 order, octet equality only */
};

const char *gk_id_kind_name(enum gk_id_kind kind);
/* gk_id_kind_from_name - GK_ID_NONE when there is no such name. */
enum gk_id_kind gk_id_kind_from_name(const char *name);

/* gk_identity_check - is it well-formed?  GK_ERR_VALUE if not.  A U_NAME with
 * serial number zero is not (RFC 4535 section 7.6.2.1). */
GK_MUST_CHECK enum gk_err gk_identity_check(struct gk_identity id);
/* gk_identity_check_pattern - the same for a pattern. */
GK_MUST_CHECK enum gk_err gk_identity_check_pattern(struct gk_identity id);

/* Ill-formed identities are equal to nothing and match nothing. */
bool gk_identity_equal(struct gk_identity a, struct gk_identity b,
                       enum gk_dn_compare how);
bool gk_identity_match(struct gk_identity pattern, struct gk_identity id,
                       enum gk_dn_compare how);
bool gk_identity_has_wildcard(struct gk_identity pattern);
/* gk_identity_is_any - does the pattern admit every identity of its kind, by '*'
 * alone or by '*' in every part? */
bool gk_identity_is_any(struct gk_identity pattern);

/**
 * gk_identity_binds - does the certificate say that its subject is @id?
 *
 * RFC 4535 Table 19: DN_STRING against the subject as parsed names, DER_DN
 * against it bit for bit, FQDN, RFC822 and addresses against one entry of
 * subjectAltName, U_NAME against serial number and subject.  KEY_ID has no field
 * in a certificate: it never binds.  No wildcards on either side.
 */
bool gk_identity_binds(struct gk_identity id, const struct gk_cert *cert,
                       enum gk_dn_compare how);

/* gk_identity_match_cert - would any identity of the pattern's kind that the
 * certificate binds match the pattern? */
bool gk_identity_match_cert(struct gk_identity pattern,
                            const struct gk_cert *cert, enum gk_dn_compare how);

/**
 * gk_identity_each_of_cert - all identities that the certificate binds: what
 * gk_identity_match_cert() finds with a pattern is what gk_identity_match() finds
 * with one of these.
 * @each: false: no more of them; @id lasts for the call
 *
 * Return: GK_OK; GK_ERR_VALUE when the subject cannot be written as text, and there
 * is a match that only gk_identity_match_cert() finds.
 */
GK_MUST_CHECK enum gk_err gk_identity_each_of_cert(
	const struct gk_cert *cert, enum gk_dn_compare how,
	bool (*each)(void *ctx, struct gk_identity id), void *ctx);

/**
 * gk_identity_of_cert - the identity of that kind that the certificate binds;
 * the first, where there are several.
 * @octets: new buffer that @id points into
 *
 * Return: GK_OK; GK_ERR_VALUE when it has none of this kind.
 */
GK_MUST_CHECK enum gk_err gk_identity_of_cert(const struct gk_cert *cert,
                                              enum gk_id_kind kind,
                                              enum gk_dn_compare how,
                                              struct gk_buf *octets,
                                              struct gk_identity *id);

/*
 * Text for configuration files and back: addresses in their usual form, names
 * and KEY_ID as they are, DER_DN as an RFC 4514 string, U_NAME as the serial
 * number in hexadecimal (or '*') and then the slash name.  Patterns likewise.
 * "hex:" and hexadecimal stands for any octets of any kind, unchecked.
 *
 * gk_identity_parse - GK_ERR_VALUE when @text is not of this kind; @octets new.
 * gk_identity_format - @text new, printable UTF-8 without NUL; it parses back to
 * the same octets, whatever they are: what the kind's own form cannot say comes
 * out as "hex:".
 */
GK_MUST_CHECK enum gk_err gk_identity_parse(enum gk_id_kind kind,
                                            struct gk_slice text,
                                            struct gk_buf *octets);
GK_MUST_CHECK enum gk_err gk_identity_format(struct gk_identity id,
                                             struct gk_buf *text);

/* gk_identity_print - for logs, whatever the octets: "kind:text", ASCII, all
 * else as \xNN, cut at @cap - 1; returns @out. */
char *gk_identity_print(char *out, size_t cap, struct gk_identity id);
/* gk_text_print - the same escaping for any octets of foreign origin. */
char *gk_text_print(char *out, size_t cap, struct gk_slice text);

#endif /* GK_IDENTITY_H */
