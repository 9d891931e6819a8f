/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose the numbers in the kernel are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gdoi/daemon/member.h"

/*
 * What has a number of ours is ours, so no other daemon of this host may have them.  A
 * lock says so, on a file in a directory that nobody else can write to: who could
 * take it could keep us from starting.  The kernel has its SAs by network namespace, and
 * so have the files their names.  The lock goes with the process, however it ends.
 *
 *     PID
 *     PRIORITY ...     of the policies that it, or who was killed before it, has there
 *     REQID STORE      the first of its numbers; who it is, whatever they are
 *
 * An orderly end takes the file away, and a restart of the host all of it, the policies
 * too.
 */
#define FILE_TEXT (256 + PATH_MAX)
#define TRIES 8 /* the file was taken away meanwhile */

static enum gk_err
fail(const struct gdoid_member *m, struct gkd_why *why, const char *what)
{
	const struct gkd_config *config = m->d->config;

	return gkd_config_fail(
		config, gkd_elem_child(gkd_config_root(config), "kernel"), why,
		"'@lock-directory': '%s': %s", m->lock_directory, what);
}

static enum gk_err
open_directory(struct gdoid_member *m, struct gkd_why *why)
{
	struct stat st;

	if (mkdir(m->lock_directory, 0700) != 0 && errno != EEXIST)
		return fail(m, why, strerror(errno));
	m->lock_dir = open(m->lock_directory,
	                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->lock_dir < 0 || fstat(m->lock_dir, &st) != 0)
		return fail(m, why, strerror(errno));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fail(m, why,
		            "is somebody else's, who could keep "
		            "others from starting");
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fail(m, why,
		            "others may write there, who could keep "
		            "gdoi-gm from starting");
	return GK_OK;
}

static void
name_file(char out[64], uint32_t block)
{
	struct stat net = { 0 };

	/* Where it cannot be told there is one network. */
	(void)!stat("/proc/self/ns/net", &net);
	snprintf(out, 64, "net-%ju-%" PRIu32, (uintmax_t)net.st_ino, block);
}

