/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_UDP_PRIVATE_H
#define GKD_UDP_PRIVATE_H

#include "common/daemon/gkd_udp.h"

/* What unicast and multicast sockets have in common. */

/* gkd_udp_socket - non-blocking, IPv6 only where IPv6; -1 with errno. */
int gkd_udp_socket(int family, int receive_buf);
/* gkd_udp_adopt - receive on a bound socket, which then belongs to @udp; on
 * failure it is closed. */
GK_MUST_CHECK enum gk_err gkd_udp_adopt(
	struct gkd_udp **udp, struct gkd_loop *loop, int fd,
	void (*receive)(void *arg, const struct gkd_dgram *dgram), void *arg);

/* gkd_udp_bind - as @cfg has it; false: errno says why not. */
bool gkd_udp_bind(int fd, const struct gkd_udp_config *cfg);

#endif /* GKD_UDP_PRIVATE_H */
