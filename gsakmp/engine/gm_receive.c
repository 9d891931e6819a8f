/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_state.h"

/*
 * What comes in at a member: frame, decode, dissection, then the exchange's own
 * handler.  A refusal is reported and has changed nothing - but for a failing
 * Key Download, which section 5.2.1.2 wants to end the join.
 */
enum gk_err
gsakmp_in_refuse(struct gsakmp_gm_input *in, enum gk_err err,
                 enum gsakmp_notify notify, const char *req, const char *field,
                 size_t at)
{
	return gsakmp_refuse(&in->why, err, notify, req, field, at);
}

struct gsakmp_verify
gsakmp_in_verify(const struct gsakmp_gm_input *in, uint16_t signature)
{
	return (struct gsakmp_verify){ .party = &in->gm->cfg.party,
		                       .dialect = &in->gm->dialect,
		                       .fallback = in->gm->gcks_cert,
		                       .signature = signature,
		                       .utc = in->now.utc_s,
		                       .mono_ms = in->now.mono_ms,
		                       .fetched = in->gm->cfg.fetched };
}

enum gk_err
gsakmp_in_for_me(struct gsakmp_gm_input *in, const char *req)
{
	const struct gsakmp_identification *id = &in->msg->identification;
	const struct gk_identity named = {
		.kind = gsakmp_identity_kind(id->id_type), .octets = id->data
	};

	if (gk_identity_equal(named, *in->gm->cfg.party.id,
	                      (enum gk_dn_compare)in->gm->dialect.dn_string) ||
	    !GK_CHECKED(req, "RFC4535-5.2.1.1-16"))
		return GK_OK;
	return gsakmp_in_refuse(in, GK_ERR_AUTH,
	                        GSAKMP_NOTIFY_INVALID_ID_INFORMATION, req,
	                        "Identification Data", id->at);
}

/* RFC 4534 B.3: leaving has mechanisms of its own, and they have a hash. */
static uint16_t
nonce_hash(const struct gsakmp_gm_input *in)
{
	if (in->msg->header.exchange == GSAKMP_EXCHANGE_DEPARTURE_RESPONSE)
		return gsakmp_gm_leave_suite(in->gm, in->now).nonce_hash;
	return in->gm->cfg.suite.nonce_hash;
}

static enum gk_err
nonce_matches(struct gsakmp_gm_input *in, struct gk_slice nonce_i, uint8_t next,
              bool *same)
{
	const struct gsakmp_nonce *nr = &in->msg->nonce[GSAKMP_NONCE_RESPONDER];
	const struct gsakmp_nonce *nc = &in->msg->nonce[GSAKMP_NONCE_COMBINED];
	struct gsakmp_nonce ni = { .type = GSAKMP_NONCE_INITIATOR,
		                   .data = nonce_i,
		                   .next_payload = next };
	struct gk_buf want = { 0 };

	*same = false;
	if (nr->data.len == 0 || nc->data.len == 0 || nonce_i.len == 0)
		return GK_OK;
	GK_TRY(gsakmp_nonce_combine(&in->gm->dialect, nonce_hash(in), &ni, nr,
	                            &want));
	*same = nc->data.len == want.len &&
	        gk_equal_secret(nc->data.ptr, want.ptr, want.len);
	gk_buf_free(&want);
	return GK_OK;
}

enum gk_err
gsakmp_in_fresh(struct gsakmp_gm_input *in, struct gk_slice nonce_i,
                const char *req_nonce, const char *req_time)
{
	enum gsakmp_notify stale = gsakmp_notify_freshness(&in->gm->dialect);
	bool same;

	if (in->gm->cfg.suite.timestamp) {
		if (gsakmp_time_fresh(in->msg->signature.timestamp,
		                      in->now.utc_s, gsakmp_gm_skew(in->gm)) ||
		    !GK_CHECKED(req_time, "RFC4535-3.1-02"))
			return GK_OK;
		return gsakmp_in_refuse(in, GK_ERR_REPLAY, stale, req_time,
		                        "Signature Timestamp",
		                        in->msg->signature.at);
	}
	GK_TRY(nonce_matches(in, nonce_i, in->gm->nonce_i_next, &same));
	if (same ||
	    !GK_CHECKED(
		    req_nonce, "RFC4535-5.2.1-09",
		    gsakmp_clause(
			    gsakmp_clauses(in->msg->header.exchange)->nonces),
		    gsakmp_clause(
			    gsakmp_clauses(in->msg->header.exchange)->kept)))
		return GK_OK;
	return gsakmp_in_refuse(in, GK_ERR_REPLAY, stale, req_nonce,
	                        "Nonce Data",
	                        in->msg->nonce[GSAKMP_NONCE_COMBINED].at);
}

