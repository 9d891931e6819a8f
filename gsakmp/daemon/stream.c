/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/stream.h"

#include "gsakmp/payload/header.h"

/* Octets behind the GroupID value and before the Length field: Next Payload,
 * Version, Exchange Type and Sequence ID. */
#define BETWEEN 7

enum gk_err
gsakmpd_stream_need(void *arg, struct gk_slice seen, size_t *total)
{
	const uint8_t *length;
	size_t header;

	(void)arg;
	*total = 0;
	if (seen.len < 2)
		return GK_OK;
	header = GSAKMP_HEADER_FIXED + (size_t)seen.ptr[1];
	if (seen.len < header)
		return GK_OK;
	length = seen.ptr + 2 + seen.ptr[1] + BETWEEN;
	*total = (size_t)length[0] << 24 | (size_t)length[1] << 16 |
	         (size_t)length[2] << 8 | length[3];
	/* Nothing after a length that is a lie can be trusted. */
	return *total < header ? GK_ERR_VALUE : GK_OK;
}
