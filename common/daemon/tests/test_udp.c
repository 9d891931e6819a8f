/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_mcast.h"
#include "common/daemon/gkd_udp.h"
#include "common/daemon/gkd_worker.h"

#define BOUND_MS 60000

struct seen {
	unsigned n;
	struct gkd_addr peer, local;
	size_t len;
	uint8_t first;
	struct gkd_udp *answer_on;
	struct gkd_udp *to_close; /* with the first one that comes */
};

static void
receive(void *arg, const struct gkd_dgram *dgram)
{
	struct seen *s = arg;

	s->n++;
	s->peer = dgram->peer;
	s->local = dgram->local;
	s->len = dgram->data.len;
	s->first = dgram->data.len > 0 ? dgram->data.ptr[0] : 0;
	if (s->answer_on != NULL) {
		struct gkd_dgram answer = { .peer = dgram->peer,
			                    .local = dgram->local,
			                    .ifindex = dgram->ifindex,
			                    .data = dgram->data };

		gkd_udp_send(s->answer_on, &answer, 1);
	}
	gkd_udp_close(s->to_close);
	s->to_close = NULL;
}

static void
run_until(struct gkd_loop *loop, const unsigned *count, unsigned want)
{
	uint64_t end = gkd_now().mono_ms + BOUND_MS;

	while (*count < want && gkd_now().mono_ms < end)
		gk_assert_ok(gkd_loop_once(loop, true));
	assert_int_equal(*count, want);
}

static struct gkd_udp *
open_at(struct gkd_loop *loop, const char *text, struct seen *seen)
{
	struct gkd_udp_config cfg = { 0 };
	struct gkd_udp *udp;

	gk_assert_ok(gkd_addr_parse(&cfg.local, text, 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, seen));
	return udp;
}

static void
ask_and_answer(const char *any, const char *asked, const char *client_at)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen server = { 0 }, client = { 0 };
	struct gkd_udp *s = open_at(loop, any, &server);
	struct gkd_udp *c = open_at(loop, client_at, &client);
	struct gkd_addr local = gkd_udp_local(s);
	struct gkd_dgram dgram[3] = { 0 };

	server.answer_on = s;
	for (size_t i = 0; i < 3; i++) {
		gk_assert_ok(gkd_addr_parse(&dgram[i].peer, asked, 0));
		gkd_addr_set_port(&dgram[i].peer, gkd_addr_port(&local));
		dgram[i].data = gk_slice_str("hello");
	}
	gkd_udp_send(c, dgram, 3);
	run_until(loop, &client.n, 3);
	assert_true(gkd_addr_equal(&server.local, &dgram[0].peer));
	/* The answer comes from the address that was asked. */
	assert_true(gkd_addr_equal(&client.peer, &dgram[0].peer));
	assert_int_equal(client.len, 5);
	assert_int_equal(gkd_udp_stats(s).received, 3);
	assert_int_equal(gkd_udp_stats(s).sent, 3);
	gkd_udp_close(s);
	gkd_udp_close(c);
	gkd_loop_free(loop);
}

GK_TEST(daemon_udp, answers_leave_from_the_address_that_was_asked)
{
	ask_and_answer("0.0.0.0:0", "127.0.0.77", "127.0.0.1:0");
}

GK_TEST(daemon_udp, the_same_over_ipv6)
{
	struct gkd_addr probe;
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	gk_assert_ok(gkd_addr_parse(&probe, "[::1]:0", 0));
	if (fd < 0 || bind(fd, &probe.sa, gkd_addr_len(&probe)) != 0) {
		if (fd >= 0)
			close(fd);
		skip(); /* this machine has no IPv6 loopback */
	}
	close(fd);
	ask_and_answer("[::]:0", "::1", "[::1]:0");
}

GK_TEST(daemon_udp, a_port_in_use_is_an_error_with_errno)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen seen = { 0 };
	struct gkd_udp *udp = open_at(loop, "127.0.0.1:0", &seen), *second;
	struct gkd_udp_config cfg = { .local = gkd_udp_local(udp) };

	gk_assert_err(GK_ERR_IO,
	              gkd_udp_open(&second, loop, &cfg, receive, &seen));
	assert_int_equal(errno, EADDRINUSE);
	gkd_udp_close(udp);
	gkd_loop_free(loop);
}

