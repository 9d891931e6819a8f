/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GCKS_STATE_H
#define GSAKMP_ENGINE_GCKS_STATE_H

#include "gsakmp/engine/gcks.h"
#include "gsakmp/engine/group_state.h"

/*
 * DOC: inside a key server worker - for gsakmp/engine only
 *
 * A request is one message on its way through the pipeline, with everything
 * that was found out about it so far.  The handlers of the four exchanges end
 * with GK_OK or with why set; gcks.c reports and answers refusals.
 */
#define GSAKMP_NONCE_LEN 16  /* octets of the nonces we make */
#define GSAKMP_NONCE_MAX 512 /* octets of a nonce that we care to keep */

struct gsakmp_gcks {
	const struct gk_env *env;
	struct gsakmp_gcks_config cfg;
	struct gsakmp_group **group;
	size_t n_groups;
	struct gsakmp_cookie_jar own_jar; /* cfg.jar, when none is shared */
	uint64_t second; /* of the monotonic clock, for the rates below */
	unsigned signed_errors;
	struct gsakmp_halfopen own_halfopen;
	/* The message in work: here and not on the heap, so that a request
	 * that is sent away for a cookie leaves nothing behind. */
	struct gsakmp_message msg;
	struct gsakmp_outputs out;
};

struct gsakmp_request {
	struct gsakmp_gcks *gcks;
	struct gsakmp_group *group;
	struct gsakmp_policy *policy; /* a reference */
	int64_t fresh_from;           /* the group's, as @policy was taken */
	const struct gsakmp_message *msg;
	struct gk_slice dgram;
	const struct gsakmp_endpoint *from;
	struct gk_now now;
	uint8_t digest[32]; /* SHA-256 of a message that asks */
	struct gsakmp_signer signer;
	struct gsakmp_suite suite;
	struct gk_buf expelled; /* RTD, DA for somebody else: for whom ... */
	bool barred;            /* ... and whether for good */
	struct gsakmp_reject why;
	uint64_t
		renew; /* RTJ: the session whose answer is out of date; 0 none */
	bool quiet;    /* a refusal that is not answered in any mode */
	bool answered;
};

/* The handlers, one per exchange. */
GK_MUST_CHECK enum gk_err gsakmp_gcks_rtj(struct gsakmp_request *rq);
GK_MUST_CHECK enum gk_err gsakmp_gcks_ack(struct gsakmp_request *rq);
GK_MUST_CHECK enum gk_err gsakmp_gcks_rtd(struct gsakmp_request *rq);
GK_MUST_CHECK enum gk_err gsakmp_gcks_da(struct gsakmp_request *rq);
/* gsakmp_gcks_expulsion - does the RTD speak for somebody else, and may it?
 * Section 4.4.7; in gcks_expel.c. */
GK_MUST_CHECK enum gk_err gsakmp_gcks_expulsion(struct gsakmp_request *rq);
/* gsakmp_gcks_from_member - does a Request to Depart that was refused bear the
 * name of a member?  Whether it is the member's own need not be known. */
bool gsakmp_gcks_from_member(struct gsakmp_request *rq);
/* gsakmp_gcks_rtd_error - section 5.3.2.3.1, Verbose Mode. */
GK_MUST_CHECK enum gk_err gsakmp_gcks_rtd_error(struct gsakmp_request *rq);
/* gsakmp_gcks_admit - the step that makes a candidate a member, and its key
 * download; in gcks_admit.c.  The caller has checked everything. */
GK_MUST_CHECK enum gk_err gsakmp_gcks_admit(struct gsakmp_request *rq);

/* gsakmp_rq_transport - does the message come the way the policy says?  One that
 * does not is refused and not answered; RFC4534-B.1.4-01. */
GK_MUST_CHECK enum gk_err gsakmp_rq_transport(struct gsakmp_request *rq);

/* gsakmp_rq_excluded - was the sender evicted, under the name it uses or under
 * the subject of its certificate?  Wants the group's lock held. */
