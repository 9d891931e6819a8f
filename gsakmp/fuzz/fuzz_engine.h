/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_FUZZ_ENGINE_H
#define GSAKMP_FUZZ_ENGINE_H

#include "gsakmp/tests/world.h"

/*
 * DOC: real messages, spoilt
 *
 * An input is a little program.  Its first octet picks the engine's state or
 * the sender, the second a genuine message; 0xff: the rest of the input is the
 * datagram.  Then follow steps of four octets - operation, offset (2), value -
 * that spoil the message.
 *
 * Oracle: what the engine refuses has changed nothing (its digest is the same).
 */
static inline void
fuzz_spoil(struct gk_buf *msg, const uint8_t *step, size_t n)
{
	for (; n >= 4 && msg->len > 0; step += 4, n -= 4) {
		size_t at = (size_t)(step[1] << 8 | step[2]) % msg->len;

		switch (step[0] & 3) {
		case 0:
			msg->ptr[at] = step[3];
			break;
		case 1:
			msg->ptr[at] ^= step[3];
			break;
		case 2: /* cut off */
			msg->len = at;
			break;
		default: /* move what is behind by one octet to the front */
			memmove(msg->ptr + at, msg->ptr + at + 1,
			        msg->len - at - 1);
			msg->ptr[msg->len - 1] = step[3];
			break;
		}
	}
}

#endif /* GSAKMP_FUZZ_ENGINE_H */
