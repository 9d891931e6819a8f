/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_BASE_H
#define GK_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/gk_err.h"
#include "common/wire/gk_rd.h"

/*
 * DOC: small things that every room needs
 *
 * Secrets are wiped with gk_wipe() when their life ends, and compared with
 * gk_equal_secret(), whose time does not depend on where they differ.
 */
#define GK_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* GK_ASAN - built with AddressSanitizer: gcc says so in one way, clang in
 * another. */
#if defined(__SANITIZE_ADDRESS__)
#define GK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GK_ASAN 1
#endif
#endif
#ifndef GK_ASAN
#define GK_ASAN 0
#endif

void gk_wipe(void *p, size_t n);
bool gk_equal_secret(const void *a, const void *b, size_t n);

/* gk_slice_equal - same length, same octets; not for secrets. */
bool gk_slice_equal(struct gk_slice a, struct gk_slice b);
/* gk_slice_is_zero - nothing but zero octets, or none at all; not for secrets. */
bool gk_slice_is_zero(struct gk_slice s);
/* gk_slice_str - the octets of a C string, without its NUL. */
struct gk_slice gk_slice_str(const char *s);

/*
 * struct gk_buf - octets that somebody owns.
 *
 * gk_buf_free() wipes before it frees, so a buf may hold a secret.  A zeroed
 * buf is empty and valid.
 */
struct gk_buf {
	uint8_t *ptr;
	size_t len;
};

GK_MUST_CHECK enum gk_err gk_buf_copy(struct gk_buf *buf, struct gk_slice s);
GK_MUST_CHECK enum gk_err gk_buf_alloc(struct gk_buf *buf, size_t len);
GK_MUST_CHECK enum gk_err gk_buf_append(struct gk_buf *buf, struct gk_slice s);
void gk_buf_free(struct gk_buf *buf);
struct gk_slice gk_buf_slice(const struct gk_buf *buf);

/* gk_hex - lower-case hexadecimal with a NUL; @cap octets at @out. The text is
 * cut short, never overrun; returns @out. */
char *gk_hex(char *out, size_t cap, struct gk_slice s);
/* gk_hex_value - of one digit, in either case; -1: it is none. */
int gk_hex_value(char c);
/* gk_unhex - the reverse; upper or lower case, even count, nothing else. */
GK_MUST_CHECK enum gk_err gk_unhex(struct gk_buf *buf, const char *text);

#endif /* GK_BASE_H */
