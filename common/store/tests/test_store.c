/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/one_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct gk_slice
str(const char *s)
{
	return gk_slice_str(s);
}

static bool
holds(struct gk_store *store, const char *key, const char *value)
{
	struct gk_buf buf;
	bool same;

	if (gk_store_get(store, scope, "t", str(key), &buf) != GK_OK)
		return false;
	same = gk_slice_equal(gk_buf_slice(&buf), str(value));
	gk_buf_free(&buf);
	return same;
}

struct rows {
	char text[256];
	size_t count;
	size_t stop_after;
};

static enum gk_err
collect(void *ctx, const char *table, struct gk_slice key,
        struct gk_slice value)
{
	struct rows *rows = ctx;
	size_t at = strlen(rows->text);

	if (rows->stop_after != 0 && rows->count == rows->stop_after)
		return GK_ERR_POLICY;
	rows->count++;
	snprintf(rows->text + at, sizeof(rows->text) - at, "%s:%.*s=%.*s ",
	         table, (int)key.len, (const char *)key.ptr, (int)value.len,
	         (const char *)value.ptr);
	return GK_OK;
}

/* Run @f in a child; returns its exit code, or 1000 + the signal. */
static int
in_child(int (*f)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(f());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
	                         : 1000 + WTERMSIG(status);
}

GK_TEST(store, rows_survive_and_come_back_in_order_of_their_keys)
{
	struct rows rows = { 0 };
	struct gk_store_reader reader = { collect, &rows };
	struct gk_journal *journal;
	struct gk_store *store = open_store();

	gk_assert_ok(gk_journal_new(scope, &journal));
	gk_assert_ok(gk_journal_put(journal, "t", str("b"), str("2")));
	gk_assert_ok(gk_journal_put(journal, "t", str("a"), str("1")));
	gk_assert_ok(gk_journal_put(journal, "t", str("c"), str("")));
	gk_assert_ok(gk_journal_put(journal, "t", str(""), str("head")));
	gk_assert_ok(gk_journal_put(journal, "u", str("a"), str("other")));
	gk_assert_ok(gk_journal_put(journal, "t", str("d"), str("gone")));
	gk_assert_ok(gk_journal_put(journal, "t", str("b"), str("3")));
	gk_assert_ok(gk_journal_del(journal, "t", str("d")));
	gk_assert_ok(gk_journal_del(journal, "t", str("never there")));
	gk_assert_ok(gk_store_apply(store, journal));
	gk_journal_free(journal);
	gk_store_close(store);

	store = open_store();
	gk_assert_ok(gk_store_load(store, scope, "t", &reader));
	assert_string_equal(rows.text, "t:=head t:a=1 t:b=3 t:c= ");
	rows = (struct rows){ 0 };
	gk_assert_ok(gk_store_load(store, str("other"), "t", &reader));
	assert_int_equal(rows.count, 0);
	rows = (struct rows){ .stop_after = 2 };
	gk_assert_err(GK_ERR_POLICY, gk_store_load(store, scope, "t", &reader));
	assert_int_equal(rows.count, 2);
	gk_store_close(store);
}

GK_TEST(store, scopes_do_not_see_each_other_and_can_be_dropped)
{
	struct rows rows = { 0 };
	struct gk_store_reader reader = { collect, &rows };
	struct gk_journal *journal;
	struct gk_store *store = open_store();
	struct gk_buf value;

	gk_assert_ok(gk_store_put(store, str("one"), "t", str("k"), str("1")));
	gk_assert_ok(gk_store_put(store, str("two"), "t", str("k"), str("2")));
	gk_assert_ok(gk_store_scopes(store, &reader));
	assert_string_equal(rows.text, ":one= :two= ");
	gk_assert_ok(gk_journal_new(str("one"), &journal));
	gk_assert_ok(gk_journal_drop(journal));
	gk_assert_ok(gk_store_apply(store, journal));
	gk_journal_free(journal);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_store_get(store, str("one"), "t", str("k"), &value));
	gk_assert_ok(gk_store_get(store, str("two"), "t", str("k"), &value));
	gk_buf_free(&value);
	gk_store_close(store);
}

