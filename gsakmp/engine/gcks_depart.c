/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "gsakmp/engine/gcks_state.h"

/*
 * De-registration at the key server: RFC 4535 section 5.3.2.3.  Request to
 * Depart, Departure Response, Departure ACK.
 */

/* ---- Request to Depart -------------------------------------------------- */

/* RFC4535-5.3.2.3.1-08: are we the key server that is meant? */
static enum gk_err
meant_for_us(struct gsakmp_request *rq)
{
	const struct gsakmp_identification *id = &rq->msg->identification;
	const struct gk_identity named = {
		.kind = gsakmp_identity_kind(id->id_type), .octets = id->data
	};

	if (gk_identity_equal(
		    named, *rq->gcks->cfg.party.id,
		    (enum gk_dn_compare)rq->group->dialect.dn_string) ||
	    !GK_CHECKED("RFC4535-5.3.2.3.1-08"))
		return GK_OK;
	return gsakmp_rq_refuse(
		rq, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_ID_INFORMATION,
		"RFC4535-5.3.2.3.1-08", "Identification Data", id->at);
}

static enum gk_err
no_member(struct gsakmp_request *rq)
{
	return gsakmp_rq_refuse(rq, GK_ERR_POLICY,
	                        GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                        "RFC4535-5.3.2.3.1-09", "Signer ID Data",
	                        rq->msg->signature.at);
}

/* Is the sender registered?  A departed member is not any more. */
static const struct gk_member *
find_member(const struct gsakmp_group *g, struct gk_slice key)
{
	const struct gk_member *m =
		g->data != NULL ? gk_group_find(g->data, key) : NULL;

	if (m != NULL && m->state == GK_MEMBER_LEAVING &&
	    gsakmp_session_find(&g->sessions, key) == NULL)
		return NULL;
	return m;
}

static bool
is_member(struct gsakmp_request *rq)
{
	bool found;

	pthread_mutex_lock(&rq->group->lock);
	found = find_member(rq->group, gk_buf_slice(&rq->signer.key)) != NULL;
	pthread_mutex_unlock(&rq->group->lock);
	return found;
}

bool
gsakmp_gcks_from_member(struct gsakmp_request *rq)
{
	if (rq->signer.key.len != 0)
		return true; /* it got so far */
	/* The name alone, which may be anybody's: the answer goes to where the
	 * question came from, and is worth nothing to others. */
	gsakmp_signer_name(rq->msg, &rq->signer);
	return rq->signer.id.octets.len != 0 &&
	       gsakmp_member_key(rq->signer.id, NULL, &rq->signer.key) ==
	               GK_OK &&
	       is_member(rq);
}

/* The certificate that a member registered with; none is no error. */
static enum gk_err
registered_cert(struct gsakmp_request *rq, struct gk_slice key,
                struct gk_cert **cert)
{
	struct gsakmp_group *g = rq->group;
	struct gsakmp_member_info info = { 0 };
	const struct gsakmp_session *s;
	const struct gk_member *m;
	enum gk_err err = GK_OK;
	uint32_t id = 0;

	pthread_mutex_lock(&g->lock);
	m = find_member(g, key);
	s = gsakmp_session_find(&g->sessions, key);
	if (m != NULL && s != NULL && s->cert != NULL)
		*cert = gk_cert_ref(s->cert);
	else if (m != NULL)
		err = gsakmp_group_member_get(g, m, &info);
	id = m != NULL && *cert == NULL ? m->id : 0;
	pthread_mutex_unlock(&g->lock);
	if (id != 0 && err == GK_OK && info.der.len == 0) {
		err = gsakmp_group_member_der(g, id, key, &info.der,
		                              &info.grants);
		if (err == GK_ERR_UNEXPECTED)
			err = GK_OK;
	}
	if (err == GK_OK && info.der.len != 0)
		err = gk_cert_from_stored(gk_buf_slice(&info.der), cert);
	gsakmp_member_info_free(&info);
	return err;
}

