/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/server_queue.h"

#include "gsakmp/gsakmp_registry.h"
#include "gsakmp/payload/header.h"

bool
gsakmpd_is_request(struct gk_slice dgram)
{
	struct gsakmp_header header;
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	return gsakmp_header_decode(&rd, &header) != GK_OK ||
	       header.exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN;
}
