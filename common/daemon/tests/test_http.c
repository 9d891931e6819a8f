/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/tests/http.h"

/* The client against a server that plays one canned answer. */

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
	};

	return cmocka_run_group_tests_name("common/daemon/http", tests, NULL,
	                                   NULL);
}
