/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_shared.h"

#include <stdlib.h>

#include "common/base/gk_pages.h"

struct gk_shared *
gk_shared_new(size_t len)
{
	struct gk_shared *s;

	if (len > SIZE_MAX - sizeof(*s))
		return NULL;
	s = malloc(sizeof(*s) + len);
	if (s == NULL)
		return NULL;
	gk_pages_get(s, sizeof(*s) + len);
	atomic_init(&s->refs, 1);
	return s;
}

struct gk_shared *
gk_shared_ref(struct gk_shared *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
gk_shared_drop(struct gk_shared *s)
{
	if (s != NULL &&
	    atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
		free(s);
}
