/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gsakmp/engine/gcks_state.h"

/*
 * What concludes an exchange at the key server: the acknowledgement of a Key
 * Download or of a Departure Response, in both signs.  RFC 4535 sections 5.2.1.4
 * and 5.3.2.3.3.
 */
void
gsakmp_waiting_clear(struct gsakmp_waiting *w)
{
	gk_cert_free(w->cert);
	gk_buf_free(&w->nonce_c);
}

static enum gk_err
copy_waiting(struct gsakmp_request *rq, bool departing,
             struct gsakmp_waiting *w)
{
	const struct gsakmp_session *s;
	enum gk_err err = GK_ERR_UNEXPECTED;

	pthread_mutex_lock(&rq->group->lock);
	s = gsakmp_session_find_signer(&rq->group->sessions,
	                               rq->msg->signature.id_type,
	                               rq->msg->signature.signer_id);
	if (s != NULL && departing == (s->state == GSAKMP_SESSION_DEPART)) {
		w->id = s->id;
		w->state = s->state;
		w->suite = s->suite;
		w->cert = gk_cert_ref(s->cert);
		err = gk_buf_copy(&w->nonce_c, gk_buf_slice(&s->nonce_c));
	}
	pthread_mutex_unlock(&rq->group->lock);
	return err;
}

enum gk_err
gsakmp_rq_acknowledged(struct gsakmp_request *rq, bool departing,
                       const struct gsakmp_ack_ids *ids,
                       struct gsakmp_waiting *w)
{
	const struct gsakmp_nonce *nc = &rq->msg->nonce[GSAKMP_NONCE_COMBINED];
	enum gsakmp_notify stale = gsakmp_notify_freshness(&rq->group->dialect);
	struct gsakmp_verify v;
	enum gk_err err;

	err = copy_waiting(rq, departing, w);
	if (err != GK_OK && !GK_CHECKED(ids->freshness, ids->asked))
		return err;
	if (err != GK_OK)
		return gsakmp_rq_refuse(rq, err,
		                        GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                        ids->freshness, "Signer ID Data",
		                        rq->msg->signature.at);
	rq->suite = w->suite;
	if (w->nonce_c.len != 0 &&
	    (nc->data.len != w->nonce_c.len ||
	     !gk_equal_secret(nc->data.ptr, w->nonce_c.ptr, w->nonce_c.len)) &&
	    GK_CHECKED(
		    ids->nonce, "RFC4535-5.2.1-09",
		    gsakmp_clause(
			    gsakmp_clauses(rq->msg->header.exchange)->nonces),
		    gsakmp_clause(
			    gsakmp_clauses(rq->msg->header.exchange)->kept)))
		return gsakmp_rq_refuse(rq, GK_ERR_REPLAY, stale, ids->nonce,
		                        "Nonce Data", nc->at);
	if (w->nonce_c.len == 0 && !gsakmp_rq_fresh(rq) &&
	    GK_CHECKED(ids->time))
		return gsakmp_rq_refuse(rq, GK_ERR_REPLAY, stale, ids->time,
		                        "Signature Timestamp",
		                        rq->msg->signature.at);
	/* The certificate was verified when the session began. */
	v = gsakmp_rq_verify(rq, w->cert);
	gsakmp_signer_name(rq->msg, &rq->signer);
	rq->signer.cert = gk_cert_ref(w->cert);
	return gsakmp_signer_check(&v, rq->msg, &rq->signer, &rq->why);
}

/* ---- the step ----------------------------------------------------------- */

struct outcome {
	bool ack;
	uint64_t ticket;
	struct gk_buf peer;
	uint32_t member_id;
};

/* Under the lock; the session may be gone or changed by now. */
static enum gk_err
take(struct gsakmp_request *rq, const struct gsakmp_waiting *w,
     const struct gsakmp_ack_step *step, struct outcome *o)
{
	struct gsakmp_group *g = rq->group;
	struct gsakmp_session *s = gsakmp_session_find_signer(
		&g->sessions, rq->msg->signature.id_type,
		rq->msg->signature.signer_id);
	enum gsakmp_session_state to;
	struct gk_member *m;

	/* A group that is no more has no sessions. */
	if (s == NULL || s->id != w->id)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gsakmp_session_next(
		s->state,
		o->ack ? GSAKMP_SESSION_EV_ACK : GSAKMP_SESSION_EV_NACK, &to));
	m = gk_group_find(g->data, gk_buf_slice(&s->key));
	if (m == NULL)
		return GK_ERR_UNEXPECTED;
	GK_TRY(gk_buf_copy(&o->peer, gk_buf_slice(&s->key)));
	o->member_id = m->id;
	GK_TRY(step->apply(rq, s, m, o->ack));
	o->ticket = gsakmp_group_ticket(g);
	return GK_OK;
}

