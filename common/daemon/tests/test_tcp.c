/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_tcp.h"

/* Messages of the test: one octet of total length, then the rest. */
#define BOUND_MS 60000

struct peer {
	struct gkd_loop *loop;
	struct gkd_tcp *tcp;
	unsigned messages, opened, closed;
	size_t last_len;
	const char *why;
	bool echo, close_in_message;
	uint64_t last_id;
};

static enum gk_err
need(void *arg, struct gk_slice seen, size_t *total)
{
	(void)arg;
	*total = seen.len >= 1 ? seen.ptr[0] : 0;
	return seen.len >= 1 && seen.ptr[0] == 0 ? GK_ERR_VALUE : GK_OK;
}

static void
message(void *arg, struct gkd_conn *conn, struct gk_slice data)
{
	struct peer *p = arg;

	p->messages++;
	p->last_len = data.len;
	p->last_id = gkd_conn_id(conn);
	if (p->echo)
		gk_assert_ok(gkd_conn_send(conn, data));
	if (p->close_in_message)
		gkd_conn_close(conn);
}

static void
opened(void *arg, struct gkd_conn *conn)
{
	struct peer *p = arg;

	(void)conn;
	p->opened++;
}

static void
closed(void *arg, struct gkd_conn *conn, const char *why)
{
	struct peer *p = arg;

	(void)conn;
	p->closed++;
	p->why = why;
}

static void
open_peer(struct peer *p, const struct gkd_tcp_limits *limits)
{
	const struct gkd_tcp_ops ops = { need, message, opened, closed, p };
	struct gkd_addr any;

	*p = (struct peer){ .loop = gkd_loop_new() };
	assert_non_null(p->loop);
	gk_assert_ok(gkd_addr_parse(&any, "127.0.0.1:0", 0));
	gk_assert_ok(gkd_tcp_listen(&p->tcp, p->loop, &any, &ops, limits));
}

static void
close_peer(struct peer *p)
{
	gkd_tcp_close(p->tcp);
	gkd_loop_free(p->loop);
}

static int
dial(const struct peer *p)
{
	struct gkd_addr to = gkd_tcp_local(p->tcp);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, &to.sa, gkd_addr_len(&to)), 0);
	return fd;
}

/* Turn the loop until *@count reaches @want; a bound, not a sleep. */
static void
run_until(struct peer *p, const unsigned *count, unsigned want)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;

	while (*count < want && gkd_now().mono_ms < end)
		gk_assert_ok(gkd_loop_once(p->loop, true));
	assert_int_equal(*count, want);
}

static const struct gkd_tcp_limits usual = { 64, 1024, BOUND_MS, 0, 4 };

GK_TEST(daemon_tcp, messages_are_cut_out_of_the_stream)
{
	struct peer p;
	int fd;

	open_peer(&p, &usual);
	fd = dial(&p);
	/* Three messages and the beginning of a fourth at once ... */
	assert_int_equal(send(fd, "\x01\x03xx\x02y\x04z", 8, 0), 8);
	run_until(&p, &p.messages, 3);
	assert_int_equal(p.last_len, 2);
	/* ... the rest of it octet by octet. */
	assert_int_equal(send(fd, "z", 1, 0), 1);
	gk_assert_ok(gkd_loop_once(p.loop, true));
	assert_int_equal(p.messages, 3);
	assert_int_equal(send(fd, "z", 1, 0), 1);
	run_until(&p, &p.messages, 4);
	assert_int_equal(p.last_len, 4);
	assert_non_null(gkd_tcp_find(p.tcp, p.last_id));
	assert_null(gkd_tcp_find(p.tcp, p.last_id + 1));
	close(fd);
	run_until(&p, &p.closed, 1);
	assert_string_equal(p.why, "closed by the peer");
	assert_int_equal(gkd_tcp_count(p.tcp), 0);
	close_peer(&p);
}

