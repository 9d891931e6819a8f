/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/crypto/gk_trust.h"
#include "interop/bench/load.h"

/*
 * DOC: a crowd of members in one process, whatever they speak
 *
 * Each thread has some of the members: of @threads, thread i has the members i,
 * i + @threads, and so on.  All sign with one key, because making thousands takes
 * longer than everything else together; their certificates are their own, and the
 * key server cannot tell.
 */
struct bench_crowd {
	/* as it was asked for */
	const char *ca, *ca_key, *root;
	unsigned port, count, threads, window, forge;
	double rate, limit;
	unsigned pid; /* of the key server */
	bool retry;   /* who fails is not done */
	/* what all of them know */
	struct gk_trust *trust;
	struct gk_pki_party authority; /* pkey and x509 only */
	struct gk_certs cas;
	struct sockaddr_in server;
	/* how it goes */
	uint64_t start_ns;
	atomic_uint joined, failures, forged, stop;
};

/* What a thread has first. */
struct bench_thread {
	unsigned index;
	pthread_t id;
	struct bench_latency latency;
	uint64_t cpu_ns; /* when it is over */
};

/* One argument of the command: where its value goes, to the first that is there. */
struct bench_option {
	const char *name;
	const char **text;
	unsigned *number;
	double *real;
	bool *yes; /* "yes" or anything else */
};

/* bench_option_set - false: no such in @table of @n. */
bool bench_option_set(const struct bench_option *table, size_t n,
                      const char *name, const char *value);
/* What every crowd can be asked for. */
#define BENCH_CROWD_OPTIONS(crowd)                            \
	{ "--ca", .text = &(crowd)->ca },                     \
		{ "--ca-key", .text = &(crowd)->ca_key },     \
		{ "--root", .text = &(crowd)->root },         \
		{ "--port", .number = &(crowd)->port },       \
		{ "--count", .number = &(crowd)->count },     \
		{ "--threads", .number = &(crowd)->threads }, \
		{ "--window", .number = &(crowd)->window },   \
		{ "--forge", .number = &(crowd)->forge },     \
		{ "--rate", .real = &(crowd)->rate },         \
		{ "--limit", .real = &(crowd)->limit },       \
	{                                                     \
		"--pid", .number = &(crowd)->pid              \
	}

/* bench_crowd_server - the key server is at @port of this host. */
void bench_crowd_server(struct bench_crowd *c);
/* bench_crowd_trust - reads @ca, @ca_key and @root. */
void bench_crowd_trust(struct bench_crowd *c);
/* bench_crowd_certify - the certificate of member @number, who is called
 * "bench-0000000" or so, with @san unless that is NULL; and its chain. */
void bench_crowd_certify(struct bench_crowd *c, struct gk_pki_party *party,
                         struct gk_cert *chain[2], unsigned number,
                         enum gk_pki_alg keys, const char *san);

/* bench_crowd_socket - nonblocking, connected to the key server, from @from unless
 * that is NULL; @epoll tells of it by its number @i. */
int bench_crowd_socket(const struct bench_crowd *c, int epoll, unsigned i,
                       const struct sockaddr_in *from);

/* bench_crowd_mine - how many members thread @index has. */
unsigned bench_crowd_mine(const struct bench_crowd *c, unsigned index);
/* bench_crowd_due - of these, how many may have started by now. */
unsigned bench_crowd_due(const struct bench_crowd *c, unsigned index);
/* bench_crowd_joined - one of @t's members, which began at @started_ns. */
void bench_crowd_joined(struct bench_crowd *c, struct bench_thread *t,
                        uint64_t started_ns);

/* bench_crowd_forge - sends @template from all over a part of 127/8, which begins
 * at @first, until the end; @spoil makes the @n-th of another. */
void bench_crowd_forge(struct bench_crowd *c, uint32_t first,
                       struct gk_buf *template,
                       void (*spoil)(struct gk_buf *template, unsigned n));

/*
 * bench_crowd_play - runs @run in every thread (@threads are of @size octets and
 * begin with a struct bench_thread), and @forge beside them if forgers are wanted;
 * what came of it, as JSON.
 */
json_t *bench_crowd_play(struct bench_crowd *c, void *threads, size_t size,
                         void *(*run)(void *thread), void *(*forge)(void *));

#endif /* BENCH_CROWD_H */
