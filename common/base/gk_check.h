/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CHECK_H
#define GK_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * DOC: checks that a special build can leave out
 *
 * A test that a wrong message is refused is worth something only if it fails
 * once the check is gone.  So every check names the requirements it guards, the
 * one it refuses with first:
 *
 *	if (h->version != GSAKMP_VERSION && GK_CHECKED("RFC4535-7.1.2-04"))
 *		return gsakmp_refuse(...);
 *
 * In every ordinary build GK_CHECKED() is true and no code.  After
 * `configure --enable-check-switches` it is false as long as the environment
 * variable MSEC_CHECK_OFF, a list of ids with commas between them, contains one
 * of its ids: the check then finds nothing wrong, and the next one has its turn.
 * Such a build is for `./lab ledger --prove` alone: its programs say what they
 * are when they start, and `make install` refuses.
 */
#define GK_NOT_FOR_USE                                                   \
	"%s: NOT FOR USE: built with --enable-check-switches; switched " \
	"off: [%s]"

#ifdef GK_CHECK_SWITCHES

#include <stdio.h>
#include <stdlib.h>

#define GK_CHECKED(...) gk_checked((const char *const[]){ __VA_ARGS__, NULL })

/* gk_checked - is none of @ids, a list that ends with NULL, switched off? */
bool gk_checked(const char *const *ids);

/* gk_checks_off - what is switched off: the value of the variable, or "". */
const char *gk_checks_off(void);

/* gk_checks_say - the first thing that a program does: whoever started it shall see
 * what it is.  Needs no library, for programs without. */
static inline void
gk_checks_say(const char *program)
{
	const char *off = getenv("MSEC_CHECK_OFF");

	fprintf(stderr, GK_NOT_FOR_USE "\n", program, off != NULL ? off : "");
}

#else
#define GK_CHECKED(...) true
#define gk_checks_off() ""
#define gk_checks_say(program) (void)(program)
#endif

#endif /* GK_CHECK_H */
