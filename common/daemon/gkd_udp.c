/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_udp.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_udp_private.h"

/* Room for the larger packet info and the drop counter, or a hop limit. */
#define CONTROL_OCTETS \
	(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)))

struct slot {
	struct gkd_addr peer;
	_Alignas(struct cmsghdr) char control[CONTROL_OCTETS];
	struct iovec iov;
};

struct gkd_udp {
	int fd;
	struct gkd_io *io;
	struct gkd_addr local;
	void (*receive)(void *arg, const struct gkd_dgram *dgram);
	void *arg;
	unsigned batches; /* in one go */
	bool busy, dead;  /* in @receive; closed there */
	struct mmsghdr msg[GKD_UDP_BATCH];
	struct slot slot[GKD_UDP_BATCH];
	unsigned fresh; /* from here on they are as prepare_slots() left them */
	uint8_t *buffer; /* GKD_UDP_BATCH times GKD_UDP_MAX octets */
	uint32_t last_overflow;
	atomic_ullong received, sent, dropped, send_failed, cut;
};

/* ---- receiving --------------------------------------------------------- */

static void
read_control(struct gkd_udp *udp, struct msghdr *h, struct gkd_dgram *dgram)
{
	uint16_t port = gkd_addr_port(&udp->local);

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	     c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			dgram->ifindex = (unsigned)info.ipi_ifindex;
			dgram->local.in.sin_family = AF_INET;
			dgram->local.in.sin_addr = info.ipi_addr;
			gkd_addr_set_port(&dgram->local, port);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
		           c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			dgram->ifindex = info.ipi6_ifindex;
			dgram->local.in6.sin6_family = AF_INET6;
			dgram->local.in6.sin6_addr = info.ipi6_addr;
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				dgram->local.in6.sin6_scope_id =
					info.ipi6_ifindex;
			gkd_addr_set_port(&dgram->local, port);
		} else if (c->cmsg_level == SOL_SOCKET &&
		           c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t total;

			/* A running total of 32 bits that may wrap. */
			memcpy(&total, CMSG_DATA(c), sizeof(total));
			atomic_fetch_add(&udp->dropped,
			                 total - udp->last_overflow);
			udp->last_overflow = total;
		}
	}
}

static void
prepare_slots(struct gkd_udp *udp)
{
	for (size_t i = 0; i < udp->fresh; i++) {
		struct slot *s = &udp->slot[i];

		s->iov.iov_base = udp->buffer + i * GKD_UDP_MAX;
		s->iov.iov_len = GKD_UDP_MAX;
		udp->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &s->peer,
			.msg_namelen = sizeof(s->peer),
			.msg_iov = &s->iov,
			.msg_iovlen = 1,
			.msg_control = s->control,
			.msg_controllen = sizeof(s->control),
		};
	}
}

/* False: nothing is left to read. */
static bool
read_batch(struct gkd_udp *udp)
{
	int n;

	prepare_slots(udp);
	n = recvmmsg(udp->fd, udp->msg, GKD_UDP_BATCH, MSG_DONTWAIT, NULL);
	udp->fresh = n > 0 ? (unsigned)n : 1;
	if (n < 0) {
		/* An ICMP error of an earlier send is not ours to act on. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
			gkd_log(LOG_WARNING, "io", "recvmmsg: %m");
		return false;
	}
	for (int i = 0; i < n && !udp->dead; i++) {
		struct gkd_dgram dgram = {
			.peer = udp->slot[i].peer,
			.data = { udp->slot[i].iov.iov_base,
			          udp->msg[i].msg_len },
		};

		if ((udp->msg[i].msg_hdr.msg_flags & MSG_TRUNC) != 0) {
			atomic_fetch_add(&udp->cut, 1);
			continue;
		}
		read_control(udp, &udp->msg[i].msg_hdr, &dgram);
		atomic_fetch_add(&udp->received, 1);
		udp->receive(udp->arg, &dgram);
	}
	return n == GKD_UDP_BATCH;
}

static void
destroy(struct gkd_udp *udp)
{
	gkd_io_free(udp->io);
	close(udp->fd);
	free(udp->buffer);
	free(udp);
}

static void
on_readable(void *arg)
{
	struct gkd_udp *udp = arg;

	udp->busy = true;
	for (unsigned i = 0; i < udp->batches && read_batch(udp); i++)
		if (udp->dead)
			break;
	udp->busy = false;
	if (udp->dead)
		destroy(udp);
}

/* ---- sending ----------------------------------------------------------- */

static void
add_control(struct msghdr *h, struct slot *s, int level, int type,
            const void *value, size_t len)
{
	struct cmsghdr *c;

	if (h->msg_control == NULL) {
		memset(s->control, 0, sizeof(s->control));
		h->msg_control = s->control;
	}
	c = (struct cmsghdr *)(void *)(s->control + h->msg_controllen);
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), value, len);
	h->msg_controllen += CMSG_SPACE(len);
}

