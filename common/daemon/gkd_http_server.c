/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_tcp.h"
#include "common/daemon/gkd_url.h"

#define HEADER_MAX 256 /* octets of our own header */

struct gkd_http_server {
	struct gkd_http_server_config config;
	struct gkd_tcp *tcp;
	char *request; /* request_max + 1 octets: the one being read */
};

/* A request ends with the first empty line: GET has no body. */
static enum gk_err
need(void *arg, struct gk_slice seen, size_t *total)
{
	const uint8_t *end = memmem(seen.ptr, seen.len, "\r\n\r\n", 4);

	(void)arg;
	*total = end != NULL ? (size_t)(end - seen.ptr) + 4 : 0;
	return GK_OK;
}

static void
answer(struct gkd_conn *conn, const char *status, struct gk_slice body)
{
	char header[HEADER_MAX];
	int n = snprintf(header, sizeof(header),
	                 "HTTP/1.1 %s\r\n"
	                 "Content-Type: application/octet-stream\r\n"
	                 "Content-Length: %zu\r\n"
	                 "Connection: close\r\n%s\r\n",
	                 status, body.len,
	                 strncmp(status, "405", 3) == 0 ? "Allow: GET\r\n"
	                                                : "");

	if (gkd_conn_send(conn, (struct gk_slice){ (const uint8_t *)header,
	                                           (size_t)n }) != GK_OK ||
	    gkd_conn_send(conn, body) != GK_OK)
		gkd_conn_close(conn);
	else
		gkd_conn_finish(conn);
}

static void
message(void *arg, struct gkd_conn *conn, struct gk_slice data)
{
	const struct gk_slice nothing = { NULL, 0 };
	struct gkd_http_server *server = arg;
	struct gk_slice body = nothing;
	struct gkd_request request;
	char *text = server->request;

	if (gkd_conn_finishing(conn))
		return; /* it was told that there will be no second answer */
	memcpy(text, data.ptr, data.len);
	text[data.len] = '\0';
	if (!gkd_request_parse(&request, text, data.len))
		answer(conn, "400 Bad Request", nothing);
	else if (strcmp(request.method, "GET") != 0)
		answer(conn, "405 Method Not Allowed", nothing);
	else if (request.has_body)
		answer(conn, "400 Bad Request", nothing);
	else if (!server->config.get(server->config.arg, request.path, &body))
		answer(conn, "404 Not Found", nothing);
	else if (body.len > server->config.body_max)
		answer(conn, "500 Internal Server Error", nothing);
	else
		answer(conn, "200 OK", body);
}

enum gk_err
gkd_http_serve(struct gkd_http_server **server, struct gkd_loop *loop,
               const struct gkd_addr *local,
               const struct gkd_http_server_config *config)
{
	const struct gkd_tcp_limits limits = {
		.message_max = config->request_max,
		.unsent_max = config->body_max + HEADER_MAX,
		.idle_ms = config->idle_ms,
		.total_ms = config->total_ms,
		.conns_max = config->conns_max,
	};
	struct gkd_tcp_ops ops = { .need = need, .message = message };
	struct gkd_http_server *s = calloc(1, sizeof(*s));
	enum gk_err err = GK_ERR_NOMEM;

	if (s == NULL)
		return GK_ERR_NOMEM;
	s->config = *config;
	s->request = malloc(config->request_max + 1);
	ops.arg = s;
	if (s->request != NULL)
		err = gkd_tcp_listen(&s->tcp, loop, local, &ops, &limits);
	if (err != GK_OK) {
		free(s->request);
		free(s);
		return err;
	}
	*server = s;
	return GK_OK;
}

void
gkd_http_server_free(struct gkd_http_server *server)
{
	if (server == NULL)
		return;
	gkd_tcp_close(server->tcp);
	free(server->request);
	free(server);
}

struct gkd_addr
gkd_http_server_local(const struct gkd_http_server *server)
{
	return gkd_tcp_local(server->tcp);
}