GK_TEST(daemon_tcp, a_lying_length_ends_the_connection)
{
	struct peer p;
	char octet;
	int fd;

	open_peer(&p, &usual);
	fd = dial(&p);
	assert_int_equal(send(fd, "\x41", 1, 0), 1); /* 65 above the cap */
	run_until(&p, &p.closed, 1);
	assert_string_equal(p.why, "message too long");
	assert_int_equal(recv(fd, &octet, 1, 0), 0);
	close(fd);
	fd = dial(&p);
	assert_int_equal(send(fd, "\x01\x00", 2, 0), 2);
	run_until(&p, &p.closed, 2);
	assert_string_equal(p.why, "framing error");
	assert_int_equal(p.messages, 1);
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, a_half_close_inside_a_message_is_noticed)
{
	struct peer p;
	int fd;

	open_peer(&p, &usual);
	fd = dial(&p);
	assert_int_equal(send(fd, "\x05xx", 3, 0), 3);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run_until(&p, &p.closed, 1);
	assert_string_equal(p.why, "ended inside a message");
	assert_int_equal(p.messages, 0);
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, a_half_closed_peer_gets_its_answer)
{
	struct peer p;
	char answer[8];
	int fd;

	open_peer(&p, &usual);
	p.echo = true;
	fd = dial(&p);
	assert_int_equal(send(fd, "\x03xy", 3, 0), 3);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run_until(&p, &p.closed, 1);
	assert_int_equal(recv(fd, answer, sizeof(answer), MSG_WAITALL), 3);
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, idle_and_long_lived_connections_end)
{
	const struct gkd_tcp_limits idle = { 64, 1024, 30, 0, 4 };
	const struct gkd_tcp_limits total = { 64, 1024, BOUND_MS, 60, 4 };
	char echo[64];
	uint64_t end;
	struct peer p;
	int fd;

	open_peer(&p, &idle);
	fd = dial(&p);
	run_until(&p, &p.closed, 1);
	assert_string_equal(p.why, "idle for too long");
	close(fd);
	close_peer(&p);

	/* One octet now and then does not help for ever. */
	open_peer(&p, &total);
	p.echo = true;
	fd = dial(&p);
	end = gkd_now().mono_ms + BOUND_MS;
	while (p.closed == 0 && gkd_now().mono_ms < end) {
		(void)send(fd, "\x01", 1, MSG_NOSIGNAL);
		gk_assert_ok(gkd_loop_once(p.loop, true));
		/* The echo must not fill up what it may owe us. */
		(void)recv(fd, echo, sizeof(echo), MSG_DONTWAIT);
	}
	assert_string_equal(p.why, "open for too long");
	assert_true(p.messages > 0);
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, the_longest_idle_makes_room)
{
	int fd[5];
	char octet;
	struct peer p;

	open_peer(&p, &usual);
	for (unsigned i = 0; i < 4; i++) {
		fd[i] = dial(&p);
		run_until(&p, &p.opened, i + 1);
	}
	assert_int_equal(send(fd[0], "\x01", 1, 0), 1);
	run_until(&p, &p.messages, 1);
	fd[4] = dial(&p);
	run_until(&p, &p.opened, 5);
	assert_int_equal(p.closed, 1);
	assert_string_equal(p.why, "made room for another");
	assert_int_equal(recv(fd[1], &octet, 1, 0), 0); /* the second, not 0 */
	assert_int_equal(gkd_tcp_count(p.tcp), 4);
	for (size_t i = 0; i < 5; i++)
		close(fd[i]);
	close_peer(&p);
}

GK_TEST(daemon_tcp, the_owner_may_close_from_inside_a_message)
{
	struct peer p;
	char octet;
	int fd;

	open_peer(&p, &usual);
	p.close_in_message = true;
	fd = dial(&p);
	assert_int_equal(send(fd, "\x01\x01", 2, 0), 2);
	run_until(&p, &p.messages, 1);
	assert_int_equal(gkd_tcp_count(p.tcp), 0);
	assert_int_equal(recv(fd, &octet, 1, 0), 0);
	assert_int_equal(p.closed, 0);
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, a_peer_that_does_not_read_hits_the_cap)
{
	const struct gkd_tcp_limits tight = { 64, 8, BOUND_MS, 0, 4 };
	struct gkd_conn *conn;
	struct peer p;
	int fd;

	open_peer(&p, &tight);
	fd = dial(&p);
	assert_int_equal(send(fd, "\x01", 1, 0), 1);
	run_until(&p, &p.messages, 1);
	conn = gkd_tcp_find(p.tcp, p.last_id);
	gk_assert_err(GK_ERR_SPACE,
	              gkd_conn_send(conn, gk_slice_str("123456789")));
	gk_assert_ok(gkd_conn_send(conn, gk_slice_str("12345678")));
	gk_assert_err(GK_ERR_SPACE, gkd_conn_send(conn, gk_slice_str("9")));
	close(fd);
	close_peer(&p);
}

GK_TEST(daemon_tcp, a_client_talks_to_a_listener)
{
	struct peer server, client = { 0 };
	const struct gkd_tcp_ops ops = { need, message, opened, closed,
		                         &client };
	struct gkd_conn *conn;
	struct gkd_addr to;

	open_peer(&server, &usual);
	server.echo = true;
	to = gkd_tcp_local(server.tcp);
	gk_assert_ok(gkd_tcp_connect(&conn, server.loop, &to, &ops, &usual));
	gk_assert_ok(gkd_conn_send(conn, gk_slice_str("\x04qqq")));
	run_until(&server, &client.messages, 1);
	assert_int_equal(client.opened, 1);
	assert_int_equal(client.last_len, 4);
	gkd_conn_finish(conn);
	run_until(&server, &client.closed, 1);
	assert_string_equal(client.why, "finished");
	run_until(&server, &server.closed, 1);
	close_peer(&server);
}

