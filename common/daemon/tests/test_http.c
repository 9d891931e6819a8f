/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <event2/dns.h>
#include <event2/dns_struct.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_privilege.h"

/*
 * The client against a server that plays one canned answer, the server against
 * a socket that plays one canned request, both against each other.
 */
#define BOUND_MS 10000
#define URL_ROOM 200

/* A server that answers whatever it is asked with fixed octets. */
struct canned {
	struct gkd_loop *loop;
	int listener, conn;
	struct gkd_io *accepts, *reads;
	struct gk_slice answer;
	bool hold; /* keep the connection open afterwards */
	char asked[2048];
	unsigned requests;
	uint16_t port;
};

struct client {
	struct gkd_http *http;
	unsigned answers;
	enum gkd_http_result result;
	unsigned status;
	char body[512];
	bool free_in_done;
};

static void
on_request(void *arg)
{
	struct canned *c = arg;
	ssize_t n = recv(c->conn, c->asked, sizeof(c->asked) - 1, 0);

	if (n > 0) {
		c->asked[n] = '\0';
		c->requests++;
		assert_int_equal(send(c->conn, c->answer.ptr, c->answer.len,
		                      MSG_NOSIGNAL),
		                 c->answer.len);
		if (c->hold)
			return;
	}
	gkd_io_free(c->reads);
	c->reads = NULL;
	close(c->conn);
	c->conn = -1;
}

static void
on_caller(void *arg)
{
	struct canned *c = arg;

	c->conn = accept(c->listener, NULL, NULL);
	assert_true(c->conn >= 0);
	c->reads = gkd_io_new(c->loop, c->conn, on_request, c);
	assert_non_null(c->reads);
}

static void
canned_open(struct canned *c, const char *answer)
{
	struct gkd_addr local;
	socklen_t len = sizeof(local);

	*c = (struct canned){ .loop = gkd_loop_new(),
		              .conn = -1,
		              .answer = gk_slice_str(answer) };
	assert_non_null(c->loop);
	gk_assert_ok(gkd_addr_parse(&local, "127.0.0.1:0", 0));
	c->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(c->listener, &local.sa, gkd_addr_len(&local)), 0);
	assert_int_equal(listen(c->listener, 8), 0);
	assert_int_equal(getsockname(c->listener, &local.sa, &len), 0);
	c->port = gkd_addr_port(&local);
	c->accepts = gkd_io_new(c->loop, c->listener, on_caller, c);
	assert_non_null(c->accepts);
}

static void
canned_close(struct canned *c)
{
	gkd_io_free(c->accepts);
	gkd_io_free(c->reads);
	close(c->listener);
	if (c->conn >= 0)
		close(c->conn);
	gkd_loop_free(c->loop);
}

static void
on_answer(void *arg, const struct gkd_http_answer *answer)
{
	struct client *client = arg;

	client->answers++;
	client->result = answer->result;
	client->status = answer->status;
	snprintf(client->body, sizeof(client->body), "%.*s",
	         (int)answer->body.len, (const char *)answer->body.ptr);
	if (client->free_in_done)
		gkd_http_free(client->http);
}

/* A client that may fetch below http://HOST:@port/ok/ only. */
static void
client_for(struct client *client, struct gkd_loop *loop, const char *host,
           uint16_t port, unsigned timeout_ms, const char *nameserver)
{
	char prefix[URL_ROOM];
	const char *allowed[] = { prefix, NULL };
	const struct gkd_http_config config = {
		.allowed = allowed,
		.nameserver = nameserver,
		.body_max = 64,
		.headers_max = 512,
		.timeout_ms = timeout_ms,
		.fetches_max = 2,
	};

	snprintf(prefix, sizeof(prefix), "http://%s:%u/ok/", host, port);
	*client = (struct client){ 0 };
	gk_assert_ok(gkd_http_new(&client->http, loop, &config));
}

