/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/gk_store_file.h"
#include "common/wire/gk_rd.h"
#include "common/wire/gk_wr.h"

/* The larger the store, the more changes have to come together before it pays to
 * put them into their pages: an eighth of the file, within these. */
#define FULL_LEAST ((size_t)4 << 20)
#define FULL_MOST ((size_t)64 << 20)
#define FULL_ROWS 65536 /* which the index knows in some 2 MB */
/* A larger commit has many rows for each page: it is written in place. */
#define ENTRY_CHANGES 16384
#define ENTRY_OCTETS ((size_t)16 << 20)
#define ENTRY_KEEP ((size_t)64 << 10) /* room that is kept for the next */
#define PART_OCTETS ((size_t)4 << 20) /* folded at a time */

void
gk_store_log_free(struct gk_store_log *log)
{
	gk_store_index_clear(log);
	gk_buf_free(&log->entry);
}

/* ---- entries ------------------------------------------------------------ */

static size_t
size_of(const struct gk_journal *const *journals, size_t count, bool *unfit)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (journals[i] == NULL)
			continue;
		n += 3 + gk_journal_scope(journals[i]).len;
		for (size_t k = 0; k < gk_journal_count(journals[i]); k++) {
			struct gk_change c = gk_journal_at(journals[i], k);

			*unfit |= c.kind == GK_JOURNAL_DROP ||
			          strlen(c.table) > UINT8_MAX;
			if (c.kind != GK_JOURNAL_DROP)
				n += 8 + strlen(c.table) + c.key.len +
				     c.value.len;
		}
	}
	return n;
}

bool
gk_store_log_takes(const struct gk_store *store,
                   const struct gk_journal *const *journals, size_t count)
{
	size_t changes = 0;
	bool unfit = false;

	for (size_t i = 0; i < count; i++)
		changes +=
			journals[i] == NULL ? 0 : gk_journal_count(journals[i]);
	return changes <= ENTRY_CHANGES &&
	       store->log.scope_count + count <= GK_STORE_LOG_SCOPES &&
	       size_of(journals, count, &unfit) <= ENTRY_OCTETS && !unfit;
}

static void
write_journal(struct gk_wr *wr, const struct gk_journal *journal)
{
	gk_wr_u8(wr, GK_STORE_LOG_SCOPE);
	gk_wr_vec16(wr, gk_journal_scope(journal));
	for (size_t i = 0; i < gk_journal_count(journal); i++) {
		struct gk_change c = gk_journal_at(journal, i);
		struct gk_slice table = gk_slice_str(c.table);

		gk_wr_u8(wr, (uint8_t)c.kind);
		gk_wr_u8(wr, (uint8_t)table.len);
		gk_wr_bytes(wr, table);
		gk_wr_vec16(wr, c.key);
		if (c.kind != GK_JOURNAL_PUT)
			continue;
		gk_wr_u32(wr, (uint32_t)c.value.len);
		gk_wr_bytes(wr, c.value);
	}
}

/* Room for an entry; what was there before is wiped already. */
static bool
entry_room(struct gk_buf *entry, size_t n)
{
	if (entry->len >= n)
		return true;
	gk_buf_free(entry);
	return gk_buf_alloc(entry, n < 4096 ? 4096 : n) == GK_OK;
}

int
gk_store_log_append(struct gk_store *store,
                    const struct gk_journal *const *journals, size_t count)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_PUT];
	struct gk_store_log *log = &store->log;
	bool unfit = false;
	size_t n = size_of(journals, count, &unfit);
	struct gk_wr wr;
	int rc;

	if (!entry_room(&log->entry, n))
		return SQLITE_NOMEM;
	gk_wr_init(&wr, log->entry.ptr, n);
	for (size_t i = 0; i < count; i++)
		if (journals[i] != NULL)
			write_journal(&wr, journals[i]);
	if (gk_wr_done(&wr) != GK_OK)
		return SQLITE_INTERNAL; /* a name of a table beyond reason */
	rc = sqlite3_bind_int64(stmt, 1, (sqlite3_int64)log->seq + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(stmt, 2, log->entry.ptr, wr.len,
		                         SQLITE_STATIC);
	rc = gk_store_finish(stmt, rc);
	gk_wipe(log->entry.ptr, wr.len);
	if (log->entry.len > ENTRY_KEEP)
		gk_buf_free(&log->entry);
	return rc;
}

