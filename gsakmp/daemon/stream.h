/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_STREAM_H
#define GSAKMP_DAEMON_STREAM_H

#include "common/base/gk_base.h"

/*
 * gsakmpd_stream_need - how long a GSAKMP message on a TCP stream is: RFC 4535
 * section 7.1.1, the Length field behind the GroupID.  As gkd_tcp_ops.need.
 */
enum gk_err gsakmpd_stream_need(void *arg, struct gk_slice seen, size_t *total);

#endif /* GSAKMP_DAEMON_STREAM_H */
