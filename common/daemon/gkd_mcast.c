/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_mcast.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_udp_private.h"

struct gkd_mcast {
	struct gkd_mcast_config cfg;
	struct gkd_mcast_ops ops;
	struct gkd_udp *udp; /* receiver; NULL when only sending */
	bool borrowed;       /* it is the owner's */
	int send_fd;
	int link_fd; /* netlink; -1 without a named interface */
	struct gkd_io *link_io;
	unsigned ifindex; /* 0: none named, or gone */
	bool up, joined;
	atomic_bool sendable;
	atomic_ullong sent, send_failed;
};

/* ---- joining ----------------------------------------------------------- */

static int
level_of(const struct gkd_mcast *m)
{
	return m->cfg.group.sa.sa_family == AF_INET6 ? IPPROTO_IPV6
	                                             : IPPROTO_IP;
}

static bool
join(struct gkd_mcast *m)
{
	int fd, rc;

	/* An interface that was down and not gone has kept the membership. */
	if (m->udp == NULL || m->joined)
		return true;
	fd = gkd_udp_fd(m->udp);
	if (m->cfg.source.sa.sa_family != AF_UNSPEC) {
		struct group_source_req req = { .gsr_interface = m->ifindex };

		memcpy(&req.gsr_group, &m->cfg.group, sizeof(m->cfg.group));
		memcpy(&req.gsr_source, &m->cfg.source, sizeof(m->cfg.source));
		rc = setsockopt(fd, level_of(m), MCAST_JOIN_SOURCE_GROUP, &req,
		                sizeof(req));
	} else {
		struct group_req req = { .gr_interface = m->ifindex };

		memcpy(&req.gr_group, &m->cfg.group, sizeof(m->cfg.group));
		rc = setsockopt(fd, level_of(m), MCAST_JOIN_GROUP, &req,
		                sizeof(req));
	}
	m->joined = rc == 0;
	return m->joined;
}

/* A socket that is closed leaves by itself. */
static void
leave(const struct gkd_mcast *m)
{
	const struct gkd_addr *source = &m->cfg.source;
	int fd = gkd_udp_fd(m->udp);

	if (source->sa.sa_family != AF_UNSPEC) {
		struct group_source_req req = { .gsr_interface = m->ifindex };

		memcpy(&req.gsr_group, &m->cfg.group, sizeof(m->cfg.group));
		memcpy(&req.gsr_source, source, sizeof(*source));
		(void)!setsockopt(fd, level_of(m), MCAST_LEAVE_SOURCE_GROUP,
		                  &req, sizeof(req));
	} else {
		struct group_req req = { .gr_interface = m->ifindex };

		memcpy(&req.gr_group, &m->cfg.group, sizeof(m->cfg.group));
		(void)!setsockopt(fd, level_of(m), MCAST_LEAVE_GROUP, &req,
		                  sizeof(req));
	}
}

static bool
aim(struct gkd_mcast *m)
{
	int rc = 0;

	if (m->cfg.group.sa.sa_family == AF_INET6) {
		int index = (int)m->ifindex;

		if (index != 0)
			rc = setsockopt(m->send_fd, IPPROTO_IPV6,
			                IPV6_MULTICAST_IF, &index,
			                sizeof(index));
	} else if (m->ifindex != 0) {
		struct ip_mreqn req = { .imr_ifindex = (int)m->ifindex };

		rc = setsockopt(m->send_fd, IPPROTO_IP, IP_MULTICAST_IF, &req,
		                sizeof(req));
	}
	return rc == 0;
}

/* ---- the link ---------------------------------------------------------- */

static bool
link_is_up(const struct gkd_mcast *m)
{
	struct ifreq req = { 0 };

	memcpy(req.ifr_name, m->cfg.interface, sizeof(req.ifr_name));
	return ioctl(m->send_fd, SIOCGIFFLAGS, &req) == 0 &&
	       (req.ifr_flags & IFF_UP) != 0;
}

static void
look_at_link(struct gkd_mcast *m)
{
	unsigned index = if_nametoindex(m->cfg.interface);
	bool up = index != 0 && link_is_up(m);

	if (up == m->up && index == m->ifindex)
		return;
	if (index != m->ifindex)
		m->joined = false;
	m->ifindex = index;
	if (up && !(join(m) && aim(m))) {
		gkd_log(LOG_WARNING, "io", "interface %s: rejoin: %m",
		        m->cfg.interface);
		up = false;
	}
	atomic_store(&m->sendable, up);
	if (up == m->up)
		return;
	m->up = up;
	gkd_log(LOG_WARNING, "io", "interface %s is %s", m->cfg.interface,
	        up ? "back, group joined again" : "gone");
	if (m->ops.link != NULL)
		m->ops.link(m->ops.arg, up ? GKD_LINK_UP : GKD_LINK_GONE);
}

static void
on_link(void *arg)
{
	struct gkd_mcast *m = arg;
	char drain[8192];

	/* What changed is asked for afresh: messages can be lost, state not. */
	while (recv(m->link_fd, drain, sizeof(drain), MSG_DONTWAIT) > 0)
		continue;
	look_at_link(m);
}

static bool
watch_link(struct gkd_mcast *m, struct gkd_loop *loop)
{
	const struct sockaddr_nl nl = {
		.nl_family = AF_NETLINK,
		/* A fresh interface may join before it has an address, but
		 * sends only with one. */
		.nl_groups =
			RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};

	m->link_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	                    NETLINK_ROUTE);
	if (m->link_fd < 0 ||
	    bind(m->link_fd, (const struct sockaddr *)&nl, sizeof(nl)) != 0)
		return false;
	m->link_io = gkd_io_new(loop, m->link_fd, on_link, m);
	return m->link_io != NULL;
}

