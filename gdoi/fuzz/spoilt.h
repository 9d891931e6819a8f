/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_FUZZ_SPOILT_H
#define GDOI_FUZZ_SPOILT_H

#include <string.h>

#include "common/base/gk_base.h"
#include "gdoi/isakmp/header.h"

/* Steps of four octets: operation, offset (2), value. */
static void
spoil(struct gk_buf *b, const uint8_t *step, size_t n)
{
	for (; n >= 4 && b->len > 0; step += 4, n -= 4) {
		size_t at = (size_t)(step[1] << 8 | step[2]) % b->len;

		switch (step[0] & 3) {
		case 0:
			b->ptr[at] = step[3];
			break;
		case 1:
			b->ptr[at] ^= step[3];
			break;
		case 2: /* cut off; the header says so */
			b->len = at;
			if (at >= ISAKMP_HEADER_LEN)
				isakmp_header_set_length(b->ptr, (uint32_t)at);
			break;
		default: /* move what is behind by one octet to the front */
			memmove(b->ptr + at, b->ptr + at + 1, b->len - at - 1);
			b->ptr[b->len - 1] = step[3];
			break;
		}
	}
}

#endif /* GDOI_FUZZ_SPOILT_H */
