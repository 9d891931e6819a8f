/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/store/gk_store_file.h"

static const char *const sql_text[GK_STORE_SQL_COUNT] = {
	[GK_STORE_BEGIN] = "BEGIN IMMEDIATE",
	[GK_STORE_COMMIT] = "COMMIT",
	[GK_STORE_ROLLBACK] = "ROLLBACK",
	[GK_STORE_PUT] = "INSERT OR REPLACE INTO row(scope, tab, key, value)"
			 " VALUES(?1, ?2, ?3, ?4)",
	[GK_STORE_DEL] = "DELETE FROM row"
			 " WHERE scope = ?1 AND tab = ?2 AND key = ?3",
	[GK_STORE_DROP] = "DELETE FROM row WHERE scope = ?1",
	[GK_STORE_GET] = "SELECT value FROM row"
			 " WHERE scope = ?1 AND tab = ?2 AND key = ?3",
	[GK_STORE_LOAD] = "SELECT key, value FROM row"
			  " WHERE scope = ?1 AND tab = ?2 ORDER BY key",
	[GK_STORE_SCOPES] = "SELECT DISTINCT scope FROM row ORDER BY scope",
	[GK_STORE_LOG_PUT] = "INSERT INTO log(seq, entry) VALUES(?1, ?2)",
	[GK_STORE_LOG_GET] = "SELECT entry FROM log WHERE seq = ?1",
	[GK_STORE_LOG_ALL] = "SELECT seq, entry FROM log"
			     " WHERE seq > ?1 ORDER BY seq",
	[GK_STORE_LOG_CLEAR] = "DELETE FROM log WHERE seq <= ?1",
	[GK_STORE_LOG_EMPTY] = "DELETE FROM log",
};

enum gk_err
gk_store_failed(struct gk_store *store, int rc)
{
	const char *what = sqlite3_errmsg(store->db);
	const char *kind = sqlite3_errstr(rc);
	bool more = strcmp(what, kind) != 0;

	snprintf(store->why, sizeof(store->why), "%s%s%s%s", what,
	         more ? " (" : "", more ? kind : "", more ? ")" : "");
	return gk_store_file_err(rc);
}

static enum gk_err
prepare(struct gk_store *store, int from, int to)
{
	for (int i = from; i < to; i++) {
		int rc =
			store->sql[i] != NULL
				? SQLITE_OK
				: sqlite3_prepare_v3(store->db, sql_text[i], -1,
		                                     SQLITE_PREPARE_PERSISTENT,
		                                     &store->sql[i], NULL);

		/* A file with our mark and without our table. */
		if (rc != SQLITE_OK) {
			gk_store_failed(store, rc);
			return GK_ERR_VALUE;
		}
	}
	return GK_OK;
}

enum gk_err
gk_store_prepare_log(struct gk_store *store)
{
	return prepare(store, GK_STORE_LOG_PUT, GK_STORE_SQL_COUNT);
}

enum gk_err
gk_store_open(const struct gk_store_config *cfg, struct gk_store **out,
              char *why)
{
	struct gk_store *store = calloc(1, sizeof(*store));
	enum gk_err err;

	*out = NULL;
	why[0] = '\0';
	if (store == NULL || pthread_mutex_init(&store->mutex, NULL) != 0) {
		free(store);
		snprintf(why, GK_STORE_WHY_MAX, "out of memory");
		return GK_ERR_NOMEM;
	}
	store->log_max = cfg->log_max;
	store->full = true;
	store->unsettled = true; /* by whoever had it before */
	err = gk_store_file_open(store, cfg);
	if (err == GK_OK)
		err = prepare(store, 0, GK_STORE_LOG_PUT);
	if (err == GK_OK)
		err = gk_store_log_open(store);
	if (err == GK_OK)
		err = gk_store_role_check(store, cfg);
	if (err != GK_OK) {
		memcpy(why, store->why, GK_STORE_WHY_MAX);
		gk_store_close(store);
		return err;
	}
	*out = store;
	return GK_OK;
}

const char *
gk_store_why(const struct gk_store *store)
{
	return store->why;
}

void
gk_store_fault_set(struct gk_store *store, uint32_t n, bool after)
{
	store->fault_at = n == 0 ? 0 : store->commits + n;
	store->fault_after = after;
}

