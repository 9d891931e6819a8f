/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "common/crypto/gk_kex.h"
#include "gsakmp/engine/download.h"
#include "gsakmp/engine/gcks_state.h"
#include "gsakmp/engine/secret.h"
#include "gsakmp/message/protect.h"

/*
 * From an accepted Request to Join to the Key Download: RFC 4535 section
 * 5.2.1.2, at the key server.
 *
 *     agree()    Diffie-Hellman and nonces, without the lock
 *     enter()    member, session, keys: the one step under the lock
 *     answer()   encrypt and sign, without the lock
 */
struct admission {
	struct gsakmp_request *rq;
	struct gk_kex_key *kex;
	struct gk_buf nonce_r, nonce_c;
	struct gsakmp_kek kek;

	/* copied under the lock */
	uint64_t session, ticket;
	bool sooner; /* than the group's thread knows there is something to do */
	struct gsakmp_download keys;
};

static enum gk_err
derive_kek(struct admission *a, struct gk_slice secret)
{
	struct gsakmp_request *rq = a->rq;
	const struct gsakmp_kek_input in = {
		.key_creation = rq->suite.key_creation,
		.key_type = rq->suite.encryption,
		.secret = secret,
		.nonce_i =
			rq->suite.timestamp
				? (struct gk_slice){ 0 }
				: rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data,
		.nonce_r = gk_buf_slice(&a->nonce_r),
		.nonce_c = gk_buf_slice(&a->nonce_c),
		.groupid = rq->msg->header.groupid,
	};

	GK_TRY(gsakmp_kek_derive(&rq->group->dialect, &in, &a->kek));
	gsakmp_secret_kek(rq->gcks->env, &in, &a->kek);
	return GK_OK;
}

/* An answer that replaces one has its nonces: the candidate may have the other
 * already, and what it acknowledges that with be on its way. */
static enum gk_err
nonces(struct admission *a)
{
	struct gsakmp_request *rq = a->rq;
	const struct gsakmp_session *s;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&rq->group->lock);
	s = rq->renew == 0
	            ? NULL
	            : gsakmp_session_find_signer(&rq->group->sessions,
	                                         rq->msg->signature.id_type,
	                                         rq->msg->signature.signer_id);
	if (s != NULL && s->id == rq->renew &&
	    s->suite.nonce_hash == rq->suite.nonce_hash) {
		err = gk_buf_copy(&a->nonce_r, gk_buf_slice(&s->nonce_r));
		if (err == GK_OK)
			err = gk_buf_copy(&a->nonce_c,
			                  gk_buf_slice(&s->nonce_c));
	}
	pthread_mutex_unlock(&rq->group->lock);
	if (err != GK_OK || a->nonce_c.len != 0)
		return err;
	return gsakmp_rq_nonces(rq, &a->nonce_r, &a->nonce_c);
}

static enum gk_err
agree(struct admission *a)
{
	struct gsakmp_request *rq = a->rq;
	struct gk_buf secret = { 0 };
	enum gk_err err;

	/* RFC4535-5.2.1.1-09: the nonce only counts if the token says so. */
	if (!rq->suite.timestamp)
		GK_TRY(nonces(a));
	GK_TRY(gk_kex_generate(rq->gcks->env,
	                       gsakmp_kex(rq->suite.key_creation), &a->kex));
	err = gk_kex_derive(a->kex, rq->msg->key_creation.data,
	                    GK_KEX_SHORT_PEER, &secret);
	if (err == GK_ERR_VALUE && GK_CHECKED("RFC4535-7.11.2-03"))
		err = gsakmp_rq_refuse(rq, err, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                       "RFC4535-7.11.2-03", "Key Creation Data",
		                       rq->msg->key_creation.at);
	if (err == GK_OK)
		err = derive_kek(a, gk_buf_slice(&secret));
	gk_buf_free(&secret);
	return err;
}

/* ---- the step ----------------------------------------------------------- */

static enum gk_err
replayed(struct gsakmp_request *rq)
{
	return gsakmp_rq_refuse(rq, GK_ERR_REPLAY,
	                        gsakmp_notify_freshness(&rq->group->dialect),
	                        "RFC4535-3.1-04", "Nonce Data",
	                        rq->msg->nonce[GSAKMP_NONCE_INITIATOR].at);
}

/* A request older than the last one that was taken is a recording, also after
 * a restart, when the nonces are forgotten. */
static enum gk_err
not_older(struct gsakmp_request *rq, const struct gk_member *m, int64_t utc)
{
	struct gsakmp_member_info info;
	enum gk_err err;

	if (m == NULL)
		return GK_OK;
	err = gsakmp_group_member_get(rq->group, m, &info);
	if (err == GK_OK && utc < info.rtj_utc &&
	    GK_CHECKED("RFC4535-3.1-04", "RFC4535-5.2.1.1-09"))
		err = replayed(rq);
	gsakmp_member_info_free(&info);
	return err;
}

