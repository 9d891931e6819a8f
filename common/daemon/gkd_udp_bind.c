/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that several sockets of a host want. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_udp_private.h"

/*
 * A socket that is bound to a multicast group gets what is sent there and nothing
 * else, so it takes nothing from one that is bound to all addresses at that port, nor
 * the other way round.  The kernel lets both be when both allow it (SO_REUSEADDR), but
 * then lets a second one take what is sent to an address of ours, too.  So it is
 * allowed once it is seen that nobody else has one of these.
 */
static bool
set_on(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){ 1 }, sizeof(int)) == 0;
}

/* Can it be bound, with nobody's leave? */
static bool
try_it(const struct gkd_addr *addr, bool reuseport)
{
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;
	int saved;

	if (fd < 0)
		return false;
	ok = (addr->sa.sa_family != AF_INET6 ||
	      set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	     (!reuseport || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
	     bind(fd, &addr->sa, gkd_addr_len(addr)) == 0;
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

/* Nobody has an address of ours at that port: what stands in the way of all of them
 * are groups. */
static bool
only_groups(const struct gkd_addr *any, bool reuseport)
{
	struct ifaddrs *list, *i;
	bool free_ones = true;
	size_t n = 0;

	if (getifaddrs(&list) != 0)
		return false;
	for (i = list; i != NULL && free_ones; i = i->ifa_next) {
		struct gkd_addr one;

		if (i->ifa_addr == NULL ||
		    i->ifa_addr->sa_family != any->sa.sa_family)
			continue;
		memset(&one, 0, sizeof(one));
		if (any->sa.sa_family == AF_INET)
			memcpy(&one.in, i->ifa_addr, sizeof(one.in));
		else
			memcpy(&one.in6, i->ifa_addr, sizeof(one.in6));
		gkd_addr_set_port(&one, gkd_addr_port(any));
		free_ones = try_it(&one, reuseport) || errno == EADDRNOTAVAIL;
		n++;
	}
	freeifaddrs(list);
	return free_ones && n != 0;
}

bool
gkd_udp_bind(int fd, const struct gkd_udp_config *cfg)
{
	const struct gkd_addr *a = &cfg->local;

	if (cfg->reuseport && !set_on(fd, SOL_SOCKET, SO_REUSEPORT))
		return false;
	if (bind(fd, &a->sa, gkd_addr_len(a)) == 0)
		return !cfg->share || set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	if (errno != EADDRINUSE || !cfg->share || !gkd_addr_is_any(a))
		return false;
	if (!only_groups(a, cfg->reuseport)) {
		errno = EADDRINUSE;
		return false;
	}
	return set_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
	       bind(fd, &a->sa, gkd_addr_len(a)) == 0;
}

bool
gkd_udp_is_free(const struct gkd_addr *addr, bool share)
{
	if (try_it(addr, false))
		return true;
	if (errno != EADDRINUSE || !share || !gkd_addr_is_any(addr))
		return false;
	if (only_groups(addr, false))
		return true;
	errno = EADDRINUSE;
	return false;
}
