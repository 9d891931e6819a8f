/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_TEXT_H
#define GK_TEXT_H

#include "common/base/gk_base.h"

/*
 * DOC: text of others, for people
 *
 * What a peer wrote may hold characters that a terminal acts on instead of showing
 * them: the control characters of ISO 646 and of ISO 6429 (U+0080 to U+009F, a
 * second way to begin an escape sequence), those that change the direction of what
 * is written around them (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to
 * U+2069), and two line ends (U+2028, U+2029).  Each is shown as \uXXXX, which is
 * what JSON has for it, too.  An octet that belongs to no UTF-8 character, which a
 * terminal of eight bits may take for one of those, is shown as \xNN.
 */

/* gk_utf8_next - how many octets the first character has: well-formed, shortest form,
 * no surrogate, up to U+10FFFF; 0: there is none.  @c may be NULL. */
size_t gk_utf8_next(struct gk_slice s, uint32_t *c);

/* gk_is_visible - would nothing of @text be shown in another way? */
bool gk_is_visible(struct gk_slice text);

/* gk_visible - @text as it may be shown, with a NUL; @cap octets at @out.  Cut short
 * between two characters, never overrun; returns @out. */
char *gk_visible(char *out, size_t cap, struct gk_slice text);

/* gk_text_cut - @text, which snprintf() may have cut short, without the part of a
 * character that is left of the last one: nobody wrote that. */
void gk_text_cut(char *text);

/* gk_visible_new - all of it; the caller frees.  NULL: no memory. */
char *gk_visible_new(struct gk_slice text);
/* gk_visible_lines - the same, and the ends of lines (U+000A) stay: of a document
 * that was made here, such as JSON on many lines. */
char *gk_visible_lines(struct gk_slice text);

#endif /* GK_TEXT_H */
