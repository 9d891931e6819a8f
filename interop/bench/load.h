/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "common/crypto/gk_cert.h"
#include "interop/bench/bench.h"

/*
 * DOC: what load generators are made of - files, latencies, forged senders
 */
void bench_read_certs(const char *path, struct gk_certs *certs);
/* bench_read_authority - a CA that certificates are made with: @ca's pkey and
 * x509, and no more of it. */
void bench_read_authority(const char *cert, const char *key,
                          struct gk_pki_party *ca);

/* How long members took: a histogram of 50 ms each; the last one is "or more". */
#define BENCH_LATENCIES 400

struct bench_latency {
	uint32_t slot[BENCH_LATENCIES];
};

void bench_latency_add(struct bench_latency *l, uint64_t ns);
/* bench_latency_json - p50, p90, p99 and max in seconds; @l is an array. */
json_t *bench_latency_json(const struct bench_latency *const *l, size_t n);

/* bench_forgers - sockets that send from addresses all over a part of 127/8,
 * which begins at @first (host order). */
#define BENCH_FORGERS 64
void bench_forgers_open(int fd[BENCH_FORGERS], uint32_t first);
void bench_forgers_close(const int fd[BENCH_FORGERS]);

#endif /* BENCH_LOAD_H */