static enum gk_err
tell(struct gsakmp_request *rq, const struct gsakmp_ack_step *step,
     const struct outcome *o)
{
	struct gsakmp_outputs *q = &rq->gcks->out;

	GK_TRY(gsakmp_group_log_commit(rq->group, q, o->ticket));
	if (o->ack && rq->expelled.len != 0)
		GK_TRY(gsakmp_out_peer(q, GSAKMP_OUT_EXPELLED,
		                       rq->group->cfg.group_id,
		                       gk_buf_slice(&rq->expelled), 0));
	else if (o->ack || step->tell_nack)
		GK_TRY(gsakmp_out_peer(q, o->ack ? step->acked : step->nacked,
		                       rq->group->cfg.group_id,
		                       gk_buf_slice(&o->peer), o->member_id));
	return o->ack && !step->deadline ? GK_OK : gsakmp_rq_deadline(rq);
}

enum gk_err
gsakmp_rq_conclude(struct gsakmp_request *rq, const struct gsakmp_waiting *w,
                   const struct gsakmp_ack_step *step)
{
	struct outcome o = {
		.ack = gsakmp_message_notification(
			       rq->msg, GSAKMP_NOTIFY_ACKNOWLEDGEMENT) != NULL
	};
	enum gk_err err;

	pthread_mutex_lock(&rq->group->lock);
	err = take(rq, w, step, &o);
	pthread_mutex_unlock(&rq->group->lock);
	if (err != GK_OK && GK_CHECKED("RFC4535-7.1.2-07"))
		err = gsakmp_rq_refuse(rq, err,
		                       GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                       "RFC4535-7.1.2-07", "Exchange Type",
		                       rq->msg->header.at);
	if (err == GK_OK)
		err = tell(rq, step, &o);
	gk_buf_free(&o.peer);
	return err;
}

/* ---- Key Download - Ack/Failure ----------------------------------------- */

static enum gk_err
registered(struct gsakmp_request *rq, struct gsakmp_session *s,
           struct gk_member *m, bool ack)
{
	struct gsakmp_group *g = rq->group;

	if (!ack && GK_CHECKED("RFC4535-5.2.1.4-16"))
		return gsakmp_group_overdue(g, s, rq->now);
	GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_ACTIVE));
	gk_group_member_seen(m, rq->now.utc_s);
	gsakmp_session_drop(&g->sessions, s);
	return GK_OK;
}

enum gk_err
gsakmp_gcks_ack(struct gsakmp_request *rq)
{
	static const struct gsakmp_ack_ids ids = {
		.freshness = "RFC4535-5.2.1.4-09",
		.nonce = "RFC4535-5.2.1.4-10",
		.time = "RFC4535-5.2.1.4-11",
		.asked = "RFC4535-5.2.1.1-04",
	};
	static const struct gsakmp_ack_step step = {
		.apply = registered,
		.acked = GSAKMP_OUT_MEMBER_ACTIVE,
		.nacked = GSAKMP_OUT_MEMBER_OVERDUE,
		.tell_nack = true,
	};
	struct gsakmp_waiting w = { 0 };
	enum gk_err err;

	GK_TRY(gsakmp_rq_transport(rq));
	err = gsakmp_rq_acknowledged(rq, false, &ids, &w);
	if (err == GK_OK)
		err = gsakmp_rq_conclude(rq, &w, &step);
	if (err == GK_OK)
		gsakmp_halfopen_settle(rq->gcks->cfg.halfopen);
	/* Decision: an invalid A/F leaves the session waiting; what comes of
	 * that (Lack of Ack, eviction) is for the timeout to say. */
	gsakmp_waiting_clear(&w);
	return err;
}
