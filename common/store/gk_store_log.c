/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/store/gk_store_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store/gk_store_file.h"
#include "common/wire/gk_rd.h"
#include "common/wire/gk_wr.h"

/* The larger the store, the more changes have to come together before it pays to
 * put them into their pages: an eighth of the file, within these; and a row for
 * each 1,024 octets.  A start has to read them all, and to fold the rows. */
#define FULL_LEAST ((size_t)4 << 20)
#define FULL_LEAST_ASIDE ((size_t)16 << 20)
#define FULL_MOST ((size_t)64 << 20)
#define FULL_ROWS ((size_t)1 << 16) /* which the index knows in some 2 MB */
#define FULL_ROWS_MOST ((size_t)1 << 18)
/* A larger commit has many rows for each page: it is written in place, where
 * nobody folds aside. */
#define COMMIT_CHANGES 16384
#define COMMIT_OCTETS ((size_t)16 << 20)
/* Beyond which a log is not let grow, not even by commits that somebody waits for:
 * a start has to read it, and the index is in memory. */
#define MOST_ROWS ((size_t)5 << 18)
#define MOST_OCTETS ((size_t)192 << 20)
#define MOST_SEQ (UINT32_MAX / 2)
/* A commit is cut into entries of about this, so that whoever wants one row does
 * not read all of it. */
#define ENTRY_OCTETS ((size_t)16 << 10)
#define ENTRY_KEEP ((size_t)64 << 10) /* room that is kept for the next */

void
gk_store_log_free(struct gk_store_log *log)
{
	gk_store_index_clear(log);
	gk_buf_free(&log->entry);
}

/* ---- entries ------------------------------------------------------------ */

static size_t
change_size(const struct gk_change *c)
{
	return 4 + strlen(c->table) + c->key.len +
	       (c->kind == GK_JOURNAL_PUT ? 4 + c->value.len : 0);
}

static bool
fits(const struct gk_journal *const *journals, size_t count, size_t octets)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (journals[i] == NULL)
			continue;
		for (size_t k = 0; k < gk_journal_count(journals[i]); k++) {
			struct gk_change c = gk_journal_at(journals[i], k);

			if (c.kind == GK_JOURNAL_DROP ||
			    strlen(c.table) > UINT8_MAX)
				return false;
			n += change_size(&c);
		}
	}
	return n <= octets;
}

bool
gk_store_log_takes(const struct gk_store *store,
                   const struct gk_journal *const *journals, size_t count)
{
	const struct gk_store_log *log = &store->log;
	size_t changes = 0, octets = COMMIT_OCTETS;

	for (size_t i = 0; i < count; i++)
		changes +=
			journals[i] == NULL ? 0 : gk_journal_count(journals[i]);
	if (store->aside)
		octets = log->octets < MOST_OCTETS ? MOST_OCTETS - log->octets
		                                   : 0;
	return changes <= (store->aside ? MOST_ROWS : COMMIT_CHANGES) &&
	       log->count + changes <= MOST_ROWS &&
	       log->scope_count + count <= GK_STORE_LOG_SCOPES &&
	       fits(journals, count, octets);
}

/* A change among those of several journals. */
struct place {
	size_t journal, change;
};

/* What goes into the entry that begins at @from, and where the next one does; the
 * number of its octets, 0: there is nothing left. */
static size_t
measure(const struct gk_journal *const *journals, size_t count,
        struct place from, struct place *to)
{
	size_t n = 0;

	for (; from.journal < count; from.journal++, from.change = 0) {
		const struct gk_journal *j = journals[from.journal];

		if (j == NULL || from.change == gk_journal_count(j))
			continue;
		n += 3 + gk_journal_scope(j).len;
		while (from.change < gk_journal_count(j)) {
			struct gk_change c = gk_journal_at(j, from.change++);

			n += change_size(&c);
			if (n >= ENTRY_OCTETS)
				goto done;
		}
	}
done:
	*to = from;
	return n;
}

static void
write_change(struct gk_wr *wr, const struct gk_change *c)
{
	struct gk_slice table = gk_slice_str(c->table);

	gk_wr_u8(wr, (uint8_t)c->kind);
	gk_wr_u8(wr, (uint8_t)table.len);
	gk_wr_bytes(wr, table);
	gk_wr_vec16(wr, c->key);
	if (c->kind != GK_JOURNAL_PUT)
		return;
	gk_wr_u32(wr, (uint32_t)c->value.len);
	gk_wr_bytes(wr, c->value);
}

static bool
before(struct place a, struct place b)
{
	return a.journal < b.journal ||
	       (a.journal == b.journal && a.change < b.change);
}