static const char *
url(const char *host, uint16_t port, const char *path)
{
	static char text[URL_ROOM];

	snprintf(text, sizeof(text), "http://%s:%u%s", host, port, path);
	return text;
}

static void
run_until(struct gkd_loop *loop, const unsigned *count, unsigned want)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;

	while (*count < want && gkd_now().mono_ms < end)
		gk_assert_ok(gkd_loop_once(loop, true));
	assert_int_equal(*count, want);
}

/* What the client makes of @answer. */
static void
play(struct client *client, const char *answer, bool hold, unsigned timeout_ms)
{
	struct canned c;

	canned_open(&c, answer);
	c.hold = hold;
	client_for(client, c.loop, "127.0.0.1", c.port, timeout_ms, NULL);
	assert_int_equal(gkd_http_get(client->http,
	                              url("127.0.0.1", c.port, "/ok/x?y=1"),
	                              on_answer, client, NULL),
	                 GKD_HTTP_OK);
	assert_int_equal(client->answers, 0); /* never from inside */
	run_until(c.loop, &client->answers, 1);
	assert_int_equal(c.requests, 1);
	assert_memory_equal(c.asked, "GET /ok/x?y=1 HTTP/1.1\r\n", 24);
	assert_non_null(strstr(c.asked, "\r\nHost: 127.0.0.1:"));
	assert_non_null(strstr(c.asked, "\r\nConnection: close\r\n"));
	gkd_http_free(client->http);
	canned_close(&c);
}

GK_TEST(daemon_http, a_body_arrives)
{
	struct client client;

	play(&client, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", true,
	     BOUND_MS);
	assert_string_equal(gkd_http_text(client.result), "success");
	assert_string_equal(client.body, "hello");
	/* In chunks, and until the end of the connection. */
	play(&client,
	     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	     true, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_OK);
	assert_string_equal(client.body, "hello");
	play(&client, "HTTP/1.0 200 OK\r\n\r\nhello", false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_OK);
	assert_string_equal(client.body, "hello");
	play(&client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true,
	     BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_OK);
	assert_string_equal(client.body, "");
}

/* 64 octets fit, 65 do not: announced, in chunks, or simply coming. */
GK_TEST(daemon_http, what_is_too_long_is_refused)
{
	struct client client;
	char text[1400];

	snprintf(text, sizeof(text),
	         "HTTP/1.1 200 OK\r\nContent-Length: 64\r\n\r\n%064d", 0);
	play(&client, text, true, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_OK);
	assert_int_equal(strlen(client.body), 64);
	play(&client, "HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", true,
	     BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TOO_LONG);
	snprintf(text, sizeof(text), "HTTP/1.0 200 OK\r\n\r\n%065d", 0);
	play(&client, text, false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TOO_LONG);
	snprintf(text, sizeof(text),
	         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	         "20\r\n%032d\r\n21\r\n%033d\r\n0\r\n\r\n",
	         0, 0);
	play(&client, text, true, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TOO_LONG);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nX: %0600d\r\n\r\n", 0);
	play(&client, text, true, BOUND_MS);
	/* Releases of libevent differ in what they call it. */
	assert_true(client.result == GKD_HTTP_TOO_LONG ||
	            client.result == GKD_HTTP_MALFORMED);
}

GK_TEST(daemon_http, a_truncated_answer_is_told_from_a_whole_one)
{
	struct client client;

	play(&client, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
	     false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TRUNCATED);
	play(&client, "HTTP/1.1 200 OK\r\nContent-Le", false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TRUNCATED);
	play(&client, "", false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_TRUNCATED);
	play(&client, "SSH-2.0-not-a-web-server\r\n\r\n", false, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_MALFORMED);
}

