/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_NAME_H
#define GPT_NAME_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: names for the numbers in a token
 *
 * A token says 49154; people and the XML form say ecdsa-p256-sha256.  These are
 * the code points of RFC 4535 Tables 16, 21, 25 and 26, this project's private
 * ones, and those of GDOI and what it builds upon.
 */
enum gpt_registry {
	GPT_REGISTRY_SIGNATURE, /* Table 21 */
	GPT_REGISTRY_HASH,      /* Table 25 */
	GPT_REGISTRY_KEX,       /* Table 26 */
	GPT_REGISTRY_KEY,       /* Table 16 */

	GPT_REGISTRY_NONE, /* has no names */
	GPT_REGISTRY_BOOLEAN,
	/* GDOI: RFC 2409 appendix A and what IANA added */
	GPT_REGISTRY_P1_MODE, /* exchange types */
	GPT_REGISTRY_P1_AUTH,
	GPT_REGISTRY_P1_CIPHER,
	GPT_REGISTRY_P1_HASH,
	GPT_REGISTRY_P1_GROUP,
	/* RFC 6407 sections 5.3 and 5.5, RFC 8263 section 2 */
	GPT_REGISTRY_DELIVERY, /* this project's */
	GPT_REGISTRY_KEK_ALG,
	GPT_REGISTRY_SIG_ALG,
	GPT_REGISTRY_SIG_HASH,
	GPT_REGISTRY_ACK,
	GPT_REGISTRY_SA_PROTOCOL,
	GPT_REGISTRY_PRESERVATION,
	GPT_REGISTRY_DIRECTION,
	/* RFC 2407 sections 4.4 and 4.5 and what IANA added */
	GPT_REGISTRY_ESP,
	GPT_REGISTRY_AH,
	GPT_REGISTRY_SA_AUTH,
	GPT_REGISTRY_SA_MODE,
	GPT_REGISTRY_SEQUENCE,
	GPT_REGISTRY_ECN,
	GPT_REGISTRY_SIG_ENCODING,
	GPT_REGISTRY_IP_PROTOCOL,
	/* RFC 8052 section 4 */
	GPT_REGISTRY_IEC_AUTH,
	GPT_REGISTRY_IEC_ENC,
};

#define GPT_NAME_LEN 32

/* gpt_name_of - the name, or NULL when the number has none. */
const char *gpt_name_of(enum gpt_registry registry, int64_t value);
/* gpt_name_text - the name, or the number in decimal; returns @out. */
char *gpt_name_text(char out[GPT_NAME_LEN], enum gpt_registry registry,
                    int64_t value);
/* gpt_name_value - a name or a decimal number; GK_ERR_VALUE otherwise. */
GK_MUST_CHECK enum gk_err gpt_name_value(enum gpt_registry registry,
                                         const char *text, int64_t *value);
/* gpt_name_is_weak - SHA-1, MD5, 1024-bit groups, DSA, DES, 3DES: legal, unwise. */
bool gpt_name_is_weak(enum gpt_registry registry, int64_t value);

/* gpt_number_parse - all of @text is a decimal int64_t; GK_ERR_VALUE if not. */
GK_MUST_CHECK enum gk_err gpt_number_parse(const char *text, int64_t *value);

/* gpt_lifedate_text - "90s", "2h", "2030-01-31T12:00:00Z", "utc:...": the
 * longest unit that says it exactly.  GPT_LIFEDATE_LEN octets are enough. */
#define GPT_LIFEDATE_LEN 32
char *gpt_lifedate_text(char out[GPT_LIFEDATE_LEN], struct gpt_lifedate date);
/* gpt_lifedate_parse - the reverse; GK_ERR_VALUE for anything else, also for a
 * date that its form cannot say and an interval beyond 64 bits of seconds. */
GK_MUST_CHECK enum gk_err gpt_lifedate_parse(const char *text,
                                             struct gpt_lifedate *date);

/* gpt_date_text - "2030-01-31T12:00:00Z" of seconds since 1970. */
char *gpt_date_text(char out[GPT_LIFEDATE_LEN], int64_t utc);

const char *gpt_transport_name(enum gpt_transport transport);
/* gpt_transport_value - GK_ERR_VALUE for an unknown name. */
GK_MUST_CHECK enum gk_err gpt_transport_value(const char *name,
                                              enum gpt_transport *transport);

#endif /* GPT_NAME_H */
