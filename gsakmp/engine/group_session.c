/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/group_state.h"

/* What a Lack of Ack needs, once the lock is gone. */
struct notice {
	struct gsakmp_party party;
	struct gsakmp_endpoint to;
	struct gsakmp_suite suite;
	uint8_t id_type;
	struct gk_buf signer_id, nonce_i, nonce_r, nonce_c;
};

static void
notice_free(struct notice *n)
{
	gk_buf_free(&n->signer_id);
	gk_buf_free(&n->nonce_i);
	gk_buf_free(&n->nonce_r);
	gk_buf_free(&n->nonce_c);
}

static enum gk_err
notice_fill(struct notice *n, const struct gsakmp_group *g,
            const struct gsakmp_session *s)
{
	n->party = g->party;
	/* RFC4534-B.3-07: a departure goes another way than a registration. */
	n->to = s->state == GSAKMP_SESSION_DEPART
	                ? s->peer
	                : gsakmp_policy_answer_to(g->policy, &s->peer);
	n->suite = s->suite;
	n->id_type = s->id_type;
	GK_TRY(gk_buf_copy(&n->signer_id, gk_buf_slice(&s->signer_id)));
	GK_TRY(gk_buf_copy(&n->nonce_i, gk_buf_slice(&s->nonce_i)));
	GK_TRY(gk_buf_copy(&n->nonce_r, gk_buf_slice(&s->nonce_r)));
	return gk_buf_copy(&n->nonce_c, gk_buf_slice(&s->nonce_c));
}

/* Decision loa_dup_nonce `fresh`: not the nonces of the KeyDL. */
static enum gk_err
notice_refresh(struct notice *n, const struct gsakmp_group *g)
{
	struct gsakmp_nonce ni = { .type = GSAKMP_NONCE_INITIATOR,
		                   .data = gk_buf_slice(&n->nonce_i) };
	struct gsakmp_nonce nr = { .type = GSAKMP_NONCE_RESPONDER,
		                   .data = gk_buf_slice(&n->nonce_r),
		                   .next_payload = GSAKMP_PAYLOAD_NONCE };

	if (g->dialect.loa_dup_nonce != GSAKMP_LOA_DUP_NONCE_FRESH ||
	    n->nonce_r.len == 0)
		return GK_OK;
	GK_TRY(g->env->random(g->env->ctx, n->nonce_r.ptr, n->nonce_r.len));
	gk_buf_free(&n->nonce_c);
	return gsakmp_nonce_combine(&g->dialect, n->suite.nonce_hash, &ni, &nr,
	                            &n->nonce_c);
}

/* RFC 4535 section 5.2.1.5, Table 5. */
static enum gk_err
send_loa(struct gsakmp_group *g, struct notice *n, struct gk_now now)
{
	struct gk_slice ders[GSAKMP_CERTIFICATES_MAX];
	struct gk_buf dgram = { 0 };
	struct gsakmp_sign sign;
	struct gsakmp_build b;
	enum gk_err err;

	GK_TRY(notice_refresh(n, g));
	gsakmp_party_sign(&n->party, n->suite.signature, true, now.utc_s, ders,
	                  &sign);
	gsakmp_build_begin(&b, &g->dialect, GSAKMP_EXCHANGE_LACK_OF_ACK,
	                   gsakmp_group_groupid(g), 0);
	gsakmp_build_identification(&b,
	                            gsakmp_dialect_classification(&g->dialect),
	                            n->id_type, gk_buf_slice(&n->signer_id));
	if (n->nonce_r.len != 0) {
		gsakmp_build_nonce(&b, GSAKMP_NONCE_RESPONDER,
		                   gk_buf_slice(&n->nonce_r));
		gsakmp_build_nonce(&b, GSAKMP_NONCE_COMBINED,
		                   gk_buf_slice(&n->nonce_c));
	}
	gsakmp_build_notification(&b, gsakmp_dialect_loa(&g->dialect),
	                          (struct gk_slice){ 0 });
	if (gsakmp_suite_extra(&n->suite))
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	err = gsakmp_build_finish(&b, &sign, &dgram);
	if (err == GK_OK)
		err = gsakmp_out_send(&g->out, g->cfg.group_id,
		                      gk_buf_slice(&dgram), &n->to,
		                      GSAKMP_EXCHANGE_LACK_OF_ACK);
	gk_buf_free(&dgram);
	return err;
}

