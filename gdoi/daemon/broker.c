/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/broker.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"
#include "common/daemon/gkd_privilege.h"

#define ANSWER_S 5 /* for the kernel, which answers at once */

struct gdoid_broker {
	int fd;
};

/* An order; one to bind comes with a socket beside it. */
struct order {
	enum { XFRM, BIND } kind;
	union {
		struct gdoi_xfrm_message message;
		struct {
			struct sockaddr_storage addr;
			socklen_t len;
		} bind;
	};
};

/* ---- the other process --------------------------------------------------- */

/* All rights but two are dropped for good. */
static void
keep_two(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2];
	const uint32_t two = 1u << CAP_NET_ADMIN | 1u << CAP_NET_BIND_SERVICE;

	memset(data, 0, sizeof(data));
	if (syscall(SYS_capget, &head, data) != 0)
		return;
	data[0].effective = data[0].permitted &= two;
	data[1].effective = data[1].permitted = 0;
	data[0].inheritable = data[1].inheritable = 0;
	(void)syscall(SYS_capset, &head, data);
}

/* The errno value of the acknowledgement with that number. */
static int
acknowledgement(struct mnl_socket *nl, uint32_t seq)
{
	union {
		struct nlmsghdr h;
		uint8_t octets[8192];
	} in;
	const struct nlmsghdr *h;
	ssize_t n;
	int left;

	for (;;) {
		n = mnl_socket_recvfrom(nl, &in, sizeof(in));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		left = (int)n;
		for (h = &in.h; mnl_nlmsg_ok(h, left);
		     h = mnl_nlmsg_next(h, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(h);

			if (h->nlmsg_seq == seq &&
			    h->nlmsg_type == NLMSG_ERROR &&
			    mnl_nlmsg_get_payload_len(h) >= sizeof(e->error))
				return -e->error;
		}
	}
}

static int
do_xfrm(struct mnl_socket *nl, const struct gdoi_xfrm_message *m)
{
	const struct nlmsghdr *h = (const void *)m->octets;

	if (nl == NULL || m->len < sizeof(*h) || m->len > sizeof(m->octets) ||
	    h->nlmsg_len != m->len)
		return EINVAL;
	if (mnl_socket_sendto(nl, m->octets, m->len) < 0)
		return errno;
	return acknowledgement(nl, h->nlmsg_seq);
}

static int
do_bind(int fd, const struct order *o)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (fd < 0 || o->bind.len > sizeof(o->bind.addr) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
	    type != SOCK_DGRAM)
		return EINVAL;
	return bind(fd, (const struct sockaddr *)&o->bind.addr, o->bind.len) ==
	                       0
	               ? 0
	               : errno;
}

/* One order, and the socket beside it; false: the daemon is gone. */
static bool
next_order(int from, struct order *o, int *fd)
{
	union {
		struct cmsghdr head;
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { o, sizeof(*o) };
	struct msghdr h = { .msg_iov = &iov,
		            .msg_iovlen = 1,
		            .msg_control = &control,
		            .msg_controllen = sizeof(control) };
	const struct cmsghdr *c;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(from, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return n == (ssize_t)sizeof(*o);
}

static void
serve(int from, struct mnl_socket *nl)
{
	struct order o;
	int fd, answer;

	while (next_order(from, &o, &fd)) {
		answer = o.kind == XFRM ? do_xfrm(nl, &o.message)
		                        : do_bind(fd, &o);
		if (fd >= 0)
			close(fd);
		gk_wipe(&o, sizeof(o));
		if (send(from, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			return;
	}
}

static void
live(int from, struct mnl_socket *nl)
{
	int keep = nl != NULL ? mnl_socket_get_fd(nl) : -1;
	struct gkd_why why;

	for (int fd = 3; fd < 1024; fd++)
		if (fd != from && fd != keep)
			close(fd);
	signal(SIGINT, SIG_IGN); /* the daemon decides when */
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	keep_two();
	if (gkd_privilege_limit(64, &why) != GK_OK ||
	    gkd_sandbox_enter(NULL, &why) != GK_OK) {
		gkd_log(LOG_ERR, "io", "broker: %s", why.text);
		return;
	}
	serve(from, nl);
}

/* ---- opening ------------------------------------------------------------- */

static struct mnl_socket *
open_netlink(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_XFRM, SOCK_CLOEXEC);
	const struct timeval patience = { .tv_sec = ANSWER_S };

	if (nl == NULL)
		return NULL;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) == 0 &&
	    setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO,
	               &patience, sizeof(patience)) == 0)
		return nl;
	mnl_socket_close(nl);
	return NULL;
}

static enum gk_err
start(struct gdoid_broker *b, struct mnl_socket *nl)
{
	int pair[2], saved;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return GK_ERR_IO;
	pid = fork();
	if (pid == 0) {
		live(pair[1], nl);
		_exit(0);
	}
	saved = errno;
	close(pair[1]);
	b->fd = pair[0];
	if (pid > 0)
		return GK_OK;
	close(pair[0]);
	errno = saved;
	return GK_ERR_IO;
}

enum gk_err
gdoid_broker_open(struct gdoid_broker **broker, bool xfrm)
{
	struct gdoid_broker *b = calloc(1, sizeof(*b));
	struct mnl_socket *nl = NULL;
	enum gk_err err;
	int saved;

	if (b == NULL)
		return GK_ERR_NOMEM;
	if (xfrm && (nl = open_netlink()) == NULL) {
		saved = errno;
		free(b);
		errno = saved;
		return GK_ERR_IO;
	}
	err = start(b, nl);
	saved = errno;
	if (nl != NULL)
		mnl_socket_close(nl); /* it is the other one's now */
	if (err == GK_OK)
		*broker = b;
	else
		free(b);
	errno = saved;
	return err;
}

void
gdoid_broker_close(struct gdoid_broker *broker)
{
	if (broker == NULL)
		return;
	close(broker->fd); /* the other process ends by itself */
	free(broker);
}

/* ---- asking -------------------------------------------------------------- */

static int
ask(struct gdoid_broker *b, struct order *o, int fd)
{
	union {
		struct cmsghdr head;
		uint8_t octets[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { o, sizeof(*o) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	int answer = EPIPE;
	ssize_t n;

	if (fd >= 0) {
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		h.msg_control = &control;
		h.msg_controllen = sizeof(control);
	}
	n = sendmsg(b->fd, &h, MSG_NOSIGNAL);
	gk_wipe(o, sizeof(*o));
	if (n < 0)
		return errno;
	do
		n = recv(b->fd, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(answer) ? answer : EPIPE;
}

int
gdoid_broker_xfrm(struct gdoid_broker *broker,
                  const struct gdoi_xfrm_message *m)
{
	struct order o = { .kind = XFRM, .message = *m };

	return ask(broker, &o, -1);
}

int
gdoid_broker_bind(void *broker, int fd, const struct sockaddr *addr,
                  socklen_t len)
{
	struct order o = { .kind = BIND };

	if (len > sizeof(o.bind.addr)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(&o.bind.addr, addr, len);
	o.bind.len = len;
	errno = ask(broker, &o, fd);
	return errno == 0 ? 0 : -1;
}
