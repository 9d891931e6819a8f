/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_RESEND_H
#define GKD_RESEND_H

#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_resend - datagrams that go out several times
 *
 * A rekey message is not acknowledged, or not by everybody: copies make up for
 * loss.  What did not leave, because the interface is away, is still owed.
 * While that lasts messages must not pile up without end: beyond
 * GKD_RESENDS_MAX the oldest goes, which is of least use.
 */
#define GKD_RESENDS_MAX 64

struct gkd_resends;

struct gkd_resend_ops {
	/* Send @dgram to @to, which is what gkd_resends_send() was given;
	 * @again: it is a copy.  False: it did not leave. */
	bool (*send)(void *arg, struct gk_slice to, struct gk_slice dgram,
	             bool again);
	void *arg;
};

/* gkd_resends_new - NULL when memory is short. */
struct gkd_resends *gkd_resends_new(struct gkd_loop *loop,
                                    const struct gkd_resend_ops *ops);
void gkd_resends_free(struct gkd_resends *resends);
/* gkd_resends_send - now, and @copies more times, @spacing_ms apart; both slices
 * are copied. */
void gkd_resends_send(struct gkd_resends *resends, struct gk_slice to,
                      struct gk_slice dgram, unsigned copies,
                      uint32_t spacing_ms);
/* gkd_resends_hurry - what waits goes out at once, in order. */
void gkd_resends_hurry(struct gkd_resends *resends);
/* gkd_resends_drop - nothing of it goes out any more. */
void gkd_resends_drop(struct gkd_resends *resends);

#endif /* GKD_RESEND_H */
