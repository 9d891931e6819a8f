/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_TLV_H
#define GPT_TLV_H

#include "policy-tokens/token/gpt_fault.h"

/*
 * DOC: the framing of DER, without knowing what it frames
 *
 * OpenSSL's templates say which field they stumbled over but not where it is,
 * and read BER.  This walk runs first: every length definite and in its
 * shortest form, every element inside its container, nothing after the last,
 * nesting no deeper than any token needs.  Afterwards the templates see only
 * well-framed octets.
 */
#define GPT_TLV_DEPTH 24

/**
 * gpt_tlv_check - @der is exactly one well-framed element.
 *
 * Return: GK_OK; GK_ERR_TRUNCATED, GK_ERR_TRAILING, GK_ERR_VALUE with offset
 * and text of *@why.
 */
GK_MUST_CHECK enum gk_err gpt_tlv_check(struct gk_slice der,
                                        struct gpt_fault *why);

#endif /* GPT_TLV_H */
