/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_GROUPID_H
#define GPT_GROUPID_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: how a GroupID is written - RFC 4535 section 7.1.1.1
 *
 * A token carries the GroupID's value and not its type.  The written form is
 * guessed from the octets, always in the same way, so that every value has one
 * written form: 16 lower-case hexadecimal digits and text are utf-8; 8 octets
 * and printable ASCII are an octet-string; 12 and 24 octets are addresses;
 * 9 octets and more are an octet-string; the rest is raw.  The type in an
 * announcement is authoritative there.
 */
enum gpt_groupid_type {
	GPT_GROUPID_RAW = 0,
	GPT_GROUPID_UTF8 = 1,
	GPT_GROUPID_OCTETS = 2,
	GPT_GROUPID_IPV4 = 3,
	GPT_GROUPID_IPV6 = 4,
};
#define GPT_GROUPID_MAX 255 /* octets: the length field has one octet */

const char *gpt_groupid_name(enum gpt_groupid_type type);
/* gpt_groupid_from_name - false when there is no such type. */
bool gpt_groupid_from_name(const char *name, enum gpt_groupid_type *type);

/* gpt_groupid_guess - the type as which @value is written. */
enum gpt_groupid_type gpt_groupid_guess(struct gk_slice value);

/* gpt_groupid_fits - may @value be of @type? (RFC 4535 section 7.1.2) */
bool gpt_groupid_fits(enum gpt_groupid_type type, struct gk_slice value);

/* gpt_groupid_tail_printable - is the part after the random value printable
 * ASCII, and so written as a name? */
bool gpt_groupid_tail_printable(struct gk_slice value);

/* gpt_text_ok - UTF-8 that XML can carry and that whitespace rules leave alone:
 * no control characters, no space at either end, not empty. */
bool gpt_text_ok(struct gk_slice text);

#endif /* GPT_GROUPID_H */
