/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_FILE_H
#define GK_STORE_FILE_H

#include <pthread.h>
#include <sqlite3.h>

#include "common/store/gk_store.h"
#include "common/store/gk_store_log.h"

/* DOC: inside of the store; for the files of this room only */

enum gk_store_sql {
	GK_STORE_BEGIN,
	GK_STORE_COMMIT,
	GK_STORE_ROLLBACK,
	GK_STORE_PUT,
	GK_STORE_DEL,
	GK_STORE_DROP,
	GK_STORE_GET,
	GK_STORE_LOAD,
	GK_STORE_SCOPES,
	GK_STORE_LOG_PUT, /* from here on: once there is a table log */
	GK_STORE_LOG_GET,
	GK_STORE_LOG_ALL,
	GK_STORE_LOG_CLEAR,
	GK_STORE_SQL_COUNT
};

struct gk_store {
	pthread_mutex_t mutex;
	sqlite3 *db;
	sqlite3_stmt *sql[GK_STORE_SQL_COUNT];
	char why[GK_STORE_WHY_MAX];
	uint32_t mark;     /* the version to be put down; 0: it is there */
	uint32_t commits;  /* since the store was opened */
	uint32_t fault_at; /* this commit ends the process; 0: none */
	bool fault_after;
	bool unsettled; /* something was committed since gk_store_settle() */
	struct gk_store_log log;
	size_t log_max; /* octets; 0: what the store thinks best */
};

#define GK_STORE_LOG_SCHEMA                         \
	"CREATE TABLE log(seq INTEGER PRIMARY KEY," \
	" entry BLOB NOT NULL);"

/* gk_store_file_open - @store->db, checked and locked, or a reason at
 * @store->why. */
GK_MUST_CHECK enum gk_err gk_store_file_open(struct gk_store *store,
                                             const struct gk_store_config *cfg);

/* gk_store_file_has_log - since when it has one, see gk_store_log.h. */
GK_MUST_CHECK enum gk_err gk_store_file_has_log(struct gk_store *store,
                                                bool *has);
/* gk_store_file_octets - how large it is; 0 when that cannot be told. */
uint64_t gk_store_file_octets(struct gk_store *store);

/* ---- gk_store.c ---------------------------------------------------------- */
/* gk_store_failed - the last error of the database as one of ours, with the
 * reason left at @store->why. */
enum gk_err gk_store_failed(struct gk_store *store, int rc);
/* gk_store_finish - run a statement that has no rows, unless @rc is an error;
 * a result of SQLite. */
int gk_store_finish(sqlite3_stmt *stmt, int rc);
/* gk_store_rows_apply - all changes of a journal into the rows, within a
 * transaction; a result of SQLite. */
int gk_store_rows_apply(struct gk_store *store,
                        const struct gk_journal *journal);
/* gk_store_prepare_log - the statements that need the table log. */
GK_MUST_CHECK enum gk_err gk_store_prepare_log(struct gk_store *store);

/* gk_store_file_err - which kind of error an SQLite result is. */
enum gk_err gk_store_file_err(int rc);

#endif /* GK_STORE_FILE_H */
