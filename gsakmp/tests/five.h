/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_FIVE_H
#define GSAKMP_TESTS_FIVE_H

#include "common/test/gk_five.h"

/* FIVE_CODEC(type, prefix): adapters of a plain _decode/_encode pair. */
#define FIVE_CODEC(prefix)                                                   \
	static struct gsakmp_##prefix prefix##_decoded;                      \
	static enum gk_err prefix##_five_decode(struct gk_rd *rd, void *to)  \
	{                                                                    \
		return gsakmp_##prefix##_decode(rd, to);                     \
	}                                                                    \
	static void prefix##_five_encode(struct gk_wr *wr, const void *from) \
	{                                                                    \
		gsakmp_##prefix##_encode(wr, from);                          \
	}

#endif /* GSAKMP_TESTS_FIVE_H */
