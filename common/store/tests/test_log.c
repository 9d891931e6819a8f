/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/one_store.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store/gk_store_file.h"

/* Commits that are in the log of the store, and on their way into its rows. */
static void
put(struct gk_store *store, const char *key, const char *value)
{
	gk_assert_ok(gk_store_put(store, scope, "t", gk_slice_str(key),
	                          gk_slice_str(value)));
}

static void
del(struct gk_store *store, const char *key)
{
	struct gk_journal *j;

	gk_assert_ok(gk_journal_new(scope, &j));
	gk_assert_ok(gk_journal_del(j, "t", gk_slice_str(key)));
	gk_assert_ok(gk_store_apply(store, j));
	gk_journal_free(j);
}

static void
holds(struct gk_store *store, const char *key, const char *value)
{
	struct gk_buf buf;
	enum gk_err err =
		gk_store_get(store, scope, "t", gk_slice_str(key), &buf);

	if (value == NULL) {
		gk_assert_err(GK_ERR_UNEXPECTED, err);
		return;
	}
	gk_assert_ok(err);
	assert_true(gk_slice_equal(gk_buf_slice(&buf), gk_slice_str(value)));
	gk_buf_free(&buf);
}

/* In a process of its own, which ends without closing anything. */
static void
killed_after(void (*f)(struct gk_store *store))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		f(open_store());
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
some_rows(struct gk_store *store)
{
	put(store, "a", "1");
	put(store, "b", "1");
	put(store, "c", "1");
	put(store, "a", "2");
	del(store, "b");
	put(store, "", "head");
}

static void
are_there(struct gk_store *store)
{
	holds(store, "a", "2");
	holds(store, "b", NULL);
	holds(store, "c", "1");
	holds(store, "", "head");
	holds(store, "d", NULL);
}

GK_TEST(store, a_commit_is_found_in_the_log_and_in_its_rows)
{
	struct gk_store *store = open_store();

	some_rows(store);
	are_there(store);
	gk_assert_ok(gk_store_fold(store));
	are_there(store);
	put(store, "c", "2"); /* over a row */
	del(store, "a");
	holds(store, "c", "2");
	holds(store, "a", NULL);
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 2);
}

static enum gk_err
collect(void *ctx, const char *table, struct gk_slice key,
        struct gk_slice value)
{
	char *text = ctx;

	(void)table;
	snprintf(text + strlen(text), 256 - strlen(text), "%.*s=%.*s ",
	         (int)key.len, (const char *)key.ptr, (int)value.len,
	         (const char *)value.ptr);
	return GK_OK;
}

GK_TEST(store, the_log_of_a_killed_process_is_read_again)
{
	char text[256] = "";
	struct gk_store_reader reader = { collect, text };
	struct gk_store *store;

	killed_after(some_rows);
	assert_int_equal(in_file("SELECT count(*) FROM log"), 6);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 0);
	store = open_store();
	are_there(store);
	put(store, "e", "5"); /* behind those that are there */
	holds(store, "e", "5");
	gk_assert_ok(gk_store_load(store, scope, "t", &reader));
	assert_string_equal(text, "=head a=2 c=1 e=5 ");
	gk_store_close(store);
}

static void
many_rows(struct gk_store *store)
{
	struct gk_journal *j;
	char key[16];

	put(store, "0", "old");
	put(store, "x", "kept");
	gk_assert_ok(gk_journal_new(scope, &j));
	for (int i = 0; i < 20000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		gk_assert_ok(gk_journal_put(j, "t", gk_slice_str(key),
		                            gk_slice_str("new")));
	}
	gk_assert_ok(gk_store_apply(store, j));
	gk_journal_free(j);
}

/* It goes into the rows at once, and the log before it. */
GK_TEST(store, a_large_commit_is_not_undone_by_the_log)
{
	struct gk_store *store;

	killed_after(many_rows);
	assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 20001);
	store = open_store();
	holds(store, "0", "new");
	holds(store, "19999", "new");
	holds(store, "x", "kept");
	gk_store_close(store);
}

GK_TEST(store, a_drop_takes_what_is_in_the_log_along)
{
	struct gk_store *store = open_store();
	struct gk_journal *j;

	some_rows(store);
	gk_assert_ok(gk_store_put(store, gk_slice_str("other"), "t",
	                          gk_slice_str("k"), gk_slice_str("v")));
	gk_assert_ok(gk_journal_new(scope, &j));
	gk_assert_ok(
		gk_journal_put(j, "t", gk_slice_str("a"), gk_slice_str("3")));
	gk_assert_ok(gk_journal_drop(j));
	gk_assert_ok(
		gk_journal_put(j, "t", gk_slice_str("z"), gk_slice_str("9")));
	gk_assert_ok(gk_store_apply(store, j));
	gk_journal_free(j);
	holds(store, "a", NULL);
	holds(store, "", NULL);
	holds(store, "z", "9");
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 2);
}

/* More rows than the index has room for at first, keys of all lengths. */
GK_TEST(store, the_newest_of_many_changes_counts)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;
	char key[600], value[16];

	cfg.log_max = 20000; /* some folds on the way */
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	for (int i = 0; i < 1000; i++) {
		int k = i * 7 % 331;

		snprintf(key, sizeof(key), "%0*d", 1 + k, k);
		snprintf(value, sizeof(value), "%d", i);
		put(store, key, value);
	}
	for (int round = 0; round < 2; round++) {
		for (int i = 1000 - 331; i < 1000; i++) {
			int k = i * 7 % 331;

			snprintf(key, sizeof(key), "%0*d", 1 + k, k);
			snprintf(value, sizeof(value), "%d", i);
			holds(store, key, value);
		}
		gk_store_close(store);
		store = open_store();
	}
	gk_store_close(store);
}