/* Silence, and an answer whose end does not come. */
GK_TEST(daemon_http, a_slow_server_costs_the_deadline_only)
{
	struct client client;

	play(&client, "", true, 60);
	assert_int_equal(client.result, GKD_HTTP_TIMEOUT);
	play(&client, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", true,
	     60);
	assert_int_equal(client.result, GKD_HTTP_TIMEOUT);
	assert_string_equal(client.body, "");
}

GK_TEST(daemon_http, only_200_counts)
{
	struct client client;

	play(&client, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	     true, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_STATUS);
	assert_int_equal(client.status, 404);
	play(&client,
	     "HTTP/1.1 302 Found\r\nLocation: /ok/other\r\n"
	     "Content-Length: 0\r\n\r\n",
	     true, BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_REDIRECT);
	assert_int_equal(client.status, 302);
	assert_string_equal(client.body, "");
	play(&client, "HTTP/1.1 206 Part\r\nContent-Length: 2\r\n\r\nhe", true,
	     BOUND_MS);
	assert_int_equal(client.result, GKD_HTTP_STATUS);
}

GK_TEST(daemon_http, what_the_list_does_not_allow_is_not_asked)
{
	static const char *const allowed[] = { "http://Good.example/a/",
		                               "http://good.example:8080/b",
		                               "http://[2001:db8::1]/", NULL };
	static const char *const bad_prefix[] = { "https://good.example/",
		                                  NULL };
	static const struct {
		const char *url;
		enum gkd_http_result want;
	} rows[] = {
		{ "http://good.example/a/x", GKD_HTTP_OK },
		{ "HTTP://GOOD.example:80/a/x?q", GKD_HTTP_OK },
		{ "http://good.example:8080/b", GKD_HTTP_OK },
		{ "http://good.example:8080/b/c", GKD_HTTP_OK },
		{ "http://good.example:8080/b?c", GKD_HTTP_OK },
		{ "http://[2001:DB8::1]/z", GKD_HTTP_OK },
		{ "http://good.example:8080/bc", GKD_HTTP_FORBIDDEN },
		{ "http://good.example/A/x", GKD_HTTP_FORBIDDEN },
		{ "http://good.example:81/a/x", GKD_HTTP_FORBIDDEN },
		{ "http://good.example.evil/a/x", GKD_HTTP_FORBIDDEN },
		{ "http://good.exampl/a/x", GKD_HTTP_FORBIDDEN },
		{ "http://good.example", GKD_HTTP_FORBIDDEN },
		{ "http://good.example/a/../x", GKD_HTTP_URL },
		{ "http://good.example/a/..", GKD_HTTP_URL },
		{ "http://good.example/a/./x", GKD_HTTP_URL },
		{ "http://good.example/a/%2E%2e/x", GKD_HTTP_URL },
		{ "http://good.example/a/%2fx", GKD_HTTP_URL },
		{ "http://good.example/a/\\x", GKD_HTTP_URL },
		{ "http://good.example/a/x\r\nEvil: 1", GKD_HTTP_URL },
		{ "http://good.example/a/x y", GKD_HTTP_URL },
		{ "http://good.example/a/\xc3\xa4", GKD_HTTP_URL },
		{ "http://good.example/a/x#y", GKD_HTTP_URL },
		{ "http://good.example@evil.example/a/", GKD_HTTP_URL },
		{ "http://user@good.example/a/", GKD_HTTP_URL },
		{ "http://good.example:0/a/", GKD_HTTP_URL },
		{ "http://good.example:65536/a/", GKD_HTTP_URL },
		{ "https://good.example/a/x", GKD_HTTP_URL },
		{ "file:///a/x", GKD_HTTP_URL },
		{ "/a/x", GKD_HTTP_URL },
		{ "http:///a/x", GKD_HTTP_URL },
		{ "", GKD_HTTP_URL },
	};
	struct gkd_http_config config = { .allowed = allowed,
		                          .body_max = 64,
		                          .headers_max = 512,
		                          .timeout_ms = BOUND_MS,
		                          .fetches_max = 1 };
	struct gkd_loop *loop = gkd_loop_new();
	char longest[GKD_URL_MAX + 2];
	struct gkd_http *http;

	gk_assert_ok(gkd_http_new(&http, loop, &config));
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		if (gkd_http_allowed(http, rows[i].url) != rows[i].want)
			fail_msg("%s: %s", rows[i].url,
			         gkd_http_text(
					 gkd_http_allowed(http, rows[i].url)));
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "http://good.example/a/", 22);
	longest[GKD_URL_MAX + 1] = '\0';
	assert_int_equal(gkd_http_allowed(http, longest), GKD_HTTP_URL);
	longest[GKD_URL_MAX] = '\0';
	assert_int_equal(gkd_http_allowed(http, longest), GKD_HTTP_OK);
	/* The same table stands before every fetch. */
	assert_int_equal(gkd_http_get(http, "http://good.example/x", on_answer,
	                              NULL, NULL),
	                 GKD_HTTP_FORBIDDEN);
	gkd_http_free(http);
	config.allowed = bad_prefix;
	gk_assert_err(GK_ERR_VALUE, gkd_http_new(&http, loop, &config));
	gkd_loop_free(loop);
}