/* How many of what has come are read before others have their turn. */
static unsigned
read_in_one_go(unsigned batches, unsigned sent)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen seen = { 0 }, none = { 0 };
	struct gkd_udp_config cfg = { .receive_buf = 1 << 20,
		                      .batches = batches };
	struct gkd_udp *udp, *sender = open_at(loop, "127.0.0.1:0", &none);
	struct gkd_dgram dgram = { .data = gk_slice_str("hello") };
	unsigned read;

	gk_assert_ok(gkd_addr_parse(&cfg.local, "127.0.0.1:0", 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, &seen));
	dgram.peer = gkd_udp_local(udp);
	for (unsigned i = 0; i < sent; i++)
		gkd_udp_send(sender, &dgram, 1);
	gk_assert_ok(gkd_loop_once(loop, true));
	read = seen.n;
	run_until(loop, &seen.n, sent);
	gkd_udp_close(udp);
	gkd_udp_close(sender);
	gkd_loop_free(loop);
	return read;
}

GK_TEST(daemon_udp, who_has_a_queue_empties_the_socket)
{
	assert_int_equal(read_in_one_go(0, 100), GKD_UDP_BATCH);
	assert_int_equal(read_in_one_go(2, 100), 2 * GKD_UDP_BATCH);
	assert_int_equal(read_in_one_go(100, 100), 100);
	/* A full batch may have been the last. */
	assert_int_equal(read_in_one_go(100, GKD_UDP_BATCH), GKD_UDP_BATCH);
}

GK_TEST(daemon_udp, what_the_kernel_dropped_is_counted)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen seen = { 0 }, none = { 0 };
	struct gkd_udp_config cfg = { .receive_buf = 4096 };
	struct gkd_udp *udp, *sender = open_at(loop, "127.0.0.1:0", &none);
	static uint8_t data[1000];
	struct gkd_dgram dgram = { .data = { data, sizeof(data) } };

	gk_assert_ok(gkd_addr_parse(&cfg.local, "127.0.0.1:0", 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, &seen));
	dgram.peer = gkd_udp_local(udp);
	for (int i = 0; i < 100; i++)
		gkd_udp_send(sender, &dgram, 1);
	while (seen.n == 0 || gkd_udp_stats(udp).dropped == 0) {
		gk_assert_ok(gkd_loop_once(loop, true));
		gkd_udp_send(sender, &dgram, 1); /* carries the news */
	}
	assert_true(gkd_udp_stats(udp).dropped >= 50);
	gkd_udp_close(udp);
	gkd_udp_close(sender);
	gkd_loop_free(loop);
}

static int
buffer_of(int fd)
{
	socklen_t len = sizeof(int);
	int octets = 0;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, &len),
	                 0);
	return octets;
}

/* What the system gives everybody may be too little for thousands who ask at once;
 * who may ask for more, gets it. */
GK_TEST(daemon_udp, buffer_is_as_large_as_the_process_may_have)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen none = { 0 };
	struct gkd_udp_config cfg = { .receive_buf = 1 << 25 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct gkd_udp *udp;
	int usual, most;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &cfg.receive_buf,
	                            sizeof(int)),
	                 0);
	usual = most = buffer_of(fd);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &cfg.receive_buf,
	               sizeof(int)) == 0)
		most = buffer_of(fd);
	close(fd);
	assert_true(most == usual || most >= cfg.receive_buf);
	gk_assert_ok(gkd_addr_parse(&cfg.local, "127.0.0.1:0", 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, &none));
	assert_int_equal(buffer_of(gkd_udp_fd(udp)), most);
	gkd_udp_close(udp);
	gkd_loop_free(loop);
}

/* ---- workers ------------------------------------------------------------ */

struct relay {
	struct gkd_loop *main;
	unsigned n;
};

static void
in_main(void *arg)
{
	struct relay *r = arg;

	r->n++;
}

static void
in_worker(void *arg)
{
	struct relay *r = arg;

	gk_assert_ok(gkd_loop_post(r->main, in_main, r));
}

GK_TEST(daemon_worker, posts_go_there_and_back)
{
	struct relay r = { gkd_loop_new(), 0 };
	struct gkd_pool *pool = gkd_pool_new(3);

	assert_null(gkd_pool_new(0));
	gk_assert_ok(gkd_pool_start(pool));
	for (unsigned i = 0; i < 300; i++)
		gk_assert_ok(gkd_loop_post(gkd_pool_loop(pool, i % 3),
		                           in_worker, &r));
	run_until(r.main, &r.n, 300);
	gkd_pool_free(pool);
	gkd_loop_free(r.main);
}

