/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/store/gk_store.h"
#include "common/test/gk_folder.h"

/*
 * A machine that loses power: the store's log ends anywhere, or an octet in it is
 * not what was written.  What comes back is a state that the store was in, whole,
 * and never an older one than the log still has.
 */
#define COMMITS 12
#define WAL_MAX (1 << 20)
#define WAL_HEADER 32

/* What the disk has is said by these copies; nobody has to wait for it. */
int
fsync(int fd)
{
	(void)fd;
	return 0;
}

int
fdatasync(int fd)
{
	return fsync(fd);
}

static char dir[GK_FOLDER_MAX];
static char path[GK_FOLDER_MAX + 8], wal[GK_FOLDER_MAX + 16];
static char torn[GK_FOLDER_MAX + 8], torn_wal[GK_FOLDER_MAX + 16];
static char why[GK_STORE_WHY_MAX];
static struct gk_slice scope;
static bool sliced; /* the log is folded in slices between the commits */

static int
set_up(void **state)
{
	(void)state;
	assert_true(gk_folder_make(dir));
	snprintf(path, sizeof(path), "%s/a.db", dir);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(torn, sizeof(torn), "%s/b.db", dir);
	snprintf(torn_wal, sizeof(torn_wal), "%s-wal", torn);
	scope = gk_slice_str("scope");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(wal);
	unlink(torn);
	unlink(torn_wal);
	return rmdir(dir);
}

static enum gk_err
open_at(const char *at, struct gk_store **store)
{
	const struct gk_store_config cfg = { .path = at,
		                             .app = GK_STORE_APP_GSAKMP,
		                             .version = 1,
		                             .log_max = sliced ? 60 : 0 };
	enum gk_err err = gk_store_open(&cfg, store, why);

	if (err == GK_OK)
		gk_store_aside(*store, sliced);
	return err;
}

static size_t
slurp(const char *from, uint8_t *octets)
{
	FILE *f = fopen(from, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(octets, 1, WAL_MAX, f);
	fclose(f);
	assert_true(n < WAL_MAX);
	return n;
}

static void
spill(const char *to, const uint8_t *octets, size_t n)
{
	FILE *f = fopen(to, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, n, f), n);
	fclose(f);
	assert_int_equal(chmod(to, 0600), 0);
}

/* One counter in two tables, and a row that comes and goes with it. */
static void
count_to(struct gk_store *store, uint8_t n)
{
	const struct gk_slice value = { &n, 1 };
	struct gk_journal *j;

	gk_assert_ok(gk_journal_new(scope, &j));
	gk_assert_ok(gk_journal_put(j, "a", gk_slice_str("n"), value));
	gk_assert_ok(gk_journal_put(j, "b", gk_slice_str("n"), value));
	gk_assert_ok(n % 2 ? gk_journal_put(j, "odd", gk_slice_str("n"), value)
	                   : gk_journal_del(j, "odd", gk_slice_str("n")));
	gk_assert_ok(gk_store_apply(store, j));
	gk_journal_free(j);
}

static int
counter(struct gk_store *store, const char *table)
{
	struct gk_buf value;
	int n;

	if (gk_store_get(store, scope, table, gk_slice_str("n"), &value) !=
	    GK_OK)
		return 0;
	assert_int_equal(value.len, 1);
	n = value.ptr[0];
	gk_buf_free(&value);
	return n;
}

/* The copies of a store and of its log as a power cut finds them. */
struct shot {
	uint8_t *db, *wal;
	size_t db_len, wal_len;
	size_t after[COMMITS + 1]; /* length of the log after each commit */
	unsigned slices;
};

static void
shoot(struct shot *s)
{
	struct gk_store *store;

	s->slices = 0;
	s->db = test_malloc(WAL_MAX);
	s->wal = test_malloc(WAL_MAX);
	gk_assert_ok(open_at(path, &store));
	s->after[0] = slurp(wal, s->wal);
	for (uint8_t n = 1; n <= COMMITS; n++) {
		count_to(store, n);
		s->after[n] = slurp(wal, s->wal);
		for (int i = n % 4; i > 0 && gk_store_due(store); i--) {
			gk_assert_ok(gk_store_work(store));
			s->slices++;
		}
	}
	assert_true(sliced ? s->slices > COMMITS : s->slices == 0);
	s->db_len = slurp(path, s->db);
	s->wal_len = slurp(wal, s->wal);
	gk_store_close(store);
	unlink(path);
}

static void
shot_free(struct shot *s)
{
	test_free(s->db);
	test_free(s->wal);
}

/* What a restart makes of the first @n octets of the log. */
static int
restart(const struct shot *s, const uint8_t *log, size_t n)
{
	struct gk_store *store;
	int got;

	spill(torn, s->db, s->db_len);
	spill(torn_wal, log, n);
	gk_assert_ok(open_at(torn, &store));
	got = counter(store, "a");
	assert_int_equal(counter(store, "b"), got);
	assert_int_equal(counter(store, "odd"), got % 2 ? got : 0);
	/* and it goes on from there */
	count_to(store, (uint8_t)(got + 1));
	gk_store_close(store);
	gk_assert_ok(open_at(torn, &store));
	assert_int_equal(counter(store, "a"), got + 1);
	gk_store_close(store);
	unlink(torn);
	unlink(torn_wal);
	return got;
}

static int
complete(const struct shot *s, size_t n)
{
	int k = COMMITS;

	while (k > 0 && s->after[k] > n)
		k--;
	return k;
}

static void
ends_anywhere(void)
{
	struct shot s;

	shoot(&s);
	assert_int_equal(complete(&s, s.wal_len), COMMITS);
	for (int k = 0; k <= COMMITS; k++)
		for (int off = -2; off <= 2; off++) {
			size_t n = s.after[k] + (size_t)off;

			if (n <= s.wal_len)
				assert_int_equal(restart(&s, s.wal, n),
				                 complete(&s, n));
		}
	/* inside of frames, and inside of the log's own header */
	for (size_t n = 0; n < s.wal_len; n += n < WAL_HEADER ? 7 : 1237)
		assert_int_equal(restart(&s, s.wal, n), complete(&s, n));
	shot_free(&s);
}

static void
has_a_wrong_octet(void)
{
	struct shot s;

	shoot(&s);
	for (size_t at = WAL_HEADER; at < s.wal_len; at += 1511) {
		int got;

		s.wal[at] ^= 0x40;
		got = restart(&s, s.wal, s.wal_len);
		s.wal[at] ^= 0x40;
		assert_int_equal(got, complete(&s, at));
	}
	shot_free(&s);
}

GK_TEST(store, log_that_ends_anywhere_restarts_at_its_last_whole_commit)
{
	ends_anywhere();
}

GK_TEST(store, octet_that_is_wrong_ends_the_log_there)
{
	has_a_wrong_octet();
}

/* Slices are no commits: nothing is older or newer for them, whole or not. */
GK_TEST(store, log_with_slices_of_a_fold_is_no_other)
{
	sliced = true;
	ends_anywhere();
	has_a_wrong_octet();
	sliced = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(store,
		       log_that_ends_anywhere_restarts_at_its_last_whole_commit),
		GK_RUN(store, octet_that_is_wrong_ends_the_log_there),
		GK_RUN(store, log_with_slices_of_a_fold_is_no_other),
	};

	return cmocka_run_group_tests_name("common/store/torn", tests, set_up,
	                                   tear_down);
}
