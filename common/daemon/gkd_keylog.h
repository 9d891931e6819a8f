/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_KEYLOG_H
#define GKD_KEYLOG_H

#include "common/base/gk_base.h"

/*
 * DOC: gkd_keylog - secrets in a file, for laboratories
 *
 * What a dissector needs to decrypt a capture: one line per secret,
 *
 *   LABEL context secret
 *
 * with both in hexadecimal; the label says what the context is.  Opening one
 * logs a loud warning.  The file has mode 0600.  Thread-safe.
 */
struct gkd_keylog;

GK_MUST_CHECK enum gk_err gkd_keylog_open(struct gkd_keylog **keylog,
                                          const char *path);
void gkd_keylog_close(struct gkd_keylog *keylog);
/* gkd_keylog_write - nothing happens when @keylog is NULL. */
void gkd_keylog_write(struct gkd_keylog *keylog, const char *label,
                      struct gk_slice context, struct gk_slice secret);

#endif /* GKD_KEYLOG_H */