static void
worker_receive(void *arg, const struct gkd_dgram *dgram)
{
	(void)dgram;
	in_worker(arg);
}

GK_TEST(daemon_worker, a_reuseport_set_shares_one_port)
{
	struct relay r = { gkd_loop_new(), 0 };
	struct gkd_pool *pool = gkd_pool_new(2);
	struct gkd_udp_config cfg = { .reuseport = true };
	struct gkd_udp *udp[2], *sender;
	struct seen none = { 0 };
	struct gkd_dgram dgram = { .data = gk_slice_str("x") };

	gk_assert_ok(gkd_addr_parse(&cfg.local, "127.0.0.1:0", 0));
	for (unsigned i = 0; i < 2; i++) {
		gk_assert_ok(gkd_udp_open(&udp[i], gkd_pool_loop(pool, i), &cfg,
		                          worker_receive, &r));
		cfg.local = gkd_udp_local(udp[i]);
	}
	dgram.peer = cfg.local;
	gk_assert_ok(gkd_pool_start(pool));
	for (unsigned i = 0; i < 40; i++) {
		sender = open_at(r.main, "127.0.0.1:0", &none);
		gkd_udp_send(sender, &dgram, 1);
		gkd_udp_close(sender);
	}
	run_until(r.main, &r.n, 40);
	gkd_pool_stop(pool);
	/* 40 source ports all on one socket: 1 in 2^39. */
	assert_true(gkd_udp_stats(udp[0]).received > 0);
	assert_true(gkd_udp_stats(udp[1]).received > 0);
	gkd_udp_close(udp[0]);
	gkd_udp_close(udp[1]);
	gkd_pool_free(pool);
	gkd_loop_free(r.main);
}

/* ---- multicast ---------------------------------------------------------- */

struct mseen {
	struct seen seen;
	unsigned up, gone;
};

static void
mreceive(void *arg, const struct gkd_dgram *dgram)
{
	struct mseen *m = arg;

	receive(&m->seen, dgram);
}

static void
mlink(void *arg, enum gkd_link state)
{
	struct mseen *m = arg;

	if (state == GKD_LINK_UP)
		m->up++;
	else
		m->gone++;
}

static void
set_up(const char *name, bool up)
{
	struct ifreq req = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(req.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCGIFFLAGS, &req), 0);
	req.ifr_flags =
		(short)(up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &req), 0);
	close(fd);
}

static struct gkd_mcast_config
on_lo(const char *group, bool receiving)
{
	struct gkd_mcast_config cfg = { .interface = "lo",
		                        .loopback = true,
		                        .receive = receiving };

	gk_assert_ok(gkd_addr_parse(&cfg.group, group, 0));
	return cfg;
}

GK_TEST(daemon_mcast, a_unicast_address_or_unknown_interface_is_refused)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct gkd_mcast_ops ops = { .receive = mreceive };
	struct gkd_mcast_config cfg = on_lo("192.0.2.1:5000", true);
	struct gkd_mcast *m;

	gk_assert_err(GK_ERR_VALUE, gkd_mcast_open(&m, loop, &cfg, &ops));
	cfg = on_lo("239.1.2.3:5000", true);
	strcpy(cfg.interface, "no-such-if0");
	gk_assert_err(GK_ERR_IO, gkd_mcast_open(&m, loop, &cfg, &ops));
	assert_int_equal(errno, ENODEV);
	gkd_loop_free(loop);
}

