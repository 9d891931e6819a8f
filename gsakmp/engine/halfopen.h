/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_HALFOPEN_H
#define GSAKMP_ENGINE_HALFOPEN_H

#include <pthread.h>

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"

/*
 * DOC: the rate of half-open registrations
 *
 * RFC 4535 section 5.2.2 has a cookie mode and does not say when to be in it.
 * What hurts a key server is a Request to Join that costs a certificate path, a
 * signature and a key exchange, and that nobody stands behind: so that is what
 * is measured.  A registration is half-open from the moment that work on its
 * request begins until its Key Download is acknowledged; requests that never
 * get that far, because they are forged, stay half-open.
 *
 * A bucket: each half-open registration fills it by one, an acknowledgement
 * takes one out, and it drains by @rate per second.  It is full with @rate in
 * it.  A thousand honest members at once do not fill it for longer than their
 * acknowledgements take; forgers without a cookie get work done for @rate
 * requests a second and no more, since a request that is sent away for a cookie
 * does not fill it.
 *
 * Shared by all workers of a key server, hence the lock.
 */
struct gsakmp_halfopen {
	pthread_mutex_t lock;
	uint64_t level;   /* thousandths of a registration */
	uint64_t at_ms;   /* mono clock: @level was true then */
	uint64_t begun;   /* ever */
	uint64_t settled; /* of these, acknowledged */
};

void gsakmp_halfopen_init(struct gsakmp_halfopen *h);
void gsakmp_halfopen_fini(struct gsakmp_halfopen *h);

/* gsakmp_halfopen_full - has the bucket for @rate a second no room? */
bool gsakmp_halfopen_full(struct gsakmp_halfopen *h, unsigned rate,
                          struct gk_now now);
/* gsakmp_halfopen_begin - work on a request begins. */
void gsakmp_halfopen_begin(struct gsakmp_halfopen *h);
/* gsakmp_halfopen_settle - its Key Download was acknowledged. */
void gsakmp_halfopen_settle(struct gsakmp_halfopen *h);
/* gsakmp_halfopen_counts - for status texts. */
void gsakmp_halfopen_counts(struct gsakmp_halfopen *h, uint64_t *begun,
                            uint64_t *settled);

#endif /* GSAKMP_ENGINE_HALFOPEN_H */
