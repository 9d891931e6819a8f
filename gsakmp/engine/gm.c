/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/gm.h"

#include <stdlib.h>

#include "common/wire/gk_wr.h"
#include "gsakmp/engine/gm_state.h"

/* clang-format off */
/*
 * RFC 4535 section 8, Table 29, the member's half.  REJOINING and DEPARTING are
 * states of the RFC with something under way: keys are held in both.
 */
static const struct transition {
	const char *rfc; /* the transition's label in Figure 28 */
	enum gsakmp_gm_state from;
	enum gsakmp_gm_event on;
	enum gsakmp_gm_state to;
} transitions[] = {
	/* rfc    from                 on                         to */
	{ "1a", GSAKMP_GM_IDLE,      GSAKMP_GM_EV_JOIN,       GSAKMP_GM_JOINING },
	{ "-",  GSAKMP_GM_JOINING,   GSAKMP_GM_EV_RESEND,     GSAKMP_GM_JOINING },
	{ "2a", GSAKMP_GM_JOINING,   GSAKMP_GM_EV_KEYDL,      GSAKMP_GM_MEMBER },
	{ "5a", GSAKMP_GM_JOINING,   GSAKMP_GM_EV_FAILED,     GSAKMP_GM_IDLE },
	{ "5a", GSAKMP_GM_JOINING,   GSAKMP_GM_EV_LEAVE,      GSAKMP_GM_IDLE },
	{ "3a", GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_MANAGEMENT, GSAKMP_GM_MEMBER },
	{ "4a", GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_LEAVE,      GSAKMP_GM_IDLE },
	{ "4a", GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_DEREGISTER, GSAKMP_GM_DEPARTING },
	{ "4a", GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_OUT,        GSAKMP_GM_IDLE },
	{ "-",  GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_STALE,      GSAKMP_GM_REJOINING },
	{ "-",  GSAKMP_GM_REJOINING, GSAKMP_GM_EV_RESEND,     GSAKMP_GM_REJOINING },
	{ "2a", GSAKMP_GM_REJOINING, GSAKMP_GM_EV_KEYDL,      GSAKMP_GM_MEMBER },
	{ "3a", GSAKMP_GM_REJOINING, GSAKMP_GM_EV_MANAGEMENT, GSAKMP_GM_REJOINING },
	{ "5a", GSAKMP_GM_REJOINING, GSAKMP_GM_EV_FAILED,     GSAKMP_GM_IDLE },
	{ "5a", GSAKMP_GM_REJOINING, GSAKMP_GM_EV_LEAVE,      GSAKMP_GM_IDLE },
	{ "4a", GSAKMP_GM_REJOINING, GSAKMP_GM_EV_OUT,        GSAKMP_GM_IDLE },
	{ "-",  GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_RESEND,     GSAKMP_GM_DEPARTING },
	{ "3a", GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_MANAGEMENT, GSAKMP_GM_DEPARTING },
	{ "4a", GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_DEPARTED,   GSAKMP_GM_IDLE },
	{ "4a", GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_FAILED,     GSAKMP_GM_IDLE },
	{ "4a", GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_LEAVE,      GSAKMP_GM_IDLE },
	{ "4a", GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_OUT,        GSAKMP_GM_IDLE },
	{ "-",  GSAKMP_GM_DEPARTING, GSAKMP_GM_EV_STAY,       GSAKMP_GM_MEMBER },
	/* section 5.2.3, which the table has forgotten */
	{ "-",  GSAKMP_GM_JOINING,   GSAKMP_GM_EV_PUSHED,     GSAKMP_GM_MEMBER },
	{ "-",  GSAKMP_GM_MEMBER,    GSAKMP_GM_EV_PUSHED,     GSAKMP_GM_MEMBER },
	{ "-",  GSAKMP_GM_REJOINING, GSAKMP_GM_EV_PUSHED,     GSAKMP_GM_MEMBER },
};
/* clang-format on */