/* In a network of its own, where the loopback may go down and up. */
GK_TEST(daemon_mcast, joins_filters_and_survives_the_interface)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct mseen one = { 0 }, other = { 0 };
	struct seen unicast = { 0 };
	struct gkd_udp_config any = { .share = true };
	struct gkd_udp *udp;
	struct gkd_mcast_ops ops = { mreceive, mlink, &one };
	struct gkd_mcast *a, *b, *to_a, *to_other;
	struct gkd_mcast_config cfg = on_lo("239.9.9.1:5000", true);

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWNET) != 0) {
		gkd_loop_free(loop);
		skip(); /* not permitted here; the Python tests cover it */
	}
	set_up("lo", true);
	gk_assert_ok(gkd_addr_parse(&any.local, "0.0.0.0:5000", 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &any, receive, &unicast));
	gk_assert_ok(gkd_mcast_open(&a, loop, &cfg, &ops));
	assert_true(gkd_mcast_joined(a));
	/* Same group, but only from a source that never speaks. */
	gk_assert_ok(gkd_addr_parse(&cfg.source, "127.0.0.9", 0));
	ops.arg = &other;
	gk_assert_ok(gkd_mcast_open(&b, loop, &cfg, &ops));
	cfg = on_lo("239.9.9.1:5000", false);
	gk_assert_ok(gkd_mcast_open(&to_a, loop, &cfg, &ops));
	cfg = on_lo("239.9.9.2:5000", false);
	gk_assert_ok(gkd_mcast_open(&to_other, loop, &cfg, &ops));

	gk_assert_ok(gkd_mcast_send(to_other, gk_slice_str("no")));
	gk_assert_ok(gkd_mcast_send(to_a, gk_slice_str("yes")));
	run_until(loop, &one.seen.n, 1);
	assert_int_equal(one.seen.first, 'y');
	assert_int_equal(other.seen.n, 0);

	set_up("lo", false);
	run_until(loop, &one.gone, 1);
	assert_false(gkd_mcast_joined(a));
	while (other.gone < 3) /* b and both senders say so too */
		gk_assert_ok(gkd_loop_once(loop, true));
	gk_assert_err(GK_ERR_IO, gkd_mcast_send(to_a, gk_slice_str("no")));
	set_up("lo", true);
	run_until(loop, &one.up, 1);
	while (other.up < 3)
		gk_assert_ok(gkd_loop_once(loop, true));
	assert_true(gkd_mcast_joined(a));
	gk_assert_ok(gkd_mcast_send(to_a, gk_slice_str("again")));
	run_until(loop, &one.seen.n, 2);
	/* What others have joined does not come here as well. */
	assert_int_equal(unicast.n, 0);
	gkd_udp_close(udp);
	gkd_mcast_close(a);
	gkd_mcast_close(b);
	gkd_mcast_close(to_a);
	gkd_mcast_close(to_other);
	gkd_loop_free(loop);
}

/* As a member does that is told of another multicast group by what comes. */
GK_TEST(daemon_udp, who_is_closed_by_what_comes_gets_no_more)
{
	struct gkd_loop *loop = gkd_loop_new();
	struct seen closed = { 0 }, other = { 0 };
	struct gkd_udp *s = open_at(loop, "127.0.0.1", &closed);
	struct gkd_udp *c = open_at(loop, "127.0.0.1", &other);
	struct gkd_addr local = gkd_udp_local(s), self = gkd_udp_local(c);
	struct gkd_dgram dgram[4] = { 0 };

	closed.to_close = s;
	for (size_t i = 0; i < GK_COUNT(dgram); i++) {
		dgram[i].peer = i < 3 ? local : self;
		dgram[i].data = gk_slice_str("hello");
	}
	gkd_udp_send(c, dgram, GK_COUNT(dgram));
	run_until(loop, &closed.n, 1);
	run_until(loop, &other.n, 1);
	assert_int_equal(closed.n, 1);
	gkd_udp_close(c);
	gkd_loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_udp,
		       answers_leave_from_the_address_that_was_asked),
		GK_RUN(daemon_udp, the_same_over_ipv6),
		GK_RUN(daemon_udp, a_port_in_use_is_an_error_with_errno),
		GK_RUN(daemon_udp, who_has_a_queue_empties_the_socket),
		GK_RUN(daemon_udp, what_the_kernel_dropped_is_counted),
		GK_RUN(daemon_udp, buffer_is_as_large_as_the_process_may_have),
		GK_RUN(daemon_udp, who_is_closed_by_what_comes_gets_no_more),
		GK_RUN(daemon_worker, posts_go_there_and_back),
		GK_RUN(daemon_worker, a_reuseport_set_shares_one_port),
		GK_RUN(daemon_mcast,
		       a_unicast_address_or_unknown_interface_is_refused),
		/* The last: it leaves for another network. */
		GK_RUN(daemon_mcast, joins_filters_and_survives_the_interface),
	};

	return cmocka_run_group_tests_name("common/daemon/udp", tests, NULL,
	                                   NULL);
}
