/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/lkh/tests/lkh_world.h"

/*
 * A history from octets: four for the configuration, then one for each step.
 * Oracle: after every seal each member can compute the group key in one pass,
 * and all who ever left, together, cannot (tests/lkh_world.h).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *
step(struct world *w, uint8_t octet)
{
	uint32_t pick = octet >> 3;

	switch (octet & 7) {
	case 0:
	case 1:
		return world_join(w);
	case 2:
		return world_leave(w, pick);
	case 3:
		world_tick(w, pick & 3);
		if (pick & 8)
			return world_shrink(w);
		return pick & 4 ? world_refresh(w) : NULL;
	case 4:
		return pick & 1 ? world_rejoin(w, pick >> 1)
		                : world_handout(w, pick >> 1);
	case 5:
		return world_renew(w, pick);
	case 6:
		return world_reload(w);
	default:
		return world_seal(w, pick & 1 ? GK_LKH_PATH : GK_LKH_CHAIN);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gk_lkh_config cfg;
	const char *why = NULL;
	struct world *w;

	if (len < 4 || len > 1000)
		return 0;
	cfg = (struct gk_lkh_config){
		.degree = 2 + data[0] % 15,
		.key_len = 16 + data[1] % 17,
		.capacity = data[2] & 63,
		.plain = data[3] & 1,
		.backward = data[3] & 2,
		.lifetime = data[3] & 4 ? 3 : 0,
		.last_id = data[3] & 8 ? 2000 : 0,
		.first_id = data[3] & 16 ? 100 : 0,
		.spare = data[3] & 32 ? 1 : 0,
	};
	w = world_new(&cfg, data[3]);
	for (size_t i = 4; why == NULL && i < len; i++)
		why = step(w, data[i]);
	if (why == NULL)
		why = world_seal(w, GK_LKH_PATH);
	if (why != NULL) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	world_free(w);
	return 0;
}