/* ---- opening ----------------------------------------------------------- */

static int
bind_receiver(const struct gkd_mcast *m, int fd, const struct gkd_addr *to)
{
	if (m->cfg.bind != NULL)
		return m->cfg.bind(m->cfg.bind_arg, fd, &to->sa,
		                   gkd_addr_len(to));
	return bind(fd, &to->sa, gkd_addr_len(to));
}

static bool
open_receiver(struct gkd_mcast *m, struct gkd_loop *loop)
{
	int family = m->cfg.group.sa.sa_family, fd, rc;
	struct gkd_addr bound = m->cfg.group;

	if (m->cfg.beside != NULL) {
		m->udp = m->cfg.beside;
		m->borrowed = true;
		return join(m);
	}
	fd = gkd_udp_socket(family, m->cfg.receive_buf);
	if (fd < 0)
		return false;
	/* Several members on one host listen to the same group. */
	rc = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (family == AF_INET6 && bound.in6.sin6_scope_id == 0)
		bound.in6.sin6_scope_id = m->ifindex;
	if (rc != 0 || bind_receiver(m, fd, &bound) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return false;
	}
	if (gkd_udp_adopt(&m->udp, loop, fd, m->ops.receive, m->ops.arg) !=
	    GK_OK)
		return false;
	return join(m);
}

static bool
open_sender(struct gkd_mcast *m)
{
	int family = m->cfg.group.sa.sa_family;
	int hops = m->cfg.hops != 0 ? m->cfg.hops : 1;
	int loopback = m->cfg.loopback;

	m->send_fd =
		socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->send_fd < 0)
		return false;
	if (family == AF_INET6) {
		if (setsockopt(m->send_fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS,
		               &hops, sizeof(hops)) != 0 ||
		    setsockopt(m->send_fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP,
		               &loopback, sizeof(loopback)) != 0)
			return false;
	} else if (setsockopt(m->send_fd, IPPROTO_IP, IP_MULTICAST_TTL, &hops,
	                      sizeof(hops)) != 0 ||
	           setsockopt(m->send_fd, IPPROTO_IP, IP_MULTICAST_LOOP,
	                      &loopback, sizeof(loopback)) != 0) {
		return false;
	}
	/* A source-specific group hears only its source. */
	if (!m->cfg.receive && m->cfg.source.sa.sa_family != AF_UNSPEC &&
	    bind(m->send_fd, &m->cfg.source.sa, gkd_addr_len(&m->cfg.source)) !=
	            0)
		return false;
	return aim(m);
}

enum gk_err
gkd_mcast_open(struct gkd_mcast **mcast, struct gkd_loop *loop,
               const struct gkd_mcast_config *cfg,
               const struct gkd_mcast_ops *ops)
{
	struct gkd_mcast *m;
	bool named = cfg->interface[0] != '\0';
	int saved;

	if (!gkd_addr_is_multicast(&cfg->group) ||
	    (cfg->source.sa.sa_family != AF_UNSPEC &&
	     cfg->source.sa.sa_family != cfg->group.sa.sa_family))
		return GK_ERR_VALUE;
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return GK_ERR_NOMEM;
	m->cfg = *cfg;
	m->ops = *ops;
	m->send_fd = m->link_fd = -1;
	m->up = true;
	atomic_store(&m->sendable, true);
	errno = ENODEV;
	if (named)
		m->ifindex = if_nametoindex(cfg->interface);
	if ((!named || m->ifindex != 0) && open_sender(m) &&
	    (!cfg->receive || open_receiver(m, loop)) &&
	    (!named || watch_link(m, loop))) {
		*mcast = m;
		return GK_OK;
	}
	saved = errno;
	gkd_mcast_close(m);
	errno = saved;
	return GK_ERR_IO;
}

void
gkd_mcast_close(struct gkd_mcast *mcast)
{
	if (mcast == NULL)
		return;
	gkd_io_free(mcast->link_io);
	if (mcast->borrowed && mcast->joined)
		leave(mcast);
	if (!mcast->borrowed)
		gkd_udp_close(mcast->udp);
	if (mcast->link_fd >= 0)
		close(mcast->link_fd);
	if (mcast->send_fd >= 0)
		close(mcast->send_fd);
	free(mcast);
}

enum gk_err
gkd_mcast_send(struct gkd_mcast *mcast, struct gk_slice data)
{
	const struct gkd_addr *to = &mcast->cfg.group;

	if (!atomic_load(&mcast->sendable)) {
		errno = ENETDOWN;
	} else if (sendto(mcast->send_fd, data.ptr, data.len,
	                  MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa,
	                  gkd_addr_len(to)) == (ssize_t)data.len) {
		atomic_fetch_add(&mcast->sent, 1);
		return GK_OK;
	}
	atomic_fetch_add(&mcast->send_failed, 1);
	return GK_ERR_IO;
}

bool
gkd_mcast_joined(const struct gkd_mcast *mcast)
{
	return mcast->joined && mcast->up;
}

struct gkd_udp_stats
gkd_mcast_stats(const struct gkd_mcast *mcast)
{
	struct gkd_udp_stats stats = { 0 };

	if (mcast->udp != NULL)
		stats = gkd_udp_stats(mcast->udp);
	stats.sent = atomic_load(&mcast->sent);
	stats.send_failed = atomic_load(&mcast->send_failed);
	return stats;
}
