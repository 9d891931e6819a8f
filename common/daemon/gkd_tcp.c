/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_tcp.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_accept.h"

TAILQ_HEAD(conn_list, gkd_conn);

struct gkd_tcp {
	struct gkd_loop *loop;
	struct gkd_accept *listener;
	struct gkd_addr local;
	struct gkd_tcp_ops ops;
	struct gkd_tcp_limits limits;
	struct conn_list conns; /* idle longest first */
	unsigned n;
	atomic_ullong received, sent, dropped;
};

struct gkd_conn {
	TAILQ_ENTRY(gkd_conn) entry;
	struct gkd_tcp *tcp; /* NULL: made by gkd_tcp_connect() */
	struct gkd_tcp_ops ops;
	struct gkd_tcp_limits limits;
	struct bufferevent *bev;
	struct gkd_timer *timer;
	struct gkd_addr peer;
	uint64_t id;
	uint64_t born_ms, active_ms;
	size_t want; /* length of the message under way; 0: not known */
	bool finish; /* close when all is written */
	bool busy;   /* a callback of the owner is running ... */
	bool dead;   /* ... and has closed us: free afterwards */
};

/* ---- life of a connection ---------------------------------------------- */

static void
destroy(struct gkd_conn *conn)
{
	if (conn->tcp != NULL) {
		TAILQ_REMOVE(&conn->tcp->conns, conn, entry);
		conn->tcp->n--;
	}
	gkd_timer_free(conn->timer);
	if (conn->bev != NULL)
		bufferevent_free(conn->bev);
	free(conn);
}

void
gkd_conn_close(struct gkd_conn *conn)
{
	if (conn == NULL)
		return;
	if (conn->busy)
		conn->dead = true;
	else
		destroy(conn);
}

static void
end(struct gkd_conn *conn, const char *why)
{
	conn->busy = true;
	if (conn->ops.closed != NULL)
		conn->ops.closed(conn->ops.arg, conn, why);
	destroy(conn);
}

static void
touch(struct gkd_conn *conn)
{
	conn->active_ms = gkd_now().mono_ms;
	if (conn->tcp == NULL)
		return;
	TAILQ_REMOVE(&conn->tcp->conns, conn, entry);
	TAILQ_INSERT_TAIL(&conn->tcp->conns, conn, entry);
}

/* The moment at which the connection has lived long enough. */
static uint64_t
last_moment(const struct gkd_conn *conn)
{
	return conn->limits.total_ms != 0
	               ? conn->born_ms + conn->limits.total_ms
	               : GK_NEVER;
}

static void
arm(struct gkd_conn *conn)
{
	uint64_t idle = conn->active_ms + conn->limits.idle_ms;
	uint64_t total = last_moment(conn);

	gkd_timer_set(conn->timer, idle < total ? idle : total);
}

static void
on_deadline(void *arg)
{
	struct gkd_conn *conn = arg;
	uint64_t now = gkd_now().mono_ms;

	if (conn->finish &&
	    evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0)
		end(conn, "finished");
	else if (now >= last_moment(conn))
		end(conn, "open for too long");
	else if (now >= conn->active_ms + conn->limits.idle_ms)
		end(conn, "idle for too long");
	else
		arm(conn);
}

/* ---- messages ---------------------------------------------------------- */

/* What is known of the message at the front; an error text, or NULL. */
static const char *
measure(struct gkd_conn *conn, struct evbuffer *in)
{
	struct gk_slice seen = { NULL, evbuffer_get_length(in) };

	seen.ptr = evbuffer_pullup(in, -1);
	if (seen.ptr == NULL)
		return "out of memory";
	if (conn->ops.need(conn->ops.arg, seen, &conn->want) != GK_OK)
		return "framing error";
	if (conn->want > conn->limits.message_max)
		return "message too long";
	if (conn->want == 0 && seen.len >= conn->limits.message_max)
		return "message too long";
	return NULL;
}