enum gk_err
gsakmp_gm_next(enum gsakmp_gm_state from, enum gsakmp_gm_event on,
               enum gsakmp_gm_state *to)
{
	for (size_t i = 0; i < GK_COUNT(transitions); i++)
		if (transitions[i].from == from && transitions[i].on == on) {
			*to = transitions[i].to;
			return GK_OK;
		}
	return GK_ERR_UNEXPECTED;
}

bool
gsakmp_gm_may(const struct gsakmp_gm *gm, enum gsakmp_gm_event on)
{
	enum gsakmp_gm_state to;

	return gsakmp_gm_next(gm->state, on, &to) == GK_OK;
}

void
gsakmp_gm_enter(struct gsakmp_gm *gm, enum gsakmp_gm_event on)
{
	enum gsakmp_gm_state to;

	if (gsakmp_gm_next(gm->state, on, &to) == GK_OK)
		gm->state = to;
}

const char *
gsakmp_gm_state_text(enum gsakmp_gm_state state)
{
	static const char *const text[] = {
#define X(name, words) words,
		GSAKMP_GM_STATE_LIST(X)
#undef X
	};

	return (size_t)state < GK_COUNT(text) ? text[state] : "unknown";
}

/* ---- life --------------------------------------------------------------- */

#define DEFAULT(field, value)                    \
	do {                                     \
		if (gm->cfg.field == 0)          \
			gm->cfg.field = (value); \
	} while (0)

static void
defaults(struct gsakmp_gm *gm)
{
	DEFAULT(rtj_timeout_ms, 5000);
	DEFAULT(rtj_retries, 3);
	DEFAULT(rtj_err_grace_ms, 5000);
	DEFAULT(cookies_max, 3);
	DEFAULT(skew_s, 300);
	DEFAULT(grace_ms, 10000);
	DEFAULT(rtd_timeout_ms, 5000);
	DEFAULT(rtd_retries, 3);
	DEFAULT(rejoin_backoff_ms, 5000);
	DEFAULT(missed_ms, 3000);
	DEFAULT(fetch_window_ms, 2000);
	DEFAULT(fetch_timeout_ms, 20000);
	DEFAULT(fetch_max, 64);
	DEFAULT(silence_ms, 30000);
	DEFAULT(rejoin_max, 3);
	DEFAULT(max_message, 65535);
	DEFAULT(commit_retry_ms, 1000);
	/* RFC4535-5.2.3-02: Terse Mode; and no nonce to be fresh by. */
	if (gm->cfg.receive_only)
		gm->cfg.suite.timestamp = gm->cfg.suite.terse = true;
}

static void
stop_clocks(struct gsakmp_gm *gm)
{
	gm->retry_at = gm->missed_at = gm->overdue_at = GK_NEVER;
	gm->silent_at = gm->token_at = GK_NEVER;
	gm->grace_ends = gm->expires_at = GK_NEVER;
	gm->overdue_utc = 0;
	gsakmp_gm_unfollow(gm);
}

struct gsakmp_gm *
gsakmp_gm_new(const struct gk_env *env, const struct gsakmp_gm_config *cfg)
{
	struct gsakmp_gm *gm = calloc(1, sizeof(*gm));

	if (gm == NULL)
		return NULL;
	gm->env = env;
	gm->cfg = *cfg;
	if (cfg->dialect != NULL)
		gm->dialect = *cfg->dialect;
	defaults(gm);
	stop_clocks(gm);
	gm->owed_at = gm->again.at = GK_NEVER;
	gsakmp_gm_expel_clear(gm);
	if (gk_journal_new(cfg->group_id, &gm->journal) != GK_OK) {
		free(gm);
		return NULL;
	}
	return gm;
}