/* Whatever a group is named. */
GK_TEST(store, what_is_the_daemons_own_does_not_go_with_a_group)
{
	struct gk_store *store = open_store();
	struct rows rows = { 0 };
	struct gk_store_reader reader = { collect, &rows };
	struct gk_journal *journal;
	struct gk_buf value = { 0 };
	bool moved;

	/* as a version of before has left it */
	gk_assert_ok(gk_store_put(store, str("clock"), "clock", str("seen"),
	                          str("1")));
	gk_assert_ok(gk_store_get_own(store, "clock", "clock", str("seen"),
	                              &value, &moved));
	assert_true(moved && gk_slice_equal(gk_buf_slice(&value), str("1")));
	gk_buf_free(&value);
	gk_assert_ok(gk_store_put(store, gk_store_own(), "clock", str("seen"),
	                          str("2")));
	gk_assert_ok(gk_store_put(store, str("clock"), "t", str("k"),
	                          str("a group's")));
	gk_assert_ok(gk_journal_new(str("clock"), &journal));
	gk_assert_ok(gk_journal_drop(journal));
	gk_assert_ok(gk_store_apply(store, journal));
	gk_journal_free(journal);
	for (unsigned i = 0; i < 2; i++) { /* also folded, and from the file */
		gk_assert_ok(gk_store_get_own(store, "clock", "clock",
		                              str("seen"), &value, &moved));
		assert_false(moved);
		assert_true(gk_slice_equal(gk_buf_slice(&value), str("2")));
		gk_buf_free(&value);
		gk_store_close(store);
		store = open_store();
	}
	gk_assert_ok(gk_store_scopes(store, &reader));
	assert_string_equal(rows.text, ":= ");
	gk_assert_err(GK_ERR_UNEXPECTED,
	              gk_store_get_own(store, "clock", "clock", str("other"),
	                               &value, &moved));
	gk_store_close(store);
}

static int
second_opener(void)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	if (gk_store_open(&cfg, &store, why) != GK_ERR_UNEXPECTED)
		return 1;
	return strstr(why, "in use by another process") != NULL &&
	                       strstr(why, path) != NULL
	               ? 0
	               : 2;
}

/* The other process is started first, so that it inherits nothing. */
GK_TEST(store, second_process_is_refused)
{
	for (int written = 0; written < 2; written++) {
		struct gk_store *store;
		int go[2], status;
		char c = 0;
		pid_t pid;

		assert_int_equal(pipe(go), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(read(go[0], &c, 1) == 1 ? second_opener() : 3);
		store = open_store();
		if (written)
			gk_assert_ok(gk_store_put(store, scope, "t", str("k"),
			                          str("v")));
		assert_int_equal(write(go[1], &c, 1), 1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
		close(go[0]);
		close(go[1]);
		gk_store_close(store);
	}
	gk_store_close(open_store());
}

GK_TEST(store, file_is_for_its_owner_only)
{
	struct gk_store_config cfg = config();
	struct gk_store *store = open_store();
	char wal[160];
	struct stat st;

	gk_assert_ok(gk_store_put(store, scope, "t", str("k"), str("v")));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	gk_store_close(store);
	assert_int_equal(chmod(path, 0640), 0);
	gk_assert_err(GK_ERR_VALUE, gk_store_open(&cfg, &store, why));
	assert_non_null(strstr(why, "mode 640"));
}

static void
refused(enum gk_err err, const char *word)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	gk_assert_err(err, gk_store_open(&cfg, &store, why));
	assert_null(store);
	if (strstr(why, word) == NULL)
		fail_msg("'%s' does not say '%s'", why, word);
}

GK_TEST(store, newer_version_is_refused_with_both_versions)
{
	gk_store_close(open_store());
	sql("PRAGMA user_version=7");
	refused(GK_ERR_VALUE, "format version 7");
	refused(GK_ERR_VALUE, "knows version 1");
}

/* One that can be read gets the new mark with the first change, not before. */
GK_TEST(store, an_older_version_is_marked_when_it_changes)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	gk_store_close(open_store());
	cfg.version = 3;
	cfg.oldest = 2;
	gk_assert_err(GK_ERR_VALUE, gk_store_open(&cfg, &store, why));
	assert_non_null(strstr(why, "format version 1"));
	cfg.oldest = 1;
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	gk_store_close(store);
	store = open_store(); /* as version 1, still */
	gk_store_close(store);
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	gk_assert_ok(gk_store_put(store, scope, "t", str("k"), str("v")));
	gk_store_close(store);
	refused(GK_ERR_VALUE, "format version 3");
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	assert_true(holds(store, "k", "v"));
	gk_store_close(store);
}

