/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_HTTP_H
#define GKD_HTTP_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_http - octets by HTTP, fetched and served, within bounds
 *
 * Both halves belong to the thread of their loop, need no system call that
 * gkd_sandbox.c does not list, and may be made before or after privileges are
 * dropped (but a port below 1024 is bound before).
 *
 * The client speaks http alone: what it fetches is signed or encrypted by the
 * protocol that wants it, and an answer is never more than octets to be
 * checked.  It asks only for what the caller's list allows, follows no
 * redirect, keeps no connection, decodes no content encoding.  Names are
 * resolved by libevent's own resolver (evdns: /etc/hosts, then the name
 * servers of /etc/resolv.conf, read when the client is made), which never
 * blocks the loop; the time it takes counts towards the deadline.  A numeric
 * address asks nobody.
 *
 * The server answers GET with octets its owner hands out by path.  It stands
 * on gkd_tcp, because libevent 2.1's evhttp bounds neither the number of
 * connections nor their life: a request longer than @request_max, a peer that
 * is silent for @idle_ms or still there after @total_ms is cut off, and the
 * longest idle one makes room at @conns_max.  One request, one connection.
 */
#define GKD_URL_MAX 2048 /* octets of a URL */

#define GKD_HTTP_LIST(X)                                               \
	X(OK, "success")                                               \
	X(URL, "not an absolute http URL in plain form")               \
	X(FORBIDDEN, "not below an allowed prefix")                    \
	X(BUSY, "too many fetches at the same time")                   \
	X(NOMEM, "out of memory")                                      \
	X(NAME, "the host name cannot be resolved")                    \
	X(CONNECT, "the server cannot be reached")                     \
	X(TIMEOUT, "no complete answer in time")                       \
	X(TOO_LONG, "the answer is longer than permitted")             \
	X(TRUNCATED, "the server hung up before its answer was whole") \
	X(MALFORMED, "the answer is not HTTP")                         \
	X(REDIRECT, "the server redirects, and that is not followed")  \
	X(STATUS, "the server answered with another status than 200")

enum gkd_http_result {
#define X(name, text) GKD_HTTP_##name,
	GKD_HTTP_LIST(X)
#undef X
};

/* gkd_http_text - the text above; never NULL. */
const char *gkd_http_text(enum gkd_http_result result);

/* ---- client ------------------------------------------------------------ */

struct gkd_http;  /* a client */
struct gkd_fetch; /* one GET under way; gone when done() is called */

struct gkd_http_config {
	/*
	 * URL prefixes, NULL-terminated, copied.  Scheme and host compare
	 * without case, the port by value (80 when absent), the path by whole
	 * segments: "http://h/a" allows /a, /a/b and /a?b, not /ab.
	 */
	const char *const *allowed;
	/* "address:port" of the one name server to ask, instead of those of
	 * the system; NULL: the system's. */
	const char *nameserver;
	size_t body_max;     /* octets of an answer */
	size_t headers_max;  /* octets of its header */
	unsigned timeout_ms; /* from gkd_http_get() to the last octet */
	unsigned fetches_max;
};

/* GK_ERR_VALUE: a prefix is no such URL, or @nameserver no address. */
GK_MUST_CHECK enum gk_err gkd_http_new(struct gkd_http **http,
                                       struct gkd_loop *loop,
                                       const struct gkd_http_config *config);
/* gkd_http_free - fetches under way are cancelled. */
void gkd_http_free(struct gkd_http *http);
/* gkd_http_allowed - would gkd_http_get() ask for it?  OK, URL or FORBIDDEN. */
enum gkd_http_result gkd_http_allowed(const struct gkd_http *http,
                                      const char *url);

/* gkd_http_url_ok - a URL, or a prefix of URLs, in the plain form wanted here. */
bool gkd_http_url_ok(const char *url);

struct gkd_http_answer {
	enum gkd_http_result result;
	unsigned status;      /* of HTTP, 0 when there was none */
	struct gk_slice body; /* with OK; valid until done() returns */
};
/*
 * gkd_http_get - OK: @done is called once, later, from the loop; anything else
 * is the reason why it never will be.  @fetch may be NULL.
 */
GK_MUST_CHECK enum gkd_http_result gkd_http_get(
	struct gkd_http *http, const char *url,
	void (*done)(void *arg, const struct gkd_http_answer *answer),
	void *arg, struct gkd_fetch **fetch);
/* gkd_fetch_cancel - without done(). */
void gkd_fetch_cancel(struct gkd_fetch *fetch);

/* ---- server ------------------------------------------------------------ */

struct gkd_http_server;

struct gkd_http_server_config {
	/*
	 * get - the octets of @path ("/x?y" as sent: nothing decoded, visible
	 * ASCII), valid until the next call; false: 404.
	 */
	bool (*get)(void *arg, const char *path, struct gk_slice *body);
	void *arg;
	size_t request_max; /* octets of request line and header */
	size_t body_max;    /* octets of an answer: longer ones are 500 */
	unsigned conns_max, idle_ms, total_ms;
};

/* GK_ERR_IO: cannot listen at @local. */
GK_MUST_CHECK enum gk_err gkd_http_serve(
	struct gkd_http_server **server, struct gkd_loop *loop,
	const struct gkd_addr *local,
	const struct gkd_http_server_config *config);
void gkd_http_server_free(struct gkd_http_server *server);
struct gkd_addr gkd_http_server_local(const struct gkd_http_server *server);

#endif /* GKD_HTTP_H */