static void
forget(struct gsakmp_gm *gm)
{
	gsakmp_gm_join_clear(gm);
	gsakmp_gm_departure_clear(gm);
	gsakmp_gm_again_clear(gm, 0);
	gsakmp_gm_ahead_clear(gm);
	gsakmp_gm_expel_clear(gm);
	gk_buf_free(&gm->receipt.nonce_i);
	gk_buf_free(&gm->receipt.ack);
	gsakmp_policy_unref(gm->policy);
	gm->policy = NULL;
	gk_cert_free(gm->gcks_cert);
	gm->gcks_cert = NULL;
	gk_buf_free(&gm->gcks_id);
	gk_buf_free(&gm->gcks_key);
	gk_buf_free(&gm->gcks_issuers);
	gk_lkh_member_free(&gm->keks);
	gm->keks = (struct gk_lkh_member){ 0 };
	gk_wipe(gm->gtpk, sizeof(gm->gtpk));
	gk_wipe(gm->old, sizeof(gm->old));
	gm->n_gtpks = 0;
	gm->expired_utc = 0;
	gm->member_id = 0;
	gm->tolerate = false;
	gm->rejoins = 0;
	stop_clocks(gm);
}

void
gsakmp_gm_free(struct gsakmp_gm *gm)
{
	if (gm == NULL)
		return;
	forget(gm);
	gk_buf_free(&gm->given_up_nonce_i);
	for (size_t i = 0; i < gm->n_sequences; i++) {
		gk_buf_free(&gm->sequence[i].gcks);
		gk_buf_free(&gm->sequence[i].signer_id);
	}
	gsakmp_gm_undo_free(gm);
	gk_journal_free(gm->journal);
	gk_queue_free(&gm->out.items);
	gk_wipe(gm, sizeof(*gm));
	free(gm);
}

void
gsakmp_gm_set_party(struct gsakmp_gm *gm, const struct gsakmp_party *party)
{
	gm->cfg.party = *party;
	gm->leave_for = NULL; /* maybe under another authority */
	if (gm->undo != NULL)
		gm->undo->cfg.party = *party;
}

enum gsakmp_gm_state
gsakmp_gm_state(const struct gsakmp_gm *gm)
{
	return gm->state;
}

struct gsakmp_groupid
gsakmp_gm_groupid(const struct gsakmp_gm *gm)
{
	return (struct gsakmp_groupid){ gm->cfg.group_id_type,
		                        gm->cfg.group_id };
}

/* ---- leaving the membership --------------------------------------------- */

enum gk_err
gsakmp_gm_key_out(struct gsakmp_gm *gm, enum gsakmp_output_kind kind,
                  const struct gk_traffic_key *key)
{
	struct gsakmp_output *out = gsakmp_outputs_add(&gm->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->key = (struct gsakmp_gtpk){ .id = key->id,
		                         .handle = key->handle,
		                         .type = (uint16_t)key->type,
		                         .created_utc = key->created,
		                         .expires_utc = key->expires };
	if (kind == GSAKMP_OUT_KEY_INSTALL)
		out->key.octets = (struct gk_slice){ key->octets, key->len };
	return gsakmp_outputs_own(&gm->out);
}

enum gk_err
gsakmp_gm_wipe(struct gsakmp_gm *gm)
{
	enum gk_err err = GK_OK;

	for (size_t i = 0; i < gm->n_gtpks && err == GK_OK; i++) {
		err = gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_WIPE, &gm->gtpk[i]);
		if (err == GK_OK && gm->old[i].len != 0)
			err = gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_WIPE,
			                        &gm->old[i]);
	}
	forget(gm);
	return err;
}

enum gk_err
gsakmp_gm_say(struct gsakmp_gm *gm, enum gsakmp_output_kind kind,
              const struct gsakmp_reject *why, const char *text)
{
	struct gsakmp_output *out = gsakmp_outputs_add(&gm->out, kind);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = gm->cfg.group_id;
	out->text = text;
	if (why != NULL)
		out->why = *why;
	return gsakmp_outputs_own(&gm->out);
}

enum gk_err
gsakmp_gm_out(struct gsakmp_gm *gm, enum gsakmp_output_kind kind,
              const struct gsakmp_reject *why, const char *text)
{
	GK_TRY(gsakmp_gm_wipe(gm));
	gm->state = GSAKMP_GM_IDLE;
	if (kind != GSAKMP_OUT_LEFT)
		GK_TRY(gsakmp_gm_say(gm, kind, why, text));
	return gsakmp_gm_say(gm, GSAKMP_OUT_LEFT, why, text);
}