enum gk_err
gsakmp_gm_send(struct gsakmp_gm *gm, struct gk_slice dgram,
               const struct gsakmp_endpoint *to, uint8_t exchange)
{
	/* RFC4534-B.3-07: a departure has a transport of its own. */
	const struct gsakmp_endpoint server = {
		.stream = exchange == GSAKMP_EXCHANGE_REQUEST_TO_DEPART &&
		          gsakmp_gm_leaves_by_stream(gm),
	};

	/* RFC4535-5.2.3-03: not by any path through this engine. */
	if (gm->cfg.receive_only)
		return GK_ERR_UNEXPECTED;
	return gsakmp_out_send(&gm->out, gm->cfg.group_id, dgram,
	                       to != NULL ? to : &server, exchange);
}

static bool
groupid_known(void *ctx, struct gsakmp_groupid groupid)
{
	const struct gsakmp_gm_input *in = ctx;

	return gsakmp_groupid_equal(gsakmp_gm_groupid(in->gm), groupid);
}

/* A key server may believe in a registration that we have given up.  By time
 * for freshness nothing says to which one an answer belongs. */
static bool
owes_nack(const struct gsakmp_gm *gm)
{
	return gm->given_up_nonce_i.len != 0 && !gm->given_up_told &&
	       !gm->cfg.suite.timestamp && !gm->cfg.drop_forged_keydl;
}

/* RFC4535-7.1.2-07: which exchanges a member waits for in which state. */
static bool
exchange_expected(void *ctx, uint8_t exchange)
{
	const struct gsakmp_gm_input *in = ctx;
	static const struct {
		uint8_t exchange;
		enum gsakmp_gm_event on;
		bool pushed; /* for receive-only members, and them alone */
	} rows[] = {
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_GM_EV_KEYDL, false },
		{ GSAKMP_EXCHANGE_COOKIE_DOWNLOAD, GSAKMP_GM_EV_KEYDL, false },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR, GSAKMP_GM_EV_KEYDL,
		  false },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_GM_EV_KEYDL, false },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_GM_EV_MANAGEMENT, false },
		{ GSAKMP_EXCHANGE_REKEY_EVENT, GSAKMP_GM_EV_MANAGEMENT, false },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE, GSAKMP_GM_EV_DEPARTED,
		  false },
		/* section 5.2.3 */
		{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, GSAKMP_GM_EV_PUSHED, true },
		{ GSAKMP_EXCHANGE_REKEY_EVENT, GSAKMP_GM_EV_MANAGEMENT, true },
	};

	/* What is posted is for the whole group. */
	if (in->arrival != GSAKMP_ARRIVAL_LIVE &&
	    exchange != GSAKMP_EXCHANGE_REKEY_EVENT)
		return false;
	for (size_t i = 0; i < GK_COUNT(rows); i++)
		if (rows[i].pushed == in->gm->cfg.receive_only &&
		    rows[i].exchange == exchange &&
		    gsakmp_gm_may(in->gm, rows[i].on))
			return true;
	if (exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD)
		return owes_nack(in->gm); /* else gsakmp_gm_keydl() refuses */
	return exchange == GSAKMP_EXCHANGE_DEPARTURE_RESPONSE &&
	       gsakmp_gm_expelling(in->gm);
}

static enum gk_err
dispatch(struct gsakmp_gm_input *in)
{
	switch (in->msg->header.exchange) {
	case GSAKMP_EXCHANGE_KEY_DOWNLOAD:
		return gsakmp_gm_keydl(in);
	case GSAKMP_EXCHANGE_COOKIE_DOWNLOAD:
		return gsakmp_gm_cookie(in);
	case GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR:
		return gsakmp_gm_rtj_error(in);
	case GSAKMP_EXCHANGE_LACK_OF_ACK:
		return gsakmp_gm_loa(in);
	case GSAKMP_EXCHANGE_REKEY_EVENT:
		return gsakmp_gm_rekey(in);
	default:
		return gsakmp_gm_dr(in);
	}
}

/* By UDP, in a group that has TCP for everything but the Request to Join? */
static bool
astray(const struct gsakmp_gm_input *in)
{
	return in->gm->cfg.way == GSAKMP_WAY_MIXED && !in->from->stream &&
	       GK_CHECKED("RFC4534-B.1.4-01");
}

