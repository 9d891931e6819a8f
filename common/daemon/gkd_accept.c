/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_accept.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "common/daemon/gkd_log.h"

#define BACKLOG 128
#define PAUSE_MS 200 /* nothing could be closed */
#define CLOSED_MS 10 /* a descriptor is free when the loop has gone round */

struct gkd_accept {
	struct evconnlistener *listener;
	struct gkd_timer *pause; /* nothing is accepted before it ends */
	struct gkd_accept_ops ops;
};

static void
on_accept(struct evconnlistener *listener, evutil_socket_t fd,
          struct sockaddr *sa, int len, void *arg)
{
	struct gkd_addr peer = { 0 };
	struct gkd_accept *a = arg;

	(void)listener;
	if (len > 0 && (size_t)len <= sizeof(peer) &&
	    (sa->sa_family == AF_INET || sa->sa_family == AF_INET6))
		memcpy(&peer, sa, (size_t)len);
	a->ops.accepted(a->ops.arg, fd, &peer);
}

static void
on_pause_over(void *arg)
{
	struct gkd_accept *a = arg;

	evconnlistener_enable(a->listener);
}

static void
on_error(struct evconnlistener *listener, void *arg)
{
	struct gkd_accept *a = arg;
	int err = EVUTIL_SOCKET_ERROR();
	struct pollfd waits = { evconnlistener_get_fd(listener), POLLIN, 0 };
	uint64_t pause = PAUSE_MS;

	/* That there is none left is noticed before that nobody is there. */
	if (poll(&waits, 1, 0) == 0)
		return;
	errno = err; /* for %m */
	gkd_log_about(LOG_ERR, "io", &(struct gkd_about){ .hostile = true },
	              "accept: %m");
	evconnlistener_disable(listener);
	if ((err == EMFILE || err == ENFILE) && a->ops.make_room != NULL &&
	    a->ops.make_room(a->ops.arg))
		pause = CLOSED_MS;
	gkd_timer_set(a->pause, gkd_now().mono_ms + pause);
}

int
gkd_accept_listen(const struct gkd_addr *local)
{
	int fd = socket(local->sa.sa_family,
	                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, saved;

	if (fd < 0)
		return -1;
	/* A restart must not wait for old connections to be forgotten. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    (local->sa.sa_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0) &&
	    bind(fd, &local->sa, gkd_addr_len(local)) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

enum gk_err
gkd_accept_new(struct gkd_accept **a, struct gkd_loop *loop, int fd,
               const struct gkd_accept_ops *ops)
{
	struct gkd_accept *n = calloc(1, sizeof(*n));

	if (n != NULL) {
		n->ops = *ops;
		n->pause = gkd_timer_new(loop, on_pause_over, n);
	}
	if (n != NULL && n->pause != NULL)
		n->listener = evconnlistener_new(
			gkd_loop_base(loop), on_accept, n,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, fd);
	if (n == NULL || n->listener == NULL) {
		close(fd);
		gkd_accept_free(n);
		return GK_ERR_NOMEM;
	}
	evconnlistener_set_error_cb(n->listener, on_error);
	*a = n;
	return GK_OK;
}

void
gkd_accept_free(struct gkd_accept *a)
{
	if (a == NULL)
		return;
	if (a->listener != NULL)
		evconnlistener_free(a->listener);
	gkd_timer_free(a->pause);
	free(a);
}