GK_TEST(store, a_damaged_log_is_refused)
{
	static const char *const damage[] = {
		"UPDATE log SET entry = x'00' WHERE seq = 3",
		"UPDATE log SET entry = x'0701740000' WHERE seq = 3",
		"UPDATE log SET entry = substr(entry, 1, length(entry) - 1)",
		"UPDATE log SET entry = entry || x'ff'",
	};
	struct gk_store_config cfg = config();
	struct gk_store *store;

	for (size_t i = 0; i < GK_COUNT(damage); i++) {
		killed_after(some_rows);
		sql(damage[i]);
		gk_assert_err(GK_ERR_VALUE, gk_store_open(&cfg, &store, why));
		assert_non_null(strstr(why, "damaged"));
		unlink(path);
	}
}

/* The row has an older value; it is not given out instead. */
GK_TEST(store, an_entry_that_is_missing_is_said_and_not_made_up)
{
	struct gk_store *store = open_store();
	struct gk_buf buf;

	put(store, "a", "1");
	gk_assert_ok(gk_store_fold(store));
	put(store, "a", "2");
	assert_int_equal(
		sqlite3_exec(store->db, "DELETE FROM log", NULL, NULL, NULL),
		SQLITE_OK);
	gk_assert_err(GK_ERR_VALUE,
	              gk_store_get(store, scope, "t", gk_slice_str("a"), &buf));
	assert_non_null(strstr(gk_store_why(store), "damaged"));
	gk_store_close(store);
}

/* One that was made before there was a log. */
GK_TEST(store, an_older_store_gets_a_log_with_its_mark)
{
	struct gk_store_config cfg = config();
	struct gk_store *store = open_store();

	some_rows(store);
	gk_store_close(store);
	sql("DROP TABLE log");
	cfg.version = 2;
	cfg.oldest = 1;
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	are_there(store);
	gk_store_close(store);
	assert_int_equal(in_file("PRAGMA user_version"), 1);
	assert_int_equal(in_file("SELECT count(*) FROM sqlite_master"), 1);
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	put(store, "c", "2");
	holds(store, "c", "2");
	holds(store, "a", "2");
	gk_store_close(store);
	assert_int_equal(in_file("PRAGMA user_version"), 2);
	assert_int_equal(in_file("SELECT count(*) FROM sqlite_master"), 2);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 3);
}

/* The disk shall not tell what a key was. */
GK_TEST(store, what_was_replaced_is_gone_when_it_is_settled)
{
	struct gk_store *store = open_store();
	char wal[160];

	snprintf(wal, sizeof(wal), "%s-wal", path);
	put(store, "key", "the-first-secret");
	put(store, "key", "the-second-secret");
	assert_true(gk_file_has(wal, "the-first-secret"));
	gk_assert_ok(gk_store_settle(store));
	assert_false(gk_file_has(wal, "the-first-secret"));
	assert_false(gk_file_has(path, "the-first-secret"));
	assert_true(gk_file_has(path, "the-second-secret"));
	holds(store, "key", "the-second-secret");
	gk_assert_ok(gk_store_settle(store)); /* nothing to do */
	gk_store_close(store);
}

static void
load_is(struct gk_store *store, const char *rows)
{
	char text[256] = "";
	struct gk_store_reader reader = { collect, text };

	gk_assert_ok(gk_store_load(store, scope, "t", &reader));
	assert_string_equal(text, rows);
}

/* No file of this process may grow. */
static void
no_room(struct rlimit *old)
{
	struct rlimit tight;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, old), 0);
	tight = (struct rlimit){ .rlim_cur = 1, .rlim_max = old->rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
}

GK_TEST(store, a_log_is_read_where_there_is_no_room_to_fold_it)
{
	struct gk_store *store;
	struct rlimit old;
	enum gk_err folded;

	killed_after(some_rows);
	store = open_store();
	no_room(&old);
	folded = gk_store_fold(store);
	load_is(store, "=head a=2 c=1 ");
	holds(store, "a", "2");
	load_is(store, "=head a=2 c=1 ");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	gk_assert_err(GK_ERR_IO, folded);
	put(store, "c", "3");
	load_is(store, "=head a=2 c=3 ");
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_RUN(a_commit_is_found_in_the_log_and_in_its_rows),
		STORE_RUN(the_log_of_a_killed_process_is_read_again),
		STORE_RUN(a_large_commit_is_not_undone_by_the_log),
		STORE_RUN(a_drop_takes_what_is_in_the_log_along),
		STORE_RUN(the_newest_of_many_changes_counts),
		STORE_RUN(a_damaged_log_is_refused),
		STORE_RUN(an_entry_that_is_missing_is_said_and_not_made_up),
		STORE_RUN(an_older_store_gets_a_log_with_its_mark),
		STORE_RUN(what_was_replaced_is_gone_when_it_is_settled),
		STORE_RUN(a_log_is_read_where_there_is_no_room_to_fold_it),
	};

	return cmocka_run_group_tests_name("common/store", tests, NULL, NULL);
}
