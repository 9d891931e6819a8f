/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_DER_H
#define GPT_DER_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: Token <-> DER - RFC 4534 appendices A, B, C
 *
 * Decoding is strict: the octets must be the DER of what they say (they are
 * encoded again and compared), nothing may follow the token, and every nested
 * OCTET STRING with a known OBJECT IDENTIFIER is decoded by the same rules.
 * Both readings of the RFC's contradictions are accepted, since they cannot be
 * confused, and remembered in the model's variant members.
 */

/* The largest token that anybody here looks at, unless configured. */
#define GPT_TOKEN_CAP 65536
/* The longest OBJECT IDENTIFIER, in characters of its dotted form. */
#define GPT_OID_CAP 256

/**
 * gpt_token_decode - DER of a Token (not its CMS wrapping) to the model.
 * @token: set on success; the caller frees it
 * @why:   may be NULL; else says which field was refused, at which octet
 *
 * Return: GK_OK; GK_ERR_TRUNCATED, GK_ERR_TRAILING, GK_ERR_VALUE (not DER, a
 * wrong type, an INTEGER of more than 64 bits, a version other than 1),
 * GK_ERR_SPACE (more than GPT_TOKEN_CAP octets), GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_token_decode(struct gk_slice der,
                                           struct gpt_token **token,
                                           struct gpt_fault *why);

/**
 * gpt_token_encode - the model to DER.
 * @der: must be empty; the caller frees it
 *
 * Return: GK_OK; GK_ERR_VALUE when the model says what ASN.1 cannot (an OID
 * that is none, a permission of 10, a date that UTCTime lacks); GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_token_encode(const struct gpt_token *token,
                                           struct gk_buf *der,
                                           struct gpt_fault *why);

#endif /* GPT_DER_H */