GK_TEST(store, foreign_file_is_refused_and_not_touched)
{
	static const char text[] = "This is not a database, it is a letter.";
	struct stat before, after;
	char buf[128] = { 0 };
	int fd;

	umask(077);
	sql("CREATE TABLE mine(x); PRAGMA application_id=5");
	assert_int_equal(stat(path, &before), 0);
	refused(GK_ERR_VALUE, "another application");
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_size, after.st_size);
	sql("PRAGMA application_id=0");
	refused(GK_ERR_VALUE, "another application");

	fd = open(path, O_WRONLY | O_TRUNC);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	close(fd);
	refused(GK_ERR_VALUE, "not a store");
	fd = open(path, O_RDONLY);
	assert_true(read(fd, buf, sizeof(text)) == sizeof(text));
	close(fd);
	assert_string_equal(buf, text);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(GK_ERR_VALUE, "not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	refused(GK_ERR_VALUE, "not a regular file");
}

GK_TEST(store, missing_folder_is_the_systems_refusal)
{
	char keep[sizeof(path)];

	strcpy(keep, path);
	snprintf(path, sizeof(path), "%s/nowhere/store", folder);
	refused(GK_ERR_IO, strerror(ENOENT));
	strcpy(path, keep);
}

GK_TEST(store, damaged_file_is_refused)
{
	struct gk_store *store = open_store();
	uint8_t value[3000], junk[4096];
	int fd;

	memset(value, 7, sizeof(value));
	memset(junk, 0x5a, sizeof(junk));
	for (uint8_t i = 0; i < 50; i++)
		gk_assert_ok(gk_store_put(store, scope, "t",
		                          (struct gk_slice){ &i, 1 },
		                          (struct gk_slice){ value, 3000 }));
	gk_store_close(store);
	fd = open(path, O_WRONLY);
	assert_true(pwrite(fd, junk, sizeof(junk), 2 * 4096) == 4096);
	close(fd);
	refused(GK_ERR_VALUE, "damaged");
}

GK_TEST(store, deleted_octets_are_gone_from_the_disk_after_close)
{
	static const char secret[] = "a-key-that-must-not-be-found-again";
	struct gk_store *store = open_store();
	char file[64 * 1024];
	ssize_t n;
	int fd;

	gk_assert_ok(gk_store_put(store, scope, "t", str("k"), str(secret)));
	gk_assert_ok(gk_store_put(store, scope, "t", str("k"), str("new")));
	gk_store_close(store);
	fd = open(path, O_RDONLY);
	n = read(fd, file, sizeof(file));
	close(fd);
	assert_true(n > 0);
	assert_null(memmem(file, (size_t)n, secret, strlen(secret)));
	assert_non_null(memmem(file, (size_t)n, "new", 3));
	snprintf(file, sizeof(file), "%s-wal", path);
	assert_int_equal(access(file, F_OK), -1);
}

static uint32_t fault_at;
static bool fault_after;

