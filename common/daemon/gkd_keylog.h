/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_KEYLOG_H
#define GKD_KEYLOG_H

#include "common/base/gk_base.h"

/*
 * DOC: gkd_keylog - secrets in a file, for laboratories
 *
 * What a dissector needs to decrypt a capture, one line per secret; the protocol
 * rooms say what a line looks like.  Each line is one write(2), so several
 * daemons may append to one file.  Opening a key log logs a loud warning.  The
 * file has mode 0600.  Thread-safe.
 */
struct gkd_keylog;

GK_MUST_CHECK enum gk_err gkd_keylog_open(struct gkd_keylog **keylog,
                                          const char *path);
void gkd_keylog_close(struct gkd_keylog *keylog);
/* gkd_keylog_write - one line, without its newline, at most 4 KiB.  Nothing
 * happens when @keylog is NULL. */
void gkd_keylog_write(struct gkd_keylog *keylog, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* GKD_KEYLOG_H */
