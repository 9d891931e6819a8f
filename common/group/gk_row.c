/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/group/gk_row.h"

void
gk_row_wr_u64(struct gk_wr *wr, uint64_t v)
{
	gk_wr_u32(wr, (uint32_t)(v >> 32));
	gk_wr_u32(wr, (uint32_t)v);
}

uint64_t
gk_row_rd_u64(struct gk_rd *rd, const char *field)
{
	uint64_t high = gk_rd_u32(rd, field);

	return high << 32 | gk_rd_u32(rd, field);
}

struct gk_slice
gk_row_key(uint32_t v, uint8_t octets[4])
{
	struct gk_wr wr;

	gk_wr_init(&wr, octets, 4);
	gk_wr_u32(&wr, v);
	return (struct gk_slice){ octets, 4 };
}

enum gk_err
gk_row_put(struct gk_journal *journal, const char *table, struct gk_slice key,
           struct gk_wr *wr)
{
	enum gk_err err = gk_wr_done(wr);

	if (err == GK_OK)
		err = gk_journal_put(journal, table, key,
		                     (struct gk_slice){ wr->buf, wr->len });
	gk_wipe(wr->buf, wr->len);
	return err;
}

enum gk_err
gk_row_refuse(const char **why, const char *reason)
{
	*why = reason;
	return GK_ERR_VALUE;
}