/* ---- clocks ------------------------------------------------------------- */

/* The first expiration of a traffic key that is later than @after; INT64_MAX:
 * there is none.  Each has its own: the token may say when, data SA by data SA. */
static int64_t
first_end(const struct gsakmp_gm *gm, int64_t after)
{
	int64_t end = INT64_MAX;

	for (size_t i = 0; i < gm->n_gtpks; i++)
		if (gm->gtpk[i].expires > after && gm->gtpk[i].expires < end)
			end = gm->gtpk[i].expires;
	return end;
}

static uint64_t
end_at(int64_t end, struct gk_now now)
{
	if (end == INT64_MAX)
		return GK_NEVER;
	return end <= now.utc_s
	               ? now.mono_ms
	               : now.mono_ms + (uint64_t)(end - now.utc_s) * 1000;
}

void
gsakmp_gm_clocks(struct gsakmp_gm *gm, struct gk_now now)
{
	/* One that was replaced may have been over later than the new one is,
	 * when the clock was set back. */
	if (gm->expired_utc > now.utc_s)
		gm->expired_utc = now.utc_s;
	gm->missed_at = gm->silent_at = GK_NEVER;
	gm->overdue_at = GK_NEVER;
	gm->overdue_utc = 0;
	/* RFC 4534 B.5.5: the longest that a member should go without. */
	if (gm->policy->overdue_s > 0) {
		gm->overdue_at =
			now.mono_ms + (uint64_t)gm->policy->overdue_s * 1000;
		gm->overdue_utc = now.utc_s + gm->policy->overdue_s;
	}
	gm->expires_at = end_at(first_end(gm, gm->expired_utc), now);
}

enum gk_err
gsakmp_gm_random_wait(struct gsakmp_gm *gm, uint32_t window_ms,
                      uint32_t *wait_ms)
{
	uint32_t r;

	GK_TRY(gm->env->random(gm->env->ctx, (uint8_t *)&r, sizeof(r)));
	*wait_ms = (uint32_t)((uint64_t)r * ((uint64_t)window_ms + 1) >> 32);
	return GK_OK;
}

enum gk_err
gsakmp_gm_answer_by(struct gsakmp_gm *gm, uint32_t timeout_ms,
                    unsigned repeated, struct gk_now now, uint64_t *at)
{
	uint32_t window = gm->cfg.spread_ms;
	uint32_t wait;

	if (window == 0)
		window = timeout_ms / 2;
	while (repeated-- > 0 && window < timeout_ms)
		window = window < timeout_ms / 2 ? 2 * window : timeout_ms;
	GK_TRY(gsakmp_gm_random_wait(gm, window, &wait));
	*at = now.mono_ms + timeout_ms + wait;
	return GK_OK;
}

enum gk_err
gsakmp_gm_stale(struct gsakmp_gm *gm, const char *text, struct gk_now now)
{
	uint32_t wait;

	gsakmp_gm_recovery_clear(gm);
	gm->missed_at = gm->silent_at = gm->token_at = GK_NEVER;
	gm->overdue_at = GK_NEVER;
	GK_TRY(gsakmp_gm_say(gm, GSAKMP_OUT_STALE, NULL, text));
	if (gm->cfg.no_recovery || !gsakmp_gm_may(gm, GSAKMP_GM_EV_STALE))
		return GK_OK;
	gsakmp_gm_enter(gm, GSAKMP_GM_EV_STALE);
	/* RFC4535-5.2.3-03: keys will come, or they will not. */
	if (gm->cfg.receive_only)
		return GK_OK;
	/* All members that missed it wake up together: spread them. */
	GK_TRY(gsakmp_gm_random_wait(gm, gm->cfg.rejoin_backoff_ms, &wait));
	gm->retry_at = now.mono_ms + wait;
	return GK_OK;
}

