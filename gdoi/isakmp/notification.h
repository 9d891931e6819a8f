/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ISAKMP_NOTIFICATION_H
#define GDOI_ISAKMP_NOTIFICATION_H

#include "common/wire/gk_wr.h"
#include "gdoi/isakmp/reject.h"

/*
 * DOC: Notification Payload - RFC 2408 section 3.14
 *
 *    +---------------------------------------------------------------+
 *    |              Domain of Interpretation  (DOI)                  |
 *    +---------------+---------------+-------------------------------+
 *    |  Protocol-ID  |   SPI Size    |      Notify Message Type      |
 *    +---------------+---------------+-------------------------------+
 *    ~                Security Parameter Index (SPI)                 ~
 *    +---------------------------------------------------------------+
 *    ~                       Notification Data                       ~
 *    +---------------------------------------------------------------+
 */
struct isakmp_notification {
	uint32_t doi;
	uint8_t protocol;
	uint16_t
		type; /* RFC 2408 section 3.14.1; unknown ones are informative */
	struct gk_slice spi;
	struct gk_slice data;
};

GK_MUST_CHECK enum gk_err isakmp_notification_decode(
	struct gk_rd *rd, struct isakmp_notification *notification);
void isakmp_notification_encode(struct gk_wr *wr,
                                const struct isakmp_notification *notification);

#endif /* GDOI_ISAKMP_NOTIFICATION_H */
