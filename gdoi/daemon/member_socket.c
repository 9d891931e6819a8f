/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/xfrm.h>

#include "gdoi/daemon/member.h"

int
gdoid_socket_pass(int fd, int family)
{
	bool v4 = family == AF_INET;
	const struct xfrm_userpolicy_info p = {
		.sel.family = (uint16_t)family,
		.lft = { .soft_byte_limit = XFRM_INF,
		         .hard_byte_limit = XFRM_INF,
		         .soft_packet_limit = XFRM_INF,
		         .hard_packet_limit = XFRM_INF },
		.dir = XFRM_POLICY_OUT,
		.action = XFRM_POLICY_ALLOW,
	};

	/* Without a template: as it is. */
	if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
	               v4 ? IP_XFRM_POLICY : IPV6_XFRM_POLICY, &p,
	               sizeof(p)) == 0)
		return 0;
	return errno;
}