/* The same of a departure. */
static bool
departs_astray(const struct gsakmp_gm_input *in)
{
	return gsakmp_gm_leaves_by_stream(in->gm) && !in->from->stream &&
	       GK_CHECKED("RFC4534-B.3-07");
}

static enum gk_err
right_way(struct gsakmp_gm_input *in)
{
	const char *req = "RFC4534-B.1.4-01";
	bool wrong = false;

	switch (in->msg->header.exchange) {
	case GSAKMP_EXCHANGE_KEY_DOWNLOAD:
	case GSAKMP_EXCHANGE_LACK_OF_ACK:
		wrong = astray(in);
		break;
	case GSAKMP_EXCHANGE_DEPARTURE_RESPONSE:
		req = "RFC4534-B.3-07";
		wrong = departs_astray(in);
		break;
	default:
		break;
	}
	if (!wrong)
		return GK_OK;
	return gsakmp_in_refuse(in, GK_ERR_POLICY,
	                        GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY, req,
	                        "transport", 0);
}

static enum gk_err
process(struct gsakmp_gm_input *in, struct gsakmp_message *msg)
{
	const struct gsakmp_parse how = {
		.dialect = &in->gm->dialect,
		.groupid_known = groupid_known,
		.exchange_expected = exchange_expected,
		.ctx = in,
		.accept_embedded = true, /* RFC4535-7.1.2-12 */
		.rekey_key_type =
			in->gm->policy != NULL ? in->gm->policy->kek_type : 0,
	};

	if (in->dgram.len > in->gm->cfg.max_message &&
	    GK_CHECKED("RFC4535-7.1.2-11"))
		return gsakmp_in_refuse(in, GK_ERR_SPACE,
		                        GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                        "RFC4535-7.1.2-11", "Length", 0);
	if (gsakmp_gm_is_ahead(in))
		return gsakmp_gm_put_aside(in);
	GK_TRY(gsakmp_message_parse(&how, in->dgram.ptr, in->dgram.len, msg,
	                            &in->why));
	if (!exchange_expected(in, msg->header.exchange))
		return GK_ERR_UNEXPECTED; /* there is no state for it */
	if (in->arrival == GSAKMP_ARRIVAL_EARLY ||
	    in->arrival == GSAKMP_ARRIVAL_FORCED)
		return dispatch(in); /* it was reported when it came */
	GK_TRY(right_way(in));
	GK_TRY(gsakmp_out_received(&in->gm->out, in->gm->cfg.group_id,
	                           in->dgram, in->from, msg));
	return dispatch(in);
}

/* ---- a Key Download that fails ------------------------------------------ */

/*
 * The answer to a registration that we have given up may arrive when nothing is
 * under way any more, or the next registration, or when that has made us a
 * member, maybe of another key server.  The session that it fails in is the one
 * before, and what we do now stays as it is: the key server is told that the
 * other is over, once (RFC4535-5.2.1.2-22).  Until then it counts us as a member
 * whose acknowledgement was lost, and may take up no other session
 * (RFC4535-5.2.1.1-21).
 */
static enum gk_err
find_late(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;

	if (gm->given_up_nonce_i.len == 0 || gm->cfg.suite.timestamp ||
	    gm->cfg.drop_forged_keydl || in->authentic)
		return GK_OK;
	return nonce_matches(in, gk_buf_slice(&gm->given_up_nonce_i),
	                     gm->given_up_next, &in->late);
}

/* Anybody can send a datagram: it does not end what TCP carries. */
static bool
is_keydl(const struct gsakmp_gm_input *in)
{
	const struct gsakmp_header *h = &in->msg->header;

	return !astray(in) && h->size != 0 &&
	       h->exchange == GSAKMP_EXCHANGE_KEY_DOWNLOAD &&
	       gsakmp_groupid_equal(h->groupid, gsakmp_gm_groupid(in->gm));
}

static bool
ends_join(const struct gsakmp_gm_input *in)
{
	return gsakmp_gm_may(in->gm, GSAKMP_GM_EV_KEYDL) &&
	       in->gm->join.kex != NULL &&
	       (in->authentic || !in->gm->cfg.drop_forged_keydl);
}

