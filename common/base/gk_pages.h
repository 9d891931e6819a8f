/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_PAGES_H
#define GK_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * DOC: hints to the system about the pages of memory
 *
 * They are for whole pages within @len octets at @at.  Where the system does not
 * know them nothing happens, and nothing is different but for time and memory.
 */

/*
 * gk_pages_large - for memory that was not used so far: in pages of some millions
 * of octets, from GK_PAGES_LARGE octets on, for less would be mostly empty.  False:
 * in small ones.
 *
 * Who goes from place to place in a large array with small pages first waits, at
 * each place, for where the page is.
 */
#define GK_PAGES_LARGE ((size_t)8 << 20)
bool gk_pages_large(void *at, size_t len);
/* gk_pages_small - in small ones from now on. */
void gk_pages_small(void *at, size_t len);

/* gk_pages_free - not needed any more; they are read as zeros.  False: there is
 * no whole page. */
bool gk_pages_free(void *at, size_t len);

/*
 * gk_pages_get - all of it will be written, so that the pages may as well come at
 * once, instead of each when it is written first; from GK_PAGES_GET octets on, and
 * unless the last one is there.  What is in them is lost.
 */
#define GK_PAGES_GET ((size_t)32 << 10)
void gk_pages_get(void *at, size_t len);

#endif /* GK_PAGES_H */
