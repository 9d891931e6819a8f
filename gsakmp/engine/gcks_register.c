/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gcks_state.h"

/*
 * Request to Join at the key server: RFC 4535 sections 5.2.1.1 and 5.2.2, in the
 * order of their checks.
 */

/* ---- cookies ------------------------------------------------------------ */

/* RFC4535-5.2.2-09, -15: the address that a cookie is good for. */
static struct gk_slice
cookie_address(const struct gsakmp_request *rq)
{
	static const enum gsakmp_notify values[] = { GSAKMP_NOTIFY_IPV4_VALUE,
		                                     GSAKMP_NOTIFY_IPV6_VALUE };

	for (size_t i = 0; rq->gcks->cfg.cookie_ip_value && i < 2; i++) {
		const struct gsakmp_notification *n =
			gsakmp_message_notification(rq->msg, values[i]);

		if (n != NULL)
			return n->data;
	}
	return (struct gk_slice){ rq->from->ip, rq->from->ip_len };
}

/* Header with the longest GroupID, and a Notification. */
#define COOKIE_DOWNLOAD_MAX (GSAKMP_HEADER_MAX + 64)

/* Section 5.2.2, Table 6: neither side keeps anything, and here nothing is
 * allocated for it. */
static enum gk_err
send_cookie(struct gsakmp_request *rq)
{
	uint8_t cookie[GSAKMP_COOKIE_LEN], octets[COOKIE_DOWNLOAD_MAX];
	const struct gk_buf memory = { octets, sizeof(octets) };
	struct gk_slice dgram;
	struct gsakmp_build b;
	enum gk_err err;

	GK_TRY(gsakmp_cookie_make(rq->gcks->cfg.jar, rq->gcks->env, rq->now,
	                          rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data,
	                          cookie_address(rq), rq->msg->header.groupid,
	                          cookie));
	gsakmp_build_begin_in(&b, memory, &rq->group->dialect,
	                      GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
	                      rq->msg->header.groupid, 0);
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                          (struct gk_slice){ cookie, sizeof(cookie) });
	err = gsakmp_build_close(&b, &dgram);
	if (err == GK_OK)
		err = gsakmp_out_send(&rq->gcks->out, rq->group->cfg.group_id,
		                      dgram, rq->from,
		                      GSAKMP_EXCHANGE_COOKIE_DOWNLOAD);
	return err;
}

static bool
cookie_wanted(struct gsakmp_request *rq)
{
	const struct gsakmp_gcks_config *cfg = &rq->gcks->cfg;

	if (rq->from->stream || rq->from->ip_len == 0)
		return false;
	if (cfg->cookies == GSAKMP_COOKIE_AUTO)
		return gsakmp_halfopen_full(cfg->halfopen, cfg->cookie_rate,
		                            rq->now);
	return cfg->cookies == GSAKMP_COOKIE_ALWAYS;
}

static enum gk_err
need_jar(struct gsakmp_request *rq)
{
	struct gsakmp_gcks *gcks = rq->gcks;
	uint32_t life = gcks->cfg.cookie_lifetime_ms;
	enum gk_err err;

	if (gcks->cfg.jar != NULL)
		return GK_OK;
	err = gsakmp_cookie_init(&gcks->own_jar, gcks->env, rq->now, life,
	                         life);
	if (err == GK_OK)
		gcks->cfg.jar = &gcks->own_jar;
	else
		gsakmp_cookie_wipe(&gcks->own_jar);
	return err;
}

static enum gk_err
check_cookie(struct gsakmp_request *rq)
{
	struct gsakmp_gcks *gcks = rq->gcks;
	const struct gsakmp_notification *n;

	if (!cookie_wanted(rq))
		return GK_OK;
	GK_TRY(need_jar(rq));
	n = gsakmp_message_notification(rq->msg, GSAKMP_NOTIFY_COOKIE);
	if (n != NULL &&
	    gsakmp_cookie_check(gcks->cfg.jar, gcks->env, rq->now, n->data,
	                        rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data,
	                        cookie_address(rq), rq->msg->header.groupid,
	                        &rq->why) == GK_OK)
		return GK_OK;
	if (!GK_CHECKED("RFC4535-5.2.2-02"))
		return GK_OK;
	/* RFC4535-5.2.2-02, -12: rejected, and told how to do better. */
	rq->answered = true;
	GK_TRY(send_cookie(rq));
	return gsakmp_rq_refuse(rq, GK_ERR_AUTH, GSAKMP_NOTIFY_COOKIE_REQUIRED,
	                        "RFC4535-5.2.2-02", "Cookie",
	                        n != NULL ? n->at : rq->msg->octets.len);
}

