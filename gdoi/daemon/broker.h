/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_BROKER_H
#define GDOI_DAEMON_BROKER_H

#include "common/daemon/gkd_config.h"
#include "gdoi/install/xfrm.h"

/*
 * DOC: broker - two things that need rights, after the daemon has given its up
 *
 * A member learns only from its key server which multicast port, below 1024, its
 * PUSHes come to, and gives the kernel keys as long as it lives.  A small process,
 * forked before rights are dropped, keeps CAP_NET_ADMIN and CAP_NET_BIND_SERVICE
 * (those of the two that the daemon had) and nothing else, is in the sandbox, and
 * does, when asked,
 *
 *   - a message to NETLINK_XFRM, and waits for its acknowledgement;
 *   - a bind(2) of a UDP socket that it is handed.
 *
 * It ends with the daemon.
 */
struct gdoid_broker;

/* gdoid_broker_open - GK_ERR_IO with errno.  Before any thread is started.
 * @xfrm: open the netlink socket, too. */
GK_MUST_CHECK enum gk_err gdoid_broker_open(struct gdoid_broker **broker,
                                            bool xfrm);
void gdoid_broker_close(struct gdoid_broker *broker);
/* gdoid_broker_xfrm - 0 when the kernel has acknowledged @m; else its errno
 * value, or ETIMEDOUT, or EPIPE when the broker is gone. */
int gdoid_broker_xfrm(struct gdoid_broker *broker,
                      const struct gdoi_xfrm_message *m);
/* gdoid_broker_bind - as bind(2): 0, or -1 with errno. */
int gdoid_broker_bind(void *broker, int fd, const struct sockaddr *addr,
                      socklen_t len);

#endif /* GDOI_DAEMON_BROKER_H */
