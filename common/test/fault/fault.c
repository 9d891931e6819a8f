/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * DOC: fault - a program that dies at a durable write
 *
 * A library for LD_PRELOAD, for tests only: the programs know nothing of it and
 * it is never installed.  It counts what a program does to its store and to the
 * token files that it replaces (pwrite, write, fsync, fdatasync, ftruncate,
 * rename, unlink), and at the Nth such call kills it as kill -9 does:
 *
 *   MSEC_FAULT=N    before the call
 *   MSEC_FAULT=N/   in the middle of it: half of a write is done
 *   MSEC_FAULT=N+   after it
 *
 * What counts can be less than all: MSEC_FAULT_FROM names a file, and calls
 * count once it is there; MSEC_FAULT_ONLY="CALL FILE" counts the calls of that
 * name on the file of that name, which a number may follow.  MSEC_FAULT_LOG
 * names a file that gets a line for each call that counts.
 *
 * MSEC_FAULT_HANG names a folder.  As long as there is a FIFO "hold" in it, fsync and
 * fdatasync say so in the FIFO "told" and wait until nobody has "hold" open for
 * writing: a disk that hangs.
 */
#define LOG_LINE 400

static atomic_ulong calls;

static unsigned long
fault_at(char *how)
{
	const char *text = getenv("MSEC_FAULT");
	unsigned long n;
	char *end;

	if (text == NULL)
		return 0;
	n = strtoul(text, &end, 10);
	*how = *end;
	return n;
}

static void
die(void)
{
	/* The programs' system call filter permits tgkill. */
	syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), SIGKILL);
	_exit(137);
}

/* A store, its log, or a token on its way into place. */
static int
counts(const char *path)
{
	return strstr(path, ".db") != NULL || strstr(path, ".token") != NULL;
}

static int
is_one(const char *only, const char *what, const char *path)
{
	const char *file = strrchr(path, '/');
	size_t n = strlen(what), m;

	file = file == NULL ? path : file + 1;
	if (strncmp(only, what, n) != 0 || only[n] != ' ')
		return 0;
	only += n + 1;
	m = strlen(only);
	return strncmp(file, only, m) == 0 &&
	       (file[m] == '\0' || isdigit((unsigned char)file[m]));
}

/* Is it one of those that are asked for? */
static int
wanted(const char *what, const char *path)
{
	const char *from = getenv("MSEC_FAULT_FROM");
	const char *only = getenv("MSEC_FAULT_ONLY");
	int saved = errno, there;

	if (only != NULL && !is_one(only, what, path))
		return 0;
	there = from == NULL || access(from, F_OK) == 0;
	errno = saved;
	return there;
}

static void
note(unsigned long n, const char *what, const char *path)
{
	const char *name = getenv("MSEC_FAULT_LOG");
	char line[LOG_LINE];
	FILE *f;

	if (name == NULL || (f = fopen(name, "ae")) == NULL)
		return;
	snprintf(line, sizeof(line), "%lu %s %s\n", n, what, path);
	fputs(line, f);
	fclose(f);
}

/* Is this call the one?  0: no; else how: 'b'efore, 'm'iddle, 'a'fter. */
static char
turn(const char *what, const char *path)
{
	unsigned long n, at;
	char how = '\0';

	if (!counts(path) || !wanted(what, path))
		return 0;
	n = atomic_fetch_add(&calls, 1) + 1;
	note(n, what, path);
	at = fault_at(&how);
	if (at == 0 || n != at)
		return 0;
	if (how == '/')
		return 'm';
	if (how == '+')
		return 'a';
	die();
	return 'b';
}

static int
path_of(int fd, char path[PATH_MAX])
{
	char link[64];
	int saved = errno;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	errno = saved;
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return 1;
}

static char
turn_fd(const char *what, int fd)
{
	char path[PATH_MAX];

	return path_of(fd, path) ? turn(what, path) : 0;
}

/* The function of that name that would have been called. */
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

ssize_t
pwrite64(int fd, const void *octets, size_t n, off64_t at)
{
	char how = turn_fd("pwrite", fd);
	ssize_t done = REAL(pwrite64)(fd, octets, how == 'm' ? n / 2 : n, at);

	if (how != 0)
		die();
	return done;
}

ssize_t
write(int fd, const void *octets, size_t n)
{
	char how = turn_fd("write", fd);
	ssize_t done = REAL(write)(fd, octets, how == 'm' ? n / 2 : n);

	if (how != 0)
		die();
	return done;
}

static void
hang(int fd)
{
	const char *folder = getenv("MSEC_FAULT_HANG");
	char path[PATH_MAX], octet;
	int hold, told;

	if (folder == NULL || !path_of(fd, path) || !counts(path))
		return;
	snprintf(path, sizeof(path), "%s/hold", folder);
	hold = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (hold < 0)
		return;
	snprintf(path, sizeof(path), "%s/told", folder);
	told = open(path, O_WRONLY | O_CLOEXEC);
	if (told < 0 || REAL(write)(told, "h", 1) != 1 ||
	    fcntl(hold, F_SETFL, 0) != 0)
		die();
	close(told);
	while (read(hold, &octet, 1) < 0 && errno == EINTR)
		;
	close(hold);
}

/* The others have no middle: there, they are not called. */
int
fsync(int fd)
{
	char how = turn_fd("fsync", fd);
	int rc;

	hang(fd);
	rc = how == 'm' ? 0 : REAL(fsync)(fd);
	if (how != 0)
		die();
	return rc;
}

int
fdatasync(int fd)
{
	char how = turn_fd("fdatasync", fd);
	int rc;

	hang(fd);
	rc = how == 'm' ? 0 : REAL(fdatasync)(fd);
	if (how != 0)
		die();
	return rc;
}

int
ftruncate64(int fd, off64_t length)
{
	char how = turn_fd("ftruncate", fd);
	int rc = how == 'm' ? 0 : REAL(ftruncate64)(fd, length);

	if (how != 0)
		die();
	return rc;
}

int
rename(const char *from, const char *to)
{
	char how = turn("rename", to);
	int rc = how == 'm' ? 0 : REAL(rename)(from, to);

	if (how != 0)
		die();
	return rc;
}

int
unlink(const char *path)
{
	char how = turn("unlink", path);
	int rc = how == 'm' ? 0 : REAL(unlink)(path);

	if (how != 0)
		die();
	return rc;
}
