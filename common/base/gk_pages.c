/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

struct pages {
	uintptr_t first, end, size;
};

static struct pages
pages_within(const void *at, size_t len)
{
	long got = sysconf(_SC_PAGESIZE);
	uintptr_t size = got > 0 ? (uintptr_t)got : 4096;

	return (struct pages){ .first =
		                       ((uintptr_t)at + size - 1) / size * size,
		               .end = ((uintptr_t)at + len) / size * size,
		               .size = size };
}

/* If it does not work, they stay as they are. */
static inline bool
advise(const struct pages *p, int advice)
{
	return p->first < p->end &&
	       madvise((void *)p->first, p->end - p->first, advice) == 0;
}

bool
gk_pages_large(void *at, size_t len)
{
#ifdef MADV_HUGEPAGE
	struct pages p = pages_within(at, len);

	return len >= GK_PAGES_LARGE && advise(&p, MADV_HUGEPAGE);
#else
	(void)at, (void)len;
	return false;
#endif
}

void
gk_pages_small(void *at, size_t len)
{
#ifdef MADV_NOHUGEPAGE
	struct pages p = pages_within(at, len);

	(void)advise(&p, MADV_NOHUGEPAGE);
#else
	(void)at, (void)len;
#endif
}

bool
gk_pages_free(void *at, size_t len)
{
	struct pages p = pages_within(at, len);

#ifdef MADV_DONTNEED
	(void)advise(&p, MADV_DONTNEED);
#endif
	return p.first < p.end;
}

#ifdef MADV_POPULATE_WRITE
/* Write to the last page: did it have to come for that? */
static bool
was_missing(const struct pages *p)
{
	struct rusage before, after;

	if (getrusage(RUSAGE_THREAD, &before) != 0)
		return false;
	*(volatile uint8_t *)(p->end - 1) = 0;
	return getrusage(RUSAGE_THREAD, &after) == 0 &&
	       after.ru_minflt != before.ru_minflt;
}
#endif

void
gk_pages_get(void *at, size_t len)
{
#ifdef MADV_POPULATE_WRITE
	struct pages p;

	if (len < GK_PAGES_GET)
		return;
	p = pages_within(at, len);
	/* To ask for those that are there takes time, too. */
	if (p.first < p.end && was_missing(&p))
		(void)advise(&p, MADV_POPULATE_WRITE);
#else
	(void)at, (void)len;
#endif
}