static enum gk_err
end_grace(struct gsakmp_gm *gm)
{
	gm->grace_ends = GK_NEVER;
	for (size_t i = 0; i < gm->n_gtpks; i++) {
		if (gm->old[i].len == 0)
			continue;
		GK_TRY(gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_WIPE, &gm->old[i]));
		gk_wipe(&gm->old[i], sizeof(gm->old[i]));
	}
	return GK_OK;
}

/*
 * RFC 4535 section 7.4.1.1: "no longer valid for use", whatever else is under way:
 * a member that is stale and finds no key server has no key for longer.  The
 * time was measured: it has come although the date was set back.
 */
static enum gk_err
expire(struct gsakmp_gm *gm, struct gk_now now)
{
	int64_t over = first_end(gm, gm->expired_utc);

	if (over == INT64_MAX || over < now.utc_s)
		over = now.utc_s;
	for (size_t i = 0; i < gm->n_gtpks; i++)
		if (gm->gtpk[i].expires > gm->expired_utc &&
		    gm->gtpk[i].expires <= over)
			GK_TRY(gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_WIPE,
			                         &gm->gtpk[i]));
	gm->expired_utc = over;
	gm->expires_at = end_at(first_end(gm, over), now);
	return gsakmp_gm_overdue(gm, "the group key has expired", now);
}

static enum gk_err
retry(struct gsakmp_gm *gm, struct gk_now now)
{
	if (gm->state == GSAKMP_GM_DEPARTING)
		return gsakmp_gm_retry_depart(gm, now);
	if (gm->state == GSAKMP_GM_REJOINING && gm->join.kex == NULL)
		return gsakmp_gm_start_join(gm, now);
	return gsakmp_gm_retry_join(gm, now);
}

enum gk_err
gsakmp_gm_tick(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_begin(gm));
	if (gm->grace_ends <= now.mono_ms)
		GK_TRY(end_grace(gm));
	if (gm->missed_at <= now.mono_ms)
		GK_TRY(gsakmp_gm_stale(gm, "a rekey had no keys for us", now));
	if (gm->token_at <= now.mono_ms)
		GK_TRY(gsakmp_gm_stale(
			gm, "a policy token may have been missed", now));
	if (gm->silent_at <= now.mono_ms)
		GK_TRY(gsakmp_gm_silent(gm, now));
	if (gm->overdue_at <= now.mono_ms)
		GK_TRY(gsakmp_gm_overdue(gm, "a rekey is overdue", now));
	if (gm->expires_at <= now.mono_ms)
		GK_TRY(expire(gm, now));
	if (!gsakmp_gm_ahead_due(gm))
		GK_TRY(gsakmp_gm_recovery_tick(gm, now));
	if (gm->retry_at <= now.mono_ms)
		GK_TRY(retry(gm, now));
	if (gm->expulsion.retry_at <= now.mono_ms)
		GK_TRY(gsakmp_gm_retry_expel(gm, now));
	if (!gsakmp_gm_ahead_due(gm))
		return gsakmp_gm_try_again(gm, now);
	gsakmp_gm_ahead_step(gm, now);
	return GK_OK;
}

uint64_t
gsakmp_gm_clock(const struct gsakmp_gm *gm)
{
	const uint64_t clocks[] = { gm->token_at,   gm->silent_at,
		                    gm->retry_at,   gm->missed_at,
		                    gm->overdue_at, gm->grace_ends,
		                    gm->expires_at, gm->expulsion.retry_at };
	uint64_t at = GK_NEVER;

	for (size_t i = 0; i < GK_COUNT(clocks); i++)
		if (clocks[i] < at)
			at = clocks[i];
	return at;
}

uint64_t
gsakmp_gm_deadline(const struct gsakmp_gm *gm)
{
	uint64_t at = gsakmp_gm_clock(gm);

	if (gsakmp_gm_ahead_due(gm))
		return 0;
	if (gsakmp_gm_recovery_clock(gm) < at)
		at = gsakmp_gm_recovery_clock(gm);
	if (gm->owed_at < at)
		at = gm->owed_at;
	return gm->again.at < at ? gm->again.at : at;
}

