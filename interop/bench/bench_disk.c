/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/bench/bench_disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM ((size_t)4 << 20) /* octets; as the write-ahead log keeps */
#define NAME_MAX_ 4096

struct bench_disk {
	char path[NAME_MAX_];
	int fd;
	size_t at;
	uint8_t octets[ROOM];
};

static void
name(char out[NAME_MAX_], const char *store, const char *suffix)
{
	int n = snprintf(out, NAME_MAX_, "%s-%s", store, suffix);

	BENCH_NEED(n > 0 && n < NAME_MAX_);
}

struct bench_disk *
bench_disk_open(const char *store)
{
	struct bench_disk *d = malloc(sizeof(*d));

	BENCH_NEED(d != NULL);
	memset(d->octets, 0x5a, sizeof(d->octets));
	d->at = 0;
	name(d->path, store, "disk");
	d->fd = open(d->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	BENCH_NEED(d->fd >= 0);
	BENCH_NEED(write(d->fd, d->octets, ROOM) == (ssize_t)ROOM);
	BENCH_NEED(fsync(d->fd) == 0);
	return d;
}

void
bench_disk_close(struct bench_disk *d)
{
	if (d == NULL)
		return;
	close(d->fd);
	unlink(d->path);
	free(d);
}

uint64_t
bench_disk_write(struct bench_disk *d, size_t octets)
{
	uint64_t start = bench_thread_ns();

	while (octets > 0) {
		size_t n = octets < ROOM ? octets : ROOM;

		if (d->at + n > ROOM)
			d->at = 0;
		BENCH_NEED(pwrite(d->fd, d->octets, n, (off_t)d->at) ==
		           (ssize_t)n);
		d->at += n;
		octets -= n;
	}
	BENCH_NEED(fdatasync(d->fd) == 0);
	return bench_thread_ns() - start;
}

size_t
bench_disk_octets(const struct gk_journal *j)
{
	size_t n = 0;

	for (size_t i = 0; i < gk_journal_count(j); i++) {
		struct gk_change c = gk_journal_at(j, i);

		n += strlen(c.table) + c.key.len + c.value.len;
	}
	return n;
}

/* ---- a start after the process died ---------------------------------------- */

static size_t
copy(const char *from, const char *to)
{
	static uint8_t octets[1 << 20];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	size_t n, all = 0;

	BENCH_NEED(out != NULL && chmod(to, 0600) == 0);
	while (in != NULL && (n = fread(octets, 1, sizeof(octets), in)) > 0) {
		BENCH_NEED(fwrite(octets, 1, n, out) == n);
		all += n;
	}
	if (in != NULL)
		fclose(in);
	BENCH_NEED(fclose(out) == 0);
	return all;
}

struct bench_restart
bench_restart(const struct gk_store_config *cfg)
{
	char from[NAME_MAX_], to[NAME_MAX_], to_wal[NAME_MAX_];
	struct gk_store_config dead = *cfg;
	struct bench_restart r = { 0 };
	char why[GK_STORE_WHY_MAX];
	struct gk_store *store;
	uint64_t start;

	name(from, cfg->path, "wal");
	name(to, cfg->path, "dead");
	name(to_wal, to, "wal");
	dead.path = to;
	copy(cfg->path, to);
	r.log_octets = copy(from, to_wal);
	start = bench_thread_ns();
	if (gk_store_open(&dead, &store, why) != GK_OK)
		bench_die("%s: %s", to, why);
	r.open_ns = bench_thread_ns() - start;
	start = bench_thread_ns();
	BENCH_MUST(gk_store_fold(store));
	r.fold_ns = bench_thread_ns() - start;
	gk_store_close(store);
	unlink(to);
	unlink(to_wal);
	return r;
}
