/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_MCAST_H
#define GKD_MCAST_H

#include <net/if.h>

#include "common/daemon/gkd_udp.h"

/*
 * DOC: gkd_mcast - one multicast group on one interface
 *
 * A receiver binds to the group's address, so that datagrams of other groups on
 * the same port never arrive, switches IP_MULTICAST_ALL off, so that memberships
 * of other processes do not count, and joins by interface, any-source or
 * source-specific.  When the interface disappears the owner is told; when one of
 * that name returns, the group is joined again without being asked.
 */
struct gkd_mcast;

struct gkd_mcast_config {
	struct gkd_addr group;    /* address and port */
	struct gkd_addr source;   /* sender filter (SSM); zero: any source */
	char interface[IFNAMSIZ]; /* empty: the routing table decides */
	uint8_t hops;             /* TTL or hop limit of what is sent; 0: 1 */
	bool loopback;            /* members on this host hear it too */
	bool receive;             /* join; otherwise send only */
	int receive_buf;          /* as in gkd_udp_config */
	/* What to call instead of bind(2) for the receiver, where that needs
	 * rights; NULL: nothing. */
	int (*bind)(void *arg, int fd, const struct sockaddr *addr,
	            socklen_t len);
	void *bind_arg;
	/* A socket of the owner's that is bound to all addresses at the group's
	 * port, and outlives this: the group is joined there, and what comes goes
	 * to whoever receives on it, not to @receive.  NULL: one of our own. */
	struct gkd_udp *beside;
};

enum gkd_link { GKD_LINK_UP, GKD_LINK_GONE };

struct gkd_mcast_ops {
	void (*receive)(void *arg, const struct gkd_dgram *dgram);
	/* May be NULL.  Called on changes only, not for the first state. */
	void (*link)(void *arg, enum gkd_link state);
	void *arg;
};

/* gkd_mcast_open - GK_ERR_VALUE: not a multicast address; GK_ERR_IO with errno
 * (ENODEV: no such interface) when the system refuses. */
GK_MUST_CHECK enum gk_err gkd_mcast_open(struct gkd_mcast **mcast,
                                         struct gkd_loop *loop,
                                         const struct gkd_mcast_config *cfg,
                                         const struct gkd_mcast_ops *ops);
/* gkd_mcast_close - in @receive, too. */
void gkd_mcast_close(struct gkd_mcast *mcast);
/* gkd_mcast_send - to the group; GK_ERR_IO when the interface is gone or the
 * system refuses.  From any thread. */
GK_MUST_CHECK enum gk_err gkd_mcast_send(struct gkd_mcast *mcast,
                                         struct gk_slice data);
bool gkd_mcast_joined(const struct gkd_mcast *mcast);
struct gkd_udp_stats gkd_mcast_stats(const struct gkd_mcast *mcast);

#endif /* GKD_MCAST_H */
