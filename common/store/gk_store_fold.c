/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store_fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/store/gk_store_file.h"

/* A kept change.  Its row is the index's; the pointer is for sorting only. */
struct item {
	const struct gk_store_log_row *row;
	uint32_t place, seq;
	uint32_t at, len; /* of its value, among the octets of its run */
	uint32_t order;   /* as it came */
	uint8_t kind;
};

struct gk_store_run {
	struct item *items;
	size_t count, cap, next;
	struct gk_buf octets; /* all values */
	size_t used;
};

/* ---- runs ---------------------------------------------------------------- */

static void
run_free(struct gk_store_run *run)
{
	free(run->items);
	gk_buf_free(&run->octets);
	*run = (struct gk_store_run){ 0 };
}

void
gk_store_fold_stop(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;

	for (size_t i = 0; i < f->run_count; i++)
		run_free(&f->runs[i]);
	free(f->runs);
	free(f->heap);
	*f = (struct gk_store_fold){ .step = GK_STORE_FOLD_OFF };
}

static enum gk_err
run_new(struct gk_store_fold *f, struct gk_store_run **run)
{
	size_t cap = f->run_cap == 0 ? 8 : f->run_cap * 2;
	struct gk_store_run *grown;

	if (f->run_count == f->run_cap) {
		grown = reallocarray(f->runs, cap, sizeof(*grown));
		if (grown == NULL)
			return GK_ERR_NOMEM;
		f->runs = grown;
		f->run_cap = cap;
	}
	*run = &f->runs[f->run_count++];
	**run = (struct gk_store_run){ 0 };
	return GK_OK;
}

static enum gk_err
octets_grow(struct gk_store_run *run, size_t n)
{
	size_t cap = run->octets.len == 0 ? 4096 : run->octets.len;
	struct gk_buf grown;

	if (run->octets.len - run->used >= n)
		return GK_OK;
	while (cap - run->used < n)
		cap *= 2;
	GK_TRY(gk_buf_alloc(&grown, cap));
	if (run->used != 0)
		memcpy(grown.ptr, run->octets.ptr, run->used);
	gk_buf_free(&run->octets);
	run->octets = grown;
	return GK_OK;
}

static enum gk_err
run_add(struct gk_store_run *run, const struct item *item,
        struct gk_slice value)
{
	struct item *grown;
	size_t cap;

	if (run->count == run->cap) {
		cap = run->cap == 0 ? 64 : run->cap * 2;
		grown = reallocarray(run->items, cap, sizeof(*grown));
		if (grown == NULL)
			return GK_ERR_NOMEM;
		run->items = grown;
		run->cap = cap;
	}
	GK_TRY(octets_grow(run, value.len));
	run->items[run->count] = *item;
	run->items[run->count].at = (uint32_t)run->used;
	run->items[run->count].len = (uint32_t)value.len;
	run->items[run->count].order = (uint32_t)run->count;
	run->count++;
	if (value.len != 0)
		memcpy(run->octets.ptr + run->used, value.ptr, value.len);
	run->used += value.len;
	return GK_OK;
}

/* Scopes and tables by the numbers that the index has for them: those of one lie
 * side by side, which is what matters. */
