/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/gcks.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/base/gk_time.h"
#include "common/crypto/gk_hash.h"
#include "gsakmp/engine/gcks_state.h"

#define OUTPUTS_ROOM 8192
#define SIGNED_ERRORS 10 /* per second: a signature for everybody's asking */

struct gsakmp_gcks *
gsakmp_gcks_new(const struct gk_env *env, const struct gsakmp_gcks_config *cfg)
{
	struct gsakmp_gcks *gcks = calloc(1, sizeof(*gcks));

	if (gcks == NULL)
		return NULL;
	gcks->env = env;
	gcks->cfg = *cfg;
	if (gcks->cfg.cookie_rate == 0)
		gcks->cfg.cookie_rate = GSAKMP_COOKIE_RATE;
	if (gcks->cfg.cookie_lifetime_ms == 0)
		gcks->cfg.cookie_lifetime_ms = GSAKMP_COOKIE_LIFETIME_MS;
	if (gcks->cfg.skew_s == 0)
		gcks->cfg.skew_s = 300;
	if (gcks->cfg.max_message == 0)
		gcks->cfg.max_message = 65535;
	gsakmp_halfopen_init(&gcks->own_halfopen);
	if (gcks->cfg.halfopen == NULL)
		gcks->cfg.halfopen = &gcks->own_halfopen;
	/* RFC4535-5.2.2-07: what is said of a request that is sent away for a
	 * cookie, its octets twice, is said without allocating. */
	if (gk_queue_furnish(&gcks->out.items, 2 * gcks->cfg.max_message +
	                                               OUTPUTS_ROOM) != GK_OK) {
		gsakmp_gcks_free(gcks);
		return NULL;
	}
	return gcks;
}

void
gsakmp_gcks_free(struct gsakmp_gcks *gcks)
{
	if (gcks == NULL)
		return;
	if (gcks->cfg.jar == &gcks->own_jar)
		gsakmp_cookie_wipe(&gcks->own_jar);
	gsakmp_halfopen_fini(&gcks->own_halfopen);
	gk_queue_free(&gcks->out.items);
	free(gcks->group);
	free(gcks);
}

enum gk_err
gsakmp_gcks_add_group(struct gsakmp_gcks *gcks, struct gsakmp_group *group)
{
	struct gsakmp_group **grown = reallocarray(
		gcks->group, gcks->n_groups + 1, sizeof(struct gsakmp_group *));

	if (grown == NULL)
		return GK_ERR_NOMEM;
	gcks->group = grown;
	gcks->group[gcks->n_groups++] = group;
	return GK_OK;
}

void
gsakmp_gcks_remove_group(struct gsakmp_gcks *gcks, struct gsakmp_group *group)
{
	for (size_t i = 0; i < gcks->n_groups; i++)
		if (gcks->group[i] == group) {
			gcks->group[i] = gcks->group[--gcks->n_groups];
			return;
		}
}

void
gsakmp_gcks_set_party(struct gsakmp_gcks *gcks,
                      const struct gsakmp_party *party)
{
	gcks->cfg.party = *party;
}

bool
gsakmp_gcks_poll(struct gsakmp_gcks *gcks, struct gsakmp_output *out)
{
	return gsakmp_outputs_poll(&gcks->out, out);
}

bool
gsakmp_gcks_held(const struct gsakmp_gcks *gcks)
{
	struct gsakmp_output o;

	return gsakmp_outputs_first(&gcks->out, &o) &&
	       o.kind == GSAKMP_OUT_COMMIT &&
	       !gk_commits_committed(gsakmp_group_commits(o.group), o.ticket);
}

enum gk_err
gsakmp_gcks_tick(struct gsakmp_gcks *gcks, struct gk_now now)
{
	if (gcks->cfg.jar == NULL)
		return GK_OK;
	return gsakmp_cookie_tick(gcks->cfg.jar, gcks->env, now);
}

