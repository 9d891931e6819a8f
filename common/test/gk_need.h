/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_NEED_H
#define GK_NEED_H

#include <stdlib.h>

/* gk_need_memory - @p, which an allocation gave; without memory a test ends here. */
static inline void *
gk_need_memory(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

#endif /* GK_NEED_H */
