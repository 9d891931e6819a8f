/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_ROW_H
#define GK_ROW_H

#include "common/group/gk_journal.h"
#include "common/wire/gk_wr.h"

/* DOC: helpers for those who write their state as rows of a journal */

void gk_row_wr_u64(struct gk_wr *wr, uint64_t v);
uint64_t gk_row_rd_u64(struct gk_rd *rd, const char *field);

/* gk_row_key - a number as a key whose order is the number's. */
struct gk_slice gk_row_key(uint32_t v, uint8_t octets[4]);

/* gk_row_put - what was written to @wr becomes the value; wipes it. */
GK_MUST_CHECK enum gk_err gk_row_put(struct gk_journal *journal,
                                     const char *table, struct gk_slice key,
                                     struct gk_wr *wr);

/* gk_row_refuse - GK_ERR_VALUE, with the reason left at @why. */
enum gk_err gk_row_refuse(const char **why, const char *reason);

#endif /* GK_ROW_H */