/* Source address, interface and hop limit are asked for in control messages. */
static void
fill_control(struct msghdr *h, struct slot *s, const struct gkd_dgram *dgram)
{
	bool ip6 = dgram->peer.sa.sa_family == AF_INET6;
	bool source = !gkd_addr_is_any(&dgram->local) &&
	              !gkd_addr_is_multicast(&dgram->local);
	struct in_pktinfo in = { .ipi_ifindex = (int)dgram->ifindex };
	struct in6_pktinfo in6 = { .ipi6_ifindex = dgram->ifindex };
	int hops = dgram->hops;

	if (source && ip6)
		in6.ipi6_addr = dgram->local.in6.sin6_addr;
	else if (source)
		in.ipi_spec_dst = dgram->local.in.sin_addr;
	if (source || gkd_addr_is_multicast(&dgram->peer)) {
		if (ip6)
			add_control(h, s, IPPROTO_IPV6, IPV6_PKTINFO, &in6,
			            sizeof(in6));
		else
			add_control(h, s, IPPROTO_IP, IP_PKTINFO, &in,
			            sizeof(in));
	}
	if (hops != 0)
		add_control(h, s, ip6 ? IPPROTO_IPV6 : IPPROTO_IP,
		            ip6 ? IPV6_HOPLIMIT : IP_TTL, &hops, sizeof(hops));
}

static void
fill(struct mmsghdr *msg, struct slot *slot, const struct gkd_dgram *dgram)
{
	struct msghdr *h = &msg->msg_hdr;

	slot->peer = dgram->peer;
	slot->iov.iov_base = (void *)(uintptr_t)dgram->data.ptr;
	slot->iov.iov_len = dgram->data.len;
	h->msg_name = &slot->peer;
	h->msg_namelen = gkd_addr_len(&slot->peer);
	h->msg_iov = &slot->iov;
	h->msg_iovlen = 1;
	fill_control(h, slot, dgram);
}

static void
send_some(struct gkd_udp *udp, const struct gkd_dgram *dgrams, size_t n)
{
	struct mmsghdr msg[GKD_UDP_BATCH];
	struct slot slot[GKD_UDP_BATCH];
	size_t done = 0;

	memset(msg, 0, n * sizeof(msg[0]));
	for (size_t i = 0; i < n; i++)
		fill(&msg[i], &slot[i], &dgrams[i]);
	while (done < n) {
		int sent = sendmmsg(udp->fd, msg + done, (unsigned)(n - done),
		                    MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0) {
			/* This one is lost, as datagrams may be. */
			atomic_fetch_add(&udp->send_failed, 1);
			gkd_log_about(LOG_WARNING, "io",
			              &(struct gkd_about){ .hostile = true },
			              "send: %m");
			sent = 1;
		} else {
			atomic_fetch_add(&udp->sent, (unsigned)sent);
		}
		done += (size_t)sent;
	}
}

void
gkd_udp_send(struct gkd_udp *udp, const struct gkd_dgram *dgrams, size_t n)
{
	while (n > 0) {
		size_t part = n < GKD_UDP_BATCH ? n : GKD_UDP_BATCH;

		send_some(udp, dgrams, part);
		dgrams += part;
		n -= part;
	}
}

