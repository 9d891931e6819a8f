/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT_NS 50000000u

static struct gk_buf
read_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct gk_buf buf;
	long n;

	if (f == NULL)
		bench_die("%s: %s", path, strerror(errno));
	BENCH_NEED(fseek(f, 0, SEEK_END) == 0 && (n = ftell(f)) > 0);
	rewind(f);
	BENCH_MUST(gk_buf_alloc(&buf, (size_t)n));
	BENCH_NEED(fread(buf.ptr, 1, buf.len, f) == buf.len);
	fclose(f);
	return buf;
}

void
bench_read_certs(const char *path, struct gk_certs *certs)
{
	struct gk_buf pem = read_file(path);

	BENCH_MUST(gk_certs_from_pem(gk_buf_slice(&pem), certs));
	gk_buf_free(&pem);
}

void
bench_read_authority(const char *cert, const char *key, struct gk_pki_party *ca)
{
	FILE *f = fopen(cert, "re");

	BENCH_NEED(f != NULL);
	ca->x509 = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	f = fopen(key, "re");
	BENCH_NEED(f != NULL);
	ca->pkey = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	BENCH_NEED(ca->x509 != NULL && ca->pkey != NULL);
}

void
bench_latency_add(struct bench_latency *l, uint64_t ns)
{
	uint64_t slot = ns / SLOT_NS;

	l->slot[slot < BENCH_LATENCIES ? slot : BENCH_LATENCIES - 1]++;
}

json_t *
bench_latency_json(const struct bench_latency *const *l, size_t n)
{
	static const double p[] = { 0.5, 0.9, 0.99, 1.0 };
	static const char *const names[] = { "p50", "p90", "p99", "max" };
	json_t *o = json_object();
	uint64_t sum = 0, total = 0;
	unsigned k = 0;

	for (size_t t = 0; t < n; t++)
		for (unsigned i = 0; i < BENCH_LATENCIES; i++)
			total += l[t]->slot[i];
	for (unsigned i = 0; i < BENCH_LATENCIES && total != 0; i++) {
		for (size_t t = 0; t < n; t++)
			sum += l[t]->slot[i];
		while (k < 4 && (double)sum >= p[k] * (double)total)
			json_object_set_new(o, names[k++],
			                    json_real((i + 1) * 0.05));
	}
	return o;
}

void
bench_forgers_open(int fd[BENCH_FORGERS], uint32_t first)
{
	for (unsigned i = 0; i < BENCH_FORGERS; i++) {
		struct sockaddr_in from = { .sin_family = AF_INET };

		from.sin_addr.s_addr = htonl(first + i * 257);
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		BENCH_NEED(fd[i] >= 0 && bind(fd[i], (struct sockaddr *)&from,
		                              sizeof(from)) == 0);
	}
}

void
bench_forgers_close(const int fd[BENCH_FORGERS])
{
	for (unsigned i = 0; i < BENCH_FORGERS; i++)
		close(fd[i]);
}