/* The sender's certificate: of the message, or as registered. */
static enum gk_err
find_sender(struct gsakmp_request *rq)
{
	struct gk_cert *registered = NULL;
	struct gk_buf key = { 0 };
	struct gsakmp_verify v;
	enum gk_err err;

	gsakmp_signer_name(rq->msg, &rq->signer);
	err = gsakmp_member_key(rq->signer.id, NULL, &key);
	if (err == GK_OK)
		err = registered_cert(rq, gk_buf_slice(&key), &registered);
	gk_buf_free(&key);
	if (err != GK_OK && GK_CHECKED("RFC4535-5.3.2.3.1-09"))
		return no_member(rq);
	v = gsakmp_rq_verify(rq, registered);
	err = gsakmp_signer_find(&v, rq->msg, &rq->signer, &rq->why);
	gk_cert_free(registered);
	GK_TRY(err);
	if (!is_member(rq) && GK_CHECKED("RFC4535-5.3.2.3.1-09")) {
		gk_buf_free(&rq->signer.key); /* nobody we answer */
		return no_member(rq);
	}
	return GK_OK;
}

static void
use_mechanism(struct gsakmp_request *rq, const struct gpt_leave_mechanism *m)
{
	rq->suite.signature = (uint16_t)m->sig_algorithm;
	rq->suite.nonce_hash = (uint16_t)m->hash_algorithm;
}