/* Statements */

static int
bind_blob(sqlite3_stmt *stmt, int at, struct gk_slice s)
{
	/* A NULL pointer would bind NULL, not the empty string of octets. */
	if (s.len == 0)
		return sqlite3_bind_zeroblob(stmt, at, 0);
	return sqlite3_bind_blob64(stmt, at, s.ptr, s.len, SQLITE_STATIC);
}

static struct gk_slice
column(sqlite3_stmt *stmt, int at)
{
	const void *p = sqlite3_column_blob(stmt, at);

	return (struct gk_slice){ p, (size_t)sqlite3_column_bytes(stmt, at) };
}

static int
bind(sqlite3_stmt *stmt, struct gk_slice scope, const char *table,
     const struct gk_slice *key, const struct gk_slice *value)
{
	int rc = bind_blob(stmt, 1, scope);

	if (rc == SQLITE_OK && table != NULL)
		rc = sqlite3_bind_text(stmt, 2, table, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK && key != NULL)
		rc = bind_blob(stmt, 3, *key);
	if (rc == SQLITE_OK && value != NULL)
		rc = bind_blob(stmt, 4, *value);
	return rc;
}

static void
reset(sqlite3_stmt *stmt)
{
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt); /* the octets were not copied */
}

int
gk_store_finish(sqlite3_stmt *stmt, int rc)
{
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Transactions */

static void
fault_point(struct gk_store *store, bool after)
{
	if (store->fault_at == store->commits && store->fault_at != 0 &&
	    store->fault_after == after)
		_exit(137); /* what a shell reports for kill -9 */
}

int
gk_store_row_apply(struct gk_store *store, struct gk_slice scope,
                   const struct gk_change *c)
{
	sqlite3_stmt *stmt;
	int rc;

	switch (c->kind) {
	case GK_JOURNAL_PUT:
		stmt = store->sql[GK_STORE_PUT];
		rc = bind(stmt, scope, c->table, &c->key, &c->value);
		break;
	case GK_JOURNAL_DEL:
		stmt = store->sql[GK_STORE_DEL];
		rc = bind(stmt, scope, c->table, &c->key, NULL);
		break;
	case GK_JOURNAL_DROP:
	default:
		stmt = store->sql[GK_STORE_DROP];
		rc = bind(stmt, scope, NULL, NULL, NULL);
		break;
	}
	return gk_store_finish(stmt, rc);
}

/* Pages that a large commit has changed are better kept than written out and
 * read again before it ends; afterwards the memory is given back. */
#define LARGE 1000 /* changes */

static void
make_room(struct gk_store *store)
{
	(void)sqlite3_exec(store->db, "PRAGMA cache_size=-65536", NULL, NULL,
	                   NULL);
}

static void
give_room_back(struct gk_store *store)
{
	(void)sqlite3_exec(store->db, "PRAGMA cache_size=-2000", NULL, NULL,
	                   NULL);
	(void)sqlite3_db_release_memory(store->db);
}

/* A change and where it stands in its journal. */
struct turn {
	struct gk_change c;
	size_t i;
};

static int
in_turn(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;
	struct gk_slice p = x->c.key, q = y->c.key;
	int d = x->c.table == y->c.table ? 0 : strcmp(x->c.table, y->c.table);

	if (d == 0 && p.len != 0 && q.len != 0)
		d = memcmp(p.ptr, q.ptr, p.len < q.len ? p.len : q.len);
	if (d == 0)
		d = (p.len > q.len) - (p.len < q.len);
	if (d == 0)
		d = (x->i > y->i) - (x->i < y->i);
	return d;
}

/* As they were written; no change of one row passes another of the same row. */
static int
apply_all(struct gk_store *store, const struct gk_journal *journal,
          struct turn *turn, size_t count)
{
	int rc = SQLITE_OK;

	qsort(turn, count, sizeof(*turn), in_turn);
	for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
		rc = gk_store_row_apply(store, gk_journal_scope(journal),
		                        &turn[i].c);
	return rc;
}

/* The rows are sorted, as the file is: a page that has many of them is looked
 * up once, and not once for each. */
int
gk_store_rows_apply(struct gk_store *store, const struct gk_journal *journal)
{
	size_t count = journal == NULL ? 0 : gk_journal_count(journal), n = 0;
	struct turn *turn;
	int rc = SQLITE_OK;

	if (count == 0)
		return SQLITE_OK;
	turn = calloc(count, sizeof(*turn));
	if (turn == NULL)
		return SQLITE_NOMEM;
	for (size_t i = 0; rc == SQLITE_OK && i < count; i++) {
		turn[n] = (struct turn){ gk_journal_at(journal, i), i };
		if (turn[n++].c.kind != GK_JOURNAL_DROP)
			continue;
		/* What it drops was there before. */
		rc = apply_all(store, journal, turn, n - 1);
		if (rc == SQLITE_OK)
			rc = gk_store_row_apply(store,
			                        gk_journal_scope(journal),
			                        &turn[n - 1].c);
		n = 0;
	}
	if (rc == SQLITE_OK)
		rc = apply_all(store, journal, turn, n);
	free(turn);
	return rc;
}

int
gk_store_begin(struct gk_store *store, bool safe)
{
	int rc = SQLITE_OK;

	if (store->full != safe) {
		rc = sqlite3_exec(store->db,
		                  safe ? "PRAGMA synchronous=FULL"
		                       : "PRAGMA synchronous=NORMAL",
		                  NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			store->full = safe;
	}
	return rc == SQLITE_OK ? gk_store_finish(store->sql[GK_STORE_BEGIN], rc)
	                       : rc;
}

enum gk_err
gk_store_end(struct gk_store *store, int rc)
{
	enum gk_err err;

	if (rc == SQLITE_OK) {
		store->commits++;
		fault_point(store, false);
		rc = gk_store_finish(store->sql[GK_STORE_COMMIT], SQLITE_OK);
		if (rc == SQLITE_OK) {
			fault_point(store, true);
			return GK_OK;
		}
	}
	err = gk_store_failed(store, rc);
	/* Some errors have rolled back already; then this one is no news. */
	if (!sqlite3_get_autocommit(store->db))
		(void)gk_store_finish(store->sql[GK_STORE_ROLLBACK], SQLITE_OK);
	return err;
}

/* In the transaction of the first changes that an older program cannot read. */
static int
put_mark(struct gk_store *store)
{
	char sql[64];
	int rc = SQLITE_OK;

	if (!store->log.exists) {
		rc = sqlite3_exec(store->db, GK_STORE_LOG_SCHEMA, NULL, NULL,
		                  NULL);
		if (rc == SQLITE_OK && gk_store_prepare_log(store) != GK_OK)
			rc = sqlite3_errcode(store->db);
	}
	if (rc == SQLITE_OK)
		rc = gk_store_role_put(store);
	if (rc != SQLITE_OK || store->mark == 0)
		return rc;
	snprintf(sql, sizeof(sql), "PRAGMA user_version=%u", store->mark);
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL);
}

/* The log becomes rows. */
static enum gk_err
fold(struct gk_store *store)
{
	bool large = store->log.count >= LARGE;
	enum gk_err err;
	int rc;

	if (large)
		make_room(store);
	rc = gk_store_begin(store, true);
	if (rc == SQLITE_OK)
		rc = gk_store_fold_all(store);
	err = gk_store_end(store, rc);
	if (err == GK_OK)
		gk_store_log_emptied(store);
	if (large)
		give_room_back(store);
	return err;
}

/* What a large commit changes goes into the rows at once, behind what the log
 * has for them. */
static enum gk_err
apply_rows(struct gk_store *store, const struct gk_journal *const *journals,
           size_t count)
{
	enum gk_err err;
	int rc;

	make_room(store);
	rc = gk_store_begin(store, true);
	if (rc == SQLITE_OK)
		rc = put_mark(store);
	if (rc == SQLITE_OK)
		rc = gk_store_fold_all(store);
	for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
		rc = gk_store_rows_apply(store, journals[i]);
	err = gk_store_end(store, rc);
	if (err == GK_OK)
		gk_store_log_emptied(store);
	give_room_back(store);
	return err;
}

static enum gk_err
apply_entry(struct gk_store *store, const struct gk_journal *const *journals,
            size_t count)
{
	enum gk_err err;
	int rc = gk_store_begin(store, true);

	if (rc == SQLITE_OK)
		rc = put_mark(store);
	if (rc == SQLITE_OK)
		rc = gk_store_log_append(store, journals, count);
	err = gk_store_end(store, rc);
	if (err == GK_OK)
		gk_store_log_noted(store, journals, count);
	return err;
}

static bool
is_folded(const struct gk_store *store)
{
	return store->log.known && store->log.octets == 0;
}

/* The changes of the last commit are safe.  Where there is no room to fold, there
 * may be later. */
static void
fold_in_time(struct gk_store *store)
{
	if (!gk_store_log_due(store) && !gk_store_log_overdue(store))
		return;
	if (!store->aside || gk_store_log_overdue(store)) {
		if (fold(store) != GK_OK)
			gk_store_log_put_off(store);
	} else {
		gk_store_log_folding(store);
	}
}

#define WAL_MOST 65536 /* pages, of which nobody takes care */

enum gk_err
gk_store_apply_many(struct gk_store *store,
                    const struct gk_journal *const *journals, size_t count)
{
	size_t changes = 0;
	enum gk_err err;

	for (size_t i = 0; i < count; i++)
		changes +=
			journals[i] == NULL ? 0 : gk_journal_count(journals[i]);
	if (changes == 0)
		return GK_OK;
	pthread_mutex_lock(&store->mutex);
	if (store->wal >= WAL_MOST) /* it is tried again with the next one */
		err = gk_store_checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
	if (gk_store_log_takes(store, journals, count))
		err = apply_entry(store, journals, count);
	else
		err = apply_rows(store, journals, count);
	if (err == GK_OK) {
		store->mark = 0;
		store->role = NULL;
		store->log.exists = true;
		store->unsettled = true;
		fold_in_time(store);
	}
	gk_store_look(store);
	pthread_mutex_unlock(&store->mutex);
	return err;
}

enum gk_err
gk_store_fold(struct gk_store *store)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&store->mutex);
	if (!is_folded(store))
		err = fold(store);
	gk_store_look(store);
	pthread_mutex_unlock(&store->mutex);
	return err;
}

