/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose the numbers in the kernel are. */
#include <ctype.h>
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
 *     REQID ... STORE  the first of its numbers, now and before; who it is
 *
 * The store is last and has a line's end: of a file that was not written to its end
 * nothing is believed that was cut.  Once the kernel has nothing of ours any more the
 * files are taken away, and by a restart of the host all of it, the policies too.
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

/* Who we are, by whatever way the configuration names the store; "": not known. */
static void
find_us(const struct gdoid_member *m, char us[PATH_MAX])
{
	const char *slash = strrchr(m->store_path, '/');
	const char *base = slash == NULL ? m->store_path : slash + 1;
	char *dir = slash == NULL ? strdup(".")
	                          : strndup(m->store_path,
	                                    (size_t)(base - m->store_path));
	char *full = dir == NULL ? NULL : realpath(dir, NULL);
	int n = full == NULL ? -1 : snprintf(us, PATH_MAX, "%s/%s", full, base);

	if (n < 0 || n >= PATH_MAX)
		us[0] = '\0';
	free(full);
	free(dir);
}

struct reqids {
	size_t n;
	uint32_t at[GDOI_KERNEL_BEFORE_MAX];
};

static void
add_reqid(struct reqids *r, uint32_t reqid)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i] == reqid)
			return;
	if (r->n < GK_COUNT(r->at))
		r->at[r->n++] = reqid;
}

/* Is it our store's file?  Then its reqids are added. */
static bool
read_reqids(const char *us, const char *text, struct reqids *r)
{
	const char *line = strchr(text, '\n');
	size_t len = strlen(us);
	struct reqids its = { 0 };
	char *end;

	line = line == NULL ? NULL : strchr(line + 1, '\n');
	if (line == NULL || len == 0)
		return false;
	for (line++; isdigit((unsigned char)*line); line = end + 1) {
		unsigned long reqid = strtoul(line, &end, 10);

		if (*end != ' ' || reqid == 0 || reqid > UINT32_MAX)
			return false;
		add_reqid(&its, (uint32_t)reqid);
	}
	if (strncmp(line, us, len) != 0 || line[len] != '\n')
		return false;
	for (size_t i = 0; i < its.n; i++)
		add_reqid(r, its.at[i]);
	return true;
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

	for (at = at == NULL ? "" : at + 1;; at = end) {
		unsigned long priority;

		at += strspn(at, " ");
		if (!isdigit((unsigned char)*at))
			return;
		priority = strtoul(at, &end, 10);
		if (priority <= UINT32_MAX && priority != k->priority)
			add_before(k, (uint32_t)priority);
	}
}

/* At once, and cut to its length then: what was known before is not lost where there
 * is no room, or when the daemon is killed meanwhile. */
static bool
write_file(const struct gdoid_member *m, const char *us, int fd)
{
	const struct gdoi_kernel_config *k = &m->kernel_cfg;
	struct gk_buf text = { 0 };
	char word[32];
	bool ok;

	snprintf(word, sizeof(word), "%ld\n%" PRIu32, (long)getpid(),
	         k->priority);
	ok = gk_buf_append(&text, gk_slice_str(word)) == GK_OK;
	for (size_t i = 0; ok && i < k->n_before; i++) {
		snprintf(word, sizeof(word), " %" PRIu32, k->before[i]);
		ok = gk_buf_append(&text, gk_slice_str(word)) == GK_OK;
	}
	snprintf(word, sizeof(word), "\n%" PRIu32 " ", k->reqid);
	ok = ok && gk_buf_append(&text, gk_slice_str(word)) == GK_OK;
	for (size_t i = 0; ok && i < k->n_former; i++) {
		snprintf(word, sizeof(word), "%" PRIu32 " ", k->former[i]);
		ok = gk_buf_append(&text, gk_slice_str(word)) == GK_OK;
	}
	ok = ok && gk_buf_append(&text, gk_slice_str(us)) == GK_OK &&
	     gk_buf_append(&text, gk_slice_str("\n")) == GK_OK;
	errno = ok ? ENOSPC : ENOMEM; /* where there was room for a part */
	ok = ok && pwrite(fd, text.ptr, text.len, 0) == (ssize_t)text.len &&
	     ftruncate(fd, (off_t)text.len) == 0;
	gk_buf_free(&text);
	return ok;
}

static bool
have_block(const struct gdoid_member *m, uint32_t block)
{
	for (size_t i = 0; i < m->n_numbers; i++)
		if (m->numbers[i].block == block)
			return true;
	return false;
}