static int
row_order(const struct gk_store_log_row *a, const struct gk_store_log_row *b)
{
	size_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
	int d;

	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	d = memcmp(a->key, b->key, n);
	return d != 0 ? d
	              : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

/* Changes of one row by one commit: as they were written. */
static int
item_order(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int d = row_order(x->row, y->row);

	return d != 0 ? d : (x->order > y->order) - (x->order < y->order);
}

/* ---- reading ------------------------------------------------------------- */

struct reading {
	struct gk_store_run *run;
	size_t changes, octets;
};

static enum gk_err
keep(struct gk_store *store, uint32_t seq, const struct gk_store_change *c,
     struct gk_store_run *run)
{
	const struct gk_store_log *log = &store->log;
	struct item item = { .seq = seq, .kind = c->kind };
	uint16_t scope;
	uint8_t table;

	if (!gk_store_index_scope(log, c->scope, &scope) ||
	    !gk_store_index_table(log, c->table, &table))
		return GK_ERR_VALUE; /* it was all read once */
	item.place = gk_store_index_find(log, scope, table, c->key);
	if (item.place == 0)
		return GK_OK; /* the row has it, a fold came not to its end */
	if (gk_store_index_row(log, item.place)->seq != seq)
		return GK_OK; /* something newer is to come */
	store->fold.held += c->value.len;
	return run_add(run, &item, c->value);
}

static int
read_entry(struct gk_store *store, uint32_t seq, struct gk_store_change *c,
           void *ctx)
{
	struct gk_store_fold *f = &store->fold;
	struct reading *r = ctx;
	enum gk_err err = GK_OK;
	size_t octets = gk_rd_left(&c->rd);

	if (seq > f->end)
		return SQLITE_DONE;
	for (; err == GK_OK && gk_store_log_next(c); r->changes++)
		err = keep(store, seq, c, r->run);
	if (err == GK_OK)
		err = gk_rd_done(&c->rd);
	if (err != GK_OK)
		return gk_store_result(err);
	if (f->first == 0)
		f->first = seq;
	f->read = seq;
	f->octets += octets;
	r->octets += octets;
	if (r->changes >= GK_STORE_FOLD_CHANGES ||
	    r->octets >= GK_STORE_FOLD_OCTETS || seq == f->end)
		return SQLITE_DONE;
	return SQLITE_OK;
}

static int
begin(struct gk_store *store)
{
	int rc = gk_store_log_learn(store);

	if (rc != SQLITE_OK)
		return rc;
	gk_store_log_folding(store);
	store->fold.step = GK_STORE_FOLD_READ;
	store->fold.end = store->log.seq;
	store->fold.counted = store->log.octets;
	return SQLITE_OK;
}

static int begin_merge(struct gk_store *store);

/* One more run; and, with the last one or when memory has enough of them, on to
 * the next step. */
static int
read_some(struct gk_store *store)
{
	const struct gk_store_log *log = &store->log;
	struct gk_store_fold *f = &store->fold;
	struct reading r = { .run = NULL };
	const struct gk_store_walk walk = { read_entry, &r };
	uint32_t from = f->read;
	int rc = gk_store_result(run_new(f, &r.run));

	if (rc == SQLITE_OK)
		rc = gk_store_log_walk(store, f->read, &walk);
	if (rc != SQLITE_OK)
		return rc;
	for (size_t i = 0; i < r.run->count; i++)
		r.run->items[i].row =
			gk_store_index_row(log, r.run->items[i].place);
	if (r.run->count > 1)
		qsort(r.run->items, r.run->count, sizeof(struct item),
		      item_order);
	if (r.run->count == 0) {
		run_free(r.run);
		f->run_count--;
	}
	/* There are fewer than it was thought: deleted by a fold before. */
	if (f->read == from)
		f->read = f->end;
	/* Whatever else was counted went with a fold that came not to its end. */
	if (f->read == f->end)
		f->octets = f->counted;
	if (f->held >= GK_STORE_FOLD_HELD)
		f->end = f->read;
	return f->read == f->end ? begin_merge(store) : SQLITE_OK;
}

/* ---- merging ------------------------------------------------------------- */

static const struct gk_store_log_row *
head_of(const struct gk_store *store, uint32_t run)
{
	const struct gk_store_run *r = &store->fold.runs[run];

	return gk_store_index_row(&store->log, r->items[r->next].place);
}

static void
sift(struct gk_store *store, size_t at)
{
	struct gk_store_fold *f = &store->fold;
	uint32_t run = f->heap[at];
	size_t child;

	for (; (child = 2 * at + 1) < f->heap_count; at = child) {
		if (child + 1 < f->heap_count &&
		    row_order(head_of(store, f->heap[child + 1]),
		              head_of(store, f->heap[child])) < 0)
			child++;
		if (row_order(head_of(store, run),
		              head_of(store, f->heap[child])) <= 0)
			break;
		f->heap[at] = f->heap[child];
	}
	f->heap[at] = run;
}

static int
begin_merge(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;

	f->step = GK_STORE_FOLD_MERGE;
	f->heap = calloc(f->run_count + 1, sizeof(*f->heap));
	if (f->heap == NULL)
		return SQLITE_NOMEM;
	f->heap_count = f->run_count;
	for (uint32_t i = 0; i < f->run_count; i++)
		f->heap[i] = i;
	for (size_t i = f->heap_count / 2; i-- > 0;)
		sift(store, i);
	return SQLITE_OK;
}

static int
merge_item(struct gk_store *store, const struct gk_store_run *run,
           const struct item *item)
{
	const struct gk_store_log *log = &store->log;
	const struct gk_store_log_row *row =
		gk_store_index_row(log, item->place);
	const struct gk_change c = {
		.kind = item->kind,
		.table = log->tables[row->table],
		.key = { row->key, row->key_len },
		.value = { item->len == 0 ? NULL : run->octets.ptr + item->at,
		           item->len },
	};

	if (row->seq != item->seq)
		return SQLITE_OK; /* a commit has changed it meanwhile */
	return gk_store_row_apply(store, gk_buf_slice(&log->scopes[row->scope]),
	                          &c);
}

/* Up to @rows of them, within a transaction. */
static int
merge_some(struct gk_store *store, size_t rows)
{
	struct gk_store_fold *f = &store->fold;
	int rc = SQLITE_OK;

	for (; rc == SQLITE_OK && rows > 0 && f->heap_count > 0; rows--) {
		struct gk_store_run *run = &f->runs[f->heap[0]];

		rc = merge_item(store, run, &run->items[run->next++]);
		if (run->next == run->count) {
			run_free(run);
			f->heap[0] = f->heap[--f->heap_count];
		}
		if (f->heap_count > 0)
			sift(store, 0);
	}
	return rc;
}

int
gk_store_fold_all(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;
	int rc = gk_store_log_learn(store);
	uint32_t last;

	gk_store_fold_stop(store);
	if (rc != SQLITE_OK || store->log.octets == 0)
		return rc;
	/* Where memory holds only a part, one part after the other. */
	last = store->log.seq;
	for (uint32_t read = 0; rc == SQLITE_OK && read < last; read = f->end) {
		gk_store_fold_stop(store);
		rc = begin(store);
		f->read = read;
		while (rc == SQLITE_OK && f->step == GK_STORE_FOLD_READ)
			rc = read_some(store);
		if (rc == SQLITE_OK)
			rc = merge_some(store, SIZE_MAX);
	}
	gk_store_fold_stop(store);
	return gk_store_finish(store->sql[GK_STORE_LOG_EMPTY], rc);
}

/* ---- in slices ----------------------------------------------------------- */

/* About as many octets of them as are read at a time.  When nothing came behind
 * them, a small log is emptied at once: page by page, that is, and not entry by
 * entry, after each of which the pages that are left are put in order. */
static int
delete_some(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;
	uint64_t count = (uint64_t)f->end - f->first + 1, n;
	int rc;

	if (f->end == store->log.seq &&
	    store->log.octets <= 4 * GK_STORE_FOLD_OCTETS) {
		f->gone = f->end;
		return gk_store_finish(store->sql[GK_STORE_LOG_EMPTY],
		                       SQLITE_OK);
	}
	n = count * GK_STORE_FOLD_OCTETS / (f->octets == 0 ? 1 : f->octets);
	n = n == 0 ? 1 : n;
	f->gone = f->end - f->gone > n ? f->gone + (uint32_t)n : f->end;
	rc = sqlite3_bind_int64(store->sql[GK_STORE_LOG_CLEAR], 1,
	                        (sqlite3_int64)f->gone);
	return gk_store_finish(store->sql[GK_STORE_LOG_CLEAR], rc);
}

/* What follows from a slice that was committed. */
static void
go_on(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;

	if (f->step == GK_STORE_FOLD_MERGE && f->heap_count == 0) {
		gk_store_index_forget(&store->log, f->end);
		f->step = GK_STORE_FOLD_DELETE;
		f->gone = f->first == 0 ? f->end : f->first - 1;
	}
	if (f->step != GK_STORE_FOLD_DELETE || f->gone < f->end)
		return;
	gk_store_log_folded(store, f->end, f->octets);
	if (store->settle_seq <= f->end)
		store->settle_seq = 0;
	gk_store_fold_stop(store);
}

/* Whoever reads changes nothing, and has no transaction. */
static enum gk_err
slice(struct gk_store *store)
{
	struct gk_store_fold *f = &store->fold;
	enum gk_err err;
	int rc = SQLITE_OK;

	if (f->step == GK_STORE_FOLD_OFF)
		rc = begin(store);
	if (rc == SQLITE_OK && f->step == GK_STORE_FOLD_READ) {
		rc = read_some(store);
		err = rc == SQLITE_OK ? GK_OK : gk_store_failed(store, rc);
	} else if (rc == SQLITE_OK) {
		rc = gk_store_begin(store, false);
		if (rc == SQLITE_OK)
			rc = f->step == GK_STORE_FOLD_MERGE
			             ? merge_some(store, GK_STORE_FOLD_ROWS)
			             : delete_some(store);
		err = gk_store_end(store, rc);
	} else {
		err = gk_store_failed(store, rc);
	}
	if (err == GK_OK) {
		go_on(store);
		return GK_OK;
	}
	gk_store_fold_stop(store);
	gk_store_log_put_off(store);
	return err;
}

/* ---- what is to be done -------------------------------------------------- */

#define WAL_DUE 512 /* pages */

static bool
fold_due(const struct gk_store *store)
{
	return store->fold.step != GK_STORE_FOLD_OFF ||
	       (store->log.octets != 0 &&
	        (gk_store_log_due(store) || store->settle_seq != 0));
}

void
gk_store_look(struct gk_store *store)
{
	atomic_store(&store->due,
	             store->aside && (fold_due(store) || store->settling ||
	                              store->wal >= WAL_DUE));
}

bool
gk_store_due(const struct gk_store *store)
{
	return atomic_load(&store->due);
}

enum gk_err
gk_store_work(struct gk_store *store)
{
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&store->mutex);
	if (store->wal >= WAL_DUE) {
		err = gk_store_checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
	} else if (fold_due(store)) {
		err = slice(store);
	} else if (store->settling) {
		err = gk_store_checkpoint(store, SQLITE_CHECKPOINT_TRUNCATE);
		if (err == GK_OK) {
			store->settling = false;
			store->settle_seq = 0;
			store->unsettled = store->log.octets != 0;
		}
	}
	gk_store_look(store);
	pthread_mutex_unlock(&store->mutex);
	return err;
}

void
gk_store_aside(struct gk_store *store, bool aside)
{
	pthread_mutex_lock(&store->mutex);
	store->aside = aside;
	gk_store_file_keep(store, aside);
	gk_store_log_limits(store);
	gk_store_look(store);
	pthread_mutex_unlock(&store->mutex);
}