static enum gk_err
remember(struct gsakmp_request *rq)
{
	uint8_t tag[GSAKMP_REPLAY_TAG_LEN];
	enum gk_err err;

	GK_TRY(gsakmp_replay_tag(gk_buf_slice(&rq->signer.key),
	                         rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data,
	                         tag));
	err = gsakmp_replay_add(rq->group->replay, tag, rq->now.mono_ms,
	                        gsakmp_rq_forget(rq));
	if (err == GK_ERR_REPLAY)
		return GK_CHECKED("RFC4535-3.1-04", "RFC4535-5.2.1.1-09")
		               ? replayed(rq)
		               : GK_OK;
	if (err == GK_ERR_SPACE && GK_CHECKED("RFC4535-5.2.1.1-21"))
		return gsakmp_rq_refuse(
			rq, err, GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
			"RFC4535-5.2.1.1-21", "Nonce Data",
			rq->msg->nonce[GSAKMP_NONCE_INITIATOR].at);
	return err;
}

static struct gsakmp_session *
new_session(const struct admission *a)
{
	const struct gsakmp_request *rq = a->rq;
	struct gsakmp_session *s = calloc(1, sizeof(*s));
	enum gk_err err;

	if (s == NULL)
		return NULL;
	s->state = GSAKMP_SESSION_RESPONSE;
	s->id_type = rq->signer.id_type;
	s->cert = gk_cert_ref(rq->signer.cert);
	s->peer = *rq->from;
	s->suite = rq->suite;
	s->started_utc = rq->now.utc_s;
	s->loa_left = rq->group->cfg.loa_count;
	memcpy(s->request, rq->digest, sizeof(s->request));
	err = gk_buf_copy(&s->key, gk_buf_slice(&rq->signer.key));
	if (err == GK_OK)
		err = gk_buf_copy(&s->signer_id, rq->signer.id.octets);
	if (err == GK_OK)
		err = gk_buf_copy(&s->nonce_i,
		                  rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data);
	if (err == GK_OK)
		err = gk_buf_copy(&s->nonce_r, gk_buf_slice(&a->nonce_r));
	if (err == GK_OK)
		err = gk_buf_copy(&s->nonce_c, gk_buf_slice(&a->nonce_c));
	if (err != GK_OK) {
		gsakmp_session_free(s);
		return NULL;
	}
	return s;
}

/* *@m: NULL, and then it joins. */
static enum gk_err
write_down(struct gsakmp_request *rq, struct gk_member **m, int64_t rtj_utc)
{
	struct gsakmp_member_info info;
	enum gk_err err;

	err = gsakmp_member_info_set(&info, rq->signer.id_type,
	                             rq->signer.id.octets, &rq->signer.path,
	                             rtj_utc);
	info.permissions = rq->signer.party.permissions;
	info.until = rq->signer.until;
	if (err == GK_OK)
		err = gk_buf_copy(&info.grants,
		                  gk_buf_slice(&rq->signer.grants));
	if (err == GK_OK)
		err = *m != NULL ? gsakmp_group_member_put(rq->group, *m, &info)
		                 : gsakmp_group_member_join(
					   rq->group,
					   gk_buf_slice(&rq->signer.key), &info,
					   rq->now, m);
	if (err == GK_OK)
		gsakmp_group_judge_by(rq->group, info.until, rq->now);
	gsakmp_member_info_free(&info);
	return err;
}

/* The candidate becomes a member; one that is a member already keeps its seat
 * and, if it was acknowledged, its standing ("RTJ replay"). */
static enum gk_err
seat(struct admission *a, struct gk_member *m, int64_t rtj_utc)
{
	struct gsakmp_request *rq = a->rq;
	struct gsakmp_group *g = rq->group;

	GK_TRY(write_down(rq, &m, rtj_utc));
	if (m->state == GK_MEMBER_LEAVING)
		GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_PENDING));
	if (m->state == GK_MEMBER_PENDING)
		m->seen = 0; /* see gsakmp_group_unheard() */
	GK_TRY(gsakmp_download_take(&a->keys, g, m));
	gsakmp_group_expect_rekey(g, rq->now);
	return GK_OK;
}

