/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_WORLD_IMPL_H
#define GSAKMP_TESTS_WORLD_IMPL_H

#include <stdio.h>
#include <stdlib.h>

#include "gsakmp/tests/world.h"

/*
 * DOC: inside the world - for world*.c only
 */
#define WORLD_MUST(expr)                                                       \
	do {                                                                   \
		enum gk_err must_err_ = (expr);                                \
		if (must_err_ != GK_OK) {                                      \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, \
			        #expr, gk_strerror(must_err_));                \
			abort();                                               \
		}                                                              \
	} while (0)

struct world_suite_row {
	struct gsakmp_suite suite;
	enum gk_pki_alg alg, owner;
	bool legacy;
};
extern const struct world_suite_row world_suites[]; /* by enum world_suite */

void world_drain_group(struct world *w);
void world_note(struct world_seen *seen, const struct gsakmp_output *out);
void world_seen_clear(struct world_seen *seen);
struct gsakmp_endpoint world_endpoint(unsigned node);

/* As gsakmp_rows.read; @ctx is a struct world_store. */
enum gk_err world_store_read(void *ctx, struct gk_slice scope,
                             const char *table, struct gk_slice key,
                             struct gk_buf *value);

/* world_board.c: the bulletin of the group */
#define WORLD_BOARD "http://board.example/rekey"
void world_board_post(struct world *w, const struct gsakmp_output *out);
void world_board_ask(struct world_member *m, const struct gsakmp_output *out);
/* world_board_answer - false: it has not asked. */
bool world_board_answer(struct world_member *m);

#endif /* GSAKMP_TESTS_WORLD_IMPL_H */
