/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/tests/http.h"

/* The server against a socket that plays one canned request, and both against each
 * other. */
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
		GK_RUN(daemon_http, the_server_answers_get_and_nothing_else),
		GK_RUN(daemon_http, a_second_request_gets_no_answer),
		GK_RUN(daemon_http, a_long_slow_or_silent_request_is_cut_off),
		GK_RUN(daemon_http, idlers_do_not_keep_others_out),
		GK_RUN(daemon_http, client_and_server_over_both_families),
		GK_RUN(daemon_http, names_are_resolved_without_waiting),
		GK_RUN(daemon_http, it_works_locked_in),
	};

	return cmocka_run_group_tests_name("common/daemon/http_server", tests,
	                                   NULL, NULL);
}