uint64_t
gsakmp_gcks_deadline(const struct gsakmp_gcks *gcks)
{
	if (gcks->cfg.jar == NULL)
		return GK_NEVER;
	return gsakmp_cookie_due(gcks->cfg.jar);
}

/* ---- pieces that the handlers share ------------------------------------- */

enum gk_err
gsakmp_rq_refuse(struct gsakmp_request *rq, enum gk_err err,
                 enum gsakmp_notify notify, const char *req, const char *field,
                 size_t at)
{
	return gsakmp_refuse(&rq->why, err, notify, req, field, at);
}

struct gsakmp_verify
gsakmp_rq_verify(const struct gsakmp_request *rq,
                 const struct gk_cert *fallback)
{
	return (struct gsakmp_verify){ .party = &rq->gcks->cfg.party,
		                       .dialect = &rq->group->dialect,
		                       .fallback = fallback,
		                       .signature = rq->suite.signature,
		                       .utc = rq->now.utc_s,
		                       .mono_ms = rq->now.mono_ms,
		                       .fetched = rq->gcks->cfg.fetched };
}

enum gk_err
gsakmp_rq_nonces(struct gsakmp_request *rq, struct gk_buf *nonce_r,
                 struct gk_buf *nonce_c)
{
	const struct gk_env *env = rq->gcks->env;
	struct gsakmp_nonce nr = { .type = GSAKMP_NONCE_RESPONDER,
		                   .next_payload = GSAKMP_PAYLOAD_NONCE };

	GK_TRY(gk_buf_alloc(nonce_r, GSAKMP_NONCE_LEN));
	GK_TRY(env->random(env->ctx, nonce_r->ptr, nonce_r->len));
	nr.data = gk_buf_slice(nonce_r);
	return gsakmp_nonce_combine(&rq->group->dialect, rq->suite.nonce_hash,
	                            &rq->msg->nonce[GSAKMP_NONCE_INITIATOR],
	                            &nr, nonce_c);
}

enum gk_err
gsakmp_rq_deadline(struct gsakmp_request *rq)
{
	struct gsakmp_output *out =
		gsakmp_outputs_add(&rq->gcks->out, GSAKMP_OUT_DEADLINE);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group = rq->group;
	out->group_id = rq->group->cfg.group_id;
	return gsakmp_outputs_own(&rq->gcks->out);
}

static bool
same_place(const struct gsakmp_endpoint *a, const struct gsakmp_endpoint *b)
{
	const struct gk_slice ip_a = { a->ip, a->ip_len };
	const struct gk_slice ip_b = { b->ip, b->ip_len };

	return gk_slice_equal(ip_a, ip_b) && a->stream == b->stream;
}

/* The group has been rekeyed since, or has another token: whoever took the Key
 * Download now would be a member with keys of before, and hear nothing of it. */
static bool
is_stale(const struct gsakmp_group *g, const struct gsakmp_session *s)
{
	const struct gk_traffic_key *current;

	if (s->state != GSAKMP_SESSION_RESPONSE || g->data == NULL ||
	    gk_group_key_count(g->data) == 0)
		return false;
	current = gk_group_key(g->data, 0, GK_KEY_CURRENT);
	return s->policy != g->policy ||
	       (s->handle != gk_group_key_joiner(g->data, 0)->handle &&
	        (current == NULL || s->handle != current->handle));
}

/*
 * Decision dup_rtj: octet for octet the same request is a retransmission, and
 * gets the same answer, unless that is out of date: then it is gone through as if
 * it were the first.  It goes to where the first one came from only: the
 * octets can be recorded and sent from anywhere.
 */
static bool
find_answer(struct gsakmp_request *rq, enum gsakmp_session_state state,
            struct gk_buf *answer, uint64_t *ticket)
{
	const struct gsakmp_session *s = gsakmp_session_find_signer(
		&rq->group->sessions, rq->msg->signature.id_type,
		rq->msg->signature.signer_id);
	const struct gk_slice mine = { rq->digest, sizeof(rq->digest) };

