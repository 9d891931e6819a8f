/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/test/gk_test.h"
#include "gdoi/daemon/broker.h"

static const struct sockaddr_in anywhere = { .sin_family = AF_INET };

GK_TEST(daemon_broker, binds_sockets_that_it_is_handed)
{
	struct gdoid_broker *b;
	struct sockaddr_in bound = { 0 };
	socklen_t len = sizeof(bound);
	int one = socket(AF_INET, SOCK_DGRAM, 0);
	int two = socket(AF_INET, SOCK_DGRAM, 0);
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(one >= 0 && two >= 0 && tcp >= 0);
	gk_assert_ok(gdoid_broker_open(&b, false));
	assert_int_equal(gdoid_broker_bind(b, one, (const void *)&anywhere,
	                                   sizeof(anywhere)),
	                 0);
	assert_int_equal(getsockname(one, (void *)&bound, &len), 0);
	assert_true(bound.sin_port != 0);
	assert_int_equal(gdoid_broker_bind(b, two, (const void *)&bound, len),
	                 -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(gdoid_broker_bind(b, tcp, (const void *)&anywhere,
	                                   sizeof(anywhere)),
	                 -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(gdoid_broker_bind(b, -1, (const void *)&anywhere,
	                                   sizeof(anywhere)),
	                 -1);
	assert_int_equal(errno, EINVAL);
	gdoid_broker_close(b);
	close(one);
	close(two);
	close(tcp);
}

static struct gdoi_xfrm_message
message(uint16_t type)
{
	struct gdoi_xfrm_message m = { .len = NLMSG_HDRLEN };
	struct nlmsghdr *h = (void *)m.octets;

	h->nlmsg_len = NLMSG_HDRLEN;
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = 7;
	return m;
}

GK_TEST(daemon_broker, passes_on_what_the_kernel_answers)
{
	struct gdoi_xfrm_message m = message(0x7fff);
	struct gdoid_broker *b;

	gk_assert_ok(gdoid_broker_open(&b, false));
	assert_int_equal(gdoid_broker_xfrm(b, &m), EINVAL);
	gdoid_broker_close(b);
	if (gdoid_broker_open(&b, true) != GK_OK)
		skip(); /* this kernel has no XFRM */
	/* No such message; one that is empty; and the answers are told apart. */
	assert_int_equal(gdoid_broker_xfrm(b, &m), EINVAL);
	m = message(NLMSG_NOOP);
	assert_int_equal(gdoid_broker_xfrm(b, &m), 0);
	m.len++;
	assert_int_equal(gdoid_broker_xfrm(b, &m), EINVAL);
	gdoid_broker_close(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_broker, binds_sockets_that_it_is_handed),
		GK_RUN(daemon_broker, passes_on_what_the_kernel_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
