/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_addr.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 64

static enum gk_err
parse_port(const char *text, uint16_t *port)
{
	unsigned long value = 0;

	if (*text == '\0' || strlen(text) > 5)
		return GK_ERR_VALUE;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return GK_ERR_VALUE;
		value = value * 10 + (unsigned long)(*text - '0');
	}
	if (value > UINT16_MAX)
		return GK_ERR_VALUE;
	*port = (uint16_t)value;
	return GK_OK;
}

static enum gk_err
parse_host(struct gkd_addr *addr, char *host, uint16_t port)
{
	char *scope = strchr(host, '%');

	*addr = (struct gkd_addr){ 0 };
	if (strchr(host, ':') == NULL) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		return inet_pton(AF_INET, host, &addr->in.sin_addr) == 1
		               ? GK_OK
		               : GK_ERR_VALUE;
	}
	addr->in6.sin6_family = AF_INET6;
	addr->in6.sin6_port = htons(port);
	if (scope != NULL) {
		*scope++ = '\0';
		addr->in6.sin6_scope_id = if_nametoindex(scope);
		if (addr->in6.sin6_scope_id == 0)
			return GK_ERR_VALUE;
	}
	return inet_pton(AF_INET6, host, &addr->in6.sin6_addr) == 1
	               ? GK_OK
	               : GK_ERR_VALUE;
}

enum gk_err
gkd_addr_parse(struct gkd_addr *addr, const char *text, uint16_t port)
{
	char host[HOST_MAX];
	const char *begin = text, *end, *colon = NULL;

	if (*text == '[') {
		begin = text + 1;
		end = strchr(begin, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return GK_ERR_VALUE;
		if (memchr(begin, ':', (size_t)(end - begin)) == NULL)
			return GK_ERR_VALUE; /* brackets are for IPv6 */
		colon = end[1] == ':' ? end + 1 : NULL;
	} else {
		colon = strchr(text, ':');
		/* Two colons without brackets: IPv6, no port. */
		if (colon != NULL && strchr(colon + 1, ':') != NULL)
			colon = NULL;
		end = colon != NULL ? colon : text + strlen(text);
	}
	if (colon != NULL)
		GK_TRY(parse_port(colon + 1, &port));
	if ((size_t)(end - begin) >= sizeof(host))
		return GK_ERR_VALUE;
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	return parse_host(addr, host, port);
}

enum gk_err
gkd_addr_from_octets(struct gkd_addr *addr, struct gk_slice octets,
                     uint16_t port)
{
	*addr = (struct gkd_addr){ 0 };
	if (octets.len == sizeof(addr->in.sin_addr)) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		memcpy(&addr->in.sin_addr, octets.ptr, octets.len);
		return GK_OK;
	}
	if (octets.len == sizeof(addr->in6.sin6_addr)) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(port);
		memcpy(&addr->in6.sin6_addr, octets.ptr, octets.len);
		return GK_OK;
	}
	return GK_ERR_VALUE;
}

struct gk_slice
gkd_addr_octets(const struct gkd_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return (struct gk_slice){ (const uint8_t *)&addr->in.sin_addr,
			                  sizeof(addr->in.sin_addr) };
	if (addr->sa.sa_family == AF_INET6)
		return (struct gk_slice){ (const uint8_t *)&addr->in6.sin6_addr,
			                  sizeof(addr->in6.sin6_addr) };
	return (struct gk_slice){ NULL, 0 };
}

const char *
gkd_addr_host(char out[GKD_ADDR_TEXT], const struct gkd_addr *addr)
{
	char interface[IF_NAMESIZE];
	size_t n;

	if (inet_ntop(addr->sa.sa_family, gkd_addr_octets(addr).ptr, out,
	              GKD_ADDR_TEXT) == NULL) {
		snprintf(out, GKD_ADDR_TEXT, "-");
		return out;
	}
	if (addr->sa.sa_family != AF_INET6 || addr->in6.sin6_scope_id == 0)
		return out;
	n = strlen(out);
	if (if_indextoname(addr->in6.sin6_scope_id, interface) != NULL)
		snprintf(out + n, GKD_ADDR_TEXT - n, "%%%s", interface);
	else
		snprintf(out + n, GKD_ADDR_TEXT - n, "%%%u",
		         addr->in6.sin6_scope_id);
	return out;
}

const char *
gkd_addr_format(char out[GKD_ADDR_TEXT], const struct gkd_addr *addr)
{
	char host[GKD_ADDR_TEXT];

	gkd_addr_host(host, addr);
	if (addr->sa.sa_family == AF_INET6)
		snprintf(out, GKD_ADDR_TEXT, "[%.70s]:%u", host,
		         gkd_addr_port(addr));
	else
		snprintf(out, GKD_ADDR_TEXT, "%.70s:%u", host,
		         gkd_addr_port(addr));
	return out;
}

bool
gkd_addr_same_host(const struct gkd_addr *a, const struct gkd_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET6 && a->in6.sin6_scope_id != 0 &&
	    b->in6.sin6_scope_id != 0 &&
	    a->in6.sin6_scope_id != b->in6.sin6_scope_id)
		return false;
	return gk_slice_equal(gkd_addr_octets(a), gkd_addr_octets(b));
}

bool
gkd_addr_equal(const struct gkd_addr *a, const struct gkd_addr *b)
{
	return gkd_addr_same_host(a, b) && gkd_addr_port(a) == gkd_addr_port(b);
}

bool
gkd_addr_is_multicast(const struct gkd_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return IN_MULTICAST(ntohl(addr->in.sin_addr.s_addr));
	return addr->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_MULTICAST(&addr->in6.sin6_addr);
}

bool
gkd_addr_is_any(const struct gkd_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return addr->in.sin_addr.s_addr == INADDR_ANY;
	return addr->sa.sa_family != AF_INET6 ||
	       IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

socklen_t
gkd_addr_len(const struct gkd_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 ? sizeof(addr->in6)
	                                      : sizeof(addr->in);
}

uint16_t
gkd_addr_port(const struct gkd_addr *addr)
{
	/* At the same place in both structures. */
	return ntohs(addr->in.sin_port);
}

void
gkd_addr_set_port(struct gkd_addr *addr, uint16_t port)
{
	addr->in.sin_port = htons(port);
}