GK_TEST(daemon_tcp, a_refused_connection_is_reported)
{
	struct peer server, client = { 0 };
	const struct gkd_tcp_ops ops = { need, message, opened, closed,
		                         &client };
	struct gkd_conn *conn;
	struct gkd_addr to;

	open_peer(&server, &usual);
	to = gkd_tcp_local(server.tcp);
	gkd_tcp_close(server.tcp);
	if (gkd_tcp_connect(&conn, server.loop, &to, &ops, &usual) == GK_OK) {
		run_until(&server, &client.closed, 1);
		assert_int_equal(client.opened, 0);
	}
	gkd_loop_free(server.loop);
}

/* ---- no descriptors left --------------------------------------------------- */

struct crowded {
	struct rlimit before;
	int filler[64];
	size_t n;
};

/* Nothing is left below what is open. */
static void
fill_up(struct crowded *c, int highest)
{
	struct rlimit few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &c->before), 0);
	few = c->before;
	few.rlim_cur = (rlim_t)highest + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	c->n = 0;
	while (c->n < GK_COUNT(c->filler) &&
	       (c->filler[c->n] = dup(STDIN_FILENO)) >= 0)
		c->n++;
	assert_int_equal(errno, EMFILE);
}

static void
empty_out(struct crowded *c)
{
	while (c->n > 0)
		close(c->filler[--c->n]);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &c->before), 0);
}

GK_TEST(daemon_tcp, without_descriptors_the_longest_idle_makes_room)
{
	struct gkd_tcp_limits many = usual;
	struct crowded c;
	struct gkd_addr to;
	struct peer p;
	int fd[3];

	many.conns_max = 64;
	open_peer(&p, &many);
	fd[0] = dial(&p);
	fd[1] = dial(&p);
	run_until(&p, &p.opened, 2);
	fd[2] = socket(AF_INET, SOCK_STREAM, 0);
	fill_up(&c, fd[2]);
	to = gkd_tcp_local(p.tcp);
	assert_int_equal(connect(fd[2], &to.sa, gkd_addr_len(&to)), 0);
	run_until(&p, &p.opened, 3);
	assert_int_equal(p.closed, 1);
	empty_out(&c);
	for (size_t i = 0; i < 3; i++)
		close(fd[i]);
	close_peer(&p);
}

/* They are not ours to close: no spinning until there is one. */
GK_TEST(daemon_tcp, without_descriptors_at_all_it_waits)
{
	struct crowded c;
	struct gkd_addr to;
	unsigned turns = 0;
	uint64_t end;
	struct peer p;
	int fd;

	open_peer(&p, &usual);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	fill_up(&c, fd);
	to = gkd_tcp_local(p.tcp);
	assert_int_equal(connect(fd, &to.sa, gkd_addr_len(&to)), 0);
	end = gkd_now().mono_ms + 300;
	/* Once at least, however long it took to come here. */
	do {
		gk_assert_ok(gkd_loop_once(p.loop, true));
		turns++;
	} while (gkd_now().mono_ms < end && turns < 1000);
	assert_in_range(turns, 1, 20);
	assert_int_equal(p.opened, 0);
	empty_out(&c);
	run_until(&p, &p.opened, 1);
	close(fd);
	close_peer(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_tcp, messages_are_cut_out_of_the_stream),
		GK_RUN(daemon_tcp, a_lying_length_ends_the_connection),
		GK_RUN(daemon_tcp, a_half_close_inside_a_message_is_noticed),
		GK_RUN(daemon_tcp, a_half_closed_peer_gets_its_answer),
		GK_RUN(daemon_tcp, idle_and_long_lived_connections_end),
		GK_RUN(daemon_tcp, the_longest_idle_makes_room),
		GK_RUN(daemon_tcp, the_owner_may_close_from_inside_a_message),
		GK_RUN(daemon_tcp, a_peer_that_does_not_read_hits_the_cap),
		GK_RUN(daemon_tcp, a_client_talks_to_a_listener),
		GK_RUN(daemon_tcp, a_refused_connection_is_reported),
		GK_RUN(daemon_tcp,
		       without_descriptors_the_longest_idle_makes_room),
		GK_RUN(daemon_tcp, without_descriptors_at_all_it_waits),
	};

	return cmocka_run_group_tests_name("common/daemon/tcp", tests, NULL,
	                                   NULL);
}
