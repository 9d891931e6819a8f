/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_TCP_H
#define GKD_TCP_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_tcp - messages over TCP, for protocols that frame themselves
 *
 * The protocol says how long a message is once it has seen enough of it; this
 * room collects the octets, within caps on the size of a message, on the memory
 * of a connection, on idleness, on the life of a connection and on their number.
 * At the cap on connections the one that was idle longest is closed.
 *
 * A peer that has sent its last octet (half-close) still gets its answers: the
 * connection is closed when they are written, or by @idle_ms.
 */
struct gkd_tcp;  /* a listener */
struct gkd_conn; /* a connection, of a listener or of gkd_tcp_connect() */

struct gkd_tcp_limits {
	size_t message_max; /* octets of one message received */
	size_t unsent_max;  /* octets waiting for a slow peer */
	unsigned idle_ms;   /* without an octet in either direction */
	unsigned total_ms;  /* life of a connection; 0: no limit */
	unsigned conns_max; /* connections of a listener */
};

struct gkd_tcp_ops {
	/*
	 * need - the length of the message that begins with @seen, or 0 when
	 * more octets must be seen first.  An error closes the connection:
	 * after a lying length nothing that follows can be trusted.
	 */
	enum gk_err (*need)(void *arg, struct gk_slice seen, size_t *total);
	/* One whole message; valid until return.  May close @conn. */
	void (*message)(void *arg, struct gkd_conn *conn, struct gk_slice data);
	/* May be NULL.  A connection has come up (accepted or connected). */
	void (*opened)(void *arg, struct gkd_conn *conn);
	/* May be NULL.  @why: static text.  @conn is gone on return. */
	void (*closed)(void *arg, struct gkd_conn *conn, const char *why);
	void *arg;
};

struct gkd_tcp_stats {
	uint64_t received, sent; /* messages, of accepted connections */
	uint64_t dropped;        /* answers that a slow peer left no room for */
};

GK_MUST_CHECK enum gk_err gkd_tcp_listen(struct gkd_tcp **tcp,
                                         struct gkd_loop *loop,
                                         const struct gkd_addr *local,
                                         const struct gkd_tcp_ops *ops,
                                         const struct gkd_tcp_limits *limits);
/* gkd_tcp_close - the listener and all its connections. */
void gkd_tcp_close(struct gkd_tcp *tcp);
struct gkd_addr gkd_tcp_local(const struct gkd_tcp *tcp);
/* gkd_tcp_find - a living connection by its number, or NULL.  An engine keeps
 * the number as its transport handle and never holds a stale pointer. */
struct gkd_conn *gkd_tcp_find(struct gkd_tcp *tcp, uint64_t id);
/* gkd_tcp_find_peer - a living connection from this address and port, or NULL. */
struct gkd_conn *gkd_tcp_find_peer(struct gkd_tcp *tcp,
                                   const struct gkd_addr *peer);
unsigned gkd_tcp_count(const struct gkd_tcp *tcp);
/* gkd_tcp_stats - from any thread. */
struct gkd_tcp_stats gkd_tcp_stats(const struct gkd_tcp *tcp);

/* gkd_tcp_connect - returns at once; opened() or closed() follows. */
GK_MUST_CHECK enum gk_err gkd_tcp_connect(struct gkd_conn **conn,
                                          struct gkd_loop *loop,
                                          const struct gkd_addr *peer,
                                          const struct gkd_tcp_ops *ops,
                                          const struct gkd_tcp_limits *limits);

/* gkd_tcp_connect_from - the same from a local address and port. */
GK_MUST_CHECK enum gk_err gkd_tcp_connect_from(
	struct gkd_conn **conn, struct gkd_loop *loop,
	const struct gkd_addr *local, const struct gkd_addr *peer,
	const struct gkd_tcp_ops *ops, const struct gkd_tcp_limits *limits);

/* gkd_conn_send - copied; GK_ERR_SPACE above unsent_max (the caller closes). */
GK_MUST_CHECK enum gk_err gkd_conn_send(struct gkd_conn *conn,
                                        struct gk_slice data);
/* gkd_conn_close - at once, without closed(). */
void gkd_conn_close(struct gkd_conn *conn);
/* gkd_conn_finish - when everything is written; closed() is called then. */
void gkd_conn_finish(struct gkd_conn *conn);
/* gkd_conn_finishing - it only lives on to be written out. */
bool gkd_conn_finishing(const struct gkd_conn *conn);
uint64_t gkd_conn_id(const struct gkd_conn *conn); /* never 0, never reused */
struct gkd_addr gkd_conn_peer(const struct gkd_conn *conn);

#endif /* GKD_TCP_H */
