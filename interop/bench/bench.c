/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/bench/bench.h"

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gsakmp/gsakmp_registry.h"

const struct bench_suite bench_suites[] = {
	/* Suite 1 of RFC 4535 with a group and a key of today's length. */
	{ "rsa2048-modp2048", GK_PKI_RSA2048, GSAKMP_SIGNATURE_RSA_SHA256,
	  GSAKMP_NONCE_HASH_SHA256, GSAKMP_KEY_CREATION_MODP2048,
	  GSAKMP_KEY_AES_CBC_128 },
	{ "p256", GK_PKI_P256, GSAKMP_SIGNATURE_ECDSA_P256,
	  GSAKMP_NONCE_HASH_SHA256, GSAKMP_KEY_CREATION_ECDH_P256,
	  GSAKMP_KEY_AES_GCM_128 },
	{ .name = NULL },
};

void
bench_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void
bench_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t
bench_wall_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
bench_cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t
bench_thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

struct gk_now
bench_now(void)
{
	return (struct gk_now){ .mono_ms = bench_wall_ns() / 1000000u,
		                .utc_s = time(NULL) };
}

size_t
bench_heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

size_t
bench_resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	BENCH_NEED(f != NULL && fscanf(f, "%*u %lu", &pages) == 1);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

const struct bench_suite *
bench_suite(const char *name)
{
	for (const struct bench_suite *s = bench_suites; s->name != NULL; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	bench_die("there is no suite '%s'", name);
}

void
bench_print(json_t *o)
{
	BENCH_NEED(o != NULL && json_dumpf(o, stdout, JSON_INDENT(1)) == 0);
	putchar('\n');
	json_decref(o);
}

uint64_t
bench_process_ns(pid_t pid)
{
	char path[300];
	struct dirent *d;
	uint64_t sum = 0;
	DIR *dir;

	if (pid == 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return 0;
	while ((d = readdir(dir)) != NULL) {
		unsigned long long ns = 0;
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/task/%.20s/schedstat",
		         (int)pid, d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (f == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	closedir(dir);
	return sum;
}

uint64_t
bench_process_rest(pid_t pid)
{
	uint64_t last = bench_process_ns(pid), now;

	for (int i = 0; i < 100; i++) {
		usleep(50000); /* it has rested when this cost it nothing */
		now = bench_process_ns(pid);
		if (now - last < 500000)
			return now;
		last = now;
	}
	return last;
}

double
bench_threads(unsigned threads, void *(*work)(void *job),
              const struct bench_job *job, size_t size)
{
	uint8_t *all = calloc(threads, size);
	pthread_t *id = calloc(threads, sizeof(*id));
	uint64_t cpu = 0, count = 0;

	BENCH_NEED(all != NULL && id != NULL);
	for (unsigned i = 0; i < threads; i++) {
		memcpy(all + i * size, job, size);
		BENCH_NEED(pthread_create(&id[i], NULL, work, all + i * size) ==
		           0);
	}
	for (unsigned i = 0; i < threads; i++) {
		struct bench_job did;

		pthread_join(id[i], NULL);
		memcpy(&did, all + i * size, sizeof(did));
		cpu += did.cpu_ns;
		count += did.count;
	}
	free(all);
	free(id);
	return (double)cpu / (double)count;
}
