/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_BASE64_H
#define GPT_BASE64_H

#include "common/base/gk_base.h"

/*
 * DOC: base64 (RFC 4648 section 4), for signatures in XML
 */

/* gpt_base64_encode - @text is new, without a NUL; a line feed after every 64
 * characters and at both ends. */
GK_MUST_CHECK enum gk_err gpt_base64_encode(struct gk_slice octets,
                                            struct gk_buf *text);
/* gpt_base64_decode - white space is skipped, everything else is strict:
 * padding present, unused bits zero; GK_ERR_VALUE. */
GK_MUST_CHECK enum gk_err gpt_base64_decode(const char *text,
                                            struct gk_buf *octets);

#endif /* GPT_BASE64_H */