void
gk_store_log_noted(struct gk_store *store,
                   const struct gk_journal *const *journals, size_t count)
{
	struct gk_store_log *log = &store->log;
	enum gk_err err = GK_OK;
	uint16_t scope;
	bool unfit = false;

	log->seq++;
	log->octets += size_of(journals, count, &unfit);
	for (size_t i = 0; i < count && err == GK_OK; i++) {
		if (journals[i] == NULL)
			continue;
		err = gk_store_index_scope_add(
			log, gk_journal_scope(journals[i]), &scope);
		for (size_t k = 0;
		     k < gk_journal_count(journals[i]) && err == GK_OK; k++) {
			struct gk_change c = gk_journal_at(journals[i], k);

			err = gk_store_index_note(log, scope,
			                          gk_slice_str(c.table), c.key,
			                          log->seq);
		}
	}
	if (err != GK_OK) /* it is on the disk: read it from there */
		log->known = false;
}

/* One change out of an entry. */
struct reading {
	struct gk_rd rd;
	struct gk_slice scope, table, key, value;
	uint8_t kind;
};

static bool
next_change(struct reading *r)
{
	uint8_t n;

	while (gk_rd_left(&r->rd) != 0 && r->rd.fault.err == GK_OK) {
		r->kind = gk_rd_u8(&r->rd, "kind");
		if (r->kind == GK_STORE_LOG_SCOPE) {
			r->scope = gk_rd_vec16(&r->rd, "scope");
			continue;
		}
		n = gk_rd_u8(&r->rd, "length of table");
		r->table = gk_rd_bytes(&r->rd, n, "table");
		r->key = gk_rd_vec16(&r->rd, "key");
		r->value = (struct gk_slice){ NULL, 0 };
		if (r->kind == GK_JOURNAL_PUT) {
			uint32_t len = gk_rd_u32(&r->rd, "length of value");

			r->value = gk_rd_bytes(&r->rd, len, "value");
		}
		if (r->kind > GK_JOURNAL_DEL || r->table.len == 0)
			gk_rd_fail(&r->rd, GK_ERR_VALUE, "kind");
		return r->rd.fault.err == GK_OK;
	}
	return false;
}

/* ---- reading the log ---------------------------------------------------- */

static int
walk(struct gk_store *store,
     int (*entry)(struct gk_store *store, uint32_t seq, struct reading *r,
                  void *ctx),
     void *ctx)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_ALL];
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct reading r = { .kind = 0 };

		gk_rd_init(&r.rd, sqlite3_column_blob(stmt, 1),
		           (size_t)sqlite3_column_bytes(stmt, 1));
		rc = entry(store, (uint32_t)sqlite3_column_int64(stmt, 0), &r,
		           ctx);
		if (rc != SQLITE_OK)
			break;
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
result_of(enum gk_err err)
{
	return err == GK_OK          ? SQLITE_OK
	       : err == GK_ERR_NOMEM ? SQLITE_NOMEM
	                             : SQLITE_CORRUPT;
}

static int
index_entry(struct gk_store *store, uint32_t seq, struct reading *r, void *ctx)
{
	struct gk_store_log *log = &store->log;
	enum gk_err err = GK_OK;
	uint16_t scope;

	(void)ctx;
	log->seq = seq;
	log->octets += gk_rd_left(&r->rd);
	while (err == GK_OK && next_change(r)) {
		err = gk_store_index_scope_add(log, r->scope, &scope);
		if (err == GK_OK)
			err = gk_store_index_note(log, scope, r->table, r->key,
			                          seq);
	}
	return result_of(err == GK_OK ? gk_rd_done(&r->rd) : err);
}

static void
full_at(struct gk_store *store)
{
	size_t full = (size_t)gk_store_file_octets(store) / 8;

	full = full < FULL_LEAST ? FULL_LEAST : full;
	full = full > FULL_MOST ? FULL_MOST : full;
	if (store->log_max != 0 && full > store->log_max)
		full = store->log_max;
	store->log.full = full;
	store->log.rows_full = FULL_ROWS;
}

/* The index, when it is not known. */
static int
learn(struct gk_store *store)
{
	uint32_t seq = store->log.seq;
	int rc;

	if (store->log.known)
		return SQLITE_OK;
	gk_store_index_clear(&store->log);
	if (!store->log.exists)
		rc = SQLITE_OK;
	else
		rc = walk(store, index_entry, NULL);
	/* Where that came to no end, the next entry is no earlier one. */
	if (rc != SQLITE_OK && store->log.seq < seq)
		store->log.seq = seq;
	store->log.known = rc == SQLITE_OK;
	full_at(store);
	return rc;
}

enum gk_err
gk_store_log_open(struct gk_store *store)
{
	int rc;

	GK_TRY(gk_store_file_has_log(store, &store->log.exists));
	if (store->log.exists)
		GK_TRY(gk_store_prepare_log(store));
	rc = learn(store);
	if (rc == SQLITE_CORRUPT) {
		snprintf(store->why, sizeof(store->why),
		         "damaged: an entry of its log cannot be read");
		return GK_ERR_VALUE;
	}
	return rc == SQLITE_OK ? GK_OK : gk_store_failed(store, rc);
}