enum gk_err
gk_store_settle(struct gk_store *store)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&store->mutex);
	if (store->unsettled && store->aside) {
		store->settling = true;
		store->settle_seq = store->log.seq;
	} else if (store->unsettled) {
		if (!is_folded(store))
			err = fold(store);
		/* With the last frames it is cut to nothing. */
		if (err == GK_OK)
			err = gk_store_checkpoint(store,
			                          SQLITE_CHECKPOINT_TRUNCATE);
		store->unsettled = err != GK_OK;
	}
	gk_store_look(store);
	pthread_mutex_unlock(&store->mutex);
	return err;
}

void
gk_store_close(struct gk_store *store)
{
	if (store == NULL)
		return;
	/* Where that does not go, the log is there the next time, too. */
	if (store->log.octets != 0)
		(void)fold(store);
	gk_store_fold_stop(store);
	for (int i = 0; i < GK_STORE_SQL_COUNT; i++)
		sqlite3_finalize(store->sql[i]);
	sqlite3_close(store->db);
	gk_store_log_free(&store->log);
	pthread_mutex_destroy(&store->mutex);
	free(store);
}

enum gk_err
gk_store_apply(struct gk_store *store, const struct gk_journal *journal)
{
	return gk_store_apply_many(store, &journal, 1);
}

