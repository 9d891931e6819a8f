/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_STORE_FOLD_H
#define GK_STORE_FOLD_H

#include "common/base/gk_base.h"

/*
 * DOC: fold - entries of the log become rows; inside of the store
 *
 * Four things, one after the other: entries are read, and the newest change of each
 * row kept, in runs that are sorted as the file is; the runs are merged into the
 * rows; the index forgets what the rows have now; the entries are deleted, the
 * first one first.
 *
 * Either all in one transaction, or in slices of some rows, each with one of its
 * own, and commits between them.  Whoever is killed between two slices finds a log
 * that still has, for each row, either its newest change or none at all: so it says
 * what it said before.  A row that a commit changes meanwhile is left to the next
 * fold.
 *
 * Slices need not be on the disk when they end.  Their pages lie in the write-ahead
 * log in front of those of the next commit, which waits for all of them; without
 * that, what they changed is still in the log.
 */
#define GK_STORE_FOLD_ROWS 192 /* in a slice */
/* In a slice that reads; and of values that wait in memory. */
#define GK_STORE_FOLD_CHANGES 2048
#define GK_STORE_FOLD_OCTETS ((size_t)256 << 10)
#define GK_STORE_FOLD_HELD ((size_t)64 << 20)

struct gk_store;
struct gk_store_run;

enum gk_store_fold_step {
	GK_STORE_FOLD_OFF,
	GK_STORE_FOLD_READ,
	GK_STORE_FOLD_MERGE,
	GK_STORE_FOLD_DELETE,
};

struct gk_store_fold {
	enum gk_store_fold_step step;
	uint32_t first, end; /* entries that it is about */
	uint32_t read, gone; /* up to here they were read, are deleted */
	size_t octets, held; /* of entries that were read; of kept values */
	size_t counted; /* octets that the log had, as it said, up to end */
	struct gk_store_run *runs;
	size_t run_count, run_cap;
	/* Runs that are not at their end, a heap by the row that is next. */
	uint32_t *heap;
	size_t heap_count;
};

/* gk_store_fold_stop - as if it had not begun. */
void gk_store_fold_stop(struct gk_store *store);
/* gk_store_fold_all - within a transaction; a result of SQLite.  After the commit:
 * gk_store_log_emptied(). */
int gk_store_fold_all(struct gk_store *store);

#endif /* GK_STORE_FOLD_H */