/* ---- access ------------------------------------------------------------- */

static enum gk_err
unauthorized(struct gsakmp_request *rq)
{
	return gsakmp_rq_refuse(
		rq, GK_ERR_POLICY, GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
		"RFC4535-5.2.1.1-15", "Signer ID Data", rq->msg->signature.at);
}

/* By name alone, before anything is computed: does any rule speak of it? */
static enum gk_err
access_by_name(struct gsakmp_request *rq)
{
	gsakmp_signer_name(rq->msg, &rq->signer);
	if (gpt_access_named(rq->policy->reg, &rq->signer.party) ||
	    !GK_CHECKED("RFC4535-5.2.1.1-15", "RFC4535-7.8.1-06",
	                "RFC4535-4.4.7-07"))
		return GK_OK;
	return unauthorized(rq);
}

enum gk_err
gsakmp_rq_excluded(struct gsakmp_request *rq)
{
	bool barred;

	GK_TRY(gsakmp_group_bars(rq->group, gk_buf_slice(&rq->signer.key),
	                         rq->signer.cert, &barred));
	if (!barred || !GK_CHECKED("RFC4535-5.3.2.1-01"))
		return GK_OK;
	return gsakmp_rq_refuse(
		rq, GK_ERR_POLICY, GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
		"RFC4535-5.3.2.1-01", "Signer ID Data", rq->msg->signature.at);
}

static enum gk_err
access_in_full(struct gsakmp_request *rq)
{
	enum gk_err err;

	if (!gpt_access_member(rq->policy->reg, &rq->signer.party, NULL) &&
	    GK_CHECKED("RFC4535-5.2.1.1-15", "RFC4535-7.8.1-06",
	               "RFC4535-4.4.7-07"))
		return unauthorized(rq);
	pthread_mutex_lock(&rq->group->lock);
	err = gsakmp_rq_excluded(rq);
	pthread_mutex_unlock(&rq->group->lock);
	return err;
}

/* ---- mechanisms --------------------------------------------------------- */

/*
 * RFC4535-5.2.1.1-10, -11, -18: the highest listed set that agrees with what
 * the message itself uses and with what it asks for.
 */