enum gk_err
gk_store_put(struct gk_store *store, struct gk_slice scope, const char *table,
             struct gk_slice key, struct gk_slice value)
{
	struct gk_journal *journal;
	enum gk_err err;

	GK_TRY(gk_journal_new(scope, &journal));
	err = gk_journal_put(journal, table, key, value);
	if (err == GK_OK)
		err = gk_store_apply(store, journal);
	gk_journal_free(journal);
	return err;
}

/* Reading */

static enum gk_err
get_row(struct gk_store *store, struct gk_slice scope, const char *table,
        struct gk_slice key, struct gk_buf *value)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_GET];
	enum gk_err err;
	int rc;

	rc = bind(stmt, scope, table, &key, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		err = gk_buf_copy(value, column(stmt, 0));
	else
		err = rc == SQLITE_DONE ? GK_ERR_UNEXPECTED
		                        : gk_store_failed(store, rc);
	reset(stmt);
	return err;
}

enum gk_err
gk_store_get(struct gk_store *store, struct gk_slice scope, const char *table,
             struct gk_slice key, struct gk_buf *value)
{
	bool found, there;
	enum gk_err err;

	*value = (struct gk_buf){ 0 };
	pthread_mutex_lock(&store->mutex);
	err = gk_store_log_get(store, scope, table, key, &found, &there, value);
	if (err == GK_OK && !found)
		err = get_row(store, scope, table, key, value);
	else if (err == GK_OK && !there)
		err = GK_ERR_UNEXPECTED;
	pthread_mutex_unlock(&store->mutex);
	return err;
}

