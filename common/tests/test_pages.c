/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/gk_pages.h"

/* Pages of ours within @len octets that are there. */
static size_t
there(const void *at, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
	uintptr_t first = ((uintptr_t)at + page - 1) / page * page;
	size_t pages = ((uintptr_t)at + len - first) / page;
	unsigned char *in = calloc(pages + 1, 1);

	assert_non_null(in);
	assert_int_equal(mincore((void *)first, pages * page, in), 0);
	for (size_t i = 0; i < pages; i++)
		n += in[i] & 1;
	free(in);
	return n;
}

static bool
is_zero(const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* Not a whole page at either end, as malloc gives it. */
#define LEN (GK_PAGES_LARGE + 12345)
#define SHIFT 16

GK_TEST(base_pages, large_ones_are_memory_as_any)
{
	uint8_t *all = mmap(NULL, LEN + SHIFT, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *at = all + SHIFT;

	assert_true(all != MAP_FAILED);
	(void)gk_pages_large(at, LEN); /* or not, where there are none */
	assert_true(is_zero(at, LEN));
	memset(at, 7, LEN);
	memset(all, 8, SHIFT);
	assert_true(gk_pages_free(at, LEN));
	gk_pages_small(at, LEN);
	assert_true(there(at, LEN) == 0);
	assert_true(is_zero(at + 65536, LEN - 2 * 65536));
	/* what shares its page with others is not ours to give */
	assert_int_equal(all[SHIFT - 1], 8);
	assert_int_equal(at[0], 7);
	assert_int_equal(at[LEN - 1], 7);
	munmap(all, LEN + SHIFT);
}

GK_TEST(base_pages, what_is_too_small_stays_as_it_is)
{
	static uint8_t octets[GK_PAGES_GET];

	assert_false(gk_pages_large(octets, sizeof(octets)));
	memset(octets, 7, sizeof(octets));
	gk_pages_get(octets, GK_PAGES_GET - 1);
	assert_int_equal(octets[0], 7);
	assert_int_equal(octets[GK_PAGES_GET - 2], 7);
	assert_false(gk_pages_free(octets + 1, 16));
	assert_int_equal(octets[1], 7);
}

GK_TEST(base_pages, all_that_will_be_written_come_at_once_and_no_more)
{
	size_t len = 2 * GK_PAGES_GET;
	uint8_t *all = mmap(NULL, 3 * len, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t page = (size_t)sysconf(_SC_PAGESIZE), got;

	assert_true(all != MAP_FAILED);
	gk_pages_get(all + len + SHIFT, len);
	got = there(all + len, 2 * len);
	/* none but the last, where the system does not know how */
	assert_in_range(got, 1, len / page);
	assert_int_equal(there(all, len), 0);
	assert_int_equal(there(all + 2 * len + page, len - page), 0);
	/* and again, with something in it */
	memset(all + len, 7, len);
	gk_pages_get(all + len + SHIFT, len);
	assert_int_equal(all[len], 7);
	assert_int_equal(all[len + SHIFT], 7);
	munmap(all, 3 * len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(base_pages, large_ones_are_memory_as_any),
		GK_RUN(base_pages, what_is_too_small_stays_as_it_is),
		GK_RUN(base_pages,
		       all_that_will_be_written_come_at_once_and_no_more),
	};

	return cmocka_run_group_tests_name("common/pages", tests, NULL, NULL);
}