static int
faulty_writer(void)
{
	struct gk_store *store = open_store();

	gk_store_fault_set(store, fault_at, fault_after);
	for (char v[2] = "1"; v[0] <= '3'; v[0]++) {
		if (gk_store_put(store, scope, "t", str("k"), str(v)) != GK_OK)
			return 1;
	}
	return 0;
}

GK_TEST(store, killed_before_the_commit_it_never_happened)
{
	struct gk_store *store;

	fault_at = 2;
	fault_after = false;
	assert_int_equal(in_child(faulty_writer), 137);
	store = open_store();
	assert_true(holds(store, "k", "1"));
	gk_store_close(store);
}

GK_TEST(store, killed_after_the_commit_it_is_there)
{
	struct gk_store *store;

	fault_at = 2;
	fault_after = true;
	assert_int_equal(in_child(faulty_writer), 137);
	store = open_store();
	assert_true(holds(store, "k", "2"));
	gk_store_close(store);
}

/* Write until there is no room, then see that the last journal left nothing
 * and that the store is as usable as before. */
static int
fill(void)
{
	struct gk_store *store;
	struct gk_store_config cfg = config();
	uint8_t value[20000] = { 1 };
	struct gk_slice big = { value, sizeof(value) };
	enum gk_err err = GK_OK;
	struct gk_buf got;
	uint32_t n = 0;
	char key[16];

	if (gk_store_open(&cfg, &store, why) != GK_OK)
		return 1;
	for (; n < 1000 && err == GK_OK; n++) {
		struct gk_journal *journal;

		snprintf(key, sizeof(key), "%04u", n);
		if (gk_journal_new(scope, &journal) != GK_OK ||
		    gk_journal_put(journal, "a", str(key), str("1")) != GK_OK ||
		    gk_journal_put(journal, "b", str(key), big) != GK_OK)
			return 2;
		err = gk_store_apply(store, journal);
		gk_journal_free(journal);
	}
	if (err != GK_ERR_IO || n < 3)
		return 3;
	if (*gk_store_why(store) == '\0')
		return 4;
	if (gk_store_get(store, scope, "a", str(key), &got) !=
	            GK_ERR_UNEXPECTED ||
	    gk_store_get(store, scope, "b", str(key), &got) !=
	            GK_ERR_UNEXPECTED)
		return 5;
	if (gk_store_get(store, scope, "b", str("0000"), &got) != GK_OK)
		return 6;
	gk_buf_free(&got);
	gk_store_close(store);
	if (gk_store_open(&cfg, &store, why) != GK_OK)
		return 7;
	snprintf(key, sizeof(key), "%04u", n - 2);
	if (gk_store_get(store, scope, "a", str(key), &got) != GK_OK)
		return 8;
	gk_buf_free(&got);
	gk_store_close(store);
	return 0;
}

static int
fill_to_the_file_size_limit(void)
{
	const struct rlimit limit = { 400 * 1024, 400 * 1024 };

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 20;
	return fill();
}

GK_TEST(store, file_size_limit_leaves_nothing_half_applied)
{
	assert_int_equal(in_child(fill_to_the_file_size_limit), 0);
}

/* A file system of its own, where that is allowed. */
static int
fill_the_disk(void)
{
	char disk[GK_FOLDER_MAX + 8];

	snprintf(disk, sizeof(disk), "%s/small", folder);
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", disk, "tmpfs", 0, "size=600k") != 0)
		return fill_to_the_file_size_limit();
	snprintf(path, sizeof(path), "%s/store", disk);
	return fill();
}

GK_TEST(store, full_disk_leaves_nothing_half_applied)
{
	char disk[GK_FOLDER_MAX + 8];

	snprintf(disk, sizeof(disk), "%s/small", folder);
	assert_int_equal(mkdir(disk, 0700), 0);
	assert_int_equal(in_child(fill_the_disk), 0);
}