static enum gk_err
read_rows(struct gk_store *store, sqlite3_stmt *stmt, int rc, const char *table,
          const struct gk_store_reader *reader)
{
	enum gk_err err = GK_OK;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	while (rc == SQLITE_ROW && err == GK_OK) {
		struct gk_slice key = column(stmt, 0), value = { NULL, 0 };

		if (sqlite3_column_count(stmt) > 1)
			value = column(stmt, 1);
		err = reader->row(reader->ctx, table, key, value);
		if (err == GK_OK)
			rc = sqlite3_step(stmt);
	}
	if (err == GK_OK && rc != SQLITE_DONE)
		err = gk_store_failed(store, rc);
	reset(stmt);
	return err;
}

static enum gk_err
read_all(struct gk_store *store, enum gk_store_sql which,
         const struct gk_slice *scope, const char *table,
         const struct gk_store_reader *reader)
{
	sqlite3_stmt *stmt = store->sql[which];
	int rc = SQLITE_OK;

	if (scope != NULL)
		rc = bind(stmt, *scope, table, NULL, NULL);
	return read_rows(store, stmt, rc, table, reader);
}

/* Without room on the disk the log cannot become rows; but to read them it is
 * enough that it does so in a transaction that is taken back, all in memory. */
static enum gk_err
read_aside(struct gk_store *store, enum gk_store_sql which,
           const struct gk_slice *scope, const char *table,
           const struct gk_store_reader *reader)
{
	enum gk_err err;
	int rc;

	(void)sqlite3_exec(store->db, "PRAGMA cache_spill=OFF", NULL, NULL,
	                   NULL);
	rc = gk_store_begin(store, true);
	if (rc == SQLITE_OK)
		rc = gk_store_fold_all(store);
	err = rc == SQLITE_OK ? read_all(store, which, scope, table, reader)
	                      : gk_store_failed(store, rc);
	if (!sqlite3_get_autocommit(store->db))
		(void)gk_store_finish(store->sql[GK_STORE_ROLLBACK], SQLITE_OK);
	(void)sqlite3_exec(store->db, "PRAGMA cache_spill=ON", NULL, NULL,
	                   NULL);
	give_room_back(store);
	return err;
}

static enum gk_err
load(struct gk_store *store, enum gk_store_sql which,
     const struct gk_slice *scope, const char *table,
     const struct gk_store_reader *reader)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&store->mutex);
	if (!is_folded(store))
		err = fold(store);
	if (err == GK_OK)
		err = read_all(store, which, scope, table, reader);
	else if (err == GK_ERR_IO)
		err = read_aside(store, which, scope, table, reader);
	pthread_mutex_unlock(&store->mutex);
	return err;
}

enum gk_err
gk_store_load(struct gk_store *store, struct gk_slice scope, const char *table,
              const struct gk_store_reader *reader)
{
	return load(store, GK_STORE_LOAD, &scope, table, reader);
}

enum gk_err
gk_store_scopes(struct gk_store *store, const struct gk_store_reader *reader)
{
	return load(store, GK_STORE_SCOPES, NULL, "", reader);
}

enum gk_err
gk_store_get_own(struct gk_store *store, const char *before, const char *table,
                 struct gk_slice key, struct gk_buf *value, bool *moved)
{
	enum gk_err err =
		gk_store_get(store, gk_store_own(), table, key, value);

	*moved = false;
	if (err != GK_ERR_UNEXPECTED)
		return err;
	err = gk_store_get(store, gk_slice_str(before), table, key, value);
	*moved = err == GK_OK;
	return err;
}
