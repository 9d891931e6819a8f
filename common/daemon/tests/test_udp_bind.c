/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <dlfcn.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_udp_private.h"

static void
receive(void *arg, const struct gkd_dgram *dgram)
{
	(void)arg;
	(void)dgram;
}

/* A socket of somebody's: bound to @address at the port of @at; @allow: it lets others
 * have it, too.  -1: errno. */
static int
somebodys(const char *address, uint16_t port, bool allow)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct gkd_addr a;

	assert_true(fd >= 0);
	gk_assert_ok(gkd_addr_parse(&a, address, port));
	if (allow)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR,
		                            &(int){ 1 }, sizeof(int)),
		                 0);
	if (bind(fd, &a.sa, gkd_addr_len(&a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Who listens to a group at a port takes nothing from who has the port at our own
 * addresses, in whatever order they come; and two that want the same do not get it. */
GK_TEST(daemon_udp, groups_and_addresses_share_a_port_and_nobody_else_does)
{
	static const struct {
		const char *address; /* somebody else has it ... */
		bool allow, works;
	} rows[] = {
		{ "239.77.1.1", true, true },
		{ "239.77.1.1", false, false },
		{ "0.0.0.0", true, false },
		{ "127.0.0.1", true, false },
	};
	struct gkd_loop *loop = gkd_loop_new();
	struct gkd_udp_config cfg = { 0 };
	struct gkd_udp *udp, *second;
	uint16_t port;
	int group, fd;

	gk_assert_ok(gkd_addr_parse(&cfg.local, "0.0.0.0:0", 0));
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, NULL));
	cfg.local = gkd_udp_local(udp);
	cfg.share = true;
	port = gkd_addr_port(&cfg.local);
	group = somebodys("239.77.1.1", port, true);
	assert_true(group < 0); /* it does not share */
	gkd_udp_close(udp);
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		fd = somebodys(rows[i].address, port, rows[i].allow);
		assert_true(fd >= 0);
		group = somebodys("239.77.1.2", port, true);
		for (int set = 0; set < 2; set++) {
			cfg.reuseport = cfg.first = set;
			if (!rows[i].works) {
				gk_assert_err(GK_ERR_IO,
				              gkd_udp_open(&udp, loop, &cfg,
				                           receive, NULL));
				assert_int_equal(errno, EADDRINUSE);
				continue;
			}
			gk_assert_ok(
				gkd_udp_open(&udp, loop, &cfg, receive, NULL));
			gk_assert_err(GK_ERR_IO,
			              gkd_udp_open(&second, loop, &cfg, receive,
			                           NULL));
			assert_int_equal(errno, EADDRINUSE);
			gkd_udp_close(udp);
		}
		close(fd);
		if (group >= 0)
			close(group);
	}
	/* The other way round, and a set of two. */
	cfg.reuseport = cfg.first = true;
	gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, NULL));
	cfg.first = false;
	group = somebodys("239.77.1.1", port, true);
	assert_true(group >= 0);
	gk_assert_ok(gkd_udp_open(&second, loop, &cfg, receive, NULL));
	gkd_udp_close(second);
	cfg.reuseport = false;
	gk_assert_err(GK_ERR_IO,
	              gkd_udp_open(&second, loop, &cfg, receive, NULL));
	gkd_udp_close(udp);
	close(group);
	gkd_loop_free(loop);
}

/* Two processes of one user, each with a set: what one has the other has not, and
 * nothing is looked at before it is taken. */
