/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/notification.h"

enum gk_err
isakmp_notification_decode(struct gk_rd *rd,
                           struct isakmp_notification *notification)
{
	size_t spi_size;

	*notification = (struct isakmp_notification){ 0 };
	notification->doi = gk_rd_u32(rd, "DOI");
	notification->protocol = gk_rd_u8(rd, "Protocol-ID");
	spi_size = gk_rd_u8(rd, "SPI Size");
	notification->type = gk_rd_u16(rd, "Notify Message Type");
	notification->spi = gk_rd_bytes(rd, spi_size, "SPI");
	notification->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

void
isakmp_notification_encode(struct gk_wr *wr,
                           const struct isakmp_notification *notification)
{
	gk_wr_u32(wr, notification->doi);
	gk_wr_u8(wr, notification->protocol);
	gk_wr_u8(wr, (uint8_t)notification->spi.len);
	gk_wr_u16(wr, notification->type);
	gk_wr_bytes(wr, notification->spi);
	gk_wr_bytes(wr, notification->data);
}
