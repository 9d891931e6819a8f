/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GCKS_H
#define GDOI_ENGINE_GCKS_H

#include "gdoi/engine/group.h"
#include "gdoi/phase1/ike_pool.h"

/*
 * DOC: key server engine - RFC 6407 sections 3 and 5, RFC 8263
 *
 * One engine per worker thread.  It is the responder of phase 1 and of
 * GROUPKEY-PULL for the groups that were added to it, and hands acknowledgements
 * of PUSHes to them.  Phase 1 SAs and the exchanges under them belong to one
 * worker: all have the same ike.secret, and each its number as ike.cookie_tag
 * (gdoi_gcks_worker()).
 *
 * Commits: an output COMMIT stands in front of the message 4 that depends on it.
 * Polling goes on only when it is done or gdoi_gcks_commit_failed() was called;
 * see group.h for how workers commit without overtaking each other.
 */
struct gdoi_gcks_config {
	struct ike_config ike;
	struct ike_pool_limits limits; /* of phase 1 SAs */
	bool initial_contact;          /* say INITIAL-CONTACT to members */
	/* Refuse a genuine message 1 or 3 in silence.  Otherwise the member gets
	 * a notification under its SA: RFC 2408 section 5 leaves that to local
	 * policy.  What is not genuine never gets an answer. */
	bool silent;
	/* Such a notification says in words why, to a member that is known, where
	 * its type says too little; bare: it does not. */
	bool bare;

	/* All 0: the defaults in brackets. */
	unsigned pulls_max;    /* [16] exchanges under way under one SA */
	uint32_t pull_wait_ms; /* [15000] for message 3; and again, for
	                        * repetitions of it */
	unsigned resends_max;  /* [10] of one answer */
};

struct gdoi_gcks;

struct gdoi_gcks *gdoi_gcks_new(const struct gk_env *env,
                                const struct gdoi_gcks_config *cfg);
void gdoi_gcks_free(struct gdoi_gcks *gcks); /* wipes; sends nothing */
/* gdoi_gcks_add_group - @group must outlive the engine.  GK_ERR_VALUE: there is
 * one of that id. */
GK_MUST_CHECK enum gk_err gdoi_gcks_add_group(struct gdoi_gcks *gcks,
                                              struct gdoi_group *group);
/* gdoi_gcks_set_ike - new keys, certificates, CRLs; for exchanges that begin.
 * See ike_pool_configure() for how long the old ones must live. */
void gdoi_gcks_set_ike(struct gdoi_gcks *gcks, const struct ike_config *ike);

/* gdoi_gcks_worker - whose message is it?  -1: anybody's (the first of an
 * exchange, an acknowledgement, or no ISAKMP at all).  From any thread, and of
 * any of the engines that share a secret. */
int gdoi_gcks_worker(const struct gdoi_gcks *gcks, struct gk_slice dgram);

/**
 * gdoi_gcks_receive - a datagram, its non-ESP marker taken off.
 * @local: the address and port of ours it came to; ip_len 0: not known
 *
 * Anything but GK_OK: refused, an output REFUSED says why.  Nothing has changed,
 * unless it was the member's own: then its exchange is over, and it is told.
 */
enum gk_err gdoi_gcks_receive(struct gdoi_gcks *gcks, struct gk_slice dgram,
                              const struct gdoi_address *from,
                              const struct gdoi_address *local,
                              struct gk_now now);
enum gk_err gdoi_gcks_tick(struct gdoi_gcks *gcks, struct gk_now now);
/*
 * Outputs: COMMIT, SEND, PHASE1_UP, PHASE1_DOWN, JOINED, LEFT, DOUBT, NOTIFIED,
 * REFUSED, MESSAGE.
 *
 * SEND: to.handle is that of the last datagram from that peer; from.port is the
 * port of ours to leave from (phase 1 may have moved to 4500).
 * JOINED: @text when phase 1 is weaker than the keys (RFC 6407 section 7.1.2).
 * NOTIFIED: INITIAL-CONTACT means that the peer has forgotten older SAs: the
 * other workers are to be told with gdoi_gcks_forget().
 */
bool gdoi_gcks_poll(struct gdoi_gcks *gcks, struct gdoi_output *out);
/* gdoi_gcks_hold - from now on a COMMIT is polled only when somebody has done it
 * already (@held), or at once again; what depends on it waits with it, everything
 * else leaves.  So more of them can be one, and somebody else can wait for the
 * disk.  Returns how many there are. */
unsigned gdoi_gcks_hold(struct gdoi_gcks *gcks, bool held);
/* gdoi_gcks_commit_failed - the COMMIT just polled did not reach the disk: what
 * depended on it is not sent, and the exchange is as before message 3. */
void gdoi_gcks_commit_failed(struct gdoi_gcks *gcks, struct gk_now now);
uint64_t gdoi_gcks_deadline(const struct gdoi_gcks *gcks);

/* gdoi_gcks_forget - end the SAs of @peer (printable, as in outputs) without a
 * word: it said INITIAL-CONTACT to another worker. */
enum gk_err gdoi_gcks_forget(struct gdoi_gcks *gcks, struct gk_slice peer,
                             struct gk_now now);
/* gdoi_gcks_shutdown - end all SAs and tell the peers. */
enum gk_err gdoi_gcks_shutdown(struct gdoi_gcks *gcks, struct gk_now now);

struct gdoi_gcks_status {
	size_t sas, half_open, pulls;
	uint64_t phase1_done, phase1_failed;
	uint64_t registrations, resent, refused;
	uint64_t doubts; /* SAs whose first encrypted message made no sense */
	uint64_t lost;   /* outputs, for want of memory */
};
void gdoi_gcks_status(const struct gdoi_gcks *gcks,
                      struct gdoi_gcks_status *out);
void gdoi_gcks_digest(const struct gdoi_gcks *gcks, uint8_t out[32]);

#endif /* GDOI_ENGINE_GCKS_H */