GK_TEST(daemon_udp, two_sets_of_one_user_do_not_share)
{
	static const char *const at[] = { "0.0.0.0:0", "127.0.0.1:0",
		                          "[::]:0" };
	struct gkd_loop *loop = gkd_loop_new();

	for (size_t i = 0; i < GK_COUNT(at); i++) {
		struct gkd_udp_config cfg = { .reuseport = true,
			                      .first = true };
		struct gkd_udp *first, *more, *other;

		gk_assert_ok(gkd_addr_parse(&cfg.local, at[i], 0));
		gk_assert_ok(gkd_udp_open(&first, loop, &cfg, receive, NULL));
		cfg.local = gkd_udp_local(first);
		gk_assert_err(GK_ERR_IO,
		              gkd_udp_open(&other, loop, &cfg, receive, NULL));
		assert_int_equal(errno, EADDRINUSE);
		cfg.first = false;
		gk_assert_ok(gkd_udp_open(&more, loop, &cfg, receive, NULL));
		cfg.first = true;
		gk_assert_err(GK_ERR_IO,
		              gkd_udp_open(&other, loop, &cfg, receive, NULL));
		gkd_udp_close(first);
		/* As long as one of the set has it. */
		gk_assert_err(GK_ERR_IO,
		              gkd_udp_open(&other, loop, &cfg, receive, NULL));
		gkd_udp_close(more);
		gk_assert_ok(gkd_udp_open(&other, loop, &cfg, receive, NULL));
		gkd_udp_close(other);
	}
	gkd_loop_free(loop);
}

/* What is shared could be taken by whoever binds to it: one address of ours need not
 * be, nor what is not to be. */
GK_TEST(daemon_udp, what_need_not_be_shared_is_not)
{
	static const struct {
		const char *at;
		bool share, taken;
	} rows[] = {
		{ "0.0.0.0:0", true, true },
		{ "0.0.0.0:0", false, false },
		{ "127.0.0.1:0", true, false },
	};
	struct gkd_loop *loop = gkd_loop_new();

	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		struct gkd_udp_config cfg = { .share = rows[i].share };
		struct gkd_addr local;
		struct gkd_udp *udp;
		int fd;

		gk_assert_ok(gkd_addr_parse(&cfg.local, rows[i].at, 0));
		gk_assert_ok(gkd_udp_open(&udp, loop, &cfg, receive, NULL));
		local = gkd_udp_local(udp);
		fd = somebodys("127.0.0.1", gkd_addr_port(&local), true);
		assert_int_equal(fd >= 0, rows[i].taken);
		if (fd >= 0)
			close(fd);
		gkd_udp_close(udp);
	}
	gkd_loop_free(loop);
	assert_true(gkd_udp_is_reserved(0));
	assert_false(gkd_udp_is_reserved(65535));
}

/* Who wants the same, between the first one's look and its use of what it saw. */
static struct {
	const struct gkd_udp_config *cfg; /* NULL: nobody */
	int fd;
	bool got;
} rival;

void
freeifaddrs(struct ifaddrs *list)
{
	const struct gkd_udp_config *cfg = rival.cfg;
	void (*real)(struct ifaddrs *);

	*(void **)&real = dlsym(RTLD_NEXT, "freeifaddrs");
	assert_non_null(real);
	real(list);
	rival.cfg = NULL;
	if (cfg != NULL)
		rival.got = gkd_udp_bind(rival.fd, cfg);
}

GK_TEST(daemon_udp, of_two_that_come_at_the_same_time_one_gets_it)
{
	struct gkd_udp_config cfg = { .share = true };
	int group = somebodys("239.77.1.1", 0, true), fd;
	socklen_t len = sizeof(cfg.local);

	assert_true(group >= 0);
	assert_int_equal(getsockname(group, &cfg.local.sa, &len), 0);
	cfg.local.in.sin_addr.s_addr = INADDR_ANY;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rival.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	rival.cfg = &cfg;
	assert_true(gkd_udp_bind(fd, &cfg));
	assert_null(rival.cfg);
	assert_false(rival.got);
	/* Nor afterwards, and then it is free. */
	assert_false(gkd_udp_bind(rival.fd, &cfg));
	close(fd);
	assert_true(gkd_udp_bind(rival.fd, &cfg));
	close(rival.fd);
	close(group);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_udp,
		       groups_and_addresses_share_a_port_and_nobody_else_does),
		GK_RUN(daemon_udp, two_sets_of_one_user_do_not_share),
		GK_RUN(daemon_udp, what_need_not_be_shared_is_not),
		GK_RUN(daemon_udp,
		       of_two_that_come_at_the_same_time_one_gets_it),
	};

	return cmocka_run_group_tests_name("common/daemon/udp_bind", tests,
	                                   NULL, NULL);
}
