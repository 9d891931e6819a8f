/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/tests/fold_model.h"

#include <signal.h>
#include <sys/resource.h>

/*
 * How large the log may be before it becomes rows, what it leaves behind then, and
 * what happens when the disk is full meanwhile.
 */

/* Five million octets are a full log where a commit has to fold it; aside they only
 * leave the write-ahead log. */
GK_TEST(fold, a_log_that_is_folded_aside_may_be_larger)
{
	struct gk_buf value;
	struct gk_store *store;
	char key[16];
	int slices = 0;

	log_max = 0;
	store = open_aside();
	gk_assert_ok(gk_buf_alloc(&value, (size_t)128 << 10));
	memset(value.ptr, 'v', value.len);
	for (size_t i = 0; i < 40; i++)
		gk_assert_ok(gk_store_put(store, scope, "t", key_of(i, key),
		                          gk_buf_slice(&value)));
	for (; gk_store_due(store); slices++)
		gk_assert_ok(gk_store_work(store));
	assert_int_equal(slices, 1);
	for (size_t i = 0; i < 100; i++)
		gk_assert_ok(gk_store_put(store, scope, "t", key_of(i, key),
		                          gk_buf_slice(&value)));
	for (; gk_store_due(store); slices++)
		gk_assert_ok(gk_store_work(store));
	assert_true(slices > 5);
	gk_buf_free(&value);
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 100);
}

/* ---- what it leaves behind ------------------------------------------------- */

GK_TEST(fold, what_was_replaced_is_gone_when_it_has_settled)
{
	struct gk_store *store = open_aside();
	char wal[160];

	snprintf(wal, sizeof(wal), "%s-wal", path);
	gk_assert_ok(gk_store_put(store, scope, "t", gk_slice_str("key"),
	                          gk_slice_str("the-first-secret")));
	gk_assert_ok(gk_store_put(store, scope, "t", gk_slice_str("key"),
	                          gk_slice_str("the-second-secret")));
	assert_false(gk_store_due(store));
	gk_assert_ok(gk_store_settle(store));
	assert_true(gk_store_due(store));
	/* What comes now may stay. */
	gk_assert_ok(gk_store_put(store, scope, "t", gk_slice_str("other"),
	                          gk_slice_str("a-later-secret")));
	work_all(store);
	assert_false(gk_file_has(wal, "the-first-secret"));
	assert_false(gk_file_has(path, "the-first-secret"));
	assert_true(gk_file_has(path, "the-second-secret"));
	gk_assert_ok(gk_store_settle(store));
	work_all(store);
	gk_assert_ok(gk_store_settle(store)); /* nothing to do */
	assert_false(gk_store_due(store));
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM row"), 2);
}

static void
disk_is_full(bool full)
{
	static struct rlimit old;
	struct rlimit tight;

	if (full) {
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
		tight = (struct rlimit){ .rlim_cur = 1,
			                 .rlim_max = old.rlim_max };
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, full ? &tight : &old), 0);
}

/* A log that has grown to more than twice what is a full one. */
static void
fill(struct gk_store *store)
{
	static const uint8_t octets[60000];
	struct gk_slice value = { octets, sizeof(octets) };
	char key[16];

	for (size_t i = 0; i < 45; i++)
		gk_assert_ok(
			gk_store_put(store, scope, "t", key_of(i, key), value));
	assert_true(gk_store_due(store));
}

/* Wherever it happens: what was deleted before is no longer counted. */
GK_TEST(fold, after_a_slice_that_failed_folding_comes_to_an_end)
{
	struct gk_store *store;
	bool failed = true;

	log_max = 1000000;
	for (int slices = 0; failed; slices++) {
		store = open_aside();
		fill(store);
		for (int n = 0; n < slices && gk_store_due(store); n++)
			gk_assert_ok(gk_store_work(store));
		disk_is_full(true);
		failed = false;
		while (!failed && gk_store_due(store))
			failed = gk_store_work(store) != GK_OK;
		disk_is_full(false);
		gk_assert_ok(gk_store_settle(store));
		for (int n = 0; gk_store_due(store); n++) {
			assert_true(n < 100);
			gk_assert_ok(gk_store_work(store));
			gk_assert_ok(gk_store_put(store, scope, "t",
			                          gk_slice_str("small"),
			                          gk_slice_str("value")));
		}
		gk_store_close(store);
		assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
		remove_store();
		assert_true(failed || slices > 10);
	}
}

GK_TEST(fold, a_slice_that_fails_is_tried_again)
{
	struct gk_store *store;
	enum gk_err err = GK_OK;

	start();
	log_max = 3000;
	store = open_aside();
	while (!gk_store_due(store))
		gk_assert_ok(one_commit(store));
	disk_is_full(true);
	while (err == GK_OK && gk_store_due(store))
		err = gk_store_work(store);
	all_is_there(store);
	disk_is_full(false);
	gk_assert_err(GK_ERR_IO, err);
	gk_assert_ok(one_commit(store));
	gk_assert_ok(gk_store_settle(store));
	work_all(store);
	all_is_there(store);
	gk_store_close(store);
	assert_int_equal(in_file("SELECT count(*) FROM log"), 0);
	assert_int_equal(in_file("SELECT count(*) FROM row"), rows_of_model());
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		FOLD_RUN(a_log_that_is_folded_aside_may_be_larger),
		FOLD_RUN(what_was_replaced_is_gone_when_it_has_settled),
		FOLD_RUN(after_a_slice_that_failed_folding_comes_to_an_end),
		FOLD_RUN(a_slice_that_fails_is_tried_again),
	};

	return cmocka_run_group_tests_name("common/store/fold_end", tests, NULL,
	                                   NULL);
}