GK_MUST_CHECK enum gk_err gsakmp_rq_excluded(struct gsakmp_request *rq);

/* gsakmp_rq_fresh - is its Signature Timestamp within the skew? */
bool gsakmp_rq_fresh(const struct gsakmp_request *rq);
/* gsakmp_rq_forget - the moment from which on a request that was taken now is
 * too old to be taken again: it may have been as new as the skew allows.  The
 * clock that says so has whole seconds, hence one more. */
static inline uint64_t
gsakmp_rq_forget(const struct gsakmp_request *rq)
{
	return rq->now.mono_ms +
	       2 * 1000 *
	               (uint64_t)gsakmp_policy_skew(rq->policy,
	                                            rq->gcks->cfg.skew_s) +
	       1000;
}

/* Refuse with field and offset of a part of the message. */
enum gk_err gsakmp_rq_refuse(struct gsakmp_request *rq, enum gk_err err,
                             enum gsakmp_notify notify, const char *req,
                             const char *field, size_t at);
/* gsakmp_rq_verify - what the steps of verify.h need. */
struct gsakmp_verify gsakmp_rq_verify(const struct gsakmp_request *rq,
                                      const struct gk_cert *fallback);
/* gsakmp_rq_nonces - a fresh Nonce_R, and Nonce_C with @rq's Nonce_I. */
GK_MUST_CHECK enum gk_err gsakmp_rq_nonces(struct gsakmp_request *rq,
                                           struct gk_buf *nonce_r,
                                           struct gk_buf *nonce_c);
/* gsakmp_rq_digest - sets @digest; what asks is known again when it comes again. */
GK_MUST_CHECK enum gk_err gsakmp_rq_digest(struct gsakmp_request *rq);
/* gsakmp_rq_deadline - an output DEADLINE: the group's thread must look. */
GK_MUST_CHECK enum gk_err gsakmp_rq_deadline(struct gsakmp_request *rq);
/* gsakmp_rq_resend - the stored answer to an identical request, if there is
 * one; *@done says so.  Takes the lock. */
GK_MUST_CHECK enum gk_err gsakmp_rq_resend(struct gsakmp_request *rq,
                                           enum gsakmp_session_state state,
                                           uint8_t exchange, bool *done);

/*
 * A session that waits for an acknowledgement, copied out from under the lock
 * so that the signature can be verified without it.
 */
struct gsakmp_waiting {
	uint64_t id;
	enum gsakmp_session_state state;
	struct gk_cert *cert; /* a reference */
	struct gk_buf nonce_c;
	struct gsakmp_suite suite;
};
/* gsakmp_rq_acknowledged - freshness, signature: sections 5.2.1.4, 5.3.2.3.3.
 * @req: ids for (no session, nonce, time) */
struct gsakmp_ack_ids {
	const char *freshness, *nonce, *time;
	const char *asked; /* a request comes first */
};
GK_MUST_CHECK enum gk_err gsakmp_rq_acknowledged(
	struct gsakmp_request *rq, bool departing,
	const struct gsakmp_ack_ids *ids, struct gsakmp_waiting *w);
void gsakmp_waiting_clear(struct gsakmp_waiting *w);

/* What an acknowledgement does, and what is said of it. */
struct gsakmp_ack_step {
	/* With the lock held; @ack: it is positive. */
	enum gk_err (*apply)(struct gsakmp_request *rq,
	                     struct gsakmp_session *s, struct gk_member *m,
	                     bool ack);
	enum gsakmp_output_kind acked, nacked;
	bool tell_nack; /* there is an output for the negative one */
	bool deadline;  /* the positive one moves the group's deadline, too */
};
/* gsakmp_rq_conclude - the step, its COMMIT and its output. */
GK_MUST_CHECK enum gk_err gsakmp_rq_conclude(
	struct gsakmp_request *rq, const struct gsakmp_waiting *w,
	const struct gsakmp_ack_step *step);

#endif /* GSAKMP_ENGINE_GCKS_STATE_H */
