/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_ACCEPT_H
#define GKD_ACCEPT_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_accept - connections that come in, whatever is spoken on them
 *
 * A process has so many descriptors, and strangers decide how many connections
 * they make.  Without a descriptor for it a connection stays in the kernel's
 * queue and its listener stays readable, so that a loop which only tries again
 * does nothing else.  Here the owner is asked to close a connection that it can
 * do without; when there is none, nothing is accepted for a moment.
 */
struct gkd_accept;

struct gkd_accept_ops {
	/* @fd is the callee's, does not block and is closed by exec; @peer is
	 * all zero when it has no address, as on a UNIX socket. */
	void (*accepted)(void *arg, int fd, const struct gkd_addr *peer);
	/* May be NULL.  False: there was none to close. */
	bool (*make_room)(void *arg);
	void *arg;
};

/* gkd_accept_listen - a TCP socket that listens, or -1 with errno. */
int gkd_accept_listen(const struct gkd_addr *local);

/* gkd_accept_new - @fd listens, and is ours from here on, on an error too. */
GK_MUST_CHECK enum gk_err gkd_accept_new(struct gkd_accept **a,
                                         struct gkd_loop *loop, int fd,
                                         const struct gkd_accept_ops *ops);
void gkd_accept_free(struct gkd_accept *a);

#endif /* GKD_ACCEPT_H */
