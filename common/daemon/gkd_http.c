/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "common/daemon/gkd_url.h"

LIST_HEAD(fetch_list, gkd_fetch);

struct gkd_http {
	struct gkd_loop *loop;
	struct evdns_base *dns;
	struct gkd_url *allowed;
	size_t n_allowed;
	size_t body_max, headers_max;
	unsigned timeout_ms, fetches_max;
	struct fetch_list fetches;
	unsigned n;
};

struct gkd_fetch {
	LIST_ENTRY(gkd_fetch) entry;
	struct gkd_http *http;
	/* The deadline; when there is an answer, also what delivers it: never
	 * from within evhttp, whose connection done() may want to free. */
	struct gkd_timer *timer;
	struct evhttp_connection *conn;
	struct evbuffer *body;
	enum gkd_http_result result;
	unsigned status;
	bool over;
	void (*done)(void *arg, const struct gkd_http_answer *answer);
	void *arg;
};

const char *
gkd_http_text(enum gkd_http_result result)
{
	static const char *const texts[] = {
#define X(name, text) text,
		GKD_HTTP_LIST(X)
#undef X
	};

	return (size_t)result < GK_COUNT(texts) ? texts[result] : "unknown";
}

/* ---- the client -------------------------------------------------------- */

static enum gk_err
take_prefixes(struct gkd_http *http, const char *const *allowed)
{
	size_t n = 0;

	while (allowed != NULL && allowed[n] != NULL)
		n++;
	http->allowed = calloc(n + 1, sizeof(*http->allowed));
	if (http->allowed == NULL)
		return GK_ERR_NOMEM;
	for (; http->n_allowed < n; http->n_allowed++)
		GK_TRY(gkd_url_parse(&http->allowed[http->n_allowed],
		                     allowed[http->n_allowed]));
	return GK_OK;
}