enum gk_err
gsakmp_group_overdue(struct gsakmp_group *g, struct gsakmp_session *s,
                     struct gk_now now)
{
	struct gk_member *m = gk_group_find(g->data, gk_buf_slice(&s->key));

	s->state = GSAKMP_SESSION_LATE;
	gsakmp_session_arm(&g->sessions, s, GK_NEVER);
	/* RTJ replay: somebody who did acknowledge once keeps the membership
	 * whatever becomes of a later registration. */
	if (m == NULL || m->state != GK_MEMBER_PENDING)
		return GK_OK;
	GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_LEAVING));
	return gsakmp_group_count_event(g, now);
}

/* One session whose time is up.  *@send: the notice has to go out. */
static enum gk_err
expire(struct gsakmp_group *g, struct gsakmp_session *s, struct notice *n,
       bool *send, struct gk_now now)
{
	const struct gk_member *m;
	enum gsakmp_session_state to;

	/* RFC4535-5.2.1.4-17: in Verbose Mode a warning comes first. */
	if (s->state == GSAKMP_SESSION_RESPONSE && !g->policy->terse &&
	    s->loa_left > 0) {
		s->loa_left--;
		gsakmp_session_arm(&g->sessions, s,
		                   now.mono_ms +
		                           gsakmp_group_ack_ms(g, &s->suite));
		*send = true;
		return notice_fill(n, g, s);
	}
	GK_TRY(gsakmp_session_next(s->state, GSAKMP_SESSION_EV_TIMEOUT, &to));
	if (to != GSAKMP_SESSION_LATE) {
		/* A departure that was not confirmed: the member stays; in
		 * Verbose Mode section 5.3.2.3.3 lets us warn. */
		if (!g->policy->dereg_terse) {
			*send = true;
			GK_TRY(notice_fill(n, g, s));
		}
		gsakmp_session_drop(&g->sessions, s);
		return GK_OK;
	}
	m = gk_group_find(g->data, gk_buf_slice(&s->key));
	GK_TRY(gsakmp_out_peer(&g->out, GSAKMP_OUT_MEMBER_OVERDUE,
	                       g->cfg.group_id, gk_buf_slice(&s->key),
	                       m != NULL ? m->id : 0));
	/* RFC4535-5.2-01: without the third message nobody is a member. */
	if (GK_CHECKED("RFC4535-5.2-01"))
		GK_TRY(gsakmp_group_overdue(g, s, now));
	else
		gsakmp_session_drop(&g->sessions, s);
	return gsakmp_group_log_commit(g, &g->out, gsakmp_group_ticket(g));
}

#define NOTICES_MAX 64 /* signatures in one go */

enum gk_err
gsakmp_group_session_tick(struct gsakmp_group *g, struct gk_now now)
{
	/* Those that are left are due at once. */
	for (unsigned i = 0; i < NOTICES_MAX; i++) {
		struct notice n = { 0 };
		struct gsakmp_session *s;
		enum gk_err err = GK_OK;
		bool send = false;

		gsakmp_outputs_begin(&g->out);
		pthread_mutex_lock(&g->lock);
		s = g->phase == GSAKMP_GROUP_OPEN ? g->sessions.first : NULL;
		if (s != NULL && s->deadline > now.mono_ms)
			s = NULL;
		if (s != NULL)
			err = expire(g, s, &n, &send, now);
		pthread_mutex_unlock(&g->lock);
		if (err == GK_OK && send)
			err = send_loa(g, &n, now);
		notice_free(&n);
		if (s == NULL || err != GK_OK)
			return err;
	}
	return GK_OK;
}