static void
read_file(int fd, char text[FILE_TEXT])
{
	ssize_t n = pread(fd, text, FILE_TEXT - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
}

/* @text: what is in it.  GK_ERR_UNEXPECTED: somebody has it. */
static enum gk_err
take(int dir, const char *name, int *out, char text[FILE_TEXT])
{
	struct stat open_one, there;

	for (int i = 0; i < TRIES; i++) {
		int fd =
			openat(dir, name,
		               O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return GK_ERR_IO;
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			bool busy = errno == EWOULDBLOCK;

			read_file(fd, text);
			close(fd);
			return busy ? GK_ERR_UNEXPECTED : GK_ERR_IO;
		}
		if (fstat(fd, &open_one) == 0 &&
		    fstatat(dir, name, &there, 0) == 0 &&
		    open_one.st_ino == there.st_ino) {
			read_file(fd, text);
			*out = fd;
			return GK_OK;
		}
		close(fd);
	}
	errno = EAGAIN;
	return GK_ERR_IO;
}

/* Does the file name our store?  *@reqid: the first of the numbers then. */
static bool
names_us(const struct gdoid_member *m, const char *text, uint32_t *reqid)
{
	const char *line = strchr(text, '\n');
	size_t len = strlen(m->store_path);
	unsigned long first;
	char *end;

	line = line == NULL ? NULL : strchr(line + 1, '\n');
	if (line == NULL)
		return false;
	first = strtoul(line + 1, &end, 10);
	*reqid = (uint32_t)first;
	return end != line + 1 && first != 0 && first <= UINT32_MAX &&
	       *end == ' ' && strncmp(end + 1, m->store_path, len) == 0 &&
	       end[1 + len] == '\n';
}

static void
add_before(struct gdoi_kernel_config *k, uint32_t priority)
{
	for (size_t i = 0; i < k->n_before; i++)
		if (k->before[i] == priority)
			return;
	if (k->n_before < GDOI_KERNEL_BEFORE_MAX)
		k->before[k->n_before++] = priority;
}

/* Which priorities an earlier life had, the latest first. */
static void
read_before(struct gdoi_kernel_config *k, const char *text)
{
	const char *at = strchr(text, '\n');
	char *end;

	for (; at != NULL; at = end) {
		unsigned long priority = strtoul(at, &end, 10);

		if (end == at)
			return;
		if (priority <= UINT32_MAX && priority != k->priority)
			add_before(k, (uint32_t)priority);
	}
}

static bool
write_file(const struct gdoid_member *m, int fd)
{
	const struct gdoi_kernel_config *k = &m->kernel_cfg;
	bool ok = ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	          dprintf(fd, "%ld\n%" PRIu32, (long)getpid(), k->priority) > 0;

	for (size_t i = 0; ok && i < k->n_before; i++)
		ok = dprintf(fd, " %" PRIu32, k->before[i]) > 0;
	return ok &&
	       dprintf(fd, "\n%" PRIu32 " %s\n", k->reqid, m->store_path) > 0;
}

static enum gk_err
take_block(struct gdoid_member *m, uint32_t block, int *fd, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	char name[64], text[FILE_TEXT] = "";
	enum gk_err err;

	name_file(name, block);
	err = take(m->lock_dir, name, fd, text);
	if (err == GK_ERR_IO)
		return fail(m, why, strerror(errno));
	if (err != GK_OK) {
		text[strcspn(text, "\n")] = '\0';
		return gkd_config_fail(
			config,
			gkd_elem_child(gkd_config_root(config), "kernel"), why,
			"another gdoi-gm on this host, process %s, has the "
			"numbers that begin with 'reqid' %u, or some of them: "
			"those of two are %d apart ('%s/%s' is locked)",
			text[0] != '\0' ? text : "?", m->kernel_cfg.reqid,
			GDOI_KERNEL_APART, m->lock_directory, name);
	}
	read_before(&m->kernel_cfg, text);
	return write_file(m, *fd) ? GK_OK : fail(m, why, strerror(errno));
}

/* A file of before: nobody has it, and it names our store. */
static void
take_former(struct gdoid_member *m, const char *name)
{
	struct gdoi_kernel_config *k = &m->kernel_cfg;
	struct gdoid_former *f = &m->former[m->n_former];
	char text[FILE_TEXT] = "";
	uint32_t reqid;
	int fd = openat(m->lock_dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	read_file(fd, text);
	close(fd);
	/* Whose it is not is not even locked for a moment. */
	if (!names_us(m, text, &reqid) ||
	    take(m->lock_dir, name, &fd, text) != GK_OK)
		return;
	if (!names_us(m, text, &reqid)) {
		close(fd);
		return;
	}
	f->fd = fd;
	snprintf(f->name, sizeof(f->name), "%s", name);
	m->n_former++;
	read_before(k, text);
	for (size_t i = 0; i < k->n_former; i++)
		if (k->former[i] == reqid)
			return;
	k->former[k->n_former++] = reqid;
}

/* Was 'reqid' another one when the daemon was killed?  What it left then has those
 * numbers, which are ours as long as this life takes. */
static void
find_former(struct gdoid_member *m)
{
	DIR *d = opendir(m->lock_directory);
	const struct dirent *e;
	char any[64], own[64];
	uint32_t first;
	unsigned n = gdoi_kernel_blocks(m->kernel_cfg.reqid, &first);
	size_t prefix;

	name_file(any, 0);
	prefix = strlen(any) - 1;
	while (d != NULL && m->n_former < GK_COUNT(m->former) &&
	       (e = readdir(d)) != NULL) {
		bool is_own = strncmp(e->d_name, any, prefix) != 0;

		for (unsigned i = 0; i < n && !is_own; i++) {
			name_file(own, first + i);
			is_own = strcmp(e->d_name, own) == 0;
		}
		if (!is_own && strlen(e->d_name) < sizeof(any))
			take_former(m, e->d_name);
	}
	if (d != NULL)
		closedir(d);
}

static enum gk_err
lock(struct gdoid_member *m, struct gkd_why *why)
{
	uint32_t first;
	unsigned n = gdoi_kernel_blocks(m->kernel_cfg.reqid, &first);

	GK_TRY(open_directory(m, why));
	for (unsigned i = 0; i < n; i++)
		GK_TRY(take_block(m, first + i, &m->numbers_fd[i], why));
	find_former(m);
	return GK_OK;
}

/* The store is the user's that the daemon will run as; this is not. */
enum gk_err
gdoid_lock_numbers(struct gdoid_member *m, struct gkd_why *why)
{
	uid_t uid = (uid_t)setfsuid(geteuid());
	gid_t gid = (gid_t)setfsgid(getegid());
	enum gk_err err = lock(m, why);

	(void)setfsgid(gid);
	(void)setfsuid(uid);
	return err;
}

void
gdoid_unlock_numbers(struct gdoid_member *m)
{
	uint32_t first;
	char name[64];

	(void)gdoi_kernel_blocks(m->kernel_cfg.reqid, &first);
	for (size_t i = 0; i < GK_COUNT(m->numbers_fd); i++) {
		if (m->numbers_fd[i] <= 0)
			continue;
		/* It may stay where rights are gone. */
		name_file(name, first + (uint32_t)i);
		(void)!unlinkat(m->lock_dir, name, 0);
		close(m->numbers_fd[i]);
		m->numbers_fd[i] = 0;
	}
	for (size_t i = 0; i < m->n_former; i++) {
		(void)!unlinkat(m->lock_dir, m->former[i].name, 0);
		close(m->former[i].fd);
	}
	m->n_former = 0;
	if (m->lock_dir > 0)
		close(m->lock_dir);
	m->lock_dir = 0;
}