/* False when the connection is gone. */
static bool
take_messages(struct gkd_conn *conn)
{
	struct evbuffer *in = bufferevent_get_input(conn->bev);

	while (evbuffer_get_length(in) > 0) {
		const char *error = NULL;
		struct gk_slice data;

		if (conn->want == 0)
			error = measure(conn, in);
		if (error != NULL) {
			end(conn, error);
			return false;
		}
		if (conn->want == 0 || evbuffer_get_length(in) < conn->want)
			break;
		data.len = conn->want;
		data.ptr = evbuffer_pullup(in, (ssize_t)conn->want);
		if (data.ptr == NULL) {
			end(conn, "out of memory");
			return false;
		}
		conn->want = 0;
		conn->busy = true;
		if (conn->tcp != NULL)
			atomic_fetch_add(&conn->tcp->received, 1);
		conn->ops.message(conn->ops.arg, conn, data);
		conn->busy = false;
		if (conn->dead) {
			destroy(conn);
			return false;
		}
		evbuffer_drain(in, data.len);
	}
	return true;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct gkd_conn *conn = arg;

	(void)bev;
	touch(conn);
	(void)take_messages(conn);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct gkd_conn *conn = arg;

	touch(conn);
	if (conn->finish &&
	    evbuffer_get_length(bufferevent_get_output(bev)) == 0)
		end(conn, "finished");
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct gkd_conn *conn = arg;

	if ((what & BEV_EVENT_CONNECTED) != 0) {
		touch(conn);
		conn->busy = true;
		if (conn->ops.opened != NULL)
			conn->ops.opened(conn->ops.arg, conn);
		conn->busy = false;
		if (conn->dead)
			destroy(conn);
	} else if ((what & BEV_EVENT_ERROR) != 0) {
		end(conn, (what & (BEV_EVENT_READING | BEV_EVENT_WRITING)) != 0
		                  ? "reset by the peer"
		                  : "cannot connect");
	} else if ((what & BEV_EVENT_EOF) != 0) {
		/* Its messages are answered; the answers go out first. */
		if (evbuffer_get_length(bufferevent_get_output(bev)) == 0)
			end(conn,
			    evbuffer_get_length(bufferevent_get_input(bev)) != 0
			            ? "ended inside a message"
			            : "closed by the peer");
		else
			conn->finish = true;
	}
}

static struct gkd_conn *
conn_new(struct gkd_loop *loop, int fd, const struct gkd_tcp_ops *ops,
         const struct gkd_tcp_limits *limits)
{
	static atomic_ullong next_id = 1;
	struct gkd_conn *conn = calloc(1, sizeof(*conn));

	if (conn != NULL) {
		conn->timer = gkd_timer_new(loop, on_deadline, conn);
		conn->bev = bufferevent_socket_new(gkd_loop_base(loop), fd,
		                                   BEV_OPT_CLOSE_ON_FREE);
	}
	if (conn == NULL || conn->timer == NULL || conn->bev == NULL) {
		if (conn == NULL || conn->bev == NULL)
			close(fd);
		if (conn != NULL)
			destroy(conn);
		return NULL;
	}
	conn->ops = *ops;
	conn->limits = *limits;
	conn->id = atomic_fetch_add(&next_id, 1);
	conn->born_ms = conn->active_ms = gkd_now().mono_ms;
	arm(conn);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 },
	                 sizeof(int));
	bufferevent_setcb(conn->bev, on_read, on_write, on_event, conn);
	/* The kernel holds back what does not fit one message. */
	bufferevent_setwatermark(conn->bev, EV_READ, 0, limits->message_max);
	return conn;
}

/* ---- listener ---------------------------------------------------------- */

static void
on_accept(void *arg, int fd, const struct gkd_addr *peer)
{
	struct gkd_tcp *tcp = arg;
	struct gkd_conn *conn;

	if (tcp->n >= tcp->limits.conns_max)
		end(TAILQ_FIRST(&tcp->conns), "made room for another");
	conn = conn_new(tcp->loop, fd, &tcp->ops, &tcp->limits);
	if (conn == NULL)
		return;
	conn->peer = *peer;
	conn->tcp = tcp;
	TAILQ_INSERT_TAIL(&tcp->conns, conn, entry);
	tcp->n++;
	bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
	conn->busy = true;
	if (tcp->ops.opened != NULL)
		tcp->ops.opened(tcp->ops.arg, conn);
	conn->busy = false;
	if (conn->dead)
		destroy(conn);
}

/* Whoever is idle longest. */
static bool
make_room(void *arg)
{
	struct gkd_tcp *tcp = arg;

	if (TAILQ_EMPTY(&tcp->conns))
		return false;
	end(TAILQ_FIRST(&tcp->conns), "made room for another");
	return true;
}

enum gk_err
gkd_tcp_listen(struct gkd_tcp **tcp, struct gkd_loop *loop,
               const struct gkd_addr *local, const struct gkd_tcp_ops *ops,
               const struct gkd_tcp_limits *limits)
{
	struct gkd_accept_ops mine = { .accepted = on_accept,
		                       .make_room = make_room };
	struct gkd_tcp *t;
	socklen_t len = sizeof(t->local);
	int fd = gkd_accept_listen(local);

	if (fd < 0)
		return GK_ERR_IO;
	t = mine.arg = calloc(1, sizeof(*t));
	if (t == NULL) {
		close(fd);
		return GK_ERR_NOMEM;
	}
	TAILQ_INIT(&t->conns);
	t->loop = loop;
	t->ops = *ops;
	t->limits = *limits;
	if (t->limits.conns_max == 0)
		t->limits.conns_max = 1;
	(void)getsockname(fd, &t->local.sa, &len);
	if (gkd_accept_new(&t->listener, loop, fd, &mine) != GK_OK) {
		free(t);
		return GK_ERR_NOMEM;
	}
	*tcp = t;
	return GK_OK;
}

