/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_H
#define BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/gk_env.h"
#include "common/test/gk_test_pki.h"

/*
 * DOC: what the benchmarks share - clocks, the reference, the result
 *
 * A benchmark prints one JSON object on its standard output, and progress on
 * standard error.  It measures ratios: what the suite needs, over what OpenSSL
 * alone needs for the same operations on the same cores, in the same run.
 *
 * Any failure ends the program: half a figure is worse than none.
 */
#define BENCH_MUST(expr)                                                      \
	do {                                                                  \
		enum gk_err bench_err_ = (expr);                              \
		if (bench_err_ != GK_OK)                                      \
			bench_die("%s:%d: %s: %s", __FILE__, __LINE__, #expr, \
			          gk_strerror(bench_err_));                   \
	} while (0)
#define BENCH_NEED(cond)                                                   \
	do {                                                               \
		if (!(cond))                                               \
			bench_die("%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

_Noreturn void bench_die(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
/* bench_say - one line of progress. */
void bench_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

uint64_t bench_wall_ns(void);
uint64_t bench_cpu_ns(void);    /* of this process, all threads */
uint64_t bench_thread_ns(void); /* of this thread */
/* Of another process, all threads; 0 for pid 0.  _rest: once it has nothing to do
 * any more. */
uint64_t bench_process_ns(pid_t pid);
uint64_t bench_process_rest(pid_t pid);
/* bench_threads - @work on @threads copies of @job, of @size octets, at the same time:
 * nanoseconds of CPU for each of what they have counted. */
struct bench_job {
	uint64_t cpu_ns, count;
};
double bench_threads(unsigned threads, void *(*work)(void *job),
                     const struct bench_job *job, size_t size);
/* bench_now - real time, as the engines want it. */
struct gk_now bench_now(void);

/* Memory in use, octets: as malloc sees it, and as the kernel does. */
size_t bench_heap(void);
size_t bench_resident(void);

/* The two suites of mechanisms that registrations are measured with. */
struct bench_suite {
	const char *name;
	enum gk_pki_alg keys;
	uint16_t signature, nonce_hash, key_creation, encryption;
};
const struct bench_suite *bench_suite(const char *name); /* or it dies */
extern const struct bench_suite bench_suites[];          /* ends with NULL */

/*
 * The reference: nanoseconds of CPU of each public-key operation, by OpenSSL
 * with everything prepared and kept that can be, on @threads threads at once.
 * wrap is one AES encryption under a key of its own with a random IV, and
 * wrap_octet what each octet adds to it; draw is one random key.
 */
struct bench_reference {
	double sign, verify, generate, derive;
	double wrap, wrap_octet, draw;
	double hash_octet; /* SHA-256, of what is signed */
};
struct bench_reference bench_reference(const struct bench_suite *suite,
                                       unsigned threads, double seconds);
json_t *bench_reference_json(const struct bench_reference *ref);

/*
 * What OpenSSL alone needs for one rekey when the caches are somebody else's: so
 * many wraps of so many octets under a key of their own, and one signature, after
 * @empty.  P-256 and AES-128-GCM; nanoseconds of CPU, the least of @times.
 */
struct bench_cold {
	size_t wraps, octets, hashed, times;
	void (*empty)(void *arg);
	void *arg;
};
uint64_t bench_reference_cold(const struct bench_cold *cold);

/*
 * The second reference, nanoseconds of CPU: what OpenSSL's usual calls take with
 * a peer that is met for the first time.  parse is d2i_X509(); path is
 * X509_verify_cert() with CRLs, path_signatures of which are verified in it;
 * verify and sign make a context for each message; exchange makes a key pair
 * and derives.
 */
struct bench_usual {
	double parse, path, verify, sign, exchange;
	int path_signatures;
};
struct bench_usual bench_usual(const struct bench_suite *suite,
                               unsigned threads, double seconds);
json_t *bench_usual_json(const struct bench_usual *usual);

void bench_print(json_t *o); /* and frees it */

#endif /* BENCH_H */
