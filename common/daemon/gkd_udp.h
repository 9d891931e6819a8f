/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_UDP_H
#define GKD_UDP_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_udp - datagrams in and out, in batches
 *
 * A socket reads up to GKD_UDP_BATCH datagrams at a time with recvmmsg(2) and
 * tells for each the address it was sent to, so that an answer leaves from the
 * address that was asked: a host with several addresses would otherwise answer
 * from one that the asker does not know.
 */
#define GKD_UDP_BATCH 32
#define GKD_UDP_MAX 65535 /* octets of a datagram */

struct gkd_udp;

struct gkd_udp_config {
	struct gkd_addr local;
	bool reuseport;  /* one of a set that shares the address */
	bool first;      /* of that set: no other process has the address, not
	                  * even one of this user, however close they start */
	bool share;      /* bound to all addresses: receivers of multicast
	                  * groups (gkd_mcast.h), of this process or
	                  * another, may bind to the same port, or have.
	                  * Nobody else has; but who may bind to it could,
	                  * so see gkd_udp_is_reserved() */
	int receive_buf; /* octets of socket buffer; 0: the system's default */
	/* How many times GKD_UDP_BATCH are read in one go, before anything else
	 * of this loop has its turn; 0: once.  More is for an owner who puts
	 * them into a queue of his own (gkd_queue.h): what he does between two
	 * turns takes so long that the socket's would overflow meanwhile. */
	unsigned batches;
};

struct gkd_dgram {
	struct gkd_addr peer;  /* received: source; sent: destination */
	struct gkd_addr local; /* received: destination; sent: source or zero */
	unsigned ifindex;      /* received: interface; sent: 0 or interface */
	uint8_t hops;          /* sent: TTL or hop limit; 0: the system's */
	struct gk_slice data;
};

struct gkd_udp_stats {
	uint64_t received, sent;
	uint64_t dropped;     /* SO_RXQ_OVFL: lost for want of buffer space */
	uint64_t send_failed; /* the system refused; errno is logged */
	uint64_t cut;         /* longer than GKD_UDP_MAX, discarded */
};

/*
 * gkd_udp_open - bind and receive.  @receive gets one datagram at a time; its
 * data is valid until it returns.  GK_ERR_IO with errno when the system refuses.
 */
GK_MUST_CHECK enum gk_err gkd_udp_open(
	struct gkd_udp **udp, struct gkd_loop *loop,
	const struct gkd_udp_config *cfg,
	void (*receive)(void *arg, const struct gkd_dgram *dgram), void *arg);
/* gkd_udp_close - in @receive, too, which is not called again then. */
void gkd_udp_close(struct gkd_udp *udp);
/* gkd_udp_is_reserved - does it take rights to bind to @port?  Any user of the host
 * could take what comes to another port that is shared. */
bool gkd_udp_is_reserved(uint16_t port);

/*
 * gkd_udp_send - one or many, with sendmmsg(2); the data is copied by the
 * kernel before return.  A full socket buffer loses the rest, as UDP may, and
 * is counted.  From any thread.
 */
void gkd_udp_send(struct gkd_udp *udp, const struct gkd_dgram *dgrams,
                  size_t n);
/* gkd_udp_send_one - GK_ERR_IO with errno when it did not leave, and nothing is
 * logged.  From any thread. */
GK_MUST_CHECK enum gk_err gkd_udp_send_one(struct gkd_udp *udp,
                                           const struct gkd_dgram *dgram);
/* The bound address, with the port the system chose when 0 was asked. */
struct gkd_addr gkd_udp_local(const struct gkd_udp *udp);
struct gkd_udp_stats gkd_udp_stats(const struct gkd_udp *udp);
/* gkd_udp_fd - for options that the system alone knows. */
int gkd_udp_fd(const struct gkd_udp *udp);

#endif /* GKD_UDP_H */