/* RFC4535-5.2.1.2-22, -24, -25: of the session with this Nonce_I. */
static enum gk_err
answer_failure(struct gsakmp_gm_input *in, struct gk_slice nonce_i,
               uint8_t next)
{
	struct gsakmp_gm *gm = in->gm;
	const struct gsakmp_nonce *nr = &in->msg->nonce[GSAKMP_NONCE_RESPONDER];
	struct gsakmp_nonce ni = { .type = GSAKMP_NONCE_INITIATOR,
		                   .data = nonce_i,
		                   .next_payload = next };
	struct gk_buf nonce_c = { 0 }, dgram = { 0 };
	enum gk_err err = GK_OK;

	/* "which Nonce_C to send when Nonce_R is absent": none. */
	if (!gm->cfg.suite.timestamp && nr->data.len != 0)
		err = gsakmp_nonce_combine(&gm->dialect,
		                           gm->cfg.suite.nonce_hash, &ni, nr,
		                           &nonce_c);
	if (err == GK_OK)
		err = gsakmp_gm_build_af(gm,
		                         in->terse ? GSAKMP_NOTIFY_NACK
		                                   : (uint16_t)in->why.notify,
		                         gk_buf_slice(&nonce_c), in->now,
		                         &dgram);
	if (err == GK_OK && GK_CHECKED("RFC4535-5.2.1.2-22"))
		err = gsakmp_gm_send(gm, gk_buf_slice(&dgram), in->from,
		                     GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK);
	gk_buf_free(&nonce_c);
	gk_buf_free(&dgram);
	return err;
}

/* RFC4535-5.2.1.2-21 to -25. */
static enum gk_err
fail_keydl(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;

	GK_TRY(answer_failure(in, gk_buf_slice(&gm->join.nonce_i),
	                      gm->nonce_i_next));
	if (!GK_CHECKED("RFC4535-5.2.1.2-21", "RFC4535-5.2.1.2-23"))
		return GK_OK;
	return gsakmp_gm_fail_join(gm, &in->why, "the Key Download failed",
	                           in->now);
}

static enum gk_err
fail_late(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;

	if (gm->given_up_told)
		return GK_OK;
	gm->given_up_told = true;
	return answer_failure(in, gk_buf_slice(&gm->given_up_nonce_i),
	                      gm->given_up_next);
}

static enum gk_err
after_refusal(struct gsakmp_gm_input *in)
{
	if (!is_keydl(in))
		return GK_OK;
	GK_TRY(find_late(in));
	if (in->late)
		return fail_late(in);
	return ends_join(in) ? fail_keydl(in) : GK_OK;
}

enum gk_err
gsakmp_gm_receive_one(struct gsakmp_gm *gm, struct gk_slice dgram,
                      const struct gsakmp_endpoint *from, struct gk_now now,
                      enum gsakmp_arrival arrival)
{
	static const struct gsakmp_endpoint nowhere;
	struct gsakmp_message *msg = calloc(1, sizeof(*msg));
	struct gsakmp_gm_input in = { .gm = gm,
		                      .msg = msg,
		                      .dgram = dgram,
		                      .arrival = arrival,
		                      .from = from != NULL ? from : &nowhere,
		                      .now = now,
		                      .terse = gm->cfg.suite.terse };
	enum gk_err err, told = GK_OK;

	if (msg == NULL)
		return GK_ERR_NOMEM;
	err = gsakmp_gm_begin(gm);
	if (err == GK_OK)
		err = process(&in, msg);
	if (err != GK_OK)
		gsakmp_gm_undo(gm);
	if (gsakmp_gm_was_ahead(&in, err))
		err = GK_OK;
	if (err != GK_OK && in.signer.fetch) {
		told = gsakmp_out_fetch(&gm->out, gm->cfg.group_id, in.from,
		                        &in.signer);
	} else if (err != GK_OK) {
		if (in.why.req == NULL) /* not the message's fault */
			in.why.field = gk_strerror(err);
		told = gsakmp_out_refused(&gm->out, gm->cfg.group_id, in.dgram,
		                          in.from, gk_buf_slice(&in.signer.key),
		                          &in.why);
		if (told == GK_OK)
			told = after_refusal(&in);
	}
	gsakmp_signer_clear(&in.signer);
	free(msg);
	return err != GK_OK ? err : told;
}

enum gk_err
gsakmp_gm_receive(struct gsakmp_gm *gm, const uint8_t *dgram, size_t len,
                  const struct gsakmp_endpoint *from, struct gk_now now)
{
	GK_TRY(gsakmp_gm_receive_one(gm, (struct gk_slice){ dgram, len }, from,
	                             now, GSAKMP_ARRIVAL_LIVE));
	gsakmp_gm_recovery_look(gm, now);
	return GK_OK;
}