GK_TEST(daemon_http, fetches_are_counted_and_can_be_cancelled)
{
	struct gkd_fetch *first, *second;
	struct client client;
	struct canned c;

	canned_open(&c, "");
	c.hold = true;
	client_for(&client, c.loop, "127.0.0.1", c.port, BOUND_MS, NULL);
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/1"),
	                              on_answer, &client, &first),
	                 GKD_HTTP_OK);
	run_until(c.loop, &c.requests, 1);
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/2"),
	                              on_answer, &client, &second),
	                 GKD_HTTP_OK);
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/3"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_BUSY);
	gkd_fetch_cancel(first);
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/3"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	/* Two are still under way. */
	gkd_http_free(client.http);
	assert_int_equal(client.answers, 0);
	canned_close(&c);
}

GK_TEST(daemon_http, an_answer_may_end_the_client)
{
	struct client client;
	struct canned c;

	canned_open(&c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	client_for(&client, c.loop, "127.0.0.1", c.port, BOUND_MS, NULL);
	client.free_in_done = true;
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/1"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	run_until(c.loop, &client.answers, 1);
	assert_string_equal(client.body, "ok");
	canned_close(&c);
}

GK_TEST(daemon_http, a_closed_port_is_reported)
{
	struct client client;
	struct canned c;

	canned_open(&c, "");
	client_for(&client, c.loop, "127.0.0.1", c.port, BOUND_MS, NULL);
	gkd_io_free(c.accepts);
	c.accepts = NULL;
	close(c.listener);
	assert_int_equal(gkd_http_get(client.http,
	                              url("127.0.0.1", c.port, "/ok/1"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	run_until(c.loop, &client.answers, 1);
	assert_int_equal(client.result, GKD_HTTP_CONNECT);
	gkd_http_free(client.http);
	gkd_loop_free(c.loop);
}

/* ---- the server -------------------------------------------------------- */

struct shelf {
	struct gkd_loop *loop;
	struct gkd_http_server *server;
	unsigned asked;
	char big[65];
};

static bool
get(void *arg, const char *path, struct gk_slice *body)
{
	struct shelf *shelf = arg;

	shelf->asked++;
	if (strcmp(path, "/ok/a?b") == 0)
		*body = gk_slice_str("octets");
	else if (strcmp(path, "/ok/big") == 0)
		*body = (struct gk_slice){ (const uint8_t *)shelf->big, 65 };
	else
		return false;
	return true;
}

static void
shelf_open(struct shelf *shelf, const char *address, unsigned idle_ms,
           unsigned total_ms, unsigned conns_max)
{
	const struct gkd_http_server_config config = {
		.get = get,
		.arg = shelf,
		.request_max = 128,
		.body_max = 64,
		.conns_max = conns_max,
		.idle_ms = idle_ms,
		.total_ms = total_ms,
	};
	struct gkd_addr local;

	*shelf = (struct shelf){ .loop = gkd_loop_new() };
	assert_non_null(shelf->loop);
	gk_assert_ok(gkd_addr_parse(&local, address, 0));
	gk_assert_ok(
		gkd_http_serve(&shelf->server, shelf->loop, &local, &config));
}

static void
shelf_close(struct shelf *shelf)
{
	gkd_http_server_free(shelf->server);
	gkd_loop_free(shelf->loop);
}

static int
dial(const struct shelf *shelf)
{
	struct gkd_addr to = gkd_http_server_local(shelf->server);
	int fd = socket(to.sa.sa_family, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, &to.sa, gkd_addr_len(&to)), 0);
	return fd;
}

static void
end_of(struct shelf *shelf, int fd, char *text, size_t size)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;
	size_t have = 0;
	ssize_t n = -1;

	while (n != 0 && gkd_now().mono_ms < end) {
		gk_assert_ok(gkd_loop_once(shelf->loop, false));
		n = recv(fd, text + have, size - 1 - have, MSG_DONTWAIT);
		if (n > 0)
			have += (size_t)n;
	}
	assert_int_equal(n, 0); /* the server has closed */
	text[have] = '\0';
	close(fd);
}

/* The whole answer to @request, ended by the server. */
static const char *
ask(struct shelf *shelf, const char *request)
{
	static char text[1024];
	int fd = dial(shelf);

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL),
	                 strlen(request));
	end_of(shelf, fd, text, sizeof(text));
	return text;
}

