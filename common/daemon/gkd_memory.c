/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_memory.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* From here on an array has pages of its own, as by default after the first
 * large one was freed: those of seats that nobody took are never touched. */
#define ALONE (4 << 20) /* octets */

void
gkd_memory_keep(void)
{
#ifdef __GLIBC__
	/* What is above the first of these is cut to the second. */
	(void)mallopt(M_TRIM_THRESHOLD, GKD_MEMORY_KEEP);
	(void)mallopt(M_TOP_PAD, GKD_MEMORY_KEEP / 2);
	(void)mallopt(M_MMAP_THRESHOLD, ALONE);
#endif
}
