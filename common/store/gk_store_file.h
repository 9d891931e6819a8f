/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_FILE_H
#define GK_STORE_FILE_H

#include <pthread.h>
#include <sqlite3.h>

#include "common/store/gk_store.h"

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
};

/* gk_store_file_open - @store->db, checked and locked, or a reason at
 * @store->why. */
GK_MUST_CHECK enum gk_err gk_store_file_open(struct gk_store *store,
                                             const struct gk_store_config *cfg);

/* gk_store_file_err - which kind of error an SQLite result is. */
enum gk_err gk_store_file_err(int rc);

#endif /* GK_STORE_FILE_H */