	if (s == NULL || s->state != state || s->answer.len == 0)
		return false;
	if (!gk_slice_equal(mine, (struct gk_slice){ s->request,
	                                             sizeof(s->request) }) ||
	    !same_place(&s->peer, rq->from))
		return false;
	if (is_stale(rq->group, s)) {
		rq->renew = s->id;
		return false;
	}
	*ticket = s->ticket;
	return gk_buf_copy(answer, gk_buf_slice(&s->answer)) == GK_OK;
}

enum gk_err
gsakmp_rq_resend(struct gsakmp_request *rq, enum gsakmp_session_state state,
                 uint8_t exchange, bool *done)
{
	/* RFC4534-B.3-07: a departure is answered the way it came. */
	const struct gsakmp_endpoint to =
		state == GSAKMP_SESSION_DEPART
			? *rq->from
			: gsakmp_policy_answer_to(rq->policy, rq->from);
	struct gk_buf answer = { 0 };
	enum gk_err err = GK_OK;
	uint64_t ticket = 0;

	*done = false;
	if (rq->group->dialect.dup_rtj != GSAKMP_DUP_RTJ_RESEND)
		return GK_OK;
	pthread_mutex_lock(&rq->group->lock);
	*done = find_answer(rq, state, &answer, &ticket);
	pthread_mutex_unlock(&rq->group->lock);
	/* The first time, the store may have refused. */
	if (*done && ticket != 0)
		err = gsakmp_group_log_commit(rq->group, &rq->gcks->out,
		                              ticket);
	if (*done && err == GK_OK)
		err = gsakmp_out_send(&rq->gcks->out, rq->group->cfg.group_id,
		                      gk_buf_slice(&answer), &to, exchange);
	gk_buf_free(&answer);
	return err;
}

/* ---- refusals ----------------------------------------------------------- */

/* RFC4535-5.2.1-06: RTJ-Err has a closed list of reasons. */
static uint16_t
rtj_error_code(enum gsakmp_notify notify)
{
	switch (notify) {
	case GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE:
	case GSAKMP_NOTIFY_INVALID_VERSION:
	case GSAKMP_NOTIFY_INVALID_GROUP_ID:
	case GSAKMP_NOTIFY_INVALID_SEQUENCE_ID:
	case GSAKMP_NOTIFY_PAYLOAD_MALFORMED:
	case GSAKMP_NOTIFY_INVALID_ID_INFORMATION:
	case GSAKMP_NOTIFY_CERT_TYPE_UNSUPPORTED:
	case GSAKMP_NOTIFY_INVALID_CERT_AUTHORITY:
	case GSAKMP_NOTIFY_AUTHENTICATION_FAILED:
	case GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE:
	case GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST:
	case GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY:
	case GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY:
		return (uint16_t)notify;
	default:
		return GSAKMP_NOTIFY_PAYLOAD_MALFORMED;
	}
}

/* Section 5.2.1.3, Table 3: unsigned, so that it costs us nothing. */
static enum gk_err
send_rtj_error(struct gsakmp_request *rq)
{
	const struct gsakmp_dialect plain = { 0 };
	const struct gsakmp_dialect *dialect =
		rq->group != NULL ? &rq->group->dialect : &plain;
	const struct gsakmp_nonce *ni = &rq->msg->nonce[GSAKMP_NONCE_INITIATOR];
	struct gsakmp_groupid id = rq->msg->header.groupid;
	struct gk_buf dgram = { 0 };
	struct gsakmp_reject unused;
	struct gsakmp_build b;
	enum gk_err err;

	/* An ill-formed GroupID would make the answer ill-formed, too. */
	if (gsakmp_groupid_check(id, dialect, 0, &unused) != GK_OK)
		return GK_OK;
	gsakmp_build_begin(&b, dialect, GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	                   id, 0);
	if (ni->data.len >= GSAKMP_NONCE_MIN &&
	    ni->data.len <= GSAKMP_NONCE_MAX)
		gsakmp_build_nonce(&b, GSAKMP_NONCE_INITIATOR, ni->data);
	gsakmp_build_notification(&b, rtj_error_code(rq->why.notify),
	                          (struct gk_slice){ 0 });
	err = gsakmp_build_finish(&b, NULL, &dgram);
	if (err == GK_OK)
		err = gsakmp_out_send(&rq->gcks->out, id.value,
		                      gk_buf_slice(&dgram), rq->from,
		                      GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR);
	gk_buf_free(&dgram);
	return err;
}

