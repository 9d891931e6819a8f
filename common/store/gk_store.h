/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_H
#define GK_STORE_H

#include "common/group/gk_journal.h"

/*
 * DOC: store - what survives the process
 *
 * One SQLite file per daemon, in WAL mode with synchronous=FULL: when
 * gk_store_apply() returns GK_OK, all changes of the journal are on the disk;
 * when it returns an error, or the machine stops halfway, none of them is.
 *
 * The file holds key material in clear.  It is created with mode 0600, opened
 * with an exclusive lock, and deleted rows are overwritten (secure_delete);
 * what else it needs - an encrypted disk, backups that are treated as keys -
 * is the operator's.
 *
 * A commit is one entry of a log within the file (gk_store_log.h); the rows that
 * it changes are written later, many commits together.  Old values stay there
 * until then, and in the write-ahead log until it is next rewound and, with
 * gk_store_aside(), written over; in both, at the latest until gk_store_settle()
 * or the end.  A disk that is full keeps nobody
 * from reading.  A store may be used from several
 * threads; calls are serialised inside.
 */
#define GK_STORE_APP_GSAKMP 0x47534b4dU /* "GSKM", in SQLite's application_id */
#define GK_STORE_APP_GDOI 0x47444f49U   /* "GDOI" */
#define GK_STORE_APP_OWNER 0x4d53474fU  /* "MSGO" */

#define GK_STORE_WHY_MAX 256

struct gk_store;

/*
 * Which of the programs that have their rows under one @app: a word in the store,
 * and the store of another is refused.  One that was made before there was this
 * word gets it with the first change, unless it has rows of @other_tables and
 * none of @tables: then it is @other's.  Lists end with NULL; NULL is an empty one.
 */
struct gk_store_role {
	const char *name; /* of the program */
	const char *const *tables;
	const char *other;
	const char *const *other_tables;
};

struct gk_store_config {
	const char *path;
	uint32_t app;                     /* one of the above */
	const struct gk_store_role *role; /* NULL: there is one; static */
	uint32_t version; /* schema version of the caller's rows, from 1 */
	/* The oldest version that the caller can read, too; 0: none but
	 * @version.  Such a store gets the new mark with the first change, so
	 * that whoever wrote it can go back to it until then. */
	uint32_t oldest;
	uint32_t lock_ms; /* how long to wait for another process; 0 = not */
	size_t log_max;   /* octets of changes that may wait to be put into
	                   * their places; 0: by the size of the store */
};

/*
 * gk_store_open - open, or create, the store.
 *
 * On error a sentence for the operator is left at @why (GK_STORE_WHY_MAX
 * octets, NUL-terminated).  GK_ERR_UNEXPECTED: in use by another process.
 * GK_ERR_VALUE: not a store of this application or role, or of a version that
 * cannot be read, or damaged.  GK_ERR_IO: the system refused.
 */
GK_MUST_CHECK enum gk_err gk_store_open(const struct gk_store_config *cfg,
                                        struct gk_store **store, char *why);
void gk_store_close(struct gk_store *store); /* NULL is fine */

/* gk_store_apply - all changes of @journal, or none, durably. GK_ERR_IO when the
 * disk is full or broken; gk_store_why() then has the reason. */
GK_MUST_CHECK enum gk_err gk_store_apply(struct gk_store *store,
                                         const struct gk_journal *journal);
/* gk_store_apply_many - the same for several journals in one transaction; NULL
 * entries are skipped. */
GK_MUST_CHECK enum gk_err gk_store_apply_many(
	struct gk_store *store, const struct gk_journal *const *journals,
	size_t count);

/* gk_store_fold - what the log has goes into its place.  The store does that
 * itself, when the log is full, when rows are loaded and when it is closed. */
GK_MUST_CHECK enum gk_err gk_store_fold(struct gk_store *store);
/* gk_store_settle - and nothing is left of what was replaced, in the write-ahead
 * log neither: for a quiet moment, every now and then.  With gk_store_aside() it is
 * only begun. */
GK_MUST_CHECK enum gk_err gk_store_settle(struct gk_store *store);

/*
 * gk_store_aside - @aside: from now on a commit does not wait for a full log to be
 * folded.  Instead somebody calls gk_store_work() as long as gk_store_due() says so;
 * each call is a slice of some milliseconds, and commits go between them.  Then a
 * large commit is an entry of the log, too.
 *
 * If that does not come, or not fast enough, a commit folds the log after all: when
 * it has grown by twice what is a full one, since that was due.
 */
void gk_store_aside(struct gk_store *store, bool aside);
bool gk_store_due(const struct gk_store *store);
GK_MUST_CHECK enum gk_err gk_store_work(struct gk_store *store);

/* What gk_store_load() calls for each row; an error ends the load and is
 * returned.  The slices are valid during the call. */
struct gk_store_reader {
	enum gk_err (*row)(void *ctx, const char *table, struct gk_slice key,
	                   struct gk_slice value);
	void *ctx;
};

/* gk_store_load - all rows of @table in @scope, in order of their keys. The
 * reader must not call the store. */
GK_MUST_CHECK enum gk_err gk_store_load(struct gk_store *store,
                                        struct gk_slice scope,
                                        const char *table,
                                        const struct gk_store_reader *reader);
/* gk_store_scopes - every scope that has rows; @table at the reader is "" and
 * the scope comes as key. */
GK_MUST_CHECK enum gk_err gk_store_scopes(struct gk_store *store,
                                          const struct gk_store_reader *reader);

/* One row; get gives GK_ERR_UNEXPECTED when there is none, and the caller frees
 * @value.  put is one transaction of its own. */
GK_MUST_CHECK enum gk_err gk_store_get(struct gk_store *store,
                                       struct gk_slice scope, const char *table,
                                       struct gk_slice key,
                                       struct gk_buf *value);
GK_MUST_CHECK enum gk_err gk_store_put(struct gk_store *store,
                                       struct gk_slice scope, const char *table,
                                       struct gk_slice key,
                                       struct gk_slice value);

/* gk_store_own - the scope of what is the daemon's own and no group's, and is not
 * dropped with one: the name of a group has an octet. */
static inline struct gk_slice
gk_store_own(void)
{
	return (struct gk_slice){ 0 };
}
/* gk_store_get_own - a row of that scope; or, where there is none yet, as a version
 * of before has left it in the scope @before: then *@moved, and the caller stores it
 * again, where nobody's group can have it. */
GK_MUST_CHECK enum gk_err gk_store_get_own(struct gk_store *store,
                                           const char *before,
                                           const char *table,
                                           struct gk_slice key,
                                           struct gk_buf *value, bool *moved);

/* gk_store_why - the last error of this store in words; never NULL. */
const char *gk_store_why(const struct gk_store *store);

/*
 * A crash point for tests: the process ends with _exit(137) in the @nth commit
 * from now, before it reaches the disk, or right after it did; 0 takes it back.
 * Folding the log is a commit, too.
 * Programs are killed from outside, see common/test/fault.
 */
void gk_store_fault_set(struct gk_store *store, uint32_t n, bool after);

#endif /* GK_STORE_H */