void
gkd_tcp_close(struct gkd_tcp *tcp)
{
	if (tcp == NULL)
		return;
	while (!TAILQ_EMPTY(&tcp->conns))
		destroy(TAILQ_FIRST(&tcp->conns));
	gkd_accept_free(tcp->listener);
	free(tcp);
}

struct gkd_addr
gkd_tcp_local(const struct gkd_tcp *tcp)
{
	return tcp->local;
}

struct gkd_conn *
gkd_tcp_find(struct gkd_tcp *tcp, uint64_t id)
{
	struct gkd_conn *conn;

	TAILQ_FOREACH (conn, &tcp->conns, entry)
		if (conn->id == id && !conn->dead)
			return conn;
	return NULL;
}

struct gkd_conn *
gkd_tcp_find_peer(struct gkd_tcp *tcp, const struct gkd_addr *peer)
{
	struct gkd_conn *conn;

	TAILQ_FOREACH (conn, &tcp->conns, entry)
		if (!conn->dead && gkd_addr_equal(&conn->peer, peer) &&
		    gkd_addr_port(&conn->peer) == gkd_addr_port(peer))
			return conn;
	return NULL;
}

unsigned
gkd_tcp_count(const struct gkd_tcp *tcp)
{
	return tcp->n;
}

struct gkd_tcp_stats
gkd_tcp_stats(const struct gkd_tcp *tcp)
{
	return (struct gkd_tcp_stats){
		.received = atomic_load(&tcp->received),
		.sent = atomic_load(&tcp->sent),
		.dropped = atomic_load(&tcp->dropped),
	};
}

/* ---- client ------------------------------------------------------------ */

enum gk_err
gkd_tcp_connect(struct gkd_conn **conn, struct gkd_loop *loop,
                const struct gkd_addr *peer, const struct gkd_tcp_ops *ops,
                const struct gkd_tcp_limits *limits)
{
	return gkd_tcp_connect_from(conn, loop, NULL, peer, ops, limits);
}

/* The port may just have been used by a connection that is over. */
static int
bind_to(int fd, const struct gkd_addr *local)
{
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 },
	               sizeof(int)) != 0)
		return -1;
	return bind(fd, &local->sa, gkd_addr_len(local));
}

enum gk_err
gkd_tcp_connect_from(struct gkd_conn **conn, struct gkd_loop *loop,
                     const struct gkd_addr *local, const struct gkd_addr *peer,
                     const struct gkd_tcp_ops *ops,
                     const struct gkd_tcp_limits *limits)
{
	int fd = socket(peer->sa.sa_family,
	                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct gkd_conn *c;
	int saved;

	if (fd < 0)
		return GK_ERR_IO;
	if ((local != NULL && bind_to(fd, local) != 0) ||
	    (connect(fd, &peer->sa, gkd_addr_len(peer)) != 0 &&
	     errno != EINPROGRESS)) {
		saved = errno;
		close(fd);
		errno = saved;
		return GK_ERR_IO;
	}
	c = conn_new(loop, fd, ops, limits);
	if (c == NULL)
		return GK_ERR_NOMEM;
	c->peer = *peer;
	/* No address: the socket is connecting already. */
	if (bufferevent_socket_connect(c->bev, NULL, 0) != 0) {
		destroy(c);
		return GK_ERR_IO;
	}
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	*conn = c;
	return GK_OK;
}

enum gk_err
gkd_conn_send(struct gkd_conn *conn, struct gk_slice data)
{
	struct evbuffer *out = bufferevent_get_output(conn->bev);
	enum gk_err err = GK_OK;

	if (data.len > conn->limits.unsent_max ||
	    evbuffer_get_length(out) > conn->limits.unsent_max - data.len)
		err = GK_ERR_SPACE;
	else if (evbuffer_add(out, data.ptr, data.len) != 0)
		err = GK_ERR_NOMEM;
	if (conn->tcp != NULL)
		atomic_fetch_add(err == GK_OK ? &conn->tcp->sent
		                              : &conn->tcp->dropped,
		                 1);
	return err;
}

void
gkd_conn_finish(struct gkd_conn *conn)
{
	conn->finish = true;
	/* With nothing to write there will be no callback; let the timer
	 * close it in a moment. */
	if (evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0) {
		gkd_timer_set(conn->timer, 0);
	}
}

bool
gkd_conn_finishing(const struct gkd_conn *conn)
{
	return conn->finish;
}

uint64_t
gkd_conn_id(const struct gkd_conn *conn)
{
	return conn->id;
}

struct gkd_addr
gkd_conn_peer(const struct gkd_conn *conn)
{
	return conn->peer;
}
