/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports that several sockets of a host want. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_udp_private.h"

/*
 * A socket that is bound to a multicast group gets what is sent there and nothing
 * else, so it takes nothing from one that is bound to all addresses at that port, nor
 * the other way round.  The kernel lets both be when both allow it (SO_REUSEADDR), but
 * then lets a second one take what is sent to an address of ours, too, whoever's it is.
 * So it is allowed once it is seen that nobody else has one of these, and only where
 * not every user of the host may come after that (gkd_udp_is_reserved()).
 */
static bool
set_on(int fd, int level, int option)
{
	return setsockopt(fd, level, option, &(int){ 1 }, sizeof(int)) == 0;
}

/* A socket that is bound there with nobody's leave; -1: errno. */
static int
take(const struct gkd_addr *addr, bool reuseport)
{
	int fd = socket(addr->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	if ((addr->sa.sa_family != AF_INET6 ||
	     set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) &&
	    (!reuseport || set_on(fd, SOL_SOCKET, SO_REUSEPORT)) &&
	    bind(fd, &addr->sa, gkd_addr_len(addr)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool
one_of(const struct ifaddrs *i, const struct gkd_addr *any,
       struct gkd_addr *one)
{
	if (i->ifa_addr == NULL || i->ifa_addr->sa_family != any->sa.sa_family)
		return false;
	memset(one, 0, sizeof(*one));
	if (any->sa.sa_family == AF_INET)
		memcpy(&one->in, i->ifa_addr, sizeof(one->in));
	else
		memcpy(&one->in6, i->ifa_addr, sizeof(one->in6));
	gkd_addr_set_port(one, gkd_addr_port(any));
	return true;
}

/*
 * Nobody has an address of ours at that port: what stands in the way of all of them
 * are groups.  The first address is kept until the answer has been made use of, so
 * that of several who ask at the same time one is told so.  -1: somebody has one.
 */
static int
take_one(const struct gkd_addr *any, bool reuseport)
{
	struct ifaddrs *list, *i;
	int first = -1;

	if (getifaddrs(&list) != 0)
		return -1;
	for (i = list; i != NULL; i = i->ifa_next) {
		struct gkd_addr one;
		int fd;

		if (!one_of(i, any, &one))
			continue;
		fd = take(&one, reuseport);
		if (fd < 0 && errno == EADDRNOTAVAIL)
			continue;
		if (first < 0) {
			first = fd;
		} else if (fd < 0) {
			close(first);
			first = -1;
		} else {
			close(fd);
		}
		if (first < 0)
			break;
	}
	freeifaddrs(list);
	return first;
}

static bool
bind_beside_groups(int fd, const struct gkd_udp_config *cfg)
{
	int one = take_one(&cfg->local, cfg->reuseport && !cfg->first);
	int saved;
	bool ok;

	if (one < 0) {
		errno = EADDRINUSE;
		return false;
	}
	ok = set_on(one, SOL_SOCKET, SO_REUSEADDR) &&
	     set_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
	     bind(fd, &cfg->local.sa, gkd_addr_len(&cfg->local)) == 0;
	saved = errno;
	close(one);
	errno = saved;
	return ok;
}

static bool
bind_as(int fd, const struct gkd_udp_config *cfg)
{
	const struct gkd_addr *a = &cfg->local;
	/* One address of ours is in no group's way. */
	bool share = cfg->share && gkd_addr_is_any(a);

	if (bind(fd, &a->sa, gkd_addr_len(a)) == 0)
		return !share || set_on(fd, SOL_SOCKET, SO_REUSEADDR);
	return errno == EADDRINUSE && share && bind_beside_groups(fd, cfg);
}

/*
 * The first of a set is bound as if there were no set, and lets the others come
 * afterwards: the kernel gives the address to one of two processes that begin at the
 * same instant.  To look before whether it is free would let both in.
 */
bool
gkd_udp_bind(int fd, const struct gkd_udp_config *cfg)
{
	if (!cfg->reuseport)
		return bind_as(fd, cfg);
	if (!cfg->first)
		return set_on(fd, SOL_SOCKET, SO_REUSEPORT) && bind_as(fd, cfg);
	return bind_as(fd, cfg) && set_on(fd, SOL_SOCKET, SO_REUSEPORT);
}

bool
gkd_udp_is_reserved(uint16_t port)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned first = 1024;

	if (f != NULL) {
		if (fscanf(f, "%u", &first) != 1)
			first = 1024;
		(void)fclose(f);
	}
	return port < first;
}
