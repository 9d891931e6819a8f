/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

#define LINE_MAX_OCTETS 4096

struct gkd_keylog {
	int fd;
};

static bool
make_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) == 0)
		return true;
	return fchmod(fd, 0600) == 0;
}

enum gk_err
gkd_keylog_open(struct gkd_keylog **keylog, const char *path)
{
	struct gkd_keylog *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return GK_ERR_NOMEM;
	k->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (k->fd < 0) {
		free(k);
		return GK_ERR_IO;
	}
	/* A file that was there before may be open to others. */
	if (!make_private(k->fd)) {
		gkd_keylog_close(k);
		return GK_ERR_IO;
	}
	gkd_log(LOG_WARNING, "key",
	        "KEY LOG: every key of this daemon is written in clear to "
	        "'%s'; whoever reads that file reads the groups",
	        path);
	*keylog = k;
	return GK_OK;
}

void
gkd_keylog_close(struct gkd_keylog *keylog)
{
	int saved = errno;

	if (keylog == NULL)
		return;
	close(keylog->fd);
	free(keylog);
	errno = saved;
}

void
gkd_keylog_write(struct gkd_keylog *keylog, const char *format, ...)
{
	char line[LINE_MAX_OCTETS + 1];
	va_list ap;
	int n;

	if (keylog == NULL)
		return;
	va_start(ap, format);
	n = vsnprintf(line, LINE_MAX_OCTETS, format, ap);
	va_end(ap);
	if (n >= 0 && n < LINE_MAX_OCTETS) {
		line[n++] = '\n';
		/* One write: appends of several daemons do not mix. */
		if (write(keylog->fd, line, (size_t)n) != n)
			gkd_log(LOG_ERR, "io", "key log: %m");
	}
	gk_wipe(line, sizeof(line));
}