static bool
verbose(const struct gsakmp_request *rq)
{
	if (rq->group == NULL)
		return rq->gcks->cfg.verbose_unknown_group;
	if (rq->policy == NULL)
		return false;
	/* RFC4535-5.2.1.1-22, -5.2-03: in Terse Mode it ends in silence. */
	return rq->policy->terse
	               ? !GK_CHECKED("RFC4535-5.2.1.1-22", "RFC4535-5.2-03")
	               : GK_CHECKED("RFC4535-5.2-06");
}

static enum gk_err
answer_refusal(struct gsakmp_request *rq)
{
	if (rq->quiet || rq->answered || rq->msg->header.size == 0)
		return GK_OK;
	if (rq->msg->header.exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN &&
	    verbose(rq))
		return send_rtj_error(rq);
	/* A Departure Response is signed: only for members, and not often. */
	if (rq->msg->header.exchange == GSAKMP_EXCHANGE_REQUEST_TO_DEPART &&
	    rq->policy != NULL && !rq->policy->dereg_terse &&
	    gsakmp_gcks_from_member(rq) &&
	    rq->gcks->signed_errors++ < SIGNED_ERRORS)
		return gsakmp_gcks_rtd_error(rq);
	return GK_OK;
}

/* ---- the pipeline ------------------------------------------------------- */

static struct gsakmp_group *
find_group(const struct gsakmp_gcks *gcks, struct gsakmp_groupid id)
{
	for (size_t i = 0; i < gcks->n_groups; i++)
		if (gsakmp_groupid_equal(gsakmp_group_groupid(gcks->group[i]),
		                         id))
			return gcks->group[i];
	return NULL;
}

bool
gsakmp_rq_fresh(const struct gsakmp_request *rq)
{
	struct gk_slice t = rq->msg->signature.timestamp;
	int64_t at;

	return gsakmp_time_fresh(
		       t, rq->now.utc_s,
		       gsakmp_policy_skew(rq->policy, rq->gcks->cfg.skew_s)) &&
	       gk_zulu_parse(t, &at) == GK_OK && at >= rq->fresh_from;
}

/* The header alone: which group's dialect and mode apply to the rest? */
static void
look_up(struct gsakmp_request *rq)
{
	struct gsakmp_header header;
	struct gk_rd rd;

	gk_rd_init(&rd, rq->dgram.ptr, rq->dgram.len);
	if (gsakmp_header_decode(&rd, &header) != GK_OK)
		return;
	rq->group = find_group(rq->gcks, header.groupid);
	if (rq->group == NULL)
		return;
	pthread_mutex_lock(&rq->group->lock);
	if (rq->group->phase == GSAKMP_GROUP_OPEN && !rq->group->paused)
		rq->policy = gsakmp_policy_ref(rq->group->policy);
	rq->fresh_from = gsakmp_group_fresh_from(rq->group, rq->now);
	pthread_mutex_unlock(&rq->group->lock);
}

static bool
groupid_known(void *ctx, struct gsakmp_groupid groupid)
{
	const struct gsakmp_request *rq = ctx;

	(void)groupid;
	return rq->policy != NULL;
}

/* RFC 4535 section 8: what a key server waits for at all. */
static bool
exchange_expected(void *ctx, uint8_t exchange)
{
	(void)ctx;
	return exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN ||
	       exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK ||
	       exchange == GSAKMP_EXCHANGE_REQUEST_TO_DEPART ||
	       exchange == GSAKMP_EXCHANGE_DEPARTURE_ACK;
}