static enum gk_err
choose_suite(struct gsakmp_request *rq)
{
	const struct gsakmp_notification *n = gsakmp_message_notification(
		rq->msg, GSAKMP_NOTIFY_MECHANISM_CHOICES);
	struct gsakmp_suite want = {
		.signature = rq->msg->signature.type,
		.nonce_hash = GSAKMP_SUITE_ANY,
		.key_creation = rq->msg->key_creation.type,
		.encryption = GSAKMP_SUITE_ANY,
	};
	struct gsakmp_mechanisms m = { 0 };
	const struct gsakmp_suite *suite;

	if (n != NULL)
		GK_TRY(gsakmp_mechanisms_decode(
			n->data, n->at, &rq->group->dialect,
			&rq->msg->vocabulary, &m, &rq->why));
	if (m.has_encryption)
		want.encryption = m.encryption;
	if (m.has_nonce_hash)
		want.nonce_hash = m.nonce_hash;
	suite = gsakmp_policy_suite(rq->policy, &want);
	if ((suite == NULL ||
	     (m.has_key_creation && m.key_creation != suite->key_creation)) &&
	    GK_CHECKED("RFC4535-5.2.1.1-18"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_POLICY,
			GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
			"RFC4535-5.2.1.1-18",
			n != NULL ? "Mechanism Choice Data"
				  : "Key Creation Type",
			n != NULL ? n->at : rq->msg->key_creation.at);
	rq->suite = suite != NULL ? *suite : rq->policy->suite[0];
	return GK_OK;
}

/* RTJ replay: the Signature Timestamp is what keeps old requests out. */
static enum gk_err
check_fresh(struct gsakmp_request *rq)
{
	if (!gsakmp_rq_fresh(rq) &&
	    GK_CHECKED("RFC4535-7.8.2-04", "RFC4535-3.1-02"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_REPLAY,
			gsakmp_notify_freshness(&rq->group->dialect),
			"RFC4535-7.8.2-04", "Signature Timestamp",
			rq->msg->signature.at);
	if (rq->msg->nonce[GSAKMP_NONCE_INITIATOR].data.len >
	            GSAKMP_NONCE_MAX &&
	    GK_CHECKED("RFC4535-7.12.2-03"))
		return gsakmp_rq_refuse(
			rq, GK_ERR_SPACE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.12.2-03", "Nonce Data",
			rq->msg->nonce[GSAKMP_NONCE_INITIATOR].at);
	return GK_OK;
}

/* RFC4535-5.2.1.1-21, by name: before any effort is spent on the second. */
static enum gk_err
one_at_a_time(struct gsakmp_request *rq, bool *done)
{
	const struct gsakmp_session *s;
	bool busy, full;

	GK_TRY(gsakmp_rq_resend(rq, GSAKMP_SESSION_RESPONSE,
	                        GSAKMP_EXCHANGE_KEY_DOWNLOAD, done));
	if (*done)
		return GK_OK;
	pthread_mutex_lock(&rq->group->lock);
	s = gsakmp_session_find_signer(&rq->group->sessions,
	                               rq->msg->signature.id_type,
	                               rq->msg->signature.signer_id);
	busy = s != NULL && s->state == GSAKMP_SESSION_RESPONSE &&
	       s->id != rq->renew;
	full = rq->group->sessions.n_queued >= rq->group->cfg.sessions_max;
	pthread_mutex_unlock(&rq->group->lock);
	if ((!busy && !full) || !GK_CHECKED("RFC4535-5.2.1.1-21"))
		return GK_OK;
	rq->quiet = true;
	return gsakmp_rq_refuse(rq, busy ? GK_ERR_UNEXPECTED : GK_ERR_SPACE,
	                        GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
	                        "RFC4535-5.2.1.1-21", "Signer ID Data",
	                        rq->msg->signature.at);
}

/* RFC4534-B.1.4-01: the policy says how one asks.  Whoever asks otherwise has not
 * asked at all. */
enum gk_err
gsakmp_rq_transport(struct gsakmp_request *rq)
{
	enum gpt_transport t = rq->policy->reg->transport;
	bool rtj = rq->msg->header.exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN;
	bool stream = t == GPT_TRANSPORT_TCP ||
	              (t == GPT_TRANSPORT_UDP_RTJ_TCP_OTHER && !rtj);

	if (rq->from->stream == stream || !GK_CHECKED("RFC4534-B.1.4-01"))
		return GK_OK;
	rq->quiet = true;
	return gsakmp_rq_refuse(rq, GK_ERR_POLICY,
	                        GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
	                        "RFC4534-B.1.4-01", "transport", 0);
}

/* RFC4535-5.2.1.2-16: the candidate would refuse this token, and rightly so. */
static enum gk_err
check_lapse(struct gsakmp_request *rq)
{
	const struct gsakmp_reject *lapse = &rq->policy->lapse;

	if (!rq->policy->lapsed || !GK_CHECKED("RFC4535-5.2.1-01"))
		return GK_OK;
	return gsakmp_rq_refuse(
		rq, GK_ERR_POLICY, GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
		lapse->req != NULL ? lapse->req : "RFC4535-5.2.1-01",
		"Policy Token Data", 0);
}

/* RFC4535-7.4.2-05: the candidate would refuse such keys.  A subordinate whose
 * primary is away for longer than its key lasts has no others. */
static enum gk_err
check_keys(struct gsakmp_request *rq)
{
	struct gsakmp_group *g = rq->group;
	bool expired;

	pthread_mutex_lock(&g->lock);
	expired = gsakmp_group_keys_over(g, rq->policy, rq->now);
	pthread_mutex_unlock(&g->lock);
	if (!expired || !GK_CHECKED("RFC4535-7.4.2-05"))
		return GK_OK;
	return gsakmp_rq_refuse(rq, GK_ERR_POLICY,
	                        GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
	                        "RFC4535-7.4.2-05", "Key Expiration Date", 0);
}

enum gk_err
gsakmp_gcks_rtj(struct gsakmp_request *rq)
{
	struct gsakmp_verify v;
	bool done;

	GK_TRY(gsakmp_rq_transport(rq));
	GK_TRY(check_cookie(rq));
	GK_TRY(gsakmp_rq_digest(rq));
	GK_TRY(one_at_a_time(rq, &done));
	if (done)
		return GK_OK;
	GK_TRY(check_lapse(rq));
	GK_TRY(check_keys(rq));
	gsakmp_halfopen_begin(rq->gcks->cfg.halfopen);
	GK_TRY(access_by_name(rq));
	rq->suite.signature = rq->msg->signature.type;
	v = gsakmp_rq_verify(rq, NULL);
	GK_TRY(gsakmp_signer_find(&v, rq->msg, &rq->signer, &rq->why));
	GK_TRY(gsakmp_signer_path(&v, rq->msg, &rq->signer, &rq->why));
	GK_TRY(access_in_full(rq));
	GK_TRY(gsakmp_signer_check(&v, rq->msg, &rq->signer, &rq->why));
	GK_TRY(check_fresh(rq));
	GK_TRY(choose_suite(rq));
	return gsakmp_gcks_admit(rq);
}