/* ---- commands ----------------------------------------------------------- */

/* RFC4535-7.1.1-14: whoever said so, and also before a restart. */
static bool
is_destroyed(const struct gsakmp_gm *gm)
{
	for (size_t i = 0; i < gm->n_sequences; i++)
		if (gm->sequence[i].last == GSAKMP_SEQUENCE_DESTROY)
			return true;
	return false;
}

enum gk_err
gsakmp_gm_join(struct gsakmp_gm *gm, struct gk_now now)
{
	GK_TRY(gsakmp_gm_begin(gm));
	if (!gsakmp_gm_may(gm, GSAKMP_GM_EV_JOIN))
		return GK_ERR_UNEXPECTED;
	/* RFC4535-7.1.1-14: a destroyed group stays destroyed. */
	if (is_destroyed(gm))
		return GK_ERR_POLICY;
	if (!gm->cfg.receive_only)
		GK_TRY(gsakmp_gm_start_join(gm, now));
	else if (gm->cfg.static_key == NULL ||
	         !gsakmp_suite_supported(&gm->cfg.suite, gm->cfg.legacy_ok))
		return GK_ERR_POLICY;
	gsakmp_gm_enter(gm, GSAKMP_GM_EV_JOIN);
	return GK_OK;
}

enum gk_err
gsakmp_gm_leave(struct gsakmp_gm *gm, bool notice, struct gk_now now)
{
	if (notice && gm->cfg.receive_only)
		return GK_ERR_POLICY;
	GK_TRY(gsakmp_gm_begin(gm));
	if (notice) {
		if (!gsakmp_gm_may(gm, GSAKMP_GM_EV_DEREGISTER))
			return GK_ERR_UNEXPECTED;
		GK_TRY(gsakmp_gm_start_depart(gm, now));
		gsakmp_gm_enter(gm, GSAKMP_GM_EV_DEREGISTER);
		return GK_OK;
	}
	if (!gsakmp_gm_may(gm, GSAKMP_GM_EV_LEAVE))
		return GK_ERR_UNEXPECTED;
	gsakmp_gm_give_up(gm);
	return gsakmp_gm_out(gm, GSAKMP_OUT_LEFT, NULL, "left on command");
}

void
gsakmp_gm_status(const struct gsakmp_gm *gm, struct gsakmp_gm_status *out)
{
	*out = (struct gsakmp_gm_status){
		.state = gm->state,
		.member_id = gm->member_id,
		.edition = -1,
		.sequence = gm->last_sequence,
		.gcks = gk_buf_slice(&gm->gcks_key),
		.n_keks = gm->keks.count,
		.destroyed = is_destroyed(gm),
		.rekey_due_utc = gm->overdue_utc,
		.waiting = gm->again.n + (gm->owed != NULL),
		.fetching = gsakmp_gm_fetching(gm),
		.ahead = gm->ahead.n,
		.ahead_kept = gm->ahead.kept,
		.ahead_dropped = gm->ahead.dropped,
		.ahead_old = gm->ahead.old,
		.terse = gm->policy != NULL ? gm->policy->terse
		                            : gm->cfg.suite.terse,
		.receive_only = gm->cfg.receive_only,
		.pushed_utc = gm->heard.pushed_utc,
	};
	if (gm->policy == NULL)
		return;
	out->may_send = gm->may_send;
	out->speakers = gm->policy->speakers;
	out->n_speakers = gm->policy->n_speakers;
	out->speaker = gm->speaker;
	out->speaker_keys = gm->policy->speaker_keys;
	if (gm->policy->v.token->has_edition)
		out->edition = gm->policy->v.token->edition;
	out->gtpk = (struct gsakmp_gtpk){ .id = gm->gtpk[0].id,
		                          .handle = gm->gtpk[0].handle,
		                          .type = (uint16_t)gm->gtpk[0].type,
		                          .created_utc = gm->gtpk[0].created,
		                          .expires_utc = gm->gtpk[0].expires };
}