static enum gk_err
open_resolver(struct gkd_http *http, const char *nameserver)
{
	/* An idle resolver must not keep the loop turning. */
	http->dns = evdns_base_new(gkd_loop_base(http->loop),
	                           EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (http->dns == NULL)
		return GK_ERR_NOMEM;
	/* A server that is down must leave time for the next. */
	(void)evdns_base_set_option(http->dns, "timeout", "2");
	if (nameserver != NULL)
		return evdns_base_nameserver_ip_add(http->dns, nameserver) == 0
		               ? GK_OK
		               : GK_ERR_VALUE;
	/* Without the file evdns asks this host: no reason to fail. */
	(void)evdns_base_resolv_conf_parse(http->dns, DNS_OPTIONS_ALL,
	                                   "/etc/resolv.conf");
	return GK_OK;
}

enum gk_err
gkd_http_new(struct gkd_http **http, struct gkd_loop *loop,
             const struct gkd_http_config *config)
{
	struct gkd_http *h = calloc(1, sizeof(*h));
	enum gk_err err;

	if (h == NULL)
		return GK_ERR_NOMEM;
	LIST_INIT(&h->fetches);
	h->loop = loop;
	h->body_max = config->body_max;
	h->headers_max = config->headers_max;
	h->timeout_ms = config->timeout_ms;
	h->fetches_max = config->fetches_max;
	err = take_prefixes(h, config->allowed);
	if (err == GK_OK)
		err = open_resolver(h, config->nameserver);
	if (err != GK_OK) {
		gkd_http_free(h);
		return err;
	}
	*http = h;
	return GK_OK;
}

void
gkd_http_free(struct gkd_http *http)
{
	struct gkd_fetch *fetch, *next;

	if (http == NULL)
		return;
	for (fetch = LIST_FIRST(&http->fetches); fetch != NULL; fetch = next) {
		next = LIST_NEXT(fetch, entry);
		gkd_fetch_cancel(fetch);
	}
	if (http->dns != NULL)
		evdns_base_free(http->dns, 1);
	free(http->allowed);
	free(http);
}

static enum gkd_http_result
check_url(const struct gkd_http *http, const char *text, struct gkd_url *url)
{
	if (gkd_url_parse(url, text) != GK_OK)
		return GKD_HTTP_URL;
	for (size_t i = 0; i < http->n_allowed; i++)
		if (gkd_url_below(url, &http->allowed[i]))
			return GKD_HTTP_OK;
	return GKD_HTTP_FORBIDDEN;
}

bool
gkd_http_url_ok(const char *url)
{
	struct gkd_url parsed;

	return gkd_url_parse(&parsed, url) == GK_OK;
}

enum gkd_http_result
gkd_http_allowed(const struct gkd_http *http, const char *url)
{
	struct gkd_url parsed;

	return check_url(http, url, &parsed);
}

/* ---- one fetch --------------------------------------------------------- */

static void
fetch_free(struct gkd_fetch *fetch)
{
	gkd_timer_free(fetch->timer);
	if (fetch->conn != NULL)
		evhttp_connection_free(fetch->conn);
	if (fetch->body != NULL)
		evbuffer_free(fetch->body);
	free(fetch);
}

void
gkd_fetch_cancel(struct gkd_fetch *fetch)
{
	if (fetch == NULL)
		return;
	LIST_REMOVE(fetch, entry);
	fetch->http->n--;
	fetch_free(fetch);
}

static void
on_timer(void *arg)
{
	struct gkd_fetch *fetch = arg;
	struct gkd_http_answer answer = { .result = fetch->result,
		                          .status = fetch->status };

	LIST_REMOVE(fetch, entry);
	fetch->http->n--;
	if (!fetch->over)
		answer.result = GKD_HTTP_TIMEOUT;
	if (answer.result == GKD_HTTP_OK) {
		answer.body.len = evbuffer_get_length(fetch->body);
		answer.body.ptr = evbuffer_pullup(fetch->body, -1);
		if (answer.body.ptr == NULL && answer.body.len != 0) {
			answer.result = GKD_HTTP_NOMEM;
			answer.body.len = 0;
		}
	}
	/* done() may free the client; the fetch is already apart from it. */
	evhttp_connection_free(fetch->conn);
	fetch->conn = NULL;
	fetch->done(fetch->arg, &answer);
	fetch_free(fetch);
}

static void
finish(struct gkd_fetch *fetch, enum gkd_http_result result)
{
	fetch->result = result;
	fetch->over = true;
	gkd_timer_set(fetch->timer, 0);
}

static bool
name_failed(struct gkd_fetch *fetch)
{
	struct bufferevent *bev =
		evhttp_connection_get_bufferevent(fetch->conn);

	return bev != NULL && bufferevent_socket_get_dns_error(bev) != 0;
}

static void
on_error(enum evhttp_request_error error, void *arg)
{
	static const enum gkd_http_result results[] = {
		[EVREQ_HTTP_TIMEOUT] = GKD_HTTP_TIMEOUT,
		[EVREQ_HTTP_EOF] = GKD_HTTP_TRUNCATED,
		[EVREQ_HTTP_INVALID_HEADER] = GKD_HTTP_MALFORMED,
		[EVREQ_HTTP_BUFFER_ERROR] = GKD_HTTP_TRUNCATED,
		[EVREQ_HTTP_REQUEST_CANCEL] = GKD_HTTP_TIMEOUT,
		[EVREQ_HTTP_DATA_TOO_LONG] = GKD_HTTP_TOO_LONG,
	};
	struct gkd_fetch *fetch = arg;

	if (name_failed(fetch))
		finish(fetch, GKD_HTTP_NAME);
	else if ((size_t)error < GK_COUNT(results))
		finish(fetch, results[error]);
	else
		finish(fetch, GKD_HTTP_MALFORMED);
}

static void
on_answer(struct evhttp_request *req, void *arg)
{
	struct gkd_fetch *fetch = arg;

	if (fetch->over)
		return; /* on_error() has said why */
	fetch->status =
		req != NULL ? (unsigned)evhttp_request_get_response_code(req)
			    : 0;
	if (fetch->status == 0)
		finish(fetch,
		       name_failed(fetch) ? GKD_HTTP_NAME : GKD_HTTP_CONNECT);
	else if (fetch->status >= 300 && fetch->status <= 399)
		finish(fetch, GKD_HTTP_REDIRECT);
	else if (fetch->status != 200)
		finish(fetch, GKD_HTTP_STATUS);
	else if (evbuffer_add_buffer(fetch->body,
	                             evhttp_request_get_input_buffer(req)) != 0)
		finish(fetch, GKD_HTTP_NOMEM);
	else if (evbuffer_get_length(fetch->body) > fetch->http->body_max)
		finish(fetch, GKD_HTTP_TOO_LONG);
	else
		finish(fetch, GKD_HTTP_OK);
}

static struct gkd_fetch *
fetch_new(struct gkd_http *http, const struct gkd_url *url)
{
	struct gkd_fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	fetch->http = http;
	fetch->timer = gkd_timer_new(http->loop, on_timer, fetch);
	fetch->body = evbuffer_new();
	fetch->conn = evhttp_connection_base_bufferevent_new(
		gkd_loop_base(http->loop), http->dns, NULL, url->host,
		url->port);
	if (fetch->timer == NULL || fetch->body == NULL ||
	    fetch->conn == NULL) {
		fetch_free(fetch);
		return NULL;
	}
	evhttp_connection_set_max_body_size(fetch->conn,
	                                    (ev_ssize_t)http->body_max);
	evhttp_connection_set_max_headers_size(fetch->conn,
	                                       (ev_ssize_t)http->headers_max);
	return fetch;
}

static bool
send_request(struct gkd_fetch *fetch, const struct gkd_url *url)
{
	struct evhttp_request *req = evhttp_request_new(on_answer, fetch);
	char host[sizeof(url->host) + 16];
	struct evkeyvalq *headers;

	if (req == NULL)
		return false;
	evhttp_request_set_error_cb(req, on_error);
	headers = evhttp_request_get_output_headers(req);
	snprintf(host, sizeof(host), url->brackets ? "[%s]:%u" : "%s:%u",
	         url->host, (unsigned)url->port);
	if (evhttp_add_header(headers, "Host", host) != 0 ||
	    evhttp_add_header(headers, "Connection", "close") != 0) {
		evhttp_request_free(req);
		return false;
	}
	/* The request is evhttp's from here, also when this fails. */
	return evhttp_make_request(fetch->conn, req, EVHTTP_REQ_GET,
	                           url->path) == 0;
}

enum gkd_http_result
gkd_http_get(struct gkd_http *http, const char *text,
             void (*done)(void *arg, const struct gkd_http_answer *answer),
             void *arg, struct gkd_fetch **handle)
{
	struct gkd_fetch *fetch;
	struct gkd_url url;
	enum gkd_http_result result = check_url(http, text, &url);

	if (result != GKD_HTTP_OK)
		return result;
	if (http->n >= http->fetches_max)
		return GKD_HTTP_BUSY;
	fetch = fetch_new(http, &url);
	if (fetch == NULL)
		return GKD_HTTP_NOMEM;
	fetch->done = done;
	fetch->arg = arg;
	gkd_timer_set(fetch->timer, gkd_now().mono_ms + http->timeout_ms);
	if (!send_request(fetch, &url)) {
		fetch_free(fetch);
		return GKD_HTTP_NOMEM;
	}
	LIST_INSERT_HEAD(&http->fetches, fetch, entry);
	http->n++;
	if (handle != NULL)
		*handle = fetch;
	return GKD_HTTP_OK;
}