static enum gk_err
enter_locked(struct admission *a, struct gsakmp_session *s)
{
	struct gsakmp_request *rq = a->rq;
	struct gsakmp_group *g = rq->group;
	struct gk_slice key = gk_buf_slice(&rq->signer.key);
	struct gsakmp_session *old = gsakmp_session_find(&g->sessions, key);
	enum gsakmp_session_state to;
	struct gk_member *m;
	bool again = old != NULL && old->id == rq->renew;
	int64_t utc;

	/* The group, or the member, may have moved on while we computed. */
	if ((g->phase != GSAKMP_GROUP_OPEN || g->policy != rq->policy) &&
	    GK_CHECKED("RFC4535-5.2.1.1-12"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_UNEXPECTED,
			GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
			"RFC4535-5.2.1.1-12", "Group ID Value", 0);
	GK_TRY(gsakmp_rq_excluded(rq));
	if (!again &&
	    gsakmp_session_next(old != NULL ? old->state : GSAKMP_SESSION_NONE,
	                        GSAKMP_SESSION_EV_RTJ, &to) != GK_OK &&
	    GK_CHECKED("RFC4535-5.2.1.1-21")) {
		rq->quiet = true;
		return gsakmp_rq_refuse(
			rq, GK_ERR_UNEXPECTED,
			GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
			"RFC4535-5.2.1.1-21", "Signer ID Data",
			rq->msg->signature.at);
	}
	GK_TRY(gk_zulu_parse(rq->msg->signature.timestamp, &utc));
	m = gk_group_find(g->data, key);
	GK_TRY(not_older(rq, m, utc));
	if (!again)
		GK_TRY(remember(rq));
	GK_TRY(seat(a, m, utc));
	s->handle = gk_group_key_joiner(g->data, 0)->handle;
	s->policy = gsakmp_policy_ref(g->policy);
	if (old != NULL)
		gsakmp_session_drop(&g->sessions, old);
	gsakmp_session_add(&g->sessions, s);
	gsakmp_session_arm(&g->sessions, s,
	                   rq->now.mono_ms +
	                           gsakmp_group_ack_ms(g, &rq->suite));
	a->session = s->id;
	a->ticket = s->ticket = gsakmp_group_ticket(g);
	a->sooner = gsakmp_group_earliest(g) < g->known_at;
	return GK_OK;
}

static enum gk_err
enter(struct admission *a)
{
	struct gsakmp_session *s = new_session(a);
	enum gk_err err;

	if (s == NULL)
		return GK_ERR_NOMEM;
	pthread_mutex_lock(&a->rq->group->lock);
	err = enter_locked(a, s);
	pthread_mutex_unlock(&a->rq->group->lock);
	if (err != GK_OK)
		gsakmp_session_free(s);
	return err;
}

/* ---- the answer --------------------------------------------------------- */

/* Section 5.2.1.2, Table 2; RFC4535-5.2.1.1-16: the identity is the RTJ's
 * Signer ID. */
static enum gk_err
build_keydl(struct admission *a, struct gk_buf *out)
{
	const struct gsakmp_request *rq = a->rq;
	const struct gsakmp_envelope e = {
		.env = rq->gcks->env,
		.group = rq->group,
		.policy = rq->policy,
		.party = &rq->gcks->cfg.party,
		.suite = &rq->suite,
		.kek = &a->kek,
		.id_type = rq->signer.id_type,
		.id = rq->signer.id.octets,
		.public_value = gk_kex_public(a->kex),
		.nonce_r = gk_buf_slice(&a->nonce_r),
		.nonce_c = gk_buf_slice(&a->nonce_c),
		.utc = rq->now.utc_s,
	};

	return gsakmp_download_build(&a->keys, &e, out);
}

/* Kept for a retransmitted RTJ. */
static enum gk_err
keep_answer(const struct admission *a, struct gk_slice dgram)
{
	struct gsakmp_group *g = a->rq->group;
	struct gsakmp_session *s;
	enum gk_err err = GK_OK;

	pthread_mutex_lock(&g->lock);
	s = gsakmp_session_find(&g->sessions, gk_buf_slice(&a->rq->signer.key));
	if (s != NULL && s->id == a->session)
		err = gk_buf_copy(&s->answer, dgram);
	pthread_mutex_unlock(&g->lock);
	return err;
}

static enum gk_err
answer(struct admission *a)
{
	struct gsakmp_request *rq = a->rq;
	struct gsakmp_outputs *q = &rq->gcks->out;
	struct gk_slice group_id = rq->group->cfg.group_id;
	const struct gsakmp_endpoint to =
		gsakmp_policy_answer_to(rq->policy, rq->from);
	struct gk_buf dgram = { 0 };
	enum gk_err err, told;

	err = build_keydl(a, &dgram);
	if (err == GK_OK)
		err = keep_answer(a, gk_buf_slice(&dgram));
	if (err == GK_OK)
		err = gsakmp_group_log_commit(rq->group, q, a->ticket);
	if (err == GK_OK)
		err = gsakmp_out_send(q, group_id, gk_buf_slice(&dgram), &to,
		                      GSAKMP_EXCHANGE_KEY_DOWNLOAD);
	if (err == GK_OK)
		err = gsakmp_out_peer(q, GSAKMP_OUT_MEMBER_PENDING, group_id,
		                      gk_buf_slice(&rq->signer.key),
		                      a->keys.member_id);
	/* Whether it is answered or not, it is in the group now. */
	told = a->sooner ? gsakmp_rq_deadline(rq) : GK_OK;
	gk_buf_free(&dgram);
	return err != GK_OK ? err : told;
}

enum gk_err
gsakmp_gcks_admit(struct gsakmp_request *rq)
{
	struct admission *a = calloc(1, sizeof(*a));
	enum gk_err err;

	if (a == NULL)
		return GK_ERR_NOMEM;
	a->rq = rq;
	err = agree(a);
	if (err == GK_OK)
		err = enter(a);
	if (err == GK_OK)
		err = answer(a);
	gk_kex_free(a->kex);
	gk_buf_free(&a->nonce_r);
	gk_buf_free(&a->nonce_c);
	gsakmp_kek_wipe(&a->kek);
	gk_wipe(a, sizeof(*a));
	free(a);
	return err;
}
