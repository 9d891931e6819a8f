/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon/gkd_config.h"

#define CHUNK 16384

enum gk_err
gkd_file_read(const char *path, size_t max, struct gk_buf *octets)
{
	uint8_t chunk[CHUNK];
	enum gk_err err = GK_OK;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC), saved;

	*octets = (struct gk_buf){ 0 };
	if (fd < 0)
		return GK_ERR_IO;
	while (err == GK_OK && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		if (octets->len + (size_t)n > max)
			err = GK_ERR_SPACE;
		else
			err = gk_buf_append(
				octets, (struct gk_slice){ chunk, (size_t)n });
	}
	if (n < 0)
		err = GK_ERR_IO;
	saved = errno;
	gk_wipe(chunk, sizeof(chunk)); /* it may have been a private key */
	close(fd);
	if (err != GK_OK)
		gk_buf_free(octets);
	errno = saved;
	return err;
}

static bool
write_all(int fd, struct gk_slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.ptr, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s.ptr += n;
		s.len -= (size_t)n;
	}
	return true;
}

/* A rename is durable only when its directory is. */
static bool
sync_directory(const char *path)
{
	char copy[PATH_MAX];
	bool ok;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

enum gk_err
gkd_file_write(const char *path, unsigned mode, struct gk_slice octets)
{
	char temp[PATH_MAX];
	int fd, saved;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.new.%ld", path,
	                     (long)getpid()) >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		return GK_ERR_IO;
	}
	/* Not through a link, nor into what somebody else has put there, or an
	 * earlier process with this number, with another mode. */
	(void)unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	          mode);
	if (fd < 0)
		return GK_ERR_IO;
	if (write_all(fd, octets) && fsync(fd) == 0 &&
	    rename(temp, path) == 0 && sync_directory(path)) {
		close(fd);
		return GK_OK;
	}
	saved = errno;
	close(fd);
	unlink(temp);
	errno = saved;
	return GK_ERR_IO;
}