bool
gk_store_log_due(const struct gk_store *store)
{
	return store->log.octets >= store->log.full ||
	       store->log.count >= store->log.rows_full;
}

void
gk_store_log_put_off(struct gk_store *store)
{
	store->log.full = store->log.octets + FULL_LEAST / 4;
	store->log.rows_full = store->log.count + FULL_ROWS / 16;
}

enum gk_err
gk_store_log_get(struct gk_store *store, struct gk_slice scope,
                 const char *table, struct gk_slice key, bool *found,
                 bool *there, struct gk_buf *value)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_GET];
	struct gk_store_log *log = &store->log;
	struct reading r = { .kind = 0 };
	enum gk_err err = GK_OK;
	uint32_t seq;
	uint16_t s;
	uint8_t t;
	int rc = learn(store);

	*found = *there = false;
	if (rc != SQLITE_OK)
		return gk_store_failed(store, rc);
	if (log->count == 0 || !gk_store_index_scope(log, scope, &s) ||
	    !gk_store_index_table(log, gk_slice_str(table), &t))
		return GK_OK;
	seq = gk_store_index_find(log, s, t, key);
	if (seq == 0)
		return GK_OK;
	rc = sqlite3_bind_int64(stmt, 1, seq);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		err = gk_store_failed(store, rc);
		sqlite3_reset(stmt);
		return err;
	}
	gk_rd_init(&r.rd, sqlite3_column_blob(stmt, 0),
	           (size_t)sqlite3_column_bytes(stmt, 0));
	while (err == GK_OK && next_change(&r)) {
		if (!gk_slice_equal(r.scope, scope) ||
		    !gk_slice_equal(r.table, gk_slice_str(table)) ||
		    !gk_slice_equal(r.key, key))
			continue;
		*found = true; /* the last one counts */
		*there = r.kind == GK_JOURNAL_PUT;
		gk_buf_free(value);
		if (*there)
			err = gk_buf_copy(value, r.value);
	}
	sqlite3_reset(stmt);
	/* What is in the row is older. */
	return err == GK_OK && !*found ? GK_ERR_VALUE : err;
}

/* ---- folding ------------------------------------------------------------ */

/* The newest changes of one scope, on their way into the rows. */
struct part {
	struct gk_journal *journal;
	uint16_t scope;
	size_t octets;
};

static int
part_done(struct gk_store *store, struct part *p)
{
	int rc = p->journal == NULL ? SQLITE_OK
	                            : gk_store_rows_apply(store, p->journal);

	gk_journal_free(p->journal);
	p->journal = NULL;
	p->octets = 0;
	return rc;
}

static int
fold_change(struct gk_store *store, uint32_t seq, const struct reading *r,
            struct part *p)
{
	struct gk_store_log *log = &store->log;
	enum gk_err err = GK_OK;
	uint16_t scope;
	uint8_t table;
	int rc;

	if (!gk_store_index_scope(log, r->scope, &scope) ||
	    !gk_store_index_table(log, r->table, &table))
		return SQLITE_CORRUPT; /* it was all read once */
	if (gk_store_index_find(log, scope, table, r->key) != seq)
		return SQLITE_OK; /* something newer is to come */
	if (p->journal != NULL &&
	    (p->scope != scope || p->octets > PART_OCTETS)) {
		rc = part_done(store, p);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (p->journal == NULL)
		err = gk_journal_new(r->scope, &p->journal);
	p->scope = scope;
	p->octets += r->key.len + r->value.len;
	if (err == GK_OK && r->kind == GK_JOURNAL_PUT)
		err = gk_journal_put(p->journal, log->tables[table], r->key,
		                     r->value);
	else if (err == GK_OK)
		err = gk_journal_del(p->journal, log->tables[table], r->key);
	return result_of(err);
}

static int
fold_entry(struct gk_store *store, uint32_t seq, struct reading *r, void *ctx)
{
	int rc = SQLITE_OK;

	while (rc == SQLITE_OK && next_change(r))
		rc = fold_change(store, seq, r, ctx);
	return rc == SQLITE_OK ? result_of(gk_rd_done(&r->rd)) : rc;
}

int
gk_store_log_fold(struct gk_store *store)
{
	struct part part = { .journal = NULL };
	int rc = learn(store);

	if (rc != SQLITE_OK || store->log.count == 0)
		return rc;
	rc = walk(store, fold_entry, &part);
	if (rc == SQLITE_OK)
		rc = part_done(store, &part);
	gk_journal_free(part.journal);
	if (rc == SQLITE_OK)
		rc = gk_store_finish(store->sql[GK_STORE_LOG_CLEAR], SQLITE_OK);
	return rc;
}

void
gk_store_log_emptied(struct gk_store *store)
{
	gk_store_index_clear(&store->log);
	store->log.known = true;
	full_at(store);
}
