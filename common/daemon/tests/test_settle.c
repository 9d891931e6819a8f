/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon/gkd_settle.h"
#include "common/test/gk_folder.h"

static void
put(struct gk_store *store, const char *value)
{
	gk_assert_ok(gk_store_put(store, gk_slice_str("group"), "t",
	                          gk_slice_str("key"), gk_slice_str(value)));
}

/* Aside: in slices, with as many turns of the loop. */
static void
leaves_the_disk(bool aside)
{
	char folder[GK_FOLDER_MAX];
	char path[GK_FOLDER_MAX + 8], wal[GK_FOLDER_MAX + 16];
	struct gk_store_config cfg = { .path = path,
		                       .app = GK_STORE_APP_GSAKMP,
		                       .version = 1 };
	struct gkd_loop *loop = gkd_loop_new();
	struct gkd_settle *settle;
	struct gk_store *store;
	char why[GK_STORE_WHY_MAX];

	assert_non_null(loop);
	assert_true(gk_folder_make(folder));
	snprintf(path, sizeof(path), "%s/store", folder);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	settle = gkd_settle_new(loop, store, 1);
	assert_non_null(settle);
	if (aside)
		assert_true(gkd_settle_aside(settle, loop));
	for (int round = 0; round < 3; round++) {
		put(store, "an-old-secret");
		put(store, "a-new-secret");
		assert_true(gk_file_has(wal, "an-old-secret"));
		/* Its timer is all that there is to wait for. */
		gk_assert_ok(gkd_loop_once(loop, true));
		/* What a settling of before ends with may take it from one
		 * file into the other; the next one is due at once. */
		while (aside && (gk_file_has(wal, "an-old-secret") ||
		                 gk_file_has(path, "an-old-secret")))
			gk_assert_ok(gkd_loop_once(loop, true));
		assert_false(gk_file_has(wal, "an-old-secret"));
		assert_false(gk_file_has(path, "an-old-secret"));
		assert_true(gk_file_has(path, "a-new-secret"));
	}
	gkd_settle_free(settle);
	gk_store_close(store);
	gkd_loop_free(loop);
	unlink(path);
	unlink(wal);
	rmdir(folder);
}

GK_TEST(settle, a_replaced_key_leaves_the_disk_by_itself)
{
	leaves_the_disk(false);
}

GK_TEST(settle, a_replaced_key_leaves_the_disk_in_slices)
{
	leaves_the_disk(true);
}

/* A commit says when there is something to fold; nobody waits for a minute. */
GK_TEST(settle, a_full_log_is_folded_as_soon_as_there_is_time)
{
	char folder[GK_FOLDER_MAX], path[GK_FOLDER_MAX + 8];
	struct gk_store_config cfg = { .path = path,
		                       .app = GK_STORE_APP_GSAKMP,
		                       .version = 1,
		                       .log_max = 100 };
	struct gkd_loop *loop = gkd_loop_new();
	struct gkd_settle *settle;
	struct gk_store *store;
	char why[GK_STORE_WHY_MAX];

	assert_non_null(loop);
	assert_true(gk_folder_make(folder));
	snprintf(path, sizeof(path), "%s/store", folder);
	gk_assert_ok(gk_store_open(&cfg, &store, why));
	settle = gkd_settle_new(loop, store, GKD_SETTLE_MS);
	assert_non_null(settle);
	assert_true(gkd_settle_aside(settle, loop));
	while (!gk_store_due(store))
		put(store, "value");
	gkd_settle_soon(settle);
	while (gk_store_due(store))
		gk_assert_ok(gkd_loop_once(loop, true));
	gkd_settle_free(settle);
	gk_store_close(store);
	gkd_loop_free(loop);
	unlink(path);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			settle__a_replaced_key_leaves_the_disk_by_itself),
		cmocka_unit_test(
			settle__a_replaced_key_leaves_the_disk_in_slices),
		cmocka_unit_test(
			settle__a_full_log_is_folded_as_soon_as_there_is_time),
	};

	return cmocka_run_group_tests_name("common/daemon", tests, NULL, NULL);
}
