/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/server.h"
#include "gsakmp/daemon/stream.h"

/*
 * RFC 4534 B.1.4, udpRTJtcpOther: the answer to a datagram goes over TCP, and
 * nobody says who connects.  Either the member did, from the address and port
 * that its Request to Join came from (the answer waits until it has), or we do,
 * to that address and port.
 *
 * All in the first worker's thread.  An answer only gets here when the request
 * was authenticated, so the number of places is what bounds it, not trust: what
 * finds no place is dropped, and the member asks again.
 */
#define PLACES 128
#define DROPPED "answers dropped that waited for TCP"
#define WAIT_MS 10000 /* for the member to connect */

struct gsakmpd_openings {
	struct gsakmpd_worker *worker;
	struct gkd_timer *timer;
	struct waiting {
		struct gkd_addr peer;
		struct gk_buf data; /* len 0: free */
		uint64_t until_ms;
	} waiting[PLACES];
	struct gkd_conn *conn[PLACES]; /* that we opened */
	size_t next;                   /* the place to be taken over */
};

struct gsakmpd_openings *
gsakmpd_openings_new(struct gsakmpd_worker *w)
{
	struct gsakmpd_openings *o = calloc(1, sizeof(*o));

	if (o != NULL)
		o->worker = w;
	return o;
}

void
gsakmpd_openings_free(struct gsakmpd_openings *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++) {
		gk_buf_free(&o->waiting[i].data);
		gkd_conn_close(o->conn[i]);
	}
	gkd_timer_free(o->timer);
	free(o);
}

/* ---- connections that members open --------------------------------------- */

static struct gkd_conn *
accepted_from(const struct gsakmpd_worker *w, const struct gkd_addr *peer)
{
	struct gkd_conn *conn = NULL;

	for (unsigned i = 0; i < w->server->n_listen && conn == NULL; i++)
		if (w->tcp[i] != NULL)
			conn = gkd_tcp_find_peer(w->tcp[i], peer);
	return conn;
}

static void
sweep(void *arg)
{
	struct gsakmpd_openings *o = arg;
	uint64_t now = gkd_now().mono_ms, next = GK_NEVER;

	for (size_t i = 0; i < PLACES; i++) {
		struct waiting *w = &o->waiting[i];

		if (w->data.len == 0)
			continue;
		if (w->until_ms <= now)
			gk_buf_free(&w->data);
		else if (w->until_ms < next)
			next = w->until_ms;
	}
	gkd_timer_set(o->timer, next);
}

/* The place of an older answer to the same member, a free one, or NULL. */
static struct waiting *
place_for(struct gsakmpd_openings *o, const struct gkd_addr *peer)
{
	struct waiting *out = NULL;

	for (size_t i = 0; i < PLACES; i++) {
		struct waiting *w = &o->waiting[i];

		if (w->data.len == 0)
			out = w;
		else if (gkd_addr_equal(&w->peer, peer) &&
		         gkd_addr_port(&w->peer) == gkd_addr_port(peer))
			return w;
	}
	return out;
}

static void
wait_for(struct gsakmpd_openings *o, const struct gkd_addr *peer,
         struct gk_slice data)
{
	struct gsakmpd_server *s = o->worker->server;
	struct waiting *w = place_for(o, peer);

	if (o->timer == NULL)
		o->timer = gkd_timer_new(o->worker->loop, sweep, o);
	if (w == NULL || o->timer == NULL) {
		gkd_counters_add(s->d->counters, DROPPED, 1);
		return;
	}
	gk_buf_free(&w->data);
	if (gk_buf_copy(&w->data, data) != GK_OK)
		return;
	w->peer = *peer;
	w->until_ms = gkd_now().mono_ms + WAIT_MS;
	sweep(o);
}

void
gsakmpd_openings_accepted(struct gsakmpd_openings *o, struct gkd_conn *conn)
{
	struct gkd_addr peer = gkd_conn_peer(conn);

	for (size_t i = 0; o != NULL && i < PLACES; i++) {
		struct waiting *w = &o->waiting[i];

		if (w->data.len == 0 || !gkd_addr_equal(&w->peer, &peer) ||
		    gkd_addr_port(&w->peer) != gkd_addr_port(&peer))
			continue;
		/* Nothing was sent to it yet, so it has room. */
		if (gkd_conn_send(conn, gk_buf_slice(&w->data)) != GK_OK)
			gkd_counters_add(o->worker->server->d->counters,
			                 DROPPED, 1);
		gk_buf_free(&w->data);
	}
}

/* ---- connections that we open -------------------------------------------- */

struct gkd_conn *
gsakmpd_openings_find(const struct gsakmpd_openings *o, uint64_t id)
{
	for (size_t i = 0; o != NULL && i < PLACES; i++)
		if (o->conn[i] != NULL && gkd_conn_id(o->conn[i]) == id)
			return o->conn[i];
	return NULL;
}

static struct gkd_conn *
opened_to(const struct gsakmpd_openings *o, const struct gkd_addr *peer)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct gkd_addr other;

		if (o->conn[i] == NULL)
			continue;
		other = gkd_conn_peer(o->conn[i]);
		if (gkd_addr_equal(&other, peer) &&
		    gkd_addr_port(&other) == gkd_addr_port(peer))
			return o->conn[i];
	}
	return NULL;
}

static void
on_closed(void *arg, struct gkd_conn *conn, const char *why)
{
	struct gsakmpd_openings *o = arg;

	(void)why;
	for (size_t i = 0; i < PLACES; i++)
		if (o->conn[i] == conn)
			o->conn[i] = NULL;
}

static void
on_message(void *arg, struct gkd_conn *conn, struct gk_slice data)
{
	struct gsakmpd_openings *o = arg;

	gsakmpd_worker_stream(o->worker, conn, data);
}

/* A free place, or that of the connection that has been there longest. */
static size_t
free_place(struct gsakmpd_openings *o)
{
	size_t i;

	for (i = 0; i < PLACES; i++)
		if (o->conn[i] == NULL)
			return i;
	i = o->next++ % PLACES;
	gkd_conn_close(o->conn[i]);
	o->conn[i] = NULL;
	return i;
}

static struct gkd_conn *
open_to(struct gsakmpd_openings *o, const struct gkd_addr *peer)
{
	const struct gkd_tcp_ops ops = { .need = gsakmpd_stream_need,
		                         .message = on_message,
		                         .closed = on_closed,
		                         .arg = o };
	size_t i = free_place(o);

	if (gkd_tcp_connect(&o->conn[i], o->worker->loop, peer, &ops,
	                    &o->worker->server->tcp_limits) != GK_OK)
		o->conn[i] = NULL;
	return o->conn[i];
}

void
gsakmpd_openings_send(struct gsakmpd_openings *o, const struct gkd_addr *peer,
                      struct gk_slice data)
{
	struct gkd_conn *conn = accepted_from(o->worker, peer);

	if (conn == NULL)
		conn = opened_to(o, peer);
	if (conn == NULL && o->worker->server->we_open)
		conn = open_to(o, peer);
	if (conn == NULL && !o->worker->server->we_open)
		wait_for(o, peer, data);
	else if (conn != NULL && gkd_conn_send(conn, data) != GK_OK)
		gkd_counters_add(o->worker->server->d->counters, DROPPED, 1);
}
