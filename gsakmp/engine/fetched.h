/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_FETCHED_H
#define GSAKMP_ENGINE_FETCHED_H

#include "common/base/gk_base.h"

/*
 * DOC: what hash-and-URL certificates stand for - RFC 4306 section 3.6
 *
 * Table 20's types 12 and 13 are the SHA-1 of a certificate, or of a bundle, and
 * a URL.  An engine fetches nothing: it looks here, by the hash, and when the
 * octets are not there it says WANTED and leaves the message unprocessed.  The
 * daemon fetches, puts the octets here (or the fact that they are not to be had)
 * and hands the message in again.
 *
 * Of fixed capacity: at the end of the room the entry that was not used longest
 * goes.  A failure is remembered for a short while, so that one message with a
 * dead URL does not have us ask a thousand times.  Shared by threads.
 *
 * The hash only finds octets: what they are worth is for the certificate path to
 * say, so it does not matter here that SHA-1 collides.
 */
#define GSAKMP_URL_HASH_LEN 20
#define GSAKMP_URL_MAX 2048
#define GSAKMP_FETCHED_ENTRIES 256
#define GSAKMP_FETCHED_OCTETS (4u << 20) /* of all entries together */
#define GSAKMP_FETCHED_FAILURE_MS 30000  /* how long a failure is believed */

struct gsakmp_fetched;

struct gsakmp_fetched *gsakmp_fetched_new(void); /* NULL: out of memory */
void gsakmp_fetched_free(struct gsakmp_fetched *fetched);

/* gsakmp_fetched_get - GK_OK and a copy in @octets; GK_ERR_UNEXPECTED when
 * nobody has fetched it; GK_ERR_VALUE when that failed lately. */
GK_MUST_CHECK enum gk_err gsakmp_fetched_get(struct gsakmp_fetched *fetched,
                                             struct gk_slice hash,
                                             uint64_t mono_ms,
                                             struct gk_buf *octets);
/* gsakmp_fetched_put - what a URL gave; empty @octets, ones that have another
 * hash, and too many of them are a failure.  GK_OK when they were kept,
 * GK_ERR_VALUE when a failure was. */
enum gk_err gsakmp_fetched_put(struct gsakmp_fetched *fetched,
                               struct gk_slice hash, struct gk_slice octets,
                               uint64_t mono_ms);

#endif /* GSAKMP_ENGINE_FETCHED_H */
