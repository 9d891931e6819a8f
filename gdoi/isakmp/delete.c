/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/delete.h"

enum gk_err
isakmp_delete_decode(struct gk_rd *rd, struct isakmp_delete *d)
{
	*d = (struct isakmp_delete){ .at = gk_rd_offset(rd) };
	d->doi = gk_rd_u32(rd, "DOI");
	d->protocol = gk_rd_u8(rd, "Protocol-Id");
	d->spi_size = gk_rd_u8(rd, "SPI Size");
	d->count = gk_rd_u16(rd, "# of SPIs");
	d->spis = gk_rd_bytes(rd, (size_t)d->count * d->spi_size, "SPI");

	return gk_rd_done(rd);
}

void
isakmp_delete_encode(struct gk_wr *wr, const struct isakmp_delete *d)
{
	gk_wr_u32(wr, d->doi);
	gk_wr_u8(wr, d->protocol);
	gk_wr_u8(wr, d->spi_size);
	gk_wr_u16(wr, d->count);
	gk_wr_bytes(wr, d->spis);
}
