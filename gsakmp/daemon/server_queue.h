/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_SERVER_QUEUE_H
#define GSAKMP_DAEMON_SERVER_QUEUE_H

#include "common/daemon/gkd_queue.h"

/* gsakmpd_is_request - does the datagram wait with the requests: a Request to
 * Join, or what cannot even be read as a header? */
bool gsakmpd_is_request(struct gk_slice dgram);

#endif /* GSAKMP_DAEMON_SERVER_QUEUE_H */
