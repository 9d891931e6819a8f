/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GROUP_TESTS_ROWS_H
#define GROUP_TESTS_ROWS_H

#include "common/group/gk_journal.h"

/*
 * DOC: a store in memory
 *
 * Takes journals of one scope and gives rows back, table by table and in order
 * of their keys, as the real one does.  Runs out of memory by abort().
 */
struct rows;

struct rows *rows_new(void);
void rows_free(struct rows *rows);
/* rows_apply - apply and clear the journal. */
void rows_apply(struct rows *rows, struct gk_journal *journal);
size_t rows_count(const struct rows *rows);
/* rows_at - row number @i in order; kind is always PUT. */
struct gk_change rows_at(const struct rows *rows, size_t i);
/* rows_set - replace the value of row number @i. */
void rows_set(struct rows *rows, size_t i, struct gk_slice value);
bool rows_equal(const struct rows *a, const struct rows *b);

#endif /* GROUP_TESTS_ROWS_H */
