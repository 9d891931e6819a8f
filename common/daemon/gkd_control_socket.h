/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CONTROL_SOCKET_H
#define GKD_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* DOC: where the control socket is, and who may speak to it (gkd_control.h) */

/* gkd_control_listen - a socket at @path that no other user can open; that of a
 * daemon that died is replaced.  -1: errno says why, EADDRINUSE that somebody
 * answers there. */
int gkd_control_listen(const char *path);

/* gkd_control_may_enter - is the peer of @fd our user, or root?  *@uid: its user,
 * unless the system does not say. */
bool gkd_control_may_enter(int fd, uid_t *uid);

#endif /* GKD_CONTROL_SOCKET_H */
