/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_PRIVILEGE_H
#define GKD_PRIVILEGE_H

#include <sys/types.h>

#include "common/base/gk_base.h"
#include "common/daemon/gkd_config.h"

/*
 * DOC: gkd_privilege - giving things up after the ports are bound
 *
 * Works as root and as an ordinary user; an ordinary user has less to give.
 */

/* gkd_privilege_limit - no core dumps, not dumpable, no new privileges,
 * @files_max descriptors. */
GK_MUST_CHECK enum gk_err gkd_privilege_limit(size_t files_max,
                                              struct gkd_why *why);
/* gkd_privilege_files - as root: what is opened and made from now on is opened
 * and made as @user and @group (NULL: the user's own), so that it is still theirs
 * after gkd_privilege_drop(); root's supplementary groups open nothing any more.
 * Ports and interfaces are not affected. */
GK_MUST_CHECK enum gk_err gkd_privilege_files(const char *user,
                                              const char *group,
                                              struct gkd_why *why);
/* gkd_privilege_drop - become @user and @group (NULL: the user's own).  As an
 * ordinary user: GK_OK when already that user, else GK_ERR_IO. */
GK_MUST_CHECK enum gk_err gkd_privilege_drop(const char *user,
                                             const char *group,
                                             struct gkd_why *why);
/*
 * gkd_privilege_borrow - be, for a look at files, who gkd_privilege_drop() would make
 * of this process: the same user and group, and no supplementary groups.  Nothing
 * happens without a user, to who is not root, or when there is no such user or group.
 * gkd_privilege_return() makes up for it.
 */
struct gkd_privilege_held {
	bool borrowed;
	gid_t gid;
	gid_t *group; /* supplementary ones, owned */
	int n_groups;
};

void gkd_privilege_borrow(struct gkd_privilege_held *held, const char *user,
                          const char *group);
void gkd_privilege_return(struct gkd_privilege_held *held);
/*
 * gkd_sandbox_enter - from now on only the system calls listed in
 * gkd_sandbox.c, and those of @more (NULL-terminated names, may be NULL), for
 * all threads.  Anything else fails with EPERM; starting a program or a
 * debugger's access kills the process.
 */
GK_MUST_CHECK enum gk_err gkd_sandbox_enter(const char *const *more,
                                            struct gkd_why *why);
/* gkd_service_notify - "READY=1" and the like to $NOTIFY_SOCKET, if any. */
void gkd_service_notify(const char *text);

#endif /* GKD_PRIVILEGE_H */
