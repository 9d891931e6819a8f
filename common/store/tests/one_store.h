/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_STORE_TESTS_ONE_STORE_H
#define COMMON_STORE_TESTS_ONE_STORE_H

#include "common/test/gk_test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/store/gk_store.h"
#include "common/test/gk_folder.h"

/* DOC: a store in a folder of its own, for each test anew */
#define SOME __attribute__((unused))

static char folder[GK_FOLDER_MAX], path[128];
static SOME char why[GK_STORE_WHY_MAX];
static const struct gk_slice SOME scope = { (const uint8_t *)"group", 5 };

static int
setup(void **state)
{
	(void)state;
	if (!gk_folder_make(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/store", folder);
	return 0;
}

/* Whatever was made there: files, or a folder. */
static SOME void
remove_store(void)
{
	static const char *const names[] = { "store", "store-wal", "store-shm",
		                             "store-journal", "small" };
	char name[160];

	for (size_t i = 0; i < GK_COUNT(names); i++) {
		snprintf(name, sizeof(name), "%s/%s", folder, names[i]);
		if (unlink(name) != 0)
			rmdir(name);
	}
}

static int
teardown(void **state)
{
	(void)state;
	remove_store();
	return rmdir(folder);
}

static SOME struct gk_store_config
config(void)
{
	return (struct gk_store_config){ .path = path,
		                         .app = GK_STORE_APP_GSAKMP,
		                         .version = 1 };
}

static SOME struct gk_store *
open_store(void)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	if (gk_store_open(&cfg, &store, why) != GK_OK)
		fail_msg("%s", why);
	return store;
}

/* open_logged - with a log of this size at most (see gk_store.h); also in a process that is
 * about to be killed, where no test can fail. */
static SOME struct gk_store *
open_logged(size_t log_max)
{
	struct gk_store_config cfg = config();
	struct gk_store *store;

	cfg.log_max = log_max;
	if (gk_store_open(&cfg, &store, why) != GK_OK) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return store;
}

/* What somebody does to the file of a store that is closed. */
static SOME void
sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* The number that a statement finds in the file of a store that is closed; -1: none. */
static SOME int
in_file(const char *query)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL),
	                 SQLITE_OK);
	n = sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : -1;
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

#define STORE_RUN(behaviour)                                               \
	{                                                                  \
		"store__" #behaviour, store__##behaviour, setup, teardown, \
			NULL                                               \
	}

#endif /* COMMON_STORE_TESTS_ONE_STORE_H */