GK_TEST(store, several_journals_are_one_transaction)
{
	const struct gk_journal *both[3] = { NULL };
	struct gk_journal *one, *two;
	struct gk_store *store = open_store();
	struct rows rows = { 0 };
	struct gk_store_reader reader = { collect, &rows };

	gk_assert_ok(gk_journal_new(str("one"), &one));
	gk_assert_ok(gk_journal_new(str("two"), &two));
	gk_assert_ok(gk_journal_put(one, "t", str("k"), str("1")));
	gk_assert_ok(gk_journal_put(two, "t", str("k"), str("2")));
	both[0] = one;
	both[2] = two;
	gk_assert_ok(gk_store_apply_many(store, both, 3));
	gk_assert_ok(gk_store_scopes(store, &reader));
	assert_string_equal(rows.text, ":one= :two= ");
	gk_journal_free(one);
	gk_journal_free(two);
	gk_store_close(store);
}

/* Rows are applied in the order of the file; those of one key in their own. */
GK_TEST(store, changes_of_one_row_keep_their_order_in_a_large_journal)
{
	struct gk_store *store = open_store();
	struct rows rows = { 0 };
	struct gk_store_reader reader = { collect, &rows };
	struct gk_journal *journal;
	struct gk_buf got;
	char key[16], value[16];

	gk_assert_ok(gk_store_put(store, scope, "t", str("old"), str("0")));
	gk_assert_ok(gk_journal_new(scope, &journal));
	gk_assert_ok(gk_journal_put(journal, "t", str("lost"), str("1")));
	gk_assert_ok(gk_journal_drop(journal));
	for (int round = 0; round < 3; round++) {
		for (int i = 999; i >= 0; i--) {
			snprintf(key, sizeof(key), "%d", i);
			snprintf(value, sizeof(value), "%d.%d", i, round);
			gk_assert_ok(gk_journal_put(journal, "u", str(key),
			                            str(value)));
		}
		gk_assert_ok(gk_journal_put(journal, "t", str("b"), str("1")));
		gk_assert_ok(gk_journal_del(journal, "t", str("b")));
		gk_assert_ok(gk_journal_del(journal, "t", str("a")));
		gk_assert_ok(gk_journal_put(journal, "t", str("a"), str("2")));
	}
	gk_assert_ok(gk_store_apply(store, journal));
	gk_assert_ok(gk_store_load(store, scope, "t", &reader));
	assert_string_equal(rows.text, "t:a=2 ");
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		snprintf(value, sizeof(value), "%d.2", i);
		gk_assert_ok(gk_store_get(store, scope, "u", str(key), &got));
		assert_true(gk_slice_equal(gk_buf_slice(&got), str(value)));
		gk_buf_free(&got);
	}
	gk_journal_free(journal);
	gk_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_RUN(rows_survive_and_come_back_in_order_of_their_keys),
		STORE_RUN(scopes_do_not_see_each_other_and_can_be_dropped),
		STORE_RUN(what_is_the_daemons_own_does_not_go_with_a_group),
		STORE_RUN(second_process_is_refused),
		STORE_RUN(file_is_for_its_owner_only),
		STORE_RUN(newer_version_is_refused_with_both_versions),
		STORE_RUN(an_older_version_is_marked_when_it_changes),
		STORE_RUN(foreign_file_is_refused_and_not_touched),
		STORE_RUN(missing_folder_is_the_systems_refusal),
		STORE_RUN(damaged_file_is_refused),
		STORE_RUN(deleted_octets_are_gone_from_the_disk_after_close),
		STORE_RUN(killed_before_the_commit_it_never_happened),
		STORE_RUN(killed_after_the_commit_it_is_there),
		STORE_RUN(file_size_limit_leaves_nothing_half_applied),
		STORE_RUN(full_disk_leaves_nothing_half_applied),
		STORE_RUN(several_journals_are_one_transaction),
		STORE_RUN(
			changes_of_one_row_keep_their_order_in_a_large_journal),
	};

	return cmocka_run_group_tests_name("common/store", tests, NULL, NULL);
}