static void
assert_begins(const char *text, const char *with)
{
	if (strncmp(text, with, strlen(with)) != 0)
		fail_msg("'%s' does not begin with '%s'", text, with);
}

GK_TEST(daemon_http, the_server_answers_get_and_nothing_else)
{
	static const char *const refused[][2] = {
		{ "POST /ok/a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 405 " },
		{ "HEAD /ok/a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 405 " },
		{ "get /ok/a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 405 " },
		{ "GET /ok/a?b HTTP/2.0\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET /ok/a?b\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET ok/a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET http://h/ok/a?b HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET /ok/\x01 HTTP/1.1\r\n\r\n", "HTTP/1.1 400 " },
		{ "GET /ok/a?b HTTP/1.1\r\nContent-length: 1\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ "GET /ok/a?b HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n",
		  "HTTP/1.1 400 " },
		{ "\r\n\r\n", "HTTP/1.1 400 " },
	};
	struct shelf shelf;
	const char *text;

	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, BOUND_MS, 4);
	text = ask(&shelf, "GET /ok/a?b HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_begins(text, "HTTP/1.1 200 OK\r\n");
	assert_non_null(strstr(text, "Content-Length: 6\r\n"));
	assert_non_null(strstr(text, "\r\n\r\noctets"));
	assert_begins(ask(&shelf, "GET /none HTTP/1.0\r\n\r\n"),
	              "HTTP/1.1 404 ");
	assert_begins(ask(&shelf, "GET /ok/big HTTP/1.0\r\n\r\n"),
	              "HTTP/1.1 500 ");
	assert_int_equal(shelf.asked, 3);
	for (size_t i = 0; i < GK_COUNT(refused); i++)
		assert_begins(ask(&shelf, refused[i][0]), refused[i][1]);
	assert_int_equal(shelf.asked, 3);
	shelf_close(&shelf);
}

/* One request, one connection: a second one in the same breath is not read. */
GK_TEST(daemon_http, a_second_request_gets_no_answer)
{
	struct shelf shelf;
	const char *text;

	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, BOUND_MS, 4);
	text = ask(&shelf, "GET /ok/a?b HTTP/1.1\r\n\r\n"
	                   "GET /ok/a?b HTTP/1.1\r\n\r\n");
	assert_int_equal(shelf.asked, 1);
	assert_null(strstr(text + 1, "HTTP/1.1 200"));
	shelf_close(&shelf);
}

