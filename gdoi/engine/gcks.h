/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GCKS_H
#define GDOI_ENGINE_GCKS_H

#include "gdoi/engine/group.h"
#include "gdoi/phase1/ike.h"

/*
 * DOC: key server engine - RFC 6407 sections 3 and 5, RFC 8263
 *
 * One engine per worker thread.  It is the responder of phase 1 and of
 * GROUPKEY-PULL for the groups that were added to it, and hands acknowledgements
 * of PUSHes to them.  Phase 1 SAs and the exchanges under them belong to one
 * worker, which is named in the responder's cookie (gdoi_gcks_worker()).
 */
struct gdoi_gcks_config {
	struct ike_config ike;
	unsigned worker; /* our number, 0 .. 255 */

	/* All 0: the defaults in brackets. */
	unsigned sas_max;            /* [100000] established phase 1 SAs */
	unsigned half_open_max;      /* [1000] phase 1 exchanges under way */
	unsigned half_open_peer_max; /* [8] of one address */
	unsigned pulls_max;          /* [16] exchanges under way under one SA */
	uint32_t pull_wait_ms;       /* [15000] for message 3 */
};

struct gdoi_gcks;

struct gdoi_gcks *gdoi_gcks_new(const struct gk_env *env,
                                const struct gdoi_gcks_config *cfg);
void gdoi_gcks_free(struct gdoi_gcks *gcks); /* wipes */
GK_MUST_CHECK enum gk_err gdoi_gcks_add_group(struct gdoi_gcks *gcks,
                                              struct gdoi_group *group);
/* gdoi_gcks_set_ike - new keys, certificates, CRLs; for exchanges that begin. */
void gdoi_gcks_set_ike(struct gdoi_gcks *gcks, const struct ike_config *ike);

/* gdoi_gcks_worker - whose message is it?  -1: anybody's (the first of an
 * exchange, or no ISAKMP at all). */
int gdoi_gcks_worker(struct gk_slice dgram);

/* gdoi_gcks_receive - anything but GK_OK: refused, an output REFUSED says why,
 * nothing has changed. */
enum gk_err gdoi_gcks_receive(struct gdoi_gcks *gcks, struct gk_slice dgram,
                              const struct gdoi_address *from,
                              struct gk_now now);
enum gk_err gdoi_gcks_tick(struct gdoi_gcks *gcks, struct gk_now now);
/* Outputs: COMMIT, SEND, PHASE1_UP, PHASE1_DOWN, JOINED, LEFT, NOTIFIED, REFUSED,
 * MESSAGE. */
bool gdoi_gcks_poll(struct gdoi_gcks *gcks, struct gdoi_output *out);
/* gdoi_gcks_commit_failed - the COMMIT just polled did not reach the disk: what
 * depended on it is not sent. */
void gdoi_gcks_commit_failed(struct gdoi_gcks *gcks, struct gk_now now);
uint64_t gdoi_gcks_deadline(const struct gdoi_gcks *gcks);

struct gdoi_gcks_status {
	size_t sas, half_open, pulls;
	uint64_t registrations, refused;
};
void gdoi_gcks_status(const struct gdoi_gcks *gcks,
                      struct gdoi_gcks_status *out);
void gdoi_gcks_digest(const struct gdoi_gcks *gcks, uint8_t out[32]);

#endif /* GDOI_ENGINE_GCKS_H */
