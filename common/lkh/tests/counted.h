/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMMON_LKH_TESTS_COUNTED_H
#define COMMON_LKH_TESTS_COUNTED_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/gk_env.h"

/* DOC: randomness that counts, so that no two keys are the same, and some that fails */

static enum gk_err
counting(void *ctx, uint8_t *out, size_t n)
{
	uint32_t *next = ctx;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((*next)++ * 37 >> 3);
	return GK_OK;
}

static enum gk_err
broken(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx, (void)out, (void)n;
	return GK_ERR_CRYPTO;
}

static uint32_t draws;
static const struct gk_env env = { .random = counting, .ctx = &draws };

#endif /* COMMON_LKH_TESTS_COUNTED_H */