enum gk_err
gkd_udp_send_one(struct gkd_udp *udp, const struct gkd_dgram *dgram)
{
	struct mmsghdr msg = { 0 };
	struct slot slot;
	ssize_t n;

	fill(&msg, &slot, dgram);
	do
		n = sendmsg(udp->fd, &msg.msg_hdr, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	atomic_fetch_add(n < 0 ? &udp->send_failed : &udp->sent, 1);
	return n < 0 ? GK_ERR_IO : GK_OK;
}

/* ---- opening ----------------------------------------------------------- */

static bool
set_on(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){ 1 }, sizeof(int)) == 0;
}

/* What another socket has joined is not for this one: a member that listens
 * on any address would have each PUSH twice. */
static bool
no_groups_of_others(int fd, int family)
{
	/* Old kernels do not know that of IPv6. */
	if (family == AF_INET6)
		return setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL,
		                  &(int){ 0 }, sizeof(int)) == 0 ||
		       errno == ENOPROTOOPT;
	return setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &(int){ 0 },
	                  sizeof(int)) == 0;
}

/* Beyond what the system allows everybody (net.core.rmem_max), where this
 * process may; and that much where it may not. */
static bool
set_buffer(int fd, int octets)
{
	return setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets,
	                  sizeof(octets)) == 0 ||
	       setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets)) ==
	               0;
}

int
gkd_udp_socket(int family, int receive_buf)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok;

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		ok = set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY) &&
		     set_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
	else
		ok = set_on(fd, IPPROTO_IP, IP_PKTINFO);
	ok = ok && no_groups_of_others(fd, family) &&
	     set_on(fd, SOL_SOCKET, SO_RXQ_OVFL);
	if (ok && receive_buf > 0)
		ok = set_buffer(fd, receive_buf);
	if (!ok) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

enum gk_err
gkd_udp_adopt(struct gkd_udp **udp, struct gkd_loop *loop, int fd,
              void (*receive)(void *arg, const struct gkd_dgram *dgram),
              void *arg)
{
	struct gkd_udp *u = calloc(1, sizeof(*u));
	socklen_t len = sizeof(u->local);

	if (u == NULL) {
		close(fd);
		return GK_ERR_NOMEM;
	}
	u->fd = fd;
	u->batches = 1;
	u->fresh = GKD_UDP_BATCH;
	u->receive = receive;
	u->arg = arg;
	u->buffer = malloc((size_t)GKD_UDP_BATCH * GKD_UDP_MAX);
	if (u->buffer != NULL && getsockname(fd, &u->local.sa, &len) == 0)
		u->io = gkd_io_new(loop, fd, on_readable, u);
	if (u->io == NULL) {
		gkd_udp_close(u);
		return GK_ERR_NOMEM;
	}
	*udp = u;
	return GK_OK;
}

enum gk_err
gkd_udp_open(struct gkd_udp **udp, struct gkd_loop *loop,
             const struct gkd_udp_config *cfg,
             void (*receive)(void *arg, const struct gkd_dgram *dgram),
             void *arg)
{
	int fd = gkd_udp_socket(cfg->local.sa.sa_family, cfg->receive_buf);
	int saved;

	if (fd < 0)
		return GK_ERR_IO;
	if (gkd_udp_bind(fd, cfg)) {
		GK_TRY(gkd_udp_adopt(udp, loop, fd, receive, arg));
		if (cfg->batches != 0)
			(*udp)->batches = cfg->batches;
		return GK_OK;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return GK_ERR_IO;
}

void
gkd_udp_close(struct gkd_udp *udp)
{
	if (udp == NULL)
		return;
	if (udp->busy)
		udp->dead = true;
	else
		destroy(udp);
}

struct gkd_addr
gkd_udp_local(const struct gkd_udp *udp)
{
	return udp->local;
}

int
gkd_udp_fd(const struct gkd_udp *udp)
{
	return udp->fd;
}

struct gkd_udp_stats
gkd_udp_stats(const struct gkd_udp *udp)
{
	return (struct gkd_udp_stats){
		.received = atomic_load(&udp->received),
		.sent = atomic_load(&udp->sent),
		.dropped = atomic_load(&udp->dropped),
		.send_failed = atomic_load(&udp->send_failed),
		.cut = atomic_load(&udp->cut),
	};
}