static void
write_entry(struct gk_wr *wr, const struct gk_journal *const *journals,
            struct place at, struct place to)
{
	for (; before(at, to); at.journal++, at.change = 0) {
		const struct gk_journal *j = journals[at.journal];

		if (j == NULL || at.change == gk_journal_count(j))
			continue;
		gk_wr_u8(wr, GK_STORE_LOG_SCOPE);
		gk_wr_vec16(wr, gk_journal_scope(j));
		for (; at.change < gk_journal_count(j) && before(at, to);
		     at.change++) {
			struct gk_change c = gk_journal_at(j, at.change);

			write_change(wr, &c);
		}
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

static int
put_entry(struct gk_store *store, uint32_t seq, size_t n)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_PUT];
	struct gk_buf *entry = &store->log.entry;
	int rc = sqlite3_bind_int64(stmt, 1, (sqlite3_int64)seq);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(stmt, 2, entry->ptr, n, SQLITE_STATIC);
	rc = gk_store_finish(stmt, rc);
	gk_wipe(entry->ptr, n);
	if (entry->len > ENTRY_KEEP)
		gk_buf_free(entry);
	return rc;
}

int
gk_store_log_append(struct gk_store *store,
                    const struct gk_journal *const *journals, size_t count)
{
	struct place at = { 0, 0 }, to;
	uint32_t seq = store->log.seq;
	int rc = SQLITE_OK;
	struct gk_wr wr;
	size_t n;

	for (; rc == SQLITE_OK && (n = measure(journals, count, at, &to)) != 0;
	     at = to) {
		if (!entry_room(&store->log.entry, n))
			return SQLITE_NOMEM;
		gk_wr_init(&wr, store->log.entry.ptr, n);
		write_entry(&wr, journals, at, to);
		if (gk_wr_done(&wr) != GK_OK)
			return SQLITE_INTERNAL;
		rc = put_entry(store, ++seq, wr.len);
	}
	return rc;
}

static enum gk_err
note_entry(struct gk_store_log *log, const struct gk_journal *const *journals,
           struct place at, struct place to)
{
	uint16_t scope;

	for (; before(at, to); at.journal++, at.change = 0) {
		const struct gk_journal *j = journals[at.journal];

		if (j == NULL || at.change == gk_journal_count(j))
			continue;
		GK_TRY(gk_store_index_scope_add(log, gk_journal_scope(j),
		                                &scope));
		for (; at.change < gk_journal_count(j) && before(at, to);
		     at.change++) {
			struct gk_change c = gk_journal_at(j, at.change);

			GK_TRY(gk_store_index_note(log, scope,
			                           gk_slice_str(c.table), c.key,
			                           log->seq));
		}
	}
	return GK_OK;
}

void
gk_store_log_noted(struct gk_store *store,
                   const struct gk_journal *const *journals, size_t count)
{
	struct gk_store_log *log = &store->log;
	struct place at = { 0, 0 }, to;
	enum gk_err err = GK_OK;
	size_t n;

	for (; (n = measure(journals, count, at, &to)) != 0; at = to) {
		log->seq++;
		log->octets += n;
		if (err == GK_OK)
			err = note_entry(log, journals, at, to);
	}
	if (err != GK_OK) /* it is on the disk: read it from there */
		log->known = false;
}

bool
gk_store_log_next(struct gk_store_change *r)
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

int
gk_store_log_walk(struct gk_store *store, uint32_t after,
                  const struct gk_store_walk *walk)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_ALL];
	int rc = sqlite3_bind_int64(stmt, 1, (sqlite3_int64)after);

	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct gk_store_change c = { .kind = 0 };

		gk_rd_init(&c.rd, sqlite3_column_blob(stmt, 1),
		           (size_t)sqlite3_column_bytes(stmt, 1));
		rc = walk->entry(store, (uint32_t)sqlite3_column_int64(stmt, 0),
		                 &c, walk->ctx);
	}
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
gk_store_result(enum gk_err err)
{
	return err == GK_OK          ? SQLITE_OK
	       : err == GK_ERR_NOMEM ? SQLITE_NOMEM
	                             : SQLITE_CORRUPT;
}

static int
index_entry(struct gk_store *store, uint32_t seq, struct gk_store_change *r,
            void *ctx)
{
	struct gk_store_log *log = &store->log;
	enum gk_err err = GK_OK;
	uint16_t scope;

	(void)ctx;
	log->seq = seq;
	log->octets += gk_rd_left(&r->rd);
	while (err == GK_OK && gk_store_log_next(r)) {
		err = gk_store_index_scope_add(log, r->scope, &scope);
		if (err == GK_OK)
			err = gk_store_index_note(log, scope, r->table, r->key,
			                          seq);
	}
	return gk_store_result(err == GK_OK ? gk_rd_done(&r->rd) : err);
}