/* RFC 4534 B.3: is there de-registration, and with which mechanisms? */
static enum gk_err
leave_policy(struct gsakmp_request *rq)
{
	const struct gpt_deregister *d = rq->policy->dereg;
	const struct gpt_leave_mechanism *use;
	size_t i = 0;

	if ((d == NULL || !gpt_access_depart(d, &rq->signer.party, &i, NULL)) &&
	    GK_CHECKED("RFC4534-B.3-06"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_POLICY,
			GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
			"RFC4534-B.3-06", "Signer ID Data",
			rq->msg->signature.at);
	if (d == NULL || d->n_mechanisms == 0)
		return GK_OK;
	use = gsakmp_policy_leave(rq->policy, &rq->signer.party,
	                          rq->msg->signature.type);
	/* None with its signature: the check of that will say so. */
	use_mechanism(rq, use != NULL ? use : &d->mechanisms[i]);
	return GK_OK;
}

static enum gk_err
check_fresh(struct gsakmp_request *rq)
{
	const struct gsakmp_nonce *ni = &rq->msg->nonce[GSAKMP_NONCE_INITIATOR];

	if (!rq->suite.timestamp && ni->data.len == 0 &&
	    GK_CHECKED("RFC4535-5.3.2.3.1-04"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_UNEXPECTED, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-5.3.2.3.1-04", "Nonce", rq->msg->octets.len);
	if (ni->data.len > GSAKMP_NONCE_MAX && GK_CHECKED("RFC4535-7.12.2-03"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_SPACE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.12.2-03", "Nonce Data", ni->at);
	if (!gsakmp_rq_fresh(rq) && GK_CHECKED("RFC4535-7.8.2-04"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_REPLAY,
			gsakmp_notify_freshness(&rq->group->dialect),
			"RFC4535-7.8.2-04", "Signature Timestamp",
			rq->msg->signature.at);
	return GK_OK;
}

/* ---- Departure Response ------------------------------------------------- */

struct departure {
	struct gk_buf nonce_r, nonce_c, dgram;
	struct gsakmp_session *session;
};

/* Section 5.3.2.3.2, Table 9. */
static enum gk_err
build_dr(struct gsakmp_request *rq, struct departure *d, uint16_t notify)
{
	const struct gsakmp_dialect *dialect = &rq->group->dialect;
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gsakmp_sign sign;
	struct gsakmp_build b;

	if (rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data.len != 0)
		GK_TRY(gsakmp_rq_nonces(rq, &d->nonce_r, &d->nonce_c));
	gsakmp_party_sign(&rq->gcks->cfg.party, rq->suite.signature, true,
	                  rq->now.utc_s, ders, &sign);
	gsakmp_build_begin(&b, dialect, GSAKMP_EXCHANGE_DEPARTURE_RESPONSE,
	                   rq->msg->header.groupid, 0);
	gsakmp_build_identification(&b, gsakmp_dialect_classification(dialect),
	                            rq->signer.id_type, rq->signer.id.octets);
	if (d->nonce_r.len != 0) {
		gsakmp_build_nonce(&b, GSAKMP_NONCE_RESPONDER,
		                   gk_buf_slice(&d->nonce_r));
		gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED,
		                   gk_buf_slice(&d->nonce_c));
	}
	gsakmp_build_notification(&b, notify, (struct gk_slice){ 0 });
	if (gsakmp_suite_extra(&rq->suite))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	return gsakmp_build_finish(&b, &sign, &d->dgram);
}

static void
departure_clear(struct departure *d)
{
	gk_buf_free(&d->nonce_r);
	gk_buf_free(&d->nonce_c);
	gk_buf_free(&d->dgram);
	gsakmp_session_free(d->session);
}

/* The authorities above a member whose request did not get that far are those
 * that it registered under. */
static enum gk_err
answer_mechanism(struct gsakmp_request *rq)
{
	struct gk_slice slices[GSAKMP_MEMBER_CA_MAX];
	struct gpt_party party = rq->signer.party;
	struct gsakmp_member_info info = { 0 };
	const struct gpt_leave_mechanism *use;
	const struct gk_member *m;
	struct gk_identity id;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&rq->group->lock);
	m = find_member(rq->group, gk_buf_slice(&rq->signer.key));
	if (party.n_ca_key_ids == 0 && m != NULL) {
		err = gsakmp_group_member_get(rq->group, m, &info);
		if (err == GK_OK)
			gsakmp_member_party(&info, &id, slices, &party);
	}
	pthread_mutex_unlock(&rq->group->lock);
	use = gsakmp_policy_leave(rq->policy, &party, rq->msg->signature.type);
	if (err == GK_OK && use != NULL)
		use_mechanism(rq, use);
	gsakmp_member_info_free(&info);
	return err;
}

enum gk_err
gsakmp_gcks_rtd_error(struct gsakmp_request *rq)
{
	struct departure d = { 0 };
	enum gk_err err;

	/* With the mechanism that the member expects; without any, as
	 * registrations are. */
	rq->suite = rq->policy->suite[0];
	GK_TRY(answer_mechanism(rq));
	err = build_dr(rq, &d, GSAKMP_NOTIFY_REQUEST_TO_DEPART_ERROR);
	if (err == GK_OK)
		err = gsakmp_out_send(&rq->gcks->out, rq->group->cfg.group_id,
		                      gk_buf_slice(&d.dgram), rq->from,
		                      GSAKMP_EXCHANGE_DEPARTURE_RESPONSE);
	departure_clear(&d);
	return err;
}

static enum gk_err
make_session(struct gsakmp_request *rq, struct departure *d)
{
	struct gsakmp_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return GK_ERR_NOMEM;
	d->session = s;
	s->state = GSAKMP_SESSION_DEPART;
	s->id_type = rq->signer.id_type;
	s->cert = gk_cert_ref(rq->signer.cert);
	s->peer = *rq->from;
	s->suite = rq->suite;
	s->started_utc = rq->now.utc_s;
	memcpy(s->request, rq->digest, sizeof(s->request));
	GK_TRY(gk_buf_copy(&s->key, gk_buf_slice(&rq->signer.key)));
	GK_TRY(gk_buf_copy(&s->signer_id, rq->signer.id.octets));
	GK_TRY(gk_buf_copy(&s->nonce_i,
	                   rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data));
	GK_TRY(gk_buf_copy(&s->nonce_r, gk_buf_slice(&d->nonce_r)));
	GK_TRY(gk_buf_copy(&s->nonce_c, gk_buf_slice(&d->nonce_c)));
	s->barred = rq->barred;
	GK_TRY(gk_buf_copy(&s->expelled, gk_buf_slice(&rq->expelled)));
	return gk_buf_copy(&s->answer, gk_buf_slice(&d->dgram));
}

/* A recorded request must not open a second departure. */
static enum gk_err
remember(struct gsakmp_request *rq)
{
	uint8_t tag[GSAKMP_REPLAY_TAG_LEN];
	const struct gk_slice digest = { rq->digest, sizeof(rq->digest) };
	enum gk_err err;

	GK_TRY(gsakmp_replay_tag(gk_buf_slice(&rq->signer.key), digest, tag));
	err = gsakmp_replay_add(rq->group->replay, tag, rq->now.mono_ms,
	                        gsakmp_rq_forget(rq));
	if (err == GK_ERR_REPLAY && !GK_CHECKED("RFC4535-3.1-04"))
		return GK_OK;
	return err;
}

/* One from before the member's registration is a recording, also after a restart,
 * when the digests are forgotten: it left, and came back. */
static enum gk_err
not_older(struct gsakmp_request *rq, const struct gk_member *m)
{
	struct gsakmp_member_info info;
	int64_t utc;
	enum gk_err err;

	GK_TRY(gk_zulu_parse(rq->msg->signature.timestamp, &utc));
	err = gsakmp_group_member_get(rq->group, m, &info);
	if (err == GK_OK && utc < info.rtj_utc && GK_CHECKED("RFC4535-3.1-04"))
		err = GK_ERR_REPLAY;
	gsakmp_member_info_free(&info);
	return err;
}

static enum gk_err
enter(struct gsakmp_request *rq, struct departure *d)
{
	struct gsakmp_group *g = rq->group;
	struct gk_slice key = gk_buf_slice(&rq->signer.key);
	struct gsakmp_session *old = gsakmp_session_find(&g->sessions, key);
	enum gsakmp_session_state to;
	const struct gk_member *m;

	if (g->phase != GSAKMP_GROUP_OPEN || g->policy != rq->policy)
		return GK_ERR_UNEXPECTED;
	m = gk_group_find(g->data, key);
	if (m == NULL)
		return GK_ERR_UNEXPECTED;
	GK_TRY(not_older(rq, m));
	GK_TRY(gsakmp_session_next(old != NULL ? old->state
	                                       : GSAKMP_SESSION_NONE,
	                           GSAKMP_SESSION_EV_RTD, &to));
	GK_TRY(remember(rq));
	if (old != NULL)
		gsakmp_session_drop(&g->sessions, old);
	gsakmp_session_add(&g->sessions, d->session);
	gsakmp_session_arm(&g->sessions, d->session,
	                   rq->now.mono_ms + g->cfg.session_timeout_ms);
	d->session = NULL;
	return GK_OK;
}

static enum gk_err
accept_departure(struct gsakmp_request *rq)
{
	struct departure d = { 0 };
	enum gk_err err;

	err = build_dr(rq, &d, GSAKMP_NOTIFY_DEPARTURE_ACCEPTED);
	if (err == GK_OK)
		err = make_session(rq, &d);
	if (err == GK_OK) {
		pthread_mutex_lock(&rq->group->lock);
		err = enter(rq, &d);
		pthread_mutex_unlock(&rq->group->lock);
		if (err != GK_OK)
			err = gsakmp_rq_refuse(
				rq, err,
				err == GK_ERR_REPLAY
					? gsakmp_notify_freshness(
						  &rq->group->dialect)
					: GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
				err == GK_ERR_REPLAY ? "RFC4535-3.1-04"
						     : "RFC4535-7.1.2-07",
				"Exchange Type", rq->msg->header.at);
	}
	if (err == GK_OK)
		err = gsakmp_out_send(&rq->gcks->out, rq->group->cfg.group_id,
		                      gk_buf_slice(&d.dgram), rq->from,
		                      GSAKMP_EXCHANGE_DEPARTURE_RESPONSE);
	if (err == GK_OK)
		err = gsakmp_rq_deadline(rq);
	departure_clear(&d);
	return err;
}

enum gk_err
gsakmp_gcks_rtd(struct gsakmp_request *rq)
{
	struct gsakmp_verify v;
	enum gk_err err;
	bool done;

	rq->suite = rq->policy->suite[0];
	GK_TRY(gsakmp_rq_digest(rq));
	GK_TRY(gsakmp_rq_resend(rq, GSAKMP_SESSION_DEPART,
	                        GSAKMP_EXCHANGE_DEPARTURE_RESPONSE, &done));
	if (done)
		return GK_OK;
	GK_TRY(meant_for_us(rq));
	GK_TRY(find_sender(rq));
	v = gsakmp_rq_verify(rq, NULL);
	GK_TRY(gsakmp_signer_path(&v, rq->msg, &rq->signer, &rq->why));
	GK_TRY(leave_policy(rq));
	v.signature = rq->suite.signature;
	err = gsakmp_signer_check(&v, rq->msg, &rq->signer, &rq->why);
	/* RFC4535-5.3.2.3.2-02: an answer for a proper request. */
	if (err != GK_OK &&
	    GK_CHECKED("RFC4535-5.3.2.3.2-02", "RFC4535-5.3.2.3.1-13"))
		return err;
	GK_TRY(check_fresh(rq));
	GK_TRY(gsakmp_gcks_expulsion(rq));
	return accept_departure(rq);
}

/* ---- Departure ACK ------------------------------------------------------ */

/* RFC4535-5.3.2.3.3-14: out at once; its keys change with the next rekey that
 * the policy defines, towards which this counts - but at a subordinate, which
 * keeps departures to itself. */
static enum gk_err
leave(struct gsakmp_group *g, struct gk_member *m, struct gk_now now)
{
	bool counted = m->state == GK_MEMBER_LEAVING;

	/* One that was overdue: that it was heard is a change of its own. */
	GK_TRY(gk_group_member_changed(g->data, m));
	GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_LEAVING));
	gk_group_member_seen(m, now.utc_s);
	if (counted)
		return GK_OK;
	return g->cfg.subordinate ? GK_OK : gsakmp_group_count_event(g, now);
}

static enum gk_err
departed(struct gsakmp_request *rq, struct gsakmp_session *s,
         struct gk_member *m, bool ack)
{
	struct gsakmp_group *g = rq->group;

	if (ack && s->expelled.len != 0) {
		GK_TRY(gk_buf_copy(&rq->expelled, gk_buf_slice(&s->expelled)));
		GK_TRY(gsakmp_group_reported(g, gk_buf_slice(&s->expelled),
		                             s->barred, rq->now));
	} else if (ack || !GK_CHECKED("RFC4535-5.3.2.3.3-14")) {
		GK_TRY(leave(g, m, rq->now));
	}
	gsakmp_session_drop(&g->sessions, s);
	return GK_OK;
}

enum gk_err
gsakmp_gcks_da(struct gsakmp_request *rq)
{
	static const struct gsakmp_ack_ids ids = {
		.freshness = "RFC4535-5.3.2.3.3-08",
		.nonce = "RFC4535-5.3.2.3.3-09",
		.time = "RFC4535-5.3.2.3.3-10",
		.asked = "RFC4535-5.3.2.3.1-02",
	};
	static const struct gsakmp_ack_step step = {
		.apply = departed,
		.acked = GSAKMP_OUT_MEMBER_LEFT,
		.deadline = true,
	};
	struct gsakmp_waiting w = { 0 };
	enum gk_err err;

	err = gsakmp_rq_acknowledged(rq, true, &ids, &w);
	if (err == GK_OK || !GK_CHECKED("RFC4535-5.3.2.3.3-05"))
		err = gsakmp_rq_conclude(rq, &w, &step);
	gsakmp_waiting_clear(&w);
	return err;
}
