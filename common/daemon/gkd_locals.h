/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_LOCALS_H
#define GKD_LOCALS_H

#include <pthread.h>

#include "common/daemon/gkd_udp.h"

/*
 * DOC: gkd_locals - numbers for the addresses of ours that peers have asked
 *
 * A socket that is bound to all addresses gets datagrams for any of them.  An
 * engine carries a number around, so that whoever answers answers from the
 * address that was asked.  Number 0 stands for "any".  Thread-safe.
 */
#define GKD_LOCALS_MAX 1024

struct gkd_local {
	struct gkd_addr addr;
	unsigned ifindex;
};

struct gkd_locals {
	pthread_rwlock_t lock;
	struct gkd_local at[GKD_LOCALS_MAX];
	unsigned n;
};

void gkd_locals_init(struct gkd_locals *locals);
/* gkd_locals_number - where @dgram was sent to; 0 when there is no room. */
unsigned gkd_locals_number(struct gkd_locals *locals,
                           const struct gkd_dgram *dgram);
struct gkd_local gkd_locals_get(struct gkd_locals *locals, unsigned number);

#endif /* GKD_LOCALS_H */