GK_TEST(daemon_http, a_long_slow_or_silent_request_is_cut_off)
{
	char request[256], text[512];
	struct shelf shelf;
	uint64_t end;
	int fd;

	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, BOUND_MS, 4);
	snprintf(request, sizeof(request), "GET /%0200d HTTP/1.1\r\n\r\n", 0);
	assert_string_equal(ask(&shelf, request), "");
	assert_int_equal(shelf.asked, 0);
	shelf_close(&shelf);
	/* Silent ... */
	shelf_open(&shelf, "127.0.0.1:0", 30, BOUND_MS, 4);
	fd = dial(&shelf);
	end_of(&shelf, fd, text, sizeof(text));
	assert_string_equal(text, "");
	shelf_close(&shelf);
	/* ... and never done, octet by octet. */
	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, 60, 4);
	fd = dial(&shelf);
	end = gkd_now().mono_ms + BOUND_MS;
	for (unsigned i = 0; gkd_now().mono_ms < end; i++) {
		if (i < 100)
			(void)send(fd, "G", 1, MSG_NOSIGNAL);
		gk_assert_ok(gkd_loop_once(shelf.loop, i < 100));
		if (recv(fd, text, 1, MSG_DONTWAIT) == 0)
			break;
	}
	assert_true(gkd_now().mono_ms < end);
	close(fd);
	shelf_close(&shelf);
}

GK_TEST(daemon_http, idlers_do_not_keep_others_out)
{
	struct shelf shelf;
	char text[512];
	int idler[3];

	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, BOUND_MS, 2);
	for (size_t i = 0; i < GK_COUNT(idler); i++)
		idler[i] = dial(&shelf);
	assert_begins(ask(&shelf, "GET /ok/a?b HTTP/1.1\r\n\r\n"),
	              "HTTP/1.1 200 ");
	for (size_t i = 0; i < 2; i++)
		end_of(&shelf, idler[i], text, sizeof(text));
	close(idler[2]);
	shelf_close(&shelf);
}

/* ---- both -------------------------------------------------------------- */

