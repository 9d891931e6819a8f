/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_DISK_H
#define BENCH_DISK_H

#include "common/store/gk_store.h"
#include "interop/bench/bench.h"

/*
 * DOC: the disk alone
 *
 * Whoever has to know that octets are on the disk writes them and waits:
 * write() and fdatasync(), to a file that has its room already, which is the
 * cheapest there is.  This is the reference for a commit of the store, with the
 * octets that the rows of the commit have.
 */
struct bench_disk;

struct bench_disk *bench_disk_open(const char *store); /* beside it */
void bench_disk_close(struct bench_disk *disk);        /* and unlinked */
/* bench_disk_write - nanoseconds of CPU of this thread for so many octets. */
uint64_t bench_disk_write(struct bench_disk *disk, size_t octets);

/* bench_disk_octets - of the rows of a journal. */
size_t bench_disk_octets(const struct gk_journal *journal);

/*
 * bench_restart - what a start would find if the process died now: the store's
 * files are copied and opened.  Nanoseconds of CPU of this thread: until the log
 * is read, and until it is in the rows.
 */
struct bench_restart {
	uint64_t open_ns, fold_ns;
	size_t log_octets; /* of the write-ahead log, too, if it has any */
};
struct bench_restart bench_restart(const struct gk_store_config *cfg);

#endif /* BENCH_DISK_H */
