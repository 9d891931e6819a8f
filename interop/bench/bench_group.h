/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_GROUP_H
#define BENCH_GROUP_H

#include "common/store/gk_store.h"
#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/world.h"
#include "interop/bench/bench.h"
#include "interop/bench/bench_disk.h"

/* DOC: a large group, what was done to it, and its store */

struct bench {
	struct world *w;
	struct gsakmp_group *g;
	struct gk_store *store;
	struct bench_disk *disk; /* alone, beside the store */
	uint64_t slice_ns;       /* the longest of a fold */
	bool brief;              /* nothing is counted but what was done */
	bool still;              /* nothing happens between operations */
	struct bench_reference ref;
	uint32_t next; /* number of the next member */
	uint8_t *gone; /* by node of a tree: lost a key */
	uint64_t seed;
	size_t many;    /* rows to be changed, for the store's figures */
	size_t repeats; /* of a single join or leave; fewer of large batches */
};

/* What one operation did. */
struct result {
	size_t wraps, minimum, datagrams, octets, wrap_octets, rows;
	/* Planning and wrapping; signing; rows; the store; the disk alone, with
	 * the same octets; and all but the store. */
	uint64_t plan_ns, sign_ns, rows_ns, store_ns, disk_ns, cpu_ns;
	/* Of every operation of this kind: what the store does later, for many
	 * at once; and when they are few. */
	uint64_t fold_ns, fold_few_ns;
};

#define REPEATS_MAX 101

/* bench_operate - so many leave, or join, as one rekey. */
struct result bench_operate(struct bench *b, bool leaving, size_t n);

/* ---- bench_group_store.c: nothing, without a store ------------------------- */
enum gk_err bench_read_row(void *bench, struct gk_slice scope,
                           const char *table, struct gk_slice key,
                           struct gk_buf *value);
void bench_commit(struct bench *b, uint64_t ticket, struct result *r);
/* bench_settle - until everything is in its place: nanoseconds. */
uint64_t bench_settle(struct bench *b);
/* bench_fold - what @left and @joined, @n each, left for the store to do, in
 * slices; and what it is when there are many more: @few and @many nanoseconds for
 * each.  And of what waits for the disk the middle one, into all of them. */
void bench_fold(struct bench *b, size_t count, struct result *left,
                struct result *joined, size_t n);
/* bench_restarts - what a start takes after the process died. */
json_t *bench_restarts(struct bench *b, const struct gk_store_config *cfg,
                       size_t members);

#endif /* BENCH_GROUP_H */
