/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_JOURNAL_H
#define GK_JOURNAL_H

#include <stdbool.h>

#include "common/base/gk_base.h"
#include "common/base/gk_shared.h"

/*
 * DOC: journal - changes of durable state, in the order in which they happened
 *
 * Engines do no I/O.  They write what must survive into a journal, hand it out
 * in front of the datagram that depends on it, and the daemon applies it to the
 * store in one transaction before that datagram leaves.
 *
 * A row is found by scope (which group or peer, chosen by the engine), table
 * and key.  Keys and values are octets that mean something only to the writer.
 * A journal wipes what it held, but for what it shared.
 */
#define GK_JOURNAL_KEY_MAX 1024        /* octets */
#define GK_JOURNAL_VALUE_MAX (1 << 24) /* octets */

enum gk_journal_kind {
	GK_JOURNAL_PUT,  /* insert or replace one row */
	GK_JOURNAL_DEL,  /* delete one row, if it is there */
	GK_JOURNAL_DROP, /* delete all rows of the scope, in every table */
};

struct gk_change {
	enum gk_journal_kind kind;
	const char *table; /* static storage; NULL for DROP */
	struct gk_slice key;
	struct gk_slice value; /* PUT only */
};

struct gk_journal;

/* gk_journal_new - an empty journal for @scope, which is copied. */
GK_MUST_CHECK enum gk_err gk_journal_new(struct gk_slice scope,
                                         struct gk_journal **journal);
void gk_journal_free(struct gk_journal *journal); /* NULL is fine */

/*
 * Append one change; key and value are copied.  GK_ERR_SPACE above the limits,
 * and the journal is as before.
 *
 * GK_ERR_NOMEM is sticky: a journal that lost a change takes no more and gives
 * nothing out (gk_journal_take()), so that the store keeps the last state that
 * was whole.
 */
GK_MUST_CHECK enum gk_err gk_journal_put(struct gk_journal *journal,
                                         const char *table, struct gk_slice key,
                                         struct gk_slice value);
/* gk_journal_put_room - the same for a value of @len octets that the caller
 * writes to *@value afterwards, before anything else happens to the journal. */
GK_MUST_CHECK enum gk_err gk_journal_put_room(struct gk_journal *journal,
                                              const char *table,
                                              struct gk_slice key, size_t len,
                                              uint8_t **value);
/* gk_journal_put_shared - the same for a value that lies in @shared, of which the
 * journal keeps a reference.  It is not wiped: nothing secret. */
GK_MUST_CHECK enum gk_err gk_journal_put_shared(struct gk_journal *journal,
                                                const char *table,
                                                struct gk_slice key,
                                                struct gk_shared *shared,
                                                struct gk_slice value);
GK_MUST_CHECK enum gk_err gk_journal_del(struct gk_journal *journal,
                                         const char *table,
                                         struct gk_slice key);
GK_MUST_CHECK enum gk_err gk_journal_drop(struct gk_journal *journal);

/* gk_journal_append - all changes of @from, behind those of @to. */
GK_MUST_CHECK enum gk_err gk_journal_append(struct gk_journal *to,
                                            const struct gk_journal *from);

struct gk_slice gk_journal_scope(const struct gk_journal *journal);
size_t gk_journal_count(const struct gk_journal *journal);
/* gk_journal_at - change number @i; valid until the journal changes. */
struct gk_change gk_journal_at(const struct gk_journal *journal, size_t i);
void gk_journal_clear(struct gk_journal *journal);
/* gk_journal_revert - clear it for a caller who takes back what the changes
 * were about: one that was lost is lost no longer. */
void gk_journal_revert(struct gk_journal *journal);

/* gk_journal_take - move all changes to a journal of their own, which the
 * caller frees; *@out is NULL when there were none.  GK_ERR_NOMEM: a change was
 * lost, or is lost now. */
GK_MUST_CHECK enum gk_err gk_journal_take(struct gk_journal *journal,
                                          struct gk_journal **out);

/* gk_journal_move - append all changes of @from to @to, leaving none there, and
 * without copying their octets.  GK_ERR_NOMEM: @from has lost a change, or there
 * is no room; nothing has moved. */
GK_MUST_CHECK enum gk_err gk_journal_move(struct gk_journal *to,
                                          struct gk_journal *from);
/* gk_journal_lose - a change could not even be brought here: from now on the
 * journal gives nothing out. */
void gk_journal_lose(struct gk_journal *journal);

#endif /* GK_JOURNAL_H */
