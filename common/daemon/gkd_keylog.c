/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_keylog.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

#define LINE_MAX_OCTETS 4096

struct gkd_keylog {
	int fd;
};

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
	if (keylog == NULL)
		return;
	close(keylog->fd);
	free(keylog);
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
