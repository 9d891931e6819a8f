/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_LOG_H
#define GK_STORE_LOG_H

#include "common/base/gk_base.h"
#include "common/wire/gk_rd.h"

/*
 * DOC: log - commits that are not in their rows yet; inside of the store
 *
 * A rekey changes a handful of rows in as many places of the file, and does so
 * again a moment later.  So a commit is one entry at the end of the table log (a
 * large one several, in one transaction), and what it changed is found through an
 * index in memory.  Now and then entries are folded into the rows, the newest
 * change of each row only, and leave the log: gk_store_fold.h.
 *
 * An entry is a sequence of changes, each
 *
 *     kind (8 bits), table (8 bits of length), key (16), value (32, PUT only)
 *
 * and kind SCOPE, with 16 bits of length, in front of those of another scope.
 */
#define GK_STORE_LOG_SCOPE 0xff
#define GK_STORE_LOG_SCOPES 1024 /* that its rows may be of, and of tables */
#define GK_STORE_LOG_TABLES 255

/* One row that an entry of the log has changed; the key follows. */
struct gk_store_log_row {
	uint32_t hash;
	uint32_t seq; /* the last entry that did */
	uint16_t scope, key_len;
	uint8_t table;
	uint8_t key[];
};

struct gk_store_log {
	bool exists;   /* the table does */
	bool known;    /* what is below is true; else it has to be read first */
	uint32_t seq;  /* of the last entry */
	size_t octets; /* in all entries */
	size_t full, rows_full; /* octets, rows, from which on it is folded */
	bool folding;           /* and it may grow to: */
	size_t burst, rows_burst;
	struct gk_buf entry; /* being written; kept for the next one */
	/* The index: rows lie one behind the other, a slot is 1 + the place of
	 * one in units of 4 octets. */
	uint8_t *rows;
	size_t rows_used, rows_cap;
	uint32_t *slots;
	size_t count, slot_cap;
	/* Names that its rows are numbered by. */
	struct gk_buf *scopes;
	size_t scope_count;
	char **tables;
	size_t table_count;
};

/* ---- gk_store_index.c ---------------------------------------------------- */
/* The number of a scope, or of a table; false: no row has it. */
bool gk_store_index_scope(const struct gk_store_log *log, struct gk_slice scope,
                          uint16_t *number);
bool gk_store_index_table(const struct gk_store_log *log, struct gk_slice table,
                          uint8_t *number);
GK_MUST_CHECK enum gk_err gk_store_index_scope_add(struct gk_store_log *log,
                                                   struct gk_slice scope,
                                                   uint16_t *number);
/* gk_store_index_note - entry @seq has the newest change of this row. */
GK_MUST_CHECK enum gk_err gk_store_index_note(struct gk_store_log *log,
                                              uint16_t scope,
                                              struct gk_slice table,
                                              struct gk_slice key,
                                              uint32_t seq);
/* gk_store_index_find - where the row is, for gk_store_index_row(), until some
 * are forgotten; 0: it is not there. */
uint32_t gk_store_index_find(const struct gk_store_log *log, uint16_t scope,
                             uint8_t table, struct gk_slice key);
const struct gk_store_log_row *gk_store_index_row(
	const struct gk_store_log *log, uint32_t place);
/* gk_store_index_forget - rows whose newest change is in no later entry than
 * @seq. */
void gk_store_index_forget(struct gk_store_log *log, uint32_t seq);
/* gk_store_index_clear - as after an entry was never written. */
void gk_store_index_clear(struct gk_store_log *log);

/* ---- gk_store_log.c ------------------------------------------------------ */
struct gk_store;
struct gk_journal;

/* gk_store_log_open - does the file have one, and what is in it? */
GK_MUST_CHECK enum gk_err gk_store_log_open(struct gk_store *store);
void gk_store_log_free(struct gk_store_log *log);

/* gk_store_log_takes - these journals may become entries; else their changes go
 * into the rows at once. */
bool gk_store_log_takes(const struct gk_store *store,
                        const struct gk_journal *const *journals, size_t count);

/*
 * Steps of a transaction; each gives a result of SQLite.  After the commit
 * gk_store_log_noted() has the index know the entries, gk_store_log_emptied() that
 * all were folded.
 */
int gk_store_log_append(struct gk_store *store,
                        const struct gk_journal *const *journals, size_t count);
void gk_store_log_noted(struct gk_store *store,
                        const struct gk_journal *const *journals, size_t count);
void gk_store_log_emptied(struct gk_store *store);

/* gk_store_log_limits - by the size of the file, and by who folds it. */
void gk_store_log_limits(struct gk_store *store);
/* gk_store_log_due - it is as large as it should become. */
bool gk_store_log_due(const struct gk_store *store);
/* gk_store_log_folding - somebody is about to fold it; meanwhile it may grow, until
 * it is gk_store_log_overdue(). */
void gk_store_log_folding(struct gk_store *store);
bool gk_store_log_overdue(const struct gk_store *store);
/* gk_store_log_put_off - folding failed: not again at once. */
void gk_store_log_put_off(struct gk_store *store);
/* gk_store_log_folded - the changes of entries up to @seq, with so many @octets. */
void gk_store_log_folded(struct gk_store *store, uint32_t seq, size_t octets);
/* gk_store_log_learn - the index, when it is not known; a result of SQLite. */
int gk_store_log_learn(struct gk_store *store);

/* One change out of an entry, which is at @rd. */
struct gk_store_change {
	struct gk_rd rd;
	struct gk_slice scope, table, key, value;
	uint8_t kind; /* enum gk_journal_kind */
};

/* gk_store_log_next - false: the entry ends here, or is damaged (gk_rd_done()). */
bool gk_store_log_next(struct gk_store_change *c);

/* What gk_store_log_walk() calls for each entry; anything but SQLITE_OK ends it and
 * is returned (SQLITE_DONE as SQLITE_OK). */
struct gk_store_walk {
	int (*entry)(struct gk_store *store, uint32_t seq,
	             struct gk_store_change *c, void *ctx);
	void *ctx;
};

/* gk_store_log_walk - all entries behind number @after. */
int gk_store_log_walk(struct gk_store *store, uint32_t after,
                      const struct gk_store_walk *walk);

/* gk_store_log_get - the value that the log has for a row; *@found is false
 * when it has none, *@there when the row was deleted. */
GK_MUST_CHECK enum gk_err gk_store_log_get(struct gk_store *store,
                                           struct gk_slice scope,
                                           const char *table,
                                           struct gk_slice key, bool *found,
                                           bool *there, struct gk_buf *value);

#endif /* GK_STORE_LOG_H */