static size_t
within(size_t n, size_t least, size_t most)
{
	return n < least ? least : n > most ? most : n;
}

void
gk_store_log_limits(struct gk_store *store)
{
	size_t octets = (size_t)gk_store_file_octets(store);
	struct gk_store_log *log = &store->log;

	log->full =
		within(octets / 8, store->aside ? FULL_LEAST_ASIDE : FULL_LEAST,
	               FULL_MOST);
	if (store->log_max != 0 && log->full > store->log_max)
		log->full = store->log_max;
	log->rows_full = within(octets / 1024, FULL_ROWS, FULL_ROWS_MOST);
	log->folding = false;
}

int
gk_store_log_learn(struct gk_store *store)
{
	const struct gk_store_walk all = { index_entry, NULL };
	uint32_t seq = store->log.seq;
	int rc;

	if (store->log.known)
		return SQLITE_OK;
	gk_store_fold_stop(store); /* it knows places in the index */
	gk_store_index_clear(&store->log);
	if (!store->log.exists)
		rc = SQLITE_OK;
	else
		rc = gk_store_log_walk(store, 0, &all);
	/* Where that came to no end, the next entry is no earlier one. */
	if (rc != SQLITE_OK && store->log.seq < seq)
		store->log.seq = seq;
	store->log.known = rc == SQLITE_OK;
	gk_store_log_limits(store);
	return rc;
}

enum gk_err
gk_store_log_open(struct gk_store *store)
{
	int rc;

	GK_TRY(gk_store_file_has_log(store, &store->log.exists));
	if (store->log.exists)
		GK_TRY(gk_store_prepare_log(store));
	rc = gk_store_log_learn(store);
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

bool
gk_store_log_overdue(const struct gk_store *store)
{
	const struct gk_store_log *log = &store->log;

	return log->seq >= MOST_SEQ ||
	       (log->folding &&
	        (log->octets >= log->burst || log->count >= log->rows_burst));
}

void
gk_store_log_folding(struct gk_store *store)
{
	struct gk_store_log *log = &store->log;

	if (log->folding)
		return;
	log->folding = true;
	log->burst = log->octets + 2 * log->full;
	log->rows_burst = log->count + 2 * log->rows_full;
}

void
gk_store_log_put_off(struct gk_store *store)
{
	store->log.folding = false;
	store->log.full = store->log.octets + FULL_LEAST / 4;
	store->log.rows_full = store->log.count + FULL_ROWS / 16;
}

void
gk_store_log_emptied(struct gk_store *store)
{
	gk_store_index_clear(&store->log);
	store->log.known = true;
	store->settle_seq = 0;
	gk_store_log_limits(store);
}

void
gk_store_log_folded(struct gk_store *store, uint32_t seq, size_t octets)
{
	struct gk_store_log *log = &store->log;

	gk_store_index_forget(log, seq);
	if (log->count == 0 && log->seq == seq) {
		gk_store_log_emptied(store);
		return;
	}
	log->octets -= octets < log->octets ? octets : log->octets;
	gk_store_log_limits(store);
}

enum gk_err
gk_store_log_get(struct gk_store *store, struct gk_slice scope,
                 const char *table, struct gk_slice key, bool *found,
                 bool *there, struct gk_buf *value)
{
	sqlite3_stmt *stmt = store->sql[GK_STORE_LOG_GET];
	struct gk_store_log *log = &store->log;
	struct gk_store_change r = { .kind = 0 };
	enum gk_err err = GK_OK;
	uint32_t place;
	uint16_t s;
	uint8_t t;
	int rc = gk_store_log_learn(store);

	*found = *there = false;
	if (rc != SQLITE_OK)
		return gk_store_failed(store, rc);
	if (log->count == 0 || !gk_store_index_scope(log, scope, &s) ||
	    !gk_store_index_table(log, gk_slice_str(table), &t))
		return GK_OK;
	place = gk_store_index_find(log, s, t, key);
	if (place == 0)
		return GK_OK;
	rc = sqlite3_bind_int64(stmt, 1, gk_store_index_row(log, place)->seq);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW) {
		err = gk_store_failed(store, rc);
		sqlite3_reset(stmt);
		if (err != GK_OK)
			return err;
		/* What is in the row is older. */
		snprintf(store->why, sizeof(store->why),
		         "damaged: an entry of its log is not there");
		return GK_ERR_VALUE;
	}
	gk_rd_init(&r.rd, sqlite3_column_blob(stmt, 0),
	           (size_t)sqlite3_column_bytes(stmt, 0));
	while (err == GK_OK && gk_store_log_next(&r)) {
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
