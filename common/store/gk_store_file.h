/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_FILE_H
#define GK_STORE_FILE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "common/group/gk_journal.h"
#include "common/store/gk_store.h"
#include "common/store/gk_store_fold.h"
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
	GK_STORE_LOG_EMPTY,
	GK_STORE_SQL_COUNT
};

struct gk_store {
	pthread_mutex_t mutex;
	sqlite3 *db;
	sqlite3_stmt *sql[GK_STORE_SQL_COUNT];
	char why[GK_STORE_WHY_MAX];
	uint32_t mark;     /* the version to be put down; 0: it is there */
	const char *role;  /* to be put down; NULL: it is there */
	uint32_t commits;  /* since the store was opened */
	uint32_t fault_at; /* this commit ends the process; 0: none */
	bool fault_after;
	bool unsettled; /* something was committed since gk_store_settle() */
	struct gk_store_log log;
	/* gk_store_aside(): */
	bool aside;
	atomic_bool due; /* gk_store_due() */
	struct gk_store_fold fold;
	bool settling; /* what there was up to settle_seq, if that is not */
	uint32_t settle_seq; /* 0, is still to be folded; the rest comes then */
	uint32_t wal;        /* pages in the write-ahead log */
	bool full;      /* a commit waits for the disk; else it is a slice */
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
/* gk_store_file_keep - the write-ahead log keeps its room when it begins at its
 * front again, with what is still in it: to write over that is half of what it
 * costs to let a file grow.  @keep false: it is cut, as from the start. */
void gk_store_file_keep(struct gk_store *store, bool keep);
/* gk_store_file_octets - how large it is; 0 when that cannot be told. */
uint64_t gk_store_file_octets(struct gk_store *store);

/* ---- gk_store_role.c ----------------------------------------------------- */
/* gk_store_role_check - is it the store of this program?  With the log open. */
GK_MUST_CHECK enum gk_err gk_store_role_check(
	struct gk_store *store, const struct gk_store_config *cfg);
/* gk_store_role_differs - it says that it is another's, in whatever version it is;
 * that is left at @store->why. */
bool gk_store_role_differs(struct gk_store *store,
                           const struct gk_store_config *cfg);
/* gk_store_role_put - @store->role into its row, within a transaction; a result of
 * SQLite. */
int gk_store_role_put(struct gk_store *store);

/* ---- gk_store.c ---------------------------------------------------------- */
/* gk_store_failed - the last error of the database as one of ours, with the
 * reason left at @store->why. */
enum gk_err gk_store_failed(struct gk_store *store, int rc);
/* gk_store_result - an error of ours as one of the database. */
int gk_store_result(enum gk_err err);
/* gk_store_finish - run a statement that has no rows, unless @rc is an error;
 * a result of SQLite. */
int gk_store_finish(sqlite3_stmt *stmt, int rc);
/* gk_store_rows_apply - all changes of a journal into the rows, within a
 * transaction; a result of SQLite. */
int gk_store_rows_apply(struct gk_store *store,
                        const struct gk_journal *journal);
/* gk_store_row_apply - one of them. */
int gk_store_row_apply(struct gk_store *store, struct gk_slice scope,
                       const struct gk_change *c);
/* gk_store_prepare_log - the statements that need the table log. */
GK_MUST_CHECK enum gk_err gk_store_prepare_log(struct gk_store *store);

/*
 * gk_store_begin - a transaction, which is on the disk when gk_store_end() returns
 * (@safe), or is a slice of a fold, and may be there later.  A result of SQLite;
 * whatever it was is for gk_store_end(), which commits, or takes back what there is.
 */
int gk_store_begin(struct gk_store *store, bool safe);
GK_MUST_CHECK enum gk_err gk_store_end(struct gk_store *store, int rc);
/* gk_store_checkpoint - the write-ahead log into its place, @mode as in SQLite. */
GK_MUST_CHECK enum gk_err gk_store_checkpoint(struct gk_store *store, int mode);
/* gk_store_look - what is due? */
void gk_store_look(struct gk_store *store);

/* gk_store_file_err - which kind of error an SQLite result is. */
enum gk_err gk_store_file_err(int rc);

#endif /* GK_STORE_FILE_H */
