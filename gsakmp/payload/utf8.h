/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_UTF8_H
#define GSAKMP_PAYLOAD_UTF8_H

#include <stdbool.h>

#include "common/wire/gk_rd.h"

/* gsakmp_utf8_valid - well-formed by RFC 3629 section 4: no overlong forms, no
 * surrogates, nothing above U+10FFFF, and no NUL.  Empty text is valid. */
bool gsakmp_utf8_valid(struct gk_slice text);

#endif /* GSAKMP_PAYLOAD_UTF8_H */
