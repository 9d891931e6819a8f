/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CHECK_H
#define GKD_CHECK_H

#include "common/daemon/gkd_config.h"

/*
 * DOC: gkd_check - places that a configuration names, for --check-config
 *
 * What can be seen without changing anything: whether the store can be where it is
 * said to be, with its directory writable and what is there already a file that can
 * be opened; the same of the control socket and the pid file.  As root, with the user
 * and the group that the daemon is going to be, and no other group.  Whether the network
 * interfaces, and the addresses to listen on, are there is only warned of, as a
 * configuration may be checked on another host than it is for; so is a user that is
 * not known here.
 */
GK_MUST_CHECK enum gk_err gkd_check_places(struct gkd_config *config,
                                           struct gkd_why *why);
/* gkd_check_warn - "file:line: <element>: text" to the log. */
void gkd_check_warn(const struct gkd_config *config,
                    const struct gkd_elem *elem, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* GKD_CHECK_H */