static enum gk_err
parse(struct gsakmp_request *rq, struct gsakmp_message *msg)
{
	const struct gsakmp_dialect plain = { 0 };
	const struct gsakmp_parse how = {
		.dialect = rq->group != NULL ? &rq->group->dialect : &plain,
		.groupid_known = groupid_known,
		.exchange_expected = exchange_expected,
		.ctx = rq,
	};

	return gsakmp_message_parse(&how, rq->dgram.ptr, rq->dgram.len, msg,
	                            &rq->why);
}

static enum gk_err
dispatch(struct gsakmp_request *rq)
{
	switch (rq->msg->header.exchange) {
	case GSAKMP_EXCHANGE_REQUEST_TO_JOIN:
		return gsakmp_gcks_rtj(rq);
	case GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK:
		return gsakmp_gcks_ack(rq);
	case GSAKMP_EXCHANGE_REQUEST_TO_DEPART:
		return gsakmp_gcks_rtd(rq);
	case GSAKMP_EXCHANGE_DEPARTURE_ACK:
		return gsakmp_gcks_da(rq);
	default: /* the header has been looked at */
		return GK_ERR_UNEXPECTED;
	}
}

static void
count_rates(struct gsakmp_gcks *gcks, struct gk_now now)
{
	if (gcks->second == now.mono_ms / 1000)
		return;
	gcks->second = now.mono_ms / 1000;
	gcks->signed_errors = 0;
}

/* What asks is known again when it comes again. */
enum gk_err
gsakmp_rq_digest(struct gsakmp_request *rq)
{
	uint8_t out[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, &rq->dgram, 1, out));
	memcpy(rq->digest, out, sizeof(rq->digest));
	return GK_OK;
}

static enum gk_err
process(struct gsakmp_request *rq, struct gsakmp_message *msg)
{
	if (rq->dgram.len > rq->gcks->cfg.max_message &&
	    GK_CHECKED("RFC4535-7.1.2-11"))
		return gsakmp_rq_refuse(rq, GK_ERR_SPACE,
		                        GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                        "RFC4535-7.1.2-11", "Length", 0);
	look_up(rq);
	GK_TRY(parse(rq, msg));
	if (rq->group == NULL || rq->policy == NULL)
		return GK_ERR_UNEXPECTED; /* nobody is left to ask */
	GK_TRY(gsakmp_out_received(&rq->gcks->out, rq->group->cfg.group_id,
	                           rq->dgram, rq->from, msg));
	return dispatch(rq);
}

enum gk_err
gsakmp_gcks_receive(struct gsakmp_gcks *gcks, const uint8_t *dgram, size_t len,
                    const struct gsakmp_endpoint *from, struct gk_now now)
{
	struct gsakmp_message *msg = &gcks->msg;
	struct gsakmp_request rq = { .gcks = gcks,
		                     .msg = msg,
		                     .dgram = { dgram, len },
		                     .from = from,
		                     .now = now };
	enum gk_err err, told = GK_OK;

	*msg = (struct gsakmp_message){ .n_certificates = 0 };
	gsakmp_outputs_begin(&gcks->out);
	count_rates(gcks, now);
	err = process(&rq, msg);
	if (err != GK_OK && rq.signer.fetch) {
		told = gsakmp_out_fetch(&gcks->out, rq.group->cfg.group_id,
		                        from, &rq.signer);
	} else if (err != GK_OK) {
		if (rq.why.req == NULL) /* not the message's fault */
			rq.why.field = gk_strerror(err);
		told = gsakmp_out_refused(
			&gcks->out,
			rq.group != NULL ? rq.group->cfg.group_id
					 : (struct gk_slice){ 0 },
			rq.dgram, from, gk_buf_slice(&rq.signer.key), &rq.why);
		if (told == GK_OK)
			told = answer_refusal(&rq);
	}
	gsakmp_signer_clear(&rq.signer);
	gk_buf_free(&rq.expelled);
	gsakmp_policy_unref(rq.policy);
	return err != GK_OK ? err : told;
}
