/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_ADDR_H
#define GKD_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>

#include "common/base/gk_base.h"

/*
 * DOC: gkd_addr - an IPv4 or IPv6 address with a port
 *
 * Texts are "192.0.2.1", "192.0.2.1:3761", "2001:db8::1", "[2001:db8::1]:3761",
 * "fe80::1%eth0" and "[fe80::1%eth0]:3761".  There are no names: a daemon that
 * asks a resolver while it is under attack waits for the attacker.
 */
struct gkd_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
};

#define GKD_ADDR_TEXT 80 /* "[" address "%" interface "]:" port, and a NUL */

/* gkd_addr_parse - numeric text; @port is used when the text has none.
 * GK_ERR_VALUE when it is no such text, or names no existing interface. */
GK_MUST_CHECK enum gk_err gkd_addr_parse(struct gkd_addr *addr,
                                         const char *text, uint16_t port);
/* gkd_addr_from_octets - 4 or 16 octets of network order; else GK_ERR_VALUE. */
GK_MUST_CHECK enum gk_err gkd_addr_from_octets(struct gkd_addr *addr,
                                               struct gk_slice octets,
                                               uint16_t port);
/* The address alone, in network order; points into @addr. */
struct gk_slice gkd_addr_octets(const struct gkd_addr *addr);
/* gkd_addr_format - what gkd_addr_parse() reads, always with the port. */
const char *gkd_addr_format(char out[GKD_ADDR_TEXT],
                            const struct gkd_addr *addr);
/* gkd_addr_host - the same without port and brackets. */
const char *gkd_addr_host(char out[GKD_ADDR_TEXT], const struct gkd_addr *addr);
/* Family, address, port and, for link-local IPv6, the interface. */
bool gkd_addr_equal(const struct gkd_addr *a, const struct gkd_addr *b);
bool gkd_addr_same_host(const struct gkd_addr *a, const struct gkd_addr *b);
bool gkd_addr_is_multicast(const struct gkd_addr *addr);
bool gkd_addr_is_any(const struct gkd_addr *addr);
socklen_t gkd_addr_len(const struct gkd_addr *addr);
uint16_t gkd_addr_port(const struct gkd_addr *addr);
void gkd_addr_set_port(struct gkd_addr *addr, uint16_t port);

#endif /* GKD_ADDR_H */