static void
fetch_from_shelf(const char *address, const char *host)
{
	struct client client;
	struct shelf shelf;
	struct gkd_addr at;
	uint16_t port;

	shelf_open(&shelf, address, BOUND_MS, BOUND_MS, 4);
	at = gkd_http_server_local(shelf.server);
	port = gkd_addr_port(&at);
	client_for(&client, shelf.loop, host, port, BOUND_MS, NULL);
	assert_int_equal(gkd_http_get(client.http, url(host, port, "/ok/a?b"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	run_until(shelf.loop, &client.answers, 1);
	assert_string_equal(gkd_http_text(client.result), "success");
	assert_string_equal(client.body, "octets");
	gkd_http_free(client.http);
	shelf_close(&shelf);
}

GK_TEST(daemon_http, client_and_server_over_both_families)
{
	fetch_from_shelf("127.0.0.1:0", "127.0.0.1");
	fetch_from_shelf("[::1]:0", "[::1]");
}

/* A name server that knows one name. */
static void
on_question(struct evdns_server_request *req, void *arg)
{
	unsigned *asked = arg;
	int error = DNS_ERR_NOTEXIST;
	uint32_t here = htonl(INADDR_LOOPBACK);

	(*asked)++;
	for (int i = 0; i < req->nquestions; i++) {
		const struct evdns_server_question *q = req->questions[i];

		if (strcasecmp(q->name, "wanted.example") != 0)
			continue;
		error = DNS_ERR_NONE;
		if (q->type == EVDNS_TYPE_A)
			(void)evdns_server_request_add_a_reply(req, q->name, 1,
			                                       &here, 60);
	}
	evdns_server_request_respond(req, error);
}

static int
fetch_by_name(void)
{
	struct evdns_server_port *dns;
	struct client client;
	struct shelf shelf;
	struct gkd_addr at;
	socklen_t len = sizeof(at);
	unsigned asked = 0;
	char nameserver[GKD_ADDR_TEXT];
	uint16_t port;
	int fd;

	shelf_open(&shelf, "127.0.0.1:0", BOUND_MS, BOUND_MS, 4);
	at = gkd_http_server_local(shelf.server);
	port = gkd_addr_port(&at);
	gk_assert_ok(gkd_addr_parse(&at, "127.0.0.1:0", 0));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, &at.sa, gkd_addr_len(&at)), 0);
	assert_int_equal(getsockname(fd, &at.sa, &len), 0);
	dns = evdns_add_server_port_with_base(gkd_loop_base(shelf.loop), fd, 0,
	                                      on_question, &asked);
	assert_non_null(dns);
	client_for(&client, shelf.loop, "wanted.example", port, BOUND_MS,
	           gkd_addr_format(nameserver, &at));
	assert_int_equal(gkd_http_get(client.http,
	                              url("wanted.example", port, "/ok/a?b"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	run_until(shelf.loop, &client.answers, 1);
	assert_string_equal(gkd_http_text(client.result), "success");
	assert_string_equal(client.body, "octets");
	assert_true(asked > 0);
	gkd_http_free(client.http);
	client_for(&client, shelf.loop, "missing.example", port, BOUND_MS,
	           gkd_addr_format(nameserver, &at));
	assert_int_equal(gkd_http_get(client.http,
	                              url("missing.example", port, "/ok/a?b"),
	                              on_answer, &client, NULL),
	                 GKD_HTTP_OK);
	run_until(shelf.loop, &client.answers, 1);
	assert_string_equal(gkd_http_text(client.result),
	                    gkd_http_text(GKD_HTTP_NAME));
	gkd_http_free(client.http);
	evdns_close_server_port(dns);
	shelf_close(&shelf);
	close(fd);
	return 0;
}

GK_TEST(daemon_http, names_are_resolved_without_waiting)
{
	assert_int_equal(fetch_by_name(), 0);
}

/* Name, socket, connection, server: all of it under the filter. */
GK_TEST(daemon_http, it_works_locked_in)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct gkd_why why;

		if (gkd_privilege_limit(64, &why) != GK_OK ||
		    gkd_sandbox_enter(NULL, &why) != GK_OK)
			_exit(3);
		fetch_by_name(); /* a failure jumps out and ends the child */
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_http, a_body_arrives),
		GK_RUN(daemon_http, what_is_too_long_is_refused),
		GK_RUN(daemon_http,
		       a_truncated_answer_is_told_from_a_whole_one),
		GK_RUN(daemon_http, a_slow_server_costs_the_deadline_only),
		GK_RUN(daemon_http, only_200_counts),
		GK_RUN(daemon_http, what_the_list_does_not_allow_is_not_asked),
		GK_RUN(daemon_http, fetches_are_counted_and_can_be_cancelled),
		GK_RUN(daemon_http, an_answer_may_end_the_client),
		GK_RUN(daemon_http, a_closed_port_is_reported),
		GK_RUN(daemon_http, the_server_answers_get_and_nothing_else),
		GK_RUN(daemon_http, a_second_request_gets_no_answer),
		GK_RUN(daemon_http, a_long_slow_or_silent_request_is_cut_off),
		GK_RUN(daemon_http, idlers_do_not_keep_others_out),
		GK_RUN(daemon_http, client_and_server_over_both_families),
		GK_RUN(daemon_http, names_are_resolved_without_waiting),
		GK_RUN(daemon_http, it_works_locked_in),
	};

	return cmocka_run_group_tests_name("common/daemon/http", tests, NULL,
	                                   NULL);
}
