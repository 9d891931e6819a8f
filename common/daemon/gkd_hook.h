/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_HOOK_H
#define GKD_HOOK_H

#include "common/base/gk_base.h"
#include "common/daemon/gkd_config.h"

/*
 * DOC: hook - a program of the operator's, run when keys change
 *
 * The daemon itself may start nothing once it is in its sandbox.  A small
 * process, forked before that, holds the other end of a socket pair and runs
 * the program, one run after the other, with
 *
 *   MSEC_EVENT    what has happened
 *   MSEC_GROUP    name of the group
 *
 * what else the daemon says about the event, perhaps a text to read on its
 * standard input, and with the rights that the daemon was started with.  A run that
 * takes too long is killed, so that those behind it have their turn.  Keys are
 * in no variable: others may read those.  It ends with the daemon.
 */
#define GKD_HOOK_ORDER_MAX 16384 /* octets: variables and input of a run */

struct gkd_hook;

/* gkd_hook_open - GK_ERR_IO with errno.  Before any thread is started.
 * @limit_ms: of one run; 0: 30 s. */
GK_MUST_CHECK enum gk_err gkd_hook_open(struct gkd_hook **hook,
                                        const char *program, uint32_t limit_ms);
/* gkd_hook_limit - "timeout" of <hook>; 0: not said. */
GK_MUST_CHECK enum gk_err gkd_hook_limit(struct gkd_config *config,
                                         uint32_t *limit_ms,
                                         struct gkd_why *why);
/* gkd_hook_check - can @program be run, as far as can be seen?  Empty or NULL: there
 * is none, and that is right. */
GK_MUST_CHECK enum gk_err gkd_hook_check(struct gkd_config *config,
                                         const char *program,
                                         struct gkd_why *why);
void gkd_hook_close(struct gkd_hook *hook);
/* gkd_hook_run - never waits; a run is lost, and logged, when too many are
 * waiting.  Nothing happens when @hook is NULL.  @more: texts "NAME=value",
 * NULL-terminated, or NULL.  @input: for the standard input, or NULL: that of the
 * daemon. */
void gkd_hook_run(struct gkd_hook *hook, const char *event, const char *group,
                  const char *const *more, const char *input);

#endif /* GKD_HOOK_H */