/* @text: what was in its file. */
static enum gk_err
take_block(struct gdoid_member *m, uint32_t block, char text[FILE_TEXT])
{
	struct gdoid_numbers *n = &m->numbers[m->n_numbers];
	char name[64];

	name_file(name, block);
	GK_TRY(take(m->lock_dir, name, &n->fd, text));
	n->block = block;
	n->told = text[0] != '\0';
	m->n_numbers++;
	return GK_OK;
}

static enum gk_err
take_own(struct gdoid_member *m, uint32_t block, const char *us,
         struct reqids *r, struct gkd_why *why)
{
	const struct gkd_config *config = m->d->config;
	char name[64], text[FILE_TEXT] = "";
	enum gk_err err = take_block(m, block, text);

	if (err == GK_ERR_IO)
		return fail(m, why, strerror(errno));
	if (err != GK_OK) {
		name_file(name, block);
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
	(void)read_reqids(us, text, r);
	return GK_OK;
}

/* What is in a file, which is not even locked for a moment: it may be another one's,
 * who starts.  "": nothing, or there is none. */
static void
peek(const struct gdoid_member *m, const char *name, char text[FILE_TEXT])
{
	int fd = openat(m->lock_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	text[0] = '\0';
	if (fd < 0)
		return;
	read_file(fd, text);
	close(fd);
}

static void
give_back(struct gdoid_member *m, size_t first, bool empty)
{
	char name[64];

	for (size_t i = first; i < m->n_numbers; i++) {
		/* It may stay where rights are gone. */
		name_file(name, m->numbers[i].block);
		if (empty || !m->numbers[i].told)
			(void)!unlinkat(m->lock_dir, name, 0);
		close(m->numbers[i].fd);
	}
	m->n_numbers = first;
}

/* Numbers of before: all of them, as what another daemon has there by now must not be
 * taken for what was left. */
static void
take_former(struct gdoid_member *m, uint32_t reqid, const char *us)
{
	struct gdoi_kernel_config *k = &m->kernel_cfg;
	struct reqids again = { 0 };
	char name[64], text[FILE_TEXT];
	const size_t had = m->n_numbers;
	uint32_t first;
	unsigned n = gdoi_kernel_blocks(reqid, &first);

	for (uint32_t block = first; block < first + n; block++) {
		if (have_block(m, block))
			continue;
		name_file(name, block);
		peek(m, name, text);
		if ((text[0] != '\0' && !read_reqids(us, text, &again)) ||
		    take_block(m, block, text) != GK_OK ||
		    (text[0] != '\0' && !read_reqids(us, text, &again))) {
			give_back(m, had, false);
			return;
		}
		read_before(k, text);
	}
	k->former[k->n_former++] = reqid;
}

/* Was 'reqid' another one when the daemon was killed?  What it left then has those
 * numbers, which are ours as long as this life takes. */
static void
find_former(struct gdoid_member *m, const char *us, struct reqids *r)
{
	int fd = openat(m->lock_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	char any[64], text[FILE_TEXT];
	size_t prefix;

	name_file(any, 0);
	prefix = strlen(any) - 1;
	while (d != NULL && (e = readdir(d)) != NULL)
		if (strncmp(e->d_name, any, prefix) == 0) {
			peek(m, e->d_name, text);
			(void)read_reqids(us, text, r);
		}
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < r->n; i++)
		if (r->at[i] != m->kernel_cfg.reqid)
			take_former(m, r->at[i], us);
}

static enum gk_err
lock(struct gdoid_member *m, struct gkd_why *why)
{
	struct reqids r = { 0 };
	char us[PATH_MAX];
	uint32_t first;
	unsigned n = gdoi_kernel_blocks(m->kernel_cfg.reqid, &first);

	find_us(m, us);
	GK_TRY(open_directory(m, why));
	for (unsigned i = 0; i < n; i++)
		GK_TRY(take_own(m, first + i, us, &r, why));
	if (us[0] != '\0')
		find_former(m, us, &r);
	for (size_t i = 0; i < m->n_numbers; i++)
		if (!write_file(m, us, m->numbers[i].fd))
			return fail(m, why, strerror(errno));
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
gdoid_unlock_numbers(struct gdoid_member *m, bool empty)
{
	give_back(m, 0, empty);
	if (m->lock_dir > 0)
		close(m->lock_dir);
	m->lock_dir = 0;
}
