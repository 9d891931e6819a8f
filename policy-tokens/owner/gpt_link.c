/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_link.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gpt_link {
	struct bufferevent *bev;
	struct gpt_link_ops ops;
	struct gkd_timer *deadline; /* of the handshake */
	uint64_t second;            /* of the clock, and how many ... */
	unsigned frames;            /* ... messages came in it */
	char fault[GPT_TLS_FAULT];
	bool open;   /* the handshake is done */
	bool busy;   /* in a callback: do not free */
	bool doomed; /* free when the callback returns */
};

static void
link_free(struct gpt_link *link)
{
	if (link->bev)
		bufferevent_free(link->bev);
	gkd_timer_free(link->deadline);
	free(link);
}

void
gpt_link_close(struct gpt_link *link)
{
	if (!link)
		return;
	link->doomed = true;
	if (!link->busy)
		link_free(link);
}

static void
fail(struct gpt_link *link, const char *why)
{
	if (!link->doomed)
		link->ops.closed(link->ops.arg, link, why);
	link->doomed = true;
}

/* Nobody has that much to say, and each message may cost a signature. */
static bool
too_many(struct gpt_link *link)
{
	uint64_t second = gkd_now().mono_ms / 1000;

	if (link->second != second)
		link->frames = 0;
	link->second = second;
	return ++link->frames > GPT_LINK_FRAMES;
}

/* One frame off the buffer, if it is whole; false: nothing (more) to do. */
static bool
take(struct gpt_link *link, struct evbuffer *in)
{
	struct gpt_delivery msg;
	struct gk_fault fault;
	struct gk_slice seen;
	uint8_t head[4];
	size_t total;
	char why[160];

	if (evbuffer_copyout(in, head, sizeof(head)) < (ssize_t)sizeof(head))
		return false;
	seen = (struct gk_slice){ head, sizeof(head) };
	if (gpt_delivery_need(seen, &total) != GK_OK) {
		fail(link, "a frame of impossible length");
		return false;
	}
	if (evbuffer_get_length(in) < total)
		return false;
	seen.ptr = evbuffer_pullup(in, (ssize_t)total);
	seen.len = total;
	if (!seen.ptr || gpt_delivery_decode(seen, &msg, &fault) != GK_OK) {
		(void)snprintf(why, sizeof(why),
		               "a message that cannot be read: %s at octet %zu",
		               seen.ptr ? fault.field : "memory",
		               seen.ptr ? fault.offset : 0);
		fail(link, why);
		return false;
	}
	if (too_many(link)) {
		fail(link, "too many messages in a second");
		return false;
	}
	link->ops.message(link->ops.arg, link, &msg);
	(void)evbuffer_drain(in, total);
	return !link->doomed;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct gpt_link *link = arg;

	link->busy = true;
	while (take(link, bufferevent_get_input(bev)))
		;
	link->busy = false;
	if (link->doomed)
		link_free(link);
}

static void
on_open(struct gpt_link *link)
{
	struct gk_cert *peer =
		gpt_tls_peer(bufferevent_openssl_get_ssl(link->bev));
	evutil_socket_t fd = bufferevent_getfd(link->bev);
	const int on = 1, idle = 30, every = 10, times = 3;

	link->open = true;
	gkd_timer_set(link->deadline, GK_NEVER);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof(times));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (peer)
		link->ops.opened(link->ops.arg, link, peer);
	else
		fail(link, "the peer showed no certificate");
	gk_cert_free(peer);
}

enum gk_err
gpt_link_chain(const struct gpt_link *link, struct gk_certs *chain)
{
	return gpt_tls_chain(bufferevent_openssl_get_ssl(link->bev), chain);
}

/* Whether there was no connection: libevent tells that as an end of file. */
static bool
refused(int os_error)
{
	return os_error == ECONNREFUSED || os_error == EHOSTUNREACH ||
	       os_error == ENETUNREACH || os_error == ENETDOWN ||
	       os_error == ETIMEDOUT;
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct gpt_link *link = arg;
	int os_error = EVUTIL_SOCKET_ERROR();
	unsigned long code = bufferevent_get_openssl_error(bev);
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	link->busy = true;
	if (what & BEV_EVENT_CONNECTED)
		on_open(link);
	else if (*link->fault)
		fail(link, link->fault);
	else if (reason)
		fail(link, reason);
	else if (!link->open && refused(os_error))
		fail(link, strerror(os_error));
	else if (what & BEV_EVENT_EOF)
		fail(link, "closed by the peer");
	else
		fail(link, os_error ? strerror(os_error) : "connection lost");
	link->busy = false;
	if (link->doomed)
		link_free(link);
}

/* Counted from the beginning: one octet now and then does not extend it. */
static void
on_deadline(void *arg)
{
	struct gpt_link *link = arg;

	link->busy = true;
	fail(link, "the handshake took too long");
	link_free(link);
}

static struct gpt_link *
link_new(struct gkd_loop *loop, struct gpt_tls *tls, int fd,
         enum bufferevent_ssl_state state, const struct gpt_link_ops *ops)
{
	struct gpt_link *link = calloc(1, sizeof(*link));
	SSL *ssl = link ? gpt_tls_session(tls, link->fault) : NULL;

	if (ssl)
		link->deadline = gkd_timer_new(loop, on_deadline, link);
	if (ssl && link->deadline)
		link->bev = bufferevent_openssl_socket_new(
			gkd_loop_base(loop), fd, ssl, state,
			BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!link || !link->bev) {
		SSL_free(ssl);
		if (fd >= 0)
			(void)close(fd);
		if (link)
			link_free(link);
		return NULL;
	}
	link->ops = *ops;
	gkd_timer_set(link->deadline,
	              gkd_now().mono_ms +
	                      (ops->handshake_ms
	                               ? ops->handshake_ms
	                               : GPT_LINK_HANDSHAKE_S * 1000));
	bufferevent_openssl_set_allow_dirty_shutdown(link->bev, 1);
	bufferevent_setcb(link->bev, on_read, NULL, on_event, link);
	bufferevent_setwatermark(link->bev, EV_READ, 0, 2 * GPT_DELIVERY_MAX);
	(void)bufferevent_enable(link->bev, EV_READ | EV_WRITE);
	return link;
}

struct gpt_link *
gpt_link_accept(struct gkd_loop *loop, struct gpt_tls *tls, int fd,
                const struct gpt_link_ops *ops)
{
	return link_new(loop, tls, fd, BUFFEREVENT_SSL_ACCEPTING, ops);
}

struct gpt_link *
gpt_link_connect(struct gkd_loop *loop, struct gpt_tls *tls,
                 const struct gkd_addr *server, const struct gpt_link_ops *ops)
{
	struct gpt_link *link =
		link_new(loop, tls, -1, BUFFEREVENT_SSL_CONNECTING, ops);

	if (link && bufferevent_socket_connect(link->bev, &server->sa,
	                                       (int)gkd_addr_len(server)) < 0) {
		link_free(link);
		return NULL;
	}
	return link;
}

enum gk_err
gpt_link_send(struct gpt_link *link, const struct gpt_delivery *msg)
{
	struct evbuffer *out = bufferevent_get_output(link->bev);
	struct gk_buf frame;
	enum gk_err err = GK_OK;

	GK_TRY(gpt_delivery_encode(msg, &frame));
	if (evbuffer_get_length(out) + frame.len > GPT_LINK_UNSENT)
		err = GK_ERR_SPACE;
	else if (bufferevent_write(link->bev, frame.ptr, frame.len) != 0)
		err = GK_ERR_NOMEM;
	gk_buf_free(&frame);
	return err;
}
