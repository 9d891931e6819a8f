/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_HOOK_H
#define GSAKMP_DAEMON_HOOK_H

#include "common/base/gk_base.h"

/*
 * DOC: hook - a program of the operator's, run when keys change
 *
 * The daemon itself may start nothing once it is in its sandbox.  A small
 * process, forked before that, holds the other end of a socket pair and runs
 * the program, one run after the other, with
 *
 *   MSEC_EVENT    key, wipe, joined, left, evicted, destroyed
 *   MSEC_GROUP    name of the group
 *   MSEC_KEY_ID, MSEC_KEY_HANDLE, MSEC_KEY_STATE    where there is a key
 *
 * and with the rights that the daemon was started with.  It never learns a key;
 * the control socket is for that.  It ends with the daemon.
 */
struct gsakmpd_hook;

/* gsakmpd_hook_open - GK_ERR_IO with errno.  Before any thread is started. */
GK_MUST_CHECK enum gk_err gsakmpd_hook_open(struct gsakmpd_hook **hook,
                                            const char *program);
void gsakmpd_hook_close(struct gsakmpd_hook *hook);
/* gsakmpd_hook_run - never waits; a run is lost, and logged, when too many are
 * waiting.  Nothing happens when @hook is NULL.  @state NULL: no key. */
void gsakmpd_hook_run(struct gsakmpd_hook *hook, const char *event,
                      const char *group, uint32_t key_id, uint32_t handle,
                      const char *state);

#endif /* GSAKMP_DAEMON_HOOK_H */
